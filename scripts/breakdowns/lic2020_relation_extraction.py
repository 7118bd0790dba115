"""Relation extraction: by predicate."""

from typing import Any

from breakdowns._parts import Breakdown, Table, confusion_of, counted_row, kinds_table
from contest_folders import load
from dev_results import DevResults


def breakdown(results: DevResults, types_of: Any = None) -> Breakdown:
    """F1 by predicate, and which predicate was taken for which."""
    evaluate, metric = load(results.task, "evaluate"), load(results.task, "metric")
    # One by one: the judge counts a sentence that stands twice once, and so does the table.
    each = [
        metric.compare([(example.text, example.triples)], [(example.text, triples)])[0]
        for example, triples in zip(results.examples, results.predicted)
    ]
    once = [*{one.text: one for one in each}.values()]
    score = metric.total(once)
    parts = sorted(score.predicates.items(), key=lambda item: (-item[1].gold, -item[1].predicted, item[0]))
    rows = [counted_row(name, part.gold, part.predicted, part.correct) for name, part in parts]
    columns = ("gold", "predicted", "correct", "precision", "recall")
    errors = [evaluate.find_errors([one]) for one in each]
    kinds = [tuple(kind for kind, found in one.items() for _ in found) for one in errors]
    right = [one.gold[key] for one in each for key in one.found]
    wrong = [error for one in errors for found in one.values() for error in found]
    return Breakdown(
        [Table("predicate", "F1", columns, rows, is_data=True), kinds_table(kinds)],
        [confusion_of("predicate", wrong, right, lambda triple: triple.predicate)],
        [tuple(sorted({key[1] for key in (*one.gold, *one.predicted)})) for one in each],
        [tuple(dict.fromkeys(some)) for some in kinds],
    )
