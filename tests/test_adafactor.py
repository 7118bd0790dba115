"""common/optimizers/adafactor.py against a simulation in plain numpy, whose second moments are whole matrices, and
against what it promises: small steps, a small state, and no number that is none."""

import numpy as np
import pytest

from common.keras_compat import keras, tf
from common.optimizers import Adafactor, build_optimizer
from common.options import TrainingOptions

STEPS, PEAK, DECAY, MOMENTUM = 12, 0.02, 0.1, 0.9
SHAPES = {
    "dense/kernel": (5, 4),
    "dense/bias": (4,),
    "convolution/kernel": (3, 2, 5),
    "scale": (),
    "table/embeddings": (6, 3),
}
EXCLUDED = {"dense/bias", "table/embeddings"}
FACTORS = {"convolution/kernel": 3.0}


def start() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {name: np.array(generator.normal(size=shape)) for name, shape in SHAPES.items()}


def gradients(step: int) -> dict[str, np.ndarray]:
    """Some small, some large, and of the table only some rows."""
    generator = np.random.default_rng(step + 1)
    found = {name: (0.01 if step % 2 else 3.0) * generator.normal(size=shape) for name, shape in SHAPES.items()}
    found["table/embeddings"][~np.isin(np.arange(6), present_rows(step))] = 0
    return found


def present_rows(step: int) -> np.ndarray:
    """The rows of the table that a batch holds; none at the second step."""
    return np.flatnonzero(np.random.default_rng(step).random(6) < 0.5) if step != 1 else np.arange(0)


def as_tensors(step: int, sparse: bool) -> list:
    found = {name: tf.constant(value, tf.float32) for name, value in gradients(step).items()}
    if sparse:  # a row stands twice, with a quarter and the rest of its gradient
        rows = present_rows(step)
        values = tf.gather(found["table/embeddings"], rows)
        twice = tf.concat([values * 0.25, values * 0.75], 0), tf.constant([*rows, *rows], tf.int64)
        found["table/embeddings"] = tf.IndexedSlices(*twice, tf.constant([6, 3]))
    return [found[name] for name in SHAPES]


