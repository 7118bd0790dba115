"""Files, submission and metric of title generation. Every sentence here is invented."""

import gzip
import json
import math
import shutil
import sys
import zipfile
from collections import Counter
from functools import lru_cache

import pytest
from hypothesis import given, settings, strategies
from rouge import Rouge

from common.submission import BLANK_LINE

import competition
from helpers import (
    check_report,
    check_warnings,
    evaluate,
    evaluation_refused,
    json_figures,
    needs,
    not_importing,
    refused,
    write,
    write_lines,
)
from workshop import run_here

FOLDER = "seq2seq_titling"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
errors = competition.load(FOLDER, "evaluate")

DATA = competition.SHARED / "data" / FOLDER

NEWS = "青河大坝昨日正式开工，总长300米，预计三年后建成发电。"
PAPER = "为了提高产量，本文提出一种基于LSTM的灌溉方法。"


# Reading


def test_examples_keep_what_the_file_says(tmp_path):
    both = {"abst": "摘要", "content": " 正文\n", "title": "", "id": 7}
    path = write_lines(
        tmp_path / "train.json", [{"title": "大坝 开工\t", "content": NEWS}, {"title": "灌溉方法", "abst": PAPER}, both]
    )
    assert task.read(path, labelled=True) == [
        task.Example(NEWS, "大坝 开工\t"),
        task.Example(PAPER, "灌溉方法"),
        task.Example(" 正文\n", ""),
    ]
    assert task.read(path, labelled=False) == [task.Example(NEWS), task.Example(PAPER), task.Example(" 正文\n")]
    assert task.read_gold(path) == task.read(path, labelled=True)
    assert task.read_titles(path) == ["大坝 开工\t", "灌溉方法", ""]
    assert task.Example(NEWS).title is None


def test_blank_lines_are_counted(tmp_path):
    skipped = Counter()
    path = write_lines(
        tmp_path / "train.json", ["\ufeff", {"content": "", "title": "一"}, " \t\r", {"abst": "", "title": "二"}, ""]
    )
    assert [one.title for one in task.read(path, True, skipped)] == ["一", "二"]
    assert skipped == {BLANK_LINE: 3}
    assert task.read_titles(path) == [one.title for one in task.read_gold(path)] == ["一", "二"]


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", ""), ("a.json", "[]"), ("a.json", "\n \n"), ("a.tsv", "title\ttext\n\n")]
)
def test_a_file_without_examples_is_refused(tmp_path, name, content):
    path = write(tmp_path / name, content)
    for call in (lambda: task.read(path, True), lambda: task.read(path, False), lambda: task.read_gold(path)):
        refused(call, f"{path}: there is nothing in it")


TITLE, OTHER = "大坝 开工", "灌溉方法"

TABLES = {
    "a.csv": f'Title,content,id\r\n{TITLE},"{NEWS},""第二""段\n\n末段",7\r\n\r\n"{OTHER}",{PAPER},8\r\n',
    "a.tsv": f'title\tsummary\ttext\n{TITLE}\t7\t{NEWS},"第二"段\n \n{OTHER}\t8\t{PAPER}\n',
}
READ = {
    "a.csv": (NEWS + ',"第二"段\n\n末段', {BLANK_LINE: 1}),
    "a.tsv": (NEWS + ',"第二"段', {BLANK_LINE: 1, 'text under "text"': 2}),
}


@pytest.mark.parametrize("packed", ["", ".gz", ".zip"])
@pytest.mark.parametrize("name", TABLES)
def test_tables_are_read(tmp_path, name, packed):
    content, path = ("\ufeff" + TABLES[name]).encode(), tmp_path / f"{name}{packed}"
    if packed == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("data", content)
    else:
        path.write_bytes(gzip.compress(content) if packed else content)
    text, counted = READ[name]
    skipped = Counter()
    examples = [task.Example(text, TITLE), task.Example(PAPER, OTHER)]
    assert task.read(path, True, skipped) == task.read_gold(path) == examples and skipped == counted
    assert task.read(path, False) == [task.Example(one.text) for one in examples]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "大坝,正文\n", [":1: names no column that is known"]),
        ("a.csv", "title,content\n\n大坝\n", [":3: has 1 columns - it must have 2"]),
        ("a.csv", 'title,content\n大坝,"正\n文\n', [":2: no row that can be read", "quotation marks"]),
        ("a.csv", f"title,content\n\n大坝,{'长' * 140_000}\n", [":3: no row that can be read"]),
        ("a.tsv", "title\tcontent\n大坝\t正文\t7\n", [":2: has 3 columns - it must have 2"]),
        ("a.tsv", "title\tother\n大坝\t正文\n", [':2: "content" is missing']),
    ],
)
def test_tables_with_mistakes_are_refused(tmp_path, name, content, words):
    path = write(tmp_path / name, content)
    refused(lambda: task.read(path, True), *[f"{path}{words[0]}", *words[1:]])


