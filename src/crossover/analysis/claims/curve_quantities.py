"""Quantities from the learning curves of a data set."""

from typing import Literal

import numpy as np
from pydantic import PositiveInt

from crossover.analysis.claims.quantity import ClaimInputs, Estimate, NotMeasured, Quantity, Spread
from crossover.analysis.curve_comparison import CurvePair, FamilyCurve
from crossover.analysis.statistics import Interval
from crossover.core.cell import Family

_NO_CURVES = NotMeasured("no curves")


class DeepLeadsFrom(Quantity):
    """Number of examples from which the best network leads the best classical model, given equal data.

    At a crossing the interval is that of the first one at which deep learning overtakes. Where deep learning leads at
    the first size that is decided, its lead begins there or below: 0 to that size. Where it leads nowhere, its lead
    can begin only beyond the last size at which classical learning leads.

    Attributes:
        needs: examples that the largest size must have unless deep learning leads before.

    Facts: smallest and largest, of the sizes.
    """

    kind: Literal["deep_leads_from"]
    needs: PositiveInt

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        family = _family(inputs)
        if isinstance(family, NotMeasured):
            return family
        crossover = family.crossover
        smallest, largest = int(crossover.sizes[0]), int(crossover.sizes[-1])
        overtaken = [crossing for crossing in crossover.crossings if crossing.direction == "deep overtakes"]
        spread: Spread = "sizes"
        if not len(crossover.decided):
            value, interval = float("nan"), Interval(0, float("inf"))
        elif crossover.signs[crossover.signs != 0][0] > 0:
            value = float(crossover.decided[0])
            interval = Interval(0, value)
        elif overtaken:
            value, interval = overtaken[0].n, Interval(overtaken[0].low, overtaken[0].high)
            spread = "crossing"
        else:
            value, interval = float("inf"), Interval(float(crossover.decided[-1]), float("inf"))
        if np.isinf(interval.high) and largest < self.needs:
            return NotMeasured("too few examples", {"needs": self.needs, "largest": largest})
        facts = {"smallest": smallest, "largest": largest}
        return Estimate(self, value, interval, spread, "examples", facts=facts)


class SmallestLead(Quantity):
    """The smallest lead of one family over the other at the sizes below a bound, given equal data.

    The interval follows from the band that holds all sizes together: it is above 0 where the family leads at every
    size, and below 0 where it is behind at one.

    Attributes:
        family: "classical" or "deep".
        below: number of examples that the sizes must be below.

    Facts: sizes, how many there are; size, where the lead is smallest; ahead, share of the resamples in which the
    family is ahead there.
    """

    kind: Literal["smallest_lead"]
    family: Family
    below: PositiveInt

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        result = _family(inputs)
        if isinstance(result, NotMeasured):
            return result
        c = result.crossover
        few = np.flatnonzero(c.sizes < self.below)
        if not len(few):
            return NotMeasured("no size below", {"below": self.below})
        deep = self.family == "deep"
        lead, low, high = (c.difference, c.low, c.high) if deep else (-c.difference, -c.high, -c.low)
        smallest = few[lead[few].argmin()]
        ahead = float(c.ahead[smallest] if deep else 1 - c.ahead[smallest])
        return Estimate(
            self,
            float(lead[smallest]),
            Interval(float(low[few].min()), float(high[few].min())),
            "resamples of all sizes",
            "points",
            facts={"sizes": len(few), "size": int(c.sizes[smallest]), "ahead": ahead},
        )


class Overfitting(Quantity):
    """Accuracy on the training examples minus that on the test part, at the sizes below a bound.

    Mean over the models of a family, sizes and repetitions; the interval reaches from the lowest to the highest
    model.

    Attributes:
        family: "classical" or "deep".
        below: number of examples that the sizes must be below.

    Facts: models, how many there are.
    """

    kind: Literal["overfitting"]
    family: Family
    below: PositiveInt

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        curves = inputs.curves.curves.family(self.family) if inputs.curves else []
        if not curves:
            return _NO_CURVES
        few = np.flatnonzero(curves[0].sizes < self.below)
        if not len(few):
            return NotMeasured("no size below", {"below": self.below})
        gaps = [float((curve.grid("train_accuracy") - curve.accuracy)[few].mean()) for curve in curves]
        interval = Interval(min(gaps), max(gaps))
        return Estimate(self, float(np.mean(gaps)), interval, "models", "points", facts={"models": len(gaps)})


class GainPerDoubling(Quantity):
    """Share of its errors that the best of a family would lose if the data doubled once more.

    By the power law through the family's errors: `power_law.Improvement`.

    Attributes:
        family: "classical" or "deep".

    Facts: size, the largest one; left, the share of errors that no amount of data removes.
    """

    kind: Literal["gain_per_doubling"]
    family: Family

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        if inputs.curves is None or self.family not in inputs.curves.family_fits:
            return _NO_CURVES
        fit = inputs.curves.family_fits[self.family]
        if fit is None:
            return NotMeasured("too few sizes")
        if not fit.well_behaved:
            return NotMeasured("no power law", {"family": self.family, "r2": fit.r2}, possible=False)
        gain = fit.improvement
        facts = {"size": fit.largest_size, "left": fit.a}
        return Estimate(self, gain.value, gain.interval, "resamples and sizes", "share", facts=facts)


def _family(inputs: ClaimInputs) -> CurvePair[FamilyCurve] | NotMeasured:
    if inputs.curves is None:
        return _NO_CURVES
    return inputs.curves.family or NotMeasured("curves of one family")
