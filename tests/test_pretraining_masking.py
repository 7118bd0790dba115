"""Whole words are hidden, as many as asked for, other ones each time; and the rows of a pass are all of the stream."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.pretraining.masking import Masks, hidden_tokens, mask_rows, word_numbers
from common.pretraining.rows import MaskedRows

from helpers import refused

MASK, UNKNOWN = 4, 1
MASKS = Masks(MASK, np.arange(5, 1000), {"word_ids": 1}, np.array([UNKNOWN]))

place = st.integers(0, 4)
tables = st.integers(1, 12).flatmap(
    lambda length: st.lists(st.lists(place, min_size=length, max_size=length), min_size=1, max_size=5)
)


def slow_words(row):
    """The words of a row, each the list of its tokens."""
    words, before = [], 0
    for index, position in enumerate(row):
        if position:
            if position in (1, 4) or before in (0, 3, 4):
                words.append([])
            words[-1].append(index)
        before = position
    return words


@given(tables, st.floats(0.01, 0.9), st.integers(0, 99))
def test_whole_words_are_hidden_until_there_are_enough(table, share, seed):
    positions = np.array(table)
    words = word_numbers(positions)
    hidden = hidden_tokens(positions > 0, words, share, np.random.default_rng(seed))
    for row, is_hidden in zip(table, hidden):
        chosen = [word for word in slow_words(row) if is_hidden[word].any()]
        assert all(is_hidden[word].all() for word in chosen)
        wanted, count = max(1, round(share * sum(map(bool, row)))), is_hidden.sum()
        assert count == sum(map(len, chosen))
        if any(row):
            assert count >= wanted and any(count - len(word) < wanted for word in chosen)
        else:
            assert not count


@given(tables, st.integers(0, 99))
def test_what_is_hidden_is_asked_for(table, seed):
    positions = np.array(table)
    generator = np.random.default_rng(seed)
    tokens = np.where(positions > 0, generator.integers(5, 1000, positions.shape), 3)
    tokens[:, 0] = UNKNOWN
    rows = {"token_ids": tokens, "word_positions": positions, "word_ids": tokens % 7 + 2}
    masked = mask_rows(rows, MASKS, 0.3, np.random.default_rng(seed))
    assert masked["word_positions"] is positions
    for row in range(len(tokens)):
        asked = masked["labels"][row] >= 0
        places = masked["hidden_places"][row][asked]
        assert len(set(places)) == len(places) and not masked["hidden_places"][row][~asked].any()
        assert masked["labels"][row][asked].tolist() == tokens[row, places].tolist()
        assert (positions[row, places] > 0).all() and UNKNOWN not in tokens[row, places]
        changed = np.flatnonzero(masked["word_ids"][row] != rows["word_ids"][row])
        assert set(np.flatnonzero(masked["token_ids"][row] != tokens[row])) <= set(changed) <= set(places)
        assert (masked["word_ids"][row, changed] == 1).all()


def test_most_become_masks_and_some_another_token():
    tokens = np.full((400, 100), 7)
    rows = {"token_ids": tokens, "word_positions": np.full_like(tokens, 4)}
    masked = mask_rows(rows, MASKS, 0.15, np.random.default_rng(1))
    assert (masked["labels"] == 7).sum(1).tolist() == [15] * 400
    hidden = np.take_along_axis(masked["token_ids"], masked["hidden_places"], 1)
    assert abs((hidden == MASK).mean() - 0.8) < 0.02 and abs((hidden == 7).mean() - 0.1) < 0.02
    assert len(np.unique(hidden)) > 300


class Stream:
    """A corpus whose token at each place is its place."""

    def __init__(self, tokens):
        self.tokens, self.texts = tokens, tokens

    def read(self, starts, length):
        places = starts[:, None] + np.arange(-1, length - 1)
        return {"token_ids": places + 10, "word_positions": np.full_like(places, 4)}


class Encoder:
    max_length, unknown_ids = 12, {"token_ids": 4}

    class tokenizer:
        vocabulary, mask_id, unknown_id = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[", "人"], 4, 1

        def __len__(self):
            return 7


def rows_of(tokens, batch_size=3, seed=1):
    encoder = Encoder()
    encoder.tokenizer = Encoder.tokenizer()
    return MaskedRows(Stream(tokens), Stream(100), encoder, ["token_ids", "segment_ids"], 0.15, batch_size, seed)


@pytest.mark.parametrize("tokens", [50, 123, 1009])
def test_a_pass_reads_the_stream_once(tokens):
    rows = rows_of(tokens)
    passes = []
    for number in range(4):
        steps = range(number * rows.steps_of_a_pass, (number + 1) * rows.steps_of_a_pass)
        starts = [
            int(start) for step in steps for start in rows._order(number)[(step % rows.steps_of_a_pass) * 3 :][:3]
        ]
        assert len(set(starts)) == len(starts) and len({start % 10 for start in starts}) == 1
        assert 0 <= min(starts) and max(starts) + 10 <= tokens and len(starts) * 10 > tokens - 20 - 3 * 10
        passes.append(starts)
    assert len({starts[0] % 10 for starts in passes}) > 1, "all cut at the same places"
    assert any(starts != sorted(starts) for starts in passes)


def test_a_step_depends_on_seed_and_number_alone():
    one, again, other = rows_of(300), rows_of(300), rows_of(300, seed=2)
    again.batch(5)
    for step in (0, 7, 20):
        assert all(
            (one.batch(step)[name] == again.batch(step)[name]).all() for name in ("token_ids", "labels", "segment_ids")
        )
        assert (one.batch(step)["token_ids"] != other.batch(step)["token_ids"]).any()
    assert [batch["token_ids"].tolist() for batch in one.dev_batches()] == [
        batch["token_ids"].tolist() for batch in other.dev_batches()
    ]


def test_special_tokens_stand_in_for_nothing():
    assert rows_of(300).masks.others.tolist() == [5, 6]


def test_too_few_texts_are_refused():
    refused(lambda: rows_of(40, batch_size=4), "40 tokens", "too few", "--batch-size")
