"""Files, submission, kinds of errors and evaluate.py of NL2SQL. Every table and sentence here is invented."""

import dataclasses
import functools
import gzip
import json
import shutil
import time
import zipfile
from collections import Counter

import pytest
from hypothesis import given, settings, strategies

from common import folds
from common.submission import BLANK_LINE

import competition
from contests import without
from helpers import (
    HEAVY,
    check_report,
    check_warnings,
    evaluate,
    evaluation_refused,
    json_figures,
    needs,
    not_importing,
    refused,
    write,
    write_lines,
)
from workshop import check_refusal, run_here, succeeds

FOLDER = "nl2sql"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
evaluation = competition.load(FOLDER, "evaluate")
training = competition.load(FOLDER, "train")
prediction = competition.load(FOLDER, "predict")

GOLDEN = competition.SHARED / "golden" / FOLDER

HEADER, TYPES = ["城市", "票房", "影院"], ["text", "real", "real"]
ROWS = [["青河市", 20.5, 3], ["白山市", 7, None]]


def table(name="t", header=HEADER, types=TYPES, rows=ROWS, **other):
    return {
        "id": name,
        "name": f"Table_{name}",
        "title": "影院",
        "header": header,
        "types": types,
        "rows": rows,
    } | other


def sql(selected=((0, 0),), conditions=((1, 0, "10"),), connection=0):
    return {
        "sel": [column for column, _ in selected],
        "agg": [aggregation for _, aggregation in selected],
        "cond_conn_op": connection,
        "conds": [list(condition) for condition in conditions],
    }


def question(text="哪个城市的票房超过10", name="t", query=sql()):
    return {"question": text, "table_id": name, "sql": query}


@pytest.fixture
def tables(tmp_path):
    return task.read_tables(write_lines(tmp_path / "given.tables.json", [table()]))


# Queries

QUERY = task.Query(
    (task.Selected(1, 1), task.Selected(0, 0)), 2, (task.Condition(1, 0, "20.5"), task.Condition(0, 3, "青'河"))
)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (QUERY, 'SELECT AVG("票房"), "城市" WHERE "票房" > 20.5 OR "城市" != \'青\'\'河\''),
        (
            task.Query((task.Selected(2, 4),), 0, (task.Condition(0, 2, "-3"),)),
            'SELECT COUNT("影院") WHERE "城市" == -3',
        ),
        (
            task.Query((task.Selected(0, 0),), 1, (task.Condition(1, 1, "1e3"), task.Condition(1, 0, ""))),
            'SELECT "城市" WHERE "票房" < \'1e3\' AND "票房" > \'\'',
        ),
        (task.Query((), 0, ()), "SELECT ?"),
        (
            task.Query((task.Selected(3, 6),), 0, (task.Condition(-1, 4, "一\n二"),)),
            "SELECT ?6(?3) WHERE ?-1 ?4 '一 二'",
        ),
        (
            task.Query((task.Selected(0, 0),), 0, (task.Condition(0, 0, "1"),) * 2),
            'SELECT "城市" WHERE "城市" > 1 ?0 "城市" > 1',
        ),
        (
            task.Query((task.Selected(0, 0),), 3, (task.Condition(0, 0, "1"),) * 2),
            'SELECT "城市" WHERE "城市" > 1 ?3 "城市" > 1',
        ),
    ],
)
def test_a_query_can_be_read_by_people(query, text):
    assert query.text(HEADER) == text


def test_the_record_of_a_query_is_of_plain_types():
    numpy = pytest.importorskip("numpy")
    one, two = numpy.int64(1), numpy.int32(2)
    query = task.Query((task.Selected(one, two),), two, (task.Condition(one, two, numpy.str_("甲")),))
    record = query.record()
    assert (
        json.dumps(record, ensure_ascii=False) == '{"agg": [2], "cond_conn_op": 2, "sel": [1], "conds": [[1, 2, "甲"]]}'
    )
    assert type(record["conds"][0][2]) is str


# Reading tables


def test_tables_keep_what_the_file_says(tmp_path):
    path = write_lines(tmp_path / "a.tables.json", [table(), "", table("u", common="也有", rows=[])])
    found = task.read_tables(path)
    assert list(found) == ["t", "u"]
    assert (found["t"].title, found["t"].header, found["t"].types) == ("影院", tuple(HEADER), tuple(TYPES))
    assert found["t"].rows == (("青河市", 20.5, 3), ("白山市", 7, None)) and found["u"].rows == ()
    assert [one.line for one in found.values()] == [1, 3]
    assert {found["t"]: 1}[found["t"]] == 1 and found["t"] != task.read_tables(path)["t"], "keys by identity"
    refused(lambda: task.read_tables(write_lines(path, [])), f"{path}: there is nothing in it")


def test_tables_may_be_one_list_packed_and_of_types_under_other_names(tmp_path):
    path = tmp_path / "a.tables.json.gz"
    others = [["TEXT", "Real", "REAL"], ["string", "number", "int"], ["VARCHAR", "float", "double"]]
    records = [table(), *(table(f"t{number}", types=types) for number, types in enumerate(others))]
    path.write_bytes(gzip.compress(json.dumps(records, indent=1).encode()))
    skipped = Counter()
    found = task.read_tables(path, skipped)
    assert {one.types for one in found.values()} == {tuple(TYPES)} and len(found) == 4
    assert skipped == {task.OTHER_TYPES: 3}
    assert task.read_tables(tmp_path).keys() == found.keys()
    path.write_bytes(gzip.compress(json.dumps([*records, table("x", types=["text", "date", "real"])]).encode()))
    refused(lambda: task.read_tables(path), f'{path}:1: [4]: "types" holds "date"')


