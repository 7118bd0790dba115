"""Losses shared by the contests. All are computed in float32, on logits."""

from common.keras_compat import tf


def masked_mean(values, mask):
    """Mean of `values` where `mask` is 1; 0 when the mask is empty. Both have the same shape."""
    values, mask = tf.cast(values, tf.float32), tf.cast(mask, tf.float32)
    return tf.reduce_sum(values * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)


def powered_sigmoid_cross_entropy(labels, logits, power: float = 1.0):
    """Binary cross entropy of the probability sigmoid(logits) ** power, element by element.

    The power lowers the initial probability to 2 ** -power, which is how rare the labels are, and multiplies the gradient of a
    positive by `power`: what focal loss does with parameters to tune (SYSTEMS.md section 2; kexue.fm/archives/7161).

    labels: 0 or 1, any dtype, the shape of logits. Returns float32 of that shape.
    """
    log_positive = -power * tf.nn.softplus(-tf.cast(logits, tf.float32))
    # log(1 - p) through expm1: exact where p is near 1, and with an exact gradient where p is tiny. The clip keeps both finite.
    log_negative = tf.math.log(-tf.math.expm1(tf.minimum(log_positive, -1e-7)))
    labels = tf.cast(labels, tf.float32)
    return -(labels * log_positive + (1 - labels) * log_negative)
