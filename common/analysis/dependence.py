"""Whether two systems err independently of each other: HSIC and its permutation test, Cohen's kappa, oracle scores.

    HSIC(x, y) = (n - 1)^-2 Tr(K_x J K_y J),   J = I - 11'/n,   k(a, b) = exp(-(a - b)^2 / 2 s^2)

It is 0 only where x and y are independent, and grows with whatever ties them, linear or not (Gretton et al. 2005;
kexue.fm/archives/6910). s is the median distance of two examples whose values differ. x and y are scores, one for each
of n examples.

A kernel of n x n is never made. Values of equal size have equal rows in it, and a Gaussian kernel of numbers on a line
is, to the last digits, of a rank that hardly grows with n (pivoted Cholesky, Fine and Scheinberg 2001): K = L L' with L
of 2 columns where there are 2 different values, and some 20 where there are thousands. With centred L the trace is the
squared norm of L_x' L_y.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

#: What the diagonal of a kernel may lack of its 1 at the end: an HSIC is wrong by less.
_TOLERANCE = 1e-10


class Dependence(NamedTuple):
    """hsic: at least 0. share: HSIC(x, y) / sqrt(HSIC(x, x) HSIC(y, y)), from 0 to 1, which is 1 where each is a
    function of the other by distances alone. p: how often it is as large by chance. Where all scores of one side are
    equal nothing can depend on them: 0, 0 and 1."""

    hsic: float
    share: float
    p: float


def hsic(x: np.ndarray, y: np.ndarray) -> float:
    """x, y: real (n,), n of at least 2. Raises ValueError for other shapes, and for what is not finite."""
    return _hsic(*_features(x, y))


def dependence(x: np.ndarray, y: np.ndarray, permutations: int = 1000, seed: int = 1) -> Dependence:
    """HSIC with its permutation test: p = (1 + those of `permutations` random orders of y in which HSIC is as large) /
    (1 + permutations), which is never 0 (Phipson and Smyth 2010). The same for the same seed."""
    one, other = _features(x, y)
    found = _hsic(one, other)
    itself = _hsic(one, one) * _hsic(other, other)
    if itself == 0:
        return Dependence(0.0, 0.0, 1.0)
    generator = np.random.default_rng(seed)
    least = found * (1 - 1e-9)  # an order that changes nothing is as large, whatever the last digits say
    by_chance = sum(_hsic(one, other[generator.permutation(len(other))]) >= least for _ in range(permutations))
    return Dependence(found, min(1.0, found / itself**0.5), (1 + by_chance) / (1 + permutations))


def bandwidth(values: np.ndarray) -> float:
    """The median distance of two of these numbers, of those pairs that differ (the lower of two medians); 1 where none
    do. values: real (n,)."""
    ordered = np.sort(np.asarray(values, np.float64))
    places = np.arange(len(ordered))

    def pairs_within(distance: float) -> int:
        return int((np.searchsorted(ordered, ordered + distance, side="right") - places - 1).sum())

    equal = pairs_within(0.0)
    differing = len(ordered) * (len(ordered) - 1) // 2 - equal
    if not differing:
        return 1.0
    wanted = equal + (differing + 1) // 2
    least, most = 0.0, float(ordered[-1] - ordered[0]) * (1 + 1e-15)
    while (middle := (least + most) / 2) not in (least, most):  # until no number is between them
        least, most = (least, middle) if pairs_within(middle) >= wanted else (middle, most)
    return most


def _hsic(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.square(one.T @ other).sum()) / (len(one) - 1) ** 2


def _features(x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Centred L of both kernels, float64 (n, rank)."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(f"scores of shapes {x.shape} and {y.shape}: must be two rows of equal length, of 2 at least")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("scores must be finite numbers")
    return [_centred(values) for values in (x, y)]


def _centred(values: np.ndarray) -> np.ndarray:
    different, which = np.unique(values, return_inverse=True)
    factor = _cholesky(different / bandwidth(values))[which]
    # One value alone leaves rounding errors, which are not to be taken for something.
    return factor - factor.mean(0) if len(different) > 1 else np.zeros_like(factor)


def _cholesky(points: np.ndarray) -> np.ndarray:
    """L of exp(-(a - b)^2 / 2) of different points, (points, rank): the point that is explained least is the next
    pivot, until all are."""
    left, columns = np.ones(len(points)), []
    while (pivot := int(left.argmax())) >= 0 and left[pivot] > _TOLERANCE:
        column = np.exp(-np.square(points - points[pivot]) / 2)
        for before in columns:
            column = column - before * before[pivot]
        column /= left[pivot] ** 0.5
        columns.append(column)
        left = np.maximum(left - column**2, 0.0)
        left[pivot] = 0.0
    return np.stack(columns, 1)


class Agreement(NamedTuple):
    """Of two systems: Cohen's kappa of being right (1: right in the same examples; 0: as by chance; None where one is
    always or never right and there is nothing to agree on), and in how many examples both, the first alone, the second
    alone or none is right."""

    kappa: float | None
    both_right: int
    first_right: int
    second_right: int
    both_wrong: int

    @property
    def one_wrong(self) -> int:
        return self.first_right + self.second_right


def agreement(one: np.ndarray, other: np.ndarray) -> Agreement:
    """one, other: bool (n,), whether each is right. Raises ValueError for other shapes (Cohen 1960)."""
    one, other = np.asarray(one, bool), np.asarray(other, bool)
    if one.ndim != 1 or one.shape != other.shape or not len(one):
        raise ValueError(f"answers of shapes {one.shape} and {other.shape}: must be two rows of equal length")
    counts = [int((a & b).sum()) for a in (one, ~one) for b in (other, ~other)]
    both, first, second, none = counts
    n, right, other_right = len(one), both + first, both + second
    by_chance = (right * other_right + (n - right) * (n - other_right)) / n**2
    has_both = 0 < right < n or 0 < other_right < n
    kappa = ((both + none) / n - by_chance) / (1 - by_chance) if has_both else None
    return Agreement(kappa, both, first, second, none)


def oracle(scores: Sequence[np.ndarray]) -> float:
    """The mean score of whoever is best in each example: more than any way to choose among them can reach. scores: real
    (n,) of each system."""
    return float(np.max(scores, axis=0).mean())


def best_together(scores: Sequence[np.ndarray], size: int) -> tuple[int, ...]:
    """The places of `size` systems with the highest oracle score, the first of equals. All choices are tried."""
    choices: Iterable[tuple[int, ...]] = combinations(range(len(scores)), size)
    return max(choices, key=lambda places: oracle([scores[place] for place in places]))


def most_independent(shares: np.ndarray, size: int) -> tuple[int, ...]:
    """The places of `size` systems whose pairs depend least on each other on average, the first of equals. shares: real
    (systems, systems), symmetric."""
    choices = combinations(range(len(shares)), size)
    return min(choices, key=lambda places: sum(shares[pair] for pair in combinations(places, 2)))
