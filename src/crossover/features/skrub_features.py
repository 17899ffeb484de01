"""Tables whose columns hold many different strings, encoded with skrub, which is an extra of the project."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, NonNegativeInt, PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, write_json
from crossover.core.settings import checked
from crossover.data.prepared import Input, Part
from crossover.features.base import FeatureSet

if TYPE_CHECKING:
    import skrub


class SkrubFeatures(FeatureSet):
    """Strings by the runs of three and four characters that they have in common; all other columns as `raw` has them.

    Each column of strings goes through `skrub.StringEncoder`: tf-idf of the runs, a truncated SVD, and one factor for
    the block, so that it weighs as much as one scaled number. A missing string, and one that shares no run with the
    training part, is a row of zeros.

    Args:
        modalities: the kinds of data set that the feature set takes.
        cardinality_threshold: a column of the training part with so many different strings, or more, is encoded by
            what they have in common; of one with fewer, each category becomes a column.
        n_components: columns that each column of strings becomes; fewer where it has fewer strings.
        seed: of the SVD.

    Raises:
        CrossoverError: skrub is not installed.
    """

    learns = True

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        cardinality_threshold: Annotated[int, Field(ge=2)],
        n_components: PositiveInt,
        seed: NonNegativeInt,
    ) -> None:
        super().__init__(modalities)
        self.cardinality_threshold, self.n_components, self.seed = cardinality_threshold, n_components, seed
        self._strings: dict[str, Any] = {}  # from a column to its fitted encoder
        self._rest: Any = None  # the fitted encoder of all other columns
        _library()

    def fit(self, train: Part) -> Self:
        from crossover.features.tables import refuse_infinite, table_encoder

        X = train.X
        assert isinstance(X, pd.DataFrame)
        refuse_infinite(X)
        self._strings = {}
        for name, column in X.items():
            different = column.nunique()
            if not pd.api.types.is_numeric_dtype(column) and different >= self.cardinality_threshold:
                # The SVD finds at most as many directions as there are strings.
                encoder = _library().StringEncoder(
                    n_components=min(self.n_components, different - 1), random_state=self.seed
                )
                self._strings[str(name)] = encoder.fit(column)
        rest = X.drop(columns=list(self._strings))
        self._rest = table_encoder(rest).fit(rest)
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        from crossover.features.tables import refuse_infinite

        assert isinstance(X, pd.DataFrame)
        refuse_infinite(X)
        blocks = [self._rest.transform(X.drop(columns=list(self._strings)))]
        blocks += [encoder.transform(X[name]).to_numpy() for name, encoder in self._strings.items()]
        return np.hstack(blocks, dtype=np.float32)

    def names(self) -> list[str]:
        from crossover.features.tables import encoded_names

        blocks = [encoder.get_feature_names_out() for encoder in self._strings.values()]
        return [*encoded_names(self._rest), *(name for block in blocks for name in block)]

    def save(self, folder: Path) -> None:
        from crossover.core import skops_io

        state = {
            "modalities": sorted(self.modalities),
            "cardinality_threshold": self.cardinality_threshold,
            "n_components": self.n_components,
            "seed": self.seed,
        }
        write_json(folder / "skrub.json", state)
        skops_io.dump({"rest": self._rest, "strings": self._strings}, folder / "encoders.skops")

    @classmethod
    def load(cls, folder: Path) -> Self:
        from crossover.core import skops_io

        features = cls(**read_json(folder / "skrub.json", "dvc repro"))
        encoders = skops_io.load(folder / "encoders.skops")
        features._rest, features._strings = encoders["rest"], encoders["strings"]
        return features


def _library() -> "skrub":
    try:
        import skrub
    except ImportError as error:
        raise CrossoverError(
            "features=skrub needs the package of its name, which is an extra, and it is not installed; "
            "install it with `pip install 'crossover[skrub]'`"
        ) from error
    return skrub
