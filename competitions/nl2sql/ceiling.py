"""What a perfect network would score: gold -> labels -> decoding -> gold, for each head. Needs no TensorFlow and no
run.

python ceiling.py --gold dev.json
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import check_at_least, parse_flags, run, table
from common.tokenizers import WordPieceTokenizer, build_vocabulary

from decoding import Decoder, Scores
from labels import align, marks_of_tags, tags_of
from metric import Score, compare, total
from task import Example, read, tables_of
from values import columns_of

SAMPLE = Path(__file__).resolve().with_name("sample")
HEADS = ("span_column", "tagging")


@dataclass
class Config:
    """Print the oracle ceiling of both heads on a file of labelled questions, and what they lose."""

    gold: Path = SAMPLE / "dev.json"
    """Labelled questions in the official format. Default: the bundled sample's dev file."""
    tables: Path | None = None
    """Their tables. Default: the file beside it, dev.tables.json for dev.json."""
    tries: int = 100
    """Queries that may be run for a question; 1: no execution-guided decoding."""

    def __post_init__(self):
        check_at_least(self, tries=1)


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the ceilings; returns logic form accuracy by head."""
    config = parse_flags(Config, argv)
    examples = read(config.gold, config.tables or tables_of(config.gold), labelled=True)
    tokenizer = WordPieceTokenizer(build_vocabulary(example.question for example in examples))
    scores, lost = ceilings(examples, tokenizer, config.tries)
    figures = ("logic_form_accuracy", "execution_accuracy", "score")
    print(
        table(
            ["head", *figures], [[head, *(score.figures()[name] for name in figures)] for head, score in scores.items()]
        )
    )
    for reason, count in sorted(lost.items()):
        print(f"{count} x {reason}")
    return {head: score.figures()["logic_form_accuracy"] for head, score in scores.items()}


def ceilings(
    examples: Sequence[Example], tokenizer: WordPieceTokenizer, tries: int = 100
) -> tuple[dict[str, Score], Counter[str]]:
    """The score of each head when its network is perfect, and what has no label, counted by reason."""
    decoder, lost = Decoder(tries), Counter()
    predictions = {head: [] for head in HEADS}
    for example in examples:
        encoding, columns = tokenizer.tokenize(example.question), columns_of(example.table)
        labels = align(example.query, example.question, encoding, columns, lost)
        tags, beside = tags_of(labels, len(encoding), len(columns), lost)
        for head, marks in (("span_column", labels.marks), ("tagging", marks_of_tags(tags, beside))):
            predictions[head].append(decoder.decode(example, encoding, Scores.perfect(labels, marks)))
    return {head: total(compare(examples, queries)) for head, queries in predictions.items()}, lost


if __name__ == "__main__":
    run(main)
