"""The candidates of a text: its spots, all places where it says a name of the knowledge base, each with the entities that
have the name and with what the priors say of it; and the same laid over its tokens. No TensorFlow."""

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.tokenizers import longest_matches, segment
from common.tokenizers.words import normal_form, rarity

from knowledge_base import KnowledgeBase, NameMatch
from priors import CONTEXTS, LONGEST, Priors, log_priors
from task import NIL, Example

#: Values of `Spot.shape`, of a spot in `spot_features`, and of a token in `token_features`.
SHAPE_FEATURES, TOKEN_FEATURES = 19, 8
SPOT_FEATURES = SHAPE_FEATURES + 2 * CONTEXTS + 2

# Spots to either side among which those are looked for that overlap: of 97,568 real ones none had more than 11.
_MOST_RIVALS = 100

Span = tuple[int, int]

# Headlines and page titles are put together of pieces: what is all of a piece is a mention more often than what is
# inside of one.
_SEPARATOR = re.compile(r"[^\w\s]|_|\s")
_TITLE = re.compile(r"《[^《》]*》?")


@dataclass
class Spot:
    """A candidate mention: the characters `span`, half-open, of `text` are a name of the knowledge base.

    candidates: ids of the entities that have the name. is_longest: among the longest names of the text. shape: float32
    (SHAPE_FEATURES,), what can be seen of it here. overlapping, around: the spots that share characters with it, and
    those that hold it, by how many places they stand behind it among the spots of the text. counts: int (CONTEXTS, 2),
    see `Priors.counts`. entity_counts: int (candidates + 1,), NIL being the last. nil_share: see `Priors`.
    """

    text: str
    span: Span
    candidates: tuple[str, ...]
    is_longest: bool
    shape: np.ndarray
    overlapping: list[int]
    around: list[int]
    counts: np.ndarray
    entity_counts: np.ndarray
    nil_share: float

    @property
    def choices(self) -> tuple[str, ...]:
        """What a mention of the name can be linked to."""
        return (*self.candidates, NIL)

    def log_priors(self) -> np.ndarray:
        return log_priors(self.entity_counts, self.nil_share)


def find_spots(text: str, knowledge_base: KnowledgeBase, priors: Priors, own: Priors | None = None) -> list[Spot]:
    """The spots of a text, all matches of the knowledge base, by span. `own`: priors that this text itself showed."""
    matches = knowledge_base.matches(text)
    longest = set(longest_matches(matches, len(text)))
    edges = {edge for word in segment(text) for edge in word}
    separators = [-1, *(separator.start() for separator in _SEPARATOR.finditer(text)), len(text)]
    titles = [(0, 0), *(title.span() for title in _TITLE.finditer(text))]
    spots = []
    for this, (match, overlapping) in enumerate(zip(matches, _overlapping(matches))):
        start, end, name = match
        candidates = knowledge_base.candidates(name)
        around = [at for at in overlapping if matches[this + at].start <= start and end <= matches[this + at].end]
        piece = separators[bisect_left(separators, start) - 1] + 1, separators[bisect_left(separators, end)]
        title = titles[max(0, bisect_left(titles, (start,)) - 1)]
        shape = [
            math.log(end - start),
            end - start == 1,
            name.isascii(),
            match in longest,
            start in edges,
            end in edges,
            rarity(normal_form(name)),
            bool(around),
            len(overlapping) > len(around),
            math.log(len(candidates)),
            math.log1p(start - piece[0]),
            math.log1p(piece[1] - end),
            (end - start) / (piece[1] - piece[0]),
            piece == (start, end),
            end <= title[1],
            title == (start - 1, end + 1),
            math.log1p(start) / 2,
            math.log1p(len(text) - end) / 2,
            math.log1p(len(text)) / 4,
        ]
        seen = match in longest, np.array(shape, np.float32), overlapping, around
        counts, entity_counts = priors.counts(text, match, own), priors.entity_counts(name, (*candidates, NIL), own)
        spots.append(Spot(text, (start, end), candidates, *seen, counts, entity_counts, priors.nil_share))
    return spots


def _overlapping(matches: Sequence[NameMatch]) -> list[list[int]]:
    """For each match, by how many places the others stand behind it that share characters with it."""
    found: list[list[int]] = [[] for _ in matches]
    for this, match in enumerate(matches):
        for step, other in enumerate(matches[this + 1 : this + 1 + _MOST_RIVALS], start=1):
            if other.start >= match.end:
                break
            found[this].append(step)
            found[this + step].append(-step)
    return found


def training_spots(examples: Sequence[Example], knowledge_base: KnowledgeBase) -> tuple[Priors, list[list[Spot]]]:
    """The priors that labelled texts show together, and the spots of each with what the others show."""
    shown = [Priors.of_text(example, knowledge_base) for example in examples]
    priors = Priors.total(shown)
    return priors, [find_spots(one.text, knowledge_base, priors, own) for one, own in zip(examples, shown)]


def spot_features(spots: Sequence[Spot], of_counts: np.ndarray, chosen: Sequence[int]) -> np.ndarray:
    """Of the `chosen` ones of the spots of a text, float32 (chosen, SPOT_FEATURES): shape, priors (`of_counts` of all
    spots, see `count_features`), and the highest odds, as one of the longest names, of those that overlap and of those
    around."""
    shapes = np.array([spots[at].shape for at in chosen], np.float32).reshape(-1, SHAPE_FEATURES)
    odds = of_counts[:, LONGEST].tolist()
    rivals = [
        [max((odds[at + step] for step in steps), default=-3.0) for steps in (spots[at].overlapping, spots[at].around)]
        for at in chosen
    ]
    return np.concatenate([shapes, of_counts[list(chosen)], np.array(rivals, np.float32).reshape(-1, 2)], 1)


def token_features(
    length: int, places: Sequence[tuple[int, int, int]], odds: np.ndarray, spots: Sequence[Spot]
) -> np.ndarray:
    """Spots laid over a window of `length` tokens, float32 (length, TOKEN_FEATURES): whether one begins, ends or lies
    here, the highest probability of those that do, and whether one of the longest begins or ends.

    places: (index of the spot, first, last token), both inclusive. odds: float (spots,), log odds / 3 of being
    labelled.
    """
    values = np.zeros((length, TOKEN_FEATURES), np.float32)
    probabilities = (1 / (1 + np.exp(-3 * odds))).tolist()
    for at, first, last in places:
        for column, tokens in ((0, slice(first, first + 1)), (2, slice(last, last + 1)), (4, slice(first, last + 1))):
            values[tokens, column] = 1
            values[tokens, column + 1] = np.maximum(values[tokens, column + 1], probabilities[at])
        if spots[at].is_longest:
            values[first, 6] = values[last, 7] = 1
    return values
