"""common/tokenizers: ids equal to bert4keras, offsets that point at the right characters, words laid over tokens."""

import itertools
import os
import random
import signal
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from common.tokenizers import (
    SPECIAL_TOKENS,
    Encoding,
    WordPieceTokenizer,
    WordVocabulary,
    build_vocabulary,
    segment,
    segment_all,
    segmentation,
    strip_span,
    word_positions,
    wordpiece,
    words,
)
from common.tokenizers.normalization import Normalizer
from common.tokenizers.vocabulary import is_lower_case

ROOT = Path(__file__).resolve().parents[1]

PLAIN = "中文分词北京大学生的，。！？《》abcdeXYZ0123456789 -_.#[]"
NASTY = (
    "".join(map(chr, range(0x00, 0x180)))
    + "ΣσςΆΐİıſßẞŉǰ"  # lower case that depends on neighbours, or changes length
    + "\u0301\u0323\u0327\u034f\u0344\u05b0\u0f71\u094d\ufe0f"  # non-spacing marks, one without a combining class
    + "\u302e\u302f\U0001d165\U0001d16d\U0001d15e\u16ff0"  # marks that stay, and change places
    + "각갂한글ᄀ\u3164がパ"  # Hangul becomes jamo, voiced kana lose their mark
    + "１ＡｚＺ，。\u3000〇㎏①﨑豈𠀀\U0002fa1d\u4dbf\u9fff\ua000"  # full width, edges of the ideograph blocks
    + "\u200b\u200d\ufeff\u180e\u2028\u2029\x85\u1680\u202f\xad\U000e0001"  # invisible, and uncommon blanks
    + "👩❤😀🏽🇨\u20e3"
    + "\ud800\udbff\udc00\udfff\ue000\uf8ff\ufffd\ufffe\uffff\u0378\U0010ffff"  # surrogates, private, unassigned
)
SNIPPETS = ("[CLS]", "[SEP]", "[UNK]", "[unused1]", "##a", "ΑΣ", "ΑΣΑ", "👩‍❤️‍👩", "x" * 120, "北京", "e\u0301")

deterministic = settings(max_examples=150)
nasty_text = st.lists(
    st.one_of(st.sampled_from(PLAIN), st.sampled_from(NASTY), st.characters(), st.sampled_from(SNIPPETS)), max_size=40
).map("".join)


def random_text(generator: random.Random) -> str:
    pool = generator.choice([PLAIN, NASTY, PLAIN + NASTY, "aeΣσ\u0301각\u302e\U0001d165 "])
    pieces = [
        generator.choice(SNIPPETS)
        if generator.random() < 0.04
        else chr(generator.randrange(0x110000))
        if generator.random() < 0.04
        else generator.choice(pool)
        for _ in range(generator.randrange(25))
    ]
    return "".join(pieces)


def make_vocabulary(lowercase: bool, strip_accents: bool) -> list[str]:
    """Most characters of the pools in one or both forms, some not, and pieces of several characters."""
    generator = random.Random(5)
    characters, alphabet = PLAIN + NASTY, "abcdeσς각갂012éx京北中"
    if lowercase:
        characters = characters.lower() + "ς"
    if strip_accents:
        characters, alphabet = unicodedata.normalize("NFD", characters), unicodedata.normalize("NFD", alphabet)
    pieces = []
    for character in dict.fromkeys(characters):
        if not character.isspace() and not "\ud800" <= character <= "\udfff" and generator.random() < 0.9:
            pieces += [form for form in (character, "##" + character) if generator.random() < 0.9]
    for _ in range(1500):
        stem = "".join(generator.choices(alphabet, k=generator.randrange(2, 5)))
        pieces.append(generator.choice(["", "##"]) + stem)
    return list(dict.fromkeys([*SPECIAL_TOKENS, "[unused1]", *pieces]))


#: lowercase, strip_accents and tokenize_chinese_chars.
SWITCHES = list(itertools.product((True, False), repeat=3))
TOKENIZERS = {switches: WordPieceTokenizer(make_vocabulary(*switches[:2]), *switches) for switches in SWITCHES}
TOKENIZER = TOKENIZERS[True, True, True]


# WordPiece: ids


@pytest.fixture(scope="module")
def bert4keras_tokenizer():
    from bert4keras.tokenizers import Tokenizer

    import common.keras_compat  # noqa: F401  sets what bert4keras needs before TensorFlow is imported

    return Tokenizer


