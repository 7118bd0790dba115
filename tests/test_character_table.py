"""common/tokenizers/character_table: tokens by looking up characters, those of the exact way in every text."""

import copy
import random
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import SPECIAL_TOKENS, Encoding, WordPieceTokenizer, build_vocabulary, character_table

from test_tokenizers import NASTY, PLAIN, SWITCHES, TOKENIZERS, nasty_text, random_text

deterministic = settings(max_examples=500)
# What acts on neighbours, and what it acts on or is stopped by.
context_text = st.text(
    st.sampled_from("aÁΣσ\u0301\u0323\u302e\U0001d165\u200b\U0001f600 \u3000中文，.:'’·^1각\ud800"), max_size=25
)
CHARACTERS = WordPieceTokenizer(build_vocabulary([PLAIN, NASTY], min_count=1))
CHARACTERS_WITH = [WordPieceTokenizer(CHARACTERS.vocabulary, *switches) for switches in SWITCHES]


def values(encoding: Encoding):
    assert (encoding.ids.dtype, encoding.offsets.dtype) == ("int32", "int32")
    assert encoding.offsets.shape == (len(encoding.ids), 2)
    return encoding.ids.tolist(), encoding.offsets.tolist()


@deterministic
@given(st.one_of(nasty_text, context_text, st.text()), st.sampled_from([*TOKENIZERS.values(), *CHARACTERS_WITH]))
def test_tokens_are_those_of_the_library(text, tokenizer):
    expected = values(tokenizer.tokenize_by_library(text))
    assert values(tokenizer.tokenize(text)) == expected
    tokenizer._table._words.clear()
    assert values(tokenizer.tokenize(text)) == expected


@pytest.mark.parametrize("tokenizer", CHARACTERS_WITH)
def test_characters_of_many_alphabets_side_by_side(tokenizer):
    codes = [*range(0x3200), *range(0xA000, 0xAB00), *range(0xF900, 0x10000), *range(0x1D100, 0x1D200)]
    for first in range(0, len(codes), 64):
        text = "".join(f"a{character}Σ{character}中{character}" for character in map(chr, codes[first : first + 64]))
        assert values(tokenizer.tokenize(text)) == values(tokenizer.tokenize_by_library(text)), hex(codes[first])


@pytest.fixture
def watched(monkeypatch):
    """A tokenizer that has seen some characters, and the words that it reads."""
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"中文分词，。《》a1eᄀ", *(f"##{one}" for one in "a1eᅡᆨ")])
    tokenizer.tokenize("中文分词，。《》 \u3000")
    words = []
    read = tokenizer._table._read
    monkeypatch.setattr(tokenizer._table, "_read", lambda new: words.extend(new) or read(new))
    return tokenizer, words


def test_only_new_words_are_read_and_each_once(watched):
    tokenizer, words = watched
    assert len(tokenizer.tokenize("中文分词，龘\u3000《分词》 文。" * 9)) == 108
    assert words == []
    tokenizer.tokenize("aa中文1分a1，aa。")
    assert words == ["aa", "1", "a1"]
    assert tokenizer.tokenize("1中aa").offsets.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert words == ["aa", "1", "a1"]
    tokenizer.tokenize("aa中a11")
    assert words[3:] == ["a11"]


@pytest.mark.parametrize(
    ("unusual", "word"),
    [
        ("\U0001f600", "\U0001f600"),
        ("é", "é"),
        ("e\u0301", "词e\u0301"),  # a mark belongs to what stands before it
        ("，\u0301", "，\u0301"),
        ("aΣ.a，", "词aΣ.a"),  # a full stop does not end the word of a sigma
        ("\ud800", "\ud800"),
        ("a" * 201, "a" * 201),
    ],
)
def test_what_is_unusual_is_read_without_the_rest(watched, unusual, word):
    tokenizer, words = watched
    text = "中文分词" * 9 + unusual + "中文分词" * 9
    encoding = tokenizer.tokenize(text)
    assert words == [word]
    assert values(encoding) == values(tokenizer.tokenize_by_library(text))


def test_the_library_reads_only_what_is_unusual(watched, monkeypatch):
    tokenizer, _ = watched
    tokenizer.tokenize("aÉ1\U0001f600Σ\u0301각İ\u200b\ud800")
    read = []
    exact = tokenizer._table._exact
    monkeypatch.setattr(tokenizer._table, "_exact", lambda text: read.append(text) or exact(text))
    for word in ("a1", "aÉ", "\U0001f600", "aİ", "\ud800a", "a" * 16):
        tokenizer.tokenize(f"中{word}文")
    assert read == []
    tokenizer.tokenize(f"中a{'a' * 16}文Σ\u0301，a\u200b，aΣ，文")
    assert read == ["a" * 17 + "文Σ\u0301 a\u200b，aΣ"]
    # Three tokens of one character: the table has no room for them, and the whole text is read.
    assert len(tokenizer.tokenize("文각")) == 4 and read[1:] == ["각", "文각"]


def test_few_words_are_remembered_and_no_long_ones(watched, monkeypatch):
    tokenizer, _ = watched
    monkeypatch.setattr(character_table, "_MOST_WORDS", 100)
    remembered = tokenizer._table._words
    for number in range(999):
        text = f"中{number}文"
        assert values(tokenizer.tokenize(text)) == values(tokenizer.tokenize_by_library(text))
        assert len(tokenizer._table._words) <= 101
    assert tokenizer._table._words is not remembered
    before = dict(tokenizer._table._words)
    assert len(tokenizer.tokenize("a" * 17)) == 17
    assert tokenizer._table._words == before


def test_a_long_text_that_is_all_context():
    text = "Σ\u0301." * 2_000
    assert values(CHARACTERS.tokenize(text)) == values(CHARACTERS.tokenize_by_library(text))


def test_it_may_be_shared_between_threads(monkeypatch):
    monkeypatch.setattr(character_table, "_MOST_WORDS", 20)
    generator = random.Random(8)
    texts = [random_text(generator) for _ in range(2000)]
    expected = [values(CHARACTERS.tokenize_by_library(text)) for text in texts]
    shared = copy.deepcopy(CHARACTERS)
    with ThreadPoolExecutor(8) as pool:
        assert [values(encoding) for encoding in pool.map(shared.tokenize, texts)] == expected


def test_it_goes_with_its_tokenizer():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"中文"])
    tokenizer.tokenize("中文 a")
    alive = weakref.ref(tokenizer)
    del tokenizer
    assert alive() is None
