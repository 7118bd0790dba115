"""Files, submission and official metric of WebQA. Every sentence here is invented."""

import gzip
import json
import os
import string
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from common.submission import BLANK_LINE

import competition
from contests import without
from helpers import (
    HEAVY,
    check_report,
    check_warnings,
    evaluate,
    evaluation_refused,
    json_figures,
    json_lines,
    needs,
    not_importing,
    refused,
    write,
    write_lines,
)

FOLDER = "webqa_dgcnn"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
report = competition.load(FOLDER, "evaluate")
Kind = report.Kind

GOLDEN = competition.SHARED / "golden" / FOLDER
DATA = competition.SHARED / "data" / FOLDER

RIVER = "青河长640公里，发源于白山。"
DAM = "青河大坝1987年建成，长300米。"


def question(name="a", text="青河多长", passages=((RIVER, "640公里"), (DAM, "")), **other):
    return {
        "id": name,
        "question": text,
        "passages": [{"passage": one, "answer": answer} for one, answer in passages],
    } | other


def unlabelled(item):
    return item | {"passages": [{"passage": one["passage"]} for one in item["passages"]]}


def json_list(items):
    return (
        "[\n"
        + ",\n".join(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items)
        + "\n]\n"
    )


def gold(standard="640公里", *accepted, name="a"):
    return task.Gold(name, standard, (standard, *accepted))


def example(name="a", passages=(RIVER, DAM), answers=("640公里",), text="青河多长"):
    return task.Example(name, text, tuple(task.Passage(one, "") for one in passages), answers, 1)


# Reading


@pytest.mark.parametrize(("form", "first"), [(json_list, 2), (json_lines, 1)], ids=["list", "lines"])
def test_examples_keep_what_the_file_says(tmp_path, form, first):
    path = write(
        tmp_path / "train.json",
        form([question(), question("b", "大坝", [(DAM, "1987年"), (DAM, "300"), (DAM, "300")], url=1)]),
    )
    passages = (task.Passage(DAM, "1987年"), task.Passage(DAM, "300"), task.Passage(DAM, "300"))
    assert (
        task.read(path)
        == task.read(path, labelled=True)
        == [
            task.Example("a", "青河多长", (task.Passage(RIVER, "640公里"), task.Passage(DAM, "")), ("640公里",), first),
            task.Example("b", "大坝", passages, ("300", "1987年"), first + 1),
        ]
    )
    assert [one.answers for one in task.read(path, labelled=False)] == [None, None]
    assert task.read(path, labelled=False)[0].passages == (task.Passage(RIVER, ""), task.Passage(DAM, ""))


def test_a_list_may_be_spread_over_lines_or_stand_on_one(tmp_path):
    items = [question(), question("b")]
    path = write(tmp_path / "train.json", "\ufeff\n " + json.dumps(items, indent=2))
    assert [one.line for one in task.read(path)] == [3, 17]
    assert [one.line for one in task.read(write(path, items))] == [1, 1]


@pytest.mark.parametrize("content", ["", "\n\n", "[]", " [\n]\n"])
@pytest.mark.parametrize("reader", [task.read, task.read_gold, task.read_submission])
def test_a_file_with_nothing_in_it_is_refused(tmp_path, content, reader):
    path = write(tmp_path / "train.json", content)
    if content.strip() and reader is task.read_submission:
        refused(lambda: reader(path), f"{path}:1: 1 columns")
    else:
        refused(lambda: reader(path), f"{path}: there is nothing in it")


def test_blank_lines_are_counted(tmp_path):
    skipped = Counter()
    path = write_lines(tmp_path / "train.json", [question(), "", question("b"), " \t"])
    assert [one.line for one in task.read(path, None, skipped)] == [1, 3]
    assert skipped == {BLANK_LINE: 2}


ACCEPTED = {
    "the most frequent first": (
        question(passages=[("甲", "甲"), ("乙", "乙"), ("乙丙", "乙"), ("", "")]),
        ("乙", "甲"),
    ),
    "equally frequent ones in their order": (question(passages=[("乙", "乙"), ("甲", "甲")]), ("乙", "甲")),
    "those of the question, the standard first": (
        question(answers=["长640公里", "", "640", "640", " "]),
        ("长640公里", "640"),
    ),
    "one of the question": (question(answer="640"), ("640",)),
    "both": (question(answers=["640公里", "640"], answer="640"), ("640", "640公里")),
    "nothing of use in the question": (question(answers=[" "], answer=""), ("640公里",)),
    "null in the question": (question(answers=None, answer=None), ("640公里",)),
    "no answer at all": (question(passages=[(RIVER, ""), (DAM, " \t")]), ()),
}


