"""Files, submission and metric of entity linking. Every sentence here is invented."""

import json
import math
import os
from collections import Counter

import pytest
from hypothesis import given, settings, strategies

import competition
from contests import without
from helpers import (
    HEAVY,
    evaluate,
    evaluation_refused,
    json_figures,
    needs,
    not_importing,
    refused,
    write,
    write_lines,
    zip_of,
)

FOLDER = "ccks2019_entity_linking"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
evaluation = competition.load(FOLDER, "evaluate")

GOLDEN = competition.SHARED / "golden" / FOLDER
DATA = competition.SHARED / "data" / FOLDER

#: What the records below are about.
TEXT = "老戏《渡口》的主角渡口在渡口开店"


def M(text, offset, entity=task.NIL):
    return task.Mention(text, offset, str(entity))


def mention_record(text, offset, entity=task.NIL):
    return {"kb_id": str(entity), "mention": text, "offset": str(offset)}


def record(*mentions, id="一", text=TEXT):
    return {
        "text_id": id,
        "text": text,
        "mention_data": [one if isinstance(one, dict) else mention_record(*one) for one in mentions],
    }


# Reading


def test_examples_keep_what_the_file_says(tmp_path):
    path = write_lines(
        tmp_path / "dev.json",
        [
            record(("渡口", 12, 7), ("《渡口》", 2, 5), ("渡口", 3, 5), ("主角", 7)),
            "  ",
            {"text": "", "text_id": "", "mention_data": []},
            {"text": "没有标注", "text_id": "二", "more": 1},
            {"text": "空的标注", "text_id": "三", "mention_data": None},
        ],
    )
    skipped = Counter()
    assert task.read(path, skipped=skipped) == [
        task.Example("一", TEXT, (M("渡口", 12, 7), M("《渡口》", 2, 5), M("渡口", 3, 5), M("主角", 7)), 1),
        task.Example("", "", (), 3),
        task.Example("二", "没有标注", None, 4),
        task.Example("三", "空的标注", None, 5),
    ]
    assert skipped == {"blank line": 1}
    assert [(one.offset, one.end) for one in task.read(path)[0].mentions] == [(12, 14), (2, 6), (3, 5), (7, 9)]


def test_whole_numbers_will_do_for_strings(tmp_path):
    path = write_lines(
        tmp_path / "a.json",
        [{"text_id": 8, "text": TEXT, "mention_data": [{"kb_id": 70, "mention": "渡口", "offset": 3}]}],
    )
    skipped = Counter()
    assert task.read(path, skipped=skipped) == [task.Example("8", TEXT, (M("渡口", 3, "70"),), 1)]
    assert skipped == {task.NUMBER: 1}
    assert task.read_submission(path) == [("8", (M("渡口", 3, "70"),))]


@pytest.mark.parametrize(
    ("text", "mention", "offset", "fine"),
    [
        ("渡口渡口", "渡口", 2, True),
        ("渡口渡口", "渡口", 0, True),
        ("渡口渡口", "渡口", 1, False),
        ("渡口渡口", "渡口", 3, False),  # the text ends too early
        ("渡口渡口", "渡口", 99, False),
        ("渡口渡口", "渡口", -2, False),  # no counting from the end
        ("渡口渡口", "码头", 0, False),
        ("渡口渡口", "", 0, False),
        ("听NBA了", "NBA", 1, True),
        ("听NBA了", "nba", 1, False),  # the metric would not take it either
        ("😭渡口", "渡口", 1, True),  # characters, not UTF-16
    ],
)
def test_a_mention_that_is_not_at_its_offset_is_left_out(tmp_path, text, mention, offset, fine):
    path = write_lines(tmp_path / "a.json", [record((mention, offset, 4), text=text)])
    skipped = Counter()
    (example,) = task.read(path, skipped=skipped)
    assert example.mentions == ((M(mention, offset, 4),) if fine else ())
    assert skipped == ({} if fine else {task.WRONG_OFFSET: 1})
    assert task.read_submission(path) == [("一", (M(mention, offset, 4),))]


def test_of_the_mentions_in_one_place_the_first_is_kept(tmp_path):
    mentions = [("渡口", 3, 5), ("渡口", 9, 5), ("渡口", 3, 6), ("渡口", "03", 5), ("《渡口》", 2, 5)]
    path = write_lines(tmp_path / "a.json", [record(*mentions)])
    skipped = Counter()
    (example,) = task.read(path, skipped=skipped)
    assert example.mentions == (M("渡口", 3, 5), M("渡口", 9, 5), M("《渡口》", 2, 5))
    assert skipped == {task.REPEATED: 2}


