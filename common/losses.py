"""Losses shared by the contests. All are computed in float32, on logits; the focal loss on log probabilities."""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from common.keras_compat import tf

# The logit of what does not take part. Finite, so that no nan arises even in what is not used.
_IMPOSSIBLE = -1e30
# The log probability of what is certain, as far as the focal loss goes: a gradient of 1 / 1e-30 can still be multiplied
# and added up in float32.
_CERTAIN = -1e-30


class Distribution(NamedTuple):
    """What a network believes, for R-Drop to compare between two readings of a batch.

    logits: float; with "softmax" over the last axis, with "sigmoid" each by itself. weights: float, broadcast to the
    shape of the logits, without the
    last axis for a softmax: 0 where there is nothing, and how much each counts elsewhere.
    """

    logits: Any
    activation: Literal["softmax", "sigmoid"]
    weights: Any


class LossTerm(NamedTuple):
    """A mean that is minimised, as the two numbers it is made of: so that means of several batches make the mean of
    all.

    numerator, denominator: float32 scalars. The denominator counts examples or tokens and must come from the inputs of
    a network alone; 0 counts as 1. distributions: what R-Drop compares in this term; their weighted divergences have
    the same denominator.
    """

    name: str
    numerator: Any
    denominator: Any
    distributions: tuple[Distribution, ...] = ()


def masked_mean(name: str, values, mask, distributions: Sequence[Distribution] = ()) -> LossTerm:
    """The mean of `values` where `mask` is 1; 0 when the mask is empty. Both have the same shape; the mask comes from
    inputs."""
    mask = tf.cast(mask, tf.float32)
    return LossTerm(name, tf.reduce_sum(tf.cast(values, tf.float32) * mask), tf.reduce_sum(mask), tuple(distributions))


def batch_mean(name: str, values, inputs, distributions: Sequence[Distribution] = ()) -> LossTerm:
    """The mean of `values`, one for each row of the batch. inputs: any input that has as many rows."""
    return LossTerm(
        name, tf.reduce_sum(tf.cast(values, tf.float32)), tf.cast(tf.shape(inputs)[0], tf.float32), tuple(distributions)
    )


def where_possible(mask, logits):
    """The logits where `mask` is 1, and elsewhere such that a softmax gives nothing. float32 of the shape of both."""
    return tf.where(tf.cast(mask, tf.bool), tf.cast(logits, tf.float32), _IMPOSSIBLE)


def symmetric_divergence(one, other, activation: str):
    """KL(p | q) + KL(q | p) of two distributions given by logits a and b, which is sum of (p - q)(a - b) for softmax
    and sigmoid alike.

    Returns float32: of the shape of the logits for "sigmoid", without the last axis for "softmax". Never negative, and
    0 for equal logits.
    """
    one, other = tf.cast(one, tf.float32), tf.cast(other, tf.float32)
    if activation == "softmax":
        return tf.reduce_sum((tf.nn.softmax(one) - tf.nn.softmax(other)) * (one - other), -1)
    return (tf.sigmoid(one) - tf.sigmoid(other)) * (one - other)


def logit_adjustment(strength: float, counts: Sequence[int] | np.ndarray, decisions: int | None = None) -> np.ndarray:
    """What to add to the logits f of classes in training, and to nothing else: strength * (a - mean of a over what is
    right), with

        softmax: a = log p of each class          p = (count + 1) / (sum of counts + number of classes)
        sigmoid: a = log(p / (1 - p)) of each     p = (count + 1) / (decisions + 2)

    The loss knows then how frequent the classes are, and f need not: it tells classes as if they were equally frequent,
    and prediction by f alone finds more of the rare ones (Menon et al. 2020; kexue.fm/archives/7615). A softmax does
    not notice that the mean is taken off; sigmoids keep the threshold of frequent classes where it is. For long tails,
    and metrics that count rare classes as much as others; where they count little, as in micro-F1, precision may be
    lost. Costs nothing.

    strength: tau of the paper, 1 as a rule; 0 gives zeros. counts: int (classes,), how often each is right in training.
    decisions: how often each sigmoid is asked; None for a softmax. Returns float32 (classes,). Raises ValueError for a
    class that is right more often than it is asked.
    """
    right = np.asarray(counts, np.float64) + 1
    if decisions is None:
        priors = np.log(right / right.sum())
    elif np.max(counts) > decisions:
        raise ValueError(f"a class is right {np.max(counts)} times in {decisions} decisions")
    else:
        priors = np.log(right / (decisions + 2 - right))
    return (strength * (priors - np.average(priors, weights=right))).astype(np.float32)


