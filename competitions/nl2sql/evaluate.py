"""The organisers' score of a submission, and what went wrong in it. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions submission.json
python evaluate.py --gold dev.json --ceiling
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.archives import check_size
from common.command_line import (
    UserError,
    check_above,
    check_at_least,
    one_line,
    parse_flags,
    print_counts,
    print_skipped,
    run,
    table,
    warn,
)
from common.error_report import grouped

from execution import Budget
from metric import PARTS, Comparison, Result, Score, compare, total
from task import AGGREGATIONS, CONNECTIONS, Condition, Example, Query, read, read_submission, tables_of

#: How many of the worst answers the report shows.
SHOWN = 10


@dataclass
class Config:
    """Score a submission as the organisers do: accuracy of the logic form, accuracy of execution, and their mean."""

    gold: Path
    """Labelled questions in the official format (dev.json)."""
    predictions: Path | None = None
    """The submission: one SQL query as JSON on each line, or a zip with one such file in it. Needed, but for
    --ceiling."""
    tables: Path | None = None
    """The tables of the questions, or a folder with such files. Default: dev.tables.json beside dev.json."""
    json: bool = False
    """Print one JSON object with logic_form_accuracy, execution_accuracy and score, and nothing else, on stdout."""
    ceiling: bool = False
    """Score no submission, but what a perfect network would answer with either head, and count what labels lose."""
    tries: int = 100
    """With --ceiling: the most probable queries that are looked at for a question; 1: no execution-guided decoding."""
    query_seconds: float = 30
    """CPU seconds that all queries may take together; after that each may take 0.01, or has no result."""
    max_megabytes: int | None = None
    """Largest size of the unpacked predictions, in megabytes. Default: 100 times gold, and at least 10."""

    def __post_init__(self):
        check_at_least(self, tries=1)
        check_above(self, query_seconds=0)
        if self.ceiling and self.predictions:
            raise UserError("--ceiling: scores no submission - leave out --predictions")
        if not self.ceiling and not self.predictions:
            raise UserError("--predictions is missing - name a submission, or ask for the --ceiling")


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its figures; with --ceiling logic form accuracy by head. Raises UserError for files
    that cannot be read, and for more lines than questions."""
    config = parse_flags(Config, argv)
    if config.predictions:
        check_size(config.predictions, config.gold, config.max_megabytes)
    skipped: Counter[str] = Counter()
    gold = read(config.gold, config.tables or tables_of(config.gold), labelled=True, skipped=skipped)
    budget = Budget(config.query_seconds)
    if config.ceiling:
        return print_ceilings(gold, config.tries, config.json, budget)
    predictions = read_submission(config.predictions, len(gold))
    comparisons = compare(gold, predictions, budget)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.figures()))
    else:
        print_report(score, comparisons)
        print_skipped(config.gold, skipped)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(comparisons, predictions):
        warn(message)
    warn_of_stopped(budget)
    return score.figures()


def warn_of_stopped(budget: Budget) -> None:
    """What makes the figures doubtful where queries are slow."""
    if budget.stopped:
        warn(f"{budget.stopped} queries were stopped for their time, and have a wrong result - see --query-seconds")


def print_ceilings(gold: Sequence[Example], tries: int, as_json: bool, budget: Budget) -> dict[str, float]:
    """What a perfect network would score, gold -> labels -> decoding -> gold, for each head; returns logic form accuracy
    by head."""
    from common.tokenizers import WordPieceTokenizer, build_vocabulary

    from decode import Settings, ceilings  # here, since a score needs nothing of all that they import

    tokenizer = WordPieceTokenizer(build_vocabulary(example.question for example in gold))
    scores, lost = ceilings(gold, tokenizer, Settings(tries), budget)
    figures = {head: score.figures() for head, score in scores.items()}
    if as_json:
        print(json.dumps(figures))
    else:
        _print_table(["head", *total([]).figures()], {head: [*values.values()] for head, values in figures.items()})
        print_counts(lost)
    warn_of_stopped(budget)
    return {head: score.logic_form_accuracy for head, score in scores.items()}


