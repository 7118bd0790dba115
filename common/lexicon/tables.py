"""Sorted tables of n-grams and how often they occur. Two of them are merged like two sorted lists, so that any number,
made anywhere, come to one table without all being in memory.

A table of order n has one row for each different window of n units: an n-gram, or, where a text ends sooner, what is
left of it and zeros. The n-grams of all lower orders are the beginnings of these rows, and since the rows are sorted,
each stands together: one sort counts all orders.
"""

import bisect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.lexicon.units import Units

_SAMPLED = 256  # rows of each table, among which the bounds of parts are chosen


#: The rows from the first one on and below the second; None: from the beginning, up to the end.
Bounds = tuple[tuple[int, ...] | None, tuple[int, ...] | None]


class Table(NamedTuple):
    """vocabulary: units, sorted. rows: uint32 (rows, order), places in it from 1, 0 behind the end of a text; different,
    and sorted like their units. counts: int64 (rows,)."""

    vocabulary: Sequence[str]
    rows: np.ndarray
    counts: np.ndarray


class Numbered(NamedTuple):
    """A table for merging. numbers: uint32, of each of its units, 0 first, the place in the vocabulary of all tables."""

    rows: np.ndarray
    counts: np.ndarray
    numbers: np.ndarray


class Grams(NamedTuple):
    """n-grams of one order: uint32 (rows, order), sorted, and their counts, int64 (rows,)."""

    rows: np.ndarray
    counts: np.ndarray


def count_windows(units: Units, order: int) -> Table:
    """All windows of `order` units of a text. Takes about 60 bytes a unit."""
    return count_rows(window_columns(units.ids, order), units.vocabulary)


def window_columns(ids: np.ndarray, order: int) -> list[np.ndarray]:
    """Of each window its first, second, ... unit, uint32 (windows,), 0 from where its text ends. A window begins at each
    place that is not 0."""
    begins = np.flatnonzero(ids)
    columns: list[np.ndarray] = []
    for place in range(order):
        column = np.zeros(len(begins), np.uint32)
        inside = begins[: np.searchsorted(begins, len(ids) - place)] + place
        column[: len(inside)] = ids[inside]
        if place:
            column[columns[-1] == 0] = 0
        columns.append(column)
    return columns


def count_rows(columns: Sequence[np.ndarray], vocabulary: Sequence[str]) -> Table:
    """A table of rows in any order, with each as often as it occurs."""
    keys = _packed(columns, len(vocabulary))
    if len(keys) == 1:
        keys[0].sort()
    else:
        order = np.lexsort(keys[::-1])
        keys = [key[order] for key in keys]
    firsts = _firsts(keys)
    rows = _unpacked([key[firsts] for key in keys], len(columns), len(vocabulary))
    return Table(vocabulary, rows, np.diff(firsts, append=len(columns[0])))


def numbered(tables: Sequence[Table]) -> tuple[list[str], list[Numbered]]:
    """The vocabulary of all tables, sorted, and the tables in places of it."""
    vocabulary = sorted(set().union(*(table.vocabulary for table in tables)))
    number_of = {unit: number for number, unit in enumerate(vocabulary, 1)}
    numbers = [np.array([0, *map(number_of.__getitem__, table.vocabulary)], np.uint32) for table in tables]
    return vocabulary, [Numbered(table.rows, table.counts, of) for table, of in zip(tables, numbers)]


def merge(tables: Sequence[Table]) -> Table:
    """The sum of some tables of one order, all in memory."""
    vocabulary, sources = numbered(tables)
    return Table(vocabulary, *merge_part(sources, len(vocabulary), (None, None)))


def sample(table: Table) -> Table:
    """Some rows of a table, evenly."""
    places = np.unique(np.linspace(0, len(table.rows) - 1, _SAMPLED).astype(int))
    return Table(table.vocabulary, table.rows[places], table.counts[places])


