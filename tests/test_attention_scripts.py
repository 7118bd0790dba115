"""What measures patterns of attention: their speed, the error of Nystrom attention, and classes of long texts."""

import json
import random
import sys
from types import SimpleNamespace

import pytest

import common.optimizers

import competition
from helpers import json_lines, mostly_slow, write
from tiny_checkpoint import write_checkpoint
from workshop import run_here

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import attention_speed  # noqa: E402
import benchmark  # noqa: E402
import nystrom_error  # noqa: E402


@pytest.mark.parametrize(
    "part", mostly_slow(attention_speed.PARTS, "prediction", reason="a benchmark; training is the same with a gradient")
)
def test_a_pattern_is_measured(monkeypatch, part):
    monkeypatch.setattr(attention_speed, "_TOKENS", 32)
    monkeypatch.setattr(attention_speed, "WARM_UP", 1)
    case = attention_speed.Case("sparse", length=16, part=part, layers=1, hidden_size=24, steps=1)
    figures = attention_speed.measure(case)
    assert figures["seconds"] > 0 and figures["added_bytes"] > 0


def test_patterns_are_compared_with_full_attention_and_with_themselves(monkeypatch, capsys):
    """Each takes its number of tokens: 2 texts of 2,048, or one of 4,096, are a step."""

    def figures_of(script, attention, *flags):
        length = int(flags[0].removeprefix("--length="))
        seconds = length**2 / 1e6 if attention == "full" else length / 1e3
        return {"seconds": seconds * (4096 // length), "added_bytes": length * (2 if attention == "full" else 1)}

    monkeypatch.setattr(attention_speed, "figures_of", figures_of)
    found = benchmark.main(["attention", "--lengths", "4096,2048", "--repeats", "1"])
    assert found["training, full, 4096, seconds"] == pytest.approx(16.777, abs=1e-3)
    lines = capsys.readouterr().out.splitlines()
    [full] = [line.split() for line in lines if line.startswith("4096") and "full" in line][:1]
    [local] = [line.split() for line in lines if line.startswith("4096") and "local" in line][:1]
    assert full[2:] == ["16.777", "1.00", "0", "1.00", "4.00"] and local[3:] == ["0.24", "0", "0.50", "2.00"]


def test_the_error_of_nystrom_attention(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(nystrom_error, "LANDMARKS", (2, 12))
    checkpoint = write_checkpoint(tmp_path / "bert")
    vocabulary = (tmp_path / "bert/vocab.txt").read_text("utf-8").split()
    generator = random.Random(0)
    characters = [piece for piece in vocabulary if len(piece) == 1]
    texts = ["".join(generator.choices(characters, k=30)) for _ in range(4)]
    path = write(tmp_path / "texts.txt", "\n".join(texts) + "\n")
    found = nystrom_error.main(["--pretrained", checkpoint, "--input", path, "--length", 12, "--texts", 2])
    layers = {name.split(",")[0] for name in found}
    assert "random" in layers and "layer 1 of 1" in layers
    for layer in layers:
        assert found[f"{layer}, 12 landmarks"] < 1e-5 < found[f"{layer}, 2 landmarks"]
    assert "mean of all" in capsys.readouterr().out


def test_texts_that_are_too_few(tmp_path):
    checkpoint = write_checkpoint(tmp_path / "bert")
    path = write(tmp_path / "texts.txt", "一二三\n")
    refused = run_here(SCRIPTS, "nystrom_error", ["--pretrained", checkpoint, "--input", path, "--length", 12])
    assert refused.code == 2 and "has no 8 texts of 12 tokens" in refused.err
    refused = run_here(SCRIPTS, "nystrom_error", ["--input", path])
    assert refused.code == 2 and "belong together" in refused.err


@pytest.fixture
def laws(tmp_path):
    """Texts whose class is told by their first character, and one of a class that training has not."""
    generator = random.Random(0)

    def texts(count):
        for number in range(count):
            words = "".join(generator.choices("甲乙丙丁戊己", k=generator.randint(20, 60)))
            yield {"text": "天地"[number % 2] * 3 + words, "label": f"类{number % 2}"}

    write(tmp_path / "train.jsonl", json_lines(texts(48)))
    write(tmp_path / "dev.jsonl", json_lines([*texts(15), {"text": "人人人", "label": "类2"}]))
    return tmp_path


def test_classes_of_long_texts_are_learned(laws):
    flags = ["--data-dir", laws, "--max-length", 64, "--layers", 1, "--hidden-size", 32, "--epochs", 6]
    flags += ["--learning-rate", 0.005, "--attention", "local", "--attention-window", 4]
    done = run_here(SCRIPTS, "long_texts", flags)
    assert done.code == 0, done.err
    figures = json.loads(done.out.splitlines()[-1])
    # The class that training has not counts, too: nothing of it is found.
    assert figures["accuracy"] == 15 / 16 and 0.64 < figures["macro_f1"] < 0.65
    assert len([line for line in done.out.splitlines() if line.startswith("epoch")]) == 6


def test_the_learning_rate_falls_until_the_end(laws, monkeypatch):
    built = []

    def build(*arguments):
        built.append(optimizers.build_optimizer(*arguments))
        return built[-1]

    optimizers = SimpleNamespace(build_optimizer=common.optimizers.build_optimizer)
    monkeypatch.setattr(common.optimizers, "build_optimizer", build)
    flags = ["--data-dir", laws, "--max-length", 16, "--layers", 1, "--hidden-size", 8, "--epochs", 2]
    assert run_here(SCRIPTS, "long_texts", flags).code == 0
    [optimizer] = built
    # Of 12 steps the first warms up, and after the last the rate is 0: that one has an eleventh of the highest.
    assert optimizer.iterations == 12 and float(optimizer.learning_rate) == pytest.approx(3e-4 / 11)


@pytest.mark.parametrize(
    "file, content, words",
    [
        ("train.jsonl", '{"text": "甲"}\n', 'train.jsonl:1: "label" is missing'),
        ("dev.jsonl", "", "dev.jsonl"),
        ("dev.jsonl", '{"text": 3, "label": "类0"}\n', "dev.jsonl:1"),
    ],
)
def test_long_texts_that_cannot_be_read(laws, file, content, words):
    write(laws / file, content)
    done = run_here(SCRIPTS, "long_texts", ["--data-dir", laws])
    assert done.code == 2 and words in done.err and done.err.count("\n") == 1


def test_a_light_encoder_has_no_pattern(laws):
    done = run_here(SCRIPTS, "long_texts", ["--data-dir", laws, "--encoder", "dgcnn", "--attention", "local"])
    assert done.code == 2 and "is for transformers" in done.err
