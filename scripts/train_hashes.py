"""Learn binary hashes of words and texts from texts alone, and see what they are good for.

python scripts/train_hashes.py --input TEXTS --output FOLDER --bits 128
python scripts/train_hashes.py --input TEXTS --output FOLDER --bits 128 --pairs PAIRS --analogies ANALOGIES

FOLDER has words.json and hashes.npz, which common.lexicon.hashes.WordHashes.load reads.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.command_line import UserError, check_above, check_at_least, parse_flags, run
from common.lexicon.hashes import WordHashes, train_centres
from common.new_folder import check_new, new_folder
from common.texts import Texts

from hash_scores import read_analogies, read_pairs, report, words_of

_SHOWN_EVERY = 100  # steps
_SHOWN_WORDS, _SHOWN_NEAREST = range(100, 1000, 90), 6


@dataclass
class Config:
    """Learn binary hashes of words and texts from texts alone."""

    input: tuple[Path, ...] = ()
    """Files and folders with texts, packed or not: one on each line, or JSON in which every string of 10 Chinese
    characters is a text."""
    output: Path | None = None
    """Folder to be made."""
    fields: tuple[str, ...] = ()
    """Keys of JSON whose strings are the texts, and no others."""
    bits: int = 128
    """Bits of a hash, a multiple of 8."""
    active: int = 0
    """Bits that are set. Default: an eighth of all."""
    window: int = 5
    """Words to each side that are seen with a word."""
    words: int = 20_000
    """So many words, the most frequent ones, are known."""
    power: float = 0.5
    """A word counts by this power of 1 / its frequency; 1 is the paper's."""
    steps: int = 500
    """Training steps."""
    batch_size: int = 8192
    """Places in the texts that a step learns from."""
    seed: int = 1
    """Decides everything random."""
    pairs: tuple[Path, ...] = ()
    """Files of JSON lines with "a", "b" and "score" or "label": texts, and how alike they are, to be scored."""
    analogies: Path | None = None
    """Lines of category, a, b, c and d with tabs between them: a is to b as c is to d."""
    word_vectors: Path | None = None
    """Word vectors in word2vec's text or binary format, whose means are scored beside."""

    def __post_init__(self):
        check_at_least(self, bits=8, active=0, window=1, words=1, steps=1, batch_size=1, seed=0)
        check_above(self, power=0)
        if self.bits % 8:
            raise UserError(f"--bits {self.bits}: must be a multiple of 8")
        if self.active > self.bits:
            raise UserError(f"--active {self.active}: must be at most --bits, which is {self.bits}")
        if self.output is None:
            raise UserError("--output: is missing - name the folder that is to be made")
        if not self.input:
            raise UserError("--input: is missing - name files or folders with texts")


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Trains and writes the folder; returns the scores by name."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    pairs = {
        path.stem if path.stem not in ("train", "dev") else path.parent.name: read_pairs(path) for path in config.pairs
    }
    analogies = read_analogies(config.analogies) if config.analogies else []
    texts = Texts(config.input, config.fields)
    all_words, ids = read(words_of(texts), config.window)
    if not all_words:
        raise UserError("--input: has no words - check the names, and --fields")
    words, counts, ids = most_frequent(all_words, ids, config.words)
    weights = weights_of(counts, config.power)
    print(f"texts     {len(ids):,} words, {len(words):,} known of {len(all_words):,} different ones")
    hashes = trained(ids, words, weights, config)
    with new_folder(config.output) as folder:
        hashes.save(folder)
    for word in (words[place] for place in _SHOWN_WORDS if place < len(words)):
        print(f"{word}: {' '.join(hashes.nearest(word, _SHOWN_NEAREST))}")
    figures = report(hashes, pairs, analogies, config.word_vectors, config.seed)
    print(f"\nkept in {config.output}")
    return figures


def read(texts: Iterable[Sequence[str]], window: int) -> tuple[list[str], np.ndarray]:
    """The different words of all texts, and the texts as places among them, int32, with `window` times -1 behind each."""
    numbers: dict[str, int] = {}
    between = [-1] * window
    rows = [
        np.array([*(numbers.setdefault(word, len(numbers)) for word in words), *between], np.int32) for words in texts
    ]
    return list(numbers), np.concatenate(rows) if rows else np.zeros(0, np.int32)


def most_frequent(words: Sequence[str], ids: np.ndarray, most: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """At most so many of the words, their counts, and the ids of `read` as places among these, -1 for the others."""
    counts = np.bincount(ids[ids >= 0])
    kept = np.argsort(-counts, kind="stable")[:most]
    places = np.full(len(words) + 1, -1, np.int32)  # the last one stands for -1
    places[kept] = np.arange(len(kept))
    return [words[place] for place in kept], counts[kept], places[ids]


def weights_of(counts: np.ndarray, power: float) -> np.ndarray:
    """Powers of 1 / frequency, 1 on average over a text, float32 (words,)."""
    frequencies = counts / counts.sum()
    weights = frequencies**-power
    return (weights / (weights * frequencies).sum()).astype(np.float32)


def trained(ids: np.ndarray, words: Sequence[str], weights: np.ndarray, config: Config) -> WordHashes:
    begun = time.monotonic()
    learning = train_centres(ids, weights, config.bits, config.window, config.steps, config.batch_size, config.seed)
    for step, product, centres in learning:
        if (step + 1) % _SHOWN_EVERY == 0 or step + 1 == config.steps:
            print(
                f"step {step + 1}/{config.steps}  product {product:.4f}  ({time.monotonic() - begun:.0f} s)", flush=True
            )
    return WordHashes(words, weights, centres, config.active or max(1, config.bits // 8), config.window)


if __name__ == "__main__":
    run(main)
