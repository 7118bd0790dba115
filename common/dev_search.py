"""Dev examples, what is predicted for them under any setting of decoding, and the choice of the best one with an honest
word on what the choice is worth. No TensorFlow."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from common.runs.directory import Evaluation


class Predictor(Protocol):
    """What the `Predictor` in each folder's decode.py offers. Called, it is all three in turn."""

    def features(self, examples: Sequence[Any]) -> Any:
        """What the network reads of examples."""

    def score(self, features: Any, settings: Sequence[Any]) -> Any:
        """What the network says, once for all: everything that `decode` needs under any of these settings."""

    def decode(self, examples: Sequence[Any], scores: Any, settings: Any) -> list[Any]:
        """The prediction for each example, in order."""

    def __call__(self, examples: Sequence[Any], settings: Any) -> list[Any]: ...


class Found(NamedTuple):
    """`score` is measured on the examples that chose the setting. `crossed` is not: a setting chosen on one half of the
    examples, measured on the other, both ways. It is what to expect on test."""

    setting: Any
    score: float
    crossed: float


class DevSet:
    """The examples of dev and a predictor of a network that is still being trained.

    evaluation: makes an `Evaluation` of the examples and of a prediction for each.
    """

    def __init__(
        self,
        examples: Sequence[Any],
        predictor: Predictor,
        evaluation: Callable[[Sequence[Any], list[Any]], Evaluation],
    ):
        self.examples, self.predictor, self.evaluation = examples, predictor, evaluation
        self.features = predictor.features(examples)

    def evaluate(self, settings: Any) -> Evaluation:
        """With the weights that the network has now."""
        scores = self.predictor.score(self.features, [settings])
        return self.evaluation(self.examples, self.predictor.decode(self.examples, scores, settings))

    def search(
        self,
        grid: Sequence[Any],
        counts: Callable[[Sequence[Any], list[Any]], Sequence[Any]],
        score: Callable[[np.ndarray], float],
        seed: int,
    ) -> tuple[Found, Evaluation]:
        """The best settings of a grid, and what they reach. The network reads each example once.

        counts: of the examples and their predictions, (examples, n). The rest is as in `search`.
        """
        scores = self.predictor.score(self.features, grid)
        predictions = [self.predictor.decode(self.examples, scores, settings) for settings in grid]
        found = search(grid, np.array([counts(self.examples, one) for one in predictions]), score, seed)
        return found, self.evaluation(self.examples, predictions[grid.index(found.setting)])


def search(settings: Sequence[Any], counts: np.ndarray, score: Callable[[np.ndarray], float], seed: int) -> Found:
    """The setting with the highest score, the first of equals.

    counts: (settings, examples, n), what each example counts under each setting. score: of such counts summed over
    examples, (n,). seed: of the halves.
    """

    def best(of: np.ndarray) -> int:
        return int(np.argmax([score(total) for total in of.sum(1)]))

    chosen = best(counts)
    halves = np.random.default_rng(seed).permutation(counts.shape[1]) % 2
    crossed = sum(counts[best(counts[:, halves == half]), halves != half].sum(0) for half in (0, 1))
    return Found(settings[chosen], float(score(counts[chosen].sum(0))), float(score(crossed)))


def described(settings: NamedTuple) -> str:
    """Settings of decoding in words, for a line that is printed: those of their own __str__, or names and values."""
    if type(settings).__str__ is not object.__str__:
        return str(settings)
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings._asdict().items())
