"""`similar_questions.py score`: how well a run tells which questions are alike, beside ways that need no training.

python scripts/similar_questions.py score --pairs PAIRS --word-vectors VECTORS
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.process import start_tensorflow
from common.similarity.baselines import bm25
from common.similarity.questions import Pair, read_scored_pairs
from common.similarity.scores import pair_score
from common.similarity.word_movers import WMD, WRD
from common.similarity.word_space import UNKNOWN_WORDS, WordSpace
from common.tokenizers.word_vectors import WordVectors, read_word_vectors

from hash_scores import words_of
from similarity_networks import NetworkOptions

Way = Callable[[Sequence[Pair]], np.ndarray]


@dataclass
class Config:
    """See how well a run tells which questions are alike, beside ways that need no training; where there is no run, but
    --word-vectors, these alone."""

    pairs: tuple[Path, ...] = ()
    """Files of pairs with labels or scores, in any form that `train` reads."""
    word_vectors: Path | None = None
    """Word vectors in word2vec's text or binary format: the cosine of their means, WMD and WRD are scored beside."""
    unknown_words: float = UNKNOWN_WORDS
    """Words without a vector are at right angles to all others, and so long, in mean lengths of the vectors; 0: they are
    left out."""
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self):
        check_at_least(self, unknown_words=0)
        if not self.pairs:
            raise UserError("--pairs: is missing - name files of pairs with labels or scores")


def main(argv: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Prints a row for each way, and a column for each file; returns the scores by way and file."""
    config = parse_flags(Config, argv)
    files = {path: read_scored_pairs(path) for path in config.pairs}
    ways: dict[str, Way] = {}
    if config.network.is_there or not config.word_vectors:
        ways |= way_of_network(config.network)
    else:
        print(f"{config.network.output_dir}: no run of `train` here: only what needs no training is scored")
    ways["BM25"] = lambda pairs: bm25(*_words(pairs))
    if config.word_vectors:
        words = {word for pairs in files.values() for side in _words(pairs) for text in side for word in text}
        ways |= ways_of_vectors(read_word_vectors(config.word_vectors, words), config.unknown_words)
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


def way_of_network(options: NetworkOptions) -> dict[str, Way]:
    """The cosines of a network, under its name."""
    name = options.check()
    start_tensorflow()  # now that flags and files have been looked at
    network = options.open()
    return {name: lambda pairs: _cosines(*(network.vectors_of(side) for side in _sides(pairs)))}


def ways_of_vectors(vectors: WordVectors, unknown: float) -> dict[str, Way]:
    """The cosine of mean vectors, WMD and WRD."""
    wmd, wrd = (WordSpace(distance, *vectors, unknown) for distance in (WMD, WRD))
    return {
        "mean word vectors": lambda pairs: wmd.cosines(*_words(pairs)),
        "WMD": lambda pairs: -wmd.distances(*_words(pairs)),
        "WRD": lambda pairs: -wrd.distances(*_words(pairs)),
    }


def _sides(pairs: Sequence[Pair]) -> list[list[str]]:
    return [[pair.one for pair in pairs], [pair.other for pair in pairs]]


def _words(pairs: Sequence[Pair]) -> list[list[list[str]]]:
    return [[*words_of(side)] for side in _sides(pairs)]


def _cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(1) / np.maximum(lengths, 1e-12)


if __name__ == "__main__":
    run(main)
