"""Images of the user's own: a folder with a sub-folder a class, or `train/` and `test/` with these below them.

`crossover study` writes the YAML of such a data set; each key can be changed by hand.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt
from tqdm import tqdm

from crossover.core.errors import CrossoverError, first_line
from crossover.core.files import read_array, write_csv
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import AllDifferent, Name, checked
from crossover.data.prepared import Part, keys_of
from crossover.data.source import DataSource, RawData
from crossover.data.splits import Fraction, subset_rows

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
"""Of the files that are taken for images, in small letters."""

PARTS = ("train", "test")
MODES = {1: "L", 3: "RGB"}
"""Pillow's name of images with so many channels."""


class ImageFolder(DataSource):
    """Images in folders named after their classes, brought to one size and one number of channels.

    An image is scaled until it covers the size, and what stands over on the longer side is cut off on both ends.
    """

    modality = "image"

    @checked
    def __init__(
        self,
        *,
        name: Name,
        path: str,
        sha256: str,
        classes: Annotated[Sequence[str], AllDifferent, Field(min_length=2)],
        height: PositiveInt,
        width: PositiveInt,
        channels: Literal[1, 3],
        parts: bool = False,
        sample: PositiveInt | None = None,
        groups: Literal["auto"] | None = None,
        test_fraction: Fraction | None = None,
        caveat: str = "",
        metric: Metric = ACCURACY,
    ) -> None:
        """Describe a folder of images.

        Args:
            name: of the data set.
            path: of the folder, from the project's root where it is relative.
            sha256: checksum over the names and contents of its images, see `checksum_of`.
            classes: names of the sub-folders.
            height: that every image is brought to, in pixels.
            width: likewise.
            channels: 1 for grey images, 3 for colours.
            parts: whether the classes' folders lie below `train/` and `test/`.
            sample: so many images of a training part that has more, drawn with each class's share; None is all.
            groups: "auto" keeps images of equal pixels in one part; None lets each stand for itself.
            test_fraction: share of the images that are tested, without parts; None for that of the protocol.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        self.path, self.sha256, self.classes = Path(path), sha256, list(classes)
        self.size, self.channels = (height, width), channels
        self.parts, self.sample = PARTS if parts else (".",), sample
        self.groups, self.test_fraction = groups, test_fraction

    def download(self, folder: Path) -> list[Path]:
        """Decode the images once: an array, labels and file names for each part."""
        if not self.path.is_dir():
            raise CrossoverError(
                f"the folder {self.path} of the data set {self.name} does not exist; put it there, or name its place "
                f"in {self.origin}"
            )
        files = {part: list(images_of(self.path / part, self.classes)) for part in self.parts}
        every = [path for found in files.values() for path, _ in found]
        got = checksum_of((path.relative_to(self.path).as_posix(), path) for path in every)
        if got != self.sha256:
            raise CrossoverError(
                f"{self.path} has changed since the data set {self.name} was described: its SHA-256 must be "
                f"{self.sha256}, got {got}; describe it anew with `crossover study {self.path} --name {self.name}`"
            )
        made = []
        for part, found in files.items():
            prefix = "images" if part == "." else part
            X = np.empty((len(found), *self.size, self.channels), np.uint8)
            for k, (path, _) in enumerate(
                tqdm(found, desc=f"decode {self.name}", unit=" images", disable=None)
            ):
                X[k] = decoded(path, self.size, self.channels)
            np.save(folder / f"{prefix}.npy", X)
            labels = [self.classes[label] for _, label in found]
            names = [path.relative_to(self.path).as_posix() for path, _ in found]
            write_csv(pd.DataFrame({"file": names, "label": labels}), folder / f"{prefix}.csv")
            np.save(folder / f"{prefix}-labels.npy", np.array([label for _, label in found], np.int64))
            made += [folder / f"{prefix}{end}" for end in (".npy", ".csv", "-labels.npy")]
        return made

    def load(self, folder: Path) -> RawData:
        prefixes = ["images"] if self.parts == (".",) else list(PARTS)
        parts = []
        for prefix in prefixes:
            X = read_array(folder / f"{prefix}.npy", self.made_by)
            y = read_array(folder / f"{prefix}-labels.npy", self.made_by)
            parts.append(Part(X, y, len(self.classes), 255.0))
        if self.sample is not None and self.sample < len(parts[0]):
            parts[0] = parts[0].take(subset_rows(parts[0].y, self.sample, seed=0))
        groups = None if self.groups is None else keys_of(parts[0].X)
        return RawData(parts[0], parts[1] if len(parts) == 2 else None, self.classes, groups)


def images_of(folder: Path, classes: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """The images below the folders of the classes, in the order of their paths, each with its class's number.

    Links to folders are not followed, so that a circle of them ends. Hidden files are left out.
    """
    for label, name in enumerate(classes):
        paths = (path for path in (folder / name).rglob("*") if path.suffix.lower() in ENDINGS)
        yield from (
            (path, label)
            for path in sorted(paths)
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )


def checksum_of(files: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 over the paths that files have below their folder, and over their contents, in the order given."""
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def decoded(path: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    """An image as uint8 (height, width, channels), scaled to cover the size and cut at both ends of the longer side.

    Raises:
        CrossoverError: the file is no image that Pillow reads.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("P", "LA", "PA", "RGBA"):  # what is transparent becomes white
                with_alpha = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", with_alpha.size, "white"), with_alpha)
            plain = upright.convert(MODES[channels])
            if plain.size != (size[1], size[0]):
                plain = ImageOps.fit(plain, (size[1], size[0]), Image.Resampling.LANCZOS)
            return np.asarray(plain, np.uint8).reshape(*size, channels)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CrossoverError(
            f"{path} must be an image, got a file that cannot be read ({first_line(error)}); remove it or replace it"
        ) from error
