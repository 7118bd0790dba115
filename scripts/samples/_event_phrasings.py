"""The scenes of the event extraction sample, and the phrasings that report them.

A scene is one event, or two that belong together. Its events map the bindings of `_event_world.py` to roles, so a binding that two
events know is an argument of both. In a phrasing
    {name}        is the binding, labelled wherever a role knows it
    {=name}       is the same words without a label: another mention, a bystander
    [name:...]    labels all that it encloses, which may hold labelled bindings itself
    <...>         is the trigger of the scene's event; <2...> of its second one
A binding `name_short` is an alias: where a text mentions it, the argument `name` gets it.

Phrasings come in pairs: (of all splits, of dev and test only). The latter mostly use triggers of the former in other constructions.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """`events`: (event type, binding -> role) in the order of the triggers' numbers. `weight`: how often it is chosen."""

    weight: int
    events: tuple[tuple[str, dict[str, str]], ...]
    phrasings: tuple[str, ...]
    held_out: tuple[str, ...]


#: event type -> roles, from the official schema.
SCHEMA: dict[str, tuple[str, ...]] = {
    "竞赛行为-胜负": ("时间", "败者", "胜者", "赛事名称"),
    "竞赛行为-夺冠": ("时间", "冠军", "夺冠赛事"),
    "司法行为-拘捕": ("时间", "拘捕者", "被拘捕者"),
    "产品行为-发布": ("时间", "发布产品", "发布方"),
    "产品行为-召回": ("时间", "召回内容", "召回方"),
    "组织关系-解散": ("时间", "解散方"),
    "组织关系-辞/离职": ("时间", "离职者", "原所属组织"),
    "组织关系-加盟": ("时间", "加盟者", "所加盟组织"),
    "灾害/意外-地震": ("时间", "死亡人数", "震级", "震源深度", "震中", "受伤人数"),
    "灾害/意外-车祸": ("时间", "地点", "死亡人数", "受伤人数"),
    "财经/交易-出售/收购": ("时间", "出售方", "交易物", "出售价格", "收购方"),
    "财经/交易-涨停": ("时间", "涨停股票"),
    "人生-结婚": ("时间", "结婚双方"),
    "人生-产子/女": ("时间", "产子者", "出生者"),
}

MATCH = ("竞赛行为-胜负", {"time": "时间", "winner": "胜者", "loser": "败者", "loser2": "败者", "cup": "赛事名称"})
TITLE = ("竞赛行为-夺冠", {"time": "时间", "winner": "冠军", "cup": "夺冠赛事"})
ARREST = ("司法行为-拘捕", {"arrest_time": "时间", "police": "拘捕者", "suspect": "被拘捕者", "suspect2": "被拘捕者"})
RELEASE = ("产品行为-发布", {"time": "时间", "maker": "发布方", "product": "发布产品", "product2": "发布产品"})
RECALL = ("产品行为-召回", {"recall_time": "时间", "maker": "召回方", "recalled": "召回内容"})
DISBAND = ("组织关系-解散", {"time": "时间", "group": "解散方"})
RESIGN = ("组织关系-辞/离职", {"time": "时间", "person": "离职者", "person2": "离职者", "old": "原所属组织"})
JOIN = ("组织关系-加盟", {"time": "时间", "join_time": "时间", "person": "加盟者", "person2": "加盟者", "new": "所加盟组织", "label": "所加盟组织"})
QUAKE = ("灾害/意外-地震", {"time": "时间", "dead": "死亡人数", "size": "震级", "depth": "震源深度", "centre": "震中", "hurt": "受伤人数"})
CRASH = ("灾害/意外-车祸", {"time": "时间", "place": "地点", "dead": "死亡人数", "hurt": "受伤人数"})
TAKEOVER = ("财经/交易-出售/收购", {"time": "时间", "buyer": "收购方", "seller": "出售方", "share": "交易物", "price": "出售价格"})
LIMIT_UP = ("财经/交易-涨停", {"time": "时间", "up_time": "时间", "stock": "涨停股票", "stock2": "涨停股票", "buyer": "涨停股票"})
WEDDING = ("人生-结婚", {"time": "时间", "bride": "结婚双方", "groom": "结婚双方"})
BIRTH = ("人生-产子/女", {"birth_time": "时间", "bride": "产子者", "child": "出生者"})

