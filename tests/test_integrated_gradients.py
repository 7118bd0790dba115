"""Integrated gradients against what is known in closed form, against a loop over single steps, and on every encoder."""

import itertools

import numpy as np
import pytest

from common.analysis.integrated_gradients import integrated_gradients
from common.analysis.replay import CALL_IT, replay
from common.encoders import build_encoder
from common.encoders.bert import BertEncoder
from common.encoders.bert_config import checked_config
from common.generators import pad_features
from common.keras_compat import keras, seed_everything, tf
from common.options import EncoderOptions
from common.tokenizers import pair_windows

KINDS = ("dgcnn", "bilstm", "on_lstm", "bert", "roformer", "albert")
RULES = ("gauss_legendre", "trapezoid")
TEXTS = ["海边的小城下了一夜的雪。", "她在灯下读书。"]
IDS = np.array([[1, 2, 3, 1], [4, 5, 0, 0]], np.int32)


def of_embeddings(tail, size=3):
    """A network of ids of any number of tokens: `tail` of their embeddings (batch, length, size)."""
    seed_everything(3)
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedded = keras.layers.Embedding(6, size, embeddings_initializer="normal", name="tokens")(ids)
    return keras.Model({"token_ids": ids}, tail(embedded))


def table_of(network):
    return network.get_layer("tokens").get_weights()[0].astype(np.float64)


@pytest.mark.parametrize("rule,steps", [("gauss_legendre", 1), ("gauss_legendre", 7), ("trapezoid", 2)])
def test_a_linear_network_is_exact_at_any_number_of_steps(rule, steps):
    weights = np.array([2.0, -1.0, 0.5])
    network = of_embeddings(lambda x: tf.tensordot(x, tf.constant(weights, tf.float32), 1))
    found = integrated_gradients(
        network, {"token_ids": IDS}, lambda outputs: tf.reduce_sum(outputs, 1) + 7, steps, rule
    )
    expected = table_of(network)[IDS] @ weights
    np.testing.assert_allclose(found.by_kind["tokens"], expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.value, expected.sum(1) + 7, rtol=1e-6)
    np.testing.assert_allclose(found.baseline, [7, 7])
    assert (found.error < 1e-4).all() and (expected < 0).any() and (expected > 0).any()


