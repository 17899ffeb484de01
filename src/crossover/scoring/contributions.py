"""What each test example contributes to a metric: numbers whose mean is the metric and whose scatter is its own.

An accuracy is a mean of right and wrong answers, and the intervals, bands and resamples of `crossover.analysis` are
those of a mean over examples. Another metric becomes such a mean by its influence function (Hampel 1974, Journal of
the American Statistical Association 69): example i contributes the metric plus what the metric gains where the example
has a little more weight. To first order, resampling these numbers resamples the metric (the infinitesimal jackknife:
Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6). `docs/methods.md` says where that ends.
"""

from math import ceil, floor

import numpy as np
from scipy.stats import rankdata

from crossover.core.errors import CrossoverError
from crossover.core.metric import ACCURACY, SENSITIVITY, WORDS, Metric
from crossover.scoring.judge import FALSE_POSITIVE_RATE, checked, detected_classes, rarest_class, threshold

_GRID = 2.0**24
"""Contributions are whole multiples of 1 / 2^24, so that their sums in float64 are exact: equal models get equal sums
on every machine, in whatever order a library adds."""


def contributions(metric: Metric, y_true: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """What each example contributes to a metric.

    - accuracy: whether it is classified rightly.
    - balanced accuracy: the metric, plus how much better than its class's recall it is classified, over the number of
      classes and the class's share.
    - macro F1: the mean over the classes of F1 + (2 tp - F1 (actual + predicted)) / mean(actual + predicted).
    - F1 of the rarest class: likewise, of one class.
    - ROC AUC: of a class, DeLong's placement values (DeLong et al. 1988, Biometrics 44): the share of the other class
      that the example is ranked rightly against.
    - average precision: the precision at an example of the class, and what an example changes in the precisions at all
      those of the class that are ranked below it.
    - sensitivity at 95 % specificity: of a class, whether an example of it is found; an example of the others that is
      taken for the class lowers the sensitivity by the slope of the ROC curve there, since the threshold must rise
      (so their variance is that of Hsieh and Turnbull 1996, Annals of Statistics 24; Pepe 2003, The
      Statistical Evaluation of Medical Tests, chapter 5).

    Args:
        metric: which one.
        y_true: int64 (n,), classes 0 .. k - 1.
        proba: float (n, k).

    Returns:
        (n,), bool for the accuracy, else float64; the mean is that of `judge.evaluate` to 1e-6.

    Raises:
        CrossoverError: see `evaluate`; or the metric is not defined on labels of a single class.
    """
    if metric == ACCURACY:
        return proba.argmax(axis=1) == y_true
    y_true, proba = checked(y_true, proba)
    classes = np.unique(y_true)
    if metric in ("roc_auc", "average_precision", SENSITIVITY) and len(classes) < 2:
        raise CrossoverError(
            f"{WORDS[metric]} needs examples of two classes to be scored on, got class {classes[0]} alone; choose "
            "another metric in the data set's YAML, or a larger part"
        )
    y_pred = proba.argmax(axis=1)
    if metric == "balanced_accuracy":
        of_classes = [_recall(y_true == k, y_pred == k) for k in classes]
    elif metric == "macro_f1":
        of_classes = [_f1(y_true == k, y_pred == k) for k in classes]
    elif metric == "rarest_f1":
        rarest = rarest_class(y_true)
        of_classes = [_f1(y_true == rarest, y_pred == rarest)]
    elif metric == "roc_auc":
        # Of two classes, the curve of either one has the same area.
        ranked = classes[-1:] if proba.shape[1] == 2 else classes
        of_classes = [_roc_auc(y_true == k, proba[:, k]) for k in ranked]
    else:
        of_class = _sensitivity if metric == SENSITIVITY else _average_precision
        of_classes = [of_class(y_true == k, proba[:, k]) for k in detected_classes(y_true, proba.shape[1])]
    return np.round(np.mean(of_classes, axis=0) * _GRID) / _GRID


def balance(metric: Metric, y_true: np.ndarray) -> float:
    """How many independent answers an example is worth at most, for a metric to which each class counts alike.

    A mean of K recalls, each of the same size, scatters as a proportion on K² / (1/n_1 + … + 1/n_K) examples does. That
    number divided by n is 1 where the classes are equally frequent, and near 0 where one of them is rare.

    Args:
        metric: which one; the accuracy counts examples and not classes, so 1. Of two classes, the sensitivity at 95 %
            specificity is a recall of the rarer one alone.
        y_true: int64 (n,).
    """
    if metric == ACCURACY:
        return 1.0
    classes = np.unique(y_true)
    if metric == SENSITIVITY:
        classes = detected_classes(y_true, len(classes))
    counts = np.array([np.sum(y_true == k) for k in classes])
    return float(len(counts) ** 2 / np.sum(1 / counts) / len(y_true))


def _recall(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    recall = predicted[actual].mean()
    return recall + actual * (predicted - recall) / actual.mean()


def _f1(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    both, either = actual & predicted, actual.astype(float) + predicted
    f1 = 2 * both.mean() / either.mean()
    return f1 + (2 * both - f1 * either) / either.mean()


def _roc_auc(actual: np.ndarray, score: np.ndarray) -> np.ndarray:
    # The rank among all minus that among one's own is how many of the others one lies above, ties counted half.
    above = rankdata(score)
    for own in (actual, ~actual):
        above[own] -= rankdata(score[own])
    n_actual, n_others = actual.sum(), (~actual).sum()
    rightly = np.where(actual, above / n_others, 1 - above / n_actual)
    auc = rightly[actual].mean()
    return auc + (rightly - auc) / np.where(actual, actual.mean(), 1 - actual.mean())


def _average_precision(actual: np.ndarray, score: np.ndarray) -> np.ndarray:
    # Groups of equal scores, the highest first; what is counted at a group holds those of all groups before it.
    group = np.unique(-score, return_inverse=True)[1]
    hits = np.bincount(group, weights=actual)  # of the class
    ranked, found = np.cumsum(np.bincount(group)), np.cumsum(hits)
    precision = found / ranked
    average = float(precision @ hits) / hits.sum()
    # An example counts in the precision at its own group and at all lower ones: sums from the end.
    weight, weighted = (np.cumsum((values * hits / ranked)[::-1])[::-1] for values in (1.0, precision))
    own = actual * (precision[group] - average)
    others = actual * weight[group] - weighted[group]
    return average + (own + others) / actual.mean()


def _sensitivity(actual: np.ndarray, score: np.ndarray) -> np.ndarray:
    positive = score > threshold(score[~actual])
    sensitivity, false_positives = positive[actual].mean(), positive[~actual].mean()
    weight = np.where(actual, 1 / actual.mean(), -_roc_slope(actual, score) / (1 - actual.mean()))
    return sensitivity + weight * (positive - np.where(actual, sensitivity, false_positives))


def _roc_slope(actual: np.ndarray, score: np.ndarray) -> float:
    """The slope of the ROC curve at the false-positive rate: what the sensitivity gains over what the rate gains.

    The curve has steps, so it is the slope of a chord, from a lower rate to a higher one. They are as far off as
    Bofinger's bandwidth (1975, Australian Journal of Statistics 17) for the density at a quantile, which for normal
    scores is 0.104 n^(-1/5) at 5 % and n examples of the others; and at most half of the rate, since the curve is
    steep near 0. So it is 0 where the curve is flat, and where it is vertical at most 1 over the chord's width.
    """
    rate, n = float(FALSE_POSITIVE_RATE), int((~actual).sum())
    bandwidth = min(0.104 * n**-0.2, rate / 2)
    low, high = floor((rate - bandwidth) * n), ceil((rate + bandwidth) * n)  # false positives
    others = np.append(np.sort(score[~actual])[::-1], -np.inf)
    gained = np.mean((score[actual] > others[high]) & (score[actual] <= others[low]))
    return float(gained) * n / (high - low)
