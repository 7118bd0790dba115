"""common/tokenizers/parts_of_speech: a number for the kind of word around each token."""

import jieba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer, segment
from common.tokenizers.parts_of_speech import PART_OF_SPEECH_COUNT, parts_of_speech

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"北京大学谁何时"])
deterministic = settings(max_examples=100)


def of_word(word):
    """The part of speech of a text that is one word."""
    assert segment(word) == ((0, len(word)),)
    return parts_of_speech(word, np.array([[0, len(word)]])).item()


@deterministic
@given(
    st.one_of(st.text(max_size=20), st.text(st.sampled_from("北京大学谁12３.aＡ ，龘"), max_size=20)),
    st.integers(2, 12),
)
def test_every_token_has_that_of_its_word(text, max_length):
    encoding = TOKENIZER.encode(text, max_length)
    expected = []
    for start, end in encoding.offsets.tolist():
        word = next((text[first:last] for first, last in segment(text) if first <= start < last and start < end), None)
        # Alone, a word may be segmented again; its part of speech must not change.
        expected.append(0 if word is None else parts_of_speech(word, np.array([[0, 1]]), [(0, len(word))]).item())
    for words in (None, segment(text)):
        found = parts_of_speech(text, encoding.offsets, words)
        assert found.dtype == np.int32 and found.tolist() == expected
    assert all(
        (0 < one < PART_OF_SPEECH_COUNT) == (start < end)
        for one, (start, end) in zip(expected, encoding.offsets.tolist())
    )


@pytest.mark.parametrize(
    "alike",
    [
        ("张三丰", "李世民"),
        ("北京", "上海"),
        ("谁", "什么"),
        ("昨天", "春节"),
        ("12", "98"),
        ("20170", "4000001999"),
        ("iphone", "ABC"),
        ("，", "!"),
        ("龘", "靐"),
    ],
)
def test_words_of_one_kind(alike):
    assert len({of_word(word) for word in alike}) == 1


def test_words_of_different_kinds():
    words = [
        "张三丰",
        "北京",
        "谁",
        "昨天",
        "公司",
        "1",
        "12",
        "123",
        "2017",
        "20170",
        "abc",
        "，",
        " ",
        "的",
        "龘",
        "漂亮",
    ]
    assert len({of_word(word) for word in words}) == len(words)


def test_the_tags_are_those_of_jieba():
    """Each tag of its dictionary has an id of words in the dictionary, and hardly a word has the one of unknown
    tags."""
    tags = {}
    with open(jieba.__file__.replace("__init__.py", "dict.txt"), encoding="utf-8") as lines:
        for line in lines:
            word, _, tag = line.split()
            tags.setdefault(tag, word)
    ids = {tag: parts_of_speech(word, np.array([[0, 1]]), [(0, len(word))]).item() for tag, word in tags.items()}
    assert len(tags) > 50 and len(set(ids.values())) == 32
    assert ids["nrfg"] == ids["nr"] != ids["nrt"] and ids["vi"] == ids["v"] != ids["vn"] and ids["zg"] == ids["z"]


def test_offsets_outside_of_the_text_are_refused():
    with pytest.raises(ValueError, match="outside the text"):
        parts_of_speech("北京", np.array([[0, 3]]))
