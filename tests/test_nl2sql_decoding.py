"""Labels of NL2SQL, decoding guided by execution, opposites of questions, and the ceiling. Every table and sentence
here is invented."""

import itertools
import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import WordPieceTokenizer, build_vocabulary

import competition

FOLDER = "nl2sql"
task = competition.load(FOLDER, "task")
values = competition.load(FOLDER, "values")
schema_linking = competition.load(FOLDER, "schema_linking")
features = competition.load(FOLDER, "features")
decoding = competition.load(FOLDER, "decode")
execution = competition.load(FOLDER, "execution")
metric = competition.load(FOLDER, "metric")
Mark, Labels, Found, Scores = features.Mark, features.Labels, decoding.Found, decoding.Scores
write_query, Settings = decoding.write_query, decoding.Settings
KINDS = schema_linking.KINDS
deterministic = settings(max_examples=60)

NO_AGGREGATION, AVG, MAX, MIN, COUNT, SUM = range(6)
MORE, LESS, EQUAL, UNEQUAL = range(4)
NONE, AND, OR = range(3)

TOKENIZER = WordPieceTokenizer(
    build_vocabulary(
        ["哪些城市的票房超过低于和或都年白山青河云桥镇市亿万一二三十人，？" * 2, "0 1 2 3 4 5 6 7 8 9 . a b c"]
    )
)


def table(columns, *rows, name="t"):
    """`columns` are (name, type)."""
    return task.Table(name, "", *map(tuple, zip(*columns)), tuple(map(tuple, rows)), 1)


def query(selected, conditions, connection=None):
    """Selected (column, aggregation) pairs, or columns alone; the connection is "and" where there are several
    conditions."""
    pairs = [(one, NO_AGGREGATION) if isinstance(one, int) else one for one in selected]
    connection = (AND if len(conditions) > 1 else NONE) if connection is None else connection
    return task.Query(
        tuple(task.Selected(*pair) for pair in pairs), connection, tuple(task.Condition(*one) for one in conditions)
    )


CITIES = table(
    [("城市", "text"), ("2018年票房(亿)", "real"), ("2019年票房(亿)", "real"), ("人口", "real"), ("年份", "text")],
    ("青河市", 20.5, 21.0, 300, "2018"),
    ("白山市", 7.5, 30.0, 120, "2019"),
    ("云桥镇", 3.0, 2.5, 40, "2019"),
)


def aligned(question, gold, of_table=CITIES, encoding=None):
    lost = Counter()
    encoding = encoding or TOKENIZER.tokenize(question)
    return features.align(gold, question, encoding, values.columns_of(of_table), lost), encoding, lost


def words(question, gold, of_table=CITIES):
    """The conditions with the words that say their values, and what is lost."""
    found, encoding, lost = aligned(question, gold, of_table)
    return {
        (mark.column, mark.operator, question[slice(*encoding.char_span(mark.first, mark.last))])
        for mark in found.marks
    }, dict(lost)


# Gold -> labels


def test_a_query_becomes_labels():
    gold = query([(1, AVG), 0], [(0, EQUAL, "青河市"), (3, MORE, "100")], OR)
    found, _, lost = aligned("青河市或人口超过100的票房", gold)
    assert found.selections == (NO_AGGREGATION, AVG, *[features.NOT_SELECTED] * 3) and not lost
    assert (found.connection, found.conditions) == (OR, 2)
    assert found.marks == (Mark(0, EQUAL, 0, 2), Mark(3, MORE, 8, 10))


def test_values_are_found_as_the_question_says_them():
    gold = query([0], [(3, MORE, "120"), (4, EQUAL, "2019")])
    assert words("一九年人口超过一百二十", gold) == ({(3, MORE, "一百二十"), (4, EQUAL, "一九年")}, {})
    assert words("哪些城市的票房超过20", query([0], [(1, MORE, "20")])) == ({(1, MORE, "20")}, {})
    assert words("人口超过 30 万", query([0], [(3, MORE, "300000")])) == ({(3, MORE, "30 万")}, {})
    assert words("人口超过 30 的", query([0], [(3, MORE, "30")])) == ({(3, MORE, "30")}, {})


def test_one_value_of_two_columns_and_two_values_of_one_column():
    both = query([0], [(1, MORE, "20"), (2, MORE, "20")])
    assert words("18和19年票房都超过20", both) == ({(1, MORE, "20"), (2, MORE, "20")}, {})
    between = query([0], [(3, MORE, "30"), (3, LESS, "200")])
    assert words("人口在30和200之间", between) == ({(3, MORE, "30"), (3, LESS, "200")}, {})
    either = query([3], [(0, EQUAL, "青河市"), (0, EQUAL, "白山市")], OR)
    assert words("青河市白山市的人口", either) == ({(0, EQUAL, "青河市"), (0, EQUAL, "白山市")}, {})


