"""scripts/similar_questions.py as a user runs it."""

import json
import re
import shutil

import numpy as np
import pytest

import competition
from contests import READING_COMPREHENSION
from helpers import interrupt_second_epoch, write, write_lines
from hub_checkpoint import copy_checkpoint, read_tensors, write_tensors
from workshop import arrays, check_refusal, run_here, sample_of, succeeds

SCRIPTS = competition.ROOT / "scripts"
THINGS = ["花呗", "借款", "山灯", "河水", "白条", "月租"]
GROUPS = [{"texts": [f"怎么还{thing}", f"{thing}怎么还", f"请问{thing}如何归还"]} for thing in THINGS]
SMALL = ["--hidden-size", 32, "--layers", 1, "--max-length", 16, "--batch-size", 4, "--epochs", 30]
SMALL += ["--learning-rate", 0.01, "--ema-momentum", 0.5]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    home = tmp_path_factory.mktemp("similar")
    groups = write_lines(home / "groups.jsonl", GROUPS)
    flags = ["train", "--train", groups, "--dev", groups, *SMALL, "--output-dir", home, "--run-name", "whole"]
    return home, succeeds(run_here(SCRIPTS, "similar_questions", flags))


def test_it_learns_to_find_and_to_write(trained):
    home, done = trained
    assert "6 groups of 18 texts" in done.out
    [*_, last] = (home / "similarity/whole/history.jsonl").read_text("utf-8").splitlines()
    assert json.loads(last)["score"] > 0.9 and json.loads(last)["perplexity"] < 8


def test_scored_pairs(tmp_path):
    pairs = [
        {"a": f"{one}怎么还", "b": f"{other}怎么还", "score": 5 * (one == other)}
        for one in THINGS
        for other in THINGS[:3]
    ]
    pairs = write_lines(tmp_path / "pairs.jsonl", pairs)
    flags = [
        "train",
        "--train",
        pairs,
        "--dev",
        pairs,
        "--loss",
        "cosent",
        *SMALL,
        "--epochs",
        2,
        "--output-dir",
        tmp_path,
    ]
    done = succeeds(run_here(SCRIPTS, "similar_questions", flags))
    assert "perplexity" not in done.out
    [run] = tmp_path.glob("similarity/*")
    errors = json.loads((run / "dev_errors.json").read_text("utf-8"))
    assert errors and errors[0].keys() == {"a", "b", "score", "cosine"}
    lines = write(tmp_path / "lines.txt", "花呗怎么还\n借款怎么还\n")
    flags = ["--run", run, "--index", tmp_path / "index", "--questions", lines, "--input", lines]
    succeeds(run_here(SCRIPTS, "similar_questions", ["retrieve", *flags, "--output", tmp_path / "found.jsonl"]))
    flags = ["generate", "--run", run, "--input", lines, "--output", tmp_path / "written.jsonl"]
    check_refusal(run_here(SCRIPTS, "similar_questions", flags), "has not learned to write", "--loss simbert")


@pytest.mark.slow(reason="trains twice more; runs are kept and resumed as in the contests")
def test_it_resumes_where_it_was_killed(trained, monkeypatch):
    home, _ = trained
    files = ["--train", home / "groups.jsonl", "--dev", home / "groups.jsonl"]
    flags = ["train", *files, *SMALL, "--epochs", 3, "--output-dir", home, "--run-name"]
    succeeds(run_here(SCRIPTS, "similar_questions", [*flags, "unbroken"]))
    interrupt_second_epoch(monkeypatch)
    stopped = run_here(SCRIPTS, "similar_questions", [*flags, "killed"])
    assert stopped.code and "similar_questions.py train --run-name killed --resume" in stopped.err
    monkeypatch.undo()
    succeeds(
        run_here(SCRIPTS, "similar_questions", ["train", "--run-name", "killed", "--resume", "--output-dir", home])
    )
    one, other = (arrays(home / "similarity" / name / "last/state.h5") for name in ("unbroken", "killed"))
    assert one == other


