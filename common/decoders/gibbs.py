"""Gibbs sampling: texts of a model that says what stands at one place, given all others (Geman and Geman 1984;
kexue.fm/archives/8119).

    x_i  ~  p(x_i | all others) ** (1 / temperature),       one place i of a chain after the other

If all p are conditionals of one joint distribution, then after many steps each text is a sample of it (of its power
1 / temperature). Those of a masked language model are not: no distribution has all of them, and what is sampled hangs
on the order of the places too.

A step can be refused, and the chain stays where it was: so keeps a text the words that are asked of it. Of conditionals
that belong together this samples their distribution among the accepted texts, as far as single steps lead from each of
them to each other (Metropolis et al. 1953). A chain never leaves what it cannot leave token by token.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from common.decoders.sampling import draw

#: (texts int (chains, length), one place of each int (chains,)) -> log-probabilities of what stands there, float
#: (chains, vocabulary), which must not hang on what does.
Conditionals = Callable[[np.ndarray, np.ndarray], np.ndarray]

#: Texts int (chains, length) -> whether each may be, bool (chains,).
Accept = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class GibbsWalk:
    """How chains go, and which of their texts are kept. ValueError for what cannot be.

    steps: of each chain, in each of which one token is drawn. burn_in: the first of them, of which nothing is kept.
    thinning: of those that follow, the text after each so-manieth one is kept. order: of the free places. "random": in
    a round of as many steps as there are places a chain visits each of them once, in an order of its own, and the next
    round in another; "sweep": from left to right. top_k: only the most probable tokens are drawn; 0: all. banned: ids
    that are never drawn.
    """

    steps: int
    burn_in: int = 0
    thinning: int = 1
    temperature: float = 1.0
    top_k: int = 0
    banned: tuple[int, ...] = ()
    order: Literal["random", "sweep"] = "random"

    def __post_init__(self):
        if not (0 <= self.burn_in and 1 <= self.thinning and self.burn_in + self.thinning <= self.steps):
            raise ValueError(
                f"No text is kept: {self.steps} steps, of which {self.burn_in} are burn-in and one in {self.thinning} counts."
            )
        if not self.temperature > 0 or self.top_k < 0 or self.order not in ("random", "sweep"):
            raise ValueError(
                f"Needed: temperature > 0, top_k >= 0 and a known order, not {self.temperature}, {self.top_k} and {self.order}."
            )

    def keeps(self, step: int) -> bool:
        """Whether the text after a step, counted from 0, is kept."""
        done = step + 1 - self.burn_in
        return done > 0 and done % self.thinning == 0


def gibbs_texts(
    conditionals: Conditionals,
    tokens: np.ndarray,
    free: np.ndarray,
    walk: GibbsWalk,
    accept: Accept | None = None,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """The texts of all chains, int (chains, length), each time they are kept.

    tokens: int (chains, length), where the chains begin. free: bool (length,), places that may change. accept: what the
    first texts have, and none may lose. What a chain draws depends on the seed and its number alone. ValueError for
    shapes that do not fit, for a start that is not accepted, and for log-probabilities that are none.
    """
    texts, places = np.array(tokens), np.flatnonzero(free)
    if texts.ndim != 2 or np.shape(free) != texts.shape[1:] or not len(places):
        raise ValueError(f"Texts {texts.shape} need free places (length,), at least one, not {np.shape(free)}.")
    if accept is not None and not accept(texts).all():
        raise ValueError("Chains must begin with texts that are accepted.")
    return _walked(conditionals, texts, places, walk, accept, seed)


def _walked(conditionals, texts, places, walk, accept, seed) -> Iterator[np.ndarray]:
    generators = [np.random.default_rng([seed, number]) for number in range(len(texts))]
    rows, order = np.arange(len(texts)), np.tile(np.arange(len(places)), (len(texts), 1))
    for step in range(walk.steps):
        turn = step % len(places)
        if turn == 0:
            orders, numbers = np.stack([generator.random((2, len(places))) for generator in generators], 1)
            order = orders.argsort(1) if walk.order == "random" else order
        positions = places[order[:, turn]]
        scores = _checked(conditionals(texts, positions), len(texts), walk.banned)
        moved = texts.copy()
        moved[rows, positions] = draw(scores, numbers[:, turn], None, walk.temperature, walk.top_k, 1.0)
        texts = moved if accept is None else np.where(accept(moved)[:, None], moved, texts)
        if walk.keeps(step):
            yield texts


def _checked(log_probabilities: np.ndarray, chains: int, banned: Sequence[int]) -> np.ndarray:
    scores = np.array(log_probabilities)
    if scores.ndim != 2 or len(scores) != chains:
        raise ValueError(f"Log-probabilities need the shape ({chains}, vocabulary), not {scores.shape}.")
    scores[:, list(banned)] = -np.inf
    if not np.isfinite(scores.max(1)).all():
        raise ValueError("Log-probabilities that are not a number, or of nothing but banned tokens.")
    return scores


def contains_all(words: Sequence[Sequence[int]]) -> Accept:
    """Whether a text contains each of these runs of tokens, of which none is empty."""
    needed = [np.array(word) for word in words]

    def accept(texts: np.ndarray) -> np.ndarray:
        return np.all([_contains(texts, word) for word in needed], axis=0) if needed else np.ones(len(texts), bool)

    return accept


def _contains(texts: np.ndarray, word: np.ndarray) -> np.ndarray:
    if len(word) > texts.shape[1]:
        return np.zeros(len(texts), bool)
    windows = np.lib.stride_tricks.sliding_window_view(texts, len(word), axis=1)
    return (windows == word).all(2).any(1)
