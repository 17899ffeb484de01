"""The soft vote of a family: the mean of the probabilities of its best models, chosen on validation rows."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import numpy as np

from crossover.core.cell import DEFAULT, FAMILIES, LEARNED, Cell
from crossover.core.files import digest
from crossover.core.fits import FitCosts, FitRecord, Repetitions, ValidationScores, validation_order
from crossover.core.study import NOT_APPLICABLE, OK
from crossover.data.prepared import Prepared
from crossover.evaluation.rows import ScoredFit, ScoredRepetitions
from crossover.models.base import Complexity
from crossover.scoring.judge import evaluate
from crossover.scoring.latency import PredictionCost


def soft_vote(
    cell: Cell,
    scored: list[ScoredRepetitions],
    validation: Mapping[Cell, Mapping[int, np.ndarray]],
    most: int,
    prepared: Prepared,
) -> ScoredRepetitions:
    """Score the vote of the best cells of a family at a level of effort.

    It applies where both families have at least two cells: a vote in one of them alone would give it more effort than
    the other one had. Its costs are those of its voters, one after the other; features that several of them take are
    made once.

    Args:
        cell: of the vote; its family and its variant say whose vote it is.
        scored: the cells of the study, those that do not apply too.
        validation: of each cell that applies, by repetition, its probabilities for the validation rows, float32
            (n_validation, n_classes).
        most: how many cells vote, where there are so many.
        prepared: the data set.
    """
    allowed = [one for one in scored if one.fits and one.cell.variant in (DEFAULT, cell.variant)]
    counts = {family: sum(one.cell.family == family for one in allowed) for family in FAMILIES}
    few = min(FAMILIES, key=lambda family: counts[family])
    if counts[few] < 2:
        reason = f"a vote needs two models in each family, {cell.dataset} has {counts[few]} {few}"
        return ScoredRepetitions(Repetitions(cell, NOT_APPLICABLE, reason, False, []), [], [])

    def order(one: ScoredRepetitions) -> tuple[float, float]:
        metrics = [scores.metrics for scores in one.validation]
        return validation_order(
            *(
                float(np.mean([m.get(name, np.nan) for m in metrics]))
                for name in (prepared.meta.metric, "log_loss")
            )
        )

    voters = sorted((one for one in allowed if one.cell.family == cell.family), key=order)[:most]
    stochastic = any(one.record.stochastic for one in voters)
    seeds = [fit.seed for fit in max((one.fits for one in voters), key=len)]
    fits = []
    for seed in seeds:
        of_voters = [next((fit for fit in one.fits if fit.seed == seed), one.fits[0]) for one in voters]
        fits.append(_voted(of_voters, [one.cell.features for one in voters], seed))
    return ScoredRepetitions(
        Repetitions(cell, OK, "", stochastic, seeds),
        _validated(voters, validation, prepared),
        fits,
    )


def _validated(
    voters: list[ScoredRepetitions],
    validation: Mapping[Cell, Mapping[int, np.ndarray]],
    prepared: Prepared,
) -> list[ValidationScores]:
    """The vote on the validation rows of each repetition in which all voters were scored on them."""
    by_seed = [{scores.seed: scores for scores in one.validation} for one in voters]
    found = []
    for seed in sorted(set.intersection(*(set(one) for one in by_seed))):
        split, first = prepared.of(seed), by_seed[0][seed]
        labels = split.labels("train")[split.validation_rows(seed)]
        metrics = evaluate(labels, np.mean([validation[one.cell][seed] for one in voters], axis=0))
        known = {name: value for name, value in metrics.items() if not np.isnan(value)}
        problems = [
            f"{one.cell.label} votes in it, and of that: {scores[seed].problem}"
            for one, scores in zip(voters, by_seed, strict=True)
            if scores[seed].problem
        ]
        found.append(ValidationScores(seed, first.n_train, first.n_validation, known, "; ".join(problems)))
    return found


def _voted(fits: list[ScoredFit], features: list[str], seed: int) -> ScoredFit:
    """The vote of one fit of each voter, whose feature sets are `features`."""
    made_before = [name != LEARNED and name in features[:place] for place, name in enumerate(features)]
    proba = np.mean([fit.proba for fit in fits], axis=0)
    first, units = fits[0], {fit.complexity.unit for fit in fits if fit.complexity}
    return ScoredFit(
        seed=seed,
        fit=None,
        record=FitRecord(
            fit_id=digest([fit.record.fit_id for fit in fits]),
            n_train=first.record.n_train,
            n_watched=max(fit.record.n_watched for fit in fits),
            data_checksum=first.record.data_checksum,
        ),
        y_true=first.y_true,
        proba=proba,
        metrics=evaluate(first.y_true, proba),
        costs=_all_fits([fit.costs for fit in fits], made_before),
        cost=_all_predictions([fit.cost for fit in fits], made_before),
        # Of nodes and stored values there is no sum.
        complexity=Complexity(sum(fit.complexity.count for fit in fits if fit.complexity), units.pop())
        if len(units) == 1
        else None,
        model_bytes=sum(fit.model_bytes for fit in fits),
    )


def _all_fits(costs: list[FitCosts], made_before: list[bool]) -> FitCosts:
    """The costs of several fits, without those of features that an earlier one made."""
    own = [
        one.with_features(-one.features_seconds) if before else one
        for one, before in zip(costs, made_before, strict=True)
    ]
    devices = ", ".join(dict.fromkeys(one.device for one in own))
    return replace(reduce(lambda done, one: one.after(done), own), device=devices)


def _all_predictions(costs: list[PredictionCost], made_before: list[bool]) -> PredictionCost:
    """Likewise; the 95th percentile is at most the sum of theirs."""

    def milliseconds(name: str) -> float:
        return sum(
            max(getattr(cost, name) - (cost.features_p50_ms if before else 0.0), 0.0)
            for cost, before in zip(costs, made_before, strict=True)
        )

    def per_second(name: str) -> float:
        return 1 / sum(
            max(
                1 / getattr(cost, name)
                - (1 / cost.features_per_s if before and cost.features_per_s else 0.0),
                0.0,
            )
            for cost, before in zip(costs, made_before, strict=True)
        )

    features = [
        cost.features_per_s
        for cost, before in zip(costs, made_before, strict=True)
        if cost.features_per_s and not before
    ]
    return PredictionCost(
        **{
            name: milliseconds(name)
            for name in (
                "latency_p50_ms",
                "latency_p50_ms_low",
                "latency_p50_ms_high",
                "latency_p95_ms",
                "features_p50_ms",
            )
        },
        **{
            name: per_second(name)
            for name in ("throughput_per_s", "throughput_per_s_low", "throughput_per_s_high")
        },
        features_per_s=1 / sum(1 / value for value in features) if features else None,
    )
