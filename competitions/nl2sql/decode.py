"""From scores to a query that runs: batched scoring, choices in the order of their probability, and the first one whose
result makes sense. No TensorFlow.

Execution-guided decoding (Wang et al. 2018): a query that fails, that compares or adds up what is no number, or that
returns nothing is passed over for the next best (execution.py, `meaning`).
"""

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np

from common.decoders import on_grid
from common.encoders import Encoder
from common.generators import BATCH_TOKENS, prediction_order
from common.prediction import one_trace
from common.runs.values import Between
from common.tokenizers import Encoding, WordPieceTokenizer

from execution import MOST_COLUMNS, Budget, TooSlow, database_of, meaning
from features import (
    COUNTS,
    NOT_SELECTED,
    SELECTIONS,
    WHOLE,
    Labels,
    Mark,
    Window,
    align,
    collate,
    condition_class,
    count_class,
    marks_of_tags,
    question_window,
    tagged_spans,
    tags_of,
    whole_classes,
)
from metric import Score, compare, total
from task import CONNECTIONS, OPERATORS, Condition, Example, Query, Selected
from values import Column, columns_of, find_numbers, number_at


class Settings(NamedTuple):
    """tries: how many of the most probable queries are looked at until one makes sense and says something; 1 takes the
    most probable one, whatever it says."""

    tries: Annotated[int, Between(1, 10**6)] = 100


# Of the network: least probability of an edge or a column, and largest number of the values, and of the conditions, that
# are looked at.
_LEAST, _MOST = 0.02, 20
_LONGEST = 40  # tokens of a value

_NOISE = 2.0**-14  # more than another batch, padding or processor changes in a logit

# Of queries
_EQUALITY = {OPERATORS.index("=="), OPERATORS.index("!=")}
_KEPT = 50  # selections, and sets of conditions, of which queries are made
_LOOKED_AT = 1000  # choices of conditions, most of which are the same where a question says one over and over
_LEAST_OPERATOR = 0.01  # probability of one that is tried
_TOLD = 20  # in a file of scores
_CERTAIN = 1e-6  # of the probability of a perfect network, and the least that is asked for the logarithm of


class Found(NamedTuple):
    """A value of a column at the characters [start, end) of a question, with its probability and those of its
    OPERATORS, float (4,)."""

    column: int
    start: int
    end: int
    probability: float
    operators: np.ndarray


@dataclass(frozen=True)
class Scores:
    """What a network says of a question.

    selections: probabilities, float (columns, SELECTIONS). connection: of CONNECTIONS, float (3,). selected_count,
    condition_count: that one, two or more columns are selected and conditions are there, float (COUNTS,); with one more
    for no condition where there may be none. found: of two that overlap in one column the more probable one only.
    """

    selections: np.ndarray
    connection: np.ndarray
    selected_count: np.ndarray
    condition_count: np.ndarray
    found: Sequence[Found]

    @classmethod
    def perfect(
        cls, labels: Labels, marks: Sequence[Mark], encoding: Encoding, unconditioned: bool = False
    ) -> "Scores":
        """Those of a network that gives its labels back; `marks` are those that its head can represent. encoding: the
        tokens of the question, without special ones. unconditioned: whether there are questions without a condition."""
        found = [
            Found(column, *encoding.char_span(first, last), 1 - _CERTAIN, np.eye(len(OPERATORS))[operator])
            for column, operator, first, last in marks
        ]
        whole = (_sure(getattr(labels, name), classes) for name, classes in whole_classes(unconditioned).items())
        return cls(np.stack([_sure(selection, SELECTIONS) for selection in labels.selections]), *whole, found)


@dataclass(frozen=True)
class Considered:
    """What the query for a question is chosen from: what a network says, and the most probable whole queries of that,
    each with the product of the probabilities of its choices. Not yet executed: the answer is the first that has a
    meaning."""

    scores: Scores
    queries: list[tuple[Query, float]]

    def record(self) -> dict[str, Any]:
        """Candidates, and in "parts" all else that stands in `scores`."""
        found = [{**one._asdict(), "operators": one.operators.tolist()} for one in self.scores.found]
        parts = {name: getattr(self.scores, name).tolist() for name in ("selections", *WHOLE)}
        candidates = [{**query.record(), "probability": probability} for query, probability in self.queries]
        return {"candidates": candidates, "parts": {**parts, "found": found}}

    @classmethod
    def of(cls, example: Example, scores: Scores) -> "Considered":
        costed = itertools.islice(_costed(example.question, columns_of(example.table), scores), _TOLD)
        return cls(scores, [(query, math.exp(-cost)) for cost, query in costed])


