"""Does the measured learning curve of the classical models on MNIST come out again?

    python benchmarks/published_curve.py                      # all models: some ten minutes on two cores
    python benchmarks/published_curve.py --only xgboost forest --repetitions 5

Each subset is drawn as the stage `learning_curve` draws it, and each fit scored as it scores. Two means agree where
they differ by less than twice the standard deviation of single fits, ours and the published one together, or by less
than 0.3 points, the 95 % half-width of an error of 3 % on 10,000 test images. Needs what `dvc repro` prepares for
mnist. Exit status 1 where one does not agree.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml
from hydra import compose, initialize_config_dir
from pydantic import Field

from crossover.core.cell import Cell
from crossover.core.configuration import plain
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.settings import Settings, validated
from crossover.core.study import LearningCurve
from crossover.fitting.config import FitConfig
from crossover.fitting.curve import CurveRun
from crossover.fitting.curve_point import CurvePoint, fit_point
from crossover.fitting.subsets import curve_subset
from crossover.fitting.variants import textbook_or_default

PROJECT = Path(__file__).parents[1]
ROW = "{:9}{:>7}{:>15}{:>15}  {}"
TEST_PART = 0.3  # points


class Published(Settings):
    """An entry of published_curve.yaml.

    Attributes:
        name: for `--only`.
        model: name of the model's YAML.
        overrides: Hydra overrides of it.
        errors: mean and standard deviation of the test error in %, by number of training examples.
    """

    name: str
    model: str
    overrides: list[str] = Field(default_factory=list)
    errors: dict[int, list[float]]

    def config(self) -> FitConfig:
        """What to fit."""
        with initialize_config_dir(str(PROJECT / "conf")):
            config = compose(overrides=[f"+model={self.model}", *self.overrides])
        model = textbook_or_default(plain(config.model), self.model, PROJECT)
        return FitConfig(Cell("mnist", "raw", self.model, "classical"), model)


def errors(published: Published, root: Path, n: int, repetitions: int) -> np.ndarray:
    """Test errors in % of our fits on `n` examples: float (repetitions,)."""
    config = published.config()
    curve = CurveRun(config, LearningCurve(), Layout(root), root)
    found = []
    for seed in range(repetitions):
        with tempfile.TemporaryDirectory() as folder:
            subset, checkpoints = curve_subset(curve.data, n, seed), Path(folder) / "checkpoints"
            fit_point(curve.data, subset, 0.0, Path(folder), checkpoints)
            found.append(100 * (1 - CurvePoint(Path(folder)).scores["test_accuracy"]))
    return np.array(found)


def run(rows: list[Published], root: Path, repetitions: int) -> bool:
    """Measure the rows, print each as it ends, and return whether all agree."""
    print(ROW.format("model", "n", "published", "here", ""))
    agree = []
    for row in rows:
        for n, (mean, sd) in row.errors.items():
            here = errors(row, root, n, repetitions)
            spread = 2 * float(np.hypot(sd, here.std(ddof=1)))
            agree.append(abs(here.mean() - mean) <= max(spread, TEST_PART))
            ours = f"{here.mean():.1f} ± {here.std(ddof=1):.1f}"
            verdict = "agrees" if agree[-1] else "OFF"
            print(ROW.format(row.name, f"{n:,}", f"{mean} ± {sd}", ours, verdict), flush=True)
    return all(agree)


def main() -> None:
    path = Path(__file__).with_suffix(".yaml")
    rows = {row["name"]: validated(Published, row, str(path)) for row in yaml.safe_load(path.read_text())}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", choices=rows, default=list(rows), metavar="NAME", help=", ".join(rows)
    )
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--root", type=Path, default=PROJECT, help="the project that has mnist prepared")
    given = parser.parse_args()
    try:
        sys.exit(0 if run([rows[name] for name in given.only], given.root, given.repetitions) else 1)
    except CrossoverError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
