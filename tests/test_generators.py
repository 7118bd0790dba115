"""common/generators: every example once, in an order that (seed, epoch) decides, in batches without waste."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.generators import (
    epoch_batches,
    grouped,
    pad,
    pad_features,
    prediction_order,
    steps_per_epoch,
    training_dataset,
    training_order,
)

deterministic = settings(max_examples=100)
some_lengths = st.lists(st.integers(0, 40), max_size=400)
batch_sizes = st.integers(1, 9)
seeds = st.integers(0, 2**32)


def same_batches(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other))


@deterministic
@given(some_lengths, batch_sizes, seeds, st.integers(0, 100))
def test_a_training_epoch_has_every_index_once_in_as_few_batches_as_possible(lengths, batch_size, seed, epoch):
    batches = training_order(lengths, batch_size, seed, epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // batch_size) == steps_per_epoch(len(lengths), batch_size)
    assert sum(len(batch) != batch_size for batch in batches) == bool(len(lengths) % batch_size)
    assert all(0 < len(batch) <= batch_size for batch in batches)


@deterministic
@given(some_lengths, batch_sizes, seeds, st.integers(0, 100))
def test_the_order_depends_on_seed_and_epoch_alone(lengths, batch_size, seed, epoch):
    first = training_order(lengths, batch_size, seed, epoch)
    np.random.random()
    assert same_batches(first, training_order(list(lengths), batch_size, seed, epoch))


@deterministic
@given(st.lists(st.integers(0, 40), min_size=50, max_size=200), st.integers(1, 4), seeds, st.integers(0, 100))
def test_another_seed_or_epoch_is_another_order(lengths, batch_size, seed, epoch):
    first = training_order(lengths, batch_size, seed, epoch)
    assert not same_batches(first, training_order(lengths, batch_size, seed, epoch + 1))
    assert not same_batches(first, training_order(lengths, batch_size, seed + 1, epoch))


def padded_cells(batches, lengths):
    return sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)


def test_examples_of_similar_length_share_a_batch():
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 200, size=3000).tolist()
    shuffled = generator.permutation(3000)
    as_they_come = padded_cells([shuffled[first : first + 16] for first in range(0, 3000, 16)], lengths) - sum(lengths)
    bucketed = padded_cells(training_order(lengths, 16, 1, 0), lengths) - sum(lengths)
    assert bucketed < 0.06 * as_they_come


def test_batches_do_not_come_sorted_by_length_and_mix_anew_each_epoch():
    lengths = np.random.default_rng(0).integers(5, 200, size=3000)
    longest = [lengths[batch].max() for batch in training_order(lengths, 16, 1, 0)]
    assert abs(np.corrcoef(longest, range(len(longest)))[0, 1]) < 0.2
    partners = [{frozenset(map(int, batch)) for batch in training_order(lengths, 16, 1, epoch)} for epoch in (0, 1)]
    assert len(partners[0] & partners[1]) < 10


@deterministic
@given(st.lists(st.integers(0, 12), max_size=9), st.integers(1, 40), st.integers(0, 20))
def test_prediction_batches_are_the_cheapest_of_all(lengths, batch_tokens, batch_cost):
    batches = prediction_order(lengths, batch_tokens, batch_cost)
    order = [int(index) for batch in batches for index in batch]
    assert order == sorted(range(len(lengths)), key=lambda index: -lengths[index])
    ordered = [lengths[index] for index in order]
    costs = [cost(cut, batch_tokens, batch_cost) for cut in all_cuts(ordered)]
    assert cost([[lengths[index] for index in batch] for batch in batches], batch_tokens, batch_cost) == min(costs)


def all_cuts(rows):
    """Every way to cut a list into pieces."""
    if not rows:
        return [[]]
    return [[rows[:first], *rest] for first in range(1, len(rows) + 1) for rest in all_cuts(rows[first:])]


def cost(batches, batch_tokens, batch_cost):
    tokens = [len(batch) * max(1, *batch, 0) for batch in batches]
    allowed = all(count <= batch_tokens or len(batch) == 1 for count, batch in zip(tokens, batches))
    return sum(tokens) + batch_cost * len(batches) if allowed else float("inf")


def test_few_rows_of_very_different_length_are_hardly_padded():
    lengths = np.random.default_rng(0).lognormal(4, 0.6, size=100).astype(int)
    for count in (30, 100):
        batches = prediction_order(lengths[:count], 4096)
        assert padded_cells(batches, lengths) < 1.25 * sum(lengths[:count]) and len(batches) < count / 5


rows_of_numbers = st.lists(st.lists(st.integers(-100, 100), max_size=12), min_size=1, max_size=8)


@deterministic
@given(rows_of_numbers, st.integers(-3, 3), st.sampled_from([np.int8, np.int32, np.float32]))
def test_padding_against_a_slow_reference(rows, value, dtype):
    padded = pad([np.array(row, dtype) for row in rows], value)
    longest = max(map(len, rows))
    assert padded.tolist() == [row + [value] * (longest - len(row)) for row in rows]
    assert padded.dtype == dtype and padded.shape == (len(rows), longest)


@deterministic
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 3), st.integers(-3, 3))
def test_rows_of_vectors_are_padded_with_vectors(lengths, size, value):
    rows = [
        np.arange(length * size, dtype=np.float32).reshape(length, size) + number
        for number, length in enumerate(lengths)
    ]
    padded = pad(rows, value)
    assert padded.dtype == np.float32 and padded.shape == (len(rows), max(lengths), size)
    for row, array in zip(rows, padded):
        assert array.tolist() == row.tolist() + [[value] * size] * (max(lengths) - len(row))


def test_features_of_both_kinds_are_padded_together():
    padded = pad_features([{"ids": np.arange(n), "values": np.ones((n, 2))} for n in (1, 3)])
    assert padded["ids"].tolist() == [[0, 0, 0], [0, 1, 2]]
    assert padded["values"].tolist() == [[[1, 1], [0, 0], [0, 0]], [[1, 1]] * 3]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_what_is_held_in_few_bytes_is_padded_as_networks_read_it(kind):
    padded = pad([np.array([1, 255], kind), np.array([7], kind)], value=-1)
    assert padded.tolist() == [[1, 255], [7, -1]] and padded.dtype == np.int32


def test_padding_nothing():
    assert pad([]).shape == (0, 0)


@deterministic
@given(rows_of_numbers)
def test_features_are_padded_name_by_name(rows):
    features = [{"ids": np.array(row, np.int32), "twice": np.array(row + row, np.float32)} for row in rows]
    padded = pad_features(features)
    assert list(padded) == ["ids", "twice"]
    assert np.array_equal(padded["ids"], pad([row["ids"] for row in features]))
    assert np.array_equal(padded["twice"], pad([row["twice"] for row in features]))


EXAMPLES = [np.arange(1, 2 + (7 * index) % 11, dtype=np.int32) for index in range(23)]
LENGTHS = [len(example) for example in EXAMPLES]


def collate(batch, generator):
    """Pads, and draws as a folder's collate does: a number for each example."""
    return {"ids": pad(batch), "drawn": generator.integers(1000, size=len(batch)).astype(np.int32)}


