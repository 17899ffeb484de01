"""Networks, built from every YAML in conf/model that describes one."""

import copy
import json
import pickle
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.models.base import Complexity, FitHooks
from crossover.models.deep.data import TrainBatches
from crossover.models.deep.inputs import Inputs
from crossover.models.deep.mlp import MLP
from crossover.models.deep.module import coslog4, flat_cosine
from crossover.models.deep.network import Network
from crossover.models.deep.trainer import TrainerConfig

CONF = Path(__file__).parents[2] / "conf"
CONFIGS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((CONF / "model").glob("*.yaml"))}
DEEP = {name: config for name, config in CONFIGS.items() if config["_target_"].endswith(".Network")}
CELLS = [(name, modality) for name, config in DEEP.items() for modality in config["modalities"]]
SMALL = {"batch_size": 16, "max_epochs": 2, "min_steps": 0, "early_stopping": None, "select_best": None}

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def images(n: int, side: int = 16, channels: int = 1, seed: int = 0) -> Part:
    """Three classes: a bright band at a third of the height each."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = rng.integers(0, 60, (n, side, side, channels)).astype(np.uint8)
    for image, label in zip(X, y, strict=True):
        image[label * side // 3 : (label + 1) * side // 3] += 150
    return Part(X, y, n_classes=3, value_max=255.0)


def table(n: int, seed: int = 0) -> Part:
    """Three classes, one numeric column that tells them apart, holes in both columns."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = pd.DataFrame({"size": y + rng.normal(0, 0.1, n), "colour": rng.choice(["red", "blue"], n)})
    X.loc[::7, "size"] = np.nan
    X.loc[::5, "colour"] = None
    return Part(X, y, n_classes=3)


