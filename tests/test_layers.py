"""common/layers, each against its formula in plain numpy."""

import numpy as np
import pytest

from common.keras_compat import keras, seed_everything, tf
from common.layers import (
    AttentionPooling,
    ConditionalLayerNormalization,
    Dropout,
    GatedDilatedConvolution,
    IdDropout,
    RelativePosition,
    drop_out,
)
from common.layers.gated_convolution import convolution


@pytest.fixture(autouse=True)
def seed():
    seed_everything(1)


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def randomise(layer):
    """Weights of no special value, so that none of them can be forgotten."""
    generator = np.random.default_rng(7)
    layer.set_weights([generator.normal(0, 0.7, weight.shape) for weight in layer.get_weights()])


# Conditional layer normalisation


def normalised(x):
    centred = x.astype(np.float64) - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True))


def test_conditional_normalisation_starts_as_layer_normalisation():
    x = random(3, 5, 8)
    output = ConditionalLayerNormalization()([x, random(3, 4)]).numpy()
    np.testing.assert_allclose(output, normalised(x), atol=1e-5)


def test_conditional_normalisation_with_weights():
    x, c = 3 * random(3, 5, 8) + 2, random(3, 4)
    layer = ConditionalLayerNormalization()
    layer([x, c])
    randomise(layer)
    gamma, beta, to_gamma, to_beta = layer.get_weights()
    assert to_gamma.shape == to_beta.shape == (4, 8)
    output = layer([x, c])
    for row in range(3):
        expected = (gamma + c[row] @ to_gamma) * normalised(x[row]) + beta + c[row] @ to_beta
        np.testing.assert_allclose(output[row], expected, atol=1e-4)


def test_conditional_normalisation_of_equal_values_is_finite():
    x = tf.zeros((1, 2, 8))
    layer = ConditionalLayerNormalization()
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer([x, random(1, 4)])
    assert np.isfinite(output).all() and np.isfinite(tape.gradient(output, x)).all()


# Gated dilated convolution