@pytest.mark.parametrize(("item", "answers"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_answers(tmp_path, item, answers):
    path = write(tmp_path / "train.json", [item])
    for labelled in (True, None):
        (one,) = task.read(path, labelled)
        assert one.answers == answers
    assert task.read(path, labelled=False)[0].answers is None


def test_the_judges_files_have_no_answers(tmp_path):
    path = write(tmp_path / "test.json", json_list([question(), unlabelled(question("b")), question("c", passages=[])]))
    assert [one.answers for one in task.read(path)] == [("640公里",), None, None]
    refused(lambda: task.read(path, labelled=True), f"{path}:3: [1].passages[0]", '"answer" is missing')
    # A question without passages has no label that could be missing.
    assert task.read(write(path, [question(passages=[])]), labelled=True)[0].answers == ()
    # Answers of the question are labels too, where none are demanded of passages.
    assert task.read(write(path, [unlabelled(question(answers=["640"]))]))[0].answers == ("640",)


WRONG_LABELS = {
    "null": ({"passages": [{"passage": RIVER, "answer": None}]}, [True]),
    "a number": ({"passages": [{"passage": RIVER, "answer": 640}]}, [True, None]),
    "a list": ({"passages": [{"passage": RIVER, "answer": ["640"]}]}, [True, None]),
    "a string for a list": ({"answers": "640"}, [True, None]),
    "a number in the list": ({"answers": ["640", 640]}, [True, None]),
    "a list for a string": ({"answer": ["640"]}, [True, None]),
}


@pytest.mark.parametrize(("changes", "refusing"), WRONG_LABELS.values(), ids=WRONG_LABELS)
def test_labels_are_not_looked_at_where_none_are_wanted(tmp_path, changes, refusing):
    path = write(tmp_path / "test.json", json_list([question("b"), question() | changes]))
    for labelled in (True, None, False):
        if labelled in refusing:
            refused(lambda: task.read(path, labelled), f"{path}:3: [1]", " must be ")
        else:
            assert task.read(path, labelled)[1].answers is None


def test_what_a_line_cannot_hold_is_a_blank(tmp_path):
    item = question(
        text="青\t河", passages=[("一\t二\r\n三\ud83d四\u2028五\x85六", "二\r\n三"), ("\ud83d\ude00", "\ud83d\ude00")]
    )
    path = tmp_path / "train.json"
    path.write_text(json.dumps([item | {"answers": ["二\n三", "\t"]}]), "ascii")
    (one,) = task.read(path)
    assert one.passages == (task.Passage("一 二  三 四\u2028五\x85六", "二  三"), task.Passage("😀", "😀"))
    assert one.answers == ("二 三",) and one.question == "青\t河"


def test_ids_may_be_whole_numbers(tmp_path):
    path = write(tmp_path / "train.json", [question(10000)])
    assert task.read(path)[0].id == "10000"
    refused(
        lambda: task.read(write(path, json_list([question("7"), question(7)]))),
        f"{path}:3: [1].id",
        '"7" stands already in line 2',
    )


#: A second question with a mistake, and words of the message.
MISTAKES = {
    "no id": (without(question("b"), "id"), ['"id" is missing']),
    "the id is null": (question(None), ['"id" is null']),
    "the id is true": (question(True), ['"id" is true or false']),
    "the id is a fraction": (question(0.5), ['"id" is a number']),
    "the id is empty": (question(""), ["blank"]),
    "the id is blank": (question("\u3000"), ["blank"]),
    "the id has a tab": (question("b\tc"), ["a tab"]),
    "the id has a line end": (question("b\n"), ["a line end"]),
    "the id begins as a file may": (question("\ufeffb"), ["a byte order mark"]),
    "the id stands there twice": (question("a"), ['"a" stands already in line']),
    "no question": (without(question("b"), "question"), ['"question" is missing']),
    "the question is a list": (question("b", ["?"]), ['"question" is a list']),
    "no passages": (without(question("b"), "passages"), ['"passages" is missing']),
    "the passages are an object": (question("b") | {"passages": {}}, ['"passages" is an object']),
    "a passage is a string": (question("b") | {"passages": [RIVER]}, ["passages[0]: a string"]),
    "a passage without text": (question("b") | {"passages": [{"answer": ""}]}, ['passages[0]: "passage" is missing']),
    "the text is a number": (
        question("b") | {"passages": [{"passage": 5}]},
        ['passages[0]: "passage" is a whole number'],
    ),
    "a string": ('"b"', ["a string"]),
    "broken": ('{"id": "b', ["not JSON"]),
    "a list": ("[]", ["a list"]),
}


@pytest.mark.parametrize("labelled", [True, False, None])
@pytest.mark.parametrize(("item", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path, item, words, labelled):
    path = write(tmp_path / "train.json", json_list([question(), item, question("c")]))
    refused(lambda: task.read(path, labelled), f"{path}:3: ", " - ", *words)
    path = write_lines(tmp_path / "train.json", [question(), "", item, question("c")])
    refused(lambda: task.read(path, labelled), f"{path}:3: ", " - ", *words)


def test_a_mistake_inside_of_a_spread_question_is_named_with_its_own_line(tmp_path):
    item = question("b") | {"passages": [{"passage": RIVER, "answer": ""}, {"passage": 5, "answer": ""}]}
    path = write(tmp_path / "train.json", json.dumps([question(), item], indent=1))
    line = path.read_text("utf-8").split('"passage": 5')[0].count("\n") + 1
    refused(lambda: task.read(path), f'{path}:{line}: [1].passages[1]: "passage" is a whole number')


# The files of Baidu's WebQA: the original ones, and those with joined tokens


def tokens(text):
    return [text[:1], *text[1:].split("公"), ""] if text else []


def original(name="a", text="青河多长", evidences=((RIVER, ["640", "里"]), (DAM, ["no_answer"])), **other):
    return {
        "q_key": name,
        "question_tokens": tokens(text),
        "evidences": [
            {
                "e_key": f"{name}#{number:02}",
                "evidence_tokens": tokens(one),
                "golden_answers": [answer],
                "type": "positive",
            }
            for number, (one, answer) in enumerate(evidences)
        ],
    } | other


def joined(**questions):
    return {
        name: {
            "question": text,
            "evidences": {
                f"{name}#{number:02}": {"evidence": one, "answer": answers}
                for number, (one, answers) in enumerate(evidences)
            },
        }
        for name, (text, *evidences) in questions.items()
    }


def test_baidus_original_files_are_read(tmp_path):
    items = [
        original(),
        original(7, evidences=[(RIVER, ["白山"]), (DAM, ["白山"]), (RIVER, ["青", "河"])]),
        original("b"),
    ]
    items[0]["evidences"][0]["golden_answers"].append(["六百", "四十"])
    items[2]["evidences"][0]["golden_answers"] = [["NO_ANSWER"]]
    text = RIVER.replace("公", "")
    path = tmp_path / "validation.ir.json.gz"
    path.write_bytes(gzip.compress(json_lines(items).encode()))
    first, second, third = task.read_gold(path)
    assert (first.id, first.standard, first.accepted) == ("a", "640里", ("640里", "六百四十"))
    assert first.example.question == "青河多长"
    assert first.example.passages == (task.Passage(text, "640里"), task.Passage(DAM, ""))
    assert (second.id, second.accepted) == ("7", ("白山", "青河"))
    assert third.accepted == () and [one.answer for one in third.example.passages] == ["", ""]
    for item in items:
        for one in item["evidences"]:
            del one["golden_answers"]
    path = write_lines(tmp_path / "test.json", items)
    assert [one.answers for one in task.read(path, labelled=False)] == [one.answers for one in task.read(path)]
    refused(lambda: task.read(path, labelled=True), f'{path}:1: evidences[0]: "golden_answers" is missing')


def test_baidus_joined_files_are_read(tmp_path):
    questions = joined(
        Q_1=("青河多长", (RIVER, ["640公里", "640"]), (DAM, ["no_answer"])), Q_2=("大坝多长", (DAM, ["300米"]))
    )
    path = write(tmp_path / "me_train.json", questions)
    assert task.read(path, labelled=True) == [
        task.Example("Q_1", "青河多长", (task.Passage(RIVER, "640公里"), task.Passage(DAM, "")), ("640公里", "640"), 1),
        task.Example("Q_2", "大坝多长", (task.Passage(DAM, "300米"),), ("300米",), 1),
    ]
    assert [one.answers for one in task.read(path, labelled=False)] == [None, None]
    del questions["Q_2"]["evidences"]["Q_2#00"]["answer"]
    refused(
        lambda: task.read(write(path, questions), labelled=True), f"{path}:1: Q_2.evidences[", '"answer" is missing'
    )
    assert [one.answers for one in task.read(path)] == [("640公里", "640"), None]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"question_tokens": "青河"}, ['"question_tokens" is a string']),
        ({"question_tokens": ["青", 7]}, ["question_tokens[1]: a whole number"]),
        ({"evidences": {}}, ['"evidences" is an object']),
        ({"evidences": [{"evidence_tokens": None}]}, ['evidences[0]: "evidence_tokens" is null']),
        ({"evidences": [{"evidence_tokens": [["青"]]}]}, ["evidences[0].evidence_tokens[0]: a list"]),
        ({"q_key": None}, ['"q_key" is null']),
        ({"q_key": "a\t"}, ["a tab"]),
    ],
)
@pytest.mark.parametrize("labelled", [False, None])
def test_a_mistake_in_baidus_files_is_named(tmp_path, change, words, labelled):
    path = write_lines(tmp_path / "test.json", [original(), original("b") | change])
    refused(lambda: task.read(path, labelled), f"{path}:2: ", " - ", *words)


