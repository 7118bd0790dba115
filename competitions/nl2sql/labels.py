"""Gold and back: a query as labels on the tokens of its question, and as the candidates that a perfect network would
find.

Two heads see the same labels. `tagging` writes one tag on each token and one set of columns beside it; `span_column`
marks spans for each column by itself. What a head cannot represent is lost here, and counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.tokenizers import Encoding, name_form

from matching import shared_runs
from numerals import find_numbers
from task import AGGREGATIONS, OPERATORS, Query
from values import Column

#: The label of a column that is not selected; below it are the aggregations.
NOT_SELECTED = len(AGGREGATIONS)
SELECTIONS = NOT_SELECTED + 1

#: Classes of the number of selected columns, and of conditions: one, two, more.
COUNTS = 3

#: Tags: 0 outside, then for each operator the first token of a value and the following ones.
TAG_COUNT = 1 + 2 * len(OPERATORS)

NOT_FOUND = "value that is not in its question"
CUT = "value that begins or ends inside of a token, or after the last token that is read"
SELECTED_TWICE = "column selected twice"
OVERLAPPING = "value that overlaps with another one (tagging)"


class Mark(NamedTuple):
    """A condition in a question: column and operator, and the first and last token of its value, both inclusive, from
    0."""

    column: int
    operator: int
    first: int
    last: int


@dataclass(frozen=True)
class Labels:
    """selections: for each column NOT_SELECTED or the number of its aggregation. connection: a number of CONNECTIONS.
    conditions: how many there are in the query; those without a mark, too."""

    selections: tuple[int, ...]
    connection: int
    conditions: int
    marks: tuple[Mark, ...]


def align(query: Query, question: str, encoding: Encoding, columns: Sequence[Column], lost: Counter[str]) -> Labels:
    """The labels of a query on the tokens of its question, without special ones. `lost` counts what has no label, by
    reason.

    Where a question says a value several times, a condition takes a place that no other one of the same value has,
    nearest to the name of its column.
    """
    selections = [NOT_SELECTED] * len(columns)
    for column, aggregation in query.selected:
        if selections[column] != NOT_SELECTED:
            lost[SELECTED_TWICE] += 1
        selections[column] = aggregation
    numbers = find_numbers(question)
    taken: set[tuple[str, tuple[int, int]]] = set()
    marks = []
    for column, operator, value in query.conditions:
        places = columns[column].locate(question, numbers, value)
        free = [place for place in places if (value, place) not in taken] or places
        if not free:
            lost[NOT_FOUND] += 1
            continue
        place = min(free, key=_distance_to(columns[column].short_name, question))
        taken.add((value, place))
        tokens = encoding.token_span(*place)
        if tokens is None:
            lost[CUT] += 1
        else:
            marks.append(Mark(column, operator, *tokens))
    return Labels(tuple(selections), query.connection, len(query.conditions), tuple(dict.fromkeys(marks)))


def count_class(count: int) -> int:
    """0 for one, 1 for two, 2 for more."""
    return min(max(count, 1), COUNTS) - 1


def _distance_to(name: str, question: str) -> Callable[[tuple[int, int]], float]:
    """How far a place is from where the question shares most with the name; a place before it counts as twice as
    far."""
    shared = shared_runs(name_form(question), name)
    longest = shared.max(initial=0)
    named = np.flatnonzero(shared == longest) if longest > 1 else np.array([], int)

    def distance(place: tuple[int, int]) -> float:
        if not len(named):
            return 0.0
        after = np.where(named < place[0], place[0] - named, 2 * (named - place[1] + 1))
        return float(np.abs(after).min())

    return distance


# Tagging


def tags_of(
    labels: Labels, tokens: int, columns: int, lost: Counter[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Tags, int32 (tokens,), and the columns of each tagged token, int8 (tokens, columns).

    A value in two columns is one span with two columns. Of values that overlap otherwise, or of one value with two
    operators, only the first can be written.
    """
    tags, beside = np.zeros(tokens, np.int32), np.zeros((tokens, columns), np.int8)
    spans: dict[tuple[int, int], int] = {}
    for column, operator, first, last in labels.marks:
        known = spans.get((first, last))
        if known is None and not tags[first : last + 1].any():
            spans[first, last] = operator
            tags[first : last + 1] = 2 + 2 * operator
            tags[first] -= 1
        elif known != operator:
            if lost is not None:
                lost[OVERLAPPING] += 1
            continue
        beside[first : last + 1, column] = 1
    return tags, beside


def tagged_spans(tags: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(operator, first, last) of every value in the tags, also of the one that ends with the last token.

    A following token without a first one, or after one of another operator, begins a value: nothing that was tagged is
    lost.
    """
    operator, first = None, 0
    for position, tag in enumerate([*tags, 0]):
        following = tag > 0 and tag % 2 == 0 and operator == (tag - 1) // 2
        if following:
            continue
        if operator is not None:
            yield operator, first, position - 1
        operator, first = ((int(tag) - 1) // 2, position) if tag else (None, 0)


# What a perfect network finds


def marks_of_tags(tags: np.ndarray, beside: np.ndarray) -> list[Mark]:
    """The conditions that tags and columns of `tags_of` stand for."""
    return [
        Mark(int(column), operator, first, last)
        for operator, first, last in tagged_spans(tags)
        for column in np.flatnonzero(beside[first : last + 1].mean(0) > 0.5)
    ]
