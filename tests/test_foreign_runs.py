"""Runs that somebody sent, or that are damaged: whatever is in them, it is read as what it must be or refused in one
line, before anything is made of it, and nothing outside of the folder is read or written."""

import io
import json
import os
import pwd
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.command_line import UserError
from common.encoders import load_encoder
from common.encoders.light import LightSettings
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.runs.callbacks import KeepRun
from common.runs.curves import Curves
from common.runs.directory import Run, create_run, newest_run, open_run, parse_training_flags, write_decoding
from common.runs.files import read_json
from common.runs.values import Between, from_json, settings_from_json, settings_to_json
from common.runs.weights import load_about, load_arrays, restore, save_arrays

import tiny_training
from tiny_training import new_run


@dataclass
class Config:
    """A contest's Config."""

    data_dir: Path | None = None
    threshold: float | None = 0.5
    sizes: tuple[int, ...] = (3, 4)
    head: Literal["one", "two"] | None = None
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    run: RunOptions = field(default_factory=RunOptions)


class Decoding(NamedTuple):
    threshold: float
    beam_width: Annotated[int, Between(1, 1000)] = 1
    choice: Literal["best", "any"] = "best"


def refused(function, *arguments):
    """The one line that it ends in."""
    with pytest.raises(UserError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["no", "one", "dgcnn"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SETTINGS = settings_to_json(Config())
PLACES = [(name,) for name in SETTINGS] + [(part, name) for part in ("encoder", "training") for name in SETTINGS[part]]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_settings_are_what_their_hints_say_or_refused(place, value):
    stored = json.loads(json.dumps(SETTINGS))
    inner = stored if len(place) == 1 else stored[place[0]]
    inner[place[-1]] = value
    try:
        read = settings_from_json(Config, stored, Path("config.json"))
    except UserError as error:
        assert str(error).startswith("config.json: ") and "\n" not in str(error)
    else:
        json.dumps(settings_to_json(read), allow_nan=False)
        for one, default in ((read.training, TrainingOptions()), (read.encoder, EncoderOptions())):
            for name, now in vars(one).items():
                before = getattr(default, name)
                assert type(now) is type(before) or before is None or {type(now), type(before)} == {int, float}


@pytest.mark.parametrize(
    ("hint", "value", "named"),
    [
        (int, True, "true or false" and "True"),
        (int, 1.0, "a whole number"),
        (int, 2**63, "a whole number"),
        (float, "1", "a number"),
        (float, float("nan"), "nan"),
        (float, float("inf"), "inf"),
        (bool, 1, "true or false"),
        (str, None, "a string"),
        (Path, "a\0b", "a path"),
        (Literal["a", "b"], "c", "must be a or b"),
        (Literal["a", "b"], ["a"], "must be a or b"),
        (Annotated[int, Between(1, 8)], 9, "from 1 to 8"),
        (tuple[int, ...], 3, "a list"),
        (tuple[float, float], [1], "a list of 2"),
        (list[int], [1, "2"], "size[1] '2'"),
        (dict[str, int], {"a": "2"}, "size.a '2'"),
        (dict[str, int], [], "an object"),
        (Decoding, {"threshold": 1, "beam_width": 10**9}, "beam_width 1000000000, which must be from 1 to 1000"),
        (Decoding, {}, "threshold"),
        (Decoding, {"threshold": 1, "of another version": 1}, "does not know"),
        (TrainingOptions, {"batch_size": 0}, "--batch-size 0"),
    ],
)
def test_values_of_another_kind_are_named(hint, value, named):
    message = refused(from_json, hint, value, Path("runs/x/config.json"), "size")
    assert message.startswith("runs/x/config.json: ") and named in message


def test_values_of_their_kind_come_back():
    source = Path("config.json")
    assert from_json(Decoding, {"threshold": 1, "beam_width": 2}, source) == (1, 2, "best")
    assert from_json(tuple[float, float], [1, 2.5], source) == (1, 2.5)
    assert from_json(list[dict[str, Any]], [{"a": [None]}], source) == [{"a": [None]}]
    assert from_json(float | None, None, source) is None


def test_without_a_home_and_a_name_paths_stay_as_they_are(monkeypatch):
    def nobody(user):
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    stored = settings_to_json(Config(data_dir=Path("/data")))
    assert stored["data_dir"] == "/data"
    assert settings_from_json(Config, {**stored, "data_dir": "~/data"}, Path("x")).data_dir == Path("~/data")


# JSON files


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "\ud800".encode("utf-8", "surrogatepass"), b""]
)
def test_json_that_cannot_be_read_is_one_line(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert str(path) in refused(read_json, path)
    assert str(path) in refused(open_run, tmp_path, "task")
    path.rename(tmp_path / "encoder.json")
    assert "encoder.json" in refused(load_encoder, tmp_path)


def test_a_pipe_and_a_file_without_end_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "decoding.json")
    os.mkfifo(tmp_path / "best.weights.h5")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(2**40)
    for function in (
        lambda: Run(tmp_path, {}).read_decoding(Decoding),
        lambda: load_about(tmp_path / "best.weights.h5"),
        lambda: read_json(tmp_path / "large.json"),
    ):
        assert str(tmp_path) in refused(function)


