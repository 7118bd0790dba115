"""Phrasings of the reading comprehension sample: companies, phones, price lists, recipes. See `_reading_phrasings.py`."""

from samples._reading_phrasings import Domain, Fact

COMPANY = Domain(
    it=("公司", "该公司"),
    openings=(
        ("{name}是一家从事{form}的企业。", "{name}主要做{form}。", "最近有读者问起{name}，这里整理一下它的资料。"),
        ("在{form}这一行，{name}算是一家老企业。",),
    ),
    fillers=(
        "分析师{other}看好这个行业", "{other_date}的年会上有{other_count}人到场", "位于{other_place}的仓库正在扩建",
        "前员工{other}后来自己开店", "同行的平均毛利在{other_percent}上下", "产品的包装近年换过几次",
    ),
    echoes=(
        "{founder}和{chairman}都是本地人", "{place}的生活成本不高", "{founded}前后，同行还不多",
        "{founder}喜欢跑步", "{listed}前后，行情并不好",
    ),
    facts={
        "founder": Fact(
            ("{it}的创始人是{founder}", "{it}由{founder}创办"), ("{founder}创办了{it}",),
            ("{name}的创始人是谁", "{name}创始人", "谁创办了{name}"), ("{name}是谁创办的", "{name}由何人创办"),
        ),
        "chairman": Fact(
            ("{it}现任董事长为{chairman}", "{chairman}出任{it}董事长"), ("{it}的董事长是{chairman}",),
            ("{name}董事长是谁", "{name}现任董事长", "谁是{name}的董事长"), ("{name}的董事长叫什么", "{name}现在的董事长是谁"),
        ),
        "founded": Fact(
            ("{it}成立于{founded}", "{founded}，{it}宣告成立"), ("{it}的成立时间是{founded}",),
            ("{name}成立于哪一年", "{name}成立时间", "{name}什么时候成立"), ("{name}是哪年成立的", "{name}何时成立", "{name}哪年创建"),
        ),
        "listed": Fact(
            ("{it}于{listed}上市", "{listed}，{it}挂牌上市"), ("{it}的上市时间是{listed}",),
            ("{name}什么时候上市", "{name}上市时间", "{name}哪一年上市的"), ("{name}何时上市", "{name}是哪年上市的"),
        ),
        "place": Fact(
            ("{it}总部位于{place}", "{it}的总部设在{place}"), ("{it}把总部放在{place}",),
            ("{name}总部在哪里", "{name}总部", "{name}总部位于哪个城市"), ("{name}的总部设在哪儿", "{name}总部是在什么地方"),
        ),
        "staff": Fact(
            ("{it}有员工{staff}", "{it}员工总数[约{staff}]"), ("{staff}员工在{it}工作",),
            ("{name}有多少员工", "{name}员工人数", "{name}员工总数是多少"), ("{name}的员工有多少人", "{name}一共多少员工"),
        ),
        "revenue": Fact(
            ("{it}去年营收为{revenue}", "{it}上年度营收[约{revenue}]"), ("去年{it}实现营收[超过{revenue}]",),
            ("{name}去年营收多少", "{name}营收", "{name}的营收是多少"), ("{name}一年营收有多少", "{name}上年度营收多少钱"),
        ),
        "capital": Fact(
            ("{it}注册资本{capital}", "{it}的注册资本为{capital}"), ("{it}登记的注册资本是{capital}",),
            ("{name}注册资本多少", "{name}注册资本", "{name}的注册资本是多少"), ("{name}登记的注册资本有多少", "{name}注册资金多少"),
        ),
    },
)  # fmt: skip

