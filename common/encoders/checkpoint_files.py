"""The files of a checkpoint folder: which of them are the config, the vocabulary and the weights. No TensorFlow.

Of symbolic links those are followed that stay in the folder, or are as in the hub's cache: of a snapshot to its blobs.
"""

import json
import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from common.command_line import UserError

_TREE = (
    "a checkpoint folder holds config.json, vocab.txt or tokenizer.json, and model.safetensors; "
    "or bert_config.json, vocab.txt, and bert_model.ckpt.index with its .data files"
)
_OTHER_WEIGHTS = {".bin", ".h5", ".keras", ".msgpack", ".onnx", ".pdparams", ".pt", ".pth"}
_LONGEST_TEXT = 1_000_000  # bytes of a config
_INDEX = ".safetensors.index.json"


class Files(NamedTuple):
    """configs: what may be the config. vocabulary: vocab.txt, or tokenizer.json. weights: a file of safetensors or the
    index of several; or the prefix of a TensorFlow checkpoint. unread: what is not read, since the others are."""

    configs: list[Path]
    vocabulary: Path
    weights: Path
    is_hub: bool
    unread: str


def files_of(folder: Path) -> Files:
    """Raises UserError that names all that is missing, what is ambiguous, or what cannot be read."""
    try:
        if not folder.is_dir():
            raise UserError(f"--pretrained {folder}: no such folder - {_TREE}")
        _check_links(folder)
    except OSError as error:
        raise UserError(f"--pretrained {folder}: cannot be read ({error.strerror}) - allow it, or copy it") from None
    safetensors, indices = _safetensors(folder), matching(folder, "*.index")
    if not safetensors and not indices:
        _refuse_other_weights(folder)
    config = "config.json" if safetensors else "bert_config.json"
    configs = [path for path in matching(folder, "*.json", config) if not safetensors or path.name == config]
    vocabularies = matching(folder, "*vocab*.txt", "vocab.txt") or matching(folder, "tokenizer.json")
    wanted = {config: configs, "vocab.txt": vocabularies}
    if not safetensors:
        wanted["bert_model.ckpt.index"] = indices
    if missing := [name for name, paths in wanted.items() if not paths]:
        raise UserError(f"--pretrained {folder}: has no {', no '.join(missing)} - {_TREE}")
    if len(vocabularies) > 1:
        raise UserError(
            f"--pretrained {folder}: has several vocabularies ({names_of(vocabularies)}) - leave one of them"
        )
    weights = safetensors[0] if safetensors else _chosen(folder, [index.with_suffix("") for index in indices])
    unread = f"not {names_of(indices)}" if safetensors and indices else ""
    return Files(configs, vocabularies[0], weights, bool(safetensors), unread)


def _safetensors(folder: Path) -> list[Path]:
    """The file of weights, or the index of several; nothing without them."""
    for pattern in ("model.safetensors", f"*{_INDEX}", "*.safetensors"):
        if found := matching(folder, pattern):
            break
    if len(found) > 1:
        raise UserError(
            f"--pretrained {folder}: has several files of weights ({names_of(found)}) and no one model{_INDEX} that says which has what - download that, or leave one of them"
        )
    return found


def _check_links(folder: Path) -> None:
    real = Path(os.path.realpath(folder))
    for path in sorted(folder.iterdir()):
        target = Path(os.path.realpath(path))
        if path.is_symlink() and not path.is_dir() and target.parent not in (real, real.parent.parent / "blobs"):
            raise UserError(f"{path}: is a link to {target}, out of the folder - put the file itself there")


def matching(folder: Path, pattern: str, preferred: str = "") -> list[Path]:
    """The preferred file if it is there, else all that match but hidden ones, such as macOS puts into archives. Raises
    UserError for a link to what is not there."""
    names = [name for name in sorted(os.listdir(folder)) if fnmatchcase(name, pattern) and name[0] != "."]
    found = [folder / name for name in names if (folder / name).is_file() or _dangles(folder / name)]
    found = [path for path in found if path.name == preferred] or found
    for path in filter(_dangles, found):
        raise UserError(f"{path}: is a link to {os.readlink(path)}, which is not there - download it again")
    return found


def _dangles(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def names_of(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _refuse_other_weights(folder: Path) -> None:
    others = [path for path in matching(folder, "*") if path.suffix in _OTHER_WEIGHTS]
    if any(path.suffix == ".bin" for path in others):
        raise UserError(
            f"--pretrained {folder}: has its weights as a pickle ({names_of(others)}), which can run any code when it is read - where transformers is installed, run python -c \"from transformers import AutoModel as A; A.from_pretrained('.').save_pretrained('.', safe_serialization=True)\" in it"
        )
    if others:
        raise UserError(
            f"--pretrained {folder}: has weights as others save them ({names_of(others)}) - take model.safetensors of this model, or its TensorFlow checkpoint: a file NAME.index, and its NAME.data-00000-of-00001"
        )


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
        f"--pretrained {folder}: has several checkpoints ({names_of(prefixes)}) and no file `checkpoint` that names one - leave the .index and .data files of one"
    )


def _text(path: Path, most_bytes: int = _LONGEST_TEXT) -> str:
    with path.open("rb") as file:
        return file.read(most_bytes).decode("utf-8-sig", "replace")


def json_object(path: Path, most_bytes: int = _LONGEST_TEXT) -> dict[str, Any]:
    """What a file says that is a JSON object, without what is null. Raises UserError for others, and for what has more
    bytes."""
    try:
        content = json.loads(_text(path, most_bytes))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error}) - mend it, or download it again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: no JSON object - is it the config of a BERT?")
    return {name: value for name, value in content.items() if value is not None}
