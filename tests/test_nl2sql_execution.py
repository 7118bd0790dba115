"""Execution of queries, what nobody can do to the tables, and the metric of NL2SQL. Every table here is invented."""

import itertools
import json
import sqlite3
import string
import time
from collections import Counter

import pytest
from hypothesis import given, settings, strategies

import competition

FOLDER = "nl2sql"
task = competition.load(FOLDER, "task")
execution = competition.load(FOLDER, "execution")
metric = competition.load(FOLDER, "metric")

GOLDEN = competition.SHARED / "golden" / FOLDER

NO_AGGREGATION, AVG, MAX, MIN, COUNT, SUM = range(6)
MORE, LESS, EQUAL, UNEQUAL = range(4)
NONE, AND, OR = range(3)


def table(columns, rows, name="表"):
    """`columns` are names and types: {"城市": "text"}."""
    return task.Table(name, "", tuple(columns), tuple(columns.values()), tuple(map(tuple, rows)), 1)


def query(selected, conditions, connection=None):
    """Selected (column, aggregation) pairs, or columns alone; the connection is "and" where there are several
    conditions."""
    pairs = [(one, NO_AGGREGATION) if isinstance(one, int) else one for one in selected]
    connection = (AND if len(conditions) > 1 else NONE) if connection is None else connection
    return task.Query(
        tuple(task.Selected(*pair) for pair in pairs), connection, tuple(task.Condition(*one) for one in conditions)
    )


def result(of_table, *arguments, **more):
    with execution.Database(of_table) as database:
        return database.execute(query(*arguments, **more))


CITIES = table(
    {"城市": "text", "票房": "real", "影院": "real", "年份": "text"},
    [
        ("青河市", 20.0, 3, "2018"),
        ("白山市", 7.5, 30, "2019"),
        ("青河市", 120, None, "2019"),
        (None, None, 3, "20"),
    ],
)


# Execution


@pytest.mark.parametrize(
    ("selected", "conditions", "connection", "rows"),
    [
        ([0], [(1, MORE, "7.5")], None, [("青河市",), ("青河市",)]),
        ([0, 1], [(1, LESS, "100")], None, [("青河市", 20.0), ("白山市", 7.5)]),
        ([1], [(0, EQUAL, "青河市")], None, [(20.0,), (120.0,)]),
        ([1], [(0, UNEQUAL, "青河市")], None, [(7.5,)]),  # null is unequal to nothing
        ([0], [(1, MORE, "10"), (2, MORE, "1")], AND, [("青河市",)]),
        ([0], [(1, MORE, "100"), (2, MORE, "10")], OR, [("白山市",), ("青河市",)]),
        ([1], [(1, MORE, "10"), (1, LESS, "100")], AND, [(20.0,)]),
        ([3], [(0, EQUAL, "青河市"), (0, EQUAL, "白山市"), (1, LESS, "10")], OR, [("2018",), ("2019",), ("2019",)]),
        # A real column compares as numbers where the value is one, and a string is more than all numbers.
        ([3], [(1, EQUAL, "20")], None, [("2018",)]),
        ([3], [(1, EQUAL, " 2e1 ")], None, [("2018",)]),
        ([3], [(1, EQUAL, "二十")], None, []),
        ([3], [(1, LESS, "二十")], None, [("2018",), ("2019",), ("2019",)]),
        # A text column compares as strings.
        ([0], [(3, EQUAL, "2018.0")], None, []),
        ([0], [(3, LESS, "3")], None, [("青河市",), ("白山市",), ("青河市",), (None,)]),
        ([(0, COUNT)], [(1, MORE, "0")], None, [(3,)]),
        ([(0, COUNT), (2, COUNT)], [(3, LESS, "9")], None, [(3, 3)]),
        ([(1, SUM), (1, AVG), (1, MAX), (1, MIN)], [(0, EQUAL, "青河市")], None, [(140.0, 70.0, 120.0, 20.0)]),
        ([(0, MAX), (0, MIN)], [(3, LESS, "9")], None, [("青河市", "白山市")]),
        ([(1, MAX)], [(0, EQUAL, "没有")], None, [(None,)]),
        ([(1, COUNT)], [(0, EQUAL, "没有")], None, [(0,)]),
        ([0, 0], [(1, LESS, "10")], None, [("白山市", "白山市")]),
        # One condition may have any connection.
        ([0], [(1, LESS, "10")], AND, [("白山市",)]),
        ([0], [(1, LESS, "10")], OR, [("白山市",)]),
    ],
)
def test_results(selected, conditions, connection, rows):
    assert result(CITIES, selected, conditions, connection=connection) == rows


