"""Texts as bags of words in the space of WMD or WRD, words without a vector among them. No TensorFlow.

A word of which nothing is known but that it is another word lies in a dimension of its own, at right angles to all others:
it costs nothing to carry it to itself, and the same to carry it to any word of the same length. What holds for WMD and WRD
holds with such words, too.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from common.similarity.transport import cost_of
from common.similarity.word_movers import WordMovers, squared_distances, squares

#: The length of words without a vector, in mean lengths of the others, that was best on three sets of pairs (of 0, 0.5, 0.7,
#: 1, 1.4; docs/transport.md): two of them are as far apart then as one of the others is long.
UNKNOWN_WORDS = 0.7

#: Distances that are nearer to each other than the largest of all points, times this, are equal.
_GRID = 2.0**-30
_LEAST = 1e-12
_NOTHING = 0  # the number of the vector 0, which stands for a text without words


class Bag(NamedTuple):
    """words: the numbers of the words of a text, each once, rising. weights: float64 (words,), of sum 1."""

    words: np.ndarray
    weights: np.ndarray


class Places(NamedTuple):
    """Where words lie. words: their numbers. points: float64 (words, size), without the dimensions of unknown words.
    squares: of their lengths, with these dimensions, float64 (words,)."""

    words: np.ndarray
    points: np.ndarray
    squares: np.ndarray


class WordSpace:
    """words, vectors: those that are known, distinct, float (words, size). unknown: how long the vectors of other words
    are, in mean lengths of these; with 0 other words count for nothing."""

    def __init__(self, distance: WordMovers, words: Sequence[str], vectors: np.ndarray, unknown: float = 0.0):
        self.distance = distance
        self._numbers = {word: number for number, word in enumerate(words, _NOTHING + 1)}
        self._unknown = len(self._numbers) + 1  # the first number of those
        nothing = np.zeros((1, vectors.shape[1]))
        known = np.asarray(vectors, np.float64)
        length = unknown * float(np.linalg.norm(known, axis=1).mean())
        other = np.full((1, 1), length)  # the one value that it has in a dimension of its own
        self._points = np.concatenate([nothing, distance.points(known), nothing])
        self._own = distance.points(other).item() ** 2  # the squared length of unknown words
        self._squares = squares(self._points)
        self._squares[-1] = self._own
        self._weights = np.concatenate([[0], distance.weights(known), distance.weights(other) if unknown else [0]])
        self.grid = _GRID * (math.sqrt(self._squares.max()) or 1.0)

    def bag(self, text: Sequence[str]) -> Bag:
        """The words of a text and their weights. Texts of the same words, in whatever order, are the same bag."""
        counts = Counter(self._numbers.setdefault(word, len(self._numbers) + 1) for word in text)
        words = np.array(sorted(counts), np.int64)
        weights = self._weights[self._rows(words)] * [counts[word] for word in words.tolist()]
        if not weights.any():
            return Bag(np.array([_NOTHING]), np.ones(1))
        return Bag(words[weights > 0], weights[weights > 0] / weights.sum())

    def knows(self, text: Sequence[str]) -> bool:
        """Whether a text has a word that weighs something."""
        return self.bag(text).words[0] != _NOTHING

    def places(self, words: np.ndarray) -> Places:
        """Those of words, by their numbers."""
        rows = self._rows(words)
        return Places(words, self._points[rows], self._squares[rows])

    def costs(self, places: Places, others: Places) -> np.ndarray:
        """From each word to each of the others, float64 (words, others)."""
        found = squared_distances(places.points, others.points, places.squares, others.squares)
        found[places.words[:, None] == others.words] = 0
        return self.distance.costs(found, places.squares, others.squares)

    def distances(self, one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> np.ndarray:
        """WMD or WRD of the texts of each pair, given by their words: float64 (pairs,)."""
        pairs = ((self.bag(of_one), self.bag(of_other)) for of_one, of_other in zip(one, other, strict=True))
        found = [self.distance_by(self.costs(*map(self.places, (a.words, b.words))), a, b.weights) for a, b in pairs]
        return np.array(found, np.float64)

    def distance_by(self, costs: np.ndarray, bag: Bag, weights: np.ndarray) -> float:
        """That of a bag to a text of these weights, on a grid: what is equal but for the last bits is equal. costs:
        float64 (words of the bag, weights)."""
        return self.grid * float(np.rint(cost_of(costs, bag.weights, weights) / self.grid))

    def cosines(self, one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> np.ndarray:
        """The cosine of the sums of the vectors of the words of each pair, 0 where one of them is 0: float64 (pairs,)."""
        pairs = ((self.bag(of_one), self.bag(of_other)) for of_one, of_other in zip(one, other, strict=True))
        found = np.array([self._product(a, b) / self._norms(a, b) for a, b in pairs], np.float64)
        return _GRID * np.rint(found / _GRID)

    def _product(self, a: Bag, b: Bag) -> float:
        """Of the centroids."""
        known = (a.weights @ self.places(a.words).points) @ (b.weights @ self.places(b.words).points)
        words, here, there = np.intersect1d(a.words, b.words, assume_unique=True, return_indices=True)
        return float(known + (a.weights[here] * b.weights[there]) @ (words >= self._unknown) * self._own)

    def _norms(self, a: Bag, b: Bag) -> float:
        return max(math.sqrt(self._product(a, a) * self._product(b, b)), _LEAST)

    def _rows(self, words: np.ndarray) -> np.ndarray:
        return np.minimum(words, self._unknown)
