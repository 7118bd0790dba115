"""How sure a linear-chain CRF is of each span of its BIO labels: by how much the best path with the span is better than
the best path without it (max-marginals, Wainwright and Jordan 2008, section 8).

A marginal probability adds up all paths; the best path, which `viterbi` finds, may then hold spans that are less probable
than not. The margin belongs to the decision: it is positive for the spans of the best path, and for no other one.
"""

import numpy as np

from common.decoders.viterbi import Span, best_scores, best_sums, bio_spans, bio_transitions, walk_back

Margin = tuple[int, int, int, float]


def bio_span_margins(
    emissions: np.ndarray, transitions: np.ndarray, lengths: np.ndarray, lowest: float
) -> list[tuple[set[Span], list[Margin]]]:
    """For each sequence the spans of the best path, as (first, last, class), both inclusive, and all spans whose margin
    is above `lowest`, which is below 0, as (first, last, class, margin), in this order.

    emissions: float (batch, length, labels); transitions: float (labels, labels), -inf where BIO forbids it; lengths:
    int (batch,), as for `viterbi`. Of equally good paths one is the best (see there), and its spans that the others have
    not have a margin of 0, as theirs have.
    """
    emissions, transitions = np.asarray(emissions, np.float64), np.asarray(transitions, np.float64)
    legal, starts = bio_transitions(emissions.shape[2] // 2)
    before = best_scores(emissions, transitions, legal, starts, lengths)
    after, leaving = _best_rests(emissions, transitions, starts, lengths)
    paths = walk_back(before.copy(), transitions, lengths)
    return [
        _margins(emissions[row], transitions, before[:, row], after[row], leaving[row], path, lowest)
        for row, path in enumerate(paths)
    ]


def _best_rests(emissions, transitions, starts, lengths) -> tuple[np.ndarray, np.ndarray]:
    """The score of the best path behind each label at each token; and of the best one that does not go on with the
    span: both (batch, length, labels), 0 at the last token, meaningless behind it."""
    after, leaving = np.zeros(emissions.shape), np.zeros(emissions.shape)
    to_starts = np.ascontiguousarray(transitions[:, starts].T)
    inside = np.arange(2, emissions.shape[2], 2)
    for step in reversed(range(emissions.shape[1] - 1)):
        rows = np.flatnonzero(lengths > step + 1)
        following = emissions[rows, step + 1] + after[rows, step + 1]
        leaving[rows, step] = best_sums(following[:, starts], to_starts)
        after[rows, step] = leaving[rows, step]
        for labels in (inside - 1, inside):
            going_on = transitions[labels, inside] + following[:, inside]
            after[np.ix_(rows, [step], labels)] = np.maximum(after[np.ix_(rows, [step], labels)], going_on[:, None])
    return after, leaving


def _margins(emissions, transitions, before, after, leaving, path, lowest) -> tuple[set[Span], list[Margin]]:
    """Of one sequence: see `bio_span_margins`."""
    chosen, length = set(bio_spans(path)), len(path)
    if not length:
        return chosen, []
    through = before[:length] + after[:length]
    best = float(through[-1].max())

    def ends(first: int, kind: int, least: float) -> list[float]:
        """The scores of the best paths with a span from `first` to each of the next tokens, while one that goes further
        may be above `least`."""
        label, score, found = 2 * kind + 1, float(before[first, 2 * kind + 1]), []
        for last in range(first, length):
            if last > first:
                score += float(transitions[label, 2 * kind + 2] + emissions[last, 2 * kind + 2])
                label = 2 * kind + 2
            if score + after[last, label] <= least:
                break
            found.append(score + float(leaving[last, label]))
        return found

    margins = []
    for first, kind in np.argwhere(through[:, 1::2] > best + lowest).tolist():
        for last, score in enumerate(ends(first, kind, best + lowest), first):
            if (first, last, kind) in chosen:
                others = ends(first, kind, -np.inf)
                others[last - first] = float(np.delete(through[first], 2 * kind + 1).max())
                margins.append((first, last, kind, best - max(others)))
            elif score > best + lowest:
                margins.append((first, last, kind, score - best))
    return chosen, sorted(margins)
