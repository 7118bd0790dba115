"""A checkpoint of the BERT family: which files of a folder it consists of, what they say, and whether they agree.

Folders differ: bert_config.json or discriminator.json, bert_model.ckpt or electra_180g_base, configs with the keys of a
hub or without those that the weights show. What has one meaning is taken, and told; all else is refused in one line.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from common.command_line import UserError
from common.encoders.bert_config import checked_config, weight_count
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.vocabulary import is_lower_case
from common.tokenizers.wordpiece import PAD

_TREE = "a checkpoint folder holds bert_config.json, vocab.txt and bert_model.ckpt.index with its .data files"
_OTHER_WEIGHTS = {".bin", ".h5", ".keras", ".msgpack", ".onnx", ".pdparams", ".pt", ".pth", ".safetensors"}
_LONGEST_TEXT = 1_000_000  # bytes of a config

Shapes = Mapping[str, tuple[int, ...]]


class Checkpoint(NamedTuple):
    """prefix: what the names of the files with the weights begin with. model: one of MODELS. config: a
    `checked_config`. tokenizer: its tokens may be fewer than the config says; the last rows of the embeddings are then
    without use."""

    prefix: Path
    model: str
    config: dict[str, Any]
    tokenizer: WordPieceTokenizer


def read_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, all but its weights; prints what it is. Raises UserError when files are missing,
    ambiguous or damaged, or do not belong together."""
    configs, vocabularies, prefixes = _files_of(folder)
    prefix = _chosen(folder, prefixes)
    shapes = variable_shapes(prefix)
    sizes = _sizes_of(shapes)
    _check_architecture(prefix, shapes, sizes)
    path, given = _config_that_fits(folder, configs, sizes)
    model = _model_of(shapes, sizes, given)
    # A config may be silent about what the weights show, and some are wrong about the width of the embeddings.
    config = checked_config({**sizes, **given, "embedding_size": sizes["embedding_size"]}, path, model)
    for name in _differing(config, sizes):
        # The lower layers of a deeper network are a network.
        if name != "num_hidden_layers" or config[name] > sizes[name]:
            raise UserError(
                f"--pretrained {folder}: the checkpoint does not fit its {path.name} ({name} is {config[name]} there and {sizes[name]} in the weights) - take both from one checkpoint"
            )
    size = sum(path.stat().st_size for path in folder.iterdir() if path.name.startswith(f"{prefix.name}.data-"))
    if size < 2 * weight_count(config, model):  # 16 bits are the least
        raise UserError(f"{prefix}: its .data files are missing or cut off - download them again")
    tokenizer = _tokenizer_of(folder, vocabularies[0], given, config["vocab_size"])
    files = _names([path, vocabularies[0], prefix])
    print(f"weights   {_described(model, config, sizes, tokenizer)}  ({folder}: {files})")
    return Checkpoint(prefix, model, config, tokenizer)


def _described(model: str, config: dict[str, Any], sizes: dict[str, int], tokenizer: WordPieceTokenizer) -> str:
    layers, tokens, rows = config["num_hidden_layers"], len(tokenizer), config["vocab_size"]
    case = "lower-cased" if tokenizer.lowercase else "cased"
    said = [model, f"{layers} layers of {config['hidden_size']}", f"{tokens} tokens", case]
    if layers < sizes.get("num_hidden_layers", layers):
        said.append(f"the lower ones of {sizes['num_hidden_layers']} layers")
    if tokens < rows:
        said.append(f"{rows - tokens} x a row without a token")
    if twice := tokens - len(tokenizer.ids):
        said.append(f"{twice} x a token that stands twice, of which the later counts")
    return ", ".join(said)


# Files


