"""common/layers/conditional_random_field.py against the sum over all paths, and against itself in a network."""

import itertools

import numpy as np
import pytest

from common.decoders import bio_transitions, viterbi
from common.keras_compat import keras, seed_everything, tf
from common.layers import ConditionalRandomField


@pytest.fixture(autouse=True)
def seed():
    seed_everything(1)


def anything_goes(labels):
    return np.ones((labels, labels), bool), np.ones(labels, bool)


def two_kinds():
    """Two large sets of predecessors, which overlap, two small ones, and a label that only begins a sequence."""
    legal = np.zeros((8, 8), bool)
    legal[:6, :3] = legal[2:, 3:5] = legal[1:3, 5] = legal[1, 6] = True
    return legal, np.array([1, 0, 1, 1, 0, 1, 0, 1], bool)


def late_labels():
    """A large set of predecessors none of which can be the first label, so that the second has none of its
    followers."""
    legal = np.zeros((7, 7), bool)
    legal[:2, 1] = legal[1:, 2:] = True
    return legal, np.arange(7) == 0


TRANSITIONS = {
    "bio": bio_transitions(2),
    "full": anything_goes(5),
    "small": anything_goes(3),
    "one label": anything_goes(1),
    "two kinds": two_kinds(),
    "late labels": late_labels(),
}


def layer_with_weights(legal, starts, scale=1.5, **settings):
    crf = ConditionalRandomField(legal, starts, **settings)
    crf.build((None, None, len(starts)))
    crf.set_weights([np.random.default_rng(3).normal(0, scale / crf.learning_rate_multiplier, legal.shape)])
    return crf


def paths(crf, length):
    """All legal ones, int (paths, length)."""
    every = np.array(list(itertools.product(range(len(crf.starts)), repeat=length)))
    return every[crf.starts[every[:, 0]] & crf.legal[every[:, :-1], every[:, 1:]].all(1)]


def enumerated(crf, labels, emissions):
    """Loss of one sequence and its gradients (length, labels) and (labels, labels), from all paths in float64."""
    emissions, transitions = emissions.astype(np.float64), crf.transition_scores().astype(np.float64)
    every, steps = paths(crf, len(labels)), np.arange(len(labels))
    scores = emissions[steps, every].sum(1) + transitions[every[:, :-1], every[:, 1:]].sum(1)
    [right] = np.flatnonzero((every == labels).all(1))
    # The difference first, then the sum: emissions of 1e8 leave no room for it after.
    loss = np.logaddexp.reduce(scores - scores[right])
    probabilities = np.exp(scores - scores[right] - loss)
    probabilities[right] -= 1
    to_emissions, to_transitions = np.zeros(emissions.shape), np.zeros(transitions.shape)
    for step in steps:
        np.add.at(to_emissions[step], every[:, step], probabilities)
    for step in steps[1:]:
        np.add.at(to_transitions, (every[:, step - 1], every[:, step]), probabilities)
    return loss, to_emissions, to_transitions


def batch_of(crf, lengths, scale):
    generator = np.random.default_rng(len(lengths))
    emissions = generator.normal(0, scale, (len(lengths), max(lengths), len(crf.starts))).astype(np.float32)
    labels = np.zeros(emissions.shape[:2], np.int32)
    for row, length in enumerate(lengths):
        labels[row, :length] = generator.choice(paths(crf, length)) if length else ()
    return labels, emissions, np.arange(max(lengths)) < np.array(lengths)[:, None]


def loss_and_gradients(crf, labels, emissions, mask):
    """Loss of each sequence, gradient of each with respect to its emissions, and of all together with respect to the
    transitions."""
    emissions = tf.constant(emissions)
    with tf.GradientTape() as tape:
        tape.watch(emissions)
        loss = crf.negative_log_likelihood(labels, emissions, mask)
    to_emissions, to_weight = tape.gradient(loss, [emissions, crf.transitions])
    return loss.numpy(), to_emissions.numpy(), to_weight.numpy() / crf.learning_rate_multiplier


