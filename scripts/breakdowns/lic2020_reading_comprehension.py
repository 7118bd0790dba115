"""Reading comprehension: by what the question asks for, by the length of the answer, and by kind of answer."""

from typing import Any

from breakdowns._parts import Breakdown, by_group, places_by
from contest_folders import load
from dev_results import DevResults


def breakdown(results: DevResults, types_of: Any = None) -> Breakdown:
    """The tables of evaluate.py."""
    evaluate, metric = load(results.task, "evaluate"), load(results.task, "metric")
    answers = {example.id: answer for example, answer in zip(results.examples, results.predicted)}
    each = metric.compare(results.examples, answers)
    figures = {"F1": [one.f1 for one in each], "exact": [one.em for one in each]}
    tables = []
    for title, (group_of, order) in evaluate.TABLES.items():
        tables.append(by_group(title, "questions", places_by(map(group_of, each), order), figures))
    kinds = [(kind,) if (kind := evaluate.kind_of(one)) != evaluate.EXACT else () for one in each]
    # The questions' words first: where it fails, and then how.
    tables = [*tables[1:], tables[0]]
    return Breakdown(tables, [], [(evaluate.question_type(one.question),) for one in results.examples], kinds, True)