@pytest.mark.parametrize("indent", [None, 1])
def test_one_list_is_read_as_lines_are(tmp_path, indent):
    path = write(tmp_path / "a.json", [{"title": TITLE, "content": NEWS}, {"title": OTHER, "abst": PAPER}], indent)
    assert task.read(path, True) == task.read_gold(path) == [task.Example(NEWS, TITLE), task.Example(PAPER, OTHER)]
    write(path, [{"title": TITLE, "content": NEWS}, {"title": OTHER}], indent)
    refused(lambda: task.read(path, True), f"{path}:{6 if indent else 1}: [1]: ", '"content" is missing')


def test_keys_of_other_files_are_known_and_counted(tmp_path):
    rows = [{"summary": TITLE, "text": NEWS}, {"title": OTHER, "article": PAPER, "summary": 5, "text": None}]
    path, skipped = write_lines(tmp_path / "train.json", rows), Counter()
    assert task.read(path, True, skipped) == [task.Example(NEWS, TITLE), task.Example(PAPER, OTHER)]
    assert skipped == {'text under "text"': 1, 'title under "summary"': 1, 'text under "article"': 1}
    assert task.read_gold(write_lines(path, [{"summary": TITLE}])) == [task.Example("", TITLE)]
    # What it is the title of, or the text of, nobody says.
    refused(lambda: task.read(write_lines(path, [{"summary": TITLE}]), False), f'{path}:1: "content" is missing')


def test_titles_that_are_absent_or_null_are_empty_and_counted(tmp_path):
    rows = [{"content": NEWS}, {"content": NEWS, "title": None}, {"content": NEWS, "title": TITLE}]
    path, skipped = write_lines(tmp_path / "train.json", rows), Counter()
    assert [one.title for one in task.read(path, True, skipped)] == ["", "", TITLE]
    assert skipped == {"title absent or null: empty": 2}
    refused(lambda: task.read(write_lines(path, rows[:2]), True), f"{path}: none of its 2 texts has a title")


WRONG_TEXTS = {
    "no text": ({"title": "大坝"}, ['"content" is missing', '"abst"']),
    "text under another key": ({"title": "大坝", "body": NEWS}, ['"content" is missing', '"abst"']),
    "content is a number": ({"title": "大坝", "content": 5}, ['"content" is a whole number', '"abst"']),
    "content is null beside abst": ({"title": "大坝", "content": None, "abst": PAPER}, ['"content" is null', '"abst"']),
    "abst is a list": ({"title": "大坝", "abst": [PAPER]}, ['"abst" is a list', '"content"']),
}


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(("item", "words"), WRONG_TEXTS.values(), ids=WRONG_TEXTS)
def test_a_mistake_is_named_with_its_line(tmp_path, item, words, labelled):
    path = write_lines(tmp_path / "train.json", [{"title": "大坝", "content": NEWS}, "", item])
    refused(lambda: task.read(path, labelled), f"{path}:3: ", *words)


NO_TITLES = {
    "missing": {},
    "null": {"title": None},
    "number": {"title": 5},
    "list": {"title": ["大坝"]},
    "true": {"title": True},
}


@pytest.mark.parametrize("item", NO_TITLES.values(), ids=NO_TITLES)
def test_titles_are_not_looked_at_where_none_are_wanted(tmp_path, item):
    path = write_lines(tmp_path / "test.json", [{"content": NEWS, "title": "大坝"}, {"content": PAPER} | item])
    assert task.read(path, labelled=False)[1] == task.Example(PAPER)
    calls = [lambda: task.read_gold(path), lambda: task.read_titles(path)]
    if item.get("title") is not None:
        calls.append(lambda: task.read(path, labelled=True))
    for call in calls:
        refused(call, f'{path}:2: "title" is ', "must be a string")


@pytest.mark.parametrize("line", ['{"title": "大', "[]", '"大坝"', "null"])
def test_a_line_that_is_no_object_is_named(tmp_path, line):
    path = write_lines(tmp_path / "train.json", [{"content": NEWS, "title": "大坝"}, line])
    for call in (lambda: task.read(path, False), lambda: task.read_gold(path), lambda: task.read_titles(path)):
        refused(call, f"{path}:2: ", " - each line must be one")


def test_gold_may_have_titles_alone(tmp_path):
    path = write_lines(tmp_path / "gold.json", [{"title": "大坝"}, {"title": "灌溉", "abst": PAPER}])
    assert task.read_gold(path) == [task.Example("", "大坝"), task.Example(PAPER, "灌溉")]
    refused(
        lambda: task.read_gold(write_lines(path, [{"title": "大坝", "abst": 5}])), f'{path}:1: "abst" is a whole number'
    )


