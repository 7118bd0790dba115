"""The knowledge base of entity linking: its index built, kept, opened again, and refused when it is not one; and what
measures it."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.command_line import UserError
from common.tokenizers import name_form, normal_name

from competition import ROOT, load
from contests import without

knowledge_base = load("ccks2019_entity_linking", "knowledge_base")
KnowledgeBase = knowledge_base.KnowledgeBase

sys.path.insert(0, str(ROOT / "scripts"))
import benchmark  # noqa: E402


def record(id, subject, alias=(), data=(), types=("Thing",)):
    facts = [{"predicate": predicate, "object": value} for predicate, value in data]
    return {"alias": list(alias), "subject_id": id, "subject": subject, "type": list(types), "data": facts}


RECORDS = [
    record("7", "《云桥往事》", ["云桥往事", "云桥"], [("导演", "周砚"), ("类型", "电影")], ["CreativeWork", "Movie"]),
    record("3", "云桥", ["ＹＱ", " ", "《》", ""], [("摘要", "一座桥。")]),
    record("12", "yq", [], []),
    record("1", "周砚", ["周\ud83d", "周砚"], [("职业", "半个\ud83d字符")]),
]


def write(path, records):
    path.write_text(
        "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records),
        encoding="utf-8",
    )
    return path


def built(folder, records):
    knowledge_base.build_index(write(folder / "kb_data", records), folder / "index.sqlite")
    return KnowledgeBase(folder / "index.sqlite")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return built(tmp_path_factory.mktemp("knowledge_base"), RECORDS)


# What is in it


def test_candidates_in_the_order_of_the_file_in_any_spelling(opened):
    for spelling in ("云桥", "《云桥》", " 云桥　"):
        assert opened.candidates(spelling) == ("7", "3")
    for spelling in ("yq", "YQ", "ｙＱ", "《yq》"):
        assert opened.candidates(spelling) == ("3", "12")
    assert opened.candidates("云桥往事") == ("7",), "named so in two spellings, and a candidate once"
    assert opened.candidates("周\ud83d") == ("1",)
    assert opened.candidates("云") == opened.candidates("") == opened.candidates("《》") == ()


def test_matches_of_all_names(opened):
    assert opened.matches("看《云桥往事》，ＹＱ很美") == [(2, 4, "云桥"), (2, 6, "云桥往事"), (8, 10, "yq")]
    assert opened.matches("") == opened.matches("别的yqs") == []


def test_entities(opened):
    assert opened.entity("7") == knowledge_base.Entity(
        "7", "《云桥往事》", ("《云桥往事》", "云桥往事", "云桥"), ("CreativeWork", "Movie"), "导演：周砚；类型：电影"
    )
    assert opened.entity("3").names == ("云桥", "ＹＱ", "《》")
    assert opened.entity("1").names == ("周砚", "周\ud83d") and opened.entity("1").description == "职业：半个\ud83d字符"
    assert opened.entity("12").description == ""
    assert opened.entity("7", max_length=4).description == "导演：周" and opened.entity("7", 0).description == ""


def test_numbers_of_things(opened):
    assert len(opened) == 4 and opened.name_count == 5
    assert "7" in opened and "12" in opened and "07" not in opened and "nobody" not in opened and "\ud83d" not in opened


def test_whole_numbers_as_ids_become_strings(tmp_path):
    assert built(tmp_path, [record(17, "云桥")]).candidates("云桥") == ("17",)


def test_more_names_than_are_stored_in_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(knowledge_base, "_NAMES_IN_A_ROW", 3)
    names = [f"名{number}" for number in range(10)]
    many = built(tmp_path, [record(name[1:], name) for name in names])
    assert [many.candidates(name) for name in names] == [(name[1:],) for name in names]


NAMES = st.text("云桥aAＡ《》 　\ud83d", max_size=4)
QUIET = [HealthCheck.function_scoped_fixture]


@settings(max_examples=60, suppress_health_check=QUIET)
@given(
    st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=3)), min_size=1, max_size=6),
    st.lists(NAMES, max_size=4).map("".join),
)
def test_against_its_definition(tmp_path, entities, text):
    opened = built(tmp_path, [record(f"e{number}", subject, alias) for number, (subject, alias) in enumerate(entities)])
    ids: dict[str, list[str]] = {}
    for number, (subject, alias) in enumerate(entities):
        for name in {normal_name(spelling) for spelling in (subject, *alias)} - {""}:
            ids.setdefault(name, []).append(f"e{number}")
    assert {name: list(opened.candidates(name)) for name in ids} == ids and opened.name_count == len(ids)
    found = opened.matches(text)
    assert {name for _, _, name in found} <= ids.keys()
    assert all(
        name_form(text)[start:end] == name and opened.candidates(text[start:end]) == tuple(ids[name])
        for start, end, name in found
    )
    for number, (subject, alias) in enumerate(entities):
        entity = opened.entity(f"e{number}")
        assert entity.subject == subject and set(entity.names) == {name for name in (subject, *alias) if name.strip()}


# What has one meaning


def test_an_entity_that_stands_there_twice_is_one(tmp_path):
    again = record(7, "云桥往事", ["ＹＱ往事", "云桥"], [("类型", "电影"), ("年代", "1990")], ["Movie", "Thing"])
    source = write(tmp_path / "kb_data", [*RECORDS, again, again])
    assert knowledge_base.build_index(source, tmp_path / "index.sqlite") == {knowledge_base.MERGED: 2}
    merged = KnowledgeBase(tmp_path / "index.sqlite")
    assert len(merged) == 4 and merged.entity("7") == knowledge_base.Entity(
        "7",
        "《云桥往事》",
        ("《云桥往事》", "云桥往事", "云桥", "ＹＱ往事"),
        ("CreativeWork", "Movie", "Thing"),
        "导演：周砚；类型：电影；年代：1990",
    )
    assert merged.candidates("云桥") == ("7", "3") and merged.candidates("yq往事") == merged.candidates("云桥往事") == (
        "7",
    )


@pytest.mark.parametrize(
    ("changes", "names", "description", "reasons"),
    [
        ({"alias": None}, ("桥",), "", [knowledge_base.NO_ALIAS]),
        ({"alias": "大桥"}, ("桥", "大桥"), "", ['"alias" that is a string, read as a list of one']),
        ({"alias": ["大桥", "长" * 201]}, ("桥", "大桥"), "", [knowledge_base.LONG_NAME]),
        ({"type": "Thing"}, ("桥",), "", ['"type" that is a string, read as a list of one']),
        ({"data": {"长": "九里", "跨": 3}}, ("桥",), "长：九里；跨：3", [knowledge_base.FACTS_BY_PREDICATE, knowledge_base.OTHER_OBJECT]),
        ({"data": [{"predicate": "跨", "object": ["江", 2, 0.5]}]}, ("桥",), "跨：江、2、0.5", [knowledge_base.OTHER_OBJECT]),
    ],
)  # fmt: skip
def test_what_has_one_meaning_is_read_and_counted(tmp_path, capsys, changes, names, description, reasons):
    source = write(tmp_path / "kb_data", [{**record("1", "桥"), **changes}])
    entity = knowledge_base.open_knowledge_base(source, tmp_path / "cache").entity("1")
    assert (entity.names, entity.types, entity.description) == (names, ("Thing",), description)
    assert capsys.readouterr().out.splitlines()[1:] == [f"          1 x {reason}" for reason in sorted(reasons)]


def test_an_absent_alias_and_a_long_subject(tmp_path):
    long = built(tmp_path, [{**record("1", "桥" * 1_000_000), "alias": ["桥"]}, without(record("2", "江"), "alias")])
    assert long.entity("1").names == ("桥",) and long.entity("1").subject == "桥" * 200
    assert long.candidates("江") == ("2",) and long.matches("桥" * 500) == [(at, at + 1, "桥") for at in range(500)]


# Mistakes in the official file


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", ["not JSON"]),
        ("[1]", ["each line must be one JSON object"]),
        *((json.dumps({**record("1", "桥"), key: wrong}), [f'"{key}"', "must be"])
          for key, values in {"subject_id": [1.5], "subject": [None], "alias": [5, [3]], "type": [{}, [None]], "data": ["x", ["x"]]}.items()
          for wrong in values),
        *((json.dumps({name: value for name, value in record("1", "桥").items() if name != key}), [f'"{key}" is missing'])
          for key in ("subject_id", "subject", "type", "data")),
        (json.dumps({**record("1", "桥"), "data": [{"predicate": "长"}]}), ['"object" is missing']),
        *((json.dumps({**record("1", "桥"), "data": [{"predicate": "长", "object": wrong}]}), ['"object"', "string"])
          for wrong in (None, True, {}, [None], [["长"]])),
        (json.dumps(record("7", "桥")), ['subject_id "7" is "桥" here, and "《云桥往事》" in line 1']),
        (json.dumps(record("\ud83d", "桥")), ["half a surrogate pair"]),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path, line, words):
    source = write(tmp_path / "kb_data", [RECORDS[0], "", line])
    with pytest.raises(UserError) as error:
        knowledge_base.build_index(source, tmp_path / "index.sqlite")
    assert str(error.value).startswith(f"{source}:3: ") and all(word in str(error.value) for word in words)
    assert os.listdir(tmp_path) == ["kb_data"], "nothing half-built stays"


@pytest.mark.parametrize("records", [[], [""]])
def test_an_empty_file_is_refused(tmp_path, records):
    with pytest.raises(UserError, match="kb_data: there is nothing in it"):
        built(tmp_path, records)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        knowledge_base.open_knowledge_base(tmp_path / "kb_data", tmp_path)
    with pytest.raises(UserError, match="no such file"):
        KnowledgeBase(tmp_path / "index.sqlite")


def test_where_nothing_can_be_written_is_said(tmp_path, monkeypatch):
    def full(connection, source, lost):
        connection.execute("PRAGMA max_page_count = 1")
        connection.execute("CREATE TABLE one (number)")

    monkeypatch.setattr(knowledge_base, "_fill", full)
    with pytest.raises(UserError, match="is full.* - is there space"):
        built(tmp_path, RECORDS)


# The index as a file


def test_an_index_is_built_once_for_each_content(tmp_path, capsys):
    source = write(tmp_path / "kb_data", RECORDS)
    first = knowledge_base.open_knowledge_base(source, tmp_path / "cache")
    assert capsys.readouterr().out.startswith("index     4 entities with 5 names, built in 0 s")
    modified = first.path.stat().st_mtime_ns
    again = knowledge_base.open_knowledge_base(write(tmp_path / "same", RECORDS), tmp_path / "cache")
    assert again.path == first.path and again.path.stat().st_mtime_ns == modified and capsys.readouterr().out == ""
    other = knowledge_base.open_knowledge_base(write(source, RECORDS[:2]), tmp_path / "cache")
    assert other.path != first.path and len(other) == 2 and len(KnowledgeBase(first.path)) == 4
    assert len(os.listdir(tmp_path / "cache")) == 2


def test_a_run_keeps_its_index(tmp_path, opened):
    folder = tmp_path / "a run #1?"
    folder.mkdir()
    index = tmp_path / "index.sqlite"
    shutil.copyfile(opened.path, index)
    knowledge_base.link_index(index, folder)
    assert (folder / "knowledge_base.sqlite").samefile(index), "no second copy of hundreds of megabytes"
    knowledge_base.link_index(index, folder)
    knowledge_base.build_index(write(tmp_path / "kb_data", RECORDS[:1]), index)
    assert len(KnowledgeBase(folder / "knowledge_base.sqlite")) == 4 and len(KnowledgeBase(index)) == 1


def test_a_copy_where_links_are_impossible(tmp_path, opened, monkeypatch):
    def refuse(*paths):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    knowledge_base.link_index(opened.path, tmp_path)
    assert os.listdir(tmp_path) == ["knowledge_base.sqlite"] and not (tmp_path / "knowledge_base.sqlite").samefile(
        opened.path
    )
    assert KnowledgeBase(tmp_path / "knowledge_base.sqlite").candidates("云桥") == ("7", "3")


def test_opening_changes_nothing(tmp_path, opened):
    shutil.copyfile(opened.path, tmp_path / "index.sqlite")
    (tmp_path / "index.sqlite").chmod(0o444)
    content = (tmp_path / "index.sqlite").read_bytes()
    KnowledgeBase(tmp_path / "index.sqlite").candidates("云桥")
    assert os.listdir(tmp_path) == ["index.sqlite"] and (tmp_path / "index.sqlite").read_bytes() == content


def test_another_file_is_no_index(tmp_path, opened):
    index = tmp_path / "index.sqlite"
    content = opened.path.read_bytes()
    other_version = content[:68] + (int.from_bytes(content[68:72]) + 1).to_bytes(4) + content[72:]
    for wrong in (
        b"",
        b"no database" * 1000,
        content[:50],
        content[: len(content) // 2],
        content[:-4096],
        other_version,
    ):
        index.write_bytes(wrong)
        with pytest.raises(UserError, match="index.sqlite: cannot be read as index .* - delete it"):
            KnowledgeBase(index)


def test_damage_is_never_more_than_a_clear_error(tmp_path, opened):
    """A byte changed anywhere leaves an index that answers, or one line that says what to do; never a traceback, nor a
    crash."""
    index = tmp_path / "index.sqlite"
    content = opened.path.read_bytes()
    refused = 0
    for place in range(16, len(content), 97):
        index.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            damaged = KnowledgeBase(index)
            (
                damaged.matches("云桥往事"),
                len(damaged),
                damaged.candidates("云桥"),
                [damaged.entity(id) for id in ("7", "3", "12", "1")],
            )
        except UserError as error:
            assert "delete it" in str(error)
            refused += 1
    assert refused > 0


SQL = knowledge_base._TABLES["names"]
VIEW = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT i AS first, '[]' AS names FROM n"


@pytest.mark.parametrize(
    "script",
    [
        f"DROP TABLE names; CREATE VIEW names AS {VIEW}",
        f"CREATE VIEW more AS {VIEW}",
        "CREATE TRIGGER more AFTER INSERT ON names BEGIN DELETE FROM entities; END",
        "CREATE INDEX more ON names (length(names))",
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_master VALUES ('table', 'm', 'm', 0, 'CREATE VIRTUAL TABLE m USING n')",
        f"DROP TABLE names; {SQL.replace('names TEXT NOT NULL', 'names TEXT AS (CAST(zeroblob(1000) AS TEXT))')}",
        "DROP TABLE candidates",
        *(f"UPDATE names SET names = '{wrong}'" for wrong in ('5', '"a"', '[]', '{"a": 1}', '[1]', '["a", ["b"]]', '[NaN]', '["a", "a"]', '[""]', '[' * 5000, '', 'x')),
        *(f"UPDATE candidates SET ids = '{wrong}'" for wrong in ('5', '"7"', '[]', '[7]', '[["7"]]', '{"7": 1}', '["no entity"]')),
        *(f"UPDATE entities SET content = '{wrong}'" for wrong in ('5', '[]', '["a", "b", "c", "d"]', '["a", [], [], 5]', '["a", [1], [], ""]', '["a", [], [[]], ""]', '{}')),
    ],
)  # fmt: skip
def test_an_index_of_somebody_elses_is_refused_in_a_line(tmp_path, opened, script):
    index = tmp_path / "index.sqlite"
    shutil.copyfile(opened.path, index)
    with closing(sqlite3.connect(index)) as connection:
        connection.executescript(script)
    with pytest.raises(UserError, match="index.sqlite: cannot be read as index .* - delete it"):
        foreign = KnowledgeBase(index)
        for match in foreign.matches("云桥往事"):
            for id in foreign.candidates(match.name):
                foreign.entity(id)


@pytest.mark.parametrize("length", [1_000_000, 20_000_000])
def test_a_name_without_end_in_an_index_is_in_no_text(tmp_path, opened, length):
    index = tmp_path / "index.sqlite"
    shutil.copyfile(opened.path, index)
    with closing(sqlite3.connect(index)) as connection, connection:
        connection.execute("UPDATE names SET names = ?", (json.dumps(["a" * length, "b"]),))
    if length > knowledge_base._LONGEST_VALUE:
        with pytest.raises(UserError, match="too big"):
            KnowledgeBase(index)
    else:
        assert KnowledgeBase(index).matches("a" * 1000 + "《b》") == [(1001, 1002, "b")]


def test_an_index_has_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(knowledge_base, "_NAMES_IN_A_ROW", 1)
    built(tmp_path, [{**record("1", "桥"), "alias": [f"名{number}" for number in range(2000)]}])
    monkeypatch.setattr(knowledge_base, "_MOST_SECONDS", -1)
    with pytest.raises(UserError, match="interrupted"):
        KnowledgeBase(tmp_path / "index.sqlite")


def test_a_link_is_no_index(tmp_path, opened):
    (tmp_path / "index.sqlite").symlink_to(opened.path)
    with pytest.raises(UserError, match="index.sqlite: is a symbolic link"):
        KnowledgeBase(tmp_path / "index.sqlite")


# What measures it


def test_no_tensorflow_is_needed():
    command = "import knowledge_base, sys; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], cwd=Path(knowledge_base.__file__).parent, check=True)


def test_the_benchmark(capsys):
    figures = benchmark.main(["knowledge-base", "--entities", "300"])
    assert figures["names"] > 300 and figures["matches"] > 1000 and figures["candidates"] >= figures["matches"]
    assert 0 < figures["open_index_seconds"] < 2 and 0 < figures["candidates_seconds"] < 20
    assert 10_000_000 < figures["open_bytes"] < 400_000_000 and figures["build_bytes"] < 1_500_000_000
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and "180" in lines[2] and lines[2].startswith("build")
