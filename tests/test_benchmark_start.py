"""What measures the start of predict.py: the right files, processes that take turns, and medians."""

import sys

import pytest

import competition
from contests import CONTESTS
from helpers import empty_run

sys.path.insert(0, str(competition.ROOT / "scripts"))
import benchmark  # noqa: E402
import start_time  # noqa: E402

FOLDERS = [contest.folder for contest in CONTESTS]


@pytest.mark.parametrize("contest", CONTESTS, ids=FOLDERS)
def test_the_first_rows_of_the_sample_are_read(contest, tmp_path):
    path = start_time.first_rows(contest.folder, 10, tmp_path)
    all_rows = contest.read(competition.COMPETITIONS / contest.folder / "sample/test.json")
    assert contest.read(path) == all_rows[:10] and len(all_rows) > 10


def test_tables_lie_beside_the_questions(tmp_path):
    path = start_time.first_rows("nl2sql", 1, tmp_path)
    assert competition.load("nl2sql", "task").tables_of(path).is_file()


def test_medians_of_processes_that_take_turns(monkeypatch, tmp_path, capsys):
    for task in ("nl2sql", "webqa_dgcnn"):
        empty_run(tmp_path / "runs", task)
    monkeypatch.chdir(tmp_path)
    asked, slow = [], iter(range(100))

    def seconds(arguments):
        name = "import" if "-c" in arguments else "help" if "--help" in arguments else "predict"
        asked.append(name)
        if name == "predict":
            task = arguments[0].parent.name
            assert arguments[1:3] == ["--run", start_time.Path("runs", task, "a")]
            assert start_time.Path(arguments[4]).is_file()
            return [100.0, 3.0, 5.0, 4.0][next(slow) % 4]
        return {"import": 2.0, "help": 0.5}[name]

    monkeypatch.setattr(start_time, "seconds", seconds)
    figures = benchmark.main(["start"])
    assert asked[:6] == ["import", "predict", "help"] * 2 and len(asked) == 2 * 3 * 4
    assert figures["nl2sql, predict"] == 4 and figures["nl2sql, ratio"] == 2 and figures["webqa_dgcnn, help"] == 0.5
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "ccks2019_entity_linking: no run in runs/, so it is left out"
    assert [line.split() for line in printed[-2:]] == [
        [task, "2.00", "4.00", "2.00", "0.50"] for task in ("nl2sql", "webqa_dgcnn")
    ]


def test_the_same_keras_is_imported_as_by_the_scripts():
    assert start_time.seconds(["-c", "import os; assert os.environ['TF_USE_LEGACY_KERAS'] == '1'"]) > 0
    with pytest.raises(start_time.subprocess.CalledProcessError):
        start_time.seconds(["-c", "raise SystemExit(3)"])
