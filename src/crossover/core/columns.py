"""The columns of every table of results, and the one way in which such a table is made and read.

What a second run on the same machine must repeat bit for bit is in one table, and what it cannot repeat in another:
times, memory, energy, and where and when they were measured. Both tables have the same rows and the same keys.

    results/<dataset>/                                        one row a fit
        scores.csv                        SCORES
        validation.csv                    VALIDATION, one row a fit without the validation rows of its repetition
        costs.csv                         COSTS, measured

    results/learning_curve/<dataset>/<features>/<model>/      one row a fit, by size and then by seed
        scores.csv                        CURVE_SCORES
        curve.json                        {"curve_id": …}, of all that decides the curve
        correct.npy                       bool (fits, n_test), a line for each row: right answers on the test part; of
                                          another metric than accuracy float64, see `scoring.contributions`
        largest/test-seed<k>.npy          float32 (n_test, n_classes), probabilities of the fit on the largest size
        largest/validation-seed<k>.npy    float32 (n_validation, n_classes), the same on the validation rows
        largest/y_validation-seed<k>.npy  int64 (n_validation,)
        largest/y_test.npy                int64 (n_test,)
        costs.csv                         CURVE_COSTS, measured
        moments/moments.csv               MOMENTS, one row a moment before the end of a fit in epochs; measured
        moments/correct.npy               likewise (moments, n_test), a line for each row; measured

    results/tuning/<dataset>/<features>/<model>/              one row a trial; trial 0 is the default configuration
        trials.csv                        TRIALS, and a column PARAMETER for each parameter that was searched
        importance.csv                    IMPORTANCE
        sweep.json                        SWEEP
        costs.csv                         TRIAL_COSTS, measured

A cell that does not apply has tables with one row without numbers (of a search, or of moments: with none); its
`correct.npy` has the shape (0, 0), and `largest` is empty. A cell without epochs has no moments either.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from crossover.core.errors import CrossoverError
from crossover.core.files import existing

KEYS = ["dataset", "features", "model", "family", "variant", "seed"]

METRICS = [
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "rarest_f1",
    "log_loss",
    "roc_auc",
    "average_precision",
    "sensitivity_at_95_specificity",
    "brier_score",
    "calibration_error",
]

SCORES = [
    *KEYS,
    "status",  # "ok", or "not applicable" with its reason; then every number of the row is empty
    "reason",
    "stochastic",  # False: fitted once, since a repetition would give the same model again
    "n_train",  # rows that the model was fitted on
    "n_watched",  # further rows, by which a model that selects chose its length or its weights; else 0
    "n_test",
    "split",  # number of the training and test part
    "test_overlap",  # share of its examples that a test part has in common with another one; empty for a single split
    "n_classes",
    "metric",  # of `METRICS`, the one by which the data set's models are chosen and compared
    "complexity",  # how many parameters, nodes or stored values the model has
    "complexity_unit",  # which of the three; counts of different units do not compare
    *METRICS,
    "data_checksum",
]

VALIDATION = [
    *KEYS,
    "n_train",
    "n_validation",
    "n_distinct",  # examples that all the cell's validation rows together stand for, each counted once
    *METRICS,
    "problem",  # why the fit says little about what its model can do; empty where nothing is known
    "remedy",  # the override of the model's YAML that may solve it
]

COSTS = [  # times start at the prepared input: the making of features is in each of them
    *KEYS,
    "fit_seconds",  # median of the times of one fit
    "fit_seconds_low",
    "fit_seconds_high",
    "fits_timed",
    "features_seconds",  # what of the fit the making of the features took; 0 for a network
    "waiting_share",  # of the time in which other work had the processor that the fit wanted; empty where unknown
    "latency_p50_ms",  # one example at a time
    "latency_p50_ms_low",
    "latency_p50_ms_high",
    "latency_p95_ms",
    "features_p50_ms",  # what of the median the making of the features took
    "throughput_per_s",  # examples a second in large batches
    "throughput_per_s_low",
    "throughput_per_s_high",
    "features_per_s",  # of the making of the features alone; empty for a network
    "model_bytes",
    "peak_memory_bytes",  # of the process while it fitted
    "fit_memory_bytes",  # what of it the fit added, the features included; empty where the system does not say
    "fit_energy_j",  # joules; empty where the machine does not say
    "energy_method",  # which counters; empty where there are none
    "device",
    "threads",
    "versions",  # "python 3.11.7, numpy 2.4.6, …"
    "git_commit",
    "fitted_at",  # ISO 8601, UTC
]

SAME_ROWS = "same_rows"
"""Key of a curve's `curve.json` where all its repetitions have the same rows, as in a split by time; else missing."""

