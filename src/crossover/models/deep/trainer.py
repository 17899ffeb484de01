"""Where and how precisely a network is trained: `conf/trainer/`."""

from typing import Literal, Self

from pydantic import NonNegativeFloat, PositiveInt, model_validator

from crossover.core.settings import Settings


class TrainerConfig(Settings):
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
        ValidationError: a value is refused, or the device is not there.
    """

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: PositiveInt = 1
    num_nodes: PositiveInt = 1
    strategy: str = "auto"
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    threads: PositiveInt | None = None
    deterministic: bool = True
    progress_bar: bool = True
    max_epochs: PositiveInt | None = None
    limit_train_batches: PositiveInt | None = None
    limit_val_batches: PositiveInt | None = None
    checkpoint_seconds: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _gpus_are_there(self) -> Self:
        if self.accelerator == "gpu":
            import torch

            found = torch.cuda.device_count() if torch.cuda.is_available() else 0
            if found < self.devices:
                raise ValueError(
                    f"accelerator gpu needs {self.devices} CUDA device(s), and torch finds {found} here; "
                    "use trainer=auto or trainer=cpu"
                )
        return self

    def resolved(self) -> Self:
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
        return self.model_copy(update={"accelerator": accelerator, "precision": precision})
