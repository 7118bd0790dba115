"""Title generation: by kind of title, and by the length of gold."""

from types import SimpleNamespace
from typing import Any

from breakdowns._parts import Breakdown, by_group, places_by
from contest_folders import load
from dev_results import DevResults


def breakdown(results: DevResults, types_of: Any = None) -> Breakdown:
    """The tables of evaluate.py, by rouge-l."""
    evaluate = load(results.task, "evaluate")
    # Their scores are known, and would take a millisecond each.
    each = [SimpleNamespace(example=one, predicted=said) for one, said in zip(results.examples, results.predicted)]
    kinds, lengths = ([group_of(one) for one in each] for group_of in (evaluate.kind_of, evaluate.length_of))
    figures = {"rouge-l": results.scores}
    tables = [
        by_group("characters of gold", "titles", places_by(lengths, evaluate.LENGTHS), figures),
        by_group("predicted titles", "titles", places_by(kinds, evaluate.KINDS), figures),
    ]
    wrong = [() if kind == evaluate.CORRECT else (kind,) for kind in kinds]
    return Breakdown(tables, [], [(length,) for length in lengths], wrong, True)
