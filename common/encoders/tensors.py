"""Tensors of a checkpoint, by the names that Google's BERT gave them: names and shapes first, values one at a time.

TensorFlow's checkpoints are read here; `hub_names.HubTensors` reads safetensors under the same names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from common.command_line import UserError

Shapes = Mapping[str, tuple[int, ...]]
#: What some checkpoints come without: the head of the masked language model, and what makes a vector of [CLS].
Part = Literal["head", "pooler"]
_BEGINNINGS = {"head": "cls/predictions/", "pooler": "bert/pooler/"}


def brings(shapes: Shapes, part: Part) -> bool:
    """Whether a checkpoint of these tensors has weights of a part."""
    return any(name.startswith(_BEGINNINGS[part]) for name in shapes)


class Tensors(Protocol):
    """path: what messages name. shapes: of all tensors, by name. bytes: what the values take on the disk."""

    path: Path
    shapes: Shapes
    bytes: int

    def name_in_file(self, name: str) -> str:
        """What the file calls this tensor."""

    def read(self, names: Iterable[str]) -> Iterator[np.ndarray]:
        """The values of these tensors, float32, each read when it is asked for. Raises UserError for what cannot be
        read, or is of integers."""


class TensorFlowTensors:
    """Those of a TensorFlow checkpoint. Raises UserError when it cannot be read.

    prefix: what the names of its files begin with.
    """

    def __init__(self, prefix: Path):
        from common.keras_compat import tf

        text = str(prefix)
        if re.search(r"\[.*\]|\\", text) or text.encode("utf-8", "replace").decode() != text:
            raise UserError(
                f"{prefix}.index: TensorFlow opens no path with [ and ], with a backslash, or that is not UTF-8 - give folder and file other names"
            )
        self.path = prefix
        try:
            self.shapes: Shapes = {name: tuple(shape) for name, shape in tf.train.list_variables(text)}
        except (tf.errors.OpError, LookupError, ValueError) as error:
            raise UserError(f"{prefix}.index: cannot be read ({first_line(error)}) - download it again") from None
        data = [path for path in prefix.parent.iterdir() if path.name.startswith(f"{prefix.name}.data-")]
        self.bytes = sum(path.stat().st_size for path in data)

    def name_in_file(self, name: str) -> str:
        return name

    def read(self, names: Iterable[str]) -> Iterator[np.ndarray]:
        from common.keras_compat import tf

        reader = tf.train.load_checkpoint(str(self.path))
        types = reader.get_variable_to_dtype_map()
        for name in names:
            if not types[name].is_floating:
                raise no_floats(self.path, name, types[name].name)
            try:
                yield reader.get_tensor(name).astype(np.float32, copy=False)
            except (tf.errors.OpError, LookupError, ValueError) as error:
                raise UserError(f"{self.path}: cannot be read ({first_line(error)}) - download it again") from None


def first_line(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)  # an OSError has more to say, but the path is known
    return (text.strip().splitlines() or [type(error).__name__])[0]


def no_floats(path: Path, name: str, kind: str) -> UserError:
    return UserError(f"{path}: {name} is of {kind}, and must be of float32, float16 or bfloat16")
