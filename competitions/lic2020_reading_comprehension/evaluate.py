"""The organisers' score of a submission, and what went wrong in it. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions predictions.json
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import parse_flags, run, table, warn

from errors import by_answer_length, by_kind, by_question_type, describe, worst
from metric import Comparison, Score, compare, official, total
from task import Example, read, read_submission

#: How many of the worst answers the report shows.
SHOWN = 10


@dataclass
class Config:
    """Score a submission as the organisers do: F1 and exact match in percent over questions, each with 3 decimals."""

    gold: Path
    """Labelled questions in the official format (dev.json)."""
    predictions: Path
    """The submission: one JSON object with an answer for each id."""
    json: bool = False
    """Print one JSON object with f1, em, total and skipped, and nothing else, on stdout."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its `f1`, `em`, `total` and `skipped`. Raises UserError for files that cannot be
    read."""
    config = parse_flags(Config, argv)
    gold = read(config.gold, labelled=True)
    repeated: Counter[str] = Counter()
    predictions = read_submission(config.predictions, repeated)
    comparisons = compare(official(gold), predictions)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.figures()))
    else:
        print_report(score, comparisons)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(gold, predictions, repeated, score):
        warn(message)
    return score.figures()


def print_report(score: Score, comparisons: list[Comparison]) -> None:
    """The figures with their counts; tables by kind of answer, question and length; and the worst answers beside
    gold."""
    print(f"f1      {score.f1:7.3f}   over {score.total} questions")
    print(f"em      {score.em:7.3f}   {score.em_sum:.0f} answers equal an accepted one")
    print(f"skipped {score.skipped:7}   without an answer\n")
    for title, groups in (
        ("answers", by_kind(comparisons)),
        ("question type", by_question_type(comparisons)),
        ("characters in the shortest gold answer", by_answer_length(comparisons)),
    ):
        rows = []
        for name, group in groups.items():
            part = total(group)
            rows.append(
                [name, part.total, f"{100 * part.total / score.total:.1f}%", f"{part.f1:.3f}", f"{part.em:.3f}"]
            )
        print(table([title, "questions", "share", "f1", "em"], rows) + "\n")
    shown = worst(comparisons, SHOWN)
    if shown:
        print(f"worst answers ({len(shown)})\n")
        print("\n\n".join(map(describe, shown)))


def find_doubts(gold: list[Example], predictions: dict[str, str], repeated: Counter[str], score: Score) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    doubts = []
    scored = [example.id for example in official(gold)]
    ids = {example.id for example in gold}
    if not any(predictions.get(name, "").strip() for name in scored):
        doubts.append(f"NOTHING IS PREDICTED for the {len(scored)} questions of gold")
    foreign = len(predictions.keys() - ids)
    if foreign:
        doubts.append(f"{foreign} of {len(predictions)} predicted ids are not in gold - is it the right gold file?")
    if score.skipped:
        doubts.append(f"{score.skipped} of {score.total} questions have no answer in the predictions: each counts 0")
    if repeated:
        doubts.append(f"{len(repeated)} ids stand several times in the predictions: the last answer counts")
    again = len(scored) - len(set(scored))
    if again:
        doubts.append(f"{again} questions of gold stand there twice, and count twice")
    if len(gold) > len(scored):
        everything = total(compare(gold, predictions))
        doubts.append(
            f"the organisers score the first article of gold only, {len(scored)} of {len(gold)} questions; "
            f"over all: f1 {everything.f1:.3f}, em {everything.em:.3f}, {everything.skipped} skipped"
        )
    return doubts


if __name__ == "__main__":
    run(main)
