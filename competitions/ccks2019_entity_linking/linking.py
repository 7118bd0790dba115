"""Scores of texts, in batches, and mentions with their entities out of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from common.decoders import pair_starts_with_ends
from common.generators import prediction_order
from common.keras_compat import tf
from common.prediction import in_batches, one_trace

from model import Networks, PairReader, Question, Window, mention_inputs, pair_row
from names import Name
from task import NIL, Mention

#: Names less likely than this to be mentions are not linked: whatever their entity, they stay below any threshold worth
#: having.
_WORTH_LINKING = 0.05


@dataclass
class Scored:
    """A name in a text: how likely it is a mention, and the probabilities of its candidates with that of NIL after
    them.

    `entity` is the most probable one, or NIL, and `value` the probability that the name is a mention of it.
    """

    name: Name
    mention: float
    entities: np.ndarray

    @property
    def entity(self) -> str:
        return self.name.choices[int(self.entities.argmax())]

    @property
    def value(self) -> float:
        return self.mention * float(self.entities.max())


@dataclass
class TextScores:
    """names: all that are worth linking, each once. others: spans of characters that the half pointer marks, and that
    are no name of the knowledge base."""

    names: list[Scored]
    others: list[tuple[int, int]]


class Linker:
    """The two trained networks over many texts."""

    def __init__(self, networks: Networks, read: PairReader, batch_size: int = 64):
        self.mentions, self.entities = one_trace(networks.mentions), one_trace(networks.entities)
        self.read, self.batch_size = read, batch_size

    def score(self, texts: Sequence[str], all_windows: Sequence[Window]) -> list[TextScores]:
        """Scores of each text; `all_windows` are those of `text_windows`."""
        likely: list[dict[tuple[int, int], tuple[Name, float]]] = [{} for _ in texts]
        others: list[set[tuple[int, int]]] = [set() for _ in texts]
        for batch in prediction_order([len(window.encoding) for window in all_windows], self.batch_size):
            batch = [all_windows[index] for index in batch]
            edges, names = self.mentions({name: tf.constant(value) for name, value in mention_inputs(batch).items()})
            probabilities = iter(tf.sigmoid(names).numpy().tolist())
            for window, (starts, ends) in zip(batch, np.moveaxis(edges.numpy() > 0, 2, 1)):
                for at, _, _ in window.places:
                    name, probability = window.names[at], next(probabilities)
                    place = name.start, name.end
                    # What two overlapping windows both see, the one that sees more of it knows better; they hardly
                    # differ.
                    if probability > likely[window.example].get(place, (name, 0.0))[1]:
                        likely[window.example][place] = name, probability
                real = np.flatnonzero(window.encoding.offsets[:, 1] > window.encoding.offsets[:, 0])
                for first, last in pair_starts_with_ends(real[starts[real]].tolist(), real[ends[real]].tolist()):
                    others[window.example].add(window.encoding.char_span(first, last))
        kept = [
            (index, name, value)
            for index, of_text in enumerate(likely)
            for name, value in of_text.values()
            if value > _WORTH_LINKING
        ]
        entities = self._entities([(texts[index], name) for index, name, _ in kept])
        found = [TextScores([], sorted(spans - likely[index].keys())) for index, spans in enumerate(others)]
        for (index, name, value), probabilities in zip(kept, entities):
            found[index].names.append(Scored(name, value, probabilities))
        return found

    def _entities(self, asked: Sequence[tuple[str, Name]]) -> list[np.ndarray]:
        """Probabilities of all candidates of each name, and of NIL."""
        rows = [
            pair_row(text, name, *choice, self.read) for text, name in asked for choice in enumerate(name.log_priors())
        ]
        logits = np.zeros(len(rows), np.float64)
        for batch, values in in_batches(self.entities, rows, self.batch_size):
            logits[batch] = values.numpy()
        found, begin = [], 0
        for _, name in asked:
            of_name = logits[begin : begin + len(name.choices)]
            found.append(softmax(of_name))
            begin += len(of_name)
        return found


def decode(texts: Sequence[str], scores: Sequence[TextScores], threshold: float) -> list[list[Mention]]:
    """Mentions of each text, by offset: names whose value reaches the threshold, of overlapping ones the best, and
    where there is room, what the half pointer marks. What has no entity is NIL."""
    return [_decode_one(text, found, threshold) for text, found in zip(texts, scores)]


def _decode_one(text: str, found: TextScores, threshold: float) -> list[Mention]:
    kept: list[Mention] = []
    for scored in sorted(found.names, key=lambda scored: -scored.value):
        start, end = scored.name.start, scored.name.end
        if scored.value >= threshold and _is_free(start, end, kept):
            kept.append(Mention(text[start:end], start, scored.entity))
    for start, end in found.others:
        if _is_free(start, end, kept):
            kept.append(Mention(text[start:end], start, NIL))
    return sorted(kept, key=lambda mention: mention.offset)


def _is_free(start: int, end: int, kept: Sequence[Mention]) -> bool:
    return all(end <= mention.offset or mention.end <= start for mention in kept)


def gold_scores(all_windows: Sequence[Window], asked: Sequence[Sequence[Question]]) -> list[TextScores]:
    """The scores of networks that are sure of everything in labelled windows and of the answers to `asked` (see
    `questions`), one for each text: decoded, what gold itself would score."""
    found = [TextScores([], []) for _ in asked]
    for of_text, questions in zip(found, asked):
        of_text.names = [Scored(name, 1.0, np.arange(len(name.choices)) == right) for _, name, right in questions]
    for window in all_windows:
        linked = {(scored.name.start, scored.name.end) for scored in found[window.example].names}
        found[window.example].others += [
            span for span in (window.encoding.char_span(*label) for label in window.labels) if span not in linked
        ]
    return found
