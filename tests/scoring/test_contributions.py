"""Contributions to a metric: their mean is the metric, and their scatter is that of the metric."""

import numpy as np
import pytest

from crossover.core.columns import METRICS
from crossover.core.errors import CrossoverError
from crossover.core.metric import ALLOWED, SENSITIVITY, WORDS, Metric
from crossover.scoring.contributions import balance, contributions
from crossover.scoring.judge import evaluate

OTHERS = [metric for metric in ALLOWED if metric != "accuracy"]
SMOOTH = [
    metric for metric in OTHERS if metric != SENSITIVITY
]  # one negative less moves no threshold, or a whole step
SHARES = {2: [0.85, 0.15], 4: [0.5, 0.3, 0.12, 0.08]}


def sample(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of unequal classes, and probabilities that know something of them, with ties."""
    rng = np.random.default_rng(seed)
    y = rng.choice(k, n, p=SHARES[k])
    scores = rng.normal(size=(n, k)) + np.log(SHARES[k])
    scores[np.arange(n), y] += 1.5
    powers = np.exp(np.round(scores, 1))
    return y, powers / powers.sum(axis=1, keepdims=True)


def test_every_metric_that_is_allowed_is_judged_and_has_words() -> None:
    assert set(ALLOWED) <= set(METRICS)
    assert set(WORDS) == set(ALLOWED)


@pytest.mark.parametrize("k", SHARES)
@pytest.mark.parametrize("metric", ALLOWED)
def test_the_mean_is_what_the_judge_gives(metric: Metric, k: int) -> None:
    y, proba = sample(700, k)
    assert contributions(metric, y, proba).mean() == pytest.approx(evaluate(y, proba)[metric], abs=1e-6)


def test_contributions_to_accuracy_are_right_answers() -> None:
    y, proba = sample(50, 4)
    found = contributions("accuracy", y, proba)
    assert found.dtype == bool
    assert (found == (proba.argmax(axis=1) == y)).all()


@pytest.mark.parametrize("k", SHARES)
@pytest.mark.parametrize("metric", SMOOTH)
def test_they_say_what_the_metric_is_without_an_example(metric: Metric, k: int) -> None:
    """To first order: theta without i is theta - (psi_i - theta) / (n - 1)."""
    y, proba = sample(2000, k)
    psi = contributions(metric, y, proba)
    for i in (0, 1, int(np.flatnonzero(y == k - 1)[0]), int(psi.argmin()), int(psi.argmax())):
        without = evaluate(np.delete(y, i), np.delete(proba, i, axis=0))[metric]
        expected = psi.mean() - (psi[i] - psi.mean()) / (len(y) - 1)
        assert without == pytest.approx(expected, abs=max(0.03 * abs(psi[i] - psi.mean()) / len(y), 2e-6))


def test_they_say_what_the_sensitivity_is_without_a_positive() -> None:
    y, proba = sample(2000, 2)
    psi = contributions(SENSITIVITY, y, proba)
    found = proba[:, 1] > proba[:, 1][y == 0].max()
    for i in (int(np.flatnonzero(y)[0]), int(np.flatnonzero(found)[0])):
        without = evaluate(np.delete(y, i), np.delete(proba, i, axis=0))[SENSITIVITY]
        expected = psi.mean() - (psi[i] - psi.mean()) / (len(y) - 1)
        assert without == pytest.approx(expected, abs=0.01 * abs(psi[i] - psi.mean()) / len(y))


def test_they_say_what_the_sensitivity_is_without_many_negatives() -> None:
    """Without half of the negatives, drawn at random, the threshold moves, and the sensitivity by the curve's slope."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [4000, 1000])
    of_one = 1 / (1 + np.exp(-rng.normal(2 * y)))
    proba = np.column_stack([1 - of_one, of_one])
    psi = contributions(SENSITIVITY, y, proba)
    changes = []
    for _ in range(200):
        kept = np.append(rng.permutation(4000)[:2000], np.arange(4000, 5000))
        of_negatives = 0.8 * (psi[kept[:2000]] - psi.mean()).mean()
        changes.append((contributions(SENSITIVITY, y[kept], proba[kept]).mean() - psi.mean(), of_negatives))
    real, expected = np.transpose(changes)
    assert np.corrcoef(real, expected)[0, 1] > 0.9
    assert expected.std() == pytest.approx(real.std(), rel=0.2)


@pytest.mark.parametrize("n_negatives", [3, 19, 20, 60])
@pytest.mark.parametrize("scores", ["alike", "tied", "apart", "mixed"])
def test_contributions_to_sensitivity_stay_finite_where_the_curve_is_flat_or_vertical(
    scores: str, n_negatives: int
) -> None:
    y = np.repeat([0, 1], [n_negatives, 3])
    noise = np.random.default_rng(0).random(len(y))
    of_one = {
        "alike": np.full(len(y), 0.4),
        "tied": np.round(noise, 1),
        "apart": np.where(y == 1, 0.9, 0.1 * noise),
        "mixed": noise,
    }[scores]
    proba = np.column_stack([1 - of_one, of_one])
    psi = contributions(SENSITIVITY, y, proba)
    assert psi.mean() == pytest.approx(evaluate(y, proba)[SENSITIVITY], abs=1e-6)
    if scores in ("alike", "apart"):  # the curve is flat at 0 and at 1
        np.testing.assert_array_equal(psi, float(scores == "apart"))


@pytest.mark.parametrize("metric", OTHERS)
def test_their_scatter_is_that_of_the_metric_over_samples(metric: Metric) -> None:
    """The standard error from one sample, next to the scatter over many: true samples, and no bootstrap."""
    values, errors = [], []
    for seed in range(200):
        y, proba = sample(800, 2, seed)
        psi = contributions(metric, y, proba)
        values.append(psi.mean())
        errors.append(psi.std() / np.sqrt(len(y)))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(values, ddof=1), rel=0.12)


