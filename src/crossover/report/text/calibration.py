"""The calibration of one data set's models, in a table and words."""

from statistics import median

from crossover.analysis.calibration import (
    BEFORE,
    METHODS,
    STATES,
    Answer,
    CellCalibration,
    Change,
    DatasetCalibration,
)
from crossover.core.numbers import decimals, share
from crossover.report.figures.calibration import ENOUGH
from crossover.report.templating import MARKS
from crossover.report.text.tables import bullets, figure, table

NAMES = {"temperature": "temperature scaling", "isotonic": "isotonic regression"}
_METRICS = {"ECE": "calibration_error", "Brier": "brier_score"}
_FEW = 3  # models that are named one by one
_TINY = 0.1  # a temperature that speaks of too little data


def calibration_parts(calibration: DatasetCalibration) -> list[str]:
    """The section of one data set."""
    return [
        "### Calibration",
        _summary(calibration),
        _what(calibration),
        _table(calibration),
        "The change of the Brier score (after minus before) with its 95 % interval, and the share of the resamples "
        "in which it falls:",
        bullets([_sentence(cell) for cell in calibration.cells]),
        _notes(calibration),
        figure(f"{calibration.dataset}-calibration", _alternative(calibration)),
    ]


def _summary(calibration: DatasetCalibration) -> str:
    effects = [
        f"{NAMES[method]} helps {_which(calibration, method, 'helps')} and hurts "
        f"{_which(calibration, method, 'hurts')}"
        for method in METHODS
    ]
    by_error = sorted(calibration.cells, key=lambda cell: cell.score(BEFORE, "calibration_error"))
    best, worst = (f"{cell.label} ({_ece(cell, BEFORE)})" for cell in (by_error[0], by_error[-1]))
    ranking = f" As they come, {best} has the lowest calibration error and {worst} the highest."
    return f"**By the Brier score, {'; '.join(effects)}.**{ranking if len(by_error) > 1 else ''}"


def _which(calibration: DatasetCalibration, method: str, answer: Answer) -> str:
    """The models with that answer: by name where they are few."""
    labels = [cell.label for cell in calibration.cells if cell.changes[method].answer == answer]
    if len(labels) > _FEW:
        return f"{len(labels)} of {len(calibration.cells)} models"
    return ", ".join(labels) or "none"


def _what(c: DatasetCalibration) -> str:
    repetitions = "1 repetition" if c.repetitions == 1 else f"{c.repetitions} repetitions"
    return (
        f"The models of the learning curve's largest size, fitted on {c.n:,} examples. There each model leaves the "
        f"validation part of its repetition, {c.n_validation:,} examples, to the calibration; in the main table a "
        "model without early stopping is fitted on these too. Scores are means over "
        f"{repetitions} on the {c.n_test:,} test examples. T is the median temperature (lowest to highest): above "
        "1 the model was too sure, below 1 not sure enough."
    )


def _table(calibration: DatasetCalibration) -> str:
    states = ("uncalibrated", *METHODS)
    header = ["model", *(f"{name}, {state}" for name in _METRICS for state in states), "T"]
    rows = [_row(cell) for cell in calibration.cells]
    return table(header, rows, right=set(range(1, len(header))))


def _row(cell: CellCalibration) -> list[str]:
    scores = [decimals(cell.score(state, metric), 4) for metric in _METRICS.values() for state in STATES]
    return [f"{MARKS[cell.family]} {cell.label}", *scores, _temperature(cell)]


def _temperature(cell: CellCalibration) -> str:
    low, high = min(cell.temperatures), max(cell.temperatures)
    ends = f" ({decimals(low, 2)} to {decimals(high, 2)})" if len(cell.temperatures) > 1 else ""
    return f"{decimals(median(cell.temperatures), 2)}{ends}"


def _sentence(cell: CellCalibration) -> str:
    changes = (f"{NAMES[method]} {_change(cell.changes[method])}" for method in METHODS)
    return f"{cell.label}: {'; '.join(changes)}"


def _change(change: Change) -> str:
    answer = "makes no clear change" if change.answer == "no clear change" else f"**{change.answer}**"
    interval = f"{signed(change.interval.low)} to {signed(change.interval.high)}"
    return f"{answer}, {signed(change.difference)} ({interval}; {share(change.better)})"


def signed(value: float) -> str:
    """A difference of scores with its sign: -0.00213 -> "−0.0021"."""  # noqa: RUF002
    text = f"{value:+.4f}".replace("-", "−")  # noqa: RUF001
    return text if float(text[1:]) else text[1:]


def _notes(calibration: DatasetCalibration) -> str:
    notes = [
        "The Brier score decides: it is best, on average, for the true probabilities and for no others. The expected "
        "calibration error (ECE) of a finite test part is above 0 even for those, and low for a model that answers "
        "with the share of each class. Temperature scaling keeps every answer; isotonic regression may change some."
    ]
    if calibration.watched:
        notes.append(
            f"{', '.join(calibration.watched)} saw the validation part in training, for early stopping or the choice "
            "of an epoch, and are more sure of it than of new data: there calibration does a little less than it "
            "could."
        )
    if any(min(cell.temperatures) < _TINY for cell in calibration.cells):
        notes.append(
            f"A temperature below {_TINY} comes from a validation part on which nearly every answer was right: "
            "nothing in it spoke against more confidence."
        )
    notes.append(
        "Above each diagram stand the ECE uncalibrated, with temperature scaling and with isotonic regression. A "
        f"dot's area grows with its share of the examples; bins of fewer than {ENOUGH} are not drawn."
    )
    return " ".join(notes)


def _alternative(calibration: DatasetCalibration) -> str:
    errors = ", ".join(
        f"{cell.label} {' / '.join(_ece(cell, state) for state in STATES)}" for cell in calibration.cells
    )
    return (
        f"Reliability diagrams of {calibration.dataset}: accuracy against confidence for each model, before and "
        f"after temperature scaling and isotonic regression. Expected calibration error in this order: {errors}."
    )


def _ece(cell: CellCalibration, state: str) -> str:
    return decimals(cell.score(state, "calibration_error"), 3)
