"""Phrasings of the WebQA sample: novels, songs, rivers, birds, teams. See `_reading_phrasings.py`."""

from samples._reading_phrasings import Domain, Fact

NOVEL = Domain(
    it=("该书", "这部小说", "全书"),
    openings=(
        ("{name}是一部{form}。", "{name}是近年常被提起的{form}。", "书友推荐的{form}{name}值得一读。"),
        ("说到{form}，不少书友会推荐{name}。",),
    ),
    fillers=(
        "评论者{other}认为后半部写得更好", "网上有{other_count}人打了分", "编辑{other}为它写过一篇书评", "{other_date}有过一次读者见面会",
        "文字朴素，读起来不累", "旧版已经很难买到",
    ),
    echoes=(
        "{author}平时住在{other_place}", "听说{translator}学过四门外语", "“{hero}”成了不少书友的网名", "{published}那年，小城刚刚通电",
        "{award}的评委里有几位老编辑", "书架上能并排放下{volumes}旧书",
    ),
    facts={
        "author": Fact(
            ("{it}的作者是{author}", "{it}是{author}创作的"), ("{it}由{author}创作",),
            ("{name}的作者是谁", "谁创作了{name}", "{name}作者"), ("{name}是谁创作的", "{name}的作者叫什么"),
        ),
        "published": Fact(
            ("{it}于{published}出版", "{published}，{it}首次出版"), ("{it}的出版时间是{published}",),
            ("{name}是哪一年出版的", "{name}什么时候出版", "{name}出版时间"), ("{name}何时出版", "{name}首次出版是在哪年"),
        ),
        "volumes": Fact(
            ("{it}共分{volumes}", "{it}一共有{volumes}"), ("{it}的卷数是{volumes}",),
            ("{name}一共有几卷", "{name}共分多少卷", "{name}卷数"), ("{name}有多少卷", "{name}的卷数是多少"),
        ),
        "hero": Fact(
            ("{it}的主人公是{hero}", "{hero}是{it}的主人公"), ("{it}的主人公名叫{hero}",),
            ("{name}的主人公是谁", "{name}主人公叫什么", "{name}主人公"), ("谁是{name}的主人公", "{name}里的主人公叫什么名字"),
        ),
        "settings": Fact(
            ("{it}的故事发生在{settings}", "{it}以{settings}为故事背景"), ("{settings}是{it}故事的发生地",),
            ("{name}的故事发生在哪里", "{name}故事背景是哪些地方", "{name}故事发生地"), ("{name}的故事以哪里为背景", "{name}的故事发生在哪些地方"),
        ),
        "award": Fact(
            ("{it}获得过{award}", "{it}曾获{award}"), ("{award}是{it}获得的奖项",),
            ("{name}获得过什么奖", "{name}获得的是哪个奖", "{name}获奖情况"), ("{name}曾获哪个奖项", "{name}拿过什么奖"),
        ),
        "translator": Fact(
            ("{it}的英文版由{translator}翻译", "{translator}翻译了{it}的英文版"), ("翻译{it}英文版的是{translator}",),
            ("{name}的英文版是谁翻译的", "谁翻译了{name}", "{name}英文版翻译"), ("{name}英文版由谁翻译", "{name}英文版的译者是谁"),
        ),
    },
)  # fmt: skip