@pytest.mark.parametrize(
    "change",
    [{"task": 3}, {"task": None}, {"settings": []}, {"settings": "x"}, {"data": [1]}, {"data": {"train": 3}}],
)
def test_a_config_of_another_shape_is_refused(tmp_path, change):
    run = create_run("task", tmp_path, "one", None, {"train": {"sha256": "x"}})
    (run.path / "config.json").write_text(json.dumps({**run.config, **change}))
    assert "config.json" in refused(open_run, run.path, "task")


@pytest.mark.parametrize("training", [[], {"mixed_precision": "float8"}, {"mixed_precision": ["no"]}])
def test_an_unknown_precision_is_refused(training):
    run = Run(Path("run"), {"settings": {"training": training}})
    assert "run/config.json" in refused(lambda: run.mixed_precision)


def test_single_settings_are_checked(tmp_path):
    run = Run(tmp_path, {"settings": {"size": 64, "head": "span"}})
    assert run.setting("size", Annotated[int, Between(1, 4096)]) == 64
    assert "size 64, which must be a string" in refused(run.setting, "size", str)
    assert "no setting cells" in refused(run.setting, "cells", int)


@pytest.mark.parametrize(
    "content",
    ['{"threshold": NaN}', '{"threshold": "0.5"}', '{"threshold": [1]}', "3", '{"threshold": 1, "choice": "worst"}'],
)
def test_settings_of_decoding_of_another_kind_are_refused(tmp_path, content):
    (tmp_path / "decoding.json").write_text(content)
    assert "decoding.json" in refused(Run(tmp_path, {}).read_decoding, Decoding)


# Encoders


@pytest.fixture
def light(tmp_path):
    """Writes encoder.json into the folder of a run with small weights."""
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n天\n")
    (tmp_path / "words.json").write_text('["天"]')
    (tmp_path / "best.weights.h5").write_bytes(b"\0" * 10_000)
    settings = {"kind": "light", **asdict(LightSettings("dgcnn", 8, 4, 2, 0.1, 32))}

    def load(**changes):
        (tmp_path / "encoder.json").write_text(json.dumps({**settings, **changes}))
        return load_encoder(tmp_path)

    return load


def test_an_encoder_that_fits_its_weights_is_built(light):
    assert light().size == 8 and light(architecture="bilstm").size == 8
    assert light(architecture="on_lstm").size == 8


@pytest.mark.parametrize(
    "change",
    [
        *({"hidden_size": size} for size in (0, -8, 10**9, "8", 8.0, None, True, 2000)),
        *({"layers": layers} for layers in (0, -1, 10**6, [], 90)),
        *({"dropout": dropout} for dropout in (5, -1, float("nan"), "0.1", 1)),
        *({"max_length": length} for length in (2, 10**9, -3)),
        {"word_size": 10**6},
        {"word_size": 0},
        {"architecture": "gpt"},
        {"architecture": {}},
        {"architecture": "bilstm", "hidden_size": 7},
        {"architecture": "on_lstm", "hidden_size": 12},
        {"fixed_words": "yes"},
        {"unheard of": 1},
        {"kind": ["light"]},
        {"kind": None},
    ],
)
def test_an_encoder_of_other_sizes_is_refused_before_it_is_built(light, tmp_path, change):
    assert str(tmp_path) in refused(lambda: light(**change))


