"""What a cluster is about: the words that tell its texts from the others, and its most typical texts. No TensorFlow."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse


def presence(texts: Sequence[Sequence[str]], least_texts: int = 2) -> tuple[sparse.csr_matrix, list[str]]:
    """Which words are in which texts, 0 or 1, float32 (texts, words), and the words, of those that are in so many texts.
    texts: the words of each."""
    numbers: dict[str, int] = {}
    columns = [
        np.unique([numbers.setdefault(word, len(numbers)) for word in words]).astype(np.int32) for words in texts
    ]
    starts = np.cumsum([0, *map(len, columns)])
    places = np.concatenate(columns) if columns else np.zeros(0, np.int32)
    found = sparse.csr_matrix((np.ones(len(places), np.float32), places, starts), (len(texts), len(numbers)))
    kept = np.flatnonzero(np.bincount(places, minlength=len(numbers)) >= least_texts)
    words = [*numbers]
    return found[:, kept], [words[place] for place in kept]


def telling_words(
    held: sparse.csr_matrix, words: Sequence[str], clusters: np.ndarray, count: int, number: int
) -> list[list[str]]:
    """For each of `number` clusters the words that tell most about whether a text is in it: mutual information of "has the
    word" and "is in the cluster", of those that are more frequent in it than in the rest; of equal ones the first.

    held, words: see `presence`. clusters: int (texts,).
    """
    member = sparse.csr_matrix((np.ones(len(clusters)), (clusters, np.arange(len(clusters)))), (number, len(clusters)))
    both = np.asarray((member @ held).todense(), float)  # (clusters, words)
    information = mutual_information(both, np.asarray(held.sum(0)).ravel(), np.bincount(clusters, minlength=number))
    found = []
    for values in information:
        best = np.argsort(-values, kind="stable")[:count]
        found.append([words[place] for place in best if values[place] > 0])
    return found


def mutual_information(both: np.ndarray, with_word: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """In nats, (clusters, words); negative where a word is rarer in a cluster than outside of it. both: how many texts of
    a cluster have a word. with_word: how many of all. sizes: texts of each cluster."""
    total, size = sizes.sum(), sizes[:, None]
    information = np.zeros(both.shape)
    for cell, row, column in (
        (both, size, with_word),
        (size - both, size, total - with_word),
        (with_word - both, total - size, with_word),
        (total - size - with_word + both, total - size, total - with_word),
    ):
        with np.errstate(divide="ignore", invalid="ignore"):
            information += np.where(cell > 0, cell / total * np.log(cell * total / (row * column)), 0)
    return np.where(both * total >= size * with_word, information, -information)


def typical_texts(
    texts: Sequence[str], vectors: np.ndarray, clusters: np.ndarray, count: int, number: int
) -> list[list[int]]:
    """For each cluster the places of the texts nearest to the mean of its vectors, without copies, nearest first."""
    found = []
    for cluster in range(number):
        places = np.flatnonzero(clusters == cluster)
        chosen: dict[str, int] = {}
        if len(places):
            distances = np.square(vectors[places] - vectors[places].mean(0)).sum(1)
            for place in places[np.argsort(distances, kind="stable")]:
                chosen.setdefault(texts[place], int(place))
                if len(chosen) == count:
                    break
        found.append([*chosen.values()])
    return found
