"""Clusters of vectors, by k-means, by a mixture of Gaussians, or by a VAE in one step (kexue.fm/archives/5887).

All three are started several times, and the start that fits best is kept: a bad one puts half of the texts into one
cluster and leaves others empty, and its bound says so without any label.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from common.command_line import check_above, check_at_least

Method = Literal["kmeans", "gmm", "vae"]
Posterior = Literal["bayes", "network"]
Start = Literal["kmeans", "random"]

_SMALLEST_VARIANCE = 1e-4  # that is added to those of a mixture
_LARGEST_SEED = 2**31


@dataclass
class VaeOptions:
    """Of --method vae."""

    latent_size: int = 20
    """Size of the latent variable of the VAE."""
    hidden_size: int = 256
    """Neurons of the VAE's hidden layers."""
    epochs: int = 30
    """Passes of the VAE over the texts, more where these are fewer than --least-steps."""
    least_steps: int = 1000
    """Training steps of the VAE at least, without which it learns nothing of a few texts."""
    batch_size: int = 200
    """Texts of a training step of the VAE."""
    learning_rate: float = 1e-3
    """Highest learning rate of the VAE, from which it falls to zero."""
    posterior: Posterior = "bayes"
    """How the VAE tells the cluster of a latent variable: by the distances to the means, or by a small network that is
    learned, as in the post."""
    means_from: Start = "kmeans"
    """Where the VAE's means begin: at k-means of the latent variables of a VAE with one cluster, trained for a third of the
    passes, or at random, as in the post."""
    reconstruction_weight: float = 2.5
    """Weight of the VAE's reconstruction in its loss."""
    latent_weight: float = 1.0
    """Weight of the distance of latent variable and mean in the VAE's loss."""
    class_weight: float = 1.0
    """Weight of the entropy of the clusters in the VAE's loss."""

    def __post_init__(self):
        check_at_least(self, latent_size=1, hidden_size=1, epochs=1, least_steps=1, batch_size=1)
        check_above(self, learning_rate=0, reconstruction_weight=0, latent_weight=0, class_weight=0)


class Clusters(NamedTuple):
    """probabilities: float32 (texts, clusters). starts: of each start the fit, higher is better, and the clusters, int
    (texts,); the best one is `chosen`."""

    probabilities: np.ndarray
    starts: list[tuple[float, np.ndarray]]
    chosen: int

    @property
    def labels(self) -> np.ndarray:
        return self.probabilities.argmax(1)


def cluster(
    vectors: np.ndarray, count: int, method: Method, starts: int, seed: int, options: VaeOptions = VaeOptions()
) -> Clusters:
    """vectors: float32 (texts, size), at least `count` different ones. Clusters are numbered by size, the largest first."""
    if count == 1:
        return Clusters(np.ones((len(vectors), 1), np.float32), [(0.0, np.zeros(len(vectors), int))], 0)
    ways: dict[str, Callable[[int], tuple[float, np.ndarray]]] = {
        "kmeans": lambda seed: by_kmeans(vectors, count, seed),
        "gmm": lambda seed: by_mixture(vectors, count, seed),
        "vae": lambda seed: by_vae(vectors, count, seed, options),
    }
    found = [ways[method](start_seed) for start_seed in seeds_of(seed, starts)]
    chosen = int(np.argmax([fit for fit, _ in found]))
    probabilities = found[chosen][1]
    sizes = np.bincount(probabilities.argmax(1), minlength=count)
    probabilities = probabilities[:, np.argsort(-sizes, kind="stable")].astype(np.float32)
    return Clusters(probabilities, [(fit, of_start.argmax(1)) for fit, of_start in found], chosen)


def seeds_of(seed: int, starts: int) -> list[int]:
    """Of each start, so that one start more leaves the others as they are."""
    return np.random.default_rng(seed).integers(_LARGEST_SEED, size=starts).tolist()


