"""The hypothesis most like all others, against the definition written out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from common.decoders import by_consensus, common_subsequence_f1

texts = st.text("甲乙丙丁", max_size=9)


def longest_common_subsequence(one, other) -> int:
    if not one or not other:
        return 0
    if one[0] == other[0]:
        return 1 + longest_common_subsequence(one[1:], other[1:])
    return max(longest_common_subsequence(one[1:], other), longest_common_subsequence(one, other[1:]))


@given(texts, texts)
def test_the_f1_is_that_of_the_longest_common_subsequence(one, other):
    expected = 2 * longest_common_subsequence(one, other) / (len(one) + len(other)) if one and other else 0
    assert common_subsequence_f1(one, other) == common_subsequence_f1(other, one) == expected


def test_sequences_longer_than_a_machine_word():
    assert common_subsequence_f1("甲乙" * 100, "乙甲" * 100) == 2 * 199 / 400
    assert common_subsequence_f1(list(range(200)), list(range(100, 300))) == 0.5


@given(st.lists(texts, max_size=8))
def test_the_order_is_that_of_mean_similarities(candidates):
    risks = [-sum(common_subsequence_f1(one, other) for other in candidates) for one in candidates]
    order = by_consensus(candidates, common_subsequence_f1)
    assert sorted(order) == list(range(len(candidates)))
    ranked = [(round(risks[index], 9), index) for index in order]
    assert ranked == sorted(ranked)


def test_what_is_often_said_wins_over_what_is_like_nothing():
    asked = []

    def similarity(one, other):
        asked.append((one, other))
        return float(one == other)

    assert by_consensus(["甲", "乙", "丙", "乙"], similarity)[0] == 1
    assert len(asked) == 3 + 3, "one question for each pair of different candidates"


def test_the_rounding_of_sums_decides_nothing():
    # Both are as like the others as each other, in sums of other fractions.
    assert by_consensus(["丙甲甲乙", "乙乙", "丙丙甲乙"], common_subsequence_f1) == [0, 2, 1]
    assert by_consensus(["甲甲", "乙", "乙丙甲丙", "乙乙"], common_subsequence_f1)[0] == 1


@given(st.lists(st.tuples(texts, st.integers(1, 4)), max_size=6))
def test_a_weight_counts_as_so_many_candidates(weighted):
    candidates, weights = [text for text, _ in weighted], [weight for _, weight in weighted]
    repeated = [text for text, weight in weighted for _ in range(weight)]
    firsts = np.cumsum([0, *weights])[: len(weights)].tolist()
    expected = [place for place in by_consensus(repeated, common_subsequence_f1) if place in firsts]
    assert [firsts[place] for place in by_consensus(candidates, common_subsequence_f1, weights)] == expected
