"""common/layers/ordered_neurons_lstm.py against the formulas in plain numpy, neuron by neuron."""

import numpy as np
import pytest

from common.keras_compat import keras, seed_everything, seed_layers, set_precision, tf
from common.layers import OrderedNeuronsLSTM

SIZE, LEVELS, UNITS = 3, 3, 6
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0]])


@pytest.fixture(autouse=True)
def seed():
    seed_everything(1)
    yield
    set_precision("no")


def texts(rows=len(MASK), length=MASK.shape[1]):
    return np.random.default_rng(3).normal(size=(rows, length, SIZE)).astype(np.float32)


def with_weights(levels=LEVELS, units=UNITS, **settings):
    """Of no special value, so that none of them can be forgotten."""
    layer = OrderedNeuronsLSTM(units, levels, **settings)
    layer(texts(), MASK)
    generator = np.random.default_rng(7)
    layer.set_weights([generator.normal(0, 0.7, weight.shape) for weight in layer.get_weights()])
    return layer


def cumax(values):
    shares = np.exp(values - values.max())
    return np.cumsum(shares / shares.sum())


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def slow_text(x, mask, weights, levels, backwards):
    """States and distances of one text, in float64."""
    kernel, recurrent, bias = (np.asarray(weight, np.float64) for weight in weights)
    units = len(recurrent)
    state, cell = np.zeros(units), np.zeros(units)
    states, distances = np.zeros((len(x), units)), np.zeros(len(x))
    level_of = np.arange(units) // (units // levels)
    for time in reversed(range(len(x))) if backwards else range(len(x)):
        if not mask[time]:
            continue
        columns = x[time] @ kernel + state @ recurrent + bias
        forget, writing = cumax(columns[:levels]), cumax(columns[levels : 2 * levels][::-1])[::-1]
        candidate, f, i, o = np.split(columns[2 * levels :], 4)
        new = np.zeros(units)
        for neuron, level in enumerate(level_of):
            overlap = forget[level] * writing[level]
            inner = sigmoid(f[neuron]) * cell[neuron] + sigmoid(i[neuron]) * np.tanh(candidate[neuron])
            new[neuron] = (
                overlap * inner
                + (forget[level] - overlap) * cell[neuron]
                + (writing[level] - overlap) * np.tanh(candidate[neuron])
            )
        cell, state = new, sigmoid(o) * np.tanh(new)
        states[time], distances[time] = state, 1 - forget.mean()
    return states, distances


def slow(x, mask, weights, levels, backwards=False):
    rows = [slow_text(text, row, weights, levels, backwards) for text, row in zip(x, mask)]
    return [np.stack(parts) for parts in zip(*rows)]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("levels", "units"), [(3, 6), (1, 4), (5, 5), (2, 8)])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
def test_states_and_distances_against_a_slow_reference(levels, units, backwards, compiled):
    layer = with_weights(levels, units, backwards=backwards, return_distances=True)
    call = tf.function(layer) if compiled else layer
    states, distances = call(texts(), MASK)
    expected_states, expected_distances = slow(texts(), MASK, layer.get_weights(), levels, backwards)
    assert states.dtype == distances.dtype == tf.float32
    np.testing.assert_allclose(states, expected_states, atol=1e-5)
    np.testing.assert_allclose(distances, expected_distances, atol=1e-5)


@pytest.mark.parametrize("backwards", [False, True])
def test_padding_changes_nothing(backwards):
    layer = with_weights(backwards=backwards, return_distances=True)
    x = texts(2, 5)
    alone = layer(x, np.ones((2, 5)))
    for padding in (1, 4, 30):
        padded = np.concatenate([x, 50 * texts(2, padding)], 1)
        found = layer(padded, np.arange(5 + padding)[None] < np.array([[5], [5]]))
        for expected, values in zip(alone, found):
            np.testing.assert_allclose(values[:, :5], expected, atol=1e-6)
            assert not values[:, 5:].numpy().any()


def test_the_empty_batch_and_the_empty_text_have_no_states():
    layer = with_weights()
    assert layer(texts()[:0], MASK[:0]).shape == (0, 7, UNITS)
    assert layer(texts()[:, :0], MASK[:, :0]).shape == (4, 0, UNITS)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
