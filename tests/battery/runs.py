"""Runs that somebody else made, or that were damaged: predict.py and train.py --resume must use them or refuse them, and
change nothing outside of them."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from battery import Part, Tally, answered, contents, trained_quietly
from battery.mutations import mutated, places
from battery.weights import change_weights
from contests import CONTESTS, Contest
from workshop import Trained, Workshop, extra, run_here

BEST, LAST = "best.weights.h5", "last/state.h5"
#: What is not read for a prediction, and what is for training on.
OF_TRAINING = {LAST, "last", "history.jsonl", "dev_predictions.json", "dev_errors.json"}
OF_RESUMING = {LAST, "last", "history.jsonl", "config.json", "encoder.json", "vocab.txt"}


class Change(NamedTuple):
    """What is wrong with a run, in which file, and whether a script that reads this must refuse it, not only may."""

    what: str
    file: str
    must_be_refused: bool = False


class Runs(Part):
    """Each input is a run of one contest with something else in it."""

    seconds, memory = 60.0, 2**31

    def __init__(self, folder: Path, workshop: Workshop, contests: list[Contest] = CONTESTS):
        folder.mkdir()
        self.folder, self.workshop, self.contests = folder, workshop, contests

    def order(self, number: int) -> int:
        return number % len(self.contests)

    def attempt(self, generator: Random, tally: Tally) -> None:
        contest = self.contests[self.order(tally.number)]
        trained = trained_quietly(self.workshop, contest)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder, same_networks(self.workshop, contest):
            home = Path(folder)
            run = home / "runs" / contest.folder / "foreign"
            shutil.copytree(trained.run, run, ignore=shutil.ignore_patterns("tensorboard"))
            shutil.copytree(run, home / "outside")
            change = generator.choice(_CHANGES)(run, home / "outside", generator)
            before = contents(home / "outside")
            if change.file not in OF_TRAINING:
                read = change.must_be_refused
                self.call(contest, "predict", predict_flags(contest, trained, run, generator), change, read, run, tally)
            if change.file in OF_TRAINING or generator.random() < 0.2:
                read = change.must_be_refused and change.file in OF_RESUMING
                self.call(contest, "train", resume_flags(trained, run), change, read, run, tally)
            if contents(home / "outside") != before:
                tally.fault(f"{contest.folder}, {change.what}", "a file outside of the run was changed")

    def call(
        self, contest: Contest, script: str, flags: list, change: Change, refuses: bool, run: Path, tally: Tally
    ) -> None:
        def start() -> object:
            with self.workshop.networks_built_once(contest.folder):
                return answered(run_here(contest.folder, script, flags))

        what = f"{contest.folder}, {script}.py, {change.what} in {change.file}"
        if tally.call(what, start, run) and refuses:
            tally.fault(what, "works, and should be refused")


@contextlib.contextmanager
def same_networks(workshop: Workshop, contest: Contest) -> Iterator[None]:
    """Networks that are built inside, of whatever sizes a run asks for, are not kept."""
    yield
    if workshop.networks_of == contest.folder:
        workshop.networks = dict(list(workshop.networks.items())[:1])


def predict_flags(contest: Contest, trained: Trained, run: Path, generator: Random) -> list:
    """With the submission in the run, which is the default, or outside."""
    source = trained.data / "dev.json"
    output = generator.choice(([], ["--output", run.parents[2] / f"output{contest.suffixes[0]}"]))
    return ["--run", run, "--input", source, *output, *extra(contest.predict_flags, trained.data)]


def resume_flags(trained: Trained, run: Path) -> list:
    """A run may say that it is for a million epochs, and one without its state begins anew: one is enough here."""
    where = ["--data-dir", trained.data, "--output-dir", run.parents[1], "--run-name", run.name]
    return [*where, "--resume", "--epochs", 1]


# What is wrong


def _texts_of(run: Path) -> list[str]:
    """The files of a run that are text; each as often as the others, however long."""
    return [str(path.relative_to(run)) for path in run.rglob("*") if path.suffix in (".json", ".jsonl", ".txt")]


def _content(run: Path, outside: Path, generator: Random) -> Change:
    name = generator.choice(sorted(_texts_of(run)))
    (run / name).write_bytes(mutated((run / name).read_bytes(), generator))
    return Change("mutations", name)


_EXTREMES = (
    *(
        0,
        -1,
        1,
        2,
        5,
        300,
        10**6,
        10**9,
        10**30,
        0.5,
        1e300,
        -1e300,
        float("nan"),
        float("inf"),
        "3",
        "",
        "字" * 70_000,
    ),
    *(None, True, False, [], {}, [3], {"a": 1}, "bert", "float16", "no", "../outside", "\x1b[31m"),
)


def _extreme(run: Path, outside: Path, generator: Random) -> Change:
    """One setting says something else."""
    name = generator.choice(
        ("config.json", "config.json", "encoder.json", "encoder.json", "encoder.json", "decoding.json")
    )
    document = [json.loads((run / name).read_bytes())]
    container, key = generator.choice(list(places(document)))
    value: Any = generator.choice(_EXTREMES)
    container[key] = value
    (run / name).write_text(json.dumps(document[0]), "utf-8")
    return Change(f"{key} {value!r:.20}", name)


def _weights(run: Path, outside: Path, generator: Random) -> Change:
    name = generator.choice((BEST, BEST, LAST))
    what, must_be_refused = change_weights(run / name, outside / name, generator)
    return Change(what, name, must_be_refused)


def _link(run: Path, outside: Path, generator: Random) -> Change:
    """A link to a file outside, or to nothing, in the place of one of the run, which may not be there yet."""
    names = sorted(str(path.relative_to(run)) for path in run.rglob("*"))
    name = generator.choice((*names, "submission.json", "submission.tsv", "tensorboard", "history.jsonl", "last"))
    is_new = not (run / name).exists()
    _remove(run / name)
    if is_new:
        (outside / name).write_bytes(b"not to be touched\n")
    (run / name).symlink_to(
        generator.choice((outside / name, outside / name, os.path.relpath(outside / name, (run / name).parent)))
    )
    return Change("a link", name, must_be_refused=not is_new)


def _another_kind(run: Path, outside: Path, generator: Random) -> Change:
    names = sorted(str(path.relative_to(run)) for path in run.rglob("*"))
    name = generator.choice((*names, "submission.json", "tensorboard"))
    _remove(run / name)
    kinds: dict[str, Callable[[Path], object]] = {
        "nothing": lambda path: None,
        "a folder": lambda path: path.mkdir(),
        "a pipe": os.mkfifo,
        "an empty file": lambda path: path.touch(),
    }
    what, make = generator.choice(list(kinds.items()))
    make(run / name)
    return Change(what, name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


_CHANGES = (_content, _content, _extreme, _extreme, _extreme, _weights, _weights, _weights, _link, _another_kind)
