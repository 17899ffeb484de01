"""What a run in MLflow holds: parameters, tags, and the notes that people read on its page."""

import getpass
import json
import os
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from crossover.core.cell import LEARNED, Cell
from crossover.core.configuration import override_text
from crossover.core.metric import WORDS
from crossover.data.prepared import Meta
from crossover.tracking.tracker import Facts, TrialFacts

if TYPE_CHECKING:
    from mlflow.entities import Param, Run

PARENT, NOTE = "mlflow.parentRunId", "mlflow.note.content"
STATE = "crossover.state"
SEARCHED = "crossover.searched"
"""Tag of a trial: the values of the parameters that were searched, as JSON."""

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


def origin_tags(facts: Facts) -> dict[str, str]:
    """Who and what made a run, the first under the keys that MLflow's pages show."""
    tags = {
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": facts.stage,
        "crossover.stage": facts.stage,
        "crossover.data_checksum": facts.meta.checksum,
    }
    with suppress(KeyError, OSError):  # a container's user may have no name
        tags["mlflow.user"] = getpass.getuser()
    if facts.git_commit:
        tags["mlflow.source.git.commit"] = facts.git_commit.removesuffix("+")
        tags["mlflow.source.git.dirty"] = str(facts.git_commit.endswith("+")).lower()
    for name in ("STAGE", "EXP_NAME"):
        if value := os.environ.get(f"DVC_{name}"):
            tags[f"dvc.{name.lower()}"] = value
    return tags


def study_tags(facts: Facts) -> dict[str, str]:
    """Who and what made the run of a study, whichever of its stages was the first."""
    of_one_stage = {"crossover.stage", "dvc.stage"}
    tags = {key: value for key, value in origin_tags(facts).items() if key not in of_one_stage}
    return tags | {"mlflow.source.name": "dvc repro"}


def study_name(git_commit: str) -> str:
    """The name of the run that a study's fits lie below: the DVC experiment's, or one made of the commit.

    Uncommitted changes do not make another study: DVC itself changes `dvc.lock` while the study runs.
    """
    return os.environ.get("DVC_EXP_NAME") or f"dvc repro {git_commit.removesuffix('+')[:8]}".strip()


def trial_note(facts: TrialFacts, error: str = "") -> str:
    cell = facts.sweep.cell
    values = [f"model.{key}={override_text(value)}" for key, value in facts.params.items()]
    failed = f"**Failed:** {error[:LONGEST_ERROR]}\n\n" if error else ""
    return f"{failed}A fit with this configuration: `{command(f'train_{cell.family}', cell, values)}`"


def sweep_note(facts: Facts, best: "Run | None", counts: dict[str, int]) -> str:
    """The best trial first, then what is searched and how many trials ended in which state, then its parameters."""
    features = "" if facts.cell.features == LEARNED else f" on {facts.cell.features} features"
    search = f"Search for hyperparameters of **{facts.cell.model}**{features} on **{facts.cell.dataset}**"
    ends = ": " + ", ".join(f"{n} {state}" for state, n in counts.items()) if any(counts.values()) else ""
    at = f" at commit `{facts.git_commit}`" if facts.git_commit else ""
    about = f"{search}{at}. The runs below it are its trials{ends}."
    if best is None:
        return about
    page = f"#/experiments/{best.info.experiment_id}/runs/{best.info.run_id}"
    metric = facts.meta.metric
    reached = best.data.metrics.get(f"val/{metric}")
    score = "" if reached is None else f", validation {WORDS[metric]} {reached:.4f}"
    note = f"**Best: [{best.info.run_name}]({page})**{score}.\n\n{about}"
    params = json.loads(best.data.tags[SEARCHED])
    if params:
        cells = {key: str(readable(value)).replace("|", "\\|") for key, value in params.items()}
        rows = [f"| `{key}` | {cell} |" for key, cell in cells.items()]
        note += "\n\n" + "\n".join(["| parameter | value |", "|---|---|", *rows])
    return note


def command(stage: str, cell: Cell, overrides: list[str]) -> str:
    """The command that fits a cell."""
    features = [] if cell.features == LEARNED else [f"features={cell.features}"]
    choice = [f"dataset={cell.dataset}", *features, f"model={cell.model}", *overrides]
    return shlex.join(["python", f"pipelines/{stage}.py", *choice])


def readable(value: Any) -> Any:
    """A float with few digits: MLflow's table cuts off the exponent of a long one. The note holds all of them."""
    return f"{value:.5g}" if isinstance(value, float) else value
