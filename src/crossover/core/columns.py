"""The columns of a result row.

`results/<dataset>/scores.csv` holds what a second run on the same machine must repeat bit for bit;
`results/<dataset>/costs.csv` holds what it cannot: times, memory, energy, and where and when they were measured.
Both have one row a fit and share the key columns.
"""

from pathlib import Path

import pandas as pd

from crossover.core.errors import CrossoverError

KEYS = ["dataset", "features", "model", "family", "variant", "seed"]

METRICS = [
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "log_loss",
    "roc_auc",
    "brier_score",
    "calibration_error",
]

SCORES = [
    *KEYS,
    "status",  # "ok", or "not applicable" with its reason; then every number of the row is empty
    "reason",
    "stochastic",  # False: fitted once, since a repetition would give the same model again
    "n_train",  # rows that the model was fitted on
    "n_test",
    "n_classes",
    "complexity",  # how many parameters, nodes or stored values the model has
    "complexity_unit",  # which of the three; counts of different units do not compare
    *METRICS,
    "data_checksum",
]

COSTS = [
    *KEYS,
    "fit_seconds",
    "latency_p50_ms",  # one example at a time
    "latency_p95_ms",
    "throughput_per_s",  # examples a second in large batches
    "model_bytes",
    "peak_memory_bytes",  # of the process while it fitted
    "fit_memory_bytes",  # what of it the fit added; empty where the system cannot tell
    "fit_energy_j",  # joules; empty where the machine cannot tell
    "energy_method",  # which counters; empty where there are none
    "device",
    "threads",
    "versions",  # "python 3.11.7, numpy 2.4.6, …"
    "git_commit",
    "fitted_at",  # ISO 8601, UTC
]


def read_rows(path: Path, columns: list[str], made_by: str) -> pd.DataFrame:
    """Read a table of result rows and check its columns.

    Raises:
        CrossoverError: the file is missing, or a column is missing or unknown.
    """
    if not path.exists():
        raise CrossoverError(f"{path} does not exist; make it with `{made_by}`")
    rows = pd.read_csv(path, keep_default_na=False, na_values=[""])
    check_columns(rows, columns, str(path))
    return rows


def check_columns(rows: pd.DataFrame, columns: list[str], origin: str) -> None:
    """Raise CrossoverError where the columns are not exactly those of the schema."""
    wrong = sorted(set(rows.columns) ^ set(columns))
    if wrong:
        raise CrossoverError(
            f"result rows must have exactly the columns of crossover.core.columns; "
            f"check {', '.join(wrong)} ({origin})"
        )
