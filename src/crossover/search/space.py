"""The search space of a model: `conf/search/<model>.yaml`.

    learning_rate:              # a key of the model's YAML, dotted
      type: float               # or int, or categorical
      low: 1.0e-5
      high: 0.7
      log: true                 # or step: 0.1
    estimator.max_samples:
      type: float
      low: 0.5
      high: 1.0
      when:                     # active only where all of these hold; a key above, or one that is not searched
        estimator.bootstrap: [true]
    estimator.max_features:
      type: categorical
      choices: [sqrt, null, 0.3]

A parameter that is not active keeps the value in the model's YAML.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from crossover.core.errors import CrossoverError
from crossover.fitting.keys import DECLARATIONS, leaves, searchable, set_at, value_at
from crossover.search.parameter import Parameter, Value, parse, same

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_NOT_TEXT = ("null", "true", "false", "nan", "inf")


@dataclass(frozen=True)
class SearchSpace:
    """The parameters of a search, in the order in which they are drawn.

    Attributes:
        parameters: by key.
        model_config: the model's YAML, which holds the values of all that is not searched.
    """

    parameters: dict[str, Parameter]
    model_config: dict[str, Any]

    @classmethod
    def load(
        cls, content: Any, model_config: Mapping[str, Any], origin: str, model_origin: str
    ) -> "SearchSpace":
        """Read and check a search space.

        Args:
            content: of the search space's YAML, plain.
            model_config: of the model's YAML, plain, overrides applied.
            origin: the file of the former, for messages.
            model_origin: the file of the latter.

        Raises:
            CrossoverError: the content is no search space, or does not fit the model.
        """
        if not isinstance(content, Mapping) or not content:
            raise CrossoverError(
                f"a search space must hold at least one key of the model, got {content!r} ({origin}); "
                f"choose keys from {model_origin}"
            )
        parameters: dict[str, Parameter] = {}
        for key, fields in content.items():
            _require_leaf(str(key), model_config, model_origin, f"{origin} names the key {key}")
            parameter = parse(str(key), fields, origin)
            _require_conditions(parameter, parameters, content, model_config, origin, model_origin)
            parameters[parameter.name] = parameter
        return cls(parameters, copy.deepcopy(dict(model_config)))

    @property
    def names(self) -> list[str]:
        """The keys, in order."""
        return list(self.parameters)

    def default(self) -> dict[str, Value]:
        """The values in the model's YAML; those of inactive parameters left out."""
        found: dict[str, Value] = {}
        for name, parameter in self.parameters.items():
            if self._is_active(parameter, found):
                found[name] = copy.deepcopy(value_at(self.model_config, name))
        return found

    def suggest(self, trial: "BaseTrial") -> dict[str, Value]:
        """The values that a trial gets; inactive parameters are neither asked for nor returned."""
        found: dict[str, Value] = {}
        for name, parameter in self.parameters.items():
            if self._is_active(parameter, found):
                found[name] = copy.deepcopy(parameter.suggest(trial))
        return found

    def distributions(self) -> dict[str, "BaseDistribution"]:
        """Optuna's distribution of each parameter, inactive ones included."""
        return {name: parameter.distribution() for name, parameter in self.parameters.items()}

    def encode(self, params: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, "BaseDistribution"]]:
        """Values as Optuna stores them, lists as JSON text.

        Args:
            params: values by key, as from `default` or `suggest`.

        Returns:
            Optuna's parameters, and their distributions. A value outside its range or choices is left out, as a
            default value may be.
        """
        held = [p for name, p in self.parameters.items() if name in params and p.holds(params[name])]
        return {p.name: p.encode(params[p.name]) for p in held}, {p.name: p.distribution() for p in held}

    def decode(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """The reverse of `encode`, in the space's order."""
        return {
            name: copy.deepcopy(parameter.decode(params[name]))
            for name, parameter in self.parameters.items()
            if name in params
        }

    def grid(self, points: int) -> dict[str, list[Value]]:
        """The values of a grid search, encoded, for `optuna.samplers.GridSampler`.

        Args:
            points: values of a range, evenly spaced from end to end on its scale, or its middle where it is 1;
                fewer where rounding to the range's integers or steps makes some equal. Choices are all there.

        Raises:
            CrossoverError: `points` is no positive integer.
        """
        if isinstance(points, bool) or not isinstance(points, int) or points < 1:
            raise CrossoverError(f"the points of a grid must be a positive integer, got {points!r}")
        return {name: parameter.grid(points) for name, parameter in self.parameters.items()}

    def overrides(self, params: Mapping[str, Value]) -> list[str]:
        """Hydra's overrides that give the model these values, `model.<key>=<value>`."""
        return [f"model.{name}={_hydra_text(value)}" for name, value in params.items()]

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The space as its YAML holds it, plain."""
        return {name: copy.deepcopy(parameter.fields) for name, parameter in self.parameters.items()}

    def apply(self, model_config: Mapping[str, Any], params: Mapping[str, Value]) -> dict[str, Any]:
        """A copy of a model's configuration with these values."""
        changed = copy.deepcopy(dict(model_config))
        for name, value in params.items():
            set_at(changed, name, value)
        return changed

    def _is_active(self, parameter: Parameter, found: Mapping[str, Value]) -> bool:
        """Whether the values found so far, the model's YAML where there is none, meet all conditions."""
        return all(
            any(same(found.get(key, value_at(self.model_config, key)), value) for value in values)
            for key, values in parameter.when.items()
        )


def _require_leaf(key: str, model_config: Mapping[str, Any], model_origin: str, source: str) -> None:
    """Refuse a key that is no value of the model's YAML, or one that cannot be searched."""
    there = searchable(model_config)
    if key in there:
        return
    if any(part.startswith("_") for part in key.split(".")) or key.split(".")[0] in DECLARATIONS:
        raise CrossoverError(
            f"a search space must not change what the model is, but {source} ({model_origin}); take it out"
        )
    if any(name.startswith(f"{key}.") for name in there):
        below = ", ".join(name for name in there if name.startswith(f"{key}."))
        raise CrossoverError(
            f"a key of a search space must be a single value of the model, but {source}, which holds several "
            f"({model_origin}); choose one of {below}"
        )
    raise _unknown(key, there, source, model_origin)


def _unknown(key: str, there: list[str], source: str, model_origin: str) -> CrossoverError:
    """The error for a key that is nowhere; the likeliest of those meant first."""
    closest = sorted(there, key=lambda name: -SequenceMatcher(None, key, name).ratio())
    return CrossoverError(
        f"a key of a search space must be one of the model's, but {source}, which {model_origin} does not have; "
        f"it has {', '.join(closest)}"
    )


def _require_conditions(
    parameter: Parameter,
    earlier: Mapping[str, Parameter],
    content: Mapping[Any, Any],
    model_config: Mapping[str, Any],
    origin: str,
    model_origin: str,
) -> None:
    """Refuse a condition on a key that is not known yet, or that can never hold."""
    for key, values in parameter.when.items():
        if key in content and key not in earlier:
            raise CrossoverError(
                f"{parameter.name}.when must refer to keys above it, got {key} ({origin}); "
                "change the order or take it out"
            )
        there = [name for name, _ in leaves(model_config)]
        if key not in there:
            raise _unknown(key, there, f"{parameter.name}.when in {origin} names {key}", model_origin)
        for value in values:
            if key in earlier and not _can_be(earlier[key], value, model_config):
                raise CrossoverError(
                    f"{parameter.name}.when.{key} must list values that {key} can take, got {value!r} "
                    f"({origin}); its search space is {earlier[key].fields}"
                )


def _can_be(parameter: Parameter, value: Value, model_config: Mapping[str, Any]) -> bool:
    """Whether a parameter can get a value, drawn or, where it can be inactive, from the model's YAML."""
    if parameter.holds(value):
        return True
    return bool(parameter.when) and same(value, value_at(model_config, parameter.name))


def _hydra_text(value: Value) -> str:
    """A value in the grammar of Hydra's overrides, read back as the same value of the same type."""
    if isinstance(value, list):
        return f"[{','.join(map(_hydra_text, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)  # null, true, and the shortest digits that give the same float
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(text=value, quote=Quote.single).with_quotes()
