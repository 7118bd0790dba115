"""Phrasings of the reading comprehension sample: films, schools, scenic spots, people of old. See `_reading_phrasings.py`."""

from samples._reading_phrasings import Domain, Fact

FILM = Domain(
    it=("该片", "影片", "这部电影"),
    openings=(
        ("{name}是一部{form}。", "今天给大家介绍一部{form}{name}。", "{name}讲述了{other_place}小城里一群普通人的故事。"),
        ("说到近几年的{form}，很多人会想起{name}。", "{name}，{form}。"),
    ),
    fillers=(
        "影评人{other}认为结尾略显仓促", "它的预告片在{other_date}放出后引起不少讨论", "首映礼当天来了{other_count}名影迷",
        "豆瓣上有{other_count}人打出五星", "摄影师{other}此前拍过广告", "喜欢安静故事的朋友可以一看",
    ),
    echoes=(
        "{director}和{lead}是多年的朋友", "听说{writer}不爱看自己的片子", "{lead}很少接受采访",
        "“{role}”这个名字最近常被提起", "网上流传着翻唱的{song}",
    ),
    facts={
        "director": Fact(
            ("{it}由{director}执导", "{director}导演了{it}"), ("{it}的导演是{director}",),
            ("{name}的导演是谁", "谁执导了{name}", "{name}导演"), ("{name}是谁导演的", "执导{name}的人是谁"),
        ),
        "writer": Fact(
            ("{it}的编剧是{writer}", "{it}的剧本由{writer}编写"), ("{it}的编剧一职由{writer}担任",),
            ("{name}的编剧是谁", "{name}编剧", "{name}的剧本是谁写的"), ("谁是{name}的编剧", "{name}剧本由谁编写"),
        ),
        "lead": Fact(
            ("{it}由{lead}主演", "{it}的主演是{lead}"), ("主演{it}的是{lead}",),
            ("{name}的主演是谁", "{name}主演", "谁主演了{name}"), ("{name}是谁主演的", "{name}由哪位演员主演"),
        ),
        "role": Fact(
            ("{it}的主角名叫{role}", "{role}是{it}的主角"), ("{it}的主角{role}是一个沉默的人",),
            ("{name}的主角叫什么", "{name}主角名字", "{name}里的主角是谁"), ("{name}中主角的名字是什么", "{name}主角叫什么名字"),
        ),
        "release": Fact(
            ("{it}于{release}上映", "{release}，{it}上映"), ("{it}的上映时间是{release}",),
            ("{name}什么时候上映", "{name}上映时间", "{name}是哪天上映的"), ("{name}几时上映", "{name}何时公映", "{name}的上映日期是什么时候"),
        ),
        "shooting": Fact(
            ("{it}于{shooting}开机", "{it}在{shooting}正式开机拍摄"), ("{it}的开机时间是{shooting}",),
            ("{name}什么时候开机", "{name}开机时间", "{name}是什么时候开始拍摄的"), ("{name}哪天开机的", "{name}的开机日期"),
        ),
        "gross": Fact(
            ("{it}累计票房达到{gross}", "{it}最终收获[约{gross}]票房"), ("{it}总票房[约为{gross}]",),
            ("{name}票房多少", "{name}的票房是多少", "{name}票房"), ("{name}一共拿了多少票房", "{name}总票房有多少"),
        ),
        "budget": Fact(
            ("{it}投资{budget}", "{it}的制作投资[约为{budget}]"), ("为拍摄{it}，片方投资{budget}",),
            ("{name}投资多少", "{name}的投资是多少钱", "{name}投资"), ("{name}一共投资了多少钱", "{name}制作成本是多少"),
        ),
        "song": Fact(
            ("{it}的主题曲是{song}", "{it}的主题曲名为{song}"), ("{song}是{it}的主题曲",),
            ("{name}的主题曲是什么", "{name}主题曲", "{name}主题曲叫什么"), ("{name}的主题曲叫什么名字", "{name}主题曲是哪首歌"),
        ),
    },
)  # fmt: skip

