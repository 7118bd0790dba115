"""The phrasings of the entity linking sample: titles of pages, headlines and queries, and what the knowledge base says of an entity.

In a phrasing {braces} are the entity of its kind itself ({film} under "film") or one of its facts (its {director}), each a mention; {n}, {m},
{month}, {year}, {scene} and {praise} are no mentions. Every phrasing tells which kind of entity is meant, by words that the descriptions
of the kind share (执导) or imply (无弹窗), so that namesakes of another kind are told apart; namesakes of the same kind need a fact.
Common nouns stand in plain words and are labelled by habit: see NOUNS in `_linking_descriptions.py`.
"""

from dataclasses import dataclass

#: kind -> (phrasings of all splits, phrasings of dev and test only). The latter use the cue words of the former in other constructions.
PHRASINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "novel": (
        (
            "{novel}最新章节_{novel}全文阅读_{novel}无弹窗",
            "《{novel}》{author}_小说在线阅读",
            "《{novel}》txt全集下载 作者：{author}",
            "{novel} 第{n}章 {scene} 最新章节",
            "求{author}的小说《{novel}》txt",
            "★{novel}最新章节_{novel}无弹窗",
            "完本小说推荐：《{novel}》，作者{author}",
            "《{novel}》{author} ^第{n}章^ 最新更新",
            "《{novel}》番外全文阅读",
            "连载小说{novel}什么时候更新下一章",
        ),
        (
            "{novel}章节目录_{novel}txt免费下载",
            "小说《{novel}》有番外吗，在哪里能看全文",
            "{author}的《{novel}》连载到第{n}章了",
            "有谁看过{author}写的小说{novel}？求番外",
            "{novel}全文免费阅读_无弹窗_{author}",
            "《{novel}》第{n}章：{scene}，等更新",
        ),
    ),
    "film": (
        (
            "《{film}》电影完整版高清在线观看",
            "电影《{film}》首日票房破亿，{director}致谢观众",
            "如何评价{director}执导的电影《{film}》？",
            "《{film}》影评：{praise}",
            "{actor}新片《{film}》定档{month}月上映",
            "{film}预告片_{film}上映时间",
            "《{film}》曝终极预告片 {actor}雨中狂奔",
            "【影评】{film}：{praise}",
            "{film}({year}年{director}执导的电影)",
            "《{film}》全国上映 票房三天破{n}亿",
        ),
        (
            "{director}新片{film}今日上映 票房领跑",
            "影院看完《{film}》，{actor}的演技没话说",
            "电影《{film}》首映 {actor}与{director}同台",
            "{film}票房多少 {film}电影高清下载",
            "{year}年上映的电影{film}，{actor}主演的那部",
            "看完预告片就想看{film}，{month}月上映",
        ),
    ),
    "series": (
        (
            "《{series}》第{n}集 - 高清正版在线观看",
            "{series}大结局_{series}电视剧全集",
            "电视剧《{series}》热播 {actor}演技炸裂",
            "《{series}》收视率破{m} {actor}人气大涨",
            "{series}分集剧情介绍(1-{n}集大结局)",
            "{actor}主演的电视剧{series}什么时候开播",
            "追剧日记：{series}更新到第{n}集了",
            "《{series}》第{n}集剧情：{role}身份曝光",
            "如何评价电视剧《{series}》的大结局？",
            "{series}收视率连续{m}天第一",
        ),
        (
            "{series}全集(第1~{n}集大结局)_在线观看",
            "{actor}热播剧{series}收视率第一",
            "{series}分集剧情第{n}集，{role}回来了",
            "有没有和{series}一样好看的电视剧，求推荐",
            "《{series}》今晚大结局 {actor}发文告别追剧观众",
            "{series}电视剧{month}月开播 {actor}领衔",
        ),
    ),
    "song": (
        (
            "{singer}《{song}》mv高清-音乐",
            "{song}歌词_{singer}{song}歌词",
            "《{song}》吉他谱 C调弹唱教学",
            "{singer}演唱会深情演唱《{song}》",
            "试听：{singer}新歌《{song}》",
            "翻唱《{song}》 原唱{singer}",
            "{song}伴奏_{song}歌曲下载",
            "{singer} - {song} (现场版)",
            "单曲循环：{singer}的《{song}》太好听了",
            "《{song}》歌词是什么意思",
            "推荐一首{singer}的歌曲：《{song}》",
        ),
        (
            "{singer}一曲《{song}》唱哭全场",
            "{song}原唱是谁 {song}歌词完整版",
            "{singer}单曲{song}试听下载",
            "《{song}》钢琴伴奏 {singer}原唱",
            "求《{song}》的吉他谱和歌词",
            "翻唱：{song}，致敬{singer}现场版",
        ),
    ),
    "game": (
        (
            "《{game}》新手攻略：前期怎么升级",
            "{game}第{n}关怎么过 {game}通关攻略",
            "{game}手游官网下载_{game}礼包领取",
            "{firm}手游《{game}》今日公测",
            "{game}副本掉落装备大全",
            "【攻略】{game}隐藏任务怎么触发",
            "{game}玩家吐槽：服务器又崩了",
            "《{game}》实况 新手通关第{n}关",
            "{game}公测礼包兑换码",
            "{firm}新作《{game}》玩家破百万",
        ),
        (
            "{game}通关存档下载_{game}手游",
            "{firm}旗下《{game}》公测 玩家排队三小时",
            "{game}新手装备怎么选 攻略来了",
            "新手求问，{game}副本用什么角色",
            "《{game}》礼包在哪里领 第{n}关打不过",
            "{game}服务器开放时间 玩家必看",
        ),
    ),
    "role": (
        (
            "电视剧《{series}》中{role}的扮演者是谁",
            "{role}(电视剧《{series}》中的人物)",
            "{actor}饰演{role} 哭戏深入人心",
            "电视剧{series}里{role}最后死了吗",
            "{role}扮演者{actor} 剧照",
            "剧中人物{role}为什么黑化了",
            "《{series}》第{n}集 {role}死了",
            "{actor}版{role}剧照曝光 造型惊艳",
        ),
        (
            "热播剧{series}人物盘点：最惨的是{role}",
            "{role}在电视剧《{series}》里是好人还是坏人",
            "{role}扮演者{actor}谈人物塑造",
            "剧里的{role}黑化以后，{actor}饰演得真好",
            "{role}第几集死的 {series}大结局剧情",
        ),
    ),
    "singer": (
        (
            "{singer}演唱会门票多少钱",
            "歌手{singer}个人资料简介",
            "{singer}新专辑销量破百万",
            "{singer}《{song}》现场版试听",
            "{singer}最好听的歌曲大全",
            "{singer}携新歌《{song}》回归歌坛",
            "【{singer}】新歌首发 试听",
            "{singer}巡回演唱会今晚开唱 歌迷挤爆{town}",
        ),
        (
            "{singer}新专辑什么时候发行",
            "歌坛新人{singer}：唱歌是我的全部",
            "听歌手{singer}唱《{song}》，前奏一响就哭了",
            "{singer}专辑歌曲打包下载",
            "{singer}演唱会歌迷合唱《{song}》",
        ),
    ),
    "actor": (
        (
            "演员{actor}个人资料_{actor}主演的电视剧",
            "{actor}新剧《{series}》杀青 剧照曝光",
            "{actor}红毯造型惊艳 网友：演技也好",
            "{actor}演过的电影和电视剧有哪些",
            "{actor}片场发火？剧组回应",
            "{actor}主演电视剧《{series}》首播获好评",
            "【图片】{actor}古装剧照合集",
            "{actor}饰演过哪些角色",
        ),
        (
            "{actor}片场照曝光 新剧即将杀青",
            "演员{actor}：演技要靠角色说话",
            "{actor}饰演的角色盘点",
            "{actor}加盟电视剧《{series}》剧组",
            "{actor}红毯图片_{actor}剧照",
        ),
    ),
    "director": (
        (
            "导演{director}新片开机 筹备三年",
            "{director}执导过的电影有哪些",
            "导演{director}：拍电影《{film}》花光了积蓄",
            "专访{director}：镜头要对准普通人",
            "{director}执导的电影《{film}》入围电影节",
            "{director}导演作品全集",
            "{director}新片开拍 仍与老摄影师合作",
        ),
        (
            "名导{director}谈新片：不拍续集",
            "如何看待导演{director}的镜头语言",
            "{director}凭电影《{film}》拿下最佳导演",
            "{director}执导的新片{month}月开机",
        ),
    ),
    "author": (
        (
            "{author}小说全集_{author}作品集txt",
            "作家{author}新书签售会在{town}举行",
            "{author}的小说哪本最好看",
            "{author}小说《{novel}》出版 收录番外三篇",
            "作家{author}：我每天只写两千字",
            "网文作者{author}断更三个月",
            "{author}新书推荐 文笔细腻",
        ),
        (
            "{author}全部小说txt下载 作品集",
            "作家{author}谈写作：慢慢写就好",
            "{author}什么时候出新书，文笔太好了",
            "{author}签售小说《{novel}》 书迷排长队",
            "断更一年，{author}的新书终于出版",
        ),
    ),
    "player": (
        (
            "{player}砍下{n}分 {team}主场取胜",
            "{team}后卫{player}伤愈复出",
            "{player}三分绝杀 集锦",
            "{player}加盟{team} 球迷接机",
            "球员{player}身高体重 生涯数据",
            "{player}缺阵 {team}遭三连败",
            "{player}{n}分{m}篮板 集锦下载",
            "{player}助攻创生涯新高 视频",
        ),
        (
            "{player}伤愈首发 全场{n}分{m}助攻",
            "{team}签下后卫{player} 球迷热议",
            "{player}绝杀球集锦_视频",
            "球员{player}三分命中率 生涯最高",
            "{player}转会 {team}球迷不舍",
        ),
    ),
    "scholar": (
        (
            "{school}教授{scholar}：论文造假零容忍",
            "{scholar}教授讲座通知_{school}",
            "{scholar}课题组招收博士生",
            "{school}{scholar}团队研究登上期刊",
            "教授{scholar}简介 研究方向",
            "{scholar}论文被引次数破万",
            "{scholar}谈实验室建设与学术研究",
        ),
        (
            "{scholar}教授课题组论文发表",
            "{school}邀请{scholar}作讲座 谈学术研究",
            "跟{scholar}读博士生是什么体验",
            "{scholar}实验室招博士生 研究方向不限",
        ),
    ),
    "founder": (
        (
            "{firm}创始人{founder}身价多少",
            "{founder}创业故事 从地摊到董事长",
            "董事长{founder}给员工发红包",
            "企业家{founder}：现金流比利润重要",
            "{founder}卸任{firm}董事长",
            "{founder}创业前是做什么的",
            "{founder}捐款{n}亿 位列企业家榜首",
        ),
        (
            "{firm}董事长{founder}捐款办学",
            "企业家{founder}谈创业：别怕失败",
            "{founder}身价缩水 {firm}股东不满",
            "创始人{founder}写给员工的信",
        ),
    ),
    "town": (
        (
            "{town}旅游攻略_{town}必去景点",
            "{town}天气预报一周",
            "{town}房价走势 新房均价",
            "{town}高铁站到市区怎么走",
            "{town}美食推荐 市民常去的小店",
            "{town}简介及人口 属于哪个省",
            "【{town}】{town}租房_二手房房价",
            "{town}城区停水通知 市民请注意",
        ),
        (
            "{town}有什么好玩的景点和美食",
            "{town}城区新房房价破万",
            "{town}天气预报 明天有雨",
            "去{town}旅游住哪里方便",
            "坐高铁去{town}要多久 景点多吗",
        ),
    ),
    "river": (
        (
            "{river}水位超警戒线 防汛告急",
            "{river}流域面积 有几条支流",
            "{river}上游发现古桥遗址",
            "{river}汛期水位实时查询",
            "{river}河段禁渔期公告",
            "{river}发源于哪里 全长多少公里",
            "{river}支流治理 流域水质变好",
        ),
        (
            "汛期将至 {river}上游水位上涨",
            "{river}支流发现水獭 流域水质改善",
            "{river}全长多少 流域在哪些省",
            "{river}下游河段禁渔 渔民上岸",
        ),
    ),
    "firm": (
        (
            "{firm}股价大跌 创始人{founder}致歉",
            "{firm}完成新一轮融资 估值百亿",
            "{firm}手机发布会时间 售价多少",
            "{firm}公司招聘信息_{firm}待遇",
            "{firm}CEO{founder}内部信曝光",
            "{firm}财报：净利润增长{m}成",
            "{firm}客服电话 怎么转人工",
            "{firm}拟赴港上市 融资{n}亿",
        ),
        (
            "{firm}发布财报 股价应声上涨",
            "{firm}新手机发布会直播 售价公布",
            "{firm}公司裁员 CEO{founder}回应",
            "{firm}上市首日股价破发",
            "在{firm}公司上班待遇怎么样",
        ),
    ),
    "fruit": (
        (
            "{fruit}的功效与作用 孕妇能吃吗",
            "{fruit}种植技术_{fruit}亩产多少斤",
            "{fruit}怎么吃 一天吃几个合适",
            "{fruit}热量高吗 减肥能不能吃",
            "{fruit}的营养价值有哪些",
            "{town}{fruit}熟了 游客采摘忙",
            "{fruit}品种介绍 什么时候成熟",
        ),
        (
            "孕妇吃{fruit}好吗 {fruit}营养大全",
            "{town}{fruit}采摘园 品种齐全",
            "{fruit}不能和什么一起吃 有什么功效",
            "种植{fruit}要注意什么 几月成熟",
        ),
    ),
    "school": (
        (
            "{school}录取分数线_{school}招生办",
            "{school}宿舍条件怎么样",
            "{school}考研难不难 哪些专业好",
            "{school}校园风光 图片",
            "{school}新生报到 校园广播迎新",
            "{town}有哪些大学 {school}排第几",
        ),
        (
            "{school}有哪些王牌专业 录取分数线多少",
            "考研到{school}是什么体验",
            "{school}招生办电话 宿舍图片",
        ),
    ),
    "programme": (
        (
            "纪录片《{programme}》第{n}期在线观看",
            "《{programme}》{year}0{m}17 一碗面的讲究",
            "《{programme}》纪录片 旁白真好听",
            "美食纪录片{programme}什么时候播出",
            "《{programme}》第{n}期：街角的早点铺",
        ),
        (
            "纪录片{programme}豆豉那一期看饿了",
            "《{programme}》第{n}期视频 纪录片",
            "看完美食纪录片《{programme}》想去旅游",
        ),
    ),
}

