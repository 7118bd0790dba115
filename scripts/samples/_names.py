"""Invented names, dates and amounts. They are put together from the parts in data/names.tsv, so that there are
thousands of them and a model has to learn where names stand, not which there are."""

import random

from samples._tables import Lists, read_lists, rows, until, wrong
from samples._templates import Recipes, Templates, read_recipes

NAMES = read_lists("names.tsv")
RECIPES = read_recipes("recipes.tsv", NAMES)
#: How a name is made whose kind is drawn by chance: (all below, template), with rising chances.
BY_CHANCE: dict[str, list[tuple[float, str]]] = {}
for _row in rows("by_chance.tsv", "name", "below", "text"):
    _chances = BY_CHANCE.setdefault(_row["name"], [])
    if _chances and _chances[-1][0] >= _row.number("below"):
        raise _row.error("below must rise from one line of a name to the next, up to 1")
    _chances.append((_row.number("below"), _row["text"]))
for _name, _chances in BY_CHANCE.items():
    if _chances[-1][0] != 1:
        raise wrong(_chances[-1][1], f"the last line of {_name!r} must be below 1")

# What scripts/knowledge_base_steps.py puts names together from: strings of syllables, and lists.
SURNAMES, PLACE_FIRST, PLACE_LAST, BRAND_FIRST, BRAND_LAST = (
    "".join(NAMES[name]) for name in ("surname", "place_first", "place_last", "brand_first", "brand_last")
)
TITLE_FIRST, TITLE_LAST, SONG_FIRST, SONG_LAST = (
    NAMES[name] for name in ("title_first", "title_last", "song_first", "song_last")
)
ALBUM_FIRST, ALBUM_LAST, BOOK_FIRST, BOOK_LAST = (
    NAMES[name] for name in ("album_first", "album_last", "book_first", "book_last")
)
DIGITS = "".join(NAMES["digit"])
#: Between the parts of a list.
(JOINT,) = NAMES["joint"]