SONG = Domain(
    it=("这首歌", "该曲", "歌曲"),
    openings=(
        ("{name}是一首{form}。", "最近常听的{form}是{name}。", "{name}，{form}，旋律很好记。"),
        ("要说好听的{form}，少不了{name}。",),
    ),
    fillers=(
        "歌迷{other}把它录成了铃声", "上线当天有{other_count}人收藏", "{other}在节目里翻唱过一次", "{other_date}的晚会上也放过", "前奏用的是口琴",
        "适合晚上戴着耳机听",
    ),
    echoes=(
        "{lyricist}和{composer}是老同学", "听说{singers}很少上电视", "{album}的封面很好看", "{composer}也教过钢琴", "{lyricist}平时写小说",
        "{issued}前后，磁带还很流行",
    ),
    facts={
        "singers": Fact(
            ("{it}由{singers}演唱", "{it}的演唱者是{singers}"), ("演唱{it}的是{singers}",),
            ("{name}是谁唱的", "{name}的演唱者是谁", "谁演唱了{name}", "{name}演唱者"), ("{name}由谁演唱", "{name}的演唱者叫什么"),
        ),
        "lyricist": Fact(
            ("{it}由{lyricist}作词", "{it}的作词者是{lyricist}"), ("为{it}作词的是{lyricist}",),
            ("{name}的作词者是谁", "谁为{name}作词", "{name}作词"), ("{name}由谁作词", "{name}的歌词是谁写的"),
        ),
        "composer": Fact(
            ("{it}由{composer}作曲", "{it}的作曲者是{composer}"), ("为{it}作曲的是{composer}",),
            ("{name}的作曲者是谁", "谁为{name}作曲", "{name}作曲"), ("{name}由谁作曲", "{name}的曲子是谁写的"),
        ),
        "album": Fact(
            ("{it}收录在专辑{album}中", "{it}出自专辑{album}"), ("收录{it}的专辑是{album}",),
            ("{name}收录在哪张专辑", "{name}出自哪张专辑", "{name}所属专辑"), ("{name}是哪张专辑里的歌", "收录{name}的专辑叫什么"),
        ),
        "issued": Fact(
            ("{it}于{issued}发行", "{issued}，{it}正式发行"), ("{it}的发行时间是{issued}",),
            ("{name}什么时候发行", "{name}是哪一年发行的", "{name}发行时间"), ("{name}何时发行", "{name}的发行日期是什么时候"),
        ),
        "length": Fact(
            ("{it}时长{length}", "{it}的时长为{length}"), ("{it}唱完一遍，时长是{length}",),
            ("{name}时长多少", "{name}有多长", "{name}时长"), ("{name}的时长是多少", "{name}唱完一遍要多久"),
        ),
    },
)  # fmt: skip

RIVER = Domain(
    it=("该河", "这条河", "它"),
    openings=(
        ("{name}是一条{form}。", "{name}，{form}，两岸多梯田。", "{name}是当地人熟悉的{form}。"),
        ("在当地的{form}里，{name}并不算出名。",),
    ),
    fillers=(
        "地理老师{other}曾带学生沿河考察", "{other_year}的洪水冲毁了不少农田", "沿岸有{other_count}户人家", "每年春天水位上涨", "河里的鱼味道鲜美",
        "近年水质有所好转",
    ),
    echoes=(
        "{source}上有一座老庙", "{mouth}的落日很美", "从{other_place}开车去{towns}都很方便", "“{nickname}”也是一家饭店的名字",
    ),
    facts={
        "length": Fact(
            ("{it}全长{length}", "{it}的长度为{length}"), ("{it}干流的长度是{length}",),
            ("{name}全长多少公里", "{name}有多长", "{name}长度"), ("{name}的长度是多少", "{name}干流全长多少"),
        ),
        "source": Fact(
            ("{it}发源于{source}", "{it}的发源地是{source}"), ("{source}是{it}的发源地",),
            ("{name}发源于哪里", "{name}的发源地是哪里", "{name}发源地"), ("{name}发源于哪座山", "哪里是{name}的发源地"),
        ),
        "mouth": Fact(
            ("{it}最后注入{mouth}", "{it}向东注入{mouth}"), ("{it}注入的湖泊是{mouth}",),
            ("{name}注入哪里", "{name}最后注入哪个湖", "{name}注入什么湖"), ("{name}最终注入哪里", "{name}注入的湖叫什么"),
        ),
        "towns": Fact(
            ("{it}流经{towns}", "{it}先后流经{towns}"), ("{towns}都是{it}流经的地方",),
            ("{name}流经哪些地方", "{name}流经哪里", "{name}流经地区"), ("{name}先后流经哪几个地方", "{name}流经什么地方"),
        ),
        "bridges": Fact(
            ("{it}沿线有大桥{bridges}", "{it}沿线共有{bridges}大桥"), ("{it}沿线的大桥一共是{bridges}",),
            ("{name}沿线有几座大桥", "{name}共有多少座大桥", "{name}大桥数量"), ("{name}沿线一共有几座桥", "{name}沿线的大桥有多少"),
        ),
        "basin": Fact(
            ("{it}流域面积{basin}", "{it}的流域面积为{basin}"), ("{it}的流域有{basin}",),
            ("{name}流域面积多大", "{name}的流域面积是多少", "{name}流域面积"), ("{name}流域有多大", "{name}的流域面积有多少平方公里"),
        ),
        "nickname": Fact(
            ("{it}古称{nickname}", "{it}在古代称为{nickname}"), ("{it}的古称是{nickname}",),
            ("{name}古称什么", "{name}的古称是什么", "{name}古称"), ("{name}在古代叫什么", "{name}古时候称为什么"),
        ),
    },
)  # fmt: skip