def test_a_text_for_a_title_is_named(tmp_path):
    path = write_lines(tmp_path / "a.json", [{"title": "长" * 1000}, {"title": "长" * 1001}])
    for call in (lambda: task.read_titles(path), lambda: task.check_submission(path)):
        refused(call, f'{path}:2: "title" has 1001 characters', "must be")
    assert len(task.read_gold(path)[1].title) == 1001
    write_lines(path, [{"title": "长" * 100_001}])
    refused(lambda: task.read_gold(path), f'{path}:1: "title" has 100001 characters', "must be")


@given(strategies.text("长 ab", max_size=1200) | strategies.integers(900, 20_000).map("长".__mul__))
def test_a_title_too_long_for_the_judge_is_cut(title):
    short = task.shortened(title)
    assert title.startswith(short) and (short == title) == (len(title) <= 1000)
    assert len(short) in (len(title), 1000) or (500 <= len(short) and title[len(short)] == " ")


# The submission


def test_a_submission_has_a_line_for_each_title(tmp_path):
    titles = ["大坝开工", 'a"b', ""]
    task.write_submission(tmp_path / "deep/a.json", titles)
    assert (
        tmp_path / "deep/a.json"
    ).read_bytes() == '{"title": "大坝开工"}\n{"title": "a\\"b"}\n{"title": ""}\n'.encode()
    task.write_submission(tmp_path / "deep/a.zip", titles)
    with zipfile.ZipFile(tmp_path / "deep/a.zip") as archive:
        assert archive.namelist() == ["a.json"] and archive.read("a.json") == (tmp_path / "deep/a.json").read_bytes()


STRINGS = strategies.text(
    strategies.characters(exclude_categories=[]) | strategies.sampled_from('"\t\n\r \u2028\x85\ud83d'), max_size=12
)


@settings(max_examples=50)
@given(strategies.lists(STRINGS, min_size=1, max_size=4), strategies.sampled_from(["a.json", "a.zip"]))
def test_any_titles_can_be_submitted(tmp_path_factory, titles, name):
    path = tmp_path_factory.mktemp("submission") / name
    task.write_submission(path, titles)
    assert task.read_titles(path) == titles
    assert task.check_submission(path, [task.Example("")] * len(titles)) == task.check_submission(path) == len(titles)


@settings(max_examples=50)
@given(
    strategies.lists(
        strategies.tuples(strategies.sampled_from(["content", "abst"]), STRINGS, STRINGS), min_size=1, max_size=4
    )
)
def test_any_example_is_read_as_it_is(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("examples") / "train.json"
    path.write_text("".join(json.dumps({key: text, "title": title}) + "\n" for key, text, title in rows), "ascii")
    assert task.read_gold(path) == [task.Example(text, title) for _, text, title in rows]
    if any(title.strip() for _, _, title in rows):
        assert task.read(path, labelled=True) == task.read_gold(path)
    assert task.read(path, labelled=False) == [task.Example(text) for _, text, _ in rows]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"title": "一"}\n', [": ends after 1 of 2 texts"]),
        ("", [": there is nothing in it"]),
        ('{"title": "一"}\n{"title": "二"}\n{"title": "三"}\n', [":3: ", "text 3 of the 2"]),
        ('{"title": "一"}\n\n{"title": "二"}\n', [":3: follows a blank line"]),
        ('{"title": "一"}\n{"title": "二"}\n\n', [": ends with a blank line"]),
        ('{"title": "一"}\n{"titel": "二"}\n', [':2: "title" is missing']),
        ('{"title": "一"}\n{"title": null}\n', [':2: "title" is null']),
        ('{"title": "一"}\n"二"\n', [":2: a string", "JSON object"]),
        ('{"title": "一"}\n二\n', [":2: not JSON"]),
    ],
)
def test_a_bad_submission_is_refused(tmp_path, content, words):
    path = write(tmp_path / "a.json", content)
    refused(lambda: task.check_submission(path, [task.Example(NEWS), task.Example(PAPER)]), str(path), " - ", *words)


# The metric. Values are made from the definition by hand: precision and recall of each, and what BLEU multiplies


def f(precision, recall):
    return 2 * precision * recall / (precision + recall + 1e-8)


def bleu(*precisions, gold=1, predicted=1):
    """The geometric mean of four precisions, less where the prediction has fewer words than gold."""
    return math.prod(precisions) ** 0.25 * math.exp(min(0, 1 - gold / predicted))


RIGHT, HALF = f(1, 1), f(1 / 2, 1 / 2)

