"""What a question and the columns of its table share, character by character, and the words in it that say an operator,
an aggregation or a connection, or ask for a kind of column.

With the words, what a checkpoint knows of the language as far as these few hundred go, a network that is trained from
nothing on a few hundred questions finds its way in a table it has never seen.
"""

import re
from collections.abc import Sequence

import numpy as np

from common.tokenizers import Encoding, name_form

from values import Column, Number, find_numbers

#: Features of a character of the question beside a column; see `match`.
FEATURE_COUNT = 23

#: Those that say that a character is the column's name, a cell of it, or a number.
KNOWN = [1, 6, 8, 10]

_LONGEST_CELL = 24  # characters of a question that are looked up as a cell


def match(question: str, columns: Sequence[Column]) -> np.ndarray:
    """Float32 (characters, columns, FEATURE_COUNT), all between 0 and 1. Features are, in this order:

    of the run of characters that the question shares with the name of the column: 0 whether there is one, 1 of two or
        more, 2 its share of the name, 3 whether it is the whole name, 4 whether no other column shares a longer one
        here, 5 the inverse of the number of columns that share one as long;
    of the cells: 6 inside a run that is a whole cell, 7 its length in eighths, 8 inside of two characters that stand in
        a cell, 9 the inverse of the number of cells that have these two;
    of a number: 10 inside of one, 11 which can be compared with the column, 12 between its smallest and largest cell,
        13 which is one of the cells, 14 with the magnitude or percent sign of the column;
    15 whether the column is `real`, 16 inside of a word that asks for what the name of the column may be;
    17 and 18 the first and last character of a number, 19 and 20 of a whole cell;
    21 the share of different cells in the column, which is 1 for names, 22 whether it is the first one.
    """
    text = name_form(question)
    found = np.zeros((len(text), len(columns), FEATURE_COUNT), np.float32)
    numbers = find_numbers(question)
    for index, column in enumerate(columns):
        name = column.short_name
        shared = shared_runs(text, name)
        found[:, index, 0], found[:, index, 1] = shared > 0, shared > 1
        found[:, index, 2] = shared / max(len(name), 1)
        found[:, index, 3] = shared == max(len(name), 1)
        _match_cells(text, column, found[:, index, 6:10], found[:, index, 19:21])
        _match_numbers(numbers, column, found[:, index, 10:15])
        found[:, index, 15] = column.is_real
        found[:, index, 21], found[:, index, 22] = column.distinct, index == 0
        found[:, index, 4] = shared  # for now
    found[:, :, 16] = asked_columns(question, [column.name for column in columns])
    for number in numbers:
        found[number.start, :, 17] = found[number.end - 1, :, 18] = 1
    lengths = found[:, :, 4].copy()
    longest = lengths.max(1, keepdims=True, initial=0)
    best = (lengths == longest) & (longest > 0)
    found[:, :, 4] = best
    found[:, :, 5] = best / np.maximum(best.sum(1, keepdims=True), 1)
    return found


def of_tokens(features: np.ndarray, encoding: Encoding) -> np.ndarray:
    """For each token the largest values of its characters, (characters, ...) -> (tokens, ...)."""
    rows = np.zeros((len(encoding), *features.shape[1:]), np.float32)
    for row, (start, end) in zip(rows, encoding.offsets.tolist()):
        if start < end:
            row[:] = features[start:end].max(0)
    return rows


def shared_runs(text: str, name: str) -> np.ndarray:
    """For each character of a text the length of the longest run around it that also stands in the name, int
    (characters,). Both in `name_form`."""
    lengths = np.zeros(len(text), np.int32)
    before = [0] * (len(name) + 1)
    for end, character in enumerate(text, 1):
        # current[j]: the longest run that ends here and at the j-th character of the name.
        current = [0] * (len(name) + 1)
        if character in name:
            for j, other in enumerate(name, 1):
                if other == character:
                    current[j] = before[j - 1] + 1
            longest = max(current)
            np.maximum(lengths[end - longest : end], longest, out=lengths[end - longest : end])
        before = current
    return lengths


def _match_cells(text: str, column: Column, found: np.ndarray, edges: np.ndarray) -> None:
    for start in range(len(text)):
        for end in range(start + 1, min(start + _LONGEST_CELL, len(text)) + 1):
            if text[start:end] in column.lookup and not _cuts_number(text, start, end):
                found[start:end, 0] = 1
                edges[start, 0] = edges[end - 1, 1] = 1
                np.maximum(found[start:end, 1], min((end - start) / 8, 1), out=found[start:end, 1])
        rarity = column.pairs.get(text[start : start + 2])
        if rarity:
            found[start : start + 2, 2] = 1
            np.maximum(found[start : start + 2, 3], rarity, out=found[start : start + 2, 3])


def _cuts_number(text: str, start: int, end: int) -> bool:
    """Whether a digit at an edge of [start, end) has another one, or a decimal point, on the other side."""
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    cut_before = text[start].isdecimal() and (before.isdecimal() or before == ".")
    return cut_before or (text[end - 1].isdecimal() and (after.isdecimal() or after == "."))


def _match_numbers(numbers: Sequence[Number], column: Column, found: np.ndarray) -> None:
    for number in numbers:
        meanings = column.meanings(number)
        fits = (number.magnitude > 1 and number.magnitude == column.magnitude) or (
            number.kind == "percent" and column.is_percent
        )
        found[number.start : number.end] = (
            1,
            column.is_numeric,
            column.is_numeric and column.smallest <= meanings[0] <= column.largest,
            any(value in column.numbers for value in meanings),
            fits,
        )


# Cues

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
