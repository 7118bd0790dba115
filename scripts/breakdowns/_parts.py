"""What the modules of the contests share: tables, confusions, and what becomes of them. No TensorFlow."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from common.metrics import precision_recall_f1

#: In a confusion: gold has nothing there (the prediction is spurious), or nothing is predicted (gold is missed).
NOTHING = ""


class Row(NamedTuple):
    """A class, its score from 0 to 1 (None: it is only counted), and what stands in the columns."""

    name: str
    score: float | None
    cells: tuple[float, ...]


class Table(NamedTuple):
    """`title`: what the classes are. `score`: what is measured, "" where classes are counted only. The first of
    `columns` is a count. `is_data`: the names of the classes are those of the data, and not words of the metric."""

    title: str
    score: str
    columns: tuple[str, ...]
    rows: list[Row]
    is_data: bool = False


class Confusion(NamedTuple):
    """How often gold of one class met a prediction of another, by (gold, predicted); NOTHING on either side."""

    title: str
    counts: Counter[tuple[str, str]]
    is_data: bool = False


class Breakdown(NamedTuple):
    """`classes` and `kinds` have an entry for each example: the classes that gold or prediction have in it, and what
    kinds of errors are there (none in one that is right). `are_words`: the classes are words of the metric, and not names
    of the data."""

    tables: list[Table]
    confusions: list[Confusion]
    classes: list[tuple[str, ...]]
    kinds: list[tuple[str, ...]]
    are_words: bool = False


COUNTED = ("gold", "predicted", "correct", "precision", "recall")


def counted_row(name: str, gold: int, predicted: int, correct: float) -> Row:
    """The row of a class with the columns COUNTED; the score is F1, at most 1 also where the judge pays more."""
    figures = precision_recall_f1(correct, predicted, correct, gold)
    cells = (gold, predicted, round(correct, 2), figures["precision"], figures["recall"])
    return Row(name, min(1.0, figures["f1"]), cells)


def by_class(title: str, gold: Counter, predicted: Counter, correct: Counter) -> Table:
    """F1 of each class, frequent ones first, out of counts of items."""
    names = sorted(gold.keys() | predicted.keys(), key=lambda name: (-gold[name], -predicted[name], name))
    rows = [counted_row(name, gold[name], predicted[name], correct[name]) for name in names]
    return Table(title, "F1", COUNTED, rows, is_data=True)


def by_group(title: str, unit: str, groups: dict[str, list[int]], figures: dict[str, Sequence[float]]) -> Table:
    """The mean of some figures of the examples (places) in each group. The first one is the score."""
    score, *others = figures
    arrays = {name: np.array(values, np.float64) for name, values in figures.items()}
    rows = [
        Row(
            str(name),
            float(arrays[score][places].mean()),
            (len(places), *(float(arrays[one][places].mean()) for one in others)),
        )
        for name, places in groups.items()
        if places
    ]
    return Table(title, score, (unit, *others), rows)


def kinds_table(kinds: Iterable[Iterable[str]], title: str = "kinds of errors", unit: str = "errors") -> Table:
    """How often each kind occurs, the most frequent one first."""
    counts = Counter(kind for some in kinds for kind in some)
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Table(title, "", (unit,), [Row(name, None, (count,)) for name, count in rows])


def confusion_of(
    title: str, errors: Iterable[Any], right: Iterable[Any], class_of: Callable[[Any], str], is_data: bool = True
) -> Confusion:
    """errors: with `gold` and `predicted`, of which either may be None. right: what both sides have."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in right:
        counts[class_of(one), class_of(one)] += 1
    for error in errors:
        counts[tuple(NOTHING if side is None else class_of(side) for side in (error.gold, error.predicted))] += 1
    return Confusion(title, counts, is_data)


def places_by(keys: Iterable[str | None], order: Iterable[str] = ()) -> dict[str, list[int]]:
    """The places of each key, in the given order, or the most frequent first. None is in no group."""
    found: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        if key is not None:
            found.setdefault(str(key), []).append(place)
    rank = {str(name): number for number, name in enumerate(order)}
    return dict(sorted(found.items(), key=lambda item: (rank.get(item[0], len(rank)), -len(item[1]), item[0])))
