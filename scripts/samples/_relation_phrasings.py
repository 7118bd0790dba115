"""The phrasings of the relation extraction sample.

{braces} are the bindings that `_relation_world.py` gives a topic. What a phrasing says is not written here: a triple of
`_relation_world.FACTS` holds as soon as a sentence names its subject and its object. {actors}, {singers}, ... are lists.

Each topic has six parts, and a sentence is [lead] + opening|indirect|noun verb + verbs + clauses + [tail]:
    opening   names the topic, which is then understood as the subject of what follows
    indirect  names the topic, but what follows has to name its subject again
    noun      a noun phrase that ends in the topic and needs a verb
    verb      follows with the topic left out; a few say nothing about relations
    clause    follows with a subject of its own
    tail      says nothing about the relations; it brings in bystanders: people, works, dates and numbers of the right types
Each part holds (phrasings of all splits, phrasings of dev and test only). The latter use the cue words of the former in other
constructions and surroundings, as paraphrases do.
"""

Part = tuple[tuple[str, ...], tuple[str, ...]]

FILM: dict[str, Part] = {
    "opening": (
        (
            "{form}《{title}》由{director}执导",
            "《{title}》是{director}执导的一部{form}",
            "{title}，{director}执导的一部{form}",
            "《{title}》的导演是{director}",
            "{form}{title}的导演是{director}",
            "《{title}》 导演：{director} 主演：{actors_slashed}",
            "《{title}》是由{auteur}自导自演的{form}",
            "{date1}，{form}《{title}》在{area1}{screen}",
        ),
        (
            "《{title}》是一部由{director}执导的{form}",
            "《{title}》是{director}执导、{actors}主演的{form}",
            "{form}{title}由{director}执导",
            "《{title}》于{date1}在{area1}{screen}",
        ),
    ),
    "indirect": (
        (
            "{director}执导了{form}《{title}》",
            "毕业于{director_school}的{director}执导了《{title}》",
            "{actor1}在《{title}》中饰演{role1}",
            "{actor1}在{form}《{title}》中饰演{role1}，{actor2}饰演{role2}",
            "《{title}》里{role1}的扮演者是{actor1}",
            "{form}《{title}》票房突破{gross1}",
            "{actor1}主演的{form}《{title}》今天发布预告，《{title}》的导演是{director}",
        ),
        (
            "{actor1}主演了{form}《{title}》",
            "{form}《{title}》里{role1}的扮演者是{actor1}",
            "在《{title}》中，{actor1}饰演{role1}",
            "{actor1}主演的{form}《{title}》票房突破{gross1}",
        ),
    ),
    "noun": (
        (
            "{form}《{title}》",
            "由{director}执导的{form}《{title}》",
            "{director}执导、{actors}主演的{form}《{title}》",
            "{actors}主演的{form}《{title}》",
            "改编自{author}小说《{book}》的{form}《{title}》",
        ),
        (
            "由{actors}主演、{director}执导的{form}《{title}》",
            "{director}执导的《{title}》",
            "由{actors}主演的{form}《{title}》",
        ),
    ),
    "verb": (
        (
            "由{director}执导",
            "由{actors}主演",
            "于{date1}在{area1}{screen}",
            "于{date1}{screen}",
            "{date1}登陆{area1}{cinema}",
            "在{area1}于{date1}{screen}，在{area2}则于{date2}{screen}",
            "累计票房{gross1}",
            "在{gross_area1}拿下{gross1}票房",
            "在{gross_area1}拿下{gross1}票房，另外还在{gross_area2}收获{gross2}",
            "改编自{author}的小说《{book}》",
        ),
        (
            "由{director}执导，{actors}主演",
            "已于{date1}在{area1}{screen}",
            "于{date1}登陆{area1}{cinema}",
            "在{area1}于{date1}{screen}，此后又在{area2}于{date2}{screen}",
            "在{gross_area1}收获{gross1}票房",
            "累计拿下{gross1}票房",
        ),
    ),
    "clause": (
        (
            "主演是{actors}",
            "{actors}主演",
            "导演是{director}",
            "导演{director}毕业于{director_school}",
            "{actor1}在{it}中饰演{role1}",
            "{actor1}饰演{role1}，{actor2}饰演{role2}",
            "主演{actor1}凭借{it}获得第{period1}届{award1}",
            "票房突破{gross1}",
            "主题曲《{theme}》由{theme_singer}演唱",
            "主演{actor1}的妻子{actor1_wife}也到场支持",
            "主演{actor1}和丈夫{actor1_husband}一起出席了首映礼",
        ),
        (
            "主演有{actors}",
            "主演{actor1}毕业于{actor1_school}",
            "{role1}的扮演者是{actor1}",
            "{actor1}饰演{role1}",
            "{theme_singer}演唱了主题曲《{theme}》",
        ),
    ),
    "tail": (
        (
            "影评人{other}给出了不错的评价",
            "口碑好于同期的《{other_title}》",
            "全片在{other_place}取景",
            "剧组曾于{shooting_date}在{other_place}开机",
            "豆瓣评分{score}",
            "由{other_company}出品",
            "投资约{other_amount}",
            "首映当天{other}也到场祝贺",
            "看完久久不能平静😭",
            "值得一看",
        ),
        (),
    ),
}

