"""The metric of TableQA: accuracy of the logic form, accuracy of the result of execution, and their mean.

Written from the behaviour of the organisers' evaluator, since it decides.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from execution import Budget, Database, ExecutionError, in_order
from task import Example, Query, Table

#: The parts of a query that are also counted alone. One is right where its multisets are equal in gold and prediction,
#: so that the order counts nowhere; the connection is one number.
PARTS: dict[str, Callable[[Query], object]] = {
    "select column": lambda query: Counter(one.column for one in query.selected),
    "aggregation": lambda query: Counter(one.aggregation for one in query.selected),
    "condition column": lambda query: Counter(one.column for one in query.conditions),
    "operator": lambda query: Counter(one.operator for one in query.conditions),
    "value": lambda query: Counter(one.value for one in query.conditions),
    "connection": lambda query: query.connection,
}

# Rows of a result, and of these the characters, that are kept to be shown.
_ROWS, _CHARACTERS = 3, 100


class Result(NamedTuple):
    """What a query gives: how many rows, and the beginning of the first ones as `text`. None: it has no result, and the
    text says why. Rows themselves are not kept: those of a file of queries would fill the memory."""

    count: int | None
    text: str


@dataclass(frozen=True)
class Comparison:
    """A question of gold and the query predicted for it (None: there is none), what both give, and what is right: logic
    form, result of execution, and names out of PARTS."""

    example: Example
    predicted: Query | None
    gold_result: Result
    result: Result
    logic_form: bool
    execution: bool
    right_parts: frozenset[str]


@dataclass(frozen=True)
class Score:
    """Numbers of questions: all, those that are right, and those in which a part of PARTS is right."""

    questions: int
    logic_form: int
    execution: int
    right_parts: dict[str, int]

    @property
    def logic_form_accuracy(self) -> float:
        return self._share(self.logic_form)

    @property
    def execution_accuracy(self) -> float:
        return self._share(self.execution)

    @property
    def score(self) -> float:
        return (self.logic_form_accuracy + self.execution_accuracy) / 2

    def figures(self) -> dict[str, float]:
        """`logic_form_accuracy`, `execution_accuracy` and `score`, their mean, from 0 to 1."""
        return {name: getattr(self, name) for name in ("logic_form_accuracy", "execution_accuracy", "score")}

    def parts(self) -> dict[str, float]:
        """The accuracy of each of PARTS."""
        return {name: self._share(count) for name, count in self.right_parts.items()}

    def _share(self, count: int) -> float:
        return count / self.questions if self.questions else 0.0


def compare(
    gold: Sequence[Example], predictions: Sequence[Query | None], budget: Budget | None = None
) -> list[Comparison]:
    """Each question of gold with the prediction at its place; where they end early, there is none for the rest.

    budget: of the time that all queries may take; it counts those that are stopped, which have no result. Raises
    ValueError where there are more predictions than questions, and where a question is unlabelled.
    """
    if len(predictions) > len(gold):
        raise ValueError(f"{len(predictions)} predictions for {len(gold)} questions")
    # One table at a time: thousands of open databases would take a gigabyte.
    places: dict[Table, list[int]] = {}
    for place, example in enumerate(gold):
        places.setdefault(example.table, []).append(place)
    comparisons: dict[int, Comparison] = {}
    budget = budget or Budget()
    for table, of_table in places.items():
        with Database(table) as database:
            for place in of_table:
                predicted = predictions[place] if place < len(predictions) else None
                comparisons[place] = _comparison(gold[place], predicted, database, budget)
    return [comparisons[place] for place in range(len(gold))]


def _comparison(example: Example, predicted: Query | None, database: Database, budget: Budget) -> Comparison:
    if example.query is None:
        raise ValueError(f"the question in line {example.line} has no labels to compare with")
    wanted, gold_result = _result(example.query, database, budget)
    if predicted is None:
        return Comparison(example, None, gold_result, Result(None, "no prediction"), False, False, frozenset())
    rows, result = (wanted, gold_result) if example.query == predicted else _result(predicted, database, budget)
    same_form = example.query.logic_form == predicted.logic_form
    same_result = wanted is not None and rows is not None and _are_same(wanted, rows)
    right = frozenset(name for name, part in PARTS.items() if part(example.query) == part(predicted))
    return Comparison(example, predicted, gold_result, result, same_form, same_result, right)


def _result(query: Query, database: Database, budget: Budget) -> tuple[list[tuple] | None, Result]:
    """The rows of its result, None without one, and what is kept of it."""
    try:
        rows = database.execute(query, budget)
    except ExecutionError as error:
        return None, Result(None, str(error))
    first = (", ".join(f"{cell!s:.{_CHARACTERS}}" for cell in in_order(row)) for row in rows[:_ROWS])
    text = "; ".join(first)[:_CHARACTERS] + ("; ..." if len(rows) > _ROWS else "")
    return rows, Result(len(rows), text)


def _are_same(rows: Sequence[tuple], others: Sequence[tuple]) -> bool:
    """Whether two results are the same in the order of their rows, and in any order inside of each."""
    return len(rows) == len(others) and all(
        len(row) == len(other) and in_order(row) == in_order(other) for row, other in zip(rows, others)
    )


def total(comparisons: Sequence[Comparison]) -> Score:
    """The sum over questions."""
    parts = Counter(part for one in comparisons for part in one.right_parts)
    return Score(
        questions=len(comparisons),
        logic_form=sum(one.logic_form for one in comparisons),
        execution=sum(one.execution for one in comparisons),
        right_parts={name: parts[name] for name in PARTS},
    )