PHONE = Domain(
    it=("该机", "这款手机", "新机"),
    openings=(
        ("{name}是{brand}推出的一款手机。", "{name}怎么样？下面看一下它的参数。", "{brand}的新手机{name}最近讨论的人不少。"),
        ("今天拿到了新手机{name}，简单说说配置。",),
    ),
    fillers=(
        "评测人{other}用了{other_days}才写完体验", "包装盒比上一代轻了{other_grams}", "开售当天卖出{other_count}台",
        "线上另送价值{other_price}的保护壳", "手感比想象中好一些", "信号表现中规中矩",
    ),
    echoes=(
        "{price}这个价位竞争激烈", "{chip}去年就有人用过", "有人觉得{battery}不太够",
        "{screen}握在手里刚好", "{release}前后还有两家也开了会",
    ),
    facts={
        "battery": Fact(
            ("{it}电池容量为{battery}", "{it}内置{battery}电池"), ("{it}配备的电池是{battery}",),
            ("{name}电池容量", "{name}电池多大", "{name}的电池容量是多少"), ("{name}配备多大的电池", "{name}电池有多少毫安"),
        ),
        "screen": Fact(
            ("{it}采用{screen}屏幕", "{it}的屏幕尺寸为{screen}"), ("{it}的屏幕是{screen}的",),
            ("{name}屏幕多大", "{name}屏幕尺寸", "{name}采用多大的屏幕"), ("{name}的屏幕是多少英寸", "{name}屏幕有几寸"),
        ),
        "weight": Fact(
            ("{it}重量为{weight}", "{it}机身重量[约{weight}]"), ("{it}整机重[{weight}左右]",),
            ("{name}重量多少", "{name}重量", "{name}机身有多重"), ("{name}的重量是多少克", "{name}整机重多少"),
        ),
        "price": Fact(
            ("{it}售价{price}", "{it}的起售价为{price}"), ("{it}在官网的售价是[{price}起]",),
            ("{name}售价多少", "{name}售价", "{name}的起售价是多少"), ("{name}官网售价多少钱", "买{name}要多少钱"),
        ),
        "chip": Fact(
            ("{it}搭载{chip}处理器", "{it}的处理器是{chip}"), ("{it}处理器型号为{chip}",),
            ("{name}处理器是什么", "{name}处理器", "{name}搭载什么处理器"), ("{name}的处理器型号是哪个", "{name}用的什么芯片"),
        ),
        "camera": Fact(
            ("{it}后置{camera}主摄", "{it}主摄像头为{camera}"), ("{it}的主摄达到{camera}",),
            ("{name}主摄多少像素", "{name}主摄像头", "{name}后置主摄是多少"), ("{name}的主摄有多少像素", "{name}拍照像素多少"),
        ),
        "selfie": Fact(
            ("{it}前置摄像头{selfie}", "{it}前置{selfie}镜头"), ("{it}的前置镜头有{selfie}",),
            ("{name}前置摄像头多少像素", "{name}前置摄像头", "{name}前置是多少像素"), ("{name}的前置镜头有多少像素", "{name}自拍镜头多少像素"),
        ),
        "release": Fact(
            ("{it}于{release}发布", "{release}，{it}正式发布"), ("{it}的发布时间为{release}",),
            ("{name}什么时候发布", "{name}发布时间", "{name}哪天发布的"), ("{name}何时发布", "{name}的发布日期是哪天"),
        ),
        "colour": Fact(
            ("{it}有{colour}三种颜色", "{it}的颜色有{colour}"), ("{it}提供{colour}等颜色",),
            ("{name}有哪些颜色", "{name}颜色", "{name}有什么颜色"), ("{name}提供哪几种颜色", "{name}的颜色有几种可选"),
        ),
    },
)  # fmt: skip

PRICES = Domain(
    it=("本店", "店里"),
    openings=(
        ("{name}价目表如下。", "有网友问{name}收费情况，整理如下。", "{name}最新收费标准公布。"),
        ("下面是{name}这个月的价格。",),
    ),
    fillers=(
        "充值满{other_price}可以打九折", "老板{other}做这行已经{other_years}", "上个月来了{other_count}位新顾客",
        "以上价格仅供参考，具体以店内为准", "节假日不加价",
    ),
    echoes=(
        "{down}在附近不算贵", "{card}的门槛不高", "邻居说{suit}还能再谈",
    ),
    facts={
        "down": Fact(
            ("{it}清洗羽绒服{down}", "{it}羽绒服的清洗价格是{down}"), ("羽绒服在{it}清洗要{down}",),
            ("{name}洗羽绒服多少钱", "{name}羽绒服清洗价格", "{name}羽绒服怎么收费"), ("在{name}羽绒服要多少钱", "{name}清洗羽绒服的价格是多少"),
        ),
        "suit": Fact(
            ("{it}干洗西装{suit}", "{it}西装干洗价格{suit}"), ("西装在{it}干洗是{suit}",),
            ("{name}干洗西装多少钱", "{name}西装干洗价格", "{name}西装怎么收费"), ("在{name}西装干洗要多少", "{name}洗一套西装多少钱"),
        ),
        "shoes": Fact(
            ("{it}洗鞋{shoes}", "{it}运动鞋清洗{shoes}"), ("运动鞋在{it}清洗只要{shoes}",),
            ("{name}洗鞋多少钱", "{name}运动鞋清洗价格", "{name}洗运动鞋多少钱"), ("在{name}洗一双鞋要多少", "{name}运动鞋怎么收费"),
        ),
        "curtain": Fact(
            ("{it}窗帘清洗{curtain}", "{it}洗窗帘按面积算，{curtain}"), ("窗帘在{it}按{curtain}收费",),
            ("{name}洗窗帘多少钱", "{name}窗帘清洗价格", "{name}窗帘清洗怎么算"), ("在{name}清洗窗帘要多少钱", "{name}窗帘怎么收费"),
        ),
        "card": Fact(
            ("{it}的会员卡{card}", "{it}办理会员卡需{card}"), ("在{it}办会员卡要{card}",),
            ("{name}会员卡多少钱", "{name}会员卡", "{name}办会员卡要多少钱"), ("在{name}办理会员卡的费用是多少", "{name}会员卡怎么卖"),
        ),
        "hours": Fact(
            ("{it}营业时间{hours}", "{it}每天{hours}营业"), ("{it}的营业时间是{hours}",),
            ("{name}营业时间", "{name}几点营业", "{name}营业到几点"), ("{name}什么时间营业", "{name}每天几点到几点开门营业"),
        ),
        "days": Fact(
            ("{it}取件时间[一般为{days}]", "在{it}洗完{days}可以取件"), ("{it}要等{days}才能取件",),
            ("{name}几天可以取件", "{name}取件时间", "{name}要多久取件"), ("{name}多久能取件", "在{name}洗衣服要等几天"),
        ),
        "phone": Fact(
            ("{it}电话{phone}", "{it}的预约电话是{phone}"), ("预约{it}请拨打电话{phone}",),
            ("{name}电话", "{name}电话是多少", "{name}预约电话"), ("{name}的电话号码是多少", "怎么打电话预约{name}"),
        ),
    },
)  # fmt: skip