@pytest.mark.parametrize("lowercase, count", [(True, 10_000), (False, 2_000)])
def test_ids_are_those_of_bert4keras(bert4keras_tokenizer, lowercase, count):
    ours = TOKENIZERS[lowercase, lowercase, True]
    theirs = bert4keras_tokenizer(dict(ours.ids), do_lower_case=lowercase)
    generator = random.Random(1)
    unknown = total = 0
    for _ in range(count):
        text = random_text(generator)
        max_length = generator.choice([None, None, 2, 7, 20])
        expected, _ = theirs.encode(text, maxlen=max_length)
        encoding = ours.encode(text, max_length)
        assert encoding.ids.tolist() == expected, ascii(text)
        unknown += int((encoding.ids == ours.unknown_id).sum())
        total += len(encoding)
    assert 0.02 < unknown / total < 0.3  # else the pool tests little


def test_every_code_point_as_in_bert4keras(bert4keras_tokenizer):
    theirs = bert4keras_tokenizer(dict(TOKENIZER.ids), do_lower_case=True)
    codes = [*range(0x32000), *range(0xE0000, 0xE0200), *range(0x10FF00, 0x110000)]
    for first in range(0, len(codes), 64):
        text = " ".join(f"a{chr(code)}b" for code in codes[first : first + 64])
        assert TOKENIZER.encode(text).ids.tolist() == theirs.encode(text)[0], hex(codes[first])


# WordPiece: the switches of the hub's BertTokenizer


def is_common(character: str) -> bool:
    """Whether the `tokenizers` library, whose tables of Unicode are of several versions, knows what Python knows.

    Where the two differ: it drops characters for private use, which bert4keras keeps; of extension E it takes the
    first 256 ideographs for letters; and its capital sigma looks at no neighbours.
    """
    old, now = unicodedata.ucd_3_2_0.category(character), unicodedata.category(character)
    return old == now and now not in ("Co", "Cn", "Cs") and character not in "Σ᜴᙭"


def bare_library(vocabulary: dict[str, int], lowercase: bool, strip_accents: bool | None, chinese: bool) -> Tokenizer:
    library = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]", max_input_chars_per_word=200))
    library.normalizer = normalizers.BertNormalizer(True, chinese, strip_accents, lowercase)
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return library


LIBRARIES = {switches: bare_library(TOKENIZERS[switches].ids, *switches) for switches in SWITCHES}


@settings(max_examples=500)
@given(nasty_text, st.sampled_from(SWITCHES))
def test_each_switch_as_in_the_library(text, switches):
    text = "".join(filter(is_common, text))
    expected, encoding = LIBRARIES[switches].encode(text), TOKENIZERS[switches].tokenize(text)
    assert encoding.ids.tolist() == expected.ids
    for (start, end), (their_start, their_end) in zip(encoding.offsets.tolist(), expected.offsets):
        marks = text[their_end:end]  # those of the token's last character, which the library leaves out
        assert start == their_start and all(unicodedata.category(mark) in ("Mn", "Cf", "Cc") for mark in marks)
        assert end >= their_end and (switches[1] or end == their_end)


def test_every_common_code_point_as_in_the_library():
    blocks = (
        range(0x3500),
        range(0x9F00, 0xAD00),
        range(0xF900, 0x10100),
        range(0x1D100, 0x1D200),
        range(0x2F800, 0x30000),
    )
    codes = [code for code in itertools.chain(*blocks) if is_common(chr(code))]
    assert len(codes) > 12_000
    for switches in SWITCHES:
        tokenizer = TOKENIZERS[switches]
        words = tokenizer._by_library.normalizer
        normalizer, pieces = LIBRARIES[switches].normalizer, LIBRARIES[switches].pre_tokenizer
        for first in range(0, len(codes), 4096):
            text = " ".join(f"a{chr(code)}b" for code in codes[first : first + 4096])
            expected = [word for word, _ in pieces.pre_tokenize_str(normalizer.normalize_str(text))]
            assert words.normalize(text).text.split() == expected, hex(codes[first])


@pytest.mark.parametrize("lowercase", [True, False])
def test_accents_go_with_capitals_unless_told(lowercase):
    tokenizer = WordPieceTokenizer(TOKENIZER.vocabulary, lowercase)
    assert (tokenizer.lowercase, tokenizer.strip_accents, tokenizer.tokenize_chinese_chars) == (
        lowercase,
        lowercase,
        True,
    )
    text, bare = "Éé北京Ab", bare_library(tokenizer.ids, lowercase, None, True)
    assert tokenizer.tokenize(text).ids.tolist() == bare.encode(text).ids


