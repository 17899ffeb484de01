"""The textbook's claims, `conf/claims/*.yaml`, and what the study answers to each.

    id: C3
    claim: the gap of about 2 points is the worth of spatial structure
    source: the textbook of this project
    datasets: [mnist]             # those that it speaks of; any: each of the study
    all_of:                       # what decides it; one that is clearly not met refutes the claim
    - quantity: accuracy_difference
      of:                         # the fields of the quantity: `quantities.QUANTITIES`
        cells: {model: cnn}
        minus: {features: raw, model: random_forest}
      condition: {within: [0.015, 0.025]}   # or above, below, or reaches with tolerance
    beside: []                    # quantities that are shown and decide nothing; may be left out
    measure: dvc exp run -S 'datasets=[{datasets}]'   # what would measure it; {datasets}: where it is missing

A claim that the project cannot measure yet has `waits_for`, words that go after "it waits for", in place of
`all_of`, `beside` and `measure`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from crossover.analysis.claims.conditions import Condition, build_condition
from crossover.analysis.claims.quantities import build_quantity
from crossover.analysis.claims.quantity import ClaimInputs, Estimate, NotMeasured, Quantity
from crossover.analysis.sensitivity import Answer
from crossover.core.errors import CrossoverError

NOT_MEASURED: Final = "not measured here"
ClaimAnswer = Answer | Literal["not measured here"]

ANY = "any"
"""In place of a list of data sets: each one of the study."""

_ALWAYS = {"id", "claim", "source", "datasets"}
_MEASURED = {"all_of", "measure"}


@dataclass(frozen=True)
class Criterion:
    """A quantity and what is asked of it."""

    quantity: Quantity
    condition: Condition


@dataclass(frozen=True)
class Claim:
    """A file of `conf/claims/`.

    Attributes:
        id: such as "C3".
        claim: its words.
        source: where they stand.
        datasets: names of those that it speaks of; None for any.
        all_of: what decides it; empty where it waits for something.
        beside: quantities that are shown with the answer and decide nothing.
        measure: command that measures it, with {datasets} where the names go; empty where it waits for something.
        waits_for: what must be built before it can be measured; empty where nothing is missing.
    """

    id: str
    claim: str
    source: str
    datasets: tuple[str, ...] | None
    all_of: tuple[Criterion, ...] = ()
    beside: tuple[Quantity, ...] = ()
    measure: str = ""
    waits_for: str = ""

    def command(self, datasets: list[str]) -> str:
        """What to type to measure the claim on these data sets."""
        return self.measure.replace("{datasets}", ",".join(datasets))


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class Finding:
    """A criterion on one data set.

    Attributes:
        criterion: of the claim.
        estimate: what was measured, or why nothing was.
        answer: whether the condition is met.
    """

    criterion: Criterion
    estimate: Estimate | NotMeasured
    answer: ClaimAnswer


@dataclass(frozen=True, eq=False)
class AnsweredClaim:
    """A claim on one data set.

    Attributes:
        claim: the claim.
        dataset: name; None where the claim waits for something, on whatever data.
        answer: to the claim as a whole.
        findings: one a criterion; empty where the study does not have the data set.
        beside: what else was measured.
    """

    claim: Claim
    dataset: str | None
    answer: ClaimAnswer
    findings: tuple[Finding, ...] = ()
    beside: tuple[Estimate, ...] = ()

    @property
    def missing(self) -> list[NotMeasured]:
        """What keeps the claim from being answered; empty where the study does not have the data set."""
        return [f.estimate for f in self.findings if isinstance(f.estimate, NotMeasured)]

    @property
    def measured(self) -> list[tuple[Criterion, Estimate, ClaimAnswer]]:
        """The criteria that have a value, each with it and its answer."""
        return [
            (f.criterion, f.estimate, f.answer) for f in self.findings if isinstance(f.estimate, Estimate)
        ]


def answer_claims(claims: list[Claim], inputs: list[ClaimInputs]) -> list[AnsweredClaim]:
    """Answer each claim on each data set that it speaks of.

    Args:
        claims: from `load_claims`.
        inputs: one a data set of the study.

    Returns:
        By claim and then by data set; a claim that waits for something once.
    """
    study = {one.dataset: one for one in inputs}
    answers = []
    for claim in claims:
        if claim.waits_for:
            answers.append(AnsweredClaim(claim, None, NOT_MEASURED))
            continue
        for dataset in study if claim.datasets is None else claim.datasets:
            there = study.get(dataset)
            answers.append(_answer(claim, there) if there else AnsweredClaim(claim, dataset, NOT_MEASURED))
    return answers


def _answer(claim: Claim, inputs: ClaimInputs) -> AnsweredClaim:
    findings = tuple(_finding(criterion, inputs) for criterion in claim.all_of)
    beside = [quantity.measure(inputs) for quantity in claim.beside]
    shown = tuple(estimate for estimate in beside if isinstance(estimate, Estimate))
    return AnsweredClaim(claim, inputs.dataset, _together([f.answer for f in findings]), findings, shown)


def _finding(criterion: Criterion, inputs: ClaimInputs) -> Finding:
    estimate = criterion.quantity.measure(inputs)
    if isinstance(estimate, NotMeasured):
        return Finding(criterion, estimate, NOT_MEASURED)
    return Finding(criterion, estimate, criterion.condition.answer(estimate))


def _together(answers: list[ClaimAnswer]) -> ClaimAnswer:
    """One criterion that is clearly not met refutes the claim, whatever is known of the others."""
    order: list[ClaimAnswer] = ["does not hold", NOT_MEASURED, "undecided", "holds"]
    return next(answer for answer in order if answer in answers)


def load_claims(folder: Path) -> list[Claim]:
    """Read every claim of a folder, in the order of the file names.

    Raises:
        CrossoverError: the folder holds no YAML, a file is no claim, or two claims have the same id.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise CrossoverError(f"{folder} must hold at least one claim, <id>.yaml; run from the project's root")
    claims: dict[str, Claim] = {}
    for path in paths:
        claim = _load(path)
        if claim.id in claims:
            raise CrossoverError(f"each claim must have an id of its own, got {claim.id} again ({path})")
        claims[claim.id] = claim
    return list(claims.values())