def _sure(number: int, classes: int) -> np.ndarray:
    return np.where(np.arange(classes) == number, 1 - _CERTAIN, _CERTAIN)


class Predictor:
    """Answers questions, whatever their order and number and their tables. cells: of each column that are read. budget:
    of the time of all queries that are tried; None: one for each call."""

    def __init__(
        self, network, encoder: Encoder, cells: int, batch_tokens: int = BATCH_TOKENS, budget: Budget | None = None
    ):
        self.network, self.encoder, self.cells = network, encoder, cells
        self.batch_tokens, self.budget = batch_tokens, budget
        self._network = one_trace(network)

    @property
    def unconditioned(self) -> bool:
        """Whether a query may have no condition: training had such questions."""
        return self.network.output["condition_count"].shape[-1] > COUNTS

    def __call__(self, examples: Sequence[Example], settings: Settings) -> list[Query]:
        """The query for every question, in order."""
        return self.decode(examples, self.score(self.features(examples), [settings]), settings)

    def features(self, examples: Sequence[Example]) -> list[Window]:
        """What `score` reads."""
        return [question_window(example, self.encoder, self.cells, Counter()) for example in examples]

    def score(self, windows: Sequence[Window], settings: Sequence[Settings]) -> list[Scores]:
        """Everything that decoding at any settings needs. Questions of all tables share batches."""
        scores: list[Scores | None] = [None] * len(windows)
        for batch in prediction_order([len(window) for window in windows], self.batch_tokens):
            outputs = self._network(collate([windows[index] for index in batch]))
            outputs = {name: values.numpy() for name, values in outputs.items()}
            for number, index in enumerate(batch):
                scores[index] = scores_of(windows[index], {name: values[number] for name, values in outputs.items()})
        return scores

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[Considered]:
        """What `write_query` chooses the query for each question from."""
        scores = self.score(self.features(examples), [settings])
        return [Considered.of(example, one) for example, one in zip(examples, scores)]

    def decode(self, examples: Sequence[Example], scores: Sequence[Scores], settings: Settings) -> list[Query]:
        """The query for every question out of its scores."""
        budget = self.budget or Budget()
        return [write_query(example, one, settings, budget) for example, one in zip(examples, scores)]


def scores_of(window: Window, logits: dict[str, np.ndarray]) -> Scores:
    """The scores of a window whose logits, by name, may be padded."""
    from scipy.special import expit, softmax  # here, as below: it is slow to load, and --help needs none

    tokens, columns = len(window.question), len(window.columns)
    selections = softmax(settled(logits["selections"][:columns]), axis=-1)
    # A column that was not read is as good as not selected.
    selections[window.columns[:, 2] == 0] = np.eye(SELECTIONS)[NOT_SELECTED]
    value_columns = settled(logits["value_columns"][:tokens, :columns])
    if "edges" in logits:
        found = _pointed(expit(settled(logits["edges"][:tokens])), value_columns, window.question)
    else:
        found = _tagged(softmax(settled(logits["tags"][:tokens]), axis=-1), value_columns, window.question)
    return Scores(selections, *(softmax(settled(logits[name])) for name in WHOLE), found)


def settled(logits: np.ndarray) -> np.ndarray:
    """Logits of one question, any shape, on the grid: all that follows is exact, and the same in any batch.

    What differs by noise alone (equal columns, repeated words) becomes equal first, or it could fall on two sides of a
    boundary of the grid.
    """
    order = np.argsort(logits, axis=None)
    ascending = logits.ravel()[order].astype(np.float64)
    begins = np.diff(ascending, prepend=-np.inf) > _NOISE
    found = np.empty(len(ascending))
    found[order] = on_grid(ascending[begins])[np.cumsum(begins) - 1]
    return found.reshape(logits.shape)


def _pointed(edges: np.ndarray, value_columns: np.ndarray, question: Encoding) -> list[Found]:
    """The best values, of those that overlap in a column the best only.

    edges: probabilities (tokens, OPERATORS, 2). value_columns: logits (tokens, columns).
    """
    from scipy.special import expit

    strengths: dict[tuple[int, int], np.ndarray] = {}
    for starts, ends in edges.transpose(1, 2, 0):
        for first in np.flatnonzero(starts > _LEAST).tolist():
            for last in (first + np.flatnonzero(ends[first : first + _LONGEST] > _LEAST)).tolist():
                strengths[first, last] = np.sqrt(edges[first, :, 0] * edges[last, :, 1])
    # A network that has not learned anything yet says of every token that it may be one: only the likeliest values meet
    # the columns.
    likeliest = sorted(strengths, key=lambda span: (-strengths[span].max(), span[1] - span[0], span))[:_MOST]
    found = [
        one
        for first, last in likeliest
        for one in _in_columns(
            question.char_span(first, last),
            strengths[first, last],
            expit(value_columns[first] + value_columns[last]),
        )
    ]
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.probability):
        if not any(other.column == one.column and other.start < one.end and one.start < other.end for other in kept):
            kept.append(one)
        if len(kept) == _MOST:
            break
    return kept


