"""Numbers in Chinese text, as people type them: 3.5亿, 三百五十万, 百分之二十, 七块七, 一八年, 负30%, ３，６７７.６９."""

import re
from decimal import Decimal
from typing import NamedTuple

from common.tokenizers import name_form

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
