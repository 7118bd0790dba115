"""Invented names, dates and amounts. They are put together from parts, so that there are thousands of them and a model has
to learn where names stand, not which there are."""

import random

SURNAMES = (
    "林周沈顾陆许程叶苏江宋韩谢唐冯董萧曹袁邓傅曾彭吕卢蒋蔡贾丁魏薛阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊陶孔白崔康"
    "邱秦史侯邵孟段雷钱汤尹易武乔贺赖龚王李张刘陈杨赵黄"
)
DOUBLE_SURNAMES = ("欧阳", "上官", "司徒", "慕容", "诸葛", "令狐")
# (first syllable, second syllable, whole given name), for men and for women
GIVEN = {
    "m": ("景予知承明屿书怀立远砚子嘉启云少", "澄川舟和安恒霖礼峤松野洲尧骁临衡", "骁珩屹淮澈朗峥骞铎昱"),
    "f": ("沐若念清语初晚心雨芷采静诗可妙映", "禾棠蓁汐宁黛萤桐莞彤薇笙瑶蔓苒絮", "棠苒蓓珺蕴茵瑾霏鸢岑"),
}
FOREIGN_FIRST = {
    "m": ("艾伦", "马库斯", "奥利弗", "雷诺", "卢卡斯", "费德里科", "伊万", "尼尔斯", "安德烈"),
    "f": ("艾琳", "索菲亚", "克莱尔", "玛蒂娜", "伊莎贝", "海伦娜", "英格丽", "莫妮卡"),
}
FOREIGN_LAST = ("莫兰德", "哈珀森", "韦斯特林", "卡斯托夫", "布兰肯", "奎尔", "范德海", "罗西尼", "林德格伦", "佩特森")
STAGE_FIRST = {"m": ("Leon", "Ray", "Zeno", "MC", "DJ"), "f": ("Vivi", "Kiko", "Momo", "Nana", "Yuki")}
NICKNAMES = "蛮豆九泠鲤雀麦渔砂笙橘铃棉墨"

PLACE_FIRST = "澄岚栖泽碧昭珞濛霁墨沅桐芷浔鹿鹭榆槐"
PLACE_LAST = "州川江宁阳海陵港溪原浦城"
BRAND_FIRST = "澄启拓云极星铭海知蓝砚禾锐寰恒瀚"
BRAND_LAST = "光珩麓栈芮朔屿图帆垚维联越桥岳谷"
BRAND_LATIN = ("NovaMint", "Tinybee", "OKra", "iLumo", "Zephyr9", "BlueKite", "Q-Lab", "Mapo", "VeloX", "Hexa", "Nimo8", "Aurax")
COMPANY_TYPES = ("科技", "科技有限公司", "集团", "生物科技有限公司", "影业", "文化传媒有限公司", "食品有限公司", "股份有限公司", "网络")

TITLE_FIRST = (
    "沉默的", "逆光的", "最后的", "失落的", "漫长的", "倒数第二个", "夏日", "午夜", "孤岛", "长街", "云上", "雾中", "旧城", "半山",
    "逆流", "无声", "白露", "第三", "隐秘的", "迟到的", "零点", "海边的", "看不见的", "没有名字的",
)
TITLE_LAST = (
    "证人", "海岸", "来信", "邮差", "灯塔", "列车", "渡口", "夏天", "雪人", "花园", "纸船", "暗号", "回声", "旅馆", "少年", "归途",
    "潮汐", "风筝", "迷宫", "书店", "钟楼", "候鸟", "棋局", "站台",
)
TITLE_LATIN = ("Room", "Hello", "Go", "LOVE", "Mr.", "Run", "iWonder", "Night", "X-Day", "Zero", "OK", "Bye")
SONG_FIRST = ("关于", "写给", "慢慢", "如果", "只是", "再见", "晚安", "别问", "等一场", "借我一点", "偷走", "路过", "忘了", "听说", "一半", "沿着")
SONG_LAST = ("月光", "晴天", "大雨", "旧时光", "晚风", "远山", "银河", "秋千", "萤火", "海", "你的城", "南方", "白鸽", "站台", "冬天", "雨巷")
ALBUM_FIRST = ("第七封", "蓝色", "失眠", "二十岁的", "背光", "半糖", "未寄出的", "平行", "透明", "慢速")
ALBUM_LAST = ("信", "日记", "公路", "房间", "航线", "星期天", "宇宙", "城市", "岛屿", "练习曲")
ALBUM_LATIN = ("Blue Hour", "NEON", "Day One", "Slow Motion", "ECHO", "Re:Start", "Lost & Found", "No.7", "Moonwalk", "A-Side", "Mosaic", "Hi-Fi")
BOOK_FIRST = ("长河", "山月", "剑气", "锦书", "星海", "重生", "凡尘", "大梁", "孤城", "青灯", "江湖", "雪国", "盛世", "逆天", "都市", "沧海")
BOOK_LAST = ("谣", "行记", "录", "纪事", "风云", "传奇", "手札", "旧梦", "无痕", "小札", "医仙", "令", "行", "志")
AWARDS = ("金岚奖", "银杏奖", "白鹭奖", "飞鸢奖", "星河奖", "玉屏奖", "青穗奖", "海棠奖", "云雀奖", "金橹奖", "松果奖", "蓝鲸奖")

DIGITS = "零一二三四五六七八九"


