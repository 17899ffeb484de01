"""Stage prepare: raw files to `data/prepared/<dataset>/`.

`statistics.json` describes the training part alone, validation rows included:

    class_counts   examples of each class, in the order of the classes
    mean, std      images: of value / value_max, one number a channel
    numeric        tables: {column: {mean, std, median, missing}}; null where every value is missing
    categorical    tables: {column: {counts: {category: n}, missing}}

`std` is the population's (the sum of squares is divided by n); `missing` counts null values.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import DictConfig

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, checksum
from crossover.core.layout import Layout
from crossover.data.prepared import Input, Meta, Part, write_prepared
from crossover.data.source import DataSource, RawData
from crossover.data.splits import Protocol
from crossover.launching import job


def prepare(source: DataSource, protocol: Protocol, layout: Layout) -> None:
    """Turn a data set's raw files into arrays or tables, splits and training statistics.

    The publisher's test part is kept as it is; where there is none, the protocol draws one.

    Raises:
        CrossoverError: the raw files are missing or broken, or the data cannot be learned from.
    """
    folder = layout.raw(source.name)
    files = _raw_files(source, folder)
    raw = source.load(folder)
    for part in [raw.train] if raw.test is None else [raw.train, raw.test]:
        check(part, source)
    train, test, split = _split(raw, protocol)
    meta = Meta(
        dataset=source.name,
        modality=source.modality,
        classes=raw.classes,
        input_shape=list(train.X.shape[1:]),
        value_max=train.value_max,
        n_train=len(train),
        n_test=len(test),
        split=split,
        checksum=checksum(files),
    )
    validation = protocol.validation_rows(train.y)
    with atomic_folder(layout.prepared(source.name)) as fresh:
        write_prepared(fresh, meta, statistics(train), train, test, validation)


def check(part: Part, source: DataSource) -> None:
    """Refuse examples that break the contract of `crossover.data.prepared`.

    Raises:
        CrossoverError: a part is empty, labels are not whole numbers below the number of classes or are of a
            single class, a pixel lies above its largest value, or a number is infinite.
    """
    if len(part.X) == 0 or len(part.X) != len(part.y):
        raise _unfit(source, f"as many labels as examples, at least one, got {len(part.y)} and {len(part.X)}")
    if part.y.dtype != np.int64:  # labels with NaN are floats
        raise _unfit(source, f"a whole number as label of each example, got {_first_odd(part.y)}")
    if (outside := (part.y < 0) | (part.y >= part.n_classes)).any():
        raise _unfit(source, f"labels from 0 to {part.n_classes - 1}, got {part.y[outside][0]}")
    if len(np.unique(part.y)) < 2:
        raise _unfit(source, f"at least two classes in each part, got label {part.y[0]} alone")
    (_check_table if isinstance(part.X, pd.DataFrame) else _check_images)(part, source)


def statistics(train: Part) -> dict[str, Any]:
    """Statistics of a training part, as the module's docstring lists them."""
    counts = np.bincount(train.y, minlength=train.n_classes).tolist()
    describe = _table_statistics(train.X) if isinstance(train.X, pd.DataFrame) else _image_statistics(train)
    return {"class_counts": counts, **describe}


def _raw_files(source: DataSource, folder: Path) -> list[Path]:
    files = [path for path in folder.glob("*") if not path.name.startswith(".")]
    if not files:
        raise CrossoverError(f"{folder} does not exist or is empty; make it with `{source.made_by}`")
    return files


def _split(raw: RawData, protocol: Protocol) -> tuple[Part, Part, str]:
    """The training part, the test part, and how they came about."""
    if raw.test is not None:
        return raw.train, raw.test, "the publisher's"
    rows = protocol.test_rows(raw.train.y)
    how = f"stratified, {protocol.test_fraction:g} of the examples, split_seed {protocol.split_seed}"
    return raw.train.without(rows), raw.train.take(rows), how


def _unfit(source: DataSource, rule: str) -> CrossoverError:
    return CrossoverError(
        f"the data set {source.name} must have {rule}; check {source.origin} and its raw files"
    )


def _first_odd(y: np.ndarray) -> str:
    """The first label that is no whole number, else the labels' type."""
    odd = [value for value in y.tolist() if not float(value).is_integer()] if y.dtype.kind == "f" else []
    return str(odd[0]) if odd else f"type {y.dtype}"


def _check_images(part: Part, source: DataSource) -> None:
    X: Any = part.X
    if X.dtype != np.uint8 or X.ndim != 4:
        raise _unfit(source, f"images uint8 (n, height, width, channels), got {X.dtype} {X.shape}")
    if X.max() > part.value_max:
        raise _unfit(source, f"no pixel above value_max {part.value_max:g}, got {X.max()}")


def _check_table(part: Part, source: DataSource) -> None:
    numbers = part.X.select_dtypes("number")  # type: ignore[union-attr]
    if infinite := [name for name in numbers if np.isinf(numbers[name]).any()]:
        raise _unfit(source, f"finite numbers, got an infinite one in {', '.join(map(str, infinite))}")


def _image_statistics(train: Part) -> dict[str, Any]:
    """Mean and deviation a channel, from exact counts of the 256 values: no float copy of the images."""
    X: Any = train.X
    scale = np.arange(256) / train.value_max
    shares = [np.bincount(X[..., c].ravel(), minlength=256) / X[..., c].size for c in range(X.shape[3])]
    means = [float(share @ scale) for share in shares]
    deviations = [float(np.sqrt(share @ (scale - m) ** 2)) for share, m in zip(shares, means, strict=True)]
    return {"mean": means, "std": deviations}


def _table_statistics(X: Input) -> dict[str, Any]:
    assert isinstance(X, pd.DataFrame)
    numeric = X.select_dtypes("number").columns
    return {
        "numeric": {name: _describe_numbers(X[name]) for name in numeric},
        "categorical": {name: _describe_categories(X[name]) for name in X.columns.difference(numeric)},
    }


def _describe_numbers(column: pd.Series) -> dict[str, float | int | None]:
    described = {"mean": column.mean(), "std": column.std(ddof=0), "median": column.median()}
    values = {key: None if np.isnan(value) else float(value) for key, value in described.items()}
    return {**values, "missing": int(column.isna().sum())}


def _describe_categories(column: pd.Series) -> dict[str, Any]:
    counts = {str(category): int(n) for category, n in column.value_counts().items()}
    return {"counts": counts, "missing": int(column.isna().sum())}


def run(config: DictConfig) -> None:
    """Prepare the data set of `conf/prepare.yaml`; see `prepare`."""
    job.check_keys(config, "dataset", "protocol")
    source = build(config.dataset, job.origin("dataset"))
    prepare(source, build(config.protocol, job.origin("protocol")), job.layout(config))
