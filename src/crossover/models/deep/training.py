"""One fit with Lightning; what belongs to the process is put back as it was."""

import logging
import pickle
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from zipfile import BadZipFile

import pytorch_lightning as pl
import torch
import torch.utils.deterministic
from pytorch_lightning.callbacks import Callback, TQDMProgressBar
from pytorch_lightning.trainer.states import TrainerStatus
from pytorch_lightning.utilities.exceptions import SIGTERMException
from torch import Tensor, nn

from crossover.core.errors import CrossoverError
from crossover.models.base import FitHooks
from crossover.models.deep.callbacks import (
    BestWeights,
    EpochLines,
    History,
    KeptWeights,
    LastCheckpoint,
    ResumableEarlyStopping,
)
from crossover.models.deep.data import ArrayData, Tensors
from crossover.models.deep.fitted import EVAL_BATCH
from crossover.models.deep.module import Classification
from crossover.models.deep.settings import TrainingSettings
from crossover.models.deep.trainer import TrainerConfig
from crossover.models.moments import MomentClock

log = logging.getLogger(__name__)

_CHECKPOINT = "last.ckpt"

# Advice on data loaders with workers, and on switches that are set on purpose.
_NOT_FOR_THE_USER = [
    r".*does not have many workers.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*The number of training batches .* is smaller than the logging interval.*",
    r".*you defined a `validation_step` but have no `val_dataloader`.*",
    r".*GPU available but not used.*",
    r".*The `srun` command is available on your system but is not used.*",
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",  # Lightning's own use of torch
]


@dataclass(frozen=True)
class TrainingRecord:
    """What a training left behind, apart from the network's weights.

    Attributes:
        history: one entry an epoch, those before a resume included.
        rate_drops: the epochs at whose start early stopping lowered the learning rate.
        kept: the weights at the moments that the clock kept.
        seconds_before: what the part of the fit that a checkpoint held took.
    """

    history: list[dict[str, float]]
    rate_drops: list[int]
    kept: list[dict[str, Tensor]]
    seconds_before: float


def train_network(
    network: nn.Module,
    tensors: list[Tensors],
    settings: TrainingSettings,
    config: TrainerConfig,
    *,
    epochs: int,
    of_schedule: int,
    seed: int,
    hooks: FitHooks,
    clock: MomentClock,
) -> TrainingRecord:
    """Train a network in place, from the last checkpoint where there is one.

    Args:
        network: turns a batch of raw input into logits.
        tensors: what to train and, if there is a second entry, validate on.
        settings: how.
        config: where, with "auto" resolved.
        epochs: how long.
        of_schedule: epochs of the whole schedule, in whose middle the fit may end.
        seed: number of the repetition.
        hooks: checkpoints and progress; the folder of checkpoints holds one file, the last.
        clock: of the fit; says which moments are kept, if `hooks` asks for them.

    Raises:
        CrossoverError: a metric is no longer finite, or a batch does not fit into the memory of the device.
        KeyboardInterrupt: the user stopped the fit.
        SystemExit: SIGTERM stopped it; the status is 143.
    """
    eval_batch = EVAL_BATCH["cuda" if config.accelerator == "gpu" else "cpu"]
    data = ArrayData(*tensors, batch_size=settings.batch_size, eval_batch_size=eval_batch, seed=seed)
    module = Classification(network, settings, seed, of_schedule / epochs)
    history = History(hooks.on_epoch, clock)
    with _torch_state_restored(), _without_advice():
        torch.set_num_threads(config.threads or torch.get_num_threads())
        steps = ceil(len(tensors[0][1]) / settings.batch_size)  # of an epoch
        validates = len(tensors) > 1
        kept = KeptWeights(clock)
        checkpoint = _readable_checkpoint(hooks.checkpoints)
        if checkpoint:  # the clock is not that of the whole fit
            hooks = replace(hooks, keep_moments=False)
        trainer = _trainer(settings, config, epochs, steps, history, hooks, kept, validates)
        try:
            with _signals_passed_on(trainer):
                trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
        except torch.OutOfMemoryError as error:
            raise CrossoverError(
                f"a batch must fit into the memory of the device, got batch_size {settings.batch_size}; "
                "lower it in the model's YAML, or use trainer=cpu"
            ) from error
    stopping = trainer.early_stopping_callback
    drops = stopping.rate_drops if isinstance(stopping, ResumableEarlyStopping) else []
    return TrainingRecord(history.epochs, drops, kept.weights, history.seconds_before)


