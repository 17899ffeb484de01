"""What the checks of a data set found, and how they are configured."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from crossover.core.files import read_array, read_json, write_json
from crossover.core.layout import Layout
from crossover.core.settings import Settings


class Check(Settings):
    """One check: `conf/audit/`.

    Attributes:
        title: what it finds.
        threshold: from which value on it is told, that value left out.
        voids: likewise, from which on a comparison would say little; None for never.
        side: of the two, "above" or "below".
        why: it matters.
        do: what to do.
    """

    title: str
    threshold: Annotated[float | int, Field(ge=0)]
    voids: float | int | None
    why: str
    do: str
    side: Literal["above", "below"] = "above"

    def beyond(self, value: float, limit: float | None) -> bool:
        """Whether a value lies on the side of `threshold` or `voids` that counts; never, where that is None."""
        return limit is not None and (value < limit if self.side == "below" else value > limit)


class Checks(Settings):
    """All checks.

    Attributes:
        checks: by code.
        muted: codes that are left out.
    """

    checks: dict[str, Check]
    muted: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _muted_are_known(self) -> Self:
        for code in self.muted:
            if code not in self.checks:
                raise ValueError(f"muted must hold codes of checks, got {code!r}")
        return self


@dataclass(frozen=True)
class Picture:
    """An image that a finding shows.

    Attributes:
        row: of the training part.
        label: its class.
        other: the class that a model gives it.
        pixels: uint8 (height, width, channels), 255 is the brightest.
    """

    row: int
    label: str
    other: str
    pixels: np.ndarray = field(compare=False)


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        code: of the check; `title`, `why` and `do` are the check's.
        value: what is compared with the threshold: a share, a score, a number.
        n: how many examples or columns it is about.
        of: of how many that were looked at.
        examples: the first of them, in words.
        test_rows: by split, the rows of the test part that it is about; empty where it is about none.
        voids: whether a comparison would say little.
        pictures: of `examples`, in their order; empty where they are no images.
    """

    code: str
    title: str
    why: str
    do: str
    value: float
    n: int
    of: int
    examples: list[str]
    test_rows: dict[int, list[int]] = field(default_factory=dict)
    voids: bool = False
    pictures: list[Picture] = field(default_factory=list)


def findings_file(layout: Layout, dataset: str) -> Path:
    """`results/audit/<dataset>/findings.json`."""
    return layout.results("audit") / layout.results(dataset).name / "findings.json"


@dataclass(frozen=True)
class Findings:
    """What the checks of one data set found.

    Attributes:
        findings: by the order of the codes.
        clean: codes and titles of the checks that found nothing.
    """

    findings: list[Finding]
    clean: dict[str, str]


def write_findings(path: Path, found: Findings) -> None:
    """Write them as JSON, and beside it the pixels of the pictures of a finding, `<code>.npy`.

    Args:
        path: of the JSON.
        found: the pictures of a finding have one size.
    """
    content = asdict(found)
    for one in content["findings"]:
        if pixels := [picture.pop("pixels") for picture in one["pictures"]]:
            np.save(path.with_name(f"{one['code']}.npy"), np.stack(pixels))
    write_json(path, content)


def read_findings(path: Path, made_by: str) -> Findings:
    """Read them.

    Raises:
        CrossoverError: a file is missing or broken.
    """
    content = read_json(path, made_by)
    findings = []
    for one in content["findings"]:
        pictures = one.pop("pictures")
        pixels: Iterable[np.ndarray] = ()
        if pictures:
            pixels = read_array(path.with_name(f"{one['code']}.npy"), made_by)
        shown = [Picture(**facts, pixels=image) for facts, image in zip(pictures, pixels, strict=True)]
        rows = {int(k): rows for k, rows in one.pop("test_rows").items()}
        findings.append(Finding(**one, test_rows=rows, pictures=shown))
    return Findings(findings, content["clean"])