def by_kmeans(vectors: np.ndarray, count: int, seed: int) -> tuple[float, np.ndarray]:
    """Minus the mean squared distance, and probabilities as of Gaussians of one variance around the means."""
    found = KMeans(count, n_init=1, random_state=seed).fit(vectors)
    distances = np.square(found.transform(vectors))
    variance = max(found.inertia_ / vectors.size, 1e-12)
    return -found.inertia_ / len(vectors), softmax(-distances / (2 * variance))


def by_mixture(vectors: np.ndarray, count: int, seed: int) -> tuple[float, np.ndarray]:
    """The mean log-likelihood of Gaussians with a variance for each value, and the probabilities."""
    mixture = GaussianMixture(count, covariance_type="diag", reg_covar=_SMALLEST_VARIANCE, random_state=seed)
    mixture.fit(vectors.astype(float))
    return float(mixture.lower_bound_), mixture.predict_proba(vectors.astype(float))


def by_vae(vectors: np.ndarray, count: int, seed: int, options: VaeOptions) -> tuple[float, np.ndarray]:
    """Minus the loss, a bound of the log-likelihood, and q(y|z) at the mean of z."""
    from common.keras_compat import prepare, tf
    from common.latent.clustering_vae import build_clustering_vae, clustering_loss, set_means
    from common.latent.training import predicted

    prepare(seed, "no")
    rows, weights = scaled(vectors), _weights(options)
    sizes = (options.latent_size, (options.hidden_size,))
    model = build_clustering_vae(rows.shape[1], count, *sizes, options.posterior, weights)
    if options.means_from == "kmeans":
        plain = _trained(
            build_clustering_vae(rows.shape[1], 1, *sizes, "bayes", weights), rows, options, options.epochs // 3, seed
        )
        for layer in plain.layers:
            if layer.weights and layer.name != "means":
                model.get_layer(layer.name).set_weights(layer.get_weights())
        z = predicted(plain, rows)["mean"]
        set_means(model, KMeans(count, n_init=1, random_state=seed).fit(z).cluster_centers_)
    outputs = predicted(_trained(model, rows, options, options.epochs, seed), rows)
    terms = clustering_loss(tf.constant(rows), {name: tf.constant(values) for name, values in outputs.items()}, weights)
    return -float(np.mean(sum(terms))), np.exp(outputs["logarithms"])


def plain_latents(vectors: np.ndarray, seed: int, options: VaeOptions) -> np.ndarray:
    """The means of the latent variables of a VAE whose prior is one Gaussian, float32 (texts, latent)."""
    from common.keras_compat import prepare
    from common.latent.clustering_vae import build_clustering_vae
    from common.latent.training import predicted

    prepare(seed, "no")
    rows, sizes = scaled(vectors), (options.latent_size, (options.hidden_size,))
    model = build_clustering_vae(rows.shape[1], 1, *sizes, "bayes", _weights(options))
    return predicted(_trained(model, rows, options, options.epochs, seed), rows)["mean"]


def _trained(model, rows: np.ndarray, options: VaeOptions, epochs: int, seed: int):
    """The model, trained."""
    from common.latent.clustering_vae import clustering_loss
    from common.latent.training import train_epochs

    def losses(x, outputs):
        return {"loss": sum(clustering_loss(x, outputs, _weights(options)))}

    epochs = passes(epochs, options.least_steps, len(rows), options.batch_size)
    for _ in train_epochs(model, losses, rows, epochs, options.batch_size, options.learning_rate, seed):
        pass
    return model


def passes(epochs: int, least_steps: int, rows: int, batch_size: int) -> int:
    """So many, or as many as these steps take."""
    return max(epochs, -(-least_steps // -(-rows // batch_size)))


def _weights(options: VaeOptions):
    from common.latent.clustering_vae import Weights

    return Weights(options.reconstruction_weight, options.latent_weight, options.class_weight)


def scaled(vectors: np.ndarray) -> np.ndarray:
    """Vectors around 0 whose values have variance 1 on average: what the weights of the loss are meant for. The values
    keep their proportions, since the first of an SVD say more than the last. float32."""
    centred = vectors - vectors.mean(0)
    return (centred / max(float(centred.std()), 1e-12)).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)
