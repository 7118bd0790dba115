"""The invented teams, suspects, companies, couples, ... of the event extraction sample."""

import random
import re

from samples._names import NAMES, Names
from samples._tables import read_lists, rows, unknown_slot
from samples._templates import Templates, read_recipes

LISTS = read_lists("lic2020_event_extraction/words.tsv", NAMES)
RECIPES = read_recipes("lic2020_event_extraction/recipes.tsv", NAMES | LISTS)
#: What each binding is made of, in the order in which they are drawn.
BINDINGS = {
    row["binding"]: row.words("text")[0] for row in rows("lic2020_event_extraction/bindings.tsv", "binding", "text")
}
#: What a world takes from the one it has seen, except of bindings whose values depend on each other.
SHARE_OF_OLD = 0.35
COUPLED = {"winner", "winner2", "loser", "loser2", "loser3", "cup", "score", "away", "score2"}


class World:
    """Draws the bindings of one scene at a time.

    No name of a person, team, cup or company is drawn twice, but for those of the world that it has `seen`.
    """

    def __init__(self, rng: random.Random, taken: set[str], seen: "World | None" = None):
        self.rng, self.seen = rng, seen
        self.drawn: dict[str, list[str]] = {}
        self.templates: Templates = Names(rng, taken, LISTS, RECIPES).templates

    def bindings(self, phrasing: str) -> dict[str, str]:
        """The values of all that a phrasing has in braces, which fit each other."""
        rng, wanted = (self.rng, {name.removesuffix("_short") for name in re.findall(r"\w+(?=\})", phrasing)})
        if unknown := sorted(wanted - set(BINDINGS)):
            raise unknown_slot(phrasing, unknown[0])
        values = self.templates.record("scene")
        teams = rng.random() < 0.6 or any(word in phrasing for word in LISTS["about_teams"])
        values["contestant"], values["cup_kind"] = ("team", "teams") if teams else ("new_person", "people")
        values["joined"] = rng.choice(("team", "any_company"))
        made = {
            name: self._old(name) or self.templates.fill(text, values)
            for name, text in BINDINGS.items()
            if name in wanted
        }
        for name, value in made.items():
            self.drawn.setdefault(name, []).append(value)
        return made | {f"{name}_short": short(value) for name, value in made.items()}

    def bystanders(self) -> dict[str, str]:
        """What leads, tails and backgrounds mention: of the types of arguments, but of no event."""
        return self.templates.record("bystanders")

    def _old(self, name: str) -> str | None:
        """Now and then a value that the other world drew, but of what has to fit the rest."""
        if self.seen is None or name not in self.seen.drawn or self.rng.random() >= SHARE_OF_OLD or name in COUPLED:
            return None
        return self.rng.choice(self.seen.drawn[name])


def short(name: str) -> str:
    """What a company is called for short: without its place and its legal form."""
    name = name.partition("(")[0]
    stem = next((name.removesuffix(end) for end in LISTS["legal_form"] if name.endswith(end)), name)
    return stem if stem[-1].isascii() else stem[-2:]
