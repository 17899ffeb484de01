"""The search space of a model: ranges in the grammar of Hydra's overrides, as its Optuna sweeper reads them.

`conf/search/<model>.yaml` holds them, and so does the command line, `model.learning_rate=interval(0,1)`:

    learning_rate: tag(log, interval(1e-5, 0.7))       # a key of the model's YAML, dotted
    estimator.max_depth: int(interval(1, 12))          # both ends included
    estimator.min_samples_leaf: range(1, 10, 3)        # 1, 4, 7
    estimator.criterion: choice(gini, entropy)
    estimator.max_features: sqrt, null, 0.3            # without choice(), which takes no null
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from crossover.core.errors import CrossoverError, first_line
from crossover.fitting.keys import DECLARATIONS, searchable, values_at

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from optuna.distributions import BaseDistribution

Value = Any
"""None, a boolean, a number, a string, or a list of these."""


@dataclass(frozen=True)
class SearchSpace:
    """The parameters of a search, in the order in which they are drawn.

    Attributes:
        ranges: by key, as they were written.
        distributions: by key, Optuna's; a choice that is a list stands there as its JSON text.
        model_config: the model's YAML, which holds the default values.
    """

    ranges: dict[str, str]
    distributions: "dict[str, BaseDistribution]"
    model_config: Mapping[str, Any]

    @classmethod
    def load(
        cls, ranges: Any, model_config: Mapping[str, Any], origin: str, model_origin: str
    ) -> "SearchSpace":
        """Read and check a search space.

        Args:
            ranges: by key, in Hydra's grammar.
            model_config: of the model's YAML, plain, overrides applied.
            origin: the file of the former, for messages.
            model_origin: the file of the latter.

        Raises:
            CrossoverError: a range is refused, or its key is none of the model's.
        """
        if not isinstance(ranges, Mapping) or not ranges:
            raise CrossoverError(
                f"a search space must hold at least one key of the model, got {ranges!r} ({origin}); "
                f"choose keys from {model_origin}"
            )
        for key in ranges:
            _require_searchable(str(key), model_config, f"{origin} names the key {key}", model_origin)
        return cls(
            {str(key): text for key, text in ranges.items()},
            {str(key): _distribution(str(key), text, origin) for key, text in ranges.items()},
            model_config,
        )

    def default(self) -> dict[str, Value]:
        """The values in the model's YAML, which may lie outside of the space."""
        return values_at(self.model_config, list(self.ranges))

    def encode(self, params: Mapping[str, Value]) -> "tuple[dict[str, Value], dict[str, BaseDistribution]]":
        """Values as Optuna stores them, and their distributions; what lies outside of the space is left out."""
        from optuna.distributions import CategoricalDistribution

        inside = {}
        for key, value in params.items():
            found = self.distributions[key]
            stored = json.dumps(value) if isinstance(value, list) else value
            is_bool = isinstance(stored, bool)  # true is not 1, though they are equal in Python
            if isinstance(found, CategoricalDistribution):
                holds = stored in [c for c in found.choices if isinstance(c, bool) == is_bool]
            else:
                is_number = isinstance(stored, int | float) and not is_bool
                holds = is_number and found._contains(float(stored))
            if holds:
                inside[key] = found.to_external_repr(found.to_internal_repr(stored))
        return inside, {key: self.distributions[key] for key in inside}

    def decode(self, stored: Mapping[str, Value]) -> dict[str, Value]:
        """The reverse of `encode`, in the space's order."""
        found = {key: stored[key] for key in self.ranges if key in stored}
        return {
            key: json.loads(value) if isinstance(value, str) and value.startswith("[") else value
            for key, value in found.items()
        }

    def grid(self, points: int) -> dict[str, list[Value]]:
        """The values of a grid search, encoded, for `optuna.samplers.GridSampler`.

        Args:
            points: values of a range, evenly spaced from end to end on its scale, or its middle where it is 1;
                fewer where rounding to the range's integers or steps makes some equal. Choices are all there.
        """
        from optuna.distributions import CategoricalDistribution

        shares = [i / (points - 1) for i in range(points)] if points > 1 else [0.5]
        grid: dict[str, list[Value]] = {}
        found: Any
        for key, found in self.distributions.items():
            if isinstance(found, CategoricalDistribution):
                grid[key] = list(found.choices)
                continue
            low, high, step = found.low, found.high, found.step
            if found.log:
                spread = [low * (high / low) ** share for share in shares]
            else:
                spread = [low + share * (high - low) for share in shares]
            if points > 1:  # exact, where a logarithm and back may lie outside
                spread[0], spread[-1] = low, high
            if step is not None:
                steps = (low + step * round((value - low) / step) for value in spread)
                spread = sorted({found.to_external_repr(value) for value in steps})
            grid[key] = spread
        return grid


