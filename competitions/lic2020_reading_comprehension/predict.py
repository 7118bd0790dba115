"""From a run and a test file to a submission.

python predict.py --run runs/lic2020_reading_comprehension/NAME --input test.json --output submission.json
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from common.candidates import check_outputs, scores_file
from common.command_line import check_at_least, parse_flags, print_skipped, run
from common.dev_search import described
from common.encoders import Encoder
from common.options import PredictionOptions
from common.prediction import answered, open_network
from common.process import start_tensorflow
from common.runs.directory import Run, open_trained_run
from common.runs.values import Between
from common.shards import describe_shard, name_of, take_shard
from common.submission import valid_or_empty

from decode import Choice, Predictor, Settings, choose
from features import Lengths
from task import TASK, check_answer, check_name, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: an answer, cut from its context, for every question of the input."""

    input: Path = SAMPLE / "test.json"
    """Questions in the official format; answers, if there are any, are not looked at. Default: the bundled sample's
    test file."""
    output: Path | None = None
    """The submission. Default: submission.json in the run directory."""
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
    output = config.output or trained.file(name_of("submission.json", config.prediction))
    check_name(output)
    check_outputs(output, config.prediction.scores)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    examples = take_shard(examples, config.prediction, config.input)

    start_tensorflow()  # now that flags and files have been looked at
    predictor = open_predictor(trained, config.prediction)
    with scores_file(config.prediction.scores) as keep:
        parts = answered(predictor, examples, settings, lambda one, found: choose(one.context, found, settings), keep)
        answers = [answer for _, part in parts for answer in part]

    answers = valid_or_empty(answers, lambda answer, number: check_answer(answer, examples[number - 1]), "")
    write_submission(output, {example.id: answer for example, answer in zip(examples, answers)})
    check_submission(output, examples)
    describe_shard(output, len(examples), config.prediction, trained, config.input, settings)
    print(f"{output}: {len(examples)} questions, checked  (run {trained.path}, {described(settings)})")
    print_skipped(config.input, skipped)
    return {"output": output, "questions": len(examples)}


def untrained_network(trained: Run, encoder: Encoder) -> Any:
    """What a run was trained with, before its weights are loaded."""
    from model import build_network

    return build_network(encoder)


def open_predictor(trained: Run, options: PredictionOptions) -> Predictor:
    """What answers with the best weights of a run."""
    network, encoder = open_network(trained, options, untrained_network)
    return Predictor(network, encoder, *lengths_of(trained), options.batch_tokens)


def lengths_of(trained: Run) -> tuple[Lengths, int]:
    """What a run reads at once, and the longest answer that it finds, in tokens. Raises UserError."""
    tokens = Annotated[int, Between(1, 10**6)]
    question, answer = (trained.setting(name, tokens) for name in ("max_question_length", "max_answer_length"))
    return Lengths(question, trained.setting("doc_stride", tokens | None)), answer


if __name__ == "__main__":
    run(main)
