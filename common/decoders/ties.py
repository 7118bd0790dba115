"""Decisions that do not hang on the last bits.

The same text gives scores that differ in their last bits (some 1e-6) with another batch, padding or processor, since
sums are then added up in another order. What is equal by construction (repeated words, identical cells) would be decided
by that. On a grid far above this noise equal things are equal, and go by their place; sums of values on the grid are
exact in any order.
"""

from typing import overload

import numpy as np

_STEPS = 2.0**10


@overload
def on_grid(scores: float) -> float: ...


@overload
def on_grid(scores: np.ndarray) -> np.ndarray: ...


def on_grid(scores):
    """Logits or log-probabilities of a network, any shape -> the nearest multiples of 1/1024, float64.

    Not for probabilities: near 1 a rounding changes the logarithm of what is left by more than this grid is wide.
    Infinities and NaN stay what they are.
    """
    rounded = np.rint(np.multiply(scores, _STEPS, dtype=np.float64)) / _STEPS
    return rounded if isinstance(scores, np.ndarray) else float(rounded)
