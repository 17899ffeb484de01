"""A transformer for texts."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from crossover.models.deep.text_cnn import trimmed
from crossover.models.deep.vocabulary import PADDING


class TextTransformer(nn.Module):
    """An encoder of attention layers (Vaswani et al. 2017, arXiv 1706.03762) with learned places of the words.

    Normalisation comes before each layer, which needs no warm-up (Xiong et al. 2020, arXiv 2002.04745); the mean over
    the words goes to a linear layer.

    Args:
        input_shape: (words,) of a text at most.
        n_classes: number of classes.
        vocabulary: how many numbers of words there are.
        width: of a word's vector, which begins at random; a multiple of `heads`.
        layers: of attention and a hidden layer each.
        heads: of the attention.
        hidden: width of a hidden layer.
        dropout: probability of dropping, within the layers and before the last one.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int,
        vocabulary: int,
        *,
        width: int,
        layers: int,
        heads: int,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING)
        self.places = nn.Parameter(0.02 * torch.randn(input_shape[0], width))
        layer = nn.TransformerEncoderLayer(width, heads, hidden, dropout, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, n_classes)

    def forward(self, words: Tensor) -> Tensor:
        """int32 (batch, words) -> logits (batch, n_classes)."""
        words = trimmed(words)
        padded = words == PADDING
        x = self.dropout(self.embedding(words) + self.places[: words.shape[1]])  # -> (batch, words, width)
        y = self.layers(x, src_key_padding_mask=padded).masked_fill(padded[..., None], 0)
        return self.classifier(self.dropout(y.sum(1) / (~padded).sum(1, keepdim=True)))
