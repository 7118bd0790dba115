"""Clustering in one step: a VAE whose latent variable is a Gaussian around one learned mean for each class
(kexue.fm/archives/5887).

    z ~ N(m(x), s(x)^2),   q(y|z) of the classes,   p(z|y) = N(mean of y, 1),   p(y) = 1 / K,   x^ = decoder(z)
    loss = a |x - x^|^2 / 2  +  b sum_y q(y|z) ((z - mean_y)^2 - log s^2) / 2  +  c sum_y q(y|z) log q(y|z)

The post learns q(y|z) by a small network. For given means there is a best q, the posterior softmax_y(-b (z - mean_y)^2 /
2c), for which the last two terms become a softened distance to the nearest mean (Jiang et al. 2017): nothing more to
learn, and nothing that could put all into one class. Both are here.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from common.keras_compat import keras, tf

Posterior = Literal["network", "bayes"]
_LARGEST_LOG_VARIANCE = 10.0


class Weights(NamedTuple):
    """Of the terms of the loss: a, b and c above. The post has 2.5, 1 and 1."""

    reconstruction: float = 2.5
    latent: float = 1.0
    classes: float = 1.0


class GaussianSample(keras.__internal__.layers.BaseRandomLayer):
    """mean + exp(log_variance / 2) noise: a sample with a gradient. Call with [mean, log_variance], float (..., size) each.
    Without training the mean itself."""

    def call(self, inputs, training=None):
        mean, log_variance = inputs
        if not training:
            return mean
        seed = self._random_generator.make_seed_for_stateless_op()
        return mean + tf.exp(log_variance / 2) * tf.random.stateless_normal(tf.shape(mean), seed, dtype=mean.dtype)


class ClusterMeans(keras.layers.Layer):
    """One learned mean for each class. Call with z float (batch, size); returns z - mean, float (batch, classes, size)."""

    def __init__(self, classes: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.classes = classes

    def build(self, input_shape):
        initializer = keras.initializers.RandomNormal(stddev=1.0)
        self.means = self.add_weight("means", (self.classes, input_shape[-1]), initializer=initializer)
        super().build(input_shape)

    def call(self, z):
        return z[:, None] - self.means

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}


def build_clustering_vae(
    size: int,
    classes: int,
    latent: int = 20,
    hidden: Sequence[int] = (256,),
    posterior: Posterior = "network",
    weights: Weights = Weights(),
) -> keras.Model:
    """x float32 (batch, size) -> `mean`, `log_variance` and `z` (batch, latent), `decoded` (batch, size), `differences`
    (batch, classes, latent) of z and the means, and `logarithms` (batch, classes) of q(y|z). Its layer "means" is
    `ClusterMeans`."""
    x = keras.Input((size,), name="x")
    state = x
    for number, units in enumerate(hidden):
        state = keras.layers.Dense(units, activation="relu", name=f"encoder_{number}")(state)
    mean = keras.layers.Dense(latent, name="mean")(state)
    # Bounded: the exponential of a large one would be infinite.
    log_variance = tf.clip_by_value(
        keras.layers.Dense(latent, name="log_variance")(state), -_LARGEST_LOG_VARIANCE, _LARGEST_LOG_VARIANCE
    )
    z = GaussianSample(name="sample")([mean, log_variance])
    state = z
    for number, units in enumerate(reversed(hidden)):
        state = keras.layers.Dense(units, activation="relu", name=f"decoder_{number}")(state)
    decoded = keras.layers.Dense(size, name="decoded")(state)
    differences = ClusterMeans(classes, name="means")(z)
    if posterior == "network":
        state = keras.layers.Dense(hidden[-1], activation="relu", name="classifier")(z)
        logits = keras.layers.Dense(classes, name="logits")(state)
    else:
        logits = posterior_logits(differences, weights)
    outputs = {"mean": mean, "log_variance": log_variance, "z": z, "decoded": decoded, "differences": differences}
    return keras.Model(x, outputs | {"logarithms": tf.nn.log_softmax(logits)})


def posterior_logits(differences, weights: Weights = Weights()):
    """Logits of the q(y|z) for which the loss is least: float (batch, classes)."""
    return -weights.latent / (2 * weights.classes) * tf.reduce_sum(tf.square(differences), -1)


def clustering_loss(x, outputs, weights: Weights = Weights()):
    """The terms of the loss, weighed, each float (batch,): of reconstruction, latent variable and classes. Their sum is an upper
    bound of -log p(x) but for constants where all weights are 1."""
    q = tf.exp(outputs["logarithms"])
    reconstruction = tf.reduce_sum(tf.square(x - outputs["decoded"]), -1) / 2
    distances = tf.reduce_sum(tf.square(outputs["differences"]) - outputs["log_variance"][:, None], -1) / 2
    latent = tf.reduce_sum(q * distances, -1)
    classes = tf.reduce_sum(q * outputs["logarithms"], -1)
    return weights.reconstruction * reconstruction, weights.latent * latent, weights.classes * classes


def set_means(model: keras.Model, means: np.ndarray) -> None:
    """Puts the means of the classes, float (classes, latent), where others have found them, such as k-means."""
    model.get_layer("means").set_weights([means])
