"""common/tokenizers/dictionary: one form of names, every name in a text, and the best that do not overlap, against
brute force."""

import itertools
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import Dictionary, Match, longest_matches, name_form, normal_name, strip_title_marks

from competition import SHARED

DATA = SHARED / "data" / "ccks2019_entity_linking"
many = settings(max_examples=300)
texts = st.one_of(st.text(max_size=12), st.text("天地《》aAＡ1２ 　İΣ", max_size=12))


def test_the_form_of_every_character_is_one_character_and_stays():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    form = name_form(everything)
    assert len(form) == len(everything) and name_form(form) == form
    assert all(
        one == other or one.lower() == other or 0xFF01 <= ord(one) <= 0xFF5E or one == "\u3000"
        for one, other in zip(everything, form)
    )


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", ""),
        ("天Ａｂ１！～", "天ab1!~"),
        ("ABC　ÀΣ", "abc àσ"),
        ("İ", "İ"),
        ("《，。》", "《,。》"),
        ("ﬁ㎏", "ﬁ㎏"),
        ("\ud83d", "\ud83d"),
    ],
)
def test_half_width_and_lower_case(text, form):
    assert name_form(text) == form


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("《天地》", "天地"), ("天地", "天地"), ("《天》与《地》", "《天》与《地》"), ("《《天》与《地》》", "《天》与《地》"), ("《《天》》", "《天》"),
        ("《天", "《天"), ("天》", "天》"), ("》天《", "》天《"), ("《天》地》", "《天》地》"), ("《《天》", "《《天》"), ("《天》续集", "《天》续集"),
        ("《》", ""), ("《", "《"), ("》", "》"), ("", ""), (" 《天》", " 《天》"),
    ],
)  # fmt: skip
def test_title_marks_come_off_in_one_pair(name, bare):
    assert strip_title_marks(name) == bare


@many
@given(st.text("天《》", max_size=10))
def test_the_marks_that_come_off_belong_together(name):
    partners, opened = {}, []
    for place, character in enumerate(name):
        if character == "《":
            opened.append(place)
        elif character == "》" and opened:
            partners[opened.pop()] = place
    expected = name[1:-1] if partners.get(0) == len(name) - 1 else name
    assert strip_title_marks(name) == expected


@many
@given(texts)
def test_the_normal_form_of_a_normal_name_is_itself(name):
    normal = normal_name(name)
    assert normal_name(normal) == strip_title_marks(normal) == normal.strip() == name_form(normal) == normal


@many
@given(st.text("天地aA 　", max_size=10))
def test_names_that_differ_in_case_blanks_and_marks_are_the_same(name):
    assert normal_name(f" 《{name.upper()} 》　") == normal_name(name)


@pytest.mark.parametrize(
    ("name", "normal"),
    [("　《 Ａbc 》 ", "abc"), ("《《天》》", "天"), ("《天》与《地》", "《天》与《地》"), ("《》", ""), (" 　", "")],
)
def test_normal_names(name, normal):
    assert normal_name(name) == normal


def test_any_number_of_title_marks_comes_off_in_one_pass():
    assert normal_name("《" * 100_000 + " 天 " + "》 " * 100_000) == "天"
    assert normal_name("《" * 100_000 + "》天" * 100_000) == "《" * 100_000 + "》天" * 100_000
    assert strip_title_marks("《" * 100_000 + "》" * 100_000) == "《" * 99_999 + "》" * 99_999


# Matches


def slow_matches(names, text):
    text = name_form(text)

    def cuts(at):
        return 0 < at < len(text) and any(
            text[at - 1] in kind and text[at] in kind for kind in ("abcdefghijklmnopqrstuvwxyz", "0123456789")
        )

    return [
        Match(start, end, names.index(text[start:end]))
        for start, end in itertools.combinations(range(len(text) + 1), 2)
        if text[start:end] in names and not cuts(start) and not cuts(end)
    ]


letters = "天地aB1２é"


@many
@given(
    st.lists(st.text(letters, min_size=1, max_size=4).map(name_form), max_size=20, unique=True),
    st.text(letters + "Ａ", max_size=15),
)
def test_every_occurrence_is_found(names, text):
    dictionary = Dictionary(names)
    found = dictionary.matches(text)
    assert found == slow_matches(names, text) == sorted(found)
    assert len(dictionary) == len(names)
    assert [dictionary.number(name) for name in names] == list(range(len(names)))
    assert dictionary.number("地地地地地") is None


