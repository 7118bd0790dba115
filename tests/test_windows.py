"""common/tokenizers/windows: long texts in pieces, with nothing lost between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import SPECIAL_TOKENS, PairWindow, WordPieceTokenizer, pair_windows, windows

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"天地人和a", "##a"])
deterministic = settings(max_examples=200)
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
        begin, finish = (encoding.offsets[first][0], encoding.offsets[end - 1][1]) if end > first else (0, 0)
        assert part.offsets[[0, -1]].tolist() == [[begin, begin], [finish, finish]]


def test_windows_are_held_in_few_bytes_where_that_loses_nothing():
    longer = WordPieceTokenizer([*TOKENIZER.vocabulary, *(f"{number}号" for number in range(2**16)), "龘"])
    for tokenizer, count, kinds in (
        (TOKENIZER, 2**15 - 1, (np.uint16, np.int16)),
        (TOKENIZER, 2**15 + 9, (np.uint16, np.int32)),
        (longer, 2**15 - 1, (np.int32, np.int16)),
    ):
        context = tokenizer.tokenize("龘" * count)
        parts = windows(tokenizer, context, max_length=2**14)
        pairs = pair_windows(tokenizer, tokenizer.tokenize("天地"), context, max_length=2**14, stride=2**14)
        for last in (parts[-1], pairs[-1].encoding, tokenizer.encode("龘" * count)):
            assert (last.ids.dtype, last.offsets.dtype) == kinds
            assert last.ids[-2] == context.ids[-1] and last.offsets[-2:].tolist() == [[count - 1, count], [count] * 2]
            assert last.token_span(count - 1, count) == (len(last) - 2, len(last) - 2)


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
    assert [TOKENIZER.vocabulary[index] for part in parts for index in part.ids[1:-1]] == list(
        "天地人人和天天地人"[:6]
    ) + list("天地人")
    assert parts[1].offsets.tolist() == [[2, 2], [2, 3], [3, 4], [4, 5], [5, 5]]


@pytest.mark.parametrize("max_length", [2, 1, 0, -5])
def test_a_window_without_room_is_refused(max_length):
    with pytest.raises(ValueError, match="no room for text"):
        windows(TOKENIZER, TOKENIZER.tokenize("天"), max_length)


# A question with parts of a context


questions = st.text(alphabet="天地人和龘a ", max_size=30)
pair_lengths = st.integers(4, 40)
strides = st.none() | st.integers(-1, 50)


def cut_pair(question, context, max_length, stride):
    """The encodings of question and context, and the windows."""
    asked, tokens = TOKENIZER.tokenize(question), TOKENIZER.tokenize(context)
    return asked, tokens, pair_windows(TOKENIZER, asked, tokens, max_length, stride)


def slow_pair_windows(asked, tokens, max_length, stride):
    """For each window its ids and the index of its first token of the context, token by token."""
    head = asked.ids.tolist()
    while 2 * len(head) > max_length - 3:
        head.pop()
    found, begin = [], 0
    while True:
        end = begin
        while end < len(tokens) and len(head) + (end - begin) + 3 < max_length:
            end += 1
        ids = [TOKENIZER.start_id, *head, TOKENIZER.end_id, *tokens.ids[begin:end].tolist(), TOKENIZER.end_id]
        found.append((ids, len(head), begin))
        if end == len(tokens):
            return found
        step = 3 * (end - begin) // 4 if stride is None else stride
        begin = min(begin + max(step, 1), end)


@deterministic
@given(questions, texts, pair_lengths, strides)
def test_pairs_against_a_slow_reference(question, context, max_length, stride):
    asked, tokens, pairs = cut_pair(question, context, max_length, stride)
    expected = slow_pair_windows(asked, tokens, max_length, stride)
    assert [(pair.encoding.ids.tolist(), pair.asked, pair.first) for pair in pairs] == expected
    assert all(len(pair) == len(pair.encoding) <= max_length for pair in pairs)


@deterministic
@given(questions, texts, pair_lengths, strides)
def test_every_token_of_the_context_is_in_a_pair(question, context, max_length, stride):
    _, tokens, pairs = cut_pair(question, context, max_length, stride)
    seen = [
        (pair.first + place, *row)
        for pair in pairs
        for place, row in enumerate(pair.encoding.offsets[pair.is_context].tolist())
    ]
    assert set(seen) == {(place, *row) for place, row in enumerate(tokens.offsets.tolist())}


@deterministic
@given(questions, texts, pair_lengths, strides)
def test_only_tokens_of_the_context_have_characters(question, context, max_length, stride):
    _, tokens, pairs = cut_pair(question, context, max_length, stride)
    for pair in pairs:
        begin, size = pair.asked + 2, pair.is_context.sum()
        assert pair.is_context.tolist() == [begin <= place < len(pair) - 1 for place in range(len(pair))]
        assert (pair.encoding.offsets[:, 0] < pair.encoding.offsets[:, 1]).tolist() == pair.is_context.tolist()
        assert pair.segment_ids.tolist() == [0] * begin + [1] * (size + 1)
        assert (np.diff(pair.encoding.offsets, axis=0) >= 0).all()
        if size:
            part = tokens.offsets[pair.first : pair.first + size]
            assert set(map(tuple, pair.encoding.offsets[:begin].tolist())) == {(part[0, 0], part[0, 0])}
            assert pair.encoding.offsets[-1].tolist() == [part[-1, 1], part[-1, 1]]


@deterministic
@given(questions, texts, pair_lengths, strides, st.integers(0, 2))
def test_values_are_laid_out_as_the_ids_are(question, context, max_length, stride, width):
    asked, tokens, pairs = cut_pair(question, context, max_length, stride)
    shape = (-1, *[1] * min(width, 1))
    columns = [1.0] if width == 1 else np.arange(1.0, width + 1)

    def values(ids):
        return ids.astype(np.float32) if not width else ids.reshape(shape).astype(np.float32) * np.float32(columns)

    for pair in pairs:
        special = ~pair.is_context
        special[1 : pair.asked + 1] = False
        expected = values(np.where(special, 0, pair.encoding.ids))
        laid_out = pair.lay_out(values(asked.ids), values(tokens.ids))
        np.testing.assert_array_equal(laid_out, expected)
        assert laid_out.dtype == np.float32 and laid_out.shape == expected.shape


@deterministic
@given(texts, pair_lengths, st.integers(1, 50), st.data())
def test_a_stride_short_enough_keeps_spans_whole(context, max_length, stride, data):
    _, tokens, pairs = cut_pair("天", context, max_length, stride)
    room = max_length - 3 - pairs[0].asked
    longest = min(room - stride + 1, len(tokens))
    if longest < 1:
        return
    length = data.draw(st.integers(1, longest))
    first = data.draw(st.integers(0, len(tokens) - length))
    assert any(pair.encoding.token_span(*tokens.char_span(first, first + length - 1)) for pair in pairs)


@deterministic
@given(questions, texts, pair_lengths, strides, st.integers(1, 40), st.data())
def test_a_crop_is_a_piece_of_the_context_with_what_it_has_to_hold(question, context, max_length, stride, length, data):
    asked, tokens, pairs = cut_pair(question, context, max_length, stride)
    pair = data.draw(st.sampled_from(pairs))
    assert [place in pair.context_places for place in range(len(pair))] == pair.is_context.tolist()
    if not pair.context_places:
        return
    first, last = sorted(data.draw(st.tuples(*[st.sampled_from(pair.context_places)] * 2)))
    crop, kept = pair.crop(first, last, length, np.random.default_rng(data.draw(st.integers(0, 2**32))))
    begin, size = pair.asked + 2, len(crop.context_places)
    # The question whole, then a piece without a gap, then the last [SEP].
    assert kept[:begin].tolist() == list(range(begin)) and kept[-1] == len(pair) - 1
    assert kept[begin:-1].tolist() == list(range(kept[begin], kept[begin] + size))
    assert first in kept and last in kept and size == min(max(length, last + 1 - first), len(pair.context_places))
    # It is a window like any other, with the tokens of `kept`.
    assert len(crop) == len(kept) and crop.asked == pair.asked and crop.first == pair.first + kept[begin] - begin
    assert crop.encoding.ids.tolist() == pair.encoding.ids[kept].tolist()
    assert crop.encoding.offsets.tolist() == pair.encoding.offsets[kept].tolist()
    assert (
        crop.segment_ids.tolist() == pair.segment_ids[kept].tolist()
        and crop.is_context.tolist() == pair.is_context[kept].tolist()
    )
    assert crop.lay_out(asked.ids, tokens.ids).tolist() == pair.lay_out(asked.ids, tokens.ids)[kept].tolist()


def test_crops_are_all_that_there_can_be():
    _, _, [pair] = cut_pair("天和", "天地人和天地人和", 13, 1)
    held = [
        (4, 4, 3, {0}),
        (6, 6, 3, {0, 1, 2}),
        (11, 11, 3, {5}),
        (6, 9, 1, {2}),
        (6, 9, 6, {0, 1, 2}),
        (7, 7, 8, {0}),
        (7, 7, 9, {0}),
    ]
    for first, last, length, firsts in held:
        assert {pair.crop(first, last, length, np.random.default_rng(seed))[0].first for seed in range(60)} == firsts


def test_a_context_that_fits_is_one_pair():
    for context in ("", "地人", "地人和"):
        _, tokens, [pair] = cut_pair("天和", context, max(7, 5 + len(context)), 1)
        assert pair.encoding.ids.tolist() == [
            TOKENIZER.start_id, *TOKENIZER.tokenize("天和").ids, TOKENIZER.end_id, *tokens.ids, TOKENIZER.end_id,
        ]  # fmt: skip


def test_pairs_by_hand():
    _, _, pairs = cut_pair("和和和和和和", "天地人天地人", 9, 2)
    assert ["".join(TOKENIZER.vocabulary[index] for index in pair.encoding.ids[pair.is_context]) for pair in pairs] == [
        "天地人",
        "人天地",
        "地人",
    ]
    assert [(pair.asked, pair.first, len(pair)) for pair in pairs] == [(3, 0, 9), (3, 2, 9), (3, 4, 8)]
    assert pairs[1].encoding.offsets.tolist() == [[2, 2]] * 5 + [[2, 3], [3, 4], [4, 5], [5, 5]]
    assert pairs[1].lay_out(np.arange(1, 7), np.arange(10, 70, 10)).tolist() == [0, 1, 2, 3, 0, 30, 40, 50, 0]


def test_a_question_is_in_no_span():
    [pair] = cut_pair("天地", "人天地", 20, 1)[2]
    assert pair.encoding.token_span(1, 3) == (5, 6)
    assert pair.encoding.token_span(0, 2) == (4, 5), "characters 0 to 2 of the context, not of the question"
    with pytest.raises(ValueError, match="special token"):
        pair.encoding.char_span(1, 2)


def test_a_pair_with_fewer_tokens_lays_out_what_is_left():
    [pair] = cut_pair("天地", "人天地和", 20, 1)[2]
    kept = np.array([0, 1, 2, 3, 5, 6, 8])
    shorter = PairWindow(pair.encoding.take(kept), pair.asked, pair.first + 1)
    assert shorter.lay_out(np.array([7, 8]), np.arange(10, 14)).tolist() == [0, 7, 8, 0, 11, 12, 0]
    assert shorter.is_context.tolist() == [False] * 4 + [True] * 2 + [False]
    assert shorter.encoding.token_span(1, 3) == (4, 5)


@pytest.mark.parametrize("max_length", [3, 2, 0, -5])
@pytest.mark.parametrize("question", ["", "天地人"])
def test_a_pair_without_room_is_refused(question, max_length):
    with pytest.raises(ValueError, match="no room for text"):
        cut_pair(question, "天", max_length, 1)
