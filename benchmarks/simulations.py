"""What the report says of made-up studies whose truth is known: how often it is wrong, and what it misses.

    python benchmarks/simulations.py             # all tables, in Markdown; --studies says how many studies a row
    python benchmarks/simulations.py verdict     # one of them: verdict, splits, crossover, few_repetitions, map

Each study draws right and wrong answers, and passes them to the functions that the report itself uses.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import norm
from sklearn.base import ClassifierMixin, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.tree import DecisionTreeClassifier

from crossover.analysis.bootstrap import bootstrap, resampled_means
from crossover.analysis.crossing import Crossover, crossover, simultaneous_band
from crossover.analysis.crossover_map import crossover_map
from crossover.analysis.curves import Curve, DatasetCurves
from crossover.analysis.label_advice import Extrapolation
from crossover.analysis.power_law import extrapolated_crossing, fit_power_law
from crossover.analysis.statistics import CONFIDENCE, Interval, around_zero, percentile_interval
from crossover.core.cell import FAMILIES, Cell, Family
from crossover.core.columns import MOMENTS
from crossover.core.numbers import MISSING
from crossover.data.splits import Protocol

DRAWS = 1000
EQUIVALENCE = 0.005  # of conf/decision/default.yaml

REPETITIONS = 5
COMMON = 0.8
"""Share of the variance that cells have in common: how hard an example is. The rest is the cell's own, nine tenths of
it the same in all of its repetitions."""

TEST_PARTS = [(143, 215), (450, 720), (10_000, 6000)]
"""Examples of the test part, and of all validation parts together: about those of breast_cancer, digits, MNIST."""


def answers(rng: np.random.Generator, accuracies: np.ndarray, n: int, repetitions: int) -> np.ndarray:
    """Right answers of cells that find the same examples hard: bool (cells, repetitions, n)."""
    cells, own = len(accuracies), 1 - COMMON
    ease = np.sqrt(COMMON) * rng.standard_normal((1, 1, n), dtype=np.float32)
    of_cell = np.sqrt(0.9 * own) * rng.standard_normal((cells, 1, n), dtype=np.float32)
    of_fit = np.sqrt(0.1 * own) * rng.standard_normal((cells, repetitions, n), dtype=np.float32)
    return ease + of_cell + of_fit < norm.ppf(accuracies)[:, None, None]


def verdict(studies: int) -> Iterator[str]:
    """Who leads, where the best of a family is chosen on validation rows, and where it is chosen on the test part."""
    yield (
        "| cells: deep, classical | true lead, points | test | studies | true lead found | false lead | coverage "
        "| chosen on test: found | false lead | coverage |"
    )
    yield "|--|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    scenarios = [
        (n_deep, n_classical, lead)
        for lead in (0.0, 0.02)
        for n_deep, n_classical in ((1, 1), (10, 10), (10, 2), (2, 10))
    ]
    for number, (n_deep, n_classical, lead) in enumerate(scenarios):
        accuracies = np.repeat([0.95 + lead, 0.95], [n_deep, n_classical])
        for n_test, n_validation in TEST_PARTS:
            found = Parallel(n_jobs=-1)(
                delayed(outcomes)([number, n_test, study], accuracies, n_deep, n_test, n_validation)
                for study in range(studies)
            )
            cells = " | ".join(f"{share:.1%}" for share in np.mean(found, axis=0).ravel())
            yield f"| {n_deep}, {n_classical} | {100 * lead:g} | {n_test:,} | {studies:,} | {cells} |"


def outcomes(
    seed: list[int], accuracies: np.ndarray, n_deep: int, n_test: int, n_validation: int
) -> list[tuple[bool, bool, bool]]:
    """True lead found, false lead, interval holds the lead: of the best on validation rows, then on the test part."""
    rng = np.random.default_rng(seed)
    lead = accuracies[0] - accuracies[-1]
    validation = answers(rng, accuracies, n_validation, 1)[:, 0].mean(axis=1)
    test = answers(rng, accuracies, n_test, REPETITIONS)
    chosen = [
        (score[:n_deep].argmax(), n_deep + score[n_deep:].argmax())
        for score in (validation, test.mean(axis=(1, 2)))
    ]
    found = {}
    draws = bootstrap(list(test), draws=DRAWS)

    def between(deep: int, classical: int) -> Interval:
        return percentile_interval(draws[:, deep] - draws[:, classical])

    for deep, classical in set(chosen):
        interval = between(deep, classical)
        told = not around_zero(interval, EQUIVALENCE)
        # A lead must hold against each cell of the family behind that is as good on validation rows.
        deep_ahead = interval.low > 0
        behind = np.arange(n_deep, len(accuracies)) if deep_ahead else np.arange(n_deep)
        best = validation[behind].max()
        rivals = behind[validation[behind] >= best - np.sqrt(best * (1 - best) / n_validation)]
        told = told and all(
            between(deep, rival).low > 0 if deep_ahead else between(rival, classical).high < 0
            for rival in rivals
        )
        right = told and lead > 0 and interval.low > 0
        found[deep, classical] = (right, told and not right, interval.low <= lead <= interval.high)
    return [found[pair] for pair in chosen]


def splits(studies: int) -> Iterator[str]:
    """Two learners on data sets without a publisher's test part: leads that are told and are not there.

    Each learner has its own half of the columns. Where both halves separate the classes equally well, the learners are
    equal on average over the data sets that might have been drawn, and every lead is false. The truth of the other
    rows is the mean over all studies.
    """
    yield (
        "| learner | examples | true lead, points | studies | 8 splits: false lead | true lead found | coverage "
        "| first split alone, bootstrap: false lead | coverage |"
    )
    yield "|--|--:|--:|--:|--:|--:|--:|--:|--:|"
    scenarios = [
        (learner, n, gap)
        for gap in (0.0, 0.4)
        for learner in (
            LinearDiscriminantAnalysis(),
            DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
        )
        for n in (570, 1800)
    ]
    for number, (learner, n, gap) in enumerate(scenarios):
        found = Parallel(n_jobs=-1)(
            delayed(split_outcomes)([number, study], learner, n, gap) for study in range(studies)
        )
        lead = np.mean([difference for difference, *_ in found]) if gap else 0.0
        rates = []
        for which in (1, 2):
            intervals: list[Interval] = [outcome[which] for outcome in found]
            told = [not around_zero(interval, EQUIVALENCE) for interval in intervals]
            right = [t and lead > 0 and interval.low > 0 for t, interval in zip(told, intervals, strict=True)]
            rates += [np.mean(told) - np.mean(right), np.mean(right), np.mean([lead in i for i in intervals])]
        del rates[4]  # that the first split alone finds the lead
        cells = " | ".join(f"{rate:.1%}" for rate in rates)
        name = type(learner).__name__
        yield f"| {name} | {n:,} | {100 * lead:.1f} | {studies:,} | {cells} |"


def split_outcomes(
    seed: list[int], learner: ClassifierMixin, n: int, gap: float
) -> tuple[float, Interval, Interval]:
    """One study: the mean difference, its interval, and that of the first split alone."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    halves = [rng.normal(0.5 * y[:, None] * strength, 1, (n, 10)) for strength in (1 + gap, 1)]
    protocol = Protocol(
        test_fraction=0.25,
        test_parts=8,
        never_tested=0.25,
        validation_fraction=0.1,
        repetitions=1,
        split_seed=0,
    )
    parts = protocol.splits(y)
    right = [
        np.stack([clone(learner).fit(X[s.train], y[s.train]).predict(X[s.test]) == y[s.test] for s in parts])
        for X in halves
    ]
    overlap = len(parts[0].test) / (n * (1 - protocol.never_tested))
    draws = [bootstrap(right, overlap, draws=DRAWS), bootstrap([r[:1] for r in right], draws=DRAWS)]
    intervals = [percentile_interval(d[:, 0] - d[:, 1]) for d in draws]
    return float(right[0].mean() - right[1].mean()), intervals[0], intervals[1]


