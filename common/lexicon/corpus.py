"""A corpus of any size as blocks of text, none of which is large. Those who share the work take partitions of it: lines
of a file by where they begin, so that nobody reads what another one counts."""

import contextlib
import itertools
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from common.archives import open_bytes
from common.command_line import UserError
from common.json_document import read_json_document
from common.texts import files_in, is_packed, parsed, shape_of, strings_in

Item = TypeVar("Item")

#: The name of standard input.
STDIN = Path("-")

# Behind which a line of any length may be cut: no n-gram goes across.
_MARKS = [mark.encode() for mark in " \t　，。！？；：、,.!?;:"]
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Partition(NamedTuple):
    """The lines of a file that begin among its bytes [start, end); end None: up to its end."""

    path: Path
    start: int = 0
    end: int | None = None


class _Line(NamedTuple):
    """A line with its end, or a piece of one. number: from 1, counted from the start of the partition."""

    number: int
    data: bytes
    is_whole: bool


def partitions_of(paths: Sequence[Path], most_bytes: int) -> list[Partition]:
    """Files, and all text files in folders, in partitions of about `most_bytes`; standard input, and what is packed or
    one JSON document, in one each. Raises UserError for what is missing, and for a folder without texts."""
    return [partition for path in paths for partition in _partitions_of(path, most_bytes)]


def _partitions_of(path: Path, most_bytes: int) -> Iterator[Partition]:
    if path == STDIN:
        yield Partition(path)
        return
    for file in files_in(path):
        size = file.stat().st_size
        if size <= most_bytes or is_packed(file) or _shape_of_file(file, most_bytes) == "JSON document":
            yield Partition(file)
        else:
            count = -(-size // most_bytes)
            bounds = [size * number // count for number in range(count)]
            yield from (Partition(file, *pair) for pair in zip(bounds, [*bounds[1:], None]))


def with_stdin_kept(paths: Sequence[Path], folder: Path) -> list[Path]:
    """The same paths, to be read more than once or by another process: what comes through standard input is put into a
    file in the folder."""
    kept = folder / "stdin"
    if STDIN in paths:
        with kept.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    return [kept if path == STDIN else path for path in paths]


def blocks_of(partition: Partition, fields: Collection[str], most_bytes: int) -> Iterator[str]:
    """The text of a partition in blocks of about `most_bytes` of UTF-8, between which no n-gram is lost.

    fields: of JSON the keys whose strings count; without any, strings with ten Chinese characters. Raises UserError for
    what is not UTF-8 or not JSON, naming the line, and for more than `most_bytes` that cannot be cut.
    """
    path = partition.path
    with _opened(partition) as file:
        lines = (line for line in _lines(file, partition, most_bytes) if line.data.strip())
        first = next(lines, None)
        if first is None:
            return
        lines = itertools.chain([first], lines)
        shape = shape_of(path, _text([first], partition)) if path == STDIN else _shape_of_file(path, most_bytes)
        if shape == "text":
            blocks = _grouped(lines, lambda line: len(line.data), most_bytes)
            yield from (_text(block, partition) for block in blocks)
            return
        if shape == "JSON lines":
            texts = _of_json_lines(lines, partition, frozenset(fields))
        else:
            _check_document(path, most_bytes)
            texts = strings_in(read_json_document(path, (dict, list)).value, frozenset(fields))
        yield from map("\n".join, _grouped(texts, len, most_bytes // 3))  # an ideograph has three bytes


@contextlib.contextmanager
def _opened(partition: Partition) -> Iterator[IO[bytes]]:
    if partition.path == STDIN:
        yield sys.stdin.buffer
        return
    with open_bytes(partition.path, max_bytes=None) as file:
        if partition.start:
            file.seek(partition.start)
        yield file


def _shape_of_file(path: Path, most_bytes: int) -> str:
    with open_bytes(path, max_bytes=None) as file:
        head = (line for line in iter(lambda: file.readline(most_bytes), b"") if line.strip())
        return shape_of(path, next(head, b"").removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "replace"))


def _check_document(path: Path, most_bytes: int) -> None:
    with open_bytes(path, max_bytes=None) as file:
        size = sum(map(len, iter(lambda: file.read(2**20), b"")))
    if size > most_bytes:
        raise UserError(
            f"{path}: is one JSON value of {size:,} bytes, which would be read whole - write one object on each line, or give more --memory-megabytes"
        )


def _lines(file: IO[bytes], partition: Partition, most_bytes: int) -> Iterator[_Line]:
    """Lines, and of one longer than `most_bytes` pieces that end with a mark."""
    at, number = partition.start, 1
    if at:  # the line that has the byte before, or ends with it, belongs to the partition before
        file.seek(at - 1)
        at += _skip_line(file) - 1
    rest = b""
    while rest or partition.end is None or at < partition.end:
        data = rest + file.readline(most_bytes - len(rest))
        at += len(data) - len(rest)
        if at == len(data):
            data = data.removeprefix(_BYTE_ORDER_MARK)
        if not data:
            return
        cut, is_end = len(data), data.endswith(b"\n")
        if cut >= most_bytes - 3 and not is_end:
            cut = max(data.rfind(mark) + len(mark) for mark in _MARKS)
            if cut < most_bytes // 2:
                raise _too_long(partition, number, most_bytes)
        yield _Line(number, data[:cut], not rest and cut == len(data))
        rest = data[cut:]
        number += is_end


def _skip_line(file: IO[bytes]) -> int:
    """Reads up to the end of a line of any length; returns its bytes."""
    count = 0
    for data in iter(lambda: file.readline(2**20), b""):
        count += len(data)
        if data.endswith(b"\n"):
            break
    return count


def _grouped(items: Iterable[Item], size_of: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """The items in groups that are together at most so large, or one item each."""
    group: list[Item] = []
    held = 0
    for item in items:
        size = size_of(item)
        if group and held + size > most:
            yield group
            group, held = [], 0
        group.append(item)
        held += size
    if group:
        yield group


def _text(block: Sequence[_Line], partition: Partition) -> str:
    try:
        return b"".join(line.data for line in block).decode("utf-8")
    except UnicodeDecodeError:
        for line in block:
            try:
                line.data.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{_where(partition, line.number)}: byte {error.start + 1} is not UTF-8 - save the file as UTF-8 (is it GBK or UTF-16?)"
                ) from None
        raise


def _of_json_lines(lines: Iterable[_Line], partition: Partition, fields: frozenset[str]) -> Iterator[str]:
    for line in lines:
        if not line.is_whole:
            raise UserError(
                f"{_where(partition, line.number)}: too long a line of JSON for these --memory-megabytes - give more, or split the object"
            )
        text = _text([line], partition)
        try:
            value = parsed(partition.path, line.number, text)
        except UserError:
            value = parsed(partition.path, _number(partition, line.number), text)
        yield from strings_in(value, fields)


def _too_long(partition: Partition, number: int, most_bytes: int) -> UserError:
    return UserError(
        f"{_where(partition, number)}: {most_bytes:,} bytes without a blank or mark - is it text? If so, give more --memory-megabytes"
    )


def _where(partition: Partition, number: int) -> str:
    return f"{partition.path}:{_number(partition, number)}"


def _number(partition: Partition, number: int) -> int:
    """That of a line in the file, from 1."""
    if partition.start == 0:
        return number
    with open_bytes(partition.path, max_bytes=None) as file:
        before, left = 0, partition.start - 1
        while left:
            data = file.read(min(left, 2**20))
            before += data.count(b"\n")
            left -= len(data)
    return before + 1 + number
