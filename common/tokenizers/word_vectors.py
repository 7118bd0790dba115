"""Word vectors trained elsewhere, read from word2vec's text and binary formats; and the size of those that are learned
here.

    text      a line for each word: the word and its values, with blanks between; "COUNT SIZE" on the first line, which GloVe leaves out
    binary    the line "COUNT SIZE", then for each word the word, a blank and its values as little-endian float32; a line break may follow

Nothing is unpickled, and nothing is allocated because of a number in the file.
"""

import codecs
import contextlib
import gzip
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Container, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from common.command_line import UserError
from common.submission import BLANK_LINE
from common.tokenizers.words import normal_form

#: Beside `BLANK_LINE` the reasons under which `read_word_vectors` counts what can be no word.
BLANK_WORD, NOT_UTF_8, REPEATED_WORD = "blank word", "word that is not UTF-8", "repeated word"

_LARGEST_SIZE = 4096
_LONGEST_WORD = 1000  # bytes
_LONGEST_LINE = _LONGEST_WORD + 50 * _LARGEST_SIZE
_SMALLEST_LEARNED_SIZE = 16

_HEADER = re.compile(rb"\s*(\d+)\s+(\d+)\s*")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class WordVectors(NamedTuple):
    """words: distinct, in normal form. vectors: float32 (words, size), finite and not all 0."""

    words: list[str]
    vectors: np.ndarray


class _Record(NamedTuple):
    word: bytes
    values: Callable[[], np.ndarray]
    where: str


def word_vector_size(words: int) -> int:
    """The size of learned vectors for so many words: n > 8.33 ln N (kexue.fm/archives/7695), and at least 16."""
    return max(_SMALLEST_LEARNED_SIZE, math.floor(8.33 * math.log(max(words, 1))) + 1)


def read_word_vectors(
    path: Path, wanted: Container[str] = (), limit: int = 100_000, skipped: Counter[str] | None = None
) -> WordVectors:
    """At most `limit` words of a file: those of `wanted`, then others while there is room, both in its order: frequent
    words stand first.

    Words are brought to normal form (NFKC, lower case), in which `wanted` must be; of several that agree in it the
    first one counts. The formats are told apart without being named; a file that ends in .gz is unpacked. `skipped`
    counts by reason what can be no word. Raises UserError with the line of a text file, or the byte (from 0) of a
    binary one, for whatever does not belong to the format. The values of words that are left out are only counted.
    """
    skipped = Counter() if skipped is None else skipped
    found: dict[str, np.ndarray] = {}
    others: dict[str, np.ndarray] = {}
    records = undecodable = 0
    for records, record in enumerate(_records(path, skipped), start=1):
        try:
            word = normal_form(record.word.decode("utf-8")).strip()
        except UnicodeDecodeError:  # the original word2vec cuts long words in the middle of a character
            undecodable += 1
            continue
        if not word:
            skipped[BLANK_WORD] += 1
        elif word in found or word in others:
            skipped[REPEATED_WORD] += 1
        elif word in wanted and len(found) < limit:
            if len(found) + len(others) == limit:
                others.popitem()  # the last one
            found[word] = _checked(record)
        elif len(found) + len(others) < limit:
            others[word] = _checked(record)
    if 2 * undecodable > records:
        raise UserError(f"{path}: {undecodable} of {records} words are not UTF-8 - save the file as UTF-8 (is it GBK?)")
    skipped.update({NOT_UTF_8: undecodable} if undecodable else {})
    kept = found | others
    if not kept:
        raise UserError(f"{path}: has no words - it must be a word2vec file, text or binary")
    vectors = np.stack(list(kept.values()))
    if not vectors.any():
        raise UserError(f"{path}: all its vectors are 0 - train them, or take another file")
    return WordVectors(list(kept), vectors)


def _checked(record: _Record) -> np.ndarray:
    values = record.values()
    if not np.isfinite(values).all():
        raise UserError(
            f"{record.where}: a value is NaN or beyond float32 - train the vectors again, or leave this word out"
        )
    return values


