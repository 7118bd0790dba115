"""The organisers' score of a submission, and what went wrong in it. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions predictions.json
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.archives import check_size
from common.command_line import one_line, parse_flags, print_skipped, run, table, warn
from common.error_report import grouped

from metric import Comparison, compare, figures, official, total
from task import UNANSWERABLE, occurrences, read, read_submission

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
    """Print one JSON object with f1, em, total and skipped, and nothing else, on stdout. Where gold has articles that
    the organisers do not look at, also with those of all questions: f1_all, em_all, total_all and skipped_all."""
    max_megabytes: int | None = None
    """Largest size of the unpacked predictions, in megabytes. Default: 100 times gold, and at least 10."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its `figures`. Raises UserError for files that cannot be read."""
    config = parse_flags(Config, argv)
    check_size(config.predictions, config.gold, config.max_megabytes)
    skipped: Counter[str] = Counter()
    gold = read(config.gold, labelled=True, skipped=skipped)
    repeated: Counter[str] = Counter()
    predictions = read_submission(config.predictions, repeated)
    comparisons = compare(gold, predictions)
    if config.json:
        print(json.dumps(figures(comparisons)))
    else:
        print_report(official(comparisons))
        print_skipped(config.gold, skipped)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(comparisons, predictions, repeated, skipped[UNANSWERABLE]):
        warn(message)
    return figures(comparisons)


def print_report(comparisons: list[Comparison]) -> None:
    """The figures with their counts; tables by kind of answer, question and length; and the worst answers beside
    gold."""
    score = total(comparisons)
    print(f"f1      {score.f1:7.3f}   over {score.total} questions")
    print(f"em      {score.em:7.3f}   {sum(one.em for one in comparisons):.0f} answers equal an accepted one")
    print(f"skipped {score.skipped:7}   without an answer\n")
    for title, (group_of, order) in TABLES.items():
        parts = {name: total(group) for name, group in grouped(comparisons, group_of, order).items()}
        rows = [
            [name, part.total, f"{100 * part.total / score.total:.1f}%", f"{part.f1:.3f}", f"{part.em:.3f}"]
            for name, part in parts.items()
        ]
        print(table([title, "questions", "share", "f1", "em"], rows) + "\n")
    shown = worst(comparisons, SHOWN)
    if shown:
        print(f"worst answers ({len(shown)})\n")
        print("\n\n".join(map(describe, shown)))


