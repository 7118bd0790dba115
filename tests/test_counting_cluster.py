"""A Dask cluster counts what one process counts, also when one of its workers dies in the middle. Needs
requirements-dask.lock; without it only the refusals are tested."""

import signal
import threading
import time
import uuid
from functools import partial

import pytest

from common.lexicon.corpus import blocks_of, partitions_of
from common.lexicon.counting import Budget, Work, Workers, count_ngrams
from common.lexicon.tables import count_windows

from helpers import write
from local_cluster import local_cluster, needs_dask, wait_until
from test_counting import as_counts

BUDGET = Budget(text=2000, tables=2**20, rows=2**20, units=10_000)
pytestmark = [
    needs_dask,
    pytest.mark.slow(reason="a cluster takes seconds to start"),
]


@pytest.fixture
def cluster(tmp_path):
    with local_cluster(tmp_path) as found:
        yield found


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