def test_the_roc_auc_of_two_classes_is_delongs() -> None:
    """By hand: of the four pairs of a positive and a negative, 0.8 beats both and 0.3 beats one."""
    y = np.array([0, 0, 1, 1])
    of_one = np.array([0.1, 0.6, 0.8, 0.3])
    found = contributions("roc_auc", y, np.column_stack([1 - of_one, of_one]))
    # theta + (placement - theta) / share of the class, with placements 1, 0.5, 1, 0.5
    np.testing.assert_allclose(found, [1.25, 0.25, 1.25, 0.25], atol=1e-7)


def test_average_precision_is_that_of_the_rarer_class() -> None:
    y, proba = sample(300, 2)
    turned = evaluate(1 - y, proba[:, ::-1])
    assert turned["average_precision"] == pytest.approx(evaluate(y, proba)["average_precision"])


def test_sums_are_exact_so_that_equal_models_are_equal() -> None:
    y, proba = sample(1000, 4)
    psi = contributions("macro_f1", y, proba)
    order = np.random.default_rng(3).permutation(len(psi))
    assert psi.sum() == psi[order].sum() == sum(psi.tolist())


def test_balance_is_one_for_equal_classes_and_counts_the_rare_one() -> None:
    equal, rare = np.repeat([0, 1, 2], 20), np.repeat([0, 1], [995, 5])
    assert balance("balanced_accuracy", equal) == pytest.approx(1)
    assert balance("balanced_accuracy", rare) * len(rare) == pytest.approx(4 / (1 / 995 + 1 / 5))
    assert balance("accuracy", rare) == 1


def test_balance_of_a_sensitivity_counts_the_class_that_is_found() -> None:
    assert balance(SENSITIVITY, np.repeat([0, 1], [995, 5])) == pytest.approx(5 / 1000)
    assert balance(SENSITIVITY, np.repeat([0, 1, 2], 20)) == pytest.approx(1)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", SENSITIVITY])
def test_one_class_alone_has_no_ranking(metric: Metric) -> None:
    with pytest.raises(CrossoverError, match=f"{WORDS[metric]} needs examples of two classes"):
        contributions(metric, np.zeros(5, dtype=int), np.full((5, 2), 0.5))
