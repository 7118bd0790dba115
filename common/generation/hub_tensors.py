"""The weights of a GPT2_ML in safetensors, under the names of the authors' checkpoint, by which bert4keras loads them.

What was converted has the names of a GPT-2 (`h.0.attn.c_attn.weight`), with one normalisation more, `emb_norm`, and none
at the end: its two of a layer stand elsewhere than those of a GPT-2, which cannot be built from such weights. Others
keep the authors' names, with / or with dots between their parts.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from common.command_line import UserError
from common.encoders.safe_tensors import SafeTensors
from common.encoders.tensors import Shapes
from common.generation.config import WANTED

_OWN = "newslm/"
_EMBEDDINGS = {
    "wte.weight": "word_embed",
    "wpe.weight": "pos_embed",
    "emb_norm.weight": "LayerNorm_embed_norm/gamma",
    "emb_norm.bias": "LayerNorm_embed_norm/beta",
}
_OF_LAYER = {
    "attn.c_proj.weight": "context_projection_layer/kernel",
    "attn.c_proj.bias": "context_projection_layer/bias",
    "ln_1.weight": "LayerNorm_mlp_ln0/gamma",
    "ln_1.bias": "LayerNorm_mlp_ln0/beta",
    "mlp.c_fc.weight": "intermediate/kernel",
    "mlp.c_fc.bias": "intermediate/bias",
    "mlp.c_proj.weight": "output/kernel",
    "mlp.c_proj.bias": "output/bias",
    "ln_2.weight": "LayerNorm_mlp_ln1/gamma",
    "ln_2.bias": "LayerNorm_mlp_ln1/beta",
}
# One tensor holds those of queries, keys and values, side by side.
_JOINED = {"attn.c_attn.weight": "kernel", "attn.c_attn.bias": "bias"}
_THREE = ("query_layer", "key_layer", "value_layer")
# What is no weight, or is one once more: the logits have the table of the embeddings.
_OTHERS = re.compile(r"h\.\d+\.attn\.(?:masked_)?bias|lm_head\.weight")
_LAYER = re.compile(r"h\.(\d+)\.(.+)")


class _Source(NamedTuple):
    """name: of a tensor in the file. part: which third of its last axis; None for all of it."""

    name: str
    part: int | None = None


class HubTensors:
    """`Tensors` of safetensors under the authors' names. Raises UserError where they are of another network."""

    def __init__(self, tensors: SafeTensors):
        self.path, self.bytes, self._tensors = tensors.path, tensors.bytes, tensors
        own = {name.replace(".", "/"): _Source(name) for name in tensors.shapes if name.startswith(_OWN[:-1])}
        self._sources = own or dict(_sources(tensors))
        self.shapes: Shapes = {name: self._shape(source) for name, source in self._sources.items()}

    def name_in_file(self, name: str) -> str:
        return self._sources[name].name if name in self._sources else name

    def read(self, names: Iterable[str]) -> Iterator[np.ndarray]:
        for name in names:
            source = self._sources[name]
            size = self.shapes[name][-1]
            columns = slice(None) if source.part is None else slice(source.part * size, (source.part + 1) * size)
            yield self._tensors.read(source.name, columns)

    def _shape(self, source: _Source) -> tuple[int, ...]:
        *rows, columns = self._tensors.shapes[source.name] or (0,)
        return *rows, columns if source.part is None else columns // len(_THREE)


def _sources(tensors: SafeTensors) -> Iterator[tuple[str, _Source]]:
    """The authors' name of each tensor, or of each of the three in one, and where it is."""
    prefix = "transformer." if any(name.startswith("transformer.") for name in tensors.shapes) else ""
    if f"{prefix}emb_norm.weight" not in tensors.shapes:
        kind = "a GPT-2" if f"{prefix}wte.weight" in tensors.shapes else "no GPT2_ML"
        raise UserError(f"{tensors.path}: is {kind}, without emb_norm, which normalises the embeddings - {WANTED}")
    for name in tensors.shapes:
        inner = name.removeprefix(prefix)
        layer = _LAYER.fullmatch(inner)
        if inner in _EMBEDDINGS:
            yield f"{_OWN}embeddings/{_EMBEDDINGS[inner]}", _Source(name)
        elif layer and layer[2] in _OF_LAYER:
            yield f"{_OWN}layer{int(layer[1]):02d}/{_OF_LAYER[layer[2]]}", _Source(name)
        elif layer and layer[2] in _JOINED:
            for part, module in enumerate(_THREE):
                yield f"{_OWN}layer{int(layer[1]):02d}/{module}/{_JOINED[layer[2]]}", _Source(name, part)
        elif not _OTHERS.fullmatch(inner):
            raise UserError(f"{tensors.path}: has {name}, which is part of no GPT2_ML - {WANTED}")
