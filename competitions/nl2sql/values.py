"""Values of conditions: from words of a question to a value of a column, and from the value of a gold condition back to
the words. Numbers, dates and names.

A value is seldom copied: 三百五十万 is "350" in a column counted in 万, 18年 is the cell 2018年, 萧山机场 is 萧山国际机场. A normaliser
comes first and edit distance, all that kexue.fm/archives/6771 has, after it, with a threshold.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz, process

from common.tokenizers import name_form, segment

from task import Cell, Table

# Numbers in Chinese text, as people type them: 3.5亿, 三百五十万, 百分之二十, 七块七, 一八年, 负30%, ３，６７７.６９.

_DIGITS = {
    digit: value
    for value, digits in enumerate(("零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九"))
    for digit in digits
}
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}

_UNIT = r"(?:[十百万亿]|千(?![米克瓦卡]))"
# Atomic and bounded, so that no text takes quadratic time, whether it is read or calculated with. Not possessive
# ({0,40}+): Python 3.11.2, that of Debian 12, then looks past what the look-ahead in _UNIT forbids.
_CHINESE = rf"[零〇一二两三四五六七八九十](?>(?:[零〇一二两三四五六七八九]|{_UNIT}){{0,40}})(?:点(?>[零〇一二三四五六七八九]{{1,40}}{_UNIT}{{0,4}}))?"
_ARABIC = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
_NUMBER = re.compile(
    rf"""
    (?:(?P<sign>负|零下|(?<![\w])-|(?<=[\u4e00-\u9fff])-)\s*)?
    (?:
        (?P<share>百分之|千分之)\s*(?P<of_share>负?(?:{_ARABIC}|{_CHINESE}))
      | (?P<arabic>{_ARABIC})\s*(?P<magnitude>{_UNIT}{{0,4}})
      | (?P<chinese>{_CHINESE})
    )
    (?:
        (?P<percent>\s*(?:%|个?百分点|个点))
      | (?P<tenths>成(?![交立本为都员果功品分人长就年]))
      | (?P<money>(?:块|元)(?P<dimes>[一二两三四五六七八九0-9])(?:[毛角](?P<cents>[一二两三四五六七八九0-9])分?)?(?:毛|角)?(?![零〇一二两三四五六七八九十百千万亿0-9.]))
      | (?P<year>年(?![级代]))
    )?
    """,
    re.VERBOSE,
)
# 一 is rarely a number in front of these, and never behind those.
_NO_NUMBER = re.compile(
    r"一[下些样致般共起定直旦边个次种]|[万唯统同专单逐之]一(?!百|千|万|亿|十)|十分|千万(?=别|不|要)|[一二两三四五六七八九十]线"
)


class Number(NamedTuple):
    """A number at the characters [start, end) of a text.

    mantissa: the number without its `magnitude` (1.5 of 1.5亿, 350 of 三百五十万, which mean mantissa * magnitude), the sign
    included.
    kind: "percent" (mantissa 20 of 百分之二十), "year" (18 of 18年), or "".
    written: the mantissa in digits, as it was written but for separators of thousands: 10.50 stays so.
    """

    start: int
    end: int
    mantissa: Decimal
    magnitude: int
    kind: str
    written: str


def find_numbers(text: str) -> list[Number]:
    """The numbers of a text from left to right, each as long as it can be. Any string will do."""
    text = name_form(text)
    barred = {position for match in _NO_NUMBER.finditer(text) for position in range(*match.span())}
    numbers = []
    for match in _NUMBER.finditer(text):
        if match["chinese"] and match.start("chinese") in barred:
            continue
        numbers.append(_number(match))
    return numbers


def plain(value: Decimal) -> str:
    """The digits of a number without exponent or zeros that say nothing: 15000, 7.7, -30."""
    digits = f"{value:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def magnitude_of(unit: str) -> int:
    """What 百, 万, 千万, 亿, 万亿 ... multiply by; 1 for ""."""
    factor = 1
    for character in unit:
        factor *= _TENS.get(character) or _MYRIADS[character]
    return factor


def _number(match: re.Match) -> Number:
    digits = match["arabic"] or match["chinese"] or match["of_share"]
    written = ""
    if digits.startswith("负"):
        digits, sign = digits[1:], -1
    else:
        sign = -1 if match["sign"] else 1
    magnitude = 1
    if digits[0].isascii():
        written = digits.replace(",", "")
        mantissa = Decimal(written)
        magnitude = magnitude_of(match["magnitude"] or "")
    else:
        counted = digits.rstrip("万亿")
        if not set(counted) & _MYRIADS.keys():  # otherwise 一亿三千万 would be 100,003,000 of 万
            magnitude = magnitude_of(digits.removeprefix(counted))
            digits = counted
        mantissa = _chinese(digits)
    text = match.group()
    kind = ""
    if match["share"]:
        kind = "percent"
        if match["share"][0] == "千":
            mantissa, written = mantissa / 10, ""
    elif match["percent"]:
        kind = "percent"
    elif match["tenths"]:
        kind, mantissa, written = "percent", mantissa * 10, ""
    elif match["money"]:
        cents = _digit(match["dimes"]) * 10 + (_digit(match["cents"]) if match["cents"] else 0)
        mantissa, written = mantissa + Decimal(cents) / 100, ""
    elif (
        match["year"]
        and magnitude == 1
        and mantissa == int(mantissa)
        and (len(digits) in (2, 4) and not set(digits) & set("十百千"))
    ):
        kind = "year"
    elif match["year"]:
        text = text.removesuffix("年")
    if sign < 0:
        mantissa, written = mantissa.copy_negate(), written and "-" + written
    return Number(
        match.start(), match.start() + len(text.rstrip()), mantissa, magnitude, kind, written or plain(mantissa)
    )


def _digit(character: str) -> int:
    return _DIGITS[character] if character in _DIGITS else int(character)


def _chinese(numeral: str) -> Decimal:
    """A Chinese numeral without a magnitude at its end; digits without tens are read one by one, as in 二零一八."""
    whole, _, fraction = numeral.partition("点")
    if len(whole) > 1 and set(whole) <= _DIGITS.keys():
        value = int("".join(str(_DIGITS[digit]) for digit in whole))
    else:
        value = _counted(whole)
    tail = re.match(r"[零〇一二三四五六七八九]*", fraction).group()
    value = Decimal(f"{value}.{''.join(str(_DIGITS[digit]) for digit in tail)}") if tail else Decimal(value)
    return value * magnitude_of(fraction.removeprefix(tail))


def _counted(numeral: str) -> int:
    """三百零五, 两万四: a digit at the very end counts a tenth of the unit before it, unless a zero stands between."""
    total = section = 0
    digit, unit = None, 1
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
            if not digit:
                unit = 10  # whatever follows a zero counts itself
        elif character in _TENS:
            section += (1 if digit is None else digit) * (unit := _TENS[character])
            digit = None
        else:
            section += digit or 0
            unit, digit = _MYRIADS[character], None
            if unit > 10**4:
                total, section = (total + section) * unit, 0
            else:
                total, section = total + section * unit, 0
    return total + section + (digit or 0) * max(1, unit // 10)


# Columns and their values

#: Least similarity, from 0 to 1, of a cell that may stand for words that are not it.
SIMILAR = 0.5
#: How sure a value is that was made in these ways.
_SAME_FORM, _SAME_NUMBER, _AS_SAID, _OTHER_UNIT = 0.98, 0.95, 0.2, 0.5
_LONGEST_EXAMPLE = 12  # characters of a cell that are shown to the network
_LONGEST_NAME = 8  # words that a name in a question may have

_UNITS_IN_NAME = re.compile(r"[(\[【][^)\]】]*[)\]】]|/.*$")
_BRACKET = re.compile(r"[(\[【]([^)\]】]*)[)\]】]|/(.*)$|单位:?(.*)$")
_UNIT = re.compile(r"([十百千万亿]+)(?:[美港欧日]?元|平方米|千瓦|[人股吨平辆台套件户亩字次张册本只份名个])?$")


class Link(NamedTuple):
    """A value as the query binds it, and how sure it is, between 0 and 1."""

    value: str
    score: float


class Column:
    """A column of a table: its cells, in the forms in which questions name them."""

    def __init__(self, header: str, is_real: bool, cells: Sequence[Cell]):
        self.header, self.is_real = header, is_real
        self.name = name_form(header)
        #: The name without its unit, as questions have it.
        self.short_name = _UNITS_IN_NAME.sub("", self.name).strip() or self.name
        #: Distinct cells as text, in the order of the rows.
        self.cells = list(dict.fromkeys(map(cell_text, (cell for cell in cells if cell is not None))))
        #: Share of the rows that have a cell of their own.
        self.distinct = len(self.cells) / max(len(cells), 1)
        #: Normal form -> the cells that have it.
        self.forms: dict[str, list[str]] = {}
        #: Cells that are nothing but a number -> their text.
        self.numbers: dict[Decimal, str] = {}
        for cell in self.cells:
            self.forms.setdefault(normal_form(cell), []).append(cell)
            for value in _number_of_cell(cell):
                self.numbers.setdefault(value, cell)
        self.forms.pop("", None)
        self.has_years = any(1900 <= value <= 2100 for value in self.numbers)
        self._powers = {_power(value) for value in self.numbers if value}
        self.is_numeric = is_real or 2 * len(self.numbers) > len(self.cells)
        self.smallest, self.largest = min(self.numbers, default=Decimal(0)), max(self.numbers, default=Decimal(0))
        #: Cells as they stand in questions, and pairs of characters in cells with the inverse of the number of cells
        #: that have them.
        self.lookup = {name_form(cell) for cell in self.cells} | self.forms.keys()
        self.pairs = _pairs(self.lookup)
        self.magnitude = _magnitude_of_header(self.name)
        self.is_percent = "%" in self.name or any("%" in cell for cell in self.cells[:20])

    def link(self, said: str, number: Number | None, equality: bool, limit: int = 3) -> list[Link]:
        """Values that words of a question can mean in this column, the surest first; there may be none.

        said: the words. number: the number in them, if there is one. equality: the operator is == or !=, for which
        cells count.
        """
        found: dict[str, float] = {}

        def add(value: str, score: float) -> None:
            found[value] = max(found.get(value, 0.0), score)

        is_other_year = number and number.kind == "year" and number.mantissa >= 1000 and not self.has_years
        candidates = [] if is_other_year or not number else self.meanings(number)
        for rank, value in enumerate(candidates):
            if value in self.numbers and not self.is_real:
                add(self.numbers[value], _SAME_FORM * _OTHER_UNIT**rank)
            if self.is_real and equality and value in self.numbers:
                add(_written(number, value), _SAME_NUMBER)
        if equality:
            self._link_cells(said, add)
        if self.is_numeric or not equality:
            for rank, value in enumerate(candidates):
                add(_written(number, value), _AS_SAID if equality else _SAME_NUMBER * _OTHER_UNIT**rank)
        if equality and not found and said.strip():
            add(said.strip(), _AS_SAID)
        return [Link(*item) for item in sorted(found.items(), key=lambda item: -item[1])[:limit]]

    def _link_cells(self, said: str, add) -> None:
        if said in self.cells:
            add(said, 1.0)
        form = normal_form(said)
        for cell in self.forms.get(form, ()):
            add(cell, _SAME_FORM)
        # A part of several names is none of them: 博物馆.
        if not form or self.is_real or sum(form in other for other in self.forms) > 1:
            return
        for other, score, _ in process.extract(form, self.forms.keys(), scorer=fuzz.ratio, limit=3):
            # A part of a name stands for it: 杰瑞 for 杰瑞股份.
            score = max(score / 100, 0.7 * (len(form) > 1 and form in other))
            if score >= SIMILAR and other != form:
                for cell in self.forms[other]:
                    add(cell, 0.9 * score)

    def examples(self, question: str, count: int) -> list[str]:
        """So many cells to be shown beside the name: those most like a part of the question first."""
        if count == 0:
            return []
        found = process.extract(
            name_form(question), self.cells, scorer=fuzz.partial_ratio, processor=name_form, limit=count
        )
        return [cell[:_LONGEST_EXAMPLE] for cell, _, _ in found]

    def meanings(self, number: Number) -> list[Decimal]:
        """What a number can mean in this column, the likeliest first: 1.5亿 is 15000 in one counted in 万, 18年 is
        2018."""
        whole = number.mantissa * number.magnitude
        if number.magnitude > 1 and self.magnitude > 1:
            meanings = [whole / self.magnitude, number.mantissa]
        elif number.magnitude > 1:
            meanings = sorted((number.mantissa, whole), key=self._distance)
        elif number.kind == "percent":
            small = self.numbers and not self.is_percent and max(map(abs, self.numbers)) <= 1 < abs(whole)
            meanings = [whole / 100, whole] if small else [whole, whole / 100]
        elif number.kind == "year" and whole < 100:
            meanings = [whole + (2000 if whole < 50 else 1900), whole]
            meanings = meanings if self.has_years else meanings[::-1]
        elif (
            self.magnitude > 1
            and whole >= self.magnitude
            and self.numbers
            and self._distance(whole) > self._distance(whole / self.magnitude)
        ):
            meanings = [whole / self.magnitude, whole]
        else:
            meanings = [whole]
        return [value.normalize() for value in meanings]

    def _distance(self, value: Decimal) -> float:
        """How many powers of ten a value is away from the nearest cell; 0 where there is none to go by."""
        return min((abs(_power(value) - power) for power in self._powers), default=0.0)

    def locate(self, question: str, numbers: Sequence[Number], value: str) -> list[tuple[int, int]]:
        """Where, as [start, end), a question says the value of a gold condition: every place of the surest kind; there
        may be none."""
        meant = _number_of_cell(value)
        if meant:
            places = [number for number in numbers if set(self.meanings(number)) & set(meant)]
            # 18年 is no 18, unless the column is about years.
            places = [number for number in places if number.kind != "year" or self.has_years]
            if places:
                return [(number.start, number.end) for number in places]
        text, form = name_form(question), name_form(value)
        places = [match.span() for match in re.finditer(re.escape(form), text)] if form.strip() else []
        return places or self._similar_place(question, value)

    def _similar_place(self, question: str, value: str) -> list[tuple[int, int]]:
        """The run of words that is most similar to the value."""
        words, form = segment(question), normal_form(value)
        runs = [
            (words[i][0], words[j][1]) for i in range(len(words)) for j in range(i, min(i + _LONGEST_NAME, len(words)))
        ]
        if not form or not runs:
            return []
        said = [normal_form(question[start:end]) for start, end in runs]
        _, score, index = process.extractOne(form, said, scorer=fuzz.ratio)
        return [runs[index]] if score >= 100 * SIMILAR else []


@lru_cache(maxsize=2000)  # some 50 kB each
def columns_of(table: Table) -> list[Column]:
    """The columns of a table, made once as long as few others are asked for."""
    cells = list(zip(*table.rows)) or [()] * len(table.header)
    return [Column(header, kind == "real", values) for header, kind, values in zip(table.header, table.types, cells)]


def cell_text(cell: Cell) -> str:
    """A cell as a query names it: 20.0 is 20, and blanks around it are nobody's."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def normal_form(text: str) -> str:
    """In half width and lower case, numbers in digits, years with four of them, and else nothing but letters and
    digits.

    The point of 1.5, which is no 15, stays, and so does the sign of a number that begins the text: elsewhere it is a
    hyphen.
    """
    pieces, position = [], 0
    for number in find_numbers(text):
        year = number.kind == "year" and number.mantissa < 100
        value = (
            number.mantissa + (2000 if number.mantissa < 50 else 1900) if year else number.mantissa * number.magnitude
        )
        pieces += [
            _bare(text[position : number.start]),
            plain(abs(value) if number.start else value),
            "年" if number.kind == "year" else "",
        ]
        position = number.end
    return "".join([*pieces, _bare(text[position:])])


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", name_form(text))


