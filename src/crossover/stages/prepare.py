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
from crossover.data.source import DataSource, RawData
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
    raw, protocol = source.load(folder), protocol.with_test_fraction(source.test_fraction, source.origin)
    for part in [raw.train] if raw.test is None else [raw.train, raw.test]:
        check(part, source)
    overlap = None
    if raw.test is None:
        everything, splits = raw.train, protocol.splits(raw.train.y, raw.groups, raw.times)
        parts = ((everything.take(split.train), everything.take(split.test)) for split in splits)
        if len(splits) > 1:
            overlap = _overlap(splits, protocol, raw)
    else:
        train, test = (np.arange(len(part)) for part in (raw.train, raw.test))
        validation = protocol.validation_rows(raw.train.y, groups=raw.groups, times=raw.times)
        splits = [Split(train, test, validation)]
        parts = (both for both in [(raw.train, raw.test)])
    first = next(parts)
    meta = Meta(
        dataset=source.name,
        modality=source.modality,
        classes=raw.classes,
        input_shape=list(first[0].X.shape[1:]),
        value_max=first[0].value_max,
        n_train=len(first[0]),
        n_test=len(first[1]),
        split=_in_words(splits, protocol, raw),
        checksum=checksum(files),
        splits=len(splits),
        test_overlap=overlap,
        metric=source.metric,
    )
    with atomic_folder(layout.prepared(source.name)) as fresh:
        whole = chain([first], parts)
        write_prepared(fresh, meta, statistics(first[0]), whole, splits, raw.groups, raw.times)


def _overlap(splits: list[Split], protocol: Protocol, raw: RawData) -> float:
    """Share of its test examples that a test part has in common with another one, on average."""
    n = len(raw.train)
    if raw.groups is None:
        return len(splits[0].test) / (n * (1 - protocol.never_tested))
    # With all rows of the groups that are tested, those that were left out of a part included.
    held_out = np.ones((len(splits), n))
    for k, split in enumerate(splits):
        held_out[k, split.train] = 0
    common = held_out @ held_out.T
    pairs = np.triu_indices(len(splits), 1)
    return float(common[pairs].mean() / np.diag(common).mean())


def _in_words(splits: list[Split], protocol: Protocol, raw: RawData) -> str:
    """How the test part was chosen, and what the validation rows have in common with it."""
    groups = "" if raw.groups is None else f"; {len(np.unique(raw.groups)):,} groups stay together"
    if raw.test is not None:
        by = "" if raw.times is None else "; validation rows are the latest of the training part"
        return f"the publisher's{by}{groups}"
    if raw.times is not None:
        return (
            f"the latest examples, about {protocol.test_fraction:g} of all, as the only test part; validation rows are "
            f"the latest of the training part{groups}"
        )
    return (
        f"{len(splits)} stratified draws of {protocol.test_fraction:g} of the examples, one a repetition, "
        f"split_seed {protocol.split_seed}; {protocol.never_tested:g} of the examples, from which validation "
        f"rows are drawn, are in none of them{groups}"
    )


def run(config: DictConfig) -> None:
    """Prepare the data set of `conf/prepare.yaml`; see `prepare`."""
    job.check_keys(config, "dataset", "protocol")
    source = build(config.dataset, job.origin("dataset"), DataSource)
    prepare(source, build(config.protocol, job.origin("protocol"), Protocol), job.layout(config))
