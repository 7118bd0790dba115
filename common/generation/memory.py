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
    """What the next token of each row gets from its text and from what is written with itself, float (rows, n); and
    keys and values of what is written then, each (rows, heads, steps, size).

    x: float (texts * width, n): products of matrices of two axes are one operation, where Keras makes fifteen of those
    of three. bias: see `bias_of_texts`. rotation: of the place of this token in each text, float (texts, 1, size of a
    key); see `memory_of_text`.
    """
    heads, size, texts = attention.heads, attention.key_size, tf.shape(bias)[0]
    key, value, query = (
        tf.reshape(dense(x), [texts, -1, heads, dense.units // heads])
        for dense in (attention.k_dense, attention.v_dense, attention.q_dense)
    )
    new = (tf.reshape(one, [-1, heads, 1, one.shape[-1]]) for one in (_rotated(key, rotation), value))
    keys, values = (tf.concat(both, 2) for both in zip(of_written, new))
    query, steps = _rotated(query / size**0.5, rotation), tf.shape(keys)[2]
    # Products by matmul: on a CPU einsum adds up 16 bits in 16 bits.
    scores = tf.matmul(_swapped(query), of_text[0])
    own = tf.matmul(keys, tf.reshape(query, [-1, heads, size, 1]))
    own = _swapped(tf.reshape(own, [texts, -1, heads, steps]))
    both = tf.concat([tf.cast(scores, tf.float32) + bias, tf.cast(own, tf.float32)], 3)
    weights, length = tf.cast(tf.nn.softmax(both), x.dtype), tf.shape(bias)[3]
    seen = _swapped(tf.matmul(weights[..., :length], of_text[1]))
    own = tf.matmul(tf.reshape(_swapped(weights[..., length:]), [-1, heads, 1, steps]), values)
    width = heads * attention.head_size
    return attention.o_dense(tf.reshape(seen, [-1, width]) + tf.reshape(own, [-1, width])), (keys, values)


def _rotated(vectors, rotation):
    """vectors: (texts, steps, heads, size)."""
    return vectors if rotation is None else apply_rotary_position_embeddings(tf.cast(rotation, vectors.dtype), vectors)


def _split(states, heads: int):
    """(batch, steps, heads * size) -> (batch, steps, heads, size)"""
    return tf.reshape(states, tf.concat([tf.shape(states)[:2], [heads, states.shape[-1] // heads]], 0))


def _swapped(array):
    """Steps and heads, or rows and heads, in the other order: (batch, a, b, size) -> (batch, b, a, size)."""
    return tf.transpose(array, [0, 2, 1, 3])