@settings(max_examples=30)
@given(strategies.data())
def test_written_questions_come_back(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("questions")
    texts = strategies.text(alphabet="青河白山 \t", max_size=4)
    passages = strategies.lists(strategies.tuples(texts, texts), max_size=3)
    named = strategies.fixed_dictionaries(
        {}, optional={"answer": texts, "answers": strategies.lists(texts, max_size=3)}
    )
    items = [
        question(str(number), data.draw(texts), data.draw(passages), **data.draw(named))
        for number in range(data.draw(strategies.integers(1, 3)))
    ]
    examples = task.read(write_lines(folder / "train.json", items), labelled=True)
    task.write_questions(folder / "gold.json", examples)
    assert task.read(folder / "gold.json", labelled=True) == examples


def test_files_are_found_and_a_missing_one_shows_the_tree(tmp_path):
    for names in (("train_data.json", "dev_data.json"), ("train.json", "dev.json")):
        for name in names:
            (tmp_path / name).touch()
        assert task.find_files(str(tmp_path)) == task.Files(*(tmp_path / name for name in names))
    for name in ("dev.json", "dev_data.json"):
        (tmp_path / name).unlink()
    (tmp_path / "WebQA.json").touch()
    assert task.find_files(tmp_path) == task.Files(tmp_path / "train.json", None)
    for name in ("validation.ann.json.gz", "validation.ir.json.gz", "me_validation.ann.json", "me_validation.ir.json"):
        (tmp_path / name).touch()
        assert task.find_files(tmp_path).dev == tmp_path / name
        if name.endswith("ir.json.gz"):
            (tmp_path / name).unlink()
    for name in ("train.json", "train_data.json"):
        (tmp_path / name).unlink()
    refused(lambda: task.find_files(tmp_path), f"{tmp_path}: no train file", "train.json and dev.json", "WebQA.json")
    refused(lambda: task.find_files(tmp_path / "none"), "none: no such folder", "train.json and dev.json")


# Gold


def test_gold_is_a_file_of_questions_or_of_answers(tmp_path):
    path = write(tmp_path / "dev.json", [question(answers=["640公里", "640"]), question("b", passages=[(RIVER, "")])])
    first, second = task.read(path)
    expected = [task.Gold("a", "640公里", ("640公里", "640"), first), task.Gold("b", "", (), second)]
    assert task.read_gold(path) == expected == [task.Gold.of(first), task.Gold.of(second)]
    refused(
        lambda: task.read_gold(write_lines(path, [unlabelled(question())])),
        f"{path}:1: passages[0]",
        '"answer" is missing',
    )
    path = write(tmp_path / "gold.tsv", "\ufeff10\t六百 四十\t640|六百 四十||\r\n\n11\t白山\t\n")
    assert task.read_gold(path) == [
        task.Gold("10", "六百 四十", ("640", "六百 四十", "", "")),
        task.Gold("11", "白山", ("",)),
    ]
    with pytest.raises(ValueError, match='"a" has no labels'):
        task.Gold.of(task.Example("a", "", (), None, 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a\tb\tc\na\tb\n", [":2: 2 columns", "3 columns with a tab between"]),
        ("a\tb\tc\n\na\tb\tc\td\n", [":3: 4 columns"]),
        ("a\tb\tc\n\na\tb\tc\n", [':3: id "a" stands already in line 1']),
        ("a\n[\n", [":1: 1 columns"]),
    ],
)
def test_a_mistake_in_a_file_of_answers_is_named(tmp_path, content, words):
    path = write(tmp_path / "gold.tsv", content)
    refused(lambda: task.read_gold(path), f"{path}:", " - ", *words)


# The submission


def test_a_submission_has_a_line_for_each_id(tmp_path):
    task.write_submission(tmp_path / "deep/a.tsv", ["甲", "b"], ["640 公里 ", ""])
    assert (tmp_path / "deep/a.tsv").read_bytes() == "甲\t640 公里 \nb\t\n".encode()
    task.write_submission(tmp_path / "deep/a.zip", ["甲", "b"], ["640 公里 ", ""])
    with zipfile.ZipFile(tmp_path / "deep/a.zip") as archive:
        assert archive.namelist() == ["a.tsv"] and archive.read("a.tsv") == (tmp_path / "deep/a.tsv").read_bytes()
    for name in ("a.tsv", "a.zip"):
        assert task.read_submission(tmp_path / "deep" / name) == [("甲", "640 公里 "), ("b", "")]
    task.write_submission(tmp_path / "deep/a.tsv", [], [])
    assert (tmp_path / "deep/a.tsv").read_bytes() == b""


@pytest.mark.parametrize(
    ("ids", "answers"),
    [(["a", "b"], ["x", text]) for text in ("a\tb", "a\n", "\r", "\ud83d")]
    + [(["a", "b\t"], ["x", "y"]), (["a"], []), (["a"], ["x", "y"])],
)
def test_what_cannot_be_submitted_is_not_written(tmp_path, ids, answers):
    with pytest.raises(ValueError):
        task.write_submission(tmp_path / "a.tsv", ids, answers)
    assert os.listdir(tmp_path) == []


STRINGS = strategies.text(
    strategies.characters(exclude_categories=[]) | strategies.sampled_from("\t\n\r \ud83d"), max_size=12
)


@strategies.composite
def answered(draw):
    """Questions as a file may have them, and for each a piece of a passage as it is read."""
    items, answers = [], []
    names = strategies.text(
        strategies.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=5
    )
    for name in draw(strategies.lists(names.filter(str.strip), unique=True, min_size=1, max_size=4)):
        texts = draw(strategies.lists(STRINGS, max_size=3))
        items.append({"id": name, "question": draw(STRINGS), "passages": [{"passage": text} for text in texts]})
        answers.append(
            (draw(strategies.integers(0, 2)), draw(strategies.integers(0, 12)), draw(strategies.integers(0, 12)))
        )
    return items, answers


@settings(max_examples=50)
@given(
    answered(), strategies.sampled_from(["a.tsv", "a.json", "a.zip"]), strategies.sampled_from([json_list, json_lines])
)
def test_any_piece_of_a_passage_can_be_submitted(tmp_path_factory, case, name, form):
    items, spans = case
    folder = tmp_path_factory.mktemp("submission")
    (folder / "test.json").write_bytes(form([json.dumps(item) for item in items]).encode())
    examples = task.read(folder / "test.json", labelled=False)
    texts = [[passage.text for passage in one.passages] for one in examples]
    assert [one.id for one in examples] == [item["id"] for item in items]
    answers = [
        one[min(number, len(one) - 1)][start:end] if one else "" for one, (number, start, end) in zip(texts, spans)
    ]
    task.write_submission(folder / name, [one.id for one in examples], answers)
    assert task.check_submission(folder / name, examples) == task.check_submission(folder / name) == len(examples)
    assert task.read_submission(folder / name) == [(one.id, answer) for one, answer in zip(examples, answers)]


ASKED = [example("a"), example("b", ["大坝建于1987年", "NBA"]), example("c", [])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\t640\nb\t1987\nc\t\nd\tx\n", [":4: ", "question 4 of the 3"]),
        ("a\t640\nb\t1987\n", [": ends after 2 of 3"]),
        ("", [": there is nothing in it"]),
        ("a\t640\nc\t\nb\t\n", [":2: ", "question 2 of the 3", "in order"]),
        ("a\t640\nb\t1987\na\t640\n", [':3: id "a" stands already in line 1']),
        ("a\t640\nb\t640\nc\t\n", [':2: "640" is in no passage']),
        ("a\t640\nb\tnba\nc\t\n", [':2: "nba" is in no passage']),
        ("a\t640\nb\t\nc\t \n", [':3: " " is in no passage']),
        ("a\t640\nb 1987\nc\t\n", [":2: 1 columns", "an id and an answer"]),
        ("a\t640\nb\t1987\t0.9\nc\t\n", [":2: 3 columns"]),
        ("a\t640\n\nb\t1987\nc\t\n", [":3: follows a blank line"]),
        ("a\t640\nb\t1987\nc\t\n\n", [": ends with a blank line"]),
    ],
)
def test_a_bad_submission_is_refused(tmp_path, text, words):
    path = write(tmp_path / "submission.tsv", text)
    refused(lambda: task.check_submission(path, ASKED), str(path), " - ", *words)


