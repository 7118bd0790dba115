"""What went wrong, in kinds that suggest what to do about it. Works on the texts that metric.compare returns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from common.command_line import describe_errors

from metric import Comparison, Item


@dataclass(frozen=True)
class Error:
    """A gold argument that was missed, a predicted one that is wrong, or one of each that belong together, in the text
    of `id`."""

    id: str
    gold: Item | None
    predicted: Item | None


def _same_text(gold: Item, predicted: Item) -> bool:
    return predicted.argument.text.lower() in _forms(gold)


def _boundary_differs(gold: Item, predicted: Item) -> bool:
    return gold.place == predicted.place and any(
        _overlap(form, predicted.argument.text.lower()) for form in _forms(gold)
    )


def _role_differs(gold: Item, predicted: Item) -> bool:
    return gold.event_type == predicted.event_type and _same_text(gold, predicted)


def _type_differs(gold: Item, predicted: Item) -> bool:
    return gold.argument.role == predicted.argument.role and _same_text(gold, predicted)


def _text_differs(gold: Item, predicted: Item) -> bool:
    return gold.place == predicted.place


#: From the most to the least alike: a missed and a wrong argument form a pair under the first kind that fits.
PAIRS: dict[str, Callable[[Item, Item], bool]] = {
    "right type and role, boundary differs": _boundary_differs,
    "right span, wrong role": _role_differs,
    "right span and role, wrong event type": _type_differs,
    "right span, wrong event type and role": _same_text,
    "right type and role, another part of the text": _text_differs,
}
AGAIN = "found already, predicted once more with another boundary"
MISSED = "missed entirely"
SPURIOUS = "spurious"


def find_errors(comparisons: Iterable[Comparison]) -> dict[str, list[Error]]:
    """The errors of each kind, the most frequent kind first. Every missed and every wrong argument is in exactly
    one."""
    errors: dict[str, list[Error]] = {kind: [] for kind in (*PAIRS, AGAIN, MISSED, SPURIOUS)}
    for comparison in comparisons:
        missed, wrong = comparison.missed, comparison.wrong
        for kind, alike in PAIRS.items():
            for item in list(missed):
                other = next((other for other in wrong if alike(item, other)), None)
                if other is not None:
                    errors[kind].append(Error(comparison.id, item, other))
                    missed.remove(item)
                    wrong.remove(other)
        errors[MISSED] += [Error(comparison.id, item, None) for item in missed]
        for other in wrong:
            again = any(_boundary_differs(item, other) for item in comparison.gold)
            errors[AGAIN if again else SPURIOUS].append(Error(comparison.id, None, other))
    return dict(sorted(errors.items(), key=lambda item: -len(item[1])))


def describe(errors: dict[str, list[Error]], texts: dict[str, str], examples: int = 3) -> str:
    """A few lines for each kind that occurs: its name, how often, and the first examples. `texts` has the text of each
    gold id."""
    return describe_errors(errors, lambda error: texts.get(error.id, f"(id {error.id}, not in gold)"), show, examples)


def show(item: Item) -> str:
    """`event type | role | text`, with the aliases behind it."""
    return " | ".join([item.event_type, item.argument.role, item.argument.text, *item.argument.aliases])


def _forms(gold: Item) -> list[str]:
    return [form.lower() for form in (gold.argument.text, *gold.argument.aliases)]


def _overlap(a: str, b: str) -> bool:
    """One contains the other, or the end of one, of two characters or more, is the beginning of the other."""
    if not a or not b:
        return False
    if a in b or b in a:
        return True
    return any(a.endswith(b[:size]) or b.endswith(a[:size]) for size in range(2, min(len(a), len(b))))
