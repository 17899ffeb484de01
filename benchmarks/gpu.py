"""What a GPU is worth: the textbook's CNN on MNIST-shaped data, by Lightning and by a bare PyTorch loop.

    python benchmarks/gpu.py

prints a row for each device: seconds an epoch (the median of the epochs after the first), images a second,
and what Lightning costs beside a loop written by hand for this one network. The images are random, since the
time does not depend on what they show. Where there is no GPU, it says so and measures the CPU alone. Needs
torch, Lightning and this package's `models/deep`, and neither Hydra nor DVC.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
import yaml

from crossover.data.prepared import Part
from crossover.models.base import FitHooks
from crossover.models.deep.fitted import EVAL_BATCH
from crossover.models.deep.network import Network
from crossover.models.deep.partials import from_spec
from crossover.models.deep.trainer import TrainerConfig

Accelerator = Literal["cpu", "gpu"]
CONFIG = Path(__file__).parents[1] / "conf" / "model" / "cnn.yaml"


def random_part(n: int, rng: np.random.Generator) -> Part:
    """`n` images of MNIST's shape."""
    X = rng.integers(0, 256, (n, 28, 28, 1), dtype=np.uint8)
    return Part(X, rng.integers(0, 10, n), n_classes=10, value_max=255.0)


def textbook_cnn(epochs: int) -> Network:
    """The network of `conf/model/cnn.yaml`."""
    config = yaml.safe_load(CONFIG.read_text())
    spec = {key: value for key, value in config["architecture"].items() if key != "_partial_"}
    return Network(
        modalities=config["modalities"],
        architecture=from_spec(spec, str(CONFIG)),
        min_size=config["min_size"],
        learning_rate=config["learning_rate"],
        batch_size=config["batch_size"],
        max_epochs=epochs,
    )


def clocked(run: Callable[[Callable[[], None]], None]) -> float:
    """Median seconds between the marks that `run` makes at the end of each epoch."""
    marks: list[float] = []
    run(lambda: marks.append(time.perf_counter()))
    return statistics.median(b - a for a, b in pairwise(marks))


def by_lightning(train: Part, val: Part, accelerator: Accelerator, epochs: int) -> float:
    """Seconds an epoch of `Network.fit`, validation included."""
    model = textbook_cnn(epochs)
    model.trainer = TrainerConfig(accelerator=accelerator, progress_bar=False)
    model.warm_up(train)

    def run(mark: Callable[[], None]) -> None:
        model.fit(train, val, seed=0, hooks=FitHooks(on_epoch=lambda *_: mark()))

    return clocked(run)


def by_hand(train: Part, val: Part, accelerator: Accelerator, epochs: int) -> float:
    """Seconds an epoch of a loop for this network alone, in the same precision and on the same device."""
    device = torch.device("cuda" if accelerator == "gpu" else "cpu")
    arrays = (train.X, train.y, val.X, val.y)
    X, y, X_val, y_val = (torch.from_numpy(array).to(device) for array in arrays)
    network = textbook_cnn(epochs).architecture(input_shape=[28, 28, 1], n_classes=10).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")

    def logits(batch: torch.Tensor) -> torch.Tensor:
        with autocast:
            return network(batch.permute(0, 3, 1, 2) / 255)

    def epoch() -> None:
        network.train()
        for rows in torch.randperm(len(y), device=device).split(128):
            optimizer.zero_grad()
            F.cross_entropy(logits(X[rows]).float(), y[rows]).backward()
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            batches = X_val.split(EVAL_BATCH[device.type])
            hits = torch.cat([logits(batch).argmax(1) for batch in batches]) == y_val
        hits.sum().item()  # waits for the device

    def run(mark: Callable[[], None]) -> None:
        for _ in range(epochs):
            epoch()
            mark()

    return clocked(run)


def row(name: str, accelerator: Accelerator, n_train: int, n_val: int, epochs: int) -> float:
    """Measure one device, print its row, and return Lightning's seconds an epoch."""
    rng = np.random.default_rng(0)
    train, val = random_part(n_train, rng), random_part(n_val, rng)
    lightning = by_lightning(train, val, accelerator, epochs)
    hand = by_hand(train, val, accelerator, epochs)
    rate = n_train / lightning
    print(
        f"{name:<32} {lightning:9.2f} s/epoch {rate:12,.0f} images/s {hand:9.2f} s/epoch by hand "
        f"(ratio {lightning / hand:.2f})",
        flush=True,
    )
    return lightning


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--images", type=int, default=54_000, help="training images; MNIST's without validation"
    )
    parser.add_argument(
        "--epochs", type=int, default=4, help="epochs a measurement, of which the first is dropped"
    )
    parser.add_argument(
        "--cpu-images", type=int, help="fewer images for the CPU, scaled up in its row's images/s"
    )
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("--epochs must be at least 2, since the first is dropped")
    cpu_images = options.cpu_images or options.images
    print(f"torch {torch.__version__}, {torch.get_num_threads()} CPU threads, batches of 128")
    cpu = row("cpu, float32", "cpu", cpu_images, cpu_images // 9, options.epochs)
    if not torch.cuda.is_available():
        print("no CUDA device on this machine: the GPU was not measured")
        return
    precision = TrainerConfig(accelerator="gpu").resolved().precision
    name = f"{torch.cuda.get_device_name()}, {precision}"
    gpu = row(name, "gpu", options.images, options.images // 9, options.epochs)
    print(f"the GPU trains {(cpu / cpu_images) / (gpu / options.images):.1f} times as fast as the CPU")


if __name__ == "__main__":
    main()
