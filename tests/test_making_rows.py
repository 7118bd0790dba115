"""common/making_rows: rows made by several processes are those made by one, whatever happens to the others."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import making_rows
from common.command_line import UserError
from common.making_rows import rows_in_order

import competition


@dataclass(slots=True)
class Example:
    text: str


EXAMPLES = [Example("天" * number) for number in range(200)]


def make(lost, part):
    """None, one or two rows of an example, with the process that made them."""
    for number in range(len(EXAMPLES))[part]:
        example = EXAMPLES[number]
        lost[f"reason {number % 7}"] += number
        for copy in range(number % 3):
            yield example, np.full(number, copy, np.int8), os.getpid()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 200), st.integers(2, 4), st.integers(1, 70))
def test_several_processes_make_the_rows_of_one(count, processes, part):
    alone, together = Counter(), Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making_rows, "_PART", part)
        expected = list(rows_in_order(make, count, alone, EXAMPLES, 1))
        rows = list(rows_in_order(make, count, together, EXAMPLES, processes))
    assert list(together.items()) == list(alone.items()), "in the order in which they were met"
    for (example, array, maker), (other, right, here) in zip(rows, expected, strict=True):
        assert example is other and maker != here == os.getpid()
        np.testing.assert_array_equal(array, right, strict=True)
    assert not multiprocessing.active_children()


def test_what_goes_wrong_there_goes_wrong_here():
    def fail(lost, part):
        yield from make(lost, part)
        if part.start > 50:
            raise UserError("no such thing")

    rows = rows_in_order(fail, 200, Counter(), EXAMPLES, 2)
    with pytest.raises(UserError, match="no such thing"):
        list(rows)
    assert not multiprocessing.active_children()


def test_the_rest_of_a_process_that_was_killed_is_made_here(capsys):
    here = os.getpid()

    def die(lost, part):
        yield from make(lost, part)
        if part.start > 50 and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)

    alone, lost = Counter(), Counter()
    rows, expected = (
        list(rows_in_order(die, 200, lost, EXAMPLES, 2)),
        list(rows_in_order(make, 200, alone, EXAMPLES, 1)),
    )
    assert [(len(array), array.sum()) for _, array, _ in rows] == [
        (len(array), array.sum()) for _, array, _ in expected
    ]
    assert lost == alone and rows[-1][2] == here
    assert capsys.readouterr().err.count("features are made by one process from here on") == 1


def test_where_no_process_is_to_be_had_all_is_made_here(monkeypatch, capsys):
    def refuse(*arguments):
        raise OSError("no semaphores")

    monkeypatch.setattr(making_rows, "ProcessPoolExecutor", refuse)
    rows = list(rows_in_order(make, 200, Counter(), EXAMPLES, 2))
    assert len(rows) == 199 and {maker for *_, maker in rows} == {os.getpid()}
    assert capsys.readouterr().err.count("no semaphores") == 1


def test_who_wants_no_more_rows_leaves_no_process():
    rows = rows_in_order(make, 200, Counter(), EXAMPLES, 2)
    next(rows)
    assert len(multiprocessing.active_children()) == 2
    rows.close()
    assert not multiprocessing.active_children()


KILLED = """
import os, time
from collections import Counter
from common.making_rows import rows_in_order

def make(lost, part):
    print(os.getpid(), flush=True)
    time.sleep(60)
    yield 1

list(rows_in_order(make, 200, Counter(), (), 2))
"""


def test_none_outlives_the_one_that_was_killed():
    environment = {**os.environ, "PYTHONPATH": str(competition.ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        makers = [int(process.stdout.readline()) for _ in range(2)]
        process.kill()
    end = time.monotonic() + 20
    while any(_runs(maker) for maker in makers) and time.monotonic() < end:
        time.sleep(0.02)
    assert len(set(makers)) == 2 and not any(map(_runs, makers))


def _runs(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    "platform, count, cores, expected",
    [
        ("linux", 999, 4, 0),
        ("linux", 2500, 4, 2),
        ("linux", 10**6, 4, 4),
        ("linux", 10**6, 64, 8),
        ("darwin", 10**6, 4, 1),
    ],
)
def test_processes_are_begun_where_they_pay(platform, count, cores, expected, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(cores), raising=False)
    assert making_rows._usable(count) == expected
