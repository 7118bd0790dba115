"""Cut texts into words by a segmenter of scripts/train_segmenter.py, or see how well it does it.

python scripts/segment.py --input TEXTS --output WORDS            # by the newest run
python scripts/segment.py --gold GOLD                             # scores beside jieba's
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from common.command_line import UserError, parse_flags, run, table
from common.lexicon.segmentation_score import segmentation_score
from common.lexicon.word_list import read_word_list
from common.new_folder import check_new
from common.process import start_tensorflow
from common.runs.directory import SEGMENTATION, open_trained_run
from common.submission import all_lines, field, json_object, read_lines, write_lines
from common.tokenizers.segmentation import add_frequencies, jieba_segmenter, segment

from train_segmenter import WORDS

_TOGETHER = 1000  # texts that are cut at a time


@dataclass
class Config:
    """Cut texts into words by a segmenter of scripts/train_segmenter.py, or see how well it does it."""

    input: Path | None = None
    """File with a text on each line, packed or not."""
    output: Path | None = None
    """File to be made: the same lines, a blank between words."""
    gold: Path | None = None
    """File of cut texts, to be scored: JSON lines with "seg", or lines, with blanks between words."""
    run: Path | None = None
    """Folder of the run. Default: the newest one in --output-dir."""
    output_dir: Path = Path("runs")
    """Folder of all runs."""
    words: Path | None = None
    """Besides, score jieba's way to cut with nothing but these words: a word on each line, tab, how often it occurs."""

    def __post_init__(self):
        if bool(self.gold) == bool(self.input):
            raise UserError("--input or --gold: give one of them, texts to be cut or cut texts to be scored")
        if bool(self.input) != bool(self.output):
            raise UserError(
                "--output: is missing - name the file to be made"
                if self.input
                else "--output: scores make no file - leave it out"
            )
        if self.words and not self.gold:
            raise UserError("--words: are for scores - give --gold, too")


def main(argv: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Writes the file, or prints scores; returns these by name."""
    config = parse_flags(Config, argv)
    if config.output:
        check_new(config.output)
    trained = open_trained_run(config.run, config.output_dir, SEGMENTATION)
    gold = read_gold(config.gold) if config.gold else []
    words = read_word_list(config.words) if config.words else {}
    start_tensorflow()  # now that flags and files have been looked at
    from common.lexicon.segmenter import Segmenter

    segmenter = Segmenter.of(trained)
    if config.input:
        texts = (line for _, line in all_lines(config.input))
        write_lines(config.output, in_batches(segmenter, texts), ".txt")
        print(f"written to {config.output}")
        return {}
    ways = {
        trained.path.name: segmenter.cut,
        "jieba without HMM": partial(cut_without_hmm, jieba_segmenter()),
        "jieba": lambda texts: [[text[start:end] for start, end in segment(text)] for text in texts],
    }
    if words:
        ways[config.words.name] = partial(cut_without_hmm, tokenizer_of(words))
    return scored(ways, gold, trained.read_json(WORDS, dict[str, float]))


def in_batches(segmenter: Any, texts: Iterator[str]) -> Iterator[bytes]:
    """Lines of words, for all texts."""
    for together in iter(lambda: [*islice(texts, _TOGETHER)], []):
        for words in segmenter.cut(together):
            yield " ".join(word for word in words if not word.isspace()).encode()


def read_gold(file: Path) -> list[list[str]]:
    """The words of each line. Raises UserError for a line without any."""
    found = []
    for number, line in read_lines(file):
        where = f"{file}:{number}"
        text = field(json_object(line, where), "seg", str, where) if line.startswith("{") else line
        if not text.split():
            raise UserError(f"{where}: has no word - remove the line")
        found.append(text.split())
    return found


def tokenizer_of(words: Mapping[str, float | None]) -> Any:
    """jieba with these words in place of its own."""
    counts = {word: 1 if count is None else count for word, count in words.items()}
    frequencies: dict[str, float] = {}
    add_frequencies(counts, frequencies)
    tokenizer = type(jieba_segmenter())()
    tokenizer.FREQ, tokenizer.total, tokenizer.initialized = frequencies, max(1, sum(counts.values())), True
    return tokenizer


def cut_without_hmm(tokenizer: Any, texts: Sequence[str]) -> list[list[str]]:
    return [tokenizer.lcut(text, HMM=False) for text in texts]


def scored(
    ways: Mapping[str, Callable[[Sequence[str]], list[list[str]]]],
    gold: Sequence[Sequence[str]],
    known: Collection[str],
) -> dict[str, dict[str, float]]:
    """Prints a table; returns scores and `words_per_second` of each way. known: words of the segmenter's dictionary."""
    texts, rows, figures = ["".join(words) for words in gold], [], {}
    for name, cut in ways.items():
        cut(texts[:1])  # loading is no part of the speed
        begun = time.perf_counter()
        found = cut(texts)
        speed = sum(map(len, found)) / (time.perf_counter() - begun)
        scores = segmentation_score(gold, found, known)
        figures[name] = scores | {"words_per_second": speed}
        shown = [f"{scores[key]:.4f}" for key in ("f1", "precision", "recall", "unknown_recall")]
        rows.append([name, *shown, f"{speed:,.0f}"])
    print(table(["", "f1", "precision", "recall", "of unknown words", "words/s"], rows))
    share = scores["unknown"] / sum(map(len, gold))
    print(f"{len(gold):,} texts; {share:.1%} of the words are not in the dictionary of the run")
    return figures


if __name__ == "__main__":
    run(main)
