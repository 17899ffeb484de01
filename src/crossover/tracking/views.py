"""Prepared views of an experiment on MLflow's page: which rows, columns, order and charts.

MLflow keeps a view that somebody shares as a tag of the experiment, and its address names the tag. The keys are those
of MLflow 3's page (mlflow/server/js, "experiment page UI state").
"""

import json
from typing import Any

from crossover.core.metric import Metric

TAG = "mlflow.sharedViewState."

COMPARISON, CURVES = "comparison", "curves"


def _column(kind: str, name: str) -> str:
    return f"{kind}.`{name}`"


def _chart(kind: str, number: int, **options: Any) -> dict[str, Any]:
    shared = {"uuid": f"chart-{number}", "type": kind, "metricSectionId": "charts", "runsCountToCompare": 100}
    return shared | {"deleted": False, "isGenerated": False} | options


def _scatter(number: int, cost: str, score: str) -> dict[str, Any]:
    axes = {
        "xaxis": {"key": cost, "type": "METRIC"},
        "yaxis": {"key": score, "type": "METRIC"},
    }
    return _chart("SCATTER", number, **axes)


def _view(score: str, search: str, columns: list[str], charts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "searchFilter": search,
        "orderByKey": _column("metrics", score),
        "orderByAsc": False,
        "selectedColumns": columns,
        "compareRunCharts": charts,
        "compareRunSections": [
            {"uuid": "charts", "name": "Comparison", "display": True, "isReordered": False}
        ],
        "isAccordionReordered": True,
    }


def views_of(metric: Metric) -> dict[str, dict[str, Any]]:
    """By name, the views of a data set that is judged by a metric."""
    score = f"test/{metric}"
    return {
        COMPARISON: _view(
            score,
            "tags.`crossover.cell` LIKE '%' AND tags.`variant` != 'learning_curve'",
            [
                *(
                    _column("tags", name)
                    for name in ("model", "features", "family", "variant", "best of family")
                ),
                *(_column("metrics", f"{score}{end}") for end in ("", "_low", "_high")),
                *(_column("metrics", name) for name in ("n", "fit_seconds", "latency_p50_ms", "model_bytes")),
            ],
            [
                _scatter(1, "fit_seconds", score),
                _scatter(2, "latency_p50_ms", score),
                _chart("BAR", 3, metricKey=score),
            ],
        ),
        CURVES: _view(
            score,
            "tags.`crossover.cell` LIKE '%' AND tags.`variant` = 'learning_curve'",
            [
                *(_column("tags", name) for name in ("model", "features", "family")),
                _column("metrics", score),
            ],
            [
                _chart(
                    "LINE",
                    1,
                    metricKey=score,
                    selectedMetricKeys=[score],
                    xAxisKey="step",
                    xAxisScaleType="log",
                    scaleType="linear",
                    lineSmoothness=0,
                    useGlobalXaxisKey=False,
                    useGlobalLineSmoothing=False,
                )
            ],
        ),
    }


def tags(metric: Metric) -> dict[str, str]:
    """The views as tags of an experiment, and that it is one of trainings and no chat."""
    kind = {"mlflow.experimentKind": "custom_model_development"}  # the page shows trainings first
    return kind | {f"{TAG}{name}": json.dumps(view) for name, view in views_of(metric).items()}


def page(experiment_id: str, view: str) -> str:
    """Where a view is, below the address of `mlflow ui`."""
    mode = "&compareRunsMode=CHART" if view == CURVES else ""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={view}{mode}"