def test_a_quadratic_network_is_exact_by_the_middle_and_by_any_more_steps():
    """f = (sum of x)^2: of x_i the integral is x_i times that sum, whose square they add up to."""
    network = of_embeddings(lambda x: tf.reduce_sum(x, [1, 2]) ** 2)
    sums = table_of(network)[IDS].sum(2)
    for steps in (1, 2, 64):
        found = integrated_gradients(network, {"token_ids": IDS}, lambda outputs: outputs, steps)
        np.testing.assert_allclose(found.tokens(), sums * sums.sum(1, keepdims=True), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("rule", RULES)
def test_a_corner_is_found_between_two_steps(rule):
    """f = relu(s - s0), s being the sum of all x: x_i counts from s0 / s on."""
    network = of_embeddings(lambda x: tf.nn.relu(100 * tf.reduce_sum(x, [1, 2]) - 3))
    sums = 100 * table_of(network)[IDS].sum(2)
    rises = sums.sum(1) > 3
    found = integrated_gradients(network, {"token_ids": IDS}, lambda outputs: outputs, 9, rule)
    expected = sums * np.maximum(0, 1 - 3 / sums.sum(1, keepdims=True)) * rises[:, None]
    assert rises.any() and (found.error < 1e-4).all()
    np.testing.assert_allclose(found.tokens(), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_many_steps_at_once_are_the_sum_of_single_ones(rule):
    dense = keras.layers.Dense(4, "tanh", kernel_initializer="orthogonal", name="dense")
    network = of_embeddings(lambda x: tf.reduce_sum(dense(30 * x), [1, 2]))
    found = integrated_gradients(network, {"token_ids": IDS}, lambda outputs: outputs, 9, rule, batch_tokens=20)
    assert (found.cut == 1).all()  # so steps are those of the plain line
    kernel, table = dense.get_weights()[0].astype(np.float64), table_of(network)
    if rule == "trapezoid":
        places, weights = np.linspace(0, 1, 9), np.array([0.5, *[1] * 7, 0.5]) / 8
    else:
        places, weights = np.polynomial.legendre.leggauss(9)
        places, weights = (places + 1) / 2, weights / 2
    for row, ids in enumerate(IDS):
        for at, token in enumerate(ids):
            total, x = 0.0, table[token]
            for place, weight in zip(places, weights):
                slope = 1 - np.tanh(30 * place * x @ kernel) ** 2
                total += weight * (30 * kernel @ slope) @ x
            np.testing.assert_allclose(found.tokens()[row, at], total, rtol=1e-4, atol=1e-7)


def encoder_of(kind):
    seed_everything(5)
    flags = dict(hidden_size=16, layers=2, max_length=32, dropout=0.1)
    built = build_encoder(EncoderOptions(encoder="bert" if kind == "albert" else kind, **flags), TEXTS * 3)
    if kind != "albert":
        return built
    config = checked_config({**built.config, "embedding_size": 8}, "a test", "albert")
    return BertEncoder(built.tokenizer, config, 32, "albert")


def with_biases(network):
    """As after training: without any, all that is small looks the same to normalisations one behind the other."""
    generator = np.random.default_rng(1)
    for weight in network.weights:
        if len(weight.shape) == 1:
            weight.assign_add(generator.normal(scale=0.1, size=weight.shape))
    return network


def inputs_of(encoder, texts):
    rows = [encoder.features(text, [encoder.tokenizer.encode(text, 32)])[0] for text in texts]
    return pad_features(rows)


def reads_its_third_token(outputs):
    weights = tf.constant(np.random.default_rng(2).normal(size=16), tf.float32)
    return tf.tensordot(outputs[0][:, 3], weights, 1)


def known_of(network):
    """All that somebody could have changed, but for what Keras counts itself when a layer is called."""
    layers = list(network._flatten_layers())
    return [
        [weight.numpy().tobytes() for weight in network.weights],
        [(id(layer), sorted(vars(layer)), id(getattr(layer.call, "__func__", layer.call))) for layer in layers],
        [len(layer.inbound_nodes) for layer in layers],
    ]


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            marks=pytest.mark.slow(reason="of recurrent ones, on_lstm guards the same") if kind == "bilstm" else (),
        )
        for kind in KINDS
    ],
)
def test_the_attributions_of_every_encoder_are_complete_and_padding_has_none(kind):
    encoder = encoder_of(kind)
    network, inputs = with_biases(encoder.network()), inputs_of(encoder, TEXTS)
    as_it_is = [states.numpy() for states in network(inputs, training=False)]
    called = replay(network, inputs, lambda *_: CALL_IT)
    assert all(np.array_equal(one, other) for one, other in zip(as_it_is, called, strict=True))

    before = known_of(network)
    found = integrated_gradients(network, inputs, reads_its_third_token)
    assert (found.error < 0.01).all(), found.error
    assert (np.abs(found.value - found.baseline) > 0.01).all()
    np.testing.assert_allclose(found.value, reads_its_third_token(as_it_is), rtol=1e-4, atol=1e-4)
    padding = inputs["token_ids"] == 0
    assert padding.any() and not found.tokens()[padding].any() and found.tokens()[:, :6].all()
    expected = {"bert": {"Token", "Segment", "Position"}, "albert": {"Token", "Segment", "Position"}}
    kinds = {f"Embedding-{name}" for name in expected.get(kind, {"Token", "Segment"})}
    light = {f"{name}_embedding" for name in ("token_ids", "word_ids", "word_positions")}
    assert found.by_kind.keys() == (kinds if kind in ("bert", "albert", "roformer") else light)
    assert known_of(network) == before


@pytest.mark.parametrize("kind", ["dgcnn", "bert"])
def test_pairs_are_complete_with_all_that_is_known_of_a_token(kind):
    encoder = encoder_of(kind)
    tokenize = encoder.tokenizer.tokenize
    question, context = "谁在灯下？", TEXTS[1]
    asked, tokens = tokenize(question), tokenize(context)
    [pair] = pair_windows(encoder.tokenizer, asked, tokens, 32)
    inputs = pad_features(encoder.pair_features(question, asked, context, tokens, [pair]))
    network = with_biases(encoder.pair_network())
    values = [name for name in inputs if name == "coverage"]
    found = integrated_gradients(
        network, inputs, lambda outputs: tf.reduce_sum(outputs[0][:, -3] ** 3, 1), values=values
    )
    assert (found.error < 0.01).all(), found.error
    if kind == "dgcnn":
        assert {"parts_of_speech_embedding", "shared_embedding", "coverage"} < found.by_kind.keys()
        assert found.by_kind["coverage"].any()