def number_at(numbers: Sequence[Number], start: int, end: int) -> Number | None:
    """The number that shares most with the characters [start, end), the first of equals."""
    shared = [(min(end, number.end) - max(start, number.start), number) for number in numbers]
    length, number = max(shared, key=lambda item: item[0], default=(0, None))
    return number if length > 0 else None


def _written(number: Number, value: Decimal) -> str:
    return number.written if value == number.mantissa else plain(value)


def _number_of_cell(cell: str) -> list[Decimal]:
    """The number that all of a cell is, with %, 万 or 年 or without; [] if it is none."""
    cell = cell.strip()
    numbers = find_numbers(cell)
    if len(numbers) != 1 or (numbers[0].start, numbers[0].end) != (0, len(cell)):
        return []
    number = numbers[0]
    return [(number.mantissa * number.magnitude).normalize()]


def _power(value: Decimal) -> float:
    return math.log10(abs(value)) if value else 0.0


def _pairs(cells: Iterable[str]) -> dict[str, float]:
    counts = Counter(
        pair for cell in cells for pair in {cell[start : start + 2] for start in range(len(cell) - 1)} if pair.isalnum()
    )
    return {pair: 1 / count for pair, count in counts.items()}


def _magnitude_of_header(name: str) -> int:
    for match in _BRACKET.finditer(name):
        unit = re.match(r"\s*([十百千万亿]+)(?![米克瓦卡分])", next(filter(None, match.groups()), ""))
        if unit:
            return magnitude_of(unit[1])
    unit = _UNIT.search(name)
    return magnitude_of(unit[1]) if unit else 1