def bounds_of(sources: Sequence[Numbered], most_rows: int, sizes: Sequence[int] | None = None) -> list[Bounds]:
    """Where to cut the sum of some tables so that no part has many more than `most_rows` of all of them. sizes: rows of
    each table, where the sources are only samples of them."""
    samples = []
    for source, size in zip(sources, sizes or [len(source.rows) for source in sources], strict=True):
        places = np.unique(np.linspace(0, len(source.rows) - 1, _SAMPLED).astype(int))
        samples += [(_row(source, place), size / len(places)) for place in places]
    cuts, held = [], 0.0
    for row, weight in sorted(samples):
        if held + weight > most_rows and held and row not in cuts[-1:]:
            cuts.append(row)
            held = 0.0
        held += weight
    return list(zip([None, *cuts], [*cuts, None])) if sources else []


def part_of(source: Numbered, bounds: Bounds) -> Grams:
    """The rows from the first of two bounds on and below the second, in the table's own numbers."""
    first, end = (None if bound is None else _place(source, bound) for bound in bounds)
    return Grams(source.rows[first:end], source.counts[first:end])


def merge_part(sources: Sequence[Numbered], vocabulary_size: int, bounds: Bounds) -> Grams:
    """The sum of the rows from the first of two bounds on and below the second."""
    keys_of, counts_of = [], []
    for source in sources:
        rows, counts = part_of(source, bounds)
        keys_of.append(_packed([source.numbers[column] for column in rows.T], vocabulary_size))
        counts_of.append(counts)
    keys, counts = [np.concatenate(words) for words in zip(*keys_of)], np.concatenate(counts_of)
    order = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
    keys = [key[order] for key in keys]
    firsts = _firsts(keys)
    rows = _unpacked([key[firsts] for key in keys], rows.shape[1], vocabulary_size)
    return Grams(rows, _sums(counts[order], firsts))


def frequent_orders(part: Grams, least: int) -> list[Grams]:
    """The n-grams of order 1, 2, ... in a part that occur at least `least` times in it; and the first and the last of
    each order, which may go on in the parts beside it."""
    changed = np.ones(len(part.rows), bool)
    changed[1:] = False
    found = []
    for place, column in enumerate(part.rows.T):
        changed[1:] |= column[1:] != column[:-1]
        firsts = np.flatnonzero(changed)
        sums = _sums(part.counts, firsts)
        kept = sums >= least
        kept[:1] = kept[-1:] = True
        kept &= column[firsts] > 0
        found.append(Grams(part.rows[firsts[kept], : place + 1], sums[kept]))
    return found


def joined(
    parts: Iterable[list[Grams]], order: int, least: int, at_end: Callable[[], object] = lambda: None
) -> Iterator[list[Grams]]:
    """The parts that `frequent_orders` gave, with n-grams that two or more of them share put together, and without
    those that occur less than `least` times. at_end: is called behind the last one."""
    joins = [_Joined(number, least) for number in range(1, order + 1)]
    for part in parts:
        yield [join.add(grams) for join, grams in zip(joins, part)]
    yield [join.end() for join in joins]
    at_end()


class _Joined:
    """n-grams of one order out of parts that follow each other, that occur at least `least` times in all."""

    def __init__(self, order: int, least: int):
        self._least, self._last = least, Grams(np.zeros((0, order), np.uint32), np.zeros(0, np.int64))

    def add(self, part: Grams) -> Grams:
        """What is sure when this part has come: all but the last one."""
        rows, counts = (np.concatenate(pair) for pair in zip(self._last, part))
        if len(self._last.rows) and len(part.rows) and (rows[0] == rows[1]).all():
            rows, counts = rows[1:], counts[1:]
            counts[0] += self._last.counts[0]
        self._last = Grams(rows[-1:], counts[-1:])
        return self._frequent(rows[:-1], counts[:-1])

    def end(self) -> Grams:
        """What is left when all parts have come."""
        return self._frequent(*self._last)

    def _frequent(self, rows: np.ndarray, counts: np.ndarray) -> Grams:
        kept = counts >= self._least
        return Grams(rows[kept], counts[kept])


def store(folder: Path, vocabulary: Sequence[str], parts: Iterable[Grams]) -> None:
    """Writes a table into a new folder, part by part."""
    folder.mkdir()
    with (folder / "rows").open("wb") as rows, (folder / "counts").open("wb") as counts:
        for part in parts:
            rows.write(np.ascontiguousarray(part.rows))
            counts.write(np.ascontiguousarray(part.counts))
    (folder / "vocabulary").write_text(json.dumps(vocabulary), "utf-8")