@pytest.mark.parametrize(
    ("selected", "conditions", "connection", "words"),
    [
        ([], [(0, EQUAL, "x")], NONE, "no selected column"),
        ([0], [], NONE, "no condition"),
        ([0], [(0, EQUAL, "x"), (1, EQUAL, "y")], NONE, "without a connection"),
        ([4], [(0, EQUAL, "x")], NONE, "no column 4"),
        ([-1], [(0, EQUAL, "x")], NONE, "no column -1"),
        ([0], [(4, EQUAL, "x")], NONE, "no column 4"),
        ([(0, 6)], [(0, EQUAL, "x")], NONE, "no aggregation 6"),
        ([(0, -1)], [(0, EQUAL, "x")], NONE, "no aggregation -1"),
        ([0], [(0, 4, "x")], NONE, "no operator 4"),
        ([0], [(0, -1, "x")], NONE, "no operator -1"),
        ([0], [(0, EQUAL, "x")], 3, "no connection 3"),
        ([0], [(0, EQUAL, "x")], -1, "no connection -1"),
        ([0] * 2001, [(0, EQUAL, "x")], NONE, "sqlite says"),
        ([0], [(0, EQUAL, "x")] * 5000, OR, "sqlite says"),
    ],
)
def test_what_has_no_result_says_why(selected, conditions, connection, words):
    with execution.Database(CITIES) as database:
        with pytest.raises(execution.ExecutionError, match=words) as error:
            database.execute(query(selected, conditions, connection))
        assert "\n" not in str(error.value)
        assert database.execute(query([0], [(1, LESS, "10")])) == [("白山市",)]


ODD_STRINGS = ["", "\0", "a\0b", "\ud83d", "😀", "'", '"', "?1", "NULL", "İ", "\n"]
ODD_NUMBERS = [7, 2**63 - 1, 2**63, -(2**63) - 1, 10**400]


@pytest.mark.parametrize(
    ("kind", "cells"), [("text", ODD_STRINGS), ("real", ODD_STRINGS), ("text", ODD_NUMBERS), ("real", ODD_NUMBERS[:1])]
)
def test_whatever_stands_in_a_cell_is_found_again(kind, cells):
    odd = table({"": kind, "号": "real"}, [(cell, number) for number, cell in enumerate(cells)])
    with execution.Database(odd) as database:
        for number, cell in enumerate(cells):
            assert database.execute(query([1], [(0, EQUAL, str(cell))])) == [(number,)]


@pytest.mark.parametrize(
    ("kind", "cell", "stored"),
    [
        ("text", 20, "20"),
        ("text", 20.0, "20.0"),
        ("text", True, "1"),
        ("real", "20", 20.0),
        ("real", "二十", "二十"),
        ("real", 20, 20.0),
        ("real", False, 0.0),
        ("real", 2**63, 2.0**63),
        ("real", 10**400, float("inf")),
        ("real", float("inf"), float("inf")),
        ("real", float("nan"), None),
        ("text", None, None),
    ],
)
def test_cells_of_another_type_become_what_sqlite_makes_of_them(kind, cell, stored):
    ((found,),) = result(table({"甲": kind, "乙": "text"}, [(cell, "x")]), [0], [(1, EQUAL, "x")])
    assert found == stored and type(found) is type(stored)


@pytest.mark.parametrize("rows", [[], [("x",)]])
def test_a_table_of_one_column(rows):
    assert result(table({"": "text"}, rows), [0], [(0, EQUAL, "x")]) == rows
    assert result(table({"": "text"}, rows), [(0, COUNT)], [(0, EQUAL, "x")]) == [(len(rows),)]


