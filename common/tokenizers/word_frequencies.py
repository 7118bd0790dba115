"""jieba's dictionary without reading all of it: a text needs a few hundred of its half a million words and beginnings
of words, and reading them all takes half a second."""

from bisect import bisect_left
from collections.abc import Callable

# Looking up so many takes half of the time of reading all, which is then done once, for a dict that is faster.
_MOST_SEARCHES = 50_000


class WordFrequencies(dict):
    """`FREQ` of a jieba tokenizer: how often a word occurs, 0 for what only begins words. Looked up when it is asked
    for; nothing but questions for one word (`in`, `get`, `[]`) is answered.

    dictionary: the bytes of jieba's file, lines "word frequency tag". complete: called once, after many questions, and
    should put a dict of all words in the place of this one.
    """

    def __init__(self, dictionary: bytes, complete: Callable[[], object] = lambda: None):
        super().__init__()  # what was asked for; None for what is no word and begins none
        self._complete = complete
        self._lines = dictionary.splitlines()
        self._lines.sort()  # by code points, as UTF-8 is made; the file nearly is

    def get(self, word: str, default: int | None = None) -> int | None:
        try:
            found = super().__getitem__(word)
        except KeyError:
            found = self[word] = self._search(word)
            if len(self) == _MOST_SEARCHES:
                self._complete()
        return default if found is None else found

    def __contains__(self, word: object) -> bool:
        return self.get(word) is not None

    def __getitem__(self, word: str) -> int:
        found = self.get(word)
        if found is None:
            raise KeyError(word)
        return found

    def _search(self, word: str) -> int | None:
        beginning = word.encode("utf-8", "surrogatepass")
        if not beginning or b" " in beginning:
            return None
        place = bisect_left(self._lines, beginning)
        if place == len(self._lines) or not self._lines[place].startswith(beginning):
            return None
        entry = beginning + b" "
        place = bisect_left(self._lines, entry, place)
        if place == len(self._lines) or not self._lines[place].startswith(entry):
            return 0
        return int(self._lines[place].split(b" ")[1])


def total_frequency(dictionary: bytes) -> int:
    """Of all words of such a file."""
    return sum(map(int, dictionary.split()[1::3]))
