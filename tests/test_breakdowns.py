"""scripts/breakdowns: scores by class, confusions, and scores by length and by frequency in training."""

import json
from collections import Counter

import numpy as np
import pytest

import competition
from breakdowns import NOTHING, breakdown
from breakdowns.groups import FREQUENCIES, by_frequency, by_length, lengths_of, score_of
from breakdowns.nl2sql import _aggregations, _operators
from contests import EVENT_EXTRACTION, NL2SQL, READING_COMPREHENSION, RELATION_EXTRACTION, in_default, these
from dev_results import dev_results
from helpers import refused, write
from made_runs import made_run
from report_runs import COUNT, run_with_errors


@these(RELATION_EXTRACTION, EVENT_EXTRACTION)
def test_rows_of_a_confusion_are_gold_and_columns_predictions(contest, tmp_path):
    results = dev_results(run_with_errors(contest, tmp_path))
    parts = breakdown(results)
    table, confusion = parts.tables[0], parts.confusions[0]
    for side, column in ((0, "gold"), (1, "predicted")):
        counts = Counter()
        for pair, count in confusion.counts.items():
            counts[pair[side]] += count
        counts.pop(NOTHING, None)
        expected = {row.name: row.cells[table.columns.index(column)] for row in table.rows}
        assert counts == Counter(expected)


def test_classes_are_scored_as_by_the_judge(tmp_path):
    results = dev_results(run_with_errors(RELATION_EXTRACTION, tmp_path))
    table = breakdown(results).tables[0]
    for row in table.rows:
        mine = [
            [[one for one in triples if one.predicate == row.name] for triples in side]
            for side in ([example.triples for example in results.examples], results.predicted)
        ]
        texts = [example.text for example in results.examples]
        metric = competition.load(results.task, "metric")
        expected = metric.score(zip(texts, mine[0]), zip(texts, mine[1])).figures()
        assert row.score == pytest.approx(expected["f1"], abs=1e-4)
        assert row.cells[3:] == pytest.approx([expected["precision"], expected["recall"]], abs=1e-4)


def test_aggregations_and_operators_are_compared_column_by_column(tmp_path):
    task = competition.load(NL2SQL.folder, "task")
    select, condition = task.Selected, task.Condition
    gold = task.Query((select(1, 0), select(2, 5), select(2, 4)), 1, (condition(0, 0, "3"), condition(1, 2, "a")))
    said = task.Query((select(2, 4), select(1, 3), select(3, 5)), 0, (condition(0, 1, "3"), condition(1, 2, "b")))
    assert sorted(_aggregations(gold, said)) == [(0, 3), (4, 4)] and _operators(gold, said) == [(0, 1)]
    counts = {one.title: one.counts for one in breakdown(dev_results(run_with_errors(NL2SQL, tmp_path))).confusions}
    assert counts["aggregation"].total() > COUNT / 2 and all("" not in pair for one in counts.values() for pair in one)


@in_default(READING_COMPREHENSION, RELATION_EXTRACTION, reason="means and F1 of items stand for all")
def test_groups_by_length_and_frequency_are_all_of_dev(contest, tmp_path):
    results = dev_results(run_with_errors(contest, tmp_path))
    table, lengths = by_length(results), np.array(lengths_of(results))
    assert sum(row.cells[0] for row in table.rows) == COUNT and 1 < len(table.rows) <= 5
    for row in table.rows:
        least, _, most = row.name.partition("–")
        places = np.flatnonzero((lengths >= int(least)) & (lengths <= int(most or least))).tolist()
        assert len(places) == row.cells[0] and row.score == score_of(results, places)
    assert score_of(results, range(COUNT)) == pytest.approx(
        results.figures[results.metric] / (100 if contest is READING_COMPREHENSION else 1), abs=1e-4
    )
    for table in by_frequency(results, None):
        assert {row.name for row in table.rows} <= {*FREQUENCIES}
        assert sum(row.cells[0] for row in table.rows) <= COUNT


def questions(path, said):
    """A file of reading comprehension: a question for each list of answers."""
    paragraphs = [
        {
            "context": "天地日月星",
            "qas": [
                {
                    "id": f"{path.stem} {number}",
                    "question": "谁",
                    "answers": [{"text": text, "answer_start": -1} for text in answers],
                }
            ],
        }
        for number, answers in enumerate(said)
    ]
    write(path, {"data": [{"paragraphs": paragraphs}]})


def made_questions(folder, train, dev, said):
    data = folder / "data"
    data.mkdir()
    questions(data / "train.json", train)
    questions(data / "dev.json", dev)
    return made_run(READING_COMPREHENSION, folder, "one", said, data)


def test_frequency_is_that_of_the_rarest_thing_in_training(tmp_path):
    train = [["天"], ["天"], ["天"], ["地"]]
    dev = [["天", "地"], ["地"], ["日"], ["月", "地"]]
    run = made_questions(tmp_path, train, dev, ["天", "错", "日", "地"])
    (table,) = by_frequency(dev_results(run), None)
    assert table.rows == [("0", 1.0, (1,)), ("1", 0.5, (2,)), ("2–9", 1.0, (1,))]
    questions(tmp_path / "data/train.json", train[1:])
    refused(lambda: by_frequency(dev_results(run), None), tmp_path / "data/train.json", "is not the file")
    refused(lambda: by_frequency(dev_results(run), tmp_path / "gone"), "gone", "--data-dir")


def test_what_is_dev_of_a_fold_is_not_seen_in_training(tmp_path):
    run = made_questions(tmp_path, [["天"], ["天"], ["地"]], [["天"], ["地"]], ["天", "错"])
    write(run / "dev_gold.json", (tmp_path / "data/dev.json").read_text("utf-8"))
    config = json.loads((run / "config.json").read_text())
    config["data"]["dev"] |= {"fold": 1, "num_folds": 2}
    write(run / "config.json", config)
    (table,) = by_frequency(dev_results(run), None)
    assert table.rows == [("0", 0.0, (1,)), ("1", 1.0, (1,))]
