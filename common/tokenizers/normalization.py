"""Text normalisation with a map back to the original characters.

The rules are those of bert4keras 0.11.5 (`Tokenizer._tokenize`), which in turn are those of Google's BERT, so that the
ids agree with every Chinese checkpoint:

1. uncased models: lower-case the whole text, then canonical decomposition (NFD), and drop non-spacing marks (category
   Mn), which are the accents;
2. punctuation (category P and all ASCII symbols) and CJK ideographs become words of their own;
3. blanks (category Zs, tab, newline, carriage return, line and paragraph separator) end a word;
4. NUL, U+FFFD, control and format characters (Cc, Cf) vanish, joining what stands beside them.

A few checkpoints want half of rule 1, or no ideographs apart; see `Normalizer`.

bert4keras computes offsets by lower-casing the whole text first, so one U+0130 (which becomes two characters) shifts
every later offset. Here every normalised character remembers the original characters it came from.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

_CJK_BLOCKS = (
    (0x4E00, 0x9FFF),  # unified ideographs, nearly all of those in texts
    (0x3400, 0x4DBF),  # extension A
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0x20000, 0x2A6DF),  # extension B
    (0x2A700, 0x2B73F),  # extension C
    (0x2B740, 0x2B81F),  # extension D
    (0x2B820, 0x2CEAF),  # extension E
    (0x2F800, 0x2FA1F),  # compatibility supplement
)

#: The same, for a class of characters in a regular expression.
IDEOGRAPHS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _CJK_BLOCKS)

_SURROGATE = re.compile("[\ud800-\udfff]")


def has_surrogate(text: str) -> bool:
    """True when the text holds a lone surrogate, which UTF-8 cannot encode (broken JSON escapes leave them behind)."""
    return _SURROGATE.search(text) is not None


def is_isolated(character: str, ideographs: bool = True) -> bool:
    """True when this one (normalised) character is always a word of its own: punctuation, or (for `ideographs`) a CJK
    ideograph."""
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character)[0] == "P" or (ideographs and is_ideograph(character))


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

    lowercase: rule 1, for uncased models.
    strip_accents: the second half of rule 1, from NFD on, also without the first half; None: as `lowercase`.
    tokenize_chinese_chars: rule 2 for CJK ideographs. Without it they stand in words, as letters do.

    These are the switches of the hub's `BertTokenizer`, and None means the same there. Attributes have their names, and
    `strip_accents` is a bool. Instances may be shared between threads.
    """

    def __init__(self, lowercase: bool = True, strip_accents: bool | None = None, tokenize_chinese_chars: bool = True):
        self.lowercase = lowercase
        self.strip_accents = lowercase if strip_accents is None else strip_accents
        self.tokenize_chinese_chars = tokenize_chinese_chars
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
        lowered = character.lower() if self.lowercase else character
        # Capital sigma becomes one of two letters.
        if self.lowercase and character == "Σ":
            self._contextual.add(character)
        if not self.strip_accents:
            return "".join(map(self._separate, lowered))
        kept = [c for c in unicodedata.normalize("NFD", lowered) if unicodedata.category(c) != "Mn"]
        # Marks extend the character before them; and the few other characters with a combining class (Hangul tone
        # marks, musical stems) may have to change places.
        if not kept or any(unicodedata.combining(c) for c in kept):
            self._contextual.add(character)
        return "".join(map(self._separate, kept))

    def _normalize_in_context(self, text: str) -> NormalizedText:
        lowered, position = text.lower() if self.lowercase else text, 0
        characters: list[str] = []
        origins: list[int] = []
        for index, character in enumerate(text):
            # The whole text's lower case differs from that of its characters in letters, never in length.
            width = len(character.lower()) if self.lowercase else 1
            letters = lowered[position : position + width]
            position += width
            decomposed = unicodedata.normalize("NFD", letters) if self.strip_accents else letters
            characters.extend(decomposed)
            origins.extend([index] * len(decomposed))
        kept = _without_marks(characters) if self.strip_accents else range(len(characters))
        pieces = [self._separate(characters[index]) for index in kept]
        starts = np.repeat(
            np.array([origins[index] for index in kept], dtype=np.int32), [len(piece) for piece in pieces]
        )
        ends = (_ends_with_marks(text) if self.strip_accents else np.arange(1, len(text) + 1, dtype=np.int32))[starts]
        # Characters that changed places cover each other, so that ranges never run backwards.
        return NormalizedText("".join(pieces), np.minimum.accumulate(starts[::-1])[::-1], np.maximum.accumulate(ends))

    def _separate(self, character: str) -> str:
        """Rules 2 to 4 for one character after rule 1: itself, itself between blanks, a blank, or nothing."""
        if is_isolated(character, self.tokenize_chinese_chars):
            return f" {character} "
        category = unicodedata.category(character)
        if character in " \t\r\n" or category in ("Zs", "Zl", "Zp"):
            return " "
        if character == "\ufffd" or category in ("Cc", "Cf"):
            return ""
        return character


class Memo(dict):
    """dict that computes a missing value from its key; there are few distinct characters, so it stays small."""

    def __init__(self, compute: Callable[[str], str]):
        super().__init__()
        self._compute = compute

    def __missing__(self, key: str) -> str:
        value = self[key] = self._compute(key)
        return value


def is_ideograph(character: str) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in _CJK_BLOCKS)


def _without_marks(decomposed: Sequence[str]) -> list[int]:
    """Indices of the characters that stay, in canonical order: between two starters (class 0), a stable sort by
    combining class."""
    classes = [unicodedata.combining(character) for character in decomposed]
    blocks = accumulate(combining_class == 0 for combining_class in classes)
    keys = list(zip(blocks, classes))
    order = sorted(range(len(decomposed)), key=keys.__getitem__)
    return [index for index in order if unicodedata.category(decomposed[index]) != "Mn"]


def _ends_with_marks(text: str) -> np.ndarray:
    """Where each character ends, int32 (len(text),): with the marks after it, that go."""
    ends = np.arange(1, len(text) + 1, dtype=np.int32)
    for index in range(len(text) - 2, -1, -1):
        if _is_mark(text[index + 1]):
            ends[index] = ends[index + 1]
    return ends


def _is_mark(character: str) -> bool:
    return all(unicodedata.category(c) == "Mn" for c in unicodedata.normalize("NFD", character.lower()))


def strip_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The characters [start, end) without the blanks at both ends: no token begins or ends with one."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
