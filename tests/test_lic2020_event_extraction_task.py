"""Files, submission and metric of event extraction. Every sentence here is invented."""

import itertools
import json
import math
import os
from collections import Counter

import pytest
from hypothesis import given, settings, strategies

import competition
from helpers import (
    HEAVY,
    evaluate,
    evaluation_refused,
    json_figures,
    json_lines,
    needs,
    not_importing,
    refused,
    write,
    write_lines,
    zip_of,
)

FOLDER = "lic2020_event_extraction"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
errors = competition.load(FOLDER, "evaluate")

GOLDEN = competition.SHARED / "golden" / FOLDER
DATA = competition.SHARED / "data" / FOLDER

SCHEMA_LINES = [
    {"event_type": "出行-启程", "role_list": [{"role": "时间"}, {"role": "旅客"}], "id": "a1", "class": "出行"},
    {
        "event_type": "赛事/棋-获胜",
        "role_list": [{"role": "时间"}, {"role": "胜者"}, {"role": "时间"}],
        "id": "b2",
        "class": "赛事",
    },
    {"event_type": "闭店", "role_list": []},
]
SCHEMA = task.Schema(
    {"出行-启程": ("时间", "旅客"), "赛事/棋-获胜": ("时间", "胜者"), "闭店": ()},
    {"出行-启程": "出行", "赛事/棋-获胜": "赛事"},
)
#: What the records below are about.
TEXT = "周日老高和小田从柳镇启程"


def event(event_type, *arguments, trigger="", trigger_start=-1):
    """An Event; arguments are (role, text) pairs or Arguments."""
    made = tuple(
        argument if isinstance(argument, task.Argument) else task.Argument(*argument) for argument in arguments
    )
    return task.Event(event_type, trigger, trigger_start, made)


def event_record(event_type, *arguments, **others):
    pairs = [
        argument if isinstance(argument, dict) else {"role": argument[0], "argument": argument[1]}
        for argument in arguments
    ]
    return {"event_type": event_type, "arguments": pairs} | others


# The schema


def test_schema_is_read_in_the_order_of_the_file(tmp_path):
    schema = task.Schema.read(write_lines(tmp_path / "event_schema.json", SCHEMA_LINES))
    assert schema == SCHEMA
    assert schema.event_types == {"出行-启程": ("时间", "旅客"), "赛事/棋-获胜": ("时间", "胜者"), "闭店": ()}
    assert schema.classes == [
        ("出行-启程", "时间"),
        ("出行-启程", "旅客"),
        ("赛事/棋-获胜", "时间"),
        ("赛事/棋-获胜", "胜者"),
    ]
    assert schema.categories == {"出行-启程": "出行", "赛事/棋-获胜": "赛事", "闭店": ""}


NAMES = strategies.text(max_size=4)


@settings(max_examples=50)
@given(strategies.dictionaries(NAMES, strategies.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=4), NAMES)
def test_a_written_schema_reads_as_what_it_was(tmp_path_factory, event_types, category):
    schema = task.Schema(event_types, dict.fromkeys(event_types, category))
    path = tmp_path_factory.mktemp("schema") / "event_schema.json"
    schema.write(path)
    assert task.Schema.read(path) == schema


def test_different_schemas_differ():
    types = SCHEMA.event_types
    assert task.Schema(types, SCHEMA.categories) == SCHEMA
    assert task.Schema(dict(reversed(types.items())), SCHEMA.categories) != SCHEMA
    assert task.Schema({**types, "出行-启程": ("旅客", "时间")}, SCHEMA.categories) != SCHEMA
    assert task.Schema({**types, "闭馆": ()}, SCHEMA.categories) != SCHEMA
    assert task.Schema(types, {**SCHEMA.categories, "闭店": "商业"}) != SCHEMA
    assert SCHEMA != "schema"


def test_a_schema_is_also_one_list(tmp_path):
    assert task.Schema.read(write(tmp_path / "event_schema.json", SCHEMA_LINES, indent=1)) == SCHEMA


def test_a_type_on_several_lines_has_the_roles_of_all(tmp_path):
    lines = [
        {"event_type": "a", "role_list": [{"role": "x"}], "class": "one"},
        {"event_type": "b", "role_list": [{"role": "x"}]},
        {"event_type": "a", "role_list": [{"role": "y"}, {"role": "x"}], "class": "two"},
    ]
    schema = task.Schema.read(write_lines(tmp_path / "event_schema.json", lines))
    assert schema == task.Schema({"a": ("x", "y"), "b": ("x",)}, {"a": "one"})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", ["event_schema.json:1:", "JSON"]),
        ({"role_list": []}, [":1:", "event_type", "missing"]),
        ({"event_type": 5, "role_list": []}, [":1:", "event_type", "whole number"]),
        ({"event_type": "甲"}, [":1:", "role_list", "missing"]),
        ({"event_type": "甲", "role_list": {"role": "乙"}}, [":1:", "role_list", "an object"]),
        ({"event_type": "甲", "role_list": ["乙"]}, [":1:", "role_list", "'乙'"]),
        ({"event_type": "甲", "role_list": [{"name": "乙"}]}, [":1:", "甲", "role", "missing"]),
        ({"event_type": "甲", "role_list": [{"role": "乙"}], "class": 1}, [":1:", "class", "whole number"]),
        ({"event_type": "甲", "role_list": []}, ["no event type"]),
        ("", ["nothing in it", "event_schema.json"]),
        ({"event_type": "甲" * 9999, "role_list": [{"role": 1}]}, [":1:", "role", "whole number"]),
        (
            {"event_type": "甲", "role_list": [{"role": str(n)} for n in range(2000)]},
            [":1:", "more than 2000 types and roles"],
        ),
    ],
)
def test_a_bad_schema_is_refused(tmp_path, line, words):
    path = write_lines(tmp_path / "event_schema.json", [line])
    refused(lambda: task.Schema.read(path), *words)


# Reading


def test_examples_keep_what_the_file_says(tmp_path):
    traveller = {"role": "旅客", "argument": "老高", "argument_start_index": 2, "alias": ["高先生", "高工"]}
    departure = event_record("出行-启程", traveller, trigger="启程", trigger_start_index=10)
    bare = event_record("出行-启程", ("旅客", "小田"), ("旅客", "小田"), ("旅客", "不在文中"), ("时间", ""))
    nulls = event_record("闭店", trigger=None, trigger_start_index=None) | {"class": "商业"}
    path = write_lines(
        tmp_path / "dev.json",
        [
            {"text": TEXT, "id": "一", "event_list": [departure | {"class": "出行"}, bare]},
            "  ",
            {"text": "", "id": "", "event_list": []},
            {"text": "没有标注", "id": "二", "more": 1},
            {"text": "空的标注", "id": "三", "event_list": None},
            {"text": "店关了", "id": "四", "event_list": [nulls]},
        ],
    )
    skipped = Counter()
    examples = task.read(path, SCHEMA, skipped=skipped)
    assert [(example.id, example.text, example.line) for example in examples] == [
        ("一", TEXT, 1),
        ("", "", 3),
        ("二", "没有标注", 4),
        ("三", "空的标注", 5),
        ("四", "店关了", 6),
    ]
    known = task.Argument("旅客", "老高", 2, ("高先生", "高工"))
    assert examples[0].events == (
        event("出行-启程", known, trigger="启程", trigger_start=10),
        event("出行-启程", ("旅客", "小田"), ("旅客", "小田"), ("旅客", "不在文中"), ("时间", "")),
    )
    assert [example.events for example in examples[1:]] == [(), None, None, (event("闭店"),)]
    assert skipped == {"blank line": 1}