SCORES = {
    "the same": ("青河大坝", "青河大坝", (RIGHT, RIGHT, RIGHT, 1)),
    "one character": ("坝", "坝", (RIGHT, 0, RIGHT, bleu(1, 0.1, 0.1, 0.1))),
    "half of it": ("青河", "青山", (HALF, 0, HALF, bleu(1 / 2, 0.1, 0.1, 0.1))),
    "nothing common": ("青河", "白山", (0, 0, 0, 0)),
    "a beginning": (
        "青河大坝昨日开工",
        "青河大坝",
        (f(1, 4 / 8), f(1, 3 / 7), f(1, 4 / 8), bleu(1, 1, 1, 1, gold=8, predicted=4)),
    ),
    "and more": ("青河大坝", "青河大坝开工", (f(4 / 6, 1), f(3 / 5, 1), f(4 / 6, 1), bleu(4 / 6, 3 / 5, 2 / 4, 1 / 3))),
    "another order": ("青河", "河青", (RIGHT, 0, HALF, bleu(1, 0.1, 0.1, 0.1))),
    "a gap": (
        "青大河坝",
        "青小河坝",
        (f(3 / 4, 3 / 4), f(1 / 3, 1 / 3), f(3 / 4, 3 / 4), bleu(3 / 4, 1 / 3, 0.1 / 2, 0.1)),
    ),
    "case": ("NBA", "nba", (RIGHT, RIGHT, RIGHT, bleu(1, 1, 1, 0.1))),
    "full width": ("Ａ", "A", (0, 0, 0, 0)),
    "a character that is two in lower case": ("İ", "i", (0, 0, 0, 0)),
    # Whitespace: nothing to rouge; to BLEU a blank is two empty words, since it has a blank on both sides.
    "a blank in gold": ("A B", "AB", (RIGHT, RIGHT, RIGHT, bleu(1, 0.1, 0.1, 0.1, gold=4, predicted=2))),
    "a blank in the prediction": ("AB", "A B", (RIGHT, RIGHT, RIGHT, bleu(2 / 4, 0.1 / 3, 0.1 / 2, 0.1))),
    "blanks around": ("AB", " AB ", (RIGHT, RIGHT, RIGHT, bleu(2 / 6, 1 / 5, 0.1 / 4, 0.1 / 3))),
    "another blank": ("青\u3000河", "青河", (RIGHT, RIGHT, RIGHT, bleu(1, 0.1, 0.1, 0.1, gold=3, predicted=2))),
    # "." ends a sentence to rouge, and is a character to BLEU.
    "a decimal point": ("3.5", "35", (RIGHT, RIGHT, RIGHT, bleu(1, 0.1, 0.1, 0.1, gold=3, predicted=2))),
    "two sentences in another order": ("甲.乙", "乙甲", (RIGHT, 0, RIGHT, bleu(1, 0.1, 0.1, 0.1, gold=3, predicted=2))),
    "empty sentences": ("..", "..", (RIGHT, 0, RIGHT, bleu(1, 1, 0.1, 0.1))),
    "an empty sentence and another": (
        "甲..乙",
        "丙..",
        (f(1 / 2, 1 / 3), 0, f(1 / 2, 1 / 3), bleu(2 / 3, 1 / 2, 0.1, 0.1, gold=4, predicted=3)),
    ),
    # What stands there several times counts once to rouge, and as often as in both to BLEU.
    "three times in gold": ("看看看", "看", (RIGHT, 0, RIGHT, bleu(1, 0.1, 0.1, 0.1, gold=3, predicted=1))),
    "three times in the prediction": ("看", "看看看", (RIGHT, 0, RIGHT, bleu(1 / 3, 0.1 / 2, 0.1, 0.1))),
    "twice in both": ("看书看报", "看报看书", (RIGHT, f(2 / 3, 2 / 3), f(2 / 3, 2 / 3), bleu(1, 2 / 3, 0.1 / 2, 0.1))),
    # Nothing there
    "an empty prediction": ("青河", "", (0, 0, 0, 0)),
    "a blank prediction": ("青河", " \t\u3000", (0, 0, 0, 0)),
    "both blank": (" ", " ", (0, 0, 0, 0)),
    "a prediction that rouge refuses": ("青河.", ".", (0, 0, 0, 0)),
    "an empty gold title": ("", "青河", (0, 0, 0, 0)),
    "a gold title that rouge refuses": (".", "青河.", (0, 0, 0, 0)),
    "a blank gold title": (" ", "青河", (0, 0, 0, 0)),
}


@pytest.mark.parametrize(("gold", "predicted", "expected"), SCORES.values(), ids=SCORES)
@pytest.mark.filterwarnings("error")
def test_scores_made_by_hand(gold, predicted, expected, capfd):
    found = metric.score(gold, predicted)
    assert found == pytest.approx(expected, rel=0, abs=1e-12)
    assert isinstance(found, metric.Scores) and all(isinstance(value, float) for value in found)
    assert capfd.readouterr() == ("", "")


def test_being_right_is_worth_a_little_less_than_1():
    assert metric.score("青河大坝", "青河大坝").rouge_1 == pytest.approx(0.999999995, rel=0, abs=1e-14)