SCENES: dict[str, Scene] = {
    "match": Scene(8, (MATCH,), (
        "{time}，{cup}继续进行，{winner}主场{score}<击败>{loser}",
        "{winner}{score}<战胜>{loser}，{player}打入制胜一球",
        "{time}，{loser}在{cup}中以{away}<不敌>{winner}",
        "{cup}快报：{winner}{score}<大胜>{loser}",
        "{winner}先后<击败>{loser}和{loser2}，{player}表现抢眼",
        "{time}结束的{cup}上，{winner}客场<力克>{loser}",
        "{=winner}又赢了！{time}，{winner}{score}<战胜>{loser}",
        "{time}，[cup:{loser}邀请赛]揭幕，{winner}{score}<击败>东道主",
        "{=loser}又丢分了：{loser}{time}<不敌>{winner}",
        "{loser}主场<输给>{winner}，{=loser}已经三连败",
    ), (
        "{time}，{winner}在{cup}里<击败>了{loser}",
        "{cup}{time}打响，{loser}<不敌>{winner}",
        "在{cup}中，{winner}接连<战胜>{loser}、{loser2}",
        "<力克>{loser}！{winner}{time}拿下{cup}关键一战",
        "{=winner}继续连胜！{winner}{score}<击败>{loser}",
        "{time}的{cup}，{loser}以{away}<输给>了{winner}",
    )),
    "title": Scene(7, (TITLE,), (
        "{time}，{winner}夺得{cup}<冠军>",
        "{winner}<夺冠>！{cup}{time}落幕",
        "{cup}决赛结束，{winner}捧起<冠军>奖杯",
        "恭喜{winner}在{cup}中<夺冠>",
        "{time}，{cup}决出名次，{winner}<登顶>",
        "时隔多年，{winner}再次在{cup}<夺冠>，{=winner}的球迷彻夜庆祝",
        "{player}率领{winner}获得{cup}<冠军>",
    ), (
        "{winner}{time}获得{cup}<冠军>",
        "{cup}的<冠军>奖杯{time}由{winner}捧起",
        "{time}，{winner}如愿在{cup}<夺冠>",
        "{player}带队，{winner}<登顶>{cup}",
    )),
    "final": Scene(7, (MATCH, TITLE), (
        "{time}，{cup}决赛，{winner}{score}<击败>{loser}<2夺冠>",
        "{winner}<战胜>{loser}，{time}夺得{cup}<2冠军>",
        "{time}，[cup:{loser}邀请赛]决赛，{winner}<击败>东道主<2夺冠>",
        "{cup}决赛中{loser}<不敌>{winner}，{=winner}就此<2夺冠>",
        "{winner}以{score}<力克>{loser}，<2登顶>{cup}",
    ), (
        "{time}，{winner}在{cup}决赛里<战胜>{loser}，成功<2夺冠>",
        "{time}，{loser}<输给>{winner}，{cup}<2冠军>有了归属",
        "<击败>{loser}之后，{winner}捧起{cup}<2冠军>奖杯",
    )),
    "matches": Scene(4, (MATCH, ("竞赛行为-胜负", {"time": "时间", "winner2": "胜者", "loser3": "败者", "cup": "赛事名称"})), (
        "{time}，{cup}两场比赛结束，{winner}{score}<击败>{loser}，{winner2}<2力克>{loser3}",
        "{cup}{time}综合：{winner}<战胜>{loser}，{loser3}<2不敌>{winner2}",
        "{winner}{score}<击败>{loser}；{winner2}{score2}<2击败>{loser3}",
    ), (
        "{cup}：{loser}<输给>{winner}，{winner2}则<2战胜>{loser3}",
        "{time}，{cup}再战两场，{winner}<力克>{loser}，{loser3}<2不敌>{winner2}",
    )),
    "arrest": Scene(8, (ARREST,), (
        "{arrest_time}，{police}<抓获>{suspect}",
        "{police}{arrest_time}通报，{suspect}因涉嫌{crime}被<刑事拘留>",
        "涉嫌{crime}，{suspect}和{suspect2}被{police}<逮捕>",
        "{suspect}潜逃{count}年，{arrest_time}在{spot}<落网>",
        "{police}破获一起{crime}案，<抓获>{suspect}",
        "{arrest_time}，{suspect}因{crime}被{police}<批捕>",
        "因{crime}，{suspect}{arrest_time}被警方<拘留>，{=suspect}对此供认不讳",
    ), (
        "{suspect}涉嫌{crime}，{arrest_time}已被{police}<刑事拘留>",
        "{arrest_time}在{spot}，{police}将{suspect}<抓获>",
        "{=suspect}落入法网：{police}{arrest_time}<抓获>{suspect}",
        "{crime}案告破：{suspect}与{suspect2}<落网>",
        "被{police}<逮捕>的{suspect}涉嫌{crime}",
        "{police}{arrest_time}依法<拘留>了{suspect}",
    )),
    "release": Scene(8, (RELEASE,), (
        "{time}，{maker}正式<发布>{product}",
        "{maker}在{spot}<发布>了新品{product}",
        "{maker}{time}<推出>{product}，售价{cost}起",
        "{maker}一口气<发布>{product}和{product2}",
        "{product}{time}正式<发布>，官方称其续航更长",
        "{maker}宣布<推出>{product}，{=maker_short}还公布了售价",
        "{product}<亮相>！{maker}{time}揭晓谜底",
    ), (
        "{maker}新品{product}于{time}<发布>",
        "{time}在{spot}，{maker}带来{product}并<发布>{product2}",
        "{product}来了，{maker}今年第三次<推出>新品",
        "{maker}<推出>{product}，{=maker_short}股价应声上涨",
        "由{maker}研发的{product}{time}正式<亮相>",
    )),
    "recall": Scene(7, (RECALL,), (
        "{maker}自{recall_time}起<召回>{recalled}",
        "因{fault}，{maker}将<召回>{recalled}",
        "{recall_time}，{maker}宣布<召回>{recalled}，{=maker_short}表示免费维修",
        "{maker}<召回>{recalled}，原因是{fault}",
        "市场监管部门消息：{maker}决定于{recall_time}起<召回>部分产品，共计{recalled}",
    ), (
        "{recalled}存在{fault}，{maker}{recall_time}起实施<召回>",
        "{maker}因{fault}<召回>{recalled}",
        "{maker}{recall_time}<召回>{recalled}，{=maker_short}称更换免费",
        "{recalled}被<召回>，{maker}致歉",
    )),
    "release_recall": Scene(4, (RELEASE, RECALL), (
        "{maker}{time}刚<发布>{product}，{recall_time}又因{fault}<2召回>{recalled}",
        "{time}，{maker}<推出>{product}；同一天{=maker}宣布<2召回>{recalled}",
        "一边<发布>{product}，一边<2召回>{recalled}，{maker}有点忙",
    ), (
        "{maker}<发布>{product}不久，就从{recall_time}起<2召回>{recalled}",
        "{recall_time}，{maker}<2召回>{recalled}，而{product}仍将如期<发布>",
    )),
    "disband": Scene(7, (DISBAND,), (
        "{time}，{group}宣布<解散>",
        "{group}<解散>了，{=group}的粉丝十分不舍",
        "成立{count}年后，{group}于{time}正式<解散>",
        "{=group}怎么了？{time}，{group}宣布<解散>",
        "{group}发文宣布就地<解散>",
        "因资金问题，{group}{time}<解散>",
    ), (
        "{group}官宣：{time}起<解散>",
        "{=group}的歌成了绝唱：{group}{time}<解散>",
        "走过{count}年，{group}最终还是<解散>了",
        "{time}，{spot}传来消息，{group}<解散>",
    )),
    "resign": Scene(8, (RESIGN,), (
        "{time}，{person}宣布从{old}<离职>",
        "{old}公告，{post}{person}因个人原因<辞职>",
        "{person}{time}<卸任>{old}{post}",
        "[person:{old}{post}{=person}]{time}<辞职>",
        "{old}两名高管{person}和{person2}同日<离职>",
        "{person}已向{old}递交<辞呈>，{=old_short}未予置评",
        "{time}，[person:{old}前{post}{=person}]<卸任>",
        "[person:{old}新闻发言人{=person}]<离职>，{=old_short}正在物色接替者",
        "传{person}将<离开>{old}，{=person}否认",
    ), (
        "{person}<辞去>{old}{post}职务，{time}生效",
        "{time}，[person:{old}{post}{=person}]正式<离职>",
        "在{old}工作{count}年后，{person}{time}<辞职>",
        "[person:{old}{post}{=person}]递交<辞呈>，{=old_short}拒绝评论",
        "{old}：{person}和{person2}已<离职>",
    )),
    "join": Scene(8, (JOIN,), (
        "{time}，{person}正式<加盟>{new}",
        "{new}官宣{person}<加盟>",
        "{person}<加入>{new}，担任{post}",
        "{new}{time}宣布，{person}与{person2}正式<加盟>",
        "{person}的下一站是{new}，{=person}{time}完成<加盟>手续",
        "欢迎{person}<加入>{new}大家庭！",
    ), (
        "<加盟>{new}！{person}{time}完成签约",
        "{person}{time}起<加入>{new}",
        "{new}迎来{person}的<加盟>",
        "{person}、{person2}{time}双双<加盟>{new}",
    )),
    "transfer": Scene(7, (RESIGN, JOIN), (
        "{time}，{person}<离开>{old}，<2加盟>{new}",
        "{person}从{old}<离职>后<2加入>{new}",
        "{old}{post}{person}<辞职>，{join_time}<2加盟>{new}",
        "告别{old}，{person}{join_time}<2加盟>{new}，<离职>手续已办完",
    ), (
        "{person}{join_time}<2加盟>{new}，此前已从{old}<离职>",
        "<离开>{old}后，{person}选择<2加入>{new}",
        "{new}{join_time}宣布{person}<2加盟>，而{old}仅在前一天确认其<辞职>",
    )),
    "disband_join": Scene(4, (DISBAND, JOIN), (
        "{time}，{group}<解散>，成员{person}<2加盟>{label}",
        "{group}<解散>后，{person}<2加入>{label}",
    ), (
        "{person}{time}<2加盟>{label}，其所在的{group}则宣布<解散>",
        "{time}，随着{group}<解散>，{person}<2加入>{label}",
    )),
    "quake": Scene(10, (QUAKE,), (
        "{time}在{centre}发生{size}<地震>，震源深度{depth}",
        "{centre}{time}发生{size}<地震>，{hurt}受伤",
        "{centre}{size}<地震>已造成{dead}死亡、{hurt}受伤",
        "据台网测定，{time}{centre}（北纬{north}度）发生{size}<地震>，震源深度{depth}",
        "{size}<地震>袭击{centre}，{dead}死亡，{hurt}受伤",
        "{time}，{centre}<地震>，震级{size}，致{dead}遇难，{=centre}交通中断",
    ), (
        "{centre}{time}<地震>，震级为{size}，深度{depth}",
        "{time}，一场{size}<地震>发生在{centre}，造成{hurt}受伤",
        "{=centre}又震了！{time}，{centre}发生{size}<地震>",
        "{size}<地震>！震中位于{centre}，震源深度{depth}",
        "受{time}{centre}<地震>影响，已有{dead}死亡，{hurt}受伤",
    )),
    "quakes": Scene(2, (QUAKE, ("灾害/意外-地震", {"time2": "时间", "size2": "震级", "centre": "震中"})), (
        "{time}{centre}发生{size}<地震>，{time2}又发生{size2}<2地震>",
        "{centre}一天两震：{time}{size}<地震>，{time2}{size2}<2地震>",
    ), (
        "继{time}{size}<地震>之后，{centre}{time2}再次发生{size2}<2地震>",
        "{time2}，{centre}发生{size2}<2地震>，而{time}刚有过{size}<地震>",
    )),
    "crash": Scene(8, (CRASH,), (
        "{time}，{place}发生<车祸>，{dead}死亡",
        "{place}一辆{vehicle}与货车<相撞>，致{dead}死亡{hurt}受伤",
        "{time}，一辆{vehicle}在{place}<追尾>，{hurt}受伤",
        "{place}{time}突发<交通事故>，造成{dead}死亡，{hurt}受伤",
        "{vehicle}{time}在{place}<侧翻>，{hurt}送医",
    ), (
        "{place}<车祸>致{dead}死亡、{hurt}受伤",
        "{time}发生在{place}的<交通事故>造成{hurt}受伤",
        "{=place}又出事了！{time}，{place}发生<交通事故>，{hurt}受伤",
        "两车{time}在{place}<相撞>，{dead}死亡",
        "{dead}死亡，{hurt}受伤，{place}发生{vehicle}<追尾>",
    )),
    "crash_arrest": Scene(4, (CRASH, ARREST), (
        "{time}，{place}发生<车祸>致{dead}死亡，肇事者{suspect}被{police}<2刑事拘留>",
        "{place}<追尾>事故{hurt}受伤，{police}{arrest_time}<2抓获>逃逸司机{suspect}",
    ), (
        "{police}{arrest_time}<2抓获>{suspect}，此人驾驶{vehicle}在{place}<相撞>后逃逸，{hurt}受伤",
        "{place}<交通事故>造成{dead}死亡，{suspect}{arrest_time}被<2逮捕>",
    )),
    "takeover": Scene(8, (TAKEOVER,), (
        "{time}，{buyer}以{price}<收购>[share:{firm}{percent}股权]",
        "{buyer}宣布<收购>[share:{firm}]，作价{price}",
        "{seller}拟将所持[share:{firm}{percent}的股权]<出售>给{buyer}",
        "{seller}{time}以{price}<卖出>[share:{firm}]，接盘方为{buyer}",
        "{buyer}{time}完成对[share:{firm}]的<收购>，{=buyer_short}称将保留团队",
        "{time}，{buyer}以{price}<收购>[share:{seller}旗下的{firm}]",
        "{buyer}<收购>[share:{seller}所持{firm}{percent}股权]",
        "[share:{firm}]被{buyer}<收购>，价格为{price}",
    ), (
        "{buyer}斥资{price}，{time}<收购>了[share:{firm}{percent}股权]",
        "{time}，{seller}与{buyer}签约，<出售>[share:{firm}]，价格{price}",
        "[share:{seller}旗下的{firm}]{time}被{buyer}<收购>，{=buyer_short}出价{price}",
        "[share:{firm}{percent}股权]{time}被{buyer}<收购>",
        "{seller}<卖出>[share:{firm}{percent}的股权]，套现{price}",
    )),
    "takeover_limit_up": Scene(5, (TAKEOVER, LIMIT_UP), (
        "{time}，{buyer}<收购>[share:{firm}{percent}股权]，股价<2涨停>",
        "{buyer}拟{price}<收购>[share:{firm}]，复牌后<2涨停>",
        "受<收购>[share:{firm}]消息刺激，{buyer}{up_time}<2涨停>",
    ), (
        "{buyer}{up_time}<2涨停>，此前宣布以{price}<收购>[share:{firm}]",
        "{up_time}，宣布<收购>[share:{firm}{percent}的股权]的{buyer}开盘<2涨停>",
    )),
    "limit_up": Scene(7, (LIMIT_UP,), (
        "{time}，{stock}<涨停>",
        "{board}板块走强，{stock}、{stock2}<涨停>",
        "{time}早盘，{stock}直线拉升<封板>",
        "{stock}{time}再度<涨停>，{=stock}已连续{count}个交易日上涨",
        "{=stock}火了！{time}，{stock}<封板>",
        "截至收盘，{stock}<涨停>，成交{cost}",
        "{board}概念股{time}活跃，{stock}和{stock2}<封板>",
    ), (
        "{time}开盘后，{stock}快速<涨停>",
        "{stock}<封板>，{board}概念{time}领涨",
        "{stock}与{stock2}{time}双双<涨停>",
    )),
    "wedding": Scene(8, (WEDDING,), (
        "{time}，{bride}和{groom}<结婚>",
        "{groom}{time}宣布与{bride}<结婚>",
        "{bride}晒出证件照，与{groom}<领证>",
        "{=bride}嫁人了！{time}，{bride}和{groom}<领证>",
        "{bride}、{groom}<大婚>，众多好友到场",
        "恋爱{count}年，{groom}与{bride}终于<结婚>，{=bride}喜极而泣",
        "{time}，{groom}迎娶{bride}，两人<完婚>",
    ), (
        "{bride}与{groom}于{time}<领证>",
        "{groom}和{bride}<完婚>，{player}送上祝福",
        "{=groom}脱单了：{groom}与{bride}{time}<完婚>",
        "<结婚>了！{bride}{time}公布与{groom}的婚讯",
        "{time}在{spot}，{bride}、{groom}<大婚>",
    )),
    "birth": Scene(7, (BIRTH,), (
        "{birth_time}，{bride}顺利<产下>{child}",
        "{bride}{birth_time}<生下>{child}，大人平安",
        "{bride}当妈了，<诞下>{child}",
        "恭喜{bride}<产子>，{=bride}晒出小脚丫",
        "{bride}在{spot}<生下>{child}，丈夫{=groom}全程陪伴",
    ), (
        "{birth_time}，{bride}平安<产下>{child}，{=groom}激动落泪",
        "{birth_time}，{=groom}的妻子{bride}<诞下>{child}",
        "平安！{bride}{birth_time}<生下>{child}",
    )),
    "wedding_birth": Scene(5, (WEDDING, BIRTH), (
        "{bride}和{groom}{time}<结婚>，{birth_time}<2生下>{child}",
        "{time}，{groom}与{bride}<领证>，同年{=bride}<2产下>{child}",
        "{bride}{birth_time}<2诞下>{child}，她与{groom}于{time}<结婚>",
    ), (
        "与{groom}<结婚>后，{bride}{birth_time}<2产下>{child}",
        "{time}，{bride}、{groom}<完婚>；{birth_time}，{child}<2出生>",
    )),
}  # fmt: skip

LEADS = (
    "快讯：", "据{media}报道，", "【{media}】", "刚刚，", "记者获悉，", "{media}讯 ", "#早安#", "突发！",
)  # fmt: skip

TAILS = (
    "网友{other}评论说没想到", "{media}将持续关注", "具体细节有待进一步公布", "消息一出迅速登上热搜第{rank}位", "相关话题阅读量超过{views}万",
    "此事引发热议", "{media}评论员{other}认为这并不意外", "你怎么看？", "截至发稿，{other_org}尚未回应",
)  # fmt: skip

#: Longer background for the long texts.
BACKGROUND = (
    "公开资料显示，{other}早年在{other_place}求学，{other_time}开始从事这一行，先后换过好几个城市",
    "{other_org}的一位工作人员告诉记者，这类事情往年也遇到过，一般要等上几天才会有结果",
    "{media}此前曾在{other_time}做过一期专题，采访了{other}等人，节目播出后收到不少来信",
    "当地居民{other}表示，自己也是看到手机上的推送才知道的，街坊们这两天都在谈论",
    "在{other_place}，类似的话题并不少见，{other}在社交平台上写道：慢慢来，比较快",
    "值得一提的是，{other_org}去年的同期数据与今年相差不大，业内人士对此看法不一",
)
