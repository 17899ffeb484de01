"""Batches of whole arrays: one tensor a part, held on the device where it fits, and gathered by index."""

from collections.abc import Iterator
from math import ceil
from typing import Self

import pytorch_lightning as pl
import torch
from torch import Tensor

from crossover.models.deep.randomness import ORDER, stream

Tensors = tuple[Tensor, Tensor]
"""Inputs (n, …) and labels int64 (n,) of a part."""


class TrainBatches:
    """Training batches, in an order that depends on the seed and the epoch alone.

    Lightning calls `set_epoch` of the attribute `sampler` before each epoch, as it does with
    `torch.utils.data.DistributedSampler`, so a resumed fit sees the order that the undisturbed one saw. Of several
    processes, each takes its own rows of every batch, so `batch_size` is the most
    that they form together.
    """

    def __init__(self, tensors: Tensors, batch_size: int, seed: int, rank: int, world_size: int) -> None:
        self.X, self.y = tensors
        self.batch_size, self.seed = batch_size, seed
        self.rank, self.world_size = rank, world_size
        self.epoch = 0

    @property
    def sampler(self) -> Self:
        return (
            self  # not an attribute: a cycle would keep the tensors on the device until a garbage collection
        )

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return ceil(len(self.y) / self.batch_size)

    def __iter__(self) -> Iterator[Tensors]:
        generator = torch.Generator().manual_seed(stream(self.seed, ORDER, self.epoch))
        # Batches of one size, within one example: a last batch of a few would get a step as large as the others.
        for rows in torch.randperm(len(self.y), generator=generator).tensor_split(len(self)):
            missing = -len(rows) % self.world_size  # each process needs as many rows as the others
            own = torch.cat([rows, rows[:missing]])[self.rank :: self.world_size]
            on_device = own.to(self.X.device, non_blocking=True)
            yield self.X[on_device], self.y[on_device]


class OrderedBatches:
    """Consecutive batches without a copy, for validation; of several processes, each takes its own rows."""

    def __init__(self, tensors: Tensors, batch_size: int, rank: int, world_size: int) -> None:
        self.X, self.y = (tensor[rank::world_size] for tensor in tensors)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return ceil(len(self.y) / self.batch_size)

    def __iter__(self) -> Iterator[Tensors]:
        yield from zip(self.X.split(self.batch_size), self.y.split(self.batch_size), strict=True)


class ArrayData(pl.LightningDataModule):
    """Training and validation tensors as batches.

    Args:
        train: inputs and labels to train on.
        val: inputs and labels to validate on, if any.
        batch_size: training examples a step.
        eval_batch_size: validation examples at a time.
        seed: of the order of the training examples.
    """

    def __init__(
        self, train: Tensors, val: Tensors | None = None, *, batch_size: int, eval_batch_size: int, seed: int
    ) -> None:
        super().__init__()
        self.train, self.val = train, val
        self.batch_size, self.eval_batch_size, self.seed = batch_size, eval_batch_size, seed

    def setup(self, stage: str) -> None:
        assert self.trainer is not None
        self._share = self.trainer.global_rank, self.trainer.world_size
        device = self.trainer.strategy.root_device
        self.train = _placed(self.train, device)
        self.val = _placed(self.val, device) if self.val is not None else None

    def train_dataloader(self) -> TrainBatches:
        return TrainBatches(self.train, self.batch_size, self.seed, *self._share)

    def val_dataloader(self) -> OrderedBatches | list:
        return [] if self.val is None else OrderedBatches(self.val, self.eval_batch_size, *self._share)


def _placed(tensors: Tensors, device: torch.device) -> Tensors:
    """On the device if they take at most half of its free memory, else pinned for quick copies of batches."""
    if device.type != "cuda":
        return tensors
    free, _ = torch.cuda.mem_get_info(device)
    if sum(tensor.nbytes for tensor in tensors) <= free / 2:
        return tensors[0].to(device), tensors[1].to(device)
    return tensors[0].pin_memory(), tensors[1].pin_memory()
