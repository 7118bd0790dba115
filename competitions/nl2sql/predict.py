"""From a run and a test file to a submission.

python predict.py --run runs/nl2sql/NAME --input test.json --output submission.json
python predict.py --show-sql
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from common.candidates import Keep, check_outputs, scores_file
from common.command_line import check_above, check_at_least, parse_flags, print_skipped, printable, run, warn
from common.dev_search import described
from common.encoders import Encoder
from common.options import PredictionOptions
from common.prediction import answered, open_network
from common.process import start_tensorflow
from common.runs.directory import Run, open_trained_run
from common.runs.values import Between
from common.shards import describe_shard, name_of, take_shard
from common.submission import valid_or_empty

from decode import Considered, Predictor, Settings, write_query
from execution import Budget
from features import BuiltWith
from task import (
    TASK,
    Condition,
    Example,
    Query,
    Selected,
    check_record,
    check_submission,
    read,
    tables_of,
    write_submission,
)

SAMPLE = Path(__file__).resolve().with_name("sample")
# What is submitted in place of a query that the judge would refuse: it asks nothing, of any table.
NO_ANSWER = Query((Selected(0, 0),), 0, (Condition(0, 2, ""),))


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
    """The most probable queries that are looked at for a question until one says something; 1: no execution-guided
    decoding. Default: as in training."""
    query_seconds: float = 30
    """CPU seconds that all queries which are tried may take together; after that each may take 0.01, and a question of
    which one is slow gets its most probable one."""
    show_sql: bool = False
    """Print each question with its query as readable SQL."""
    prediction: PredictionOptions = field(default_factory=PredictionOptions)

    def __post_init__(self):
        check_at_least(self, tries=1)
        check_above(self, query_seconds=0)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `questions`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    settings = trained.read_decoding(Settings, tries=config.tries)
    *_, unconditioned = built_with(trained)  # looked at before anything is loaded
    output = config.output or trained.file(name_of("submission.json", config.prediction))
    check_outputs(output, config.prediction.scores)
    skipped: Counter[str] = Counter()
    examples = read(config.input, config.tables or tables_of(config.input), labelled=False, skipped=skipped)
    examples = take_shard(examples, config.prediction, config.input)

    start_tensorflow()  # now that flags and files have been looked at
    budget = Budget(config.query_seconds)
    predictor = open_predictor(trained, config.prediction, budget)
    with scores_file(config.prediction.scores) as keep:
        queries = list(answers(examples, predictor, settings, config.input, keep))

    write_submission(output, queries)
    check_submission(output, examples, unconditioned)
    describe_shard(output, len(examples), config.prediction, trained, config.input, settings)
    if config.show_sql:
        for example, query in zip(examples, queries):
            print(printable(" ".join(example.question.splitlines())))
            print(f"    {printable(query.text(example.table.header))}")

    print(f"{output}: {len(examples)} questions, checked  (run {trained.path}, {described(settings)})")
    print_skipped(config.input, skipped)
    if budget.stopped:
        warn(
            f"{budget.stopped} queries were stopped for their time, and their questions have the most probable ones - see --query-seconds"
        )
    return {"output": output, "questions": len(examples)}


def untrained_network(trained: Run, encoder: Encoder) -> Any:
    """What a run was trained with, before its weights are loaded."""
    from model import build_network

    head, reading_size, _, unconditioned = built_with(trained)
    return build_network(encoder, head, reading_size, unconditioned)


def open_predictor(trained: Run, options: PredictionOptions, budget: Budget | None = None) -> Predictor:
    """What answers with the best weights of a run. budget: of the queries that are tried."""
    network, encoder = open_network(trained, options, untrained_network)
    _, _, cells, _ = built_with(trained)
    return Predictor(network, encoder, cells, options.batch_tokens, budget)


def built_with(trained: Run) -> tuple[str, int, int, bool]:
    """The head of a run, the size of what reads a column, how many cells of it are read, and whether a query may have no
    condition. Raises UserError."""
    head = trained.setting("head", Literal["span_column", "tagging"])
    reading_size = trained.setting("reading_size", Annotated[int, Between(1, 4096)])
    cells = trained.setting("cells", Annotated[int, Between(0, 10**6)])
    return head, reading_size, cells, trained.read_json("network.json", BuiltWith).unconditioned


def answers(
    examples: Sequence[Example], predictor: Predictor, settings: Settings, source: Path, keep: Keep | None = None
) -> Iterator[Query]:
    """The query for every question, in order. source: where the examples are from. keep: takes what they were chosen
    from."""

    def choose(example: Example, found: Considered) -> Query:
        return write_query(example, found.scores, settings, predictor.budget)

    for part, predictions in answered(predictor, examples, settings, choose, keep):

        def check(query: Query, number: int) -> None:
            example = part[number - 1]
            check_record(query.record(), example.table, f"{source}:{example.line}", predictor.unconditioned)

        yield from valid_or_empty(predictions, check, NO_ANSWER)


if __name__ == "__main__":
    run(main)
