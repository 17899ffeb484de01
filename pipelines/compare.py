"""Compare all data sets of the study: `python pipelines/compare.py`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.config import plain
from crossover.report.claims.claim import load_claims
from crossover.report.compare import compare
from crossover.report.decision.decision import Constraints
from crossover.study import load_study


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