def test_labels_are_demanded_or_ignored(tmp_path):
    path = write_lines(
        tmp_path / "test.json", [{"text": "甲", "text_id": "1", "mention_data": 5}, {"text": "丙", "text_id": "2"}]
    )
    assert task.read(path, labelled=False) == [task.Example("1", "甲", None, 1), task.Example("2", "丙", None, 2)]
    refused(lambda: task.read(path), "test.json:1:", "mention_data")


@pytest.mark.parametrize("missing", [{}, {"mention_data": None}])
def test_a_line_without_labels_has_nothing_to_find_but_gold_needs_them(tmp_path, missing):
    without_labels = {"text": "丙", "text_id": "2", **missing}
    path, skipped = write_lines(tmp_path / "half.json", [record(("渡口", 3, 5), id="1"), without_labels]), Counter()
    assert [one.mentions for one in task.read(path, labelled=True, skipped=skipped)] == [(M("渡口", 3, 5),), ()]
    assert skipped == {task.NO_LABELS: 1}
    refused(lambda: task.read_gold(path), "half.json:2:", "mention_data")
    path = write_lines(tmp_path / "none.json", [without_labels])
    refused(lambda: task.read(path, labelled=True), "none.json: no line has", "mention_data")


@pytest.mark.parametrize("absent", [{}, {"offset": None}])
def test_a_mention_that_its_text_has_once_needs_no_offset(tmp_path, absent):
    def file(name):
        return write_lines(tmp_path / "a.json", [record({"kb_id": "5", "mention": name, **absent})])

    skipped = Counter()
    assert task.read(file("主角"), skipped=skipped)[0].mentions == (M("主角", 7, 5),)
    assert skipped == {task.NO_OFFSET: 1}
    for name in ("渡口", "码头", ""):
        path = file(name)
        refused(lambda: task.read(path), "a.json:1:", f'"{name}"', "offset", "once")
    refused(lambda: task.read_gold(file("主角")), "a.json:1:", "主角", "offset")
    refused(lambda: task.read_submission(file("主角")), "a.json:1:", "主角", "offset")


MENTION = mention_record("渡口", 3, 5)


def with_mention(**changes):
    return record(MENTION | changes, id="2")


BAD_LABELS = [
    (record(id="2") | {"mention_data": {}}, ["mention_data", "an object", "a list"]),
    (record(id="2") | {"mention_data": ["渡口"]}, ["mention_data", "'渡口'", "an object"]),
    (record(without(MENTION, "mention"), id="2"), ["mention", "missing"]),
    (record(without(MENTION, "offset"), id="2"), ["渡口", "offset", "missing"]),
    (record(without(MENTION, "kb_id"), id="2"), ["渡口", "kb_id", "missing"]),
    (with_mention(mention=None), ["mention", "null"]),
    (with_mention(offset="第三"), ["渡口", "offset", "第三", "whole number"]),
    (with_mention(offset=""), ["渡口", "offset", "whole number"]),
    (with_mention(offset="9" * 5000), ["渡口", "offset", "whole number"]),
    (with_mention(offset=1.5), ["渡口", "offset", "a number", "whole number"]),
    (with_mention(offset=True), ["渡口", "offset", "true or false"]),
    (with_mention(offset=None), ["渡口", "offset"]),
    (with_mention(kb_id=None), ["渡口", "kb_id", "null"]),
    (with_mention(kb_id=["5"]), ["渡口", "kb_id", "a list"]),
]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", ["not JSON"]),
        ({"text_id": "2", "mention_data": []}, ["text", "missing"]),
        ({"text": 5, "text_id": "2", "mention_data": []}, ["text", "whole number"]),
        ({"text": "甲", "mention_data": []}, ["text_id", "missing"]),
        ({"text": "甲", "text_id": 0.5, "mention_data": []}, ["text_id", "a number", "a string"]),
        ({"text": "甲", "text_id": True, "mention_data": []}, ["text_id", "true or false"]),
        *BAD_LABELS,
    ],
)
def test_bad_lines_are_named(tmp_path, line, words):
    path = write_lines(tmp_path / "train.json", [record(id="1"), line])
    refused(lambda: task.read(path), "train.json:2:", *words)


@pytest.mark.parametrize("labelled", [True, False, None])
@pytest.mark.parametrize("again", [{}, {"text": "别的"}, {"text_id": 5}])
def test_an_id_stands_in_a_file_once(tmp_path, labelled, again):
    path = write_lines(tmp_path / "test.json", ["", record(id="5"), record(id="别的"), record(id="5") | again])
    refused(lambda: task.read(path, labelled=labelled), "test.json:4:", '"5"', "line 2")


