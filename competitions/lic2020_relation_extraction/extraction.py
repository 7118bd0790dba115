"""From a trained network to triples: batched scoring, then decoding, which can be repeated at other thresholds for
free."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from common.decoders import pair_starts_with_ends
from common.encoders import Encoder
from common.prediction import in_batches, one_trace

from labels import Labels, Span, assemble
from model import Networks, Window, sentence_windows
from task import Schema, Triple


class Thresholds(NamedTuple):
    """Probabilities above which a start or an end is taken for one."""

    subject: float
    object: float


@dataclass
class Scores:
    """What the network says of one window, as far as it is above the lowest threshold asked for.

    subject_tags: for start and end, token -> probability. object_tags: for each candidate subject, as first and last
    token, the places
    of its tags, int (n, 3): token, class id, 0 for start or 1 for end; and their probabilities, float (n,).
    """

    window: Window
    subject_tags: tuple[dict[int, float], dict[int, float]]
    object_tags: dict[Span, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def subjects(self, threshold: float) -> list[Span]:
        starts, ends = (
            [token for token, probability in tags.items() if probability > threshold] for tags in self.subject_tags
        )
        return pair_starts_with_ends(starts, ends)


class Extractor:
    """Extracts triples from texts, whatever their length, order and number."""

    def __init__(self, networks: Networks, encoder: Encoder, schema: Schema, batch_size: int = 64):
        self.networks, self.encoder, self.schema, self.batch_size = networks, encoder, schema, batch_size
        self._subjects, self._objects = one_trace(networks.subjects), one_trace(networks.objects)

    def extract(self, texts: Sequence[str], thresholds: Thresholds) -> list[list[Triple]]:
        """The triples of every text, in order."""
        return self.decode(texts, self.score(sentence_windows(texts, self.encoder), [thresholds]), thresholds)

    def score(self, all_windows: Sequence[Window], thresholds: Sequence[Thresholds]) -> list[Scores]:
        """Everything that decoding at any of these thresholds needs. The encoder reads every window once."""
        scores: list[Scores | None] = [None] * len(all_windows)
        for batch, (residual, probabilities) in in_batches(
            self._subjects, [window.arrays for window in all_windows], self.batch_size
        ):
            found = self._score_batch(
                [all_windows[index] for index in batch], residual, probabilities.numpy(), thresholds
            )
            for index, result in zip(batch, found):
                scores[index] = result
        return scores

    def decode(self, texts: Sequence[str], scores: Sequence[Scores], thresholds: Thresholds) -> list[list[Triple]]:
        """Triples of every text out of the scores of its windows; what overlapping windows both see counts once."""
        labels: list[Labels] = [defaultdict(set) for _ in texts]
        for score in scores:
            encoding = score.window.encoding
            for subject in score.subjects(thresholds.subject):
                for first, last, class_id in _object_spans(*score.object_tags[subject], thresholds.object):
                    span = encoding.char_span(first, last)
                    labels[score.window.example][encoding.char_span(*subject)].add((span, class_id))
        return [assemble(text, found, self.schema) for text, found in zip(texts, labels)]

    def _score_batch(
        self, batch: list[Window], residual, probabilities, thresholds: Sequence[Thresholds]
    ) -> list[Scores]:
        lowest = min(threshold.subject for threshold in thresholds)
        scores = []
        for window, tags in zip(batch, probabilities):
            tokens = _text_tokens(window)
            scores.append(
                Scores(
                    window,
                    tuple({i: float(tags[i, edge]) for i in tokens if tags[i, edge] > lowest} for edge in (0, 1)),
                )
            )
        candidates = [
            (row, *subject)
            for row, score in enumerate(scores)
            for subject in sorted(
                {subject for threshold in thresholds for subject in score.subjects(threshold.subject)}
            )
        ]
        lowest = min(threshold.object for threshold in thresholds)
        for first in range(0, len(candidates), self.batch_size):
            part = candidates[first : first + self.batch_size]
            found = self._objects([residual, np.array(part, np.int32)]).numpy()
            for (row, *subject), tags in zip(part, found):
                scores[row].object_tags[tuple(subject)] = _tags_above(tags, _text_tokens(batch[row]), lowest)
        return scores


def _text_tokens(window: Window) -> np.ndarray:
    """Indices of the tokens that cover characters: a tag on [CLS], [SEP] or padding means nothing."""
    offsets = window.encoding.offsets
    return np.flatnonzero(offsets[:, 0] < offsets[:, 1])


def _tags_above(probabilities: np.ndarray, tokens: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    inside = probabilities[tokens]
    places = np.argwhere(inside > threshold)
    values = inside[tuple(places.T)]
    places[:, 0] = tokens[places[:, 0]]
    return places.astype(np.int32), values


def _object_spans(places: np.ndarray, probabilities: np.ndarray, threshold: float) -> list[tuple[int, int, int]]:
    """(first token, last token, class id) of the objects above the threshold, starts paired with ends class by
    class."""
    edges: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for token, class_id, edge in places[probabilities > threshold].tolist():
        edges[class_id][edge].append(token)
    return [
        (*span, class_id) for class_id, (starts, ends) in edges.items() for span in pair_starts_with_ends(starts, ends)
    ]
