"""The official metric of DuReader-robust: F1 and exact match over questions, in percent.

Written from the behaviour of the organisers' evaluate.py, oddities included, since it decides.
Its F1 is not over characters: the overlap is the longest piece that prediction and answer share without a gap,
and what is not Chinese counts by runs, so that a blank before a number makes it another number.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import NamedTuple

from common.metrics import precision_recall_f1

from task import Answer, Example

# All that is deleted. Much that looks like punctuation is not among it: blanks, ASCII quotes, full stops and hyphens,
# ‘.
_DELETED = str.maketrans("", "", ":_`，。：？！()“”；’《》·、,「」（）－～『』|")

# The blocks of ideographs that the organisers list. A token is one of these characters, one "=", or a run without any
# of them.
_SINGLE = (
    "=\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f"
    "\U0002b740-\U0002b81f\U0002b820-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f"
)
_TOKEN = re.compile(f"[{_SINGLE}]|[^{_SINGLE}]+")


def normalise(text: str) -> str:
    """Lower case, without the punctuation that the organisers delete."""
    return text.lower().translate(_DELETED)


def tokens(text: str) -> list[str]:
    """The tokens of a normalised text: every ideograph and every `=`, and every maximal run of anything else, blanks
    included."""
    return _TOKEN.findall(text)


def overlap(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest run of tokens without a gap that stands in both."""
    # As strings of one character for each different token of `b`, since Python searches those fast.
    characters = {token: chr(number) for number, token in enumerate(dict.fromkeys(b))}
    one, other = ("".join(characters.get(token, chr(sys.maxunicode)) for token in tokens) for tokens in (a, b))
    longest = 0
    for start in range(len(one)):
        while start + longest < len(one) and one[start : start + longest + 1] in other:
            longest += 1
    return longest


def answer_f1(prediction: str, reference: str) -> float:
    """F1 between 0 and 1 of one predicted string and one accepted answer; 0 without overlap, also of two empty
    strings."""
    return token_f1(tokens(normalise(prediction)), tokens(normalise(reference)))


def token_f1(predicted: Sequence[str], wanted: Sequence[str]) -> float:
    """The same of their tokens."""
    shared = overlap(predicted, wanted)
    return precision_recall_f1(shared, len(predicted), shared, len(wanted))["f1"]


@dataclass(frozen=True)
class Comparison:
    """A labelled question and the string predicted for it (None: no answer under its id). `f1` and `em` lie between 0
    and 1.

    `closest` is the accepted answer with the highest F1, the first of equals.
    """

    example: Example
    predicted: str | None
    closest: Answer
    f1: float
    em: float

    @property
    def skipped(self) -> bool:
        return self.predicted is None


class Score(NamedTuple):
    """`f1` and `em` in percent of all questions, with 3 decimals as the organisers print them. `skipped` of the `total`
    questions have no prediction, and count 0."""

    f1: float
    em: float
    total: int
    skipped: int

    def figures(self) -> dict[str, float]:
        """All four by name, in this order."""
        return self._asdict()


def compare(gold: Iterable[Example], predictions: Mapping[str, str]) -> list[Comparison]:
    """Each labelled question with what is predicted under its id; other ids do not matter.

    All of `gold` is compared, though the organisers score the first article of a file only: see `figures`. Raises
    ValueError for a question without labels.
    """
    return [_compare(example, predictions.get(example.id)) for example in gold]


def _compare(example: Example, predicted: str | None) -> Comparison:
    if not example.answers:
        raise ValueError(f'question "{example.id}" has no answers to compare with')
    if predicted is None:
        return Comparison(example, None, example.answers[0], 0.0, 0.0)
    scores = [answer_f1(predicted, answer.text) for answer in example.answers]
    best = max(scores)
    em = float(any(normalise(predicted) == normalise(answer.text) for answer in example.answers))
    return Comparison(example, predicted, example.answers[scores.index(best)], best, em)


def official(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Those of the questions that the organisers' evaluator looks at: those of `data[0]`, the first article of gold."""
    return [one for one in comparisons if one.example.article == 0]


def total(comparisons: Sequence[Comparison]) -> Score:
    """The score of all questions together."""

    def percent(parts: Iterable[float]) -> float:
        # One by one, as the organisers add: since Python 3.12 sum() of floats is cleverer than that.
        return float(f"{100.0 * reduce(add, parts) / len(comparisons):.3f}") if comparisons else 0.0

    return Score(
        percent(comparison.f1 for comparison in comparisons),
        percent(comparison.em for comparison in comparisons),
        len(comparisons),
        sum(comparison.skipped for comparison in comparisons),
    )


def figures(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """The organisers' `f1`, `em`, `total` and `skipped`. Where there are articles that they do not look at (CMRC and
    DRCD have one for each text), also those of all questions, by these names with `_all` behind them."""
    scored = official(comparisons)
    found = total(scored).figures()
    if len(scored) < len(comparisons):
        found |= {f"{name}_all": value for name, value in total(comparisons).figures().items()}
    return found
