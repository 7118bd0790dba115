"""What this process holds of the machine's memory, which is not what it has asked for: pages that were touched. Linux
only. No TensorFlow."""

import contextlib
from pathlib import Path


def resident() -> int:
    """Bytes now."""
    return _status("VmRSS")


def peak() -> int:
    """Bytes at most, until now. Not `ru_maxrss`, which counts the process that started this one as well."""
    return _status("VmHWM")


def with_children() -> int:
    """Bytes now of this process and those it has begun, where pages that several of them have count once."""
    numbers = [number for path in Path("/proc/self/task").glob("*/children") for number in path.read_text().split()]
    total = 0
    for number in ("self", *numbers):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            total += _kilobytes(Path("/proc", number, "smaps_rollup"), "Pss")
    return total * 1024


def _status(name: str) -> int:
    return _kilobytes(Path("/proc/self/status"), name) * 1024


def _kilobytes(path: Path, name: str) -> int:
    return int(path.read_text(encoding="utf-8").split(f"{name}:")[1].split()[0])
