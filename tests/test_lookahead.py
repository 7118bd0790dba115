"""Lookahead on any optimizer: where it starts, what it does against a simulation in plain numpy, and what is
evaluated."""

import numpy as np
import pytest

from common.keras_compat import keras, tf
from common.optimizers import AdamW, Lookahead

STEPS = 50


class LookaheadSGD(Lookahead, keras.optimizers.SGD):
    pass


def pretrained() -> list[np.ndarray]:
    """Weights as a checkpoint has them: of any size, and far from zero."""
    generator = np.random.default_rng(5)
    return [
        (generator.normal(size=shape) * scale).astype(np.float32)
        for shape, scale in (((7, 5), 0.02), ((5,), 30.0), ((3, 2), 1e-6))
    ]


def gradients(step: int) -> list[np.ndarray]:
    generator = np.random.default_rng(100 + step)
    return [generator.normal(size=value.shape).astype(np.float32) for value in pretrained()]


def variables():
    return [tf.Variable(value, name=f"query_{index}") for index, value in enumerate(pretrained())]


def step(optimizer, weights, number: int) -> None:
    optimizer.apply_gradients(zip(map(tf.constant, gradients(number)), weights))


def evaluated(optimizer, weights) -> list[np.ndarray]:
    with optimizer.averaged_weights():
        return [weight.numpy() for weight in weights]


@pytest.mark.parametrize("k", [1, 5, 60])
@pytest.mark.parametrize("alpha", [0.5, 0.77])
@pytest.mark.parametrize(
    "make", [LookaheadSGD, lambda rate, **kwargs: AdamW(rate, ema_momentum=0.9, **kwargs)], ids=["SGD", "AdamW"]
)
def test_without_a_learning_rate_the_weights_stay_what_they_are_bit_for_bit(make, k, alpha):
    weights = variables()
    optimizer = make(0.0, lookahead_steps=k, lookahead_alpha=alpha)
    for number in range(11):
        step(optimizer, weights, number)
        assert all(weight.numpy().tobytes() == value.tobytes() for weight, value in zip(weights, pretrained())), (
            f"moved by step {number}"
        )
    for values, expected in zip(evaluated(optimizer, weights), pretrained()):
        np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (1, 0.5), (7, 0.2), (3, 1.0)])
@pytest.mark.parametrize("in_graph", [False, True])
def test_fifty_steps_of_sgd_against_the_simulation(k, alpha, in_graph):
    weights = variables()
    optimizer = LookaheadSGD(0.01, lookahead_steps=k, lookahead_alpha=alpha)
    optimizer.build(weights)

    def update(*values):
        optimizer.apply_gradients(zip(values, weights))

    update = tf.function(update) if in_graph else update
    slow = [value.astype(np.float64) for value in pretrained()]
    fast = [value.copy() for value in slow]
    for number in range(STEPS):
        update(*map(tf.constant, gradients(number)))
        fast = [value - 0.01 * gradient for value, gradient in zip(fast, gradients(number))]
        if (number + 1) % k == 0:
            slow = [before + alpha * (value - before) for before, value in zip(slow, fast)]
            fast = [value.copy() for value in slow]
        for weight, value in zip(weights, fast):
            np.testing.assert_allclose(weight, value, rtol=1e-5, atol=1e-5, err_msg=f"after step {number}")
        for values, expected in zip(evaluated(optimizer, weights), slow):
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5, err_msg=f"after step {number}")


def test_an_original_that_starts_at_zero_would_be_seen():
    """bert4keras' slow weights start at zero, so that the first look back halves pretrained weights."""
    weights = variables()
    optimizer = LookaheadSGD(0.0, lookahead_steps=1)
    optimizer.build(weights)
    for slow in optimizer._slow:
        slow.assign(tf.zeros_like(slow))
    step(optimizer, weights, 0)
    for weight, value in zip(weights, pretrained()):
        np.testing.assert_allclose(weight, value / 2)


def test_switched_off_it_keeps_nothing():
    weights = variables()
    off, plain = LookaheadSGD(0.1), keras.optimizers.SGD(0.1)
    others = variables()
    for number in range(3):
        step(off, weights, number)
        step(plain, others, number)
    assert [variable.shape for variable in off.variables] == [variable.shape for variable in plain.variables]
    assert all(weight.numpy().tobytes() == other.numpy().tobytes() for weight, other in zip(weights, others))
    assert all(map(np.array_equal, evaluated(off, weights), [weight.numpy() for weight in weights]))


def test_slow_weights_go_in_and_out_bit_for_bit():
    weights = variables()
    optimizer = LookaheadSGD(0.1, lookahead_steps=4)
    with optimizer.averaged_weights():
        pass  # before the first step
    for number in range(6):
        step(optimizer, weights, number)
    trained = [weight.numpy() for weight in weights]
    with pytest.raises(RuntimeError), optimizer.averaged_weights():
        assert all((weight.numpy() != value).any() for weight, value in zip(weights, trained))
        raise RuntimeError("an evaluation that fails")
    assert all(weight.numpy().tobytes() == value.tobytes() for weight, value in zip(weights, trained))


def test_it_comes_back_from_its_settings():
    config = LookaheadSGD(0.1, lookahead_steps=4, lookahead_alpha=0.3).get_config()
    again = LookaheadSGD.from_config(config)
    assert again.get_config() == config and (again.lookahead_steps, again.lookahead_alpha) == (4, 0.3)


def test_steps_that_float16_skips_cost_no_weights():
    weights = variables()
    optimizer = keras.mixed_precision.LossScaleOptimizer(LookaheadSGD(0.1, lookahead_steps=2, lookahead_alpha=0.5))
    values = [tf.constant(value) for value in gradients(0)]
    for spoiled in (False, True, False, False):
        optimizer.apply_gradients(zip([value * np.inf if spoiled else value for value in values], weights))
    # The second step was skipped, and the fourth looked back over all three.
    for weight, start, value in zip(weights, pretrained(), values):
        np.testing.assert_allclose(weight, start - 0.5 * 3 * 0.1 * value.numpy(), rtol=1e-4, atol=1e-5)
