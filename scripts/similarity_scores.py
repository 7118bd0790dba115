"""`similar_questions.py score`: how well a run tells which questions are alike, beside ways that need no training.

python scripts/similar_questions.py score --pairs PAIRS --word-vectors VECTORS
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from common.command_line import UserError, parse_flags, run, table
from common.process import start_tensorflow
from common.similarity.baselines import bm25, mean_vectors
from common.similarity.questions import Pair, read_scored_pairs
from common.similarity.scores import pair_score

from hash_scores import words_of
from similarity_networks import NetworkOptions


@dataclass
class Config:
    """See how well a run tells which questions are alike, beside ways that need no training."""

    pairs: tuple[Path, ...] = ()
    """Files of pairs with labels or scores, in any form that `train` reads."""
    word_vectors: Path | None = None
    """Word vectors in word2vec's text or binary format, whose means are scored beside."""
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self):
        if not self.pairs:
            raise UserError("--pairs: is missing - name files of pairs with labels or scores")


def main(argv: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Prints a row for each way, and a column for each file; returns the scores by way and file."""
    config = parse_flags(Config, argv)
    files = {path: read_scored_pairs(path) for path in config.pairs}
    name = config.network.check()

    start_tensorflow()  # now that flags and files have been looked at
    network = config.network.open()
    ways: dict[str, Callable[[Sequence[Pair]], np.ndarray]] = {
        name: lambda pairs: _cosines(*(network.vectors_of(side) for side in _sides(pairs))),
        "BM25": lambda pairs: bm25(*_words(pairs)),
    }
    if config.word_vectors:
        ways["mean word vectors"] = lambda pairs: _cosines(*mean_vectors(config.word_vectors, *_words(pairs)))
    scores = {
        name: {str(path): pair_score(pairs, likeness(pairs)) for path, pairs in files.items()}
        for name, likeness in ways.items()
    }
    header = [
        f"{path.parent.name}/{path.name}, {'area' if pairs[0].is_label else 'Spearman'}"
        for path, pairs in files.items()
    ]
    print(table(["", *header], [[name, *of_files.values()] for name, of_files in scores.items()]))
    return scores


def _sides(pairs: Sequence[Pair]) -> list[list[str]]:
    return [[pair.one for pair in pairs], [pair.other for pair in pairs]]


def _words(pairs: Sequence[Pair]) -> list[list[list[str]]]:
    return [[*words_of(side)] for side in _sides(pairs)]


def _cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(1) / np.maximum(lengths, 1e-12)


if __name__ == "__main__":
    run(main)
