"""Stage featurize: a prepared data set to a feature matrix."""

import copy
import logging
import re
from dataclasses import asdict
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from omegaconf import DictConfig

from crossover.core.configuration import build, plain, save_config
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, write_json
from crossover.core.layout import Layout
from crossover.data.prepared import PartName, Prepared
from crossover.features.base import FeatureCosts, FeatureMeta, FeatureSet, versions_of, write_matrix
from crossover.launching import job

log = logging.getLogger(__name__)

PARTS: tuple[PartName, PartName] = ("train", "test")

ROWS = 10_000
"""Rows that the check for finite values takes at a time, so that it needs little memory."""

WARM_UP = 64
"""Examples of an untimed call before the clock starts."""

TIMED = 5
"""Times of the training part at most, where one takes less than a second."""


def featurize(
    dataset: str, name: str, feature_set: FeatureSet, config: dict[str, Any], layout: Layout, *, jobs: int
) -> None:
    """Fit a feature set on each training part and write both parts' features; test labels are not read.

    Args:
        dataset: a prepared data set.
        name: of the feature set, as in `conf/features/<name>.yaml`.
        feature_set: not yet fitted.
        config: from which the feature set was built, kept with it.
        layout: where everything lies.
        jobs: processes; -1 is one a core.

    Raises:
        CrossoverError: the data set is not prepared, or a feature is not finite.
    """
    prepared = Prepared(layout.prepared(dataset))
    modality = prepared.meta.modality
    with atomic_folder(layout.features(dataset, name)) as folder:
        if modality in feature_set.modalities:
            train = prepared.train()
            few = train.take(np.arange(min(len(train), WARM_UP)))
            copy.deepcopy(feature_set).fit(few).transform(few.X)  # imports what is imported at the first call
            times: list[float] = []
            while not times or (sum(times) < 1 and len(times) < TIMED):
                start = perf_counter()
                X_train = feature_set.fit(train).transform(train.X, jobs=jobs, progress=not times)
                versions = versions_of(feature_set, train.X, jobs=jobs)
                times.append(perf_counter() - start)
            X_test = feature_set.transform(prepared.inputs("test"), jobs=jobs, progress=True)
            names, n_features, learns = feature_set.names(), X_train.shape[1], feature_set.learns
            write_json(folder / "cost.json", asdict(FeatureCosts(median(times), len(train))))
            first: dict[PartName, np.ndarray] = {"train": X_train, "test": X_test}
            for k in range(prepared.meta.splits):
                split = Prepared(prepared.folder, k)
                if k and (learns or versions is not None or not np.isin(_rows(split), _rows(prepared)).all()):
                    feature_set.fit(split.train())
                    versions = versions_of(feature_set, split.inputs("train"), jobs=jobs)
                    made = {part: feature_set.transform(split.inputs(part), jobs=jobs) for part in PARTS}
                elif k:  # the same examples, dealt out anew
                    made = _dealt_out(first, prepared, split)
                else:
                    made = first
                for part, X in made.items():
                    _refuse_infinite(X, feature_set.names(), f"{dataset}/{name}, {part} part")
                    place = folder / part / str(k)
                    place.mkdir(parents=True)
                    write_matrix(place, X)
                if versions is not None:
                    np.save(folder / "train" / str(k) / "V.npy", np.ascontiguousarray(versions, np.float32))
                fitted = folder / "featurizer" / str(k)
                fitted.mkdir(parents=True)
                feature_set.save(fitted)
                save_config(fitted, config)
            meta = FeatureMeta(
                dataset, name, True, "", n_features, names, learns, feature_set.n_codes, config
            )
        else:
            takes = " and ".join(f"{kind}s" for kind in sorted(feature_set.modalities))
            an = {"image": "a set of images", "table": "a table", "text": "a set of texts"}[modality]
            meta = FeatureMeta(dataset, name, False, f"{name} describes {takes}, {dataset} is {an}", 0, [])
        write_json(folder / "train" / "meta.json", asdict(meta))
    log.info("%s/%s: %s", dataset, name, f"{meta.n_features} features" if meta.applicable else meta.reason)


def _dealt_out(
    first: dict[PartName, np.ndarray], prepared: Prepared, split: Prepared
) -> dict[PartName, np.ndarray]:
    """Both parts of a split from those of the first one, given features that depend on their own example alone."""
    rows, everything = _rows(prepared), np.concatenate([first[part] for part in PARTS])
    order = np.argsort(rows)
    return {part: everything[order[np.searchsorted(rows[order], split.rows(part))]] for part in PARTS}


def _rows(prepared: Prepared) -> np.ndarray:
    """Of both parts: which examples of the raw files they are. A split with groups may leave some out."""
    return np.concatenate([prepared.rows(part) for part in PARTS])


def _refuse_infinite(X: np.ndarray, names: list[str], where: str) -> None:
    if not isinstance(X, np.ndarray):  # sparse: what is not stored is 0
        X = X.data[:, None]
    for start in range(0, len(X), ROWS):
        bad = np.argwhere(~np.isfinite(X[start : start + ROWS]))
        if len(bad):
            row, column = start + bad[0][0], bad[0][1]
            raise CrossoverError(
                f"every feature must be finite, got {X[row, column]} in row {row} of "
                f"{column_name(names, column)} ({where}); fix the feature set's code or the data"
            )


def column_name(names: list[str], column: int) -> str:
    """The name of a column, or of the block "hog (576)" that it lies in, given the names of a feature set."""
    for name in names:
        block = re.fullmatch(r"(.*) \((\d+)\)", name)
        width = int(block[2]) if block else 1
        if column < width:
            return f"{block[1]}, column {column} of {width}" if block and width > 1 else name
        column -= width
    raise IndexError(column)


def run(config: DictConfig) -> None:
    """Make the feature set of `conf/featurize.yaml`; see `featurize`."""
    job.check_keys(config, "dataset", "features", "jobs")
    featurize(
        config.dataset.name,
        job.choice("features"),
        build(config.features, job.origin("features"), FeatureSet),
        plain(config.features),
        job.layout(config),
        jobs=config.jobs,
    )