@pytest.mark.parametrize(
    ("text", "argument", "start", "expected"),
    [
        ("老高和老高", "老高", 3, 3),
        ("老高和老高", "老高", 0, 0),
        ("老高和老高", "老高", 3.0, 3),
        ("老高和老高", "老高", 1.0, -1),
        ("看NBA了", "nba", 1, 1),
        ("老高和老高", "老高", 1, -1),
        ("老高和老高", "老高", 4, -1),  # the text ends too early
        ("老高和老高", "老高", 99, -1),
        ("老高和老高", "老高和", -5, -1),  # no counting from the end
        ("老高和老高", "小田", 0, -1),
        ("老高和老高", "", 0, -1),
    ],
)
def test_a_start_where_the_text_says_something_else_is_not_used(tmp_path, text, argument, start, expected):
    record = event_record("出行-启程", {"role": "旅客", "argument": argument, "argument_start_index": start})
    record |= {"trigger": argument, "trigger_start_index": start}
    path = write_lines(tmp_path / "a.json", [{"text": text, "id": "1", "event_list": [record]}])
    skipped = Counter()
    ((found,),) = (example.events for example in task.read(path, SCHEMA, skipped=skipped))
    assert (found.arguments, found.trigger, found.trigger_start) == (
        (task.Argument("旅客", argument, expected),),
        argument,
        expected,
    )
    assert skipped == ({} if expected >= 0 else {task.WRONG_START: 2})


def test_labels_are_looked_at_or_ignored(tmp_path):
    foreign = {"text": "甲", "id": "1", "event_list": [event_record("不认识", ("x", "甲"))]}
    path = write_lines(tmp_path / "test.json", [foreign, {"text": "丙", "id": "2"}])
    assert task.read(path, SCHEMA, labelled=False) == [
        task.Example("1", "甲", None, 1),
        task.Example("2", "丙", None, 2),
    ]
    refused(lambda: task.read(path, SCHEMA), "test.json:1:", "不认识")
    assert [example.events for example in task.read(path, None)] == [(event("不认识", ("x", "甲")),), None]


def test_a_text_without_labels_has_nothing_to_find_where_others_have_some(tmp_path):
    labelled = {"text": TEXT, "id": "1", "event_list": [event_record("出行-启程", ("旅客", "老高"))]}
    bare = [{"text": "丙", "id": "2"}, {"text": "丁", "id": "3", "event_list": None}]
    for name, content in (("lines.json", json_lines([labelled, *bare])), ("list.json", [labelled, *bare])):
        skipped = Counter()
        examples = task.read(write(tmp_path / name, content), SCHEMA, labelled=True, skipped=skipped)
        assert [(example.id, len(example.events)) for example in examples] == [("1", 1), ("2", 0), ("3", 0)]
        assert skipped == {task.NO_LABELS: 2}
    path = write_lines(tmp_path / "test.json", bare)
    refused(lambda: task.read(path, SCHEMA, labelled=True), "test.json: no text", "event_list")
    assert [example.events for example in task.read(path, SCHEMA)] == [None, None]


def test_what_has_one_meaning_is_read(tmp_path):
    """Ids that are numbers, an alias without a list around it, no position where the mention occurs once."""
    argument = {"role": "旅客", "argument": "老高", "alias": "高工"}
    other = {"role": "旅客", "argument": "小田", "alias": "", "argument_start_index": None}
    record = {"text": TEXT, "id": 7, "event_list": [event_record("出行-启程", argument, other, trigger="启程")]}
    path, skipped = write_lines(tmp_path / "a.json", [record, {**record, "id": "8"}]), Counter()
    one, two = task.read(path, SCHEMA, labelled=True, skipped=skipped)
    assert (one.id, two.id, one.events) == ("7", "8", two.events) and skipped == {task.NUMBER_AS_ID: 1}
    assert one.events[0].arguments == (
        task.Argument("旅客", "老高", -1, ("高工",)),
        task.Argument("旅客", "小田", -1),
    )
    assert [identifier for identifier, _ in task.read_submission(path)] == ["7", "8"]
    path = write_lines(tmp_path / "b.json", [record, {**record, "id": "7"}])
    refused(lambda: task.read(path, SCHEMA), "b.json:2:", '"7"', "line 1")


def with_argument(**changes):
    argument = {"role": "旅客", "argument": "老高", "argument_start_index": 2} | changes
    return {"text": TEXT, "id": "2", "event_list": [event_record("出行-启程", argument)]}


def with_event(**changes):
    return {"text": TEXT, "id": "2", "event_list": [event_record("出行-启程", ("旅客", "老高")) | changes]}


BAD_LABELS = [
    ({"text": TEXT, "id": "2", "event_list": {}}, ["event_list", "an object", "a list"]),
    ({"text": TEXT, "id": "2", "event_list": ["x"]}, ["event_list", "'x'", "an object"]),
    ({"text": TEXT, "id": "2", "event_list": [{"arguments": []}]}, ["event_type", "missing"]),
    ({"text": TEXT, "id": "2", "event_list": [{"event_type": "出行-启程"}]}, ["出行-启程", "arguments", "missing"]),
    (with_event(event_type=None), ["event_type", "null"]),
    (with_event(arguments="老高"), ["出行-启程", "arguments", "a string"]),
    (with_event(arguments=["老高"]), ["出行-启程", "arguments", "'老高'"]),
    (with_event(trigger=5), ["出行-启程", "trigger", "whole number"]),
    (with_event(trigger_start_index="5"), ["出行-启程", "trigger_start_index", "a string"]),
    (with_argument(role=None), ["出行-启程", "role", "null"]),
    (with_argument(argument=["老高"]), ["出行-启程", "argument", "a list"]),
    (with_argument(argument_start_index=1.5), ["argument_start_index", "a number", "whole number"]),
    (with_argument(argument_start_index=True), ["argument_start_index", "true or false"]),
    (with_argument(alias=5), ["alias", "whole number", "a list or a string"]),
    (with_argument(alias=["高工", 5]), ["alias", "5", "a string"]),
]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{", ["not JSON"]),
        ({"id": "2", "event_list": []}, ["text", "missing"]),
        ({"text": 5, "id": "2", "event_list": []}, ["text", "whole number"]),
        ({"text": "甲", "event_list": []}, ["id", "missing"]),
        ({"text": "甲", "id": 2.5, "event_list": []}, ["id", "a number", "a string"]),
        ({"text": "甲", "id": True, "event_list": []}, ["id", "true or false", "a string"]),
        *BAD_LABELS,
        (with_event(event_type="到达"), ["unknown event type", "到达", "schema (of 3 types)"]),
        (with_argument(role="司机"), ["出行-启程", "司机", "时间, 旅客", "schema"]),
        (with_event(event_type="闭店"), ["闭店", "旅客", "none at all"]),
    ],
)
def test_bad_lines_are_named(tmp_path, record, words):
    path = write_lines(tmp_path / "train.json", [{"text": "好", "id": "1", "event_list": []}, record])
    refused(lambda: task.read(path, SCHEMA), "train.json:2:", *words)


