"""common/tokenizers/windows: long texts in pieces, with nothing lost between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer, windows

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"天地人和a", "##a"])
deterministic = settings(derandomize=True, database=None, deadline=None, max_examples=200)
texts = st.text(alphabet="天地人和龘a ", max_size=120)
max_lengths = st.integers(3, 40)
overlaps = st.integers(0, 50)


def cut(text, max_length, overlap):
    """The encoding, its windows, and for each window the first token it holds and the one after its last."""
    encoding = TOKENIZER.tokenize(text)
    parts = windows(TOKENIZER, encoding, max_length, overlap)
    token_at = {start: token for token, start in enumerate(encoding.offsets[:, 0].tolist())}
    ranges = []
    for part in parts:
        first = token_at[int(part.offsets[1, 0])] if len(part) > 2 else 0
        ranges.append((first, first + len(part) - 2))
    return encoding, parts, ranges


@deterministic
@given(texts, max_lengths, overlaps)
def test_windows_hold_consecutive_tokens_with_their_offsets_between_special_tokens(text, max_length, overlap):
    encoding, parts, ranges = cut(text, max_length, overlap)
    for part, (first, end) in zip(parts, ranges):
        assert part.ids[1:-1].tolist() == encoding.ids[first:end].tolist()
        assert part.offsets[1:-1].tolist() == encoding.offsets[first:end].tolist()
        assert part.ids[0] == TOKENIZER.start_id and part.ids[-1] == TOKENIZER.end_id
        assert part.ids.dtype == part.offsets.dtype == np.int32
        begin, finish = (encoding.offsets[first][0], encoding.offsets[end - 1][1]) if end > first else (0, 0)
        assert part.offsets[[0, -1]].tolist() == [[begin, begin], [finish, finish]]


@deterministic
@given(texts, max_lengths, overlaps)
def test_every_token_is_in_a_window_and_no_window_is_too_long_or_superfluous(text, max_length, overlap):
    encoding, parts, ranges = cut(text, max_length, overlap)
    assert all(len(part) <= max_length for part in parts)
    assert {token for first, end in ranges for token in range(first, end)} == set(range(len(encoding)))
    assert all(len(part) == max_length for part in parts[:-1])
    assert all(end < len(encoding) for _, end in ranges[:-1])


@deterministic
@given(texts, max_lengths, overlaps)
def test_neighbours_share_what_was_asked_for(text, max_length, overlap):
    _, _, ranges = cut(text, max_length, overlap)
    for (_, end), (first, _) in zip(ranges, ranges[1:]):
        assert end - first == min(overlap, (max_length - 2) // 2)


@deterministic
@given(texts, max_lengths, overlaps, st.data())
def test_what_is_no_longer_than_the_overlap_lies_whole_in_a_window(text, max_length, overlap, data):
    encoding, parts, _ = cut(text, max_length, overlap)
    longest = min(overlap, (max_length - 2) // 2, len(encoding))
    if not longest:
        return
    length = data.draw(st.integers(1, longest))
    first = data.draw(st.integers(0, len(encoding) - length))
    # All jamo, marks and blanks aside: in this alphabet a range of characters is a range of tokens.
    span = encoding.char_span(first, first + length - 1)
    assert any(part.token_span(*span) for part in parts)


@deterministic
@given(st.text(alphabet="天地人和龘a ", max_size=38))
def test_what_fits_is_one_window(text):
    encoding = TOKENIZER.tokenize(text)
    [part] = windows(TOKENIZER, encoding, 40)
    whole = TOKENIZER.encode(text)
    assert part.ids.tolist() == whole.ids.tolist()
    assert part.offsets[1:-1].tolist() == whole.offsets[1:-1].tolist()


def test_an_empty_text_is_one_window():
    for max_length in (3, 64):
        [part] = windows(TOKENIZER, TOKENIZER.tokenize(""), max_length)
        assert part.ids.tolist() == [TOKENIZER.start_id, TOKENIZER.end_id]
        assert part.offsets.tolist() == [[0, 0], [0, 0]]


def test_by_hand():
    parts = windows(TOKENIZER, TOKENIZER.tokenize("天地人和天地人"), 5, overlap=1)
    assert [TOKENIZER.vocabulary[index] for part in parts for index in part.ids[1:-1]] == list("天地人人和天天地人"[:6]) + list("天地人")
    assert parts[1].offsets.tolist() == [[2, 2], [2, 3], [3, 4], [4, 5], [5, 5]]


@pytest.mark.parametrize("max_length", [2, 1, 0, -5])
def test_a_window_without_room_is_refused(max_length):
    with pytest.raises(ValueError, match="no room for text"):
        windows(TOKENIZER, TOKENIZER.tokenize("天"), max_length)
