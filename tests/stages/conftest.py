"""A small study that is already fitted: real data, real models, milliseconds."""

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine

from crossover.core.columns import METRICS
from crossover.core.configuration import build, save_config
from crossover.core.files import write_json
from crossover.core.fits import Fit, FitCosts, FitRecord, Repetitions, ValidationScores
from crossover.core.layout import Layout
from crossover.core.study import NOT_APPLICABLE, OK, Study
from crossover.data.prepared import Meta, Part
from crossover.features.raw import RawFeatures
from crossover.scoring import latency
from crossover.stages.evaluate import evaluate_dataset
from crossover.stages.featurize import featurize
from tests.prepared_folder import write_one_split

CHECKSUM = "c" * 64
STUDY = Study(
    datasets=["wine"],
    feature_sets=["raw", "handcrafted"],
    classical_models=["random_forest", "k_nearest_neighbors"],
    deep_models=["mlp", "cnn"],
    seeds=2,
)
ESTIMATORS: dict[str, dict[str, Any]] = {
    "random_forest": {"_target_": "sklearn.ensemble.RandomForestClassifier", "n_estimators": 5},
    "k_nearest_neighbors": {"_target_": "sklearn.neighbors.KNeighborsClassifier"},
    # Stands for a network: whatever model lies in a cell, the stage only loads it and asks for probabilities.
    "mlp": {"_target_": "sklearn.neural_network.MLPClassifier", "hidden_layer_sizes": [8], "max_iter": 30},
}
HISTORY = [
    {"epoch": 0, "train/loss": 1.5, "val/loss": 1.25, "val/accuracy": 0.5},
    {"epoch": 1, "train/loss": 1.0, "val/loss": 0.75, "val/accuracy": 0.875},
]


@dataclass(frozen=True)
class FittedStudy:
    """What the stage reads, and the test part to check it against."""

    layout: Layout
    study: Study
    test: Part
    classes: list[str]


@pytest.fixture(autouse=True)
def few_clocked_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten single predictions of a model instead of a second of them: no test here looks at the times."""
    monkeypatch.setattr(latency, "_SECONDS", 0.0)


@pytest.fixture(scope="session")
def once_fitted(tmp_path_factory: pytest.TempPathFactory) -> FittedStudy:
    """`STUDY` on disk: forest and "mlp" with 2 seeds, neighbours fitted once, the rest not applicable."""
    layout = Layout(tmp_path_factory.mktemp("fitted"))
    X, y = load_wine(return_X_y=True, as_frame=True)
    rows = np.random.default_rng(0).permutation(len(y))
    train, test = (
        Part(X.iloc[r].reset_index(drop=True), y.to_numpy()[r], 3) for r in (rows[:120], rows[120:])
    )
    classes = ["Barolo", "Grignolino", "Barbera"]
    _write_data(layout, train, test, classes)
    for cell in STUDY.cells("wine"):
        takes = cell.features != "handcrafted" and cell.model != "cnn"
        record = Repetitions(
            cell,
            status=OK if takes else NOT_APPLICABLE,
            reason="" if takes else "takes image data, wine is table data",
            stochastic=takes and cell.model != "k_nearest_neighbors",
            seeds=([0] if cell.model == "k_nearest_neighbors" else [0, 1]) if takes else [],
        )
        write_cell(layout, record, train)
    return FittedStudy(layout, STUDY, test, classes)


@pytest.fixture
def fitted(once_fitted: FittedStudy, tmp_path: Path) -> FittedStudy:
    """A copy that the test may spoil."""
    shutil.copytree(once_fitted.layout.root, tmp_path, dirs_exist_ok=True)
    return replace(once_fitted, layout=Layout(tmp_path))


@pytest.fixture(scope="session")
def once_evaluated(once_fitted: FittedStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its `results/wine/`."""
    layout = Layout(tmp_path_factory.mktemp("evaluated"))
    shutil.copytree(once_fitted.layout.root, layout.root, dirs_exist_ok=True)
    evaluate_dataset("wine", STUDY, layout)
    return layout.results("wine")


@pytest.fixture
def results(fitted: FittedStudy, once_evaluated: Path) -> Path:
    """The results of `fitted`, in a copy that the test may spoil."""
    return Path(shutil.copytree(once_evaluated, fitted.layout.results("wine")))


def write_cell(layout: Layout, record: Repetitions, train: Part) -> None:
    """Fit the cell's repetitions and write them as the training stages do."""
    folder = layout.models(record.cell)
    record.write(folder)
    config = {
        "_target_": "crossover.models.classical.sklearn_model.SklearnClassifier",
        "modalities": ["table"],
        "stochastic": record.stochastic,
        "estimator": ESTIMATORS.get(record.cell.model, {}),
    }
    matrix = np.load(layout.features("wine", "raw") / "train" / "0" / "X.npy")
    part = train if record.cell.family == "deep" else Part(matrix, train.y, train.n_classes)
    if record.status == OK:
        scores = {name: 0.9 for name in METRICS}
        validation = [ValidationScores(seed, 108, 12, scores) for seed in (0, 1)]
        write_json(folder / "validation.json", [asdict(one) for one in validation])
        (folder / "validation").mkdir()
        for one in validation:
            proba = np.random.default_rng(one.seed).dirichlet(np.ones(3), 12).astype(np.float32)
            np.save(folder / "validation" / f"seed_{one.seed}.npy", proba)
    for seed in record.seeds:
        model = build(config, "the test").fit(part, None, seed=seed)
        (folder / f"seed_{seed}" / "model").mkdir(parents=True)
        model.save(folder / f"seed_{seed}" / "model")
        save_config(folder / f"seed_{seed}" / "model", config)
        cost = FitCosts(
            fit_seconds=0.5 + seed,
            fit_seconds_low=0.5 + seed,
            fit_seconds_high=0.6 + seed,
            fits_timed=2,
            features_seconds=0.0,
            waiting_share=0.0,
            peak_memory_bytes=1 << 20,
            fit_memory_bytes=(1 << 18) if record.cell.model == "mlp" else None,  # a system that cannot tell
            fit_energy_j=12.5 if record.cell.model == "mlp" else None,
            energy_method="RAPL package counters" if record.cell.model == "mlp" else "",
            device="cpu",
            threads=2,
            versions="python 3.11",
            git_commit="abc",
            fitted_at="2026-01-01T00:00:00+00:00",
        )
        Fit(folder / f"seed_{seed}", seed).write(
            FitRecord(f"{record.cell.model}{seed}", len(train), 0, CHECKSUM),
            cost,
            HISTORY if record.cell.family == "deep" else [],
        )


def _write_data(layout: Layout, train: Part, test: Part, classes: list[str]) -> None:
    shape = [train.X.shape[1]]
    meta = Meta("wine", "table", classes, shape, 1.0, len(train), len(test), "drawn for a test", CHECKSUM)
    layout.prepared("wine").mkdir(parents=True)
    write_one_split(layout.prepared("wine"), meta, train, test, np.zeros((2, 12), np.int64))
    config = {"_target_": "crossover.features.raw.RawFeatures", "modalities": ["table"]}
    featurize("wine", "raw", RawFeatures(modalities=["table"]), config, layout, jobs=1)