@pytest.mark.parametrize("labelled", [True, False, None])
@pytest.mark.parametrize("text", ["甲", "别的"])
def test_an_id_stands_in_a_file_once(tmp_path, labelled, text):
    good = {"text": "甲", "id": "同一个", "event_list": []}
    path = write_lines(tmp_path / "test.json", ["", good, {**good, "id": "别的"}, {**good, "text": text}])
    refused(lambda: task.read(path, SCHEMA, labelled=labelled), "test.json:4:", "同一个", "line 2")


# The submission


def test_a_record_has_the_official_fields():
    known = task.Argument("旅客", "老高", 2, ("高工",))
    events = [
        event("出行-启程", known, ("旅客", "小田"), trigger="启程", trigger_start=10),
        event("闭店", trigger="关了"),
        event("出行-启程", trigger_start=3),
    ]
    assert task.submission_record("一", events, SCHEMA) == {
        "id": "一",
        "event_list": [
            {
                "event_type": "出行-启程",
                "trigger": "启程",
                "trigger_start_index": 10,
                "arguments": [
                    {"role": "旅客", "argument": "老高", "argument_start_index": 2},
                    {"role": "旅客", "argument": "小田"},
                ],
            },
            {"event_type": "闭店", "trigger": "关了", "arguments": []},
            {"event_type": "出行-启程", "arguments": []},
        ],
    }
    first = task.submission_record("一", events[:1], SCHEMA)["event_list"][0]["arguments"][0]
    assert list(first) == ["role", "argument", "argument_start_index"]


@pytest.mark.parametrize("wrong", [event("不认识"), event("出行-启程", ("不认识", "甲"))])
def test_what_the_schema_does_not_know_cannot_be_submitted(tmp_path, wrong):
    with pytest.raises(ValueError, match="不认识"):
        task.write_submission(tmp_path / "a.json", ["1"], [[wrong]], SCHEMA)
    assert os.listdir(tmp_path) == []


def test_every_id_needs_its_predictions(tmp_path):
    with pytest.raises(ValueError):
        task.write_submission(tmp_path / "a.json", ["1", "2"], [[]], SCHEMA)
    assert os.listdir(tmp_path) == []


# Two separate halves that happen to meet are one character to JSON, and Python alone can tell the difference.
ANY_TEXT = strategies.text(
    strategies.one_of(
        strategies.characters(exclude_categories=["Cs"]),
        strategies.characters(min_codepoint=0xDC00, max_codepoint=0xDFFF, categories=["Cs"]),
    )
)


@strategies.composite
def predictions(draw, text=ANY_TEXT):
    """A text, and events of the schema whose triggers and arguments are cut from it; no argument is repeated."""
    sentence = draw(text)
    if not sentence:
        return sentence, ()
    starts = strategies.integers(0, len(sentence) - 1)
    spans = starts.flatmap(
        lambda start: strategies.tuples(strategies.just(start), strategies.integers(start + 1, len(sentence)))
    )
    items = draw(
        strategies.lists(
            strategies.tuples(strategies.sampled_from(SCHEMA.classes), spans, strategies.booleans()), max_size=5
        )
    )
    events = {}
    for (event_type, role), (start, end), placed in items:
        argument = task.Argument(role, sentence[start:end], start if placed else -1)
        events.setdefault(event_type, {}).setdefault((role, argument.text), argument)
    made = []
    for event_type, arguments in events.items():
        start, end = draw(spans | strategies.just((0, 0)))
        made.append(task.Event(event_type, sentence[start:end], start if end else -1, tuple(arguments.values())))
    return sentence, tuple(made)


@settings(max_examples=80)
@given(
    strategies.lists(predictions(), min_size=1, max_size=4), strategies.sampled_from(["a.json", "a.zip", "a.json.gz"])
)
def test_a_written_submission_is_valid_and_reads_as_what_it_was(tmp_path_factory, predicted, name):
    path = tmp_path_factory.mktemp("submission") / name
    examples = [task.Example(f"编号{number}", text, None, number) for number, (text, _) in enumerate(predicted)]
    ids = [example.id for example in examples]
    task.write_submission(path, ids, [events for _, events in predicted], SCHEMA)
    assert task.check_submission(path, SCHEMA) == task.check_submission(path, SCHEMA, examples) == len(predicted)
    assert task.read_submission(path) == [(one.id, events) for one, (_, events) in zip(examples, predicted)]


def good_record(**changes):
    """A valid line of a submission for TEXT."""
    argument = {"role": "旅客", "argument": "老高", "argument_start_index": 2}
    return {"id": "一"} | {
        "event_list": [event_record("出行-启程", argument, trigger="启程", trigger_start_index=10) | changes]
    }


def only(**argument):
    return good_record(arguments=[{"role": "旅客", "argument": "老高"} | argument])


