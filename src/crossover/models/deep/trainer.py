"""Where and how precisely a network is trained: `conf/trainer/`."""

from dataclasses import dataclass, replace
from typing import Any

from crossover.core.errors import CrossoverError

ACCELERATORS = ("auto", "cpu", "gpu")
PRECISIONS = ("auto", "32-true", "16-mixed", "bf16-mixed")


@dataclass(frozen=True)
class TrainerConfig:
    """Lightning's trainer, as far as it is a matter of the machine and not of the model.

    Attributes:
        accelerator: "cpu", "gpu" (CUDA), or "auto": the GPU where there is one.
        devices: devices of a machine.
        num_nodes: machines.
        strategy: Lightning's name of how several devices share the work.
        precision: Lightning's name; "auto" is 32 bit on a CPU, and mixed on a GPU, with bfloat16, or float16
            where the GPU has no other.
        threads: of the processor, for a fit; None leaves torch's choice, one a core. Another number rounds
            differently, and a fit carries that on into other weights.
        deterministic: use deterministic algorithms alone, so that equal fits give equal weights.
        progress_bar: show a bar where the output is a terminal.
        max_epochs: overrides the model's number of epochs, `min_steps` included.
        limit_train_batches: batches of an epoch that are trained on; all where None.
        limit_val_batches: batches that are validated on; all where None.
        checkpoint_seconds: least time between two checkpoints, taken at the end of an epoch, in a fit that keeps
            any: with many short epochs, one at each would take longer than the training.

    Raises:
        CrossoverError: a value is refused, or the device is not there.
    """

    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    deterministic: bool = True
    progress_bar: bool = True
    max_epochs: int | None = None
    limit_train_batches: int | None = None
    limit_val_batches: int | None = None
    checkpoint_seconds: float = 0.0

    def __post_init__(self) -> None:
        for key, value, choices in (
            ("accelerator", self.accelerator, ACCELERATORS),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in choices:
                raise CrossoverError(f"{key} must be one of {', '.join(choices)}, got {value!r}")
        for key in ("devices", "num_nodes"):
            _require_positive(key, getattr(self, key))
        for key in ("threads", "max_epochs", "limit_train_batches", "limit_val_batches"):
            if getattr(self, key) is not None:
                _require_positive(key, getattr(self, key))
        if not isinstance(self.checkpoint_seconds, int | float) or self.checkpoint_seconds < 0:
            raise CrossoverError(f"checkpoint_seconds must be 0 or more, got {self.checkpoint_seconds!r}")
        if self.accelerator == "gpu":
            self._require_gpus()

    def _require_gpus(self) -> None:
        import torch

        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if found < self.devices:
            raise CrossoverError(
                f"accelerator gpu needs {self.devices} CUDA device(s), and torch finds {found} here; "
                "use trainer=auto or trainer=cpu"
            )

    def resolved(self) -> "TrainerConfig":
        """The same with "auto" decided for this machine."""
        import torch

        accelerator, precision = self.accelerator, self.precision
        if accelerator == "auto":
            accelerator = "gpu" if torch.cuda.is_available() else "cpu"
        if precision == "auto" and accelerator == "gpu":
            precision = (
                "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
            )
        elif precision == "auto":
            precision = "32-true"
        return replace(self, accelerator=accelerator, precision=precision)


def _require_positive(key: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise CrossoverError(f"{key} must be a positive integer, got {value!r}")
