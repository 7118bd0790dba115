"""Entity linking: by the type of the entity, and by name."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from breakdowns._parts import COUNTED, Breakdown, Table, by_class, confusion_of, counted_row, kinds_table
from contest_folders import load
from dev_results import DevResults

#: As many of the names that cost most.
MOST_NAMES = 30


def breakdown(results: DevResults, types_of: Callable[[str], tuple[str, ...]] | None = None) -> Breakdown:
    """F1 by type of entity, where the types are known, and of the names that cost most. NIL is left out, as by the
    judge."""
    evaluate, metric = load(results.task, "evaluate"), load(results.task, "metric")
    gold = [(example.id, example.mentions) for example in results.examples]
    each = metric.compare(gold, [(one.id, mentions) for one, mentions in zip(results.examples, results.predicted)])
    errors = evaluate.find_errors(each)
    by_id: dict[str, list[str]] = {}
    for kind, found in errors.items():
        for error in found:
            by_id.setdefault(error.id, []).append(kind)
    kinds = [tuple(by_id.get(one.id, ())) for one in each]
    names = [
        counted_row(name, part.gold, part.predicted, part.correct)
        for name, part in evaluate.count_names(each).items()
        if part.correct < max(part.gold, part.predicted)
    ]
    tables = [Table("names with most errors", "F1", COUNTED, names[:MOST_NAMES], True), kinds_table(kinds)]
    if types_of is None:
        return Breakdown(tables, [], [()] * len(each), [tuple(dict.fromkeys(some)) for some in kinds])

    def class_of(mention: Any) -> str:
        return ", ".join(types_of(mention.entity)) or "?"

    sides = [(metric.links(one.gold), metric.links(one.predicted), one.correct) for one in each]
    counts = [Counter(class_of(mention) for side in sides for mention in side[at]) for at in range(3)]
    wrong = [error for found in errors.values() for error in found]
    right = [mention for side in sides for mention in side[2]]
    return Breakdown(
        [by_class("entity type", *counts), *tables],
        [confusion_of("entity type", wrong, right, class_of)],
        [tuple(sorted({class_of(mention) for mention in (*side[0], *side[1])})) for side in sides],
        [tuple(dict.fromkeys(some)) for some in kinds],
    )
