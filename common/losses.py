"""Losses shared by the contests. All are computed in float32, on logits."""

from common.keras_compat import tf


def masked_mean(values, mask):
    """Mean of `values` where `mask` is 1; 0 when the mask is empty. Both have the same shape."""
    values, mask = tf.cast(values, tf.float32), tf.cast(mask, tf.float32)
    return tf.reduce_sum(values * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)


def powered_sigmoid_cross_entropy(labels, logits, power: int = 1):
    """Binary cross entropy of the probability p = sigmoid(logits) ** power, element by element.

    The power lowers the initial probability to 2 ** -power, which is how rare the labels are, and multiplies the gradient of a
    positive by `power`: what focal loss does with parameters to tune (SYSTEMS.md section 2; kexue.fm/archives/7161).

    labels: 0 or 1, any dtype, the shape of logits. power: a whole number from 1. Returns float32 of that shape; exact and with a living gradient for any logit.
    """
    labels, logits = tf.cast(labels, tf.float32), tf.cast(logits, tf.float32)
    # 1 - s^n = (1 - s)(1 + s + ... + s^(n-1)): neither factor cancels when s is near 1, and log1p keeps the digits when it is tiny.
    sigmoid = tf.sigmoid(logits)
    series = tf.zeros_like(sigmoid)
    for _ in range(power - 1):
        series = sigmoid * (1 + series)
    negative = tf.nn.softplus(logits) - tf.math.log1p(series)
    positive = power * tf.nn.softplus(-logits)
    return labels * positive + (1 - labels) * negative
