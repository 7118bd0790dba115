"""The network: two pointers into the context, softmax over its positions (kexue.fm/archives/7321); and its loss.

states          = encoder(question, context)                           (length, size)
start, end      = softmax over the context of states W + b             over all windows of a question together
p(first, last)  = start[first] * end[last]
"""

from typing import Any

from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.losses import Distribution, LossTerm, batch_mean, masked_marginal_cross_entropy, where_possible


def build_network(encoder: Encoder) -> keras.Model:
    """Inputs of the encoder -> logits (batch, length, 2) of start and end; those outside of the context mean
    nothing."""
    encoding = encoder.pair_network()
    states = keras.layers.SpatialDropout1D(encoder.dropout, name="pointer_dropout")(encoding.output[0])
    return keras.Model(encoding.input, keras.layers.Dense(2, name="pointers", dtype="float32")(states))


def loss(batch: dict[str, Any], logits) -> list[LossTerm]:
    """The loss of a batch of `collate`: of all right starts of a question together, and the same for ends."""
    windows = batch["windows"]
    errors, distributions, half = [], [], tf.fill(tf.shape(windows)[:1], 0.5)
    for edge in (0, 1):
        right, scores, inside = (
            _by_question(values, windows)
            for values in (batch["labels"][..., edge], logits[..., edge], batch["in_context"])
        )
        errors.append(masked_marginal_cross_entropy(right, scores, inside))
        distributions.append(Distribution(where_possible(inside, scores), "softmax", half))
    return [batch_mean("edge_loss", sum(errors) / 2, windows, distributions)]


def _by_question(values, windows):
    """Values (rows, length) of the windows of each question one after the other, (questions, most windows * length);
    zeros where there is no window."""
    rows = tf.gather(values, tf.maximum(windows, 0))
    rows = tf.where((windows >= 0)[..., None], rows, tf.zeros_like(rows))
    return tf.reshape(rows, (tf.shape(windows)[0], -1))
