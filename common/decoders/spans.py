"""Spans out of start and end tags, out of start and end scores, and out of scores of whole spans."""

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np


def pair_starts_with_ends(starts: Iterable[int], ends: Iterable[int]) -> list[tuple[int, int]]:
    """Each start with the nearest end not before it (kexue.fm/archives/7321), and each end with its nearest start only.

    Without the second rule a missed end makes one span out of everything up to the end of the next one. It costs the
    few spans that end together, but in relation extraction from nothing it buys 3.5 points of precision and 1.1 of F1.

    Returns (first, last) pairs, both inclusive, by first. Starts and ends without a partner are dropped.
    """
    ends = sorted(ends)
    pairs: dict[int, int] = {}  # end -> its nearest start: the last that chooses it
    for start in sorted(starts):
        index = bisect_left(ends, start)
        if index < len(ends):
            pairs[ends[index]] = start
    return sorted((start, end) for end, start in pairs.items())


def innermost(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans that hold no other one, sorted; both ends inclusive, or both half-open. Of all pairs of a start and an
    end not before it these are the ones that `pair_starts_with_ends` makes."""
    kept, latest = [], -1
    for first, last in sorted(set(spans), key=lambda span: (span[1], -span[0])):
        if first > latest:
            kept.append((first, last))
            latest = first
    return sorted(kept)


def best_spans(
    start_scores: np.ndarray, end_scores: np.ndarray, allowed: np.ndarray, max_length: int, count: int
) -> list[list[tuple[int, int, float]]]:
    """The spans with the highest start + end score, for each row of a batch (kexue.fm/archives/7321).

    start_scores, end_scores: float (batch, length), logits or log-probabilities. allowed: bool (batch, length), where a
    span may begin and end; between them it may go over other positions. max_length, count: at least 1, the most
    positions of a span and the most spans of a row.

    Returns for each row (first, last, score), both inclusive, best first; equal ones by first, then last. There are
    fewer where there are fewer spans, and none with a score of -inf or nan.
    """
    length = start_scores.shape[1]
    if max_length < 1 or count < 1:
        raise ValueError(f"max_length and count must be at least 1, not {max_length} and {count}.")
    if not length:
        return [[] for _ in start_scores]
    width = min(max_length, length)
    starts = np.where(allowed, start_scores, -np.inf)
    ends = np.pad(np.where(allowed, end_scores, -np.inf), ((0, 0), (0, width - 1)), constant_values=-np.inf)
    # Row by row: all spans of all windows of a long text at once would fill the memory.
    return [_best_of_row(*row, width, min(count, length * width)) for row in zip(starts, ends)]


def _best_of_row(starts: np.ndarray, ends: np.ndarray, width: int, count: int) -> list[tuple[int, int, float]]:
    # [first, last - first]: every span once, already in the order in which equal ones are returned.
    scores = (starts[:, None] + np.lib.stride_tricks.sliding_window_view(ends, width)).ravel()
    scores = np.where(scores > -np.inf, scores, -np.inf)
    least = np.partition(scores, -count)[-count]
    places = np.flatnonzero((scores >= least) & (scores > -np.inf))
    places = places[np.argsort(-scores[places], kind="stable")[:count]]
    return [(place // width, place // width + place % width, float(scores[place])) for place in places.tolist()]


def spans_above(scores: np.ndarray, threshold: float = 0.0) -> list[tuple[int, int, int, float]]:
    """All spans of a global pointer with a score above the threshold (kexue.fm/archives/8373).

    scores: float (heads, length, length) by head, first and last position. Returns (first, last, head, score), in this
    order.
    """
    found = zip(*(places.tolist() for places in np.nonzero(np.triu(scores > threshold))))
    return sorted((first, last, head, float(scores[head, first, last])) for head, first, last in found)