def test_questions_are_found(trained, tmp_path):
    """By an index that is made, and again by the same; not by one of other weights."""
    home, _ = trained
    texts = [text for group in GROUPS for text in group["texts"]]
    flags = ["retrieve", "--run", home / "similarity/whole", "--index", tmp_path / "index", "--nearest", 2]
    flags += ["--input", write(tmp_path / "in.txt", "\n".join(texts)), "--output"]
    questions = ["--questions", write(tmp_path / "questions.txt", "\n".join(texts))]
    succeeds(run_here(SCRIPTS, "similar_questions", [*flags, tmp_path / "one.jsonl", *questions]))
    succeeds(run_here(SCRIPTS, "similar_questions", [*flags, tmp_path / "two.jsonl"]))
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    found = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text("utf-8").splitlines()]
    assert [record["text"] for record in found] == texts
    for record in found:
        first, _ = record["nearest"]
        assert first["text"] == record["text"] and first["cosine"] == pytest.approx(1, abs=1e-3)
    again = [*flags, tmp_path / "three.jsonl"]
    check_refusal(run_here(SCRIPTS, "similar_questions", [*again, *questions]), "--index", "is there already")
    shutil.copytree(home / "similarity/whole", tmp_path / "other")
    shutil.copy(tmp_path / "other/last/state.h5", tmp_path / "other/best.weights.h5")
    again[again.index("--run") + 1] = tmp_path / "other"
    check_refusal(run_here(SCRIPTS, "similar_questions", again), "--index", "other weights")


def test_questions_are_written(trained, tmp_path):
    """The same in another batch, nearest first, and no copies."""
    home, _ = trained
    texts = [text for group in GROUPS for text in group["texts"]]
    flags = ["generate", "--run", home / "similarity/whole", "--count", 12, "--kept", 3, "--top-p", 0.6]
    written = {}
    for name, lines in (("all", texts), ("few", texts[:2])):
        places = ["--input", write(tmp_path / f"{name}.txt", "\n".join(lines)), "--output", tmp_path / f"{name}.jsonl"]
        succeeds(run_here(SCRIPTS, "similar_questions", [*flags, *places]))
        records = map(json.loads, (tmp_path / f"{name}.jsonl").read_text("utf-8").splitlines())
        written[name] = {record["text"]: record["written"] for record in records}
    assert list(written["all"]) == texts and [*written["few"].items()] == [*written["all"].items()][:2]
    same_group = {text: set(group["texts"]) for group in GROUPS for text in group["texts"]}
    first = [(text, found[0]["text"]) for text, found in written["all"].items() if found]
    assert sum(one in same_group[text] for text, one in first) > 12
    for text, found in written["all"].items():
        cosines = [one["cosine"] for one in found]
        assert cosines == sorted(cosines, reverse=True) and text not in [one["text"] for one in found]


def test_a_simbert_of_others_answers_without_a_run(tmp_path):
    """Its head writes, and the layer behind [CLS] makes the vectors; what lacks one of them says so."""
    folder = copy_checkpoint("bert", tmp_path / "simbert")
    lines = write(tmp_path / "lines.txt", "一丁\n丁七万\n")
    find = ["retrieve", "--questions", lines, "--input", lines, "--index", tmp_path / "index"]
    find += ["--output", tmp_path / "found.jsonl", "--pretrained", folder]
    generate = ["generate", "--input", lines, "--output", tmp_path / "written.jsonl", "--pretrained", folder]
    check_refusal(run_here(SCRIPTS, "similar_questions", find), str(folder), "[CLS]", "--pooling mean")
    tensors = read_tensors(folder)
    size = len(
        tensors["bert.pooler.dense.bias"]
        if "bert.pooler.dense.bias" in tensors
        else tensors["bert.encoder.layer.0.output.dense.bias"]
    )
    pooler = {
        "bert.pooler.dense.weight": np.eye(size, dtype="float32"),
        "bert.pooler.dense.bias": np.zeros(size, "float32"),
    }
    write_tensors(folder, tensors | pooler)
    succeeds(run_here(SCRIPTS, "similar_questions", find))
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text("utf-8").splitlines()]
    assert [record["nearest"][0]["text"] for record in found] == ["一丁", "丁七万"]
    succeeds(run_here(SCRIPTS, "similar_questions", [*generate, "--count", 4, "--kept", 2]))
    written = [json.loads(line)["written"] for line in (tmp_path / "written.jsonl").read_text("utf-8").splitlines()]
    assert any(written) and all(len(of_text) <= 2 for of_text in written)
    check_refusal(run_here(SCRIPTS, "similar_questions", [*generate, "--run", folder]), "--run and --pretrained")
    write_tensors(folder, {name: values for name, values in tensors.items() if "predictions" not in name})
    generate[generate.index(tmp_path / "written.jsonl")] = tmp_path / "more.jsonl"
    check_refusal(run_here(SCRIPTS, "similar_questions", generate), str(folder), "no head of a masked language model")


