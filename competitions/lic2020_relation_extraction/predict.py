"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_relation_extraction/NAME --input test.json --output submission.zip
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from common.candidates import Keep, check_outputs, scores_file
from common.command_line import check_probability, parse_flags, print_skipped, run, warn
from common.dev_search import described
from common.encoders import Encoder
from common.options import PredictionOptions
from common.prediction import answered, open_network
from common.process import start_tensorflow
from common.runs.directory import Run, open_trained_run
from common.shards import describe_shard, name_of, take_shard
from common.submission import valid_or_empty

from decode import Predictor, Settings, choose
from features import Head
from task import (
    TASK,
    Example,
    Schema,
    Triple,
    check_record,
    check_submission,
    read,
    submission_record,
    write_submission,
)

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: one line for every sentence of the input, in its order."""

    input: Path = SAMPLE / "test.json"
    """Sentences in the official format; labels, if there are any, are not looked at. Default: the bundled sample's test
    file."""
    output: Path | None = None
    """The submission; zipped when it ends in .zip. Default: submission.json in the run directory."""
    subject_threshold: float | None = None
    """Probability above which the start or end of a subject counts; with gplinker, a subject or an object. Default: what
    training found."""
    object_threshold: float | None = None
    """Probability above which the start or end of an object counts; with gplinker, a link of a subject and an object.
    Default: what training found."""
    prediction: PredictionOptions = field(default_factory=PredictionOptions)

    def __post_init__(self):
        check_probability(self, "subject_threshold", "object_threshold")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the numbers of `sentences` and
    `triples`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    settings = trained.read_decoding(
        Settings, subject_threshold=config.subject_threshold, object_threshold=config.object_threshold
    )
    schema = Schema.read(trained.file("schema.json"))
    output = config.output or trained.file(name_of("submission.json", config.prediction))
    check_outputs(output, config.prediction.scores)
    skipped: Counter[str] = Counter()
    examples = read(config.input, schema, labelled=False, skipped=skipped)
    examples = take_shard(examples, config.prediction, config.input)

    start_tensorflow()  # now that flags and files have been looked at
    predictor = open_predictor(trained, config.prediction)

    # Written as they come: kept until the end, they would be all that the memory grows with.
    texts, found = [example.text for example in examples], Counter()
    with scores_file(config.prediction.scores) as keep:
        write_submission(output, texts, answers(examples, predictor, settings, config.input, found, keep), schema)
    check_submission(output, schema, texts)
    describe_shard(output, len(examples), config.prediction, trained, config.input, settings)
    triples = found["triples"]
    print(f"{output}: {len(texts)} sentences, {triples} triples, checked  (run {trained.path}, {described(settings)})")
    print_skipped(config.input, skipped)
    if not triples:
        warn("nothing was predicted - lower the thresholds, or train longer")
    return {"output": output, "sentences": len(texts), "triples": triples}


def untrained_network(trained: Run, encoder: Encoder) -> Any:
    """What a run was trained with, before its weights are loaded."""
    from model import build_network

    return build_network(encoder, len(Schema.read(trained.file("schema.json")).classes), head_of(trained))


def head_of(trained: Run) -> Head:
    """That of a run; of one from before there was a choice, half-pointers. Raises UserError."""
    return trained.setting("head", Head) if "head" in trained.config["settings"] else "half_pointer"


def open_predictor(trained: Run, options: PredictionOptions) -> Predictor:
    """What answers with the best weights of a run."""
    network, encoder = open_network(trained, options, untrained_network)
    return Predictor(network, encoder, Schema.read(trained.file("schema.json")), options.batch_tokens)


def answers(
    examples: Sequence[Example],
    predictor: Predictor,
    settings: Settings,
    source: Path,
    found: Counter[str],
    keep: Keep | None = None,
) -> Iterator[list[Triple]]:
    """The triples of every sentence, in order, none in place of those that the judge would refuse. source: where the
    examples are from. found: counts the `triples`. keep: takes what they were chosen from."""
    schema = predictor.schema
    choose_one = partial(choose, settings=settings, schema=schema, nests=predictor.nests)
    for part, predictions in answered(predictor, examples, settings, choose_one, keep):

        def check(triples: list[Triple], number: int) -> None:
            example = part[number - 1]
            check_record(submission_record(example.text, triples, schema), schema, f"{source}:{example.line}")

        for triples in valid_or_empty(predictions, check, []):
            found["triples"] += len(triples)
            yield triples


if __name__ == "__main__":
    run(main)
