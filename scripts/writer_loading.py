"""What `write_text.py --pretrained` holds of memory while it reads a GPT2_ML: a step of `benchmark.py writer-loading`, in a
process of its own.

    python scripts/writer_loading.py FOLDER

The last line on stdout is a JSON object, as of checkpoint_loading.py.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from checkpoint_loading import measure

_TOKENS, _POSITIONS = 4000, 1024


def network_of(folder: Path) -> Any:
    from common.generation.language_model import LanguageModel

    return LanguageModel.from_checkpoint(folder).transformer().model


def write(folder: Path, form: str, layers: int, hidden_size: int) -> None:
    """A GPT2_ML with random weights, by the authors' names, in one of the FORMATS of checkpoint_loading.py."""
    generator = np.random.default_rng(0)
    tensors = {
        f"newslm/{name}": generator.normal(0, 0.02, shape).astype(np.float32) + name.endswith("gamma")
        for name, shape in _shapes(layers, hidden_size).items()
    }
    config = {
        **{"hidden_size": hidden_size, "num_hidden_layers": layers, "num_attention_heads": 12},
        **{"intermediate_size": 4 * hidden_size, "vocab_size": _TOKENS, "max_position_embeddings": _POSITIONS},
    }
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(0x4E00, 0x4E00 + _TOKENS - 5))]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if form == "safetensors":
        from safetensors.numpy import save_file

        save_file(tensors, folder / "model.safetensors")
    else:
        from common.keras_compat import tf

        names = list(tensors)
        tf.raw_ops.SaveV2(
            prefix=str(folder / "model.ckpt-1"),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=list(tensors.values()),
        )


def _shapes(layers: int, size: int) -> dict[str, tuple[int, ...]]:
    """Of all tensors, by the authors' names."""
    shapes: dict[str, tuple[int, ...]] = {"embeddings/word_embed": (_TOKENS, size)}
    shapes["embeddings/pos_embed"] = _POSITIONS, size
    norms = ["embeddings/LayerNorm_embed_norm"]
    for layer in (f"layer{number:02d}" for number in range(layers)):
        dense = {f"{name}_layer": (size, size) for name in ("query", "key", "value", "context_projection")}
        dense |= {"intermediate": (size, 4 * size), "output": (4 * size, size)}
        for name, shape in dense.items():
            shapes |= {f"{layer}/{name}/kernel": shape, f"{layer}/{name}/bias": shape[1:]}
        norms += [f"{layer}/LayerNorm_mlp_ln0", f"{layer}/LayerNorm_mlp_ln1"]
    return shapes | {f"{norm}/{name}": (size,) for norm in norms for name in ("beta", "gamma")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    print(json.dumps(measure(parser.parse_args().folder, network_of)))
