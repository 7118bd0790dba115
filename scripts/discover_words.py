"""Find the words of a corpus, by how firmly their parts belong together; no dictionary is needed.

python scripts/discover_words.py --input CORPUS --output words.tsv
python scripts/discover_words.py --input CORPUS --output words.tsv --known jieba     # only those that jieba has not

A contest then takes words.tsv by --dictionary.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.lexicon.new_words import THRESHOLDS, discover_words
from common.lexicon.options import CorpusOptions
from common.lexicon.word_list import known_words
from common.new_folder import check_new
from common.submission import TEMPORARY_PREFIX, atomic_write


@dataclass
class Config:
    """Find the words of a corpus, by how firmly their parts belong together."""

    output: Path | None = None
    """File to be made, of lines "word, tab, count, tab, strength", the most frequent word first."""
    min_count: int = 10
    """Leave out what occurs less often. More for a large corpus: 32 for a gigabyte."""
    thresholds: tuple[float, ...] = THRESHOLDS
    """Least strength of what has two, three, ... units: the logarithm of how much more often the parts stand together than
    by chance."""
    longest: int = 10
    """Units of the longest word, which are ideographs and runs of letters and digits."""
    known: str | None = None
    """Words that are left out: "jieba", those of its dictionary, or a file with one on each line, before any blank or tab."""
    shown: int = 50
    """So many words are printed."""
    corpus: CorpusOptions = field(default_factory=CorpusOptions)

    def __post_init__(self):
        check_at_least(self, min_count=1, longest=2, shown=0)
        if self.output is None:
            raise UserError("--output: is missing - name the file that is to be made")
        if not self.thresholds:
            raise UserError("--thresholds: are missing - give one for each number of units from two on")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the file; returns how many words are in it."""
    config, start = parse_flags(Config, argv), time.monotonic()
    check_new(config.output)
    known = known_words(config.known)
    corpus, order = config.corpus, max(len(config.thresholds) + 1, config.longest)
    config.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.output.parent, prefix=TEMPORARY_PREFIX) as folder:
        found = discover_words(
            corpus.partitions(order, Path(folder), again=True),
            config.min_count,
            config.thresholds,
            config.longest,
            corpus.budget(order),
            Path(folder),
            corpus.fields,
            corpus.workers,
        )
    words = [word for word in found if word.word not in known]
    atomic_write(config.output, "".join(f"{word.word}\t{word.count}\t{word.strength:.2f}\n" for word in words))
    print(
        table(
            ["word", "count", "strength"],
            [[word.word, word.count, f"{word.strength:.2f}"] for word in words[: config.shown]],
        )
    )
    left_out = f", besides {len(found) - len(words):,} that are known" if known else ""
    print(f"\n{len(words):,} words{left_out}, in {time.monotonic() - start:.1f} seconds; written to {config.output}")
    return len(words)


if __name__ == "__main__":
    run(main)
