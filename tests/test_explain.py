"""scripts/explained and scripts/explain.py: every output of a run of any contest, over the characters of its texts."""

import json

import numpy as np
import pytest

from common.command_line import UserError

import competition
from contests import (
    NL2SQL,
    RELATION_EXTRACTION,
    WEBQA,
    in_default,
    these,
)
from helpers import write
from workshop import check_refusal, run_here, succeeds

from explained import attributions, explain, open_explained, outputs  # isort: skip - in scripts/, like shown
from explained._readings import _spread  # isort: skip
from shown import gold, shown  # isort: skip

SCRIPTS = competition.ROOT / "scripts"
some_contests = in_default(
    RELATION_EXTRACTION, WEBQA, reason="two contests have all that is shared; each has a module of a page of its own"
)


@pytest.fixture(scope="module")
def opened(workshop):
    """A run that knows its examples by heart: the last one asked for is kept."""
    kept = {}

    def open_once(contest):
        if contest.folder not in kept:
            kept.clear()
            with workshop.networks_built_once(contest.folder):
                kept[contest.folder] = open_explained(workshop.trained(contest).run)
        return kept[contest.folder]

    return open_once


def labelled(contest, live, data):
    """The examples of a run as task.read gives them."""
    task, more = live.module("task"), []
    if live.schema is not None:
        more = [live.schema]
    elif contest is NL2SQL:
        more = [data]
    with competition.inside(contest.folder):
        return task.read(data / "dev.json", *more, labelled=True)


@some_contests
def test_what_a_run_says_is_explained_completely(workshop, opened, contest):
    live = opened(contest)
    examples = labelled(contest, live, workshop.trained(contest).data)[:1]
    weights = [weight.numpy() for weight in network_of(live).weights]
    for example in examples:
        texts = [text for _, text in shown(contest.folder, example).texts]
        found = explain(live, example)
        assert [len(values) for values in found.texts] == [len(text) for text in texts]
        change, total = found.value - found.baseline, sum(values.sum() for values in found.texts) + found.elsewhere
        # Of NL2SQL and its many units that are cut at 0, see docs/attribution.md.
        most = 0.05 if contest is NL2SQL else 0.01
        assert abs(change) > 0.1 and found.error < most and abs(total - change) <= most * abs(change) + 1e-6
        assert any(values.any() for values in found.texts)
    assert all(
        np.array_equal(before, weight.numpy()) for before, weight in zip(weights, network_of(live).weights, strict=True)
    )


def network_of(live):
    for path in ("network", "networks"):
        if hasattr(live.predictor, path):
            found = getattr(live.predictor, path)
            return getattr(found, "training", found)


@some_contests
def test_the_outputs_of_a_labelled_answer_add_up(workshop, opened, contest):
    live = opened(contest)
    example = labelled(contest, live, workshop.trained(contest).data)[0]
    record = gold(contest.folder, example)
    names = outputs(live, example, record)
    assert names and all(names)
    together = explain(live, example, record, steps=8)
    single = [explain(live, example, record, number, steps=8) for number in range(min(len(names), 6))]
    if len(names) <= 6:
        assert sum(one.value for one in single) == pytest.approx(together.value, rel=1e-4, abs=1e-3)
    assert [one.output for one in single] == names[:6]
    own = live.answers([example])[0].record
    for same in (explain(live, example, own, steps=8), explain(live, example, steps=8)):
        assert same.output == ", ".join(outputs(live, example, own)) and same.value != same.baseline
    by_name = explain(live, example, record, names[0], steps=8)
    np.testing.assert_array_equal(np.concatenate(by_name.texts), np.concatenate(single[0].texts))
    with pytest.raises(UserError, match="output 99: there is none - the outputs are"):
        explain(live, example, record, 99)


@some_contests
def test_the_baseline_of_masks_is_complete_too(workshop, opened, contest):
    live = opened(contest)
    example = labelled(contest, live, workshop.trained(contest).data)[0]
    found = explain(live, example, baseline="mask")
    gap = abs(sum(values.sum() for values in found.texts) + found.elsewhere - (found.value - found.baseline))
    assert gap <= 0.03 * abs(found.value - found.baseline) + 1e-4
    assert found.elsewhere == 0 or contest.folder in (NL2SQL.folder, "ccks2019_entity_linking")


