"""The invented works, people, places and firms of the entity linking sample, and who shares a name with whom."""

import random
from collections.abc import Collection
from dataclasses import dataclass, field

from samples._linking_phrasings import ENDINGS, FOLDER, KINDS, LISTS, NOUNS
from samples._names import JOINT, NAMES, Names
from samples._tables import fill
from samples._templates import placeholders, read_recipes

RECIPES = read_recipes(f"{FOLDER}/recipes.tsv", NAMES | LISTS)
PEOPLE = ("singer", "actor", "director", "author", "player", "scholar", "founder")
#: The kinds of works, and who makes them.
MAKERS = {name: kind.makers for name, kind in KINDS.items() if kind.makers}
#: Kinds of which an entity may have a namesake of the same kind; a fact in the text then tells which of them is meant.
TWINS = {"film", "song"}
#: The share of names that the knowledge base does not have, and of the others' entities that it does not have.
UNKNOWN = {"name": 0.06, "entity": 0.12}

#: Titles that stand in texts as plain words too, where nobody labels them; and the fruits that firms are named after.
WORDS, FRUITS = (LISTS[name] + LISTS[f"kept_{name}"] for name in ("word_title", "fruit"))


@dataclass(eq=False)
class Entity:
    """Somebody or something that texts mention by `name` or one of the `aliases`; `id` is "NIL" unless the knowledge
    base has it.

    `facts` are other entities and plain words; `works` are all that it has made, or the players of a team. `popularity`
    is how often texts talk about it, beside others. A `twin` has the name of another of its kind.
    """

    kind: str
    name: str
    id: str = "NIL"
    aliases: tuple[str, ...] = ()
    facts: "dict[str, Entity | str]" = field(default_factory=dict)
    works: "list[Entity]" = field(default_factory=list)
    popularity: int = 1
    twin: bool = False

    def record(self, rng: random.Random) -> dict:
        """The line of kb_data. Its subject is the first alias if there is one, as a firm's full name is."""
        names = [*self.aliases, self.name]
        values = {slot: value.name if isinstance(value, Entity) else value for slot, value in self.facts.items()} | {
            "name": names[0]
        }
        if self.works:
            values["works"] = JOINT.join(dict.fromkeys(work.name for work in self.works))
        kind = KINDS[self.kind]
        items = [(LISTS["summary"][0], rng.choice(kind.summaries)), *kind.data.items()]
        subject = names[0].join(NAMES["title_mark"]) if self.kind in MAKERS and rng.random() < 0.1 else names[0]
        return {
            "alias": [subject] + names[1:],
            "subject_id": self.id,
            "subject": subject,
            "type": [kind.type],
            "data": [
                {"predicate": predicate, "object": fill(text, values)}
                for predicate, text in items
                if placeholders(text) <= set(values)
                and (predicate not in LISTS["optional_predicate"] or rng.random() < 0.6)
            ],
        }


def new_id(rng: random.Random, ids: set[str]) -> str:
    """One that is not among the ids; they say nothing about what they belong to."""
    while (number := str(rng.randint(10000, 399999))) in ids:
        pass
    ids.add(number)
    return number


