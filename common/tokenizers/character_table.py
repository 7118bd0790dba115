"""Tokens by looking up characters instead of reading words: a Chinese text is mostly ideographs and punctuation, each of
which is one and the same token wherever it stands.

What stands between them, words of letters and digits, is cut into tokens here and remembered. The few characters that
act on their neighbours (capital sigma, combining marks) are left to an exact tokenizer, together with all that they
could act on.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from common.tokenizers.normalization import Normalizer

#: ids int32 (n,) and offsets int32 (n, 2), as in `Encoding`.
Tokens = tuple[np.ndarray, np.ndarray]

# What is known of a character: nothing yet; that it acts on neighbours; that it is part of a word, maybe an invisible
# one; that it is a blank; or the id of the token that it is by itself, added to the last of these.
_NEW, _IN_CONTEXT, _IN_WORD, _BLANK, _TOKEN = range(5)
# Words that are remembered, and the characters of the longest of them: about 10 MB.
_MOST_WORDS, _LONGEST_WORD = 2**14, 16

# The tokens of a word, ids added to _TOKEN, and their starts and ends, counted from its first character. None where
# tokens share a character, as the jamo of a Hangul syllable do: a text with such a word is read as a whole.
_Word = tuple[list[int], list[int], list[int]] | None


class CharacterTable:
    """Tokens of any text, those that `exact` finds; instances may be shared between threads.

    exact: finds the tokens of a text; its words are those of `normalizer`, and it knows the tokens `ids`, token -> id.
    unknown_id: of a word that has no tokens.
    """

    def __init__(self, normalizer: Normalizer, exact: Callable[[str], Tokens], ids: Mapping[str, int], unknown_id: int):
        self._normalizer, self._exact, self._ids, self._unknown_id = normalizer, exact, ids, unknown_id
        # Zeros take memory where something else is written: of these 4 MB, Chinese text needs 100 kB.
        self._kinds = np.zeros(sys.maxunicode + 1, np.int32)
        self._words: dict[str, _Word] = {}

    def tokenize(self, text: str) -> Tokens:
        """The tokens of any string."""
        if not text:
            return self._exact(text)
        kinds, least = self._kinds_of(text)
        if least == _IN_CONTEXT:
            for first, end in _contexts(text, np.flatnonzero(kinds == _IN_CONTEXT).tolist()):
                kinds[first:end] = _IN_WORD
        ends = np.arange(1, len(text) + 1, dtype=np.int32)
        if least <= _IN_WORD:
            runs = _runs(kinds)
            tokens, starts, stops = [], [], []
            for (first, _), word in zip(runs, self._tokens_of([text[first:end] for first, end in runs])):
                if word is None:
                    return self._exact(text)
                tokens += word[0]
                starts += [first + start for start in word[1]]
                stops += [first + end for end in word[2]]
            kinds[starts], ends[starts] = tokens, stops
        places = np.flatnonzero(kinds >= _TOKEN)
        offsets = np.empty((len(places), 2), np.int32)
        offsets[:, 0], offsets[:, 1] = places, ends[places]
        return kinds[places] - _TOKEN, offsets

    def _kinds_of(self, text: str) -> tuple[np.ndarray, int]:
        """Kind of each character, int32 (len(text),), and the least of them."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        kinds = self._kinds[codes]
        least = np.minimum.reduce(kinds)
        if least == _NEW:
            self._look_up(set(codes[kinds == _NEW].tolist()))
            kinds = self._kinds[codes]
            least = np.minimum.reduce(kinds)
        return kinds, least

    def _look_up(self, codes: set[int]) -> None:
        """Fill in the kinds of new characters."""
        alone = []
        for code in codes:
            normal = self._normalizer.alone(chr(code))
            if normal is None:
                self._kinds[code] = _IN_CONTEXT
            elif normal == " ":
                self._kinds[code] = _BLANK
            elif len(normal) == 3 and normal[0] == normal[2] == " ":
                alone.append(code)
            else:
                self._kinds[code] = _IN_WORD
        self._kinds[alone] = _TOKEN + self._exact("".join(map(chr, alone)))[0]

    def _tokens_of(self, words: Sequence[str]) -> list[_Word]:
        known = self._words
        try:
            return [known[word] for word in words]
        except KeyError:
            new = self._read(list({word: None for word in words if word not in known}))
        found = [new[word] if word in new else known[word] for word in words]
        if len(known) > _MOST_WORDS:
            known = self._words = {}  # another thread may still read the old one
        known.update((word, tokens) for word, tokens in new.items() if len(word) <= _LONGEST_WORD)
        return found

    def _read(self, words: Sequence[str]) -> dict[str, _Word]:
        """The tokens of different words."""
        found: dict[str, _Word] = {}
        unusual = []
        for word in words:
            letters = [*map(self._normalizer.alone, word)] if len(word) <= _LONGEST_WORD else [None]
            if None in letters or max(map(len, letters)) != 1 or min(map(len, letters)) != 1:
                unusual.append(word)
            else:
                found[word] = self._cut("".join(letters))
        return found | self._read_exactly(unusual) if unusual else found

    def _cut(self, letters: str) -> _Word:
        """The tokens of a word in normal form: from the left, each time the longest that there is."""
        kinds, starts, ends, start = [], [], [], 0
        while start < len(letters):
            end = len(letters)
            prefix = "##" if start else ""
            while end > start and prefix + letters[start:end] not in self._ids:
                end -= 1
            if end == start:
                return [_TOKEN + self._unknown_id], [0], [len(letters)]
            kinds.append(_TOKEN + self._ids[prefix + letters[start:end]])
            starts.append(start)
            ends.append(end)
            start = end
        return kinds, starts, ends

    def _read_exactly(self, words: Sequence[str]) -> dict[str, _Word]:
        """The tokens of different words. They are read as one text, in which blanks keep them apart."""
        ids, offsets = self._exact(" ".join(words))
        firsts = np.cumsum([0, *(len(word) + 1 for word in words)])
        bounds = np.searchsorted(offsets[:, 0], firsts)
        offsets = offsets - np.repeat(firsts[:-1], np.diff(bounds))[:, None]
        kinds, (starts, ends), bounds = (_TOKEN + ids).tolist(), offsets.T.tolist(), bounds.tolist()
        found: dict[str, _Word] = {}
        for word, begin, end in zip(words, bounds, bounds[1:]):
            of_word = kinds[begin:end], starts[begin:end], ends[begin:end]
            found[word] = of_word if len(set(of_word[1])) == end - begin else None
        return found


def _runs(kinds: np.ndarray) -> list[list[int]]:
    """The characters [first, end) of each word, in order."""
    in_word = np.zeros(len(kinds) + 2, bool)
    np.equal(kinds, _IN_WORD, out=in_word[1:-1])
    return np.flatnonzero(in_word[1:] != in_word[:-1]).reshape(-1, 2).tolist()


def _contexts(text: str, places: Sequence[int]) -> list[tuple[int, int]]:
    """The characters [first, end) that those at `places` may act on: from a wall, which marks may extend, to the next
    one."""
    found, end = [], 0
    for place in places:
        if place >= end:
            first, end = place - 1, place + 1
            while first > 0 and not _is_wall(text[first]):
                first -= 1
            while end < len(text) and not _is_wall(text[end]):
                end += 1
            found.append((max(first, 0), end))
    return found


@lru_cache(maxsize=2**12)
def _is_wall(character: str) -> bool:
    """Whether nothing acts across a character: it stays itself and a word apart, and a sigma between a letter and it is
    the last letter of a word whatever follows."""
    alone = Normalizer().alone(character)
    return alone in (" ", f" {character} ") and f"aΣ{character}a".lower()[1] == "ς"