def test_more_columns_than_sqlite_has_room_for():
    wide = table(
        {f"列{number}": "text" if number % 2 else "real" for number in range(2100)}, [range(2100), range(1, 2101)]
    )
    with execution.Database(wide) as database:
        assert database.execute(query([1999], [(1998, EQUAL, "1999")])) == [("2000",)]
        for wrong in (query([2000], [(0, EQUAL, "0")]), query([0], [(2000, EQUAL, "0")])):
            with pytest.raises(execution.ExecutionError, match="room for 2000 columns"):
                database.execute(wrong)
        with pytest.raises(execution.ExecutionError, match="no column 2100"):
            database.execute(query([2100], [(0, EQUAL, "0")]))


def test_a_query_has_a_time_limit():
    long = table({"甲": "text"}, [("一" * 20,)] * 20_000)
    slow = query([(0, COUNT)], [(0, EQUAL, "二" * 20)] * 500, OR)
    budget = execution.Budget(0.02)
    with execution.Database(long) as database:
        begun = time.process_time()
        with pytest.raises(execution.TooSlow, match="takes longer than 0.02 s"):
            database.execute(slow, budget)
        # What all may take is spent: slow queries are stopped at once, and quick ones have their results.
        for _ in range(20):
            with pytest.raises(execution.TooSlow, match="takes longer than 0.01 s"):
                database.execute(slow, budget)
            assert database.execute(query([(0, COUNT)], [(0, EQUAL, "一" * 20)]), budget) == [(20_000,)]
        assert time.process_time() - begun < 2
        assert budget.stopped == 21 and budget.left < 0


def test_a_result_that_would_fill_the_memory_is_none():
    long = table({"甲": "text", "乙": "real"}, [("一" * 20, number) for number in range(2000)])
    with execution.Database(long) as database:
        with pytest.raises(execution.ExecutionError, match="more than 5,000,000 characters"):
            database.execute(query([0] * 2000, [(0, EQUAL, "一" * 20)]))
        assert len(database.execute(query([0, 1], [(0, EQUAL, "一" * 20)]))) == 2000
        with pytest.raises(execution.ExecutionError, match="sqlite says"):
            database.execute(query([0], [(0, EQUAL, "一" * 10**6)]))


def test_of_results_no_more_is_kept_than_is_shown():
    long = table({"甲": "text"}, [("一" * 1000,)] * 2000)
    example = task.Example("", long, query([0], [(0, UNEQUAL, "")]), 1)
    (one,) = metric.compare([example], [query([0, 0], [(0, UNEQUAL, "")])])
    assert one.gold_result == (2000, "一" * 100 + "; ...") and one.result.count == 2000 and not one.execution


def test_thousands_of_queries_take_no_time():
    numbers = itertools.product(range(4), range(4), range(125))
    queries = [
        query([column, (column, COUNT)], [(column, operator, str(value))]) for column, operator, value in numbers
    ]
    with execution.Database(CITIES) as database:
        begun = time.process_time()
        for one in queries:
            database.execute(one)
        assert time.process_time() - begun < 4


# What nobody can do

ATTACKS = [
    'x"; DROP TABLE t; --',
    "x'; DROP TABLE t; --",
    "'); ATTACH 'x.db' AS y; --",
    "' OR '1'='1",
    "c0",
    "1 OR 1",
    "\\",
    "%",
    "?",
    ":a",
    "@a",
]


def test_a_header_or_a_value_is_just_text():
    for attack in ATTACKS:
        attacked = table({attack: "text", f"{attack}2": "real"}, [(attack, 1), ("别的", 2)])
        with execution.Database(attacked) as database:
            assert database.execute(query([0], [(0, EQUAL, attack)])) == [(attack,)]
            assert database.execute(query([1], [(0, UNEQUAL, attack)])) == [(2.0,)]
            assert database.execute(query([(0, MAX)], [(1, EQUAL, attack)])) == [(None,)]
            assert database.execute(query([(0, COUNT)], [(0, UNEQUAL, "")])) == [(2,)]


