"""The choice of a setting on dev, and an honest word on what the choice is worth. No TensorFlow."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np


class Found(NamedTuple):
    """`f1` is measured on the examples that chose the setting. `crossed_f1` is not: a setting chosen on one half of the
    examples, measured on the other, both ways. It is what to expect on test."""

    setting: Any
    f1: float
    crossed_f1: float


def search(settings: Sequence[Any], counts: np.ndarray, f1: Callable[[np.ndarray], float], seed: int) -> Found:
    """The setting with the highest F1, the first of equals.

    counts: (settings, examples, n), what each example counts under each setting. f1: of such counts summed over
    examples, (n,). seed: of the halves.
    """

    def best(of: np.ndarray) -> int:
        return int(np.argmax([f1(total) for total in of.sum(1)]))

    chosen = best(counts)
    halves = np.random.default_rng(seed).permutation(counts.shape[1]) % 2
    crossed = sum(counts[best(counts[:, halves == half]), halves != half].sum(0) for half in (0, 1))
    return Found(settings[chosen], float(f1(counts[chosen].sum(0))), float(f1(crossed)))
