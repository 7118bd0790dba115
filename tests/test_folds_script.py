"""scripts/folds.py: every fold of every seed once, whatever interrupts it, and scores of what they say together."""

import json
import signal
import subprocess
import sys
import time

import pytest

from common.command_line import UserError, run

import competition
from contests import EVENT_EXTRACTION
from helpers import write, write_lines
from local_cluster import local_cluster, needs_dask, wait_until
from workshop import sample_of

sys.path.insert(0, str(competition.ROOT / "scripts"))
import folds  # noqa: E402
from dev_results import dev_results  # noqa: E402

TASK, COUNT = EVENT_EXTRACTION.folder, 23

#: A train.py that reads as the real one does, learns nothing, and answers some examples wrong, others by each seed.
TRAIN = f"""
import json, os, sys, time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path[:0] = [{str(competition.ROOT)!r}, {str(competition.ROOT / "tests")!r}]
from common.command_line import UserError, run
from common.folds import read_parts
from common.runs.directory import begin_run, parse_training_flags
import competition

def main():
    task, train = competition.load({TASK!r}, "task"), competition.load({TASK!r}, "train")
    config, resumed = parse_training_flags(train.Config, {TASK!r}, None)
    files = task.find_files(config.data_dir)
    schema = task.Schema.read(files.schema)
    read_file = partial(task.read, schema=schema, labelled=True, skipped=Counter())
    parts = read_parts(config.run, files.train, files.dev, read_file, lambda example: [example.text], "text")
    kept = begin_run(resumed, {TASK!r}, config, parts.describe(Counter(), schema=files.schema), parts.write_gold)
    lines = kept.history.read_text().splitlines() if kept.history.is_file() else []
    print("epochs done:", len(lines), flush=True)
    for epoch in range(len(lines) + 1, config.training.epochs + 1):
        while epoch == 2 and (config.data_dir / "wait").exists():
            time.sleep(0.05)
        if (config.data_dir / f"fail-{{config.run.seed}}-{{config.run.fold}}").exists():
            raise UserError("train.json:7: is broken - mend it")
        lines.append(json.dumps({{"epoch": epoch, "f1": 0.5}}))
        kept.history.write_text("".join(f"{{line}}\\n" for line in lines))
    seed = config.run.seed
    said = [() if hash_of(example.text) % (2 + seed) == 0 else example.events for example in parts.dev]
    evaluation = train.evaluation(parts.dev, said, schema)
    kept.write_json("dev_predictions.json", evaluation.predictions)
    kept.best_weights.touch()

def hash_of(text):
    return sum(map(ord, text))

run(main)
"""

#: In place of predict.py and ensemble.py: of --input every so many examples are answered wrong, by fewer runs more.
ANSWER = """
import json, sys

runs, flags = sys.argv[1:-4], dict(zip(sys.argv[-4::2], sys.argv[-3::2]))
count = sum("/" in one for one in runs)
with open(flags["--input"], encoding="utf-8") as file, open(flags["--output"], "w", encoding="utf-8") as output:
    for number, line in enumerate(file):
        example = json.loads(line)
        said = example["event_list"] if number % (2 * count + len(runs[-1]) % 2) else []
        output.write(json.dumps({"id": example["id"], "event_list": said}) + "\\n")
print("answered by", *runs)
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of data, of which there are few, and that train.py in place of the real one."""
    folder = write(tmp_path / "train.py", TRAIN).parent / "competitions" / TASK
    folder.mkdir(parents=True)
    (tmp_path / "train.py").rename(folder / "train.py")
    monkeypatch.setattr(folds, "COMPETITIONS", folder.parent)
    made = tmp_path / "data"
    made.mkdir()
    for name in ("event_schema.json", "dev.json"):
        (made / name).symlink_to(sample_of(EVENT_EXTRACTION) / name)
    write_lines(made / "train.json", EVENT_EXTRACTION.read(sample_of(EVENT_EXTRACTION) / "train.json")[:COUNT])
    return made


def flags(data, *more):
    own = ["events", "--output-dir", data.parent / "runs", "--num-folds", 2, "--no-ensemble", *more]
    return [*map(str, own), "--", "--data-dir", str(data), "--epochs", "3"]


def runs_in(data):
    return sorted(path.name for path in (data.parent / "runs" / TASK).iterdir() if path.is_dir())


