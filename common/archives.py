"""Files as they come: plain, in a `.zip` or `.gz`, or through a pipe. Each is read once, and none without end."""

import contextlib
import gzip
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from common.command_line import UserError

#: Data and submissions of these contests have some megabytes. What unpacks to more is an accident or an attack.
MAX_UNPACKED_BYTES = 2**30

_BLOCK = 2**20


@contextlib.contextmanager
def open_bytes(path: str | Path, max_bytes: int | None = MAX_UNPACKED_BYTES) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked where its name ends in `.gz` or, around one file only, in `.zip`.

    max_bytes: that it may unpack to; None: any number. A plain file may have any length. Raises UserError for what is
    no file, for a damaged archive, and for one that unpacks to more.
    """
    path = Path(path)
    _check_readable(path)
    try:
        with _unpacked(path, max_bytes) as file:
            yield file
    except UserError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        # Impossible places in a damaged archive are OSErrors and ValueErrors of the file around it.
        if path.suffix.lower() not in (".zip", ".gz") or getattr(error, "filename", None) is not None:
            raise
        raise UserError(f"{path}: not a {path.suffix} file that can be read ({error}) - pack it again") from None


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise UserError(f"{path}: no such file - check the name (seen from {_working_directory()})")
    if path.is_dir():
        raise UserError(f"{path}: is a folder - give the file inside it")
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise UserError(f"{path}: is a device - give a file")


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # somebody has removed it
        return "a folder that is gone"


def _unpacked(path: Path, max_bytes: int | None) -> contextlib.AbstractContextManager[IO[bytes]]:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _only_member(path, max_bytes)
    if suffix == ".gz":
        return io.BufferedReader(_Bounded(gzip.open(path), path, max_bytes), _BLOCK)
    return path.open("rb")


@contextlib.contextmanager
def _only_member(path: Path, max_bytes: int | None) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive:
        member = _checked_member(path, archive)
        if max_bytes is not None and member.file_size > max_bytes:
            raise _too_large(path, max_bytes)
        with archive.open(member) as file:
            yield file


def _checked_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = archive.infolist()
    names = ", ".join(f"{member.orig_filename:.60}" for member in members[:3])
    if any("/" in member.orig_filename or "\\" in member.orig_filename for member in members):
        raise UserError(f"{path}: holds a folder ({names}) - it must be flat: zip the file, not its folder")
    if len(members) != 1:
        raise UserError(f"{path}: holds {len(members)} files ({names}) - it must hold exactly one")
    if members[0].flag_bits & 1:
        raise UserError(f"{path}: needs a password - zip it without one")
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError(
            f"{path}: is packed by another method than a judge can read - zip it in the usual way (deflate)"
        )
    return members[0]


class _Bounded(io.RawIOBase):
    """What a compressed file unpacks to, until it is too much: unlike a zip it does not say so before."""

    def __init__(self, file: IO[bytes], path: Path, max_bytes: int | None):
        self.file, self.path, self.max_bytes, self.left = file, path, max_bytes, max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self.file.read(len(buffer))
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0:
                raise _too_large(self.path, self.max_bytes)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.file.close()
        super().close()


def _too_large(path: Path, max_bytes: int) -> UserError:
    return UserError(
        f"{path}: unpacks to more than {max_bytes / 1e6:,.0f} MB - is it the right file? If so, unpack it yourself"
    )


def check_size(predictions: Path, gold: Path, max_megabytes: int | None) -> None:
    """Raises UserError for predictions that have, unpacked, more than `max_megabytes`, before any of it is read.

    None: 100 times as much as gold, and at least 10 megabytes. A pipe has no size, and passes.
    """
    if max_megabytes is not None and max_megabytes < 1:
        raise UserError(f"--max-megabytes {max_megabytes}: must be at least 1")
    most = max_megabytes * 10**6 if max_megabytes else max(10**7, 100 * _size(gold, MAX_UNPACKED_BYTES))
    if _size(predictions, most) > most:
        raise UserError(
            f"{predictions}: has more than {most / 1e6:,.0f} MB, unpacked - "
            "is it the right file? If so, say how much it may have with --max-megabytes"
        )


def _size(path: Path, most: int) -> int:
    """How many bytes a file has, unpacked: beyond `most` it is not looked at."""
    _check_readable(path)
    if path.suffix.lower() == ".zip":
        with contextlib.suppress(zipfile.BadZipFile, NotImplementedError), zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
        return 0  # whoever reads it says what is wrong
    if path.suffix.lower() != ".gz":
        return path.stat().st_size
    size = 0
    with open_bytes(path, None) as file:
        while size <= most and (block := file.read(_BLOCK)):
            size += len(block)
    return size
