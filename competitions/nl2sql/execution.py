"""Queries, executed by sqlite on a table in memory that nobody can write to, and what that says of them.

Names of columns never get into SQL: there they are c0, c1, ... Cells and values are bound, and so are text whatever
they say.
"""

import sqlite3
import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from task import AGGREGATIONS, CONNECTIONS, OPERATORS, Cell, Query, Table

if TYPE_CHECKING:
    from values import Column  # which is slow to load, and a score needs it not

#: What sqlite takes as columns of a table. Those beyond cannot be asked for.
MOST_COLUMNS = 2000

# How many steps of sqlite's machine pass before the clock is looked at: some microseconds.
_STEPS = 1000

# Characters of a result after its first few rows, a cell counting one more. Only a query that asks for its columns over
# and over has so many.
_FEW, _MOST_CHARACTERS = 20, 5_000_000

# CPU seconds of one query while there are some left for all, and afterwards: it takes some microseconds on a real table.
_LONG, _SHORT = 1.0, 0.01

_EQUALITY = {OPERATORS.index("=="), OPERATORS.index("!=")}
_COUNT = AGGREGATIONS.index("COUNT")

_ALLOWED_FUNCTIONS = frozenset(name.lower() for name in AGGREGATIONS if name)

# Of the connection, once the table is there. No query that is made here needs more.
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 10**6,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 10**5,
    sqlite3.SQLITE_LIMIT_COLUMN: MOST_COLUMNS,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 1000,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 1000,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 1,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class ExecutionError(ValueError):
    """A query that has no result."""


class TooSlow(ExecutionError):
    """A query that was stopped for its time, as others about this table would be."""


class Budget:
    """The time that the queries of a run may take together, in CPU seconds: those of a busy machine are as long.

    Once it is spent, each query has still time enough, unless it is a slow one: what is quick always has its result.
    `stopped` counts the others.
    """

    def __init__(self, seconds: float = 30.0):
        self.left, self.stopped = seconds, 0

    def next(self) -> float:
        """The seconds that the next query may take."""
        return min(_LONG, max(self.left, _SHORT))


class Database:
    """A table, ready to be asked. A context manager; `close()` frees its memory."""

    def __init__(self, table: Table):
        self._columns = len(table.header)
        self._deadline = 0.0
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        declared = [
            f"c{number} {'real' if kind == 'real' else 'text'}"
            for number, kind in enumerate(table.types[:MOST_COLUMNS])
        ]
        self._connection.execute(f"CREATE TABLE t ({', '.join(declared)})")
        rows = (tuple(map(_bound, row[:MOST_COLUMNS])) for row in table.rows)
        self._connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(declared))})", rows)
        self._connection.execute("PRAGMA query_only = ON")
        for limit, most in _LIMITS.items():
            self._connection.setlimit(limit, most)
        self._connection.set_authorizer(_authorize)
        self._connection.set_progress_handler(lambda: time.thread_time() > self._deadline, _STEPS)

    def execute(self, query: Query, budget: Budget | None = None) -> list[tuple]:
        """The rows of the result, in the order of the table; values are str, int, float or None, as sqlite gives them.

        As in the organisers' engine, every value is compared as a string that sqlite makes a number of where the column
        is `real`. Raises ExecutionError for no selected column, no condition, several without a connection, numbers out
        of range, whatever sqlite refuses, and a result that would fill the memory; TooSlow for a query that takes longer
        than the budget allows, and at any rate a second.
        """
        sql = self._sql(query)
        values = [_bound(str(condition.value)) for condition in query.conditions]
        budget = budget or Budget()
        begun, seconds = time.thread_time(), budget.next()
        self._deadline = begun + seconds
        try:
            return _bounded(self._connection.execute(sql, values))
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                budget.stopped += 1
                raise TooSlow(f"takes longer than {seconds:.2g} s") from None
            raise ExecutionError(f"sqlite says: {error}") from None
        finally:
            budget.left -= time.thread_time() - begun

    def _sql(self, query: Query) -> str:
        if not query.selected:
            raise ExecutionError("no selected column")
        if not query.conditions:
            raise ExecutionError("no condition")
        connection = _entry(CONNECTIONS, query.connection, "connection")
        if len(query.conditions) > 1 and not connection:
            raise ExecutionError("several conditions without a connection")
        selected = [
            f"{_entry(AGGREGATIONS, one.aggregation, 'aggregation')}({self._name(one.column)})"
            for one in query.selected
        ]
        conditions = [
            f"{self._name(one.column)} {_entry(OPERATORS, one.operator, 'operator')} ?" for one in query.conditions
        ]
        return f"SELECT {', '.join(selected)} FROM t WHERE {f' {connection} '.join(conditions)}"

    def _name(self, column: int) -> str:
        if not 0 <= column < self._columns:
            raise ExecutionError(f"no column {column}")
        if column >= MOST_COLUMNS:
            raise ExecutionError(f"sqlite has room for {MOST_COLUMNS} columns, not for number {column}")
        # A numpy integer or True would be written otherwise than it counts.
        return f"c{int(column)}"

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _bounded(rows: sqlite3.Cursor) -> list[tuple]:
    """Rows that fit into the memory. Raises ExecutionError for others."""
    kept, size = rows.fetchmany(_FEW), 0
    for row in rows:
        size += sum(len(cell) + 1 if isinstance(cell, str) else 1 for cell in row)
        if size > _MOST_CHARACTERS:
            raise ExecutionError(f"its result has more than {_MOST_CHARACTERS:,} characters")
        kept.append(row)
    return kept