SCENES = ("夜雨", "出城", "重逢", "试剑", "故人来", "雪夜", "旧账", "密道", "一封信", "破庙", "赴约", "归山")
PRAISES = ("后劲太大了", "笑着笑着就哭了", "节奏比想象中慢", "结尾值得看两遍", "把遗憾拍得很美", "故事老套但真诚", "没有一句废话", "有点看不懂")

LEADS = ("【视频】", "【图片】", "[转载]", "热门：", "今日话题 ")


@dataclass(frozen=True)
class Ending:
    """What may follow a text about one of the `kinds`, or about any other if there are none. {site} is a mention of a site of a fitting type."""

    kinds: tuple[str, ...]
    tails: tuple[str, ...]
    site_types: tuple[str, ...]


ENDINGS = (
    Ending(("novel",), ("_{site}", " - {site}", "|{site}", "_小说_{site}"), ("小说网", "书吧")),
    Ending(("film", "series", "programme"), ("_{site}", "-{site}", "_视频_{site}", "-视频在线观看-{site}", "_视频"), ("视频", "影院")),
    Ending(("song", "singer"), ("-{site}", "_音乐", " - 音乐 - {site}", "_音乐下载_{site}"), ("音乐网",)),
    Ending(("game",), ("_{site}", " :: {site}", "_图片"), ("手游网",)),
    Ending(("actor", "director", "role"), ("_娱乐_{site}", "-娱乐", "(图片)", "_图片大全", "_娱乐新闻"), ("娱乐",)),
    Ending((), ("...", "_新闻", "_新闻中心", "-{site}", "_{site}"), ("新闻", "论坛")),
)


def ending(kind: str) -> Ending:
    return next(ending for ending in ENDINGS if kind in ending.kinds or not ending.kinds)
