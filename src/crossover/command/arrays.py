"""What an archive of NumPy arrays of the user's is taken for."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pooch

from crossover.command.description import NO_REGRESSION, Decision, Description, Options, limit_and_split
from crossover.core.errors import CrossoverError
from crossover.data.own_arrays import labels_of, read_arrays
from crossover.data.prepared import Modality

MOST_CLASSES = 100


def describe_arrays(path: Path, options: Options, kept: str) -> Description:
    """Look at an archive and decide what it is.

    Args:
        path: of the file.
        options: of the command line.
        kept: the path of the file that the YAML will name.

    Raises:
        CrossoverError: its arrays are no examples with labels, or an option needs a table.
    """
    for option in ("target", "text", "time", "separator", "test", "size"):
        if getattr(options, option) is not None:
            raise CrossoverError(f"an archive of arrays has no columns, got --{option}; leave it out")
    if options.drop or options.groups not in (None, "auto"):
        raise CrossoverError(
            "an archive of arrays has no columns; leave --drop and --groups out, or take --groups auto"
        )
    decisions: list[Decision] = []
    arrays = read_arrays(path)
    X = arrays["X"]
    modality, shown = _modality(path, X)
    decisions.append(
        Decision("examples", f"{len(X):,} {shown}", f"X has the shape {X.shape} and the type {X.dtype}")
    )
    labels = labels_of(arrays["y"])
    if missing := int(np.isin(labels, ["", "nan"]).sum()):
        raise CrossoverError(
            f"each example must have a label, got {missing:,} in y of {path} without one; leave them out"
        )
    counts = Counter(labels)
    numeric = arrays["y"].dtype.kind in "iuf"
    if not 2 <= len(counts) <= MOST_CLASSES:
        raise CrossoverError(
            f"y must have between 2 and {MOST_CLASSES} classes, got {len(counts):,} different values in {path}; "
            f"{NO_REGRESSION}"
        )
    classes = sorted(counts, key=float) if numeric else sorted(counts)
    rest = ", …" if len(classes) > 10 else ""
    named = ", ".join(f"{label} ({counts[label]:,})" for label in classes[:10]) + rest
    decisions.append(Decision("classes", named, "the values of y, and how often each is there"))
    yaml: dict[str, Any] = {
        "_target_": "crossover.data.own_arrays.OwnArrays",
        "name": options.name,
        "train": {
            "_target_": "crossover.data.own_table.OwnFile",
            "path": kept,
            "md5": pooch.file_hash(path, alg="md5"),
        },
        "modality": modality,
        "classes": classes,
    }
    has_test = "X_test" in arrays
    if has_test:
        if options.test_fraction is not None:
            raise CrossoverError(
                f"--test must be left out where there is X_test, got {options.test_fraction:g}"
            )
        decisions.append(
            Decision("test part", f"X_test, {len(arrays['y_test']):,} examples", "the archive has it")
        )
    n_train = limit_and_split(yaml, options, len(X), "examples", decisions)
    width = (
        max(1, round(float(np.mean([len(text.split()) for text in X.tolist()])))) if modality == "text" else 0
    )
    every = [max(1, round(n_train * counts[label] / len(labels))) for label in classes]
    n_columns = width or int(np.prod(X.shape[1:]))
    found = Description(yaml, modality, n_train, n_columns, len(classes), has_test, every, decisions)
    found.channels = X.shape[3] if X.ndim == 4 else 1
    return found


def _modality(path: Path, X: np.ndarray) -> tuple[Modality, str]:
    """What the examples are, and in words."""
    if X.ndim == 1 and X.dtype.kind == "U":
        return "text", "texts"
    if X.ndim == 2 and X.dtype.kind in "iufb":
        if X.dtype.kind == "f" and np.isinf(X).any():
            raise CrossoverError(
                f"a number must be finite or missing, got infinity in X of {path}; replace it"
            )
        return "table", f"rows of {X.shape[1]} numbers"
    if X.dtype == np.uint8 and (X.ndim == 3 or (X.ndim == 4 and X.shape[3] in (1, 3))):
        return "image", f"images of {X.shape[1]} by {X.shape[2]} pixels"
    raise CrossoverError(
        "X must hold images uint8 (n, height, width) or (n, height, width, 1 or 3), numbers (n, columns) or texts "
        f"(n,), got {X.dtype} {X.shape} in {path}; change its type or its shape"
    )
