"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_event_extraction/NAME --input test.json --output submission.zip
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, parse_flags, run, warn
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import BLANK_LINE

from task import TASK, Schema, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: one line for every text of the input, in its order."""

    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    input: Path = SAMPLE / "test.json"
    """Texts in the official format; labels, if there are any, are not looked at. Default: the bundled sample's test
    file."""
    output: Path | None = None
    """The submission; zipped when it ends in .zip. Default: submission.json in the run directory."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_size: int = 64
    """Texts per batch. More is faster until memory ends; the answers are the same."""
    threshold: float | None = None
    """What a span must score more than its absence. Default: what training found."""

    def __post_init__(self):
        check_at_least(self, batch_size=1, threshold=-math.inf)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the numbers of `texts`, `events` and
    `arguments`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.run, config.output_dir, TASK)
    schema = Schema.read(trained.path / "event_schema.json")
    skipped: Counter[str] = Counter()
    examples = read(config.input, schema, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"
    head = trained.read_json("head.json")
    threshold = head["threshold"] if config.threshold is None else config.threshold

    # TensorFlow loads here, so that mistakes in flags and files are answered at once.
    start_tensorflow()
    from common.encoders import load_encoder
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from extraction import Extractor
    from labels import Classes
    from model import build_networks

    set_precision(trained.mixed_precision)
    encoder, classes = load_encoder(trained.path), Classes(schema)
    networks = build_networks(encoder, classes, head["head"], head["transition_multiplier"])
    load_best(trained, networks.training)
    extractor = Extractor(networks, encoder, classes, config.batch_size)
    predictions = extractor.extract([example.text for example in examples], threshold)
    write_submission(output, [example.id for example in examples], predictions, schema)
    check_submission(output, schema, examples)

    events = sum(map(len, predictions))
    arguments = sum(len(event.arguments) for found in predictions for event in found)
    print(
        f"{output}: {len(examples)} texts, {events} events with {arguments} arguments, checked  (run {trained.path}, threshold {threshold})"
    )
    if skipped[BLANK_LINE]:
        print(f"{config.input}: {skipped[BLANK_LINE]} blank lines skipped")
    if examples and not arguments:
        warn("nothing was predicted - lower the threshold, or train longer")
    return {"output": output, "texts": len(examples), "events": events, "arguments": arguments}


if __name__ == "__main__":
    run(main)
