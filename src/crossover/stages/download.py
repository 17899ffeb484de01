"""Stage download: a data set's published files to `data/raw/<dataset>/`."""

import shutil

from omegaconf import DictConfig

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, discard
from crossover.core.layout import Layout
from crossover.data.source import DataSource
from crossover.launching import job


def download(source: DataSource, layout: Layout) -> None:
    """Fetch a data set's files; finished ones outlast a kill in `layout.staging`, for the next call.

    Raises:
        CrossoverError: a file cannot be fetched, its checksum is wrong, or the place cannot be written.
    """
    staging, raw = layout.staging / "download" / source.name, layout.raw(source.name)
    try:
        if raw.is_dir() and not staging.exists():
            shutil.copytree(raw, staging)  # files of an earlier download with the right checksums are kept
        staging.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CrossoverError(
            f"cannot write {staging}: {error.strerror or error}; make the place writable or free some space"
        ) from error
    files = source.download(staging)
    with atomic_folder(raw) as folder:
        for file in files:  # and nothing else: a killed download leaves temporary files next to them
            if file.parent != staging:  # a source of its own may name the user's file
                raise CrossoverError(f"{source.origin} must put its files into {staging}, got {file}")
            file.rename(folder / file.name)
    discard(staging)


def run(config: DictConfig) -> None:
    """Download the data set of `conf/download.yaml`; see `download`."""
    job.check_keys(config, "dataset")
    download(build(config.dataset, job.origin("dataset"), DataSource), job.layout(config))
