"""What stands in the cells of the nl2sql sample, and how people say it."""

import random
import re

from samples._names import DIGITS, PLACE_FIRST, Names
from samples._nl2sql_world import CITIES, PROVINCES

PARTS = {
    "cinema": ("星光 银座 金逸城 大地方 橙天 万象 蓝海 保利时光 耀莱 太平洋", "国际影城 影城 电影城 大影院 影院（城市店） 巨幕影城"),
    "estate": ("云溪 澜庭 锦绣 翡翠 龙湾 紫荆 滨江 香榭 御景 东方 枫林 湖畔", "花园 公馆 城市广场 一号院 壹品 新城 华府 雅苑 时代 均价小镇"),
    "stock": ("澄光 启珩 拓麓 云栈 极屿 星朔 铭图 海垚 砚维 禾联 锐越 恒桥 瀚谷", "股份 科技 药业 重工 电气 地产 食品 证券 A 控股"),
    "team": ("云豹 蓝鲸 赤焰 白鹭 金狮 飞鹰 雪狼 猛犸 海燕 铁骑 银狐 雷霆", "队 队 联队 足球俱乐部"),
    "hospital": ("{city}市", "第一人民医院 第二人民医院 中心医院 中医院 妇幼保健院 人民医院 儿童医院 肿瘤医院"),
    "drug": ("阿莫 头孢 布洛 克拉 氨溴 奥美 甲硝 罗红 双黄 板蓝 洛索 依托", "西林 克肟 芬片 霉素 拉唑 连片 根颗粒 注射液 咀嚼片"),
    "railway": ("{town}{other_town}", "高铁 城际 铁路 客专 高速铁路"),
    "developer": ("澄光 启珩 云栈 极屿 星朔 海垚 恒桥 瀚谷 碧岚 金栖", "地产 置业 置地 地产集团 房地产有限公司"),
    "drugmaker": ("禾康 澄明 启济 云谷 瑞草 百砚 同岚 恒济 仁澜", "制药 药业 生物 制药有限公司 药业股份有限公司"),
    "carmaker": ("领川 风神 星锐 麒麟 途悦 传骐 海燕 赛驰 北岳", "汽车 汽车集团 新能源汽车 汽车有限公司 客车"),
    "phone": ("云雀 青橙 北极星 远山 银豹 蓝帆 木星", "X1 X2 Pro S9 Note3 Mate8 A5 Max V20 Lite 6s Play"),
    "restaurant": ("老陈家 小渝儿 蜀香阁 渔歌 金桂 田家小院 海里捞月 阿婆 麦田 巷子里 三分醉 满庭芳 价格公道", "火锅店 餐厅 私房菜 烤肉 酒楼 小馆 大排档 面馆 食府"),
    "airport": ("{city}", "白塔国际机场 云山国际机场 长岭国际机场 凤鸣机场 桃仙岭国际机场 流溪机场 龙湾国际机场 石桥机场"),
    "airline": ("云翼 长风 金鹏 东海 北辰 蓝天 白鹭 远程 青鸟 星河 华岳 南屿", "航空 航空公司 快运航空 国际航空"),
    "factory": ("恒泰 宏发 金山 北方 红旗 长城 三峰 鼎新 华盛 永固", "水泥厂 玻璃厂 建材 一厂 二线 新材料 产品制造厂"),
    "hotel": ("云栖 丽都 锦江湾 维多利亚 金海岸 半岛 如意 白天鹅湖 银杏 海棠 星级时光 逸林", "大酒店 商务酒店 国际酒店 宾馆 城市酒店 度假村 精品酒店"),
    "museum": ("{city} {city} {province}", "博物馆 丝绸博物馆 铁路博物馆 陶瓷博物馆 民俗博物馆 茶叶博物馆 科技馆 自然博物馆 城市建设馆"),
    "car": ("领川 风神驰 星锐 麒麟 途悦 传骐 海燕 赛驰", "S5 X7 3系 EV Plus GT 500 1.5T H6 M8"),
    "product": ("稳盈 金穗 惠民 安心 月月 步步 添利 收益", "宝 盈1号 增利3号 宝贝 天天盈 90天 稳健2号 丰年"),
    "job": ("高级 初级 资深 见习 区域 海外", "前端工程师 会计 产品经理 销售代表 数据分析师 设计师 采购员 人事专员 公司法务 客服"),
    "scenic": ("云台 白鹿 九曲 天门 玉龙湾 千佛 桃花 月牙 石林 龙潭", "山 湖 古镇 大峡谷 森林公园 瀑布 岛 溶洞 开放式湿地公园"),
}  # fmt: skip
FULL_CITIES, FULL_PROVINCES = (text.replace("/", " ").split() for text in (CITIES, PROVINCES))
SLIPS = {"澄": "橙", "林": "琳", "启": "起", "恒": "衡", "海": "嗨", "星": "兴", "云": "芸", "江": "姜", "银": "吟", "金": "今", "知": "之", "明": "名", "山": "杉", "蓝": "兰"}


