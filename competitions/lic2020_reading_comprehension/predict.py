"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_reading_comprehension/NAME --input test.json --output submission.json
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import check_at_least, parse_flags, run
from common.process import start_tensorflow
from common.runs.directory import open_trained_run
from common.submission import atomic_write, json_bytes

from choice import Choice, choose
from task import TASK, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: an answer, cut from its context, for every question of the input."""

    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    input: Path = SAMPLE / "test.json"
    """Questions in the official format; answers, if there are any, are not looked at. Default: the bundled sample's
    test file."""
    output: Path | None = None
    """The submission. Default: submission.json in the run directory."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_size: int = 64
    """Windows per batch. More is faster until memory ends; the answers are the same."""
    nbest: Path | None = None
    """Also write the candidates of every question, with probabilities and places, to this JSON file."""
    choice: Choice | None = None
    """Which candidate becomes the answer. Default: as in training."""
    length_penalty: float | None = None
    """By how much each character of an answer lowers the logarithm of its probability. Default: the one found in
    training."""

    def __post_init__(self):
        check_at_least(self, batch_size=1, length_penalty=0)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `questions`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.run, config.output_dir, TASK)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"
    settings = trained.config["settings"]
    choice = config.choice or settings["choice"]
    penalty = (
        trained.read_json("reading.json")["length_penalty"] if config.length_penalty is None else config.length_penalty
    )

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
    write_submission(
        output, {example.id: choose(example.context, best, choice, penalty) for example, best in zip(examples, found)}
    )
    check_submission(output, examples)
    if config.nbest:
        atomic_write(
            config.nbest,
            json_bytes(
                {example.id: [one._asdict() for one in best] for example, best in zip(examples, found)}, indent=1
            )
            + b"\n",
        )

    print(f"{output}: {len(examples)} questions, checked  (run {trained.path})")
    for reason, count in skipped.items():
        print(f"{config.input}: {count} x {reason}")
    return {"output": output, "questions": len(examples)}


if __name__ == "__main__":
    run(main)
