"""Trees of sentences as sets of brackets: out of distances, out of heads, simple ones to compare with, and F1.

A bracket is [start, end) of words, two at least; the whole sentence is one. A binary tree of n words has n - 1. Sets of
brackets need no recursion, so that a sentence of any length is read, printed and compared.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

Bracket = tuple[int, int]
Brackets = frozenset[Bracket]

_OPEN, _CLOSE = "-LRB-", "-RRB-"  # as treebanks write words that are brackets themselves


def tree_of_distances(distances: Sequence[float]) -> Brackets:
    """The binary tree in which a sentence is cut before the word with the largest distance (the first of equals), and
    what comes before and after it likewise: [before, [word, after]] (Shen et al. 2018; kexue.fm/archives/6621).

    distances: one for each word, how much a reader forgets before it. Raises ValueError for what is not finite.
    """
    values = np.asarray(distances, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("distances are finite numbers, one for each word")
    brackets, to_cut = set(), [(0, len(values))]
    while to_cut:
        start, end = to_cut.pop()
        if end - start < 2:
            continue
        word = start + int(values[start:end].argmax())
        brackets.update(bracket for bracket in ((start, end), (word, end)) if bracket[1] - bracket[0] > 1)
        to_cut += [(start, word), (word + 1, end)]
    return frozenset(brackets)


def left_branching(length: int) -> Brackets:
    """((a b) c) d"""
    return frozenset((0, end) for end in range(2, length + 1))


def right_branching(length: int) -> Brackets:
    """a (b (c d))"""
    return frozenset((start, length) for start in range(length - 1))


def balanced(length: int) -> Brackets:
    """Each part cut in its middle; of an odd number of words the left half has one less."""
    return _cut(length, lambda start, end: (start + end) // 2)


def random_tree(length: int, generator: np.random.Generator) -> Brackets:
    """Each part cut anywhere, all places being as likely."""
    return _cut(length, lambda start, end: int(generator.integers(start + 1, end)))


def _cut(length: int, place: Callable[[int, int], int]) -> Brackets:
    brackets, to_cut = set(), [(0, length)]
    while to_cut:
        start, end = to_cut.pop()
        if end - start > 1:
            brackets.add((start, end))
            middle = place(start, end)
            to_cut += [(middle, end), (start, middle)]
    return frozenset(brackets)


def dependency_brackets(heads: Sequence[int]) -> Brackets:
    """Each word with all that depends on it, where these stand together; and the whole sentence.

    heads: of each word its head, counted from 1; 0 for a root, of which there may be several. Raises ValueError for a
    head that is no word of the sentence, and for words that hang on each other in a circle.
    """
    length = len(heads)
    for word, head in enumerate(heads, 1):
        if not 0 <= head <= length:
            raise ValueError(f"the head of word {word} is {head}, and there are {length} words")
    first, last, size = list(range(length)), list(range(length)), [1] * length
    for word in _from_leaves_to_roots(heads):
        above = heads[word] - 1
        if above >= 0:
            first[above], last[above] = min(first[above], first[word]), max(last[above], last[word])
            size[above] += size[word]
    whole = {(0, length)} if length > 1 else set()
    return frozenset(
        whole | {(one, end + 1) for one, end, count in zip(first, last, size) if count > 1 and end - one + 1 == count}
    )


def _from_leaves_to_roots(heads: Sequence[int]) -> list[int]:
    """All words, from 0, each before its head."""
    waiting = np.bincount(heads, minlength=len(heads) + 1)[1:].tolist()
    order = [word for word, count in enumerate(waiting) if not count]
    for word in order:  # which grows meanwhile
        above = heads[word] - 1
        if above >= 0:
            waiting[above] -= 1
            if not waiting[above]:
                order.append(above)
    if len(order) < len(heads):
        word = next(word for word, count in enumerate(waiting) if count)
        raise ValueError(f"word {word + 1} hangs on itself by its heads")
    return order


def only(brackets: Iterable[Bracket], kept: Sequence[bool]) -> Brackets:
    """The brackets of a sentence of which only some words are kept, counted anew."""
    before = np.concatenate([[0], np.cumsum(kept)]).tolist()
    left = ((before[start], before[end]) for start, end in brackets)
    return frozenset((start, end) for start, end in left if end - start > 1)


def bracketed(words: Sequence[str], brackets: Iterable[Bracket]) -> str:
    """The sentence on a line with its brackets, as `read_bracketed` reads it; a blank in a word is an underscore there. Brackets
    must not cross."""
    opened, closed = [0] * (len(words) + 1), [0] * (len(words) + 1)
    for start, end in brackets:
        opened[start] += 1
        closed[end] += 1
    return " ".join("(" * opened[place] + _printed(word) + ")" * closed[place + 1] for place, word in enumerate(words))


def _printed(word: str) -> str:
    return "_".join(word.split()).replace("(", _OPEN).replace(")", _CLOSE)


def read_bracketed(line: str) -> tuple[list[str], Brackets]:
    """Words and brackets of a line. Labels would be words: take them out before. A bracket of one word is none, and the
    sentence is one. Raises ValueError where a bracket is empty, not closed or not opened."""
    words: list[str] = []
    brackets, opened = set(), []
    for part in line.replace("(", " ( ").replace(")", " ) ").split():
        if part == "(":
            opened.append(len(words))
        elif part != ")":
            words.append(part.replace(_OPEN, "(").replace(_CLOSE, ")"))
        elif not opened:
            raise ValueError(f"a bracket is closed after word {len(words)} that was not opened")
        else:
            start = opened.pop()
            if start == len(words):
                raise ValueError(f"a bracket after word {start} is empty")
            brackets.add((start, len(words)))
    if opened:
        raise ValueError(f"a bracket before word {opened[-1] + 1} is not closed")
    brackets.add((0, len(words)))
    return words, frozenset((start, end) for start, end in brackets if end - start > 1)


class BracketScore(NamedTuple):
    """Unlabelled F1, from 0 to 1. `sentence`: the mean over sentences. `corpus`: of all brackets together. sentences:
    how many counted."""

    sentence: float
    corpus: float
    sentences: int


def bracket_f1(gold: Iterable[tuple[int, Brackets]], found: Iterable[Brackets]) -> BracketScore:
    """gold: of each sentence its number of words and brackets; found: brackets of the same sentences.

    A bracket of one word and that of the whole sentence are trivial and do not count, in neither. A sentence whose gold
    has no other is left out. Precision of a sentence where nothing is found is 0.
    """
    scores, right, wanted, said = [], 0, 0, 0
    for (length, expected), brackets in zip(gold, found, strict=True):
        expected, brackets = expected - {(0, length)}, brackets - {(0, length)}
        if expected:
            both = len(expected & brackets)
            scores.append(_f1(both, len(expected), len(brackets)))
            right, wanted, said = right + both, wanted + len(expected), said + len(brackets)
    mean = float(np.mean(scores)) if scores else 0.0
    return BracketScore(mean, _f1(right, wanted, said), len(scores))


def _f1(right: int, wanted: int, said: int) -> float:
    return 2 * right / (wanted + said) if wanted + said else 0.0
