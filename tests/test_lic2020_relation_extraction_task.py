"""Files, submission and official metric of relation extraction. Every sentence here is invented."""

import os
import shutil
import sys
from collections import Counter

import pytest
from hypothesis import given, settings, strategies

from common.command_line import UserError

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

FOLDER = "lic2020_relation_extraction"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
errors = competition.load(FOLDER, "evaluate")

DATA = competition.SHARED / "data" / FOLDER

SCHEMA_LINES = [
    {"object_type": {"@value": "人物"}, "predicate": "导演", "subject_type": "影视作品"},
    {
        "object_type": {"inWork": "影视作品", "onDate": "Date", "@value": "奖项"},
        "predicate": "获奖",
        "subject_type": "人物",
    },
    {"object_type": {"@value": "地点"}, "predicate": "所在_城市", "subject_type": "景点"},
]
SCHEMA = task.Schema(
    [
        task.Predicate("导演", "影视作品", {"@value": "人物"}),
        task.Predicate("获奖", "人物", {"@value": "奖项", "inWork": "影视作品", "onDate": "Date"}),
        task.Predicate("所在_城市", "景点", {"@value": "地点"}),
    ]
)


def triple(subject, predicate, value, **slots):
    return task.Triple.of(subject, predicate, {"@value": value, **slots}, SCHEMA)


def spo(subject, predicate, value, /, **other):
    return {
        "subject": subject,
        "predicate": predicate,
        "object": value if isinstance(value, dict) else {"@value": value},
    } | other


# Triples and the schema


def test_equal_dicts_give_equal_triples_in_the_order_of_the_schema():
    one = task.Triple.of("甲", "获奖", {"onDate": "去年", "inWork": "乙", "@value": "丙"}, SCHEMA)
    other = task.Triple.of("甲", "获奖", {"@value": "丙", "inWork": "乙", "onDate": "去年"}, SCHEMA)
    assert one == other and hash(one) == hash(other)
    assert one.object == (("@value", "丙"), ("inWork", "乙"), ("onDate", "去年"))
    assert one.slots == {"@value": "丙", "inWork": "乙", "onDate": "去年"}
    assert task.Triple.of("甲", "?", {"b": "1", "a": "2", "@value": "3"}).object == (
        ("@value", "3"),
        ("a", "2"),
        ("b", "1"),
    )


def test_schema_is_read_in_order_with_the_value_first(tmp_path):
    schema = task.Schema.read(write_lines(tmp_path / "schema.json", SCHEMA_LINES))
    assert schema == SCHEMA
    assert schema.classes == [
        ("导演", "@value"),
        ("获奖", "@value"),
        ("获奖", "inWork"),
        ("获奖", "onDate"),
        ("所在_城市", "@value"),
    ]
    assert schema.class_ids[("所在_城市", "@value")] == 4
    assert schema.predicates["获奖"] == task.Predicate(
        "获奖", "人物", {"@value": "奖项", "inWork": "影视作品", "onDate": "Date"}
    )


def test_schema_is_written_and_read_again(tmp_path):
    SCHEMA.write(tmp_path / "schema.json")
    assert task.Schema.read(tmp_path / "schema.json") == SCHEMA


def test_a_schema_is_also_one_list(tmp_path):
    assert task.Schema.read(write(tmp_path / "schema.json", SCHEMA_LINES, indent=1)) == SCHEMA
    path = write(tmp_path / "schema.json", [*SCHEMA_LINES, {"predicate": "b"}], indent=1)
    refused(lambda: task.Schema.read(path), "schema.json:25:", "[3]", "object_type")


def test_schemas_of_another_order_differ():
    predicates = list(SCHEMA.predicates.values())
    assert task.Schema(predicates) == SCHEMA
    assert task.Schema(predicates[::-1]) != SCHEMA
    assert SCHEMA != "schema"


def test_schema_of_duie_1(tmp_path):
    lines = [
        {"object_type": "人物", "predicate": "作者", "subject_type": "图书作品"},
        {"object_type": {"inWork": "作品", "@value": "组织"}, "predicate": "作者", "subject_type": "报刊"},
    ]
    schema = task.Schema.read(write_lines(tmp_path / "all_50_schemas", lines))
    assert schema.predicates == {"作者": task.Predicate("作者", "图书作品", {"@value": "人物", "inWork": "作品"})}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", ["schema.json:1:", "JSON"]),
        ({"predicate": "a", "subject_type": "b"}, [":1:", "object_type", "missing"]),
        ({"predicate": "a", "subject_type": "b", "object_type": {}}, [":1:", "@value"]),
        ({"predicate": "a", "subject_type": "b", "object_type": {"@value": 1}}, [":1:", "@value", "whole number"]),
        ({"predicate": 5, "subject_type": "b", "object_type": {"@value": "c"}}, [":1:", "predicate"]),
        ("", ["nothing in it"]),
        (["甲"], [":1:", "[0]", "a string", "an object"]),
        (
            {"predicate": "a" * 9999, "subject_type": "b", "object_type": {str(n): "c" for n in range(2001)}},
            [":1:", "@value"],
        ),
        (
            {
                "predicate": "a",
                "subject_type": "b",
                "object_type": {"@value": "c", **{str(n): "c" for n in range(2000)}},
            },
            [":1:", "more than 2000 classes"],
        ),
    ],
)
def test_a_bad_schema_is_refused(tmp_path, line, words):
    path = write_lines(tmp_path / "schema.json", [line])
    refused(lambda: task.Schema.read(path), *words)


