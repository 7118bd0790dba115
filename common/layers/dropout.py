"""Dropout with half of the random bits: in a transformer on a CPU, drawing them is a tenth of a training step."""

from common.keras_compat import keras, tf


class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout` by `drop_out`, with the generator that every dropout layer has."""

    def call(self, inputs, training=None):
        if not training or not self.rate:
            return inputs
        return drop_out(inputs, self.rate, self._random_generator.make_seed_for_stateless_op())


def drop_out(values, rate: float, seed):
    """float values of any shape, each zero with probability `rate` and divided by 1 - rate otherwise. seed: int (2,),
    which alone decides where.

    Sixteen bits decide about a value, so that rates are exact to 1/131072, where TensorFlow draws a float of 32.
    """
    shape = tf.shape(values)
    count = tf.reduce_prod(shape)
    pairs = tf.random.stateless_uniform([(count + 1) // 2], seed, minval=None, maxval=None, dtype=tf.uint32)
    bits = tf.reshape(tf.bitcast(pairs, tf.uint16), [-1])[:count]
    kept = bits >= tf.constant(min(round(rate * 2**16), 2**16 - 1), tf.uint16)
    return values * (tf.reshape(tf.cast(kept, values.dtype), shape) * (1 / (1 - rate)))
