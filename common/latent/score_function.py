"""The gradient of an expected loss out of losses alone: the score function, or REINFORCE (Williams 1992;
kexue.fm/archives/6705).

    d E[f(y)] = E[ (f(y) - b) d log p(y) + d f(y) ]

for any b that does not depend on y. It is right on average, also where f has no gradient with respect to y; without a
baseline its variance grows with the size of f, not of its differences.
"""

from common.keras_compat import keras, tf
from common.latent.gumbel import gumbel_noise


def drawn(logits, seed):
    """A class drawn from softmax(logits) for each row, int64 (...). seed: int (2,)."""
    return tf.argmax(logits + gumbel_noise(tf.shape(logits), seed, logits.dtype), -1)


def score_function_loss(logits, choices, values, baseline=0.0):
    """Losses whose values are `values` and whose gradient is the estimate above. logits: float (..., classes). choices: int
    (...), drawn from them. values: float (...), the loss of each choice, through which gradients go on to what computed
    it. baseline: float that broadcasts to (...)."""
    logarithms = tf.gather(tf.nn.log_softmax(logits), choices, batch_dims=len(choices.shape))
    advantage = tf.stop_gradient(values - baseline)
    return values + advantage * (logarithms - tf.stop_gradient(logarithms))


def leave_one_out(values):
    """A baseline for several draws of the same rows: for each the mean of the others, which knows nothing of it (Kool et al.
    2019). values: float (draws, ...), at least 2 draws."""
    if values.shape[0] is not None and values.shape[0] < 2:
        raise ValueError("A draw has no others to be compared with: draw twice or more.")
    values = tf.stop_gradient(values)
    draws = tf.cast(tf.shape(values)[0], values.dtype)
    return (tf.reduce_sum(values, 0, keepdims=True) - values) / (draws - 1)


class MovingBaseline(keras.layers.Layer):
    """The moving average of the mean loss of former batches, a scalar. Call with values float (...); in training they join
    the average after it was read, since a baseline must not know what it is subtracted from. decay: share of the former
    average that a batch leaves."""

    def __init__(self, decay: float = 0.9, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not 0 <= decay < 1:
            raise ValueError(f"decay must be at least 0 and below 1, and is {decay}.")
        self.decay = decay

    def build(self, input_shape):
        self.total = self.add_weight("total", (), initializer="zeros", trainable=False)
        self.weight = self.add_weight("weight", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, values, training=None):
        # Divided by the weights so far, the average does not begin at 0; before the first batch there is none.
        baseline = tf.math.divide_no_nan(tf.convert_to_tensor(self.total), tf.convert_to_tensor(self.weight))
        if training:
            with tf.control_dependencies([baseline]):
                mean = tf.reduce_mean(tf.stop_gradient(values))
                self.total.assign(self.decay * self.total + (1 - self.decay) * mean)
                self.weight.assign(self.decay * self.weight + (1 - self.decay))
        return tf.stop_gradient(baseline)

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}
