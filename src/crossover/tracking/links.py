"""Print where the answers are on MLflow's pages: `make ui` does so before it opens them.

python -m crossover.tracking.links --port 5000
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from crossover.tracking import views
from crossover.tracking.mlflow_tracker import DEFAULT_URI
from crossover.tracking.report import STUDY
from crossover.tracking.store import SQLITE, Store

log = logging.getLogger(__name__)


def links(store: Store, server: str) -> dict[str, dict[str, str]]:
    """By data set, the pages of its newest study that was compared, and of its prepared views.

    Args:
        store: where the studies are recorded.
        server: address of the pages, "http://127.0.0.1:5000".
    """
    found = {}
    for experiment in store.client.search_experiments(order_by=["experiment_id ASC"]):
        query = f"tags.`{STUDY}` LIKE '%' AND tags.`verdict` LIKE '%'"
        compared = store.all_runs(experiment.experiment_id, query)
        if f"{views.TAG}{views.COMPARISON}" not in experiment.tags or not compared:
            continue
        newest = max(compared, key=lambda run: run.info.start_time)
        run = f"#/experiments/{experiment.experiment_id}/runs/{newest.info.run_id}"
        found[experiment.name] = {
            "the report": f"{server}/{run}/artifacts/report.html",
            "every cell": f"{server}/{views.page(experiment.experiment_id, views.COMPARISON)}",
            "the learning curves": f"{server}/{views.page(experiment.experiment_id, views.CURVES)}",
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=5000, help="of the pages")
    port = parser.parse_args().port
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    address = os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if address.startswith(SQLITE) and not Path(address.removeprefix(SQLITE)).exists():
        log.info("nothing is recorded yet: run `make repro`")
        return
    for dataset, pages in links(Store(address), f"http://127.0.0.1:{port}").items():
        log.info("%s", dataset)
        for what, page in pages.items():
            log.info("  %s: %s", what, page)


if __name__ == "__main__":
    main()