def curve_answers(
    rng: np.random.Generator, accuracies: np.ndarray, repetitions: int, n_test: int
) -> np.ndarray:
    """Right answers on curves of accuracies (2, S), with subsets that suit one by chance: bool (2, S, R, n_test)."""
    n_sizes = accuracies.shape[1]
    scatter = 0.005 * np.geomspace(1, 0.1, n_sizes)[:, None]
    by_chance = scatter * rng.standard_normal((2, n_sizes, repetitions))
    difficulty = 0.05 * (rng.random(n_test) - 0.5)
    return (
        rng.random((2, n_sizes, repetitions, n_test))
        < (accuracies[..., None] + by_chance)[..., None] + difficulty
    )


def told_beyond(found: Crossover, right: np.ndarray, draws: np.ndarray) -> str:
    """What the power laws say beyond the largest size, as `Extrapolation.answer`; empty where they cannot be fitted.

    Args:
        found: from `crossover`.
        right: bool (2, S, R, n_test), deep and classical.
        draws: float (draws, 2, S), their accuracies in the resamples.
    """
    largest = int(found.sizes[-1])
    deep, classical = (
        fit_power_law(found.sizes, 1 - right[side].mean(axis=(1, 2)), 1 - draws[:200, side])
        for side in (0, 1)
    )
    if deep is None or classical is None:
        return ""
    future = extrapolated_crossing(deep, classical, largest)
    behind = deep.predict(largest) > classical.predict(largest)
    overtakes: Family | None = None if future.n is None else "deep" if behind else "classical"
    return Extrapolation(
        largest=largest,
        beyond=10 * largest,
        leader="deep" if found.difference[-1] >= 0 else "classical",
        models={},
        difference=float(abs(found.difference[-1])),
        interval=found.band(-1),
        standing="leads",
        crossing=future,
        overtakes=overtakes,
    ).answer