@these(RELATION_EXTRACTION)
def test_an_answer_that_is_nowhere_and_none_have_no_attributions(contest, workshop, opened):
    live = opened(contest)
    example = labelled(contest, live, workshop.trained(contest).data)[0]
    record = gold(contest.folder, example)
    nowhere = {**record, "spo_list": [{**record["spo_list"][0], "subject": "没有的人"}]}
    empty = {**record, "spo_list": []}
    found = attributions(live, [example] * 3, [nowhere, empty, record], steps=8)
    assert [[len(text) for text in texts] for texts in found] == [[len(example.text)]] * 3
    assert not found[0][0].any() and not found[1][0].any() and found[2][0].any()
    with pytest.raises(UserError, match="the answer has no output"):
        explain(live, example, empty, 0)


@these(RELATION_EXTRACTION)
def test_what_an_answer_says_of_the_text_weighs_more_than_the_rest(contest, workshop, opened):
    """A run that knows an example by heart looks at the characters of the triple itself more than at others."""
    live = opened(contest)
    examples = labelled(contest, live, workshop.trained(contest).data)
    inside, outside = [], []
    for example in examples[:4]:
        triple = example.triples[0]
        [values] = attributions(live, [example], [{"spo_list": [_item(triple)]}], steps=16)[0:1]
        marked = np.zeros(len(example.text), bool)
        for piece in (triple.subject, triple.slots["@value"]):
            start = example.text.find(piece)
            marked[start : start + len(piece)] = True
        inside.append(np.abs(values[0][marked]).mean())
        outside.append(np.abs(values[0][~marked]).mean())
    assert np.mean(inside) > np.mean(outside)


def _item(triple):
    return {"subject": triple.subject, "predicate": triple.predicate, "object": triple.slots}


def explained_by_script(workshop, contest, flags):
    with workshop.networks_built_once(contest.folder):
        return run_here(SCRIPTS, "explain", flags)


@these(RELATION_EXTRACTION)
def test_the_script_shows_marks_and_writes_everything(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    flags = [trained.run, "--input", trained.data / "dev.json", "--examples", 2, "--steps", 16]
    done = succeeds(explained_by_script(workshop, contest, [*flags, "--output", tmp_path / "why.jsonl"]))
    records = [json.loads(line) for line in (tmp_path / "why.jsonl").read_text("utf-8").splitlines()]
    assert len(records) == 2 and "2 of 2 examples explained" in done.out
    for record, example in zip(records, trained.examples):
        assert record["texts"][0]["text"] == example["text"]
        assert len(record["texts"][0]["attributions"]) == len(example["text"])
        total = sum(sum(text["attributions"]) for text in record["texts"]) + record["elsewhere"]
        change = record["value"] - record["baseline"]
        assert abs(total - change) <= record["error"] * abs(change) + 1e-3
        assert f"f {record['value']:.3f}" in done.out
    assert any(set(line) <= set("+- ") and "+" in line for line in done.out.splitlines())

    one = succeeds(explained_by_script(workshop, contest, [*flags, "--gold", "--output-number", 1]))
    triple = trained.examples[0]["spo_list"][0]
    assert f"> 1  {triple['subject']} | {triple['predicate']}" in one.out
    none = succeeds(explained_by_script(workshop, contest, [*flags, "--output-number", 50]))
    assert "0 of 2 examples explained" in none.out and "nothing to explain" in none.out


@these(RELATION_EXTRACTION)
def test_the_script_refuses_in_one_line(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    data = trained.data / "dev.json"

    def refuses(*flags, words):
        check_refusal(run_here(SCRIPTS, "explain", flags), *words)

    refuses(tmp_path, "--input", data, words=[tmp_path])
    refuses(trained.run, "--input", tmp_path / "none.json", words=["none.json"])
    refuses(trained.run, "--input", data, "--steps", 1, words=["--steps 1"])
    refuses(trained.run, "--input", data, "--tables", data, words=["--tables", "NL2SQL"])
    broken = write(tmp_path / "broken.json", {"text": 5})
    refuses(trained.run, "--input", broken, words=[f"{broken}:1"])


def test_whole_tokens_are_spread_over_their_characters():
    texts = [np.zeros(4), np.zeros(2)]
    assert _spread(np.array([6.0, 1.0, -2.0, 5.0]), [(0, 0, 3), (0, 3, 4), (1, 0, 2), None], texts) == 5
    assert [text.tolist() for text in texts] == [[2, 2, 2, 1], [-1, -1]]
