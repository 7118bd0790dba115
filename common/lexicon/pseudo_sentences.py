"""Sentences that nobody wrote: words of a dictionary, drawn by their frequency, one after the other. They know which
words there are and how frequent, and where a word ends nothing else (kexue.fm/archives/4245)."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from common.generators import Arrays, pad

#: What a character is in its word: the first of several, one inside, the last, or all of it.
BEGIN, INSIDE, END, SINGLE = range(4)
#: Ids of what is no character of the dictionary.
PAD, UNKNOWN = range(2)
#: The file of a run that has the characters.
CHARACTERS = "characters.json"

_LONGEST_ROW = 40
_UNKNOWN_SHARE = 0.01  # of the characters, which are taken for unknown ones, so that the network knows what to do
_TRAIN, _DEV = range(2)


class PseudoSentences:
    """words: of the dictionary, of at least one character, and their frequencies. characters: whose places, from 2 on,
    are their ids; what is not among them is unknown.

    power: of the frequencies, by which words are drawn; below 1 rare words come more often. batch_size: sentences of a
    batch, of 20 characters on average.
    """

    def __init__(self, words: Mapping[str, float], characters: Sequence[str], power: float, batch_size: int, seed: int):
        ids = {character: number for number, character in enumerate(characters, UNKNOWN + 1)}
        self._lengths = np.array([len(word) for word in words])
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._ids = np.array([ids.get(character, UNKNOWN) for word in words for character in word], np.int32)
        weights = np.array(list(words.values()), np.float64) ** power
        self._cumulative = np.cumsum(weights) / weights.sum()
        self._characters, self._seed = batch_size * (_LONGEST_ROW // 2), seed

    def batch(self, step: int) -> Arrays:
        """`token_ids` and `labels`, int32 (sentences, length), of a training step: sentences of about one length. They
        depend on (seed, step) alone."""
        return self._draw(np.random.default_rng((self._seed, _TRAIN, step)))

    def dev_batch(self, number: int) -> Arrays:
        """The same to try what was learned on: of any seed the same."""
        return self._draw(np.random.default_rng((0, _DEV, number)))

    def _draw(self, generator: np.random.Generator) -> Arrays:
        row_length = int(generator.integers(1, _LONGEST_ROW + 1))
        words = np.searchsorted(self._cumulative, generator.random(self._characters), "right")
        lengths = self._lengths[words]
        starts = np.cumsum(lengths) - lengths
        words, lengths, starts = (values[starts < self._characters] for values in (words, lengths, starts))
        places = np.arange(lengths.sum()) - np.repeat(starts, lengths)  # in the word
        ids = self._ids[np.repeat(self._starts[words], lengths) + places]
        ids[generator.random(len(ids)) < _UNKNOWN_SHARE] = UNKNOWN
        labels = np.full(len(ids), INSIDE, np.int32)
        labels[starts], labels[starts + lengths - 1] = BEGIN, END
        labels[starts[lengths == 1]] = SINGLE
        cuts = starts[np.flatnonzero(np.diff(starts // row_length)) + 1]  # a word is in the row that it begins in
        return {"token_ids": pad(np.split(ids, cuts)), "labels": pad(np.split(labels, cuts))}


def characters_of(words: Iterable[str]) -> list[str]:
    """The different characters of some words, sorted."""
    return sorted(set().union(*words))


def cut_at(text: str, ends: np.ndarray) -> list[str]:
    """The words of a text, of whose characters some end one: bool (len(text),), the last one True."""
    places = (np.flatnonzero(ends) + 1).tolist()
    return [text[first:end] for first, end in zip([0, *places], places)]
