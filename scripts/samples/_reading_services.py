"""Phrasings of the reading comprehension sample: medicines, railways, examinations. See `_reading_phrasings.py`."""

from samples._reading_phrasings import Domain, Fact

MEDICINE = Domain(
    it=("本品", "该药"),
    openings=(
        ("{name}用于{form}。", "您好，{name}主要用于{form}。", "{name}是常见的家庭备用药，用于{form}。"),
        ("家里备着{name}的人不少，它用于{form}。",),
    ),
    fillers=(
        "药师{other}提醒，症状加重应及时就医", "有{other_count}名用户留言询问", "{other_date}更换过包装",
        "过敏体质者慎用", "饮食宜清淡，每天喝水{other_water}", "具体情况请遵医嘱",
    ),
    echoes=(
        "{maker}在当地很有名", "有人觉得{price}太贵", "{course}听起来长，其实一晃就过",
        "刚满{effect}不必着急",
    ),
    facts={
        "dose": Fact(
            ("{it}每次服用{dose}", "{it}一次用量为{dose}"), ("服用{it}，每次的用量是{dose}",),
            ("{name}每次吃多少", "{name}每次服用多少", "{name}一次用量"), ("{name}的用量是每次多少", "{name}一次吃几片"),
        ),
        "times": Fact(
            ("{it}一天服用{times}", "{it}每天{times}"), ("服用{it}以一天{times}为准",),
            ("{name}一天吃几次", "{name}每天服用几次", "{name}一天几次"), ("{name}一天要服用多少次", "每天吃几次{name}"),
        ),
        "child": Fact(
            ("儿童服用{it}每次{child}", "{it}儿童用量为{child}"), ("{it}给儿童服用时只要{child}",),
            ("{name}儿童用量", "儿童每次服用{name}多少", "{name}儿童吃多少"), ("儿童吃{name}的用量是多少", "小孩吃{name}吃多少"),
        ),
        "course": Fact(
            ("{it}以{course}为一个疗程", "{it}一个疗程是{course}"), ("{it}的疗程为[{course}左右]",),
            ("{name}一个疗程多久", "{name}疗程", "{name}的疗程是几天"), ("{name}多少天一个疗程", "{name}要吃多久"),
        ),
        "effect": Fact(
            ("{it}服后[大约{effect}]起效", "吃下{it}{effect}就会起效"), ("{it}的起效时间是{effect}",),
            ("{name}多久起效", "{name}起效时间", "{name}吃了多长时间起效"), ("{name}需要多久才起效", "{name}多久见效"),
        ),
        "age": Fact(
            ("{it}适用于{age}人群", "{it}的适用年龄是{age}"), ("{age}的人适用{it}",),
            ("{name}适用年龄", "{name}适用于多大年龄", "{name}适用于什么人群"), ("{name}适用多少岁的人", "多大的人适用{name}"),
        ),
        "price": Fact(
            ("{it}每盒{price}", "{it}的价格是一盒{price}"), ("买一盒{it}要{price}",),
            ("{name}多少钱一盒", "{name}价格", "{name}的价格是多少"), ("{name}一盒要多少钱", "买{name}多少钱"),
        ),
        "maker": Fact(
            ("{it}由{maker}生产", "{maker}生产{it}"), ("{it}的生产厂家是{maker}",),
            ("{name}是哪家公司生产的", "{name}生产厂家", "{name}的生产厂家是哪个"), ("{name}由谁生产", "{name}是哪里生产的"),
        ),
    },
)  # fmt: skip

