"""The network: half-pointer subject tagging, then object tagging under conditional layer normalisation; and its loss.

kexue.fm/archives/7321, with 7161 (powers of sigmoids) and 7124 (conditional layer normalisation).

    states, residual = encoder(sentence)                                   once per sentence
    subject start, end       = sigmoid(states W) ** 2                      (length, 2)
    c                        = residual[first] + residual[last]            for each subject, concatenated
    object start, end        = sigmoid(f(conditional_norm(residual, c))) ** 4   (length, classes, 2)
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.layers import ConditionalLayerNormalization, RelativePosition
from common.losses import (
    Distribution,
    LossTerm,
    logit_adjustment,
    masked_mean,
    powered_logits,
    powered_sigmoid_cross_entropy,
)

from features import Window

# Exponents of the sigmoids: they lower the initial probability to how rare each kind of tag is.
SUBJECT_POWER, OBJECT_POWER = 2, 4


class Networks(NamedTuple):
    """Three views of one set of weights.

    training: inputs of the encoder, subjects -> logits by name, as `loss` takes them; its weights are all there are.
    subjects: inputs of the encoder -> [residual (batch, length, size), subject probabilities (batch, length, 2)].
    objects: residual, subjects int (n, 3), each a row of the batch with the first and last token of a span in it
        -> object probabilities (n, length, classes, 2); those at padding mean nothing.
    """

    training: keras.Model
    subjects: keras.Model
    objects: keras.Model


def build_network(encoder: Encoder, classes: int) -> Networks:
    """An encoder, subject tags for its tokens, and object tags of each class for its tokens, given a subject."""
    encoding = encoder.network()
    states, residual = encoding.output
    states = keras.layers.Dropout(encoder.dropout, name="subject_dropout")(states)
    subject_logits = keras.layers.Dense(2, name="subject_tags", dtype="float32")(states)
    object_head = _object_head(residual, classes, encoder.dropout)
    subjects = keras.Input((3,), dtype="int32", name="subjects")
    outputs = {"subject_logits": subject_logits, "object_logits": object_head([residual, subjects])}
    return Networks(
        keras.Model([*encoding.inputs, subjects], outputs),
        keras.Model(encoding.input, [residual, tf.sigmoid(subject_logits) ** SUBJECT_POWER]),
        keras.Model(object_head.inputs, tf.sigmoid(object_head.output) ** OBJECT_POWER),
    )


def _object_head(residual, classes: int, dropout: float) -> keras.Model:
    """Any such residual, subjects -> object logits (n, length, classes, 2)."""
    residual = keras.Input(residual.shape[1:], dtype=residual.dtype, name="residual")
    subjects = keras.Input((3,), dtype="int32", name="subjects")
    sentences = tf.gather(residual, subjects[:, 0])
    edges = [tf.gather(sentences, subjects[:, edge], batch_dims=1) for edge in (1, 2)]
    state = ConditionalLayerNormalization(name="object_normalization")([sentences, tf.concat(edges, axis=-1)])
    state = RelativePosition(residual.shape[-1], name="distance_to_subject")(state, subjects[:, 1:])
    state = keras.layers.SpatialDropout1D(dropout, name="object_dropout")(state)
    logits = keras.layers.Dense(2 * classes, name="object_tags", dtype="float32")(state)
    logits = keras.layers.Reshape((-1, classes, 2), name="object_logits")(logits)
    return keras.Model([residual, subjects], logits, name="object_head")


def loss(batch: dict[str, Any], outputs: dict[str, Any], adjustment: np.ndarray | float = 0.0) -> list[LossTerm]:
    """The loss of a batch of `collate`. adjustment: what it sees of each class beside its logit, float (classes,);
    prediction needs to know nothing of it."""
    subject_logits, token_mask = outputs["subject_logits"], batch["token_ids"] > 0
    subject_errors = powered_sigmoid_cross_entropy(batch["subject_labels"], subject_logits, SUBJECT_POWER)
    # While a probability sigmoid(f) ** power is small, its logarithm rises by `power` where f rises by 1: f gets its
    # part of the adjustment.
    object_logits = outputs["object_logits"] + np.reshape(adjustment, [-1, 1]) / OBJECT_POWER
    object_errors = powered_sigmoid_cross_entropy(batch["object_labels"], object_logits, OBJECT_POWER)
    object_mask = tf.gather(token_mask, batch["subjects"][:, 0])
    return [
        masked_mean(
            "subject_loss",
            tf.reduce_mean(subject_errors, -1),
            token_mask,
            [_tags(subject_logits, SUBJECT_POWER, token_mask[..., None])],
        ),
        masked_mean(
            "object_loss",
            tf.reduce_sum(tf.reduce_mean(object_errors, -1), -1),
            object_mask,
            [_tags(object_logits, OBJECT_POWER, object_mask[..., None, None])],
        ),
    ]


def _tags(logits, power: int, mask) -> Distribution:
    # Half, since the loss is the mean of starts and ends.
    return Distribution(powered_logits(logits, power), "sigmoid", tf.cast(mask, tf.float32) / 2)


def adjustment_for(labelled: Sequence[Window], classes: int, strength: float) -> np.ndarray:
    """`logit_adjustment` for what labelled windows have: for each subject it is asked at each token whether an object
    of a class begins."""
    begins = [
        class_id
        for window in labelled
        for tags in window.subjects.values()
        for class_id, _ in {(tag[2], tag[0]) for tag in tags}
    ]
    decisions = sum(len(window.subjects) * len(window.encoding) for window in labelled)
    return logit_adjustment(strength, np.bincount(begins, minlength=classes), decisions)