class Cells:
    """Makes the cells of one split; names are new in every table but not in the world."""

    def __init__(self, rng: random.Random):
        self.rng, self.names = rng, Names(rng, set())

    def make(self, kind: str) -> str:
        rng, pick, names = self.rng, self.rng.choice, self.names
        if kind == "person":
            return names.person(pick("mf"))
        if kind == "title":
            return names.title(names.character(pick("mf")))
        if kind in ("book", "song", "album", "company", "school"):
            return getattr(names, kind)()
        if kind == "city":
            return pick(FULL_CITIES)
        if kind == "province":
            return pick(FULL_PROVINCES)
        if kind == "station":
            return pick(FULL_CITIES[::2]) + pick(("", "", "东", "南", "北", "站", "西站"))
        if kind == "code":
            return pick(("600", "000", "300", "002")) + f"{rng.randint(0, 999):03}" + pick(("", ".SH", ".SZ"))
        if kind == "telephone":
            return f"{rng.randint(2000, 8999)}{rng.randint(1000, 9999)}"
        if kind == "clock":
            return f"{rng.randint(6, 21)}:{pick(('00', '10', '30', '45', '20'))}"
        if kind == "train":
            return pick("GDCK") + str(rng.randint(11, 9899))
        if kind == "flight":
            return pick(("YY", "CF", "JP", "DH", "BC")) + str(rng.randint(1001, 9899))
        if kind == "thousands":
            return f"{rng.randint(1000, 99999):,}" + pick(("", "", f".{rng.randint(11, 99)}"))
        if kind == "section":
            return f"{pick(FULL_CITIES)}-{pick(FULL_CITIES)}" + pick(("段", "", "东段"))
        first, last = PARTS[kind]
        joint = " " if kind in ("phone", "car") and rng.random() < 0.4 else ""
        place = {"city": pick(FULL_CITIES), "province": pick(FULL_PROVINCES), "town": pick(FULL_CITIES)[0], "other_town": pick(PLACE_FIRST)}
        return (pick(first.split()) + joint + pick(last.split())).format_map(place)


