"""Phrasings of the news of schools, hospitals and towns of the title generation sample. See `_titling_phrasings.py`."""

from samples._titling_phrasings import Domain, Story

EDUCATION = Domain(
    stories=(
        Story(
            titles=(("{school}新增{major}专业 首批招生{count}人", "{school}获批新增{major}专业"), ("{major}专业落户{school}",)),
            tellings=(
                (
                    "今年的招生目录里多了一个新名字：{major}。|{school}招生办主任{person}介绍，该专业第一年计划录取{count}名本科生。",
                    "主管部门近日公布备案结果，{school}申报的{major}专业通过审核，明年秋季可以招收本科生。",
                    "{school}的{major}专业今年第一次招生，计划录取{count}名本科生，学制四年。",
                ),
                (
                    "{count}名本科生将成为{school}{major}专业的第一届学生，招生目录昨天公布。",
                    "通过审核的还有{major}，{school}为申报这个专业准备了{few}年。",
                    "{school}今年的招生目录里有一个新名字，{major}专业将录取{count}名本科生。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{policy}覆盖{people}名学生", "{place}中小学全面推行{policy}"), ("{people}名学生受益 {place}推行{policy}",)),
            tellings=(
                (
                    "家长再也不用为接送发愁。|{place}市教育局昨天通报，开展{policy}的学校已有{few}所，参加的孩子有{people}名。",
                    "从本学期起，{place}市所有中小学都要开设{policy}，不得收取费用，家长可以自愿报名。",
                    "{place}市开展{policy}的学校已有{few}所，参加的孩子有{people}名，家长不必再为接送发愁。",
                ),
                (
                    "参加的孩子达到{people}名，{place}市教育局介绍了{policy}开展一年来的情况。",
                    "自愿报名，不得收取费用：{policy}本学期进入{place}市所有中小学。",
                    "{place}市{people}名孩子参加了{policy}，教育局昨天通报了这一情况。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{exam}报名人数{grown}{percent}", "{place}{year}年{exam}{day}开始报名"), ("{place}{exam}报名{grown}{percent}",)),
            tellings=(
                (
                    "{place}市考试院的统计显示，今年填报{exam}的考生有{people}人，比去年{risen}{percent}。",
                    "想参加{year}年{exam}的考生请注意，{place}市的网上填报通道{day}打开，{handful}天后关闭。",
                    "{place}市今年填报{exam}的考生有{people}人，比去年{risen}{percent}，考试院昨天公布了这一统计。",
                ),
                (
                    "比去年{risen}{percent}，{place}市今年有{people}人填报{exam}。",
                    "{place}市考试院提醒，{day}起可在网上填报{year}年{exam}，逾期不再办理。",
                    "{place}市填报{exam}的考生比去年{risen}{percent}，考试院因此调整了考点。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "又到了学生和家长最忙的季节。", "教育的事，家家户户都放在心上。", "记者{person}昨天走进{place}的一所学校。", "前不久，{school}刚刚公布了毕业生去向。",
        ),
        ("“孩子的事没有小事。”家长{person}说。", "开学才一周，{place}的校园里已经热闹起来。", "招生、就业、考试，件件牵动人心。", "走进{school}，随处可见忙碌的身影。"),
    ),
    details=(
        (
            "家长{person}对此表示关注。", "{school}的教授{person}认为，服务还要跟上。", "下一步，{place}也会有类似的举措。", "有关经费约{small_amount}，由财政承担。",
            "详细信息可以在网站上查询。", "去年，这方面的投诉减少了{percent}。",
        ),
        ("在{school}任教的{person}也参加了讨论。", "教师们为此准备了{few}个月。", "{place}市的学生同样关注。", "热线电话每天接到{count}个咨询。", "{place}的家长{person}希望办得更细一些。"),
    ),
)  # fmt: skip

HEALTH = Domain(
    stories=(
        Story(
            titles=(("{hospital}完成首例{surgery}",), ("首例{surgery}在{hospital}完成",)),
            tellings=(
                (
                    "术后第三天，患者已能下床走动。|这台{surgery}由{hospital}主任{person}主刀，在该院历史上还是第一次。",
                    "填补院内空白！|{hospital}的团队日前历时{handful}小时，做下了该院历史上的第一台{surgery}。",
                    "{hospital}历史上的第一台{surgery}日前由主任{person}主刀，历时{handful}小时。",
                ),
                (
                    "历时{few}小时的{surgery}顺利结束，在{hospital}，这样的手术还是第一次。",
                    "该院历史上的第一台{surgery}昨天做完了，{hospital}主任{person}走出手术室，松了一口气。",
                    "{hospital}的团队做下第一台{surgery}，填补院内空白。",
                ),
            ),
        ),
        Story(
            titles=(("{hospital}为{age}岁患者成功实施{surgery}",), ("{age}岁患者在{hospital}接受{surgery}",)),
            tellings=(
                (
                    "因病痛卧床{few}个月以后，{age}岁的{person}重新站了起来。|在{hospital}，医生给他做了{surgery}，手术十分顺利。",
                    "年龄大、风险高，{surgery}能不能做？|{hospital}多科会诊以后给出肯定的回答，{age}岁的患者如今已经出院。",
                    "{hospital}多科会诊以后，医生给{age}岁的{person}做了{surgery}，如今患者已能自己走路。",
                ),
                (
                    "手术十分顺利，{age}岁的患者已经出院，给他做{surgery}的是{hospital}的{person}团队。",
                    "多科会诊之后，{hospital}的医生决定给{age}岁的{person}做{surgery}，如今他已能自己走路。",
                    "{hospital}的医生给{age}岁的患者做了{surgery}，手术十分顺利，患者如今已经出院。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{group}可免费接种{vaccine}", "{place}启动{vaccine}接种"), ("{vaccine}在{place}免费接种",)),
            tellings=(
                (
                    "{place}市疾控中心发出通知，{group}本月起打{vaccine}不用花钱，带上身份证明到社区即可。",
                    "第一批{vaccine}{people}支昨天运抵{place}市，{few}个社区门诊开始为居民注射。",
                    "{place}市{group}本月起打{vaccine}不用花钱，疾控中心请市民带上身份证明。",
                ),
                (
                    "不用花钱就能打{vaccine}，{place}市的{group}本月起可以带上身份证明到社区办理。",
                    "{few}个社区门诊昨天开始注射{vaccine}，{place}市居民{person}打了第一针。",
                    "{place}市疾控中心通知，{group}打{vaccine}不用花钱。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "看病难不难，群众的感受最直接。", "健康是每个家庭最朴素的愿望。", "在{hospital}的候诊大厅里，{person}讲起了自己的经历。", "从{place}转来的病人越来越多。",
        ),
        ("昨天上午，{hospital}传出一阵掌声。", "对医生{person}来说，这是忙碌的一周。", "让群众少跑路、看好病，是医院的目标。", "家住{place}的{person}起初并不放心。"),
    ),
    details=(
        (
            "来自{hospital}的专家{person}到场指导。", "相关费用可由医保报销{percent}。", "医生提醒，出现不适要及时就诊。", "据介绍，{place}每年有{people}人需要这样的帮助。",
            "护士长{person}说，全科室都为此做了准备。", "此前，{hospital}也派人来学习过。",
        ),
        ("另一位患者{person}的家人送来了锦旗。", "{place}市的医院将陆续跟进。", "专家{person}提醒市民注意休息。", "同类项目在{hospital}也已提上日程。", "来自{place}的{person}专程前来咨询。"),
    ),
)  # fmt: skip

LOCAL = Domain(
    stories=(
        Story(
            titles=(("{place}警方破获{crime} 涉案{amount}", "{place}警方破获一起{crime}"), ("涉案{amount} {place}破获{crime}",)),
            tellings=(
                (
                    "辗转{few}个省份之后，{place}市公安局把{count}名嫌疑人押解回来。|这起{crime}的流水高达{amount}。",
                    "一条线索牵出一个团伙。|{place}市公安局昨天通报，{few}名嫌疑人落网，一起{crime}的来龙去脉由此查清。",
                    "{place}市公安局昨天通报，一起{crime}的来龙去脉已经查清，流水高达{amount}。",
                ),
                (
                    "流水高达{amount}的{crime}终于查清，{place}市公安局押解回{few}名嫌疑人。",
                    "{few}名嫌疑人落网，{place}市公安局昨天通报了一起{crime}的来龙去脉。",
                    "{place}市公安局查清一起{crime}，{few}名嫌疑人落网，流水高达{amount}。",
                ),
            ),
        ),
        Story(
            titles=(("{place}“{service}”上线 {people}人已使用", "{place}推出“{service}”服务"), ("{place}上线“{service}”服务",)),
            tellings=(
                (
                    "打开手机，点几下就能办好。|“{service}”在{place}市试运行一个月来，用过它的市民有{people}人。",
                    "排队的烦恼有望减少。|{place}市政务中心昨天表示，“{service}”功能本周开放，老人可请志愿者帮忙。",
                    "{place}市的“{service}”功能试运行一个月，用过它的市民有{people}人。",
                ),
                (
                    "用过的市民已有{people}人，{place}市政务中心说，“{service}”试运行情况良好。",
                    "本周开放的新功能叫“{service}”，{place}市民以后可以少跑几趟。",
                    "{place}市本周开放“{service}”功能，市民打开手机点几下就能办好。",
                ),
            ),
        ),
        Story(
            titles=(("{place}旧改惠及{people}户居民", "{place}今年改造{count}个老旧小区"), ("{people}户居民受益 {place}推进旧改",)),
            tellings=(
                (
                    "装电梯、换管道、添车位，{place}市老旧小区换了新颜。|两年来，从改造中得到好处的居民有{people}户。",
                    "{place}市住建部门的清单显示，年内有{count}个老旧小区要装电梯、换管道，居民可以提意见。",
                    "{place}市两年来改造老旧小区{few}个，从中得到好处的居民有{people}户。",
                ),
                (
                    "{people}户居民从老旧小区改造中得到好处，这是{place}市两年来的成绩。",
                    "年内要换管道的老旧小区有{count}个，{place}市住建部门公布了清单。",
                    "{place}市{people}户居民从老旧小区改造中得到好处，不少楼装上了电梯。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{age}岁老人{person}捐款{small_amount}助学", "{place}老人{person}捐资助学"), ("捐款{small_amount} {place}{age}岁老人{person}助学",)),
            tellings=(
                (
                    "一辈子省吃俭用，{age}岁的{person}把积蓄{small_amount}交给了{place}市慈善总会，希望用来帮助读不起书的孩子。",
                    "在{place}市的一条老街上，退休工人{person}家里挂着{few}张孩子们的合影，他们上学的钱都是老人出的。",
                    "{place}市{age}岁老人{person}把积蓄{small_amount}交给慈善总会，希望用来帮助读不起书的孩子。",
                ),
                (
                    "希望用来帮助读不起书的孩子，{place}市{age}岁的{person}拿出积蓄{small_amount}。",
                    "{few}个孩子上学的钱，都是{place}市退休工人{person}出的。",
                    "{place}市的{person}今年{age}岁，拿出积蓄{small_amount}，希望用来帮助读不起书的孩子。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "城市的故事，藏在一件件小事里。", "昨天一早，记者{person}来到{road}。", "民有所呼，我有所应。", "同样的事情，{place}三年前也发生过。",
        ),
        ("消息是从{place}传来的。", "在{road}住了{few}年的{person}最有体会。", "老百姓的事，没有小事。", "{place}街头，人们都在谈论同一件事。"),
    ),
    details=(
        (
            "社区干部{person}说，大家都很关心这件事。", "{place}市最近也有类似的消息。", "{road}的居民{person}已经打听过好几次。", "记者了解到，相关工作仍在继续。", "热线每天接到{count}个电话。",
            "{company}表示愿意提供帮助。",
        ),
        ("邻居{person}也听说了这件事。", "下月，工作人员还将前往{place}。", "{company}的职工纷纷转发了消息。", "有关部门提醒市民留意通知。", "记者离开时，{person}还在忙碌。"),
    ),
)  # fmt: skip