def compare_with_all_paths(crf, labels, emissions, mask, tolerance=1e-5):
    losses, to_emissions, to_transitions = loss_and_gradients(crf, labels, emissions, mask)
    assert losses.dtype == np.float32
    for row, length in enumerate(mask.sum(1)):
        loss, gradient, counts = enumerated(crf, labels[row, :length], emissions[row, :length]) if length else (0, 0, 0)
        np.testing.assert_allclose(losses[row], loss, rtol=1e-5, atol=1e-5 if length else 0)
        np.testing.assert_allclose(to_emissions[row, :length], gradient, atol=tolerance)
        assert not to_emissions[row, length:].any()
        to_transitions -= counts
    np.testing.assert_allclose(to_transitions, 0, atol=10 * tolerance)


# The loss


@pytest.mark.parametrize("kind", TRANSITIONS)
def test_loss_and_gradients_against_all_paths(kind):
    crf = layer_with_weights(*TRANSITIONS[kind])
    compare_with_all_paths(crf, *batch_of(crf, [5, 1, 0, 3, 2], 2.0))


@pytest.mark.parametrize("kind", ["bio", "full", "two kinds"])
@pytest.mark.parametrize("scale", [100.0, 1e8])
def test_emissions_of_any_size(kind, scale):
    """Where probabilities are 0 in float32, and paths through them are still the right ones."""
    crf = layer_with_weights(*TRANSITIONS[kind])
    compare_with_all_paths(crf, *batch_of(crf, [5, 4, 5, 3], scale), tolerance=1e-3)


def test_the_loss_of_a_certain_answer_keeps_its_digits():
    """It is a small number out of path scores of thousands: as their difference it would be 0 or noise."""
    crf = layer_with_weights(*bio_transitions(2), scale=0.0)
    labels = np.zeros((1, 60), np.int32)
    emissions = np.full((1, 60, 5), 300.0, np.float32)
    emissions[:, :, 1:] -= 12
    # Two labels beside O may follow O; all else is too unlikely to count.
    loss = crf.negative_log_likelihood(labels, emissions, labels == 0)
    np.testing.assert_allclose(loss, 60 * np.log1p(2 * np.exp(-12.0)), rtol=0.02)


@pytest.mark.parametrize("spread", [30.0, 55.0])
def test_transitions_far_apart(spread):
    crf = layer_with_weights(*bio_transitions(2))
    crf.set_weights([np.random.default_rng(0).uniform(-spread / 2, spread / 2, (5, 5)) / 100])
    compare_with_all_paths(crf, *batch_of(crf, [5] * 10, 10.0), tolerance=1e-4)


def test_transitions_beyond_the_range_still_give_numbers():
    crf = layer_with_weights(*bio_transitions(2), scale=1e3)
    losses, *gradients = loss_and_gradients(crf, *batch_of(crf, [5] * 8, 10.0))
    assert (
        np.isfinite(losses).all() and (losses >= 0).all() and all(np.isfinite(gradient).all() for gradient in gradients)
    )


def test_many_labels_against_the_plain_recursion():
    crf = layer_with_weights(*bio_transitions(100))
    generator = np.random.default_rng(0)
    emissions = generator.normal(0, 5, (2, 12, 201)).astype(np.float32)
    labels = np.stack(viterbi(generator.normal(size=(2, 12, 201)), crf.transition_scores(), crf.starts, np.full(2, 12)))
    transitions = crf.transition_scores().astype(np.float64)
    for row, loss in enumerate(crf.negative_log_likelihood(labels, emissions, np.ones((2, 12))).numpy()):
        alpha = np.where(crf.starts, emissions[row, 0].astype(np.float64), -np.inf)
        for emission in emissions[row, 1:]:
            alpha = np.logaddexp.reduce(alpha[:, None] + transitions) + emission
        path = labels[row]
        score = emissions[row, np.arange(12), path].sum(dtype=np.float64) + transitions[path[:-1], path[1:]].sum()
        np.testing.assert_allclose(loss, np.logaddexp.reduce(alpha) - score, rtol=1e-5)


