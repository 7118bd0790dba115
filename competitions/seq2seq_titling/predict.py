"""From a run and a test file to a submission.

python predict.py --run runs/seq2seq_titling/NAME --input test.json --output submission.json
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from common.candidates import check_outputs, scores_file
from common.command_line import UserError, check_above, check_at_least, parse_flags, print_skipped, run
from common.dev_search import described
from common.encoders import Encoder
from common.options import PredictionOptions
from common.prediction import open_network, rounds
from common.process import start_tensorflow
from common.runs.directory import Run, open_trained_run
from common.runs.values import Between
from common.shards import describe_shard, name_of, take_shard

from decode import BATCH_TOKENS, Candidate, Predictor, Settings
from features import WritingOptions
from task import LONGEST_TITLE, TASK, Example, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: a title for every text of the input."""

    input: Path = SAMPLE / "test.json"
    """Texts in the official format; titles, if there are any, are not looked at. Default: the bundled sample's test
    file."""
    output: Path | None = None
    """The submission, zipped if its name ends in .zip. Default: submission.json in the run directory."""
    beam_width: int | None = None
    """Hypotheses that are followed at once; 1 is greedy search. Default: what train.py found best on dev."""
    length_penalty: float | None = None
    """The exponent of the length that log-probabilities are divided by: the higher, the longer the titles. Default:
    what train.py found best on dev."""
    min_length: int | None = None
    """Fewest tokens of a title. Default: 1."""
    no_repeat_ngram: int | None = None
    """No so many tokens in a row stand twice in a title; 0 allows it. Default: 0."""
    votes: int | None = None
    """Titles that are drawn for each text: the one that is most like all of them and the beam's wins. 0: the most
    probable. Default: what train.py found best on dev."""
    samples: int = 0
    """Titles that are drawn for each text: --scores has them in place of those that were searched for. The submission
    has the title that was searched for."""
    temperature: float = 1.0
    """Of the drawing: below 1 the probable gets more so."""
    top_k: int = 0
    """Draw each token of the most probable so many; 0: of all."""
    top_p: float = 1.0
    """Draw each token of the most probable ones that have this share of the probability together."""
    seed: int = 1
    """Of the drawing."""
    prediction: PredictionOptions = field(default_factory=lambda: PredictionOptions(batch_tokens=BATCH_TOKENS))

    def __post_init__(self):
        check_at_least(self, beam_width=1, min_length=0, no_repeat_ngram=0, votes=0, samples=0)
        check_at_least(self, top_k=0, length_penalty=0, seed=0)
        check_above(self, temperature=0, top_p=0)
        if self.top_p > 1:
            raise UserError(f"--top-p {self.top_p}: must be at most 1")
        if self.samples and not self.prediction.scores:
            raise UserError(f"--samples {self.samples}: they go to a file of their own - add --scores FILE")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `texts`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.prediction.run, config.prediction.output_dir, TASK)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    examples = take_shard(examples, config.prediction, config.input)
    settings = settings_of(trained, config)
    output = config.output or trained.file(name_of("submission.json", config.prediction))
    check_outputs(output, config.prediction.scores)

    start_tensorflow()  # now that flags and files have been looked at
    predictor = open_predictor(trained, config.prediction)
    chosen = []
    with scores_file(config.prediction.scores) as keep:
        for example, (best, found) in zip(examples, titles_of(examples, predictor, settings, config)):
            chosen.append(best)
            if keep:
                keep([example], [found])

    write_submission(output, [one.title for one in chosen])
    check_submission(output, examples)
    describe_shard(output, len(examples), config.prediction, trained, config.input, settings)
    unfinished = sum(not one.finished for one in chosen)
    print(
        f"{output}: {len(examples)} titles, {unfinished} of them cut at --max-title-length, checked  (run {trained.path}, {described(settings)})"
    )
    print_skipped(config.input, skipped)
    if cut := sum(one.cut for one in chosen):
        print_skipped(output, {f"title of more than {LONGEST_TITLE} characters: cut": cut})
    return {"output": output, "texts": len(examples)}


def untrained_network(trained: Run, encoder: Encoder) -> Any:
    """What a run was trained with, before its weights are loaded."""
    from model import build_network

    return build_network(encoder, trained.setting("writing", WritingOptions))


def open_predictor(trained: Run, options: PredictionOptions) -> Predictor:
    """What answers with the best weights of a run."""
    network, encoder = open_network(trained, options, untrained_network)
    return Predictor(network, encoder, longest_of(trained), options.batch_tokens)


def titles_of(
    examples: Sequence[Example], predictor: Predictor, settings: Settings, config: Config
) -> Iterator[tuple[Candidate, list[Candidate]]]:
    """For each text the title that was searched for, and the titles for --scores."""
    for some in rounds(examples):
        articles = predictor.features(some)
        found = predictor.score(articles, [settings])[settings]
        best = [candidates[0] for candidates in found]
        if config.samples:
            drawing = config.temperature, config.top_k, config.top_p, config.seed
            found = predictor.samples(articles, settings, config.samples, *drawing)
        yield from zip(best, found)


def longest_of(trained: Run) -> int:
    """How long a title may be, in tokens."""
    return trained.setting("max_title_length", Annotated[int, Between(1, 10**4)])


def settings_of(trained: Run, config: Config) -> Settings:
    """How titles are searched for. Raises UserError for flags that do not fit the run."""
    writing, longest = trained.setting("writing", WritingOptions), longest_of(trained)
    for flag in ("samples", "votes"):
        if getattr(config, flag) and writing.model == "bidirectional":
            raise UserError(
                f"--{flag} {getattr(config, flag)}: a bidirectional network has no single distribution to draw from - leave it out"
            )
    flags = ("beam_width", "length_penalty", "min_length", "no_repeat_ngram", "votes")
    settings = trained.read_decoding(Settings, **{name: getattr(config, name) for name in flags})
    if settings.min_length > longest:
        raise UserError(
            f"--min-length {settings.min_length}: must be at most {longest}, the --max-title-length of the run"
        )
    return settings


if __name__ == "__main__":
    run(main)
