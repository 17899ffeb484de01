"""The command line of a search: what spans searches, and what is searched."""

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import HydraContext

from crossover.core.errors import CrossoverError

_MODEL = "model."


def split(arguments: list[str], context: HydraContext) -> tuple[list[list[str]], dict[str, Any]]:
    """Split the overrides of a multirun.

    What is swept below `model.` is searched, in the notation of Hydra's Optuna sweeper: `choice(1,2)` or `1,2`,
    `range(1,10)`, `interval(0,1)`, `tag(log,interval(1e-4,1e-1))`, `int(interval(1,10))`. Any other sweep, as
    `model=random_forest,xgboost`, is a search for each of its values.

    Returns:
        the overrides of each search, and the search space that takes the place of the model's, if any.

    Raises:
        CrossoverError: a range outside `model.` has no end of values.
    """
    parsed = OverridesParser.create(config_loader=context.config_loader).parse_overrides(arguments)
    swept, rest = {}, []
    for override in parsed:
        key = override.get_key_element()
        if override.is_sweep_override() and key.startswith(_MODEL):
            swept[key.removeprefix(_MODEL)] = _parameter(override)
        elif override.is_sweep_override() and not override.is_discrete_sweep():
            raise CrossoverError(
                f"only values of the model, model.<key>, can be searched in a range, got {override.input_line} "
                "(the command line)"
            )
        else:
            rest.append(override)
    return BasicSweeper.split_arguments(rest, None)[0], swept


def _parameter(override: Override) -> dict[str, Any]:
    """An entry of a search space, from the distribution that Hydra's Optuna sweeper makes of an override."""
    from hydra_plugins.hydra_optuna_sweeper._impl import create_optuna_distribution_from_override
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if override.is_choice_sweep():
        return {"type": "categorical", "choices": list(override.sweep_iterator())}
    try:
        found = create_optuna_distribution_from_override(override)
    except ValueError as error:
        raise CrossoverError(
            f"{override.input_line} is no range to search: {error} (the command line)"
        ) from error
    if isinstance(found, CategoricalDistribution):
        return {"type": "categorical", "choices": list(found.choices)}
    kind = "int" if isinstance(found, IntDistribution) else "float"
    entry: dict[str, Any] = {"type": kind, "low": found.low, "high": found.high}
    if found.log:
        return {**entry, "log": True}
    return {**entry, "step": found.step} if found.step not in (None, 1) else entry