def test_the_knowledge_base_may_be_another_file(tmp_path):
    for name in ("train.json", "dev.json", "names_only"):
        (tmp_path / name).touch()
    assert task.find_files(tmp_path) == task.Files(tmp_path / "train.json", tmp_path / "dev.json")
    refused(lambda: task.find_knowledge_base(tmp_path), "no kb_data file", "--knowledge-base FILE")
    assert task.find_knowledge_base(tmp_path, str(tmp_path / "names_only")) == tmp_path / "names_only"
    (tmp_path / "ccks2019_el").mkdir()
    for name in ("ccks2019_el/kb_data", "kb_data.json", "kb_data"):  # each before the ones before it
        (tmp_path / name).touch()
        assert task.find_knowledge_base(tmp_path) == tmp_path / name
    assert task.find_knowledge_base(tmp_path, tmp_path / "names_only") == tmp_path / "names_only"
    for wrong in (tmp_path / "none", tmp_path):
        refused(lambda: task.find_knowledge_base(tmp_path, wrong), f"{wrong}: no such file", "--knowledge-base FILE")


# The submission


def test_a_record_has_the_official_fields():
    example = task.Example("一", TEXT, (M("老戏", 0, 1),), 3)
    made = task.submission_record(example, [M("渡口", 3, 5), M("主角", 7)])
    assert made == {
        "text_id": "一",
        "text": TEXT,
        "mention_data": [
            {"kb_id": "5", "mention": "渡口", "offset": "3"},
            {"kb_id": "NIL", "mention": "主角", "offset": "7"},
        ],
    }
    assert list(made) == ["text_id", "text", "mention_data"] and list(made["mention_data"][0]) == [
        "kb_id",
        "mention",
        "offset",
    ]


def test_every_text_needs_its_predictions(tmp_path):
    with pytest.raises(ValueError):
        task.write_submission(tmp_path / "a.json", [task.Example("1", TEXT, None, 1)] * 2, [[]])
    assert os.listdir(tmp_path) == []


# Two separate halves that happen to meet are one character to JSON, and Python alone can tell the difference.
ANY_TEXT = strategies.text(
    strategies.one_of(
        strategies.characters(exclude_categories=["Cs"]),
        strategies.characters(min_codepoint=0xDC00, max_codepoint=0xDFFF, categories=["Cs"]),
    )
)
ENTITIES = strategies.sampled_from(["1", "2", "别的", task.NIL])


@strategies.composite
def predictions(draw):
    """A text, and mentions of it, no place twice."""
    sentence = draw(ANY_TEXT)
    if not sentence:
        return sentence, ()
    starts = strategies.integers(0, len(sentence) - 1)
    spans = starts.flatmap(
        lambda start: strategies.tuples(strategies.just(start), strategies.integers(start + 1, len(sentence)))
    )
    chosen = draw(strategies.dictionaries(spans, ENTITIES, max_size=5))
    return sentence, tuple(task.Mention(sentence[start:end], start, entity) for (start, end), entity in chosen.items())


