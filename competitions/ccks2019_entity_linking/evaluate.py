"""The score of a submission by the organisers' definition, and what went wrong in it. Needs no TensorFlow, no GPU and
no knowledge base.

python evaluate.py --gold dev.json --predictions predictions.json
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import parse_flags, run, table, warn

from errors import count_names, describe, find_errors
from metric import Comparison, Score, Share, compare, total
from task import WRONG_OFFSET, Example, Mention, is_at, read, read_submission

#: How many of the names that cost most errors the report shows.
SHOWN = 10


@dataclass
class Config:
    """Score a submission as the organisers define it: precision, recall and F1 over linked mentions, NIL left out."""

    gold: Path
    """Labelled texts in the official format (dev.json)."""
    predictions: Path
    """The submission: JSON lines, or a zip with one such file in it."""
    json: bool = False
    """Print one JSON object with precision, recall and f1, unrounded, and nothing else, on stdout."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns the figures that `--json` prints. Raises UserError for files that cannot be read."""
    config = parse_flags(Config, argv)
    skipped: Counter[str] = Counter()
    examples = read(config.gold, labelled=True, skipped=skipped)
    predictions = read_submission(config.predictions)
    # Mentions that `read` leaves out count here: the definition looks at no text.
    comparisons = compare(read_submission(config.gold), predictions)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.links.figures()))
    else:
        print_report(score, comparisons, {example.id: example.text for example in examples})
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(examples, predictions, score, skipped):
        warn(message)
    return score.links.figures()


def print_report(score: Score, comparisons: list[Comparison], texts: dict[str, str]) -> None:
    """The figures with their counts, where points are lost, the names that cost most errors, and the errors by kind."""
    links, mentions = score.links, score.mentions
    print(f"precision {links.precision:.4f}   {links.correct} correct of {links.predicted} predicted links")
    print(f"recall    {links.recall:.4f}   {links.correct} found of {links.gold} gold links")
    print(f"f1        {links.f1:.4f}   in {len(texts)} texts, NIL left out\n")
    print("where points are lost, not what the organisers count:")
    print(
        f"mentions  precision {mentions.precision:.4f}  recall {mentions.recall:.4f}  f1 {mentions.f1:.4f}   whatever they are linked to, also NIL"
    )
    print(f"linking   {_line(score.linked)} found mentions that gold links to an entity")
    print(f"NIL       {_line(score.unlinked)} found mentions that gold says NIL of\n")
    rows = [
        [name, part.gold, part.predicted, part.correct, part.precision, part.recall, part.f1]
        for name, part in count_names(comparisons).items()
        if part.correct < max(part.gold, part.predicted)
    ]
    if rows:
        print(
            table(["names with most errors", "gold", "predicted", "correct", "precision", "recall", "f1"], rows[:SHOWN])
        )
        print(f"\nerrors\n{describe(find_errors(comparisons), texts)}")


def _line(share: Share) -> str:
    return f"accuracy {share.accuracy:.4f}   {share.right} right of {share.found}"


def find_doubts(
    examples: Sequence[Example],
    predictions: Sequence[tuple[str, Sequence[Mention]]],
    score: Score,
    skipped: Counter[str],
) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    doubts = []
    texts = {example.id: example.text for example in examples}
    ids = Counter(identifier for identifier, _ in predictions)
    if not score.links.predicted:
        doubts.append(f"NOTHING IS PREDICTED but NIL for the {len(texts)} texts and {score.links.gold} links of gold")
    foreign = len(ids.keys() - texts.keys())
    if foreign:
        doubts.append(
            f"{foreign} of {len(ids)} predicted ids are not in gold, and their mentions count as wrong - is it the right gold file?"
        )
    absent = len(texts.keys() - ids.keys())
    if absent:
        doubts.append(f"{absent} of {len(texts)} gold ids have no line in the predictions: all is missed there")
    twice = sum(count > 1 for count in ids.values())
    if twice:
        doubts.append(
            f"{twice} ids stand several times in the predictions, and their mentions add up: leave one line of each"
        )
    known = [
        (mention, texts[identifier])
        for identifier, mentions in predictions
        if identifier in texts
        for mention in mentions
    ]
    elsewhere = sum(not is_at(mention, text) for mention, text in known)
    if elsewhere:
        doubts.append(
            f"{elsewhere} of {len(known)} predicted mentions are not at their offset in the text of gold, and can hardly be right - "
            "count the characters from 0"
        )
    if skipped[WRONG_OFFSET]:
        doubts.append(f"{skipped[WRONG_OFFSET]} mentions of gold are not at their offset, and count all the same")
    return doubts


if __name__ == "__main__":
    run(main)