def test_a_predicate_without_value_slot_is_refused():
    with pytest.raises(ValueError, match="@value"):
        task.Schema([task.Predicate("a", "b", {"inWork": "c"})])


# Reading


def test_examples_keep_what_the_file_says(tmp_path):
    repeated = spo("《河》", "导演", "林一")
    path = write_lines(
        tmp_path / "dev.json",
        [
            {"text": "林一执导了《河》", "spo_list": [repeated, repeated, spo("没有的", "导演", "林一")]},
            "  ",
            {"text": "", "spo_list": [], "postag": []},
            {"text": "没有标注"},
            {"text": "空的标注", "spo_list": None},
            {"text": "王二凭借演出得奖", "spo_list": [spo("王二", "获奖", {"onDate": "去年"})]},
            {"text": "旧式", "spo_list": [spo("塔", "所在_城市", "旧城")]},
        ],
    )
    path.write_text(path.read_text("utf-8").replace('{"@value": "旧城"}', '"旧城"'), "utf-8")
    skipped = Counter()
    examples = task.read(path, SCHEMA, skipped=skipped)
    assert [example.line for example in examples] == [1, 3, 4, 5, 6, 7]
    assert examples[0].triples == (triple("《河》", "导演", "林一"),) * 2 + (triple("没有的", "导演", "林一"),)
    assert [example.triples for example in examples[1:4]] == [(), None, None]
    assert examples[4].triples[0].slots == {"onDate": "去年"}
    assert examples[5].triples == (triple("塔", "所在_城市", "旧城"),)
    assert skipped == {"blank line": 1}


LABELLED = {"text": "河，林一", "spo_list": [spo("河", "导演", "林一")]}


def test_labels_are_looked_at_or_ignored(tmp_path):
    path = write_lines(
        tmp_path / "test.json", [{"text": "甲", "spo_list": [spo("甲", "不认识", "乙")]}, {"text": "丙"}]
    )
    assert task.read(path, SCHEMA, labelled=False) == [task.Example("甲", None, 1), task.Example("丙", None, 2)]
    refused(lambda: task.read(path, SCHEMA), "test.json:1:", "不认识")
    assert [example.triples for example in task.read(path, None)] == [
        (task.Triple.of("甲", "不认识", {"@value": "乙"}),),
        None,
    ]


def test_a_sentence_without_labels_has_nothing_to_find_where_others_have_some(tmp_path):
    bare = [{"text": "丙"}, {"text": "丁", "spo_list": None}]
    for name, content in (("lines.json", json_lines([LABELLED, *bare])), ("list.json", [LABELLED, *bare])):
        skipped = Counter()
        examples = task.read(write(tmp_path / name, content), SCHEMA, labelled=True, skipped=skipped)
        assert [(example.text, len(example.triples)) for example in examples] == [("河，林一", 1), ("丙", 0), ("丁", 0)]
        assert skipped == {task.NO_LABELS: 2}
    path = write_lines(tmp_path / "test.json", bare)
    refused(lambda: task.read(path, SCHEMA, labelled=True), "test.json: no sentence", "spo_list")
    assert [example.triples for example in task.read(path, SCHEMA)] == [None, None]


