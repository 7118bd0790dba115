"""The kinds of tables of the nl2sql sample: the columns, how tables write their headers, what stands in their cells and how people ask for them.

Lists of words are strings with blanks between the words; what follows "/" is kept for dev and test. All names are invented or plain words.
"""

from dataclasses import dataclass

CITIES = (
    "昆明 大理 三亚 青岛 厦门 苏州 无锡 洛阳 桂林 贵阳 南宁 海口 烟台 泉州 温州 绍兴 嘉兴 长沙 南昌 合肥 太原 兰州 西宁 银川 沈阳 大连 珠海 佛山 东莞 惠州 徐州 扬州"
    "/重庆 成都 杭州 武汉 西安 郑州 济南 福州 宁波 常州 南通 哈尔滨 长春 石家庄 乌鲁木齐 呼和浩特"
)
PROVINCES = "河北 山西 辽宁 吉林 江苏 浙江 安徽 福建 江西 山东/河南 湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 黑龙江"
COUNTRIES = "美国 日本 韩国 德国 法国/中国 英国 巴西 西班牙 意大利"
INDUSTRIES = "医药 汽车 钢铁 煤炭 家电 食品/电子 化工 传媒 军工 银行 物流"


@dataclass(frozen=True)
class Number:
    """Numbers from low to high, in `unit` or, converted, in another of the units; `adjectives`: of high and of low numbers."""

    low: float
    high: float
    digits: int = 0
    units: str = ""
    adjectives: str = "高 低"
    total: bool = False  # whether a sum of them makes sense
    years: bool = False  # one column for each of several years


@dataclass(frozen=True)
class Years:
    """Years in which something did what `verb` says, as numbers or as text."""

    verb: str
    low: int = 1950
    high: int = 2018


@dataclass(frozen=True)
class Column:
    """`values`: the words of text cells, or how to make cells. `asks`: questions after their subject that do not need the header.

    `clauses`, `modifiers`: how a condition on a text cell {v} reads as a clause, and before a noun. `answer`: what is asked for (see TAILS).
    """

    headers: str
    values: Number | Years | str
    asks: str = ""
    clauses: str = ""
    modifiers: str = ""
    mentions: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Kind:
    """Tables whose rows are each about one `noun`, counted with `measure`, that `name` names. `contexts`: why somebody asks."""

    noun: str
    measure: str
    titles: str
    name: Column
    columns: tuple[Column, ...]
    contexts: str


def wordings(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of all splits, and those kept for dev and test."""
    everywhere, _, held_out = text.partition("/")
    return tuple(everywhere.split()), tuple(held_out.split())


def city(headers: str = "城市 所在城市/所在地 所属城市", verb: str = "在") -> Column:
    clauses = "在{v} 位于{v}/坐落在{v}" if verb == "在" else f"{verb}{{v}}"
    return Column(headers, CITIES, "在哪个城市 在哪/在什么地方 在哪座城市", clauses, "{v} {v}的/{v}那边的", answer="place")


def person(headers: str, verb: str, asks: str = "") -> Column:
    """A person who did what the verb says."""
    return Column(
        headers, "@person", asks or f"是谁{verb}的/是哪位{verb}的", f"由{{v}}{verb} 是{{v}}{verb}的/由{{v}}来{verb}", f"{{v}}{verb}的", answer="person"
    )


SCORE = Number(3.0, 9.8, 1, "分")
PERCENT = Number(-30, 60, 1, "%")
RATE = Number(2, 98, 1, "%")
