import json
import os
import threading
import zipfile
from collections import Counter

import pytest
from hypothesis import given, settings, strategies

from common.command_line import UserError
from common.json_document import copy_records, read_json_document, read_json_records
from common.submission import BLANK_LINE, too_deep

TEXT = strategies.text(max_size=4)
JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats(allow_nan=False) | TEXT,
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)

PRETTY = """\
{
  "version": "一",
  "data": [
    {"name": "甲\\n甲"},
    {
      "name": "乙",
      "size": 5,
      "parts": [
        1,
        "二 }]"
      ]
    }
  ]
}
"""


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def refused(call, start, *words):
    with pytest.raises(UserError) as error:
        call()
    message = str(error.value)
    assert message.startswith(str(start)) and "\n" not in message
    for word in words:
        assert word in message


def elements(value, keys=()):
    """Every value inside `value`, with the keys that lead there."""
    yield keys, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from elements(inner, (*keys, key))


# Reading


def test_the_values_and_where_they_stand(tmp_path):
    path = write(tmp_path / "dev.json", PRETTY)
    root = read_json_document(path)
    assert root.value == json.loads(PRETTY)
    second = list(root.field("data", list).items(dict))[1]
    assert second.field("name", str).value == "乙"
    assert [part.value for part in second.field("parts", list).items((int, str))] == [1, "二 }]"]
    assert root.where() == f"{path}:1"
    assert root.where("data", 0) == f"{path}:4: data[0]"
    assert second.where() == f"{path}:5: data[1]"
    assert root.where("data", 0, "name", "none", 3) == f"{path}:4: data[0].name.none[3]"
    assert second.where("parts", 1) == second.field("parts", list).where(1) == f"{path}:10: data[1].parts[1]"


def test_names_that_are_no_words_stand_in_quotes(tmp_path):
    path = write(tmp_path / "a.json", '{"6-12 周": {"名": 1}, "": 2}')
    assert read_json_document(path).where("6-12 周", "名") == f'{path}:1: ["6-12 周"].名'
    assert read_json_document(path).where("") == f'{path}:1: [""]'


def test_a_wrong_field_is_named_with_its_line_and_a_missing_one_with_that_of_its_object(tmp_path):
    path = write(tmp_path / "dev.json", PRETTY)
    root = read_json_document(path)
    first, second = root.field("data", list).items(dict)
    refused(lambda: second.field("size", str), f"{path}:7: data[1]: ", '"size" is a whole number', "a string")
    refused(lambda: first.field("size", int), f"{path}:4: data[0]: ", '"size" is missing', "a whole number")
    refused(lambda: root.field("datum", list), f'{path}:1: "datum" is missing')
    refused(
        lambda: list(second.field("parts", list).items(str)), f"{path}:9: data[1].parts[0]: a whole number", "a string"
    )


def test_true_is_not_a_number(tmp_path):
    (element,) = read_json_document(write(tmp_path / "a.json", '{"a": [true]}')).field("a", list).items(bool)
    assert element.value is True
    root = read_json_document(write(tmp_path / "b.json", '{"a": [1,\n true]}'))
    refused(lambda: list(root.field("a", list).items(int)), f"{tmp_path}/b.json:2: a[1]: true or false")


def test_the_root_may_be_a_list_where_that_is_wanted(tmp_path):
    path = write(tmp_path / "a.json", '[{"a": 1},\n {"b": 2}]')
    refused(lambda: read_json_document(path), f"{path}:1: a list", "an object")
    assert [item.where() for item in read_json_document(path, list).items(dict)] == [f"{path}:1: [0]", f"{path}:2: [1]"]
    assert read_json_document(path, (dict, list)).value == [{"a": 1}, {"b": 2}]


@settings(max_examples=150)
@given(JSON, strategies.sampled_from([None, 0, 1, "\r\n"]))
def test_every_value_is_found_at_its_line(tmp_path_factory, value, indent):
    """A mark in the place of a value stands on the line that is told for the value."""
    path = tmp_path_factory.mktemp("json") / "a.json"
    text = json.dumps({"root": value}, ensure_ascii=False, indent=indent)
    root = read_json_document(write(path, text))
    assert root.value == {"root": value}
    for keys, inner in list(elements({"root": value}))[1:]:
        marked = json.loads(text)
        *above, last = keys
        holder = marked
        for key in above:
            holder = holder[key]
        holder[last] = "\uffffMARK"
        lines = json.dumps(marked, ensure_ascii=False, indent=indent).split("\n")
        (number,) = (number for number, line in enumerate(lines, start=1) if "\uffffMARK" in line)
        assert root.where(*keys).startswith(f"{path}:{number}: ")


