"""From logits to answers: batched scoring, candidates, and the vote of the passages (kexue.fm/archives/5409). No
TensorFlow.

The logits are put on a grid first, and all else is computed from them in double precision and in an order that they
alone decide: an answer does not depend on the batch that it was found in, and what is equally probable goes by its
place, the earlier first."""

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import numpy as np

from common.decoders import best_spans, on_grid
from common.encoders import Encoder
from common.generators import BATCH_TOKENS, pad
from common.prediction import in_groups, one_trace
from common.runs.values import Between

from features import Lengths, Window, question_windows
from metric import compare, format
from task import Example, Gold


class Settings(NamedTuple):
    """threshold: both probabilities of a candidate that may vote are above it. exponent: of a vote."""

    threshold: Annotated[float, Between(0, 1)] = 0.1
    exponent: Annotated[float, Between(0, math.inf)] = 2.0


#: Those of the original first: of equally good ones the first are taken.
GRID = [Settings(threshold, exponent) for threshold in (0.1, 0.0, 0.05, 0.2, 0.3) for exponent in (2.0, 1.0, 1.5, 3.0)]


def grid_with(threshold: float | None, exponent: float | None) -> list[Settings]:
    """GRID, each once, with what is not None in place of what it has."""
    given = {"threshold": threshold, "exponent": exponent}
    given = {name: value for name, value in given.items() if value is not None}
    return [*dict.fromkeys(settings._replace(**given) for settings in GRID)]


class Candidate(NamedTuple):
    """A string of a passage, the index of its first character there, and the probabilities that an answer begins and
    ends where it does."""

    text: str
    passage: int
    start: int
    start_probability: float
    end_probability: float

    @property
    def probability(self) -> float:
        return self.start_probability * self.end_probability

    def record(self) -> dict[str, Any]:
        return {**self._asdict(), "probability": self.probability}


class Predictor:
    """Answers questions, whatever their length, order and number.

    network: of `build_network`. max_answer_length: in tokens.
    """

    def __init__(
        self, network, encoder: Encoder, lengths: Lengths, max_answer_length: int, batch_tokens: int = BATCH_TOKENS
    ):
        self.network, self.encoder, self.lengths = network, encoder, lengths
        self.max_answer_length, self.batch_tokens = max_answer_length, batch_tokens
        self._read = one_trace(network)

    def __call__(self, examples: Sequence[Example], settings: Settings) -> list[str]:
        """The answer to every question, in order."""
        return self.decode(examples, self.score(self.features(examples), [settings]), settings)

    def features(self, examples: Sequence[Example]) -> list[list[Window]]:
        """What `score` reads: for each question the windows of its passages."""
        return list(question_windows(examples, self.encoder, self.lengths))

    def score(self, groups: Sequence[Sequence[Window]], settings: Sequence[Settings]) -> list[list[Candidate]]:
        """The candidates of every question, which are the same under all settings. Windows of all questions share
        batches."""
        arrays = [[window.arrays for window in group] for group in groups]
        found = in_groups(lambda batch: self._read(batch)["logits"], arrays, self.batch_tokens)
        return [candidates(group, scores, self.max_answer_length) for group, scores in zip(groups, found)]

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[list[Candidate]]:
        """What `vote` chooses the answer to each question from, the most probable first: the best spans, 20 of each
        window."""
        return self.score(self.features(examples), [settings])

    def decode(
        self, examples: Sequence[Example], scores: Sequence[Sequence[Candidate]], settings: Settings
    ) -> list[str]:
        """What the candidates of each question vote for."""
        return [vote(found, settings) for found in scores]


def candidates(
    group: Sequence[Window], logits: Sequence[np.ndarray], max_answer_length: int, count: int = 20
) -> list[Candidate]:
    """The candidates of a question, the most probable first: the best spans of its windows, `count` of each. A span
    that two windows see counts once, with its higher probability.

    logits: of start, end and gate for each window, float32 (length, 3). max_answer_length: in tokens.
    """
    if not group:
        return []
    allowed, padded = pad([window.pair.is_context for window in group]), on_grid(pad(logits))
    # A product of probabilities as a sum of logarithms, which stays exact where it is tiny.
    log_probabilities = _log_sigmoid(padded[..., :2]) + _log_sigmoid(padded[..., 2:])
    rows = best_spans(log_probabilities[..., 0], log_probabilities[..., 1], allowed, max_answer_length, count)
    found: dict[tuple[int, int, int], Candidate] = {}
    for window, probabilities, spans in zip(group, np.exp(log_probabilities), rows):
        for first, last, _ in spans:
            start, end = window.pair.encoding.char_span(first, last)
            edges = float(probabilities[first, 0]), float(probabilities[last, 1])
            candidate = Candidate(window.text[start:end], window.passage, start, *edges)
            place = (window.passage, start, end)
            if place not in found or found[place].probability < candidate.probability:
                found[place] = candidate
    return sorted(found.values(), key=lambda one: (-one.probability, one.passage, one.start))


def _log_sigmoid(logits: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0.0, -logits)


def vote(found: Sequence[Candidate], settings: Settings, allow_empty: bool = False) -> str:
    """The answer to submit: the string with the highest sum(v ** exponent) / (1 + sum(v)).

    v is the probability of a candidate; each passage has one vote for a string, its most probable one. With an exponent
    of 2 one sure passage outweighs several unsure ones. Strings are the same if the official metric formats them alike;
    the most probable spelling is returned. Where nothing is above the threshold all candidates vote, since an empty
    answer is worth nothing; or none with `allow_empty`, and the answer is empty.
    """
    found = [one for one in found if _form(one.text)]  # what is nothing but punctuation is never right
    sure = [one for one in found if min(one.start_probability, one.end_probability) > settings.threshold]
    votes: dict[str, dict[int, float]] = defaultdict(dict)
    spellings: dict[str, Candidate] = {}
    for candidate in sure or ([] if allow_empty else found):
        form = _form(candidate.text)
        votes[form][candidate.passage] = max(candidate.probability, votes[form].get(candidate.passage, 0.0))
        if form not in spellings or candidate.probability > spellings[form].probability:
            spellings[form] = candidate
    if not votes:
        return ""
    scores = {
        form: math.fsum(v**settings.exponent for v in each.values()) / (1 + math.fsum(each.values()))
        for form, each in votes.items()
    }
    return spellings[max(scores, key=scores.get)].text


_form = lru_cache(maxsize=2**17)(format)  # the search asks for the same strings again under all settings


def counts(examples: Sequence[Example], answers: Sequence[str]) -> list[tuple[float, float, int]]:
    """Right or not, F1, and 1 for each question."""
    pairs = [(example.id, answer) for example, answer in zip(examples, answers)]
    return [(one.correct, one.f1, 1) for one in compare(map(Gold.of, examples), pairs)]


def score(total: np.ndarray) -> float:
    """The official one, of such counts added up."""
    correct, f1, questions = total.tolist()
    return (correct + f1) / 2 / questions if questions else 0.0