PARTS = ("validation", "test")
"""What each fit of a learning curve is scored on: `validation` are the rows that its repetition holds back."""

CURVE_SCORES = [
    *KEYS,
    "n",  # examples of the subset, the same ones for every model of the same seed
    "status",
    "reason",
    "n_watched",  # further examples that the model saw for early stopping or selection; 0 where it uses none
    "n_validation",
    "n_test",
    "n_classes",
    "metric",  # as in SCORES
    "train_accuracy",  # on the subset itself, on at most 1,000 of its examples
    *(f"{part}_{metric}" for part in PARTS for metric in METRICS),
    "data_checksum",
]

CURVE_COSTS = [
    *KEYS,
    "n",
    "fit_seconds",  # as in COSTS
    "fit_seconds_low",
    "fit_seconds_high",
    "features_seconds",
    "waiting_share",
    "predict_seconds",  # the whole test part in one call, from its features on
    "model_bytes",
    "peak_memory_bytes",
    "device",
    "threads",
    "versions",
    "git_commit",
    "fitted_at",
]

MOMENTS = [
    *KEYS,
    "n",
    "seconds",  # of the fit up to here, the making of features included
    *(f"validation_{metric}" for metric in METRICS),
]

COMPLETED, PRUNED, FAILED = "completed", "pruned", "failed"
"""How a trial ends."""

TRIAL_KEYS = ["dataset", "features", "model", "family", "trial"]

TRIALS = [
    *TRIAL_KEYS,
    "state",
    "best",  # True on one row: the configuration of the variant "tuned"
    "pareto",  # no other trial is better in every objective
    "accuracy",  # mean over validation splits; of a pruned trial the last value that it reported
    "accuracy_sd",  # over validation splits; empty for one
    "score",  # likewise of the data set's metric, by which trials are compared
    "score_sd",
    "log_loss",
    "repetitions",  # validation splits that were finished
    "error",  # why it failed, in a sentence
]

PARAMETER = "param."
"""Begins the name of a parameter's column in `trials.csv`: `param.estimator.max_depth`."""

TRIAL_COSTS = [
    *TRIAL_KEYS,
    "seconds",  # wall clock of the whole trial
    "fit_seconds",  # mean of its fits
    "latency_p50_ms",  # one example at a time; empty unless it is an objective
    "device",
    "threads",
    "started_at",  # ISO 8601, UTC
]

IMPORTANCE = ["parameter", "importance"]

SWEEP = [
    "dataset",
    "features",
    "model",
    "family",
    "status",
    "reason",
    "sampler",
    "seed",
    "pruner",
    "metric",  # as in SCORES
    "objectives",  # "accuracy", which stands for the metric, and at most one of "fit_seconds" and "latency_p50_ms"
    "budget",  # {"trials": …, "seconds": …}, one of them null
    "examples",  # size of the subset of the training part that a trial is fitted on; null is all of it
    "repetitions",  # the validation splits used
    "n_train",
    "n_validation",
    "completed",
    "pruned",
    "failed",
    "best_trial",
    "exhausted",  # a finite space ran out before the budget
    "independent",  # proposals are independent draws from the search space
    "space",
    "data_checksum",
]

_WHOLE_NUMBERS = (
    "n",
    "n_train",
    "n_watched",
    "n_validation",
    "n_test",
    "n_classes",
    "complexity",
    "fits_timed",
    "model_bytes",
    "peak_memory_bytes",
    "fit_memory_bytes",
    "threads",
)


def result_table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Rows of results as a table with exactly the given columns; what a row lacks is empty.

    Raises:
        CrossoverError: a row holds something that is not among the columns.
    """
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*columns, *table.columns.difference(columns)])
    check_columns(table, columns, "rows that were just made")
    # pandas would write a whole number in a column with gaps as 1617.0.
    return table.astype({name: "Int64" for name in _WHOLE_NUMBERS if name in columns})


def read_rows(path: Path, columns: list[str], made_by: str) -> pd.DataFrame:
    """Read a table of result rows and check its columns.

    Raises:
        CrossoverError: the file is missing, or a column is missing or unknown.
    """
    rows = pd.read_csv(existing(path, made_by), keep_default_na=False, na_values=[""])
    check_columns(rows, columns, str(path))
    return rows


def check_columns(rows: pd.DataFrame, columns: list[str], origin: str) -> None:
    """Raise CrossoverError where the columns are not exactly the given ones."""
    wrong = sorted(set(rows.columns) ^ set(columns))
    if wrong:
        raise CrossoverError(
            f"result rows must have exactly the columns of crossover.core.columns; "
            f"check {', '.join(wrong)} ({origin})"
        )
