"""Binary hashes of words and texts (BioWord, kexue.fm/archives/8159; Ryali et al. 2020, Liang et al. 2021).

What is seen is a word and those around it, as a sparse vector x of 2 V values: the first V are the words around, the last
V the word itself, each weighed by a power of 1 / its frequency, and x has length 1. K centres of length 1 are learned as
in k-means, each example by the centre that is nearest to it; its hash are K bits, of which those of the nearest few
centres are set. A word alone has only its own value, and a text only those of its words around nothing.

Hashes are compared by how many bits differ, which takes a processor two instructions for 64 bits.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from common.generators import pad

_ARRAYS = "hashes.npz"
_BLOCK = 4096  # examples that are hashed at a time
_EXAMPLES_OF_A_CENTRE = 20  # whose mean it begins with


class WordHashes:
    """words: V of them, in normal form. weights: float32 (V,). centres: float32 (2 V, bits). active: bits that are set.
    window: so many words to each side are around a word."""

    def __init__(self, words: Sequence[str], weights: np.ndarray, centres: np.ndarray, active: int, window: int):
        self.words, self.weights, self.centres = list(words), weights, centres
        self.active, self.window = active, window
        self._ids = {word: number for number, word in enumerate(self.words)}

    @property
    def bits(self) -> int:
        return self.centres.shape[1]

    def of_words(self, words: Sequence[str]) -> np.ndarray:
        """Of each word alone, packed: uint8 (words, bits / 8). A word that is not known has no bit."""
        ids = np.array([self._ids.get(word, -1) for word in words])
        return self._hashes(self._vectors(ids[:, None] + len(self.words) * (ids[:, None] >= 0)))

    def in_context(self, words: Sequence[str]) -> np.ndarray:
        """Of each word of a text, with those around it."""
        ids = np.array([self._ids.get(word, -1) for word in words], int)
        return self._hashes(self._vectors(windows_of(ids, np.arange(len(ids)), self.window, len(self.words))))

    def of_texts(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """Of texts, given by their words, packed."""
        return self._hashes(self._text_vectors(texts))

    def bags(self, texts: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """What is hashed of texts: their words, weighed, as rows of length 1, float32 (texts, V)."""
        return self._text_vectors(texts)[:, : len(self.words)]

    def nearest(self, word: str, count: int) -> list[str]:
        """The words whose hashes differ least from that of a word, itself left out; of equal ones the first. KeyError for
        one that is not known."""
        own = self.of_words([self.words[self._ids[word]]])
        found = nearest(own, self.of_words(self.words), count + 1)[0].tolist()
        return [self.words[place] for place in found if place != self._ids[word]][:count]

    def save(self, folder: Path) -> None:
        """Writes it into a folder that exists."""
        np.savez(folder / _ARRAYS, weights=self.weights, centres=self.centres, sizes=[self.active, self.window])
        (folder / "words.json").write_text(json.dumps(self.words, ensure_ascii=False, indent=0) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "WordHashes":
        """What `save` wrote."""
        words = json.loads((folder / "words.json").read_text("utf-8"))
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            return cls(words, arrays["weights"], arrays["centres"], *arrays["sizes"].tolist())

    def _text_vectors(self, texts: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        rows = [np.array([self._ids.get(word, -1) for word in text], int) for text in texts]
        return self._vectors(pad(rows, -1))

    def _vectors(self, ids: np.ndarray) -> sparse.csr_matrix:
        return vectors_of(ids, self.weights)

    def _hashes(self, vectors: sparse.csr_matrix) -> np.ndarray:
        blocks = [
            winners(vectors[first : first + _BLOCK] @ self.centres, self.active)
            for first in range(0, vectors.shape[0], _BLOCK)
        ]
        found = np.concatenate(blocks) if blocks else np.zeros((0, self.bits), bool)
        found[np.diff(vectors.indptr) == 0] = False
        return np.packbits(found, axis=1)


# What is seen


def windows_of(ids: np.ndarray, places: np.ndarray, window: int, words: int) -> np.ndarray:
    """For some places of a text what is seen there: int (places, 2 window + 1), in the middle the word + `words`, beside
    it the words around; -1 where there is none. ids: of the text, -1 for unknown words and, `window` of them, between two
    texts."""
    around = places[:, None] + np.arange(-window, window + 1)
    outside = (around < 0) | (around >= len(ids))
    found = np.where(outside, -1, ids[np.clip(around, 0, max(len(ids) - 1, 0))] if len(ids) else -1)
    middle = found[:, window]
    found[:, window] = np.where(middle >= 0, middle + words, -1)
    return found


def vectors_of(ids: np.ndarray, weights: np.ndarray) -> sparse.csr_matrix:
    """Rows of ids, -1 for nothing, as sparse vectors of length 1, (rows, 2 V)."""
    is_there = ids >= 0
    columns = ids[is_there]
    values = np.concatenate([weights, weights])[columns]
    starts = np.concatenate([[0], np.cumsum(is_there.sum(1))])
    found = sparse.csr_matrix((values, columns, starts), (len(ids), 2 * len(weights)))
    found.sum_duplicates()
    lengths = np.sqrt(np.asarray(found.multiply(found).sum(1)).ravel())
    return sparse.diags((1 / np.maximum(lengths, 1e-12)).astype(np.float32)) @ found


# Learning


def train_centres(
    ids: np.ndarray, weights: np.ndarray, bits: int, window: int, steps: int, batch_size: int, seed: int
) -> Iterable[tuple[int, float, np.ndarray]]:
    """After each step its number, the mean product of an example and its centre, and the centres, float32 (2 V, bits). A
    step moves each centre towards the mean of the examples that it wins, by a rate that falls from a half to nothing."""
    generator, places = np.random.default_rng(seed), np.flatnonzero(ids >= 0)

    def examples(count: int) -> sparse.csr_matrix:
        return vectors_of(windows_of(ids, generator.choice(places, count), window, len(weights)), weights)

    first = examples(bits * _EXAMPLES_OF_A_CENTRE)
    owners = sparse.csr_matrix(
        (
            np.ones(first.shape[0], np.float32),
            np.repeat(np.arange(bits), _EXAMPLES_OF_A_CENTRE),
            np.arange(first.shape[0] + 1),
        )
    )
    centres = _of_length_one(np.asarray((first.T @ owners).todense()))
    for step in range(steps):
        vectors = examples(batch_size)
        products = vectors @ centres
        winner = products.argmax(1)
        won = sparse.csr_matrix(
            (np.ones(batch_size, np.float32), winner, np.arange(batch_size + 1)), (batch_size, bits)
        )
        counts = np.bincount(winner, minlength=bits)
        rate = 0.5 * (1 - step / steps)
        # A centre that has won nothing stays; that the others are pulled towards a mean keeps their direction alone.
        means = np.asarray((vectors.T @ won).todense()) / np.maximum(counts, 1)
        centres = _of_length_one(np.where(counts > 0, (1 - rate) * centres + rate * means, centres))
        yield step, float(products.max(1).mean()), centres


def _of_length_one(columns: np.ndarray) -> np.ndarray:
    return (columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-12)).astype(np.float32)


# Hashes


def winners(scores: np.ndarray, active: int) -> np.ndarray:
    """The `active` highest of each row, bool; of equal ones any."""
    found = np.zeros(scores.shape, bool)
    np.put_along_axis(found, np.argpartition(-scores, active - 1, 1)[:, :active], True, 1)
    return found


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How many bits differ between packed hashes, uint8 (..., bits / 8)."""
    return np.bitwise_count(np.bitwise_xor(one, other)).sum(-1, dtype=np.int32)


def nearest(queries: np.ndarray, hashes: np.ndarray, count: int) -> np.ndarray:
    """For each query the places of the `count` hashes that differ least, int (queries, count), the nearest first; of equal
    ones the first."""
    found = []
    for query in queries:
        away = distances(query[None], hashes).astype(np.int64) * len(hashes) + np.arange(len(hashes))
        chosen = np.argpartition(away, min(count, len(away)) - 1)[:count]
        found.append(chosen[np.argsort(away[chosen])])
    return np.array(found, int).reshape(len(queries), -1)
