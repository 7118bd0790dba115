"""The same counting by a Dask cluster: partitions are counted where there is a free worker, and each part of the sum is
merged by one. Dask keeps the tables, moves them, and has lost ones made again when a worker dies.

Every worker must see the corpus under the same names, and have this package. Dask is installed apart:
requirements-dask.lock.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.cluster import connect
from common.lexicon.corpus import Partition
from common.lexicon.counting import Merged, Result, TableStore, Work
from common.lexicon.tables import (
    Bounds,
    Grams,
    Numbered,
    Table,
    bounds_of,
    merge,
    merge_part,
    numbered,
    part_of,
    sample,
)
from common.lexicon.units import UnitReader

_PARTS = 4  # for each thread of the cluster, since they differ in size


class _Head(NamedTuple):
    """What is known here of a table that a worker holds. sample: some of its rows. total: how often all occur."""

    sample: Table
    rows: int
    total: int


def count_tables_on(
    scheduler: str, partitions: Sequence[Partition], work: Work, finish: Callable[[Grams], Result]
) -> Merged[Result]:
    """See `counting.count_tables`. scheduler: its address, as in tcp://10.0.0.1:8786. Raises UserError where it does not
    answer, or has no worker."""
    client = connect(scheduler)
    tables = client.map(_table, partitions, work=work, pure=False)
    heads = client.gather(client.map(_head, tables, pure=False))
    tables = [table for table, head in zip(tables, heads) if head is not None]
    heads = [head for head in heads if head is not None]
    vocabulary, samples = numbered([head.sample for head in heads])
    rows = [head.rows for head in heads]
    threads = sum(client.nthreads().values())
    bounds = bounds_of(samples, -(-sum(rows) // (threads * _PARTS)), rows)
    numbers = client.scatter([source.numbers for source in samples])
    parts = [
        client.submit(
            _merge,
            [client.submit(_cut, *pair, of_part, pure=False) for pair in zip(tables, numbers)],
            len(vocabulary),
            finish,
            pure=False,
        )
        for of_part in bounds
    ]
    return Merged(vocabulary, sum(head.total for head in heads), 0, _results(client, parts))


def _results(client: Any, futures: list[Any]) -> Iterator[Any]:
    """Those of all futures, in order; each is let go when it has come."""
    with client:
        while futures:
            yield futures.pop(0).result()


def _table(partition: Partition, work: Work) -> Table | None:
    """Task of a worker: what is counted in a partition; None for nothing."""
    with tempfile.TemporaryDirectory() as folder:
        tables = TableStore(replace(work, folder=Path(folder)))
        tables.count(partition, UnitReader())
        found = tables.tables()
        return merge(found) if found else None


def _head(table: Table | None) -> _Head | None:
    return None if table is None else _Head(sample(table), len(table.rows), int(table.counts.sum()))


def _cut(table: Table, numbers: np.ndarray, bounds: Bounds) -> Numbered:
    """Task of a worker: the rows of a table that are in one part."""
    return Numbered(*part_of(Numbered(table.rows, table.counts, numbers), bounds), numbers)


def _merge(cuts: Sequence[Numbered], vocabulary_size: int, finish: Callable[[Grams], Result]) -> Result:
    """Task of a worker: a part of the sum of all tables."""
    return finish(merge_part(cuts, vocabulary_size, (None, None)))