BIRD = Domain(
    it=("这种鸟", "该鸟", "它"),
    openings=(
        ("{name}是一种{form}。", "{name}，{form}，叫声清亮。", "{name}是一种少见的{form}。"),
        ("在众多{form}当中，{name}很容易辨认。",),
    ),
    fillers=(
        "观鸟者{other}拍到过它喂雏的照片", "去年在{other_place}记录到{other_count}只", "清晨最容易听到叫声", "雌鸟的羽色暗一些", "近年数量有所回升",
        "老人说它一叫就要下雨",
    ),
    echoes=(
        "{finder}还画过不少植物", "{found}前后，当地修了第一条公路", "当地的{habitat}里还有野兔", "林子里并不缺{food}",
    ),
    facts={
        "eggs": Fact(
            ("{it}每窝产卵{eggs}", "{it}一次产卵{eggs}"), ("{it}每窝的产卵数是{eggs}",),
            ("{name}每窝产卵几枚", "{name}一次产多少枚卵", "{name}产卵数"), ("{name}一次产卵多少", "{name}每窝有几枚卵"),
        ),
        "food": Fact(
            ("{it}以{food}为食", "{it}的食物是{food}"), ("{food}是{it}的主要食物",),
            ("{name}以什么为食", "{name}的食物是什么", "{name}食物"), ("{name}的主要食物是什么", "{name}主要吃什么"),
        ),
        "habitat": Fact(
            ("{it}栖息在{habitat}", "{it}的栖息地是{habitat}"), ("{habitat}是{it}的栖息地",),
            ("{name}栖息在哪里", "{name}的栖息地是什么", "{name}栖息地"), ("{name}栖息在什么地方", "{name}的栖息地在哪里"),
        ),
        "weight": Fact(
            ("{it}成鸟体重{weight}", "{it}的体重为{weight}"), ("{it}的体重一般是{weight}",),
            ("{name}体重多少", "{name}成鸟有多重", "{name}体重"), ("{name}的体重是多少克", "{name}成鸟体重有多少"),
        ),
        "lifespan": Fact(
            ("{it}的寿命为{lifespan}", "{it}寿命可达{lifespan}"), ("{it}能活{lifespan}，寿命不算短",),
            ("{name}的寿命有多长", "{name}能活几年", "{name}寿命"), ("{name}寿命是多少年", "{name}可以活多久"),
        ),
        "finder": Fact(
            ("{it}由{finder}首次发现", "{it}的发现者是{finder}"), ("首次发现{it}的是{finder}",),
            ("{name}的发现者是谁", "谁首次发现了{name}", "{name}发现者"), ("{name}是谁发现的", "{name}由谁首次发现"),
        ),
        "found": Fact(
            ("{it}于{found}被命名", "{found}，{it}被正式命名"), ("{it}的命名时间是{found}",),
            ("{name}是哪一年命名的", "{name}什么时候被命名", "{name}命名时间"), ("{name}何时被命名", "{name}在哪年命名"),
        ),
        "hatching": Fact(
            ("{it}的孵化期为{hatching}", "{it}孵化需要{hatching}"), ("{it}的卵要{hatching}才能孵化",),
            ("{name}的孵化期有多久", "{name}孵化需要几天", "{name}孵化期"), ("{name}孵化期是多少天", "{name}的卵孵化要多久"),
        ),
    },
)  # fmt: skip