TWICE = [{"role": "旅客", "argument": "老高"}, {"role": "旅客", "argument": "老高", "argument_start_index": 2}]


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (["{"], [":1:", "JSON"]),
        ([{"event_list": []}], [":1:", "id", "missing"]),
        ([{"id": 1, "event_list": []}], [":1:", "id", "whole number"]),
        ([{"id": "一"}], [":1:", "event_list"]),
        ([good_record(), "", {"id": "二", "event_list": []}], [":3:", "blank line"]),
        ([good_record(), " "], ["blank line"]),
        ([{"id": "零", "event_list": []}, good_record(), good_record()], [":3:", "一", "line 2"]),
        ([good_record(event_type="不认识")], [":1:", "不认识"]),
        ([only(role="司机")], [":1:", "司机"]),
        *(([record | {"id": "一"}], [":1:", *words]) for record, words in BAD_LABELS),
        ([only(argument="")], [":1:", "旅客", "empty"]),
        ([good_record(trigger="")], [":1:", "trigger", "empty"]),
        ([good_record(trigger=None)], [":1:", "trigger", "empty"]),
        ([good_record(arguments=TWICE)], [":1:", "老高", "旅客", "twice"]),
        # in the text of the example
        ([only(argument="老李")], [":1:", "老李", "not in the text"]),
        ([only(argument_start_index=1)], [":1:", "老高", "index 1"]),
        ([only(argument_start_index=-3)], [":1:", "老高", "index -3"]),
        ([good_record(trigger="出发")], [":1:", "出发", "not in the text"]),
        ([good_record(trigger_start_index=9)], [":1:", "启程", "index 9"]),
    ],
)
def test_a_bad_submission_is_refused(tmp_path, records, words):
    path = write_lines(tmp_path / "predictions.json", records)
    ids = dict.fromkeys(record["id"] for record in records if isinstance(record, dict) and "id" in record)
    examples = [task.Example(id, TEXT, None, 1) for id in ids]
    refused(lambda: task.check_submission(path, SCHEMA, examples), "predictions.json", *words)


def test_an_argument_is_not_repeated_over_all_events_of_a_text(tmp_path):
    path = tmp_path / "predictions.json"
    one, other = event("出行-启程", ("旅客", "老高")), event("赛事/棋-获胜", ("胜者", "老高"))
    roles = event("出行-启程", ("时间", "老高"), ("旅客", "小田"))
    task.write_submission(path, ["1", "2"], [[one, other, roles], [one]], SCHEMA)
    assert task.check_submission(path, SCHEMA) == 2
    task.write_submission(path, ["1", "2"], [[], [one, other, one]], SCHEMA)
    refused(lambda: task.check_submission(path, SCHEMA), "json:2:", "老高", "twice")


def test_pieces_may_differ_from_the_text_in_case(tmp_path):
    path = tmp_path / "predictions.json"
    task.write_submission(
        path, ["1"], [[event("出行-启程", task.Argument("旅客", "nba队", 1), trigger="启程")]], SCHEMA
    )
    assert task.check_submission(path, SCHEMA, [task.Example("1", "随NBA队启程", None, 1)]) == 1


def test_without_the_input_only_what_the_file_says_itself_is_checked(tmp_path):
    assert (
        task.check_submission(
            write_lines(tmp_path / "a.json", [only(argument="老李", argument_start_index=70)]), SCHEMA
        )
        == 1
    )


def test_every_id_once_and_in_order(tmp_path):
    path = tmp_path / "predictions.zip"
    task.write_submission(path, ["1", "2", "3"], [[], [], []], SCHEMA)

    def check(*ids):
        return task.check_submission(path, SCHEMA, [task.Example(id, TEXT, None, 1) for id in ids])

    assert check("1", "2", "3") == 3
    refused(lambda: check("1", "3", "2"), "zip:2:", "text 2 of the 3")
    refused(lambda: check("1", "2"), "zip:3:", "of the 2")
    refused(lambda: check("1", "2", "3", "4"), "3 of 4")


def test_a_nested_zip_is_refused(tmp_path):
    path = zip_of(write_lines(tmp_path / "a.json", [good_record()]), "folder/a.json")
    refused(lambda: task.check_submission(path, SCHEMA), "flat")


# The metric, rule by rule


def A(text, *aliases, event_type="出行-启程", role="旅客"):
    """One event with one argument."""
    return event(event_type, task.Argument(role, text, aliases=aliases))


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("老高", "老高", 1.0),
        ("老高", "小田", 0.0),
        # 2 common characters of 3 and of 2
        ("高师傅", "师傅", 2 * 2 / 5),
        ("师傅", "高师傅", 2 * 2 / 5),
        # in any order, anywhere
        ("高山村", "村山高", 1.0),
        ("甲乙丙丁", "丁x乙", 2 * 2 / 7),
        # each character as often as both have it
        ("哈哈", "哈", 2 * 1 / 3),
        ("哈", "哈哈哈哈", 2 * 1 / 5),
        ("哈哈乐", "乐哈乐", 2 * 2 / 6),
        # lower case on both sides
        ("NBA", "nba", 1.0),
        ("ebay商城", "EBAY", 2 * 4 / 10),
        ("ß", "SS", 0.0),  # lower case only, no folding
        ("İ", "i", 2 * 1 / 3),  # and U+0130 becomes two characters
        # marks and blanks are characters like others; full width is not half width
        ("《河》", "河", 2 * 1 / 4),
        ("柳 镇", "柳镇", 2 * 2 / 5),
        ("１２", "12", 0.0),
        # an emoji is one character, a combining mark another
        ("🚄🚄", "🚄", 2 * 1 / 3),
        ("e\u0301", "e", 2 * 1 / 3),
        # the empty string has nothing in common, not even with itself
        ("", "", 0.0),
        ("老高", "", 0.0),
        ("", "老高", 0.0),
    ],
)
def test_credit_by_characters(gold, predicted, expected):
    assert metric.character_f1(predicted, gold) == expected
    score = metric.score([("1", [A(gold)])], [("1", [A(predicted)])])
    assert (score.predicted, score.gold, score.correct) == (1, 1, expected)


