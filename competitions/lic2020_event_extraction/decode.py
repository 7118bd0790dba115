"""From scores to events: batched scoring, decoding at any threshold, and its search on dev. No TensorFlow.

Gold goes the same way, to tell what a head can hold. Scores are put on a grid before anything is decided by them, so
that the same text has the same events in any batch: what scores the same goes by its place.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from common.candidates import LEAST
from common.decoders import bio_span_margins, bio_spans, on_grid, spans_above, viterbi
from common.encoders import Encoder
from common.generators import BATCH_TOKENS
from common.metrics import precision_recall_f1
from common.prediction import in_batches, one_trace

from cliques import event_groups, linked_tags
from features import (
    TRIGGER,
    Classes,
    Head,
    Label,
    Labels,
    ScoredTag,
    Span,
    Tag,
    Window,
    label_sequence,
    text_windows,
)
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
    """What the network says of one window: its tags under all settings asked for, and the pairs of tags that are of one
    event if both are there. Of a head that does not tell, `links` is None."""

    window: Window
    tags: dict[Settings, list[Tag]]
    links: list[tuple[Tag, Tag]] | None = None


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


class Link(NamedTuple):
    """Two candidates of gplinker, by their numbers in the list from 0, and how probably they are of one event: the
    logistic function of the lower of their two scores, that of their beginnings and that of their ends."""

    one: int
    other: int
    probability: float


@dataclass(frozen=True)
class Considered:
    """What the events of a text are chosen from: its candidates, the most probable first, and their links; None of a
    head that does not tell."""

    candidates: list[Candidate]
    links: list[Link] | None = None

    def record(self) -> dict[str, Any]:
        lists = {"candidates": self.candidates} if self.links is None else vars(self)
        return {name: [one._asdict() for one in found] for name, found in lists.items()}

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Considered":
        """Back from a line of a file of scores."""
        links = [Link(**one) for one in record["links"]] if "links" in record else None
        return cls([Candidate(**one) for one in record["candidates"]], links)


#: `tags` and `links` of Scores.
Told = tuple[dict[Settings, list[Tag]], list[tuple[Tag, Tag]] | None]


class Predictor:
    """Extracts events from texts, whatever their length, order and number."""

    def __init__(
        self,
        network,
        encoder: Encoder,
        classes: Classes,
        batch_tokens: int = BATCH_TOKENS,
        allowed: np.ndarray | None = None,
    ):
        """allowed: what `may_share` tells of training; None: any span may have any roles."""
        self.network, self.encoder, self.classes, self.batch_tokens = network, encoder, classes, batch_tokens
        self.allowed = allowed

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
            told = (self._best_paths if "emissions" in outputs else self._spans_above)(outputs, lengths, settings)
            for index, of_window in zip(batch, told):
                scores[index] = Scores(all_windows[index], *of_window)
        return scores

    def _spans_above(self, outputs, lengths, settings) -> Iterator[Told]:
        scored = list(self._scored_spans(outputs, lengths, min(one.threshold for one in settings)))
        for best, links in zip(scored, self._links(outputs, scored)):
            tags = {one: [tuple(tag) for *tag, score in best if score > one.threshold] for one in settings}
            yield tags, None if links is None else [(one, other) for one, other, _ in links]

    def _best_paths(self, outputs, lengths, settings) -> Iterator[Told]:
        transitions, starts = self._transitions(), self.network.get_layer("crf").starts
        found = [{} for _ in lengths]
        for one in settings:
            for tags, path in zip(found, viterbi(self._shifted(outputs, one), transitions, starts, lengths)):
                tags[one] = bio_spans(path)
        return ((tags, None) for tags in found)

    def _transitions(self) -> np.ndarray:
        return on_grid(self.network.get_layer("crf").transition_scores())

    def _shifted(self, outputs, settings: Settings) -> np.ndarray:
        """Emissions with which the best path has the spans above the threshold."""
        emissions = on_grid(outputs["emissions"].numpy())
        emissions[:, :, 1::2] -= on_grid(settings.threshold)
        return emissions

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[Considered]:
        """What `choose` chooses the events of each text from: all spans above LEAST, and above the threshold, and all
        links of these above LEAST."""
        from scipy.special import logit  # here: it is slow to load, and --help needs none

        found: list[dict[Label, float]] = [{} for _ in examples]
        linked: list[dict[tuple[Label, Label], float]] = [{} for _ in examples]
        windows, lowest = self.features(examples), min(settings.threshold, float(logit(LEAST)))
        for batch, outputs in in_batches(one_trace(self.network), [one.arrays for one in windows], self.batch_tokens):
            lengths = np.array([len(windows[index].encoding) for index in batch])
            if "emissions" in outputs:
                scored = self._margins(outputs, lengths, settings, lowest)
            else:
                scored = list(self._scored_spans(outputs, lengths, lowest))
            for index, tags, links in zip(batch, scored, self._links(outputs, scored, float(logit(LEAST)))):
                window = windows[index]
                _keep_best(found[window.example], ((_label(window, tag), score) for *tag, score in tags))
                pairs = ((sorted(_label(window, tag) for tag in pair), score) for *pair, score in links or ())
                _keep_best(linked[window.example], ((tuple(pair), score) for pair, score in pairs))
        return [self._considered(*one) for one in zip(examples, found, linked)]

    def _considered(
        self, example: Example, labels: dict[Label, float], links: dict[tuple[Label, Label], float]
    ) -> Considered:
        """Candidates and links out of their scores."""
        from scipy.special import expit

        ordered = sorted(labels, key=lambda label: (-labels[label], label))
        candidates = [
            Candidate(
                *self.classes.pairs[class_id], example.text[slice(*span)], span[0], float(expit(labels[span, class_id]))
            )
            for span, class_id in ordered
        ]
        if "links" not in self.network.output:
            return Considered(candidates)
        numbers = {label: number for number, label in enumerate(ordered)}
        found = [
            Link(*sorted((numbers[one], numbers[other])), float(expit(score))) for (one, other), score in links.items()
        ]
        return Considered(candidates, sorted(found))

    def _scored_spans(self, outputs, lengths, lowest: float) -> Iterator[list[ScoredTag]]:
        """Of each text the spans of the global pointer above the lowest score, without doubles."""
        # On the grid their sums are exact in float32, too, up to scores of thousands.
        parts = (on_grid(outputs[name].numpy()).astype(np.float32) for name in ("spans", "first", "last"))
        # One text at a time: a batch of all spans and classes would need gigabytes.
        for spans, first, last, length in zip(*parts, lengths):
            logits = spans[:length, :length] + first[:length].T[:, :, None] + last[:length].T[:, None]
            best = without_doubles(spans_above(logits, lowest))
            if self.allowed is not None:
                best = without_excluded(best, self.allowed)
            if "links" in outputs:
                best = without_doubtful_triggers(best, self.classes)
            yield best

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

    def _links(self, outputs, scored: Sequence[list[ScoredTag]], lowest: float = 0.0) -> Iterable[list | None]:
        """The links of each text above the lowest score."""
        if "links" not in outputs:
            return [None] * len(scored)
        logits = outputs["links"].numpy()
        return [linked_tags(tags, of_window, self.classes, lowest) for tags, of_window in zip(scored, logits)]

    def decode(self, examples: Sequence[Example], scores: Sequence[Scores], settings: Settings) -> list[list[Event]]:
        """Events of every text out of the scores of its windows; what overlapping windows both see counts once."""
        labels: list[Labels] = [set() for _ in examples]
        links: list[set[tuple[Label, Label]] | None] = [None] * len(examples)
        for score in scores:
            text = score.window.example
            labels[text] |= {_label(score.window, tag) for tag in score.tags[settings]}
            if score.links is not None:
                pairs = (tuple(_label(score.window, tag) for tag in pair) for pair in score.links)
                links[text] = (links[text] or set()).union(pairs)
        return [
            assemble(example.text, found, self.classes, pairs) for example, found, pairs in zip(examples, labels, links)
        ]


def _label(window: Window, tag: Sequence[int]) -> Label:
    """A tag by its characters in the text."""
    first, last, class_id = tag
    return window.encoding.char_span(first, last), class_id


def _keep_best(found: dict[Any, float], scored: Iterable[tuple[Any, float]]) -> None:
    """Add what one window says to what others have said of the same."""
    for key, score in scored:
        found[key] = max(score, found.get(key, score))


def without_doubtful_triggers(
    spans: Sequence[tuple[int, int, int, float]], classes: Classes
) -> list[tuple[int, int, int, float]]:
    """Of spans (first, last, class, score) all but the triggers at most 0 that are not the best of their type: they
    would say the arguments of an event once more for each word in doubt."""
    best: dict[int, tuple[int, int, int, float]] = {}
    for span in sorted(spans, key=lambda span: -span[3]):
        best.setdefault(span[2], span)
    return [span for span in spans if span[3] > 0 or classes.pairs[span[2]][1] is not TRIGGER or best[span[2]] is span]


def choose(example: Example, found: Considered, settings: Settings, classes: Classes) -> list[Event]:
    """The events of a text: those that `Predictor.decode` finds, if these are its candidates."""
    from scipy.special import expit

    least = expit(settings.threshold)
    labels = {
        number: ((one.start, one.start + len(one.text)), classes.ids[one.event_type, one.role])
        for number, one in enumerate(found.candidates)
        if one.probability > least
    }
    links = None
    if found.links is not None:
        above = (one for one in found.links if one.probability > 0.5 and {one.one, one.other} <= labels.keys())
        links = {(labels[one.one], labels[one.other]) for one in above}
    return assemble(example.text, set(labels.values()), classes, links)


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


def without_excluded(
    spans: Sequence[tuple[int, int, int, float]], allowed: np.ndarray
) -> list[tuple[int, int, int, float]]:
    """Of spans (first, last, class, score) on the same tokens only the best of those that exclude each other. Where two
    sides take the same place in a sentence, both are often scored in both roles. Of equal scores the span that comes
    first in `spans` is the better one."""
    kept: dict[Span, list[tuple[int, int, int, float]]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: -span[3]):
        if all(allowed[span[2], other[2]] for other in kept[span[:2]]):
            kept[span[:2]].append(span)
    return [span for at_tokens in kept.values() for span in at_tokens]


def assemble(text: str, labels: Labels, classes: Classes, links: set[tuple[Label, Label]] | None = None) -> list[Event]:
    """The events that labelled spans stand for, in the order of the text, each with the first of its triggers.

    links: pairs of labels of one event, see `event_groups`. None: the events of one type become one. The score is the
    same, but for arguments that two events share: a role has each string once, whatever its case, since repeating it
    would be paid twice (see metric.py), and once more only in an event that another trigger names.
    """
    by_type: dict[str, list[Label]] = defaultdict(list)
    for label in sorted(labels):
        by_type[classes.pairs[label[1]][0]].append(label)
    events = []
    for event_type, of_type in by_type.items():
        if links is None:
            triggers = [span for span, class_id in of_type if classes.pairs[class_id][1] is TRIGGER]
            groups = [(triggers[0] if triggers else None, of_type)]
        else:
            groups = event_groups(of_type, links, classes)
        events += _told(text, event_type, groups, classes)
    return events


def _told(
    text: str, event_type: str, groups: Iterable[tuple[Span | None, list[Label]]], classes: Classes
) -> list[Event]:
    """An event for each group; one without a trigger says only what is not said before."""
    said: set[tuple[str, str]] = set()
    events = []
    for trigger, labels in groups:
        arguments: dict[tuple[str, str], Argument] = {}
        for span, class_id in labels:
            role, words = classes.pairs[class_id][1], text[slice(*span)]
            if role is not TRIGGER and (trigger or (role, words.lower()) not in said):
                arguments.setdefault((role, words.lower()), Argument(role, words, span[0]))
        said.update(arguments)
        if trigger or arguments:
            start, end = trigger or (-1, -1)
            events.append(Event(event_type, text[start:end], start, tuple(arguments.values())))
    return events


def gold_scores(labelled: Sequence[Window], classes: Classes, head: Head) -> list[Scores]:
    """The scores of a network that is sure of all tags of labelled windows that its head can hold: decoded at 0.0, what
    gold itself would score."""
    sure, scores = Settings(0.0), []
    for window in labelled:
        tags = bio_spans(label_sequence(window, classes)[0]) if head == "crf" else sorted(window.tags)
        pairs = {pair for of_event in window.events for pair in combinations(sorted(of_event), 2)}
        scores.append(Scores(window, {sure: tags}, sorted(pairs) if head == "gplinker" else None))
    return scores


def counts(examples: Sequence[Example], predictions: Sequence[Sequence[Event]]) -> list[tuple[float, int, int]]:
    """Credit, predicted and gold arguments of each text."""
    return [(sum(one.credits), len(one.predicted), len(one.gold)) for one in compare_examples(examples, predictions)]


def f1(total: np.ndarray) -> float:
    """Of such counts, added up."""
    credit, predicted, gold = total.tolist()
    return precision_recall_f1(credit, predicted, credit, gold)["f1"]
