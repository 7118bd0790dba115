"""What strangers and attackers send: files, texts, archives, checkpoints, runs and indices that are not as they should
be, made by chance and counted. `scripts/battery.py` is the command, `tests/test_battery.py` a short run and a long one.

Every input is made from (part, seed, number) alone, so that each can be tried again by itself. What the code does with
it is either its work or a refusal: a UserError of one line that fits a screen and names what it is about. All else, and
more time or memory than any such input may take, is a fault.
"""

import contextlib
import faulthandler
import io
import os
import random
import resource
import signal
import sys
import time
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from common.command_line import UserError

from contests import Contest
from workshop import Finished, Trained, Workshop

#: Seconds of processor time, and bytes of memory in addition, that one call may take, unless its part says otherwise.
SECONDS, MEMORY = 5.0, 2**30

_LONGEST_REFUSAL = 1000
# What hangs in native code sees no signal: then the process ends, after it has said where it was.
_WATCHDOG_SECONDS = 600


class Fault(NamedTuple):
    """What should not have happened with an input, and where it did."""

    number: int
    what: str
    problem: str


class Refusal(Exception):
    """What a script said when it refused."""


class TookTooLong(BaseException):
    """No Exception, or what is tried might catch it."""


class Tally:
    """What came of the calls of one part. `outcomes` counts those that worked and those that were refused."""

    def __init__(self, seconds: float, memory: int):
        self.seconds, self.memory = seconds, memory
        self.number = 0
        self.outcomes: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.slowest = 0.0

    def call(self, what: str, function: Callable[[], Any], *named: Path) -> Any:
        """What the function returns; None where it refuses, as it should, or fails. One of the paths `named` must stand
        in a refusal."""
        begun = time.process_time()
        result, problem = None, None
        try:
            with limits(self.seconds, self.memory), contextlib.redirect_stdout(io.StringIO()):
                result = function()
            self.outcomes["worked"] += 1
        except (UserError, Refusal) as error:
            self.outcomes["refused"] += 1
            problem = problem_of(str(error), named)
        except (Exception, TookTooLong) as error:
            problem = shown(error)
        seconds = time.process_time() - begun
        self.slowest = max(self.slowest, seconds)
        if problem is None and seconds > self.seconds:
            problem = f"took {seconds:.1f} seconds"
        if problem is not None:
            self.fault(what, problem)
        return result

    def fault(self, what: str, problem: str) -> None:
        self.faults.append(Fault(self.number, what, problem))

    def line(self, part: str, inputs: int, seconds: float) -> str:
        worked, refused = self.outcomes["worked"], self.outcomes["refused"]
        return (
            f"{part:<12} {inputs:>7,} inputs  {worked:>8,} worked  {refused:>8,} refused  {len(self.faults):>5,} faults  "
            f"slowest {self.slowest:.1f} s  ({seconds:.0f} s)"
        )


class Part(Protocol):
    """A kind of inputs. `seconds`, `memory`: that a call may take."""

    seconds: float = SECONDS
    memory: int = MEMORY

    def order(self, number: int) -> int:
        """Inputs that share something costly have the same order, and follow each other."""
        return 0

    def attempt(self, generator: random.Random, tally: Tally) -> None:
        """Makes the input `tally.number` from the generator and tries it."""


def try_part(name: str, part: Part, numbers: Iterable[int], seed: int) -> Tally:
    """What comes of these inputs."""
    tally = Tally(part.seconds, part.memory)
    for number in sorted(numbers, key=lambda number: (part.order(number), number)):
        tally.number = number
        faulthandler.dump_traceback_later(_WATCHDOG_SECONDS, exit=True, file=sys.__stderr__)
        try:
            part.attempt(random.Random(f"{name} {seed} {number}"), tally)
        finally:
            faulthandler.cancel_dump_traceback_later()
    return tally


@contextlib.contextmanager
def limits(seconds: float, memory: int) -> Iterator[None]:
    """Inside, more processor time raises TookTooLong, as waiting ten times as long does; and more memory than now by so
    many bytes MemoryError."""

    def stop(number, frame):
        raise TookTooLong(f"more than {seconds:g} seconds" if number == signal.SIGPROF else "waits for ever")

    before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, hard))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def answered(done: Finished) -> Finished:
    """What a script did that worked. Raises Refusal with its line of error, and AssertionError for any other end, and
    where it printed what acts on a terminal."""
    printed = f"{done.out}{done.err}".replace("\n", "")
    if acts_on_terminal(printed):
        raise AssertionError(f"prints control characters: {printed!r:.300}")
    if done.code == 0:
        return done
    lines = [line for line in done.err.removesuffix("\n").split("\n") if not line.startswith("WARNING: ")]
    if done.code != 2 or len(lines) != 1 or not lines[0].startswith("error: "):
        raise AssertionError(f"exit code {done.code}, and on stderr {done.err!r:.600}")
    raise Refusal(lines[0])


def acts_on_terminal(text: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text)


def trained_quietly(workshop: Workshop, contest: Contest) -> Trained:
    """The trained run of a contest, without what its training prints."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return workshop.trained(contest)


def problem_of(message: str, named: Iterable[Path]) -> str | None:
    """What is wrong with a refusal; None where nothing is."""
    if acts_on_terminal(message):
        return f"the refusal has line ends or control characters: {message!r:.300}"
    if len(message) > _LONGEST_REFUSAL:
        return f"the refusal has {len(message)} characters: {message:.300}"
    if named and not any(str(path) in message for path in named):
        return f"the refusal does not say what it is about: {message}"
    return None


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below, with what is in it; a link with where it leads."""
    return {
        str(path.relative_to(folder)): os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def shown(error: BaseException) -> str:
    """What was raised, and where in the code of the repository or else at all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/common/" in frame.filename or "/competitions/" in frame.filename]
    place = (ours or frames)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}: {' '.join(str(error).split()):.300}"
