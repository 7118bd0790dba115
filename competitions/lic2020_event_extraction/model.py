"""The network and its loss: what happens, told by the text as a whole, and who takes part in it, told at its place.

kexue.fm/archives/7321, with a head of 8877.

    states         = encoder(text)                                              (length, size)
    type of event  = log sum exp over the text of states U                      (types)
    class scores   = states (R[role] + T[type]) + log sigmoid(type of event)    (length, 2, classes): begin and inside, or first and last

    crf             class scores are the emissions of B and I; the best legal path of labels
    global_pointer  span score = class score of its first token + of its last + rotary product of the two, for every span and class
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from common.decoders import bio_transitions
from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.layers import ConditionalRandomField, GlobalPointer
from common.losses import Distribution, LossTerm, batch_mean, logit_adjustment

from features import Classes, Head, Window

# Types are rare and spans rarer: scores begin low, so that training need not learn that first, nor an untrained network
# find all spans there are.
_TYPE_BIAS, _EDGE_BIAS = -7.0, -4.0
# Less than any score, and still a number that can be calculated with: a label on [CLS], [SEP] or padding.
_IMPOSSIBLE = -1e4


def build_network(encoder: Encoder, classes: Classes, head: Head, transition_multiplier: float) -> keras.Model:
    """Inputs of the encoder -> logits by name: `type_logits` (batch, types), and for the CRF, which is the layer `crf`,
    `emissions` (batch, length, labels); for the global pointer `spans` (batch, length, length), `first` and `last`
    (batch, length, classes), whose sum is the score of a span.

    A label other than O and a span are impossible on [CLS], [SEP] and padding.
    """
    encoding = encoder.network()
    is_text = _is_text(encoding.input["token_ids"])
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
    return keras.Model(encoding.input, outputs)


def _is_text(token_ids):
    """The last token is [SEP] and the first [CLS]: text is what has a token on either side."""
    return tf.pad(token_ids[:, 2:] > 0, [[0, 0], [1, 1]])


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
        inside = tf.cast(_is_text(batch["token_ids"]), tf.float32)[:, :, None]
        distributions = [Distribution(part, "sigmoid", inside) for part in parts]
    return [
        batch_mean("type_loss", tf.reduce_sum(type_errors, -1), batch["type_labels"], [type_distribution]),
        batch_mean("head_loss", errors, batch["type_labels"], distributions),
    ]


def factored_multilabel_cross_entropy(spans, first, last, tags):
    """log(1 + sum of exp(s) over what is not tagged) + log(1 + sum of exp(-s) over the tags), summed over the classes.

    s_c(i, j) = spans(i, j) + first_c(i) + last_c(j). The loss is that of a global pointer (kexue.fm/archives/7359),
    exact; but since the score is a sum, its exponential is a product, and
    sum_ij exp(s) = sum_i exp(first(i)) (exp(spans) exp(last))(i) is a matrix product. For the 282 classes of DuEE an
    array (batch, classes, length, length), its gradient and its exponentials would be most of the work of training.

    spans: float (batch, length, length), very negative where no span can be. first, last: float (batch, length,
    classes).
    tags: int (tags, 4), rows different: row of the batch, class, first and last token. Returns float32 (batch,).
    """
    spans, first, last = (tf.cast(scores, tf.float32) for scores in (spans, first, last))
    batch, classes = tf.shape(first)[0], first.shape[-1]
    rows, class_ids, begin, end = tf.unstack(tags, num=4, axis=1)
    tagged = (
        tf.gather_nd(spans, tf.stack([rows, begin, end], 1))
        + tf.gather_nd(first, tf.stack([rows, begin, class_ids], 1))
        + tf.gather_nd(last, tf.stack([rows, end, class_ids], 1))
    )
    # Measured from the highest of each factor, no exponential overflows, and none that matters vanishes.
    highest = [
        tf.stop_gradient(tf.reduce_max(scores, axis, keepdims=True))
        for scores, axis in ((spans, (1, 2)), (first, 1), (last, 1))
    ]
    span_factors, first_factors, last_factors = (
        tf.exp(scores - top) for scores, top in zip((spans, first, last), highest)
    )
    products = tf.matmul(span_factors, last_factors)
    # Where a span is tagged, the sum over the last tokens is made anew without it: subtracted afterwards, a high score
    # would leave rounding errors.
    together = (rows[:, None] == rows) & (class_ids[:, None] == class_ids) & (begin[:, None] == begin)
    left_out = tf.matmul(tf.cast(together, tf.float32), tf.one_hot(end, tf.shape(spans)[1])) > 0
    terms = tf.gather_nd(span_factors, tf.stack([rows, begin], 1)) * tf.gather_nd(
        tf.transpose(last_factors, [0, 2, 1]), tf.stack([rows, class_ids], 1)
    )
    untagged = tf.reduce_sum(tf.where(left_out, 0.0, terms), 1)
    products = tf.tensor_scatter_nd_update(products, tf.stack([rows, begin, class_ids], 1), untagged)
    # From here on (batch * classes,).
    shift = tf.reshape(sum(highest), [-1])
    unit = tf.maximum(shift, 0.0)
    others = tf.reshape(tf.reduce_sum(first_factors * products, 1), [-1]) * tf.exp(shift - unit)
    group = rows * classes + class_ids
    silence = unit + tf.math.log(tf.exp(-unit) + others)
    lowest = tf.maximum(tf.math.unsorted_segment_max(-tf.stop_gradient(tagged), group, batch * classes), 0.0)
    missed = tf.math.unsorted_segment_sum(tf.exp(-tagged - tf.gather(lowest, group)), group, batch * classes)
    speech = lowest + tf.math.log(tf.exp(-lowest) + missed)
    return tf.reduce_sum(tf.reshape(silence + speech, [batch, classes]), 1)