def kept(data):
    """What is in each run, but for the times in it."""
    found = {}
    for run_folder in sorted((data.parent / "runs" / TASK).glob("*/")):
        config = json.loads((run_folder / "config.json").read_text())
        config["created"] = config["settings"]["run"] = None
        files = ("dev_predictions.json", "dev_gold.json", "history.jsonl", "cell.json")
        found[run_folder.name] = [config, *((run_folder / name).read_bytes() for name in files)]
    return found


def test_the_folds_together_score_what_evaluate_py_says_of_the_whole_file(data, capsys):
    found = folds.main(flags(data, "--seeds", 2))
    assert runs_in(data) == [f"folds-{seed}-{fold}of2" for seed in (1, 2) for fold in (1, 2)] == [*found["scores"]]
    for seed in (1, 2):
        members = [data.parent / "runs" / TASK / f"folds-{seed}-{fold}of2" for fold in (1, 2)]
        records = [one for path in members for one in json.loads((path / "dev_predictions.json").read_text())]
        assert len({record["id"] for record in records}) == len(records) == COUNT
        predictions = write_lines(data.parent / "all.json", records)
        gold = ["--gold", data / "train.json", "--predictions", predictions, "--json"]
        official = competition.main(EVENT_EXTRACTION.folder, "evaluate", gold)
        assert found["out_of_fold"][seed] == pytest.approx(official["f1"], abs=1e-9)
        assert 0.3 < official["f1"] < 1
    assert found["out_of_fold"][1] != found["out_of_fold"][2]
    printed = " ".join(capsys.readouterr().out.split())
    assert f"seed 1, out of fold {COUNT} " in printed and "standard deviation 0." in printed
    for name, score in found["scores"].items():
        results = dev_results(data.parent / "runs" / TASK / name)
        assert score == results.figures["f1"] and f"{name} {len(results.examples)} " in printed


def test_the_dev_file_is_answered_alone_and_together(data, tmp_path, monkeypatch, capsys):
    folder = folds.COMPETITIONS / TASK
    write(folder / "predict.py", ANSWER)
    (folder / "evaluate.py").symlink_to(competition.COMPETITIONS / TASK / "evaluate.py")
    monkeypatch.setattr(folds, "SCRIPTS", tmp_path)
    write(tmp_path / "ensemble.py", ANSWER)
    for _ in range(2):
        found = folds.main(flags(data, "--ensemble"))
    runs = tmp_path / "runs" / TASK
    files = {name: runs / name / "dev_file.json" for name in found["scores"]}
    for name, file in {**files, "together": runs / "folds-ensemble.json"}.items():
        gold = ["--gold", data / "dev.json", "--predictions", file, "--json"]
        score = competition.main(EVENT_EXTRACTION.folder, "evaluate", gold)["f1"]
        assert score == (found["together"] if name == "together" else found["single"][name])
        assert (runs / f"{name}.log").read_text().count("answered by") == 1 if name != "together" else score > 0.8
    mean = sum(found["single"].values()) / 2
    assert mean < found["together"] and f"mean of single runs {mean:.4f}" in " ".join(capsys.readouterr().out.split())


def test_two_at_a_time_make_the_same_runs_and_finished_ones_are_left_alone(data, tmp_path):
    one = folds.main(flags(data))
    alone = kept(data)
    assert folds.main(flags(data)) == one
    logs = [*(tmp_path / "runs" / TASK).glob("*.log")]
    assert len(logs) == 2 and all(log.read_text().count("epochs done: 0") == 1 for log in logs)
    (tmp_path / "runs").rename(tmp_path / "first")
    assert folds.main(flags(data, "--jobs", 2)) == one and kept(data) == alone and len(alone) == 2


