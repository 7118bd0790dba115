"""From a run and a test file to a submission.

python predict.py --run runs/webqa_dgcnn/NAME --input test.json --output submission.tsv
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, check_below_one, parse_flags, run
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import atomic_write, json_bytes

from task import TASK, check_submission, read, write_submission
from voting import Rules, vote

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: an answer, cut from one of its passages, for every question of the input."""

    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    input: Path = SAMPLE / "test.json"
    """Questions in the official format; answers, if there are any, are not looked at. Default: the bundled sample's
    test file."""
    output: Path | None = None
    """The submission, zipped if its name ends in .zip. Default: submission.tsv in the run directory."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_size: int = 64
    """Windows per batch. More is faster until memory ends; the answers are the same."""
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

    def __post_init__(self):
        check_at_least(self, batch_size=1, exponent=0)
        check_below_one(self, "threshold")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `questions`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.run, config.output_dir, TASK)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.tsv"
    settings = trained.config["settings"]
    rules = Rules(**trained.read_json("voting.json")).but(config.threshold, config.exponent)

    # TensorFlow loads here, so that mistakes in flags and files are answered at once.
    start_tensorflow()
    from common.encoders import load_encoder
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from model import Lengths, build_networks
    from reading import Reader

    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    networks = build_networks(encoder)
    load_best(trained, networks.training)
    lengths = Lengths(settings["max_question_length"], settings["doc_stride"])
    reader = Reader(networks, encoder, lengths, settings["max_answer_length"], batch_size=config.batch_size)
    found = reader.read(examples)
    answers = [vote(candidates, rules, config.allow_empty) for candidates in found]
    write_submission(output, [example.id for example in examples], answers)
    check_submission(output, examples)
    if config.candidates:
        listed = {example.id: [one._asdict() for one in candidates] for example, candidates in zip(examples, found)}
        atomic_write(config.candidates, json_bytes(listed, indent=1) + b"\n")

    print(
        f"{output}: {len(examples)} questions, {answers.count('')} of them with an empty answer, checked  (run {trained.path})"
    )
    for reason, count in skipped.items():
        print(f"{config.input}: {count} x {reason}")
    return {"output": output, "questions": len(examples)}


if __name__ == "__main__":
    run(main)