def powered_sigmoid_cross_entropy(labels, logits, power: int = 1):
    """Binary cross entropy of the probability p = sigmoid(logits) ** power, element by element.

    The power lowers the initial probability to 2 ** -power, which is how rare the labels are, and multiplies the
    gradient of a positive by `power`: what focal loss does with parameters to tune (kexue.fm/archives/7161).

    labels: 0 or 1, any dtype, the shape of logits. power: a whole number from 1. Returns float32 of that shape; exact
    and with a living gradient for any logit.
    """
    labels, (positive, negative) = tf.cast(labels, tf.float32), _powered_errors(logits, power)
    return labels * positive + (1 - labels) * negative


def powered_logits(logits, power: int):
    """The logits of the probability sigmoid(logits) ** power: what a plain sigmoid would need to say the same. float32
    of that shape."""
    positive, negative = _powered_errors(logits, power)
    return negative - positive


def _powered_errors(logits, power: int):
    """-log p and -log(1 - p) of p = sigmoid(logits) ** power."""
    logits = tf.cast(logits, tf.float32)
    # 1 - s^n = (1 - s)(1 + s + ... + s^(n-1)): neither factor cancels when s is near 1, and log1p keeps the digits when
    # it is tiny.
    sigmoid = tf.sigmoid(logits)
    series = tf.zeros_like(sigmoid)
    for _ in range(power - 1):
        series = sigmoid * (1 + series)
    return power * tf.nn.softplus(-logits), tf.nn.softplus(logits) - tf.math.log1p(series)


def focal_loss(labels, log_probabilities, alpha: float = 0.25, gamma: float = 2.0):
    """Focal loss (Lin et al. 2017) of the probability p, element by element.

    -alpha (1 - p)^gamma log p for a positive, -(1 - alpha) p^gamma log(1 - p) for a negative: what is already told
    right hardly counts.

    labels: 0 or 1, any dtype, the shape of log_probabilities. log_probabilities: log p, float. Logarithms, so that a
    product of probabilities, as of a position and a gate, is a sum that loses nothing: log_sigmoid(a) + log_sigmoid(b).
    Returns float32 of that shape; exact wherever float32 can tell log p from 0 (a logit up to 69), and with a finite
    gradient for any log p, -inf included.
    """
    log_right = tf.clip_by_value(tf.cast(log_probabilities, tf.float32), _IMPOSSIBLE, _CERTAIN)
    log_wrong = _log_one_minus_exp(log_right)
    positive = -alpha * tf.exp(gamma * log_wrong) * log_right
    negative = (alpha - 1) * tf.exp(gamma * log_right) * log_wrong
    return tf.where(tf.cast(labels, tf.bool), positive, negative)


def _log_one_minus_exp(values):
    """log(1 - exp(values)) for values below 0 (Maechler 2012): each form cancels where the other is exact."""
    middle = -math.log(2)
    # The second form sees no value near 0: its derivative is infinite there, and would make the gradient nan although
    # the form is not taken.
    far = tf.math.log1p(-tf.exp(tf.minimum(values, middle)))
    return tf.where(values > middle, tf.math.log(-tf.math.expm1(values)), far)