def test_a_submission_says_something_of_each_sentence(tmp_path):
    path = write_lines(tmp_path / "submission.json", [LABELLED, {"text": "丙", "spo_list": []}])
    assert task.read_submission(path) == [("河，林一", (triple("河", "导演", "林一"),)), ("丙", ())]
    for missing in ({}, {"spo_list": None}):
        path = write_lines(tmp_path / "submission.json", [LABELLED, {"text": "丙", **missing}])
        refused(lambda: task.read_submission(path), "submission.json:2:", "spo_list")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{", ["not JSON"]),
        ({"spo_list": []}, ["text", "missing"]),
        ({"text": 5, "spo_list": []}, ["text", "whole number"]),
        ({"text": "甲", "spo_list": {}}, ["spo_list", "a list"]),
        ({"text": "甲", "spo_list": ["x"]}, ["spo_list", "'x'"]),
        ({"text": "甲", "spo_list": [{"predicate": "导演", "object": {"@value": "乙"}}]}, ["subject", "missing"]),
        ({"text": "甲", "spo_list": [spo("甲", "导演", "乙", subject=None)]}, ["subject", "null"]),
        ({"text": "甲", "spo_list": [spo("甲", "导演", "乙", object=["乙"])]}, ["object", "a list"]),
        ({"text": "甲", "spo_list": [spo("甲", "导演", {"@value": 3})]}, ["导演", "@value", "whole number"]),
        ({"text": "甲", "spo_list": [spo("甲", "导演员", "乙")]}, ["unknown predicate", "导演员", "schema"]),
        (
            {"text": "甲", "spo_list": [spo("甲", "导演", {"@value": "乙", "inWork": "丙"})]},
            ["导演", "inWork", "schema"],
        ),
    ],
)
def test_bad_lines_are_named(tmp_path, record, words):
    path = write_lines(tmp_path / "train.json", [{"text": "好", "spo_list": []}, record])
    refused(lambda: task.read(path, SCHEMA), "train.json:2:", *words)


# The submission


def test_a_record_has_the_official_fields():
    record = task.submission_record("王二凭《河》得金河奖", [triple("王二", "获奖", "金河奖", inWork="河")], SCHEMA)
    assert record == {
        "text": "王二凭《河》得金河奖",
        "spo_list": [
            {
                "predicate": "获奖",
                "subject": "王二",
                "subject_type": "人物",
                "object": {"@value": "金河奖", "inWork": "河"},
                "object_type": {"@value": "奖项", "inWork": "影视作品"},
            }
        ],
    }


@pytest.mark.parametrize(
    "wrong", [task.Triple.of("a", "不认识", {"@value": "b"}), task.Triple.of("a", "导演", {"@value": "b", "x": "c"})]
)
def test_what_the_schema_does_not_know_cannot_be_submitted(tmp_path, wrong):
    with pytest.raises(ValueError, match="不认识|slot"):
        task.write_submission(tmp_path / "a.json", ["ab"], [[wrong]], SCHEMA)
    assert os.listdir(tmp_path) == []


def test_every_text_needs_its_predictions(tmp_path):
    with pytest.raises(ValueError):
        task.write_submission(tmp_path / "a.json", ["a", "b"], [[]], SCHEMA)
    assert os.listdir(tmp_path) == []


# Two separate halves that happen to meet are one character to JSON, and Python alone can tell the difference.
TEXT = strategies.text(
    strategies.one_of(
        strategies.characters(exclude_categories=["Cs"]),
        strategies.characters(min_codepoint=0xDC00, max_codepoint=0xDFFF, categories=["Cs"]),
    )
)


@strategies.composite
def sentences(draw, text=TEXT):
    """A text, and triples of the schema whose values are cut from it."""
    sentence = draw(text)
    if not sentence:
        return sentence, ()
    position = strategies.integers(0, len(sentence))
    span = (
        strategies.tuples(position, position)
        .map(sorted)
        .filter(lambda ends: ends[0] < ends[1])
        .map(lambda ends: sentence[slice(*ends)])
    )
    compound = strategies.builds(
        task.Triple.of,
        span,
        strategies.just("获奖"),
        strategies.fixed_dictionaries({"@value": span}, optional={"inWork": span, "onDate": span}),
        strategies.just(SCHEMA),
    )
    simple = strategies.builds(triple, span, strategies.sampled_from(["导演", "所在_城市"]), span)
    return sentence, tuple(draw(strategies.lists(compound | simple, max_size=4, unique=True)))


@settings(max_examples=60)
@given(strategies.lists(sentences(), min_size=1, max_size=4), strategies.sampled_from(["a.json", "a.zip", "a.json.gz"]))
def test_a_written_submission_is_valid_and_reads_as_what_it_was(tmp_path_factory, predicted, name):
    path = tmp_path_factory.mktemp("submission") / name
    texts = [text for text, _ in predicted]
    task.write_submission(path, texts, [triples for _, triples in predicted], SCHEMA)
    assert task.check_submission(path, SCHEMA, texts) == len(texts)
    assert [(example.text, example.triples) for example in task.read(path, SCHEMA, labelled=True)] == predicted
    assert task.read_submission(path) == predicted


def good_record():
    return task.submission_record("林一执导了《NBA河》", [triple("NBA河", "导演", "林一")], SCHEMA)


