"""NL2SQL on Chinese tables (TableQA): the official files, read and checked, and the submission, written and checked.

A question is about one table. Its answer is an SQL query of one shape: selected columns, each with an aggregation or
none, and conditions, all joined by "and" or all by "or". execution.py runs queries, and the metric is in metric.py.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from common.command_line import UserError
from common.json_document import read_json_records
from common.submission import BLANK_LINE, field, find_file, read_json_lines, write_json_lines, wrong_kind

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "nl2sql"

#: What the numbers of the format stand for.
OPERATORS = (">", "<", "==", "!=")
AGGREGATIONS = ("", "AVG", "MAX", "MIN", "COUNT", "SUM")
CONNECTIONS = ("", "and", "or")

#: What a column of a table may be.
TYPES = ("text", "real")
# Under which names, in small letters.
_TYPE_NAMES = dict.fromkeys(("text", "string", "str", "char", "varchar"), "text") | dict.fromkeys(
    ("real", "number", "numeric", "float", "double", "decimal", "int", "integer"), "real"
)

# What is read though it is not as it should be, counted.
OTHER_TYPES = 'table whose types have other names: read as "text" and "real"'
OTHER_NUMBERS = "number of a query that is a string or a fraction: read as a whole one"

Cell = str | int | float | None


class Selected(NamedTuple):
    """A selected column, from 0, and the number of its aggregation in AGGREGATIONS."""

    column: int
    aggregation: int


class Condition(NamedTuple):
    """A column, from 0, the number of the operator in OPERATORS, and the value that cells are compared with."""

    column: int
    operator: int
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is selected, and the conditions that `connection`, a number of CONNECTIONS, joins: 0 where there is one
    condition only.

    Of a prediction the numbers may be any.
    """

    selected: tuple[Selected, ...]
    connection: int
    conditions: tuple[Condition, ...]

    def record(self) -> dict[str, Any]:
        """The query in the format of the contest, of Python's own types also where the numbers are numpy's."""
        return {
            "agg": [int(one.aggregation) for one in self.selected],
            "cond_conn_op": int(self.connection),
            "sel": [int(one.column) for one in self.selected],
            "conds": [[int(one.column), int(one.operator), str(one.value)] for one in self.conditions],
        }

    @property
    def logic_form(self) -> Hashable:
        """What the contest compares queries by: selected columns with their aggregations and conditions, both in any
        order, and the connection."""
        selected, conditions = (frozenset(Counter(parts).items()) for parts in (self.selected, self.conditions))
        return selected, conditions, self.connection

    def text(self, header: Sequence[str]) -> str:
        """One line of SQL to be read by people and never to be executed; `?7` is a number that neither table nor format
        has."""
        selected = [
            _called(_entry(AGGREGATIONS, one.aggregation), _column(header, one.column)) for one in self.selected
        ]
        conditions = [
            f"{_column(header, one.column)} {_entry(OPERATORS, one.operator)} {_literal(one.value)}"
            for one in self.conditions
        ]
        connection = _entry(CONNECTIONS, self.connection).upper() or "?0"
        where = f" WHERE {f' {connection} '.join(conditions)}" if conditions else ""
        return " ".join(f"SELECT {', '.join(selected) or '?'}{where}".splitlines())


def _entry(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else f"?{number}"


def _column(header: Sequence[str], number: int) -> str:
    return f'"{header[number]}"' if 0 <= number < len(header) else f"?{number}"


def _called(aggregation: str, column: str) -> str:
    return f"{aggregation}({column})" if aggregation else column


def _literal(value: str) -> str:
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value):
        return value
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True, eq=False)
class Table:
    """A table and its line in the file, from 1. `types` are of TYPES, and every row has as many cells as there are
    columns.

    Two tables are equal only if they are the same object, so that they can be keys.
    """

    id: str
    title: str
    header: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Example:
    """A question, its table, its query (None: unlabelled) and its line in the file, from 1."""

    question: str
    table: Table
    query: Query | None
    line: int


# Reading


