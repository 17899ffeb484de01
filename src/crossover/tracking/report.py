"""What the comparison says, in MLflow: the study's run has the answer, and below it each cell has a run with its means.

The fits of a cell become children of the cell's run. Sorting the cells by `test/accuracy`, or by the data set's other
metric, or a scatter of it against `fit_seconds`, is the report's table and picture. A learning curve is one run, whose
steps are numbers of examples.
"""

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pandas as pd

from crossover.core.cell import DEFAULT, FAMILIES, LEARNED, SEVERAL, TUNED, VOTE, Cell
from crossover.core.columns import METRICS
from crossover.core.files import read_json
from crossover.core.fits import validation_order
from crossover.core.metric import ACCURACY
from crossover.data.prepared import Meta
from crossover.tracking import views
from crossover.tracking.contents import NOTE, PARENT, origin_tags, study_name, study_tags
from crossover.tracking.store import FINISHED, KILLED, Store
from crossover.tracking.tracker import LEARNING_CURVE, Facts

if TYPE_CHECKING:
    from mlflow.entities import Run

CELL = "crossover.cell"
"""Tag of the run of a cell, or of its learning curve: `Cell.name`."""

STUDY = "crossover.study"

FIT = "crossover.fit_id"
"""Tag of the run of a fit."""

UI = "http://127.0.0.1:5000"
"""Where `make ui` and a plain `mlflow ui` show a local store."""

BEST = "best"
"""Alias of the version that is the best of its family."""

COSTS = [
    "fit_seconds",
    "features_seconds",
    "latency_p50_ms",
    "latency_p95_ms",
    "throughput_per_s",
    "model_bytes",
    "fit_memory_bytes",
    "fit_energy_j",
]


def record_report(store: Store, meta: Meta, git_commit: str, reports: Path, answer: str) -> dict[str, str]:
    """Record the comparison of one data set, or record it again; the runs of an earlier one of the study are kept.

    Args:
        store: where to.
        meta: of the prepared data set.
        git_commit: of the project.
        reports: what the stage `compare` wrote.
        answer: the verdict in Markdown.

    Returns:
        where it is found: what is there, and the address of its page; of a local store, that of `make ui`.
    """
    table = pd.read_csv(reports / "comparison.csv")
    table = table[(table["dataset"] == meta.dataset) & (table["status"] == "ok")]
    path = reports / "verdicts" / f"{meta.dataset}.json"
    verdict = (
        read_json(path, "dvc repro") if path.exists() else {}
    )  # there is none where a family has no model
    recorded = _Recorded(store, meta, git_commit)
    cells = {}
    for row in table.to_dict("records"):
        cell = Cell(*(str(row[name]) for name in ("dataset", "features", "model", "family", "variant")))  # type: ignore[arg-type]
        cells[cell.name] = recorded.cell(cell, dict(row))  # type: ignore[arg-type]
    curves = pd.read_csv(reports / "learning_curves.csv")
    curves = curves[curves["dataset"] == meta.dataset]
    for label, rows in curves.groupby("model", sort=False):
        recorded.curve(str(label), rows)
    recorded.answer(table, verdict, answer, reports)
    for family in FAMILIES:
        if verdict:
            recorded.register(family, cells[best_model(table, verdict, family)], answer)
    experiment = recorded.study.info.experiment_id
    for key, view in views.tags(meta.metric).items():
        store.client.set_experiment_tag(experiment, key, view)
    pages = {"the answer": f"#/experiments/{experiment}/runs/{recorded.study_id}"}
    pages["the report"] = f"#/experiments/{experiment}/runs/{recorded.study_id}/artifacts/report.html"
    pages["every cell"] = views.page(experiment, views.COMPARISON)
    if len(curves):
        pages["the learning curves"] = views.page(experiment, views.CURVES)
    server = UI
    if store.address.startswith("http"):  # without the password that it may hold
        parts = urlsplit(store.address.rstrip("/"))
        server = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return {what: f"{server}/{page}" for what, page in pages.items()}


