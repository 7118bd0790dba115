"""Named arrays in HDF5 files: weights and optimizer state. No pickle, no code, and never a half-written file.

A file may come from anybody: what HDF5 offers beside plain arrays (links, other files, filters, holes) is refused, and
nothing is read before its size is known.
"""

import contextlib
import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from common.command_line import UserError
from common.runs.files import check_plain
from common.submission import atomic_write


def save_arrays(
    path: Path, groups: dict[str, Sequence[tuple[str, np.ndarray]]], about: dict[str, Any] | None = None
) -> None:
    """Write lists of (name, array) under a name for each list, and `about`, which must be JSON; atomic and safe on
    disk."""
    content = io.BytesIO()  # HDF5 itself ends the process with a signal where a disk is full
    with h5py.File(content, "w") as file:
        file.attrs["about"] = json.dumps(about or {})
        for group, arrays in groups.items():
            for index, (name, array) in enumerate(arrays):
                # The index keeps the order, and keeps names apart that Keras gives twice.
                dataset = file.create_dataset(f"{group}/{index:05d}", data=np.asarray(array))
                dataset.attrs["name"] = name
    atomic_write(path, content.getbuffer())


def load_arrays(path: Path, group: str) -> list[tuple[str, np.ndarray]]:
    """The (name, array) list of one group, in the order it was saved. Raises UserError for a file that is none of
    ours."""
    with _opened(path) as file:
        return [(name, _values(path, name, dataset)) for name, dataset in _datasets(path, file, group)]


def load_about(path: Path) -> dict[str, Any]:
    """What `save_arrays` was told about the file."""
    with _opened(path) as file:
        about = json.loads(_text(file, "about"))
        if not isinstance(about, dict):
            raise TypeError("about is no object")
        return about


def named_values(variables) -> list[tuple[str, np.ndarray]]:
    """(name, value) of Keras or TensorFlow variables."""
    return [(variable.name, variable.numpy()) for variable in variables]


def restore(variables, path: Path, group: str) -> None:
    """Put one group of a file into variables; every name, shape and type must agree, or nothing is read and UserError
    says what differs."""
    with _opened(path) as file:
        datasets = _datasets(path, file, group)
        _check_fit(variables, datasets, path)
        arrays = [(name, _values(path, name, dataset)) for name, dataset in datasets]
    assign(variables, arrays, path)


def assign(variables, arrays: Sequence[tuple[str, np.ndarray]], source: Path) -> None:
    """Put named arrays into variables as `restore` does."""
    _check_fit(variables, arrays, source)
    for variable, (_, array) in zip(variables, arrays):
        variable.assign(array)


def _check_fit(variables, arrays: Sequence[tuple[str, Any]], source: Path) -> None:
    found = [(name, array.dtype.name, array.shape) for name, array in arrays]
    expected = [(one.name, np.dtype(one.dtype.as_numpy_dtype).name, tuple(one.shape)) for one in variables]
    if found != expected:
        differing = [f"{a[0]} {a[1]} {a[2]} instead of {b[0]} {b[1]} {b[2]}" for a, b in zip(found, expected) if a != b]
        problem = differing[0] if differing else f"{len(found)} arrays instead of {len(expected)}"
        raise UserError(
            f"{source}: does not fit this network ({problem}) - was model.py changed since the run was trained?"
        )


# What a file may hold


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The file, opened without a lock, which not every file system has and nobody needs: it is replaced, not changed.
    Whatever is wrong with it is one UserError; OSError where it may not be read."""
    if path.is_file():
        path.open("rb").close()
    try:
        check_plain(path, math.inf)
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except UserError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError) as error:
        raise UserError(f"{path}: nothing of ours can be read from it ({error}) - train the run again") from None


def _datasets(path: Path, file: h5py.File, group: str) -> list[tuple[str, h5py.Dataset]]:
    """The names and arrays of a group, none of which has been read."""
    if not file.id.links.exists(group.encode()):
        return []
    members = _member(file, group, h5py.Group)
    datasets = [_member(members, key, h5py.Dataset) for key in sorted(members)]
    sizes = [_bytes(dataset) for dataset in datasets]
    if sum(sizes) > path.stat().st_size:
        raise ValueError("its arrays are larger than the file")
    return [(_text(dataset, "name"), dataset) for dataset in datasets]


def _member(group: h5py.Group, key: str, kind: type) -> Any:
    if group.id.links.get_info(key.encode()).type != h5py.h5l.TYPE_HARD:
        raise ValueError(f"{key} is a link")
    if not isinstance(member := group[key], kind):
        raise TypeError(f"{key} is no {kind.__name__.lower()}")
    return member


def _bytes(dataset: h5py.Dataset) -> int:
    """What an array takes, all of which lies in the file as it is: no filter unpacks it, and no other file has it."""
    layout = dataset.id.get_create_plist()
    size = math.prod(dataset.shape) * dataset.dtype.itemsize
    if layout.get_layout() != h5py.h5d.CONTIGUOUS or layout.get_external_count() or dataset.dtype.kind not in "biuf":
        raise TypeError(f"{dataset.name} is no plain array of numbers")
    if dataset.id.get_storage_size() != size:
        raise ValueError(f"{dataset.name} was never written")
    return size


def _text(item: h5py.HLObject, attribute: str) -> str:
    if item.attrs.get_id(attribute).shape != () or not isinstance(text := item.attrs[attribute], str):
        raise TypeError(f"{attribute} is no text")
    return text


def _values(path: Path, name: str, dataset: h5py.Dataset) -> np.ndarray:
    values = dataset[()]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise UserError(
            f"{path}: {name} holds NaN or infinity, as when training goes astray - train again with a lower --learning-rate"
        )
    return values