TEAM = Domain(
    it=("球队", "该队"),
    openings=(
        ("{name}是一支{form}。", "{name}是当地的{form}。", "{name}是一支年轻的{form}，球迷不少。"),
        ("提到当地的{form}，大家都会说{name}。",),
    ),
    fillers=(
        "球迷{other}连续{other_years}没有缺席比赛", "上一场来了{other_count}名观众", "{other_date}的比赛因大雨推迟", "季票比去年便宜一些",
        "解说员{other}称赞了这支队的防守", "青训做得不错",
    ),
    echoes=(
        "{coach}和{captain}是同乡", "从地铁站走到{ground}要{other_minutes}", "{founded}前后，城里还没有体育馆", "{coach}在赛后没有接受采访",
        "{captain}上周开了一家面馆", "球迷把宠物也叫作{mascot}",
    ),
    facts={
        "coach": Fact(
            ("{it}的主教练是{coach}", "{coach}担任{it}主教练"), ("{it}主教练一职由{coach}担任",),
            ("{name}的主教练是谁", "谁担任{name}主教练", "{name}主教练"), ("{name}主教练叫什么", "谁是{name}的主教练"),
        ),
        "captain": Fact(
            ("{it}的队长是{captain}", "{captain}担任{it}队长"), ("{it}队长一职由{captain}担任",),
            ("{name}的队长是谁", "谁担任{name}队长", "{name}队长"), ("{name}队长叫什么", "谁是{name}的队长"),
        ),
        "ground": Fact(
            ("{it}的主场是{ground}", "{it}以{ground}为主场"), ("{ground}是{it}的主场",),
            ("{name}的主场是哪里", "{name}以什么地方为主场", "{name}主场"), ("{name}的主场在哪里", "哪里是{name}的主场"),
        ),
        "kit": Fact(
            ("{it}的队服颜色是{kit}", "{it}的队服为{kit}"), ("{kit}是{it}队服的颜色",),
            ("{name}的队服是什么颜色", "{name}队服有哪些颜色", "{name}队服颜色"), ("{name}队服是哪几种颜色", "{name}穿什么颜色的队服"),
        ),
        "titles": Fact(
            ("{it}共夺得{titles}联赛冠军", "{it}夺得过{titles}冠军"), ("{it}夺得冠军的次数是{titles}",),
            ("{name}夺得过几次冠军", "{name}共夺得多少次联赛冠军", "{name}夺冠次数"), ("{name}一共拿过几次冠军", "{name}夺得冠军多少次"),
        ),
        "founded": Fact(
            ("{it}成立于{founded}", "{founded}，{it}正式成立"), ("{it}的成立时间是{founded}",),
            ("{name}成立于哪一年", "{name}什么时候成立", "{name}成立时间"), ("{name}是哪年成立的", "{name}何时成立"),
        ),
        "mascot": Fact(
            ("{it}的吉祥物是{mascot}", "{it}的吉祥物名叫{mascot}"), ("{mascot}是{it}的吉祥物",),
            ("{name}的吉祥物是什么", "{name}的吉祥物叫什么", "{name}吉祥物"), ("什么是{name}的吉祥物", "{name}吉祥物叫什么名字"),
        ),
    },
)  # fmt: skip
