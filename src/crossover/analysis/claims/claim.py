"""The textbook's claims, `conf/claims/*.yaml`.

    id: C3
    claim: the gap of about 2 points is the worth of spatial structure
    source: the textbook of this project
    datasets: [mnist]             # those that it is about; any: each of the study
    all_of:                       # what decides it; one that is clearly not met refutes the claim
    - quantity:
        kind: accuracy_difference # one of `AnyQuantity`; the other keys are its fields
        cells: {model: cnn}
        minus: {features: raw, model: random_forest}
      condition: {within: [0.015, 0.025]}   # or above, below, published, or reaches with tolerance
    for_comparison: []            # quantities that are shown and decide nothing; may be left out
    measure: dvc exp run -S 'datasets=[{datasets}]'   # what would measure it; {datasets}: where it is missing

A claim that the project cannot measure yet has `waits_for`, words that go after "it waits for", in place of
`all_of`, `for_comparison` and `measure`.
"""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from crossover.analysis.claims.cell_quantities import (
    Accuracy,
    AccuracyDifference,
    CostRatio,
    FeatureGain,
    HighestCost,
    Sensitivity,
)
from crossover.analysis.claims.conditions import Condition
from crossover.analysis.claims.curve_quantities import (
    DeepLeadsFrom,
    GainPerDoubling,
    Overfitting,
    SmallestLead,
)
from crossover.core.errors import CrossoverError
from crossover.core.settings import Settings, validated

ANY = "any"
"""In place of a list of data sets: each one of the study."""

AnyQuantity = Annotated[
    Accuracy
    | AccuracyDifference
    | CostRatio
    | DeepLeadsFrom
    | FeatureGain
    | GainPerDoubling
    | HighestCost
    | Overfitting
    | Sensitivity
    | SmallestLead,
    Field(discriminator="kind"),
]
"""A new quantity is a class and an entry here."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError(f"must be text, got {value!r}")
    return value


def _datasets(content: Any) -> list[str] | None:
    if content == ANY:
        return None
    if not isinstance(content, list) or not content or not all(isinstance(name, str) for name in content):
        raise ValueError(f"must be {ANY} or a list of names, got {content!r}")
    return list(dict.fromkeys(content))


Text = Annotated[str, AfterValidator(_text)]


class Criterion(Settings):
    """A quantity and what is required of it."""

    quantity: AnyQuantity
    condition: Condition


class Claim(Settings):
    """A file of `conf/claims/`.

    Attributes:
        id: such as "C3".
        claim: the sentence.
        source: where it comes from.
        datasets: names of those that it is about; None for any.
        all_of: what decides it; empty where it waits for something.
        for_comparison: quantities that are shown with the answer and decide nothing.
        measure: command that measures it, with {datasets} where the names go; empty where it waits for something.
        waits_for: what must be built before it can be measured; empty where nothing is missing.
    """

    id: Text
    claim: Text
    source: Text
    datasets: Annotated[list[str] | None, BeforeValidator(_datasets)]
    all_of: list[Criterion] = Field(default_factory=list, min_length=1)
    for_comparison: list[AnyQuantity] = Field(default_factory=list)
    measure: Text = ""
    waits_for: Text = ""

    @model_validator(mode="after")
    def _waits_or_is_measured(self) -> "Claim":
        if self.waits_for and (wrong := self.model_fields_set & {"all_of", "for_comparison", "measure"}):
            raise ValueError(
                f"must have waits_for in place of all_of and measure, got {', '.join(sorted(wrong))} too"
            )
        if not self.waits_for and (missing := {"all_of", "measure"} - self.model_fields_set):
            raise ValueError(
                f"must have all_of and measure, or waits_for, got no {' and no '.join(sorted(missing))}"
            )
        return self


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
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise CrossoverError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
        claim = validated(Claim, content, str(path))
        if claim.id in claims:
            raise CrossoverError(f"each claim must have an id of its own, got {claim.id} again ({path})")
        claims[claim.id] = claim
    return list(claims.values())
