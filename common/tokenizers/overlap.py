"""Where a question and a context share characters and words: what a reader trained from nothing finds its way by.

The exact-match features of Chen et al. 2017 (DrQA), for characters, and two that say how much of the question a
neighbourhood holds. In these a word weighs as much as it is rare in jieba's dictionary, so that names count and
particles do not.
"""

from typing import NamedTuple

import numpy as np

from common.tokenizers.wordpiece import Encoding
from common.tokenizers.words import covering_words, normal_form, rarity, segment

# Tokens to each side that form a neighbourhood.
_REACH = 15
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
    asked_words, words = _word_of_tokens(question, asked), _word_of_tokens(context, tokens)
    asked, tokens = _forms(question, asked), _forms(context, tokens)
    shared = sum(2 ** (size - 1) * _in_common_run(asked, tokens, size) for size in (1, 2, 3))
    long_words = {word for word in asked_words if len(word) > 1}
    shared = shared + 8 * np.array([word in long_words for word in words], np.int32)

    weights: dict[str, float] = {}
    for token, word in zip(asked, asked_words):
        weights[token] = max(weights.get(token, 0.0), rarity(word) / max(len(word), 1))
    number = {token: index for index, token in enumerate(weights)}
    present = np.zeros((len(number) + 1, len(tokens)), np.int32)  # the last row: whatever the question does not have
    present[[number.get(token, -1) for token in tokens], np.arange(len(tokens))] = 1
    present = present[:-1]
    share = np.array(list(weights.values()), np.float32) / max(sum(weights.values()), 1e-6)

    sentence = np.cumsum([0, *(token in _SENTENCE_ENDS for token in tokens)])[: len(tokens)]
    in_sentence = np.zeros((len(number), sentence.max(initial=0) + 1), np.int32)
    np.add.at(in_sentence, (slice(None), sentence), present)
    before = np.concatenate([np.zeros((len(number), 1), np.int32), np.cumsum(present, axis=1)], axis=1)
    places = np.arange(len(tokens))
    near = before[:, np.minimum(places + _REACH + 1, len(tokens))] - before[:, np.maximum(places - _REACH, 0)]
    coverage = np.stack([share @ (in_sentence > 0)[:, sentence], share @ (near > 0)], axis=1)
    in_context = set(tokens)
    return Overlap(
        shared.astype(np.int32),
        coverage.astype(np.float32),
        np.array([token in in_context for token in asked], np.int32),
    )


def _forms(text: str, encoding: Encoding) -> list[str]:
    return [normal_form(text[start:end]) for start, end in encoding.offsets.tolist()]


def _word_of_tokens(text: str, encoding: Encoding) -> list[str]:
    """The word around the first character of each token."""
    words = segment(text)
    forms = [normal_form(text[start:end]) for start, end in words]
    _, covering = covering_words(text, encoding.offsets, words)
    return [forms[index] for index in covering.tolist()]


def _in_common_run(asked: list[str], tokens: list[str], size: int) -> np.ndarray:
    """1 at each of `tokens` in a run of `size` tokens that also stands in `asked`, int32 (n,)."""
    runs = set(zip(*(asked[start:] for start in range(size))))
    starts = np.array([run in runs for run in zip(*(tokens[start:] for start in range(size)))], bool)
    inside = np.zeros(len(tokens), np.int32)
    for offset in range(size):
        inside[offset : offset + len(starts)] |= starts
    return inside