@pytest.mark.parametrize(
    "switches, tokens, offsets",
    [
        ((True, None, True), ["e", "##a", "，", "北", "京"], [(0, 2), (2, 3), (3, 4), (4, 5), (5, 6)]),
        ((True, False, True), ["e", "##\u0301", "##a", "，", "北", "京"], [*((i, i + 1) for i in range(6))]),
        ((False, True, True), ["E", "##a", "，", "北", "京"], [(0, 2), (2, 3), (3, 4), (4, 5), (5, 6)]),
        ((False, None, False), ["E", "##\u0301", "##a", "，", "北京"], [*((i, i + 1) for i in range(4)), (4, 6)]),
        ((True, True, False), ["e", "##a", "，", "北京"], [(0, 2), (2, 3), (3, 4), (4, 6)]),
    ],
)
def test_tokens_with_each_switch(tmp_path, switches, tokens, offsets):
    vocabulary = [*SPECIAL_TOKENS, "e", "E", "##\u0301", "##a", "，", "北", "京", "北京", "##京"]
    WordPieceTokenizer(vocabulary).save(tmp_path / "vocab.txt")
    for tokenizer in (
        WordPieceTokenizer(vocabulary, *switches),
        WordPieceTokenizer.from_file(tmp_path / "vocab.txt", *switches),
    ):
        encoding = tokenizer.tokenize("E\u0301a，北京")
        assert [tokenizer.vocabulary[index] for index in encoding.ids] == tokens
        assert list(map(tuple, encoding.offsets.tolist())) == offsets


def test_longest_word():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "x", "##x"])
    assert len(tokenizer.tokenize("x" * 200)) == 200
    too_long = tokenizer.tokenize("x" * 201)
    assert too_long.ids.tolist() == [tokenizer.unknown_id]
    assert too_long.offsets.tolist() == [[0, 201]]


# WordPiece: offsets


@pytest.mark.parametrize(
    "text, tokens, offsets",
    [
        ("", [], []),
        ("北 京Ab", ["[UNK]", "[UNK]", "a", "##b"], [(0, 1), (2, 3), (3, 4), (4, 5)]),
        # U+0130 becomes two characters in lower case; offsets after it must not shift.
        ("İaİ，b", ["i", "##a", "##i", "，", "b"], [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
        # A combining mark belongs to the letter before it.
        ("e\u0301a", ["e", "##a"], [(0, 2), (2, 3)]),
        ("ba\u0301\u0323", ["b", "##a"], [(0, 1), (1, 4)]),
        ("éa", ["e", "##a"], [(0, 1), (1, 2)]),
        # Final and medial sigma are different letters.
        ("aΣ Σa", ["a", "##ς", "σ", "##a"], [(0, 1), (1, 2), (3, 4), (4, 5)]),
        # Several tokens for the jamo of one syllable.
        ("각a", ["ᄀ", "##ᅡ", "##ᆨ", "##a"], [(0, 1), (0, 1), (0, 1), (1, 2)]),
        # What vanishes inside a word stays in its range; a token does not reach over it at its edges.
        ("q\u200bq\u200b b\x00", ["[UNK]", "b"], [(0, 3), (5, 6)]),
        ("a\ud800a b", ["[UNK]", "b"], [(0, 3), (4, 5)]),
        ("[CLS]a", ["[", "[UNK]", "]", "a"], [(0, 1), (1, 4), (4, 5), (5, 6)]),
        # Characters that change places cover each other.
        ("a\u302e\U0001d165", ["a", "##\U0001d165", "##\u302e"], [(0, 1), (1, 3), (1, 3)]),
    ],
)
def test_offsets(text, tokens, offsets):
    pieces = ["a", "##a", "b", "##b", "e", "i", "##i", "##ς", "σ", "ᄀ", "##ᅡ", "##ᆨ", "[", "]", "，"]
    pieces += ["##\U0001d165", "##\u302e"]
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *pieces])
    encoding = tokenizer.tokenize(text)
    assert [tokenizer.vocabulary[index] for index in encoding.ids] == tokens
    assert list(map(tuple, encoding.offsets.tolist())) == offsets


@deterministic
@given(nasty_text, st.sampled_from(SWITCHES))
def test_offsets_are_in_range_and_never_decrease(text, switches):
    encoding = TOKENIZERS[switches].tokenize(text)
    assert encoding.ids.dtype == encoding.offsets.dtype == np.int32
    assert encoding.offsets.shape == (len(encoding), 2)
    starts, ends = encoding.offsets[:, 0], encoding.offsets[:, 1]
    assert (starts < ends).all()
    assert not len(encoding) or (starts[0] >= 0 and ends[-1] <= len(text))
    assert (np.diff(starts) >= 0).all() and (np.diff(ends) >= 0).all()


@deterministic
@given(nasty_text, st.sampled_from(SWITCHES))
def test_slice_of_the_original_normalises_to_the_token(text, switches):
    """Exceptions: [UNK]; sigma, whose small letter depends on its neighbours; and tokens that share characters with a
    neighbour (jamo, several letters from one, characters that changed places): their slice contains the token."""
    tokenizer = TOKENIZERS[switches]
    encoding = tokenizer.tokenize(text)
    ranges = encoding.offsets.tolist()
    for index, (start, end) in enumerate(ranges):
        token = tokenizer.vocabulary[encoding.ids[index]]
        if token == "[UNK]":
            continue
        stem = token.removeprefix("##") if len(token) > 2 else token
        piece = Normalizer(*switches).normalize(text[start:end]).text.replace(" ", "")
        shared = (index and ranges[index - 1][1] > start) or (index + 1 < len(ranges) and ranges[index + 1][0] < end)
        stem, piece = stem.replace("ς", "σ"), piece.replace("ς", "σ")
        assert stem in piece if shared else stem == piece