def read_tables(path: str | Path, skipped: Counter[str] | None = None) -> dict[str, Table]:
    """The tables of a file with one on each line, or with a JSON list of them, or of all files *tables.json in a folder,
    by their ids.

    Only "id", "header", "types" and "rows" are needed. Names of columns may be empty or stand there twice. Whatever
    stands in a cell is read: true and false as 1 and 0, NaN as null, lists and objects as their JSON. `skipped` counts
    tables with other names of the types. Raises UserError naming file and line, also for an id that stands there twice
    with different tables.
    """
    tables: dict[str, Table] = {}
    places: dict[str, str] = {}
    for file in _table_files(Path(path)):
        for record in read_json_records(file):
            where = record.where()
            table = _table(record.value, record.line, where)
            if skipped is not None and list(table.types) != record.value["types"]:
                skipped[OTHER_TYPES] += 1
            known = tables.setdefault(table.id, table)
            if _content(known) != _content(table):
                raise UserError(
                    f'{where}: table "{table.id:.60}" stands already in {places[table.id]}, and is another there - leave one'
                )
            places.setdefault(table.id, where)
    return tables


def _table_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted([*path.glob("*tables.json"), *path.glob("*tables.json.gz")])
    if not files:
        raise UserError(
            f"{path}: a folder without files of tables - they are looked for under names like dev.tables.json"
        )
    return files


def _table(record: dict[str, Any], line: int, where: str) -> Table:
    name = str(field(record, "id", (str, int), where))
    header = tuple(map(_name, field(record, "header", list, where)))
    types = tuple(_type(one, where) for one in field(record, "types", list, where))
    if not header:
        raise UserError(f'{where}: "header" is empty - a table needs a column')
    if len(types) != len(header):
        raise UserError(
            f'{where}: {len(header)} columns in "header" and {len(types)} in "types" - each column needs a name and a type'
        )
    rows = []
    for row in field(record, "rows", list, where):
        if not isinstance(row, list) or len(row) != len(header):
            size = f"{len(row)} cells" if isinstance(row, list) else "no list of cells"
            raise UserError(
                f'{where}: "rows" holds {size} as number {len(rows) + 1} - each row must have a cell for each of {len(header)} columns'
            )
        rows.append(tuple(map(_cell, row)))
    return Table(name, _name(record.get("title")), header, types, tuple(rows), line)


def _type(value: Any, where: str) -> str:
    found = _TYPE_NAMES.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise UserError(f'{where}: "types" holds {_shown(value):.60} - each of them must be "text" or "real"')
    return found


def _name(value: Any) -> str:
    value = _cell(value)
    return "" if value is None else str(value)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return int(value) if isinstance(value, int) else _shown(value)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _content(table: Table) -> tuple:
    return table.title, table.header, table.types, table.rows


def tables_of(path: str | Path) -> Path:
    """The file of the tables that belongs to a file of questions: dev.tables.json beside dev.json.

    Raises UserError where one of the two is missing.
    """
    path = Path(path)
    tables = tables_beside(path)
    for file in (path, tables):
        if not file.exists():
            raise UserError(
                f"{file}: no such file - {tables.name} belongs beside {path.name}; name other tables by --tables"
            )
    return tables


def tables_beside(path: Path) -> Path:
    """Where the tables of a file of questions belong, whether they are there or not; each may be packed (.gz)."""
    questions = path.with_suffix("") if path.suffix == ".gz" else path
    tables = questions.with_name(f"{questions.stem}.tables{questions.suffix}")
    packed = tables.with_name(f"{tables.name}.gz")
    return packed if packed.is_file() and not tables.is_file() else tables


