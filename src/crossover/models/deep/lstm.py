"""A recurrent network for texts."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crossover.models.deep.text_cnn import trimmed
from crossover.models.deep.vocabulary import PADDING


class LSTM(nn.Module):
    """A long short-term memory (Hochreiter and Schmidhuber 1997) that reads a text from both ends.

    The maximum of each of its outputs over the text goes to a linear layer (Conneau et al. 2017, arXiv 1705.02364).

    Args:
        input_shape: (words,) of a text at most.
        n_classes: number of classes.
        vocabulary: how many numbers of words there are.
        embedding: width of a word's vector, which begins at random.
        width: of the memory, in each direction.
        layers: one above the other.
        dropout: probability of dropping a word's vector's number, and a maximum.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int,
        vocabulary: int,
        *,
        embedding: int,
        width: int,
        layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=PADDING)
        self.memory = nn.LSTM(embedding, width, layers, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * width, n_classes)

    def forward(self, words: Tensor) -> Tensor:
        """int32 (batch, words) -> logits (batch, n_classes)."""
        words = trimmed(words)
        x = self.dropout(self.embedding(words))  # (batch, words) -> (batch, words, embedding)
        lengths = (words != PADDING).sum(1).cpu()
        packed, _ = self.memory(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        y, _ = pad_packed_sequence(packed, batch_first=True, padding_value=-torch.inf)
        return self.classifier(self.dropout(y.amax(1)))  # (batch, words, 2 · width) -> (batch, 2 · width)
