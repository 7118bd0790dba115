"""common/tokenizers/word_vectors: both formats of word2vec, what is kept of them, and one line for every file that is
none."""

import gzip
import math
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.command_line import UserError
from common.tokenizers.word_vectors import BLANK_WORD, NOT_UTF_8, REPEATED_WORD, read_word_vectors, word_vector_size
from common.tokenizers.words import normal_form

deterministic = settings(max_examples=60)

ROWS = [("的", [0.5, -1.0, 2.0]), ("北京", [1e-3, 0.0, 3.25]), ("ＡＢ", [1.0, 1.0, -7.5])]


def text_of(rows, header=True, line_end="\n"):
    lines = [f"{len(rows)} {len(rows[0][1])}"] if header else []
    lines += [" ".join([word, *(repr(float(value)) for value in values)]) for word, values in rows]
    return "".join(line + line_end for line in lines).encode()


def binary_of(rows, line_end=b"\n"):
    body = b"".join(word.encode() + b" " + np.array(values, "<f4").tobytes() + line_end for word, values in rows)
    return f"{len(rows)} {len(rows[0][1])}\n".encode() + body


FORMATS = {
    "text": text_of,
    "text without a first line": lambda rows: text_of(rows, header=False),
    "text of the original program": lambda rows: text_of(rows, line_end=" \n"),
    "text from Windows": lambda rows: b"\xef\xbb\xbf" + text_of(rows, line_end="\r\n"),
    "text from Windows without a first line": lambda rows: (
        b"\xef\xbb\xbf" + text_of(rows, header=False, line_end="\r\n")
    ),
    "text with tabs": lambda rows: text_of(rows).replace(b" ", b"\t"),
    "binary": binary_of,
    "binary without line breaks": lambda rows: binary_of(rows, b""),
}
every_format = pytest.mark.parametrize("format_", FORMATS)


@pytest.fixture
def read(tmp_path):
    """Reads bytes as a file of this name."""

    def read(content, name="vectors.vec", **options):
        path = tmp_path / name
        path.write_bytes(content)
        return read_word_vectors(path, **options)

    return read


