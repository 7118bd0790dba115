"""Sentences for probe.py whose words, and maybe trees, are known: as text, with the characters of each word."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.analysis.trees import Brackets, dependency_brackets
from common.command_line import UserError
from common.submission import field, json_object, read_lines

from tree_texts import is_punctuation, listed


class GoldText(NamedTuple):
    """words: none is blank. heads: from 1, 0 for a root; None where only the words are known."""

    words: list[str]
    heads: list[int] | None

    @property
    def text(self) -> str:
        """With blanks between two words in Latin letters or digits, and nowhere else."""
        return _joined(self.words)[0]

    @property
    def begins(self) -> list[int]:
        """The character with which each word begins."""
        return _joined(self.words)[1]

    @property
    def brackets(self) -> Brackets:
        return dependency_brackets(self.heads)

    @property
    def kept(self) -> np.ndarray:
        """Which words are words of trees, bool (words,): those that are no punctuation."""
        return np.array([not is_punctuation(word) for word in self.words], bool)

    def sizes(self, offsets: np.ndarray) -> list[int] | None:
        """How many tokens each word has; None where one has none of its own. offsets: int (tokens, 2)."""
        if not len(offsets):
            return None
        words = np.searchsorted(self.begins, offsets[:, 0], side="right") - 1
        # A token that reaches into the next word is of neither.
        ends = np.append(self.begins[1:], len(self.text))
        counts = np.bincount(words, minlength=len(self.words))
        return counts.tolist() if counts.min() and (offsets[:, 1] <= ends[words]).all() else None

    def together(self, offsets: np.ndarray) -> np.ndarray:
        """Which neighbours are of one word, bool (tokens - 1,)."""
        return ~np.isin(offsets[1:, 0], self.begins)


def _joined(words: Sequence[str]) -> tuple[str, list[int]]:
    text, begins = "", []
    for word in words:
        if all(end.isascii() and end.isalnum() for end in (text[-1:], word[:1])):
            text += " "
        begins.append(len(text))
        text += word
    return text, begins


def read_gold(path: Path) -> list[GoldText]:
    """JSON lines with `seg`, the words with blanks between, or all with `words` and `heads`. Raises UserError with file
    and line."""
    found = [_gold_of(json_object(line, f"{path}:{number}"), f"{path}:{number}") for number, line in read_lines(path)]
    if len({one.heads is None for one in found}) > 1:
        raise UserError(f"{path}: has lines with heads and lines without - give a file of one kind")
    return found


def _gold_of(record: dict[str, Any], where: str) -> GoldText:
    if "seg" in record:
        words = field(record, "seg", str, where).split()
        if not words:
            raise UserError(f"{where}: has no word - remove the line")
        return GoldText(words, None)
    words, heads = listed(record, "words", str, where), listed(record, "heads", int, where)
    try:
        if len(words) != len(heads) or not words:
            raise ValueError(f"{len(words)} words and {len(heads)} heads")
        if any(not word or len(word.split()) != 1 or word != word.strip() for word in words):
            raise ValueError("a word is blank or has a blank in it")
        dependency_brackets(heads)
    except ValueError as error:
        raise UserError(f"{where}: {error} - mend or remove this line") from None
    return GoldText(words, heads)
