"""Lists of words: a word on each line, and behind a tab, or a blank, how often it occurs, if that is known. What stands
behind the number (a strength, a part of speech) is for others."""

import math
from pathlib import Path

from common.command_line import UserError
from common.submission import read_lines
from common.tokenizers.segmentation import jieba_segmenter
from common.tokenizers.words import normal_form


def read_word_list(path: Path) -> dict[str, float | None]:
    """Words in normal form, in the order of the file, and how often each occurs, or None. A word that stands on several
    lines occurs as often as they say together.

    Raises UserError, with the line, for one without a word, a word with a blank in it, or a count that is no number from 0
    on; and for an empty file.
    """
    found: dict[str, float | None] = {}
    for number, line in read_lines(path):
        word, count = _parsed(line, f"{path}:{number}")
        before = found.get(word)
        found[word] = before if count is None else count + (before or 0)
    return found


def jieba_words() -> dict[str, int]:
    """The words of jieba's dictionary in normal form, and their frequencies."""
    found: dict[str, int] = {}
    with jieba_segmenter().get_dict_file() as file:
        for line in file:
            word, frequency, *_ = line.decode("utf-8").split(" ")
            word = normal_form(word)
            found[word] = found.get(word, 0) + int(frequency)
    return found


def known_words(source: str | None) -> frozenset[str]:
    """The words, in normal form, of jieba's dictionary ("jieba"), of a list, or none."""
    if source is None:
        return frozenset()
    if source == "jieba":
        return frozenset(jieba_words())
    return frozenset(read_word_list(Path(source)))


def _parsed(line: str, where: str) -> tuple[str, float | None]:
    fields = [field.strip() for field in (line.split("\t") if "\t" in line else line.split())]
    word = normal_form(fields[0])
    if not word:
        raise UserError(f"{where}: begins with a tab - the word must stand first")
    if len(word.split()) > 1:
        raise UserError(f"{where}: the word {word!r:.60} has a blank in it - words are found in texts without blanks")
    if len(fields) == 1:
        return word, None
    return word, _count(fields[1], where)


def _count(text: str, where: str) -> float:
    try:
        count = int(text) if text.isdecimal() else float(text)
    except ValueError:
        count = -1
    if not 0 <= count < math.inf:
        raise UserError(f"{where}: {text!r:.60} is no count - behind the word there must be a number from 0 on")
    return count
