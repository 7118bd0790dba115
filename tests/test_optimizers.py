"""common/optimizers against a simulation in plain numpy."""

import contextlib

import numpy as np
import pytest

from common.keras_compat import keras, seed_everything, tf
from common.optimizers import AdamW, WarmupLinearDecay, build_optimizer
from common.options import TrainingOptions

STEPS, PEAK = 30, 0.02
SHAPES = {"dense/kernel": (3, 4), "dense/bias": (4,), "normalization/gamma": (4,), "table/embeddings": (6, 3), "query": (2, 2)}
DECAYED = {"dense/kernel", "query"}


def start_and_gradients():
    generator = np.random.default_rng(0)
    start = {name: generator.normal(size=shape) for name, shape in SHAPES.items()}
    # Some steps with a norm above the clipping threshold, some below it.
    sizes = [0.05 if step % 3 else 2.0 for step in range(STEPS)]
    gradients = [{name: size * generator.normal(size=shape) for name, shape in SHAPES.items()} for size in sizes]
    return start, gradients


def rate(step, warmup, peak=PEAK):
    """Learning rate of an update, counted from 0."""
    return peak * max(0.0, min(1.0, (step + 1) / max(warmup, 1), (STEPS - step) / (STEPS - warmup)))


def simulate(weight_decay, clipping, ema, warmup):
    """After every step: weights and their averages by name."""
    start, gradients = start_and_gradients()
    weights = {name: value.copy() for name, value in start.items()}
    averages = {name: value.copy() for name, value in start.items()}
    first = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    second = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    for step, gradient in enumerate(gradients):
        norm = np.sqrt(sum((value**2).sum() for value in gradient.values()))
        scale = min(1.0, clipping / norm) if clipping else 1.0
        for name, weight in weights.items():
            clipped = gradient[name] * scale
            if name in DECAYED:
                weight -= rate(step, warmup) * weight_decay * weight
            first[name] = 0.9 * first[name] + 0.1 * clipped
            second[name] = 0.999 * second[name] + 0.001 * clipped**2
            corrected = np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            weight -= rate(step, warmup) * corrected * first[name] / (np.sqrt(second[name]) + 1e-7)
            momentum = min(ema, (1 + step) / (10 + step))
            averages[name] = momentum * averages[name] + (1 - momentum) * weight
    return weights, averages


def variables():
    return [tf.Variable(value, name=name, dtype=tf.float32) for name, value in start_and_gradients()[0].items()]


def train(optimizer, weights, steps=range(STEPS)):
    gradients = start_and_gradients()[1]
    for step in steps:
        optimizer.apply_gradients([(tf.constant(gradients[step][name], tf.float32), weight) for name, weight in zip(SHAPES, weights)])


def options(**changed):
    values = {"warmup": 5 / STEPS, "weight_decay": 0.1, "gradient_clipping": 1.0, "ema_momentum": 0.9, **changed}
    return TrainingOptions(**values)


