"""common/tokenizers/jieba_cutting: the words of jieba's own accurate mode, for every text and with any dictionary."""

import jieba
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.tokenizers.jieba_cutting import Cutter
from common.tokenizers.segmentation import jieba_segmenter

from test_tokenizers import nasty_text

deterministic = settings(max_examples=300)
WORDS = (
    "北京 大学 北京大学 清华大学 研究 研究生 生命 起源 的 和 在 了 中华人民共和国 欧阳 修 刘 德 华 强 囍 俛 嚐 A B T恤 4 AA制 1 3.5% 2015 年 "
    "x C++ iPhone ab.c &_- \r\n \n ， 。 \u3000 \t 一举 成名 结婚 尚未 乒乓球 拍卖 完了"
).split(" ")
chinese_text = st.lists(
    st.one_of(st.sampled_from(WORDS), st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)), max_size=25
).map("".join)


@pytest.fixture(scope="module")
def cutter():
    return Cutter(jieba_segmenter())


@deterministic
@example("\u9742\u836d\u56e6\u8dc2\u8246\u7b95\u82b4\u90e5")  # characters that no state of the model emits
@example("\u703a\u570f\u9b49\u8564\u90cc\u7589\u9384\u9f04")  # ties between states
@example("\u58fe\u6d6a\u59b7\u5bcb\u7cc6\u684b\u85e0\u54e3\u81d9\u7794")
@example("\u7954\u7622\u4ec4\u7db2\u5840\u7093")
@example("A刘德强囍俛4" * 9)  # what only begins words; singles longer than any name
@example("")
@given(st.one_of(chinese_text, nasty_text))
def test_the_words_are_those_of_jieba(text):
    cutter = Cutter(jieba_segmenter())
    expected = list(jieba_segmenter().cut(text))
    assert cutter.cut(text) == expected
    assert cutter.cut(text) == expected, "out of memory"


def segmenter_of(frequencies: dict[str, int]) -> jieba.Tokenizer:
    """One that knows these words, with what begins them."""
    segmenter = jieba.Tokenizer()
    beginnings = {word[:end]: 0 for word in frequencies for end in range(1, len(word))}
    segmenter.FREQ, segmenter.total = beginnings | frequencies, 64
    segmenter.initialized = True
    return segmenter


@deterministic
@given(
    st.dictionaries(st.text("天地人和", min_size=1, max_size=5), st.sampled_from([1, 2, 4, 8, 16, 32]), max_size=30),
    st.text("天地人和", max_size=12),
)
def test_of_words_that_are_equally_probable_it_takes_those_that_jieba_does(frequencies, text):
    """Powers of 2, so that there are many ties."""
    segmenter = segmenter_of(frequencies)
    assert Cutter(segmenter).cut(text) == list(segmenter.cut(text))


@pytest.mark.parametrize(
    ("frequencies", "words"),
    [
        ({"天": 8, "地": 8, "天地": 1}, ["天地"]),  # of equally probable ones the longer word
        ({"天": 32, "地": 32, "天地": 1}, ["天", "地"]),  # a word of the dictionary is no new word, however improbable
        ({"天地": 1, "地人和": 32}, ["天地", "人", "和"]),  # what only begins a word is none where that word follows
    ],
)
def test_by_hand(frequencies, words):
    segmenter = segmenter_of(frequencies)
    text = "".join(words)
    assert Cutter(segmenter).cut(text) == list(segmenter.cut(text)) == words


def test_names_are_remembered_and_long_texts_of_singles_are_not(cutter):
    cutter.cut("刘德强，刘德强")
    known = cutter._names.cache_info()
    cutter.cut("刘德强")
    cutter.cut("嚐俛囍刘德强" * 9)
    now = cutter._names.cache_info()
    assert known.currsize == now.currsize > 0 and now.hits > known.hits
    assert now.maxsize is not None
