"""common/decoders/diagnostics.py against counts, and against sums over the powers of matrices."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.decoders import (
    Hypothesis,
    bigram_transitions,
    repetition_bound,
    repetition_rate,
    truncated,
    unfinished_share,
)

deterministic = settings(max_examples=50, deadline=None)
seeds = st.integers(0, 2**32 - 1)
sequences = st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=5)


@deterministic
@given(sequences, st.integers(1, 4))
def test_repetition_rate_against_plain_python(sequences, n):
    total = repeated = 0
    for sequence in sequences:
        for last in range(n, len(sequence) + 1):
            total += 1
            repeated += any(sequence[end - n : end] == sequence[last - n : last] for end in range(n, last))
    assert repetition_rate(sequences, n) == (repeated / total if total else 0.0)


def test_shares_by_hand():
    assert repetition_rate(["abab", "ab"]) == 1 / 4, "ab stood before in the first, but not in the second"
    assert repetition_rate(iter([(1, 1, 1)]), n=1) == 2 / 3
    assert repetition_rate([]) == repetition_rate(["a", ""]) == 0.0
    ends = [Hypothesis((), -1.0, -1.0, finished) for finished in (True, False, True, True)]
    assert unfinished_share(iter(ends)) == 0.25 and unfinished_share([]) == 0.0


@deterministic
@given(sequences, st.sampled_from([0.0, 0.5]))
def test_transitions_against_counts(sequences, smoothing):
    counts = np.full((4, 4), smoothing)
    for sequence in sequences:
        for before, after in itertools.pairwise(sequence):
            counts[before, after] += 1
    transitions = bigram_transitions(sequences, 4, smoothing)
    assert transitions.dtype == np.float64
    for row, expected in zip(transitions, counts):
        np.testing.assert_allclose(row, expected / expected.sum() if expected.any() else np.zeros(4))
    with pytest.raises(IndexError):
        bigram_transitions([[0, 4]], 4)


def test_truncation_by_hand():
    transitions = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0, 0, 0]])
    np.testing.assert_allclose(truncated(transitions, top_k=2), [[0.625, 0.375, 0], [0.1, 0.1, 0.8], [0, 0, 0]])
    np.testing.assert_allclose(truncated(transitions, top_k=1), [[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_allclose(truncated(transitions, top_p=0.7), [[0.625, 0.375, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(truncated(transitions), transitions)


def random_transitions(generator, size, ends):
    """Rows of very different sharpness; with some that are impossible, and where some texts end."""
    transitions = generator.dirichlet(np.full(size, generator.choice([0.3, 1, 5])), size=size)
    transitions[generator.random(transitions.shape) < generator.choice([0, 0.6])] = 0
    return (
        transitions * generator.uniform(0.3, 0.95, (size, 1))
        if ends
        else transitions / np.maximum(transitions.sum(1, keepdims=True), 1e-300)
    )


@deterministic
@given(seeds, st.integers(1, 8), st.booleans())
def test_the_repetition_is_the_sum_over_all_cycles(seed, size, ends):
    transitions = random_transitions(np.random.default_rng(seed), size, ends)
    found = repetition_bound(transitions)
    squares, power, total = transitions**2, np.eye(size), 0.0
    for _ in range(200):
        power = power @ squares
        total += np.trace(power)
    if power.max() < 1e-12:
        assert found.repetition == pytest.approx(total, rel=1e-8, abs=1e-12)
    else:
        assert found.repetition >= total * (1 - 1e-9)
    slack = 1e-9
    assert max(found.trace_bound, found.square_bound) <= found.repetition * (1 + slack) + slack
    assert found.repetition <= found.upper_bound * (1 + slack) + slack
    assert found.least_row - 1e-6 <= found.eigenvalue <= found.largest_row + 1e-6
    assert (
        found.least_row == pytest.approx((transitions**2).sum(1).min())
        and found.nonzero == np.count_nonzero(transitions) / size**2
    )


@deterministic
@given(seeds, st.integers(1, 6))
def test_the_lower_bounds_are_those_of_the_source_where_everything_is_possible(seed, size):
    transitions = np.random.default_rng(seed).dirichlet(np.full(size, 2.0), size=size) * 0.9
    powers = itertools.accumulate([transitions] * 200, np.matmul)
    traces, squares = zip(
        *(
            (np.trace(power) ** 2 / size**k, np.trace(power * power) / size ** (k - 1))
            for k, power in enumerate(powers, 1)
        )
    )
    found = repetition_bound(transitions)
    assert found.nonzero == 1
    assert found.trace_bound == pytest.approx(sum(traces))
    assert found.square_bound == pytest.approx(sum(squares))


def test_bounds_by_hand():
    even = repetition_bound(np.full((4, 4), 0.25))
    assert even.repetition == pytest.approx(1 / 3) and even.eigenvalue == pytest.approx(0.25)
    assert even.trace_bound == pytest.approx(1 / 3) and even.square_bound == pytest.approx(1 / 3), (
        "nothing is lost where all are alike"
    )
    half = repetition_bound(np.eye(3) / 2)
    assert (
        half.repetition == half.square_bound == pytest.approx(1)
        and half.upper_bound == pytest.approx(1)
        and half.nonzero == 1 / 3
    )
    nothing = repetition_bound(np.array([[0.0, 1.0], [0.0, 0.0]]))
    assert (nothing.repetition, nothing.trace_bound, nothing.square_bound) == (0, 0, 0)


def test_a_cycle_that_cannot_be_left_is_repeated_forever():
    for cycle in (1, 2, 7):
        transitions = np.zeros((9, 9))
        transitions[np.arange(cycle), (np.arange(cycle) + 1) % cycle] = 1
        transitions[cycle:] = 1 / 9
        found = repetition_bound(transitions)
        assert found.repetition == found.upper_bound == math.inf and found.eigenvalue == pytest.approx(1)
        assert found.trace_bound < math.inf


def test_truncation_makes_a_model_repeat_itself():
    transitions = np.random.default_rng(0).dirichlet(np.full(30, 0.5), size=30)
    repetition = [repetition_bound(truncated(transitions, top_k=top_k)).repetition for top_k in (0, 10, 3, 1)]
    assert repetition == sorted(repetition) and repetition[-1] == math.inf, "greedy search runs in a circle"
    assert repetition_bound(truncated(transitions, top_p=0.5)).repetition > repetition[0]


def test_no_transitions():
    for wrong in (np.zeros((2, 3)), np.zeros((0, 0)), np.zeros(4)):
        with pytest.raises(ValueError, match="shape"):
            repetition_bound(wrong)
    for wrong in ([[0.5, 0.6], [0, 0]], [[-0.1, 0.5], [0, 0]], [[np.nan, 0], [0, 0]]):
        with pytest.raises(ValueError, match="probabilities"):
            repetition_bound(np.array(wrong))
