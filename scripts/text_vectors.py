"""Vectors of texts, by which they are put into clusters: of their words, learned, or those of a SimBERT."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from common.command_line import UserError, check_above, check_at_least, check_at_most
from common.similarity import Pooling
from common.tokenizers.word_vectors import read_word_vectors

from cluster_words import presence
from hash_scores import words_of

Kind = Literal["tfidf", "encoder"]

_LEAST_TEXTS = 2  # that hold a word
_FREQUENT = 100  # texts: a word in no more of them always counts
_ITERATIONS = 5  # of the SVD, at random
_ENCODER_BATCH = 64
_LONGEST = 128  # tokens that the encoder reads


@dataclass
class VectorOptions:
    vectors: Kind = "tfidf"
    """What is clustered: tfidf: words and pairs of characters by TF-IDF, made short by an SVD. encoder: vectors of a light
    encoder, trained on these texts to tell the words of a text from its vector."""
    vector_size: int = 100
    """Size of these vectors."""
    most_texts: float = 0.02
    """tfidf: words in a larger share of the texts, and in more than 100 of them, are left out: they do not tell what a text
    is about. 1: none."""
    encoder_epochs: int = 8
    """Passes of the encoder over the texts."""
    word_vectors: Path | None = None
    """Word vectors in word2vec's text or binary format, learned elsewhere: a text is their mean, the rare words counting
    more. Better where texts are so short that few share words, such as titles."""
    run: Path | None = None
    """Folder of a run of similar_questions.py, whose vectors are clustered."""
    pretrained: Path | None = None
    """A SimBERT that others have trained, whose vectors are clustered: a checkpoint's folder, or its name on a hub."""
    pooling: Pooling = "cls"
    """What the vector of a text is with --pretrained: the state of [CLS] through one more layer, as in the published
    SimBERTs, or the mean of all states."""

    def __post_init__(self):
        check_at_least(self, vector_size=1, encoder_epochs=1)
        check_above(self, most_texts=0)
        check_at_most(self, most_texts=1)
        given = [f"--{name.replace('_', '-')}" for name in ("word_vectors", "run", "pretrained") if getattr(self, name)]
        if len(given) > 1:
            raise UserError(f"{' and '.join(given)}: each says what is clustered - leave all but one out")

    def check(self) -> None:
        """Raises UserError where there is no such run, before anything takes long."""
        if self.run:
            self._network().check()

    def _network(self):
        from similarity_networks import NetworkOptions

        return NetworkOptions(run=self.run, pretrained=self.pretrained, pooling=self.pooling)


class Vectors:
    """Of texts. words: those of each. values: float32 (texts, size), of length 1, or 0 where nothing is known of a text.
    held, vocabulary: which words are in which texts, see `presence`."""

    def __init__(self, texts: Sequence[str], options: VectorOptions, seed: int):
        self.words = [*words_of(texts)]
        self.held, self.vocabulary = presence(self.words, _LEAST_TEXTS)
        self.values = of_length_one(self._of(texts, options, seed))

    def _of(self, texts: Sequence[str], options: VectorOptions, seed: int) -> np.ndarray:
        if options.run or options.pretrained:
            from common.process import start_tensorflow

            start_tensorflow()
            return options._network().open().vectors_of(texts)
        if options.word_vectors:
            return mean_word_vectors(self.held, self.vocabulary, options.word_vectors)
        if options.vectors == "encoder" and self.held.shape[1]:
            return encoder_vectors(texts, self.held, options, seed)
        return tfidf_vectors(self.features(options.most_texts), options.vector_size, seed)

    def features(self, most_texts: float) -> sparse.csr_matrix:
        """Which words and pairs of neighbouring characters are in which texts, 0 or 1, but for the frequent ones."""
        return telling(presence([*map(with_pairs, self.words)], _LEAST_TEXTS)[0], most_texts)


def with_pairs(words: Sequence[str]) -> list[str]:
    """Words, and pairs of neighbouring characters, by which words meet that jieba cuts otherwise."""
    text = "".join(words)
    return [*words, *(text[place : place + 2] for place in range(len(text) - 1))]


def telling(held: sparse.csr_matrix, most_texts: float) -> sparse.csr_matrix:
    """Without the words that are in a larger share of the texts, and in more than 100 of them."""
    return held[:, np.asarray(held.sum(0)).ravel() <= max(_FREQUENT, most_texts * held.shape[0])]


def tfidf(held: sparse.csr_matrix) -> sparse.csr_matrix:
    """TF-IDF of words that are there or not, rows of length 1, float (texts, words)."""
    return TfidfTransformer().fit_transform(held) if held.shape[1] else held


def tfidf_vectors(held: sparse.csr_matrix, size: int, seed: int) -> np.ndarray:
    """float32 (texts, size or less)."""
    values = tfidf(held)
    if min(values.shape) <= size + 1:
        return (
            values.toarray().astype(np.float32) if values.shape[1] else np.zeros((len(held.indptr) - 1, 1), np.float32)
        )
    return TruncatedSVD(size, n_iter=_ITERATIONS, random_state=seed).fit_transform(values).astype(np.float32)


def mean_word_vectors(held: sparse.csr_matrix, words: Sequence[str], file: Path) -> np.ndarray:
    """For each text the mean of the vectors of its words, each of length 1 and weighed by IDF, less the mean of all texts:
    what they have in common tells nothing. float32 (texts, size). Raises UserError for a bad file."""
    known, vectors = read_word_vectors(file, {*words})
    places = {word: place for place, word in enumerate(known)}
    columns = [number for number, word in enumerate(words) if word in places]
    if not columns:
        raise UserError(f"--word-vectors {file}: has none of the words of these texts - give vectors of this language")
    rarity = np.log(held.shape[0] / np.asarray(held[:, columns].sum(0)).ravel())
    of_words = of_length_one(np.asarray(vectors[[places[words[number]] for number in columns]], np.float32))
    found = of_length_one(np.asarray(held[:, columns] @ (of_words * rarity[:, None])))
    is_known = np.abs(found).sum(1, keepdims=True) > 0
    return np.where(is_known, found - found.sum(0) / max(1, is_known.sum()), 0).astype(np.float32)


def encoder_vectors(texts: Sequence[str], held: sparse.csr_matrix, options: VectorOptions, seed: int) -> np.ndarray:
    """Those of `common.latent.bags`. float32 (texts, vector_size)."""
    from common.process import start_tensorflow

    start_tensorflow()
    from common.encoders import build_encoder
    from common.keras_compat import prepare
    from common.latent.bags import learned_vectors
    from common.options import EncoderOptions

    prepare(seed, "no")
    longest = min(_LONGEST, max(map(len, texts)) + 2)
    encoder = build_encoder(EncoderOptions(encoder="dgcnn", layers=2, dropout=0.1, max_length=max(3, longest)), texts)
    return learned_vectors(encoder, texts, held, options.vector_size, options.encoder_epochs, _ENCODER_BATCH, seed)


def of_length_one(rows: np.ndarray) -> np.ndarray:
    """float32; rows of 0 stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(lengths > 1e-12, rows / np.maximum(lengths, 1e-12), 0).astype(np.float32)