def counts(gold, predicted):
    score = metric.score([("1", gold)], [("1", predicted)])
    return score.predicted, score.gold, score.correct


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        # event type and role must be equal, as they are
        ([A("老高")], [A("老高", event_type="赛事/棋-获胜")], (1, 1, 0)),
        ([A("老高")], [A("老高", role="时间")], (1, 1, 0)),
        ([A("老高", role="VIP")], [A("老高", role="vip")], (1, 1, 0)),
        ([A("老高", event_type="Go")], [A("老高", event_type="go")], (1, 1, 0)),
        # the best of several gold arguments, not the first and not the sum
        ([A("甲乙"), A("甲"), A("乙丙")], [A("甲")], (1, 3, 1)),
        ([A("甲乙"), A("甲丙丁")], [A("甲")], (1, 2, 2 / 3)),
        # but only those of its type and role
        ([A("甲乙"), A("甲", role="时间")], [A("甲")], (1, 2, 2 / 3)),
        # the best of argument and aliases
        ([A("老高", "高工", "高建国")], [A("高建国")], (1, 1, 1)),
        ([A("老高", "高工")], [A("老高")], (1, 1, 1)),
        ([A("老高", "高工程师")], [A("工程师")], (1, 1, 2 * 3 / 7)),
        ([A("老高", "NBA")], [A("nba")], (1, 1, 1)),
        ([A("老高", "")], [A("")], (1, 1, 0)),
        # aliases of a prediction are nothing
        ([A("老高")], [A("高工", "老高")], (1, 1, 1 / 2)),
        # an alias counts for its own argument, in its own role
        ([A("老高", "高工"), A("小田", role="时间")], [A("高工", role="时间")], (1, 2, 0)),
        # which event of the type an argument belongs to does not matter
        ([event("出行-启程", ("旅客", "甲"), ("时间", "乙"))], [A("甲"), A("乙", role="时间")], (2, 2, 2)),
        ([A("甲"), A("乙")], [event("出行-启程", ("旅客", "乙"), ("旅客", "甲"))], (2, 2, 2)),
        # nor where it stands in the text, nor the trigger
        (
            [event("出行-启程", task.Argument("旅客", "甲", 3), trigger="走")],
            [event("出行-启程", task.Argument("旅客", "甲", 0))],
            (1, 1, 1),
        ),
        # every repetition counts, in predictions
        ([A("甲")], [A("甲"), A("甲"), A("甲")], (3, 1, 3)),
        ([A("甲"), A("乙")], [A("丙"), A("丙")], (2, 2, 0)),
        # and in gold
        ([A("甲"), A("甲")], [A("甲")], (1, 2, 1)),
        ([A("甲"), A("甲")], [A("甲"), A("甲")], (2, 2, 2)),
        # several predictions may live on one gold argument
        ([A("甲乙")], [A("甲"), A("乙")], (2, 1, 4 / 3)),
        # events without arguments count nothing
        ([event("闭店"), A("甲")], [event("闭店"), event("闭店")], (0, 1, 0)),
        ([event("闭店")], [A("甲")], (1, 0, 0)),
        ([], [A("甲")], (1, 0, 0)),
        ([A("甲")], [], (0, 1, 0)),
        ([], [], (0, 0, 0)),
        # an empty argument is an argument
        ([A("")], [A("")], (1, 1, 0)),
    ],
)
def test_rule(gold, predicted, expected):
    found = counts(gold, predicted)
    assert found[:2] == expected[:2] and math.isclose(found[2], expected[2], abs_tol=1e-12)


def test_repeating_inflates_recall_beyond_1():
    score = metric.score([("1", [A("甲乙")])], [("1", [A("甲乙")] * 3)])
    assert score.figures() == {"precision": 1.0, "recall": 3.0, "f1": 1.5}


def test_texts_are_told_apart_by_their_ids():
    gold = [("1", [A("甲")]), ("2", [A("乙")])]
    assert metric.score(gold, [("1", [A("乙")]), ("2", [A("甲")])]).correct == 0
    assert metric.score(gold, [("2", [A("乙")]), ("1", [A("甲")])]).correct == 2
    assert metric.score([("a", [A("甲")])], [("A", [A("甲")])]).correct == 0


def test_a_text_without_a_prediction_has_its_arguments_missed():
    score = metric.score([("1", [A("甲")]), ("2", [A("乙"), A("丙")])], [("1", [A("甲")])])
    assert score.figures() == {"precision": 1.0, "recall": 1 / 3, "f1": 0.5}


def test_arguments_of_an_id_that_gold_does_not_have_are_predicted_in_vain():
    comparisons = metric.compare([("1", [A("甲")])], [("2", [A("甲"), A("乙")]), ("1", [A("甲")])])
    assert [one.id for one in comparisons] == ["1", "2"]
    score = metric.total(comparisons)
    assert (score.predicted, score.gold, score.correct) == (3, 1, 1)


def test_arguments_of_an_id_that_stands_twice_add_up():
    score = metric.score([("1", [A("甲")]), ("2", []), ("1", [A("乙")])], [("1", [A("乙")]), ("1", [A("乙"), A("丙")])])
    assert (score.predicted, score.gold, score.correct) == (3, 2, 2)


def test_figures_are_not_rounded():
    score = metric.score([("1", [A("甲"), A("乙"), A("丙丁戊")])], [("1", [A("甲"), A("丙")])])
    assert (score.precision, score.recall) == (0.75, 0.5)
    assert score.f1 == 2 * 0.75 * 0.5 / 1.25
    assert metric.score([("1", [A("甲"), A("乙"), A("丙")])], [("1", [A("甲")])]).recall == 1 / 3


def test_the_sum_of_credits_does_not_drift():
    gold, predicted = ([(str(number), [A(text)]) for number in range(10)] for text in ("哈哈哈哈", "哈"))
    assert metric.score(gold, predicted).correct == 4.0  # added up one by one it would be 3.9999999999999996


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [([], []), ([("1", [])], [("1", [])]), ([("1", [A("甲")])], []), ([("1", [])], [("1", [A("甲")])])],
)
def test_nothing_predicted_or_no_gold_is_zero(gold, predicted):
    assert metric.score(gold, predicted).figures() == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_event_types_are_counted_apart():
    gold = [("1", [A("甲乙"), A("丙", event_type="闭店", role="x")]), ("2", [A("丁")])]
    score = metric.score(gold, [("1", [A("甲"), A("己", event_type="新")]), ("2", [A("丁"), A("戊")])])
    assert score.event_types == {
        "出行-启程": metric.Score(3, 2, 2 / 3 + 1),
        "闭店": metric.Score(0, 1, 0.0),
        "新": metric.Score(1, 0, 0.0),
    }
    assert (score.predicted, score.gold) == (4, 3) and score.correct == 2 / 3 + 1


def test_a_comparison_says_what_is_wrong_and_what_is_missed():
    gold = [A("甲乙", "小甲"), A("丙"), A("丁"), A("丁")]
    (one,) = metric.compare([("1", gold)], [("1", [A("小甲"), A("丙丙"), A("丁"), A("戊")])])
    assert one.credits == (1.0, 2 / 3, 1.0, 0.0)
    assert one.coverage == (1.0, 2 / 3, 1.0, 1.0)
    assert [item.argument.text for item in one.wrong] == ["丙丙", "戊"]
    assert [item.argument.text for item in one.missed] == ["丙"]


# Counted one to one


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([A("甲")], [A("甲"), A("甲"), A("甲")], (1, 1, 1)),
        ([A("甲"), A("甲")], [A("甲")], (1, 1, 1)),
        # the second prediction gets nothing
        ([A("甲乙")], [A("甲"), A("甲乙")], (2, 1, 1)),
        # the greatest sum, not the best first: 1/2 + 4/5 is more than 6/7
        ([A("甲乙丙丁"), A("甲乙")], [A("甲乙丙"), A("丙丁戊己")], (2, 2, 4 / 5 + 1 / 2)),
        # roles and types apart
        ([A("甲"), A("甲", role="时间")], [A("甲"), A("甲", role="时间")], (2, 2, 2)),
        ([A("甲", event_type="闭店")], [A("甲")], (1, 1, 0)),
        # aliases, also when two gold arguments with the same string have different ones
        ([A("甲", "子"), A("甲", "丑")], [A("丑")], (1, 1, 1)),
        ([A("NBA")], [A("nba"), A("NBA")], (1, 1, 1)),
        ([], [A("甲")], (1, 0, 0)),
        ([A("甲")], [], (0, 1, 0)),
    ],
)
def test_one_to_one_rule(gold, predicted, expected):
    score = metric.one_to_one(metric.compare([("1", gold)], [("1", predicted)]))
    assert (score.predicted, score.gold) == expected[:2] and math.isclose(score.correct, expected[2])


