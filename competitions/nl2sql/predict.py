"""From a run and a test file to a submission.

python predict.py --run runs/nl2sql/NAME --input test.json --output submission.json
python predict.py --show-sql
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, parse_flags, run
from common.dev_search import described
from common.encoders import load_encoder
from common.options import PredictionOptions
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import BLANK_LINE

from decode import Predictor, Settings
from task import TASK, check_submission, read, tables_of, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: an SQL query, which can be executed, for every question of the input."""

    input: Path = SAMPLE / "test.json"
    """Questions in the official format; queries, if there are any, are not looked at. Default: the bundled sample's
    test file."""
    tables: Path | None = None
    """Their tables, or a folder with *tables.json files. Default: the file beside the questions, test.tables.json for
    test.json."""
    output: Path | None = None
    """The submission, zipped if its name ends in .zip. Default: submission.json in the run directory."""
    tries: int | None = None
    """Queries that may be run for a question until one says something; 1: no execution-guided decoding. Default: as in
    training."""
    show_sql: bool = False
    """Print each question with its query as readable SQL."""
    prediction: PredictionOptions = field(default_factory=PredictionOptions)

    def __post_init__(self):
        check_at_least(self, tries=1)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `questions`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    settings = trained.read_decoding(Settings, tries=config.tries)
    skipped: Counter[str] = Counter()
    examples = read(config.input, config.tables or tables_of(config.input), labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from model import build_network

    set_precision(trained.mixed_precision)
    encoder, flags = load_encoder(trained.path), trained.config["settings"]
    network = build_network(encoder, flags["head"], flags["reading_size"])
    load_best(trained, network)
    queries = Predictor(network, encoder, flags["cells"], config.prediction.batch_size)(examples, settings)

    write_submission(output, queries)
    check_submission(output, examples)
    if config.show_sql:
        for example, query in zip(examples, queries):
            print(f"{' '.join(example.question.splitlines())}\n    {query.text(example.table.header)}")

    print(f"{output}: {len(examples)} questions, checked  (run {trained.path}, {described(settings)})")
    if skipped[BLANK_LINE]:
        print(f"{config.input}: {skipped[BLANK_LINE]} blank lines skipped")
    return {"output": output, "questions": len(examples)}


if __name__ == "__main__":
    run(main)
