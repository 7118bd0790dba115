"""What an n-gram is made of. A unit is an ideograph, or a whole run of other letters and digits ("GPT4", "2026"); all
else, blanks and punctuation, ends an n-gram.

Characters count in their normal form: half width and lower case (NFKC), each by itself. One whose normal form is several
characters (㎏, ½) counts as those.
"""

import sys
import unicodedata
from typing import NamedTuple

import numpy as np

from common.tokenizers.normalization import is_ideograph

# What is known of a character: nothing yet, that it ends an n-gram, is a unit, or is a part of a run, or that its normal
# form is several characters.
_NEW, _END, _IDEOGRAPH, _RUN, _SEVERAL = range(5)


class Units(NamedTuple):
    """The units of a text in its order. vocabulary: the different ones, sorted. ids: int32, places in it from 1; 0 where
    n-grams end."""

    vocabulary: list[str]
    ids: np.ndarray


class UnitReader:
    """Finds the units of texts. It remembers the characters it has met: 9 MB where all are."""

    def __init__(self) -> None:
        self._kinds = np.zeros(sys.maxunicode + 1, np.uint8)
        self._normal = np.zeros(sys.maxunicode + 1, np.uint32)
        self._several: dict[int, str] = {}

    def read(self, text: str) -> Units:
        """The units of any text. Takes about 40 bytes a character."""
        codes, kinds = self._look_at(text)
        several = _different(codes[kinds == _SEVERAL])
        if several:
            for code in several:
                text = text.replace(chr(code), self._several[code])
            codes, kinds = self._look_at(text)
        normal = self._normal[codes]
        ideographs = _different(normal[kinds == _IDEOGRAPH])
        in_run = np.zeros(len(kinds) + 2, bool)
        np.equal(kinds, _RUN, out=in_run[1:-1])
        firsts, ends = np.flatnonzero(in_run[1:] != in_run[:-1]).reshape(-1, 2).T
        normal_text = normal.tobytes().decode("utf-32-le", "surrogatepass")
        runs = [normal_text[first:end] for first, end in zip(firsts.tolist(), ends.tolist())]
        vocabulary = sorted({*runs, *map(chr, ideographs)})
        numbers = {unit: number for number, unit in enumerate(vocabulary, 1)}
        of_codes = np.zeros(sys.maxunicode + 1, np.int32)
        of_codes[ideographs] = [numbers[chr(code)] for code in ideographs]
        ids = np.where(kinds == _IDEOGRAPH, of_codes[normal], 0)
        ids[firsts] = [numbers[run] for run in runs]
        is_inside = in_run[1:-1]
        is_inside[firsts] = False
        return Units(vocabulary, ids[~is_inside])

    def _look_at(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The code of each character, uint32, and what is known of it."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        kinds = self._kinds[codes]
        new = kinds == _NEW
        if new.any():
            for code in _different(codes[new]):
                self._learn(code)
            kinds = self._kinds[codes]
        return codes, kinds

    def _learn(self, code: int) -> None:
        normal = unicodedata.normalize("NFKC", chr(code)).lower()
        if not any(map(str.isalnum, normal)):  # an ellipsis becomes three dots, which say no more than one
            self._kinds[code], self._normal[code] = _END, code
        elif len(normal) > 1:
            self._kinds[code], self._several[code] = _SEVERAL, _expanded(normal)
        else:
            self._kinds[code], self._normal[code] = _IDEOGRAPH if is_ideograph(normal) else _RUN, ord(normal)


def _different(codes: np.ndarray) -> list[int]:
    found = np.zeros(sys.maxunicode + 1, bool)
    found[codes] = True
    return np.flatnonzero(found).tolist()


def _expanded(normal: str) -> str:
    """The characters of a normal form that have one of themselves."""
    kept = (unicodedata.normalize("NFKC", character).lower() for character in normal)
    return "".join(character for character in kept if len(character) == 1)
