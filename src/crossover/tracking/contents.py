"""What a run in MLflow holds: parameters, tags, the data set, and the notes that people read on its page."""

import getpass
import json
import os
import shlex
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from crossover.core import columns
from crossover.core.cell import DEFAULT, LEARNED, Cell
from crossover.core.configuration import override_text
from crossover.data.prepared import Meta
from crossover.tracking.tracker import LEARNING_CURVE, FitFacts, SweepFacts, TrialFacts

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Param, Run

PARENT, NOTE = "mlflow.parentRunId", "mlflow.note.content"
STATE = "crossover.state"
SEARCHED = "crossover.searched"
"""Tag of a trial: the values of the parameters that were searched, as JSON."""

STATES = (columns.COMPLETED, columns.PRUNED, columns.FAILED)

LONGEST_ERROR = 2_000
"""Characters of an error in a note; MLflow takes 8,000 for the whole of it."""


def params_of(config: dict[str, Any], meta: Meta) -> "list[Param]":
    """A configuration and the size of its data as MLflow's parameters; nested keys become `outer.inner`."""
    from mlflow.entities import Param

    data = {name: getattr(meta, name) for name in ("n_train", "n_test", "n_classes", "input_shape")}
    return [Param(key, str(value)) for key, value in flat({**config, "data": data}).items()]


def flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping with its keys joined by dots; an empty mapping inside it stays a value."""
    flattened: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict) and value:
            flattened |= flat(value, f"{prefix}{key}.")
        else:
            flattened[f"{prefix}{key}"] = value
    return flattened


def tags_of(facts: FitFacts | SweepFacts, **more: str) -> dict[str, str]:
    """Who and what made a run, under the keys that MLflow's pages show, and what its table is grouped by."""
    tags = {
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": facts.stage,
        "crossover.stage": facts.stage,
        "crossover.data_checksum": facts.meta.checksum,
        **facts.cell.as_row(),
        **more,
    }
    with suppress(KeyError, OSError):  # a container's user may have no name
        tags["mlflow.user"] = getpass.getuser()
    if facts.git_commit:
        tags["mlflow.source.git.commit"] = facts.git_commit.removesuffix("+")
        tags["mlflow.source.git.dirty"] = str(facts.git_commit.endswith("+")).lower()
    for name in ("STAGE", "EXP_NAME"):
        if os.environ.get(f"DVC_{name}"):
            tags[f"dvc.{name.lower()}"] = os.environ[f"DVC_{name}"]
    return tags


def dataset_input(meta: Meta) -> "DatasetInput":
    """The data set by name and checksum; no example of it goes to the store."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    profile = {"rows": meta.n_train, "test_rows": meta.n_test, "classes": meta.n_classes, "split": meta.split}
    source = {"uri": f"data/prepared/{meta.dataset}"}
    name, digest = dataset_key(meta)
    dataset = Dataset(name, digest, "local", json.dumps(source), profile=json.dumps(profile))
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def dataset_key(meta: Meta) -> tuple[str, str]:
    """Name and digest, as long as MLflow's own digests are; a tag holds the whole checksum."""
    return meta.dataset, meta.checksum[:8]


def experiment_note(meta: Meta) -> str:
    shape = " × ".join(str(n) for n in meta.input_shape)  # noqa: RUF001 - the multiplication sign is meant
    examples = f"images of {shape}" if meta.modality == "image" else f"rows of {shape} columns"
    return (
        f"{meta.n_train:,} {examples} to train on and {meta.n_test:,} to test on, {meta.n_classes} classes. "
        f"Split: {meta.split}"
    )


def study_name(facts: FitFacts) -> str:
    """Name of a fit's parent run: the study's, else the DVC experiment's, else after the commit."""
    at = facts.git_commit[:8] + ("+" if facts.git_commit.endswith("+") else "")
    return facts.parent or os.environ.get("DVC_EXP_NAME") or f"dvc repro {at}".strip()


def study_note(facts: FitFacts) -> str:
    return f"One study on **{facts.cell.dataset}**{_at_commit(facts)}. The runs below it are its fits."


def fit_name(facts: FitFacts) -> str:
    cell = facts.cell
    if cell.variant == LEARNING_CURVE:
        return f"learning curve · {cell.features}-{cell.model}"
    variant = "" if cell.variant == DEFAULT else f" ({cell.variant})"
    return f"{cell.model}{variant} · {cell.features} · seed {facts.seed}"


def fit_note(facts: FitFacts) -> str:
    variant, overrides = facts.cell.variant, []
    if variant != LEARNING_CURVE:
        overrides = [*([] if variant == DEFAULT else [f"variant={variant}"]), f"seed={facts.seed}"]
    return f"To repeat this fit: `{_command(facts.stage, facts.cell, overrides)}`"


def trial_note(facts: TrialFacts, error: str = "") -> str:
    cell = facts.sweep.cell
    values = [f"model.{key}={override_text(value)}" for key, value in facts.params.items()]
    failed = f"**Failed:** {error[:LONGEST_ERROR]}\n\n" if error else ""
    return f"{failed}A fit with this configuration: `{_command(f'train_{cell.family}', cell, values)}`"


def sweep_note(
    facts: SweepFacts, best: "Run | None" = None, counts: Counter[str | None] | None = None
) -> str:
    """The best trial first, then what is searched and how the trials ended, then the best parameters."""
    features = "" if facts.cell.features == LEARNED else f" on {facts.cell.features} features"
    search = f"Search for hyperparameters of **{facts.cell.model}**{features} on **{facts.cell.dataset}**"
    ends = ": " + ", ".join(f"{counts[state]} {state}" for state in STATES) if counts else ""
    about = f"{search}{_at_commit(facts)}. The runs below it are its trials{ends}."
    if best is None:
        return about
    page = f"#/experiments/{best.info.experiment_id}/runs/{best.info.run_id}"
    accuracy = best.data.metrics.get("val/accuracy")
    score = "" if accuracy is None else f", validation accuracy {accuracy:.4f}"
    note = f"**Best: [{best.info.run_name}]({page})**{score}.\n\n{about}"
    params = json.loads(best.data.tags[SEARCHED])
    if params:
        cells = {key: str(readable(value)).replace("|", "\\|") for key, value in params.items()}
        rows = [f"| `{key}` | {cell} |" for key, cell in cells.items()]
        note += "\n\n" + "\n".join(["| parameter | value |", "|---|---|", *rows])
    return note


def _at_commit(facts: FitFacts | SweepFacts) -> str:
    return f" at commit `{facts.git_commit}`" if facts.git_commit else ""


def _command(stage: str, cell: Cell, overrides: list[str]) -> str:
    features = [] if cell.features == LEARNED else [f"features={cell.features}"]
    choice = [f"dataset={cell.dataset}", *features, f"model={cell.model}", *overrides]
    return shlex.join(["python", f"pipelines/{stage}.py", *choice])


def readable(value: Any) -> Any:
    """A float with few digits: MLflow's table cuts off the exponent of a long one. The note holds all of them."""
    return f"{value:.5g}" if isinstance(value, float) else value
