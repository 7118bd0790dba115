"""WebQA: by what the question asks for, by how many passages have the answer, and by kind of answer."""

from typing import Any

from breakdowns._parts import Breakdown, by_group, places_by
from contest_folders import load
from dev_results import DevResults


def breakdown(results: DevResults, types_of: Any = None) -> Breakdown:
    """The tables of evaluate.py; what a question asks for is told as in reading comprehension."""
    evaluate, metric = load(results.task, "evaluate"), load(results.task, "metric")
    question_type = load("lic2020_reading_comprehension", "evaluate").question_type
    gold = [metric.Gold.of(example) for example in results.examples]
    each = metric.compare(gold, [(one.id, answer) for one, answer in zip(results.examples, results.predicted)])
    figures = {
        "score": [(one.correct + one.f1) / 2 for one in each],
        "accuracy": [float(one.correct) for one in each],
        "F1": [one.f1 for one in each],
    }
    asked = [question_type(example.question) for example in results.examples]
    kinds = [str(evaluate.kind_of(one)) for one in each]
    tables = [
        by_group("question type", "questions", places_by(asked), figures),
        by_group(
            "passages with the answer", "questions", places_by(map(evaluate.support, each), evaluate.SUPPORT), figures
        ),
        by_group("answers", "questions", places_by(kinds, evaluate.Kind), figures),
    ]
    wrong = [() if kind == evaluate.Kind.CORRECT else (kind,) for kind in kinds]
    return Breakdown(tables, [], [(kind,) for kind in asked], wrong, True)
