"""A checkpoint of a GPT2_ML: what the files of a folder say, and whether they agree."""

from pathlib import Path
from typing import Any, NamedTuple

from common.command_line import UserError
from common.encoders.bert_config import weight_count
from common.encoders.checkpoint_files import Files, files_of, json_object, names_of
from common.encoders.checkpoint_tokenizer import tokenizer_of
from common.encoders.safe_tensors import SafeTensors
from common.encoders.tensors import TensorFlowTensors, Tensors
from common.generation.config import MODEL, WANTED, language_model_config, sizes_of
from common.generation.hub_tensors import HubTensors
from common.tokenizers import WordPieceTokenizer


class Checkpoint(NamedTuple):
    """config: see `language_model_config`. tokenizer: its tokens may be fewer than the config says; the last rows of
    the embeddings are then without use."""

    tensors: Tensors
    config: dict[str, Any]
    tokenizer: WordPieceTokenizer


def read_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, all but the values of its weights; prints what it is. Raises UserError when files are
    missing, ambiguous or damaged, do not belong together, or are of another network."""
    files = files_of(folder)
    tensors = HubTensors(SafeTensors(files.weights)) if files.is_hub else TensorFlowTensors(files.weights)
    sizes = sizes_of(tensors.shapes)
    if "hidden_size" not in sizes:
        raise UserError(f"{tensors.path}: has no layers of a GPT2_ML - {WANTED}")
    path = _config_of(folder, files)
    given = json_object(path)
    config = language_model_config(given, sizes, path)
    if tensors.bytes < 2 * weight_count(config, MODEL):  # 16 bits are the least
        raise UserError(f"{tensors.path}: its files are missing or cut off - download them again")
    tokenizer = tokenizer_of(folder, files.vocabulary, given, config["vocab_size"])
    read = names_of([path, files.vocabulary, tensors.path])
    print(
        f"weights   {MODEL}, {config['num_hidden_layers']} layers of {config['hidden_size']}, {len(tokenizer)} tokens  ({folder}: {read})"
    )
    return Checkpoint(tensors, config, tokenizer)


def _config_of(folder: Path, files: Files) -> Path:
    """The config; config.json where there are several."""
    found = [path for path in files.configs if path.name == "config.json"] or files.configs
    if len(found) > 1:
        raise UserError(
            f"--pretrained {folder}: has several configs ({names_of(found)}) - give the one that belongs to the weights the name config.json"
        )
    return found[0]
