"""The texts in files of any shape, as a stream: lines of plain text, or what is text in the JSON of any contest."""

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from common.command_line import UserError
from common.json_document import read_json_document
from common.submission import all_lines

#: A string in JSON is a text from so many Chinese characters on; shorter ones are names, labels and ids.
LEAST_CHINESE = 10

_LONG = re.compile(f"(?:[^\u4e00-\u9fff]*+[\u4e00-\u9fff]){{{LEAST_CHINESE}}}")
_PACKED = (".gz", ".zip")
_KINDS = (".txt", ".json", ".jsonl", ".tsv", ".csv", "")
_REMEMBERED = 1_000_000  # texts, of which a later copy is left out


class Texts:
    """All texts of some files, read anew each time one iterates; nothing is held but hashes of the last million.

    paths: files, and folders with such files at any depth. fields: the keys whose strings are the texts of JSON;
    without any every string of ten Chinese characters is one. counts: what the last reading met: `texts`, `characters`
    and `copies`. Raises UserError for what is missing, empty or no regular file.
    """

    def __init__(self, paths: Sequence[Path], fields: Sequence[str] = ()):
        self.files = [file for path in paths for file in files_in(path)]
        self.fields = frozenset(fields)
        self.counts: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        self.counts.clear()
        seen: set[int] = set()
        for file in self.files:
            for text in _texts_in(file, self.fields):
                key = hash(text)
                if key in seen:
                    self.counts["copies"] += 1
                    continue
                if len(seen) == _REMEMBERED:
                    seen.clear()
                seen.add(key)
                self.counts.update(texts=1, characters=len(text))
                yield text


def files_in(path: Path) -> list[Path]:
    """A file, or those at any depth of a folder that are texts by their name. Raises UserError where there is none."""
    if not path.exists():
        raise UserError(f"--input {path}: no such file or folder - check the name")
    if not path.is_dir():
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserError(f"--input {path}: is no regular file, and is read twice - save what it gives as a file")
        return [path]
    files = sorted(
        Path(folder, name)
        for folder, _, names in os.walk(path)
        for name in names
        if name[0] != "." and _kind(name) in _KINDS and Path(folder, name).is_file()
    )
    if not files:
        raise UserError(
            f"--input {path}: has no text files ({' '.join(filter(None, _KINDS))}, or packed) - check the name"
        )
    return files


def is_packed(file: Path) -> bool:
    """Whether its name is that of an archive."""
    return file.suffix.lower() in _PACKED


def _kind(name: str) -> str:
    """The ending, below that of an archive."""
    path = Path(name)
    return Path(path.stem).suffix.lower() if is_packed(path) else path.suffix.lower()


def _texts_in(file: Path, fields: frozenset[str]) -> Iterator[str]:
    lines = ((number, line) for number, line in all_lines(file) if line.strip())
    first = next(lines, None)
    if first is None:
        return
    shape = shape_of(file, first[1])
    if shape == "text":
        yield from (" ".join(line.split()) for _, line in (first, *lines))
    elif shape == "JSON lines":
        for number, line in (first, *lines):
            yield from strings_in(parsed(file, number, line), fields)
    else:
        yield from strings_in(read_json_document(file, (dict, list)).value, fields)


def shape_of(file: Path, first_line: str) -> Literal["text", "JSON lines", "JSON document"]:
    """What a file holds, by its name and its first line that is not blank."""
    if not first_line.lstrip().startswith("{" if _kind(file.name) not in (".json", ".jsonl") else ("{", "[")):
        return "text"
    return "JSON lines" if _is_json(first_line) else "JSON document"


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def parsed(file: Path, number: int, line: str) -> Any:
    """The JSON on a line. Raises UserError where it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}:{number}: not JSON ({error}) - mend or remove this line") from None


def strings_in(value: Any, fields: frozenset[str], key: str = "") -> Iterator[str]:
    """Those of the strings in a JSON value that are texts, blanks made one: those under the keys `fields`, or without
    any those with ten Chinese characters."""
    if isinstance(value, str):
        if key in fields if fields else _LONG.match(value):
            yield " ".join(value.split())
    elif isinstance(value, list):
        for one in value:
            yield from strings_in(one, fields, key)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from strings_in(one, fields, name)