def test_nested_overlapping_and_repeated_names():
    dictionary = Dictionary(["天", "天地", "地天", "天地天"])
    assert dictionary.matches("天地天") == [(0, 1, 0), (0, 2, 1), (0, 3, 3), (1, 3, 2), (2, 3, 0)]


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        ("cos", "cosplay", []), ("cos", "玩COS的", [1]), ("cos", "cos cos,cos", [0, 4, 8]), ("g5", "lg g55", []), ("g5", "lg g5", [3]),
        ("12", "2012年12月", [5]), ("qq", "某人_qq25", [3]), ("5", "g5", [1]), ("cctv新闻", "2014ＣＣＴＶ新闻联播", [4]), ("é", "café", [3]),
    ],
)  # fmt: skip
def test_words_and_numbers_are_not_cut(name, text, places):
    assert [match.start for match in Dictionary([name]).matches(text)] == places


def test_a_dictionary_without_names_finds_nothing():
    dictionary = Dictionary([])
    assert (
        dictionary.matches("天地") == dictionary.matches("") == []
        and len(dictionary) == 0
        and dictionary.number("天") is None
    )


def test_names_and_their_number_at_a_place_are_bounded():
    """A text takes time in proportion to its length, whatever the names; before, one of a million characters ended the
    process with a signal."""
    found = Dictionary(["天" * 1_000_000, "地" * 201, "地" * 200, "地"]).matches("天" * 300 + "地" * 201)
    assert found[:3] == [(300, 301, 3), (300, 500, 2), (301, 302, 3)] and len(found) == 203
    found = Dictionary(["天" * length for length in range(1, 201)]).matches("天" * 200)
    assert [match.end for match in found[:16]] == list(range(185, 201)), "the longest"
    assert len(found) == 185 * 16 + sum(range(16)) and found == sorted(found)


@pytest.mark.parametrize("names", [["天", ""], ["天", "地", "天"]])
def test_a_name_that_is_empty_or_repeated_is_refused(names):
    with pytest.raises(ValueError, match="empty or occurs more than once"):
        Dictionary(names)


def test_any_character_may_be_in_a_name():
    names = ["\ud83d", "a\0b", "\U0001f600", "长" * 50]
    assert Dictionary(names).matches("\0a\0b\ud83d\U0001f600" + "长" * 50) == [
        (1, 4, 1),
        (4, 5, 0),
        (5, 6, 2),
        (6, 56, 3),
    ]


# The best that do not overlap


def slow_longest_matches(matches):
    def apart(choice):
        return all(one[1] <= other[0] for one, other in itertools.pairwise(choice))

    choices = [
        choice
        for size in range(len(matches) + 1)
        for choice in itertools.combinations(sorted(matches), size)
        if apart(choice)
    ]
    return list(
        min(
            choices,
            key=lambda choice: (
                -sum(end - start for start, end in choice),
                len(choice),
                [(start, -end) for start, end in choice],
            ),
        )
    )


spans = (
    st.tuples(st.integers(0, 9), st.integers(1, 5))
    .map(lambda pair: (pair[0], pair[0] + pair[1]))
    .filter(lambda span: span[1] <= 10)
)


@many
@given(st.lists(spans, max_size=9, unique=True))
def test_the_choice_is_the_best(matches):
    assert longest_matches(matches, 10) == slow_longest_matches(matches)


@pytest.mark.parametrize(
    ("matches", "chosen"),
    [
        ([], []),
        ([(0, 2), (1, 4), (4, 5)], [(1, 4), (4, 5)]),  # not the first, which greedy segmentation would take
        ([(0, 1), (1, 2), (0, 2)], [(0, 2)]),
        ([(0, 2), (1, 3)], [(0, 2)]),
        ([(0, 2), (2, 5), (0, 3), (3, 5)], [(0, 3), (3, 5)]),
    ],
)
def test_choices_by_hand(matches, chosen):
    assert longest_matches(matches, 6) == chosen


def test_matches_come_back_as_they_were():
    matches = Dictionary(["地天", "天", "天地"]).matches("地天地天")
    assert longest_matches(matches, 4) == [Match(0, 2, 0), Match(2, 4, 0)]


@pytest.mark.parametrize("match", [(-1, 1), (1, 1), (2, 1), (0, 4)])
def test_a_match_outside_of_the_text_is_refused(match):
    with pytest.raises(ValueError, match="outside of a text of 3 characters"):
        longest_matches([match], 3)


# Real mentions


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not here")
def test_mentions_that_annotators_labelled_are_found():
    """The rule about words and numbers takes away none of the mentions that are names."""
    entities = [json.loads(line) for line in (DATA / "kb_data_ids_only").open(encoding="utf-8")]
    names = {normal_name(name) for entity in entities for name in [entity["subject"], *entity["alias"]]} - {""}
    dictionary = Dictionary(sorted(names))
    labelled = known = found = 0
    for line in (DATA / "dev.json").open(encoding="utf-8"):
        example = json.loads(line)
        places = {match[:2] for match in dictionary.matches(example["text"])}
        for mention in example["mention_data"]:
            start, end = int(mention["offset"]), int(mention["offset"]) + len(mention["mention"])
            labelled += 1
            known += name_form(mention["mention"]) in names
            found += (start, end) in places
    assert labelled > 1700 and found == known > 0.84 * labelled