def test_what_is_odd_in_a_table_is_read(tmp_path):
    cells = [None, True, False, 7, 2**70, 0.5, float("nan"), float("inf"), "", "\ud83d", ["一", 1], {"二": None}]
    lines = [
        json.dumps(
            {
                "id": 5,
                "header": [None, "", "", 2018] + ["甲"] * 8,
                "types": ["text"] * 12,
                "rows": [cells],
                "title": None,
            }
        ),
        table("wide", [f"列{number}" for number in range(40)], ["real"] * 40, [list(range(40))]),
        table("one", ["甲"], ["text"], [["x"]]),
    ]
    found = task.read_tables(write_lines(tmp_path / "a.tables.json", lines))
    assert found["5"].header == ("", "", "", "2018", *["甲"] * 8) and found["5"].title == ""
    assert found["5"].rows == (
        (None, 1, 0, 7, 2**70, 0.5, None, float("inf"), "", "\ud83d", '["一", 1]', '{"二": null}'),
    )
    assert [type(cell) for cell in found["5"].rows[0][1:4]] == [int, int, int]
    assert len(found["wide"].rows[0]) == 40 and found["one"].rows == (("x",),)


#: A second table with a mistake, and words of the message.
WRONG_TABLES = {
    "no id": (without(table(), "id"), ['"id" is missing']),
    "the id is null": (table(None), ['"id" is null']),
    "no header": (without(table("u"), "header"), ['"header" is missing']),
    "the header is a string": (table("u", "甲乙丙"), ['"header" is a string']),
    "the header is empty": (table("u", [], [], []), ['"header" is empty']),
    "no types": (without(table("u"), "types"), ['"types" is missing']),
    "too few types": (table("u", types=["text"]), ['3 columns in "header" and 1 in "types"']),
    "an unknown type": (table("u", types=["text", "real", "date"]), ['"types" holds "date"', '"text" or "real"']),
    "a type that is a number": (table("u", types=["text", "real", 1]), ['"types" holds 1']),
    "a type that is a list": (table("u", types=["text", "real", ["real"]]), ['"types" holds ["real"]']),
    "no rows": (without(table("u"), "rows"), ['"rows" is missing']),
    "the rows are an object": (table("u", rows={}), ['"rows" is an object']),
    "a row is a string": (table("u", rows=[*ROWS, "甲乙丙"]), ['"rows" holds no list of cells as number 3']),
    "a short row": (table("u", rows=[*ROWS, ["甲", 1]]), ['"rows" holds 2 cells as number 3', "3 columns"]),
    "a long row": (table("u", rows=[["甲", 1, 2, 3]]), ['"rows" holds 4 cells as number 1']),
    "another table of this id": (table(rows=[]), ['"t" stands already in', ":1, and is another there"]),
    "another type of this id": (table(types=["text", "text", "real"]), ['"t" stands already in']),
    "broken": ('{"id": "u"', ["not JSON"]),
    "a list": ("[]", ["a list"]),
}


@pytest.mark.parametrize(("wrong", "words"), WRONG_TABLES.values(), ids=WRONG_TABLES)
def test_a_mistake_in_a_table_is_named_with_its_line(tmp_path, wrong, words):
    path = write_lines(tmp_path / "a.tables.json", [table(), "", wrong, table("v")])
    refused(lambda: task.read_tables(path), f"{path}:3: ", " - ", *words)


def test_a_table_may_stand_there_again(tmp_path):
    nulls = [table("u", rows=[[None, cell, 1]]) for cell in (float("nan"), None)]
    path = write_lines(tmp_path / "a.tables.json", [table(), table(name="another"), table(), *nulls])
    assert [one.line for one in task.read_tables(path).values()] == [1, 2, 4]


def test_a_folder_stands_for_all_its_tables(tmp_path):
    write_lines(tmp_path / "train.tables.json", [table(), table("u")])
    write_lines(tmp_path / "tables.json", [table("u"), table("v")])
    write_lines(tmp_path / "train.json", [question()])
    assert set(task.read_tables(tmp_path)) == {"t", "u", "v"}
    assert len(task.read(tmp_path / "train.json", tmp_path)) == 1
    write_lines(tmp_path / "tables.json", [table("w"), table("u", rows=[])])
    refused(
        lambda: task.read_tables(tmp_path),
        f"{tmp_path}/train.tables.json:2: ",
        f'"u" stands already in {tmp_path}/tables.json:2',
    )
    (tmp_path / "empty").mkdir()
    refused(lambda: task.read_tables(tmp_path / "empty"), f"{tmp_path}/empty: ", "dev.tables.json")


def test_tables_are_looked_for_beside_the_questions(tmp_path):
    for name in ("dev.json", "gold.jsonl", "a.b.json", "c.json.gz"):
        path = write_lines(tmp_path / name, [])
        first, _, last = name.removesuffix(".gz").rpartition(".")
        tables = path.with_name(f"{first}.tables.{last}")
        refused(lambda: task.tables_of(path), f"{tables}: no such file", f"belongs beside {name}", "--tables")
        packed = write_lines(tables.with_name(f"{tables.name}.gz"), [])
        assert task.tables_of(path) == packed
        assert task.tables_of(str(write_lines(tables, []).with_name(name))) == tables
    refused(lambda: task.tables_of(tmp_path / "nowhere.json"), f"{tmp_path}/nowhere.json: no such file")


# Reading questions


def test_examples_keep_what_the_file_says(tmp_path, tables):
    other = sql([(0, 0), (2, 5)], [(0, 2, "青河市"), (1, 1, 7), (1, 3, 0.5)], 2)
    path = write_lines(tmp_path / "dev.json", [question(), question("", query=other) | {"id": 7}])
    condition = task.Condition(1, 0, "10")
    expected = [
        task.Example("哪个城市的票房超过10", tables["t"], task.Query((task.Selected(0, 0),), 0, (condition,)), 1),
        task.Example(
            "",
            tables["t"],
            task.Query(
                (task.Selected(0, 0), task.Selected(2, 5)),
                2,
                (task.Condition(0, 2, "青河市"), task.Condition(1, 1, "7"), task.Condition(1, 3, "0.5")),
            ),
            2,
        ),
    ]
    assert task.read(path, tables) == task.read(path, tables, labelled=True) == expected
    assert [one.query for one in task.read(path, tables, labelled=False)] == [None, None]
    # From a file, the tables are others each time.
    assert [one.query for one in task.read(str(path), str(tmp_path / "given.tables.json"))] == [
        one.query for one in expected
    ]


