"""Reads the data files of the generators: tab separated tables in UTF-8 below data/, whose first line names the
columns.

The order of the lines, and of the words in a cell, decides what the random draws give: an edit changes the sample,
which `scripts/make_samples.py` then writes anew. A cell of words has blanks between them; in it

    ␣       is a blank within a word, and {} the empty word
    =name   stands for the words of the list of that name, in the same file or in names.tsv
    /       parts the words of all splits from those that are kept for dev and test

Everything wrong in a file is a UserError with its name and line.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from common.command_line import UserError, shown
from common.submission import read_lines

DATA = Path(__file__).resolve().parent / "data"
#: What a table says of a phrasing: it is for all splits, or kept for dev and test.
ALL, KEPT = "all", "dev+test"

#: (phrasings of all splits, phrasings of dev and test only)
Pair = tuple[tuple[str, ...], tuple[str, ...]]

#: How often something new is looked for before the lists are taken to be too short.
ATTEMPTS = 100_000

_places: dict[str, str] = {}  # text of a data file -> "file:line"


class Lists(dict[str, tuple[str, ...]]):
    """Lists of words by name; one that is asked for and missing is the fault of the `file`."""

    def __init__(self, file: str, lists: Mapping[str, tuple[str, ...]] = MappingProxyType({})):
        super().__init__(lists)
        self.file = file

    def __missing__(self, name: str) -> tuple[str, ...]:
        raise UserError(f"{self.file}: there is no list {name!r}")

    def __or__(self, other: Mapping[str, tuple[str, ...]]) -> "Lists":
        return Lists(getattr(other, "file", self.file), {**self, **other})


@dataclass(frozen=True)
class Row:
    """A line of a table: column -> cell."""

    where: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def error(self, message: str) -> UserError:
        return UserError(f"{self.where}: {message}")

    def number(self, column: str) -> float:
        try:
            return float(self[column])
        except ValueError:
            raise self.error(f"{column} is {self[column]!r} - it must be a number") from None

    def is_kept(self) -> bool:
        """Whether the line is for dev and test only, as its column `splits` says."""
        if self["splits"] not in (ALL, KEPT):
            raise self.error(f"splits is {self['splits']!r} - it must be {ALL} or {KEPT}")
        return self["splits"] == KEPT

    def pattern(self, column: str) -> re.Pattern:
        try:
            return re.compile(self[column])
        except re.error as error:
            raise self.error(f"{column} is no regular expression: {error}") from None

    def words(self, column: str, *lists: Lists) -> tuple[str, ...]:
        return self.pair(column, *lists)[0]

    def pair(self, column: str, *lists: Lists) -> Pair:
        """The words of a cell: of all splits, and after a "/" of dev and test only."""
        sides: tuple[list[str], list[str]] = ([], [])
        side = 0
        for word in self[column].split():
            if word == "/":
                side = 1
            elif word.startswith("=") and len(word) > 1:
                sides[side].extend(self._included(word[1:], lists))
            else:
                sides[side].append("" if word == "{}" else word.replace("␣", " "))
        return tuple(sides[0]), tuple(sides[1])

    def keyed(self, column: str) -> list[tuple[str, str]]:
        """The pairs key=value of a cell."""
        pairs = [word.partition("=") for word in self[column].split()]
        if not all(key and equal and value for key, equal, value in pairs):
            raise self.error(f"{column} is {self[column]!r} - it must be pairs name=value, with blanks between them")
        return [(key, value) for key, _, value in pairs]

    def _included(self, name: str, lists: tuple[Lists, ...]) -> tuple[str, ...]:
        for each in lists:
            if name in each:
                return each[name]
        raise self.error(f"there is no list {name!r} before this line")


def rows(file: str, *columns: str) -> Iterator[Row]:
    """The lines of a table that has these columns; a ? after one says that its cells may be empty, and left out at the
    end of a line."""
    path = DATA / file
    lines = read_lines(path)
    number, header = next(lines, (1, ""))
    names = [column.removesuffix("?") for column in columns]
    listed = f"with tabs between: {', '.join(names)}"
    if header.split("\t") != names:
        raise UserError(f"{shown(path)}:{number}: the first line must name the columns, {listed}")
    for number, line in lines:
        where, cells = f"{shown(path)}:{number}", line.split("\t")
        if len(cells) > len(names):
            raise UserError(f"{where}: {len(cells)} cells - there must be {len(names)}, {listed}")
        cells += [""] * (len(names) - len(cells))
        for column, cell in zip(columns, cells, strict=True):
            if not cell.strip() and not column.endswith("?"):
                raise UserError(f"{where}: {column} is missing - the cells of a line are, {listed}")
            if re.fullmatch(r"(?:[^{}]|\{[^{}]*\})*", cell) is None:
                raise UserError(f"{where}: a brace without the other one in {cell!r}")
            _places.setdefault(cell, where)
        yield Row(where, dict(zip(names, cells, strict=True)))


def read_lists(file: str, *shared: Lists) -> Lists:
    """Lists of words by name."""
    lists = Lists(str(shown(DATA / file)))
    for row in rows(file, "list", "words"):
        lists[row["list"]] = row.words("words", lists, *shared)
        for word in lists[row["list"]]:
            _places.setdefault(word, row.where)
    return lists


def read_pairs(file: str, *keys: str) -> dict[tuple[str, ...], Pair]:
    """Phrasings by what they are for, which the key columns say; each stands on a line of its own."""
    found: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for row in rows(file, *keys, "splits", "text"):
        found.setdefault(tuple(row[key] for key in keys), ([], []))[row.is_kept()].append(row["text"])
    return {key: (tuple(everywhere), tuple(held_out)) for key, (everywhere, held_out) in found.items()}


def of(pairs: Mapping[tuple[str, ...], Pair], *key: str) -> Pair:
    """The phrasings of this key, of which some must be for all splits."""
    if pairs.get(key, ((), ()))[0]:
        return pairs[key]
    beside = [text for other, pair in pairs.items() if other[:-1] == key[:-1] for text in (*pair[0], *pair[1])]
    raise wrong(beside[0] if beside else "phrasings.tsv", f"no line for {', '.join(key)} is for {ALL} splits")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in the places of its {slots}."""
    try:
        return text.format_map(values)
    except (KeyError, ValueError, IndexError) as error:
        raise unknown_slot(text, error.args[0]) from None


def unknown_slot(text: str, slot: object) -> UserError:
    return wrong(text, f"there is no value for {slot} in {text!r}")


def wrong(text: str, message: str) -> UserError:
    """A mistake in the line of a data file that a text stands in."""
    return UserError(f"{_places.get(text, text)}: {message}")


def until(accept: Callable[[str], bool], make: Callable[..., str], *arguments: object) -> str:
    """The first result of make(*arguments) that is accepted."""
    for _ in range(ATTEMPTS):
        if accept(result := make(*arguments)):
            return result
    raise UserError(
        f"too few words in the lists of the data files: {ATTEMPTS} attempts gave nothing new, {result!r} at last"
    )
