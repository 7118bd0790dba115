"""Processor time of the answers of a contest, step by step, by a trained run: `benchmark.py relations` and the like.

    python scripts/prediction_speed.py webqa_dgcnn --examples 100 --input WEBQA/dev.json

predict.py loads the run and answers a few rows first; what it has built then answers all of them, at once and one by
one. The last line on stdout is a JSON object of figures.
"""

import argparse
import importlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"
_WARM_UP = 10  # examples: graphs are built, and what is loaded once is loaded


def measure(task: str, examples: int, alone: int, rounds: int, run: str | None, source: str | None) -> dict[str, float]:
    """`examples`, CPU milliseconds of one of them for `features`, `score` (the network) and `decode`, examples a CPU
    second `together` and `alone` (of the first `alone` examples), and `slots` of the network for each token of a
    text. Raises RuntimeError where the answers depend on how many come together."""
    sys.path.insert(0, str(COMPETITIONS / task))
    predict, decode = importlib.import_module("predict"), importlib.import_module("decode")
    counted = count_slots(decode)
    predictor, settings, rows = loaded(predict, decode, run, source, examples)
    texts = rows[:alone]
    taken: dict[str, list[float]] = {name: [] for name in ("features", "score", "decode", "together", "alone")}
    counted.clear()
    for _ in range(rounds):
        begun = time.process_time()
        features = predictor.features(rows)
        read = time.process_time()
        scores = predictor.score(features, [settings])
        scored = time.process_time()
        slots = counted.pop("slots", 0) / counted.pop("tokens", 1)
        answers = predictor.decode(rows, scores, settings)
        ended = time.process_time()
        one_by_one = [answer for text in texts for answer in predictor([text], settings)]
        alone_ended = time.process_time()
        steps = {"features": read - begun, "score": scored - read, "decode": ended - scored, "together": ended - begun}
        for name, seconds in steps.items():
            taken[name].append(seconds / len(rows))
        taken["alone"].append((alone_ended - ended) / len(texts))
        if one_by_one != answers[: len(texts)]:
            raise RuntimeError(f"{task}: the answers depend on the batch")
        counted.clear()
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    figures = {name: 1e3 * medians[name] for name in ("features", "score", "decode")}
    figures |= {name: 1 / medians[name] for name in ("together", "alone")}
    return {"examples": len(rows), **figures, "slots": slots}


def count_slots(decode: Any) -> dict[str, float]:
    """Counts in the dict that is returned the `slots` and `tokens` of all texts that networks read from now on."""
    counted: dict[str, float] = {}
    if not hasattr(decode, "one_trace"):  # what writes titles has a loop of its own
        return counted
    one_trace = decode.one_trace

    def counting_trace(network: Any) -> Callable[[Any], Any]:
        traced = one_trace(network)

        def call(inputs: Any) -> Any:
            tokens = inputs.get("token_ids") if isinstance(inputs, dict) else None
            if tokens is not None:
                tokens = np.asarray(tokens)
                counted["slots"] = counted.get("slots", 0) + tokens.size
                counted["tokens"] = counted.get("tokens", 0) + int((tokens > 0).sum())
            return traced(inputs)

        return call

    decode.one_trace = counting_trace
    return counted


def loaded(
    predict: Any, decode: Any, run: str | None, source: str | None, examples: int
) -> tuple[Any, Any, Sequence[Any]]:
    """The Predictor and the decoding settings that predict.py makes of a run, and the first examples of the source."""
    kept: dict[str, Any] = {}
    read, build, open_run = predict.read, predict.Predictor, predict.open_trained_run

    def keeping_read(*arguments: Any, **named: Any) -> Sequence[Any]:
        kept["rows"] = read(*arguments, **named)[:examples]
        return kept["rows"][:_WARM_UP]

    def keeping_predictor(*arguments: Any) -> Any:
        kept["predictor"] = build(*arguments)
        return kept["predictor"]

    def keeping_run(*arguments: Any) -> Any:
        kept["run"] = open_run(*arguments)
        return kept["run"]

    predict.read, predict.Predictor, predict.open_trained_run = keeping_read, keeping_predictor, keeping_run
    flags = [*(["--run", run] if run else []), *(["--input", source] if source else [])]
    with tempfile.TemporaryDirectory() as folder:
        suffix = ".tsv" if Path(predict.__file__).parent.name == "webqa_dgcnn" else ".json"
        predict.main([*flags, "--output", f"{folder}/submission{suffix}"])
    return kept["predictor"], kept["run"].read_decoding(decode.Settings), kept["rows"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--alone", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run")
    parser.add_argument("--input")
    flags = parser.parse_args()
    print(json.dumps(measure(flags.task, flags.examples, flags.alone, flags.rounds, flags.run, flags.input)))