def test_a_good_submission_passes(tmp_path):
    assert task.check_submission(write(tmp_path / "a.tsv", "\ufeffa\t，发\nb\tNBA\r\nc\t"), ASKED) == 3
    assert task.check_submission(write(tmp_path / "a.tsv", "x\t1\ny\t\n")) == 2


def test_an_answer_by_itself():
    for one, text in ((ASKED[0], "640公里"), (ASKED[1], "NBA"), (ASKED[2], "")):
        task.check_answer(text, one)
    refused(lambda: task.check_answer("nba" * 100, ASKED[1]), 'is in no passage of question "b"')


def test_a_submission_is_read_with_any_ids_and_blank_lines(tmp_path):
    path = write(tmp_path / "a.tsv", "x\t一\n\nx\t\ny\t 二\n")
    assert task.read_submission(path) == [("x", "一"), ("x", ""), ("y", " 二")]
    refused(lambda: task.read_submission(write(path, "x\t一\ny\n")), f"{path}:2: 1 columns")


# The official metric, rule by rule

PUNCTUATION = (
    "`^~<=>|_-,;:!?/.'\"()[]{}@$*\\&#%+\x7f…‰※•—‖‘’“”№←↑→↓∴∨∵∶∩∈∑√∞≯≡≮≤≥≈≌⊥⊙⌒□◆◇◎●★☆♀♂¨°·§¤±"
    "\u3000、。〃々〈〉《》「」『』【】〓〔〕〖〗÷×′▲″△∠≠■ˇˉ￣￥＿！＄（）．：；？～﹑￠，"
)


