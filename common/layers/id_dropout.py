"""Dropout of whole ids: what a word is gets hidden, and the model learns to read around it (kexue.fm/archives/5409)."""

from common.keras_compat import keras, tf


class IdDropout(keras.layers.Dropout):
    """In training replaces each id by `unknown` with probability `rate`; padding (0) stays. Call with ids, int of any
    shape."""

    def __init__(self, rate: float, unknown: int, **kwargs):
        super().__init__(rate, **kwargs)
        self.unknown = unknown

    def call(self, inputs, training=None):
        if not training or not self.rate:
            return inputs
        # Dropping ones out tells which ids to hide, with the generator that every dropout layer has.
        kept = super().call(tf.ones(tf.shape(inputs)), training=True) > 0
        return tf.where(kept | (inputs == 0), inputs, self.unknown)

    def get_config(self):
        return {**super().get_config(), "unknown": self.unknown}
