"""What a cell is fitted on."""

import logging
from functools import cached_property
from typing import Literal

import numpy as np

from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.data.prepared import Meta, Part, Prepared, modality_set
from crossover.features.base import Features
from crossover.fitting.config import FitConfig

log = logging.getLogger(__name__)


class TrainingData:
    """The training part of a cell's data set, as features or as it is, and its validation rows.

    Args:
        config: which data set and features, and the model's `modalities`.
        layout: where the data lie.
    """

    def __init__(self, config: FitConfig, layout: Layout):
        self.config, self.layout = config, layout
        self.prepared = Prepared(layout.prepared(config.cell.dataset))
        self.features = Features(layout.features(config.cell.dataset, config.cell.features))

    @property
    def meta(self) -> Meta:
        return self.prepared.meta

    @cached_property
    def train(self) -> Part:
        """The whole training part, validation rows included; an array is memory-mapped."""
        if self.config.cell.features == LEARNED:
            return self.prepared.train()
        return Part(self.features.matrix("train"), self.labels, self.meta.n_classes)

    @cached_property
    def labels(self) -> np.ndarray:
        """Labels of the whole training part: int64 (n_train,)."""
        return self.prepared.labels("train")

    def split(self, repetition: int) -> tuple[Part, Part]:
        """The training part without the validation rows of a repetition, and these rows."""
        rows = self.prepared.validation_rows(repetition)
        return self.train.without(rows), self.train.take(rows)

    def why_not(self) -> str:
        """The reason why the cell does not apply to its data set; empty where it does.

        Reads the YAML alone, so that it costs no import of a model library.

        Raises:
            CrossoverError: the YAML's `modalities` names no kind of data set.
        """
        cell = self.config.cell
        takes = modality_set(self.config.model.get("modalities"), self.config.model_origin)
        if self.meta.modality not in takes:
            return f"{cell.model} takes {' and '.join(sorted(takes))} data, {cell.dataset} is {self.meta.modality} data"
        return "" if cell.features == LEARNED else self.features.meta.reason

    def refused(self, not_applicable: Literal["record", "error"]) -> str:
        """`why_not`, logged where it is to be written down.

        Raises:
            CrossoverError: the cell does not apply, and that is to be an error.
        """
        reason = self.why_not()
        if reason and not_applicable == "error":
            raise CrossoverError(f"{reason} ({self.config.model_origin}); choose another model or data set")
        if reason:
            log.info("%s: does not apply: %s", self.config.cell.path, reason)
        return reason
