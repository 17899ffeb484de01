"""The one LightningModule: a classifier under cross-entropy."""

from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR, OneCycleLR

from crossover.models.deep.data import Tensors
from crossover.models.deep.randomness import DROPOUT, stream
from crossover.models.deep.settings import RATE_DROP, TrainingSettings


class Classification(pl.LightningModule):
    """Trains any network that turns a batch of raw input into logits (batch, n_classes).

    One that is an ensemble gives logits (batch, members, n_classes) while it trains, and each member has its own loss.

    Args:
        network: what to train.
        settings: optimiser and schedule.
        seed: of the noise inside the network, which depends on the epoch too, so that a resumed fit is exact.
    """

    def __init__(self, network: nn.Module, settings: TrainingSettings, seed: int) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.seed = seed
        self._sums: dict[str, Tensor] = {}

    def configure_optimizers(self) -> Any:
        optimizer = self.settings.optimizer(self.network.parameters(), lr=self.settings.learning_rate)
        if self.settings.rate_drops:
            return [optimizer], [MultiStepLR(optimizer, self.settings.rate_drops, RATE_DROP)]
        if self.settings.schedule == "constant":
            return optimizer
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = (
            CosineAnnealingLR(optimizer, T_max=steps)
            if self.settings.schedule == "cosine"
            else OneCycleLR(optimizer, max_lr=self.settings.learning_rate, total_steps=steps)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

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