def crossover_answers(studies: int) -> Iterator[str]:
    """What is said of learning curves whose crossing, or want of one, is known."""
    sizes = np.array([100, 300, 1000, 3000, 10_000, 30_000])
    law = 0.03 + 1.2 * sizes**-0.5
    scenarios = {
        # The network leads by half a point from 1,000 on, which a test part of this size cannot tell.
        "flat crossing at 1,000": (law + np.array([0.06, 0.03, 0, -0.005, -0.005, -0.005]), law, 1000.0),
        # 733.6 is where the two are equal, drawn straight between the sizes as the analysis does
        "clear crossing at 730": (0.03 + 6.0 * sizes**-0.7, 0.05 + 0.6 * sizes**-0.4, 733.6),
        "never: two points behind": (law + 0.02, law, np.inf),
    }
    yield (
        '| curves | test | wrong side told of some size | "not up to" a size beyond the crossing | crossing found '
        '| in its interval | "would" change | "may" change |'
    )
    yield "|--|--:|--:|--:|--:|--:|--:|--:|"
    for name, (deep, classical, crossing) in scenarios.items():
        for n_test in (450, 2000):
            rng = np.random.default_rng(0)
            counts = np.zeros(6)
            for _ in range(studies):
                right = curve_answers(rng, 1 - np.stack([deep, classical]), 3, n_test)
                draws = resampled_means(right, draws=DRAWS)
                found = crossover(sizes, np.subtract(*right.mean(axis=3)), draws[:, 0] - draws[:, 1])
                truth = np.sign(np.round(classical - deep, 9))
                answer = told_beyond(found, right, draws)
                counts += (
                    ((found.signs != 0) & (found.signs != truth)).any(),
                    found.kind == "not up to n" and found.decided[-1] > crossing,
                    len(found.crossings) > 0,
                    any(one.low <= crossing <= one.high for one in found.crossings),
                    answer == "changes",
                    answer == "may change",
                )
            wrong, beyond, seen, inside, would, may = counts / studies
            covered = f"{inside / seen:.1%}" if seen else MISSING
            rates = " | ".join(f"{rate:.1%}" for rate in (wrong, beyond, seen))
            yield f"| {name} | {n_test:,} | {rates} | {covered} | {would:.1%} | {may:.1%} |"


