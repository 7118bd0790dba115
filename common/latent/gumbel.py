"""Choices with a gradient: Gumbel softmax (Jang et al. 2017, Maddison et al. 2017; kexue.fm/archives/6705).

With g = -log(-log u), u uniform, argmax(logits + g) is drawn from softmax(logits). Softened, it has a gradient:

    softmax((logits + g) / temperature)

The lower the temperature, the nearer to a choice, and the larger and rarer the gradients; so it falls during training.
"""

from common.keras_compat import keras, tf


def gumbel_noise(shape, seed, dtype=tf.float32):
    """Independent values of Gumbel's distribution, float32 or float64. seed: int (2,), which alone decides them."""
    # Above 0 and below 1, so that all are finite.
    return -tf.math.log(-tf.math.log(tf.random.stateless_uniform(shape, seed, 1e-30, 1.0, dtype)))


def softened_choice(logits, noise, temperature, straight_through: bool = False):
    """softmax((logits + noise) / temperature) along the last axis. straight_through: the value is the one-hot vector of
    the largest, the gradient that of the softmax."""
    soft = tf.nn.softmax((logits + noise) / temperature)
    if not straight_through:
        return soft
    hard = tf.one_hot(tf.argmax(soft, -1), tf.shape(soft)[-1], dtype=soft.dtype)
    # In this order the difference is 0 to the last bit, and the value exactly one-hot.
    return hard + (soft - tf.stop_gradient(soft))


def temperature_at(step, highest: float = 1.0, lowest: float = 0.01, decay: float = 0.999):
    """lowest + (highest - lowest) decay^step, as in the post."""
    return lowest + (highest - lowest) * tf.pow(decay, tf.cast(step, tf.float32))


def kl_to_uniform(logits):
    """KL divergence of softmax(logits) from the uniform distribution, log K + sum of p log p, float (...): what keeps q(y|x)
    from being sure in place of the prior's KL of a Gaussian."""
    logarithms = tf.nn.log_softmax(logits)
    classes = tf.cast(tf.shape(logits)[-1], logits.dtype)
    return tf.reduce_sum(tf.exp(logarithms) * logarithms, -1) + tf.math.log(classes)


class GumbelSoftmax(keras.__internal__.layers.BaseRandomLayer):
    """Call with logits (..., classes); returns float32 of that shape: in training `softened_choice` at the temperature of
    the step, which each call in training advances by one; in prediction the one-hot vector of the largest logit.

    The step is a weight, so that a training that is resumed has the temperature at which it stopped.
    """

    def __init__(
        self,
        highest: float = 1.0,
        lowest: float = 0.01,
        decay: float = 0.999,
        straight_through: bool = False,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not 0 < lowest <= highest or not 0 < decay <= 1:
            raise ValueError(f"Temperatures must be positive and fall: {highest} to {lowest}, each step by {decay}.")
        self.highest, self.lowest, self.decay = highest, lowest, decay
        self.straight_through = straight_through

    def build(self, input_shape):
        super().build(input_shape)
        self.step = self.add_weight("step", (), dtype="int64", initializer="zeros", trainable=False)

    @property
    def temperature(self):
        """That of the next call in training, a float32 scalar."""
        return temperature_at(self.step, self.highest, self.lowest, self.decay)

    def call(self, logits, training=None):
        if not training:
            return tf.one_hot(tf.argmax(logits, -1), tf.shape(logits)[-1], dtype=logits.dtype)
        temperature = tf.cast(self.temperature, logits.dtype)
        self.step.assign_add(1)
        noise = gumbel_noise(tf.shape(logits), self._random_generator.make_seed_for_stateless_op(), logits.dtype)
        return softened_choice(logits, noise, temperature, self.straight_through)

    def get_config(self):
        names = ("highest", "lowest", "decay", "straight_through")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
