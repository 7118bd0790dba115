"""HSIC and its permutation test, Cohen's kappa and oracle scores, against loops and scikit-learn."""

import math
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from common.analysis.dependence import (
    agreement,
    bandwidth,
    best_together,
    dependence,
    hsic,
    most_independent,
    oracle,
)

SEEDS = range(4)


def slow_bandwidth(values):
    distances = sorted(abs(a - b) for a, b in combinations(values, 2) if a != b)
    return distances[(len(distances) - 1) // 2] if distances else 1.0


def slow_hsic(x, y):
    """Tr(K J L J) / (n - 1)^2, entry by entry."""
    n = len(x)
    kernels = []
    for values in (x, y):
        width = slow_bandwidth(values)
        kernels.append([[math.exp(-((a - b) ** 2) / (2 * width**2)) for b in values] for a in values])
    j = np.eye(n) - np.ones((n, n)) / n
    one, other = (np.array(kernel) @ j for kernel in kernels)
    return sum(one[a, b] * other[b, a] for a in range(n) for b in range(n)) / (n - 1) ** 2


def draw(kind, generator, n=40):
    """Scores as contests have them: right or wrong, many of them 1, and real numbers."""
    if kind == "binary":
        return (generator.random(n) < 0.7).astype(float)
    if kind == "f1":
        return np.where(generator.random(n) < 0.6, 1.0, generator.integers(0, 4, n) / 5)
    return generator.random(n)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kinds", [("binary", "binary"), ("f1", "binary"), ("f1", "f1"), ("real", "real")])
def test_hsic_is_that_of_whole_kernels(kinds, seed):
    generator = np.random.default_rng(seed)
    x, y = (draw(kind, generator) for kind in kinds)
    y = np.where(generator.random(len(y)) < 0.5, x, y)
    assert bandwidth(x) == pytest.approx(slow_bandwidth(x), rel=1e-12)
    assert hsic(x, y) == pytest.approx(slow_hsic(x, y), rel=1e-6, abs=1e-9)


def test_hsic_is_the_same_in_any_order_and_unit():
    generator = np.random.default_rng(1)
    x, y = draw("f1", generator), draw("real", generator)
    order = generator.permutation(len(x))
    expected = pytest.approx(hsic(x, y), rel=1e-6)
    assert hsic(y, x) == expected == hsic(x[order], y[order])
    assert hsic(100 * x - 7, y / 3) == expected == hsic(-x, 1 - y)


def test_right_and_wrong_have_two_values_however_many_there_are():
    generator = np.random.default_rng(2)
    x = (generator.random(20_000) < 0.3).astype(float)
    y = np.where(generator.random(20_000) < 0.2, x, generator.random(20_000) < 0.5)
    # The kernels say e^-1/2 of what differs: HSIC is a covariance of two yes-or-no values.
    covariance = np.mean(x * y) - x.mean() * y.mean()
    scale = (2 * (1 - math.exp(-0.5)) * covariance) ** 2
    assert hsic(x, y) == pytest.approx(scale * (20_000 / 19_999) ** 2, rel=1e-6)


@pytest.mark.parametrize("kind", ["binary", "f1", "real"])
def test_the_share_is_1_of_what_is_a_function_of_the_other(kind):
    x = draw(kind, np.random.default_rng(3))
    found = dependence(x, 3 - 2 * x, 99)
    assert found.share == pytest.approx(1, abs=1e-6) and found.p == 0.01
    assert found.hsic == pytest.approx(slow_hsic(x, x), rel=1e-6)


def test_what_never_changes_depends_on_nothing():
    x = np.random.default_rng(4).random(30)
    for constant in (0.0, 0.1, 1.0):
        assert dependence(x, np.full(30, constant)) == dependence(np.full(30, constant), x) == (0, 0, 1)


def test_a_curve_without_correlation_is_seen():
    x = np.linspace(-1, 1, 101)
    assert abs(np.corrcoef(x, x**2)[0, 1]) < 1e-12 and dependence(x, x**2, 99).p == 0.01


@pytest.mark.parametrize("kind", ["binary", "f1", "real"])
def test_p_of_independent_scores_is_uniform(kind):
    generator = np.random.default_rng(5)
    values = np.array([dependence(draw(kind, generator), draw(kind, generator), 19, seed).p for seed in range(200)])
    assert values.min() >= 1 / 20
    # At a level of 5 % the test errs in 5 %: 10 of 200, give or take; discrete scores err less often.
    assert (values <= 0.05).sum() <= 19 and (values <= 0.5).sum() <= 120
    if kind == "real":
        assert (values <= 0.05).sum() >= 3 and (values <= 0.5).sum() >= 80


def test_p_counts_the_orders_that_are_as_large():
    generator = np.random.default_rng(6)
    x, y = generator.random(12), generator.random(12)
    y = np.where(generator.random(12) < 0.4, x, y)
    orders = np.random.default_rng(7)
    by_chance = sum(slow_hsic(x, y[orders.permutation(12)]) >= slow_hsic(x, y) for _ in range(50))
    assert dependence(x, y, 50, 7).p == (1 + by_chance) / 51 == dependence(x, y, 50, 7).p
    # With one right answer in four, each order is as large or larger: it is the same table, or one of these.
    few = np.array([1.0, 0, 0, 0])
    assert dependence(few, np.array([0.0, 1, 0, 0]), 200).p > 0.7


def test_scores_of_other_shapes_and_nan_are_no_scores():
    for x, y in (([1.0], [1.0]), ([1.0, 2], [1.0, 2, 3]), ([[1.0, 2]], [[1.0, 2]])):
        with pytest.raises(ValueError, match="shapes"):
            hsic(np.array(x), np.array(y))
    with pytest.raises(ValueError, match="finite"):
        hsic(np.array([1.0, np.nan]), np.array([1.0, 2]))


@pytest.mark.parametrize("seed", SEEDS)
def test_kappa_is_that_of_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    one = generator.random(50) < 0.6
    other = np.where(generator.random(50) < 0.3, one, generator.random(50) < 0.8)
    found = agreement(one, other)
    assert found.kappa == pytest.approx(cohen_kappa_score(one, other))
    assert found[1:] == ((one & other).sum(), (one & ~other).sum(), (~one & other).sum(), (~one & ~other).sum())
    assert found.one_wrong == (one != other).sum() and sum(found[1:]) == 50


def test_kappa_at_its_ends():
    half = np.array([True, False])
    assert agreement(half, half).kappa == 1 and agreement(half, ~half).kappa == -1
    assert agreement(half, half | True).kappa == 0
    assert agreement(half | True, half | True).kappa is None
    with pytest.raises(ValueError, match="shapes"):
        agreement(half, half[:1])


def test_the_oracle_chooses_in_each_example():
    scores = [np.array([1, 0, 0.5, 0]), np.array([0, 1, 0.25, 0]), np.array([1, 0.5, 0.5, 0])]
    assert oracle(scores[:1]) == 0.375 and oracle(scores[:2]) == 0.625 == oracle(scores)
    assert (
        best_together(scores, 2) == (0, 1)
        and best_together(scores, 1) == (2,)
        and best_together(scores, 3) == (0, 1, 2)
    )
    assert best_together([scores[0]] * 3, 2) == (0, 1)


def test_the_most_independent_have_the_smallest_pairs():
    shares = np.array([[1, 0.5, 0.2, 0.3], [0.5, 1, 0.4, 0.1], [0.2, 0.4, 1, 0.2], [0.3, 0.1, 0.2, 1]])
    assert most_independent(shares, 2) == (1, 3)
    sums = {(0, 1, 2): 1.1, (0, 1, 3): 0.9, (0, 2, 3): 0.7, (1, 2, 3): 0.7}
    assert most_independent(shares, 3) in [places for places, total in sums.items() if total == 0.7]
