"""The cells of tables that take hours: what is finished is not done again, and a training that was interrupted goes on
after its last whole epoch."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.jobs import Job, JobOptions, run_jobs, tell
from common.runs.directory import open_run
from common.submission import atomic_write, json_bytes

#: In the run directory of a cell that is finished.
FILE = "cell.json"


def finished(run: Path, fill: Callable[[], Any]) -> Any:
    """The figures of a cell, out of cell.json in its run directory. Where there is none, `fill` trains the run and
    returns them."""
    path = run / FILE
    if not path.is_file():
        atomic_write(path, json_bytes(fill(), indent=1) + b"\n")
    return json.loads(path.read_text("utf-8"))


def fill_at_once(script: str, cells: Mapping[Path, Sequence[object]], options: JobOptions) -> None:
    """With --jobs or --scheduler has each cell that is not finished filled by the script of the table itself, in a
    process of its own. Otherwise nothing: the script fills one after the other.

    cells: for each run directory the flags that make a table of this cell alone. Raises UserError where one failed, when
    all others are done.
    """
    if options.jobs == 1 and options.scheduler is None:
        return
    jobs = [
        Job(run.name, Path(script).resolve(), tuple(map(str, flags)), run.with_name(f"{run.name}.log"))
        for run, flags in cells.items()
        if not (run / FILE).is_file()
    ]
    failed = [ended.job.name for ended in run_jobs(jobs, options, tell) if ended.status]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(jobs)} cells failed ({', '.join(failed)}) - mend what their logs say, and start the same command again"
        )


def train_to_its_end(run: Path, where: Sequence[object], flags: Sequence[object], train: Callable[..., object]) -> None:
    """Has `train`, which gets flags of train.py, make the run or continue it, unless all its epochs are done.

    run: OUTPUT_DIR/TASK/RUN_NAME. where: flags for a run that is continued as well. flags: those that a run is started
    with.
    """
    if not run.is_dir():
        train("--output-dir", run.parents[1], "--run-name", run.name, *where, *flags)
    elif len(history(run)) < open_run(run, run.parent.name).config["settings"]["training"]["epochs"]:
        train("--output-dir", run.parents[1], "--run-name", run.name, *where, "--resume")


def history(run: Path) -> list[dict[str, Any]]:
    """What each epoch of a run brought, so far."""
    path = run / "history.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