def slow_best_sum(weights):
    """The greatest sum over every way to form pairs."""
    if not weights or not weights[0]:
        return 0.0
    if len(weights) > len(weights[0]):
        weights = list(map(list, zip(*weights)))
    return max(
        sum(weights[row][column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(len(weights[0])), len(weights))
    )


@settings(max_examples=150)
@given(
    strategies.tuples(strategies.integers(0, 4), strategies.integers(0, 4)).flatmap(
        lambda shape: strategies.lists(
            strategies.lists(
                strategies.sampled_from([0.0, 0.25, 0.5, 2 / 3, 0.8, 1.0]), min_size=shape[1], max_size=shape[1]
            ),
            min_size=shape[0],
            max_size=shape[0],
        )
    )
)
def test_pairs_are_the_best_there_are(weights):
    found = metric.best_pairs(weights)
    assert len(found) == len(weights) and math.isclose(sum(found), slow_best_sum(weights))
    assert all(weight == 0 or weight in row for weight, row in zip(found, weights))


# Triggers


def test_triggers_are_compared_exactly():
    def triggers(gold, predicted):
        score = metric.trigger_score(metric.compare(gold, predicted))
        return score.predicted, score.gold, score.correct

    go, win = event("出行-启程", trigger="启程", trigger_start=3), event("赛事/棋-获胜", trigger="胜出")
    assert triggers([("1", [go, win])], [("1", [event("出行-启程", trigger="启程", trigger_start=9)])]) == (1, 2, 1)
    assert triggers([("1", [go])], [("1", [event("赛事/棋-获胜", trigger="启程")])]) == (1, 1, 0)
    assert triggers([("1", [go])], [("1", [event("出行-启程", trigger="启")])]) == (1, 1, 0)
    assert triggers([("1", [go, go])], [("1", [go, go, go])]) == (1, 1, 1)  # each once
    assert triggers([("1", [go]), ("2", [go])], [("2", [go]), ("3", [go])]) == (2, 2, 1)
    assert triggers([("1", [event("闭店")])], [("1", [event("闭店")])]) == (0, 0, 0)  # no trigger is given


# The metric against itself and against a slow one

TYPES = strategies.sampled_from(["p", "q"])
ROLES = strategies.sampled_from(["x", "y"])
SHORT = strategies.text("aAbcİΣς", max_size=4)
ARGUMENTS = strategies.builds(
    task.Argument, ROLES, SHORT, strategies.just(-1), strategies.lists(SHORT, max_size=2).map(tuple)
)
EVENTS = strategies.builds(
    task.Event, TYPES, SHORT, strategies.just(-1), strategies.lists(ARGUMENTS, max_size=4).map(tuple)
)
LINES = strategies.lists(
    strategies.tuples(strategies.sampled_from("123"), strategies.lists(EVENTS, max_size=3)), max_size=4
)


def slow_score(gold, predictions):
    """S and the two numbers of arguments: written from the rules, for reading, not for speed."""

    def flat(lines):
        return [
            (id, event.event_type, argument) for id, events in lines for event in events for argument in event.arguments
        ]

    def f1(one, other):
        one, other = list(one.lower()), list(other.lower())
        common = 0
        for character in one:
            if character in other:
                other.remove(character)
                common += 1
        if not common:
            return 0.0
        precision, recall = common / len(one), common / (len(other) + common)
        return 2 * precision * recall / (precision + recall)

    total = 0.0
    for id, event_type, argument in flat(predictions):
        best = 0.0
        for other_id, other_type, other in flat(gold):
            if (id, event_type, argument.role) == (other_id, other_type, other.role):
                for form in [other.text, *other.aliases]:
                    best = max(best, f1(argument.text, form))
        total += best
    return total, len(flat(predictions)), len(flat(gold))


@settings(max_examples=80)
@given(LINES, LINES)
def test_the_metric_equals_a_slow_one(gold, predictions):
    score = metric.score(gold, predictions)
    correct, predicted, wanted = slow_score(gold, predictions)
    assert (score.predicted, score.gold) == (predicted, wanted)
    assert math.isclose(score.correct, correct, abs_tol=1e-12)
    for name, value in (("precision", correct / (predicted or 1)), ("recall", correct / (wanted or 1))):
        assert math.isclose(score.figures()[name], value, abs_tol=1e-12)
    parts = score.event_types.values()
    assert (sum(part.predicted for part in parts), sum(part.gold for part in parts)) == (predicted, wanted)
    assert math.isclose(sum(part.correct for part in parts), correct, abs_tol=1e-12)


@settings(max_examples=50)
@given(LINES)
def test_gold_scores_1_against_itself(lines):
    lines = [
        (id, [task.Event(one.event_type, one.trigger, -1, tuple(a for a in one.arguments if a.text)) for one in events])
        for id, events in lines
    ]
    comparisons = metric.compare(lines, lines)
    perfect = 1.0 if metric.total(comparisons).gold else 0.0
    for score in (metric.total(comparisons), metric.one_to_one(comparisons)):
        assert score.figures() == {"precision": perfect, "recall": perfect, "f1": perfect}
    triggers = metric.trigger_score(comparisons)
    assert triggers.correct == triggers.gold == triggers.predicted
    assert not any(one.wrong or one.missed for one in comparisons)


@settings(max_examples=50)
@given(LINES, LINES, strategies.randoms(use_true_random=False))
def test_the_order_of_lines_events_and_arguments_does_not_matter(gold, predictions, random):
    def shuffled(lines):
        return random.sample(
            [(id, [shuffled_event(one) for one in random.sample(events, len(events))]) for id, events in lines],
            len(lines),
        )

    def shuffled_event(one):
        return task.Event(one.event_type, one.trigger, -1, tuple(random.sample(one.arguments, len(one.arguments))))

    before, after = metric.compare(gold, predictions), metric.compare(shuffled(gold), shuffled(predictions))
    assert metric.total(after) == metric.total(before)
    assert math.isclose(metric.one_to_one(after).correct, metric.one_to_one(before).correct, abs_tol=1e-12)
    assert metric.trigger_score(after) == metric.trigger_score(before)


@settings(max_examples=60)
@given(LINES, LINES)
def test_one_to_one_gives_no_more_credit_than_the_official_score(gold, predictions):
    comparisons = metric.compare(gold, predictions)
    official, strict = metric.total(comparisons), metric.one_to_one(comparisons)
    assert strict.correct <= official.correct + 1e-12
    repeated = {side: sum(metric.repeats(getattr(one, side)) for one in comparisons) for side in ("predicted", "gold")}
    assert strict.predicted == official.predicted - repeated["predicted"]
    assert strict.gold == official.gold - repeated["gold"]
    assert strict.precision <= 1 and strict.recall <= 1
    if not any(repeated.values()):
        assert all(value <= official.figures()[name] + 1e-12 for name, value in strict.figures().items())


# The kinds of errors


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        (A("高师傅"), A("师傅"), "right type and role, boundary differs"),
        (A("NBA球队"), A("nba"), "right type and role, boundary differs"),
        (A("老高", "高工程师"), A("工程师"), "right type and role, boundary differs"),
        (A("大河之上"), A("之上游"), "right type and role, boundary differs"),
        (A("老高"), A("老高", role="时间"), "right span, wrong role"),
        (A("老高", "高工"), A("高工", role="时间"), "right span, wrong role"),
        (A("老高"), A("老高", event_type="闭店"), "right span and role, wrong event type"),
        (A("老高"), A("老高", event_type="闭店", role="店主"), "right span, wrong event type and role"),
        (A("老高"), A("小田"), "right type and role, another part of the text"),
        (A("大河"), A("河流"), "right type and role, another part of the text"),  # one common character is chance
    ],
)
def test_a_missed_and_a_wrong_argument_form_a_pair(gold, predicted, kind):
    found = errors.find_errors(metric.compare([("1", [gold])], [("1", [predicted])]))
    pair = [metric.Item(one.event_type, one.arguments[0]) for one in (gold, predicted)]
    assert {name: list_ for name, list_ in found.items() if list_} == {kind: [errors.Error("1", *pair)]}


