"""scripts/shown: what of an example and an answer is shown to a person, in every contest."""

from types import SimpleNamespace

import pytest

import competition
from contests import CONTESTS, every_contest
from made_runs import LABELS, dev_of, evaluated
from shown import TASKS, Mark, gold, lines, marks, shown  # scripts/, on the path since `competition` was imported
from shown._places import MOST_PLACES, marks_of, places
from workshop import sample_of

RELATIONS, READING, EVENTS, WEBQA, LINKING, NL2SQL, TITLING = (contest.folder for contest in CONTESTS)


def marked(task, example, answer, **names):
    """(label, piece) pairs."""
    texts = [text for _, text in shown(task, example).texts]
    return [(mark.label, texts[mark.text][mark.start : mark.end]) for mark in marks(task, example, answer, **names)]


@every_contest
def test_gold_and_the_same_as_a_prediction_are_shown_alike(contest):
    task = contest.folder
    examples = dev_of(contest, sample_of(contest))[:20]
    records = evaluated(contest, examples, [LABELS[task](one) for one in examples]).predictions
    for example, record in zip(examples, records):
        part = shown(task, example)
        labels = gold(task, example)
        assert part.texts and all(name and isinstance(text, str) for name, text in part.texts)
        found = marks(task, example, record)
        assert found or task == WEBQA  # where an answer need not stand as it is
        assert found == sorted(found, key=lambda mark: (mark.text, mark.start, -mark.end, mark.label))
        for mark in found:
            assert isinstance(mark, Mark) and 0 <= mark.start < mark.end <= len(part.texts[mark.text][1])
        assert lines(task, example, record) == lines(task, example, labels)[: len(lines(task, example, record))]
        if task not in (READING, WEBQA):  # of which gold may accept more
            assert found == marks(task, example, labels)
        else:
            assert {mark.label for mark in found} <= {"answer"} and all(mark.text for mark in found)


@every_contest
def test_nothing_is_said_of_an_unlabelled_example_and_nothing_shown_of_an_empty_answer(contest):
    task, module = contest.folder, competition.load(contest.folder, "task")
    data = sample_of(contest) / "test.json"
    needs = {RELATIONS: [None], EVENTS: [None], NL2SQL: [data.with_name("test.tables.json")]}
    example = module.read(data, *needs.get(task, []), labelled=False)[0]
    assert gold(task, example) is None
    empty = {
        **{"spo_list": [], "event_list": [], "mention_data": [], "answer": "", "title": ""},
        **{"sel": [], "agg": [], "conds": [], "cond_conn_op": 0},
    }
    assert marks(task, example, empty) == []
    assert lines(task, example, empty) == (["SELECT ?"] if task == NL2SQL else [])


def test_relations_are_marked_with_predicate_and_slot():
    example = SimpleNamespace(text="《雪山》由李明主演，李明饰演阿砂", line=3)
    said = {"subject": "李明", "predicate": "饰演", "object": {"@value": "阿砂", "inWork": "雪山"}}
    answer = {"spo_list": [said, {"subject": "无", "predicate": "主演", "object": "别人"}]}
    assert shown(RELATIONS, example).name == "3"
    expected = [("饰演 inWork", "雪山"), ("饰演 subject", "李明"), ("饰演 subject", "李明"), ("饰演 object", "阿砂")]
    assert marked(RELATIONS, example, answer) == expected
    assert lines(RELATIONS, example, answer) == ["李明 | 饰演 | 阿砂 | inWork: 雪山", "无 | 主演 | 别人"]


