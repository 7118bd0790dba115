"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_relation_extraction/NAME --input test.json --output submission.zip
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.command_line import check_probability, parse_flags, run, warn
from common.dev_search import described
from common.encoders import load_encoder
from common.options import PredictionOptions
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import BLANK_LINE

from decode import Predictor, Settings
from task import TASK, Schema, check_submission, read, write_submission

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
    """Probability above which the start or end of a subject counts. Default: what training found."""
    object_threshold: float | None = None
    """Probability above which the start or end of an object counts. Default: what training found."""
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
    schema = Schema.read(trained.path / "schema.json")
    skipped: Counter[str] = Counter()
    examples = read(config.input, schema, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from model import build_network

    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    network = build_network(encoder, len(schema.classes))
    load_best(trained, network.training)
    predictions = Predictor(network, encoder, schema, config.prediction.batch_size)(examples, settings)

    texts = [example.text for example in examples]
    write_submission(output, texts, predictions, schema)
    check_submission(output, schema, texts)
    triples = sum(map(len, predictions))
    print(f"{output}: {len(texts)} sentences, {triples} triples, checked  (run {trained.path}, {described(settings)})")
    if skipped[BLANK_LINE]:
        print(f"{config.input}: {skipped[BLANK_LINE]} blank lines skipped")
    if texts and not triples:
        warn("nothing was predicted - lower the thresholds, or train longer")
    return {"output": output, "sentences": len(texts), "triples": triples}


if __name__ == "__main__":
    run(main)
