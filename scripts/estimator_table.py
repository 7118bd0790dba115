"""Bias and variance of gradients through a choice, beside the exact ones: the table of docs/latent.md.

python scripts/estimator_table.py

A class y of --classes is drawn from softmax(logits), and costs f(y) = |W y - target|^2 for a random matrix W. All classes
can be gone through, so the gradient of the mean cost is known. For a vector that is put to the nearest of codes it is
known where the codes stand on a line and the vector has Gaussian noise.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from common.command_line import check_at_least, parse_flags, run, table
from common.process import start_tensorflow

_TEMPERATURES = (1.0, 0.5, 0.1)


@dataclass
class Config:
    """Bias and variance of gradients through a choice, beside the exact ones."""

    classes: int = 10
    """Classes to choose from, and codes on a line."""
    size: int = 4
    """Size of what a class stands for."""
    offset: float = 10.0
    """Added to every cost: it changes no gradient, but its estimates."""
    draws: int = 200_000
    """Estimates of which mean and deviation are taken."""
    seed: int = 1
    """Decides the costs, and what is drawn."""

    def __post_init__(self):
        check_at_least(self, classes=2, size=1, draws=2, seed=0)
        check_at_least(self, offset=-math.inf)


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the table; returns the biases and deviations by name."""
    config = parse_flags(Config, argv)
    start_tensorflow()
    rows = [*of_drawn_classes(config), of_nearest_codes(config)]
    print(table(["gradient by", "bias", "deviation"], rows))
    print("\nboth in lengths of the exact gradient")
    return {f"{way}, {name}": value for way, *values in rows for name, value in zip(("bias", "deviation"), values)}


def of_drawn_classes(config: Config) -> list[list]:
    """Name, bias and deviation of each estimator."""
    from common.keras_compat import tf
    from common.latent.gumbel import gumbel_noise, softened_choice
    from common.latent.score_function import drawn, leave_one_out, score_function_loss

    generator = np.random.default_rng(config.seed)
    matrix = tf.constant(generator.normal(size=(config.classes, config.size)))
    target, logits = generator.normal(size=config.size), generator.normal(size=config.classes)

    def cost(y):
        return tf.reduce_sum(tf.square(y @ matrix - target), -1) + config.offset

    costs, p = cost(tf.eye(config.classes, dtype=tf.float64)).numpy(), np.exp(logits) / np.exp(logits).sum()
    exact = p * (costs - p @ costs)
    rows = tf.constant(np.tile(logits, (config.draws, 1)))

    def softened(temperature: float, straight_through: bool) -> Callable:
        noise = gumbel_noise(rows.shape, (config.seed, 0), tf.float64)
        return lambda logits: cost(softened_choice(logits, noise, temperature, straight_through))

    def scored(baseline: float) -> Callable:
        choices = drawn(rows, (config.seed, 1))
        return lambda logits: score_function_loss(logits, choices, tf.gather(tf.constant(costs), choices), baseline)

    def compared(logits):
        """Two draws each, which are each other's baseline; at twice the cost."""
        both = tf.tile(logits[None], [2, 1, 1])
        choices = drawn(tf.stop_gradient(both), (config.seed, 2))
        values = tf.gather(tf.constant(costs), choices)
        return tf.reduce_mean(score_function_loss(both, choices, values, leave_one_out(values)), 0)

    ways = {f"Gumbel softmax, temperature {t}": softened(t, False) for t in _TEMPERATURES}
    ways |= {f"the same straight through, temperature {t}": softened(t, True) for t in _TEMPERATURES}
    ways |= {"score function": scored(0.0), "score function less the mean cost": scored(float(p @ costs))}
    ways["score function, two draws compared"] = compared
    return [[name, *_figures(_gradients(way, rows), exact)] for name, way in ways.items()]


def of_nearest_codes(config: Config) -> list:
    """The same of a vector z + noise that is put to the nearest code e and costs (e - target)^2."""
    from common.keras_compat import tf
    from common.latent.quantization import VectorQuantization

    generator = np.random.default_rng(config.seed)
    codes, z, target = np.sort(generator.normal(0, 2, config.classes)), 0.5, 2.0
    edges = np.concatenate([[-np.inf], (codes[1:] + codes[:-1]) / 2, [np.inf]])
    exact = ((codes - target) ** 2 * -np.diff(norm.pdf(edges - z))).sum(keepdims=True)
    layer = VectorQuantization(1, config.classes, dtype="float64")
    layer.build((None, 1, 1))
    layer.codebook.assign(codes[None, :, None])
    noisy = tf.constant(z + generator.normal(size=(config.draws, 1, 1)))
    found = _gradients(lambda z: tf.square(layer(z).vectors - target)[:, 0, 0], noisy)
    return ["vector quantisation, copied to the vector", *_figures(found[:, 0], exact)]


def _gradients(loss: Callable, rows) -> np.ndarray:
    """Of the loss of each row by that row."""
    from common.keras_compat import tf

    with tf.GradientTape() as tape:
        tape.watch(rows)
        total = tf.reduce_sum(loss(rows))
    return tape.gradient(total, rows).numpy()


def _figures(found: np.ndarray, exact: np.ndarray) -> tuple[float, float]:
    length = np.linalg.norm(exact)
    bias = np.linalg.norm(found.mean(0) - exact) / length
    return float(bias), float(np.sqrt(found.var(0).sum()) / length)


if __name__ == "__main__":
    run(main)