def test_the_baseline_can_be_other_tokens_and_others_can_stand_still():
    encoder = encoder_of("bert")
    network, inputs = with_biases(encoder.network()), inputs_of(encoder, TEXTS[:1])
    inside = np.zeros(inputs["token_ids"].shape, bool)
    inside[:, 3:6] = True
    masked = np.where(inside, encoder.tokenizer.mask_id, inputs["token_ids"])
    found = integrated_gradients(network, inputs, reads_its_third_token, baseline={"token_ids": masked})
    read = reads_its_third_token(network({**inputs, "token_ids": masked}, training=False))
    np.testing.assert_allclose(found.baseline, read, rtol=1e-5)
    assert not found.tokens()[~inside].any() and (found.error < 0.01).all()
    some = integrated_gradients(network, inputs, reads_its_third_token, scaled=inside)
    assert not some.tokens()[~inside].any() and some.tokens()[inside].all() and (some.error < 0.01).all()


def test_a_row_is_explained_alike_in_any_batch_and_inputs_that_number_rows_follow():
    ids, places = keras.Input((None,), dtype="int32", name="token_ids"), keras.Input((2,), dtype="int32", name="places")
    embedded = keras.layers.Embedding(6, 3, embeddings_initializer="normal")(ids)
    network = keras.Model({"token_ids": ids, "places": places}, tf.gather_nd(embedded, places))
    given = {"token_ids": IDS, "places": np.array([[1, 0], [0, 2]], np.int32)}

    def of(outputs):
        return tf.reduce_sum(tf.tanh(20 * outputs), 1)

    found = integrated_gradients(network, given, of, steps=16, numbering_rows=["places"], batch_tokens=1)
    assert [[*map(bool, row)] for row in found.tokens()] == [[False, False, True, False], [True, False, False, False]]
    together = integrated_gradients(network, given, of, steps=16, numbering_rows=["places"], batch_tokens=10**6)
    np.testing.assert_allclose(found.tokens(), together.tokens(), rtol=1e-6)


@pytest.mark.parametrize("problem", [RuntimeError, KeyboardInterrupt])
def test_a_network_is_what_it_was_after_an_interruption(problem):
    encoder = encoder_of("bert")
    network, inputs = encoder.network(), inputs_of(encoder, TEXTS[:1])
    before, calls = known_of(network), itertools.count()

    def interrupted(outputs):
        if next(calls) == 2:
            raise problem
        return reads_its_third_token(outputs)

    with pytest.raises(problem):
        integrated_gradients(network, inputs, interrupted, batch_tokens=64)
    assert next(calls) == 3 and known_of(network) == before


def test_the_sign_of_what_is_asked_is_that_of_the_answer():
    encoder = encoder_of("dgcnn")
    network, inputs = with_biases(encoder.network()), inputs_of(encoder, TEXTS[:1])
    one = integrated_gradients(network, inputs, reads_its_third_token, steps=8)
    other = integrated_gradients(network, inputs, lambda outputs: -reads_its_third_token(outputs), steps=8)
    np.testing.assert_allclose(one.tokens(), -other.tokens(), rtol=1e-4, atol=1e-6)
    assert (one.tokens() > 0).any() and (one.tokens() < 0).any()


def test_what_cannot_be_explained_is_refused():
    numbers = keras.Input((3,), name="numbers")
    network = keras.Model({"numbers": numbers}, keras.layers.Dense(1)(numbers))
    with pytest.raises(ValueError, match="no embedding layer"):
        integrated_gradients(network, {"numbers": np.zeros((1, 3), np.float32)}, lambda outputs: outputs[:, 0])
    known = of_embeddings(lambda x: tf.reduce_sum(x, [1, 2]))
    for rule, steps in (("gauss_legendre", 0), ("trapezoid", 1)):
        with pytest.raises(ValueError, match="too few"):
            integrated_gradients(known, {"token_ids": IDS}, lambda outputs: outputs, steps, rule)

    class Written(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="no functional network"):
        replay(Written(), {}, lambda *_: CALL_IT)
