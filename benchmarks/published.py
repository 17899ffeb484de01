"""Do the published accuracies come out again? Fits every row of published.yaml on the real data.

    python benchmarks/published.py                      # all rows: a quarter of an hour on two cores, and cnn_modern
    python benchmarks/published.py --only forest 1-nn   # these rows

What `dvc repro` has prepared is used; what is missing is made in a temporary folder. Exit status 1 where a
value lies outside its tolerance.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from pydantic import Field

from crossover.analysis.published import Published, published_number
from crossover.core.cell import LEARNED
from crossover.core.configuration import build, plain
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.settings import validated
from crossover.data.prepared import Part, Prepared
from crossover.features.base import Features
from crossover.fitting.variants import textbook_or_default
from crossover.scoring.judge import evaluate
from crossover.stages.download import download
from crossover.stages.featurize import featurize
from crossover.stages.prepare import prepare

PROJECT = Path(__file__).parents[1]
ROW = "{:11}{:7}{:9}{:21}{:>10}{:>9}{:>11}{:>7}  {}"


class Check(Published):
    """An entry of published.yaml: a published number and the Hydra overrides of the YAML files that answer it."""

    overrides: list[str] = Field(default_factory=list)

    @property
    def deep(self) -> bool:
        """Whether it is about a network."""
        return self.features == LEARNED

    def config(self) -> DictConfig:
        """The YAML files of the row, overrides applied."""
        named = ("dataset", "model") if self.deep else ("dataset", "features", "model")
        groups = [f"+{group}={getattr(self, group)}" for group in named]
        with initialize_config_dir(str(PROJECT / "conf")):
            return compose(overrides=[*groups, "+protocol=default", *self.overrides])

    def agrees(self, accuracy: float) -> bool:
        return abs(accuracy - self.value) <= self.tolerance + 1e-9  # the last is rounding of the difference


def accuracy(check: Check, scratch: Layout) -> float:
    """Fit the row's model on the whole training part and score it on the test part.

    Where validation rows choose the length of the fit, a first fit without those of repetition 0 finds it.
    """
    config, origin = check.config(), f"conf/model/{check.model}.yaml"
    train, test = _raw(check, config, scratch) if check.deep else _features(check, config, scratch)
    model_config = textbook_or_default(plain(config.model), check.model, PROJECT)
    model = build(model_config, origin)
    if model.selects:
        rows = Prepared(scratch.prepared(check.dataset)).validation_rows(0)
        model.fit(train.without(rows), train.take(rows), seed=0)
        model = build(model_config | model.chosen(), origin)
    model.fit(train, None, seed=0)
    return evaluate(test.y, model.predict_proba(test.X))["accuracy"]


def _raw(check: Check, config: DictConfig, scratch: Layout) -> tuple[Part, Part]:
    """The training and the test part as a network takes them."""
    _prepare(check.dataset, config, scratch)
    prepared = Prepared(scratch.prepared(check.dataset))
    return prepared.train(), prepared.test()


def _features(check: Check, config: DictConfig, scratch: Layout) -> tuple[Part, Part]:
    """The same as features."""
    layout = _with_features(check, config, scratch)
    prepared, features = (
        Prepared(layout.prepared(check.dataset)),
        Features(layout.features(check.dataset, check.features)),
    )
    train, test = (
        Part(features.matrix(part), prepared.labels(part), prepared.meta.n_classes)
        for part in ("train", "test")
    )
    return train, test


def _with_features(check: Check, config: DictConfig, scratch: Layout) -> Layout:
    """The project's own layout where it holds the features, else `scratch`, where they are made."""
    for layout in (Layout(PROJECT), scratch):
        if (layout.features(check.dataset, check.features) / "test" / "0" / "X.npy").exists():
            return layout
    _prepare(check.dataset, config, scratch)
    feature_set = build(config.features, f"conf/features/{check.features}.yaml")
    featurize(check.dataset, check.features, feature_set, plain(config.features), scratch, jobs=-1)
    return scratch


def _prepare(dataset: str, config: DictConfig, scratch: Layout) -> None:
    target, standing = scratch.prepared(dataset), Layout(PROJECT).prepared(dataset)
    if target.exists():
        return
    if standing.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(standing)
    else:
        source = build(config.dataset, f"conf/dataset/{dataset}.yaml")
        download(source, scratch)
        prepare(source, build(config.protocol, "conf/protocol/default.yaml"), scratch)


def run(checks: list[Check]) -> bool:
    """Fit the rows, print each as it ends, and return whether all agree."""
    print(ROW.format("name", "data", "features", "model", "published", "here", "tolerance", "", "seconds"))
    agree = []
    with tempfile.TemporaryDirectory() as folder:
        for check in checks:
            start = time.perf_counter()
            here = accuracy(check, Layout(Path(folder)))
            seconds = f"{time.perf_counter() - start:.0f}"
            agree.append(check.agrees(here))
            verdict = "ok" if agree[-1] else "OFF"
            cells = (check.name, check.dataset, check.features, check.model)
            numbers = (f"{check.value:.4f}", f"{here:.4f}", f"{check.tolerance:.4f}")
            print(ROW.format(*cells, *numbers, verdict, seconds), flush=True)
    return all(agree)


def load_checks(path: Path) -> list[Check]:
    """The rows of published.yaml; `published` stands for what the package's own entry of that name says."""
    checks = []
    for row in yaml.safe_load(path.read_text()):
        if "published" in row:
            row = published_number(row.pop("published")).model_dump() | row
        checks.append(validated(Check, row, str(path), key=row["name"]))
    return checks


def main() -> None:
    checks = {check.name: check for check in load_checks(Path(__file__).with_suffix(".yaml"))}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", choices=checks, default=list(checks), metavar="NAME", help=", ".join(checks)
    )
    try:
        sys.exit(0 if run([checks[name] for name in parser.parse_args().only]) else 1)
    except CrossoverError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
