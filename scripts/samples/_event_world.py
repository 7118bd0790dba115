"""The invented teams, suspects, companies, couples, ... of the event extraction sample."""

import random
import re
from collections.abc import Callable

from samples._names import BRAND_FIRST, BRAND_LAST, BRAND_LATIN, Names, chinese_number

SURNAMES = "张王李赵陈周吴徐孙马朱胡郭何林唐冯董萧"
CRIMES = ("盗窃", "电信诈骗", "非法经营", "职务侵占", "寻衅滋事", "开设赌场", "合同诈骗", "危险驾驶")
FAULTS = ("气囊缺陷", "刹车异响", "电池过热", "线束松动", "油管渗漏", "标签错误")
POSTS = ("总裁", "CEO", "董事长", "副总经理", "CFO", "总编辑", "首席科学家")
BOARDS = ("新能源", "5G", "芯片", "白酒", "军工", "OLED")
TEAM_ANIMALS = ("雄鹿", "飞虎", "海鲨", "骑士", "蓝鲸", "猎鹰", "灰狼", "烈马")
CUPS = ("羽毛球公开赛", "国际象棋大师赛", "网球公开赛", "乒乓球锦标赛", "台球大奖赛")
TEAM_CUPS = ("杯", "超级联赛", "冠军杯", "俱乐部联赛", "锦标赛")
CARS = ("大巴", "面包车", "轿车", "SUV", "半挂车")
DEVICES = ("折叠屏手机", "智能手表", "无线耳机", "电动车", "扫地机器人")
MEDIA = ("岚桥晚报", "知夏新闻", "灯塔财经", "BlueKite News", "海风体育", "云麓日报")
LEGAL_FORMS = ("医药", "电子", "新材", "重工", "生物科技有限公司", "文化传媒有限公司", "科技有限公司", "食品有限公司", "股份有限公司", "股份", "集团", "科技", "影业", "网络", "（中国）", "汽车", " Group")


#: What a world takes from the one it has seen, except of bindings whose values depend on each other.
SHARE_OF_OLD = 0.35
COUPLED = {"winner", "winner2", "loser", "loser2", "loser3", "cup", "score", "away", "score2"}


