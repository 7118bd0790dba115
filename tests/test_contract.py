"""What every competition folder promises. The folders are described in contests.py; all sentences here are invented."""

import ast
import contextlib
import dataclasses
import inspect
import io
import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

import competition
from common.command_line import parse_flags, run
from common.submission import TEMPORARY_PREFIX
from contests import ALL_SCRIPTS, CONTESTS, Contest, Example, strict_json, submission_bytes

every_contest = pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.folder)
every_script = pytest.mark.parametrize("script", ALL_SCRIPTS)

#: Texts on which others stumbled. Each is tried alone, and around a sentence that the model knows.
ODD_TEXTS = {
    "empty": "",
    "blanks": " \u3000\t",
    "NUL": "上\0海",
    "emoji": "看哭了😭👨\u200d👩\u200d👧🏽",
    "half a surrogate pair": "片\ud83d名",
    "U+0130": "İİ İstanbul",
    "U+2028 and U+0085": "第一行\u2028第二行\x85第三行",
    "line ends": "一\r\n二\n三\r",
    "full width": "ＡＢＣ１２３（《Ｆｉｌｍ》）",
    "combining marks": "e\u0301a\u0300\u0301 \u0301",
    "marks of JSON": '他说"好\\n"，{[',
    "special tokens": "[CLS][SEP][PAD][MASK][unused1]",
    "ideographs beyond U+FFFF": "𠮷野家𪚥",
    "10,000 characters": "这句话实在太长了，" * 1111 + "完",
    "a word of 10,000 letters": "a" * 10_000,
}


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
    assert [word for word in map(str, words) if word not in done.err] == [], done.err
    assert " - " in done.err or "must be" in done.err, f"{done.err} says nothing of what to do"


def script_of(contest: Contest, script: str) -> Path:
    return competition.COMPETITIONS / contest.folder / f"{script}.py"


def sample_of(contest: Contest) -> Path:
    return competition.COMPETITIONS / contest.folder / "sample"


def extra(flags: Sequence[str], data: Path) -> list[str]:
    return [flag.format(data=data) for flag in flags]


def numbered(contest: Contest, examples: Sequence[Example]) -> list[Example]:
    return [contest.with_id(example, number) for number, example in enumerate(examples, start=1)]


def odd_examples(contest: Contest, example: Example) -> list[Example]:
    text = contest.text(example)
    texts = [form for odd in ODD_TEXTS.values() for form in ((odd, odd + text + odd) if len(odd) < 1000 else (odd + text,))]
    return numbered(contest, [example, *(contest.with_text(example, odd) for odd in texts), example])


def make_data(contest: Contest, folder: Path, train: list[Example], dev: list[Example]) -> Path:
    """A data folder: that of the sample with other examples in train.json and dev.json."""
    shutil.copytree(sample_of(contest), folder)
    contest.write(folder / "train.json", train)
    contest.write(folder / "dev.json", dev)
    return folder


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class Trained(NamedTuple):
    """A run that knows 8 examples by heart. `data` holds them as train.json and as dev.json."""

    home: Path
    run: Path
    data: Path
    examples: list[Example]
    score: float
    seconds: float