def test_blank_lines_are_counted(tmp_path, tables):
    skipped = Counter()
    path = write_lines(tmp_path / "dev.json", [question(), "", question(), " \t"])
    assert [one.line for one in task.read(path, tables, None, skipped)] == [1, 3]
    assert skipped == {BLANK_LINE: 2}


def test_questions_may_be_one_list_and_numbers_fractions_or_strings(tmp_path, tables):
    other = {"sel": [0.0, "2"], "agg": ["0", 5.0], "cond_conn_op": "2", "conds": [["1", 0.0, "7"], [0, "2", 8.0]]}
    records = [question(), question(query=other), question(query=None), without(question(), "sql")]
    (tmp_path / "dev.json").write_text(json.dumps(records, indent=1), "utf-8")
    skipped = Counter()
    found = task.read(tmp_path / "dev.json", tables, skipped=skipped)
    assert found[1].query.record() == sql([(0, 0), (2, 5)], [(1, 0, "7"), (0, 2, "8.0")], 2)
    assert [one.query is None for one in found] == [False, False, True, True]
    assert all(type(number) is int for one in found[1].query.conditions for number in one[:2])
    assert skipped == {task.OTHER_NUMBERS: 8}
    refused(lambda: task.read(tmp_path / "dev.json", tables, labelled=True), "dev.json:", '[2]: "sql" is null')


def test_the_judges_files_have_no_queries(tmp_path, tables):
    path = write_lines(tmp_path / "test.json", [question(), without(question(), "sql"), question(query=None)])
    assert [one.query is None for one in task.read(path, tables)] == [False, True, True]
    refused(lambda: task.read(path, tables, labelled=True), f"{path}:2: ", '"sql" is missing')


def test_queries_that_cannot_be_executed_stay_as_they_are(tmp_path, tables):
    odd = [sql([]), sql(conditions=[]), sql(conditions=[(0, 2, "a"), (0, 2, "b")]), sql(connection=2)]
    path = write_lines(tmp_path / "dev.json", [question(query=one) for one in odd])
    assert [one.query.record() for one in task.read(path, tables, labelled=True)] == odd


WRONG_QUESTIONS = {
    "no question": (without(question(), "question"), ['"question" is missing']),
    "the question is null": (question(None), ['"question" is null']),
    "no table": (without(question(), "table_id"), ['"table_id" is missing']),
    "the table is a list": (question(name=["t"]), ['"table_id" is a list']),
    "an unknown table": (question(name="u"), ['table "u" is not among the 1 tables']),
    "broken": ('{"question": "', ["not JSON"]),
    "a string": ('"?"', ["a string"]),
}
WRONG_QUERIES = {
    "a string": ("SELECT", ['"sql" is a string']),
    "no columns": (without(sql(), "sel"), ['"sel" is missing']),
    "the columns are a number": (sql() | {"sel": 0}, ['"sel" is a whole number', "must be a list"]),
    "a column is true": (sql() | {"sel": [True]}, ['one of "sel" is true or false']),
    "a column is a fraction": (sql() | {"sel": [0.5]}, ['one of "sel" is a number']),
    "a column is a number in words": (sql() | {"sel": ["零"]}, ['one of "sel" is a string']),
    "a column is below 0 in a string": (sql() | {"sel": ["-1"]}, ['one of "sel" is a string']),
    "an aggregation is a name": (sql() | {"agg": ["AVG"]}, ['one of "agg" is a string']),
    "no aggregation": (sql() | {"agg": []}, ['1 columns in "sel" and 0 in "agg"']),
    "no connection": (without(sql(), "cond_conn_op"), ['"cond_conn_op" is missing']),
    "the connection is false": (sql() | {"cond_conn_op": False}, ['"cond_conn_op" is true or false']),
    "no conditions": (without(sql(), "conds"), ['"conds" is missing']),
    "a condition is an object": (sql() | {"conds": [{}]}, ['"conds" holds {}', "column, operator and value"]),
    "a condition of two": (sql() | {"conds": [[0, 2]]}, ['"conds" holds [0, 2]']),
    "an operator is a name": (sql(conditions=[(0, "==", "a")]), ['one of "conds" is a string']),
    "a value is null": (sql(conditions=[(0, 2, None)]), ['the value of a condition in "conds" is null']),
    "a value is true": (sql(conditions=[(0, 2, True)]), ['in "conds" is true or false']),
    "a value is a list": (sql(conditions=[(0, 2, ["a"])]), ['in "conds" is a list']),
}
OUT_OF_RANGE = {
    "a selected column": (sql([(3, 0)]), ["no column 3", "from 0 to 2"]),
    "a selected column below 0": (sql([(-1, 0)]), ["no column -1"]),
    "a column of a condition": (sql(conditions=[(3, 2, "a")]), ["no column 3"]),
    "an aggregation": (sql([(0, 6)]), ["no aggregation 6", "from 0 to 5"]),
    "an operator": (sql(conditions=[(0, 4, "a")]), ["no operator 4", "from 0 to 3"]),
    "a connection": (sql(connection=3), ["no connection 3", "from 0 to 2"]),
}


@pytest.mark.parametrize("labelled", [True, False, None])
@pytest.mark.parametrize(("wrong", "words"), WRONG_QUESTIONS.values(), ids=WRONG_QUESTIONS)
def test_a_mistake_in_a_question_is_named_with_its_line(tmp_path, tables, wrong, words, labelled):
    path = write_lines(tmp_path / "dev.json", [question(), "", wrong, question()])
    refused(lambda: task.read(path, tables, labelled), f"{path}:3: ", " - ", *words)


