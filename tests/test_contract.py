"""What every competition folder promises: its files and flags, and what training, prediction and score do. The folders
are described in contests.py; all sentences here are invented. What is refused stands in test_contract_refusals.py, what
takes processes of its own in test_contract_processes.py."""

import ast
import dataclasses
import inspect
import math
import random
import shutil
import typing
from pathlib import Path
from typing import Any

import pytest

from common.command_line import parse_flags

import competition
from contests import (
    ALL_SCRIPTS,
    CONTESTS,
    EVENT_EXTRACTION,
    READING_COMPREHENSION,
    RELATION_EXTRACTION,
    Contest,
    Example,
    every_contest,
    in_default,
    strict_json,
    submission_bytes,
)
from tiny_checkpoint import write_checkpoint
from workshop import extra, make_data, numbered, run_here, sample_of, succeeds

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


def odd_examples(contest: Contest, example: Example) -> list[Example]:
    text = contest.text(example)
    texts = [
        form for odd in ODD_TEXTS.values() for form in ((odd, odd + text + odd) if len(odd) < 1000 else (odd + text,))
    ]
    return numbered(contest, [example, *(contest.with_text(example, odd) for odd in texts), example])


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


#: The flags that all contests share (competitions/README.md), each with a value.
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
        "--devices": 2,
        "--learning-rate": 0.5,
        "--early-stopping-patience": 7,
    },
    "predict": {
        "--run": "one",
        "--input": "one",
        "--output": "one",
        "--batch-tokens": 700,
        "--mixed-precision": "no",
        "--shard": "3/8",
    },
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
    assert strict_json((trained.run / "dev_errors.json").read_bytes()) == [], (
        "nothing is wrong in what was learned by heart"
    )
    history = [strict_json(line) for line in (trained.run / "history.jsonl").read_text("utf-8").splitlines()]
    assert [entry["epoch"] for entry in history] == list(range(1, len(history) + 1))
    assert all(contest.score in entry for entry in history)
    for path in trained.run.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for private in (trained.home, Path.home(), competition.ROOT, "nobody-shall-read-this"):
                assert str(private).encode() not in content, f"{path.name} names {private}"


@every_contest
def test_answers_depend_on_the_sentence_alone(contest, workshop, output):
    trained = workshop.trained(contest)
    test = contest.read(sample_of(contest) / "test.json")[:12]
    # Of 23 examples neither 7 nor 64 is a divisor, and three stand there twice.
    examples = numbered(
        contest, [*map(contest.unlabelled, trained.examples), *test, *test[:2], contest.unlabelled(trained.examples[0])]
    )
    answers = workshop.answers(contest, examples, output, "--batch-tokens", 700)
    assert any(answers) and len(answers) == 23
    assert answers[-3:] == [*answers[8:10], answers[0]], "a sentence that stands there twice"
    assert workshop.answers(contest, examples, output, "--batch-tokens", 1) == answers
    assert workshop.answers(contest, examples, output, "--batch-tokens", 100_000) == answers
    order = random.Random(5).sample(range(23), 23)
    shuffled = workshop.answers(contest, [examples[index] for index in order], output, "--batch-tokens", 700)
    assert shuffled == [answers[index] for index in order]


@every_contest
def test_labels_are_not_looked_at(contest, workshop, tmp_path):
    examples = workshop.trained(contest).examples
    with_labels, without = tmp_path / "with.json", tmp_path / "without.json"
    workshop.answers(contest, examples, with_labels)
    workshop.answers(contest, [contest.unlabelled(example) for example in examples], without)
    assert with_labels.read_bytes() == without.read_bytes()


#: All contests are given their encoder by `common`, so each kind is tried with another of them.
OTHER_ENCODER = "trains a network of its own; three contests stand for all, each with another encoder"


@in_default(READING_COMPREHENSION, reason=OTHER_ENCODER)
def test_a_checkpoint_is_trained_and_the_run_stands_alone(contest, tmp_path, capsys):
    if "--pretrained" in contest.absent_flags:
        pytest.skip("this contest has encoders of its own")
    check_standing_alone(contest, ["--pretrained", write_checkpoint(tmp_path / "checkpoint")], tmp_path, capsys)


@in_default(RELATION_EXTRACTION, reason=OTHER_ENCODER)
def test_a_bilstm_is_trained_and_the_run_stands_alone(contest, tmp_path, capsys):
    check_standing_alone(contest, ["--encoder", "bilstm", "--layers", 1], tmp_path, capsys)


