"""Spans out of start and end tags."""

from bisect import bisect_left
from collections.abc import Iterable


def pair_starts_with_ends(starts: Iterable[int], ends: Iterable[int]) -> list[tuple[int, int]]:
    """Each start with the nearest end that is not before it (SYSTEMS.md section 2); a start without one is dropped.

    Returns (first, last) pairs, both inclusive, by first. Two starts may share an end, as nested spans do.
    """
    ends = sorted(ends)
    pairs = []
    for start in sorted(starts):
        index = bisect_left(ends, start)
        if index < len(ends):
            pairs.append((start, ends[index]))
    return pairs
