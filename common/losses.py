"""Losses shared by the contests. All are computed in float32, on logits."""

from common.keras_compat import tf


def masked_mean(values, mask):
    """Mean of `values` where `mask` is 1; 0 when the mask is empty. Both have the same shape."""
    values, mask = tf.cast(values, tf.float32), tf.cast(mask, tf.float32)
    return tf.reduce_sum(values * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)


def powered_log_sigmoid(logits, power: float):
    """log of sigmoid(logits) ** power, exact for large negative logits."""
    return -power * tf.nn.softplus(-tf.cast(logits, tf.float32))


def powered_sigmoid_cross_entropy(labels, logits, power: float = 1.0):
    """Binary cross entropy of the probability sigmoid(logits) ** power, element by element.

    The power lowers the initial probability to 2 ** -power, which is how rare the labels are, and multiplies the gradient of a
    positive by `power`: what focal loss does with parameters to tune (SYSTEMS.md section 2; kexue.fm/archives/7161).

    labels: 0 or 1, any dtype, the shape of logits. Returns float32 of that shape.
    """
    log_positive = powered_log_sigmoid(logits, power)
    # log(1 - e^x) without cancellation on either side of log 2; the clip keeps the gradient finite at probability one.
    log_positive_clipped = tf.minimum(log_positive, -1e-7)
    log_negative = tf.where(
        log_positive_clipped > -0.6931472,
        tf.math.log(-tf.math.expm1(log_positive_clipped)),
        tf.math.log1p(-tf.exp(tf.minimum(log_positive_clipped, -0.6931472))),
    )
    labels = tf.cast(labels, tf.float32)
    return -(labels * log_positive + (1 - labels) * log_negative)
