"""scripts/live_runs.py: what is typed has the answer that predict.py would write for it, whatever stands beside it."""

import gc
import json
import os
from pathlib import Path

import pytest

from common.submission import json_bytes

import competition
import live_runs  # scripts/, on the path since `competition` was imported
from contests import (
    NL2SQL,
    READING_COMPREHENSION,
    RELATION_EXTRACTION,
    WEBQA,
    every_contest,
    in_default,
    lines,
    these,
)
from helpers import refused, write
from live_helpers import typed
from workshop import numbered, succeeds

ODD_TEXTS = ["", "<script>alert(1)</script>\t天\u0301\u0301", "\ud800" + "甲" * 300]


def submitted(contest, answers):
    """The bytes of a submission that is made of records."""
    records = [answer.record for answer in answers]
    if contest is READING_COMPREHENSION:
        return json_bytes({record["id"]: record["answer"] for record in records}, indent=0) + b"\n"
    if contest is WEBQA:
        return "".join(f"{record['id']}\t{record['answer']}\n" for record in records).encode()
    return lines(records)


@in_default(
    RELATION_EXTRACTION,
    READING_COMPREHENSION,
    NL2SQL,
    reason="three contests stand for all here, and the next test answers in each",
)
def test_answers_are_those_of_predict_whatever_stands_beside_them(workshop, opened, contest, output):
    good = workshop.trained(contest).examples
    examples = numbered(contest, [*good[:3], *(contest.with_text(good[0], text) for text in ODD_TEXTS)])
    succeeds(workshop.predict(contest, examples, output))
    live = opened(contest)
    found = live.examples([typed(contest, example) for example in examples])
    assert len(found) == len(examples) and live.task == contest.folder
    together = live.answers(found)
    assert submitted(contest, together) == output.read_bytes()
    assert [answer for one in found[::2] for answer in live.answers([one])] == together[::2]
    json.dumps(together, allow_nan=False)
    assert all(
        0 <= one["probability"] <= 1.01 for answer in together for one in answer.scores if one.get("probability")
    )


@every_contest
def test_what_the_judge_would_refuse_becomes_the_empty_answer(workshop, opened, contest, monkeypatch):
    live, check = (
        opened(contest),
        next(
            name
            for name in ("check_record", "check_answer", "check_mentions", "")
            if hasattr(opened(contest).module("task"), name or "read")
        ),
    )
    if not check:
        pytest.skip("any title is a title")
    example = workshop.trained(contest).examples[0]

    def refuse(*given):
        raise ValueError("not so")

    monkeypatch.setattr(live.module("task"), check, refuse)
    (answer,) = live.answers(live.examples([typed(contest, example)]))
    values = [
        value for key, value in answer.record.items() if key in ("spo_list", "event_list", "mention_data", "answer")
    ]
    assert values in ([[]], [""]) or answer.record == live.module("predict").NO_ANSWER.record()


@every_contest
def test_examples_that_cannot_be_read_are_named_by_number(workshop, opened, contest):
    live, good = opened(contest), typed(contest, workshop.trained(contest).examples[0])
    refused(lambda: live.examples([good, good, "text"]), "example 3: ")
    refused(lambda: live.examples([good, {}]), "example 2: ", "is missing")
    for key in good.keys() - {"id", "text_id"}:
        for wrong in (None, 5, {"a": []}, [[]]):
            with pytest.raises(ValueError) as error:
                live.examples([good, {**good, key: wrong}])
            assert str(error.value).startswith("example 2: ")
            assert "/proc" not in str(error.value) and "data[0]" not in str(error.value), error.value
    assert live.examples([]) == []


@these(READING_COMPREHENSION, WEBQA)
def test_examples_need_no_names_and_may_share_one(contest, workshop, opened):
    live, good = opened(contest), typed(contest, workshop.trained(contest).examples[0])
    nameless = {key: value for key, value in good.items() if key != "id"}
    assert [one.id for one in live.examples([nameless, nameless])] == ["1", "2"]
    assert [one.id for one in live.examples([good, good])] == [good["id"]] * 2


@these(NL2SQL)
def test_a_table_has_types_by_its_cells_and_is_forgotten(contest, workshop, opened):
    live = opened(contest)
    table = {"header": ["城市", "人口", "编号"], "rows": [["甲", "1,000", "7"], ["乙", "", 8.5], ["丙", "3", " "]]}
    (example,) = live.examples([{"question": "甲的编号是多少", "table": table}])
    assert example.table.types == ("text", "text", "real")
    assert example.table.rows == (("甲", "1,000", 7), ("乙", "", 8.5), ("丙", "3", None))
    (answer,) = live.answers([example])
    assert len(answer.scores) == len(answer.record["sel"]) + len(answer.record["conds"])
    with competition.inside("nl2sql"):
        assert competition.load("nl2sql", "execution").database_of.cache_info().currsize == 0
        assert competition.load("nl2sql", "values").columns_of.cache_info().currsize == 0
    question = {"question": "甲的编号是多少"}
    refused(lambda: live.examples([question]), "example 1: ", '"table" is missing')
    refused(lambda: live.examples([{**question, "table": []}]), "example 1: ", '"table" is a list')
    refused(
        lambda: live.examples([{**question, "table": {**table, "rows": [["甲"]]}}]), "example 1: table: ", "1 cells"
    )
    refused(lambda: live.examples([{**question, "table": {"rows": []}}]), "example 1: table: ", '"header" is missing')


@these(WEBQA)
def test_a_question_is_one_example(contest, workshop, opened):
    evidences = {"1": {"evidence": "甲", "answer": ["no_answer"]}}
    two = {name: {"question": "谁", "evidences": evidences} for name in ("a", "b")}
    refused(lambda: opened(contest).examples([{**two, "id": "x"}]), "example 1: ")


@these(WEBQA)
def test_no_file_stays_open(contest, workshop, opened):
    live, good = opened(contest), typed(contest, workshop.trained(contest).examples[0])
    live.examples([good] * 20)
    with pytest.raises(ValueError):
        live.examples([{}])
    gc.collect()  # readers that tests before have refused, and of others that come and go nothing is to be said
    targets = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    assert targets and not [target for target in targets if "memfd:example" in target]


def test_runs_of_no_contest_are_refused(tmp_path):
    refused(lambda: live_runs.contest_run(tmp_path), "no run directory")
    run = tmp_path / "trees" / "a"
    run.mkdir(parents=True)
    write(run / "config.json", {"task": "trees", "settings": {}, "data": {}})
    refused(lambda: live_runs.contest_run(run), "is a run of trees", "give a run of")


@every_contest
def test_the_sample_has_examples_to_begin_with(contest):
    records = live_runs.sample_records(contest.folder, 3)
    assert len(records) == 3 and records[0] != records[1]
    assert {*records[0]} >= {"table"} if contest is NL2SQL else {*contest.unlabelled(records[0])}