def changed(**fields):
    record = good_record()
    record["spo_list"][0] |= fields
    return record


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (["{"], [":1:", "JSON"]),
        ([{"text": "甲"}], [":1:", "spo_list"]),
        ([good_record(), "", good_record()], [":3:", "blank line"]),
        ([good_record(), " "], ["blank line"]),
        ([changed(predicate="不认识")], [":1:", "不认识"]),
        ([changed(object={"inWork": "林一"}, object_type={"inWork": "x"})], [":1:", "inWork"]),
        ([changed(object={}, object_type={})], [":1:", "@value"]),
        ([changed(object="林一")], [":1:", "object"]),
        ([changed(object_type={"@value": 1})], [":1:", "@value", "whole number"]),
        ([changed(object_type="人物")], [":1:", "object_type"]),
        ([changed(subject_type=None)], [":1:", "subject_type"]),
        ([changed(subject="某人")], [":1:", "某人", "text"]),
        ([changed(object={"@value": "某人"})], [":1:", "某人", "text"]),
        ([changed(subject="")], [":1:", "text"]),
        ([{"text": "林一执导了《NBA河》", "spo_list": good_record()["spo_list"] * 2}], [":1:", "twice"]),
    ],
)
def test_a_bad_submission_is_refused(tmp_path, records, words):
    path = write_lines(tmp_path / "predictions.json", records)
    refused(lambda: task.check_submission(path, SCHEMA), "predictions.json", *words)


def test_each_slot_of_a_submission_has_its_type(tmp_path):
    path = write_lines(tmp_path / "predictions.json", [changed(object_type={})])
    with pytest.raises(UserError, match='json:1: "object_type" of "导演" must have the slots of "object": @value$'):
        task.check_submission(path, SCHEMA)


def test_values_may_differ_from_the_text_in_case(tmp_path):
    path = write_lines(tmp_path / "predictions.json", [changed(subject="nba河")])
    assert task.check_submission(path, SCHEMA) == 1


def test_every_sentence_once_and_in_order(tmp_path):
    path = tmp_path / "predictions.zip"
    task.write_submission(path, ["甲", "乙", "甲"], [[], [], []], SCHEMA)
    assert task.check_submission(path, SCHEMA, ["甲", "乙", "甲"]) == 3
    refused(lambda: task.check_submission(path, SCHEMA, ["甲", "甲", "乙"]), "zip:2:", "sentence 2")
    refused(lambda: task.check_submission(path, SCHEMA, ["甲", "乙"]), "zip:3:", "of the 2")
    refused(lambda: task.check_submission(path, SCHEMA, ["甲", "乙", "甲", "丙"]), "3 of 4")


def test_a_nested_zip_is_refused(tmp_path):
    path = zip_of(write_lines(tmp_path / "a.json", [good_record()]), "folder/a.json")
    refused(lambda: task.check_submission(path, SCHEMA), "flat")


# The official metric, rule by rule


def counts(gold, predicted, aliases=None):
    score = metric.score([("句", gold)], [("句", predicted)], aliases)
    return score.predicted, score.gold, score.correct, score.found


A = triple("河", "导演", "林一")
B = triple("山", "导演", "林一")


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([A], [A], (1, 1, 1, 1)),
        ([A, B], [A], (1, 2, 1, 1)),
        ([A], [A, B], (2, 1, 1, 1)),
        ([A], [], (0, 1, 0, 0)),
        ([], [A], (1, 0, 0, 0)),
        # lower case, for subjects and values
        ([triple("NBA", "导演", "Bob")], [triple("nba", "导演", "bOB")], (1, 1, 1, 1)),
        # not for predicates, and not for slots
        ([triple("a", "p", "b")], [triple("a", "P", "b")], (1, 1, 0, 0)),
        ([triple("a", "p", "b", inWork="c")], [triple("a", "p", "b", inwork="c")], (1, 1, 0, 0)),
        # one pair of book title marks, when it is at both ends
        ([triple("《河》", "导演", "林一")], [A], (1, 1, 1, 1)),
        ([A], [triple("河", "导演", "《林一》")], (1, 1, 1, 1)),
        ([triple("《河", "导演", "林一")], [A], (1, 1, 0, 0)),
        ([triple("河》", "导演", "林一")], [A], (1, 1, 0, 0)),
        ([triple("《《河》》", "导演", "林一")], [A], (1, 1, 0, 0)),
        ([triple("《《河》》", "导演", "林一")], [triple("《河》", "导演", "林一")], (1, 1, 0, 0)),
        ([triple("《河》与《山》", "导演", "林一")], [triple("河》与《山", "导演", "林一")], (1, 1, 1, 1)),
        # no other marks, and no blanks
        ([triple("“河”", "导演", "林一")], [A], (1, 1, 0, 0)),
        ([triple("河 ", "导演", "林一")], [A], (1, 1, 0, 0)),
        # duplicates count once, on both sides, and are found after normalisation
        ([A], [A, A, A], (1, 1, 1, 1)),
        ([A, A], [A], (1, 1, 1, 1)),
        ([B], [A, triple("《河》", "导演", "林一")], (1, 1, 0, 0)),
        ([triple("NBA", "导演", "x"), triple("nba", "导演", "x")], [], (0, 1, 0, 0)),
        # the object needs exactly the same slots with equal values
        ([triple("a", "获奖", "b", inWork="c")], [triple("a", "获奖", "b", inWork="《C》")], (1, 1, 1, 1)),
        ([triple("a", "获奖", "b", inWork="c")], [triple("a", "获奖", "b")], (1, 1, 0, 0)),
        ([triple("a", "获奖", "b")], [triple("a", "获奖", "b", inWork="c")], (1, 1, 0, 0)),
        ([triple("a", "获奖", "b", inWork="c")], [triple("a", "获奖", "b", onDate="c")], (1, 1, 0, 0)),
        ([triple("a", "获奖", "b", inWork="c")], [triple("a", "获奖", "b", inWork="d")], (1, 1, 0, 0)),
        ([triple("a", "获奖", "b")], [triple("a", "获奖", "b", inWork="")], (1, 1, 0, 0)),
        # gold without a value counts, and can be met
        ([task.Triple.of("a", "获奖", {"onDate": "c"})], [], (0, 1, 0, 0)),
        ([task.Triple.of("a", "获奖", {"onDate": "c"})], [task.Triple.of("A", "获奖", {"onDate": "c"})], (1, 1, 1, 1)),
        # subject, predicate and object are not exchangeable
        ([triple("a", "导演", "b")], [triple("b", "导演", "a")], (1, 1, 0, 0)),
        ([triple("a", "导演", "b")], [triple("a", "所在_城市", "b")], (1, 1, 0, 0)),
    ],
)
def test_rule(gold, predicted, expected):
    assert counts(gold, predicted) == expected


