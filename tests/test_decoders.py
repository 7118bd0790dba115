"""common/decoders against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.decoders import (
    best_spans,
    bio_labels,
    bio_span_margins,
    bio_spans,
    bio_transitions,
    innermost,
    pair_starts_with_ends,
    spans_above,
    viterbi,
)
from common.decoders.viterbi import predecessor_groups

deterministic = settings(max_examples=300)
seeds = st.integers(0, 2**32 - 1)
places = st.lists(st.integers(0, 15), unique=True, max_size=10)


@deterministic
@given(places, places)
def test_pairs_against_brute_force(starts, ends):
    def fits(start, end):
        no_end_before = not any(start <= other < end for other in ends)
        no_start_between = not any(start < other <= end for other in starts)
        return start <= end and no_end_before and no_start_between

    assert pair_starts_with_ends(starts, ends) == [
        (start, end) for start in sorted(starts) for end in sorted(ends) if fits(start, end)
    ]


@deterministic
@given(places, places)
def test_the_pairs_are_those_that_hold_no_other(starts, ends):
    pairs = [(start, end) for start in starts for end in ends if start <= end]
    assert innermost(pairs) == innermost(pairs * 2) == pair_starts_with_ends(starts, ends)


def test_pairs_by_hand():
    assert pair_starts_with_ends([5, 1], [7, 5, 2]) == [(1, 2), (5, 5)]
    assert pair_starts_with_ends([1, 6], [9]) == [(6, 9)], (
        "the end of the first is missing, and must not be looked for in the second"
    )
    assert pair_starts_with_ends([3], [2]) == []
    assert pair_starts_with_ends([], [1]) == pair_starts_with_ends([1], []) == []


def test_any_iterable_will_do():
    assert pair_starts_with_ends(iter((4, 0)), {6: 1.0, 1: 0.5}) == [(0, 1), (4, 6)]


# Start and end scores


def slow_best_spans(start_scores, end_scores, allowed, max_length, count):
    found = []
    for first, last in itertools.product(range(len(allowed)), repeat=2):
        score = start_scores[first] + end_scores[last]
        if allowed[first] and allowed[last] and first <= last < first + max_length and score > -np.inf:
            found.append((first, last, score))
    return sorted(found, key=lambda span: (-span[2], span[:2]))[:count]


@deterministic
@given(
    seeds,
    st.integers(0, 3),
    st.integers(0, 9),
    st.integers(1, 12),
    st.integers(1, 60),
    st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_best_spans_against_brute_force(seed, batch, length, max_length, count, share):
    generator = np.random.default_rng(seed)
    # Whole numbers: many spans are equal, and sums exact. Some are as unlikely as can be, or no number.
    starts, ends = generator.integers(-2, 3, (2, batch, length)).astype(np.float32)
    starts[generator.random(starts.shape) < 0.1] = -np.inf
    ends[generator.random(ends.shape) < 0.05] = np.nan
    allowed = generator.random((batch, length)) < share
    before = starts.copy(), ends.copy(), allowed.copy()
    found = best_spans(starts, ends, allowed, max_length, count)
    assert found == [slow_best_spans(*row, max_length, count) for row in zip(starts, ends, allowed)]
    for kept, argument in zip(before, (starts, ends, allowed)):
        np.testing.assert_array_equal(kept, argument)


@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_best_spans_of_a_long_text(scale):
    generator = np.random.default_rng(0)
    starts, ends = generator.normal(0, scale, (2, 2, 300)).astype(np.float32)
    allowed = generator.random((2, 300)) < 0.9
    found = best_spans(starts, ends, allowed, 16, 20)
    assert found == [slow_best_spans(*row, 16, 20) for row in zip(starts, ends, allowed)]
    first, last, score = found[0][0]
    assert (type(first), type(last), type(score)) == (int, int, float), "they go into JSON files"


def test_best_spans_by_hand():
    starts, ends = np.array([[0.0, 5.0, 1.0, 0.0]]), np.array([[9.0, 0.0, 2.0, 4.0]])
    everywhere = np.ones((1, 4), bool)
    assert best_spans(starts, ends, everywhere, 4, 3) == [[(0, 0, 9.0), (1, 3, 9.0), (1, 2, 7.0)]]
    assert best_spans(starts, ends, everywhere, 2, 2) == [[(0, 0, 9.0), (1, 2, 7.0)]]
    assert best_spans(starts, ends, np.array([[0, 1, 0, 1]], bool), 3, 9) == [
        [(1, 3, 9.0), (1, 1, 5.0), (3, 3, 4.0)]
    ], "it may go over others"
    assert best_spans(starts, ends, ~everywhere, 3, 9) == [[]]
    for wrong in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            best_spans(starts, ends, everywhere, *wrong)


# Scores of whole spans


@deterministic
@given(seeds, st.integers(0, 4), st.integers(0, 7), st.sampled_from([-1.0, 0.0, 1.5]))
def test_spans_above_against_brute_force(seed, heads, length, threshold):
    scores = np.random.default_rng(seed).integers(-3, 4, (heads, length, length)).astype(np.float32) / 2
    expected = [
        (first, last, head, scores[head, first, last])
        for first, last, head in itertools.product(range(length), range(length), range(heads))
        if first <= last and scores[head, first, last] > threshold
    ]
    found = spans_above(scores, threshold)
    assert found == expected
    assert all((type(head), type(score)) == (int, float) for _, _, head, score in found)


# Viterbi


def score_of(path, emissions, transitions):
    return emissions[np.arange(len(path)), path].sum() + transitions[path[:-1], path[1:]].sum()


def best_path(emissions, transitions, starts):
    """Score of the best path, and how many have it."""
    labels = range(len(starts))
    scores = [
        score_of(np.array(path), emissions, transitions)
        for path in itertools.product(labels, repeat=len(emissions))
        if starts[path[0]] and all(transitions[pair] > -np.inf for pair in itertools.pairwise(path))
    ]
    return max(scores), scores.count(max(scores))


def check_against_enumeration(emissions, transitions, starts, lengths):
    before = [argument.copy() for argument in (emissions, transitions, starts, lengths)]
    found = viterbi(emissions, transitions, starts, lengths)
    for kept, argument in zip(before, (emissions, transitions, starts, lengths)):
        np.testing.assert_array_equal(kept, argument)
    assert [len(path) for path in found] == lengths.tolist()
    for path, scores in zip(found, emissions):
        if len(path):
            assert starts[path[0]] and (transitions[path[:-1], path[1:]] > -np.inf).all()
            assert score_of(path, scores, transitions) == best_path(scores[: len(path)], transitions, starts)[0]


@settings(deterministic, max_examples=60)
@given(seeds, st.integers(1, 2), st.integers(1, 4))
def test_viterbi_with_bio_against_all_paths(seed, classes, length):
    generator = np.random.default_rng(seed)
    legal, starts = bio_transitions(classes)
    # Whole numbers, of which sums are exact.
    transitions = np.where(legal, generator.integers(-3, 4, legal.shape), -np.inf)
    emissions = generator.integers(-9, 10, (3, length, len(starts))).astype(np.float32)
    check_against_enumeration(emissions, transitions, starts, generator.integers(0, length + 1, 3))


@settings(deterministic, max_examples=60)
@given(seeds, st.integers(1, 6), st.integers(1, 4), st.sampled_from([0, 3, 100]))
def test_viterbi_with_any_transitions_against_all_paths(seed, labels, length, spread):
    generator = np.random.default_rng(seed)
    transitions = generator.integers(-spread, spread + 1, (labels, labels)).astype(np.float32)
    transitions[generator.random(transitions.shape) < generator.choice([0, 0.2, 0.6])] = -np.inf
    transitions[np.arange(labels), generator.integers(labels, size=labels)] = 0
    starts = generator.random(labels) < 0.5
    starts[generator.integers(labels)] = True
    emissions = generator.integers(-9, 10, (2, length, labels)).astype(np.float32)
    check_against_enumeration(emissions, transitions, starts, np.array([length, length - 1]))


@pytest.mark.parametrize("certainty", [0.0, 5.0, 100.0])
def test_viterbi_with_many_labels_against_the_plain_recursion(certainty):
    """Where predecessors are passed over because they cannot win, and where none can be."""
    generator = np.random.default_rng(0)
    legal, starts = bio_transitions(40)
    transitions = np.where(legal, generator.normal(size=legal.shape), -np.inf).astype(np.float32)
    emissions = generator.normal(size=(4, 30, 81)).astype(np.float32)
    emissions[:, :, 0] += certainty
    lengths = np.array([30, 1, 0, 17])
    for path, scores in zip(viterbi(emissions, transitions, starts, lengths), emissions.astype(np.float64)):
        if len(path):
            alpha = np.where(starts, scores[0], -np.inf)
            for emission in scores[1 : len(path)]:
                alpha = (alpha[:, None] + transitions).max(0) + emission
            np.testing.assert_allclose(score_of(path, scores, transitions.astype(np.float64)), alpha.max(), rtol=1e-12)


def test_viterbi_sees_nothing_behind_the_end_and_stays_legal_whatever_the_scores():
    legal, starts = bio_transitions(2)
    transitions = np.where(legal, 0.0, -np.inf)
    emissions = np.zeros((3, 4, 5), np.float32)
    emissions[:, :, 4] = 1e30
    emissions[0, 2:] = np.nan
    plain = viterbi(emissions, transitions, starts, np.array([2, 4, 0]))
    assert [path.tolist() for path in plain] == [[3, 4], [3, 4, 4, 4], []]
    assert viterbi(np.zeros((0, 0, 5)), transitions, starts, np.zeros(0, int)) == []


def test_viterbi_refuses_what_it_cannot_decode():
    legal, starts = bio_transitions(1)
    transitions, emissions, lengths = np.where(legal, 0.0, -np.inf), np.zeros((2, 4, 3)), np.array([4, 2])
    with pytest.raises(ValueError, match="not finite"):
        viterbi(np.full((2, 4, 3), np.nan), transitions, starts, lengths)
    with pytest.raises(ValueError, match="not finite"):
        viterbi(emissions, np.where(legal, np.inf, -np.inf), starts, lengths)
    with pytest.raises(ValueError, match="between 0 and 4"):
        viterbi(emissions, transitions, starts, np.array([5, 2]))
    with pytest.raises(ValueError, match="between 0 and 4"):
        viterbi(emissions, transitions, starts, np.array([-1, 2]))
    with pytest.raises(ValueError, match="do not fit 3 labels"):
        viterbi(emissions[:, :, :2], transitions, starts, lengths)
    with pytest.raises(ValueError, match="do not fit 3 labels"):
        viterbi(emissions, transitions, starts, lengths[:1])
    with pytest.raises(ValueError, match="may begin"):
        viterbi(emissions, transitions, np.zeros(3, bool), lengths)
    with pytest.raises(ValueError, match="follow label 1"):
        viterbi(emissions, np.where(legal & (np.arange(3) != 1)[:, None], 0.0, -np.inf), starts, lengths)
    with pytest.raises(ValueError, match="shapes"):
        viterbi(emissions, transitions[:2], starts, lengths)


@settings(deterministic, max_examples=100)
@given(seeds, st.integers(1, 12), st.integers(1, 5))
def test_predecessors_in_groups_are_all_predecessors(seed, labels, few):
    generator = np.random.default_rng(seed)
    kinds = generator.random((3, labels)) < generator.random((3, 1))
    legal = kinds[generator.integers(3, size=labels)].T
    few_labels, few_predecessors, groups = predecessor_groups(legal, few)
    rebuilt = np.zeros(legal.shape, bool)
    for label, predecessors in zip(few_labels, few_predecessors, strict=True):
        rebuilt[predecessors, label] = True
        assert 1 <= len(set(predecessors)) <= few
    for predecessors, of_group in groups:
        assert len(predecessors) > few and not rebuilt[:, of_group].any()
        rebuilt[np.ix_(predecessors, of_group)] = True
    np.testing.assert_array_equal(rebuilt, legal)
    assert len(groups) <= 3 and [*few_labels] == sorted(set(few_labels))


# BIO


@pytest.mark.parametrize("classes", [0, 1, 3])
def test_bio_transitions_label_by_label(classes):
    def name(label):
        return ("O", None) if not label else ("BI"[(label - 1) % 2], (label - 1) // 2)

    legal, starts = bio_transitions(classes)
    assert legal.shape == (2 * classes + 1,) * 2 and legal.dtype == starts.dtype == bool
    for before, after in itertools.product(range(2 * classes + 1), repeat=2):
        allowed = name(after)[0] != "I" or name(before) in (("B", name(after)[1]), ("I", name(after)[1]))
        assert legal[before, after] == allowed
    assert [name(label)[0] != "I" for label in range(2 * classes + 1)] == starts.tolist()


def test_bio_spans_by_hand():
    assert bio_spans([0, 1, 2, 2, 0, 3]) == [(1, 3, 0), (5, 5, 1)]
    assert bio_spans(np.array([1, 1, 2, 3, 4])) == [(0, 0, 0), (1, 2, 0), (3, 4, 1)]
    assert bio_spans([2, 1, 4, 2, 0, 2]) == [(1, 1, 0)], "an I of another class ends a span, and none begins with one"
    assert bio_spans([]) == []


def legal_span(span):
    return (min(span[:2]), max(span[:2]), span[2])


@deterministic
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)).map(legal_span), max_size=8))
def test_spans_come_back_from_their_labels(spans):
    labels, dropped = bio_labels(spans, 10)
    assert labels.shape == (10,) and labels.dtype == np.int32
    held = bio_spans(labels)
    assert sorted(held + dropped) == sorted(set(spans))
    legal, starts = bio_transitions(4)
    assert starts[labels[0]] and legal[labels[:-1], labels[1:]].all()
    for first, last, kind in dropped:
        # What is in the way comes before it in the order of the rule.
        assert any(
            other[0] <= last and first <= other[1] and (other[0], -other[1], other[2]) < (first, -last, kind)
            for other in held
        )


def test_bio_labels_by_hand():
    labels, dropped = bio_labels([(4, 4, 1), (1, 2, 0), (1, 3, 2), (3, 4, 0), (1, 3, 2), (5, 6, 2)], 8)
    assert labels.tolist() == [0, 5, 6, 6, 3, 5, 6, 0]
    assert dropped == [(1, 2, 0), (3, 4, 0)]
    for outside in ((-1, 2, 0), (2, 8, 0), (3, 2, 0), (1, 2, -1)):
        with pytest.raises(ValueError, match="within 8 tokens"):
            bio_labels([outside], 8)


# How sure a CRF is of its spans


def slow_margins(emissions, transitions):
    """By all paths: for each span, by how much the best with it is better than the best without it."""
    _, starts = bio_transitions(emissions.shape[1] // 2)
    paths = []
    for path in itertools.product(range(emissions.shape[1]), repeat=len(emissions)):
        score = sum(emissions[range(len(path)), path]) + sum(transitions[pair] for pair in itertools.pairwise(path))
        if starts[path[0]] and score > -np.inf:
            paths.append((score, set(bio_spans(path))))
    found = {}
    for span in set().union(*(spans for _, spans in paths)):
        best = [max(score for score, spans in paths if (span in spans) is wanted) for wanted in (True, False)]
        found[span] = best[0] - best[1]
    return found


@settings(max_examples=60)
@given(seeds, st.sampled_from([1.0, 0.25]), st.integers(1, 4))
def test_margins_are_those_of_all_paths(seed, step, length):
    """Whole numbers, and quarters of them: of the first many paths are equally good."""
    generator = np.random.default_rng(seed)
    legal, starts = bio_transitions(2)
    emissions = generator.integers(-4, 5, (2, length, 5)) * step
    transitions = np.where(legal, generator.integers(-4, 5, (5, 5)) * step, -np.inf)
    lengths = np.array([length, generator.integers(0, length + 1)])
    given_emissions = emissions.copy()
    found = bio_span_margins(emissions, transitions, lengths, -100.0)
    few = bio_span_margins(emissions, transitions, lengths, -2.0)
    paths = viterbi(emissions, transitions, starts, lengths)
    np.testing.assert_array_equal(emissions, given_emissions)
    for row, ((chosen, margins), path) in enumerate(zip(found, paths)):
        expected = slow_margins(emissions[row, : lengths[row]], transitions) if lengths[row] else {}
        assert chosen == few[row][0] == set(bio_spans(path))
        assert margins == sorted((*span, margin) for span, margin in expected.items())
        assert few[row][1] == [one for one in margins if one[3] > -2 or one[:3] in chosen]
        assert all(margin >= 0 if tuple(span) in chosen else margin <= 0 for *span, margin in margins)
