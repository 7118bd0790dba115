"""common/dev_search.py against its definition, and what its second figure is worth."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.dev_search import DevSet, described, search


def share(total):
    return float(total[0] / total[1]) if total[1] else 0.0


def counts_of(rows):
    """(settings, examples, 2): right or wrong for each example under each setting, and 1."""
    return np.stack([np.array(rows), np.ones_like(rows)], axis=2)


grids = st.tuples(st.integers(1, 5), st.integers(1, 9)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 1), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


@settings(max_examples=200)
@given(grids, st.integers(0, 99))
def test_against_a_slow_search(rows, seed):
    names = [f"setting {number}" for number in range(len(rows))]
    found = search(names, counts_of(rows), share, seed)
    best = max(range(len(rows)), key=lambda one: (sum(rows[one]), -one))
    assert found.setting == names[best] and found.score == pytest.approx(sum(rows[best]) / len(rows[0]))
    halves = np.random.default_rng(seed).permutation(len(rows[0])) % 2
    right = 0
    for half in (0, 1):
        chosen = max(
            range(len(rows)), key=lambda one: (sum(value for value, of in zip(rows[one], halves) if of == half), -one)
        )
        right += sum(value for value, of in zip(rows[chosen], halves) if of != half)
    assert found.crossed == pytest.approx(right / len(rows[0]))


def test_the_crossed_figure_does_not_reward_luck():
    rows = np.random.default_rng(0).integers(0, 2, (200, 30))
    found = search(range(200), counts_of(rows), share, seed=1)
    assert found.score > 0.65 and 0.35 < found.crossed < 0.6


class Threshold(NamedTuple):
    of_word: float


class Guesser:
    """A network that says its `bias` of every word; a word is predicted where that is above the threshold."""

    bias, read = 0.5, 0

    def features(self, examples):
        return [len(example) for example in examples]

    def score(self, features, settings):
        self.read += 1
        assert min(settings) >= Threshold(0.1), "what is asked for is told before"
        return [self.bias + length for length in features]

    def decode(self, examples, scores, settings):
        return [example if score > settings.of_word else "" for example, score in zip(examples, scores, strict=True)]


def test_a_dev_set_is_evaluated_with_the_weights_of_the_moment_and_read_once_for_a_grid():
    guesser = Guesser()
    dev = DevSet(["", "天", "天地"], guesser, lambda examples, predictions: predictions)
    assert dev.evaluate(Threshold(2.0)) == ["", "", "天地"]
    guesser.bias = 1.5
    assert dev.evaluate(Threshold(2.0)) == ["", "天", "天地"]
    guesser.read = 0

    def counts(examples, predictions):
        return [(prediction == "天地" or not prediction, 1) for prediction in predictions]

    grid = [Threshold(9.0), Threshold(0.1), Threshold(3.0)]
    found, evaluation = dev.search(grid[1:], counts, share, seed=1)
    assert (found.setting, found.score, evaluation) == (grid[2], 1.0, ["", "", "天地"])
    assert guesser.read == 1
    assert dev.search(grid, counts, share, seed=1)[0].setting == grid[0], "the first of equals"


class Hidden(NamedTuple):
    threshold: float

    def __str__(self):
        return "as always"


def test_settings_are_described_by_their_names_or_in_their_own_words():
    assert described(Threshold(0.25)) == "of word 0.25"
    assert described(Hidden(0.25)) == "as always"
