"""Count the n-grams of a corpus of any size, exactly.

python scripts/count_ngrams.py --input CORPUS --output counts.tsv                    # files and folders, packed or not
zcat texts.gz | python scripts/count_ngrams.py --input - --output counts.tsv         # what comes through a pipe
python scripts/count_ngrams.py --input CORPUS --output counts.tsv --processes 8 --memory-megabytes 16000
"""

import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.lexicon.counting import Merged, Work, count_ngrams
from common.lexicon.options import CorpusOptions
from common.lexicon.tables import Grams, count_windows
from common.new_folder import check_new
from common.submission import TEMPORARY_PREFIX, atomic_path


@dataclass
class Config:
    """Count the n-grams of a corpus: of its ideographs, and of runs of letters and digits, which stay whole."""

    output: Path | None = None
    """File to be made, of lines "n-gram, tab, count": shorter ones first, those of one length sorted."""
    order: int = 4
    """Units of the longest n-grams."""
    min_count: int = 1
    """Leave out what occurs less often."""
    corpus: CorpusOptions = field(default_factory=CorpusOptions)

    def __post_init__(self):
        check_at_least(self, order=1, min_count=1)
        if self.output is None:
            raise UserError("--output: is missing - name the file that is to be made")


def main(argv: Sequence[str] | None = None) -> list[int]:
    """Writes the file; returns how many n-grams of each order are in it."""
    config, start = parse_flags(Config, argv), time.monotonic()
    check_new(config.output)
    config.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.output.parent, prefix=TEMPORARY_PREFIX) as folder:
        corpus, order = config.corpus, config.order
        windows = partial(count_windows, order=order)
        work = Work(windows, order, corpus.budget(order), Path(folder), corpus.fields)
        counts = count_ngrams(corpus.partitions(order, Path(folder)), config.min_count, work, corpus.workers)
        found = write(counts, config.output, order, Path(folder))
    rows = [[order, f"{number:,}", f"{occurrences:,}"] for order, (number, occurrences) in enumerate(found, 1)]
    print(table(["order", "n-grams", "occurrences"], rows))
    spilled = f", for which {counts.stored / 1e6:,.0f} MB went to disk" if counts.stored else ""
    print(f"\n{counts.total:,} units in {time.monotonic() - start:.1f} seconds{spilled}; written to {config.output}")
    return [number for number, _ in found]


def write(counts: Merged[list[Grams]], output: Path, order: int, folder: Path) -> list[tuple[int, int]]:
    """Writes each order into a file in the folder, and all of them to the output; returns how many n-grams of each order
    there are, and how often they occur together."""
    found = [(0, 0)] * order
    with ExitStack() as stack:
        files = [stack.enter_context((folder / f"{number}.tsv").open("w", encoding="utf-8")) for number in range(order)]
        for part in counts.parts:
            for number, (file, grams) in enumerate(zip(files, part)):
                file.writelines(lines_of(grams, counts.vocabulary))
                found[number] = found[number][0] + len(grams.rows), found[number][1] + int(grams.counts.sum())
    with atomic_path(output) as temporary, temporary.open("wb") as whole:
        for number in range(order):
            with (folder / f"{number}.tsv").open("rb") as file:
                shutil.copyfileobj(file, whole)
    return found


def lines_of(grams: Grams, vocabulary: Sequence[str]) -> Iterable[str]:
    units = ["", *vocabulary]
    columns = [map(units.__getitem__, column.tolist()) for column in grams.rows.T]
    return (f"{''.join(row)}\t{count}\n" for *row, count in zip(*columns, grams.counts.tolist()))


if __name__ == "__main__":
    run(main)
