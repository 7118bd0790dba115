"""What kinds of questions are answered how well, and what went wrong. Works on the comparisons that metric.compare
returns."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from metric import Comparison, Result
from task import AGGREGATIONS, CONNECTIONS, Condition, Query

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
    if comparison.gold_result.rows is None:
        return GOLD_NOT_EXECUTABLE
    if comparison.result.rows is None:
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
    # Right columns and right aggregations that do not belong together are wrong aggregations too.
    same_columns = Counter(one.column for one in gold.selected) == Counter(one.column for one in predicted.selected)
    same_aggregations = Counter(one.aggregation for one in gold.selected) == Counter(
        one.aggregation for one in predicted.selected
    )
    return [
        kind
        for kind, wrong in ((SELECT, not same_columns), (AGGREGATION, same_columns or not same_aggregations))
        if wrong
    ]


def _wrong_conditions(gold: Iterable[Condition], predicted: Iterable[Condition]) -> Iterable[str]:
    missing, spurious = Counter(gold), Counter(predicted)
    missing, spurious = list((missing - spurious).elements()), list((spurious - missing).elements())
    for kind, name in _DIFFERENCES.items():
        for condition in list(missing):
            same = next(
                (one for one in spurious if one._replace(**{name: getattr(condition, name)}) == condition), None
            )
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
    example = comparison.example
    return "verbatim" if all(one.value in example.question for one in example.query.conditions) else "not verbatim"


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


def breakdown(
    comparisons: Iterable[Comparison], group_of: Callable[[Comparison], str], order: Sequence[str]
) -> dict[str, list[Comparison]]:
    """The comparisons of each group, in `order`. None is empty."""
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(group_of(comparison), []).append(comparison)
    return {name: groups[name] for name in order if name in groups}


def by_outcome(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    return breakdown(comparisons, outcome_of, OUTCOMES)


def by_mistake(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    """The comparisons with each of MISTAKES; some have several."""
    pairs = [(comparison, mistakes_of(comparison)) for comparison in comparisons]
    groups = {mistake: [comparison for comparison, mistakes in pairs if mistake in mistakes] for mistake in MISTAKES}
    return {mistake: group for mistake, group in groups.items() if group}


# The worst


def worst(comparisons: Iterable[Comparison], number: int) -> list[Comparison]:
    """Those with the fewest right parts among the answers with a wrong result."""
    wrong = (one for one in comparisons if outcome_of(one) in (WRONG_RESULT, NOT_EXECUTABLE))
    return sorted(wrong, key=lambda one: len(one.right_parts))[:number]


def describe(comparison: Comparison) -> str:
    """Four lines on an answer: what became of it and what is wrong, the question, and what gold and prediction are and
    give."""
    example = comparison.example
    header = example.table.header
    lines = [
        f"{outcome_of(comparison)}: {', '.join(mistakes_of(comparison))}".removesuffix(": "),
        f"  question   {example.question}   (table {example.table.id})",
        f"  gold       {_answered(example.query, header, comparison.gold_result)}",
        f"  predicted  {_answered(comparison.predicted, header, comparison.result)}",
    ]
    return "\n".join(" ".join(line.splitlines()) for line in lines)


def _answered(query: Query | None, header: Sequence[str], result: Result, most: int = 3) -> str:
    """`SELECT ...   -> 5 rows: a, b; c, d; ...`"""
    text = query.text(header) if query else ""
    if result.rows is None:
        return f"{text}   -> {result.error}".strip()
    shown = "; ".join(", ".join(map(str, row)) for row in result.rows[:most])
    more = "; ..." if len(result.rows) > most else ""
    return f"{text}   -> {len(result.rows)} {'row' if len(result.rows) == 1 else 'rows'}{': ' if shown else ''}{shown:.100}{more}"
