"""Words that say an operator, an aggregation or a connection, and words that ask for a kind of column.

What a checkpoint knows of the language, as far as these few hundred words go, for a network that is trained from
nothing on a few hundred questions.
"""

import re

import numpy as np

from common.tokenizers import name_form

_MEASURES = "家个部名位只支款种所座条本首场人件项辆趟班台栋间张颗位株头道份套"
_COMPARED = r"比(?P<than>[^比，,。？?]{1,16}?)(?:还|要|更|再)*"

#: What a word says -> the words. Longer ones hide those in them: 不超过 is no 超过.
_CUES = {
    ">": (
        r"大于|高于|多于|超过|超出|超|高过|多过|大过|不止|不低于|不少于|不小于|至少|起码|达到|突破|晚于|长于|贵于|强于|"
        rf"以上|之上|往上|开外|以后|之后|往后|以来|{_COMPARED}[高多大长贵久重快晚远好强]"
    ),
    "<": (
        r"小于|低于|少于|短于|早于|不足|不及|低过|少过|小过|至多|顶多|以下|之下|以内|之内|以前|之前|往前|"
        r"(?:还|都|并|也)?(?:不|没|未)(?:有|能|曾)?(?:超过|超出|超|达到|到|高于|大于|多于|满|够|过)|"
        rf"{_COMPARED}(?:便宜|[低少小短矮轻慢早近差弱])"
    ),
    "!=": r"不是|不等于|不为|不属于|不在|不叫|不含|并非|除了|除去|除开|以外|之外|别的|其他|不选|不算|非(?=[^常])",
    "AVG": r"平均|均值|人均|均价",
    "MAX": r"最(?:高|大|多|长|贵|晚|远|重|快|好|强)|峰值|最大值|上限|顶多能",
    "MIN": r"最(?:低|小|少|短|便宜|早|近|轻|慢|差|弱)|最小值|下限",
    "COUNT": rf"(?<![哪荐这那找])几[{_MEASURES}]|多少[{_MEASURES}]|数量|数目|个数|总数|数一数|数数|多不多",
    "SUM": r"总和|合计|总共|加起来|加在一起|加一块|一共|共计|之和|总计|累计|求和|总量|总额|加总|拢共|统共",
    "and": r"并且|而且|同时|还有|以及|另外|此外|还要|又|也|且|既|兼|都",
    "or": r"或者|或是|或|要么|抑或|还是|任一|要不",
    "list": r"和|与|跟|、|及",
}
KINDS = tuple(_CUES)
CUE_COUNT = 3 * len(KINDS)

_FADING = 0.75  # from one character to the next

#: Words that ask -> characters in the names of columns that may answer.
_ASKED = {
    r"多少钱|啥价|几块|几元|贵不贵|花费|卖多少|价位|什么价": "价|费|钱|额|薪|金|资|售",
    r"谁|哪位|何人|哪个人|哪个老师|什么人": "人|员|者|师|演|家|手|主任|长|教|作|编",
    r"哪里|哪儿|在哪|什么地方|啥地方|何处|位于|哪个城市|哪个省|哪座城|哪个地方|哪国|哪个国家": "地|城|省|市|址|区|国|位置|站|圈",
    r"什么时候|啥时候|何时|哪年|哪一年|哪天|几号|几点|几几年|哪个月": "时|日|年|月|期",
    r"多久|多长时间|几天|多少天|几年|多少年": "时|期|年|天|长",
    r"多大": "面积|大|积|龄|模|岁",
    r"多高": "高|拔",
    r"多长|多远|多少公里|多少千米": "长|程|里|距|离",
    r"多重|多沉": "重",
    r"多快": "速",
    r"几分|多少分|得分|打分": "分|评",
    r"叫什么|叫啥|名字|名称|哪些|哪个|哪家|哪几|哪款|哪部|什么": "名|称|标题",
}


def cues(question: str) -> np.ndarray:
    """For each character which of the cues it stands in, and how near the last one before it and the next one after it
    are (1 in it, fading with the distance), float32 (characters, CUE_COUNT)."""
    text = name_form(question)
    found = np.zeros((len(text), len(_PATTERNS)), np.float32)
    taken = np.zeros(len(text), bool)
    # Longest first, of all kinds together; the words between 比 and its adjective are not part of the cue.
    matches = [(match, kind) for kind, pattern in enumerate(_PATTERNS) for match in pattern.finditer(text)]
    for match, kind in sorted(matches, key=lambda item: item[0].start() - item[0].end()):
        places = [place for place in range(*match.span()) if not _is_compared(match, place)]
        if not taken[places].any():
            taken[places] = True
            found[places, kind] = 1
    return np.concatenate([found, _faded(found), _faded(found[::-1])[::-1]], 1)


def _faded(found: np.ndarray) -> np.ndarray:
    """How near the last cue of each kind is, going from the first row to the last."""
    faded = found.copy()
    for row in range(1, len(faded)):
        np.maximum(faded[row], _FADING * faded[row - 1], out=faded[row])
    return faded


def asked_columns(question: str, names: list[str]) -> np.ndarray:
    """Where a word asks for something that the name of a column may be, float32 (characters, columns)."""
    text = name_form(question)
    found = np.zeros((len(text), len(names)), np.float32)
    for pattern, answers in _ASKED_PATTERNS:
        places = [place for match in pattern.finditer(text) for place in range(*match.span())]
        if places:
            fitting = [index for index, name in enumerate(names) if answers.search(name)]
            found[np.ix_(places, fitting)] = 1
    return found


def _is_compared(match: re.Match, place: int) -> bool:
    if "than" not in match.re.groupindex or match["than"] is None:
        return False
    return match.start("than") <= place < match.end("than")


_PATTERNS = [re.compile(pattern) for pattern in _CUES.values()]
_ASKED_PATTERNS = [(re.compile(words), re.compile(names)) for words, names in _ASKED.items()]
