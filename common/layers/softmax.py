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
    return tf.cast(tf.nn.softmax(_visible(scores, mask)), scores.dtype)


def softmax_logarithm(scores, mask):
    """The logarithm of what `masked_softmax` divides by, float32 (..., 1): of the sum of the exponentials."""
    return tf.reduce_logsumexp(_visible(scores, mask), -1, keepdims=True)


def _visible(scores, mask):
    return tf.where(mask, tf.cast(scores, tf.float32), _HIDDEN)
