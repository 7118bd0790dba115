"""Beam search over any model that goes on token by token (kexue.fm/archives/6933 and 7500)."""

from typing import Any

import numpy as np

from common.decoders.autoregressive import Hypothesis, Model, Rules
from common.decoders.places import Places, begin, follow
from common.decoders.ties import on_grid

_HALF_STEP = 2.0**-11  # of the grid of ties.py


def beam_search(
    model: Model, inputs: Any, rules: Rules, width: int, count: int = 1, stop_early: bool = True
) -> list[list[Hypothesis]]:
    """The `count` best of `width` hypotheses for each input, best first: the finished ones before others, then by
    score.

    Each step the most probable continuations of all live hypotheses fill the places that no finished one holds. A
    hypothesis that takes the end keeps its place and is never lost. So width 1 is greedy search, and a beam that is
    wide enough is exhaustive search, whatever the length penalty.

    An input is done when all of its places are, and before that, unless stop_early is False, when no live hypothesis
    can have a better score than the worst of the `count` best finished ones: it gets no more probable, and no longer
    than rules.max_length and the end. That saves time and never changes what is returned.

    Whatever is compared is compared on the grid of ties.py, so that batches and padding change nothing. Of equals the
    earlier hypothesis comes first, then the lower token id; of equally good finished ones that which was finished
    first.

    There are fewer than `count` where there are fewer. Log-probabilities are summed in float64. ValueError for a count
    above the width, and for log-probabilities that are nan or above 0.
    """
    if not 1 <= count <= width:
        raise ValueError(f"Of a beam of width {width} between 1 and {width} hypotheses can be returned, not {count}.")
    state, places = begin(model, inputs, rules, width)
    places.log_probability[:, 1:] = -np.inf  # the others would be copies of the first
    while len(places.inputs):
        log_probabilities, state = model.step(state, places.tokens.ravel())
        parents = extend(places, log_probabilities)
        over = ~places.live.any(1)
        if stop_early:
            over |= is_decided(places, count)
        state = follow(model, state, places, parents, over)
    return [best_first(found)[:count] for found in places.found]


def best_first(found: list) -> list:
    """Hypotheses, the finished ones before others, then by score; of equals the earlier."""
    return sorted(found, key=lambda hypothesis: (not hypothesis.finished, -on_grid(hypothesis.score)))


def extend(places: Places, log_probabilities: Any) -> np.ndarray:
    """Fills the places with the best continuations; returns the places these come from, int (n, width)."""
    scores = places.allowed(log_probabilities)
    if places.steps == places.rules.max_length:
        _merge_all_but_end(scores, places.rules.end_id)
    tokens, gains = _highest(scores, min(places.width, scores.shape[1]))
    shape = len(places.inputs), places.width, -1
    tokens, totals = tokens.reshape(shape), places.log_probability[:, :, None] + gains.reshape(shape)
    done = places.done[:, :, None] & (totals > -np.inf)
    # What is done comes first, in its order, and so keeps its place.
    ranks = np.where(done, np.inf, on_grid(totals)).reshape(*shape[:1], -1)
    order = np.argsort(-ranks, axis=1, kind="stable")[:, : places.width]
    choose = np.arange(shape[0])[:, None], order
    parents = order // tokens.shape[2]
    places.fill(parents, tokens.reshape(*shape[:1], -1)[choose], totals.reshape(*shape[:1], -1)[choose])
    return parents


def _merge_all_but_end(scores: np.ndarray, end_id: int) -> None:
    """In the last step the most probable other token stands for all of them: the hypothesis is cut there, and must not
    be found twice."""
    rows, end = np.arange(len(scores)), scores[:, end_id].copy()
    scores[:, end_id] = -np.inf
    best, gain = (found[:, 0] for found in _highest(scores, 1))
    scores[:] = -np.inf
    scores[rows, best] = gain
    scores[:, end_id] = end


def _highest(scores: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of the highest `count` in each row, highest first, of equals the lowest column. Overwrites
    them.

    For the few that a beam needs, maximum after maximum is several times as fast as a partition, and as all of them on
    the grid: equal to the highest is what reaches the lower end of its step.
    """
    rows = np.arange(len(scores))
    columns, values = np.zeros((len(scores), count), int), np.zeros((len(scores), count))
    for rank in range(count):
        least = (on_grid(scores.max(1)) - _HALF_STEP).astype(scores.dtype)
        columns[:, rank] = (scores >= least[:, None]).argmax(1)
        values[:, rank] = scores[rows, columns[:, rank]]
        scores[rows, columns[:, rank]] = -np.inf
    return columns, values


def is_decided(places: Places, count: int) -> np.ndarray:
    """Inputs, bool (n,), of which no live hypothesis can get a better score than the worst of the `count` best finished
    ones."""
    rules = places.rules
    worst = on_grid(np.sort(np.where(places.finished, places.scores, -np.inf), axis=1)[:, -count])
    # A log-probability is negative: the longer, the better its score, unless the length penalty is negative.
    length = rules.max_length + 1 if rules.length_penalty > 0 else places.steps + 1
    hope = np.where(places.live, rules.score(places.log_probability, length), -np.inf).max(1)
    return (worst > -np.inf) & (on_grid(hope) <= worst)
