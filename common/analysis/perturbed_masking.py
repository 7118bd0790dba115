"""What words and trees a pretrained transformer knows, by what masking does to it: no head is trained, nothing is labelled.

    f(i, j) = |H_i(x without i) - H_i(x without i and j)|_2        the impact of token j on token i

H_i is the state at token i, and "without" is [MASK] in its place (Wu et al. 2020, Perturbed Masking;
kexue.fm/archives/7476). Tokens of one word mean much to each other: neighbours are kept together where the mean of both
impacts reaches a threshold. Words of one phrase do, too: a sentence is cut where the parts before and behind mean much
to themselves and little to each other, and each part likewise.

f(i, j) and f(j, i) come from one row without both, so that all impacts in a text of n tokens take n + n(n - 1)/2 rows of
n tokens, and those of neighbours alone 2n - 1. The network itself is whatever gives `Probe`. No TensorFlow.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

import numpy as np

from common.analysis.trees import Brackets
from common.generators import Arrays
from common.metrics import precision_recall_f1
from common.prediction import rounds

#: Of rows, each with `token_ids` int32 (length,) and `places` int32 (2,): their indices, batch by batch and each once,
#: with the states at these places, float (batch, 2, size).
Probe = Callable[[list[Arrays]], Iterator[tuple[Sequence[int], np.ndarray]]]
Arc = tuple[int, int]

_ROWS, _TEXTS = 2048, 64  # held at once
_CANDIDATES = 400  # thresholds that are tried
_DIGITS = 9  # by which two cuts differ


# Impacts


def adjacent_impacts(texts: Sequence[np.ndarray], mask_id: int, probe: Probe) -> Iterator[np.ndarray]:
    """Of each text the impacts between neighbours, float64 (n - 1, 2): that of the right one on the left one, and that
    of the left one on the right one.

    texts: ids int (n + 2,), with [CLS] before and [SEP] behind the n tokens.
    """
    for text in rounds(texts, _TEXTS):
        pairs = [np.stack([np.arange(n - 1), np.arange(1, n)], 1) for n in map(_size, text)]
        yield from _impacts(text, pairs, mask_id, probe)


def impact_matrices(texts: Sequence[np.ndarray], mask_id: int, probe: Probe) -> Iterator[np.ndarray]:
    """Of each text the impacts between all of its tokens, float64 (n, n): [i, j] is that of j on i; 0 on the diagonal."""
    for text in rounds(texts, _TEXTS):
        pairs = [np.stack(np.triu_indices(n, 1), 1) for n in map(_size, text)]
        for ids, of_text, both in zip(text, pairs, _impacts(text, pairs, mask_id, probe)):
            matrix, (first, second) = np.zeros((_size(ids), _size(ids))), of_text.T
            matrix[first, second], matrix[second, first] = both.T
            yield matrix


def _size(text: np.ndarray) -> int:
    return max(0, len(text) - 2)


def _impacts(
    texts: Sequence[np.ndarray], pairs: Sequence[np.ndarray], mask_id: int, probe: Probe
) -> Iterator[np.ndarray]:
    """For each pair (i, j) of each text f(i, j) and f(j, i), float64 (pairs, 2)."""

    def without(text: np.ndarray, *tokens: int) -> Arrays:
        places = np.array(tokens, np.int32) + 1  # behind [CLS]
        ids = text.astype(np.int32)
        ids[places] = mask_id
        return {"token_ids": ids, "places": places}

    single_rows = (without(text, place, place) for text in texts for place in range(_size(text)))
    pair_rows = (without(text, *pair) for text, of_text in zip(texts, pairs) for pair in of_text)
    states = _asked(chain(single_rows, pair_rows), probe)
    singles = [[next(states)[0] for _ in range(_size(text))] for text in texts]
    for alone, of_text in zip(singles, pairs):
        found = [
            (np.linalg.norm(alone[i] - at_i), np.linalg.norm(alone[j] - at_j))
            for (i, j), (at_i, at_j) in zip(of_text, states)
        ]
        yield np.array(found, np.float64).reshape(-1, 2)


def _asked(rows: Iterator[Arrays], probe: Probe) -> Iterator[np.ndarray]:
    """The states of each row, (2, size), in order."""
    for some in iter(lambda: list(islice(rows, _ROWS)), []):
        found: dict[int, np.ndarray] = {}
        for indices, states in probe(some):
            found.update(zip(map(int, indices), states))
        yield from (found[index] for index in range(len(some)))


# Words


def neighbours_of(matrix: np.ndarray) -> np.ndarray:
    """What `adjacent_impacts` gives, out of all impacts in a text."""
    return np.stack([np.diagonal(matrix, 1), np.diagonal(matrix, -1)], 1)


def word_sizes(offsets: np.ndarray, together: np.ndarray) -> list[int]:
    """How many tokens each word has: a word begins with each token that is not kept together with the one before it,
    and behind a blank.

    offsets: int (n, 2), the characters [start, end) of each token. together: bool (n - 1,). Tokens that share a
    character are never apart.
    """
    starts, ends = offsets[1:, 0], offsets[:-1, 1]
    cut = (starts > ends) | (~np.asarray(together, bool) & (starts == ends))
    return np.diff(np.flatnonzero(np.concatenate([[True], cut, [True]]))).tolist() if len(offsets) else []


def words_of(text: str, offsets: np.ndarray, sizes: Sequence[int]) -> list[str]:
    """The text in words of so many tokens each. No character is lost: those that no token has are in the word before
    them, and at the beginning in the first one."""
    places = [0, *offsets[np.cumsum(sizes)[:-1], 0].tolist(), len(text)] if sizes else [0, len(text)]
    return [text[start:end] for start, end in zip(places, places[1:])]


def threshold_of_share(pulls: Iterable[np.ndarray], share: float) -> float:
    """The threshold by which this share of all neighbours is kept together; infinity where there are none. pulls: of
    each text the mean of both impacts between neighbours, float (n - 1,)."""
    every = np.concatenate([np.zeros(0), *pulls])
    return float(np.quantile(every, 1 - share)) if len(every) else float("inf")


def learned_threshold(pulls: Sequence[np.ndarray], together: Sequence[np.ndarray]) -> float:
    """The threshold by which F1 of words is highest, the lowest of equals among 400 that stand between equally many
    neighbours. pulls: as above. together: of each text which neighbours are of one word, bool (n - 1,)."""
    # One text behind the other, with a boundary between any two.
    strength = np.concatenate([np.append(one, -np.inf) for one in pulls] + [np.zeros(0)])
    gold = ~np.concatenate([np.append(np.asarray(one, bool), False) for one in together] + [np.zeros(0, bool)])
    candidates = np.unique(np.quantile(strength[np.isfinite(strength)], np.linspace(0, 1, _CANDIDATES)))
    return float(max(candidates, key=lambda threshold: _word_f1(gold, strength < threshold)))


def _word_f1(gold: np.ndarray, found: np.ndarray) -> float:
    """gold, found: bool (tokens,), whether a word ends with a token; of both one does with the last."""
    ends = np.flatnonzero(gold)
    cuts = np.concatenate([[0], np.cumsum(found)])  # ends of words before a token
    begins = np.concatenate([[0], ends[:-1] + 1])
    begun = np.concatenate([[True], found[ends[:-1]]])
    right = int((begun & found[ends] & (cuts[ends] == cuts[begins])).sum())
    return precision_recall_f1(right, int(found.sum()), right, len(ends))["f1"]


# Trees


def between_words(matrix: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Impacts between words, float64 (words, words): the mean over their tokens; 0 on the diagonal. sizes: how many
    tokens of the matrix each word has, at least 1."""
    begins = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    if begins[-1] != len(matrix) or min(sizes, default=1) < 1:
        raise ValueError(
            f"words of {begins[-1]} tokens for {len(matrix)}: each word must have a token, and each token a word"
        )
    sums = np.add.reduceat(np.add.reduceat(matrix, begins[:-1], 0), begins[:-1], 1) if len(sizes) else matrix
    means = sums / np.multiply.outer(np.asarray(sizes, float), np.asarray(sizes, float))
    np.fill_diagonal(means, 0.0)
    return means


