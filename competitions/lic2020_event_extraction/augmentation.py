"""Other arguments in the same texts: so that a model that starts from nothing learns how events are told, not who is in
them.

Every epoch, in some of the texts, arguments are replaced by others of their role, of any event type, from the training
set. No TensorFlow.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from labels import Span, locate
from task import Argument, Event, Example

# A role with fewer different arguments than this has nothing to offer.
_SMALLEST_POOL = 8


class ArgumentReplacement:
    """Replaces arguments of labelled examples by others of the same role.

    rate: probability that an argument is replaced, for each of those that overlap neither a trigger nor another
    argument.
    """

    def __init__(self, examples: Iterable[Example], rate: float = 0.5):
        self.rate = rate
        texts: dict[str, set[str]] = defaultdict(set)
        for example in examples:
            for event in example.events:
                for argument in event.arguments:
                    if argument.text:
                        texts[argument.role].add(argument.text)
        self.pools: dict[str, Sequence[str]] = {
            role: sorted(pool) for role, pool in texts.items() if len(pool) >= _SMALLEST_POOL
        }

    def __call__(self, example: Example, generator: np.random.Generator) -> Example:
        """The example with some other arguments, or itself. Equal strings that are arguments stay equal."""
        roles, triggers = _places(example)
        spans_of: dict[str, list[Span]] = defaultdict(list)
        for span in sorted(roles):
            spans_of[example.text[slice(*span)]].append(span)
        edits: dict[Span, str] = {}
        for spans in spans_of.values():
            known = sorted(role for role in set().union(*(roles[span] for span in spans)) if role in self.pools)
            free = not any(_overlap(span, other) for span in spans for other in (*triggers, *(roles.keys() - {span})))
            if known and free and generator.random() < self.rate:
                pool = self.pools[known[0]]
                edits.update(dict.fromkeys(spans, pool[generator.integers(len(pool))]))
        return _edited(example, edits) if edits else example


def _places(example: Example) -> tuple[dict[Span, set[str]], set[Span]]:
    """The roles of every argument's span, and the spans of the triggers."""
    roles: dict[Span, set[str]] = defaultdict(set)
    triggers = set()
    for event in example.events:
        trigger = locate(example.text, event.trigger, event.trigger_start, 0)
        if trigger:
            triggers.add(trigger)
        for argument in event.arguments:
            span = locate(example.text, argument.text, argument.start, trigger[0] if trigger else 0)
            if span:
                roles[span].add(argument.role)
    return roles, triggers


def _edited(example: Example, edits: dict[Span, str]) -> Example:
    """The example with other strings at some spans, which do not overlap. All starts are known in the result."""
    pieces, done = [], 0
    for (start, end), text in sorted(edits.items()):
        pieces += [example.text[done:start], text]
        done = end
    text = "".join([*pieces, example.text[done:]])

    def moved(span: Span) -> tuple[str, int]:
        """The string and the start of what stood at `span`."""
        shift = sum(len(new) - (end - start) for (start, end), new in edits.items() if start < span[0])
        return edits.get(span, example.text[slice(*span)]), span[0] + shift

    events = []
    for event in example.events:
        trigger = locate(example.text, event.trigger, event.trigger_start, 0)
        arguments = []
        for argument in event.arguments:
            span = locate(example.text, argument.text, argument.start, trigger[0] if trigger else 0)
            arguments.append(Argument(argument.role, *moved(span)) if span else argument)
        word, start = moved(trigger) if trigger else (event.trigger, -1)
        events.append(Event(event.event_type, word, start, tuple(arguments)))
    return Example(example.id, text, tuple(events), example.line)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
