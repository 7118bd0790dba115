"""common/encoders/checkpoint.py and bert_config.py: folders as people have them load, and all others are one line."""

import json
import os
import shutil

import numpy as np
import pytest

from common.command_line import UserError
from common.encoders import build_encoder, load_encoder, save_encoder
from common.encoders.bert_config import MODELS, checked_config
from common.encoders.checkpoint import read_checkpoint
from common.encoders.tensors import TensorFlowTensors
from common.encoders.transformers import _TRANSFORMERS, load_weights
from common.keras_compat import keras, tf
from common.options import EncoderOptions

from tiny_checkpoint import TINY_BERT, write_checkpoint

HUB = {
    "architectures": ["BertForMaskedLM"],
    "model_type": "bert",
    "name": "x",
    "layers": 3,
    "prefix": "y",
    "keep_tokens": [1],
    "with_mlm": True,
    "torch_dtype": "float32",
    "id2label": {"0": "LABEL_0"},
    "classifier_dropout": None,
    "transformers_version": "4.20.0",
}
GOOGLE = {"directionality": "bidi", "pooler_fc_size": 768, "pooler_type": "first_token_transform"}
ALBERT = {"num_hidden_groups": 1, "inner_group_num": 1, "net_structure_type": 0, "gap_size": 0, "down_scale_factor": 1}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="module")
def network(original):
    """That of the checkpoint."""
    return from_checkpoint(original).network()


@pytest.fixture
def folder(original, tmp_path):
    """A copy of a checkpoint, to be changed."""
    return shutil.copytree(original, tmp_path / "copy")


def rename_weights(folder, name, keep=False):
    for path in sorted(folder.glob("bert_model.ckpt.*")):
        (shutil.copy if keep else os.rename)(path, folder / path.name.replace("bert_model.ckpt", name))


def write_config(folder, config, name="bert_config.json", mark=b""):
    (folder / "bert_config.json").unlink(missing_ok=True)
    (folder / name).write_bytes(mark + json.dumps(config).encode())


def save(folder, shapes, value=0.5, dtype=tf.float32):
    """Weights of other names and shapes in place of those of the folder."""
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(shapes),
        shape_and_slices=[""] * len(shapes),
        tensors=[tf.cast(tf.fill(shape, value), dtype) for shape in shapes.values()],
    )


def without(config, *names):
    return {name: value for name, value in config.items() if name not in names}


def from_checkpoint(folder):
    return build_encoder(EncoderOptions(pretrained=folder), [])


