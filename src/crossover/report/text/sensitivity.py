"""What is said where nothing was tuned."""

CLAIM = "C14, deep learning is more sensitive to its hyperparameters"
MEASURE_IT = (
    "`dvc exp run -S 'tuning.classical_models=[random_forest,xgboost]' -S 'tuning.deep_models=[cnn]'`"
)


def no_tuning_line(datasets: list[str]) -> str:
    """What is not measured on data sets without tuned cells, and how to measure it."""
    return f"No tuning on {', '.join(datasets)}: claim {CLAIM}, is not measured there; {MEASURE_IT} would measure it."
