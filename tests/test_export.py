"""scripts/export.py: what a run becomes elsewhere says what the run says, whole or not at all."""

import random
import shutil

import numpy as np
import pytest

from common.command_line import UserError
from common.encoders import build_encoder, save_encoder
from common.encoders.checkpoint import read_checkpoint
from common.encoders.saving import variables_of
from common.exporting import hub
from common.exporting.graphs import TEXTS, TOKENS
from common.exporting.hub import hub_arrays
from common.exporting.text import TextReader
from common.keras_compat import keras, tf
from common.options import EncoderOptions
from common.runs.directory import create_run
from common.runs.weights import load_arrays, named_values, save_arrays
from common.tokenizers import WordPieceTokenizer, pair_windows

import competition
from helpers import write
from hub_checkpoint import FAMILIES, copy_checkpoint, read_tensors
from test_tokenizers import SWITCHES, TOKENIZERS, random_text
from workshop import Finished, check_refusal, files_below, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
EVENTS, READING, RELATIONS = (
    f"lic2020_{name}" for name in ("event_extraction", "reading_comprehension", "relation_extraction")
)
CORPUS = ["2020年5月，Café 在北京开业，你好。x1²ＡＢ"] * 2


def export(run, kind, output) -> Finished:
    with competition.inside(run.parent.name):
        return run_here(SCRIPTS, "export", [run, "--format", kind, "--output", output])


def random_run(folder, task, kind, switches=(True, None, True)):
    """A run that was not trained, with all that its network is built from."""
    encoder = build_encoder(EncoderOptions(encoder=kind, hidden_size=8, layers=1, max_length=24, word_size=4), CORPUS)
    encoder.tokenizer = WordPieceTokenizer(encoder.tokenizer.vocabulary, *switches)
    sample = competition.COMPETITIONS / task / "sample"

    def write_run(path):
        save_encoder(encoder, path)
        for name in ("schema.json", "event_schema.json"):
            if (sample / name).exists():
                (path / name).write_bytes((sample / name).read_bytes())
        write(path / "network.json", {"head": "global_pointer", "transition_multiplier": 1.0})

    run = create_run(task, folder, "random", write=write_run)
    keras.utils.set_random_seed(1)
    with competition.inside(task):
        network = competition.load(SCRIPTS, "run_networks").untrained_network(run, encoder)
    save_arrays(run.best_weights, {"model": named_values(network.weights)})
    return run.path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def of_events(home):
    """A BERT that keeps accents."""
    return random_run(home / "bert", EVENTS, "bert", SWITCHES[2])


# Checkpoints


@pytest.mark.parametrize("kind", ["hub", "tensorflow"])
def test_the_bert_of_a_run_is_a_checkpoint(of_events, tmp_path, kind):
    done = succeeds(export(of_events, kind, tmp_path / "out"))
    assert "the largest difference of an output is 0.0e+00" in done.out and "bytes" in done.out
    found = read_checkpoint(tmp_path / "out")
    kept = [values for _, values in load_arrays(of_events / "best.weights.h5", "model")]
    assert (found.tokenizer.lowercase, found.tokenizer.strip_accents) == (True, False)
    names = list(found.tensors.shapes)
    for name, values in zip(names, found.tensors.read(names)):
        assert any(np.array_equal(values, one) for one in kept), name


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "ernie"])
def test_the_names_of_the_hub_and_back(family, tmp_path):
    """ERNIE's embedding of tasks has become part of that of segments."""
    found = read_checkpoint(copy_checkpoint(family, tmp_path / family))
    names = list(found.tensors.shapes)
    arrays = hub_arrays(found.model, dict(zip(names, found.tensors.read(names))))
    given = read_tensors(tmp_path / family)
    body = {name for name in given if "embeddings.word_embeddings" in name}.pop().removesuffix(
        "embeddings.word_embeddings.weight"
    )
    assert len(arrays) == len(names)
    for name, values in arrays.items():
        original = given[name] if name in given else given[body + name]
        np.testing.assert_array_equal(values, original.astype(np.float32))


def test_weights_without_a_place_in_the_hub_are_refused():
    with pytest.raises(UserError, match="embedding_hidden_mapping_in/kernel has no place in a bert of the hub - take"):
        hub_arrays("bert", {"bert/encoder/embedding_hidden_mapping_in/kernel": np.zeros((2, 2))})


# Texts


def is_the_same_in_a_graph(text):
    """Not a capital sigma, nor what changes places."""
    return not any(character in "Σ\u302e\u302f\U0001d165\U0001d16d\U0001d15e\u16ff0" for character in text)


