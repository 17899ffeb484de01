"""An address from the environment reaches the trials, and Hydra's files have the name of the variable alone."""

import pytest


@pytest.mark.slow
def test_a_storage_from_the_environment_is_written_nowhere(workplace, monkeypatch):
    place = workplace.root / "sec-ret.db"
    monkeypatch.setenv("STORAGE", f"sqlite:///{place}")
    done = workplace.tune(
        "dataset=wine",
        "model=decision_tree",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.storage=${oc.env:STORAGE}",
    )
    assert done.status == 0, done.text
    assert place.exists()
    kept = [path for path in (workplace.root / "multirun").rglob("*.yaml")]
    assert any("${oc.env:STORAGE}" in path.read_text() for path in kept)
    assert not any("sec-ret" in path.read_text() for path in kept)
    assert "sec-ret" not in done.text
