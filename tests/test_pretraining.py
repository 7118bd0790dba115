"""scripts/pretrain.py as a user runs it: on texts, killed and continued, and what a contest makes of the result."""

import json

import numpy as np
import pytest

from common.encoders import build_encoder, load_encoder
from common.encoders.bert import BertEncoder
from common.encoders.bert_config import checked_config
from common.generators import pad_features
from common.keras_compat import seed_everything
from common.options import EncoderOptions
from common.pretraining.model import build_network, loss
from common.runs.weights import load_arrays
from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer, windows

import competition
from helpers import interrupt_second_epoch, mostly_slow, refused, write
from workshop import arrays, check_refusal, files_below, run_here, succeeds, without_seconds

SCRIPTS = competition.ROOT / "scripts"
WORDS = ["山上", "灯", "照着", "河流", "村庄", "小说", "写下", "他", "我们", "昨天", "回来", "了"]
SMALL = ["--max-length", 16, "--hidden-size", 8, "--layers", 1, "--batch-size", 4, "--steps", 9, "--save-steps", 3]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    generator = np.random.default_rng(1)
    lines = ["".join(generator.choice(WORDS, 8)) for _ in range(400)]
    return write(tmp_path_factory.mktemp("texts") / "texts.txt", "\n".join(lines))


def pretrain(*flags):
    return run_here(SCRIPTS, "pretrain", flags)


@pytest.fixture(
    scope="module",
    params=mostly_slow(
        ["dgcnn", "on_lstm", "roformer"], "dgcnn", "roformer", reason="a light encoder is kept and read as a DGCNN is"
    ),
)
def pretrained(request, texts, tmp_path_factory):
    """(kind, folder with runs and output)"""
    home = tmp_path_factory.mktemp("pretrained")
    flags = [*SMALL, "--encoder", request.param, "--output", home / "out", "--output-dir", home, "--run-name", "whole"]
    done = succeeds(pretrain("--input", texts, *flags))
    assert "396 to train on" in done.out and "part 3/3" in done.out and f"kept in {home / 'out'}" in done.out
    return request.param, home


def test_a_run_keeps_what_it_did(pretrained):
    kind, home = pretrained
    history = without_seconds(home / "pretraining/whole")
    assert [line["epoch"] for line in history] == [1, 2, 3]
    assert all(0 <= line["accuracy"] <= 1 < line["perplexity"] for line in history)
    errors = json.loads((home / "pretraining/whole/dev_errors.json").read_text("utf-8"))
    assert all("[MASK]" in error["text"] or error["right"] != error["said"] for error in errors)


def states_of(encoder, network=None):
    text = "".join(WORDS)
    inputs = pad_features(encoder.features(text, windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), 16)))
    return (network or encoder.network())(inputs)[0].numpy()


def test_a_contest_begins_with_what_was_learned(pretrained):
    kind, home = pretrained
    run = home / "pretraining/whole"
    of_run = load_encoder(run)
    whole, _ = build_network(of_run)
    learned = dict(load_arrays(run / "best.weights.h5", "model"))
    if kind != "roformer":
        assert files_below(home / "out") == ["best.weights.h5", "encoder.json", "vocab.txt", "words.json"]
        options = EncoderOptions(pretrained_light=home / "out", dropout=0.7, max_length=99)
        encoder = build_encoder(options, [])
        assert encoder.settings.dropout == 0.7 and encoder.max_length == 99
        network = encoder.network()
        pair = {weight.name: weight.numpy() for weight in encoder.pair_network().weights}
        assert all((weight.numpy() == learned[weight.name]).all() for weight in network.weights)
        inner = "convolution_0/kernel:0" if kind == "dgcnn" else "on_lstm_backwards_0/recurrent_kernel:0"
        for name in ("token_ids_embedding/embeddings:0", "word_ids_embedding/embeddings:0", inner):
            assert (pair[name] == learned[name]).all(), name
        words, trained = "word_ids_embedding/embeddings:0", {weight.name for weight in network.trainable_weights}
        assert words not in trained and len(trained) == len(network.weights) - 1
        assert words in {weight.name for weight in whole.trainable_weights}, "which pretraining learns"
        of_a_run = build_encoder(EncoderOptions(pretrained_light=run), [])
        assert (states_of(of_a_run) == states_of(encoder, network)).all()
    else:
        assert "bert_config.json" in files_below(home / "out")
        encoder = build_encoder(EncoderOptions(pretrained=home / "out"), [])
        assert encoder.max_length == 16 and encoder.tokenizer.vocabulary == of_run.tokenizer.vocabulary
        again, _ = build_network(encoder)
        assert len(again.weights) == len(learned)
        assert all((weight.numpy() == learned[weight.name]).all() for weight in again.weights)


