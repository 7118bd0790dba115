"""common/optimizers/recompute.py, and the dropout of attention weights that it repeats."""

import time

import numpy as np
import pytest

from common.encoders.bert import BertEncoder
from common.keras_compat import keras, seed_everything, seed_layers, set_precision, tf
from common.optimizers.recompute import recompute
from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer

from bert4keras import layers  # isort: skip - after keras_compat, which tells it the Keras to use

WORDS = 40
TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *map(chr, range(0x4E00, 0x4E00 + WORDS - len(SPECIAL_TOKENS)))])
LENGTHS = (9, 5, 7)
generator = np.random.default_rng(0)
TOKENS = np.array(
    [[*generator.integers(5, WORDS, length), *[0] * (max(LENGTHS) - length)] for length in LENGTHS], np.int32
)
INPUTS = {"token_ids": TOKENS, "segment_ids": (np.cumsum(TOKENS > 0, 1) > 3).astype(np.int32) * (TOKENS > 0)}
TARGETS = generator.normal(size=(*TOKENS.shape, 16)).astype(np.float32)


@pytest.fixture(autouse=True)
def _start():
    seed_everything(1)
    yield
    set_precision("no")


def encoder(model="bert", depth=1, hidden_dropout=0.1, attention_dropout=0.3):
    config = {
        "hidden_size": 16,
        "num_hidden_layers": depth,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 12,
        "vocab_size": WORDS,
        "hidden_act": "gelu",
        "hidden_dropout_prob": hidden_dropout,
        "attention_probs_dropout_prob": attention_dropout,
    }
    return BertEncoder(TOKENIZER, config, 12, model)


def network(model="bert", **settings):
    if model == "unilm":
        bert = encoder(**settings).transformer(application="unilm", with_mlm="linear")
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in INPUTS}
        states = keras.Model(bert.model.inputs, bert.layers["Transformer-0-FeedForward-Norm"].output)
        return keras.Model(inputs, states(list(inputs.values())))
    bert = encoder(model, **settings).network()
    return keras.Model(bert.inputs, bert.output[0])


def step_of(model, in_graph=True):
    """A function of an epoch: loss, and gradient of each weight, of one training batch. A new one each time: functions
    keep what they traced."""
    weights = model.trainable_weights

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.cast(model(INPUTS, training=True), tf.float32) - TARGETS))
        return loss, [
            tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, weights, unconnected_gradients="zero")
        ]

    step = tf.function(step) if in_graph else step

    def run(epoch=0):
        seed_layers(model, 5, epoch)
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), step())

    return run


def generators_of(model):
    found = [
        getattr(getattr(layer, "_random_generator", None), "_generator", None) for layer in model._flatten_layers()
    ]
    return [generator.state.numpy().tolist() for generator in found if generator is not None]


def assert_equal(one, other, tolerance):
    """Loss and gradients. The scale of a gradient is its largest number: others are what is left of sums that
    cancel."""
    assert one[0] == pytest.approx(other[0], rel=tolerance)
    for gradient, expected in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=tolerance * max(np.abs(expected).max(), 1e-3))


# A graph takes seconds to make, and is what is trained with: one stands for all.
@pytest.mark.parametrize(
    ("model", "depth", "precision", "in_graph"),
    [
        ("bert", 1, "no", True),
        pytest.param(
            *("bert", 1, "bfloat16", True),
            marks=pytest.mark.slow(reason="a graph in 32 bits, and 16 bits without one, stand for it"),
        ),
        ("unilm", 1, "no", False),
        ("albert", 2, "no", False),
        ("electra", 1, "no", False),
        ("nezha", 1, "no", False),
        ("roformer", 1, "no", False),
        ("roformer_v2", 1, "no", False),
        ("roformer", 1, "float16", False),
    ],
)
def test_loss_and_gradients_are_the_same_dropout_included(model, depth, precision, in_graph):
    set_precision(precision)
    model = network(model, depth=depth)
    names, inference = [weight.name for weight in model.weights], model(INPUTS)
    kept = step_of(model, in_graph)()
    moved = generators_of(model)
    recompute(model)
    again = step_of(model, in_graph)
    # In 16 bits the parts of a gradient add up in another order.
    assert_equal(again(), kept, 1e-6 if precision == "no" else 1e-2)
    assert generators_of(model) == moved
    # And it is random, and a function of the epoch.
    assert again(epoch=1)[0] != kept[0] == again(epoch=0)[0]
    assert [weight.name for weight in model.weights] == names
    np.testing.assert_array_equal(model(INPUTS), inference)
    names = [weight.name for weight in model.trainable_weights]
    assert all(
        np.abs(gradient).max() > 0
        for gradient, name in zip(kept[1], names, strict=True)
        if "MultiHead" in name and "kernel" in name
    )