@pytest.mark.parametrize("character", [*PUNCTUATION, *" \t\n\r\v\f", *"－＂＃％＆＇＊＋／＜＝＞＠［＼］＾｀｛｜｝"])
def test_this_is_removed(character):
    assert metric.format(f"{character}青{character}{character}河{character}") == "青河"


@pytest.mark.parametrize("character", "\xa0\u2003\u200b\x85\u2028\x1c\0℃〇零ａé｟￡﹏")
def test_this_is_not_removed(character):
    assert len(metric.format(f"青{character}河")) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("ＡＢｃ１２％", "abc12"),
        ("NBA", "nba"),
        ("ÀΣЖ", "ÀΣЖ"),  # ASCII letters alone become small
        ("《青河》 第 2 卷", "青河第2卷"),
        ("3.14", "314"),
        ("々", ""),
        ("＠", ""),
        ("İ", "İ"),
    ],
)
def test_format(text, expected):
    assert metric.format(text) == expected


def test_folding_keeps_every_character_in_its_place():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    folded = metric.fold(everything)
    assert (
        len(folded) == len(everything)
        and metric.fold(folded) == folded
        and metric.format(folded) == metric.format(everything)
    )
    changed = {before: after for before, after in zip(everything, folded) if before != after}
    wide = {chr(code + 0xFEE0): chr(code).lower() for code in range(0x21, 0x7F)}
    assert changed == {"\u3000": " ", **{letter.upper(): letter for letter in string.ascii_lowercase}, **wide}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {""}),
        ("青河", {"青河"}),
        ("青河 白山", {"青河", "白山"}),
        ("青河、白山", {"青河", "白山"}),
        ("白山\u3000青河", {"青河", "白山"}),
        ("青河  白山", {"青河", "", "白山"}),  # single blanks
        ("《青河》", {"", "青河"}),
        ("青河\t白山", {"青河白山"}),  # no blank, but whitespace
        ("NBA ＣＢＡ", {"nba", "cba"}),
        ("甲－乙", {"甲乙"}),  # punctuation only once it is half width
        ("甲-乙", {"甲", "乙"}),
        ("甲 甲", {"甲"}),
    ],
)
def test_parts(text, expected):
    assert metric.parts(text) == expected


@pytest.mark.parametrize(
    ("predicted", "wanted", "correct"),
    [
        ("640公里", gold("640公里"), True),
        ("640 公里。", gold("640公里"), True),
        ("６４０公里", gold("640公里"), True),
        ("640", gold("640公里"), False),
        ("640", gold("640公里", "640"), True),
        ("nba", gold("x", "ＮＢＡ"), True),  # accepted answers are formatted too
        ("", gold("640公里", ""), False),
        ("", gold(""), False),
        (" ", gold("640公里"), False),
        ("。", gold("640公里", ""), True),  # literally
        ("。", gold("！"), True),
        ("。", task.Gold("a", "", ()), False),
        # as sets of parts of the standard answer, in any order, and of that one alone
        ("白山 青河", gold("青河 白山"), True),
        ("白山、青河", gold("青河 白山"), True),
        ("白山，青河，青河", gold("青河 白山"), True),
        ("白山和青河", gold("青河 白山"), False),
        ("白山 青河 ", gold("青河 白山"), False),
        ("白山 青河", gold("x", "青河 白山"), False),
        ("白山青河", gold("青河 白山"), False),
        ("青河白山", gold("青河 白山"), True),
        ("甲 NBA", gold("nba-甲"), True),
        # the standard answer counts only if it is accepted, or by its parts
        ("青河", task.Gold("a", "青河", ("白山",)), True),
        ("《青河》", task.Gold("a", "青河", ("白山",)), False),
    ],
)
def test_accuracy_rule(predicted, wanted, correct):
    assert metric.is_correct(predicted, wanted) is correct


@pytest.mark.parametrize(
    ("predicted", "wanted", "expected"),
    [
        ("640公里", gold("640公里"), 1),
        ("里公046", gold("640公里"), 1),  # a bag of characters
        ("640", gold("640公里"), 2 * 3 / 8),
        ("甲甲乙", gold("甲乙乙"), 2 / 3),
        ("甲甲甲", gold("甲"), 1 / 2),
        ("白山", gold("青河"), 0),
        ("", gold("青河"), 0),
        ("。", gold("！"), 0),
        ("ＮＢＡ 甲", gold("nba乙"), 3 / 4),
        ("640", gold("640公里", "640 米"), 2 * 3 / 7),
        ("青河", task.Gold("a", "青河", ("青山",)), 1 / 2),  # accepted answers alone
        ("青河", task.Gold("a", "", ()), 0),
    ],
)
def test_f1_rule(predicted, wanted, expected):
    assert metric.answer_f1(predicted, wanted) == pytest.approx(expected, abs=1e-12)