def print_report(score: Score, comparisons: list[Comparison]) -> None:
    """The figures, also of each part; tables by outcome, by mistake and by kinds of questions; and the worst answers
    beside gold."""
    rows = {
        "logic_form_accuracy": [score.logic_form_accuracy, score.logic_form],
        "execution_accuracy": [score.execution_accuracy, score.execution],
        "score": [score.score, ""],
    }
    _print_table(["", f"over {score.questions} questions", "right"], rows)
    rows = {name: [value, score.right_parts[name]] for name, value in score.parts().items()}
    _print_table(["part", "accuracy", "right"], rows)
    outcomes = grouped(comparisons, outcome_of, OUTCOMES)
    rows = {name: [len(group), _share(group, comparisons)] for name, group in outcomes.items()}
    _print_table(["answers", "questions", "share"], rows)
    rows = {
        # In how many nothing else is wrong: what mending this mistake would be worth.
        name: [len(group), _share(group, comparisons), sum(len(mistakes_of(one)) == 1 for one in group)]
        for name, group in by_mistake(comparisons).items()
    }
    _print_table(["what is wrong", "questions", "share", "nothing else is"], rows)
    for title, (group_of, order) in GROUPINGS.items():
        scores = {name: total(group) for name, group in grouped(comparisons, group_of, order).items()}
        rows = {name: [part.questions, *part.figures().values()] for name, part in scores.items()}
        _print_table([title, "questions", "logic form", "execution", "score"], rows)
    shown = worst(comparisons, SHOWN)
    if shown:
        print(f"worst answers ({len(shown)})\n")
        print("\n\n".join(map(describe, shown)))


def _print_table(header: list[str], rows: dict[str, list[object]]) -> None:
    if rows:
        print(table(header, [[name, *row] for name, row in rows.items()]) + "\n")


def _share(group: list[Comparison], comparisons: list[Comparison]) -> str:
    return f"{100 * len(group) / len(comparisons):.1f}%"


def find_doubts(comparisons: Sequence[Comparison], predictions: Sequence[Query | None]) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    questions = len(comparisons)
    doubts = []
    predicted = [one for one in comparisons if one.predicted is not None]
    if not any(one.predicted.selected and one.predicted.conditions for one in predicted):
        doubts.append(f"NOTHING IS PREDICTED for the {questions} questions of gold")
    if len(predictions) < questions:
        doubts.append(
            f"the predictions end after {len(predictions)} of {questions} questions: the rest counts as wrong"
        )
    blank = sum(query is None for query in predictions)
    if blank:
        doubts.append(
            f"{blank} lines of the predictions are blank, and count as wrong; the organisers' evaluator stops at them"
        )
    failed = sum(one.result.count is None for one in predicted)
    if failed:
        doubts.append(f"{failed} of {len(predicted)} predicted queries cannot be executed, and have a wrong result")
    failed = sum(one.gold_result.count is None for one in comparisons)
    if failed:
        doubts.append(
            f"{failed} of {questions} queries of gold cannot be executed: whatever is predicted for them has a wrong result"
        )
    return doubts


# What became of a prediction

CORRECT = "correct"
OTHER_FORM = "right result by another logic form"
WRONG_RESULT = "wrong result"
NOT_EXECUTABLE = "cannot be executed"
GOLD_NOT_EXECUTABLE = "gold cannot be executed"
NOT_PREDICTED = "no line in the predictions"
OUTCOMES = (CORRECT, OTHER_FORM, WRONG_RESULT, NOT_EXECUTABLE, GOLD_NOT_EXECUTABLE, NOT_PREDICTED)


def outcome_of(comparison: Comparison) -> str:
    """The one of OUTCOMES that a prediction has."""
    if comparison.predicted is None:
        return NOT_PREDICTED
    if comparison.gold_result.count is None:
        return GOLD_NOT_EXECUTABLE
    if comparison.result.count is None:
        return NOT_EXECUTABLE
    if not comparison.execution:
        return WRONG_RESULT
    return CORRECT if comparison.logic_form else OTHER_FORM


# What is wrong in it

SELECT = "selected column wrong"
AGGREGATION = "aggregation wrong"
COLUMN = "column of a condition wrong"
OPERATOR = "operator wrong"
VALUE = "value wrong"
MISSING = "a condition missing"
SPURIOUS = "a condition too many"
CONNECTION = "connection wrong"
MISTAKES = (SELECT, AGGREGATION, COLUMN, OPERATOR, VALUE, MISSING, SPURIOUS, CONNECTION)

# Where a predicted condition differs from one of gold in nothing else.
_DIFFERENCES = {VALUE: "value", COLUMN: "column", OPERATOR: "operator"}


def mistakes_of(comparison: Comparison) -> list[str]:
    """Those of MISTAKES that are in the logic form of a prediction, in their order; none where it is right, or nothing
    is predicted.

    Conditions that are not in both queries belong together where they differ in one thing, and are missing or too many
    otherwise.
    """
    gold, predicted = comparison.example.query, comparison.predicted
    if predicted is None:
        return []
    mistakes = {*_wrong_selection(gold, predicted), *_wrong_conditions(gold.conditions, predicted.conditions)}
    if gold.connection != predicted.connection:
        mistakes.add(CONNECTION)
    return [mistake for mistake in MISTAKES if mistake in mistakes]


