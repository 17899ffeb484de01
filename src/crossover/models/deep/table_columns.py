"""The columns of an encoded table as a network for tables takes them."""

from collections.abc import Sequence

from torch import Tensor

from crossover.features.tables import MISSING


def split_columns(x: Tensor, categories: Sequence[int]) -> tuple[Tensor | None, Tensor | None]:
    """Numbers and codes of a batch, each None where the table has no such column.

    Args:
        x: float32 (batch, columns), codes last.
        categories: how many categories each column of codes has.

    Returns:
        float32 (batch, numbers), and int64 (batch, len(categories)) that counts from 0.
    """
    n_numbers = x.shape[1] - len(categories)
    numbers = x[:, :n_numbers] if n_numbers else None
    codes = x[:, n_numbers:].long() - MISSING if categories else None
    return numbers, codes
