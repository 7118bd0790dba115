"""common/decoders against brute force."""

from hypothesis import given, settings
from hypothesis import strategies as st

from common.decoders import pair_starts_with_ends

deterministic = settings(derandomize=True, database=None, deadline=None, max_examples=300)
places = st.lists(st.integers(0, 15), unique=True, max_size=10)


@deterministic
@given(places, places)
def test_pairs_against_brute_force(starts, ends):
    def fits(start, end):
        no_end_before = not any(start <= other < end for other in ends)
        no_start_between = not any(start < other <= end for other in starts)
        return start <= end and no_end_before and no_start_between

    assert pair_starts_with_ends(starts, ends) == [(start, end) for start in sorted(starts) for end in sorted(ends) if fits(start, end)]


def test_pairs_by_hand():
    assert pair_starts_with_ends([5, 1], [7, 5, 2]) == [(1, 2), (5, 5)]
    assert pair_starts_with_ends([1, 6], [9]) == [(6, 9)], "the end of the first is missing, and must not be looked for in the second"
    assert pair_starts_with_ends([3], [2]) == []
    assert pair_starts_with_ends([], [1]) == pair_starts_with_ends([1], []) == []


def test_any_iterable_will_do():
    assert pair_starts_with_ends(iter((4, 0)), {6: 1.0, 1: 0.5}) == [(0, 1), (4, 6)]
