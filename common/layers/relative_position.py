"""How far a token is from a span: the oldest feature of neural relation extraction (Zeng et al. 2014), as an
embedding."""

from common.keras_compat import keras, tf

# Distances 1 to 7 one by one, then eight ranges that grow by a factor of 2 ** 0.5 up to 128 and beyond, on each side; 0
# within the span.
_NEAR, _FAR = 8, 8


class RelativePosition(keras.layers.Layer):
    """Adds an embedding of the signed distance of every token to a span. Starts at zero, so a pretrained network is
    undisturbed.

    Call with x float (batch, length, size) and spans int (batch, 2): first and last position, inclusive.
    Returns the shape of x.
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def build(self, input_shape):
        self.table = self.add_weight("embeddings", (2 * (_NEAR + _FAR) + 1, self.size), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs, spans):
        positions = tf.range(tf.shape(inputs)[1])[None]
        before, after = spans[:, :1] - positions, positions - spans[:, 1:]
        distance = tf.maximum(tf.maximum(before, after), 0)
        ratio = tf.cast(tf.maximum(distance, _NEAR), tf.float32) / _NEAR
        far = _NEAR + tf.cast(2 * tf.math.log(ratio) / tf.math.log(2.0), tf.int32)
        bucket = tf.minimum(tf.where(distance < _NEAR, distance, far), _NEAR + _FAR)
        # Bucket 0 is the span itself, then the buckets after it, then those before it.
        index = tf.where(before > 0, bucket + _NEAR + _FAR, bucket)
        return inputs + tf.cast(tf.gather(self.table, index), inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