def _entry(names: tuple[str, ...], number: int, kind: str) -> str:
    if not 0 <= number < len(names):
        raise ExecutionError(f"no {kind} {number}")
    return names[number]


def _bound(cell: Cell) -> Cell:
    """The cell in a form that sqlite can store and that means the same to it."""
    if isinstance(cell, int) and not -(2**63) <= cell < 2**63:
        return str(cell)  # a `real` column makes the nearest number of it
    if isinstance(cell, str) and not cell.isascii():
        return cell.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair has no bytes
    return cell


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """Allows to select, to read the table, and to aggregate. Whatever else a statement does, it is refused before it
    runs."""
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and first == "t":
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second.lower() in _ALLOWED_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


# What queries say


@lru_cache(
    maxsize=100
)  # questions about one table mostly stand together; thousands of open databases would take a gigabyte
def database_of(table: Table) -> Database:
    """What queries are tried on: the table without blanks around its cells. Gold does not write them either, so that its
    query finds nothing where the judge executes it, and the right one has to find nothing with it."""
    rows = tuple(tuple(cell.strip() if isinstance(cell, str) else cell for cell in row) for row in table.rows)
    return Database(replace(table, rows=rows))


def meaning(query: Query, table: Table, columns: Sequence["Column"], budget: Budget | None = None) -> Hashable | None:
    """What a query says: those that mean the same are equally good answers. None for one that makes no sense, fails, or
    whose result is nothing.

    It is the result, as the contest compares results; where there is none to be had, since a table without rows says
    nothing of any query, and a query without a condition all that it has, it is the query, as the contest compares
    queries. columns: those of the table. Raises TooSlow.
    """
    if not makes_sense(query, columns):
        return None
    if not (query.conditions and table.rows):
        return query.logic_form
    try:
        rows = database_of(table).execute(query, budget)
    except TooSlow:
        raise
    except ExecutionError:
        return None
    return tuple(tuple(in_order(row)) for row in rows) if says_something(query, rows) else None


def makes_sense(query: Query, columns: Sequence["Column"]) -> bool:
    """Whether everything that is compared by size, added up or averaged is a number."""
    numbers = [one.column for one in query.conditions if one.operator not in _EQUALITY]
    numbers += [one.column for one in query.selected if one.aggregation not in (0, _COUNT)]
    return all(columns[column].is_numeric for column in numbers)


def says_something(query: Query, result: Sequence[tuple]) -> bool:
    """Whether there is a row with anything in it; a count of nothing is nothing."""
    nothing = [(None, 0) if one.aggregation == _COUNT else (None,) for one in query.selected]
    return any(cell not in empty for row in result for cell, empty in zip(row, nothing))


def in_order(row: Sequence[Cell]) -> list[Cell]:
    """The cells of a row of a result, which the contest compares in any order: null, numbers, strings."""
    return sorted(row, key=_place)


def _place(cell: Cell) -> tuple[int, Cell]:
    if cell is None:
        return 0, 0
    return (2, cell) if isinstance(cell, str) else (1, cell)
