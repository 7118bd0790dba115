"""Attention whose keys and values can be kept: what decoding needs, and what keras.layers.MultiHeadAttention computes
anew at every call."""

from common.keras_compat import keras, tf
from common.layers import masked_softmax


class Attention:
    """Heads of scaled products (8 of 16: kexue.fm/archives/5861). `memory` once for a text, then a call for a step."""

    def __init__(self, name: str, heads: int = 8, size: int = 16):
        self.heads, self.size, self.width = heads, size, heads * size
        self.query, self.key, self.value = (
            keras.layers.Dense(heads * size, name=f"{name}_{part}") for part in ("query", "key", "value")
        )

    def memory(self, states):
        """Keys and values of states (batch, length, n), each float (batch, length, heads * size)."""
        return self.key(states), self.value(states)

    def __call__(self, states, memory, mask):
        """states: (batch, steps, n). mask: bool, (batch, length) or (batch, steps, length), what may be seen. Returns
        (batch, steps, heads * size); zeros for a step that may see nothing."""
        return self.attend(self.query(states), memory, mask)

    def attend(self, queries, memory, mask):
        """The same from queries (batch, steps, heads * size)."""
        keys, values = (self._split(part) for part in memory)
        scores = tf.matmul(self._split(queries) / self.size**0.5, keys, transpose_b=True)
        mask = (mask if mask.shape.rank == 3 else mask[:, None])[:, None]
        weights = masked_softmax(scores, mask) * tf.cast(mask, scores.dtype)
        attended = tf.transpose(tf.matmul(weights, values), [0, 2, 1, 3])
        return tf.reshape(attended, tf.concat([tf.shape(attended)[:2], [self.heads * self.size]], 0))

    def _split(self, states):
        """(batch, length, heads * size) -> (batch, heads, length, size)."""
        parts = tf.reshape(states, tf.concat([tf.shape(states)[:2], [self.heads, self.size]], 0))
        return tf.transpose(parts, [0, 2, 1, 3])
