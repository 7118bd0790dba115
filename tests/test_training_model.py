"""The training step: accumulation, FGM, R-Drop and flooding against their formulas, alone, together, in 16 bits and on
two devices."""

import contextlib
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from common.generators import grouped, pad, training_dataset
from common.keras_compat import keras, seed_everything, seed_layers, tf
from common.losses import Distribution, batch_mean, masked_mean
from common.optimizers import build_optimizer
from common.optimizers.adversarial import perturbed, summed_by_row, token_embeddings
from common.optimizers.training_model import TrainingModel
from common.options import TrainingOptions

from helpers import mostly_slow

CLASSES, VOCABULARY = 3, 12
TAGGER = 3  # place of its kernel among the weights


def build(dropout: float = 0.0) -> TrainingModel:
    """Two terms whose denominators differ: tags of tokens, and a class of each text."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    states = keras.layers.Embedding(
        VOCABULARY, 5, name="table", embeddings_initializer=keras.initializers.RandomNormal(seed=3)
    )(tokens)
    states = keras.layers.Dropout(dropout, name="dropout")(states)
    tag_logits = keras.layers.Dense(CLASSES, name="tagger", dtype="float32")(states)
    kind_logits = keras.layers.Dense(1, name="kind", dtype="float32")(tf.reduce_mean(states, 1))[:, 0]
    return TrainingModel(keras.Model(tokens, [tag_logits, kind_logits]), loss)


def loss(batch, outputs):
    tag_logits, kind_logits = outputs
    is_token, kinds = batch["tokens"] > 0, batch["kinds"]
    tag_errors = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["tags"], tag_logits)
    kind_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(kinds, tf.float32), kind_logits)
    return [
        masked_mean(
            "tag_loss", tag_errors, is_token, [Distribution(tag_logits, "softmax", tf.cast(is_token, tf.float32))]
        ),
        batch_mean("kind_loss", kind_errors, kinds, [Distribution(kind_logits, "sigmoid", tf.ones_like(kind_logits))]),
    ]


def examples(count: int, seed: int = 0) -> list[dict[str, np.ndarray]]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 7, count)
    return [
        {
            "tokens": generator.integers(1, VOCABULARY, length).astype(np.int32),
            "tags": generator.integers(0, CLASSES, length).astype(np.int32),
            "kinds": np.int32(generator.integers(0, 2)),
        }
        for length in lengths
    ]


def collate(batch, generator=None) -> dict[str, np.ndarray]:
    arrays = {name: pad([example[name] for example in batch]) for name in ("tokens", "tags")}
    # Every batch is as wide as the widest, so that the mean over a text's tokens does not depend on its batch.
    arrays = {name: np.pad(values, [(0, 0), (0, 6 - values.shape[1])]) for name, values in arrays.items()}
    return arrays | {"kinds": np.array([example["kinds"] for example in batch])}


def chunks(rows, size):
    return [collate(rows[first : first + size]) for first in range(0, len(rows), size)]


def options(**changed) -> TrainingOptions:
    return TrainingOptions(**{"epochs": 2, "warmup": 0.2, "ema_momentum": 0.9, "gradient_clipping": 0.1, **changed})


def fit(model, elements, epochs: int = 1) -> dict[str, list[float]]:
    """`elements` are the batches of one epoch, as the train step takes them."""
    signature = tf.nest.map_structure(
        lambda value: tf.TensorSpec([None] * np.ndim(value), np.asarray(value).dtype), elements[0]
    )
    batches = tf.data.Dataset.from_generator(lambda: iter(elements), output_signature=signature).repeat()
    return model.fit(batches, steps_per_epoch=len(elements), epochs=epochs, verbose=0).history


def trained(optimizer, batches, accumulation_steps: int = 1, epochs: int = 2, **changed):
    """Weights, averages and logs of a training on these batches, in groups."""
    seed_everything(1)
    model = build()
    model.compile(optimizer, options(accumulation_steps=accumulation_steps, **changed))
    elements = (
        list(grouped(iter(batches), accumulation_steps, model.denominators)) if accumulation_steps > 1 else batches
    )
    history = fit(model, elements, epochs)
    averages = []
    with contextlib.suppress(AttributeError), model.averaged_weights():
        averages = model.get_weights()
    return model.get_weights(), averages, history, int(model.optimizer.iterations)


def ours(lazy: bool = False, accumulation_steps: int = 1, batches: int = 3, optimizer: str = "adamw"):
    chosen = options(lazy_embeddings=lazy, accumulation_steps=accumulation_steps, optimizer=optimizer)
    return build_optimizer(chosen, 0.05, batches)


OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.3),
    "AdamW": ours,
    "lazy AdamW": lambda: ours(lazy=True),
    "lazy AdaFactor": lambda: ours(lazy=True, optimizer="adafactor"),
}


@pytest.mark.parametrize(
    ("flooding", "optimizer"),
    mostly_slow(
        product([0.0, 1.75], OPTIMIZERS),
        *[(1.75, "SGD"), (0.0, "AdamW"), (0.0, "lazy AdaFactor"), (1.75, "lazy AdamW")],
        reason="each optimizer is tried by default, with flooding or without",
    ),
)
def test_n_batches_of_b_equal_one_of_n_b(optimizer, flooding):
    make = OPTIMIZERS[optimizer]
    # 10 examples: groups of 4 x 1, 4 x 1 and 2 x 1, against batches of 4, 4 and 2.
    rows = examples(10)
    expected = trained(make(), chunks(rows, 4), flooding=flooding)
    found = trained(make(), chunks(rows, 1), accumulation_steps=4, flooding=flooding)
    for one, other in zip(expected[0] + expected[1], found[0] + found[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6, rtol=1e-6)
    for name in ("loss", "tag_loss", "kind_loss"):
        np.testing.assert_allclose(expected[2][name], found[2][name], rtol=1e-5)
    assert expected[3] == found[3] == 6
    if flooding:  # the level lies among the losses, so both directions were taken
        assert not np.allclose(expected[0][1], trained(make(), chunks(rows, 4))[0][1])


def test_means_of_unequal_batches_would_not_do():
    rows = sorted(examples(8), key=lambda row: len(row["tokens"]))
    expected, _, _, _ = trained(keras.optimizers.SGD(0.3), [collate(rows)])
    seed_everything(1)
    model = build()
    gradients = []
    for batch in chunks(rows, 4):
        with tf.GradientTape() as tape:
            loss = model.batch_loss(batch) / 2
        gradients.append(
            [tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(loss, model.trainable_variables)]
        )
    kernel = model.get_weights()[TAGGER] - 0.3 * (gradients[0][TAGGER] + gradients[1][TAGGER])
    assert np.abs(kernel - expected[TAGGER]).max() > 1e-4


def gradients_of(model, batch, training: bool = False):
    with tf.GradientTape() as tape:
        loss = model.batch_loss(batch, training)
    return [tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(loss, model.trainable_variables)]


def test_fgm_is_its_formula():
    seed_everything(1)
    model, batch, rate, epsilon = build(), collate(examples(6)), 0.25, 0.5
    before = model.get_weights()
    first = gradients_of(model, batch)
    model.trainable_variables[0].assign(before[0] + epsilon * first[0] / np.sqrt((first[0] ** 2).sum()))
    second = gradients_of(model, batch)
    model.set_weights(before)
    model.compile(keras.optimizers.SGD(rate), options(fgm=epsilon))
    fit(model, [batch])
    for weight, start, one, other in zip(model.get_weights(), before, first, second, strict=True):
        np.testing.assert_allclose(weight, start - rate * (one + other), atol=1e-6)
    assert np.abs(first[1] - second[1]).max() > 1e-3  # the table had moved


@pytest.mark.parametrize("sparse", [True, False])
def test_a_perturbed_table_comes_back_bit_for_bit(sparse):
    generator = np.random.default_rng(0)
    values, gradient = generator.normal(size=(2, 7, 3)).astype(np.float32)
    table, rows = tf.Variable(values), np.array([4, 1, 4])
    if sparse:
        slices = tf.IndexedSlices(tf.constant(gradient[:3]), tf.constant(rows), tf.constant([7, 3]))
        dense = np.zeros_like(values)
        np.add.at(dense, rows, gradient[:3])
    else:
        slices, dense = tf.constant(gradient), gradient

    @tf.function
    def inside():
        with perturbed([table], [slices], 0.7):
            return tf.identity(table)

    np.testing.assert_allclose(inside(), values + 0.7 * dense / np.linalg.norm(dense), rtol=1e-5)
    np.testing.assert_array_equal(table, values)
    with pytest.raises(ZeroDivisionError), perturbed([table], [slices], 0.7):
        raise ZeroDivisionError
    np.testing.assert_array_equal(table, values)


def test_a_gradient_of_zero_moves_nothing():
    table = tf.Variable([[1.0, 2.0]])
    with perturbed([table, table], [tf.zeros((1, 2)), None], 0.5):
        np.testing.assert_array_equal(table, [[1.0, 2.0]])


def test_summed_by_row_is_the_same_gradient():
    slices = tf.IndexedSlices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([2, 0, 2]), tf.constant([3, 1]))
    summed = summed_by_row(slices)
    assert sorted(summed.indices.numpy()) == [0, 2]
    np.testing.assert_array_equal(tf.convert_to_tensor(summed), tf.convert_to_tensor(slices))


def test_only_tables_of_tokens_are_perturbed():
    tokens = keras.Input((None,), dtype="int32")
    names = (
        "Embedding-Token",
        "Embedding-Position",
        "Embedding-Segment",
        "character_embedding",
        "types",
        "distance_to_subject",
    )
    states = sum(keras.layers.Embedding(4, 2, name=name)(tokens) for name in names)
    frozen = keras.layers.Embedding(4, 2, name="word_ids_embedding", trainable=False)(tokens)
    model = keras.Model(tokens, keras.layers.Dense(2, name="embedding_projection")(states + frozen))
    assert [table.name for table in token_embeddings(model)] == [
        "Embedding-Token/embeddings:0",
        "character_embedding/embeddings:0",
    ]


def test_r_drop_is_its_formula():
    seed_everything(1)
    model, batch, alpha, rate = build(dropout=0.5), collate(examples(6)), 4.0, 0.25
    seed_layers(model, 7, 0)
    with tf.GradientTape() as tape:
        first, second = model(batch, training=True), model(batch, training=True)
        total = 0.0
        for outputs in (first, second):
            total += sum(term.numerator / term.denominator for term in loss(batch, outputs)) / 2
        (p, q), (r, s) = ([tf.nn.softmax(tags), tf.sigmoid(kinds)] for tags, kinds in (first, second))
        mask = tf.cast(batch["tokens"] > 0, tf.float32)
        tags = tf.reduce_sum(p * tf.math.log(p / r) + r * tf.math.log(r / p), -1)
        kinds = sum(a * tf.math.log(a / b) + b * tf.math.log(b / a) for a, b in ((q, s), (1 - q, 1 - s)))
        total += alpha / 2 * (tf.reduce_sum(tags * mask) / tf.reduce_sum(mask) + tf.reduce_mean(kinds)) / 2
    gradients = [tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(total, model.trainable_variables)]
    before = model.get_weights()
    seed_layers(model, 7, 0)
    model.compile(keras.optimizers.SGD(rate), options(r_drop=alpha))
    logs = fit(model, [batch])
    for weight, start, gradient in zip(model.get_weights(), before, gradients, strict=True):
        np.testing.assert_allclose(weight, start - rate * gradient, atol=1e-5)
    assert logs["loss"][0] == pytest.approx(float(total), rel=1e-4)
    assert logs["r_drop"][0] > 1e-3


@pytest.mark.parametrize(("level", "direction"), [(0.1, 1), (100.0, -1)])
def test_flooding_turns_around_below_its_level(level, direction):
    seed_everything(1)
    model, batch = build(), collate(examples(5))
    before, gradients = model.get_weights(), gradients_of(model, batch)
    model.compile(keras.optimizers.SGD(0.25), options(flooding=level))
    fit(model, [batch])
    for weight, start, gradient in zip(model.get_weights(), before, gradients, strict=True):
        np.testing.assert_allclose(weight, start - direction * 0.25 * gradient, atol=1e-6)


def test_the_losses_that_are_logged_are_means_over_the_epoch():
    model, rows = build(), examples(7)
    model.compile(keras.optimizers.SGD(0.0), options())
    logs = fit(model, chunks(rows, 3))
    for term in model.terms(collate(rows)):
        assert logs[term.name][0] == pytest.approx(float(term.numerator / term.denominator), rel=1e-5)
    assert logs["loss"][0] == pytest.approx(float(model.batch_loss(collate(rows))), rel=1e-5)


def test_a_batch_without_tokens_teaches_nothing_of_tokens():
    batch = collate(examples(3))
    batch["tokens"] = np.zeros_like(batch["tokens"])
    model = build()
    model.compile(keras.optimizers.SGD(0.1), options())
    before = model.get_weights()
    assert fit(model, [batch])["tag_loss"] == [0.0]
    np.testing.assert_array_equal(model.get_weights()[TAGGER], before[TAGGER])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


EVERYTHING = {
    "fgm": 0.5,
    "r_drop": 4.0,
    "flooding": 0.3,
    "accumulation_steps": 3,
    "lookahead_steps": 2,
    "lazy_embeddings": True,
    "schedule": "0.5:1,1:0.1",
}


@pytest.fixture
def precision():
    yield lambda name: keras.mixed_precision.set_global_policy(f"mixed_{name}")
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize(
    ("name", "optimizer"),
    mostly_slow(
        [(None, "adamw"), ("bfloat16", "adamw"), ("float16", "adamw"), ("float16", "adafactor")],
        *[("bfloat16", "adamw"), ("float16", "adafactor")],
        reason="each precision and each optimizer is tried by default; test_runs.py has all of it in float32",
    ),
)
def test_everything_together(precision, name, optimizer):
    if name:
        precision(name)
    seed_everything(1)
    model, rows = build(dropout=0.3), examples(20)
    chosen = options(epochs=6, ema_momentum=0.5, optimizer=optimizer, **EVERYTHING)
    model.compile(build_optimizer(chosen, 0.05, 10), chosen)
    batches = training_dataset(rows, [len(row["tokens"]) for row in rows], collate, 2, 1, range(6), model)
    logs = model.fit(batches, steps_per_epoch=10, epochs=6, verbose=0).history
    assert logs["loss"][-1] < logs["loss"][0] and np.isfinite(logs["loss"]).all()
    assert int(model.optimizer.iterations) == 6 * 4  # groups of 3, 3, 3 and 1
    assert all(weight.dtype == tf.float32 for weight in model.weights)
    assert [weight.name for weight in model.weights] == [
        "table/embeddings:0",
        "kind/kernel:0",
        "kind/bias:0",
        "tagger/kernel:0",
        "tagger/bias:0",
    ]


def test_the_loss_scale_of_float16_is_state(precision):
    precision("float16")
    model = build()
    model.compile(build_optimizer(options(), 0.05, 3), options())
    model.optimizer.build(model.trainable_variables)
    scale = [variable for variable in model.state if float(np.max(variable.numpy())) == 2.0**15]
    assert len(scale) == 1
    # An overflow skips the step and halves the scale.
    before = model.get_weights()
    batch = collate(examples(3))
    scale[0].assign(np.float32(3e38))
    fit(model, [batch])
    assert float(scale[0]) == pytest.approx(1.5e38, rel=1e-3)
    for weight, value in zip(model.get_weights(), before):
        np.testing.assert_array_equal(weight, value)


def two_devices(*cases: dict) -> None:
    """As a process of its own: with the options of each case."""
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    for changed in cases:
        compare_devices(**changed)


def compare_devices(**changed) -> None:
    """Two devices with half a batch each do what one does with the whole of it."""
    rows = examples(16)
    chosen = options(**changed)
    batch_size = 4 // chosen.accumulation_steps
    results = []
    for strategy, size in (
        (tf.distribute.get_strategy(), 2 * batch_size),
        (tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), batch_size),
    ):
        seed_everything(1)
        with strategy.scope():
            model = build()
            model.compile(build_optimizer(chosen, 0.05, 2 * chosen.accumulation_steps), chosen)
        halves = chunks(rows, size)
        groups = chosen.accumulation_steps * 2 * batch_size // size
        elements = list(grouped(iter(halves), groups, model.denominators)) if chosen.accumulation_steps > 1 else halves
        signature = tf.nest.map_structure(
            lambda value: tf.TensorSpec([None] * np.ndim(value), np.asarray(value).dtype), elements[0]
        )
        batches = tf.data.Dataset.from_generator(
            lambda elements=elements: iter(elements), output_signature=signature
        ).repeat()
        if strategy.num_replicas_in_sync > 1:
            batches = strategy.distribute_datasets_from_function(lambda context, batches=batches: batches)
        model.fit(batches, steps_per_epoch=2 * chosen.accumulation_steps, epochs=2, verbose=0)
        with model.averaged_weights():
            results.append(model.get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


@pytest.mark.parametrize(
    "cases",
    [
        [
            {"fgm": 0.5, "flooding": 1.5, "lookahead_steps": 2, "r_drop": 1.0},
            {"accumulation_steps": 2, "lazy_embeddings": True, "flooding": 1.5},
        ],
        pytest.param([{}], marks=pytest.mark.slow(reason="test_optimizers.py has two devices without any technique")),
        pytest.param(
            [{"accumulation_steps": 2, "lazy_embeddings": True, "optimizer": "adafactor"}],
            marks=pytest.mark.slow(reason="AdamW has two devices with what both optimizers share"),
        ),
    ],
)
def test_two_devices_do_what_one_does(cases):
    code = f"import test_training_model; test_training_model.two_devices(*{cases!r})"
    folder = Path(__file__).resolve().parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder.parent)])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_denominator_that_hangs_on_what_the_network_says_is_refused():
    model = TrainingModel(build().network, lambda batch, outputs: [masked_mean("loss", outputs[0], outputs[0] > 0)])
    with pytest.raises(Exception, match="Unable to lift .* depends transitively on placeholder"):
        model.denominators(collate(examples(2)))


def test_the_graph_of_a_step_is_made_once(monkeypatch):
    made = []
    train_step = TrainingModel.train_step
    monkeypatch.setattr(TrainingModel, "train_step", lambda self, data: made.append(1) or train_step(self, data))
    model = build()
    model.compile(ours(), options())
    model.optimizer.build(model.trainable_variables)
    fit(model, chunks(examples(6), 2), epochs=2)
    assert len(made) == 1
