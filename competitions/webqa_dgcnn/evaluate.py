"""The organisers' score of a submission, and what went wrong in it. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions submission.tsv
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from common.archives import check_size
from common.command_line import one_line, parse_flags, print_skipped, run, table, warn
from common.error_report import grouped

from metric import Comparison, Score, compare, format, total
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
    max_megabytes: int | None = None
    """Largest size of the unpacked predictions, in megabytes. Default: 100 times gold, and at least 10."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its figures. Raises UserError for files that cannot be read."""
    config = parse_flags(Config, argv)
    check_size(config.predictions, config.gold, config.max_megabytes)
    skipped: Counter[str] = Counter()
    gold = read_gold(config.gold, skipped)
    predictions = read_submission(config.predictions)
    comparisons = compare(gold, predictions)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.figures()))
    else:
        print_report(score, comparisons)
        print_skipped(config.gold, skipped)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(gold, predictions):
        warn(message)
    return score.figures()


def print_report(score: Score, comparisons: Sequence[Comparison]) -> None:
    """The figures beside those over all questions; tables by kind of answer and by passages with it; and the worst
    answers beside gold."""
    every = score.over_all()
    rows = [[name, getattr(score, name), getattr(every, name)] for name in ("accuracy", "f1", "score")]
    print(table(["", f"over {score.answered} lines", f"over {score.questions} questions"], rows))
    print(f"{score.correct} answers are correct\n")
    for title, group_of, order in (("answers", kind_of, Kind), ("passages with the answer", support, SUPPORT)):
        rows = []
        for name, group in grouped(comparisons, group_of, order).items():
            part, count = total(group), len(group)
            share = f"{100 * count / len(comparisons):.1f}%"
            rows.append([name, count, share, part.correct / count, part.f1_sum / count])
        if rows:
            print(table([title, "questions", "share", "accuracy", "f1"], rows) + "\n")
    if shown := worst(comparisons, SHOWN):
        print(f"worst answers ({len(shown)})\n")
        print("\n\n".join(map(describe, shown)))


def find_doubts(gold: Sequence[Gold], predictions: Sequence[tuple[str, str]]) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    ids, counts = {one.id for one in gold}, Counter(name for name, _ in predictions)
    foreign, absent = len(counts.keys() - ids), len(ids - counts.keys())
    twice = sum(count > 1 for count in counts.values())
    without = sum(not one.accepted for one in gold)
    doubts = []
    if not any(answer.strip() for name, answer in predictions if name in ids):
        doubts.append(f"NOTHING IS PREDICTED for the {len(ids)} questions of gold")
    if foreign:
        doubts.append(
            f"{foreign} of {len(counts)} predicted ids are not in gold, and count as wrong; the organisers' evaluator stops at them - "
            "is it the right gold file?"
        )
    if absent:
        doubts.append(
            f"{absent} of {len(ids)} questions have no line in the predictions, which costs nothing: see the figures over all questions"
        )
    if twice:
        doubts.append(f"{twice} ids stand several times in the predictions, and each line counts: leave one of each")
    if without:
        doubts.append(
            f"{without} of {len(ids)} questions of gold have no answer: whatever is predicted for them is wrong"
        )
    return doubts


# What went wrong. Where a prediction was taken from can be told only if gold is a file with passages.


class Kind(StrEnum):
    """Of an answer, in the order of the report."""

    CORRECT = "correct"
    TOO_LONG = "boundary: too long"
    TOO_SHORT = "boundary: too short"
    SAME_PASSAGE = "another piece of a passage with the answer"
    OTHER_PASSAGE = "from passages without the answer"
    NO_PASSAGE = "wrong, and no passage has the answer"
    NOT_IN_PASSAGES = "not a piece of the passages"
    ANOTHER = "another answer"
    NO_ANSWER = "gold has no answer"
    EMPTY = "empty"
    NOT_ANSWERED = "no line in the predictions"
    UNKNOWN_ID = "id not in gold"