@pytest.mark.parametrize(
    "switches",
    [
        SWITCHES[2],
        *(
            pytest.param(one, marks=pytest.mark.slow(reason="one stands for all in the default suite"))
            for one in SWITCHES
            if one != SWITCHES[2]
        ),
    ],
)
def test_texts_in_a_graph(switches):
    """Rare marks and letters, long words, tokens of several characters, texts that are cut, and none at all."""
    tokenizer, generator = TOKENIZERS[switches], random.Random(4)
    texts = ["", "x" * 200, "x" * 201, "北京北京 abcdx2012，", "\ud800".encode("utf-8", "replace").decode()]
    while len(texts) < 200:
        text = "".join(one for one in random_text(generator) if not "\ud800" <= one <= "\udfff")
        if is_the_same_in_a_graph(text):
            texts.append(text)
    reader = TextReader(tokenizer, 20)
    found = tf.function(reader.__call__, autograph=False)(tf.constant(texts))
    expected = [tokenizer.encode(text, 20).ids for text in texts]
    assert found["token_ids"].shape == found["segment_ids"].shape == (len(texts), 20)
    for text, row, ids in zip(texts, found["token_ids"].numpy(), expected):
        assert row.tolist() == [*ids.tolist(), *[0] * (20 - len(ids))], ascii(text)
    found = tf.function(reader.pairs, autograph=False)(tf.constant(texts[:100]), tf.constant(texts[100:]))
    for row, (question, context) in enumerate(zip(texts[:100], texts[100:])):
        window = pair_windows(tokenizer, tokenizer.tokenize(question), tokenizer.tokenize(context), 20)[0]
        ids, length = window.encoding.ids.tolist(), len(window.encoding)
        assert found["token_ids"][row, :length].numpy().tolist() == ids, (question, context)
        assert found["segment_ids"][row, :length].numpy().tolist() == window.segment_ids.tolist()


# Graphs


def test_a_network_that_reads_plain_text(of_events, tmp_path):
    done = succeeds(export(of_events, "savedmodel", tmp_path / "out"))
    assert "signatures: serving_default, tokens, texts" in done.out
    assert (tmp_path / "out/vocab.txt").is_file()
    signatures = tf.saved_model.load(str(tmp_path / "out")).signatures
    texts = tf.constant(["Café 在北京", "你好"])
    by_text, tokens = signatures[TEXTS](texts=texts), signatures[TOKENS](texts=texts)
    by_tokens = signatures["serving_default"](**tokens)
    assert {"type_logits", "spans", "first", "last"} == set(by_text)
    assert all((by_text[name].numpy() == by_tokens[name].numpy()).all() for name in by_text)


@pytest.mark.slow(reason="the graph for pairs is tested by itself")
def test_a_network_that_reads_questions(home, tmp_path):
    run = random_run(home / "bert", READING, "bert")
    succeeds(export(run, "savedmodel", tmp_path / "out"))
    signature = tf.saved_model.load(str(tmp_path / "out")).signatures[TEXTS]
    found = signature(questions=tf.constant(["你好", "x"]), contexts=tf.constant(["在北京开业", "5月"]))
    assert found["outputs"].shape == (2, 3 + 2 + 5, 2)


@pytest.mark.slow(reason="two more graphs, which differ from the one above in what is said of them")
def test_what_is_no_text_alone_is_said(home, tmp_path):
    done = succeeds(export(random_run(home / "bert", RELATIONS, "bert"), "savedmodel", tmp_path / "one"))
    assert "the network also reads subjects" in done.out and "tokens, texts" not in done.out
    done = succeeds(export(random_run(home / "light", RELATIONS, "dgcnn"), "savedmodel", tmp_path / "two"))
    assert "ids only, no text" in done.out and (tmp_path / "two/words.json").is_file()


@pytest.mark.slow(reason="TensorFlow Lite takes long to convert; nothing else here depends on it")
@pytest.mark.parametrize(
    ("task", "kind"),
    [(EVENTS, "bert"), (EVENTS, "dgcnn"), (EVENTS, "on_lstm"), (RELATIONS, "bert"), (READING, "dgcnn")],
)
def test_tensorflow_lite(home, tmp_path, task, kind):
    done = succeeds(export(random_run(home / f"lite-{kind}", task, kind), "tflite", tmp_path / "out"))
    assert (tmp_path / "out/model.tflite").is_file() and "padded to 24 tokens" in done.out
    assert ("the encoder alone" in done.out) == (task == RELATIONS)


# What is refused


@pytest.fixture(scope="module")
def light(home):
    return random_run(home / "refused", READING, "dgcnn")


@pytest.mark.parametrize("kind", ["hub", "tensorflow"])
def test_a_light_encoder_is_no_checkpoint(light, tmp_path, kind):
    check_refusal(export(light, kind, tmp_path / "out"), f"--format {kind}", "light", "savedmodel")
    assert files_below(tmp_path) == []


def test_what_is_there_stays(light, tmp_path):
    (tmp_path / "out").mkdir()
    check_refusal(export(light, "savedmodel", tmp_path / "out"), "--output", "already")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda run: (run / "best.weights.h5").unlink(), ["best.weights.h5", "train it"]),
        (lambda run: (run / "config.json").unlink(), ["no run directory"]),
        (lambda run: write(run / "config.json", {"task": "other", "settings": {}, "data": {}}), ["is a run of other"]),
        (lambda run: write(run / "config.json", {"task": 3}), ["config.json", "task"]),
        (lambda run: write(run / "encoder.json", {"kind": "newer"}), ["newer", "use the version that trained"]),
        (
            lambda run: save_arrays(run / "best.weights.h5", {"model": [("a", np.zeros(99_999, np.float32))]}),
            ["best.weights.h5", "does not fit this network"],
        ),
    ],
)
def test_runs_that_cannot_be_exported(light, tmp_path, break_it, words):
    run = shutil.copytree(light, tmp_path / READING / "broken")
    break_it(run)
    check_refusal(export(run, "savedmodel", tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def test_what_says_something_else_does_not_appear(of_events, tmp_path, monkeypatch):
    monkeypatch.setattr(
        hub, "variables_of", lambda *given: {name: values * 1.01 for name, values in variables_of(*given).items()}
    )
    check_refusal(export(of_events, "hub", tmp_path / "out"), "something else than the run", "report this")
    assert files_below(tmp_path) == []
