"""A file that is still arriving: `NAME.part` beside its target, and `NAME.part.json`, which says what it is a part of.

It becomes the target at one stroke when it is whole. A process that is killed leaves both, and the next goes on there.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import NamedTuple

from common.command_line import UserError

_LONGEST_NOTES = 10_000  # bytes


class Version(NamedTuple):
    """Of what a part is a part. validator: the ETag or date by which the server knows this version. size: bytes of the
    whole file. None: the server does not say."""

    address: str
    validator: str | None
    size: int | None


class PartialFile:
    """A context manager: while it is open, no other process can open it for the same target.

    Raises UserError while another process has it.
    """

    def __init__(self, target: Path):
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")

    def __enter__(self) -> "PartialFile":
        # A link that somebody has put there is not followed: what it points to would be overwritten.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise
        self._file.seek(0, os.SEEK_END)
        self.size = self._file.tell()
        return self

    def __exit__(self, *error: object) -> None:
        if self.size == 0:  # nothing that is worth going on with
            self._notes.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _lock(self) -> None:
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            raise UserError(f"{self.path}: is no plain file - remove it")
        busy = UserError(f"{self.path}: another process is downloading this file - wait until it has ended")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        except OSError:  # a file system that knows no locks
            return
        # Whoever had the lock may have ended in between, and made this very file the target.
        if not self.path.exists() or not os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
            raise busy

    def version(self) -> Version | None:
        """What the bytes that are there belong to; None where there are none, or nothing says so."""
        if not self.size:
            return None
        try:
            with self._notes.open("rb") as file:
                version = Version(**json.loads(file.read(_LONGEST_NOTES)))
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        fits = isinstance(version.address, str) and isinstance(version.validator, str | None)
        return version if fits and isinstance(version.size, int | None) else None

    def begin(self, version: Version) -> None:
        """Forget what is there: what is written from now on belongs to this version."""
        self.drop()
        self._notes.write_text(json.dumps(version._asdict()) + "\n", "utf-8")

    def write(self, block: bytes) -> None:
        """Append. Raises UserError where the disk is full; what has arrived stays."""
        try:
            while block:
                block = block[self._file.write(block) :]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise UserError(
                f"{self.path}: {error.strerror} - make room and run it again, it goes on where it stopped"
            ) from None
        finally:
            self.size = self._file.tell()

    def sha256(self) -> str:
        """In hexadecimal digits, of all that is there."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    def drop(self) -> None:
        """Forget what is there."""
        self._notes.unlink(missing_ok=True)
        self._file.seek(0)
        self._file.truncate()
        self.size = 0

    def finish(self) -> None:
        """Make it the target, safe on disk when this returns."""
        os.fsync(self._file.fileno())
        os.replace(self.path, self.target)
        self._notes.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # some systems cannot do this to a folder
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