@settings(max_examples=50)
@given(strategies.lists(predictions(), min_size=1, max_size=4), strategies.sampled_from(["a.json", "a.zip"]))
def test_a_written_submission_is_valid_and_reads_as_what_it_was(tmp_path_factory, predicted, name):
    path = tmp_path_factory.mktemp("submission") / name
    examples = [
        task.Example(f"编号{number}", text, None, number) for number, (text, _) in enumerate(predicted, start=1)
    ]
    task.write_submission(path, examples, [mentions for _, mentions in predicted])
    assert task.check_submission(path) == task.check_submission(path, examples, {"1", "2", "别的"}) == len(predicted)
    assert task.read_submission(path) == [(one.id, mentions) for one, (_, mentions) in zip(examples, predicted)]
    # It is in the format of labelled files, and all of it can be used.
    skipped = Counter()
    assert [one.mentions for one in task.read(path, labelled=True, skipped=skipped)] == [
        mentions for _, mentions in predicted
    ]
    assert not skipped


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (["{"], [":1:", "JSON"]),
        ([{"text": TEXT, "mention_data": []}], [":1:", "text_id", "missing"]),
        ([record(id=1)], [":1:", "text_id", "whole number", "a string"]),
        ([{"text_id": "一", "mention_data": []}], [":1:", "text", "missing"]),
        ([{"text_id": "一", "text": TEXT}], [":1:", "mention_data"]),
        ([record(), "", record(id="二")], [":3:", "blank line"]),
        ([record(), " "], ["blank line"]),
        ([record(id="零"), record(), record()], [":3:", "一", "line 2"]),
        *(([line], [":1:", *words]) for line, words in BAD_LABELS),
        ([with_mention(offset=3)], [":1:", "渡口", "offset", "whole number", "a string"]),
        ([with_mention(kb_id=5)], [":1:", "渡口", "kb_id", "whole number", "a string"]),
        ([with_mention(mention="")], [":1:", "empty"]),
        ([record(("渡口", 4, 5))], [":1:", "渡口", "offset 4"]),
        ([record(("渡口", -5, 5))], [":1:", "渡口", "offset -5"]),
        ([record(("码头", 3, 5))], [":1:", "码头", "offset 3"]),
        ([record(("渡口", 3, 6))], [":1:", "渡口", "no entity", '"6"', "NIL"]),
        ([record(("渡口", 3, "nil"))], [":1:", "渡口", "no entity", '"nil"']),
        ([record(("渡口", 3, 5), ("渡口", 9, 5), ("渡口", 3))], [":1:", "渡口", "twice", "offset 3"]),
    ],
)
def test_a_bad_submission_is_refused(tmp_path, records, words):
    path = write_lines(tmp_path / "predictions.json", records)
    refused(lambda: task.check_submission(path, entities={"5"}), "predictions.json", *words)


def test_entities_are_checked_against_a_knowledge_base_alone(tmp_path):
    path = write_lines(tmp_path / "a.json", [record(("渡口", 3, 6), ("主角", 7))])
    assert task.check_submission(path) == task.check_submission(path, entities={"6"}) == 1
    refused(lambda: task.check_submission(path, entities=set()), '"6"')


def test_every_id_with_its_text_once_and_in_order(tmp_path):
    path = tmp_path / "predictions.zip"
    examples = [task.Example(id, f"第{id}句", None, 1) for id in "1234"]
    task.write_submission(path, examples[:3], [[], [], []])
    assert task.check_submission(path, examples[:3]) == 3
    refused(lambda: task.check_submission(path, [examples[0], examples[2], examples[1]]), "zip:2:", "text 2 of the 3")
    refused(lambda: task.check_submission(path, examples[:2]), "zip:3:", "of the 2")
    refused(lambda: task.check_submission(path, examples), "3 of 4")
    changed = [examples[0], task.Example("2", "另一句", None, 2), examples[2]]
    refused(lambda: task.check_submission(path, changed), "zip:2:", "id with its text")


def test_a_nested_zip_is_refused(tmp_path):
    path = zip_of(write_lines(tmp_path / "a.json", [record()]), "folder/a.json")
    refused(lambda: task.check_submission(path), "flat")


# The metric, rule by rule


def counts(gold, predicted):
    links = metric.score([("1", gold)], [("1", predicted)]).links
    return links.predicted, links.gold, links.correct


A5, A6, B7 = M("甲", 0, 5), M("甲", 0, 6), M("乙", 4, 7)


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([A5], [A5], (1, 1, 1)),
        # mention, offset and entity must be equal, as they are
        ([A5], [A6], (1, 1, 0)),
        ([A5], [M("甲", 1, 5)], (1, 1, 0)),
        ([A5], [M("甲乙", 0, 5)], (1, 1, 0)),
        ([M("NBA", 0, 5)], [M("nba", 0, 5)], (1, 1, 0)),
        ([M("甲", 0, "x")], [M("甲", 0, "X")], (1, 1, 0)),
        # NIL is left out on both sides
        ([A5, M("乙", 4)], [A5], (1, 1, 1)),
        ([A5], [A5, M("乙", 4)], (1, 1, 1)),
        ([M("甲", 0)], [M("甲", 0)], (0, 0, 0)),
        ([M("甲", 0)], [A5], (1, 0, 0)),
        ([A5], [M("甲", 0)], (0, 1, 0)),
        ([M("甲", 0, "nil")], [], (0, 1, 0)),  # only NIL is NIL
        # sets: repeating changes nothing, but another entity is another tuple
        ([A5, A5], [A5, A5, A5], (1, 1, 1)),
        ([A5], [A5, A6], (2, 1, 1)),
        ([A5, A6], [A6], (1, 2, 1)),
        # one name in several places, and places within places
        ([A5, M("甲", 4, 5)], [M("甲", 4, 5)], (1, 2, 1)),
        ([A5, M("甲乙", 0, 8)], [A5, M("甲乙", 0, 8)], (2, 2, 2)),
        # no text is looked at: empty mentions and impossible offsets are tuples
        ([M("", -3, 5)], [M("", -3, 5)], (1, 1, 1)),
        ([], [A5], (1, 0, 0)),
        ([A5], [], (0, 1, 0)),
        ([], [], (0, 0, 0)),
    ],
)
def test_rule(gold, predicted, expected):
    assert counts(gold, predicted) == expected


