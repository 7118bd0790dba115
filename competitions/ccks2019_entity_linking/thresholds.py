"""The search of the threshold on dev."""

from collections.abc import Sequence

import numpy as np

from common.dev_search import Found, search
from common.metrics import precision_recall_f1

from linking import TextScores, decode
from metric import compare, links
from task import Example

#: From the middle outwards: of equally good ones the first is taken, and the mildest is the safest.
GRID = sorted((step / 20 for step in range(3, 16)), key=lambda threshold: abs(threshold - 0.4))


def search_threshold(examples: Sequence[Example], scores: Sequence[TextScores], seed: int) -> Found:
    """The threshold of GRID with the highest F1."""
    texts = [example.text for example in examples]
    counts = np.array([_counts(examples, decode(texts, scores, threshold)) for threshold in GRID])
    return search(GRID, counts, lambda total: precision_recall_f1(total[0], total[1], total[0], total[2])["f1"], seed)


def _counts(examples: Sequence[Example], predictions) -> np.ndarray:
    """Right, predicted and gold links of each text, int (texts, 3)."""
    comparisons = compare(
        [(example.id, example.mentions) for example in examples],
        [(e.id, found) for e, found in zip(examples, predictions)],
    )
    return np.array(
        [
            (len(links(one.gold)) - len(one.missed), len(links(one.predicted)), len(links(one.gold)))
            for one in comparisons
        ]
    )
