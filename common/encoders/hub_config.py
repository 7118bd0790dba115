"""The config.json of a checkpoint in hub format: which architecture it tells, and what of it cannot be built here.

Everything that changes what a network computes is either heeded or refused, in one line.
"""

from pathlib import Path
from typing import Any, NamedTuple

from common.command_line import UserError

# `model_type` of the hub -> what bert4keras calls the architecture. ERNIE is a BERT with one embedding more.
_MODELS = {"albert": "albert", "bert": "bert", "electra": "electra", "ernie": "bert", "nezha": "nezha"}

_BYTE_PAIRS = (
    "whose vocabulary is of byte pairs and whose positions begin at 2 (hfl's RoBERTa-wwm are BERTs, and say so)"
)
_DECODER = "a decoder: no token of it sees those behind it"
_BOTH = "an encoder with a decoder"
_OTHERS = {
    **dict.fromkeys(("bart", "marian", "mbart", "mt5", "pegasus", "t5", "umt5"), _BOTH),
    **dict.fromkeys(
        ("bloom", "chatglm", "gpt2", "gpt_neo", "gpt_neox", "llama", "mistral", "qwen2", "qwen3"), _DECODER
    ),
    **dict.fromkeys(("deberta", "deberta-v2"), "a DeBERTa, whose attention weighs content and distance apart"),
    "distilbert": "a DistilBERT, without segments",
    "longformer": "a Longformer, whose attention sees a window of the text",
    "megatron-bert": "a BERT that normalises before each layer, not after it",
    "modernbert": "a ModernBERT, whose layers are gated and whose vocabulary is of byte pairs",
    "roberta": f"a RoBERTa, {_BYTE_PAIRS}",
    "xlm-roberta": "a RoBERTa, whose vocabulary is a SentencePiece and whose positions begin at 2",
    "xlnet": "an XLNet, which reads tokens in changing order",
}
# What a network is built as; a config may leave it out.
_BUILT = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "rotary_value": False,
}


class HubConfig(NamedTuple):
    """model: one of MODELS. settings: of the config, with the hub's defaults for those that bert4keras has others for.
    with_task: whether ERNIE's tasks have embeddings. with_head: whether the head of a masked language model has the
    embeddings as its matrix."""

    model: str
    settings: dict[str, Any]
    with_task: bool
    with_head: bool


def hub_config(config: dict[str, Any], path: Path) -> HubConfig:
    """What a config.json tells. Raises UserError for one of a network that cannot be built here."""
    kind = config.get("model_type", "bert")
    model = _roformer(config, path) if kind == "roformer" else _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        what = _OTHERS.get(kind, "another architecture") if isinstance(kind, str) else "no name"
        raise UserError(
            f"{path}: model_type is {kind!r:.60}, {what} - take a BERT, RoBERTa-wwm, MacBERT, ALBERT, ELECTRA, ERNIE, NEZHA or RoFormer"
        )
    for name, built in _BUILT.items():
        if config.get(name, built) != built:
            raise UserError(f"{path}: {name} is {config[name]!r:.60}, and must be {built} - take another checkpoint")
    with_task = kind == "ernie" and config.get("use_task_id", False) is True
    with_head = config.get("tie_word_embeddings", True) is not False
    return HubConfig(model, {"layer_norm_eps": 1e-12, **config}, with_task, with_head)


def _roformer(config: dict[str, Any], path: Path) -> str:
    norm, biases = config.get("norm_type", "layer_norm"), config.get("use_bias", True)
    model = {("layer_norm", True): "roformer", ("rms_norm", False): "roformer_v2"}.get((str(norm), biases is True))
    if model is None:
        raise UserError(
            f"{path}: norm_type is {norm!r:.60} and use_bias {biases!r:.60}, and must be 'layer_norm' and true, or 'rms_norm' and false"
        )
    return model
