"""common/optimizers against a simulation in plain numpy: AdamW, schedules, averages, layer-wise rates, and all of it
together."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common.keras_compat import keras, seed_everything, tf
from common.optimizers import AdamW, ExponentialMovingAverage, PiecewiseLinear, build_optimizer
from common.optimizers.layerwise import layer_multipliers
from common.options import TrainingOptions, schedule_points

STEPS, PEAK = 30, 0.02
SHAPES = {
    "dense/kernel": (3, 4),
    "dense/bias": (4,),
    "normalization/gamma": (4,),
    "table/embeddings": (6, 3),
    "query": (2, 2),
}
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


def present_rows(step):
    """The rows of the table that a sparse gradient holds at a step; none at the first."""
    return np.flatnonzero(np.random.default_rng(step).random(6) < 0.4) if step else np.arange(0)


def simulate(weight_decay, clipping, ema, warmup, lookahead=0, alpha=0.5, sparse=False, factors=None):
    """After every step: weights and what is evaluated instead of them, by name. sparse: lazily, only `present_rows` of
    the table take part."""
    start, gradients = start_and_gradients()
    weights = {name: value.copy() for name, value in start.items()}
    slow = {name: value.copy() for name, value in start.items()}
    averages = {name: value.copy() for name, value in start.items()}
    first = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    second = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    for step, gradient in enumerate(gradients):
        rows = {name: ... for name in SHAPES} | ({"table/embeddings": present_rows(step)} if sparse else {})
        norm = np.sqrt(sum((value[rows[name]] ** 2).sum() for name, value in gradient.items()))
        scale = min(1.0, clipping / norm) if clipping else 1.0
        for name, weight in weights.items():
            row, own = rows[name], rate(step, warmup) * (factors or {}).get(name, 1.0)
            clipped = gradient[name][row] * scale
            if name in DECAYED:
                weight -= own * weight_decay * weight
            first[name][row] = 0.9 * first[name][row] + 0.1 * clipped
            second[name][row] = 0.999 * second[name][row] + 0.001 * clipped**2
            corrected = np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            weight[row] -= own * corrected * first[name][row] / (np.sqrt(second[name][row]) + 1e-7)
            if lookahead and (step + 1) % lookahead == 0:
                slow[name] += alpha * (weight - slow[name])
                weight[...] = slow[name]
            momentum = min(ema, (1 + step) / (10 + step))
            averages[name] = momentum * averages[name] + (1 - momentum) * weight
    return weights, averages if ema else slow if lookahead else weights


def variables():
    return [tf.Variable(value, name=name, dtype=tf.float32) for name, value in start_and_gradients()[0].items()]


def train(optimizer, weights, steps=range(STEPS), sparse=False):
    for step in steps:
        gradients = {name: tf.constant(value, tf.float32) for name, value in start_and_gradients()[1][step].items()}
        if sparse:
            # Each row twice, with a quarter and the rest of its gradient.
            rows = present_rows(step)
            values = tf.gather(gradients["table/embeddings"], rows)
            twice = tf.concat([values * 0.25, values * 0.75], 0), tf.constant([*rows, *rows], tf.int64)
            gradients["table/embeddings"] = tf.IndexedSlices(*twice, tf.constant([6, 3]))
        optimizer.apply_gradients([(gradients[name], weight) for name, weight in zip(SHAPES, weights)])


def options(**changed):
    return TrainingOptions(
        **{
            "epochs": 1,
            "warmup": 5 / STEPS,
            "weight_decay": 0.1,
            "gradient_clipping": 1.0,
            "ema_momentum": 0.9,
            **changed,
        }
    )


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


@pytest.mark.parametrize(
    ("ema", "lookahead", "in_graph"), [(0.9, 4, False), (0.9, 4, True), (0.9, 0, True), (0.0, 4, True), (0.0, 0, True)]
)
def test_everything_together_against_the_simulation(ema, lookahead, in_graph):
    weights = variables()
    chosen = options(lookahead_steps=lookahead, lookahead_alpha=0.3, ema_momentum=ema, lazy_embeddings=True)
    optimizer = build_optimizer(chosen, PEAK, STEPS)
    optimizer.multipliers = {"query": 10.0, "e": 0.5, "dense": 7.0}
    optimizer.build(weights)
    if in_graph:
        apply = optimizer.apply_gradients
        in_graph = tf.function(lambda gradients: apply(zip(gradients, weights)), reduce_retracing=True)
        optimizer.apply_gradients = lambda pairs: in_graph([gradient for gradient, _ in pairs])
    train(optimizer, weights, sparse=True)
    factors = {name: 10.0 if name == "query" else 0.5 for name in SHAPES if "e" in name}
    expected, averages = simulate(0.1, 1.0, ema, 5, lookahead, 0.3, sparse=True, factors=factors)
    for weight, average, name in zip(weights, averages_of(optimizer, weights), SHAPES):
        np.testing.assert_allclose(weight, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(average, averages[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_clipping_takes_the_norm_of_the_sums_of_rows():
    """Of a token that a batch holds twice there is one gradient: the norm is that of the dense one, for each kind of
    clipping."""
    values, rows = tf.constant([[3.0, 0.0], [3.0, 0.0], [0.0, 4.0]]), tf.constant([2, 2, 0])
    for kind, expected in (
        ("global_clipnorm", [[0, 4], [0, 0], [6, 0]] / np.sqrt(52)),
        ("clipvalue", [[0, 1], [0, 0], [1, 0]]),
    ):
        optimizer = AdamW(0.1, **{kind: 1.0})
        [sparse] = optimizer._clip_gradients([tf.IndexedSlices(values, rows, (3, 2))])
        [dense] = optimizer._clip_gradients([tf.convert_to_tensor(tf.IndexedSlices(values, rows, (3, 2)))])
        np.testing.assert_allclose(dense, expected, rtol=1e-6)
        np.testing.assert_array_equal(tf.convert_to_tensor(sparse), dense)


def test_the_schedule_by_hand():
    schedule = PiecewiseLinear(0.8, steps=12, warmup_steps=4)
    found = [float(schedule(step)) for step in (0, 1, 3, 4, 6, 8, 11, 12, 50)]
    np.testing.assert_allclose(found, [0.2, 0.4, 0.8, 0.8, 0.6, 0.4, 0.1, 0.0, 0.0], atol=1e-6)


def test_a_schedule_of_many_points_by_hand():
    schedule = PiecewiseLinear(2.0, schedule_points("0.4:1,0.6:0.2,0.8:0.5,1:0.1"), steps=20, warmup_steps=2)
    found = [float(schedule(step)) for step in (0, 1, 2, 5, 8, 10, 12, 14, 16, 18, 20, 99)]
    np.testing.assert_allclose(found, [1.0, 2.0, 2.0, 2.0, 2.0, 1.2, 0.4, 0.7, 1.0, 0.6, 0.2, 0.2], atol=1e-6)


@pytest.mark.parametrize(("epochs", "batches", "accumulation", "steps"), [(3, 10, 1, 30), (3, 10, 4, 9), (2, 1, 8, 2)])
def test_schedules_count_steps_of_the_optimizer(epochs, batches, accumulation, steps):
    optimizer = build_optimizer(
        TrainingOptions(epochs=epochs, accumulation_steps=accumulation, warmup=0.5), 1e-3, batches
    )
    assert (optimizer._learning_rate.steps, optimizer._learning_rate.warmup_steps) == (steps, round(steps / 2))


@pytest.mark.parametrize(("warmup", "steps"), [(0, 10), (1, 10), (9, 10), (0, 1), (10, 10)])
@pytest.mark.parametrize("points", ["1:0", "0.5:1,1:0.1", "0.95:0.3,1:0"])
def test_no_update_of_a_training_is_lost(warmup, steps, points):
    schedule = PiecewiseLinear(1.0, schedule_points(points), steps=steps, warmup_steps=warmup)
    rates = [float(schedule(step)) for step in range(steps)]
    assert min(rates) > 0
    # Options refuse a warm-up that lasts beyond the first point.
    assert max(rates) == pytest.approx(1.0) or warmup > 0.5 * steps


def test_an_optimizer_comes_back_from_its_settings():
    chosen = options(
        schedule="0.5:1,1:0.1", layer_decay=0.9, lazy_embeddings=True, lookahead_steps=3, lookahead_alpha=0.4
    )
    optimizer = build_optimizer(chosen, PEAK, STEPS)
    optimizer.multipliers = {"query": 3.0}
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is AdamW and again.get_config() == optimizer.get_config()
    assert (again.lazy, again.lookahead_steps, again.layer_decay, again.ema_momentum) == (True, 3, 0.9, 0.9)
    assert float(again._learning_rate(20)) == float(optimizer._learning_rate(20)) > 0
    for refused in ({"amsgrad": True}, {"use_ema": True}):
        with pytest.raises(ValueError, match=next(iter(refused))):
            AdamW(0.1, **refused)


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


def test_what_an_average_takes_of_all_states_sums_to_one():
    """Weights that are always 1 have the average 1, whatever the momentum: nothing is missing that a correction would
    have to bring."""

    class AveragedSGD(ExponentialMovingAverage, keras.optimizers.SGD):
        pass

    weight = tf.Variable([1.0, -3.0])
    optimizer = AveragedSGD(0.0, ema_momentum=0.99)
    for _ in range(20):
        optimizer.apply_gradients([(tf.constant([1.0, 1.0]), weight)])
        np.testing.assert_allclose(averages_of(optimizer, [weight])[0], [1.0, -3.0], rtol=1e-6)


def test_averages_before_the_first_step():
    with build_optimizer(options(), PEAK, STEPS).averaged_weights():
        pass


@pytest.mark.parametrize("interrupted", [0, 1, 13])
def test_a_restored_state_continues_identically(interrupted):
    chosen, weights = options(lookahead_steps=4, lazy_embeddings=True), variables()
    optimizer = build_optimizer(chosen, PEAK, STEPS)
    train(optimizer, weights, sparse=True)

    one = variables()
    first = build_optimizer(chosen, PEAK, STEPS)
    first.build(one)
    train(first, one, range(interrupted), sparse=True)
    other = [tf.Variable(tf.zeros_like(weight), name=weight.name.split(":")[0]) for weight in one]
    second = build_optimizer(chosen, PEAK, STEPS)
    second.build(other)
    assert [(a.name, a.shape) for a in second.variables] == [(a.name, a.shape) for a in first.variables]
    for target, source in zip([*other, *second.variables], [*one, *first.variables]):
        target.assign(source.numpy())
    train(second, other, range(interrupted, STEPS), sparse=True)
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
    keep_last = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_: last.__setitem__(slice(None), fitted.get_weights())
    )
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


def transformer_variables(layers: int):
    names = ["Embedding-Token/embeddings", "Embedding-Norm/gamma"]
    names += [
        f"Transformer-{layer}-{part}"
        for layer in range(layers)
        for part in ("MultiHeadSelfAttention/dense/kernel", "FeedForward-Norm/beta")
    ]
    names += ["scope/Embedding-Position/embeddings", "title_embedding/embeddings", "dense/kernel"]
    return [tf.Variable([0.0], name=name) for name in names]


def test_rates_of_layers_fall_from_the_head_to_the_embeddings():
    found = layer_multipliers(transformer_variables(12), 0.5)
    assert found[:2] == [0.5**13] * 2 and found[-3:] == [0.5**13, 1.0, 1.0]
    assert found[2:-3:2] == found[3:-3:2] == [0.5 ** (12 - layer) for layer in range(12)]
    shared = [
        tf.Variable(0.0, name=name)
        for name in ("Embedding-Token/embeddings", "Transformer-FeedForward/dense/kernel", "dense/kernel")
    ]
    assert layer_multipliers(shared, 0.5) == [0.25, 0.5, 1.0]
    with pytest.raises(ValueError, match="no variable is named"):
        layer_multipliers(variables(), 0.5)


def test_names_that_bert4keras_gives_are_known():
    from common.encoders.bert import BertEncoder
    from common.options import EncoderOptions

    encoder = BertEncoder.from_texts(
        ["天地玄黄"], EncoderOptions(encoder="bert", hidden_size=8, layers=3, max_length=8)
    )
    for model, depth in (("bert", 3), ("albert", 1)):
        encoder.model = model
        weights = encoder.network().trainable_variables
        found = dict(zip([weight.name for weight in weights], layer_multipliers(weights, 0.5)))
        assert {factor for name, factor in found.items() if name.startswith("Embedding-")} == {0.5 ** (depth + 1)}
        assert {factor for name, factor in found.items() if name.startswith("Transformer-")} == {
            0.5 ** (layer + 1) for layer in range(depth)
        }
        assert all(name.startswith(("Embedding-", "Transformer-")) for name in found)


def test_a_rate_of_a_layer_is_the_rate_of_its_update_and_its_decay():
    weights = transformer_variables(2)
    optimizer = build_optimizer(options(layer_decay=0.5, warmup=0), 1e-3, STEPS)
    before = [weight.assign([2.0]).numpy() for weight in weights]
    optimizer.apply_gradients([(tf.constant([1.0]), weight) for weight in weights])
    for weight, old, factor in zip(weights, before, layer_multipliers(weights, 0.5)):
        decay = 0.1 * 2.0 if "kernel" in weight.name else 0.0
        np.testing.assert_allclose(old - weight.numpy(), factor * 1e-3 * (1.0 + decay), rtol=1e-3, err_msg=weight.name)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_in_sixteen_bits_weights_averages_and_state_keep_thirty_two(policy):
    seed_everything(3)
    inputs, targets = np.arange(48).reshape(8, 6) % 12, np.linspace(-1, 1, 48).reshape(8, 6, 1).astype(np.float32)
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = small_model()
        optimizer = build_optimizer(options(lookahead_steps=3, lazy_embeddings=True), PEAK, 8)
        before = model.get_weights()
        model.compile(optimizer, "mse")
        model.fit(inputs, targets, batch_size=2, epochs=2, shuffle=False, verbose=0)
        scales = model.optimizer is not optimizer
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert scales == (policy == "mixed_float16") and int(optimizer.iterations) == 8
    averages = averages_of(optimizer, model.trainable_variables)
    for old, new, average in zip(before, model.get_weights(), averages):
        assert new.dtype == average.dtype == np.float32 and np.isfinite(new).all()
        assert (old != new).any() and (new != average).any()
    kinds = {
        variable.dtype
        for variable in optimizer.variables
        if "/" in variable.name and "log_momenta" not in variable.name
    }
    assert kinds == {tf.float32}


def test_later_calls_with_some_of_the_variables_keep_their_rates():
    weights = [tf.Variable([1.0], name=name) for name in ("slow/kernel", "fast/kernel")]
    optimizer = AdamW(0.1, weight_decay=0.0, multipliers={"slow": 0.01})
    optimizer.build(weights)
    optimizer.apply_gradients([(tf.constant([1.0]), weights[1])])
    np.testing.assert_allclose(weights[1], [0.9], rtol=1e-3)


def fit_on_devices(count: int) -> list[list[np.ndarray]]:
    """Weights, averages and state after a training with everything on, on so many devices."""
    strategy = tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(count)])
    inputs = np.random.default_rng(0).integers(0, 12, (24, 6))
    targets = np.random.default_rng(1).normal(size=(24, 6, 1)).astype(np.float32)
    seed_everything(3)
    with strategy.scope():
        model = small_model()
        optimizer = build_optimizer(options(lookahead_steps=3, lazy_embeddings=True, gradient_clipping=0.1), PEAK, 12)
        optimizer.build(model.trainable_variables)
        model.compile(optimizer, "mse")
    model.fit(inputs, targets, batch_size=8, epochs=4, shuffle=False, verbose=0)
    return [
        model.get_weights(),
        averages_of(optimizer, model.trainable_variables),
        [variable.numpy() for variable in optimizer.variables],
    ]


@pytest.mark.slow(reason="test_devices.py has whole trainings")
def test_two_devices_train_as_one_does():
    code = """
import numpy as np
from common.keras_compat import tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from test_optimizers import fit_on_devices
for one, two in zip(fit_on_devices(1), fit_on_devices(2)):
    assert len(one) == len(two) > 4
    for of_one, of_two in zip(one, two):
        np.testing.assert_allclose(of_one, of_two, rtol=1e-4, atol=1e-5)
"""
    tests = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
