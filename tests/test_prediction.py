"""common/prediction.py: every row once, whatever the batches, and one graph for all of them."""

import numpy as np
import pytest

from common.keras_compat import keras, tf
from common.prediction import in_batches, in_groups, one_trace, rounds

LENGTHS = [3, 9, 1, 4, 4, 7, 2]
ROWS = [
    {"token_ids": np.arange(1, length + 1, dtype=np.int32), "extra": np.full(length, length, np.int32)}
    for length in LENGTHS
]


@pytest.fixture
def network():
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("extra", "token_ids")}
    summed = keras.layers.Dropout(0.9)(tf.cast(inputs["token_ids"] * inputs["extra"], tf.float32))
    return keras.Model(inputs, [summed, tf.reduce_sum(summed, 1)])


@pytest.mark.parametrize("batch_tokens", [1, 12, 1000])
def test_every_row_once_with_its_own_outputs(network, batch_tokens):
    seen = []
    for indices, (products, sums) in in_batches(one_trace(network), ROWS, batch_tokens):
        assert len(indices) == 1 or products.shape[0] * products.shape[1] <= batch_tokens
        assert products.shape[1] == max(LENGTHS[index] for index in indices)
        for index, row, total in zip(indices, products.numpy(), sums.numpy()):
            length = LENGTHS[index]
            assert row.tolist() == [length * token for token in range(1, length + 1)] + [0] * (len(row) - length)
            assert total == length * length * (length + 1) / 2
            seen.append(int(index))
    assert sorted(seen) == list(range(len(ROWS))) and LENGTHS[seen[0]] == max(LENGTHS)
    assert list(in_batches(one_trace(network), [], batch_tokens)) == []


@pytest.mark.parametrize("batch_tokens", [1, 12, 1000])
def test_groups_keep_their_rows_in_order_and_without_padding(network, batch_tokens):
    products = one_trace(keras.Model(network.input, network.outputs[0]))
    found = in_groups(products, [ROWS[:3], [], ROWS[3:]], batch_tokens)
    expected = [[length * token for token in range(1, length + 1)] for length in LENGTHS]
    assert [[row.tolist() for row in group] for group in found] == [expected[:3], [], expected[3:]]
    assert in_groups(products, [], batch_tokens) == [] and in_groups(products, [[], []], batch_tokens) == [[], []]


def test_one_graph_for_all_lengths(network):
    traced = one_trace(network)
    for _ in in_batches(traced, ROWS, 1):
        pass
    assert traced.experimental_get_tracing_count() == 1


def test_a_network_of_a_list_takes_a_list():
    first, second = keras.Input((None,)), keras.Input((2,), dtype="int32")
    traced = one_trace(keras.Model([first, second], tf.reduce_sum(first, 1) + tf.cast(second[:, 0], tf.float32)))
    assert traced([np.ones((2, 3), np.float32), np.array([[1, 9], [2, 9]], np.int32)]).numpy().tolist() == [4.0, 5.0]
    assert traced.experimental_get_tracing_count() == 1


def test_many_networks_are_no_reason_to_warn(monkeypatch):
    warnings = []
    monkeypatch.setattr(tf.get_logger(), "warning", lambda message, *values: warnings.append(message))
    for _ in range(7):
        given = keras.Input((None,))
        one_trace(keras.Model(given, given + 1.0))(np.ones((1, 2), np.float32))
    assert warnings == []


def test_rounds_are_slices_in_order():
    assert list(rounds([])) == [] and list(rounds([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
