"""scripts/ensemble.py: an ensemble of one run changes nothing, means are means, and what cannot be one is refused."""

import json
import shutil
import sys
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from common.dev_search import Found
from common.submission import read_json_lines, write_json_lines

import competition
from contests import CONTESTS, ENTITY_LINKING, EVENT_EXTRACTION, NL2SQL, RELATION_EXTRACTION, in_default, these
from helpers import mostly_slow, refused, write
from made_runs import LABELS, dev_of, made_run
from workshop import check_refusal, extra, numbered, run_here, sample_of, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import ensemble  # noqa: E402
from ensembles import contest_of  # noqa: E402
from ensembles._choice import Dev, Part, Trial, best_members, best_weights, parts_of, systems_of  # noqa: E402
from ensembles._contest import mean_candidates, weighted_mean  # noqa: E402


def together(workshop, contest, runs, source, output, *flags):
    data = workshop.trained(contest).data
    flags = [
        *runs,
        "--input",
        source,
        "--output",
        output,
        "--data-dir",
        data,
        *extra(contest.predict_flags, data),
        *flags,
    ]
    with workshop.networks_built_once(contest.folder):
        return run_here(SCRIPTS, "ensemble", flags)


def copied(run, name, noise=0.0):
    """The run in a folder of its own, with other weights."""
    folder = shutil.copytree(run, run.parent / name, dirs_exist_ok=True)
    generator = np.random.default_rng(1)

    def change(_, weight):
        if isinstance(weight, h5py.Dataset) and weight.dtype.kind == "f":
            weight[...] = weight[()] + generator.normal(0, noise, weight.shape)

    if noise:
        with h5py.File(folder / "best.weights.h5", "r+") as file:
            file.visititems(change)
    return folder


def scores_of(path):
    return [record["candidates"] for _, record in read_json_lines(path)]


@in_default(EVENT_EXTRACTION, RELATION_EXTRACTION, reason="every network is built three times")
def test_the_same_run_twice_says_what_predict_says(workshop, contest, output):
    trained = workshop.trained(contest)
    odd = (contest.with_text(trained.examples[0], text) for text in ("", "甲" * 300))
    examples = numbered(contest, [*trained.examples[:3], *odd])
    alone, scores, means = (output.with_name(name) for name in (f"alone{output.suffix}", "scores.json", "means.json"))
    succeeds(workshop.predict(contest, examples, alone, "--scores", scores))
    source = alone.with_name(f"{alone.name}-input.json")
    runs = [trained.run, copied(trained.run, "copy")]
    succeeds(together(workshop, contest, runs, source, output, "--no-search", "--scores", means, "--weights", 1, 0.3))
    assert output.read_bytes() == alone.read_bytes() and means.read_bytes() == scores.read_bytes()


@in_default(EVENT_EXTRACTION, NL2SQL, reason="two runs have the way of one")
def test_one_run_says_what_predict_says(workshop, contest, output):
    trained = workshop.trained(contest)
    alone = output.with_name(f"alone{output.suffix}")
    succeeds(workshop.predict(contest, trained.examples, alone))
    succeeds(together(workshop, contest, [trained.run], alone.with_name(f"{alone.name}-input.json"), output))
    assert output.read_bytes() == alone.read_bytes()


@pytest.mark.parametrize(
    "contest",
    mostly_slow([EVENT_EXTRACTION, ENTITY_LINKING], EVENT_EXTRACTION, reason="the way is that of events"),
    ids=lambda contest: contest.folder,
)
def test_different_runs_are_asked_on_dev_and_their_order_is_nothing(workshop, contest, output):
    trained = workshop.trained(contest)
    runs, source = [trained.run, copied(trained.run, "noisy", noise=0.02)], trained.data / "dev.json"
    means = output.with_name("means.json")
    done = succeeds(together(workshop, contest, runs, source, output, "--scores", means, "--weights", 3, 1))
    answers, lines = output.read_bytes(), scores_of(means)
    assert "ensemble: dev " in done.out and "noisy" in done.out and f"{output}: 8 examples, checked" in done.out
    assert len(contest.answers(answers, trained.examples)) == 8
    again = together(workshop, contest, runs[::-1], source, output, "--scores", means, "--weights", 1, 3)
    assert succeeds(again).out == done.out and output.read_bytes() == answers and scores_of(means) == lines
    single = []
    for run in runs:
        succeeds(together(workshop, contest, [run], source, output, "--scores", means))
        single.append([{_key(one): one["probability"] for one in candidates} for candidates in scores_of(means)])
    assert single[0] != single[1]
    for candidates, one, other in zip(lines, *single):
        for candidate in candidates:
            expected = 0.75 * one.get(_key(candidate), 0) + 0.25 * other.get(_key(candidate), 0)
            assert candidate["probability"] == pytest.approx(expected, abs=1e-12)