def few_repetitions(studies: int) -> Iterator[str]:
    """Two equal learners: false leads of the curves' band, and of the bootstrap's alone.

    Each repetition's subset suits one of the two by chance. `subset effect` is the standard deviation of that on the
    smallest subset, in points. It falls with the size of the subset to the power of 0.4; on MNIST, the standard
    deviations of the classical curves fall to the power of 0.4 to 0.7 (`benchmarks/published_curve.yaml`).
    """
    rng = np.random.default_rng(0)
    yield (
        "| sizes | test examples | repetitions | subset effect, points "
        "| false leads | half-width | plain: false leads | half-width |"
    )
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|"
    scenarios = [
        (n_sizes, n_test, repetitions, effect)
        for n_sizes, n_test in ((4, 450), (7, 2000))
        for repetitions in (2, 3, 5)
        for effect in (0.5, 3.0)
    ]
    for n_sizes, n_test, repetitions, effect in scenarios:
        sizes = np.geomspace(100, 50_000, n_sizes)
        scatter = effect / 100 * (sizes / sizes[0]) ** -0.4
        leads = np.zeros(2)
        halves: tuple[list[float], list[float]] = ([], [])
        for _ in range(studies):
            by_chance = rng.normal(size=(2, n_sizes, repetitions, 1)) * scatter[:, None, None]
            difficulty = 0.05 * (rng.random(n_test) - 0.5)
            right = rng.random((2, n_sizes, repetitions, n_test)) < 0.9 + by_chance + difficulty
            draws = resampled_means(right, draws=400)
            draws = draws[:, 0] - draws[:, 1]
            differences = np.subtract(*right.mean(axis=3))
            difference, error = differences.mean(axis=1), draws.std(axis=0)
            quantile = np.quantile((np.abs(draws - difference) / error).max(axis=1), CONFIDENCE)
            bands = simultaneous_band(sizes, differences, draws)[1] - difference, quantile * error
            for which, half in enumerate(bands):
                leads[which] += (np.abs(difference) > half).any()
                halves[which].append(half.mean())
        ours, plain = (
            f"{lead / studies:.1%} | {100 * np.median(half):.2f}"
            for lead, half in zip(leads, halves, strict=True)
        )
        yield f"| {n_sizes} | {n_test:,} | {repetitions} | {effect:g} | {ours} | {plain} |"


def map_answers(studies: int) -> Iterator[str]:
    """The crossover map of laws that are known: leads of the wrong side, and how often its intervals hold the truth.

    The truth of a cell is the difference of the laws at the most examples that each family can use there.
    """
    sizes = np.array([100, 300, 1000, 3000, 10_000])
    law = (0.03, 1.2, 0.5)  # error a + b n^-c
    scenarios = {
        "equal, as fast": (law, law, 1.0),
        "equal, the network 30 times slower": (law, law, 30.0),
        "clear crossing at 730, 30 times slower": ((0.03, 6.0, 0.7), (0.05, 0.6, 0.4), 30.0),
    }
    yield (
        "| curves | models each | test | studies | a false lead anywhere | cells with one "
        "| interval holds the truth, cells | all labels of a time |"
    )
    yield "|--|--:|--:|--:|--:|--:|--:|--:|"
    for number, (name, (deep, classical, slower)) in enumerate(scenarios.items()):
        for n_models in (1, 3):
            for n_test in (450, 2000):
                found = Parallel(n_jobs=-1)(
                    delayed(map_outcomes)([number, study], sizes, deep, classical, slower, n_models, n_test)
                    for study in range(studies)
                )
                rates = " | ".join(f"{rate:.1%}" for rate in np.mean(found, axis=0))
                yield f"| {name} | {n_models} | {n_test:,} | {studies:,} | {rates} |"


