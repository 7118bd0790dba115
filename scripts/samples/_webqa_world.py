"""What the WebQA sample talks about besides the topics of the reading comprehension sample, and how else an answer may be written."""

import random
import re

from samples._names import AWARDS, PLACE_FIRST, chinese_number, date
from samples._reading_world import Record, World

NOVEL_FORMS = ("长篇小说", "历史小说", "推理小说", "武侠小说", "科幻小说")
SONG_FORMS = ("民谣", "抒情歌曲", "摇滚歌曲", "校园歌曲", "古风歌曲")
BIRDS = ("雪雀", "翠鸟", "山鹑", "苇莺", "鸥", "啄木鸟", "画眉", "鹭")
BIRD_MARKS = ("蓝尾", "白额", "褐胸", "红嘴", "黑冠", "斑翅", "黄腹", "灰颈", "栗背", "长脚")
FOODS = ("草籽", "小鱼", "浆果", "昆虫", "松子", "虾", "蜗牛", "嫩芽", "蚯蚓", "花蜜", "水草", "蛙")
HABITATS = ("针叶林", "高山草甸", "芦苇荡", "竹林", "红树林", "河谷灌丛", "湖心岛", "阔叶林", "农田边", "海边礁石", "沼泽地", "岩壁")
TEAM_LAST = ("海豚", "雷霆", "山猫", "猎鹰", "飞鱼", "蓝鲸", "火狐", "麋鹿")
COLOURS = ("红色", "白色", "蓝色", "黄色", "黑色", "绿色", "橙色", "紫色")
RIVER_FORMS = ("山区河流", "跨省河流", "平原河流", "季节性河流")

#: The facts whose answer has several parts.
LISTS = {"singers", "settings", "towns", "food", "kit"}
#: Units, each with others that say the same after a number.
UNITS = {
    "公里": ("千米", "km"), "亿元": ("亿",), "亿": ("亿元",), "万元": ("万",), "万": ("万元",), "克": ("g",), "平方公里": ("平方千米",), "万人": ("万名",),
    "元/年": ("元",), "元/人": ("元",),
}  # fmt: skip
_COUNTED = re.compile("([一二三四五六七八九十]+)([卷座枚次])")
_DAY = re.compile(r"(\d{4})年0?(\d+)月0?(\d+)日")