def read(
    path: str | Path,
    tables: str | Path | dict[str, Table],
    labelled: bool | None = None,
    skipped: Counter[str] | None = None,
) -> list[Example]:
    """The questions of a file with one on each line that is not blank, or with a JSON list of them; `tables` may be what
    read_tables reads. `skipped` counts blank lines, and what was read though it is written in another way.

    `labelled=True` demands an "sql" on every line, `False` never looks at it, None takes what there is. Its numbers
    must be of the format and its columns in the table; values that are numbers become strings. Queries that cannot be
    executed for another reason (no condition, several and no connection) stay as they are. Raises UserError naming file
    and line, also for a table that is not there.
    """
    if not isinstance(tables, dict):
        tables = read_tables(tables, skipped)
    examples = []
    for element in read_json_records(path, skipped):
        record, where = element.value, element.where()
        question = field(record, "question", str, where)
        name = str(field(record, "table_id", (str, int), where))
        if name not in tables:
            raise UserError(
                f'{where}: table "{name:.60}" is not among the {len(tables)} tables - do the tables belong to this file?'
            )
        if labelled is False or (labelled is None and record.get("sql") is None):
            query = None
        else:
            query = query_of(_with_whole_numbers(field(record, "sql", dict, where), skipped), where)
            _check_numbers(query, tables[name], where)
        examples.append(Example(question, tables[name], query, element.line))
    return examples


def _with_whole_numbers(sql: dict[str, Any], skipped: Counter[str] | None) -> dict[str, Any]:
    """The record of a query whose numbers are whole ones also where they are written 1.0 or "1"; `skipped` counts those."""

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(one) for one in value]
        is_fraction = isinstance(value, float) and value.is_integer()
        if not is_fraction and not (isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value)):
            return value
        if skipped is not None:
            skipped[OTHER_NUMBERS] += 1
        return int(value)

    changed = {name: whole(sql[name]) for name in ("sel", "agg", "cond_conn_op") if name in sql}
    if isinstance(sql.get("conds"), list):  # the third of a condition is its value
        changed["conds"] = [[*whole(one[:2]), *one[2:]] if isinstance(one, list) else one for one in sql["conds"]]
    return sql | changed


def query_of(record: dict[str, Any], where: str, values: tuple[type, ...] = (str, int, float)) -> Query:
    """The query of a record in the format of the contest; its values must be of these types. The numbers may be any
    whole ones."""
    columns = _whole_numbers(field(record, "sel", list, where), '"sel"', where)
    aggregations = _whole_numbers(field(record, "agg", list, where), '"agg"', where)
    if len(columns) != len(aggregations):
        raise UserError(
            f'{where}: {len(columns)} columns in "sel" and {len(aggregations)} in "agg" - each needs one of both'
        )
    connection = field(record, "cond_conn_op", int, where)
    conditions = []
    for item in field(record, "conds", list, where):
        if not isinstance(item, list) or len(item) != 3:
            raise UserError(
                f'{where}: "conds" holds {_shown(item):.60} - each of its items must be a list of column, operator and value'
            )
        *numbers, value = item
        complaint = wrong_kind(value, values)
        if complaint:
            raise UserError(f'{where}: the value of a condition in "conds" is {complaint}')
        conditions.append(Condition(*_whole_numbers(numbers, '"conds"', where), str(value)))
    return Query(tuple(map(Selected, columns, aggregations)), connection, tuple(conditions))


def _whole_numbers(values: list[Any], name: str, where: str) -> list[int]:
    for value in values:
        complaint = wrong_kind(value, (int,))
        if complaint:
            raise UserError(f"{where}: one of {name} is {complaint}")
    return values


def _check_numbers(query: Query, table: Table | None, where: str) -> None:
    """Raises UserError for numbers that mean nothing in the format, or in the table where it is known."""
    columns = len(table.header) if table else math.inf
    numbers = [("column", one.column, columns) for one in (*query.selected, *query.conditions)]
    numbers += [("aggregation", one.aggregation, len(AGGREGATIONS)) for one in query.selected]
    numbers += [("operator", one.operator, len(OPERATORS)) for one in query.conditions]
    numbers.append(("connection", query.connection, len(CONNECTIONS)))
    for name, number, size in numbers:
        if not 0 <= number < size:
            allowed = f"from 0 to {size - 1}" if table or name != "column" else "at least 0"
            raise UserError(f"{where}: there is no {name} {number} - it must be {allowed}")


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    train_tables: Path
    dev: Path | None
    dev_tables: Path | None


# Our names, and those of the organisers, whose archives unpack into folders.
_NAMES = {
    "train": ("train.json", "train_data.json", "train/train.json"),
    "dev": ("dev.json", "dev_data.json", "val.json", "val_data.json", "val/val.json", "dev/dev.json"),
}


