"""Text normalisation with a map back to the original characters.

The rules are those of bert4keras 0.11.5 (`Tokenizer._tokenize`), which in turn are those of Google's BERT, so that the
ids agree with every Chinese checkpoint:

1. uncased models: lower-case the whole text, canonical decomposition (NFD), drop non-spacing marks (category Mn);
2. punctuation (category P and all ASCII symbols) and CJK ideographs become words of their own;
3. blanks (category Zs, tab, newline, carriage return, line and paragraph separator) end a word;
4. NUL, U+FFFD, control and format characters (Cc, Cf) vanish, joining what stands beside them.

bert4keras computes offsets by lower-casing the whole text first, so one U+0130 (which becomes two characters) shifts
every later offset. Here every normalised character remembers the original characters it came from.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

_CJK_BLOCKS = (
    (0x3400, 0x4DBF),  # extension A
    (0x4E00, 0x9FFF),  # unified ideographs
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0x20000, 0x2A6DF),  # extension B
    (0x2A700, 0x2B73F),  # extension C
    (0x2B740, 0x2B81F),  # extension D
    (0x2B820, 0x2CEAF),  # extension E
    (0x2F800, 0x2FA1F),  # compatibility supplement
)

_SURROGATE = re.compile("[\ud800-\udfff]")


def has_surrogate(text: str) -> bool:
    """True when the text holds a lone surrogate, which UTF-8 cannot encode (broken JSON escapes leave them behind)."""
    return _SURROGATE.search(text) is not None


def is_isolated(character: str) -> bool:
    """True when this one (normalised) character is always a word of its own: punctuation, or a CJK ideograph."""
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    code = ord(character)
    return any(first <= code <= last for first, last in _CJK_BLOCKS) or unicodedata.category(character)[0] == "P"


@dataclass(frozen=True, eq=False)
class NormalizedText:
    """Normalised words separated by blanks, and where each character came from.

    text: the words; no white space but U+0020, possibly several in a row.
    starts, ends: int32 (len(text),), the half-open range of original characters behind each character of `text`.
        Both never decrease. A dropped combining mark belongs to the character before it, so that a span cut from
        the original keeps its accent. Values at blanks are meaningless.
    """

    text: str
    starts: np.ndarray
    ends: np.ndarray


class Normalizer:
    """Normalises text for WordPiece; see the module's docstring for the rules.

    lowercase: rule 1, for uncased models. Instances may be shared between threads.
    """

    def __init__(self, lowercase: bool = True):
        self.lowercase = lowercase
        # Characters whose result depends on their neighbours. The cache fills this set while it is filled itself.
        self._contextual: set[str] = set()
        self._pieces = Memo(self._normalize_character)

    def normalize(self, text: str) -> NormalizedText:
        """Normalised words of any string, lone surrogates included (they stay as they are)."""
        pieces = [self._pieces[character] for character in text]
        if not self._contextual.isdisjoint(text):
            return self._normalize_in_context(text)
        starts = np.repeat(np.arange(len(text), dtype=np.int32), [len(piece) for piece in pieces])
        return NormalizedText("".join(pieces), starts, starts + 1)

    def alone(self, character: str) -> str | None:
        """What a character becomes, in any text: itself between blanks where it is a word of its own, a blank, or
        characters of a word, maybe none. None where that depends on its neighbours."""
        normal = self._pieces[character]
        return None if character in self._contextual else normal

    def _normalize_character(self, character: str) -> str:
        if not self.lowercase:
            return _separate(character)
        decomposed = unicodedata.normalize("NFD", character.lower())
        kept = [c for c in decomposed if unicodedata.category(c) != "Mn"]
        # Capital sigma becomes one of two letters; marks extend the character before them; and the few other
        # characters with a combining class (Hangul tone marks, musical stems) may have to change places.
        if character == "Σ" or not kept or any(unicodedata.combining(c) for c in kept):
            self._contextual.add(character)
        return "".join(map(_separate, kept))

    def _normalize_in_context(self, text: str) -> NormalizedText:
        lowered, position = text.lower(), 0
        characters: list[str] = []
        origins: list[int] = []
        ends_of = np.arange(1, len(text) + 1, dtype=np.int32)
        for index, character in enumerate(text):
            width = len(character.lower())  # the whole text's lower case differs from this in letters, never in length
            decomposed = unicodedata.normalize("NFD", lowered[position : position + width])
            position += width
            characters.extend(decomposed)
            origins.extend([index] * len(decomposed))
        for index in range(len(text) - 2, -1, -1):
            if _is_mark(text[index + 1]):
                ends_of[index] = ends_of[index + 1]

        # Canonical ordering: between two starters (class 0), a stable sort by combining class.
        classes = [unicodedata.combining(character) for character in characters]
        blocks = accumulate(combining_class == 0 for combining_class in classes)
        keys = list(zip(blocks, classes))
        order = [
            index
            for index in sorted(range(len(characters)), key=keys.__getitem__)
            if unicodedata.category(characters[index]) != "Mn"
        ]
        pieces = [_separate(characters[index]) for index in order]
        starts = np.repeat(
            np.array([origins[index] for index in order], dtype=np.int32), [len(piece) for piece in pieces]
        )
        ends = ends_of[starts]
        # Characters that changed places cover each other, so that ranges never run backwards.
        return NormalizedText("".join(pieces), np.minimum.accumulate(starts[::-1])[::-1], np.maximum.accumulate(ends))


class Memo(dict):
    """dict that computes a missing value from its key; there are few distinct characters, so it stays small."""

    def __init__(self, compute: Callable[[str], str]):
        super().__init__()
        self._compute = compute

    def __missing__(self, key: str) -> str:
        value = self[key] = self._compute(key)
        return value


def _separate(character: str) -> str:
    """Rules 2 to 4 for one normalised character: itself, itself between blanks, a blank, or nothing."""
    if is_isolated(character):
        return f" {character} "
    category = unicodedata.category(character)
    if character in " \t\r\n" or category in ("Zs", "Zl", "Zp"):
        return " "
    if character == "\ufffd" or category in ("Cc", "Cf"):
        return ""
    return character


def _is_mark(character: str) -> bool:
    return all(unicodedata.category(c) == "Mn" for c in unicodedata.normalize("NFD", character.lower()))


def strip_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The characters [start, end) without the blanks at both ends: no token begins or ends with one."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