def test_a_value_that_is_said_twice_goes_to_the_nearest_column():
    rents = table([("票价", "real"), ("人口", "real")], (3, 4))
    found, _, _ = aligned("人口超过20，票价低于20", query([0], [(0, LESS, "20"), (1, MORE, "20")]), rents)
    assert found.marks == (Mark(0, LESS, 11, 12), Mark(1, MORE, 4, 5))
    # Each place is taken once, also where the names say nothing.
    found, _, _ = aligned("20和20", query([0], [(0, LESS, "20"), (1, MORE, "20")]), rents)
    assert [mark.first for mark in found.marks] == [0, 3]
    # Width and case of the name do not matter.
    grades = table([("GDPa", "real"), ("b", "real")], (3, 4))
    found, _, _ = aligned("20，ＧＤＰＡ是20", query([1], [(0, MORE, "20")]), grades)
    [mark] = found.marks
    assert TOKENIZER.tokenize("20，ＧＤＰＡ是20").char_span(mark.first, mark.last) == (8, 10)


def test_what_is_lost_is_counted():
    missing = query([0], [(0, EQUAL, "云桥镇"), (3, MORE, "120")])
    found, _, lost = aligned("哪些人口超过120", missing)
    assert lost == {features.NOT_FOUND: 1} and found.conditions == 2 and len(found.marks) == 1
    _, _, lost = aligned("哪些城市", query([(0, COUNT), (0, MAX)], []))
    assert lost == {features.SELECTED_TWICE: 1}
    _, _, lost = aligned("哪些城市", query([0, 0], []))
    assert lost == {features.SELECTED_TWICE: 1}
    question = "超过人口120"
    found, _, lost = aligned(
        question, query([0], [(3, MORE, "120")]), encoding=TOKENIZER.tokenize(question).take(slice(0, 4))
    )
    assert lost == {features.CUT: 1} and not found.marks


def test_counts_have_classes():
    assert [features.count_class(count) for count in range(6)] == [0, 0, 1, 2, 2, 2]


# Labels -> tags


def labels_of(*marks, columns=4):
    return Labels((0,) * columns, AND, len(marks), tuple(Mark(*mark) for mark in marks))


@st.composite
def separate_marks(draw):
    """A number of tokens, and values that do not overlap, each with one operator and some columns; they may touch, and
    end with the last token."""
    edges = draw(st.lists(st.integers(1, 3), min_size=1, max_size=8))
    ends = list(itertools.accumulate(edges))
    marks = []
    for length, end in zip(edges, ends):
        columns = draw(st.sets(st.integers(0, 3), max_size=3))
        operator = draw(st.integers(0, 3))
        marks += [(column, operator, end - length, end - 1) for column in columns]
    return ends[-1], draw(st.permutations(marks))


@given(separate_marks())
def test_tags_give_the_marks_back(case):
    tokens, marks = case
    lost = Counter()
    tags, beside = features.tags_of(labels_of(*marks), tokens, 4, lost)
    assert (
        tags.shape == (tokens,) and tags.dtype == np.int32 and beside.shape == (tokens, 4) and beside.dtype == np.int8
    )
    assert tags.max() < features.TAG_COUNT and not lost
    assert sorted(features.marks_of_tags(tags, beside)) == sorted(Mark(*mark) for mark in marks)


def test_values_at_the_end_adjacent_ones_and_shared_ones():
    marks = [(0, MORE, 1, 2), (1, MORE, 3, 3), (2, MORE, 3, 3), (1, LESS, 4, 5)]
    tags, beside = features.tags_of(labels_of(*marks), 6, 4, Counter())
    assert tags.tolist() == [0, 1, 2, 1, 3, 4]
    assert beside.argmax(1).tolist() == [0, 0, 0, 1, 1, 1] and beside[3].tolist() == [0, 1, 1, 0]
    assert set(features.marks_of_tags(tags, beside)) == {Mark(*mark) for mark in marks}


def test_values_that_overlap_cannot_all_be_written():
    lost = Counter()
    tags, beside = features.tags_of(
        labels_of((0, MORE, 0, 2), (1, LESS, 0, 2), (2, MORE, 2, 3), (3, MORE, 0, 2)), 4, 4, lost
    )
    assert features.marks_of_tags(tags, beside) == [Mark(0, MORE, 0, 2), Mark(3, MORE, 0, 2)]
    assert lost == {features.OVERLAPPING: 2}


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ([], []),
        ([0, 0], []),
        ([1], [(MORE, 0, 0)]),
        ([0, 7, 8, 8], [(UNEQUAL, 1, 3)]),
        ([1, 1, 2], [(MORE, 0, 0), (MORE, 1, 2)]),
        ([1, 3, 4, 0, 5], [(MORE, 0, 0), (LESS, 1, 2), (EQUAL, 4, 4)]),
        # A following token that follows nothing.
        ([2, 2, 0, 4], [(MORE, 0, 1), (LESS, 3, 3)]),
        ([1, 4, 2], [(MORE, 0, 0), (LESS, 1, 1), (MORE, 2, 2)]),
    ],
)
def test_tagged_spans(tags, spans):
    assert list(features.tagged_spans(np.array(tags, int))) == spans == list(features.tagged_spans(tags))


