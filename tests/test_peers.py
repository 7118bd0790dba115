"""What compares our speed with that of others: our side does its work, the ratio is right, and a side that is not there
is said in one line. The other sides need environments of their own (docs/benchmarks.md)."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common.command_line import UserError
from common.keras_compat import tf

import competition
from competition import COMPETITIONS, ROOT

sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "scripts" / "peers")]
import compare  # noqa: E402
import original  # noqa: E402
import ours  # noqa: E402
import side  # noqa: E402


@pytest.fixture
def config(tmp_path):
    def build(subject, **flags):
        return compare.Config(
            subject, Path(sys.executable), sources=tmp_path, items=3, rounds=1, layers=1, hidden_size=48, **flags
        )

    return build


@pytest.fixture
def eagerly():
    tf.config.run_functions_eagerly(True)  # many graphs take long
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning")
@pytest.mark.parametrize("subject", compare.SUBJECTS)
def test_our_side_does_its_work(subject, config, tmp_path, monkeypatch, eagerly):
    monkeypatch.setitem(compare.SUBJECTS, "training", compare.SUBJECTS["training"]._replace(length=5))
    for name in ("VOCABULARY", "VOCABULARY_OF_TITLES"):
        monkeypatch.setattr(compare, name, 1000)
    asked, chosen = config(subject), compare.SUBJECTS[subject]
    rows = compare.chosen_rows(asked, chosen)
    assert [len(part) for part in rows] == [3, 3]
    job = compare.write_job(tmp_path / "job", asked, rows, rows) | {"title_length": 2}
    with competition.inside(COMPETITIONS / chosen.folder) if chosen.folder else monkeypatch.context():
        items = ours.SUBJECTS[subject](tmp_path / "job", job)(1)
    assert items == (sum(len(row["passages"]) for row in rows[1]) if subject == "passages" else 3)


def test_both_sides_see_the_same_rows_and_the_same_vocabulary(config, tmp_path):
    asked = config("titles")
    rows = compare.chosen_rows(asked, compare.SUBJECTS["titles"])
    assert rows == compare.chosen_rows(asked, compare.SUBJECTS["titles"])
    lengths = [[len(row["text"]) for row in part] for part in rows]
    assert [*map(sorted, lengths)] == lengths and sorted(sum(zip(*lengths), ())) == [*sum(zip(*lengths), ())]
    assert len({row["text"] for part in rows for row in part}) == 6
    part = [compare.every_nth(some, 1) for some in rows]
    assert part == [[some[1]] for some in rows] and compare.every_nth(rows[0], 3) == rows[0]
    for name, some in (("ours", rows), ("theirs", part)):
        compare.write_job(tmp_path / name, asked, some, rows)
    ours_files, theirs = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("ours", "theirs")
    )
    assert [json.loads(theirs[f"rows{number}.json"]) for number in (0, 1)] == part
    assert sorted(name for name in theirs if ours_files[name] != theirs[name]) == ["rows0.json", "rows1.json"]
    vocabulary = ours_files["vocab.txt"].decode().split()
    assert len(vocabulary) == len({*vocabulary}) == compare.VOCABULARY_OF_TITLES
    assert {*"".join(row["text"] for part in rows for row in part).lower()} - {*" \n"} <= {*vocabulary}


# The comparison

SIDE = """
import side
def work(number):
    print("hello")  # what libraries print is no answer
    end = side.processor_seconds() + {rounds}[number]
    while side.processor_seconds() < end:
        pass
    return {items}
side.serve({{"titles": lambda folder, job: work}})
"""


def test_sides_take_turns_and_the_median_of_their_ratios_counts(config, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "scripts" / "peers"))
    for name, rounds, items in (("ours", [0, 0.1, 0.1, 0.1], 4), ("original", [0, 0.1, 0.2, 0.05], 1)):
        (tmp_path / f"{name}.py").write_text(SIDE.format(rounds=rounds, items=items))
        monkeypatch.setitem(compare.SCRIPTS, name, tmp_path / f"{name}.py")
    turns, round_of = [], compare.Side.round
    monkeypatch.setattr(compare.Side, "round", lambda one, number: turns.append(one.name) or round_of(one, number))
    flags = ["--python", sys.executable, "--sources", tmp_path, "--rounds", 3, "--items", 8]
    figures = compare.main(["titles", *flags])
    assert turns == ["original", "ours", "ours", "original", "original", "ours"]
    assert figures["ratio"] == pytest.approx(4, rel=0.1)
    assert (figures["ours"], figures["original"]) == (pytest.approx(0.025, rel=0.1), pytest.approx(0.1, rel=0.1))
    printed = capsys.readouterr().out
    assert f"titles: we do {figures['ratio']:.2f} times as many as original in a processor second" in printed


def test_processor_seconds_count_children():
    before = side.processor_seconds()
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-S", "-c", busy], check=True)
    assert 0.3 <= side.processor_seconds() - before < 1


@pytest.mark.parametrize(
    "flags, message",
    [
        (["events", "--python", "nowhere/python"], "--python nowhere/python: does not exist - docs/benchmarks.md"),
        (["events", "--python", sys.executable], "--sources is missing: give the folder of the originals'"),
        (["events", "--python", sys.executable, "--against", "transformers"], "only titles and training"),
        (
            ["titles", "--python", sys.executable, "--hidden-size", "100"],
            "must be a multiple of its 12 attention heads",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_line(flags, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        compare.main(flags)
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_side_without_its_libraries_is_said_in_one_line(monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_library")
    monkeypatch.setitem(compare.SCRIPTS, "transformers", tmp_path / "broken.py")
    with pytest.raises(UserError, match="transformers stopped: ModuleNotFoundError: No module named 'no_such_library'"):
        compare.main(["titles", "--against", "transformers", "--python", sys.executable])


# The originals' side


def test_a_script_reads_what_the_job_has(tmp_path):
    for name in ("vocab.txt", "rows0.json"):
        (tmp_path / name).touch()
    script = tmp_path / "script.py"
    home = "/root"
    script.write_text(
        f"checkpoint_path = '{home}/kg/model.ckpt'\ndict_path = '{home}/kg/vocab.txt'\n"
        f"train, other = '{home}/data/train.json', '../datasets/WebQA.json'\n"
        "def f(): return train\ndef evaluate(): no\nraise no\n"
    )
    names = original.names_of(script, tmp_path, "def evaluate", [original._NO_WEIGHTS])
    rows = str(tmp_path / "rows0.json")
    assert names["f"]() == names["other"] == rows and names["dict_path"] == str(tmp_path / "vocab.txt")
    assert names["checkpoint_path"] is None and "evaluate" not in names


def test_a_head_that_finds_the_first_token():
    generator = np.random.default_rng(1)
    states = [generator.normal(size=(length, 40)) + 4 * np.eye(30, 40)[:length] for length in (3, 9, 30)]
    kernel, bias = side.head_for_first_tokens(states)
    for one in states:
        probabilities = 1 / (1 + np.exp(-(one @ kernel + bias)))
        assert np.argwhere((probabilities**2 > 0.4).all(1)).tolist() == [[1]]
        assert (probabilities**2 > 0.4).sum() == 2