@in_default(EVENT_EXTRACTION, reason=OTHER_ENCODER)
def test_an_on_lstm_is_trained_and_the_run_stands_alone(contest, tmp_path, capsys):
    check_standing_alone(contest, ["--encoder", "on_lstm", "--layers", 1], tmp_path, capsys)


def check_standing_alone(contest, encoder, folder, capsys):
    """Without a dev file a part of the training file is dev, and the run has all that predict.py and evaluate.py need
    to come to the same figure."""
    data, output = folder / "data", folder / "submission.json"
    shutil.copytree(sample_of(contest), data, ignore=shutil.ignore_patterns("dev.*"))
    flags = ["--data-dir", data, *contest.tiny, *encoder, "--max-dev-examples", 6, "--output-dir", folder / "runs"]
    result = competition.main(contest.folder, "train", flags)
    assert f"(part 1 of 5 of {data / 'train.json'}; there is no dev file)" in capsys.readouterr().out
    gold = result["run"] / "dev_gold.json"
    examples = contest.read(gold)
    assert len(examples) == 6
    assert examples == [example for example in contest.read(data / "train.json") if example in examples], (
        "as they stand there"
    )
    shutil.rmtree(data)
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    succeeds(run_here(contest.folder, "predict", ["--run", result["run"], "--input", gold, "--output", output]))
    assert len(contest.answers(submission_bytes(output), examples)) == 6
    done = succeeds(run_here(contest.folder, "evaluate", ["--gold", gold, "--predictions", output, "--json"]))
    assert strict_json(done.out)[contest.score] == pytest.approx(result[contest.score], rel=0, abs=1e-9)


# Odd input


@every_contest
def test_odd_texts_are_predicted_and_scored(contest, workshop, tmp_path, output):
    data, examples = odd_data(contest, workshop, tmp_path)
    done = succeeds(workshop.predict(contest, (data / "dev.json").read_bytes(), output))
    assert str(output) in done.out
    answers = contest.answers(submission_bytes(output), examples)
    assert answers[0] == answers[-1] and any(answers)
    # Without its line ends and mark the file means the same.
    plain = workshop.answers(
        contest, [contest.unlabelled(example) for example in examples], tmp_path / "plain.json", "--batch-tokens", 300
    )
    assert plain == answers

    done = succeeds(workshop.evaluate(contest, data / "dev.json", output, "--json"))
    assert tuple(strict_json(done.out)) == contest.figures


@in_default(RELATION_EXTRACTION, EVENT_EXTRACTION, reason="trains a network of its own; two contests stand for all")
def test_odd_texts_are_learned(contest, workshop, tmp_path):
    data, examples = odd_data(contest, workshop, tmp_path)
    flags = ["--data-dir", data, *contest.tiny, "--max-train-examples", 99, "--max-dev-examples", 99]
    result = competition.main(contest.folder, "train", [*flags, "--output-dir", tmp_path / "runs"])
    assert len(strict_json((result["run"] / "dev_predictions.json").read_bytes())) == len(examples)


def odd_data(contest, workshop, folder):
    examples = odd_examples(contest, workshop.trained(contest).examples[0])
    data = make_data(contest, folder / "data", examples, examples)
    for name in ("train.json", "dev.json"):
        content = (data / name).read_bytes().replace(b"\n", b"\r\n")
        (data / name).write_bytes(b"\xef\xbb\xbf" + content)  # as Windows writes it, byte order mark and all
    return data, examples


@every_contest
def test_what_only_looks_wrong_is_answered(contest, workshop, output):
    for case in contest.accepted(workshop.trained(contest).examples[:2]):
        done = workshop.predict(contest, case.content, output)
        assert (done.code, done.err) == (0, ""), case.name
        assert len(contest.answers(submission_bytes(output), case.examples)) == len(case.examples), case.name
        assert case.says in done.out, case.name


# The organisers' figures


@every_contest
def test_golden_files_come_out_exactly(contest):
    golden = competition.SHARED / "golden" / contest.folder
    if not golden.is_dir():
        pytest.skip("../shared/golden is not here")
    (gold,), (predictions,) = golden.glob("gold*"), golden.glob("pred*")
    more = extra(contest.evaluate_flags, golden)
    done = succeeds(
        run_here(contest.folder, "evaluate", ["--gold", gold, "--predictions", predictions, "--json", *more])
    )
    figures = strict_json(done.out)
    for name, value in strict_json((golden / "official.json").read_bytes()).items():
        assert math.isclose(figures[name], value, rel_tol=0, abs_tol=1e-9), name
