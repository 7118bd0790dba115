"""NL2SQL: for each selected column, condition and connection of a query the logits that speak for it."""

from collections import Counter
from typing import Any

from explained._readings import Part, Piece, Reading
from shown.nl2sql import marks


def parts(opened: Any, example: Any, answer: dict[str, Any]) -> list[Part]:
    """An output for each selected column, for each condition whose value is found in the question, and for the
    connection of several. What the cells of a column say counts as its name."""
    features, task, predictor = opened.module("features"), opened.module("task"), opened.predictor
    (window,) = predictor.features([example])
    columns, header = len(window.columns), example.table.header
    inputs = features.collate([window])
    reading = Reading(
        predictor.network,
        inputs,
        predictor.encoder,
        _pieces(example, window),
        {"types": [_header(example, column) for column in range(columns)]},
    )
    query = task.Query(
        tuple(map(task.Selected, answer["sel"], answer["agg"])),
        answer["cond_conn_op"],
        tuple(task.Condition(column, operator, str(value)) for column, operator, value in answer["conds"]),
    )
    found = []
    for one in query.selected:
        if 0 <= one.column < columns and 0 <= one.aggregation < len(task.AGGREGATIONS):
            called = header[one.column]
            if one.aggregation:
                called = f"{task.AGGREGATIONS[one.aggregation]}({called})"
            name = f"SELECT {called}"
            found.append(Part(name, reading, _selected(one, features.NOT_SELECTED)))
    for condition in query.conditions:
        if not (0 <= condition.column < columns and 0 <= condition.operator < len(task.OPERATORS)):
            continue
        alone = task.Query((), 0, (condition,))
        values = opened.module("values").columns_of(example.table)
        for mark in features.align(alone, example.question, window.question, values, Counter()).marks:
            name = f"{header[condition.column]} {task.OPERATORS[condition.operator]} {condition.value}"
            found.append(Part(name, reading, _condition(mark)))
    if len(query.conditions) > 1 and query.connection in (1, 2):
        name = task.CONNECTIONS[query.connection].upper()
        found.append(Part(name, reading, lambda outputs: outputs["connection"][:, query.connection]))
    return found


def _pieces(example: Any, window: Any) -> list[Piece | None]:
    """The question's tokens, and all of a column at its name in the header."""
    pieces: list[Piece | None] = [None] * len(window)
    for place, (start, end) in enumerate(window.question.offsets.tolist(), start=1):
        pieces[place] = (0, start, end) if end > start else None
    begins = window.columns[:, 0].tolist()
    for column, (begin, _, kind) in enumerate(window.columns.tolist()):
        if kind:
            end = min((other for other in begins if other > begin), default=len(window))
            pieces[begin:end] = [_header(example, column)] * (end - begin)
    return pieces


def _header(example: Any, column: int) -> Piece | None:
    """Where the name of a column stands in the text of the table; None for a column without a name."""
    found = marks(example, {"sel": [column], "agg": [0], "conds": [], "cond_conn_op": 0})
    return (found[0].text, found[0].start, found[0].end) if found else None


def _selected(one: Any, not_selected: int) -> Any:
    def of(outputs):
        logits = outputs["selections"][:, one.column]
        return logits[:, one.aggregation] - logits[:, not_selected]

    return of


def _condition(mark: Any) -> Any:
    """Of the borders of the value with their operator, and of the column that it is compared with."""

    def of(outputs):
        column, operator, first, last = mark
        columns = outputs["value_columns"][:, first, column] + outputs["value_columns"][:, last, column]
        if "edges" in outputs:
            edges = outputs["edges"][:, :, operator]
            return columns + edges[:, first, 0] + edges[:, last, 1]
        # Tags of an operator: its first token, then its following ones.
        tags = [1 + 2 * operator, *[2 + 2 * operator] * (last - first)]
        return columns + sum(
            outputs["tags"][:, first + at, tag] - outputs["tags"][:, first + at, 0] for at, tag in enumerate(tags)
        )

    return of
