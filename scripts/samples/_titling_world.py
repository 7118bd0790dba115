"""What the texts of the title generation sample are about: names put together from parts, plain words, and figures.

A slot is a sequence of lists; a name of it takes one part of each. Three names in ten are kept for dev and test: so half of the names
there are new, while their parts were seen in train.
"""

import random
import re
import zlib

from samples._names import (
    AWARDS, BOOK_FIRST, BOOK_LAST, BRAND_FIRST, BRAND_LAST, BRAND_LATIN, GIVEN, PLACE_FIRST, PLACE_LAST, SURNAMES, TITLE_FIRST, TITLE_LAST,
)  # fmt: skip
from samples._webqa_world import BIRD_MARKS, BIRDS

NUMBERS = tuple(map(str, range(1, 20)))
CROPS = (
    "水稻", "小麦", "玉米", "大豆", "马铃薯", "番茄", "黄瓜", "辣椒", "草莓", "葡萄", "苹果", "猕猴桃", "甘薯", "花生", "油菜", "棉花", "茶树", "烟草",
    "谷子", "荞麦", "芝麻", "莴苣", "菠菜", "西瓜",
)  # fmt: skip
SLOTS: dict[str, tuple[str | tuple[str, ...], ...]] = {
    # News
    "place": (PLACE_FIRST, PLACE_LAST),
    "person": (SURNAMES, GIVEN["m"][0] + GIVEN["f"][0], GIVEN["m"][1] + GIVEN["f"][1]),
    "company": (BRAND_FIRST, BRAND_LAST, ("科技", "生物", "集团", "食品", "股份", "新材", "电子", "重工")),
    "startup": (BRAND_LATIN, ("科技", "网络", "电子", "智能")),
    "station": (PLACE_FIRST, "桥门塘湾庙坊", ("站", "广场站", "东站")),
    "line": (("地铁", "轻轨", "有轨电车", "城际铁路"), NUMBERS, ("号线",)),
    "bridge": (PLACE_FIRST, "龙云月石凤雁", "江河湖", ("大桥", "特大桥", "铁路桥", "公路桥")),
    "bird": (BIRD_MARKS, BIRDS),
    "wetland": (PLACE_FIRST, "月平镜星雁苇", ("湖湿地", "滩湿地", "湾湿地", "岛保护区")),
    "device": (("双模", "5G", "AI", "儿童", "超薄", "户外"), ("手机", "平板", "手表", "学习机", "耳机", "翻译机", "投影仪")),
    "model": (("Nova", "Kite", "Lumo", "Zen", "Orca", "Mint", "Vega"), (" ", ""), ("3", "5", "7", "9", "12", "20"), ("", "", " Pro", " Lite")),
    "factory": (
        ("", "绿色", "智慧"), ("动力电池", "光伏组件", "冷链物流", "生物医药", "预制菜", "智能家电", "氢能装备", "芯片封装", "风电叶片", "跨境电商", "5G基站"),
        ("生产基地", "产业园", "示范园"),
    ),
    "goods": (("本地", "大棚", "高山", "有机"), ("黄瓜", "番茄", "土豆", "生菜", "茄子", "豆角", "草莓", "蓝莓", "香菇", "莲藕", "萝卜", "冬瓜", "辣椒")),
    "team": (PLACE_FIRST, PLACE_LAST, ("雄鹿", "飞虎", "海鲨", "骑士", "蓝鲸", "猎鹰", "灰狼", "烈马")),
    "cup": (PLACE_FIRST, PLACE_LAST, ("羽毛球公开赛", "乒乓球锦标赛", "射箭大奖赛", "游泳邀请赛", "击剑冠军赛", "国际象棋大师赛", "攀岩挑战赛")),
    "school": (PLACE_FIRST, PLACE_LAST, ("大学", "师范大学", "理工大学", "职业技术学院", "财经大学", "农业大学")),
    "major": (("智能", "数字", "绿色", "现代", "智慧"), ("建造", "农业", "物流", "交通", "能源", "医疗", "文旅", "海洋", "林业"), ("工程", "技术", "管理")),
    "policy": (("课后", "午间", "寒假", "暑期", "周末"), ("托管", "阅读", "体育", "劳动实践", "编程", "艺术"), ("服务", "计划", "项目")),
    "hospital": (PLACE_FIRST, PLACE_LAST, ("人民医院", "中医院", "第二医院", "儿童医院", "妇幼保健院", "肿瘤医院", "中心医院")),
    "surgery": (
        ("机器人辅助", "5G远程", "3D打印辅助", "微创", "全麻下", "超声引导下", "单孔腔镜"),
        ("膝关节置换术", "髋关节置换术", "肺叶切除术", "肝移植术", "脊柱矫形术", "角膜移植术", "心脏瓣膜修复术", "甲状腺切除术", "人工耳蜗植入术", "胆囊切除术"),
    ),
    "film": (TITLE_FIRST, TITLE_LAST),
    "book": (BOOK_FIRST, BOOK_LAST),
    "award": (AWARDS, ("文学大奖", "年度小说", "新人作品")),
    "show": (("丝路", "海上", "山河", "江南", "古窑", "长河", "边城", "茶马"), ("遗珍", "华章", "印记", "风雅", "回响", "寻踪", "瑰宝", "光影")),
    "museum": (PLACE_FIRST, PLACE_LAST, ("博物馆", "美术馆", "非遗馆", "档案馆", "科技馆")),
    "site": (PLACE_FIRST, "家石台沟店坪寨", ("遗址", "古墓群", "窑址", "古城遗址")),
    "relic": (("彩绘", "刻花", "兽纹", "莲纹", "龙纹", "云纹", "带铭文"), ("陶罐", "铜镜", "玉璧", "瓷碗", "漆盒", "银壶", "铜鼎", "陶俑")),
    "service": (("一键", "掌上", "扫码", "刷脸", "云上", "无感"), ("办证", "挂号", "缴费", "借书", "停车", "乘车", "查档", "报修", "预约", "取药")),
    "road": (PLACE_FIRST, "林湖山泉泰安", ("大道", "路", "街", "高架")),
    # Papers
    "method": (
        ("改进", "混合", "双层", "轻量化", "自适应", "加权", "并行", "分层"),
        (
            "卷积神经网络", "LSTM", "遗传算法", "XGBoost", "YOLOv5", "Transformer", "蚁群算法", "粒子群算法", "支持向量机", "随机森林", "图神经网络",
            "BP神经网络", "GRU", "K-means聚类",
        ),
    ),
    "network": (
        ("改进", "混合", "轻量化", "自适应", "多尺度", "级联"),
        ("卷积神经网络", "YOLOv5", "Transformer", "图神经网络", "U-Net", "ResNet", "残差网络", "Faster R-CNN"),
    ),
    "task": (
        ("城市", "校园", "矿区", "港口", "园区", "山区", "高速公路"), ("交通流量", "用电负荷", "空气质量", "停车需求", "客流", "降雨量"), ("预测", "异常检测", "评估"),
    ),
    "inspection": (
        ("轴承", "风机叶片", "输电线路", "钢轨", "光伏板", "焊缝", "玻璃瓶口", "瓷砖", "PCB"), ("表面缺陷", "裂纹", "损伤", "异物"), ("检测", "识别", "定位"),
    ),
    "monitor": (
        ("温室", "粮仓", "鱼塘", "病房", "家居", "桥梁", "井下", "苗圃", "蜂箱"), ("温湿度", "环境", "图像", "能耗"),
        ("监测系统", "报警装置", "采集终端", "远程控制系统"),
    ),
    "topic": (
        ("农业", "医疗", "工业", "教育", "金融", "遥感"), ("知识图谱", "大数据", "图像分析", "物联网", "数字孪生", "问答系统", "边缘计算", "推荐系统", "文本挖掘"),
        ("技术", "方法", "应用"),
    ),
    "treatment": (
        ("", "长期", "苗期", "花期"), ("叶面喷施", "增施", "减施", "配施"),
        ("硒肥", "生物炭", "腐植酸", "氮肥", "钾肥", "有机肥", "硅肥", "海藻肥", "锌肥", "菌肥"),
    ),
    "trait": (CROPS, ("产量", "品质", "光合特性", "根系生长", "抗旱性", "养分吸收", "叶片衰老", "土壤酶活性")),
    "pest": (CROPS, ("白粉病", "蚜虫", "根腐病", "叶斑病", "霜霉病", "红蜘蛛", "灰霉病", "线虫病")),
    "cultivar": (PLACE_FIRST, "丰优农育科", NUMBERS, ("号",), CROPS),
    "drug": ("清舒宁康益通", "肺心肾胃脑肝", ("颗粒", "胶囊", "口服液", "注射液", "丸", "片")),
    "disease": (
        ("急性", "慢性", "老年", "儿童", "复发性", "轻中度"),
        ("支气管炎", "胃炎", "心力衰竭", "脑梗死", "湿疹", "关节炎", "肾病综合征", "鼻炎", "失眠症", "贫血", "偏头痛", "咽炎", "肺炎", "牙周炎"),
    ),
    "nursing": (
        ("综合", "循证", "延续性", "个体化", "家庭参与式", "分级", "全程", "多学科协作"), ("护理", "康复训练", "健康教育", "心理干预", "饮食管理"), ("", "模式"),
    ),
    "material": (
        ("玄武岩纤维", "再生骨料", "钢渣粉", "橡胶颗粒", "纳米SiO2", "聚丙烯纤维", "稻壳灰", "石墨烯"), ("", "高强", "自密实"),
        ("混凝土", "水泥砂浆", "灌浆料", "地聚物"),
    ),
    "property": (("抗冻", "抗渗", "抗裂", "疲劳", "耐磨", "力学", "抗冲击", "高温"), ("性能",)),
    "extract": (
        ("紫苏", "蓝莓", "葛根", "银杏叶", "黄精", "茶渣", "柚皮", "桑葚", "枸杞", "沙棘", "山楂", "菊花"),
        ("多糖", "总黄酮", "多酚", "花青素", "皂苷", "膳食纤维", "精油"),
    ),
    "part": (
        ("采煤机", "装载机", "风力发电机", "联合收割机", "挖掘机", "高速列车", "播种机", "起重机"),
        ("传动轴", "机架", "齿轮箱", "液压缸", "悬架", "主梁", "减速器", "制动盘"),
    ),
    "dam": (PLACE_FIRST, "龙云石月凤", ("水库大坝", "尾矿库", "公路边坡", "地铁深基坑", "土石坝")),
    "factor": (("数字", "绿色", "普惠", "农村", "社区"), ("金融", "物流", "电商", "保险", "信贷", "教育", "基础设施"), ("发展", "投入", "普及")),
    "outcome": (
        ("", "西部", "沿海"), ("农户", "中小企业", "制造业企业", "家庭农场", "返乡青年", "城镇家庭"),
        ("收入", "创业意愿", "创新绩效", "融资约束", "技术采纳行为", "风险承担", "投资效率"),
    ),
    "industry": (PLACE_FIRST, PLACE_LAST, "市县", ("乡村", "冰雪", "海岛", "社区", "山地", "古镇", "滨海"), ("旅游", "文创", "体育", "养老"), ("产业",)),
    "course": (
        ("高职", "大学", "中职", "研究生"), ("", "线上", "双语"),
        ("数据结构", "机械制图", "护理学", "英语写作", "会计学", "生物化学", "电工技术", "高等数学", "园林设计", "建筑材料"),
    ),
    "pedagogy": (("翻转课堂", "案例", "项目驱动", "情境模拟", "对分课堂", "BOPPPS", "PBL", "微课", "游戏化", "慕课"), ("教学法", "教学模式")),
    "character": (("女性", "父亲", "底层", "乡村", "漂泊者", "知识分子", "少年", "手艺人"), ("形象", "书写", "叙事")),
}  # fmt: skip

