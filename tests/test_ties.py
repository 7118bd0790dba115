import numpy as np
from hypothesis import given, strategies

from common.decoders import on_grid

SCORES = strategies.floats(-1e4, 1e4, width=32)


@given(strategies.lists(SCORES, min_size=1), strategies.randoms())
def test_sums_on_the_grid_are_exact_in_any_order(scores, random):
    values = on_grid(np.array(scores, np.float32))
    assert values.dtype == np.float64 and np.abs(values - np.array(scores, np.float32)).max() <= 2**-11
    shuffled = random.sample(list(values), len(values))
    assert sum(shuffled) == sum(values)
    assert [on_grid(score) for score in scores] == list(values)


def test_what_differs_in_its_last_bits_is_equal():
    scores = np.array([3.3, 3.3 + 1e-6, -5.2, -5.2 - 2e-6, -np.inf], np.float32)
    assert scores[0] != scores[1] and scores[2] != scores[3]
    grid = on_grid(scores)
    assert grid[0] == grid[1] and grid[2] == grid[3] and grid[4] == -np.inf
