"""The best path of a linear-chain CRF, and spans as the BIO labels it is trained on (kexue.fm/archives/5542).

Label ids of BIO: 0 is O (outside), 2k + 1 is B_k (begins a span of class k), 2k + 2 is I_k (goes on with one).
"""

from collections.abc import Iterable

import numpy as np

Span = tuple[int, int, int]


# Which label may follow which


def bio_transitions(classes: int) -> tuple[np.ndarray, np.ndarray]:
    """What BIO allows: I_k only after B_k or I_k, and never at the beginning.

    Returns (legal, starts): bool (labels, labels), where legal[i, j] says that j may follow i, and bool (labels,), for
    labels = 2 classes + 1.
    """
    starts = np.ones(2 * classes + 1, bool)
    starts[2::2] = False
    legal = np.tile(starts, (len(starts), 1))
    begin = np.arange(1, 2 * classes, 2)
    legal[begin, begin + 1] = legal[begin + 1, begin + 1] = True
    return legal, starts


def check_transitions(legal: np.ndarray, starts: np.ndarray) -> None:
    """ValueError unless there is a legal path of every length."""
    if legal.ndim != 2 or legal.shape != (*starts.shape, *starts.shape):
        raise ValueError(
            f"Transitions need shapes (labels, labels) and (labels,), not {legal.shape} and {starts.shape}."
        )
    if not starts.any():
        raise ValueError("No label may begin a sequence.")
    if not legal.any(1).all():
        raise ValueError(f"No label may follow label {int(np.argmin(legal.any(1)))}, so that sequences cannot go on.")


