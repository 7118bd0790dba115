"""What a GPT2_ML is built from: the settings of its config, by the names that BERT's have. No TensorFlow.

They are told by three kinds of files: those of the authors have BERT's names, bert4keras' `max_position`, and those of the
Hugging Face hub the names of a GPT-2.
"""

from typing import Any

from common.command_line import UserError
from common.encoders.bert_config import checked_config
from common.encoders.tensors import Shapes

#: What bert4keras calls the architecture.
MODEL = "gpt2_ml"

#: The checkpoints that are taken.
WANTED = "take a GPT2_ML: its TensorFlow checkpoint, or what was made of that for the hub"

_NAMES = {
    "n_embd": "hidden_size",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_inner": "intermediate_size",
    "n_positions": "max_position_embeddings",
    "max_position": "max_position_embeddings",
    "activation_function": "hidden_act",
    "attn_pdrop": "attention_probs_dropout_prob",
    "resid_pdrop": "hidden_dropout_prob",
    "layer_norm_epsilon": "layer_norm_eps",
}
# What a network is built as; a config may leave it out.
_BUILT = {
    "tie_word_embeddings": True,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
}


def language_model_config(given: dict[str, Any], sizes: dict[str, int], source: object) -> dict[str, Any]:
    """The `checked_config` of a network. given: what a config says. sizes: those that the weights show. Raises
    UserError, which begins with `source`, for one of another network, and where both differ."""
    kind = given.get("model_type", MODEL)
    if kind not in ("gpt2", MODEL):
        raise UserError(f"{source}: model_type is {kind!r:.60}, and must be 'gpt2' - {WANTED}")
    for name, built in _BUILT.items():
        if given.get(name, built) is not built:
            raise UserError(f"{source}: {name} is {given[name]!r:.60}, and must be {built} - {WANTED}")
    renamed = {_NAMES[name]: value for name, value in given.items() if name in _NAMES}
    config = checked_config({**sizes, **renamed, **given}, source, MODEL)
    for name, value in sizes.items():
        if config[name] != value:
            raise UserError(
                f"{source}: does not fit its weights ({name} is {config[name]} there and {value} in them) - take both from one checkpoint"
            )
    return config


def sizes_of(shapes: Shapes) -> dict[str, int]:
    """The sizes of a config that the weights show, by their names in the authors' checkpoints; without `hidden_size`
    where they are of another network."""
    sizes = {}
    for size, name, axis in (
        ("vocab_size", "newslm/embeddings/word_embed", 0),
        ("hidden_size", "newslm/embeddings/word_embed", 1),
        ("max_position_embeddings", "newslm/embeddings/pos_embed", 0),
        ("intermediate_size", "newslm/layer00/intermediate/kernel", 1),
    ):
        if axis < len(shapes.get(name, ())):
            sizes[size] = shapes[name][axis]
    layers = {name.split("/")[1] for name in shapes if name.startswith("newslm/layer")}
    return sizes | {"num_hidden_layers": len(layers)}
