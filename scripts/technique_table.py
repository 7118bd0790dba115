"""What each training technique buys: a contest trained with it and without, once for each seed, and a table of the dev
scores. Hours; resumable.

    python scripts/technique_table.py webqa_dgcnn --data-dir WEBQA
    python scripts/technique_table.py nl2sql --data-dir TABLEQA --cells plain,r-drop,ema+fgm -- --epochs 8
    python scripts/technique_table.py nl2sql --data-dir TABLEQA --jobs 2                  # two trainings at a time

What follows `--` goes to every train.py. A cell that is finished is not trained again, and one that was interrupted
goes on after its last whole epoch, so that techniques and seeds can be added later. Its score is the best one of its
epochs on dev.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Annotated, Any

import tyro

from common.command_line import UserError, parse_flags, run
from common.jobs import JobOptions

from table_cells import fill_at_once, finished, history, train_to_its_end

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"

#: What train.py is told for each cell. All are compared with "plain", which has no technique at all; add your own.
CELLS = {
    "plain": "--ema-momentum 0",
    "ema": "",
    "adafactor": "--ema-momentum 0 --optimizer adafactor",
    "lookahead": "--ema-momentum 0 --lookahead-steps 5",
    "fgm": "--ema-momentum 0 --fgm 0.5",
    "r-drop": "--ema-momentum 0 --r-drop 4",
    "flooding": "--ema-momentum 0 --flooding 0.1",
    "lazy": "--ema-momentum 0 --lazy-embeddings",
    "logit-adjustment": "--ema-momentum 0 --logit-adjustment 1",  # relations, events and NL2SQL only
    "bfloat16": "--ema-momentum 0 --mixed-precision bfloat16",
    "float16": "--ema-momentum 0 --mixed-precision float16",
    "ema+fgm": "--fgm 0.5",
    "ema+r-drop": "--r-drop 4",
    "ema+layer-decay": "--layer-decay 0.8",  # transformers only
    "ema+lookahead": "--lookahead-steps 5",
}
#: The score that a contest is won by, where it is not f1.
METRICS = {"nl2sql": "score", "webqa_dgcnn": "score", "seq2seq_titling": "rouge-l"}


@dataclass
class Config:
    """Train one contest with every technique and every seed, unless that is done, and print the table."""

    folder: Annotated[str, tyro.conf.Positional]
    """Name of the contest: a folder in competitions/."""
    data_dir: Path | None = None
    """Folder with its data. Default: the bundled sample."""
    cells: str = "plain,ema,lookahead,fgm"
    """Techniques, separated by commas: names of CELLS in this script."""
    seeds: str = "1,2"
    """Seeds, separated by commas. Two runs of the same technique show how much is chance."""
    output_dir: Path = Path("runs")
    """Where the runs are kept, as OUTPUT_DIR/FOLDER/CELL-SEED."""
    jobs: JobOptions = field(default_factory=JobOptions)

    def __post_init__(self):
        if not (COMPETITIONS / self.folder / "train.py").is_file():
            contests = sorted(path.parent.name for path in COMPETITIONS.glob("*/train.py"))
            raise UserError(f"{self.folder}: no contest of this name - give one of {', '.join(contests)}")
        unknown = [name for name in self.cells.split(",") if name not in CELLS]
        if unknown:
            raise UserError(f"--cells {self.cells}: {unknown[0]!r} is none of {', '.join(CELLS)}")
        if not all(seed.isdecimal() for seed in self.seeds.split(",")):
            raise UserError(f"--seeds {self.seeds}: must be whole numbers, separated by commas")


def main(argv: Sequence[object] | None = None) -> dict[str, dict[str, Any]]:
    """Prints the table; returns for each cell its `scores` (by seed), and `mean`, `gain` (over plain) and `time` (of an
    epoch, plain's being 1)."""
    argv = [str(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    end = argv.index("--") if "--" in argv else len(argv)
    config, further = parse_flags(Config, argv[:end]), argv[end + 1 :]
    names, seeds = (list(dict.fromkeys(listed.split(","))) for listed in (config.cells, config.seeds))
    # Seed by seed, so that a table cut short is whole for the seeds it has.
    cells = [(name, seed) for seed in seeds for name in names]
    alone = {folder_of(*one, config): flags_of(*one, config, further) for one in cells}
    fill_at_once(__file__, alone, config.jobs)
    figures = {one: cell(*one, config, further) for one in cells}
    rows = {}
    for name in names:
        scores = {seed: figures[name, seed]["score"] for seed in seeds}
        rows[name] = {"scores": scores, "mean": fmean(scores.values()), "gain": None, "time": None}
        if "plain" in names:
            rows[name]["gain"] = fmean(figures[name, seed]["score"] - figures["plain", seed]["score"] for seed in seeds)
            rows[name]["time"] = fmean(
                figures[name, seed]["epoch_seconds"] / figures["plain", seed]["epoch_seconds"] for seed in seeds
            )
    print(
        f"\n{markdown(rows, seeds)}\n\ndev {METRICS.get(config.folder, 'f1')} of {config.folder}, the best of all epochs"
    )
    if "plain" in names and len(seeds) > 1:
        plain = rows["plain"]["scores"].values()
        print(f"the seeds of plain are {max(plain) - min(plain):.4f} apart: a gain has to be more than chance")
    return rows


def folder_of(name: str, seed: str, config: Config) -> Path:
    """The run directory of a cell."""
    return config.output_dir / config.folder / f"{name}-{seed}"


def flags_of(name: str, seed: str, config: Config, further: Sequence[str]) -> list[object]:
    """What this script is told to fill a cell alone."""
    data = [] if config.data_dir is None else ["--data-dir", config.data_dir]
    where = ["--output-dir", config.output_dir, *data]
    return [config.folder, "--cells", name, "--seeds", seed, *where, "--", *further]


def cell(name: str, seed: str, config: Config, further: Sequence[str]) -> dict[str, Any]:
    """`score`, `epoch_seconds` (training alone, the median) and `flags` of one training, out of cell.json if it is
    done.

    Raises UserError when it was done with other flags, or fails.
    """
    folder = folder_of(name, seed, config)
    data = [] if config.data_dir is None else ["--data-dir", str(config.data_dir.resolve())]
    flags = [*further, *CELLS[name].split(), *data, "--seed", seed]

    def fill() -> dict[str, Any]:
        print(f"{folder}: train.py {' '.join(flags)}", flush=True)
        train_to_its_end(folder, flags, [], partial(_train, config))
        epochs = history(folder)
        # The first epoch builds the graph as well. Seconds are kept in tenths, of which there is at least one.
        seconds = max(0.1, median(epoch["training_seconds"] for epoch in epochs[1:] or epochs))
        return {
            "flags": flags,
            "score": max(epoch[METRICS.get(config.folder, "f1")] for epoch in epochs),
            "epoch_seconds": seconds,
        }

    figures = finished(folder, fill)
    if figures["flags"] != flags:
        before, now = " ".join(figures["flags"]), " ".join(flags)
        raise UserError(
            f"{folder}: was trained with {before}, not with {now} - give the same flags, or another --output-dir"
        )
    return figures


def markdown(rows: dict[str, dict[str, Any]], seeds: Sequence[str]) -> str:
    """The table: a line for each technique, a column for each seed."""
    header = ["technique", *(f"seed {seed}" for seed in seeds), "mean", "gain over plain", "time of an epoch"]
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for name, row in rows.items():
        scores = [f"{row['scores'][seed]:.4f}" for seed in seeds]
        compared = [
            "-" if row["gain"] is None else f"{row['gain']:+.4f}",
            "-" if row["time"] is None else f"x {row['time']:.2f}",
        ]
        lines.append(f"| {name} | {' | '.join([*scores, format(row['mean'], '.4f'), *compared])} |")
    return "\n".join(lines)


def _train(config: Config, *flags: object) -> None:
    command = [sys.executable, str(COMPETITIONS / config.folder / "train.py"), *map(str, flags)]
    status = subprocess.run(command, env=os.environ | config.jobs.environment).returncode
    if status:
        given = " ".join(map(str, flags))
        raise UserError(
            f"train.py ended with status {status}; its flags were {given} - mend what it says above, and start the table again"
        )


if __name__ == "__main__":
    run(main)
