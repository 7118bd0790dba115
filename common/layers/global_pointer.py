"""Global pointers: a score for every span and class at once, so that spans may nest and have several classes.

kexue.fm/archives/8373 and 8877. The weights are those of the layers in bert4keras.
"""

import numpy as np

from common.keras_compat import keras, tf

# The score of what is no span. Far below any score, and still a number in float16.
IMPOSSIBLE = -3e4


class GlobalPointer(keras.layers.Layer):
    """s_a(i, j) = (R_i q_a,i) . (R_j k_a,j) / sqrt(head_size): how much the span from i to j is one of class a.

    q_a and k_a are linear in the states. R turns each pair of their elements by an angle that grows with the position
    (rotary position embedding), so that the product knows how far j is from i: without it, scores cannot tell a short
    span from a long one.

    Call with states float (batch, length, size) and token_mask (batch, length): 1 at tokens, 0 at padding. Returns
    logits float32 (batch, heads, length, length), [first, last] inclusive; `IMPOSSIBLE` where last < first and at
    padding. ordered: False for pairs of tokens that are no spans: last may be before first.
    """

    def __init__(self, heads: int, head_size: int = 64, ordered: bool = True, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if head_size % 2:
            raise ValueError(f"The elements of a head are turned in pairs: head_size must be even, not {head_size}.")
        self.heads = heads
        self.head_size = head_size
        self.ordered = ordered

    def build(self, input_shape):
        self.projection = self._dense(2 * self.heads * self.head_size, input_shape, "projection")
        super().build(input_shape)

    def _dense(self, units, input_shape, name, **options):
        layer = keras.layers.Dense(
            units, kernel_initializer="lecun_normal", dtype=self.dtype_policy, name=name, **options
        )
        layer.build(input_shape)
        return layer

    def call(self, states, token_mask):
        length = tf.shape(states)[1]
        pairs = tf.reshape(self.projection(states), [-1, length, self.heads, 2, self.head_size])
        queries, keys = tf.unstack(tf.transpose(pairs, [3, 0, 2, 1, 4]))
        logits = tf.matmul(_turn(queries), _turn(keys), transpose_b=True) / self.head_size**0.5
        return self._possible(logits, token_mask)

    def _possible(self, logits, token_mask):
        """Those of pairs of tokens. logits: (batch, heads, length, length)."""
        token_mask = tf.cast(token_mask, tf.bool)
        legal = token_mask[:, :, None] & token_mask[:, None, :]
        if self.ordered:
            positions = tf.range(tf.shape(logits)[-1])
            legal &= positions[:, None] <= positions
        return tf.where(legal[:, None], logits, IMPOSSIBLE)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "head_size": self.head_size, "ordered": self.ordered}


class EfficientGlobalPointer(GlobalPointer):
    """s_a(i, j) = (R_i q_i) . (R_j k_j) / sqrt(head_size) + (b_a,i + e_a,j) / 2: one product says where spans are, two
    sums say of which class.

    q and k, shared by all classes, are linear in the states; b_a, for the first token, and e_a, for the last, in [q, k]
    (not yet turned). So a class costs 4 head_size weights instead of 2 size head_size.

    Called like `GlobalPointer`. factored: return the parts of the sum instead, spans (batch, length, length), first and
    last (batch, length, heads), since with many classes the sums of all pairs are large. bias: of all scores of a new
    network, where what is right is rare.
    """

    def __init__(self, heads: int, head_size: int = 64, factored: bool = False, bias: float = 0.0, **kwargs):
        super().__init__(heads, head_size, **kwargs)
        self.factored = factored
        self.bias = bias

    def build(self, input_shape):
        self.projection = self._dense(2 * self.head_size, input_shape, "projection")
        biases = keras.initializers.Constant(self.bias)
        size = (None, None, 2 * self.head_size)
        self.classification = self._dense(2 * self.heads, size, "classification", bias_initializer=biases)
        keras.layers.Layer.build(self, input_shape)

    def call(self, states, token_mask):
        # As in bert4keras queries and keys alternate, and so do the scores of last and first tokens.
        pairs = self.projection(states)
        queries, keys = pairs[..., ::2], pairs[..., 1::2]
        spans = tf.matmul(_turn(queries), _turn(keys), transpose_b=True) / self.head_size**0.5
        classes = self.classification(pairs) / 2
        if self.factored:
            return self._possible(spans[:, None], token_mask)[:, 0], classes[..., 1::2], classes[..., ::2]
        classes = tf.transpose(classes, [0, 2, 1])
        logits = spans[:, None] + classes[:, ::2, None, :] + classes[:, 1::2, :, None]
        return self._possible(logits, token_mask)

    def get_config(self):
        return {**super().get_config(), "factored": self.factored, "bias": self.bias}


def text_mask(token_ids):
    """Where spans may be: at the tokens between [CLS], the first, and [SEP], the last before the padding, whose id is 0.
    int (batch, length) -> bool of that shape."""
    return tf.pad(token_ids[:, 2:] > 0, [[0, 0], [1, 1]])


def _turn(vectors):
    """R: elements 2m and 2m + 1 at position t turned by the angle t / 10000 ** (2m / size). vectors: (..., length,
    size)."""
    size = vectors.shape[-1]
    positions = tf.range(tf.shape(vectors)[-2], dtype=tf.float32)
    angles = positions[:, None] * (1e4 ** -np.arange(0, 1, 2 / size)).astype(np.float32)
    cosine, sine = tf.cos(angles), tf.sin(angles)
    even, odd = vectors[..., ::2], vectors[..., 1::2]
    turned = tf.stack([even * cosine - odd * sine, odd * cosine + even * sine], -1)
    return tf.reshape(turned, tf.shape(vectors))
