"""scripts/learn_trees.py as a user runs it: what it reads and writes, what it refuses, and that it learns structure."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from common.analysis.trees import read_bracketed
from common.keras_compat import keras, seed_everything
from common.layers import OrderedNeuronsLSTM
from common.runs.values import settings_from_json
from common.runs.weights import restore

import competition
from helpers import interrupt_second_epoch, refused, write
from workshop import arrays, check_refusal, files_below, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import learn_trees  # noqa: E402
import tree_network  # noqa: E402
import tree_texts  # noqa: E402

TINY = ["--unit", "blanks", "--hidden-size", 8, "--levels", 2, "--layers", 2, "--epochs", 1, "--batch-size", 16]
FILES = ["lstm.weights.h5", "on_lstm.weights.h5", "scores.json", "settings.json", "trees.txt", "vocab.json"]


def learn(*flags):
    """The run is beside the output, unless flags say where."""
    flags = [*map(str, flags)]
    if "--output" in flags and "--output-dir" not in flags:
        output = Path(flags[flags.index("--output") + 1])
        flags += ["--output-dir", output.with_name(f"runs-{output.name}")]
    return run_here(SCRIPTS, "learn_trees", flags)


# Sentences


def test_a_line_becomes_words_or_characters():
    texts = ["他 写完 了。 ", " ", "AB 公司"]
    assert list(tree_texts.lines_of(texts, "blanks")) == [["他", "写完", "了。"], ["AB", "公司"]]
    assert list(tree_texts.lines_of(texts, "characters")) == [[*"他写完了。"], [*"AB公司"]]
    assert list(tree_texts.lines_of(["他毕业于戏剧学院 。"], "jieba")) == [["他", "毕业", "于", "戏剧学院", "。"]]


@pytest.mark.parametrize("room", [1, 2, 5, 9, 40])
def test_a_long_line_is_cut_behind_marks_and_nothing_is_lost(room):
    generator = np.random.default_rng(1)
    for _ in range(100):
        line = [str(token) for token in generator.choice(["a", "b", "c", "，"], generator.integers(1, 40))]
        parts = list(tree_texts.pieces(line, room))
        assert [token for part in parts for token in part] == line and all(0 < len(part) <= room for part in parts)
    assert [len(part) for part in tree_texts.pieces("a b c ， d e f g".split(), 6)] == [4, 4]


def test_the_vocabulary_has_the_most_frequent_tokens_in_normal_form():
    lines = [["Ａ", "a", "b", "[END]"], ["b", "c", "A", "[END]", "[END]"]]
    vocabulary = tree_texts.Vocabulary.of(lines, 6)
    assert vocabulary.tokens == [*tree_texts.SPECIAL, "[end]", "a"]
    vocabulary = tree_texts.Vocabulary.of([line[:3] for line in lines], 9)
    assert vocabulary.tokens == [*tree_texts.SPECIAL, "a", "b"]
    assert vocabulary.row(["B", "ｂ", "a", "c", "[END]"]).tolist() == [2, 5, 5, 4, 1, 1, 3]
    assert vocabulary.row([]).tolist() == [2, 3]


def test_one_line_in_twenty_is_held_out_whole():
    texts = [f"{number} , x y z" for number in range(50)]
    corpus = tree_texts.read_corpus(texts, "blanks", 100, 2)
    lines = {tuple(part) for part in corpus.dev_tokens if part[0].isdecimal()}
    assert lines == {("1", ","), ("21", ","), ("41", ",")} and corpus.lines == 50
    assert len(corpus.dev) == len(corpus.dev_tokens) == 9 and len(corpus.train) == 47 * 3


def test_tokens_of_words_that_are_known():
    assert tree_texts.tokens_of(["毕业", "于", "A B"], "blanks") == (["毕业", "于", "A B"], [0, 1, 2])
    assert tree_texts.tokens_of(["毕业", "于", "A B"], "characters") == ([*"毕业于AB"], [0, 2, 3])


def test_both_kinds_of_gold_are_read(tmp_path):
    lines = [json.dumps({"words": ["他", "写", "书"], "heads": [2, 0, 2]}), "", "((他 写) 书)"]
    gold = tree_texts.read_gold(write(tmp_path / "gold", "\n".join(lines)))
    assert gold == [(["他", "写", "书"], {(0, 3)}), (["他", "写", "书"], {(0, 3), (0, 2)})]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"words": ["a", "b"], "heads": [0]}', "2 words and 1 heads"),
        ('{"words": ["a", "b"], "heads": [2, 1]}', "word 1 hangs on itself"),
        ('{"words": ["a", "b"], "heads": [0, 5]}', "the head of word 2 is 5"),
        ('{"words": ["a", " "], "heads": [0, 1]}', "word 2 is blank"),
        ('{"words": ["a", 1], "heads": [0, 1]}', '"words[1]" is a whole number'),
        ('{"words": ["a"], "heads": [true]}', '"heads[0]" is true or false'),
        ('{"words": ["a"]}', '"heads" is missing'),
        ('{"words": ["a"]', "not JSON"),
        ("(a (b c)", "a bracket before word 1 is not closed"),
    ],
)
def test_gold_that_makes_no_tree_is_refused_with_its_line(tmp_path, line, words):
    path = write(tmp_path / "gold", f"(a b)\n{line}\n")
    refused(lambda: tree_texts.read_gold(path), f"{path}:2", words)


# The network


def test_with_one_level_it_is_an_lstm():
    seed_everything(1)
    x, mask = np.random.default_rng(1).normal(size=(2, 6, 3)).astype(np.float32), np.ones((2, 6))
    ordered, plain = OrderedNeuronsLSTM(4, 1), keras.layers.LSTM(4, return_sequences=True)
    ordered(x, mask), plain(x)
    for weight in plain.weights:
        weight.assign(np.random.default_rng(2).normal(0, 0.7, weight.shape))
    columns = [np.split(weight, 4, -1) for weight in plain.get_weights()]  # i, f, tanh(..), o
    masters = [np.zeros((*weight.shape[:-1], 2)) for weight in plain.get_weights()]
    ordered.set_weights([np.concatenate([master, c, f, i, o], -1) for master, (i, f, c, o) in zip(masters, columns)])
    np.testing.assert_allclose(ordered(x, mask), plain(x), atol=1e-6)


def test_perplexity_and_distances_do_not_hang_on_the_batch():
    seed_everything(1)
    network = tree_network.build_network(9, 8, 2, 4, 0.25, 0.3)
    rows = [np.array([2, *range(4, 4 + length), 3], np.int32) for length in (5, 1, 3, 0)]
    model = tree_network.TrainingModel(network, tree_network.loss)
    losses = []
    for row in rows:
        logits = network(row[None, :-1])["logits"].numpy()[0].astype(np.float64)
        chosen = logits[np.arange(len(logits)), row[1:]]
        losses += (np.log(np.exp(logits).sum(-1)) - chosen).tolist()
    assert tree_network.perplexity_of(model, rows) == pytest.approx(np.exp(np.mean(losses)), rel=1e-5)
    together = list(tree_network.distances_of(network, rows))
    assert [values.shape for values in together] == [(5, 2), (1, 2), (3, 2), (0, 2)]
    for row, values in zip(rows, together):
        np.testing.assert_allclose(values, network(row[None])["distances"][0, 1:-1], atol=1e-6)
        assert ((0 <= values) & (values < 1)).all()


# The script


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    generator = np.random.default_rng(1)
    lines = [" ".join(generator.choice(["a", "b", "c", "d", "，"], 7)) for _ in range(120)]
    return write(tmp_path_factory.mktemp("text") / "text.txt", "\n".join(lines))


@pytest.fixture(scope="module")
def learned(text, tmp_path_factory):
    home = tmp_path_factory.mktemp("learned")
    lines = ["((a b) ， (c d))", json.dumps({"words": ["a", "c", "，"], "heads": [2, 0, 2]}), "(x (y z))"]
    gold = write(home / "gold.txt", "\n".join(lines))
    done = succeeds(learn("--input", text, "--output", home / "out", *TINY, "--gold", gold, "--shown", 2))
    return home / "out", gold, done


def test_the_folder_has_all_that_was_learned(learned):
    out, _, done = learned
    assert files_below(out) == FILES
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    assert set(scores["perplexity"]) == {"on_lstm", "lstm"} and min(scores["perplexity"].values()) > 1
    assert scores["layer"] == 2 and set(scores["f1"]) == {"layer 1", "layer 2", "left", "right", "balanced", "random"}
    assert {score["sentences"] for score in scores["f1"].values()} == {2}, "of two words there is only the sentence"
    assert "layer 2 (read)" in done.out and "F1 of 2 sentences" in done.out and f"kept in {out}" in done.out
    trees = (out / "trees.txt").read_text("utf-8").splitlines()
    assert [read_bracketed(line)[0] for line in trees] == [["a", "b", "c", "d"], ["a", "c"], ["x", "y", "z"]]
    assert all(line in done.out for line in trees[:2]) and trees[2] not in done.out


def test_what_it_wrote_builds_the_network_again(learned):
    out, *_ = learned
    settings = json.loads((out / "settings.json").read_text("utf-8"))
    config = settings_from_json(learn_trees.Config, settings, out / "settings.json")
    tokens = json.loads((out / "vocab.json").read_text("utf-8"))
    for name, levels in (("on_lstm", config.levels), ("lstm", 1)):
        network = tree_network.build_network(len(tokens), config.hidden_size, config.layers, levels, 0, 0)
        restore(network.weights, out / f"{name}.weights.h5", "model")


@pytest.mark.slow(reason="trains twice more; seeds are set as everywhere")
def test_one_seed_gives_one_result_and_another_one_another(learned, text, tmp_path):
    out, gold, _ = learned
    for seed in (1, 2):
        flags = [*TINY, "--gold", gold, "--no-plain", "--seed", seed]
        succeeds(learn("--input", text, "--output", tmp_path / str(seed), *flags))
    assert files_below(tmp_path / "1") == FILES[1:]
    weights = [arrays(folder / "on_lstm.weights.h5") for folder in (out, tmp_path / "1", tmp_path / "2")]
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.slow(reason="trains three times more; runs are kept and resumed as in the contests")
def test_a_training_that_was_interrupted_ends_the_same(learned, text, tmp_path, monkeypatch):
    """In the second network, and in the second epoch of the first."""
    out, gold, _ = learned
    two = [*TINY[:-4], "--epochs", 2, *TINY[-2:], "--gold", gold]
    succeeds(learn("--input", text, "--output", tmp_path / "whole", *two))
    interrupt_second_epoch(monkeypatch)
    killed = ["--output", tmp_path / "killed", "--output-dir", tmp_path / "runs"]
    stopped = learn("--input", text, *two, *killed, "--run-name", "one")
    assert (
        stopped.code and "learn_trees.py --run-name one --resume" in stopped.err and not (tmp_path / "killed").exists()
    )
    monkeypatch.undo()
    succeeds(learn("--run-name", "one", "--resume", "--output-dir", tmp_path / "runs"))
    for name in ("on_lstm.weights.h5", "lstm.weights.h5"):
        assert arrays(tmp_path / "killed" / name) == arrays(tmp_path / "whole" / name)
    names = ("trees.txt", "scores.json", "vocab.json")
    assert all((tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes() for name in names)
    text_then = text.read_text("utf-8")
    text.write_text(text_then.replace("b", "e"), "utf-8")
    refusal = learn("--run-name", "one", "--resume", "--output", tmp_path / "more", "--output-dir", tmp_path / "runs")
    text.write_text(text_then, "utf-8")
    check_refusal(refusal, "was started on other texts")


@pytest.mark.parametrize("unit", ["jieba", "characters"])
def test_without_gold_held_out_lines_are_shown(unit, tmp_path):
    lines = [f"他{number}年写完了小说，由云桥出版社出版" for number in range(40)]
    text = write(tmp_path / "text.txt", "\n".join(lines))
    flags = [*TINY, "--unit", unit, "--no-plain", "--punctuation"]
    succeeds(learn("--input", text, "--output", tmp_path / "out", *flags))
    trees = (tmp_path / "out/trees.txt").read_text("utf-8").splitlines()
    assert ["".join(read_bracketed(line)[0]) for line in trees] == lines[1::20]
    assert json.loads((tmp_path / "out/scores.json").read_text("utf-8"))["f1"] == {}


def test_mistakes_are_told(text, tmp_path):
    given = ["--input", text, "--output", tmp_path / "out"]
    empty, one = write(tmp_path / "empty", "\n \n"), write(tmp_path / "one", "a b")
    bad = write(tmp_path / "bad", '{"words": ["a"], "heads": [0, 1]}')
    for flags, words in (
        (["--output", tmp_path / "out"], ["--input", "missing"]),
        (["--input", text], ["--output", "missing"]),
        (["--input", tmp_path / "nothing", *given[2:]], ["no such file"]),
        (["--input", text, "--output", tmp_path], ["--output", "is there already"]),
        (["--input", empty, *given[2:]], ["--input", "0 different lines"]),
        (["--input", one, *given[2:], "--unit", "blanks"], ["--input", "1 different lines"]),
        ([*given, "--levels", 5], ["--levels 5", "must divide", "128"]),
        ([*given, "--levels", 0], ["--levels 0"]),
        ([*given, "--layer", 4], ["--layer 4", "at most --layers"]),
        ([*given, "--dropconnect", 1], ["--dropconnect 1"]),
        ([*given, "--unit", "words"], ["--unit"]),
        ([*given, "--gold", tmp_path / "nothing"], ["nothing"]),
        ([*given, "--gold", bad], [f"{bad}:1", "1 words and 2 heads"]),
        ([*given, *TINY, "--learning-rate", "1e30"], ["--learning-rate 1e+30", "no number"]),
    ):
        check_refusal(learn(*flags), *words)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".tmp*"))


# That it learns


def sentence_of_grammar(generator):
    """Two to four phrases in a row, ((verb ((degree adjective) noun)) ..). The verb says which nouns may follow, the
    adjective which of these: what a verb means is over where the next one begins, what an adjective does, at the noun."""

    def phrase():
        verb, kind = generator.integers(3, size=2)
        noun = f"noun{kind}{verb}"
        if generator.random() < 0.7:
            return [f"verb{verb}", [[f"degree{generator.integers(2)}", f"adjective{kind}"], noun]]
        return [f"verb{verb}", noun]

    return [phrase() for _ in range(generator.integers(2, 5))]


def shown(tree):
    return tree if isinstance(tree, str) else f"({' '.join(map(shown, tree))})"


@pytest.mark.slow(reason="trains for half a minute; the layer, its distances and the trees are tested one by one above")
def test_it_finds_the_phrases_of_a_grammar(tmp_path):
    generator = np.random.default_rng(1)
    trees = list(dict.fromkeys(shown(sentence_of_grammar(generator)) for _ in range(2600)))
    text = write(tmp_path / "text.txt", "\n".join(" ".join(read_bracketed(tree)[0]) for tree in trees[300:]))
    gold = write(tmp_path / "gold.txt", "\n".join(trees[:300]))
    flags = ["--unit", "blanks", "--layers", 1, "--hidden-size", 64, "--epochs", 8, "--batch-size", 32]
    flags += ["--learning-rate", 0.005, "--dropout", 0.1]
    done = learn("--input", text, "--output", tmp_path / "out", *flags, "--gold", gold, "--no-plain")
    scores = json.loads((tmp_path / "out/scores.json").read_text("utf-8"))["f1"]
    simple = max(scores[name]["sentence"] for name in ("left", "right", "balanced", "random"))
    assert scores["layer 1"]["sentence"] > simple + 0.3, succeeds(done).out
