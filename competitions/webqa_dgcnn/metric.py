"""The metric of SogouQA, which WebQA answers are scored with too: accuracy, F1 of characters, and their mean.

Written from the behaviour of the organisers' evaluator, oddities included, since it decides.
It divides by the lines of the submission, so that a question left out costs nothing: the figures over all questions
stand beside its own.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from common.metrics import character_f1

from task import Gold

# What the organisers take for punctuation, which is not all that is.
_PUNCTUATION = (
    "`^~<=>|_-,;:!?/.'\"()[]{}@$*\\&#%+\x7f…‰※•—‖‘’“”№←↑→↓∴∨∵∶∩∈∑√∞≯≡≮≤≥≈≌⊥⊙⌒□◆◇◎●★☆♀♂¨°·§¤±"
    "\u3000、。〃々〈〉《》「」『』【】〓〔〕〖〗÷×′▲″△∠≠■ˇˉ￣￥＿！＄（）．：；？～﹑￠，"
)
_TO_HALF_WIDTH = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}
_TO_LOWER = {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
_TO_BLANK = str.maketrans(dict.fromkeys(_PUNCTUATION, " "))
_DELETED = dict.fromkeys(map(ord, " \t\n\r\v\f"))


def fold(text: str) -> str:
    """Half width, ASCII letters in lower case. One character stays one character, so that places in the text stay
    right."""
    return text.translate(_TO_HALF_WIDTH).translate(_TO_LOWER)


def format(text: str) -> str:
    """`fold`, without punctuation and ASCII whitespace: the organisers' format()."""
    return fold(text).translate(_TO_BLANK).translate(_DELETED)


def parts(text: str) -> frozenset[str]:
    """The parts of an answer between blanks and punctuation, each formatted. Two marks in a row have an empty part
    between them."""
    return frozenset(map(format, text.translate(_TO_BLANK).translate(_TO_LOWER).split(" ")))


def is_correct(predicted: str, gold: Gold) -> bool:
    """Whether the formatted prediction equals a formatted accepted answer, or the parts of the prediction are those of
    the standard answer.

    The organisers also compare with the accepted answers as they are, which adds nothing. An empty prediction is wrong,
    and any where gold has no answer.
    """
    if not predicted or not gold.accepted:
        return False
    formatted = format(predicted)
    return any(formatted == format(answer) for answer in gold.accepted) or parts(predicted) == parts(gold.standard)


def answer_f1(predicted: str, gold: Gold) -> float:
    """The best F1 of characters, from 0 to 1, between the formatted prediction and a formatted accepted answer."""
    formatted = format(predicted)
    return max((character_f1(formatted, format(answer)) for answer in gold.accepted), default=0.0)


@dataclass(frozen=True)
class Comparison:
    """A line of the submission with the gold of its id (None: there is none), or a gold question without a line
    (`predicted` None)."""

    gold: Gold | None
    predicted: str | None
    correct: bool
    f1: float


@dataclass(frozen=True)
class Score:
    """Sums over the `answered` lines of a submission for `questions` questions."""

    correct: int
    f1_sum: float
    answered: int
    questions: int

    @property
    def accuracy(self) -> float:
        return _mean(self.correct, self.answered)

    @property
    def f1(self) -> float:
        return _mean(self.f1_sum, self.answered)

    @property
    def score(self) -> float:
        return (self.accuracy + self.f1) / 2

    def over_all(self) -> "Score":
        """The same sums, divided by all questions: those without a line count 0."""
        return Score(self.correct, self.f1_sum, self.questions, self.questions)

    def figures(self) -> dict[str, float]:
        """`accuracy`, `f1` and `score` (0 to 1) as the organisers divide, `answered`, `questions`, and with `_all` the
        three over all questions."""
        names = ("accuracy", "f1", "score")
        return {
            **{name: getattr(self, name) for name in names},
            "answered": self.answered,
            "questions": self.questions,
            **{f"{name}_all": getattr(self.over_all(), name) for name in names},
        }


def compare(gold: Iterable[Gold], predictions: Iterable[tuple[str, str]]) -> list[Comparison]:
    """Each predicted (id, answer) with its gold, in order, then the gold questions without one.

    An id that stands twice counts twice, as for the organisers. At one that gold does not have their evaluator stops;
    here it is a wrong answer.
    """
    by_id = {one.id: one for one in gold}
    comparisons = []
    for name, predicted in predictions:
        wanted = by_id.get(name)
        figures = (is_correct(predicted, wanted), answer_f1(predicted, wanted)) if wanted else (False, 0.0)
        comparisons.append(Comparison(wanted, predicted, *figures))
    answered = {one.gold.id for one in comparisons if one.gold}
    return comparisons + [Comparison(one, None, False, 0.0) for one in by_id.values() if one.id not in answered]


def total(comparisons: Sequence[Comparison]) -> Score:
    """The sum over comparisons."""
    return Score(
        correct=sum(one.correct for one in comparisons),
        # fsum is exact, so that the order of the lines does not change the last digit.
        f1_sum=math.fsum(one.f1 for one in comparisons),
        answered=sum(one.predicted is not None for one in comparisons),
        questions=len({one.gold.id for one in comparisons if one.gold is not None}),
    )


def _mean(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
