"""common/losses against their formulas in double precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.keras_compat import keras, tf
from common.losses import (
    Distribution,
    batch_mean,
    focal_loss,
    masked_marginal_cross_entropy,
    masked_mean,
    multilabel_cross_entropy,
    powered_logits,
    powered_sigmoid_cross_entropy,
    sparse_multilabel_cross_entropy,
    symmetric_divergence,
    where_possible,
)

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


def powered_reference(logits, power):
    """log(p / (1 - p)) of p = sigmoid(logits) ** power, in double precision: 1 - s^n = (1 - s)(1 + s + ... +
    s^(n-1))."""
    logits = np.asarray(logits, np.float64)
    series = sum((1 / (1 + np.exp(-logits))) ** exponent for exponent in range(power))
    return -power * np.logaddexp(0, -logits) + np.logaddexp(0, logits) - np.log(series)


@pytest.mark.parametrize("power", [1, 2, 4])
def test_powered_logits_are_those_of_the_power(power):
    values = np.linspace(-30, 30, 121).astype(np.float32)
    logits, slopes = with_gradient(lambda values: powered_logits(values, power), values)
    np.testing.assert_allclose(logits, powered_reference(values, power), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tf.sigmoid(logits), tf.sigmoid(values) ** power, atol=1e-6)
    # Never flat: from `power` at the bottom, where log p is all there is, to 1 at the top.
    assert ((slopes > 0.99) & (slopes < power + 0.01)).all() and slopes[0] == pytest.approx(power, rel=1e-3)
    if power == 1:
        np.testing.assert_allclose(logits, values, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("power", [1, 2, 4])
def test_a_plain_cross_entropy_of_powered_logits_is_the_powered_one(power):
    for label in (0.0, 1.0):
        labels, logits = tf.fill(LOGITS.shape, label), tf.constant(LOGITS, tf.float32)
        plain = tf.nn.sigmoid_cross_entropy_with_logits(labels, powered_logits(logits, power))
        np.testing.assert_allclose(plain, powered_sigmoid_cross_entropy(labels, logits, power), rtol=1e-4, atol=1e-6)


def test_powered_logits_of_huge_and_half_precision_logits():
    assert np.isfinite(powered_logits(tf.constant([-1e4, 1e4]), 4)).all()
    assert powered_logits(tf.cast([1.0], tf.float16), 2).dtype == tf.float32


# Focal loss


def focal_reference(labels, log_probabilities, alpha=0.25, gamma=2.0):
    """Value and derivative by log p, in double precision."""
    logs = np.asarray(log_probabilities, np.float64)
    right, wrong = np.exp(logs), -np.expm1(logs)
    with np.errstate(divide="ignore"):
        log_wrong = np.where(logs < -30, -right, np.log(wrong))
    loss = np.where(labels, -alpha * wrong**gamma * logs, (alpha - 1) * right**gamma * log_wrong)
    positive = -alpha * (wrong**gamma - gamma * wrong ** (gamma - 1) * right * logs)
    negative = (alpha - 1) * right**gamma * (gamma * log_wrong - right / wrong)
    return loss, np.where(labels, positive, negative)


LOG_PROBABILITIES = -np.geomspace(1e-12, 80, 200)


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.5, 0.0), (0.9, 0.5), (0.1, 5.0)])
@pytest.mark.parametrize("label", [0, 1])
def test_focal_loss_against_its_formula(label, alpha, gamma):
    logs = LOG_PROBABILITIES.astype(np.float32)
    losses, gradients = with_gradient(lambda logs: focal_loss(np.full(logs.shape, label), logs, alpha, gamma), logs)
    expected, slopes = focal_reference(label, logs, alpha, gamma)
    assert losses.dtype == np.float32
    np.testing.assert_allclose(losses, expected, rtol=3e-5, atol=1e-36)
    np.testing.assert_allclose(gradients, slopes, rtol=1e-4, atol=1e-30)


def test_focal_loss_of_a_sigmoid_is_the_textbook_formula():
    logits = np.linspace(-15, 15, 121)
    probability = 1 / (1 + np.exp(-logits))
    textbook = {
        1: -0.25 * (1 - probability) ** 2 * np.log(probability),
        0: -0.75 * probability**2 * np.log1p(-probability),
    }
    slopes = {
        1: 0.25 * (1 - probability) ** 2 * (2 * probability * np.log(probability) - (1 - probability)),
        0: 0.75 * probability**2 * (probability - 2 * (1 - probability) * np.log1p(-probability)),
    }
    for label in (0, 1):
        for kind in (np.int8, bool, np.float32):
            labels = np.full(logits.shape, label, kind)
            losses, gradients = with_gradient(
                lambda x: focal_loss(labels, tf.math.log_sigmoid(x)), logits.astype(np.float32)
            )
            np.testing.assert_allclose(losses, textbook[label], rtol=2e-5)
            np.testing.assert_allclose(gradients, slopes[label], rtol=2e-5)


def test_focal_loss_without_focus_is_half_the_cross_entropy():
    generator = np.random.default_rng(0)
    labels, logits = generator.integers(0, 2, (7, 9)), tf.constant(generator.normal(0, 4, (7, 9)), tf.float32)
    expected = tf.nn.sigmoid_cross_entropy_with_logits(labels.astype(np.float32), logits) / 2
    np.testing.assert_allclose(
        focal_loss(labels, tf.math.log_sigmoid(logits), alpha=0.5, gamma=0.0), expected, rtol=1e-5
    )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("label", [0, 1])
def test_extreme_probabilities_have_finite_losses_and_gradients(label, gamma):
    logs = np.array([-np.inf, -3e38, -1e30, -1e4, -104.0, -1e-7, -1e-30, -1e-38, -0.0, 0.0, 1e-7], np.float32)
    losses, gradients = with_gradient(lambda logs: focal_loss(np.full(logs.shape, label), logs, gamma=gamma), logs)
    assert np.isfinite(losses).all() and np.isfinite(gradients).all() and (losses >= 0).all()
    right, wrong = (losses[-4:], losses[:4]) if label else (losses[:4], losses[-4:])
    assert (right < 1e-20).all() and (wrong > 10).all()
    logits = np.array([-1e30, -1e4, -90.0, -20.0, 0.0, 20.0, 69.0, 90.0, 1e4, 1e30], np.float32)

    def gated(logits):
        return 100 * tf.reduce_sum(
            focal_loss(label, tf.math.log_sigmoid(logits) + tf.math.log_sigmoid(logits[:, None]), gamma=gamma)
        )

    loss, gradient = with_gradient(gated, logits)
    assert np.isfinite(loss) and np.isfinite(gradient).all()


def test_a_confident_mistake_has_its_whole_gradient():
    """A sigmoid in float32 is 1 from a logit of 17 on, and a loss made of it says nothing there."""
    for label, logits in ((0, [17.0, 30.0, 60.0]), (1, [-17.0, -90.0, -1e4])):
        _, gradients = with_gradient(
            lambda x: focal_loss(np.full(3, label), tf.math.log_sigmoid(x)), np.array(logits, np.float32)
        )
        np.testing.assert_allclose(gradients, -0.25 if label else 0.75, rtol=1e-5)


def test_focal_loss_of_half_precision_is_float32():
    logs = tf.cast([-0.01, -1.0, -9.0], tf.float16)
    loss = focal_loss([1, 0, 1], logs)
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, focal_reference(np.array([1, 0, 1]), logs.numpy())[0], rtol=1e-5)


# Loss terms


def test_a_masked_mean_is_a_sum_and_a_count():
    values = tf.constant([[1.0, 2.0, 9.0], [6.0, 9.0, 9.0]])
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    for kind in (np.int8, np.int32, bool, np.float32):
        term = masked_mean("tag_loss", values, mask.astype(kind))
        assert (term.name, float(term.numerator), float(term.denominator), term.distributions) == (
            "tag_loss",
            9.0,
            3.0,
            (),
        )
        assert term.numerator.dtype == term.denominator.dtype == tf.float32
    term = masked_mean("tag_loss", tf.cast(values, tf.float16), np.ones((2, 3)))
    assert (float(term.numerator), float(term.denominator)) == (36.0, 6.0) and term.numerator.dtype == tf.float32


def test_a_masked_mean_of_nothing_has_no_gradient():
    values = tf.constant([3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        term = masked_mean("tag_loss", values, np.zeros(2))
    assert float(term.numerator) == float(term.denominator) == 0.0
    assert tape.gradient(term.numerator, values).numpy().tolist() == [0.0, 0.0]


def test_a_batch_mean_counts_the_rows_of_an_input():
    term = batch_mean("kind_loss", tf.constant([1.0, 2.5], tf.float16), np.zeros((2, 7), np.int8))
    assert (term.name, float(term.numerator), float(term.denominator)) == ("kind_loss", 3.5, 2.0)
    assert term.numerator.dtype == term.denominator.dtype == tf.float32
    assert float(batch_mean("kind_loss", tf.zeros(0), np.zeros((0, 7))).denominator) == 0.0


def test_terms_keep_what_is_to_be_compared():
    one = Distribution(tf.zeros((2, 3)), "softmax", tf.ones(2))
    for term in (masked_mean("a", tf.zeros(2), np.ones(2), [one]), batch_mean("a", tf.zeros(2), np.ones(2), [one])):
        assert term.distributions == (one,)


def test_a_softmax_gives_nothing_to_what_is_impossible():
    logits = where_possible(
        np.array([[1, 0, 1], [0, 0, 0]], np.int8), tf.constant([[2.0, 50.0, 1.0], [3.0, 3.0, 3.0]], tf.float16)
    )
    assert logits.dtype == tf.float32
    probabilities = tf.nn.softmax(logits).numpy()
    assert probabilities[0, 1] == 0 and probabilities[0, 0] == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert np.isfinite(probabilities).all()


# Divergence

some_logits = st.lists(st.tuples(st.floats(-30, 30, width=32), st.floats(-30, 30, width=32)), min_size=1, max_size=8)


def kullback_leibler(logs, others):
    return (np.exp(logs) * (logs - others)).sum(-1)


@settings(max_examples=100, deadline=None)
@given(some_logits)
def test_the_divergence_is_the_sum_of_both_kullback_leibler_divergences(pairs):
    one, other = np.array(pairs, np.float32).T
    logs = [values - np.logaddexp.reduce(values) for values in (one.astype(np.float64), other.astype(np.float64))]
    found = symmetric_divergence(one, other, "softmax").numpy()
    assert found.shape == () and found.dtype == np.float32
    np.testing.assert_allclose(found, kullback_leibler(*logs) + kullback_leibler(*reversed(logs)), rtol=1e-4, atol=1e-5)
    # A sigmoid is a softmax over its logit and 0.
    logs = [
        np.stack([-np.logaddexp(0, -values), -np.logaddexp(0, values)], -1)
        for values in (one.astype(np.float64), other.astype(np.float64))
    ]
    found = symmetric_divergence(one, other, "sigmoid").numpy()
    assert found.shape == one.shape and (found >= 0).all()
    np.testing.assert_allclose(found, kullback_leibler(*logs) + kullback_leibler(*reversed(logs)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_equal_beliefs_do_not_differ(activation):
    logits = np.random.default_rng(0).normal(0, 5, (4, 3, 6)).astype(np.float32)
    distance, slope = with_gradient(
        lambda values: symmetric_divergence(values, tf.constant(logits), activation), logits
    )
    assert (
        distance.shape == ((4, 3) if activation == "softmax" else (4, 3, 6)) and not distance.any() and not slope.any()
    )
    shifted = symmetric_divergence(logits, logits + 3, activation).numpy()
    assert np.allclose(shifted, 0, atol=1e-4) if activation == "softmax" else (shifted > 0).all()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_divergence_is_a_number_where_logits_are_extreme(activation):
    """A place that a mask excludes is as impossible in both readings."""
    extreme = where_possible(np.array([1, 0, 1]), tf.constant([300.0, 0.0, -300.0]))
    for other in (extreme, where_possible(np.array([1, 0, 1]), tf.constant([-300.0, 0.0, 300.0]))):
        distance, slope = with_gradient(lambda values: symmetric_divergence(values, other, activation), extreme)
        assert np.isfinite(distance).all() and np.isfinite(slope).all()
    half = tf.cast([1.0, 2.0], tf.bfloat16)
    assert symmetric_divergence(half, half, activation).dtype == tf.float32


# Multi-label cross entropy


def multilabel_reference(labels, logits):
    """Value and derivative of one row, in double precision. A logit this low is one that does not take part."""
    logits = np.asarray(logits, np.float64)
    positives, negatives = labels == 1, (labels == 0) & (logits > -1e4)
    partitions = np.logaddexp.reduce([0, *-logits[positives]]), np.logaddexp.reduce([0, *logits[negatives]])
    gradient = np.zeros(logits.shape)
    gradient[positives] = -np.exp(-logits[positives] - partitions[0])
    gradient[negatives] = np.exp(logits[negatives] - partitions[1])
    return sum(partitions), gradient


def multilabel_rows(scale):
    """Labels and logits (2, 3, 20): without positives, with one, with many and with nothing else; one logit in six is
    masked."""
    generator = np.random.default_rng(5)
    labels = (generator.random((2, 3, 20)) < np.array([0, 0.05, 0.3, 0.6, 0.9, 1]).reshape(2, 3, 1)).astype(np.int32)
    logits = generator.normal(0, scale, labels.shape).astype(np.float32)
    logits[(generator.random(labels.shape) < 1 / 6) & (labels == 0)] = -3e4
    return labels, logits


def with_gradient(function, logits):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = function(logits)
    return loss.numpy(), tape.gradient(loss, logits).numpy()


@pytest.mark.parametrize("scale", [0.5, 5.0, 500.0])
def test_multilabel_cross_entropy_against_its_formula(scale):
    labels, logits = multilabel_rows(scale)
    for kind in (labels, labels.astype(bool), labels.astype(np.float32)):
        losses, gradients = with_gradient(lambda logits: multilabel_cross_entropy(kind, logits), logits)
        assert losses.shape == (2, 3) and losses.dtype == np.float32
        for row in np.ndindex(2, 3):
            loss, gradient = multilabel_reference(labels[row], logits[row])
            np.testing.assert_allclose(losses[row], loss, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(gradients[row], gradient, atol=1e-5)


def test_multilabel_cross_entropy_of_one_right_class_against_softmax():
    """With a class of logit 0 that stands for "none", and no other right one, it is the softmax over all that could be
    taken for it."""
    logits = np.array([2.0, -1.0, 0.5], np.float32)
    np.testing.assert_allclose(
        multilabel_cross_entropy([0, 0, 0], logits), -np.log(1 / (1 + np.exp(logits).sum())), rtol=1e-6
    )
    np.testing.assert_allclose(multilabel_cross_entropy([[1], [0]], [[0.0], [0.0]]), [np.log(2), np.log(2)], rtol=1e-6)


@pytest.mark.parametrize("scale", [0.5, 5.0, 500.0])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_sparse_multilabel_cross_entropy_is_the_dense_one(scale, axes):
    labels, logits = multilabel_rows(scale)
    generator = np.random.default_rng(0)
    positives = generator.permutation(np.argwhere(labels))
    shape = (*labels.shape[: 3 - axes], -1)
    dense = with_gradient(
        lambda logits: multilabel_cross_entropy(labels.reshape(shape), tf.reshape(logits, shape)), logits
    )
    sparse = with_gradient(lambda logits: sparse_multilabel_cross_entropy(positives, logits, axes), logits)
    np.testing.assert_allclose(sparse[0], dense[0], rtol=1e-6)
    np.testing.assert_allclose(sparse[1], dense[1], atol=1e-6)


def test_sparse_multilabel_cross_entropy_without_positives():
    logits = multilabel_rows(2.0)[1]
    none = np.zeros((0, 3), np.int32)
    losses, gradients = with_gradient(lambda logits: sparse_multilabel_cross_entropy(none, logits), logits)
    expected = with_gradient(lambda logits: multilabel_cross_entropy(np.zeros(logits.shape), logits), logits)
    np.testing.assert_allclose(losses, expected[0], rtol=1e-6)
    np.testing.assert_allclose(gradients, expected[1], atol=1e-6)


def test_a_certain_positive_does_not_hide_the_negatives():
    """The sum over all minus the one over positives, the usual sparse form, is 0 here in float32."""
    logits = np.array([[60.0, -1.0, -2.0]], np.float32)
    loss, gradient = with_gradient(lambda logits: sparse_multilabel_cross_entropy([[0, 0]], logits), logits)
    expected, slope = multilabel_reference(np.array([1, 0, 0]), logits[0])
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient[0], slope, rtol=1e-5)


def test_multilabel_losses_of_half_precision_logits_are_float32():
    labels, logits = multilabel_rows(1.0)
    for kind in (tf.float16, tf.bfloat16):
        half = tf.cast(logits, kind)
        for loss in (
            multilabel_cross_entropy(labels, half),
            sparse_multilabel_cross_entropy(np.argwhere(labels), half),
        ):
            assert loss.dtype == tf.float32
            np.testing.assert_allclose(loss, multilabel_cross_entropy(labels, tf.cast(half, tf.float32)), rtol=1e-6)


# Marginal cross entropy


def marginal_reference(labels, logits, mask):
    logits, right = np.asarray(logits, np.float64), (labels == 1) & (mask == 1)
    gradient = np.zeros(logits.shape)
    if not right.any():
        return 0.0, gradient
    everything, answers = np.logaddexp.reduce(logits[mask == 1]), np.logaddexp.reduce(logits[right])
    gradient[mask == 1] = np.exp(logits[mask == 1] - everything)
    gradient[right] -= np.exp(logits[right] - answers)
    return everything - answers, gradient


@pytest.mark.parametrize("scale", [0.5, 5.0, 1e3])
def test_marginal_cross_entropy_against_its_formula(scale):
    generator = np.random.default_rng(0)
    labels, mask = generator.integers(0, 2, (2, 30, 12))
    labels[::3] *= generator.random((10, 12)) < 0.1
    mask[5], labels[6], mask[7], mask[8] = 0, 0, 1, labels[8]
    logits = generator.normal(0, scale, labels.shape).astype(np.float32)
    for kind in (np.int8, bool, np.float32):
        arguments = labels.astype(kind), mask.astype(kind)
        losses, gradients = with_gradient(
            lambda logits: masked_marginal_cross_entropy(arguments[0], logits, arguments[1]), logits
        )
        assert losses.dtype == np.float32
        for row in range(30):
            loss, gradient = marginal_reference(labels[row], logits[row], mask[row])
            np.testing.assert_allclose(losses[row], loss, rtol=1e-4, atol=1e-5 * scale)
            np.testing.assert_allclose(gradients[row], gradient, atol=1e-5 * max(scale, 1))
    assert not losses[5] and not losses[6] and not gradients[5:7].any()
    np.testing.assert_allclose(losses[8], 0, atol=1e-6 * scale)


def test_marginal_cross_entropy_of_one_answer_is_softmax_cross_entropy():
    logits = np.random.default_rng(1).normal(0, 3, (4, 9)).astype(np.float32)
    answers = np.array([0, 3, 8, 8])
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)
    labels = np.eye(9)[answers]
    np.testing.assert_allclose(masked_marginal_cross_entropy(labels, logits, np.ones((4, 9))), expected, rtol=1e-5)


def test_marginal_cross_entropy_by_hand():
    logits = tf.math.log([[0.1, 0.2, 0.3, 0.4]])
    everywhere = [[1, 1, 1, 1]]
    np.testing.assert_allclose(
        masked_marginal_cross_entropy([[0, 1, 1, 0]], logits, everywhere), [-np.log(0.5)], rtol=1e-5
    )
    np.testing.assert_allclose(
        masked_marginal_cross_entropy([[0, 1, 1, 0]], logits, [[1, 1, 0, 0]]), [-np.log(2 / 3)], rtol=1e-5
    )
    assert masked_marginal_cross_entropy([[0, 0, 1, 0]], logits, [[1, 1, 0, 1]]).numpy().tolist() == [0.0]
    half = masked_marginal_cross_entropy([[0, 1, 0, 0]], tf.cast([[0.0, -6e4, 6e4, 1.0]], tf.float16), [[1, 1, 0, 0]])
    assert half.dtype == tf.float32 and np.isfinite(half).all()


def test_losses_can_stand_in_a_network():
    logits, positives = keras.Input((4,)), keras.Input((2,), dtype="int32")
    labels, mask = keras.Input((4,), dtype="int8"), keras.Input((4,), dtype="int8")
    losses = [
        multilabel_cross_entropy(labels, logits),
        sparse_multilabel_cross_entropy(positives, logits),
        masked_marginal_cross_entropy(labels, logits, mask),
    ]
    model = keras.Model([logits, positives, labels, mask], losses)
    values = np.array([[0.5, -1.0, 2.0, 0.0], [0.0, 3.0, 1.0, 1.0]], np.float32)
    right = np.array([[0, 1, 1, 0], [0, 0, 0, 1]])
    allowed = np.ones((2, 4))
    dense, sparse, marginal = model([values, np.argwhere(right), right, allowed])
    np.testing.assert_allclose(dense, [multilabel_reference(*row)[0] for row in zip(right, values)], rtol=1e-5)
    np.testing.assert_allclose(sparse, dense, rtol=1e-6)
    np.testing.assert_allclose(
        marginal, [marginal_reference(*row)[0] for row in zip(right, values, allowed)], rtol=1e-5
    )
