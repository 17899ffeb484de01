"""Stage prepare: raw files to `data/prepared/<dataset>/`, in the form that `crossover.data.prepared` describes."""

from itertools import chain

import numpy as np
from omegaconf import DictConfig

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, checksum
from crossover.core.layout import Layout
from crossover.data.checks import check
from crossover.data.prepared import Meta, write_prepared
from crossover.data.source import DataSource
from crossover.data.splits import Protocol, Split
from crossover.data.statistics import statistics
from crossover.launching import job


def prepare(source: DataSource, protocol: Protocol, layout: Layout) -> None:
    """Turn a data set's raw files into arrays or tables, splits and training statistics.

    The publisher's test part is kept as it is; where there is none, the protocol draws several.

    Raises:
        CrossoverError: the raw files are missing or broken, or the data cannot be learned from.
    """
    folder = layout.raw(source.name)
    files = [path for path in folder.glob("*") if not path.name.startswith(".")]
    if not files:
        raise CrossoverError(f"{folder} does not exist or is empty; make it with `{source.made_by}`")
    raw = source.load(folder)
    for part in [raw.train] if raw.test is None else [raw.train, raw.test]:
        check(part, source)
    if raw.test is None:
        everything, splits = raw.train, protocol.splits(raw.train.y)
        n_test, tested = len(splits[0].test), len(everything) * (1 - protocol.never_tested)
        parts = ((everything.take(split.train), everything.take(split.test)) for split in splits)
        split = (
            f"{len(splits)} stratified draws of {protocol.test_fraction:g} of the examples, one a repetition, "
            f"split_seed {protocol.split_seed}; {protocol.never_tested:g} of the examples, from which validation "
            "rows are drawn, are in none of them"
        )
        overlap = n_test / tested if len(splits) > 1 else None
    else:
        train, test = (np.arange(len(part)) for part in (raw.train, raw.test))
        splits = [Split(train, test, protocol.validation_rows(raw.train.y))]
        parts = (both for both in [(raw.train, raw.test)])
        split, overlap = "the publisher's", None
    first = next(parts)
    meta = Meta(
        dataset=source.name,
        modality=source.modality,
        classes=raw.classes,
        input_shape=list(first[0].X.shape[1:]),
        value_max=first[0].value_max,
        n_train=len(first[0]),
        n_test=len(first[1]),
        split=split,
        checksum=checksum(files),
        splits=len(splits),
        test_overlap=overlap,
        metric=source.metric,
    )
    with atomic_folder(layout.prepared(source.name)) as fresh:
        write_prepared(fresh, meta, statistics(first[0]), chain([first], parts), splits)


def run(config: DictConfig) -> None:
    """Prepare the data set of `conf/prepare.yaml`; see `prepare`."""
    job.check_keys(config, "dataset", "protocol")
    source = build(config.dataset, job.origin("dataset"), DataSource)
    prepare(source, build(config.protocol, job.origin("protocol"), Protocol), job.layout(config))
