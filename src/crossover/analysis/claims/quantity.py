"""What decides a claim: a quantity of one data set with its interval, or why there is none."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from crossover.analysis.curve_comparison import CurveComparison
from crossover.analysis.results import CellResult, DatasetResults
from crossover.analysis.statistics import Interval
from crossover.analysis.tuning import DatasetTuning
from crossover.core.cell import TEXTBOOK, Family, Tier
from crossover.core.metric import ACCURACY
from crossover.core.settings import Settings

Unit = Literal[
    "accuracy",  # a share of 1
    "points",  # a difference of accuracies
    "share",  # of 1, of anything else
    "times",
    "examples",
    "examples a second",
    "seconds",
    "milliseconds",
    "bytes",
    "joules",
]

Spread = Literal[
    "resamples",  # of test examples and repetitions: the central 95 %
    "resamples of all sizes",  # likewise, in the band that holds all sizes of a learning curve together
    "resamples and sizes",  # likewise, and over the fits without one size each
    "crossing",  # the 95 % interval of a crossing
    "sizes",  # what is known from the sizes of a learning curve, without a crossing
    "trials",  # resampled: the central 95 %
    "fits of both",  # cells: from the lowest ratio of their times to the highest
    "models",  # from the lowest to the highest
    "fits",  # likewise
]
"""What an interval is taken over."""


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class Estimate:
    """A quantity as it was measured on one data set.

    Attributes:
        quantity: which one.
        value: in the unit; infinite where it lies beyond everything that was measured.
        interval: in the unit; an end that nothing bounds is 0 or infinite.
        spread: what the interval is taken over.
        unit: of `value` and `interval`.
        samples: float (samples,), resamples that the interval was taken from; None where it has a formula or several
            sources.
        facts: what else is known, by the names that the quantity's docstring gives.
    """

    quantity: "Quantity"
    value: float
    interval: Interval
    spread: Spread
    unit: Unit
    samples: np.ndarray | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NotMeasured:
    """Why a quantity has no value.

    Attributes:
        reason: a name that the report puts into words: "no curves".
        facts: what these words need.
        possible: whether another study would measure it; False where the data set does not allow it.
    """

    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)
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


class Quantity(Settings, ABC):
    """One way to decide a claim; its fields are the keys below `quantity` in the claim's YAML.

    Attributes:
        kind: which quantity.
        of_accuracy: whether it is an accuracy or follows from accuracies; then a data set with another metric has none.
    """

    kind: str
    of_accuracy: ClassVar[bool] = True

    @abstractmethod
    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        """The quantity on one data set."""

    def on(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        """Likewise; not measured where the data set has a metric that the quantity is not about."""
        metric = inputs.results.metric
        if self.of_accuracy and metric != ACCURACY:
            return NotMeasured("another metric", {"metric": metric}, possible=False)
        return self.measure(inputs)


class CellFilter(Settings):
    """The cells with these keys; a key that is None may have any value.

    Attributes:
        features: name of the feature set.
        model: name of the model.
        family: "classical" or "deep".
        tier: the level of effort at which they are taken, as by `DatasetResults.at`.
    """

    features: str | None = None
    model: str | None = None
    family: Family | None = None
    tier: Tier = TEXTBOOK

    @model_validator(mode="after")
    def _names_something(self) -> "CellFilter":
        if not self.model_fields_set:
            raise ValueError("must name features, model, family or tier, got {}")
        return self

    def holds(self, result: CellResult) -> bool:
        """Whether a cell is one of them, at whichever level of effort."""
        cell = result.cell
        return (
            self.features in (None, cell.features)
            and self.model in (None, cell.model)
            and self.family in (None, cell.family)
        )


Cells = Annotated[
    list[CellFilter],
    BeforeValidator(lambda content: [content] if isinstance(content, dict) else content),
    Field(min_length=1),
]
"""The cells of a data set that match one of the filters; YAML gives a mapping or a list of them."""


def matching(cells: list[CellFilter], results: DatasetResults) -> list[CellResult]:
    """The cells that one of the filters holds, best first by their accuracy on validation rows."""
    found = {cell.cell: cell for one in cells for cell in results.at(one.tier) if one.holds(cell)}.values()
    return sorted(found, key=lambda cell: cell.validation_order)


def no_cell(cells: list[CellFilter], results: DatasetResults) -> NotMeasured:
    """Why none of `results.cells` is one of these."""
    for cell in results.not_applicable:
        if any(one.holds(cell) for one in cells):
            facts = {"cells": cells, "why": cell.reason}
            return NotMeasured("not applicable", facts, possible=False)
    return NotMeasured("no result", {"cells": cells})
