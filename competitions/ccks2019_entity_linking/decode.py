"""From scores to links: batched scoring, decoding at any threshold, and its search on dev. No TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np

from common.candidates import LEAST
from common.decoders import on_grid, pair_starts_with_ends
from common.generators import BATCH_TOKENS, prediction_order
from common.metrics import precision_recall_f1
from common.prediction import in_batches, one_trace
from common.runs.values import Between

from candidates import Span, Spot, find_spots
from features import PairReader, Window, mention_inputs, text_windows
from metric import compare, links
from priors import Priors
from task import NIL, Example, Mention

#: Spots less likely than this to be mentions are not linked: whatever their entity, they stay below any threshold worth
#: having.
_WORTH_LINKING = 0.05

#: Spots whose pairs are held at once: a long text has thousands.
_LINKED_AT_ONCE = 1000


class Settings(NamedTuple):
    """How probable a mention of an entity must be."""

    threshold: Annotated[float, Between(0, 1)] = 0.4


#: From the middle outwards: of equally good ones the first is taken, and the mildest is the safest.
GRID = [Settings(step / 20) for step in sorted(range(3, 16), key=lambda step: abs(step / 20 - 0.4))]


@dataclass
class ScoredSpot:
    """How likely a spot is a mention, and the probabilities of its candidates with that of NIL after them.

    `entity` is the most probable one, or NIL, of equal ones the first; `value` is the probability that the spot is a
    mention of it. Both come from logits `on_grid`: they do not depend on what else was in the batch.
    """

    spot: Spot
    mention: float
    entities: np.ndarray

    @property
    def entity(self) -> str:
        return self.spot.choices[int(self.entities.argmax())]

    @property
    def value(self) -> float:
        return self.mention * float(self.entities.max())


@dataclass
class Scores:
    """What the networks say of one text. spots: all that are worth linking, each once, by span. others: spans of
    characters that the half pointer marks, and that are no spots, sorted, with the lower one of the probabilities of
    their borders."""

    spots: list[ScoredSpot]
    others: dict[Span, float]


class Candidate(NamedTuple):
    """A place of a text as a mention of an entity, or of NIL, with the product of the probabilities that it is a mention
    and then of this entity. Where the name is not known (no name of the knowledge base) it is the lower one of the
    probabilities of its two borders."""

    mention: str
    offset: int
    kb_id: str
    known: bool
    probability: float

    @property
    def span(self) -> Span:
        return self.offset, self.offset + len(self.mention)


class Predictor:
    """Links texts, whatever their length, order and number."""

    def __init__(self, networks, read_pair: PairReader, priors: Priors, batch_tokens: int = BATCH_TOKENS):
        self.read_pair, self.priors, self.batch_tokens = read_pair, priors, batch_tokens
        self.networks = networks
        self._mentions, self._entities = one_trace(networks.mentions), one_trace(networks.entities)

    def __call__(self, examples: Sequence[Example], settings: Settings) -> list[list[Mention]]:
        """The mentions of every text, in order."""
        return self.decode(examples, self.score(self.features(examples), [settings]), settings)

    def features(self, examples: Sequence[Example]) -> list[Window]:
        """What `score` reads."""
        spots = [find_spots(example.text, self.read_pair.knowledge_base, self.priors) for example in examples]
        return text_windows([example.text for example in examples], spots, self.read_pair.encoder)

    def score(self, all_windows: Sequence[Window], settings: Sequence[Settings]) -> list[Scores]:
        """Everything that decoding at any settings needs, for each text."""
        from scipy.special import expit  # here, as below: it is slow to load, and --help needs none

        texts = all_windows[-1].example + 1 if all_windows else 0
        likely: list[dict[Span, tuple[Spot, float]]] = [{} for _ in range(texts)]
        others: list[dict[Span, float]] = [{} for _ in range(texts)]
        for batch in prediction_order([len(window.encoding) for window in all_windows], self.batch_tokens):
            batch = [all_windows[index] for index in batch]
            edges, names = self._mentions(mention_inputs(batch))
            probabilities = iter(expit(on_grid(names.numpy())).tolist())
            for window, logits in zip(batch, np.moveaxis(edges.numpy(), 2, 1)):
                for at, _, _ in window.places:
                    spot, probability = window.spots[at], next(probabilities)
                    # What two overlapping windows both see, the one that sees more of it knows better; they hardly
                    # differ.
                    if probability > likely[window.example].get(spot.span, (spot, 0.0))[1]:
                        likely[window.example][spot.span] = spot, probability
                real = np.flatnonzero(window.encoding.offsets[:, 1] > window.encoding.offsets[:, 0])
                starts, ends = ((real[edge[real] > 0]).tolist() for edge in logits)
                for first, last in pair_starts_with_ends(starts, ends):
                    span, lower = window.encoding.char_span(first, last), min(logits[0, first], logits[1, last])
                    others[window.example][span] = max(
                        float(expit(on_grid(lower))), others[window.example].get(span, 0)
                    )
        found = [
            Scores([], {span: marked[span] for span in sorted(marked.keys() - spots.keys())})
            for spots, marked in zip(likely, others)
        ]
        kept = [
            (scores, spot, probability)
            for scores, spots in zip(found, likely)
            for _, (spot, probability) in sorted(spots.items(), key=lambda item: item[0])
            if probability > _WORTH_LINKING
        ]
        for first in range(0, len(kept), _LINKED_AT_ONCE):
            part = kept[first : first + _LINKED_AT_ONCE]
            for (scores, spot, mention), entities in zip(part, self._link([spot for _, spot, _ in part])):
                scores.spots.append(ScoredSpot(spot, mention, entities))
        return found

    def _link(self, spots: Sequence[Spot]) -> list[np.ndarray]:
        """Probabilities of all candidates of each spot, and of NIL."""
        from scipy.special import softmax

        rows = [
            self.read_pair(spot.text, spot.span, *choice)
            for spot in spots
            for choice in zip(spot.choices, spot.log_priors())
        ]
        logits = np.zeros(len(rows), np.float64)
        for batch, values in in_batches(self._entities, rows, self.batch_tokens):
            logits[batch] = on_grid(values.numpy())
        of_spots = np.split(logits, np.cumsum([len(spot.choices) for spot in spots]))[:-1]
        return [softmax(of_spot) for of_spot in of_spots]

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[list[Candidate]]:
        """What `choose` chooses the mentions of each text from, the most probable first: all above LEAST, and above the
        threshold."""
        lowest = min(LEAST, settings.threshold)
        scores = self.score(self.features(examples), [settings])
        return [_candidates_of(example.text, found, lowest) for example, found in zip(examples, scores)]

    def decode(self, examples: Sequence[Example], scores: Sequence[Scores], settings: Settings) -> list[list[Mention]]:
        """Mentions of each text, by offset: spots whose value reaches the threshold, of overlapping ones the best, of
        equally good ones the first, and where there is room, what the half pointer marks. What has no entity is NIL."""
        return [_decode_one(example.text, found, settings) for example, found in zip(examples, scores)]


def choose(example: Example, found: Sequence[Candidate], settings: Settings) -> list[Mention]:
    """The mentions of a text: those that `Predictor.decode` finds, if these are its candidates."""
    best: dict[Span, Candidate] = {}  # of those of one place the first, which is the most probable
    for one in found:
        best.setdefault(one.span, one)
    wanted = [(one.span, one.kb_id) for one in best.values() if one.known and one.probability >= settings.threshold]
    others = sorted(one.span for one in best.values() if not one.known and one.probability >= 0.5)
    return _without_overlaps(example.text, [*wanted, *((span, NIL) for span in others)])


def _candidates_of(text: str, scores: Scores, lowest: float) -> list[Candidate]:
    found = []
    for scored in scores.spots:
        # Of equal products the more probable entity comes first, and of equal ones the first.
        for place in np.argsort(-scored.entities, kind="stable").tolist():
            probability = scored.mention * float(scored.entities[place])
            if probability >= lowest:
                span, entity = scored.spot.span, scored.spot.choices[place]
                found.append(Candidate(text[slice(*span)], span[0], entity, True, probability))
    found += [Candidate(text[slice(*span)], span[0], NIL, False, marked) for span, marked in scores.others.items()]
    return sorted(found, key=lambda one: -one.probability)


def _decode_one(text: str, scores: Scores, settings: Settings) -> list[Mention]:
    best_first = sorted(scores.spots, key=lambda scored: -scored.value)
    wanted = [(scored.spot.span, scored.entity) for scored in best_first if scored.value >= settings.threshold]
    return _without_overlaps(text, [*wanted, *((span, NIL) for span in scores.others)])


def _without_overlaps(text: str, links: Sequence[tuple[Span, str]]) -> list[Mention]:
    """The mentions, by offset, for which there is room when their turn comes."""
    kept, taken = [], bytearray(len(text))
    for (start, end), entity in links:
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            kept.append(Mention(text[start:end], start, entity))
    return sorted(kept, key=lambda mention: mention.offset)


def gold_scores(labelled: Sequence[Window]) -> list[Scores]:
    """The scores of networks that are sure of all labels and queries of labelled windows: decoded, what gold itself
    would score."""
    found = [Scores([], {}) for _ in range(labelled[-1].example + 1)]
    for window in labelled:
        scores = found[window.example]
        scores.spots = scores.spots or [
            ScoredSpot(spot, 1.0, np.arange(len(spot.choices)) == right) for spot, right in window.queries
        ]
        linked = {scored.spot.span for scored in scores.spots}
        spans = (window.encoding.char_span(*label) for label in window.labels)
        scores.others |= {span: 1.0 for span in spans if span not in linked}
    return found


def counts(examples: Sequence[Example], predictions: Sequence[Sequence[Mention]]) -> list[tuple[int, int, int]]:
    """Correct, predicted and gold links of each text."""
    gold = [(example.id, example.mentions) for example in examples]
    found = [(example.id, mentions) for example, mentions in zip(examples, predictions)]
    return [(len(one.correct), len(links(one.predicted)), len(links(one.gold))) for one in compare(gold, found)]


def f1(total: np.ndarray) -> float:
    """Of such counts, added up."""
    correct, predicted, gold = total.tolist()
    return precision_recall_f1(correct, predicted, correct, gold)["f1"]