def test_offsets_are_compared_as_numbers(tmp_path):
    forms = ["3", 3, "03", " 3 ", "+3"]
    paths = [write_lines(tmp_path / f"{number}.json", [with_mention(offset=form)]) for number, form in enumerate(forms)]
    assert {
        metric.score(task.read_submission(paths[0]), task.read_submission(path)).figures()["f1"] for path in paths
    } == {1.0}


def test_texts_are_told_apart_by_their_ids():
    gold = [("1", [A5]), ("2", [B7])]
    assert metric.score(gold, [("1", [B7]), ("2", [A5])]).links.correct == 0
    assert metric.score(gold, [("2", [B7]), ("1", [A5])]).links.correct == 2


def test_ids_that_only_one_side_has_count():
    comparisons = metric.compare([("1", [A5]), ("2", [B7])], [("3", [A5, B7]), ("1", [A5])])
    assert [one.id for one in comparisons] == ["1", "2", "3"]
    assert metric.total(comparisons).links == metric.Count(predicted=3, gold=2, correct=1)


def test_mentions_of_an_id_that_stands_twice_add_up_to_a_set():
    score = metric.score([("1", [A5]), ("2", []), ("1", [B7, A5])], [("1", [B7]), ("1", [B7, A6])])
    assert score.links == metric.Count(predicted=2, gold=2, correct=1)


def test_figures_are_not_rounded():
    gold = [("1", [A5, B7, M("丙", 9, 1)])]
    figures = metric.score(gold, [("1", [A5, M("乙", 4, 9)])]).figures()
    assert (figures["precision"], figures["recall"]) == (1 / 2, 1 / 3) and math.isclose(
        figures["f1"], 0.4, abs_tol=1e-15
    )


# Beside it


@pytest.mark.parametrize(
    ("gold", "predicted", "mentions", "linked", "unlinked"),
    [
        # the entity does not matter to the mention, and NIL is a mention like others
        ([A5, B7], [A6, M("丙", 9)], (2, 2, 1), (0, 1), (0, 0)),
        ([A5, M("乙", 4)], [A5, M("乙", 4)], (2, 2, 2), (1, 1), (1, 1)),
        ([A5, M("乙", 4)], [M("甲", 0), B7], (2, 2, 2), (0, 1), (0, 1)),
        # what is not found at its place says nothing of the linker
        ([A5, B7], [M("甲", 1, 5), M("乙丙", 4, 7)], (2, 2, 0), (0, 0), (0, 0)),
        # who gives a mention two entities, is not right, however often it is counted
        ([A5], [A5, A6], (1, 1, 1), (0, 1), (0, 0)),
        ([A5], [A5, A5], (1, 1, 1), (1, 1), (0, 0)),
        ([A5, A6], [A6, A5], (1, 1, 1), (1, 1), (0, 0)),
        ([M("甲", 0)], [M("甲", 0), A5], (1, 1, 1), (0, 0), (0, 1)),
        ([], [], (0, 0, 0), (0, 0), (0, 0)),
    ],
)
def test_what_stands_beside_the_score(gold, predicted, mentions, linked, unlinked):
    score = metric.score([("1", gold)], [("1", predicted)])
    assert (score.mentions, score.linked, score.unlinked) == (metric.Count(*mentions), linked, unlinked)


def test_all_figures():
    gold = [("1", [A5, B7, M("丙", 9, 1), M("丁", 12)])]
    figures = metric.score(gold, [("1", [A5, M("乙", 4, 9), M("戊", 20, 3)])]).figures()
    assert list(figures) == [
        "precision",
        "recall",
        "f1",
        "mention_precision",
        "mention_recall",
        "mention_f1",
        "linking_accuracy",
    ]
    assert [round(value, 12) for value in figures.values()] == [
        round(x, 12) for x in (1 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 4, 4 / 7, 1 / 2)
    ]
    assert set(metric.score([], []).figures().values()) == {0.0}


# The metric against itself and against a slow one

