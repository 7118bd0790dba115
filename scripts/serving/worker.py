"""The one thread that answers: what several requests ask of one run goes through its network together. No TensorFlow
but in what it is given to call."""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Tool = TypeVar("Tool")

#: How long the first of several requests waits for others, in seconds.
GATHERING_SECONDS = 0.004


class Busy(RuntimeError):
    """More wait already than may."""


class Stopped(RuntimeError):
    """The worker has ended, or is about to."""


@dataclass(eq=False)
class Job:
    """What one request asks: `key` says of what, jobs of equal keys share batches. `answers` is done with a result for
    each item, in order; whoever cancels it takes back what has not begun."""

    key: Hashable
    items: Sequence[Any]
    answers: Future = field(default_factory=Future)
    found: list[Any] = field(default_factory=list)


class Worker(Generic[Tool]):
    """A thread that makes its tool by `prepare` and then answers jobs by `work(tool, key, items)`, results in order.

    most_items: that go through the network together. Of several jobs that wait each has its share of them, so that a
    short one does not wait for the whole of a long one. is_slow: says of a key that its items go one at a time.
    most_jobs: that may wait at once. An error costs the job that it comes from, and no other.
    """

    def __init__(
        self,
        prepare: Callable[[], Tool],
        work: Callable[[Tool, Hashable, Sequence[Any]], Sequence[Any]],
        most_items: int = 64,
        most_jobs: int = 256,
        gathering_seconds: float = GATHERING_SECONDS,
        is_slow: Callable[[Hashable], bool] = lambda key: False,
    ):
        self.prepare, self.work, self.is_slow = prepare, work, is_slow
        self.most_items, self.most_jobs, self.gathering_seconds = most_items, most_jobs, gathering_seconds
        self.batches = 0
        self._waiting: list[Job] = []
        self._changed, self._stopped = threading.Condition(), False
        self._prepared: Future = Future()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> Tool:
        """The tool, when it is ready. Raises what `prepare` raises."""
        self._thread.start()
        return self._prepared.result()

    def ask(self, key: Hashable, items: Sequence[Any]) -> Job:
        """A job that waits from now on. Raises Busy and Stopped."""
        job = Job(key, items)
        with self._changed:
            if self._stopped:
                raise Stopped
            self._drop_cancelled()
            if len(self._waiting) >= self.most_jobs:
                raise Busy
            if not items:
                job.answers.set_result([])
                return job
            self._waiting.append(job)
            self._changed.notify()
        return job

    def stop(self, seconds: float = 10.0) -> None:
        """What waits is cancelled, what is being computed ends; waits that long for it."""
        with self._changed:
            self._stopped = True
            for job in self._waiting:
                job.answers.cancel()
            self._waiting.clear()
            self._changed.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive() and not self._stopped

    def _run(self) -> None:
        try:
            tool = self.prepare()
        except BaseException as error:
            self._prepared.set_exception(error)
            return
        self._prepared.set_result(tool)
        while shares := self._next():
            self._answer(tool, shares)

    def _next(self) -> list[tuple[Job, Sequence[Any]]]:
        """Jobs of one key, with what is to be answered now of each; none at the end."""
        with self._changed:
            self._drop_cancelled()
            while not self._waiting and not self._stopped:
                self._changed.wait()
                self._drop_cancelled()
            if self._stopped:
                return []
            until = time.monotonic() + self.gathering_seconds
            while not self._is_full() and (left := until - time.monotonic()) > 0 and not self._stopped:
                self._changed.wait(left)
            self._drop_cancelled()
            return self._shares()

    def _drop_cancelled(self) -> None:
        self._waiting = [job for job in self._waiting if not job.answers.cancelled()]

    def _is_full(self) -> bool:
        key = self._waiting[0].key if self._waiting else None
        return sum(len(job.items) - len(job.found) for job in self._waiting if job.key == key) >= self._most(key)

    def _most(self, key: Hashable) -> int:
        return 1 if self.is_slow(key) else self.most_items

    def _shares(self) -> list[tuple[Job, Sequence[Any]]]:
        """Of the first job that waits and of those of its key. What is then left of a job goes behind the others."""
        key = self._waiting[0].key
        left, shares = self._most(key), []
        jobs = [job for job in self._waiting if job.key == key][:left]
        for number, job in enumerate(sorted(jobs, key=lambda job: len(job.items) - len(job.found))):
            share = max(1, left // (len(jobs) - number))
            part = job.items[len(job.found) : len(job.found) + share]
            left -= len(part)
            shares.append((job, part))
        taken = {id(job) for job, _ in shares}
        unfinished = [job for job, part in shares if len(job.found) + len(part) < len(job.items)]
        self._waiting = [job for job in self._waiting if id(job) not in taken] + unfinished
        return shares

    def _answer(self, tool: Tool, shares: Sequence[tuple[Job, Sequence[Any]]]) -> None:
        self.batches += 1
        key = shares[0][0].key
        try:
            results = list(self.work(tool, key, [item for _, part in shares for item in part]))
        except Exception as error:
            if len(shares) == 1:
                self._end(shares[0][0], error)
                return
            for share in shares:
                self._answer(tool, [share])
            return
        for job, part in shares:
            job.found += results[: len(part)]
            del results[: len(part)]
            if len(job.found) == len(job.items):
                self._end(job)

    def _end(self, job: Job, error: Exception | None = None) -> None:
        with self._changed:
            self._waiting = [one for one in self._waiting if one is not job]
        try:
            job.answers.set_result(job.found) if error is None else job.answers.set_exception(error)
        except InvalidStateError:  # whoever asked has gone meanwhile
            pass