def error_of(call) -> str:
    with pytest.raises(UserError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 400
    return message


# Formats


@every_format
def test_every_format_says_the_same(read, format_):
    skipped = Counter()
    words, vectors = read(FORMATS[format_](ROWS), skipped=skipped)
    assert words == ["的", "北京", "ab"] and not skipped
    assert (
        vectors.dtype == np.float32
        and vectors.tolist() == np.array([values for _, values in ROWS], np.float32).tolist()
    )


def test_a_packed_file(read):
    for content in (text_of(ROWS), binary_of(ROWS)):
        assert read(gzip.compress(content), "vectors.txt.gz").words == ["的", "北京", "ab"]
    whole = gzip.compress(text_of(ROWS))
    for broken in (whole[:-9], whole[:15] + b"xxxx" + whole[19:], text_of(ROWS)):
        assert "vectors.gz: cannot be unpacked" in error_of(lambda: read(broken, "vectors.gz"))


vectors_of_words = st.integers(1, 30).flatmap(
    lambda size: st.lists(
        st.tuples(
            st.text(st.sampled_from("的北京ABaｂ1２-《é😀"), min_size=1, max_size=4),
            st.lists(st.floats(-4, 4, width=32), min_size=size, max_size=size),
        ),
        min_size=1,
        max_size=12,
    )
)


@deterministic
@given(
    vectors_of_words, st.sets(st.sampled_from("的北京ab12-《é")), st.integers(1, 12), st.sampled_from(sorted(FORMATS))
)
def test_what_is_kept(tmp_path_factory, rows, wanted, limit, format_):
    first = {}
    for word, values in rows:
        first.setdefault(normal_form(word), np.array(values, np.float32).tolist())
    in_order = sorted(
        first, key=lambda word: word not in wanted
    )  # stable: the order of the file among those wanted, and among others
    expected = {word: first[word] for word in in_order[:limit]}
    path = tmp_path_factory.mktemp("vectors") / "vectors"
    path.write_bytes(FORMATS[format_]([("开头", [1.0] * len(rows[0][1])), *rows]))
    words, vectors = read_word_vectors(path, {*wanted, "开头"}, limit + 1)
    assert dict(zip(words, vectors.tolist(), strict=True)) == {"开头": [1.0] * len(rows[0][1])} | expected
    assert words == ["开头", *expected]


def test_blank_repeated_and_broken_words_are_counted(read):
    rows = [
        ("的", [1.0] * 9),
        ("\u3000", [2.0] * 9),
        ("Ａ", [3.0] * 9),
        ("a", [4.0] * 9),
        ("", [5.0] * 9),
        ("A", [6.0] * 9),
    ]
    cut = "北京".encode(), "北京".encode()[:-1]
    text, binary = (format_([*rows, ("北京", [7.0] * 9)]).replace(*cut) for format_ in (text_of, binary_of))
    for content in (text, binary, text.replace(b"9\n", b"9\n\n")):
        skipped = Counter()
        words, vectors = read(content, skipped=skipped)
        assert words == ["的", "a"] and vectors[:, 0].tolist() == [1.0, 3.0]
        assert {reason: skipped[reason] for reason in (BLANK_WORD, REPEATED_WORD, NOT_UTF_8)} == {
            BLANK_WORD: 2,
            REPEATED_WORD: 2,
            NOT_UTF_8: 1,
        }
        assert skipped["blank line"] == (content not in (text, binary))


def test_words_with_blanks_inside(read):
    content = b"3 2\n. . . 0.5 1\nat name@example 2 3\n a 4 5\n"
    assert read(content).words == [". . .", "at name@example", "a"]
    assert read(b". 0.5 1\nat name@example 2 3\n").vectors.tolist() == [[0.5, 1], [2, 3]]


def test_binary_files_longer_than_what_is_read_at_once(read):
    generator = np.random.default_rng(0)
    rows = [(f"词{number}", generator.normal(size=300)) for number in range(2000)]
    assert len(binary_of(rows)) > 2 * 2**20
    words, vectors = read(binary_of(rows), wanted={"词1999"}, limit=1001)
    assert words == ["词1999", *(f"词{number}" for number in range(1000))]
    np.testing.assert_array_equal(
        vectors, np.array([rows[1999][1], *(values for _, values in rows[:1000])], np.float32)
    )
    begun = len(binary_of(rows[:1500]))
    assert f"byte {begun}: the file ends after 1500 of 2000 words" in error_of(
        lambda: read(binary_of(rows)[: begun + 700])
    )


# Files that are none


WRONG_TEXTS = [
    ("2 3\n甲 1 2 3\n乙 1 2\n", ":3: 2 values instead of 3"),
    ("2 3\n甲 1 2 3 4\n乙 1 2 3\n", ":2: 4 values instead of 3"),
    ("甲 1 2 3\n乙 1 2 3\n丙 1 2 3 4 5\n", ":3: 5 values instead of 3"),
    ("2 3\n甲 1 2 3\n1 2 3\n", ":3: 2 values instead of 3"),
    ("2 3\n甲 1 x 3\n乙 1 2 3\n", ":2: 'x' is not a number"),
    ("2 3\n甲 x 2 3\n乙 1 2 3\n", ":2: 'x' is not a number"),
    ("甲 1 2 3\n乙 1 2 三\n", ":2: '三' is not a number"),
    ("2 2\n甲 1 2\n乙 nan 2\n", ":3: a value is NaN or beyond float32"),
    ("2 2\n甲 1 -inf\n乙 1 2\n", ":2: a value is NaN or beyond float32"),
    ("1 2\n甲 1 1e39\n", ":2: a value is NaN or beyond float32"),
    ("3 2\n甲 1 2\n乙 1 2\n", ":3: the file ends after 2 of 3 words"),
    ("3 2\n", "the file ends after 0 of 3 words"),
    ("99999999999999999999 2\n甲 1 2\n", "the file ends after 1 of 99999999999999999999 words"),
    ("9" * 5000 + " 2\n甲 1 2\n", "the file ends after 1 of 9999"),
    ("1 2\n甲 1 2\n乙 1 2\n", ":3: more words than the 1 of the first line"),
    ("1 0\n甲\n", ":1: 0 values for each word"),
    ("甲\n乙\n", ":1: 0 values for each word"),
    ("", ":1: 0 values for each word"),
    ("\n\n", ":1: 0 values for each word"),
    ("2 99999999999\n甲 1 2\n", ":1: 99999999999 values for each word"),
    ("1 " + "9" * 5000 + "\n甲 1 2\n", ":1: 9999"),
    ("甲" + " 1" * 5000 + "\n", ":1: 5000 values for each word"),
    ("1 2\n" + "甲" * 100_000 + " 1 2\n", ":2: "),
    ("0 5\n", "has no words"),
    ("2 2\n\u3000 1 2\n\u2003 1 2\n", "has no words"),
    ("2 2\n甲 0 0\n乙 0 -0.0\n", "all its vectors are 0"),
    ('{"甲": [1, 2], "乙": [3, 4]}\n', ":1: '[1,' is not a number"),
]


@pytest.mark.parametrize(("content", "message"), WRONG_TEXTS, ids=[str(number) for number in range(len(WRONG_TEXTS))])
def test_wrong_texts(read, content, message):
    assert message in error_of(lambda: read(content.encode())).partition("vectors.vec")[2]


@pytest.mark.parametrize("header", [True, False])
def test_another_encoding(read, header):
    rows = [(word, [1.0, 2.0]) for word in ("的", "北京", "大学", "，", "a")]
    assert "4 of 5 words are not UTF-8" in error_of(lambda: read(text_of(rows, header).decode().encode("gbk")))


def test_values_of_words_that_are_left_out_are_not_looked_at_but_counted(read):
    assert read(b"3 2\na 1 2\nb x 2\nc 1 nan\n", limit=1).words == ["a"]
    assert ":3: 1 values" in error_of(lambda: read(b"3 2\na 1 2\nb 2\nc 1 2\n", limit=1))


def test_a_binary_file_cut_anywhere(read):
    whole = binary_of(ROWS)
    for length in range(4, len(whole) - 1):  # the last line break may be missing
        assert "vectors.vec" in error_of(lambda: read(whole[:length]))
    for length in range(4 + len("的 ") + 12 + 1, len(whole) - 1):
        assert "the file ends after" in error_of(lambda: read(whole[:length])) and "of 3 words" in error_of(
            lambda: read(whole[:length])
        )
    assert len(read(whole[:-1]).words) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (binary_of(ROWS).replace(b"3 3\n", b"2 3\n"), "byte 41: more words than the 2 of the first line"),
        (binary_of(ROWS).replace(b"3 3\n", b"99999999999999 3\n"), "the file ends after 3 of 99999999999999 words"),
        (binary_of(ROWS).replace(b"3 3\n", b"3 4096\n"), "the file ends after 0 of 3 words"),
        (binary_of(ROWS).replace(b"3 3\n", b"3 4097\n"), ":1: 4097 values"),
        (binary_of([("的", [0.5, math.nan, 1.0])]), "byte 4: a value is NaN"),
        (binary_of([("的", [0.5] * 3), ("是", [0.5, math.inf, 1.0])]), "byte 21: a value is NaN"),
        (binary_of([("的", [0.0] * 3)]), "all its vectors are 0"),
        (b"3 3\n\x00" + b"x" * 5000, "byte 4: no word with a blank behind it"),
        (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.", ":1: "),
    ],
)
def test_wrong_binary_files(read, content, message):
    assert message in error_of(lambda: read(content))


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere.vec"):
        assert f"{path}: no such file" in error_of(lambda: read_word_vectors(path))