MENTIONS = strategies.builds(
    task.Mention, strategies.sampled_from(["甲", "甲乙", "乙"]), strategies.integers(0, 2), ENTITIES
)
LINES = strategies.lists(
    strategies.tuples(strategies.sampled_from("123"), strategies.lists(MENTIONS, max_size=4)), max_size=5
)


def slow_counts(gold, predictions, leave_out_nil, with_entity):
    """As the definition says it: sets of tuples over all lines."""
    sides = []
    for lines in (predictions, gold):
        tuples = [(id, one.text, one.offset, one.entity) for id, mentions in lines for one in mentions]
        tuples = [one for one in tuples if not (leave_out_nil and one[3] == "NIL")]
        sides.append({one if with_entity else one[:3] for one in tuples})
    return metric.Count(len(sides[0]), len(sides[1]), len(sides[0] & sides[1]))


@settings(max_examples=100)
@given(LINES, LINES)
def test_the_metric_equals_a_slow_one(gold, predictions):
    score = metric.score(gold, predictions)
    assert score.links == slow_counts(gold, predictions, leave_out_nil=True, with_entity=True)
    assert score.mentions == slow_counts(gold, predictions, leave_out_nil=False, with_entity=False)
    assert score.linked.found + score.unlinked.found == score.mentions.correct
    comparisons = metric.compare(gold, predictions)
    assert sum(len(one.wrong) for one in comparisons) == score.links.predicted - score.links.correct
    assert sum(len(one.missed) for one in comparisons) == score.links.gold - score.links.correct


@settings(max_examples=50)
@given(LINES, LINES, strategies.randoms(use_true_random=False))
def test_order_does_not_matter_and_gold_scores_1(gold, predictions, random):
    def shuffled(lines):
        return random.sample([(id, random.sample(mentions, len(mentions))) for id, mentions in lines], len(lines))

    assert metric.score(shuffled(gold), shuffled(predictions)) == metric.score(gold, predictions)
    figures = metric.score(gold, shuffled(gold)).figures()
    has_links = any(one.entity != task.NIL for _, mentions in gold for one in mentions)
    assert figures["f1"] == figures["linking_accuracy"] == (1.0 if has_links else 0.0)


# The kinds of errors


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        ([A5], [A6], "right mention, wrong entity"),
        ([A5], [M("甲", 7, 5)], "right name at another offset"),
        ([A5], [M("甲", 7, 6)], "right name at another offset"),
        ([M("甲乙", 3, 5)], [M("小甲乙", 2, 5)], "mention too long"),
        ([M("甲乙", 3, 5)], [M("乙", 4, 5)], "mention too short"),
        ([M("甲乙", 3, 5)], [M("乙丙", 4, 5)], "mention overlaps with the right one"),
    ],
)
def test_a_missed_and_a_wrong_link_form_a_pair(gold, predicted, kind):
    found = evaluation.find_errors(metric.compare([("1", gold)], [("1", predicted)]))
    assert {name: list_ for name, list_ in found.items() if list_} == {
        kind: [evaluation.Error("1", gold[0], predicted[0])]
    }


OTHER = M("丁", 20, 8)


@pytest.mark.parametrize(
    ("gold", "predicted", "kind", "beside"),
    [
        # of gold alone
        ([A5], [M("甲", 0)], "right mention, NIL instead of its entity", M("甲", 0)),
        ([M("甲乙", 0, 8), M("甲", 0, 5)], [M("甲乙", 0, 8)], "missed within another mention", M("甲乙", 0, 8)),
        ([M("甲", 0, 5)], [M("甲乙", 0)], "missed within another mention", M("甲乙", 0)),
        ([M("甲乙", 0, 5)], [M("乙", 1)], "missed, overlaps with another mention", M("乙", 1)),
        ([A5], [], evaluation.NEVER_PREDICTED, None),
        ([B7, M("乙", 9, 7)], [B7], evaluation.PREDICTED_ELSEWHERE, None),
        # predicted alone
        ([M("甲", 0)], [A5], "right mention, an entity instead of NIL", M("甲", 0)),
        ([M("甲乙", 0, 8)], [M("甲乙", 0, 8), M("甲", 0, 5)], "spurious within another mention", M("甲乙", 0, 8)),
        ([M("甲", 0)], [M("甲乙", 0, 5)], "spurious, overlaps with another mention", M("甲", 0)),
        ([], [A5], evaluation.NEVER_IN_GOLD, None),
        ([B7], [B7, M("乙", 9, 7)], evaluation.IN_GOLD_ELSEWHERE, None),
    ],
)
def test_what_has_no_counterpart_is_explained_by_what_stands_beside_it(gold, predicted, kind, beside):
    comparisons = metric.compare([("1", [*gold, OTHER])], [("1", [*predicted, OTHER])])
    found = {name: list_ for name, list_ in evaluation.find_errors(comparisons).items() if list_}
    (comparison,) = comparisons
    if comparison.missed:
        assert found == {kind: [evaluation.Error("1", comparison.missed[0], beside)]}
    else:
        assert found == {kind: [evaluation.Error("1", beside, comparison.wrong[0])]}


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        ([A5, A6], [M("甲", 0, 7)], "missed within another mention"),
        ([A5], [A6, M("甲", 0, 7)], "spurious within another mention"),
    ],
)
def test_only_nil_is_called_nil(gold, predicted, kind):
    found = evaluation.find_errors(metric.compare([("1", gold)], [("1", predicted)]))
    assert {name: len(list_) for name, list_ in found.items() if list_} == {"right mention, wrong entity": 1, kind: 1}