def test_of_a_repeated_key_the_last_counts(tmp_path):
    path = write(tmp_path / "a.json", '{"a": 1,\n"b": {"c": 0,\n "c": 0},\n"a": 2,\n"a": "3"}')
    repeated = Counter()
    root = read_json_document(path, repeated=repeated)
    assert root.value == {"a": "3", "b": {"c": 0}} and list(root.value) == ["a", "b"]
    assert repeated == {"a": 2, "c": 1}
    assert root.where("a") == f"{path}:5: a" and root.where("b", "c") == f"{path}:3: b.c"
    assert read_json_document(path).value == root.value


def test_a_byte_order_mark_and_windows_line_ends(tmp_path):
    path = write(tmp_path / "a.json", b"\xef\xbb\xbf" + PRETTY.replace("\n", "\r\n").encode())
    assert read_json_document(path).value == json.loads(PRETTY)
    assert read_json_document(path).where("data", 1) == f"{path}:5: data[1]"


def test_what_pythons_reader_tolerates_is_tolerated(tmp_path):
    root = read_json_document(write(tmp_path / "a.json", '{"a": NaN, "b": "\\ud83d\u2028\u0085",\n"c": 1}'))
    assert root.value["a"] != root.value["a"] and root.value["b"] == "\ud83d\u2028\u0085"
    assert root.where("c").endswith("a.json:2: c")


def test_out_of_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.json", '{\n"a": 1}')
    assert read_json_document(tmp_path / "a.zip").where("a") == f"{tmp_path}/a.zip:2: a"
    write(tmp_path / "b.zip", b"no zip")
    refused(lambda: read_json_document(tmp_path / "b.zip"), tmp_path / "b.zip", "zip")


# Files that are refused


def test_missing_file_and_folder(tmp_path):
    refused(lambda: read_json_document(tmp_path / "none.json"), tmp_path / "none.json", "no such file")
    refused(lambda: read_json_document(tmp_path), tmp_path, "folder")


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b'{"a": 1,\n"b": 2,\n"c"}', 3, "not JSON"),
        (b'{"a":\n 1}\n{"a": 2}\n', 3, "Extra data"),
        (b'{"a":\n "cut off', 2, "Unterminated"),
        ('{"a": 1,\n "b": "中文"}'.encode("gbk"), 2, "UTF-8"),
        ('\ufeff{"a": 1,\n "b": "中文"}'.encode("utf-16"), 1, "UTF-8"),
        (b'{"a":\n "x\0"}', 2, "not JSON"),
        (b'{"a":\n ' + b"[" * 100_000, 2, "too deep"),
        (b'{"a":\n' + b"[" * 100_000 + b',\n{"b": []}]}', 2, "too deep"),
        (b'{"a": "[[[[",\n"b":\n ' + b'{"a":' * 100_000, 3, "too deep"),
        (b'{"a": "\\"[\\\\",\n"b":\n ' + b"[" * 50_000 + b"]" * 50_000 + b',\n"c": ["cut off', 3, "too deep"),
        (b'{"a":\n ' + b"[" * 101 + b"]" * 101 + b"}", 2, "too deep"),  # Python can read it, and not show it
        (b"5", 1, "a whole number"),
        (b'\n"x"', 2, "a string"),
        (b"null", 1, "null"),
    ],
)
def test_broken_json_is_named_by_line(tmp_path, data, line, word):
    path = write(tmp_path / "a.json", data)
    refused(lambda: read_json_document(path), f"{path}:{line}: ", word, " - ")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf "])
def test_an_empty_document_is_refused(tmp_path, content):
    path = write(tmp_path / "a.json", content)
    refused(lambda: read_json_document(path), f"{path}: ", "nothing in it")


@pytest.mark.parametrize("content", ['{"a": 1}\n\n{"a": 2}\n', '\n[{"a": 1},\n{"a": 2}]'])
def test_records_are_read_once_as_from_a_pipe(tmp_path, content):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(content,))
    writer.start()
    assert [one.value for one in read_json_records(path)] == [{"a": 1}, {"a": 2}]
    writer.join()


def test_a_number_of_thousands_of_digits_is_read_but_is_no_whole_number(tmp_path):
    path = write(tmp_path / "a.json", '{"other": 1,\n"a": ' + "9" * 10_000 + "}")
    root = read_json_document(path)
    assert root.field("other", int).value == 1
    refused(lambda: root.field("a", int), f"{path}:2: ", '"a" is a number')


