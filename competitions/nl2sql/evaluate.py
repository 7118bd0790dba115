"""The organisers' score of a submission, and what went wrong in it. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions submission.json
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import UserError, parse_flags, run, table, warn

from errors import GROUPINGS, breakdown, by_mistake, by_outcome, describe, mistakes_of, worst
from metric import Comparison, Score, compare, total
from task import Query, read, read_submission, tables_of

#: How many of the worst answers the report shows.
SHOWN = 10


@dataclass
class Config:
    """Score a submission as the organisers do: accuracy of the logic form, accuracy of execution, and their mean."""

    gold: Path
    """Labelled questions in the official format (dev.json)."""
    predictions: Path
    """The submission: one SQL query as JSON on each line, or a zip with one such file in it."""
    tables: Path | None = None
    """The tables of the questions, or a folder with such files. Default: dev.tables.json beside dev.json."""
    json: bool = False
    """Print one JSON object with logic_form_accuracy, execution_accuracy and score, and nothing else, on stdout."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its figures. Raises UserError for files that cannot be read, and for more lines than
    questions."""
    config = parse_flags(Config, argv)
    gold = read(config.gold, config.tables or tables_of(config.gold), labelled=True)
    predictions = read_submission(config.predictions)
    if len(predictions) > len(gold):
        raise UserError(
            f"{config.predictions}:{len(gold) + 1}: gold has {len(gold)} questions and no more - does it belong to these predictions?"
        )
    comparisons = compare(gold, predictions)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.figures()))
    else:
        print_report(score, comparisons)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(comparisons, predictions):
        warn(message)
    return score.figures()


def print_report(score: Score, comparisons: list[Comparison]) -> None:
    """The figures, also of each part; tables by outcome, by mistake and by kinds of questions; and the worst answers
    beside gold."""
    rows = {
        "logic_form_accuracy": [score.logic_form_accuracy, score.logic_form],
        "execution_accuracy": [score.execution_accuracy, score.execution],
        "score": [score.score, ""],
    }
    _print_table(["", f"over {score.questions} questions", "right"], rows)
    _print_table(
        ["part", "accuracy", "right"], {name: [value, score.right_parts[name]] for name, value in score.parts().items()}
    )
    groups = {name: [len(group), _share(group, comparisons)] for name, group in by_outcome(comparisons).items()}
    _print_table(["answers", "questions", "share"], groups)
    mistakes = by_mistake(comparisons)
    groups = {name: [len(group), _share(group, comparisons), _alone(group)] for name, group in mistakes.items()}
    _print_table(["what is wrong", "questions", "share", "nothing else is"], groups)
    for title, (group_of, order) in GROUPINGS.items():
        scores = {name: total(group) for name, group in breakdown(comparisons, group_of, order).items()}
        rows = {name: [part.questions, *part.figures().values()] for name, part in scores.items()}
        _print_table([title, "questions", "logic form", "execution", "score"], rows)
    shown = worst(comparisons, SHOWN)
    if shown:
        print(f"worst answers ({len(shown)})\n")
        print("\n\n".join(map(describe, shown)))


def _print_table(header: list[str], rows: dict[str, list[object]]) -> None:
    if rows:
        print(table(header, [[name, *row] for name, row in rows.items()]) + "\n")


def _share(group: list[Comparison], comparisons: list[Comparison]) -> str:
    return f"{100 * len(group) / len(comparisons):.1f}%"


def _alone(group: list[Comparison]) -> int:
    """In how many nothing else is wrong: what mending this mistake would be worth."""
    return sum(len(mistakes_of(comparison)) == 1 for comparison in group)


def find_doubts(comparisons: Sequence[Comparison], predictions: Sequence[Query | None]) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    questions = len(comparisons)
    doubts = []
    predicted = [one for one in comparisons if one.predicted is not None]
    if not any(one.predicted.selected and one.predicted.conditions for one in predicted):
        doubts.append(f"NOTHING IS PREDICTED for the {questions} questions of gold")
    if len(predictions) < questions:
        doubts.append(
            f"the predictions end after {len(predictions)} of {questions} questions: the rest counts as wrong"
        )
    blank = sum(query is None for query in predictions)
    if blank:
        doubts.append(
            f"{blank} lines of the predictions are blank, and count as wrong; the organisers' evaluator stops at them"
        )
    failed = sum(one.result.rows is None for one in predicted)
    if failed:
        doubts.append(f"{failed} of {len(predicted)} predicted queries cannot be executed, and have a wrong result")
    failed = sum(one.gold_result.rows is None for one in comparisons)
    if failed:
        doubts.append(
            f"{failed} of {questions} queries of gold cannot be executed: whatever is predicted for them has a wrong result"
        )
    return doubts


if __name__ == "__main__":
    run(main)
