"""What a data set of the user's is taken for: one decision a line, with its reason and the option that changes it."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossover.core.errors import CrossoverError
from crossover.core.metric import ACCURACY, WORDS, Metric
from crossover.data.splits import Protocol

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.I)

CLASSIFICATION = "classification"

NO_REGRESSION = (
    "this project compares classifiers, so make classes of a number, such as quarters of its range"
)


@dataclass(frozen=True)
class Decision:
    """One thing that was decided about the data.

    Attributes:
        what: it is about: "target".
        value: what was decided.
        reason: why.
        option: of the command line, that decides otherwise; empty where there is none.
    """

    what: str
    value: str
    reason: str
    option: str = ""

    def __str__(self) -> str:
        otherwise = f"; {self.option}" if self.option else ""
        return f"{self.what}: {self.value} ({self.reason}{otherwise})"


@dataclass(frozen=True)
class Options:
    """What the command line says about the data; None where it says nothing.

    Attributes:
        name: of the data set.
        target: the column of the labels.
        test: a file or folder that holds the test part.
        drop: columns that are left out.
        sample: so many examples of the training part at most.
        separator: between the values of a text.
        size: pixels of the longer side of an image at most.
        text: the column of the texts.
        groups: a column whose equal values stay in one part, or "auto" for equal examples.
        time: a column by which the latest rows are tested.
        test_fraction: share of the examples that are tested.
    """

    name: str
    target: str | None = None
    test: Path | None = None
    drop: tuple[str, ...] = ()
    sample: int | None = None
    separator: str | None = None
    size: int | None = None
    text: str | None = None
    groups: str | None = None
    time: str | None = None
    test_fraction: float | None = None


@dataclass
class Description:
    """A data set as it will be used.

    Attributes:
        yaml: what `conf/dataset/<name>.yaml` will hold.
        modality: "table", "image" or "text".
        n_train: examples of the training part, or of all where there is no test part.
        n_columns: of a table; pixels times channels of an image; the mean number of words of a text.
        n_classes: of the target.
        has_test: whether the data have a test part of their own.
        counts: examples of each class in the training part, or of all, by the order of the classes.
        decisions: in the order in which they were made.
        y: int64 (n,), labels of the rows where all were looked at and have groups or times; else None.
        groups: int64 (n,) of the same rows, see `RawData`.
        times: float64 (n,), likewise.
        channels: of an image.
        copies: where the files lie that the data set consists of, by the path below its folder; None where the file or
            folder that was named is copied as it is.
    """

    yaml: dict[str, Any]
    modality: str
    n_train: int
    n_columns: int
    n_classes: int
    has_test: bool
    counts: list[int]
    decisions: list[Decision] = field(default_factory=list)
    y: np.ndarray | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    channels: int = 1
    copies: dict[str, Path] | None = None


def require_enough(found: Description, protocol: Protocol) -> None:
    """Refuse data whose classes are too small to be split as the protocol asks.

    Raises:
        CrossoverError: it names the smallest class, or what is wrong with groups or times.
    """
    protocol = protocol.with_test_fraction(found.yaml.get("test_fraction"), "--test")
    y = np.repeat(np.arange(len(found.counts)), found.counts) if found.y is None else found.y
    try:
        if found.has_test:
            protocol.validation_rows(y, groups=found.groups, times=found.times)
        else:
            protocol.splits(y, found.groups, found.times)
    except CrossoverError as error:
        if found.y is not None:
            raise
        least = min(found.counts)
        name = found.yaml["classes"][found.counts.index(least)]
        raise CrossoverError(
            f"each class must have enough examples to be split into training, validation and test rows, got {least} of "
            f"{name!r}; collect more, join the class with another one, or leave it out"
        ) from error


def decide_task(found: Description, given: str) -> None:
    """Add to a description that classes are told apart.

    Args:
        found: the description.
        given: what the command line names.

    Raises:
        CrossoverError: that is another task.
    """
    if given != CLASSIFICATION:
        raise CrossoverError(f"--task must be {CLASSIFICATION}, got {given}: {NO_REGRESSION}")
    classes = [str(name) for name in found.yaml["classes"]]
    reason = f"there are {len(classes)} classes"
    if len(classes) > 2 and all(map(NUMBER.fullmatch, classes)):
        reason = f"{len(classes)} numbers are taken for classes, whatever their order"
    found.decisions.append(Decision("task", CLASSIFICATION, reason))


def decide_metric(found: Description, given: Metric | None, most: float) -> None:
    """Add to a description the metric by which its models are chosen and compared.

    Args:
        found: the description.
        given: what the command line names; None where it names nothing.
        most: share of the largest class above which accuracy says little.
    """
    largest = max(found.counts)
    share = largest / sum(found.counts)
    name = found.yaml["classes"][found.counts.index(largest)]
    metric: Metric = given or ("balanced_accuracy" if share > most else ACCURACY)
    if given:
        reason = "--metric"
    elif metric == ACCURACY:
        reason = f"no class has more than {most:.0%} of the examples"
    else:
        reason = f"{share:.0%} of the examples are {name!r}, and a model that always says so would be right so often"
    if given or metric != ACCURACY:
        found.yaml["metric"] = metric
    found.decisions.append(
        Decision("metric", WORDS[metric], reason, "" if given else "--metric names another one")
    )


def limit_and_split(
    yaml: dict[str, Any], options: Options, n_train: int, examples: str, decisions: list[Decision]
) -> int:
    """Add what the options say about data without columns: how many are trained on, groups, the share that is tested.

    Args:
        yaml: where the keys are added.
        options: of the command line.
        n_train: examples of the training part.
        examples: what they are, as "images".
        decisions: where it is said.

    Returns:
        how many examples are trained on.
    """
    if options.groups is not None:
        yaml["groups"] = options.groups
        decisions.append(Decision("groups", f"equal {examples}", "--groups auto: they are in one part"))
    if options.test_fraction is not None:
        yaml["test_fraction"] = options.test_fraction
        decisions.append(Decision("test part", f"{options.test_fraction:g} of the {examples}", "--test"))
    if options.sample is None or options.sample >= n_train:
        return n_train
    yaml["sample"] = options.sample
    decisions.append(Decision("examples", f"{options.sample:,}", "--sample", "leave it out for all"))
    return options.sample


def choose(question: str, answers: list[str], advice: str) -> str:
    """Ask on a terminal which of several answers is right.

    Raises:
        CrossoverError: nobody can answer, or the answer is none of them.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CrossoverError(f"{question} cannot be told from the data; {advice}")
    shown = ", ".join(answers[:20]) + (", …" if len(answers) > 20 else "")
    sys.stderr.write(f"{question}? One of: {shown}\n> ")
    given = sys.stdin.readline().strip()
    if given not in answers:
        raise CrossoverError(f"{question} must be one of {shown}, got {given!r}; {advice}")
    return given
