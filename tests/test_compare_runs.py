"""scripts/compare_runs.py: which runs it puts together, what it prints of pairs, and what it refuses."""

import json
import sys

import numpy as np
import pytest

import competition
from contests import EVENT_EXTRACTION, NL2SQL, READING_COMPREHENSION, TITLING, every_contest
from helpers import not_importing, write
from made_runs import LABELS, dev_of, evaluated, made_run, rotated
from workshop import check_refusal, run_here, sample_of, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import compare_runs  # noqa: E402

COUNT = 12
#: Of each run the examples in which it errs: b errs where a does, c elsewhere.
WRONG = {"a": (1, 2, 5, 9), "b": (1, 2, 5, 8), "c": (3, 4, 6, 7)}


def labels_of(contest):
    return list(map(LABELS[contest.folder], dev_of(contest, sample_of(contest))[:COUNT]))


def made(contest, folder, wrong=None):
    labels = labels_of(contest)
    return [made_run(contest, folder, name, rotated(labels, places)) for name, places in (wrong or WRONG).items()]


def compare(*flags):
    return run_here(SCRIPTS, "compare_runs", flags)


@every_contest
def test_runs_that_err_in_other_places_are_put_together(contest, tmp_path, capsys):
    runs = made(contest, tmp_path)
    found = compare_runs.main(["--permutations", "50", *map(str, runs)])
    examples, labels = dev_of(contest, sample_of(contest))[:COUNT], labels_of(contest)
    wrong = {name: values < 1 - 1e-6 for name, values in found["scores"].items()}
    for name, places in WRONG.items():
        expected = [labels[place] != labels[(place + 1) % COUNT] for place in places]
        assert wrong[name][list(places)].tolist() == expected or contest is TITLING  # of which some say the same
    assert found["highest_oracle"] == ["a", "c"]
    ab, ac, bc = found["pairs"]
    assert ab.agreement.both_wrong >= 2 and ac.agreement.both_wrong == bc.agreement.both_wrong == 0
    assert ab.dependence.share > max(ac.dependence.share, bc.dependence.share)
    assert ab.agreement.kappa > 0 > ac.agreement.kappa
    assert ac.oracle == pytest.approx(np.maximum(*(found["scores"][name] for name in "ac")).mean())
    printed = capsys.readouterr().out
    figure = evaluated(contest, examples, rotated(labels, WRONG["a"])).metrics[contest.score]
    [row] = [line.split() for line in printed.splitlines() if line.startswith("a ") and "+" not in line]
    assert row[1] == f"{figure:.4f}" and f"{COUNT} examples of {sample_of(contest) / 'dev.json'}" in printed
    assert "to put into an ensemble: a, c" in printed


def test_three_of_four_are_chosen_and_the_same_again(tmp_path):
    runs = made(EVENT_EXTRACTION, tmp_path, {**WRONG, "d": (8, 9, 10)})
    flags = ["--size", 3, "--permutations", 20, *runs]
    printed = succeeds(compare(*flags)).out
    assert "to put into an ensemble: " in printed and printed == compare(*flags).out
    names = printed.split("ensemble: ")[1].splitlines()[0].split(", ")
    assert len(names) == 3 and "c" in names


def test_right_begins_where_one_says(tmp_path):
    runs = made(READING_COMPREHENSION, tmp_path)
    whole, any_overlap = (
        [
            float(line.split()[3][:-1])
            for line in succeeds(compare("--right", right, "--permutations", 5, *runs)).out.splitlines()
            if line[:2] in ("a ", "b ", "c ") and "+" not in line
        ]
        for right in (1, 0)
    )
    assert max(whole) < 100 and any_overlap == [100, 100, 100]


def test_runs_of_one_name_are_told_apart(tmp_path):
    runs = [made(NL2SQL, tmp_path / part, {"same": WRONG[part]})[0] for part in "ac"]
    assert f"to put into an ensemble: {runs[0]}, {runs[1]}" in succeeds(compare(*runs, "--permutations", 5)).out


def test_it_needs_no_tensorflow(tmp_path):
    runs = made(EVENT_EXTRACTION, tmp_path)
    with not_importing("tensorflow", "keras", "tf_keras", "bert4keras"):
        compare_runs.main(["--permutations", "5", *map(str, runs)])


def test_what_cannot_be_compared_is_refused(tmp_path):
    a, b, c = made(EVENT_EXTRACTION, tmp_path)
    check_refusal(compare(a), "runs: 1 are given")
    check_refusal(compare(a, b, "--size", 3), "--size 3", "which is 2")
    check_refusal(compare(a, a), "is named twice")
    [other] = made(NL2SQL, tmp_path, {"a": ()})
    check_refusal(compare(a, other), "is a run of nl2sql", "of lic2020_event_extraction")
    labels = labels_of(EVENT_EXTRACTION)
    shorter = made_run(EVENT_EXTRACTION, tmp_path, "shorter", labels[:5])
    check_refusal(compare(a, shorter), "on 5 examples", "on 12, of which 5 are the same")
    (b / "dev_predictions.json").unlink()
    check_refusal(compare(a, b), b, "has no dev_predictions.json yet")
    write(c / "history.jsonl", "")
    check_refusal(compare(a, c), c, "is not finished", "--resume")
    config = json.loads((c / "config.json").read_text())
    config["settings"]["data_dir"] = "/nowhere"
    write(c / "config.json", config)
    check_refusal(compare(a, c), "/nowhere: no such folder", "--data-dir")
    assert compare(a, "/nowhere").code == 2
