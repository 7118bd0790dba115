"""Gated dilated convolution, the block of the DGCNN (kexue.fm/archives/5409)."""

from common.keras_compat import keras, tf


class GatedDilatedConvolution(keras.layers.Layer):
    """A residual convolution in which every channel decides how much of it to let through.

    (a, b) = convolution(x), g = sigmoid(dropout(b)), y = x (1 - g) + a g, and zero at padding. Dropout drops a channel
    along the whole sequence: as good a regulariser, and drawing a random number for each position would cost as much as
    the convolution.

    Call with x float (batch, length, size) and mask (batch, length): 1 at tokens, 0 at padding. Returns the shape of x.
    Zeroing the padding makes the result independent of how far a batch was padded.
    """

    def __init__(self, dilation: int = 1, kernel_size: int = 3, gate_dropout: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        self.dilation = dilation
        self.kernel_size = kernel_size
        self.gate_dropout = gate_dropout

    def build(self, input_shape):
        self.size = input_shape[-1]
        self.convolution = keras.layers.Conv1D(
            2 * self.size, self.kernel_size, dilation_rate=self.dilation, padding="same", name="convolution"
        )
        self.convolution.build(input_shape)
        self.dropout = keras.layers.SpatialDropout1D(self.gate_dropout, name=f"{self.name}_gate_dropout")
        super().build(input_shape)

    def call(self, inputs, token_mask, training=None):
        token_mask = tf.cast(token_mask, inputs.dtype)[:, :, None]
        values, gates = tf.split(self.convolution(inputs), 2, axis=-1)
        gates = tf.sigmoid(self.dropout(gates, training=training))
        return (inputs * (1 - gates) + values * gates) * token_mask

    def get_config(self):
        return {
            **super().get_config(),
            "dilation": self.dilation,
            "kernel_size": self.kernel_size,
            "gate_dropout": self.gate_dropout,
        }