PERSON: dict[str, Part] = {
    "opening": (
        (
            "{name}，{birth}出生于{other_place}",
            "{year1}，{name}凭借{work_kind}《{work1}》获得{award1}",
            "凭借{work_kind}《{work1}》，{name}获得{award1}",
            "{name}在{form1}《{film1}》中饰演{role1}",
            "{name}的代表角色有{role1}（《{film1}》）和{role2}（《{film2}》）",
            "{name}在《{film1}》中饰演{role1}，此后又主演了{form2}《{film2}》，饰演{role2}",
        ),
        (
            "{job}{name}在{year1}获得{award1}",
            "{company_date}，{name}创办了{company}",
            "{name}饰演过{role1}（《{film1}》）和{role2}（《{film2}》）",
            "在{form1}《{film1}》中，{name}饰演{role1}",
        ),
    ),
    "indirect": (
        (
            "{name}的妻子是{wife}",
            "{wife}是{job}{name}的妻子",
            "{name}的丈夫是{husband}",
            "{husband}是{job}{name}的丈夫",
            "{name}与妻子{wife}的女儿{his_daughter}今年刚上小学",
            "{name}和丈夫{husband}的儿子{her_son}已经三岁",
            "{name}的父亲是{father}",
        ),
        (
            "{job}{name}与妻子{wife}结婚多年",
            "{job}{name}的丈夫是{husband}",
            "{name}和妻子{wife}的儿子{his_son}已经三岁",
            "{job}{name}的父亲{father}是一名{other_job}",
        ),
    ),
    "noun": (
        (
            "{job}{name}",
            "{name}",
            "毕业于{school}的{job}{name}",
            "{award1}得主{name}",
            "主演过《{film1}》的{name}",
        ),
        (
            "从{school}毕业的{job}{name}",
            "曾获{award1}的{name}",
            "演唱过歌曲《{song1}》的{name}",
        ),
    ),
    "verb": (
        (
            "毕业于{school}",
            "{graduation}毕业于{school}{department}",
            "从{school}毕业",
            "主演过{form1}《{film1}》",
            "因在《{film1}》中饰演{role1}而走红",
            "饰演过{role0}",
            "曾获{award1}",
            "曾获第{period1}届{award1}",
            "{year1}获得{award1}",
            "{year1}凭借《{work1}》获得第{period1}届{award1}",
            "{year1}获得{award1}，时隔多年以后再次凭借《{work2}》获得{award2}",
            "著有小说《{book1}》",
            "演唱过歌曲《{song1}》和《{song2}》",
            "执导过{directed_form1}《{directed1}》",
            "于{company_date}创办了{company}",
        ),
        (
            "{graduation}从{school}毕业",
            "主演了{form1}《{film1}》",
            "在《{film1}》中饰演过{role1}",
            "{year1}获得第{period1}届{award1}",
            "曾凭借《{work1}》获得{award1}，此后又在{year2}获得{award2}",
            "著有小说《{book1}》和《{book2}》",
            "演唱过《{song1}》",
            "执导了{directed_form1}《{directed1}》",
            "{company_date}创办了{company}",
        ),
    ),
    "clause": (
        (
            "妻子是{wife}",
            "丈夫是{husband}",
            "父亲是{father}",
            "父亲{father}是一名{other_job}",
            "妻子{wife}是一名{other_job}",
            "和丈夫{husband}结婚多年",
            "与丈夫{husband}育有一子{her_son}",
            "与妻子{wife}育有一女{his_daughter}",
        ),
        (
            "丈夫{husband}是一名{other_job}",
            "父亲{father}是{other_place}人",
            "和妻子{wife}育有一子{his_son}",
            "和妻子{wife}结婚多年",
        ),
    ),
    "tail": (
        (
            "现居{other_place}",
            "曾在{other_school}做过讲座",
            "与{other}是多年好友",
            "经纪人是{other}",
            "小时候的偶像是{other}",
            "最近很少公开露面",
            "微博粉丝超过{count}万",
            "加油💪",
        ),
        (),
    ),
}

