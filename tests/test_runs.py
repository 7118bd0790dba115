"""common/runs: what is written, that it is written whole, and that a resumed run ends like one that was never
interrupted."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from common.command_line import UserError
from common.dev_search import Found
from common.keras_compat import keras, seed_everything, tf
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.runs.callbacks import load_best, resumable
from common.runs.choice import choose_on_dev
from common.runs.directory import (
    Evaluation,
    Run,
    begin_run,
    check_run_is_new,
    check_same_data,
    create_run,
    describe_file,
    newest_run,
    open_run,
    open_trained_run,
    parse_training_flags,
    settings_from_json,
    settings_to_json,
    write_decoding,
)
from common.runs.weights import assign, load_about, load_arrays, restore, save_arrays

import tiny_training
from competition import ROOT
from helpers import mostly_slow, refused
from tiny_training import EPOCHS, TASK, build, new_run, train


@dataclass
class Config:
    """A contest's Config."""

    data_dir: Path | None = None
    threshold: float = 0.5
    sizes: tuple[int, ...] = (3, 4)
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    run: RunOptions = field(default_factory=RunOptions)


def nothing(folder):
    pass


def error_of(function, *arguments):
    """The one line that a mistake ends in."""
    with pytest.raises(UserError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Arrays in files


ARRAYS = [
    ("dense/kernel:0", np.arange(6, dtype=np.float32).reshape(2, 3)),
    ("dense/kernel:0", np.float64(0.1) + np.zeros((1, 2))),  # Keras does give a name twice
    ("iteration:0", np.array(7, np.int64)),
    ("空", np.zeros((0, 4), np.float32)),
]


def test_arrays_come_back_in_order_with_names_types_and_bits(tmp_path):
    path = tmp_path / "new" / "state.h5"
    many = [(f"weight {index}", np.full(2, index)) for index in range(1200)]
    save_arrays(path, {"model": ARRAYS, "optimizer": many}, {"epoch": 3})
    found = load_arrays(path, "model")
    assert [name for name, _ in found] == [name for name, _ in ARRAYS]
    for (_, one), (_, other) in zip(found, ARRAYS):
        assert one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    assert [name for name, _ in load_arrays(path, "optimizer")] == [name for name, _ in many]
    assert load_arrays(path, "nothing of this name") == []
    assert load_about(path) == {"epoch": 3}


def test_what_is_told_about_a_file_may_be_long(tmp_path):
    about = {"history": [{"epoch": number, "f1": 0.5, "词": "句" * 20} for number in range(3000)]}
    save_arrays(tmp_path / "state.h5", {}, about)
    assert load_about(tmp_path / "state.h5") == about


def test_an_array_that_cannot_be_saved_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.h5"
    save_arrays(path, {"model": ARRAYS})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_arrays(path, {"model": [*ARRAYS, ("bad", np.array([object()]))]})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "spoil",
    [lambda data: b"", lambda data: data[:100], lambda data: data[: len(data) // 2], lambda data: b"weights" * 99],
)
def test_a_damaged_file_is_named(tmp_path, spoil):
    path = tmp_path / "best.weights.h5"
    save_arrays(path, {"model": ARRAYS}, {"epoch": 1})
    path.write_bytes(spoil(path.read_bytes()))
    assert str(path) in error_of(load_arrays, path, "model")
    assert str(path) in error_of(load_about, path)


def test_a_missing_file_and_one_of_another_program_are_named(tmp_path):
    import h5py

    assert str(tmp_path / "none.h5") in error_of(load_arrays, tmp_path / "none.h5", "model")
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["model/kernel"] = [1, 2]
    assert str(other) in error_of(load_arrays, other, "model")
    assert str(other) in error_of(load_about, other)


def test_arrays_go_into_variables():
    variables = [tf.Variable(tf.zeros((2, 3)), name="one"), tf.Variable(0, dtype=tf.int64, name="two")]
    assign(variables, [("one:0", np.ones((2, 3), np.float32)), ("two:0", np.array(5))], Path("best.weights.h5"))
    assert variables[0].numpy().tolist() == [[1.0] * 3] * 2 and int(variables[1]) == 5


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ([("one:0", (2, 3)), ("two:0", 5)], "two:0 float32 (5,) instead of two:0 float32 (4,)"),
        ([("one:0", (2, 3)), ("three:0", 4)], "three:0 float32 (4,) instead of two:0 float32 (4,)"),
        ([("two:0", 4), ("one:0", (2, 3))], "two:0 float32 (4,) instead of one:0 float32 (2, 3)"),
        ([("one:0", (2, 3), np.int64), ("two:0", 4)], "one:0 int64 (2, 3) instead of one:0 float32 (2, 3)"),
        ([("one:0", (2, 3))], "1 arrays instead of 2"),
        ([], "0 arrays instead of 2"),
    ],
)
def test_arrays_of_another_network_are_refused_and_nothing_is_assigned(tmp_path, arrays, named):
    variables = [tf.Variable(tf.zeros((2, 3)), name="one"), tf.Variable(tf.zeros(4), name="two")]
    path = tmp_path / "best.weights.h5"
    arrays = [(name, np.ones(shape, *(kind or [np.float32]))) for name, shape, *kind in arrays]
    save_arrays(path, {"model": arrays})
    for function in (partial(assign, variables, arrays, path), partial(restore, variables, path, "model")):
        message = error_of(function)
        assert named in message and str(path) in message
    assert not any(variable.numpy().any() for variable in variables)


