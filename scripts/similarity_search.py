"""`similar_questions.py retrieve`: find the questions that are most like others.

python scripts/similar_questions.py retrieve --index INDEX --questions QUESTIONS --input MORE --output FOUND
python scripts/similar_questions.py retrieve --index INDEX --input MORE --output FOUND       # the index is there

Each line of FOUND is a JSON object: a text of MORE, and the nearest questions with their cosines.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from common.command_line import UserError, check_at_least, check_given, parse_flags, run
from common.new_folder import check_new, new_folder
from common.process import start_tensorflow
from common.similarity.search import Index, write_index
from common.submission import json_bytes, read_lines, write_lines

from similarity_networks import NetworkOptions

_TOGETHER = 1000


@dataclass
class Config:
    """Find the questions that are most like others."""

    index: Path | None = None
    """Folder of vectors of the questions. Where it is not there yet, it is made of --questions."""
    questions: Path | None = None
    """File with a question on each line, of which the index is made."""
    input: Path | None = None
    """File with a text on each line, packed or not, for which questions are to be found."""
    output: Path | None = None
    """File to be made: for each text a JSON object on a line, with the nearest questions and their cosines."""
    nearest: int = 10
    """So many are found."""
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self):
        check_at_least(self, nearest=1)
        check_given(self, "index", "input", "output")


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Writes the index, if it is not there, and the file; returns how many `questions` there are, how many `texts` were
    asked for, and the `seconds` of reading and of searching them."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    is_new = not config.index.exists()
    if is_new:
        if config.questions is None:
            raise UserError(f"--index {config.index}: is not there - give --questions, of which it is to be made")
        check_new(config.index)
    elif config.questions is not None:
        raise UserError(f"--index {config.index}: is there already - leave out --questions, or name another folder")
    name = config.network.check()

    start_tensorflow()  # now that flags and files have been looked at
    network = config.network.open()
    made_by = network.fingerprint
    if is_new:
        questions = (line for _, line in read_lines(config.questions))
        with new_folder(config.index) as folder:
            write_index(folder, questions, network.vectors_of, made_by)
    index = Index(config.index)
    if index.about.made_by != made_by:
        raise UserError(f"--index {config.index}: was made by other weights than those of {name} - make it anew")
    print(f"questions {len(index):,}")
    figures = {"questions": len(index), "texts": 0, "seconds": 0.0}
    write_lines(config.output, answers(config, network, index, figures), ".jsonl")
    print(f"found     the {config.nearest} nearest of {figures['texts']:,} texts in {figures['seconds']:.1f} s")
    print(f"written to {config.output}")
    return figures


def answers(config: Config, network: Any, index: Index, figures: dict[str, float]) -> Iterator[bytes]:
    """The lines of the file."""
    texts = (line for _, line in read_lines(config.input))
    for together in iter(lambda: [*islice(texts, _TOGETHER)], []):
        begun = time.perf_counter()
        found = [*index.nearest(network.vectors_of(together), config.nearest)]
        figures["seconds"] += time.perf_counter() - begun
        figures["texts"] += len(together)
        for text, (places, cosines) in zip(together, found):
            nearest = [
                {"text": index.text(place), "cosine": round(float(cosine), 4)} for place, cosine in zip(places, cosines)
            ]
            yield json_bytes({"text": text, "nearest": nearest})


if __name__ == "__main__":
    run(main)
