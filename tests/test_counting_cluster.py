"""A Dask cluster counts what one process counts, also when one of its workers dies in the middle. Needs
requirements-dask.lock; without it only the refusals are tested."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from functools import partial

import pytest

from common.lexicon.corpus import blocks_of, partitions_of
from common.lexicon.counting import Budget, Work, Workers, count_ngrams
from common.lexicon.tables import count_windows

import competition
from helpers import write
from test_counting import as_counts

HAS_DASK = importlib.util.find_spec("distributed") is not None
BUDGET = Budget(text=2000, tables=2**20, rows=2**20, units=10_000)
pytestmark = [
    pytest.mark.skipif(not HAS_DASK, reason="requirements-dask.lock is not installed"),
    pytest.mark.slow(reason="a cluster takes seconds to start"),
]


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler with two workers, and the workers."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(competition.ROOT), *sys.path])}
    begin = partial(subprocess.Popen, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    file = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    processes = [begin([*command, "--no-dashboard", "--scheduler-file", file])]
    wait_until(lambda: file.exists() and file.stat().st_size)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", "1"]
    command += ["--no-nanny", "--no-dashboard", "--local-directory", tmp_path / "work"]
    workers = [begin(command) for _ in range(2)]
    yield json.loads(file.read_text())["address"], workers
    for process in [*workers, *processes]:
        process.kill()
        process.wait()


def wait_until(is_so):
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("nothing happens")


def count_slowly(units, folder):
    """As the real one, and leaves a file for each time."""
    (folder / uuid.uuid4().hex).touch()
    time.sleep(0.02)
    return count_windows(units, 3)


def counted(path, folder, windows, workers):
    work = Work(windows, 3, BUDGET, folder, ())
    counts = count_ngrams(partitions_of([path], 8000), 2, work, workers)
    return as_counts(counts.vocabulary, counts.parts), counts.total


@pytest.mark.parametrize("dies", [False, True])
def test_the_same_as_one_process(dies, cluster, tmp_path):
    address, workers = cluster
    lines = ("".join(chr(0x4E00 + (number * step) % 97) for step in range(1, 60)) for number in range(4000))
    path = write(tmp_path / "a.txt", "\n".join(lines))
    calls = tmp_path / "calls"
    calls.mkdir()

    def kill():
        wait_until(lambda: len(list(calls.iterdir())) > 40)
        workers[0].send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill if dies else lambda: None)
    killer.start()
    found = counted(path, tmp_path, partial(count_slowly, folder=calls), Workers(scheduler=address))
    killer.join()
    assert found == counted(path, tmp_path, partial(count_windows, order=3), Workers())
    blocks = sum(1 for part in partitions_of([path], 8000) for _ in blocks_of(part, (), BUDGET.text))
    again = len(list(calls.iterdir())) - blocks
    assert again > 0 if dies else again == 0
