"""From a trained network to the n-best candidates of every question: batched scoring, then decoding."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from common.decoders import best_spans
from common.encoders import Encoder
from common.generators import pad
from common.prediction import in_groups, one_trace

from choice import Candidate
from model import Lengths, Networks, Window, question_windows
from task import Example


class Reader:
    """Answers questions, whatever their length, order and number.

    max_answer_length: in tokens. candidates: the spans of a question that are looked at, and the longest n-best list.
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
        """The n-best list of every question, in order."""
        groups = question_windows(examples, self.encoder, self.lengths)
        return self.decode(examples, groups, self.score(groups))

    def score(self, groups: Sequence[Sequence[Window]]) -> list[list[np.ndarray]]:
        """For each window of each question the logits of start and end, float32 (length, 2)."""
        return in_groups(self._read, [[window.arrays for window in group] for group in groups], self.batch_size)

    def decode(
        self, examples: Sequence[Example], groups: Sequence[Sequence[Window]], logits: Sequence[Sequence[np.ndarray]]
    ) -> list[list[Candidate]]:
        """Candidates of every question, the most probable first; a context without any token gives an empty list."""
        spans = self._best_spans(groups, logits)
        return [candidates(example.context, group, found) for example, group, found in zip(examples, groups, spans)]

    def _best_spans(self, groups, logits) -> list[list[tuple[int, int, int, float]]]:
        """For each question (window, first token, last token, log-probability), a span that two windows see only
        once."""
        found = []
        for group, scores in zip(groups, logits):
            allowed = pad([window.pair.is_context for window in group])
            padded = pad(scores)
            normaliser = [logsumexp(padded[..., edge][allowed]) if allowed.any() else 0 for edge in (0, 1)]
            spans: dict[tuple[int, int], tuple[int, int, int, float]] = {}
            rows = best_spans(
                padded[..., 0] - normaliser[0],
                padded[..., 1] - normaliser[1],
                allowed,
                self.max_answer_length,
                self.candidates,
            )
            for row, best in enumerate(rows):
                for first, last, score in best:
                    place = group[row].pair.encoding.char_span(first, last)
                    if place not in spans or spans[place][3] < score:
                        spans[place] = (row, first, last, score)
            found.append(sorted(spans.values(), key=lambda span: -span[3])[: self.candidates])
        return found


def candidates(context: str, group: Sequence[Window], spans: Sequence[tuple[int, int, int, float]]) -> list[Candidate]:
    """Equal strings are one candidate: their probabilities add up, since any occurrence would be right."""
    by_text: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for row, first, last, score in spans:
        start, end = group[row].pair.encoding.char_span(first, last)
        by_text[context[start:end]].append((float(np.exp(score)), start))
    merged = [
        Candidate(text, max(places)[1], sum(probability for probability, _ in places))
        for text, places in by_text.items()
    ]
    return sorted(merged, key=lambda candidate: (-candidate.probability, candidate.start))
