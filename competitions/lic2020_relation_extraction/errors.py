"""What went wrong, in kinds that suggest what to do about it. Works on the sentences that metric.compare returns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from common.command_line import describe_errors

from metric import Comparison, Key
from task import VALUE, Triple


@dataclass(frozen=True)
class Error:
    """A gold triple that was missed, a predicted one that is wrong, or one of each that belong together."""

    text: str
    gold: Triple | None
    predicted: Triple | None


def _slots_differ(gold: Key, predicted: Key) -> bool:
    return _ends(gold) == _ends(predicted) and gold[1] == predicted[1]


def _predicate_differs(gold: Key, predicted: Key) -> bool:
    return _ends(gold) == _ends(predicted)


def _swapped(gold: Key, predicted: Key) -> bool:
    return gold[1] == predicted[1] and _ends(gold) == _ends(predicted)[::-1]


def _boundary_differs(gold: Key, predicted: Key) -> bool:
    return gold[1] == predicted[1] and all(_overlap(a, b) for a, b in zip(_ends(gold), _ends(predicted)))


#: From the most to the least alike: a missed and a wrong triple form a pair under the first kind that fits.
PAIRS: dict[str, Callable[[Key, Key], bool]] = {
    "same but for the other slots of the object": _slots_differ,
    "right pair of strings, wrong predicate": _predicate_differs,
    "subject and object exchanged": _swapped,
    "boundary of subject or object differs": _boundary_differs,
}
MISSED = "missed entirely"
SPURIOUS = "spurious"


def find_errors(comparisons: Iterable[Comparison]) -> dict[str, list[Error]]:
    """The errors of each kind, the most frequent kind first. Every missed and every wrong triple is in exactly one."""
    errors: dict[str, list[Error]] = {kind: [] for kind in (*PAIRS, MISSED, SPURIOUS)}
    for comparison in comparisons:
        text, gold, predicted = comparison.text, comparison.gold, comparison.predicted
        missed = [key for key in gold if key not in comparison.found]
        wrong = [key for key in predicted if key not in comparison.correct]
        for kind, alike in PAIRS.items():
            for key in list(missed):
                other = next((other for other in wrong if alike(key, other)), None)
                if other is not None:
                    errors[kind].append(Error(text, gold[key], predicted[other]))
                    missed.remove(key)
                    wrong.remove(other)
        errors[MISSED] += [Error(text, gold[key], None) for key in missed]
        errors[SPURIOUS] += [Error(text, None, predicted[key]) for key in wrong]
    return dict(sorted(errors.items(), key=lambda item: -len(item[1])))


def describe(errors: dict[str, list[Error]], examples: int = 3) -> str:
    """A few lines for each kind that occurs: its name, how often, and the first examples."""
    return describe_errors(errors, lambda error: error.text, show, examples)


def show(triple: Triple) -> str:
    """`subject | predicate | value`, with the other slots of the object behind it."""
    others = [f"{slot}: {value}" for slot, value in triple.object if slot != VALUE]
    return " | ".join([triple.subject, triple.predicate, triple.slots.get(VALUE, f"(no {VALUE})"), *others])


def _ends(key: Key) -> tuple[str, str | None]:
    subject, _, slots = key
    return subject, dict(slots).get(VALUE)


def _overlap(a: str | None, b: str | None) -> bool:
    """One contains the other, or the end of one, of two characters or more, is the beginning of the other."""
    if not a or not b:
        return False
    if a in b or b in a:
        return True
    return any(a.endswith(b[:size]) or b.endswith(a[:size]) for size in range(2, min(len(a), len(b))))