Law = tuple[float, float, float]


def map_outcomes(
    seed: list[int], sizes: np.ndarray, deep: Law, classical: Law, slower: float, n_models: int, n_test: int
) -> tuple[bool, float, float, float]:
    """One study: a false lead anywhere, share of cells with one, with the truth, and of rows with all truths."""
    rng, laws = np.random.default_rng(seed), {"deep": deep, "classical": classical}
    seconds = {"deep": slower * 1e-3, "classical": 1e-3}  # an example
    difficulty = 0.05 * (rng.random(n_test) - 0.5)
    curves = []
    for family in FAMILIES:
        a, b, c = laws[family]
        for model in range(n_models):
            right = (
                1
                - (a + b * sizes[:, None] ** -c)
                + 0.01 * rng.normal(size=(len(sizes), 3)) * (sizes[:, None] / sizes[0]) ** -0.4
            )
            correct = rng.random((*right.shape, n_test)) < right[..., None] + difficulty
            validation = rng.binomial(n_test, np.minimum(right, 1)) / n_test
            curves.append(made_up_curve(family, f"m{model}", sizes, correct, validation, seconds[family]))
    found = crossover_map(DatasetCurves("made-up", sizes, 3, n_test, curves, not_applicable=[]), EQUIVALENCE)
    assert found is not None
    false, covered, rows = [], [], []
    for t, row in zip(found.seconds, found.cells, strict=True):
        held = []
        for n, cell in zip(found.labels, row, strict=True):
            if cell.interval is None:
                continue
            usable = {f: min(float(n), t / seconds[f]) for f in FAMILIES}
            errors = {f: laws[f][0] + laws[f][1] * usable[f] ** -laws[f][2] for f in FAMILIES}
            truth = errors["classical"] - errors["deep"]
            leader = "deep" if truth > 1e-9 else "classical" if truth < -1e-9 else ""
            false.append(cell.state in FAMILIES and cell.state != leader)
            held.append(truth in cell.interval)
        covered += held
        rows += [all(held)] if held else []
    return any(false), float(np.mean(false)), float(np.mean(covered)), float(np.mean(rows))


def made_up_curve(
    family: Family, model: str, sizes: np.ndarray, correct: np.ndarray, validation: np.ndarray, second: float
) -> Curve:
    """A curve of fits without moments; `second` is the time an example takes."""
    rows = [(int(n), seed) for n in sizes for seed in range(correct.shape[1])]
    scores = pd.DataFrame(rows, columns=["n", "seed"]).assign(n_watched=0, n_validation=correct.shape[2])
    scores["validation_accuracy"] = validation.ravel()
    scores["validation_log_loss"] = 1 - validation.ravel()
    costs = scores[["n", "seed"]].assign(fit_seconds=second * scores["n"])
    return Curve(
        Cell("made-up", "raw", model, family),
        sizes,
        correct,
        scores,
        costs,
        pd.DataFrame(columns=MOMENTS),
        np.empty((0, correct.shape[2]), dtype=bool),
        Path(),
    )


TABLES = {
    "verdict": verdict,
    "splits": splits,
    "crossover": crossover_answers,
    "few_repetitions": few_repetitions,
    "map": map_answers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate studies whose truth is known.")
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="which; all where none is named")
    parser.add_argument("--studies", type=int, default=1000, help="studies for each row")
    given = parser.parse_args()
    for name in given.tables or TABLES:
        print(f"\n{name}, {given.studies} studies a row\n")
        for line in TABLES[name](given.studies):
            print(line, flush=True)


if __name__ == "__main__":
    main()