def split_tree(matrix: np.ndarray) -> Brackets:
    """The binary tree in which a part is cut at the k for which

        mean(D[:k, :k]) + mean(D[k:, k:]) - mean(D[:k, k:]) - mean(D[k:, :k])

    is highest, the first of equals. matrix: the impacts D, float (n, n).
    """
    sums = np.zeros(np.array(matrix.shape) + 1)
    sums[1:, 1:] = matrix.cumsum(0).cumsum(1)

    def mean(top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return total / ((bottom - top) * (right - left))

    brackets, to_cut = set(), [(0, len(matrix))]
    while to_cut:
        start, end = to_cut.pop()
        if end - start < 2:
            continue
        k = np.arange(start + 1, end)
        inside = mean(start, k, start, k) + mean(k, end, k, end)
        across = mean(start, k, k, end) + mean(k, end, start, k)
        # Sums of other parts than the definition's differ in their last digits, which are not to decide.
        place = int(k[np.round(inside - across, _DIGITS).argmax()])
        brackets.add((start, end))
        to_cut += [(start, place), (place, end)]
    return frozenset(brackets)


def strongest_arcs(matrix: np.ndarray) -> frozenset[Arc]:
    """The n - 1 arcs (smaller, larger) between words that connect all of them, with the largest sum of impacts in both
    directions: the maximum spanning tree (Prim), a reading of D as dependencies that have no direction."""
    weights = matrix + matrix.T
    inside, arcs = np.arange(len(matrix)) == 0, set()
    best, nearest = weights[0].astype(np.float64) if len(matrix) else np.zeros(0), np.zeros(len(matrix), int)
    for _ in range(len(matrix) - 1):
        word = int(np.where(inside, -np.inf, best).argmax())
        arcs.add((min(word, int(nearest[word])), max(word, int(nearest[word]))))
        inside[word] = True
        closer = weights[word] > best
        best, nearest = np.where(closer, weights[word], best), np.where(closer, word, nearest)
    return frozenset(arcs)


def arcs_of_heads(heads: Sequence[int], kept: Sequence[bool]) -> frozenset[Arc]:
    """The arcs between words that are kept, counted anew, without direction. heads: from 1, 0 for a root."""
    number = np.cumsum(kept) - 1
    pairs = ((word, head - 1) for word, head in enumerate(heads) if head > 0 and kept[word] and kept[head - 1])
    return frozenset((int(min(number[a], number[b])), int(max(number[a], number[b]))) for a, b in pairs)


def chain_of(length: int) -> frozenset[Arc]:
    """Each word tied to the next one."""
    return frozenset((word, word + 1) for word in range(length - 1))


def attachment_score(gold: Iterable[frozenset[Arc]], found: Iterable[frozenset[Arc]]) -> float:
    """The share of all gold arcs that are found; 0 without any. Raises ValueError for unequal numbers."""
    counts = [(len(expected & arcs), len(expected)) for expected, arcs in zip(gold, found, strict=True)]
    right, wanted = (sum(column) for column in zip(*counts)) if counts else (0, 0)
    return right / wanted if wanted else 0.0
