"""Checkpoints in hub format: the tiny ones of tests/fixtures, and what can be made of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

FIXTURES = Path(__file__).resolve().parent / "fixtures" / "checkpoints"
FAMILIES = sorted(path.name for path in FIXTURES.iterdir())
#: As many as the embeddings have rows.
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(0x4E00, 0x4E00 + 55))]


def copy_checkpoint(name: str, folder: Path) -> Path:
    """A folder as one downloads it."""
    folder.mkdir()
    for file in ("config.json", "model.safetensors"):
        shutil.copyfile(FIXTURES / name / file, folder / file)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
    return folder


def reference(name: str) -> dict[str, np.ndarray]:
    """What transformers computes; see tests/fixtures/make_checkpoints.py."""
    with np.load(FIXTURES / name / "reference.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def read_tensors(folder: Path) -> dict[str, np.ndarray]:
    import ml_dtypes  # noqa: F401 - teaches numpy bfloat16
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def write_tensors(folder: Path, tensors: dict[str, np.ndarray], name: str = "model.safetensors") -> None:
    from safetensors.numpy import save_file

    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, folder / name)


def change_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