def batches_of(epochs, seed=5):
    return [batch for epoch in epochs for batch in epoch_batches(EXAMPLES, LENGTHS, collate, 4, seed, epoch)]


def equal_streams(one, other):
    return len(one) == len(other) and all(
        a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a) for a, b in zip(one, other)
    )


def test_epochs_follow_one_another_with_their_last_partial_batch():
    batches = batches_of(range(3))
    assert len(batches) == 3 * 6
    for epoch in range(3):
        sizes = [len(batch["ids"]) for batch in batches[6 * epoch : 6 * epoch + 6]]
        assert sorted(sizes) == [3, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("resumed_at", range(5))
def test_resumed_epochs_see_what_the_uninterrupted_ones_saw(resumed_at):
    whole = batches_of(range(4))
    assert equal_streams(batches_of(range(resumed_at, 4)), whole[6 * resumed_at :])


def test_what_collate_draws_depends_on_seed_epoch_and_batch():
    draws = [tuple(batch["drawn"]) for batch in batches_of(range(4))]
    assert len(set(draws)) == len(draws)
    assert draws != [tuple(batch["drawn"]) for batch in batches_of(range(4), seed=6)]


# Groups of batches


@deterministic
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30), st.integers(1, 8))
def test_groups_keep_the_batches_and_know_their_totals(counts, size):
    batches = [{"number": np.array(number)} for number in range(len(counts))]
    asked = []

    def denominators(batch):
        asked.append(int(batch["number"]))
        return np.array(counts[asked[-1]], np.float32)

    found = list(grouped(iter(batches), size, denominators))
    assert [batch["number"] for batch, _ in found] == list(range(len(counts))) == asked
    for number, (batch, group) in enumerate(found):
        assert batch is batches[number] and set(group) == {"denominators", "is_last"}
        first = number - number % size
        members = counts[first : first + size]
        np.testing.assert_array_equal(group["denominators"], np.sum(members, axis=0))
        assert group["denominators"].dtype == np.float32 and group["denominators"].shape == (2,)
        assert group["is_last"].dtype == bool and bool(group["is_last"]) == (number == first + len(members) - 1)


