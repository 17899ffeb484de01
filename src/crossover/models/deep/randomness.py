"""Seeds of the independent streams of random numbers in a fit."""

import numpy as np

WEIGHTS, ORDER, DROPOUT = range(3)
"""What a stream is for: the first weights, the order of the examples, and the noise inside the network."""


def stream(seed: int, purpose: int, *position: int) -> int:
    """A 64-bit seed that depends on the repetition, the purpose and a position such as the epoch.

    `numpy.random.SeedSequence` makes streams of neighbouring seeds independent.
    """
    return int(np.random.SeedSequence([seed, purpose, *position]).generate_state(1, np.uint64)[0])