@deterministic
@given(nasty_text, st.sampled_from(SWITCHES))
def test_every_visible_character_is_covered(text, switches):
    covered = np.zeros(len(text), dtype=bool)
    for start, end in TOKENIZERS[switches].tokenize(text).offsets:
        covered[start:end] = True
    normalizer = Normalizer(*switches)
    for index, character in enumerate(text):
        assert covered[index] or not normalizer.normalize(character).text.strip()


@deterministic
@given(nasty_text)
def test_token_span_is_the_widest_that_covers_exactly_these_characters(text):
    encoding = TOKENIZER.encode(text)
    widest: dict[tuple[int, int], tuple[int, int]] = {}
    for first in range(1, len(encoding) - 1):
        for last in range(first, len(encoding) - 1):
            span = encoding.char_span(first, last)
            known = widest.get(span, (first, last))
            widest[span] = (min(known[0], first), max(known[1], last))
    for start in range(-1, len(text) + 2):
        for end in range(-1, len(text) + 2):
            assert encoding.token_span(start, end) == widest.get((start, end))
    for span, tokens in widest.items():
        assert encoding.char_span(*tokens) == span


def test_token_span_examples():
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, "北", "京", "ab", "##c"])
    encoding = tokenizer.encode("北京 ab abc 各")
    assert encoding.token_span(0, 2) == (1, 2)
    assert encoding.token_span(1, 5) == (2, 3)
    assert encoding.token_span(6, 9) == (4, 5)
    assert encoding.token_span(6, 8) == (4, 4)
    assert encoding.token_span(np.int64(10), np.int32(11)) == (6, 6)
    assert encoding.token_span(3, 4) is None  # inside "ab"
    assert encoding.token_span(0, 3) is None  # ends at a blank
    assert encoding.token_span(1, 1) is None and encoding.token_span(0, 0) is None  # empty
    assert encoding.token_span(2, 0) is None and encoding.token_span(11, 11) is None  # special tokens, backwards
    assert tokenizer.encode("北京 ab abc", max_length=5).token_span(6, 9) is None  # cut off
    overlapping = Encoding(np.arange(2, dtype=np.int32), np.array([[0, 2], [1, 3]], dtype=np.int32))
    assert overlapping.token_span(1, 2) is None


@pytest.mark.parametrize("first, last", [(0, 1), (1, 3), (2, 1), (-1, 1), (1, 4)])
def test_char_span_refuses_what_covers_nothing(first, last):
    encoding = TOKENIZER.encode("，，")
    assert len(encoding) == 4
    with pytest.raises(ValueError, match="tokens"):
        encoding.char_span(first, last)


@deterministic
@given(nasty_text, st.integers(2, 30))
def test_encode_is_tokenize_between_special_tokens_cut_on_the_right(text, max_length):
    tokens = TOKENIZER.tokenize(text)
    for limit in (None, max_length):
        encoding = TOKENIZER.encode(text, limit)
        kept = len(tokens) if limit is None else min(len(tokens), limit - 2)
        assert len(encoding) == kept + 2
        assert (encoding.ids.dtype, encoding.offsets.dtype) == (np.uint16, np.int16)
        assert encoding.ids.tolist() == [TOKENIZER.start_id, *tokens.ids[:kept], TOKENIZER.end_id]
        end = int(tokens.offsets[kept - 1, 1]) if kept else 0
        assert encoding.offsets.tolist() == [[0, 0], *tokens.offsets[:kept].tolist(), [end, end]]


def test_max_length_below_two_is_refused():
    with pytest.raises(ValueError, match="max_length is 1"):
        TOKENIZER.encode("北京", max_length=1)


# WordPiece: vocabulary files


@deterministic
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1), unique=True))
def test_vocabulary_survives_its_file(tmp_path_factory, tokens):
    tokens = [token for token in tokens if token not in SPECIAL_TOKENS]
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *tokens], lowercase=False)
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    tokenizer.save(path)
    again = WordPieceTokenizer.from_file(path, lowercase=False)
    assert again.vocabulary == tokenizer.vocabulary and again.ids == tokenizer.ids and not again.lowercase
    assert len(again) == len(tokens) + len(SPECIAL_TOKENS)


def test_attributes():
    tokenizer = WordPieceTokenizer(["[SEP]", "[CLS]", "[UNK]", "a", "[PAD]"])
    assert (tokenizer.pad_id, tokenizer.unknown_id, tokenizer.start_id, tokenizer.end_id) == (4, 2, 1, 0)
    assert tokenizer.mask_id is None
    assert TOKENIZER.mask_id == 4