def test_a_later_line_with_the_same_text_replaces_the_earlier_one():
    gold = [("句", [A]), ("别", [A]), ("句", [B])]
    score = metric.score(gold, [("句", [A]), ("句", [B])])
    assert (score.predicted, score.gold, score.correct) == (1, 2, 1)
    score = metric.score(gold, [("句", [B]), ("句", [])])
    assert (score.predicted, score.gold, score.correct) == (0, 2, 0)


def test_a_predicted_text_that_is_not_in_gold_is_ignored():
    score = metric.score([("句", [A])], [("句", [A]), ("别的句子", [A, B])])
    assert (score.predicted, score.gold, score.correct, score.f1) == (1, 1, 1, 1.0)


def test_texts_are_compared_as_they_are():
    for other in ("nba", "《NBA》", "NBA "):
        assert metric.score([("NBA", [A])], [(other, [A])]).predicted == 0


def test_figures_are_rounded_to_4_decimals_at_the_end():
    gold = [triple(str(number), "导演", "x") for number in range(6)]
    score = metric.score([("句", gold)], [("句", gold[:1])])
    assert score.figures() == {
        "precision": 1.0,
        "recall": 0.1667,
        "f1": 0.2857,
    }  # out of the rounded recall, f1 would be 0.2858


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ([], []),
        ([("句", [])], [("句", [])]),
        ([("句", [A])], []),
        ([("句", [A])], [("句", [])]),
        ([("句", [])], [("句", [A])]),
    ],
)
def test_nothing_predicted_or_no_gold_is_zero(gold, predicted):
    assert metric.score(gold, predicted).figures() == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_predicates_are_counted_apart():
    score = metric.score([("句", [A, triple("a", "获奖", "b")]), ("又", [B])], [("句", [A, B]), ("又", [])])
    assert score.predicates == {"导演": metric.Score(2, 2, 1, 1), "获奖": metric.Score(0, 1, 0, 0)}
    assert score.predicates["导演"].figures() == {"precision": 0.5, "recall": 0.5, "f1": 0.5}


# Aliases


def test_alias_file(tmp_path):
    path = tmp_path / "alias.txt"
    path.write_text("北大\tPKU\t《北京大学》\n\n NBA \t篮协\n北大\t大学\n孤单\n", "utf-8")
    assert metric.read_aliases(path) == {"北大": {"大学"}, "nba ": {"篮协"}, "孤单": set()}


