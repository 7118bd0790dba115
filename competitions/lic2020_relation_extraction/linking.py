"""GPLinker (kexue.fm/archives/8888): a triple as two spans and two links, told one by one. No TensorFlow.

    (subject, class, object) is there where all four scores are above their threshold:
        of the subject's span as a subject                      of the object's span as an object
        of the first tokens of both as linked by the class      of their last tokens as linked by the class

Labels and scores of them, as `features` and `decode` have those of half-pointers.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.decoders import on_grid
from common.generators import pad_features

from features import Span, Window

#: The two ends of spans, each with links of its own; and the two kinds of spans, as the network numbers them.
EDGES = ("first", "last")
SUBJECT, OBJECT = 0, 1
# Scores of links that are looked at together, in numbers: four megabytes.
_AT_ONCE = 2**20
_LEAST = -1e4
# Rounding to the grid moves a score by less than this.
_ROUNDING = 2.0**-10


def collate_links(batch: list[Window]) -> dict[str, np.ndarray]:
    """Windows as the inputs of the encoder, with `entities` int (n, 4): row of the batch, SUBJECT or OBJECT, first and
    last token; and `first_links` and `last_links` int (n, 4): row, class id, token of the subject, token of the
    object. All rows are different."""
    inputs = pad_features([window.arrays for window in batch])
    labels: dict[str, set[tuple[int, int, int, int]]] = {"entities": set(), "first_links": set(), "last_links": set()}
    for row, window in enumerate(batch):
        for subject, objects in window.subjects.items():
            labels["entities"].add((row, SUBJECT, *subject))
            for *span, class_id in objects:
                labels["entities"].add((row, OBJECT, *span))
                for edge, one, other in zip(EDGES, subject, span):
                    labels[f"{edge}_links"].add((row, class_id, one, other))
    return inputs | {name: np.array(sorted(rows), np.int32).reshape(-1, 4) for name, rows in labels.items()}


@dataclass
class LinkScores:
    """What the network says of one window, as far as it is above the lowest thresholds asked for.

    places: int (n, 5): first and last token of a subject, first and last token of an object, class id. span_scores,
    link_scores: float (n,), the lower score of the two spans, and of the two links.
    """

    window: Window
    places: np.ndarray
    span_scores: np.ndarray
    link_scores: np.ndarray

    def objects(self, settings: Any) -> Iterator[tuple[Span, Span, int]]:
        """Subject, object and class of all that is above the thresholds, which are probabilities."""
        return (key for key, _ in self._above(settings))

    def probabilities(self, settings: Any) -> dict[tuple[Span, Span, int], float]:
        """The same with the least probability of the four."""
        return {key: _probability(min(scores)) for key, scores in self._above(settings)}

    def pairs(self, settings: Any) -> Iterator[tuple[Span, float, tuple[int, int, int], float]]:
        """Subject, object (first token, last token, class id) and the probabilities of spans and of links, of all that
        there is."""
        everything = settings._replace(subject_threshold=0, object_threshold=0)
        for (subject, span, class_id), (of_spans, of_links) in self._above(everything):
            yield subject, _probability(of_spans), (*span, class_id), _probability(of_links)

    def _above(self, settings: Any) -> Iterator[tuple[tuple[Span, Span, int], tuple[float, float]]]:
        above = self.span_scores > logit(settings.subject_threshold)
        above &= self.link_scores > logit(settings.object_threshold)
        scores = zip(self.span_scores[above].tolist(), self.link_scores[above].tolist())
        for (begin, end, first, last, class_id), both in zip(self.places[above].tolist(), scores):
            yield ((begin, end), (first, last), class_id), both


def _probability(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def logit(probability: float) -> float:
    """log(p / (1 - p)) of a probability from 0 to 1; of 0 a number above what the network gives to what cannot be."""
    if probability in (0, 1):
        return math.inf if probability else _LEAST
    return math.log(probability) - math.log1p(-probability)


def score_links(
    batch: Sequence[Window], outputs: dict[str, np.ndarray], span_probability: float, link_probability: float
) -> list[LinkScores]:
    """The scores of a batch of windows, from the outputs of `model.linking_network`.

    Of a window at most as many subjects, and as many objects, as it has tokens are looked at, the best ones. All pairs
    of a subject and an object of all windows are looked at together, and links are added up for them alone: an array of
    all spans and classes would need gigabytes.
    """
    lengths = np.array([len(window.encoding) for window in batch])
    subjects, objects = (
        _spans_above(outputs["entities"][:, kind], logit(span_probability), lengths) for kind in (0, 1)
    )
    one, other = _pairs(subjects.rows, objects.rows, len(batch))
    span_scores = np.minimum(subjects.scores[one], objects.scores[other])
    places = np.column_stack([subjects.places[one], objects.places[other]])
    at_once = max(1, _AT_ONCE // outputs["first_subject"].shape[-1])
    found: list[tuple[np.ndarray, ...]] = []
    for begin in range(0, max(1, len(one)), at_once):
        part = slice(begin, begin + at_once)
        links = _link_scores(outputs, subjects.rows[one[part]], places[part])
        pair, class_ids = np.nonzero(links > logit(link_probability))
        told = np.column_stack([places[part][pair], class_ids])
        found.append((subjects.rows[one[part]][pair], told, span_scores[part][pair], links[pair, class_ids]))
    rows, *columns = (np.concatenate(arrays) for arrays in zip(*found))
    ends = np.searchsorted(rows, np.arange(1, len(batch)))
    return [LinkScores(*of_window) for of_window in zip(batch, *(np.split(column, ends) for column in columns))]


@dataclass
class _Spans:
    """Spans of all windows, by window: rows int (n,), places int (n, 2), scores float (n,)."""

    rows: np.ndarray
    places: np.ndarray
    scores: np.ndarray


def _spans_above(scores: np.ndarray, threshold: float, most: np.ndarray) -> _Spans:
    """scores: float (batch, length, length). most: int (batch,), so many spans of each window are enough."""
    places = np.argwhere(scores > threshold - _ROUNDING)
    values = on_grid(scores[tuple(places.T)])
    places, values = places[values > threshold], values[values > threshold]
    best_first = np.lexsort([-values, places[:, 0]])
    rank = np.empty(len(values), int)
    rank[best_first] = np.arange(len(values)) - np.searchsorted(places[:, 0], places[best_first, 0])
    kept = rank < most[places[:, 0]]
    return _Spans(places[kept, 0], places[kept, 1:], values[kept])


def _pairs(rows: np.ndarray, other_rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The indices of all pairs in one row. rows, other_rows: int (n,) and (m,), rising, below `count`."""
    many = np.bincount(other_rows, minlength=count)
    begins = np.cumsum(many) - many
    repeats = many[rows]
    one = np.repeat(np.arange(len(rows)), repeats)
    within = np.arange(len(one)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return one, begins[rows[one]] + within


def _link_scores(outputs: dict[str, np.ndarray], rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """float (pairs, classes), the lower of the scores of both links. places: int (pairs, 4)."""
    of_edges = []
    for edge, name in enumerate(EDGES):
        subject, object_ = places[:, edge], places[:, 2 + edge]
        # On the grid their sum is exact.
        pairs = on_grid(outputs[f"{name}_pairs"][rows, subject, object_])[:, None]
        classes = on_grid(outputs[f"{name}_subject"][rows, subject]) + on_grid(outputs[f"{name}_object"][rows, object_])
        of_edges.append(pairs + classes)
    return np.minimum(*of_edges)
