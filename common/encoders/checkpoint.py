"""A checkpoint of the BERT family: what the files of a folder say, and whether they agree.

Folders differ: hub format or TensorFlow's, bert_config.json or discriminator.json, configs with the keys of a hub or
without those that the weights show. What has one meaning is taken, and told; all else is refused in one line.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from common.command_line import UserError
from common.encoders.bert_config import checked_config, weight_count
from common.encoders.checkpoint_files import Files, files_of, json_object, names_of
from common.encoders.checkpoint_tokenizer import tokenizer_of
from common.encoders.hub_config import hub_config
from common.encoders.hub_names import HubTensors
from common.encoders.safe_tensors import SafeTensors
from common.encoders.tensors import Part, Shapes, TensorFlowTensors, Tensors, brings
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.normalization import is_isolated


class Checkpoint(NamedTuple):
    """model: one of MODELS. config: a `checked_config`. tokenizer: its tokens may be fewer than the config says; the
    last rows of the embeddings are then without use."""

    tensors: Tensors
    model: str
    config: dict[str, Any]
    tokenizer: WordPieceTokenizer


class _Found(NamedTuple):
    """Tensors, the sizes that they show, and the config that they came with, as it stands in its file."""

    tensors: Tensors
    sizes: dict[str, int]
    path: Path
    given: dict[str, Any]
    model: str


def read_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, all but the values of its weights; prints what it is. Raises UserError when files are
    missing, ambiguous or damaged, or do not belong together."""
    files = files_of(folder)
    tensors, sizes, path, given, model = _of_hub(files) if files.is_hub else _of_tensorflow(folder, files)
    # A config may be silent about what the weights show, and some are wrong about the width of the embeddings.
    config = checked_config({**sizes, **given, "embedding_size": sizes["embedding_size"]}, path, model)
    for name in _differing(config, sizes):
        # The lower layers of a deeper network are a network.
        if name != "num_hidden_layers" or config[name] > sizes[name]:
            raise UserError(
                f"--pretrained {folder}: the checkpoint does not fit its {path.name} ({name} is {config[name]} there and {sizes[name]} in the weights) - take both from one checkpoint"
            )
    if tensors.bytes < 2 * weight_count(config, model):  # 16 bits are the least
        raise UserError(
            f"{tensors.path}: its files are missing or cut off, or its config is of a larger network - download them again"
        )
    tokenizer = tokenizer_of(folder, files.vocabulary, given, config["vocab_size"])
    read = ", ".join(filter(None, [names_of([path, files.vocabulary, tensors.path]), files.unread]))
    print(f"weights   {_described(model, config, sizes, tokenizer, tensors.shapes)}  ({folder}: {read})")
    return Checkpoint(tensors, model, config, tokenizer)


def _of_hub(files: Files) -> _Found:
    [path] = files.configs
    config = hub_config(json_object(path), path)
    tensors = HubTensors(SafeTensors(files.weights), config.model, config.with_task, config.with_head)
    return _Found(tensors, _checked_sizes(tensors), path, config.settings, config.model)


def _of_tensorflow(folder: Path, files: Files) -> _Found:
    tensors = TensorFlowTensors(files.weights)
    sizes = _checked_sizes(tensors)
    path, given = _config_that_fits(folder, files.configs, sizes)
    return _Found(tensors, sizes, path, given, _model_of(tensors.shapes, sizes, given))


