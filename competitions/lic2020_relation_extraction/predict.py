"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_relation_extraction/NAME --input test.json --output submission.zip
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, check_probability, parse_flags, run, warn
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import BLANK_LINE

from task import TASK, Schema, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: one line for every sentence of the input, in its order."""

    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    input: Path = SAMPLE / "test.json"
    """Sentences in the official format; labels, if there are any, are not looked at. Default: the bundled sample's test
    file."""
    output: Path | None = None
    """The submission; zipped when it ends in .zip. Default: submission.json in the run directory."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_size: int = 64
    """Sentences per batch. More is faster until memory ends; the answers are the same."""
    subject_threshold: float | None = None
    """Probability above which the start or end of a subject counts. Default: what training found."""
    object_threshold: float | None = None
    """Probability above which the start or end of an object counts. Default: what training found."""

    def __post_init__(self):
        check_at_least(self, batch_size=1)
        check_probability(self, "subject_threshold", "object_threshold")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the numbers of `sentences` and
    `triples`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.run, config.output_dir, TASK)
    schema = Schema.read(trained.path / "schema.json")
    skipped: Counter[str] = Counter()
    texts = [example.text for example in read(config.input, schema, labelled=False, skipped=skipped)]
    output = config.output or trained.path / "submission.json"
    found = trained.read_json("thresholds.json")

    # TensorFlow loads here, so that mistakes in flags and files are answered at once.
    start_tensorflow()
    from common.encoders import load_encoder
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from extraction import Extractor, Thresholds
    from model import build_networks

    given = {"subject": config.subject_threshold, "object": config.object_threshold}
    thresholds = Thresholds(**{name: found[name] if value is None else value for name, value in given.items()})
    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    networks = build_networks(encoder, len(schema.classes))
    load_best(trained, networks.training)
    predictions = Extractor(networks, encoder, schema, config.batch_size).extract(texts, thresholds)
    write_submission(output, texts, predictions, schema)
    check_submission(output, schema, texts)

    triples = sum(map(len, predictions))
    print(
        f"{output}: {len(texts)} sentences, {triples} triples, checked  (run {trained.path}, thresholds {thresholds.subject} and {thresholds.object})"
    )
    if skipped[BLANK_LINE]:
        print(f"{config.input}: {skipped[BLANK_LINE]} blank lines skipped")
    if texts and not triples:
        warn("nothing was predicted - lower the thresholds, or train longer")
    return {"output": output, "sentences": len(texts), "triples": triples}


if __name__ == "__main__":
    run(main)
