"""Training on several devices (`--devices`): what two of them do is what one does, in every contest."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.process import start_tensorflow

import competition
from contests import CONTESTS, RELATION_EXTRACTION, in_default
from workshop import check_refusal, run_there, script_of

TESTS = Path(__file__).resolve().parent
CONTEST_OF = {contest.folder: contest for contest in CONTESTS}
#: All that change a training step, R-Drop though nothing is dropped. test_training_model.py has each of them.
TECHNIQUES = (
    "--accumulation-steps 2 --fgm 0.1 --r-drop 1 --flooding 0.1 --lookahead-steps 2 --lazy-embeddings --learning-rate 1e-3"
).split()


def in_a_process(code: str, **variables: str) -> None:
    """Python code with the tests and the repository to import, where TensorFlow has not been started."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), **variables}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]


def train_without_dropout(flags: list[object], contest: Any = RELATION_EXTRACTION) -> Path:
    """The run of a tiny training, in a process of its own: from now on every dropout layer keeps all, since each device
    would draw its own."""
    start_tensorflow()
    from common.keras_compat import keras

    if keras.layers.Dropout.__init__.__name__ == "__init__":
        make = keras.layers.Dropout.__init__
        keras.layers.Dropout.__init__ = lambda self, rate, **others: make(self, 0.0, **others)
    few = ["--max-train-examples", 12, "--max-dev-examples", 2, "--batch-size", 5]
    return competition.main(contest.folder, "train", [*contest.tiny, *few, *flags])["run"]


def two_devices(folder: str, place: str, flags: list[str], most: float = 1e-5) -> None:
    """As a process of its own: weights, averages and moments after steps whose batches have 5, 5 and 1 examples. most:
    that they may differ."""
    from common.runs.weights import load_arrays

    states = []
    for devices in ("1", "2"):
        given = [*flags, "--max-train-examples", 11, "--output-dir", Path(place, devices), "--devices", devices]
        state = train_without_dropout(given, CONTEST_OF[folder]) / "last/state.h5"
        states.append([one for group in ("model", "optimizer") for one in load_arrays(state, group)])
    assert len(states[0]) > 20
    for (name, one), (same, two) in zip(*states, strict=True):
        assert name == same
        np.testing.assert_allclose(two, one, rtol=0, atol=most, err_msg=name)


@in_default(RELATION_EXTRACTION, reason="trains twice in a process of its own; all contests train by the same step")
def test_two_devices_do_what_one_does(contest, tmp_path):
    # A bias below a softmax over places has no gradient but what is left of rounding, and Adam makes any gradient a step
    # of the learning rate. The moments are compared, too, and do not depend on it.
    flags = ["--learning-rate", "1e-4"]
    code = f"import test_devices; test_devices.two_devices({contest.folder!r}, {str(tmp_path)!r}, {flags!r})"
    in_a_process(code, VIRTUAL_CPUS="2")


@pytest.mark.slow(reason="trains twice in a process of its own; a training step of each kind is in the default suite")
@pytest.mark.parametrize(
    ("flags", "most"),
    [
        ([], 1e-5),
        (TECHNIQUES, 1e-5),
        (["--encoder", "bert", "--recompute"], 1e-5),
        # Sums of other parts are rounded otherwise, to 11 bits and to 8.
        (["--mixed-precision", "float16"], 1e-4),
        (["--mixed-precision", "bfloat16"], 4e-4),
    ],
)
def test_two_devices_do_what_one_does_with_other_flags(flags, most, tmp_path):
    given = RELATION_EXTRACTION.folder, str(tmp_path), flags, most
    in_a_process(f"import test_devices; test_devices.two_devices(*{given!r})", VIRTUAL_CPUS="2")


def test_more_devices_than_there_are_is_one_line(tmp_path):
    done = run_there([script_of(RELATION_EXTRACTION, "train"), "--devices", 2], tmp_path)
    check_refusal(done, "--devices 2", "1 CPU and no GPU", "VIRTUAL_CPUS=2")
