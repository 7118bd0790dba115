"""A BERT checkpoint of a few kilobytes, with random weights."""

import json
from pathlib import Path

import numpy as np

from common.keras_compat import tf

TINY_BERT = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "vocab_size": 7,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
}


def write_checkpoint(folder: Path, size: int = 8) -> Path:
    """The weights fit the config when `size` is 8."""
    layer = "encoder/layer_0"
    dense = {f"attention/self/{name}": (size, size) for name in ("query", "key", "value")}
    dense |= {"attention/output/dense": (size, size), "intermediate/dense": (size, 12), "output/dense": (12, size)}
    shapes = {
        f"embeddings/{name}_embeddings": (rows, size)
        for name, rows in (("word", 7), ("position", 64), ("token_type", 2))
    }
    for name, (rows, columns) in dense.items():
        shapes |= {f"{layer}/{name}/kernel": (rows, columns), f"{layer}/{name}/bias": (columns,)}
    for name in ("embeddings", f"{layer}/attention/output", f"{layer}/output"):
        shapes |= {f"{name}/LayerNorm/gamma": (size,), f"{name}/LayerNorm/beta": (size,)}
    generator = np.random.default_rng(1)
    folder.mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=[f"bert/{name}" for name in shapes],
        shape_and_slices=[""] * len(shapes),
        tensors=[generator.normal(0, 0.5, shape).astype(np.float32) for shape in shapes.values()],
    )
    (folder / "bert_config.json").write_text(json.dumps(TINY_BERT))
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n人\n的\n", "utf-8")
    return folder
