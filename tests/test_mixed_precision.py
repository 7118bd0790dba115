"""--mixed-precision: in 16 bits networks say and learn what they do in float32, up to the digits that 16 bits have."""

from itertools import product

import numpy as np
import pytest

from common.encoders import build_encoder
from common.encoders.bert import BertEncoder
from common.keras_compat import keras, seed_everything, set_precision, tf
from common.layers import AttentionPooling, ConditionalLayerNormalization, masked_softmax
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions
from common.runs.directory import Run
from common.tokenizers import pair_windows

import competition
import test_seq2seq_titling_networks as titling
from contests import RELATION_EXTRACTION, TITLING, in_default, strict_json, submission_bytes
from helpers import mostly_slow
from test_encoders import TEXTS, batch_of
from workshop import extra, sample_of

#: How far the loss of a batch may be from the one in float32, and its gradient, both as a share of it.
LOSS = {"bfloat16": 0.02, "float16": 0.01}
GRADIENT = {"bfloat16": 0.15, "float16": 0.03}
SMALL = ["--max-train-examples", 12, "--max-dev-examples", 6]

in_16_bits = pytest.mark.parametrize("precision", list(LOSS))


@pytest.fixture(autouse=True)
def float32_afterwards():
    """The precision is a setting of the process, in which other tests follow."""
    yield
    set_precision("no")


def test_no_precision_is_inherited():
    for name, policy in (("bfloat16", "mixed_bfloat16"), ("float16", "mixed_float16"), ("no", "float32")):
        set_precision(name)
        assert keras.mixed_precision.global_policy().name == policy
        dense = keras.layers.Dense(2)
        assert dense(np.ones((1, 3), np.float32)).dtype == (tf.float32 if name == "no" else name)
        assert dense.kernel.dtype == tf.float32


def test_a_run_knows_its_precision(tmp_path):
    def trained(**training):
        return Run(tmp_path, {"settings": {"training": training}}).mixed_precision

    assert trained(mixed_precision="float16", epochs=3) == "float16"
    assert trained(epochs=3) == "no", "a run of a version without the flag"


# Every contest


class Started(Exception):
    """Training was about to begin."""


def at_the_start(contest, folder, *flags, then_fit=False):
    """Of train.py in bfloat16, as it begins to fit: a function that builds its network anew, in the precision that is
    set then, and the first batch. With `then_fit` also what main returns, after training."""
    model, seen = competition.load(contest.folder, "model"), {}
    build = model.build_network

    def build_and_remember(*arguments):
        seen["arguments"] = arguments
        return build(*arguments)

    def fit(self, batches, **options):
        def build_again():
            built = build(*seen["arguments"])
            return TrainingModel(getattr(built, "training", built), self._aside.loss)

        seen["batch"], seen["build"] = next(iter(batches)), build_again
        if not then_fit:
            raise Started
        return keras.Model.fit(self, batches, **options)

    flags = [*contest.tiny, *SMALL, *flags, "--mixed-precision", "bfloat16", "--output-dir", folder]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "build_network", build_and_remember)
        patch.setattr(TrainingModel, "fit", fit, raising=False)
        try:
            result = competition.main(contest.folder, "train", flags)
        except Started:
            result = None
    return seen["build"], seen["batch"], result


def loss_and_gradient(network, batch):
    """The loss of a batch without dropout, and the gradients of all weights in one vector."""
    with tf.GradientTape() as tape:
        loss = network.batch_loss(batch)
    gradients = [gradient for gradient in tape.gradient(loss, network.trainable_variables) if gradient is not None]
    return loss, np.concatenate([np.ravel(tf.convert_to_tensor(gradient)) for gradient in gradients])


def check_precisions(build, batch):
    """Loss and gradient of the batch in 16 bits against those in float32 by the same weights."""
    set_precision("no")
    network = build()
    weights = network.get_weights()
    expected, expected_gradient = loss_and_gradient(network, batch)
    for precision in LOSS:
        set_precision(precision)
        network = build()
        network.set_weights(weights)
        loss, gradient = loss_and_gradient(network, batch)
        assert {
            number.dtype.name for term in network.terms(batch) for number in (term.numerator, term.denominator)
        } == {"float32"}
        assert {variable.dtype.name for variable in network.variables if variable.dtype.is_floating} == {"float32"}
        assert {layer.compute_dtype for layer in network._flatten_layers()} >= {"float32", precision}, (
            "everything in 16 bits, or nothing"
        )
        assert float(loss) == pytest.approx(float(expected), rel=LOSS[precision]) and float(loss) != float(expected)
        assert np.isfinite(gradient).all()
        assert np.linalg.norm(gradient - expected_gradient) < GRADIENT[precision] * np.linalg.norm(expected_gradient)


def said(predictions):
    """Of predictions in the official format what they say, without ids and texts."""
    return [[*record.values()][-1] if len(record) < 4 else record for record in predictions]