def test_no_group_is_read_before_it_is_asked_for():
    taken = []

    def batches():
        for number in range(10):
            taken.append(number)
            yield {"number": number}

    groups = grouped(batches(), 3, lambda batch: np.ones(1, np.float32))
    next(groups)
    assert taken == [0, 1, 2]


# The dataset


def echo(accumulation_steps=1):
    """A network that takes what `collate` makes, and counts the texts and their tokens."""
    from common.keras_compat import keras, tf
    from common.losses import batch_mean, masked_mean
    from common.optimizers.training_model import TrainingModel
    from common.options import TrainingOptions

    def loss(batch, _):
        ids, drawn = batch["ids"], batch["drawn"]
        return [batch_mean("drawn_loss", drawn, drawn), masked_mean("id_loss", ids, ids > 0)]

    ids = keras.Input((None,), dtype="int32", name="ids")
    model = TrainingModel(keras.Model(ids, tf.identity(ids)), loss)
    model.compile(keras.optimizers.SGD(), TrainingOptions(accumulation_steps=accumulation_steps))
    return model


def test_the_dataset_is_the_python_stream():
    dataset = training_dataset(EXAMPLES, LENGTHS, collate, 4, 5, range(1, 3), echo())
    assert equal_streams(list(dataset.as_numpy_iterator()), batches_of(range(1, 3)))
    assert equal_streams(list(dataset.as_numpy_iterator()), batches_of(range(1, 3))), "a second pass differs"


def test_the_grouped_dataset_is_the_python_stream_with_totals_that_end_with_the_epoch():
    elements = list(
        training_dataset(EXAMPLES, LENGTHS, collate, 4, 5, range(1, 3), echo(accumulation_steps=4)).as_numpy_iterator()
    )
    batches = batches_of(range(1, 3))
    assert equal_streams([batch for batch, _ in elements], batches)
    assert [bool(group["is_last"]) for _, group in elements] == [False, False, False, True, False, True] * 2
    for first, last in ((0, 4), (4, 6), (6, 10), (10, 12)):
        counts = [
            sum(len(batch["ids"]) for batch in batches[first:last]),
            sum((batch["ids"] > 0).sum() for batch in batches[first:last]),
        ]
        assert all(group["denominators"].tolist() == counts for _, group in elements[first:last])
