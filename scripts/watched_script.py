"""Run train.py or predict.py of a contest as it is, and note what it does not say: how fast, and in how much memory of
the GPU. A step of `doctor.py --gpu-check`, in a process of its own.

    python scripts/watched_script.py FIGURES.json competitions/nl2sql/train.py --epochs 2

Figures: `epoch_seconds`, the quickest epoch after the first, in which graphs are made; `rows_per_second` of a
prediction, without the first quarter of the rows for the same reason; `peak_bytes` on the first GPU, if there is one.
"""

import json
import runpy
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common import prediction, process


def run(script: str, argv: Sequence[str]) -> dict[str, float]:
    """Runs a script with these flags; returns the figures. Raises what the script raises, SystemExit where it fails."""
    figures: dict[str, float] = {}
    start = process.start_tensorflow

    def start_and_watch() -> None:
        start()
        _watch_epochs(figures)

    process.start_tensorflow = start_and_watch
    prediction.rounds = lambda examples: _watched_rounds(examples, figures)
    sys.argv, sys.path[0] = [script, *argv], str(Path(script).resolve().parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    if "tensorflow" in sys.modules:
        _note_memory(figures)
    return figures


def _watched_rounds(examples: Sequence[Any], figures: dict[str, float]) -> Iterator[Sequence[Any]]:
    """All examples in two rounds, of which the second is timed."""
    first = -(-len(examples) // 4)
    yield examples[:first]
    if examples[first:]:
        begun = time.perf_counter()
        yield examples[first:]
        figures["rows_per_second"] = len(examples[first:]) / (time.perf_counter() - begun)


def _watch_epochs(figures: dict[str, float]) -> None:
    from common.runs.callbacks import KeepRun

    begin, end, clock = KeepRun.on_epoch_begin, KeepRun.on_epoch_end, []

    def on_epoch_begin(self, epoch, logs=None):
        begin(self, epoch, logs)
        clock.append(time.perf_counter())

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - clock[-1]
        figures["epoch_seconds"] = seconds if len(clock) < 3 else min(seconds, figures["epoch_seconds"])
        end(self, epoch, logs)

    KeepRun.on_epoch_begin, KeepRun.on_epoch_end = on_epoch_begin, on_epoch_end


def _note_memory(figures: dict[str, float]) -> None:
    from common.keras_compat import tf

    if tf.config.list_physical_devices("GPU"):
        figures["peak_bytes"] = tf.config.experimental.get_memory_info("GPU:0")["peak"]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(run(sys.argv[2], sys.argv[3:])), encoding="utf-8")