@pytest.mark.parametrize(("wrong", "words"), (WRONG_QUERIES | OUT_OF_RANGE).values(), ids=WRONG_QUERIES | OUT_OF_RANGE)
def test_a_mistake_in_a_label_is_named_unless_labels_are_not_wanted(tmp_path, tables, wrong, words):
    path = write_lines(tmp_path / "dev.json", [question(), question(query=wrong)])
    for labelled in (True, None):
        refused(lambda: task.read(path, tables, labelled), f"{path}:2: ", " - ", *words)
    assert [one.query for one in task.read(path, tables, labelled=False)] == [None, None]


def test_a_question_may_be_long(tmp_path, tables):
    path = write_lines(tmp_path / "dev.json", [question("长" * 10_000), question(" ")])
    assert [len(one.question) for one in task.read(path, tables)] == [10_000, 1]


def test_files_are_found_and_a_missing_one_shows_the_tree(tmp_path):
    for train, dev in (("train/train", "val/val"), ("train_data", "val_data"), ("train", "val"), ("train", "dev")):
        for name in (train, dev):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / f"{name}.json").touch()
            (tmp_path / f"{name}.tables.json").touch()
        paths = (tmp_path / f"{name}{end}.json" for name in (train, dev) for end in ("", ".tables"))
        assert task.find_files(str(tmp_path)) == task.Files(*paths)
    (tmp_path / "dev.tables.json").unlink()
    refused(lambda: task.find_files(tmp_path), f"{tmp_path}: no dev.tables.json beside dev.json")
    shutil.rmtree(tmp_path / "val")
    for name in ("dev", "val", "val_data"):
        (tmp_path / f"{name}.json").unlink()
    found = task.find_files(tmp_path)
    assert found == task.Files(tmp_path / "train.json", tmp_path / "train.tables.json", None, None)
    (tmp_path / "train.tables.json").unlink()
    refused(lambda: task.find_files(tmp_path), f"{tmp_path}: no train.tables.json beside train.json")
    for name in ("train.json", "train_data.json", "train/train.json"):
        (tmp_path / name).unlink()
    refused(
        lambda: task.find_files(tmp_path),
        f"{tmp_path}: no train file",
        "train.json, train.tables.json, dev.json and dev.tables.json",
    )
    refused(lambda: task.find_files(tmp_path / "none"), "none: no such folder", "train.tables.json")


# The submission

STRINGS = strategies.text(
    strategies.characters(exclude_categories=[]) | strategies.sampled_from('\t\n\r \ud83d"\\'), max_size=8
)


@strategies.composite
def asked(draw):
    """Tables, and questions with queries that can be executed."""
    tables, questions = [], []
    for name in draw(strategies.lists(strategies.text(max_size=3), min_size=1, max_size=2, unique=True)):
        types = draw(strategies.lists(strategies.sampled_from(task.TYPES), min_size=1, max_size=5))
        rows = draw(
            strategies.lists(
                strategies.tuples(*[STRINGS | strategies.integers() | strategies.none()] * len(types)), max_size=2
            )
        )
        tables.append(
            {
                "id": name,
                "header": draw(strategies.lists(STRINGS, min_size=len(types), max_size=len(types))),
                "types": types,
                "rows": rows,
            }
        )
        column = strategies.integers(0, len(types) - 1)
        for _ in range(draw(strategies.integers(1, 3))):
            selected = draw(
                strategies.lists(strategies.tuples(column, strategies.integers(0, 5)), min_size=1, max_size=3)
            )
            conditions = draw(
                strategies.lists(strategies.tuples(column, strategies.integers(0, 3), STRINGS), min_size=1, max_size=3)
            )
            connection = draw(strategies.integers(1, 2)) if len(conditions) > 1 else 0
            questions.append(
                {"question": draw(STRINGS), "table_id": name, "sql": sql(selected, conditions, connection)}
            )
    return tables, questions


@settings(max_examples=60)
@given(asked(), strategies.sampled_from(["a.json", "a.zip"]))
def test_gold_can_be_submitted_and_comes_back(tmp_path_factory, case, name):
    folder = tmp_path_factory.mktemp("submission")
    for file, items in zip(("dev.tables.json", "dev.json"), case):
        (folder / file).write_text("".join(json.dumps(item) + "\n" for item in items), "ascii")
    examples = task.read(folder / "dev.json", task.tables_of(folder / "dev.json"), labelled=True)
    queries = [one.query for one in examples]
    # Two halves of a surrogate pair side by side are a character once they have been JSON.
    assert [one.record() for one in queries] == [json.loads(json.dumps(item["sql"])) for item in case[1]]
    task.write_submission(folder / name, queries)
    assert task.check_submission(folder / name, examples) == task.check_submission(folder / name) == len(examples)
    assert task.read_submission(folder / name) == queries
    score = metric.total(metric.compare(examples, queries))
    assert (score.questions, score.logic_form) == (len(examples), len(examples))
    for one in examples:
        assert "\n" not in one.query.text(one.table.header)


def test_a_submission_has_a_line_for_each_query(tmp_path):
    simple = task.Query((task.Selected(0, 0),), 0, (task.Condition(1, 2, "1"),))
    task.write_submission(tmp_path / "deep/a.json", [QUERY, simple])
    content = (
        '{"agg": [1, 0], "cond_conn_op": 2, "sel": [1, 0], "conds": [[1, 0, "20.5"], [0, 3, "青\'河"]]}\n'
        '{"agg": [0], "cond_conn_op": 0, "sel": [0], "conds": [[1, 2, "1"]]}\n'
    )
    assert (tmp_path / "deep/a.json").read_text("utf-8") == content
    task.write_submission(tmp_path / "deep/a.zip", [QUERY, simple])
    with zipfile.ZipFile(tmp_path / "deep/a.zip") as archive:
        assert archive.namelist() == ["a.json"] and archive.read("a.json").decode() == content
    task.write_submission(tmp_path / "a.json", [])
    assert (tmp_path / "a.json").read_bytes() == b""
    refused(lambda: task.read_submission(tmp_path / "a.json"), "a.json: there is nothing in it")


