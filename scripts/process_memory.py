"""What this process holds of the machine's memory, which is not what it has asked for: pages that were touched. Linux
only. No TensorFlow."""

from pathlib import Path


def resident() -> int:
    """Bytes now."""
    return _status("VmRSS")


def peak() -> int:
    """Bytes at most, until now. Not `ru_maxrss`, which counts the process that started this one as well."""
    return _status("VmHWM")


def _status(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split(f"{name}:")[1].split()[0]) * 1024