class World:
    """Draws the bindings of one scene at a time.

    No name of a person, team, cup or company is drawn twice, but for those of the world that it has `seen`.
    """

    def __init__(self, rng: random.Random, taken: set[str], seen: "World | None" = None):
        self.rng = rng
        self.names = Names(rng, taken)
        self.drawn: dict[str, list[str]] = {}
        self.seen = seen

    def bindings(self, phrasing: str) -> dict[str, str]:
        """The values of all that a phrasing has in braces, which fit each other."""
        rng, wanted = self.rng, set(re.findall(r"\w+(?=\})", phrasing))
        home, high, low, dash = self.names.place(), rng.randint(2, 6), rng.randint(0, 1), rng.choice("-:比")
        teams = rng.random() < 0.6 or re.search("主场|客场|东道主|邀请赛|球迷|player", phrasing) is not None
        contestant = self._team if teams else self._person
        makers: dict[str, Callable[[], str]] = {
            "time": self._time, "birth_time": self._time, "arrest_time": self._time, "join_time": self._time, "up_time": self._time,
            "time2": lambda: f"{rng.randint(1, 23)}时{rng.randint(0, 59)}分", "winner": contestant, "loser": contestant, "loser2": contestant,
            "loser3": contestant, "winner2": contestant, "cup": lambda: self._cup(TEAM_CUPS if teams else CUPS),
            "score": lambda: f"{high}{dash}{low}", "away": lambda: f"{low}{dash}{high}", "score2": lambda: f"{high + 1}{dash}{low}",
            "player": self._someone, "police": lambda: home + rng.choice(("警方", "市公安局", "县公安局刑警大队", "检察院", "警察")), "suspect": self._suspect,
            "suspect2": self._suspect, "crime": lambda: rng.choice(CRIMES), "count": lambda: str(rng.randint(2, 19)), "spot": self._spot,
            "maker": self._company, "product": self._product, "product2": self._product, "cost": lambda: f"{rng.randint(1, 89)}99元",
            "recall_time": lambda: f"{rng.randint(2015, 2020)}年{rng.randint(1, 12)}月{rng.randint(1, 28)}日", "fault": lambda: rng.choice(FAULTS),
            "recalled": self._recalled, "group": self._group, "person": self._person, "person2": self._person, "old": self._company,
            "new": rng.choice((self._team, self._company)), "label": self._company, "post": lambda: rng.choice(POSTS),
            "size": lambda: f"{rng.randint(3, 7)}.{rng.randint(0, 9)}级", "size2": lambda: f"{rng.randint(2, 3)}.{rng.randint(0, 9)}级",
            "depth": lambda: f"{rng.randint(5, 60)}{rng.choice(('公里', '千米', ' km'))}",
            "centre": lambda: home + rng.choice(("县", "市", "市附近海域", "州")), "north": lambda: f"{rng.randint(20, 45)}.{rng.randint(10, 99)}",
            "dead": lambda: self._people(30), "hurt": lambda: self._people(90), "place": lambda: self._road(home),
            "vehicle": lambda: rng.choice(CARS), "buyer": self._stock, "stock": self._stock, "stock2": self._stock, "seller": self._company,
            "firm": self._company, "percent": self._percent, "price": self._money, "board": lambda: rng.choice(BOARDS),
            "bride": lambda: self._person("f"), "groom": lambda: self._person("m"), "child": self._child,
        }  # fmt: skip
        made = {name: self._old(name) or make() for name, make in makers.items() if name in wanted or f"{name}_short" in wanted}
        for name, value in made.items():
            self.drawn.setdefault(name, []).append(value)
        return made | {f"{name}_short": short(value) for name, value in made.items()}

    def bystanders(self, rng: random.Random) -> dict[str, str]:
        """What leads, tails and backgrounds mention: of the types of arguments, but of no event."""
        return {
            "media": rng.choice(MEDIA), "other": self.names.person(rng.choice("mf")), "rank": str(rng.randint(1, 50)),
            "views": str(rng.randint(20, 9000)), "other_org": self.names.company(), "other_place": self.names.place(),
            "other_time": f"{rng.randint(1990, 2019)}年",
        }  # fmt: skip

    def _old(self, name: str) -> str | None:
        """Now and then a value that the other world drew, but of what has to fit the rest."""
        if self.seen is None or name not in self.seen.drawn or self.rng.random() >= SHARE_OF_OLD or name in COUPLED:
            return None
        return self.rng.choice(self.seen.drawn[name])

    def _someone(self) -> str:
        return self.names.person(self.rng.choice("mf"))

    def _person(self, gender: str = "") -> str:
        return self.names.new(self.names.person, gender or self.rng.choice("mf"))

    def _team(self) -> str:
        rng = self.rng
        return self.names.new(lambda: self.names.place() + rng.choice((*TEAM_ANIMALS, "队", "男篮", "FC", " United")))

    def _cup(self, kinds: tuple[str, ...]) -> str:
        rng = self.rng
        year, number = rng.randint(2009, 2020), rng.randint(2, 40)
        edition = rng.choice((str(year), f"第{number}届", f"第{chinese_number(number)}届", f"{year}年", ""))
        return self.names.new(lambda: edition + self.names.place() + rng.choice(kinds))

    def _company(self) -> str:
        rng = self.rng
        if rng.random() < 0.75:
            return self.names.new(self.names.company)
        return self.names.new(lambda: self.names.place() + rng.choice(BRAND_LATIN) + rng.choice(("", " Group", "科技", "（中国）", "汽车")))

    def _stock(self) -> str:
        rng = self.rng
        code = f"({rng.choice(('600', '002', '300'))}{rng.randint(100, 999)})" if rng.random() < 0.35 else ""
        return self.names.new(lambda: rng.choice(BRAND_FIRST) + rng.choice(BRAND_LAST) + rng.choice(("股份", "科技", "医药", "电子", "新材", "重工")) + code)

    def _group(self) -> str:
        rng, names = self.rng, self.names
        make = rng.choice((
            lambda: names.song() + "乐队", lambda: names.place() + rng.choice(BRAND_LATIN) + rng.choice(("组合", "女团", "战队")),
            lambda: names.place() + rng.choice(("合唱团", "男子合唱团", "足球俱乐部", "话剧社")),
        ))  # fmt: skip
        return names.new(make)

    def _product(self) -> str:
        rng = self.rng
        model = f"{rng.choice(BRAND_LATIN)}{rng.choice((' ', ''))}{rng.choice('XSVPM')}{rng.randint(2, 30)}{rng.choice(('', ' Pro', ' Max'))}"
        return rng.choice((model, model, rng.choice(DEVICES) + model, f"《{self.names.book()}》手游"))

    def _recalled(self) -> str:
        rng = self.rng
        return rng.choice((
            f"{rng.randint(200, 99000)}辆{rng.choice(BRAND_LATIN)} {rng.choice('XSVPM')}{rng.randint(2, 30)}汽车", f"{rng.randint(11, 99) / 10}万台空气净化器",
            f"{rng.randint(2, 99)},{rng.randint(100, 999)}辆{rng.choice(CARS)}", f"部分{rng.choice(BRAND_LATIN)}牌奶粉", f"{rng.randint(200, 9900)}件儿童座椅",
        ))  # fmt: skip

    def _suspect(self) -> str:
        rng = self.rng
        surname = rng.choice(SURNAMES)
        return rng.choice((
            self._person(), f"{surname}某{rng.choice(('', '某', '强', '军', '丽'))}", f"犯罪嫌疑人{surname}某{rng.choice('华平杰')}",
            f"{surname}某等{rng.randint(2, 19)}人",
        ))  # fmt: skip

    def _child(self) -> str:
        rng = self.rng
        boy, girl = self.names.character("m"), self.names.character("f")
        return rng.choice(("一子", "一女", "双胞胎女儿", "男宝宝", f"{rng.randint(5, 8)}斤{rng.randint(1, 9)}两的女儿", f"女儿“{girl}”", f"儿子{boy}", f"千金{girl}"))

    def _time(self) -> str:
        rng = self.rng
        month, day, hour, minute = rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.randint(0, 59)
        date = rng.choice((f"{month}月{day}日", f"{month}月{day}日", f"{rng.randint(2012, 2020)}年{month}月{day}日", f"{day}日"))
        return rng.choice((
            date, date, date, date + rng.choice(("上午", "晚", "凌晨")), f"{date}{hour}时{minute}分", f"北京时间{month}月{day}日",
            f"{month}月{day}日{hour}:{minute:02}",
            f"周{rng.choice('一二三四五六日')}", rng.choice(("昨天", "昨日", "今日", "近日", "日前", "今天下午", "昨晚", "今早")),
        ))  # fmt: skip

    def _spot(self) -> str:
        return self.names.place() + self.rng.choice(("市区", "会展中心", "火车站", "机场", "老城"))

    def _road(self, home: str) -> str:
        rng = self.rng
        roads = (f"{home}高速K{rng.randint(3, 900)}处", f"{home}市{rng.choice('新老东西')}港路", f"G{rng.randint(2, 99)}国道{home}段")
        return rng.choice((*roads, f"{home}高速出口", f"{home}大桥"))

    def _money(self) -> str:
        rng = self.rng
        number = rng.randint(2, 98)
        return rng.choice((f"{number}.{rng.randint(1, 9)}亿元", f"{number}00万美元", f"{number}亿", f"{number}{rng.randint(10, 99)}万元"))

    def _percent(self) -> str:
        whole = self.rng.randint(5, 99)
        return self.rng.choice((f"{whole}%", f"{whole}.{self.rng.randint(10, 99)}%", f"{whole}％"))

    def _people(self, most: int) -> str:
        number = self.rng.randint(1, most)
        return self.rng.choice((f"{number}人", f"{number}人", f"至少{number}人", f"{chinese_number(number)}人"))


def short(name: str) -> str:
    """What a company is called for short: without its place and its legal form."""
    name = name.partition("(")[0]
    stem = next((name.removesuffix(end) for end in LEGAL_FORMS if name.endswith(end)), name)
    return stem if stem[-1].isascii() else stem[-2:]
