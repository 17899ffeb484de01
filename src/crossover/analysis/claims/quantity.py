"""What a claim is decided by: a quantity of one data set with its interval, or why there is none."""

from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

import numpy as np

from crossover.analysis.curve_comparison import CurveComparison
from crossover.analysis.results import CellResult, DatasetResults
from crossover.analysis.statistics import Interval, Resamples
from crossover.analysis.tuning import DatasetTuning
from crossover.core.cell import DEFAULT, FAMILIES
from crossover.core.errors import CrossoverError

Unit = Literal[
    "accuracy",  # a share of 1
    "points",  # a difference of accuracies
    "share",  # of 1, of anything else
    "times",
    "examples",
    "seconds",
    "milliseconds",
    "bytes",
    "joules",
]


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class Estimate:
    """A quantity as it was measured on one data set.

    Attributes:
        what: the quantity in words that go before its value: "accuracy of cnn on its own features".
        value: in the unit; infinite where it lies beyond everything that was measured.
        interval: in the unit; an end that nothing bounds is 0 or infinite.
        interval_of: what the interval is: "95 % interval over test examples and repetitions".
        unit: of `value` and `interval`.
        samples: float (samples,), what the interval was taken from; None where it has a formula or several sources.
        sampled: what they are: "resamples", "pairs of models".
        note: what a reader should know besides, in sentences; may be empty.
    """

    what: str
    value: float
    interval: Interval
    interval_of: str
    unit: Unit
    samples: np.ndarray | None = None
    sampled: str = "resamples"
    note: str = ""


@dataclass(frozen=True)
class NotMeasured:
    """Why a quantity has no value.

    Attributes:
        reason: in words that can stand after "not measured here:".
        possible: whether another study would measure it; False where the data set does not allow it.
    """

    reason: str
    possible: bool = True


@dataclass(frozen=True, eq=False)
class ClaimInputs:
    """What is known of one data set of the study.

    Attributes:
        results: its cells.
        tuning: the searches behind its tuned cells; None where it has none.
        curves: its learning curves; None where none was measured.
    """

    results: DatasetResults
    tuning: DatasetTuning | None
    curves: CurveComparison | None

    @property
    def dataset(self) -> str:
        return self.results.dataset

    @property
    def resamples(self) -> Resamples:
        """Of all cells, in the order of `results.cells`, so that every difference is paired."""
        return self.results.resamples


class Quantity(Protocol):
    """One way to decide a claim; its fields are the keys below `of` in the claim's YAML."""

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        """The quantity on one data set."""


@dataclass(frozen=True)
class _Alternative:
    """Cells by what is known of them; what is None may be anything."""

    features: str | None = None
    model: str | None = None
    family: str | None = None
    variant: str = DEFAULT

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not isinstance(value, str):
                raise CrossoverError(f"{name} must be a name, got {value!r}")
        if self.family is not None:
            require_family(self.family)

    def holds(self, cell: CellResult) -> bool:
        """Whether a cell is one of them."""
        of_cell = {
            "features": cell.cell.features,
            "model": cell.cell.model,
            "family": cell.family,
            "variant": cell.cell.variant,
        }
        return all(getattr(self, key) in (None, value) for key, value in of_cell.items())

    @property
    def words(self) -> str:
        """Such as "random_forest on raw", "deep cells"."""
        variant = "" if self.variant == DEFAULT else f"{self.variant} "
        cells = f"{self.family} cells" if self.family else "cells"
        where = f" on {self.features}" if self.features else ""
        return f"{variant}{self.model or cells}{where}"


@dataclass(frozen=True)
class Selection:
    """Some of the cells of a data set: those that one of the alternatives names."""

    alternatives: tuple[_Alternative, ...]

    @classmethod
    def parse(cls, content: Any) -> "Selection":
        """From YAML: a mapping with some of the keys features, model, family and variant, or a list of them.

        Raises:
            CrossoverError: it is neither, or a key or a value is wrong.
        """
        listed = content if isinstance(content, list) else [content]
        if not listed or not all(isinstance(one, dict) and one for one in listed):
            raise CrossoverError(f"cells must be a mapping or a list of mappings, got {content!r}")
        known = [key.name for key in fields(_Alternative)]
        for one in listed:
            if unknown := sorted(map(str, set(one) - set(known))):
                raise CrossoverError(f"cells are named by {', '.join(known)}, got {unknown[0]}")
        return cls(tuple(_Alternative(**one) for one in listed))

    def indices(self, results: DatasetResults) -> list[int]:
        """Where the selected cells stand in `results.cells`, best first."""
        return [i for i, cell in enumerate(results.cells) if self._holds(cell)]

    def cells(self, results: DatasetResults) -> list[CellResult]:
        """The selected cells, best first."""
        return [results.cells[i] for i in self.indices(results)]

    def missing(self, results: DatasetResults) -> NotMeasured:
        """Why none of `results.cells` is selected."""
        words = ", ".join(alternative.words for alternative in self.alternatives)
        refused = [cell for cell in results.not_applicable if self._holds(cell)]
        if refused:
            return NotMeasured(f"{words} does not apply, since {refused[0].reason}", possible=False)
        return NotMeasured(f"this study has no result of {words}")

    def _holds(self, cell: CellResult) -> bool:
        return any(alternative.holds(cell) for alternative in self.alternatives)


def require_family(family: Any) -> None:
    """Refuse what is not the name of a family."""
    if family not in FAMILIES:
        raise CrossoverError(f"family must be one of {', '.join(FAMILIES)}, got {family!r}")


def require_positive(name: str, value: Any) -> None:
    """Refuse what is not a number above 0."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise CrossoverError(f"{name} must be a number above 0, got {value!r}")
