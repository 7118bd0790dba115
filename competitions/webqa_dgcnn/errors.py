"""What kinds of questions are answered how well, and what went wrong. Works on the comparisons that metric.compare
returns.

Where a prediction was taken from can be told only if gold is a file with passages.
"""

from collections.abc import Callable, Iterable, Sequence

from metric import Comparison, format
from task import Gold

# Kinds of answers

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
KINDS = (
    CORRECT,
    TOO_LONG,
    TOO_SHORT,
    SAME_PASSAGE,
    OTHER_PASSAGE,
    NO_PASSAGE,
    NOT_IN_PASSAGES,
    ANOTHER,
    NO_ANSWER,
    EMPTY,
    NOT_ANSWERED,
    UNKNOWN_ID,
)


def kind_of(comparison: Comparison) -> str:
    """The one of KINDS that a prediction is.

    The boundary is wrong where the formatted prediction contains an accepted answer or is contained in one. ANOTHER is
    any other wrong string where the passages are not known.
    """
    gold, predicted = comparison.gold, comparison.predicted
    if gold is None:
        return UNKNOWN_ID
    if predicted is None:
        return NOT_ANSWERED
    if comparison.correct:
        return CORRECT
    if not format(predicted):
        return EMPTY
    if not gold.accepted:
        return NO_ANSWER
    return _boundary(format(predicted), gold) or _origin(predicted, gold)


def _boundary(predicted: str, gold: Gold) -> str | None:
    answers = _formatted_answers(gold)
    if any(answer in predicted for answer in answers):
        return TOO_LONG
    return TOO_SHORT if any(predicted in answer for answer in answers) else None


def _origin(predicted: str, gold: Gold) -> str:
    if gold.example is None:
        return ANOTHER
    origins = [number for number, passage in enumerate(gold.example.passages) if predicted in passage.text]
    if not origins:
        return NOT_IN_PASSAGES
    supporting = supporting_passages(gold)
    if not supporting:
        return NO_PASSAGE
    return OTHER_PASSAGE if supporting.isdisjoint(origins) else SAME_PASSAGE


def supporting_passages(gold: Gold) -> set[int]:
    """The numbers, from 0, of the passages in which an accepted answer stands, whether or not the file says that they
    give it."""
    answers = _formatted_answers(gold)
    texts = [format(passage.text) for passage in gold.example.passages] if gold.example else []
    return {number for number, text in enumerate(texts) if any(answer in text for answer in answers)}


def _formatted_answers(gold: Gold) -> list[str]:
    # One that is nothing but punctuation would be a piece of everything.
    return [answer for answer in map(format, gold.accepted) if answer]


# Numbers of passages with the answer

_SUPPORT = {"0": 0, "1": 1, "2-3": 3, "4-9": 9}
MORE = "10+"


def support(gold: Gold) -> str:
    """The range in which the number of passages with the answer is: how much there is to vote."""
    count = len(supporting_passages(gold))
    return next((name for name, most in _SUPPORT.items() if count <= most), MORE)


def breakdown(
    comparisons: Iterable[Comparison], group_of: Callable[[Comparison], str], order: Sequence[str]
) -> dict[str, list[Comparison]]:
    """The comparisons of each group, in `order`. None is empty."""
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(group_of(comparison), []).append(comparison)
    return {name: groups[name] for name in order if name in groups}


def by_kind(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    return breakdown(comparisons, kind_of, KINDS)


def by_support(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    """Only of questions whose passages are known."""
    known = (comparison for comparison in comparisons if comparison.gold and comparison.gold.example)
    return breakdown(known, lambda comparison: support(comparison.gold), (*_SUPPORT, MORE))


# The worst


def worst(comparisons: Iterable[Comparison], number: int) -> list[Comparison]:
    """Those with the lowest F1 among the wrong answers; where nothing is said, or gold has no answer, there is nothing
    to learn."""
    untold = (CORRECT, NO_ANSWER, EMPTY, NOT_ANSWERED, UNKNOWN_ID)
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
    return "\n".join(" ".join(line.splitlines()) for line in lines)


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
