"""What kinds of questions are answered how well, and what went wrong. Works on the comparisons that metric.compare
returns."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from metric import Comparison

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
        for start in _occurrences(predicted, context)
        for wanted in _occurrences(answer.text, context)
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


def _occurrences(piece: str, context: str) -> Iterator[int]:
    """Where `piece` begins in the context, everywhere, also where it overlaps with itself; an empty one nowhere."""
    start = context.find(piece) if piece else -1
    while start >= 0:
        yield start
        start = context.find(piece, start + 1)


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


def breakdown(
    comparisons: Iterable[Comparison], group_of: Callable[[Comparison], str], order: Sequence[str] = ()
) -> dict[str, list[Comparison]]:
    """The comparisons of each group: groups in `order`, if it names them, else the largest first. None is empty."""
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(group_of(comparison), []).append(comparison)
    rank = {name: number for number, name in enumerate(order)}
    return dict(sorted(groups.items(), key=lambda item: (rank.get(item[0], len(rank)), -len(item[1]), item[0])))


def by_question_type(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    return breakdown(comparisons, lambda comparison: question_type(comparison.example.question))


def by_answer_length(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    return breakdown(comparisons, answer_length, (*_LENGTHS, LONGER))


def by_kind(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    return breakdown(comparisons, kind_of, KINDS)


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
    return "\n".join(
        _one_line(line)
        for line in (
            f"f1 {comparison.f1:.3f}  {kind_of(comparison)}",
            f"  question   {comparison.example.question}",
            f"  gold       {_in_context(answer.text, context, answer.start)}{also}",
            f"  predicted  {_in_context(comparison.predicted or '', context)}",
        )
    )


def _in_context(piece: str, context: str, start: int = -1, margin: int = 12) -> str:
    """`…before【piece】after…`: at `start` if it is there, else where it stands first; alone if it stands nowhere."""
    if start < 0 or not context.startswith(piece, start):
        start = context.find(piece)
    if start < 0 or not piece:
        return f"【{piece}】"
    end = start + len(piece)
    before, after = context[max(0, start - margin) : start], context[end : end + margin]
    return f"{'…' if start > margin else ''}{before}【{piece}】{after}{'…' if end + margin < len(context) else ''}"


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
