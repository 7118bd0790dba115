"""Checkpoints in hub format as people have them, and those that are damaged, hostile or of other networks: one line."""

import contextlib
import json
import os
import struct

import numpy as np
import pytest

from common.encoders import load_encoder, save_encoder
from common.encoders.bert import BertEncoder
from common.encoders.checkpoint import read_checkpoint

from contests import EVENT_EXTRACTION
from helpers import refused
from hub_checkpoint import VOCABULARY, change_config, copy_checkpoint, read_tensors, write_tensors
from tiny_checkpoint import write_checkpoint
from workshop import check_refusal, run_here

WORDS = "bert.embeddings.word_embeddings.weight"
QUERY = "bert.encoder.layer.0.attention.self.query.weight"
INDEX = "model.safetensors.index.json"


@pytest.fixture
def folder(tmp_path):
    """A BERT, to be changed."""
    return copy_checkpoint("bert", tmp_path / "bert")


def values_of(folder):
    """The values of its network, by Google's names, without those of heads."""
    tensors = read_checkpoint(folder).tensors
    names = sorted(name for name in tensors.shapes if name.startswith("bert/embeddings") or "/encoder/" in name)
    return dict(zip(names, tensors.read(names)))


def rename(folder, change):
    write_tensors(folder, {change(name): values for name, values in read_tensors(folder).items()})


def write_tokenizer(folder, model=None, normalizer=None):
    """A tokenizer.json in place of vocab.txt."""
    (folder / "vocab.txt").unlink(missing_ok=True)
    model = {"type": "WordPiece", "vocab": {token: number for number, token in enumerate(VOCABULARY)}} | (model or {})
    normalizer = {"type": "BertNormalizer", "handle_chinese_chars": True, "strip_accents": None} | (normalizer or {})
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "normalizer": normalizer, "model": model}))


def write_shards(folder):
    """model.safetensors in two files, with their index."""
    tensors = read_tensors(folder)
    (folder / "model.safetensors").unlink()
    parts = {
        "model-00001-of-00002.safetensors": list(tensors)[:9],
        "model-00002-of-00002.safetensors": list(tensors)[9:],
    }
    for file, names in parts.items():
        write_tensors(folder, {name: tensors[name] for name in names}, file)
    places = {name: file for file, names in parts.items() for name in names}
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))


def write_cache(folder):
    """The files as the hub's cache keeps them: links to blobs two folders above."""
    for path in list(folder.iterdir()):
        blob = folder.parents[1] / "blobs" / f"blob-of-{path.name}"
        blob.parent.mkdir(exist_ok=True)
        path.rename(blob)
        path.symlink_to(os.path.relpath(blob, folder))


# What people have


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: rename(folder, lambda name: name.removeprefix("bert.")),
        lambda folder: rename(folder, lambda name: name.replace("bert.", "roberta.")),
        lambda folder: rename(
            folder, lambda name: name.replace("Norm.weight", "Norm.gamma").replace("Norm.b", "Norm.b")
        ),
        lambda folder: rename(
            folder,
            lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            ),
        ),
        lambda folder: write_tensors(
            folder,
            read_tensors(folder)
            | {
                "bert.embeddings.position_ids": np.arange(12)[None],
                "cls.predictions.decoder.weight": np.zeros((60, 32)),
            }
            | {"classifier.weight": np.zeros((2, 32)), "cls.seq_relationship.bias": np.zeros(2)},
        ),
        write_shards,
        write_cache,
        write_tokenizer,
        lambda folder: (folder / "model.safetensors").rename(folder / "weights.safetensors"),
    ],
    ids=["no prefix", "prefix", "gamma", "gamma and beta", "surplus", "shards", "cache", "tokenizer.json", "file name"],
)
def test_the_same_network_in_other_forms(folder, change):
    expected = values_of(folder)
    inner = folder.rename(folder.parent / "snapshots")  # the cache has a folder more
    folder.mkdir()
    folder = inner.rename(folder / "main")
    change(folder)
    found = values_of(folder)
    assert len(found) == 37 and found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in found)


