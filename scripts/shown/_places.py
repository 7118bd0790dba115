"""What the modules of the contests share: marks, examples as they are shown, and where in a text something stands. No
TensorFlow."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

#: As many places of one string are marked in a text: a short one may stand there a thousand times.
MOST_PLACES = 20


class Mark(NamedTuple):
    """A piece of a text: `text` says which of `Shown.texts`, from 0; characters from `start` to before `end`; what it
    is there."""

    text: int
    start: int
    end: int
    label: str


class Shown(NamedTuple):
    """An example as a person reads it. `name`: its id, or its line in the file, or "". `texts`: (name of the part, text)
    pairs. The names are "text", "question", "context", "table" and "passage 1", "passage 2", ..."""

    name: str
    texts: tuple[tuple[str, str], ...]


def places(piece: str, text: str) -> list[int]:
    """Where a piece begins in a text, none of the places in another; in any case of letters where that of the piece is
    nowhere. At most MOST_PLACES; of an empty piece none."""
    if not piece:
        return []
    found = _starts(re.finditer(re.escape(piece), text))
    return found or _starts(re.finditer(re.escape(piece), text, re.IGNORECASE))


def _starts(matches: Iterator[re.Match]) -> list[int]:
    return [match.start() for match, _ in zip(matches, range(MOST_PLACES))]


def marks_of(piece: str, label: str, texts: Iterable[tuple[int, str]], start: Any = -1) -> list[Mark]:
    """The marks of a piece in some (number, text) pairs: at `start`, where the text has it there, or else wherever it
    stands."""
    found = []
    for number, text in texts:
        known = isinstance(start, int) and 0 <= start and text[start : start + len(piece)].lower() == piece.lower()
        starts = [start] if piece and known else places(piece, text)
        found += [Mark(number, at, at + len(piece), label) for at in starts]
    return found


def in_order(marks: Iterable[Mark]) -> list[Mark]:
    """Each once, by place, longer ones first."""
    return sorted(dict.fromkeys(marks), key=lambda mark: (mark.text, mark.start, -mark.end, mark.label))
