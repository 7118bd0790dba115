"""The invented works, people, places and firms of the entity linking sample, and who shares a name with whom."""

import random
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from samples._linking_descriptions import DESCRIPTIONS, NOUNS
from samples._linking_phrasings import ENDINGS
from samples._names import BRAND_FIRST, BRAND_LAST, TITLE_LATIN, Names

PEOPLE = ("singer", "actor", "director", "author", "player", "scholar", "founder")
#: The kinds of works, and who makes them.
MAKERS = {"novel": ("author",), "film": ("director", "actor"), "series": ("actor",), "song": ("singer",), "game": ("firm",)}
#: Kinds of which an entity may have a namesake of the same kind; a fact in the text then tells which of them is meant.
TWINS = {"film", "song"}
#: The share of names that the knowledge base does not have, and of the others' entities that it does not have.
UNKNOWN = {"name": 0.06, "entity": 0.12}

FRUITS = (
    "柚子", "山竹", "杨梅", "枇杷", "石榴", "莲雾", "橄榄", "芭蕉", "桑葚", "樱桃", "雪梨", "金橘", "山楂", "木瓜", "青梅", "沙棘",
    "龙眼", "椰子", "板栗", "蜜柚", "银杏", "葡萄", "菠萝", "蓝莓",
)  # fmt: skip
#: Titles that stand in texts as plain words too, where nobody labels them.
WORDS = ("时间", "身份", "重逢", "夜雨", "方向", "密道", "角色", "门票", "答案", "球迷", "玩家", "雪夜")
TEAM_ANIMALS = ("海鲨", "赤豹", "银狐", "雷鸟", "山猫")
GENRES = {
    "novel": ("玄幻", "都市", "悬疑", "武侠", "言情"),
    "film": ("剧情", "喜剧", "悬疑", "动作", "爱情"),
    "series": ("古装", "谍战", "家庭", "青春", "悬疑"),
    "game": ("角色扮演", "塔防", "卡牌", "射击", "模拟经营"),
    "scholar": ("材料科学", "植物学", "古代汉语", "天体物理", "法律史"),
}


@dataclass(eq=False)
class Entity:
    """Somebody or something that texts mention by `name` or one of the `aliases`; `id` is "NIL" unless the knowledge base has it.

    `facts` are other entities and plain words; `works` are all that it has made, or the players of a team. `popularity` is how often texts
    talk about it, beside others. A `twin` has the name of another of its kind.
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
        values = {slot: value.name if isinstance(value, Entity) else value for slot, value in self.facts.items()} | {"name": names[0]}
        if self.works:
            values["works"] = "、".join(dict.fromkeys(work.name for work in self.works))
        type_name, summaries, data = DESCRIPTIONS[self.kind]
        items = [("摘要", rng.choice(summaries)), *data.items()]
        subject = f"《{names[0]}》" if self.kind in MAKERS and rng.random() < 0.1 else names[0]
        return {
            "alias": [subject] + names[1:],
            "subject_id": self.id,
            "subject": subject,
            "type": [type_name],
            "data": [
                {"predicate": predicate, "object": text.format_map(values)}
                for predicate, text in items
                if set(re.findall(r"{(\w+)}", text)) <= set(values) and (predicate not in ("标签", "义项描述") or rng.random() < 0.6)
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

    def __init__(self, seed: str, taken: set[str], ids: set[str], fruits: tuple[str, ...], words: tuple[str, ...], size: float):
        self.rng = random.Random(f"linking world {seed}")
        self.names, self.ids = Names(self.rng, taken), ids
        self.words = words
        self.known = dict.fromkeys(words, True)  # name -> whether the knowledge base has it
        self.kinds: dict[str, list[Entity]] = {kind: [] for kind in DESCRIPTIONS}
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
        facts |= {"born": str(rng.randint(1966, 1988)), "year": str(rng.randint(2000, 2019)), "count": str(rng.randint(21, 98))}
        if kind != "town":
            facts.setdefault("town", self._any("town"))
        if kind in GENRES:
            facts["genre"] = rng.choice(GENRES[kind])
        namesakes = [entity for entity in self.kinds[kind] if entity.name == name]
        entity = Entity(kind, name, "NIL", aliases, facts, popularity=rng.choice((1, 1, 5)) if name not in self.words else 5, twin=bool(namesakes))
        for namesake in namesakes:
            namesake.twin = True
        if self.known.setdefault(name, rng.random() >= UNKNOWN["name"]) and (namesakes or rng.random() >= UNKNOWN["entity"]):
            entity.id = new_id(rng, self.ids)
            for namesake in namesakes:  # or nothing in a text could tell that the unknown one of two is meant
                namesake.id = new_id(rng, self.ids) if namesake.id == "NIL" else namesake.id
        self.kinds[kind].append(entity)
        return entity

    def _any(self, kind: str) -> Entity:
        return self.rng.choice(self.kinds[kind])

    def _places(self, count: int) -> None:
        rng, new = self.rng, self.names.new
        for _ in range(count):
            place = new(self.names.place)
            town = self._add("town", place, (f"{place}市",))
            if place[-1] in "江溪川港浦":
                self._add("river", place, town=town)
            if rng.random() < 0.36:
                self._add("school", place + rng.choice(("师范大学", "理工大学", "美术学院")), town=town)
            elif f"{place[0]}大" not in self.names.taken:
                self._add("school", new(lambda: f"{place[0]}大"), (f"{place}大学",), town=town)
            if rng.random() < 0.35:
                animal = rng.choice(TEAM_ANIMALS)
                self._add("team", animal, (place + animal,), town=town)
            if rng.random() < 0.35:
                self._add("programme", rng.choice(("寻味{}", "{}味道", "{}食记", "舌尖{}")).format(place), town=town)
        for site_type in (name for ending in ENDINGS for name in ending.site_types * (1 + count // 20)):
            self._add("site", new(lambda: rng.choice(BRAND_FIRST) + rng.choice(BRAND_LAST) + site_type))

    def _people(self, count: int) -> None:
        """Names of one to three people, each of another profession."""
        for number in range(count):
            gender = self.rng.choice("mf")
            name = self.names.new(self.names.person, gender)
            professions = [PEOPLE[number % len(PEOPLE)]] + self.rng.sample(PEOPLE, self.rng.choices(range(3), (25, 40, 35))[0])
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
            self._firm(fruit, (fruit + self.rng.choice(("科技", "网络科技有限公司", "数码")),))
        for _ in range(count):
            self._firm(self.names.new(lambda: self.rng.choice(BRAND_FIRST) + self.rng.choice(BRAND_LAST) + self.rng.choice(("科技", "网络"))), ())

    def _firm(self, name: str, aliases: tuple[str, ...]) -> None:
        founder = self._least_credited("founder")
        founder.works.append(self._add("firm", name, aliases, founder=founder))

    def _least_credited(self, kind: str, other_names: Collection[str] = ()) -> Entity:
        people = [person for person in self.kinds[kind] if person.name not in other_names]
        fewest = min(len(person.works) for person in people)
        return self.rng.choice([person for person in people if len(person.works) == fewest])

    def _works(self, count: int) -> None:
        """Titles of one to four works; a work may be named after its hero, and a second film or song may have the name of the first."""
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
            return f"{pick(TITLE_LATIN)} {pick(('Story', 'Again', 'Island'))}"
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
            data = [{"predicate": "摘要", "object": f"{noun}，汉语词语，{definition}"}, {"predicate": "标签", "object": "词语"}]
            records.append({"alias": [noun], "subject_id": new_id(rng, ids), "subject": noun, "type": ["Vocabulary"], "data": data})
    return records
