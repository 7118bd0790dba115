"""What predict.py of a contest holds of the machine's memory while it answers many examples: a step of
`benchmark.py memory`, in a process of its own.

    python scripts/prediction_memory.py lic2020_relation_extraction --examples 10000

The examples are those of the bundled sample's test.json, drawn again and again, under ids of their own. The last line
on stdout is a JSON object: what predict.py returned, and the bytes held before each round and at the end.
"""

import argparse
import dataclasses
import importlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common import prediction

from process_memory import resident

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"


def measure(task: str, examples: int, run: str | None) -> dict[str, Any]:
    """Runs predict.py with another reader of its input."""
    sys.path.insert(0, str(COMPETITIONS / task))
    held: list[int] = []
    cut = prediction.rounds

    def watched_rounds(examples: Sequence[Any]) -> Iterator[Sequence[Any]]:
        for part in cut(examples):
            held.append(resident())
            yield part

    prediction.rounds = watched_rounds  # before predict.py takes it from there
    predict = importlib.import_module("predict")
    read = predict.read
    predict.read = lambda *arguments, **named: many(read(*arguments, **named), examples)
    with tempfile.TemporaryDirectory() as folder:
        suffix = ".tsv" if task == "webqa_dgcnn" else ".json"
        found = predict.main([*(["--run", run] if run else []), "--output", f"{folder}/submission{suffix}"])
    held.append(resident())
    return {"answers": {name: value for name, value in found.items() if isinstance(value, int)}, "held": held}


def many(examples: Sequence[Any], count: int) -> list[Any]:
    """So many of the examples, drawn with a seed; where they have ids, each has one of its own."""
    drawn = random.Random(1).choices(examples, k=count)
    if not hasattr(examples[0], "id"):
        return drawn
    return [dataclasses.replace(example, id=f"{example.id}-{number}") for number, example in enumerate(drawn)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--run")
    flags = parser.parse_args()
    print(json.dumps(measure(flags.task, flags.examples, flags.run)))