# Run directories


def test_a_new_run_holds_its_settings_and_what_was_written(tmp_path):
    config = Config(data_dir=Path("data"), threshold=0.25)
    run = create_run(
        "task",
        tmp_path,
        "one",
        config,
        {"train": {"sha256": "x"}},
        lambda folder: (folder / "vocab.txt").write_text("天"),
    )
    assert run.path == tmp_path / "task" / "one"
    assert list(run.path.parent.iterdir()) == [run.path]
    assert (run.path / "vocab.txt").read_text() == "天"
    stored = json.loads((run.path / "config.json").read_text())
    assert stored == run.config == open_run(run.path, "task").config
    assert stored["task"] == "task" and stored["data"] == {"train": {"sha256": "x"}}
    assert stored["settings"]["threshold"] == 0.25 and stored["settings"]["training"]["epochs"] == 10
    assert stored["versions"]["bert4keras"] == "0.11.5" and stored["versions"]["tensorflow"]


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "vocab.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_run("task", tmp_path, "one", Config(), {}, fail)
    with pytest.raises(TypeError):
        create_run("task", tmp_path, "two", Config(), {"train": object()}, nothing)
    assert list((tmp_path / "task").iterdir()) == []


def test_a_run_is_not_there_before_it_is_whole(tmp_path):
    def look(folder):
        assert not (tmp_path / "task" / "one").exists()
        with pytest.raises(UserError):
            newest_run(tmp_path, "task")

    create_run("task", tmp_path, "one", Config(), {}, look)
    assert newest_run(tmp_path, "task").path.name == "one"


def test_an_existing_run_is_not_touched(tmp_path):
    run = create_run("task", tmp_path, "one", Config(), {}, nothing)
    before = (run.path / "config.json").read_bytes()
    message = error_of(create_run, "task", tmp_path, "one", Config(threshold=0.1), {}, nothing)
    assert "--run-name one" in message and "--resume" in message and str(run.path) in message
    assert (run.path / "config.json").read_bytes() == before
    create_run("another task", tmp_path, "one", Config(), {}, nothing)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/tmp/x", "a\\b", ".tmp-1"])
def test_names_that_are_none(tmp_path, name):
    assert "--run-name" in error_of(check_run_is_new, "task", tmp_path, name)
    error_of(create_run, "task", tmp_path, name, Config(), {}, nothing)
    assert list(tmp_path.rglob("*")) == []


def test_runs_without_a_name_in_one_second_are_several(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda pattern: "20300102-030405")
    names = [create_run("task", tmp_path, None, Config(), {}, nothing).path.name for _ in range(3)]
    assert names == ["20300102-030405", "20300102-030405-2", "20300102-030405-3"]


