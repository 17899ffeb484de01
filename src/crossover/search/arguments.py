"""The command line of a search: what spans searches, and what is searched."""

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import HydraContext

from crossover.core.errors import CrossoverError

_MODEL = "model."


def split(arguments: list[str], context: HydraContext) -> tuple[list[list[str]], dict[str, str]]:
    """Split the overrides of a multirun.

    What is swept below `model.` is searched; `crossover.search.space` has the notation. Any other sweep, as
    `model=random_forest,xgboost`, is a search for each of its values.

    Returns:
        the overrides of each search, and the ranges that take the place of the model's search space, if any.

    Raises:
        CrossoverError: a range outside `model.` has no end of values.
    """
    ranges, rest = {}, []
    for override in OverridesParser.create(config_loader=context.config_loader).parse_overrides(arguments):
        key = override.get_key_element()
        if override.is_sweep_override() and key.startswith(_MODEL):
            _, _, ranges[key.removeprefix(_MODEL)] = str(override.input_line).partition("=")
        elif override.is_sweep_override() and not override.is_discrete_sweep():
            raise CrossoverError(
                f"only values of the model, model.<key>, can be searched in a range, got {override.input_line} "
                "(the command line)"
            )
        else:
            rest.append(override)
    return BasicSweeper.split_arguments(rest, None)[0], ranges
