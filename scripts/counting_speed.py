"""What it takes to count the n-grams up to four of a corpus: a step of `benchmark.py counting`, in a process of its own.

    python scripts/counting_speed.py sorting --input CORPUS --times 10

loop: one dictionary. chunks: a dictionary for each thousand texts, added up at the end. sorting: count_ngrams.py with
one process, and with `--processes` more. The last line on stdout is a JSON object: `seconds`, `bytes` (the peak of all
processes), `grams` and `occurrences`, which are the same for all ways.
"""

import itertools
import json
import re
import resource
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro

from common.command_line import check_at_least, parse_flags, run, table
from common.lexicon.corpus import blocks_of, partitions_of
from common.lexicon.counting import Budget, Work, Workers, count_ngrams
from common.lexicon.tables import count_windows

from own_process import figures_of
from process_memory import peak

ORDER = 4
_CHUNK = 1000  # texts
_READ = 2**22  # bytes read at once
_IDEOGRAPH = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_STRETCH = re.compile(r"[^\W_]+")
_UNIT = re.compile(rf"[{_IDEOGRAPH}]|[^\W_{_IDEOGRAPH}]+")


@dataclass
class Case:
    """Time one way to count n-grams."""

    way: Annotated[Literal["loop", "chunks", "sorting"], tyro.conf.Positional]
    """How."""
    input: Path
    """A file or folder of texts."""
    times: int = 1
    """Go through it so often."""
    processes: int = 1
    """Processes that sort."""
    memory_megabytes: int = 2048
    """What sorting may use."""

    def __post_init__(self):
        check_at_least(self, times=1, processes=1, memory_megabytes=256)


def measure(case: Case) -> dict[str, float]:
    """The figures of this process."""
    begun = time.perf_counter()
    grams, occurrences = sorting(case) if case.way == "sorting" else dictionaries(case)
    seconds = time.perf_counter() - begun
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 * case.processes
    return {
        "seconds": seconds,
        "bytes": peak() + children * (case.processes > 1),
        "grams": grams,
        "occurrences": occurrences,
    }


def sorting(case: Case) -> tuple[int, int]:
    """Counts as count_ngrams.py does; returns how many n-grams there are, and how often all of them occur."""
    budget = Budget.of(case.memory_megabytes * 2**20 // case.processes, ORDER)
    partitions = partitions_of([case.input], 4 * budget.text) * case.times
    with tempfile.TemporaryDirectory() as folder:
        work = Work(partial(count_windows, order=ORDER), ORDER, budget, Path(folder), ())
        counts = count_ngrams(partitions, 1, work, Workers(case.processes))
        sizes = [(len(grams.rows), int(grams.counts.sum())) for part in counts.parts for grams in part]
    return tuple(map(sum, zip(*sizes)))


def dictionaries(case: Case) -> tuple[int, int]:
    """The same with one dictionary, or one for each chunk."""
    partitions = partitions_of([case.input], _READ) * case.times
    texts = (text for part in partitions for block in blocks_of(part, (), _READ) for text in block.split("\n"))
    counts: Counter[str] = Counter()
    for chunk in iter(lambda: [*itertools.islice(texts, _CHUNK)], []):
        if case.way == "loop":
            count_into(counts, chunk)
        else:
            of_chunk: Counter[str] = Counter()
            count_into(of_chunk, chunk)
            counts.update(of_chunk)
    return len(counts), counts.total()


def count_into(counts: Counter[str], texts: Iterable[str]) -> None:
    """The plain way: every n-gram is cut out, and counted in the dictionary."""
    for text in texts:
        for stretch in _STRETCH.findall(unicodedata.normalize("NFKC", text).lower()):
            ends = [match.end() for match in _UNIT.finditer(stretch)]
            starts = [0, *ends]
            for number, start in enumerate(starts[:-1]):
                for end in ends[number : number + ORDER]:
                    counts[stretch[start:end]] += 1


def compare(file: Path, times: Sequence[int], repeats: int) -> dict[str, float]:
    """Prints what each way takes; the best of all rounds counts. Returns the figures by name. Raises AssertionError
    where two ways count differently."""
    figures: dict[str, float] = {}
    for number in times:
        rows, expected = [], None
        for way, processes in (("loop", 1), ("chunks", 1), ("sorting", 1), ("sorting", 2)):
            flags = ("--input", file, "--times", number, "--processes", processes)
            rounds = [figures_of("counting_speed.py", way, *flags) for _ in range(repeats)]
            found = min(rounds, key=lambda figures: figures["seconds"])
            expected = expected or (found["grams"], found["occurrences"])
            assert (found["grams"], found["occurrences"]) == expected, f"{way}: {found}"
            name = f"{number} times, {way}, {processes}"
            figures |= {f"{name}, {key}": found[key] for key in ("seconds", "bytes")}
            faster = figures[f"{number} times, loop, 1, seconds"] / found["seconds"]
            rows.append(
                [
                    way,
                    processes,
                    f"{found['seconds']:.1f}",
                    f"{faster:.1f}",
                    f"{faster / processes:.1f}",
                    f"{found['bytes'] / 1e6:,.0f}",
                ]
            )
        print(f"{expected[0]:,} n-grams up to {ORDER}, which occur {expected[1]:,} times")
        print(table(["", "processes", "seconds", "times the loop", "for each process", "MB"], rows) + "\n")
    return figures


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Prints the figures, and returns them."""
    figures = measure(parse_flags(Case, argv))
    print(json.dumps(figures))
    return figures


if __name__ == "__main__":
    run(main)