def kind_of(comparison: Comparison) -> Kind:
    """What kind of answer a prediction is.

    The boundary is wrong where the formatted prediction contains an accepted answer or is contained in one. ANOTHER is
    any other wrong string where the passages are not known.
    """
    gold, predicted = comparison.gold, comparison.predicted
    if gold is None:
        return Kind.UNKNOWN_ID
    if predicted is None:
        return Kind.NOT_ANSWERED
    if comparison.correct:
        return Kind.CORRECT
    if not format(predicted):
        return Kind.EMPTY
    if not gold.accepted:
        return Kind.NO_ANSWER
    answers = _formatted_answers(gold)
    if any(answer in format(predicted) for answer in answers):
        return Kind.TOO_LONG
    if any(format(predicted) in answer for answer in answers):
        return Kind.TOO_SHORT
    return _origin(predicted, gold)


def _origin(predicted: str, gold: Gold) -> Kind:
    if gold.example is None:
        return Kind.ANOTHER
    origins = {number for number, passage in enumerate(gold.example.passages) if predicted in passage.text}
    if not origins:
        return Kind.NOT_IN_PASSAGES
    supporting = supporting_passages(gold)
    if not supporting:
        return Kind.NO_PASSAGE
    return Kind.SAME_PASSAGE if supporting & origins else Kind.OTHER_PASSAGE


def supporting_passages(gold: Gold) -> set[int]:
    """The numbers, from 0, of the passages in which an accepted answer stands, whether or not the file says that they
    give it."""
    answers = _formatted_answers(gold)
    texts = [format(passage.text) for passage in gold.example.passages] if gold.example else []
    return {number for number, text in enumerate(texts) if any(answer in text for answer in answers)}


def _formatted_answers(gold: Gold) -> list[str]:
    # One that is nothing but punctuation would be a piece of everything.
    return [answer for answer in map(format, gold.accepted) if answer]


#: Ranges of numbers of passages, and the most of each.
SUPPORT = {"0": 0, "1": 1, "2-3": 3, "4-9": 9, "10+": float("inf")}


def support(comparison: Comparison) -> str | None:
    """The range in which the number of passages with the answer is: how much there is to vote. None where the passages
    are not known."""
    if comparison.gold is None or comparison.gold.example is None:
        return None
    count = len(supporting_passages(comparison.gold))
    return next(name for name, most in SUPPORT.items() if count <= most)


def worst(comparisons: Iterable[Comparison], number: int) -> list[Comparison]:
    """Those with the lowest F1 among the wrong answers; where nothing is said, or gold has no answer, there is nothing
    to learn."""
    untold = {Kind.CORRECT, Kind.NO_ANSWER, Kind.EMPTY, Kind.NOT_ANSWERED, Kind.UNKNOWN_ID}
    return sorted((one for one in comparisons if kind_of(one) not in untold), key=lambda one: one.f1)[:number]


def describe(comparison: Comparison) -> str:
    """A few lines on an answer to a gold question: kind and F1, the question, and answer and prediction in a passage
    with them, if known."""
    gold, example = comparison.gold, comparison.gold.example
    texts = [passage.text for passage in example.passages] if example else []
    others = [answer for answer in gold.accepted if answer != gold.standard]
    also = f"   (or {' | '.join(others)})" if others else ""
    lines = [
        f"f1 {comparison.f1:.3f}  {kind_of(comparison)}",
        f"  question   {example.question if example else gold.id}",
        f"  gold       {_in_passage(gold.standard, texts)}{also}",
        f"  predicted  {_in_passage(comparison.predicted or '', texts)}",
    ]
    return "\n".join(map(one_line, lines))


def _in_passage(piece: str, texts: Sequence[str], margin: int = 12) -> str:
    """`…before【piece】after…  in 2 of 5 passages`, of the first that has it; the piece alone if none has."""
    having = [text for text in texts if piece and piece in text]
    if not having:
        return f"【{piece}】"
    start = having[0].find(piece)
    end = start + len(piece)
    before, after = having[0][max(0, start - margin) : start], having[0][end : end + margin]
    dots = ("…" if start > margin else "", "…" if end + margin < len(having[0]) else "")
    return f"{dots[0]}{before}【{piece}】{after}{dots[1]}  in {len(having)} of {len(texts)} passages"


if __name__ == "__main__":
    run(main)