class Names:
    """Draws names that were not drawn before; `taken` is shared where two sets of names must not meet."""

    def __init__(self, rng: random.Random, taken: set[str]):
        self.rng, self.taken = rng, taken

    def new(self, make, *arguments) -> str:
        """The first result of make(*arguments) that is not taken."""
        while (name := make(*arguments)) in self.taken:
            pass
        self.taken.add(name)
        return name

    def person(self, gender: str, surname: str = "") -> str:
        pick, chance = self.rng.choice, self.rng.random()
        if not surname and chance < 0.06:
            return f"{pick(FOREIGN_FIRST[gender])}·{pick(FOREIGN_LAST)}"
        if not surname and chance < 0.10:
            return pick(STAGE_FIRST[gender]) + pick(SURNAMES)
        surname = surname or (pick(DOUBLE_SURNAMES) if chance < 0.15 else pick(SURNAMES))
        first, second, whole = GIVEN[gender]
        return surname + (pick(whole) if self.rng.random() < 0.2 else pick(first) + pick(second))

    def relative(self, gender: str, person: str) -> str:
        """Somebody with the surname of a person."""
        if "·" in person:
            return f"{self.rng.choice(FOREIGN_FIRST[gender])}·{person.partition('·')[2]}"
        stage_name = person[0].isascii()
        return self.person(gender, person[-1] if stage_name else person[:2] if person[:2] in DOUBLE_SURNAMES else person[0])

    def character(self, gender: str) -> str:
        pick, chance = self.rng.choice, self.rng.random()
        if chance < 0.35:
            return pick(("阿", "小", "老")) + pick(NICKNAMES)
        if chance < 0.5:
            return pick(SURNAMES) + pick(("捕头", "大夫", "掌柜", "队长", "老师", "将军"))
        return self.person(gender, pick(SURNAMES))

    def place(self) -> str:
        return self.rng.choice(PLACE_FIRST) + self.rng.choice(PLACE_LAST)

    def school(self, types: tuple[str, ...] = ("大学", "师范大学", "理工大学", "美术学院")) -> str:
        return self.place() + self.rng.choice(types)

    def company(self) -> str:
        pick, chance = self.rng.choice, self.rng.random()
        if chance < 0.25:
            return pick(BRAND_LATIN) + pick(("", "科技", "网络"))
        brand, kind = pick(BRAND_FIRST) + pick(BRAND_LAST), pick(COMPANY_TYPES)
        return (self.place() if "公司" in kind and chance < 0.7 else "") + brand + kind

    def title(self, character: str) -> str:
        """Of a film or a series; sometimes with the name of its character, of a place, with digits or in Latin letters."""
        pick, chance = self.rng.choice, self.rng.random()
        if chance < 0.27:
            return pick(("寻找{}", "{}的来信", "{}传", "你好，{}", "再见{}", "{}与海")).format(character)
        if chance < 0.37:
            return pick(("{}往事", "{}以北", "夜行{}", "{}1937", "雾锁{}", "{}来客")).format(self.place())
        if chance < 0.45:
            return f"{pick(TITLE_LATIN)} {self.rng.randint(2, 999)}"
        if chance < 0.52:
            return pick(("第{}号", "{}公里外的", "第{}次")).format(self.rng.randint(2, 99)) + pick(TITLE_LAST)
        return pick(TITLE_FIRST) + pick(TITLE_LAST) + pick(("",) * 9 + ("2",))

    def song(self) -> str:
        pick, chance = self.rng.choice, self.rng.random()
        if chance < 0.1:
            return pick(("{}的夜", "{}姑娘", "回到{}")).format(self.place())
        if chance < 0.2:
            return pick(TITLE_LATIN[:7]) + pick(SONG_LAST)
        return pick(SONG_FIRST) + pick(SONG_LAST)

    def album(self) -> str:
        pick = self.rng.choice
        return pick(ALBUM_LATIN) if self.rng.random() < 0.15 else pick(ALBUM_FIRST) + pick(ALBUM_LAST)

    def book(self) -> str:
        pick, chance = self.rng.choice, self.rng.random()
        if chance < 0.12:
            return pick(("{}评传", "{}日记", "我的邻居{}")).format(self.character(pick("mf")))
        if chance < 0.22:
            return pick(("{}食单", "{}十三年", "{}旧事")).format(self.place())
        return pick(BOOK_FIRST) + pick(BOOK_LAST)

    def award(self, categories: tuple[str, ...]) -> str:
        pick = self.rng.choice
        prize = pick((self.place() + "国际电影节", self.place() + "文化节")) if self.rng.random() < 0.2 else pick(AWARDS)
        return prize + pick(categories)


def chinese_number(number: int) -> str:
    """1 to 99."""
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else DIGITS[tens] + "十") + (DIGITS[ones] if ones else "")


def date(rng: random.Random, first_year: int, last_year: int) -> str:
    year, month, day = rng.randint(first_year, last_year), rng.randint(1, 12), rng.randint(1, 28)
    styles = {
        f"{year}年{month}月{day}日": 8,
        f"{year}年{month}月": 4,
        f"{year}年": 3,
        f"{year}-{month:02}-{day:02}": 1,
        f"{year}.{month}.{day}": 1,
        f"{year}年{month:02}月{day:02}日": 1,
        "".join("〇一二三四五六七八九"[int(digit)] for digit in str(year)) + f"年{chinese_number(month)}月": 1,
    }
    return rng.choices(list(styles), list(styles.values()))[0]


def amount(rng: random.Random, in_yuan: bool) -> str:
    if not in_yuan and rng.random() < 0.7:
        return rng.choice((f"{rng.randint(3, 90)}00万美元", f"{rng.randint(11, 80) / 10:g}亿美元"))
    return rng.choice((
        f"{rng.randint(11, 299) / 10:g}亿元", f"{rng.randint(11, 299) / 10:g}亿", f"{rng.randint(101, 999) / 100}亿元", f"{rng.randint(2, 30)}亿",
        f"{rng.randint(8, 99)}00万", f"{rng.randint(1200, 9900)}万元",
    ))  # fmt: skip
