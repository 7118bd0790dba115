"""From accepted answers to places in the context."""

import re
from collections import Counter

from common.tokenizers import strip_span

from task import Example

CharSpan = tuple[int, int]

NOT_IN_CONTEXT = "answer not in the context"


def answer_spans(example: Example, lost: Counter[str] | None = None) -> list[CharSpan]:
    """Characters [start, end) of the answers in the context, without repetition, in order.

    An answer with a valid start stands there and nowhere else. Without one, every occurrence may be meant, overlapping
    ones too: the training loss lets the model choose. `lost` counts the answers that do not occur.
    """
    spans = set()
    for answer in example.answers or ():
        if not answer.text.strip():
            continue
        length = len(answer.text)
        if answer.start >= 0 and example.context.startswith(answer.text, answer.start):
            found = {answer.start}
        else:
            found = {match.start() for match in re.finditer(f"(?={re.escape(answer.text)})", example.context)}
        # No token holds blanks at the ends. The organisers' metric sees them, but few answers have any.
        spans.update(strip_span(example.context, start, start + length) for start in found)
        if not found and lost is not None:
            lost[NOT_IN_CONTEXT] += 1
    return sorted(spans)
