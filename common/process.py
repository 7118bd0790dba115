"""What a script does to its own process, and a library must not: TensorFlow without its chatter, and memory that is
kept. No TensorFlow until asked."""

import contextlib
import ctypes
import gc
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from common.command_line import UserError

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8

# What tf_keras imports for pictures alone, and does without where it is missing.
_FOR_PICTURES = ("scipy", "PIL")


def start_tensorflow() -> None:
    """Load TensorFlow, when flags and files have been looked at. Whatever it writes while it starts is shown only when
    it fails: no log level counts yet when it speaks of CUDA drivers and of oneDNN. Raises UserError for a Python
    without docstrings, which tf_keras reads."""
    if sys.flags.optimize > 1:
        raise UserError("PYTHONOPTIMIZE=2, or python -OO: tf_keras does not start without docstrings - leave it out")
    keep_freed_memory()
    if "tensorflow" in sys.modules:
        return
    try:
        tempfile.gettempdir()
    except FileNotFoundError:  # a container that can only be read: TensorFlow asks for the name alone when it starts
        tempfile.tempdir = os.sep
    with quiet_standard_error(), _quick_start():
        from common.keras_compat import convert_no_code, tf

        tf.config.list_physical_devices()
        if (count := os.environ.get("VIRTUAL_CPUS", "1")) != "1":
            _make_virtual_cpus(count)
    convert_no_code()


def _make_virtual_cpus(count: str) -> None:
    """So many devices for TensorFlow out of the one CPU that it sees, no faster together: to try --devices."""
    from common.keras_compat import tf

    if not re.fullmatch("[1-9][0-9]?", count):
        raise UserError(f"VIRTUAL_CPUS={count}: must be a number from 1 to 99")
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * int(count))


@contextlib.contextmanager
def _quick_start() -> Iterator[None]:
    """Around the import of some thousand modules: no garbage is looked for, since there is none in them (a fifth of the
    time), now or later; and nothing is loaded for pictures. What was hidden can be imported afterwards."""
    hidden = [name for name in _FOR_PICTURES if name not in sys.modules]
    collects = gc.isenabled()
    gc.disable()
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
        gc.freeze()
        if collects:
            gc.enable()


@contextlib.contextmanager
def quiet_standard_error() -> Iterator[None]:
    """Hold back what native libraries write to file descriptor 2; show it when what is inside fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with os.fdopen(os.memfd_create("standard error"), "w+b") as held:  # in memory: there may be no folder to write to
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def keep_freed_memory() -> None:
    """Have glibc keep what TensorFlow frees, instead of giving it back to the kernel and asking for it again at every
    step.

    Batches differ in length, so hardly any array fits where another one was, and each new page costs a fault and 4 KiB
    of zeros: measured in training, 180,000 faults a second and 40 % of all processor time, against 300 faults and 4 %
    with these settings. The process keeps its largest size until it ends. Other C libraries have no such settings, and
    are left alone.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        for parameter, value in (
            (_M_ARENA_MAX, 1),
            (_M_MMAP_MAX, 0),
            (_M_TRIM_THRESHOLD, 2**31 - 1),
            (_M_TOP_PAD, 2**28),
        ):
            mallopt(parameter, value)
