"""From a run and a test file to a submission.

python predict.py --run runs/ccks2019_entity_linking/NAME --input test.json --output submission.json
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from common.candidates import Keep, check_outputs, scores_file
from common.command_line import check_probability, parse_flags, print_skipped, run, warn
from common.dev_search import described
from common.encoders import Encoder
from common.options import PredictionOptions
from common.prediction import answered, open_network
from common.process import start_tensorflow
from common.runs.directory import Run, open_trained_run
from common.runs.values import Between
from common.shards import describe_shard, name_of, take_shard
from common.submission import valid_or_empty

from decode import Predictor, Settings, choose
from features import PairReader
from knowledge_base import INDEX_NAME, KnowledgeBase
from metric import links
from priors import Priors
from task import TASK, Example, Mention, check_mentions, check_submission, read, write_submission

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
    """How probable a mention of an entity must be. Default: what training found."""
    prediction: PredictionOptions = field(default_factory=PredictionOptions)

    def __post_init__(self):
        check_probability(self, "threshold")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the numbers of `texts`, `mentions` and
    `linked` ones."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    settings = trained.read_decoding(Settings, threshold=config.threshold)
    output = config.output or trained.file(name_of("submission.json", config.prediction))
    check_outputs(output, config.prediction.scores)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    examples = take_shard(examples, config.prediction, config.input)

    start_tensorflow()  # now that flags and files have been looked at
    predictor = open_predictor(trained, config.prediction)
    with scores_file(config.prediction.scores) as keep:
        predictions = answers(examples, predictor, settings, config.input, keep)
        write_submission(output, examples, predictions)
    check_submission(output, examples, predictor.read_pair.knowledge_base)
    describe_shard(output, len(examples), config.prediction, trained, config.input, settings)

    mentions, linked = sum(map(len, predictions)), sum(len(links(found)) for found in predictions)
    print(
        f"{output}: {len(examples)} texts, {mentions} mentions, {linked} of them linked, checked  (run {trained.path}, {described(settings)})"
    )
    print_skipped(config.input, skipped)
    if not linked:
        warn("nothing was linked - lower the threshold, or train longer")
    return {"output": output, "texts": len(examples), "mentions": mentions, "linked": linked}


def untrained_network(trained: Run, encoder: Encoder) -> Any:
    """What a run was trained with, before its weights are loaded."""
    from model import build_network

    return build_network(encoder)


def open_predictor(trained: Run, options: PredictionOptions) -> Predictor:
    """What answers with the best weights of a run."""
    network, encoder = open_network(trained, options, untrained_network)
    description_length = trained.setting("description_length", Annotated[int, Between(1, 2**31)])
    base = KnowledgeBase(trained.file(INDEX_NAME))
    read_pair = PairReader(encoder, base, description_length, remembered=0)  # hardly one comes twice
    return Predictor(network, read_pair, Priors.read(trained), options.batch_tokens)


def answers(
    examples: Sequence[Example], predictor: Predictor, settings: Settings, source: Path, keep: Keep | None = None
) -> list[list[Mention]]:
    """The mentions of every text, in order, none in place of those that the judge would refuse. source: where the
    examples are from. keep: takes what they were chosen from."""
    parts = answered(predictor, examples, settings, partial(choose, settings=settings), keep)
    predictions = [mentions for _, part in parts for mentions in part]

    def check(mentions: list[Mention], number: int) -> None:
        example = examples[number - 1]
        check_mentions(mentions, example.text, predictor.read_pair.knowledge_base, f"{source}:{example.line}")

    return valid_or_empty(predictions, check, [])


if __name__ == "__main__":
    run(main)