FORBIDDEN = [
    "INSERT INTO t VALUES ('x', 1, 1, 'x')",
    "UPDATE t SET c0 = 'x'",
    "DELETE FROM t",
    "REPLACE INTO t VALUES ('x', 1, 1, 'x')",
    "CREATE TABLE u (a)",
    "CREATE TEMP TABLE u (a)",
    "CREATE INDEX i ON t (c0)",
    "CREATE VIEW v AS SELECT c0 FROM t",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END",
    "DROP TABLE t",
    "ALTER TABLE t RENAME TO u",
    "ATTACH '{file}' AS other",
    "DETACH main",
    "VACUUM INTO '{file}'",
    "PRAGMA query_only = OFF",
    "PRAGMA database_list",
    "PRAGMA journal_mode = DELETE",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM sqlite_master",
    "SELECT load_extension('{file}')",
    "SELECT readfile('{file}')",
    "SELECT writefile('{file}', 'x')",
    "SELECT randomblob(1000000000)",
    "SELECT zeroblob(1000000000)",
    "SELECT group_concat(c0) FROM t",
    "SELECT upper(c0) FROM t",
    "BEGIN",
    "SAVEPOINT s",
    "ANALYZE",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
    "SELECT c0 FROM t; DROP TABLE t",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_connection_can_only_read_the_table(statement, tmp_path):
    file = tmp_path / "other.db"
    with execution.Database(CITIES) as database:
        before = database.execute(query([0, 1, 2, 3], [(3, MORE, "")]))
        with pytest.raises((sqlite3.Error, sqlite3.Warning)):
            database._connection.execute(statement.format(file=file)).fetchall()
        assert database.execute(query([0, 1, 2, 3], [(3, MORE, "")])) == before and len(before) == 4
    assert not file.exists()


def test_it_stays_closed_to_writing_without_the_authorizer():
    with execution.Database(CITIES) as database:
        database._connection.set_authorizer(None)
        for statement in ("INSERT INTO t VALUES ('x', 1, 1, 'x')", "CREATE TABLE u (a)", "DROP TABLE t"):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                database._connection.execute(statement)


def test_nothing_of_a_table_or_a_query_gets_into_sql_but_numbers(monkeypatch):
    seen = []

    class Watched(sqlite3.Connection):
        def execute(self, sql, *more):
            seen.append(sql)
            return super().execute(sql, *more)

        def executemany(self, sql, *more):
            seen.append(sql)
            return super().executemany(sql, *more)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *arguments, **more: connect(*arguments, factory=Watched, **more))
    attacked = task.Table("恶意", "恶意", ("恶意", "恶意"), ("real", "text); DROP TABLE t"), (("恶意", "恶意"),), 1)
    assert result(attacked, [0], [(0, EQUAL, "恶意"), (1, LESS, "恶意")]) == []
    assert len(seen) == 4
    assert set("".join(seen)) <= set(string.ascii_letters + string.digits + " (),?=<>_")
    assert "DROP" not in "".join(seen)


# The metric, rule by rule

ONE = [(0, EQUAL, "青河市")]
TWO = [(1, MORE, "10"), (2, LESS, "100")]