def test_long_titles_are_scored_too():
    limit = sys.getrecursionlimit()
    assert metric.score("甲" * 30, "乙" * 5000) == (0, 0, 0, 0)
    assert metric.score("甲" * 5000, "甲") == pytest.approx(
        (RIGHT, 0, RIGHT, bleu(1, 0.1, 0.1, 0.1, gold=5000, predicted=1))
    )
    assert metric.score("", "乙" * 5000) == (0, 0, 0, 0)
    assert sys.getrecursionlimit() == limit
    # The table of all pairs would fill the memory. Every third character is predicted, in order.
    gold = "".join(map(chr, range(0x4E00, 0x6E00)))
    assert metric.score(gold, gold[:3000:3]).rouge_l == f(1, 1000 / len(gold))
    # Neither may many sentences, of which each is compared with each.
    assert metric.score(".".join(gold), ".".join(gold[:900:3])).rouge_1 == f(1, 300 / len(gold))


TITLES = strategies.lists(strategies.sampled_from("青河坝aA.. \u3000İ看"), max_size=9).map("".join)


def sentences(title):
    return [part.split() or [""] for part in " ".join(title).lower().split(".") if part]


def common_subsequence(gold, predicted):
    """The words of the longest common subsequence that rouge finds, which among equally long ones goes back in the
    prediction first."""

    @lru_cache(None)
    def length(i, j):
        if i == 0 or j == 0:
            return 0
        return length(i - 1, j - 1) + 1 if gold[i - 1] == predicted[j - 1] else max(length(i - 1, j), length(i, j - 1))

    i, j, found = len(gold), len(predicted), set()
    while i and j:
        if gold[i - 1] == predicted[j - 1]:
            found.add(gold[i - 1])
            i, j = i - 1, j - 1
        elif length(i - 1, j) > length(i, j - 1):
            i -= 1
        else:
            j -= 1
    return found


def slow_f(common, gold, predicted):
    return f(common / predicted if predicted else 0, common / gold if gold else 0)


def slow_rouge(gold, predicted):
    of_gold, of_predicted = sentences(gold), sentences(predicted)
    values = []
    for n in (1, 2):
        words = [sum(parts, []) for parts in (of_gold, of_predicted)]
        ours, theirs = ({tuple(part[i : i + n]) for i in range(len(part) - n + 1)} for part in words)
        values.append(slow_f(len(ours & theirs), len(ours), len(theirs)))
    found = set().union(*(common_subsequence(one, other) for one in of_gold for other in of_predicted))
    return *values, slow_f(len(found), len(set(sum(of_gold, []))), len(set(sum(of_predicted, []))))


def slow_bleu(gold, predicted):
    ours, theirs = (" ".join(title).lower().split(" ") for title in (gold, predicted))
    precisions = []
    for n in (1, 2, 3, 4):
        left = [ours[i : i + n] for i in range(len(ours) - n + 1)]
        found, count = 0, max(1, len(theirs) - n + 1)
        for i in range(len(theirs) - n + 1):
            if theirs[i : i + n] in left:
                left.remove(theirs[i : i + n])
                found += 1
        if n == 1 and not found:
            return 0
        precisions.append((found or 0.1) / count)
    return bleu(*precisions, gold=len(ours), predicted=len(theirs))


@settings(max_examples=300)
@given(TITLES.map(lambda title: 3 * title) | TITLES, TITLES.map(lambda title: title[::-1] + title) | TITLES)
def test_rouge_l_is_that_of_the_library_to_the_last_bit(gold, predicted):
    reference, hypothesis = " ".join(gold).lower(), " ".join(predicted).lower()
    if hypothesis.strip() and sentences(gold) and sentences(predicted):
        (expected,) = Rouge().get_scores(hypothesis, reference)
        assert metric.score(gold, predicted)[:3] == tuple(one["f"] for one in expected.values())


@settings(max_examples=300)
@given(TITLES, TITLES)
def test_the_scores_equal_slow_ones(gold, predicted):
    expected = (0, 0, 0, 0)
    if predicted.strip() and sentences(predicted) and sentences(gold):
        expected = (*slow_rouge(gold, predicted), slow_bleu(gold, predicted))
    found = metric.score(gold, predicted)
    assert found == pytest.approx(expected, rel=0, abs=1e-12)
    assert metric.score(gold.lower(), predicted) == found or "İ" in gold
    assert all(0 <= value <= 1 for value in found)


def test_the_total_is_the_mean():
    scores = [metric.Scores(1.0, 0.5, 0.25, 0.0), metric.Scores(0.0, 0.5, 0.75, 1.0), metric.Scores(0.5, 0.5, 0.5, 0.2)]
    assert metric.total(iter(scores)) == pytest.approx((0.5, 0.5, 0.5, 0.4), abs=1e-15)
    assert metric.total(scores).figures() == dict(zip(("rouge-1", "rouge-2", "rouge-l", "bleu"), metric.total(scores)))
    assert tuple(metric.total(scores).figures()) == ("rouge-1", "rouge-2", "rouge-l", "bleu")
    assert metric.total([]) == (0, 0, 0, 0)