@given(st.lists(st.integers(0, features.TAG_COUNT - 1), max_size=20))
def test_every_tag_is_in_one_span(tags):
    spans = list(features.tagged_spans(tags))
    covered = [place for _, first, last in spans for place in range(first, last + 1)]
    assert covered == [place for place, tag in enumerate(tags) if tag]
    assert all(
        (tags[place] - 1) // 2 == operator for operator, first, last in spans for place in range(first, last + 1)
    )


# Choices


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=4))
def test_every_combination_comes_once_the_cheapest_first(costs):
    slots = [[(cost, (slot, number)) for number, cost in enumerate(options)] for slot, options in enumerate(costs)]
    count = math.prod(map(len, slots))
    found = list(itertools.islice(decoding.best_first(slots), count + 1))
    expected = [
        (sum(cost for cost, _ in choice), tuple(value for _, value in choice)) for choice in itertools.product(*slots)
    ]
    assert Counter(found) == Counter(expected) and max(Counter(found).values(), default=1) == 1
    assert [cost for cost, _ in found] == sorted(cost for cost, _ in expected)


@given(st.lists(st.lists(st.floats(0, 20), min_size=1, max_size=4), min_size=1, max_size=4))
def test_costs_are_sums(costs):
    slots = [[(cost, cost) for cost in options] for options in costs]
    for cost, choice in decoding.best_first(slots):
        assert cost == pytest.approx(sum(choice), abs=1e-9)


def test_many_slots_are_not_all_combined():
    slots = [[(0.1 * number, number) for number in range(7)] for _ in range(60)]
    assert len(list(itertools.islice(decoding.best_first(slots), 200))) == 200


# Scores -> queries


def found_in(question, column, said, probability=0.99, operator=EQUAL, operators=None, of=0):
    """A value at the `of`-th place where the question has the words."""
    start = [place for place in range(len(question)) if question.startswith(said, place)][of]
    shares = np.eye(4)[operator] if operators is None else np.array(operators)
    return Found(column, start, start + len(said), probability, shares)


def scores(
    selected,
    found,
    connection=(0.98, 0.01, 0.01),
    columns=5,
    selected_count=(0.98, 0.01, 0.01),
    condition_count=(0.98, 0.01, 0.01),
):
    """selected: {column: {aggregation: probability}}; what is left goes to "not selected"."""
    selections = np.full((columns, features.SELECTIONS), 1e-4)
    for column in range(columns):
        for aggregation, probability in selected.get(column, {}).items():
            selections[column, aggregation] = probability
        selections[column, features.NOT_SELECTED] = max(1 - sum(selected.get(column, {}).values()), 1e-4)
    return Scores(selections, np.array(connection), np.array(selected_count), np.array(condition_count), found)


def decode(question, of_scores, of_table=CITIES, tries=100):
    return write_query(task.Example(question, of_table, None, 1), of_scores, Settings(tries))


def test_the_most_probable_query_that_says_something():
    question = "青河市的人口"
    of_scores = scores({3: {NO_AGGREGATION: 0.9}}, [found_in(question, 0, "青河市")])
    assert decode(question, of_scores) == query([3], [(0, EQUAL, "青河市")]) == decode(question, of_scores, tries=1)


def test_what_returns_nothing_is_passed_over():
    question = "18年的人口"
    # There is no 18 in the column of names, but the year 2018 in another one.
    found = [found_in(question, 0, "18年", 0.6), found_in(question, 4, "18年", 0.4)]
    of_scores = scores({3: {NO_AGGREGATION: 0.9}}, found)
    assert decode(question, of_scores) == query([3], [(4, EQUAL, "2018")])
    assert decode(question, of_scores, tries=1).conditions[0].column == 0


def test_blanks_around_cells_are_nobodys():
    hotels = table([("名称", "text"), ("级别", "text")], ("青河", " 5a"), ("白山", "3a "))
    question = "5a的哪些"
    of_scores = scores({0: {NO_AGGREGATION: 0.9}}, [found_in(question, 1, "5a")], columns=2)
    assert decode(question, of_scores, hotels) == query([0], [(1, EQUAL, "5a")])