def test_what_has_no_counterpart_is_missed_or_spurious_or_found_already():
    right, gold, spurious, again = (
        A("老高"),
        A("小田", role="时间"),
        A("柳镇", event_type="闭店", role="x"),
        A("老高和"),
    )
    found = errors.find_errors(metric.compare([("1", [gold, right])], [("1", [spurious, right, again])]))
    kinds = {name: [one.gold or one.predicted for one in list_] for name, list_ in found.items() if list_}
    items = [metric.Item(one.event_type, one.arguments[0]) for one in (gold, spurious, again)]
    assert kinds == {errors.MISSED: items[:1], errors.SPURIOUS: items[1:2], errors.AGAIN: items[2:]}


def test_a_pair_is_of_the_kind_that_is_most_alike():
    gold, near, far = A("高师傅"), A("师傅"), A("高师傅", role="时间")
    found = errors.find_errors(metric.compare([("1", [gold])], [("1", [far, near])]))
    (pair,) = found["right type and role, boundary differs"]
    assert pair.predicted.argument.text == "师傅" and len(found[errors.SPURIOUS]) == 1


@settings(max_examples=50)
@given(LINES, LINES)
def test_every_error_has_exactly_one_kind(gold, predictions):
    comparisons = metric.compare(gold, predictions)
    kinds = errors.find_errors(comparisons)
    found = [error for kind in kinds.values() for error in kind]
    assert Counter(error.gold for error in found if error.gold) == Counter(
        item for one in comparisons for item in one.missed
    )
    assert Counter(error.predicted for error in found if error.predicted) == Counter(
        item for one in comparisons for item in one.wrong
    )
    sizes = [len(kind) for kind in kinds.values()]
    assert sizes == sorted(sizes, reverse=True)
    errors.print_report(metric.total(comparisons), comparisons, dict.fromkeys("12", "一句话"))


# evaluate.py


@pytest.fixture
def files(tmp_path):
    """Gold and predictions: credit 1 + 1 + 4/5 for 4 predicted arguments, of 5 in gold."""
    gold = [
        {
            "id": "一",
            "text": TEXT,
            "event_list": [
                event_record(
                    "出行-启程",
                    ("旅客", "老高"),
                    ("旅客", "小田"),
                    ("时间", "周日"),
                    trigger="启程",
                    trigger_start_index=10,
                )
            ],
        },
        {
            "id": "二",
            "text": "决赛里唐师傅胜出",
            "event_list": [event_record("赛事/棋-获胜", ("胜者", "唐师傅"), trigger="胜出", trigger_start_index=6)],
        },
        {
            "id": "三",
            "text": "昨晚有人胜出",
            "event_list": [event_record("赛事/棋-获胜", ("时间", "昨晚"), trigger="胜出", trigger_start_index=4)],
        },
    ]
    predictions = [
        {
            "id": "一",
            "event_list": [
                event_record("出行-启程", ("旅客", "老高"), trigger="启程"),
                event_record("出行-启程", ("时间", "周日")),
            ],
        },
        {"id": "二", "event_list": [event_record("赛事/棋-获胜", ("胜者", "师傅"), trigger="赛")]},
        {"id": "三", "event_list": [event_record("赛事/棋-获胜", ("胜者", "昨晚"))]},
    ]
    return write_lines(tmp_path / "gold.json", gold), write_lines(tmp_path / "predictions.json", predictions)


def test_evaluate_prints_one_json_object_and_nothing_else(files, capsys):
    with not_importing(*HEAVY):
        figures, err = json_figures(capsys, FOLDER, *files)
    assert list(figures) == ["precision", "recall", "f1"] and err == ""
    assert [round(value, 12) for value in figures.values()] == [0.7, 0.56, round(2 * 0.7 * 0.56 / 1.26, 12)]


def test_evaluate_prints_counts_a_table_and_the_errors(files, capsys):
    # What is counted one to one takes scipy; the official figures alone, above, do not.
    with not_importing(*HEAVY - {"numpy", "scipy"}):
        evaluate(FOLDER, *files)
    captured = capsys.readouterr()
    for words in (
        "precision 0.7000   2.80 credit for 4 predicted arguments",
        "recall    0.5600   2.80 credit for 5 gold arguments",
        "f1        0.6222   in 3 texts",
        "one to one  precision 0.7000  recall 0.5600  f1 0.6222",
        "triggers    precision 0.5000  recall 0.3333  f1 0.4000",
        "出行-启程        3          2  2.0000     1.0000  0.6667  0.8000\n"
        "赛事/棋-获胜     2          2  0.8000     0.4000  0.4000  0.4000\n",
        "1  right type and role, boundary differs\n          决赛里唐师傅胜出\n",
        "1  right span, wrong role",
        "1  missed entirely",
        "gold       赛事/棋-获胜 | 时间 | 昨晚\n            predicted  赛事/棋-获胜 | 胜者 | 昨晚\n",
    ):
        assert words in captured.out
    assert captured.err == ""


