"""The invented films, schools, phones, medicines, ... that the reading comprehension sample talks about, and what is true of them.

A record is a dictionary of bindings for the phrasings of its domain. Some values repeat on purpose: a director who also wrote the
script, a founder who is still chairman, a place that is in the name of the thing. Two worlds that share `taken` have no name in common.
"""

import random

from samples._names import BRAND_LATIN, DOUBLE_SURNAMES, GIVEN, PLACE_FIRST, PLACE_LAST, Names, amount, date

Record = dict[str, str]

FILM_FORMS = ("悬疑电影", "爱情电影", "科幻片", "剧情片", "喜剧电影", "动画电影")
SHORT_SCHOOLS = {"大学": "大学", "师范大学": "师大", "理工大学": "理工", "职业学院": "职院", "财经大学": "财大"}
SCHOOL_FORMS = ("公办本科院校", "民办本科高校", "省属重点大学", "综合性大学")
SCENIC_FORMS = {"山": "森林公园", "古镇": "水乡古镇", "湖": "湿地公园", "峡谷": "自然景区", "岛": "海岛度假区"}
DYNASTIES = {"北宋": (970, 1080), "南宋": (1130, 1230), "明代": (1380, 1600), "清代": (1650, 1850)}
COMPANY_FORMS = ("智能家居研发", "冷冻食品加工", "手机游戏开发", "新能源电池制造", "影视后期制作", "宠物用品销售", "在线教育")
COLOURS = ("曜石黑", "月光银", "雾蓝", "珊瑚橙", "薄荷绿", "晨曦金", "冰川白", "星夜紫", "Rose Pink", "Deep Blue")
CHIPS = ("Kirion", "Helix G", "Orca S", "Mirai", "Tensa A")
DISHES = ("焖{}", "红烧{}", "{}煲", "糖醋{}", "{}小炒", "砂锅{}")
STUFFS = ("鸡翅", "排骨", "牛腩", "草鱼", "豆腐", "鸭腿", "五花肉", "虾仁", "羊肉", "茄子")
REMEDIES = ("颗粒", "片", "胶囊", "口服液", "丸")
SYMPTOMS = {
    "止咳": ("夜间咳嗽", "感冒引起的咳嗽"), "健胃": ("消化不良和腹胀", "食欲不振"), "清咽": ("咽喉肿痛", "用嗓过度引起的声音嘶哑"),
    "舒敏": ("轻度的皮肤瘙痒", "换季时的鼻塞流涕"), "安神": ("入睡困难", "睡眠不安"), "防晕": ("晕车引起的恶心",),
}  # fmt: skip
EXAM_KINDS = ("花艺师资格考试", "公共营养员考试", "速录师等级考试", "茶艺师资格考试", "计算机应用考试", "普通话等级考试", "导游资格考试", "测绘员考试")
SUBJECTS = ("综合知识", "专业实务", "职业道德", "案例分析", "法律基础", "实操技能", "英语B", "计算机基础")
MOTTO_HALVES = ("厚德", "笃行", "明理", "求实", "博学", "致远", "勤思", "尚新", "守正", "弘毅", "敬业", "知新")
CLASSICS = ("集", "文集", "诗稿", "杂记", "笔谈", "札记")


