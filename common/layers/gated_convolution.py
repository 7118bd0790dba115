"""Gated dilated convolution, the block of the DGCNN (kexue.fm/archives/5409)."""

from common.keras_compat import keras, tf


class GatedDilatedConvolution(keras.layers.Layer):
    """A residual convolution in which every channel decides how much of it to let through.

    (a, b) = convolution(x), g = sigmoid(dropout(b)), y = x (1 - g) + a g, and zero at padding. Dropout drops a channel
    along the whole sequence: as good a regulariser, and drawing a random number for each position would cost as much as
    the convolution.

    Call with x float (batch, length, size) and mask (batch, length): 1 at tokens, 0 at padding. Returns the shape of x.
    Zeroing the padding makes the result independent of how far a batch was padded. kernel_size: odd.
    """

    def __init__(self, dilation: int = 1, kernel_size: int = 3, gate_dropout: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        self.dilation = dilation
        self.kernel_size = kernel_size
        self.gate_dropout = gate_dropout

    def build(self, input_shape):
        self.size = input_shape[-1]
        # Only the weights of it: `convolution` is quicker to learn.
        self.convolution = keras.layers.Conv1D(2 * self.size, self.kernel_size, name="convolution")
        self.convolution.build(input_shape)
        self.dropout = keras.layers.SpatialDropout1D(self.gate_dropout, name=f"{self.name}_gate_dropout")
        super().build(input_shape)

    def call(self, inputs, token_mask, training=None):
        token_mask = tf.cast(token_mask, inputs.dtype)[:, :, None]
        convolved = convolution(inputs, tf.convert_to_tensor(self.convolution.kernel), self.dilation)
        values, gates = tf.split(tf.nn.bias_add(convolved, self.convolution.bias), 2, axis=-1)
        gates = tf.sigmoid(self.dropout(gates, training=training))
        return (inputs * (1 - gates) + values * gates) * token_mask

    def get_config(self):
        return {
            **super().get_config(),
            "dilation": self.dilation,
            "kernel_size": self.kernel_size,
            "gate_dropout": self.gate_dropout,
        }


def convolution(inputs, kernel, dilation: int):
    """The dilated convolution (batch, length, filters) of inputs (batch, length, size) with a kernel (width, size,
    filters), zeros around the text.

    TensorFlow's gradient of the inputs takes up to five times the convolution on some processors, for the same
    arithmetic. It is a convolution itself, with the kernel turned round, and that of the kernel is one matrix product
    over shifted copies.
    """

    @tf.custom_gradient
    def convolve(inputs, kernel):
        def gradient(of_outputs):
            turned = tf.transpose(kernel[::-1], [0, 2, 1])
            of_inputs = tf.nn.conv1d(of_outputs, turned, 1, "SAME", dilations=dilation)
            width, size, filters = kernel.shape
            away, length = dilation * (width // 2), tf.shape(inputs)[1]
            padded = tf.pad(inputs, [[0, 0], [away, away], [0, 0]])
            shifted = [padded[:, at * dilation : at * dilation + length] for at in range(width)]
            seen = tf.reshape(tf.concat(shifted, -1), [-1, width * size])
            of_kernel = tf.matmul(seen, tf.reshape(of_outputs, [-1, filters]), transpose_a=True)
            return of_inputs, tf.reshape(of_kernel, kernel.shape)

        return tf.nn.conv1d(inputs, kernel, 1, "SAME", dilations=dilation), gradient

    return convolve(inputs, kernel)