def slow_convolution(layer, x, mask):
    kernel, bias = (weight.astype(np.float64) for weight in layer.get_weights())
    output = np.zeros(x.shape)
    for row, length in np.ndindex(*x.shape[:2]):
        total = bias.copy()
        for tap in range(len(kernel)):
            place = length + (tap - len(kernel) // 2) * layer.dilation
            if 0 <= place < x.shape[1]:
                total += x[row, place] @ kernel[tap]
        value, gate = total[: x.shape[2]], 1 / (1 + np.exp(-total[x.shape[2] :]))
        output[row, length] = (x[row, length] * (1 - gate) + value * gate) * mask[row, length]
    return output


@pytest.mark.parametrize(("dilation", "kernel_size"), [(1, 3), (2, 3), (5, 3), (3, 5), (16, 3)])
def test_gated_convolution_against_a_slow_reference(dilation, kernel_size):
    layer = GatedDilatedConvolution(dilation, kernel_size)
    x, mask = random(2, 12, 4), np.ones((2, 12), np.int32)
    mask[1, 7:] = 0
    x *= mask[:, :, None]
    layer(x, mask)
    randomise(layer)
    np.testing.assert_allclose(layer(x, mask), slow_convolution(layer, x, mask), atol=1e-4)


@pytest.mark.parametrize(("dilation", "kernel_size"), [(1, 3), (2, 3), (3, 5), (16, 3)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 2e-2), ("float16", 5e-3)])
def test_gradients_of_a_convolution_are_those_of_its_products(dilation, kernel_size, dtype, tolerance):
    x, kernel, wanted = random(2, 9, 4), random(kernel_size, 4, 6), random(2, 9, 6)

    def products(x, kernel):
        away = dilation * (kernel_size // 2)
        padded = tf.pad(x, [[0, 0], [away, away], [0, 0]])
        return sum(padded[:, tap * dilation : tap * dilation + 9] @ kernel[tap] for tap in range(kernel_size))

    def gradients(convolve, dtype):
        given = [tf.cast(values, dtype) for values in (x, kernel)]
        with tf.GradientTape() as tape:
            tape.watch(given)
            total = tf.reduce_sum(convolve(*given) * tf.cast(wanted, dtype))
        return [tf.cast(found, tf.float64) for found in tape.gradient(total, given)]

    found = gradients(lambda x, kernel: convolution(x, kernel, dilation), dtype)
    for one, other in zip(found, gradients(products, "float64")):
        np.testing.assert_allclose(one, other, atol=tolerance * np.abs(other).max())


def test_stacked_convolutions_do_not_see_how_far_a_batch_was_padded():
    layers = [GatedDilatedConvolution(dilation) for dilation in (1, 2, 4)]
    x = random(1, 6, 4)

    def run(padding):
        state = np.pad(x, ((0, 0), (0, padding), (0, 0)))
        mask = np.arange(6 + padding)[None] < 6
        for layer in layers:
            state = layer(state, mask)
        return state.numpy()

    run(0)
    for layer in layers:
        randomise(layer)
    alone = run(0)
    for padding in (1, 3, 20):
        padded = run(padding)
        np.testing.assert_allclose(padded[:, :6], alone, atol=1e-5)
        assert not padded[:, 6:].any()


def test_gate_dropout_works_in_training_only():
    x, mask = random(1, 40, 8), np.ones((1, 40))
    layer = GatedDilatedConvolution(gate_dropout=0.5)
    still = layer(x, mask).numpy()
    np.testing.assert_array_equal(layer(x, mask, training=False), still)
    moved = layer(x, mask, training=True).numpy() != still
    assert 0.3 < moved.mean() <= 1
    unmoved = GatedDilatedConvolution(gate_dropout=0.0)
    np.testing.assert_array_equal(unmoved(x, mask, training=True), unmoved(x, mask))


# Id dropout


@pytest.mark.parametrize("rate", [0.0, 0.15, 0.6])
def test_id_dropout_hides_as_many_ids_as_it_says_and_never_padding(rate):
    ids = np.random.default_rng(0).integers(2, 50, size=(100, 200)).astype(np.int32)
    ids[:, 150:] = 0
    output = IdDropout(rate, unknown=1)(ids, training=True).numpy()
    assert output.dtype == np.int32
    assert not output[:, 150:].any()
    inside = output[:, :150]
    hidden = inside != ids[:, :150]
    assert (inside[hidden] == 1).all()
    assert hidden.mean() == pytest.approx(rate, abs=0.02)


def test_id_dropout_rests_outside_training():
    ids = np.arange(100)[None]
    layer = IdDropout(0.9, unknown=1)
    np.testing.assert_array_equal(layer(ids), ids)
    np.testing.assert_array_equal(layer(ids, training=False), ids)


def test_id_dropout_draws_anew_each_time():
    layer, ids = IdDropout(0.5, unknown=1), np.full((1, 100), 7)
    assert (layer(ids, training=True).numpy() != layer(ids, training=True).numpy()).any()


# Attention pooling


def slow_pooling(layer, x, length):
    """The pooled vector of one row, of which `length` vectors are tokens."""
    kernel, bias, direction = (weight.astype(np.float64) for weight in layer.get_weights())
    weights = [np.exp(np.tanh(vector @ kernel + bias) @ direction[:, 0]) for vector in x[:length]]
    return sum(weight * vector for weight, vector in zip(weights, x)) / sum(weights)


@pytest.fixture
def pooling():
    layer = AttentionPooling()
    layer(random(1, 2, 6), np.ones((1, 2)))
    randomise(layer)
    return layer


@pytest.mark.parametrize("dtype", [np.int32, np.float32, bool])
def test_pooling_against_a_slow_reference(pooling, dtype):
    x, lengths = 2 * random(4, 9, 6), [9, 1, 4, 7]
    mask = (np.arange(9) < np.array(lengths)[:, None]).astype(dtype)
    output = pooling(x, mask)
    assert output.shape == (4, 6)
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(output[row], slow_pooling(pooling, x[row], length), atol=1e-5)
    assert np.abs(output[0] - x[0].mean(0)).max() > 0.1, "all tokens weigh the same"


def test_pooling_does_not_see_padding(pooling):
    x = random(1, 5, 6)
    alone = pooling(x, np.ones((1, 5)))
    for padding in (1, 30):
        padded = np.concatenate([x, 50 * random(1, padding, 6)], axis=1)
        np.testing.assert_allclose(pooling(padded, np.arange(5 + padding)[None] < 5), alone, atol=1e-6)


def test_the_tokens_may_stand_anywhere(pooling):
    x = random(1, 9, 6)
    mask = np.array([[0, 1, 0, 0, 1, 1, 0, 0, 1]])
    np.testing.assert_allclose(pooling(x, mask)[0], slow_pooling(pooling, x[0, mask[0] > 0], 4), atol=1e-5)


# Relative position


def bucket(position, first, last):
    """Row of the table: 0 within the span, 1 to 16 behind it, 17 to 32 before it. In whole numbers, so exact at the
    edges."""
    distance = max(first - position, position - last, 0)
    near = distance if distance < 8 else min(8 + (distance * distance // 64).bit_length() - 1, 16)
    return near + 16 if position < first else near


def test_relative_positions_start_at_zero():
    x, spans = random(2, 9, 4), np.zeros((2, 2), np.int32)
    np.testing.assert_array_equal(RelativePosition(4)(x, spans), x)


@pytest.mark.parametrize("span", [(0, 0), (200, 203), (299, 299), (150, 160)])
def test_relative_positions_against_a_slow_reference(span):
    layer = RelativePosition(1)
    x, spans = np.zeros((1, 300, 1), np.float32), np.array([span], np.int32)
    layer(x, spans)
    layer.set_weights([np.arange(33, dtype=np.float32)[:, None]])
    assert layer(x, spans).numpy().ravel().tolist() == [bucket(position, *span) for position in range(300)]


def test_relative_positions_belong_to_their_span():
    layer = RelativePosition(4)
    x, spans = random(4, 9, 4), [(0, 1), (4, 4), (8, 8), (2, 5)]
    layer(x, np.array(spans))
    randomise(layer)
    [table] = layer.get_weights()
    output = layer(x, np.array(spans))
    for row, position in np.ndindex(4, 9):
        np.testing.assert_allclose(
            output[row, position], x[row, position] + table[bucket(position, *spans[row])], rtol=1e-5
        )


# All of them


@pytest.mark.parametrize(
    ("layer", "settings"),
    [
        (AttentionPooling, {}),
        (ConditionalLayerNormalization, {"epsilon": 1e-5}),
        (GatedDilatedConvolution, {"dilation": 3, "kernel_size": 5, "gate_dropout": 0.2}),
        (IdDropout, {"rate": 0.3, "unknown": 4}),
        (RelativePosition, {"size": 6}),
    ],
)
def test_the_config_of_a_layer_makes_it_again(layer, settings):
    config = layer(**settings, name="known").get_config()
    assert config["name"] == "known" and settings.items() <= config.items()
    assert layer.from_config(config).get_config() == config


def test_they_work_in_a_network_that_trains():
    ids = keras.Input((None,), dtype="int32")
    spans = keras.Input((2,), dtype="int32")
    state = keras.layers.Embedding(20, 8)(IdDropout(0.2, unknown=1)(ids))
    state = GatedDilatedConvolution(2)(state, ids > 0)
    state += AttentionPooling()(state, ids > 0)[:, None]
    condition = tf.gather(state, spans[:, 0], batch_dims=1)
    state = RelativePosition(8)(ConditionalLayerNormalization()([state, condition]), spans)
    model = keras.Model([ids, spans], keras.layers.Dense(1)(state))
    inputs = [np.arange(2, 14).reshape(2, 6), np.array([[0, 1], [3, 3]])]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(inputs, training=True) - 1.0))
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights)):
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.name


# Dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_dropout_zeroes_as_many_values_as_it_says_and_scales_the_others(rate, dtype):
    values = tf.cast(np.random.default_rng(0).normal(size=(101, 7, 59)), dtype)
    dropped = drop_out(values, rate, [1, 2]).numpy()
    kept = dropped != 0
    assert dropped.dtype == dtype and kept.mean() == pytest.approx(1 - rate, abs=0.01)
    np.testing.assert_allclose(dropped[kept] * (1 - rate), values.numpy()[kept], rtol=2e-3)
    # Neighbours are dropped independently, also the two that share a random number.
    assert np.corrcoef(kept.ravel()[:-1:2], kept.ravel()[1::2])[0, 1] == pytest.approx(0, abs=0.02)
    np.testing.assert_array_equal(drop_out(values, rate, [1, 2]), dropped)
    assert (drop_out(values, rate, [1, 3]).numpy() != dropped).any()


def test_dropout_works_in_training_only_and_draws_anew_each_time():
    values = tf.ones((3, 40))
    layer = Dropout(0.5)
    np.testing.assert_array_equal(layer(values), values)
    assert (layer(values, training=True).numpy() != layer(values, training=True).numpy()).any()
    np.testing.assert_array_equal(Dropout(0.0)(values, training=True), values)
    assert (Dropout(1 - 1e-9)(values, training=True).numpy() != 0).mean() < 0.1