@pytest.mark.parametrize(
    ("aliases", "gold", "predicted", "expected"),
    [
        # a subject: the prediction's aliases for precision, gold's for recall
        ({"河": {"江"}}, [triple("江", "导演", "x")], [triple("河", "导演", "x")], (1, 1, 1, 0)),
        ({"江": {"河"}}, [triple("江", "导演", "x")], [triple("河", "导演", "x")], (1, 1, 0, 1)),
        ({"江": {"河"}, "河": {"江"}}, [triple("江", "导演", "x")], [triple("河", "导演", "x")], (1, 1, 1, 1)),
        # an object value: only when each is the other's alias
        ({"河": {"江"}}, [triple("x", "导演", "江")], [triple("x", "导演", "河")], (1, 1, 0, 0)),
        ({"江": {"河"}}, [triple("x", "导演", "江")], [triple("x", "导演", "河")], (1, 1, 0, 0)),
        ({"江": {"河"}, "河": {"江"}}, [triple("x", "导演", "江")], [triple("x", "导演", "河")], (1, 1, 1, 1)),
        (
            {"江": {"河"}, "河": {"江"}},
            [triple("x", "获奖", "y", inWork="江")],
            [triple("x", "获奖", "y", inWork="《河》")],
            (1, 1, 1, 1),
        ),
        # the same slots all the same, and the same predicate
        (
            {"江": {"河"}, "河": {"江"}},
            [triple("x", "获奖", "江", inWork="z")],
            [triple("x", "获奖", "河")],
            (1, 1, 0, 0),
        ),
        ({"江": {"河"}, "河": {"江"}}, [triple("江", "导演", "x")], [triple("河", "所在_城市", "x")], (1, 1, 0, 0)),
        # triples that are equal by aliases count once; the first stays, and the direction counts here too
        ({"河": {"江"}}, [], [triple("江", "导演", "x"), triple("河", "导演", "x")], (1, 0, 0, 0)),
        ({"河": {"江"}}, [], [triple("河", "导演", "x"), triple("江", "导演", "x")], (2, 0, 0, 0)),
        (
            {"河": {"江"}},
            [triple("江", "导演", "x"), triple("河", "导演", "x")],
            [triple("河", "导演", "x")],
            (1, 1, 1, 0),
        ),
        # gold is looked for among all predictions, also those that were dropped as equal by aliases
        (
            {"河": {"江"}},
            [triple("河", "导演", "x")],
            [triple("江", "导演", "x"), triple("河", "导演", "x")],
            (1, 1, 0, 1),
        ),
        # aliases are not passed on
        ({"a": {"b"}, "b": {"c"}}, [triple("c", "导演", "x")], [triple("a", "导演", "x")], (1, 1, 0, 0)),
    ],
)
def test_alias_rule(aliases, gold, predicted, expected):
    assert counts(gold, predicted, aliases) == expected


# The metric against itself and against a slow one


def strip_marks(value):
    value = value.lower()
    if value[:1] == "《" and value[-1:] == "》":
        value = value[1:-1]
    return value


def slow_same(a, b, aliases):
    """Whether the triple a (as a dict) may stand for b: written from the rules, for reading, not for speed."""
    if a == b:
        return True
    if a["predicate"] != b["predicate"] or set(a["slots"]) != set(b["slots"]):
        return False
    if b["subject"] not in {a["subject"]} | aliases.get(a["subject"], set()):
        return False
    for slot, value in a["slots"].items():
        other = b["slots"][slot]
        if value != other and not (other in aliases.get(value, set()) and value in aliases.get(other, set())):
            return False
    return True


def slow_score(gold, predictions, aliases):
    def plain(triples):
        return [
            {
                "subject": strip_marks(t.subject),
                "predicate": t.predicate,
                "slots": {slot: strip_marks(value) for slot, value in t.slots.items()},
            }
            for t in triples
        ]

    def once(triples):
        kept = []
        for candidate in triples:
            if not any(slow_same(candidate, other, aliases) for other in kept):
                kept.append(candidate)
        return kept

    result = Counter()
    for text in {text for text, _ in gold}:
        wanted = once(plain([triples for other, triples in gold if other == text][-1]))
        everything = plain(([()] + [triples for other, triples in predictions if other == text])[-1])
        distinct = once(everything)
        result["gold"] += len(wanted)
        result["predicted"] += len(distinct)
        result["correct"] += sum(any(slow_same(t, other, aliases) for other in wanted) for t in distinct)
        result["found"] += sum(any(slow_same(t, other, aliases) for other in everything) for t in wanted)
    return result


NAMES = strategies.sampled_from(["a", "A", "《a》", "《A", "b", "《b》", "c", "《》", "", "İ", "ΑΣ", "ας"])
TRIPLES = strategies.builds(
    task.Triple.of,
    NAMES,
    strategies.sampled_from(["p", "q"]),
    strategies.dictionaries(strategies.sampled_from(["@value", "inWork", "onDate"]), NAMES, max_size=2),
)
LINES = strategies.lists(
    strategies.tuples(strategies.sampled_from(["一", "二", "三"]), strategies.lists(TRIPLES, max_size=5)), max_size=5
)
ALIASES = strategies.dictionaries(NAMES.map(str.lower), strategies.sets(NAMES.map(str.lower), max_size=3), max_size=4)


@settings(max_examples=300)
@given(LINES, LINES, ALIASES)
def test_the_metric_equals_a_slow_one(gold, predictions, aliases):
    score = metric.score(gold, predictions, aliases)
    slow = slow_score(gold, predictions, aliases)
    assert {name: getattr(score, name) for name in ("gold", "predicted", "correct", "found")} == {
        name: slow[name] for name in ("gold", "predicted", "correct", "found")
    }


