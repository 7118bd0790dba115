"""The invented people, films, songs, books and companies that the relation extraction sample talks about, and what is true of them.

Sentences about the same film agree with each other, but nothing depends on that. Two worlds that share `taken` have no
name in common.
"""

import random
from dataclasses import dataclass, field

from samples._names import Names, amount, chinese_number, date

#: topic -> (predicate, subject, object): holds when a sentence about the topic has both bindings.
FACTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "film": (
        ("导演", "title", "director"),
        ("导演", "title", "auteur"),
        ("主演", "title", "auteur"),
        *(("主演", "title", f"actor{number}") for number in range(1, 5)),
        ("饰演", "actor1", "role1"),
        ("饰演", "actor2", "role2"),
        ("作者", "book", "author"),
        ("歌手", "theme", "theme_singer"),
        ("毕业院校", "director", "director_school"),
        ("毕业院校", "actor1", "actor1_school"),
        ("妻子", "actor1", "actor1_wife"),
        ("丈夫", "actor1_wife", "actor1"),
        ("丈夫", "actor1", "actor1_husband"),
        ("妻子", "actor1_husband", "actor1"),
        ("上映时间", "title", "date1"),
        ("上映时间", "title", "date2"),
        ("票房", "title", "gross1"),
        ("票房", "title", "gross2"),
        ("获奖", "actor1", "award1"),
    ),
    "person": (
        ("毕业院校", "name", "school"),
        ("妻子", "name", "wife"),
        ("丈夫", "wife", "name"),
        ("丈夫", "name", "husband"),
        ("妻子", "husband", "name"),
        ("父亲", "name", "father"),
        ("父亲", "his_son", "name"),
        ("父亲", "his_daughter", "name"),
        ("父亲", "her_son", "husband"),
        ("导演", "directed1", "name"),
        ("导演", "directed2", "name"),
        ("主演", "film1", "name"),
        ("主演", "film2", "name"),
        ("饰演", "name", "role0"),
        ("饰演", "name", "role1"),
        ("饰演", "name", "role2"),
        ("歌手", "song1", "name"),
        ("歌手", "song2", "name"),
        ("作者", "book1", "name"),
        ("作者", "book2", "name"),
        ("创始人", "company", "name"),
        ("成立日期", "company", "company_date"),
        ("获奖", "name", "award1"),
        ("获奖", "name", "award2"),
    ),
    "song": (
        ("歌手", "title", "singer"),
        ("歌手", "title", "singer1"),
        ("歌手", "title", "singer2"),
        ("歌手", "title", "singing_lyricist"),
        ("作词", "title", "singing_lyricist"),
        ("作词", "title", "lyricist"),
        ("作词", "title", "songwriter"),
        ("作曲", "title", "songwriter"),
        ("作曲", "title", "composer"),
        ("所属专辑", "title", "album"),
        ("毕业院校", "lyricist", "lyricist_school"),
        ("毕业院校", "singer", "singer_school"),
    ),
    "book": (
        ("作者", "title", "author"),
        ("作者", "title", "author1"),
        ("作者", "title", "author2"),
        ("毕业院校", "author", "author_school"),
        ("获奖", "author", "award1"),
        ("获奖", "author", "award2"),
    ),
    "company": (
        ("创始人", "name", "founder1"),
        ("创始人", "name", "founder2"),
        ("创始人", "name", "founder3"),
        ("创始人", "name", "cofounder_wife"),
        ("妻子", "founder1", "cofounder_wife"),
        ("丈夫", "cofounder_wife", "founder1"),
        ("毕业院校", "founder1", "founder1_school"),
        ("成立日期", "name", "date"),
        ("总部地点", "name", "place"),
    ),
}

