"""Two beams that write a text from both of its ends at the same time, each with an eye on the other.

Zhang et al., Synchronous Bidirectional Neural Machine Translation (2019); kexue.fm/archives/6877. Each direction is
better at its own beginning.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

from common.decoders.autoregressive import Hypothesis, Rules, State
from common.decoders.beam import best_first, extend
from common.decoders.places import begin, follow

DIRECTIONS = ("left-to-right", "right-to-left")


class PairModel(Protocol):
    """Like Model, with the two sides of each text in the rows of its State: [text, direction, hypothesis], in this
    order, made one dimension.

    inputs has one row for each of t texts, rows has 2 * t at the start, and 2 * t * width afterwards.
    """

    def start(self, inputs: Any) -> State:
        """Before anything is written: a row of inputs, and two of rows, left to right before right to left, for each
        text."""

    def step_pairs(self, state: State, tokens: np.ndarray) -> tuple[Any, State]:
        """Reads one token more, int32 (texts, 2, width), of both sides: log-probabilities of the next, float (texts, 2,
        width, width, vocabulary).

        [text, direction, a, b] are those of hypothesis a of this direction, if the other side of the text stands at its
        hypothesis b.
        """


class Directed(NamedTuple):
    """A Hypothesis, its tokens in reading order, and which of DIRECTIONS wrote it. Two directions may find the same
    tokens."""

    tokens: tuple[int, ...]
    log_probability: float
    score: float
    finished: bool
    direction: str


def synchronous_beam_search(
    model: PairModel, inputs: Any, rules: Rules, width: int, count: int = 1
) -> list[list[Directed]]:
    """The `count` best of width hypotheses from left to right and width from right to left, for each text: finished
    before others, then by score.

    Each step a hypothesis asks for the mean of p(token | itself, b) over the hypotheses b that the other side has at
    this moment, weighted by their probabilities so far: not all alike, as in the original. A finished one keeps its
    weight. Of equally good ones, left to right comes first.

    Scores are those of the rules; with the length penalty of 1, the mean log-probability per token, the directions are
    comparable whatever their lengths. Both sides go on until all their places are done: to stop one early would change
    what the other sees. Both read rules.start_id first and write rules.end_id last. ValueError as in beam_search.
    """
    if not 1 <= count <= 2 * width:
        raise ValueError(
            f"Of two beams of width {width} between 1 and {2 * width} hypotheses can be returned, not {count}."
        )
    state, places = begin(model, inputs, rules, width, sides=2)
    places.log_probability[:, 1:] = -np.inf
    while len(places.inputs):
        log_probabilities, state = model.step_pairs(state, places.tokens.reshape(-1, 2, width))
        log_weights = places.log_probability.reshape(-1, 2, width)[:, ::-1]
        mixed = mix(np.asarray(log_probabilities), log_weights)
        parents = extend(places, mixed.reshape(-1, mixed.shape[-1]))
        state = follow(model, state, places, parents, ~places.live.any(1), sides=2)
    both = zip(places.found[::2], places.found[1::2])
    return [
        best_first([_directed(one, side) for side, found in enumerate(sides) for one in found])[:count]
        for sides in both
    ]


def _directed(hypothesis: Hypothesis, side: int) -> Directed:
    tokens, *rest = hypothesis
    return Directed(tokens[::-1] if side else tokens, *rest, DIRECTIONS[side])


def mix(log_probabilities: np.ndarray, log_weights: np.ndarray) -> np.ndarray:
    """logsumexp_b(log w_b + log p(token | a, b)), with the weights normalised: float (texts, 2, width, vocabulary).

    log_probabilities: float (texts, 2, width, width, vocabulary), [.., a, b, token]. log_weights: float (texts, 2,
    width), of the b; what is said of one with -inf is not looked at.
    """
    shape = (*log_weights.shape, log_weights.shape[2])
    if log_probabilities.ndim != 5 or log_probabilities.shape[:4] != shape:
        raise ValueError(f"Log-probabilities need the shape {shape} and the vocabulary, not {log_probabilities.shape}.")
    log_weights = log_weights - _log_sum(log_weights, 2)[:, :, None]
    weights = log_weights[:, :, None, :, None].astype(log_probabilities.dtype)
    return _log_sum(np.where(weights > -np.inf, log_probabilities + weights, -np.inf), 3)


def _log_sum(values: np.ndarray, axis: int) -> np.ndarray:
    """log(sum(exp(values))) without that axis, -inf where all are."""
    highest = values.max(axis, keepdims=True)
    highest[highest == -np.inf] = 0
    with np.errstate(divide="ignore"):
        return np.log(np.exp(values - highest).sum(axis)) + highest.squeeze(axis)