def _files_of(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """What may be the config; the vocabulary; the prefixes of weights. Raises UserError that names all that is
    missing."""
    if not folder.is_dir():
        raise UserError(f"--pretrained {folder}: no such folder - {_TREE}")
    configs, indices = _matching(folder, "*.json", "bert_config.json"), _matching(folder, "*.index")
    vocabularies = _matching(folder, "*vocab*.txt", "vocab.txt")
    others = [path for path in _matching(folder, "*") if path.suffix in _OTHER_WEIGHTS]
    if others and not indices:
        raise UserError(
            f"--pretrained {folder}: has weights as others than TensorFlow save them ({_names(others)}) - take the TensorFlow checkpoint of this model: a file NAME.index, and its NAME.data-00000-of-00001"
        )
    wanted = {"bert_config.json": configs, "vocab.txt": vocabularies, "bert_model.ckpt.index": indices}
    if missing := [name for name, paths in wanted.items() if not paths]:
        raise UserError(f"--pretrained {folder}: has no {', no '.join(missing)} - {_TREE}")
    if len(vocabularies) > 1:
        raise UserError(f"--pretrained {folder}: has several vocabularies ({_names(vocabularies)}) - leave one of them")
    return configs, vocabularies, [index.with_suffix("") for index in indices]


def _matching(folder: Path, pattern: str, preferred: str = "") -> list[Path]:
    """The preferred file if it is there, else all that match but hidden ones, such as macOS puts into archives."""
    paths = sorted(path for path in folder.glob(pattern) if path.is_file() and path.name[0] != ".")
    return [path for path in paths if path.name == preferred] or paths


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _chosen(folder: Path, prefixes: list[Path]) -> Path:
    """The one that TensorFlow's file `checkpoint` names, in whatever folder it was written, or else bert_model.ckpt."""
    if len(prefixes) == 1:
        return prefixes[0]
    names = ["bert_model.ckpt"]
    if (folder / "checkpoint").is_file():
        told = re.search(r'^model_checkpoint_path: *"(.*)"', _text(folder / "checkpoint"), re.MULTILINE)
        names = [*re.findall(r"[^/\\]+$", told[1] if told else ""), *names]
    for name in names:
        if folder / name in prefixes:
            return folder / name
    raise UserError(
        f"--pretrained {folder}: has several checkpoints ({_names(prefixes)}) and no file `checkpoint` that names one - leave the .index and .data files of one"
    )


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST_TEXT).decode("utf-8-sig", "replace")


def _json_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error}) - mend it, or download it again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: no JSON object - is it the config of a BERT?")
    return {name: value for name, value in content.items() if value is not None}


def _config_that_fits(folder: Path, paths: list[Path], sizes: dict[str, int]) -> tuple[Path, dict[str, Any]]:
    """A config, and what it says: of several, such as those of the two halves of an ELECTRA, the one of these
    weights."""
    if len(paths) == 1:
        return paths[0], _json_object(paths[0])
    fitting = []
    for path in paths:
        try:
            config = _json_object(path)
        except UserError:  # nor is each of them a config
            continue
        if "hidden_size" in config and not _differing(config, sizes):
            fitting.append((path, config))
    if len(fitting) != 1:
        raise UserError(
            f"--pretrained {folder}: {len(fitting) or 'none'} of {_names(paths)} fit the weights - give the one that belongs to them the name bert_config.json"
        )
    return fitting[0]


def _differing(config: dict[str, Any], sizes: dict[str, int]) -> list[str]:
    """Sizes that a config and the weights tell differently."""
    return [name for name, value in sizes.items() if name != "embedding_size" and config.get(name, value) != value]


def _tokenizer_of(folder: Path, path: Path, config: dict[str, Any], rows: int) -> WordPieceTokenizer:
    try:
        tokenizer = WordPieceTokenizer.from_file(path)
    except ValueError as error:
        raise UserError(f"{error} - take the vocabulary that belongs to this checkpoint") from None
    if len(tokenizer) > rows:
        raise UserError(
            f"{path}: has {len(tokenizer)} tokens, but the weights are for {rows} - they belong to different checkpoints"
        )
    if tokenizer.vocabulary[0] != PAD:
        raise UserError(f"{path}:1: must be {PAD}, since token 0 is padding here - take another checkpoint")
    settings = folder / "tokenizer_config.json"
    told = (_json_object(settings) if settings.is_file() else config).get("do_lower_case")
    lowercase = is_lower_case(tokenizer.vocabulary, told)
    return tokenizer if lowercase else WordPieceTokenizer(tokenizer.vocabulary, lowercase)


