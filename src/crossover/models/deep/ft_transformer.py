"""FT-Transformer: attention between the columns of a table."""

from collections.abc import Sequence

import rtdl_revisiting_models
from torch import Tensor, nn

from crossover.models.deep.table_columns import split_columns


class FTTransformer(nn.Module):
    """FT-Transformer (Gorishniy et al. 2021, arXiv 2106.11959) as its authors publish it.

    Args:
        input_shape: (columns,), those of codes last.
        n_classes: number of classes.
        categories: how many categories each column of codes has.
        blocks: of attention and a hidden layer.
        width: numbers that each column becomes; a multiple of `heads`.
        heads: of the attention.
        attention_dropout: probability of dropping a weight of the attention.
        hidden: width of a hidden layer, as a multiple of `width`.
        hidden_dropout: probability of dropping a hidden unit.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int,
        categories: Sequence[int],
        *,
        blocks: int,
        width: int,
        heads: int,
        attention_dropout: float,
        hidden: float,
        hidden_dropout: float,
    ) -> None:
        super().__init__()
        self.categories = list(categories)
        self.transformer = rtdl_revisiting_models.FTTransformer(
            n_cont_features=input_shape[0] - len(self.categories),
            cat_cardinalities=self.categories,
            d_out=n_classes,
            n_blocks=blocks,
            d_block=width,
            attention_n_heads=heads,
            attention_dropout=attention_dropout,
            ffn_d_hidden_multiplier=hidden,
            ffn_dropout=hidden_dropout,
            residual_dropout=0.0,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, n_classes)."""
        return self.transformer(*split_columns(x, self.categories))
