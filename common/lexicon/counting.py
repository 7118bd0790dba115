"""How often n-grams occur in a corpus of any size, exactly, in bounded memory and with any number of processes.

Blocks of text are counted by sorting (`tables.count_windows`), and their tables held until they fill a third of the
memory; then the sum goes to disk. At the end all tables are merged part by part, and with several processes both is
done by all of them: nobody ever holds all n-grams, and nobody has to add up what the others have counted.

A loop with one dictionary may get slower as that outgrows the caches, so that many processes with small ones seem to gain
more than their number (kexue.fm/archives/7031). Sorting blocks has no such trap.
"""

import multiprocessing
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from common.command_line import UserError
from common.lexicon.corpus import Partition, blocks_of
from common.lexicon.tables import (
    Bounds,
    Grams,
    Numbered,
    Table,
    bounds_of,
    frequent_orders,
    joined,
    load,
    merge_part,
    numbered,
    store,
)
from common.lexicon.units import UnitReader, Units
from common.process_pool import in_turn

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


Result = TypeVar("Result")


@dataclass(frozen=True)
class Work:
    """What is to be counted, for any process. windows: the table of what is counted in a text, of `order` columns.
    fields: see `blocks_of`. folder: for tables that do not fit."""

    windows: Callable[[Units], Table]
    order: int
    budget: Budget
    folder: Path
    fields: Collection[str]


@dataclass(frozen=True)
class Workers:
    """Who counts: some processes of this machine, or the cluster of a Dask scheduler, whose address is given."""

    processes: int = 1
    scheduler: str | None = None


#: This process alone.
ALONE = Workers()


class Merged(NamedTuple, Generic[Result]):
    """vocabulary: the units of a corpus. total: how often something was counted. stored: bytes of tables that were on
    disk. parts: what became of each part of the sum of all tables, which follow each other."""

    vocabulary: list[str]
    total: int
    stored: int
    parts: Iterator[Result]


class TableStore:
    """Tables of what was counted; those that do not fit in memory are in the folder."""

    def __init__(self, work: Work):
        self._work = work
        self._held: list[Table] = []
        #: Folders of the tables on disk.
        self.stored: list[Path] = []

    def count(self, partition: Partition, reader: UnitReader) -> None:
        """Add what is counted in a partition."""
        for text in blocks_of(partition, self._work.fields, self._work.budget.text):
            table = self._work.windows(reader.read(text))
            if len(table.rows):
                self._held.append(table)
            if sum(table.rows.nbytes + table.counts.nbytes for table in self._held) > self._work.budget.tables:
                self.store()

    def store(self) -> None:
        """Put the sum of what is in memory on disk."""
        if self._held:
            vocabulary, sources = numbered(self._held)
            bounds = bounds_of(sources, self._work.budget.rows)
            parts = (merge_part(sources, len(vocabulary), pair) for pair in bounds)
            self.stored.append(self._work.folder / secrets.token_hex(8))
            store(self.stored[-1], vocabulary, parts)
            self._held = []

    def tables(self) -> list[Table]:
        """All of them."""
        return [*(load(folder, self._work.order) for folder in self.stored), *self._held]


def count_ngrams(
    partitions: Sequence[Partition], least: int, work: Work, workers: Workers = ALONE
) -> Merged[list[Grams]]:
    """All n-grams up to the order of the work that occur at least `least` times: parts are lists of those of order 1,
    2, ..., and those of one order follow each other, sorted.

    Raises UserError for what is no text, for nothing at all, and where not even the different units fit in memory.
    """
    merged = count_tables(partitions, work, partial(frequent_orders, least=least), workers)
    if not merged.total:
        raise UserError("--input: has no text - check the names, and --fields")
    return merged._replace(parts=joined(merged.parts, work.order, least))


def count_tables(
    partitions: Sequence[Partition], work: Work, finish: Callable[[Grams], Result], workers: Workers = ALONE
) -> Merged[Result]:
    """Tables of all partitions, merged; the folder of the work must stay until the parts have been gone through.

    finish: what each process makes of a part of the sum. Raises UserError as `count_ngrams` does.
    """
    if workers.scheduler is not None:
        from common.lexicon.cluster import count_tables_on

        return count_tables_on(workers.scheduler, partitions, work, finish)
    if workers.processes > 1:
        return _count_by_many(partitions, work, finish, workers.processes)
    tables, reader = TableStore(work), UnitReader()
    for partition in partitions:
        tables.count(partition, reader)
    vocabulary, sources = _numbered(tables.tables(), work.budget)
    bounds = bounds_of(sources, work.budget.rows)
    parts = (finish(merge_part(sources, len(vocabulary), pair)) for pair in bounds)
    return Merged(vocabulary, _total(sources), _size(tables.stored), parts)


def _count_by_many(
    partitions: Sequence[Partition], work: Work, finish: Callable[[Grams], Result], processes: int
) -> Merged[Result]:
    """The same by several processes, which leave all tables on disk, where the others see them."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    folders = [path for paths in _in_turn(pool, partial(_counted, work), partitions, processes) for path in paths]
    vocabulary, sources = _numbered([load(path, work.order) for path in folders], work.budget)
    for path, source in zip(folders, sources):
        source.numbers.tofile(path / "numbers")
    rows = sum(len(source.rows) for source in sources)
    bounds = bounds_of(sources, min(work.budget.rows, -(-rows // (processes * _PARTS))))
    merge = partial(_merge_stored, folders, work.order, len(vocabulary), finish)
    return Merged(vocabulary, _total(sources), _size(folders), _in_turn(pool, merge, bounds, processes, last=True))


def _in_turn(*arguments: Any, last: bool = False) -> Iterator[Any]:
    """`in_turn`, for users."""
    try:
        yield from in_turn(*arguments, last=last)
    except BrokenProcessPool:
        raise UserError(
            "a process was ended from outside, perhaps for want of memory - give less --memory-megabytes, or fewer --processes"
        ) from None


def _counted(work: Work, partition: Partition) -> list[Path]:
    """Task of a process: what is counted in a partition, on disk."""
    tables = TableStore(work)
    tables.count(partition, UnitReader())
    tables.store()
    return tables.stored


def _merge_stored(
    folders: Sequence[Path], order: int, vocabulary_size: int, finish: Callable[[Grams], Result], bounds: Bounds
) -> Result:
    """Task of a process: a part of the sum of tables on disk."""
    tables = (load(folder, order) for folder in folders)
    sources = [
        Numbered(table.rows, table.counts, np.fromfile(folder / "numbers", np.uint32))
        for table, folder in zip(tables, folders)
    ]
    return finish(merge_part(sources, vocabulary_size, bounds))


def _numbered(tables: Sequence[Table], budget: Budget) -> tuple[list[str], list[Numbered]]:
    vocabulary, sources = numbered(tables)
    if len(vocabulary) > budget.units:
        raise UserError(
            f"--memory-megabytes: does not hold {len(vocabulary):,} different characters and runs of letters and digits - give more"
        )
    return vocabulary, sources


def _total(sources: Sequence[Numbered]) -> int:
    return sum(int(source.counts[:].sum()) for source in sources)


def _size(folders: Iterable[Path]) -> int:
    return sum(file.stat().st_size for folder in folders for file in folder.iterdir())
