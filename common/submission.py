"""Reading what organisers publish and writing what they accept: JSON lines, zips, and files that are never
half-written.

Everything a user can get wrong here is a `UserError` that names the file, the line and the remedy.
"""

import contextlib
import gzip
import json
import os
import re
import secrets
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

from common.archives import open_bytes
from common.command_line import UserError, warn

Prediction = TypeVar("Prediction")

#: How the names of files still being written begin: what is left of them after a `kill -9` is garbage.
TEMPORARY_PREFIX = ".tmp-"

#: The reason under which `read_lines` counts what it leaves out.
BLANK_LINE = "blank line"

# An example of these contests has some kilobytes. A longer line is no line, and would fill the memory.
_MAX_LINE_BYTES = 2**30

# Brackets around brackets: official files have less than ten. Python can read about a thousand, and show fewer.
_MAX_DEPTH = 100
# A string (possibly cut off), or a bracket outside of strings. Possessive, so that no text takes quadratic time.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


# Reading


def find_file(folder: Path, role: str, names: Iterable[str], expected: str, optional: bool = False) -> Path | None:
    """The first of `names`, paths below `folder`, that is a file, or one with `.gz` at its end: what plays this role.

    Raises UserError, with the tree that is `expected`, for a missing folder, and for a missing file unless it is
    `optional`: then None.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder - {expected}")
    paths = (folder / f"{name}{packed}" for name in names for packed in ("", ".gz"))
    path = next((path for path in paths if path.is_file()), None)
    if path is None and not optional:
        raise UserError(f"{folder}: no {role} file - {expected}")
    return path


def read_lines(path: str | Path, skipped: Counter[str] | None = None) -> Iterator[tuple[int, str]]:
    """The lines of `all_lines` that are not blank; see `non_blank`."""
    return non_blank(path, all_lines(path), skipped)


def non_blank(
    path: str | Path, lines: Iterable[tuple[int, str]], skipped: Counter[str] | None = None
) -> Iterator[tuple[int, str]]:
    """Those of the lines of a file that are not blank; `skipped["blank line"]` counts the others. Raises UserError
    where none is left."""
    is_empty = True
    for number, text in lines:
        if text.strip():
            is_empty = False
            yield number, text
        elif skipped is not None:
            skipped[BLANK_LINE] += 1
    if is_empty:
        raise empty_file(path)


def empty_file(path: str | Path) -> UserError:
    """What to raise for a file with nothing in it: nobody means to score or to answer that."""
    return UserError(f"{path}: there is nothing in it - is it the right file, and did the step before it end well?")


def all_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file, or of the only file in a `.zip` or `.gz`, as (number from 1, line without its end).

    A line ends with `\\n` or `\\r\\n`, and nowhere else: U+2028 and U+0085 are text. A byte order mark is dropped.
    Raises UserError when the file is missing, not UTF-8 or a bad archive, and for a line of a gigabyte.
    """
    with open_bytes(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE_BYTES), b""), start=1):
            if len(line) == _MAX_LINE_BYTES:
                raise UserError(
                    f"{path}:{number}: a line of more than {_MAX_LINE_BYTES:,} bytes - is it the right file?"
                )
            line = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            try:
                yield number, line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path}:{number}: byte {error.start + 1} is not UTF-8 - save the file as UTF-8 (is it GBK or UTF-16?)"
                ) from None


def read_bytes(path: str | Path) -> bytes:
    """The whole file, or the only one in a `.zip` or `.gz`. Raises UserError when it is missing or a bad archive."""
    with open_bytes(path) as file:
        # In pieces: a zip may claim to hold any number of bytes, for which a reader of all makes room at once.
        return b"".join(iter(lambda: file.read(2**20), b""))


def read_json_lines(path: str | Path, skipped: Counter[str] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with one on each line, as (line number from 1, object); see `read_lines`.

    Of a key that stands twice the last one counts, and NaN is read, as Python's own reader (and so the organisers')
    does. Raises UserError for a line that is not JSON, or JSON but not an object.
    """
    for number, line in read_lines(path, skipped):
        yield number, json_object(line, f"{path}:{number}")


def json_object(line: str, where: str) -> dict[str, Any]:
    """The JSON object that is on a line; `where` is "file:line". Raises UserError, as `read_json_lines` does."""
    if too_deep(line) is not None:
        raise UserError(f"{where}: JSON nested too deep - mend these brackets")
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{where}: not JSON ({error.msg} at character {error.pos + 1}) - each line must be one whole JSON object"
        ) from None
    except ValueError:
        raise UserError(f"{where}: JSON with a number of thousands of digits - mend this line") from None
    if not isinstance(record, dict):
        raise UserError(f"{where}: {_json_name(type(record))} - each line must be one JSON object {{...}}")
    return record


def too_deep(text: str) -> int | None:
    """Where, in JSON, the first bracket opens that has a hundred others around it; None where there is none."""
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return None
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
        if depth > _MAX_DEPTH:
            return match.start()
    return None


def field(record: dict[str, Any], key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """`record[key]`, which must be a `kind` (str, int, float, bool, list, dict, or several); `where` is "file:line".

    Raises UserError when it is missing or of another type; `true` is not a number here, whatever Python thinks.
    """
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if key not in record:
        raise UserError(f'{where}: "{key}" is missing - it must be {_json_names(kinds)}')
    complaint = wrong_kind(record[key], kinds)
    if complaint:
        raise UserError(f'{where}: "{key}" is {complaint}')
    return record[key]


def wrong_kind(value: Any, kinds: tuple[type, ...]) -> str | None:
    """`a number - it must be a string`, or None when `value` is one of `kinds`; `true` is not a number here."""
    if isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds):
        return None
    return f"{_json_name(type(value))} - it must be {_json_names(kinds)}"


_JSON_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def _json_name(kind: type) -> str:
    return _JSON_NAMES.get(kind, "null")


def _json_names(kinds: tuple[type, ...]) -> str:
    return " or ".join(map(_json_name, kinds))


# Writing


def json_bytes(value: object, indent: int | None = None) -> bytes:
    """`value` as JSON in UTF-8, Chinese readable. Half a surrogate pair, which UTF-8 cannot hold, stays an escape
    (\\ud83d).

    Raises TypeError for what JSON does not know, numpy integers and arrays among it, and ValueError for NaN.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except TypeError as error:
        raise TypeError(f"{error}: only Python's own types go into JSON; numpy has .item() and .tolist()") from None
    # Surrogates occur inside JSON strings only, and there Python's escape of them is also JSON's.
    return text.encode("utf-8", errors="backslashreplace")


