"""From scores to a query that runs: choices in the order of their probability, and the first one whose result makes
sense.

Execution-guided decoding (Wang et al. 2018): a query that fails, that compares or adds up what is no number, or that
returns nothing is passed over for the next best. In numpy and plain Python.
"""

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from common.tokenizers import Encoding

from execution import MOST_COLUMNS, Database, ExecutionError
from labels import COUNTS, NOT_SELECTED, SELECTIONS, Labels, Mark, count_class
from numerals import find_numbers
from task import AGGREGATIONS, CONNECTIONS, OPERATORS, Condition, Example, Query, Selected
from values import Column, columns_of, number_at

_EQUALITY = {OPERATORS.index("=="), OPERATORS.index("!=")}
_COUNT = AGGREGATIONS.index("COUNT")
_KEPT = 50  # selections, and sets of conditions, of which queries are made
_LOOKED_AT = 1000  # choices of conditions, most of which are the same where a question says one over and over
_LEAST = 0.01  # probability of an operator that is tried
_CERTAIN = 1e-6  # of the probability of a perfect network, and the least that is asked for the logarithm of


class Found(NamedTuple):
    """A value of a column at the tokens first..last of a question, with its probability and those of its OPERATORS,
    float (4,)."""

    column: int
    first: int
    last: int
    probability: float
    operators: np.ndarray


@dataclass(frozen=True)
class Scores:
    """What a network says of a question.

    selections: probabilities, float (columns, SELECTIONS). connection: of CONNECTIONS, float (3,). selected_count,
    condition_count: that one, two or more columns are selected and conditions are there, float (COUNTS,). found: of two
    that overlap in one column the more probable one only.
    """

    selections: np.ndarray
    connection: np.ndarray
    selected_count: np.ndarray
    condition_count: np.ndarray
    found: Sequence[Found]

    @classmethod
    def perfect(cls, labels: Labels, marks: Sequence[Mark]) -> "Scores":
        """Those of a network that gives its labels back; `marks` are those that its head can represent."""
        found = [
            Found(mark.column, mark.first, mark.last, 1 - _CERTAIN, np.eye(len(OPERATORS))[mark.operator])
            for mark in marks
        ]
        selected = sum(selection != NOT_SELECTED for selection in labels.selections)
        return cls(
            np.stack([_sure(selection, SELECTIONS) for selection in labels.selections]),
            _sure(labels.connection, len(CONNECTIONS)),
            _sure(count_class(selected), COUNTS),
            _sure(count_class(labels.conditions), COUNTS),
            found,
        )


def _sure(number: int, classes: int) -> np.ndarray:
    return np.where(np.arange(classes) == number, 1 - _CERTAIN, _CERTAIN)


class Decoder:
    """Writes queries. tries: how many that run a question may try; 1 takes the most probable one, whatever its
    result."""

    def __init__(self, tries: int = 100):
        self.tries = tries
        # Questions about one table mostly stand together; thousands of open databases would take a gigabyte.
        self._database = lru_cache(maxsize=100)(Database)

    def decode(self, example: Example, encoding: Encoding, scores: Scores) -> Query:
        """The query for a question, which can always be executed. encoding: the tokens of the question, without special
        ones."""
        columns, first = columns_of(example.table), None
        tried = 0
        for query in itertools.islice(candidates(example.question, columns, encoding, scores), max(self.tries, _KEPT)):
            result = self._execute(example, query)
            if result is None:
                continue
            tried += 1
            if makes_sense(query, columns) and says_something(query, result):
                return query
            first = first or query
            if tried == self.tries:
                break
        return first or _last_resort(columns, scores)

    def _execute(self, example: Example, query: Query) -> list[tuple] | None:
        try:
            return self._database(example.table).execute(query)
        except ExecutionError:
            return None


def candidates(question: str, columns: Sequence[Column], encoding: Encoding, scores: Scores) -> Iterator[Query]:
    """Whole queries, the most probable first: a selected column, a condition, and a connection just where there are
    several conditions.

    Made of the most probable selections and the most probable sets of conditions, some of each; none where no condition
    was found.
    """
    selections = [
        (cost + _cost(scores.selected_count[count_class(len(selected))]), selected)
        for cost, selected in itertools.islice(_selections(scores.selections), _KEPT)
    ]
    joined = [
        (
            cost + _cost(scores.condition_count[count_class(len(chosen))]) + _cost(scores.connection[connection]),
            (connection, chosen),
        )
        for cost, chosen in itertools.islice(_conditions(question, columns, encoding, scores.found), _KEPT)
        for connection in ((0,) if len(chosen) == 1 else range(1, len(CONNECTIONS)))
    ]
    for _, (selected, (connection, chosen)) in best_first([selections, joined]):
        yield Query(selected, connection, chosen)


