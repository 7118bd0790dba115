"""Logit adjustment: its formula, what it does to rare classes, and where the contests have it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.keras_compat import keras, seed_everything, tf
from common.losses import logit_adjustment

import competition
from test_training_terms import (
    event_extraction,
    linked_relations,
    nl2sql,
    numbers_of,
    priors,
    relation_extraction,
    with_opinions,
)

FOLDERS = ("lic2020_relation_extraction", "lic2020_event_extraction", "nl2sql")
OTHERS = sorted({path.parent.name for path in competition.COMPETITIONS.glob("*/train.py")} - set(FOLDERS))


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8),
    st.one_of(st.none(), st.integers(0, 10**6)),
    st.sampled_from([0.5, 1.0, 2.0]),
)
def test_it_is_the_centred_log_prior(counts, more, strength):
    decisions = None if more is None else max(counts) + more
    found = logit_adjustment(strength, counts, decisions)
    assert found.dtype == np.float32 and found.shape == (len(counts),)
    np.testing.assert_allclose(found, strength * priors(np.array(counts), decisions), rtol=1e-4, atol=1e-5)
    assert np.average(found, weights=np.array(counts) + 1) == pytest.approx(0, abs=1e-4)
    assert (np.diff(found[np.argsort(counts)]) >= 0).all(), "the rarer, the lower in training"
    assert not logit_adjustment(0.0, counts, decisions).any()


def test_two_classes_by_hand():
    np.testing.assert_allclose(logit_adjustment(1, [8, 0]), [0.1 * np.log(9), -0.9 * np.log(9)], rtol=1e-6)
    # Odds of 9 to 9 and of 1 to 17.
    np.testing.assert_allclose(logit_adjustment(2, [8, 0], 16), [0.2 * np.log(17), -1.8 * np.log(17)], rtol=1e-6)


def test_a_class_that_is_right_more_often_than_asked_is_refused():
    logit_adjustment(1.0, [3, 0], 3)
    with pytest.raises(ValueError, match="right 4 times in 3 decisions"):
        logit_adjustment(1.0, [4, 0], 3)


# Rare classes


def fitted(inputs, loss, classes):
    """Logits of a linear model of the inputs (examples, features) that makes the loss small, as a function of
    inputs."""
    kernel, bias = tf.Variable(tf.zeros((inputs.shape[1], classes))), tf.Variable(tf.zeros(classes))
    optimizer = keras.optimizers.Adam(0.1)

    @tf.function(autograph=False)
    def step():
        optimizer.minimize(lambda: loss(inputs @ kernel + bias), [kernel, bias])

    for _ in range(200):
        step()
    return lambda inputs: inputs @ kernel.numpy() + bias.numpy()


def test_a_softmax_finds_the_rare_class_more_often():
    generator = np.random.default_rng(0)
    centres, counts = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]], np.float32), [950, 40, 10]

    def drawn(counts):
        labels = np.repeat(np.arange(3), counts)
        return (centres[labels] + generator.normal(0, 1, (len(labels), 2))).astype(np.float32), labels

    (inputs, labels), (tested, truth) = drawn(counts), drawn([1000] * 3)

    def recalls(strength):
        adjustment = logit_adjustment(strength, counts)
        logits = fitted(
            inputs,
            lambda logits: tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits + adjustment)),
            3,
        )(tested)
        return np.array([(logits.argmax(1) == truth)[truth == number].mean() for number in range(3)])

    plain, half, adjusted = recalls(0.0), recalls(0.5), recalls(1.0)
    assert plain[2] < 0.1 < half[2] < 0.5 < adjusted[2]
    assert adjusted.mean() > plain.mean() + 0.2 and adjusted[0] < plain[0]


def test_sigmoids_find_the_rare_class_more_often_and_the_common_one_as_before():
    generator = np.random.default_rng(0)

    def drawn(examples, shares):
        labels = (generator.random((examples, 2)) < shares).astype(np.float32)
        return (2 * labels + generator.normal(0, 1, labels.shape)).astype(np.float32), labels

    (inputs, labels), (tested, truth) = drawn(4000, (0.4, 0.02)), drawn(4000, (0.5, 0.5))

    def found(strength):
        adjustment = logit_adjustment(strength, labels.sum(0), len(labels))
        logits = fitted(
            inputs,
            lambda logits: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits + adjustment)),
            2,
        )(tested)
        return logits > 0

    plain, adjusted = found(0.0), found(1.0)
    rare, common = truth[:, 1] == 1, plain[:, 0] != adjusted[:, 0]
    assert plain[rare, 1].mean() < 0.4 < 0.7 < adjusted[rare, 1].mean()
    assert common.mean() < 0.05


def test_a_softmax_does_not_notice_that_the_mean_is_taken_off():
    counts, labels = np.array([90, 9, 1]), np.array([0, 1, 2, 0])
    logits = np.random.default_rng(0).normal(0, 2, (4, 3)).astype(np.float32)
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels, logits + np.log((counts + 1) / (counts + 1).sum()).astype(np.float32)
    )
    found = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits + logit_adjustment(1.0, counts))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# In the contests

CASES = {
    "relation extraction": relation_extraction,
    "event extraction, crf": lambda tau: event_extraction("crf", tau),
    "relation extraction, gplinker": linked_relations,
    "event extraction, global_pointer": lambda tau: event_extraction("global_pointer", tau),
    "nl2sql": lambda tau: nl2sql("span_column", tau),
}


@pytest.mark.parametrize("name", CASES)
def test_the_loss_is_that_of_adjusted_logits_and_the_outputs_are_not_adjusted(name):
    seed_everything(3)
    case = CASES[name](1.0)
    with_opinions(case.training)
    found = numbers_of(case.training, case.batch)
    np.testing.assert_allclose(found, list(case.terms(case.training(case.batch)).values()), rtol=2e-4)


def test_no_adjustment_and_one_of_strength_zero_are_the_same_bit_for_bit(monkeypatch):
    model = competition.load("lic2020_relation_extraction", "model")
    loss = model.loss
    case = relation_extraction(0.0)
    with_opinions(case.training)
    monkeypatch.setattr(model, "loss", lambda batch, outputs, adjustment: loss(batch, outputs))
    plain = relation_extraction(0.0)
    plain.training.set_weights(case.training.get_weights())
    assert numbers_of(plain.training, plain.batch).tobytes() == numbers_of(case.training, case.batch).tobytes()


def flags(folder, *argv):
    return competition.main(folder, "train", argv)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_flag_is_in_the_help_and_must_not_be_negative(folder, capsys):
    with pytest.raises(SystemExit):
        flags(folder, "--help")
    assert "--logit-adjustment" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        flags(folder, "--logit-adjustment", "-0.5")
    assert "--logit-adjustment -0.5: must be at least 0" in capsys.readouterr().err


@pytest.mark.parametrize("folder", OTHERS)
def test_there_is_no_such_flag_where_there_are_no_classes(folder, capsys):
    assert len(OTHERS) == 4
    with pytest.raises(SystemExit, match="2"):
        flags(folder, "--logit-adjustment", "1")
    assert "--logit-adjustment" in capsys.readouterr().err
