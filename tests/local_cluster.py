"""A Dask cluster on this machine. Needs requirements-dask.lock."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import competition

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="requirements-dask.lock is not installed"
)


@contextlib.contextmanager
def local_cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """The address of a scheduler with two workers, and the workers."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(competition.ROOT), *sys.path])}
    begin = partial(subprocess.Popen, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    file = folder / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    processes = [begin([*command, "--no-dashboard", "--scheduler-file", file])]
    wait_until(lambda: file.exists() and file.stat().st_size)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", "1"]
    command += ["--no-nanny", "--no-dashboard", "--local-directory", folder / "work"]
    workers = [begin(command) for _ in range(2)]
    try:
        yield json.loads(file.read_text())["address"], workers
    finally:
        for process in [*workers, *processes]:
            process.kill()
            process.wait()


def wait_until(is_so: Callable[[], object]) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("nothing happens")