SONG: dict[str, Part] = {
    "opening": (
        (
            "《{title}》是{singer}演唱的一首歌曲",
            "《{title}》是由{lyricist}作词，{composer}作曲，{singer}演唱的歌曲",
            "《{title}》是{singers}合唱的歌曲",
            "《{title}》收录在{singer}的专辑《{album}》中",
            "歌名：{title} 歌手：{singer} 作词：{lyricist} 作曲：{composer}",
            "{title}这首歌是{singer}唱的",
            "歌曲《{title}》由{singing_lyricist}作词并演唱",
        ),
        (
            "《{title}》是由{singer}演唱的歌曲",
            "《{title}》由{lyricist}作词、{composer}作曲、{singer}演唱",
            "《{title}》是{singer}的专辑《{album}》中的一首歌曲",
            "歌名：{title} 歌手：{singer} 作词：{lyricist}",
        ),
    ),
    "indirect": (
        (
            "{singer}演唱了《{title}》",
            "{singer}的专辑《{album}》收录了《{title}》",
            "喜欢{singer}唱的《{title}》",
        ),
        (
            "{singer}的专辑《{album}》里有《{title}》",
            "喜欢{singer}演唱的《{title}》",
        ),
    ),
    "noun": (
        (
            "歌曲《{title}》",
            "{singer}演唱的歌曲《{title}》",
            "由{lyricist}作词、{composer}作曲的《{title}》",
        ),
        (
            "{singers}合唱的《{title}》",
            "收录在专辑《{album}》中的《{title}》",
        ),
    ),
    "verb": (
        (
            "由{singer}演唱",
            "由{composer}作曲",
            "由{lyricist}作词、{composer}作曲",
            "由{songwriter}作词作曲",
            "收录在专辑《{album}》中",
        ),
        (
            "由{lyricist}作词，{composer}作曲",
            "收录在{singer}的专辑《{album}》中",
        ),
    ),
    "clause": (
        (
            "作词是{lyricist}",
            "作曲是{composer}",
            "词作者{lyricist}毕业于{lyricist_school}",
            "歌手是{singer}",
        ),
        (
            "作词是{lyricist}，作曲是{composer}",
            "歌手{singer}毕业于{singer_school}",
        ),
    ),
    "tail": (
        (
            "MV在{other_place}拍摄",
            "吉他手{other}参与了录音",
            "上线首日播放量超过{count}万",
            "旋律和《{other_title}》完全不同",
            "发行于{other_date}",
            "单曲循环中🎧",
            "真的很好听",
        ),
        (),
    ),
}

