"""What needs no training to tell how alike texts are: BM25, and means of word vectors. No TensorFlow."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.tokenizers.word_vectors import read_word_vectors

_SATURATION, _LENGTH_SHARE = 1.2, 0.75  # k1 and b


def bm25(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> np.ndarray:
    """The mean of what BM25 gives a text as a question and the other one as a document, and the other way round, float
    (pairs,) (Robertson and Zaragoza 2009). one, other: the words of the texts of each pair; all of them are the
    documents that tell how rare a word is."""
    texts = [Counter(words) for words in (*one, *other)]
    holding = Counter(word for text in texts for word in text)
    rarity = {word: np.log1p((len(texts) - count + 0.5) / (count + 0.5)) for word, count in holding.items()}
    lengths = [text.total() for text in texts]
    mean = sum(lengths) / len(lengths)

    def score(question: int, document: int) -> float:
        held = texts[document]
        room = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths[document] / mean)
        return sum(
            count * rarity[word] * held[word] * (_SATURATION + 1) / (held[word] + room)
            for word, count in texts[question].items()
            if word in held
        )

    return np.array([(score(i, j) + score(j, i)) / 2 for i, j in enumerate(range(len(one), len(texts)))])


def mean_vectors(file: Path, *sides: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """For the words of texts the mean of the vectors of those that have one, 0 where none has, float32 (texts, size).
    file: word vectors in word2vec's text or binary format."""
    words, vectors = read_word_vectors(file, {word for side in sides for text in side for word in text})
    vector_of = dict(zip(words, vectors))
    nothing = [np.zeros(vectors.shape[1], vectors.dtype)]
    return [
        np.array([np.mean([vector_of[word] for word in text if word in vector_of] or nothing, 0) for text in side])
        for side in sides
    ]
