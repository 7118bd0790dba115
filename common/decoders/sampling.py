"""Sampling with a temperature, of the k most probable tokens, or of a nucleus (kexue.fm/archives/7500)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.decoders.autoregressive import Hypothesis, Model, Rules
from common.decoders.places import begin, follow
from common.decoders.ties import on_grid


def sample(
    model: Model,
    inputs: Any,
    rules: Rules,
    count: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    numbers: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """`count` samples for each input, in the order in which they are drawn.

    Each token is drawn from p ** (1 / temperature), of the top_k most probable tokens (0: of all), of these from the
    smallest set of the most probable ones that has at least top_p of their probability, renormalised. All p are those
    on the grid of ties.py. The end is always a candidate, unless min_length bans it: without that there are models
    whose samples never end (Welleck et al. 2020).

    What is drawn for an input depends on the seed, its number and the number of the sample alone, so that batches
    change nothing. numbers: of the inputs, where they are a batch out of many; 0, 1, 2, ... by default.

    log_probability is the model's own, of what the rules allow, not that of the distribution that was drawn from.
    ValueError for settings that cannot be, and for log-probabilities that are nan or above 0.
    """
    if not temperature > 0 or top_k < 0 or not 0 < top_p <= 1:
        raise ValueError(
            f"Needed: temperature > 0, top_k >= 0 and 0 < top_p <= 1, not {temperature}, {top_k} and {top_p}."
        )
    state, places = begin(model, inputs, rules, count)
    numbers = range(len(places.inputs)) if numbers is None else numbers
    if len(numbers) != len(places.inputs):
        raise ValueError(f"There are {len(places.inputs)} inputs, but {len(numbers)} numbers of inputs.")
    # All that could be needed at once: what an input draws must not depend on how long others take.
    drawn = [
        [np.random.default_rng([seed, int(number), index]).random(rules.max_length + 1) for index in range(count)]
        for number in numbers
    ]
    drawn = np.array(drawn).reshape(-1, count, rules.max_length + 1)
    while len(places.inputs):
        log_probabilities, state = model.step(state, places.tokens.ravel())
        scores = places.allowed(log_probabilities)
        tokens = draw(scores, drawn[places.inputs, :, places.steps].ravel(), rules.end_id, temperature, top_k, top_p)
        gains = scores[np.arange(len(scores)), tokens].reshape(places.tokens.shape)
        parents = np.broadcast_to(np.arange(count), places.tokens.shape)
        places.fill(parents, tokens.reshape(places.tokens.shape), places.log_probability + gains)
        state = follow(model, state, places, parents, ~places.live.any(1))
    return places.found


def draw(
    scores: np.ndarray, numbers: np.ndarray, end_id: int | None, temperature: float, top_k: int, top_p: float
) -> np.ndarray:
    """A token of each row, int (rows,). scores: log-probabilities, float (rows, vocabulary). numbers: uniform in [0,
    1), float (rows,). end_id: what is always a candidate; None where a text has its length."""
    scaled = on_grid(scores) / temperature
    probabilities = np.exp(scaled - scaled.max(1, keepdims=True))
    kept = truncate(probabilities, top_k, top_p)
    if end_id is not None:
        kept[:, end_id] = probabilities[:, end_id]
    mass = kept.cumsum(1)
    return (mass > numbers[:, None] * mass[:, -1:]).argmax(1)


def truncate(probabilities: np.ndarray, top_k: int = 0, top_p: float = 1.0) -> np.ndarray:
    """Probabilities (rows, columns), not renormalised, with 0 for all but the top_k highest of a row (0: all), and of
    these the fewest that have top_p of their sum. Equals of the last that is kept are kept too."""
    kept = np.array(probabilities)
    if 0 < top_k < kept.shape[1]:
        least = np.partition(kept, -top_k, axis=1)[:, -top_k]
        kept[kept < least[:, None]] = 0
    if top_p < 1:
        highest = -np.sort(-kept, axis=1)
        mass = highest.cumsum(1)
        last = (mass >= top_p * mass[:, -1:]).argmax(1)
        kept[kept < highest[np.arange(len(kept)), last][:, None]] = 0
    return kept
