"""A convolutional network for texts."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from crossover.models.deep.vocabulary import PADDING


class TextCNN(nn.Module):
    """Convolutions over some words in a row, and the maximum of each over the text (Kim 2014, arXiv 1408.5882).

    The vectors of the words begin at random.

    Args:
        input_shape: (words,) of a text at most.
        n_classes: number of classes.
        vocabulary: how many numbers of words there are.
        embedding: width of a word's vector.
        widths: words in a row, one convolution for each width.
        filters: of each width.
        dropout: probability of dropping a word's vector's number, and a maximum.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int,
        vocabulary: int,
        *,
        embedding: int,
        widths: Sequence[int],
        filters: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=PADDING)
        # Zeros on both sides, so that each word is the first of a row: texts shorter than a width have rows, too.
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding, filters, width, padding=width - 1) for width in widths
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(filters * len(widths), n_classes)

    def forward(self, words: Tensor) -> Tensor:
        """int32 (batch, words) -> logits (batch, n_classes)."""
        words = trimmed(words)
        here = words != PADDING
        x = self.dropout(self.embedding(words)).transpose(1, 2)  # (batch, words, e) -> (batch, e, words)
        found = []
        for convolution in self.convolutions:
            y = convolution(x)  # (batch, filters, words + width - 1)
            rows = nn.functional.pad(here, (0, y.shape[2] - here.shape[1]))
            rows = rows | rows.roll(y.shape[2] - here.shape[1], dims=1)  # begin or end within the text
            found.append(y.masked_fill(~rows[:, None], -torch.inf).amax(2))
        return self.classifier(self.dropout(torch.relu(torch.cat(found, dim=1))))


def trimmed(words: Tensor) -> Tensor:
    """A batch without the columns that are padding in all of its texts."""
    longest = int((words != PADDING).sum(1).max())
    return words[:, :longest]
