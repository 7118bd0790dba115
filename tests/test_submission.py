import json
import os
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from common import submission
from common.command_line import UserError
from common.submission import (
    atomic_path,
    atomic_write,
    check_output,
    field,
    find_file,
    json_bytes,
    read_json_lines,
    read_lines,
    valid_or_empty,
    write_json_lines,
    wrong_kind,
)

# Two separate halves that happen to meet are one character to JSON, and Python alone can tell the difference.
HALVES = strategies.characters(min_codepoint=0xDC00, max_codepoint=0xDFFF, categories=["Cs"])
TEXT = strategies.text(strategies.one_of(strategies.characters(exclude_categories=["Cs"]), HALVES))
JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-(2**70), 2**70)
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)


def write(path, data):
    path.write_bytes(data)
    return path


def test_the_first_name_that_is_a_file_is_found(tmp_path):
    (tmp_path / "first.json").mkdir()
    (tmp_path / "second").mkdir()
    write(tmp_path / "third.json", b"")
    names = ["first.json", "second/first.json", "third.json"]
    assert find_file(tmp_path, "train", names, "expected a tree") == tmp_path / "third.json"
    assert find_file(tmp_path, "train", ["./third.json"], "") == tmp_path / "third.json"
    write(tmp_path / "second" / "first.json", b"")
    assert find_file(tmp_path, "train", names, "expected a tree") == tmp_path / "second" / "first.json"
    with pytest.raises(UserError, match="^/.*: no train file - expected a tree$"):
        find_file(tmp_path, "train", ["fourth.json"], "expected a tree")
    with pytest.raises(UserError, match="none: no such folder - expected a tree$"):
        find_file(tmp_path / "none", "train", names, "expected a tree")


def test_an_optional_file_may_be_missing_but_not_its_folder(tmp_path):
    assert find_file(tmp_path, "dev", ["dev.json"], "expected a tree", optional=True) is None
    path = write(tmp_path / "dev.json", b"")
    assert find_file(tmp_path, "dev", ["dev.json"], "expected a tree", optional=True) == path
    with pytest.raises(UserError, match="none: no such folder - expected a tree$"):
        find_file(tmp_path / "none", "dev", ["dev.json"], "expected a tree", optional=True)


def refused(path, *words, read=read_json_lines):
    """Reading `path` gives a one-line error that names the file and holds the words."""
    with pytest.raises(UserError) as error:
        list(read(path))
    message = str(error.value)
    assert message.startswith(str(path)) and "\n" not in message
    for word in words:
        assert word in message
    return message


# Reading


def test_lines_have_their_numbers_and_blank_ones_are_counted(tmp_path):
    path = write(tmp_path / "a.txt", "一\n\n \t\n二\n\n".encode())
    skipped = Counter()
    assert list(read_lines(path, skipped)) == [(1, "一"), (4, "二")]
    assert skipped == {"blank line": 3}
    assert list(read_lines(str(path))) == [(1, "一"), (4, "二")]


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    path = write(tmp_path / "a.txt", "\ufeff一\r\n\r\n二\r\n三\r".encode())
    assert list(read_lines(path)) == [(1, "一"), (3, "二"), (4, "三")]
    assert list(read_json_lines(write(tmp_path / "a.json", '\ufeff{"a": 1}\r\n{"a": 2}'.encode()))) == [
        (1, {"a": 1}),
        (2, {"a": 2}),
    ]


@pytest.mark.parametrize(
    "character", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1e", "\r", "\ufeff", "\x00"]
)
def test_nothing_else_ends_a_line_or_gets_lost(tmp_path, character):
    path = write(tmp_path / "a.txt", f"一{character}二\n三\n".encode())
    assert list(read_lines(path)) == [(1, f"一{character}二"), (2, "三")]


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file_is_refused(tmp_path, data):
    refused(write(tmp_path / "a", data), "nothing in it")


def test_other_encodings_are_refused_with_the_line(tmp_path):
    refused(write(tmp_path / "a.json", '{"a": 1}\n{"a": "中文"}\n'.encode("gbk")), "a.json:2:", "UTF-8")
    refused(write(tmp_path / "b.json", '{"a": 1}\n'.encode("utf-16")), "b.json:1:", "UTF-8")