def test_a_run_is_scored_beside_other_ways(trained, tmp_path):
    home, _ = trained
    pairs = [
        {"a": f"怎么还{one}", "b": f"{other}怎么还", "label": int(one == other)} for one in THINGS for other in THINGS
    ]
    pairs = write_lines(tmp_path / "pairs.jsonl", pairs)
    vectors = write(tmp_path / "vectors.txt", "2 2\n花 1.0 0.0\n怎么 0.0 1.0\n")
    flags = ["score", "--run", home / "similarity/whole", "--pairs", pairs, "--word-vectors", vectors]
    done = succeeds(run_here(SCRIPTS, "similar_questions", flags))
    rows = {line.split("  ")[0]: line.split() for line in done.out.splitlines()}
    assert float(rows["whole"][-1]) > 0.9 and {"BM25", "mean word vectors"} < rows.keys()


def test_a_contest_trains_on_more_questions(trained, tmp_path):
    home, _ = trained
    folder = READING_COMPREHENSION.folder
    examples = READING_COMPREHENSION.read(sample_of(READING_COMPREHENSION) / "train.json")[:100]
    READING_COMPREHENSION.write(tmp_path / "few.json", examples)
    flags = ["augment", "--run", home / "similarity/whole", "--input", tmp_path / "few.json", "--count", 1]
    done = succeeds(run_here(SCRIPTS, "similar_questions", [*flags, "--output", tmp_path / "more.json"]))
    written, asked = map(int, re.search(r"(\d+) questions in place of (\d+)", done.out.replace(",", "")).groups())
    assert 0 < written <= asked
    flags = [
        *READING_COMPREHENSION.tiny,
        "--extra",
        tmp_path / "more.json",
        "--output-dir",
        tmp_path,
        "--run-name",
        "one",
    ]
    done = succeeds(run_here(folder, "train", flags))
    assert f"{written} of them from {tmp_path / 'more.json'}" in done.out


MISTAKES = [
    ([], ["which command?", "train"]),
    (["learn"], ["learn", "which command?"]),
    (["train"], ["--train: is missing"]),
    (["train", "--train", "same.txt"], ["--dev: is missing"]),
    (["train", "--train", "nowhere", "--dev", "same.txt"], ["nowhere"]),
    (["train", "--train", "zero.txt", "--dev", "same.txt"], ["--train zero.txt", "mean the same"]),
    (["train", "--train", "same.txt", "--dev", "zero.txt"], ["--dev", "neither"]),
    (["train", "--train", "same.txt", "--dev", "same.txt", "--loss", "cosent"], ["--train same.txt", "more alike"]),
    (["train", "--train", "same.txt", "--dev", "same.txt", "--encoder", "dgcnn"], ["--encoder dgcnn", "roformer"]),
    (["train", "--train", "same.txt", "--dev", "same.txt", "--attention", "local"], ["--attention local"]),
    (["generate", "--input", "same.txt"], ["--output: is missing"]),
    (["generate", "--input", "same.txt", "--output", "y", "--top-p", 0], ["--top-p"]),
    (["generate", "--input", "same.txt", "--output", "y"], ["no run with"]),
    (["augment", "--input", "same.txt"], ["--output: is missing"]),
    (["augment", "--input", "sql.json", "--output", "y", "--field", "query"], ["sql.json", "'query'", "--field"]),
    (["augment", "--input", "sql.json", "--output", "y"], ["no run with"]),
    (["score"], ["--pairs: is missing"]),
    (["score", "--pairs", "same.txt"], ["same.txt", "more alike"]),
    (["retrieve", "--index", "x", "--input", "same.txt"], ["--output: is missing"]),
    (["retrieve", "--index", "x", "--input", "same.txt", "--output", "y"], ["--index x", "--questions"]),
    (["retrieve", "--index", "x", "--input", "same.txt", "--output", "y", "--questions", "same.txt"], ["no run with"]),
]


@pytest.mark.parametrize(("flags", "words"), MISTAKES)
def test_mistakes_are_one_line(flags, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "same.txt", "甲\t乙\n")
    write(tmp_path / "zero.txt", "甲\t乙\t0\n")
    write_lines(tmp_path / "sql.json", [{"question": "甲", "sql": {}}])
    check_refusal(run_here(SCRIPTS, "similar_questions", flags), *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["same.txt", "sql.json", "zero.txt"]