@pytest.mark.parametrize(
    "content, last",
    [
        ("[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n中\r\n\r\n", "中"),  # Windows
        ("\ufeff[PAD]\n[UNK]\n[CLS]\n[SEP]\n中\n\n\n", "中"),  # byte order mark, blank lines at the end
        ("[PAD]\t0\n[UNK]\t1\n[CLS]\t2\n[SEP]\t3\n中\t4", "中"),  # ERNIE's two columns
        ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n\u2028\n", "\u2028"),  # a token that is white space
        ("[PAD]\n\n[UNK]\n[CLS]\n[SEP]\n", "[SEP]"),  # a blank line is a token: ids are line numbers
    ],
)
def test_vocabulary_files_in_the_wild(tmp_path, content, last):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content.encode("utf-8"))
    tokenizer = WordPieceTokenizer.from_file(path)
    assert tokenizer.ids[last] == 4 and tokenizer.ids["[PAD]"] == 0 and len(tokenizer) == 5
    tokenizer.save(path)
    assert WordPieceTokenizer.from_file(path).vocabulary == tokenizer.vocabulary


def test_of_a_token_that_stands_twice_the_later_line_counts(tmp_path):
    """As in Google's BERT and in ERNIE, which has "$" twice; ids stay line numbers, in a file that is written too."""
    path = tmp_path / "vocab.txt"
    path.write_bytes(b"[PAD]\n[UNK]\n$\n[CLS]\n[SEP]\na\n$\nb\n")
    for _ in range(2):
        tokenizer = WordPieceTokenizer.from_file(path)
        assert tokenizer.encode("$ab").ids.tolist() == [3, 6, 1, 4] and tokenizer.encode("a $").ids[1:3].tolist() == [
            5,
            6,
        ]
        assert len(tokenizer) == 8 and tokenizer.vocabulary[2] == tokenizer.vocabulary[6] == "$"
        tokenizer.save(path)