def error_of(call):
    with pytest.raises(UserError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600 and (" - " in message or "must be" in message), message
    return message


# What people have


@pytest.mark.parametrize(
    ("config", "config_name", "weights"),
    [
        (TINY_BERT | GOOGLE, "bert_config.json", "bert_model.ckpt"),
        (TINY_BERT | GOOGLE, "bert_config_rbt3.json", "bert_model.ckpt"),
        (TINY_BERT | GOOGLE, "bert_config_large.json", "roberta_zh_large_model.ckpt"),
        (TINY_BERT | ALBERT | {"ln_type": "postln"}, "albert_config_tiny.json", "albert_model.ckpt"),
        (TINY_BERT | HUB, "config.json", "chinese_macbert_base"),
        (TINY_BERT | {"embedding_size": 4, "use_relative_position": False}, "bert_config.json", "model.ckpt-100000"),
        (without(TINY_BERT, "hidden_act"), "bert_config.json", "model.ckpt-best"),
        (without(TINY_BERT, "intermediate_size", "type_vocab_size") | {"vocab_size": None}, "ernie_config.json", "m.x"),
    ],
)
def test_files_with_other_names_and_keys_are_the_same_checkpoint(
    original, folder, config, config_name, weights, capsys
):
    expected = read_checkpoint(original)
    capsys.readouterr()
    write_config(folder, config, config_name, mark=b"\xef\xbb\xbf" if "best" in weights else b"")
    rename_weights(folder, weights)
    (folder / "vocab.txt").rename(folder / "vocab_chinese.txt")
    (folder / "._vocab_of_a_mac.txt").write_bytes(b"\0")
    for other in ("tokenizer_config.json", "special_tokens_map.json", "generator.json"):
        (folder / other).write_text('{"hidden_size": 2}' if other == "generator.json" else "{}")
    found = read_checkpoint(folder)
    assert (found.tensors.path, found.model, found.config) == (folder / weights, "bert", expected.config)
    assert capsys.readouterr().out == (
        f"weights   bert, 1 layers of 8, 7 tokens, lower-cased, no pooler, no head of a masked language model  ({folder}: {config_name}, vocab_chinese.txt, {weights})\n"
    )


def states(network, ids):
    return network({"token_ids": np.array([ids]), "segment_ids": np.zeros((1, len(ids)))})[0]


def test_what_was_read_becomes_the_network(network, folder):
    """No key of a hub reaches bert4keras; blanks and Chinese characters in a path are no trouble."""
    write_config(folder, TINY_BERT | HUB, "config.json")
    other = from_checkpoint(folder.rename(folder.with_name("中文 模型"))).network()
    np.testing.assert_array_equal(states(other, [2, 5, 6, 3]), states(network, [2, 5, 6, 3]))


@pytest.mark.parametrize(
    ("names", "told", "chosen"),
    [
        (["bert_model.ckpt", "a"], None, "bert_model.ckpt"),
        (["bert_model.ckpt", "model.ckpt-9", "model.ckpt-10"], "model.ckpt-10", "model.ckpt-10"),
        (["bert_model.ckpt", "a"], "gone", "bert_model.ckpt"),
        (["a", "b"], "/somebody/else/b", "b"),
        (["a", "b"], "..\\\\..\\\\a", "a"),
        (["b"], "a", "b"),
        (["a", "b"], "gone", None),
        (["a", "b"], "..", None),
        (["a", "b"], None, None),
    ],
)
def test_of_several_checkpoints_the_one_that_is_named(folder, names, told, chosen):
    for name in names:
        rename_weights(folder, name, keep=name != "bert_model.ckpt")
    for path in [] if "bert_model.ckpt" in names else folder.glob("bert_model.ckpt.*"):
        path.unlink()
    if told:
        (folder / "checkpoint").write_text(f'model_checkpoint_path: "{told}"\nall_model_checkpoint_paths: "a"\n')
    if chosen:
        assert read_checkpoint(folder).tensors.path == folder / chosen
    else:
        assert "several checkpoints (a, b)" in error_of(lambda: read_checkpoint(folder))


def test_of_several_configs_the_one_of_the_weights(folder):
    write_config(folder, TINY_BERT | {"hidden_size": 2}, "generator.json")
    write_config(folder, TINY_BERT, "discriminator.json")
    assert read_checkpoint(folder).config["hidden_size"] == 8
    write_config(folder, TINY_BERT, "another.json")
    message = error_of(lambda: read_checkpoint(folder))
    assert "2 of another.json, discriminator.json, generator.json fit the weights" in message


def test_the_lower_layers_of_a_network(folder, capsys):
    shapes = dict(tf.train.list_variables(str(folder / "bert_model.ckpt")))
    save(folder, shapes | {name.replace("layer_0", "layer_1"): shape for name, shape in shapes.items()})
    assert read_checkpoint(folder).config["num_hidden_layers"] == 1
    assert "1 layers of 8, 7 tokens, lower-cased, the lower ones of 2 layers" in capsys.readouterr().out


def test_fewer_tokens_than_rows(network, folder, tmp_path, capsys):
    """ERNIE's shape: the last rows have no token, and leave the network. "$" stands twice in ERNIE 3.0."""
    (folder / "vocab.txt").write_text("[PAD]\t0\n[UNK]\t1\n[CLS]\t2\n[SEP]\t3\n人\t4\n人\t5\n", "utf-8")
    encoder = from_checkpoint(folder)
    assert "6 tokens, lower-cased, 1 x a row without a token, 1 x a token that stands twice" in capsys.readouterr().out
    assert encoder.tokenizer.tokenize("人").ids.tolist() == [5]
    cut = encoder.with_vocabulary_of(["人"])
    assert cut.tokenizer.vocabulary == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "人"] and cut.kept_tokens[-1] == 5
    assert cut.with_vocabulary_of(["人"]).kept_tokens.tolist() == [0, 1, 2, 3, 5]
    expected = states(network, [2, 5, 3])
    np.testing.assert_array_equal(states(encoder.network(), [2, 5, 3]), expected)
    np.testing.assert_array_equal(states(cut.network(), [2, 4, 3]), expected)
    for kept, rows in ((encoder, 6), (cut, 5)):
        run = tmp_path / f"run-{rows}"
        run.mkdir()
        save_encoder(kept, run)
        assert len(load_encoder(run).tokenizer) == load_encoder(run).config["vocab_size"] == rows