@in_default(RELATION_EXTRACTION, reason="trains a network, and builds it three times more")
def test_a_batch_means_the_same_and_predictions_are_those_of_training(contest, tmp_path):
    build, batch, result = at_the_start(contest, tmp_path, then_fit=True)
    check_precisions(build, batch)

    set_precision("no")
    examples = contest.read(sample_of(contest) / "dev.json")[: SMALL[-1]]
    source, output = tmp_path / "dev.json", tmp_path / f"submission{contest.suffixes[0]}"
    contest.write(source, examples)
    more = extra(contest.predict_flags, sample_of(contest))
    competition.main(contest.folder, "predict", ["--run", result["run"], "--input", source, "--output", output, *more])
    assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    assert contest.answers(submission_bytes(output), examples) == said(
        strict_json((result["run"] / "dev_predictions.json").read_bytes())
    )


@pytest.mark.parametrize(
    ("contest", "flags"),
    [
        pytest.param(
            TITLING,
            ["--model", "bidirectional"],
            id="bidirectional",
            marks=pytest.mark.slow(reason="builds it three times; its steps are compared below"),
        ),
        pytest.param(
            TITLING,
            ["--model", "unilm"],
            id="unilm",
            marks=pytest.mark.slow(reason="builds it three times; its steps are compared below"),
        ),
        pytest.param(RELATION_EXTRACTION, ["--encoder", "bert", "--recompute"], id="bert"),
    ],
)
def test_a_batch_means_the_same_to_other_networks(contest, flags, tmp_path):
    check_precisions(*at_the_start(contest, tmp_path, *flags)[:2])


# Encoders


def encoder_of(kind):
    if kind in ("dgcnn", "bilstm", "on_lstm", "bert"):
        return build_encoder(EncoderOptions(encoder=kind, hidden_size=16, layers=1, max_length=48), TEXTS * 3)
    plain = encoder_of("bert")
    config = {**plain.config, "max_relative_position": 16, "use_relative_position": kind == "nezha"}
    return BertEncoder(plain.tokenizer, config, 48, kind)


def with_padding(arrays):
    """Three more columns, and a row of nothing."""
    return {name: np.pad(values, [(0, 1), (0, 3)] + [(0, 0)] * (values.ndim - 2)) for name, values in arrays.items()}


def text_batch(encoder):
    return with_padding(batch_of(encoder, TEXTS[2:]))


def pair_batch(encoder):
    asked, tokens = (encoder.tokenizer.tokenize(text) for text in TEXTS[2:0:-1])
    pairs = pair_windows(encoder.tokenizer, asked, tokens, encoder.max_length, 32)
    arrays = encoder.pair_features(TEXTS[2], asked, TEXTS[1], tokens, pairs)[0]
    return with_padding({name: values[None] for name, values in arrays.items()})


def check_encoder(build, kind, make_batch, precisions=tuple(LOSS)):
    """Against float32 by the same weights: states, residual and gradient, also of padding."""
    found = {}
    for precision in ("no", *precisions):
        set_precision(precision)
        seed_everything(1)
        encoder = encoder_of(kind)
        network, batch = build(encoder), make_batch(encoder)
        if found:
            network.set_weights(found["no"][0])
        with tf.GradientTape() as tape:
            outputs = [tf.cast(output, tf.float32) for output in network(batch)]
            loss = tf.reduce_mean(tf.square(outputs[0] - 1.0) + tf.square(outputs[1]))
        assert {output.dtype.name for output in network.outputs} == {"float32" if precision == "no" else precision}
        gradient = np.concatenate(
            [
                np.ravel(tf.convert_to_tensor(one))
                for one in tape.gradient(loss, network.trainable_weights)
                if one is not None
            ]
        )
        found[precision] = network.get_weights(), *(output.numpy() for output in outputs), gradient
    for precision in precisions:
        for expected, values in zip(found["no"][1:], found[precision][1:]):
            assert np.isfinite(values).all()
            assert np.linalg.norm(values - expected) < GRADIENT[precision] * np.linalg.norm(expected)


@pytest.mark.parametrize("kind", ["dgcnn", "bert"])
def test_an_encoder_says_the_same_and_bears_padding(kind):
    check_encoder(lambda encoder: encoder.network(), kind, text_batch)


@pytest.mark.parametrize(
    "kind",
    mostly_slow(
        ["bilstm", "on_lstm", "albert", "electra", "nezha", "roformer", "roformer_v2"],
        *["bilstm", "on_lstm", "nezha", "roformer_v2"],
        reason="computes with the layers of bert, or of roformer_v2",
    ),
)
def test_an_encoder_of_another_kind_does_too(kind):
    check_encoder(lambda encoder: encoder.network(), kind, text_batch, ["float16"])


def test_a_pair_encoder_says_the_same_and_bears_padding():
    check_encoder(lambda encoder: encoder.pair_network(), "dgcnn", pair_batch)


# Layers


