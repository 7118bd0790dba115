"""What is decoded token by token (kexue.fm/archives/7500): what a model offers, the rules kept, and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np


class State(NamedTuple):
    """What a model remembers: nested dicts, lists and tuples of arrays. What is no array (None, a number) is handed on
    as it is.

    inputs: one row for each input; never changes while an input is decoded. rows: one row for each hypothesis; those of
    an input stand together, in order of the inputs, equally many for each, so that there are len(tokens) // inputs of
    them.
    """

    inputs: Any
    rows: Any


class Model(Protocol):
    """What can be decoded. The decoders repeat, choose and drop rows of its State, and hand its inputs on unseen.

    Arrays that are not numpy's need a third method, take(structure, indices): the rows `indices`, int (n,), of each
    array in a nested structure. take_rows(structure, indices, tf.gather) is one.
    """

    def start(self, inputs: Any) -> State:
        """Before anything is written: one row for each input, in both parts."""

    def step(self, state: State, tokens: np.ndarray) -> tuple[Any, State]:
        """Reads one token more in each row, int32 (rows,), beginning with the start: log-probabilities of the next,
        float (rows, vocabulary).

        -inf is allowed, and so is any number of columns: an input may have tokens of its own behind the vocabulary.
        What is said of a hypothesis that is finished, and goes on being fed the end, is not looked at.
        """


@dataclass(frozen=True)
class Rules:
    """What may be written, and how it is scored. Log-probabilities are never renormalised for what is banned.
    ValueError for what cannot be.

    start_id is read first, end_id is written last, and neither is counted or returned. max_length, min_length: in
    tokens. A hypothesis gets its end after max_length tokens at the latest, or stays unfinished. length_penalty: the
    alpha of score = log p / length ** alpha, where the length counts the end if there is one; 0 is the plain log p.
    no_repeat_ngram: no n tokens in a row twice in a hypothesis; 0 for no such rule. banned: ids that are never written.
    Where all of this leaves nothing but the end, it is let through, whatever min_length says.
    """

    start_id: int
    end_id: int
    max_length: int
    min_length: int = 0
    length_penalty: float = 1.0
    no_repeat_ngram: int = 0
    banned: tuple[int, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "banned", tuple(self.banned))
        if self.max_length < 1 or not 0 <= self.min_length <= self.max_length:
            raise ValueError(
                f"max_length must be at least 1, and min_length between 0 and it, not {self.max_length} and {self.min_length}."
            )
        if self.no_repeat_ngram < 0 or not np.isfinite(self.length_penalty):
            raise ValueError(
                f"no_repeat_ngram is 0 or more and length_penalty finite, not {self.no_repeat_ngram} and {self.length_penalty}."
            )
        if min(self.start_id, self.end_id, *self.banned) < 0 or self.end_id in self.banned:
            raise ValueError(
                f"Token ids are 0 or more, and the end {self.end_id} cannot be banned: start {self.start_id}, banned {self.banned}."
            )

    def score(self, log_probability: np.ndarray, length: np.ndarray | int) -> np.ndarray:
        """Nothing, written with certainty, has a length of 1 too: without that its score would be 0 / 0."""
        return log_probability / np.power(np.maximum(length, 1.0), self.length_penalty)


class Hypothesis(NamedTuple):
    """tokens: without start and end. log_probability: of them, and of the end if it is finished. score: that,
    normalised as the rules say."""

    tokens: tuple[int, ...]
    log_probability: float
    score: float
    finished: bool


# The rows of a State


def take_rows(
    structure: Any,
    indices: np.ndarray,
    gather: Callable[[Any, np.ndarray], Any] = lambda array, indices: array[indices],
) -> Any:
    """The same nested structure, of the rows `indices`, int (n,), of each array."""
    if isinstance(structure, dict):
        return {name: take_rows(item, indices, gather) for name, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        items = [take_rows(item, indices, gather) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    return gather(structure, indices) if hasattr(structure, "shape") else structure


def count_rows(structure: Any) -> int | None:
    """Rows of the first array in a nested structure; None where there is no array."""
    if isinstance(structure, (dict, list, tuple)):
        items = structure.values() if isinstance(structure, dict) else structure
        return next((count for count in map(count_rows, items) if count is not None), None)
    return int(structure.shape[0]) if hasattr(structure, "shape") else None