def test_what_is_missing_and_what_is_not_read_is_said(folder, capsys):
    shorter = {name: values for name, values in read_tensors(folder).items() if not name.startswith("cls.")}
    write_tensors(folder, shorter | {name.replace("layer.1.", "layer.2."): shorter[name] for name in shorter})
    for path in write_checkpoint(folder / "tensorflow").glob("bert_model.ckpt*"):
        path.rename(folder / path.name)
    read_checkpoint(folder)
    assert capsys.readouterr().out == (
        "weights   bert, 2 layers of 32, 60 tokens, lower-cased, the lower ones of 3 layers, no pooler, no head of a masked "
        f"language model  ({folder}: config.json, vocab.txt, model.safetensors, not bert_model.ckpt.index)\n"
    )


def test_a_head_with_a_matrix_of_its_own_is_left_out(folder, capsys):
    change_config(folder, tie_word_embeddings=False)
    read_checkpoint(folder)
    assert "no head of a masked language model" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "normalizer", "switches"),
    [
        ({}, {}, (True, True, True)),
        ({"do_lower_case": False}, {"lowercase": True, "strip_accents": True}, (False, True, True)),
        ({}, {"lowercase": False, "handle_chinese_chars": False}, (False, False, False)),
        (
            {"tokenize_chinese_chars": True, "strip_accents": False},
            {"handle_chinese_chars": False},
            (True, False, True),
        ),
        ({"strip_accents": "no", "tokenize_chinese_chars": 3}, {"lowercase": True}, (True, True, True)),
    ],
)
def test_how_text_is_treated(folder, tmp_path, settings, normalizer, switches):
    vocabulary = {token: number for number, token in enumerate([*VOCABULARY[:-1], "The"])}
    write_tokenizer(folder, {"vocab": vocabulary}, {"lowercase": None} | normalizer)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    change_config(folder, do_lower_case=True)
    encoder = BertEncoder.from_checkpoint(folder, 12)
    save_encoder(encoder, tmp_path)
    for each in (encoder, encoder.with_vocabulary_of(["一"]), load_encoder(tmp_path)):
        found = each.tokenizer
        assert (found.lowercase, found.strip_accents, found.tokenize_chinese_chars) == switches


def test_an_id_without_a_token(folder):
    """As where a token stood twice."""
    write_tokenizer(folder, {"vocab": {token: number for number, token in enumerate(VOCABULARY) if number != 9}})
    tokenizer = read_checkpoint(folder).tokenizer
    assert tokenizer.vocabulary == [*VOCABULARY[:9], "[none9]", *VOCABULARY[10:]]


def test_words_of_several_ideographs_are_told(folder, capsys):
    """A RoFormer whose vocabulary was cut by jieba."""
    (folder / "vocab.txt").write_text(
        "\n".join([*VOCABULARY[:-5], "今天", "天气", "##气", "ました", "你a好"]) + "\n", "utf-8"
    )
    read_checkpoint(folder)
    assert "3 x a word of several ideographs" in capsys.readouterr().out


# What is refused


