"""What each pattern of attention costs: a step of `benchmark.py attention`, in a process of its own.

    python scripts/attention_speed.py local --length 4096 --part training

A BERT of random weights reads random tokens, as many texts of this length as have 4,096 together, without dropout of
attention weights. The last line on stdout is a JSON object: `seconds` of a step (the median), and `added_bytes`: what
the peak of memory adds to what was there when the network was built.
"""

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Literal

import numpy as np
import tyro

from common.attention_pattern import PATTERNS, AttentionPattern
from common.command_line import check_at_least, parse_flags, run, table
from common.options import TrainingOptions
from common.process import start_tensorflow

from own_process import figures_of
from process_memory import peak, resident
from training_steps import LABELS, WARM_UP, random_tokens, token_tagger

PARTS = ("training", "prediction")
_TOKENS = 4096  # of a step


@dataclass
class Case:
    """Time a network with one pattern of attention."""

    attention: Annotated[Literal["full", "atrous", "local", "sparse", "nystrom"], tyro.conf.Positional]
    """The pattern, with the numbers that train.py takes."""
    length: int = 256
    """Tokens of a text."""
    part: Literal["training", "prediction"] = "training"
    """What a step is."""
    layers: int = 4
    """Transformer layers."""
    hidden_size: int = 312
    """Their width, a multiple of 12."""
    steps: int = 5
    """Steps that are counted, after two that are not."""

    def __post_init__(self):
        check_at_least(self, length=3, layers=1, hidden_size=12, steps=1)


def texts_of(length: int) -> int:
    """How many texts of a length are a step."""
    return max(1, _TOKENS // length)


def measure(case: Case) -> dict[str, float]:
    """The figures of this process."""
    start_tensorflow()
    from common.keras_compat import prepare, tf

    prepare(1, "no")
    numbers = {name: min(number, case.length) for name, number in PATTERNS[case.attention].items()}
    model = token_tagger(case, AttentionPattern(case.attention, **numbers), attention_probs_dropout_prob=0.0)
    built = resident()
    tokens = random_tokens(np.random.default_rng(1), (texts_of(case.length), case.length))
    batch = {"token_ids": tokens, "segment_ids": np.zeros_like(tokens), "labels": tokens % LABELS}
    step = (_training if case.part == "training" else _prediction)(
        model, {name: tf.constant(values) for name, values in batch.items()}
    )
    seconds = []
    for _ in range(WARM_UP + case.steps):
        begun = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begun)
    return {"seconds": median(seconds[WARM_UP:]), "added_bytes": peak() - built}


def _training(model, batch) -> Callable[[], object]:
    from common.optimizers import build_optimizer

    options = TrainingOptions(ema_momentum=0)
    model.compile(build_optimizer(options, 1e-4, 100), options)
    model.optimizer.build(model.trainable_variables)
    return lambda: model.train_on_batch(batch)


def _prediction(model, batch) -> Callable[[], object]:
    from common.keras_compat import tf

    predict = tf.function(lambda: model(batch, training=False), autograph=False)
    return lambda: predict().numpy()


def compare(lengths: Sequence[int], rounds: int, **shape: int) -> dict[str, float]:
    """Prints for each length and part what each pattern takes of the time and memory of full attention, and how much
    longer it takes for a text of twice the length. Each measurement has a process of its own; the best of all rounds
    counts. Returns the figures by name."""
    figures: dict[str, float] = {}
    for part in PARTS:
        rows = []
        for length, attention in itertools.product(lengths, PATTERNS):
            flags = {"length": length, "part": part, **shape}
            command = [attention, *(f"--{name.replace('_', '-')}={value}" for name, value in flags.items())]
            found = [figures_of("attention_speed.py", *command) for _ in range(rounds)]
            name = f"{part}, {attention}, {length}"
            figures |= {f"{name}, {key}": min(one[key] for one in found) for key in found[0]}
            rows.append([length, attention, *_row(figures, part, attention, length)])
        print(f"{part}: a step is {_TOKENS:,} tokens, or one text that has more")
        header = ["length", "attention", "s/step", "of full", "MB", "of full", "a text of twice the length"]
        print(table(header, rows))
    return figures


def _row(figures: dict[str, float], part: str, attention: str, length: int) -> list[str]:
    seconds, held, full_seconds, full_held = (
        figures[f"{part}, {pattern}, {length}, {key}"]
        for pattern in (attention, "full")
        for key in ("seconds", "added_bytes")
    )
    shorter = figures.get(f"{part}, {attention}, {length // 2}, seconds")
    grown = f"{seconds / shorter * texts_of(length // 2) / texts_of(length):.2f}" if shorter else ""
    ratios = f"{seconds / full_seconds:.2f}", f"{held / full_held:.2f}"
    return [f"{seconds:.3f}", ratios[0], f"{held / 1e6:,.0f}", ratios[1], grown]


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Prints the figures, and returns them."""
    figures = measure(parse_flags(Case, argv))
    print(json.dumps(figures))
    return figures


if __name__ == "__main__":
    run(main)
