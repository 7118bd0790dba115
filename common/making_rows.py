"""The rows of a training set made by as many processes as there are cores. No TensorFlow."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, TypeVar

from common.command_line import warn
from common.kept_rows import keep_rows, read_back, written
from common.options import RunOptions
from common.process_pool import in_turn

Row = TypeVar("Row")
#: Gives the rows of a part of the examples, and counts what is lost on the way, by reason.
MakeRows = Callable[[Counter[str], slice], Iterable[Row]]

#: Examples of a part.
_PART = 64
#: A process pays where it makes the rows of so many.
_EXAMPLES_PER_PROCESS = 1000
#: What each looks at it has in memory a second time.
_MOST_PROCESSES = 8


def make_rows(
    label: Callable[..., Iterable[Row]],
    arguments: Sequence[Any],
    lost: Counter[str],
    options: RunOptions,
    shared: Sequence[Any] = (),
) -> Sequence[Row]:
    """What `label(*arguments, lost, part)` gives for all examples, kept: see `rows_in_order` and `keep_rows`. The first of
    the arguments are the examples."""
    return keep_rows(rows_in_order(partial(label, *arguments), len(arguments[0]), lost, shared), options, shared)


def rows_in_order(
    make: MakeRows[Row], count: int, lost: Counter[str], shared: Sequence[Any] = (), processes: int | None = None
) -> Iterator[Row]:
    """The rows of examples 0 ... count - 1, as `make` gives them; lost: gets what it counts.

    make: must not go by what it was asked before. shared: see `keep_rows`. processes: how many make rows; 1 is this one.
    Default: one for each 1,000 examples, up to the number of cores and 8, on Linux; 1 elsewhere. They are copies of this
    process, so `make` may be anything. Where one is ended from outside or cannot be had, this process makes the rest.
    """
    parts = [slice(first, min(first + _PART, count)) for first in range(0, count, _PART)]
    done, processes = 0, processes or _usable(count)
    if processes > 1:
        try:
            for result in _made_by_many(make, parts, shared, processes):
                rows, counted = read_back(result, shared)
                lost.update(counted)
                done += 1
                yield from rows
        except (BrokenProcessPool, OSError) as error:  # one was ended from outside, or is not to be had
            warn(f"features are made by one process from here on, perhaps for want of memory: {error}")
    yield from make(lost, slice(done * _PART, count))


def _usable(count: int) -> int:
    """How many processes pay."""
    if sys.platform != "linux":  # elsewhere a copy of a process is not safe, or cannot be had
        return 1
    return min(count // _EXAMPLES_PER_PROCESS, len(os.sched_getaffinity(0)), _MOST_PROCESSES)


def _made_by_many(
    make: MakeRows[Any], parts: Sequence[slice], shared: Sequence[Any], processes: int
) -> Iterator[bytes]:
    """The rows of each part and what was lost, written."""
    places = {id(one): place for place, one in enumerate(shared)}
    # Copies, as of examples, words and encoder, not new interpreters, which would have to be told all of these.
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _begin, (make, places))
    return in_turn(pool, _made, parts, processes, last=True)


_make: MakeRows[Any]
_places: dict[int, int]


def _begin(make: MakeRows[Any], places: dict[int, int]) -> None:
    """What such a process does first."""
    global _make, _places
    _make, _places = make, places
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that reads the rows ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()  # collecting would write to all objects that are shared with the other processes, and so copy them


def _end_with_parent() -> None:
    """A pool waits for tasks for ever, even when whoever gave them was killed."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _made(part: slice) -> bytes:
    lost: Counter[str] = Counter()
    rows = list(_make(lost, part))
    return written((rows, lost), _places)
