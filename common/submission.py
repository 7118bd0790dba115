"""Reading what organisers publish and writing what they accept: JSON lines, zips, and files that are never
half-written.

Everything a user can get wrong here is a `UserError` that names the file, the line and the remedy.
"""

import contextlib
import json
import os
import secrets
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from common.command_line import UserError

#: A submission of these contests has a few megabytes. More than this out of one zip is an accident or an attack.
MAX_UNZIPPED_BYTES = 2**30

#: How the names of files still being written begin: what is left of them after a `kill -9` is garbage.
TEMPORARY_PREFIX = ".tmp-"

#: The reason under which `read_lines` counts what it leaves out.
BLANK_LINE = "blank line"


# Reading


def find_file(folder: Path, role: str, names: Iterable[str], expected: str, optional: bool = False) -> Path | None:
    """The first of `names`, paths below `folder`, that is a file: what plays this role.

    Raises UserError, with the tree that is `expected`, for a missing folder, and for a missing file unless it is
    `optional`: then None.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder - {expected}")
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None and not optional:
        raise UserError(f"{folder}: no {role} file - {expected}")
    return path


def read_lines(path: str | Path, skipped: Counter[str] | None = None) -> Iterator[tuple[int, str]]:
    """The non-blank lines of a UTF-8 file, or of the only file in a `.zip`, as (number from 1, line without its end).

    A line ends with `\\n` or `\\r\\n`, and nowhere else: U+2028 and U+0085 are text. A byte order mark is dropped.
    `skipped["blank line"]` counts the lines left out. Raises UserError when the file is missing, not UTF-8 or a bad
    zip.
    """
    with _open(Path(path)) as file:
        for number, line in enumerate(file, start=1):
            line = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path}:{number}: byte {error.start + 1} is not UTF-8 - save the file as UTF-8 (is it GBK or UTF-16?)"
                ) from None
            if text.strip():
                yield number, text
            elif skipped is not None:
                skipped[BLANK_LINE] += 1


def read_bytes(path: str | Path) -> bytes:
    """The whole file, or the only one in a `.zip`. Raises UserError when it is missing or a bad zip."""
    with _open(Path(path)) as file:
        return file.read()


def read_json_lines(path: str | Path, skipped: Counter[str] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with one on each line, as (line number from 1, object); see `read_lines`.

    Of a key that stands twice the last one counts, and NaN is read, as Python's own reader (and so the organisers')
    does. Raises UserError for a line that is not JSON, or JSON but not an object.
    """
    for number, line in read_lines(path, skipped):
        yield number, json_object(line, f"{path}:{number}")


def json_object(line: str, where: str) -> dict[str, Any]:
    """The JSON object that is on a line; `where` is "file:line". Raises UserError, as `read_json_lines` does."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{where}: not JSON ({error.msg} at character {error.pos + 1}) - each line must be one whole JSON object"
        ) from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets nested a thousand deep
        raise UserError(f"{where}: JSON with a number too long, or nested too deep - mend this line") from None
    if not isinstance(record, dict):
        raise UserError(f"{where}: {_json_name(type(record))} - each line must be one JSON object {{...}}")
    return record


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


@contextlib.contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    if path.is_dir():
        raise UserError(f"{path}: is a folder - give the file inside it")
    if not path.exists():
        raise UserError(f"{path}: no such file - check the name (seen from {Path.cwd()})")
    if path.suffix.lower() != ".zip":
        with path.open("rb") as file:
            yield file
        return
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(path, archive)) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(f"{path}: not a zip file that can be read ({error}) - zip it again") from None


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = [member.orig_filename for member in archive.infolist()]
    if any("/" in name or "\\" in name for name in names):
        raise UserError(
            f"{path}: holds a folder ({', '.join(names[:3])}) - it must be flat: zip the file, not its folder"
        )
    if len(names) != 1:
        raise UserError(f"{path}: holds {len(names)} files ({', '.join(names[:3])}) - it must hold exactly one")
    member = archive.infolist()[0]
    if member.flag_bits & 1:
        raise UserError(f"{path}: needs a password - zip it without one")
    if member.file_size > MAX_UNZIPPED_BYTES:
        raise UserError(
            f"{path}: {member.filename} would unpack to {member.file_size:,} bytes, more than {MAX_UNZIPPED_BYTES:,} - "
            "unzip it yourself if that is right"
        )
    return member


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
    """The lines, given without their ends; a flat zip around them when the name ends in `.zip`. The same lines give the
    same bytes.

    The file in the zip is named like the zip, with `suffix` at the end. The file appears whole or not at all, also when
    `lines` raises midway.
    """
    with atomic_path(path) as temporary:
        if Path(path).suffix.lower() != ".zip":
            with temporary.open("wb") as file:
                file.writelines(line + b"\n" for line in lines)
            return
        # A ZipInfo made by hand carries no clock, and write mode by name would.
        member = zipfile.ZipInfo(Path(path).stem.removesuffix(suffix) + suffix)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = 0o644 << 16
        with zipfile.ZipFile(temporary, "w") as archive, archive.open(member, "w") as file:
            for line in lines:
                file.write(line + b"\n")


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
    if path.exists() and not path.is_file():
        raise UserError(
            f"{path}: is a folder or a device - give the name of a file"
        )  # replacing /dev/null would be bad
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        _force_to_disk(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # some systems cannot do this to a folder; the replacement is whole all the same
        _force_to_disk(path.parent)


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
