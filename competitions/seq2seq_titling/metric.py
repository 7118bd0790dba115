"""The metric of title generation: ROUGE-1, ROUGE-2 and ROUGE-L of characters by `rouge`, BLEU of characters by `nltk`.

Those two libraries decide, oddities included, for the figures in papers come from them; they are called as bert4keras'
examples of title generation call them. ROUGE-L alone is computed here, in a time that is linear in the length of gold:
the library needs a dictionary of all pairs of characters (16 seconds for 5,000 of gold and 1,000 predicted).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rouge import Rouge

from task import Example


class Scores(NamedTuple):
    """The four scores of a title, or their means over titles, each from 0 to 1."""

    rouge_1: float
    rouge_2: float
    rouge_l: float
    bleu: float

    def figures(self) -> dict[str, float]:
        """`rouge-1`, `rouge-2` and `rouge-l` (F values) and `bleu`."""
        return {name.replace("_", "-"): value for name, value in self._asdict().items()}


_NOTHING = Scores(0.0, 0.0, 0.0, 0.0)


def score(gold: str, predicted: str) -> Scores:
    """The scores of a predicted title, in lower case and with a blank between any two characters, as the libraries want
    it.

    What `rouge` 1.0.1 makes of it: each character, also of the common subsequence, and each pair of characters counts
    once, however often it stands there. Whitespace is nothing. A "." is no character but the end of a sentence: pairs
    go across, common subsequences are those of any two sentences, put together, and a sentence without characters is
    one empty word. Being right is worth 0.999999995, since F divides by 1e-8 more, but rouge-2 of a single character is
    0. A lone "." is refused as empty, like an empty gold title: then all four are 0, as they are for a blank
    prediction.

    BLEU is that of one sentence, of up to four characters in a row, each counting as often as both titles have it.
    Where none are common, 0.1 are taken for common (method 1); where not even one character is, it is 0. A blank inside
    of a title is two empty words here; other whitespace and "." are characters.
    """
    # Here, since it takes seconds, for which a script that is asked for its flags cannot wait.
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    reference, hypothesis = _spaced(gold), _spaced(predicted)
    if not hypothesis.strip():
        return _NOTHING
    try:
        (rouge,) = Rouge(["rouge-1", "rouge-2"]).get_scores(hypothesis, reference)
    except ValueError:  # one of them is empty to rouge
        return _NOTHING
    bleu = sentence_bleu([reference.split(" ")], hypothesis.split(" "), smoothing_function=SmoothingFunction().method1)
    return Scores(rouge["rouge-1"]["f"], rouge["rouge-2"]["f"], _rouge_l(reference, hypothesis), float(bleu))


def _spaced(title: str) -> str:
    return " ".join(title).lower()


def _rouge_l(reference: str, hypothesis: str) -> float:
    """The `f` of `rouge-l` that `Rouge().get_scores(hypothesis, reference)` gives, to the last bit, where it gives
    one."""
    ours, theirs = _sentences(reference), _sentences(hypothesis)
    common: set[str] = set()
    for one in ours:
        for other in theirs:
            if not ours[one] & theirs[other] <= common:  # or this pair cannot add a word
                common |= _common_subsequence(one, other)
    recall, precision = (len(common) / len(set().union(*sentences)) for sentences in (ours, theirs))
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


def _sentences(title: str) -> dict[tuple[str, ...], set[str]]:
    """The different sentences of a title: their words, in order and as a set."""
    parts = (tuple(part.split()) or ("",) for part in title.split(".") if part)
    return {words: set(words) for words in parts}


def _common_subsequence(one: Sequence[str], other: Sequence[str]) -> set[str]:
    """The words of the longest common subsequence that `rouge` finds among equally long ones: it goes back from both
    ends, and in doubt in `other`.

    A row of the usual table is one whole number (Hyyro 2004, Bit-parallel LCS-length computation revisited): bit j is 0
    where the length of one[:i] and other[: j + 1] is more than that of one[:i] and other[:j].
    """
    places: dict[str, int] = {}
    for j, word in enumerate(other):
        places[word] = places.get(word, 0) | 1 << j
    row, all_bits, rows = (1 << len(other)) - 1, (1 << len(other)) - 1, []
    for word in one:
        same = row & places.get(word, 0)
        row = (row + same | row - same) & all_bits
        rows.append(row)
    i, j, found = len(one) - 1, len(other) - 1, set()
    while i >= 0 and j >= 0:
        if one[i] == other[j]:
            found.add(one[i])
            i, j = i - 1, j - 1
        elif rows[i] >> j & 1:
            j -= 1
        else:
            i -= 1
    return found


@dataclass(frozen=True)
class Comparison:
    """A labelled example, the title predicted for it, and its scores."""

    example: Example
    predicted: str
    scores: Scores


def compare(examples: Sequence[Example], predicted: Sequence[str]) -> list[Comparison]:
    """Each example with the title at its place, under a millisecond each. Raises ValueError for unequal numbers, and
    for an unlabelled example."""
    if any(example.title is None for example in examples):
        raise ValueError("there are texts without a title to compare with")
    return [
        Comparison(example, title, score(example.title, title))
        for example, title in zip(examples, predicted, strict=True)
    ]


def total(scores: Iterable[Scores]) -> Scores:
    """The means over titles; 0.0 where there are none."""
    scores = list(scores)
    # fsum is exact, so that the order of the titles does not change the last digit.
    return Scores(*(math.fsum(values) / len(scores) for values in zip(*scores))) if scores else _NOTHING
