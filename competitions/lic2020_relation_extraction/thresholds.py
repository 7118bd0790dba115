"""The search of both thresholds on dev."""

from collections.abc import Sequence

import numpy as np

from common.dev_search import Found, search
from common.metrics import precision_recall_f1

from extraction import Extractor, Scores, Thresholds
from metric import compare
from task import Example

_STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
#: From the middle outwards: of equally good pairs the first one is taken, and the mildest is the safest.
GRID = sorted(
    (Thresholds(subject, object_) for subject in _STEPS for object_ in _STEPS),
    key=lambda pair: abs(pair.subject - 0.4) + abs(pair.object - 0.4),
)


def search_thresholds(extractor: Extractor, examples: Sequence[Example], scores: Sequence[Scores], seed: int) -> Found:
    """The pair of GRID with the highest F1. `scores` come from `extractor.score(..., GRID)`."""
    texts = [example.text for example in examples]
    gold = [(example.text, example.triples) for example in examples]
    counts = np.array([_counts(gold, list(zip(texts, extractor.decode(texts, scores, pair)))) for pair in GRID])
    return search(GRID, counts, _f1, seed)


def _counts(gold, predictions) -> np.ndarray:
    """Correct, predicted and gold triples of each sentence, int (sentences, 3)."""
    return np.array([(len(one.correct), len(one.predicted), len(one.gold)) for one in compare(gold, predictions)])


def _f1(total: np.ndarray) -> float:
    correct, predicted, gold = total.tolist()
    return precision_recall_f1(correct, predicted, correct, gold)["f1"]
