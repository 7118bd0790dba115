"""Files of questions of which some mean the same: groups of them, or pairs and how alike they are. No TensorFlow.

{"texts": ["...", "...", "..."]}                  a group
{"text": "...", "label": "..."}                   the texts with one label are a group
{"a": "...", "b": "...", "label": 1}              a pair that means the same, or, with 0, does not
{"a": "...", "b": "...", "score": 3.5}            a pair, and how alike it is
... <tab> ...                                     a pair that means the same; behind another tab a label
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.command_line import UserError
from common.submission import field, json_object, read_lines


class Pair(NamedTuple):
    """Two texts, and how alike they are: a label, 0 or 1, or a score, of which only the order counts."""

    one: str
    other: str
    score: float
    is_label: bool

    @property
    def means_the_same(self) -> bool:
        return self.is_label and self.score == 1


class Groups:
    """Texts that mean the same have the same number. What means the same as a third text means the same."""

    def __init__(self):
        self._places: dict[str, int] = {}
        self._parents: list[int] = []

    def join(self, texts: Sequence[str]) -> None:
        """These mean the same."""
        places = [self._root(self._place(text)) for text in texts]
        for place in places[1:]:
            self._parents[self._root(place)] = self._root(places[0])

    def of_several(self) -> list[list[str]]:
        """The texts of each group that has more than one, in the order of the first text of each."""
        members: dict[int, list[str]] = {}
        for text, place in self._places.items():
            members.setdefault(self._root(place), []).append(text)
        return [texts for texts in members.values() if len(texts) > 1]

    def _place(self, text: str) -> int:
        place = self._places.setdefault(text, len(self._places))
        if place == len(self._parents):
            self._parents.append(place)
        return place

    def _root(self, place: int) -> int:
        while self._parents[place] != place:
            self._parents[place] = place = self._parents[self._parents[place]]
        return place


class Questions(NamedTuple):
    """What files of questions say: the groups of more than one text of the same meaning, and all pairs."""

    groups: list[list[str]]
    pairs: list[Pair]

    def __str__(self) -> str:
        return f"{len(self.groups):,} groups of {sum(map(len, self.groups)):,} texts, {len(self.pairs):,} pairs"

    @property
    def texts(self) -> list[str]:
        """All different ones."""
        return [*dict.fromkeys(text for texts in (*self.groups, *(pair[:2] for pair in self.pairs)) for text in texts)]

    @property
    def are_scored(self) -> bool:
        """Whether some pairs are more alike than others."""
        return len({pair.score for pair in self.pairs}) > 1


def read_questions(files: Iterable[Path]) -> Questions:
    """Pairs with a label of 1 are groups, too; those with another label or a score say nothing of groups. Raises
    UserError for a line that is none of those above, and for labels and scores together."""
    groups, labelled, pairs = Groups(), {}, []
    for file in files:
        for where, record in _records(file):
            if isinstance(record, Pair):
                if pairs and pairs[0].is_label != record.is_label:
                    raise UserError(f"{where}: there are labels and scores - give files of one kind")
                pairs.append(record)
                groups.join(record[:2] if record.means_the_same else [])
            elif isinstance(record, Labelled):
                groups.join([labelled.setdefault(record.label, record.text), record.text])
            else:
                groups.join(record)
    return Questions(groups.of_several(), pairs)


def read_scored_pairs(file: Path) -> list[Pair]:
    """The pairs of a file. Raises UserError as `read_questions` does, and where all pairs are alike the same."""
    found = read_questions([file])
    if not found.are_scored:
        raise UserError(f"{file}: has no pairs of which some are more alike than others - check the file")
    return found.pairs


class Labelled(NamedTuple):
    text: str
    label: str


def _records(file: Path) -> Iterator[tuple[str, Pair | Labelled | list[str]]]:
    """What each line says, with its place."""
    for number, line in read_lines(file):
        where = f"{file}:{number}"
        record = _of_json(json_object(line, where), where) if line.startswith("{") else _of_tabs(line, where)
        texts = [record.text] if isinstance(record, Labelled) else record[:2] if isinstance(record, Pair) else record
        if not all(text.strip() for text in texts):
            raise UserError(f"{where}: has an empty text - remove the line")
        yield where, record


def _of_json(record: dict, where: str) -> Pair | Labelled | list[str]:
    if "texts" in record:
        texts = field(record, "texts", list, where)
        if not all(isinstance(text, str) for text in texts):
            raise UserError(f'{where}: "texts" must be a list of strings')
        return texts
    if "text" in record:
        return Labelled(field(record, "text", str, where), field(record, "label", str, where))
    one, other = (field(record, key, str, where) for key in ("a", "b"))
    if "label" in record:
        return _labelled_pair(one, other, field(record, "label", int, where), where)
    score = field(record, "score", (int, float), where)
    if not np.isfinite(score):
        raise UserError(f'{where}: "score" must be a number, and not {score}')
    return Pair(one, other, float(score), is_label=False)


def _of_tabs(line: str, where: str) -> Pair:
    one, *others = line.split("\t")
    if len(others) not in (1, 2):
        raise UserError(f"{where}: has {1 + len(others)} fields - there must be two texts, with a tab between them")
    return _labelled_pair(one, others[0], others[1].strip() if len(others) == 2 else 1, where)


def _labelled_pair(one: str, other: str, label: int | str, where: str) -> Pair:
    if str(label) not in ("0", "1"):
        raise UserError(f"{where}: the label is {label!r:.40} - it must be 0 or 1")
    return Pair(one, other, float(label), is_label=True)
