"""The one LightningModule: a classifier under cross-entropy."""

from math import cos, log2, pi
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, MultiStepLR, OneCycleLR

from crossover.models.deep.data import Tensors
from crossover.models.deep.fitted import takes
from crossover.models.deep.randomness import DROPOUT, stream
from crossover.models.deep.settings import RATE_DROP, TrainingSettings


def coslog4(share: float) -> float:
    """Of the learning rate after a share of a fit: four waves from 0 to 1 and back (Holzmüller et al. 2024)."""
    return (1 - cos(2 * pi * log2(1 + 15 * share))) / 2


def flat_cosine(share: float) -> float:
    """1 in the first half of a fit, then half a cosine down to 0 (Holzmüller et al. 2024)."""
    return (1 + cos(pi * (max(1.0, 2 * share) - 1))) / 2


class Classification(pl.LightningModule):
    """Trains any network that turns a batch of raw input into logits (batch, n_classes).

    One that is an ensemble gives logits (batch, members, n_classes) while it trains, and each member has its own loss.

    Args:
        network: what to train.
        settings: optimiser and schedule.
        seed: of the noise inside the network, which depends on the epoch too, so that a resumed fit is exact.
        longer: how many times as long as the fit its schedule is.
    """

    def __init__(
        self, network: nn.Module, settings: TrainingSettings, seed: int, longer: float = 1.0
    ) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.seed, self.longer = seed, longer
        self._sums: dict[str, Tensor] = {}
        self._dropouts = {layer: layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)}
        self._decays: list[float] = []  # of the optimiser's groups, at the start

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer()
        self._decays = [group.get("weight_decay", 0.0) for group in optimizer.param_groups]
        if self.settings.rate_drops:
            return [optimizer], [MultiStepLR(optimizer, self.settings.rate_drops, RATE_DROP)]
        if self.settings.schedule == "constant":
            return optimizer
        steps = self._steps()
        schedule: LRScheduler
        if self.settings.schedule == "cosine":
            schedule = CosineAnnealingLR(optimizer, T_max=steps)
        elif self.settings.schedule == "coslog4":
            schedule = LambdaLR(optimizer, lambda step: coslog4(step / steps))
        else:
            schedule = OneCycleLR(optimizer, max_lr=self.settings.learning_rate, total_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _optimizer(self) -> Optimizer:
        """All weights in one pass where torch can, since its loop over them is a fifth of a small network's step."""
        made_by = self.settings.optimizer
        says_how = "fused" in made_by.keywords or "foreach" in made_by.keywords
        fused = {"fused": True} if takes(made_by, "fused") and not says_how else {}
        return made_by(self._groups(), lr=self.settings.learning_rate, **fused)

    def _steps(self) -> int:
        """Of the whole schedule."""
        return round(self.trainer.estimated_stepping_batches * self.longer)

    def _groups(self) -> Any:
        """All of the network's, or groups of them with rates and decays of their own."""
        groups = (
            getattr(self.network[1], "parameter_groups", None)
            if isinstance(self.network, nn.Sequential)
            else None
        )
        if groups is None:
            return self.network.parameters()
        rate = self.settings.learning_rate
        decay = self.settings.optimizer.keywords.get("weight_decay", 0.0)
        return [
            {"params": one["params"], "lr": rate * one["rate"], "weight_decay": decay * one["decay"]}
            for one in groups()
            if one["params"]
        ]

    def on_train_batch_start(self, *_: Any) -> None:
        if not self.settings.fade_regularization:
            return
        left = flat_cosine(self.global_step / self._steps())
        for group, decay in zip(self.trainer.optimizers[0].param_groups, self._decays, strict=True):
            group["weight_decay"] = decay * left
        for layer, share in self._dropouts.items():
            layer.p = share * left

    def on_train_epoch_start(self) -> None:
        self._sums = {part: torch.zeros(3, device=self.device) for part in ("train", "val")}
        torch.manual_seed(stream(self.seed, DROPOUT, self.current_epoch, self.global_rank))

    def training_step(self, batch: Tensors, _: int) -> Tensor:
        return self._loss("train", batch)

    def validation_step(self, batch: Tensors, _: int) -> None:
        self._loss("val", batch)

    def _loss(self, part: str, batch: Tensors) -> Tensor:
        X, y = batch
        logits = self.network(X)
        smoothing = self.settings.label_smoothing if part == "train" else 0.0
        if logits.ndim == 3:
            each = logits.transpose(1, 2), y[:, None].expand(logits.shape[:2])
            loss = F.cross_entropy(*each, label_smoothing=smoothing)
            logits = logits.detach().softmax(2).mean(1)
        else:
            loss = F.cross_entropy(logits, y, label_smoothing=smoothing)
        with torch.no_grad():
            hits = (logits.argmax(1) == y).sum()
            self._sums[part] += torch.stack([loss * len(y), hits, torch.full_like(hits, len(y))])
        return loss

    def epoch_metrics(self) -> dict[str, float]:
        """Mean loss and accuracy of the epoch over the examples of all processes, by `{part}/{metric}`.

        The sums stay on the device until here: reading them each step would wait for the device.
        """
        metrics: dict[str, float] = {}
        for part, sums in self._sums.items():
            loss, hits, n = self.trainer.strategy.reduce(sums, reduce_op="sum").tolist()
            if n:
                metrics |= {f"{part}/loss": loss / n, f"{part}/accuracy": hits / n}
        return metrics