RECIPE = Domain(
    it=("这道菜", "此菜"),
    openings=(
        ("{name}是一道家常菜。", "今天教大家做{name}。", "{name}的做法其实不难。"),
        ("想吃{name}不用去饭店，在家就能做。",),
    ),
    fillers=(
        "出锅前撒{other_grams}葱花", "第一次做可以多准备{other_grams}姜片", "网友{other}说加点醋更好吃",
        "剩下的汤汁冷藏可放{other_days}", "家里有老人的话切得小一些", "火候比调料更要紧",
    ),
    echoes=(
        "{origin}人口味偏重", "有人说{stew}太久，其实不然", "{heat}听起来高，其实正好",
        "赶时间的人嫌{pickle}太长",
    ),
    facts={
        "meat": Fact(
            ("{it}需要{stuff}{meat}", "{it}要用{stuff}{meat}"), ("做{it}先准备{stuff}{meat}",),
            ("{name}需要多少{stuff}", "{name}{stuff}用量", "{name}要用{stuff}多少克"), ("做{name}要准备多少{stuff}", "{name}放多少{stuff}"),
        ),
        "salt": Fact(
            ("{it}放盐{salt}", "{it}用盐[大约{salt}]"), ("做{it}加盐{salt}就够",),
            ("{name}放多少盐", "{name}用盐多少", "{name}盐的用量"), ("做{name}要加多少盐", "{name}加几克盐"),
        ),
        "sugar": Fact(
            ("{it}加白糖{sugar}", "{it}里白糖放{sugar}"), ("做{it}用白糖{sugar}",),
            ("{name}加多少白糖", "{name}白糖用量", "{name}白糖放多少"), ("做{name}要用多少白糖", "{name}放几克糖"),
        ),
        "pickle": Fact(
            ("{it}要腌制{pickle}", "{it}事先腌制[{pickle}左右]"), ("做{it}之前把肉腌制{pickle}",),
            ("{name}要腌制多久", "{name}腌制时间", "{name}腌制多长时间"), ("做{name}腌制需要多久", "{name}的肉要腌多久"),
        ),
        "stew": Fact(
            ("{it}小火焖{stew}", "{it}需小火慢焖[约{stew}]"), ("做{it}转小火再焖{stew}",),
            ("{name}小火焖多久", "{name}要焖多长时间", "{name}焖的时间"), ("做{name}小火要焖多久", "{name}需要慢焖几分钟"),
        ),
        "heat": Fact(
            ("{it}的油温控制在{heat}", "{it}下锅油温为{heat}"), ("做{it}油温[以{heat}为宜]",),
            ("{name}油温多少", "{name}油温", "{name}油温控制在多少度"), ("做{name}油温要多少度", "{name}下锅的油温是多少"),
        ),
        "calorie": Fact(
            ("{it}每份热量{calorie}", "{it}一份的热量[约{calorie}]"), ("吃一份{it}，热量是{calorie}",),
            ("{name}热量多少", "{name}热量", "{name}一份热量是多少"), ("{name}每份有多少热量", "吃{name}热量高吗，多少大卡"),
        ),
        "origin": Fact(
            ("{it}起源于{origin}", "{origin}是{it}的起源地"), ("{it}最早起源于{origin}一带",),
            ("{name}起源于哪里", "{name}起源", "{name}最早起源于什么地方"), ("{name}的起源地是哪", "{name}是哪里的菜"),
        ),
    },
)  # fmt: skip
