"""Studies in MLflow that the project no longer has."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossover.core.files import write_json
from crossover.tracking.cleaning import removable
from crossover.tracking.mlflow_tracker import MlflowTracker
from crossover.tracking.store import Store
from tests.tracking.tracking_facts import IMAGES, facts_of

pytestmark = pytest.mark.slow  # MLflow takes half a minute to make its database


def test_a_study_goes_when_none_of_its_fits_is_in_the_project(
    store: str, client: Any, tmp_path: Path
) -> None:
    tracker, meta = MlflowTracker(uri=store, log_models=False), replace(IMAGES, dataset="cleaned")
    for name, commit in (("kept", "a" * 40), ("old", "b" * 40)):
        for seed in (0, 1):
            with tracker.fit(
                facts_of(f"{name} {seed}", seed=seed, meta=meta, dataset="cleaned", git_commit=commit)
            ):
                pass
    multirun = facts_of("swept", meta=meta, dataset="cleaned", parent="multirun/there")
    with tracker.fit(multirun):
        pass
    write_json(tmp_path / "models/cleaned/raw/forest/seed_0/fit.json", {"fit_id": "kept 1"})
    (tmp_path / "multirun" / "there").mkdir(parents=True)

    def found() -> dict[str, int]:
        going = removable(Store(store), tmp_path)
        ours = client.get_experiment_by_name("cleaned").experiment_id
        return {study.info.run_name: len(below) for study, below in going if study.info.experiment_id == ours}

    assert found() == {"dvc repro bbbbbbbb": 2}
    (tmp_path / "multirun" / "there").rmdir()
    assert found() == {"dvc repro bbbbbbbb": 2, "multirun/there": 1}
    (tmp_path / "models/cleaned/raw/forest/seed_0/fit.json").unlink()
    assert set(found()) == {"dvc repro bbbbbbbb", "dvc repro aaaaaaaa", "multirun/there"}
