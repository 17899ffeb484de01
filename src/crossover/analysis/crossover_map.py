"""The crossover map: with so many labels and so many seconds, which family is ahead, and how sure is that?

What a family can use with L labels and T seconds is every fit of its learning curves that needs no more of either, and
every moment of such a fit: the state of a network or of boosting after some of its epochs. It plays the one with the
highest score on validation rows. `docs/methods.md` says what the map is for and what it cannot tell.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from crossover.analysis.bootstrap import resampled_means
from crossover.analysis.crossing import Crossover, crossover
from crossover.analysis.curves import Curve, DatasetCurves
from crossover.analysis.map_options import Played, options_of
from crossover.analysis.statistics import Interval, standing
from crossover.core.cell import Family
from crossover.core.metric import ACCURACY, Metric

State = Literal[
    "nothing",  # no model is ready
    "deep alone",  # the other family has none ready
    "classical alone",
    "deep",  # leads
    "classical",
    "tie",
    "not told apart",
    "undecided",  # the family behind plays the end of a fit that was not trained to its end
]

STEPS_A_DECADE = 12
"""Of the axis of seconds."""

ROUND_TIMES = (0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36_000.0)
"""Seconds that people say: 1 s, 10 s, 1 min."""
AFTER_THE_LAST = 2.0
"""The map goes on for so many times its last number of seconds, after which nothing new is ready."""

_DRAWS = 2000  # enough for the 95 % of a band, and there are hundreds of pairs


@dataclass(frozen=True, eq=False)
class MapCell:
    """The answer for so many labels and seconds.

    Attributes:
        state: who is ahead.
        played: by each family that has a model ready in every repetition.
        difference: of the mean scores, deep minus classical; NaN unless both are ready.
        interval: of the difference, from the band that covers all numbers of labels at once; None without one.
        deep_ahead: share of the resamples in which the deep one is ahead, ties counted half; NaN unless both are ready.
    """

    state: State
    played: dict[Family, Played]
    difference: float = float("nan")
    interval: Interval | None = None
    deep_ahead: float = float("nan")


@dataclass(frozen=True, eq=False)
class CrossoverMap:
    """Who is ahead with L labels and T seconds on one data set.

    Attributes:
        dataset: its name.
        labels: int64 (S,), rising: the sizes of the curves, with the examples that fits on them watch at most.
        seconds: float (T,), rising evenly on a logarithmic scale, from the first to the last at which something new is
            ready. The time is that of the one fit that is used: its features and its training.
        cells: the answers, by seconds and then by labels.
        n_validation: further labels, by which a family chooses what it plays.
        metric: in which the lead is measured.
    """

    dataset: str
    labels: np.ndarray
    seconds: np.ndarray
    cells: list[list[MapCell]]
    n_validation: int
    metric: Metric = ACCURACY

    @property
    def states(self) -> set[State]:
        """The answers that the map has."""
        return {cell.state for row in self.cells for cell in row}

    @property
    def round_times(self) -> list[float]:
        """Those of `ROUND_TIMES` that the map holds."""
        return [t for t in ROUND_TIMES if self.seconds[0] <= t <= AFTER_THE_LAST * self.seconds[-1]]

    def by_time(self, size: int) -> list[tuple[State, float]]:
        """The answers with `labels[size]` labels at `round_times`, each with the first time that has it in a row.

        Times at which nothing is ready are left out.
        """
        answers = [(state, t) for t in self.round_times if (state := self.at(size, t).state) != "nothing"]
        return [one for i, one in enumerate(answers) if i == 0 or one[0] != answers[i - 1][0]]

    def at(self, size: int, seconds: float) -> MapCell:
        """The answer with `labels[size]` labels and so many seconds, at least the first of the axis."""
        return self.cells[int(np.searchsorted(self.seconds, seconds, side="right")) - 1][size]


def crossover_map(
    curves: DatasetCurves, equivalence: float, unfinished: Collection[str] = ()
) -> CrossoverMap | None:
    """The map of one data set; None unless both families have a learning curve.

    With so many seconds, the lead over the labels is judged as that of two learning curves is (`crossing.crossover`).

    Args:
        curves: the learning curves.
        equivalence: a difference of scores, 0 to 1, up to which it does not matter.
        unfinished: labels of the cells that were not trained to their end.
    """
    deep, classical = curves.family("deep"), curves.family("classical")
    if not deep or not classical:
        return None
    families: dict[Family, list[Curve]] = {"deep": deep, "classical": classical}
    options = {
        family: [options_of(of_family, r) for r in range(curves.repetitions)]
        for family, of_family in families.items()
    }
    watched = np.max([curve.grid("n_watched").max(axis=1) for curve in curves.curves], axis=0)
    labels = curves.sizes + watched.astype(np.int64)
    seconds = _seconds([one.table["seconds"] for of_family in options.values() for one in of_family])

    def play(n: int, t: float) -> dict[Family, Played]:
        played = {}
        for family, of_family in options.items():
            chosen = [one.best(n, t) for one in of_family]
            ready = tuple(k for k in chosen if k is not None)
            if len(ready) == len(chosen):
                played[family] = Played(of_family, ready, [curve.label for curve in families[family]])
        return played

    rows = [[play(int(n), float(t)) for n in labels] for t in seconds]
    pairs = {_pair(played): played for row in rows for played in row if len(played) == len(families)}
    draws: dict[Pair, np.ndarray] = {}
    if pairs:
        differences = np.stack([_differences(played) for played in pairs.values()])
        draws = dict(zip(pairs, resampled_means(differences, _DRAWS).T, strict=True))
    return CrossoverMap(
        dataset=curves.dataset,
        labels=labels,
        seconds=seconds,
        cells=[_cells(row, _compare(labels, row, draws), equivalence, unfinished) for row in rows],
        n_validation=int(curves.curves[0].scores["n_validation"].iloc[0]),
        metric=curves.metric,
    )


def _seconds(events: list[pd.Series]) -> np.ndarray:
    """The axis of seconds, from the first event to the last."""
    first, last = min(one.min() for one in events), max(one.max() for one in events)
    steps = int(np.ceil(STEPS_A_DECADE * np.log10(last / first)))
    seconds = np.geomspace(first, last, steps + 1)
    seconds[[0, -1]] = first, last  # not a rounding more or less
    return seconds


Pair = tuple[tuple[int, ...], tuple[int, ...]]


def _pair(played: dict[Family, Played]) -> Pair:
    """What tells two pairs of played options apart."""
    return played["deep"].chosen, played["classical"].chosen


def _differences(played: dict[Family, Played]) -> np.ndarray:
    """Answers of the deep one minus those of the classical one, as of `Played.correct`: (R, n_test)."""
    return played["deep"].correct - played["classical"].correct


def _compare(
    labels: np.ndarray, row: list[dict[Family, Played]], draws: dict[Pair, np.ndarray]
) -> Crossover | None:
    """Who leads with how many labels, at one number of seconds; sizes at which one family is not ready are left out.

    Where the same is played with more labels, since larger fits take too long, that is one observation and no more.
    """
    ready = [size for size, played in enumerate(row) if len(played) > 1]
    if not ready:
        return None
    pairs = [_pair(row[size]) for size in ready]
    new = [size for i, size in enumerate(ready) if i == 0 or pairs[i] != pairs[i - 1]]
    found = crossover(
        labels[new],
        np.stack([_differences(row[size]).mean(axis=1) for size in new]),
        np.stack([draws[_pair(row[size])] for size in new], axis=1),
    )
    as_new = np.searchsorted(new, ready, side="right") - 1
    arrays = ("signs", "difference", "low", "high", "ahead")
    return replace(found, sizes=labels[ready], **{name: getattr(found, name)[as_new] for name in arrays})


def _cells(
    row: list[dict[Family, Played]], leads: Crossover | None, equivalence: float, unfinished: Collection[str]
) -> list[MapCell]:
    """The answers at one number of seconds, by labels."""
    alone: dict[Family, State] = {"deep": "deep alone", "classical": "classical alone"}
    other: dict[Family, Family] = {"deep": "classical", "classical": "deep"}
    cells, index = [], 0
    for played in row:
        if leads is None or len(played) < len(alone):
            cells.append(MapCell(alone[next(iter(played))] if played else "nothing", played))
            continue
        difference, interval = float(leads.difference[index]), leads.band(index)
        ahead: Family = "deep" if difference > 0 else "classical"
        found = standing(
            interval,
            equivalence,
            unfinished_ahead=played[ahead].ends_unfinished(unfinished),
            unfinished_behind=played[other[ahead]].ends_unfinished(unfinished),
        )
        state: State = ahead if found == "leads" else found
        cells.append(MapCell(state, played, difference, interval, float(leads.ahead[index])))
        index += 1
    return cells