NAMES = ("accuracy", "f1", "score", "answered", "questions", "accuracy_all", "f1_all", "score_all")


def figures(wanted, predictions):
    result = metric.total(metric.compare(wanted, predictions)).figures()
    assert tuple(result) == NAMES
    return tuple(result.values())


WANTED = [gold("甲乙", name="a"), gold("丙", name="b"), gold("丁", name="c"), task.Gold("d", "", ())]


def test_figures_divide_by_the_lines_and_over_all_by_the_questions():
    assert figures(WANTED, [("a", "甲乙")]) == (1, 1, 1, 1, 4, 1 / 4, 1 / 4, 1 / 4)
    assert figures(WANTED, [("b", ""), ("a", "甲"), ("d", "x")]) == pytest.approx(
        (0, 2 / 9, 1 / 9, 3, 4, 0, 1 / 6, 1 / 12)
    )


def test_an_id_that_stands_twice_counts_twice():
    assert figures(WANTED[:2], [("a", "甲乙"), ("a", "x"), ("a", "甲乙")]) == pytest.approx(
        (2 / 3, 2 / 3, 2 / 3, 3, 2, 1, 1, 1)
    )


def test_an_id_that_is_not_in_gold_is_a_wrong_line():
    comparisons = metric.compare(WANTED[:2], [("z", "甲乙"), ("b", "丙")])
    found = [(one.gold and one.gold.id, one.predicted, one.correct) for one in comparisons]
    assert found == [(None, "甲乙", False), ("b", "丙", True), ("a", None, False)]
    assert figures(WANTED[:2], [("z", "甲乙"), ("b", "丙")]) == (1 / 2, 1 / 2, 1 / 2, 2, 2, 1 / 2, 1 / 2, 1 / 2)


def test_nothing_divided_by_nothing_is_0():
    assert figures([], []) == (0, 0, 0, 0, 0, 0, 0, 0)
    assert figures(WANTED, []) == (0, 0, 0, 0, 4, 0, 0, 0)
    assert figures([], [("a", "甲")]) == (0, 0, 0, 1, 0, 0, 0, 0)


# The metric against itself and against a slow one

ANSWERS = strategies.lists(strategies.sampled_from("青河aAＡ1。，、  \t々À"), max_size=6).map("".join)
GOLDS = strategies.builds(
    lambda standard, more: task.Gold("a", standard, (standard, *more)), ANSWERS, strategies.lists(ANSWERS, max_size=3)
)


def slow_format(text):
    """Character by character, one rule after the other."""
    result = ""
    for character in text:
        if "！" <= character <= "～":
            character = chr(ord(character) - 0xFEE0)
        if "A" <= character <= "Z":
            character = character.lower()
        if character not in PUNCTUATION and character not in " \t\n\r\v\f":
            result += character
    return result


def slow_parts(text):
    pieces = [""]
    for character in text:
        if character in PUNCTUATION or character == " ":
            pieces.append("")
        else:
            pieces[-1] += character
    return {slow_format(piece) for piece in pieces}


def slow_f1(predicted, answer):
    left, common = list(answer), 0
    for character in predicted:
        if character in left:
            left.remove(character)
            common += 1
    return 2 / (len(predicted) / common + len(answer) / common) if common else 0.0


@settings(max_examples=200)
@given(ANSWERS, GOLDS)
def test_the_metric_equals_a_slow_one(predicted, wanted):
    formatted = slow_format(predicted)
    accepted = {*wanted.accepted, *map(slow_format, wanted.accepted)}
    assert metric.format(predicted) == formatted and metric.parts(predicted) == slow_parts(predicted)
    correct = predicted != "" and (formatted in accepted or slow_parts(predicted) == slow_parts(wanted.standard))
    assert metric.is_correct(predicted, wanted) == correct
    expected = max(slow_f1(formatted, slow_format(answer)) for answer in accepted)
    assert metric.answer_f1(predicted, wanted) == pytest.approx(expected, abs=1e-12)


@given(STRINGS)
def test_formatting_twice_changes_nothing(text):
    once = metric.format(text)
    assert metric.format(once) == once
    assert metric.is_correct(text, task.Gold("a", text, (text,))) == bool(text)


LINES = strategies.lists(strategies.tuples(strategies.sampled_from("abcz"), ANSWERS), max_size=6)
GOLD_FILE = strategies.lists(GOLDS, max_size=3).map(
    lambda golds: [one.of(example(name, answers=one.accepted)) for name, one in zip("abc", golds)]
)


@settings(max_examples=60)
@given(GOLD_FILE, LINES)
def test_the_score_equals_a_slow_one(wanted, lines):
    by_id = {one.id: one for one in wanted}
    correct = sum(name in by_id and metric.is_correct(answer, by_id[name]) for name, answer in lines)
    f1 = sum(metric.answer_f1(answer, by_id[name]) for name, answer in lines if name in by_id)
    means = [
        (correct / count, f1 / count, (correct + f1) / count / 2) if count else (0, 0, 0)
        for count in (len(lines), len(wanted))
    ]
    assert figures(wanted, lines) == pytest.approx((*means[0], len(lines), len(wanted), *means[1]), abs=1e-12)


# The kinds of errors

ASKED_GOLD = task.Gold.of(example(passages=(RIVER, DAM, "白山高2800米"), answers=("640公里", "六百四十公里")))