def _selections(probabilities: np.ndarray) -> Iterator[tuple[float, tuple[Selected, ...]]]:
    """What may be selected, at least one column, with its cost."""
    slots = [[(_cost(probability), number) for number, probability in enumerate(row)] for row in probabilities]
    for cost, choice in best_first(slots):
        selected = tuple(
            Selected(column, aggregation) for column, aggregation in enumerate(choice) if aggregation != NOT_SELECTED
        )
        if selected:
            yield cost, selected


def _conditions(
    question: str, columns: Sequence[Column], encoding: Encoding, found: Sequence[Found]
) -> Iterator[tuple[float, tuple[Condition, ...]]]:
    """Which conditions there may be, at least one and each once, with their cost. One that a question says several
    times is one condition."""
    known: set[frozenset[Condition]] = {frozenset()}
    choices = best_first(list(_condition_options(question, columns, encoding, found)))
    for cost, choice in itertools.islice(choices, _LOOKED_AT):
        conditions = tuple(dict.fromkeys(condition for condition in choice if condition is not None))
        if frozenset(conditions) not in known:
            known.add(frozenset(conditions))
            yield cost, conditions


def best_first(slots: Sequence[Sequence[tuple[float, Any]]]) -> Iterator[tuple[float, tuple]]:
    """One option of each slot, in all combinations, those with the least sum of costs first: the sum and the values.
    Options are (cost, value)."""
    if not all(slots):
        return
    slots = [sorted(options, key=lambda option: option[0]) for options in slots]
    # A combination is the slots, in order, in which it has not the best option, with the numbers of their options.
    heap: list[tuple[float, tuple[tuple[int, int], ...]]] = [(sum(options[0][0] for options in slots), ())]
    while heap:
        cost, changes = heapq.heappop(heap)
        chosen = dict(changes)
        yield cost, tuple(options[chosen.get(slot, 0)][1] for slot, options in enumerate(slots))
        # The next ones make one choice worse, not before the slot that was changed last: so each is reached once.
        for slot in range(changes[-1][0] if changes else 0, len(slots)):
            index, options = chosen.get(slot, 0), slots[slot]
            if index + 1 < len(options):
                worse = cost + options[index + 1][0] - options[index][0]
                heapq.heappush(heap, (worse, (*(changes[:-1] if index else changes), (slot, index + 1))))


def _condition_options(
    question: str, columns: Sequence[Column], encoding: Encoding, found: Sequence[Found]
) -> Iterator[list]:
    """For each condition that may be there: None, or the condition with each of the values that its words can mean."""
    numbers = find_numbers(question)
    for one in sorted(found, key=lambda one: one.first):
        start, end = encoding.char_span(one.first, one.last)
        number, options = number_at(numbers, start, end), [(_cost(1 - one.probability), None)]
        for operator, share in enumerate(one.operators):
            if share < _LEAST:
                continue
            links = columns[one.column].link(question[start:end], number, operator in _EQUALITY)
            # A question is not less sure of a condition since its value is written in another way: only the ranks of
            # the values count.
            best = links[0].score if links else 1.0
            options += [
                (_cost(one.probability * share * link.score / best), Condition(one.column, operator, link.value))
                for link in links
            ]
        yield options


def _cost(probability: float) -> float:
    return -math.log(max(float(probability), _CERTAIN))


def makes_sense(query: Query, columns: Sequence[Column]) -> bool:
    """Whether everything that is compared by size, added up or averaged is a number."""
    compared = all(columns[one.column].is_numeric for one in query.conditions if one.operator not in _EQUALITY)
    return compared and all(
        columns[one.column].is_numeric for one in query.selected if one.aggregation not in (0, _COUNT)
    )


def says_something(query: Query, result: Sequence[tuple]) -> bool:
    """Whether there is a row with anything in it; a count of nothing is nothing."""
    nothing = [(None, 0) if one.aggregation == _COUNT else (None,) for one in query.selected]
    return any(cell not in empty for row in result for cell, empty in zip(row, nothing))


def _last_resort(columns: Sequence[Column], scores: Scores) -> Query:
    """The column that is most likely selected, where the first column has its first value: it answers nothing, but it
    runs."""
    selected = Selected(int(np.argmin(scores.selections[:MOST_COLUMNS, NOT_SELECTED])), 0)
    value = columns[0].cells[0] if columns[0].cells else ""
    return Query((selected,), 0, (Condition(0, OPERATORS.index("=="), value),))
