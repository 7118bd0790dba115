"""Losses shared by the contests. All are computed in float32, on logits; the focal loss on log probabilities."""

import math

from common.keras_compat import tf

# The logit of what does not take part. Finite, so that no nan arises even in what is not used.
_IMPOSSIBLE = -1e30
# The log probability of what is certain, as far as the focal loss goes: a gradient of 1 / 1e-30 can still be multiplied and added up in float32.
_CERTAIN = -1e-30


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


def focal_loss(labels, log_probabilities, alpha: float = 0.25, gamma: float = 2.0):
    """Focal loss (Lin et al. 2017; SYSTEMS.md section 6) of the probability p, element by element.

    -alpha (1 - p)^gamma log p for a positive, -(1 - alpha) p^gamma log(1 - p) for a negative: what is already told right hardly counts.

    labels: 0 or 1, any dtype, the shape of log_probabilities. log_probabilities: log p, float. Logarithms, so that a product of
    probabilities, as of a position and a gate, is a sum that loses nothing: log_sigmoid(a) + log_sigmoid(b). Returns float32 of that shape;
    exact wherever float32 can tell log p from 0 (a logit up to 69), and with a finite gradient for any log p, -inf included.
    """
    log_right = tf.clip_by_value(tf.cast(log_probabilities, tf.float32), _IMPOSSIBLE, _CERTAIN)
    log_wrong = _log_one_minus_exp(log_right)
    positive = -alpha * tf.exp(gamma * log_wrong) * log_right
    negative = (alpha - 1) * tf.exp(gamma * log_right) * log_wrong
    return tf.where(tf.cast(labels, tf.bool), positive, negative)


def _log_one_minus_exp(values):
    """log(1 - exp(values)) for values below 0 (Maechler 2012): each form cancels where the other is exact."""
    middle = -math.log(2)
    # The second form sees no value near 0: its derivative is infinite there, and would make the gradient nan although the form is not taken.
    far = tf.math.log1p(-tf.exp(tf.minimum(values, middle)))
    return tf.where(values > middle, tf.math.log(-tf.math.expm1(values)), far)


def multilabel_cross_entropy(labels, logits):
    """log(1 + sum of exp(s) over the negatives) + log(1 + sum of exp(-s) over the positives), over the last axis.

    What softmax cross entropy is for one class among many, for any number of them: each positive is pushed above each negative and
    all of them to their side of 0, which is the threshold, however rare positives are (SYSTEMS.md section 13; kexue.fm/archives/7359).

    labels: 0 or 1, any dtype, the shape of logits. logits: float (..., classes). Returns float32 (...). A negative with a very low logit,
    as global pointers give to what is no span, adds nothing.
    """
    labels, logits = tf.cast(labels, tf.bool), tf.cast(logits, tf.float32)
    negatives = _log_one_plus_sum_exp(tf.where(labels, _IMPOSSIBLE, logits))
    return negatives + _log_one_plus_sum_exp(tf.where(labels, -logits, _IMPOSSIBLE))


def sparse_multilabel_cross_entropy(positives, logits, axes: int = 1):
    """`multilabel_cross_entropy` for positives given by where they are: a list instead of a tensor as large as the logits.

    positives: int (positives, rank of logits), the coordinates of each positive, each once; there may be none.
    logits: float; its last `axes` axes together are the classes (2 for global pointers: (batch, heads, length, length)).
    Returns float32 of the shape of the other axes. Exact: the positives are taken out of the logits, not out of the sum of all.
    """
    positives, logits = tf.cast(positives, tf.int32), tf.cast(logits, tf.float32)
    right = tf.gather_nd(logits, positives)
    shape = tf.shape(logits)[: logits.shape.rank - axes]
    others = tf.tensor_scatter_nd_update(logits, positives, tf.fill(tf.shape(right), _IMPOSSIBLE))
    negatives = _log_one_plus_sum_exp(tf.reshape(others, tf.concat([shape, [-1]], 0)))
    # A sum of its own for each row, over a list that mixes them.
    strides = tf.math.cumprod(shape, exclusive=True, reverse=True)
    rows, size = tf.reduce_sum(positives[:, : logits.shape.rank - axes] * strides, 1), tf.reduce_prod(shape)
    largest = tf.maximum(tf.math.unsorted_segment_max(-tf.stop_gradient(right), rows, size), 0.0)
    sums = tf.math.unsorted_segment_sum(tf.exp(-right - tf.gather(largest, rows)), rows, size)
    return negatives + tf.reshape(tf.math.log(tf.exp(-largest) + sums) + largest, shape)


def _log_one_plus_sum_exp(values):
    """log(1 + sum(exp(values))) over the last axis, without a copy that has the 1 in it."""
    largest = tf.maximum(tf.reduce_max(tf.stop_gradient(values), -1), 0.0)
    return tf.math.log(tf.exp(-largest) + tf.reduce_sum(tf.exp(values - largest[..., None]), -1)) + largest


def masked_marginal_cross_entropy(labels, logits, mask):
    """-log of the probability that softmax over the allowed positions gives to all the right ones together.

    Where an answer occurs several times it is not known which occurrence was meant: the model may choose (the summed objective
    of Clark and Gardner 2018). With one right position it is the usual cross entropy.

    labels, mask: 0 or 1, any dtype, (batch, length): right, and allowed; what is not allowed is not right either. logits: float (batch, length).
    Returns float32 (batch,), 0 for a row without a right position.
    """
    mask = tf.cast(mask, tf.bool)
    right, logits = tf.cast(labels, tf.bool) & mask, tf.cast(logits, tf.float32)
    loss = tf.reduce_logsumexp(tf.where(mask, logits, _IMPOSSIBLE), -1) - tf.reduce_logsumexp(tf.where(right, logits, _IMPOSSIBLE), -1)
    return tf.where(tf.reduce_any(right, -1), loss, 0.0)