#: Words that are no names: everybody may use them.
WORDS: dict[str, tuple[str, ...]] = {
    "quarter": ("一季度", "上半年", "前三季度", "全年"), "hazard": ("暴雨", "台风", "大雾", "寒潮", "道路结冰", "高温", "沙尘", "雷电"),
    "level": ("橙色", "红色"), "pollutant": ("PM2.5", "PM10", "臭氧", "NO2"),
    "fare": ("公交票价", "出租车起步价", "停车收费", "地铁票价", "网约车运价", "机场大巴票价"), "vaccine": ("流感疫苗", "肺炎疫苗", "乙肝疫苗", "四价流感疫苗", "23价肺炎疫苗"),
    "group": ("60岁以上老人", "适龄女生", "小学新生", "一线医护人员", "在园幼儿", "低保家庭", "65岁以上居民", "初中女生"),
    "crime": ("网络刷单诈骗案", "冒充客服诈骗案", "跨境赌博案", "虚拟货币洗钱案", "养老投资诈骗案", "野生动物走私案", "假冒名酒案", "盗挖古墓案"),
    "exam": ("教师资格考试", "成人高考", "公务员考试", "自学考试", "研究生考试", "护士资格考试", "公开招聘考试"),
    "chip": ("STM32", "ZigBee", "LoRa", "FPGA", "NB-IoT", "PLC", "Arduino", "LabVIEW"),
    "imaging": ("64排CT", "3.0T磁共振", "超声造影", "锥形束CT", "弥散加权成像", "PET-CT", "高频超声", "CT血管造影"),
    "technique": ("超声辅助", "微波辅助", "酶法", "超临界CO2", "热水", "闪式"), "software": ("ANSYS", "ABAQUS", "ADAMS", "COMSOL", "SolidWorks"),
    "concept": ("互联网+", "新工科", "双创", "课程思政", "1+X证书", "产教融合", "数字乡村", "OBE"),
    "mediator": ("风险感知", "社会资本", "信息获取", "组织认同", "政策信任", "自我效能感"),
}  # fmt: skip

