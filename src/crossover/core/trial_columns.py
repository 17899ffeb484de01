"""The files that a search leaves in `results/tuning/<dataset>/<features>/<model>/`.

`trials.csv` holds what a second run with the same seed must repeat bit for bit, `costs.csv` what it cannot.
Both have one row a trial, in the order of their numbers. Trial 0 is the default configuration.
"""

COMPLETED, PRUNED, FAILED = "completed", "pruned", "failed"
"""How a trial ends."""

KEYS = ["dataset", "features", "model", "family", "trial"]

TRIALS = [
    *KEYS,
    "state",
    "best",  # True on one row: the configuration of the variant "tuned"
    "pareto",  # no other trial is better in every objective
    "accuracy",  # mean over validation splits; of a pruned trial the last value that it reported
    "accuracy_sd",  # over validation splits; empty for one
    "log_loss",
    "repetitions",  # validation splits that were finished
    "error",  # why it failed, in a sentence
]

PARAMETER = "param."
"""One more column of `trials.csv` for each parameter of the search space: `param.estimator.max_depth`."""

TRIAL_COSTS = [
    *KEYS,
    "seconds",  # wall clock of the whole trial
    "fit_seconds",  # mean of its fits
    "latency_p50_ms",  # one example at a time; empty unless it is an objective
    "device",
    "threads",
    "started_at",  # ISO 8601, UTC
]

IMPORTANCE = ["parameter", "importance"]

SWEEP = [  # keys of sweep.json
    "dataset",
    "features",
    "model",
    "family",
    "status",
    "reason",
    "sampler",
    "seed",
    "pruner",
    "objectives",  # "accuracy", and at most one of "fit_seconds" and "latency_p50_ms"
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
