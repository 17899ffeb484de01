"""Stage audit: what is wrong with a data set before anything is compared on it, to `results/audit/<data set>/`."""

import logging

from omegaconf import DictConfig

from crossover.audit.checks import audit
from crossover.audit.finding import Checks, findings_file, write_findings
from crossover.core.configuration import plain
from crossover.core.files import atomic_folder
from crossover.core.layout import Layout
from crossover.core.settings import validated
from crossover.data.prepared import Prepared
from crossover.launching import job

log = logging.getLogger(__name__)


def audit_dataset(dataset: str, checks: Checks, layout: Layout) -> None:
    """Run the checks and write what they found, whole or not at all.

    Args:
        dataset: a prepared data set.
        checks: thresholds, and what is muted.
        layout: where everything lies.

    Raises:
        CrossoverError: the data set is not prepared.
    """
    found = audit(Prepared(layout.prepared(dataset)), checks)
    target = findings_file(layout, dataset)
    with atomic_folder(target.parent) as folder:
        write_findings(folder / target.name, found)
    for one in found.findings:
        log.info("%s: %s %s: %.3g (%d of %d)", dataset, one.code, one.title, one.value, one.n, one.of)
    if not found.findings:
        log.info("%s: none of %d checks found anything", dataset, len(found.clean))


def run(config: DictConfig) -> None:
    """Audit the data set of `conf/audit.yaml`; see `audit_dataset`."""
    job.check_keys(config, "dataset", "audit")
    checks = validated(Checks, plain(config.audit), job.origin("audit"))
    audit_dataset(config.dataset.name, checks, job.layout(config))
