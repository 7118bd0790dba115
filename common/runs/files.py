"""Files of a run directory that anybody may have made, and that others may be using. No TensorFlow."""

import fcntl
import json
import math
import os
import shutil
import time
import weakref
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.submission import TEMPORARY_PREFIX

#: The largest JSON file that is read; those of large contests have a tenth of it.
_MOST_BYTES = 2**30
#: How old a half-made run is left alone in any case, in seconds: its maker locks it when it has made the folder.
_NEW = 60


def file_of_run(folder: Path, name: str) -> Path:
    """The path of a file or folder `name` below the folder of a run, there or not. Raises UserError where a symbolic
    link stands in its place or above it: nothing in a run is followed out of it."""
    path = folder / name
    for place in (path, *list(path.parents)[: len(Path(name).parts) - 1]):
        if place.is_symlink():
            raise UserError(f"{place}: is a symbolic link - a run keeps its files in itself: put the file itself there")
    return path


def check_plain(path: Path, most_bytes: int = _MOST_BYTES) -> None:
    """Raises ValueError for what is no file (a pipe would be waited for), or too large a one."""
    if not path.is_file():
        raise ValueError("there is no such file")
    if path.stat().st_size > most_bytes:
        raise ValueError(f"it is larger than {most_bytes:,} bytes")


def read_json(path: Path, most_bytes: int = _MOST_BYTES) -> Any:
    """The JSON in a file of a run. Raises UserError when it is missing, damaged or too large, and OSError when it may
    not be read."""
    try:
        check_plain(path, most_bytes)
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}) - it is damaged, or of another version: train the run again"
        ) from None


def bytes_of_weights(folder: Path) -> float:
    """What the weights of a run take on the disk, and so what its network has at most; infinity before there are
    any."""
    files = [path for name in ("best.weights.h5", "last/state.h5") if (path := file_of_run(folder, name)).is_file()]
    return sum(path.stat().st_size for path in files) if files else math.inf


# Locks


class Lock:
    """Keeps other processes off a file until the last user of this object is gone, or the process, however it ends."""

    def __init__(self, descriptor: int):
        weakref.finalize(self, os.close, descriptor)


#: By device and inode: this process may open a run several times.
_held: weakref.WeakValueDictionary[tuple[int, int], Lock] = weakref.WeakValueDictionary()


def lock(path: Path) -> Lock | None:
    """Lock a file that is there; None on a file system that knows no locks. Raises BlockingIOError while another
    process has it locked, and OSError where it may not be written."""
    descriptor = os.open(path, os.O_RDWR)  # NFS locks nothing that is open for reading only
    status = os.fstat(descriptor)
    place = status.st_dev, status.st_ino
    if held := _held.get(place):
        os.close(descriptor)
        return held
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return _held.setdefault(place, Lock(descriptor))


def remove_half_made(parent: Path, locked: str) -> None:
    """Delete the folders of runs that nobody is making any more. locked: the file that who makes one has locked."""
    for folder in parent.glob(f"{TEMPORARY_PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime > _NEW:
                held = lock(folder / locked) if (folder / locked).exists() else True
                if held:
                    shutil.rmtree(folder)
        except OSError:  # its maker is at work, or was faster
            continue
