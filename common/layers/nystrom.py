"""Attention to all tokens at a cost that grows as the length does: Nystromformer (Xiong et al. 2021;
kexue.fm/archives/8180).

    softmax(q k') v  is close to  softmax(q l') softmax(j l')^+ softmax(j k') v

for landmarks j of the queries and l of the keys: means over segments of the text. The original averages over padding,
too, and scales the inverse by a norm of the whole batch; here a text has landmarks of its own tokens, and what it gets
does not depend on the texts beside it. It adds a convolution of the values, which a checkpoint has no weights for: left
out.
"""

from common.keras_compat import tf
from common.layers.attention_patterns import Drop, keep_all
from common.layers.softmax import masked_softmax

# As in the paper.
_ITERATIONS = 6


def nystrom_attention(queries, keys, values, mask, leading=None, landmarks: int = 64, drop: Drop = keep_all):
    """Arguments and result are those of `local_attention`; no token leads, since each sees all. A text of at most
    `landmarks` tokens has each of them for a landmark, and gets exactly what full attention gives.

    Has no causal form: every landmark is a mean of early and late tokens.
    """
    landmarks = tf.minimum(landmarks, tf.shape(mask)[1])
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), 1)
    means = _segments(mask, lengths, landmarks)
    used = (tf.range(landmarks) < lengths[:, None])[:, None, None]
    of_queries, of_keys, of_values = (tf.matmul(tf.cast(means, x.dtype), x) for x in (queries, keys, values))
    near = masked_softmax(tf.matmul(queries, of_keys, transpose_b=True), used)
    between = masked_softmax(tf.cast(tf.matmul(of_queries, of_keys, transpose_b=True), tf.float32), used)
    far = masked_softmax(tf.matmul(of_queries, keys, transpose_b=True), mask[:, None, None])
    # Unused landmarks, whose columns are 0, become the identity, or there were no inverse.
    between = tf.where(tf.linalg.matrix_transpose(used), between, tf.eye(landmarks))
    seen = tf.matmul(_inverse(between), tf.cast(tf.matmul(far, values), tf.float32))
    exact = (lengths <= landmarks)[:, None, None, None]
    seen = tf.where(exact, tf.cast(of_values, tf.float32), seen)
    # The inverse may have entries that float16 has not.
    return tf.cast(tf.matmul(tf.cast(drop(near, 0), tf.float32), seen), values.dtype)


def _segments(mask, lengths, landmarks):
    """float (batch, 1, landmarks, length), what each token counts for in the mean of a segment: segments are of
    neighbouring tokens, and one token longer than others at most."""
    rank = tf.cast(tf.cumsum(tf.cast(mask, tf.int32), 1) - 1, tf.int64)
    lengths = tf.cast(lengths, tf.int64)[:, None]
    segment = rank * tf.minimum(lengths, tf.cast(landmarks, tf.int64)) // tf.maximum(lengths, 1)
    belongs = tf.one_hot(tf.where(mask, segment, -1), landmarks, axis=1)
    return (belongs / tf.maximum(tf.reduce_sum(belongs, 2, keepdims=True), 1))[:, None]


def _inverse(matrix):
    """An approximation of the inverse of float32 (..., n, n) by matrix products alone (Razavi et al. 2014)."""
    largest = [
        tf.reduce_max(tf.reduce_sum(tf.abs(matrix), axis, keepdims=True), [-2, -1], keepdims=True) for axis in (-2, -1)
    ]
    inverse = tf.linalg.matrix_transpose(matrix) / (largest[0] * largest[1])
    identity = tf.eye(tf.shape(matrix)[-1])
    for _ in range(_ITERATIONS):
        product = matrix @ inverse
        inverse = inverse @ (13 * identity - product @ (15 * identity - product @ (7 * identity - product))) / 4
    return inverse