def test_a_pair_is_of_the_kind_that_is_most_alike():
    found = evaluation.find_errors(metric.compare([("1", [A5])], [("1", [M("甲乙", 0, 5), A6])]))
    (pair,) = found["right mention, wrong entity"]
    assert pair.predicted == A6 and len(found["spurious, overlaps with another mention"]) == 1


@settings(max_examples=80)
@given(LINES, LINES)
def test_every_error_has_exactly_one_kind(gold, predictions):
    comparisons = metric.compare(gold, predictions)
    kinds = evaluation.find_errors(comparisons)
    of_gold = (*evaluation.PAIRS, *evaluation.MISSED, evaluation.NEVER_PREDICTED, evaluation.PREDICTED_ELSEWHERE)
    of_predicted = (*evaluation.PAIRS, *evaluation.WRONG, evaluation.NEVER_IN_GOLD, evaluation.IN_GOLD_ELSEWHERE)
    assert set(of_gold) | set(of_predicted) == kinds.keys()
    missed = Counter((error.id, error.gold) for kind in of_gold for error in kinds[kind])
    wrong = Counter((error.id, error.predicted) for kind in of_predicted for error in kinds[kind])
    assert missed == Counter((one.id, mention) for one in comparisons for mention in one.missed)
    assert wrong == Counter((one.id, mention) for one in comparisons for mention in one.wrong)
    sizes = [len(kind) for kind in kinds.values()]
    assert sizes == sorted(sizes, reverse=True)
    evaluation.print_report(metric.total(comparisons), comparisons, dict.fromkeys("12", "一句话"))


@settings(max_examples=50)
@given(LINES, LINES)
def test_names_share_the_counts_of_all(gold, predictions):
    comparisons = metric.compare(gold, predictions)
    names, links = evaluation.count_names(comparisons), metric.total(comparisons).links
    columns = zip(*((part.predicted, part.gold, part.correct) for part in names.values()))
    assert [sum(column) for column in columns] in ([links.predicted, links.gold, links.correct], [])
    costs = [part.predicted + part.gold - 2 * part.correct for part in names.values()]
    assert costs == sorted(costs, reverse=True)


# evaluate.py


@pytest.fixture
def files(tmp_path):
    """Gold and predictions: 2 of 4 predicted links are right, of 3 in gold."""
    gold = [
        record(("渡口", 3, 5), ("主角", 7), ("渡口", 9, 6)),
        record(("小镇", 0), ("码头", 3, 9), id="二", text="小镇的码头"),
        record(id="三", text="什么也没有"),
    ]
    predictions = [
        record(("渡口", 3, 5), ("主角", 7), ("渡口", 9, 5)),
        record(("小镇", 0, 4), ("码头", 3, 9), id="二", text="小镇的码头"),
        record(id="三", text="什么也没有"),
    ]
    return write_lines(tmp_path / "gold.json", gold), write_lines(tmp_path / "predictions.json", predictions)


FIGURES = {"precision": 1 / 2, "recall": 2 / 3, "f1": 4 / 7}


def test_evaluate_prints_one_json_object_and_nothing_else(files, capsys):
    figures, err = json_figures(capsys, FOLDER, *files)
    assert figures == pytest.approx(FIGURES, abs=1e-12) and list(figures) == list(FIGURES) and err == ""