@given(
    strategies.permutations(
        [metric.Scores(value, value / 3, value / 7, value / 11) for value in (0.1, 0.2, 0.3, 0.7, 1e-9)]
    )
)
def test_the_order_of_titles_does_not_change_the_last_digit(scores):
    assert metric.total(scores) == metric.total(sorted(scores))


def test_titles_are_compared_with_those_at_their_place():
    examples = [task.Example(NEWS, "大坝"), task.Example(PAPER, "灌溉")]
    first, second = metric.compare(examples, ["大坝", "大坝"])
    assert first == metric.Comparison(examples[0], "大坝", metric.score("大坝", "大坝"))
    assert second == metric.Comparison(examples[1], "大坝", metric.Scores(0, 0, 0, 0))
    with pytest.raises(ValueError):
        metric.compare(examples, ["大坝"])
    with pytest.raises(ValueError, match="without a title"):
        metric.compare([task.Example(NEWS)], ["大坝"])


# What titles are like


def compared(gold, predicted, text=NEWS):
    (one,) = metric.compare([task.Example(text, gold)], [predicted])
    return one


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        ("青河大坝NBA", "青河大坝nba", errors.CORRECT),
        ("青河大坝开工", "大坝", errors.TOO_SHORT),
        ("大坝开工", "青河大坝开工", errors.TOO_LONG),
        ("大坝动工", "青河大坝昨日", errors.BEGINNING),
        ("大坝开工", "新的大坝", errors.OTHER),
        ("大坝开工", "灌溉", errors.NOTHING_COMMON),
        ("大坝开工", "大坝大坝大坝", errors.REPEATING),
        ("大坝开工", "大坝开工大坝开工", errors.REPEATING),
        ("大坝大坝开工", "大坝大坝", errors.TOO_SHORT),
        ("大坝开工", " ", errors.EMPTY),
        ("大坝开工", "", errors.EMPTY),
        ("", "", errors.EMPTY),
        ("", "灌溉", errors.NOTHING_COMMON),
    ],
)
def test_kind_of_title(gold, predicted, kind):
    assert errors.kind_of(compared(gold, predicted)) == kind
    assert kind in errors.KINDS


def test_titles_in_figures():
    texts = ["甲乙丙丁", "甲乙丙丁", "戊己", ""]
    titles = ["甲乙", "甲乙", "甲乙", ""]
    assert errors.describe_titles(titles, texts) == pytest.approx(
        {
            "characters, mean": 6 / 4,
            "characters, median": 2,
            "characters, longest": 2,
            "empty": 1 / 4,
            "repeated bigrams": 0,
            "the same for another text": 3 / 4,
            "the beginning of the text": 2 / 4,
            "characters out of the text": 4 / 6,
            "bigrams out of the text": 2 / 3,
        }
    )
    found = errors.describe_titles(["甲甲甲甲", "甲乙", "甲乙"], ["", "", ""])
    assert (
        len(found) == 6
        and found["repeated bigrams"] == pytest.approx(2 / 5)
        and found["the same for another text"] == pytest.approx(2 / 3)
    )
    assert set(errors.describe_titles([], []).values()) == {0}


def test_the_same_title_for_the_same_text_is_right():
    assert errors.same_for_another(["甲", "甲", "乙"], ["一", "一", "二"]) == 0
    assert errors.same_for_another(["甲", "甲", "乙", "", " "], ["一", "三", "二", "", ""]) == 2 / 5


@settings(max_examples=60)
@given(strategies.lists(strategies.tuples(TITLES, TITLES, TITLES), max_size=6))
def test_every_title_is_in_one_group_of_each_table(rows):
    comparisons = [compared(*row) for row in rows]
    for groups in (
        errors.grouped(comparisons, errors.kind_of, errors.KINDS),
        errors.grouped(comparisons, errors.length_of, errors.LENGTHS),
    ):
        assert sorted(id(one) for group in groups.values() for one in group) == sorted(map(id, comparisons))
        assert all(groups.values())
    wrong = [one for one in comparisons if errors.kind_of(one) not in (errors.CORRECT, errors.EMPTY)]
    groups = errors.selection(comparisons, 2)
    shown = [one for group in groups.values() for one in group]
    assert len(shown) == min(6, len(wrong)) and len({id(one) for one in shown}) == len(shown) and all(groups.values())
    scores = sorted(one.scores.rouge_l for one in wrong)
    assert [one.scores.rouge_l for one in groups.get("worst", [])] == scores[:2]
    assert [one.scores.rouge_l for one in groups.get("best", [])] == scores[2:][-2:]
    figures = errors.describe_titles([one.predicted for one in comparisons], [one.example.text for one in comparisons])
    assert all(value >= 0 for value in figures.values()) and all(figures[name] <= 1 for name in list(figures)[3:])


