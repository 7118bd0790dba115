"""Files of safetensors: one, or several with an index that says which of them has a tensor. No TensorFlow.

The `safetensors` library checks a header, and that its tensors cover the file without gap or overlap, when it opens the
file; nothing is allocated because of a number in it.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.encoders.tensors import Shapes, first_line, no_floats

_FLOATS = ("F64", "F32", "F16", "BF16")
_LARGEST_INDEX = 10_000_000  # bytes; that of a BERT has some 20,000


class SafeTensors:
    """path: of a .safetensors file, or of an index (.safetensors.index.json). Raises UserError when a file is missing or
    damaged.

    Attributes: `path`, `shapes` by name, `bytes` of all files.
    """

    def __init__(self, path: Path):
        self.path = path
        self._files: dict[str, Path] = {}
        self._types: dict[str, str] = {}
        self.shapes: Shapes = {}
        files = _files_of_index(path) if path.suffix == ".json" else {path: None}
        for file, listed in files.items():
            with _opened(file) as tensors:
                names = tensors.keys() if listed is None else listed
                if absent := sorted(set(names) - set(tensors.keys())):
                    raise UserError(
                        f"{path}: says that {absent[0]} is in {file.name}, where it is not - download both again"
                    )
                for name in names:
                    tensor = tensors.get_slice(name)
                    self._files[name], self._types[name] = file, tensor.get_dtype()
                    self.shapes[name] = tuple(tensor.get_shape())
        self.bytes = sum(file.stat().st_size for file in files)

    def read(self, name: str, columns: slice = slice(None)) -> np.ndarray:
        """The values of a tensor, or these of its last axis, float32. Raises UserError for one of integers."""
        if self._types[name] not in _FLOATS:
            raise no_floats(self.path, name, self._types[name])
        # Opened for each: the library maps a file into memory, and what was read of it would stay there.
        with _opened(self._files[name]) as tensors:
            if columns == slice(None):
                return tensors.get_tensor(name).astype(np.float32, copy=False)
            part = (slice(None),) * (len(self.shapes[name]) - 1) + (columns,)
            return tensors.get_slice(name)[part].astype(np.float32, copy=False)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import ml_dtypes  # noqa: F401 - teaches numpy what bfloat16 is
    from safetensors import SafetensorError, safe_open

    try:
        path.open("rb").close()  # the library says of whatever it may not open that it is not there
        with safe_open(path, framework="numpy") as tensors:
            yield tensors
    except (SafetensorError, OSError, UnicodeError) as error:
        raise UserError(f"{path}: cannot be read ({first_line(error)}) - download it again") from None


def _files_of_index(path: Path) -> dict[Path, list[str]]:
    """The files that an index names, and what it says is in each."""
    with path.open("rb") as file:
        content = file.read(_LARGEST_INDEX + 1)
    try:
        if len(content) > _LARGEST_INDEX:
            raise ValueError(f"it has more than {_LARGEST_INDEX:,} bytes")
        places = json.loads(content)["weight_map"]
        files = {path.parent / file: [] for file in places.values()}
        for name, file in places.items():
            files[path.parent / file].append(name)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: no index of safetensors ({first_line(error)}) - download it again") from None
    for file in files:
        if file.parent != path.parent or file.suffix != ".safetensors":
            raise UserError(f"{path}: names {file} - an index names .safetensors files beside it: download it again")
        if not file.is_file():
            why = f"is a link to {os.readlink(file)}, which is not there" if file.is_symlink() else "is missing"
            raise UserError(f"{path}: names {file.name}, which {why} - download it too")
    return files
