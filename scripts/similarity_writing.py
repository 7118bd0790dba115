"""`similar_questions.py generate`: write questions that mean the same as others.

python scripts/similar_questions.py generate --input QUESTIONS --output WRITTEN

Each line of WRITTEN is a JSON object: a question, and the nearest of those that were written for it with their cosines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from common.command_line import UserError, check_above, check_at_least, check_at_most, parse_flags, run
from common.new_folder import check_new
from common.process import start_tensorflow
from common.runs.directory import SIMILARITY, open_trained_run
from common.submission import json_bytes, read_lines, write_lines

_TOGETHER = 64


@dataclass
class Config:
    """Write questions that mean the same as others."""

    input: Path | None = None
    """File with a question on each line, packed or not."""
    output: Path | None = None
    """File to be made: for each question a JSON object on a line, with the nearest written ones and their cosines."""
    count: int = 20
    """So many are drawn for each question."""
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
    run: Path | None = None
    """Folder of a run of `train`. Default: the newest one in --output-dir."""
    output_dir: Path = Path("runs")
    """Folder of all runs."""

    def __post_init__(self):
        check_at_least(self, count=1, kept=1, least_cosine=-1, top_k=0, seed=0)
        check_above(self, top_p=0, temperature=0)
        check_at_most(self, top_p=1, least_cosine=1)
        for name in ("input", "output"):
            if getattr(self, name) is None:
                raise UserError(f"--{name}: is missing - see --help")


def main(argv: Sequence[str] | None = None) -> dict[str, int]:
    """Writes the file; returns how many `questions` were asked for and how many were `written`."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    trained = open_trained_run(config.run, config.output_dir, SIMILARITY)
    if trained.setting("loss", str) != "simbert":
        raise UserError(
            f"{trained.path}: has not learned to write (--loss {trained.setting('loss', str)}) - train with --loss simbert"
        )

    start_tensorflow()  # now that flags and files have been looked at
    from common.similarity.model import SimilarityNetwork

    figures = {"questions": 0, "written": 0}
    write_lines(config.output, answers(config, SimilarityNetwork.of(trained), figures), ".jsonl")
    print(f"{figures['written']:,} questions written for {figures['questions']:,}")
    print(f"written to {config.output}")
    return figures


def answers(config: Config, network: Any, figures: dict[str, int]) -> Iterator[bytes]:
    """The lines of the file."""
    from common.similarity.writing import Drawing, similar_questions

    drawing = Drawing(config.count, config.top_k, config.top_p, config.temperature, config.seed)
    texts = (line for _, line in read_lines(config.input))
    for together in iter(lambda: [*islice(texts, _TOGETHER)], []):
        found = similar_questions(network, together, drawing, figures["questions"])
        figures["questions"] += len(together)
        for text, candidates in zip(together, found):
            kept = [one for one in candidates[: config.kept] if one.cosine >= config.least_cosine]
            figures["written"] += len(kept)
            written = [{"text": one.text, "cosine": round(one.cosine, 4)} for one in kept]
            yield json_bytes({"text": text, "written": written})


if __name__ == "__main__":
    run(main)