RULES = {
    "the same": (query([0], ONE), query([0], ONE), True, True),
    "another value": (query([0], ONE), query([0], [(0, EQUAL, "白山市")]), False, False),
    "selected columns in another order": (query([0, (1, MAX)], ONE), query([(1, MAX), 0], ONE), True, True),
    "aggregations of each other": (query([(1, MAX), (2, MIN)], ONE), query([(1, MIN), (2, MAX)], ONE), False, False),
    "a selected column twice": (query([1], ONE), query([1, 1], ONE), False, False),
    "conditions in another order": (query([0], TWO), query([0], TWO[::-1]), True, True),
    "a condition twice": (query([0], TWO), query([0], [*TWO, TWO[0]]), False, True),
    "another connection": (query([0], TWO), query([0], TWO, OR), False, False),
    "another connection of one condition": (query([0], ONE), query([0], ONE, AND), False, True),
    "another form of a number": (query([0], [(1, EQUAL, "20")]), query([0], [(1, EQUAL, "20.0")]), False, True),
    "another form of a string": (query([1], [(3, EQUAL, "2018")]), query([1], [(3, EQUAL, "2018.0")]), False, False),
    "the same rows by another condition": (query([0], [(1, MORE, "100")]), query([0], [(1, MORE, "20")]), False, True),
    "the same number of another type": (
        query([(1, COUNT)], [(0, EQUAL, "白山市")]),
        query([(0, COUNT)], [(1, EQUAL, "7.5")]),
        False,
        True,
    ),
    "both nothing": (query([0], [(0, EQUAL, "没有")]), query([1], [(1, MORE, "1000")]), False, True),
    "both null": (query([(0, MAX)], [(0, EQUAL, "没有")]), query([(1, MIN)], [(1, MORE, "1000")]), False, True),
    "nothing and null": (query([0], [(0, EQUAL, "没有")]), query([(0, MAX)], [(0, EQUAL, "没有")]), False, False),
    "values inside of a row in another order": (
        query([2, 1], [(1, LESS, "100")]),
        query([1, 2], [(1, LESS, "99")]),
        False,
        True,
    ),
    "rows with nulls in another order": (
        query([0, 1, 2, 3], [(2, LESS, "9")]),
        query([3, 2, 1, 0], [(2, EQUAL, "3")]),
        False,
        True,
    ),
    "no prediction": (query([0], ONE), None, False, False),
    "no selected column": (query([0], ONE), query([], ONE), False, False),
    "no condition": (query([0], ONE), query([0], []), False, False),
    "several conditions without a connection": (query([0], TWO), query([0], TWO, NONE), False, False),
    "a column that is not there": (query([0], ONE), query([7], ONE), False, False),
    "no such operator": (query([0], ONE), query([0], [(0, 9, "青河市")]), False, False),
    "no such aggregation": (query([0], ONE), query([(0, 9)], ONE), False, False),
    "no such connection": (query([0], ONE), query([0], ONE, 9), False, False),
    # Wrong also where gold is the same.
    "gold without a selected column": (query([], ONE), query([], ONE), True, False),
    "gold without a condition": (query([0], []), query([0], []), True, False),
    "gold without a connection": (query([0], TWO, NONE), query([0], TWO[::-1], NONE), True, False),
}


@pytest.mark.parametrize(("gold", "predicted", "logic_form", "same_result"), RULES.values(), ids=RULES)
def test_rules_of_the_metric(gold, predicted, logic_form, same_result):
    (one,) = metric.compare([task.Example("", CITIES, gold, 1)], [predicted])
    assert (one.logic_form, one.execution) == (logic_form, same_result)
    score = metric.total([one])
    assert list(score.figures().values()) == [logic_form, same_result, (logic_form + same_result) / 2]


def test_rows_count_in_the_order_of_the_table():
    mirrored = table({"甲": "real", "乙": "real", "丙": "text"}, [(1, 2, "x"), (2, 1, "x")])
    (one,) = metric.compare(
        [task.Example("", mirrored, query([0], [(2, EQUAL, "x")]), 1)], [query([1], [(2, EQUAL, "x")])]
    )
    assert not one.execution
    (one,) = metric.compare(
        [task.Example("", mirrored, query([0, 1], [(2, EQUAL, "x")]), 1)], [query([1, 0], [(2, LESS, "y")])]
    )
    assert one.execution and one.gold_result == (2, "1.0, 2.0; 1.0, 2.0")


def test_predictions_that_end_early_are_wrong_and_too_many_are_refused():
    gold = [task.Example("", CITIES, query([0], ONE), number) for number in (1, 2, 3)]
    score = metric.total(metric.compare(gold, [query([0], ONE)]))
    assert (score.questions, score.logic_form, score.execution) == (3, 1, 1)
    assert score.figures() == {"logic_form_accuracy": 1 / 3, "execution_accuracy": 1 / 3, "score": 1 / 3}
    assert metric.total([]).figures() == {"logic_form_accuracy": 0.0, "execution_accuracy": 0.0, "score": 0.0}
    assert set(metric.total([]).parts().values()) == {0.0}
    with pytest.raises(ValueError, match="2 predictions for 1 questions"):
        metric.compare(gold[:1], [None, None])
    with pytest.raises(ValueError, match="line 9 has no labels"):
        metric.compare([task.Example("", CITIES, None, 9)], [query([0], ONE)])


