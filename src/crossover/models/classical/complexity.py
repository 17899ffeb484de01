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
        projections = sum(_stored(getattr(step, "components_", None)) for _, step in estimator.steps[:-1])
        return last if last.unit == "nodes" else Complexity(last.count + projections, last.unit)
    calibrated = [each.estimator for each in getattr(estimator, "calibrated_classifiers_", [])]
    members = [*np.ravel(np.asarray(getattr(estimator, "estimators_", []), dtype=object)), *calibrated]
    if members:
        parts = [complexity_of(member) for member in members]
        if len({part.unit for part in parts}) == 1:
            return Complexity(sum(part.count for part in parts), parts[0].unit)
        return Complexity(sum(_stored(vars(member)) for member in members), "stored values")
    if hasattr(estimator, "tree_"):
        return Complexity(int(estimator.tree_.node_count), "nodes")
    if hasattr(estimator, "_predictors"):  # histogram gradient boosting: rounds of trees, one tree a class
        return Complexity(sum(len(tree.nodes) for trees in estimator._predictors for tree in trees), "nodes")
    if hasattr(estimator, "support_vectors_"):  # before coef_, which a linear kernel computes from them
        kept = (estimator.support_vectors_, estimator.dual_coef_, estimator.intercept_)
        return Complexity(_stored(kept), "stored values")
    if hasattr(estimator, "_fit_X"):  # nearest neighbours
        return Complexity(_stored(estimator._fit_X), "stored values")
    for weights, offsets in (("coef_", "intercept_"), ("coefs_", "intercepts_")):
        if hasattr(estimator, weights):
            found = [getattr(estimator, name, None) for name in (weights, offsets)]
            return Complexity(_stored(found), "parameters")
    return Complexity(_stored(vars(estimator)), "stored values")


def _stored(value: Any) -> int:
    """Numbers in all arrays that a value holds, however they are nested; of a sparse array those that are not zero."""
    if isinstance(value, np.ndarray) or issparse(value):
        return int(value.size)
    if isinstance(value, BaseEstimator):
        return _stored(vars(value))
    if isinstance(value, dict):
        return _stored(value.values())
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return sum(_stored(each) for each in value)
    return 0
