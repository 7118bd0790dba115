"""scripts/report.py: the page of a run. What a browser makes of it is in test_report_browser.py."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from common.command_line import UserError

import competition
import report
from contests import (
    CONTESTS,
    ENTITY_LINKING,
    EVENT_EXTRACTION,
    READING_COMPREHENSION,
    TITLING,
    WEBQA,
    every_contest,
    in_default,
)
from dev_results import dev_results
from helpers import write
from page_markup import data, source, tag
from report_page import examples as page_examples
from report_page.drawings import curve
from report_page.words import Words
from report_runs import COUNT, HOSTILE, WRONG, Page, hostile_run, run_with_errors
from shown import gold, marks, shown
from workshop import check_refusal, run_here, sample_of

SCRIPTS = competition.ROOT / "scripts"


def page_of(run, folder, *flags):
    path = folder / "report.html"
    report.main([run, "--output", path, "--attributions", "0", "--language", "en", *flags])
    return Page(path)


def check_self_contained(page):
    """Nothing is loaded, and nothing is run but the script of the page."""
    names = Counter(name for name, _ in page.elements)
    assert names["script"] == 2 and names["style"] == 1
    assert not names.keys() & {"img", "link", "iframe", "object", "embed", "base", "form", "audio", "video", "source"}
    for name, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on") or key in ("src", "style", "srcdoc", "action")]
        assert attributes.get("href", "#").startswith("#"), name
    (policy,) = [one["content"] for name, one in page.elements if one.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" == rules["base-uri"] == rules["form-action"]
    assert rules["script-src"] == source(page.sources["script"][1])
    assert rules["style-src"] == source(page.sources["style"][0])


@every_contest
def test_a_page_has_all_of_dev_with_the_marks_of_both_sides(contest, tmp_path):
    run = run_with_errors(contest, tmp_path)
    page, results = page_of(run, tmp_path), dev_results(run)
    check_self_contained(page)
    rows = page.rows()
    assert [row["place"] for row in rows] == [*range(1, COUNT + 1)]
    for row, example, score in zip(rows, results.examples, results.scores):
        assert row["score"] == pytest.approx(score, abs=1e-4)
        assert row["texts"] == [text for _, text in shown(results.task, example).texts]
        assert all(0 <= start < end <= len(row["texts"][part]) for part, start, end, _, _ in row["marks"])
        sides = {side for *_, side in row["marks"]} | {side for _, side in row["lines"]}
        is_right = score >= page_examples.RIGHT_FROM
        assert sides <= ({0, 3} if is_right else {0, 1, 2}) and is_right == (not row["kinds"])
        ours = {(*mark[:3], mark.label) for mark in marks(results.task, example, results.predictions[row["place"] - 1])}
        theirs = {(*mark[:3], mark.label) for mark in marks(results.task, example, gold(results.task, example))}
        for *place, label, side in row["marks"]:
            mark = (*place, page.data["labels"][label][0])
            assert (mark in ours, mark in theirs) == ((True, True), (False, True), (True, False), (False, True))[side]
    wrong = [row for row in rows if row["kinds"]]
    assert {row["place"] - 1 for row in wrong} <= {*WRONG} and wrong
    assert {side for row in wrong for _, side in row["lines"]} >= {1, 2}
    assert any(row["marks"] and row["lines"] for row in rows)
    assert [row["weights"] for row in rows] == [None] * COUNT
    text = " ".join(page.texts)
    assert f"{results.figures[results.metric]:.4g}" in text and "tf-keras" in text and "--max-dev-examples" in text


@every_contest
def test_all_words_of_the_page_are_there_in_chinese(contest, tmp_path, monkeypatch):
    words = Words("zh")
    monkeypatch.setattr(report, "Words", lambda language: words)
    page = page_of(run_with_errors(contest, tmp_path), tmp_path)
    # Numbers, SQL and the names of metrics are the same in both.
    same = re.compile(r"[\d+–-]*( ?(and|or))?|[<>=!]+|[A-Z]+\d?|rouge-\d|bleu")
    assert [word for word in words.unknown if not same.fullmatch(word)] == []
    assert ("html", {"lang": "zh-CN"}) in page.elements
    assert [word for word in ("Errors", "missed", "search") if word in page.texts] == []


def test_kinds_of_errors_and_classes_of_all_contests_have_chinese_names():
    """Those that no run of these tests happens to have, too."""
    known = Words("zh")
    names = {"lic2020_relation_extraction": ("PAIRS", "MISSED", "SPURIOUS"), "seq2seq_titling": ("KINDS",)}
    names |= {"lic2020_event_extraction": ("PAIRS", "AGAIN", "MISSED", "SPURIOUS"), "webqa_dgcnn": ("Kind",)}
    names |= {"nl2sql": ("OUTCOMES", "MISTAKES"), "lic2020_reading_comprehension": ("KINDS", "_QUESTION_TYPES")}
    alone = ("NEVER_PREDICTED", "PREDICTED_ELSEWHERE", "NEVER_IN_GOLD", "IN_GOLD_ELSEWHERE")
    names |= {"ccks2019_entity_linking": ("PAIRS", "MISSED", "WRONG", *alone)}
    assert {*names} == {contest.folder for contest in CONTESTS}
    for task, constants in names.items():
        for constant in constants:
            value = getattr(competition.load(task, "evaluate"), constant)
            for name in [value] if isinstance(value, str) else value:
                known(str(name))
    assert known.unknown == set()


def test_html_in_texts_and_names_is_text(tmp_path):
    run, texts = hostile_run(tmp_path)
    page = page_of(run, tmp_path)
    check_self_contained(page)
    rows = page.rows()
    assert [row["texts"] for row in rows] == [[text] for text in texts]
    assert [row["name"] for row in rows] == [f"{number} {words}" for number, words in enumerate(HOSTILE)]
    assert {label for label, _ in page.data["labels"]} == {
        f"{words} {what}" for words in HOSTILE for what in (words, "trigger")
    }
    assert {name for name, _ in page.data["classes"]} == {*HOSTILE}
    # The tables that stand in the page show them, but for what turns directions or is no character.
    for words in HOSTILE[:5]:
        assert words in page.texts
    whole = (tmp_path / "report.html").read_text("utf-8")
    assert "\u202e" not in whole.replace(page.sources["script"][0], "") and "\\u202e" in " ".join(page.texts)
    assert not re.search("[\u2028\u2029]", whole)


def test_strings_stay_strings_in_a_script_element():
    value = {"</script>": ["<!--", "&amp;", "\u2028", "\ud800", "😀", 0.5, None]}
    found = data(value)
    assert not re.search("[<>&\u2028]", found) and json.loads(found) == value
    assert tag("p", "<b>", tag("i", "&"), class_='"', hidden=None) == '<p class="&quot;">&lt;b&gt;<i>&amp;</i></p>'


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_that_is_not_finished_says_so(language, tmp_path, capsys):
    run = run_with_errors(EVENT_EXTRACTION, tmp_path)
    config = json.loads((run / "config.json").read_text())
    config["settings"]["training"]["epochs"] = 9
    write(run / "config.json", config)
    page = page_of(run, tmp_path, "--language", language)
    assert Words(language)("This run is not finished: what follows is of its best epoch so far.") in page.texts
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_no_run_with_predictions_is_refused_in_one_line(tmp_path):
    run = run_with_errors(WEBQA, tmp_path)

    def refuse(*words):
        check_refusal(run_here(SCRIPTS, "report", [run, "--output", tmp_path / "report.html"]), *words)

    write(run / "history.jsonl", "[")
    refuse(run / "history.jsonl", "damaged")
    (run / "dev_predictions.json").unlink()
    refuse("has no dev_predictions.json yet")
    (run / "config.json").unlink()
    refuse("no run directory")
    assert not (tmp_path / "report.html").exists()
    check_refusal(run_here(SCRIPTS, "report", [run, "--attributions", "-1"]), "--attributions")
    check_refusal(run_here(SCRIPTS, "report", [run, "--output", tmp_path]), tmp_path, "is a folder")


def long_run(folder, texts):
    """Of title generation, on these texts; the titles are their ends, and what is predicted their beginnings."""
    data = folder / "texts"
    data.mkdir()
    lines = [json.dumps({"content": text, "title": text[-8:] or "题"}) for text in texts]
    for name in ("train.json", "dev.json"):
        write(data / name, "".join(line + "\n" for line in lines))
    from made_runs import made_run

    return made_run(TITLING, folder, "long", [text[:6] for text in texts], data)


def test_texts_of_any_length(tmp_path, monkeypatch):
    texts = ["", "天", "长" * 50_000 + "😀" + "地" * 50_000 + "完全不同的结尾啊"]
    run = long_run(tmp_path, texts)
    rows = page_of(run, tmp_path).rows()
    assert [row["texts"] for row in rows] == [[text] for text in texts]
    assert [row["length"] for row in rows] == [0, 1, 100_009]
    # Where there is no room for all, what is around the marks is left.
    monkeypatch.setattr(page_examples, "MOST_CHARACTERS", 30_000)
    rows = page_of(run, tmp_path).rows()
    (cut,) = rows[2]["texts"]
    assert rows[1]["texts"] == ["天"] and cut["n"] == 100_010 and sum(map(len, cut["p"][1::2])) <= 20_000
    units = texts[2].encode("utf-16-le")
    for start, piece in zip(cut["p"][::2], cut["p"][1::2]):
        assert units[2 * start :].startswith(piece.encode("utf-16-le"))
    ends = [end for _, _, end, _, _ in rows[2]["marks"]]
    assert max(ends) == 100_010 and cut["p"][-2] + len(cut["p"][-1]) == 100_010


def test_places_are_those_of_javascript(tmp_path):
    (row,) = page_of(long_run(tmp_path, ["😀a😀标题在此处，共八字"]), tmp_path).rows()
    units = row["texts"][0].encode("utf-16-le")
    found = {units[2 * start : 2 * end].decode("utf-16-le") for _, start, end, _, _ in row["marks"]}
    assert found == {"题在此处，共八字", "😀a😀标题在"}


def test_entities_have_names_and_types_where_the_knowledge_base_is(tmp_path):
    run = run_with_errors(ENTITY_LINKING, tmp_path)
    assert not page_of(run, tmp_path).data["classes"]
    base = competition.load(ENTITY_LINKING.folder, "knowledge_base")
    with competition.inside(ENTITY_LINKING.folder):
        base.build_index(sample_of(ENTITY_LINKING) / "kb_data", run / base.INDEX_NAME)
    page = page_of(run, tmp_path)
    assert {"Person", "Vocabulary"} <= {name for name, _ in page.data["classes"]}
    assert any(re.fullmatch(r"\S+ \(Person, \d+\)", label) for label, _ in page.data["labels"])


# Drawings


def test_a_curve_has_a_point_for_each_epoch_and_gaps_where_there_is_no_number():
    drawn = curve([0.5, None, 0.25, 1.0], "loss", best=3)
    points = [float(y) for y in re.findall(r'<circle[^>]*cy="([\d.]+)"', drawn)]
    assert len(points) == 3 and points[1] - points[0] == pytest.approx((points[0] - points[2]) / 2, abs=0.2)
    assert drawn.count("<polyline") == 1 and drawn.count("best-dot") == 1
    assert re.findall(r'class="tick"[^>]*text-anchor="end">([\d.]+)<', drawn) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    for values in ([], [None], [0.0], [1e-9, 3e8], [-2.0, 5.0], [7.0] * 300):
        assert "nan" not in curve(values, "any")


# Attributions


def test_attributions_stand_behind_their_characters(tmp_path, monkeypatch):
    results = dev_results(run_with_errors(EVENT_EXTRACTION, tmp_path))
    given = [None] * COUNT
    texts = [example.text for example in results.examples]
    given[1] = [np.linspace(-1, 4, len(texts[1]))]
    given[2] = [np.ones(len(texts[2]) + 1)]  # of another text
    given[5] = [np.zeros(len(texts[5]))]
    written = report.report_of(results, Words("en"), weights=given)
    weights = [row[-1] for row in written.examples["rows"]]
    assert [place for place, one in enumerate(weights) if one is not None] == [1]
    assert weights[1][0] == pytest.approx(given[1][0] / 4, abs=1e-3) and min(weights[1][0]) < 0


def test_a_run_without_weights_has_none_and_says_so(tmp_path, capsys):
    results = dev_results(run_with_errors(EVENT_EXTRACTION, tmp_path))
    assert report.attributions_of(results, 0) is None and not capsys.readouterr().err
    assert report.attributions_of(results, 50) is None
    assert "no best.weights.h5" in capsys.readouterr().err


@in_default(EVENT_EXTRACTION, READING_COMPREHENSION, reason="tests of scripts/explained hold for each contest")
def test_the_worst_of_a_trained_run_are_explained(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    results = dev_results(trained.run, trained.data)
    results.scores[[2, 4]] = 0.5, 0.25
    found = report.attributions_of(results, 2)
    assert [place for place, one in enumerate(found) if one is not None] == [2, 4]
    for place in (2, 4):
        sizes = [len(text) for _, text in shown(results.task, results.examples[place]).texts]
        assert [len(one) for one in found[place]] == sizes and np.abs(np.concatenate(found[place])).max() > 0


def test_what_is_not_at_hand_is_left_out_with_a_word(tmp_path, monkeypatch):
    def gone(results, data_dir):
        raise UserError("train.json: gone - name the folder")

    monkeypatch.setattr(report, "by_frequency", gone)
    texts = page_of(run_with_errors(WEBQA, tmp_path), tmp_path).texts
    told = "Left out, since the training data are not at hand: train.json: gone - name the folder"
    assert told in texts
    assert any(text.startswith("This contest has no classes") for text in texts)