RAILWAY = Domain(
    it=("该线", "全线"),
    openings=(
        ("{name}连接{begin}与{end}。", "{name}是{begin}到{end}的一条线路。", "从{begin}去{end}，可以走{name}。"),
        ("{name}，从{begin}到{end}，近来乘客越来越多。",),
    ),
    fillers=(
        "工程师{other}在这里工作了{other_years}", "{other_date}试运行时曾晚点{other_minutes}", "每天大约有{other_count}人乘坐",
        "站台上有免费的热水", "途经{other_place}时可以看到海", "出发前最好查一下最新时刻",
    ),
    echoes=(
        "{opened}之前，两地之间只能坐汽车", "{fare}比大巴贵一些", "{duration}刚好够看一部电影",
        "错过{last}就只能住下了", "{started}前后，沿线还是农田",
    ),
    facts={
        "opened": Fact(
            ("{it}于{opened}开通", "{opened}，{it}正式开通"), ("{it}的开通时间是{opened}",),
            ("{name}什么时候开通", "{name}开通时间", "{name}哪天开通的"), ("{name}何时开通", "{name}是哪一年开通的", "{name}几时通车"),
        ),
        "started": Fact(
            ("{it}于{started}开工", "{started}，{it}开工建设"), ("{it}的开工时间是{started}",),
            ("{name}什么时候开工", "{name}开工时间", "{name}是哪年开工的"), ("{name}何时开工建设", "{name}哪年动工"),
        ),
        "length": Fact(
            ("{it}全长{length}", "{it}线路长[约{length}]"), ("{it}的总长为{length}",),
            ("{name}全长多少公里", "{name}全长", "{name}线路有多长"), ("{name}总长是多少", "{name}总共多长"),
        ),
        "duration": Fact(
            ("坐完{it}全程需要{duration}", "{it}全程[约{duration}]"), ("走{it}全程要花[{duration}左右]",),
            ("{name}全程需要多久", "{name}全程要多长时间", "{name}全程时间"), ("{name}跑完全程要多久", "坐{name}要几个小时"),
        ),
        "fare": Fact(
            ("{it}二等座票价{fare}", "{it}的二等座是{fare}"), ("乘坐{it}，二等座要{fare}",),
            ("{name}二等座多少钱", "{name}二等座票价", "{name}的二等座是多少"), ("坐{name}二等座要多少钱", "{name}二等座怎么卖"),
        ),
        "first_class": Fact(
            ("{it}一等座票价{first_class}", "{it}的一等座为{first_class}"), ("乘坐{it}，一等座要{first_class}",),
            ("{name}一等座多少钱", "{name}一等座票价", "{name}的一等座是多少"), ("坐{name}一等座要多少钱", "{name}一等座怎么卖"),
        ),
        "first": Fact(
            ("{it}首班车{first}发车", "{it}的首班车时间为{first}"), ("{first}是{it}的首班车",),
            ("{name}首班车几点", "{name}首班车时间", "{name}首班车什么时候发车"), ("{name}的首班是几点", "{name}最早一班几点"),
        ),
        "last": Fact(
            ("{it}末班车{last}发车", "{last}是{it}的末班车"), ("{it}的末班车时间为{last}",),
            ("{name}末班车几点", "{name}末班车时间", "{name}末班车什么时候发车"), ("{name}的末班是几点", "{name}最晚一班几点"),
        ),
    },
)  # fmt: skip

EXAM = Domain(
    it=("考试", "该考试"),
    openings=(
        ("{name}安排已经公布。", "不少考生在问{name}的安排。", "{name}由{place}考试院组织。"),
        ("关于{name}，考生关心的问题汇总如下。",),
    ),
    fillers=(
        "去年有{other_count}人参加", "培训老师{other}建议提前复习", "往年{other_percent}的考生一次通过",
        "补习班的价格在{other_price}上下", "请以官方通知为准", "考场附近停车不便",
    ),
    echoes=(
        "{held}可能有雨", "{fee}对学生来说不算少", "网传{result}出分，一度引起误会",
        "{passing}看起来不高，其实不易",
    ),
    facts={
        "apply": Fact(
            ("{it}报名时间为{apply}", "{it}的报名从{apply}"), ("{it}在{apply}报名",),
            ("{name}报名时间", "{name}什么时候报名", "{name}的报名时间是几号到几号"), ("{name}何时报名", "{name}哪几天可以报名"),
        ),
        "print": Fact(
            ("{it}的准考证打印时间是{print}", "{print}打印{it}准考证"), ("{it}准考证在{print}打印",),
            ("{name}准考证打印时间", "{name}什么时候打印准考证", "{name}准考证几号打印"), ("{name}准考证哪天可以打印", "{name}何时打印准考证"),
        ),
        "held": Fact(
            ("{it}于{held}开考", "{held}，{it}正式开考"), ("{it}的开考时间是{held}",),
            ("{name}什么时候开考", "{name}开考时间", "{name}几号开考"), ("{name}是哪天开考的", "{name}何时开考", "{name}考试日期"),
        ),
        "result": Fact(
            ("{it}成绩在{result}公布", "{it}的成绩查询时间是{result}"), ("{result}可以查询{it}成绩",),
            ("{name}什么时候查成绩", "{name}成绩查询时间", "{name}成绩几号公布"), ("{name}成绩哪天可以查询", "{name}何时公布成绩", "{name}什么时候出分"),
        ),
        "fee": Fact(
            ("{it}报名费{fee}", "{it}的报名费用为{fee}"), ("参加{it}要交报名费{fee}",),
            ("{name}报名费多少", "{name}报名费", "{name}报名费用是多少钱"), ("{name}要交多少报名费", "考{name}要多少钱"),
        ),
        "full": Fact(
            ("{it}满分{full}", "{it}的满分为{full}"), ("{it}试卷满分是{full}",),
            ("{name}满分多少", "{name}满分", "{name}满分是多少分"), ("{name}试卷的满分有多少", "{name}总分是多少"),
        ),
        "passing": Fact(
            ("{it}合格线为{passing}", "{it}的合格线是{passing}"), ("{it}把合格线定在{passing}",),
            ("{name}合格线多少分", "{name}合格线", "{name}多少分合格"), ("{name}的合格线有多少分", "{name}考多少分算合格"),
        ),
        "subjects": Fact(
            ("{it}科目有{subjects}", "{it}的考试科目是{subjects}"), ("{it}要考的科目包括{subjects}",),
            ("{name}考哪些科目", "{name}考试科目", "{name}科目有什么"), ("{name}科目包括哪几门", "{name}要考什么"),
        ),
    },
)  # fmt: skip