def predecessor_groups(
    legal: np.ndarray, few: int = 4
) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Labels by what may precede them: most labels of a large set either follow everything (O, B_k) or next to nothing
    (I_k).

    Returns (labels, predecessors, groups), all of ids:
    labels (m,), those with 1 to `few` predecessors, and predecessors (m, w), where a shorter row repeats its first one;
    groups, for all others: (predecessors, labels) of each set of labels with the same predecessors.
    Labels that nothing may precede are in neither.
    """
    found: dict[bytes, list[int]] = {}
    for label, column in enumerate(np.packbits(legal, axis=0).T):
        found.setdefault(column.tobytes(), []).append(label)
    sparse: dict[int, np.ndarray] = {}
    groups = []
    for labels in found.values():
        predecessors = np.flatnonzero(legal[:, labels[0]])
        if len(predecessors) > few:
            groups.append((predecessors, np.array(labels)))
        elif len(predecessors):
            sparse |= {label: predecessors for label in labels}
    width = max((len(predecessors) for predecessors in sparse.values()), default=1)
    rows = [[*sparse[label], *[sparse[label][0]] * (width - len(sparse[label]))] for label in sorted(sparse)]
    return np.array(sorted(sparse), int), np.array(rows, int).reshape(-1, width), groups


# Decoding


def viterbi(
    emissions: np.ndarray, transitions: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> list[np.ndarray]:
    """The path of the highest score for each sequence: the sum of its emissions and transitions, in float64.

    emissions: float (batch, length, labels), finite up to the length of each sequence; what is behind it is not looked
    at.
    transitions: float (labels, labels), [i, j] the score of j after i, -inf where that is illegal.
    starts: bool (labels,), labels that may begin a sequence. lengths: int (batch,), 0 allowed.

    Returns an int array (length,) for each sequence, always a legal path. Of equal ones that with the lowest last label
    wins, then that with the lowest label before it, and so on: of all equal paths where the sums are exact, as those of
    scores `on_grid` are. Changes no argument. ValueError for shapes that do not fit, scores that are not finite, and transitions that lead
    nowhere.

    Labels that share their predecessors are scored together, and the few predecessors of an I are looked up. Only
    scores are kept, not where they come from: the way back asks that for one label a step, which halves the work.
    """
    emissions, transitions = np.asarray(emissions), np.asarray(transitions, np.float64)
    starts, lengths = np.asarray(starts, bool), np.asarray(lengths)
    legal = transitions > -np.inf
    check_transitions(legal, starts)
    if emissions.ndim != 3 or emissions.shape[2] != len(starts) or lengths.shape != emissions.shape[:1]:
        raise ValueError(f"Emissions {emissions.shape} and lengths {lengths.shape} do not fit {len(starts)} labels.")
    if lengths.size and (lengths.min() < 0 or lengths.max() > emissions.shape[1]):
        raise ValueError(f"Lengths must lie between 0 and {emissions.shape[1]}.")
    if not np.isfinite(transitions[legal]).all() or not all(
        np.isfinite(row[:size]).all() for row, size in zip(emissions, lengths)
    ):
        raise ValueError("Scores that are not finite cannot be decoded: did the training diverge?")
    scores = best_scores(emissions, transitions, legal, starts, lengths)
    return walk_back(scores, transitions, lengths)


def best_scores(emissions, transitions, legal, starts, lengths) -> np.ndarray:
    """Score of the best path that ends in each label at each token: (length, batch, labels), meaningless behind the
    end."""
    few_labels, few_predecessors, groups = predecessor_groups(legal)
    few_scores = transitions[few_predecessors, few_labels[:, None]]
    blocks = [transitions[np.ix_(predecessors, labels)] for predecessors, labels in groups]
    scores = np.full((emissions.shape[1], *emissions.shape[::2]), -np.inf)
    scores[:1, :, starts] = emissions[:, :1, starts].swapaxes(0, 1)
    for step in range(1, lengths.max(initial=0)):
        rows = np.flatnonzero(lengths > step)
        before, now = scores[step - 1, rows], np.full((len(rows), len(starts)), -np.inf)
        now[:, few_labels] = (before[:, few_predecessors] + few_scores).max(2)
        for (predecessors, labels), block in zip(groups, blocks):
            now[:, labels] = best_sums(before[:, predecessors], block)
        scores[step, rows] = now + emissions[rows, step]
    return scores


def best_sums(before: np.ndarray, block: np.ndarray) -> np.ndarray:
    """max_i(before[b, i] + block[i, j]) as (batch, labels)."""
    # Only a predecessor that can do better than some other one does for all labels has to be tried: after training
    # these are a few.
    possible = before + block.max(1) >= (before + block.min(1)).max(1, keepdims=True)
    best = np.empty((len(before), block.shape[1]))
    total = np.empty(block.shape)
    # One sequence at a time: the block stays in the cache, where an array (batch, labels, labels) would not.
    for row, (scores, tried) in enumerate(zip(before, possible)):
        if 2 * tried.sum() < len(tried):
            best[row] = (scores[tried, None] + block[tried]).max(0)
        else:
            best[row] = np.add(scores[:, None], block, out=total).max(0)
    return best


def walk_back(scores, transitions, lengths) -> list[np.ndarray]:
    """The best path of each sequence, out of such scores, which it changes."""
    paths = np.zeros((len(lengths), lengths.max(initial=0)), int)
    for step in reversed(range(paths.shape[1])):
        rows, going_on = np.flatnonzero(lengths > step), np.flatnonzero(lengths > step + 1)
        options = scores[step]
        if len(going_on):
            options[going_on] += transitions[:, paths[going_on, step + 1]].T
        paths[rows, step] = options[rows].argmax(1)
    return [path[:length] for path, length in zip(paths, lengths)]


# Spans


def bio_spans(labels: Iterable[int]) -> list[Span]:
    """Spans of a label sequence as (first, last, class), both inclusive, in order.

    A span is a B_k and the I_k right behind it. An I of another class ends it and, like an I with nothing to go on
    with, makes no span.
    """
    spans: list[Span] = []
    open_class = None
    for position, label in enumerate(labels):
        kind = (int(label) - 1) // 2
        if label and label % 2:
            spans.append((position, position, kind))
            open_class = kind
        elif label and kind == open_class:
            spans[-1] = (spans[-1][0], position, kind)
        else:
            open_class = None
    return spans


def bio_labels(spans: Iterable[Span], length: int) -> tuple[np.ndarray, list[Span]]:
    """Labels int32 (length,) of spans (first, last, class), both inclusive, and the spans that they cannot hold.

    A token has one label, so of spans that overlap the earliest is held, of those that begin together the longest, of
    equal ones the lowest class. A span that is given twice counts once. ValueError for one outside the sequence.
    """
    labels = np.zeros(length, np.int32)
    dropped = []
    for span in sorted(set(spans), key=lambda span: (span[0], -span[1], span[2])):
        first, last, kind = span
        if not 0 <= first <= last < length or kind < 0:
            raise ValueError(f"Span {span} does not lie within {length} tokens.")
        if labels[first : last + 1].any():
            dropped.append(span)
        else:
            labels[first : last + 1] = 2 * kind + 2
            labels[first] -= 1
    return labels, dropped
