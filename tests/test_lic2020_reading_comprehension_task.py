"""Files, submission and official metric of reading comprehension. Every sentence here is invented."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

import competition
from contests import without
from helpers import (
    HEAVY,
    check_report,
    check_warnings,
    evaluate,
    evaluation_refused,
    json_figures,
    needs,
    not_importing,
    refused,
    write,
)

FOLDER = "lic2020_reading_comprehension"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
errors = competition.load(FOLDER, "evaluate")

DATA = competition.SHARED / "data" / FOLDER

RIVER = "青河长640公里，发源于白山，1987年建成大坝。"


def answer(text, start=-1):
    return {"text": text, "answer_start": start}


def question(name, text="青河多长", answers=("640公里",), **other):
    return {"id": name, "question": text, "answers": [answer(text) for text in answers]} | other


def paragraph(*questions, context=RIVER):
    return {"context": context, "qas": list(questions)}


def document(*paragraphs):
    return {"data": [{"title": "", "paragraphs": list(paragraphs)}]}


def last_line(path, words):
    """The number of the last line with these words."""
    return max(number for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1) if words in line)


def example(name="a", text="青河多长", answers=("640公里",), context=RIVER, article=0):
    return task.Example(name, text, context, tuple(task.Answer(text, -1) for text in answers), article)


# Reading


def test_examples_keep_what_the_file_says(tmp_path):
    first = question("a", answers=()) | {
        "answers": [answer("640公里", 3), answer("长640", 99), answer(""), {"text": "公里"}]
    }
    data = document(paragraph(first, question("b", "大坝", ["1987年"])), paragraph(question("c"), context=""))
    data["data"].append({"paragraphs": [paragraph(question("d", "白山", ["白山"], extra=1))]})
    assert task.read(write(tmp_path / "dev.json", data)) == [
        task.Example(
            "a",
            "青河多长",
            RIVER,
            (task.Answer("640公里", 3), task.Answer("长640", 99), task.Answer("", -1), task.Answer("公里", -1)),
            0,
        ),
        task.Example("b", "大坝", RIVER, (task.Answer("1987年", -1),), 0),
        task.Example("c", "青河多长", "", (task.Answer("640公里", -1),), 0),
        task.Example("d", "白山", RIVER, (task.Answer("白山", -1),), 1),
    ]


UNLABELLED = {
    "absent": {},
    "null": {"answers": None},
    "none": {"answers": []},
    "one empty": {"answers": [answer("")]},
    "blank": {"answers": [answer(" \u3000"), answer("")]},
    "a blank string": {"answer": ""},
    "impossible": {"answers": [answer("640公里")], "is_impossible": True},
}


@pytest.mark.parametrize("labels", UNLABELLED.values(), ids=UNLABELLED)
def test_a_question_without_an_answer_is_left_out_where_answers_are_wanted(tmp_path, labels):
    item = {"id": "编号", "question": "?", **labels}
    path = write(tmp_path / "test.json", document(paragraph(question("a")), paragraph(item)), indent=1)
    assert [one.answers is None for one in task.read(path)] == [False, True]
    assert [one.answers for one in task.read(path, labelled=False)] == [None, None]
    skipped = Counter()
    assert [one.id for one in task.read(path, True, skipped)] == ["a"]
    assert skipped[task.UNANSWERABLE] == 1
    # All of them without: a file of the judge, given by mistake.
    path = write(tmp_path / "test.json", document(paragraph(item, item)))
    assert [one.answers for one in task.read(path)] == [None]
    refused(lambda: task.read(path, labelled=True), f"{path}: none of its 1 questions has an answer", "judge")


@pytest.mark.parametrize("labels", [5, [5], [["青"]], [{"answer_start": 3}], [answer(7)], [answer("青", "3")]])
@pytest.mark.parametrize("key", ["answers", "answer"])
def test_labels_are_not_looked_at_where_none_are_wanted(tmp_path, labels, key):
    path = write(tmp_path / "test.json", document(paragraph({"id": "a", "question": "?", key: labels})))
    assert task.read(path, labelled=False) == [task.Example("a", "?", RIVER, None, 0)]
    for labelled in (True, None):
        refused(lambda: task.read(path, labelled=labelled), f"{path}:1: data[0].paragraphs[0].qas[0]")


@pytest.mark.parametrize("labels", ["640公里", ["640公里"], {"text": "640公里"}, [{"text": "640公里"}]], ids=str)
@pytest.mark.parametrize("key", ["answers", "answer"])
def test_what_has_one_meaning_is_read(tmp_path, labels, key):
    item = {"id": 7, "question": "青河多长", key: labels, "is_impossible": False}
    path, skipped = write(tmp_path / "train.json", document(paragraph(item))), Counter()
    assert task.read(path, True, skipped) == [example("7")]
    assert skipped == ({task.SINGULAR: 1} if key == "answer" else {})


#: A second question (or paragraph) with a mistake, the key of which the line is told (None: of the whole), and words of
#: the message.
MISTAKES = {
    "no id": (without(question("b"), "id"), None, ['"id" is missing']),
    "the id is a fraction": (question(0.5), "id", ['"id" is a number', "a string or a whole number"]),
    "the id is null": (question(None), "id", ['"id" is null']),
    "no question": (without(question("b"), "question"), None, ['"question" is missing']),
    "the question is a list": (question("b", ["?"]), "question", ['"question" is a list']),
    "a question is a string": ("多长", None, ["a string - it must be an object"]),
    "an answer is null": (question("b") | {"answers": [answer(None)]}, "text", ['answers[0]: "text" is null']),
    "the start is a string": (
        question("b") | {"answers": [answer("青", "0")]},
        "answer_start",
        ['"answer_start" is a string'],
    ),
    "the start is true": (question("b") | {"answers": [answer("青", True)]}, "answer_start", ["true or false"]),
    "the answer is a number": (question("b") | {"answers": [answer(640)]}, "text", ['"text" is a whole number']),
    "an id for two questions": (question("a", "白山在哪"), None, ['the id "a"', "(", "qas[0]) - give"]),
}


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize(("item", "key", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path, item, key, words, indent):
    path = write(tmp_path / "train.json", document(paragraph(question("a"), item)), indent)
    # The same document with a mark in the place of the second question, to see where that begins.
    line = last_line(write(tmp_path / "marked.json", document(paragraph(question("a"), "MARK")), indent), "MARK")
    if key:
        line = last_line(path, f'"{key}"')
    refused(lambda: task.read(path), f"{path}:{line}: data[0].paragraphs[0].qas[1]", *words)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", [": there is nothing in it"]),
        ({"data": []}, [": there is nothing in it"]),
        ({"data": [{"paragraphs": []}]}, [": there is nothing in it"]),
        (document(paragraph()), [": there is nothing in it"]),
        ("{", [":1: not JSON"]),
        ('{"data":\n [}', [":2: not JSON"]),
        ('{"context": "一"}\n{"context": "二"}', [":2: not JSON", "Extra data"]),
        ("[]", [":1: a list - it must be an object"]),
        ({"version": 1}, [':1: "data" is missing']),
        ({"data": {}}, [':1: "data" is an object - it must be a list']),
        ({"data": [5]}, [":1: data[0]: a whole number"]),
        ({"data": [{"title": ""}]}, [':1: data[0]: "paragraphs" is missing']),
        ({"data": [{"paragraphs": ["x"]}]}, [":1: data[0].paragraphs[0]: a string"]),
        (document(without(paragraph(), "context")), [':1: data[0].paragraphs[0]: "context" is missing']),
        (document(paragraph(context=["x"])), [':1: data[0].paragraphs[0]: "context" is a list']),
        (document(without(paragraph(), "qas")), [':1: data[0].paragraphs[0]: "qas" is missing']),
        ("[" * 100_000, [":1: ", "too deep"]),
    ],
)
@pytest.mark.parametrize("labelled", [True, False, None])
def test_what_is_no_such_document_is_refused(tmp_path, value, words, labelled):
    path = write(tmp_path / "train.json", value)
    refused(lambda: task.read(path, labelled), str(path), *words)


def test_the_same_question_twice(tmp_path):
    path = write(
        tmp_path / "test.json",
        document(
            paragraph(question("a"), question("b", "大坝")),
            paragraph(question("a", answers=["长640公里"])),
            paragraph(question("a")),
        ),
    )
    for labelled in (None, False):
        skipped = Counter()
        assert [one.id for one in task.read(path, labelled, skipped)] == ["a", "b"]
        assert skipped == {task.REPEATED_QUESTION: 2}
    skipped = Counter()
    examples = task.read(path, True, skipped)
    assert [(one.id, one.answers[0].text) for one in examples] == [
        ("a", "640公里"),
        ("b", "640公里"),
        ("a", "长640公里"),
        ("a", "640公里"),
    ]
    assert not skipped
    for other in (paragraph(question("a"), context="白山"), paragraph(question("a", "多长"))):
        other = write(tmp_path / "other.json", document(paragraph(question("a")), other), indent=1)
        for labelled in (True, False, None):
            line = last_line(other, '"id"') - 1
            refused(
                lambda: task.read(other, labelled),
                f"{other}:{line}: data[0].paragraphs[1].qas[0]",
                f"({other}:9: data[0].paragraphs[0].qas[0])",
            )


# As JSON gives them: a half of a surrogate pair, but never two halves that are one character.
CHARACTERS = strategies.characters(exclude_categories=["Cs"]) | strategies.characters(
    min_codepoint=0xDC00, max_codepoint=0xDFFF, categories=["Cs"]
)
STRINGS = strategies.text(CHARACTERS, max_size=12)
LABELLED = strategies.builds(
    task.Example,
    id=strategies.uuids().map(str),
    question=STRINGS,
    context=STRINGS,
    answers=strategies.lists(
        strategies.builds(task.Answer, STRINGS.filter(str.strip), strategies.integers(-1, 9)), min_size=1, max_size=2
    ).map(tuple),
    article=strategies.just(0),
)


@settings(max_examples=50)
@given(strategies.lists(LABELLED, min_size=1, max_size=4, unique_by=lambda one: one.id))
def test_written_questions_come_back(tmp_path_factory, examples):
    path = tmp_path_factory.mktemp("questions") / "a.json"
    task.write_questions(path, examples)
    assert task.read(path, labelled=True) == examples


# The submission


def test_a_submission_has_an_answer_on_each_line(tmp_path):
    task.write_submission(tmp_path / "deep/a.json", {"b": "640公里", "甲": '"\n', "c": ""})
    assert (tmp_path / "deep/a.json").read_text("utf-8") == '{\n"b": "640公里",\n"甲": "\\"\\n",\n"c": ""\n}\n'
    task.write_submission(tmp_path / "deep/a.json", {})
    assert json.loads((tmp_path / "deep/a.json").read_bytes()) == {}
    assert os.listdir(tmp_path / "deep") == ["a.json"]


@pytest.mark.parametrize("name", ["a.ZIP", "a.json.gz"])
def test_a_submission_is_no_archive(tmp_path, name):
    refused(lambda: task.write_submission(tmp_path / name, {}), name, ".json")
    assert os.listdir(tmp_path) == []


@strategies.composite
def answered(draw):
    """Examples, and for each a piece of its context."""
    names = draw(strategies.lists(STRINGS, unique=True, min_size=1, max_size=4))
    examples, answers = [], {}
    for name in names:
        context = draw(STRINGS)
        start = draw(strategies.integers(0, max(0, len(context) - 1)))
        piece = context[start : draw(strategies.integers(start + 1, max(start + 1, len(context))))]
        examples.append(task.Example(name, draw(STRINGS), context, None, 0))
        answers[name] = piece
    return examples, answers


@settings(max_examples=80)
@given(answered())
def test_a_written_submission_is_valid_and_reads_as_what_it_was(tmp_path_factory, case):
    examples, answers = case
    path = tmp_path_factory.mktemp("submission") / "a.json"
    task.write_submission(path, answers)
    assert task.check_submission(path, examples) == len(examples)
    again = task.read_submission(path)
    assert again == answers and list(again) == list(answers)
    paragraphs = [{"context": one.context, "qas": [{"id": one.id, "question": one.question}]} for one in examples]
    (path.parent / "test.json").write_text(json.dumps(document(*paragraphs)), "ascii")
    assert task.read(path.parent / "test.json") == examples


ASKED = [example("a"), example("b", "大坝", context="大坝建于1987年，NBA"), example("c", context=" \n")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": "640公里",\n"b": "1987年",\n"c": "",\n"d": "x"}', [":4: d: ", "3 questions"]),
        ('{"a": "640公里",\n"b": "1987年"}', [": answers 2 of 3"]),
        ("{}", [": answers 0 of 3"]),
        ('{"a": "640公里",\n"c": "",\n"b": "1987年"}', [":2: c: ", 'the answer to "b"', "in order"]),
        ('{"a": "640公里",\n"b": "1987年",\n"c": "",\n"a": "640公里"}', [":4: a: ", "twice"]),
        ('{"a": "640公里",\n"b": "640公里",\n"c": ""}', [":2: b: ", '"640公里" is not in the context']),
        ('{"a": "640公里",\n"b": "nba",\n"c": ""}', [":2: b: ", "not in the context"]),
        ('{"a": "640公里",\n"b": "1987 年",\n"c": ""}', [":2: b: ", "not in the context"]),
        ('{"a": "640公里",\n"b": 1987,\n"c": ""}', [':2: "b" is a whole number']),
        ('{"a": "640公里",\n"b": null,\n"c": ""}', [':2: "b" is null']),
        ('{"a": ["640公里"]}', [':1: "a" is a list']),
        ('{"a": "640公里",\n"b": "1987年"', [":2: not JSON"]),
        ('["640公里", "1987年", ""]', [":1: a list", "an object"]),
        ('{"a": "640公里"}\n{"b": "1987年"}', [":2: not JSON"]),
        ('{"a":\n' + "[" * 100_000 + "]" * 100_000 + "}", [":2: JSON nested too deep"]),
    ],
)
def test_a_bad_submission_is_refused(tmp_path, text, words):
    path = write(tmp_path / "predictions.json", text)
    refused(lambda: task.check_submission(path, ASKED), str(path), *words)


def test_a_good_submission_passes(tmp_path):
    path = write(tmp_path / "predictions.json", '\ufeff{"a": "640公里", "b": "NBA", "c": ""}')
    assert task.check_submission(path, ASKED) == 3
    assert task.check_submission(write(path, '{"a": "长640公里，", "b": "年", "c": " "}'), ASKED) == 3
    assert task.check_submission(write(path, '{"a": "640公里"}'), [ASKED[0], ASKED[0]]) == 1
    # One that could not be given costs no other.
    assert task.check_submission(write(path, '{"a": "640公里", "b": "", "c": ""}'), ASKED) == 3


def test_an_answer_by_itself():
    for one, text in ((ASKED[0], "640公里"), (ASKED[2], ""), (ASKED[2], " ")):
        task.check_answer(text, one)
    refused(lambda: task.check_answer("", ASKED[1]), '"b" is empty')
    refused(lambda: task.check_answer("nba" * 100, ASKED[1]), 'is not in the context of "b"')


def test_a_submission_is_read_as_the_organisers_read_it(tmp_path):
    repeated = Counter()
    path = write(tmp_path / "predictions.json", '{"z": "没有的",\n"a": "一", "a": "二", "b": "", "a": "三"}')
    assert task.read_submission(path, repeated) == {"z": "没有的", "a": "三", "b": ""}
    assert repeated == {"a": 2}
    refused(
        lambda: task.read_submission(write(path, '{"a": "一",\n"b": 5}')),
        f'{path}:2: "b" is a whole number - it must be a string',
    )


# The official metric, rule by rule


@pytest.mark.parametrize("character", ":_`，。：？！()“”；’《》·、,「」（）－～『』|")
def test_this_is_deleted(character):
    assert metric.normalise(f"{character}青{character}{character}河{character}") == "青河"


@pytest.mark.parametrize("character", " \u3000\t\n‘.-/%\"'?!;[]{}<>+*#@&$…—【】〈〉＂．％﹑×\u200b\0")
def test_this_is_not_deleted(character):
    assert metric.normalise(f"青{character}河") == f"青{character}河"


def test_letters_become_small():
    assert metric.normalise("NBA Ｂ ÀΣ") == "nba ｂ àς"
    assert metric.normalise("İ") == "i\u0307"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("青河", ["青", "河"]),
        ("640公里", ["640", "公", "里"]),
        ("iphone 6s", ["iphone 6s"]),
        ("2019年 9月", ["2019", "年", " 9", "月"]),
        ("1988.", ["1988."]),
        ("a=b", ["a", "=", "b"]),
        ("==", ["=", "="]),
        ("6-12周 ", ["6-12", "周", " "]),
        ("かな漢ｶﾅ", ["かな", "漢", "ｶﾅ"]),
        ("한국", ["한국"]),
        ("a\n\tb", ["a\n\tb"]),
        ("\ud83d青", ["\ud83d", "青"]),
        # the first and last character of each block, and their neighbours
        *[
            (chr(first) + chr(last), [chr(first), chr(last)])
            for first, last in (
                (0x4E00, 0x9FFF),
                (0x3400, 0x4DBF),
                (0x20000, 0x2A6DF),
                (0x2A700, 0x2B73F),
                (0x2B740, 0x2B81F),
                (0x2B820, 0x2CEAF),
                (0xF900, 0xFAFF),
                (0x2F800, 0x2FA1F),
            )
        ],
        ("\u33ff\u4dc0\u4dff\ua000\uf8ff\ufb00", ["\u33ff\u4dc0\u4dff\ua000\uf8ff\ufb00"]),
        (
            "\U0001ffff\U0002a6e0\U0002a6ff\U0002ceb0\U0002f7ff\U0002fa20",
            ["\U0001ffff\U0002a6e0\U0002a6ff\U0002ceb0\U0002f7ff\U0002fa20"],
        ),
    ],
)
def test_tokens(text, expected):
    assert metric.tokens(text) == expected


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("青河", "青河", 1),
        ("青河", "白山", 0),
        ("", "青河", 0),
        ("青河", "", 0),
        ("", "", 0),
        ("。", "。", 0),
        # Oddities of the organisers' evaluate.py
        ("6-12", "6-12周", 2 / 3),
        ("2019年9月", "2019年 9月", 1 / 2),
        ("1988.", "1988", 0),
        ("北京和上海", "北京上海", 4 / 9),
        ("iphone 6s", "iphone6s", 0),
        ("‘好’", "好", 2 / 3),
        # a contiguous run, not a subsequence, and wherever it stands
        ("甲乙丙", "甲丁丙", 1 / 3),
        ("甲乙丙丁", "戊丙丁甲乙丙己", 6 / 11),
        ("甲甲甲", "甲甲", 4 / 5),
        # after normalisation
        ("《青河》", "青河", 1),
        ("青，河", "青河", 1),
        ("NBA", "nba", 1),
        # a run is one token, however long, and ideographs are one each
        ("13800000000", "13800000001", 0),
        ("640 公里", "640公里", 2 * (2 / 3) ** 2 / (4 / 3)),
        ("a=b", "b=a", 1 / 3),
    ],
)
def test_f1_rule(prediction, reference, expected):
    assert metric.answer_f1(prediction, reference) == pytest.approx(expected, abs=1e-12)


def test_the_best_reference_counts_for_f1_and_any_for_em():
    (one,) = metric.compare([example(answers=["长640公里", "640公里"])], {"a": "640公里。"})
    assert (one.f1, one.em, one.closest.text, one.skipped) == (1.0, 1.0, "640公里", False)
    (one,) = metric.compare([example(answers=["1987", "长640公里"])], {"a": "640公里"})
    assert (one.f1, one.em, one.closest.text) == (pytest.approx(6 / 7), 0.0, "长640公里")


@pytest.mark.parametrize(
    ("prediction", "reference", "em"),
    [
        ("NBA", "nba", 1),
        ("《青河》", "青河", 1),
        ("青河 ", "青河", 0),
        ("1988.", "1988", 0),
        ("‘好’", "好", 0),
        ('"好"', "好", 0),
        ("。", "，", 1),
        ("", "。", 1),
    ],
)
def test_em_rule(prediction, reference, em):
    """Equal normalised strings: two that are empty then are equal, although their F1 is 0."""
    (one,) = metric.compare([example(answers=[reference])], {"a": prediction})
    assert one.em == em


def test_a_missing_id_counts_0_and_as_skipped_and_another_id_nothing():
    gold = [example("a"), example("b"), example("c")]
    score = metric.total(metric.compare(gold, {"a": "640公里", "b": "", "z": "640公里"}))
    assert score.figures() == {"f1": 33.333, "em": 33.333, "total": 3, "skipped": 1}
    assert list(score.figures()) == ["f1", "em", "total", "skipped"]


def test_figures_are_percent_rounded_once_at_the_end_as_the_organisers_print_them():
    gold = [example(str(number)) for number in range(64)]
    score = metric.total(metric.compare(gold, {"0": "640公里"}))
    assert (score.f1, score.em) == (1.562, 1.562)  # of 1.5625 a print keeps the even digit
    score = metric.total(metric.compare(gold[:3], {"0": "640公里", "1": "640公里"}))
    assert score.em == 66.667
    score = metric.total(metric.compare([example(answers=["6-12周"])] * 3, {"a": "6-12"}))
    assert (score.f1, score.em) == (66.667, 0.0)


def test_no_questions_and_nothing_predicted_give_0():
    assert metric.total([]).figures() == {"f1": 0.0, "em": 0.0, "total": 0, "skipped": 0}
    assert metric.total(metric.compare([example()], {})).figures() == {"f1": 0.0, "em": 0.0, "total": 1, "skipped": 1}


def test_a_question_that_stands_twice_counts_twice():
    assert metric.total(metric.compare([example("a"), example("a"), example("b")], {"a": "640公里"})).em == 66.667


def test_the_organisers_score_the_first_article_only():
    comparisons = metric.compare([example("a"), example("b", article=1), example("c")], {"a": "640公里"})
    assert [one.example.id for one in metric.official(comparisons)] == ["a", "c"]
    everything = {"f1_all": 33.333, "em_all": 33.333, "total_all": 3, "skipped_all": 2}
    first = {"f1": 50.0, "em": 50.0, "total": 2, "skipped": 1}
    assert list(metric.figures(comparisons).items()) == [*first.items(), *everything.items()]
    assert metric.figures(metric.official(comparisons)) == first


def test_what_has_no_labels_cannot_be_compared():
    with pytest.raises(ValueError, match='"a"'):
        metric.compare([task.Example("a", "?", RIVER, None, 0)], {"a": "青河"})


# The metric against itself and against a slow one

PIECES = strategies.sampled_from(["青", "河", "青河", "a", "B", "1", " ", "。", "=", "‘", "《"])
ANSWERS = strategies.lists(PIECES, max_size=7).map("".join)


def slow_tokens(text):
    """Character by character."""
    result, run = [], ""
    for character in text:
        if character in "青河=":
            result += [run] if run else []
            result.append(character)
            run = ""
        else:
            run += character
    return result + ([run] if run else [])


def slow_overlap(a, b):
    """Every piece of `a` is looked for in `b`."""
    pieces = [a[start:end] for start in range(len(a)) for end in range(start + 1, len(a) + 1)]
    return max(
        (len(piece) for piece in pieces if any(b[at : at + len(piece)] == piece for at in range(len(b)))), default=0
    )


def slow_f1(prediction, reference):
    a, b = (slow_tokens([c for c in text.lower() if c not in "。《"]) for text in (prediction, reference))
    shared = slow_overlap(a, b)
    if not shared:
        return 0.0
    precision, recall = shared / len(a), shared / len(b)
    return 2 * precision * recall / (precision + recall)


@settings(max_examples=300)
@given(strategies.lists(strategies.integers(0, 2), max_size=9), strategies.lists(strategies.integers(0, 2), max_size=9))
def test_the_overlap_equals_a_slow_one(a, b):
    assert metric.overlap(a, b) == metric.overlap(b, a) == slow_overlap(a, b)


@settings(max_examples=300)
@given(ANSWERS, ANSWERS)
def test_f1_equals_a_slow_one(a, b):
    assert metric.tokens(metric.normalise(a)) == slow_tokens([c for c in a.lower() if c not in "。《"])
    assert metric.answer_f1(a, b) == slow_f1(a, b)
    assert metric.answer_f1(b, a) == pytest.approx(metric.answer_f1(a, b), abs=1e-12)


@given(STRINGS, STRINGS)
def test_f1_lies_between_0_and_1_and_is_1_for_equal_strings(a, b):
    assert "".join(metric.tokens(a)) == a
    assert 0 <= metric.answer_f1(a, b) <= 1
    assert metric.answer_f1(a, a) == (1.0 if metric.normalise(a) else 0.0)
    assert (metric.answer_f1(a, b) == 1) == (metric.normalise(a) == metric.normalise(b) != "")


GOLD = strategies.lists(strategies.lists(ANSWERS, min_size=1, max_size=3), max_size=5).map(
    lambda answers: [example(str(number), answers=texts) for number, texts in enumerate(answers)]
)
PREDICTIONS = strategies.dictionaries(strategies.sampled_from("01234z"), ANSWERS)


@given(GOLD, PREDICTIONS)
def test_the_score_equals_a_slow_one(gold, predictions):
    f1 = em = skipped = 0
    for one in gold:
        if one.id not in predictions:
            skipped += 1
            continue
        f1 += max(slow_f1(predictions[one.id], wanted.text) for wanted in one.answers)
        em += any(metric.normalise(predictions[one.id]) == metric.normalise(wanted.text) for wanted in one.answers)
    count = len(gold)
    assert metric.total(metric.compare(gold, predictions)).figures() == {
        "f1": float("%.3f" % (100.0 * f1 / count)) if count else 0.0,
        "em": float("%.3f" % (100.0 * em / count)) if count else 0.0,
        "total": count,
        "skipped": skipped,
    }


# The kinds of errors

CONTEXT = "青河长640公里，白山高2800米，青河大坝长300米，1987年建成"


@pytest.mark.parametrize(
    ("answers", "predicted", "kind"),
    [
        (["640公里"], "640公里，", errors.EXACT),
        (["640公里"], "长640公里", errors.TOO_LONG),
        (["640公里"], "640", errors.TOO_SHORT),
        (["长640"], "640公里", errors.SHIFTED),
        (["640公里"], "青河长", errors.NO_OVERLAP),
        (["640公里"], "，白山", errors.NO_OVERLAP),
        (["2800米"], "300米", errors.ELSEWHERE),
        (["640公里"], "300米", errors.NO_OVERLAP),
        (["640公里"], "640里", errors.NOT_IN_CONTEXT),
        (["640公里"], "", errors.NOT_ANSWERED),
        (["640公里"], " ", errors.NOT_ANSWERED),
        (["640公里"], None, errors.NOT_ANSWERED),
        # against the closest of several, and any occurrence of it
        (["1987", "长640公里"], "长640", errors.TOO_SHORT),
        (["大坝长300米"], "青河大坝", errors.SHIFTED),
        (["青河大坝"], "青河", errors.TOO_SHORT),
        # 0 by the metric, for a number is one token, but the boundary is to blame
        (["2800米"], "800", errors.TOO_SHORT),
        # an answer that is not in the context
        (["六百四十公里"], "640公里", errors.ELSEWHERE),
        (["很长"], "640", errors.NO_OVERLAP),
    ],
)
def test_kind_of_answer(answers, predicted, kind):
    (one,) = metric.compare([example(answers=answers, context=CONTEXT)], {} if predicted is None else {"a": predicted})
    assert errors.kind_of(one) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("青河是谁发现的", "who"),
        ("大坝由什么人修建", "who"),
        ("哪些人群喜欢青河", "which"),
        ("大坝什么时候建成", "when"),
        ("大坝哪一年建成", "when"),
        ("哪年几月几号", "when"),
        ("白山开放时间", "when"),
        ("大坝建成日期", "when"),
        ("青河有多长", "number"),
        ("建大坝用了多长时间", "number"),
        ("大坝建了几年", "number"),
        ("门票多少钱", "number"),
        ("白山住几个月", "number"),
        ("青河在哪里", "where"),
        ("青河在哪个国家", "where"),
        ("白山是什么地方", "where"),
        ("坐船和坐车哪个省钱", "which"),
        ("白山哪家旅馆好", "which"),
        ("为什么叫青河", "how, why"),
        ("怎么去白山", "how, why"),
        ("如何去白山", "how, why"),
        ("青河因为什么出名", "what"),
        ("青河是什么", "what"),
        ("青河长度", errors.NO_QUESTION_WORD),
        ("", errors.NO_QUESTION_WORD),
    ],
)
def test_question_type(text, kind):
    assert errors.question_type(text) == kind


def test_length_of_the_shortest_answer():
    for size, name in (
        (1, "1-4"),
        (4, "1-4"),
        (5, "5-8"),
        (8, "5-8"),
        (9, "9-16"),
        (16, "9-16"),
        (17, "17+"),
        (99, "17+"),
    ):
        (one,) = metric.compare([example(answers=["长" * (size + 3), " ", "长" * size])], {})
        assert errors.answer_length(one) == name


@given(GOLD, PREDICTIONS)
def test_every_question_is_in_one_group_of_each_table(gold, predictions):
    comparisons = [
        one for one in metric.compare(gold, predictions) if any(answer.text.strip() for answer in one.example.answers)
    ]
    for group_of, order in errors.TABLES.values():
        grouped = [one for group in errors.grouped(comparisons, group_of, order).values() for one in group]
        assert sorted(map(id, grouped)) == sorted(map(id, comparisons))
    shown = errors.worst(comparisons, 3)
    assert len(shown) <= 3 and [one.f1 for one in shown] == sorted(one.f1 for one in shown)
    for one in comparisons:
        assert errors.describe(one).count("\n") == 3
        assert not (one in shown and one.em)


def test_tables_are_ordered():
    texts = ["谁", "谁", "几", "哪", "哪", "哪"]
    gold = [example(str(number), text, ["长" * (20 - number)]) for number, text in enumerate(texts)]
    comparisons = metric.compare(gold, {"0": "长" * 20})
    kinds, types, lengths = (list(errors.grouped(comparisons, *table)) for table in errors.TABLES.values())
    assert types == ["which", "who", "number"]
    assert lengths == ["9-16", "17+"]
    assert kinds == [errors.EXACT, errors.NOT_ANSWERED]


def test_an_answer_is_shown_in_its_surroundings():
    first = task.Example("a", "大坝\n多长", CONTEXT, (task.Answer("300米", 21), task.Answer("长300米", -1)), 0)
    (one,) = metric.compare([first], {"a": "白山"})
    assert errors.describe(one) == (
        "f1 0.000  no overlap\n"
        "  question   大坝 多长\n"
        "  gold       …高2800米，青河大坝长【300米】，1987年建成   (or 长300米)\n"
        "  predicted  青河长640公里，【白山】高2800米，青河大坝长…"
    )
    (one,) = metric.compare([example(context="青\x1b[2J河" * 9)], {"a": "\x1b[2J" * 9_000})
    assert max(map(len, errors.describe(one).split("\n"))) < 4_000 and "\x1b" not in errors.describe(one)
    (one,) = metric.compare([example(answers=["不在"], context="青河青河")], {"a": "也不在"})
    assert "  gold       【不在】\n  predicted  【也不在】" in errors.describe(one)
    assert errors._in_context("青河", "青河青河", 2) == "青河【青河】"
    assert errors._in_context("青河", "青河青河", 1) == "【青河】青河"


# evaluate.py


@pytest.fixture
def files(tmp_path):
    """Gold and predictions: of 4 questions 2 are answered exactly, one by half, one not at all."""
    gold = document(
        paragraph(
            question("a"),
            question("b", "大坝什么时候建成", ["1987年建成大坝", "1987年"]),
            question("c", "青河发源地", ["发源于白山"]),
        ),
        paragraph(question("d", "白山是谁的", ["白山"]), context="白山"),
    )
    predictions = {"a": "640公里，", "b": "1987年", "c": "白山"}
    return write(tmp_path / "gold.json", gold), write(tmp_path / "predictions.json", predictions)


FIGURES = {"f1": 64.286, "em": 50.0, "total": 4, "skipped": 1}


def test_evaluate_prints_one_json_object_and_nothing_else(files, capsys):
    figures, err = json_figures(capsys, FOLDER, *files)
    assert list(figures.items()) == list(FIGURES.items()) and err.count("\n") == 1


def test_evaluate_prints_counts_tables_and_the_worst_answers(files, capsys):
    with not_importing(*HEAVY):
        assert evaluate(FOLDER, *files) == FIGURES
    check_report(
        capsys.readouterr().out,
        "f1 64.286 over 4 questions",
        "em 50.000 2 answers equal an accepted one",
        "skipped 1 without an answer",
        "exact 2 50.0% 100.000 100.000",
        "boundary: too short 1 25.0% 57.143 0.000",
        "not answered 1 25.0% 0.000 0.000",
        "question type questions share f1 em",
        "no question word 1 25.0% 57.143 0.000",
        "when 1 25.0% 100.000 100.000",
        "who 1 25.0% 0.000 0.000",
        "1-4 1 25.0% 0.000 0.000",
        "5-8 3 75.0% 85.714 66.667",
        "worst answers (1)",
        "f1 0.571 boundary: too short",
        "question 青河发源地",
        "gold 青河长640公里，【发源于白山】，1987年建成大坝。",
        "predicted 青河长640公里，发源于【白山】，1987年建成大坝。",
    )


@pytest.mark.parametrize(
    ("predictions", "warnings"),
    [
        ('{"a": "640公里", "b": "x", "c": "x", "d": "x"}', []),
        ("{}", ["NOTHING IS PREDICTED for the 4 questions", "4 of 4 questions have no answer"]),
        ('{"a": "", "b": " ", "c": "", "d": ""}', ["NOTHING IS PREDICTED"]),
        ('{"a": "x", "b": "x", "c": "x", "d": "x", "e": "x"}', ["1 of 5 predicted ids are not in gold"]),
        ('{"a": "x", "b": "x", "c": "x"}', ["1 of 4 questions have no answer"]),
        (
            '{"a": "x", "b": "x", "a": "x", "c": "x", "a": "x", "d": "x"}',
            ["1 ids stand several times in the predictions"],
        ),
    ],
)
def test_evaluate_warns_of_doubtful_figures(files, tmp_path, predictions, warnings, capsys):
    _, err = json_figures(capsys, FOLDER, files[0], write(tmp_path / "doubtful.json", predictions))
    check_warnings(err, warnings)


def test_evaluate_warns_of_what_gold_has_twice_and_of_articles_that_do_not_count(tmp_path, capsys):
    gold = document(paragraph(question("a"), question("a")))
    gold["data"].append({"paragraphs": [paragraph(question("b"), question("c"))]})
    path = write(tmp_path / "gold.json", gold)
    predictions = write(tmp_path / "predictions.json", {"a": "长640公里", "b": "640公里"})
    figures, err = json_figures(capsys, FOLDER, path, predictions)
    assert figures == {
        **{"f1": 85.714, "em": 0.0, "total": 2, "skipped": 0},
        **{"f1_all": 67.857, "em_all": 25.0, "total_all": 4, "skipped_all": 1},
    }
    assert err.splitlines() == [
        "WARNING: 1 questions of gold stand there twice, and count twice",
        "WARNING: the organisers score the first article of gold only, 2 of 4 questions; over all: f1 67.857, em 25.000, 1 skipped",
    ]


def test_evaluate_leaves_out_what_has_no_answer_and_says_so(tmp_path, capsys):
    gold = document(paragraph(question("a"), question("b", answers=[]), question("c", answers=[""])))
    path = write(tmp_path / "gold.json", gold)
    predictions = write(tmp_path / "predictions.json", {"a": "640公里", "b": "白山", "c": "白山"})
    figures, err = json_figures(capsys, FOLDER, path, predictions)
    assert figures == {"f1": 100.0, "em": 100.0, "total": 1, "skipped": 0}
    check_warnings(err, ["2 questions of gold have no answer, and are left out"])
    evaluate(FOLDER, path, predictions)
    assert f"{path}: 2 x question without an answer\n" in capsys.readouterr().out


def piped(content):
    """What a shell gives for `<(cat file)`."""
    reading, writing = os.pipe()
    os.write(writing, content.encode())
    os.close(writing)
    return Path(f"/dev/fd/{reading}")


def test_gold_and_predictions_are_read_once():
    gold, predictions = document(paragraph(question("a"))), {"a": "640公里"}
    assert evaluate(FOLDER, piped(json.dumps(gold)), piped(json.dumps(predictions)))["em"] == 100


def test_evaluate_refuses_predictions_without_end(files):
    gold, predictions = files
    predictions.write_text("{" + " " * 1_100_000 + "}", "utf-8")
    assert evaluate(FOLDER, gold, predictions)["skipped"] == 4
    refused(lambda: evaluate(FOLDER, gold, predictions, "--max-megabytes", 1), "predictions.json", "--max-megabytes")


@pytest.mark.parametrize(
    ("gold", "predictions", "words"),
    [
        ("{\n", "{}", ["gold.json:2:", "not JSON"]),
        (
            document(paragraph({"id": "a", "question": "?"})),
            "{}",
            ["gold.json: none of its 1 questions has an answer"],
        ),
        (document(paragraph(question("a"))), '{"a":\n 5}', ["predictions.json:2:", "a whole number"]),
        (document(paragraph(question("a"))), None, ["predictions.json", "no such file"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(tmp_path, gold, predictions, words):
    write(tmp_path / "gold.json", gold)
    if predictions:
        write(tmp_path / "predictions.json", predictions)
    evaluation_refused(FOLDER, tmp_path / "gold.json", tmp_path / "predictions.json", *words)


# Real files, where they are


@needs(DATA)
def test_real_files_are_read_and_written(tmp_path):
    files = task.find_files(DATA)
    assert len(task.read(files.train, labelled=True)) == 11338
    examples = task.read(files.dev, labelled=True)
    assert len(examples) == 417 and {one.answers[0].start for one in examples} == {-1}
    answers = {one.id: one.answers[-1].text for one in examples}
    task.write_submission(tmp_path / "gold.json", answers)
    assert task.check_submission(tmp_path / "gold.json", examples) == len(examples)
    score = metric.total(metric.compare(examples, task.read_submission(tmp_path / "gold.json")))
    assert score.figures() == {"f1": 100.0, "em": 100.0, "total": 417, "skipped": 0}