class Workshop:
    """Trains one model for each contest, for all tests of the session."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs: dict[str, Trained] = {}

    def trained(self, contest: Contest) -> Trained:
        if contest.folder not in self.runs:
            home = self.folder / contest.folder
            examples = contest.read(sample_of(contest) / "train.json")[:8]
            data = make_data(contest, home / "data", examples, examples)
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
        flags = ["--run", trained.run, "--input", source, "--output", output, *more, *flags]
        return run_here(contest.folder, "predict", flags)

    def answers(self, contest: Contest, examples: list[Example], output: Path, *flags: object) -> list[Any]:
        succeeds(self.predict(contest, examples, output, *flags))
        return contest.answers(submission_bytes(output), examples)

    def evaluate(self, contest: Contest, gold: Path, predictions: Path, *flags: object) -> Finished:
        more = extra(contest.evaluate_flags, self.trained(contest).data)
        return run_here(contest.folder, "evaluate", ["--gold", gold, "--predictions", predictions, *more, *flags])


@pytest.fixture(scope="session")
def workshop(tmp_path_factory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "submission.json"


# The folder


def test_every_folder_is_described():
    present = {path.parent.name for path in competition.COMPETITIONS.glob("*/train.py")}
    described = [contest.folder for contest in CONTESTS]
    assert sorted(described) == sorted(present), "add a Contest to tests/contests.py for each folder"


@every_contest
def test_the_folder_has_its_six_files_and_a_sample(contest):
    folder = competition.COMPETITIONS / contest.folder
    wanted = [f"{name}.py" for name in ("task", "model", *ALL_SCRIPTS)] + ["README.md"]
    wanted += [f"sample/{name}.json" for name in ("train", "dev", "test")]
    assert [name for name in wanted if not (folder / name).is_file()] == []
    assert competition.load(folder, "task").TASK == contest.folder
    test = contest.read(folder / "sample/test.json")
    assert test and test == [contest.unlabelled(example) for example in test], "the judge's file has no labels"


SEES_TENSORFLOW = """
import runpy, sys
sys.argv, sys.path[0] = sys.argv[1:], sys.argv[1].rpartition("/")[0]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print([name for name in ("tensorflow", "keras", "tf_keras", "torch") if name in sys.modules])
"""


@every_contest
@every_script
def test_help_comes_at_once(contest, script, tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = succeeds(run_there(["-c", SEES_TENSORFLOW, script_of(contest, script), "--help"], tmp_path))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "usage:" in done.out.splitlines()[0]
    assert done.out.endswith("\n[]\n"), "importing the script imports TensorFlow"
    # Processor time: the machine may be busy with other things.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def fields_without_help(config: type) -> list[str]:
    """Fields of a dataclass, and of those embedded in it, that no docstring follows."""
    tree = ast.parse(inspect.getsource(config)).body[0]
    types = typing.get_type_hints(config)
    missing = []
    for statement, following in zip(tree.body, [*tree.body[1:], None]):
        if isinstance(statement, ast.AnnAssign):
            name = statement.target.id
            if dataclasses.is_dataclass(types[name]):
                missing += fields_without_help(types[name])
            elif not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)):
                missing.append(f"{config.__name__}.{name}")
    return missing


@every_contest
@every_script
def test_every_flag_has_a_help_text(contest, script):
    assert fields_without_help(competition.load(contest.folder, script).Config) == []


#: The flags of DESIGN.md section 5 that exist so far, each with a value.
SHARED_FLAGS = {
    "train": {
        "--data-dir": "somewhere",
        "--pretrained": "somewhere",
        "--encoder": "bert",
        "--max-length": 64,
        "--output-dir": "somewhere",
        "--run-name": "one",
        "--resume": None,
        "--seed": 7,
        "--max-train-examples": 7,
        "--max-dev-examples": 7,
        "--num-folds": 7,
        "--fold": 7,
        "--epochs": 7,
        "--batch-size": 7,
        "--learning-rate": 0.5,
        "--early-stopping-patience": 7,
    },
    "predict": {"--run": "one", "--input": "one", "--output": "one", "--batch-size": 7},
    "evaluate": {"--gold": "one", "--predictions": "one", "--json": None},
}


@every_contest
@every_script
def test_the_shared_flags_are_accepted(contest, script):
    flags = {name: value for name, value in SHARED_FLAGS[script].items() if name not in contest.absent_flags}
    argv = [word for pair in flags.items() for word in pair if word is not None]
    with competition.inside(contest.folder):
        config = parse_flags(competition.load(contest.folder, script).Config, argv)
    given = dict(flatten(dataclasses.asdict(config)))
    for flag, value in flags.items():
        assert str(given[flag[2:].replace("-", "_")]) == str(True if value is None else value)


def flatten(settings: dict[str, Any]):
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from flatten(value)
        else:
            yield name, value


# Training, prediction, score


@every_contest
def test_8_examples_are_learned_by_heart(contest, workshop, output):
    trained = workshop.trained(contest)
    assert trained.score >= 0.99 * contest.best
    assert trained.seconds < 90
    answers = workshop.answers(contest, trained.examples, output)
    assert any(answers)
    done = succeeds(workshop.evaluate(contest, trained.data / "dev.json", output, "--json"))
    assert done.out.count("\n") == 1 and done.out.endswith("\n"), "one JSON object and nothing else"
    figures = strict_json(done.out)
    assert tuple(figures) == contest.figures
    assert figures[contest.score] >= 0.99 * contest.best
    report = succeeds(workshop.evaluate(contest, trained.data / "dev.json", output))
    assert contest.score in report.out and report.out.count("\n") > 1


@every_contest
def test_the_run_directory_is_complete_and_tells_nothing_private(contest, workshop):
    trained = workshop.trained(contest)
    config = strict_json((trained.run / "config.json").read_bytes())
    assert config["task"] == contest.folder
    assert {"settings", "versions", "data"} <= set(config)
    for name in ("best.weights.h5", "last/state.h5", "tensorboard"):
        assert (trained.run / name).exists()
    predictions = strict_json((trained.run / "dev_predictions.json").read_bytes())
    assert len(predictions) == len(trained.examples)
    assert strict_json((trained.run / "dev_errors.json").read_bytes()) == [], "nothing is wrong in what was learned by heart"
    history = [strict_json(line) for line in (trained.run / "history.jsonl").read_text("utf-8").splitlines()]
    assert [entry["epoch"] for entry in history] == list(range(1, len(history) + 1))
    assert all(contest.score in entry for entry in history)
    for path in trained.run.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for private in (trained.home, Path.home(), competition.ROOT, "nobody-shall-read-this"):
                assert str(private).encode() not in content, f"{path.name} names {private}"


@every_contest
def test_another_process_writes_the_same_bytes(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    for suffix in contest.suffixes:
        here, there = tmp_path / f"here/submission{suffix}", tmp_path / f"there/submission{suffix}"
        here.parent.mkdir(exist_ok=True)
        examples = numbered(contest, [*trained.examples, *contest.read(sample_of(contest) / "test.json")[:12]])
        workshop.answers(contest, examples, here)
        flags = ["--run", trained.run, "--input", f"{here}-input.json", "--output", there]
        flags += extra(contest.predict_flags, trained.data)
        done = succeeds(run_there([script_of(contest, "predict"), *flags], tmp_path))
        assert str(there) in done.out
        assert here.read_bytes() == there.read_bytes()
        assert submission_bytes(here) == submission_bytes(here.with_suffix(contest.suffixes[0]))


@every_contest
def test_answers_depend_on_the_sentence_alone(contest, workshop, output):
    trained = workshop.trained(contest)
    test = contest.read(sample_of(contest) / "test.json")[:12]
    # Of 23 examples neither 7 nor 64 is a divisor, and three stand there twice.
    examples = numbered(contest, [*map(contest.unlabelled, trained.examples), *test, *test[:2], contest.unlabelled(trained.examples[0])])
    answers = workshop.answers(contest, examples, output, "--batch-size", 7)
    assert any(answers) and len(answers) == 23
    assert answers[-3:] == [*answers[8:10], answers[0]], "a sentence that stands there twice"
    assert workshop.answers(contest, examples, output, "--batch-size", 1) == answers
    assert workshop.answers(contest, examples, output, "--batch-size", 64) == answers
    order = random.Random(5).sample(range(23), 23)
    shuffled = workshop.answers(contest, [examples[index] for index in order], output, "--batch-size", 7)
    assert shuffled == [answers[index] for index in order]


@every_contest
def test_labels_are_not_looked_at(contest, workshop, tmp_path):
    examples = workshop.trained(contest).examples
    with_labels, without = tmp_path / "with.json", tmp_path / "without.json"
    workshop.answers(contest, examples, with_labels)
    workshop.answers(contest, [contest.unlabelled(example) for example in examples], without)
    assert with_labels.read_bytes() == without.read_bytes()


@every_contest
def test_no_examples_give_no_answers(contest, workshop, output):
    assert workshop.answers(contest, [], output) == []


# Resuming

KILLED_IN_THE_SECOND_EPOCH = """
import os, runpy, signal, sys

