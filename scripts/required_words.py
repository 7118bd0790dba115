"""Words put into the blanks of a text at random, side by side: where a chain of masked_writing.py begins that has to
have them."""

import functools
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from common.decoders.gibbs import contains_all

#: Tokens.
Word = Sequence[int]


def stands_in(word: Word, tokens: Sequence[int]) -> bool:
    """Whether a text has a word."""
    return bool(contains_all([word])(np.array([tokens]))[0])


def runs_of(free: np.ndarray) -> list[range]:
    """The places in a row that are free. free: bool (length,)."""
    edges = np.flatnonzero(np.diff(free, prepend=False, append=False)).tolist()
    return [range(*edge) for edge in list(pairwise(edges))[::2]]


def fit(words: Sequence[Word], runs: Sequence[range]) -> bool:
    """Whether the words fit into the runs, side by side."""
    return _fit(_lengths(words), _sizes(map(len, runs)))


def put(words: Sequence[Word], runs: Sequence[range], text: np.ndarray, generator: np.random.Generator) -> None:
    """Write words that fit into the runs of a text, int (length,): each into a run where those that follow still fit,
    in any order there and at any distance."""
    sizes, chosen = [len(run) for run in runs], [[] for _ in runs]
    words = sorted(words, key=len, reverse=True)
    for number, word in enumerate(words):
        following = _lengths(words[number + 1 :])
        fitting = [
            index
            for index, size in enumerate(sizes)
            if size >= len(word) and _fit(following, _less(sizes, size, len(word)))
        ]
        index = generator.choice(fitting)
        sizes[index] -= len(word)
        chosen[index].append(word)
    for run, blanks, mine in zip(runs, sizes, chosen):
        # Of slots that take a word or stay a blank, those of the words.
        slots = np.sort(generator.choice(blanks + len(mine), len(mine), replace=False))
        written = 0
        for number, index in enumerate(generator.permutation(len(mine))):
            first = run.start + slots[number] - number + written
            text[first : first + len(mine[index])] = mine[index]
            written += len(mine[index])


def _lengths(words: Sequence[Word]) -> tuple[int, ...]:
    return tuple(sorted(map(len, words), reverse=True))


def _sizes(sizes) -> tuple[int, ...]:
    return tuple(sorted(sizes))


@functools.cache
def _fit(lengths: tuple[int, ...], sizes: tuple[int, ...]) -> bool:
    """Whether words of these lengths, in falling order, fit into runs of these sizes, in rising order."""
    if not lengths:
        return True
    return any(_fit(lengths[1:], _less(sizes, size, lengths[0])) for size in {*sizes} if size >= lengths[0])


def _less(sizes: Sequence[int], size: int, length: int) -> tuple[int, ...]:
    """The sizes in rising order, after one of `size` has lost `length`."""
    left = list(sizes)
    left.remove(size)
    return _sizes([*left, size - length])
