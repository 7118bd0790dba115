"""What the examples of a contest hold of the machine's memory while it is trained: a step of
`benchmark.py training-memory`, in a process of its own.

    python scripts/training_memory.py lic2020_relation_extraction --data-dir DUIE

train.py runs until it would make batches, and then lets go of its features: what is freed is what they held. Counted is
what Python and numpy asked for, not what TensorFlow did. The last line on stdout is a JSON object: `rows`, of which
batches are made, and the bytes that one holds as `features`, and an example that was read, of train or dev, as
`example`.
"""

import argparse
import gc
import importlib
import json
import sys
import tempfile
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from common.process import start_tensorflow

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"


class _Measured(Exception):
    """Ends train.py; its argument is what was found."""


def measure(task: str, flags: Sequence[str] = ()) -> dict[str, float]:
    """Runs train.py with these flags, as far as its first batch."""
    start_tensorflow()
    sys.path.insert(0, str(COMPETITIONS / task))
    train = importlib.import_module("train")
    read_parts, found = train.read_parts, {}

    def watched_parts(*arguments: Any, **named: Any) -> Any:
        before = _held()
        parts = read_parts(*arguments, **named)
        found["example"] = (_held() - before) / (len(parts.train) + len(parts.dev))
        return parts

    def let_go(rows: list, *arguments: Any, **named: Any) -> NoReturn:
        found["rows"] = count = len(rows)
        before = _held()
        rows.clear()
        raise _Measured(found | {"features": (before - _held()) / count})

    train.read_parts, train.training_dataset = watched_parts, let_go
    tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder:
        try:
            train.main([*flags, "--output-dir", folder, "--feature-memory", str(2**20)])
        except _Measured as measured:
            return measured.args[0]
    raise RuntimeError(f"{task}: train.py made no batches")


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    known, flags = parser.parse_known_args()
    print(json.dumps(measure(known.task, flags)))
