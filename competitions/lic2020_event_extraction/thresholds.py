"""The search of the threshold on dev."""

from collections.abc import Sequence

import numpy as np

from common.dev_search import Found, search
from common.metrics import precision_recall_f1

from extraction import Scores, decode
from labels import Classes
from metric import compare
from task import Example

#: From the middle outwards: of equally good ones the first is taken, and the mildest is the safest.
GRID = sorted((step / 2 for step in range(-8, 3)), key=lambda threshold: abs(threshold + 1.5))


def search_threshold(examples: Sequence[Example], scores: Sequence[Scores], classes: Classes, seed: int) -> Found:
    """The threshold of GRID with the highest F1. `scores` come from `Extractor.score(..., GRID)`."""
    texts = [example.text for example in examples]
    counts = np.array([_counts(examples, decode(texts, scores, threshold, classes)) for threshold in GRID])
    return search(GRID, counts, _f1, seed)


def _counts(examples: Sequence[Example], predictions) -> np.ndarray:
    """Credit, predicted and gold arguments of each text, float (texts, 3)."""
    comparisons = compare(
        [(example.id, example.events) for example in examples],
        [(e.id, events) for e, events in zip(examples, predictions)],
    )
    return np.array([(sum(one.credits), len(one.predicted), len(one.gold)) for one in comparisons])


def _f1(total: np.ndarray) -> float:
    credit, predicted, gold = total.tolist()
    return precision_recall_f1(credit, predicted, credit, gold)["f1"]
