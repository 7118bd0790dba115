"""The attention of bert4keras' transformers, for one token more: keys and values are kept.

Those of a text that is read are kept once, however much is written for it; those of what is written by row. `texts` are
rows of the former, and each has `width` rows of the latter (see `Steps`).
"""

from typing import Any

from common.keras_compat import tf

from bert4keras.layers import apply_rotary_position_embeddings  # isort: skip - after keras_compat

_HIDDEN = -1e9

#: Keys and values.
Memory = tuple[tf.Tensor, tf.Tensor]


def memory_of_text(attention: Any, states, rotation=None) -> Memory:
    """Keys (texts, heads, size, length) and values (texts, heads, length, size) of a whole text. states: the input of
    this attention, float (texts, length, n). rotation: of each place, where queries and keys are rotated by it, as in a
    RoFormer: sines and cosines, float (1, length, size of a key)."""
    keys, values = (_split(dense(states), attention.heads) for dense in (attention.k_dense, attention.v_dense))
    return tf.transpose(_rotated(keys, rotation), [0, 2, 3, 1]), _swapped(values)


def memory_of_nothing(attention: Any, rows, dtype) -> Memory:
    """Of what is not yet written, each (rows, heads, 0, size)."""
    sizes = attention.key_size, attention.head_size
    return tuple(tf.zeros([rows, attention.heads, 0, size], dtype) for size in sizes)


def bias_of_texts(lengths, longest):
    """What hides places of a text, float32 (texts, 1, 1, longest), to be added to scores: padding, and the last token,
    which the first step of writing reads. lengths: int (texts,)."""
    return tf.where(tf.range(longest) < lengths[:, None] - 1, 0.0, _HIDDEN)[:, None, None]


def steps_of(memory: Memory):
    """How many tokens of each row are in a memory of what is written."""
    return tf.shape(memory[0])[2]


def attended(attention: Any, x, of_text: Memory, bias, of_written: Memory, rotation=None) -> tuple[tf.Tensor, Memory]:
    """What the next token of each row gets from its text and from what is written with itself; and keys and values of
    what is written then, each (texts * width, heads, steps, size).

    x: float (texts, width, n). bias: see `bias_of_texts`. rotation: of the place of this token in each text, float
    (texts, 1, size of a key); see `memory_of_text`.
    """
    heads = attention.heads
    key, value = (_split(dense(x), heads) for dense in (attention.k_dense, attention.v_dense))
    new = (_as_rows(one) for one in (_rotated(key, rotation), value))
    keys, values = (tf.concat(both, 2) for both in zip(of_written, new))
    query = _rotated(_split(attention.q_dense(x) / attention.key_size**0.5, heads), rotation)
    # Products by matmul: on a CPU einsum adds up 16 bits in 16 bits.
    scores = tf.cast(_swapped(tf.matmul(_swapped(query), of_text[0])), tf.float32) + bias
    own = tf.linalg.matvec(keys, tf.reshape(query, [-1, heads, attention.key_size]))
    own = tf.reshape(tf.cast(own, tf.float32), tf.concat([tf.shape(scores)[:3], [-1]], 0))
    weights = tf.cast(tf.nn.softmax(tf.concat([scores, own], 3)), x.dtype)
    of_text_weights, own_weights = tf.split(weights, [tf.shape(scores)[3], tf.shape(own)[3]], 3)
    seen = _swapped(tf.matmul(_swapped(of_text_weights), of_text[1]))
    own_weights = tf.reshape(own_weights, [-1, heads, tf.shape(own)[3]])
    seen += tf.reshape(tf.linalg.matvec(values, own_weights, transpose_a=True), tf.shape(seen))
    joined = tf.reshape(seen, tf.concat([tf.shape(x)[:2], [heads * attention.head_size]], 0))
    return attention.o_dense(joined), (keys, values)


def _rotated(vectors, rotation):
    """vectors: (texts, steps, heads, size)."""
    return vectors if rotation is None else apply_rotary_position_embeddings(tf.cast(rotation, vectors.dtype), vectors)


def _as_rows(states):
    """(texts, width, heads, size) -> (texts * width, heads, 1, size)"""
    _, _, heads, size = states.shape
    return tf.reshape(states, [-1, heads, 1, size])


def _split(states, heads: int):
    """(batch, steps, heads * size) -> (batch, steps, heads, size)"""
    return tf.reshape(states, tf.concat([tf.shape(states)[:2], [heads, states.shape[-1] // heads]], 0))


def _swapped(array):
    """Steps and heads, or rows and heads, in the other order: (batch, a, b, size) -> (batch, b, a, size)."""
    return tf.transpose(array, [0, 2, 1, 3])