class World:
    """Entities by kind; no name of one world occurs in another with which it shares `taken` and `ids`."""

    def __init__(
        self, seed: str, taken: set[str], ids: set[str], fruits: tuple[str, ...], words: tuple[str, ...], size: float
    ):
        self.rng = random.Random(f"linking world {seed}")
        self.names, self.ids = Names(self.rng, taken, LISTS, RECIPES), ids
        self.words = words
        self.known = dict.fromkeys(words, True)  # name -> whether the knowledge base has it
        self.kinds: dict[str, list[Entity]] = {kind: [] for kind in KINDS}
        self._places(round(30 * size))
        self._people(round(72 * size))
        self._firms(round(8 * size), fruits)
        self._works(round(76 * size))
        for kind in PEOPLE:
            for person in self.kinds[kind]:
                person.facts |= {work.kind: work for work in person.works}  # the last one of each kind
        self.entities = [entity for entities in self.kinds.values() for entity in entities]

    def _add(self, kind: str, name: str, aliases: tuple[str, ...] = (), **facts: Entity | str) -> Entity:
        rng = self.rng
        facts |= {
            "born": str(rng.randint(1966, 1988)),
            "year": str(rng.randint(2000, 2019)),
            "count": str(rng.randint(21, 98)),
        }
        if kind != "town":
            facts.setdefault("town", self._any("town"))
        if KINDS[kind].genres:
            facts["genre"] = rng.choice(KINDS[kind].genres)
        namesakes = [entity for entity in self.kinds[kind] if entity.name == name]
        entity = Entity(
            kind,
            name,
            "NIL",
            aliases,
            facts,
            popularity=rng.choice((1, 1, 5)) if name not in self.words else 5,
            twin=bool(namesakes),
        )
        for namesake in namesakes:
            namesake.twin = True
        if self.known.setdefault(name, rng.random() >= UNKNOWN["name"]) and (
            namesakes or rng.random() >= UNKNOWN["entity"]
        ):
            entity.id = new_id(rng, self.ids)
            for namesake in namesakes:  # or nothing in a text could tell that the unknown one of two is meant
                namesake.id = new_id(rng, self.ids) if namesake.id == "NIL" else namesake.id
        self.kinds[kind].append(entity)
        return entity

    def _text(self, recipe: str, **values: str) -> str:
        return self.names.templates.text(recipe, values)

    def _any(self, kind: str) -> Entity:
        return self.rng.choice(self.kinds[kind])

    def _places(self, count: int) -> None:
        rng, new = self.rng, self.names.new
        for _ in range(count):
            place = new(self.names.place)
            town = self._add("town", place, (self._text("town_alias", place=place),))
            if place[-1] in LISTS["river_end"]:
                self._add("river", place, town=town)
            if rng.random() < 0.36:
                self._add("school", self._text("school_of_town", place=place), town=town)
            elif (school := self._text("short_school", initial=place[0])) not in self.names.taken:
                self._add(
                    "school", new(lambda name: name, school), (self._text("long_school", place=place),), town=town
                )
            if rng.random() < 0.35:
                animal = self.names.draw("animal")
                self._add("team", animal, (place + animal,), town=town)
            if rng.random() < 0.35:
                self._add("programme", self._text("programme", place=place), town=town)
        for site_type in (name for ending in ENDINGS for name in ending.site_types * (1 + count // 20)):
            self._add("site", self._text("site", type=site_type))

    def _people(self, count: int) -> None:
        """Names of one to three people, each of another profession."""
        for number in range(count):
            gender = self.rng.choice("mf")
            name = self.names.new(self.names.person, gender)
            professions = [PEOPLE[number % len(PEOPLE)]] + self.rng.sample(
                PEOPLE, self.rng.choices(range(3), (25, 40, 35))[0]
            )
            for kind in dict.fromkeys(professions):
                person = self._add(kind, name)
                if kind == "scholar":
                    person.facts["school"] = self._any("school")
                if kind == "player":
                    team = person.facts["team"] = self._any("team")
                    team.works.append(person)

    def _firms(self, count: int, fruits: tuple[str, ...]) -> None:
        for fruit in fruits:
            self._add("fruit", fruit)
            self._firm(fruit, (self._text("fruit_firm", fruit=fruit),))
        for _ in range(count):
            self._firm(self._text("firm"), ())

    def _firm(self, name: str, aliases: tuple[str, ...]) -> None:
        founder = self._least_credited("founder")
        founder.works.append(self._add("firm", name, aliases, founder=founder))

    def _least_credited(self, kind: str, other_names: Collection[str] = ()) -> Entity:
        people = [person for person in self.kinds[kind] if person.name not in other_names]
        fewest = min(len(person.works) for person in people)
        return self.rng.choice([person for person in people if len(person.works) == fewest])

    def _works(self, count: int) -> None:
        """Titles of one to four works; a work may be named after its hero, and a second film or song may have the name
        of the first."""
        rng = self.rng
        for number in range(count):
            is_word, hero = number < len(self.words), rng.random() < 0.28
            if is_word:
                title, hero = self.words[number], False
            else:
                title = self.names.new(self.names.person, rng.choice("mf")) if hero else self.names.new(self._title)
            kinds = rng.sample(list(MAKERS), 3 if is_word else rng.choices((1, 2, 3, 4), (15, 35, 32, 18))[0])
            if hero and "series" not in kinds:
                kinds.append("series")
            for kind in kinds:
                self._work(kind, title, hero)
                if kind in TWINS and rng.random() < 0.22:
                    self._work(kind, title, False)

    def _title(self) -> str:
        pick, names = self.rng.choice, self.names
        if self.rng.random() < 0.14:
            return self._text("latin_title")
        return pick((lambda: names.title(names.character(pick("mf"))), names.book, names.song, names.album))()

    def _work(self, kind: str, title: str, hero: bool) -> None:
        makers: dict[str, Entity] = {}
        for maker in MAKERS[kind]:
            makers[maker] = self._least_credited(maker, {person.name for person in makers.values()})
        work = self._add(kind, title, **makers)
        for maker in makers.values():
            maker.works.append(work)
        if kind == "series" and (hero or self.rng.random() < 0.5):
            name = title if hero else self.names.new(self.names.character, self.rng.choice("mf"))
            work.facts["role"] = self._add("role", name, series=work, actor=makers["actor"])


def noun_records(rng: random.Random, ids: set[str]) -> list[dict]:
    """The lines of kb_data for the common nouns."""
    records = []
    for nouns in NOUNS.values():
        for noun, definition in nouns.items():
            summary = fill(LISTS["noun_summary"][0], {"noun": noun, "definition": definition})
            data = [
                {"predicate": LISTS["summary"][0], "object": summary},
                dict(zip(("predicate", "object"), LISTS["noun_label"])),
            ]
            records.append(
                {"alias": [noun], "subject_id": new_id(rng, ids), "subject": noun, "type": ["Vocabulary"], "data": data}
            )
    return records
