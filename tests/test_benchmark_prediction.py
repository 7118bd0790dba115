"""What measures the answers of a contest step by step, and a training step beside its matrix products."""

import json
import subprocess
import sys

import numpy as np
import pytest

from common.keras_compat import keras

import competition
from contests import CONTESTS
from helpers import empty_run, mostly_slow

sys.path.insert(0, str(competition.ROOT / "scripts"))
import benchmark  # noqa: E402
import own_process  # noqa: E402
import prediction_speed  # noqa: E402
import step_limit  # noqa: E402

SCRIPTS = competition.ROOT / "scripts"
CONTEST = next(contest for contest in CONTESTS if contest.folder == "lic2020_event_extraction")


def last_line(arguments, **options):
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, encoding="utf-8", **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_step_of_a_contest_is_measured(workshop):
    run = workshop.trained(CONTEST).run
    flags = ["--run", run, "--examples", 12, "--alone", 2, "--rounds", 1]
    found = last_line([SCRIPTS / "prediction_speed.py", CONTEST.folder, *flags])
    assert found["examples"] == 12 and 1 <= found["slots"] < 3
    each = sum(found[step] for step in ("features", "score", "decode")) / 1000
    assert 0 < found["alone"] < found["together"] == pytest.approx(1 / each, rel=1e-6)


def test_slots_are_counted_for_all_that_networks_read():
    class Module:
        @staticmethod
        def one_trace(network):
            return lambda inputs: network

    counted = prediction_speed.count_slots(Module)
    traced = Module.one_trace("answer")
    assert traced({"token_ids": np.array([[5, 6, 0], [7, 0, 0]])}) == "answer" == traced([1, 2])
    assert counted == {"slots": 6, "tokens": 3}
    traced({"token_ids": np.array([[1]])})
    assert counted == {"slots": 7, "tokens": 4}


def test_contests_with_a_run_are_measured_and_shown(monkeypatch, tmp_path, capsys):
    asked = []
    for task in ("nl2sql", "webqa_dgcnn"):
        empty_run(tmp_path / "runs", task)
    monkeypatch.chdir(tmp_path)

    def measured(command, **options):
        asked.append([str(part) for part in command[2:]])
        steps = {"features": 1.0, "score": 2.5, "decode": 0.5}
        figures = {"examples": 60, **steps, "together": 250.0, "alone": 100.0, "slots": 1.05}
        return subprocess.CompletedProcess(command, 0, f"loading\n{json.dumps(figures)}\n")

    monkeypatch.setattr(own_process.subprocess, "run", measured)
    assert benchmark.main(["prediction", "--rows", "7"])["nl2sql, together"] == 250
    assert [one[0] for one in asked] == ["webqa_dgcnn", "nl2sql"] and "7" in asked[0] and "runs/nl2sql/a" in asked[1]
    printed = capsys.readouterr().out
    assert (
        "seq2seq_titling: no run in runs/, so it is left out" in printed and "2.50 ms" in printed and "2.5 " in printed
    )
    asked.clear()
    benchmark.main(["nl2sql", "--run", "there", "--input", "rows.json"])
    assert [one[0] for one in asked] == ["nl2sql"]
    assert asked[0][-2:] == ["--input", "rows.json"] and "there" in asked[0]


@pytest.mark.parametrize(
    "precision", mostly_slow(["no", "bfloat16"], "bfloat16", reason="a benchmark that starts TensorFlow")
)
def test_a_light_step_beside_its_products(precision):
    shape = ["--layers", 1, "--width", 8, "--texts", 4, "--tokens", 5]
    flags = [*shape, "--mixed-precision", precision, "--steps", 1, "--rounds", 1]
    found = last_line([SCRIPTS / "step_limit.py", "light", *flags])
    assert found["seconds"] > 0 and found["gigaflops"] > 0 and found["share"] > 0


def test_operations_are_those_of_all_kernels_and_of_the_attention():
    inputs = keras.Input((None, 6))
    states = keras.layers.Conv1D(4, 3, padding="same")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(states))
    shape = step_limit.Shape(layers=3, width=4, texts=5, tokens=7)
    kernels = 3 * 6 * 4 + 4 * 2
    assert step_limit.forward_operations(model, "light", shape) == 2 * 35 * kernels
    # Each token meets 7 others twice, in the scores and in the values, 4 numbers wide, in 3 layers.
    assert step_limit.forward_operations(model, "bert", shape) == 2 * 35 * (kernels + 2 * 7 * 4 * 3)
