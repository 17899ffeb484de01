"""Does the verdict find who should win? Studies of made-up data whose truth is known, each through `dvc repro`.

    python benchmarks/known_truth.py                     # all of them
    python benchmarks/known_truth.py bands steps         # some
    python benchmarks/known_truth.py steps --trials 10   # with a search of so many trials for each model

Each study runs in a clone of the project's last commit in a temporary folder. Exit status 1 where a verdict is wrong.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from sklearn.datasets import make_classification

PROJECT = Path(__file__).parents[1]
N_TRAIN, N_TEST = 4000, 4000

Table = tuple[np.ndarray, np.ndarray]
"""Columns, float (n, columns), and classes, int (n,)."""


def bands(rng: np.random.Generator) -> Table:
    """Bands across one direction that has to do with all of 6 columns: no single column tells anything."""
    X = rng.standard_normal((N_TRAIN + N_TEST, 6))
    direction = rng.standard_normal(6)
    return X, np.floor(1.2 * X @ direction / np.linalg.norm(direction)).astype(int) % 2


def steps(rng: np.random.Generator) -> Table:
    """Thresholds in single columns, 4 of 30, each of which may turn what the others say; the rest has heavy tails."""
    X = rng.standard_t(2, (N_TRAIN + N_TEST, 30))
    above = X[:, :4] > [0.0, -0.3, 0.3, 0.1]
    classes = rng.integers(0, 4, 2**4)  # one a combination
    return X, classes[above @ (1 << np.arange(4))]


def clouds(rng: np.random.Generator) -> Table:
    """Two normal clouds of one shape: a straight line is the best that anybody can draw, so no network leads."""
    y = rng.integers(0, 2, N_TRAIN + N_TEST)
    shift = rng.standard_normal(10)
    return rng.standard_normal((len(y), 10)) + 2.5 * y[:, None] * shift / np.linalg.norm(shift), y


def coin(rng: np.random.Generator) -> Table:
    """One column of six is the class, but for one row in five: everybody can learn that, and nobody more."""
    X = rng.integers(0, 2, (N_TRAIN + N_TEST, 6)).astype(float)
    return X, X[:, 0].astype(int) ^ (rng.random(len(X)) < 0.2)


def clusters(rng: np.random.Generator) -> Table:
    """26 classes of four clusters each: neither family should lose by many points."""
    return make_classification(
        N_TRAIN + N_TEST + 4000,
        n_features=16,
        n_informative=16,
        n_redundant=0,
        n_classes=26,
        n_clusters_per_class=4,
        class_sep=2.0,
        random_state=int(rng.integers(2**31)),
    )


@dataclass(frozen=True)
class Task:
    """A data set with its truth.

    Attributes:
        table: draws it; None for a data set of conf/dataset/, of texts.
        right: the verdicts that are.
        most: points that the difference may have at most, either way.
        deep: the networks that stand for their family.
        mlp: keys of the MLP's YAML that are changed.
    """

    table: Callable[[np.random.Generator], Table] | None
    right: tuple[str, ...]
    most: float = 100.0
    deep: tuple[str, ...] = ("mlp", "tabm")
    mlp: dict[str, Any] | None = None

    @property
    def classical(self) -> list[str]:
        """The classical models that stand for their family."""
        if self.table is None:
            return ["logistic_regression", "linear_svm", "multinomial_naive_bayes", "lightgbm"]
        return ["logistic_regression", "svm", "random_forest", "lightgbm"]


TASKS = {
    "bands": Task(bands, ("deep",)),
    "steps": Task(steps, ("classical",)),
    "coin": Task(coin, ("tie", "not told apart"), most=1.0),
    "clouds": Task(clouds, ("classical", "tie", "not told apart"), most=1.0),
    "clusters": Task(clusters, ("deep", "classical", "tie", "not told apart"), most=3.0),
    # Where the network should win, one that is stopped after an epoch.
    "crippled": Task(bands, ("undecided",), deep=("mlp",), mlp={"max_epochs": 1, "min_steps": 0}),
    "text_words": Task(None, ("classical", "tie", "not told apart"), most=3.0, deep=("text_cnn", "lstm")),
    "text_order": Task(None, ("deep",), deep=("text_cnn", "lstm")),
}


def write_table(
    name: str, table_of: Callable[[np.random.Generator], Table], root: Path, mirror: Path
) -> None:
    """Put a table and its YAML into a clone of the project."""
    X, y = table_of(np.random.default_rng(0))
    table = pd.DataFrame(X).round(6).assign(label=[f"c{label}" for label in y])
    (mirror / name).mkdir(parents=True)
    files = {}
    for part, rows in (("train", table[:-N_TEST]), ("test", table[-N_TEST:])):
        text = rows.to_csv(index=False, header=False)
        (mirror / name / f"{part}.csv").write_text(text)
        files[part] = {
            "_target_": "crossover.data.delimited.TextFile",
            "name": f"{part}.csv",
            "md5": hashlib.md5(text.encode()).hexdigest(),
        }
    dataset = {
        "_target_": "crossover.data.delimited.DelimitedTable",
        "name": name,
        "addresses": ["https://nowhere.invalid/"],  # the mirror has it
        "columns": {f"x{column}": "number" for column in range(X.shape[1])},
        "classes": sorted(set(table["label"])),
    }
    (root / "conf" / "dataset" / f"{name}.yaml").write_text(yaml.safe_dump(dataset | files, sort_keys=False))


def write_study(name: str, task: Task, root: Path, mirror: Path, trials: int) -> None:
    """Put the data, the YAML files and params.yaml into a clone of the project."""
    if task.table is not None:
        write_table(name, task.table, root, mirror)
    mlp = root / "conf" / "model" / "mlp.yaml"
    mlp.write_text(yaml.safe_dump(yaml.safe_load(mlp.read_text()) | (task.mlp or {})))
    searched: dict[str, Any] = {}
    if trials:
        searched = {
            "classical_models": task.classical[2:],
            "deep_models": [task.deep[0]],
            "trials": trials,
        }
    study = {
        "datasets": [name],
        "feature_sets": ["words" if task.table is None else "raw"],
        "classical_models": task.classical,
        "deep_models": list(task.deep),
        "seeds": 1,
        "soft_vote": 3,
        "textbook": {"feature_sets": [], "classical_models": [], "deep_models": []},
        "tuning": yaml.safe_load((root / "params.yaml").read_text())["tuning"] | searched,
        "learning_curve": {
            "feature_sets": [],
            "classical_models": [],
            "deep_models": [],
            "sizes": 2,
            "repetitions": 1,
        },
    }
    (root / "params.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def verdict(name: str, task: Task, trials: int) -> dict[str, Any]:
    """Run the study; the verdict as `dvc metrics show` has it."""
    with tempfile.TemporaryDirectory() as folder:
        root, mirror = Path(folder) / "project", Path(folder) / "mirror"
        subprocess.run(["git", "clone", "-q", str(PROJECT), str(root)], check=True)
        write_study(name, task, root, mirror, trials)
        own = {"CROSSOVER_DATA_MIRROR": mirror.as_uri(), "CROSSOVER_TRACKING": "none"}
        path = {"PYTHONPATH": str(root / "src")}
        done = subprocess.run(
            ["dvc", "repro"], cwd=root, env=os.environ | own | path, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads((root / "reports" / "verdicts" / f"{name}.json").read_text())
        return found


def score(found: dict[str, Any], family: str) -> float:
    """Of the best of a family, in the metric of the data set."""
    (value,) = (value for key, value in found.items() if key.startswith(f"best_{family}_"))
    return float(value)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], help="which; all where none is named")
    parser.add_argument("--trials", type=int, default=0, help="of a search for each model; 0 searches none")
    given = parser.parse_args()
    print(
        "| data | right | verdict | deep - classical, points [95 %] | best network | best classical model | | s |"
    )
    print("|---|---|---|--:|--:|--:|---|--:|")
    all_right = True
    for name in given.tasks or TASKS:
        task, start = TASKS[name], time.monotonic()
        found = verdict(name, task, given.trials)
        low, difference, high = (100 * found[key] for key in ("low", "deep_minus_classical", "high"))
        right = found["verdict"] in task.right and abs(difference) <= task.most
        all_right &= right
        best = " | ".join(
            f"{found[f'best_{family}']} {100 * score(found, family):.2f} %"
            for family in ("deep", "classical")
        )
        wanted = " or ".join(task.right) + (f", at most {task.most:g}" if task.most < 100 else "")
        print(
            f"| {name} | {wanted} | {found['verdict']} | {difference:+.2f} [{low:+.2f}, {high:+.2f}] | {best} | "
            f"{'ok' if right else 'WRONG'} | {time.monotonic() - start:.0f} |",
            flush=True,
        )
    sys.exit(not all_right)


if __name__ == "__main__":
    main()
