"""What a family can use with so many labels and seconds: the fits of its learning curves, and moments of these fits."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossover.analysis.curves import Curve
from crossover.core.metric import Metric

STEPS = 5
"""From one measured size to the next: a fit on a number of examples between the two is interpolated."""


@dataclass(frozen=True, eq=False)
class Options:
    """What one family can use in one repetition: K fits, measured or interpolated, and moments of fits.

    Attributes:
        table: one row an option. `model` is the number of its curve; `labels` are the examples that it needs, those
            watched for early stopping among them; `seconds` are those that it needs; `score` and `log_loss` are on
            the repetition's validation rows; `at_end` says whether it is a whole fit. Its right answers on the test
            part are those of the row `lower` of `answers`, and those of `upper` with the weight `weight`.
        answers: (measured, n_test), bool, or contributions to another metric than the accuracy.
    """

    table: pd.DataFrame
    answers: np.ndarray

    def best(self, labels: int, seconds: float) -> int | None:
        """The row with the highest validation score among those within both limits; None where there is none.

        Of equals the one with the lower log loss there, and then the faster one. The table is sorted so.
        """
        within = (self.table["labels"].to_numpy() <= labels) & (self.table["seconds"].to_numpy() <= seconds)
        return int(within.argmax()) if within.any() else None

    def correct(self, row: int) -> np.ndarray:
        """Right answers of an option on the test part, 0 to 1: float32 (n_test,); float64 of another metric."""
        option = self.table.iloc[row]
        weight = np.float32(option["weight"])
        lower, upper = (self.answers[int(option[end])] for end in ("lower", "upper"))
        return lower * (1 - weight) + upper * weight


@dataclass(frozen=True, eq=False)
class Played:
    """What one family plays with so many labels and seconds: an option in each repetition.

    Attributes:
        options: of each repetition.
        chosen: which row of them; one a repetition.
        names: of the family's curves.
    """

    options: list[Options]
    chosen: tuple[int, ...]
    names: list[str]

    @property
    def models(self) -> list[tuple[str, bool]]:
        """In each repetition the model, and whether it is a whole fit."""
        rows = [one.table.iloc[k] for one, k in zip(self.options, self.chosen, strict=True)]
        return [(self.names[int(row["model"])], bool(row["at_end"])) for row in rows]

    @property
    def most_often(self) -> str:
        """The model that is played in most repetitions."""
        return Counter(name for name, _ in self.models).most_common(1)[0][0]

    @property
    def correct(self) -> np.ndarray:
        """Right answers on the test part, 0 to 1: float32 (R, n_test); float64 of another metric."""
        return np.stack([one.correct(k) for one, k in zip(self.options, self.chosen, strict=True)])

    def ends_unfinished(self, unfinished: Collection[str]) -> bool:
        """Whether it holds a whole fit of one of these models: more seconds would not have trained it further."""
        return any(at_end and name in unfinished for name, at_end in self.models)


def options_of(curves: list[Curve], repetition: int) -> Options:
    """The fits of one repetition on every size, those between the sizes, and the moments of the measured ones.

    Between two sizes, errors and seconds lie on a straight line on two logarithmic scales, as those of a power law do.
    """
    tables: list[pd.DataFrame] = []
    answers: list[np.ndarray] = []
    for number, curve in enumerate(curves):
        seed = curve.scores["seed"].unique()[repetition]
        fits = curve.scores[curve.scores["seed"] == seed]
        of_moments = (curve.moments["seed"] == seed).to_numpy()
        moments = curve.moments[of_moments]
        first = sum(map(len, answers))
        answers += [curve.correct[:, repetition], curve.moments_correct[of_moments]]
        whole = _between(fits, curve.metric, curve.grid("fit_seconds")[:, repetition])
        watched = fits.set_index("n")["n_watched"].loc[moments["n"]].to_numpy(dtype=float)
        stopped = pd.DataFrame(
            {
                "labels": moments["n"].to_numpy(dtype=float) + watched,
                "seconds": moments["seconds"].to_numpy(dtype=float),
                "score": moments[f"validation_{curve.metric}"].to_numpy(dtype=float),
                "log_loss": moments["validation_log_loss"].to_numpy(dtype=float),
                "lower": len(fits) + np.arange(len(moments)),
                "upper": len(fits) + np.arange(len(moments)),
                "weight": 0.0,
                "at_end": False,
            }
        )
        both = pd.concat([whole, stopped]) if len(stopped) else whole
        both[["lower", "upper"]] += first
        tables.append(both.assign(model=number))
    table = pd.concat(tables, ignore_index=True)
    order = np.lexsort((table["seconds"], table["log_loss"], -table["score"]))
    return Options(table.iloc[order].reset_index(drop=True), np.concatenate(answers))


def _between(fits: pd.DataFrame, metric: Metric, seconds: np.ndarray) -> pd.DataFrame:
    """The fits of one curve and repetition, by size, and those between two sizes."""
    # 1.4 is two fifths of the way from the second size to the third.
    places = np.arange((len(fits) - 1) * STEPS + 1) / STEPS
    lower = np.floor(places).astype(int)
    upper, part = np.minimum(lower + 1, len(fits) - 1), places - lower
    of_fits = {name: fits[name].to_numpy(dtype=float) for name in ("n", "n_watched", "n_validation")}
    score, log_loss = (fits[f"validation_{name}"].to_numpy(dtype=float) for name in (metric, "log_loss"))
    # A perfect score has no logarithm: half an error.
    errors = np.maximum(1 - score, 0.5 / of_fits["n_validation"])
    ratio = errors[upper] / errors[lower]
    falls = ratio < 1
    # How much of the way from one error to the next has passed; where the error rises, the same as of the way in log n.
    weight = np.where(falls, (1 - ratio**part) / np.where(falls, 1 - ratio, 1), part)
    n, between = (np.exp(_straight(np.log(values), lower, upper, part)) for values in (of_fits["n"], seconds))
    return pd.DataFrame(
        {
            "labels": np.round(n) + np.ceil(_straight(of_fits["n_watched"], lower, upper, part)),
            "seconds": np.where(part > 0, between, seconds[lower]),  # what was measured is not rounded
            "score": _straight(score, lower, upper, weight),
            "log_loss": _straight(log_loss, lower, upper, weight),
            "lower": lower,
            "upper": upper,
            "weight": weight,
            "at_end": True,
        }
    )


def _straight(values: np.ndarray, lower: np.ndarray, upper: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Those at `lower`, and with the weight those at `upper`."""
    return (1 - weight) * values[lower] + weight * values[upper]
