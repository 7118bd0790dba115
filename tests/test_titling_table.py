"""scripts/titling_table.py: each cell once, whatever interrupts it."""

import json
import sys

import pytest

from common.command_line import UserError, parse_flags
from common.submission import read_json_lines, write_json_lines

import competition
from workshop import run_here, succeeds

sys.path.insert(0, str(competition.ROOT / "scripts"))
import titling_table  # noqa: E402

TINY = "--epochs 1 --batch-size 4 --hidden-size 16 --layers 1 --max-length 32 --max-title-length 8 --votes 0"


@pytest.fixture
def data(tmp_path):
    sample = competition.COMPETITIONS / "seq2seq_titling/sample/train.json"
    examples = [record for _, record in read_json_lines(sample)][:8]
    for name in ("train.json", "dev.json"):
        write_json_lines(tmp_path / "titling/csl" / name, examples)
    return tmp_path / "titling"


def test_a_cell_is_trained_scored_and_not_done_again(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(titling_table, "FLAGS", {("copy_lstm", "csl"): TINY})
    monkeypatch.setattr(titling_table, "SEARCHES", {"greedy": "--beam-width 1"})
    monkeypatch.setattr(titling_table, "_script", script_in_this_process)
    flags = ["--data-dir", data, "--output-dir", tmp_path / "runs", "--models", "copy_lstm", "--data", "csl"]
    with competition.inside("seq2seq_titling"):
        rows = titling_table.main(list(map(str, flags)))
    figures = rows["copy_lstm | csl"]["greedy"]
    assert set(figures) == {"rouge-1", "rouge-2", "rouge-l", "bleu"}
    cell = tmp_path / "runs/seq2seq_titling/copy_lstm-csl/cell.json"
    assert json.loads(cell.read_text())["greedy"] == figures
    assert f"| copy_lstm | csl | {figures['rouge-l']:.4f} / {figures['bleu']:.4f} |" in capsys.readouterr().out

    commands = []
    monkeypatch.setattr(titling_table, "_script", lambda name, *flags, capture=False: commands.append((name, *flags)))
    with competition.inside("seq2seq_titling"):
        assert titling_table.main(list(map(str, flags))) == rows and commands == []
    cell.unlink()
    cell.with_name("history.jsonl").unlink()  # as if it had been interrupted in its first epoch
    with competition.inside("seq2seq_titling"), pytest.raises(TypeError):  # nothing was printed to read
        titling_table.main(list(map(str, flags)))
    assert commands[0][0] == "train" and "--resume" in commands[0] and "--model" not in commands[0]


def test_a_process_is_told_to_fill_one_cell(data, tmp_path):
    flags = ["--data-dir", str(data), "--output-dir", str(tmp_path), "--jobs", "2"]
    config = parse_flags(titling_table.Config, flags)
    told = titling_table.flags_of("unilm", "csl", config)
    alone = parse_flags(titling_table.Config, list(map(str, told)))
    assert (alone.models, alone.data, alone.jobs.jobs) == (("unilm",), ("csl",), 1)
    folders = {titling_table.folder_of("unilm", "csl", one) for one in (config, alone)}
    assert folders == {tmp_path / "seq2seq_titling/unilm-csl"}


def script_in_this_process(name, *flags, capture=False):
    done = succeeds(run_here("seq2seq_titling", name, flags))
    return done.out if capture else None


def test_missing_data_is_named(tmp_path):
    with pytest.raises(UserError, match="csl: no such folder"):
        titling_table.main(["--data-dir", str(tmp_path)])
