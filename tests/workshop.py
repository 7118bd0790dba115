"""Runs the scripts of a folder, in this process or in one of its own, and trains one model for each contest, for all
tests of the session."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import pytest

from common.command_line import run

import competition
from contests import Contest, Example, submission_bytes


class Finished(NamedTuple):
    code: int
    out: str
    err: str


def run_here(folder: str | Path, script: str, flags: Sequence[object]) -> Finished:
    """A script as a process of its own would run it, in this process: TensorFlow takes seconds to load."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
        run(lambda: competition.main(folder, script, list(flags)))
    return Finished(stop.value.code, out.getvalue(), err.getvalue())


def run_there(arguments: Sequence[object], folder: Path) -> Finished:
    """Python in a process of its own, in `folder`. Of the repository it can import `common` and nothing else."""
    library = folder / ".library"
    library.mkdir(exist_ok=True)
    if not (library / "common").exists():
        (library / "common").symlink_to(competition.ROOT / "common")
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(library), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def succeeds(done: Finished) -> Finished:
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    return done


def check_refusal(done: Finished, *words: object) -> None:
    """One line of error that says all of `words`, and exit code 2."""
    assert done.code == 2, f"exit code {done.code}, stderr: {done.err}"
    assert done.err.startswith("error: ") and done.err.count("\n") == 1 and done.err.endswith("\n"), done.err
    check_message(done.err, *words)


def check_message(message: str, *words: object) -> None:
    """That it says all of `words`, and what to do."""
    assert [word for word in map(str, words) if word not in message] == [], message
    assert " - " in message or "must be" in message, f"{message} says nothing of what to do"


def script_of(contest: Contest, script: str) -> Path:
    return competition.COMPETITIONS / contest.folder / f"{script}.py"


def sample_of(contest: Contest) -> Path:
    return competition.COMPETITIONS / contest.folder / "sample"


def extra(flags: Sequence[str], data: Path) -> list[str]:
    return [flag.format(data=data) for flag in flags]


def numbered(contest: Contest, examples: Sequence[Example]) -> list[Example]:
    return [contest.with_id(example, number) for number, example in enumerate(examples, start=1)]


def make_data(contest: Contest, folder: Path, train: list[Example], dev: list[Example]) -> Path:
    """A data folder: that of the sample with other examples in train.json and dev.json."""
    shutil.copytree(sample_of(contest), folder)
    contest.write(folder / "train.json", train)
    contest.write(folder / "dev.json", dev)
    return folder


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def arrays(path: Path) -> dict[str, Any]:
    """Everything in an HDF5 file, exactly: name, type, shape and bytes of each array."""
    found = {}
    with h5py.File(path, "r") as file:

        def keep(name, item):
            if isinstance(item, h5py.Dataset):
                value = item[()]
                found[name] = (item.attrs.get("name"), value.dtype, value.shape, value.tobytes())

        file.visititems(keep)
    return found


def without_seconds(run_folder: Path) -> list[Example]:
    """The lines of history.jsonl without what the clock says."""
    lines = (run_folder / "history.jsonl").read_text("utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if not name.endswith("seconds")} for line in lines]


class Trained(NamedTuple):
    """A run that knows 8 examples by heart. `data` holds them as dev.json, and ten times as train.json."""

    home: Path
    run: Path
    data: Path
    examples: list[Example]
    score: float
    seconds: float


class Workshop:
    """One trained run for each contest, and each network for prediction built once: to load a run assigns all weights,
    by name and shape."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs: dict[str, Trained] = {}
        self.networks: dict[Any, Any] = {}
        self.networks_of = ""

    def trained(self, contest: Contest) -> Trained:
        if contest.folder not in self.runs:
            home = self.folder / contest.folder
            examples = [
                example
                for example in contest.read(sample_of(contest) / "train.json")
                if contest.is_unambiguous(example)
            ][:8]
            data = make_data(contest, home / "data", numbered(contest, examples * 10), examples)
            flags = ["--data-dir", data, "--output-dir", home / "runs", "--run-name", "by-heart", *contest.overfit]
            begun = time.process_time()
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("HOME", str(home))
                environment.setenv("CONTRACT_SECRET", "nobody-shall-read-this")
                result = competition.main(contest.folder, "train", flags)
            seconds = time.process_time() - begun
            self.runs[contest.folder] = Trained(home, result["run"], data, examples, result[contest.score], seconds)
        return self.runs[contest.folder]

    def predict(self, contest: Contest, examples: list[Example] | bytes, output: Path, *flags: object) -> Finished:
        """predict.py with that run, on these examples or on a file of these bytes."""
        trained = self.trained(contest)
        source = output.with_name(f"{output.name}-input.json")
        if isinstance(examples, bytes):
            source.write_bytes(examples)
        else:
            contest.write(source, examples)
        more = extra(contest.predict_flags, trained.data)
        return self.predict_with(contest, ["--run", trained.run, "--input", source, "--output", output, *more, *flags])

    def predict_with(self, contest: Contest, flags: Sequence[object]) -> Finished:
        """predict.py with these flags."""
        with self.networks_built_once(contest.folder):
            return run_here(contest.folder, "predict", flags)

    def answers(self, contest: Contest, examples: list[Example], output: Path, *flags: object) -> list[Any]:
        succeeds(self.predict(contest, examples, output, *flags))
        return contest.answers(submission_bytes(output), examples)

    def evaluate(self, contest: Contest, gold: Path, predictions: Path, *flags: object) -> Finished:
        more = extra(contest.evaluate_flags, sample_of(contest))
        return run_here(contest.folder, "evaluate", ["--gold", gold, "--predictions", predictions, *more, *flags])

    @contextlib.contextmanager
    def networks_built_once(self, folder: str) -> Iterator[None]:
        """Inside, the folder's model.py gives the network that it gave before, where encoder and flags are of the same
        shape. Only those of one folder are kept, since they take memory."""
        if self.networks_of != folder:
            self.networks, self.networks_of = {}, folder
        model = competition.load(folder, "model")
        build = model.build_network

        def build_once(encoder: Any, *options: Any) -> Any:
            from common.keras_compat import keras

            shape = [
                len(encoder.tokenizer),
                len(getattr(encoder, "words", ())),
                vars(encoder).get("settings"),
                vars(encoder).get("config"),
            ]
            told = [getattr(option, "__dict__", option) for option in options]
            key = (keras.mixed_precision.global_policy().name, repr(shape), repr(told))
            if key not in self.networks:
                self.networks[key] = build(encoder, *options)
            return self.networks[key]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(model, "build_network", build_once)
            yield
