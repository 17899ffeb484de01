"""What the stage `learning_curve` writes for one cell, in `results/learning_curve/<dataset>/<features>/<model>/`.

What a second run on the same machine must repeat bit for bit:

    scores.csv                       the columns `CURVE_SCORES`, one row a fit, by size and then by seed
    correct.npy                      bool (fits, n_test), row for row beside scores.csv: right answers on the test part
    largest/test-seed<k>.npy         float32 (n_test, n_classes), probabilities of the fit on the largest size
    largest/validation-seed<k>.npy   float32 (n_validation, n_classes), the same on the validation rows
    largest/y_validation-seed<k>.npy int64 (n_validation,)
    largest/y_test.npy               int64 (n_test,)

and, in a file of its own, what it cannot: `costs.csv` (`CURVE_COSTS`). A cell that does not apply has both tables
with one row without numbers, `correct.npy` of shape (0, 0), and nothing in `largest`.
"""

from crossover.core.columns import KEYS, METRICS

PARTS = ("validation", "test")
"""The parts that every fit is scored on; `validation` are the rows that repetition k holds back from every model."""

CURVE_SCORES = [
    *KEYS,
    "n",  # examples of the subset, the same ones for every model of the same seed
    "status",  # "ok", or "not applicable" with its reason; then every number of the row is empty
    "reason",
    "n_watched",  # further examples that the model saw for early stopping or selection; 0 where it uses none
    "n_validation",
    "n_test",
    "n_classes",
    "train_accuracy",  # on the subset itself, on at most 1,000 of its examples
    *(f"{part}_{metric}" for part in PARTS for metric in METRICS),
    "data_checksum",
]

CURVE_COSTS = [
    *KEYS,
    "n",
    "fit_seconds",
    "predict_seconds",  # the whole test part in one call
    "model_bytes",
    "peak_memory_bytes",  # of the process while it fitted
    "device",
    "threads",
    "versions",
    "git_commit",
    "fitted_at",  # ISO 8601, UTC
]
