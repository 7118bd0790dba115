"""From texts to arrays: windows, their labels, other arguments in training, and batches. No TensorFlow.

A label is a span and a class: a role of an event type, or the trigger of one. Which labels belong to one event is for
gplinker alone: the judge does not ask. Spans of characters are half-open; spans of tokens have a first and a last one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Literal, NamedTuple

import numpy as np

from common.augmentation import with_other_examples
from common.batch_parts import Arrays, split_with_lists
from common.decoders import bio_labels
from common.encoders import Encoder
from common.generators import pad, pad_features
from common.runs.values import Between
from common.tokenizers import Encoding, strip_span, windows

from task import Argument, Event, Example, Schema, is_at

Head = Literal["crf", "global_pointer", "gplinker"]
Span = tuple[int, int]
#: (span, class id)
Label = tuple[Span, int]
Labels = set[Label]
#: (first token, last token, class id)
Tag = tuple[int, int, int]
#: With its log odds.
ScoredTag = tuple[int, int, int, float]

#: Stands for the role of a trigger. No role of a schema is None.
TRIGGER = None


#: Two roles of an event type that one span may have at once: (type, role, role).
SharedRoles = tuple[str, str | None, str | None]


class BuiltWith(NamedTuple):
    """What a network is built with beside its classes, and what its answers go by. A run keeps it in network.json.

    shared_roles: what `shared_roles` found; None: of runs from before, whose spans may have any roles.
    """

    head: Head
    transition_multiplier: Annotated[float, Between(1e-6, 1e6)]
    shared_roles: list[SharedRoles] | None = None


class Classes:
    """What a span can be: the (type, role) pairs of the schema, then the trigger of every type.

    `pairs` lists them and `ids` numbers them; `types` and `roles` int (classes,) number the event type and the role of
    each: 时间 is one role, in whichever type.
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


# Windows


@dataclass(slots=True)
class Window:
    """A piece of a text that the encoder reads at once: nearly always the whole of it.

    example: index of its text. whole: the window is all of it. arrays: inputs of the encoder. events: the labels of
    each event, as far as they are in the window. tags: those of all.
    """

    example: int
    whole: bool
    encoding: Encoding
    arrays: dict[str, np.ndarray]
    events: list[set[Tag]]
    tags: set[Tag]


def text_windows(texts: Sequence[str], encoder: Encoder, first: int = 0) -> list[Window]:
    """Every text as one window, or as several where it is longer than the encoder reads; unlabelled. first: index of the
    first text."""
    found = []
    for index, text in enumerate(texts, first):
        parts = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        found += [
            Window(index, len(parts) == 1, part, arrays, [], set())
            for part, arrays in zip(parts, encoder.features(text, parts))
        ]
    return found


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, classes: Classes, lost: Counter[str], part: slice = slice(None)
) -> Iterator[Window]:
    """Windows of the texts of this part with their tags. lost: counts what is lost on the way, triggers and arguments by
    reason, and texts that are of no use without them.

    A text without events in gold is kept, it teaches silence; one whose labels were all lost is not, it would teach
    wrong.
    """
    for index in range(len(examples))[part]:
        example = examples[index]
        group = text_windows([example.text], encoder, index)
        labels = event_labels(example.text, example.events, classes, lost)
        for window in group:
            window.events = [_tags_of(of_event, window.encoding) for of_event in labels]
            window.tags = set().union(*window.events)
        for span, class_id in set().union(*labels):
            if not any(window.encoding.token_span(*span) for window in group):
                kind = "trigger" if classes.pairs[class_id][1] is TRIGGER else "argument"
                lost[f"{kind} across windows or inside a token"] += 1
        if example.events and not any(window.tags for window in group):
            lost["text left out: nothing of its events could be labelled"] += 1
        else:
            yield from group


def _tags_of(labels: Labels, encoding: Encoding) -> set[Tag]:
    return {(*tokens, class_id) for span, class_id in labels if (tokens := encoding.token_span(*span))}


