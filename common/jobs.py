"""Scripts in processes of their own: so many at a time on this machine, or each as a task of a Dask cluster.

What a script prints is added to a file. Whatever ends us ends all of them first, and asks them by SIGTERM, at which
train.py loses nothing but the epoch in progress.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from common.cluster import connect
from common.command_line import UserError, check_at_least, one_line
from common.signals import stopped_by_signals

#: Read where libraries for numbers are loaded; TensorFlow reads the first two.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_PATIENCE = 0.5  # seconds between two looks at whether all is to end
_LAST_BYTES = 4096  # of a log, in which its last line is


@dataclass
class JobOptions:
    """How many runs go on at a time, and where."""

    jobs: int = 1
    """So many at a time, each in a process of its own."""
    scheduler: str | None = None
    """Address of a Dask scheduler, whose workers run them in place of this machine, one in each thread of a worker. All
    must see this repository, the data and the runs under the same names."""
    threads: int = 0
    """Threads of each process; 0: with --jobs its share of the processor's cores, else as many as there are."""

    def __post_init__(self):
        check_at_least(self, jobs=1, threads=0)
        if self.scheduler and self.jobs > 1:
            raise UserError("--jobs: are those of this machine, and --scheduler runs elsewhere - give one of both")

    @property
    def environment(self) -> dict[str, str]:
        """What a process gets to know of its threads."""
        threads = self.threads or (len(os.sched_getaffinity(0)) // self.jobs or 1 if self.jobs > 1 else 0)
        return dict.fromkeys(THREADS, str(threads)) if threads else {}


@dataclass(frozen=True)
class Job:
    """A script to be run with some flags. run: the run directory that it makes; where this is there already, it gets
    --resume. log: the file that it prints into. folder: where it is run, and other paths begin."""

    name: str
    script: Path
    flags: tuple[str, ...]
    log: Path
    run: Path | None = None
    folder: Path = field(default_factory=Path.cwd)

    @property
    def command(self) -> list[str]:
        resume = ["--resume"] if self.run and (self.folder / self.run).is_dir() else []
        return [sys.executable, str(self.script), *self.flags, *resume]


class Ended(NamedTuple):
    """How a job ended. status: its exit code, below 0 for a signal, None where it was not begun. last_line: of its
    log."""

    job: Job
    status: int | None
    seconds: float
    last_line: str


def run_jobs(jobs: Sequence[Job], options: JobOptions, report: Callable[[Ended], object]) -> list[Ended]:
    """Runs all of them and gives each to `report` when it has ended, which is the order of the list as well. A job that
    fails keeps no other from going on; a signal that ends this process ends all of them, which is said on stderr, and is
    raised then. Raises UserError where the scheduler does not answer."""
    found = []
    with stopped_by_signals(), (_cluster if options.scheduler else _processes)(options) as place:
        begun = [place.submit(job) for job in jobs]
        try:
            for future in place.as_completed(begun):
                found.append(future.result())
                report(found[-1])
        except BaseException:
            place.stop()
            place.wait(begun)
            print("\nall have been ended, and keep their whole epochs; continue with the same command", file=sys.stderr)
            raise
    return found


def tell(ended: Ended) -> None:
    """Prints a line on how a job ended."""
    took = f"{int(ended.seconds) // 60}:{int(ended.seconds) % 60:02d}"
    outcome = f"failed: {ended.last_line}" if ended.status else "done"
    print(f"{ended.job.name}  {took}  {outcome}  ({ended.job.log})", flush=True)


class _Place(NamedTuple):
    """Where jobs are run: `concurrent.futures` or Dask's. stop: has those that run end, and others not begin."""

    submit: Callable[[Job], Any]
    as_completed: Callable[[list[Any]], Iterator[Any]]
    wait: Callable[[list[Any]], object]
    stop: Callable[[], object]


@contextlib.contextmanager
def _processes(options: JobOptions) -> Iterator[_Place]:
    stopped = threading.Event()
    with futures.ThreadPoolExecutor(options.jobs) as pool:

        def submit(job: Job) -> futures.Future[Ended]:
            return pool.submit(_run, job, options.environment, stopped.is_set)

        yield _Place(submit, futures.as_completed, futures.wait, stopped.set)


@contextlib.contextmanager
def _cluster(options: JobOptions) -> Iterator[_Place]:
    with connect(options.scheduler) as client, client.as_current():
        from distributed import Event, as_completed, wait

        name = uuid.uuid4().hex

        def submit(job: Job) -> Any:
            return client.submit(_task, job, options.environment, name, pure=False)

        yield _Place(submit, as_completed, wait, Event(name, client).set)


def _task(job: Job, environment: dict[str, str], stopped: str) -> Ended:
    """Task of a worker. stopped: name of the event that is set where all is to end."""
    from distributed import Event

    return _run(job, environment, Event(stopped).is_set)


def _run(job: Job, environment: dict[str, str], is_stopped: Callable[[], bool]) -> Ended:
    begun = time.monotonic()
    if is_stopped():
        return Ended(job, None, 0.0, "")
    path = job.folder / job.log
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        # A group of its own, so that Ctrl-C in a terminal does not reach it past us, and what it has begun ends with it.
        process = subprocess.Popen(
            job.command,
            cwd=job.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | environment | {"PYTHONUNBUFFERED": "1"},
            process_group=0,
        )
        is_asked = False
        while (status := _status(process)) is None:
            if not is_asked and is_stopped():
                is_asked = True
                os.killpg(process.pid, signal.SIGTERM)
    return Ended(job, status, time.monotonic() - begun, last_line(path))


def _status(process: subprocess.Popen) -> int | None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(_PATIENCE)
    return None


def last_line(log: Path) -> str:
    """The last line of a log that is not blank; nothing where there is none."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return one_line(next((line for line in reversed(lines) if line.strip()), "").strip())
