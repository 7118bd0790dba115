"""The parts that `predict.py --shard` wrote as one submission: the file that one predict.py would have written.

python competitions/TASK/predict.py --run RUN --input TEST --output part-1.json --shard 1/2
python competitions/TASK/predict.py --run RUN --input TEST --output part-2.json --shard 2/2
python scripts/merge_shards.py part-1.json part-2.json --run RUN --input TEST --output SUBMISSION

The parts may come in any order, and may as well be files of --scores. Every example of the input is answered exactly
once, or nothing is written.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import tyro

from common.candidates import scores_file
from common.command_line import UserError, check_given, parse_flags, run
from common.runs.directory import open_trained_run
from common.shards import in_order, read_part
from common.submission import all_lines, check_output, read_json_lines, write_lines

from contest_folders import CONTEST_NAMES, inside
from ensembles import contest_of


@dataclass
class Config:
    """Put the parts of a submission, or of a file of scores, together, and check that they are all of it."""

    parts: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """What predict.py --shard wrote for each shard, in any order: parts of a submission, or files of --scores."""
    input: Path | None = None
    """The whole input, as predict.py was given it."""
    output: Path | None = None
    """The submission, or the file of scores; packed when its name ends in .gz or .zip, as with predict.py."""
    run: Path | None = None
    """The run that predicted the parts. Default: the newest of their contest in --output-dir."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    tables: Path | None = None
    """NL2SQL: the tables of the questions. Default: the file beside them, as for predict.py."""

    def __post_init__(self):
        check_given(self, "input", "output")
        if len(set(map(Path.resolve, self.parts))) < len(self.parts) or not self.parts:
            raise UserError("parts: are missing, or one is given twice - give each once")
        if self.output.resolve() in map(Path.resolve, self.parts):
            raise UserError(f"--output {self.output}: is one of the parts - give another name")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission or file of scores, checks it, and returns `output` and the number of `examples`."""
    config = parse_flags(Config, argv)
    first = read_part(config.parts[0])
    if first.task not in CONTEST_NAMES:
        raise UserError(f"{config.parts[0]}: is of {first.task:.60}, which is no contest here - leave it out")
    trained = open_trained_run(config.run, config.output_dir, first.task)
    check_output(config.output)
    with inside(first.task):
        contest = contest_of(first.task)(trained, config.tables)
        examples = contest.read(config.input, Counter())
        parts = in_order(config.parts, config.input, trained, len(examples))
        if first.kind == "scores":
            join_scores(parts, examples, config.output)
        else:
            join(contest.task, parts, config.output)
            contest.check_submission(config.output, examples)
    print(f"{config.output}: {len(examples):,} examples in {len(parts)} parts, checked")
    return {"output": config.output, "examples": len(examples)}


def join(task: ModuleType, parts: Sequence[Path], output: Path) -> None:
    """Write the parts one after the other. They are lines, save in reading comprehension, where each is an object."""
    if task.TASK == "lic2020_reading_comprehension":
        answers = [task.read_submission(part) for part in parts]
        task.write_submission(output, {name: answer for one in answers for name, answer in one.items()})
    else:
        suffix = ".tsv" if task.TASK == "webqa_dgcnn" else ".json"
        write_lines(output, (line.encode() for part in parts for _, line in all_lines(part)), suffix)


def join_scores(parts: Sequence[Path], examples: Sequence[Any], output: Path) -> None:
    """Write files of scores one after the other. Where examples have no ids, each part numbers its own from 1, and they
    are numbered anew. Raises UserError for a line of another example than the input has there."""
    lines = ((part, number, line) for part in parts for number, line in read_json_lines(part))
    with scores_file(output) as keep:
        for example, (part, number, line) in zip(examples, lines, strict=True):
            name = line.pop("id")
            if name != getattr(example, "id", name):
                raise UserError(
                    f"{part}:{number}: is of {name!s:.60}, where the input has {example.id!s:.60} - predict it again"
                )
            keep([example], [line])


if __name__ == "__main__":
    run(main)
