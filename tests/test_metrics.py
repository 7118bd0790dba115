import pytest
from hypothesis import given, strategies

from common.metrics import character_f1, precision_recall_f1


def test_by_hand():
    assert precision_recall_f1(3, 4, 3, 6) == {"precision": 0.75, "recall": 0.5, "f1": pytest.approx(0.6)}


def test_nothing_is_rounded():
    assert precision_recall_f1(1, 3, 2, 7) == {
        "precision": 1 / 3,
        "recall": 2 / 7,
        "f1": pytest.approx(4 / 13, rel=1e-15),
    }


def test_the_two_numerators_are_apart():
    assert precision_recall_f1(1, 2, 0, 4) == {"precision": 0.5, "recall": 0.0, "f1": 0.0}


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (0, 0, 0, 5), (0, 5, 0, 0), (0, 5, 0, 5)])
def test_nothing_earns_nothing(counts):
    assert precision_recall_f1(*counts) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="negative"):
        precision_recall_f1(-1, 1, 1, 1)


@given(strategies.integers(0, 50), strategies.integers(1, 50), strategies.integers(1, 50))
def test_f1_lies_between_precision_and_recall(correct, more_predicted, more_gold):
    figures = precision_recall_f1(correct, correct + more_predicted, correct, correct + more_gold)
    low, high = sorted((figures["precision"], figures["recall"]))
    assert low - 1e-12 <= figures["f1"] <= high + 1e-12


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("甲乙", "乙甲", 1),
        ("甲甲乙", "甲乙乙", 2 / 3),
        ("甲甲甲", "甲", 1 / 2),
        ("a", "A", 0),
        ("", "甲", 0),
        ("", "", 0),
    ],
)
def test_character_f1(a, b, expected):
    assert character_f1(a, b) == character_f1(b, a) == pytest.approx(expected)
