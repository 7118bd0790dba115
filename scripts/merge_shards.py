"""The parts that `predict.py --shard` wrote as one submission: the file that one predict.py would have written.

python competitions/TASK/predict.py --run RUN --input TEST --output part-1.json --shard 1/2
python competitions/TASK/predict.py --run RUN --input TEST --output part-2.json --shard 2/2
python scripts/merge_shards.py part-1.json part-2.json --run RUN --input TEST --output SUBMISSION

The parts may come in any order. Every example of the input is answered exactly once, or nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import tyro

from common.command_line import UserError, check_given, parse_flags, run
from common.runs.directory import Run, open_trained_run
from common.shards import in_order, read_part
from common.submission import all_lines, check_output, write_lines

from contest_folders import CONTEST_NAMES, inside, load
from live_runs import schema_of


@dataclass
class Config:
    """Put the parts of a submission together, and check that they are all of it."""

    parts: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """What predict.py --shard wrote for each shard, in any order."""
    input: Path | None = None
    """The whole input, as predict.py was given it."""
    output: Path | None = None
    """The submission; packed when its name ends in .gz or .zip, as with predict.py."""
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
    """Writes the submission, checks it, and returns `output` and the number of `examples`."""
    config = parse_flags(Config, argv)
    name = read_part(config.parts[0]).task
    if name not in CONTEST_NAMES:
        raise UserError(f"{config.parts[0]}: is of {name:.60}, which is no contest here - leave it out")
    trained = open_trained_run(config.run, config.output_dir, name)
    check_output(config.output)
    task = load(name, "task")
    examples = read_input(task, trained, config)
    parts = in_order(config.parts, config.input, trained, len(examples))
    with inside(name):
        join(task, parts, config.output)
        check(task, config.output, trained, examples)
    print(f"{config.output}: {len(examples):,} examples in {len(parts)} parts, checked")
    return {"output": config.output, "examples": len(examples)}


def read_input(task: ModuleType, trained: Run, config: Config) -> list[Any]:
    """The examples of the whole input, as the contest's predict.py reads them."""
    others = [schema] if (schema := schema_of(trained, task)) else []
    if task.TASK == "nl2sql":
        others = [config.tables or task.tables_of(config.input)]
    return task.read(config.input, *others, labelled=False)


def join(task: ModuleType, parts: Sequence[Path], output: Path) -> None:
    """Write the parts one after the other. They are lines, save in reading comprehension, where each is an object."""
    if task.TASK == "lic2020_reading_comprehension":
        answers = [task.read_submission(part) for part in parts]
        task.write_submission(output, {name: answer for one in answers for name, answer in one.items()})
    else:
        suffix = ".tsv" if task.TASK == "webqa_dgcnn" else ".json"
        write_lines(output, (line.encode() for part in parts for _, line in all_lines(part)), suffix)


def check(task: ModuleType, output: Path, trained: Run, examples: Sequence[Any]) -> None:
    """The contest's own check of a submission, as its predict.py makes it."""
    if task.TASK == "lic2020_relation_extraction":
        task.check_submission(output, schema_of(trained, task), [example.text for example in examples])
    elif task.TASK == "lic2020_event_extraction":
        task.check_submission(output, schema_of(trained, task), examples)
    elif task.TASK == "ccks2019_entity_linking":
        base = load(task.TASK, "knowledge_base")
        task.check_submission(output, examples, base.KnowledgeBase(trained.file(base.INDEX_NAME)))
    elif task.TASK == "nl2sql":
        *_, unconditioned = load(task.TASK, "predict").built_with(trained)
        task.check_submission(output, examples, unconditioned)
    else:
        task.check_submission(output, examples)


if __name__ == "__main__":
    run(main)