def _key(candidate):
    return tuple(value for name, value in candidate.items() if name not in ("probability", "known"))


# Means


def test_means_are_those_of_whole_tables():
    generator = np.random.default_rng(0)
    names = [{"text": str(number % 5), "start": number // 5} for number in range(20)]
    table = generator.random((3, 20)) * (generator.random((3, 20)) < 0.6)
    lists = [[{**names[place], "probability": row[place]} for place in np.argsort(-row) if row[place]] for row in table]
    weights = [1.0, 2.0, 0.5]
    expected = np.average(table, axis=0, weights=weights)
    found = mean_candidates(lists, weights, ("text", "start"))
    assert len(found) == (table.max(0) > 0).sum() and mean_candidates(lists[:1], [7.0], ("text", "start")) == lists[0]
    assert [one["probability"] for one in found] == sorted((one["probability"] for one in found), reverse=True)
    for one in found:
        assert one["probability"] == pytest.approx(expected[names.index({"text": one["text"], "start": one["start"]})])
    turned = mean_candidates(lists[::-1], weights[::-1], ("text", "start"))
    assert sorted(map(str, turned)) == sorted(map(str, found))


def test_the_mean_of_equal_values_is_that_value_and_no_order_counts():
    generator = np.random.default_rng(0)
    for value in generator.random(200).tolist():
        weights = generator.random(7).tolist()
        assert weighted_mean([value] * 7, weights) == value
        values = generator.random(7)
        order = generator.permutation(7)
        assert weighted_mean(values, weights) == weighted_mean(values[order], np.array(weights)[order])
        assert weighted_mean(values, weights) == pytest.approx(np.average(values, weights=weights))


def opened(contest):
    return contest_of(contest.folder)(SimpleNamespace(config={"task": contest.folder}))


def merged(contest, *lists, weights=None):
    lines = [{"candidates": list(candidates)} for candidates in lists]
    return opened(contest).merge(lines, weights or [1.0] * len(lines))["candidates"]


def test_two_borders_of_one_argument_are_one_candidate():
    def span(text, start, probability):
        return {"event_type": "结婚", "role": "时间", "text": text, "start": start, "probability": probability}

    long, short, apart = span("昨天晚上", 3, 0.4), span("昨天", 3, 0.3), span("今天", 9, 0.2)
    assert merged(EVENT_EXTRACTION, [long, apart], [short, apart]) == [{**long, "probability": 0.2}, apart]
    assert merged(EVENT_EXTRACTION, [long, short], []) == [span("昨天晚上", 3, 0.2), span("昨天", 3, 0.15)]
    sure = span("昨天", 3, 1.0)
    assert [one["text"] for one in merged(EVENT_EXTRACTION, [span("昨天晚上", 3, 1.0)], [sure], [sure])] == ["昨天"]
    assert len(merged(EVENT_EXTRACTION, [span("昨天晚上", 3, 1.0)], [sure], weights=[1.0, 0.9])) == 1


def test_links_are_means_of_those_who_know_both_ends():
    def span(role, text, start, probability):
        return {"event_type": "比赛", "role": role, "text": text, "start": start, "probability": probability}

    def link(one, other, probability):
        return {"one": one, "other": other, "probability": probability}

    trigger, winner, loser = span(None, "击败", 3, 0.9), span("胜者", "云桥", 0, 0.8), span("败者", "澜江", 5, 0.6)
    lines = [
        {"candidates": [trigger, winner], "links": [link(0, 1, 0.9)]},
        {"candidates": [winner, trigger, loser], "links": [link(0, 1, 0.3), link(1, 2, 0.7)]},
        {"candidates": [trigger, winner, loser]},
    ]
    contest = opened(EVENT_EXTRACTION)
    found = contest.merge(lines, [1.0, 3.0, 1.0])
    assert [one["text"] for one in found["candidates"]] == ["击败", "云桥", "澜江"]
    assert [(one["one"], one["other"]) for one in found["links"]] == [(0, 1), (0, 2)]
    assert [one["probability"] for one in found["links"]] == pytest.approx([0.45, 0.7])
    assert contest.merge([lines[0]] * 3, [1.0, 2.0, 0.3]) == lines[0]
    assert "links" not in contest.merge([lines[2]] * 2, [1.0, 1.0])
    unheard = {"candidates": [trigger, winner, loser], "links": []}
    assert contest.merge([unheard, lines[1]], [3.0, 1.0])["links"][1] == link(0, 2, pytest.approx(0.175))


def test_who_sees_the_subject_alone_doubts_the_object_alone():
    def pair(object_, subject_probability, object_probability):
        place = (object_ and "导演", object_ and "@value", object_, object_ and 5)
        names = ("predicate", "slot", "object", "object_start", "subject_probability", "object_probability")
        known = {"subject": "远山", "subject_start": 0}
        probability = subject_probability * (object_probability or 1)
        return known | dict(zip(names, (*place, subject_probability, object_probability)), probability=probability)

    [one] = merged(RELATION_EXTRACTION, [pair("顾南", 0.8, 0.6)], [pair(None, 0.4, None)])
    assert (one["subject_probability"], one["object_probability"]) == pytest.approx((0.6, 0.3))
    both = merged(RELATION_EXTRACTION, [pair("顾南", 0.8, 0.6)], [pair("白鹿", 0.4, 0.5)], weights=[3.0, 1.0])
    assert [one["object"] for one in both] == ["顾南", "白鹿"]
    assert [one["subject_probability"] for one in both] == pytest.approx([0.7, 0.7])
    assert [one["object_probability"] for one in both] == pytest.approx([0.45, 0.125])
    [alone] = merged(RELATION_EXTRACTION, [pair(None, 0.8, None)], [])
    assert (alone["subject_probability"], alone["object_probability"]) == (0.4, None)


def test_titles_are_elected_by_all_that_members_have_found():
    def titles(*pairs):
        return [{"title": title, "probability": probability} for title, probability in pairs]

    likely = titles(("春天来了", 0.6), ("夏天来了", 0.2))
    found = [titles(("春天已来了", 0.5)), likely, titles(("春天来了吗", 0.4)), titles(("会议今日召开", 0.9))]
    contest = next(one for one in CONTESTS if one.folder == "seq2seq_titling")
    for lists in (found, found[::-1]):
        assert merged(contest, *lists)[0]["title"] == "春天来了" and len(merged(contest, *lists)) == 5
    assert merged(contest, *found, weights=[1.0, 1.0, 1.0, 9.0])[0]["title"] == "会议今日召开"
    assert merged(contest, likely, likely) == likely


def test_values_of_a_question_that_overlap_are_one_condition():
    def line(start, end, probability, selected):
        value = {"column": 1, "start": start, "end": end, "probability": probability, "operators": [0.0, 0.0, 1.0, 0.0]}
        whole = {"connection": [1.0, 0.0, 0.0], "selected_count": [1.0, 0.0, 0.0], "condition_count": [0.0, 1.0, 0.0]}
        return {"candidates": [], "parts": {"selections": [[selected] * 7], **whole, "found": [value]}}

    contest = opened(NL2SQL)
    parts = contest.merge([line(2, 5, 0.8, 0.2), line(2, 4, 0.6, 0.4)], [1.0, 1.0])["parts"]
    assert parts["selections"] == [[pytest.approx(0.3)] * 7] and parts["connection"] == [1.0, 0.0, 0.0]
    [value] = parts["found"]
    assert (value["start"], value["end"], value["probability"]) == (2, 5, pytest.approx(0.7))
    same = line(2, 5, 0.8, 0.2)
    assert contest.merge([same, same, same], [1.0, 2.0, 3.0])["parts"] == same["parts"]


def cities(task, rows):
    cells = (("青河市", 300, "2018"), ("白山市", 120, "2019"), ("云桥镇", 40, "2019"))
    return task.Table("t", "", ("城市", "人口", "年份"), ("text", "real", "text"), cells[:rows], 1)


def random_line(contest, example, generator):
    """What a member says of a question with a name and two numbers in it."""
    kind, places = contest.decode.Found, ((0, 0, 3), (1, 9, 12), (2, 3, 8), (1, 3, 7))
    found = [kind(*place, float(generator.random()), generator.dirichlet(np.full(4, 0.3))) for place in places]
    whole = (generator.dirichlet(np.ones(3)), generator.dirichlet(np.ones(3)), generator.dirichlet(np.ones(4)))
    scores = contest.decode.Scores(generator.dirichlet(np.ones(7), 3), *whole, found)
    return contest.decode.Considered.of(example, scores).record()


@pytest.mark.parametrize("rows", [3, 0])
def test_what_most_say_in_any_words_is_the_answer(rows):
    """Who says the same is asked pair by pair, by the contest's own comparison."""
    contest, generator = opened(NL2SQL), np.random.default_rng(2)
    task, execution, compare = contest.task, contest.module("execution"), contest.module("metric").compare
    example = task.Example("青河市2019年超过100", cities(task, rows), None, 1)
    columns = contest.module("values").columns_of(example.table)
    others, weights = 0, [1.0, 2.0, 0.5]

    def is_same(one, other):
        [found] = compare([replace(example, query=one)], [other])
        return found.execution if rows and one.conditions and other.conditions else found.logic_form

    for _ in range(5):
        line = contest.merge([random_line(contest, example, generator) for _ in weights], weights)
        mean = contest.told(example, line, contest.Settings())["candidates"]
        probabilities = Counter()
        for candidates, weight in zip([mean, *line["voters"]], [np.mean(weights), *weights]):
            for one in candidates:
                probabilities[task.query_of(one, "")] += weight * one["probability"] / (sum(weights) + np.mean(weights))
        heard = [one for one in probabilities if execution.meaning(one, example.table, columns) is not None]
        sums = {one: sum(probabilities[other] for other in heard if is_same(one, other)) for one in heard}
        answer = contest.choose(example, line, contest.Settings(20, "vote"))
        if not heard:
            assert answer == contest.choose(example, line, contest.Settings(20, "mean"))
            continue
        assert sums[answer] == pytest.approx(max(sums.values()))
        same = [probabilities[other] for other in heard if is_same(answer, other)]
        assert probabilities[answer] == pytest.approx(max(same))
        others += answer != max(heard, key=probabilities.get)
    assert others or not rows  # the most probable query has not always the most on its side


def test_who_says_nothing_does_not_vote(monkeypatch):
    contest = opened(NL2SQL)
    example = contest.task.Example("青河市2019年超过100", cities(contest.task, 3), None, 1)
    generator = np.random.default_rng(1)
    lines = [random_line(contest, example, generator) for _ in range(2)]
    settings = {name: contest.Settings(100, name) for name in ("mean", "vote")}

    def answer(line, choose_by):
        return contest.choose(example, line, settings[choose_by])

    line, alone = contest.merge(lines, [1.0, 1.0]), contest.merge([lines[0]] * 2, [1.0, 1.0])
    assert line["voters"] and not alone["voters"] and answer(alone, "vote") == answer(alone, "mean")
    senseless = {"sel": [0], "agg": [1], "conds": [], "cond_conn_op": 0, "probability": 1.0}
    elected = answer(line, "vote")
    assert elected == answer({**line, "voters": [[senseless, *candidates] for candidates in line["voters"]]}, "vote")
    assert answer({**line, "voters": [[senseless], [senseless]]}, "vote") == answer(line, "mean")

    def execute(database, query, budget=None):
        raise contest.module("execution").TooSlow("takes longer")

    monkeypatch.setattr(contest.module("execution").Database, "execute", execute)
    assert answer(line, "vote") == answer(line, "mean")


def test_dev_chooses_between_the_mean_and_a_vote():
    contest = opened(NL2SQL)
    settings = contest.Settings(7)
    assert ensemble.grid_of(contest, settings, []) == [settings, contest.Settings(7, "vote")]
    assert ensemble.grid_of(contest, settings, ["choose_by=vote"]) == [contest.Settings(7, "vote")]


@these(NL2SQL)
def test_members_may_vote(contest, workshop, output):
    trained = workshop.trained(contest)
    source, scores = output.with_name("dev.json"), output.with_name("scores.json")
    contest.write(source, trained.examples)
    runs = [trained.run, copied(trained.run, "noisy", noise=0.02)]
    flags = ["--no-search", "--decoding", "choose_by=vote", "--scores", scores]
    done = succeeds(together(workshop, contest, runs, source, output, *flags))
    assert "decoded with tries 100, choose by vote" in done.out
    for answer, (_, told) in zip(contest.answers(output.read_bytes(), trained.examples), read_json_lines(scores)):
        assert answer in [{name: one[name] for name in answer} for one in told["votes"]]


# What is chosen on dev


def results_of(name, keys, scores, fold=None):
    data = {"dev": {} if fold is None else {"fold": fold}}
    settings = {"run": {"fold": fold, "run_name": name, "seed": 1}, "layers": len(name)}
    run = SimpleNamespace(path=name, config={"data": data, "settings": settings})
    return SimpleNamespace(run=run, keys=keys, examples=list(keys), scores=np.array(scores, float), metric="f1")


class Adding(Dev):
    """An ensemble scores what the best of its members scores in each example, by weight; nothing is read."""

    def __init__(self, results, parts):
        self.results, self.parts = results, parts
        self.contest = SimpleNamespace(score=lambda total: total[0] / total[1])

    def trial(self, weights):
        scores = np.max([one.scores * weight for one, weight in zip(self.results, weights) if weight], 0) / sum(weights)
        return Trial(Found("setting", float(scores.mean()), 0.0), np.stack([scores, np.ones(len(scores))], 1))


def test_members_are_chosen_by_what_they_add():
    keys = range(6)
    rows = {"a": [1, 1, 1, 0, 0, 0.5], "b": [1, 1, 1, 0, 0, 0], "c": [0, 0, 0, 1, 1, 0]}
    results = [results_of(name, keys, row) for name, row in rows.items()]
    parts = parts_of(results)
    assert [part.members for part in parts] == [[0, 1, 2]]
    systems = systems_of(results, parts)
    weights, found = best_members(Adding(results, parts), systems, results, 2)
    assert weights == [1.0, 0.0, 1.0] and found.setting == "setting"
    assert best_members(Adding(results, parts), systems, results, 1)[0] == [1.0, 0.0, 0.0]


def test_of_members_that_add_alike_that_is_taken_whose_errors_depend_least():
    """With b two more of 40 examples are right, and with c another one: no difference to speak of."""

    def right(*ranges):
        return [float(any(place in one for one in ranges)) for place in range(40)]

    rows = {"a": right(range(20)), "b": right(range(18), range(20, 22)), "c": right(range(10), range(22, 23))}
    results = [results_of(name, range(40), row) for name, row in rows.items()]
    dev = Adding(results, parts_of(results))
    assert dev.best([1.0, 1.0, 0.0]).score > dev.best([1.0, 0.0, 1.0]).score
    assert best_members(dev, [[0], [1], [2]], results, 2)[0] == [1.0, 0.0, 1.0]
    results[1].scores[20:28] = 1.0
    results[1].scores[:8] = 0.0
    assert best_members(dev, [[0], [1], [2]], results, 2)[0] == [1.0, 1.0, 0.0], "8 more are a difference"


def test_a_weight_grows_as_long_as_dev_does():
    class Told(Adding):
        def best(self, weights):
            return Found("setting", 1.0 - abs(weights[0] / sum(weights) - 0.6), 0.0)

    results = [results_of(name, range(3), [1, 0, 1]) for name in "ab"]
    dev = Told(results, parts_of(results))
    assert best_weights(dev, [[0], [1]], 2)[0] == [2.0, 1.0]
    assert best_weights(dev, [[0, 1]], 2)[0] == [1.0, 1.0]


def test_folds_of_a_training_are_one_system():
    def folds(name):
        return [results_of(name, (f"{fold}x", f"{fold}y"), [1, 0], fold) for fold in (1, 2)]

    one, other = folds("one"), folds("other")
    results = [*one, *other]
    parts = parts_of(results)
    assert [part.members for part in parts] == [[0, 2], [1, 3]] and systems_of(results, parts) == [[0, 1], [2, 3]]
    assert systems_of(one, parts_of(one)) == [[0, 1]]
    assert systems_of(results[:3], parts_of(results[:3])) == [[0, 1, 2]]
    overlapping = [*one, results_of("third", ("1x", "2x"), [1, 0])]
    refused(lambda: parts_of(overlapping), "third: was evaluated on a part of the examples of one")


def test_settings_are_searched_with_the_means(tmp_path):
    """The threshold that is best for the means is that of neither member."""
    members = [[0.9, 0.3, 0.1, 0.0], [0.3, 0.7, 0.0, 0.2]]
    gold = [True, True, False, False]
    files = [tmp_path / f"{number}.json" for number in range(2)]
    for path, row in zip(files, members):
        write_json_lines(path, [{"candidates": [{"name": "x", "probability": value}]} for value in row])
    contest = SimpleNamespace(
        merge=lambda lines, weights: {
            "candidates": mean_candidates([line["candidates"] for line in lines], weights, ("name",))
        },
        choose=lambda example, line, settings: line["candidates"][0]["probability"] > settings,
        counts=lambda examples, predictions: [(one == other, 1) for one, other in zip(examples, predictions)],
        score=lambda total: total[0] / total[1],
    )
    dev = Dev(contest, [Part(gold, [0, 1])], files, [0.05, 0.55, 0.8, 0.4], seed=1)
    assert dev.best([1.0, 1.0])[:2] == (0.4, 1.0)
    assert dev.best([1.0, 0.0]).score == dev.best([0.0, 1.0]).score == 0.75


# What is refused


def made(contest, folder, *names):
    """Finished runs with a file in place of the weights."""
    labels = list(map(LABELS[contest.folder], dev_of(contest, sample_of(contest))[:4]))
    runs = [made_run(contest, folder, name, labels) for name in names]
    for run in runs:
        (run / "best.weights.h5").touch()
        write(run / "decoding.json", {"threshold": -1.0} if contest is EVENT_EXTRACTION else {})
        if contest is EVENT_EXTRACTION:
            shutil.copy(sample_of(contest) / "event_schema.json", run)
    return runs


def test_what_cannot_be_an_ensemble_is_refused(tmp_path):
    a, b, c = made(EVENT_EXTRACTION, tmp_path, "a", "b", "c")

    def told(*flags):
        files = ["--input", sample_of(EVENT_EXTRACTION) / "test.json", "--output", tmp_path / "submission.json"]
        return run_here(SCRIPTS, "ensemble", [*flags, *files])

    check_refusal(told(), "runs: none are given")
    check_refusal(told(a, a), a, "is named twice")
    [other] = made(NL2SQL, tmp_path, "a")
    check_refusal(told(a, other), "is a run of nl2sql", "of lic2020_event_extraction")
    check_refusal(told(a, tmp_path), "no run directory")
    check_refusal(told(a, b, "--weights", 1), "--weights: 1 are given", "for each of 2")
    check_refusal(told(a, b, "--weights", 1, 0), "--weights 0", "above 0")
    check_refusal(told(a, b, "--select", 3), "--select 3", "which is 2")
    check_refusal(told(a, b, "--select", 1, "--no-search"), "--select 1")
    check_refusal(told(a, b, "--decoding", "limit=1"), "--decoding limit=1", "threshold")
    check_refusal(told(a, b, "--decoding", "threshold=high"), "--decoding threshold=high", "a number")
    check_refusal(told(a, b, "--scores", tmp_path / "submission.json"), "--scores", "is the submission")
    check_refusal(told(a, b, "--data-dir", "/nowhere"), "/nowhere: no such folder")
    schema = (b / "event_schema.json").read_text("utf-8").splitlines()
    write(b / "event_schema.json", "\n".join(schema[1:]))
    check_refusal(told(a, b), b, "has a schema of its own")
    write(c / "history.jsonl", "")
    check_refusal(told(a, c), c, "is not finished", "--resume")
    (c / "best.weights.h5").unlink()
    check_refusal(told(a, c), c, "has no best.weights.h5 yet")
    check_refusal(run_here(SCRIPTS, "ensemble", [a, b]), "--input: is missing")


def test_settings_of_members_are_averaged():
    settings = competition.load("lic2020_reading_comprehension", "decode").Settings
    found = [settings(0.1, "expected_f1"), settings(0.2, "most_probable"), settings(0.3, "most_probable")]
    assert ensemble.mean_settings(found) == ensemble.mean_settings(found[::-1]) == settings(0.2, "most_probable")
    assert ensemble.mean_settings(found[:1]) == found[0]
    tries = competition.load("nl2sql", "decode").Settings
    assert ensemble.mean_settings([tries(1), tries(100)]) == tries(50)
    assert json.dumps(ensemble.settings_given(tries, ["tries=7"])) == '{"tries": 7}'