def averages_of(optimizer, weights):
    with optimizer.averaged_weights():
        return [weight.numpy() for weight in weights]


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("clipping", [0.0, 1.0])
@pytest.mark.parametrize(("ema", "warmup"), [(0.9, 5), (0.5, 0)])
def test_thirty_steps_against_the_simulation(weight_decay, clipping, ema, warmup):
    weights = variables()
    chosen = options(weight_decay=weight_decay, gradient_clipping=clipping, ema_momentum=ema, warmup=warmup / STEPS)
    optimizer = build_optimizer(chosen, PEAK, STEPS)
    train(optimizer, weights)
    expected, averages = simulate(weight_decay, clipping, ema, warmup)
    for weight, average, name in zip(weights, averages_of(optimizer, weights), SHAPES):
        np.testing.assert_allclose(weight, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(average, averages[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_schedule_by_hand():
    schedule = WarmupLinearDecay(0.8, 4, 12)
    found = [float(schedule(step)) for step in (0, 1, 3, 4, 6, 8, 11, 12, 50)]
    np.testing.assert_allclose(found, [0.2, 0.4, 0.8, 0.8, 0.6, 0.4, 0.1, 0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(("warmup", "steps"), [(0, 10), (1, 10), (9, 10), (0, 1), (10, 10)])
def test_no_update_of_a_training_is_lost(warmup, steps):
    schedule = WarmupLinearDecay(1.0, warmup, steps)
    rates = [float(schedule(step)) for step in range(steps)]
    assert min(rates) > 0 and max(rates) == pytest.approx(1.0)
    assert type(schedule).from_config(schedule.get_config()).get_config() == schedule.get_config()


def test_averages_start_as_the_weights_and_soon_forget_them():
    weight = tf.Variable([0.0], name="query")
    optimizer = AdamW(1e-9, ema_momentum=0.999, weight_decay=0.0)
    optimizer.build([weight])
    assert averages_of(optimizer, [weight]) == [0.0]
    weight.assign([1.0])
    for _ in range(100):
        optimizer.apply_gradients([(tf.constant([1.0]), weight)])
    assert averages_of(optimizer, [weight])[0] > 0.99


def test_averages_go_in_and_out_bit_for_bit():
    weights = variables()
    optimizer = build_optimizer(options(), PEAK, STEPS)
    train(optimizer, weights)
    trained = [weight.numpy() for weight in weights]
    state = [variable.numpy() for variable in optimizer.variables]
    with contextlib.suppress(RuntimeError), optimizer.averaged_weights():
        assert all((weight.numpy() != value).any() for weight, value in zip(weights, trained))
        raise RuntimeError("an evaluation that fails")
    assert all(weight.numpy().tobytes() == value.tobytes() for weight, value in zip(weights, trained))
    assert all(map(np.array_equal, [variable.numpy() for variable in optimizer.variables], state))


def test_without_averages_the_weights_stay_what_they_are():
    weights = variables()
    optimizer = build_optimizer(options(ema_momentum=0), PEAK, STEPS)
    with optimizer.averaged_weights():
        pass
    train(optimizer, weights)
    averaged = averages_of(optimizer, weights)
    assert all(np.array_equal(weight, average) for weight, average in zip(weights, averaged))
    assert len(optimizer.variables) < 2 + 3 * len(weights), "averages are kept that nobody asked for"
    expected, _ = simulate(0.1, 1.0, 0.5, 5)
    for weight, name in zip(weights, SHAPES):
        np.testing.assert_allclose(weight, expected[name], rtol=1e-4, atol=1e-5)


def test_averages_before_the_first_step():
    with build_optimizer(options(), PEAK, STEPS).averaged_weights():
        pass


@pytest.mark.parametrize("interrupted", [0, 1, 13])
def test_a_restored_state_continues_identically(interrupted):
    weights = variables()
    optimizer = build_optimizer(options(), PEAK, STEPS)
    train(optimizer, weights)

    one = variables()
    first = build_optimizer(options(), PEAK, STEPS)
    first.build(one)
    train(first, one, range(interrupted))
    other = [tf.Variable(tf.zeros_like(weight), name=weight.name.split(":")[0]) for weight in one]
    second = build_optimizer(options(), PEAK, STEPS)
    second.build(other)
    assert [(a.name, a.shape) for a in second.variables] == [(a.name, a.shape) for a in first.variables]
    for target, source in zip([*other, *second.variables], [*one, *first.variables]):
        target.assign(source.numpy())
    train(second, other, range(interrupted, STEPS))
    for restored, whole in zip([*other, *second.variables], [*weights, *optimizer.variables]):
        assert restored.numpy().tobytes() == whole.numpy().tobytes(), restored.name


def small_model():
    ids = keras.Input((None,), dtype="int32")
    state = keras.layers.Embedding(12, 6, name="table")(ids)
    state = keras.layers.LayerNormalization(name="normalization")(state)
    return keras.Model(ids, keras.layers.Dense(1, name="dense")(state))


def test_in_fit_it_is_the_same_and_fit_leaves_the_trained_weights_alone():
    inputs, targets = np.arange(48).reshape(8, 6) % 12, np.linspace(-1, 1, 48).reshape(8, 6, 1).astype(np.float32)

    def prepare():
        seed_everything(3)
        model = small_model()
        return model, build_optimizer(options(), PEAK, STEPS)

    by_hand, optimizer = prepare()
    for step in range(8):
        rows = slice(2 * (step % 4), 2 * (step % 4) + 2)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(by_hand(inputs[rows]) - targets[rows]))
        optimizer.minimize(loss, by_hand.trainable_variables, tape)

    fitted, optimizer_of_fit = prepare()
    fitted.compile(optimizer_of_fit, "mse")
    last = []
    keep_last = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_: last.__setitem__(slice(None), fitted.get_weights()))
    fitted.fit(inputs, targets, batch_size=2, epochs=2, shuffle=False, verbose=0, callbacks=[keep_last])

    assert all(map(np.array_equal, last, fitted.get_weights())), "the end of fit changed the weights"
    for one, other in zip(fitted.get_weights(), by_hand.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-5)
    of_fit = averages_of(optimizer_of_fit, fitted.trainable_variables)
    for one, other in zip(of_fit, averages_of(optimizer, by_hand.trainable_variables)):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert any((one != other.numpy()).any() for one, other in zip(of_fit, fitted.trainable_variables))


def test_weight_decay_spares_what_the_layers_call_bias_scale_offset_and_embeddings():
    model = small_model()
    optimizer = AdamW(0.1, weight_decay=0.5)
    before = {weight.name: weight.numpy() for weight in model.trainable_variables}
    optimizer.apply_gradients([(tf.zeros_like(weight), weight) for weight in model.trainable_variables])
    changed = {weight.name for weight in model.trainable_variables if (weight.numpy() != before[weight.name]).any()}
    assert changed == {"dense/kernel:0"}