@pytest.mark.parametrize(
    ("count", "name"),
    [(0, "0"), (1, "1-8"), (8, "1-8"), (9, "9-12"), (20, "17-20"), (24, "21-24"), (25, "25+"), (99, "25+")],
)
def test_titles_are_grouped_by_the_length_of_gold(count, name):
    assert errors.length_of(compared("长" * count, "大坝")) == name


def test_the_line_to_beat_is_the_beginning_of_the_text():
    examples = [task.Example("甲" + "乙" * 30, "大坝"), task.Example("大坝", "大坝")]
    first, second = errors.beginnings(examples)
    assert (first.predicted, second.predicted) == ("甲" + "乙" * 23, "大坝") and second.scores.rouge_l == RIGHT


def test_a_title_is_shown_below_that_of_gold():
    assert errors.describe(compared("大坝\n开工", "大坝动工", "很长的正文" * 20)) == (
        "rouge-l 0.750  bleu 0.146  other words\n"
        f"  text       {'很长的正文' * 12}…\n"
        "  gold       大坝 开工\n"
        "  predicted  大坝动工"
    )
    assert "text" not in errors.describe(compared("大坝", "灌溉", ""))


def test_what_is_shown_stays_on_the_screen():
    shown = errors.describe(compared("长" * 2000, "大\x1b[2J坝\u202e", "正\x07文")).splitlines()
    assert shown[1:] == [
        "  text       正\\x07文",
        f"  gold       {'长' * 100}…",
        "  predicted  大\\x1b[2J坝\\u202e",
    ]


# evaluate.py


@pytest.fixture
def files(tmp_path):
    """Gold and predictions: of 3 titles one is the same as gold, one half of it, one empty."""
    gold = [
        {"title": "青河大坝", "content": NEWS},
        {"title": "灌溉方法", "abst": PAPER},
        {"title": "大坝", "content": "大坝"},
    ]
    return write_lines(tmp_path / "gold.json", gold), write_lines(
        tmp_path / "a.json", [{"title": "青河大坝"}, {"title": "灌溉"}, {"title": ""}]
    )


HALVES = (f(1, 2 / 4), f(1, 1 / 3), f(1, 2 / 4), bleu(1, 1, 0.1, 0.1, gold=4, predicted=2))
NAMES = ("rouge-1", "rouge-2", "rouge-l", "bleu")
FIGURES = {name: (right + half) / 3 for name, right, half in zip(NAMES, (RIGHT, RIGHT, RIGHT, 1), HALVES)}


def test_evaluate_prints_one_json_object_and_nothing_else(files, capfd):
    figures, err = json_figures(capfd, FOLDER, *files)
    assert figures == pytest.approx(FIGURES, abs=1e-12) and tuple(figures) == NAMES
    assert err == "WARNING: 1 of 3 predicted titles are empty, and score 0\n"


def test_evaluate_prints_figures_tables_and_examples(files, capsys):
    assert evaluate(FOLDER, *files) == pytest.approx(FIGURES, abs=1e-12)
    check_report(
        capsys.readouterr().out,
        "over 3 titles first 24 characters",
        "titles gold predicted",
        "characters, mean 3.3333 2.0000",
        "characters, longest 4 4",
        "empty 0.0000 0.3333",
        "repeated bigrams 0.0000 0.0000",
        "the same for another text 0.0000 0.0000",
        "the beginning of the text 0.6667 0.3333",
        "characters out of the text 1.0000 1.0000",
        "predicted titles titles share rouge-1 rouge-2 rouge-l bleu",
        "the same as gold 1 33.3% 1.0000 1.0000 1.0000 1.0000",
        f"a piece of gold 1 33.3% 0.6667 0.5000 0.6667 {HALVES[3]:.4f}",
        "empty 1 33.3% 0.0000 0.0000 0.0000 0.0000",
        "characters of gold titles share rouge-1 rouge-2 rouge-l bleu",
        f"rouge-l {FIGURES['rouge-l']:.4f} {(f(4 / 22, 1) + f(4 / 23, 1) + RIGHT) / 3:.4f}",
        "worst titles that are not right (1)",
        f"text {PAPER}",
        "gold 灌溉方法",
        "predicted 灌溉",
    )


def test_evaluate_takes_titles_without_texts(tmp_path, files, capsys):
    gold = write_lines(tmp_path / "titles.json", [{"title": "青河大坝"}, "", {"title": "灌溉方法"}, {"title": "大坝"}])
    assert evaluate(FOLDER, gold, files[1]) == pytest.approx(FIGURES, abs=1e-12)
    out = capsys.readouterr().out
    assert "first 24 characters" not in out and "out of the text" not in out and "  text " not in out


LONG = "一二三四五六七八九十"


