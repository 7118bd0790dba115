"""Where a question and a context share characters and words: what a reader trained from nothing finds its way by.

The exact-match features of Chen et al. 2017 (DrQA), for characters, and two that say how much of the question a
neighbourhood holds. In these a word weighs as much as it is rare in jieba's dictionary, so that names count and
particles do not.
"""

from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

import numpy as np

from common.tokenizers.segmentation import forget_with_words
from common.tokenizers.wordpiece import Encoding
from common.tokenizers.words import rarity, token_words

# Tokens to each side that form a neighbourhood.
_REACH = 15
# What is at a place or so far behind, for one after the other, is all that is less than 31 behind.
_DISTANCES = (1, 2, 4, 8, 15)
_SENTENCE_ENDS = frozenset("。!?;")  # in normal form

#: Number of different values in `Overlap.shared`.
SHARED_KINDS = 16


class Overlap(NamedTuple):
    """What two texts share, by the normal forms (NFKC, lower case) of their tokens and words.

    shared: for each token of the context, int32 (n,): 1 if the question has this token, plus 2 if it has one of the
        pairs, plus 4 if one of the runs of three that the token belongs to, plus 8 if it has the word (of two
        characters or more) around it.
    coverage: for each token of the context, float32 (n, 2): the tokens of the question in the same sentence, and those
        within 15 tokens, as shares of the whole question between 0 and 1, each different token weighed by the rarity of
        its word over the word's length (the greatest of its words).
    found: for each token of the question, int32 (m,): 1 if the context has it.
    """

    shared: np.ndarray
    coverage: np.ndarray
    found: np.ndarray


def overlap(question: str, asked: Encoding, context: str, tokens: Encoding) -> Overlap:
    """Two texts and their tokens, without special ones. Any of them may be empty."""
    return _question(question, asked).overlap(context, tokens)


@lru_cache(maxsize=8)  # a question is asked of twenty passages
def _question(question: str, asked: Encoding) -> "_Question":
    return _Question(question, asked)


forget_with_words(_question.cache_clear)


class _Question:
    """What of a question does not depend on the context. Its different tokens are numbered in order."""

    def __init__(self, question: str, asked: Encoding):
        words = token_words(question, asked)
        forms = [words.text_words.forms[index] for index in words.covering.tolist()]
        self._long_words = {form for form in forms if len(form) > 1}
        weights: dict[str, float] = {}
        for token, word in zip(words.forms, forms):
            weights[token] = max(weights.get(token, 0.0), rarity(word) / max(len(word), 1))
        # Of a token, twice its number, -1 for those that the question does not have, and 1 more if it ends a sentence.
        self._codes = dict.fromkeys(_SENTENCE_ENDS, -1)
        self._codes.update((token, 2 * number + (token in _SENTENCE_ENDS)) for number, token in enumerate(weights))
        self._tokens = self._codes_of(words.forms) >> 1
        self._share = np.array(list(weights.values()), np.float32) / max(sum(weights.values()), 1e-6)
        self._runs = {
            size: np.sort(_keys(self._tokens, np.arange(len(self._tokens) + 1 - size), size)) for size in (2, 3)
        }

    def _codes_of(self, forms: list[str]) -> np.ndarray:
        return np.fromiter(map(self._codes.get, forms, repeat(-2)), np.int64, len(forms))

    def overlap(self, context: str, tokens: Encoding) -> Overlap:
        words = token_words(context, tokens)
        codes = self._codes_of(words.forms)
        numbers, is_end = codes >> 1, codes & 1
        begins_run = in_question = numbers >= 0
        shared = in_question.astype(np.int32)
        for size in (2, 3):
            begins_run = begins_run[:-1] & in_question[size - 1 :]
            starts = np.flatnonzero(begins_run)
            starts = starts[_among(_keys(numbers, starts, size), self._runs[size])]
            for place in range(size):
                shared[starts + place] |= 2 ** (size - 1)
        has_word = np.array([*map(self._long_words.__contains__, words.text_words.forms)], np.int32)
        shared += 8 * has_word[words.covering]

        # Which of its different tokens the question has in each sentence, and near each token.
        places = np.flatnonzero(in_question)
        found = numbers[places]
        sentences = np.add.accumulate(is_end) - is_end
        in_sentence = np.zeros((len(numbers), len(self._share)), bool)
        in_sentence[sentences[places], found] = True
        near = np.zeros((len(numbers) + 2 * _REACH, len(self._share)), bool)
        near[places + _REACH, found] = True
        for distance in _DISTANCES:
            near = near[:-distance] | near[distance:]
        coverage = np.empty((len(numbers), 2), np.float32)
        coverage[:, 0] = self._share @ in_sentence.take(sentences, axis=0).T
        coverage[:, 1] = self._share @ near.T
        is_found = np.zeros(len(self._share), np.int32)
        is_found[found] = 1
        return Overlap(shared, coverage, is_found[self._tokens])


def _keys(numbers: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """A number for each run of `size` numbers, the same for the same run. No question has 2 million different tokens,
    so it has room."""
    keys = np.zeros(len(starts), np.int64)
    for place in range(size):
        keys = (keys << 21) + numbers[starts + place]
    return keys


def _among(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which of the values are among sorted ones."""
    if not len(known):
        return np.zeros(len(values), bool)
    return known[np.minimum(known.searchsorted(values), len(known) - 1)] == values
