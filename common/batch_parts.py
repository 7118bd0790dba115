"""The parts of a batch that the replicas of a training read: together they are the batch, and arrays that point to rows of
others point to them still. Random choices are made for the whole batch, so that they do not depend on the parts.

A batch of fewer examples than replicas, the last of an epoch, is read by each of them as a whole: no network has to
compute with nothing (TensorFlow's convolutions and cuDNN's LSTMs cannot), and since the sums and the counts of all
replicas grow alike, their means, and so the step, are the same. It counts as often in the mean loss of the epoch that is
shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def piece(size: int, number: int, count: int) -> tuple[int, int]:
    """Where the `number`-th (from 0) of `count` pieces of so many things begins and ends: they differ by one at most."""
    return size * number // count, size * (number + 1) // count


def pieces(size: int, count: int) -> list[tuple[int, int]]:
    """Where all of them begin and end; of fewer things than pieces each is all."""
    return [piece(size, number, count) if size >= count else (0, size) for number in range(count)]


def split_rows(batch: Any, parts: int) -> list[Any]:
    """A batch, any structure of arrays that all have a row for each example, in so many parts. Raises ValueError for
    arrays of different numbers of rows."""
    from common.keras_compat import tf  # here, so that reading and collating work without TensorFlow

    counts = {len(values) for values in tf.nest.flatten(batch)}
    if len(counts) > 1:
        raise ValueError(f"arrays of {sorted(counts)} rows are no batch that split_rows can split")
    return [
        tf.nest.map_structure(lambda values: values[begin:end], batch) for begin, end in pieces(counts.pop(), parts)
    ]


def split_with_lists(batch: Arrays, parts: int, lists: Mapping[str, Sequence[str]]) -> list[Arrays]:
    """A batch whose rows have lists of things, in so many parts: each has its rows, and what belongs to them.

    lists: names of arrays whose first column says to which row each thing belongs, with the further arrays that have a
    row for each thing; a batch need not have all of them. All others have a row for each example.
    """
    lists = {key: others for key, others in lists.items() if key in batch}
    of_things = {name for key, others in lists.items() for name in (key, *others)}
    rows = {name: values for name, values in batch.items() if name not in of_things}
    found = split_rows(rows, parts)
    for part, (begin, end) in zip(found, pieces(len(next(iter(rows.values()))), parts)):
        for key, others in lists.items():
            mine = (begin <= batch[key][:, 0]) & (batch[key][:, 0] < end)
            part |= {name: batch[name][mine] for name in (key, *others)}
            part[key][:, 0] -= begin  # of a copy, since a mask chose it
    return found


def split_groups(batch: Arrays, parts: int, groups: str, beside: Sequence[str] = ()) -> list[Arrays]:
    """A batch whose rows are grouped, in so many parts of whole groups, each with the rows of these.

    groups: name of an array (groups, most), the rows of each group, one after the other, and -1 for none. beside:
    arrays that have a row for each group, too. A part of groups without rows gets one that is in no group.
    """
    of_groups = (groups, *beside)
    found = split_rows({name: batch[name] for name in of_groups}, parts)
    for part in found:
        chosen = part[groups]
        rows = chosen[chosen >= 0]
        begin, end = (int(rows.min()), int(rows.max()) + 1) if len(rows) else (0, 1)
        part |= {name: values[begin:end] for name, values in batch.items() if name not in of_groups}
        part[groups] = np.where(chosen >= 0, chosen - begin, -1).astype(chosen.dtype)
    return found
