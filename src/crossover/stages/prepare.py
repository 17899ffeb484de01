"""Stage prepare: raw files to `data/prepared/<dataset>/`, in the form that `crossover.data.prepared` describes."""

from omegaconf import DictConfig

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, checksum
from crossover.core.layout import Layout
from crossover.data.checks import check
from crossover.data.prepared import Meta, write_prepared
from crossover.data.source import DataSource
from crossover.data.splits import Protocol
from crossover.data.statistics import statistics
from crossover.launching import job


def prepare(source: DataSource, protocol: Protocol, layout: Layout) -> None:
    """Turn a data set's raw files into arrays or tables, splits and training statistics.

    The publisher's test part is kept as it is; where there is none, the protocol draws one.

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
        rows = protocol.test_rows(raw.train.y)
        train, test = raw.train.without(rows), raw.train.take(rows)
        split = f"stratified, {protocol.test_fraction:g} of the examples, split_seed {protocol.split_seed}"
    else:
        train, test, split = raw.train, raw.test, "the publisher's"
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


def run(config: DictConfig) -> None:
    """Prepare the data set of `conf/prepare.yaml`; see `prepare`."""
    job.check_keys(config, "dataset", "protocol")
    source = build(config.dataset, job.origin("dataset"))
    prepare(source, build(config.protocol, job.origin("protocol")), job.layout(config))
