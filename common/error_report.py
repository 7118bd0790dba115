"""What evaluate.py says of what went wrong: missed and wrong items in pairs, groups, and a few lines on each kind."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from common.command_line import printable

Item = TypeVar("Item")
Group = TypeVar("Group", bound=Hashable)


def take_pairs(
    missed: list[Item], wrong: list[Item], kinds: Mapping[str, Callable[[Item, Item], bool]]
) -> list[tuple[str, Item, Item]]:
    """Pairs of a missed and a wrong item, taken out of both lists, each with the first of `kinds` that fits.

    kinds: from the most to the least alike, whether a missed and a wrong item are a pair of that kind.
    """
    pairs = []
    for kind, alike in kinds.items():
        for item in list(missed):
            other = next((other for other in wrong if alike(item, other)), None)
            if other is not None:
                pairs.append((kind, item, other))
                missed.remove(item)
                wrong.remove(other)
    return pairs


def boundary_differs(one: str | None, other: str | None) -> bool:
    """Whether two strings may be one thing with another boundary: one contains the other, or the end of one, of two
    characters or more, is the beginning of the other."""
    if not one or not other:
        return False
    if one in other or other in one:
        return True
    return any(one.endswith(other[:size]) or other.endswith(one[:size]) for size in range(2, min(len(one), len(other))))


def grouped(
    items: Iterable[Item], group_of: Callable[[Item], Group | None], order: Iterable[Group] = ()
) -> dict[Group, list[Item]]:
    """The items of each group: groups in `order`, if it names them, else the largest first. None is empty; an item
    whose group is None is in none."""
    groups: dict[Group, list[Item]] = {}
    for item in items:
        group = group_of(item)
        if group is not None:
            groups.setdefault(group, []).append(item)
    rank = {name: number for number, name in enumerate(order)}
    return dict(sorted(groups.items(), key=lambda entry: (rank.get(entry[0], len(rank)), -len(entry[1]), entry[0])))


def describe_errors(
    errors: Mapping[str, Sequence[Any]], text_of: Callable[[Any], str], show: Callable[[Any], str], examples: int = 3
) -> str:
    """A few lines for each kind of errors that occurs: its name, how often, and the first examples.

    An error has `gold` and `predicted`, either of them None where there is nothing, which `show` puts into words.
    `text_of` gives the text that an error is in. What is long is cut, and nothing of it acts on a terminal.
    """
    lines = []
    for kind, found in errors.items():
        if found:
            lines.append(f"{len(found):>6}  {kind}")
        for error in found[:examples]:
            lines.append(f"          {_cut(text_of(error), 60)}")
            lines += [f"            gold       {_cut(show(error.gold), 200)}"] if error.gold else []
            lines += [f"            predicted  {_cut(show(error.predicted), 200)}"] if error.predicted else []
    return "\n".join(lines)


def _cut(text: str, most: int) -> str:
    return printable(text if len(text) <= most else f"{text[:most]}…")
