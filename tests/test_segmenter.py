"""A segmenter that a dictionary has trained: its sentences, how it decodes, and its two scripts."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.lexicon.pseudo_sentences import BEGIN, END, INSIDE, SINGLE, PseudoSentences, characters_of, cut_at
from common.lexicon.segmentation_score import segmentation_score
from common.lexicon.segmenter import Segmenter, build_network, word_ends

import competition
from helpers import interrupt_second_epoch, write, write_lines
from workshop import check_refusal, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
WORDS = {"山": 30, "山上": 20, "灯": 30, "河流": 20, "山河": 10, "照亮": 20, "一二三四": 5}


# Sentences


def words_in(batch, letters):
    for ids, labels in zip(batch["token_ids"], batch["labels"]):
        length = np.count_nonzero(ids)
        assert not ids[length:].any() and not labels[length:].any()
        words = cut_at("".join(letters[ids[:length]]), np.isin(labels[:length], (END, SINGLE)))
        yield from words
        expected = [
            label
            for word in words
            for label in ([SINGLE] if len(word) == 1 else [BEGIN, *[INSIDE] * (len(word) - 2), END])
        ]
        assert labels[:length].tolist() == expected


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_sentences_are_words_by_their_frequency(power):
    characters = characters_of(WORDS)
    letters = np.array(["", "?", *characters])
    sentences = PseudoSentences(WORDS, characters, power, 200, seed=3)
    batches = [sentences.batch(step) for step in range(60)]
    found = [word for batch in batches for word in words_in(batch, letters)]
    whole = [word for word in found if "?" not in word]
    assert set(whole) == set(WORDS)
    unknown = sum(word.count("?") for word in found) / sum(map(len, found))
    assert 0.005 < unknown < 0.015
    total = sum(count**power for count in WORDS.values())
    for word, count in WORDS.items():
        assert whole.count(word) / len(whole) == pytest.approx(count**power / total, abs=0.01), word
    lengths = {batch["token_ids"].shape[1] for batch in batches}
    assert min(lengths) < 8 and max(lengths) > 35


def test_a_batch_depends_on_seed_and_step_alone():
    def same(one, other):
        return one["token_ids"].shape == other["token_ids"].shape and (one["token_ids"] == other["token_ids"]).all()

    first, again, other = (PseudoSentences(WORDS, characters_of(WORDS), 1.0, 20, seed) for seed in (1, 1, 2))
    assert same(first.batch(5), again.batch(5)) and same(first.dev_batch(5), other.dev_batch(5))
    assert not same(first.batch(5), first.batch(6)) and not same(first.batch(5), other.batch(5))
    assert not same(first.batch(5), first.dev_batch(5))


# Decoding


LEGAL = {(BEGIN, INSIDE), (BEGIN, END), (INSIDE, INSIDE), (INSIDE, END)}
LEGAL |= {(before, after) for before in (END, SINGLE) for after in (BEGIN, SINGLE)}


@given(st.lists(st.lists(st.floats(-3, 3), min_size=4, max_size=4), min_size=1, max_size=5), st.integers(0, 2))
def test_the_best_legal_path(logits, padding):
    """Of all, by trying them."""
    logits = np.array(logits)
    scores = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    paths = [
        path
        for path in itertools.product(range(4), repeat=len(logits))
        if path[0] in (BEGIN, SINGLE) and path[-1] in (END, SINGLE) and LEGAL >= set(itertools.pairwise(path))
    ]
    best = max(sum(scores[place, label] for place, label in enumerate(path)) for path in paths)
    padded = np.concatenate([logits, np.full((padding, 4), 9.0)])[None]
    [ends] = word_ends(padded, np.array([len(logits)]))
    of_these_ends = [path for path in paths if np.isin(path, (END, SINGLE)).tolist() == ends.tolist()]
    found = max(sum(scores[place, label] for place, label in enumerate(path)) for path in of_these_ends)
    assert found == pytest.approx(best, abs=1e-6)


def test_words_are_the_text():
    """Whatever it is made of, in batches or alone; ideographs of the dictionary or not."""
    characters = characters_of(WORDS)
    segmenter = Segmenter(build_network(len(characters), 8, 2, 0.0), characters)
    texts = [
        "山上的灯，照亮GPT4 3.5%\t河流\n",
        "",
        "，",
        "abc",
        "山" * 50,
        "𠀀龘一二",
        "1998年12月3日山上，GPT4年1日月",
    ]
    together = segmenter.cut(texts)
    assert ["".join(words) for words in together] == texts and all(map(all, together))
    assert together == [segmenter.cut([text])[0] for text in texts]
    assert {"GPT4", "，", "\t"} <= set(together[0]) and together[3] == ["abc"]
    assert together[6][:3] == ["1998年", "12月", "3日"] and together[6][-4:] == ["GPT4", "年", "1日", "月"]


def test_scores():
    """Two words of three right, one of two unknown ones."""
    gold, found = [["山上", "的", "灯"], ["河流"]], [["山上", "的灯"], ["河流"]]
    scores = segmentation_score(gold, found, known={"的", "山上"})
    assert scores == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 4, "f1": 4 / 7, "unknown": 2, "unknown_recall": 1 / 2}
    )
    with pytest.raises(ValueError, match="another text"):
        segmentation_score([["山"]], [["河"]])


# Scripts


SMALL = ["--hidden-size", 16, "--layers", 2, "--epochs", 3, "--epoch-steps", 40, "--batch-size", 16]
SMALL += ["--learning-rate", 0.02, "--ema-momentum", 0.9]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    home = tmp_path_factory.mktemp("segmenter")
    dictionary = write(home / "words.tsv", "".join(f"{word}\t{count}\n" for word, count in WORDS.items()) + "abc\t9\n")
    flags = ["--dictionary", dictionary, *SMALL, "--output-dir", home, "--run-name", "whole"]
    return home, succeeds(run_here(SCRIPTS, "train_segmenter", flags))


def test_a_segmenter_is_trained_from_a_dictionary(trained):
    home, done = trained
    assert "7 of 11 characters" in done.out
    assert float(done.out.partition("best dev f1 ")[2].split(",")[0]) > 0.7
    errors = json.loads((home / "segmentation/whole/dev_errors.json").read_text("utf-8"))
    assert errors and all(one["right"].replace(" ", "") == one["said"].replace(" ", "") for one in errors)


def test_it_cuts_texts(trained, tmp_path):
    home, _ = trained
    texts = ["照亮河流，灯 灯", "", "一二三四"]
    flags = ["--input", write(tmp_path / "in.txt", "\n".join(texts)), "--output", tmp_path / "out.txt"]
    succeeds(run_here(SCRIPTS, "segment", [*flags, "--output-dir", home]))
    lines = (tmp_path / "out.txt").read_text("utf-8").split("\n")
    assert [line.replace(" ", "") for line in lines] == [*(text.replace(" ", "") for text in texts), ""]
    assert lines[0] == "照亮 河流 ， 灯 灯" and lines[2] == "一二三四"


def test_it_is_scored_beside_jieba(trained, tmp_path):
    home, _ = trained
    gold = write_lines(tmp_path / "gold.jsonl", [{"seg": "照亮 河流"}, {"seg": "生僻字 灯"}])
    flags = ["--gold", gold, "--run", home / "segmentation/whole", "--words", home / "words.tsv"]
    done = succeeds(run_here(SCRIPTS, "segment", flags))
    assert "25.0% of the words are not in the dictionary" in done.out
    rows = {line.split("  ")[0]: line.split() for line in done.out.splitlines()}
    assert {"whole", "jieba", "jieba without HMM", "words.tsv"} <= rows.keys()


def test_it_resumes_where_it_was_killed(trained, monkeypatch):
    home, _ = trained
    interrupt_second_epoch(monkeypatch)
    flags = ["--dictionary", home / "words.tsv", *SMALL, "--output-dir", home, "--run-name", "killed"]
    stopped = run_here(SCRIPTS, "train_segmenter", flags)
    assert stopped.code and "train_segmenter.py --run-name killed --resume" in stopped.err
    monkeypatch.undo()
    flags = ["--run-name", "killed", "--resume", "--output-dir", home]
    succeeds(run_here(SCRIPTS, "train_segmenter", flags))
    weights = [(home / "segmentation" / name / "last/state.h5").read_bytes() for name in ("whole", "killed")]
    assert len(weights[0]) == len(weights[1])
    histories = [(home / "segmentation" / name / "history.jsonl").read_text("utf-8") for name in ("whole", "killed")]
    assert [json.loads(line)["f1"] for line in histories[0].splitlines()] == [
        json.loads(line)["f1"] for line in histories[1].splitlines()
    ]


MISTAKES = [
    ("train_segmenter", ["--dictionary", "letters.tsv"], ["letters.tsv", "has no word of ideographs"]),
    ("train_segmenter", ["--dictionary", "nowhere"], ["nowhere", "no such file"]),
    ("train_segmenter", ["--power", 0], ["--power"]),
    ("segment", [], ["--input or --gold"]),
    ("segment", ["--input", "gold.txt"], ["--output: is missing"]),
    ("segment", ["--gold", "gold.txt", "--output", "x"], ["--output", "leave it out"]),
    ("segment", ["--input", "gold.txt", "--output", "x", "--words", "gold.txt"], ["--words"]),
    ("segment", ["--gold", "gold.txt"], ["no run with a best.weights.h5"]),
    ("segment", ["--gold", "blank.jsonl", "--run", "{home}/segmentation/whole"], ["blank.jsonl:1", "has no word"]),
]


@pytest.mark.parametrize(("script", "flags", "words"), MISTAKES)
def test_mistakes_are_one_line(script, flags, words, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "letters.tsv", "abc\t3\n")
    write(tmp_path / "gold.txt", "山上 的 灯\n")
    write_lines(tmp_path / "blank.jsonl", [{"seg": " "}])
    flags = [str(flag).replace("{home}", str(trained[0])) for flag in flags]
    check_refusal(run_here(SCRIPTS, script, flags), *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blank.jsonl", "gold.txt", "letters.tsv"]