def test_gradients_are_those_of_finite_differences(backwards, compiled):
    layer = with_weights(backwards=backwards)
    x, weights = texts(), layer.get_weights()
    wanted = np.random.default_rng(5).normal(size=(*MASK.shape, UNITS)).astype(np.float32)

    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, MASK) * wanted)
        return tape.gradient(loss, [x, *layer.trainable_weights])

    given = [x.astype(np.float64), *(weight.astype(np.float64) for weight in weights)]
    found = (tf.function(gradients) if compiled else gradients)(tf.constant(x))
    for values, gradient in zip(given, found):
        expected = np.zeros(values.shape)
        for place in np.ndindex(*values.shape):
            losses = []
            for moved in (1e-5, -1e-5):
                values[place] += moved
                losses.append((slow(given[0], MASK, given[1:], LEVELS, backwards)[0] * wanted).sum())
                values[place] -= moved
            expected[place] = (losses[0] - losses[1]) / 2e-5
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(gradient, expected, atol=1e-4)
    assert not found[0].numpy()[MASK == 0].any()


def test_gradients_of_a_long_text_and_of_large_sums_are_finite():
    layer = with_weights()
    layer.set_weights([100 * weight for weight in layer.get_weights()])
    x = tf.constant(10 * texts(2, 400))
    with tf.GradientTape() as tape:
        tape.watch(x)
        states = layer(x, np.ones((2, 400)))
        loss = tf.reduce_sum(states)
    for gradient in (states, *tape.gradient(loss, [x, *layer.trainable_weights])):
        assert np.isfinite(gradient).all()


def test_dropconnect_drops_the_same_weights_for_all_texts_and_others_each_time():
    layer, still = with_weights(dropconnect=0.5), with_weights()
    x = np.repeat(texts(1), 3, 0)
    mask = np.ones(x.shape[:2])
    np.testing.assert_array_equal(layer(x, mask), still(x, mask))
    first, second = (layer(x, mask, training=True).numpy() for _ in range(2))
    np.testing.assert_allclose(first[0], first[2], atol=1e-6)
    np.testing.assert_allclose(first[:, 0], still(x, mask)[:, 0], atol=1e-6)  # nothing recurs into the first step
    assert np.abs(first - second)[:, 1:].max() > 0.01


def test_dropconnect_drops_a_share_of_the_recurrent_weights_and_learns_the_others():
    layer = with_weights(4, 64, dropconnect=0.25)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(texts(), MASK, training=True))
    _, gradient, _ = tape.gradient(loss, layer.trainable_weights)
    assert (gradient.numpy() == 0).mean() == pytest.approx(0.25, abs=0.03)


def test_dropconnect_begins_anew_with_the_seed_of_an_epoch():
    inputs, mask = keras.Input((None, SIZE)), keras.Input((None,))
    model = keras.Model([inputs, mask], OrderedNeuronsLSTM(8, 4, dropconnect=0.5, name="known")(inputs, mask))
    found = []
    for epoch in (1, 2, 1):
        seed_layers(model, 1, epoch)
        found.append(model([texts(), MASK], training=True).numpy())
    np.testing.assert_array_equal(found[0], found[2])
    assert (found[0] != found[1]).any()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_it_computes_in_float32_in_any_precision(precision):
    expected = with_weights(dropconnect=0.1)(texts(), MASK)
    set_precision(precision)
    layer = with_weights(dropconnect=0.1)
    assert {weight.dtype for weight in layer.weights if "generator" not in weight.name} == {tf.float32}
    np.testing.assert_array_equal(layer(texts(), MASK), expected)
    assert np.isfinite(layer(tf.cast(texts(), precision), MASK, training=True)).all()


def test_the_config_of_a_layer_makes_it_again():
    settings = {"units": 8, "levels": 2, "backwards": True, "dropconnect": 0.25, "return_distances": True}
    config = OrderedNeuronsLSTM(**settings, name="known").get_config()
    assert config["name"] == "known" and settings.items() <= config.items()
    assert OrderedNeuronsLSTM.from_config(config).get_config() == config


@pytest.mark.parametrize(("units", "levels"), [(8, 3), (8, 0), (0, 1), (4, 8)])
def test_units_are_a_multiple_of_the_levels(units, levels):
    with pytest.raises(ValueError, match=f"{units} units are no multiple of {levels} levels"):
        OrderedNeuronsLSTM(units, levels)


def test_each_step_has_one_product_of_matrices_forwards_and_backwards():
    layer = with_weights()

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, MASK))
        return tape.gradient(loss, [x, *layer.trainable_weights])

    bodies = [
        [node.op for node in function.node_def]
        for function in gradients.get_concrete_function(tf.constant(texts())).graph.as_graph_def().library.function
        if "while_body" in function.signature.name
    ]
    assert [operations.count("MatMul") for operations in bodies] == [1, 1]
