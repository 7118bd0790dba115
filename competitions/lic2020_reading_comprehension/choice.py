"""The choice among candidates, and the search of its length penalty on dev. No TensorFlow."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from common.dev_search import Found, search

from metric import compare, normalise, official, token_f1, tokens
from task import Example

Choice = Literal["expected_f1", "most_probable"]

#: Length penalties that are tried, from the mildest: of equally good ones the first is taken.
GRID = (0.0, 0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2)


class Candidate(NamedTuple):
    """A string of the context, the index of its first character there (of its most probable occurrence), and its
    probability, summed over those of its occurrences that are among the best spans."""

    text: str
    start: int
    probability: float


def choose(context: str, found: Sequence[Candidate], choice: Choice, length_penalty: float = 0.0) -> str:
    """The answer to submit. A context without any token, blanks or control characters, is its own answer (without
    blanks around it).

    `expected_f1`: the candidate whose official F1 would be highest on average, if the answer were one of the candidates
    with their probabilities (minimum Bayes risk). Where it is unsure of the borders of an answer, that is what most
    candidates share.
    length_penalty: the probability of a candidate falls by a factor of exp(-length_penalty) with each of its
    characters.
    """
    if not found:
        return context.strip()
    weights = [candidate.probability * np.exp(-length_penalty * len(candidate.text)) for candidate in found]
    if choice == "expected_f1":
        agreement = _agreement(tuple(candidate.text for candidate in found))
        weights = [sum(weight * f1 for weight, f1 in zip(weights, row)) for row in agreement]
    return found[int(np.argmax(weights))].text


def search_length_penalty(
    examples: Sequence[Example], found: Sequence[Sequence[Candidate]], choice: Choice, seed: int
) -> Found:
    """The penalty of GRID with the highest official F1, in percent. `found` are the candidates of each example."""
    counts = np.array([_counts(examples, found, choice, penalty) for penalty in GRID])
    return search(GRID, counts, lambda total: float(100 * total[0] / total[1]) if total[1] else 0.0, seed)


def _counts(examples, found, choice, penalty) -> np.ndarray:
    """F1 and 1 for each question, float (questions, 2)."""
    answers = {example.id: choose(example.context, best, choice, penalty) for example, best in zip(examples, found)}
    return np.array([(one.f1, 1) for one in compare(official(examples), answers)])


@lru_cache(maxsize=2**13)  # every penalty, and after the search the evaluation, asks for the same candidates again
def _agreement(texts: tuple[str, ...]) -> list[list[float]]:
    """The F1 of each of the texts by each. It is the same in both directions."""
    pieces = [tokens(normalise(text)) for text in texts]
    f1 = [[0.0] * len(texts) for _ in texts]
    for row, one in enumerate(pieces):
        for column, other in enumerate(pieces[: row + 1]):
            f1[row][column] = f1[column][row] = token_f1(one, other)
    return f1
