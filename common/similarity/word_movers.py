"""Word mover's and word rotator's distance: what it costs at least to carry the words of one text to those of another
(Kusner et al. 2015; Yokoi et al. 2020; kexue.fm/archives/7388). No TensorFlow.

           weight of a word                    cost of carrying w to w'
    WMD    1 for each time it stands there     |w - w'|              a metric
    WRD    |w|                                 1 - cos(w, w')        from 0 to 2; 1 - WRD is a likeness as a cosine is

The weights of a text are scaled to sum 1. Bounds by the centroids alone:

    WMD >= |sum p w - sum q w'|        2 WRD >= |sum w / Z - sum w' / Z'|^2,    Z = sum |w|

Where vectors are 0: a text without words is the word 0. The cosine of 0 and another vector is taken as 0, so it costs 1 to
carry one to the other in WRD; to carry 0 to 0 costs nothing. A word 0 beside others weighs nothing in WRD.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from common.similarity.transport import emd

Distance = Literal["wmd", "wrd"]

_NEAR = 1e-8  # of the squares of both lengths: below it a difference of products has too few digits left


@dataclass(frozen=True)
class WordMovers:
    """WMD or WRD."""

    distance: Distance

    def points(self, vectors: np.ndarray) -> np.ndarray:
        """Where words lie, float64 (words, size): for WRD on the sphere. vectors: float (words, size)."""
        vectors = np.asarray(vectors, np.float64)
        lengths = _lengths(vectors)
        return vectors if self.distance == "wmd" else vectors / np.where(lengths > 0, lengths, 1)[:, None]

    def weights(self, vectors: np.ndarray) -> np.ndarray:
        """What words weigh each time they stand in a text, float64 (words,)."""
        return np.ones(len(vectors)) if self.distance == "wmd" else _lengths(vectors)

    def costs(self, squares: np.ndarray, lengths: np.ndarray, other_lengths: np.ndarray) -> np.ndarray:
        """From each point to each of the others, float64 (points, others). squares: |x - y|^2 of these. lengths,
        other_lengths: of the points, or their squares; only 0 counts."""
        if self.distance == "wmd":
            return np.sqrt(squares)
        return np.where((lengths == 0)[:, None] ^ (other_lengths == 0), 1.0, squares / 2)

    def bounds(self, squares: np.ndarray) -> np.ndarray:
        """At most the distance of two texts, of any shape. squares: |x - y|^2 of their centroids, `weights @ points`."""
        return np.sqrt(squares) if self.distance == "wmd" else squares / 2

    def heap(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points and weights of a text, the latter of sum 1. vectors: float (words, size), of any number of words."""
        weights = self.weights(vectors)
        if not weights.any():
            return np.zeros((1, vectors.shape[1])), np.ones(1)
        kept = weights > 0
        return self.points(vectors[kept]), weights[kept] / weights.sum()

    def of(self, one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> np.ndarray:
        """The distance of the texts of each pair, float64 (pairs,). one, other: for each text the vectors of its words
        (or of its tokens, by any network), float (words, size)."""
        found = []
        for of_one, of_other in zip(one, other, strict=True):
            (points, weights), (others, other_weights) = self.heap(of_one), self.heap(of_other)
            costs = self.costs(squared_distances(points, others), squares(points), squares(others))
            found.append(emd(costs, weights, other_weights))
        return np.array(found, np.float64)


WMD, WRD = WordMovers("wmd"), WordMovers("wrd")


def squares(points: np.ndarray) -> np.ndarray:
    """|x|^2, float64 (points,)."""
    return np.einsum("ij,ij->i", points, points)


def squared_distances(
    points: np.ndarray,
    others: np.ndarray,
    of_points: np.ndarray | None = None,
    of_others: np.ndarray | None = None,
) -> np.ndarray:
    """|x - y|^2, float64 (points, others), by a matrix product; what is near is computed again out of differences.
    of_points, of_others: their `squares`, where these are known, or have part in dimensions that no other point has."""
    of_points = squares(points) if of_points is None else of_points
    of_others = squares(others) if of_others is None else of_others
    sums = of_points[:, None] + of_others
    found = sums - 2 * (points @ others.T)
    rows, columns = np.nonzero(found <= _NEAR * sums)
    found[rows, columns] = ((points[rows] - others[columns]) ** 2).sum(1)
    return found


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.asarray(vectors, np.float64), axis=1)