def test_a_submission_is_read_as_the_metric_takes_it(tmp_path):
    odd = [sql([(99, -3)], [(-1, 17, 20), (0, 2, 0.5)], 8), sql([], [])]
    first, second = [
        task.Query((task.Selected(99, -3),), 8, (task.Condition(-1, 17, "20"), task.Condition(0, 2, "0.5"))),
        task.Query((), 0, ()),
    ]
    path = write_lines(tmp_path / "a.json", ["", odd[0] | {"comment": ""}, "", " ", odd[1], "", ""])
    assert task.read_submission(path) == task.read_submission(path, 5) == [None, first, None, None, second]
    refused(lambda: task.read_submission(path, 4), f"{path}:5: gold has 4 questions and no more")
    for other in (1.0, "1"):  # whatever it means to a file of ours, to a judge it is no column
        path = write_lines(path, [sql() | {"sel": [other]}])
        refused(lambda: task.read_submission(path), f'{path}:1: one of "sel" is')


@pytest.mark.parametrize(("wrong", "words"), list(WRONG_QUERIES.values())[1:], ids=list(WRONG_QUERIES)[1:])
def test_what_is_no_query_is_refused(tmp_path, wrong, words):
    path = write_lines(tmp_path / "a.json", [sql(), wrong, sql()])
    for call in (task.read_submission, task.check_submission):
        refused(lambda: call(path), f"{path}:2: ", " - ", *words)


TWO = [(0, 2, "a"), (1, 0, "7")]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([sql(), sql(), sql()], [":3: ", "question 3 of the 2"]),
        ([sql()], [": ends after 1 of 2"]),
        ([], [": there is nothing in it"]),
        ([sql(), "", sql()], [":3: follows a blank line"]),
        ([sql(), sql(), ""], [": ends with a blank line"]),
        ([sql(), sql([])], [":2: selects nothing"]),
        ([sql(), sql(conditions=[])], [":2: has no condition"]),
        ([sql(), sql(connection=1)], [':2: "cond_conn_op" is 1', "0 with one condition"]),
        ([sql(), sql(conditions=TWO)], [':2: "cond_conn_op" is 0', "1 (and) or 2 (or) with 2 conditions"]),
        ([sql(), sql() | {"limit": 1}], [':2: "limit" is no field']),
        ([sql(), sql(conditions=[(1, 0, 10)])], [":2: the value of a condition", "must be a string"]),
        ([sql(), "[]"], [":2: a list"]),
        *([[sql(), wrong], [":2: ", *words]] for wrong, words in OUT_OF_RANGE.values()),
    ],
)
def test_a_bad_submission_is_refused(tmp_path, tables, lines, words):
    examples = task.read(write_lines(tmp_path / "dev.json", [question(), question()]), tables)
    path = write_lines(tmp_path / "a.json", lines)
    refused(lambda: task.check_submission(path, examples), str(path), " - ", *words)


def test_a_good_submission_passes(tmp_path, tables):
    examples = task.read(write_lines(tmp_path / "dev.json", [question(), question()]), tables)
    path = write_lines(tmp_path / "a.json", [sql(), sql(conditions=TWO, connection=2)])
    assert task.check_submission(path, examples) == task.check_submission(path) == 2
    # Without questions the table is not known.
    assert task.check_submission(write_lines(path, [sql([(40, 0)])])) == 1
    refused(
        lambda: task.check_submission(write_lines(path, [sql([(-1, 0)])])),
        f"{path}:1: there is no column -1 - it must be at least 0",
    )
    # Of other examples, the table may be another.
    refused(
        lambda: task.check_submission(write_lines(path, [sql(), sql([(3, 0)])]), examples),
        f"{path}:2: there is no column 3",
    )


# The kinds of errors


def compared(tables, gold, predicted, text="哪个城市的票房超过10"):
    queries = [None if one is None else task.query_of(one, "here") for one in (gold, predicted)]
    (one,) = metric.compare([task.Example(text, tables["t"], queries[0], 1)], [queries[1]])
    return one


GOLD = sql([(0, 0), (1, 2)], [(1, 0, "7"), (0, 2, "青河市")], 1)


@pytest.mark.parametrize(
    ("predicted", "outcome", "mistakes"),
    [
        (GOLD, evaluation.CORRECT, []),
        (sql([(1, 2), (0, 0)], GOLD["conds"][::-1], 1), evaluation.CORRECT, []),
        (None, evaluation.NOT_PREDICTED, []),
        (GOLD | {"sel": [2, 1]}, evaluation.WRONG_RESULT, [evaluation.SELECT]),
        (GOLD | {"agg": [0, 1]}, evaluation.OTHER_FORM, [evaluation.AGGREGATION]),
        (GOLD | {"agg": [2, 0]}, evaluation.OTHER_FORM, [evaluation.AGGREGATION]),
        (GOLD | {"sel": [2], "agg": [2]}, evaluation.WRONG_RESULT, [evaluation.SELECT, evaluation.AGGREGATION]),
        (GOLD | {"conds": [[2, 0, "7"], [0, 2, "青河市"]]}, evaluation.WRONG_RESULT, [evaluation.COLUMN]),
        (GOLD | {"conds": [[1, 1, "7"], [0, 2, "青河市"]]}, evaluation.WRONG_RESULT, [evaluation.OPERATOR]),
        (GOLD | {"conds": [[1, 0, "8"], [0, 2, "白山市"]]}, evaluation.WRONG_RESULT, [evaluation.VALUE]),
        (
            GOLD | {"conds": [[1, 1, "8"], [0, 2, "青河市"]]},
            evaluation.WRONG_RESULT,
            [evaluation.MISSING, evaluation.SPURIOUS],
        ),
        (GOLD | {"conds": [[0, 2, "青河市"]]}, evaluation.OTHER_FORM, [evaluation.MISSING]),
        (
            GOLD | {"conds": [[1, 0, "7.0"]], "cond_conn_op": 0},
            evaluation.OTHER_FORM,
            [evaluation.VALUE, evaluation.MISSING, evaluation.CONNECTION],
        ),
        (GOLD | {"conds": [*GOLD["conds"], [2, 2, "3"]]}, evaluation.OTHER_FORM, [evaluation.SPURIOUS]),
        (GOLD | {"cond_conn_op": 2}, evaluation.OTHER_FORM, [evaluation.CONNECTION]),
        (GOLD | {"cond_conn_op": 0}, evaluation.NOT_EXECUTABLE, [evaluation.CONNECTION]),
        (
            sql([], []),
            evaluation.NOT_EXECUTABLE,
            [evaluation.SELECT, evaluation.AGGREGATION, evaluation.MISSING, evaluation.CONNECTION],
        ),
    ],
)
def test_kind_of_error(tables, predicted, outcome, mistakes):
    one = compared(tables, GOLD, predicted)
    assert (evaluation.outcome_of(one), evaluation.mistakes_of(one)) == (outcome, mistakes)