@pytest.mark.parametrize("content", ['{"天": 1}', "[1]", "[[]]", "[" * 100_000, "", '["天", "天"]'])
def test_words_that_are_none_are_refused(light, tmp_path, content):
    (tmp_path / "words.json").write_text(content)
    assert str(tmp_path) in refused(light)


# Links


@pytest.fixture
def linked(tmp_path):
    """A run, and a link in place of one of its files to a secret outside."""
    run = new_run(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text('{"threshold": 1}')

    def link(name):
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).unlink(missing_ok=True)
        (run.path / name).symlink_to(secret)
        return run

    yield link
    assert secret.read_text() == '{"threshold": 1}'


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("submission.json", lambda run: run.file("submission.json")),
        ("decoding.json", lambda run: run.read_decoding(Decoding)),
        ("decoding.json", lambda run: run.write_decoding(Decoding(0.1))),
        ("decoding.json", lambda run: write_decoding(run.path, Decoding(0.1))),
        ("dev_errors.json", lambda run: run.write_json("dev_errors.json", [])),
        ("config.json", lambda run: open_run(run.path, tiny_training.TASK)),
        ("config.json", lambda run: newest_run(run.path.parent.parent, tiny_training.TASK)),
        ("encoder.json", lambda run: load_encoder(run.path)),
        ("history.jsonl", lambda run: run.history),
        ("best.weights.h5", lambda run: run.best_weights),
        ("last/state.h5", lambda run: run.last_state),
        ("tensorboard", Curves),
    ],
)
def test_nothing_follows_a_link_out_of_a_run(linked, name, use):
    run = linked(name)
    assert f"{run.path / name}: is a symbolic link" in refused(use, run)


def test_nothing_follows_a_link_in_place_of_a_folder(tmp_path):
    run, outside = new_run(tmp_path), tmp_path / "outside"
    outside.mkdir()
    (run.path / "last").symlink_to(outside)
    assert f"{run.path / 'last'}: is a symbolic link" in refused(run.hold)
    assert not list(outside.iterdir())


def test_a_run_below_a_link_is_a_run(tmp_path):
    run = new_run(tmp_path / "large disk")
    (tmp_path / "runs").symlink_to(tmp_path / "large disk")
    assert newest_run(tmp_path / "runs", tiny_training.TASK).file("config.json").is_file()
    assert run.file("last/state.h5") == run.path / "last" / "state.h5"


@pytest.mark.parametrize("name", ["", "../x", ".", "a/b", ".tmp-1"])
def test_names_that_are_none_are_refused_with_resume_too(tmp_path, name):
    create_run("task", tmp_path, "one", Config())
    argv = ["--resume", "--run-name", name, "--output-dir", str(tmp_path)]
    assert f"--run-name {name!r}: must be the plain name" in refused(parse_training_flags, Config, "task", argv)


# Weights


def named(dataset, name="weight:0"):
    dataset.attrs["name"] = name


def in_a_group(link):
    return lambda file: file.create_group("model").__setitem__("00000", link)


def virtual(file):
    layout = h5py.VirtualLayout(shape=(3,), dtype="f4")
    layout[:] = h5py.VirtualSource("outside.h5", "array", shape=(3,))
    named(file.create_virtual_dataset("model/00000", layout))


