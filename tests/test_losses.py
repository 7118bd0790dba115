"""common/losses against their formulas in double precision."""

import numpy as np
import pytest

from common.keras_compat import keras, tf
from common.losses import masked_mean, powered_sigmoid_cross_entropy

LOGITS = np.linspace(-8, 8, 65)


def reference(label, logits, power):
    probability = (1 / (1 + np.exp(-logits))) ** power
    return -np.log(probability) if label else -np.log1p(-probability)


@pytest.mark.parametrize("power", [1, 2, 4])
@pytest.mark.parametrize("label", [0, 1])
def test_powered_cross_entropy_against_logarithms(label, power):
    loss = powered_sigmoid_cross_entropy(np.full(LOGITS.shape, label), tf.constant(LOGITS, tf.float32), power)
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, reference(label, LOGITS, power), rtol=2e-3, atol=1e-6)


def test_rare_labels_cost_little_at_the_start():
    negatives = powered_sigmoid_cross_entropy(np.zeros(3), tf.zeros(3), 4)
    np.testing.assert_allclose(negatives, -np.log(1 - 2.0**-4), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "int32", "float32", "bool"])
def test_labels_of_any_type(dtype):
    labels = np.array([0, 1, 1, 0]).astype(dtype)
    logits = tf.constant([-1.0, 0.5, 2.0, 3.0])
    expected = [reference(int(label), logit, 2) for label, logit in zip(labels, logits.numpy())]
    np.testing.assert_allclose(powered_sigmoid_cross_entropy(labels, logits, 2), expected, rtol=1e-4)


def test_power_one_is_binary_cross_entropy():
    logits = tf.constant(np.linspace(-14, 14, 57), tf.float32)
    for label in (0.0, 1.0):
        labels = tf.fill(logits.shape, label)
        expected = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
        np.testing.assert_allclose(powered_sigmoid_cross_entropy(labels, logits), expected, rtol=1e-2, atol=2e-6)
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, (20, 30)).astype(np.float32)
    logits = tf.constant(generator.normal(0, 3, (20, 30)), tf.float32)
    expected = keras.losses.BinaryCrossentropy(from_logits=True)(labels, logits)
    mean = tf.reduce_mean(powered_sigmoid_cross_entropy(labels, logits))
    np.testing.assert_allclose(mean, expected, rtol=1e-5)


@pytest.mark.parametrize("power", [1, 2, 4])
def test_gradients_against_the_derivative(power):
    logits = tf.constant(np.linspace(-8, 6, 57), tf.float32)
    sigmoid = 1 / (1 + np.exp(-logits.numpy().astype(np.float64)))
    expected = {
        1: power * (sigmoid - 1),
        0: power * sigmoid**power * (1 - sigmoid) / (1 - sigmoid**power),
    }
    for label in (0, 1):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = powered_sigmoid_cross_entropy(tf.fill(logits.shape, label), logits, power)
        np.testing.assert_allclose(tape.gradient(loss, logits), expected[label], rtol=2e-3, atol=1e-7)


@pytest.mark.parametrize("power", [1, 2, 4])
def test_huge_logits_give_finite_losses_and_gradients(power):
    logits = tf.constant([-1e4, -200.0, -90.0, 0.0, 90.0, 200.0, 1e4])
    for label in (0, 1):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = powered_sigmoid_cross_entropy(tf.fill(logits.shape, label), logits, power)
        gradient = tape.gradient(loss, logits).numpy()
        assert np.isfinite(loss).all() and np.isfinite(gradient).all()
        assert (loss.numpy() >= 0).all()
        right, wrong = (loss[-1], loss[0]) if label else (loss[0], loss[-1])
        assert right < 1e-6 and wrong > 10
    positives = powered_sigmoid_cross_entropy(1, tf.constant(-1e4), power)
    np.testing.assert_allclose(positives, power * 1e4, rtol=1e-6)


def test_half_precision_logits_are_computed_in_float32():
    logits = np.array([-6.0, -1.0, 0.5, 3.0])
    for kind in (tf.float16, tf.bfloat16):
        loss = powered_sigmoid_cross_entropy(np.zeros(4), tf.cast(logits, kind), 4)
        assert loss.dtype == tf.float32
        np.testing.assert_allclose(loss, reference(0, logits, 4), rtol=1e-3, atol=1e-9)


def test_masked_mean():
    values = tf.constant([[1.0, 2.0, 9.0], [6.0, 9.0, 9.0]])
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    for kind in (np.int8, np.int32, bool, np.float32):
        assert float(masked_mean(values, mask.astype(kind))) == 3.0
    assert float(masked_mean(values, np.ones((2, 3)))) == 6.0


def test_masked_mean_of_nothing_is_zero_and_so_is_its_gradient():
    values = tf.constant([3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        mean = masked_mean(values, np.zeros(2))
    assert float(mean) == 0.0 and tape.gradient(mean, values).numpy().tolist() == [0.0, 0.0]
