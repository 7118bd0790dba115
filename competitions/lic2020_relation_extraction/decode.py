"""From scores to triples: batched scoring, decoding at any thresholds, and their search on dev. No TensorFlow."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any, NamedTuple

import numpy as np

from common.decoders import innermost, pair_starts_with_ends
from common.encoders import Encoder
from common.generators import BATCH_TOKENS
from common.metrics import precision_recall_f1
from common.prediction import in_batches, one_trace
from common.runs.values import Between
from common.tokenizers import Encoding

from features import Head, Labels, Span, Window, gap, sentence_windows
from linking import LinkScores, score_links
from metric import compare
from task import VALUE, Example, Schema, Triple


class Settings(NamedTuple):
    """Probabilities above which a start or an end is taken for one. With gplinker those of spans, subjects and objects
    alike, and of links."""

    subject_threshold: Annotated[float, Between(0, 1)] = 0.4
    object_threshold: Annotated[float, Between(0, 1)] = 0.4


#: Those to begin with, of each head.
DEFAULTS: dict[Head, Settings] = {"half_pointer": Settings(), "gplinker": Settings(0.2, 0.2)}
_STEPS: dict[Head, tuple[float, ...]] = {
    "half_pointer": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
    "gplinker": (0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
}


def grid(head: Head) -> list[Settings]:
    """Pairs to choose from, from the middle outwards: of equally good ones the first is taken, and the mildest is the
    safest."""

    def distance(pair: Settings) -> float:
        return sum(abs(one - other) for one, other in zip(pair, DEFAULTS[head]))

    return sorted((Settings(*pair) for pair in product(_STEPS[head], repeat=2)), key=distance)


#: The thresholds at which borders are paired for files of scores, beside those of the settings: the lowest is the least
#: probability of a border there.
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Candidate(NamedTuple):
    """A subject, its first character, and an object that it may have as a slot of a predicate. Of half-pointers: with
    the lower ones of the probabilities of the borders of both, of the object given the subject; a subject for which no
    object was found has None for all of it. Of gplinker: with the lower ones of both spans, and of both links."""

    subject: str
    subject_start: int
    predicate: str | None
    slot: str | None
    object: str | None
    object_start: int | None
    subject_probability: float
    object_probability: float | None

    @property
    def probability(self) -> float:
        """The product of both."""
        return self.subject_probability * (1.0 if self.object_probability is None else self.object_probability)

    @property
    def subject_span(self) -> Span:
        return self.subject_start, self.subject_start + len(self.subject)

    @property
    def object_span(self) -> Span:
        return self.object_start, self.object_start + len(self.object)

    def record(self) -> dict[str, Any]:
        return {**self._asdict(), "probability": self.probability}


@dataclass
class Scores:
    """What the network says of one window, as far as it is above the lowest threshold asked for.

    subject_tags: for start and end, token -> probability. object_tags: for each candidate subject, as first and last
    token, the places of its tags, int (n, 3): token, class id, 0 for start or 1 for end; and their probabilities, float
    (n,).
    """

    window: Window
    subject_tags: tuple[dict[int, float], dict[int, float]]
    object_tags: dict[Span, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def subjects(self, threshold: float) -> list[Span]:
        starts, ends = (
            [token for token, probability in tags.items() if probability > threshold] for tags in self.subject_tags
        )
        return pair_starts_with_ends(starts, ends)

    def pairs(self, settings: Settings) -> Iterator[tuple[Span, float, tuple[int, int, int] | None, float | None]]:
        """Subjects and their objects (first token, last token, class id) at any of LEVELS or the settings, with the
        probabilities of both; a subject without any object once, with None."""
        levels, (starts, ends) = {*LEVELS, *settings}, self.subject_tags
        for subject in sorted({one for level in levels for one in self.subjects(level)}):
            places, values = self.object_tags[subject]
            edges = dict(zip(map(tuple, places.tolist()), values.tolist()))
            objects = {one for level in levels for one in object_spans(places, values, level)}
            probability = min(starts[subject[0]], ends[subject[1]])
            for first, last, class_id in sorted(objects):
                edge = min(edges[first, class_id, 0], edges[last, class_id, 1])
                yield subject, probability, (first, last, class_id), edge
            if not objects:
                yield subject, probability, None, None

    def objects(self, settings: Settings) -> Iterator[tuple[Span, Span, int]]:
        """Subject, object and class of all that is above the thresholds."""
        for subject in self.subjects(settings.subject_threshold):
            for first, last, class_id in object_spans(*self.object_tags[subject], settings.object_threshold):
                yield subject, (first, last), class_id

    def probabilities(self, settings: Settings) -> dict[tuple[Span, Span, int], float]:
        """The same with the least probability of the four borders."""
        edges = {
            subject: dict(zip(map(tuple, places.tolist()), values.tolist()))
            for subject, (places, values) in self.object_tags.items()
        }
        starts, ends = self.subject_tags
        return {
            (subject, (first, last), class_id): min(
                starts[subject[0]],
                ends[subject[1]],
                edges[subject][first, class_id, 0],
                edges[subject][last, class_id, 1],
            )
            for subject, (first, last), class_id in self.objects(settings)
        }


class Predictor:
    """Extracts triples from sentences, whatever their length, order and number."""

    def __init__(self, networks, encoder: Encoder, schema: Schema, batch_tokens: int = BATCH_TOKENS):
        self.encoder, self.schema, self.batch_tokens = encoder, schema, batch_tokens
        self.networks = networks
        #: gplinker: a subject may hold another one, and an object too.
        self.nests = not hasattr(networks, "subjects")
        if not self.nests:
            self._subjects, self._objects = one_trace(networks.subjects), one_trace(networks.objects)

    def __call__(self, examples: Sequence[Example], settings: Settings) -> list[list[Triple]]:
        """The triples of every sentence, in order."""
        return self.decode(examples, self.score(self.features(examples), [settings]), settings)

    def features(self, examples: Sequence[Example]) -> list[Window]:
        """What `score` reads."""
        return sentence_windows([example.text for example in examples], self.encoder)

    def score(self, all_windows: Sequence[Window], settings: Sequence[Settings]) -> list[Scores] | list[LinkScores]:
        """Everything that decoding at any of these settings needs. The encoder reads every window once."""
        if self.nests:
            return self._score_links(all_windows, settings)
        scores: list[Scores | None] = [None] * len(all_windows)
        for batch, (residual, probabilities) in in_batches(
            self._subjects, [window.arrays for window in all_windows], self.batch_tokens
        ):
            found = self._score_batch(
                [all_windows[index] for index in batch], residual, probabilities.numpy(), settings
            )
            for index, result in zip(batch, found):
                scores[index] = result
        return scores

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[list[Candidate]]:
        """What `choose` chooses the triples of each sentence from, the most probable first: all whose borders are above
        the lowest of LEVELS, and above the thresholds."""
        found: list[dict[tuple, Candidate]] = [{} for _ in examples]
        asked = [settings, *(Settings(level, level) for level in LEVELS)]

        def rank(one: Candidate) -> tuple[bool, float]:
            return one.object is None or is_above(one, settings), one.probability

        for score in self.score(self.features(examples), asked):
            of_sentence, text = found[score.window.example], examples[score.window.example].text
            for subject, sure, place, edge in score.pairs(settings):
                one = self._candidate(text, score.window.encoding, subject, sure, place, edge)
                key = one[:6]
                if key not in of_sentence or rank(one) > rank(of_sentence[key]):
                    of_sentence[key] = one
        return [sorted(of_one.values(), key=lambda one: -one.probability) for of_one in found]

    def _candidate(self, text: str, encoding: Encoding, subject: Span, sure: float, place, edge) -> Candidate:
        start, end = encoding.char_span(*subject)
        if place is None:
            return Candidate(text[start:end], start, None, None, None, None, sure, None)
        first, last, class_id = place
        begin, close = encoding.char_span(first, last)
        return Candidate(text[start:end], start, *self.schema.classes[class_id], text[begin:close], begin, sure, edge)

    def _score_links(self, all_windows: Sequence[Window], settings: Sequence[Settings]) -> list[LinkScores]:
        scores: list[LinkScores | None] = [None] * len(all_windows)
        span_threshold, link_threshold = (min(of_all) for of_all in zip(*settings))
        rows = [window.arrays for window in all_windows]
        for batch, outputs in in_batches(one_trace(self.networks), rows, self.batch_tokens):
            values = {name: output.numpy() for name, output in outputs.items()}
            found = score_links([all_windows[index] for index in batch], values, span_threshold, link_threshold)
            for index, result in zip(batch, found):
                scores[index] = result
        return scores

    def decode(
        self, examples: Sequence[Example], scores: Sequence[Scores] | Sequence[LinkScores], settings: Settings
    ) -> list[list[Triple]]:
        """Triples of every sentence out of the scores of its windows; what overlapping windows both see counts once."""
        labels: list[Labels] = [defaultdict(set) for _ in examples]
        for score in scores:
            encoding, found = score.window.encoding, labels[score.window.example]
            for subject, span, class_id in score.objects(settings):
                found[encoding.char_span(*subject)].add((encoding.char_span(*span), class_id))
            # One without objects counts, too: what another window takes for a subject may hold it.
            for subject in () if self.nests else score.subjects(settings.subject_threshold):
                found[encoding.char_span(*subject)] |= set()
        labels = labels if self.nests else [_narrowest(found) for found in labels]
        return [assemble(example.text, found, self.schema) for example, found in zip(examples, labels)]

    def _score_batch(self, batch: list[Window], residual, probabilities, settings: Sequence[Settings]) -> list[Scores]:
        lowest = min(one.subject_threshold for one in settings)
        scores = []
        for window, tags in zip(batch, probabilities):
            tokens = _text_tokens(window)
            scores.append(
                Scores(
                    window,
                    tuple({i: float(tags[i, edge]) for i in tokens if tags[i, edge] > lowest} for edge in (0, 1)),
                )
            )
        candidates = [
            (row, *subject)
            for row, score in enumerate(scores)
            for subject in sorted({subject for one in settings for subject in score.subjects(one.subject_threshold)})
        ]
        lowest = min(one.object_threshold for one in settings)
        at_once = max(1, self.batch_tokens // probabilities.shape[1])
        for first in range(0, len(candidates), at_once):
            part = candidates[first : first + at_once]
            found = self._objects([residual, np.array(part, np.int32)]).numpy()
            for (row, *subject), tags in zip(part, found):
                scores[row].object_tags[tuple(subject)] = _tags_above(tags, _text_tokens(batch[row]), lowest)
        return scores


def is_above(one: Candidate, settings: Settings) -> bool:
    """Whether subject and object of a candidate are more probable than the thresholds."""
    is_subject = one.subject_probability > settings.subject_threshold
    return is_subject and one.object is not None and one.object_probability > settings.object_threshold


def choose(
    example: Example, found: Sequence[Candidate], settings: Settings, schema: Schema, nests: bool
) -> list[Triple]:
    """The triples of a sentence: those that `Predictor.decode` finds, if these are its candidates. nests: see there."""
    labels: Labels = {one.subject_span: set() for one in found if one.subject_probability > settings.subject_threshold}
    for one in found:
        if is_above(one, settings):
            labels[one.subject_span].add((one.object_span, schema.class_ids[one.predicate, one.slot]))
    return assemble(example.text, labels if nests else _narrowest(labels), schema)


def _narrowest(labels: Labels) -> Labels:
    """The subjects that hold no other one, and of each class their objects that do: what is paired in one window, or at
    one threshold, is so by itself; windows and networks may see different borders."""
    found: Labels = {}
    for subject in innermost(labels):
        by_class: dict[int, list[Span]] = defaultdict(list)
        for span, class_id in labels[subject]:
            by_class[class_id].append(span)
        found[subject] = {(span, class_id) for class_id, spans in by_class.items() for span in innermost(spans)}
    return found


def _text_tokens(window: Window) -> np.ndarray:
    """Indices of the tokens that cover characters: a tag on [CLS], [SEP] or padding means nothing."""
    offsets = window.encoding.offsets
    return np.flatnonzero(offsets[:, 0] < offsets[:, 1])


def _tags_above(probabilities: np.ndarray, tokens: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    inside = probabilities[tokens]
    places = np.argwhere(inside > threshold)
    values = inside[tuple(places.T)]
    places[:, 0] = tokens[places[:, 0]]
    return places.astype(np.int32), values


def object_spans(places: np.ndarray, probabilities: np.ndarray, threshold: float) -> list[tuple[int, int, int]]:
    """(first token, last token, class id) of the objects above the threshold, starts paired with ends class by
    class."""
    edges: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for token, class_id, edge in places[probabilities > threshold].tolist():
        edges[class_id][edge].append(token)
    return [
        (*span, class_id) for class_id, (starts, ends) in edges.items() for span in pair_starts_with_ends(starts, ends)
    ]


def assemble(text: str, labels: Labels, schema: Schema) -> list[Triple]:
    """The triples that labelled spans stand for, each once, in the order of the text.

    Every `@value` makes one triple. The spans of another slot go to the `@value`s of their subject and predicate one to
    one, so that the gaps add up to the least: "in A he is B, in C he is D" gives each role its work, where joining each
    slot to the nearest `@value` would not (F1 of the gold itself 0.9993 against 0.9978 on 15,000 real sentences). Slots
    without any `@value` make no triple: the judge never counts one as right.
    """
    triples: dict[Triple, None] = {}
    for subject in sorted(labels):
        objects: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
        for span, class_id in sorted(labels[subject]):
            predicate, slot = schema.classes[class_id]
            objects[predicate][slot].append(span)
        for predicate, spans in objects.items():
            values = spans.pop(VALUE, [])
            slots = [{VALUE: text[slice(*value)]} for value in values]
            for slot, candidates in spans.items():
                for candidate, value in _nearest_pairs(candidates, values):
                    slots[value][slot] = text[slice(*candidates[candidate])]
            for known in slots:
                triples[Triple.of(text[slice(*subject)], predicate, known, schema)] = None
    return list(triples)


def _nearest_pairs(candidates: Sequence[Span], values: Sequence[Span]) -> list[tuple[int, int]]:
    """Indices of candidates and values, paired one to one so that the gaps add up to the least."""
    from scipy.optimize import linear_sum_assignment  # here: it is slow to load, and few sentences need it

    gaps = np.array([[gap(candidate, value) for value in values] for candidate in candidates])
    return list(zip(*linear_sum_assignment(gaps)))


def counts(examples: Sequence[Example], predictions: Sequence[Sequence[Triple]]) -> list[tuple[int, int, int]]:
    """Correct, predicted and gold triples of each sentence."""
    gold = [(example.text, example.triples) for example in examples]
    found = [(example.text, triples) for example, triples in zip(examples, predictions)]
    return [(len(one.correct), len(one.predicted), len(one.gold)) for one in compare(gold, found)]


def f1(total: np.ndarray) -> float:
    """Of such counts, added up."""
    correct, predicted, gold = total.tolist()
    return precision_recall_f1(correct, predicted, correct, gold)["f1"]
