"""Stage check: everything that `params.yaml` names exists and is named as it should be, before anything else runs."""

from pathlib import Path

from omegaconf import DictConfig

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.files import read_yaml
from crossover.core.study import Study, load_study, require_yaml
from crossover.data.splits import ORIGIN, Protocol
from crossover.launching import job


def check(study: Study, conf: Path) -> None:
    """Check the study against the files in `conf/`.

    Raises:
        CrossoverError: it names what does not exist, a data set's YAML has another name than its file, or there are
            more repetitions than the protocol draws.
    """
    require_yaml(study, conf)
    for dataset in study.datasets:
        name = read_yaml(conf / "dataset" / f"{dataset}.yaml").get("name")
        if name != dataset:  # two data sets would share their folders
            raise CrossoverError(
                f"name must be {dataset!r}, as the file, got {name!r} (conf/dataset/{dataset}.yaml)"
            )
    protocol = build(read_yaml(conf / "protocol" / "default.yaml"), ORIGIN, Protocol)
    most = max(study.seeds, study.learning_curve.repetitions)
    if most > protocol.repetitions:
        raise CrossoverError(
            f"seeds and learning_curve.repetitions must be at most the {protocol.repetitions} repetitions of {ORIGIN}, "
            f"got {most} (params.yaml); lower them, or raise repetitions there"
        )


def run(config: DictConfig) -> None:
    """Check the names of the study; see `check`.

    Raises:
        CrossoverError: `params.yaml` is broken, too.
    """
    job.check_keys(config, "study")
    check(load_study(Path(config.study)), Path(config.root) / "conf")
