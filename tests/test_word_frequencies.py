"""jieba's dictionary, searched instead of read: the same answers."""

import random

import jieba
import pytest

from common.tokenizers import segmentation
from common.tokenizers.word_frequencies import WordFrequencies, total_frequency

TEXT = "我来到北京清华大学，看iPhone手机里的AT&T和C++新闻，蔚然成风"


@pytest.fixture(scope="module")
def read_whole():
    """What jieba itself makes of its file: frequencies and their sum."""
    return jieba.Tokenizer().gen_pfdict(open(jieba.__file__.replace("__init__.py", "dict.txt"), "rb"))


@pytest.fixture
def segmenter(monkeypatch):
    """One that has seen nothing yet."""
    monkeypatch.setattr(segmentation, "_load_jieba", segmentation._load_jieba.__wrapped__)
    return segmentation.jieba_segmenter()


def test_words_beginnings_and_all_others_are_as_in_jieba(segmenter, read_whole):
    whole, total = read_whole
    assert segmenter.total == total
    chosen = random.Random(1)
    words = [*chosen.sample(list(whole), 20_000), "", " ", "的 3", "\ud800", "龘" * 5, "不可能有的词"]
    words += [word + chosen.choice("的了a ") for word in words]
    found = segmenter.FREQ
    assert isinstance(found, WordFrequencies)
    assert [found.get(word) for word in words] == [whole.get(word) for word in words]
    assert [word in found for word in words] == [word in whole for word in words]
    assert found["北京"] == whole["北京"] and found.get("不可能有的词", 0) == 0
    with pytest.raises(KeyError):
        found["不可能有的词"]


def test_after_many_words_the_dictionary_is_read_whole(segmenter, read_whole, monkeypatch):
    expected = list(segmenter.cut(TEXT))
    seen = len(segmenter.FREQ)
    assert 20 < seen < 200
    monkeypatch.setattr("common.tokenizers.word_frequencies._MOST_SEARCHES", seen + 3)
    # In the middle of a text.
    assert list(segmenter.cut("今天天气真不错" + TEXT)) == [*jieba.Tokenizer().cut("今天天气真不错"), *expected]
    assert segmenter.FREQ == read_whole[0] and type(segmenter.FREQ) is dict


def test_a_dictionary_of_few_words():
    dictionary = "北 5 ns\n北京市 7 ns\nc# 3 nz\n".encode()
    frequencies = WordFrequencies(dictionary)
    assert total_frequency(dictionary) == 15
    answers = {
        "北": 5,
        "北京": 0,
        "北京市": 7,
        "北京市区": None,
        "c": 0,
        "c#": 3,
        "c# 3": None,
        "京": None,
        "\U0010ffff": None,
    }
    assert {word: frequencies.get(word) for word in answers} == answers
