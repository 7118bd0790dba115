"""NL2SQL: by part of the query, by kind of question, and by mistake."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from breakdowns._parts import NOTHING, Breakdown, Confusion, Row, Table, by_group, kinds_table, places_by
from contest_folders import load
from dev_results import DevResults


def breakdown(results: DevResults, types_of: Any = None) -> Breakdown:
    """The tables of evaluate.py, and which aggregation, operator and connection was taken for which."""
    evaluate, metric, task = (load(results.task, name) for name in ("evaluate", "metric", "task"))
    each = metric.compare(results.examples, results.predicted)
    total = metric.total(each)
    parts = [Row(name, value, (total.right_parts[name],)) for name, value in total.parts().items()]
    figures = {
        "score": [(one.logic_form + one.execution) / 2 for one in each],
        "logic form": [float(one.logic_form) for one in each],
        "execution": [float(one.execution) for one in each],
    }
    tables = [Table("part", "accuracy", ("right",), parts)]
    for title in ("aggregation", "conditions", "values in the question", "in two conditions"):
        group_of, order = evaluate.GROUPINGS[title]
        tables.append(by_group(title, "questions", places_by(map(group_of, each), order), figures))
    outcomes = [evaluate.outcome_of(one) for one in each]
    mistakes = [tuple(evaluate.mistakes_of(one)) for one in each]
    tables.append(by_group("answers", "questions", places_by(outcomes, evaluate.OUTCOMES), figures))
    tables.append(kinds_table(mistakes, "what is wrong", "questions"))
    pairs = [(one.example.query, one.predicted) for one in each if one.predicted is not None]
    return Breakdown(
        tables,
        [
            _confusion("aggregation", task.AGGREGATIONS, [_aggregations(*pair) for pair in pairs]),
            _confusion("operator", task.OPERATORS, [_operators(*pair) for pair in pairs]),
            _confusion("connection", task.CONNECTIONS, [[(gold.connection, one.connection)] for gold, one in pairs]),
        ],
        [(evaluate.aggregation(one), evaluate.number_of_conditions(one)) for one in each],
        mistakes,
        True,
    )


def _aggregations(gold: Any, predicted: Any) -> list[tuple[int, int]]:
    """Of the same column. A column may be selected twice: then the same ones belong together."""
    return _pairs(
        [(one.column, one.aggregation) for one in gold.selected],
        [(one.column, one.aggregation) for one in predicted.selected],
    )


def _operators(gold: Any, predicted: Any) -> list[tuple[int, int]]:
    """Of the same column and value."""
    return _pairs(
        *([((one.column, one.value), one.operator) for one in query.conditions] for query in (gold, predicted))
    )


def _pairs(gold: list[tuple[Any, int]], predicted: list[tuple[Any, int]]) -> list[tuple[int, int]]:
    same = Counter(gold) & Counter(predicted)
    pairs = [(number, number) for (_, number), count in same.items() for _ in range(count)]
    left = list((Counter(predicted) - same).elements())
    for where, number in (Counter(gold) - same).elements():
        other = next((one for one in left if one[0] == where), None)
        if other is not None:
            left.remove(other)
            pairs.append((number, other[1]))
    return pairs


def _confusion(title: str, names: tuple[str, ...], pairs: Iterable[Iterable[tuple[int, int]]]) -> Confusion:
    def name(number: int) -> str:
        return (names[number] or "none") if 0 <= number < len(names) else f"?{number}"

    counts = Counter((name(gold), name(predicted)) for some in pairs for gold, predicted in some)
    counts.pop((NOTHING, NOTHING), None)
    return Confusion(title, counts)
