"""What a folder of images of the user's is taken for: its classes, its parts, and the size of the images."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossover.command.description import Decision, Description, Options, limit_and_split
from crossover.core.errors import CrossoverError
from crossover.data.image_folder import ENDINGS, PARTS, checksum_of, images_of

LARGEST = 32
"""Pixels along the longer side, unless the command line says more: twice as many take a network four times as long."""

LEAST = 8

LOOKED_AT = 2000
"""Images by which sizes and colours are found."""


def describe_images(path: Path, options: Options, kept: str) -> Description:
    """Look at a folder of images and decide what it is.

    Args:
        path: of the folder.
        options: of the command line.
        kept: the path of the folder that the YAML will name.

    Raises:
        CrossoverError: there are no images, one class alone, or an image that cannot be read, or an option needs a
            table.
    """
    decisions: list[Decision] = []
    has_parts = all((path / part).is_dir() for part in PARTS)
    if options.time is not None or options.groups not in (None, "auto"):
        option = f"--groups {options.groups}" if options.time is None else f"--time {options.time}"
        raise CrossoverError(
            f"a folder of images has no columns, got {option}; leave it out, or take --groups auto, which keeps equal "
            "images in one part"
        )
    if has_parts and options.test_fraction is not None:
        raise CrossoverError(
            f"--test must be left out where a folder has train/ and test/, got {options.test_fraction:g}"
        )
    top = path / "train" if has_parts else path
    classes = [name for name in _folders(top) if any(images_of(top, [name]))]
    if len(classes) < 2:
        got = f"{classes[0]!r} alone" if classes else "none"
        raise CrossoverError(
            f"{top} must have a folder of images for each of at least two classes, got {got}; images end in "
            f"{', '.join(sorted(ENDINGS))}"
        )
    files = {part: list(images_of(path / part, classes)) for part in (PARTS if has_parts else (".",))}
    counts = Counter(classes[label] for _, label in files["train" if has_parts else "."])
    shown = ", ".join(f"{name} ({counts[name]:,})" for name in classes[:10]) + (
        ", …" if len(classes) > 10 else ""
    )
    decisions.append(Decision("classes", shown, f"the folders below {top}, and how many images each has"))
    if has_parts:
        others = [name for name in _folders(path / "test") if name not in classes]
        if others:
            raise CrossoverError(
                f"{path / 'test'} must have the classes of {top}, got another one, {others[0]!r}; rename it"
            )
        reason = f"the folders train/ and test/ ({len(files['test']):,} images)"
        decisions.append(Decision("test part", "test/", reason))
    every = [(file.relative_to(path).as_posix(), file) for found in files.values() for file, _ in found]
    return _described(every, classes, counts, options, kept, decisions, has_parts)


def describe_listed_images(
    path: Path, listed: pd.DataFrame, options: Options, kept: str, decisions: list[Decision]
) -> Description:
    """Look at images that a table names and decide what they are; they become a folder of images.

    Args:
        path: of the table.
        listed: files, by their paths from where the table lies, and labels, in this order.
        options: of the command line.
        kept: the path of the folder that the YAML will name.
        decisions: what was decided about the table.

    Raises:
        CrossoverError: a file is missing or is no image, a label cannot name a folder, or an option needs a table.
    """
    for option in ("text", "time", "test"):
        if getattr(options, option) is not None:
            raise CrossoverError(
                f"--{option} must be left out where a table names images, got {getattr(options, option)}"
            )
    if options.groups not in (None, "auto"):
        raise CrossoverError(f"--groups must be auto where a table names images, got {options.groups!r}")
    files, labels = (listed.iloc[:, k].astype(str).str.strip() for k in (0, 1))
    for label in sorted(set(labels)):
        if not label or label.startswith(".") or "/" in label or "\0" in label:
            raise CrossoverError(
                f"a label of {path} must be fit for the name of a folder, got {label!r}; change it"
            )
    for number, name in enumerate(files, start=1):
        if not (path.parent / name).is_file():
            raise CrossoverError(
                f"{path} must name files from its own folder on, got {name!r} in row {number}, which is not there; put "
                "it there, or take the row out"
            )
    counts = Counter(labels)
    classes = sorted(counts)
    decisions.append(
        Decision("images", f"{len(files):,} files of column {listed.columns[0]}", "they are there")
    )
    every = [
        (f"{name}/{number:07d}-{Path(file).name}", path.parent / file)
        for name in classes
        for number, (file, label) in enumerate(zip(files, labels, strict=True))
        if label == name
    ]
    found = _described(every, classes, counts, options, kept, decisions, has_parts=False)
    found.copies = dict(every)
    return found


def image_column(path: Path, table: pd.DataFrame, target: str) -> str | None:
    """The column of a table whose values are paths of images from where the table lies; None without one."""
    for name in table.columns.drop(target):
        known = table[name].dropna().astype(str).str.strip().head(LOOKED_AT)
        images = [Path(value).suffix.lower() in ENDINGS for value in known]
        if images and all(images) and any((path.parent / value).is_file() for value in known):
            return str(name)
    return None


def _described(
    files: list[tuple[str, Path]],
    classes: list[str],
    counts: Counter[str],
    options: Options,
    kept: str,
    decisions: list[Decision],
    has_parts: bool,
) -> Description:
    """Sizes, colours and what follows from them; `files` are paths below the folder, and where each lies."""
    sizes, colours = _look([file for _, file in files])
    height, width, reason = _size(sizes, options.size)
    decisions.append(Decision("size", f"{height} by {width} pixels", reason, "--size allows a longer side"))
    channels = 3 if colours else 1
    why = f"{colours:,} of {len(sizes):,} images have colours" if colours else "no image has colours"
    decisions.append(
        Decision("colours", "red, green, blue" if colours else "grey", why, "channels in the YAML")
    )
    yaml: dict[str, Any] = {
        "_target_": "crossover.data.image_folder.ImageFolder",
        "name": options.name,
        "path": kept,
        "sha256": checksum_of(files),
        "classes": classes,
        "height": height,
        "width": width,
        "channels": channels,
        "parts": has_parts,
    }
    n_train = limit_and_split(yaml, options, sum(counts.values()), "images", decisions)
    every_class = [max(1, round(n_train * counts[name] / sum(counts.values()))) for name in classes]
    pixels = height * width * channels
    found = Description(yaml, "image", n_train, pixels, len(classes), has_parts, every_class, decisions)
    found.channels = channels
    return found


def _folders(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))


def _look(files: list[Path]) -> tuple[np.ndarray, int]:
    """Sizes int (n, 2) of height and width, and how many images have colours, of some of the images."""
    from PIL import Image, UnidentifiedImageError

    sizes, colours = [], 0
    for path in files[:: max(1, len(files) // LOOKED_AT)]:
        try:
            with Image.open(path) as image:
                sizes.append((image.height, image.width))
                colours += image.mode not in ("1", "L", "LA", "I", "I;16", "F")
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise CrossoverError(
                f"{path} must be an image, got a file that cannot be read; remove it or replace it"
            ) from error
    return np.array(sizes), colours


def _size(sizes: np.ndarray, most: int | None) -> tuple[int, int, str]:
    """One height and width for all images: the median, or where that is too large, scaled down."""
    same = len(np.unique(sizes, axis=0)) == 1
    height, width = (int(side) for side in np.median(sizes, axis=0))
    found = (
        f"all have {height} by {width}"
        if same
        else f"they have {_span(sizes)}, and {height} by {width} in the median"
    )
    longest = most or LARGEST
    if max(height, width) > longest:
        height, width = (max(LEAST, round(side * longest / max(height, width))) for side in (height, width))
        why = "--size" if most else "what a processor trains in a short time"
        found += f"; {longest} pixels are {why}"
    return height, width, found


def _span(sizes: np.ndarray) -> str:
    low, high = sizes[sizes.prod(axis=1).argmin()], sizes[sizes.prod(axis=1).argmax()]
    return f"{low[0]} by {low[1]} to {high[0]} by {high[1]}"