class WebWorld(World):
    """Records by domain, of the reading comprehension sample and of this one; `scale` 1 gives each domain 14."""

    def __init__(self, seed: str, taken: set[str], scale: float):
        super().__init__(seed, taken, scale)
        makers = {"novel": self._novel, "song": self._song, "river": self._river, "bird": self._bird, "team": self._team}
        self.records |= {domain: [make() for _ in range(round(14 * scale))] for domain, make in makers.items()}

    def _places(self, count: int) -> list[str]:
        places: set[str] = set()
        while len(places) < count:
            places.add(self.names.place())
        return self.rng.sample(sorted(places), count)

    def _novel(self) -> Record:
        rng, names = self.rng, self.names
        title = names.new(names.book)
        year = rng.randint(1921, 2015)
        return {
            "name": f"《{title}》", "query": title, "form": rng.choice(NOVEL_FORMS), "author": self._someone(), "published": f"{year}年",
            "volumes": f"{chinese_number(rng.randint(3, 12))}卷", "hero": names.new(names.character, rng.choice("mf")),
            "settings": "、".join(self._places(2)), "award": rng.choice(AWARDS), "translator": self._someone(),
        }  # fmt: skip

    def _song(self) -> Record:
        rng, names = self.rng, self.names
        title = names.new(names.song)
        singers = [self._someone() for _ in range(rng.choice((1, 2, 2)))]
        return {
            "name": f"《{title}》", "query": title, "form": rng.choice(SONG_FORMS), "singers": "、".join(singers), "lyricist": self._someone(),
            "composer": self._someone(), "album": f"《{names.new(names.album)}》", "issued": date(rng, 1996, 2019),
            "length": f"{rng.randint(2, 5)}分{rng.randint(10, 59)}秒",
        }  # fmt: skip

    def _river(self) -> Record:
        rng, names = self.rng, self.names
        source, mouth = names.place(), names.place()
        name = names.new(lambda: names.place()[0] + rng.choice(PLACE_FIRST) + rng.choice("河江溪"))
        return {
            "name": name, "query": name, "form": rng.choice(RIVER_FORMS), "length": f"{rng.randint(41, 980)}公里",
            "source": f"{source[0]}{rng.choice('云龙石')}山", "mouth": f"{mouth[0]}{rng.choice('月平镜')}湖",
            "towns": "、".join(self._places(rng.choice((2, 3)))), "bridges": f"{chinese_number(rng.randint(3, 29))}座",
            "basin": f"{rng.randint(120, 9900)}平方公里", "nickname": f"{rng.choice('古沧清玉浊')}{name[1]}水",
        }  # fmt: skip

    def _bird(self) -> Record:
        rng, names = self.rng, self.names
        name = names.new(lambda: rng.choice((*PLACE_FIRST, "")) + rng.choice(BIRD_MARKS) + rng.choice(BIRDS))
        return {
            "name": name, "query": name, "form": rng.choice(("留鸟", "候鸟", "旅鸟")), "eggs": f"{chinese_number(rng.randint(3, 11))}枚",
            "food": "、".join(rng.sample(FOODS, rng.choice((2, 2, 3)))), "habitat": rng.choice(HABITATS), "weight": f"{rng.randint(9, 980)}克",
            "lifespan": f"{rng.randint(3, 29)}年", "finder": self._someone(), "found": f"{rng.randint(1831, 1989)}年",
            "hatching": f"{rng.randint(11, 29)}天",
        }  # fmt: skip

    def _team(self) -> Record:
        rng, names = self.rng, self.names
        place = names.place()
        name = names.new(lambda: f"{names.place()}{rng.choice(TEAM_LAST)}队")
        return {
            "name": name, "query": name, "form": rng.choice(("足球队", "篮球队", "排球队", "冰球队")), "coach": self._someone(),
            "captain": self._someone(), "ground": f"{place}{rng.choice(('体育馆', '体育中心', '体育场'))}", "kit": "、".join(rng.sample(COLOURS, 2)),
            "titles": f"{chinese_number(rng.randint(3, 11))}次", "founded": f"{rng.randint(1951, 2012)}年",
            "mascot": rng.choice("小阿") + rng.choice("豆雀麦铃橘墨跳圆甜壮飞闪笑乐朵卷"),
        }  # fmt: skip


def spellings(key: str, value: str) -> tuple[str, ...]:
    """All that is right in place of the value of a fact: its usual spelling first, each once."""
    if key == "motto":
        halves = re.split("[ ，]", value)
        return tuple(dict.fromkeys((value, *(separator.join(halves) for separator in (" ", "，", "")))))
    if key in LISTS:
        first, *rest = value.split("、")
        if not rest:
            return (value,)
        return value, "、".join((first, *rest[:-1])) + "和" + rest[-1], "、".join((rest[0], first, *rest[1:])), " ".join((first, *rest))
    value = value.strip("《》")
    others: list[str] = []
    if "·" in value:
        others.append(value.partition("·")[2])
    if counted := _COUNTED.fullmatch(value):
        others.append(f"{_number(counted[1])}{counted[2]}")
    if day := _DAY.fullmatch(value):
        year, month, number = day.groups()
        others += [f"{year}年{month}月{number}日", f"{year}.{month}.{number}", f"{year}-{month:0>2}-{number:0>2}"]
    if measured := re.fullmatch(r"([\d.]+)(\D+)", value):
        others += [measured[1] + unit for unit in UNITS.get(measured[2], ())]
    if re.fullmatch("..[市县府]", value):
        others.append(value[:2])
    return tuple(dict.fromkeys((value, *others)))


def _number(text: str) -> int:
    return next(number for number in range(1, 100) if chinese_number(number) == text)


def altered(rng: random.Random, value: str) -> str:
    """A year a few years off in place of the value's; the value itself if it begins with none."""
    year = re.match(r"\d{4}(?=年|[.-]\d+[.-])", value)
    if not year:
        return value
    return str(int(year[0]) + rng.choice((-5, -4, -3, -2, -1, 1, 2, 3))) + value[4:]