def write_json_lines(path: str | Path, records: Iterable[dict[str, Any]]) -> None:
    """One JSON object on each line, as `write_lines` writes them. Raises TypeError and ValueError as `json_bytes`."""
    write_lines(path, map(json_bytes, records), ".json")


def write_lines(path: str | Path, lines: Iterable[bytes], suffix: str) -> None:
    """The lines, given without their ends; packed when the name ends in `.gz` or, as a flat zip, in `.zip`. The same
    lines give the same bytes.

    The file in the zip is named like the zip, with `suffix` at the end. The file appears whole or not at all, also when
    `lines` raises midway.
    """
    with lines_file(path, suffix) as file:
        for line in lines:
            file.write(line + b"\n")


@contextlib.contextmanager
def lines_file(path: str | Path, suffix: str) -> Iterator[IO[bytes]]:
    """The file that `write_lines` writes, for whoever has its lines bit by bit: it appears when the block ends well."""
    with atomic_path(path) as temporary:
        packed = Path(path).suffix.lower()
        if packed != ".zip":
            with temporary.open("wb") as plain:
                # Without name and clock, or the same lines would give other bytes.
                with gzip.GzipFile("", "wb", fileobj=plain, mtime=0) if packed == ".gz" else plain as file:
                    yield file
            return
        # A ZipInfo made by hand carries no clock, and write mode by name would.
        member = zipfile.ZipInfo(Path(path).stem.removesuffix(suffix) + suffix)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = 0o644 << 16
        with zipfile.ZipFile(temporary, "w") as archive, archive.open(member, "w") as file:
            yield file


def valid_or_empty(
    predictions: Sequence[Prediction], check: Callable[[Prediction, int], object], empty: Prediction
) -> list[Prediction]:
    """The predictions, with `empty` in the place of each that breaks a rule of the judge: one must not cost the others.

    check: raises ValueError (as UserError is) for such a prediction, given its number from 1. One warning says how many
    there were, and what was wrong with the first.
    """
    kept, complaints = [], []
    for number, prediction in enumerate(predictions, start=1):
        try:
            check(prediction, number)
            kept.append(prediction)
        except ValueError as error:
            kept.append(empty)
            complaints.append(error)
    if complaints:
        warn(f"{len(complaints)} of {len(predictions)} predictions break a rule and are left empty: {complaints[0]}")
    return kept


def check_output(path: str | Path) -> None:
    """Raises UserError where `atomic_path` could not write a file: to be asked before hours of work, not after."""
    target = Path(os.path.realpath(path))
    _check_plain(target)
    folder = next(folder for folder in target.parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}: {folder}) - give another place") from None


def _check_plain(path: Path) -> None:
    if path.exists() and not path.is_file():  # replacing /dev/null would be bad
        raise UserError(f"{path}: is a folder or a device - give the name of a file")


def atomic_write(path: str | Path, data: bytes | str) -> None:
    """Replaces the file by `data` (str as UTF-8) at one stroke, safe on disk when this returns."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, to write a file to: it becomes `path` when the block ends well, and goes
    otherwise.

    Its name ends like `path`'s, since some writers go by that (`.weights.h5`). Missing folders above are made. Whoever
    reads `path` meanwhile, or after a power cut, finds the old file or the new one, never a part: both the file
    and its folder entry are forced to disk. Raises UserError where `path` is there and is not a plain file.
    """
    path = Path(os.path.realpath(path))  # a symbolic link keeps pointing, and what it points to is replaced
    _check_plain(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        _force_to_disk(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk: whoever reads of it asks which file
            error.filename = str(path)
        raise
    with contextlib.suppress(OSError):  # some systems cannot do this to a folder; the replacement is whole all the same
        _force_to_disk(path.parent)


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