def _described(
    model: str, config: dict[str, Any], sizes: dict[str, int], tokenizer: WordPieceTokenizer, shapes: Shapes
) -> str:
    layers, tokens, rows = config["num_hidden_layers"], len(tokenizer), config["vocab_size"]
    case = "lower-cased" if tokenizer.lowercase else "cased"
    said = [model, f"{layers} layers of {config['hidden_size']}", f"{tokens} tokens", case]
    if layers < sizes.get("num_hidden_layers", layers):
        said.append(f"the lower ones of {sizes['num_hidden_layers']} layers")
    if tokens < rows:
        said.append(f"{rows - tokens} x a row without a token")
    if twice := tokens - len(tokenizer.ids):
        said.append(f"{twice} x a token that stands twice, of which the later counts")
    if words := _words(tokenizer):
        said.append(f"{words} x a word of several ideographs, which text is not cut into here")
    parts: dict[str, Part] = {"no pooler": "pooler", "no head of a masked language model": "head"}
    if model not in ("electra", "roformer_v2"):  # which have none with weights
        said += [words for words, part in parts.items() if not brings(shapes, part)]
    return ", ".join(said)


def _words(tokenizer: WordPieceTokenizer) -> int:
    """Tokens that no text has since each ideograph is a token: those of RoFormers that were trained with jieba."""
    if not tokenizer.tokenize_chinese_chars:
        return 0
    return sum(sum(map(str.isalpha, filter(is_isolated, token))) > 1 for token in tokenizer.vocabulary)


# Configs


def _config_that_fits(folder: Path, paths: list[Path], sizes: dict[str, int]) -> tuple[Path, dict[str, Any]]:
    """A config, and what it says: of several, such as those of the two halves of an ELECTRA, the one of these
    weights."""
    if len(paths) == 1:
        return paths[0], json_object(paths[0])
    fitting = []
    for path in paths:
        try:
            config = json_object(path)
        except UserError:  # nor is each of them a config
            continue
        if "hidden_size" in config and not _differing(config, sizes):
            fitting.append((path, config))
    if len(fitting) != 1:
        raise UserError(
            f"--pretrained {folder}: {len(fitting) or 'none'} of {names_of(paths)} fit the weights - give the one that belongs to them the name bert_config.json"
        )
    return fitting[0]


def _differing(config: dict[str, Any], sizes: dict[str, int]) -> list[str]:
    """Sizes that a config and the weights tell differently."""
    return [name for name, value in sizes.items() if name != "embedding_size" and config.get(name, value) != value]


# Weights


def _checked_sizes(tensors: Tensors) -> dict[str, int]:
    """Raises UserError for weights of another architecture."""
    shapes, sizes = tensors.shapes, _sizes_of(tensors.shapes)
    for pattern, problem in (
        (r"\.ATTRIBUTES/VARIABLE_VALUE$", "was saved by Keras, under names that do not say what is what"),
        (r"/layer_shared/", "is an ALBERT from before Google's, which is built otherwise"),
        (r"/transformer/group_[1-9]|/inner_group_[1-9]", "is an ALBERT of several layers in place of one"),
    ):
        if any(re.search(pattern, name) for name in shapes):
            raise UserError(f"{tensors.path}: {problem} - take another checkpoint of this model")
    if not {"embedding_size", "hidden_size"} <= set(sizes):
        raise UserError(
            f"{tensors.path}: has no layers of BERT, ALBERT, ELECTRA, NEZHA or RoFormer - take a checkpoint of one of those"
        )
    if sizes["embedding_size"] == sizes["hidden_size"] and "bert/encoder/embedding_hidden_mapping_in/kernel" in shapes:
        raise UserError(
            f"{tensors.path}: maps embeddings to states of the same size, which is not built here - take another checkpoint"
        )
    return sizes


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


def _model_of(shapes: Shapes, sizes: dict[str, int], config: dict[str, Any]) -> str:
    """The architecture, told from the variables: a config seldom says."""
    if any(name.startswith("electra/") for name in shapes):
        return "electra"
    if any("/transformer/group_0/" in name for name in shapes):
        return "albert"
    if "max_position_embeddings" in sizes:
        return "bert"
    if config.get("use_relative_position") or config.get("model_type") == "nezha" or "max_relative_position" in config:
        return "nezha"
    # RoFormer turns queries and keys instead of adding positions; its second version has no biases.
    return "roformer" if any(name.endswith("self/query/bias") for name in shapes) else "roformer_v2"