def test_counting_nothing_says_nothing():
    question = "人口超过500或20的城市"
    found = [found_in(question, 3, "500", 0.6, MORE), found_in(question, 3, "20", 0.4, MORE)]
    assert decode(question, scores({0: {COUNT: 0.9}}, found)) == query([(0, COUNT)], [(3, MORE, "20")])


def test_names_are_not_averaged_or_compared():
    question = "白山市"
    found = [found_in(question, 0, "白山市")]
    assert decode(question, scores({0: {AVG: 0.5}, 3: {AVG: 0.4}}, found)).selected == (task.Selected(3, AVG),)
    assert decode(question, scores({0: {AVG: 0.5}, 3: {AVG: 0.4}}, found), tries=1).selected == (task.Selected(0, AVG),)
    assert decode(question, scores({0: {COUNT: 0.5}, 3: {AVG: 0.4}}, found)).selected == (task.Selected(0, COUNT),)
    question = "超过20"
    found = [found_in(question, 0, "20", 0.6, MORE), found_in(question, 1, "20", 0.4, MORE)]
    assert decode(question, scores({3: {NO_AGGREGATION: 0.9}}, found)) == query([3], [(1, MORE, "20")])
    assert decode(question, scores({3: {NO_AGGREGATION: 0.9}}, found), tries=1).conditions[0].column == 0
    assert execution.makes_sense(query([0], [(3, MORE, "20")]), values.columns_of(CITIES))
    assert not execution.makes_sense(query([0], [(0, MORE, "20")]), values.columns_of(CITIES))
    assert not execution.makes_sense(query([(0, SUM)], [(0, EQUAL, "20")]), values.columns_of(CITIES))
    # Years are text, but numbers.
    assert execution.makes_sense(query([(4, MAX)], [(4, LESS, "2019")]), values.columns_of(CITIES))


def test_several_conditions_are_joined_and_one_is_not():
    question = "青河市和白山市"
    found = [found_in(question, 0, "青河市"), found_in(question, 0, "白山市")]
    of_scores = scores({3: {NO_AGGREGATION: 0.9}}, found, (0.9, 0.06, 0.04), condition_count=(0.05, 0.94, 0.01))
    # "and" is more probable, but no row is in both.
    assert decode(question, of_scores) == query([3], [(0, EQUAL, "青河市"), (0, EQUAL, "白山市")], OR)
    assert decode(question, of_scores, tries=1).connection == AND
    one = scores({3: {NO_AGGREGATION: 0.9}}, found, (0.3, 0.06, 0.64), condition_count=(0.998, 0.001, 0.001))
    assert decode(question, one).connection == NONE and len(decode(question, one).conditions) == 1


def test_a_network_that_has_seen_questions_without_a_condition_may_answer_without():
    question, selected = "青河市的人口", {3: {NO_AGGREGATION: 0.9}}
    found = [found_in(question, 0, "青河市", 0.4)]
    assert decode(question, scores(selected, found, condition_count=(0.2, 0.0, 0.0, 0.8))) == query([3], [])
    with_one = query([3], [(0, EQUAL, "青河市")])
    assert decode(question, scores(selected, found, condition_count=(0.8, 0.0, 0.0, 0.2))) == with_one
    assert decode(question, scores(selected, found, condition_count=(0.2, 0.4, 0.4))) == with_one
    assert decode(question, scores(selected, [], condition_count=(0.9, 0.0, 0.0, 0.1))) == query([3], [])
    # What makes no sense is passed over as it is where there are conditions, and with one try nothing is.
    of_scores = scores({0: {AVG: 0.5}, 3: {AVG: 0.4}}, [], condition_count=(0.0, 0.0, 0.0, 1.0))
    assert decode(question, of_scores) == query([(3, AVG)], [])
    assert decode(question, of_scores, tries=1) == query([(0, AVG)], [])


def test_a_table_without_rows_says_nothing_against_a_query():
    question, empty = "青河市的人口", replace(CITIES, rows=())
    of_scores = scores({0: {AVG: 0.5}, 3: {AVG: 0.4}}, [found_in(question, 0, "青河市")])
    assert decode(question, of_scores, empty) == query([(3, AVG)], [(0, EQUAL, "青河市")])
    assert decode(question, of_scores, empty, tries=1) == query([(0, AVG)], [(0, EQUAL, "青河市")])
    # Where there are rows, this is passed over.
    of_scores = scores({3: {NO_AGGREGATION: 0.9}}, [found_in("人口超过5000或20", 3, "5000", 0.6, MORE)])
    assert decode("人口超过5000或20", of_scores, empty) == query([3], [(3, MORE, "5000")])


