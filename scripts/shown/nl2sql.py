"""NL2SQL: the columns and values of a query, marked in question and table, and the query as SQL."""

from typing import Any

from contest_folders import load
from shown._places import Mark, Shown, in_order, marks_of

#: As many rows of a table are shown.
MOST_ROWS = 10
#: As many characters of a cell.
WIDEST = 40

_BETWEEN = " | "


def shown(example: Any) -> Shown:
    """The table is one text: the names of the columns on the first line, and the first rows below."""
    return Shown(str(example.line), (("question", example.question), ("table", _table(example.table))))


def gold(example: Any) -> dict[str, Any] | None:
    return None if example.query is None else example.query.record()


def marks(example: Any, answer: dict[str, Any]) -> list[Mark]:
    """Labels: "value" in the question and in the rows of the table, where it stands there as it is; in the header
    "selected", with its aggregation, and "condition", with its operator."""
    task = load("nl2sql", "task")
    table, ends = _table(example.table), _ends(example.table.header)
    found = []
    for column, aggregation in zip(answer["sel"], answer["agg"]):
        found += _header_mark(ends, column, f"selected {_entry(task.AGGREGATIONS, aggregation)}".strip())
    first_row = table.find("\n") + 1
    for column, operator, value in answer["conds"]:
        found += _header_mark(ends, column, f"condition {_entry(task.OPERATORS, operator)}".strip())
        value = str(value)
        found += marks_of(value, "value", ((0, example.question),))
        if first_row and len(value) > 1:  # one character or digit stands in half of the cells
            in_rows = marks_of(value, "value", ((1, table[first_row:]),))
            found += [mark._replace(start=mark.start + first_row, end=mark.end + first_row) for mark in in_rows]
    return in_order(found)


def lines(example: Any, answer: dict[str, Any]) -> list[str]:
    """One line of SQL."""
    task = load("nl2sql", "task")
    selected = tuple(map(task.Selected, answer["sel"], answer["agg"]))
    conditions = tuple(task.Condition(column, operator, str(value)) for column, operator, value in answer["conds"])
    return [task.Query(selected, answer["cond_conn_op"], conditions).text(example.table.header)]


def _table(table: Any) -> str:
    rows = [_BETWEEN.join(map(_cell, row)) for row in table.rows[:MOST_ROWS]]
    more = [f"… ({len(table.rows)})"] if len(table.rows) > MOST_ROWS else []
    return "\n".join([_BETWEEN.join(map(_cell, table.header)), *rows, *more])


def _cell(value: Any) -> str:
    text = " ".join(("" if value is None else str(value)).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _ends(header: tuple[str, ...]) -> list[tuple[int, int]]:
    """From where to where each name of a column stands in the table."""
    places, at = [], 0
    for name in map(_cell, header):
        places.append((at, at + len(name)))
        at += len(name) + len(_BETWEEN)
    return places


def _header_mark(ends: list[tuple[int, int]], column: int, label: str) -> list[Mark]:
    """Of a prediction the number may be any, and a name may be empty."""
    if not 0 <= column < len(ends) or ends[column][0] == ends[column][1]:
        return []
    return [Mark(1, *ends[column], label)]


def _entry(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else f"?{number}"
