"""The choice among candidates, and the search of its length penalty on dev, with an honest word on what the search is worth. No TensorFlow."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from metric import answer_f1, compare, official
from task import Example

Choice = Literal["expected_f1", "most_probable"]

#: Length penalties that are tried, from the mildest: of equally good ones the first is taken.
GRID = (0.0, 0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2)


class Candidate(NamedTuple):
    """A string of the context, the index of its first character there (of its most probable occurrence), and its probability,
    summed over those of its occurrences that are among the best spans."""

    text: str
    start: int
    probability: float


def choose(context: str, found: Sequence[Candidate], choice: Choice, length_penalty: float = 0.0) -> str:
    """The answer to submit. A context without any token, blanks or control characters, is its own answer (without blanks around it).

    `expected_f1`: the candidate whose official F1 would be highest on average, if the answer were one of the candidates with their probabilities
    (minimum Bayes risk). Where it is unsure of the borders of an answer, that is what most candidates share.
    length_penalty: the probability of a candidate falls by a factor of exp(-length_penalty) with each of its characters.
    """
    if not found:
        return context.strip()
    weights = [candidate.probability * np.exp(-length_penalty * len(candidate.text)) for candidate in found]
    if choice == "expected_f1":
        weights = [sum(weight * answer_f1(candidate.text, other.text) for other, weight in zip(found, weights)) for candidate in found]
    return found[int(np.argmax(weights))].text


class Found(NamedTuple):
    """`f1`, in percent, is measured on the questions that chose the penalty. `crossed_f1` is not: a penalty chosen on one half of the questions,
    measured on the other, both ways. It is what to expect on test."""

    length_penalty: float
    f1: float
    crossed_f1: float


def search_length_penalty(examples: Sequence[Example], found: Sequence[Sequence[Candidate]], choice: Choice, seed: int) -> Found:
    """The penalty of GRID with the highest official F1. `found` are the candidates of each example."""
    f1 = 100 * np.array([_f1(examples, found, choice, penalty) for penalty in GRID])  # (grid, questions)
    best = int(np.argmax(f1.mean(1)))
    halves = np.random.default_rng(seed).permutation(f1.shape[1]) % 2
    crossed = [f1[np.argmax(f1[:, halves == half].sum(1)), halves != half] for half in (0, 1)]
    return Found(GRID[best], float(f1[best].mean()), float(np.concatenate(crossed).mean()))


def _f1(examples, found, choice, penalty) -> list[float]:
    answers = {example.id: choose(example.context, best, choice, penalty) for example, best in zip(examples, found)}
    return [one.f1 for one in compare(official(examples), answers)]
