"""Words for character models: jieba's segmentation, laid over the tokens of a text.

"Mixed char-word embedding" (kexue.fm/archives/5409 and 6919): every character also gets the embedding of the word
that covers it, so that the model keeps fine positions and still sees words.
"""

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import repeat
from os import PathLike
from pathlib import Path

import numpy as np

from common.tokenizers.normalization import has_surrogate
from common.tokenizers.segmentation import Ranges, forget_with_words, jieba_segmenter, segmented, word_ends
from common.tokenizers.wordpiece import Encoding


class TextWords:
    """The words of a text.

    ends: where they end, integers (words,), the last one at the end of the text; ValueError otherwise.

    Attributes: `strings`, the words themselves; `starts` and `ends`, int64 (words,); `at`, the index of the word of
    each character, int64 (len(text) + 1,), at the end of the text -1.
    """

    def __init__(self, text: str, ends: np.ndarray):
        self.text = text
        self.ends = np.asarray(ends, np.int64)
        covered = int(self.ends[-1]) if len(self.ends) else 0
        if covered != len(text):
            raise ValueError(f"words cover {covered} characters of a text of {len(text)}; are they of another text?")
        self.starts = np.zeros_like(self.ends)
        self.starts[1:] = self.ends[:-1]
        self.strings = [text[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist())]
        self.at = np.full(len(text) + 1, -1)
        self.at[:-1] = np.repeat(np.arange(len(self.ends)), self.ends - self.starts)

    @cached_property
    def forms(self) -> list[str]:
        """The words in normal form."""
        return list(map(normal_form, self.strings))


@lru_cache(maxsize=64)  # a text is asked for by each of its windows, and many questions are about one context
def words_of(text: str) -> TextWords:
    """The words into which jieba cuts any string."""
    return TextWords(text, word_ends(text))


class TokenWords:
    """The words of a text under its tokens: each token lies in the word that has its first character.

    offsets: integers (n, 2), as in `Encoding.offsets`; ValueError for some outside of the text. words: of the text, if
    they are known.

    Attributes: `text_words`; `offsets`, int64 (n, 2); `covering`, the index of each token's word, int64 (n,), -1 for
    special tokens (empty range).
    """

    def __init__(self, text: str, offsets: np.ndarray, words: Ranges | None = None):
        self.text_words = words_of(text) if words is None else TextWords(text, [end for _, end in words])
        self.offsets = offsets = np.asarray(offsets, dtype=np.int64).reshape(-1, 2)
        least, most = np.minimum.reduce(offsets, axis=None, initial=0), np.maximum.reduce(offsets, axis=None, initial=0)
        if least < 0 or most > len(text):
            raise ValueError(
                f"offsets reach outside the text of {len(text)} characters; do they belong to another text?"
            )
        self.covering = np.where(offsets[:, 0] < offsets[:, 1], self.text_words.at[offsets[:, 0]], -1)

    @cached_property
    def positions(self) -> np.ndarray:
        """See `word_positions`."""
        positions = np.zeros(len(self.offsets), dtype=np.int32)
        real = self.covering >= 0
        words = self.covering[real]
        begins = self.offsets[real, 0] <= self.text_words.starts[words]
        ends = self.offsets[real, 1] >= self.text_words.ends[words]
        positions[real] = np.where(begins, np.where(ends, 4, 1), np.where(ends, 3, 2))
        return positions

    @cached_property
    def forms(self) -> list[str]:
        """The tokens in normal form."""
        text = self.text_words.text
        return [normal_form(text[start:end]) for start, end in self.offsets.tolist()]


@lru_cache(maxsize=64)  # a question is asked of twenty passages
def token_words(text: str, encoding: Encoding) -> TokenWords:
    """The words of a text under the tokens of its encoding, which must not be changed any more."""
    return TokenWords(text, encoding.offsets)


forget_with_words(words_of.cache_clear)
forget_with_words(token_words.cache_clear)


def word_positions(text: str, offsets: np.ndarray, words: Ranges | None = None) -> np.ndarray:
    """Place of each token in its word, the word that covers its first character.

    offsets: integers (n, 2), as in `Encoding.offsets`. words: `segment(text)`, to save a second segmentation.
    Returns int32 (n,): 0 special token (empty range), 1 begin, 2 inside, 3 end, 4 single (covers the word's beginning
    and end). Places are those of the characters: tokens that share one character share its place, and a word cut
    by truncation or a window has no begin or end there. ValueError for offsets outside the text.
    """
    return TokenWords(text, offsets, words).positions


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
        for text, ranges in segmented(texts):
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
        return self.ids_under(TokenWords(text, offsets, words))

    def ids_under(self, tokens: TokenWords) -> np.ndarray:
        """The same of tokens whose words are known."""
        covering = tokens.covering
        if not len(covering):
            return np.zeros(0, np.int32)
        # Only the words of these tokens: a long text is asked for window by window.
        last = int(covering.max())
        first = int(covering.min(initial=last, where=covering >= 0))
        words = tokens.text_words.forms[first : last + 1]
        ids = np.array([*map(self.ids.get, words, repeat(1)), 0], np.int32)
        return ids[np.where(covering < 0, -1, covering - first)]


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
