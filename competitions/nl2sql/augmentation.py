"""Training questions that say the opposite, made without a word: only what is known of their words changes.

Where the words of a cue are hidden from the network (see `features.Hiding`), 超过 and 不到 differ in nothing but their
feature. So both features can change places, and with them the operators of gold: a question about more is one about
less. The same with 平均 and 最高. A few hundred questions then teach what each cue means, however rare it is.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cues import KINDS
from labels import NOT_SELECTED, Labels
from task import AGGREGATIONS, OPERATORS

_MORE, _LESS = OPERATORS.index(">"), OPERATORS.index("<")
#: Aggregations that any other of them may stand for. What is counted is another column than what is added up.
_ALIKE = tuple(AGGREGATIONS.index(name) for name in ("AVG", "MAX", "MIN", "SUM"))


class Opposite(NamedTuple):
    """kinds: which feature of `cues` stands now where each one stood, int (KINDS,)."""

    labels: Labels
    kinds: np.ndarray


def opposite(labels: Labels, said: np.ndarray, generator: np.random.Generator) -> Opposite:
    """The labels with operators and aggregation changed at random, each with probability 1/2, where the cues say them
    all.

    said: bool (tokens, KINDS), the cues of each token.
    """
    kinds = np.arange(len(KINDS))
    if generator.random() < 0.5 and _says_operators(labels, said):
        turned = {_MORE: _LESS, _LESS: _MORE}
        labels = replace(
            labels,
            marks=tuple(mark._replace(operator=turned.get(mark.operator, mark.operator)) for mark in labels.marks),
        )
        _exchange(kinds, ">", "<")
    column = _said_aggregation(labels, said)
    if generator.random() < 0.5 and column is not None:
        selections = list(labels.selections)
        other = _ALIKE[generator.integers(len(_ALIKE))]
        _exchange(kinds, AGGREGATIONS[selections[column]], AGGREGATIONS[other])
        selections[column] = other
        labels = replace(labels, selections=tuple(selections))
    return Opposite(labels, kinds)


def _exchange(kinds: np.ndarray, one: str, other: str) -> None:
    places = [KINDS.index(one), KINDS.index(other)]
    kinds[places] = kinds[places[::-1]]


def _says_operators(labels: Labels, said: np.ndarray) -> bool:
    """Whether there are as many words for each operator as conditions with it."""
    return all(
        _runs(said[:, KINDS.index(OPERATORS[one])]) == sum(mark.operator == one for mark in labels.marks)
        for one in (_MORE, _LESS)
    )


def _said_aggregation(labels: Labels, said: np.ndarray) -> int | None:
    """The column of the only aggregation, if it is the only one that is said."""
    columns = [column for column, selection in enumerate(labels.selections) if selection not in (NOT_SELECTED, 0)]
    cues = [one for one in _ALIKE for _ in range(_runs(said[:, KINDS.index(AGGREGATIONS[one])]))]
    return columns[0] if len(columns) == 1 and cues == [labels.selections[columns[0]]] else None


def _runs(inside: np.ndarray) -> int:
    return int(np.sum(np.diff(np.concatenate([[0], inside.astype(np.int8)])) == 1))
