"""The invented films, schools, phones, medicines, ... that the question answering samples talk about, and what is true
of them.

A record is a dictionary of bindings for the phrasings of its domain, made by the recipe of the domain in recipes.tsv.
Some values repeat on purpose: a director who also wrote the script, a founder who is still chairman, a place that is in
the name of the thing.
"""

import random

from common.command_line import UserError

from samples._names import NAMES, PLACE_FIRST, PLACE_LAST, Names
from samples._reading_phrasings import LISTS
from samples._tables import Lists
from samples._templates import Recipes, read_recipes

Record = dict[str, str]

RECIPES = read_recipes("lic2020_reading_comprehension/recipes.tsv", NAMES | LISTS)


class World:
    """Records by domain; `scale` 1 gives each domain 14. Two worlds that share `taken` have no name in common."""

    def __init__(
        self,
        seed: str,
        taken: set[str],
        scale: float,
        domains: list[str],
        lists: Lists = LISTS,
        recipes: Recipes = RECIPES,
    ):
        self.rng = random.Random(seed)
        self.names = Names(self.rng, taken, lists, recipes)
        self.names.templates.makers |= {
            "place_in": self._place_in, "town_of": lambda name, place: name[:2] if name[1] in PLACE_LAST else place, "other_end": self._other_end,
            "travel_time": self._travel_time, "product": lambda number, factor: str(round(int(number) * float(factor))),
            "four_months": lambda: " ".join(map(str, sorted(self.rng.sample(range(1, 13), 4)))), "part": lambda text, number: text.split()[int(number)],
        }  # fmt: skip
        self.records: dict[str, list[Record]] = {
            domain: [self._record(domain) for _ in range(round(14 * scale))] for domain in domains
        }

    def _record(self, domain: str) -> Record:
        """What a thing has not, a cable car perhaps, is an empty value and left out."""
        record = {name: value for name, value in self.names.templates.record(domain).items() if value}
        if not {"name", "query"} <= set(record):
            raise UserError(f"recipes.tsv: {domain!r} makes no name, or no query, which is the name as one types it")
        return record

    def _place_in(self, name: str) -> str:
        """The place that a name begins with, or else any."""
        return name[:2] if name[0] in PLACE_FIRST and name[1] in PLACE_LAST else self.names.place()

    def _other_end(self, begin: str) -> str:
        """A place whose name begins with another syllable."""
        return self.rng.choice([place for place in (self.names.place() for _ in range(9)) if place[0] != begin[0]])

    def _travel_time(self, length: str) -> str:
        minutes = max(24, round(int(length) / self.rng.randint(2, 4)))
        hours, rest = divmod(minutes, 60)
        return LISTS["hours_and_minutes" if hours and rest else "minutes"][0].format(
            hours=hours, rest=rest, minutes=minutes
        )

    def bystanders(self, rng: random.Random) -> Record:
        """Values of the types of answers that answer no question."""
        return self.names.bystanders("bystanders", rng)
