"""Layer normalisation whose scale and offset depend on a condition (kexue.fm/archives/7124)."""

from common.keras_compat import keras, tf


class ConditionalLayerNormalization(keras.layers.Layer):
    """(gamma + W_gamma c) * (x - mean) / deviation + (beta + W_beta c), over the last axis of x.

    W_gamma and W_beta have no bias and start at zero: training begins with a plain layer normalisation.

    Call with `[x, c]`: x float (batch, length, size), c float (batch, condition size), one condition for a whole
    sequence. Returns the shape and dtype of x; computed in float32, since in float16 the square of 256 overflows and
    the epsilon is 0.
    """

    def __init__(self, epsilon: float = 1e-12, **kwargs):
        super().__init__(**{"dtype": "float32", "autocast": False, **kwargs})
        self.epsilon = epsilon

    def build(self, input_shape):
        sequence_shape, condition_shape = input_shape
        size, condition_size = sequence_shape[-1], condition_shape[-1]
        self.gamma = self.add_weight("gamma", (size,), initializer="ones")
        self.beta = self.add_weight("beta", (size,), initializer="zeros")
        self.condition_gamma = self.add_weight("condition_gamma", (condition_size, size), initializer="zeros")
        self.condition_beta = self.add_weight("condition_beta", (condition_size, size), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        sequence, condition = (tf.cast(values, tf.float32) for values in inputs)
        centred = sequence - tf.reduce_mean(sequence, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        normalised = centred * tf.math.rsqrt(variance + self.epsilon)
        gamma = self.gamma + tf.matmul(condition, self.condition_gamma)
        beta = self.beta + tf.matmul(condition, self.condition_beta)
        return tf.cast(normalised * gamma[:, None] + beta[:, None], inputs[0].dtype)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