def product(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The second moments of a matrix, as the paper writes them: R C / sum of R."""
    sums = rows * columns.shape[-1], columns * rows.shape[-1]
    return sums[0][..., :, None] * sums[1][..., None, :] / sums[0].sum(-1)[..., None, None]


def simulate(lazy: bool = False):
    """After all steps: weights and averages by name."""
    weights, averages, moments = start(), start(), {}
    for step in range(STEPS):
        share, rate = (step + 1) ** -0.8, PEAK * min((step + 1) / 3, (STEPS - step) / (STEPS - 3))
        for name, weight in weights.items():
            gradient, own = gradients(step)[name], rate * FACTORS.get(name, 1.0)
            held = present_rows(step) if lazy and name == "table/embeddings" else ...
            squares = gradient[held] ** 2 + 1e-30
            if gradient.ndim < 2:
                old = moments.setdefault(name, np.zeros(gradient.shape))
                old += share * (squares - old)
                root = np.sqrt(old)
            else:
                rows, columns = moments.setdefault(
                    name, [np.zeros(gradient.shape[:-1]), np.zeros_like(gradient[..., 0, :])]
                )
                shares = np.where(rows[held] > 0, share, 1) if held is not ... else share
                rows[held] += shares * (squares.mean(-1) - rows[held])
                if squares.size:
                    columns += share * (squares.mean(-2) - columns)
                # Rows have means of their own where they are moved at different times.
                root = np.sqrt(rows[held][..., None] * columns[..., None, :] / columns.mean(-1)[..., None, None])
                if held is ...:
                    np.testing.assert_allclose(root**2, product(rows, columns))
            if name not in EXCLUDED:
                weight -= own * DECAY * weight
            if squares.size:
                moved = gradient[held] / root
                weight[held] -= own * moved / max(1, np.sqrt((moved**2).mean()))
            momentum = min(MOMENTUM, (1 + step) / (10 + step))
            averages[name] = momentum * averages[name] + (1 - momentum) * weight
    return weights, averages


def optimizer_of(**changed) -> Adafactor:
    given = {"warmup": 3 / STEPS, "weight_decay": DECAY, "gradient_clipping": 0, "ema_momentum": MOMENTUM, **changed}
    optimizer = build_optimizer(TrainingOptions(epochs=1, optimizer="adafactor", **given), PEAK, STEPS)
    optimizer.multipliers = {"convolution": 3.0}
    return optimizer


def variables() -> list[tf.Variable]:
    return [tf.Variable(value, name=name, dtype=tf.float32) for name, value in start().items()]


@pytest.mark.parametrize(
    ("sparse", "lazy", "in_graph"), [(False, False, True), (True, False, False), (True, True, True)]
)
def test_twelve_steps_against_the_simulation(sparse, lazy, in_graph):
    weights, optimizer = variables(), optimizer_of(lazy_embeddings=lazy)
    optimizer.build(weights)

    def apply(gradients):
        optimizer.apply_gradients(zip(gradients, weights))

    apply = tf.function(apply, reduce_retracing=True) if in_graph else apply
    for step in range(STEPS):
        apply(as_tensors(step, sparse))
    expected, averages = simulate(lazy)
    with optimizer.averaged_weights():
        averaged = [weight.numpy() for weight in weights]
    for name, weight, average in zip(SHAPES, weights, averaged):
        np.testing.assert_allclose(weight, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(average, averages[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_of_a_matrix_it_remembers_a_row_and_a_column():
    weights = [tf.Variable(tf.zeros(shape)) for shape in ((700, 300), (700,), (3, 20, 50))]
    optimizer = optimizer_of(ema_momentum=0)
    optimizer.build(weights)
    kept = [variable.shape.as_list() for variable in optimizer.variables if variable.shape.rank]
    assert kept == [[700], [300], [700], [3, 20], [3, 50]]


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_a_step_is_as_large_as_the_rate_whatever_the_size_of_the_gradient(size):
    weight = tf.Variable(tf.zeros((8, 5)), name="dense/kernel")
    optimizer = Adafactor(0.5, weight_decay=0)
    generator = np.random.default_rng(3)
    for step in range(4):
        before = weight.numpy()
        # Unclipped the last one, a thousand times those before it, would move 1.7 times as far.
        gradient = generator.normal(size=(8, 5)) * size * (1000 if step == 3 else 1)
        optimizer.apply_gradients([(tf.constant(gradient, tf.float32), weight)])
        moved = np.sqrt(np.mean((weight.numpy() - before) ** 2))
        assert 0.3 < moved < 0.5 * 1.00001


def test_rows_and_columns_without_gradient_stand_still_and_do_no_harm():
    """Not a number, where the moments of a row and of a column are multiplied first: 1e-60 is none of float32."""
    gradient = np.zeros((5, 4), np.float32)
    gradient[:2, :2] = 1e6
    weight = tf.Variable(tf.ones((5, 4)), name="dense/kernel")
    optimizer = Adafactor(0.1, weight_decay=0)
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant(gradient), weight)])
    moved = weight.numpy() != 1
    assert np.isfinite(weight).all() and (moved == (gradient > 0)).all()
    optimizer.apply_gradients([(tf.zeros((5, 4)), weight)])
    assert np.isfinite(weight).all()


def test_rows_that_no_batch_holds_keep_place_and_moment_and_a_late_row_makes_no_leap():
    def slices(*rows):
        return tf.IndexedSlices(tf.fill((len(rows), 3), 0.1), tf.constant(rows, tf.int32), tf.constant([6, 3]))

    table = tf.Variable(start()["table/embeddings"], name="table/embeddings", dtype=tf.float32)
    optimizer = Adafactor(0.1, lazy=True)
    optimizer.apply_gradients([(slices(0, 3), table)])
    rows, columns = optimizer._moments[0]
    before = [table.numpy(), rows.numpy(), columns.numpy()]
    optimizer.apply_gradients([(slices(), table)])
    assert all(map(np.array_equal, before, [table.numpy(), rows.numpy(), columns.numpy()]))
    for _ in range(50):
        optimizer.apply_gradients([(slices(3), table)])
    for old, new in zip(before, (table.numpy(), rows.numpy())):
        assert np.array_equal(np.delete(old, 3, 0), np.delete(new, 3, 0))
    before = table.numpy()
    optimizer.apply_gradients([(slices(1, 3), table)])
    np.testing.assert_allclose(before[[1, 3]] - table.numpy()[[1, 3]], 0.1, rtol=1e-4)


def test_it_comes_back_from_its_settings():
    optimizer = optimizer_of(layer_decay=0.9, lookahead_steps=3, lazy_embeddings=True)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is Adafactor and again.get_config() == optimizer.get_config()
    assert (again.lazy, again.layer_decay, again.multipliers) == (True, 0.9, {"convolution": 3.0})
    assert float(again._learning_rate(4)) == float(optimizer._learning_rate(4)) > 0
