"""A prepared data set with one split, as a publisher's."""

from pathlib import Path

import numpy as np

from crossover.data.prepared import Meta, Part, write_prepared
from crossover.data.splits import Split


def write_one_split(folder: Path, meta: Meta, train: Part, test: Part, validation: np.ndarray) -> None:
    """Write it; `validation` are the rows of each repetition, int64 (repetitions, n_validation)."""
    folder.mkdir(parents=True, exist_ok=True)
    split = Split(np.arange(len(train)), np.arange(len(test)), validation)
    write_prepared(folder, meta, {}, [(train, test)], [split])