def _require_searchable(key: str, model_config: Mapping[str, Any], source: str, model_origin: str) -> None:
    """Refuse a key that is no single value of the model's YAML, or one that says what the model is."""
    there = searchable(model_config)
    if key in there:
        return
    if any(part.startswith("_") for part in key.split(".")) or key.split(".")[0] in DECLARATIONS:
        raise CrossoverError(
            f"a search space must not change what the model is, but {source} ({model_origin}); take it out"
        )
    below = [name for name in there if name.startswith(f"{key}.")]
    if below:
        raise CrossoverError(
            f"a key of a search space must be a single value of the model, but {source}, which holds several "
            f"({model_origin}); choose one of {', '.join(below)}"
        )
    closest = sorted(there, key=lambda name: -SequenceMatcher(None, key, name).ratio())
    raise CrossoverError(
        f"a key of a search space must be one of the model's, but {source}, which {model_origin} does not have; "
        f"it has {', '.join(closest)}"
    )


def _distribution(key: str, text: Any, origin: str) -> "BaseDistribution":
    """Optuna's distribution of a range in Hydra's grammar; `ValueError` inside says what is wrong with it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from hydra_plugins.hydra_optuna_sweeper._impl import create_optuna_distribution_from_override
    from optuna.distributions import CategoricalDistribution

    try:
        override = OverridesParser.create().parse_override(f"{key}={text}")
        if not isinstance(text, str) or not override.is_sweep_override():
            raise ValueError("a single value is set in the model's YAML")
        if getattr(override.value(), "shuffle", False):
            raise ValueError("shuffled values would differ from one start of a search to the next")
        if override.is_choice_sweep():
            return CategoricalDistribution(_choices(override))
        found = create_optuna_distribution_from_override(override)
        if not isinstance(found, CategoricalDistribution):
            if not (math.isfinite(found.low) and math.isfinite(found.high)):
                raise ValueError("its ends are no finite numbers")
            if found.low == found.high:
                raise ValueError("it holds one value alone, which is set in the model's YAML")
    except (HydraException, ValueError, NotImplementedError) as error:
        raise CrossoverError(
            f"{key} must be a range or choices in Hydra's grammar, as tag(log, interval(1e-4, 1e-2)), "
            f"int(interval(1, 9)), choice(a, b) or a, null, got {text}: {first_line(error)} ({origin})"
        ) from error
    return found


def _choices(override: "Override") -> list[Value]:
    """The choices of an override, lists as JSON, since Optuna takes none."""
    from hydra.core.override_parser.types import QuotedString

    def plain(value: Any) -> Value:
        if isinstance(value, list):
            return [plain(item) for item in value]
        value = value.text if isinstance(value, QuotedString) else value
        if isinstance(value, dict) or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(
                f"choices are null, booleans, finite numbers, strings or lists of these, not {value}"
            )
        return value

    stored: list[Value] = []
    for choice in map(plain, override.sweep_iterator()):
        if isinstance(choice, str) and choice.startswith("["):
            raise ValueError(f"a text that begins with a bracket cannot be searched, as {choice}")
        text = json.dumps(choice) if isinstance(choice, list) else choice
        if text in stored:  # by plain equality, under which true is 1 is 1.0: Optuna cannot tell these apart
            raise ValueError(f"{choice} is there twice")
        stored.append(text)
    return stored
