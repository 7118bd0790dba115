"""Events out of linked arguments, and roles that exclude each other, in event extraction. Every sentence here is
invented."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.encoders.bert import BertEncoder
from common.options import EncoderOptions
from common.runs.directory import Run

import competition
from helpers import refused, write
from test_lic2020_event_extraction_model import (
    CLASSES,
    MARRY,
    NAMES,
    RELEASE,
    SCHEMA,
    WIN,
    class_of,
    event,
    place,
    windows_of,
)

FOLDER = "lic2020_event_extraction"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
features = competition.load(FOLDER, "features")
cliques = competition.load(FOLDER, "cliques")
decode = competition.load(FOLDER, "decode")
predict = competition.load(FOLDER, "predict")

Settings = decode.Settings
SURE = Settings(0.0)


@pytest.fixture(scope="module")
def bert():
    """An encoder for features only, that knows all characters of the tests."""
    texts = ["昨晚云桥队、北州队击败澜江队夺冠；顾南与许青结婚，白鹿公司发布新机战胜Abc9阿木阿水的" * 2] * 2
    return BertEncoder.from_texts(texts, EncoderOptions(encoder="bert", hidden_size=8, max_length=64))


# Cliques


def enumerated(neighbours):
    """All maximal cliques, by trying all subsets."""
    nodes = range(len(neighbours))
    all_cliques = [
        set(some)
        for size in range(1, len(neighbours) + 1)
        for some in itertools.combinations(nodes, size)
        if all(other in neighbours[one] for one, other in itertools.combinations(some, 2))
    ]
    return sorted(sorted(one) for one in all_cliques if not any(one < other for other in all_cliques))


@settings(max_examples=150)
@given(
    st.integers(0, 8).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.tuples(*[st.integers(0, max(0, n - 1))] * 2))))
)
def test_maximal_cliques_against_all_subsets(graph):
    count, pairs = graph
    neighbours = [set() for _ in range(count)]
    for one, other in pairs if count else ():
        if one != other:
            neighbours[one].add(other)
            neighbours[other].add(one)
    assert cliques.maximal_cliques(neighbours) == enumerated(neighbours)


def test_groups_are_cliques_of_the_nodes_alone():
    links = {("a", "b"), ("c", "b"), ("a", "foreign"), ("d", "d")}
    assert cliques.linked_groups(["b", "a", "c", "d"], links) == [["b", "a"], ["b", "c"], ["d"]]
    assert cliques.linked_groups([], links) == []


def test_too_many_nodes_are_one_group():
    nodes = list(range(cliques.MOST_NODES + 1))
    assert cliques.linked_groups(nodes, set()) == [nodes]
    assert len(cliques.linked_groups(nodes[:-1], set())) == cliques.MOST_NODES


# Labels and links -> events

TWO_MATCHES = (
    "昨晚云桥队击败澜江队，北州队战胜云桥队",
    event(WIN, "击败", ("时间", "昨晚", 0), ("胜者", "云桥队", 2), ("败者", "澜江队", 7), start=5),
    event(WIN, "战胜", ("时间", "昨晚", 0), ("胜者", "北州队", 11), ("败者", "云桥队", 16), start=14),
)


def through(encoder, text, *events, head="gplinker"):
    windows, lost = windows_of(encoder, (text, *events))
    assert not lost
    scores = decode.gold_scores(windows, CLASSES, head)
    return decode.Predictor(None, encoder, CLASSES).decode([task.Example("1", text, events, 1)], scores, SURE)[0]


def test_two_events_of_one_type_stay_two_and_share_an_argument(bert):
    assert through(bert, *TWO_MATCHES) == list(TWO_MATCHES[1:])
    assert len(through(bert, *TWO_MATCHES, head="global_pointer")) == 1


def test_what_is_linked_is_the_first_and_the_last_tokens_of_an_event(bert):
    [window], _ = windows_of(bert, TWO_MATCHES)
    batch = features.collate([window, window], CLASSES, "gplinker")
    expected = set()
    for of_event in window.events:
        for one, other in itertools.permutations(of_event, 2):
            for edge in (0, 1):
                if one[edge] <= other[edge]:
                    expected.add((edge, one[edge], other[edge]))
    links = batch["links"].tolist()
    assert links == [[row, *link] for row in (0, 1) for link in sorted(expected)] and batch["links"].dtype == np.int32
    assert set().union(*window.events) == window.tags and len(window.events) == 2


def linked_slowly(tags, logits, lowest):
    found = set()
    for one, other in itertools.combinations(tags, 2):
        kinds, roles = zip(*(CLASSES.pairs[tag[2]] for tag in (one, other)))
        scores = [logits[edge, min(one[edge], other[edge]), max(one[edge], other[edge])] for edge in (0, 1)]
        if kinds[0] == kinds[1] and roles != (None, None) and min(scores) > lowest:
            found.add((frozenset((one, other)), min(scores)))
    return found


def test_links_of_tags_against_a_slow_reference():
    for seed in range(30):
        generator = np.random.default_rng(seed)
        logits = np.rint(generator.normal(0.5, 1, (2, 6, 6)) * 2) / 2
        drawn = {(*sorted(generator.integers(0, 6, 2)), int(generator.integers(len(CLASSES)))) for _ in range(12)}
        tags = [tuple(map(int, tag)) for tag in sorted(drawn)]
        noisy = (logits + generator.uniform(-1e-5, 1e-5, logits.shape)).astype(np.float32)
        scored = [(*tag, float(generator.normal())) for tag in tags]
        for lowest in (0.0, -1.0):
            found = cliques.linked_tags(scored, noisy, CLASSES, lowest)
            expected = linked_slowly(tags, logits, lowest)
            assert {(frozenset(pair), score) for *pair, score in found} == expected and len(found) == len(expected)


def told(events):
    return [(one.trigger, [argument.text for argument in one.arguments]) for one in events]


def test_an_argument_is_of_the_triggers_it_is_linked_with_or_else_of_the_nearest():
    text = "云桥队击败澜江队，战胜"
    winner, loser, first, second = (
        (place(text, piece), class_of(WIN, role))
        for piece, role in (("云桥队", "胜者"), ("澜江队", "败者"), ("击败", None), ("战胜", None))
    )
    labels = {winner, loser, first, second}

    def assembled(*links):
        return told(decode.assemble(text, labels, CLASSES, set(links)))

    assert assembled((winner, first), (winner, second), (second, loser)) == [
        ("击败", ["云桥队"]),
        ("战胜", ["云桥队", "澜江队"]),
    ]
    assert assembled((winner, loser)) == [("击败", ["云桥队", "澜江队"]), ("战胜", [])]


def test_without_a_trigger_events_are_cliques_and_say_nothing_twice():
    text = "云桥队、澜江队、北州队，昨晚，云桥队"
    names = [
        (place(text, piece), class_of(WIN, role))
        for piece, role in (("云桥队", "胜者"), ("澜江队", "败者"), ("北州队", "败者"), ("昨晚", "时间"))
    ]
    winner, loser, other, time = names
    again = place(text, "云桥队", 1), class_of(WIN, "胜者")
    links = {(winner, loser), (winner, time), (time, loser), (other, winner), (other, time)}
    assert told(decode.assemble(text, {*names, again}, CLASSES, links)) == [
        ("", ["云桥队", "澜江队", "昨晚"]),
        ("", ["北州队"]),
    ]


def test_of_triggers_in_doubt_the_best_one_is_kept():
    spans = [
        (1, 1, class_of(WIN), -1.0),
        (2, 2, class_of(WIN), -0.5),
        (3, 3, class_of(WIN, "胜者"), -2.0),
        (4, 4, class_of(WIN), 0.5),
        (4, 5, class_of(MARRY), -3.0),
    ]
    assert decode.without_doubtful_triggers(spans, CLASSES) == spans[2:]
    assert decode.without_doubtful_triggers(spans[:3], CLASSES) == spans[1:3]


@st.composite
def told_apart(draw):
    """A text that names everything once, and events with triggers of their own."""
    words = draw(st.permutations([*NAMES, "击败", "战胜", "结婚"]))
    names, triggers = words[:6], words[6:10]
    text = "".join("，" + word for word in words)
    events = []
    for trigger in triggers[: draw(st.integers(0, 4))]:
        kind = draw(st.sampled_from([*SCHEMA.event_types]))
        pairs = st.tuples(st.sampled_from(SCHEMA.event_types[kind]), st.sampled_from(names))
        arguments = dict.fromkeys(draw(st.lists(pairs, max_size=3)))
        located = [(role, name, text.index("，" + name) + 1) for role, name in sorted(arguments)]
        events.append(event(kind, trigger, *located, start=text.index("，" + trigger) + 1))
    return text, events


def contents(events):
    return sorted((one.event_type, one.trigger, sorted((a.role, a.text) for a in one.arguments)) for one in events)


@settings(max_examples=60)
@given(told=told_apart())
def test_events_with_triggers_come_back_whole_where_their_links_do_not_mix(bert, told):
    text, events = told
    back = through(bert, text, *events)
    record = task.submission_record("1", back, SCHEMA)
    task.check_record(record, SCHEMA, "here", text)
    # Links do not say of which type: two events that have the same two spans lend each other their links.
    spans = [{one.trigger, *(argument.text for argument in one.arguments)} for one in events]
    if all(len(one & other) < 2 for one, other in itertools.combinations(spans, 2)):
        assert contents(back) == contents(events)
    assert {(one.event_type, a.role, a.text) for one in back for a in one.arguments} == {
        (one.event_type, a.role, a.text) for one in events for a in one.arguments
    }


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (competition.COMPETITIONS / FOLDER / "sample", "dev.json"),
        (competition.SHARED / "data" / FOLDER, "dev.json"),
    ],
    ids=["sample dev", "real dev"],
)
def test_gold_is_grouped_as_it_was(folder, name):
    if not (folder / name).is_file():
        pytest.skip(f"{folder} is not there")
    classes = features.Classes(task.Schema.read(folder / "event_schema.json"))
    examples = task.read(folder / name, None, labelled=True)
    encoder = BertEncoder.from_texts([one.text for one in examples], EncoderOptions(encoder="bert", hidden_size=8))
    windows = list(features.labelled_windows(examples, encoder, classes, Counter()))
    predictor, grouping = decode.Predictor(None, encoder, classes), {}
    for head in ("global_pointer", "gplinker"):
        back = predictor.decode(examples, decode.gold_scores(windows, classes, head), SURE)
        comparisons = metric.compare_examples(examples, back)
        grouping[head] = metric.grouping_score(comparisons).f1
    assert metric.total(comparisons).f1 >= 0.999, "official, with what two events share said in both"
    assert grouping["gplinker"] >= 0.99 > 0.97 >= grouping["global_pointer"]


# What a submission may say twice


def test_an_argument_is_repeated_for_another_trigger_only(tmp_path):
    win, text = ("胜者", "云桥队", 0), "云桥队击败澜江队，战胜"

    def check(*events):
        path = tmp_path / "predictions.json"
        task.write_submission(path, ["1"], [events], SCHEMA)
        return task.check_submission(path, SCHEMA, [task.Example("1", text, None, 1)])

    first, second, nameless = event(WIN, "击败", win, start=3), event(WIN, "战胜", win, start=9), event(WIN, "", win)
    assert check(first, second) == 1
    for events in ((first, first), (first, second, first), (first, nameless), (nameless, first)):
        refused(lambda events=events: check(*events), "json:1:", "云桥队", "twice")


# Grouping


def test_grouping_counts_distinct_pairs_of_one_event():
    gold = [
        event(WIN, "a", ("胜者", "甲"), ("败者", "乙"), ("时间", "丙")),
        event(WIN, "b", ("胜者", "甲"), ("败者", "丁")),
    ]
    predicted = [event(WIN, "", ("败者", "乙"), ("胜者", "甲"), ("败者", "丁")), event(MARRY, "", ("时间", "丙"))]
    score = metric.grouping_score(metric.compare([("1", gold)], [("1", predicted)]))
    # Of four pairs two are found, and 乙 with 丁 is none.
    assert (score.gold, score.predicted, score.correct) == (4, 3, 2)
    assert metric.grouping_score(metric.compare([("1", gold)], [("1", gold)])).f1 == 1.0


# Roles that exclude each other


def test_shared_roles_are_those_of_one_type_on_one_span(bert):
    text = "昨晚云桥队击败澜江队"
    both = event(WIN, "击败", ("胜者", "云桥队"), ("败者", "云桥队"), ("时间", "昨晚"))
    windows, _ = windows_of(bert, (text, both, event(MARRY, "", ("时间", "昨晚"), ("结婚双方", "云桥"))))
    shared = features.shared_roles(windows, CLASSES)
    assert shared == [(WIN, "胜者", "败者")]
    allowed = features.may_share(shared, CLASSES)
    for one, other in itertools.product(range(len(CLASSES)), repeat=2):
        (kind, role), (other_kind, other_role) = CLASSES.pairs[one], CLASSES.pairs[other]
        together = kind != other_kind or one == other or {role, other_role} == {"胜者", "败者"} and kind == WIN
        assert allowed[one, other] == together


def test_of_roles_that_exclude_each_other_the_better_stays():
    allowed = features.may_share([], CLASSES)
    winner, loser, product = class_of(WIN, "胜者"), class_of(WIN, "败者"), class_of(RELEASE, "发布产品")
    spans = [
        (1, 2, winner, 1.0),
        (1, 2, loser, 2.0),
        (1, 2, product, 0.5),
        (1, 3, winner, 0.1),
        (4, 4, winner, 1.0),
        (4, 4, loser, 1.0),
    ]
    assert sorted(decode.without_excluded(spans, allowed)) == sorted(spans[1:5])
    assert sorted(decode.without_excluded(spans, np.ones_like(allowed))) == sorted(spans)


def test_a_run_keeps_shared_roles_and_an_older_one_excludes_nothing(tmp_path):
    run, built_with = Run(tmp_path, {}), {"head": "gplinker", "transition_multiplier": 1.0}
    path = write(tmp_path / "network.json", built_with)
    assert predict.allowed_of(run, CLASSES) is None
    shared = [[WIN, "胜者", "败者"], [WIN, None, "时间"], ["没有", "的", "类型"]]
    write(path, {**built_with, "shared_roles": shared})
    allowed = predict.allowed_of(run, CLASSES)
    assert allowed[class_of(WIN), class_of(WIN, "时间")] and not allowed[class_of(WIN), class_of(WIN, "胜者")]
    for content in ({}, [[WIN, "胜者"]], [[1, "胜者", "败者"]]):
        write(path, {**built_with, "shared_roles": content})
        refused(lambda: predict.allowed_of(run, CLASSES), path)
