"""From logits to answers: batched scoring, the candidates of a question, the choice among them, and the search of its
length penalty on dev. No TensorFlow.

The logits are put on a grid first, and all else is computed from them in double precision and in an order that they
alone decide: an answer does not depend on the batch that it was found in, and what is equally probable goes by its
place, the earlier first."""

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import numpy as np

from common.decoders import best_spans, on_grid
from common.encoders import Encoder
from common.generators import BATCH_TOKENS, pad
from common.prediction import in_groups, one_trace
from common.runs.values import Between

from features import Lengths, Span, Window, question_windows
from metric import compare, normalise, token_f1, tokens
from task import Example

Choice = Literal["expected_f1", "most_probable"]


class Settings(NamedTuple):
    """By how much each character of an answer lowers the logarithm of its probability, and which candidate is then the
    answer: see `choose`."""

    length_penalty: Annotated[float, Between(0, math.inf)] = 0.0
    choice: Choice = "expected_f1"


#: Length penalties that are tried, from the mildest: of equally good ones the first is taken.
GRID = (0.0, 0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2)


class Candidate(NamedTuple):
    """A string of the context, the index of its first character there (of its most probable occurrence), and its
    probability, summed over those of its occurrences that are among the best spans."""

    text: str
    start: int
    probability: float


class Predictor:
    """Answers questions, whatever their length, order and number. max_answer_length: in tokens."""

    def __init__(
        self, network, encoder: Encoder, lengths: Lengths, max_answer_length: int, batch_tokens: int = BATCH_TOKENS
    ):
        self.network, self.encoder, self.lengths = network, encoder, lengths
        self.max_answer_length, self.batch_tokens = max_answer_length, batch_tokens
        self._network = one_trace(network)

    def __call__(self, examples: Sequence[Example], settings: Settings) -> list[str]:
        """The answer to every question, in order."""
        return self.decode(examples, self.score(self.features(examples)), settings)

    def features(self, examples: Sequence[Example]) -> list[list[Window]]:
        """What `score` reads."""
        return list(question_windows(examples, self.encoder, self.lengths))

    def score(self, groups: Sequence[Sequence[Window]], settings: Sequence[Settings] = ()) -> list[list[Candidate]]:
        """The n-best list of every question, whatever the settings."""
        _agreement.cache_clear()  # other candidates come
        logits = in_groups(self._network, [[window.arrays for window in group] for group in groups], self.batch_tokens)
        return [candidates(group, scores, self.max_answer_length) for group, scores in zip(groups, logits)]

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[list[Candidate]]:
        """What `choose` chooses the answer to each question from, the most probable first: the strings of the 20 best
        spans."""
        return self.score(self.features(examples))

    def decode(
        self, examples: Sequence[Example], scores: Sequence[Sequence[Candidate]], settings: Settings
    ) -> list[str]:
        """The answer that is chosen for every question."""
        return [choose(example.context, found, settings) for example, found in zip(examples, scores)]


def candidates(
    group: Sequence[Window], logits: Sequence[np.ndarray], max_answer_length: int, count: int = 20
) -> list[Candidate]:
    """The n-best list of a question, the most probable first; empty for a context without any token.

    logits: of start and end for each of its windows, float32 (length, 2). max_answer_length: in tokens. count: the
    spans that are looked at. A span that two windows see counts once. Equal strings are one candidate: their
    probabilities add up, since any occurrence would be right.
    """
    from scipy.special import logsumexp  # here: it is slow to load, and --help needs none

    allowed, padded = pad([window.pair.is_context for window in group]), on_grid(pad(logits))
    starts, ends = padded[..., 0], padded[..., 1]
    everything = logsumexp(starts[allowed]) + logsumexp(ends[allowed]) if allowed.any() else 0.0
    spans: dict[Span, float] = {}
    for window, best in zip(group, best_spans(starts, ends, allowed, max_answer_length, count)):
        for first, last, score in best:
            place = window.pair.encoding.char_span(first, last)
            spans[place] = max(spans.get(place, score), score)
    by_text: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for (start, end), score in sorted(spans.items(), key=lambda item: (-item[1], item[0]))[:count]:
        by_text[group[0].example.context[start:end]].append((math.exp(score - everything), start))
    merged = [
        Candidate(text, places[0][1], math.fsum(probability for probability, _ in places))
        for text, places in by_text.items()
    ]
    return sorted(merged, key=lambda candidate: (-candidate.probability, candidate.start))


def choose(context: str, found: Sequence[Candidate], settings: Settings) -> str:
    """The answer to submit. A context without any token, blanks or control characters, is its own answer (without
    blanks around it).

    The probability of a candidate falls by a factor of exp(-length_penalty) with each of its characters. Then
    `most_probable` takes the most probable one, and `expected_f1` the one whose official F1 would be highest on
    average, if the answer were one of the candidates with their probabilities (minimum Bayes risk). Where it is unsure
    of the borders of an answer, that is what most candidates share.
    """
    if not found:
        return context.strip()
    weights = [one.probability * math.exp(-settings.length_penalty * len(one.text)) for one in found]
    if settings.choice == "expected_f1":
        agreement = _agreement(tuple(candidate.text for candidate in found))
        weights = [math.fsum(weight * f1 for weight, f1 in zip(weights, row)) for row in agreement]
    return found[int(np.argmax(weights))].text


@lru_cache(maxsize=2**13)  # every penalty of the search asks for the same candidates again
def _agreement(texts: tuple[str, ...]) -> list[list[float]]:
    """The F1 of each of the texts by each. It is the same in both directions."""
    pieces = [tokens(normalise(text)) for text in texts]
    f1 = [[0.0] * len(texts) for _ in texts]
    for row, one in enumerate(pieces):
        for column, other in enumerate(pieces[: row + 1]):
            f1[row][column] = f1[column][row] = token_f1(one, other)
    return f1


def counts(examples: Sequence[Example], answers: Sequence[str]) -> list[tuple[float, int]]:
    """F1 and 1 for each question: all of them, though the organisers score those of the first article only."""
    by_id = {example.id: answer for example, answer in zip(examples, answers)}
    return [(one.f1, 1) for one in compare(examples, by_id)]


def f1(total: np.ndarray) -> float:
    """In percent, of such counts, added up."""
    return float(100 * total[0] / total[1]) if total[1] else 0.0