#: topic -> object -> slot -> binding: the slots an object has besides @value, where the sentence has their bindings.
SLOTS: dict[str, dict[str, dict[str, str]]] = {
    "film": {
        **{f"date{number}": {"inArea": f"area{number}"} for number in (1, 2)},
        **{f"gross{number}": {"inArea": f"gross_area{number}"} for number in (1, 2)},
        **{f"role{number}": {"inWork": "title"} for number in (1, 2)},
        "award1": {"inWork": "title", "period": "period1"},
    },
    "person": {
        **{f"award{number}": {"inWork": f"work{number}", "onDate": f"year{number}", "period": f"period{number}"} for number in (1, 2)},
        **{f"role{number}": {"inWork": f"film{number}"} for number in (1, 2)},
    },
    "song": {},
    "book": {"award1": {"inWork": "title", "period": "period1"}},
    "company": {},
}

#: Bindings that may stand in several parts of a sentence; any other would say the same thing twice.
REPEATABLE = {"form", "form1", "form2", "directed_form1", "it", "screen", "job", "work_kind"}
#: Bindings that list others: {actors} becomes {actor1}、{actor2}和{actor3}. At most so many of them.
LISTS = {"actors": ("actor", 4), "actors_slashed": ("actor", 4), "singers": ("singer", 2), "authors": ("author", 2), "founders": ("founder", 3)}

