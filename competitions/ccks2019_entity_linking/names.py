"""What knowledge base and habits say of a text: its names with what is known of each, and the same laid over its
tokens. No TensorFlow."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.tokenizers import longest_matches
from common.tokenizers.words import normal_form, rarity, segment

from habits import LONGEST, WAYS, Habits, log_priors
from knowledge_base import KnowledgeBase, NameMatch
from task import NIL

#: Values of `Name.shape`, of a name in `name_features`, and of a token in `token_features`.
SHAPE_FEATURES, TOKEN_FEATURES = 19, 8
NAME_FEATURES = SHAPE_FEATURES + 2 * WAYS + 2

# Headlines and page titles are put together of pieces: what is all of a piece is a mention more often than what is
# inside of one.
_SEPARATOR = re.compile(r"[^\w\s]|_|\s")
_TITLE = re.compile(r"《[^《》]*》?")


@dataclass
class Name:
    """A place where the text says a name of the knowledge base: characters [start, end).

    candidates: ids that have the name. is_longest: among the longest names of the text. shape: float32
    (SHAPE_FEATURES,), what can be seen of it here. overlapping, around: indices, among the names of the text, of those
    that share characters with it, and of those that hold it.
    counts: int (WAYS, 2), habits. entity_counts: int (candidates + 1,), NIL being the last. nil_share: see `Habits`.
    """

    start: int
    end: int
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


def find_names(
    text: str, matches: Sequence[NameMatch], knowledge_base: KnowledgeBase, habits: Habits, own: Habits | None = None
) -> list[Name]:
    """The names in a text, all matches of the knowledge base, with what is known of each. `own`: habits that this text
    itself showed."""
    longest = set(longest_matches(matches, len(text)))
    edges = {edge for word in segment(text) for edge in word}
    separators = [-1, *(separator.start() for separator in _SEPARATOR.finditer(text)), len(text)]
    titles = [title.span() for title in _TITLE.finditer(text)]
    names = []
    for this, match in enumerate(matches):
        start, end, name = match
        candidates = knowledge_base.candidates(name)
        overlapping = [at for at, other in enumerate(matches) if at != this and other.start < end and start < other.end]
        around = [at for at in overlapping if matches[at].start <= start and end <= matches[at].end]
        piece = max(at for at in separators if at < max(start, 0)) + 1, min(at for at in separators if at >= end)
        in_title = [title for title in titles if title[0] < start and end <= title[1]]
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
            bool(in_title),
            any(title == (start - 1, end + 1) for title in in_title),
            math.log1p(start) / 2,
            math.log1p(len(text) - end) / 2,
            math.log1p(len(text)) / 4,
        ]
        counts, entity_counts = habits.counts(text, match, own), habits.entity_counts(name, (*candidates, NIL), own)
        is_longest = match in longest
        names.append(
            Name(
                start,
                end,
                candidates,
                is_longest,
                np.array(shape, np.float32),
                overlapping,
                around,
                counts,
                entity_counts,
                habits.nil_share,
            )
        )
    return names


def name_features(names: Sequence[Name], of_counts: np.ndarray) -> np.ndarray:
    """Of all names of a text, float32 (names, NAME_FEATURES): shape, habits (`of_counts`, see `count_features`), and
    the highest odds, as one of the longest names, of those that overlap and of those around."""
    shapes = np.array([name.shape for name in names], np.float32).reshape(-1, SHAPE_FEATURES)
    odds = of_counts[:, LONGEST].tolist()
    rivals = [
        [max((odds[at] for at in places), default=-3.0) for places in (name.overlapping, name.around)] for name in names
    ]
    return np.concatenate([shapes, of_counts, np.array(rivals, np.float32).reshape(-1, 2)], 1)


def token_features(
    length: int, places: Sequence[tuple[int, int, int]], odds: np.ndarray, names: Sequence[Name]
) -> np.ndarray:
    """Names laid over a window of `length` tokens, float32 (length, TOKEN_FEATURES): whether one begins, ends or lies
    here, the highest probability of those that do, and whether one of the longest begins or ends.

    places: (index of the name, first, last token), both inclusive. odds: float (names,), log odds / 3 of being
    labelled.
    """
    values = np.zeros((length, TOKEN_FEATURES), np.float32)
    probabilities = (1 / (1 + np.exp(-3 * odds))).tolist()
    for at, first, last in places:
        likely = probabilities[at]
        for column, tokens in ((0, slice(first, first + 1)), (2, slice(last, last + 1)), (4, slice(first, last + 1))):
            values[tokens, column] = 1
            values[tokens, column + 1] = np.maximum(values[tokens, column + 1], likely)
        if names[at].is_longest:
            values[first, 6] = values[last, 7] = 1
    return values