@pytest.mark.parametrize("of_table", [CITIES, replace(CITIES, rows=())])
@pytest.mark.parametrize("tries", [1, 3, 100])
def test_if_none_says_anything_the_most_probable_one_is_taken(of_table, tries):
    question = "人口超过5000"
    of_scores = scores({0: {NO_AGGREGATION: 0.9}}, [found_in(question, 3, "5000", operator=MORE)])
    assert decode(question, of_scores, of_table, tries) == query([0], [(3, MORE, "5000")])
    senseless = {0: {AVG: 0.5, SUM: 0.3, MAX: 0.2}}
    of_scores = scores(senseless, [], condition_count=(0.0, 0.0, 0.0, 1.0))
    assert decode("", of_scores, of_table, min(tries, 3)) == query([(0, AVG)], [])
    of_scores = scores(senseless, [found_in("青河市", 0, "青河市")])
    assert decode("青河市", of_scores, of_table, min(tries, 3)) == query([(0, AVG)], [(0, EQUAL, "青河市")])


def all_in_order(question, of_scores, of_table):
    """What `write_query` is to answer, said in another way: the meaning of every candidate first."""
    columns = values.columns_of(of_table)
    return [(one, execution.meaning(one, of_table, columns)) for one in candidates(question, of_scores, of_table)]


@pytest.mark.parametrize("rows", [3, 0])
def test_every_query_goes_the_same_way(rows):
    generator, of_table = np.random.default_rng(rows), replace(CITIES, rows=CITIES.rows[:rows])
    question = "青河市和白山市20年的人口超过30"
    answered = Counter()
    for _ in range(20):
        found = [
            found_in(question, int(generator.integers(5)), said, float(generator.random()), operators=shares)
            for said, shares in zip(("青河市", "20年", "30"), generator.dirichlet(np.full(4, 0.3), 3))
        ]
        whole = (generator.dirichlet(np.ones(3)), generator.dirichlet(np.ones(3)), generator.dirichlet(np.ones(4)))
        of_scores = Scores(generator.dirichlet(np.full(features.SELECTIONS, 0.3), 5), *whole, found)
        in_order = all_in_order(question, of_scores, of_table)
        for tries in (1, 2, 5, 30):
            passing = [one for one, meaning in in_order[:tries] if meaning is not None]
            expected = passing[0] if passing else in_order[0][0]
            assert decode(question, of_scores, of_table, tries) == expected
            answered[bool(passing), bool(expected.conditions)] += 1
    assert len(answered) == 4  # with and without a condition, found and not found


def test_queries_mean_the_same_where_their_results_are_the_same():
    columns, empty = values.columns_of(CITIES), replace(CITIES, rows=())

    def meaning(one, of_table=CITIES):
        return execution.meaning(one, of_table, columns)

    by_name, by_number = query([3], [(0, EQUAL, "青河市")]), query([3], [(3, MORE, "200")])
    assert meaning(by_name) == meaning(by_number) != meaning(query([3], [(0, EQUAL, "白山市")]))
    assert meaning(query([0, 3], [(3, MORE, "200")])) == meaning(query([3, 0], [(3, MORE, "200")]))
    assert meaning(by_name, empty) != meaning(by_number, empty)
    both = [(0, EQUAL, "青河市"), (3, MORE, "200")]
    assert meaning(query([0, 3], both), empty) == meaning(query([3, 0], both[::-1]), empty) is not None
    assert meaning(query([3], both, AND), empty) != meaning(query([3], both, OR), empty)
    assert meaning(query([0], [])) == query([0], []).logic_form
    for nothing in (query([3], [(0, EQUAL, "远")]), query([(0, AVG)], [(3, MORE, "20")]), query([(0, AVG)], [])):
        assert meaning(nothing) is None
    assert meaning(query([], [(0, EQUAL, "青河市")])) is None  # it fails


def test_no_more_queries_than_tries():
    question = "18年的人口"
    found = [found_in(question, 0, "18年", 0.9), found_in(question, 4, "18年", 0.05)]
    of_scores = scores({3: {NO_AGGREGATION: 0.8, SUM: 0.1}}, found)
    number = [one.conditions[0].value for one in candidates(question, of_scores)].index("2018")
    assert number > 1
    assert decode(question, of_scores, tries=number).conditions[0].column == 0
    assert decode(question, of_scores, tries=number + 1).conditions[0].column == 4


