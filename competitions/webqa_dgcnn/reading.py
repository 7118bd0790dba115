"""From a trained network to the candidate answers of every question: batched scoring, then decoding."""

from collections.abc import Sequence

import numpy as np

from common.decoders import best_spans
from common.encoders import Encoder
from common.generators import pad
from common.prediction import in_groups, one_trace

from model import Lengths, Networks, Window, question_windows
from task import Example
from voting import Candidate


class Reader:
    """Reads the passages of questions, whatever their length, order and number.

    max_answer_length: in tokens. candidates: the spans of a window that are looked at.
    """

    def __init__(
        self,
        networks: Networks,
        encoder: Encoder,
        lengths: Lengths,
        max_answer_length: int,
        candidates: int = 20,
        batch_size: int = 64,
    ):
        self.encoder, self.lengths = encoder, lengths
        self.max_answer_length, self.candidates, self.batch_size = max_answer_length, candidates, batch_size
        self._read = one_trace(networks.reading)

    def read(self, examples: Sequence[Example]) -> list[list[Candidate]]:
        """The candidates of every question, in order."""
        groups = question_windows(examples, self.encoder, self.lengths)
        return self.decode(examples, groups, self.score(groups))

    def score(self, groups: Sequence[Sequence[Window]]) -> list[list[np.ndarray]]:
        """For each window of each question the log-probabilities of start and end, float32 (length, 2). Windows of all
        questions share batches."""
        return in_groups(self._read, [[window.arrays for window in group] for group in groups], self.batch_size)

    def decode(
        self, examples: Sequence[Example], groups: Sequence[Sequence[Window]], scores: Sequence[Sequence[np.ndarray]]
    ) -> list[list[Candidate]]:
        """Candidates of every question, the most probable first. A span that two windows see counts once, with its
        higher probability."""
        found = []
        for example, group, logarithms in zip(examples, groups, scores):
            allowed, padded = pad([window.pair.is_context for window in group]), pad(logarithms)
            candidates: dict[tuple[int, int, int], Candidate] = {}
            if group:
                rows = best_spans(padded[..., 0], padded[..., 1], allowed, self.max_answer_length, self.candidates)
                for window, probabilities, spans in zip(group, np.exp(padded), rows):
                    for first, last, _ in spans:
                        start, end = window.pair.encoding.char_span(first, last)
                        text = example.passages[window.passage].text[start:end]
                        candidate = Candidate(
                            text, window.passage, start, float(probabilities[first, 0]), float(probabilities[last, 1])
                        )
                        place = (window.passage, start, end)
                        if place not in candidates or candidates[place].probability < candidate.probability:
                            candidates[place] = candidate
            found.append(
                sorted(
                    candidates.values(),
                    key=lambda candidate: (-candidate.probability, candidate.passage, candidate.start),
                )
            )
        return found
