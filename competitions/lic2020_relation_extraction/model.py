"""The networks and their losses: half-pointer subject tagging, then object tagging under conditional layer
normalisation; or GPLinker, spans and links at once.

kexue.fm/archives/7321, with 7161 (powers of sigmoids) and 7124 (conditional layer normalisation).

    states, residual = encoder(sentence)                                   once per sentence
    subject start, end       = sigmoid(states W) ** 2                      (length, 2)
    c                        = residual[first] + residual[last]            for each subject, concatenated
    object start, end        = sigmoid(f(conditional_norm(residual, c))) ** 4   (length, classes, 2)

kexue.fm/archives/8888, with 8877 (efficient global pointers, each of these a score of two tokens).

    subject, object          = spans from their first to their last token  (2, length, length)
    first link, last link    = subject's token, object's token             (classes, length, length), each
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.layers import ConditionalLayerNormalization, EfficientGlobalPointer, RelativePosition, text_mask
from common.losses import (
    Distribution,
    LossTerm,
    batch_mean,
    factored_multilabel_cross_entropy,
    logit_adjustment,
    masked_mean,
    powered_logits,
    powered_sigmoid_cross_entropy,
    sparse_multilabel_cross_entropy,
)

from features import Head, Window
from linking import EDGES

# Exponents of the sigmoids: they lower the initial probability to how rare each kind of tag is.
SUBJECT_POWER, OBJECT_POWER = 2, 4
# The same for pairs of tokens, which are right still more rarely: their scores begin low.
_PAIR_BIAS = -8.0


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


def build_network(encoder: Encoder, classes: int, head: Head) -> Networks | keras.Model:
    """What `half_pointer_networks` or `linking_network` makes."""
    return (linking_network if head == "gplinker" else half_pointer_networks)(encoder, classes)


def half_pointer_networks(encoder: Encoder, classes: int) -> Networks:
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


def linking_network(encoder: Encoder, classes: int) -> keras.Model:
    """Inputs of the encoder -> scores by name: `entities` (batch, 2, length, length) of spans as subjects and as objects.
    For links of first tokens `first_pairs` (batch, length, length), `first_subject` and `first_object` (batch, length,
    classes), whose sum is the score of a token of a subject and one of an object: all sums would be hundreds of
    megabytes. For those of last tokens the same with `last_`. Impossible on [CLS], [SEP] and padding."""
    encoding = encoder.network()
    is_text = text_mask(encoding.input["token_ids"])
    states = keras.layers.Dropout(encoder.dropout, name="head_dropout")(encoding.output[0])
    outputs = {"entities": EfficientGlobalPointer(2, bias=_PAIR_BIAS, name="entities")(states, is_text)}
    for edge in EDGES:
        links = EfficientGlobalPointer(classes, factored=True, bias=_PAIR_BIAS, ordered=False, name=f"{edge}_links")
        parts = zip(("pairs", "subject", "object"), links(states, is_text))
        outputs |= {f"{edge}_{name}": part for name, part in parts}
    return keras.Model(encoding.input, outputs)


def loss(batch: dict[str, Any], outputs: dict[str, Any], adjustment: np.ndarray | float = 0.0) -> list[LossTerm]:
    """The loss of a batch of `collate`, or of `collate_links` for GPLinker. adjustment: what it sees of each class beside its logit, float (classes,);
    prediction needs to know nothing of it."""
    if "entities" in outputs:
        return _linking_loss(batch, outputs, adjustment)
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


def _linking_loss(batch: dict[str, Any], outputs: dict[str, Any], adjustment: np.ndarray | float) -> list[LossTerm]:
    token_ids, entities = batch["token_ids"], outputs["entities"]
    inside = tf.cast(text_mask(token_ids), tf.float32)[:, :, None]
    errors = tf.reduce_sum(sparse_multilabel_cross_entropy(batch["entities"], entities, axes=2), -1)
    terms = [batch_mean("span_loss", errors, token_ids, [Distribution(entities, "sigmoid", tf.ones_like(entities))])]
    for edge in EDGES:
        pairs, subject, object_ = (outputs[f"{edge}_{name}"] for name in ("pairs", "subject", "object"))
        parts = pairs, subject + adjustment, object_
        errors = factored_multilabel_cross_entropy(*parts, batch[f"{edge}_links"])
        distributions = [Distribution(part, "sigmoid", inside) for part in parts]
        terms.append(batch_mean(f"{edge}_link_loss", errors, token_ids, distributions))
    return terms


def _tags(logits, power: int, mask) -> Distribution:
    # Half, since the loss is the mean of starts and ends.
    return Distribution(powered_logits(logits, power), "sigmoid", tf.cast(mask, tf.float32) / 2)


def adjustment_for(labelled: Sequence[Window], classes: int, strength: float) -> np.ndarray:
    """`logit_adjustment` for what labelled windows have: for each subject it is asked at each token whether an object
    of a class begins. A link is as rare, but for a number that is the same for all classes, and taken off."""
    begins = [
        class_id
        for window in labelled
        for tags in window.subjects.values()
        for class_id, _ in {(tag[2], tag[0]) for tag in tags}
    ]
    decisions = sum(len(window.subjects) * len(window.encoding) for window in labelled)
    return logit_adjustment(strength, np.bincount(begins, minlength=classes), decisions)
