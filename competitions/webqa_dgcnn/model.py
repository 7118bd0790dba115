"""The network: two pointers into a passage and a gate that says whether it holds an answer; and its loss.

kexue.fm/archives/5409.

    states          = encoder(question, passage)                           (length, size)
    gate            = sigmoid(attention pooling of the passage's states . w + b)
    start, end      = gate * sigmoid(states W + b)                         at each token of the passage
    v(first, last)  = start[first] * end[last]
"""

from typing import Any

import numpy as np

from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.layers import AttentionPooling
from common.losses import Distribution, LossTerm, batch_mean, focal_loss, masked_marginal_cross_entropy, where_possible

# The probability of a start or an end before training. Without it the many places without an answer drown the few with
# one in the first steps (Lin et al. 2017, who introduced the focal loss).
_PRIOR = 0.01


def build_network(encoder: Encoder) -> keras.Model:
    """Inputs of the encoder -> by name: the logits `pointers` (batch, length, 2) of start and end and `gate` (batch,),
    all three at each token as `logits` (batch, length, 3), the `log_probabilities` (batch, length, 2) that they make
    together, and `in_passage` bool (batch, length), the tokens outside of which the others mean nothing."""
    encoding = encoder.pair_network()
    # Neither padding nor the question, nor the [SEP] at the end.
    in_passage = (encoding.input["segment_ids"] > 0) & (encoding.input["token_ids"] != encoder.tokenizer.end_id)
    states = keras.layers.SpatialDropout1D(encoder.dropout, name="pointer_dropout")(encoding.output[0])
    pooled = AttentionPooling(name="passage_pooling")(states, in_passage)
    gate = keras.layers.Dense(1, name="gate", dtype="float32")(pooled)[:, 0]
    prior = keras.initializers.Constant(np.log(_PRIOR / (1 - _PRIOR)))
    pointers = keras.layers.Dense(2, name="pointers", dtype="float32", bias_initializer=prior)(states)
    # A product of probabilities as a sum of logarithms, which stays exact where it is tiny.
    log_probabilities = tf.math.log_sigmoid(pointers) + tf.math.log_sigmoid(gate)[:, None, None]
    gates = tf.ones_like(pointers[..., :1]) * gate[:, None, None]
    outputs = {
        "pointers": pointers,
        "gate": gate,
        "logits": tf.concat([pointers, gates], axis=-1),
        "log_probabilities": log_probabilities,
        "in_passage": in_passage,
    }
    return keras.Model(encoding.input, outputs)


def loss(batch: dict[str, Any], outputs: dict[str, Any]) -> list[LossTerm]:
    """The loss of a batch of `collate`."""
    labels, pointers, gate, in_passage = batch["labels"], outputs["pointers"], outputs["gate"], outputs["in_passage"]
    focal_losses = focal_loss(labels, outputs["log_probabilities"]) * tf.cast(in_passage, tf.float32)[..., None]
    holds = tf.reduce_max(tf.cast(labels, tf.float32), [1, 2])
    gate_loss = tf.nn.sigmoid_cross_entropy_with_logits(holds, gate)
    # Which of the places in a passage is right: what the focal loss, which asks of each place by itself, is slow to
    # teach from nothing.
    place_losses = [
        masked_marginal_cross_entropy(labels[..., edge], pointers[..., edge], in_passage) for edge in (0, 1)
    ]
    # The focal loss is summed over the passage, not averaged: a passage twice as long has no more answers.
    errors = tf.reduce_sum(focal_losses, [1, 2]) / 2 + gate_loss + sum(place_losses) / 2
    one = tf.ones_like(gate)
    edges = [Distribution(where_possible(in_passage, pointers[..., edge]), "softmax", one / 2) for edge in (0, 1)]
    return [batch_mean("answer_loss", errors, labels, [*edges, Distribution(gate, "sigmoid", one)])]