@pytest.mark.parametrize(
    ("piece", "config", "settings", "lowercase"),
    [
        ("人", {}, None, True),
        ("The", {}, None, False),
        ("##A", {}, {}, False),
        ("The", {"do_lower_case": True}, None, True),
        ("The", {}, {"do_lower_case": True}, True),
        ("人", {}, {"do_lower_case": False}, True),
        ("The", {}, {"do_lower_case": "yes"}, False),
    ],
)
def test_a_cased_vocabulary_is_read_as_it_is(folder, tmp_path, piece, config, settings, lowercase, capsys):
    vocabulary = (folder / "vocab.txt").read_text("utf-8").replace("人", piece)
    (folder / "vocab.txt").write_text(vocabulary, "utf-8")
    write_config(folder, TINY_BERT | config)
    if settings is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    encoder = from_checkpoint(folder)
    assert f"tokens, {'lower-cased' if lowercase else 'cased'}, no" in capsys.readouterr().out
    save_encoder(encoder, tmp_path)
    for each in (encoder, load_encoder(tmp_path), encoder.with_vocabulary_of([piece])):
        assert each.tokenizer.lowercase is lowercase
        assert each.tokenizer.tokenize("The").ids.tolist() == [5 if piece == "The" and not lowercase else 1]


def test_a_run_from_before_there_were_cased_ones(original, tmp_path):
    save_encoder(from_checkpoint(original), tmp_path)
    stored = json.loads((tmp_path / "encoder.json").read_text())
    del stored["lowercase"]
    stored["config"] |= GOOGLE
    (tmp_path / "encoder.json").write_text(json.dumps(stored))
    assert load_encoder(tmp_path).tokenizer.lowercase


# What is refused


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hidden_act": 3}, "hidden_act is 3"),
        ({"hidden_act": "glu"}, "hidden_act is 'glu'"),
        ({"num_hidden_layers": 300}, "num_hidden_layers is 300, and must be a whole number from 1 to 64"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"hidden_size": 10**9}, "hidden_size"),
        ({"vocab_size": -7}, "vocab_size"),
        ({"vocab_size": "7"}, "vocab_size is '7'"),
        ({"intermediate_size": True}, "intermediate_size is True"),
        ({"num_attention_heads": 3}, "hidden_size is 8, and must be a multiple of its 3 attention heads"),
        ({"max_position_embeddings": 2}, "max_position_embeddings"),
        ({"type_vocab_size": 1}, "type_vocab_size"),
        ({"hidden_dropout_prob": 5}, "hidden_dropout_prob is 5"),
        ({"attention_probs_dropout_prob": float("nan")}, "attention_probs_dropout_prob is nan"),
        ({"hidden_dropout_prob": "0.1"}, "hidden_dropout_prob is '0.1'"),
        ({"num_hidden_groups": 12}, "num_hidden_groups is 12"),
        ({"inner_group_num": 2}, "inner_group_num is 2"),
        ({"hidden_size": "x" * 5000}, "hidden_size is 'xxx"),
    ],
)
def test_configs_out_of_bounds(original, folder, tmp_path, change, told):
    """In a checkpoint and in a run, before anything is built."""
    write_config(folder, TINY_BERT | change)
    assert f"{folder / 'bert_config.json'}: {told}" in error_of(lambda: read_checkpoint(folder))
    save_encoder(from_checkpoint(original), tmp_path)
    stored = json.loads((tmp_path / "encoder.json").read_text())
    stored["config"] |= change
    (tmp_path / "encoder.json").write_text(json.dumps(stored))
    message = error_of(lambda: load_encoder(tmp_path))
    assert f"{tmp_path / 'encoder.json'}: " in message and told in message


@pytest.mark.parametrize(
    "change",
    [
        {"model": "gpt"},
        {"model": ["bert"]},
        {"model": "roformer", "config": TINY_BERT | {"hidden_size": 6}},
        {"lowercase": "no"},
        {"max_length": 2},
        {"max_length": 10**9},
        {"max_length": "8"},
        {"config": [TINY_BERT]},
        {"config": TINY_BERT | {"vocab_size": 8}},
        {"config": TINY_BERT | {"hidden_size": 8192, "num_hidden_layers": 64, "intermediate_size": 65_536}},
        {"config": TINY_BERT | {"hidden_size": 1024}},
    ],
)
def test_settings_that_no_run_has(original, tmp_path, change):
    save_encoder(from_checkpoint(original), tmp_path)
    stored = json.loads((tmp_path / "encoder.json").read_text())
    (tmp_path / "encoder.json").write_text(json.dumps(stored | change))
    (tmp_path / "best.weights.h5").write_bytes(bytes(10_000))
    assert str(tmp_path) in error_of(lambda: load_encoder(tmp_path))


def test_sizes_that_are_too_large_together():
    config = TINY_BERT | {"hidden_size": 8192, "num_hidden_layers": 12, "intermediate_size": 65_536}
    assert "must be for at most 2,000,000,000" in error_of(lambda: checked_config(config, "config"))
    assert checked_config(config, "config", "albert")["num_hidden_layers"] == 12, "which has one layer"


def test_the_sizes_of_a_network_that_flags_ask_for():
    for options in ({"hidden_size": 8256}, {"hidden_size": 8192, "layers": 100}):
        assert "--encoder bert: " in error_of(lambda: build_encoder(EncoderOptions(encoder="bert", **options), ["字"]))


