"""Events as labelled spans of a text, and spans as events again: gold -> labels -> gold. No TensorFlow.

A label is a span and a class: a role of an event type, or the trigger of one. Which of several events of one type an
argument belongs to is not labelled, since the judge does not ask. All spans here are half-open character ranges.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from common.tokenizers import strip_span

from task import Argument, Event, Schema, is_at

Span = tuple[int, int]
#: (span, class id) pairs
Labels = set[tuple[Span, int]]

#: Stands for the role of a trigger. No role of a schema is None.
TRIGGER = None


class Classes:
    """What a span can be: the (type, role) pairs of the schema under their own ids, then the trigger of every type.

    `pairs` lists them, `types` and `roles` int (classes,) number the event type and the role of each: 时间 is one role,
    in whichever type.
    """

    def __init__(self, schema: Schema):
        self.pairs: list[tuple[str, str | None]] = [*schema.classes, *((name, TRIGGER) for name in schema.event_types)]
        self.ids = {pair: number for number, pair in enumerate(self.pairs)}
        self.event_types = list(schema.event_types)
        self.role_names = [*dict.fromkeys(role for _, role in self.pairs)]
        self.types = np.array([self.event_types.index(name) for name, _ in self.pairs], np.int32)
        self.roles = np.array([self.role_names.index(role) for _, role in self.pairs], np.int32)

    def __len__(self) -> int:
        return len(self.pairs)


def label(text: str, events: Iterable[Event], classes: Classes) -> tuple[Labels, Counter[str]]:
    """Where triggers and arguments are in the text, and how many are not there, by reason.

    Where the file gives the start, it counts. Else the occurrence nearest to the trigger is taken, since an event is
    told in one place. Blanks at the ends of an argument are not labelled: they have no token.
    """
    labels: Labels = set()
    lost: Counter[str] = Counter()
    for event in events:
        trigger = locate(text, event.trigger, event.trigger_start, 0)
        if trigger:
            labels.add((strip_span(text, *trigger), classes.ids[event.event_type, TRIGGER]))
        elif event.trigger:
            lost["trigger not in the text"] += 1
        for argument in event.arguments:
            span = locate(text, argument.text, argument.start, trigger[0] if trigger else 0)
            if span:
                labels.add((strip_span(text, *span), classes.ids[event.event_type, argument.role]))
            else:
                lost["argument not in the text"] += 1
    return labels, lost


def locate(text: str, piece: str, start: int, near: int) -> Span | None:
    """The span of `piece` at `start` if it is there; else its occurrence nearest to `near`, in its own case if it can
    be; None without one."""
    if not piece.strip():
        return None
    if not is_at(piece, start, text):
        starts = [at for at in range(len(text) - len(piece) + 1) if is_at(piece, at, text)]
        if not starts:
            return None
        start = min(starts, key=lambda at: (not text.startswith(piece, at), abs(at - near)))
    return start, start + len(piece)


def assemble(text: str, labels: Labels, classes: Classes) -> list[Event]:
    """The events that labelled spans stand for: one for each type, in the order of the text, with the first of its
    triggers.

    Two events of one type become one: the score is the same, and nothing in a text tells reliably where one ends and
    the next begins. A role has each string once, whatever its case, since repeating it would be paid twice (see
    metric.py).
    """
    triggers: dict[str, Span] = {}
    arguments: dict[str, dict[tuple[str, str], Argument]] = defaultdict(dict)
    for span, class_id in sorted(labels):
        event_type, role = classes.pairs[class_id]
        found = arguments[event_type]  # also of a type that has a trigger and nothing else
        if role is TRIGGER:
            triggers.setdefault(event_type, span)
        else:
            found.setdefault((role, text[slice(*span)].lower()), Argument(role, text[slice(*span)], span[0]))
    return [
        Event(
            name,
            text[slice(*triggers[name])] if name in triggers else "",
            triggers.get(name, (-1,))[0],
            tuple(found.values()),
        )
        for name, found in arguments.items()
    ]
