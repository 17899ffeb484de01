"""TabM, an ensemble of multilayer perceptrons that share most of their weights."""

from collections.abc import Sequence

import tabm
from rtdl_num_embeddings import PeriodicEmbeddings
from torch import Tensor, nn

from crossover.models.deep.table_columns import split_columns


class TabM(nn.Module):
    """TabM (Gorishniy et al. 2025, arXiv 2410.24210) with periodic embeddings of numbers, as its authors publish it.

    Args:
        input_shape: (columns,), those of codes last.
        n_classes: number of classes.
        categories: how many categories each column of codes has.
        members: of the ensemble.
        blocks: hidden layers.
        width: of each.
        dropout: probability of dropping a hidden unit.
        embedding: numbers that each number of the table becomes (Gorishniy et al. 2022, arXiv 2203.05556).
        frequencies: sines and cosines of each number that these are made from.
        frequency_scale: standard deviation of the frequencies at the start.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int,
        categories: Sequence[int],
        *,
        members: int,
        blocks: int,
        width: int,
        dropout: float,
        embedding: int,
        frequencies: int,
        frequency_scale: float,
    ) -> None:
        super().__init__()
        self.categories = list(categories)
        n_numbers = input_shape[0] - len(self.categories)
        numbers = None
        if n_numbers:
            numbers = PeriodicEmbeddings(
                n_numbers,
                embedding,
                n_frequencies=frequencies,
                frequency_init_scale=frequency_scale,
                lite=True,
            )
        self.ensemble = tabm.TabM.make(
            n_num_features=n_numbers,
            cat_cardinalities=self.categories,
            num_embeddings=numbers,
            d_out=n_classes,
            k=members,
            n_blocks=blocks,
            d_block=width,
            dropout=dropout,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, members, n_classes) in training; else those of the mean of the members' probabilities."""
        logits = self.ensemble(
            *split_columns(x, self.categories)
        )  # (batch, columns) -> (batch, members, n_classes)
        return logits if self.training else logits.softmax(2).mean(1).log()