def test_an_event_is_where_it_says_and_elsewhere_if_it_is_not_there():
    example = SimpleNamespace(id="7", text="甲队赢了，乙队输了，甲队庆祝")
    arguments = [
        {"role": "胜者", "argument": "甲队", "argument_start_index": 10},
        {"role": "败者", "argument": "乙队", "argument_start_index": 0},
    ]
    answer = {"event_list": [{"event_type": "竞赛-胜负", "trigger": "赢", "arguments": arguments}]}
    assert [(mark.start, mark.label) for mark in marks(EVENTS, example, answer)] == [
        (2, "竞赛-胜负 trigger"),
        (5, "竞赛-胜负 败者"),
        (10, "竞赛-胜负 胜者"),
    ]
    assert lines(EVENTS, example, answer) == ["竞赛-胜负 | 赢 | 胜者: 甲队 | 败者: 乙队"]


def test_mentions_carry_the_names_of_their_entities():
    example = SimpleNamespace(id="1", text="周承野饰演邓沐黛")
    items = [{"kb_id": "9", "mention": "邓沐黛", "offset": "5"}, {"kb_id": "8", "mention": "邓", "offset": "0"}]
    assert marked(LINKING, example, {"mention_data": items}) == [("9", "邓沐黛")]
    named = {"names": {"9": "邓沐黛（演员）", "8": "?"}.get}
    assert marked(LINKING, example, {"mention_data": items}, **named) == [("邓沐黛（演员）", "邓沐黛")]
    assert lines(LINKING, example, {"mention_data": items}, **named)[0] == "邓沐黛 | 5 | 邓沐黛（演员）"


def test_a_query_is_marked_in_question_header_and_rows():
    table = SimpleNamespace(header=("城市", "", "票房"), rows=((("北京"), None, 12.5),) + (("上海", "a\nb", 3),) * 12)
    example = SimpleNamespace(question="北京的票房之和", table=table, line=2)
    answer = {"sel": [2, 9], "agg": [5, 7], "conds": [[0, 2, "北京"], [1, 9, "3"]], "cond_conn_op": 1}
    texts = dict(shown(NL2SQL, example).texts)
    assert texts["table"].splitlines()[:3] == ["城市 |  | 票房", "北京 |  | 12.5", "上海 | a b | 3"]
    assert texts["table"].endswith("… (13)")
    found = marked(NL2SQL, example, answer)
    assert found == [("value", "北京"), ("condition ==", "城市"), ("selected SUM", "票房"), ("value", "北京")]
    (line,) = lines(NL2SQL, example, answer)
    assert line == 'SELECT SUM("票房"), ?7(?9) WHERE "城市" == \'北京\' AND "" ?9 3'


@pytest.mark.parametrize(
    ("title", "pieces"),
    [
        ("金融推荐系统研究", ["金融推荐", "系统", "研究"]),
        ("APP上线", ["App", "上线"]),
        ("很好", []),
        ("", []),
    ],
)
def test_what_a_title_copies_is_marked(title, pieces):
    example = SimpleNamespace(text="金融推荐的系统，研究和App 上线了")
    assert [piece for _, piece in marked(TITLING, example, {"title": title})] == pieces
    assert lines(TITLING, example, {"title": title}) == [title][: len(title)]


def test_every_passage_is_marked():
    passages = [SimpleNamespace(text=text) for text in ("答：岚浦", "不知道", "岚浦。岚浦")]
    example = SimpleNamespace(id="1", question="岚浦？", passages=passages)
    assert [mark[:3] for mark in marks(WEBQA, example, {"answer": "岚浦"})] == [(1, 2, 4), (3, 0, 2), (3, 3, 5)]


def test_places():
    assert places("aa", "aaaa A") == [0, 2] and places("AA", "aaaa") == [0, 2]
    assert places("a", "") == places("", "a") == [] and places("a.", "ab") == []
    assert len(places("a", "a" * 1000)) == MOST_PLACES
    assert marks_of("ab", "x", [(0, "cab")], 5) == [Mark(0, 1, 3, "x")] == marks_of("ab", "x", [(0, "cab")], None)


def test_there_is_a_module_for_each_contest_and_none_for_others():
    assert {*TASKS} == {contest.folder for contest in CONTESTS}
    with pytest.raises(ValueError, match="none of the contests"):
        shown("_places", None)
