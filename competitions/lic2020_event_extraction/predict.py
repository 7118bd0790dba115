"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_event_extraction/NAME --input test.json --output submission.zip
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.candidates import Keep, check_outputs, scores_file
from common.command_line import check_at_least, parse_flags, print_skipped, run, warn
from common.dev_search import described
from common.encoders import Encoder
from common.options import PredictionOptions
from common.prediction import answered, open_network
from common.process import start_tensorflow
from common.runs.directory import Run, open_trained_run
from common.shards import describe_shard, name_of, take_shard
from common.submission import valid_or_empty

from decode import Predictor, Settings, choose
from features import BuiltWith, Classes, may_share
from task import TASK, Event, Example, Schema, check_record, check_submission, read, submission_record, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: one line for every text of the input, in its order."""

    input: Path = SAMPLE / "test.json"
    """Texts in the official format; labels, if there are any, are not looked at. Default: the bundled sample's test
    file."""
    output: Path | None = None
    """The submission; zipped when it ends in .zip. Default: submission.json in the run directory."""
    threshold: float | None = None
    """What a span must score more than its absence. Default: what training found."""
    prediction: PredictionOptions = field(default_factory=PredictionOptions)

    def __post_init__(self):
        check_at_least(self, threshold=-math.inf)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the numbers of `texts`, `events` and
    `arguments`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    settings = trained.read_decoding(Settings, threshold=config.threshold)
    schema = Schema.read(trained.file("event_schema.json"))
    output = config.output or trained.file(name_of("submission.json", config.prediction))
    check_outputs(output, config.prediction.scores)
    skipped: Counter[str] = Counter()
    examples = read(config.input, schema, labelled=False, skipped=skipped)
    examples = take_shard(examples, config.prediction, config.input)

    start_tensorflow()  # now that flags and files have been looked at
    predictor, found = open_predictor(trained, config.prediction), Counter()

    # Written as they come: kept until the end, they would be all that the memory grows with.
    with scores_file(config.prediction.scores) as keep:
        predictions = answers(examples, predictor, settings, schema, config.input, found, keep)
        write_submission(output, [example.id for example in examples], predictions, schema)
    check_submission(output, schema, examples)
    describe_shard(output, len(examples), config.prediction, trained, config.input, settings)
    events, arguments = found["events"], found["arguments"]
    print(
        f"{output}: {len(examples)} texts, {events} events with {arguments} arguments, checked  (run {trained.path}, {described(settings)})"
    )
    print_skipped(config.input, skipped)
    if not arguments:
        warn("nothing was predicted - lower the threshold, or train longer")
    return {"output": output, "texts": len(examples), "events": events, "arguments": arguments}


def untrained_network(trained: Run, encoder: Encoder) -> Any:
    """What a run was trained with, before its weights are loaded."""
    from model import build_network

    head, transition_multiplier, _ = trained.read_json("network.json", BuiltWith)
    return build_network(encoder, classes_of(trained), head, transition_multiplier)


def open_predictor(trained: Run, options: PredictionOptions) -> Predictor:
    """What answers with the best weights of a run."""
    network, encoder = open_network(trained, options, untrained_network)
    classes = classes_of(trained)
    return Predictor(network, encoder, classes, options.batch_tokens, allowed_of(trained, classes))


def classes_of(trained: Run) -> Classes:
    return Classes(Schema.read(trained.file("event_schema.json")))


def allowed_of(trained: Run, classes: Classes) -> np.ndarray | None:
    """Which classes one span may have at once, as training showed it."""
    shared = trained.read_json("network.json", BuiltWith).shared_roles
    return None if shared is None else may_share(shared, classes)


def answers(
    examples: Sequence[Example],
    predictor: Predictor,
    settings: Settings,
    schema: Schema,
    source: Path,
    found: Counter[str],
    keep: Keep | None = None,
) -> Iterator[list[Event]]:
    """The events of every text, in order, none in place of those that the judge would refuse. source: where the
    examples are from. found: counts the `events` and their `arguments`. keep: takes what they were chosen from."""
    choose_one = partial(choose, settings=settings, classes=Classes(schema))
    for part, predictions in answered(predictor, examples, settings, choose_one, keep):

        def check(events: list[Event], number: int) -> None:
            example = part[number - 1]
            record = submission_record(example.id, events, schema)
            check_record(record, schema, f"{source}:{example.line}", example.text)

        for events in valid_or_empty(predictions, check, []):
            found["events"] += len(events)
            found["arguments"] += sum(len(event.arguments) for event in events)
            yield events


if __name__ == "__main__":
    run(main)