def test_the_newest_run_is_the_one_written_last(tmp_path):
    runs = [create_run("task", tmp_path, name, Config(), {}, nothing) for name in "bac"]
    (tmp_path / "task" / ".tmp-half").mkdir()
    (tmp_path / "task" / ".tmp-half" / "config.json").write_text("{}")
    for age, run in enumerate(runs):
        os.utime(run.path / "config.json", (1000 - age, 1000 - age))
    assert newest_run(tmp_path, "task").path.name == "b"
    runs[2].best_weights.write_bytes(b"")
    assert newest_run(tmp_path, "task", "best.weights.h5").path.name == "c"
    assert open_trained_run(None, tmp_path, "task").path.name == "c"
    assert "no best.weights.h5" in error_of(open_trained_run, runs[0].path, tmp_path, "task")


def test_no_run_at_all(tmp_path):
    assert str(tmp_path / "task") in error_of(newest_run, tmp_path, "task")
    assert str(tmp_path / "task") in error_of(open_trained_run, None, tmp_path, "task")
    assert str(tmp_path / "x") in error_of(open_run, tmp_path / "x", "task")


def test_a_run_of_another_task_is_refused(tmp_path):
    run = create_run("nl2sql", tmp_path, "one", Config(), {}, nothing)
    message = error_of(open_run, run.path, "task")
    assert str(run.path) in message and "of nl2sql, not of task" in message


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "null", '{"task": "task"}', '{"settings": {}, "data": {}}', "\0"]
)
def test_a_damaged_config_is_named(tmp_path, content):
    run = create_run("task", tmp_path, "one", Config(), {}, nothing)
    (run.path / "config.json").write_text(content)
    assert str(run.path / "config.json") in error_of(open_run, run.path, "task")


def test_files_of_a_run(tmp_path):
    run = create_run("task", tmp_path, "one", Config(), {}, nothing)
    run.write_json("dev_errors.json", [{"text": "天"}])
    assert run.read_json("dev_errors.json") == [{"text": "天"}]
    assert "天" in (run.path / "dev_errors.json").read_text()
    (run.path / "thresholds.json").write_text("{")
    assert str(run.path / "thresholds.json") in error_of(run.read_json, "thresholds.json")
    assert str(run.path / "none.json") in error_of(run.read_json, "none.json")


class Thresholds(NamedTuple):
    low: float
    high: float = 0.5


def test_settings_of_decoding_are_kept_and_those_given_come_first(tmp_path):
    run = create_run("task", tmp_path, "one", Config(), {}, lambda folder: write_decoding(folder, Thresholds(0.1)))
    assert run.read_decoding(Thresholds) == (0.1, 0.5)
    run.write_decoding(Thresholds(0.2, 0.3))
    assert run.read_decoding(Thresholds, low=None, high=0.9) == (0.2, 0.9)
    for content in ('{"threshold": 0.4}', "[]", "{"):
        (run.path / "decoding.json").write_text(content)
        assert "decoding.json" in error_of(run.read_decoding, Thresholds)
    (run.path / "decoding.json").unlink()
    assert "of another version: train the run again" in error_of(run.read_decoding, Thresholds)


def test_a_run_is_begun_anew_or_continued_on_the_same_data(tmp_path):
    data = {"train": {"file": "a.json", "sha256": "x"}}
    config = Config(run=RunOptions(output_dir=tmp_path, run_name="one"))
    run = begin_run(None, "task", config, data, nothing)
    assert run.path == tmp_path / "task/one" and run.config["data"] == data
    assert begin_run(run, "task", config, data, nothing) is run
    other = {"train": {"file": "a.json", "sha256": "y"}}
    assert "was started on another a.json" in error_of(begin_run, run, "task", config, other, nothing)


def test_other_data_is_noticed(tmp_path):
    train_file, dev_file = tmp_path / "train.json", tmp_path / "dev.json"
    train_file.write_text("天\n")
    dev_file.write_text("地\n")
    data = {"train": describe_file(train_file, sentences=1), "dev": describe_file(dev_file)}
    assert data["train"]["file"] == "train.json" and data["train"]["sentences"] == 1
    run = create_run("task", tmp_path, "one", Config(), data, nothing)
    check_same_data(run, {"train": describe_file(train_file), "dev": describe_file(dev_file)})
    dev_file.write_text("人\n")
    message = error_of(check_same_data, run, {"train": describe_file(train_file), "dev": describe_file(dev_file)})
    assert "dev.json" in message and str(run.path) in message


