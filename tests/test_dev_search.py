"""common/dev_search.py against its definition, and what its second figure is worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.dev_search import search


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
