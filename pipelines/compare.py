"""Compare all data sets of the study: `python pipelines/compare.py`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.analysis.claims.claim import load_claims
from crossover.analysis.decision import Constraints
from crossover.core.configuration import plain
from crossover.core.study import load_study
from crossover.stages.compare import compare


@hydra.main(config_path="../conf", config_name="compare")
def main(config: DictConfig) -> None:
    cli.check_keys(config, "study", "decision", "claims_folder")
    constraints = Constraints.from_config(plain(config.decision), cli.origin("decision"))
    compare(
        load_study(Path(config.study)),
        cli.layout(config),
        constraints,
        load_claims(Path(config.claims_folder)),
    )


if __name__ == "__main__":
    cli.run(main)
