"""Phrasings of the news of traffic, nature and business of the title generation sample. See `_titling_phrasings.py`."""

from samples._titling_phrasings import Domain, Story

TRANSPORT = Domain(
    stories=(
        Story(
            titles=(("{place}{line}开通 全长{km}公里", "{place}{line}正式开通"), ("全长{km}公里的{place}{line}开通",)),
            tellings=(
                (
                    "{day}清晨，首班列车驶出{station}，{place}市{line}迎来第一批乘客。|线路全长{km}公里，设车站{few}座。",
                    "市民{person}一早就到站台排队，想坐一坐新线路。|{day}起，{place}市{line}投入载客运营，高峰时每{few}分钟一班。",
                    "从{station}到机场今后只要{few}分钟。|{day}，{place}市{line}迎来第一批乘客，线路全长{km}公里，全部采用无人驾驶列车。",
                    "{place}市{line}{day}迎来第一批乘客，全长{km}公里，沿途设站{few}座。",
                ),
                (
                    "经过{few}个月的空载试运行，全长{km}公里的{line}{day}在{place}市投入载客运营。",
                    "“比开车快多了。”家住{station}附近的{person}这样评价{place}市{line}，{day}，这条线路迎来第一批乘客。",
                    "{place}市{line}全长{km}公里，{day}投入载客运营，沿途有{few}座车站。",
                ),
            ),
        ),
        Story(
            titles=(("{bridge}合龙 预计明年{month}通车", "{bridge}顺利合龙"), ("{bridge}主体合龙",)),
            tellings=(
                (
                    "{day}，随着最后一节钢箱梁吊装到位，{bridge}主体全线贯通。|桥面铺装完成以后，明年{month}即可放行车辆。",
                    "由{company}承建的桥梁工程传来好消息：{day}，工人完成最后一段主梁的焊接，{bridge}两岸从此连在一起。",
                    "{bridge}{day}完成最后一节钢箱梁的吊装，主体全线贯通，明年{month}即可放行车辆。",
                ),
                (
                    "最后一节钢箱梁缓缓落下，两岸的建设者挥手欢呼。|至此，{bridge}全线贯通，明年{month}即可放行车辆。",
                    "项目经理{person}介绍，{bridge}主体{day}全线贯通，最后一段主梁的焊接用了{handful}个小时。",
                    "{bridge}的最后一段主梁昨天焊接完毕，至此全线贯通，明年{month}即可放行车辆。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{fare}{day}起{raised}{percent}", "{place}拟{raised}{fare}"), ("{day}起{place}{fare}{raised}{percent}",)),
            tellings=(
                (
                    "{place}市发展改革部门公布价格方案，{fare}将{risen}{percent}，自{day}起执行。",
                    "关于{fare}要不要{risen}，{place}市昨天召开听证会。|参加会议的{few}名代表中，多数表示赞成，方案最快下月公布。",
                    "自{day}起，{place}市民出行的花费将有变化。|根据新的价格方案，{fare}{risen}{percent}，学生和老人仍享受优惠。",
                    "{place}市{fare}自{day}起{risen}{percent}，发展改革部门昨天公布的价格方案这样规定。",
                ),
                (
                    "听证会开过一个月以后，方案终于公布：{day}起，{place}市的{fare}{risen}{percent}。",
                    "{fare}是否{risen}，{place}市民有不同看法。|在昨天的听证会上，{few}名代表发了言，方案尚待公布。",
                    "{place}市的{fare}将{risen}{percent}，新的价格方案{day}起执行。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{road}封闭施工 {day}恢复通行", "{place}{road}今起封闭施工"), ("{place}{road}{day}恢复通行",)),
            tellings=(
                (
                    "交警提醒司机注意绕行：因地下管线改造，{place}市{road}双向禁止车辆驶入，{day}以后可正常行驶。",
                    "今天上午，{place}市{road}两端立起围挡，管线改造由此开始，{few}路公交车临时改道。",
                    "{place}市{road}因管线改造双向禁止车辆驶入，{day}以后可正常行驶，{few}路公交车临时改道。",
                ),
                (
                    "因管线改造，{place}市{road}两端立起围挡，禁止车辆驶入。|交警介绍，{day}以后这里可正常行驶。",
                    "从今天上午起，司机经过{place}市要绕开{road}，因为那里开始管线改造，双向禁止车辆驶入。",
                    "{place}市{road}今天上午立起围挡，管线改造期间禁止车辆驶入。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "早晚高峰怎么走更快，一直是{place}、{place2}等地上班族关心的话题。", "出行方便不方便，老百姓最有发言权。", "交通是城市的血脉，也是民生的大事。",
            "去年{month}，{company}曾就这一带的交通做过一次调查。",
        ),
        ("说起这几年的交通变化，{person}有一肚子话要讲。", "不少从{place}来的游客问：这里的路什么时候能修好？", "“每天上下班，最怕的就是堵车。”{person}说。", "{place}的出租车司机消息最灵通。"),
    ),
    details=(
        (
            "市民{person}说，以后去{station}上班能省下半个小时。", "{place}市今年也有类似的安排。", "交通部门表示，周边的公交线路将同步调整。",
            "据统计，上月全市公共交通日均运送乘客{people}人次。", "有关负责人{person}表示，相关信息会及时在网站上更新。", "此前，{company}参与了前期的论证。",
        ),
        (
            "住在{road}的{person}已经下载了出行软件。", "相关投资约为{amount}。", "同一天，{place}市的{station}完成了大修。", "交通部门提醒市民合理安排时间。", "家住{place}的{person}也听说了这个消息。",
        ),
    ),
)  # fmt: skip

NATURE = Domain(
    stories=(
        Story(
            titles=(("{place}{hazard}预警升级为{level}",), ("{hazard}预警升级 {place}发布{level}预警",)),
            tellings=(
                (
                    "{place}市气象台今天{few}时把{hazard}预警信号由黄色改为{level}，请市民减少外出。",
                    "受冷暖空气共同影响，{place}市部分乡镇天气骤变。|气象部门随即将{hazard}预警信号由黄色提高到{level}，{few}所学校停课。",
                    "{place}市{hazard}预警信号今天由黄色改为{level}，气象台请市民减少外出，{few}所学校停课。",
                ),
                (
                    "黄色变成了{level}：{place}市气象台今天再次更新{hazard}预警信号，市民应减少外出。",
                    "今天{few}时，{hazard}预警信号改为{level}，{place}市气象部门请司机谨慎驾驶。",
                    "{place}市气象部门今天把{hazard}预警信号提高到{level}，请司机谨慎驾驶。",
                ),
            ),
        ),
        Story(
            titles=(
                ("{place}{month}{pollutant}浓度{higher}{percent}", "{place}{pollutant}浓度明显{higher}"), ("{month}{place}{pollutant}浓度{higher}{percent}",),
            ),
            tellings=(
                (
                    "生态环境部门昨天通报{month}空气质量，{place}市{pollutant}平均浓度为每立方米{few}微克，比去年同月{risen}{percent}。",
                    "{pollutant}有什么变化？|监测站的数据表明，{place}市入冬以来{pollutant}的平均浓度{risen}不少，排在全省第{few}位。",
                    "与去年同月相比，{pollutant}的平均浓度{risen}{percent}，这是{place}市{month}空气质量通报中的一组数据。",
                    "{place}市{month}{pollutant}平均浓度为每立方米{few}微克，比去年同月{risen}{percent}，监测站昨天公布了这一数据。",
                ),
                (
                    "{month}的空气质量数据出炉，{pollutant}平均浓度比去年同月{risen}{percent}，{place}市在全省排第{few}位。",
                    "监测站技术员{person}发现，{place}市上空{pollutant}的平均浓度{risen}不少。",
                    "{place}市{pollutant}的平均浓度{month}比去年同月{risen}{percent}，生态环境部门昨天作了通报。",
                ),
            ),
        ),
        Story(
            titles=(("{wetland}现{count}只{bird}", "{wetland}首次记录到{bird}"), ("{bird}首次现身{wetland}",)),
            tellings=(
                (
                    "观鸟爱好者{person}在{wetland}拍到一种从未见过的鸟。|经专家辨认，这是{bird}，此前当地的鸟类名录里没有它。",
                    "护林员{person}的望远镜里出现了不速之客：{bird}。|这种鸟过去从未在{wetland}留下踪迹，专家说它可能是迁徙途中来歇脚的。",
                    "红外相机记录下难得的一幕：{count}只{bird}在{wetland}的浅水里觅食，岸边的芦苇刚刚返青。",
                    "{wetland}从未有过{bird}的踪迹，直到上周，护林员{person}在望远镜里看到了它。",
                ),
                (
                    "当地的鸟类名录又添一员。|经专家辨认，{person}在{wetland}拍到的是{bird}，过去这里从未有它的踪迹。",
                    "{bird}从未在这一带留下踪迹，直到上周，红外相机在{wetland}拍到了它。",
                    "{wetland}的浅水里，{count}只{bird}正在觅食，红外相机记录下这一幕。",
                ),
            ),
        ),
        Story(
            titles=(("{place}地震已致{few}人受伤", "{place}附近发生{magnitude}级地震"), ("{few}人在{place}地震中受伤",)),
            tellings=(
                (
                    "今天凌晨，{place}县附近大地突然晃动，震级为{magnitude}级。|截至发稿时，当地有{few}人被送往医院，没有人员死亡。",
                    "台网正式测定：今天凌晨{place}县附近的震动为{magnitude}级，不少居民从睡梦中惊醒，跑到空地上。",
                    "{place}县附近大地今天凌晨突然晃动，已有{few}人被送往医院，当地正在核查房屋受损情况。",
                ),
                (
                    "有{few}人被送往医院，没有人员死亡，这是今天凌晨{place}县附近大地晃动以后当地通报的情况。",
                    "不少居民从睡梦中惊醒。|台网测定，{place}县附近的这次震动为{magnitude}级。",
                    "{place}县附近的震动为{magnitude}级，不少居民从睡梦中惊醒，跑到空地上。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "这几天，人们见面时说的都是同一件事。", "人与自然怎样相处，是{place}人多年来一直在回答的问题。", "记者{person}日前到现场做了采访。",
            "去年这个时候，{place}也有过类似的情况。",
        ),
        ("清晨的{wetland}还笼罩在薄雾中。", "对住在{place}的{person}来说，这个早晨有些不同。", "{month}的{place}，早晚已有凉意。", "气候变化的影响，就在每个人身边。"),
    ),
    details=(
        (
            "专家{person}表示，公众不必过分担心。", "这样的情况，上一次出现是在{year}年。", "邻近的{place}市暂未受到影响。", "有关部门已派出工作组前往现场。",
            "{school}的研究人员将继续跟踪观察。", "市民可以拨打热线了解最新消息。",
        ),
        ("{person}从事这项工作已有{few}年。", "{place}市的同行也注意到了这一变化。", "最新数据每天更新一次。", "工作组由{few}人组成，带队的是{person}。", "学者{person}认为这并不意外。"),
    ),
)  # fmt: skip

BUSINESS = Domain(
    stories=(
        Story(
            titles=(("{company}{quarter}净利润{grown}{percent}", "{company}{quarter}业绩{grown}"), ("净利润{grown}{percent} {company}公布{quarter}业绩",)),
            tellings=(
                (
                    "{company}昨晚披露财务报告，{quarter}实现营业收入{amount}，归母净利润比上年同期{risen}{percent}。",
                    "受原材料行情影响，{company}{quarter}的经营数据有所变化。|公告说，营业收入为{amount}，利润有所{risen}。",
                    "归母净利润比上年同期{risen}{percent}，每股收益0.{count}元，这是{company}{quarter}交出的成绩单。",
                    "{company}{quarter}归母净利润{amount}，比上年同期{risen}{percent}，每股收益0.{count}元。",
                ),
                (
                    "{quarter}的成绩单出来了：{company}营业收入{amount}，归母净利润比上年同期{risen}{percent}。",
                    "公告说，{quarter}的利润有所{risen}，{company}的经营数据受到行情影响。",
                    "{company}{quarter}的归母净利润比上年同期{risen}{percent}，财务报告昨晚披露。",
                ),
            ),
        ),
        Story(
            titles=(("{company}拟{amount}收购{company2}", "{company}拟收购{company2}"), ("{company2}将被{company}收购",)),
            tellings=(
                (
                    "停牌{few}天之后，{company}发布公告，计划出资{amount}买下{company2}的全部股权。",
                    "{company2}可能要换主人。|知情人士{person}说，{company}正在与其股东商谈，打算买下该公司{percent}的股权。",
                    "{company}计划出资{amount}买下{company2}的全部股权，公告昨晚发布，股票今天复牌。",
                ),
                (
                    "{company2}的全部股权将以{amount}的价格转让，{company}昨天的公告披露了这一计划。",
                    "知情人士说，{company}打算买下{company2}{percent}的股权，双方仍在商谈。",
                    "{company}打算买下{company2}的全部股权，出资{amount}，公告昨天发布。",
                ),
            ),
        ),
        Story(
            titles=(("{startup}发布{device}{model} 售价{price}元起", "{startup}发布{device}{model}"), ("{startup}{device}{model}亮相 售价{price}元起",)),
            tellings=(
                (
                    "在昨天的新品会上，{startup}创始人{person}带来了{model}。|这款{device}重{count}克，最低配置的价格为{price}元。",
                    "传闻多时的{model}终于露面。|这款{device}由{startup}研制，续航时间比上一代增加{percent}，{month}开始预订。",
                    "{startup}的新款{device}{model}昨天露面，最低配置的价格为{price}元，{month}开始预订。",
                ),
                (
                    "最低配置的价格为{price}元，{startup}的{device}{model}在昨天的新品会上露面。",
                    "续航时间增加{percent}，{month}开始预订：{startup}创始人{person}昨天带来了{device}{model}。",
                    "{startup}昨天带来新款{device}{model}，最低配置的价格为{price}元。",
                ),
            ),
        ),
        Story(
            titles=(("{company}{amount}{factory}在{place}开工", "{company}{factory}落户{place}"), ("{place}{company}{factory}开工",)),
            tellings=(
                (
                    "{day}，{place}市高新区机器轰鸣，{factory}打下第一根桩。|项目由{company}建设，总投资{amount}，建成后可提供{count}个岗位。",
                    "{company}与{place}市政府昨天签约，将在当地建设{factory}，一期用地{count}亩。",
                    "{company}投资{amount}建设的{factory}，{day}在{place}市打下第一根桩。",
                ),
                (
                    "总投资{amount}，{company}的{factory}{day}打下第一根桩，地点在{place}市高新区。",
                    "签约仪式昨天举行，{place}市将迎来{company}建设的{factory}。",
                    "{company}的{factory}{day}在{place}市打下第一根桩，总投资{amount}。",
                ),
            ),
        ),
        Story(
            titles=(("{place}{goods}价格{dearer}{percent}", "{place}{goods}价格持续{dearer}"), ("{percent}！{place}{goods}价格{dearer}",)),
            tellings=(
                (
                    "记者走访{place}市多家农贸市场看到，{goods}每公斤卖到{yuan}元，比上月{risen}了{percent}。",
                    "“几乎一天一个价。”摊主{person}指着{goods}说。|在{place}市，它的批发价已经连续{few}周{risen}。",
                    "{place}市{goods}每公斤卖到{yuan}元，比上月{risen}了{percent}，摊主们说货源与往年不同。",
                ),
                (
                    "比上月{risen}{percent}，{place}市农贸市场的{goods}每公斤卖到{yuan}元。",
                    "连续{few}周，{goods}的批发价都在{risen}，{place}市的摊主{person}有些无奈。",
                    "{place}市农贸市场的{goods}比上月{risen}{percent}，每公斤卖到{yuan}元。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "{place}的投资者这几天一直盯着手机屏幕。", "市场总是在变化中寻找平衡。", "业内人士{person}早就料到会有这一天。", "与{company}的平淡相比，这边要热闹得多。",
        ),
        ("年关将近，各家企业纷纷亮出家底。", "“意料之中。”{company}分析师{person}这样说。", "资本市场从来不缺少话题。", "这个{month}，商界新闻不断。"),
    ),
    details=(
        (
            "分析师{person}认为，影响要到{month}才看得出来。", "{company}未作评论。", "总部在{place}的{company}没有回应采访。", "消费者{person}则表示还要再看看。",
            "同行业的{company}上月也有动作。", "截至收盘，相关个股换手率为{percent}。",
        ),
        ("{startup}此前也表示过兴趣。", "今年以来，行业规模已达{amount}。", "知情人士{person}没有透露更多细节。", "{place}市商务部门正在关注此事。", "{company}的股东{person}表示看好。"),
    ),
)  # fmt: skip
