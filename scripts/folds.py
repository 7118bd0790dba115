"""Train a contest on every fold of its training file, with several seeds, and say how good the runs are, alone and
together. Hours; resumable.

    python scripts/folds.py relations --num-folds 5 --seeds 2 -- --data-dir DUIE --epochs 16
    python scripts/folds.py nl2sql --num-folds 0 --seeds 3 -- --data-dir TABLEQA           # seeds on the dev file
    python scripts/folds.py events --jobs 2                                                # two at a time
    python scripts/folds.py events --scheduler tcp://10.0.0.1:8786                         # on a Dask cluster

What follows `--` goes to every train.py. The same command again goes on after whatever ended it: a finished run is left
alone, and one that was interrupted goes on after its last whole epoch.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated, Any, NamedTuple

import tyro

from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.jobs import Ended, Job, JobOptions, run_jobs, tell

from contest_folders import COMPETITIONS, contest_of, inside, load
from dev_results import CONTESTS, DevResults, dev_results
from table_cells import FILE, finished

SCRIPTS = Path(__file__).resolve().parent
#: Flags of train.py that are ours to give.
_OURS = ("--num-folds", "--fold", "--seed", "--output-dir", "--run-name", "--resume", "--no-resume")


@dataclass
class Config:
    """Train a contest on every fold with several seeds, and say how good the runs are, alone and together."""

    contest: Annotated[str, tyro.conf.Positional]
    """Name of the contest: a folder in competitions/, or relations, events, reading, webqa, linking, nl2sql, titles."""
    num_folds: int = 5
    """Parts of the training file, each of which is dev in one run and trains in the others. 0: no parts, the dev file is
    dev."""
    seeds: int = 1
    """So many seeds: 1, 2, ... Each cuts the file into other parts."""
    output_dir: Path = Path("runs")
    """Where the runs are kept, as OUTPUT_DIR/TASK/NAME-SEED-FOLDofFOLDS, each with its log beside it."""
    name: str = "folds"
    """How the names of the runs begin."""
    ensemble: bool = True
    """Have all runs answer the dev file too, if there is one, each alone and all together."""
    jobs: JobOptions = field(default_factory=JobOptions)

    def __post_init__(self):
        self.contest = contest_of(self.contest)
        check_at_least(self, num_folds=0, seeds=1)
        if self.num_folds == 1:
            raise UserError("--num-folds 1: must be at least 2, one part for dev and one to train on, or 0")
        if self.num_folds == 0 and self.seeds == 1:
            raise UserError("--num-folds 0: is for several seeds on the dev file - give --seeds, or --num-folds")
        if not self.name or self.name.startswith(".") or Path(self.name).name != self.name:
            raise UserError(
                f"--name {self.name!r}: must begin the name of a folder, without slashes or a dot before it"
            )


class Member(NamedTuple):
    """A run among all. fold: None where there are none."""

    seed: int
    fold: int | None
    path: Path
    flags: tuple[str, ...]

    @property
    def is_finished(self) -> bool:
        return (self.path / FILE).is_file()

    @property
    def log(self) -> Path:
        return self.path.with_name(f"{self.path.name}.log")


def main(argv: Sequence[object] | None = None) -> dict[str, Any]:
    """Prints tables; returns the `scores` of the runs by name, `out_of_fold` by seed, and for the dev file the `single`
    scores by name and that of all `together`. Raises UserError at the end where a run has failed."""
    argv = [str(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    end = argv.index("--") if "--" in argv else len(argv)
    config, further = parse_flags(Config, argv[:end]), argv[end + 1 :]
    members = members_of(config, further)
    dev = dev_file(config, members[0])
    failed = train(config, members)
    results = {member: dev_results(member.path) for member in members if member.is_finished}
    figures = show_runs(config, results) if results else {}
    if failed:
        raise UserError(
            f"{len(failed)} of {len(members)} runs failed ({', '.join(failed)}) - mend what their logs say, and start the same command again"
        )
    return figures | (answer_dev(config, results, dev) if dev and config.ensemble else {})


def members_of(config: Config, further: Sequence[str]) -> list[Member]:
    """All runs, seed by seed, so that what is cut short is whole for the seeds it has. Raises UserError for flags that
    are not for the user to give, and for finished runs of other flags."""
    for flag in further:
        if flag.partition("=")[0].replace("_", "-") in _OURS:
            raise UserError(f"{flag}: is given by this script to each run - leave it out")
    members = []
    for seed in range(1, config.seeds + 1):
        for fold in range(1, config.num_folds + 1) or [None]:
            name = f"{config.name}-{seed}" + (f"-{fold}of{config.num_folds}" if fold else "")
            cut = ["--num-folds", str(config.num_folds), "--fold", str(fold)] if fold else []
            flags = (*further, *cut, "--seed", str(seed))
            members.append(Member(seed, fold, config.output_dir / config.contest / name, flags))
    for member in members:
        if member.is_finished:
            before = tuple(json.loads((member.path / FILE).read_text("utf-8"))["flags"])
            if before != member.flags:
                raise UserError(
                    f"{member.path}: was trained with {' '.join(before)}, not with {' '.join(member.flags)} - give the same flags, or another --name"
                )
    return members


def dev_file(config: Config, member: Member) -> Path | None:
    """The dev file of the contest. Raises UserError where it is needed and is not there, and SystemExit for flags that
    train.py does not take."""
    with inside(config.contest):
        training = parse_flags(load(config.contest, "train").Config, member.flags)
    folder = training.data_dir or COMPETITIONS / config.contest / "sample"
    found = load(config.contest, "task").find_files(folder).dev
    if found is None and not config.num_folds:
        raise UserError(f"{folder}: has no dev file, and every seed would cut another part off - give --num-folds")
    return found


# Training


def train(config: Config, members: Sequence[Member]) -> list[str]:
    """Trains all that are not finished; returns the names of those that failed."""
    left = [member for member in members if not member.is_finished]
    begun = sum(member.path.is_dir() for member in left)
    print(
        f"{len(members)} runs of {config.contest}: {len(members) - len(left)} finished, {begun} to go on with",
        flush=True,
    )
    script, by_log = COMPETITIONS / config.contest / "train.py", {member.log: member for member in left}

    def report(ended: Ended) -> None:
        if ended.status == 0:
            member = by_log[ended.job.log]
            finished(member.path, lambda: {"flags": member.flags})
        tell(ended)

    jobs = [
        Job(
            member.path.name,
            script,
            (*member.flags, "--output-dir", str(config.output_dir), "--run-name", member.path.name),
            member.log,
            member.path,
        )
        for member in left
    ]
    return [ended.job.name for ended in run_jobs(jobs, config.jobs, report) if ended.status]


# Scores


def show_runs(config: Config, results: dict[Member, DevResults]) -> dict[str, Any]:
    """Prints what each run scores on its dev, what they do on the average, and what the folds of a seed do together."""
    metric = CONTESTS[config.contest].metric
    names = list(next(iter(results.values())).figures)
    rows = [
        [member.path.name, len(one.examples), *(float(one.figures[name]) for name in names)]
        for member, one in results.items()
    ]
    columns = list(zip(*(row[2:] for row in rows)))
    rows.append(["mean", "", *map(fmean, columns)])
    if len(results) > 1:
        rows.append(["standard deviation", "", *map(stdev, columns)])
    scores = {}
    for seed in range(1, config.seeds + 1) if config.num_folds else ():
        folds = [one for member, one in results.items() if member.seed == seed]
        if len(folds) == config.num_folds:
            together = out_of_fold(folds)
            scores[seed] = float(together[metric])
            count = sum(len(one.examples) for one in folds)
            rows.append([f"seed {seed}, out of fold", count, *(float(together[name]) for name in names)])
    print("\n" + table(["", "examples", *names], rows))
    alone = {member.path.name: float(one.figures[metric]) for member, one in results.items()}
    return {"scores": alone, "out_of_fold": scores}


def out_of_fold(folds: Sequence[DevResults]) -> dict[str, float]:
    """The official score of the whole training file, each example answered by the run that has not seen it."""
    examples = [example for one in folds for example in one.examples]
    predicted = [prediction for one in folds for prediction in one.predicted]
    task = folds[0].task
    return CONTESTS[task].judge(load(task, "metric"), examples, predicted)[1]


# The dev file


def answer_dev(config: Config, results: dict[Member, DevResults], dev: Path) -> dict[str, Any]:
    """Prints what the runs score on the dev file, each alone and all together."""
    metric, folder = CONTESTS[config.contest].metric, COMPETITIONS / config.contest
    outputs = {member: member.path / "dev_file.json" for member in results}
    jobs = [
        Job(member.path.name, folder / "predict.py", flags_of(dev, output, "--run", member.path), member.log)
        for member, output in outputs.items()
        if not output.is_file()
    ]
    together = config.output_dir / config.contest / f"{config.name}-ensemble.json"
    log = together.with_suffix(".log")
    all_runs = Job("ensemble", SCRIPTS / "ensemble.py", flags_of(dev, together, *(one.path for one in results)), log)
    print(f"\n{dev}: answered by each run, and by all together", flush=True)
    for ended in run_jobs([*jobs, all_runs], config.jobs, tell):
        if ended.status:
            raise UserError(f"{ended.job.log}: {ended.last_line} - mend that, and start the same command again")
    single = {member.path.name: official(folder, dev, output)[metric] for member, output in outputs.items()}
    ensemble = official(folder, dev, together)[metric]
    best = max(single, key=single.get)
    rows = [
        ["mean of single runs", fmean(single.values())],
        [f"the best of them, {best}", single[best]],
        [f"all {len(single)} together", ensemble],
    ]
    print("\n" + table([str(dev), metric], rows))
    return {"single": single, "together": ensemble}


def flags_of(dev: Path, output: Path, *runs: object) -> tuple[str, ...]:
    return (*map(str, runs), "--input", str(dev), "--output", str(output))


def official(folder: Path, gold: Path, predictions: Path) -> dict[str, float]:
    """What evaluate.py says."""
    flags = ["--gold", gold, "--predictions", predictions, "--json"]
    command = [sys.executable, folder / "evaluate.py", *flags]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout
    return {name: float(value) for name, value in json.loads(printed).items() if value is not None}


if __name__ == "__main__":
    run(main)
