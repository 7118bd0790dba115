"""The hypothesis that is most like all others, instead of the most probable one: minimum Bayes risk (Kumar and Byrne
2004; Eikema and Aziz 2020).

A model that is not sure spreads its probability over many ways of saying the same. The single most probable one may be
an odd one out; one that agrees with many others loses least, whichever of them is right. The others should be samples
of the model, so that probable ones come up often.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from rapidfuzz.distance import LCSseq

Item = TypeVar("Item")


def by_consensus(
    candidates: Sequence[Item], similarity: Callable[[Item, Item], float], weights: Sequence[float] | None = None
) -> list[int]:
    """Indices of the candidates, that with the highest mean similarity to all of them first; of equals (up to the
    rounding of sums) the earlier first. A candidate that stands there several times counts each time. similarity must
    be symmetric: it is asked for once for each pair of different candidates. weights: how much each counts, where they
    are no samples of one model; by default all count 1."""
    numbers = {candidate: number for number, candidate in enumerate(dict.fromkeys(candidates))}
    different = list(numbers)
    counts = [0.0] * len(different)
    for candidate, weight in zip(candidates, weights or [1.0] * len(candidates)):
        counts[numbers[candidate]] += weight
    sums = [similarity(one, one) * count for one, count in zip(different, counts)]
    for first, one in enumerate(different):
        for second in range(first):
            alike = similarity(one, different[second])
            sums[first] += alike * counts[second]
            sums[second] += alike * counts[first]
    ranks = [-round(total, 9) for total in sums]
    return sorted(range(len(candidates)), key=lambda index: (ranks[numbers[candidates[index]]], index))


def common_subsequence_f1(one: str | Sequence[int], other: str | Sequence[int]) -> float:
    """F1 of the longest common subsequence, from 0 to 1: what ROUGE-L measures, every occurrence counted. 0 where one
    of them is empty."""
    return 2 * LCSseq.similarity(one, other) / max(1, len(one) + len(other))