def test_another_fold_of_the_same_file_is_other_data(tmp_path):
    path = tmp_path / "train.json"
    path.write_text("天\n")
    run = create_run("task", tmp_path, "one", Config(), {"dev": describe_file(path, fold=2, num_folds=3)}, nothing)
    check_same_data(run, {"dev": describe_file(path, fold=2, num_folds=3)})
    for other in ({"fold": 1, "num_folds": 3}, {"fold": 2, "num_folds": 4}, {}):
        assert "train.json" in error_of(check_same_data, run, {"dev": describe_file(path, **other)})


# Settings


def test_settings_come_back(tmp_path):
    for config in (
        Config(),
        Config(Path.home() / "data" / "词", 0.1, (1,), EncoderOptions(pretrained=Path("ckpt"))),
        Config(training=TrainingOptions(learning_rate=1e-4), run=RunOptions(Path("out"), "a")),
        Config(data_dir=Path.home()),
        Config(data_dir=Path("/")),
    ):
        stored = json.loads(json.dumps(settings_to_json(config)))
        assert settings_from_json(Config, stored, tmp_path) == config


def test_the_home_folder_names_nobody():
    stored = settings_to_json(Config(data_dir=Path.home() / "data"))
    assert stored["data_dir"] == "~/data"
    assert settings_to_json(Config(data_dir=Path(f"{Path.home()}two/data")))["data_dir"] == f"{Path.home()}two/data"
    assert settings_to_json(Config(data_dir=Path("here")))["data_dir"] == "here"


def test_settings_of_another_version_are_named(tmp_path):
    stored = settings_to_json(Config())
    stored["training"]["lookahead"] = 5
    assert "lookahead" in error_of(settings_from_json, Config, stored, tmp_path / "config.json")
    del stored["training"]["lookahead"], stored["training"]["warmup"]
    assert (
        settings_from_json(Config, stored, tmp_path) == Config()
    )  # a setting that is younger than the run has its default


@pytest.fixture
def started(tmp_path):
    """A run that was started with settings of its own."""
    config = Config(
        threshold=0.3, encoder=EncoderOptions(hidden_size=64), training=TrainingOptions(epochs=5, batch_size=8)
    )
    return create_run("task", tmp_path, "first", config, {}, nothing)


def flags(started, *others):
    return parse_training_flags(Config, "task", ["--output-dir", str(started.path.parents[1]), *others])


def test_flags_without_resume_ask_for_a_new_run(started):
    config, run = flags(started, "--run-name", "second", "--threshold", "0.7")
    assert run is None and config.threshold == 0.7 and config.run.run_name == "second"
    assert "exists" in error_of(flags, started, "--run-name", "first")


def test_resume_takes_the_settings_of_the_run(started):
    for argv in (["--resume", "--run-name", "first"], ["--resume"]):
        config, run = flags(started, *argv)
        assert run.path == started.path
        assert (config.threshold, config.encoder.hidden_size, config.training.batch_size) == (0.3, 64, 8)
        assert config.training.epochs == 5 and config.run.resume and config.run.run_name == "first"
        assert config.run.output_dir == started.path.parents[1]


def test_resume_may_train_longer_and_find_its_data_elsewhere(started):
    config, _ = flags(
        started,
        "--resume",
        "--epochs",
        "9",
        "--early-stopping-patience",
        "2",
        "--data-dir",
        "/elsewhere",
        "--threshold",
        "0.3",
    )
    assert config.training.epochs == 9 and config.training.early_stopping_patience == 2
    assert config.data_dir == Path("/elsewhere") and config.training.batch_size == 8


@pytest.mark.parametrize(
    ("flag", "value", "before"),
    [("--threshold", "0.5", "0.3"), ("--hidden-size", "256", "64"), ("--batch-size", "32", "8"), ("--seed", "2", "1")],
)
def test_resume_refuses_flags_that_contradict_the_run_defaults_too(started, flag, value, before):
    message = error_of(flags, started, "--resume", flag, value)
    assert message.startswith(f"{flag} {value}: ") and f"started with {before}" in message and "first" in message


def test_resume_without_a_run(tmp_path):
    assert str(tmp_path / "task") in error_of(
        parse_training_flags, Config, "task", ["--resume", "--output-dir", str(tmp_path)]
    )
    assert "nobody" in error_of(
        parse_training_flags, Config, "task", ["--resume", "--run-name", "nobody", "--output-dir", str(tmp_path)]
    )