@pytest.mark.parametrize("garbage", [1e30, np.nan])
def test_padding_is_not_looked_at(garbage):
    crf = layer_with_weights(*bio_transitions(2))
    labels, emissions, mask = batch_of(crf, [4, 2], 2.0)
    plain = loss_and_gradients(crf, labels, emissions, mask)
    emissions = np.pad(emissions, ((0, 0), (0, 3), (0, 0)))
    labels, mask = np.pad(labels, ((0, 0), (0, 3)), constant_values=-1), np.pad(mask, ((0, 0), (0, 3)))
    emissions[~mask], labels[~mask] = garbage, -100
    padded = loss_and_gradients(crf, labels, emissions, mask.astype(np.int8))
    np.testing.assert_allclose(padded[0], plain[0], rtol=1e-6)
    np.testing.assert_allclose(padded[1][:, :4], plain[1], atol=1e-6)
    np.testing.assert_allclose(padded[2], plain[2], atol=1e-6)
    assert not padded[1][:, 4:].any()


def test_illegal_labels_are_infinitely_unlikely_and_teach_nothing():
    crf = layer_with_weights(*bio_transitions(2))
    labels = np.array([[0, 2, 0], [2, 0, 0], [1, 4, 4], [1, 2, 0], [0, 0, 2]])
    _, emissions, _ = batch_of(crf, [3] * 5, 1.0)
    mask = np.array([[1, 1, 1]] * 4 + [[1, 1, 0]])
    losses, to_emissions, to_weights = loss_and_gradients(crf, labels, emissions, mask)
    assert np.isinf(losses).tolist() == [True, True, True, False, False]
    assert not to_emissions[:3].any()
    np.testing.assert_allclose(to_weights, loss_and_gradients(crf, labels[3:], emissions[3:], mask[3:])[2], atol=1e-6)


def test_illegal_transitions_get_no_gradient():
    crf = layer_with_weights(*two_kinds())
    _, _, to_weights = loss_and_gradients(crf, *batch_of(crf, [5] * 6, 1.0))
    assert not to_weights[~crf.legal].any() and to_weights[crf.legal].all()


# The weight


def test_scores_are_read_from_the_weights_of_the_moment(tmp_path):
    legal, starts = bio_transitions(2)

    def network():
        crf = ConditionalRandomField(legal, starts, name="crf")
        inputs = keras.Input((None, 5))
        return crf, keras.Model(inputs, crf(inputs))

    crf, model = network()
    assert not crf.transition_scores()[legal].any() and np.isneginf(crf.transition_scores()[~legal]).all()
    values = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
    crf.set_weights([values])
    np.testing.assert_allclose(crf.transition_scores(), np.where(legal, 100 * values, -np.inf), rtol=1e-6)
    assert crf.transition_scores().dtype == np.float32
    model.save_weights(tmp_path / "model.weights.h5")
    other, other_model = network()
    before = other.transition_scores()
    other_model.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.transition_scores(), crf.transition_scores())
    assert not before[legal].any()


