"""Masks of tokens as recurrent layers read them."""

from common.keras_compat import tf


def mask_by_time(token_mask):
    """Mask (batch, length), nonzero at tokens -> bool (length, batch).

    Transposed as floats: of anything else oneDNN writes what looks like an error, and where it is made by a cast, the
    optimizer of graphs casts after it has transposed.
    """
    return tf.transpose(tf.where(tf.cast(token_mask, tf.bool), 1.0, 0.0)) > 0