def raw(header, data=b"", length=None):
    """A file of safetensors."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensor(begin=0, end=8, kind="F32", shape=(2,)):
    return {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n",
        raw({"a": tensor()}, bytes(7)),
        raw({"a": tensor()}, bytes(9)),
        raw({"a": tensor()}, bytes(8), length=2**63),
        raw({"a": tensor()}, bytes(8), length=5000),
        raw({"a": tensor()}, bytes(8), length=10),
        raw(b"not JSON"),
        raw(b"[" * 100_000),
        raw(b"\xff\xfe{}"),
        raw([1]),
        raw({"a": 1}),
        raw({"a": tensor(), "b": tensor()}, bytes(8)),
        raw({"a": tensor(), "b": tensor(4, 12)}, bytes(12)),
        raw({"a": tensor(8, 16)}, bytes(16)),
        raw({"a": tensor(0, 2**60)}, bytes(8)),
        raw({"a": tensor(-8, 0)}, bytes(8)),
        raw({"a": tensor(shape=(2**62, 4))}, bytes(8)),
        raw({"a": tensor(shape=(3,))}, bytes(8)),
        raw({"a": tensor(kind="X7")}, bytes(8)),
    ],
)
def test_files_that_are_no_safetensors(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    refused(lambda: read_checkpoint(folder), folder / "model.safetensors", "cannot be read", "download it again")


def test_nothing_is_written_for_a_damaged_file(folder, tmp_path):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1])
    flags = ["--pretrained", folder, "--output-dir", tmp_path / "runs", *EVENT_EXTRACTION.tiny]
    check_refusal(run_here(EVENT_EXTRACTION.folder, "train", flags), folder / "model.safetensors")
    assert not (tmp_path / "runs").exists() and sorted(path.name for path in tmp_path.iterdir()) == ["bert"]


def with_tensors(**changes):
    """Some of the tensors changed, each by a function; None drops it."""

    def change(folder):
        tensors = read_tensors(folder)
        for name, changed in changes.items():
            name = name.replace("__", ".")
            values = tensors.pop(name, np.zeros((32, 32), np.float32))
            if changed is not None:
                tensors[name] = changed(values)
        write_tensors(folder, tensors)

    return change


def not_a_number(values):
    values[1, 1] = np.nan
    return values


BIAS = "bert__encoder__layer__1__output__dense__bias"
TABLE = "bert__embeddings__word_embeddings__weight"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_tensors(**{BIAS: None}), ["has no bert.encoder.layer.1.output.dense.bias, which a bert has"]),
        (
            with_tensors(**{BIAS: None, BIAS.replace("bias", "weight"): None}),
            ["has no bert.encoder.layer.1.output.dense.bias and 1 more"],
        ),
        (
            with_tensors(bert__embeddings__position_embeddings__weight=None),
            ["has no bert.embeddings.position_embeddings"],
        ),
        (with_tensors(**{TABLE: None}), ["has no tensors of the name embeddings.word_embeddings.weight"]),
        (with_tensors(other__embeddings__word_embeddings__weight=abs), ["has 2 tensors of the name"]),
        (with_tensors(bert__encoder__layer__0__crossattention__self__key__weight=abs), ["crossattention", "no bert"]),
        (with_tensors(bert__embeddings__task_type_embeddings__weight=abs), ["task_type_embeddings", "no bert"]),
        (with_tensors(**{BIAS: lambda values: values[:5]}), [BIAS.replace("__", "."), "is (5,) and not (32,)"]),
        (with_tensors(**{TABLE: lambda values: values[:59]}), ["vocab_size is 60 there and 59 in the weights"]),
        (with_tensors(**{TABLE: lambda values: values[:, :8]}), ["is (2, 32) and not (2, 8)"]),
        (with_tensors(**{TABLE: lambda values: values.astype(np.int64)}), [WORDS, "is of I64"]),
        (with_tensors(**{TABLE: not_a_number}), [WORDS, "has values that are no numbers"]),
    ],
)
def test_tensors_that_are_not_those_of_the_network(folder, change, words):
    change(folder)
    refused(lambda: built(folder), folder, *words)


def built(folder):
    return BertEncoder.from_checkpoint(folder, 12).network()


OTHERS = ["roberta", "xlm-roberta", "t5", "mt5", "gpt2", "deberta", "deberta-v2", "distilbert", "modernbert", "new one"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        *(({"model_type": kind}, [f"model_type is {kind!r}, ", "take a BERT"]) for kind in [*OTHERS, ["bert"], 7]),
        ({"model_type": "albert"}, ["belong to no albert"]),
        ({"model_type": "electra", "vocab_size": 61}, ["vocab_size is 61"]),
        ({"model_type": "nezha"}, ["bert.embeddings.position_embeddings.weight belong to no nezha"]),
        ({"model_type": "roformer"}, ["position_embeddings.weight belong to no roformer"]),
        ({"model_type": "roformer", "norm_type": "rms_norm"}, ["norm_type is 'rms_norm' and use_bias True"]),
        ({"model_type": "ernie", "use_task_id": True}, ["task_type_embeddings.weight is missing"]),
        ({"rotary_value": True}, ["rotary_value is True, and must be False"]),
        ({"position_embedding_type": "relative_key"}, ["position_embedding_type is 'relative_key'"]),
        ({"is_decoder": True}, ["is_decoder is True"]),
        ({"hidden_act": "leaky_relu"}, ["hidden_act is 'leaky_relu'"]),
        ({"layer_norm_eps": 0}, ["layer_norm_eps is 0, and must be"]),
        ({"layer_norm_eps": "1e-12"}, ["layer_norm_eps is '1e-12'"]),
        ({"max_relative_position": 10**9}, ["max_relative_position"]),
        ({"num_hidden_layers": 3}, ["num_hidden_layers is 3 there and 2 in the weights"]),
        ({"hidden_size": 64}, ["hidden_size is 64 there and 32 in the weights"]),
        ({"attention_head_size": 1024, "num_attention_heads": 500}, ["missing or cut off, or its config"]),
    ],
)
def test_configs_of_other_networks(folder, changes, words):
    change_config(folder, **changes)
    refused(lambda: read_checkpoint(folder), folder, *words)


def test_an_albert_whose_embeddings_are_as_wide_as_its_states(tmp_path):
    folder = copy_checkpoint("albert", tmp_path / "albert")
    change_config(folder, embedding_size=30)
    tensors = read_tensors(folder)
    for name, values in tensors.items():
        if ".embeddings." in name or "mapping_in.weight" in name:
            tensors[name] = np.resize(values, (*values.shape[:-1], 30))
    write_tensors(folder, tensors)
    refused(lambda: read_checkpoint(folder), "maps embeddings to states of the same size")


def test_ernies_tasks_are_as_wide_as_its_segments(tmp_path):
    folder = copy_checkpoint("ernie", tmp_path / "ernie")
    tensors = read_tensors(folder)
    tensors["ernie.embeddings.task_type_embeddings.weight"] = np.zeros((3, 16), np.float32)
    write_tensors(folder, tensors)
    refused(lambda: read_checkpoint(folder), "task_type_embeddings.weight is (3, 16)", "(4, 32)")


def places(**changes):
    def change(folder):
        write_shards(folder)
        index = json.loads((folder / INDEX).read_text())
        index["weight_map"] |= {name.replace("__", "."): file for name, file in changes.items()}
        (folder / INDEX).write_text(json.dumps(index))

    return change


def index_of(content):
    def change(folder):
        write_shards(folder)
        (folder / INDEX).write_bytes(content)

    return change


def without(name):
    def change(folder):
        write_shards(folder)
        (folder / name).unlink()

    return change


def linked(name, target):
    def change(folder):
        (folder.parent / "elsewhere.txt").write_text("[PAD]")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder.parent / target if target == "elsewhere.txt" else target)

    return change


def dangling(name, make=lambda folder: None):
    def change(folder):
        make(folder)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("../../blobs/gone")

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("model-00002-of-00002.safetensors"), ["names model-00002-of-00002.safetensors, which is missing"]),
        (without(INDEX), ["has several files of weights", "no one model.safetensors.index.json"]),
        (places(x="../model.safetensors"), ["an index names .safetensors files beside it"]),
        (places(x="/etc/model.safetensors"), ["names /etc/model.safetensors - "]),
        (places(x="config.json"), ["/config.json - an index"]),
        (places(x="model-00001-of-00002.safetensors"), ["says that x is in model-00001-of-00002.safetensors"]),
        (places(x=7), ["no index of safetensors"]),
        (index_of(b"{}"), ["no index of safetensors"]),
        (index_of(b"[" * 100_000), ["no index of safetensors"]),
        (index_of(b"[]"), ["no index of safetensors"]),
        (index_of(b'{"weight_map": {}}'), ["has no tensors of the name"]),
        (index_of(b" " * 10_000_001), ["more than 10,000,000 bytes"]),
        (dangling("model.safetensors"), ["model.safetensors: is a link to ../../blobs/gone, which is not there"]),
        (linked("vocab.txt", "elsewhere.txt"), ["vocab.txt: is a link to ", "elsewhere.txt, out of the folder"]),
        (linked("x.index", "/dev/null"), ["x.index: is a link to /dev/null, out of the folder"]),
        (linked("x.index", "x.index"), ["x.index: is a link to ", "not there"]),
        (dangling("config.json"), ["config.json: is a link to ../../blobs/gone"]),
        (dangling("tokenizer_config.json"), ["tokenizer_config.json: is a link to ../../blobs/gone"]),
        (dangling("vocab.txt"), ["vocab.txt: is a link to ../../blobs/gone"]),
        (dangling("tokenizer.json", lambda folder: (folder / "vocab.txt").unlink()), ["tokenizer.json: is a link"]),
        (
            dangling("model-00002-of-00002.safetensors", write_shards),
            ["model-00002-of-00002.safetensors", "blobs/gone"],
        ),
        (lambda folder: (folder / "config.json").unlink(), ["has no config.json - "]),
        (lambda folder: (folder / "vocab.txt").unlink(), ["has no vocab.txt - "]),
        (lambda folder: write_tokenizer(folder, {"type": "BPE"}), ["its model is 'BPE', and must be WordPiece"]),
        (lambda folder: write_tokenizer(folder, {"type": "Unigram", "vocab": []}), ["its model is 'Unigram'"]),
        (lambda folder: write_tokenizer(folder, {"vocab": ["a"]}), ["is no WordPiece of a BERT"]),
        (lambda folder: write_tokenizer(folder, {"continuing_subword_prefix": ""}), ["is no WordPiece of a BERT"]),
        (lambda folder: write_tokenizer(folder, {"vocab": {"[PAD]": 0, "[UNK]": 60}}), ["whole numbers below 60"]),
        (lambda folder: write_tokenizer(folder, {"vocab": {"[PAD]": 0, "[UNK]": 10**12}}), ["whole numbers below 60"]),
        (lambda folder: write_tokenizer(folder, {"vocab": {"[PAD]": 0, "[UNK]": 0}}), ["different whole numbers"]),
        (lambda folder: write_tokenizer(folder, {"vocab": {}}), ["tokenizer.json: vocabulary: no token [PAD]"]),
        (lambda folder: write_tokenizer(folder, {"vocab": {"a\nb": 0}}), ["contains white space"]),
        (lambda folder: (write_tokenizer(folder), (folder / "tokenizer.json").write_text("[]")), ["no JSON object"]),
    ],
)
def test_files_that_are_missing_or_do_not_fit(folder, change, words):
    change(folder)
    refused(lambda: read_checkpoint(folder), folder, *words)


def test_links_within_the_folder_and_to_other_folders(folder):
    (folder / "vocab.txt").rename(folder / "words.txt")
    (folder / "vocab.txt").symlink_to("words.txt")
    (folder / "onnx").symlink_to(folder.parent)
    assert len(read_checkpoint(folder).tokenizer) == 60


@contextlib.contextmanager
def nobody():
    """What a user without rights sees; root may read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", [".", "model.safetensors"])
def test_without_permission_to_read(folder, name):
    for path in folder.parents:
        path.chmod(path.stat().st_mode | 0o55) if path.stat().st_uid == os.getuid() and len(path.parts) > 2 else None
    (folder / name).chmod(0)
    try:
        with nobody():
            refused(lambda: read_checkpoint(folder), folder / name, "cannot be read (Permission denied")
    finally:
        (folder / name).chmod(0o755)


def test_values_are_read_one_at_a_time(folder):
    tensors = read_checkpoint(folder).tensors
    names = ["bert/embeddings/word_embeddings", "bert/embeddings/position_embeddings"]
    reading = tensors.read(names)
    first = next(reading)
    before = first.copy()
    (folder / "model.safetensors").write_bytes(b"x" * 1000)
    refused(lambda: next(reading), folder / "model.safetensors", "cannot be read")
    np.testing.assert_array_equal(first, before)