def _tagged(tags: np.ndarray, value_columns: np.ndarray, question: Encoding) -> list[Found]:
    """The tagged values with each of the columns that may be theirs.

    tags: probabilities (tokens, TAG_COUNT). value_columns: logits (tokens, columns).
    """
    from scipy.special import expit

    # Of both tags of an operator together.
    by_operator = tags[:, 1:].reshape(len(tags), len(OPERATORS), 2).sum(2)
    found = []
    for _, first, last in tagged_spans(tags.argmax(1)):
        inside = slice(first, last + 1)
        columns = expit(value_columns[inside]).mean(0)
        found += _in_columns(question.char_span(first, last), by_operator[inside].mean(0), columns)
    return sorted(found, key=lambda one: -one.probability)[:_MOST]


def _in_columns(span: tuple[int, int], operators: np.ndarray, columns: np.ndarray) -> Iterator[Found]:
    """A value in each of the columns that may be its own. operators, columns: probabilities."""
    for column in np.flatnonzero(columns > _LEAST).tolist():
        yield Found(column, *span, float(min(operators.sum(), 1) * columns[column]), operators / operators.sum())


# Queries


def forget_tables() -> None:
    """Gives back the memory of all tables that there were questions about: they are kept while others come."""
    database_of.cache_clear()
    columns_of.cache_clear()


def write_query(
    example: Example, scores: Scores, settings: Settings = Settings(), budget: Budget | None = None
) -> Query:
    """The query for a question: of the most probable ones, as many as `settings.tries`, the first that has a meaning, and
    if none has, the most probable one. Where one is too slow for the budget, no more are looked at."""
    columns, most_probable = columns_of(example.table), None
    for query in itertools.islice(candidates(example.question, columns, scores), settings.tries):
        most_probable = most_probable or query
        try:
            if meaning(query, example.table, columns, budget) is not None:
                return query
        except TooSlow:
            break
    return most_probable or _last_resort(columns, scores)


def candidates(question: str, columns: Sequence[Column], scores: Scores) -> Iterator[Query]:
    """Whole queries, the most probable first: a selected column, a condition, unless the scores know of none, and a
    connection just where there are several conditions. Columns that sqlite has no room for are in none.

    Made of the most probable selections and the most probable sets of conditions, some of each; none where no condition
    was found and one has to be.
    """
    return (query for _, query in _costed(question, columns, scores))


def _costed(question: str, columns: Sequence[Column], scores: Scores) -> Iterator[tuple[float, Query]]:
    """The same with their costs."""
    unconditioned = len(scores.condition_count) > COUNTS
    found = [one for one in scores.found if one.column < MOST_COLUMNS]
    selections = [
        (cost + _cost(scores.selected_count[count_class(len(selected))]), selected)
        for cost, selected in itertools.islice(_selections(scores.selections[:MOST_COLUMNS]), _KEPT)
    ]
    joined = [
        (
            cost + _cost(scores.condition_count[condition_class(len(chosen))]) + _cost(scores.connection[connection]),
            (connection, chosen),
        )
        for cost, chosen in itertools.islice(_conditions(question, columns, found, unconditioned), _KEPT)
        for connection in ((0,) if len(chosen) < 2 else range(1, len(CONNECTIONS)))
    ]
    for cost, (selected, (connection, chosen)) in best_first([selections, joined]):
        yield cost, Query(selected, connection, chosen)


def _selections(probabilities: np.ndarray) -> Iterator[tuple[float, tuple[Selected, ...]]]:
    """What may be selected, at least one column, with its cost."""
    costs = on_grid(-np.log(np.maximum(probabilities, _CERTAIN))).tolist()
    slots = [[(cost, number) for number, cost in enumerate(row)] for row in costs]
    for cost, choice in best_first(slots):
        selected = tuple(
            Selected(column, aggregation) for column, aggregation in enumerate(choice) if aggregation != NOT_SELECTED
        )
        if selected:
            yield cost, selected