class World:
    """Records by domain; `scale` 1 gives each domain 14."""

    def __init__(self, seed: str, taken: set[str], scale: float):
        self.rng = random.Random(seed)
        self.names = Names(self.rng, taken)
        makers = {
            "film": self._film, "school": self._school, "scenic": self._scenic, "person": self._person, "company": self._company,
            "phone": self._phone, "prices": self._prices, "recipe": self._recipe, "medicine": self._medicine, "railway": self._railway,
            "exam": self._exam,
        }  # fmt: skip
        self.records: dict[str, list[Record]] = {domain: [make() for _ in range(round(14 * scale))] for domain, make in makers.items()}

    def _someone(self) -> str:
        return self.names.new(self.names.person, self.rng.choice("mf"))

    def _yuan(self, low: int, high: int, step: int = 1, unit: str = "元") -> str:
        return f"{self.rng.randrange(low, high, step)}{unit}"

    def _clock(self, first: int, last: int) -> str:
        return f"{self.rng.randint(first, last)}:{self.rng.randrange(0, 60, 5):02}"

    def _hours(self) -> str:
        dash = self.rng.choice(("-", "—", "至", "～"))
        return f"{self._clock(7, 10)}{dash}{self._clock(16, 22)}"

    def _place(self, place: str) -> str:
        """The bare name of a place, or somewhere in it."""
        city = place + self.rng.choice(("市", "县", "省"))
        number, building = self.rng.randint(2, 380), self.rng.randint(2, 9)
        address = self.rng.choice((f"{city}老港路{number}号", f"{city}东岭区朝晖路{number}号{building}号楼"))
        return self.rng.choice((place, place, f"{city}东郊", f"{city}西北部", address, address))

    def _film(self) -> Record:
        rng, names = self.rng, self.names
        role, year = names.new(names.character, rng.choice("mf")), rng.randint(2001, 2019)
        title = names.new(names.title, role)
        director = self._someone()
        return {
            "name": f"《{title}》", "query": title, "form": rng.choice(FILM_FORMS), "director": director, "role": role,
            "writer": director if rng.random() < 0.3 else self._someone(), "lead": self._someone(), "release": date(rng, year, year),
            "shooting": date(rng, year - 1, year - 1), "gross": amount(rng, rng.random() < 0.8),
            "budget": rng.choice((f"{rng.randint(8, 99)}00万元", f"{rng.randint(11, 39) / 10}亿元", f"{rng.randint(1200, 9900)}万")),
            "song": f"《{names.new(names.song)}》",
        }  # fmt: skip

    def _school(self) -> Record:
        rng, names = self.rng, self.names
        name = names.new(names.school, ("大学", "师范大学", "理工大学", "职业学院", "财经大学"))
        year, halves = rng.randint(1902, 1975), rng.sample(MOTTO_HALVES, 4)
        return {
            "name": name, "query": name, "form": rng.choice(SCHOOL_FORMS), "short": name[:2] + SHORT_SCHOOLS[name[2:]], "founded": f"{year}年",
            "renamed": f"{year + rng.randint(8, 40)}年", "place": self._place(name[:2]),
            "students": rng.choice((f"{rng.randint(11, 42) / 10}万人", f"{rng.randint(6000, 32000)}人")), "teachers": f"{rng.randint(400, 2600)}名",
            "tuition": self._yuan(4200, 9800, 100, "元/年"), "dormitory": self._yuan(600, 2000, 50, "元/年"),
            "motto": f"{halves[0]}{halves[1]}{rng.choice((' ', ' ', '，', ''))}{halves[2]}{halves[3]}",
        }  # fmt: skip

    def _scenic(self) -> Record:
        rng, names = self.rng, self.names
        place, kind = names.place(), rng.choice(list(SCENIC_FORMS))
        name = names.new(lambda: rng.choice((place, names.place())) + rng.choice(("", "大", "东", "南")) + kind)
        first = rng.randint(3, 9)
        cable = {"cable": self._yuan(30, 120, 5, rng.choice(("元", "元/人")))} if kind in "山峡谷" else {}
        return cable | {
            "name": name, "query": name, "form": SCENIC_FORMS[kind], "region": place, "place": self._place(place),
            "ticket": self._yuan(20, 180, 5, rng.choice(("元", "元/人"))), "hours": self._hours(),
            "altitude": f"{rng.randint(612, 2980) if cable else rng.randint(12, 380)}米", "area": f"{rng.randint(3, 190)}.{rng.randint(1, 9)}平方公里",
            "season": f"{first}月{rng.choice('至到-')}{first + rng.randint(1, 3)}月",
            "bus": rng.choice((f"{rng.randint(2, 320)}路", f"旅游专线{rng.randint(2, 9)}路", f"K{rng.randint(2, 99)}路")),
        }  # fmt: skip

    def _person(self) -> Record:
        rng, names = self.rng, self.names
        dynasty = rng.choice(list(DYNASTIES))
        birth, age = rng.randint(*DYNASTIES[dynasty]), rng.randint(46, 84)
        name = names.new(self._old_name)
        pen = names.new(lambda: names.place()[0] + rng.choice("山溪湖峰泉石") + rng.choice(("居士", "先生", "散人", "老人")))
        return {
            "name": name, "query": name, "dynasty": dynasty, "form": rng.choice(("诗人", "学者", "官员", "画家", "藏书家")),
            "courtesy": "子" + rng.choice("衡渊让和敬瞻默恪简约"), "pen": pen, "birth": f"{birth}年", "death": f"{birth + age}年",
            "degree": f"{birth + rng.randint(20, 38)}年", "home": self._place(names.place())[:2] + rng.choice(("", "县", "府")),
            "work": f"《{rng.choice((pen[:2], names.place()))}{rng.choice(CLASSICS)}》", "teacher": names.new(self._old_name),
            "other_old": f"{birth + rng.randint(18, age)}年",
        }  # fmt: skip

    def _old_name(self) -> str:
        return self.rng.choice(("林", "周", "沈", "顾", "陆", "许", "程", "叶", "苏", "宋", "谢", "董", *DOUBLE_SURNAMES[:4])) + self.rng.choice(
            (*GIVEN["m"][2], *(first + second for first in "景予知承明屿书怀立远" for second in "澄川和安恒霖礼峤松"))
        )

    def _company(self) -> Record:
        rng, names = self.rng, self.names
        name, founder, year = names.new(names.company), self._someone(), rng.randint(1994, 2013)
        in_name = name[:2] if name[0] in PLACE_FIRST and name[1] in PLACE_LAST else names.place()
        return {
            "name": name, "query": name, "form": rng.choice(COMPANY_FORMS), "founder": founder,
            "chairman": founder if rng.random() < 0.35 else self._someone(), "founded": date(rng, year, year),
            "listed": date(rng, year + 3, year + 6), "place": in_name + rng.choice(("", "", "市", "市高新区")), "staff": f"{rng.randint(60, 9800)}名",
            "revenue": amount(rng, True), "capital": f"{rng.randint(1, 99)}00万元",
        }  # fmt: skip

    def _phone(self) -> Record:
        rng, names = self.rng, self.names
        brand, year = rng.choice(BRAND_LATIN), rng.randint(2016, 2019)
        blank, edition = rng.choice((" ", " ", "")), rng.choice(("", "", " Pro", " Plus", " Lite"))
        name = names.new(lambda: f"{brand}{blank}{rng.choice('XSVPM')}{rng.randint(2, 30)}{edition}")
        return {
            "name": name, "query": name, "brand": brand, "battery": f"{rng.randrange(3000, 6000, 50)}{rng.choice(('mAh', ' mAh', ' mAh', '毫安'))}",
            "screen": f"{rng.randint(47, 71) / 10}英寸", "weight": f"{rng.randint(142, 228)}{rng.choice(('克', ' g', ' g'))}",
            "price": f"{rng.randint(9, 65)}99元", "chip": f"{rng.choice(CHIPS)}{rng.choice((' ', ''))}{rng.randint(45, 99)}0",
            "camera": f"{rng.choice((1200, 1600, 2400, 3200, 4800, 6400))}万像素", "selfie": f"{rng.choice((500, 800, 1300, 2000, 2500))}万像素",
            "release": date(rng, year, year), "colour": "、".join(rng.sample(COLOURS, 3)),
        }  # fmt: skip

    def _prices(self) -> Record:
        rng, names = self.rng, self.names
        name = names.new(lambda: names.place() + rng.choice(("洗衣店", "洗衣坊", "干洗店", "洗护中心")))
        days = rng.randint(2, 5)
        return {
            "name": name, "query": name, "down": self._yuan(25, 60, 1, "元/件"), "suit": self._yuan(28, 80, 1, "元/套"),
            "shoes": self._yuan(12, 45, 1, "元/双"), "curtain": self._yuan(5, 19, 1, "元/平方米"),
            "card": self._yuan(100, 600, 20, rng.choice(("元", "元/年"))), "hours": self._hours(),
            "days": rng.choice((f"{days}天", f"{days}-{days + 2}天", f"{days}个工作日")),
            "phone": f"{rng.randint(6100, 6999)}{rng.choice((' ', ' ', '-'))}{rng.randint(1000, 9999)}",
        }  # fmt: skip

    def _recipe(self) -> Record:
        rng, names = self.rng, self.names
        stuff, place = rng.choice(STUFFS), names.place()
        name = names.new(lambda: rng.choice((place, place, place, names.place(), "酱香", "蒜香", "秘制", "柠檬")) + rng.choice(DISHES).format(stuff))
        stew = rng.randint(3, 11) * 5
        return {
            "name": name, "query": name, "stuff": stuff, "meat": self._yuan(200, 1200, 50, rng.choice(("克", "g"))),
            "salt": self._yuan(2, 9, 1, "克"), "sugar": self._yuan(5, 40, 1, rng.choice(("克", "g"))),
            "pickle": rng.choice((f"{rng.randint(2, 11) * 5}分钟", "半小时", "一个小时", "两小时", "一夜")),
            "stew": rng.choice((f"{stew}分钟", f"{stew}-{stew + 5}分钟")),
            "heat": rng.choice((f"{rng.randrange(140, 200, 5)}度", f"{rng.randrange(140, 200, 5)}℃", "六成热", "五成热")),
            "calorie": f"{rng.randint(120, 690)}大卡", "origin": rng.choice((place, name[:2] if name[1] in PLACE_LAST else place)),
        }  # fmt: skip

    def _medicine(self) -> Record:
        rng, names = self.rng, self.names
        remedy, complaint = rng.choice(REMEDIES), rng.choice(list(SYMPTOMS))
        name = names.new(lambda: rng.choice("澄岚栖昭沅芷浔") + rng.choice("宁安清和舒平") + complaint + remedy)
        unit = {"颗粒": "袋", "片": "片", "胶囊": "粒", "口服液": "支", "丸": "丸"}[remedy]
        child = rng.choice({"袋": ("半袋", "1/2袋"), "片": ("半片", "1/2片"), "支": ("5ml", "3ml", "半支")}.get(unit, ()) + (f"1{unit}", f"2{unit}"))
        dose, age = rng.randint(1, 6), rng.randint(3, 18)
        return {
            "name": name, "query": name, "form": rng.choice(SYMPTOMS[complaint]),
            "dose": rng.choice((f"{dose}{unit}", f"{dose}～{dose + 1}{unit}", f"{dose}-{dose + 2}{unit}")),
            "times": rng.choice((f"{rng.randint(2, 4)}次", "两次", "三次", "1-2次")), "child": child,
            "course": rng.choice((f"{rng.randint(3, 28)}天", "一周", "两周", "一个月")),
            "effect": rng.choice((f"{rng.randint(3, 12) * 5}分钟", "半小时", "1小时", "2-3小时")), "age": rng.choice((f"{age}岁以上", f"{age}-{age + 50}岁")),
            "price": rng.choice((self._yuan(8, 99), f"{rng.randint(8, 99)}.5元")),
            "maker": names.new(lambda: names.place() + rng.choice(("", "天和", "百宁", "同安")) + rng.choice(("制药", "制药厂", "药业有限公司", "制药股份有限公司"))),
        }  # fmt: skip

    def _railway(self) -> Record:
        rng, names = self.rng, self.names
        begin = names.place()
        end = rng.choice([place for place in (names.place() for _ in range(9)) if place[0] != begin[0]])
        kind = rng.choice(("高铁", "城际铁路", "铁路"))
        name = names.new(lambda: rng.choice((f"{begin[0]}{end[0]}{kind}", f"{begin}{rng.randint(2, 12)}号城际线", f"{begin}—{end}高铁")))
        year, fare, length = rng.randint(2003, 2018), rng.randint(24, 320), rng.randint(48, 720)
        minutes = max(24, round(length / rng.randint(2, 4)))
        duration = f"{minutes // 60}小时{minutes % 60}分" if minutes >= 60 and minutes % 60 else f"{minutes}分钟"
        return {
            "name": name, "query": name, "begin": begin, "end": end, "opened": date(rng, year, year), "started": date(rng, year - 5, year - 3),
            "length": rng.choice((f"{length}公里", f"{length}.{rng.randint(1, 9)}公里", f"{length}km")), "duration": duration,
            "fare": rng.choice((f"{fare}元", f"{fare}.5元")), "first_class": f"{round(fare * 1.6)}元", "first": self._clock(5, 7),
            "last": self._clock(20, 23),
        }  # fmt: skip

    def _exam(self) -> Record:
        rng, names = self.rng, self.names
        place, year = names.place(), rng.randint(2014, 2019)
        name = names.new(lambda: rng.choice(("", f"{year}年", f"{year}")) + place + rng.choice(EXAM_KINDS))
        months, full = sorted(rng.sample(range(1, 13), 4)), rng.choice((100, 120, 150, 200, 300))
        day = rng.randint(1, 18)
        begin = rng.choice((f"{year}年", "", ""))
        again = rng.choice(("", f"{months[0]}月", f"{begin}{months[0]}月"))
        return {
            "name": name, "query": name, "place": place, "apply": f"{begin}{months[0]}月{day}日{rng.choice('至-—')}{again}{day + rng.randint(3, 10)}日",
            "print": rng.choice((f"{months[1]}月{rng.randint(2, 27)}日", f"{months[1]}月{day}日至{day + 4}日")),
            "held": f"{begin}{months[2]}月{rng.randint(1, 28)}日{rng.choice(('', '上午', '下午'))}",
            "result": rng.choice((f"{months[3]}月{rng.choice('上中下')}旬", f"{months[3]}月{rng.randint(1, 28)}日", f"{months[3]}月底")),
            "fee": self._yuan(40, 360, 5, rng.choice(("元", "元/科"))), "full": f"{full}分",
            "passing": f"{round(full * rng.choice((0.55, 0.6, 0.65, 0.7)))}分", "subjects": "、".join(rng.sample(SUBJECTS, rng.choice((2, 3, 3, 4)))),
        }  # fmt: skip

    def bystanders(self, rng: random.Random) -> Record:
        """Values of the types of answers that answer no question."""
        return {
            "other": self.names.person(rng.choice("mf")), "other_place": self.names.place(), "other_year": f"{rng.randint(1950, 2015)}年",
            "other_date": date(rng, 2012, 2019), "other_amount": amount(rng, True), "other_count": str(rng.randint(12, 9800)),
            "other_price": f"{rng.randint(80, 320)}元", "other_snack": f"{rng.randint(3, 25)}元", "other_percent": f"{rng.randint(11, 68)}%",
            "other_days": f"{rng.randint(2, 7)}天", "other_years": f"{rng.randint(3, 30)}年", "other_grams": f"{rng.randint(5, 40)}克",
            "other_minutes": f"{rng.randint(3, 50)}分钟", "other_water": f"{rng.randint(12, 20) / 10}升",
        }  # fmt: skip
