"""What to try next: a pure function of the finished trials, the sampler and the seed."""

import hashlib
import json
from collections.abc import Callable, Iterable
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


def next_trial(
    earlier: Iterable["FrozenTrial"],
    space: SearchSpace,
    make_sampler: Callable[[int], "BaseSampler"],
    directions: list[Direction],
    seed: int,
) -> "FrozenTrial | None":
    """The next trial, as Optuna stores one that runs; its configuration was not tried before.

    The first is the default configuration. For the others, the sampler works on a copy of the earlier trials in
    memory and is seeded by the number of the trial, so that a search which was killed goes on with the very
    proposals of an undisturbed one.

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
        return _running(space, space.default(), {})
    own_seed = hashlib.sha256(f"{seed}:{len(trials)}".encode()).digest()[:4]
    study = optuna.create_study(
        directions=directions, sampler=make_sampler(int.from_bytes(own_seed, "big") >> 1)
    )
    study.add_trials(trials)
    tried = {trial.user_attrs[PARAMS] for trial in trials}
    for _ in range(_ATTEMPTS):
        trial = study.ask(space.distributions)
        params = space.decode(trial.params)
        if canonical(params) not in tried:
            # What the sampler keeps in the system attributes, it wants to find again in later trials.
            return _running(space, params, dict(study.trials[trial.number].system_attrs))
        try:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        except RuntimeError:  # how the sampler of a grid says that all of it was tried
            return None
    return None


def _running(space: SearchSpace, params: dict[str, Any], system_attrs: dict[str, Any]) -> "FrozenTrial":
    import optuna

    inside, distributions = space.encode(params)
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params=inside,
        distributions=distributions,
        user_attrs={PARAMS: canonical(params)},
        system_attrs=system_attrs,
    )


def canonical(params: dict[str, Any]) -> str:
    """Parameters as JSON, the same text for the same values."""
    return json.dumps(params, sort_keys=True)
