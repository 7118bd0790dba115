"""Indices of a knowledge base as they might lie in somebody's run: wrong JSON in their rows, views and triggers in the
place of tables, damaged pages, files of another kind."""

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType

import competition
from battery import Part, Tally, contents
from battery.mutations import any_value, mutated_bytes, mutated_value
from contests import ENTITY_LINKING
from workshop import Workshop, sample_of

#: The tables with their columns of JSON.
COLUMNS = {"entities": "content", "candidates": "ids", "names": "names"}


class Indices(Part):
    """An index must be opened and asked, or refused; and nothing but itself is written or read."""

    seconds = 25.0  # the index itself stops after 20

    def __init__(self, folder: Path, workshop: Workshop):
        self.module = competition.load(ENTITY_LINKING.folder, "knowledge_base")
        folder.mkdir()
        source = folder / "kb_data"
        lines = (sample_of(ENTITY_LINKING) / "kb_data").read_bytes().splitlines(keepends=True)
        source.write_bytes(b"".join(lines[:60]))
        self.module.build_index(source, folder / "good.sqlite")
        self.good = (folder / "good.sqlite").read_bytes()
        self.text = "".join(json.loads(line)["subject"] for line in lines[:60])
        self.folder = folder

    def attempt(self, generator: Random, tally: Tally) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            self.attempt_in(Path(folder), generator, tally)

    def attempt_in(self, folder: Path, generator: Random, tally: Tally) -> None:
        index = folder / "index.sqlite"
        index.write_bytes(self.good)
        change = generator.choice((_change_rows, _change_rows, _change_names, _change_schema, _damage, _replace_file))
        change(index, generator)
        before = contents(folder)
        what = change.__name__.strip("_")
        tally.call(what, lambda: asked(self.module, index, self.text), index)
        if contents(folder) != before:
            tally.fault(what, "the index, or a file beside it, was written")


def asked(module: ModuleType, index: Path, text: str) -> object:
    """All that predict.py wants of an index."""
    opened = module.KnowledgeBase(index)
    candidates = [opened.candidates(match.name) for match in opened.matches(text)[:100]]
    entities = [opened.entity(one, 64) for found in candidates for one in found[:5]]
    return len(opened), opened.name_count, "1" in opened, entities


def _execute(index: Path, *statements: tuple) -> None:
    """Each statement with its values; those that sqlite itself refuses change nothing."""
    connection = sqlite3.connect(index)
    try:
        for statement, *values in statements:
            with contextlib.suppress(sqlite3.Error):
                connection.execute(statement, values)
        connection.commit()
    finally:
        connection.close()


def _change_rows(index: Path, generator: Random) -> None:
    """One row of a table holds something else."""
    table, column = generator.choice(list(COLUMNS.items()))
    connection = sqlite3.connect(index)
    rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
    connection.close()
    row, content = generator.choice(rows)
    value: object = json.dumps(mutated_value(json.loads(content), generator))
    others = (b"\xff\xfe", 7, 0.5, "", "[" * 100_000, "[" * 100_000 + "]" * 100_000, mutated_bytes(b'["1"]', generator))
    if generator.random() < 0.3:
        value = generator.choice(others)
    statement = generator.choice(
        (
            *(f"UPDATE {table} SET {column} = ? WHERE rowid = {row}",) * 3,
            f"UPDATE {table} SET {column} = ?",
            f"DELETE FROM {table} WHERE rowid = {row} OR {column} = ?",
            f"DELETE FROM {table} WHERE {column} != ?",
            f"UPDATE {table} SET rowid = rowid + 1000000000000 WHERE {column} != ?",
        )
    )
    _execute(index, (statement, value))


def _change_names(index: Path, generator: Random) -> None:
    """Names that are too many, too long, too much alike, or none."""
    names = generator.choice(
        (
            *(["a" * 100_000], ["a" * length for length in range(1, 2000)], ["《" * 50_000], [""], ["\0"], ["\ud83d"]),
            *(["同", "同"], [" 名 "], ["ＡＢ"], [str(number) for number in range(100_000)], [], ["😭" * 200]),
            *(any_value(["北京"], generator), [any_value("北京", generator)]),
        )
    )
    rows = generator.choice((1, 1, 50))
    _execute(
        index,
        ("DELETE FROM names",),
        *(("INSERT INTO names VALUES (?, ?)", number, json.dumps(names)) for number in range(rows)),
    )