def test_missing_file_and_folder(tmp_path):
    refused(tmp_path / "none.json", "no such file")
    refused(tmp_path, "folder")


@pytest.mark.parametrize("line", ['{"a": 1', "{'a': 1}", '{"a": 1} {"b": 2}', "中文", '{"a": "\x00"}', "nul"])
def test_broken_json_is_named_by_line(tmp_path, line):
    refused(write(tmp_path / "a.json", f'{{"a": 1}}\n\n{line}\n'.encode()), "a.json:3:", "not JSON", "each line")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("[1]", "a list"),
        ('"x"', "a string"),
        ("1", "a whole number"),
        ("1.5", "a number"),
        ("true", "true or false"),
        ("null", "null"),
    ],
)
def test_a_line_must_be_an_object(tmp_path, line, name):
    refused(write(tmp_path / "a.json", f"{line}\n".encode()), "a.json:1:", name, "object")


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 10_000 + "}"])
def test_monstrous_json_is_refused_too(tmp_path, line):
    refused(write(tmp_path / "a.json", line.encode()), "a.json:1:")


def test_what_pythons_reader_tolerates_is_tolerated(tmp_path):
    path = write(tmp_path / "a.json", b'{"a": 1, "a": 2, "b": NaN, "c": "\\ud83d"}')
    ((_, record),) = read_json_lines(path)
    assert record["a"] == 2 and record["b"] != record["b"] and record["c"] == "\ud83d"


# Fields


def test_field_gives_what_it_checked():
    record = {"a": "x", "n": 3, "f": 1.5, "l": [], "o": {}, "b": True, "z": None}
    assert field(record, "a", str, "f:1") == "x"
    assert field(record, "n", (int, float), "f:1") == 3
    assert field(record, "f", (int, float), "f:1") == 1.5
    assert field(record, "b", bool, "f:1") is True
    assert field(record, "l", list, "f:1") == [] and field(record, "o", (dict, str), "f:1") == {}


@pytest.mark.parametrize(
    ("key", "kind", "words"),
    [
        ("gone", str, ["missing", "a string"]),
        ("n", str, ["a whole number", "a string"]),
        ("z", (dict, str), ["null", "an object or a string"]),
        ("b", int, ["true or false", "a whole number"]),
        ("l", dict, ["a list", "an object"]),
    ],
)
def test_field_says_where_and_what_is_wrong(key, kind, words):
    record = {"n": 3, "l": [], "b": True, "z": None}
    with pytest.raises(UserError) as error:
        field(record, key, kind, "dev.json:7")
    for word in ["dev.json:7: ", f'"{key}"', *words]:
        assert word in str(error.value)


def test_wrong_kind_says_what_a_value_is_and_must_be():
    assert wrong_kind("x", (str,)) is wrong_kind(None, (str, type(None))) is wrong_kind(True, (bool,)) is None
    assert wrong_kind(True, (int, float)) == "true or false - it must be a whole number or a number"


# Writing


@settings(max_examples=50)
@given(
    strategies.lists(strategies.dictionaries(TEXT, JSON, max_size=4), min_size=1, max_size=5),
    strategies.sampled_from(["a.json", "a.zip", "a.json.gz"]),
)
def test_what_is_written_is_read_again(tmp_path_factory, records, name):
    path = tmp_path_factory.mktemp("again") / name
    write_json_lines(path, records)
    assert [record for _, record in read_json_lines(path)] == records
    assert os.listdir(path.parent) == [name]


def test_chinese_stays_readable_and_half_a_pair_stays_an_escape(tmp_path):
    path = tmp_path / "a.json"
    write_json_lines(path, [{"文": "中😀\u2028\ud83d"}, {}])
    assert path.read_bytes() == '{"文": "中😀\u2028\\ud83d"}\n{}\n'.encode()


def test_the_zip_is_flat_and_always_the_same(tmp_path):
    for name in ("结果.zip", "结果.json.zip"):
        write_json_lines(tmp_path / name, [{"a": 1}])
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert archive.namelist() == ["结果.json"] and archive.read("结果.json") == b'{"a": 1}\n'
            assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
    assert (tmp_path / "结果.zip").read_bytes() == (tmp_path / "结果.json.zip").read_bytes()