def replace_or_die(source, target, replace=os.replace):
    # The line of the first epoch makes the file, that of the second would replace it.
    if os.path.basename(target) == "history.jsonl" and os.path.exists(target):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
sys.argv, sys.path[0] = sys.argv[1:], sys.argv[1].rpartition("/")[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


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
    lines = (run_folder / "history.jsonl").read_text("utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if not name.endswith("seconds")} for line in lines]


@every_contest
def test_a_killed_training_resumes_to_the_same_weights(contest, workshop, tmp_path):
    # A fold, since its part must be the same again too.
    flags = ["--data-dir", sample_of(contest), *contest.tiny, "--epochs", 3, "--num-folds", 3, "--fold", 2, "--output-dir"]
    whole = competition.main(contest.folder, "train", [*flags, tmp_path / "whole", "--run-name", "one"])["run"]
    described = strict_json((whole / "config.json").read_bytes())["data"]
    assert described["dev"] | {"file": "train.json", "fold": 2, "num_folds": 3} == described["dev"]
    assert described["dev"]["sha256"] == described["train"]["sha256"]

    command = ["-c", KILLED_IN_THE_SECOND_EPOCH, script_of(contest, "train"), *flags, tmp_path / "killed", "--run-name", "one"]
    done = run_there(command, tmp_path)
    assert done.code == -signal.SIGKILL, done.err
    killed = tmp_path / "killed" / contest.folder / "one"
    assert without_seconds(killed) == without_seconds(whole)[:1]
    again = ["--output-dir", tmp_path / "killed", "--run-name", "one", "--resume"]
    assert competition.main(contest.folder, "train", again)["run"] == killed

    assert without_seconds(killed) == without_seconds(whole) and len(without_seconds(whole)) == 3
    assert [name for name in files_below(killed) if TEMPORARY_PREFIX in name] == [], "left by the kill"
    for name in ("last/state.h5", "best.weights.h5"):
        assert arrays(whole / name) == arrays(killed / name) and arrays(whole / name)
    # sqlite writes its own version into an index, and two processes may have loaded two of them.
    timed = ("config.json", "history.jsonl", "last/", "tensorboard/", "best.weights.h5", "knowledge_base.sqlite")
    names = [name for name in files_below(whole) if not name.startswith(timed)]
    assert names == [name for name in files_below(killed) if not name.startswith(timed)]
    for name in names:
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name

    submissions = []
    for trained in (whole, killed):
        more = ["--output", tmp_path / "submission.json", *extra(contest.predict_flags, sample_of(contest))]
        competition.main(contest.folder, "predict", ["--run", trained, "--input", sample_of(contest) / "test.json", *more])
        submissions.append((tmp_path / "submission.json").read_bytes())
    assert submissions[0] == submissions[1]

    before = arrays(killed / "best.weights.h5")
    succeeds(run_here(contest.folder, "train", again))
    assert arrays(killed / "best.weights.h5") == before, "resuming a finished training changes nothing"


# Folds


@every_contest
def test_without_a_dev_file_a_part_of_the_training_file_is_dev(contest, tmp_path, capsys):
    data = tmp_path / "data"
    shutil.copytree(sample_of(contest), data, ignore=shutil.ignore_patterns("dev.*"))
    flags = ["--data-dir", data, *contest.tiny, "--max-dev-examples", 6, "--output-dir", tmp_path / "runs"]
    result = competition.main(contest.folder, "train", flags)
    assert f"(part 1 of 5 of {data / 'train.json'}; there is no dev file)" in capsys.readouterr().out
    gold, output = result["run"] / "dev_gold.json", tmp_path / "submission.json"
    examples = contest.read(gold)
    assert len(examples) == 6
    assert examples == [example for example in contest.read(data / "train.json") if example in examples], "as they stand there"
    # The run alone has all that predict.py and evaluate.py need to come to the same figure.
    succeeds(run_here(contest.folder, "predict", ["--run", result["run"], "--input", gold, "--output", output]))
    assert len(contest.answers(submission_bytes(output), examples)) == 6
    done = succeeds(run_here(contest.folder, "evaluate", ["--gold", gold, "--predictions", output, "--json"]))
    assert strict_json(done.out)[contest.score] == pytest.approx(result[contest.score], rel=0, abs=1e-9)


# Odd input


@every_contest
def test_odd_texts_are_learned_predicted_and_scored(contest, workshop, tmp_path, output):
    examples = odd_examples(contest, workshop.trained(contest).examples[0])
    data = make_data(contest, tmp_path / "data", examples, examples)
    for name in ("train.json", "dev.json"):
        content = (data / name).read_bytes().replace(b"\n", b"\r\n")
        (data / name).write_bytes(b"\xef\xbb\xbf" + content)  # as Windows writes it, byte order mark and all
    flags = ["--data-dir", data, *contest.tiny, "--max-train-examples", 99, "--max-dev-examples", 99]
    result = competition.main(contest.folder, "train", [*flags, "--output-dir", tmp_path / "runs"])
    predictions = strict_json((result["run"] / "dev_predictions.json").read_bytes())
    assert len(predictions) == len(examples)

    done = succeeds(workshop.predict(contest, (data / "dev.json").read_bytes(), output))
    assert str(output) in done.out
    answers = contest.answers(submission_bytes(output), examples)
    assert answers[0] == answers[-1] and any(answers)
    # Without its line ends and mark the file means the same.
    plain = workshop.answers(contest, [contest.unlabelled(example) for example in examples], tmp_path / "plain.json", "--batch-size", 3)
    assert plain == answers

    done = succeeds(workshop.evaluate(contest, data / "dev.json", output, "--json"))
    assert tuple(strict_json(done.out)) == contest.figures


@every_contest
def test_what_only_looks_wrong_is_answered(contest, workshop, output):
    for case in contest.accepted(workshop.trained(contest).examples[:2]):
        done = workshop.predict(contest, case.content, output)
        assert (done.code, done.err) == (0, ""), case.name
        assert len(contest.answers(submission_bytes(output), case.examples)) == len(case.examples), case.name
        assert case.says in done.out, case.name


def refused_files(script: str):
    pairs = [(contest, case) for contest in CONTESTS for case in contest.refused(contest.read(sample_of(contest) / "train.json")[:2])]
    pairs = [(contest, case) for contest, case in pairs if script in case.scripts]
    return pytest.mark.parametrize(
        ("contest", "case"), pairs, ids=[f"{contest.folder}-{case.name}" for contest, case in pairs]
    )


@refused_files("train")
@pytest.mark.parametrize("name", ["train.json", "dev.json"])
def test_training_refuses_a_bad_file(contest, case, name, tmp_path):
    good = contest.read(sample_of(contest) / "train.json")[:2]
    data = make_data(contest, tmp_path / "data", good, good)
    (data / name).write_bytes(case.content)
    done = run_here(contest.folder, "train", ["--data-dir", data, "--output-dir", tmp_path / "runs", *contest.tiny])
    check_refusal(done, f"{data / name}:{case.line}: ")
    assert not (tmp_path / "runs").exists()


@refused_files("predict")
def test_prediction_refuses_a_bad_file(contest, case, workshop, output):
    done = workshop.predict(contest, case.content, output)
    check_refusal(done, f"{output}-input.json:{case.line}: ")
    assert done.out == "" and os.listdir(output.parent) == [f"{output.name}-input.json"]


@refused_files("evaluate")
def test_evaluation_refuses_bad_gold(contest, case, workshop, tmp_path, output):
    workshop.trained(contest)
    succeeds(workshop.predict(contest, [], output))
    (tmp_path / "gold.json").write_bytes(case.content)
    done = workshop.evaluate(contest, tmp_path / "gold.json", output, "--json")
    check_refusal(done, f"{tmp_path / 'gold.json'}:{case.line}: ")
    assert done.out == ""


@every_contest
def test_evaluation_refuses_a_bad_submission(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    predictions = tmp_path / f"submission{contest.suffixes[0]}"
    for case in contest.refused_submissions(trained.examples[:2]):
        predictions.write_bytes(case.content)
        done = workshop.evaluate(contest, trained.data / "dev.json", predictions, "--json")
        check_refusal(done, f"{predictions}:{case.line}: ")
        assert done.out == "", case.name


# Mistakes on the command line


@every_contest
@pytest.mark.parametrize(
    ("script", "flags", "named"),
    [
        ("train", ["--no-such-flag"], "--no-such-flag"),
        ("train", ["--epochs", "many"], "--epochs"),
        ("train", ["--batch-size", 0], "--batch-size 0"),
        ("train", ["--num-folds", 3, "--fold", 4], "--fold 4"),
        ("train", ["--fold", 2], "--fold 2"),  # of what? there is a dev file
        ("predict", ["test.json"], "test.json"),
        ("predict", ["--batch-size", "many"], "--batch-size"),
        ("predict", ["--batch-size", 0], "--batch-size 0"),
        ("evaluate", ["--gold", "dev.json"], "--predictions"),
    ],
)
def test_a_bad_flag_is_named(contest, script, flags, named):
    check_refusal(run_here(contest.folder, script, flags), named)


@every_contest
def test_missing_data_shows_the_tree(contest, tmp_path):
    wanted = [path.name for path in sample_of(contest).iterdir() if not path.name.startswith("test.")]
    flags = ["--data-dir", tmp_path / "data", "--output-dir", tmp_path / "runs"]
    check_refusal(run_here(contest.folder, "train", flags), tmp_path / "data", *wanted)
    for name in wanted:
        if name == "dev.json":  # which may be missing
            continue
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        shutil.copytree(sample_of(contest), tmp_path / "data")
        (tmp_path / "data" / name).unlink()
        check_refusal(run_here(contest.folder, "train", flags), tmp_path / "data", *wanted)
    shutil.copytree(sample_of(contest), tmp_path / "data", dirs_exist_ok=True)
    contest.write(tmp_path / "data/train.json", [])
    check_refusal(run_here(contest.folder, "train", flags), tmp_path / "data/train.json")
    assert not (tmp_path / "runs").exists()


TINY_BERT = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "vocab_size": 7,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
}


def write_checkpoint(folder: Path, size: int = 8) -> Path:
    """A BERT checkpoint with random weights; they fit its config when `size` is 8."""
    from common.keras_compat import tf

    layer = "encoder/layer_0"
    dense = {f"attention/self/{name}": (size, size) for name in ("query", "key", "value")}
    dense |= {"attention/output/dense": (size, size), "intermediate/dense": (size, 12), "output/dense": (12, size)}
    shapes = {f"embeddings/{name}_embeddings": (rows, size) for name, rows in (("word", 7), ("position", 64), ("token_type", 2))}
    for name, (rows, columns) in dense.items():
        shapes |= {f"{layer}/{name}/kernel": (rows, columns), f"{layer}/{name}/bias": (columns,)}
    for name in ("embeddings", f"{layer}/attention/output", f"{layer}/output"):
        shapes |= {f"{name}/LayerNorm/gamma": (size,), f"{name}/LayerNorm/beta": (size,)}
    generator = np.random.default_rng(1)
    folder.mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=[f"bert/{name}" for name in shapes],
        shape_and_slices=[""] * len(shapes),
        tensors=[generator.normal(0, 0.5, shape).astype(np.float32) for shape in shapes.values()],
    )
    (folder / "bert_config.json").write_text(json.dumps(TINY_BERT))
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n人\n的\n", "utf-8")
    return folder


@every_contest
@pytest.mark.parametrize("encoder", ["bilstm", "checkpoint"])
def test_every_encoder_trains_and_predicts(contest, encoder, tmp_path, output):
    if "--pretrained" in contest.absent_flags:
        pytest.skip("this contest has encoders of its own")
    checkpoint = tmp_path / "checkpoint"
    flags = ["--pretrained", write_checkpoint(checkpoint)] if encoder == "checkpoint" else ["--encoder", encoder]
    trained = competition.main(contest.folder, "train", [*contest.tiny, *flags, "--output-dir", tmp_path / "runs"])["run"]
    shutil.rmtree(checkpoint, ignore_errors=True)  # the run stands alone
    more = extra(contest.predict_flags, sample_of(contest))
    succeeds(run_here(contest.folder, "predict", ["--run", trained, "--output", output, *more]))
    test = contest.read(sample_of(contest) / "test.json")
    assert len(contest.answers(submission_bytes(output), test)) == len(test)


@every_contest
@pytest.mark.parametrize("wrong", ["no folder", "vocabulary of another", "tensors of another size", "damaged weights"])
def test_a_checkpoint_that_does_not_fit_is_refused(contest, wrong, tmp_path):
    """More such mistakes are in test_encoders.py; here they reach the user."""
    if "--pretrained" in contest.absent_flags:
        pytest.skip("this contest has encoders of its own")
    folder = tmp_path / "checkpoint"
    if wrong != "no folder":
        write_checkpoint(folder, size=4 if wrong == "tensors of another size" else 8)
    if wrong == "vocabulary of another":
        (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "utf-8")
    elif wrong == "damaged weights":
        (folder / "bert_model.ckpt.index").write_bytes(b"not an index")
    check_refusal(run_here(contest.folder, "train", ["--pretrained", folder, "--output-dir", tmp_path / "runs", *contest.tiny]), folder)
    assert not (tmp_path / "runs" / contest.folder).exists()  # the index of a knowledge base may stay


@every_contest
def test_a_run_is_named_once(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    flags = ["--data-dir", trained.data, "--output-dir", trained.home / "runs", *contest.tiny]
    before = files_below(trained.home / "runs")
    check_refusal(run_here(contest.folder, "train", [*flags, "--run-name", "by-heart"]), "by-heart", "exists", "--resume")
    for name in ("", "..", "a/b", "/tmp"):
        check_refusal(run_here(contest.folder, "train", [*flags, "--run-name", name]), "--run-name")
    check_refusal(run_here(contest.folder, "train", [*flags, "--run-name", "absent", "--resume"]), "absent")
    nothing = ["--output-dir", tmp_path / "runs", "--resume"]
    check_refusal(run_here(contest.folder, "train", nothing), tmp_path / "runs", "train")
    assert files_below(trained.home / "runs") == before and not (tmp_path / "runs").exists()


@every_contest
def test_a_resumed_run_keeps_its_settings_and_data(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    resume = ["--output-dir", trained.home / "runs", "--run-name", "by-heart", "--resume"]
    before = {name: (trained.run / name).read_bytes() for name in files_below(trained.run)}
    for flag, value in (("--seed", 7), ("--batch-size", 3), ("--learning-rate", 0.5), ("--max-dev-examples", 2), ("--fold", 2)):
        check_refusal(run_here(contest.folder, "train", [*resume, flag, value]), f"{flag} {value}", "by-heart")
    data = make_data(contest, tmp_path / "data", trained.examples[:7], trained.examples)
    check_refusal(run_here(contest.folder, "train", [*resume, "--data-dir", data]), trained.run, "train.json")
    assert {name: (trained.run / name).read_bytes() for name in files_below(trained.run)} == before


@every_contest
def test_prediction_refuses_what_is_no_run_of_this_task(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    unfinished, foreign, empty = (tmp_path / name for name in ("unfinished", "foreign", "empty"))
    for folder in (unfinished, foreign):
        shutil.copytree(trained.run, folder, ignore=shutil.ignore_patterns("tensorboard", "last"))
    (unfinished / "best.weights.h5").unlink()
    config = json.loads((foreign / "config.json").read_text("utf-8"))
    (foreign / "config.json").write_text(json.dumps({**config, "task": "another_contest"}))
    empty.mkdir()
    output = tmp_path / "submission.json"
    for flags, words in (
        (["--run", foreign], [foreign, "another_contest", contest.folder]),
        (["--run", unfinished], [unfinished, "best.weights.h5", "train"]),
        (["--run", empty], [empty, "config.json"]),
        (["--run", tmp_path / "nowhere"], [tmp_path / "nowhere"]),
        (["--output-dir", empty], [empty, "train"]),
    ):
        check_refusal(run_here(contest.folder, "predict", [*flags, "--output", output]), *words)
    assert not output.exists()


@every_contest
def test_a_damaged_run_is_named(contest, workshop, tmp_path):
    """Every file that predict.py reads, cut in half, as a full disk or a broken download leaves it."""
    trained = workshop.trained(contest)
    shutil.copytree(trained.run, tmp_path / "run", ignore=shutil.ignore_patterns("tensorboard", "last", "dev_*", "history.jsonl"))
    output = tmp_path / "submission.json"
    flags = ["--run", tmp_path / "run", "--output", output, *extra(contest.predict_flags, trained.data)]
    names = files_below(tmp_path / "run")
    assert "config.json" in names and "best.weights.h5" in names
    for name in names:
        content = (tmp_path / "run" / name).read_bytes()
        (tmp_path / "run" / name).write_bytes(content[: len(content) // 2])
        check_refusal(run_here(contest.folder, "predict", flags), tmp_path / "run")
        (tmp_path / "run" / name).unlink()
        check_refusal(run_here(contest.folder, "predict", flags), tmp_path / "run")
        (tmp_path / "run" / name).write_bytes(content)
    assert not output.exists()
    succeeds(run_here(contest.folder, "predict", flags))


@every_contest
def test_files_that_cannot_be_read_or_written_are_named(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    gold, nowhere, folder = trained.data / "dev.json", tmp_path / "nowhere.json", tmp_path / "folder"
    folder.mkdir()
    check_refusal(workshop.predict(contest, trained.examples, folder), folder)
    for path in (nowhere, folder):
        flags = ["--run", trained.run, "--input", path, "--output", tmp_path / "submission.json"]
        check_refusal(run_here(contest.folder, "predict", [*flags, *extra(contest.predict_flags, trained.data)]), path)
        check_refusal(workshop.evaluate(contest, path, gold), path)
        check_refusal(workshop.evaluate(contest, gold, path), path)
    (tmp_path / "text.zip").write_bytes(b"no zip")
    check_refusal(workshop.evaluate(contest, gold, tmp_path / "text.zip"), tmp_path / "text.zip")
    assert os.listdir(folder) == [] and not (tmp_path / "submission.json").exists()


# Elsewhere


@every_contest
def test_a_copy_trains_predicts_and_evaluates_anywhere(contest, tmp_path):
    copy = tmp_path / "mine" / "a copy"
    shutil.copytree(script_of(contest, "train").parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = files_below(copy)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    flags = ["-B", "../mine/a copy/train.py", *contest.tiny]  # on its own sample
    done = succeeds(run_there(flags, elsewhere))
    (trained,) = (elsewhere / "runs" / contest.folder).iterdir()
    assert trained.name in done.out and "predict.py" in done.out, "says where the run is, and what comes next"
    shutil.copy(copy / "sample/dev.json", elsewhere)
    more = extra(contest.predict_flags, copy / "sample")
    output = f"submission{contest.suffixes[-1]}"
    done = succeeds(run_there(["-B", "../mine/a copy/predict.py", "--input", "dev.json", "--output", output, *more], elsewhere))
    assert output in done.out
    more = extra(contest.evaluate_flags, copy / "sample")
    flags = ["-B", "../mine/a copy/evaluate.py", "--gold", "dev.json", "--predictions", output, "--json", *more]
    done = succeeds(run_there(flags, elsewhere))
    assert tuple(strict_json(done.out)) == contest.figures
    assert files_below(copy) == before, "nothing is written beside the scripts"


# The organisers' figures


@every_contest
def test_golden_files_come_out_exactly(contest):
    golden = competition.SHARED / "golden" / contest.folder
    if not golden.is_dir():
        pytest.skip("../shared/golden is not here")
    (gold,), (predictions,) = golden.glob("gold*"), golden.glob("pred*")
    more = extra(contest.evaluate_flags, golden)
    done = succeeds(run_here(contest.folder, "evaluate", ["--gold", gold, "--predictions", predictions, "--json", *more]))
    figures = strict_json(done.out)
    for name, value in strict_json((golden / "official.json").read_bytes()).items():
        assert math.isclose(figures[name], value, rel_tol=0, abs_tol=1e-9), name