def test_evaluate_says_when_no_trigger_is_predicted(files, tmp_path, capsys):
    path = write_lines(
        tmp_path / "bare.json", [{"id": "一", "event_list": [event_record("出行-启程", ("旅客", "老高"))]}]
    )
    evaluate(FOLDER, files[0], path)
    assert "triggers    the predictions name none\n" in capsys.readouterr().out


def test_evaluate_reads_zips(files):
    assert round(evaluate(FOLDER, files[0], zip_of(files[1], "p.json"), "--json")["recall"], 12) == 0.56


def test_gold_is_a_submission_too(files):
    assert evaluate(FOLDER, files[0], files[0], "--json") == {"precision": 1.0, "recall": 1.0, "f1": 1.0}


@pytest.mark.parametrize(
    ("predictions", "warning"),
    [
        (
            [{"id": "一", "event_list": [event_record("闭店")]}],
            "NOTHING IS PREDICTED for the 3 texts and 5 arguments",
        ),
        ([{"id": "别的", "event_list": [event_record("a", ("b", "c"))]}], "1 of 1 predicted ids are not in gold"),
        ([{"id": "一", "event_list": [event_record("出行-启程", ("旅客", "老高"))]}], "2 of 3 gold ids have no line"),
        ([{"id": "一", "event_list": [event_record("出行-启程", ("旅客", "老高"))]}] * 3, "1 ids stand several times"),
        (
            [
                {
                    "id": "一",
                    "event_list": [
                        event_record("出行-启程", ("旅客", "老高")),
                        event_record("出行-启程", ("旅客", "老高")),
                    ],
                }
            ],
            "1 of 2 predicted arguments repeat another one of their text, which inflates recall, even beyond 1: leave one of each. "
            "Counted one to one: precision 1.0000  recall 0.2000  f1 0.3333",
        ),
        (
            [
                {
                    "id": "一",
                    "event_list": [
                        event_record(
                            "出行-启程",
                            *(("旅客", text) for text in ("老高", "老高和", "周日老高", "高", "老", "高老")),
                        )
                    ],
                }
            ]
            + [{"id": "二", "event_list": [event_record("赛事/棋-获胜", ("胜者", "唐师傅"), ("胜者", "唐师"))]}],
            "recall is above 1, since several predictions share a gold argument. Counted one to one: precision",
        ),
    ],
)
@pytest.mark.parametrize("flags", [["--json"], []])
def test_evaluate_warns_of_doubtful_figures(files, tmp_path, predictions, warning, flags, capsys):
    evaluate(FOLDER, files[0], write_lines(tmp_path / "doubtful.json", predictions), *flags)
    captured = capsys.readouterr()
    assert f"WARNING: {warning}" in captured.err
    assert captured.out.count("\n") == 1 or not flags


@pytest.mark.parametrize("side", ["gold", "predictions"])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("{\n", ["broken.json:1:", "not JSON"]),
        ('{"id": "1", "text": ""}\n', ["broken.json", "event_list"]),
        ('{"id": "1", "text": "", "event_list": []}\n{"text": "", "event_list": []}\n', ["broken.json:2:", "id"]),
        (None, ["broken.json", "no such file"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(files, tmp_path, side, broken, words):
    path = tmp_path / "broken.json"
    if broken is not None:
        write(path, broken)
    evaluation_refused(FOLDER, *((path, files[1]) if side == "gold" else (files[0], path)), *words)


def test_predictions_say_something_of_each_text(files, tmp_path):
    path = write_lines(tmp_path / "half.json", [{"id": "一", "event_list": []}, {"id": "二"}])
    evaluation_refused(FOLDER, files[0], path, "half.json:2:", "event_list")


def test_predictions_are_no_larger_than_gold_allows(files, tmp_path):
    path = write(tmp_path / "large.json", "\n" * 10_000_001)
    evaluation_refused(FOLDER, files[0], path, "large.json", "10 MB", "--max-megabytes")


def test_evaluate_says_what_it_took_for_labels(files, tmp_path, capsys):
    gold = write_lines(tmp_path / "half.json", [*map(json.loads, files[0].open()), {"id": 4, "text": "没有标注"}])
    assert round(evaluate(FOLDER, gold, files[1])["recall"], 12) == 0.56
    out = capsys.readouterr().out
    assert f"{gold}: 1 x {task.NO_LABELS}\n" in out and f"{gold}: 1 x {task.NUMBER_AS_ID}\n" in out


def test_gold_has_an_id_once(files, tmp_path):
    path = write_lines(tmp_path / "twice.json", [{"id": "一", "text": TEXT, "event_list": []}] * 2)
    evaluation_refused(FOLDER, path, files[1], "twice.json:2:", "line 1")


# Real files, where they are


@needs(GOLDEN)
def test_golden_files_raise_doubts(capsys):
    _, err = json_figures(capsys, FOLDER, GOLDEN / "gold.json", GOLDEN / "pred.json")
    assert "15 of 349 predicted arguments repeat" in err


@needs(DATA)
def test_real_files_are_read_and_written(tmp_path):
    files = task.find_files(DATA)
    schema = task.Schema.read(files.schema)
    assert (len(schema.event_types), len(schema.classes), len({role for _, role in schema.classes})) == (65, 217, 121)
    assert all(category and name.startswith(category) for name, category in schema.categories.items())
    schema.write(tmp_path / "event_schema.json")
    assert task.Schema.read(tmp_path / "event_schema.json") == schema
    skipped = Counter()
    examples = task.read(files.dev, schema, labelled=True, skipped=skipped)
    assert len(examples) == 200 and not skipped
    assert all(argument.start >= 0 for example in examples for one in example.events for argument in one.arguments)
    pairs = [(example.id, example.events) for example in examples]
    assert metric.score(pairs, pairs).f1 == 1.0

    # Gold repeats arguments where two events share one, and would not pass; without them recall cannot reach 1.
    submitted = [once(example.events) for example in examples]
    task.write_submission(tmp_path / "gold.zip", [example.id for example in examples], submitted, schema)
    assert task.check_submission(tmp_path / "gold.zip", schema, examples) == 200
    comparisons = metric.compare(pairs, task.read_submission(tmp_path / "gold.zip"))
    assert (
        metric.total(comparisons).precision
        == metric.one_to_one(comparisons).f1
        == metric.trigger_score(comparisons).f1
        == 1.0
    )
    assert 0.9 < metric.total(comparisons).recall < 1
    assert all(example.events is None for example in task.read(DATA / "test1_unlabelled.json", schema))


def once(events):
    """The events without the arguments that an earlier one has in the same role of the same type."""
    seen, kept = set(), []
    for one in events:
        arguments = [
            a
            for a in one.arguments
            if (one.event_type, a.role, a.text) not in seen and not seen.add((one.event_type, a.role, a.text))
        ]
        kept.append(task.Event(one.event_type, one.trigger, one.trigger_start, tuple(arguments)))
    return kept
