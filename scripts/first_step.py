"""How long train.py of a contest takes to its first step, in how much memory, and how fast it goes on: a step of
`benchmark.py first-step`, in a process of its own.

    python scripts/first_step.py lic2020_relation_extraction --steps 200 --data-dir DUIE

The last line on stdout is a JSON object: `seconds` from the start of the process to the end of the first step, in which
graphs are built, and `cpu_seconds` of it and of the processes that it began, `rows_per_second` in the steps after it and `rows_per_cpu_second`,
and `bytes`, the largest memory, up to the first step with that of the processes that it began, looked at every half
second.
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from process_memory import peak, with_children

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"
_BEGUN = time.monotonic()


class _Measured(Exception):
    """Ends train.py; its argument is what was found."""


def measure(task: str, steps: int, flags: Sequence[str] = ()) -> dict[str, float]:
    """Runs train.py with these flags, as far as so many steps after the first one."""
    sys.path.insert(0, str(COMPETITIONS / task))
    train = importlib.import_module("train")
    start, ends, memory = train.start_tensorflow, [], []

    def start_and_watch() -> None:
        start()
        from common.runs.callbacks import Progress

        Progress.on_train_batch_end = at_end_of_step

    def at_end_of_step(self: Any, batch: int, logs: Any = None) -> None:
        ends.append((time.monotonic(), time.process_time()))
        if len(ends) > steps:
            rows = steps * self.keep.run.config["settings"]["training"]["batch_size"]
            (first, first_cpu), (last, last_cpu) = ends[0], ends[-1]
            others = os.times()[2:4]
            raise _Measured(
                {
                    "seconds": first - _BEGUN,
                    "cpu_seconds": first_cpu + others[0] + others[1],
                    "rows_per_second": rows / (last - first),
                    "rows_per_cpu_second": rows / (last_cpu - first_cpu),
                    "bytes": max(peak(), *memory),
                }
            )

    def watch_memory() -> None:
        while not ends:  # it would slow the steps down
            memory.append(with_children())
            time.sleep(0.5)

    threading.Thread(target=watch_memory, daemon=True).start()
    train.start_tensorflow = start_and_watch
    with tempfile.TemporaryDirectory() as folder:
        try:
            train.main([*flags, "--output-dir", folder])
        except _Measured as measured:
            return measured.args[0]
    raise RuntimeError(f"{task}: train.py ended before {steps + 1} steps - give more examples")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--steps", type=int, default=100)
    known, flags = parser.parse_known_args()
    print(json.dumps(measure(known.task, known.steps, flags)))
