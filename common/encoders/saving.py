"""Pretrained encoders as folders: a BERT as TensorFlow's checkpoint under the names that all the world uses, which
`--pretrained` takes, and a light encoder, which `--pretrained-light` takes."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from common.encoders import WEIGHTS, save_encoder
from common.encoders.bert import BertEncoder
from common.encoders.light import LightEncoder
from common.keras_compat import keras, tf
from common.runs.weights import named_values, save_arrays


def save_pretrained(encoder: BertEncoder | LightEncoder, part: Any, folder: Path) -> None:
    """Write an encoder with its weights into a folder that there is. part: the transformer of bert4keras, or the
    network of a light encoder."""
    if isinstance(encoder, LightEncoder):
        save_light(encoder, part, folder)
    else:
        save_checkpoint(encoder, part, folder)


def save_checkpoint(encoder: BertEncoder, transformer: Any, folder: Path) -> None:
    """bert_config.json, vocab.txt and bert_model.ckpt.*, the head of the masked language model among the weights where
    the transformer has one."""
    tokenizer = encoder.tokenizer
    config = {
        **encoder.config,
        "do_lower_case": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.tokenize_chinese_chars,
    }
    (folder / "bert_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tokenizer.save(folder / "vocab.txt")
    arrays = variables_of(transformer)
    names, values = list(arrays), [tf.constant(value) for value in arrays.values()]
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
    )


def variables_of(transformer: Any) -> dict[str, np.ndarray]:
    """The weights of a transformer of bert4keras, under the names of BERT's checkpoints."""
    mapping = {layer: names for layer, names in transformer.variable_mapping().items() if layer in transformer.layers}
    return {
        name: weight.numpy()
        for layer, names in mapping.items()
        for name, weight in zip(names, transformer.layers[layer].trainable_weights)
    }


def save_light(encoder: LightEncoder, network: keras.Model, folder: Path) -> None:
    """The files of `save_encoder`, and the weights of `encoder.network()`, as a run has them."""
    save_encoder(encoder, folder)
    save_arrays(folder / WEIGHTS, {"model": named_values(network.weights)})
