"""What a stage reads from its Hydra configuration: what to fit, where files lie, where fits are recorded."""

import os
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from crossover.core.cell import LEARNED, Cell, Family
from crossover.core.configuration import build, class_of, plain
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.fitting.config import FitConfig
from crossover.models.base import Model
from crossover.tracking.tracker import Tracker


def check_keys(config: DictConfig, *known: str) -> None:
    """Refuse a stage's configuration that holds a key too many or too few, or a data set under another's name.

    Raises:
        CrossoverError: a key of the stage's YAML files is misspelt or missing, or the data set has another name.
    """
    wrong = sorted(str(key) for key in set(config) ^ {"root", *known})
    if wrong:
        stage = HydraConfig.get().job.config_name
        raise CrossoverError(
            f"conf/{stage}.yaml must hold exactly the keys {', '.join(known)}; check {', '.join(wrong)}"
        )
    if "dataset" in known:
        name = config.dataset.get("name")
        if name != choice("dataset"):  # two would share their folders
            raise CrossoverError(
                f"name must be {choice('dataset')!r}, as the file, got {name!r} ({origin('dataset')})"
            )


def choice(group: str) -> str:
    """The YAML that was chosen in a config group, for example "random_forest" in `model`."""
    return str(HydraConfig.get().runtime.choices[group])


def origin(group: str) -> str:
    """The file behind the chosen YAML of a group, for messages."""
    return f"conf/{group}/{choice(group)}.yaml"


def layout(config: DictConfig) -> Layout:
    """Where the project's files lie."""
    return Layout(Path(config.root))


def tracker(config: DictConfig) -> Tracker:
    """What records the fits: the chosen `tracking`, unless CROSSOVER_TRACKING names another of conf/tracking/.

    Raises:
        CrossoverError: the environment names one that does not exist.
    """
    name = os.environ.get("CROSSOVER_TRACKING") or choice("tracking")
    if name == choice("tracking"):
        return build(config.tracking, origin("tracking"), Tracker)
    main = next(s for s in HydraConfig.get().runtime.config_sources if s.provider == "main")
    folder = Path(main.path) / "tracking"
    there = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in there:
        raise CrossoverError(
            f"CROSSOVER_TRACKING must be one of {', '.join(there)}, got {name!r} (the environment)"
        )
    return build(OmegaConf.load(folder / f"{name}.yaml"), f"conf/tracking/{name}.yaml", Tracker)


def fit_config(config: DictConfig, *, variant: str, family: Family | None = None) -> FitConfig:
    """What a stage fits, from its configuration; a network's features are its own.

    Args:
        config: with `dataset`, `model` and, for a network, `trainer`.
        variant: of the cell.
        family: that the stage fits; None takes the model's own.
    """
    family = family or class_of(config.model, origin("model"), Model).family  # type: ignore[attr-defined]
    deep = family == "deep"
    return FitConfig(
        cell=Cell(
            config.dataset.name, LEARNED if deep else choice("features"), choice("model"), family, variant
        ),
        model=plain(config.model),
        trainer=plain(config.trainer) if deep else None,
        model_origin=origin("model"),
        trainer_origin=origin("trainer") if deep else "",
    )


def clock_seconds(config: DictConfig) -> float:
    """Until when a short fit is timed again.

    Raises:
        CrossoverError: it is not a number of at least 0.
    """
    value = config.clock_seconds
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise CrossoverError(
            f"clock_seconds must be a number of seconds of at least 0, got {value!r} "
            f"(conf/{HydraConfig.get().job.config_name}.yaml or the command line)"
        )
    return float(value)


def multirun_folder() -> str | None:
    """The folder of the Hydra multirun that this job belongs to; None for a single run."""
    hydra = HydraConfig.get()
    return str(hydra.sweep.dir) if hydra.mode is not None and hydra.mode.name == "MULTIRUN" else None
