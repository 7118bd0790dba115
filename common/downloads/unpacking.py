"""`unpack`: a zip or tar of a stranger into a new folder: bounded, and with nothing outside of it.

Only plain files and folders are made, with the modes that new files have here: what the archive says of modes, owners
and times does not count. One member of another kind, or with a name that leads elsewhere, and nothing stays.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import secrets
import shutil
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from common.archives import MAX_UNPACKED_BYTES
from common.command_line import UserError
from common.submission import TEMPORARY_PREFIX

_BLOCK = 2**20
_LONGEST_NAME, _LONGEST_PART, _DEEPEST = 1000, 200, 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
#: How a file begins, and what reads it.
_PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error)
_DAMAGED += (EOFError, OSError, ValueError, OverflowError, NotImplementedError, RuntimeError)


class Limits(NamedTuple):
    """Of an archive. members: files and folders. ratio: what it unpacks to, divided by its own size; one that unpacks
    to no more than `small` bytes may have any."""

    most_bytes: int = 4 * MAX_UNPACKED_BYTES
    members: int = 10_000
    ratio: int = 200
    small: int = 10**7


class _Member(NamedTuple):
    """size: in bytes, as the archive says. content: None for a folder."""

    name: str
    size: int
    content: IO[bytes] | None


def unpack(archive: Path, folder: Path, limits: Limits = Limits()) -> list[str]:
    """Unpack into `folder`, which is made, and return the paths of the files below it. If the archive holds one folder
    and nothing else, that becomes `folder`.

    It appears at one stroke, when all is there. Raises UserError where it is there already, and for what is neither a
    zip nor a tar (plain, or packed by gzip, bzip2 or xz), is damaged, exceeds `limits` or is hostile.
    """
    if os.path.lexists(folder):
        raise UserError(f"{folder}: is there already - remove it, or give another name")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-{folder.name}")
    temporary.mkdir()
    try:
        _unpack_into(temporary, archive, limits)
        top = list(temporary.iterdir())
        os.rename(top[0] if len(top) == 1 and top[0].is_dir() else temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _unpack_into(root: Path, archive: Path, limits: Limits) -> None:
    writer = _Writer(root, archive, limits)
    try:
        with archive.open("rb") as file:
            start = file.read(6)
        is_zip = start.startswith(b"PK")
        for member in _zip_members(archive) if is_zip else _tar_members(archive, start, writer.most_bytes):
            writer.add(member)
    except UserError:
        raise
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of the archive
            raise
        raise UserError(f"{archive}: no zip or tar that can be read ({error}) - download it again") from None
    if not writer.files:
        raise UserError(f"{archive}: holds no file - is it the right one?")


class _Writer:
    """Puts members below `root`, and counts."""

    def __init__(self, root: Path, archive: Path, limits: Limits):
        self.root, self.archive, self.limits = root, archive, limits
        self.most_bytes = min(limits.most_bytes, max(limits.small, limits.ratio * archive.stat().st_size))
        self.members = self.bytes = 0
        # As a file system that does not tell capitals sees them.
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def add(self, member: _Member) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise UserError(f"{self.archive}: holds more than {self.limits.members:,} files - is it the right one?")
        parts = self._parts_of(member)
        path = self.root.joinpath(*parts)
        if member.content is None:
            path.mkdir(parents=True, exist_ok=True)
            return
        self.bytes += member.size
        if self.bytes > self.most_bytes:
            raise _too_much(self.archive, self.most_bytes)
        if member.size > (free := shutil.disk_usage(self.root).free):
            raise UserError(
                f"{self.archive}: {member.name} needs {member.size / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free - make room"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as target:
            left = member.size
            while left and (block := member.content.read(min(left, _BLOCK))):
                target.write(block)
                left -= len(block)
        if left:
            raise EOFError(f"{member.name} is shorter than the archive says")

    def _parts_of(self, member: _Member) -> list[str]:
        """The way to a member below the root. Raises UserError for a name that leads elsewhere, is no name of an honest
        archive, or stands twice."""
        parts = safe_parts(member.name)
        if parts is None or (not parts and member.content is not None):
            raise self._hostile(member.name, "leads out of its folder, or is none that a file can have")
        keys = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        keys = [unicodedata.normalize("NFC", key).casefold() for key in keys]
        folders, file = (keys, None) if member.content is None else (keys[:-1], keys[-1])
        if file in self.files or file in self.folders or not self.files.isdisjoint(folders):
            raise self._hostile(member.name, "stands twice in it")
        self.folders.update(folders)
        if file is not None:
            self.files.add(file)
        return parts

    def _hostile(self, name: str, problem: str) -> UserError:
        return UserError(f"{self.archive}: the name {name[:200]!r} {problem} - do not trust this archive")


def safe_parts(name: str) -> list[str] | None:
    """The folders and the file that a name in an archive means, with `/` or, as some Windows programs write, `\\`
    between them; None for a name that leads elsewhere, or that is none for a file here."""
    text = name.replace("\\", "/")
    if text.startswith("/") or re.match("[A-Za-z]:", text):
        return None
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        return None
    lengths = [len(part.encode("utf-8")) for part in parts]
    too_long = sum(lengths) > _LONGEST_NAME or len(parts) > _DEEPEST or max(lengths, default=0) > _LONGEST_PART
    return None if too_long or ".." in parts else parts


def _name_of(raw: bytes) -> str:
    """A name that the archive does not say the encoding of: Windows in Chinese writes GBK."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _too_much(archive: Path, most_bytes: int) -> UserError:
    return UserError(
        f"{archive}: unpacks to more than {most_bytes / 1e6:,.0f} MB - is it the right one? If so, unpack it yourself"
    )