def test_gold_that_cannot_be_executed_is_an_outcome_of_its_own(tables):
    for predicted in (sql(conditions=[]), sql()):
        assert evaluation.outcome_of(compared(tables, sql(conditions=[]), predicted)) == evaluation.GOLD_NOT_EXECUTABLE


@pytest.mark.parametrize(
    ("gold", "text", "groups"),
    [
        (sql(), "10", ["1", "each column and value once", "verbatim", "none"]),
        (sql(), "十", ["1", "each column and value once", "not verbatim", "none"]),
        (sql([(0, 4)], [(1, 0, "1"), (1, 1, "2")], 1), "21", ["2 and", "the same column twice", "verbatim", "COUNT"]),
        (
            sql([(0, 2), (1, 3)], [(1, 0, "1"), (0, 0, "1")], 2),
            "2",
            ["2 or", "the same value twice", "not verbatim", "several"],
        ),
        (sql([(0, 2), (1, 2)], [(1, 0, "1")] * 4, 2), "1", ["3+ or", "the same column twice", "verbatim", "MAX"]),
        (sql([], [], 0), "", ["0", "each column and value once", "verbatim", "none"]),
    ],
)
def test_kinds_of_questions(tables, gold, text, groups):
    one = compared(tables, gold, None, text)
    assert [group_of(one) for group_of, _ in evaluation.GROUPINGS.values()] == groups
    for group_of, order in evaluation.GROUPINGS.values():
        assert evaluation.grouped([one], group_of, order) == {group_of(one): [one]}


NUMBERED = strategies.tuples(
    strategies.integers(0, 2), strategies.integers(0, 3), strategies.sampled_from(["7", "10", "青河市"])
)


@strategies.composite
def queries(draw):
    selected = draw(
        strategies.lists(strategies.tuples(strategies.integers(0, 2), strategies.integers(0, 5)), max_size=2)
    )
    return sql(selected, draw(strategies.lists(NUMBERED, max_size=3)), draw(strategies.integers(0, 2)))


READ = task.Table("t", "", tuple(HEADER), tuple(TYPES), tuple(map(tuple, ROWS)), 1)


@settings(max_examples=100)
@given(strategies.lists(strategies.tuples(queries(), strategies.none() | queries()), max_size=5))
def test_every_answer_is_in_one_group_of_each_table(pairs):
    comparisons = [compared({"t": READ}, *pair) for pair in pairs]
    groupings = [
        evaluation.grouped(comparisons, evaluation.outcome_of, evaluation.OUTCOMES),
        *(evaluation.grouped(comparisons, *grouping) for grouping in evaluation.GROUPINGS.values()),
    ]
    for groups in groupings:
        assert sorted(id(one) for group in groups.values() for one in group) == sorted(map(id, comparisons))
    wrong = {id(one) for group in evaluation.by_mistake(comparisons).values() for one in group}
    assert wrong == {id(one) for one in comparisons if one.predicted is not None and not one.logic_form}
    shown = evaluation.worst(comparisons, 3)
    assert len(shown) <= 3 and [len(one.right_parts) for one in shown] == sorted(len(one.right_parts) for one in shown)
    for one in shown:
        assert evaluation.describe(one).count("\n") == 3 and not one.execution


def test_an_answer_is_shown_beside_gold(tables):
    one = compared(tables, sql([(0, 0)], [(1, 0, "1")]), sql([(0, 0), (2, 4)], [(1, 0, "10")]), "票房超过\n1的")
    assert evaluation.describe(one) == (
        "wrong result: selected column wrong, aggregation wrong, value wrong\n"
        "  question   票房超过 1的   (table t)\n"
        '  gold       SELECT "城市" WHERE "票房" > 1   -> 2 rows: 青河市; 白山市\n'
        '  predicted  SELECT "城市", COUNT("影院") WHERE "票房" > 10   -> 1 row: 1, 青河市'
    )
    one = compared(tables, sql([(0, 0)], [(1, 0, "99")]), sql([(0, 0)], []))
    assert evaluation.describe(one).splitlines()[2:] == [
        '  gold       SELECT "城市" WHERE "票房" > 99   -> 0 rows',
        '  predicted  SELECT "城市"   -> no condition',
    ]


# evaluate.py


@pytest.fixture
def files(tmp_path):
    """Gold and predictions: of 4 questions one is right, one by another form, one wrong, one not executable."""
    write_lines(tmp_path / "dev.tables.json", [table()])
    count = question("影院有几家", query=sql([(2, 4)], [(1, 1, "10")]))
    gold = [question(), count, question("青河市的票房", query=GOLD), question("10和7以上", query=GOLD)]
    wrong = GOLD | {"conds": [[1, 1, "7"], [0, 2, "青河市"]]}
    predictions = [sql(), sql([(2, 4)], [(1, 1, "11")]), wrong, GOLD | {"cond_conn_op": 0}]
    return write_lines(tmp_path / "dev.json", gold), write_lines(tmp_path / "a.json", predictions)


