"""How large any fitted scikit-learn classifier is, found from what it holds."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from crossover.models.base import Complexity


def complexity_of(estimator: BaseEstimator) -> Complexity:
    """Nodes of trees, parameters of a linear model or network, else the numbers that the estimator stores.

    Of a pipeline the last step counts, and next to parameters and stored values the projections before it
    (`components_` of a PCA); scaling does not. Members of an ensemble are added up where they have one unit.

    Args:
        estimator: fitted.
    """
    if isinstance(estimator, Pipeline):
        last = complexity_of(estimator[-1])
        projections = sum(_size(getattr(step, "components_", None)) for _, step in estimator.steps[:-1])
        return last if last.unit == "nodes" else Complexity(last.count + projections, last.unit)
    members = _members(estimator)
    if members:
        return _together(members)
    if hasattr(estimator, "tree_"):
        return Complexity(int(estimator.tree_.node_count), "nodes")
    if hasattr(estimator, "_predictors"):  # histogram gradient boosting: rounds of trees, one tree a class
        return Complexity(sum(len(tree.nodes) for trees in estimator._predictors for tree in trees), "nodes")
    return _own(estimator)


def _members(estimator: BaseEstimator) -> list[Any]:
    """The fitted estimators in an ensemble, or behind a calibration."""
    members = getattr(estimator, "estimators_", [])
    calibrated = getattr(estimator, "calibrated_classifiers_", [])
    return [*np.ravel(np.asarray(members, dtype=object)), *(each.estimator for each in calibrated)]


def _together(members: list[Any]) -> Complexity:
    parts = [complexity_of(member) for member in members]
    if len({part.unit for part in parts}) == 1:
        return Complexity(sum(part.count for part in parts), parts[0].unit)
    return Complexity(sum(_stored(vars(member)) for member in members), "stored values")


def _own(estimator: BaseEstimator) -> Complexity:
    """Of an estimator that is neither a tree nor an ensemble."""
    if hasattr(estimator, "support_vectors_"):  # before coef_, which a linear kernel computes from them
        kept = (estimator.support_vectors_, estimator.dual_coef_, estimator.intercept_)
        return Complexity(_stored(kept), "stored values")
    if hasattr(estimator, "_fit_X"):  # nearest neighbours
        return Complexity(_size(estimator._fit_X), "stored values")
    for weights, offsets in (("coef_", "intercept_"), ("coefs_", "intercepts_")):
        if hasattr(estimator, weights):
            found = [getattr(estimator, name, None) for name in (weights, offsets)]
            return Complexity(_stored(found), "parameters")
    return Complexity(_stored(vars(estimator)), "stored values")


def _stored(value: Any) -> int:
    """Numbers in all arrays that a value holds, however they are nested."""
    if isinstance(value, dict):
        return _stored(value.values())
    if isinstance(value, BaseEstimator):
        return _stored(vars(value))
    if (
        isinstance(value, Iterable)
        and not isinstance(value, str | bytes | np.ndarray)
        and not issparse(value)
    ):
        return sum(_stored(each) for each in value)
    return _size(value)


def _size(value: Any) -> int:
    """Numbers in an array, those that are not zero in a sparse one; 0 for anything else."""
    return int(value.size) if isinstance(value, np.ndarray) or issparse(value) else 0