# Zip


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            is_utf8 = info.flag_bits & 0x800
            name = info.orig_filename if is_utf8 else _name_of(info.orig_filename.encode("cp437", "replace"))
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _no_plain_file(archive, name)
            if info.flag_bits & 1:
                raise UserError(f"{archive}: needs a password - unpack it yourself")
            if info.compress_type not in _METHODS:
                raise UserError(f"{archive}: {name} is packed in a way that Python cannot read - unpack it yourself")
            if name.startswith("__MACOSX/"):  # what macOS knows of the files beside it
                continue
            if name.endswith(("/", "\\")):
                yield _Member(name, 0, None)
                continue
            with opened.open(info) as content:
                yield _Member(name, info.file_size, content)


def _no_plain_file(archive: Path, name: str) -> UserError:
    return UserError(f"{archive}: {name[:200]!r} is a link or a device - do not trust this archive")


# Tar


class _Forward(io.RawIOBase):
    """A stream for `tarfile`: read once and forward, bounded, and never much of it at once. A tar can say that one of
    its headers has gigabytes."""

    def __init__(self, file: IO[bytes], archive: Path, most_bytes: int):
        self.file, self.archive, self.most_bytes, self.position = file, archive, most_bytes, 0
        self.last = b""

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _BLOCK:
            raise ValueError("a header of more than a megabyte")
        data = self.last = self.file.read(size)
        self.position += len(data)
        if self.position > self.most_bytes:
            raise _too_much(self.archive, self.most_bytes)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET or offset < self.position:
            raise ValueError("its parts do not follow one another")
        while self.position < offset:
            if not self.read(min(offset - self.position, _BLOCK)):
                raise EOFError("it is cut off")
        return self.position


def _tar_members(archive: Path, start: bytes, most_bytes: int) -> Iterator[_Member]:
    reader = next((reader for magic, reader in _PACKED.items() if start.startswith(magic)), open)
    with reader(archive, "rb") as unpacked:
        stream = _Forward(unpacked, archive, most_bytes)
        with tarfile.open(fileobj=stream, mode="r:") as opened:
            for info in opened:
                name = _name_of(info.name.encode("utf-8", "surrogateescape"))
                if info.isdir():
                    yield _Member(name, 0, None)
                    continue
                if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.sparse is not None:
                    raise _no_plain_file(archive, name)
                with opened.extractfile(info) as content:
                    yield _Member(name, info.size, content)
        # tarfile takes anything but a header for the end, which is a block of zeros.
        if stream.last != bytes(tarfile.BLOCKSIZE):
            raise EOFError("it is cut off")
        while stream.read(_BLOCK):  # to its end, where gzip and xz keep a checksum
            pass