def test_each_part_is_right_or_wrong_alone():
    gold = query([0, (1, MAX)], [(1, MORE, "10"), (2, LESS, "100")])
    changed = {
        "select column": query([3, (1, MAX)], TWO),
        "aggregation": query([0, (1, MIN)], TWO),
        "condition column": query([0, (1, MAX)], [(1, MORE, "10"), (1, LESS, "100")]),
        "operator": query([0, (1, MAX)], [(1, MORE, "10"), (2, MORE, "100")]),
        "value": query([0, (1, MAX)], [(1, MORE, "10"), (2, LESS, "10")]),
        "connection": query([0, (1, MAX)], TWO, OR),
    }
    predictions = [gold, query([(1, MAX), 0], TWO[::-1]), *changed.values(), None]
    comparisons = metric.compare([task.Example("", CITIES, gold, 1)] * len(predictions), predictions)
    assert [set(metric.PARTS) - one.right_parts for one in comparisons] == [
        set(),
        set(),
        *({name} for name in changed),
        set(metric.PARTS),
    ]
    assert metric.total(comparisons).parts() == {name: 7 / 9 for name in metric.PARTS}


def test_parts_count_how_often_something_is_there():
    gold = query([(0, MAX), (0, MAX), (1, MIN)], [(1, MORE, "7"), (1, MORE, "7"), (2, LESS, "9")])
    predicted = query([(0, MAX), (1, MIN), (1, MIN)], [(1, MORE, "7"), (2, LESS, "9"), (2, LESS, "9")])
    (one,) = metric.compare([task.Example("", CITIES, gold, 1)], [predicted])
    assert one.right_parts == {"connection"}


# The metric, against one without sqlite

TABLES = [
    table({"甲": "text", "乙": "real", "丙": "text", "丁": "real"}, rows)
    for rows in (
        [
            ("a", 1.0, "1", 0.5),
            ("b", 2.0, "2", 0.5),
            ("a", 3.0, None, None),
            ("", -1.5, "10", 2.0),
            ("河", 2.0, "a", 1.0),
        ],
        [("河", 2.0, "河", 3.0), ("b", None, "b", 2.0), ("z", 0.0, "é", 2.0)],
        [],
    )
]
VALUES = ("", "a", "b", "河", "1", "2", "10", "2.0", "0.5", "-1", "1e0")
OF_TEXT, OF_NUMBERS = (MAX, MIN, COUNT), (AVG, MAX, MIN, COUNT, SUM)


@strategies.composite
def queries(draw):
    """All selected columns aggregated, or none: of a mixture, it is up to sqlite which row a column is from."""
    columns = draw(strategies.lists(strategies.sampled_from([*range(4), *range(4), -1, 4]), max_size=3))
    aggregated = draw(strategies.booleans())
    selected = []
    for column in columns:
        allowed = OF_NUMBERS if column in (1, 3) else OF_TEXT
        selected.append((column, draw(strategies.sampled_from(allowed)) if aggregated else NO_AGGREGATION))
    condition = strategies.tuples(strategies.integers(0, 3), strategies.integers(0, 3), strategies.sampled_from(VALUES))
    return query(selected, draw(strategies.lists(condition, max_size=3)), draw(strategies.integers(0, 2)))


def slow_holds(cell, operator, value, kind):
    if cell is None:
        return False
    if kind == "real":
        try:
            value = float(value)
        except ValueError:  # a string is more than every number
            return operator in (LESS, UNEQUAL)
    else:
        cell, value = cell.encode(), value.encode()
    return [cell > value, cell < value, cell == value, cell != value][operator]


def slow_aggregate(aggregation, cells):
    cells = [cell for cell in cells if cell is not None]
    if aggregation == COUNT:
        return len(cells)
    if not cells:
        return None
    if aggregation in (AVG, SUM):
        return sum(cells) / (len(cells) if aggregation == AVG else 1)
    key = str.encode if isinstance(cells[0], str) else float
    return (max if aggregation == MAX else min)(cells, key=key)


