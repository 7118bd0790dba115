"""Seconds that predict.py of each contest takes for a few rows, beside an import of TensorFlow: `benchmark.py start`.

Processes of their own take turns, so that all see the same machine, and the medians count. Rows are the first of the
bundled sample's test.json.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from common.command_line import table
from common.runs.directory import newest_run

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"
# What common.keras_compat sets: the same Keras is imported.
_VARIABLES = {"TF_KERAS": "1", "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}


def measure(runs: Path, rows: int, rounds: int) -> dict[str, float]:
    """Prints a table of the contests that have a trained run in this folder, and returns its figures by name. Raises
    CalledProcessError where a script fails."""
    figures, shown = {}, []
    for task in sorted(path.parent.name for path in COMPETITIONS.glob("*/predict.py")):
        if not any((runs / task).glob("*/best.weights.h5")):
            print(f"{task}: no run in {runs}/, so it is left out")
            continue
        found = start_times(task, newest_run(runs, task, "best.weights.h5").path, rows, rounds)
        shown.append([task, *(f"{found[name]:.2f}" for name in ("import", "predict", "ratio", "help"))])
        figures |= {f"{task}, {name}": value for name, value in found.items()}
    print(table(["", "import s", "predict.py s", "ratio", "--help s"], shown))
    return figures


def start_times(task: str, run: Path, rows: int, rounds: int) -> dict[str, float]:
    """Seconds of the `import` of TensorFlow, of `predict` with this run and of its `help`, and the `ratio` of the first
    two."""
    script = COMPETITIONS / task / "predict.py"
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--run", run, "--input", first_rows(task, rows, Path(folder)), "--output", f"{folder}/submission"]
        flags[-1] += ".tsv" if task == "webqa_dgcnn" else ".json"
        commands = {"import": ["-c", "import tensorflow"], "predict": [script, *flags], "help": [script, "--help"]}
        for command in commands.values():
            seconds(command)  # what comes first reads from the disk
        taken = [{name: seconds(command) for name, command in commands.items()} for _ in range(rounds)]
    medians = {name: statistics.median(one[name] for one in taken) for name in commands}
    return {**medians, "ratio": medians["predict"] / medians["import"]}


def seconds(arguments: Sequence[object]) -> float:
    """Of a Python process with these arguments, from its start to its end."""
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, *map(str, arguments)], env={**os.environ, **_VARIABLES}, capture_output=True, check=True
    )
    return time.perf_counter() - begun


def first_rows(task: str, rows: int, folder: Path) -> Path:
    """A file in this folder with the first rows of the sample's test.json, and beside it what belongs to it."""
    sample = COMPETITIONS / task / "sample"
    for other in sample.glob("test.*.json"):
        shutil.copy(other, folder)
    text = (sample / "test.json").read_text("utf-8")
    try:
        document = json.loads(text)
    except ValueError:  # a row a line
        text = "".join(text.splitlines(keepends=True)[:rows])
    else:
        if isinstance(document, dict):  # as SQuAD has it
            asked = [(one, question) for one in document["data"][0]["paragraphs"] for question in one["qas"]][:rows]
            document["data"] = [{"title": "", "paragraphs": [{**one, "qas": [question]} for one, question in asked]}]
        text = json.dumps(document if isinstance(document, dict) else document[:rows], ensure_ascii=False)
    path = folder / "test.json"
    path.write_text(text, "utf-8")
    return path
