"""Measure speed, one subject at a time; each figure as a ratio within one run, since machines are noisy.

    python scripts/benchmark.py prediction      sentences per second of relation extraction, one by one and in batches
"""

import importlib
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from common.command_line import parse_flags, run, table

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"


@dataclass
class Config:
    """Measure speed on this machine."""

    subject: Annotated[Literal["prediction"], tyro.conf.Positional]
    """What to measure."""
    repeats: int = 3
    """Rounds; the best of them counts."""
    sentences: int = 512
    """How many sentences are predicted in a round."""
    run: Path | None = None
    """Run to predict with. Default: the newest of relation extraction in runs/."""
    input: Path | None = None
    """Sentences to choose from. Default: the bundled sample's train.json."""


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Prints a table, and returns its figures by name."""
    config = parse_flags(Config, argv)
    return {"prediction": measure_prediction}[config.subject](config)


def measure_prediction(config: Config) -> dict[str, float]:
    """Sentences per second of the newest run; the answers of all batch sizes must be equal."""
    folder = COMPETITIONS / "lic2020_relation_extraction"
    sys.path.insert(0, str(folder))
    task, model, extraction = (importlib.import_module(name) for name in ("task", "model", "extraction"))
    from common.encoders import load_encoder
    from common.runs.callbacks import load_best
    from common.runs.directory import open_trained_run

    trained = open_trained_run(config.run, Path("runs"), task.TASK)
    schema = task.Schema.read(trained.path / "schema.json")
    sentences = [example.text for example in task.read(config.input or folder / "sample" / "train.json", None)]
    texts = random.Random(1).choices(sentences, k=config.sentences)
    encoder = load_encoder(trained.path)
    networks = model.build_networks(encoder, len(schema.classes))
    load_best(trained, networks.training)
    thresholds = extraction.Thresholds(**trained.read_json("thresholds.json"))

    speeds, answers = {}, {}
    for batch_size in (1, 8, 64):
        extractor = extraction.Extractor(networks, encoder, schema, batch_size)
        extractor.extract(texts[:batch_size], thresholds)  # tracing is no part of the speed
        seconds, answers[batch_size] = best_of(config.repeats, lambda: extractor.extract(texts, thresholds))
        speeds[f"batch {batch_size}"] = config.sentences / seconds
    if any(answer != answers[1] for answer in answers.values()):
        raise RuntimeError("the answers depend on the batch size")
    print(table(["", "sentences/s", "ratio"], [[name, f"{speed:.0f}", f"{speed / speeds['batch 1']:.1f}"] for name, speed in speeds.items()]))
    return speeds


def best_of(repeats: int, action: Callable[[], object]) -> tuple[float, object]:
    """Least seconds of several rounds, and what the action returned."""
    rounds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        result = action()
        rounds.append(time.perf_counter() - begun)
    return min(rounds), result


if __name__ == "__main__":
    run(main)
