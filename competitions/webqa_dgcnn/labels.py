"""From accepted answers to places in a passage."""

import re

from metric import fold
from task import Example

CharSpan = tuple[int, int]

_SEPARATORS = re.compile(r"[\W_]+")


def answer_spans(example: Example, passage: int) -> list[CharSpan] | None:
    """Characters [start, end) of all accepted answers in one passage of a question, in order; none overlaps another,
    and of those that begin together the longest counts.

    Empty where the organisers say that the passage holds no answer, whatever stands in it. None where they say it does,
    but none is found.
    """
    holds = example.passages[passage]
    if not holds.answer:
        return []
    folded = fold(holds.text)
    answers = {fold(answer.strip()) for answer in (*(example.answers or ()), holds.answer)} - {""}
    longest_first = sorted(answers, key=lambda answer: (-len(answer), answer))
    # The parts of "an answer of several parts" may be put together in another way; but if a passage has it as it is
    # written, that is what is meant.
    for pattern in (_as_written, _in_parts):
        found = re.finditer("|".join(map(pattern, longest_first)), folded) if answers else ()
        spans = [match.span() for match in found]
        if spans:
            return spans
    return None


def _as_written(answer: str) -> str:
    return _whole(re.escape(answer), answer)


def _in_parts(answer: str) -> str:
    parts = [part for part in _SEPARATORS.split(answer) if part]
    return _whole(r"[\W_]{1,3}".join(map(re.escape, parts)), "".join(parts)) if parts else r"(?!)"


def _whole(pattern: str, answer: str) -> str:
    """Not out of the middle of a number or of a word in Latin letters: 5 is no answer where 2015 stands."""
    before, after = (
        next((kind for kind in ("[0-9]", "[a-z]") if re.match(kind, edge)), None) for edge in (answer[:1], answer[-1:])
    )
    return (f"(?<!{before})" if before else "") + pattern + (f"(?!{after})" if after else "")
