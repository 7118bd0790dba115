"""The metric of CCKS2019 entity linking: precision, recall and F1 over linked mentions, NIL left out.

A link is a (text_id, mention, offset, entity) tuple, and counts once however often it stands there. Beside
it, not what the organisers count: how well mentions are found, and how well those that are found are linked.
"""

from collections.abc import Iterable, KeysView, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from common.metrics import precision_recall_f1

from task import NIL, Mention

#: Ids of texts, each with its mentions.
Texts = Iterable[tuple[str, Iterable[Mention]]]


class Count(NamedTuple):
    """How many different ones are predicted, are in gold, and are in both."""

    predicted: int
    gold: int
    correct: int

    def figures(self) -> dict[str, float]:
        """`precision`, `recall` and `f1`, unrounded."""
        return precision_recall_f1(self.correct, self.predicted, self.correct, self.gold)


class Share(NamedTuple):
    """How many of the mentions that are found are right."""

    right: int
    found: int

    @property
    def accuracy(self) -> float:
        """From 0 to 1; 0.0 of none."""
        return self.right / self.found if self.found else 0.0


@dataclass(frozen=True)
class Score:
    """What is counted over all texts.

    `links` is what the organisers count. `mentions` leaves the entities aside, and takes NIL in. Of the mentions that
    are found, `linked` has those that gold links to an entity, and `unlinked` those that gold says NIL of: right is
    what is predicted just as in gold.
    """

    links: Count
    mentions: Count
    linked: Share
    unlinked: Share

    def figures(self) -> dict[str, float]:
        """`precision`, `recall` and `f1` of the links, and after these the same of the mentions and `linking_accuracy`,
        unrounded."""
        mentions = {f"mention_{name}": value for name, value in self.mentions.figures().items()}
        return {**self.links.figures(), **mentions, "linking_accuracy": self.linked.accuracy}


@dataclass(frozen=True)
class Comparison:
    """A text: its different mentions on both sides, each in the order in which they stand there, and to be looked up."""

    id: str
    predicted: KeysView[Mention]
    gold: KeysView[Mention]

    @property
    def correct(self) -> list[Mention]:
        """The links that both sides have."""
        return [mention for mention in links(self.gold) if mention in self.predicted]

    @property
    def wrong(self) -> list[Mention]:
        """The predicted links that gold does not have."""
        return [mention for mention in links(self.predicted) if mention not in self.gold]

    @property
    def missed(self) -> list[Mention]:
        """The links of gold that are not predicted."""
        return [mention for mention in links(self.gold) if mention not in self.predicted]


def links(mentions: Iterable[Mention]) -> list[Mention]:
    """Those that are linked to an entity."""
    return [mention for mention in mentions if mention.entity != NIL]


def score(gold: Texts, predictions: Texts) -> Score:
    """The official score of predictions, and what stands beside it. No division by zero: nothing gives 0.0."""
    return total(compare(gold, predictions))


def compare(gold: Texts, predictions: Texts) -> list[Comparison]:
    """What `score` counts, text by text: those of gold in order, then the predicted ids that gold does not have.

    The definition leaves nothing out: mentions of an id that gold does not have are predicted in vain, those of a text
    without a prediction are missed, and if an id stands twice its mentions add up.
    """
    sides: dict[str, tuple[dict[Mention, None], dict[Mention, None]]] = {}
    for side, texts in ((1, gold), (0, predictions)):
        for identifier, mentions in texts:
            sides.setdefault(identifier, ({}, {}))[side].update(dict.fromkeys(mentions))
    return [
        Comparison(identifier, predicted.keys(), wanted.keys()) for identifier, (predicted, wanted) in sides.items()
    ]


def total(comparisons: Sequence[Comparison]) -> Score:
    """The sum over texts."""
    predicted = sum(len(links(one.predicted)) for one in comparisons)
    gold = sum(len(links(one.gold)) for one in comparisons)
    pairs = [(_by_place(one.predicted), _by_place(one.gold)) for one in comparisons]
    found = [(ours[place], theirs[place]) for ours, theirs in pairs for place in theirs if place in ours]
    linked = [ours == theirs for ours, theirs in found if theirs != {NIL}]
    unlinked = [ours == theirs for ours, theirs in found if theirs == {NIL}]
    return Score(
        Count(predicted, gold, sum(len(one.correct) for one in comparisons)),
        Count(sum(len(ours) for ours, _ in pairs), sum(len(theirs) for _, theirs in pairs), len(found)),
        Share(sum(linked), len(linked)),
        Share(sum(unlinked), len(unlinked)),
    )


def _by_place(mentions: Iterable[Mention]) -> dict[tuple[int, str], set[str]]:
    """What each place is linked to: one entity or NIL, where nobody contradicts himself."""
    places: dict[tuple[int, str], set[str]] = {}
    for mention in mentions:
        places.setdefault(mention.place, set()).add(mention.entity)
    return places