@deterministic
@given(st.binary(max_size=60), st.sampled_from([b"", b"2 3\n", b"1 1\n", b"3 2\n\x00"]))
def test_whatever_the_bytes_it_is_vectors_or_one_line(tmp_path_factory, content, beginning):
    path: Path = tmp_path_factory.mktemp("vectors") / "vectors"
    path.write_bytes(beginning + content)
    try:
        words, vectors = read_word_vectors(path)
    except UserError as error:
        assert str(path) in str(error)
    else:
        assert len(words) == len(set(words)) == len(vectors) and np.isfinite(vectors).all()


@pytest.mark.parametrize(
    "content", [b"999999999999 4096\na" + b" 1" * 4096 + b"\n", b"999999999999 4096\na " + b"\x00\x3f" * 8192]
)
def test_a_first_line_allocates_nothing(read, content):
    tracemalloc.start()
    try:
        error_of(lambda: read(content))
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()


def test_memory_holds_what_is_kept_and_not_the_file(read, tmp_path):
    rows = [(f"词{number}", [0.25] * 50) for number in range(4000)]
    for content in (text_of(rows), binary_of(rows)):
        (tmp_path / "many").write_bytes(content)
        tracemalloc.start()
        try:
            assert len(read_word_vectors(tmp_path / "many", limit=100).words) == 100
            assert tracemalloc.get_traced_memory()[1] < 3 * 2**20
        finally:
            tracemalloc.stop()


# The size of learned vectors


def test_the_size_rule():
    sizes = {10_000: 77, 100_000: 96, 500_000: 110, 2_000: 64, 7: 17, 6: 16, 1: 16, 0: 16}
    assert {words: word_vector_size(words) for words in sizes} == sizes
    for words in range(8, 3000, 7):
        size = word_vector_size(words)
        assert size > 8.33 * math.log(words) >= size - 1