def load(folder: Path, order: int) -> Table:
    """What `store` wrote; rows and counts stay on disk, but for those that are asked for."""
    vocabulary = json.loads((folder / "vocabulary").read_text("utf-8"))
    return Table(vocabulary, _OnDisk(folder / "rows", np.uint32, (order,)), _OnDisk(folder / "counts", np.int64, ()))


class _OnDisk:
    """An array (length, *shape) in a file, of which places and slices are read. Not a memory map, whose pages count as
    memory of the process."""

    def __init__(self, path: Path, dtype: type, shape: tuple[int, ...]):
        self._path, self._dtype, self._shape = path, np.dtype(dtype), shape
        self._row_bytes = self._dtype.itemsize * math.prod(shape)
        self._length = path.stat().st_size // self._row_bytes

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: int | slice) -> np.ndarray:
        first, end, _ = place.indices(len(self)) if isinstance(place, slice) else (place, place + 1, 1)
        count = max(0, end - first) * math.prod(self._shape)
        found = np.fromfile(self._path, self._dtype, count, offset=first * self._row_bytes).reshape(-1, *self._shape)
        return found if isinstance(place, slice) else found[0]


def find(rows: np.ndarray, columns: Sequence[np.ndarray], vocabulary_size: int) -> np.ndarray:
    """The place of each row that is given by its columns in a matrix of sorted ones, int64; -1 where it is not there."""
    keys, wanted = _packed(rows.T, vocabulary_size), _packed(columns, vocabulary_size)
    if len(keys) > 1:  # one number for each different row, in their order
        both = [np.concatenate(pair) for pair in zip(keys, wanted)]
        order = np.lexsort(both[::-1])
        is_new = np.zeros(len(order), np.int64)
        is_new[_firsts([key[order] for key in both])] = 1
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.cumsum(is_new)
        keys, wanted = [ranks[: len(rows)]], [ranks[len(rows) :]]
    if not len(rows):
        return np.full(len(columns[0]), -1)
    places = np.searchsorted(keys[0], wanted[0])
    places[places == len(rows)] = 0
    return np.where(keys[0][places] == wanted[0], places, -1)


def _row(source: Numbered, place: int) -> tuple[int, ...]:
    return tuple(source.numbers[source.rows[place]].tolist())


def _place(source: Numbered, bound: tuple[int, ...]) -> int:
    """The first row from a bound on."""
    return bisect.bisect_left(range(len(source.rows)), bound, key=lambda place: _row(source, place))


def _packed(columns: Sequence[np.ndarray], vocabulary_size: int) -> list[np.ndarray]:
    """Columns of unit numbers as few uint64 that compare alike, the first one most."""
    bits = max(1, vocabulary_size.bit_length())
    in_one = 64 // bits
    keys = []
    for first in range(0, len(columns), in_one):
        key = np.zeros(len(columns[0]), np.uint64)
        for column in columns[first : first + in_one]:
            key <<= np.uint64(bits)
            key |= column
        keys.append(key)
    return keys


def _unpacked(keys: Sequence[np.ndarray], order: int, vocabulary_size: int) -> np.ndarray:
    """The rows, uint32 (rows, order), that `_packed` was given by columns."""
    bits = max(1, vocabulary_size.bit_length())
    in_one, mask = 64 // bits, np.uint64((1 << bits) - 1)
    rows = np.empty((len(keys[0]), order), np.uint32)
    for place in range(order):
        number, inside = divmod(place, in_one)
        held = min(in_one, order - number * in_one)
        rows[:, place] = (keys[number] >> np.uint64(bits * (held - 1 - inside))) & mask
    return rows


def _sums(counts: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(counts, firsts) if len(firsts) else counts


def _firsts(keys: Sequence[np.ndarray]) -> np.ndarray:
    """Places of sorted keys at which a new one begins."""
    changed = np.ones(len(keys[0]), bool)
    changed[1:] = False
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)
