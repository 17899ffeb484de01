"""Whether a fit in epochs or rounds had come to its end, by its losses on examples that it was not fitted on."""

import numpy as np

from crossover.models.base import TrainingProblem

LEAST_FALL = 0.1
"""Share of the loss that a longer fit should take away for its length to matter."""

LEAST_LOSS = 0.005
"""Difference in loss, in nats, below which none matters: one example in 200 that is given half of its probability."""

MOST_RISE = 1.5
"""Times of its lowest value that the loss may rise to after that."""


def problem_of(losses: list[float], unit: str, longer: str, best: str | None) -> TrainingProblem | None:
    """What speaks against the length of a fit at a constant learning rate.

    Of a loss that falls with a power of the length, the second half of a fit takes the share that another fit of twice
    the length would take again.

    Args:
        losses: one an epoch or round, on examples that were not fitted on.
        unit: "epochs" or "rounds".
        longer: the override that doubles the length.
        best: the override that ends the fit where the loss is lowest; None where it does so already.
    """
    n = len(losses)
    if n < 2:
        return None
    width = max(1, n // 10)
    means = np.convolve(losses, np.full(width, 1 / width), mode="valid")  # means[i]: of losses[i : i + width]
    half, end, lowest = means[max(n // 2 - width, 0)], means[-1], int(means.argmin())
    if end < (1 - LEAST_FALL) * half and half - end > LEAST_LOSS:
        fall = 1 - end / half
        return TrainingProblem(
            f"its validation loss still fell by {100 * fall:.0f} % in the second half of its {n} {unit}",
            longer,
        )
    if (
        best
        and end > MOST_RISE * means[lowest]
        and end - means[lowest] > LEAST_LOSS
        and lowest + width <= n / 2
    ):
        rise = end / means[lowest]
        return TrainingProblem(
            f"its validation loss was lowest after {lowest + width} of its {n} {unit} and rose to {rise:.1f} times "
            "that",
            best,
        )
    return None