@in_16_bits
def test_softmax_is_exact_but_for_its_last_rounding(precision):
    """TensorFlow's own is wrong by 7 % here."""
    scores = tf.cast(3 * np.random.default_rng(0).normal(size=(4, 300)), precision)
    mask = np.arange(300) < [[300], [200], [1], [0]]
    weights = masked_softmax(scores, mask)
    assert weights.dtype == precision
    exact = np.exp(tf.cast(scores, tf.float64).numpy()) * mask
    exact[:3] /= exact[:3].sum(1, keepdims=True)
    rounding = {"bfloat16": 2**-8, "float16": 2**-10}[precision]
    np.testing.assert_allclose(tf.cast(weights, tf.float64)[:3], exact[:3], rtol=rounding, atol=1e-6)
    np.testing.assert_allclose(tf.cast(weights, tf.float64)[3], 1 / 300, rtol=rounding)


@in_16_bits
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
def test_gradients_of_biases_are_added_up_in_float32(precision, compiled):
    """TensorFlow's own are wrong by 33 % here in bfloat16."""
    set_precision(precision)
    layer = keras.layers.Dense(3)
    layer.build((None, 2))

    def gradient():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.cast(layer(tf.ones((32, 128, 2))), tf.float32) * [1.0, 0.1, -0.3])
        return tape.gradient(total, layer.bias)

    np.testing.assert_allclose(
        (tf.function(gradient) if compiled else gradient)(), np.float32([4096, 409.6, -1228.8]), rtol=0.01
    )


@in_16_bits
def test_normalisation_bears_large_values_and_equal_ones(precision):
    set_precision(precision)
    values = np.random.default_rng(0).normal(0, 1000, (2, 3, 8)).astype(np.float32)
    values[0, 0], values[1, 1] = 0, 1
    layer, plain = ConditionalLayerNormalization(), ConditionalLayerNormalization(epsilon=1e-3)
    sequence, condition = tf.cast(values, precision), tf.zeros((2, 4), precision)
    with tf.GradientTape() as tape:
        tape.watch(sequence)
        result = layer([sequence, condition])
        total = tf.reduce_sum(tf.cast(result, tf.float32) * np.arange(8))
    assert result.dtype == precision
    assert np.isfinite(tf.cast(tape.gradient(total, [sequence, *layer.trainable_weights])[1], tf.float32)).all()
    expected = plain([tf.cast(sequence, tf.float32), tf.zeros((2, 4))])
    np.testing.assert_allclose(tf.cast(result, tf.float32), expected, rtol=0.01, atol=0.01)


@in_16_bits
def test_pooling_counts_beyond_256(precision):
    set_precision(precision)
    pooled = AttentionPooling()(tf.ones((2, 500, 4)), np.array([[1] * 500, [0] * 500]))
    assert pooled.dtype == precision
    np.testing.assert_allclose(tf.cast(pooled, tf.float32), 1, rtol=0.01)


# Titles, written step by step


@pytest.mark.parametrize(
    ("name", "precision"),
    mostly_slow(
        product(["copy_lstm", "self-terminating", "unilm"], LOSS),
        ("unilm", "float16"),
        reason="the slowest graphs to build; the other precision and network are tried below",
    ),
)
def test_training_and_steps_say_the_same(name, precision):
    set_precision(precision)
    encoder, network = titling.built.__wrapped__(name)
    pairs = titling.pairs_for(encoder)[:5]
    batch = titling.batch_for(name, network, titling.as_decoding_would(pairs, network.tokenizer))
    expected = titling.trained(network, batch)["title"]
    found, there = titling.values_of(
        batch["title_targets"], titling.stepwise(network, [pair.article for pair in pairs], batch["title_before"])
    )
    assert np.isfinite(found).all() and found.dtype == np.float32
    tolerance = {"bfloat16": 0.1, "float16": 0.01}[precision]
    assert np.abs(found - expected[there]).mean() < tolerance * expected[there].std()


@pytest.mark.parametrize(
    ("name", "precision"),
    mostly_slow(
        product(["copy_lstm", "bidirectional", "unilm"], LOSS),
        ("copy_lstm", "bfloat16"),
        reason="the slowest graphs to build; the other precision and network are tried above",
    ),
)
def test_a_step_hardly_depends_on_the_other_texts(name, precision):
    """The search of these random networks does, in 16 bits: a rounding decides between titles that are as good as
    equal."""
    set_precision(precision)
    encoder, network = titling.built.__wrapped__(name)
    articles = [pair.article for pair in titling.pairs_for(encoder)[:4]]
    distances = []
    for article, together in zip(articles, np.exp(titling.first_step(name, network, articles))):
        (alone,) = np.exp(titling.first_step(name, network, [article]))
        columns = alone.shape[-1]
        assert np.isfinite(alone).all() and not together[..., columns:].any()
        distances.append(np.abs(alone - together[..., :columns]).sum(-1) / 2)
    assert np.mean(distances) < {"bfloat16": 0.1, "float16": 0.02}[precision]
