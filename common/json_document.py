"""A file that is one JSON value, not one on each line: its values know where they stand, so that every error names file and line."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.submission import field, read_bytes, wrong_kind

_SPACE = re.compile(r"[ \t\n\r]*")
# A string (possibly cut off), or a bracket outside of strings. Possessive, so that no text takes quadratic time.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True, eq=False)
class JsonElement:
    """A value of a JSON file. `keys` lead to it from the root: a name into an object, a number (from 0) into a list."""

    value: Any
    path: str | Path
    text: str
    keys: tuple[str | int, ...] = ()

    def field(self, key: str, kind: type | tuple[type, ...]) -> "JsonElement":
        """The value under `key` of this object; UserError, as from `submission.field`, when it is missing or no `kind`."""
        keys = (*self.keys, key)
        where = _Where(lambda: self._shown(keys, self.keys))
        return JsonElement(field(self.value, key, kind, where), self.path, self.text, keys)

    def items(self, kind: type | tuple[type, ...]) -> Iterator["JsonElement"]:
        """The elements of this list, in order; UserError for the first that is no `kind`."""
        for number, value in enumerate(self.value):
            yield JsonElement(value, self.path, self.text, (*self.keys, number)).checked(kind)

    def checked(self, kind: type | tuple[type, ...]) -> "JsonElement":
        """This element; UserError when it is no `kind`."""
        complaint = wrong_kind(self.value, kind if isinstance(kind, tuple) else (kind,))
        if complaint:
            raise UserError(f"{self.where()}: {complaint}")
        return self

    def where(self, *keys: str | int) -> str:
        """`dev.json:17: data[0].paragraphs[3]`: the line on which the value under `keys`, from here, begins.

        For what is missing it is the line of that in which it is missing. Finding it reads the text once more: for messages only.
        """
        return self._shown((*self.keys, *keys), (*self.keys, *keys))

    def _shown(self, keys: tuple[str | int, ...], named: tuple[str | int, ...]) -> str:
        """The line of one element, and the name of another (that of the object, where a field of it is wrong)."""
        line = self.text.count("\n", 0, _position(self.text, keys)) + 1
        name = "".join(map(_step, named)).removeprefix(".")
        return f"{self.path}:{line}: {name}" if name else f"{self.path}:{line}"


def read_json_document(
    path: str | Path, kind: type | tuple[type, ...] = dict, repeated: Counter[str] | None = None
) -> JsonElement:
    """The root of a UTF-8 file (or of the only one in a `.zip`) that is one JSON value, an object unless `kind` says otherwise.

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
    except RecursionError:
        line = text.count("\n", 0, _too_deep(text)) + 1
        raise UserError(f"{path}:{line}: JSON nested too deep - mend these brackets") from None
    return JsonElement(value, path, text).checked(kind)


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
    """Where the value under `keys` begins in the JSON `text`; where they lead nowhere, the last on the way that is there."""
    position = _SPACE.match(text).end()
    for key in keys:
        found = _child_position(text, position, key)
        if found is None:
            return position
        position = found
    return position


def _child_position(text: str, position: int, key: str | int) -> int | None:
    """Where the value under `key` in the object or list at `position` begins: the last, since that is the one that counts."""

    def skip(position: int) -> int:
        return _SPACE.match(text, position).end()

    if text[position] not in "{[":
        return None
    is_object = text[position] == "{"
    found, number = None, 0
    position = skip(position + 1)
    while text[position] not in "]}":
        name: str | int = number
        if is_object:
            name, position = _DECODER.raw_decode(text, position)
            position = skip(skip(position) + 1)  # past the colon
        if name == key:
            found = position
        _, position = _DECODER.raw_decode(text, position)
        position = skip(position)
        if text[position] == ",":
            position = skip(position + 1)
        number += 1
    return found


def _too_deep(text: str) -> int:
    """Where the first bracket opens that has 200 others around it, more than any sensible file and less than Python can read."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
        if depth > 200:
            return match.start()
    return 0


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f'["{key:.60}"]'
