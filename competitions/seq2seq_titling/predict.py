"""From a run and a test file to a submission.

python predict.py --run runs/seq2seq_titling/NAME --input test.json --output submission.json
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError, check_above, check_at_least, parse_flags, run
from common.process import start_tensorflow
from common.runs.directory import open_trained_run, settings_from_json
from common.submission import BLANK_LINE, atomic_write, json_bytes

from options import WritingOptions
from search import Search
from task import TASK, check_submission, read, write_submission

SAMPLE = Path(__file__).resolve().with_name("sample")


@dataclass
class Config:
    """Write a submission: a title for every text of the input."""

    run: Path | None = None
    """Run directory. Default: the newest trained run of this task in --output-dir."""
    input: Path = SAMPLE / "test.json"
    """Texts in the official format; titles, if there are any, are not looked at. Default: the bundled sample's test
    file."""
    output: Path | None = None
    """The submission, zipped if its name ends in .zip. Default: submission.json in the run directory."""
    output_dir: Path = Path("runs")
    """Where to look for the newest run."""
    batch_size: int = 32
    """Texts per batch. More is faster until memory ends; the titles are the same."""
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
    candidates: Path | None = None
    """Also write all titles that were found for each text, best first, with their log-probabilities to this JSON file,
    or with --samples titles that are drawn."""
    samples: int = 0
    """Titles that are drawn for each text, for --candidates. The submission has the title that was searched for."""
    temperature: float = 1.0
    """Of the drawing: below 1 the probable gets more so."""
    top_k: int = 0
    """Draw each token of the most probable so many; 0: of all."""
    top_p: float = 1.0
    """Draw each token of the most probable ones that have this share of the probability together."""
    seed: int = 1
    """Of the drawing."""

    def __post_init__(self):
        check_at_least(
            self,
            batch_size=1,
            beam_width=1,
            min_length=0,
            no_repeat_ngram=0,
            votes=0,
            samples=0,
            top_k=0,
            length_penalty=0,
            seed=0,
        )
        check_above(self, temperature=0, top_p=0)
        if self.top_p > 1:
            raise UserError(f"--top-p {self.top_p}: must be at most 1")
        if self.samples and not self.candidates:
            raise UserError(f"--samples {self.samples}: they go to a file of their own - add --candidates FILE")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output` with the number of `texts`."""
    config = parse_flags(Config, argv)
    trained = open_trained_run(config.run, config.output_dir, TASK)
    skipped: Counter[str] = Counter()
    examples = read(config.input, labelled=False, skipped=skipped)
    output = config.output or trained.path / "submission.json"
    settings = trained.config["settings"]
    writing = settings_from_json(WritingOptions, settings["writing"], trained.path / "config.json")
    for flag in ("samples", "votes"):
        if getattr(config, flag) and writing.model == "bidirectional":
            raise UserError(
                f"--{flag} {getattr(config, flag)}: a bidirectional network has no single distribution to draw from - leave it out"
            )
    search = Search(**trained.read_json("search.json")).but(
        width=config.beam_width,
        length_penalty=config.length_penalty,
        min_length=config.min_length,
        no_repeat_ngram=config.no_repeat_ngram,
        votes=config.votes,
    )
    if search.min_length > settings["max_title_length"]:
        raise UserError(
            f"--min-length {search.min_length}: must be at most {settings['max_title_length']}, the --max-title-length of the run"
        )

    # TensorFlow loads here, so that mistakes in flags and files are answered at once.
    start_tensorflow()
    from common.encoders import load_encoder
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    from features import read_article
    from model import build_network
    from writing import Sampling, Writer

    set_precision(trained.mixed_precision)
    encoder = load_encoder(trained.path)
    network = build_network(encoder, writing)
    load_best(trained, network.training)
    writer = Writer(network, encoder, settings["max_title_length"], config.batch_size)
    articles = [read_article(example.text, encoder) for example in examples]
    found = writer.candidates(articles, search)
    unfinished = sum(not candidates[0].finished for candidates in found)
    write_submission(output, [candidates[0].title for candidates in found])
    check_submission(output, examples)
    if config.candidates:
        if config.samples:
            sampling = Sampling(config.samples, config.temperature, config.top_k, config.top_p, config.seed)
            found = writer.samples(articles, search, sampling)
        atomic_write(
            config.candidates,
            json_bytes([[one._asdict() for one in candidates] for candidates in found], indent=1) + b"\n",
        )

    print(
        f"{output}: {len(examples)} titles, {unfinished} of them cut at --max-title-length, checked  (run {trained.path})"
    )
    if skipped[BLANK_LINE]:
        print(f"{config.input}: {skipped[BLANK_LINE]} blank lines skipped")
    return {"output": output, "texts": len(examples)}


if __name__ == "__main__":
    run(main)