def test_no_text_takes_long():
    assert too_deep('"' + '\\"' * 200_000 + "[" * 300) is None
    assert too_deep("[]" * 200_000 + "[" * 300) == 400_100


# A list of objects, or one on each line


def test_records_know_their_line(tmp_path):
    records = [{"a": {"b": [1, "二\n"]}}, {}, {"a": "\u2028]"}]
    skipped = Counter()
    path = write(
        tmp_path / "a.json", "\ufeff\n" + "\n \n".join(json.dumps(record, ensure_ascii=False) for record in records)
    )
    assert [(one.value, one.line) for one in read_json_records(path, skipped)] == list(zip(records, [2, 4, 6]))
    assert skipped == {BLANK_LINE: 3}
    spread = write(tmp_path / "a.json", "\ufeff\n \n" + json.dumps(records, indent=1))
    found = list(read_json_records(spread))
    assert [(one.value, one.line) for one in found] == list(zip(records, [4, 12, 13]))
    assert found[0].where() == f"{spread}:4: [0]"
    assert found[0].field("a", dict).field("b", list).where(1) == f"{spread}:8: [0].a.b[1]"
    refused(lambda: found[2].field("a", int), f"{spread}:14: [2]: ", '"a" is a string')


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", "[]", "\n [ ]"])
def test_a_file_without_records_is_refused(tmp_path, content):
    path = write(tmp_path / "a.json", content)
    refused(lambda: list(read_json_records(path)), f"{path}: there is nothing in it")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('{"a": 1}\n[]', 2, ["a list - each line must be one JSON object"]),
        ('{"a": 1}\n\n{"a"', 3, ["not JSON"]),
        ('{"a":\n1}', 1, ["not JSON"]),
        ('[{"a": 1},\n[]]', 2, ["[1]: a list - it must be an object"]),
        ('[{"a": 1},\n', 1, ["not JSON", "one whole JSON value"]),
        ('[{"a": 1}]\n[{"a": 1}]', 2, ["not JSON"]),
        ("5", 1, ["a whole number"]),
        (b"\n\xff", 2, ["not UTF-8"]),
    ],
)
def test_what_is_neither_is_refused(tmp_path, content, line, words):
    path = write(tmp_path / "a.json", content)
    refused(lambda: list(read_json_records(path)), f"{path}:{line}: ", *words)


@settings(max_examples=60)
@given(
    strategies.lists(strategies.dictionaries(TEXT, JSON, max_size=3), min_size=1, max_size=4),
    strategies.sampled_from([None, 0, 2]),
)
def test_a_list_and_lines_have_the_same_records(tmp_path_factory, records, indent):
    folder = tmp_path_factory.mktemp("records")
    whole = write(folder / "list.json", json.dumps(records, indent=indent))
    lines = write(folder / "lines.json", "".join(json.dumps(record) + "\n" for record in records))
    assert [one.value for one in read_json_records(lines)] == [one.value for one in read_json_records(whole)] == records
    text = whole.read_text().split("\n")
    for one in read_json_records(whole):
        assert one.text.split("\n")[0] in text[one.line - 1]
        assert one.where() == read_json_document(whole, list).where(int(one.name[1:-1]))


@settings(max_examples=60)
@given(
    strategies.lists(strategies.dictionaries(TEXT, JSON, max_size=3), min_size=1, max_size=6),
    strategies.sampled_from([None, 0, 2]),
    strategies.booleans(),
)
def test_records_are_copied_onto_lines(tmp_path_factory, records, indent, windows):
    folder = tmp_path_factory.mktemp("copies")
    whole = json.dumps(records, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace")
    whole = whole.replace(b"\n", b"\r\n") if windows else whole
    lines = "".join(json.dumps(record) + "\n\n" for record in records)
    for source in (write(folder / "list.json", whole), write(folder / "lines.json", lines)):
        copy_records(
            source, folder / "copy.json", lambda place, record: place % 2 == 0 and record.value == records[place]
        )
        assert [one.value for one in read_json_records(folder / "copy.json")] == records[::2]
        assert (folder / "copy.json").read_bytes().count(b"\n") == len(records[::2])


def test_a_copied_record_stays_as_it_was_written(tmp_path):
    lines = '{"a":  1.50,\t"b": "\\ud83d\u2028", "c": NaN, "c": 2}\r\n\n{}'
    copy_records(write(tmp_path / "a.json", lines), tmp_path / "b.json", lambda place, record: "a" in record.value)
    assert (tmp_path / "b.json").read_bytes() == lines.split("\r")[0].encode() + b"\n"