def _wrong_selection(gold: Query, predicted: Query) -> list[str]:
    if Counter(gold.selected) == Counter(predicted.selected):
        return []
    same_columns, same_aggregations = (
        PARTS[part](gold) == PARTS[part](predicted) for part in ("select column", "aggregation")
    )
    # Right columns and right aggregations that do not belong together are wrong aggregations too.
    return [SELECT] * (not same_columns) + [AGGREGATION] * (same_columns or not same_aggregations)


def _wrong_conditions(gold: Iterable[Condition], predicted: Iterable[Condition]) -> Iterable[str]:
    missing = list((Counter(gold) - Counter(predicted)).elements())
    spurious = list((Counter(predicted) - Counter(gold)).elements())
    for kind, name in _DIFFERENCES.items():
        for condition in list(missing):
            part = {name: getattr(condition, name)}
            same = next((one for one in spurious if one._replace(**part) == condition), None)
            if same is not None:
                missing.remove(condition)
                spurious.remove(same)
                yield kind
    yield from [MISSING] * bool(missing) + [SPURIOUS] * bool(spurious)


# Kinds of questions


def number_of_conditions(comparison: Comparison) -> str:
    """`2 and`: of gold."""
    query = comparison.example.query
    count = "3+" if len(query.conditions) > 2 else str(len(query.conditions))
    return f"{count} {CONNECTIONS[query.connection]}".strip()


def twice(comparison: Comparison) -> str:
    """What two conditions of gold have in common."""
    conditions = comparison.example.query.conditions
    for name, values in (("column", [one.column for one in conditions]), ("value", [one.value for one in conditions])):
        if len(set(values)) < len(values):
            return f"the same {name} twice"
    return "each column and value once"


def verbatim(comparison: Comparison) -> str:
    """Whether the values of gold stand in the question as they are."""
    question, query = comparison.example.question, comparison.example.query
    return "verbatim" if all(one.value in question for one in query.conditions) else "not verbatim"


def aggregation(comparison: Comparison) -> str:
    """The aggregation of gold."""
    used = {AGGREGATIONS[one.aggregation] for one in comparison.example.query.selected} - {""}
    return "several" if len(used) > 1 else next(iter(used), "none")


_COUNTS = [f"{count} {name}".strip() for count in ("0", "1", "2", "3+") for name in CONNECTIONS]

#: Titles of groupings: the group of a question, and the order of groups.
GROUPINGS: dict[str, tuple[Callable[[Comparison], str], Sequence[str]]] = {
    "conditions": (number_of_conditions, _COUNTS),
    "in two conditions": (twice, ("each column and value once", "the same column twice", "the same value twice")),
    "values in the question": (verbatim, ("verbatim", "not verbatim")),
    "aggregation": (aggregation, ("none", *AGGREGATIONS[1:], "several")),
}


def by_mistake(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    """The comparisons with each of MISTAKES; some have several."""
    groups: dict[str, list[Comparison]] = {mistake: [] for mistake in MISTAKES}
    for comparison in comparisons:
        for mistake in mistakes_of(comparison):
            groups[mistake].append(comparison)
    return {mistake: group for mistake, group in groups.items() if group}


def worst(comparisons: Iterable[Comparison], number: int) -> list[Comparison]:
    """Those with the fewest right parts among the answers with a wrong result."""
    wrong = (one for one in comparisons if outcome_of(one) in (WRONG_RESULT, NOT_EXECUTABLE))
    return sorted(wrong, key=lambda one: len(one.right_parts))[:number]


def describe(comparison: Comparison) -> str:
    """Four lines on an answer: what became of it and what is wrong, the question, and what gold and prediction are and
    give."""
    example, header = comparison.example, comparison.example.table.header
    lines = [
        f"{outcome_of(comparison)}: {', '.join(mistakes_of(comparison))}".removesuffix(": "),
        f"  question   {example.question}   (table {example.table.id})",
        f"  gold       {_answered(example.query, header, comparison.gold_result)}",
        f"  predicted  {_answered(comparison.predicted, header, comparison.result)}",
    ]
    return "\n".join(map(one_line, lines))


def _answered(query: Query | None, header: Sequence[str], result: Result) -> str:
    """`SELECT ...   -> 5 rows: a, b; c, d; ...`"""
    text = query.text(header) if query else ""
    if result.count is None:
        return f"{text}   -> {result.text}".strip()
    rows = "1 row" if result.count == 1 else f"{result.count} rows"
    return f"{text}   -> {rows}{': ' if result.text else ''}{result.text}"


if __name__ == "__main__":
    run(main)
