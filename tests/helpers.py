"""What the tests of several contests share: files made for a test, what must be refused, and what evaluate.py says."""

import contextlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from common.command_line import UserError

import competition
from workshop import check_message, check_refusal, run_here


def needs(folder: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not folder.is_dir(), reason=f"{folder} is not here")


def mostly_slow(values: Iterable[Any], *default: Any, reason: str) -> list[Any]:
    """The values of a parametrization (tuples for several names), of which the default suite has only some."""
    values, slow = list(values), pytest.mark.slow(reason=reason)
    assert default and all(one in values for one in default), f"{default} must be some of {values}"
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=() if value in default else slow)
        for value in values
    ]


# Files


def write(path: Path, content: Any, indent: int | None = None) -> Path:
    """A string as it is, anything else as JSON."""
    path.write_text(
        content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=indent), "utf-8"
    )
    return path


def interrupt_second_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings stop in their second epoch, before it is kept."""
    from common.runs.callbacks import KeepRun

    whole = KeepRun.on_epoch_end

    def stop(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        whole(self, epoch, logs)

    monkeypatch.setattr(KeepRun, "on_epoch_end", stop)


def empty_run(runs: Path, task: str) -> Path:
    """A run that can be found, with nothing in it."""
    run = runs / task / "a"
    run.mkdir(parents=True)
    (run / "config.json").write_text(f'{{"task": "{task}", "settings": {{}}, "data": {{}}}}')
    (run / "best.weights.h5").touch()
    return run


def json_lines(records: Iterable[Any]) -> str:
    """A line for each record. A string is a line as it stands: blank, or no JSON."""
    return "".join(
        (record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)) + "\n" for record in records
    )


def write_lines(path: Path, records: Iterable[Any]) -> Path:
    return write(path, json_lines(records))


def zip_of(path: Path, name: str) -> Path:
    """A zip beside the file, which holds it under `name`."""
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.write(path, name)
    return path.with_suffix(".zip")


# What must be refused


def refused(call: Callable[[], object], *words: object) -> None:
    """The call raises what users see as one line, which says all of `words` and what to do."""
    with pytest.raises(UserError) as error:
        call()
    check_message(str(error.value), *words)
    assert "\n" not in str(error.value)


@contextlib.contextmanager
def not_importing(*names: str) -> Iterator[None]:
    """Within it, an import of these modules fails, even if they are loaded."""

    class Refusal:
        @staticmethod
        def find_spec(name: str, path: Any = None, target: Any = None) -> None:
            if name.partition(".")[0] in names:
                raise ModuleNotFoundError(f"{name} must not be imported here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "meta_path", [Refusal, *sys.meta_path])
        for module in [module for module in sys.modules if module.partition(".")[0] in names]:
            patch.delitem(sys.modules, module)
        yield


# evaluate.py

#: What a report does without: it makes a user wait, or cannot be had everywhere.
HEAVY = {*"tensorflow keras tf_keras bert4keras torch jieba nltk pandas sklearn scipy numpy".split()}


def evaluate(folder: str | Path, gold: Path, predictions: Path, *flags: object) -> dict[str, float]:
    """The figures that evaluate.py returns; it prints its report, or what `flags` ask for."""
    return competition.main(folder, "evaluate", ["--gold", gold, "--predictions", predictions, *flags])


def json_figures(captured: Any, folder: str, gold: Path, predictions: Path) -> tuple[dict[str, float], str]:
    """The figures that evaluate.py returns, and prints as one JSON object and nothing else, and its stderr. `captured`
    is capsys or capfd."""
    figures = evaluate(folder, gold, predictions, "--json")
    out, err = captured.readouterr()
    assert out.count("\n") == 1 and list(json.loads(out).items()) == list(figures.items())
    return figures, err


def check_warnings(err: str, warnings: list[str]) -> None:
    """As many lines as `warnings`, each of which says its own."""
    lines = err.splitlines()
    assert len(lines) == len(warnings), err
    assert all(line.startswith("WARNING: ") and words in line for line, words in zip(lines, warnings)), err


def check_report(out: str, *lines: str) -> None:
    """The report has each of `lines`, however wide its columns are."""
    found = {" ".join(line.split()) for line in out.split("\n")}
    assert [line for line in lines if line not in found] == []


def evaluation_refused(folder: str, gold: Path, predictions: Path, *words: object) -> None:
    """evaluate.py ends with one line that says all of `words`, and prints nothing else."""
    done = run_here(folder, "evaluate", ["--gold", gold, "--predictions", predictions])
    check_refusal(done, *words)
    assert done.out == ""