def multilabel_cross_entropy(labels, logits):
    """log(1 + sum of exp(s) over the negatives) + log(1 + sum of exp(-s) over the positives), over the last axis.

    What softmax cross entropy is for one class among many, for any number of them: each positive is pushed above each
    negative and all of them to their side of 0, which is the threshold, however rare positives are
    (kexue.fm/archives/7359).

    labels: 0 or 1, any dtype, the shape of logits. logits: float (..., classes). Returns float32 (...). A negative with
    a very low logit, as global pointers give to what is no span, adds nothing.
    """
    labels, logits = tf.cast(labels, tf.bool), tf.cast(logits, tf.float32)
    negatives = _log_one_plus_sum_exp(tf.where(labels, _IMPOSSIBLE, logits))
    return negatives + _log_one_plus_sum_exp(tf.where(labels, -logits, _IMPOSSIBLE))


def sparse_multilabel_cross_entropy(positives, logits, axes: int = 1):
    """`multilabel_cross_entropy` for positives given by where they are: a list instead of a tensor as large as the
    logits.

    positives: int (positives, rank of logits), the coordinates of each positive, each once; there may be none.
    logits: float; its last `axes` axes together are the classes (2 for global pointers: (batch, heads, length,
    length)). Returns float32 of the shape of the other axes. Exact: the positives are taken out of the logits, not out
    of the sum of all.
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


def factored_multilabel_cross_entropy(spans, first, last, tags):
    """log(1 + sum of exp(s) over what is not tagged) + log(1 + sum of exp(-s) over the tags), summed over the classes.

    s_c(i, j) = spans(i, j) + first_c(i) + last_c(j). The loss is that of a global pointer (kexue.fm/archives/7359),
    exact; but since the score is a sum, its exponential is a product, and
    sum_ij exp(s) = sum_i exp(first(i)) (exp(spans) exp(last))(i) is a matrix product. With dozens of classes an array
    (batch, classes, length, length), its gradient and its exponentials would be most of the work of training. In
    float64, since the highest of each factor may belong to different tokens: then the highest sum lies as far below
    theirs, and in float32, 87 below, its exponential would be 0 and the loss infinite.

    spans: float (batch, length, length), very negative where nothing can be. first, last: float (batch, length,
    classes). tags: int (tags, 4), rows different: row of the batch, class, first and last token. Returns float32 (batch,).
    """
    spans, first, last = (tf.cast(scores, tf.float64) for scores in (spans, first, last))
    batch, classes = tf.shape(first)[0], first.shape[-1]
    rows, class_ids, begin, end = tf.unstack(tags, num=4, axis=1)
    tagged = (
        tf.gather_nd(spans, tf.stack([rows, begin, end], 1))
        + tf.gather_nd(first, tf.stack([rows, begin, class_ids], 1))
        + tf.gather_nd(last, tf.stack([rows, end, class_ids], 1))
    )
    # Measured from the highest of each factor no exponential overflows.
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
    untagged = tf.reduce_sum(tf.where(left_out, tf.zeros_like(terms), terms), 1)
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
    return tf.cast(tf.reduce_sum(tf.reshape(silence + speech, [batch, classes]), 1), tf.float32)


def _log_one_plus_sum_exp(values):
    """log(1 + sum(exp(values))) over the last axis, without a copy that has the 1 in it."""
    largest = tf.maximum(tf.reduce_max(tf.stop_gradient(values), -1), 0.0)
    return tf.math.log(tf.exp(-largest) + tf.reduce_sum(tf.exp(values - largest[..., None]), -1)) + largest


def masked_marginal_cross_entropy(labels, logits, mask):
    """-log of the probability that softmax over the allowed positions gives to all the right ones together.

    Where an answer occurs several times it is not known which occurrence was meant: the model may choose (the summed
    objective of Clark and Gardner 2018). With one right position it is the usual cross entropy.

    labels, mask: 0 or 1, any dtype, (batch, length): right, and allowed; what is not allowed is not right either.
    logits: float (batch, length). Returns float32 (batch,), 0 for a row without a right position.
    """
    mask = tf.cast(mask, tf.bool)
    right, logits = tf.cast(labels, tf.bool) & mask, tf.cast(logits, tf.float32)
    loss = tf.reduce_logsumexp(tf.where(mask, logits, _IMPOSSIBLE), -1) - tf.reduce_logsumexp(
        tf.where(right, logits, _IMPOSSIBLE), -1
    )
    return tf.where(tf.reduce_any(right, -1), loss, 0.0)
