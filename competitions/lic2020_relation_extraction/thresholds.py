"""Search both thresholds on dev, and tell honestly what the search is worth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from common.metrics import precision_recall_f1

from extraction import Extractor, Scores, Thresholds
from metric import compare
from task import Example

_STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
#: From the middle outwards: of equally good pairs the first one is taken, and the mildest is the safest.
GRID = sorted(
    (Thresholds(subject, object_) for subject in _STEPS for object_ in _STEPS), key=lambda pair: abs(pair.subject - 0.4) + abs(pair.object - 0.4)
)


class Found(NamedTuple):
    """`f1` is measured on the sentences that chose the thresholds. `crossed_f1` is not: thresholds chosen on one half of the
    sentences, measured on the other, both ways. It is what to expect on test."""

    thresholds: Thresholds
    f1: float
    crossed_f1: float


def search_thresholds(extractor: Extractor, examples: Sequence[Example], scores: Sequence[Scores], seed: int) -> Found:
    """The pair of GRID with the highest F1. `scores` come from `extractor.score(..., GRID)`."""
    texts = [example.text for example in examples]
    gold = [(example.text, example.triples) for example in examples]
    counts = np.array([_counts(gold, list(zip(texts, extractor.decode(texts, scores, pair)))) for pair in GRID])  # (grid, sentences, 3)
    f1 = _f1(counts)
    best = int(np.argmax(f1))
    halves = np.random.default_rng(seed).permutation(counts.shape[1]) % 2
    crossed = sum(counts[np.argmax(_f1(counts[:, halves == half])), halves != half].sum(0) for half in (0, 1))
    return Found(GRID[best], float(f1[best]), float(_f1(crossed[None, None])[0]))


def _counts(gold, predictions) -> np.ndarray:
    """Correct, predicted and gold triples of each sentence, int (sentences, 3)."""
    return np.array([(len(one.correct), len(one.predicted), len(one.gold)) for one in compare(gold, predictions)])


def _f1(counts: np.ndarray) -> np.ndarray:
    """F1 of counts (n, sentences, 3), float (n,)."""
    return np.array([precision_recall_f1(correct, predicted, correct, gold)["f1"] for correct, predicted, gold in counts.sum(1).tolist()])
