"""Ways to put texts, or scikit-learn's digits, into clusters, each with several seeds: the tables of docs/latent.md.

python scripts/clustering_table.py --input TEXTS --clusters 15
python scripts/clustering_table.py --digits
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.process import start_tensorflow

from cluster_input import read_rows, scores
from cluster_methods import VaeOptions, cluster, plain_latents
from text_vectors import VectorOptions, Vectors, tfidf

_DIGITS = 10


@dataclass
class Config:
    """Ways to put texts, or scikit-learn's digits, into clusters, each with several seeds."""

    input: Path | None = None
    """File with texts and labels, as for cluster_texts.py."""
    digits: bool = False
    """scikit-learn's 1,797 digits of 8 x 8 points in place of texts."""
    clusters: int = 15
    """So many clusters of texts."""
    starts: int = 5
    """Starts of each way, of which the one that fits best is kept; one for TF-IDF without SVD."""
    seeds: tuple[int, ...] = (1, 2, 3)
    """Of each way."""
    ways: tuple[str, ...] = ()
    """Only ways with one of these in their names."""
    reading: VectorOptions = field(default_factory=VectorOptions)
    vae: VaeOptions = field(default_factory=VaeOptions)

    def __post_init__(self):
        check_at_least(self, clusters=1, starts=1)
        if self.digits == bool(self.input):
            raise UserError("--input and --digits: one of them says what is clustered - give one")


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the table; returns the figures by name, means over the seeds."""
    config = parse_flags(Config, argv)
    start_tensorflow()
    labels, count, ways = of_digits(config) if config.digits else of_texts(config)
    figures, rows = {}, []
    for name, way in ways.items():
        if config.ways and not any(part in name for part in config.ways):
            continue
        begun = time.process_time()
        found = [scores(labels, way(seed)) for seed in config.seeds]
        seconds = (time.process_time() - begun) / len(config.seeds)
        means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
        spread = {key: float(np.ptp([one[key] for one in found])) for key in found[0]}
        figures |= {f"{name}, {key}": value for key, value in means.items()}
        rows.append([name, *(f"{means[key]:.4f} ({spread[key]:.4f})" for key in means), f"{seconds:.1f}"])
        print(name, *rows[-1][1:], flush=True)
    print("\n" + table([f"{count} clusters", "accuracy", "nmi", "ari", "CPU seconds"], rows))
    print(f"\nmeans of the seeds {', '.join(map(str, config.seeds))}, in brackets largest less smallest")
    return figures


Ways = dict[str, Callable[[int], np.ndarray]]


def of_digits(config: Config) -> tuple[Sequence[str | None], int, Ways]:
    images, labels = load_digits(return_X_y=True)
    vectors = (images / 16).astype(np.float32)
    return [*map(str, labels)], _DIGITS, methods(lambda seed: vectors, _DIGITS, config, "")


def of_texts(config: Config) -> tuple[Sequence[str | None], int, Ways]:
    """Where word vectors or a SimBERT are given, theirs are clustered beside the rest."""
    rows, plain = read_rows(config.input), replace(config.reading, word_vectors=None, run=None, pretrained=None)
    sparse = tfidf(Vectors(rows.texts, plain, seed=1).features(plain.most_texts))

    def vectors(options: VectorOptions) -> Callable[[int], np.ndarray]:
        return lambda seed: Vectors(rows.texts, options, seed).values

    ways: Ways = {
        "TF-IDF, k-means": lambda seed: KMeans(config.clusters, n_init=1, random_state=seed).fit_predict(sparse)
    }
    kinds = {"TF-IDF, SVD, ": replace(plain, vectors="tfidf"), "light encoder, ": replace(plain, vectors="encoder")}
    if plain != config.reading:
        kinds["word vectors, " if config.reading.word_vectors else "SimBERT, "] = config.reading
    for prefix, options in kinds.items():
        ways |= methods(vectors(options), config.clusters, config, prefix)
    return rows.labels, config.clusters, ways


def methods(vectors: Callable[[int], np.ndarray], count: int, config: Config, prefix: str) -> Ways:
    """What can be done with vectors, which are made once for each seed."""
    made: dict[int, np.ndarray] = {}

    def of_seed(seed: int) -> np.ndarray:
        if seed not in made:
            made[seed] = vectors(seed)
        return made[seed]

    def by(method: str, seed: int, **changed) -> np.ndarray:
        return cluster(of_seed(seed), count, method, config.starts, seed, replace(config.vae, **changed)).labels

    def of_plain_vae(seed: int) -> np.ndarray:
        z = plain_latents(of_seed(seed), seed, config.vae)
        return cluster(z, count, "kmeans", config.starts, seed).labels

    post = {"posterior": "network", "means_from": "random"}
    return {
        f"{prefix}k-means": partial(by, "kmeans"),
        f"{prefix}GMM": partial(by, "gmm"),
        f"{prefix}VAE, then k-means": of_plain_vae,
        f"{prefix}VAE in one step": partial(by, "vae"),
        f"{prefix}VAE in one step, as in the post": partial(by, "vae", **post),
    }


if __name__ == "__main__":
    run(main)