def slow_result(of_table, one):
    """Rows, or None for what is wrong."""
    if not one.selected or not one.conditions or (len(one.conditions) > 1 and one.connection == NONE):
        return None
    if any(column not in range(4) for column, _ in one.selected):
        return None
    rows = []
    for row in of_table.rows:
        hold = [
            slow_holds(row[column], operator, value, of_table.types[column])
            for column, operator, value in one.conditions
        ]
        if (any if one.connection == OR else all)(hold):
            rows.append(row)
    if one.selected[0].aggregation:
        return [[slow_aggregate(aggregation, [row[column] for row in rows]) for column, aggregation in one.selected]]
    return [[row[column] for column, _ in one.selected] for row in rows]


@settings(max_examples=300)
@given(strategies.sampled_from(TABLES), queries())
def test_results_equal_those_of_a_slow_execution(of_table, one):
    expected = slow_result(of_table, one)
    with execution.Database(of_table) as database:
        if expected is None:
            with pytest.raises(execution.ExecutionError):
                database.execute(one)
        else:
            assert list(map(list, database.execute(one))) == expected


def slow_score(pairs):
    logic_form = same_result = 0
    for gold, predicted in pairs:
        if predicted is None:
            continue
        logic_form += (
            sorted(gold.query.selected) == sorted(predicted.selected)
            and sorted(gold.query.conditions) == sorted(predicted.conditions)
            and gold.query.connection == predicted.connection
        )
        results = [slow_result(gold.table, one) for one in (gold.query, predicted)]
        # Counters are equal where the values of a row are, in whatever order.
        same_result += None not in results and [list(map(Counter, rows)) for rows in results][0] == list(
            map(Counter, results[1])
        )
    return logic_form, same_result


@strategies.composite
def questions(draw):
    """Gold and predictions, of which many are those of gold, changed a little."""
    gold, predictions = [], []
    for line in range(draw(strategies.integers(0, 6))):
        wanted = draw(queries())
        gold.append(task.Example("", draw(strategies.sampled_from(TABLES)), wanted, line))
        changed = draw(strategies.sampled_from(["none", "same", "shuffled", "connection", "other"]))
        predicted = {
            "none": None,
            "same": wanted,
            "shuffled": task.Query(wanted.selected[::-1], wanted.connection, wanted.conditions[::-1]),
            "connection": task.Query(wanted.selected, draw(strategies.integers(0, 2)), wanted.conditions),
            "other": draw(queries()),
        }
        predictions.append(predicted[changed])
    return gold, predictions[: draw(strategies.integers(0, len(gold)))]


@settings(max_examples=150)
@given(questions())
def test_the_score_equals_a_slow_one(case):
    gold, predictions = case
    comparisons = metric.compare(gold, predictions)
    assert [one.example for one in comparisons] == gold
    assert [one.predicted for one in comparisons] == predictions + [None] * (len(gold) - len(predictions))
    score = metric.total(comparisons)
    expected = slow_score(zip(gold, predictions))
    assert (score.questions, score.logic_form, score.execution) == (len(gold), *expected)
    means = [count / len(gold) if gold else 0.0 for count in expected]
    assert list(score.figures().values()) == pytest.approx([*means, sum(means) / 2], abs=1e-12)
    assert min(score.right_parts.values()) >= score.logic_form


# The golden file, where it is


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="no ../shared here")
def test_golden_file_comes_out_exactly():
    tables = task.read_tables(GOLDEN / "tables.json")
    gold = task.read(GOLDEN / "gold.json", tables, labelled=True)
    score = metric.total(metric.compare(gold, task.read_submission(GOLDEN / "pred.json")))
    assert score.figures() == pytest.approx(json.loads((GOLDEN / "official.json").read_text("utf-8")), rel=0, abs=1e-9)
    perfect = metric.total(metric.compare(gold, [one.query for one in gold]))
    assert list(perfect.figures().values()) == [1, 1, 1] and set(perfect.parts().values()) == {1}
