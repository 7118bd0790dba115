"""The words of small corpora are those that a slow reading of the rules finds."""

import math
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.lexicon.corpus import Partition
from common.lexicon.counting import Budget
from common.lexicon.new_words import discover_words
from common.lexicon.word_list import known_words, read_word_list

from helpers import refused, write
from test_counting import slow_counts, slow_units

SMALL = Budget(text=150, tables=2000, rows=50, units=10_000)
texts = st.text(st.sampled_from("甲乙丙ab1，"), max_size=20)


def slow_words(texts, least, thresholds, longest):
    counts = slow_counts(texts, len(thresholds) + 1)
    total = sum(count for gram, count in counts.items() if len(gram) == 1)
    firm = {}
    for gram, count in counts.items():
        if len(gram) > 1 and count >= least:
            splits = [(counts[gram[:at]], counts[gram[at:]]) for at in range(1, len(gram))]
            strength = min(math.log(total * count / left / right) for left, right in splits)
            if strength >= thresholds[len(gram) - 2] - 1e-9:
                firm[gram] = strength
    segments = Counter(tuple(segment) for text in texts for segment in slow_segments(slow_units(text), firm))
    words = {}
    for segment, count in segments.items():
        order = min(len(segment), len(thresholds) + 1)
        grams = [segment[at : at + order] for at in range(len(segment) - order + 1)]
        if 2 <= len(segment) <= longest and count >= least and all(gram in firm for gram in grams):
            words["".join(segment)] = count, min(firm[gram] for gram in grams)
    return words


def slow_segments(units, firm):
    """From the left, each as far as firm n-grams reach that begin in it."""
    start = 0
    while start < len(units):
        end, at = start + 1, start
        while at < end:
            reach = (stop for stop in range(at + 2, len(units) + 1) if tuple(units[at:stop]) in firm)
            end = max([end, *reach])
            at += 1
        yield units[start:end]
        start = end


@given(
    st.lists(texts, min_size=1, max_size=8),
    st.integers(1, 3),
    st.lists(st.sampled_from([-0.5, 0.3, 0.7, 1.1]), min_size=1, max_size=4),
    st.integers(2, 7),
)
@example(["甲乙丙甲", "甲乙丙", "，乙丙甲"], 2, [0.3, -0.5], 7)
def test_words(texts, least, thresholds, longest):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "a.txt"), "\n".join(texts))
        discover = partial(discover_words, [Partition(path)], least, thresholds, longest, SMALL, Path(folder))
        if not any(map(any, map(slow_units, texts))):
            refused(discover, "--input: has no text")
            return
        found = discover()
    expected = slow_words(texts, least, thresholds, longest)
    assert {word: count for word, count, _ in found} == {word: count for word, (count, _) in expected.items()}
    assert all(strength == pytest.approx(expected[word][1]) for word, _, strength in found)
    assert found == sorted(found, key=lambda word: (-word.count, word.word))


def test_a_list_of_words(tmp_path):
    """Our own, jieba's form, and plain words; full width and capitals are one word."""
    path = write(tmp_path / "a.tsv", "区块链\t12\t3.40\nＧＰＴ4 3 nz\n元宇宙\ngpt4\t2.5\n\n" + "长" * 200 + "\t0\n")
    assert read_word_list(path) == {"区块链": 12, "gpt4": 5.5, "元宇宙": None, "长" * 200: 0}
    assert known_words(str(path)) == read_word_list(path).keys()
    assert {"中国", "at&t"} <= known_words("jieba") and not known_words(None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("词\t1\n\t2\n", "a.tsv:2: begins with a tab"),
        ("两 个词\t1\n", "a.tsv:1: the word '两 个词' has a blank in it"),
        ("词\t-1\n", "a.tsv:1: '-1' is no count"),
        ("词 多少\n", "a.tsv:1: '多少' is no count"),
        ("词\tnan\n", "a.tsv:1: 'nan' is no count"),
        ("词\tinf\n", "a.tsv:1: 'inf' is no count"),
        ("", "a.tsv: there is nothing in it"),
    ],
)
def test_no_list_of_words(content, message, tmp_path):
    refused(lambda: read_word_list(write(tmp_path / "a.tsv", content)), message)