def find_doubts(
    comparisons: list[Comparison], predictions: dict[str, str], repeated: Counter[str], unanswerable: int
) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence. unanswerable:
    the questions of gold that have no answer, and so no comparison."""
    doubts = []
    scored = official(comparisons)
    score, everything = total(scored), total(comparisons)
    ids = {one.example.id for one in comparisons}
    if not any((one.predicted or "").strip() for one in scored):
        doubts.append(f"NOTHING IS PREDICTED for the {len(scored)} questions of gold")
    foreign = max(0, len(predictions.keys() - ids) - unanswerable)  # these may be predicted, too
    if foreign:
        doubts.append(f"{foreign} of {len(predictions)} predicted ids are not in gold - is it the right gold file?")
    if score.skipped:
        doubts.append(f"{score.skipped} of {score.total} questions have no answer in the predictions: each counts 0")
    if repeated:
        doubts.append(f"{len(repeated)} ids stand several times in the predictions: the last answer counts")
    again = len(scored) - len({one.example.id for one in scored})
    if again:
        doubts.append(f"{again} questions of gold stand there twice, and count twice")
    if unanswerable:
        doubts.append(
            f"{unanswerable} questions of gold have no answer, and are left out; the organisers' evaluator gives each f1 0, or stops at it"
        )
    if len(scored) < len(comparisons):
        doubts.append(
            f"the organisers score the first article of gold only, {len(scored)} of {len(comparisons)} questions; "
            f"over all: f1 {everything.f1:.3f}, em {everything.em:.3f}, {everything.skipped} skipped"
        )
    return doubts


# Kinds of answers

EXACT = "exact"
TOO_LONG = "boundary: too long"
TOO_SHORT = "boundary: too short"
SHIFTED = "boundary: shifted"
ELSEWHERE = "elsewhere, a piece of the answer in it"
NO_OVERLAP = "no overlap"
NOT_IN_CONTEXT = "not a piece of the context"
NOT_ANSWERED = "not answered"
KINDS = (EXACT, TOO_LONG, TOO_SHORT, SHIFTED, ELSEWHERE, NO_OVERLAP, NOT_IN_CONTEXT, NOT_ANSWERED)


def kind_of(comparison: Comparison) -> str:
    """The one of KINDS that a prediction is; against the closest accepted answer, where there are several.

    The boundary is wrong where an occurrence of the prediction in the context and one of the answer have characters in
    common. ELSEWHERE is a wrong place with something like the answer in it: the right kind of thing, often a
    distractor.
    """
    predicted, context, answer = comparison.predicted, comparison.example.context, comparison.closest
    if comparison.em:
        return EXACT
    if not predicted or not predicted.strip():
        return NOT_ANSWERED
    if predicted not in context:
        return NOT_IN_CONTEXT
    kinds = {
        _boundary(start, start + len(predicted), wanted, wanted + len(answer.text))
        for start in occurrences(predicted, context)
        for wanted in occurrences(answer.text, context)
    }
    for kind in (TOO_LONG, TOO_SHORT, SHIFTED):
        if kind in kinds:
            return kind
    return ELSEWHERE if comparison.f1 else NO_OVERLAP


def _boundary(start: int, end: int, wanted_start: int, wanted_end: int) -> str | None:
    """How the piece from `start` to before `end` relates to the wanted one; None: not at all."""
    if start <= wanted_start and wanted_end <= end:
        return TOO_LONG
    if wanted_start <= start and end <= wanted_end:
        return TOO_SHORT
    return SHIFTED if start < wanted_end and wanted_start < end else None


# Kinds of questions

# The first that fits decides, so that 为什么 is not a 什么, 几月 no number, 多长时间 no date, and 哪里 no 哪个. Search queries
# often go without a question word: what asks for a 时间 or 日期 asks for a date all the same.
_QUESTION_TYPES = {
    "who": r"谁|(?:什么|何|哪一?[个位些])人(?![群员口])|哪一?位",
    "number": r"多少|多[久长大高远重宽深厚快]|几(?![点号月日时])",
    "when": r"什么时[候间]|[何几]时|哪一?[年天月日]|几[点号月日]|时间|日期|生日",
    "where": r"哪[里儿]|(?:什么|哪一?个|哪些|何)(?:地方|地区|国家|城市|省(?!钱)|市|县)|何[处地]|(?:在|位于|出自)哪|哪[国省市县]",
    "how, why": r"怎么|怎样|如何|(?<![因称名译])为什么|为何|为啥|咋",
    "which": r"哪",
    "what": r"什么|啥|何",
}
NO_QUESTION_WORD = "no question word"


def question_type(question: str) -> str:
    """What a question asks for, by its words."""
    return next((name for name, pattern in _QUESTION_TYPES.items() if re.search(pattern, question)), NO_QUESTION_WORD)


# Answer lengths

_LENGTHS = {"1-4": 4, "5-8": 8, "9-16": 16}
LONGER = "17+"


def answer_length(comparison: Comparison) -> str:
    """The range in which the length of the shortest accepted answer is, in characters."""
    shortest = min(len(answer.text) for answer in comparison.example.answers if answer.text.strip())
    return next((name for name, longest in _LENGTHS.items() if shortest <= longest), LONGER)


#: What the report has a table of: how to group the comparisons, and in which order.
TABLES: dict[str, tuple[Callable[[Comparison], str], Sequence[str]]] = {
    "answers": (kind_of, KINDS),
    "question type": (lambda comparison: question_type(comparison.example.question), ()),
    "characters in the shortest gold answer": (answer_length, (*_LENGTHS, LONGER)),
}


# The worst


def worst(comparisons: Iterable[Comparison], number: int) -> list[Comparison]:
    """Those with the lowest F1 among the wrong answers; questions without an answer teach nothing and are left out."""
    answered = (comparison for comparison in comparisons if kind_of(comparison) not in (EXACT, NOT_ANSWERED))
    return sorted(answered, key=lambda comparison: comparison.f1)[:number]


def describe(comparison: Comparison) -> str:
    """Four lines: kind and F1, the question, and answer and prediction in what surrounds them."""
    context, answer = comparison.example.context, comparison.closest
    others = [other.text for other in comparison.example.answers if other != answer]
    also = f"   (or {' | '.join(others)})" if others else ""
    lines = (
        f"f1 {comparison.f1:.3f}  {kind_of(comparison)}",
        f"  question   {comparison.example.question}",
        f"  gold       {_in_context(answer.text, context, answer.start)}{also}",
        f"  predicted  {_in_context(comparison.predicted or '', context)}",
    )
    return "\n".join(map(one_line, lines))


def _in_context(piece: str, context: str, start: int = -1, margin: int = 12) -> str:
    """`…before【piece】after…`: at `start` if it is there, else where it stands first; alone if it stands nowhere."""
    if start < 0 or not context.startswith(piece, start):
        start = context.find(piece)
    if start < 0 or not piece:
        return f"【{piece}】"
    end = start + len(piece)
    before, after = context[max(0, start - margin) : start], context[end : end + margin]
    return f"{'…' if start > margin else ''}{before}【{piece}】{after}{'…' if end + margin < len(context) else ''}"


if __name__ == "__main__":
    run(main)
