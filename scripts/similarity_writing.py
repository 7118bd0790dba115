"""`similar_questions.py generate`: write questions that mean the same as others.

python scripts/similar_questions.py generate --input QUESTIONS --output WRITTEN

Each line of WRITTEN is a JSON object: a question, and the nearest of those that were written for it with their cosines.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from common.command_line import UserError, check_above, check_at_least, check_at_most, check_given, parse_flags, run
from common.new_folder import check_new
from common.process import start_tensorflow
from common.runs.directory import SIMILARITY, Run, open_trained_run
from common.submission import json_bytes, read_lines, write_lines

_TOGETHER = 64


@dataclass
class DrawingOptions:
    count: int = 20
    """So many questions are drawn for each question."""
    kept: int = 5
    """So many of these are kept at most, without copies of the question and of each other: those with the largest
    cosines."""
    least_cosine: float = -1.0
    """Those with smaller cosines are not kept."""
    top_k: int = 0
    """Each token is one of so many most probable ones; 0: of all."""
    top_p: float = 0.95
    """Of these, of the fewest that have so much of the probability."""
    temperature: float = 1.0
    """Above 1 what is improbable is drawn more often, below it less often."""
    seed: int = 1
    """Decides what is drawn."""

    def __post_init__(self):
        check_at_least(self, count=1, kept=1, least_cosine=-1, top_k=0, seed=0)
        check_above(self, top_p=0, temperature=0)
        check_at_most(self, top_p=1, least_cosine=1)


@dataclass
class Config:
    """Write questions that mean the same as others."""

    input: Path | None = None
    """File with a question on each line, packed or not."""
    output: Path | None = None
    """File to be made: for each question a JSON object on a line, with the nearest written ones and their cosines."""
    drawing: DrawingOptions = field(default_factory=DrawingOptions)
    run: Path | None = None
    """Folder of a run of `train`. Default: the newest one in --output-dir."""
    output_dir: Path = Path("runs")
    """Folder of all runs."""

    def __post_init__(self):
        check_given(self, "input", "output")


def main(argv: Sequence[str] | None = None) -> dict[str, int]:
    """Writes the file; returns how many `questions` were asked for and how many were `written`."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    trained = open_writer(config.run, config.output_dir)

    start_tensorflow()  # now that flags and files have been looked at
    texts = (line for _, line in read_lines(config.input))
    figures = {"questions": 0, "written": 0}
    write_lines(config.output, answers(writings(trained, texts, config.drawing), figures), ".jsonl")
    print(f"{figures['written']:,} questions written for {figures['questions']:,}")
    print(f"written to {config.output}")
    return figures


def open_writer(path: Path | None, output_dir: Path) -> Run:
    """The run to write with. Raises UserError where there is none that has learned it."""
    trained = open_trained_run(path, output_dir, SIMILARITY)
    loss = trained.setting("loss", str)
    if loss != "simbert":
        raise UserError(
            f"{trained.path}: has not learned to write, with --loss {loss} - give a run with --loss simbert"
        )
    return trained


def writings(trained: Run, texts: Iterable[str], options: DrawingOptions) -> Iterator[tuple[str, list[Any]]]:
    """Each text with the candidates that are kept of it, nearest first."""
    from common.similarity.model import SimilarityNetwork
    from common.similarity.writing import Drawing, similar_questions

    network, number, texts = SimilarityNetwork.of(trained), 0, iter(texts)
    drawing = Drawing(options.count, options.top_k, options.top_p, options.temperature, options.seed)
    for together in iter(lambda: [*islice(texts, _TOGETHER)], []):
        for text, candidates in zip(together, similar_questions(network, together, drawing, number)):
            yield text, [one for one in candidates[: options.kept] if one.cosine >= options.least_cosine]
        number += len(together)


def answers(written: Iterable[tuple[str, list[Any]]], figures: dict[str, int]) -> Iterator[bytes]:
    """The lines of the file."""
    for text, candidates in written:
        figures["questions"] += 1
        figures["written"] += len(candidates)
        found = [{"text": one.text, "cosine": round(one.cosine, 4)} for one in candidates]
        yield json_bytes({"text": text, "written": found})


if __name__ == "__main__":
    run(main)
