"""Files that are one JSON value, or a list of objects that may as well stand on a line each.

Their values know where they stand, so that every error names file and line.
"""

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.submission import (
    all_lines,
    empty_file,
    field,
    json_object,
    non_blank,
    read_bytes,
    too_deep,
    write_lines,
    wrong_kind,
)

_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, eq=False)
class JsonElement:
    """A value of a JSON file. `keys` lead to it from the root: a name into an object, a number (from 0) into a list.

    `text` is the JSON of the root, which begins on `line` of the file and is called `name` where it is not the whole of
    it.
    """

    value: Any
    path: str | Path
    text: str
    keys: tuple[str | int, ...] = ()
    line: int = 1
    name: str = ""

    def field(self, key: str, kind: type | tuple[type, ...]) -> "JsonElement":
        """The value under `key` of this object; UserError, as from `submission.field`, when it is missing or no
        `kind`."""
        keys = (*self.keys, key)
        where = _Where(lambda: self._shown(keys, self.keys))
        return self._inner(field(self.value, key, kind, where), keys)

    def items(self, kind: type | tuple[type, ...]) -> Iterator["JsonElement"]:
        """The elements of this list, in order; UserError for the first that is no `kind`."""
        for number, value in enumerate(self.value):
            yield self._inner(value, (*self.keys, number)).checked(kind)

    def checked(self, kind: type | tuple[type, ...]) -> "JsonElement":
        """This element; UserError when it is no `kind`."""
        complaint = wrong_kind(self.value, kind if isinstance(kind, tuple) else (kind,))
        if complaint:
            raise UserError(f"{self.where()}: {complaint}")
        return self

    def where(self, *keys: str | int) -> str:
        """`dev.json:17: data[0].paragraphs[3]`: the line on which the value under `keys`, from here, begins.

        For what is missing it is the line of that in which it is missing. Finding it reads the text once more: for
        messages only.
        """
        return self._shown((*self.keys, *keys), (*self.keys, *keys))

    def _inner(self, value: Any, keys: tuple[str | int, ...]) -> "JsonElement":
        return JsonElement(value, self.path, self.text, keys, self.line, self.name)

    def _shown(self, keys: tuple[str | int, ...], named: tuple[str | int, ...]) -> str:
        """The line of one element, and the name of another (that of the object, where a field of it is wrong)."""
        line = self.line + self.text.count("\n", 0, _position(self.text, keys))
        name = (self.name + "".join(map(_step, named))).removeprefix(".")
        return f"{self.path}:{line}: {name}" if name else f"{self.path}:{line}"


def read_json_document(
    path: str | Path, kind: type | tuple[type, ...] = dict, repeated: Counter[str] | None = None
) -> JsonElement:
    """The root of a UTF-8 file (or of the only one in a `.zip`) that is one JSON value, an object unless `kind` says
    otherwise.

    Of a key that stands twice in an object the last one counts, and NaN is read, as Python's own reader (and so the
    organisers') does; `repeated` counts how often one stands again. A byte order mark is dropped. Raises UserError
    naming the line where the file is not UTF-8, not JSON, nested too deep, or no `kind`.
    """
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8 - save the file as UTF-8 (is it GBK or UTF-16?)") from None
    return _parsed(path, text, kind, repeated)


def _parsed(
    path: str | Path, text: str, kind: type | tuple[type, ...], repeated: Counter[str] | None = None
) -> JsonElement:
    if not text.strip():
        raise empty_file(path)
    deep = too_deep(text)
    if deep is not None:
        raise UserError(f"{path}:{text.count(chr(10), 0, deep) + 1}: JSON nested too deep - mend these brackets")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) < len(pairs):
            repeated.update(Counter(key for key, _ in pairs) - Counter(record.keys()))
        return record

    try:
        value = json.loads(text, parse_int=_integer, object_pairs_hook=None if repeated is None else unique)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}:{error.lineno}: not JSON ({error.msg} at character {error.colno}) - the file must be one whole JSON value"
        ) from None
    return JsonElement(value, path, text).checked(kind)


