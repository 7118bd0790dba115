"""From scores to events: batched scoring, decoding at any threshold, and its search on dev. No TensorFlow.

Gold goes the same way, to tell what a head can hold. Scores are put on a grid before anything is decided by them, so
that the same text has the same events in any batch: what scores the same goes by its place.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.candidates import LEAST
from common.decoders import bio_span_margins, bio_spans, on_grid, spans_above, viterbi
from common.encoders import Encoder
from common.generators import BATCH_TOKENS
from common.metrics import precision_recall_f1
from common.prediction import in_batches, one_trace

from features import TRIGGER, Classes, Head, Labels, Span, Tag, Window, label_sequence, text_windows
from metric import compare_examples
from task import Argument, Event, Example


class Settings(NamedTuple):
    """What a span must score more than its absence, 0 by training: for the global pointer the span itself, for the CRF
    its first label."""

    threshold: float


#: From the middle outwards: of equally good ones the first is taken, and the mildest is the safest.
GRID = sorted((Settings(step / 2) for step in range(-8, 3)), key=lambda one: abs(one.threshold + 1.5))


# By how much a span of the best path is better than its absence where another path is as good: half a step of the grid.
_TIE = 2.0**-11


@dataclass
class Scores:
    """What the network says of one window: under all settings asked for, its tags."""

    window: Window
    tags: dict[Settings, list[Tag]]


class Candidate(NamedTuple):
    """A span of a text, its first character there, and a role of an event type that it may have, or None for the trigger
    of one, with its probability: for the global pointer the logistic function of its score. For the CRF that of the
    score by which the best path with it is better than the best without it, as if there were no other paths: so the
    threshold says the same of both."""

    event_type: str
    role: str | None
    text: str
    start: int
    probability: float


#: (first token, last token, class id, log odds)
ScoredTag = tuple[int, int, int, float]


class Predictor:
    """Extracts events from texts, whatever their length, order and number."""

    def __init__(self, network, encoder: Encoder, classes: Classes, batch_tokens: int = BATCH_TOKENS):
        self.network, self.encoder, self.classes, self.batch_tokens = network, encoder, classes, batch_tokens

    def __call__(self, examples: Sequence[Example], settings: Settings) -> list[list[Event]]:
        """The events of every text, in order."""
        return self.decode(examples, self.score(self.features(examples), [settings]), settings)

    def features(self, examples: Sequence[Example]) -> list[Window]:
        """What `score` reads."""
        return text_windows([example.text for example in examples], self.encoder)

    def score(self, all_windows: Sequence[Window], settings: Sequence[Settings]) -> list[Scores]:
        """Everything that decoding under any of these settings needs. The encoder reads every window once."""
        scores: list[Scores | None] = [None] * len(all_windows)
        rows = [window.arrays for window in all_windows]
        for batch, outputs in in_batches(one_trace(self.network), rows, self.batch_tokens):
            lengths = np.array([len(all_windows[index].encoding) for index in batch])
            found = (self._best_paths if "emissions" in outputs else self._spans_above)(outputs, lengths, settings)
            for index, tags in zip(batch, found):
                scores[index] = Scores(all_windows[index], tags)
        return scores

    def _spans_above(self, outputs, lengths, settings) -> list[dict[Settings, list[Tag]]]:
        return [
            {one: [tuple(tag) for *tag, score in best if score > one.threshold] for one in settings}
            for best in self._scored_spans(outputs, lengths, min(one.threshold for one in settings))
        ]

    def _best_paths(self, outputs, lengths, settings) -> list[dict[Settings, list[Tag]]]:
        transitions, starts = self._transitions(), self.network.get_layer("crf").starts
        found = [{} for _ in lengths]
        for one in settings:
            for tags, path in zip(found, viterbi(self._shifted(outputs, one), transitions, starts, lengths)):
                tags[one] = bio_spans(path)
        return found

    def _transitions(self) -> np.ndarray:
        return on_grid(self.network.get_layer("crf").transition_scores())

    def _shifted(self, outputs, settings: Settings) -> np.ndarray:
        """Emissions with which the best path has the spans above the threshold."""
        emissions = on_grid(outputs["emissions"].numpy())
        emissions[:, :, 1::2] -= on_grid(settings.threshold)
        return emissions

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[list[Candidate]]:
        """What `choose` chooses the events of each text from, the most probable first: all spans above LEAST, and above
        the threshold."""
        from scipy.special import expit, logit  # here: it is slow to load, and --help needs none

        found: list[dict[tuple[Span, int], float]] = [{} for _ in examples]
        windows, lowest = self.features(examples), min(settings.threshold, float(logit(LEAST)))
        for batch, outputs in in_batches(one_trace(self.network), [one.arrays for one in windows], self.batch_tokens):
            lengths = np.array([len(windows[index].encoding) for index in batch])
            if "emissions" in outputs:
                scored = self._margins(outputs, lengths, settings, lowest)
            else:
                scored = self._scored_spans(outputs, lengths, lowest)
            for window, tags in zip((windows[index] for index in batch), scored):
                of_example = found[window.example]
                for first, last, class_id, score in tags:
                    label = window.encoding.char_span(first, last), class_id
                    of_example[label] = max(score, of_example.get(label, score))
        return [
            [
                Candidate(*self.classes.pairs[class_id], example.text[slice(*span)], span[0], float(expit(score)))
                for (span, class_id), score in sorted(labels.items(), key=lambda item: (-item[1], item[0]))
            ]
            for example, labels in zip(examples, found)
        ]

    def _scored_spans(self, outputs, lengths, lowest: float) -> Iterator[list[ScoredTag]]:
        """Of each text the spans of the global pointer above the lowest score, without doubles."""
        # On the grid their sums are exact in float32, too, up to scores of thousands.
        parts = (on_grid(outputs[name].numpy()).astype(np.float32) for name in ("spans", "first", "last"))
        # One text at a time: a batch of all spans and classes would need gigabytes.
        for spans, first, last, length in zip(*parts, lengths):
            logits = spans[:length, :length] + first[:length].T[:, :, None] + last[:length].T[:, None]
            yield without_doubles(spans_above(logits, lowest))

    def _margins(self, outputs, lengths, settings: Settings, lowest: float) -> list[list[ScoredTag]]:
        """The same of the CRF, whose best path under these settings has just the spans above their threshold."""
        shifted, transitions = self._shifted(outputs, settings), self._transitions()
        least = min(lowest - settings.threshold, -_TIE)
        return [
            [
                (*tag, settings.threshold + (max(margin, _TIE) if tuple(tag) in chosen else min(margin, 0.0)))
                for *tag, margin in margins
            ]
            for chosen, margins in bio_span_margins(shifted, transitions, lengths, least)
        ]

    def decode(self, examples: Sequence[Example], scores: Sequence[Scores], settings: Settings) -> list[list[Event]]:
        """Events of every text out of the scores of its windows; what overlapping windows both see counts once."""
        labels: list[Labels] = [set() for _ in examples]
        for score in scores:
            for first, last, class_id in score.tags[settings]:
                labels[score.window.example].add((score.window.encoding.char_span(first, last), class_id))
        return [assemble(example.text, found, self.classes) for example, found in zip(examples, labels)]


def choose(example: Example, found: Sequence[Candidate], settings: Settings, classes: Classes) -> list[Event]:
    """The events of a text: those that `Predictor.decode` finds, if these are its candidates."""
    from scipy.special import expit

    return assemble(
        example.text,
        {
            ((one.start, one.start + len(one.text)), classes.ids[one.event_type, one.role])
            for one in found
            if one.probability > expit(settings.threshold)
        },
        classes,
    )


def without_doubles(spans: Sequence[tuple[int, int, int, float]]) -> list[tuple[int, int, int, float]]:
    """Of spans (first, last, class, score) those above 0, and of the others those that overlap no better one of their
    own class.

    A boundary in doubt gives several spans of one argument a score below 0. The metric, taken literally, would pay for
    each of them: at a threshold of -4 the recall of all spans was 1.28, of those kept here 0.73. Spans above 0 may
    nest, as training says they do. Of equal scores the span that comes first in `spans` is the better one.
    """
    kept: dict[int, list[tuple[int, int, int, float]]] = defaultdict(list)
    for first, last, class_id, score in sorted(spans, key=lambda span: -span[3]):
        if score > 0 or all(last < other[0] or other[1] < first for other in kept[class_id]):
            kept[class_id].append((first, last, class_id, score))
    return [span for of_class in kept.values() for span in of_class]


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
        (event_type, role), words = classes.pairs[class_id], text[slice(*span)]
        found = arguments[event_type]  # also of a type that has a trigger and nothing else
        if role is TRIGGER:
            triggers.setdefault(event_type, span)
        else:
            found.setdefault((role, words.lower()), Argument(role, words, span[0]))
    events = []
    for event_type, found in arguments.items():
        start, end = triggers.get(event_type, (-1, -1))
        events.append(Event(event_type, text[start:end], start, tuple(found.values())))
    return events


def gold_scores(labelled: Sequence[Window], classes: Classes, head: Head) -> list[Scores]:
    """The scores of a network that is sure of all tags of labelled windows that its head can hold: decoded at 0.0, what
    gold itself would score."""
    held = [
        sorted(window.tags) if head == "global_pointer" else bio_spans(label_sequence(window, classes)[0])
        for window in labelled
    ]
    return [Scores(window, {Settings(0.0): tags}) for window, tags in zip(labelled, held)]


def counts(examples: Sequence[Example], predictions: Sequence[Sequence[Event]]) -> list[tuple[float, int, int]]:
    """Credit, predicted and gold arguments of each text."""
    return [(sum(one.credits), len(one.predicted), len(one.gold)) for one in compare_examples(examples, predictions)]


def f1(total: np.ndarray) -> float:
    """Of such counts, added up."""
    credit, predicted, gold = total.tolist()
    return precision_recall_f1(credit, predicted, credit, gold)["f1"]
