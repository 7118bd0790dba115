"""One vector for a sequence: the mean of its vectors, weighed by how much each matters (kexue.fm/archives/5409)."""

from common.keras_compat import keras, tf
from common.layers.softmax import masked_softmax


class AttentionPooling(keras.layers.Layer):
    """softmax(v . tanh(W x)) over the tokens, and the sum of x with these weights.

    Call with x float (batch, length, size) and mask (batch, length): 1 at tokens, 0 at padding. Returns (batch, size).
    """

    def build(self, input_shape):
        self.hidden = keras.layers.Dense(input_shape[-1], activation="tanh", name="hidden")
        self.hidden.build(input_shape)
        self.score = keras.layers.Dense(1, use_bias=False, name="score")
        self.score.build(input_shape)
        super().build(input_shape)

    def call(self, inputs, token_mask):
        # In float32: a sum over hundreds of tokens that half precision adds up with an error of 2 %.
        scores = tf.cast(self.score(self.hidden(inputs))[..., 0], tf.float32)
        weights = masked_softmax(scores, tf.cast(token_mask, tf.bool))
        return tf.cast(tf.einsum("bl,bls->bs", weights, tf.cast(inputs, tf.float32)), inputs.dtype)