BOOK: dict[str, Part] = {
    "opening": (
        (
            "《{title}》是{author}写的一部小说",
            "《{title}》的作者是{author}",
            "{title}是{author}创作的一部长篇小说",
            "小说《{title}》由{authors}合著",
        ),
        (
            "小说《{title}》的作者是{author}",
            "《{title}》是{author}创作的一部小说",
        ),
    ),
    "indirect": (
        (
            "{author}著有小说《{title}》",
            "{author}凭借小说《{title}》获得第{period1}届{award1}",
            "最近在读{site}的《{title}》",
        ),
        ("{author}毕业于{author_school}，著有小说《{title}》",),
    ),
    "noun": (
        ("{author}的小说《{title}》", "连载于{site}的小说《{title}》"),
        ("{author}创作的小说《{title}》",),
    ),
    "verb": (
        ("由{author}创作", "讲述了一段发生在{other_place}的故事", "{other_date}由{other_company}出版", "首印{count}万册"),
        ("是由{author}创作的",),
    ),
    "clause": (
        (
            "作者是{author}",
            "作者{author}毕业于{author_school}",
            "作者{author}曾获{award2}",
        ),
        (
            "作者{author}从{author_school}毕业",
        ),
    ),
    "tail": (
        ("书评人{other}撰文推荐", "封面由{other}设计", "风格很像《{other_title}》", "作序的是{other}"),
        (),
    ),
}

COMPANY: dict[str, Part] = {
    "opening": (
        (
            "{name}由{founders}于{date}创办",
            "{name}是{founder1}在{date}创办的一家公司",
            "{name}的创始人是{founder1}",
            "{name}由{founder1}和妻子{cofounder_wife}共同创办",
        ),
        (
            "{name}成立于{date}，总部位于{place}",
            "{date}，{founder1}创办了{name}",
            "{name}的创始人是{founders}",
        ),
    ),
    "indirect": (
        (
            "{founder1}于{date}创办了{name}",
            "{founder1}是{name}的创始人",
            "毕业于{founder1_school}的{founder1}创办了{name}",
        ),
        (
            "{founders}在{date}创办了{name}",
            "{name}的创始人{founder1}毕业于{founder1_school}",
        ),
    ),
    "noun": (
        (
            "{name}",
            "总部位于{place}的{name}",
            "成立于{date}的{name}",
        ),
        (
            "{founder1}创办的{name}",
            "由{founders}创办的{name}",
        ),
    ),
    "verb": (
        (
            "成立于{date}",
            "总部位于{place}",
            "由{founders}创办",
        ),
        (
            "由{founders}共同创办",
        ),
    ),
    "clause": (
        (
            "创始人是{founder1}",
            "创始人{founder1}毕业于{founder1_school}",
            "公司总部位于{place}",
        ),
        (
            "公司成立于{date}",
            "创始人是{founders}",
        ),
    ),
    "tail": (
        (
            "现任董事长{other}表示将继续扩大规模",
            "现有员工{count}人",
            "天使投资人{other}参与了首轮融资",
            "在{other_place}设有分公司",
            "注册资本{other_amount}",
            "{funding_date}完成新一轮融资",
            "与{other_company}是合作伙伴",
        ),
        (),
    ),
}

PHRASINGS = {"film": FILM, "person": PERSON, "song": SONG, "book": BOOK, "company": COMPANY}
#: What names the topic in its openings, and how it is taken up again.
TOPIC = {"film": "title", "person": "name", "song": "title", "book": "title", "company": "name"}
AGAIN = {"film": "{it}", "person": "{name}", "song": "这首歌", "book": "这本书", "company": "公司"}
LEADS = ("据悉，", "资料显示，", "据介绍，", "记者{other}报道：", "【资讯】", "1、", "3.", "✨", "相关介绍：")
