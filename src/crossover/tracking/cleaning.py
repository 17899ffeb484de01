"""Remove from MLflow the studies that the project no longer has.

    python -m crossover.tracking.cleaning            # says what would go
    python -m crossover.tracking.cleaning --remove

Run it from the project's root, while nothing is fitted. A study stays as long as one of its fits lies in `models/`, it
is a DVC experiment that is kept, its multirun's folder is there, or it is that of the commit that is checked out.
Searches stay. MLflow only hides what is removed; `mlflow gc` deletes it for good, files included.
"""

import argparse
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.core.clock import git_commit
from crossover.core.files import read_json
from crossover.tracking.contents import study_name
from crossover.tracking.mlflow_tracker import DEFAULT_URI
from crossover.tracking.report import FIT, STUDY
from crossover.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run

log = logging.getLogger(__name__)


def removable(store: Store, root: Path) -> "list[tuple[Run, list[Run]]]":
    """The runs of studies that the project no longer has, each with all runs below it.

    Args:
        store: where the studies are recorded.
        root: of the project.
    """
    kept = {read_json(path, "dvc repro")["fit_id"] for path in root.glob("models/**/fit.json")}
    refs = ["git", "-C", str(root), "for-each-ref", "--format=%(refname)", "refs/exps"]
    experiments = subprocess.run(refs, capture_output=True, text=True, check=False).stdout.split()
    names = {study_name(git_commit(root)), *(ref.rpartition("/")[2] for ref in experiments)}
    found = []
    for experiment in store.client.search_experiments():
        for study in store.all_runs(experiment.experiment_id, f"tags.`{STUDY}` LIKE '%'"):
            name = study.data.tags[STUDY]
            cells = store.children(study)
            below = [*cells, *(fit for cell in cells for fit in store.children(cell))]
            fits = {run.data.tags.get(FIT) for run in below}
            if name not in names and not fits & kept and not (root / name).exists():
                found.append((study, below))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--remove", action="store_true", help="do it")
    remove = parser.parse_args().remove
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    if not Path("params.yaml").exists():
        sys.exit("error: params.yaml does not exist here; run this from the project's root")
    store = Store(os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)
    found = removable(store, Path.cwd())
    for study, below in found:
        if remove:
            for run in [*below, study]:
                store.client.delete_run(run.info.run_id)
        done = "removed" if remove else "would go"
        experiment = store.client.get_experiment(study.info.experiment_id).name
        log.info("%s: %s and %d runs below it: %s", experiment, study.info.run_name, len(below), done)
    if not found:
        log.info("every study in MLflow is one that the project has")
    elif not remove:
        log.info("nothing was removed; --remove does it")


if __name__ == "__main__":
    main()