def test_no_more_are_tried_where_one_is_too_slow(monkeypatch):
    question = "18年的人口"
    found = [found_in(question, 0, "18年", 0.6), found_in(question, 4, "18年", 0.4)]
    of_scores = scores({3: {NO_AGGREGATION: 0.9}}, found)
    asked = []

    def slow_from(number):
        def execute(database, query, budget=None):
            asked.append(query)
            if len(asked) == number:
                raise execution.TooSlow("takes longer")
            return []

        asked.clear()
        monkeypatch.setattr(execution.Database, "execute", execute)

    slow_from(1)
    assert decode(question, of_scores) == asked[0] and len(asked) == 1
    slow_from(3)
    assert decode(question, of_scores) == asked[0] and len(asked) == 3


def test_conditions_stand_in_the_order_of_the_question():
    question = "人口20票房20城市青河市城市青河市"
    found = [
        found_in(question, 0, "青河市", 0.9),
        found_in(question, 0, "青河市", 0.8, of=1),
        found_in(question, 3, "20", 0.7, MORE),
        found_in(question, 1, "20", 0.6, MORE),
    ]
    for order in itertools.permutations(found):
        of_scores = scores({3: {NO_AGGREGATION: 0.9}}, order, (0.1, 0.4, 0.5), condition_count=(0.1, 0.1, 0.8))
        answer = decode(question, of_scores)
        assert answer == query([3], [(1, MORE, "20"), (3, MORE, "20"), (0, EQUAL, "青河市")], OR)


def candidates(question, of_scores, of_table=CITIES):
    return list(decoding.candidates(question, values.columns_of(of_table), of_scores))


def test_the_last_resort_runs():
    assert decode("人口", scores({3: {SUM: 0.4}}, [])) == query([3], [(0, EQUAL, "青河市")])
    wide = scores({2004: {NO_AGGREGATION: 0.9}, 2: {NO_AGGREGATION: 0.1}}, [], columns=2005)
    assert decode("人口", wide, TABLES["2005 columns"]) == query([2], [(0, EQUAL, "0")])
    # A size that is not said is no condition.
    question = "人口"
    assert candidates(question, scores({}, [found_in(question, 3, "人口", operator=MORE)])) == []


def test_candidates_are_whole_and_differ():
    question = "青河市和白山市的人口超过20"
    found = [
        found_in(question, 0, "青河市", 0.6),
        found_in(question, 0, "白山市", 0.5),
        found_in(question, 3, "20", 0.7, operators=[0.6, 0.2, 0.2, 0]),
    ]
    queries = candidates(
        question,
        scores({0: {0: 0.5, COUNT: 0.2}, 3: {AVG: 0.3}}, found, (0.4, 0.3, 0.3), condition_count=(0.3, 0.3, 0.4)),
    )
    assert len(set(queries)) == len(queries) > 500
    for one in queries:
        assert one.selected and one.conditions and (one.connection == NONE) == (len(one.conditions) == 1)
        assert len(set(one.conditions)) == len(one.conditions)


def test_a_condition_that_is_said_over_and_over_is_one():
    question = "青河市" * 30 + "人口超过20"
    found = [found_in(question, 0, "青河市", of=number) for number in range(30)] + [
        found_in(question, 3, "20", operator=MORE)
    ]
    of_scores = scores({3: {NO_AGGREGATION: 0.9}}, found, (0.1, 0.8, 0.1), condition_count=(0.1, 0.8, 0.1))
    assert decode(question, of_scores) == query([3], [(0, EQUAL, "青河市"), (3, MORE, "20")])
    only = scores({3: {NO_AGGREGATION: 0.9}}, found[:-1])
    assert decode(question, only) == query([3], [(0, EQUAL, "青河市")])


# Gold and back


@pytest.mark.parametrize(
    ("question", "gold"),
    [
        ("哪些城市的人口超过100", query([0], [(3, MORE, "100")])),
        ("18和19年票房都超过20亿的城市", query([0], [(1, MORE, "20"), (2, MORE, "20")])),
        ("人口在一百和二百之间", query([(0, COUNT)], [(3, MORE, "100"), (3, LESS, "200")])),
        ("青河市白山市的人口和票房", query([3, 1], [(0, EQUAL, "青河市"), (0, EQUAL, "白山市")], OR)),
        ("人口都不到100和一九年的", query([0, (1, MAX)], [(3, LESS, "100"), (4, EQUAL, "2019")], OR)),
        ("不在青河", query([(3, SUM)], [(0, UNEQUAL, "青河市")])),
        (
            "青河、白山和云桥哪个人口过40",
            query([0], [(0, EQUAL, "青河市"), (0, EQUAL, "白山市"), (0, EQUAL, "云桥镇")], OR),
        ),
        ("哪些的票房是7.5", query([4], [(1, EQUAL, "7.5")])),
        ("有多少城市", query([(0, COUNT)], [])),
    ],
)
@pytest.mark.parametrize("head", ["span_column", "tagging"])
def test_gold_comes_back(question, gold, head):
    found, encoding, lost = aligned(question, gold)
    marks = found.marks
    if head == "tagging":
        marks = features.marks_of_tags(*features.tags_of(found, len(encoding), len(CITIES.header), lost))
    perfect = Scores.perfect(found, marks, encoding, unconditioned=not gold.conditions)
    predicted = write_query(task.Example(question, CITIES, gold, 1), perfect)
    [comparison] = metric.compare([task.Example(question, CITIES, gold, 1)], [predicted])
    # The organisers' engine executes no query without a condition, not that of gold either.
    assert comparison.logic_form and comparison.execution == bool(gold.conditions) and not lost