def test_evaluate_prints_counts_a_table_and_the_errors(files, capsys):
    with not_importing(*HEAVY):
        evaluate(FOLDER, *files)
    captured = capsys.readouterr()
    for words in (
        "precision 0.5000   2 correct of 4 predicted links\n",
        "recall    0.6667   2 found of 3 gold links\n",
        "f1        0.5714   in 3 texts",
        "mentions  precision 1.0000  recall 1.0000  f1 1.0000 ",
        "linking   accuracy 0.6667   2 right of 3 ",
        "NIL       accuracy 0.5000   1 right of 2 ",
        "渡口                       2          2        1     0.5000  0.5000  0.5000\n"
        "小镇                       0          1        0     0.0000  0.0000  0.0000\n\n",
        f"1  right mention, wrong entity\n          {TEXT}\n"
        "            gold       渡口 | 9 | 6\n            predicted  渡口 | 9 | 5\n",
        "1  right mention, an entity instead of NIL\n          小镇的码头\n",
    ):
        assert words in captured.out
    assert "码头 " not in captured.out, "a name without errors"
    assert captured.err == ""


def test_evaluate_reads_zips(files):
    assert evaluate(FOLDER, files[0], zip_of(files[1], "p.json"), "--json") == pytest.approx(FIGURES, abs=1e-12)


def test_gold_is_a_submission_too(files, capsys):
    assert set(evaluate(FOLDER, files[0], files[0], "--json").values()) == {1.0}
    evaluate(FOLDER, files[0], files[0])
    captured = capsys.readouterr()
    assert "errors" not in captured.out and captured.err == ""


def test_gold_mentions_that_training_leaves_out_count(tmp_path, capsys):
    gold = write_lines(tmp_path / "gold.json", [record(("渡口", 3, 5), ("渡口", 4, 5), ("渡口", 3, 6))])
    predictions = write_lines(tmp_path / "predictions.json", [record(("渡口", 3, 5))])
    assert evaluate(FOLDER, gold, predictions, "--json")["recall"] == 1 / 3
    assert "WARNING: 1 mentions of gold are not at their offset, and count all the same" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("predictions", "warning"),
    [
        ([record(("渡口", 3))], "NOTHING IS PREDICTED but NIL for the 3 texts and 3 links"),
        ([record(("渡口", 3, 5), id="别的")], "1 of 1 predicted ids are not in gold"),
        ([record(("渡口", 3, 5))], "2 of 3 gold ids have no line"),
        ([record(("渡口", 3, 5))] * 3, "1 ids stand several times"),
        ([record(("渡口", 3, 5), ("渡口", 10, 6))], "1 of 2 predicted mentions are not at their offset"),
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
        (
            '{"text_id": "1", "text": "", "mention_data": []}\n{"text_id": "2", "text": ""}\n',
            ["broken.json:2:", "mention_data"],
        ),
        (
            '{"text_id": "1", "text": "", "mention_data": []}\n{"text": "", "mention_data": []}\n',
            ["broken.json:2:", "text_id"],
        ),
        (None, ["broken.json", "no such file"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(files, tmp_path, side, broken, words):
    path = tmp_path / "broken.json"
    if broken is not None:
        write(path, broken)
    evaluation_refused(FOLDER, *((path, files[1]) if side == "gold" else (files[0], path)), *words)


def test_gold_has_an_id_once(files, tmp_path):
    evaluation_refused(
        FOLDER, write_lines(tmp_path / "twice.json", [record(), record()]), files[1], "twice.json:2:", "line 1"
    )


# Real files, where they are


@needs(GOLDEN)
def test_golden_files_raise_doubts(capsys):
    _, err = json_figures(capsys, FOLDER, GOLDEN / "gold.json", GOLDEN / "pred.json")
    assert "6 of 300 gold ids have no line" in err and "51 of 860 predicted mentions" in err


@needs(DATA)
def test_real_files_are_read_and_written(tmp_path):
    refused(lambda: task.find_knowledge_base(DATA), "no kb_data file", "--knowledge-base FILE")
    source, files = task.find_knowledge_base(DATA, DATA / "kb_data_ids_only"), task.find_files(DATA)
    entities = {json.loads(line)["subject_id"] for line in source.read_text("utf-8").splitlines()}
    skipped = Counter()
    assert len(task.read(files.train, labelled=True, skipped=skipped)) == 8000
    examples = task.read(files.dev, labelled=True, skipped=skipped)
    assert len(examples) == 500 and not skipped
    task.write_submission(tmp_path / "gold.zip", examples, [example.mentions for example in examples])
    assert task.check_submission(tmp_path / "gold.zip", examples, entities) == 500
    assert set(
        metric.score(task.read_submission(files.dev), task.read_submission(tmp_path / "gold.zip")).figures().values()
    ) == {1.0}
