"""scripts/train_writer.py as a user runs it: it learns, is killed and continued, and write_text.py writes with it."""

import json
import sys

import numpy as np
import pytest

import competition
from helpers import interrupt_second_epoch, mostly_slow, write
from tiny_writer import write_writer
from workshop import arrays, check_refusal, files_below, run_here, succeeds, without_seconds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
CIRCLE = "山上灯照着河流村庄"
SMALL = ["--hidden-size", 32, "--layers", 1, "--max-length", 12, "--epochs", 2, "--batch-size", 8]
SMALL += ["--learning-rate", 0.02, "--ema-momentum", 0.7]
#: What changes a training step, all at once.
TECHNIQUES = ["--recompute", "--accumulation-steps", 2, "--fgm", 0.1, "--r-drop", 1, "--lookahead-steps", 3]
TECHNIQUES += ["--layer-decay", 0.9, "--mixed-precision", "bfloat16"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Each character says which one follows; a text ends after eight."""
    lines = [(CIRCLE * 2)[first : first + 8] + str(number) for number in range(30) for first in range(len(CIRCLE))]
    return write(tmp_path_factory.mktemp("texts") / "texts.txt", "\n".join(lines) + "\n")


def train(*flags):
    return run_here(SCRIPTS, "train_writer", flags)


@pytest.fixture(scope="module")
def trained(texts, tmp_path_factory):
    home = tmp_path_factory.mktemp("writer")
    return home, succeeds(train("--input", texts, *SMALL, "--output-dir", home, "--run-name", "whole"))


def test_it_learns_what_follows(trained):
    home, done = trained
    assert "257 to train on" in done.out and "write_text.py --run" in done.out
    history = without_seconds(home / "writing/whole")
    assert [line["epoch"] for line in history] == [1, 2]
    best = float(done.out.partition("best dev perplexity ")[2].split(";")[0])
    assert best == pytest.approx(min(line["perplexity"] for line in history), abs=0.01)
    assert best == pytest.approx(np.exp(-max(line["log_probability"] for line in history)), abs=0.01)
    assert best < 1.6 and best <= history[0]["perplexity"]
    [worst, *_] = json.loads((home / "writing/whole/dev_errors.json").read_text("utf-8"))
    assert worst["perplexity"] > best and worst["text"].endswith("[SEP]")


def test_write_text_writes_with_it(trained):
    home, _ = trained
    flags = ["--output-dir", home, "--prompt", "山上灯照", "--top-k", 1, "--max-length", 11]
    [line] = succeeds(run_here(SCRIPTS, "write_text", flags)).out.splitlines()
    assert line.startswith("山上灯照着河流村") and len(line) <= 12
    named = ["--run", home / "writing/whole", "--prompt", "山上灯照", "--top-k", 1, "--max-length", 2]
    assert succeeds(run_here(SCRIPTS, "write_text", named)).out == "山上灯照着河\n"
    check_refusal(run_here(SCRIPTS, "write_text", [*named, "--end", "。"]), "--end 。", "[SEP]")
    check_refusal(run_here(SCRIPTS, "write_text", ["--output-dir", home, "--prompt", "山" * 12]), "12 positions")


def killed_and_resumed(home, flags, monkeypatch):
    """Beside the run `whole` of the same flags; it ends with the same."""
    interrupt_second_epoch(monkeypatch)
    stopped = train(*flags, "--output-dir", home, "--run-name", "killed")
    assert stopped.code and "train_writer.py --run-name killed --resume" in stopped.err
    monkeypatch.undo()
    succeeds(train("--run-name", "killed", "--resume", "--output-dir", home))
    runs = home / "writing"
    assert arrays(runs / "killed/last/state.h5") == arrays(runs / "whole/last/state.h5")
    assert without_seconds(runs / "killed") == without_seconds(runs / "whole")


def test_a_run_that_was_killed_ends_with_the_same_weights(trained, texts, monkeypatch):
    killed_and_resumed(trained[0], ["--input", texts, *SMALL], monkeypatch)


@pytest.mark.slow(reason="each technique is resumed in tests/test_runs.py")
def test_so_it_does_with_all_techniques(texts, tmp_path, monkeypatch):
    flags = ["--input", texts, *SMALL, *TECHNIQUES]
    succeeds(train(*flags, "--output-dir", tmp_path, "--run-name", "whole"))
    killed_and_resumed(tmp_path, flags, monkeypatch)


@pytest.mark.parametrize(
    "techniques",
    mostly_slow(
        [TECHNIQUES[:1] + TECHNIQUES[-4:], TECHNIQUES],
        TECHNIQUES[:1] + TECHNIQUES[-4:],
        reason="the others change the step of whatever network, and are tried in tests/test_runs.py",
    ),
    ids=["of layers", "all"],
)
def test_a_checkpoint_is_gone_on_with(techniques, tmp_path):
    """With techniques that look at the layers; and the run has its tokens and positions when it is gone."""
    checkpoint = write_writer(tmp_path / "gpt2-ml")
    texts = write(tmp_path / "texts.txt", "山上灯照着河流\n灯照着河流，山上\n山上山上山上\n")
    flags = ["--input", texts, "--pretrained", checkpoint, "--max-length", 12, "--batch-size", 1, "--epochs", 1]
    done = succeeds(train(*flags, *techniques, "--output-dir", tmp_path, "--run-name", "a"))
    assert "2 to train on" in done.out and "2 layers of 8" in done.out
    checkpoint.rename(tmp_path / "elsewhere")
    written = succeeds(run_here(SCRIPTS, "write_text", ["--output-dir", tmp_path, "--prompt", "山上"]))
    assert written.out.startswith("山上")
    settings = json.loads((tmp_path / "writing/a/language_model.json").read_text("utf-8"))
    assert settings["config"]["max_position_embeddings"] == 24
    check_refusal(train(*flags, "--output-dir", tmp_path), "gpt2-ml", "no such folder")


def test_mistakes_are_told(texts, tmp_path, trained):
    home, _ = trained
    one = write(tmp_path / "one.txt", "山上\n")
    given = ["--input", texts, "--output-dir", tmp_path]
    long = write_writer(tmp_path / "gpt2-ml")
    for flags, words in (
        ([], ["--input: is missing"]),
        (["--input", tmp_path / "none"], ["none", "no such file"]),
        (["--input", one, "--output-dir", tmp_path], ["fewer than two texts"]),
        ([*given, "--lazy-embeddings"], ["--lazy-embeddings"]),
        ([*given, "--r-drop", 1, "--dropout", 0], ["--r-drop"]),
        ([*given, "--hidden-size", 200], ["--hidden-size 200"]),
        ([*given, "--pretrained", long], ["--max-length 256", "24 positions"]),
        ([*given, "--layers", 1000], ["--layers"]),
        (["--run-name", "whole", "--resume", "--output-dir", home, "--layers", 2], ["--layers 2"]),
    ):
        check_refusal(train(*flags), *words)
    assert not [path for path in files_below(tmp_path) if path.startswith("writing")]
