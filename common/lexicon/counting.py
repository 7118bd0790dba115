"""How often n-grams occur in a corpus of any size, exactly, in bounded memory and with any number of processes.

Blocks of text are counted by sorting (`tables.count_windows`), and their tables held until they fill a third of the
memory; then the sum goes to disk. At the end all tables are merged part by part, and with several processes both is
done by all of them: nobody ever holds all n-grams, and nobody has to add up what the others have counted.

One dictionary for all n-grams gets slower and slower as it outgrows the caches, which is why many processes with small
ones seemed to gain more than their number in kexue.fm/archives/7031. Sorting blocks has no such trap.
"""

import multiprocessing
import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.command_line import UserError
from common.lexicon.corpus import Partition, blocks_of
from common.lexicon.tables import (
    Bounds,
    Grams,
    Numbered,
    Table,
    bounds_of,
    count_windows,
    frequent_orders,
    joined,
    load,
    merge_part,
    numbered,
    store,
)
from common.lexicon.units import UnitReader

#: The least memory of a process that makes sense, in bytes: half of it is Python and numpy.
LEAST_MEMORY = 256 * 2**20

_OF_ITSELF = 128 * 2**20  # bytes of a process that has counted nothing
_OF_TEXT = 90  # bytes that counting needs for one of UTF-8
_OF_ROW = 40, 12  # bytes that merging needs for a row, and for each unit of it besides
_OF_UNIT = 300  # bytes of a unit in a vocabulary that is made out of others
_PARTS = 4  # that a process merges, at least: they differ in size


class Budget(NamedTuple):
    """What the memory of one process is for; texts, tables and merging have a third each. text: bytes of UTF-8 counted
    at once. tables: bytes. rows: of all tables, merged at once. units: of a vocabulary."""

    text: int
    tables: int
    rows: int
    units: int

    @classmethod
    def of(cls, memory: int, order: int) -> "Budget":
        """memory: bytes."""
        third = (memory - _OF_ITSELF) // 3
        return cls(third // _OF_TEXT, third, third // (_OF_ROW[0] + _OF_ROW[1] * order), third // _OF_UNIT)


class Counts(NamedTuple):
    """n-grams of a corpus. vocabulary: its units, sorted. total: how many stand in it. parts: lists of the n-grams of
    order 1, 2, ..., in places of the vocabulary from 1; those of one order follow each other, sorted."""

    vocabulary: list[str]
    total: int
    parts: Iterator[list[Grams]]


class TableStore:
    """Tables of counted windows; those that do not fit in memory are in a folder."""

    def __init__(self, folder: Path, order: int, budget: Budget):
        self._folder, self._order, self._budget = folder, order, budget
        self._held: list[Table] = []
        #: Folders of the tables on disk.
        self.stored: list[Path] = []

    def count(self, partition: Partition, fields: Collection[str], reader: UnitReader) -> None:
        """Add the windows of a partition."""
        for text in blocks_of(partition, fields, self._budget.text):
            table = count_windows(reader.read(text), self._order)
            if len(table.rows):
                self._held.append(table)
            if sum(table.rows.nbytes + table.counts.nbytes for table in self._held) > self._budget.tables:
                self.store()

    def store(self) -> None:
        """Put the sum of what is in memory on disk."""
        if self._held:
            vocabulary, sources = numbered(self._held)
            bounds = bounds_of(sources, self._budget.rows)
            parts = (merge_part(sources, len(vocabulary), pair) for pair in bounds)
            self.stored.append(self._folder / secrets.token_hex(8))
            store(self.stored[-1], vocabulary, parts)
            self._held = []

    def tables(self) -> list[Table]:
        """All of them."""
        return [*(load(folder, self._order) for folder in self.stored), *self._held]


def count_ngrams(
    partitions: Sequence[Partition],
    order: int,
    least: int,
    budget: Budget,
    folder: Path,
    processes: int = 1,
    fields: Collection[str] = (),
) -> Counts:
    """All n-grams up to `order` that occur at least `least` times.

    budget: of each process. folder: an empty one for what does not fit, which must stay until the parts have been gone
    through. fields: see `blocks_of`. Raises UserError for what is no text, and where not even the different units fit.
    """
    if processes > 1:
        return _count_by_many(partitions, order, least, budget, folder, processes, fields)
    tables, reader = TableStore(folder, order, budget), UnitReader()
    for partition in partitions:
        tables.count(partition, fields, reader)
    vocabulary, sources = _numbered(tables.tables(), budget)
    parts = (_merge(sources, len(vocabulary), least, pair) for pair in bounds_of(sources, budget.rows))
    return Counts(vocabulary, _total(sources), joined(parts, order, least))


def _count_by_many(
    partitions: Sequence[Partition],
    order: int,
    least: int,
    budget: Budget,
    folder: Path,
    processes: int,
    fields: Collection[str],
) -> Counts:
    """The same by several processes, which leave all tables on disk, where the others see them."""
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, spawn)
    count = partial(_counted, order=order, budget=budget, folder=folder, fields=fields)
    folders = [path for paths in _in_turn(pool, count, partitions, processes) for path in paths]
    vocabulary, sources = _numbered([load(path, order) for path in folders], budget)
    for path, source in zip(folders, sources):
        source.numbers.tofile(path / "numbers")
    rows = sum(len(source.rows) for source in sources)
    bounds = bounds_of(sources, min(budget.rows, -(-rows // (processes * _PARTS))))
    merge = partial(_merge_stored, folders, order, len(vocabulary), least)
    parts = _in_turn(pool, merge, bounds, processes)
    return Counts(vocabulary, _total(sources), joined(parts, order, least, pool.shutdown))


def _in_turn(
    pool: ProcessPoolExecutor, work: Callable[[Any], Any], items: Iterable[Any], processes: int
) -> Iterator[Any]:
    """What comes of the work on each item, in order; few are begun before they are wanted."""
    begun: deque[Future] = deque()
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > 2 * processes:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    except BrokenProcessPool:
        raise UserError(
            "a process was ended from outside, perhaps for want of memory - give less --memory or fewer --processes"
        ) from None
    finally:
        for future in begun:
            future.cancel()


def _counted(partition: Partition, order: int, budget: Budget, folder: Path, fields: Collection[str]) -> list[Path]:
    """Work of a process: the windows of a partition, on disk."""
    tables = TableStore(folder, order, budget)
    tables.count(partition, fields, UnitReader())
    tables.store()
    return tables.stored


def _merge_stored(folders: Sequence[Path], order: int, vocabulary_size: int, least: int, bounds: Bounds) -> list[Grams]:
    """Work of a process: a part of the sum of tables on disk."""
    tables = (load(folder, order) for folder in folders)
    sources = [
        Numbered(table.rows, table.counts, np.fromfile(folder / "numbers", np.uint32))
        for table, folder in zip(tables, folders)
    ]
    return _merge(sources, vocabulary_size, least, bounds)


def _merge(sources: Sequence[Numbered], vocabulary_size: int, least: int, bounds: Bounds) -> list[Grams]:
    return frequent_orders(merge_part(sources, vocabulary_size, bounds), least)


def _numbered(tables: Sequence[Table], budget: Budget) -> tuple[list[str], list[Numbered]]:
    vocabulary, sources = numbered(tables)
    if len(vocabulary) > budget.units:
        raise UserError(
            f"--memory: does not hold {len(vocabulary):,} different characters and runs of letters and digits - give more"
        )
    return vocabulary, sources


def _total(sources: Sequence[Numbered]) -> int:
    return sum(int(source.counts.sum()) for source in sources)
