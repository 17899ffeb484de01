"""TabICL, with weights of a tiny network that has learned nothing: the real ones are no part of the project."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.models.base import Model
from crossover.models.deep.trainer import TrainerConfig

YAML = Path(__file__).parents[2] / "conf" / "model" / "tabicl.yaml"

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def table(n: int, seed: int = 0) -> Part:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {"size": rng.normal(size=n), "shape": rng.choice(np.array(["round", "flat", None], dtype=object), n)}
    )
    return Part(X, np.arange(n) % 2 * 2, 3)  # the class in the middle has no example


def make(checkpoint: Path | None) -> Model:
    config = yaml.safe_load(YAML.read_text()) | {
        "checkpoint": None if checkpoint is None else str(checkpoint),
        "members": 2,
    }
    return build(config, "conf/model/tabicl.yaml", Model)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights in the file format of TabICL's authors."""
    torch = pytest.importorskip("torch")
    network = pytest.importorskip("tabicl._model.tabicl", reason="TabICL, an extra, is not installed")
    heads = {"col_nhead": 2, "row_nhead": 2, "icl_nhead": 2}
    blocks = {"col_num_blocks": 1, "row_num_blocks": 1, "icl_num_blocks": 1}
    config = {"embed_dim": 8, "col_num_inds": 4, "row_num_cls": 2, **heads, **blocks}
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.ckpt"
    torch.save({"config": config, "state_dict": network.TabICL(**config).state_dict()}, path)
    return path


def test_predicts_and_comes_back_from_disk(checkpoint: Path, tmp_path: Path) -> None:
    model = make(checkpoint)
    model.trainer = TrainerConfig(accelerator="cpu")  # type: ignore[attr-defined]
    test = table(7, seed=1)
    proba = model.fit(table(40), None, seed=3).predict_proba(test.X)
    assert proba.shape == (7, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert (proba[:, 1] == 0).all()
    model.save(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".pkl", ".ckpt", ".pt")]
    again = type(model).load(tmp_path)
    np.testing.assert_array_equal(again.predict_proba(test.X), proba)
    assert again.complexity() == model.complexity()
    assert (again.family, again.device) == ("deep", "cpu")
    content = json.loads((tmp_path / "tabicl.json").read_text())
    (tmp_path / "tabicl.json").write_text(json.dumps(content | {"sha256": "0" * 64}))
    with pytest.raises(CrossoverError, match=r"tiny\.ckpt must hold the weights of the fit, .*0000, got"):
        type(model).load(tmp_path)


def test_weights_that_are_none_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    import torch

    other = tmp_path / "other.ckpt"
    torch.save({"weights": 1}, other)
    with pytest.raises(
        CrossoverError, match=r"other\.ckpt must hold TabICL's weights and suit the table, got"
    ):
        make(other).fit(table(20), None, seed=0)


@pytest.mark.usefixtures("checkpoint")
def test_without_weights_it_says_where_they_are() -> None:
    for path in (None, Path("nowhere.ckpt")):
        with pytest.raises(
            CrossoverError, match=r"checkpoint must be the path.*huggingface\.co/jingang/TabICL"
        ):
            make(path).fit(table(20), None, seed=0)


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tabicl", None)
    with pytest.raises(CrossoverError, match=r"pip install 'crossover\[tabicl\]'"):
        make(None)