@pytest.mark.parametrize(
    ("wanted", "predicted", "kind"),
    [
        (ASKED_GOLD, "640 公里", Kind.CORRECT),
        (ASKED_GOLD, "长640公里", Kind.TOO_LONG),
        (ASKED_GOLD, "640", Kind.TOO_SHORT),
        (ASKED_GOLD, "四十", Kind.TOO_SHORT),
        (ASKED_GOLD, "白山", Kind.SAME_PASSAGE),  # stands in both kinds of passages
        (ASKED_GOLD, "发源", Kind.SAME_PASSAGE),
        (ASKED_GOLD, "300米", Kind.OTHER_PASSAGE),
        (ASKED_GOLD, "500米", Kind.NOT_IN_PASSAGES),
        (ASKED_GOLD, "", Kind.EMPTY),
        (ASKED_GOLD, "。", Kind.EMPTY),
        (ASKED_GOLD, None, Kind.NOT_ANSWERED),
        (task.Gold.of(example(answers=("二百",))), "300米", Kind.NO_PASSAGE),
        (task.Gold.of(example(answers=())), "300米", Kind.NO_ANSWER),
        (gold("640公里", "。"), "白山", Kind.ANOTHER),
        (gold("640公里"), "640公", Kind.TOO_SHORT),
        (None, "640公里", Kind.UNKNOWN_ID),
    ],
)
def test_kind_of_answer(wanted, predicted, kind):
    lines = [] if predicted is None else [("a", predicted)]
    (one,) = metric.compare([wanted] if wanted else [], lines)
    assert report.kind_of(one) == kind


def test_passages_with_the_answer():
    assert report.supporting_passages(ASKED_GOLD) == {0}
    assert report.supporting_passages(
        task.Gold.of(example(passages=("《青 河》", "青", "青河"), answers=("青河", "。")))
    ) == {0, 2}
    assert report.supporting_passages(gold("青河")) == set()
    assert report.support(metric.Comparison(gold("青河"), "", False, 0.0)) is None
    for count, name in ((0, "0"), (1, "1"), (2, "2-3"), (3, "2-3"), (4, "4-9"), (9, "4-9"), (10, "10+"), (20, "10+")):
        wanted = task.Gold.of(example(passages=[RIVER] * count + [DAM]))
        assert report.support(metric.Comparison(wanted, "", False, 0.0)) == name


@settings(max_examples=60)
@given(GOLD_FILE, LINES)
def test_every_answer_is_in_one_group_of_each_table(wanted, lines):
    comparisons = metric.compare(wanted, lines)
    for groups, expected in (
        (report.grouped(comparisons, report.kind_of, Kind), comparisons),
        (report.grouped(comparisons, report.support, report.SUPPORT), [one for one in comparisons if one.gold]),
    ):
        assert sorted(id(one) for group in groups.values() for one in group) == sorted(map(id, expected))
        assert all(groups.values())
    shown = report.worst(comparisons, 3)
    assert len(shown) <= 3 and [one.f1 for one in shown] == sorted(one.f1 for one in shown)
    for one in shown:
        assert report.describe(one).count("\n") == 3 and not one.correct


def test_an_answer_is_shown_in_its_surroundings():
    wanted = task.Gold.of(
        example(passages=(DAM, f"{RIVER}{DAM}\n青河", "青河"), answers=("300米", "三百米"), text="大坝\n多长")
    )
    (one,) = metric.compare([wanted], [("a", "白山")])
    assert report.describe(one) == (
        "f1 0.000  another piece of a passage with the answer\n"
        "  question   大坝 多长\n"
        "  gold       …河大坝1987年建成，长【300米】。  in 2 of 3 passages   (or 三百米)\n"
        "  predicted  青河长640公里，发源于【白山】。青河大坝1987年建成…  in 1 of 3 passages"
    )
    (one,) = metric.compare([gold("青河")], [("a", "\x1b[2J" * 9_000)])
    assert max(map(len, report.describe(one).split("\n"))) < 4_000 and "\x1b" not in report.describe(one)
    (one,) = metric.compare([gold("青河")], [("a", "白山")])
    assert (
        report.describe(one) == "f1 0.000  another answer\n  question   a\n  gold       【青河】\n  predicted  【白山】"
    )


# evaluate.py


@pytest.fixture
def files(tmp_path):
    """Gold and predictions: of 4 questions one is answered exactly, one by half, one by nothing, one not at all."""
    items = [
        question("a"),
        question("b", "大坝多长", [(DAM, "300米"), (RIVER, ""), ("大坝长300米", "300米")], answers=["300米", "三百米"]),
        question("c", "发源地", [(RIVER, "白山")]),
        question("d", "谁"),
    ]
    return write(tmp_path / "gold.json", json_list(items)), write(tmp_path / "a.tsv", "a\t640公里\nb\t300\nc\t\n")


FIGURES = dict(zip(NAMES, (1 / 3, (1 + 6 / 7) / 3, (2 + 6 / 7) / 6, 3, 4, 1 / 4, (1 + 6 / 7) / 4, (2 + 6 / 7) / 8)))


def test_evaluate_prints_one_json_object_and_nothing_else(files, capsys):
    figures, err = json_figures(capsys, FOLDER, *files)
    assert figures == pytest.approx(FIGURES, abs=1e-12) and tuple(figures) == NAMES and err.count("\n") == 1


def test_evaluate_prints_counts_tables_and_the_worst_answers(files, capsys):
    with not_importing(*HEAVY):
        assert evaluate(FOLDER, *files) == pytest.approx(FIGURES, abs=1e-12)
    check_report(
        capsys.readouterr().out,
        "over 3 lines over 4 questions",
        "accuracy 0.3333 0.2500",
        "f1 0.6190 0.4643",
        "score 0.4762 0.3571",
        "1 answers are correct",
        "answers questions share accuracy f1",
        "correct 1 25.0% 1.0000 1.0000",
        "boundary: too short 1 25.0% 0.0000 0.8571",
        "empty 1 25.0% 0.0000 0.0000",
        "no line in the predictions 1 25.0% 0.0000 0.0000",
        "passages with the answer questions share accuracy f1",
        "1 3 75.0% 0.3333 0.3333",
        "2-3 1 25.0% 0.0000 0.8571",
        "worst answers (1)",
        "f1 0.857 boundary: too short",
        "question 大坝多长",
        "gold …河大坝1987年建成，长【300米】。 in 2 of 3 passages (or 三百米)",
        "predicted …河大坝1987年建成，长【300】米。 in 2 of 3 passages",
    )