@pytest.mark.parametrize(
    ("name", "told"),
    [("bert.h5", "(bert.h5) - take model.safetensors"), ("pytorch_model.bin", "safe_serialization=True)")],
)
def test_weights_that_others_save(folder, name, told):
    for path in folder.glob("bert_model.ckpt.*"):
        path.unlink()
    (folder / name).write_bytes(b"x")
    message = error_of(lambda: read_checkpoint(folder))
    assert name in message and told in message and "download" not in message


LAYER = "bert/encoder/transformer/group_0/inner_group_0/attention_1/self/query/kernel"
EMBEDDINGS = {"bert/embeddings/word_embeddings": (7, 8)}


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ({"model/layer/kernel/.ATTRIBUTES/VARIABLE_VALUE": (2,)}, "saved by Keras"),
        ({"bert/encoder/layer_shared/attention/self/query/kernel": (8, 8)} | EMBEDDINGS, "before Google's"),
        ({LAYER: (8, 8), LAYER.replace("group_0/inner", "group_1/inner"): (8, 8)} | EMBEDDINGS, "of several layers"),
        ({LAYER: (8, 8), LAYER.replace("inner_group_0", "inner_group_1"): (8, 8)} | EMBEDDINGS, "of several layers"),
        ({"transformer/h0/attn": (2,)}, "has no layers of BERT"),
        ({LAYER: (), "bert/embeddings/word_embeddings": (7,)}, "has no layers of BERT"),
    ],
)
def test_weights_of_other_networks(folder, shapes, told):
    save(folder, shapes)
    assert f"{folder / 'bert_model.ckpt'}: " in error_of(lambda: read_checkpoint(folder))
    assert told in error_of(lambda: read_checkpoint(folder))


@pytest.fixture(scope="module")
def transformer(original):
    return from_checkpoint(original).transformer()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"value": np.nan}, "has values that are no numbers - take another checkpoint"),
        ({"value": -np.inf}, "has values that are no numbers - take another checkpoint"),
        ({"dtype": tf.int32}, "embeddings is of int32, and must be of float32"),
    ],
)
def test_weights_that_are_no_numbers(transformer, folder, change, told):
    save(folder, dict(tf.train.list_variables(str(folder / "bert_model.ckpt"))), **change)
    assert told in error_of(lambda: load_weights(transformer, TensorFlowTensors(folder / "bert_model.ckpt")))


def test_data_that_are_cut_off_or_changed(transformer, folder):
    data = folder / "bert_model.ckpt.data-00000-of-00001"
    content = data.read_bytes()
    data.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert "its files are missing or cut off" in error_of(lambda: read_checkpoint(folder))
    data.write_bytes(content[:-4] + b"\x00\x01\x02\x03")
    message = error_of(lambda: load_weights(transformer, TensorFlowTensors(folder / "bert_model.ckpt")))
    assert "cannot be read" in message and "download it again" in message


@pytest.mark.parametrize("name", ["model[1]", "a\\b", os.fsdecode(b"\xff\xfe")], ids=ascii)
def test_paths_that_tensorflow_cannot_open(folder, name):
    moved = folder.rename(folder.with_name(name))
    assert "other names" in error_of(lambda: read_checkpoint(moved))


def test_a_vocabulary_that_is_ambiguous_or_not_ours(folder):
    vocabulary = (folder / "vocab.txt").read_bytes()
    (folder / "vocab.txt").write_bytes(vocabulary.replace(b"[PAD]\n[UNK]", b"[UNK]\n[PAD]"))
    assert f"{folder / 'vocab.txt'}:1: must be [PAD]" in error_of(lambda: read_checkpoint(folder))
    (folder / "vocab.txt").rename(folder / "vocab_en.txt")
    shutil.copy(folder / "vocab_en.txt", folder / "vocab_zh.txt")
    assert "several vocabularies (vocab_en.txt, vocab_zh.txt)" in error_of(lambda: read_checkpoint(folder))


# The numbers


def test_models_are_those_that_can_be_built():
    assert {*MODELS, "gpt2_ml"} == set(_TRANSFORMERS)  # which reads no pairs, and is none of encoders


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("gelu_new", lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
        ("GELU", lambda x: 0.5 * x * (1 + tf.math.erf(x / np.sqrt(2)).numpy())),
        ("silu", lambda x: x / (1 + np.exp(-x))),
    ],
)
def test_activations_under_the_names_of_configs(name, function):
    activation = checked_config(TINY_BERT | {"hidden_act": name}, "")["hidden_act"]
    x = np.linspace(-4, 4, 50)
    np.testing.assert_allclose(keras.activations.get(activation)(x), function(x), atol=1e-6)