def read_json_records(path: str | Path, skipped: Counter[str] | None = None) -> Iterator[JsonElement]:
    """The objects of a file that is one JSON list of them, or that has one on each line, whichever it looks like; see
    `records_of`."""
    return records_of(path, all_lines(path), skipped)


def records_of(
    path: str | Path, lines: Iterable[tuple[int, str]], skipped: Counter[str] | None = None
) -> Iterator[JsonElement]:
    """The objects in `all_lines` of a file, which are one JSON list of them, or one each.

    Each is a root of its own, with the line on which it begins. Of JSON lines the blank ones are left out and counted
    in `skipped`. Raises UserError as `read_json_document` and `submission.read_json_lines` do, also for a file without
    records.
    """
    lines, head = iter(lines), []
    for number, line in lines:
        head.append((number, line))
        if line.strip():
            break
    lines = itertools.chain(head, lines)
    if not head or not head[-1][1].lstrip().startswith("["):
        for number, line in non_blank(path, lines, skipped):
            yield JsonElement(json_object(line, f"{path}:{number}"), path, line, line=number)
        return
    root = _parsed(path, "\n".join(line for _, line in lines), list)
    if not root.value:
        raise empty_file(path)
    line, position = 1, 0
    for value, (number, begin, end) in zip(root.value, _children(root.text, _position(root.text, ()))):
        line += root.text.count("\n", position, begin)
        position = begin
        yield JsonElement(value, path, root.text[begin:end], line=line, name=f"[{number}]").checked(dict)


def copy_records(source: str | Path, target: str | Path, kept: Callable[[int, JsonElement], bool]) -> None:
    """Writes the records of `source` that are `kept`, given their place from 0 and themselves, one on each line of
    `target`, as they stand there."""
    records = (record for place, record in enumerate(read_json_records(source)) if kept(place, record))
    # Outside of strings, where it means nothing, a line may end inside a record; inside of strings JSON has no line
    # ends.
    write_lines(target, (record.text.replace("\r", " ").replace("\n", " ").encode() for record in records), ".json")


class _Where:
    """A text that is made only when it is shown: `field` wants one for every value, and nearly none is wrong."""

    def __init__(self, show: Callable[[], str]):
        self.show = show

    def __str__(self) -> str:
        return self.show()


def _integer(digits: str) -> int | float:
    # Python refuses to read thousands of digits. No field needs such a number; where one has it, it is not a whole one.
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer)


def _position(text: str, keys: tuple[str | int, ...]) -> int:
    """Where the value under `keys` begins in the JSON `text`; where they lead nowhere, the last on the way that is
    there."""
    position = _SPACE.match(text).end()
    for key in keys:
        found = _child_position(text, position, key)
        if found is None:
            return position
        position = found
    return position


def _child_position(text: str, position: int, key: str | int) -> int | None:
    """Where the value under `key` in the object or list at `position` begins: the last, since that is the one that
    counts."""
    if text[position] not in "{[":
        return None
    found = None
    for name, begin, _ in _children(text, position):
        if name == key:
            found = begin
    return found


def _children(text: str, position: int) -> Iterator[tuple[str | int, int, int]]:
    """The values in the object or list at `position`: name, or number from 0, begin and end."""

    def skip(position: int) -> int:
        return _SPACE.match(text, position).end()

    is_object = text[position] == "{"
    number = 0
    position = skip(position + 1)
    while text[position] not in "]}":
        name: str | int = number
        if is_object:
            name, position = _DECODER.raw_decode(text, position)
            position = skip(skip(position) + 1)  # past the colon
        begin = position
        _, end = _DECODER.raw_decode(text, begin)
        yield name, begin, end
        position = skip(end)
        if text[position] == ",":
            position = skip(position + 1)
        number += 1


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f'["{key:.60}"]'
