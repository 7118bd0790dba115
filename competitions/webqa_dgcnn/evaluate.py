"""The organisers' score of a submission, and what went wrong in it. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions submission.tsv
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import parse_flags, run, table, warn

from errors import by_kind, by_support, describe, worst
from metric import Comparison, Score, compare, total
from task import Gold, read_gold, read_submission

#: How many of the worst answers the report shows.
SHOWN = 10


@dataclass
class Config:
    """Score a submission as the organisers do: accuracy, F1 of characters and their mean, over the lines of the
    submission."""

    gold: Path
    """Labelled questions in the official format (dev.json), or lines of id, standard answer and accepted answers
    (gold_answers.tsv)."""
    predictions: Path
    """The submission: lines of id, tab and answer, or a zip with one such file in it."""
    json: bool = False
    """Print one JSON object with accuracy, f1, score, answered, questions, accuracy_all, f1_all and score_all, and
    nothing else, on stdout."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its figures. Raises UserError for files that cannot be read."""
    config = parse_flags(Config, argv)
    gold = read_gold(config.gold)
    predictions = read_submission(config.predictions)
    comparisons = compare(gold, predictions)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.figures()))
    else:
        print_report(score, comparisons)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(gold, predictions):
        warn(message)
    return score.figures()


def print_report(score: Score, comparisons: list[Comparison]) -> None:
    """The figures beside those over all questions; tables by kind of answer and by passages with it; and the worst
    answers beside gold."""
    every = score.over_all()
    rows = [[name, getattr(score, name), getattr(every, name)] for name in ("accuracy", "f1", "score")]
    print(table(["", f"over {score.answered} lines", f"over {score.questions} questions"], rows))
    print(f"{score.correct} answers are correct\n")
    for title, groups in (("answers", by_kind(comparisons)), ("passages with the answer", by_support(comparisons))):
        rows = []
        for name, group in groups.items():
            part, count = total(group), len(group)
            rows.append(
                [name, count, f"{100 * count / len(comparisons):.1f}%", part.correct / count, part.f1_sum / count]
            )
        if rows:
            print(table([title, "questions", "share", "accuracy", "f1"], rows) + "\n")
    shown = worst(comparisons, SHOWN)
    if shown:
        print(f"worst answers ({len(shown)})\n")
        print("\n\n".join(map(describe, shown)))


def find_doubts(gold: Sequence[Gold], predictions: Sequence[tuple[str, str]]) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    doubts = []
    ids, counts = {one.id for one in gold}, Counter(name for name, _ in predictions)
    if not any(answer.strip() for name, answer in predictions if name in ids):
        doubts.append(f"NOTHING IS PREDICTED for the {len(ids)} questions of gold")
    foreign = len(counts.keys() - ids)
    if foreign:
        doubts.append(
            f"{foreign} of {len(counts)} predicted ids are not in gold, and count as wrong; the organisers' evaluator stops at them - "
            "is it the right gold file?"
        )
    absent = len(ids - counts.keys())
    if absent:
        doubts.append(
            f"{absent} of {len(ids)} questions have no line in the predictions, which costs nothing: see the figures over all questions"
        )
    twice = sum(count > 1 for count in counts.values())
    if twice:
        doubts.append(f"{twice} ids stand several times in the predictions, and each line counts: leave one of each")
    without = sum(not one.accepted for one in gold)
    if without:
        doubts.append(
            f"{without} of {len(ids)} questions of gold have no answer: whatever is predicted for them is wrong"
        )
    return doubts


if __name__ == "__main__":
    run(main)
