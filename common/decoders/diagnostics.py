"""What goes wrong when text is generated: repetition, and texts without an end (kexue.fm/archives/8128 and 7500)."""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from common.decoders.autoregressive import Hypothesis
from common.decoders.sampling import truncate

_ONE = 1 - 1e-12  # eigenvalues of 1 are found with an error


def repetition_rate(sequences: Iterable[Sequence[Hashable]], n: int = 2) -> float:
    """Share of all n-grams that stood before in the same sequence; 0.0 if there is none. Sequences: of tokens, or
    strings."""
    total = repeated = 0
    for sequence in sequences:
        ngrams = [tuple(sequence[start : start + n]) for start in range(len(sequence) - n + 1)]
        total += len(ngrams)
        repeated += len(ngrams) - len(set(ngrams))
    return repeated / total if total else 0.0


def unfinished_share(hypotheses: Iterable[Hypothesis]) -> float:
    """Share of those that got no end; 0.0 if there is none."""
    finished = [hypothesis.finished for hypothesis in hypotheses]
    return finished.count(False) / len(finished) if finished else 0.0


# A bigram model


def bigram_transitions(sequences: Iterable[Sequence[int]], size: int, smoothing: float = 0.0) -> np.ndarray:
    """P[i, j], the probability of j after i, float64 (size, size), from counts in sequences of tokens below `size`,
    each with `smoothing` more.

    A row of which nothing is known is all zeros: nothing follows. So is that of an end, if the sequences have it.
    """
    counts = np.full((size, size), float(smoothing))
    for sequence in sequences:
        np.add.at(counts, (list(sequence[:-1]), list(sequence[1:])), 1)
    return _normalized(counts)


def truncated(transitions: np.ndarray, top_k: int = 0, top_p: float = 1.0) -> np.ndarray:
    """The transitions that sampling with top_k and top_p leaves, renormalised: repetition_bound tells what that
    does."""
    return _normalized(truncate(np.asarray(transitions, np.float64), top_k, top_p))


def _normalized(rows: np.ndarray) -> np.ndarray:
    total = rows.sum(1, keepdims=True)
    return np.divide(rows, total, out=np.zeros(rows.shape), where=total > 0)


class RepetitionBound(NamedTuple):
    """How much a bigram model repeats itself (Fu et al. 2021, as corrected in kexue.fm/archives/8128).

    repetition: R, the sum over k of Tr (P∘P)^k, the probability of a cycle of k tokens followed by itself, summed over
    all cycles. Infinite where there is a cycle that cannot be left. eigenvalue: the largest of P∘P, between least_row
    and largest_row, the least and the largest of its row sums. nonzero: zeta, the share of transitions that are
    possible.

    R >= trace_bound = sum (Tr P^k)^2 / Tr A^k and R >= square_bound = sum Tr(P^k∘P^k / A^k), where A^k counts the ways
    of k possible transitions; R <= upper_bound = n eigenvalue / (1 - eigenvalue).
    """

    repetition: float
    eigenvalue: float
    least_row: float
    largest_row: float
    nonzero: float
    trace_bound: float
    square_bound: float
    upper_bound: float


def repetition_bound(transitions: np.ndarray, powers: int = 200) -> RepetitionBound:
    """All of this for P, float (n, n) with rows that sum to 1, or less where a text can end. ValueError for any other
    matrix.

    The lower bounds sum over the first `powers` k, or as many as can be counted, which makes them no higher. The source
    has zeta^k n^k in place of Tr A^k, and zeta^k n^(k-1) in place of each element of A^k. That is the same where
    everything is possible, but no bound where the possible transitions are spread unevenly: for c times the identity it
    is n times R.

    Takes n^3 operations for each power: some hundreds of tokens in a second.
    """
    transitions = np.asarray(transitions, np.float64)
    if transitions.ndim != 2 or transitions.shape[0] != transitions.shape[1] or not transitions.size:
        raise ValueError(f"Transitions need the shape (tokens, tokens), not {transitions.shape}.")
    if not (transitions >= 0).all() or transitions.sum(1).max() > 1 + 1e-6:
        raise ValueError("Transitions are probabilities: none is negative, and no row sums to more than 1.")
    squares, possible = transitions**2, (transitions > 0).astype(np.float64)
    eigenvalue = float(np.abs(np.linalg.eigvals(squares)).max())
    repetition = upper = np.inf
    if eigenvalue < _ONE:
        # The sum of l / (1 - l) over the eigenvalues l of P∘P, without the error of each of them.
        repetition = float(np.trace(np.linalg.solve(np.eye(len(squares)) - squares, squares)))
        upper = len(squares) * eigenvalue / (1 - eigenvalue)
    trace_bound = square_bound = 0.0
    reached, ways = np.eye(len(squares)), np.eye(len(squares))
    for _ in range(powers):
        with np.errstate(over="ignore", invalid="ignore"):
            reached, ways = reached @ transitions, ways @ possible
        if not np.isfinite(ways).all():
            break
        back, cycles = reached.diagonal(), ways.diagonal()
        if cycles.any():
            trace_bound += float(back.sum() ** 2 / cycles.sum())
            square_bound += float(np.divide(back**2, cycles, out=np.zeros(len(back)), where=cycles > 0).sum())
    row_sums = squares.sum(1)
    return RepetitionBound(
        repetition,
        eigenvalue,
        float(row_sums.min()),
        float(row_sums.max()),
        float(possible.mean()),
        trace_bound,
        square_bound,
        upper,
    )
