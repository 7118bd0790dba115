"""common/jobs: every script once, several at a time, whatever one of them does; and none is left when we are ended."""

import json
import os
import signal
import threading
import time

import pytest

from common.command_line import UserError
from common.jobs import THREADS, Job, JobOptions, last_line, run_jobs

from helpers import write
from local_cluster import local_cluster, needs_dask, wait_until

#: Notes when it began, with which flags and threads, and when it ended; told to, it waits for SIGTERM, or fails.
SCRIPT = f"""
import json, os, signal, sys, time
from pathlib import Path

folder, name, does, *flags = Path(sys.argv[1]), *sys.argv[2:]
begun = time.time()
def end(*_):
    (folder / f"{{name}}.asked").touch()
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
print("begun")
(folder / f"{{name}}.begun").touch()
if does == "wait":
    time.sleep(60)
time.sleep(0.3)
threads = [os.environ.get(one) for one in {THREADS}]
(folder / f"{{name}}.json").write_text(json.dumps([begun, time.time(), flags, threads]))
if does == "fail":
    sys.exit("error: lost\\n  \\n")
print("ended")
"""


@pytest.fixture
def job(tmp_path):
    script = write(tmp_path / "script.py", SCRIPT)

    def make(name, does="end", run=None):
        return Job(name, script, (str(tmp_path), name, does), tmp_path / "logs" / f"{name}.log", run)

    return make


def noted(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def overlap(folder, one, other):
    (begun, ended, *_), (other_begun, other_ended, *_) = noted(folder, one), noted(folder, other)
    return begun < other_ended and other_begun < ended


@pytest.mark.parametrize("at_once", [1, 2])
def test_all_are_run_and_one_that_fails_stops_no_other(at_once, job, tmp_path, monkeypatch):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    jobs = [job("a"), job("b", "fail"), job("c", run=tmp_path), job("d", run=tmp_path / "none")]
    reported = []
    ended = run_jobs(jobs, JobOptions(jobs=at_once), reported.append)
    assert reported == ended and {one.job for one in ended} == {*jobs}
    found = {one.job.name: one for one in ended}
    assert [(name, found[name].status, found[name].last_line) for name in "abcd"] == [
        ("a", 0, "ended"),
        ("b", 1, "error: lost"),
        ("c", 0, "ended"),
        ("d", 0, "ended"),
    ]
    assert all(0.3 < one.seconds < 60 for one in ended)
    assert [noted(tmp_path, name)[2] for name in "acd"] == [[], ["--resume"], []], "what is there goes on"
    assert overlap(tmp_path, "a", "b") == (at_once == 2)
    share = str(max(1, len(os.sched_getaffinity(0)) // 2)) if at_once == 2 else None
    assert noted(tmp_path, "a")[3] == [share] * len(THREADS)


def test_threads_that_are_given_count(job, tmp_path):
    run_jobs([job("a")], JobOptions(jobs=3, threads=5), lambda ended: None)
    assert noted(tmp_path, "a")[3] == ["5"] * len(THREADS)


def test_a_log_is_added_to(job, tmp_path):
    for _ in range(2):
        run_jobs([job("a")], JobOptions(), lambda ended: None)
    assert (tmp_path / "logs/a.log").read_text() == "begun\nended\n" * 2
    assert last_line(write(tmp_path / "empty.log", "\n")) == ""


@pytest.mark.parametrize("number, raised", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_ends_those_that_run_and_begins_no_other(number, raised, job, tmp_path):
    def end():
        wait_until(lambda: (tmp_path / "a.begun").exists() and (tmp_path / "b.begun").exists())
        os.kill(os.getpid(), number)

    threading.Thread(target=end).start()
    begun = time.monotonic()
    with pytest.raises(raised):
        run_jobs([job("a", "wait"), job("b", "wait"), job("c")], JobOptions(jobs=2), lambda ended: None)
    assert time.monotonic() - begun < 30
    assert sorted(path.name for path in tmp_path.glob("*.asked")) == ["a.asked", "b.asked"]
    assert not (tmp_path / "c.begun").exists()


def test_a_scheduler_has_machines_of_its_own():
    with pytest.raises(UserError, match="--jobs: are those of this machine, and --scheduler runs elsewhere - give one"):
        JobOptions(jobs=2, scheduler="tcp://a:1")


@needs_dask
@pytest.mark.slow(reason="a cluster takes seconds to start")
def test_a_cluster_runs_the_same_and_ends_them_too(job, tmp_path):
    with local_cluster(tmp_path) as (address, _):
        options = JobOptions(scheduler=address, threads=3)
        ended = run_jobs([job("a"), job("b", "fail"), job("c", run=tmp_path)], options, lambda ended: None)
        assert {one.job.name: (one.status, one.last_line) for one in ended} == {
            "a": (0, "ended"),
            "b": (1, "error: lost"),
            "c": (0, "ended"),
        }
        assert noted(tmp_path, "c")[2:] == [["--resume"], ["3"] * len(THREADS)]

        def end():
            wait_until(lambda: (tmp_path / "d.begun").exists() and (tmp_path / "e.begun").exists())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=end).start()
        with pytest.raises(KeyboardInterrupt):
            run_jobs([job("d", "wait"), job("e", "wait"), job("f")], options, lambda ended: None)
    assert sorted(path.name for path in tmp_path.glob("*.asked")) == ["d.asked", "e.asked"]
    assert not (tmp_path / "f.begun").exists()