FIGURES = {"logic_form_accuracy": 1 / 4, "execution_accuracy": 2 / 4, "score": 3 / 8}


def test_evaluate_prints_one_json_object_and_nothing_else(files, capsys):
    figures, err = json_figures(capsys, FOLDER, *files)
    assert list(figures.items()) == list(FIGURES.items()) and err.count("\n") == 1


def test_evaluate_prints_tables_and_the_worst_answers(files, capsys):
    with not_importing(*HEAVY):
        assert evaluate(FOLDER, *files) == FIGURES
    check_report(
        capsys.readouterr().out,
        "over 4 questions right",
        "logic_form_accuracy 0.2500 1",
        "execution_accuracy 0.5000 2",
        "score 0.3750",
        "part accuracy right",
        "select column 1.0000 4",
        "operator 0.7500 3",
        "value 0.7500 3",
        "connection 0.7500 3",
        "answers questions share",
        "correct 1 25.0%",
        "right result by another logic form 1 25.0%",
        "wrong result 1 25.0%",
        "cannot be executed 1 25.0%",
        "what is wrong questions share nothing else is",
        "operator wrong 1 25.0% 1",
        "conditions questions logic form execution score",
        "1 2 0.5000 1.0000 0.7500",
        "2 and 2 0.0000 0.0000 0.0000",
        "values in the question questions logic form execution score",
        "verbatim 1 1.0000 1.0000 1.0000",
        "not verbatim 3 0.0000 0.3333 0.1667",
        "aggregation questions logic form execution score",
        "COUNT 1 0.0000 1.0000 0.5000",
        "worst answers (2)",
        "cannot be executed: connection wrong",
        "question 10和7以上 (table t)",
    )


def test_evaluate_takes_tables_from_elsewhere(files, tmp_path):
    (tmp_path / "dev.tables.json").rename(tmp_path / "other.json")
    evaluation_refused(FOLDER, *files, "dev.tables.json: no such file", "--tables")
    assert evaluate(FOLDER, *files, "--tables", tmp_path / "other.json") == FIGURES


@pytest.mark.parametrize(
    ("predictions", "warnings"),
    [
        ([sql()] * 4, []),
        ([sql([], [])], ["NOTHING IS PREDICTED for the 4 questions", "end after 1 of 4 questions", "1 of 1 predicted"]),
        ([sql(), sql()], ["end after 2 of 4 questions"]),
        ([sql(), "", sql(), sql()], ["1 lines of the predictions are blank"]),
        ([sql(), sql([]), sql(conditions=[]), sql([(9, 0)])], ["3 of 4 predicted queries cannot be executed"]),
        ([sql([], [])] * 4, ["NOTHING IS PREDICTED", "4 of 4 predicted queries cannot be executed"]),
    ],
)
def test_evaluate_warns_of_doubtful_figures(files, tmp_path, predictions, warnings, capsys):
    _, err = json_figures(capsys, FOLDER, files[0], write_lines(tmp_path / "doubtful.json", predictions))
    check_warnings(err, warnings)


def test_evaluate_warns_of_gold_that_cannot_be_executed(files, capsys):
    gold, predictions = (
        write_lines(files[0], [question(query=sql(conditions=[])), question()]),
        write_lines(files[1], [sql(), sql()]),
    )
    _, err = json_figures(capsys, FOLDER, gold, predictions)
    assert (
        err == "WARNING: 1 of 2 queries of gold cannot be executed: whatever is predicted for them has a wrong result\n"
    )


def test_what_acts_on_a_terminal_is_shown_and_what_is_long_is_cut(files, capsys):
    odd = table(header=["城\x1b[2J市", *HEADER[1:]], rows=[["青\x07河", 20, 3]])
    write_lines(files[0].with_name("dev.tables.json"), [odd])
    gold = write_lines(
        files[0], [question("多\x1b]0;x\x07少" + "很" * 5000, query=sql([(0, 0)], [(0, 2, "x" * 5000)]))]
    )
    evaluate(FOLDER, gold, write_lines(files[1], [sql()]))
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and "\x07" not in printed
    assert r"城\x1b[2J市" in printed and r"青\x07河" in printed and r"多\x1b]0;x" in printed
    assert max(map(len, printed.splitlines())) < 1100


def test_what_gold_says_in_another_way_is_told_with_the_report(files, capsys):
    other = sql() | {"sel": ["0"]}
    gold = write_lines(files[0], [question(query=other), "", *[question()] * 3])
    assert evaluate(FOLDER, gold, write_lines(files[1], [sql()] * 4))["score"] == 1
    printed = capsys.readouterr().out
    assert f"{gold}: 1 x {BLANK_LINE}" in printed and f"{gold}: 1 x {task.OTHER_NUMBERS}" in printed


def test_slow_queries_have_time_together_and_are_counted(files, capsys):
    write_lines(files[0].with_name("dev.tables.json"), [table(rows=[["一" * 20, 1, 2]] * 50_000)])
    slow = sql([(0, 4)], [(0, 2, "二" * 20)] * 500, 2)
    gold = write_lines(files[0], [question(query=sql([(1, 4)]))] * 12)
    predictions = write_lines(files[1], [slow] * 12)
    begun = time.process_time()
    figures = evaluate(FOLDER, gold, predictions, "--query-seconds", 0.1)
    assert time.process_time() - begun < 3 and figures["execution_accuracy"] == 0
    assert "12 queries were stopped for their time" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_refused(files, content):
    for path in files:
        before = path.read_text("utf-8")
        path.write_text(content, "utf-8")
        evaluation_refused(FOLDER, *files, f"{path}: there is nothing in it", " - ")
        path.write_text(before, "utf-8")


