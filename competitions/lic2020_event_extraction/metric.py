"""The metric of DuEE 1.0: precision, recall and F1 over arguments, with partial credit by characters.

The organisers published its definition, not their script. It is taken literally: nothing is matched one to one, so an
argument that is predicted twice is paid twice. `one_to_one` tells how much of a score comes from that. No schema: event
types and roles are compared as strings.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, NamedTuple

from common import metrics

from task import Argument, Event, Example

#: The event type and two arguments of one event, by role and string in lower case, in their order.
Pair = tuple[str, tuple[str, str], tuple[str, str]]


class Item(NamedTuple):
    """An argument with the type of its event: what is scored. To which event of that type it belongs does not
    matter."""

    event_type: str
    argument: Argument

    @property
    def place(self) -> tuple[str, str]:
        """Its (type, role) pair: arguments are compared where it is the same."""
        return self.event_type, self.argument.role


@dataclass
class Score:
    """Numbers of arguments, and in `correct` the sum of the credits, each from 0 to 1, of the predicted ones.

    `event_types` holds the same for every event type by itself.
    """

    predicted: int = 0
    gold: int = 0
    correct: float = 0.0
    event_types: dict[str, "Score"] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """`precision`, `recall` and `f1`, unrounded. Where arguments are repeated, `recall` and `f1` can be above 1."""
        return metrics.precision_recall_f1(self.correct, self.predicted, self.correct, self.gold)

    precision = property(lambda self: self.figures()["precision"])
    recall = property(lambda self: self.figures()["recall"])
    f1 = property(lambda self: self.figures()["f1"])


@dataclass(frozen=True)
class Comparison:
    """A text: its arguments on both sides, in order and as often as they stand there, and its distinct (type, trigger)
    pairs. Of arguments that stand together in an event the (type, argument, argument) triples are distinct, too, with
    an argument being its role and its string in lower case.

    `credits` has the best F1 of every predicted argument over the gold ones. `coverage` has the best F1 of every gold
    argument over the predicted ones: it is no part of the score, but tells what was missed.
    """

    id: str
    predicted: tuple[Item, ...]
    gold: tuple[Item, ...]
    credits: tuple[float, ...]
    coverage: tuple[float, ...]
    predicted_triggers: frozenset[tuple[str, str]]
    gold_triggers: frozenset[tuple[str, str]]
    predicted_pairs: frozenset[Pair]
    gold_pairs: frozenset[Pair]

    @property
    def wrong(self) -> list[Item]:
        """The predicted arguments without full credit."""
        return [item for item, credit in zip(self.predicted, self.credits) if credit < 1]

    @property
    def missed(self) -> list[Item]:
        """The gold arguments for which no prediction has full credit."""
        return [item for item, credit in zip(self.gold, self.coverage) if credit < 1]


def score(gold: Iterable[tuple[str, Iterable[Event]]], predictions: Iterable[tuple[str, Iterable[Event]]]) -> Score:
    """The official score of predicted (id, events) pairs. No division by zero: nothing predicted or no gold gives
    0.0."""
    return total(compare(gold, predictions))


def compare(
    gold: Iterable[tuple[str, Iterable[Event]]], predictions: Iterable[tuple[str, Iterable[Event]]]
) -> list[Comparison]:
    """What `score` counts, text by text: those of gold in order, then the predicted ids that gold does not have.

    The definition leaves nothing out: arguments of an id that gold does not have are predicted in vain, the gold
    arguments of a text without a prediction are missed, and if an id stands twice its arguments add up.
    """
    gold_events, predicted_events = _by_id(gold), _by_id(predictions)
    return [
        _compared(identifier, predicted_events.get(identifier, []), gold_events.get(identifier, []))
        for identifier in gold_events | predicted_events
    ]


def _compared(identifier: str, predicted_events: list[Event], gold_events: list[Event]) -> Comparison:
    predicted, gold = (
        tuple(Item(event.event_type, argument) for event in events for argument in event.arguments)
        for events in (predicted_events, gold_events)
    )
    triggers = (
        frozenset((event.event_type, event.trigger) for event in events if event.trigger)
        for events in (predicted_events, gold_events)
    )
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, item in enumerate(gold):
        places[item.place].append(number)
    credits, coverage = [0.0] * len(predicted), [0.0] * len(gold)
    for number, item in enumerate(predicted):
        for other in places.get(item.place, ()):
            credit = _credit(item.argument, gold[other].argument)
            credits[number], coverage[other] = max(credits[number], credit), max(coverage[other], credit)
    pairs = (_pairs(events) for events in (predicted_events, gold_events))
    return Comparison(identifier, predicted, gold, tuple(credits), tuple(coverage), *triggers, *pairs)


def _pairs(events: list[Event]) -> frozenset[Pair]:
    return frozenset(
        (event.event_type, *pair)
        for event in events
        for pair in combinations(sorted({(one.role, one.text.lower()) for one in event.arguments}), 2)
    )


def compare_examples(examples: Sequence[Example], predictions: Sequence[Iterable[Event]]) -> list[Comparison]:
    """The same for labelled examples and the events predicted for each, in order."""
    gold = [(example.id, example.events) for example in examples]
    return compare(gold, [(example.id, events) for example, events in zip(examples, predictions)])


def total(comparisons: Sequence[Comparison]) -> Score:
    """The sum over texts, whole and by event type."""
    predicted = Counter(item.event_type for one in comparisons for item in one.predicted)
    gold = Counter(item.event_type for one in comparisons for item in one.gold)
    credits: dict[str, list[float]] = defaultdict(list)
    for one in comparisons:
        for item, credit in zip(one.predicted, one.credits, strict=True):
            credits[item.event_type].append(credit)
    # fsum is exact, so that the order of the texts does not change the last digit.
    event_types = {name: Score(predicted[name], gold[name], math.fsum(credits[name])) for name in gold | predicted}
    correct = math.fsum(credit for some in credits.values() for credit in some)
    return Score(predicted.total(), gold.total(), correct, event_types)


def one_to_one(comparisons: Sequence[Comparison]) -> Score:
    """The score that repeating does not raise: on both sides an argument (type, role and string in whatever case)
    counts once in a text, and every gold argument gives credit to one predicted argument at most, paired so that the
    sum is as high as it can be.

    Each credit is at most that of `total`. Precision and recall can be higher all the same, where something is
    repeated.
    """
    return total([_one_to_one(one) for one in comparisons])


def trigger_score(comparisons: Iterable[Comparison]) -> Score:
    """Of the distinct (text, type, trigger) triples, compared exactly. The judge does not score them."""
    return _overlap((one.predicted_triggers, one.gold_triggers) for one in comparisons)


def grouping_score(comparisons: Iterable[Comparison]) -> Score:
    """Of the pairs of arguments that stand together in an event, compared exactly: whether arguments are put into the
    right events, as far as they are found. The judge does not score them."""
    return _overlap((one.predicted_pairs, one.gold_pairs) for one in comparisons)


def _overlap(sides: Iterable[tuple[frozenset[Any], frozenset[Any]]]) -> Score:
    result = Score()
    for predicted, gold in sides:
        result.predicted += len(predicted)
        result.gold += len(gold)
        result.correct += len(predicted & gold)
    return result


def repeats(items: Iterable[Item]) -> int:
    """How many of the arguments of one text stand there already, in the same role of the same type, in upper or lower
    case."""
    return sum(count - 1 for count in Counter((item.place, item.argument.text.lower()) for item in items).values())


def character_f1(predicted: str, gold: str) -> float:
    """F1 of the characters that both have, in lower case; see `common.metrics`."""
    return metrics.character_f1(predicted.lower(), gold.lower())


def _credit(predicted: Argument, gold: Argument) -> float:
    """For an argument in the same place."""
    return max(character_f1(predicted.text, form) for form in (gold.text, *gold.aliases))


def _by_id(pairs: Iterable[tuple[str, Iterable[Event]]]) -> dict[str, list[Event]]:
    by_id: dict[str, list[Event]] = {}
    for identifier, events in pairs:
        by_id.setdefault(identifier, []).extend(events)
    return by_id


def _one_to_one(comparison: Comparison) -> Comparison:
    sides = comparison.predicted, comparison.gold
    if all(len({item.place for item in side}) == len(side) for side in sides):
        return comparison  # so most are: one argument in each place
    predicted, gold = map(_distinct, sides)
    credits = []
    for place, ours in predicted.items():
        theirs = gold.get(place, [])
        credits += best_pairs([[_credit(one.argument, other.argument) for other in theirs] for one in ours])
    sides = (tuple(item for items in side.values() for item in items) for side in (predicted, gold))
    return replace(comparison, **dict(zip(("predicted", "gold"), sides)), credits=tuple(credits))


def _distinct(items: Iterable[Item]) -> dict[tuple[str, str], list[Item]]:
    """The arguments by their place, each string once in whatever case, with the aliases of all that it stands for."""
    found: dict[tuple[str, str], dict[str, Item]] = {}
    for item in items:
        texts, form = found.setdefault(item.place, {}), item.argument.text.lower()
        if form in texts:
            first = texts[form].argument
            aliases = tuple(dict.fromkeys((*first.aliases, *item.argument.aliases)))
            item = Item(item.event_type, replace(first, aliases=aliases))
        texts[form] = item
    return {place: list(texts.values()) for place, texts in found.items()}


def best_pairs(weights: Sequence[Sequence[float]]) -> list[float]:
    """For each row of a matrix the weight that it gets when rows and columns form pairs of the greatest sum, 0.0
    without a pair."""
    highest = [max(row, default=0.0) for row in weights]
    columns = [row.index(most) for row, most in zip(weights, highest) if most > 0]
    if len(set(columns)) == len(columns):  # so it is nearly always: each row has what it likes best
        return highest
    from scipy.optimize import linear_sum_assignment

    pairs = dict(zip(*linear_sum_assignment(weights, maximize=True)))
    return [weights[row][pairs[row]] if row in pairs else 0.0 for row in range(len(weights))]
