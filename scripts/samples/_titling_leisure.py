"""Phrasings of the news of sport and culture of the title generation sample. See `_titling_phrasings.py`."""

from samples._titling_phrasings import Domain, Story

CULTURE = Domain(
    stories=(
        Story(
            titles=(("电影《{film}》定档{day} {person}执导", "电影《{film}》定档{day}"), ("{person}新片《{film}》定档{day}",)),
            tellings=(
                (
                    "片方昨天放出第一支预告，由{person}担任导演的《{film}》{day}与观众见面，片长{count}分钟。",
                    "经过{few}个月的后期制作，《{film}》终于有了上映的日子：{day}。|海报上，一盏灯照着空荡荡的街道。",
                    "电影《{film}》{day}与观众见面，导演{person}说，后期制作用了{few}个月。",
                ),
                (
                    "{day}，导演{person}的《{film}》将与观众见面，预告昨天放出。",
                    "上映的日子是{day}，《{film}》的片方昨天公布了海报。",
                    "电影《{film}》昨天放出预告，{person}担任导演，{day}与观众见面。",
                ),
            ),
        ),
        Story(
            titles=(("“{show}”特展亮相{museum} 展出文物{count}件", "“{show}”特展在{museum}开幕"), ("{museum}“{show}”特展开幕",)),
            tellings=(
                (
                    "展柜前排起了长队。|以“{show}”为名的展览昨天在{museum}与公众见面，{count}件藏品中，有一半是第一次走出库房。",
                    "从今天起，走进{museum}的观众可以看到“{show}”。|展览分{handful}个单元，持续到{month}，免费参观。",
                    "“{show}”展览昨天在{museum}与公众见面，{count}件藏品第一次走出库房。",
                ),
                (
                    "{count}件藏品走出库房，组成了名为“{show}”的展览，{museum}昨天迎来首批观众。",
                    "展览分{handful}个单元，名字叫“{show}”，今天起可以在{museum}免费参观。",
                    "“{show}”展览今天起在{museum}免费参观，观众可以看到{count}件藏品。",
                ),
            ),
        ),
        Story(
            titles=(("{site}出土{relic}等文物{count}件", "{site}出土{relic}"), ("{relic}在{site}出土",)),
            tellings=(
                (
                    "考古队在{site}的发掘持续了{few}个月，共清理出遗物{count}件，其中一件{relic}保存完好，十分罕见。",
                    "泥土一点点拨开，一件{relic}露出真容。|领队{person}说，这在{site}的发掘中还是头一回。",
                    "{site}的发掘清理出遗物{count}件，其中一件{relic}保存完好，十分罕见。",
                ),
                (
                    "一件保存完好的{relic}最引人注目，{site}的发掘共清理出遗物{count}件。",
                    "领队{person}捧出的是一件{relic}，它在{site}的泥土里沉睡了上千年。",
                    "{site}清理出的{count}件遗物中，一件{relic}保存完好。",
                ),
            ),
        ),
        Story(
            titles=(("{person}《{book}》获{award}", "《{book}》获{award}"), ("{award}揭晓 《{book}》获奖",)),
            tellings=(
                (
                    "从{count}部作品中脱颖而出，《{book}》昨晚捧回{award}。|作者{person}今年{age}岁，当过中学教师。",
                    "评委会昨晚宣布，{award}归于《{book}》，授奖词称它“写出了普通人的尊严”。",
                    "{person}的长篇小说《{book}》昨晚捧回{award}，评委称它写出了普通人的尊严。",
                ),
                (
                    "作者{person}没有想到，自己写了{few}年的《{book}》会捧回{award}。",
                    "授奖词只有一句话，评委会把{award}给了《{book}》。",
                    "{person}写了{few}年的《{book}》，昨晚捧回{award}。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "冬日的{place}，文化的味道越来越浓。", "一座城市的记忆，往往藏在细节里。", "等待总是值得的。", "继《{book}》之后，又一个好消息传来。",
        ),
        ("“没想到会有这么多人。”工作人员{person}说。", "说起{place}的文化，绕不开这样一件事。", "好作品自己会说话。", "对{place}的{person}来说，这是期待已久的日子。"),
    ),
    details=(
        (
            "学者{person}为此写了长文。", "来自{place}的{person}说，期待了很久。", "策划人是{person}。", "{museum}的同行也前来祝贺。", "相关的直播吸引了{people}人观看。",
            "此前，《{book}》也受到好评。",
        ),
        ("志愿者{person}连日来忙个不停。", "{museum}方面表示期待合作。", "消息传出后，话题阅读量很快超过{people}。", "{school}将为此举办一次座谈。", "{place}的市民{person}也很关注。"),
    ),
)  # fmt: skip

SPORT = Domain(
    stories=(
        Story(
            titles=(("{team}{score}战胜{team2}", "{team}客场战胜{team2}"), ("{team2}不敌{team}", "{team}{score}大胜{team2}")),
            tellings=(
                (
                    "{few}轮不败的纪录到此为止，{team2}在自家门口输给{team}。|全场比分为{score}，{person}独中两球。",
                    "{team}昨晚远道而来，拿走了三分。|{team2}全场控球占优，却始终没有破门，主教练{person}赛后承担了责任。",
                    "全场比分{score}，{team}一扫上轮的阴霾。|对手{team2}早早换下了主力前锋{person}。",
                    "{team}昨晚以{score}的全场比分带走三分，{team2}在自家门口吞下苦果。",
                ),
                (
                    "{person}的两个进球帮助{team}以{score}的全场比分带走三分，{team2}吞下苦果。",
                    "主教练{person}没有找借口：{team2}在自家门口输了，赢家是远道而来的{team}。",
                    "{team}远道而来，从{team2}手中拿走三分，全场比分为{score}。",
                ),
            ),
        ),
        Story(
            titles=(("{place}马拉松开跑 {people}人参赛", "{place}马拉松{day}开跑"), ("{people}名选手参加{place}马拉松",)),
            tellings=(
                (
                    "{day}上午7时30分，发令枪响，{people}名跑者冲出{place}市体育中心，一年一度的马拉松由此拉开大幕。",
                    "组委会昨天公布了线路，{place}市的马拉松定在{day}，起点是{station}，赛道途经{few}个景点。",
                    "{place}市的马拉松{day}拉开大幕，{people}名跑者随发令枪响冲出起点。",
                ),
                (
                    "{people}名跑者随着一声枪响冲出起点，他们来参加的是{place}市一年一度的马拉松。",
                    "赛道途经{few}个景点，起点是{station}，{place}市的马拉松{day}与跑者见面。",
                    "{place}市一年一度的马拉松今天拉开大幕，{people}名跑者冲出体育中心。",
                ),
            ),
        ),
        Story(
            titles=(("{place}小将{person}夺得{cup}冠军", "{person}夺得{cup}冠军"), ("{cup}落幕 {person}夺冠",)),
            tellings=(
                (
                    "{age}岁的老将{person2}以一分之差屈居次席。|{person}顶住压力，在{cup}上登上最高领奖台。",
                    "{cup}昨天落下帷幕，来自{place}的小将{person}笑到最后，捧走奖杯。",
                    "决赛打满五局，{person}以3-2胜出，这是其第{few}次捧走{cup}的奖杯。",
                    "{person}在{cup}决赛中以3-2胜出，登上最高领奖台，这是其第{few}次捧杯。",
                ),
                (
                    "笑到最后的是{person}。|在昨天结束的{cup}上，其以一分优势力压老将{person2}，登上最高领奖台。",
                    "时隔{few}年，{cup}的奖杯又一次回到{person}手中。",
                    "{person}昨天在{cup}上登上最高领奖台，力压老将{person2}。",
                ),
            ),
        ),
        Story(
            titles=(("{team}签下{age}岁老将{person}", "{person}加盟{team}"), ("{team}签下{person}",)),
            tellings=(
                (
                    "转会窗口关闭前一小时，{team}官宣了新援。|{age}岁的{person}体检合格，合同为期两年。",
                    "离开效力{few}年的{team2}以后，{person}的下一站定了。|{team}昨天为其举行了见面会，球衣号码是{few}号。",
                    "{team}的新援是{age}岁的{person}，其昨天体检合格，合同为期两年。",
                ),
                (
                    "{person}今年{age}岁，体检合格后成为{team}的新援，合同为期两年。",
                    "见面会昨天举行，{person}第一次穿上{team}的球衣，此前其在{team2}效力{few}年。",
                    "{team}昨天官宣，{age}岁的{person}体检合格，成为新援。",
                ),
            ),
        ),
    ),
    openings=(
        (
            "看台上座无虚席，{people}名观众见证了这一切。", "体育的魅力，就在于结果难以预料。", "{place}的球迷会长{person}昨晚一夜没睡。", "上周的{cup}余温还在，新的消息又来了。",
        ),
        ("“等了整整{few}年。”解说员{person}激动地说。", "一场小雨过后，{place}的体育场格外清爽。", "球迷们盼了一整个{month}。", "赛场内外，热情不减。"),
    ),
    details=(
        (
            "教练{person}说，接下来要好好休整。", "下一站，他们将前往{place}。", "相关视频的播放量超过{people}次。", "现场观众达到{people}人。", "去年的同一时间，{person}也曾来到这里。",
            "{team}的球探也坐在看台上。",
        ),
        ("队医{person}表示，伤病问题并不严重。", "{team}上周也有好消息传来。", "{person}把签名送给了小球迷。", "赞助商{company}今年增加了投入。", "{place}的孩子们在场边齐声加油。"),
    ),
)  # fmt: skip
