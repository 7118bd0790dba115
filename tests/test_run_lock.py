"""A run that several processes, signals and full disks meet in: one process trains it, others read it, and what was
written stays whole."""

import contextlib
import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest

from common.command_line import UserError
from common.keras_compat import tf
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.runs.callbacks import KeepRun, resumable
from common.runs.directory import Run, create_run, open_run, parse_training_flags
from common.runs.weights import load_about, load_arrays, save_arrays

import tiny_training
from competition import ROOT


@dataclass
class Config:
    """A contest's Config."""

    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    run: RunOptions = field(default_factory=RunOptions)


#: Holds the run that it is told, says what came of it, and waits.
HOLD = """
import sys
from pathlib import Path
from common.command_line import UserError
from common.runs.directory import open_run
run = open_run(Path(sys.argv[1]), "task")
try:
    run.hold()
    print("held", flush=True)
    sys.stdin.read()
except UserError as error:
    print(error)
"""


def new_run(folder, name="one"):
    return create_run("task", folder, name, None, {}, lambda folder: None)


@contextlib.contextmanager
def other_process(run):
    """Another process that holds a run, or tries to, and the line it says."""
    command = [sys.executable, "-c", HOLD, run.path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, **pipes) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path):
    run = new_run(tmp_path)  # which is held by who makes it
    open_run(run.path, "task").hold()  # by this process as often as it likes
    with other_process(run) as (_, said):
        assert said == f"{run.path}: is being trained by another process - wait for its end, or stop it"
    del run
    run = open_run(tmp_path / "task" / "one", "task")
    with other_process(run) as (process, said):
        assert said == "held"
        model = tiny_training.build()
        model.compile("sgd")
        flags = ["--resume", "--output-dir", str(tmp_path)]
        for function in (
            run.hold,
            partial(KeepRun(run, lambda: None, 1, ["f1"]).resume, model),
            partial(parse_training_flags, Config, "task", flags),
        ):
            with pytest.raises(UserError, match="trained by another process"):
                function()
        process.kill()  # without warning
        process.wait()
        run.hold()


@pytest.mark.parametrize("error", [BlockingIOError, OSError])
def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch, error):
    run = new_run(tmp_path)
    path = run.path
    del run

    def flock(descriptor, operation):
        raise error("No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    if error is OSError:
        open_run(path, "task").hold()
    else:
        with pytest.raises(UserError, match="trained by another process"):
            open_run(path, "task").hold()


def test_weights_are_read_without_a_lock(tmp_path):
    path = tmp_path / "best.weights.h5"
    save_arrays(path, {"model": [("weight:0", np.ones(3))]})
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert len(load_arrays(path, "model")) == 1 and load_about(path) == {}


def test_a_run_that_cannot_be_written_is_told_at_once(tmp_path, monkeypatch):
    run = new_run(tmp_path)
    path, opened = run.path, os.open
    del run

    def read_only(name, flags, *arguments, **options):
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(30, "Read-only file system", str(name))
        return opened(name, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(UserError, match=f"^{path}: cannot be written .Read-only file system. - copy the run"):
        open_run(path, "task").hold()


def test_what_a_killed_process_left_of_a_new_run_goes_and_what_another_is_making_stays(tmp_path):
    parent = tmp_path / "task"
    for name in ("old", "without a config", "new", "being made"):
        (parent / f".tmp-{name}").mkdir(parents=True)
        if "without" not in name:
            (parent / f".tmp-{name}" / "config.json").write_text('{"task": "task", "settings": {}, "data": {}}')
        if name != "new":
            os.utime(parent / f".tmp-{name}", (time.time() - 100,) * 2)
    with other_process(Run(parent / ".tmp-being made", {})) as (_, said):
        assert said == "held"
        os.utime(parent / ".tmp-being made", (time.time() - 100,) * 2)
        new_run(tmp_path)
    assert sorted(path.name for path in parent.iterdir()) == [".tmp-being made", ".tmp-new", "one"]


# The end of a training before its end


@pytest.fixture
def handlers():
    """Puts the handlers of signals back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "raised", "code", "said"),
    [
        (signal.SIGINT, KeyboardInterrupt, None, ""),
        (signal.SIGTERM, SystemExit, 143, "stopped by SIGTERM: "),
        (signal.SIGHUP, SystemExit, 129, "stopped by SIGHUP: "),
    ],
)
def test_signals_end_a_training_once_and_say_how_to_go_on(tmp_path, capsys, handlers, number, raised, code, said):
    run = new_run(tmp_path, "a run")
    impatience = signal.SIGTERM if number == signal.SIGINT else signal.SIGINT
    for one in (number, impatience):  # this process may have been started by nohup, or with &
        signal.signal(one, signal.default_int_handler)
    with pytest.raises(raised) as caught, resumable(run):
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), impatience)  # while it ends
    assert getattr(caught.value, "code", None) == code
    command = f"train.py --run-name 'a run' --resume --output-dir {tmp_path}"
    assert capsys.readouterr().err == f"\n{said}nothing but the epoch in progress is lost; continue with: {command}\n"
    assert signal.getsignal(number) is signal.default_int_handler


def test_a_signal_that_is_ignored_stays_ignored(tmp_path, handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    with resumable(new_run(tmp_path)):
        os.kill(os.getpid(), signal.SIGHUP)


def test_a_full_disk_leaves_the_old_state_and_says_how_to_go_on(tmp_path):
    run = new_run(tmp_path)
    save_arrays(run.last_state, {"model": [("weight:0", np.ones(3))]}, {"epoch": 1})
    before, limits = run.last_state.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(UserError) as caught, resumable(run):
            save_arrays(run.last_state, {"model": [("weight:0", np.ones(10_000))]}, {"epoch": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "File too large - nothing but the epoch in progress is lost; continue with: train.py" in str(caught.value)
    assert run.last_state.read_bytes() == before and list(run.last_state.parent.iterdir()) == [run.last_state]


def test_a_reader_that_went_away_and_no_memory_are_other_things(tmp_path):
    run = new_run(tmp_path)
    with pytest.raises(BrokenPipeError), resumable(run):
        raise BrokenPipeError
    with pytest.raises(UserError, match="--batch-size"), resumable(run):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")
