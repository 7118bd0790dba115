"""What measures the first step: that the folder has so many rows, and that train.py comes so far."""

import sys

import pytest

import competition
from workshop import sample_of

sys.path.insert(0, str(competition.ROOT / "scripts"))
import benchmark  # noqa: E402
from contests import NL2SQL, RELATION_EXTRACTION, WEBQA, these  # noqa: E402
from many_rows import write_many_rows  # noqa: E402


@these(RELATION_EXTRACTION, WEBQA, NL2SQL)
def test_a_folder_has_as_many_examples_as_are_wanted(contest, tmp_path):
    write_many_rows(contest.folder, sample_of(contest), tmp_path / "data", 1234)
    records = [one.get("question") or one["text"] for one in contest.read(tmp_path / "data/train.json")]
    assert len(records) == len(set(records)) == 1234 and records[7].endswith(" 7")
    assert contest.read(tmp_path / "data/dev.json") == contest.read(sample_of(contest) / "dev.json")


@pytest.mark.slow(reason="three trainings begin")
def test_the_first_step_is_measured(capsys):
    figures = benchmark.main(["first-step", "--share", "0.02", "--feature-memory", "0"])
    assert "rows a CPU second" in capsys.readouterr().out
    for name in ("relations", "webqa", "nl2sql"):
        assert 1 < figures[f"{name}, cpu_seconds"] < 600 and figures[f"{name}, seconds"] > 1
        assert 2e8 < figures[f"{name}, bytes"] < 4e9 and figures[f"{name}, rows_per_second"] > 1