class Names:
    """Draws names that were not drawn before; `taken` is shared where two sets of names must not meet.

    `templates` fill texts with such names, and with the lists and recipes of a contest.
    """

    def __init__(self, rng: random.Random, taken: set[str], lists: Lists | None = None, recipes: Recipes | None = None):
        self.rng, self.taken = rng, taken
        self.templates = Templates(rng, NAMES | (lists or {}), RECIPES | (recipes or {}), {
            "person": self.person, "character": self.character, "title": self.title, "place": self.place, "company": self.company, "school": self.school,
            "song": self.song, "album": self.album, "book": self.book, "someone": self.someone, "date": self.date,
            "chinese": lambda number: chinese_number(int(number)), "sample": self.sample, "cut": cut,
            "new_person": self.new_person, "places": self.places, "people": lambda count: JOINT.join(self.new_person() for _ in range(int(count))),
            "new_person_of": lambda gender: self.new(self.person, gender), "two_digits": lambda number: number.zfill(2),
            "text_of": lambda name: self.templates.fill(f"{{{name}}}", {}), "look_up": self.look_up, "word_of": lambda name, key: self.draw(f"{name}.{key}"),
        }, self.new)  # fmt: skip

    def new(self, make, *arguments) -> str:
        """The first result of make(*arguments) that is not taken."""
        name = until(lambda each: each not in self.taken, make, *arguments)
        self.taken.add(name)
        return name

    def draw(self, name: str) -> str:
        """A word of a list."""
        return self.rng.choice(self.templates.lists[name])

    def _by_chance(self, kind: str, **values: str) -> str:
        chance = self.rng.random()
        return self.templates.fill(next(text for below, text in BY_CHANCE[kind] if chance < below), values)

    def person(self, gender: str, surname: str = "") -> str:
        draw, chance = self.draw, self.rng.random()
        if not surname and chance < 0.06:
            return f"{draw(f'foreign_first_{gender}')}·{draw('foreign_last')}"
        if not surname and chance < 0.10:
            return draw(f"stage_first_{gender}") + draw("surname")
        surname = surname or draw("double_surname" if chance < 0.15 else "surname")
        if self.rng.random() < 0.2:
            return surname + draw(f"given_whole_{gender}")
        return surname + draw(f"given_first_{gender}") + draw(f"given_second_{gender}")

    def someone(self) -> str:
        return self.person(self.rng.choice("mf"))

    def new_person(self) -> str:
        return self.new(self.person, self.rng.choice("mf"))

    def relative(self, gender: str, person: str) -> str:
        """Somebody with the surname of a person."""
        if "·" in person:
            return f"{self.draw(f'foreign_first_{gender}')}·{person.partition('·')[2]}"
        stage_name = person[0].isascii()
        return self.person(
            gender, person[-1] if stage_name else person[:2] if person[:2] in NAMES["double_surname"] else person[0]
        )

    def character(self, gender: str) -> str:
        return self._by_chance("character", gender=gender)

    def place(self) -> str:
        return self.draw("place_first") + self.draw("place_last")

    def school(self, types: tuple[str, ...] = NAMES["school_kind"]) -> str:
        return self.place() + self.rng.choice(types)

    def company(self) -> str:
        draw, chance = self.draw, self.rng.random()
        if chance < 0.25:
            return draw("brand_latin") + draw("brand_suffix")
        brand, kind = draw("brand_first") + draw("brand_last"), draw("company_type")
        return (self.place() if kind.endswith(NAMES["limited"]) and chance < 0.7 else "") + brand + kind

    def title(self, character: str) -> str:
        """Of a film or a series; sometimes with the name of its character, of a place, with digits or in Latin
        letters."""
        return self._by_chance("title", character=character)

    def song(self) -> str:
        return self._by_chance("song")

    def album(self) -> str:
        return self._by_chance("album")

    def book(self) -> str:
        return self._by_chance("book")

    def award(self, categories: tuple[str, ...]) -> str:
        if self.rng.random() < 0.2:
            prize = self.templates.one_of(NAMES["award_festival"], {})
        else:
            prize = self.draw("award")
        return prize + self.rng.choice(categories)

    def date(self, first_year: str, last_year: str) -> str:
        return date(self.rng, int(first_year), int(last_year))

    def places(self, count: str) -> str:
        """So many different ones."""
        places: set[str] = set()
        while len(places) < int(count):
            places.add(self.place())
        return JOINT.join(self.rng.sample(sorted(places), int(count)))

    def look_up(self, name: str, key: str) -> str:
        """What stands in the list `name.key`, which has a single text, filled in."""
        (text,) = self.templates.lists[f"{name}.{key}"]
        return self.templates.fill(text, {})

    def bystanders(self, recipe: str, rng: random.Random) -> dict[str, str]:
        """A record that is drawn with another generator, but for its names, which are drawn with this one's."""
        own = self.templates
        makers = own.makers | {
            "someone": lambda: self.person(rng.choice("mf")),
            "date": lambda *years: date(rng, *map(int, years)),
        }
        return Templates(rng, own.lists, own.recipes, makers, self.new).record(recipe)

    def sample(self, name: str, count: str, joint: str = "") -> str:
        return joint.join(self.rng.sample(self.templates.lists[name], int(count)))


def cut(text: str, start: str, end: str = "") -> str:
    return text[int(start) : int(end) if end else None]


def chinese_number(number: int) -> str:
    """1 to 99."""
    tens, ones = divmod(number, 10)
    ten = NAMES["ten"][0]
    return ("" if tens == 0 else ten if tens == 1 else DIGITS[tens] + ten) + (DIGITS[ones] if ones else "")


def date(rng: random.Random, first_year: int, last_year: int) -> str:
    year, month, day = (rng.randint(first_year, last_year), rng.randint(1, 12), rng.randint(1, 28))
    values = {
        "year": year,
        "month": month,
        "day": day,
        "month_": f"{month:02}",
        "day_": f"{day:02}",
        "chinese_month": chinese_number(month),
    }
    values["chinese_year"] = "".join(NAMES["year_digit"][int(digit)] for digit in str(year))
    # A date that two styles write alike has the weight of the last one.
    styles = {
        style.format_map(values): weight
        for style, weight in zip(NAMES["date_style"], (8, 4, 3, 1, 1, 1, 1), strict=True)
    }
    return rng.choices(list(styles), list(styles.values()))[0]


def amount(rng: random.Random, in_yuan: bool) -> str:
    templates = Templates(rng, NAMES, RECIPES, {}, lambda: "")
    abroad = not in_yuan and rng.random() < 0.7
    return templates.text("amount_abroad" if abroad else "amount_in_yuan")
