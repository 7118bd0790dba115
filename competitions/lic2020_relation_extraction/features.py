"""From examples to arrays: windows, their labels, other names in training, and batches. No TensorFlow.

Half-pointer labels (kexue.fm/archives/7321): every subject is a span, and has for each class (predicate, slot) object
spans. Spans of characters are half-open; spans of tokens have a first and a last one.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from common.augmentation import with_other_examples
from common.batch_parts import Arrays, split_with_lists
from common.encoders import Encoder
from common.generators import pad_features
from common.tokenizers import Encoding, windows

from task import VALUE, Example, Schema, Triple

Head = Literal["half_pointer", "gplinker"]
Span = tuple[int, int]
#: subject span -> its (object span, class id) pairs
Labels = dict[Span, set[tuple[Span, int]]]


# Windows


@dataclass(slots=True)
class Window:
    """A piece of a sentence that the encoder reads at once: nearly always the whole of it.

    example: index of its sentence. whole: the window is all of it. arrays: inputs of the encoder. subjects: for each
    labelled subject, as first and last token (inclusive), its objects as (first token, last token, class id).
    """

    example: int
    whole: bool
    encoding: Encoding
    arrays: dict[str, np.ndarray]
    subjects: dict[Span, list[tuple[int, int, int]]]


def sentence_windows(texts: Sequence[str], encoder: Encoder, first: int = 0) -> list[Window]:
    """Every sentence as one window, or as several where it is longer than the encoder reads; unlabelled. first: index of
    the first sentence."""
    found = []
    for index, text in enumerate(texts, first):
        parts = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        found += [
            Window(index, len(parts) == 1, part, arrays, {})
            for part, arrays in zip(parts, encoder.features(text, parts))
        ]
    return found


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, schema: Schema, lost: Counter[str], part: slice = slice(None)
) -> Iterator[Window]:
    """Windows of the sentences of this part with token labels. lost: counts what is lost on the way, triples by reason,
    and sentences that are of no use without them.

    A sentence without triples in gold is kept, it teaches silence; one whose triples were all lost is not, it would
    teach wrong.
    """
    for index in range(len(examples))[part]:
        example = examples[index]
        window_group = sentence_windows([example.text], encoder, index)
        spans = label(example.text, example.triples, schema, lost)
        for subject, objects in spans.items():
            for span, class_id in objects:
                if not _tag(window_group, subject, span, class_id):
                    lost["triple across windows or inside a token"] += 1
        if example.triples and not any(window.subjects for window in window_group):
            lost["sentence left out: none of its triples could be labelled"] += 1
        else:
            yield from window_group


def _tag(window_group: list[Window], subject: Span, span: Span, class_id: int) -> bool:
    """Add an object to every window that holds it and its subject; whether any does."""
    tagged = False
    for window in window_group:
        subject_tokens, object_tokens = window.encoding.token_span(*subject), window.encoding.token_span(*span)
        if subject_tokens and object_tokens:
            window.subjects.setdefault(subject_tokens, []).append((*object_tokens, class_id))
            tagged = True
    return tagged


# Labels


def label(text: str, triples: Iterable[Triple], schema: Schema, lost: Counter[str]) -> Labels:
    """Where the triples are in the text. lost: counts those that cannot be labelled, by reason.

    Of all occurrences the nearest pair of subject and `@value` is labelled, since that is the one the sentence relates:
    labelling every occurrence teaches relations that are not there. The other slots are labelled where they are nearest
    to the `@value`.
    """
    labels: Labels = defaultdict(set)
    for triple in triples:
        slots = triple.slots
        if VALUE not in slots:
            lost[f"object without {VALUE}"] += 1
            continue
        subjects, values = occurrences(text, triple.subject), occurrences(text, slots[VALUE])
        if not subjects or not values:
            lost["subject not in the text" if not subjects else "object not in the text"] += 1
            continue
        subject, value = nearest_pair(subjects, values)
        labels[subject].add((value, schema.class_ids[triple.predicate, VALUE]))
        for slot, slot_value in triple.object:
            spans = occurrences(text, slot_value)
            if slot != VALUE and spans:
                nearest = min(spans, key=lambda span: (_overlap(span, value), gap(span, value)))
                labels[subject].add((nearest, schema.class_ids[triple.predicate, slot]))
            elif slot != VALUE:
                lost["slot value not in the text"] += 1
    return dict(labels)


def occurrences(text: str, value: str) -> list[Span]:
    """All places of a value in the text, overlapping ones too; if there is none, those that differ in case only."""
    if not value:
        return []
    for haystack, needle in ((text, value), (text.lower(), value.lower())):
        if len(haystack) != len(
            text
        ):  # a character whose lower case is longer: positions would not be those of the text
            break
        found, start = [], haystack.find(needle)
        while start >= 0:
            found.append((start, start + len(needle)))
            start = haystack.find(needle, start + 1)
        if found:
            return found
    return []


def nearest_pair(subjects: Sequence[Span], values: Sequence[Span]) -> tuple[Span, Span]:
    """The pair with the fewest characters between them, of equal ones the first; one that does not overlap, if there is
    any. subjects, values: occurrences of one string each, at least one."""
    starts, length = [start for start, _ in values], values[0][1] - values[0][0]
    pairs = []
    for start, end in subjects:
        # Only the last value before a subject and the first behind it: all pairs of a text would be a square.
        for place in (bisect_right(starts, start - length) - 1, bisect_left(starts, end)):
            if 0 <= place < len(values):
                pairs.append(((start, end), values[place]))
    return min(pairs, key=lambda pair: gap(*pair), default=(subjects[0], values[0]))


def gap(one: Span, other: Span) -> int:
    """Characters between two spans; 0 when they touch or overlap."""
    return max(one[0] - other[1], other[0] - one[1], 0)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# Augmentation

# The schema tells a singer from an actor and a novel from a film; sentences do not, and a larger pool has more to
# offer.
_SAME_KIND = {
    "娱乐人物": "人物",
    "历史人物": "人物",
    "图书作品": "作品",
    "影视作品": "作品",
    "文学作品": "作品",
    "电视综艺": "作品",
    "音乐专辑": "作品",
    "歌曲": "作品",
    "企业": "机构",
    "企业/品牌": "机构",
}
# A type with fewer different values than this is a closed list (climates, languages): its values are knowledge, not
# names.
_SMALLEST_POOL = 30


class EntityReplacement:
    """Other names in the same sentences: so that a model that starts from nothing learns how relations are told, not
    who is who.

    In about `share` of the windows of a batch, entities are replaced by others of their type from the training set,
    wherever they occur: each with probability `rate` that has a type with enough values and is no part of another
    entity of the sentence.
    """

    def __init__(
        self, examples: Sequence[Example], encoder: Encoder, schema: Schema, share: float = 1.0, rate: float = 0.5
    ):
        self.examples, self.encoder, self.schema, self.share, self.rate = examples, encoder, schema, share, rate
        values: dict[str, set[str]] = defaultdict(set)
        for example in examples:
            for value, kind in self._entities(example.triples).items():
                values[kind].add(value)
        self.pools: dict[str, Sequence[str]] = {
            kind: sorted(pool) for kind, pool in values.items() if len(pool) >= _SMALLEST_POOL
        }

    def __call__(self, batch: list[Window], generator: np.random.Generator) -> list[Window]:
        """The batch with other entities in some of its sentences. Those that need several windows stay as they are."""

        def windows_of(example: Example) -> list[Window]:
            return list(labelled_windows([example], self.encoder, self.schema, Counter()))

        return with_other_examples(batch, self.examples, self.share, self.replace, windows_of, generator)

    def replace(self, example: Example, generator: np.random.Generator) -> Example:
        """The example with some other entities, or itself."""
        entities = self._entities(example.triples)
        replaced = {}
        for value, kind in entities.items():
            nested = any(value != other and (value in other or other in value) for other in entities)
            if value and not nested and kind in self.pools and generator.random() < self.rate:
                replaced[value] = self.pools[kind][generator.integers(len(self.pools[kind]))]
        if not replaced:
            return example
        pattern = re.compile("|".join(map(re.escape, sorted(replaced, key=len, reverse=True))))
        text = pattern.sub(lambda match: replaced[match.group()], example.text)
        triples = tuple(
            Triple(
                replaced.get(triple.subject, triple.subject),
                triple.predicate,
                tuple((slot, replaced.get(value, value)) for slot, value in triple.object),
            )
            for triple in example.triples
        )
        return Example(text, triples, example.line)

    def _entities(self, triples: Iterable[Triple]) -> dict[str, str]:
        """Value -> kind of all subjects and objects; the first of several types counts."""
        found: dict[str, str] = {}
        for triple in triples:
            predicate = self.schema.predicates[triple.predicate]
            for value, kind in (
                (triple.subject, predicate.subject_type),
                *((value, predicate.object_types[slot]) for slot, value in triple.object),
            ):
                found.setdefault(value, _SAME_KIND.get(kind, kind))
        return found


# Batches


def collate(
    batch: list[Window], generator: np.random.Generator, classes: int, most_subjects: int = 4
) -> dict[str, np.ndarray]:
    """Windows as the inputs of the training network.

    All subjects of a sentence are trained at once (`most_subjects` of them), since the encoder, which is most of the
    work, is shared. A span that is no subject, and so has no objects, joins them: often an object of the sentence, for
    that is what a tagger takes for a subject by mistake. `subjects` and `object_labels` have a row for each such span,
    not for each window.
    """
    inputs = pad_features([window.arrays for window in batch])
    spans = [
        (row, *span) for row, window in enumerate(batch) for span in _training_spans(window, generator, most_subjects)
    ]
    length = inputs["token_ids"].shape[1]
    inputs["subject_labels"] = np.zeros((len(batch), length, 2), np.int8)
    inputs["subjects"] = np.array(spans, np.int32)
    inputs["object_labels"] = np.zeros((len(spans), length, classes, 2), np.int8)
    for row, window in enumerate(batch):
        for first, last in window.subjects:
            inputs["subject_labels"][row, first, 0] = inputs["subject_labels"][row, last, 1] = 1
    for labels, (row, *span) in zip(inputs["object_labels"], spans):
        for first, last, class_id in batch[row].subjects.get(tuple(span), ()):
            labels[first, class_id, 0] = labels[last, class_id, 1] = 1
    return inputs


def split(batch: Arrays, parts: int) -> list[Arrays]:
    """A batch for any head in so many parts, each with its windows, and their spans and links."""
    lists = {"subjects": ("object_labels",), "entities": (), "first_links": (), "last_links": ()}
    return split_with_lists(batch, parts, lists)


def _training_spans(window: Window, generator: np.random.Generator, most_subjects: int) -> list[Span]:
    subjects = sorted(window.subjects)
    generator.shuffle(subjects)
    objects = sorted(
        {(first, last) for tags in window.subjects.values() for first, last, _ in tags} - window.subjects.keys()
    )
    if objects and generator.random() < 0.6:
        negative = objects[generator.integers(len(objects))]
    else:
        first = int(generator.integers(len(window.encoding)))
        negative = (first, min(first + int(generator.integers(8)), len(window.encoding) - 1))
    negatives = [] if negative in window.subjects else [negative]
    return [tuple(span) for span in subjects[:most_subjects]] + negatives
