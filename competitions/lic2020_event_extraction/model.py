"""The network and its loss: what happens, told by the text as a whole, and who takes part in it, told at its place.

kexue.fm/archives/7321, with heads of 8877 and 8926.

    states         = encoder(text)                                              (length, size)
    type of event  = log sum exp over the text of states U                      (types)
    class scores   = states (R[role] + T[type]) + log sigmoid(type of event)    (length, 2, classes): begin and inside, or first and last

    crf             class scores are the emissions of B and I; the best legal path of labels
    global_pointer  span score = class score of its first token + of its last + rotary product of the two, for every span and class
    gplinker        the same, and for every two tokens whether arguments that begin there are of one event, and such that end there
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from common.decoders import bio_transitions
from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.layers import ConditionalRandomField, GlobalPointer, text_mask
from common.losses import (
    Distribution,
    LossTerm,
    batch_mean,
    factored_multilabel_cross_entropy,
    logit_adjustment,
    sparse_multilabel_cross_entropy,
)

from features import Classes, Head, Window

# Types are rare and spans rarer: scores begin low, so that training need not learn that first, nor an untrained network
# find all spans there are.
_TYPE_BIAS, _EDGE_BIAS = -7.0, -4.0
# Less than any score, and still a number that can be calculated with: a label on [CLS], [SEP] or padding.
_IMPOSSIBLE = -1e4


def build_network(encoder: Encoder, classes: Classes, head: Head, transition_multiplier: float) -> keras.Model:
    """Inputs of the encoder -> logits by name: `type_logits` (batch, types), and for the CRF, which is the layer `crf`,
    `emissions` (batch, length, labels); for the others `spans` (batch, length, length), `first` and `last` (batch,
    length, classes), whose sum is the score of a span; for gplinker also `links` (batch, 2, length, length), the scores
    of two first and of two last tokens, the lower place first.

    A label other than O and a span are impossible on [CLS], [SEP] and padding.
    """
    encoding = encoder.network()
    is_text = text_mask(encoding.input["token_ids"])
    outside = tf.where(is_text, 0.0, _IMPOSSIBLE)[:, :, None]
    states = keras.layers.Dropout(encoder.dropout, name="head_dropout")(encoding.output[0])
    types = keras.layers.Dense(
        len(classes.event_types),
        bias_initializer=keras.initializers.Constant(_TYPE_BIAS),
        name="type_tags",
        dtype="float32",
    )
    outputs = {"type_logits": tf.reduce_logsumexp(types(states) + outside, 1)}
    scores = ClassScores(classes, name="class_scores", dtype="float32")(states, outputs["type_logits"])
    first, last = tf.unstack(scores, axis=2)
    if head == "crf":
        crf = ConditionalRandomField(*bio_transitions(len(classes)), transition_multiplier, name="crf")
        # Label ids alternate: 0 is O, then B and I of each class.
        tagged = tf.reshape(tf.stack([first, last], -1), [tf.shape(first)[0], -1, 2 * len(classes)])
        outputs["emissions"] = crf(tf.pad(tagged + outside, [[0, 0], [0, 0], [1, 0]]))
    else:
        outputs |= {"spans": GlobalPointer(1, name="spans")(states, is_text)[:, 0], "first": first, "last": last}
    if head == "gplinker":
        outputs["links"] = GlobalPointer(2, name="links")(states, is_text)
    return keras.Model(encoding.input, outputs)


class ClassScores(keras.layers.Layer):
    """Scores of all (type, role) classes out of weights for types and weights for roles: a class that has three
    examples in training is known by those of its role in other types, and of its type in other roles.

    Call with states float (batch, length, size) and type_logits (batch, types). Returns float (batch, length, 2,
    classes). The log of the type's probability is added to the first of the two scores, so that a span begins where
    both its type and its role are likely.
    """

    def __init__(self, classes: Classes, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape):
        # Each table has an initializer of its own: a shared one gives tf_keras equal values.
        def table(name: str, rows: int):
            initializer = keras.initializers.RandomNormal(stddev=0.5 * size**-0.5)
            return self.add_weight(name, (rows, 2, size), initializer=initializer)

        size = input_shape[-1]
        self.role_table = table("roles", len(self.classes.role_names))
        self.type_table = table("types", len(self.classes.event_types))
        self.bias = self.add_weight("bias", (2, len(self.classes)), initializer=keras.initializers.Constant(_EDGE_BIAS))
        super().build(input_shape)

    def call(self, states, type_logits):
        weights = tf.gather(self.role_table, self.classes.roles) + tf.gather(self.type_table, self.classes.types)
        scores = tf.einsum("bls,ces->blec", states, weights) + self.bias
        likely = tf.gather(tf.math.log_sigmoid(type_logits), self.classes.types, axis=1)
        return scores + tf.pad(likely[:, None, None], [[0, 0], [0, 0], [0, 1], [0, 0]])


# Loss


class Adjustment(NamedTuple):
    """What is added in training to the logits of event types, and to the scores of (type, role) classes, once for each
    span."""

    types: np.ndarray | float = 0.0
    classes: np.ndarray | float = 0.0


def adjustment_for(labelled: Sequence[Window], classes: Classes, strength: float) -> Adjustment:
    """`logit_adjustment` for what labelled windows have. A type is asked for in each window, and at each token whether
    a span of a class begins."""
    types = [number for window in labelled for number in {classes.types[class_id] for *_, class_id in window.tags}]
    begins = [
        class_id for window in labelled for class_id, _ in {(class_id, first) for first, _, class_id in window.tags}
    ]
    tokens = sum(len(window.encoding) for window in labelled)
    return Adjustment(
        logit_adjustment(strength, np.bincount(types, minlength=len(classes.event_types)), len(labelled)),
        logit_adjustment(strength, np.bincount(begins, minlength=len(classes)), tokens),
    )


def loss(
    batch: dict[str, Any], outputs: dict[str, Any], network: keras.Model, adjustment: Adjustment = Adjustment()
) -> list[LossTerm]:
    """The loss of a batch of `collate`. network: where the transitions of a CRF are. adjustment: what it sees beside
    the logits; prediction needs to know nothing of it."""
    type_logits = outputs["type_logits"] + adjustment.types
    type_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(batch["type_labels"], tf.float32), type_logits)
    type_distribution = Distribution(type_logits, "sigmoid", tf.ones_like(type_logits))
    if "emissions" in outputs:
        is_token = batch["token_ids"] > 0
        offsets = np.zeros(outputs["emissions"].shape[-1], np.float32)
        offsets[1::2] = adjustment.classes
        emissions = outputs["emissions"] + offsets
        errors = network.get_layer("crf").negative_log_likelihood(batch["labels"], emissions, is_token)
        distributions = [Distribution(emissions, "softmax", tf.cast(is_token, tf.float32))]
    else:
        parts = outputs["spans"], outputs["first"] + adjustment.classes, outputs["last"]
        errors = factored_multilabel_cross_entropy(*parts, batch["tags"])
        # Of the three parts of a score: an array of all scores would be larger than everything else.
        inside = tf.cast(text_mask(batch["token_ids"]), tf.float32)[:, :, None]
        distributions = [Distribution(part, "sigmoid", inside) for part in parts]
    terms = [
        batch_mean("type_loss", tf.reduce_sum(type_errors, -1), batch["type_labels"], [type_distribution]),
        batch_mean("head_loss", errors, batch["type_labels"], distributions),
    ]
    if "links" in outputs:
        links = outputs["links"]
        link_errors = tf.reduce_sum(sparse_multilabel_cross_entropy(batch["links"], links, axes=2), -1)
        link_distribution = Distribution(links, "sigmoid", tf.ones_like(links))
        terms.append(batch_mean("link_loss", link_errors, batch["type_labels"], [link_distribution]))
    return terms