# Training


def contents(run):
    """Everything a training leaves that must not depend on interruptions, as bytes and plain values."""
    history = [
        {name: value for name, value in entry.items() if "seconds" not in name}
        for entry in load_about(run.last_state)["history"]
    ]
    files = {
        "last model": (run.last_state, "model"),
        "optimizer": (run.last_state, "optimizer"),
        "best": (run.best_weights, "model"),
    }
    arrays = {label: [(name, array.tobytes()) for name, array in load_arrays(*file)] for label, file in files.items()}
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    assert [{name: value for name, value in line.items() if "seconds" not in name} for line in lines] == history
    return {
        **arrays,
        "history": history,
        "predictions": run.read_json("dev_predictions.json"),
        "errors": run.read_json("dev_errors.json"),
    }


class Snapshots(keras.callbacks.Callback):
    """Copies the run as it lies on the disk between two epochs, and after the last."""

    def __init__(self, run, folder):
        super().__init__()
        self.run, self.folder = run, folder

    def on_epoch_begin(self, epoch, logs=None):
        shutil.copytree(self.run.path, self.folder / str(epoch))

    def on_train_end(self, logs=None):
        shutil.copytree(self.run.path, self.folder / str(EPOCHS))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run trained without a break, with its trained network, its KeepRun, and snapshots between the epochs."""
    folder = tmp_path_factory.mktemp("whole")
    run = new_run(folder)
    model, keep = train(run, callbacks=[Snapshots(run, folder / "snapshots")])
    return run, model, keep, folder / "snapshots"


def test_what_a_training_leaves(whole):
    run, model, keep, _ = whole
    names = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
    curves = {name for name in names if name.startswith("tensorboard/events")}
    assert curves and names - curves == {
        "config.json", "best.weights.h5", "last/state.h5", "history.jsonl", "dev_predictions.json", "dev_errors.json",
    }  # fmt: skip
    found = contents(run)
    assert [entry["epoch"] for entry in found["history"]] == [1, 2, 3, 4]
    assert {"epoch", "loss", "f1", "predicted", "gold", "correct"} <= set(found["history"][0])
    assert found["last model"] == [(weight.name, weight.numpy().tobytes()) for weight in model.weights]
    assert found["last model"] != found["best"]


def test_the_best_weights_are_the_averaged_ones_of_the_best_epoch(whole):
    run, _, keep, snapshots = whole
    scores = [entry["f1"] for entry in keep.history]
    best = scores.index(max(scores)) + 1
    assert keep.best["epoch"] == best
    seed_everything(99)
    model = build()
    load_best(run, model)
    score = tiny_training.wavering(model)
    assert score.metrics["f1"] == max(scores)
    assert (
        run.read_json("dev_predictions.json") == score.predictions and run.read_json("dev_errors.json") == score.errors
    )
    trained = dict(load_arrays(Run(snapshots / str(best), {}).last_state, "model"))
    assert any((weight.numpy() != trained[weight.name]).any() for weight in model.weights), "not averaged"


@pytest.mark.parametrize("epoch", range(EPOCHS + 1))
def test_resumed_at_any_epoch_it_ends_bit_for_bit_the_same(whole, tmp_path, epoch):
    run, _, _, snapshots = whole
    shutil.copytree(snapshots / str(epoch), tmp_path / "copy")
    copy = open_run(tmp_path / "copy", TASK)
    assert len(load_about(copy.last_state)["history"]) == epoch
    train(copy, weights_seed=1234)  # whatever the network starts with is replaced by what was saved
    assert contents(copy) == contents(run)


def test_interrupted_within_an_epoch_it_ends_the_same_and_says_how_to_go_on(whole, tmp_path, capsys):
    run = new_run(tmp_path)

    def interrupt(batch, logs):
        if len(load_about(run.last_state)["history"]) == 2 and batch == 1:
            raise KeyboardInterrupt

    (run.path / ".tmp-12345678-best.weights.h5").write_bytes(b"left by an earlier kill")
    with pytest.raises(KeyboardInterrupt), resumable(run):
        train(run, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)])
    assert "train.py --run-name whole --resume" in capsys.readouterr().err
    assert not list(run.path.glob(".tmp-*"))
    train(run)
    assert contents(run) == contents(whole[0])


@pytest.mark.parametrize(
    "techniques",
    mostly_slow(["ALL_TECHNIQUES", "ALL_WITH_ADAFACTOR"], "ALL_WITH_ADAFACTOR", reason="differ in the optimizer alone"),
)
def test_with_every_technique_it_ends_the_same_however_often_it_is_interrupted(tmp_path, monkeypatch, techniques):
    monkeypatch.setattr(tiny_training, "TECHNIQUES", getattr(tiny_training, techniques))
    whole, broken = new_run(tmp_path), new_run(tmp_path, "broken")
    train(whole)
    for epoch in (1, 2):
        seen = []

        def interrupt(batch, logs):
            seen.append(batch)
            if len(seen) == 4:  # in the epoch after the one that was to be done
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), resumable(broken):
            train(
                broken,
                callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)],
                weights_seed=tiny_training.SEED * epoch,
            )
        assert len(load_about(broken.last_state)["history"]) == epoch
    train(broken, weights_seed=1234)
    assert contents(broken) == contents(whole)


def test_killed_at_any_moment_it_leaves_whole_files_and_ends_the_same(whole, tmp_path):
    chance = random.Random(9)
    moments = [chance.randint(1, 160) for _ in range(8)]  # an epoch has about 85
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "tiny_training.py", tmp_path, *map(str, moments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    killed = done.stdout.splitlines().count("True")
    assert killed >= 6, done.stdout
    finished, had_best = 0, False
    for index in range(len(moments)):
        run = open_run(tmp_path / f"after-{index}", TASK)
        history = []
        if run.last_state.exists():
            history = load_about(run.last_state)["history"]
            assert len(load_arrays(run.last_state, "model")) == 3 and len(load_arrays(run.last_state, "optimizer")) > 9
        assert len(history) >= finished, "an epoch that was done is lost"
        finished = len(history)
        lines = [json.loads(line) for line in run.history.read_text().splitlines()] if run.history.exists() else []
        assert len(lines) in (finished, finished + 1)
        assert run.best_weights.exists() >= (had_best or finished > 0), "the best weights are lost"
        had_best = run.best_weights.exists()
        if had_best:
            assert len(load_arrays(run.best_weights, "model")) == 3
    assert finished > 0
    ended = contents(open_run(tmp_path / TASK / "killed", TASK))
    assert ended == contents(open_run(tmp_path / TASK / "whole", TASK)) == contents(whole[0])
    assert not list((tmp_path / TASK / "killed").rglob(".tmp-*"))


def scripted(scores, **metrics):
    """An evaluation with these scores, one for each call."""
    left = iter(scores)
    return lambda model: Evaluation({"f1": next(left), "predicted": 1, "gold": 2, "correct": 1, **metrics}, [], [])


def test_early_stopping_and_the_last_of_equal_scores_is_the_best(tmp_path, capsys):
    run = new_run(tmp_path)
    _, keep = train(run, epochs=8, evaluate=scripted([0.5, 0.6, 0.6, 0.4, 0.3, 0.9]), patience=2)
    assert [entry["f1"] for entry in keep.history] == [0.5, 0.6, 0.6, 0.4], "an equal score is no better one"
    assert keep.best["epoch"] == 3 and keep.stopped_early
    output = capsys.readouterr().out
    assert "stopped early: no better dev score for 2 evaluations" in output
    assert output.count("* best") == 3

    before = contents(run)
    train(run, epochs=8, evaluate=scripted([]), patience=2)
    assert contents(run) == before, "a run that had stopped was trained on"
    _, keep = train(run, epochs=8, evaluate=scripted([0.7, 0.1, 0.2, 0.2]), patience=0)
    assert len(keep.history) == 8 and keep.best["epoch"] == 5 and not keep.stopped_early


def test_progress_is_a_line_per_epoch_with_the_time_left(tmp_path, capsys):
    train(new_run(tmp_path), epochs=2, evaluate=scripted([0.25, 0.125]))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss ") and "dev f1 0.2500  * best" in lines[0] and "left)" in lines[0]
    assert lines[1].startswith("epoch 2/2  loss ") and "dev f1 0.1250  (" in lines[1] and "0:00 left)" in lines[1]


class Spoil(keras.callbacks.Callback):
    """A weight is no number any more after the first step of an epoch."""

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_time = epoch == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.is_time:
            self.model.weights[0].assign(self.model.weights[0] * np.nan)


def test_weights_that_become_nan_end_it_and_are_not_kept(tmp_path):
    def spoilt(name: str, epoch: int, *words: str) -> Run:
        run = new_run(tmp_path, name)

        def training() -> None:
            with resumable(run):
                train(run, callbacks=[Spoil(epoch)])

        refused(training, run.path, f"NaN in epoch {epoch + 1}", "--learning-rate", *words)
        return run

    run = spoilt("in the third", 2, "best before it, epoch ")
    assert [entry["epoch"] for entry in load_about(run.last_state)["history"]] == [1, 2]
    assert all(np.isfinite(value).all() for _, value in load_arrays(run.last_state, "model"))
    spoilt("at once", 0)


def test_silence_on_dev_is_told_with_counts(tmp_path, capsys):
    metrics = iter([(0, 0.0), (17, 0.1), (5, 0.2)])  # averaged weights, trained weights, and the second epoch

    def evaluate(model):
        predicted, f1 = next(metrics)
        return Evaluation({"f1": f1, "predicted": predicted, "gold": 40, "correct": 0}, [], [])

    _, keep = train(new_run(tmp_path), epochs=2, evaluate=evaluate)
    errors = capsys.readouterr().err
    [warning] = [line for line in errors.splitlines() if "WARNING" in line]
    assert all(
        words in warning for words in ("predicted on dev", "predicted 0, gold 40, correct 0", "17", "--learning-rate")
    )
    assert [entry["predicted"] for entry in keep.history] == [0, 5]


def test_memory_that_runs_out_is_a_mistake_with_a_remedy(whole):
    def exhausted():
        with resumable(whole[0]):
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nwith shape")

    assert "--batch-size" in error_of(exhausted)


def test_a_state_of_another_network_is_refused(whole, tmp_path):
    shutil.copytree(whole[3] / "2", tmp_path / "copy")
    copy = open_run(tmp_path / "copy", TASK)
    groups = {name: load_arrays(copy.last_state, name) for name in ("model", "optimizer")}
    groups["model"][0] = ("table/embeddings:0", np.zeros((13, 4), np.float32))
    save_arrays(copy.last_state, groups, load_about(copy.last_state))
    message = error_of(train, copy)
    assert str(copy.last_state) in message and "(13, 4) instead of" in message


# What is chosen on dev


def test_the_best_weights_come_back_and_better_settings_are_kept_with_what_they_predict(tmp_path, capsys):
    run = new_run(tmp_path)
    model, keep = train(run, epochs=2)
    best = dict(load_arrays(run.best_weights, "model"))
    model.set_weights([weight + 1 for weight in model.get_weights()])
    searched = Evaluation({"f1": 0.875, "predicted": 1}, [{"better": 1}], [])

    def search():
        for variable in model.weights:
            np.testing.assert_array_equal(variable, best[variable.name])
        return Found(Thresholds(0.3), 0.875, 0.75), searched

    capsys.readouterr()
    assert choose_on_dev(keep, model, Thresholds(0.1), search) == {"run": run.path, "f1": 0.875}
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"best dev f1 {keep.best['f1']:.4f} in epoch {keep.best['epoch']}, with low 0.1, high 0.5"
    assert lines[2] == "    dev f1 0.8750 with low 0.3, high 0.5, searched on dev"
    assert lines[3].startswith("    dev f1 0.7500 with settings searched on one half of dev, scored on the other")
    assert run.read_decoding(Thresholds) == (0.3, 0.5)
    assert run.read_json("dev_predictions.json") == [{"better": 1}]


@pytest.mark.parametrize("score", [0.0, 0.5])
def test_settings_stay_where_there_is_nothing_to_search_or_to_choose_by(tmp_path, score):
    run = new_run(tmp_path)
    model, keep = train(run, epochs=1, evaluate=lambda model: Evaluation({"f1": score, "predicted": 1}, ["kept"], []))
    search = None if score else lambda: pytest.fail("a network that has learned nothing chooses nothing")
    assert choose_on_dev(keep, model, Thresholds(0.1), search) == {"run": run.path, "f1": score}
    assert run.read_json("dev_predictions.json") == ["kept"] and not (run.path / "decoding.json").exists()
