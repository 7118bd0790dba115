"""Words for character models: jieba's segmentation, laid over the tokens of a text.

"Mixed char-word embedding" (kexue.fm/archives/5409 and 6919): every character also gets the embedding of the word
that covers it, so that the model keeps fine positions and still sees words.
"""

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from os import PathLike
from pathlib import Path

import numpy as np

from common.tokenizers.normalization import has_surrogate
from common.tokenizers.segmentation import Ranges, jieba_segmenter, segment, segment_all


def word_positions(text: str, offsets: np.ndarray, words: Ranges | None = None) -> np.ndarray:
    """Place of each token in its word, the word that covers its first character.

    offsets: integers (n, 2), as in `Encoding.offsets`. words: `segment(text)`, to save a second segmentation.
    Returns int32 (n,): 0 special token (empty range), 1 begin, 2 inside, 3 end, 4 single (covers the word's beginning
    and end). Places are those of the characters: tokens that share one character share its place, and a word cut
    by truncation or a window has no begin or end there. ValueError for offsets outside the text.
    """
    ranges = np.array(segment(text) if words is None else words, dtype=np.int64).reshape(-1, 2)
    offsets, covering = covering_words(text, offsets, ranges)
    positions = np.zeros(len(offsets), dtype=np.int32)
    real = covering >= 0
    begins = offsets[real, 0] <= ranges[covering[real], 0]
    ends = offsets[real, 1] >= ranges[covering[real], 1]
    positions[real] = np.where(begins, np.where(ends, 4, 1), np.where(ends, 3, 2))
    return positions


class WordVocabulary:
    """Ids of words: 0 is kept for special tokens and padding, 1 for unknown words, then `words` from 2 on.

    words: distinct, in normal form (NFKC, lower case); ValueError otherwise.
    """

    def __init__(self, words: Sequence[str]):
        self.words = list(words)
        for word in self.words:
            if not isinstance(word, str) or word != normal_form(word):
                raise ValueError(f"{word!r} is not a word in normal form (NFKC, lower case)")
        self.ids = {word: index for index, word in enumerate(self.words, 2)}
        if len(self.ids) != len(self.words):
            word = Counter(self.words).most_common(1)[0][0]
            raise ValueError(f"the word {word!r} occurs more than once")

    @classmethod
    def build(cls, texts: Iterable[str], min_count: int = 2, max_size: int | None = None) -> "WordVocabulary":
        """Words that occur at least `min_count` times in the texts, by (-count, word).

        max_size: upper limit of `len`, the two reserved ids included.
        """
        counts: Counter[str] = Counter()
        texts = list(texts)
        for text, ranges in zip(texts, segment_all(texts)):
            counts.update(text[start:end] for start, end in ranges)
        merged: Counter[str] = Counter()
        for word, count in counts.items():
            merged[normal_form(word)] += count
        frequent = [word for word, count in merged.items() if count >= min_count]
        words = [word for word in frequent if not word.isspace() and not has_surrogate(word)]
        words.sort(key=lambda word: (-merged[word], word))
        return cls(words if max_size is None else words[: max(0, max_size - 2)])

    def __len__(self) -> int:
        """Number of ids, the two reserved ones included: the `input_dim` of an embedding."""
        return len(self.words) + 2

    def save(self, path: str | PathLike) -> None:
        """Write the words as a JSON list, one per line."""
        Path(path).write_text(json.dumps(self.words, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | PathLike) -> "WordVocabulary":
        """Read what `save` wrote; ValueError names the file."""
        try:
            words = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"{path}: cannot read this word vocabulary: {error.strerror or error}") from error
        except ValueError as error:
            raise ValueError(f"{path}: not a JSON list of words: {error}") from error
        if not isinstance(words, list):
            raise ValueError(f"{path}: not a JSON list of words")
        try:
            return cls(words)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def word_ids(self, text: str, offsets: np.ndarray, words: Ranges | None = None) -> np.ndarray:
        """Id of the word that covers each token's first character.

        offsets: integers (n, 2), as in `Encoding.offsets`. words: `segment(text)`, to save a second segmentation.
        Returns int32 (n,): 0 for special tokens (empty range), 1 for unknown words. ValueError for offsets outside
        the text.
        """
        words = segment(text) if words is None else words
        _, covering = covering_words(text, offsets, words)
        # Only the words of these tokens: a long text is asked for window by window.
        ids = {-1: 0}
        for index in set(covering.tolist()) - {-1}:
            start, end = words[index]
            ids[index] = self.ids.get(normal_form(text[start:end]), 1)
        return np.array([ids[index] for index in covering.tolist()], dtype=np.int32)


@lru_cache(maxsize=2**16)
def normal_form(word: str) -> str:
    """The form in which words are compared: NFKC and lower case, so that full-width and capital letters agree."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).lower())


def rarity(word: str) -> float:
    """How rare a word is in jieba's dictionary, between 0 and 1: -log of its share of all words, as far as the
    dictionary can tell.

    word: in normal form. A word it does not know counts like its rarest ones.
    """
    jieba = jieba_segmenter()
    return math.log((jieba.total + 1) / (jieba.FREQ.get(word, 0) + 1)) / math.log(jieba.total + 1)


def covering_words(text: str, offsets: np.ndarray, words: Ranges) -> tuple[np.ndarray, np.ndarray]:
    """Checked offsets (n, 2), and for each token the index of the word with its first character, -1 for none."""
    ranges = np.array(words, dtype=np.int64).reshape(-1, 2)
    offsets = np.asarray(offsets, dtype=np.int64).reshape(-1, 2)
    if len(offsets) and not (offsets.min() >= 0 and offsets.max() <= len(text)):
        raise ValueError(f"offsets reach outside the text of {len(text)} characters; do they belong to another text?")
    lengths = ranges[:, 1] - ranges[:, 0]
    if lengths.sum() != len(text):
        raise ValueError(f"words cover {lengths.sum()} characters of a text of {len(text)}; are they of another text?")
    word_at = np.append(np.repeat(np.arange(len(ranges)), lengths), -1)
    return offsets, np.where(offsets[:, 0] < offsets[:, 1], word_at[offsets[:, 0]], -1)