def test_insides_are_computed_again_when_the_gradient_arrives():
    model = network(depth=2)
    ran = []

    def note(what, tensor, seconds=0.0):
        def run(value):
            time.sleep(seconds)
            ran.append(what)
            return value * 0

        # Without side effects in the eyes of TensorFlow, so that it runs when it can, like any other operation.
        return tensor + tf.stop_gradient(
            tf.ensure_shape(tf.numpy_function(run, [tf.reduce_sum(tensor)], tensor.dtype, stateful=False), [])
        )

    def noting(layer):
        activation = layer.i0_dense.activation
        return lambda tensor: activation(note(layer.name, tensor))

    names = [f"Transformer-{index}-FeedForward" for index in range(2)]
    for layer in model._flatten_layers():
        if layer.name in names:
            layer.i0_dense.activation = noting(layer)
    recompute(model)
    # Long enough for all that does not wait for the loss.
    step_of(
        keras.Model(model.inputs, keras.layers.Lambda(lambda states: note("loss", states, seconds=0.5))(model.output))
    )()
    assert ran == [*names, "loss", *reversed(names)]


def test_doing_it_twice_is_doing_it_once():
    model = network()
    recompute(model)
    methods = [vars(layer).get(method) for layer in model._flatten_layers() for method in ("attend", "call")]
    assert (
        sum(method is not None for method in methods) == 5
    )  # attention, feed-forward, and a normalisation after each and the embeddings
    recompute(keras.Model(model.inputs, model(model.inputs)))
    assert [vars(layer).get(method) for layer in model._flatten_layers() for method in ("attend", "call")] == methods


def test_training_in_fit_on_a_distribution_strategy_ends_with_the_same_weights():
    def trained(prepare):
        seed_everything(1)
        with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
            model = network()
            prepare(model)
            model.compile(keras.optimizers.SGD(0.1, jit_compile=False), "mse")
        seed = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: seed_layers(model, 1, epoch))
        model.fit(INPUTS, TARGETS, batch_size=1, verbose=0, callbacks=[seed])
        return model.get_weights()

    for one, other in zip(trained(recompute), trained(lambda model: None), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_dropout_that_could_not_be_repeated_is_refused():
    states = keras.Input((None, 8))
    attention = layers.MultiHeadAttention(2, 4, attention_dropout=0.1, name="attention")
    model = keras.Model(states, attention([states, states, states]))
    with pytest.raises(ValueError, match="attention: its dropout cannot be repeated - build"):
        recompute(model)


# Dropout of attention weights


def attention_of(rate, **settings):
    """The attention of a network, and a function of states (batch, length, 16) that calls it in training."""
    model = network(attention_dropout=rate, **settings)
    [attention] = [layer for layer in model._flatten_layers() if isinstance(layer, layers.MultiHeadAttention)]
    return model, attention, lambda states: attention([states] * 3, mask=[None] * 3, training=True, a_bias=None).numpy()


def test_each_weight_is_dropped_or_scaled():
    _, attention, attend = attention_of(0.25)
    length = 16
    # Queries of 0 make all weights equal, and values that are the unit vectors of positions make the states the weights
    # themselves: in each half those of one head for the first positions, as many as it is wide.
    size = attention.head_size
    for dense in (attention.q_dense, attention.k_dense):
        dense.set_weights([np.zeros((16, 16)), np.zeros(16)])
    attention.v_dense.set_weights([np.concatenate([np.eye(16)[:, :size], np.eye(16)[:, :size]], 1), np.zeros(16)])
    attention.o_dense.set_weights([np.eye(16), np.zeros(16)])
    states = tf.constant(np.tile(np.eye(length, 16, dtype=np.float32), (200, 1, 1)))
    weights = attend(states) * length
    np.testing.assert_allclose(np.unique(weights.round(5)), [0, 1 / 0.75], rtol=1e-4)
    assert (weights == 0).mean() == pytest.approx(0.25, abs=0.005)
    assert (weights[..., :size] == weights[..., size:]).mean() == pytest.approx(0.25**2 + 0.75**2, abs=0.01), (
        "heads are dropped alike"
    )
    assert (weights[0] != weights[1]).any() and (weights[:, 0] != weights[:, 1]).any()


def test_every_call_draws_anew_and_every_epoch_can_be_repeated():
    model, _, attend = attention_of(0.5)
    states = tf.constant(generator.normal(size=(2, 6, 16)).astype(np.float32))

    def epoch(number):
        seed_layers(model, 1, number)
        return [attend(states) for _ in range(2)]

    first, second = epoch(0)
    assert (first != second).any()
    assert all((one != other).any() for one, other in zip(epoch(1), (first, second)))
    np.testing.assert_array_equal(epoch(0), (first, second))


def test_no_weight_is_dropped_without_training_or_by_a_rate_of_0():
    model, attention, _ = attention_of(0.5)
    without, _, attend = attention_of(0.0)
    states = tf.constant(generator.normal(size=(2, 6, 16)).astype(np.float32))
    without.set_weights(model.get_weights())
    np.testing.assert_array_equal(attention([states] * 3, mask=[None] * 3, a_bias=None), attend(states))


@pytest.mark.parametrize(
    ("config", "rate"),
    [({}, 0.1), ({"attention_probs_dropout_prob": 0.2}, 0.2), ({"attention_probs_dropout_prob": 0.0}, 0.0)],
)
def test_the_rate_is_that_of_the_config(config, rate):
    bert = encoder()
    del bert.config["attention_probs_dropout_prob"]
    bert.config.update(config)
    assert bert.transformer().layers["Transformer-0-MultiHeadSelfAttention"].attention_dropout == rate