@given(LINES, ALIASES)
def test_gold_scores_1_against_itself(gold, aliases):
    score = metric.score(gold, gold, aliases)
    assert score.gold == score.predicted == score.correct == score.found
    assert score.f1 == (1.0 if score.gold else 0.0)


@given(LINES, LINES, strategies.randoms(use_true_random=False))
def test_the_order_of_lines_and_triples_does_not_matter(gold, predictions, random):
    gold, predictions = list(dict(gold).items()), list(dict(predictions).items())
    score = metric.score(gold, predictions)

    def shuffled(lines):
        lines = [(text, random.sample(triples, len(triples))) for text, triples in lines]
        return random.sample(lines, len(lines))

    assert metric.score(shuffled(gold), shuffled(predictions)) == score


# The kinds of errors


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        (
            triple("王二", "获奖", "金奖", inWork="河"),
            triple("王二", "获奖", "金奖"),
            "same but for the other slots of the object",
        ),
        (
            triple("王二", "获奖", "金奖"),
            triple("王二", "获奖", "金奖", onDate="去年"),
            "same but for the other slots of the object",
        ),
        (triple("王二", "导演", "林一"), triple("王二", "所在_城市", "林一"), "right pair of strings, wrong predicate"),
        (triple("王二", "导演", "林一"), triple("林一", "导演", "王二"), "subject and object exchanged"),
        (triple("王二", "导演", "林一一"), triple("王二", "导演", "林一"), "boundary of subject or object differs"),
        (triple("大河之上", "导演", "林一"), triple("之上游", "导演", "林一"), "boundary of subject or object differs"),
    ],
)
def test_a_missed_and_a_wrong_triple_form_a_pair(gold, predicted, kind):
    found = errors.find_errors(metric.compare([("句", [gold])], [("句", [predicted])]))
    assert {name: list_ for name, list_ in found.items() if list_} == {kind: [errors.Error("句", gold, predicted)]}


def test_what_has_no_counterpart_is_missed_or_spurious():
    gold, wrong = triple("王二", "导演", "林一"), triple("张三", "导演", "李四")
    found = errors.find_errors(metric.compare([("句", [gold, A])], [("句", [wrong, A])]))
    assert found["missed entirely"] == [errors.Error("句", gold, None)]
    assert found["spurious"] == [errors.Error("句", None, wrong)]


@given(LINES, LINES)
def test_every_error_has_exactly_one_kind(gold, predictions):
    comparisons = metric.compare(gold, predictions)
    score = metric.total(comparisons)
    found = [error for kind in errors.find_errors(comparisons).values() for error in kind]
    assert sum(error.gold is not None for error in found) == score.gold - score.found
    assert sum(error.predicted is not None for error in found) == score.predicted - score.correct
    errors.print_report(metric.total(comparisons), comparisons)


# evaluate.py


@pytest.fixture
def files(tmp_path):
    """Gold and predictions: 2 of 3 predictions right, 2 of 4 gold triples found."""
    gold = [
        {"text": "林一执导了《河》和《山》", "spo_list": [spo("河", "导演", "林一"), spo("山", "导演", "林一")]},
        {"text": "王二凭《山》得金奖", "spo_list": [spo("王二", "获奖", {"@value": "金奖", "inWork": "山"})]},
        {"text": "高塔在旧城", "spo_list": [spo("高塔", "所在_城市", "旧城")]},
    ]
    predictions = [
        {"text": "林一执导了《河》和《山》", "spo_list": [spo("《河》", "导演", "林一"), spo("山", "导演", "林一")]},
        {"text": "王二凭《山》得金奖", "spo_list": [spo("王二", "获奖", "金奖")]},
        {"text": "高塔在旧城", "spo_list": []},
    ]
    return write_lines(tmp_path / "gold.json", gold), write_lines(tmp_path / "predictions.json", predictions)


FIGURES = {"precision": 0.6667, "recall": 0.5, "f1": 0.5714}


def test_evaluate_prints_one_json_object_and_nothing_else(files, capsys):
    assert json_figures(capsys, FOLDER, *files) == (FIGURES, "")


def test_evaluate_prints_counts_a_table_and_the_errors(files, capsys):
    with not_importing(*HEAVY):
        evaluate(FOLDER, *files)
    captured = capsys.readouterr()
    for words in (
        "precision 0.6667   2 correct of 3 predicted",
        "recall    0.5000   2 found of 4 gold",
        "f1        0.5714   in 3 sentences",
        "导演          2          2        2     1.0000  1.0000  1.0000",
        "1  missed entirely",
        "1  same but for the other slots of the object",
        "gold       王二 | 获奖 | 金奖 | inWork: 山",
        "predicted  王二 | 获奖 | 金奖\n",
    ):
        assert words in captured.out
    assert captured.err == ""