def test_predictions_larger_than_any_are_refused_before_they_are_read(files):
    with zipfile.ZipFile(files[1].with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", (json.dumps(sql([], [])) + "\n") * 200_000)
    evaluation_refused(FOLDER, files[0], files[1].with_suffix(".zip"), "more than 10 MB", "--max-megabytes")


@pytest.mark.parametrize(
    ("gold", "predictions", "words"),
    [
        (["["], [], ["dev.json:1:", "not JSON"]),
        ([question(), without(question(), "sql")], [], ["dev.json:2: ", '"sql" is missing']),
        ([question(name="u")], [], ["dev.json:1: ", 'table "u"']),
        ([question()], [sql(), sql()], ["a.json:2: ", "gold has 1 questions"]),
        ([question()] * 3, [sql(), "", "null"], ["a.json:3: ", "null"]),
        ([question()], None, ["a.json", "no such file"]),
        (None, [], ["dev.json", "no such file"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(files, gold, predictions, words):
    for path, content in zip(files, (gold, predictions)):
        if content is None:
            path.unlink()
        else:
            write_lines(path, content)
    evaluation_refused(FOLDER, *files, " - ", *words)


# train.py and predict.py, before there is a network


def test_questions_without_a_query_are_not_used_and_gold_of_a_fold_leaves_them_out(tmp_path, tables):
    records = [question(f"第{number}个", query=None if number % 3 == 0 else sql()) for number in range(9)]
    path = write(tmp_path / "train.json", records, indent=1)
    examples = task.read(path, tables)
    parts = folds.Parts(examples[:4], examples[4:], path, path, "", "question", folds.Fold(1, 2, (4, 5, 6, 7, 8)))
    lost = Counter()
    kept = training.labelled_parts(parts, lost)
    assert [[one.line for one in part] for part in (kept.train, kept.dev)] == [
        [examples[place].line for place in places] for places in ((1, 2), (4, 5, 7, 8))
    ]
    assert lost == {training.UNLABELLED: 3}
    kept.write_gold(tmp_path)
    assert [one.question for one in task.read(tmp_path / folds.GOLD, tables, labelled=True)] == [
        f"第{number}个" for number in (4, 5, 7, 8)
    ]
    parts = dataclasses.replace(parts, train=[one for one in examples if one.query is None])
    refused(lambda: training.labelled_parts(parts, lost), f'{path}: none of 3 questions has an "sql"')


def test_a_query_that_the_judge_would_refuse_costs_no_other(tables, capsys):
    queries = [task.query_of(one, "here") for one in (sql(), sql([(7, 0)]), sql(conditions=TWO))]
    examples = [task.Example(str(number), tables["t"], None, number) for number in (1, 2, 3)]
    predictor = functools.partial(lambda part, settings: queries)
    predictor.unconditioned = False
    found = list(prediction.answers(examples, predictor, None, "test.json"))
    assert found == [queries[0], prediction.NO_ANSWER, prediction.NO_ANSWER]
    assert "2 of 3 predictions" in capsys.readouterr().err
    task.check_record(prediction.NO_ANSWER.record(), task.Table("", "", ("",), ("text",), (), 1), "here")


@pytest.mark.parametrize(
    ("settings", "decoding", "words"),
    [
        ({"head": "conditions"}, {}, "has head 'conditions'"),
        ({"head": ["tagging"]}, {}, "has head ['tagging']"),
        ({"reading_size": 10**9}, {}, "has reading_size 1000000000"),
        ({"reading_size": "64"}, {}, "has reading_size '64'"),
        ({"cells": -1}, {}, "has cells -1"),
        ({"cells": None}, {}, "has cells None"),
        ({}, {"tries": 0}, "has tries 0"),
        ({}, {"tries": "many"}, "has tries 'many'"),
    ],
)
def test_settings_of_a_run_are_looked_at(tmp_path, settings, decoding, words):
    settings = {"head": "tagging", "reading_size": 64, "cells": 2} | settings
    write(tmp_path / "config.json", {"task": FOLDER, "settings": settings, "data": {}})
    write(tmp_path / "decoding.json", decoding)
    write(tmp_path / "best.weights.h5", "")
    check_refusal(run_here(FOLDER, "predict", ["--run", tmp_path, "--output", tmp_path / "a.json"]), words)


# Real files, where they are


@needs(GOLDEN)
def test_real_questions_are_written_and_read(tmp_path):
    examples = task.read(GOLDEN / "gold.json", GOLDEN / "tables.json", labelled=True)
    task.write_submission(tmp_path / "gold.zip", [one.query for one in examples])
    assert task.check_submission(tmp_path / "gold.zip", examples) == len(examples) == 348
    assert task.read_submission(tmp_path / "gold.zip") == [one.query for one in examples]


@pytest.mark.slow(reason="a training; its parts are tested alone")
def test_questions_without_a_condition_are_trained_on_and_answered(tmp_path):
    """TableQA has none, so its judge refuses such a query; a run that has seen some may write it."""
    asked = [question("一共有几个城市", query=sql([(0, 4)], [])), question("票房之和", query=sql([(1, 5)], []))]
    for part in ("train", "dev"):
        write_lines(tmp_path / f"{part}.json", asked * 4)
        write_lines(tmp_path / f"{part}.tables.json", [table()])
    small = "--epochs 60 --layers 1 --hidden-size 16 --reading-size 16 --dropout 0 --ema-momentum 0 --batch-size 8"
    runs = ["--output-dir", tmp_path / "runs"]
    trained = succeeds(run_here(FOLDER, "train", ["--data-dir", tmp_path, *runs, *small.split()]))
    assert "8 without a condition" in trained.out
    output = tmp_path / "submission.json"
    succeeds(run_here(FOLDER, "predict", [*runs, "--input", tmp_path / "dev.json", "--output", output]))
    examples = task.read(tmp_path / "dev.json", tmp_path / "dev.tables.json")
    assert task.read_submission(output) == [example.query for example in examples]
    assert task.check_submission(output, examples, unconditioned=True) == 8
    refused(lambda: task.check_submission(output, examples), f"{output}:1: has no condition")
