"""The invented people, films, songs, books and companies that the relation extraction sample talks about, and what is
true of them.

Sentences about the same film agree with each other, but nothing depends on that. Two worlds that share `taken` have no
name in common.
"""

import random
from dataclasses import dataclass, field

from samples._names import NAMES, Names, amount, date
from samples._relation_phrasings import FOLDER, LISTS
from samples._tables import fill, rows
from samples._templates import read_recipes

RECIPES = read_recipes(f"{FOLDER}/recipes.tsv", NAMES | LISTS)
#: The professions of people: how many, what they are called, where they studied what, and their prizes.
TRADES = {
    row["trade"]: row
    for row in rows(f"{FOLDER}/trades.tsv", "trade", "people", "jobs", "schools", "department", "award categories")
}


@dataclass(eq=False)
class Record:
    """A topic: its kind, and what can be said about it."""

    kind: str
    bindings: dict[str, str] = field(default_factory=dict)


class World:
    """People by trade, and records by kind."""

    def __init__(self, seed: str, taken: set[str], scale: float):
        self.rng = random.Random(seed)
        self.names = Names(self.rng, taken, LISTS, RECIPES)
        self.birth_years: dict[str, int] = {}
        self.people = {
            trade: [self._person(trade) for _ in range(round(row.number("people") * scale))]
            for trade, row in TRADES.items()
        }
        makers = (
            ("book", self._book, 45),
            ("song", self._song, 75),
            ("film", self._film, 110),
            ("company", self._company, 50),
        )
        self.records: dict[str, list[Record]] = {}
        for kind, make, count in makers:
            self.records[kind] = [make() for _ in range(round(count * scale))]
        self.records["person"] = [person for people in self.people.values() for person in people]

    def _take(self, trade: str) -> dict[str, str]:
        return self.rng.choice(self.people[trade]).bindings

    def _person(self, trade: str) -> Record:
        rng, names = self.rng, self.names
        gender = rng.choice("mf")
        name = names.new(names.person, gender)
        row = TRADES[trade]
        bindings = {
            "name": name,
            "school": names.new(names.school, row.words("schools")),
            "job": rng.choice(row.words("jobs")),
        }
        bindings["department"] = row["department"]
        partner = names.new(names.person, "f" if gender == "m" else "m")
        bindings["wife" if gender == "m" else "husband"] = partner
        for child in ("his_son", "his_daughter") if gender == "m" else ("her_son",):
            bindings[child] = names.new(
                names.relative, "f" if child == "his_daughter" else "m", name if gender == "m" else partner
            )
        bindings["father"] = names.new(names.relative, "m", name)
        categories = tuple(
            fill(text, {"gender": names.look_up("gender_word", gender)}) for text in row.words("award categories")
        )
        for number in (1, 2):
            bindings[f"award{number}"] = names.award(categories)
            bindings[f"period{number}"] = names.templates.text("period")
        bindings |= names.templates.record("person")
        self.birth_years[name] = int(bindings["born"])
        return Record("person", bindings)

    def _add_work(self, person: dict[str, str], prefix: str, title: str, work_kind: str = "", **more: str) -> None:
        """Number the work among those of the person, who can also have got a prize for it."""
        number = next((number for number in (1, 2) if f"{prefix}{number}" not in person), None)
        if number is None:
            return
        person.update({f"{prefix}{number}": title, **{f"{key}{number}": value for key, value in more.items()}})
        if work_kind and f"work{number}" not in person:
            person[f"work{number}"] = title
            person.setdefault("work_kind", work_kind)

    def _film(self) -> Record:
        rng, names = self.rng, self.names
        kind = rng.choices(("movie", "series"), (3, 1))[0]
        characters = [names.new(names.character, rng.choice("mf")) for _ in range(3)]
        title = names.new(names.title, characters[0])
        director = self._take("director")
        own = {
            "title": title,
            "form": names.draw(f"form.{kind}"),
            "director": director["name"],
            "director_school": director["school"],
        }
        own["it"] = names.draw(f"it.{kind}")
        own["screen"] = names.draw(f"screen.{kind}")
        own["area1"], own["area2"] = rng.sample(LISTS["area"], 2)
        year = rng.randint(2001, 2018)
        own |= {
            "shooting_date": date(rng, year - 1, year - 1),
            "date1": date(rng, year, year),
            "date2": date(rng, year + 1, year + 1),
        }
        actors = [person.bindings for person in rng.sample(self.people["actor"], 4)]
        if rng.random() < 0.15:
            actors[0] = director
            own["auteur"] = director["name"]
        for number, actor in enumerate(actors, 1):
            own[f"actor{number}"] = actor["name"]
        for number, actor in enumerate(actors[:2], 1):
            own[f"role{number}"] = characters[number - 1]
            self._add_work(actor, "film", title, own["form"], role=characters[number - 1], form=own["form"])
        actors[0].setdefault("role0", characters[2])
        own.update({f"actor1_{key}": actors[0][key] for key in ("school", "wife", "husband") if key in actors[0]})
        if "auteur" not in own:
            own.update({key: actors[0][key] for key in ("award1", "period1")})
        if kind != "series":
            own["cinema"] = names.draw("cinema")
            own["gross_area1"], own["gross_area2"] = rng.sample(LISTS["area"], 2)
            own["gross1"], own["gross2"] = (
                amount(rng, own[area] in LISTS["chinese_area"]) for area in ("gross_area1", "gross_area2")
            )
        if rng.random() < 0.4:
            book = rng.choice([record for record in self.records["book"] if "author" in record.bindings]).bindings
            own["book"], own["author"] = book["title"], book["author"]
        if rng.random() < 0.5:
            own["theme"], own["theme_singer"] = names.new(names.song), self._take("singer")["name"]
        self._add_work(director, "directed", title, own["form"], directed_form=own["form"])
        return Record("film", own)

    def _song(self) -> Record:
        rng, names = self.rng, self.names
        own = {"title": names.new(names.song), "album": names.new(names.album)}
        singer, other = (person.bindings for person in rng.sample(self.people["singer"], 2))
        lyricist, composer = (person.bindings for person in rng.sample(self.people["songwriter"], 2))
        if rng.random() < 0.2:
            own["singer1"], own["singer2"] = singer["name"], other["name"]
        else:
            own["singer"], own["singer_school"] = singer["name"], singer["school"]
            self._add_work(singer, "song", own["title"], LISTS["work_kind.song"][0])
        style = rng.random()
        if style < 0.25:
            own["songwriter"] = lyricist["name"]
        elif style < 0.5 and "singer" in own:
            own["singing_lyricist"], own["composer"] = singer["name"], composer["name"]
        else:
            own["lyricist"], own["lyricist_school"], own["composer"] = (
                lyricist["name"],
                lyricist["school"],
                composer["name"],
            )
        return Record("song", own)

    def _book(self) -> Record:
        own = {"title": self.names.new(self.names.book), "site": self.names.draw("site")}
        author, other = (person.bindings for person in self.rng.sample(self.people["writer"], 2))
        if self.rng.random() < 0.15:
            own["author1"], own["author2"] = author["name"], other["name"]
        else:
            own["author"] = author["name"]
            own.update(
                {"author_school": author["school"], **{key: author[key] for key in ("award1", "period1", "award2")}}
            )
            self._add_work(author, "book", own["title"], LISTS["work_kind.book"][0])
        return Record("book", own)

    def _company(self) -> Record:
        rng, names = self.rng, self.names
        founders = [person.bindings for person in rng.sample(self.people["founder"], rng.choice((1, 1, 1, 2, 3)))]
        place = names.new(names.place)
        year = self.birth_years[founders[0]["name"]] + rng.randint(24, 29)
        own = {"name": names.new(names.company), "place": place + names.draw("place_end")}
        own |= {"date": date(rng, year, year), "funding_date": date(rng, year + 1, 2019)}
        for number, founder in enumerate(founders, 1):
            own[f"founder{number}"] = founder["name"]
        own["founder1_school"] = founders[0]["school"]
        if "wife" in founders[0] and len(founders) == 1:
            own["cofounder_wife"] = founders[0]["wife"]
        founders[0].update(company=own["name"], company_date=own["date"])
        return Record("company", own)

    def bystanders(self, rng: random.Random) -> dict[str, str]:
        """Bindings that stand in no relation, of the types of those that do."""
        other = (
            rng.choice(self.records["person"]).bindings["name"]
            if rng.random() < 0.5
            else self.names.person(rng.choice("mf"))
        )
        other_title = rng.choice(self.records[rng.choice(("film", "song", "book"))]).bindings["title"]
        return {"other": other, "other_title": other_title} | self.names.bystanders("bystanders", rng)
