"""The texts with the least WMD or WRD to another one, without a transport problem for each. No TensorFlow.

    1. what it costs at least if each word of a text goes to the nearest of the other one: for all texts a product of
       their words, a sparse matrix, with the least costs of all words
    2. the texts of the least of these are solved: the k-th of their distances is the limit
    3. of those whose bound is within the limit the relaxed bound of common.similarity.transport, all at once
    4. these are solved, in the order of their bounds, until one is beyond the k-th distance so far

What is left out then is farther away than what was found, so these are the texts that one would find by solving all. With
centroids in place of 1 (word centroid distance) a search takes twice as long.
"""

import math
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from common.similarity.word_space import Bag, WordSpace

#: What rounding may add to a bound: of itself, and steps of the grid of distances.
_SLACK = 1e-6, 4
_TOGETHER = 2**21  # costs that are looked at at once: 16 MB


class Found(NamedTuple):
    """places: int64, of the nearest texts, nearest first, of equal ones the first. distances: float64. solved: of how
    many texts the transport problem was solved."""

    places: np.ndarray
    distances: np.ndarray
    solved: int


class NearestTexts:
    """Texts in which to search. texts: the words of each. Raises ValueError where there is none."""

    def __init__(self, space: WordSpace, texts: Iterable[Sequence[str]]):
        self._space = space
        bags = [space.bag(text) for text in texts]
        if not bags:
            raise ValueError("there must be a text in which to search")
        self._starts = np.cumsum([0, *(len(bag.words) for bag in bags)])
        used, self._words = np.unique(np.concatenate([bag.words for bag in bags]), return_inverse=True)
        self._used = space.places(used)
        self._shares = np.concatenate([bag.weights for bag in bags])
        self._bags = csr_array((self._shares, self._words, self._starts), (len(bags), len(used)))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def nearest(self, texts: Sequence[Sequence[str]], count: int) -> Iterator[Found]:
        """The `count` nearest, at least 1, to each of other texts, given by their words."""
        for text in texts:
            yield self._nearest(self._space.bag(text), min(count, len(self)))

    def distances(self, text: Sequence[str]) -> np.ndarray:
        """Those of all texts to another one, float64 (texts,), each out of its own transport problem."""
        bag = self._space.bag(text)
        costs = self._costs(bag)
        return np.array([self._solved(bag, costs, place) for place in range(len(self))])

    def _nearest(self, bag: Bag, count: int) -> Found:
        costs = self._costs(bag)
        bounds = self._bags @ costs.min(0)
        first = np.argpartition(bounds, count - 1)[:count]
        best = sorted((self._solved(bag, costs, place), place) for place in first.tolist())
        is_left = bounds <= self._limit(best)
        is_left[first] = False
        left = np.flatnonzero(is_left)
        bounds, solved = self._relaxed_bounds(bag, costs, left) if len(left) else left, count
        for number in np.argsort(bounds, kind="stable").tolist():
            if bounds[number] > self._limit(best):
                break
            insort(best, (self._solved(bag, costs, int(left[number])), int(left[number])))
            best.pop()
            solved += 1
        distances, places = zip(*best)
        return Found(np.array(places, np.int64), np.array(distances), solved)

    def _costs(self, bag: Bag) -> np.ndarray:
        """From each word of a bag to each word that stands in any text."""
        return self._space.costs(self._space.places(bag.words), self._used)

    def _solved(self, bag: Bag, costs: np.ndarray, place: int) -> float:
        """The distance to one text."""
        of_text = slice(self._starts[place], self._starts[place + 1])
        return self._space.distance_by(costs[:, self._words[of_text]], bag, self._shares[of_text])

    def _limit(self, best: Sequence[tuple[float, int]]) -> float:
        """A text whose bound is above it is farther than the last of the best."""
        of_itself, steps = _SLACK
        return best[-1][0] * (1 + of_itself) + steps * self._space.grid

    def _relaxed_bounds(self, bag: Bag, costs: np.ndarray, places: np.ndarray) -> np.ndarray:
        """`relaxed_bound` of the texts at these places, float64 (places,)."""
        lengths = self._starts[places + 1] - self._starts[places]
        blocks = min(len(places), math.ceil(len(costs) * lengths.sum() / _TOGETHER))
        if blocks > 1:
            return np.concatenate([self._relaxed_bounds(bag, costs, block) for block in np.array_split(places, blocks)])
        heads = np.cumsum(lengths) - lengths
        at = np.repeat(self._starts[places] - heads, lengths) + np.arange(lengths.sum())
        costs, shares = costs[:, self._words[at]], self._shares[at]
        to_text = bag.weights @ np.minimum.reduceat(costs, heads, axis=1)
        return np.maximum(to_text, np.add.reduceat(costs.min(0) * shares, heads))
