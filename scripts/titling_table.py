"""The table in the README of title generation: every network on every data set, searched in three ways. Minutes to
hours; resumable.

    python scripts/titling_table.py --data-dir TITLING                  # TITLING/csl and TITLING/lcsts, each with train.json and dev.json
    nohup python scripts/titling_table.py --data-dir TITLING > table.log &

A cell that is finished is not run again, and one that was interrupted goes on after its last whole epoch.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from common.command_line import UserError, parse_flags, run
from common.jobs import JobOptions

from table_cells import fill_at_once, finished, history, train_to_its_end

FOLDER = Path(__file__).resolve().parents[1] / "competitions" / "seq2seq_titling"
TASK = FOLDER.name

#: What each network is trained with: at most 15 minutes on two idle cores.
FLAGS = {
    ("copy_lstm", "csl"): "--batch-size 32 --epochs 4",
    ("copy_lstm", "lcsts"): "--batch-size 32 --epochs 5",
    ("bidirectional", "csl"): "--batch-size 32 --epochs 6",
    ("bidirectional", "lcsts"): "--batch-size 32 --epochs 2",
    ("unilm", "csl"): "--batch-size 32 --epochs 5 --layers 3 --dropout 0.1",
    ("unilm", "lcsts"): "--batch-size 32 --epochs 4 --layers 3 --dropout 0.1",
}
#: How dev is searched. A bidirectional network draws no titles.
SEARCHES = {
    "greedy": "--beam-width 1 --length-penalty 1 --votes 0",
    "beam 3": "--beam-width 3 --length-penalty 1 --votes 0",
    "vote of 16": "--beam-width 3 --length-penalty 1 --votes 16",
}


@dataclass
class Config:
    """Train every network on every data set, unless that is done, and print the table."""

    data_dir: Path
    """Folder with a folder for each data set: csl and lcsts."""
    output_dir: Path = Path("runs")
    """Where the runs are kept."""
    models: tuple[str, ...] = ("copy_lstm", "bidirectional", "unilm")
    """The networks."""
    data: tuple[str, ...] = ("csl", "lcsts")
    """The data sets."""
    jobs: JobOptions = field(default_factory=JobOptions)


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Prints the table; returns the figures of each row."""
    config = parse_flags(Config, argv)
    for name in config.data:
        if not (config.data_dir / name).is_dir():
            raise UserError(f"{config.data_dir / name}: no such folder - it must hold train.json and dev.json")
    rows = {}
    for name in config.data:
        rows[f"first 24 characters | {name}"] = {"": first_characters(config.data_dir / name)}
    os.environ.update(config.jobs.environment)
    cells = [(model, name) for model in config.models for name in config.data]
    fill_at_once(__file__, {folder_of(*one, config): flags_of(*one, config) for one in cells}, config.jobs)
    for model in config.models:
        for name in config.data:
            rows[f"{model} | {name}"] = cell(model, name, config)
    print(f"\n| network | data | {' | '.join(SEARCHES)} |\n|---|---|{'---|' * len(SEARCHES)}")
    for label, figures in rows.items():
        print(f"| {label} | {' | '.join(_shown(figures.get(search) or figures.get('')) for search in SEARCHES)} |")
    return rows


def folder_of(model: str, data: str, config: Config) -> Path:
    """The run directory of a cell."""
    return config.output_dir / TASK / f"{model}-{data}"


def flags_of(model: str, data: str, config: Config) -> list[object]:
    """What this script is told to fill a cell alone."""
    where = ["--data-dir", config.data_dir, "--output-dir", config.output_dir]
    return [*where, "--models", model, "--data", data]


def cell(model: str, data: str, config: Config) -> dict[str, Any]:
    """The figures of one network on one data set by each search, out of cell.json if it is done."""
    folder = folder_of(model, data, config)

    def fill() -> dict[str, Any]:
        # The searches below are all that is wanted, so train.py need not look for the best one.
        flags = ["--model", model, "--beam-width", 1, "--votes", 0, *FLAGS[model, data].split()]
        train_to_its_end(folder, ["--data-dir", config.data_dir / data], flags, partial(_script, "train"))
        figures = {}
        for search, searching in SEARCHES.items():
            if model == "bidirectional" and search.startswith("vote"):
                continue
            predictions = folder / f"dev {search}.json"
            _script(
                "predict",
                "--run",
                folder,
                "--input",
                config.data_dir / data / "dev.json",
                "--output",
                predictions,
                *searching.split(),
            )
            printed = _script(
                "evaluate",
                "--gold",
                config.data_dir / data / "dev.json",
                "--predictions",
                predictions,
                "--json",
                capture=True,
            )
            figures[search] = json.loads(printed)
        seconds = sum(entry["training_seconds"] for entry in history(folder))
        print(f"{folder.name}: {seconds / 60:.1f} minutes of training", flush=True)
        return figures

    return finished(folder, fill)


def first_characters(folder: Path) -> dict[str, float]:
    """What the first 24 characters of each text of dev.json score."""
    sys.path.insert(0, str(FOLDER))
    from evaluate import beginnings
    from metric import total
    from task import read_gold

    return total(comparison.scores for comparison in beginnings(read_gold(folder / "dev.json"))).figures()


def _script(name: str, *flags: object, capture: bool = False) -> str | None:
    command = [sys.executable, str(FOLDER / f"{name}.py"), *map(str, flags)]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE if capture else None, text=True, encoding="utf-8"
    ).stdout


def _shown(figures: dict[str, float] | None) -> str:
    return "-" if figures is None else f"{figures['rouge-l']:.4f} / {figures['bleu']:.4f}"


if __name__ == "__main__":
    run(main)
