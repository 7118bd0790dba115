"""From a run and a test file to a submission.

python predict.py --run runs/webqa_dgcnn/NAME --input test.json --output submission.tsv
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, check_below_one, parse_flags, run
from common.encoders import load_encoder
from common.options import PredictionOptions
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import atomic_write, json_bytes

from decode import Predictor, Settings, vote
from features import Lengths
from task import TASK, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: an answer, cut from one of its passages, for every question of the input."""

    input: Path = SAMPLE / "test.json"
    """Questions in the official format; answers, if there are any, are not looked at. Default: the bundled sample's
    test file."""
    output: Path | None = None
    """The submission, zipped if its name ends in .zip. Default: submission.tsv in the run directory."""
    candidates: Path | None = None
    """Also write the candidates of every question, with passages, places and probabilities, to this JSON file."""
    threshold: float | None = None
    """Only candidates that begin and end with higher probabilities than this may vote. Default: the one found in
    training."""
    exponent: float | None = None
    """Of a vote: the higher, the more a sure passage outweighs several unsure ones. Default: the one found in
    training."""
    allow_empty: bool = False
    """Leave a question without any candidate above the threshold unanswered. Otherwise all its candidates vote: an
    empty answer is worth nothing."""
    prediction: PredictionOptions = field(default_factory=PredictionOptions)

    def __post_init__(self):
        check_at_least(self, exponent=0)
        check_below_one(self, "threshold")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `questions`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    settings = trained.read_decoding(Settings, threshold=config.threshold, exponent=config.exponent)
    flags = trained.config["settings"]
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.tsv"

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from model import build_network

    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    network = build_network(encoder)
    load_best(trained, network)
    lengths = Lengths(flags["max_question_length"], flags["doc_stride"])
    predictor = Predictor(network, encoder, lengths, flags["max_answer_length"], config.prediction.batch_size)
    found = predictor.score(predictor.features(examples), [settings])
    answers = [vote(candidates, settings, config.allow_empty) for candidates in found]

    write_submission(output, [example.id for example in examples], answers)
    check_submission(output, examples)
    if config.candidates:
        listed = {example.id: [one._asdict() for one in candidates] for example, candidates in zip(examples, found)}
        atomic_write(config.candidates, json_bytes(listed, indent=1) + b"\n")
    empty = answers.count("")
    print(f"{output}: {len(examples)} questions, {empty} of them with an empty answer, checked  (run {trained.path})")
    for reason, count in skipped.items():
        print(f"{config.input}: {count} x {reason}")
    return {"output": output, "questions": len(examples)}


if __name__ == "__main__":
    run(main)
