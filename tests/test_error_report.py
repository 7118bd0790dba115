"""common/error_report.py: pairs, groups and what is told of them."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.error_report import boundary_differs, describe_errors, grouped, take_pairs

KINDS = {"the same tens": lambda a, b: a // 10 == b // 10, "the same ones": lambda a, b: a % 10 == b % 10}


@given(st.lists(st.integers(0, 99), unique=True, max_size=8), st.lists(st.integers(0, 99), unique=True, max_size=8))
def test_pairs_are_the_first_that_fit_and_everything_is_in_one_or_left(missed, wrong):
    left_missed, left_wrong = list(missed), list(wrong)
    pairs = take_pairs(left_missed, left_wrong, KINDS)
    assert sorted(left_missed + [item for _, item, _ in pairs]) == sorted(missed)
    assert sorted(left_wrong + [other for _, _, other in pairs]) == sorted(wrong)
    assert all(KINDS[kind](item, other) for kind, item, other in pairs)
    assert not any(alike(item, other) for alike in KINDS.values() for item in left_missed for other in left_wrong)
    tens = [(item, other) for kind, item, other in pairs if kind == "the same tens"]
    assert len(tens) == sum(
        min(sum(a // 10 == ten for a in missed), sum(b // 10 == ten for b in wrong)) for ten in range(10)
    ), "what is less alike comes second"


def test_of_several_that_fit_the_first_is_taken():
    missed, wrong = [11, 12], [13, 14, 2]
    assert take_pairs(missed, wrong, KINDS) == [("the same tens", 11, 13), ("the same tens", 12, 14)]
    assert (missed, wrong) == ([], [2])


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("云桥市", "云桥", True),
        ("云桥市图书馆", "图书馆周六", True),
        ("云桥市", "市长", False),  # one character is no boundary
        ("云桥", "远山", False),
        ("", "云桥", False),
        (None, "云桥", False),
    ],
)
def test_a_boundary_differs_where_strings_share_an_end(one, other, differs):
    assert boundary_differs(one, other) is boundary_differs(other, one) is differs


@given(st.lists(st.integers(0, 30)))
def test_groups_hold_everything_that_has_one_in_its_order(items):
    groups = grouped(items, lambda item: item % 4 or None)
    assert groups == {name: [item for item in items if item % 4 == name] for name in groups}
    assert sum(map(len, groups.values())) == sum(item % 4 > 0 for item in items) and all(groups.values())
    assert [*groups] == sorted(groups, key=lambda name: (-len(groups[name]), name)), "the largest first"
    assert [*grouped(items, lambda item: item % 4 or None, [3, 9, 1])][:2] == [
        name for name in (3, 1, 2) if name in groups
    ][:2]


def test_errors_by_kind_with_the_first_examples():
    def error(text, gold, predicted):
        return SimpleNamespace(text=text, gold=gold, predicted=predicted)

    errors = {
        "missed": [error("天" * 60, "甲", None), error("地" * 61, "乙", None)],
        "spurious": [],
        "other": [error("人", "甲", "乙")],
    }
    assert describe_errors(errors, lambda one: one.text, lambda item: f"<{item}>", examples=2).split("\n") == [
        "     2  missed",
        f"          {'天' * 60}",
        "            gold       <甲>",
        f"          {'地' * 60}…",
        "            gold       <乙>",
        "     1  other",
        "          人",
        "            gold       <甲>",
        "            predicted  <乙>",
    ]
    assert describe_errors(errors, lambda one: one.text, str, examples=0) == "     2  missed\n     1  other"
    assert describe_errors({}, str, str) == ""
