"""Quantities from the learning curves of a data set."""

from dataclasses import dataclass

import numpy as np

from crossover.analysis.claims.quantity import (
    ClaimInputs,
    Estimate,
    NotMeasured,
    require_family,
    require_positive,
)
from crossover.analysis.crossing import Crossover
from crossover.analysis.curve_comparison import CurvePair, FamilyCurve
from crossover.analysis.statistics import Interval
from crossover.core.numbers import percent, share
from crossover.report.templating import FAMILY_NAMES

_NO_CURVES = NotMeasured("no learning curve was measured")


@dataclass(frozen=True, kw_only=True)
class DeepLeadsFrom:
    """Number of examples from which the best network leads the best classical model, given equal data.

    The interval is what is known of it. At a crossing it is that of the first one at which deep learning
    overtakes. Where deep learning leads at the first size that is decided, it began there or below: 0 to that size.
    Where it leads nowhere, it can begin only beyond the last size at which classical learning leads.

    Attributes:
        needs: examples that the largest size must have unless deep learning leads before.
    """

    needs: int

    def __post_init__(self) -> None:
        require_positive("needs", self.needs)

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        family = _family(inputs)
        if isinstance(family, NotMeasured):
            return family
        crossover = family.by_data
        value, interval, interval_of = _first_lead(crossover)
        largest = int(crossover.sizes[-1])
        if np.isinf(interval.high) and largest < self.needs:
            return NotMeasured(
                f"it takes {self.needs:,} examples, and the largest size has {largest:,}, at which deep learning "
                "does not lead"
            )
        return Estimate(
            what="number of examples from which deep learning leads",
            value=value,
            interval=interval,
            interval_of=interval_of,
            unit="examples",
            note=f"Sizes from {crossover.sizes[0]:,} to {largest:,} were measured.",
        )


def _first_lead(crossover: Crossover) -> tuple[float, Interval, str]:
    """The size, what is known of it, and how that is known."""
    by_sizes = "what the sizes tell"
    decided = np.flatnonzero(crossover.signs)
    if not len(decided):
        return float("nan"), Interval(0, float("inf")), by_sizes
    if crossover.signs[decided[0]] > 0:
        first = float(crossover.sizes[decided[0]])
        return first, Interval(0, first), by_sizes
    for crossing in crossover.crossings:
        if crossing.direction == "deep overtakes":
            return crossing.n, Interval(crossing.low, crossing.high), "95 % interval of the crossing"
    return float("inf"), Interval(float(crossover.sizes[decided[-1]]), float("inf")), by_sizes


@dataclass(frozen=True, kw_only=True)
class _FamilyBelow:
    """One family at the sizes below a bound.

    Attributes:
        family: "classical" or "deep".
        below: number of examples that the sizes must be below.
    """

    family: str
    below: int

    def __post_init__(self) -> None:
        require_family(self.family)
        require_positive("below", self.below)

    def few(self, sizes: np.ndarray) -> np.ndarray:
        """Where `sizes` (S,) are below the bound: int64 (few,)."""
        return np.flatnonzero(sizes < self.below)

    @property
    def none_below(self) -> NotMeasured:
        return NotMeasured(f"no size below {self.below:,} examples was measured")


@dataclass(frozen=True, kw_only=True)
class SmallestLead(_FamilyBelow):
    """The smallest lead of one family over the other at the sizes below a bound, given equal data.

    The interval follows from the band that holds all sizes together: it is above 0 where the family leads at every
    size, and below 0 where it is behind at one.
    """

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        result = _family(inputs)
        if isinstance(result, NotMeasured):
            return result
        c = result.by_data
        few = self.few(c.sizes)
        if not len(few):
            return self.none_below
        deep = self.family == "deep"
        lead, low, high = (c.difference, c.low, c.high) if deep else (-c.difference, -c.high, -c.low)
        smallest = few[lead[few].argmin()]
        ahead = c.ahead[smallest] if deep else 1 - c.ahead[smallest]
        return Estimate(
            what=f"smallest lead of {FAMILY_NAMES[self.family]} at the {len(few)} sizes below {self.below:,}",
            value=float(lead[smallest]),
            interval=Interval(float(low[few].min()), float(high[few].min())),
            interval_of="95 % interval over test examples and repetitions, for all sizes together",
            unit="points",
            note=(
                f"It is smallest at {c.sizes[smallest]:,} examples, where {FAMILY_NAMES[self.family]} is ahead in "
                f"{share(float(ahead))} of the resamples."
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Overfitting(_FamilyBelow):
    """Accuracy on the training examples minus that on the test part, at the sizes below a bound.

    Mean over the models of a family, sizes and repetitions; the interval reaches from the lowest to the highest
    model.
    """

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        curves = inputs.curves.curves.family(self.family) if inputs.curves else []
        if not curves:
            return _NO_CURVES
        few = self.few(curves[0].sizes)
        if not len(few):
            return self.none_below
        gaps = [float((curve.grid("train_accuracy") - curve.accuracy)[few].mean()) for curve in curves]
        return Estimate(
            what=f"training minus test accuracy of {_models(len(curves), self.family)} below {self.below:,}",
            value=float(np.mean(gaps)),
            interval=Interval(min(gaps), max(gaps)),
            interval_of="from the lowest to the highest model",
            unit="points",
        )


@dataclass(frozen=True, kw_only=True)
class GainPerDoubling:
    """Share of its errors that the best of a family would lose if the data doubled once more.

    By the power law through the family's errors: `power_law.Improvement`.

    Attributes:
        family: "classical" or "deep".
    """

    family: str

    def __post_init__(self) -> None:
        require_family(self.family)

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        if inputs.curves is None or self.family not in inputs.curves.family_fits:
            return _NO_CURVES
        fit = inputs.curves.family_fits[self.family]
        if fit is None:
            return NotMeasured("a power law takes more sizes")
        words = FAMILY_NAMES[self.family]
        if not fit.well_behaved:
            return NotMeasured(
                f"no power law describes the curve of {words} (R² {fit.r2:.2f}), so none can be continued",
                possible=False,
            )
        gain = fit.improvement
        return Estimate(
            what=f"share of its errors that {words} loses when {fit.largest_size:,} examples double",
            value=gain.value,
            interval=gain.interval,
            interval_of="95 % interval, the fits without one size each included",
            unit="share",
            note=f"The law leaves {percent(fit.a)} % of errors that no amount of data removes.",
        )


def _family(inputs: ClaimInputs) -> CurvePair[FamilyCurve] | NotMeasured:
    if inputs.curves is None:
        return _NO_CURVES
    return inputs.curves.family or NotMeasured("the learning curves are of one family alone")


def _models(count: int, family: str) -> str:
    """In a sentence: "the 4 classical models", "the one deep model"."""
    return f"the one {family} model" if count == 1 else f"the {count} {family} models"
