"""count_ngrams.py and discover_words.py, and the benchmark of counting."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

import competition
from helpers import write
from test_counting import slow_counts
from test_new_words import slow_words
from workshop import run_here

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import counting_speed  # noqa: E402

LINES = ["甲乙丙甲乙，GPT4甲乙", "丙丁戊甲乙 2026年", "丁戊，丁戊甲"] * 3


@pytest.fixture
def corpus(tmp_path):
    return write(tmp_path / "corpus.txt", "\n".join(LINES))


def test_ngrams_are_counted(corpus, tmp_path):
    output = tmp_path / "new/counts.tsv"
    done = run_here(SCRIPTS, "count_ngrams", ["--input", corpus, "--output", output, "--order", 3, "--min-count", 4])
    expected = slow_counts(LINES, 3, least=4)
    ordered = sorted(expected, key=lambda gram: (len(gram), gram))
    assert output.read_text("utf-8") == "".join(f"{''.join(gram)}\t{expected[gram]}\n" for gram in ordered)
    assert [path.name for path in output.parent.iterdir()] == ["counts.tsv"]
    assert f"written to {output}" in done.out


def test_two_processes_read_what_comes_through_a_pipe(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(corpus.read_bytes())))
    flags = ["--input", "-", "--output", tmp_path / "counts.tsv", "--order", 2, "--processes", 2]
    done = run_here(SCRIPTS, "count_ngrams", flags)
    lines = (tmp_path / "counts.tsv").read_text("utf-8").splitlines()
    assert len(lines) == len(slow_counts(LINES, 2)) and "MB went to disk" in done.out


def test_words_are_found_in_what_comes_through_a_pipe(corpus, tmp_path, monkeypatch):
    """And known ones left out."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(corpus.read_bytes())))
    output, known = tmp_path / "words.tsv", write(tmp_path / "known.txt", "丁戊 7 n\n")
    flags = ["--input", "-", "--output", output, "--min-count", 3, "--thresholds", "0.2", "0.5", "--known", known]
    done = run_here(SCRIPTS, "discover_words", flags)
    expected = slow_words(LINES, 3, [0.2, 0.5], 10)
    assert "丁戊" in expected and len(expected) > 2
    found = dict(line.split("\t", 1) for line in output.read_text("utf-8").splitlines())
    assert found.keys() == expected.keys() - {"丁戊"}
    assert all(found[word] == f"{expected[word][0]}\t{expected[word][1]:.2f}" for word in found)
    assert f"{len(found)} words, besides 1 that are known" in done.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", "known.txt", "words.tsv"]


FLAGS = [
    (["--output", "x.tsv"], "--input: is missing"),
    (["--input", "corpus.txt"], "--output: is missing"),
    (["--input", "nowhere", "--output", "x.tsv"], "--input nowhere: no such file or folder"),
    (["--input", "corpus.txt", "--output", "corpus.txt"], "--output corpus.txt: is there already"),
    (
        ["--input", "corpus.txt", "--output", "x.tsv", "--memory-megabytes", 300, "--processes", 2],
        "must be at least 512",
    ),
    (["--input", "corpus.txt", "--output", "x.tsv", "--min-count", 0], "--min-count 0: must be at least 1"),
    (["--input", "empty.txt", "--output", "x.tsv"], "--input: has no text"),
    (["--input", "-", "--output", "x.tsv", "--scheduler", "tcp://a:1"], "--input -: no other machine"),
]


@pytest.mark.parametrize(("flags", "message"), FLAGS)
@pytest.mark.parametrize("script", ["count_ngrams", "discover_words"])
def test_mistakes_are_one_line(script, flags, message, corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "empty.txt", "，。 \n")
    done = run_here(SCRIPTS, script, flags)
    assert done.code == 2 and message in done.err and done.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", "empty.txt"]


def test_a_scheduler_that_is_not_there(corpus, tmp_path):
    flags = ["--input", corpus, "--output", tmp_path / "x.tsv", "--scheduler", "tcp://127.0.0.1:9"]
    done = run_here(SCRIPTS, "count_ngrams", flags)
    assert done.code == 2 and done.err.startswith("error: --scheduler") and done.err.count("\n") == 1


def test_all_ways_count_the_same(corpus, monkeypatch, capsys):
    """Each is run here instead of in a process of its own."""

    def figures_of(script, *flags):
        return json.loads(run_here(SCRIPTS, script.removesuffix(".py"), flags).out)

    monkeypatch.setattr(counting_speed, "figures_of", figures_of)
    found = counting_speed.compare(corpus, [1, 3], 1)
    assert found.keys() >= {"1 times, loop, 1, seconds", "3 times, sorting, 2, bytes"}
    assert f"occur {sum(slow_counts(LINES * 3, 4).values()):,} times" in capsys.readouterr().out
