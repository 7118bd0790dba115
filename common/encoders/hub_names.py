"""What the hub calls the weights of a BERT, and what Google's checkpoints and so bert4keras call them: a table a family.

In a name `#` stands for the number of a layer. The hub keeps the matrix of a dense layer as (out, in), Google as
(in, out).
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from common.command_line import UserError
from common.encoders.safe_tensors import SafeTensors
from common.encoders.tensors import Shapes

# Parameters of a module: what the hub calls each, what Google does, and whether it is transposed. Old programs that
# converted a checkpoint left norms Google's names.
_TABLE = {"weight": ("", False)}
_DENSE = {"weight": ("/kernel", True), "bias": ("/bias", False)}
_NORM = {name: ("/gamma", False) for name in ("weight", "gamma")} | {
    name: ("/beta", False) for name in ("bias", "beta")
}
_BIAS = {"bias": ("", False)}

_Table = dict[str, tuple[str, dict[str, tuple[str, bool]]]]

_EMBEDDINGS: _Table = {
    "embeddings.word_embeddings": ("bert/embeddings/word_embeddings", _TABLE),
    "embeddings.token_type_embeddings": ("bert/embeddings/token_type_embeddings", _TABLE),
    "embeddings.LayerNorm": ("bert/embeddings/LayerNorm", _NORM),
}
_POSITIONS: _Table = {"embeddings.position_embeddings": ("bert/embeddings/position_embeddings", _TABLE)}
_LAYERS: _Table = {
    "encoder.layer.#.attention.self.query": ("bert/encoder/layer_#/attention/self/query", _DENSE),
    "encoder.layer.#.attention.self.key": ("bert/encoder/layer_#/attention/self/key", _DENSE),
    "encoder.layer.#.attention.self.value": ("bert/encoder/layer_#/attention/self/value", _DENSE),
    "encoder.layer.#.attention.output.dense": ("bert/encoder/layer_#/attention/output/dense", _DENSE),
    "encoder.layer.#.attention.output.LayerNorm": ("bert/encoder/layer_#/attention/output/LayerNorm", _NORM),
    "encoder.layer.#.intermediate.dense": ("bert/encoder/layer_#/intermediate/dense", _DENSE),
    "encoder.layer.#.output.dense": ("bert/encoder/layer_#/output/dense", _DENSE),
    "encoder.layer.#.output.LayerNorm": ("bert/encoder/layer_#/output/LayerNorm", _NORM),
}
_GROUP, _SHARED = "encoder.albert_layer_groups.#.albert_layers.#", "bert/encoder/transformer/group_#/inner_group_#"
_ALBERT_LAYERS: _Table = {
    "encoder.embedding_hidden_mapping_in": ("bert/encoder/embedding_hidden_mapping_in", _DENSE),
    f"{_GROUP}.attention.query": (f"{_SHARED}/attention_1/self/query", _DENSE),
    f"{_GROUP}.attention.key": (f"{_SHARED}/attention_1/self/key", _DENSE),
    f"{_GROUP}.attention.value": (f"{_SHARED}/attention_1/self/value", _DENSE),
    f"{_GROUP}.attention.dense": (f"{_SHARED}/attention_1/output/dense", _DENSE),
    f"{_GROUP}.attention.LayerNorm": (f"{_SHARED}/LayerNorm", _NORM),
    f"{_GROUP}.ffn": (f"{_SHARED}/ffn_1/intermediate/dense", _DENSE),
    f"{_GROUP}.ffn_output": (f"{_SHARED}/ffn_1/intermediate/output/dense", _DENSE),
    f"{_GROUP}.full_layer_layer_norm": (f"{_SHARED}/LayerNorm_1", _NORM),
}
# A network can do without these. The bias of the logits has two names, and is one.
_HEADS: _Table = {
    "pooler.dense": ("bert/pooler/dense", _DENSE),
    "cls.predictions.transform.dense": ("cls/predictions/transform/dense", _DENSE),
    "cls.predictions.transform.LayerNorm": ("cls/predictions/transform/LayerNorm", _NORM),
    "cls.predictions": ("cls/predictions/output_bias", _BIAS),
    "cls.predictions.decoder": ("cls/predictions/output_bias", _BIAS),
}
_ALBERT_HEADS: _Table = {
    "pooler": ("bert/pooler/dense", _DENSE),
    "predictions.dense": ("cls/predictions/transform/dense", _DENSE),
    "predictions.LayerNorm": ("cls/predictions/transform/LayerNorm", _NORM),
    "predictions": ("cls/predictions/output_bias", _BIAS),
    "predictions.decoder": ("cls/predictions/output_bias", _BIAS),
}
_PROJECTION: _Table = {"embeddings_project": ("bert/encoder/embedding_hidden_mapping_in", _DENSE)}
_ELECTRA_PROJECTION: _Table = {"embeddings_project": ("electra/embeddings_project", _DENSE)}

_BERT = _EMBEDDINGS | _POSITIONS | _LAYERS
_ELECTRA = {module: (name.replace("bert/", "electra/"), kind) for module, (name, kind) in _BERT.items()}
# It has no biases, and norms without weights.
_ROFORMER_V2 = {
    module: (name, {"weight": kind["weight"]})
    for module, (name, kind) in (_EMBEDDINGS | _LAYERS).items()
    if kind is not _NORM
}

#: By bert4keras' name of an architecture, what its network consists of, and what may come with it.
FAMILIES: dict[str, tuple[_Table, _Table]] = {
    "albert": (_EMBEDDINGS | _POSITIONS | _ALBERT_LAYERS, _ALBERT_HEADS),
    "bert": (_BERT, _HEADS),
    "electra": (_ELECTRA, _ELECTRA_PROJECTION),
    "nezha": (_EMBEDDINGS | _LAYERS, _HEADS),
    "roformer": (_EMBEDDINGS | _LAYERS, _HEADS | _PROJECTION),
    "roformer_v2": (_ROFORMER_V2, {}),
}
# Tensors of the hub's that are no weights: they count, or are computed from sizes.
_CONSTANTS = (
    "embeddings.position_ids",
    "embeddings.token_type_ids",
    "encoder.embed_positions.weight",
    "encoder.layer.#.attention.self.relative_positions_encoding.positions_encoding",
)
_WORDS, _TASKS = "embeddings.word_embeddings.weight", "embeddings.task_type_embeddings.weight"
_SEGMENTS = "bert/embeddings/token_type_embeddings"
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


class _Source(NamedTuple):
    """name: of a tensor, as the hub calls it."""

    name: str
    transposed: bool


class HubTensors:
    """`Tensors` of safetensors under Google's names. Raises UserError where the network lacks some that its family has,
    or has some that its family lacks.

    family: one of FAMILIES. with_task: add ERNIE's embedding of task 0, which every token has, to those of the
    segments. with_head: whether the head of a masked language model, if there is one, has the embeddings as its matrix;
    else it is left out.
    """

    def __init__(self, tensors: SafeTensors, family: str, with_task: bool = False, with_head: bool = True):
        self.path, self.bytes, self._tensors = tensors.path, tensors.bytes, tensors
        prefix = _prefix(tensors)
        self._sources = _sources(tensors, prefix, family, {prefix + _TASKS} if with_task else set())
        if not with_head:
            self._sources = {
                name: source for name, source in self._sources.items() if not name.startswith("cls/predictions/")
            }
        self.shapes: Shapes = {
            name: tensors.shapes[source][::-1] if transposed else tensors.shapes[source]
            for name, (source, transposed) in self._sources.items()
        }
        self._tasks = prefix + _TASKS if with_task else None
        if with_task:
            tasks, segments = tensors.shapes.get(self._tasks, ()), self.shapes[_SEGMENTS]
            if tasks[1:] != segments[1:] or 0 in tasks:
                raise UserError(
                    f"{self.path}: {self._tasks} is {tasks or 'missing'}, and must be as wide as the embeddings of segments, {segments}"
                )

    def name_in_file(self, name: str) -> str:
        return self._sources[name].name if name in self._sources else name

    def read(self, names: Iterable[str]) -> Iterator[np.ndarray]:
        for name in names:
            source, transposed = self._sources[name]
            values = self._tensors.read(source)
            if name == _SEGMENTS and self._tasks:
                values = values + self._tensors.read(self._tasks)[0]
            yield values.T if transposed else values


def _prefix(tensors: SafeTensors) -> str:
    """What stands before the names of the network: `bert.`, or that of another model, or nothing."""
    prefixes = [name.removesuffix(_WORDS) for name in tensors.shapes if name.endswith(_WORDS)]
    if len(prefixes) != 1:
        raise UserError(
            f"{tensors.path}: has {len(prefixes) or 'no'} tensors of the name {_WORDS}, and a BERT has one - take another checkpoint"
        )
    return prefixes[0]


def _sources(tensors: SafeTensors, prefix: str, family: str, others: set[str]) -> dict[str, _Source]:
    """Google's name -> tensor of the hub. `others` are known too."""
    network, heads = FAMILIES[family]
    parameters = {
        f"{module}.{parameter}": (google + ending, transposed)
        for module, (google, kind) in (network | heads).items()
        for parameter, (ending, transposed) in kind.items()
    }
    found, unknown, places = {}, [], {()}
    for name in sorted(tensors.shapes):
        inner = name.removeprefix(prefix)
        pattern, numbers = _NUMBER.sub("#", inner), tuple(_NUMBER.findall(inner))
        if pattern in parameters:
            google, transposed = parameters[pattern]
            found.setdefault(_numbered(google, numbers), _Source(name, transposed))
            places.add(numbers)
        elif (
            name.startswith((f"{prefix}embeddings.", f"{prefix}encoder."))
            and pattern not in _CONSTANTS
            and name not in others
        ):
            unknown.append(name)
    if unknown:
        raise UserError(
            f"{tensors.path}: {unknown[0]}{_more(unknown)} belong to no {family} - take a checkpoint of what its config.json tells"
        )
    needed = _needed(network, places) if any(places) else {"": "layers"}
    missing = [prefix + name for google, name in needed.items() if google not in found]
    if missing:
        raise UserError(
            f"{tensors.path}: has no {missing[0]}{_more(missing)}, which a {family} has - take another checkpoint"
        )
    return found


def _needed(network: _Table, places: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Google's name -> the hub's, without prefix, of all tensors of a network. places: the numbers of its layers, and
    no number."""
    return {
        _numbered(google, numbers) + ending: f"{_numbered(module, numbers)}.{parameter}"
        for numbers in sorted(places)
        for module, (google, kind) in network.items()
        if len(numbers) == module.count("#")
        for parameter, (ending, _) in reversed(kind.items())  # of two names of one the first stays
    }


def _numbered(pattern: str, numbers: tuple[str, ...]) -> str:
    """The pattern with these numbers in the places of its `#`."""
    for number in numbers:
        pattern = pattern.replace("#", number, 1)
    return pattern


def _more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