def best_model(table: pd.DataFrame, verdict: dict[str, Any], family: str) -> str:
    """The `Cell.name` of a family's best cell, or where that is a vote, of the best voter: a vote is no model to serve.

    Args:
        table: the comparison's rows of the data set.
        verdict: on it.
        family: which one.
    """
    name = str(verdict[f"best_{family}"])
    features = {"deep": LEARNED, "classical": SEVERAL}[family]
    votes = {Cell("", features, VOTE, "deep", variant).name: variant for variant in (DEFAULT, TUNED)}
    if name not in votes:
        return name
    voters = table[
        (table["family"] == family) & (table["model"] != VOTE) & table["variant"].isin([DEFAULT, votes[name]])
    ].to_dict("records")
    best = min(
        voters,
        key=lambda row: validation_order(row[f"validation_{row['metric']}"], row["validation_log_loss"]),
    )
    return Cell("", best["features"], best["model"], "deep", best["variant"]).name


class _Recorded:
    """The runs of one study on one data set."""

    def __init__(self, store: Store, meta: Meta, git_commit: str) -> None:
        self.store, self.client, self.meta, self.git_commit = store, store.client, meta, git_commit
        self.facts = facts = self._facts(Cell(meta.dataset, LEARNED, "", "deep"))
        name = study_name(git_commit)
        # A comparison alone, after a later commit, belongs to the study whose fits it compares.
        known = store.newest(facts, f"tags.`{STUDY}` = '{name}'") or store.newest(
            facts, f"tags.`{STUDY}` LIKE 'dvc repro %'"
        )
        if known is None:
            known = self.client.get_run(store.shared_run(facts, STUDY, name, name, study_tags(facts)))
        self.study, self.study_id = known, known.info.run_id
        self._children = store.children(known)
        self.taken_over: list[str] = []  # labels of cells whose fits are those of an earlier study

    def cell(self, cell: Cell, row: dict[str, Any]) -> "Run":
        """The run of a cell: means and standard deviations over its fits, the interval of its metric, its costs."""
        run = self._child(cell, cell.name, " · ".join([cell.model_label, cell.features]))
        own = {name: str(value) for name, value in asdict(cell).items()}
        fits = [
            fit for fit in self._children if FIT in fit.data.tags and own.items() <= fit.data.tags.items()
        ]
        for fit in fits:
            self.client.set_tag(fit.info.run_id, PARENT, run.info.run_id)
        if cell.model != VOTE and not fits and not self.store.children(run):
            self.taken_over.append(cell.label)
        own = row["metric"]
        numbers = {"n": row["n"], "n_train": row["n_train"], f"val/{own}": row[f"validation_{own}"]}
        for metric in METRICS:
            numbers[f"test/{metric}"] = row[f"{metric}_mean"]
            numbers[f"test/{metric}_sd"] = row[f"{metric}_sd"]
        numbers |= {f"test/{own}_{end}": row[f"{own}_{end}"] for end in ("low", "high")}
        numbers |= {name: float(f"{row[name]:.4g}") for name in COSTS}  # MLflow's table shows every digit
        self._log(run, numbers)
        tags = {"best of family": str(row["best_of_family"]).lower(), "device": row["device"]}
        self.store.set_tags(run.info.run_id, tags)
        self.client.set_terminated(
            run.info.run_id, FINISHED, run.info.start_time
        )  # it took no time of its own
        return run

    def curve(self, label: str, rows: pd.DataFrame) -> None:
        """The run of a learning curve: test accuracy, and the data set's other metric, by number of examples."""
        model, _, features = label.removesuffix(")").partition(" (")
        cell = Cell(self.meta.dataset, features or LEARNED, model, rows["family"].iloc[0], LEARNING_CURVE)
        own = {name: str(value) for name, value in asdict(cell).items()}
        # The stage that measured the curve may have recorded it.
        known = next((run for run in self._children if own.items() <= run.data.tags.items()), None)
        run = known or self._child(cell, cell.name, f"learning curve · {label}")
        self.client.set_tag(run.info.run_id, CELL, cell.name)
        names = {
            "accuracy": "test/accuracy",
            "lowest": "test/accuracy_lowest",
            "highest": "test/accuracy_highest",
        }
        if (metric := self.meta.metric) != ACCURACY:
            names |= {f"{metric}{end}": f"test/{metric}{end}" for end in ("", "_lowest", "_highest")}
        for row in rows.to_dict("records"):
            self._log(run, {key: row[name] for name, key in names.items()}, step=int(row["n"]))
        self.client.set_terminated(run.info.run_id, FINISHED, run.info.start_time)

    def answer(self, table: pd.DataFrame, verdict: dict[str, Any], answer: str, reports: Path) -> None:
        """What the study's run says: the verdict as numbers, as tags, in words and as the report."""
        numbers = {name: value for name, value in verdict.items() if isinstance(value, float)}
        numbers["fit_seconds"] = float((table["fit_seconds"] * table["n"]).sum())
        if (joules := (table["fit_energy_j"] * table["n"]).sum(min_count=1)) == joules:
            numbers["fit_energy_j"] = float(joules)
        self._log(self.study, numbers)
        tags = {
            "verdict": verdict.get("verdict", "none"),
            "effort": verdict.get("tier", "none"),
            **self._origin(),
        }
        note = f"{answer}\n\nThe whole report is `report.html` below *Artifacts*; below this run each cell has its own."
        if self.taken_over:
            note += f"\n\nTaken over from an earlier study, in which their fits are: {', '.join(self.taken_over)}."
        self.store.set_tags(self.study_id, tags | {NOTE: note})
        self.client.log_table(self.study_id, table.dropna(axis="columns", how="all"), "comparison.json")
        project = reports.parent
        for path in self._files(reports, project):
            folder = "figures" if path.parent.name == "figures" else None
            self.client.log_artifact(self.study_id, str(path), folder)
        self.client.set_terminated(self.study_id, FINISHED)
        for other in self.store.runs(self.facts, f"tags.`{STUDY}` LIKE 'dvc repro %'"):
            if "verdict" not in other.data.tags:  # it was broken off, and this study came after it
                self.store.set_tags(other.info.run_id, {"verdict": "never compared"})
                self.client.set_terminated(other.info.run_id, KILLED, other.info.end_time)

    def register(self, family: str, cell: "Run", answer: str) -> None:
        """Give the first fit of a family's best cell the alias `BEST`, unless it has it already."""
        from mlflow.exceptions import MlflowException

        fits = [run for run in self.store.children(cell) if run.data.tags.get("seed") == "0"]
        models = [model.model_id for run in fits if run.outputs for model in run.outputs.model_outputs]
        if not models:  # `log_models` is off
            return
        name, fit = f"crossover-{self.meta.dataset}-{family}", fits[0]
        current = None
        with contextlib.suppress(MlflowException):  # it is there
            self.client.create_registered_model(name)
        with contextlib.suppress(MlflowException):  # no version yet
            current = self.client.get_model_version_by_alias(name, BEST)
        source = f"models:/{models[0]}"
        if not self.store.address.startswith("http"):  # MLflow would look for it in its own default store
            source = self.client.get_logged_model(models[0]).artifact_location
        if current is None or current.source != source:
            version = self.client.create_model_version(
                name,
                source,
                fit.info.run_id,
                description=f"{cell.info.run_name}, repetition 0.\n\n{answer}",
                model_id=models[0],
            )
            self.client.set_registered_model_alias(name, BEST, version.version)
        about = "The best model of the family on validation data; a soft vote of several is none."
        self.client.update_registered_model(name, f"{about}\n\n{answer}")

    def _child(self, cell: Cell, key: str, name: str) -> "Run":
        """The study's run with this tag `CELL`, made where there is none."""
        known = next((run for run in self._children if run.data.tags.get(CELL) == key), None)
        if known is not None:
            return known
        facts = self._facts(cell)
        tags = {**origin_tags(facts), **asdict(cell), CELL: key, PARENT: self.study_id}
        return self.client.create_run(self.store.experiment(facts), tags=tags, run_name=name)

    def _facts(self, cell: Cell) -> Facts:
        return Facts(cell=cell, params={}, git_commit=self.git_commit, meta=self.meta, stage="compare")

    def _origin(self) -> dict[str, str]:
        return {"crossover.data_checksum": self.meta.checksum, "crossover.compared_at": self.git_commit}

    def _log(self, run: "Run", numbers: dict[str, Any], step: int = 0) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        known = {key: float(value) for key, value in numbers.items() if not math.isnan(float(value))}
        metrics = [Metric(key, value, now, step) for key, value in known.items()]
        self.client.log_batch(run.info.run_id, metrics)

    def _files(self, reports: Path, project: Path) -> Iterator[Path]:
        yield from (reports / name for name in ("report.html", "claims.csv", "comparison.csv"))
        yield from sorted((reports / "figures").glob(f"{self.meta.dataset}-*.png"))
        yield from (path for name in ("params.yaml", "dvc.lock") if (path := project / name).exists())
