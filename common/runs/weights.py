"""Named arrays in HDF5 files: weights and optimizer state. No pickle, no code, and never a half-written file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from common.command_line import UserError
from common.submission import atomic_path


def save_arrays(
    path: Path, groups: dict[str, Sequence[tuple[str, np.ndarray]]], about: dict[str, Any] | None = None
) -> None:
    """Write lists of (name, array) under a name for each list, and `about`, which must be JSON; atomic and safe on
    disk."""
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["about"] = json.dumps(about or {})
        for group, arrays in groups.items():
            for index, (name, array) in enumerate(arrays):
                # The index keeps the order, and keeps names apart that Keras gives twice.
                dataset = file.create_dataset(f"{group}/{index:05d}", data=np.asarray(array))
                dataset.attrs["name"] = name


def load_arrays(path: Path, group: str) -> list[tuple[str, np.ndarray]]:
    """The (name, array) list of one group, in the order it was saved. Raises UserError for a file that is none of
    ours."""
    try:
        with h5py.File(path, "r") as file:
            return [(file[group][key].attrs["name"], file[group][key][()]) for key in sorted(file.get(group, ()))]
    except (OSError, KeyError) as error:
        raise UserError(f"{path}: no weights of ours can be read from it ({error}) - train the run again") from None


def load_about(path: Path) -> dict[str, Any]:
    """What `save_arrays` was told about the file."""
    try:
        with h5py.File(path, "r") as file:
            return json.loads(file.attrs["about"])
    except (OSError, KeyError) as error:
        raise UserError(f"{path}: no state of ours can be read from it ({error}) - start a new run") from None


def named_values(variables) -> list[tuple[str, np.ndarray]]:
    """(name, value) of Keras or TensorFlow variables."""
    return [(variable.name, variable.numpy()) for variable in variables]


def assign(variables, arrays: Sequence[tuple[str, np.ndarray]], source: Path) -> None:
    """Put saved arrays into variables; every name and shape must agree, or nothing is assigned and UserError says what
    differs."""
    found = [(name, array.shape) for name, array in arrays]
    expected = [(variable.name, tuple(variable.shape)) for variable in variables]
    if found != expected:
        differing = [f"{a[0]} {a[1]} instead of {b[0]} {b[1]}" for a, b in zip(found, expected) if a != b]
        problem = differing[0] if differing else f"{len(found)} arrays instead of {len(expected)}"
        raise UserError(
            f"{source}: does not fit this network ({problem}) - was model.py changed since the run was trained?"
        )
    for variable, (_, array) in zip(variables, arrays):
        variable.assign(array)