@needs_dask
@pytest.mark.slow(reason="a cluster takes seconds to start")
def test_a_cluster_makes_the_same_runs(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # paths are those of here, wherever a worker is
    here = [flag.replace(f"{tmp_path}/", "") for flag in flags(data)]
    one, alone = folds.main(here), kept(data)
    (tmp_path / "runs").rename(tmp_path / "first")
    with local_cluster(tmp_path) as (address, _):
        assert folds.main([*here[:1], "--scheduler", address, *here[1:]]) == one and kept(data) == alone


def test_one_that_fails_is_named_and_the_others_go_on(data, tmp_path, capsys):
    (data / "fail-1-2").touch()
    with pytest.raises(UserError, match=r"1 of 2 runs failed \(folds-1-2of2\) - mend .* and start the same command"):
        folds.main(flags(data))
    printed = capsys.readouterr().out
    log = tmp_path / "runs" / TASK / "folds-1-2of2.log"
    assert f"failed: error: train.json:7: is broken - mend it  ({log})" in printed
    assert "folds-1-1of2" in printed and "out of fold" not in printed, "a part is missing"
    (data / "fail-1-2").unlink()
    assert len(folds.main(flags(data))["scores"]) == 2
    assert "2 runs of lic2020_event_extraction: 1 finished, 1 to go on with" in capsys.readouterr().out
    assert log.read_text().splitlines() == [
        "epochs done: 0",
        "error: train.json:7: is broken - mend it",
        "epochs done: 0",
    ]


def test_ctrl_c_ends_all_and_the_same_command_goes_on(data, tmp_path, capsys):
    (data / "wait").touch()
    program = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}; import folds; from pathlib import Path; from common.command_line import run; folds.COMPETITIONS = Path({str(folds.COMPETITIONS)!r}); run(folds.main)"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *flags(data, "--jobs", 2)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    histories = [tmp_path / "runs" / TASK / f"folds-1-{fold}of2/history.jsonl" for fold in (1, 2)]
    wait_until(lambda: all(path.is_file() for path in histories))
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130 and "continue with the same command" in said and "Traceback" not in said
    assert runs_in(data) == ["folds-1-1of2", "folds-1-2of2"]
    (data / "wait").unlink()
    time.sleep(0.3)
    assert all(len(path.read_text().splitlines()) == 1 for path in histories), "they have ended"
    assert len(folds.main(flags(data))["scores"]) == 2
    assert "0 finished, 2 to go on with" in capsys.readouterr().out
    logs = [(tmp_path / "runs" / TASK / f"folds-1-{fold}of2.log").read_text().split("\n") for fold in (1, 2)]
    assert [[line for line in log if line.startswith("epochs")] for log in logs] == [
        ["epochs done: 0", "epochs done: 1"]
    ] * 2


def test_seeds_without_folds_train_on_the_dev_file(data):
    found = folds.main(flags(data, "--num-folds", 0, "--seeds", 2))
    assert runs_in(data) == ["folds-1", "folds-2"] == [*found["scores"]] and found["out_of_fold"] == {}
    assert len(dev_results(data.parent / "runs" / TASK / "folds-2").examples) == 100


@pytest.mark.parametrize(
    "more, message",
    [
        (["nothing"], "nothing: no contest of this name - give one of relations, "),
        (["events", "--num-folds", "1"], "--num-folds 1: must be at least 2"),
        (["events", "--num-folds", "0"], "--num-folds 0: is for several seeds on the dev file - give --seeds"),
        (["events", "--jobs", "0"], "--jobs 0: must be at least 1"),
        (["events", "--", "--seed", "3"], "--seed: is given by this script to each run - leave it out"),
        (["events", "--", "--epoch", "3"], "unrecognized options: --epoch"),
        (["events", "--name", "a/b"], "--name 'a/b': must begin the name of a folder"),
    ],
)
def test_mistakes_are_named_before_anything_is_trained(more, message, tmp_path, capfd):
    with pytest.raises(SystemExit) as stop:
        run(lambda: folds.main([*more[:1], "--output-dir", tmp_path / "runs", *more[1:]]))
    assert stop.value.code == 2 and message.lower() in capfd.readouterr().err.lower()
    assert not (tmp_path / "runs").exists()


def test_finished_runs_of_other_flags_are_not_mixed_up(data):
    folds.main(flags(data))
    with pytest.raises(
        UserError, match="1of2: was trained with .*--epochs 3 .*, not with .*--epochs 4 .* another --name"
    ):
        folds.main([*flags(data)[:-1], "4"])
    (data / "dev.json").unlink()
    with pytest.raises(
        UserError, match="has no dev file, and every seed would cut another part off - give --num-folds"
    ):
        folds.main(flags(data, "--num-folds", 0, "--seeds", 2))
