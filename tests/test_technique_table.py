"""scripts/technique_table.py: each cell once, whatever interrupts it, and figures that compare what they say."""

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from common.command_line import UserError, parse_flags
from common.jobs import JobOptions
from common.options import TrainingOptions
from common.runs.directory import create_run

import competition
from helpers import write

sys.path.insert(0, str(competition.ROOT / "scripts"))
import table_cells  # noqa: E402
import technique_table  # noqa: E402

EPOCHS = 3
#: Dev scores of the epochs by technique and seed, and seconds of an epoch after the first, more or less.
SCORES = {"plain-1": (0.1, 0.5, 0.4), "plain-2": (0.2, 0.3, 0.6), "fgm-1": (0.1, 0.2, 0.7), "fgm-2": (0.6, 0.5, 0.5)}
SECONDS = {"plain": 10.0, "fgm": 21.0}


@dataclass
class Settings:
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=EPOCHS))


class Killed(Exception):
    pass


class Trainer:
    """A train.py that learns nothing; after `epochs` epochs in all it is killed."""

    def __init__(self, epochs: int = 1000):
        self.left, self.calls = epochs, []

    def __call__(self, config, *flags) -> None:
        self.calls.append(list(map(str, flags)))
        given = dict(zip(self.calls[-1], self.calls[-1][1:]))
        name = given["--run-name"]
        folder = Path(given["--output-dir"]) / config.folder / name
        if "--resume" not in flags:
            create_run(config.folder, folder.parents[1], name, Settings(), {}, lambda path: None)
        done = table_cells.history(folder)
        for epoch in range(len(done), EPOCHS):
            if not self.left:
                raise Killed
            self.left -= 1
            seconds = SECONDS[name[:-2]] + (30, -1, 1)[epoch]
            done.append(
                {
                    "epoch": epoch + 1,
                    "f1": SCORES[name][epoch],
                    "rouge-l": 1 - SCORES[name][epoch],
                    "training_seconds": seconds,
                }
            )
            (folder / "history.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in done))


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Runs the table with a trainer, and returns what it returns."""

    def run(trainer, *flags, folder="lic2020_event_extraction"):
        monkeypatch.setattr(technique_table, "_train", trainer)
        return technique_table.main([folder, "--output-dir", tmp_path / "runs", "--cells", "plain,fgm", *flags])

    return run


def test_scores_are_the_best_of_each_run_and_gains_are_over_plain_seed_by_seed(table, capsys):
    rows = table(Trainer())
    assert rows["plain"] == {"scores": {"1": 0.5, "2": 0.6}, "mean": pytest.approx(0.55), "gain": 0, "time": 1}
    assert rows["fgm"] == {
        "scores": {"1": 0.7, "2": 0.6},
        "mean": pytest.approx(0.65),
        "gain": pytest.approx(0.1),
        "time": pytest.approx(2.1),
    }
    printed = capsys.readouterr().out
    assert (
        "| technique | seed 1 | seed 2 | mean | gain over plain | time of an epoch |\n|---|---|---|---|---|---|\n"
        in printed
    )
    assert "| plain | 0.5000 | 0.6000 | 0.5500 | +0.0000 | x 1.00 |" in printed
    assert "| fgm | 0.7000 | 0.6000 | 0.6500 | +0.1000 | x 2.10 |" in printed
    assert "dev f1 of lic2020_event_extraction" in printed and "the seeds of plain are 0.1000 apart" in printed


def test_the_score_is_that_of_the_contest(table):
    assert table(Trainer(), "--seeds", "1", folder="seq2seq_titling")["plain"]["scores"] == {"1": 0.9}


def test_without_plain_nothing_is_compared(table, capsys):
    rows = table(Trainer(), "--cells", "fgm", "--seeds", "2")
    assert (rows["fgm"]["gain"], rows["fgm"]["time"]) == (None, None)
    assert "| fgm | 0.6000 | 0.6000 | - | - |" in capsys.readouterr().out


def test_each_run_gets_the_flags_of_its_cell(table, tmp_path):
    trainer = Trainer()
    table(trainer, "--seeds", "2", "--data-dir", tmp_path, "--", "--epochs", "3", "--ema-momentum", "0.5")
    # What a cell says comes after what is said for all, and so counts.
    assert trainer.calls[1] == [
        *("--output-dir", str(tmp_path / "runs"), "--run-name", "fgm-2", "--epochs", "3", "--ema-momentum", "0.5"),
        *("--ema-momentum", "0", "--fgm", "0.5", "--data-dir", str(tmp_path), "--seed", "2"),
    ]


def test_a_finished_cell_is_not_trained_again_and_more_can_be_added(table):
    first = table(Trainer(), "--seeds", "1")
    again = Trainer(0)
    assert table(again, "--seeds", "1") == first and again.calls == []
    more = Trainer()
    assert table(more)["fgm"]["scores"] == {"1": 0.7, "2": 0.6}
    assert [call[3] for call in more.calls] == ["plain-2", "fgm-2"]


@pytest.mark.parametrize("epochs", range(12))
def test_a_table_killed_anywhere_goes_on_where_it_was(table, epochs):
    with pytest.raises(Killed):
        table(Trainer(epochs))
    trainer = Trainer(12 - epochs)
    assert table(trainer)["fgm"]["mean"] == pytest.approx(0.65) and trainer.left == 0
    # It was killed at the beginning of an epoch of this run, which it had begun before.
    assert "--resume" in trainer.calls[0] and not any("--resume" in call for call in trainer.calls[1:])


def test_a_run_killed_after_its_last_epoch_is_not_trained_again(table, tmp_path):
    first = table(Trainer())
    (tmp_path / "runs/lic2020_event_extraction/fgm-1/cell.json").unlink()
    again = Trainer(0)
    assert table(again) == first and again.calls == []


def test_cells_filled_at_once_are_those_of_the_table(table, monkeypatch, tmp_path):
    """What each process is told fills its cell, and no other."""
    expected, filled = table(Trainer(), "--", "--epochs", "3"), []
    (tmp_path / "runs").rename(tmp_path / "one by one")

    def fill(script, cells, options):
        monkeypatch.setattr(technique_table, "fill_at_once", lambda *_: None)
        assert Path(script).samefile(technique_table.__file__) and options.jobs == 2
        for run, flags in cells.items():
            technique_table.main(flags)
            filled.append(run.name)
            assert sorted(path.parent.name for path in run.parent.glob("*/cell.json")) == sorted(filled)

    monkeypatch.setattr(technique_table, "fill_at_once", fill)
    assert table(Trainer(12), "--jobs", 2, "--", "--epochs", "3") == expected
    assert filled == ["plain-1", "fgm-1", "plain-2", "fgm-2"]


def test_a_cell_that_fails_is_named_when_the_others_are_filled(tmp_path, capsys):
    script = write(
        tmp_path / "table.py",
        "import sys; from pathlib import Path; name = sys.argv[1]\n"
        "if name == 'b': sys.exit('error: no')\n"
        "Path(name).mkdir(); (Path(name) / 'cell.json').write_text(name)",
    )
    cells = {tmp_path / name: [tmp_path / name if name != "b" else "b"] for name in "abc"}
    with pytest.raises(UserError, match=r"1 of 3 cells failed \(b\) - mend what their logs say, and start the same"):
        table_cells.fill_at_once(script, cells, JobOptions(jobs=2))
    assert sorted(path.parent.name for path in tmp_path.glob("*/cell.json")) == ["a", "c"]
    assert f"failed: error: no  ({tmp_path / 'b.log'})" in capsys.readouterr().out
    table_cells.fill_at_once("/nowhere", {tmp_path / "a": []}, JobOptions(jobs=2))
    table_cells.fill_at_once("/nowhere", cells, JobOptions())


def test_cells_of_other_flags_are_not_mixed_up(table):
    table(Trainer(), "--", "--epochs", "3")
    with pytest.raises(
        UserError, match="plain-1: was trained with --epochs 3 --ema-momentum 0 --seed 1, not with --epochs 5 --ema"
    ):
        table(Trainer(), "--", "--epochs", "5")


def test_mistakes_are_named(capsys):
    for flags, message in (
        (["nothing"], "nothing: no contest of this name - give one of ccks2019_entity_linking, "),
        (["nl2sql", "--cells", "plain,adam"], "--cells plain,adam: 'adam' is none of plain, ema, "),
        (["nl2sql", "--seeds", "1,x"], "--seeds 1,x: must be whole numbers, separated by commas"),
    ):
        with pytest.raises(SystemExit, match="2"):
            technique_table.main(flags)
        assert message in capsys.readouterr().err


def test_a_training_that_fails_says_so_in_one_line(tmp_path, capfd):
    flags = [
        "lic2020_event_extraction",
        "--output-dir",
        tmp_path,
        "--cells",
        "plain",
        "--seeds",
        "1",
        "--threads",
        "1",
        "--",
        "--epochs",
        "0",
    ]
    with pytest.raises(
        UserError, match="train.py ended with status 2; its flags were .*--epochs 0 --ema-momentum 0 --seed 1 - mend"
    ):
        technique_table.main(flags)
    assert "--epochs 0: must be at least 1" in capfd.readouterr().err


def test_every_cell_is_made_of_flags_that_there_are():
    """Those of a contest that has all; of two the last one counts."""
    Config = competition.load("lic2020_event_extraction", "train").Config
    plain = parse_flags(Config, ["--ema-momentum", "0.5", *technique_table.CELLS["plain"].split()])
    assert plain.training == replace(Config().training, ema_momentum=0)
    for name, flags in technique_table.CELLS.items():
        assert (parse_flags(Config, flags.split()) == Config()) == (name == "ema"), "nothing else is a default"
