"""Texts as a few symbols: a VQ-VAE of their vectors with several small codebooks (kexue.fm/archives/6760).

    vector -> dense, relu, dense -> parts, each put to the nearest code of its codebook -> dense, relu, dense -> vector

Beside it stands product quantisation, which has k-means of slices of the vector itself in place of a network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans

from common.command_line import check_above, check_at_least, check_below_one

from cluster_methods import passes, scaled

_BATCH, _LEARNING_RATE, _LEAST_STEPS = 100, 2e-3, 1000
_QUERIES = 500  # texts that are looked for
_NEAREST, _AMONG = 10, 100


@dataclass
class CodeOptions:
    """Of --codes."""

    codebooks: int = 4
    """Symbols of a text, each of a codebook of its own."""
    codebook_size: int = 64
    """Symbols in a codebook."""
    code_size: int = 8
    """Values of the vector that stands for a symbol."""
    code_epochs: int = 40
    """Passes of the VQ-VAE over the texts, more where these are fewer than 1,000 steps."""
    commitment: float = 0.25
    """Weight of the distance of a text from its codes in the loss."""
    code_decay: float = 0.99
    """Codes are moving averages, of which a step leaves so much."""

    def __post_init__(self):
        check_at_least(self, codebooks=1, codebook_size=2, code_size=1, code_epochs=1, commitment=0)
        check_above(self, commitment=0)
        check_below_one(self, "code_decay")


class Coded(NamedTuple):
    """codes: int (texts, codebooks). decoded: what they stand for, float32 (texts, size), in the scale of `scaled`."""

    codes: np.ndarray
    decoded: np.ndarray


def learned_codes(vectors: np.ndarray, options: CodeOptions, seed: int) -> tuple[Coded, list[list[float]]]:
    """The codes, and after each epoch how many codes of each codebook would be used as evenly as those of a batch."""
    from common.keras_compat import keras, prepare, tf
    from common.latent.quantization import VectorQuantization
    from common.latent.training import predicted, train_epochs

    prepare(seed, "no")
    rows = scaled(vectors)
    size = rows.shape[1]
    x = keras.Input((size,), name="x")
    state = keras.layers.Dense(2 * size, activation="relu")(x)
    state = keras.layers.Dense(options.codebooks * options.code_size)(state)
    state = keras.layers.Reshape((options.codebooks, options.code_size))(state)
    quantized = VectorQuantization(
        options.codebooks, options.codebook_size, commitment=options.commitment, decay=options.code_decay
    )(state)
    state = keras.layers.Flatten()(quantized.vectors)
    decoded = keras.layers.Dense(size)(keras.layers.Dense(2 * size, activation="relu")(state))
    model = keras.Model(x, {"decoded": decoded, "loss": quantized.loss, "perplexity": quantized.perplexity})

    def losses(x, outputs):
        error = tf.reduce_sum(tf.square(x - outputs["decoded"]), -1)
        used = {f"codebook {number}": outputs["perplexity"][number] for number in range(options.codebooks)}
        return {"loss": error + tf.reduce_sum(outputs["loss"], -1)} | used

    epochs = passes(options.code_epochs, _LEAST_STEPS, len(rows), _BATCH)
    history = [
        [means[f"codebook {number}"] for number in range(options.codebooks)]
        for means in train_epochs(model, losses, rows, epochs, _BATCH, _LEARNING_RATE, seed)
    ]
    found = predicted(keras.Model(x, {"codes": quantized.codes, "decoded": decoded}), rows)
    return Coded(found["codes"], found["decoded"]), history


def product_codes(vectors: np.ndarray, codebooks: int, codebook_size: int, seed: int) -> Coded:
    """Product quantisation (Jégou et al. 2011) with as many symbols: every `codebooks`-th value is one slice, so that those of
    large variance are dealt out evenly."""
    rows = scaled(vectors)
    codes, decoded = np.zeros((len(rows), codebooks), int), np.zeros_like(rows)
    for number in range(min(codebooks, rows.shape[1])):
        part = rows[:, number::codebooks]
        found = KMeans(min(codebook_size, len(np.unique(part, axis=0))), n_init=1, random_state=seed).fit(part)
        codes[:, number], decoded[:, number::codebooks] = found.labels_, found.cluster_centers_[found.labels_]
    return Coded(codes, decoded)


def figures_of(
    coded: Coded, vectors: np.ndarray, texts: Sequence[str], labels: Sequence[str | None], seed: int
) -> dict[str, float]:
    """`explained`: share of the variance of the vectors that codes explain. `perplexity`: of the codes of all texts, a mean
    over codebooks. `different`: different codes that different texts have, divided by their number. `recall`, `recall_100`:
    share of the 10 nearest other texts, by the vectors, that are among the first 10 and 100 by the codes. `same_label` and
    `same_label_vectors`: share of the first 10 with the label of the text, by codes and by vectors, where there are labels.

    A text is looked for by its own vector among the codes of the others. texts: copies are left out.
    """
    rows = scaled(vectors)
    first = np.sort(np.unique(np.asarray(texts, object).astype(str), return_index=True)[1])
    rows, decoded, codes = rows[first], coded.decoded[first], coded.codes[first]
    use = [np.bincount(column) / len(column) for column in codes.T]
    entropies = [-(shares[shares > 0] * np.log(shares[shares > 0])).sum() for shares in use]
    variance = np.square(rows - rows.mean(0)).sum()
    figures = {
        "explained": 1 - float(np.square(rows - decoded).sum() / variance) if variance else 1.0,
        "perplexity": float(np.mean(np.exp(entropies))),
        "different": len(np.unique(codes, axis=0)) / len(codes),
    }
    return figures | _retrieval(rows, decoded, [labels[place] for place in first], seed)


def _retrieval(rows: np.ndarray, decoded: np.ndarray, labels: Sequence[str | None], seed: int) -> dict[str, float]:
    queries = np.random.default_rng(seed).permutation(len(rows))[:_QUERIES]
    hits, agreeing = [], []
    for place in queries:
        by_vectors, by_codes = (_nearest(rows[place], among, place) for among in (rows, decoded))
        wanted = by_vectors[:_NEAREST]
        hits.append([np.isin(wanted, by_codes[:count]).mean() for count in (_NEAREST, _AMONG) if len(wanted)])
        if labels[place] is not None:
            agreeing.append([_agreement(labels, place, found[:_NEAREST]) for found in (by_codes, by_vectors)])
    recalls = np.mean([hit for hit in hits if hit], 0).tolist() if any(hits) else [1.0, 1.0]
    found = dict(zip(("recall", "recall_100"), recalls))
    agreeing = [shares for shares in agreeing if None not in shares]
    return found | (dict(zip(("same_label", "same_label_vectors"), np.mean(agreeing, 0).tolist())) if agreeing else {})


def _nearest(vector: np.ndarray, among: np.ndarray, itself: int) -> np.ndarray:
    """Places of the others, nearest first, of equal ones the first."""
    distances = np.square(among - vector).sum(1)
    distances[itself] = np.inf
    return np.argsort(distances, kind="stable")[: min(_AMONG, len(among) - 1)]


def _agreement(labels: Sequence[str | None], place: int, found: np.ndarray) -> float | None:
    """Share of those with a label that have that of the text; None where none has one."""
    known = [labels[other] == labels[place] for other in found if labels[other] is not None]
    return float(np.mean(known)) if known else None
