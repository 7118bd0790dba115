"""Queries, executed by sqlite on a table in memory that nobody can write to.

Names of columns never get into SQL: there they are c0, c1, ... Cells and values are bound, and so are text whatever
they say.
"""

import sqlite3
import time

from task import AGGREGATIONS, CONNECTIONS, OPERATORS, Cell, Query, Table

#: What sqlite takes as columns of a table. Those beyond cannot be asked for.
MOST_COLUMNS = 2000

# How many steps of sqlite's machine pass before the clock is looked at: some microseconds.
_STEPS = 1000

_ALLOWED_FUNCTIONS = frozenset(name.lower() for name in AGGREGATIONS if name)


class ExecutionError(ValueError):
    """A query that has no result."""


class Database:
    """A table, ready to be asked. A context manager; `close()` frees its memory.

    `time_limit` is in seconds for each query.
    """

    def __init__(self, table: Table, time_limit: float = 1.0):
        self._columns = len(table.header)
        self._time_limit = time_limit
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
        self._connection.set_authorizer(_authorize)
        self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _STEPS)

    def execute(self, query: Query) -> list[tuple]:
        """The rows of the result, in the order of the table; values are str, int, float or None, as sqlite gives them.

        As in the organisers' engine, every value is compared as a string that sqlite makes a number of where the column
        is `real`. Raises ExecutionError for no selected column, no condition, several without a connection, numbers out
        of range, whatever sqlite refuses, and a query that takes longer than the time limit.
        """
        sql = self._sql(query)
        values = [_bound(str(condition.value)) for condition in query.conditions]
        self._deadline = time.monotonic() + self._time_limit
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise ExecutionError(f"takes longer than {self._time_limit:g} s") from None
            raise ExecutionError(f"sqlite says: {error}") from None

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