#: Words of titles for what a text says with {risen}: (up, down).
WORDINGS = {"grown": ("增长", "下滑"), "dearer": ("上涨", "下跌"), "raised": ("上调", "下调"), "higher": ("走高", "走低")}
RISEN = (("提高", "增加", "上升"), ("降低", "减少", "下降"))
#: Of a hundred names, so many are for dev and test only; there, they are all but a share of the names.
KEPT, SEEN = 30, 0.33


def kept(name: str) -> bool:
    """Whether only dev and test may use a name."""
    return zlib.crc32(name.encode("utf-8")) % 100 < KEPT


def entities(text: str) -> set[str]:
    """All names of slots in a text, and those inside of longer ones."""
    return {match[1] for pattern in _PATTERNS for match in pattern.finditer(text)}


def _pattern(slot: tuple[str | tuple[str, ...], ...]) -> re.Pattern:
    parts = ("|".join(sorted(map(re.escape, part), key=len, reverse=True)) for part in slot)
    return re.compile(f"(?=({''.join(f'(?:{part})' for part in parts)}))")


_PATTERNS = [_pattern(slot) for slot in SLOTS.values()]


class World:
    """Draws the bindings of one text at a time. A world that has `seen` another one takes the names of that or such that nobody has."""

    def __init__(self, rng: random.Random, seen: "World | None" = None):
        self.rng, self.seen = rng, seen
        self.drawn: dict[str, list[str]] = {}

    def bindings(self, phrasing: str, taken: set[str]) -> dict[str, str]:
        """The value of every placeholder of a phrasing; none is among the taken ones, to which they are added. {company2} is another company."""
        rng = self.rng
        up = rng.random() < 0.6
        made = {name: wordings[not up] for name, wordings in WORDINGS.items()} | {"risen": rng.choice(RISEN[not up])}
        for name in re.findall(r"{(\w+)}", phrasing):
            while name not in made:
                value = self._draw(name.rstrip("2"))
                if value not in taken:
                    made[name] = value
                    taken.add(value)
        return made

    def _draw(self, name: str) -> str:
        if name in WORDS:
            return self.rng.choice(WORDS[name])
        return self._name(name) if name in SLOTS else self._figure(name)

    def _name(self, slot: str) -> str:
        if self.seen and self.rng.random() < SEEN:
            return self.rng.choice(self.seen.drawn[slot])
        while kept(name := "".join(map(self.rng.choice, SLOTS[slot]))) == (self.seen is None):
            pass
        self.drawn.setdefault(slot, []).append(name)
        return name

    def _figure(self, name: str) -> str:
        rng = self.rng
        match name:
            case "percent":
                return rng.choice((f"{rng.randint(3, 49)}%", f"{rng.randint(2, 39)}.{rng.randint(1, 9)}%"))
            case "rate":
                return rng.choice((f"{rng.randint(81, 98)}%", f"{rng.randint(82, 98)}.{rng.randint(1, 9)}%"))
            case "magnitude":
                return f"{rng.randint(3, 5)}.{rng.randint(0, 9)}"
            case "amount":
                return rng.choice((f"{rng.randint(11, 299) / 10:g}亿元", f"{rng.randint(2, 60)}亿元", f"{rng.randint(12, 98)}00万元"))
            case "small_amount":
                return f"{rng.randint(11, 98)}万元"
            case "people":
                return rng.choice((f"{rng.randint(11, 99) / 10:g}万", str(rng.randint(12, 98) * 100), str(rng.randint(1200, 9900))))
            case "count":
                return str(rng.randint(21, 480))
            case "few":
                return str(rng.randint(3, 20))
            case "handful":
                return str(rng.randint(3, 8))
            case "score":
                return f"{rng.randint(2, 6)}-{rng.randint(0, 1)}"
            case "price":
                return f"{rng.randint(8, 69)}99"
            case "yuan":
                return f"{rng.randint(2, 30)}.{rng.randint(1, 9)}"
            case "km":
                return f"{rng.randint(11, 68)}.{rng.randint(1, 9)}"
            case "month":
                return f"{rng.randint(1, 12)}月"
            case "day":
                return f"{rng.randint(1, 12)}月{rng.randint(1, 28)}日"
            case "age":
                return str(rng.randint(31, 88))
            case "year":
                return str(rng.randint(2008, 2019))
        raise ValueError(f"No value is known for {{{name}}}.")