SCHOOL = Domain(
    it=("学校", "该校"),
    openings=(
        ("{name}是一所{form}。", "{name}简称“{short}”，是一所{form}。"),
        ("作为一所{form}，{name}近年来受到不少考生关注。",),
    ),
    fillers=(
        "校史馆里陈列着{other_year}的旧课本", "校友{other}向母校捐赠{other_amount}", "每年校园开放日大约接待{other_count}人",
        "食堂的饭菜价格不贵", "图书馆三楼新增了{other_count}个座位", "宿舍大多是四人间",
    ),
    echoes=(
        "{place}的冬天很冷", "常有人把“{motto}”写错", "{founded}前后，当地还没有通火车",
        "{tuition}对不少家庭来说不算少",
    ),
    facts={
        "founded": Fact(
            ("{it}创办于{founded}", "{founded}，{it}创办"), ("{it}始建于{founded}",),
            ("{name}创办于哪一年", "{name}是哪年始建的", "{name}创办时间"), ("{name}是什么时候创办的", "{name}建校时间是哪年"),
        ),
        "renamed": Fact(
            ("{it}于{renamed}更名为现名", "{renamed}，{it}更名并沿用至今"), ("{it}更名的时间是{renamed}",),
            ("{name}哪年更名", "{name}更名时间", "{name}是什么时候更名的"), ("{name}是哪一年更名的", "{name}什么时候改名的"),
        ),
        "place": Fact(
            ("{it}位于{place}", "{it}坐落在{place}"), ("{it}地处{place}",),
            ("{name}位于哪里", "{name}在哪个城市", "{name}坐落在什么地方"), ("{name}位于什么地方", "{name}地处哪里"),
        ),
        "students": Fact(
            ("{it}现有在校学生{students}", "{it}在校学生[约{students}]"), ("{it}的在校学生总数[接近{students}]",),
            ("{name}有多少学生", "{name}在校学生人数", "{name}在校学生有多少人"), ("{name}的学生总数是多少", "{name}现有多少在校学生"),
        ),
        "teachers": Fact(
            ("{it}有专任教师{teachers}", "{teachers}教师在{it}任教"), ("{it}的教师队伍有{teachers}",),
            ("{name}有多少教师", "{name}教师人数", "{name}的教师有多少人"), ("{name}的专任教师一共有多少", "{name}有多少位老师"),
        ),
        "tuition": Fact(
            ("{it}的学费为{tuition}", "{it}普通专业学费{tuition}"), ("在{it}就读，学费是{tuition}",),
            ("{name}学费多少", "{name}一年学费多少钱", "{name}学费"), ("{name}的学费是多少钱", "读{name}学费要多少"),
        ),
        "dormitory": Fact(
            ("{it}的住宿费为{dormitory}", "{it}住宿费{dormitory}"), ("{it}收取的住宿费是{dormitory}",),
            ("{name}住宿费多少", "{name}住宿费", "{name}的住宿费是多少钱"), ("在{name}住宿费要多少", "{name}一年住宿要多少钱"),
        ),
        "motto": Fact(
            ("{it}的校训是“{motto}”", "“{motto}”是{it}的校训"), ("{it}以“{motto}”为校训",),
            ("{name}的校训是什么", "{name}校训", "{name}校训是哪几个字"), ("什么是{name}的校训", "{name}以什么为校训"),
        ),
    },
)  # fmt: skip

SCENIC = Domain(
    it=("景区", "这里"),
    openings=(
        ("{name}是{region}有名的{form}。", "周末想出门走走，可以去{name}看看。", "{name}，{form}，以安静著称。"),
        ("很多人问{name}怎么玩，下面简单说一下。",),
    ),
    fillers=(
        "山下的民宿一晚大约{other_price}", "去年国庆当天来了{other_count}名游客", "摄影师{other}在这里拍过一组照片",
        "停车场有{other_count}个车位", "记得带一件外套，早晚比较凉", "路边的小吃摊卖的米糕{other_snack}一份",
    ),
    echoes=(
        "{place}的米酒值得一尝", "{season}山里常常下雨", "很多人觉得{ticket}不算贵",
        "从县城坐{bus}的人不少",
    ),
    facts={
        "ticket": Fact(
            ("{it}门票{ticket}", "{it}的门票价格是{ticket}"), ("进入{it}需购买门票，{ticket}",),
            ("{name}门票多少钱", "{name}门票价格", "{name}的门票是多少"), ("{name}门票要多少钱一张", "去{name}买门票多少钱"),
        ),
        "cable": Fact(
            ("{it}的索道{cable}", "{it}索道票价为{cable}"), ("乘坐{it}的索道，票价{cable}",),
            ("{name}索道多少钱", "{name}索道票价", "{name}的索道票是多少钱"), ("坐{name}的索道要多少钱", "{name}缆车多少钱"),
        ),
        "hours": Fact(
            ("{it}的开放时间为{hours}", "{it}每天{hours}开放"), ("{it}对外开放，时间是{hours}",),
            ("{name}开放时间", "{name}几点开放", "{name}的开放时间是几点到几点"), ("{name}什么时间开放", "{name}每天几点到几点开放", "{name}几点开门"),
        ),
        "altitude": Fact(
            ("{it}最高处海拔{altitude}", "{it}主峰海拔[约{altitude}]"), ("{it}的海拔[约为{altitude}]",),
            ("{name}海拔多少米", "{name}海拔", "{name}的海拔是多少"), ("{name}最高海拔有多高", "{name}有多高"),
        ),
        "area": Fact(
            ("{it}总面积{area}", "{it}面积[约{area}]"), ("{it}的规划面积为[{area}左右]",),
            ("{name}面积多大", "{name}总面积", "{name}的面积是多少"), ("{name}总面积有多少平方公里", "{name}占多大面积"),
        ),
        "season": Fact(
            ("{season}是游览{it}的最佳时间", "{it}的最佳游览季节是{season}"), ("{it}最佳的游览时间在{season}",),
            ("{name}最佳游览时间", "{name}什么季节游览最好", "几月去{name}最好"), ("{name}最佳游览季节是几月", "{name}什么时候去最合适"),
        ),
        "place": Fact(
            ("{it}位于{place}", "{it}地处{place}"), ("{it}就位于{place}",),
            ("{name}位于哪里", "{name}在哪里", "{name}在什么地方"), ("{name}地处什么位置", "{name}位于哪个地方"),
        ),
        "bus": Fact(
            ("乘坐{bus}可以直达{it}", "{it}门口有{bus}公交停靠"), ("坐公交{bus}能到{it}",),
            ("去{name}坐几路公交", "{name}坐什么车可以直达", "{name}公交"), ("到{name}要坐哪路公交车", "坐哪趟车能直达{name}"),
        ),
    },
)  # fmt: skip

