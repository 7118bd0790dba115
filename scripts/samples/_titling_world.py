"""What the texts of the title generation sample are about: names put together from parts, plain words, and figures.

A slot of slots.tsv is a sequence of lists; a name of it takes one part of each. Three names in ten are kept for dev and
test: so half of the names there are new, while their parts were seen in train. Words of plain_words.tsv are no names:
everybody may use them.
"""

import random
import re
import zlib

from samples._names import NAMES
from samples._tables import read_lists, rows, unknown_slot, until
from samples._templates import Templates, read_recipes

PARTS = ("first part", "second part?", "third part?", "fourth part?", "fifth part?", "sixth part?")
LISTS = read_lists("seq2seq_titling/words.tsv", NAMES)
SLOTS: dict[str, tuple[tuple[str, ...], ...]] = {
    row["slot"]: tuple(row.words(part.rstrip("?"), LISTS, NAMES) for part in PARTS if row[part.rstrip("?")])
    for row in rows("seq2seq_titling/slots.tsv", "slot", *PARTS)
}
WORDS = read_lists("seq2seq_titling/plain_words.tsv", NAMES)
FIGURES = read_recipes("seq2seq_titling/recipes.tsv", NAMES)
#: Words of titles for what a text says with {risen}: (up, down).
CHANGES = {row["word"]: (row["up"], row["down"]) for row in rows("seq2seq_titling/changes.tsv", "word", "up", "down")}
#: Of a hundred names, so many are for dev and test only; there, they are all but a share of the names.
KEPT, SEEN = 30, 0.33


def kept(name: str) -> bool:
    """Whether only dev and test may use a name."""
    return zlib.crc32(name.encode("utf-8")) % 100 < KEPT


def entities(text: str) -> set[str]:
    """All names of slots in a text, and those inside of longer ones."""
    return {match[1] for pattern in _PATTERNS for match in pattern.finditer(text)}


def _pattern(slot: tuple[tuple[str, ...], ...]) -> re.Pattern:
    parts = ("|".join(sorted(map(re.escape, part), key=len, reverse=True)) for part in slot)
    return re.compile(f"(?=({''.join(f'(?:{part})' for part in parts)}))")


_PATTERNS = [_pattern(slot) for slot in SLOTS.values()]


class World:
    """Draws the bindings of one text at a time. A world that has `seen` another one takes the names of that or such
    that nobody has."""

    def __init__(self, rng: random.Random, seen: "World | None" = None):
        self.rng, self.seen = rng, seen
        self.figures = Templates(rng, {}, FIGURES, {}, lambda make, *values: make(*values))
        self.drawn: dict[str, list[str]] = {}

    def bindings(self, phrasing: str, taken: set[str]) -> dict[str, str]:
        """The value of every placeholder of a phrasing; none is among the taken ones, to which they are added.
        {company2} is another company."""
        rng = self.rng
        up = rng.random() < 0.6
        made = {name: wordings[not up] for name, wordings in CHANGES.items()} | {
            "risen": rng.choice(LISTS["risen" if up else "fallen"])
        }
        for name in re.findall(r"{(\w+)}", phrasing):
            if name not in made and not any(name.rstrip("2") in known for known in (WORDS, SLOTS, FIGURES)):
                raise unknown_slot(phrasing, name)
            if name not in made:
                made[name] = until(lambda value: value not in taken, self._draw, name.rstrip("2"))
                taken.add(made[name])
        return made

    def _draw(self, name: str) -> str:
        if name in WORDS:
            return self.rng.choice(WORDS[name])
        return self._name(name) if name in SLOTS else self.figures.text(name)

    def _name(self, slot: str) -> str:
        if self.seen and self.rng.random() < SEEN:
            return self.rng.choice(self.seen.drawn[slot])
        name = until(lambda each: kept(each) != (self.seen is None), lambda: "".join(map(self.rng.choice, SLOTS[slot])))
        self.drawn.setdefault(slot, []).append(name)
        return name
