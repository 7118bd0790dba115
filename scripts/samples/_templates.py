"""Fills the {slots} of the texts in the data files, by rules that all generators share.

    {place}         the value of this name; or a word of the list of this name, or what a maker or a recipe of this name makes
    {date(year)}    what a maker or a recipe makes of slots, numbers, marks and @names of lists; a recipe knows them as one, two, ...
    {3..90}         a number from 3 to 90; {500..900/50} in steps of 50; {00..55/5} with two digits; {1.1..9.9} with a decimal,
                    and {1.1..9.9~} without the 0 of 3.0; the ends may be values
    {year+3..8}     a sum or difference of values, numbers and ranges
    {a|b|}          one of these words, here a, b or none
    {30%:a|b}       the slot {a} with a chance of 30 in 100, or else {b}

A word of a list is chosen before its slots are filled. Of the texts of a recipe all are filled before one is chosen.
That order is part of the sample: the random draws follow it.
"""

import inspect
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from common.command_line import UserError

from samples._tables import Lists, rows, unknown_slot

#: Name -> value; or the texts of a step that is made again wherever it is mentioned.
Values = Mapping[str, str | tuple[str, ...]]

#: Letters and digits in full width.
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if chr(code).isalnum()}

_RANGE = re.compile(r"([\w.]+?)\.\.([\w.]+)(?:/(\d+))?(~?)")


@dataclass(frozen=True)
class Step:
    """One value of a recipe. `how`: "once", in the order of the steps; "new", until it is a new name; "each", again
    wherever it is mentioned."""

    name: str
    how: str
    texts: tuple[str, ...]


Recipes = dict[str, list[Step]]


def read_recipes(file: str, lists: Lists) -> Recipes:
    """What something is made of, step by step."""
    recipes: Recipes = {}
    for row in rows(file, "of", "name", "how", "texts"):
        if row["how"] not in ("once", "new", "each"):
            raise row.error(f"how is {row['how']!r} - it must be once, new or each")
        recipes.setdefault(row["of"], []).append(Step(row["name"], row["how"], row.words("texts", lists)))
    return recipes


def placeholders(text: str) -> set[str]:
    """The names of its slots."""
    return set(re.findall(r"{(\w+)}", text))


class Templates:
    """`makers` make values of texts; `new` calls a maker until it gives something new."""

    def __init__(
        self,
        rng: random.Random,
        lists: Lists,
        recipes: Recipes,
        makers: dict[str, Callable[..., str]],
        new: Callable[..., str],
    ):
        self.rng, self.lists, self.recipes, self.makers, self.new = rng, lists, recipes, makers, new

    def record(self, recipe: str, values: Values = MappingProxyType({})) -> dict[str, str]:
        """The values of all steps of a recipe, with those that were there before."""
        values = dict(values)
        if recipe not in self.recipes:
            raise UserError(f"recipes.tsv: there is nothing to make {recipe!r} of")
        for step in self.recipes[recipe]:
            if step.how == "once":
                values[step.name] = self.one_of(step.texts, values)
            elif step.how == "new":
                values[step.name] = self.new(self.one_of, step.texts, values)
            else:
                values[step.name] = step.texts
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def text(self, recipe: str, values: Values = MappingProxyType({})) -> str:
        """The value that a recipe calls text."""
        record = self.record(recipe, values)
        if "text" not in record:
            raise UserError(f"recipes.tsv: {recipe!r} makes no text - one of its lines must be named so")
        return record["text"]

    def one_of(self, texts: Sequence[str], values: Values) -> str:
        """One of the texts, of which all were filled."""
        filled = [self.fill(text, values) for text in texts]
        return filled[0] if len(filled) == 1 else self.rng.choice(filled)

    def fill(self, text: str, values: Values) -> str:
        if "{" not in text:
            return text
        try:
            return re.sub(r"\{([^{}]*)\}", lambda slot: self._slot(slot[1], values), text)
        except KeyError as error:
            raise unknown_slot(text, error.args[0]) from None

    def _slot(self, slot: str, values: Values) -> str:
        if not slot:
            return ""
        if slot in values:
            return values[slot] if isinstance(values[slot], str) else self.one_of(values[slot], values)
        if slot in self.lists:
            return self.fill(self.rng.choice(self.lists[slot]), values)
        if chance := re.fullmatch(r"(\d+)%:([^|]*)\|([^|]*)", slot):
            return self._slot(chance[2] if self.rng.random() < int(chance[1]) / 100 else chance[3], values)
        if "|" in slot:
            return self.rng.choice(slot.split("|"))
        if (call := re.fullmatch(r"(\w+)(?:\((.*)\))?", slot)) and (call[1] in self.makers or call[1] in self.recipes):
            return self._make(call[1], [self._argument(each, values) for each in call[2].split(",")] if call[2] else [])
        if found := _RANGE.fullmatch(slot):
            return self._number(*found.groups(), values)
        if terms := re.fullmatch(r"(\w+)([+-])([\w.]+)", slot):
            first, second = (int(term if term.isdigit() else self._slot(term, values)) for term in (terms[1], terms[3]))
            return str(first + second if terms[2] == "+" else first - second)
        raise KeyError(slot)

    def _argument(self, argument: str, values: Values) -> str:
        if argument.startswith("@"):
            return argument[1:]
        plain = not re.search(r"[A-Za-z]|\.\.", argument)  # a number or a mark
        return argument if plain else self._slot(argument, values)

    def _make(self, name: str, arguments: list[str]) -> str:
        if name not in self.makers:
            return self.text(name, dict(zip(("one", "two", "three"), arguments)))
        try:
            inspect.signature(self.makers[name]).bind(*arguments)
        except TypeError:  # too many or too few
            raise KeyError(f"{name}({','.join(arguments)})") from None
        return self.makers[name](*arguments)

    def _number(self, low: str, high: str, step: str | None, short: str, values: Values) -> str:
        low, high = values.get(low, low), values.get(high, high)
        digits = len(low.partition(".")[2])
        if not low.replace(".", "").isdigit() or not high.replace(".", "").isdigit():
            raise KeyError(f"{low}..{high}")
        number = self.rng.randrange(int(low.replace(".", "")), int(high.replace(".", "")) + 1, int(step or 1))
        if digits:
            return f"{number / 10**digits:g}" if short else str(number / 10**digits)
        return str(number).zfill(len(low)) if low.startswith("0") else str(number)