FORMS = {
    "movie": ("电影", "影片", "悬疑片", "爱情电影", "科幻片", "剧情片", "喜剧电影", "动画电影"),
    "series": ("电视剧", "网剧", "古装剧", "都市剧", "悬疑剧"),
}
CHINESE_AREAS = ("内地", "中国大陆", "香港", "中国香港", "中国台湾")
AREAS = (*CHINESE_AREAS, "北美", "美国", "日本", "韩国", "英国", "法国", "泰国", "加拿大")
#: trade -> (what they are called, where they studied, the department)
TRADES = {
    "actor": (("演员", "青年演员", "实力派演员"), ("大学", "师范大学", "传媒大学", "电影学院", "戏剧学院", "艺术学院"), "表演系"),
    "director": (("导演", "青年导演"), ("大学", "传媒大学", "电影学院", "艺术学院", "戏剧学院"), "导演系"),
    "singer": (("歌手", "创作歌手"), ("音乐学院", "艺术学院", "师范大学", "传媒大学"), "声乐系"),
    "songwriter": (("音乐人",), ("音乐学院", "艺术学院", "大学"), "作曲系"),
    "writer": (("作家", "网络作家"), ("大学", "师范大学", "传媒大学"), "中文系"),
    "founder": (("企业家", "创业者"), ("大学", "理工大学", "财经大学"), "计算机系"),
}
AWARD_CATEGORIES = {
    "actor": ("最佳{}主角", "最佳{}演员", "最佳{}配角", "最佳新人奖"),
    "director": ("最佳导演", "最佳导演奖", "最佳处女作"),
    "singer": ("最佳{}歌手", "年度{}歌手", "最佳新人"),
    "songwriter": ("最佳作曲", "年度音乐人"),
    "writer": ("最佳长篇小说", "年度作家", "新锐作家奖"),
    "founder": ("年度人物", "创新人物奖"),
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
        self.names = Names(self.rng, taken)
        self.birth_years: dict[str, int] = {}
        self.people = {
            trade: [self._person(trade) for _ in range(round(count * scale))]
            for trade, count in (("actor", 100), ("director", 45), ("singer", 50), ("songwriter", 45), ("writer", 45), ("founder", 45))
        }
        makers = (("book", self._book, 45), ("song", self._song, 75), ("film", self._film, 110), ("company", self._company, 50))
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
        jobs, schools, department = TRADES[trade]
        bindings = {"name": name, "school": names.new(names.school, schools), "job": rng.choice(jobs), "department": department}
        partner = names.new(names.person, "f" if gender == "m" else "m")
        bindings["wife" if gender == "m" else "husband"] = partner
        for child in ("his_son", "his_daughter") if gender == "m" else ("her_son",):
            bindings[child] = names.new(names.relative, "f" if child == "his_daughter" else "m", name if gender == "m" else partner)
        bindings["father"] = names.new(names.relative, "m", name)
        categories = tuple(category.format("男" if gender == "m" else "女") for category in AWARD_CATEGORIES[trade])
        for number in (1, 2):
            bindings[f"award{number}"] = names.award(categories)
            period = rng.randint(2, 38)
            bindings[f"period{number}"] = chinese_number(period) if rng.random() < 0.3 else str(period)
        birth_year = rng.randint(1965, 1988)
        first_prize = birth_year + rng.randint(23, 30)
        bindings |= {"birth": date(rng, birth_year, birth_year), "graduation": f"{birth_year + 22}年"}
        bindings |= {"year1": f"{first_prize}年", "year2": f"{first_prize + rng.randint(3, 8)}年"}
        self.birth_years[name] = birth_year
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
        own = {"title": title, "form": rng.choice(FORMS[kind]), "director": director["name"], "director_school": director["school"]}
        own["it"] = rng.choice(("该剧", "这部剧") if kind == "series" else ("该片", "影片", "这部电影"))
        own["screen"] = rng.choice(("首播", "开播", "播出") if kind == "series" else ("上映", "公映"))
        own["area1"], own["area2"] = rng.sample(AREAS, 2)
        year = rng.randint(2001, 2018)
        own |= {"shooting_date": date(rng, year - 1, year - 1), "date1": date(rng, year, year), "date2": date(rng, year + 1, year + 1)}
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
            own["cinema"] = rng.choice(("院线", "各大影院"))
            own["gross_area1"], own["gross_area2"] = rng.sample(AREAS, 2)
            own["gross1"], own["gross2"] = (amount(rng, own[area] in CHINESE_AREAS) for area in ("gross_area1", "gross_area2"))
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
            self._add_work(singer, "song", own["title"], "歌曲")
        style = rng.random()
        if style < 0.25:
            own["songwriter"] = lyricist["name"]
        elif style < 0.5 and "singer" in own:
            own["singing_lyricist"], own["composer"] = singer["name"], composer["name"]
        else:
            own["lyricist"], own["lyricist_school"], own["composer"] = lyricist["name"], lyricist["school"], composer["name"]
        return Record("song", own)

    def _book(self) -> Record:
        own = {"title": self.names.new(self.names.book), "site": self.rng.choice(("起风文学网", "青简中文网", "长亭文学", "Lime小说网"))}
        author, other = (person.bindings for person in self.rng.sample(self.people["writer"], 2))
        if self.rng.random() < 0.15:
            own["author1"], own["author2"] = author["name"], other["name"]
        else:
            own["author"] = author["name"]
            own.update({"author_school": author["school"], **{key: author[key] for key in ("award1", "period1", "award2")}})
            self._add_work(author, "book", own["title"], "小说")
        return Record("book", own)

    def _company(self) -> Record:
        rng, names = self.rng, self.names
        founders = [person.bindings for person in rng.sample(self.people["founder"], rng.choice((1, 1, 1, 2, 3)))]
        place = names.new(names.place)
        year = self.birth_years[founders[0]["name"]] + rng.randint(24, 29)
        own = {"name": names.new(names.company), "place": place + rng.choice(("", "", "市", "市高新区"))}
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
        other = rng.choice(self.records["person"]).bindings["name"] if rng.random() < 0.5 else self.names.person(rng.choice("mf"))
        return {
            "other": other,
            "other_title": rng.choice(self.records[rng.choice(("film", "song", "book"))]).bindings["title"],
            "other_place": self.names.place(),
            "other_date": date(rng, 1995, 2019),
            "other_company": self.names.company(),
            "other_school": self.names.school(),
            "other_amount": amount(rng, True),
            "other_job": rng.choice(("教师", "医生", "工程师", "建筑师", "画家", "记者", "律师", "厨师")),
            "score": f"{rng.randint(52, 94) / 10}",
            "count": str(rng.randint(2, 900)),
        }
