"""From a run and a test file to a submission.

python predict.py --run runs/nl2sql/NAME --input test.json --output submission.json
python predict.py --show-sql
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, parse_flags, run
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import BLANK_LINE

from task import TASK, check_submission, read, tables_of, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: an SQL query, which can be executed, for every question of the input."""

    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    input: Path = SAMPLE / "test.json"
    """Questions in the official format; queries, if there are any, are not looked at. Default: the bundled sample's
    test file."""
    tables: Path | None = None
    """Their tables, or a folder with *tables.json files. Default: the file beside the questions, test.tables.json for
    test.json."""
    output: Path | None = None
    """The submission, zipped if its name ends in .zip. Default: submission.json in the run directory."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_size: int = 64
    """Questions per batch. More is faster until memory ends; the queries are the same."""
    tries: int | None = None
    """Queries that may be run for a question until one says something; 1: no execution-guided decoding. Default: as in
    training."""
    show_sql: bool = False
    """Print each question with its query as readable SQL."""

    def __post_init__(self):
        check_at_least(self, batch_size=1, tries=1)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `questions`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.run, config.output_dir, TASK)
    skipped: Counter[str] = Counter()
    examples = read(config.input, config.tables or tables_of(config.input), labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"
    settings = trained.config["settings"]

    # TensorFlow loads here, so that mistakes in flags and files are answered at once.
    start_tensorflow()
    from common.encoders import load_encoder
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from model import build_networks
    from reading import Reader

    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    networks = build_networks(encoder, settings["head"], settings["reading_size"])
    load_best(trained, networks.training)
    reader = Reader(networks, encoder, settings["cells"], config.batch_size, config.tries or settings["tries"])
    queries = reader.read(examples)
    write_submission(output, queries)
    check_submission(output, examples)
    if config.show_sql:
        for example, query in zip(examples, queries):
            print(f"{' '.join(example.question.splitlines())}\n    {query.text(example.table.header)}")

    print(f"{output}: {len(examples)} questions, checked  (run {trained.path})")
    if skipped[BLANK_LINE]:
        print(f"{config.input}: {skipped[BLANK_LINE]} blank lines skipped")
    return {"output": output, "questions": len(examples)}


if __name__ == "__main__":
    run(main)
