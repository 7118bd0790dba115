"""scripts/dev_results.py: what a run of any contest said of dev, and the score of each example."""

import json
import sys

import numpy as np
import pytest

from common.runs.directory import open_run

import competition
from contests import EVENT_EXTRACTION, NL2SQL, READING_COMPREHENSION, WEBQA, every_contest, these
from helpers import refused, write
from made_runs import LABELS, dev_of, evaluated, made_run, rotated
from workshop import sample_of

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
from dev_results import CONTESTS, check_finished, dev_results  # noqa: E402

COUNT, WRONG = 12, (1, 2, 5, 9)


@every_contest
def test_each_example_has_the_score_that_the_metric_gives_it_alone(contest, tmp_path):
    examples = dev_of(contest, sample_of(contest))[:COUNT]
    predictions = rotated(list(map(LABELS[contest.folder], examples)), WRONG)
    results = dev_results(made_run(contest, tmp_path, "one", predictions))
    alone = [evaluated(contest, [one], [said]).metrics for one, said in zip(examples, predictions)]
    whole = 100 if contest is READING_COMPREHENSION else 1
    for place, figures in enumerate(alone):
        nothing = figures.get("predicted") == figures.get("gold") == 0  # which the judge cannot score alone
        assert results.scores[place] == pytest.approx(1 if nothing else figures[results.metric] / whole, abs=1e-5)
    assert results.scores.dtype == np.float64 and set(np.flatnonzero(results.scores < 0.999)) <= set(WRONG)
    assert results.scores.min() < 1
    assert (results.task, results.metric) == (contest.folder, contest.score)
    figures = evaluated(contest, examples, predictions).metrics
    assert results.figures[contest.score] == figures[contest.score] and results.figures.keys() <= figures.keys()
    assert len(results.examples) == len(results.predictions) == len(results.predicted) == len(results.keys) == COUNT
    assert results.predictions == json.loads((tmp_path / contest.folder / "one/dev_predictions.json").read_text())
    assert len(set(map(repr, results.keys))) == COUNT and results.gold == sample_of(contest) / "dev.json"
    check_finished(results.run)


@every_contest
def test_a_trained_run_is_read(contest, workshop):
    trained = workshop.trained(contest)
    results = dev_results(trained.run, trained.data)  # HOME was another one
    assert results.figures[contest.score] == pytest.approx(trained.score) and len(results.scores) == 8
    whole = 100 if contest is READING_COMPREHENSION else 1
    assert results.scores.mean() == pytest.approx(trained.score / whole, abs=0.1)
    check_finished(results.run)


def made(contest, folder, data=None):
    labels = list(map(LABELS[contest.folder], dev_of(contest, data or sample_of(contest))[:COUNT]))
    return made_run(contest, folder, "one", rotated(labels, WRONG), data)


@these(EVENT_EXTRACTION, NL2SQL)
def test_a_fold_brings_its_own_gold(contest, tmp_path):
    run = made(contest, tmp_path)
    expected = dev_results(run)
    for part in ("", ".tables"):
        if (whole := sample_of(contest) / f"dev{part}.json").exists():
            write(run / f"dev_gold{part}.json", whole.read_text("utf-8"))
    gold = run / "dev_gold.json"
    write(gold, "".join(gold.read_text("utf-8").splitlines(keepends=True)[:COUNT]))
    config = json.loads((run / "config.json").read_text())
    config["settings"]["data_dir"] = "/nowhere"
    config["data"]["dev"] = {"file": "train.json", "sha256": "of another file", "fold": 1, "num_folds": 3}
    write(run / "config.json", config)
    found = dev_results(run)
    assert found.gold == gold and found.keys == expected.keys
    np.testing.assert_array_equal(found.scores, expected.scores)
    gold.unlink()
    refused(lambda: dev_results(run), gold, "no such file")


def test_a_question_that_stands_twice_was_answered_once(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    questions = [
        {"id": name, "question": "哪年", "answers": [{"text": "七年", "answer_start": -1}]} for name in ("a", "b", "a")
    ]
    content = {"data": [{"paragraphs": [{"context": "那是七年", "qas": [one]} for one in questions]}]}
    for name in ("train", "dev"):
        write(data / f"{name}.json", content)
    results = dev_results(made_run(READING_COMPREHENSION, tmp_path, "one", ["七年", "那", "七年"], data))
    assert results.scores.tolist() == [1, 0, 1] and [one["id"] for one in results.predictions] == ["a", "b", "a"]


def test_what_cannot_be_read_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("train.json", "dev.json"):
        write(data / name, (sample_of(WEBQA) / name).read_text("utf-8"))
    run = made(WEBQA, tmp_path, data)
    predictions = json.loads((run / "dev_predictions.json").read_text())
    write(run / "dev_predictions.json", predictions[1:])
    refused(lambda: dev_results(run), "does not answer just the 12 examples", data / "dev.json")
    write(run / "dev_predictions.json", [{"id": one["id"]} for one in predictions])
    refused(lambda: dev_results(run), "has a record without an answer")
    write(run / "dev_predictions.json", "[")
    refused(lambda: dev_results(run), run / "dev_predictions.json", "cannot be read")
    (run / "dev_predictions.json").unlink()
    refused(lambda: dev_results(run), "has no dev_predictions.json yet", "train.py --run-name one --resume")
    write(run / "dev_predictions.json", predictions)
    write(data / "dev.json", (data / "dev.json").read_text("utf-8") + "\n")
    refused(lambda: dev_results(run), data / "dev.json", "is not the file that the run was evaluated on", "--data-dir")
    assert dev_results(run, sample_of(WEBQA)).gold == sample_of(WEBQA) / "dev.json"
    refused(lambda: dev_results(run, tmp_path / "gone"), "gone: no such folder", "--data-dir")


def test_damaged_predictions_are_named_by_their_own_file(tmp_path):
    run = made(EVENT_EXTRACTION, tmp_path)
    records = json.loads((run / "dev_predictions.json").read_text())
    records[2]["event_list"] = 5
    write(run / "dev_predictions.json", records)
    refused(lambda: dev_results(run), f'{run / "dev_predictions.json"}:3: "event_list"')


def test_runs_of_no_contest_and_unfinished_ones_are_told(tmp_path):
    run = made(EVENT_EXTRACTION, tmp_path)
    write(run / "history.jsonl", "")
    refused(lambda: check_finished(open_run(run, *CONTESTS)), "is not finished, with 0 of 1 epochs", "--resume")
    config = json.loads((run / "config.json").read_text())
    config["settings"]["training"] |= {"epochs": 9, "early_stopping_patience": 2}
    write(run / "config.json", config)
    for scores, is_over in (([0.5, 0.4], False), ([0.5, 0.4, 0.5], True), ([0.5, 0.6, 0.1], False)):
        lines = [json.dumps({"epoch": number, "f1": score}) + "\n" for number, score in enumerate(scores, 1)]
        write(run / "history.jsonl", "".join(lines))
        if is_over:
            check_finished(open_run(run, *CONTESTS))
        else:
            refused(lambda: check_finished(open_run(run, *CONTESTS)), f"with {len(scores)} of 9 epochs")
    write(run / "history.jsonl", "no json")
    refused(lambda: check_finished(open_run(run, *CONTESTS)), "history.jsonl", "damaged")
    write(run / "config.json", {"task": "pretraining", "settings": {}, "data": {}})
    refused(lambda: dev_results(run), "is a run of pretraining", "give a run of")
    refused(lambda: dev_results(tmp_path / "nothing"), "no run directory")
