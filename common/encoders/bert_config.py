"""What a network of the BERT family is built from, checked before anything is made of the size that a file asks for.

A bert_config.json and the encoder.json of a run come from strangers, and go through the same check.
"""

from typing import Any

from common.attention_pattern import LONGEST
from common.command_line import UserError

#: What bert4keras calls the architectures.
MODELS = ("albert", "bert", "electra", "nezha", "roformer", "roformer_v2")

#: In tokens: [CLS], one of a text, [SEP].
SHORTEST_WINDOW, LONGEST_WINDOW = 3, LONGEST

# The smallest and the largest.
_SIZES = {
    "hidden_size": (1, 8192),
    "num_hidden_layers": (1, 64),
    "num_attention_heads": (1, 512),
    "intermediate_size": (1, 65_536),
    "max_position_embeddings": (SHORTEST_WINDOW, LONGEST_WINDOW),
    "vocab_size": (4, 1_000_000),
    "type_vocab_size": (2, 64),
}
_SIZES_OF_SOME = {
    **{"embedding_size": (1, 8192), "attention_head_size": (1, 1024), "attention_key_size": (1, 1024)},
    "max_relative_position": (1, 8192),
}
_MOST_WEIGHTS = 2_000_000_000
_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")
_DEFAULTS = {"type_vocab_size": 2, "hidden_act": "gelu", **dict.fromkeys(_DROPOUTS, 0.1)}
_DEFAULTS_OF = {"nezha": {"max_relative_position": 64}}
# What bert4keras calls the activations of a config.
_ACTIVATIONS = {
    **{name: name for name in ("gelu", "gelu_erf", "gelu_tanh", "relu", "swish", "tanh", "linear")},
    **{name: name for name in ("elu", "mish", "selu", "sigmoid", "softplus")},
    **dict.fromkeys(("gelu_approximate", "gelu_fast", "gelu_new", "gelu_pytorch_tanh"), "gelu_tanh"),
    "gelu_python": "gelu_erf",
    "silu": "swish",
}


def checked_config(config: Any, source: object, model: str = "bert") -> dict[str, Any]:
    """The keys that a network is built from, each of its type and within bounds, with defaults for some that are
    absent; all others are dropped. Raises UserError that begins with `source`."""
    if not isinstance(config, dict):
        raise UserError(f"{source}: no JSON object - is it the config of a BERT?")
    config = (
        _DEFAULTS | _DEFAULTS_OF.get(model, {}) | {name: value for name, value in config.items() if value is not None}
    )
    absent = [name for name in _SIZES if name not in config]
    if absent:
        raise UserError(f"{source}: has no {', '.join(absent)} - is it the config of a {model}?")
    sizes = {name: bounds for name, bounds in (_SIZES | _SIZES_OF_SOME).items() if name in config}
    checked = {name: check_whole(config[name], *bounds, f"{source}: {name}") for name, bounds in sizes.items()}
    for name in _DROPOUTS:
        value = checked[name] = config[name]
        if type(value) not in (int, float) or not 0 <= value < 1:
            raise UserError(f"{source}: {name} is {value!r:.60}, and must be at least 0 and below 1")
    epsilon = config.get("layer_norm_eps")
    if epsilon is not None:
        if type(epsilon) is not float or not 0 < epsilon <= 0.1:
            raise UserError(f"{source}: layer_norm_eps is {epsilon!r:.60}, and must be above 0 and at most 0.1")
        checked["layer_norm_eps"] = epsilon
    activation = config["hidden_act"]
    if not isinstance(activation, str) or activation.lower() not in _ACTIVATIONS:
        raise UserError(f"{source}: hidden_act is {activation!r:.60}, and must be one of {', '.join(_ACTIVATIONS)}")
    checked["hidden_act"] = _ACTIVATIONS[activation.lower()]
    for name in ("num_hidden_groups", "inner_group_num"):
        if config.get(name, 1) != 1:
            raise UserError(
                f"{source}: {name} is {config[name]!r:.60}, but only an ALBERT that repeats one layer can be built - take another checkpoint"
            )
    _check_together(checked, source, model)
    return checked


def check_whole(value: Any, least: int, most: int, what: str) -> int:
    """The value. Raises UserError when it is no whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise UserError(f"{what} is {value!r:.60}, and must be a whole number from {least} to {most}")
    return value


def _check_together(config: dict[str, Any], source: object, model: str) -> None:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    if hidden % heads and "attention_head_size" not in config:
        raise UserError(f"{source}: hidden_size is {hidden}, and must be a multiple of its {heads} attention heads")
    _, key_size = _head_sizes(config)
    if key_size % 2 and model in ("nezha", "roformer", "roformer_v2"):
        raise UserError(f"{source}: the heads of a {model} are {key_size} wide, which must be even")
    weights = weight_count(config, model)
    if weights > _MOST_WEIGHTS:
        raise UserError(f"{source}: is for {weights:,} weights, and must be for at most {_MOST_WEIGHTS:,}")


def _head_sizes(config: dict[str, Any]) -> tuple[int, int]:
    """Of the values, and of queries and keys."""
    head_size = config.get("attention_head_size") or config["hidden_size"] // config["num_attention_heads"]
    return head_size, config.get("attention_key_size") or head_size


def weight_count(config: dict[str, Any], model: str) -> int:
    """The numbers in the large matrices of a network: nearly all of its weights, and not more than those."""
    attention = 2 * config["num_attention_heads"] * sum(_head_sizes(config))
    layer = config["hidden_size"] * (attention + 2 * config["intermediate_size"])
    positions = config["max_position_embeddings"] if model in ("albert", "bert", "electra") else 0
    embeddings = config.get("embedding_size", config["hidden_size"]) * (config["vocab_size"] + positions)
    return embeddings + layer * (1 if model == "albert" else config["num_hidden_layers"])