# Tables of all kinds


def many_columns(count, rows=2):
    columns = [(f"列{number}", ("text", "real")[number % 2]) for number in range(count)]
    return table(columns, *(map(str, range(count)) for _ in range(rows)))


TABLES = {
    "one column": table([("城市", "text")], ("青河市",), ("20",)),
    "one number": table([("人口", "real")], (20,)),
    "40 columns": many_columns(40),
    "no rows": table([("城市", "text"), ("人口", "real")]),
    "empty rows": table([("城市", "text"), ("人口", "real")], (None, None), ("", None)),
    "duplicate headers": table(
        [("城市", "text"), ("城市", "real"), ("", "text"), ("", "real")], ("青河市", 20, "a", 3)
    ),
    "mixed cells": table(
        [("城市", "real"), ("人口", "text"), ("年份", "real")],
        *[("青河市", 20, 1), (20, "很多", 10**30), (None, float("inf"), -0.0), ("\ud800", "\0", True)],
    ),
    "code": table([('x"; DROP TABLE t; --', "text")], ("' OR 1=1; --",)),
    "2005 columns": many_columns(2005, 1),
}
QUESTION = "青河市和白山市20年的人口超过3.5亿"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_gets_a_query_that_runs(name, tmp_path):
    of_table, encoding = TABLES[name], TOKENIZER.tokenize(QUESTION)
    columns = len(of_table.header)
    generator = np.random.default_rng(1)
    examples, queries = [], []
    with execution.Database(of_table) as database:
        for count in (0, 1, 5) if columns > 2000 else [*range(8)] * 3:
            selections = generator.dirichlet(np.full(features.SELECTIONS, 0.3), columns)
            found = []
            for _ in range(count):
                first, last = sorted(generator.integers(len(encoding), size=2).tolist())
                found.append(
                    Found(
                        int(generator.integers(columns)),
                        *encoding.char_span(first, last),
                        float(generator.random()),
                        generator.dirichlet(np.full(4, 0.3)),
                    )
                )
            example = task.Example(QUESTION, of_table, None, 1)
            of_scores = Scores(selections, *generator.dirichlet(np.ones(3), 3), found)
            predicted = write_query(example, of_scores, Settings(30))
            database.execute(predicted)
            assert predicted.selected and predicted.conditions
            assert decode(QUESTION, of_scores, of_table, tries=1).selected
            examples.append(example)
            queries.append(predicted)
    task.write_submission(tmp_path / "predictions.json", queries)
    assert task.check_submission(tmp_path / "predictions.json", examples) == len(queries)


def test_a_question_without_tokens_gets_a_query():
    assert decode("", scores({0: {COUNT: 0.9}}, [])) == query([0], [(0, EQUAL, "青河市")])
    assert decode("", scores({0: {0: 0.9}}, [], columns=2), TABLES["no rows"]) == query([0], [(0, EQUAL, "")])


def test_queries_are_of_pythons_own_types():
    question = "青河市的人口"
    record = decode(question, scores({3: {0: 0.9}}, [found_in(question, np.int64(0), "青河市")])).record()
    assert json.loads(json.dumps(record)) == record


# The opposite


class Always:
    """A generator whose coins all fall on one side, and whose choices are all the same."""

    def __init__(self, heads, choice=0):
        self.heads, self.choice = heads, choice

    def random(self):
        return 0.0 if self.heads else 0.9

    def integers(self, high):
        return self.choice % high


def said(tokens, **places):
    """Cues at tokens, under the names of operators and aggregations."""
    found = np.zeros((tokens, len(KINDS)), bool)
    for kind, where in places.items():
        found[where, KINDS.index({"more": ">", "less": "<"}.get(kind, kind))] = True
    return found


def test_more_becomes_less_with_its_cue():
    of_labels = labels_of((0, MORE, 3, 3), (1, LESS, 5, 5), (2, EQUAL, 6, 6))
    turned, kinds = features.opposite(of_labels, said(8, more=[1, 2], less=[4]), Always(True))
    assert [mark.operator for mark in turned.marks] == [LESS, MORE, EQUAL]
    more, less = KINDS.index(">"), KINDS.index("<")
    exchanged = {more: less, less: more}
    assert kinds.tolist() == [exchanged.get(kind, kind) for kind in range(len(KINDS))]
    assert [mark.operator for mark in of_labels.marks] == [MORE, LESS, EQUAL]  # the given ones stay
    assert features.opposite(of_labels, said(8, more=[1, 2], less=[4]), Always(False))[0] == of_labels


