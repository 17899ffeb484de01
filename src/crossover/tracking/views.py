"""Prepared views of an experiment on MLflow's page: which rows, columns, order and charts.

MLflow keeps a view that somebody shares as a tag of the experiment, and its address names the tag. The keys are those
of MLflow 3's page (mlflow/server/js, "experiment page UI state").
"""

import json
from typing import Any

TAG = "mlflow.sharedViewState."

COMPARISON, CURVES = "comparison", "curves"


def _column(kind: str, name: str) -> str:
    return f"{kind}.`{name}`"


def _chart(kind: str, number: int, **options: Any) -> dict[str, Any]:
    shared = {"uuid": f"chart-{number}", "type": kind, "metricSectionId": "charts", "runsCountToCompare": 100}
    return shared | {"deleted": False, "isGenerated": False} | options


def _scatter(number: int, cost: str) -> dict[str, Any]:
    axes = {
        "xaxis": {"key": cost, "type": "METRIC"},
        "yaxis": {"key": "test/accuracy", "type": "METRIC"},
    }
    return _chart("SCATTER", number, **axes)


def _view(search: str, columns: list[str], charts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "searchFilter": search,
        "orderByKey": _column("metrics", "test/accuracy"),
        "orderByAsc": False,
        "selectedColumns": columns,
        "compareRunCharts": charts,
        "compareRunSections": [
            {"uuid": "charts", "name": "Comparison", "display": True, "isReordered": False}
        ],
        "isAccordionReordered": True,
    }


VIEWS = {
    COMPARISON: _view(
        "tags.`crossover.cell` LIKE '%' AND tags.`variant` != 'learning_curve'",
        [
            *(_column("tags", name) for name in ("model", "features", "family", "variant", "best of family")),
            *(_column("metrics", f"test/accuracy{end}") for end in ("", "_low", "_high")),
            *(_column("metrics", name) for name in ("n", "fit_seconds", "latency_p50_ms", "model_bytes")),
        ],
        [
            _scatter(1, "fit_seconds"),
            _scatter(2, "latency_p50_ms"),
            _chart("BAR", 3, metricKey="test/accuracy"),
        ],
    ),
    CURVES: _view(
        "tags.`crossover.cell` LIKE '%' AND tags.`variant` = 'learning_curve'",
        [
            *(_column("tags", name) for name in ("model", "features", "family")),
            _column("metrics", "test/accuracy"),
        ],
        [
            _chart(
                "LINE",
                1,
                metricKey="test/accuracy",
                selectedMetricKeys=["test/accuracy"],
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


def tags() -> dict[str, str]:
    """The views as tags of an experiment, and that it is one of trainings and no chat."""
    kind = {"mlflow.experimentKind": "custom_model_development"}  # the page shows trainings first
    return kind | {f"{TAG}{name}": json.dumps(view) for name, view in VIEWS.items()}


def page(experiment_id: str, view: str) -> str:
    """Where a view is, below the address of `mlflow ui`."""
    mode = "&compareRunsMode=CHART" if view == CURVES else ""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={view}{mode}"
