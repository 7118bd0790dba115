"""The official metric of DuIE 2.0: micro precision, recall and F1 over triples.

Written from the behaviour of the organisers' re_official_evaluation.py, oddities included, since it decides.
No schema and no types: a triple is right by its subject, predicate, and object slots alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.metrics import precision_recall_f1
from common.submission import read_lines

from task import Triple

#: What two triples are compared by: subject, predicate, and the sorted (slot, value) pairs.
Key = tuple[str, str, tuple[tuple[str, str], ...]]
Aliases = Mapping[str, set[str]]


@dataclass
class Score:
    """Counts of distinct triples: `correct` of the `predicted` are in gold, `found` of the `gold` ones are predicted.

    Without aliases `correct` equals `found`. `predicates` holds the same for every predicate by itself.
    """

    predicted: int = 0
    gold: int = 0
    correct: int = 0
    found: int = 0
    predicates: dict[str, "Score"] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """`precision`, `recall` and `f1`, each rounded to 4 decimals at the end, as the organisers do."""
        figures = precision_recall_f1(self.correct, self.predicted, self.found, self.gold)
        return {name: round(value, 4) for name, value in figures.items()}

    @property
    def precision(self) -> float:
        return self.figures()["precision"]

    @property
    def recall(self) -> float:
        return self.figures()["recall"]

    @property
    def f1(self) -> float:
        return self.figures()["f1"]


@dataclass(frozen=True)
class Comparison:
    """One sentence of gold, its distinct triples by their keys, in order, and which of them have a counterpart."""

    text: str
    predicted: dict[Key, Triple]
    gold: dict[Key, Triple]
    correct: set[Key]
    found: set[Key]


def score(
    gold: Iterable[tuple[str, Iterable[Triple]]],
    predictions: Iterable[tuple[str, Iterable[Triple]]],
    aliases: Aliases | None = None,
) -> Score:
    """The official score of predicted (text, triples) pairs. No division by zero: nothing predicted or no gold gives
    0.0."""
    return total(compare(gold, predictions, aliases))


def compare(
    gold: Iterable[tuple[str, Iterable[Triple]]],
    predictions: Iterable[tuple[str, Iterable[Triple]]],
    aliases: Aliases | None = None,
) -> list[Comparison]:
    """What `score` counts, sentence by sentence.

    Both sides become dictionaries by text: of two lines with the same text the later one counts, and a predicted text
    that is not in gold is ignored. Triples that are equal after normalisation (or by aliases) count once, the first of
    them.
    """
    predicted_by_text = dict(predictions)
    comparisons = []
    for text, gold_triples in dict(gold).items():
        all_predicted = _by_key(predicted_by_text.get(text, ()))
        predicted = _distinct(all_predicted, aliases)
        wanted = _distinct(_by_key(gold_triples), aliases)
        correct = found = predicted.keys() & wanted.keys()
        if aliases:
            correct = {key for key in predicted if _is_among(key, wanted, aliases)}
            # Against all predictions, not the distinct ones: aliases need not be transitive, and the organisers look
            # there.
            found = {key for key in wanted if _is_among(key, all_predicted, aliases)}
        comparisons.append(Comparison(text, predicted, wanted, correct, found))
    return comparisons


def total(comparisons: Sequence[Comparison]) -> Score:
    """The sum over sentences, whole and by predicate."""
    counts = {
        name: Counter(predicate for comparison in comparisons for _, predicate, _ in getattr(comparison, name))
        for name in ("predicted", "gold", "correct", "found")
    }
    predicates = dict.fromkeys([*counts["gold"], *counts["predicted"]])
    parts = {predicate: Score(**{name: count[predicate] for name, count in counts.items()}) for predicate in predicates}
    return Score(**{name: count.total() for name, count in counts.items()}, predicates=parts)


def normalise(value: str) -> str:
    """Lower case, without one pair of 《》 if they are both at the ends. For subjects and object values; predicates
    stay."""
    value = value.lower()
    return value[1:-1] if value.startswith("《") and value.endswith("》") else value


def key(triple: Triple) -> Key:
    slots = {slot: normalise(value) for slot, value in triple.object}
    in_order = sorted(slots.items()) if len(slots) > 1 else slots.items()
    return normalise(triple.subject), triple.predicate, tuple(in_order)


def _by_key(triples: Iterable[Triple]) -> dict[Key, Triple]:
    by_key: dict[Key, Triple] = {}
    for triple in triples:
        by_key.setdefault(key(triple), triple)
    return by_key


def _distinct(triples: dict[Key, Triple], aliases: Aliases | None) -> dict[Key, Triple]:
    if not aliases:
        return triples
    kept: dict[Key, Triple] = {}
    for candidate, triple in triples.items():
        if not _is_among(candidate, kept, aliases):
            kept[candidate] = triple
    return kept


def _is_among(target: Key, others: Iterable[Key], aliases: Aliases) -> bool:
    """Whether `target` is one of `others`, or by aliases as good as one.

    A subject may be any alias OF THE TARGET's subject, so the direction counts: this asks about a prediction for
    precision and about gold for recall. Object values must be aliases of each other, in both directions.
    """
    if target in others:
        return True
    subject, predicate, slots = target
    for other_subject, other_predicate, other_slots in others:
        if (
            predicate == other_predicate
            and _stands_for(subject, other_subject, aliases)
            and len(slots) == len(other_slots)
        ):
            if all(
                slot == other_slot
                and _stands_for(value, other_value, aliases)
                and _stands_for(other_value, value, aliases)
                for (slot, value), (other_slot, other_value) in zip(slots, other_slots)
            ):
                return True
    return False


def _stands_for(name: str, other: str, aliases: Aliases) -> bool:
    return name == other or other in aliases.get(name, ())


def read_aliases(path: str | Path) -> dict[str, set[str]]:
    """The organisers' alias file (they never published theirs): on each line a name and its aliases, with tabs between.

    Lower-cased, but 《》 are not taken off, as in the original. Of two lines for a name the later one counts, and an
    alias of a name does not make the name an alias of the alias: that needs a line of its own.
    """
    aliases = {}
    for _, line in read_lines(path):
        name, *others = line.strip().lower().split("\t")
        aliases[name] = set(others)
    return aliases