def spoken_text(rng: random.Random, cell: str) -> str:
    """How somebody may put the text of a cell without keeping to it."""
    years = re.fullmatch(r"(19[5-9]|20[01])(\d)(年.*|)", cell)
    if years:
        short, rest = years[1][2] + years[2], years[3] or "年"
        return rng.choice((short, "".join(DIGITS[int(digit)] for digit in short))) + rest
    shorter = re.sub("国际机场$|机场$", "机场", cell)
    shorter = re.sub("(?<=..)(股份|科技|生物科技|文化传媒|食品|)有限公司$|(?<=..)(集团|股份|足球俱乐部|航空公司)$", "", shorter)
    shorter = re.sub("市(?=.*院)|人民(?=医院)|国际(?=影城|酒店)|（.*）$|博物(?=馆$)", "", shorter)
    shorter = re.sub(r"^(.+)-(.+?)(东段|段|)$", r"\1到\2", shorter)
    if cell.replace(",", "").replace(".", "").isdigit() and "," in cell:
        return cell.replace(",", "")
    clock = re.fullmatch(r"(\d+):(\d\d)", cell)
    if clock:
        return f"{clock[1]}点" + {"00": "", "30": "半"}.get(clock[2], clock[2] + "分")
    if shorter != cell and len(shorter) > 1:
        return shorter
    if " " in cell:
        return cell.replace(" ", "").lower() if rng.random() < 0.5 else cell.replace(" ", "")
    if re.search("[A-Z]", cell):
        return cell.lower()
    slips = [place for place, character in enumerate(cell) if character in SLIPS]
    if slips and len(cell) >= 4:
        place = rng.choice(slips)
        return cell[:place] + SLIPS[cell[place]] + cell[place + 1 :]
    return cell[:-2] + cell[-1] if len(cell) >= 5 and not re.search("[0-9]", cell) else cell


def spoken_integer(number: int) -> str:
    """0 to 99,999,999, as people say it: 两百五十, 三万五千."""
    if number >= 10000:
        high, low = divmod(number, 10000)
        rest = ("零" if low < 1000 else "") + spoken_integer(low) if low else ""
        return ("两" if high == 2 else spoken_integer(high)) + "万" + rest
    text, zero = "", False
    for power, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // power % 10
        if digit:
            word = "两" if digit == 2 and power >= 100 else DIGITS[digit]
            text += ("零" if zero and text else "") + word + name
            zero = False
        else:
            zero = True
    return (text[1:] if text.startswith("一十") else text) or "零"


def numeral(value: str) -> str:
    whole, _, fraction = value.lstrip("-").partition(".")
    text = spoken_integer(int(whole)) + ("点" + "".join(DIGITS[int(digit)] for digit in fraction) if fraction else "")
    return ("负" if value.startswith("-") else "") + text


def spoken_number(rng: random.Random, value: float, unit: str, freely: bool) -> str:
    """A number with its unit; `freely`: in Chinese numerals or in another unit."""
    text, scale = f"{value:.10g}", unit[:1] if unit[:1] in ("万", "亿") else ""
    noun = unit.removeprefix(scale).partition("/")[0]
    if noun == "%":
        if freely and value > 0:
            return "百分之" + numeral(text)
        return text + ("%" if rng.random() < 0.75 else "")
    total = value * {"": 1, "万": 10**4, "亿": 10**8}[scale]
    larger = [(f"{total / size:.10g}", name) for name, size in (("亿", 10**8), ("万", 10**4)) if total >= size and name != scale]
    larger = [(number, name) for number, name in larger if len(number.replace(".", "")) <= 4 and float(number) < 10000]
    if larger and rng.random() < (0.8 if freely else 0.25):
        number, name = larger[0]
        return number + name + rng.choice((noun, "")) if rng.random() < 0.7 else (numeral(number) if number != "2" else "两") + name + noun
    if freely and value > 0:
        if noun == "元" and not scale and re.fullmatch(r"\d+\.[1-9]", text):
            return f"{numeral(text.split('.')[0])}块{DIGITS[int(text[-1])]}".replace("二块", "两块")
        if len(text.replace(".", "").rstrip("0")) <= 3 and not (scale and value >= 10000) and (unit or value >= 10):
            number = "两" if text == "2" else numeral(text)
            return number + scale + (noun.replace("元", "块") if noun == "元" and not scale and rng.random() < 0.5 else noun)
    if noun == "元" and not scale and rng.random() < 0.3:
        noun = rng.choice(("块", "块钱"))
    return text + rng.choices((scale + noun, scale, ""), (60, 20 if scale else 0, 6 if scale else 25))[0]
