"""New words of a corpus, by how firmly their parts belong together (kexue.fm/archives/4256 and 6920).

1. Strength of an n-gram w is the least of  total count(w) / (count(left) count(right))  over the places at which it can
   be split: how much more often the parts stand together than by chance. N-grams that are frequent, and of which the
   logarithm of that reaches the threshold of their order, are firm.
2. Texts are cut where no firm n-gram goes across: n-grams that overlap join (the "longest join"). What is between two
   cuts, and frequent, is a candidate.
3. A candidate of at most the largest order must be firm itself; of a longer one all n-grams of that order must be.

The originals counted lower orders among the n-grams that were kept of the largest one; here they are counted in the text.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.lexicon.corpus import Partition
from common.lexicon.counting import ALONE, Budget, Work, Workers, count_ngrams, count_tables
from common.lexicon.tables import Grams, Table, count_rows, count_windows, find, window_columns
from common.lexicon.units import Units

#: Logarithms of the least strength of n-grams of order 2, 3, ...
THRESHOLDS = (2.0, 4.0, 6.0)


class Firm(NamedTuple):
    """Firm n-grams. vocabulary: units, sorted. orders: of 2, 3, ... units, uint32 (n-grams, order), places in the
    vocabulary from 1, sorted. strengths: their logarithms, float64 (n-grams,)."""

    vocabulary: list[str]
    orders: list[np.ndarray]
    strengths: list[np.ndarray]


class Word(NamedTuple):
    """A word that was found. count: how often it stands between two cuts. strength: see above, as a logarithm; of a long
    one that of its weakest n-gram."""

    word: str
    count: int
    strength: float


def firm_ngrams(vocabulary: list[str], total: int, parts: Iterable[list[Grams]], thresholds: Sequence[float]) -> Firm:
    """Those of some frequent n-grams that are firm. parts: as `count_ngrams` gives them, up to one order more than there
    are thresholds. total: units of the corpus."""
    grams = [Grams(*map(np.concatenate, zip(*of_order))) for of_order in zip(*parts)]
    orders, strengths = [], []
    for order, threshold in enumerate(thresholds, 2):
        rows, counts = grams[order - 1]
        columns = list(rows.T)
        strength = np.full(len(rows), np.inf)
        for split in range(1, order):
            left, right = (
                np.log(grams[len(part) - 1].counts[find(grams[len(part) - 1].rows, part, len(vocabulary))])
                for part in (columns[:split], columns[split:])
            )
            strength = np.minimum(strength, math.log(total) + np.log(counts) - left - right)
        kept = strength >= threshold
        orders.append(rows[kept])
        strengths.append(strength[kept])
    return Firm(vocabulary, orders, strengths)


def count_segments(units: Units, firm: Firm, longest: int) -> Table:
    """What stands between two cuts of a text and has 2 to `longest` units. The vocabulary is that of the n-grams."""
    numbers = {unit: number for number, unit in enumerate(firm.vocabulary, 1)}
    of_block = [0, *(numbers.get(unit, len(numbers) + 1) for unit in units.vocabulary)]
    ids = np.array(of_block, np.uint32)[units.ids]
    begins = np.flatnonzero(ids)
    is_joined = np.zeros(len(ids) + 1, bool)  # each place with the one before
    for order, rows in enumerate(firm.orders, 2):
        columns = window_columns(ids, order)
        found = begins[find(rows, columns, len(numbers) + 1) >= 0]
        for place in range(1, order):
            is_joined[found + place] = True
    firsts = begins[~is_joined[begins]]
    ends = np.flatnonzero((ids > 0) & ~is_joined[1:]) + 1
    lengths = ends - firsts
    kept = (lengths >= 2) & (lengths <= longest)
    firsts, lengths = firsts[kept], lengths[kept]
    columns = [np.where(place < lengths, ids[np.minimum(firsts + place, len(ids) - 1)], 0) for place in range(longest)]
    return count_rows(columns, firm.vocabulary)


def frequent_rows(segments: Grams, least: int) -> Grams:
    """Those that occur at least `least` times."""
    kept = segments.counts >= least
    return Grams(segments.rows[kept], segments.counts[kept])


def words_of(segments: Grams, firm: Firm) -> list[Word]:
    """Those of some segments that are words: all their n-grams are firm."""
    units, largest = ["", *firm.vocabulary], len(firm.orders) + 1
    strengths = np.full(len(segments.rows), np.inf)
    lengths = np.count_nonzero(segments.rows, axis=1)
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        columns = list(segments.rows[chosen].T)
        order = min(length, largest)
        for first in range(length - order + 1):
            places = find(firm.orders[order - 2], columns[first : first + order], len(firm.vocabulary))
            of_grams = np.append(firm.strengths[order - 2], -np.inf)[places]  # the last one: it is not firm
            strengths[chosen] = np.minimum(strengths[chosen], of_grams)
    rows = (segments.rows.tolist(), segments.counts.tolist(), strengths.tolist())
    return [
        Word("".join(map(units.__getitem__, row)), count, strength)
        for row, count, strength in zip(*rows)
        if strength > -math.inf
    ]


def discover_words(
    partitions: Sequence[Partition],
    least: int,
    thresholds: Sequence[float],
    longest: int,
    budget: Budget,
    folder: Path,
    fields: Collection[str] = (),
    workers: Workers = ALONE,
) -> list[Word]:
    """The words of a corpus that occur at least `least` times and have 2 to `longest` units, the most frequent first.

    The frequent n-grams and the words must fit in memory. folder: an empty one for all else. Raises UserError as
    `count_ngrams` does.
    """
    order = len(thresholds) + 1
    work = Work(partial(count_windows, order=order), order, budget, folder, fields)
    counted = count_ngrams(partitions, least, work, workers)
    firm = firm_ngrams(counted.vocabulary, counted.total, counted.parts, thresholds)
    segments = Work(partial(count_segments, firm=firm, longest=longest), longest, budget, folder, fields)
    merged = count_tables(partitions, segments, partial(frequent_rows, least=least), workers)
    words = (word for part in merged.parts for word in words_of(part, firm))
    return sorted(words, key=lambda word: (-word.count, word.word))
