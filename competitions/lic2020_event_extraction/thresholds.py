"""Search the threshold on dev, and tell honestly what the search is worth."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from common.metrics import precision_recall_f1

from extraction import Scores, decode
from labels import Classes
from metric import compare
from task import Example

#: From the middle outwards: of equally good ones the first is taken, and the mildest is the safest.
GRID = sorted((step / 2 for step in range(-8, 3)), key=lambda threshold: abs(threshold + 1.5))


class Found(NamedTuple):
    """`f1` is measured on the texts that chose the threshold. `crossed_f1` is not: a threshold chosen on one half of the texts,
    measured on the other, both ways. It is what to expect on test."""

    threshold: float
    f1: float
    crossed_f1: float


def search_threshold(examples: Sequence[Example], scores: Sequence[Scores], classes: Classes, seed: int) -> Found:
    """The threshold of GRID with the highest F1. `scores` come from `Extractor.score(..., GRID)`."""
    texts = [example.text for example in examples]
    counts = np.array([_counts(examples, decode(texts, scores, threshold, classes)) for threshold in GRID])  # (grid, texts, 3)
    f1 = _f1(counts)
    best = int(np.argmax(f1))
    halves = np.random.default_rng(seed).permutation(counts.shape[1]) % 2
    crossed = sum(counts[np.argmax(_f1(counts[:, halves == half])), halves != half].sum(0) for half in (0, 1))
    return Found(GRID[best], float(f1[best]), float(_f1(crossed[None, None])[0]))


def _counts(examples: Sequence[Example], predictions) -> np.ndarray:
    """Credit, predicted and gold arguments of each text, float (texts, 3)."""
    comparisons = compare([(example.id, example.events) for example in examples], [(e.id, events) for e, events in zip(examples, predictions)])
    return np.array([(sum(one.credits), len(one.predicted), len(one.gold)) for one in comparisons])


def _f1(counts: np.ndarray) -> np.ndarray:
    """F1 of counts (n, texts, 3), float (n,)."""
    return np.array([precision_recall_f1(credit, predicted, credit, gold)["f1"] for credit, predicted, gold in counts.sum(1).tolist()])