@pytest.mark.parametrize("multiplier", [1.0, 100.0])
def test_the_multiplier_multiplies_the_learning_rate_under_adam(multiplier):
    crf = ConditionalRandomField(*bio_transitions(2), learning_rate_multiplier=multiplier)
    crf.build((None, None, 5))
    labels, emissions, mask = batch_of(crf, [4], 1.0)
    optimizer = keras.optimizers.Adam(1e-3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(crf.negative_log_likelihood(labels, emissions, mask))
    optimizer.apply_gradients([(tape.gradient(loss, crf.transitions), crf.transitions)])
    moved = np.abs(crf.transition_scores()[crf.legal])
    np.testing.assert_allclose(moved[moved > 0], 1e-3 * multiplier, rtol=1e-2)
    assert (moved > 0).sum() > 10


def test_the_multiplier_does_not_change_what_is_computed():
    losses = []
    for multiplier in (1.0, 100.0):
        crf = layer_with_weights(*bio_transitions(2), learning_rate_multiplier=multiplier)
        losses.append(loss_and_gradients(crf, *batch_of(crf, [4, 3], 1.0))[0])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


# In a network


def test_a_network_learns_what_only_transitions_can_tell():
    """Emissions are noise; labels go round in a circle. Trained in graph mode, with batches of other lengths than the
    test's."""
    legal, starts = anything_goes(6)
    features, labels, mask = (
        keras.Input((None, 3)),
        keras.Input((None,), dtype="int32"),
        keras.Input((None,), dtype="int8"),
    )
    crf = ConditionalRandomField(legal, starts)
    emissions = crf(keras.layers.Dense(6)(features))
    loss = crf.negative_log_likelihood(labels, emissions, mask)
    model = keras.Model([features, labels, mask], emissions)
    model.add_loss(tf.reduce_mean(loss))
    assert any(weight is crf.transitions for weight in model.trainable_weights)
    model.compile(keras.optimizers.Adam(1e-3))
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(64, 7, 3)).astype(np.float32)
    circles = (generator.integers(6, size=(64, 1)) + np.arange(7)) % 6
    lengths = generator.integers(1, 8, 64)
    history = model.fit([noise, circles, np.arange(7) < lengths[:, None]], batch_size=16, epochs=12, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    test = [generator.normal(size=(9, 11, 3)).astype(np.float32), np.zeros((9, 11), int), np.ones((9, 11))]
    for path in viterbi(model.predict(test, verbose=0), crf.transition_scores(), starts, np.full(9, 11)):
        assert ((path - path[0]) % 6 == np.arange(11) % 6).all()


def test_emissions_pass_through_as_float32():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        crf = ConditionalRandomField(*bio_transitions(1))
        emissions = np.random.default_rng(0).normal(size=(2, 3, 3)).astype(np.float32)
        output = crf(emissions)
        assert output.dtype == tf.float32 and crf.transitions.dtype == tf.float32
        np.testing.assert_array_equal(output, emissions)
        half = tf.cast(emissions, tf.bfloat16)
        loss = crf.negative_log_likelihood(np.zeros((2, 3)), half, np.ones((2, 3)))
        assert loss.dtype == tf.float32
        np.testing.assert_array_equal(
            loss, crf.negative_log_likelihood(np.zeros((2, 3)), tf.cast(half, tf.float32), np.ones((2, 3)))
        )
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_the_config_makes_the_layer_again():
    crf = layer_with_weights(*two_kinds(), learning_rate_multiplier=10.0, name="known")
    config = crf.get_config()
    assert config["name"] == "known" and config["learning_rate_multiplier"] == 10.0
    other = ConditionalRandomField.from_config(config)
    assert other.get_config() == config
    other.build((None, None, 8))
    other.set_weights(crf.get_weights())
    np.testing.assert_array_equal(other.transition_scores(), crf.transition_scores())
    batch = batch_of(crf, [4, 3], 1.0)
    np.testing.assert_array_equal(other.negative_log_likelihood(*batch), crf.negative_log_likelihood(*batch))


def test_transitions_that_make_no_sense_are_refused():
    legal, starts = bio_transitions(1)
    with pytest.raises(ValueError, match="No label may begin"):
        ConditionalRandomField(legal, np.zeros(3, bool))
    with pytest.raises(ValueError, match="label 1"):
        ConditionalRandomField(legal & (np.arange(3) != 1)[:, None], starts)
    with pytest.raises(ValueError, match="shapes"):
        ConditionalRandomField(legal, starts[:2])
    with pytest.raises(ValueError, match="3 labels got emissions of 4"):
        ConditionalRandomField(legal, starts)(np.zeros((1, 2, 4)))
