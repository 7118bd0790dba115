"""What both LSTM networks are made of: embeddings of titles, and a decoder that reads them (kexue.fm/archives/5861)."""

from common.keras_compat import keras, tf
from common.layers import ConditionalLayerNormalization

LAYERS = 2


class TitleEmbedding(keras.layers.Layer):
    """Vectors of the tokens of a title, and logits of the next token from the same table.

    Call with ids, int (...), any that features.py makes: returns (..., size). Tokens that only a text has, and NOTHING,
    look like unknown ones. With logits=True call it with states (..., size): returns float32 (..., vocabulary).
    """

    def __init__(self, vocabulary_size: int, size: int, unknown_id: int, **kwargs):
        super().__init__(**kwargs, autocast=False)
        self.vocabulary_size, self.size, self.unknown_id = vocabulary_size, size, unknown_id

    def build(self, input_shape):
        # Not cast to 16 bits at once, or the gradient of the look-up would have a row for each token of the vocabulary.
        initializer = keras.initializers.RandomNormal(stddev=0.05)
        self.table = self.add_weight(
            "embeddings", (self.vocabulary_size, self.size), initializer=initializer, experimental_autocast=False
        )
        self.bias = self.add_weight("bias", (self.vocabulary_size,), initializer="zeros", experimental_autocast=False)
        super().build(input_shape)

    def call(self, inputs, logits=False):
        if logits:
            return tf.matmul(tf.cast(inputs, tf.float32), self.table, transpose_b=True) + self.bias
        known = tf.where((inputs >= 0) & (inputs < self.vocabulary_size), inputs, self.unknown_id)
        return tf.cast(tf.gather(self.table, known), self.compute_dtype)


class LstmDecoder:
    """Reads a title as far as it is written: as a whole in training, or a token at a time, with the same result. What
    it says has the dtype of the embeddings, but it computes in float32: an LSTM adds up over all steps."""

    def __init__(self, name: str, size: int):
        self.size = size
        self.lstms = [
            keras.layers.LSTM(size, return_sequences=True, dtype="float32", name=f"{name}_lstm_{layer}")
            for layer in range(LAYERS)
        ]
        self.norms = [
            ConditionalLayerNormalization(name=f"{name}_normalization_{layer}") for layer in range(LAYERS + 1)
        ]

    def __call__(self, embedded, condition):
        """States (batch, steps, size) of titles (batch, steps, n) given whole. condition: (batch, n), the text as one
        vector."""
        states = self.norms[0]([embedded, condition])
        for lstm, norm in zip(self.lstms, self.norms[1:]):
            states = norm([lstm(states), condition])
        return tf.cast(states, embedded.dtype)

    def no_memory(self, rows):
        """What is remembered before the first token, for so many rows."""
        return [[tf.zeros([rows, self.size])] * 2 for _ in self.lstms]

    def step(self, embedded, condition, memory):
        """States (batch, width, size) after one more token of `width` titles for each text, and what is remembered
        then, for batch * width rows."""
        states, remembered = self.norms[0]([embedded, condition]), []
        shape = tf.concat([tf.shape(embedded)[:2], [self.size]], 0)
        for lstm, norm, kept in zip(self.lstms, self.norms[1:], memory):
            rows, kept = lstm.cell(tf.reshape(states, [-1, states.shape[-1]]), kept)
            states = norm([tf.reshape(rows, shape), condition])
            remembered.append(kept)
        return tf.cast(states, embedded.dtype), remembered


def text_vector(states, mask):
    """The maximum of the states (batch, length, size) where the mask is 1, (batch, size)."""
    return tf.reduce_max(tf.where(tf.expand_dims(mask, 2), states, -1e4), 1)
