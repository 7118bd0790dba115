"""Numbers in questions, values of columns, words that say an operator, and what questions share with columns. Every
sentence here is invented."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import WordPieceTokenizer, build_vocabulary, name_form

import competition

FOLDER = "nl2sql"
task = competition.load(FOLDER, "task")
values = competition.load(FOLDER, "values")
schema_linking = competition.load(FOLDER, "schema_linking")
find_numbers = values.find_numbers
deterministic = settings(max_examples=60)

#: Characters of which numbers are made, and some others.
NUMERIC = "零〇一二两三四五六七八九十百千万亿点负百分之千分之%％个成块元毛角分年级代下米线-,. 0123456789０１٣½家的a"


def read(text):
    """What find_numbers finds: the words, and the value as digits."""
    return [
        (text[number.start : number.end], values.plain(number.mantissa * number.magnitude))
        for number in find_numbers(text)
    ]


def only(text):
    [number] = find_numbers(text)
    assert (number.start, number.end) == (0, len(text))
    return number


# Numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", "20"),
        ("10.50", "10.5"),
        ("３，６７７．６９", "3677.69"),
        ("12,345,678", "12345678"),
        ("十五", "15"),
        ("一十五", "15"),
        ("三百零五", "305"),
        ("两百五", "250"),
        ("两万四", "24000"),
        ("一百一", "110"),
        ("一万零四", "10004"),
        ("三百五十万", "3500000"),
        ("一亿三千万", "130000000"),
        ("一万五千亿", "1500000000000"),
        ("三点一四", "3.14"),
        ("三点五亿", "350000000"),
        ("3.5亿", "350000000"),
        ("2千万", "20000000"),
        ("1万亿", "1000000000000"),
        ("1.5 万", "15000"),
        ("二零一八", "2018"),
        ("负五", "-5"),
        ("零下五", "-5"),
        ("-5", "-5"),
        ("七块七", "7.7"),
        ("七块七毛五", "7.75"),
        ("5元8", "5.8"),
        ("8块8毛", "8.8"),
    ],
)
def test_numbers_as_people_write_them(text, value):
    assert read(text) == [(text, value)] and only(text).kind == ""


@pytest.mark.parametrize(
    ("text", "mantissa", "kind"),
    [
        ("20%", "20", "percent"),
        ("５％", "5", "percent"),
        ("20 %", "20", "percent"),
        ("百分之二十", "20", "percent"),
        ("百分之负三", "-3", "percent"),
        ("负30%", "-30", "percent"),
        ("百分之 7.5", "7.5", "percent"),
        ("千分之五", "0.5", "percent"),
        ("千分之5", "0.5", "percent"),
        ("八成", "80", "percent"),
        ("5个百分点", "5", "percent"),
        ("18年", "18", "year"),
        ("一八年", "18", "year"),
        ("２０１８年", "2018", "year"),
        ("二零一八年", "2018", "year"),
    ],
)
def test_percentages_and_years(text, mantissa, kind):
    number = only(text)
    assert (number.mantissa, number.kind, number.magnitude) == (
        Decimal(mantissa),
        kind,
        1,
    ) and number.written == mantissa


def test_a_number_ends_before_its_unit_and_before_blanks():
    assert read("跑3千米用了20 分钟") == [("3", "3"), ("20", "20")]
    assert read("超过200 年的 ") == [("200", "200")]
    assert read("三千瓦和三千元") == [("三", "3"), ("三千", "3000")]
    assert read("3年级有20年代的书") == [("3", "3"), ("20", "20")]
    assert read("5成本") == [("5", "5")]
    assert read("5块一万") == [("5", "5"), ("一万", "10000")]


def test_hyphens_between_numbers_and_behind_letters_are_no_signs():
    assert read("20-30岁，型号a-5") == [("20", "20"), ("30", "30"), ("5", "5")]
    assert read("气温-5到- 6度") == [("-5", "-5"), ("- 6", "-6")]


def test_separators_stand_between_thousands():
    assert read("1,234和1,2345") == [("1,234", "1234"), ("1", "1"), ("2345", "2345")]
    assert only("12,345.60").written == "12345.60" and only("-1,234").written == "-1234"


@pytest.mark.parametrize(
    "text", ["统一的一些一线城市", "十分好看", "千万别买", "万一没有", "百万", "哪一个", "٣", "½", ""]
)
def test_what_only_looks_like_a_number(text):
    assert find_numbers(text) == []


def section_numeral(number):
    """The numeral of 1 to 9999, every place with its unit: 二百五十, 一千零五."""
    numeral, gap = "", False
    for unit, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            numeral += "零" * (gap and bool(numeral)) + "零一二三四五六七八九"[digit] + word
        gap = not digit
    return numeral


def numeral_of(number):
    """A slow reference: the Chinese numeral of 0 to 10^12 - 1."""
    numeral = ""
    for unit, word in ((10**8, "亿"), (10**4, "万"), (1, "")):
        section, number = divmod(number, unit)
        if section:
            numeral += "零" * (bool(numeral) and section < 1000) + section_numeral(section) + word
    return numeral or "零"


def test_the_reference_writes_numerals():
    examples = {
        0: "零",
        10: "一十",
        305: "三百零五",
        1050: "一千零五十",
        10004: "一万零四",
        20_0300: "二十万零三百",
        10**9: "一十亿",
    }
    assert {number: numeral_of(number) for number in examples} == examples


whole_numbers = st.one_of(
    st.integers(0, 10**9), st.integers(0, 3000), st.integers(0, 10**5).map(lambda number: number * 10**4)
)


@given(
    whole_numbers,
    st.text("0123456789", max_size=4),
    st.booleans(),
    st.sampled_from(["", "超过", "有", "（"]),
    st.sampled_from(["", "家", "的", "。"]),
)
def test_chinese_numerals_are_read(number, decimals, is_negative, before, after):
    numeral = "负" * is_negative + numeral_of(number)
    value = Decimal(number)
    if decimals:
        numeral += "点" + "".join("零一二三四五六七八九"[int(digit)] for digit in decimals)
        value = Decimal(f"{number}.{decimals}")
    [found] = find_numbers(before + numeral + after)
    assert (found.start, found.end) == (len(before), len(before) + len(numeral))
    assert found.mantissa * found.magnitude == (-value if is_negative else value)


@given(
    whole_numbers,
    st.text("0123456789", max_size=4),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "百", "万", "千万", "亿", "万亿"]),
)
def test_arabic_numbers_are_read(number, decimals, is_negative, is_wide, unit):
    written = "-" * is_negative + f"{number:,}" + ("." + decimals if decimals else "")
    text = written.translate({code: code + 0xFEE0 for code in map(ord, "-,.0123456789")}) if is_wide else written
    [found] = find_numbers(text + unit)
    assert (found.start, found.end) == (0, len(text + unit))
    assert (found.written, found.mantissa) == (written.replace(",", ""), Decimal(written.replace(",", "")))
    assert found.magnitude == values.magnitude_of(unit)
    assert find_numbers(found.written)[0].written == found.written


@given(st.one_of(st.text(max_size=60), st.text(NUMERIC, max_size=60)))
def test_any_string_has_numbers_in_order(text):
    position = 0
    for number in find_numbers(text):
        assert position <= number.start < number.end <= len(text)
        assert text[number.start : number.end] == text[number.start : number.end].strip()
        assert number.kind in ("", "percent", "year") and number.magnitude >= 1
        assert Decimal(values.plain(number.mantissa)) == number.mantissa and Decimal(number.written) == number.mantissa
        position = number.end


@pytest.mark.parametrize(
    "piece",
    [
        "一",
        "1",
        "1,1",
        "1,111",
        "1,",
        "一万",
        "万亿",
        "亿",
        "百分之",
        "百分之负",
        "一点",
        "点一",
        "一块一",
        "1 ",
        " ",
        "负",
        "-",
        "十分",
        "一九",
        "年",
        "零",
    ],
)
def test_long_strings_take_no_quadratic_time(piece):
    for head in ("", "1"):
        text = head + piece * (10_000 // len(piece))
        for number in find_numbers(text):
            assert values.plain(number.mantissa * number.magnitude)


def test_plain_digits():
    digits = {"15000": "15000", "1.5E+4": "15000", "7.70": "7.7", "-30": "-30", "100.00": "100", "0.050": "0.05"}
    assert {text: values.plain(Decimal(text)) for text in digits} == digits


# Columns


def column(header, *cells):
    """`real` if all cells are numbers."""
    return values.Column(header, all(isinstance(cell, int | float) for cell in cells), cells)


def linked(of_column, said, equality=True, limit=3):
    number = values.number_at(find_numbers(said), 0, len(said))
    links = of_column.link(said, number, equality, limit)
    assert all(0 < link.score <= 1 for link in links) and sorted(links, key=lambda link: -link.score) == links
    return [link.value for link in links]


def test_a_column_knows_its_cells():
    prices = column("均价（万元/平）", 3.0, 4.5, 3.0, None, 10**15)
    assert prices.cells == ["3", "4.5", "1000000000000000"] and not prices.is_real
    assert prices.short_name == "均价" and prices.magnitude == 10**4 and prices.distinct == 3 / 5
    cities = column("城市", "青河市", "", "白山市", "青河市")
    assert (
        cities.cells == ["青河市", "", "白山市"]
        and not cities.is_numeric
        and list(cities.forms) == ["青河市", "白山市"]
    )
    assert values.cell_text(20.0) == "20" and values.cell_text(-2.5) == "-2.5" and values.cell_text("20.0") == "20.0"


@pytest.mark.parametrize(
    ("header", "magnitude"),
    [
        ("票房(万)", 10**4),
        ("票房（亿元）", 10**8),
        ("营收/百万", 10**6),
        ("营收 单位:千万元", 10**7),
        ("总股本万股", 10**4),
        ("装机（万千瓦）", 10**4),
        ("里程(千米)", 1),
        ("体重（千克）", 1),
        ("得分(百分制)", 1),
        ("万家灯火", 1),
        ("", 1),
    ],
)
def test_magnitudes_of_headers(header, magnitude):
    assert column(header, 1, 2).magnitude == magnitude


@pytest.mark.parametrize(
    ("header", "cells", "said", "value"),
    [
        ("票房(万)", (800, 15000), "1.5亿", "15000"),
        ("票房(亿元)", (0.8, 3), "3亿元", "3"),
        ("票房(亿元)", (0.8, 3), "三亿", "3"),
        ("票房", (0.8, 3.5, 12), "3亿", "3"),
        ("票房", (80_000_000, 350_000_000), "3亿", "300000000"),
        ("票房(万)", (800, 15000), "350", "350"),
        ("票房(万)", (800, 15000), "2000000", "200"),
        ("涨幅(%)", (3.5, 20), "百分之二十", "20"),
        ("占比", (0.1, 0.25), "20%", "0.2"),
        ("占比", (10, 25), "20%", "20"),
        ("年份", (2017, 2018), "18年", "2018"),
        ("年份", (1997, 1998), "九八年", "1998"),
        ("单价", (7.7, 12), "七块七", "7.7"),
        ("营业额", (7.7, 12), "10.50", "10.50"),
        ("气温", (-7, 12), "零下3", "-3"),
        ("气温", (-7, 12), "负三", "-3"),
    ],
)
def test_numbers_mean_what_the_column_counts(header, cells, said, value):
    assert linked(column(header, *cells), said, equality=False)[0] == value


@pytest.mark.parametrize(
    ("header", "cells", "said", "value"),
    [
        ("年度", ("2017年", "2018年"), "18年", "2018年"),
        ("年度", ("2017", "2018"), "一八年", "2018"),
        ("营收", ("3,677.69", "120"), "3677.69", "3,677.69"),
        ("机场", ("青河萧南国际机场", "白山机场"), "萧南机场", "青河萧南国际机场"),
        ("城市", ("青河市", "白山市"), "青河", "青河市"),
        ("公司", ("云桥股份", "鹿鸣集团"), "云侨股份", "云桥股份"),
        ("线路", ("青河—白山段", "白山—云桥段"), "青河到白山段", "青河—白山段"),
        ("代号", ("ABC-1", "XYZ-2"), "abc1", "ABC-1"),
        ("楼层", ("十二层", "三层"), "12层", "十二层"),
        ("版本", ("15", "1.5"), "1.5", "1.5"),
        ("版本", ("15", "1.5"), "一点五", "1.5"),
        ("评分", (15, 1.5), "一点五", "1.5"),
        ("气温", (5, -5), "负五", "-5"),
        ("城市", ("青河市", "白山市"), "云桥", "云桥"),
    ],
)
def test_words_mean_the_cell_that_is_like_them(header, cells, said, value):
    assert linked(column(header, *cells), said)[0] == value


def test_a_word_of_several_names_is_none_of_them():
    museums = column("博物馆", "青河博物馆", "白山博物馆")
    assert linked(museums, "博物馆") == ["博物馆"]


def test_nothing_is_made_of_nothing():
    cities, prices = column("城市", "青河市"), column("价格", 3, 4)
    assert linked(cities, "青河", equality=False) == []
    assert linked(cities, "  ") == [] and linked(prices, "", equality=False) == []
    assert linked(column("空"), "3") == ["3"] and linked(column("空", None, None), "青河") == ["青河"]


def test_numbers_that_are_no_year_of_the_column_are_kept_out():
    prices = column("价格", 3, 4)
    assert linked(prices, "2018年", equality=False) == []
    assert linked(column("价格", 3, 18), "18年", equality=False) == ["18", "2018"]


def test_no_more_links_than_are_asked_for():
    cities = column("城市", *(f"青河{name}区" for name in "甲乙丙丁"))
    assert len(linked(cities, "青河甲乙区", limit=2)) == 2


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("青河—白山（段）", "青河白山段"),
        ("ＡＢc 12", "abc12"),
        ("一八年", "2018年"),
        ("三百五十万", "3500000"),
        ("1.50", "1.5"),
        ("-5", "-5"),
        ("青河-5号", "青河5号"),
        ("3,677.69", "3677.69"),
        ("——", ""),
        ("", ""),
    ],
)
def test_normal_forms(text, form):
    assert values.normal_form(text) == form


@given(st.text(max_size=30))
def test_any_string_has_a_normal_form_and_is_linked_to_itself(text):
    assert values.normal_form(text) == values.normal_form(name_form(text))
    cells = column("名称", text, "青河市")
    if text.strip():
        assert linked(cells, text)[0] == text.strip()
    else:
        assert linked(cells, text) in ([], [""])


def test_the_number_that_shares_most_counts():
    numbers = find_numbers("18年和2018年")
    assert values.number_at(numbers, 2, 8) == numbers[1] and values.number_at(numbers, 0, 4) == numbers[0]
    assert values.number_at(numbers, 3, 4) is None and values.number_at([], 0, 5) is None


# Values -> places


def located(of_column, question, value):
    return [(question[start:end], start) for start, end in of_column.locate(question, find_numbers(question), value)]


def test_every_place_of_a_value_is_found():
    assert located(column("城市", "青河市"), "青河市和青河市的人口", "青河市") == [("青河市", 0), ("青河市", 4)]
    assert located(column("代号", "ab"), "代号是ＡＢ的", "ab") == [("ＡＢ", 3)]
    assert located(column("单价", 20, 30), "20、120和二十", "20") == [("20", 0), ("二十", 7)]
    assert located(column("票房(万)", 800, 15000), "票房过1.5亿的", "15000") == [("1.5亿", 3)]
    assert located(column("年份", 2017, 2018), "18年有18部", "2018") == [("18年", 0)]
    assert located(column("部数", 17, 18), "18年有18部", "18") == [("18", 4)]
    assert located(column("涨幅(%)", 3, 20), "涨了百分之二十", "20") == [("百分之二十", 2)]


def test_names_are_found_by_their_likeness():
    assert located(column("机场", "青河萧南国际机场"), "请问萧南机场有几条跑道", "青河萧南国际机场")[0][0].endswith(
        "机场"
    )
    assert located(column("城市", "青河市"), "白山的人口是多少", "云桥新村") == []
    assert located(column("城市", "青河市"), "", "青河市") == [] == located(column("城市", ""), "青河", "")


names = st.text("顾南许青白鹿远山灯云桥AB", min_size=2, max_size=6)
frames = st.sampled_from([("", "的是什么"), ("请问是", ""), ("（", "）"), ("在", "里边")])


@deterministic
@given(st.lists(names, min_size=1, max_size=5, unique_by=str.lower), frames)
def test_a_cell_is_found_and_linked_back(cells, frame):
    of_column = column("名称", *cells)
    for cell in cells:
        question = frame[0] + cell + frame[1]
        for start, end in of_column.locate(question, find_numbers(question), cell):
            assert linked(of_column, question[start:end])[0] == cell
        assert (cell, len(frame[0])) in located(of_column, question, cell)


@deterministic
@given(
    st.lists(st.integers(-(10**6), 10**6).map(lambda number: number / 100), min_size=1, max_size=5),
    frames,
    st.booleans(),
)
def test_a_number_is_found_and_linked_back(cells, frame, equality):
    of_column = column("数值", *cells)
    for cell in of_column.cells:
        question = frame[0] + cell + frame[1]
        [(words, start)] = located(of_column, question, cell)
        assert (words, start) == (cell, len(frame[0])) and linked(of_column, words, equality)[0] == cell


@deterministic
@given(st.integers(1, 10**8), st.sampled_from([("", 1), ("(万)", 10**4), ("(亿元)", 10**8)]), frames)
def test_a_numeral_is_found_and_linked_back(number, unit, frame):
    value = values.plain(Decimal(number) / unit[1])
    of_column = column("数值" + unit[0], float(value))
    numeral = numeral_of(number)
    question = frame[0] + numeral + frame[1]
    places = located(of_column, question, value)
    if unit[1] == 1 or number % unit[1] == 0:
        assert places == [(numeral, len(frame[0]))] and linked(of_column, numeral, equality=False)[0] == value


def test_columns_of_a_table_are_made_once():
    table = task.Table("t", "", ("城市", "城市"), ("text", "real"), (("青河", 3), ("白山", None)), 1)
    first, second = values.columns_of(table)
    assert values.columns_of(table)[0] is first and second.cells == ["3"] and second.distinct == 0.5
    empty = task.Table("e", "", ("城市", ""), ("text", "real"), (), 1)
    assert [one.cells for one in values.columns_of(empty)] == [[], []]


def test_examples_are_like_the_question():
    cities = column("城市", "白山市", "云桥镇", "青河市", "很长很长的一个名字里有十多个字")
    assert cities.examples("青河有几个人", 1) == ["青河市"] and cities.examples("青河", 0) == []
    shown = cities.examples("", 9)
    assert len(shown) == 4 and max(map(len, shown)) == 12 and column("空").examples("青河", 3) == []


# Words that say something


def said(question):
    """Kind -> the characters of the question that say it."""
    found = schema_linking.cues(question)[:, : len(schema_linking.KINDS)]
    return {
        kind: "".join(np.array(list(question))[places])
        for kind, places in zip(schema_linking.KINDS, found.T == 1)
        if places.any()
    }


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("票房超过三亿", {">": "超过"}),
        ("票房不超过三亿", {"<": "不超过"}),
        ("票房没有超过三亿", {"<": "没有超过"}),
        ("票房不低于三亿", {">": "不低于"}),
        ("评分比白山的那家还要高", {">": "比还要高"}),
        ("评分比白山便宜", {"<": "比便宜"}),
        ("三亿以上", {">": "以上"}),
        ("不是白山", {"!=": "不是"}),
        ("非常好", {}),
        ("均价最高", {"AVG": "均价", "MAX": "最高"}),
        ("有几家", {"COUNT": "几家"}),
        ("一共有多少家", {"COUNT": "多少家", "SUM": "一共"}),
        ("青河和白山，或者云桥", {"list": "和", "or": "或者"}),
        ("而且", {"and": "而且"}),
        ("ＭＡＸ", {}),
        ("", {}),
    ],
)
def test_cues(question, found):
    assert said(question) == found


def test_cues_fade_with_the_distance():
    found = schema_linking.cues("票房超过三亿")
    assert found.shape == (6, schema_linking.CUE_COUNT) and found.dtype == np.float32
    more, kinds = schema_linking.KINDS.index(">"), len(schema_linking.KINDS)
    assert found[:, more].tolist() == [0, 0, 1, 1, 0, 0]
    assert found[:, kinds + more].tolist() == [0, 0, 1, 1, 0.75, 0.5625]
    assert found[:, 2 * kinds + more].tolist() == [0.5625, 0.75, 1, 1, 0, 0]


@given(st.one_of(st.text(max_size=40), st.text("比不超过于高低最多少几家和或以上还有，a", max_size=40)))
def test_any_string_has_cues(question):
    found = schema_linking.cues(question)
    assert found.shape == (len(question), schema_linking.CUE_COUNT) and ((0 <= found) & (found <= 1)).all()
    assert (found[:, : len(schema_linking.KINDS)].sum(1) <= 1).all()


def test_words_that_ask_point_to_columns():
    asked = schema_linking.asked_columns("谁的多少钱", ["导演", "票价", "城市"])
    assert asked.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]] and asked.dtype == np.float32
    assert schema_linking.asked_columns("", ["城市"]).shape == (0, 1) and schema_linking.asked_columns(
        "谁", []
    ).shape == (1, 0)


# Questions beside columns

COLUMNS = (
    column("城市名称", "青河市", "白山市", "青河市"),
    column("票房(万)", 800, 15000),
    column("年份", "2017", "2018"),
)
NAME, CELL, PAIR, NUMBER, NUMERIC_COLUMN, BETWEEN, IS_CELL, UNIT, REAL, ASKED = 3, 6, 8, 10, 11, 12, 13, 14, 15, 16


def matched(question, feature, of_column):
    """The characters that have the feature beside the column."""
    return "".join(
        character
        for character, value in zip(question, schema_linking.match(question, COLUMNS)[:, of_column, feature])
        if value > 0
    )


def test_features_of_names_cells_and_numbers():
    question = "青河市的票房过2万，哪个城市在18年"
    assert (
        matched(question, NAME, 1) == "票房" and matched(question, NAME, 0) == "" and matched(question, 1, 0) == "城市"
    )
    assert matched(question, CELL, 0) == "青河市" and matched(question, PAIR, 0) == "青河市"
    assert (
        matched(question, NUMBER, 2) == matched(question, NUMERIC_COLUMN, 1) == "2万18年"
        and matched(question, NUMERIC_COLUMN, 0) == ""
    )
    assert matched(question, IS_CELL, 2) == "18年" and matched(question, UNIT, 1) == "2万"
    assert matched(question, 17, 0) == "21" and matched(question, 18, 0) == "万年"
    assert matched(question, 19, 0) == "青" and matched(question, 20, 0) == "市"
    assert (
        matched(question, REAL, 1) == question
        and matched(question, REAL, 2) == ""
        and matched("是哪个", ASKED, 0) == "哪个"
    )
    assert matched("过900和2万", BETWEEN, 1) == "900"


def test_a_cell_inside_of_a_longer_number_is_none():
    assert matched("有12018家和2018.5家", CELL, 2) == "" and matched("2018年", CELL, 2) == "2018"


def test_the_longest_run_of_a_name_counts():
    features = schema_linking.match("城市", (column("城市", 1), column("城区", 2), column("城市", 3)))
    assert features[:, :, 4].tolist() == [[1, 0, 1]] * 2 and features[:, :, 5].tolist() == [[0.5, 0, 0.5]] * 2


@given(st.text("青河市白", max_size=12), st.text("青河市白", max_size=6))
def test_shared_runs_are_the_longest_ones(text, name):
    runs = schema_linking.shared_runs(text, name)
    for place in range(len(text)):
        around = [text[start:end] for start in range(place + 1) for end in range(place + 1, len(text) + 1)]
        assert runs[place] == max((len(run) for run in around if run in name), default=0)


@given(st.one_of(st.text(max_size=30), st.text(NUMERIC + "青河市票房", max_size=30)))
def test_any_question_has_features(question):
    features = schema_linking.match(question, COLUMNS)
    assert features.shape == (len(question), 3, schema_linking.FEATURE_COUNT) and features.dtype == np.float32
    assert ((0 <= features) & (features <= 1)).all()
    assert schema_linking.match(question, ()).shape == (len(question), 0, schema_linking.FEATURE_COUNT)


def test_tokens_have_the_largest_features_of_their_characters():
    tokenizer = WordPieceTokenizer([*build_vocabulary(["青河"] * 2), "ab"])
    features = np.array([[0.5, 0], [9, 9], [0, 0.75], [0.25, 1]], np.float32)
    encoding = tokenizer.encode("青 ab")
    assert encoding.offsets.tolist() == [[0, 0], [0, 1], [2, 4], [4, 4]]
    assert schema_linking.of_tokens(features, encoding).tolist() == [[0, 0], [0.5, 0], [0.25, 1], [0, 0]]
    assert schema_linking.of_tokens(features[:, None], encoding).shape == (4, 1, 2)
