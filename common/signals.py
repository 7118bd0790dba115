"""Signals that ask a process for its end: Ctrl-C, SIGTERM, and SIGHUP, when a terminal goes away. No TensorFlow."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class Stopped(SystemExit):
    """A signal asked for the end; the exit code is what shells make of it."""

    def __init__(self, number: int):
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Signals that ask for an end raise KeyboardInterrupt or Stopped once; when it is ending, more change nothing."""
    is_ending = False

    def end(number: int, frame: Any) -> None:
        nonlocal is_ending
        if not is_ending:
            is_ending = True
            raise KeyboardInterrupt if number == signal.SIGINT else Stopped(number)

    if threading.current_thread() is not threading.main_thread():  # only there are signals handled
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {one: signal.signal(one, end) for one in signals if signal.getsignal(one) not in (signal.SIG_IGN, None)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
