"""`similar_questions.py generate`: write questions that mean the same as others.

python scripts/similar_questions.py generate --input QUESTIONS --output WRITTEN

Each line of WRITTEN is a JSON object: a question, and the nearest of those that were written for it with their cosines.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from common.command_line import check_given, parse_flags, run
from common.new_folder import check_new
from common.process import start_tensorflow
from common.similarity.drawing import Drawing
from common.submission import json_bytes, read_lines, write_lines

from similarity_networks import NetworkOptions

if TYPE_CHECKING:
    from common.similarity.model import SimilarityNetwork
    from common.similarity.writing import Candidate

_TOGETHER = 64


@dataclass
class Config:
    """Write questions that mean the same as others."""

    input: Path | None = None
    """File with a question on each line, packed or not."""
    output: Path | None = None
    """File to be made: for each question a JSON object on a line, with the nearest written ones and their cosines."""
    drawing: Drawing = field(default_factory=Drawing)
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self):
        check_given(self, "input", "output")


def main(argv: Sequence[str] | None = None) -> dict[str, int]:
    """Writes the file; returns how many `questions` were asked for and how many were `written`."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    config.network.check(writes=True)

    start_tensorflow()  # now that flags and files have been looked at
    texts = (line for _, line in read_lines(config.input))
    figures = {"questions": 0, "written": 0}
    written = writings(config.network.open(writes=True), texts, config.drawing)
    write_lines(config.output, answers(written, figures), ".jsonl")
    print(f"{figures['written']:,} questions written for {figures['questions']:,}")
    print(f"written to {config.output}")
    return figures


def writings(
    network: "SimilarityNetwork", texts: Iterable[str], drawing: Drawing
) -> Iterator[tuple[str, list["Candidate"]]]:
    """Each text with the candidates that are kept of it, nearest first."""
    from common.similarity.writing import similar_questions

    number, texts = 0, iter(texts)
    for together in iter(lambda: [*islice(texts, _TOGETHER)], []):
        yield from zip(together, similar_questions(network, together, drawing, number))
        number += len(together)


def answers(written: Iterable[tuple[str, list["Candidate"]]], figures: dict[str, int]) -> Iterator[bytes]:
    """The lines of the file."""
    for text, candidates in written:
        figures["questions"] += 1
        figures["written"] += len(candidates)
        found = [{"text": one.text, "cosine": round(one.cosine, 4)} for one in candidates]
        yield json_bytes({"text": text, "written": found})


if __name__ == "__main__":
    run(main)
