"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_reading_comprehension/NAME --input test.json --output submission.json
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
from common.submission import atomic_write, json_bytes

from decode import Choice, Predictor, Settings
from features import Lengths
from task import TASK, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: an answer, cut from its context, for every question of the input."""

    input: Path = SAMPLE / "test.json"
    """Questions in the official format; answers, if there are any, are not looked at. Default: the bundled sample's
    test file."""
    output: Path | None = None
    """The submission. Default: submission.json in the run directory."""
    nbest: Path | None = None
    """Also write the candidates of every question, with probabilities and places, to this JSON file."""
    choice: Choice | None = None
    """Which candidate becomes the answer. Default: as in training."""
    length_penalty: float | None = None
    """By how much each character of an answer lowers the logarithm of its probability. Default: the one found in
    training."""
    prediction: PredictionOptions = field(default_factory=PredictionOptions)

    def __post_init__(self):
        check_at_least(self, length_penalty=0)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `questions`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    settings = trained.read_decoding(Settings, length_penalty=config.length_penalty, choice=config.choice)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from model import build_network

    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    network = build_network(encoder)
    load_best(trained, network)
    trained_with = trained.config["settings"]
    lengths = Lengths(trained_with["max_question_length"], trained_with["doc_stride"])
    predictor = Predictor(network, encoder, lengths, trained_with["max_answer_length"], config.prediction.batch_size)
    found = predictor.score(predictor.features(examples), [settings])
    answers = predictor.decode(examples, found, settings)

    write_submission(output, {example.id: answer for example, answer in zip(examples, answers)})
    check_submission(output, examples)
    if config.nbest:
        lists = {example.id: [one._asdict() for one in best] for example, best in zip(examples, found)}
        atomic_write(config.nbest, json_bytes(lists, indent=1) + b"\n")

    print(f"{output}: {len(examples)} questions, checked  (run {trained.path}, {described(settings)})")
    for reason, count in skipped.items():
        print(f"{config.input}: {count} x {reason}")
    return {"output": output, "questions": len(examples)}


if __name__ == "__main__":
    run(main)