def find_files(data_dir: str | Path) -> Files:
    """The training and development file in a folder, under our names or the organisers', and those of their tables.

    Raises UserError that shows the tree we expect; only the development file may be missing, together with its tables.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json, train.tables.json, dev.json and dev.tables.json "
        "(or the contest's val.json and val.tables.json, or its folders train/ and val/; without dev.json a part of train.json is dev)"
    )
    found = {}
    for role, names in _NAMES.items():
        path = find_file(folder, role, names, tree, role == "dev")
        if path and not tables_beside(path).is_file():
            raise UserError(f"{folder}: no {tables_beside(path).relative_to(folder)} beside {path.name} - {tree}")
        found |= {role: path, f"{role}_tables": path and tables_beside(path)}
    return Files(**found)


# The submission


def write_submission(path: str | Path, queries: Sequence[Query]) -> None:
    """One line for each query, in order; a flat zip when the name ends in `.zip`."""
    write_json_lines(path, (query.record() for query in queries))


def read_submission(path: str | Path, questions: int | None = None) -> list[Query | None]:
    """The queries of a submission, one for each line, for metric.compare; None for a blank line, which is a wrong
    answer to its question.

    As lenient as the metric: the numbers may be any whole ones, since those out of range are only wrong. Raises
    UserError naming file and line for what is no query at all, and for more lines than there are questions.
    """
    queries: list[Query | None] = []
    for number, record in read_json_lines(path):
        if questions is not None and number > questions:
            raise UserError(
                f"{path}:{number}: gold has {questions} questions and no more - does it belong to these predictions?"
            )
        queries += [None] * (number - 1 - len(queries))
        queries.append(query_of(record, f"{path}:{number}"))
    return queries


def check_submission(path: str | Path, examples: Sequence[Example] | None = None, unconditioned: bool = False) -> int:
    """The number of lines of a submission that the judge can read and that can be executed.

    Checked: UTF-8, a flat zip, no blank line, the four fields and nothing else, their types, numbers of the format, a
    selected column, a condition, and a connection just where there are several. With `examples` also that each has a
    line, and that its table has the columns. unconditioned: a query may have no condition, which the judge of TableQA can
    read and not execute. Raises UserError naming file and line.
    """
    skipped: Counter[str] = Counter()
    count = 0
    for number, record in read_json_lines(path, skipped):
        where = f"{path}:{number}"
        if skipped[BLANK_LINE]:
            raise UserError(f"{where}: follows a blank line, which the judge cannot read - delete it")
        if examples is not None and count == len(examples):
            raise UserError(
                f"{where}: is for question {count + 1} of the {count} in the input - leave one line for each question, in order"
            )
        check_record(record, examples[count].table if examples is not None else None, where, unconditioned)
        count += 1
    if skipped[BLANK_LINE]:
        raise UserError(f"{path}: ends with a blank line, which the judge cannot read - delete it")
    if examples is not None and count < len(examples):
        raise UserError(f"{path}: ends after {count} of {len(examples)} questions - each needs a line")
    return count


def check_record(record: dict[str, Any], table: Table | None, where: str, unconditioned: bool = False) -> None:
    """Raises UserError for a line of a submission that breaks a rule; `where` is "file:line", and table that of the
    question, where it is known. unconditioned: it may have no condition."""
    query = query_of(record, where, (str,))
    _check_numbers(query, table, where)
    foreign = record.keys() - query.record().keys()
    if foreign:
        raise UserError(f'{where}: "{min(foreign):.60}" is no field of the format - leave it out')
    if not query.selected:
        raise UserError(f'{where}: selects nothing - "sel" needs a column')
    if not (query.conditions or unconditioned):
        raise UserError(f'{where}: has no condition - "conds" needs one')
    if (query.connection == 0) != (len(query.conditions) < 2):
        needed = (
            f"must be 0 with {'one' if query.conditions else 'no'} condition"
            if query.connection
            else f"must be 1 (and) or 2 (or) with {len(query.conditions)} conditions"
        )
        raise UserError(f'{where}: "cond_conn_op" is {query.connection} - it {needed}')
