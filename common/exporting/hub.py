"""A BERT as a folder in hub format: config.json, model.safetensors, vocab.txt and tokenizer_config.json."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.encoders.bert import BertEncoder
from common.encoders.hub_names import FAMILIES
from common.encoders.saving import variables_of
from common.submission import json_bytes
from common.tokenizers.wordpiece import END, MASK, PAD, START, UNKNOWN

# `model_type` of the hub, what the names of its classes begin with, and bert4keras' epsilon where a config has none.
_KINDS = {
    "albert": ("albert", "Albert", 1e-12),
    "bert": ("bert", "Bert", 1e-12),
    "electra": ("electra", "Electra", 1e-12),
    "nezha": ("nezha", "Nezha", 1e-7),
    "roformer": ("roformer", "RoFormer", 1e-7),
    "roformer_v2": ("roformer", "RoFormer", 1e-7),
}
# What the hub calls these activations of bert4keras; it has the same names for the others.
_ACTIVATIONS = {"gelu_erf": "gelu", "gelu_tanh": "gelu_new"}
# What a config says that no size tells.
_SETTINGS = {
    "roformer": {"rotary_value": False},
    "roformer_v2": {"rotary_value": False, "norm_type": "rms_norm", "use_bias": False},
}
_HEADS = ("cls.", "predictions.")
_NUMBER = re.compile(r"(?<=layer_)\d+|(?<=group_)\d+")


def save_hub(encoder: BertEncoder, transformer: Any, folder: Path) -> None:
    """Write the files into a folder that there is, weights in float32. transformer: that of bert4keras, with the head of
    a masked language model or without. Raises UserError for weights that the hub's network of this kind has not."""
    from safetensors.numpy import save_file

    arrays = hub_arrays(encoder.model, variables_of(transformer))
    kind, classes, epsilon = _KINDS[encoder.model]
    with_head = any(name.startswith(_HEADS) for name in arrays)
    if with_head:  # the classes of the hub that have one keep the network under its name
        arrays = {name if name.startswith(_HEADS) else f"{kind}.{name}": values for name, values in arrays.items()}
    save_file(arrays, folder / "model.safetensors", {"format": "pt"})
    activation = encoder.config["hidden_act"]
    config = {
        "layer_norm_eps": epsilon,
        **encoder.config,
        **_SETTINGS.get(encoder.model, {}),
        "hidden_act": _ACTIVATIONS.get(activation, activation),
        "model_type": kind,
        "architectures": [classes + ("ForMaskedLM" if with_head else "Model")],
        "pad_token_id": encoder.tokenizer.pad_id,
        "torch_dtype": "float32",
    }
    (folder / "config.json").write_bytes(json_bytes(config, indent=2) + b"\n")
    encoder.tokenizer.save(folder / "vocab.txt")
    (folder / "tokenizer_config.json").write_bytes(json_bytes(_tokenizer_config(encoder), indent=2) + b"\n")


def hub_arrays(family: str, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights under the hub's names, from those under Google's; `HubTensors` is the way back. family: one of
    FAMILIES."""
    network, heads = FAMILIES[family]
    names: dict[str, tuple[str, bool]] = {}
    for module, (google, parameters) in (network | heads).items():
        for parameter, (ending, transposed) in parameters.items():
            names.setdefault(google + ending, (f"{module}.{parameter}", transposed))  # the first name is today's
    arrays = {}
    for name, values in variables.items():
        pattern = _NUMBER.sub("#", name)
        if pattern not in names:
            raise UserError(f"--format hub: {name} has no place in a {family} of the hub - take --format tensorflow")
        found, transposed = names[pattern]
        for number in _NUMBER.findall(name):
            found = found.replace("#", number, 1)
        arrays[found] = np.ascontiguousarray(values.T if transposed else values, np.float32)
    return arrays


def _tokenizer_config(encoder: BertEncoder) -> dict[str, Any]:
    tokenizer = encoder.tokenizer
    special = {"pad_token": PAD, "unk_token": UNKNOWN, "cls_token": START, "sep_token": END, "mask_token": MASK}
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.tokenize_chinese_chars,
        "model_max_length": encoder.config["max_position_embeddings"],
        **{name: token for name, token in special.items() if token in tokenizer.ids},
    }
