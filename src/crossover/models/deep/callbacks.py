"""What happens around an epoch of a fit."""

import logging
import time
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import Tensor

from crossover.core.errors import CrossoverError
from crossover.models.deep.module import Classification
from crossover.models.deep.settings import RATE_DROP, EarlyStop, best_is
from crossover.models.moments import MomentClock

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 5.0


class History(Callback):
    """The metrics of every epoch, those before a resume included.

    Must come before the callbacks that read it: `BestWeights`, `EpochLines`, and Lightning's own by logged name.

    Args:
        on_epoch: called by one process after each epoch with its number from 0 and its metrics.
        clock: of the fit.

    Attributes:
        seconds_before: what the epochs before a resume took.
    """

    def __init__(self, on_epoch: Callable[[int, dict[str, float]], None], clock: MomentClock) -> None:
        self.on_epoch, self.clock = on_epoch, clock
        self.epochs: list[dict[str, float]] = []
        self.seconds_before = 0.0

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classification)
        epoch, metrics = trainer.current_epoch, pl_module.epoch_metrics()
        for name, value in metrics.items():
            if not isfinite(value):
                raise CrossoverError(
                    f"{name} must stay finite, got {value} in epoch {epoch} with learning_rate "
                    f"{pl_module.settings.learning_rate}; lower learning_rate in the model's YAML"
                )
        self.epochs.append({"epoch": epoch, **metrics})
        pl_module.log_dict(metrics, prog_bar=True, sync_dist=trainer.world_size > 1)  # a mean of equals
        if trainer.is_global_zero:
            self.on_epoch(epoch, metrics)

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs, "seconds": self.seconds_before + self.clock.seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epochs, self.seconds_before = list(state_dict["epochs"]), float(state_dict["seconds"])


class ResumableEarlyStopping(EarlyStopping):
    """Lightning's early stopping, which lowers the learning rate first, as often as it should.

    After a resume, it also knows that the fit had already stopped.

    Args:
        stop: what is monitored.
        steps: of an epoch.

    Attributes:
        rate_drops: the epochs, from 0, at whose start the rate fell.
    """

    def __init__(self, stop: EarlyStop, steps: int) -> None:
        super().__init__(
            stop.monitor,
            min_delta=stop.min_delta,
            patience=stop.patient_epochs(steps),
            mode=best_is(stop.monitor),
            check_on_train_epoch_end=True,  # the metrics are logged there
        )
        self.most_drops = stop.rate_drops
        self.rate_drops: list[int] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.wait_count >= self.patience:
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        stopped = trainer.should_stop  # by someone else
        super().on_train_epoch_end(trainer, pl_module)
        if self.wait_count >= self.patience and len(self.rate_drops) < self.most_drops:
            trainer.should_stop, self.wait_count = stopped, 0
            self.rate_drops.append(trainer.current_epoch + 1)
            for optimizer in trainer.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] *= RATE_DROP

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"rate_drops": self.rate_drops}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.rate_drops = list(state_dict["rate_drops"])


class BestWeights(Callback):
    """Ends the fit with the weights of its best epoch, the first of equals.

    They are kept in memory, and in the checkpoints where a fit has those.
    """

    def __init__(self, monitor: str, history: History) -> None:
        self.monitor = monitor
        self.history = history
        self.best: float | None = None
        self.weights: dict[str, Tensor] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        value = self.history.epochs[-1][self.monitor]
        better = self.best is None or (
            value > self.best if best_is(self.monitor) == "max" else value < self.best
        )
        if better:
            self.best = value
            self.weights = {name: weight.clone() for name, weight in pl_module.state_dict().items()}

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.weights:
            pl_module.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.weights = state_dict["best"], state_dict["weights"]


class KeptWeights(Callback):
    """Keeps the weights that a fit would end with at some moments; in memory, and not in checkpoints.

    Must come after `BestWeights`.

    Args:
        clock: says which moments.

    Attributes:
        best: has the weights of the best epoch; None where the last epoch's count.
        weights: of the network, at the moments that `clock` has kept.
    """

    def __init__(self, clock: MomentClock) -> None:
        self.clock = clock
        self.best: BestWeights | None = None
        self.weights: list[dict[str, Tensor]] = []
        self._last: dict[str, Tensor] | None = None

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        unchanged = self.best is not None and self._last is self.best.weights
        if unchanged or not self.clock.due():
            return
        if self.best is None:
            state = {name: weight.clone() for name, weight in pl_module.state_dict().items()}
        else:
            state = self._last = self.best.weights
        self.weights.append({name.removeprefix("network."): weight for name, weight in state.items()})


class LastCheckpoint(ModelCheckpoint):
    """Lightning's checkpoint in one file, replaced as a whole, at the end of an epoch but not of each.

    Args:
        path: the file.
        seconds: least time between two checkpoints.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(
            dirpath=path.parent,
            filename=path.stem,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
        self.seconds = seconds
        self.saved_at = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if time.monotonic() - self.saved_at >= self.seconds:
            super().on_train_epoch_end(trainer, pl_module)
            self.saved_at = time.monotonic()


class EpochLines(Callback):
    """A line in the log for an epoch: the last one, and before it one every few seconds."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.last = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if epoch != trainer.max_epochs and time.monotonic() - self.last < _SECONDS_BETWEEN_LINES:
            return
        self.last = time.monotonic()
        numbers = {name: value for name, value in self.history.epochs[-1].items() if name != "epoch"}
        text = ", ".join(f"{name} {value:.4f}" for name, value in numbers.items())
        log.info("epoch %d of %d: %s", epoch, trainer.max_epochs, text)