def test_lines_are_written_as_they_are(tmp_path):
    for name in ("a.tsv", "a.ZIP", "a.tsv.zip"):
        submission.write_lines(tmp_path / name, [b"1\t\xff", b""], ".tsv")
    assert (tmp_path / "a.tsv").read_bytes() == b"1\t\xff\n\n"
    for name in ("a.ZIP", "a.tsv.zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert archive.namelist() == ["a.tsv"] and archive.read("a.tsv") == b"1\t\xff\n\n"


@pytest.mark.parametrize("name", ["a.json", "a.zip"])
def test_a_failure_midway_leaves_the_old_file(tmp_path, name):
    path = tmp_path / name
    write_json_lines(path, [{"old": True}])

    def records():
        yield {"new": True}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_json_lines(path, records())
    assert list(read_json_lines(path)) == [(1, {"old": True})]
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("value", [Decimal(1), {1, 2}, b"x", object()])
def test_what_json_does_not_know_is_refused(tmp_path, value):
    with pytest.raises(TypeError, match="Python's own"):
        write_json_lines(tmp_path / "a.json", [{"a": value}])
    assert os.listdir(tmp_path) == []


def test_numpy_integers_are_refused():
    numpy = pytest.importorskip("numpy")
    for value in (numpy.int64(1), numpy.array([1]), numpy.bool_(True), {numpy.int64(1): 1}):
        with pytest.raises(TypeError, match="Python's own"):
            json_bytes(value)


def test_nan_is_not_json():
    with pytest.raises(ValueError):
        json_bytes(float("nan"))


def test_indented_json_keeps_half_a_pair():
    assert json.loads(json_bytes({"a": ["\udc00"]}, indent=2)) == {"a": ["\udc00"]}


def test_atomic_write_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "deep" / "down" / "a.txt"
    atomic_write(path, "旧的, much longer than the new one")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["a.txt"]


def test_atomic_path_keeps_the_ending_and_the_folder(tmp_path):
    with atomic_path(tmp_path / "best.weights.h5") as temporary:
        assert temporary.parent == tmp_path and temporary.name.endswith("best.weights.h5")
        assert temporary.name.startswith(submission.TEMPORARY_PREFIX)
        temporary.write_bytes(b"x")
        assert not (tmp_path / "best.weights.h5").exists()
    assert os.listdir(tmp_path) == ["best.weights.h5"]


def test_atomic_path_cleans_up_when_the_block_fails(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "old"


def test_a_symbolic_link_keeps_pointing(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    atomic_write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "new"


def test_folders_and_devices_are_never_replaced(tmp_path):
    for write_there in (check_output, lambda path: atomic_write(path, "x")):
        for path in (tmp_path, "/dev/null"):
            with pytest.raises(UserError, match="name of a file"):
                write_there(path)


def test_a_place_where_nothing_can_be_written_is_told_before_the_work(tmp_path):
    check_output(tmp_path / "not" / "there" / "yet.json")
    assert os.listdir(tmp_path) == []
    for path in (tmp_path / "plain" / "a.json", Path("/proc/a.json")):  # a file as folder; nobody may write there
        write(tmp_path / "plain", b"")
        with pytest.raises(UserError, match=f"^{path}: cannot be written .* - give another place$"):
            check_output(path)


def test_a_prediction_that_breaks_a_rule_costs_no_other(capsys):
    def check(prediction, number):
        if len(prediction) > 3:
            raise UserError(f"title {number}: too long")

    assert valid_or_empty(["ab", "abcd", "abc", "abcde"], check, "") == ["ab", "", "abc", ""]
    assert "2 of 4 predictions break a rule and are left empty: title 2: too long" in capsys.readouterr().err
    assert valid_or_empty(["ab"], check, "") == ["ab"]
    assert capsys.readouterr().err == ""


def test_a_new_file_has_the_usual_permissions(tmp_path):
    atomic_write(tmp_path / "ours", "x")
    with open(tmp_path / "plain", "w"):
        pass
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_data_is_on_disk_before_the_name_is(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(
        submission, "_force_to_disk", lambda path: order.append("folder" if path == tmp_path else "file")
    )
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *paths: (order.append("rename"), replace(*paths)))
    atomic_write(tmp_path / "a", "x")
    assert order == ["file", "rename", "folder"]