def shared_roles(labelled: Sequence[Window], classes: Classes) -> list[SharedRoles]:
    """The roles that one span has at once in one event type somewhere in labelled windows, as (type, role, role), each
    pair once: a product is never its maker, but a team may win one match and lose another."""
    found = set()
    for window in labelled:
        at: dict[Span, list[int]] = defaultdict(list)
        for first, last, class_id in sorted(window.tags):
            at[first, last].append(class_id)
        found |= {pair for ids in at.values() for pair in combinations(ids, 2)}
    pairs = ((classes.pairs[one], classes.pairs[other]) for one, other in sorted(found))
    return [(kind, role, other) for (kind, role), (other_kind, other) in pairs if kind == other_kind]


def may_share(shared: Iterable[SharedRoles], classes: Classes) -> np.ndarray:
    """bool (classes, classes): whether one span may have both. Roles of different event types may."""
    allowed = (classes.types[:, None] != classes.types) | np.eye(len(classes), dtype=bool)
    for kind, role, other in shared:
        one, another = (classes.ids.get((kind, name)) for name in (role, other))
        if one is not None and another is not None:
            allowed[one, another] = allowed[another, one] = True
    return allowed


def label_sequence(window: Window, classes: Classes) -> tuple[np.ndarray, list[Tag]]:
    """The labels of a window for the CRF, int32 (length,), and the tags that they cannot hold: of those that overlap
    one is held, and no trigger that overlaps an argument, since arguments are what is scored."""
    arguments = [tag for tag in window.tags if classes.pairs[tag[2]][1] is not TRIGGER]
    free = [tag for tag in window.tags if not any(tag[0] <= last and first <= tag[1] for first, last, _ in arguments)]
    labels, dropped = bio_labels({*arguments, *free}, len(window.encoding))
    return labels, sorted(window.tags.difference({*arguments, *free}) | set(dropped))


# Labels


def label(text: str, events: Iterable[Event], classes: Classes, lost: Counter[str]) -> Labels:
    """Where triggers and arguments are in the text. lost: counts those that are not there, by reason. Blanks at the
    ends of an argument are not labelled: they have no token."""
    return set().union(*event_labels(text, events, classes, lost))


def event_labels(text: str, events: Iterable[Event], classes: Classes, lost: Counter[str]) -> list[Labels]:
    """The same of each event by itself."""
    found = []
    for event, trigger, spans in located(text, events):
        labels: Labels = set()
        if trigger:
            labels.add((strip_span(text, *trigger), classes.ids[event.event_type, TRIGGER]))
        elif event.trigger:
            lost["trigger not in the text"] += 1
        for argument, span in zip(event.arguments, spans):
            if span:
                labels.add((strip_span(text, *span), classes.ids[event.event_type, argument.role]))
            else:
                lost["argument not in the text"] += 1
        found.append(labels)
    return found


def located(text: str, events: Iterable[Event]) -> list[tuple[Event, Span | None, list[Span | None]]]:
    """Each event with the span of its trigger and of each argument, None for what is not in the text.

    Where the file gives the start, it counts. Else the occurrence nearest to the trigger is taken, since an event is
    told in one place.
    """
    found = []
    for event in events:
        trigger = locate(text, event.trigger, event.trigger_start, 0)
        near = trigger[0] if trigger else 0
        found.append((event, trigger, [locate(text, one.text, one.start, near) for one in event.arguments]))
    return found


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


# Augmentation

# A role with fewer different arguments than this has nothing to offer.
_SMALLEST_POOL = 8