@pytest.mark.parametrize(
    "cue", [said(8), said(8, more=[1]), said(8, more=[1, 6], less=[4]), said(8, more=[1, 2], less=[3, 5])]
)
def test_operators_that_are_not_said_stay(cue):
    of_labels = labels_of((0, MORE, 3, 3), (1, LESS, 5, 5))
    turned, kinds = features.opposite(of_labels, cue, Always(True))
    assert turned == of_labels and kinds.tolist() == list(range(len(KINDS)))


def test_one_aggregation_becomes_another_with_its_cue():
    of_labels = Labels((features.NOT_SELECTED, AVG, 0), NONE, 0, ())
    turned = [features.opposite(of_labels, said(3, AVG=[0]), Always(True, choice)) for choice in range(4)]
    assert [one.selections[1] for one, _ in turned] == [AVG, MAX, MIN, SUM]
    turned, kinds = features.opposite(of_labels, said(3, AVG=[0]), Always(True, 3))
    assert turned.selections == (features.NOT_SELECTED, SUM, 0)
    average, total = KINDS.index("AVG"), KINDS.index("SUM")
    assert kinds[average] == total and kinds[total] == average
    # Not said, said twice, said with another one, two aggregations, a count.
    for cue in (said(3), said(3, AVG=[0, 2]), said(3, AVG=[0], MAX=[2]), said(3, MAX=[0])):
        assert features.opposite(of_labels, cue, Always(True, 3))[0].selections == of_labels.selections
    for selections, cue in (((AVG, AVG, 0), said(3, AVG=[0])), ((COUNT, 6, 0), said(3, COUNT=[0]))):
        of_labels = Labels(selections, NONE, 0, ())
        assert features.opposite(of_labels, cue, Always(True, 3))[0].selections == selections


def test_about_half_are_turned():
    of_labels, generator = labels_of((0, MORE, 3, 3)), np.random.default_rng(0)
    turned = sum(features.opposite(of_labels, said(4, more=[2]), generator)[0] != of_labels for _ in range(200))
    assert 75 < turned < 125


# The ceiling


@pytest.mark.parametrize("name", ["train.json", "dev.json"])
def test_a_perfect_network_is_nearly_perfect_on_the_sample(name):
    path = competition.COMPETITIONS / FOLDER / "sample" / name
    figures = competition.main(FOLDER, "evaluate", ["--gold", path, "--ceiling"])
    assert set(figures) == {"span_column", "tagging"} and figures["span_column"] >= 0.95
    assert 0.8 <= figures["tagging"] <= figures["span_column"]


def test_the_ceiling_names_what_is_lost(tmp_path, capsys):
    record = {
        "id": "t",
        "header": list(CITIES.header),
        "types": list(CITIES.types),
        "rows": [list(row) for row in CITIES.rows],
    }
    questions = [
        ("白山市的人口", query([3], [(0, EQUAL, "白山市")])),
        ("人口是多少", query([3], [(0, EQUAL, "云桥镇"), (3, MORE, "300")])),
    ]
    lines = [json.dumps({"question": text, "table_id": "t", "sql": gold.record()}) for text, gold in questions]
    (tmp_path / "own.json").write_text("\n".join(lines), "utf-8")
    (tmp_path / "own.tables.json").write_text(json.dumps(record), "utf-8")
    figures = competition.main(FOLDER, "evaluate", ["--gold", tmp_path / "own.json", "--ceiling"])
    printed = capsys.readouterr().out
    assert figures == {"span_column": 0.5, "tagging": 0.5} and f"2 x {features.NOT_FOUND}" in printed


def test_the_ceiling_takes_no_submission_and_can_be_json(capsys):
    path = competition.COMPETITIONS / FOLDER / "sample" / "dev.json"
    for more, words in (["--predictions", path], "leave out --predictions"), (["--tries", 0], "--tries 0"):
        with pytest.raises(SystemExit) as stop:
            competition.main(FOLDER, "evaluate", ["--gold", path, "--ceiling", *more])
        assert stop.value.code == 2 and words in capsys.readouterr().err
    figures = competition.main(FOLDER, "evaluate", ["--gold", path, "--ceiling", "--json", "--tries", 1])
    printed = json.loads(capsys.readouterr().out)
    assert {head: scores["logic_form_accuracy"] for head, scores in printed.items()} == figures