# Weights


def variable_shapes(prefix: Path) -> Shapes:
    """The variables of a TensorFlow checkpoint. Raises UserError when it cannot be read."""
    from common.keras_compat import tf

    text = str(prefix)
    if re.search(r"\[.*\]|\\", text) or text.encode("utf-8", "replace").decode() != text:
        raise UserError(
            f"{prefix}.index: TensorFlow opens no path with [ and ], with a backslash, or that is not UTF-8 - give folder and file other names"
        )
    try:
        return {name: tuple(shape) for name, shape in tf.train.list_variables(text)}
    except (tf.errors.OpError, LookupError, ValueError) as error:
        raise UserError(f"{prefix}.index: cannot be read ({first_line(error)}) - download it again") from None


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _sizes_of(shapes: Shapes) -> dict[str, int]:
    """The sizes of a config that the weights show."""
    root = "electra" if any(name.startswith("electra/") for name in shapes) else "bert"
    layer, shared = f"{root}/encoder/layer_0", "bert/encoder/transformer/group_0/inner_group_0"
    sizes = {}
    for size, name, axis in (
        ("vocab_size", f"{root}/embeddings/word_embeddings", 0),
        ("embedding_size", f"{root}/embeddings/word_embeddings", 1),
        ("max_position_embeddings", f"{root}/embeddings/position_embeddings", 0),
        ("type_vocab_size", f"{root}/embeddings/token_type_embeddings", 0),
        ("hidden_size", f"{layer}/attention/self/query/kernel", 0),
        ("hidden_size", f"{shared}/attention_1/self/query/kernel", 0),
        ("intermediate_size", f"{layer}/intermediate/dense/kernel", 1),
        ("intermediate_size", f"{shared}/ffn_1/intermediate/dense/kernel", 1),
    ):
        if axis < len(shapes.get(name, ())):
            sizes[size] = shapes[name][axis]
    if layers := {match[0] for match in map(re.compile(rf"{root}/encoder/layer_\d+/").match, shapes) if match}:
        sizes["num_hidden_layers"] = len(layers)
    return sizes


def _check_architecture(prefix: Path, shapes: Shapes, sizes: dict[str, int]) -> None:
    for pattern, problem in (
        (r"\.ATTRIBUTES/VARIABLE_VALUE$", "was saved by Keras, under names that do not say what is what"),
        (r"/layer_shared/", "is an ALBERT from before Google's, which is built otherwise"),
        (r"/transformer/group_[1-9]|/inner_group_[1-9]", "is an ALBERT of several layers in place of one"),
    ):
        if any(re.search(pattern, name) for name in shapes):
            raise UserError(f"{prefix}.index: {problem} - take another checkpoint of this model")
    if not {"embedding_size", "hidden_size"} <= set(sizes):
        raise UserError(
            f"{prefix}.index: has no layers of BERT, ALBERT, ELECTRA, NEZHA or RoFormer - take a checkpoint of one of those"
        )


def _model_of(shapes: Shapes, sizes: dict[str, int], config: dict[str, Any]) -> str:
    """The architecture, told from the variables: a config seldom says."""
    if any(name.startswith("electra/") for name in shapes):
        return "electra"
    if any("/transformer/group_0/" in name for name in shapes):
        return "albert"
    if "max_position_embeddings" in sizes:
        return "bert"
    if config.get("use_relative_position") or config.get("model_type") == "nezha":
        return "nezha"
    # RoFormer turns queries and keys instead of adding positions; its second version has no biases.
    return "roformer" if any(name.endswith("self/query/bias") for name in shapes) else "roformer_v2"
