"""The quantities by the names that a claim's YAML calls them; a new one is a class and an entry here."""

from dataclasses import MISSING, fields
from typing import Any

from crossover.analysis.claims.cell_quantities import (
    Accuracy,
    AccuracyDifference,
    CostRatio,
    FeatureGain,
    HighestCost,
    Sensitivity,
)
from crossover.analysis.claims.curve_quantities import (
    DeepLeadsFrom,
    GainPerDoubling,
    Overfitting,
    SmallestLead,
)
from crossover.analysis.claims.quantity import Quantity, Selection
from crossover.core.errors import CrossoverError

QUANTITIES: dict[str, type] = {
    "accuracy": Accuracy,
    "accuracy_difference": AccuracyDifference,
    "cost_ratio": CostRatio,
    "deep_leads_from": DeepLeadsFrom,
    "feature_gain": FeatureGain,
    "gain_per_doubling": GainPerDoubling,
    "highest_cost": HighestCost,
    "overfitting": Overfitting,
    "sensitivity": Sensitivity,
    "smallest_lead": SmallestLead,
}


def build_quantity(name: Any, of: dict[str, Any]) -> Quantity:
    """The quantity of a claim.

    Args:
        name: a key of `QUANTITIES`.
        of: its fields, as YAML holds them.

    Raises:
        CrossoverError: there is no such quantity, a key is unknown or missing, or a value is wrong.
    """
    if name not in QUANTITIES:
        raise CrossoverError(f"quantity must be one of {', '.join(QUANTITIES)}, got {name!r}")
    known = fields(QUANTITIES[name])
    required = {field.name for field in known if field.default is MISSING}
    wrong = sorted(map(str, (set(of) - {field.name for field in known}) | (required - set(of))))
    if wrong:
        keys = ", ".join(field.name for field in known) or "no keys"
        raise CrossoverError(f"the quantity {name} takes {keys}; check {', '.join(wrong)}")
    cells = {field.name for field in known if field.type is Selection}
    built: Quantity = QUANTITIES[name](
        **{k: Selection.parse(value) if k in cells else value for k, value in of.items()}
    )
    return built