def _trainer(
    settings: TrainingSettings,
    config: TrainerConfig,
    epochs: int,
    steps: int,
    history: History,
    hooks: FitHooks,
    kept: KeptWeights,
    validates: bool,
) -> pl.Trainer:
    shows_bar = config.progress_bar and sys.stdout.isatty()
    callbacks: list[Callback] = [
        history,
        TQDMProgressBar(refresh_rate=20) if shows_bar else EpochLines(history),
    ]
    if settings.select_best is not None:
        kept.best = BestWeights(settings.select_best, history)
        callbacks.append(kept.best)
    if hooks.keep_moments:
        callbacks.append(kept)
    if settings.early_stopping is not None:
        callbacks.append(ResumableEarlyStopping(settings.early_stopping, steps))
    if hooks.checkpoints is not None:
        callbacks.append(LastCheckpoint(hooks.checkpoints / _CHECKPOINT, config.checkpoint_seconds))
    return pl.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=config.strategy,
        precision=config.precision,  # type: ignore[arg-type]
        deterministic=config.deterministic,
        max_epochs=epochs,
        limit_train_batches=config.limit_train_batches,
        limit_val_batches=config.limit_val_batches if validates else 0,
        callbacks=callbacks,
        enable_checkpointing=hooks.checkpoints is not None,
        enable_progress_bar=shows_bar,
        enable_model_summary=False,
        logger=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # crossover.models.deep.data shares the rows out by itself
    )


def _readable_checkpoint(checkpoints: Path | None) -> Path | None:
    """The checkpoint to resume from; a file that cannot be read is removed, and the fit begins anew."""
    if checkpoints is None or not (checkpoints / _CHECKPOINT).exists():
        return None
    path = checkpoints / _CHECKPOINT
    try:
        torch.load(path, map_location="meta", weights_only=True)
    except (RuntimeError, EOFError, KeyError, ValueError, BadZipFile, pickle.UnpicklingError) as error:
        log.warning("the checkpoint %s cannot be read (%s); the fit begins anew", path, type(error).__name__)
        path.unlink()
        return None
    return path


@contextmanager
def _torch_state_restored() -> Iterator[None]:
    """Put back torch's random state, number of threads and choice of algorithms."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    threads = torch.get_num_threads()
    filler = torch.utils.deterministic
    fill = filler.fill_uninitialized_memory  # type: ignore[attr-defined]
    filler.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # no operation here reads such memory
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.backends.cudnn.benchmark = benchmark
        torch.set_num_threads(threads)
        filler.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep Lightning's advice that nobody can act on here out of the log."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    loggers += [logging.getLogger(f"{logger.name}.utilities.rank_zero") for logger in loggers]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        with warnings.catch_warnings():
            for message in _NOT_FOR_THE_USER:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _signals_passed_on(trainer: pl.Trainer) -> Iterator[None]:
    """A signal ends the fit the way it ends any program.

    Of itself, Lightning turns Ctrl-C into status 1 and leaves that signal ignored, and SIGTERM into status 0.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SIGTERMException:
        raise SystemExit(128 + signal.SIGTERM) from None
    except SystemExit as end:
        if trainer.state.status != TrainerStatus.INTERRUPTED or not isinstance(
            end.__context__, KeyboardInterrupt
        ):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None
