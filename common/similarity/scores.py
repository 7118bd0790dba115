"""How well vectors of texts tell which are alike. No TensorFlow."""

from collections.abc import Sequence

import numpy as np

from common.similarity.questions import Pair

_BLOCK = 1000  # rows that are compared with all others at a time


def pair_score(pairs: Sequence[Pair], likeness: np.ndarray) -> float:
    """The area under the curve where pairs have labels, Spearman's correlation where they have scores. likeness: float
    (pairs,)."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    scores = [pair.score for pair in pairs]
    if pairs[0].is_label:
        return float(roc_auc_score(scores, likeness))
    return float(spearmanr(scores, likeness).statistic) if np.ptp(scores) and np.ptp(likeness) else 0.0


def nearest_of_group(vectors: np.ndarray, groups: np.ndarray) -> float:
    """For how many texts the nearest other one is of their group. vectors: float (texts, size), of length 1. groups: int
    (texts,)."""
    right = 0
    for first in range(0, len(vectors), _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, len(vectors)))
        likeness = vectors[rows] @ vectors.T
        likeness[np.arange(len(rows)), rows] = -np.inf
        right += int((groups[likeness.argmax(1)] == groups[rows]).sum())
    return right / len(vectors)