HOSTILE = {
    "a group where an array belongs": lambda file: file.create_group("model/00000"),
    "an array where a group belongs": lambda file: file.create_dataset("model", data=[1]),
    "4 TB that were never written": lambda file: named(file.create_dataset("model/00000", (2**40,), "f4")),
    "an array that was never written": lambda file: named(file.create_dataset("model/00000", (3,), "f4")),
    "pieces": lambda file: named(file.create_dataset("model/00000", data=np.ones(4), chunks=(2,))),
    "a hole in pieces": lambda file: named(file.create_dataset("model/00000", (2**40,), "f4", chunks=(1000,))),
    "a filter": lambda file: named(file.create_dataset("model/00000", data=np.zeros(10**6), compression="gzip")),
    "another file": lambda file: named(file.create_dataset("model/00000", (3,), "u1", external=[("secret", 0, 3)])),
    "a virtual array": virtual,
    "a soft link": in_a_group(h5py.SoftLink("/array")),
    "a link to another file": in_a_group(h5py.ExternalLink("outside.h5", "/array")),
    "a group in another file": lambda file: file.__setitem__("model", h5py.ExternalLink("outside.h5", "/group")),
    "a type where an array belongs": in_a_group(np.dtype("f4")),
    "a number for a name": lambda file: named(file.create_dataset("model/00000", data=[1.0]), 5),
    "names": lambda file: named(file.create_dataset("model/00000", data=[1.0]), ["a", "b"]),
    "no name": lambda file: file.create_dataset("model/00000", data=[1.0]),
    "an empty name": lambda file: named(file.create_dataset("model/00000", data=[1.0]), h5py.Empty("f4")),
    "strings": lambda file: named(file.create_dataset("model/00000", data=["a"])),
    "records": lambda file: named(file.create_dataset("model/00000", data=np.zeros(3, [("a", "f4")]))),
    "references": lambda file: named(file.create_dataset("model/00000", data=file.ref, dtype=h5py.ref_dtype)),
    "nothing": lambda file: named(file.create_dataset("model/00000", data=h5py.Empty("f4"))),
    "NaN": lambda file: named(file.create_dataset("model/00000", data=[1.0, np.nan])),
    "infinity": lambda file: named(file.create_dataset("model/00000", data=[-np.inf])),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_arrays_of_another_kind_are_refused(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "best.weights.h5"
    for name in ("outside.h5", path):
        with h5py.File(name, "w") as file:
            named(file.create_dataset("array", data=np.ones(3, "f4")))
            file["group/00000"] = file["array"]
            if name == path:
                make(file)
    (tmp_path / "secret").write_text("secret")
    for function in (load_arrays, lambda path, group: restore([], path, group)):
        if make is not HOSTILE["NaN"] and make is not HOSTILE["infinity"] or function is load_arrays:
            message = refused(function, path, "model")
            assert message.startswith(f"{path}: ") and "does not fit" not in message


def test_arrays_that_lie_upon_each_other_are_refused(tmp_path):
    """Ten thousand names for the same gigabyte are as many gigabytes."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        named(file.create_dataset("model/00000", data=np.ones(100_000)))
        for number in range(1, 5):
            file[f"model/{number:05d}"] = file["model/00000"]
    (tmp_path / "state.h5").write_bytes(content.getvalue())
    assert "larger than the file" in refused(load_arrays, tmp_path / "state.h5", "model")


@pytest.mark.parametrize("about", [3, np.zeros(3), ["{}"], "[", "[]", "[" * 100_000, h5py.Empty("f4")])
def test_what_is_told_about_a_file_is_an_object(tmp_path, about):
    with h5py.File(tmp_path / "state.h5", "w") as file:
        file.attrs["about"] = about
    assert str(tmp_path / "state.h5") in refused(load_about, tmp_path / "state.h5")


@pytest.mark.parametrize(
    "history",
    [
        None,
        3,
        {},
        [3],
        [{}],
        [{"epoch": 2, "f1": 0.5}],
        [{"epoch": 1}],
        [{"epoch": 1, "f1": "0.5"}],
        [{"epoch": 1, "f1": float("nan")}],
        [{"epoch": 1, "f1": 10**400}],
    ],
)
def test_a_history_that_is_none_is_refused(tmp_path, history):
    run = new_run(tmp_path)
    save_arrays(run.last_state, {}, {"history": history})
    model = tiny_training.build()
    model.compile("sgd")
    keep = KeepRun(run, lambda: None, 1, ["f1"])
    assert str(run.last_state) in refused(keep.resume, model)


# Curves


def test_curves_lie_in_the_run_whatever_its_name(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xd6\xd0\xce\xc4"))  # in GBK, as old systems have it
    run = new_run(folder)
    Curves(run).write({"epoch": 1, "loss": 0.5})
    assert list((run.path / "tensorboard").iterdir()) and list(tmp_path.iterdir()) == [folder]


def test_curves_that_cannot_be_written_are_left_out_with_a_warning(tmp_path, capsys):
    run = new_run(tmp_path)
    (run.path / "tensorboard").write_text("a file in their place")
    curves = Curves(run)
    for epoch in (1, 2):
        curves.write({"epoch": epoch, "loss": 0.5})
    [warning] = [line for line in capsys.readouterr().err.splitlines() if "WARNING" in line]
    assert f"{run.path / 'tensorboard'}: no curves" in warning