def texts(n: int, seed: int = 0) -> Part:
    """Three classes, one word that tells them apart among one to nine others; one text is empty."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    others = [list(rng.choice(["some", "other", "words", "!"], rng.integers(1, 10))) for _ in y]
    X = np.array([" ".join([*words, "ABC"[k]]) for words, k in zip(others, y, strict=True)], dtype=object)
    X[0] = ""
    return Part(X, y, n_classes=3)


def part(modality: str, n: int, seed: int = 0) -> Part:
    return {
        "image": lambda: images(n, seed=seed),
        "table": lambda: table(n, seed),
        "text": lambda: texts(n, seed),
    }[modality]()


def network(name: str = "mlp", **overrides: Any) -> Network:
    model = build({**DEEP[name], **SMALL, **overrides}, f"conf/model/{name}.yaml")
    model.trainer = TrainerConfig(accelerator="cpu")
    return model


def fitted(name: str = "mlp", modality: str = "image", seed: int = 0, **overrides: Any) -> Network:
    return network(name, **overrides).fit(part(modality, 48), part(modality, 12, seed=1), seed=seed)


@pytest.mark.parametrize(("name", "modality"), CELLS)
def test_every_network_fits_predicts_and_reloads(name: str, modality: str, tmp_path: Path) -> None:
    model = fitted(name, modality)
    test = part(modality, 9, seed=2)
    proba = model.predict_proba(test.X)
    assert proba.shape == (9, 3)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-5)
    model.save(tmp_path)
    loaded = Network.load(tmp_path)
    np.testing.assert_allclose(loaded.predict_proba(test.X), proba, atol=1e-6)
    assert (loaded.device, loaded.modalities) == ("cpu", model.modalities)
    assert loaded.complexity() == model.complexity()
    singly = [loaded.predict_proba(test.take(np.array([row])).X)[0] for row in range(9)]
    np.testing.assert_allclose(singly, proba, atol=1e-6)


@pytest.mark.parametrize("name", [name for name, config in DEEP.items() if "image" in config["modalities"]])
@pytest.mark.parametrize(("side", "channels"), [(8, 1), (28, 1), (32, 3)])
def test_every_image_network_takes_the_sizes_of_the_data_sets(name: str, side: int, channels: int) -> None:
    train = images(6, side, channels)
    model = network(name, max_epochs=1, batch_size=6).fit(train, None, seed=0)
    assert model.predict_proba(train.X).shape == (6, 3)
    assert [set(entry) for entry in model.history] == [{"epoch", "train/loss", "train/accuracy"}]


@pytest.mark.parametrize(
    ("name", "count"),
    [  # on 28x28 images of ten classes; each layer's weights and offsets
        ("mlp", 784 * 512 + 512 + 512 * 256 + 256 + 256 * 10 + 10),
        ("cnn", 9 * 32 + 32 + 9 * 32 * 64 + 64 + 5 * 5 * 64 * 64 + 64 + 64 * 10 + 10),
        ("cnn_modern", 9 * (24 + 24 * 48 + 48 * 48 + 48 * 96 + 96 * 96) + 2 * (24 + 4 * 72) + 96 * 10 + 10),
    ],
)
def test_complexity_is_the_number_of_weights(name: str, count: int) -> None:
    few = images(6, side=28)
    model = network(name, max_epochs=1).fit(Part(few.X, few.y, 10, 255.0), None, seed=0)
    assert model.complexity() == Complexity(count, "parameters")


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "coslog4"])
def test_a_fit_with_what_was_chosen_ends_with_the_best_epoch(schedule: str) -> None:
    settings = {"max_epochs": 9, "schedule": schedule, "learning_rate": 0.01, "fade_regularization": True}
    selected = network("mlp", **settings, select_best="val/loss").fit(
        images(48), meaningless(12, seed=1), seed=1
    )
    again = network("mlp", **{**settings, **selected.chosen()}).fit(images(48), None, seed=1)
    losses = [entry["val/loss"] for entry in selected.history]
    assert len(again.history) == losses.index(min(losses)) + 1
    np.testing.assert_array_equal(again.predict_proba(images(9).X), selected.predict_proba(images(9).X))


def test_realmlp_learns_from_numbers_and_categories(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"shape": rng.choice([*"abcdefghijkl"], 300), "size": 1e6 * rng.standard_t(1, 300)})
    X["colour"] = rng.choice(["red", "blue"], 300)
    X["flat"] = 0.0
    y = (X["shape"].isin([*"abcdef"]) ^ (X["size"] > 0) ^ (X["colour"] == "red")).to_numpy().astype(int)
    model = network("realmlp", max_epochs=100).fit(Part(X, y, 2), None, seed=0)
    assert (model.predict_proba(X).argmax(1) == y).mean() > 0.95
    unseen = pd.DataFrame(
        {"shape": ["new", None], "size": [1e30, np.nan], "colour": ["red", None], "flat": [1.0, 0]}
    )
    model.save(tmp_path)
    found = Network.load(tmp_path).predict_proba(unseen)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, model.predict_proba(unseen))


def test_waves_and_fading_are_those_of_the_paper() -> None:
    assert [round(coslog4(share), 6) for share in (0, 1 / 15, 3 / 15, 7 / 15, 1)] == [0, 0, 0, 0, 0]
    assert coslog4((2**0.5 - 1) / 15) == pytest.approx(1)  # the middle of the first wave
    assert [flat_cosine(share) for share in (0, 0.5, 0.75, 1)] == pytest.approx([1, 1, 0.5, 0])


@pytest.mark.parametrize("name", [name for name, config in DEEP.items() if config["modalities"] == ["text"]])
class TestTexts:
    def test_learns_from_words_of_the_training_part_alone(self, name: str, tmp_path: Path) -> None:
        model = network(name, max_epochs=12, learning_rate=0.01).fit(texts(90), None, seed=0)
        test = texts(30, seed=5)
        assert (model.predict_proba(test.X[1:]).argmax(1) == test.y[1:]).mean() > 0.9
        model.save(tmp_path)
        known = json.loads((tmp_path / "vocabulary.json").read_text())["words"]
        assert set(known) == {"some", "other", "words", "!", "a", "b", "c"}
        unseen = np.array(["entirely new", "other words never seen"], dtype=object)
        assert model.predict_proba(unseen).shape == (2, 3)

    def test_reads_no_more_words_than_it_is_told(self, name: str) -> None:
        model = network(name, text={"vocabulary": 3, "length": 5}).fit(texts(60), None, seed=0)
        long = np.array(["some " * 5, "some " * 5 + "B " * 50], dtype=object)
        first, second = model.predict_proba(long)
        np.testing.assert_array_equal(first, second)

    def test_refuses_what_is_no_text(self, name: str) -> None:
        with pytest.raises(CrossoverError, match="takes text data, got image data"):
            network(name).fit(images(6), None, seed=0)
        with pytest.raises(CrossoverError, match="fitted on texts"):
            fitted(name, "text").predict_proba(images(3).X)


@pytest.mark.parametrize("name", ["tabm", "ft_transformer"])
def test_a_network_for_tables_gets_categories_as_codes(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"shape": rng.choice(["a", "b", "c"], 120), "size": rng.normal(size=120)})
    train = Part(X, ((X["shape"] == "b") ^ (X["size"] > 0)).to_numpy().astype(int), 2)
    model = network(name, max_epochs=40, learning_rate=0.01).fit(train, None, seed=0)
    assert (model.predict_proba(X).argmax(1) == train.y).mean() > 0.95
    unseen = pd.DataFrame({"shape": ["new", None], "size": [0.5, np.nan]})
    model.save(tmp_path)
    loaded = Network.load(tmp_path)
    np.testing.assert_allclose(loaded.predict_proba(unseen).sum(1), 1, atol=1e-6)
    assert json.loads((tmp_path / "network.json").read_text())["categories"] == [
        5
    ]  # unknown and missing, too


@pytest.mark.parametrize("name", ["tabm", "ft_transformer"])
@pytest.mark.parametrize("column", ["colour", "size"])
def test_a_network_for_tables_takes_one_kind_of_column(name: str, column: str) -> None:
    few = table(48)
    X = pd.DataFrame(few.X)[[column]]
    model = network(name).fit(Part(X, few.y, 3), None, seed=0)
    assert model.predict_proba(X).shape == (48, 3)


def test_each_member_of_an_ensemble_has_its_own_loss() -> None:
    """The reported loss is the mean over the members; the accuracy that of their mean probability."""
    few = table(8)
    model = network("tabm", max_epochs=1, batch_size=8, learning_rate=1e-12)
    model.fit(few, few, seed=0)
    proba = model.predict_proba(few.X)
    of_mean = -np.log(proba[np.arange(8), few.y]).mean()
    entry = model.history[0]
    assert entry["val/loss"] == pytest.approx(of_mean, rel=1e-4)  # of the mean prediction
    assert entry["val/accuracy"] == (proba.argmax(1) == few.y).mean()
    assert (
        entry["train/loss"] >= of_mean - 0.05
    )  # of the members, with dropout: no less, as the loss is convex


def test_a_network_learns_what_is_there_to_learn() -> None:
    model = fitted("mlp", "image", max_epochs=15)
    test = images(60, seed=5)
    assert (model.predict_proba(test.X).argmax(1) == test.y).all()
    assert model.history[-1]["train/loss"] < model.history[0]["train/loss"] / 2


@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_the_seed_alone_decides(name: str) -> None:
    X = images(12, seed=2).X
    first = fitted(name).predict_proba(X)
    torch.manual_seed(99)
    np.testing.assert_array_equal(fitted(name).predict_proba(X), first)
    assert not np.array_equal(fitted(name, seed=1).predict_proba(X), first)


def test_a_fit_leaves_the_process_as_it_was() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    model = network()
    model.trainer = TrainerConfig(accelerator="cpu", threads=2)
    model.fit(images(48), None, seed=0)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == 1
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_network_can_be_copied() -> None:
    model = pickle.loads(pickle.dumps(copy.deepcopy(network("cnn"))))
    assert model.architecture.keywords == network("cnn").architecture.keywords


def test_a_fit_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fitted()
    assert list(tmp_path.iterdir()) == []


def test_history_holds_what_the_hook_was_reported() -> None:
    reported: list[dict[str, float]] = []
    hooks = FitHooks(on_epoch=lambda epoch, metrics: reported.append({"epoch": epoch, **metrics}))
    model = network().fit(images(48), images(12, seed=1), seed=0, hooks=hooks)
    assert reported == model.history
    assert [entry["epoch"] for entry in reported] == [0, 1]
    assert set(reported[0]) == {"epoch", "train/loss", "train/accuracy", "val/loss", "val/accuracy"}


def test_validation_metrics_are_those_of_the_final_predictions() -> None:
    val = images(11, seed=1)
    model = network("cnn").fit(images(48), val, seed=0)
    proba = model.predict_proba(val.X)
    loss = -np.log(proba[np.arange(len(val)), val.y]).mean()
    assert model.history[-1]["val/loss"] == pytest.approx(loss, rel=1e-4)
    assert model.history[-1]["val/accuracy"] == pytest.approx((proba.argmax(1) == val.y).mean())


class Killed(Exception):
    """Stands for the death of the process."""


def killed_after(epoch: int, error: type[BaseException] = Killed) -> Callable[[int, dict[str, float]], None]:
    def on_epoch(number: int, _: dict[str, float]) -> None:
        if number == epoch:
            raise error

    return on_epoch


RESUMED = {"max_epochs": 5, "schedule": "cosine", "select_best": "val/loss"}


DROPS: dict[str, Any] = {
    "max_epochs": 5,
    "select_best": "val/loss",
    "early_stopping": {"monitor": "val/accuracy", "patience": 1, "rate_drops": 3},
}


@pytest.mark.parametrize(
    "overrides",
    [{"max_epochs": 5}, RESUMED, DROPS, {"max_epochs": 5, "schedule": "one_cycle"}],
    ids=["plain", "cosine-best", "rate-drops", "one-cycle"],
)
@pytest.mark.parametrize("epoch", [0, 1, 3, 4])
def test_a_resumed_fit_equals_an_undisturbed_one(
    tmp_path: Path, epoch: int, overrides: dict[str, Any]
) -> None:
    train, val, X = images(48), images(12, seed=1), images(12, seed=2).X
    whole = network("cnn", **overrides).fit(train, val, seed=3)
    with pytest.raises(Killed):
        network("cnn", **overrides).fit(train, val, seed=3, hooks=FitHooks(tmp_path, killed_after(epoch)))
    reported: list[int] = []
    hooks = FitHooks(tmp_path, lambda number, _: reported.append(number))
    resumed = network("cnn", **overrides).fit(train, val, seed=3, hooks=hooks)
    assert reported == list(range(epoch, 5))
    assert resumed.history == whole.history
    assert resumed.chosen() == whole.chosen()
    assert whole.seconds_before == 0
    assert (resumed.seconds_before > 0) == (epoch > 0)  # else there was no checkpoint
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))


def test_a_fit_killed_after_its_last_epoch_is_not_trained_further(tmp_path: Path) -> None:
    train, val = images(48), images(12, seed=1)
    overrides: dict[str, Any] = {
        "max_epochs": 30,
        "early_stopping": {"monitor": "val/accuracy", "patience": 2},
    }
    first = network(**overrides).fit(train, val, seed=0, hooks=FitHooks(tmp_path))
    again = network(**overrides).fit(train, val, seed=0, hooks=FitHooks(tmp_path, killed_after(29)))
    assert len(first.history) < 30
    assert again.history == first.history
    np.testing.assert_array_equal(again.predict_proba(val.X), first.predict_proba(val.X))


def test_a_broken_checkpoint_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "last.ckpt").write_bytes(b"half a checkpoint")
    model = network().fit(images(48), None, seed=0, hooks=FitHooks(tmp_path))
    assert len(model.history) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_an_interrupt_stays_an_interrupt() -> None:
    hooks = FitHooks(on_epoch=killed_after(0, KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        network().fit(images(48), None, seed=0, hooks=hooks)


def test_a_termination_is_no_success() -> None:
    hooks = FitHooks(on_epoch=lambda *_: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(SystemExit) as end:
        network().fit(images(48), None, seed=0, hooks=hooks)
    assert end.value.code == 143


def test_min_steps_prolong_a_fit_on_few_examples() -> None:
    train = images(48)  # three steps an epoch
    assert len(network(min_steps=10).fit(train, None, seed=0).history) == 4
    assert len(network(min_steps=6).fit(train, None, seed=0).history) == 2
    short = network(min_steps=10)
    short.trainer = TrainerConfig(accelerator="cpu", max_epochs=1, limit_train_batches=1)
    assert len(short.fit(train, None, seed=0).history) == 1


def test_early_stopping_ends_a_fit_that_no_longer_improves() -> None:
    stop = {"monitor": "val/accuracy", "patience": 2}
    model = fitted("mlp", max_epochs=60, early_stopping=stop)
    accuracies = [entry["val/accuracy"] for entry in model.history]
    assert len(accuracies) < 60
    assert max(accuracies[-2:]) <= max(accuracies[:-2])


def meaningless(n: int, seed: int) -> Part:
    """Labels without meaning: more epochs are worse."""
    return Part(images(n, seed=seed).X, np.random.default_rng(seed).integers(0, 3, n), 3, 255.0)


def test_the_rate_falls_before_a_fit_ends() -> None:
    train, val = images(48), meaningless(12, seed=1)
    ends = {}
    for drops in (0, 2):
        stop = {"monitor": "val/loss", "patience": 2, "rate_drops": drops}
        model = network(max_epochs=60, select_best="val/loss", early_stopping=stop).fit(train, val, seed=0)
        ends[drops] = [entry["train/loss"] for entry in model.history]
        assert len(model.history) < 60
    assert ends[2][: len(ends[0])] == ends[0]
    assert len(ends[2]) >= len(ends[0]) + 4  # two epochs of patience after each drop
    steps = -np.diff(ends[2])  # a tenth of the rate, a tenth of the way
    assert abs(steps[-1]) < abs(steps[len(ends[0]) - 2]) / 5


def test_patience_lasts_for_so_many_steps() -> None:
    stop = {"monitor": "val/loss", "patience": 1, "patience_steps": 13}  # three steps an epoch
    model = network(max_epochs=60, early_stopping=stop).fit(images(48), meaningless(12, seed=1), seed=0)
    losses = [entry["val/loss"] for entry in model.history]
    assert len(losses) - 1 - int(np.argmin(losses)) == 5


def test_one_cycle_rises_to_its_rate_and_ends_near_zero() -> None:
    rates = []

    class Rates(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    model = network(schedule="one_cycle", learning_rate=0.1, max_epochs=10)
    model.settings = model.settings.model_copy(update={"optimizer": partial(Rates)})
    model.fit(images(48), None, seed=0)
    highest = int(np.argmax(rates))
    assert len(rates) == 30
    assert rates[highest] == pytest.approx(0.1)
    assert np.all(np.diff(rates[: highest + 1]) > 0)
    assert np.all(np.diff(rates[highest:]) < 0)
    assert rates[-1] < 1e-4


def test_labels_are_smoothed_in_training_alone() -> None:
    val = images(12, seed=1)
    plain, smoothed = (network(label_smoothing=share).fit(images(48), val, seed=0) for share in (0.0, 0.5))
    assert smoothed.history[0]["train/loss"] > plain.history[0]["train/loss"]
    proba = smoothed.predict_proba(val.X)[np.arange(12), val.y]
    assert smoothed.history[-1]["val/loss"] == pytest.approx(-np.log(proba).mean(), rel=1e-4)


def test_a_value_that_is_hardly_better_ends_the_patience() -> None:
    stop = {"monitor": "val/loss", "patience": 2, "min_delta": 100.0}
    model = network(max_epochs=60, early_stopping=stop).fit(images(48), images(12, seed=1), seed=0)
    losses = [entry["val/loss"] for entry in model.history]
    assert losses[1] < losses[0]
    assert len(losses) == 1 + 2


WITH_DROPS: dict[str, Any] = {
    "max_epochs": 60,
    "select_best": "val/loss",
    "early_stopping": {"monitor": "val/loss", "patience": 2, "rate_drops": 2},
}


@pytest.mark.parametrize("overrides", [WITH_DROPS, {"max_epochs": 9, "select_best": "val/loss"}])
def test_what_a_validation_part_chose_gives_the_same_network_without_it(overrides: dict[str, Any]) -> None:
    train, val = images(48), meaningless(12, seed=1)
    model = network(**overrides).fit(train, val, seed=0)
    chosen = model.chosen()
    assert 0 < chosen["epochs"] < len(model.history)
    again = network(**overrides | chosen)
    assert not again.selects
    assert again.chosen() == {}
    again.trainer = TrainerConfig(accelerator="cpu", max_epochs=1)  # does not shorten what was chosen
    again.fit(train, None, seed=0)
    assert len(again.history) == chosen["epochs"]
    np.testing.assert_array_equal(again.predict_proba(val.X), model.predict_proba(val.X))


def test_a_fit_goes_on_as_long_as_it_did_where_no_epoch_is_selected() -> None:
    model = fitted("mlp", max_epochs=60, early_stopping={"monitor": "val/loss", "patience": 1})
    assert model.chosen()["epochs"] == len(model.history)


def test_select_best_gives_the_weights_of_the_best_epoch() -> None:
    rng = np.random.default_rng(0)
    train, val = images(48), Part(images(12, seed=1).X, rng.integers(0, 3, 12), 3, 255.0)
    model = network(max_epochs=8, select_best="val/loss").fit(train, val, seed=0)
    best = min(entry["val/loss"] for entry in model.history)
    assert best < model.history[-1]["val/loss"]  # labels without meaning: more epochs are worse
    proba = model.predict_proba(val.X)
    assert -np.log(proba[np.arange(12), val.y]).mean() == pytest.approx(best, rel=1e-4)


def test_small_images_grow_and_others_stay() -> None:
    small = torch.arange(64, dtype=torch.uint8).reshape(1, 8, 8, 1)
    assert Inputs([8, 8, 1], 16.0, 16)(small).shape == (1, 1, 16, 16)
    same = Inputs([8, 8, 1], 16.0, 8)(small)
    assert torch.equal(same, small.permute(0, 3, 1, 2) / 16)
    assert Inputs([8, 12, 3], 255.0, 16)(torch.zeros(2, 8, 12, 3, dtype=torch.uint8)).shape == (2, 3, 16, 24)


def test_a_permutation_takes_the_neighbourhood_of_pixels_and_nothing_else() -> None:
    X = torch.from_numpy(images(5, side=16, channels=3).X)
    plain = Inputs([16, 16, 3], 255.0, None)(X).flatten(2)  # (batch, c, h·w)
    permuted = Inputs([16, 16, 3], 255.0, None, 0)(X).flatten(2)
    again, other = (Inputs([16, 16, 3], 255.0, None, seed)(X).flatten(2) for seed in (0, 1))
    assert torch.equal(permuted, again)
    assert not torch.equal(permuted, other)
    # One order for all images and channels: each permuted pixel is one and the same pixel of the plain images.
    came_from = [
        [p for p in range(256) if torch.equal(plain[:, :, p], permuted[:, :, q])] for q in range(256)
    ]
    assert sorted(pixel for pixels in came_from for pixel in pixels) == list(range(256))
    assert came_from != [[p] for p in range(256)]


def test_the_permutation_is_the_same_for_every_seed_of_a_fit_and_survives_saving(tmp_path: Path) -> None:
    X = images(12, seed=2).X
    first, second = (fitted("cnn_shuffled", seed=seed) for seed in (0, 1))
    folders = [tmp_path / "first", tmp_path / "second"]
    for model, folder in zip((first, second), folders, strict=True):
        folder.mkdir()
        model.save(folder)
    weights, others = (load_file(folder / "weights.safetensors") for folder in folders)
    saved = next(name for name in weights if name.endswith("order"))
    assert torch.equal(weights[saved], others[saved])
    np.testing.assert_allclose(Network.load(folders[0]).predict_proba(X), first.predict_proba(X), atol=1e-6)
    # Another order in the file is the one that predicts: the saved model does not draw it from the seed again.
    save_file({**weights, saved: weights[saved].flip(0)}, folders[0] / "weights.safetensors")
    assert not np.allclose(Network.load(folders[0]).predict_proba(X), first.predict_proba(X), atol=1e-6)


def test_the_shuffled_cnn_is_the_cnn_on_other_pixels_alone() -> None:
    shuffled = dict(CONFIGS["cnn_shuffled"])
    assert shuffled.pop("permutation_seed") is not None
    assert shuffled == CONFIGS["cnn"]
    for group in ("search", "textbook"):
        plain, other = (
            yaml.safe_load((CONF / group / f"{name}.yaml").read_text()) for name in ("cnn", "cnn_shuffled")
        )
        assert plain == other


def test_warm_up_fits_a_copy_and_not_the_model() -> None:
    for modality in ("image", "table"):
        model = network("mlp")
        model.warm_up(part(modality, 48))
        assert model.history == []
        with pytest.raises(CrossoverError, match="must be fitted"):
            model.predict_proba(part(modality, 4).X)


@pytest.mark.parametrize("path", sorted((CONF / "trainer").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_trainer_config_builds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert isinstance(build(yaml.safe_load(path.read_text()), str(path)), TrainerConfig)


def test_the_debug_trainer_ends_after_a_few_steps() -> None:
    model = build(DEEP["cnn"], "conf/model/cnn.yaml")
    model.trainer = build(
        yaml.safe_load((CONF / "trainer/debug.yaml").read_text()), "conf/trainer/debug.yaml"
    )
    assert len(model.fit(images(48), images(12, seed=1), seed=0).history) == 2


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    config = yaml.safe_load((CONF / "trainer/gpu.yaml").read_text())
    with pytest.raises(CrossoverError, match=r"torch finds 0 here \(conf/trainer/gpu.yaml\); .*trainer=cpu"):
        build(config, "conf/trainer/gpu.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bach_size": 64}, "bach_size"),
        ({"architecture": {**DEEP["cnn"]["architecture"], "fliters": [8]}}, "fliters"),
        ({"architecture": {**DEEP["cnn"]["architecture"], "n_classes": 10}}, "must not set n_classes"),
        ({"architecture": {"_target_": "crossover.models.deep.cnn.CNN", "_partial_": True}}, "filters"),
        ({"architecture": "cnn"}, "architecture must be a class .*'cnn'"),
        ({"optimizer": {**DEEP["cnn"]["optimizer"], "lr": 0.1}}, "must not set lr"),
        ({"optimizer": {**DEEP["cnn"]["optimizer"], "momentun": 0.9}}, "momentun"),
        ({"early_stopping": {"monitor": "val/loss", "pattience": 3}}, "early_stopping .*check .*pattience"),
        ({"early_stopping": {"monitor": "val_loss", "patience": 3}}, r"early_stopping.monitor .*'val_loss'"),
        ({"select_best": "accuracy"}, "select_best must be one of .*'accuracy'"),
        (
            {"schedule": "linear"},
            "schedule must be one of constant, cosine, one_cycle, coslog4, got 'linear'",
        ),
        ({"learning_rate": -0.1}, "learning_rate must be a positive number, got -0.1"),
        ({"learning_rate": "1e-5"}, "learning_rate .*'1e-5'.*write 1.0e-5"),
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"max_epochs": "five"}, "max_epochs .*'five'"),
        ({"epochs": 0}, "epochs must be a positive integer, got 0"),
        (
            {"schedule": "cosine", "early_stopping": {"monitor": "val/loss", "patience": 1, "rate_drops": 1}},
            "rate_drops needs schedule constant, got cosine",
        ),
        ({"min_size": -1}, "min_size .*-1"),
    ],
)
def test_a_wrong_key_or_value_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CrossoverError, match=message) as raised:
        build({**DEEP["cnn"], **change}, "conf/model/cnn.yaml")
    assert "conf/model/cnn.yaml" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accelerator": "tpu"}, "accelerator must be one of auto, cpu, gpu, got 'tpu'"),
        ({"precision": 16}, "precision .*16"),
        ({"threads": 0}, "threads must be a positive integer, got 0"),
        ({"devices": 0}, "devices must be a positive integer, got 0"),
        ({"deterministic": "yes"}, "deterministic must be true or false, got 'yes'"),
        ({"presicion": "auto"}, "check presicion"),
    ],
)
def test_a_wrong_trainer_is_named(change: dict[str, Any], message: str) -> None:
    config = yaml.safe_load((CONF / "trainer/cpu.yaml").read_text())
    with pytest.raises(CrossoverError, match=message) as raised:
        build({**config, **change}, "conf/trainer/cpu.yaml")
    assert "conf/trainer/cpu.yaml" in str(raised.value)


def one_class() -> Part:
    return Part(images(8).X, np.zeros(8, dtype=np.int64), 3, 255.0)


def infinite_table() -> Part:
    train = table(12)
    assert isinstance(train.X, pd.DataFrame)
    train.X.loc[3, "size"] = np.inf
    return train


@pytest.mark.parametrize(
    ("name", "train", "overrides", "message"),
    [
        ("mlp", one_class, {}, "at least two classes, got 8 examples of class"),
        ("cnn", lambda: table(12), {}, "CNN takes image data, got table data"),
        ("mlp", infinite_table, {}, "infinity in column size"),
        ("mlp", lambda: images(48), {"learning_rate": 1e30}, "train/loss must stay finite.*learning_rate"),
        ("cnn", lambda: images(8, side=4), {"min_size": None}, "architecture and min_size must suit"),
        ("mlp", lambda: images(8), {"select_best": "val/loss"}, "val/loss needs a validation part"),
    ],
    ids=["one-class", "modality", "infinite", "diverged", "too-small", "no-validation"],
)
def test_data_that_cannot_be_learned_from_are_refused(
    name: str, train: Callable[[], Part], overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(CrossoverError, match=message):
        network(name, **overrides).fit(train(), None, seed=0)


def test_input_of_another_data_set_is_refused() -> None:
    model = fitted()
    with pytest.raises(CrossoverError, match=r"shape \[16, 16, 1\], got \[28, 28, 1\]"):
        model.predict_proba(images(3, side=28).X)
    with pytest.raises(CrossoverError, match="fitted on images, got DataFrame"):
        model.predict_proba(table(3).X)


def test_loading_runs_no_foreign_class(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    facts = json.loads((tmp_path / "network.json").read_text())
    facts["architecture"]["_target_"] = "os.system"
    (tmp_path / "network.json").write_text(json.dumps(facts))
    with pytest.raises(CrossoverError, match=r"of the package crossover, got os\.system"):
        Network.load(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "missing", "other"])
def test_damaged_weights_are_refused(tmp_path: Path, damage: str) -> None:
    fitted().save(tmp_path)
    weights = tmp_path / "weights.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "missing":
        weights.unlink()
    else:
        other = fitted("cnn")
        (tmp_path / "other").mkdir()
        other.save(tmp_path / "other")
        (tmp_path / "other/weights.safetensors").replace(weights)
    with pytest.raises(CrossoverError, match=r"weights\.safetensors .*dvc repro"):
        Network.load(tmp_path)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["32-true", "auto"])
def test_a_gpu_fit_predicts_the_same_on_a_cpu(
    tmp_path: Path, precision: Literal["32-true", "auto"], monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = partial(MLP, hidden=[32], dropout=0.1)
    model = Network(modalities=["image"], architecture=architecture, min_size=None, batch_size=16)
    model.trainer = TrainerConfig(accelerator="gpu", precision=precision)
    model.fit(images(48), images(12, seed=1), seed=0)
    test = images(30, seed=2)
    proba = model.predict_proba(test.X)
    assert model.device == f"cuda: {torch.cuda.get_device_name()}"
    assert (proba.argmax(1) == test.y).mean() > 0.8
    model.save(tmp_path)
    np.testing.assert_allclose(Network.load(tmp_path).predict_proba(test.X), proba, atol=1e-6)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    on_cpu = Network.load(tmp_path)
    assert on_cpu.device == "cpu"
    np.testing.assert_allclose(on_cpu.predict_proba(test.X), proba, atol=1e-4)


@pytest.mark.parametrize("n", [1, 127, 128, 129, 896, 897, 898, 54_000])
def test_no_step_is_made_on_a_handful_of_examples(n: int) -> None:
    """A last batch of one example gets a whole Adam step, which ruined networks on 897 rows in batches of 128."""
    rows = torch.arange(n)
    batches = TrainBatches((rows, rows), 128, seed=0, rank=0, world_size=1)
    drawn = [X for X, _ in batches]
    sizes = [len(X) for X in drawn]
    assert len(sizes) == len(batches) == -(-n // 128)
    assert max(sizes) <= 128
    assert max(sizes) - min(sizes) <= 1
    assert sorted(torch.cat(drawn).tolist()) == list(range(n))
