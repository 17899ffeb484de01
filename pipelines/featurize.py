"""Make one feature set of one data set: `python pipelines/featurize.py dataset=mnist features=handcrafted`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.core.configuration import build, plain
from crossover.stages.featurize import featurize


@hydra.main(config_path="../conf", config_name="featurize")
def main(config: DictConfig) -> None:
    cli.check_keys(config, "dataset", "features", "jobs")
    featurize(
        config.dataset.name,
        cli.choice("features"),
        build(config.features, cli.origin("features")),
        plain(config.features),
        cli.layout(config),
        jobs=config.jobs,
    )


if __name__ == "__main__":
    cli.run(main)
