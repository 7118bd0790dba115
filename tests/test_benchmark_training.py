"""What measures training steps: every technique trains as its flags say, and the table compares them."""

import mmap
import sys
from itertools import cycle

import numpy as np
import pytest

from common.command_line import UserError
from common.keras_compat import keras, set_precision, tf
from common.losses import Distribution, masked_mean
from common.optimizers.training_model import TrainingModel
from common.options import TrainingOptions

import competition

sys.path.insert(0, str(competition.ROOT / "scripts"))
import benchmark  # noqa: E402
import process_memory  # noqa: E402
import training_steps  # noqa: E402
from training_steps import CASES, Size  # noqa: E402

TINY = {"layers": 1, "hidden_size": 12, "batch_size": 4, "length": 3, "steps": 1}


@pytest.fixture
def tagger(monkeypatch):
    """In place of the BERT, which takes seconds to build; the models that were made of it."""
    models = []

    def build(size):
        tokens, segments = (keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "segment_ids"))
        states = keras.layers.Dropout(0.1)(keras.layers.Embedding(60, 4, name="Transformer-0-Embedding")(tokens))
        logits = keras.layers.Dense(training_steps.LABELS, dtype="float32")(states)
        models.append(TrainingModel(keras.Model([tokens, segments], logits), loss))
        return models[-1]

    def loss(batch, logits):
        is_token = batch["segment_ids"] == 0
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["labels"], logits)
        compared = Distribution(logits, "softmax", tf.cast(is_token, tf.float32))
        return [masked_mean("loss", losses, is_token, [compared])]

    monkeypatch.setattr(training_steps, "TOKENS", 60)
    monkeypatch.setattr(training_steps, "WARM_UP", 1)
    monkeypatch.setattr(training_steps, "token_tagger", build)
    tf.config.run_functions_eagerly(True)  # many graphs take long; the process of its own below builds one
    yield models
    tf.config.run_functions_eagerly(False)
    set_precision("no")


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning")
@pytest.mark.parametrize("name", CASES)
def test_every_case_trains_as_its_flags_say(tagger, name):
    figures = training_steps.measure(Size(name, **TINY))
    assert figures["seconds"] > 0 and figures["peak_bytes"] > figures["added_bytes"]
    # Two steps, and with accumulation one step of the optimizer for four batches.
    assert tagger[0].optimizer.iterations == (8 if name == "quarter-batches" else 2)
    assert tagger[0].compute_dtype == {"bfloat16": "bfloat16", "float16": "float16"}.get(name, "float32")


def test_the_cases_are_the_techniques_one_by_one():
    plain = training_steps.options_of(CASES["plain"])
    assert plain == TrainingOptions(ema_momentum=0)
    differing = {name: training_steps.options_of(case) for name, case in CASES.items()}
    assert [name for name, options in differing.items() if options == plain] == ["plain", "quarter-batches"]
    assert all(options.accumulation_steps in (1, CASES[name].parts) for name, options in differing.items())


@pytest.mark.slow(reason="a benchmark that starts TensorFlow; its steps are tried above")
def test_a_bert_trains_in_a_process_of_its_own():
    figures = Size("recompute", **TINY).figures()
    assert 0 < figures["seconds"] < 10 and figures["peak_bytes"] > 1e8


def test_the_table_has_all_cases_and_the_best_of_all_rounds(monkeypatch, capsys):
    seconds, asked = cycle([4.0, 2.0, 3.0]), []  # a machine that is slow at times

    def figures(size):
        asked.append(size.case)
        factor = 2 if size.case in ("fgm", "r-drop") else 1
        return {"seconds": factor * next(seconds), "peak_bytes": 8e9 / factor, "added_bytes": 6e9 / factor**2}

    monkeypatch.setattr(Size, "figures", figures)
    found = benchmark.main(["training", "--repeats", "3", "--cases", "fgm,plain"])
    assert asked == ["plain", "fgm"] * 3
    assert (found["plain, seconds"], found["fgm, seconds"], found["fgm, added_bytes"]) == (2, 4, 1.5e9)
    printed = capsys.readouterr().out
    assert "BERT of 4 layers, 312 wide; a step learns from 32 texts of 128 tokens" in printed
    assert ["fgm", "4.000", "2.00", "4,000", "MB", "0.50", "1,500", "MB", "0.25"] in [
        line.split() for line in printed.splitlines()
    ]

    found = benchmark.main(["training", "--repeats", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2 : 2 + len(CASES)]] == list(CASES)
    divided = ("quarter-batches", "accumulation", "recompute+accumulation")
    assert lines[2 + len(CASES) :] == [f"{name} reads them in 4 batches of 8" for name in divided]
    assert set(found) == {f"{name}, {figure}" for name in CASES for figure in ("seconds", "peak_bytes", "added_bytes")}


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--cases", "plain,adam"], "'adam': no such case - choose among plain, ema, "),
        (["--batch-size", "6"], "--batch-size 6: must be a multiple of 4"),
    ],
)
def test_mistakes_are_named(flags, message):
    with pytest.raises(UserError, match=message):
        benchmark.main(["training", *flags])


def test_tokens_are_as_frequent_as_words():
    tokens = training_steps.random_tokens(np.random.default_rng(1), (400, 100))
    assert tokens.dtype == np.int32 and tokens.min() == 5 and tokens.max() < training_steps.TOKENS
    counts = np.bincount(tokens.ravel())[5:]
    assert counts[0] / counts[1] == pytest.approx(2, rel=0.2) and counts[0] / counts[4] == pytest.approx(5, rel=0.2)


def test_updates_of_embeddings_by_every_optimizer(monkeypatch, capsys):
    monkeypatch.setattr(training_steps, "TOKENS", 50)
    monkeypatch.setattr(training_steps, "_SIZE_OF_TABLE", (50, 3))
    monkeypatch.setattr(training_steps, "_ROWS_OF_BATCH", 8)
    found = benchmark.main(["embeddings", "--repeats", "2", "--steps", "2"])
    assert set(found) == {"plain", "lazy", "ema", "lazy+ema"} and all(0 < seconds < 1 for seconds in found.values())
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == list(found)


def test_memory_counts_what_was_touched():
    before = process_memory.resident()
    held = mmap.mmap(-1, 50_000_000)  # new pages, where an array may get some that are there already
    assert process_memory.resident() - before < 1e7
    held[:: mmap.PAGESIZE] = bytes(len(range(0, len(held), mmap.PAGESIZE)))
    assert process_memory.resident() - before > 4e7 and process_memory.peak() - before > 4e7
    held.close()
    assert process_memory.resident() - before < 1e7 and process_memory.peak() - before > 4e7
