"""Event extraction: by event type and by role."""

from collections import Counter
from typing import Any

from breakdowns._parts import Breakdown, by_class, confusion_of, kinds_table
from contest_folders import load
from dev_results import DevResults


def breakdown(results: DevResults, types_of: Any = None) -> Breakdown:
    """F1 of arguments by event type and by role, and which of both was taken for which."""
    evaluate, metric = load(results.task, "evaluate"), load(results.task, "metric")
    each = metric.compare_examples(results.examples, results.predicted)
    errors = [evaluate.find_errors([one]) for one in each]
    kinds = [tuple(kind for kind, found in one.items() for _ in found) for one in errors]
    wrong = [error for one in errors for found in one.values() for error in found]
    right = [item for one in each for item, credit in zip(one.gold, one.coverage) if credit >= 1]
    return Breakdown(
        [
            _table("event type", each, lambda item: item.event_type),
            _table("role", each, lambda item: item.argument.role),
            kinds_table(kinds),
        ],
        [
            confusion_of("event type", wrong, right, lambda item: item.event_type),
            confusion_of("role", wrong, right, lambda item: item.argument.role),
        ],
        [tuple(sorted({item.event_type for item in (*one.gold, *one.predicted)})) for one in each],
        [tuple(dict.fromkeys(some)) for some in kinds],
    )


def _table(title: str, each: list[Any], class_of: Any) -> Any:
    gold = Counter(class_of(item) for one in each for item in one.gold)
    predicted = Counter(class_of(item) for one in each for item in one.predicted)
    correct: Counter[str] = Counter()
    for one in each:
        for item, credit in zip(one.predicted, one.credits):
            correct[class_of(item)] += credit
    return by_class(title, gold, predicted, correct)
