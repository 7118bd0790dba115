"""An index of texts and their vectors on disk, and exact search in it. No TensorFlow.

vectors.f32     float32 (texts, size), of length 1; mapped into memory, so they may be larger than that
texts.txt       the texts, in UTF-8, one after the other
ends.i64        int64 (texts,), where each of them ends in it
index.json      how many there are, of which size, and by what the vectors were made
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from common.command_line import UserError
from common.runs.files import file_of_run, read_json
from common.runs.values import Between, settings_from_json
from common.submission import json_bytes

_VECTORS, _TEXTS, _ENDS, _ABOUT = "vectors.f32", "texts.txt", "ends.i64", "index.json"
_TOGETHER = 10_000  # texts of which vectors are made at a time
#: Queries and texts that are compared at a time: 16 MB of cosines.
_QUERIES, _BLOCK = 256, 16_384


class About(NamedTuple):
    """What an index is made of. made_by: tells vectors of different weights apart."""

    made_by: str
    texts: Annotated[int, Between(1, 2**40)]
    size: Annotated[int, Between(1, 2**16)]


def write_index(
    folder: Path, texts: Iterable[str], vectors_of: Callable[[Sequence[str]], np.ndarray], made_by: str
) -> None:
    """Write an index into a folder that is there. vectors_of: texts -> float32 (texts, size), of length 1. Raises
    ValueError where there is no text."""
    texts, count, end, size = iter(texts), 0, 0, 0
    with (
        (folder / _VECTORS).open("wb") as vectors_file,
        (folder / _TEXTS).open("wb") as texts_file,
        (folder / _ENDS).open("wb") as ends_file,
    ):
        while together := list(islice(texts, _TOGETHER)):
            encoded = [text.encode("utf-8", "surrogatepass") for text in together]
            ends = end + np.cumsum([len(text) for text in encoded], dtype=np.int64)
            vectors = np.ascontiguousarray(vectors_of(together), np.float32)
            count, end, size = count + len(together), int(ends[-1]), vectors.shape[1]
            vectors_file.write(vectors.tobytes())
            texts_file.write(b"".join(encoded))
            ends_file.write(ends.tobytes())
    if not count:
        raise ValueError("an index needs a text")
    (folder / _ABOUT).write_bytes(json_bytes(About(made_by, count, size)._asdict()))


class Index:
    """An index that `write_index` has made. Raises UserError for what is none, or damaged."""

    def __init__(self, folder: Path):
        file = file_of_run(folder, _ABOUT)
        if not file.is_file():
            raise UserError(
                f"{folder}: is no index (it has no {_ABOUT}) - give --questions, of which one is to be made"
            )
        self.about = settings_from_json(About, read_json(file), file)
        count, size = self.about.texts, self.about.size
        self._vectors = _mapped(file_of_run(folder, _VECTORS), np.float32, (count, size))
        self._ends = _mapped(file_of_run(folder, _ENDS), np.int64, (count,))
        self._texts = _mapped(file_of_run(folder, _TEXTS), np.uint8, (int(self._ends[-1]),))

    def __len__(self) -> int:
        return self.about.texts

    def text(self, place: int) -> str:
        """That at a place, from 0."""
        start = self._ends[place - 1] if place else 0
        return self._texts[start : self._ends[place]].tobytes().decode("utf-8", "surrogatepass")

    def nearest(self, vectors: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each vector the places of the `count` texts with the largest cosines, int64, and these, float32, largest
        first. vectors: float32 (queries, size), of length 1."""
        for first in range(0, len(vectors), _QUERIES):
            yield from zip(*self._nearest(vectors[first : first + _QUERIES], min(count, len(self))))

    def _nearest(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        places, cosines = np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
        for first in range(0, len(self), _BLOCK):
            found = queries @ self._vectors[first : first + _BLOCK].T
            kept = _largest(found, count)
            places = np.hstack([places, kept + first])
            cosines = np.hstack([cosines, np.take_along_axis(found, kept, 1)])
            kept = _largest(cosines, count)
            places, cosines = np.take_along_axis(places, kept, 1), np.take_along_axis(cosines, kept, 1)
        order = np.argsort(-cosines, axis=1, kind="stable")
        return np.take_along_axis(places, order, 1), np.take_along_axis(cosines, order, 1)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """The columns of the largest values of each row, in any order."""
    if values.shape[1] <= count:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, -count, axis=1)[:, -count:]


def _mapped(file: Path, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    if not file.is_file() or file.stat().st_size != np.prod(shape) * np.dtype(dtype).itemsize:
        raise UserError(f"{file}: is missing, or not as long as {_ABOUT} says - remove the index, and make it anew")
    return np.memmap(file, dtype, "r", shape=shape)