def _load(path: Path) -> Claim:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _claim(content)
    except yaml.YAMLError as error:
        raise CrossoverError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    except CrossoverError as error:
        raise CrossoverError(f"{error} ({path})") from error


def _claim(content: Any) -> Claim:
    given = content if isinstance(content, dict) else {}
    waits = "waits_for" in given
    _require_keys(given, _ALWAYS | ({"waits_for"} if waits else _MEASURED), set() if waits else {"beside"})
    words = _ALWAYS - {"datasets"} | ({"waits_for"} if waits else {"measure"})
    for key in sorted(words):
        if not isinstance(given[key], str) or not given[key].strip():
            raise CrossoverError(f"{key} must be text, got {given[key]!r}")
    parts = {key: given[key] for key in words} | {"datasets": _datasets(given["datasets"])}
    if waits:
        return Claim(**parts)
    beside = tuple(_quantity(entry, set()) for entry in _entries("beside", given.get("beside", []), 0))
    criteria = tuple(
        Criterion(_quantity(entry, {"condition"}), build_condition(entry["condition"]))
        for entry in _entries("all_of", given["all_of"], 1)
    )
    return Claim(**parts, all_of=criteria, beside=beside)


def _datasets(content: Any) -> tuple[str, ...] | None:
    if content == ANY:
        return None
    if not isinstance(content, list) or not content or not all(isinstance(name, str) for name in content):
        raise CrossoverError(f"datasets must be {ANY} or a list of names, got {content!r}")
    return tuple(dict.fromkeys(content))


def _entries(key: str, content: Any, least: int) -> list[dict[str, Any]]:
    listed = isinstance(content, list) and all(isinstance(entry, dict) for entry in content)
    if not listed or len(content) < least:
        raise CrossoverError(f"{key} must be a list of quantities, got {content!r}")
    entries: list[dict[str, Any]] = content
    return entries


def _quantity(entry: dict[str, Any], more: set[str]) -> Quantity:
    _require_keys(entry, {"quantity"} | more, {"of"})
    of = entry.get("of", {})
    if not isinstance(of, dict):
        raise CrossoverError(f"of must hold the fields of the quantity {entry['quantity']}, got {of!r}")
    return build_quantity(entry["quantity"], of)


def _require_keys(given: dict[str, Any], required: set[str], optional: set[str]) -> None:
    wrong = sorted(map(str, (required - set(given)) | (set(given) - required - optional)))
    if wrong:
        keys = ", ".join(sorted(required | optional))
        raise CrossoverError(f"a claim must have the keys {keys} there; check {', '.join(wrong)}")