PERSON = Domain(
    it=("他", "其人"),
    openings=(
        ("{name}，{dynasty}{form}。", "{name}是{dynasty}{form}，事迹见于地方志。"),
        ("关于{dynasty}的{form}{name}，史书记载不多。",),
    ),
    fillers=(
        "同乡{other}曾为之作传", "{other_old}，州中大水，百姓流离", "后人在{other_place}修祠纪念",
        "好友{other}与之唱和多年", "家中藏书有{other_count}卷", "性情耿直，不喜应酬",
    ),
    echoes=(
        "{home}一带多出读书人", "{teacher}交游很广", "{work}已散佚过半",
        "世人多称其为{pen}", "{degree}前后，朝中党争激烈", "{birth}那年大旱",
    ),
    facts={
        "courtesy": Fact(
            ("{it}字{courtesy}", "{it}取字{courtesy}"), ("{it}的字是{courtesy}",),
            ("{name}字什么", "{name}的字是什么", "{name}的字"), ("{name}以什么为字", "{name}表字是什么"),
        ),
        "pen": Fact(
            ("{it}号{pen}", "{it}自号{pen}"), ("{it}的号是{pen}",),
            ("{name}号什么", "{name}的号是什么", "{name}自号"), ("{name}自号叫什么", "{name}给自己取了什么号"),
        ),
        "birth": Fact(
            ("{it}生于{birth}", "{birth}，{it}出生"), ("{it}出生于{birth}",),
            ("{name}生于哪一年", "{name}出生于哪年", "{name}出生年份"), ("{name}是什么时候出生的", "{name}哪年生的"),
        ),
        "death": Fact(
            ("{it}于{death}去世", "{death}，{it}因病去世"), ("{it}卒于{death}",),
            ("{name}哪一年去世", "{name}卒于哪年", "{name}去世时间"), ("{name}是什么时候去世的", "{name}去世于哪一年"),
        ),
        "degree": Fact(
            ("{it}于{degree}考中进士", "{degree}，{it}进士及第"), ("{it}{degree}中进士",),
            ("{name}哪一年中进士", "{name}何时考中进士", "{name}中进士时间"), ("{name}是哪年成为进士的", "{name}什么时候中的进士"),
        ),
        "home": Fact(
            ("{it}是{home}人", "{it}的籍贯是{home}"), ("{it}的祖籍在{home}",),
            ("{name}是哪里人", "{name}籍贯", "{name}的籍贯是哪里"), ("{name}祖籍在什么地方", "{name}的籍贯在哪"),
        ),
        "work": Fact(
            ("{it}著有{work}", "{it}的代表作是{work}"), ("{it}一生著作以{work}最为有名",),
            ("{name}著有什么", "{name}的代表作是什么", "{name}代表作"), ("{name}有什么著作", "{name}的著作叫什么"),
        ),
        "teacher": Fact(
            ("{it}师从{teacher}", "{it}早年拜{teacher}为师"), ("{it}的老师是{teacher}",),
            ("{name}师从谁", "{name}拜谁为师", "{name}的老师是谁"), ("谁是{name}的老师", "{name}早年跟谁学习"),
        ),
    },
)  # fmt: skip