@pytest.mark.slow(reason="runs of contests are killed in the default suite, and kept by the same code")
def test_a_run_that_was_killed_ends_with_the_same_weights(pretrained, texts, monkeypatch):
    kind, home = pretrained
    flags = [*SMALL, "--encoder", kind, "--output-dir", home, "--run-name", "killed"]
    interrupt_second_epoch(monkeypatch)
    stopped = pretrain("--input", texts, "--output", home / "killed", *flags)
    assert stopped.code and "pretrain.py --run-name killed --resume" in stopped.err and not (home / "killed").exists()
    monkeypatch.undo()
    succeeds(pretrain("--run-name", "killed", "--resume", "--output-dir", home))
    assert files_below(home / "killed") == files_below(home / "out")
    runs = home / "pretraining"
    assert arrays(runs / "killed/last/state.h5") == arrays(runs / "whole/last/state.h5")
    assert without_seconds(runs / "killed") == without_seconds(runs / "whole")


def test_it_learns(tmp_path):
    """Texts in which one word follows from the other."""
    lines = ["".join(WORDS[(first + place) % len(WORDS)] for place in range(12)) for first in range(12)]
    texts = write(tmp_path / "texts.txt", "\n".join(f"{line}{number}" for number in range(40) for line in lines))
    flags = [*SMALL, "--hidden-size", 32, "--max-length", 32, "--steps", 40, "--save-steps", 40, "--batch-size", 16]
    flags += ["--learning-rate", 0.01, "--ema-momentum", 0.8, "--output-dir", tmp_path, "--output", tmp_path / "out"]
    done = succeeds(pretrain("--input", texts, *flags))
    assert float(done.out.partition("best dev accuracy ")[2].split(",")[0]) > 0.5, done.out


def test_mistakes_are_told(texts, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    given = ["--input", texts, "--output", tmp_path / "out", "--output-dir", tmp_path]
    for flags, words in (
        (["--input", texts, "--output", there], ["--output", "is there already"]),
        (["--output", tmp_path / "out"], ["--input", "missing"]),
        (["--input", texts], ["--output", "missing"]),
        ([*given, "--mask-share", 0], ["--mask-share"]),
        ([*given, "--word-vectors", texts], ["--word-vectors"]),
        ([*given, "--lazy-embeddings"], ["--lazy-embeddings"]),
        ([*given, "--batch-size", 999], ["too few"]),
        ([*given, "--pretrained-light", there], ["--pretrained-light", there, "best.weights.h5"]),
        ([*given, "--pretrained-light", there, "--encoder", "bert"], ["--pretrained-light", "--encoder bert"]),
    ):
        check_refusal(pretrain(*flags), *words)
    assert [path.name for path in tmp_path.iterdir()] in (["there"], ["there", "pretraining"], ["pretraining", "there"])
    assert not [*tmp_path.glob("pretraining/*")]


FAMILIES = ("bert", "roformer_v2")  # whose head differs
OTHERS = [
    pytest.param(one, marks=pytest.mark.slow(reason="built as BERT is")) for one in ("albert", "nezha", "roformer")
]


@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_only_hidden_places_go_through_the_head(family):
    """The logits are those that bert4keras computes of all places."""
    seed_everything(1)
    vocabulary = [*SPECIAL_TOKENS, *"山上灯照着河流"]
    config = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12}
    config |= {"max_position_embeddings": 16, "type_vocab_size": 2, "vocab_size": len(vocabulary), "embedding_size": 8}
    encoder = BertEncoder(WordPieceTokenizer(vocabulary), checked_config(config, "test", family), 16, family)
    network, transformer = build_network(encoder)
    tokens = np.array([[2, 5, 4, 6, 3, 0], [2, 4, 8, 9, 7, 3]])
    places = np.array([[2, 0], [1, 4]])
    inputs = {"token_ids": tokens, "segment_ids": np.zeros_like(tokens), "hidden_places": places}
    logits = network(inputs)["logits"].numpy()
    whole = transformer.model([tokens, np.zeros_like(tokens)]).numpy()
    np.testing.assert_allclose(logits, np.take_along_axis(whole, places[..., None], 1), atol=1e-5)
    assert logits.shape == (2, 2, len(vocabulary)) and np.ptp(logits) > 0.01


def test_an_electra_is_refused():
    config = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12}
    config |= {"max_position_embeddings": 16, "type_vocab_size": 2, "vocab_size": 5}
    encoder = BertEncoder(
        WordPieceTokenizer([*SPECIAL_TOKENS]), checked_config(config, "test", "electra"), 16, "electra"
    )
    refused(lambda: build_network(encoder), "ELECTRA", "masked language model")


def test_labels_that_are_none_count_for_nothing():
    logits = np.array([[[2.0, 0, 1], [9, 9, 9]]], np.float32)
    [term] = loss({"labels": np.array([[2, -1]])}, {"logits": logits})
    expected = np.log(np.exp(logits[0, 0]).sum()) - 1
    assert float(term.numerator) == pytest.approx(expected) and float(term.denominator) == 1
