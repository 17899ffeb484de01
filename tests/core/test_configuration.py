"""A `_target_` is called only where it is of the kind that belongs there."""

from pathlib import Path
from typing import Any

import pytest

from crossover.core.configuration import build, load_fitted
from crossover.core.errors import CrossoverError
from crossover.data.source import DataSource
from crossover.features.base import FeatureSet
from crossover.models.base import Model
from tests.model_configs import NETWORK

RUNS_CODE = {"_target_": "os.system"}


@pytest.mark.parametrize("kind", [DataSource, FeatureSet, Model])
@pytest.mark.parametrize("target", ["os.system", "subprocess.Popen", "builtins.exec", "pathlib.Path"])
def test_another_kind_is_not_called(kind: type, target: str, tmp_path: Path) -> None:
    node = {
        "_target_": target,
        "command": f"touch {tmp_path / 'made'}",
        "args": [f"touch {tmp_path / 'made'}"],
    }
    with pytest.raises(
        CrossoverError, match=rf"_target_ must name a subclass of {kind.__name__}, got '{target}' \(x\)"
    ):
        build(node, "x", kind)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["architecture", "optimizer", "rate_drops"])
def test_nor_inside_a_configuration(key: str, tmp_path: Path) -> None:
    inner: Any = RUNS_CODE | {"command": f"touch {tmp_path / 'made'}"}
    node = NETWORK | {key: [inner] if key == "rate_drops" else inner}
    with pytest.raises(
        CrossoverError, match=r"_target_ must name a subclass of Settings or .*got 'os.system' \(x\)"
    ):
        build(node, "x", Model)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    ["{}", "[]", '{"_target_": null}', '{"_target_": "os.system"}', '{"_target_": "crossover.no.Such"}'],
)
def test_a_fitted_object_whose_class_is_none_of_the_packages(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(
        CrossoverError, match=r"must be one of the package crossover, got .*config\.json.*`dvc repro`"
    ):
        load_fitted(tmp_path, "dvc repro")
