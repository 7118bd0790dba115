"""Lazy Adam: rows that a batch does not hold stand still with their moments, the others move as Adam moves them, and
nothing is dense."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from common.command_line import UserError
from common.keras_compat import keras, tf
from common.optimizers import AdamW

ROWS, SIZE = 13, 3
batches = st.lists(st.lists(st.integers(0, ROWS - 1), max_size=20), min_size=1, max_size=5)


def table():
    return tf.Variable(np.random.default_rng(0).normal(size=(ROWS, SIZE)), dtype=tf.float32, name="table/embeddings")


def sparse_gradient(indices, seed: int) -> tf.IndexedSlices:
    values = np.random.default_rng(seed).normal(size=(len(indices), SIZE))
    return tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(indices, tf.int32), tf.constant([ROWS, SIZE]))


def state(optimizer, weight) -> list[np.ndarray]:
    """The table and its moments."""
    return [weight.numpy(), optimizer._momentums[0].numpy(), optimizer._velocities[0].numpy()]


@settings(max_examples=25, deadline=None)
@given(batches)
def test_absent_rows_stand_still_and_the_others_move_as_by_adam(steps):
    lazy, dense, weight, reference = (
        AdamW(0.1, lazy=True),
        keras.optimizers.AdamW(0.1, weight_decay=0.0, jit_compile=False),
        table(),
        table(),
    )
    lazy.build([weight])
    dense.build([reference])
    for number, indices in enumerate(steps):
        gradient = sparse_gradient(indices, number)
        before = state(lazy, weight)
        # Adam on a table that is like this one, moments and number of steps included.
        for target, value in zip((reference, dense._momentums[0], dense._velocities[0]), before):
            target.assign(value)
        lazy.apply_gradients([(gradient, weight)])
        dense.apply_gradients([(tf.convert_to_tensor(gradient), reference)])
        absent = np.setdiff1d(np.arange(ROWS), indices)
        present = np.unique(np.array(indices, int))
        for name, old, new, expected in zip(
            ("table", "first moment", "second moment"), before, state(lazy, weight), state(dense, reference)
        ):
            assert new[absent].tobytes() == old[absent].tobytes(), name
            np.testing.assert_allclose(new[present], expected[present], rtol=1e-6, atol=1e-7, err_msg=name)


@settings(max_examples=25, deadline=None)
@given(batches, st.sampled_from([0, 2, 3]))
def test_the_average_of_a_lazy_table_is_the_dense_average(steps, lookahead):
    lazy, weight = AdamW(0.1, lazy=True, ema_momentum=0.99, lookahead_steps=lookahead), table()
    expected = weight.numpy().astype(np.float64)
    for number, indices in enumerate(steps):
        lazy.apply_gradients([(sparse_gradient(indices, number), weight)])
        momentum = min(0.99, (1 + number) / (10 + number))
        expected = momentum * expected + (1 - momentum) * weight.numpy()
        state_before = [variable.numpy() for variable in lazy.variables]
        with lazy.averaged_weights():
            np.testing.assert_allclose(weight, expected, rtol=1e-6, atol=1e-6)
        assert all(map(np.array_equal, state_before, [variable.numpy() for variable in lazy.variables])), (
            "looking changed the state"
        )


def test_the_average_of_a_row_catches_up_after_a_thousand_steps():
    lazy, weight = AdamW(0.01, lazy=True, ema_momentum=0.999), table()
    step = tf.function(lambda gradient: lazy.apply_gradients([(gradient, weight)]))
    lazy.build([weight])
    expected, generator = weight.numpy().astype(np.float64), np.random.default_rng(0)
    for number in range(1000):
        # Row 0 in the first and the last steps alone.
        rows = [0, 5] if number < 3 or number > 990 else [int(generator.integers(1, ROWS)), 5]
        step(sparse_gradient(rows, number))
        momentum = min(0.999, (1 + number) / (10 + number))
        expected = momentum * expected + (1 - momentum) * weight.numpy()
    with lazy.averaged_weights():
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)


def operations(graph):
    """Those of a graph and of the functions it calls."""
    yield from graph.get_operations()
    for name in graph._functions if hasattr(graph, "_functions") else ():
        yield from operations(graph._get_function(name).graph)


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("clipping", [None, 1.0])
def test_sparse_gradients_stay_sparse(ema, clipping):
    weight, bias = tf.Variable(tf.zeros([997, 3]), name="table/embeddings"), tf.Variable(tf.zeros([11]), name="bias")

    def dense_operations(lazy):
        optimizer = AdamW(0.1, lazy=lazy, ema_momentum=ema, global_clipnorm=clipping)
        optimizer.build([weight, bias])

        def step(values, rows, other):
            optimizer.apply_gradients([(tf.IndexedSlices(values, rows, (997, 3)), weight), (other, bias)])

        signature = [tf.TensorSpec([None, 3]), tf.TensorSpec([None], tf.int32), tf.TensorSpec([11])]
        graph = tf.function(step, input_signature=signature).get_concrete_function().graph
        return [
            one.name
            for one in operations(graph)
            if any(output.shape.rank and output.shape[0] == 997 for output in one.outputs)
        ]

    assert dense_operations(lazy=False), "the search finds nothing"
    assert dense_operations(lazy=True) == []


def test_a_table_the_network_writes_with_is_refused_in_one_line():
    ids = keras.Input((None,), dtype="int32")
    table = keras.layers.Embedding(12, 6, name="title_embedding")
    model = keras.Model(ids, tf.matmul(table(ids), table.embeddings, transpose_b=True))
    model.compile(AdamW(0.1, lazy=True), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    tokens = np.arange(12).reshape(2, 6)
    with pytest.raises(UserError, match="--lazy-embeddings.*title_embedding/embeddings") as caught:
        model.fit(tokens, tokens, verbose=0)
    assert "\n" not in str(caught.value)


def test_a_table_of_positions_is_updated_as_by_adam():
    lazy, dense = AdamW(0.1, lazy=True, ema_momentum=0.9), AdamW(0.1, ema_momentum=0.9)
    weights = [tf.Variable(np.ones((4, 2)), dtype=tf.float32, name="Embedding-Position/embeddings") for _ in range(2)]
    for number in range(5):
        gradient = tf.constant(np.random.default_rng(number).normal(size=(4, 2)), tf.float32)
        for optimizer, weight in zip((lazy, dense), weights):
            optimizer.apply_gradients([(gradient, weight)])
    assert weights[0].numpy().tobytes() == weights[1].numpy().tobytes()