@pytest.mark.parametrize(
    ("gold", "predictions", "warnings"),
    [
        (["大坝开工", "灌溉方法"], ["大坝", "灌溉"], []),
        (["大坝", "灌溉"], ["", " "], ["NOTHING IS PREDICTED for the 2 titles"]),
        (["大坝", "灌溉"], ["大坝", " "], ["1 of 2 predicted titles are empty"]),
        (
            ["大坝", "灌溉", "青河"],
            ["大坝", "大坝", "青山"],
            ['67% of predicted titles stand at another text too, "大坝" 2 times'],
        ),
        (["大坝", "大坝", "青河"], ["大坝", "大坝", "青山"], []),
        ([LONG, LONG[::-1]], ["大坝大坝大坝", LONG], ["bigrams repeat"]),
        (["大坝", "灌溉"], ["大坝长", LONG], ["6.5 characters on average, those of gold 2.0"]),
        ([LONG, LONG[::-1]], ["大坝", "灌溉"], ["2.0 characters on average, those of gold 10.0"]),
        (["大坝", ""], ["大坝", "灌"], ["1 of 2 titles of gold are empty"]),
    ],
)
def test_evaluate_warns_of_doubtful_figures(tmp_path, gold, predictions, warnings, capfd):
    gold = write_lines(tmp_path / "gold.json", [{"title": title} for title in gold])
    predictions = write_lines(tmp_path / "a.json", [{"title": title} for title in predictions])
    _, err = json_figures(capfd, FOLDER, gold, predictions)
    check_warnings(err, warnings)


def test_evaluate_says_what_was_read_and_bounds_what_is_unpacked(tmp_path, files, capsys):
    gold = write_lines(
        tmp_path / "other.json", ["", *[{"summary": title} for title in ("青河大坝", "灌溉方法", "大坝")]]
    )
    assert evaluate(FOLDER, gold, files[1]) == pytest.approx(FIGURES, abs=1e-12)
    out = capsys.readouterr().out
    assert f'{gold}: 1 x blank line\n{gold}: 3 x title under "summary"\n' in out
    large = tmp_path / "large.zip"
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.json", " " * 11_000_000)
    refused(lambda: evaluate(FOLDER, gold, large), large, "more than 10 MB", "--max-megabytes")
    refused(lambda: evaluate(FOLDER, gold, large, "--max-megabytes", 12), large, "nothing in it")


def test_help_does_not_wait_for_nltk(tmp_path):
    # Of a copy, which is not loaded yet.
    copy = shutil.copytree(
        competition.folder_of(FOLDER), tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__", "sample")
    )
    with not_importing("nltk", "sklearn", "scipy"):
        assert run_here(copy, "evaluate", ["--help"]).code == 0


@pytest.mark.parametrize(
    ("gold", "predictions", "words"),
    [
        ("[\n", "", ["gold.json:1:", "not JSON"]),
        ('{"content": "大坝"}\n', "", ['gold.json:1: "title" is missing']),
        ('{"title": "大坝"}\n', '{"title": 5}\n', ['predictions.json:1: "title" is a whole number']),
        (
            '{"title": "大坝"}\n',
            '{"title": "一"}\n{"title": "二"}\n',
            ["predictions.json: 2 titles, and ", "gold.json has 1 - "],
        ),
        ('{"title": "大坝"}\n', "", ["predictions.json: there is nothing in it"]),
        ("", '{"title": "大坝"}\n', ["gold.json: there is nothing in it"]),
        ('{"title": "大坝"}\n', None, ["predictions.json", "no such file"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(tmp_path, gold, predictions, words):
    write(tmp_path / "gold.json", gold)
    if predictions is not None:
        write(tmp_path / "predictions.json", predictions)
    evaluation_refused(FOLDER, tmp_path / "gold.json", tmp_path / "predictions.json", *words)


# Real files, where they are


@needs(DATA)
@pytest.mark.parametrize(
    ("name", "train", "dev", "line_to_beat"), [("csl", 3000, 400, 0.335), ("lcsts", 8605, 998, 0.205)]
)
def test_real_files_are_read_and_written(tmp_path, name, train, dev, line_to_beat):
    files = task.find_files(DATA / name)
    assert len(task.read(files.train, labelled=True)) == train
    examples = task.read(files.dev, labelled=True)
    assert len(examples) == dev and all(one.text and one.title for one in examples)
    task.write_submission(tmp_path / "gold.json", [one.title for one in examples])
    assert task.check_submission(tmp_path / "gold.json", examples) == dev
    assert metric.total(one.scores for one in errors.beginnings(examples)).rouge_l == pytest.approx(
        line_to_beat, abs=5e-4
    )


def test_texts_of_dev_without_a_title_are_told():
    train, titled = competition.load(FOLDER, "train"), task.Example("甲", "乙")
    assert train.untitled([titled]) == "" and ", 1 without a title" in train.untitled([titled, task.Example("甲", " ")])