def _records(path: Path, skipped: Counter[str]) -> Iterator[_Record]:
    with _open(path) as file:
        first = file.readline(_LONGEST_LINE).removeprefix(codecs.BOM_UTF8)
        header = _HEADER.fullmatch(first)
        # Python refuses to read thousands of digits, and thirty are absurd enough.
        count, size = (int(digits[:30]) for digits in header.groups()) if header else (None, len(first.split()) - 1)
        if not 1 <= size <= _LARGEST_SIZE:
            raise UserError(
                f'{path}:1: {max(size, 0)} values for each word - the first line must be "COUNT SIZE" or a word with 1 to {_LARGEST_SIZE:,} values '
                "(is it a word2vec file, text or binary?)"
            )
        start = file.tell() if header else 0
        file.seek(start)
        sample = file.read(4096)
        file.seek(start)
        if header and _is_binary(sample):
            yield from _binary_records(file, path, count, size)
        else:
            yield from _text_records(file, path, 2 if header else 1, count, size, skipped)


def _is_binary(sample: bytes) -> bool:
    """Whether a file goes on in the binary format behind its first line. A text may have a wrong value there, or
    another encoding."""
    fields = sample.split(None, 2)
    if len(fields) > 1 and _is_number(fields[1]):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return True
    return _CONTROL.search(sample) is not None


def _text_records(
    file: IO[bytes], path: Path, number: int, count: int | None, size: int, skipped: Counter[str]
) -> Iterator[_Record]:
    words = 0
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=number):
        where = f"{path}:{number}"
        fields = line.removeprefix(codecs.BOM_UTF8).rsplit(
            None, size
        )  # from the right: some files have words with blanks
        if not fields:
            skipped[BLANK_LINE] += 1
            continue
        if len(fields) == size and line[:1].isspace():
            fields.insert(0, b"")
        head = fields[0].split()
        values = len(fields) - 1 + len(head) - 1 if len(head) > 1 and _is_number(head[-1]) else len(fields) - 1
        if len(line) == _LONGEST_LINE or values != size:
            raise UserError(
                f"{where}: {values} values instead of {size} - every word must have as many as the others; is the file whole?"
            )
        words += 1
        if count is not None and words > count:
            raise UserError(f'{where}: more words than the {count} of the first line - correct that line, "COUNT SIZE"')
        yield _Record(fields[0], partial(_parsed, fields[1:], where), where)
    if count is not None and words < count:
        raise UserError(f"{path}:{number}: the file ends after {words} of {count} words - is the file whole?")


def _parsed(fields: list[bytes], where: str) -> np.ndarray:
    try:
        values = np.array(list(map(float, fields)))
    except ValueError:
        wrong = next(field for field in fields if not _is_number(field)).decode("utf-8", "replace")
        raise UserError(f"{where}: {wrong[:40]!r} is not a number - each line must be a word and its values") from None
    with np.errstate(over="ignore"):  # becomes infinite, and is refused as that
        return values.astype(np.float32)


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _binary_records(file: IO[bytes], path: Path, count: int, size: int) -> Iterator[_Record]:
    buffer, at, beyond = b"", 0, file.tell()  # `beyond`: the place in the file of what follows the buffer
    needed = _LONGEST_WORD + 4 * size
    for words in range(count + 1):
        if len(buffer) - at < needed:
            more = file.read(2**20)
            buffer, at, beyond = buffer[at:] + more, 0, beyond + len(more)
        while buffer.startswith(b"\n", at):
            at += 1
        where = f"{path}: byte {beyond - len(buffer) + at}"
        blank = buffer.find(b" ", at, at + _LONGEST_WORD)
        values = buffer[blank + 1 : blank + 1 + 4 * size]
        if words == count:
            if at < len(buffer):
                raise UserError(
                    f'{where}: more words than the {count} of the first line - correct that line, "COUNT SIZE"'
                )
            return
        if len(buffer) - at < needed and (blank < 0 or len(values) < 4 * size):
            raise UserError(f"{where}: the file ends after {words} of {count} words - is the file whole?")
        if blank < 0:
            raise UserError(
                f"{where}: no word with a blank behind it - is it a binary word2vec file with {size} values for each word?"
            )
        yield _Record(buffer[at:blank], partial(np.frombuffer, values, "<f4"), where)
        at = blank + 1 + 4 * size


@contextlib.contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    if not path.is_file():
        raise UserError(f"{path}: no such file - check the name (seen from {Path.cwd()})")
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield file
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UserError(f"{path}: cannot be unpacked ({error}) - download it again") from None
