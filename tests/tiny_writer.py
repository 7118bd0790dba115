"""A GPT2_ML of a few kilobytes, with random weights, in each format that one has; and what it computes, in numpy."""

import json
from pathlib import Path

import numpy as np

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 8, 2, 2, 12, 24
VOCABULARY = [
    "[PAD]",
    "[unused1]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"。，山上灯照着河流",
    "##山",
    "ab",
    "##c",
    "a",
]
#: Those of the authors.
CONFIG = {
    "vocab_size": len(VOCABULARY) + 2,
    "hidden_size": HIDDEN,
    "attention_probs_dropout_prob": 0.1,
    "hidden_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
}
HUB_CONFIG = {
    "model_type": "gpt2",
    "activation_function": "gelu",
    "layer_norm_epsilon": 1e-05,
    "n_ctx": POSITIONS,
    "n_embd": HIDDEN,
    "n_head": HEADS,
    "n_layer": LAYERS,
    "n_positions": POSITIONS,
    "vocab_size": len(VOCABULARY) + 2,
}
FORMATS = ("tensorflow", "hub", "hub without a head", "own names", "own names with dots")


def tensors() -> dict[str, np.ndarray]:
    """The same every time, float32, by the authors' names."""
    shapes = {"embeddings/word_embed": (CONFIG["vocab_size"], HIDDEN), "embeddings/pos_embed": (POSITIONS, HIDDEN)}
    dense = {f"{name}_layer": (HIDDEN, HIDDEN) for name in ("query", "key", "value", "context_projection")}
    dense |= {"intermediate": (HIDDEN, INNER), "output": (INNER, HIDDEN)}
    norms = ["embeddings/LayerNorm_embed_norm"]
    for layer in (f"layer{number:02d}" for number in range(LAYERS)):
        for name, shape in dense.items():
            shapes |= {f"{layer}/{name}/kernel": shape, f"{layer}/{name}/bias": shape[1:]}
        norms += [f"{layer}/LayerNorm_mlp_ln0", f"{layer}/LayerNorm_mlp_ln1"]
    shapes |= {f"{norm}/{name}": (HIDDEN,) for norm in norms for name in ("beta", "gamma")}
    generator = np.random.default_rng(3)
    return {f"newslm/{name}": generator.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def write_writer(folder: Path, form: str = "tensorflow") -> Path:
    """In one of FORMATS."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
    if form == "tensorflow":
        (folder / "mega.json").write_text(json.dumps(CONFIG))
        write_tensorflow(folder, tensors())
        return folder
    (folder / "config.json").write_text(json.dumps(CONFIG if form.startswith("own") else HUB_CONFIG))
    write_safetensors(folder, _OF_FORMAT[form](tensors()))
    return folder


def write_tensorflow(folder: Path, values: dict[str, np.ndarray]) -> None:
    from common.keras_compat import tf

    names = [*values, "newslm/layer00/output/kernel/adafactor_v", "global_step"]
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model.ckpt-100000"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[*values.values(), np.zeros(3, np.float32), np.int64(100_000)],
    )


def write_safetensors(folder: Path, values: dict[str, np.ndarray]) -> None:
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(value) for name, value in values.items()}, folder / "model.safetensors")


def hub_tensors(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Under the names of a GPT-2, as it was converted."""
    found = {
        "wte.weight": values["newslm/embeddings/word_embed"],
        "wpe.weight": values["newslm/embeddings/pos_embed"],
        "emb_norm.weight": values["newslm/embeddings/LayerNorm_embed_norm/gamma"],
        "emb_norm.bias": values["newslm/embeddings/LayerNorm_embed_norm/beta"],
    }
    dense = {"attn.c_proj": "context_projection_layer", "mlp.c_fc": "intermediate", "mlp.c_proj": "output"}
    norms = {"ln_1": "LayerNorm_mlp_ln0", "ln_2": "LayerNorm_mlp_ln1"}
    for number in range(LAYERS):
        own, hub = f"newslm/layer{number:02d}", f"h.{number}"
        for kind, hub_kind in (("kernel", "weight"), ("bias", "bias")):
            three = [values[f"{own}/{name}_layer/{kind}"] for name in ("query", "key", "value")]
            found[f"{hub}.attn.c_attn.{hub_kind}"] = np.concatenate(three, -1)
            found |= {f"{hub}.{name}.{hub_kind}": values[f"{own}/{of}/{kind}"] for name, of in dense.items()}
        for kind, hub_kind in (("gamma", "weight"), ("beta", "bias")):
            found |= {f"{hub}.{name}.{hub_kind}": values[f"{own}/{of}/{kind}"] for name, of in norms.items()}
        found[f"{hub}.attn.bias"] = np.tri(POSITIONS, dtype=np.uint8)[None, None]
        found[f"{hub}.attn.masked_bias"] = np.float32(-1e4).reshape(())
    return found


def _with_head(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {f"transformer.{name}": value for name, value in hub_tensors(values).items()}
    return found | {"lm_head.weight": values["newslm/embeddings/word_embed"]}


_OF_FORMAT = {
    "hub": _with_head,
    "hub without a head": hub_tensors,
    "own names": dict,
    "own names with dots": lambda values: {name.replace("/", "."): value for name, value in values.items()},
}


def reference(ids: np.ndarray) -> np.ndarray:
    """Logits of the next token after each of ids (length,), float (length, tokens): of all tokens that the weights
    have, one token and one head at a time."""
    from math import erf

    weights = {name.removeprefix("newslm/"): value.astype(np.float64) for name, value in tensors().items()}

    def dense(x, name):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(np.square(centred).mean(-1, keepdims=True) + 1e-5)
        return scaled * weights[f"{name}/gamma"] + weights[f"{name}/beta"]

    def gelu(x):
        return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2

    x = weights["embeddings/word_embed"][ids] + weights["embeddings/pos_embed"][: len(ids)]
    x = norm(x, "embeddings/LayerNorm_embed_norm")
    size = HIDDEN // HEADS
    for layer in (f"layer{number:02d}" for number in range(LAYERS)):
        query, key, value = (dense(x, f"{layer}/{name}_layer") for name in ("query", "key", "value"))
        seen = np.zeros_like(x)
        for place in range(len(ids)):
            for head in (slice(first, first + size) for first in range(0, HIDDEN, size)):
                scores = key[: place + 1, head] @ query[place, head] / np.sqrt(size)
                shares = np.exp(scores - scores.max())
                seen[place, head] = shares / shares.sum() @ value[: place + 1, head]
        x = x + dense(seen, f"{layer}/context_projection_layer")
        inner = gelu(dense(norm(x, f"{layer}/LayerNorm_mlp_ln0"), f"{layer}/intermediate"))
        x = norm(x + dense(inner, f"{layer}/output"), f"{layer}/LayerNorm_mlp_ln1")
    return x @ weights["embeddings/word_embed"].T