def test_evaluate_takes_a_file_of_answers(tmp_path, files, capsys):
    rows = write(
        tmp_path / "gold.tsv", "a\t640公里\t640公里\nb\t300米\t300米|三百米\nc\t白山\t白山\nd\t640公里\t640公里\n"
    )
    assert evaluate(FOLDER, rows, files[1]) == pytest.approx(FIGURES, abs=1e-12)
    out = capsys.readouterr().out
    assert "boundary: too short" in out and "passages with the answer" not in out and "question   b" in out


@pytest.mark.parametrize(
    ("predictions", "warnings"),
    [
        ("a\tx\nb\tx\nc\t\nd\tx\n", []),
        (
            "e\t\n",
            ["NOTHING IS PREDICTED for the 4 questions", "1 of 1 predicted ids are not", "4 of 4 questions have no"],
        ),
        ("a\t\nb\t \nc\t\nd\t\n", ["NOTHING IS PREDICTED"]),
        ("a\tx\nb\tx\nc\tx\nd\tx\ne\tx\n", ["1 of 5 predicted ids are not in gold"]),
        ("a\tx\nb\tx\nd\tx\n", ["1 of 4 questions have no line"]),
        ("a\tx\nb\tx\na\ty\nc\tx\nd\tx\na\tx\n", ["1 ids stand several times"]),
    ],
)
def test_evaluate_warns_of_doubtful_figures(files, tmp_path, predictions, warnings, capsys):
    _, err = json_figures(capsys, FOLDER, files[0], write(tmp_path / "doubtful.tsv", predictions))
    check_warnings(err, warnings)


def test_evaluate_warns_of_questions_without_an_answer(tmp_path, capsys):
    path = write(tmp_path / "gold.json", [question(), question("b", passages=[(RIVER, "")])])
    _, err = json_figures(capsys, FOLDER, path, write(tmp_path / "a.tsv", "a\t640公里\nb\t白山\n"))
    assert err == "WARNING: 1 of 2 questions of gold have no answer: whatever is predicted for them is wrong\n"


def test_evaluate_refuses_predictions_without_end(files):
    gold, predictions = files
    predictions.write_text("a\t" + "x" * 1_000_000, "utf-8")
    assert evaluate(FOLDER, gold, predictions)["answered"] == 1
    refused(lambda: evaluate(FOLDER, gold, predictions, "--max-megabytes", 1), "a.tsv", "--max-megabytes")


def piped(content):
    """What a shell gives for `<(cat file)`."""
    reading, writing = os.pipe()
    os.write(writing, content.encode())
    os.close(writing)
    return Path(f"/dev/fd/{reading}")


@pytest.mark.parametrize(
    "gold", [json_list([question()]), json_lines([question()]), "a\t640公里\t640公里\n"], ids=["list", "lines", "rows"]
)
def test_gold_and_predictions_are_read_once(gold):
    assert evaluate(FOLDER, piped(gold), piped("a\t640公里\n"))["accuracy"] == 1


def test_evaluate_counts_the_blank_lines_of_gold(files, capsys):
    gold = write(files[0].with_name("gold.tsv"), "a\t640公里\t640公里\n\n")
    evaluate(FOLDER, gold, files[1])
    assert f"{gold}: 1 x blank line\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wanted", "predictions", "words"),
    [
        ("[\n", "", ["gold.json:", "not JSON"]),
        ("{\n", "", ["gold.json:1:", "not JSON"]),
        (json_list([unlabelled(question())]), "", ["gold.json:2: [0].passages[0]", '"answer" is missing']),
        ("a\tb\tc\na b c\n", "", ["gold.json:2: 1 columns"]),
        (json_list([question()]), "a\t640\n\nb\n", ["predictions.tsv:3: 1 columns"]),
        (json_list([question()]), None, ["predictions.tsv", "no such file"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(tmp_path, wanted, predictions, words):
    write(tmp_path / "gold.json", wanted)
    if predictions is not None:
        write(tmp_path / "predictions.tsv", predictions)
    evaluation_refused(FOLDER, tmp_path / "gold.json", tmp_path / "predictions.tsv", *words)


# Real files, where they are


@needs(GOLDEN)
def test_the_accuracy_over_all_questions_of_the_golden_files():
    figures = evaluate(FOLDER, GOLDEN / "gold_answers.tsv", GOLDEN / "pred.tsv", "--json")
    assert figures["accuracy_all"] == pytest.approx(
        figures["accuracy"] * figures["answered"] / figures["questions"], abs=1e-9
    )


@needs(DATA)
def test_real_files_are_read_and_written(tmp_path):
    files = task.find_files(DATA)
    assert len(task.read(files.train, labelled=True)) == 9000
    for path, count, reachable in ((files.dev, 1269, 1269), (DATA / "dev_webqa.json", 80, 78)):
        examples = task.read(path, labelled=True)
        assert len(examples) == count and all(one.answers for one in examples)
        answers = [next((passage.answer for passage in one.passages if passage.answer), "") for one in examples]
        task.write_submission(tmp_path / "gold.tsv", [one.id for one in examples], answers)
        assert task.check_submission(tmp_path / "gold.tsv", examples) == count
        score = metric.total(metric.compare(task.read_gold(path), task.read_submission(tmp_path / "gold.tsv")))
        assert (score.correct, score.f1_sum, score.answered, score.questions) == (reachable, reachable, count, count)