class ArgumentReplacement:
    """Other arguments in the same texts: so that a model that starts from nothing learns how events are told, not who
    is in them.

    In about `share` of the windows of a batch, arguments are replaced by others of their role, of any event type, from
    the training set: each with probability `rate` that overlaps neither a trigger nor another argument.
    """

    def __init__(
        self, examples: Sequence[Example], encoder: Encoder, classes: Classes, share: float = 1.0, rate: float = 0.5
    ):
        self.examples, self.encoder, self.classes, self.share, self.rate = examples, encoder, classes, share, rate
        texts: dict[str, set[str]] = defaultdict(set)
        for argument in (one for example in examples for event in example.events for one in event.arguments):
            if argument.text:
                texts[argument.role].add(argument.text)
        self.pools = {role: sorted(pool) for role, pool in texts.items() if len(pool) >= _SMALLEST_POOL}

    def __call__(self, batch: list[Window], generator: np.random.Generator) -> list[Window]:
        """The batch with other arguments in some of its texts. Those that need several windows stay as they are."""

        def windows_of(example: Example) -> list[Window]:
            return list(labelled_windows([example], self.encoder, self.classes, Counter()))

        return with_other_examples(batch, self.examples, self.share, self.replace, windows_of, generator)

    def replace(self, example: Example, generator: np.random.Generator) -> Example:
        """The example with some other arguments, or itself. Equal strings that are arguments stay equal."""
        events = located(example.text, example.events)
        roles: dict[Span, set[str]] = defaultdict(set)
        for event, _, spans in events:
            for argument, span in zip(event.arguments, spans):
                if span:
                    roles[span].add(argument.role)
        triggers = [trigger for _, trigger, _ in events if trigger]
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
        return _edited(example, events, edits) if edits else example


def _edited(example: Example, located_events: Iterable, edits: dict[Span, str]) -> Example:
    """The example with other strings at some spans, which do not overlap. All starts are known in the result."""
    text = example.text
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]

    def moved(span: Span) -> tuple[str, int]:
        """The string and the start of what stood at `span`."""
        shift = sum(len(new) - (end - start) for (start, end), new in edits.items() if start < span[0])
        return edits.get(span, example.text[slice(*span)]), span[0] + shift

    events = []
    for event, trigger, spans in located_events:
        word, start = moved(trigger) if trigger else (event.trigger, -1)
        arguments = [Argument(one.role, *moved(span)) if span else one for one, span in zip(event.arguments, spans)]
        events.append(Event(event.event_type, word, start, tuple(arguments)))
    return Example(example.id, text, tuple(events), example.line)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# Batches


def collate(batch: list[Window], classes: Classes, head: Head) -> dict[str, np.ndarray]:
    """Windows as the inputs of the encoder, with `type_labels` (batch, types), and for the CRF `labels` (batch,
    length), for the others `tags` (tags of all windows, 4): row of the batch, class, first and last token. For gplinker
    also `links` (links of all windows, 4): row of the batch, and one of `link_labels`."""
    inputs = pad_features([window.arrays for window in batch])
    inputs["type_labels"] = np.zeros((len(batch), len(classes.event_types)), np.int8)
    for row, window in enumerate(batch):
        inputs["type_labels"][row, [classes.types[class_id] for *_, class_id in window.tags]] = 1
    if head == "crf":
        inputs["labels"] = pad([label_sequence(window, classes)[0] for window in batch])
    else:
        tags = [
            (row, class_id, first, last)
            for row, window in enumerate(batch)
            for first, last, class_id in sorted(window.tags)
        ]
        inputs["tags"] = np.array(tags, np.int32).reshape(-1, 4)
    if head == "gplinker":
        links = [(row, *link) for row, window in enumerate(batch) for link in sorted(link_labels(window.events))]
        inputs["links"] = np.array(links, np.int32).reshape(-1, 4)
    return inputs


def link_labels(events: Iterable[set[Tag]]) -> set[tuple[int, int, int]]:
    """What gplinker is to say of each two tags of one event: 0 and the places of their first tokens, the lower one
    first, and 1 and the places of their last tokens."""
    return {
        (edge, *sorted((one[edge], other[edge])))
        for tags in events
        for one, other in combinations(tags, 2)
        for edge in (0, 1)
    }


def split(batch: Arrays, parts: int) -> list[Arrays]:
    """A batch for any head in so many parts, each with its windows, and their tags and links."""
    return split_with_lists(batch, parts, {"tags": (), "links": ()})
