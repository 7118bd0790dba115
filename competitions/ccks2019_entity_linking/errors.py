"""What went wrong, in kinds that suggest what to do about it. Works on the texts that metric.compare returns."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from common.command_line import describe_errors

from metric import Comparison, Count, links
from task import NIL, Mention


@dataclass(frozen=True)
class Error:
    """A link of gold that was missed, a predicted one that is wrong, or one of each that belong together, in the text
    of `id`.

    Beside a link that is left without a counterpart may stand what explains it: a mention of the other side, whatever
    else becomes of that.
    """

    id: str
    gold: Mention | None
    predicted: Mention | None


def _same_place(gold: Mention, predicted: Mention) -> bool:
    return (gold.offset, gold.text) == (predicted.offset, predicted.text)


def _same_name(gold: Mention, predicted: Mention) -> bool:
    return gold.text == predicted.text


def _too_long(gold: Mention, predicted: Mention) -> bool:
    return predicted.offset <= gold.offset and gold.end <= predicted.end


def _too_short(gold: Mention, predicted: Mention) -> bool:
    return _too_long(predicted, gold)


def _overlap(gold: Mention, predicted: Mention) -> bool:
    return gold.offset < predicted.end and predicted.offset < gold.end


def _nil_for_entity(gold: Mention, predicted: Mention) -> bool:
    return _same_place(gold, predicted) and predicted.entity == NIL


def _entity_for_nil(gold: Mention, predicted: Mention) -> bool:
    return _same_place(gold, predicted) and gold.entity == NIL


Alike = Callable[[Mention, Mention], bool]

#: From the most to the least alike: a missed and a wrong link form a pair under the first kind that fits.
PAIRS: dict[str, Alike] = {
    "right mention, wrong entity": _same_place,
    "right name at another offset": _same_name,
    "mention too long": _too_long,
    "mention too short": _too_short,
    "mention overlaps with the right one": _overlap,
}
#: What may explain a missed link that is left: something else that is predicted, NIL or right.
MISSED: dict[str, Alike] = {
    "right mention, NIL instead of its entity": _nil_for_entity,
    "missed within another mention": _too_long,
    "missed, overlaps with another mention": _overlap,
}
#: What may explain a wrong link that is left: something else in gold, NIL or found.
WRONG: dict[str, Alike] = {
    "right mention, an entity instead of NIL": _entity_for_nil,
    "spurious within another mention": _too_short,
    "spurious, overlaps with another mention": _overlap,
}
# And where nothing does: the detector does not know the name, or it is unsure of it.
NEVER_PREDICTED = "missed, as everywhere: no text has this name predicted"
PREDICTED_ELSEWHERE = "missed here, though the name is predicted elsewhere"
NEVER_IN_GOLD = "spurious, as everywhere: gold never has this name"
IN_GOLD_ELSEWHERE = "spurious here, though gold has the name elsewhere"


def find_errors(comparisons: Iterable[Comparison]) -> dict[str, list[Error]]:
    """The errors of each kind, the most frequent kind first. Every missed and every wrong link is in exactly one."""
    comparisons = list(comparisons)
    predicted_names = {mention.text for one in comparisons for mention in one.predicted}
    gold_names = {mention.text for one in comparisons for mention in one.gold}
    alone = (NEVER_PREDICTED, PREDICTED_ELSEWHERE, NEVER_IN_GOLD, IN_GOLD_ELSEWHERE)
    errors: dict[str, list[Error]] = {kind: [] for kind in (*PAIRS, *MISSED, *WRONG, *alone)}
    for one in comparisons:
        missed, wrong = one.missed, one.wrong
        for kind, alike in PAIRS.items():
            for mention in list(missed):
                other = next((other for other in wrong if alike(mention, other)), None)
                if other is not None:
                    errors[kind].append(Error(one.id, mention, other))
                    missed.remove(mention)
                    wrong.remove(other)
        for mention in missed:
            left = PREDICTED_ELSEWHERE if mention.text in predicted_names else NEVER_PREDICTED
            found = (
                (kind, other) for kind, alike in MISSED.items() for other in one.predicted if alike(mention, other)
            )
            kind, other = next(found, (left, None))
            errors[kind].append(Error(one.id, mention, other))
        for other in wrong:
            left = IN_GOLD_ELSEWHERE if other.text in gold_names else NEVER_IN_GOLD
            found = ((kind, mention) for kind, alike in WRONG.items() for mention in one.gold if alike(mention, other))
            kind, mention = next(found, (left, None))
            errors[kind].append(Error(one.id, mention, other))
    return dict(sorted(errors.items(), key=lambda item: -len(item[1])))


def count_names(comparisons: Iterable[Comparison]) -> dict[str, Count]:
    """The links of each name by themselves, those that cost most errors first."""
    predicted: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for one in comparisons:
        predicted.update(mention.text for mention in links(one.predicted))
        gold.update(mention.text for mention in links(one.gold))
        missed.update(mention.text for mention in one.missed)
        errors.update(mention.text for mention in (*one.missed, *one.wrong))
    names = sorted(gold | predicted, key=lambda name: (-errors[name], name))
    return {name: Count(predicted[name], gold[name], gold[name] - missed[name]) for name in names}


def describe(errors: dict[str, list[Error]], texts: dict[str, str], examples: int = 3) -> str:
    """A few lines for each kind that occurs: its name, how often, and the first examples. `texts` has the text of each
    gold id."""
    return describe_errors(errors, lambda error: texts.get(error.id, f"(id {error.id}, not in gold)"), show, examples)


def show(mention: Mention) -> str:
    """`text | offset | entity`."""
    return f"{mention.text} | {mention.offset} | {mention.entity}"