_ENDLESS = "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c)"
_VIEWS = (
    f"{_ENDLESS} SELECT i, '[\"a' || i || '\"]', '[]' FROM c",
    f"{_ENDLESS} SELECT 1, count(*), 1 FROM c",
    "SELECT 1, hex(zeroblob(400000000)), 1",
    "SELECT 1, load_extension('evil'), 1",
    "SELECT 1, (SELECT group_concat(name) FROM pragma_database_list), 1",
    "SELECT a.rowid, b.content, c.id FROM entities a, entities b, entities c, entities d, entities e",
)


def _change_schema(index: Path, generator: Random) -> None:
    """Something else in the place of a table, or more than belongs there."""
    table, column = generator.choice(list(COLUMNS.items()))
    first = {"entities": "line", "candidates": "name", "names": "first"}[table]
    columns = f"{first}, {column}, id"
    replaced = [(f"DROP TABLE {table}",), (f"CREATE VIEW {table}({columns}) AS {generator.choice(_VIEWS)}",)]
    changes = (
        replaced,
        replaced,
        [(f"ALTER TABLE {table} RENAME TO other",), (f"CREATE VIEW {table} AS SELECT * FROM other",)],
        [(f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END",)],
        [(f"CREATE INDEX i ON {table}(length({column}))",)],
        [(f"CREATE TABLE more AS {_VIEWS[-1]} LIMIT 9",)],
        [(f"DROP TABLE {table}",), (f"CREATE VIRTUAL TABLE {table} USING fts5({column})",)],
        [(f"DROP TABLE {table}",), (f"CREATE TABLE {table}({first}, {column} AS (hex(zeroblob(99999999))), id)",)],
        [(f"DROP TABLE {table}",)],
        [("PRAGMA application_id = 7",)],
        [("PRAGMA writable_schema = ON",), ("UPDATE sqlite_master SET sql = ? || sql", "CREATE TABLE x(y); ")],
        [("PRAGMA writable_schema = ON",), ("UPDATE sqlite_master SET rootpage = ?", generator.randrange(12))],
        [("PRAGMA writable_schema = ON",), ("UPDATE sqlite_master SET type = ?", "view")],
        [("PRAGMA journal_mode = WAL",)],
        [("PRAGMA encoding = 'UTF-16'",), ("VACUUM",)],
    )
    _execute(index, *generator.choice(changes))


def _damage(index: Path, generator: Random) -> None:
    """Other bytes, anywhere or in the header, or in the first bytes of a page."""
    data = bytearray(index.read_bytes())
    kind = generator.randrange(3)
    if kind == 0:
        data = mutated_bytes(bytes(data), generator)
    for _ in range(generator.choice((1, 3, 20)) if kind else 0):
        page = 0 if kind == 1 else 4096 * generator.randrange(len(data) // 4096)
        data[page + generator.randrange(100)] = generator.randrange(256)
    index.write_bytes(data)


def _replace_file(index: Path, generator: Random) -> None:
    """A file that is no index at all, a link, or files beside it that sqlite knows."""

    def link() -> None:
        index.rename(index.with_name("outside.sqlite"))
        index.symlink_to("outside.sqlite")

    changes: tuple[Callable[[], object], ...] = (
        lambda: index.write_bytes(b""),
        lambda: index.write_bytes(b"SQLite format 3\0" + b"\0" * 5000),
        lambda: index.write_bytes(generator.randbytes(5000)),
        lambda: index.with_name("index.sqlite-wal").write_bytes(generator.randbytes(5000)),
        lambda: index.with_name("index.sqlite-journal").write_bytes(generator.randbytes(5000)),
        lambda: index.write_bytes(index.read_bytes() * 2),
        lambda: index.unlink(),
        link,
    )
    generator.choice(changes)()
