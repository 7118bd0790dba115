"""The rows that a network is trained on, in memory or, where there are too many, in a file. No TensorFlow.

A row is whatever features.py makes of an example: windows, labels, arrays of numpy. Cutting texts into tokens and words
takes several times as long as reading a row from a file, which the system keeps in the memory that nobody else needs:
so rows are made once, and not again in each epoch. The file has no name: whatever ends the process, nothing is left of
it, and nobody else can write what is read here.
"""

import gc
import io
import itertools
import os
import pickle
import sys
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from common.options import RunOptions

Row = TypeVar("Row")

#: Of so many rows one is measured.
_MEASURED = 16
#: What rows refer to and do not hold.
_CODE = (type, ModuleType, FunctionType)


def keep_rows(rows: Iterable[Row], options: RunOptions, shared: Iterable[Any] = ()) -> Sequence[Row]:
    """The rows, which are gone through once: a list, or where they take more than --feature-memory megabytes a file in
    --output-dir, from which each is read when it is asked for: equal, number for number.

    shared: objects that rows refer to and that stay in memory anyway, such as their examples. They are not measured, and
    come back as they are.
    """
    shared, rows = list(shared), iter(rows)
    known, most, held, size = set(map(id, shared)), options.feature_memory * 2**20, [], 0
    for row in rows:
        if len(held) % _MEASURED == 0:
            size += _MEASURED * size_of(row, known)
        held.append(row)
        if size > most:
            return RowFile(itertools.chain(_emptied(held), rows), options.output_dir, shared)
    return held


def _emptied(rows: list[Row]) -> Iterator[Row]:
    """The rows of a list, of which each is let go."""
    rows.reverse()
    while rows:
        yield rows.pop()


def size_of(row: Any, known: set[int]) -> int:
    """Bytes of memory that an object and all that it refers to take, but for those whose `id` is known."""
    seen, waiting, size = set(), [row], 0
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and id(one) not in known and not isinstance(one, _CODE):
            seen.add(id(one))
            size += sys.getsizeof(one)
            waiting += gc.get_referents(one)
    return size


class RowFile(Sequence[Row]):
    """Rows in a file without a name in a folder, which is made where it is missing. Raises OSError where it cannot be
    written."""

    def __init__(self, rows: Iterable[Row], folder: Path, shared: Sequence[Any]):
        folder.mkdir(parents=True, exist_ok=True)
        self._file, self._shared, self._ends = tempfile.TemporaryFile(dir=folder), shared, array("Q", [0])
        places = {id(one): place for place, one in enumerate(shared)}
        try:
            for row in rows:
                self._ends.append(self._ends[-1] + self._file.write(written(row, places)))
            self._file.flush()
        except OSError as error:
            error.filename = error.filename or str(folder)
            raise

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> Row:
        place = range(len(self))[place]
        begin, end = self._ends[place], self._ends[place + 1]
        return read_back(os.pread(self._file.fileno(), end - begin, begin), self._shared)

    def __iter__(self) -> Iterator[Row]:
        return (self[place] for place in range(len(self)))


def written(row: Any, places: dict[int, int]) -> bytes:
    """A row, or several, without what is shared. places: where this is in `shared`, by its `id`."""
    buffer = io.BytesIO()
    _Writer(buffer, places).dump(row)
    return buffer.getvalue()


def read_back(row: bytes, shared: Sequence[Any]) -> Any:
    """What `written` has written, by this program: to read what others have written is to do what they want."""
    return _Reader(io.BytesIO(row), shared).load()


class _Writer(pickle.Pickler):
    """Writes of an object that has a place this place alone."""

    def __init__(self, buffer: io.BytesIO, places: dict[int, int]):
        super().__init__(buffer, protocol=5)
        self._places = places

    def persistent_id(self, one: Any) -> int | None:
        return self._places.get(id(one))


class _Reader(pickle.Unpickler):
    def __init__(self, buffer: io.BytesIO, shared: Sequence[Any]):
        super().__init__(buffer)
        self._shared = shared

    def persistent_load(self, place: int) -> Any:
        return self._shared[place]
