"""Multi-label cross entropy over all spans and classes of a global pointer, without an array of them."""

from common.keras_compat import tf


def factored_multilabel_cross_entropy(spans, first, last, tags):
    """log(1 + sum of exp(s) over what is not tagged) + log(1 + sum of exp(-s) over the tags), summed over the classes.

    s_c(i, j) = spans(i, j) + first_c(i) + last_c(j). The loss is that of a global pointer (kexue.fm/archives/7359),
    exact; but since the score is a sum, its exponential is a product, and
    sum_ij exp(s) = sum_i exp(first(i)) (exp(spans) exp(last))(i) is a matrix product. For the 282 classes of DuEE an
    array (batch, classes, length, length), its gradient and its exponentials would be most of the work of training.

    spans: float (batch, length, length), very negative where no span can be. first, last: float (batch, length,
    classes).
    tags: int (tags, 4), rows different: row of the batch, class, first and last token. Returns float32 (batch,).
    """
    spans, first, last = (tf.cast(scores, tf.float32) for scores in (spans, first, last))
    batch, classes = tf.shape(first)[0], first.shape[-1]
    rows, class_ids, begin, end = tf.unstack(tags, num=4, axis=1)
    tagged = (
        tf.gather_nd(spans, tf.stack([rows, begin, end], 1))
        + tf.gather_nd(first, tf.stack([rows, begin, class_ids], 1))
        + tf.gather_nd(last, tf.stack([rows, end, class_ids], 1))
    )
    # Measured from the highest of each factor, no exponential overflows, and none that matters vanishes.
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
    untagged = tf.reduce_sum(tf.where(left_out, 0.0, terms), 1)
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
    return tf.reduce_sum(tf.reshape(silence + speech, [batch, classes]), 1)
