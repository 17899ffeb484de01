"""Published numbers next to ours."""

from dataclasses import dataclass
from pathlib import Path

from crossover.analysis.results import CellResult, DatasetResults
from crossover.core.cell import TEXTBOOK
from crossover.core.errors import CrossoverError
from crossover.core.files import read_yaml
from crossover.core.metric import ACCURACY
from crossover.core.settings import Settings, validated

PUBLISHED = Path(__file__).with_name("published.yaml")


class Published(Settings):
    """An entry of `published.yaml`, the one owner of these numbers.

    Attributes:
        name: by which a claim or a benchmark refers to it.
        dataset: name of the data set.
        features: name of the feature set.
        model: name of the model.
        value: accuracy on the publisher's test part.
        tolerance: how far our mean may lie from it and still count as reproduced.
        source: where it stands.
    """

    name: str
    dataset: str
    features: str
    model: str
    value: float
    tolerance: float
    source: str


@dataclass(frozen=True)
class Reproduction:
    """A published number with what came out here."""

    published: Published
    cell: CellResult

    @property
    def difference(self) -> float:
        """Ours minus the published value."""
        return self.cell.mean("accuracy") - self.published.value

    @property
    def reproduced(self) -> bool:
        return abs(self.difference) <= self.published.tolerance

    @property
    def inside(self) -> bool:
        """Whether the published value lies inside the interval of our mean."""
        return self.published.value in self.cell.score_interval


def load_published(path: Path = PUBLISHED) -> list[Published]:
    """Read the published values.

    Raises:
        CrossoverError: the file is not a list of entries with exactly the keys of `Published`.
    """
    entries = read_yaml(path) or []
    return [validated(Published, entry, str(path), key=f"[{i}]") for i, entry in enumerate(entries)]


def published_number(name: str) -> Published:
    """The entry of a name.

    Raises:
        CrossoverError: there is none.
    """
    known = {entry.name: entry for entry in load_published()}
    if name not in known:
        raise CrossoverError(f"published must be one of {', '.join(known)}, got {name!r}")
    return known[name]


def reproductions(results: DatasetResults, published: list[Published]) -> list[Reproduction]:
    """The published values with the cells that have the published configuration: the textbook's.

    They are accuracies, so there are none on a data set with another metric.
    """
    if results.metric != ACCURACY:
        return []
    cells = {(c.cell.dataset, c.cell.features, c.cell.model): c for c in results.at(TEXTBOOK)}
    keys = [(entry, (entry.dataset, entry.features, entry.model)) for entry in published]
    return [Reproduction(entry, cells[key]) for entry, key in keys if key in cells]