def test_evaluate_reads_zips_and_aliases(files, tmp_path):
    aliases = write(tmp_path / "alias.txt", "旧城\t老城\n")
    assert evaluate(FOLDER, files[0], zip_of(files[1], "p.json"), "--alias", aliases, "--json") == FIGURES


@pytest.mark.parametrize(
    ("predictions", "warning"),
    [
        ([{"text": "高塔在旧城", "spo_list": []}], "NOTHING IS PREDICTED"),
        ([{"text": "别的句子", "spo_list": [spo("a", "b", "c")]}], "1 of 1 predicted sentences are not in gold"),
        (
            [{"text": "高塔在旧城", "spo_list": [spo("高塔", "所在_城市", "旧城")]}],
            "2 of 3 gold sentences have no line",
        ),
        (
            [{"text": "高塔在旧城", "spo_list": [spo("高塔", "所在_城市", "旧城")]}] * 3,
            "2 lines of predictions count nothing",
        ),
    ],
)
def test_evaluate_warns_of_doubtful_figures(files, tmp_path, predictions, warning, capsys):
    _, err = json_figures(capsys, FOLDER, files[0], write_lines(tmp_path / "doubtful.json", predictions))
    assert warning in err


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("{\n", ["broken.json:1:", "not JSON"]),
        ('{"text": "甲", "spo_list": []}\n{"text": "乙"}\n', ["broken.json:2:", "spo_list"]),
        (None, ["broken.json", "no such file"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(files, tmp_path, broken, words):
    path = tmp_path / "broken.json"
    if broken is not None:
        write(path, broken)
    evaluation_refused(FOLDER, files[0], path, *words)


def test_evaluate_says_what_it_took_for_labels_and_keeps_escapes_off_the_terminal(files, tmp_path, capsys):
    red = spo("\x1b[31m", "\x1b[32m", "丙" * 70_000)
    gold = write_lines(tmp_path / "half.json", [{"text": "甲\x1b[33m", "spo_list": [red]}, {"text": "乙"}])
    assert evaluate(FOLDER, gold, files[1])["recall"] == 0.0
    out = capsys.readouterr().out
    assert f"{gold}: 1 x {task.NO_LABELS}\n" in out
    assert "\x1b" not in out and "\\x1b[31m | \\x1b[32m | 丙丙" in out and max(map(len, out.split("\n"))) < 300


def test_predictions_are_no_larger_than_gold_allows(files, tmp_path):
    path = write(tmp_path / "large.json", "\n" * 10_000_001)
    evaluation_refused(FOLDER, files[0], path, "large.json", "10 MB", "--max-megabytes")


# The helper that loads folders


def test_loading_leaves_no_trace_under_plain_names():
    for name in ("task", "metric", "features", "evaluate"):
        competition.load(FOLDER, name)
        assert name not in sys.modules
    assert not [path for path in sys.path if FOLDER in path]
    assert competition.load(FOLDER, "task") is task and metric.Triple is task.Triple


def test_a_copy_has_modules_of_its_own(files, tmp_path):
    copy = shutil.copytree(
        competition.folder_of(FOLDER), tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__")
    )
    assert evaluate(copy, *files, "--json") == FIGURES
    assert competition.load(copy, "task") is not task
    assert competition.load(copy, "metric").Triple is competition.load(copy, "task").Triple


def test_a_module_of_the_same_name_comes_back(tmp_path):
    sys.modules["task"] = marker = type(sys)("task")
    try:
        (tmp_path / "task.py").write_text("HERE = True\n")
        (tmp_path / "late.py").write_text("def main(argv):\n    import task\n    return {'here': task.HERE}\n")
        assert competition.load(tmp_path, "task").HERE
        assert competition.main(tmp_path, "late", []) == {"here": True}
        assert sys.modules["task"] is marker
    finally:
        del sys.modules["task"]


# Real files, where they are


@needs(DATA)
def test_real_files_are_read_and_written(tmp_path):
    files = task.find_files(DATA)
    schema = task.Schema.read(files.schema)
    assert (len(schema.predicates), len(schema.classes)) == (48, 55)
    assert [predicate for predicate, slot in schema.classes if slot == "@value"] == list(schema.predicates)
    examples = task.read(files.dev, schema, labelled=True)
    assert len(examples) == 2674
    texts = [example.text for example in examples]
    # Gold itself would not pass: it repeats a few triples, and one has an empty value.
    submitted = [
        [triple for triple in dict.fromkeys(example.triples) if all(triple.slots.values())] for example in examples
    ]
    task.write_submission(tmp_path / "gold.zip", texts, submitted, schema)
    assert task.check_submission(tmp_path / "gold.zip", schema, texts) == len(examples)
    pairs = [(example.text, example.triples) for example in examples]
    assert metric.score(pairs, pairs).f1 == 1.0
    assert all(example.triples is None for example in task.read(DATA / "test1_unlabelled.json", schema))