def _conditions(
    question: str, columns: Sequence[Column], found: Sequence[Found], unconditioned: bool
) -> Iterator[tuple[float, tuple[Condition, ...]]]:
    """Which conditions there may be, each once and at least one, unless there may be none, with their cost. One that a
    question says several times is one condition."""
    slots = list(_condition_options(question, columns, found))
    # In the order of the question, whichever of its places each was taken from.
    order = dict.fromkeys(condition for options in slots for _, condition in options if condition is not None)
    known: set[frozenset[Condition]] = set() if unconditioned else {frozenset()}
    for cost, choice in itertools.islice(best_first(slots), _LOOKED_AT):
        chosen = frozenset(choice) - {None}
        if chosen not in known:
            known.add(chosen)
            yield cost, tuple(condition for condition in order if condition in chosen)


def best_first(slots: Sequence[Sequence[tuple[float, Any]]]) -> Iterator[tuple[float, tuple]]:
    """One option of each slot, in all combinations, those with the least sum of costs first: the sum and the values.
    Options are (cost, value).

    Sums of costs on the grid are exact; equal ones go by the places of what is not the best option, first slots first.
    """
    if not all(slots):
        return
    slots = [sorted(options, key=lambda option: option[0]) for options in slots]
    # A combination is the slots, in order, in which it has not the best option, with the numbers of their options.
    heap: list[tuple[float, tuple[tuple[int, int], ...]]] = [(sum(options[0][0] for options in slots), ())]
    while heap:
        cost, changes = heapq.heappop(heap)
        chosen = dict(changes)
        yield cost, tuple(options[chosen.get(slot, 0)][1] for slot, options in enumerate(slots))
        # The next ones make one choice worse, not before the slot that was changed last: so each is reached once.
        for slot in range(changes[-1][0] if changes else 0, len(slots)):
            index, options = chosen.get(slot, 0), slots[slot]
            if index + 1 < len(options):
                worse = cost + options[index + 1][0] - options[index][0]
                heapq.heappush(heap, (worse, (*(changes[:-1] if index else changes), (slot, index + 1))))


def _condition_options(question: str, columns: Sequence[Column], found: Sequence[Found]) -> Iterator[list]:
    """For each condition that may be there: None, or the condition with each of the values that its words can mean."""
    numbers = find_numbers(question)
    for one in sorted(found, key=lambda one: (one.start, one.end, one.column)):
        number, options = number_at(numbers, one.start, one.end), [(_cost(1 - one.probability), None)]
        for operator, share in enumerate(one.operators):
            if share < _LEAST_OPERATOR:
                continue
            links = columns[one.column].link(question[one.start : one.end], number, operator in _EQUALITY)
            # A question is not less sure of a condition since its value is written in another way: only the ranks of
            # the values count.
            best = links[0].score if links else 1.0
            options += [
                (_cost(one.probability * share * link.score / best), Condition(one.column, operator, link.value))
                for link in links
            ]
        yield options


def _cost(probability: float) -> float:
    """On the grid: what is equally probable costs the same, however it was added up."""
    return on_grid(-math.log(max(float(probability), _CERTAIN)))


def _last_resort(columns: Sequence[Column], scores: Scores) -> Query:
    """The column that is most likely selected, where the first column has its first value: it answers nothing, but it
    runs."""
    selected = Selected(int(np.argmin(scores.selections[:MOST_COLUMNS, NOT_SELECTED])), 0)
    value = columns[0].cells[0] if columns[0].cells else ""
    return Query((selected,), 0, (Condition(0, OPERATORS.index("=="), value),))


def ceilings(
    examples: Sequence[Example],
    tokenizer: WordPieceTokenizer,
    settings: Settings = Settings(),
    budget: Budget | None = None,
) -> tuple[dict[str, Score], Counter[str]]:
    """What a perfect network would score, gold -> labels -> decoding -> gold, for each head; and what has no label,
    counted by reason. budget: of the time that all queries may take."""
    lost: Counter[str] = Counter()
    budget = budget or Budget()
    queries: dict[str, list[Query]] = {"span_column": [], "tagging": []}
    unconditioned = not all(example.query.conditions for example in examples)
    for example in examples:
        encoding, columns = tokenizer.tokenize(example.question), columns_of(example.table)
        labels = align(example.query, example.question, encoding, columns, lost)
        tagged = marks_of_tags(*tags_of(labels, len(encoding), len(columns), lost))
        for head, marks in (("span_column", labels.marks), ("tagging", tagged)):
            queries[head].append(
                write_query(example, Scores.perfect(labels, marks, encoding, unconditioned), settings, budget)
            )
    return {head: total(compare(examples, found, budget)) for head, found in queries.items()}, lost