def test_a_file_larger_than_any_vocabulary(tmp_path, monkeypatch):
    monkeypatch.setattr(wordpiece, "_LARGEST_FILE", 40)
    (tmp_path / "vocab.txt").write_bytes(b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n" + b"a" * 20)
    with pytest.raises(ValueError, match=r"vocab\.txt: has more than 40 bytes"):
        WordPieceTokenizer.from_file(tmp_path / "vocab.txt")


@pytest.mark.parametrize(
    ("words", "told", "lower"),
    [
        (["the", "##a", "中"], None, True),
        (["the", "##a", "中"], False, True),  # bert-base-chinese says so, and means otherwise
        (["The", "##a", "中"], None, False),
        (["The", "##a", "中"], "false", False),
        (["The", "##a", "中"], True, True),
        (["[UNK]", "[CLS]", "<S>", "<T>", "the"], None, True),
        (["Ａ", *map("a{}".format, range(200))], None, True),  # one slip among many
        (["Ａ", *map("a{}".format, range(200))], False, False),
        (["中", "国"], None, True),
    ],
)
def test_a_vocabulary_for_lower_case(words, told, lower):
    assert is_lower_case(words, told) is lower


@pytest.mark.parametrize(
    "content, message",
    [
        (b"[PAD]\n[UNK]\n[CLS]\n", r"vocab\.txt: no token \[SEP\]"),
        (b"", r"vocab\.txt: no token \[PAD\]"),
        (b"[PAD]\n\xff\xfe\n", r"vocab\.txt:2: not UTF-8"),
        (None, r"vocab\.txt: cannot read"),
    ],
)
def test_wrong_vocabulary_files(tmp_path, content, message):
    if content is not None:
        (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        WordPieceTokenizer.from_file(tmp_path / "vocab.txt")


@pytest.mark.parametrize("token", ["a b", " a", "a\n", "\r", "", "\ud800"])
def test_tokens_no_file_can_hold_are_refused(token):
    with pytest.raises(ValueError, match=r"vocabulary\[5\]"):
        WordPieceTokenizer([*SPECIAL_TOKENS, token])


# Vocabulary from a corpus

CORPUS_CHARACTERS = "中文字，。abcXYZ01２Ａéßﬃ각ΣςİあがカЖ😀\u0301-_[] \t\u200b"
corpus_text = st.text(st.sampled_from(CORPUS_CHARACTERS), max_size=30)


def test_vocabulary_order_and_counts():
    vocabulary = build_vocabulary(["中中中国国 X1x，", "Xx 人éé"], min_count=2)
    assert vocabulary[:5] == list(SPECIAL_TOKENS)
    # 中 3; 国, x, ##x 2 each, by character; then everything seen once or never.
    assert vocabulary[5:10] == ["中", "##x", "x", "国", "##1"]
    assert "人" not in vocabulary and "，" not in vocabulary
    assert {"e", "##e", "a", "##a", "9", "##9", "z", "##z"} <= set(vocabulary)
    assert "##中" not in vocabulary and "X" not in vocabulary
    assert "X" in build_vocabulary(["X"], lowercase=False)


@deterministic
@given(st.lists(corpus_text, min_size=1, max_size=8), st.integers(1, 4), st.data())
def test_no_boundary_inside_a_token_of_corpus_characters(texts, min_count, data):
    tokenizer = WordPieceTokenizer(build_vocabulary(texts, min_count))
    characters = "".join(texts) or " "
    text = data.draw(st.text(st.sampled_from(characters), max_size=40))
    encoding = tokenizer.tokenize(text)
    for token, (start, end) in zip(encoding.ids, encoding.offsets.tolist()):
        assert sum(unicodedata.category(character) != "Mn" for character in text[start:end]) == 1
        if token == tokenizer.unknown_id:
            assert text[start] in "中文字，。-_[]" and characters.count(text[start]) < min_count


@deterministic
@given(st.lists(corpus_text, max_size=6), st.integers(77, 90))
def test_vocabulary_is_deterministic_and_bounded(texts, max_size):
    whole = build_vocabulary(texts, min_count=1)
    assert whole == build_vocabulary(reversed(texts), min_count=1)
    assert len(set(whole)) == len(whole)
    small = build_vocabulary(texts, min_count=1, max_size=max_size)
    assert len(small) == min(max_size, len(whole))
    assert [piece for piece in whole if piece in set(small)] == small
    assert {"a", "##a", "9", "##9"} <= set(small)


def test_vocabulary_needs_room_for_letters_and_skips_surrogates():
    assert len(build_vocabulary(["中\ud800a\udfff" * 3])) == 5 + 72 + 1
    with pytest.raises(ValueError, match="max_size is 76, .* take 77"):
        build_vocabulary([], max_size=76)


def test_word_with_a_character_outside_the_corpus_is_one_unknown():
    tokenizer = WordPieceTokenizer(build_vocabulary(["中"]))
    assert tokenizer.tokenize("abжc").offsets.tolist() == [[0, 4]]


# Words


@deterministic
@given(nasty_text)
def test_segment_covers_the_text(text):
    ranges = segment(text)
    assert "".join(text[start:end] for start, end in ranges) == text
    assert all(start < end for start, end in ranges)
    assert [start for start, _ in ranges[1:]] == [end for _, end in ranges[:-1]]


def test_segment_finds_words():
    text = "我来到北京清华大学，看iPhone手机"
    assert [text[start:end] for start, end in segment(text)] == "我 来到 北京 清华大学 ， 看 iPhone 手机".split()
    assert segment("") == ()


def test_segment_from_many_threads():
    texts = [f"第{number}位同学在北京大学研究自然语言处理" for number in range(40)]
    segmentation._load_jieba.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(segment, texts))
    assert segmentation._load_jieba.cache_info().misses == 1
    assert together == [segment(text) for text in texts]


# Words of a corpus


CORPUS = [
    *(f"第{number}位同学在北京大学研究自然语言处理，看iPhone手机" for number in range(30)),
    "",
    "第1位同学在北京大学" * 30,
    "第1位同学在北京大学，" * 6000,
    '引号"和\\反斜杠\n换行\x00零\u2028',
    "\ud83d\ude00两半\ud800一半😀",
    *map(random_text, [random.Random(3)] * 40),
    "",
    "第1位同学在北京大学研究自然语言处理，看iPhone手机",
]


@pytest.fixture
def store(monkeypatch):
    """An empty store."""
    store = segmentation._Store(2**28)
    monkeypatch.setattr(segmentation, "_store", store)
    segment.cache_clear()
    return store


def slow_segment(text):
    ranges, start = [], 0
    for word in segmentation.jieba_segmenter().cut(text):
        ranges.append((start, start + len(word)))
        start += len(word)
    return tuple(ranges)


@pytest.fixture(scope="module")
def cut_one_by_one():
    return list(map(slow_segment, CORPUS))


@pytest.mark.parametrize("processes", [None, 1, 2, 3])
def test_a_corpus_is_cut_as_its_texts_are(store, cut_one_by_one, processes):
    assert list(segment_all(CORPUS, processes)) == cut_one_by_one
    assert [segment(text) for text in CORPUS] == cut_one_by_one
    assert list(segment_all(iter(CORPUS[::-1]), processes)) == cut_one_by_one[::-1]
    assert list(segment_all([], processes)) == [] and list(segment_all(["", ""], processes)) == [(), ()]


def test_what_was_cut_is_not_cut_again(store, cut_one_by_one, monkeypatch):
    segment_all(CORPUS[:20])
    monkeypatch.setattr(segmentation, "jieba_segmenter", lambda: pytest.fail("cut again"))
    assert [segment(text) for text in CORPUS[:20]] == list(segment_all(CORPUS[:20], 2)) == cut_one_by_one[:20]
    assert {"iphone", "北京大学"} <= set(WordVocabulary.build(CORPUS[:20]).words)


def test_the_store_is_small_and_bounded(store, cut_one_by_one):
    segment_all(CORPUS)
    assert set(store) == set(CORPUS)
    assert {ends.dtype for ends in store.values()} == {np.dtype(kind) for kind in ("uint8", "uint16", "uint32")}
    assert store[CORPUS[0]].nbytes == len(cut_one_by_one[0])
    taken = 2**28 - store.room
    store.clear()
    store.room = taken // 2
    assert list(segment_all(CORPUS)) == cut_one_by_one
    assert 0 < len(store) < len(set(CORPUS)) and 0 <= store.room < 1000 + max(map(len, CORPUS)) * 8
    segment.cache_clear()
    assert [segment(text) for text in CORPUS] == cut_one_by_one


@pytest.mark.parametrize(
    ("characters", "cores", "processes"),
    [(999, 4, 1), (1000, 4, 2), (1700, 4, 3), (9000, 4, 4), (90_000, 64, 8), (9000, 1, 1)],
)
def test_large_corpora_are_cut_in_several_processes(store, monkeypatch, characters, cores, processes):
    found = []

    def in_processes(shares):
        found.extend(map(len, shares))
        return list(map(segmentation._word_lengths, shares))

    monkeypatch.setattr(segmentation, "_CHARACTERS_PER_PROCESS", 500)
    monkeypatch.setattr(segmentation, "_word_lengths_of_shares", in_processes)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(cores))
    texts = [f"{number:010d}" for number in range(characters // 10)] + ["x" * (characters % 10)]
    assert [text[start:end] for text, ranges in zip(texts, segment_all(texts)) for start, end in ranges] == [
        text for text in texts if text
    ]
    assert len(found) == (processes if processes > 1 else 0) and sum(found) == (len(texts) if found else 0)


def interpreter(folder: Path, script: str) -> str:
    """A program that does this, whatever Python code it is given."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$", "echo words; exit 1", "cat > /dev/null; exit 1"])
def test_the_share_of_a_process_that_fails_is_cut_here(store, cut_one_by_one, tmp_path, monkeypatch, capfd, script):
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path, script))
    assert list(segment_all(CORPUS, 2)) == cut_one_by_one
    assert capfd.readouterr().err.count("this one does its share") == 2


def test_an_interrupted_process_leaves_none_behind(store, tmp_path, monkeypatch):
    started = tmp_path / "started"
    started.touch()
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path, f"echo $$ >> {started}; exec sleep 100"))

    def interrupt_when_both_run(*_):
        if started.read_text().count("\n") == 2:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt_when_both_run)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        with pytest.raises(KeyboardInterrupt):
            segment_all(CORPUS[:9], 2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    for process in started.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(process), 0)


def test_other_processes_run_neither_the_script_nor_tensorflow(tmp_path):
    """The script has no `if __name__ == "__main__"`."""
    (tmp_path / "tensorflow.py").write_text("print('loaded', flush=True)\n")
    (tmp_path / "script.py").write_text(
        "import sys, tensorflow\n"
        "from common.tokenizers import segment_all\n"
        "texts = [f'第{number}位同学在北京大学' for number in range(10)]\n"
        "print(sum(map(len, segment_all(texts, 2))))\n"
        "print(any(name in sys.modules for name in ('multiprocessing', 'jieba')))\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
    )
    counted = sum(map(len, map(segment, (f"第{number}位同学在北京大学" for number in range(10)))))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"loaded\n{counted}\nFalse\n", "")


def test_words_added_to_jieba_have_no_influence():
    import jieba

    text = "我来到北京清华大学"
    before = segment(text)
    jieba.setLogLevel("ERROR")
    jieba.add_word("到北京清", freq=10**9)
    try:
        assert [word for word in jieba.cut(text) if word == "到北京清"]
        assert segment(text) == before
    finally:
        jieba.dt.initialized = False  # read the dictionary anew


def test_silent_light_and_without_files(tmp_path):
    script = (
        "import sys, common.tokenizers as t; "
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'bert4keras', 'jieba'} & set(sys.modules); "
        "assert not heavy, heavy; "
        "print(len(t.segment('北京大学')), 'tensorflow' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "1 False\n", "")
    assert list(tmp_path.iterdir()) == []


WORDS = WordVocabulary.build(["我来到北京清华大学", "北京ABC aBc 各각각 a Ａ"], min_count=1)


def slow_word(text: str, start: int) -> tuple[int, int]:
    return next((first, last) for first, last in segment(text) if first <= start < last)


@deterministic
@given(
    st.one_of(nasty_text, st.text(st.sampled_from("我来到北京清华大学abcＡＢＣ각 ，"), max_size=30)), st.integers(2, 40)
)
def test_word_ids_and_positions(text, max_length):
    encoding = TOKENIZER.encode(text, max_length)
    ids, positions = [], []
    for start, end in encoding.offsets.tolist():
        if start == end:
            ids.append(0)
            positions.append(0)
            continue
        first, last = slow_word(text, start)
        form = words.normal_form(text[first:last])
        ids.append(WORDS.words.index(form) + 2 if form in WORDS.words else 1)
        is_begin, is_end = start == first, end >= last
        positions.append({(True, True): 4, (True, False): 1, (False, False): 2, (False, True): 3}[is_begin, is_end])
    for given_words in (None, segment(text)):
        found_ids = WORDS.word_ids(text, encoding.offsets, given_words)
        found_positions = word_positions(text, encoding.offsets, given_words)
        assert found_ids.dtype == found_positions.dtype == np.int32
        assert found_ids.tolist() == ids
        assert found_positions.tolist() == positions


def test_word_examples():
    text = "到清华大学 Abc"
    offsets = np.array([(0, 0), *((index, index + 1) for index in range(5)), (6, 9), (9, 9)])
    assert word_positions(text, offsets).tolist() == [0, 4, 1, 2, 2, 3, 4, 0]
    abc, university = WORDS.ids["abc"], WORDS.ids["清华大学"]
    assert WORDS.word_ids(text, offsets).tolist() == [0, 1, *[university] * 4, abc, 0]
    assert WORDS.word_ids("", np.zeros((2, 2), dtype=np.int32)).tolist() == [0, 0]
    assert word_positions(text, offsets[3:4]).tolist() == [2]  # independent of the other tokens


@pytest.mark.parametrize("offsets", [[(0, 3)], [(-1, 1)]])
def test_offsets_of_another_text_are_refused(offsets):
    with pytest.raises(ValueError, match="outside the text"):
        word_positions("北京", np.array(offsets))
    with pytest.raises(ValueError, match="outside the text"):
        WORDS.word_ids("北京", np.array(offsets))
    with pytest.raises(ValueError, match="words cover 3"):
        WORDS.word_ids("北京", np.array([(0, 1)]), [(0, 3)])


def test_word_vocabulary_order_counts_and_limits():
    texts = ["北京 北京 北京 AB Ａ", "上海 上海 aB Ab", "天津\ud800\ud800a"]
    # Full-width Ａ counts as a; white space and lone surrogates are no words.
    assert WordVocabulary.build(texts).words == ["ab", "北京", "a", "上海"]
    assert WordVocabulary.build(texts, min_count=1).words == ["ab", "北京", "a", "上海", "天津"]
    limited = WordVocabulary.build(texts, max_size=4)
    assert limited.words == ["ab", "北京"] and len(limited) == 4
    assert limited.ids == {"ab": 2, "北京": 3}
    assert WordVocabulary.build(reversed(texts)).words == ["ab", "北京", "a", "上海"]


@pytest.mark.parametrize("word, form", [("ＡＢc", "abc"), ("ℌ", "h"), ("İ", "i\u0307"), ("㎏", "kg"), ("北京", "北京")])
def test_normal_form(word, form):
    assert words.normal_form(word) == form == words.normal_form(form)


@deterministic
@given(st.lists(nasty_text, max_size=5))
def test_word_vocabulary_survives_its_file(tmp_path_factory, texts):
    vocabulary = WordVocabulary.build(texts, min_count=1)
    path = tmp_path_factory.mktemp("words") / "words.json"
    vocabulary.save(path)
    again = WordVocabulary.load(path)
    assert again.words == vocabulary.words and again.ids == vocabulary.ids


@pytest.mark.parametrize(
    "content, message",
    [
        (b'["a", "b", "a"]', r"words\.json: the word 'a' occurs more than once"),
        (b'["A"]', r"words\.json: 'A' is not a word in normal form"),
        (b"[1]", r"words\.json: 1 is not a word"),
        (b'{"a": 2}', r"words\.json: not a JSON list"),
        (b"a\n", r"words\.json: not a JSON list"),
        (b"\xff", r"words\.json: not a JSON list"),
        (None, r"words\.json: cannot read"),
    ],
)
def test_wrong_word_vocabulary_files(tmp_path, content, message):
    if content is not None:
        (tmp_path / "words.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        WordVocabulary.load(tmp_path / "words.json")


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [("甲 乙\u3000", (1, 4), (2, 3)), ("甲乙", (0, 2), (0, 2)), (" 甲  乙 ", (0, 6), (1, 5))],
)
def test_a_span_loses_the_blanks_at_its_ends(text, span, expected):
    assert strip_span(text, *span) == expected
