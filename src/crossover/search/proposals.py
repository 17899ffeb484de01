"""What to try next: a pure function of the finished trials, the sampler and the seed."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossover.search.plan import Direction
from crossover.search.space import SearchSpace

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

PARAMS = "params"
"""Key under which a trial keeps its parameters as JSON, those that lie outside the search space included."""

_ATTEMPTS = 200
"""New draws until a configuration is found that was not tried; a space that gives none is exhausted."""


@dataclass(frozen=True)
class Proposal:
    """A configuration to try.

    Attributes:
        params: dotted key of the model's YAML to value; empty for the default configuration where nothing of it
            is searched.
        system_attrs: what the sampler wants to find again in later trials.
    """

    params: dict[str, Any]
    system_attrs: dict[str, Any]


def propose(
    earlier: Iterable["FrozenTrial"],
    space: SearchSpace,
    make_sampler: Callable[[int], "BaseSampler"],
    directions: list[Direction],
    seed: int,
) -> Proposal | None:
    """The next configuration, one that was not tried before.

    The sampler works on a copy of the trials in memory and is seeded by the number of the trial, so that a search
    which was killed goes on with the very proposals of an undisturbed one.

    Args:
        earlier: all trials so far, finished or running.
        space: what is searched.
        make_sampler: builds the sampler from a seed.
        directions: of the objectives.
        seed: of the search.

    Returns:
        None where the space has no further configuration.
    """
    import optuna

    trials = list(earlier)
    if not trials:
        return Proposal(space.default(), {})
    sampler = make_sampler(_stream(seed, len(trials)))
    study = optuna.create_study(directions=directions, sampler=sampler)
    study.add_trials(trials)
    tried = {trial.user_attrs[PARAMS] for trial in trials}
    for _ in range(_ATTEMPTS):
        trial = study.ask()
        params = space.suggest(trial)
        if canonical(params) not in tried:
            return Proposal(params, dict(study.trials[trial.number].system_attrs))
        try:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        except RuntimeError:  # how the sampler of a grid says that all of it was tried
            return None
    return None


def canonical(params: dict[str, Any]) -> str:
    """Parameters as JSON, the same text for the same values."""
    return json.dumps(params, sort_keys=True)


def _stream(seed: int, number: int) -> int:
    """An own seed for each trial."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{number}".encode()).digest()[:4], "big") >> 1
