"""What only a process of its own can show: how fast a script answers and what it loads, and that a folder copied away
trains, survives a kill, predicts and evaluates there, with the same weights and the same bytes as here."""

import json
import shutil
import signal

from common.submission import TEMPORARY_PREFIX

import competition
from contests import (
    ALL_SCRIPTS,
    CONTESTS,
    RELATION_EXTRACTION,
    TITLING,
    every_contest,
    in_default,
    strict_json,
)
from helpers import HEAVY
from workshop import (
    arrays,
    extra,
    files_below,
    numbered,
    run_here,
    run_there,
    sample_of,
    script_of,
    succeeds,
    without_seconds,
)

#: Runs scripts one after the other, each with siblings of its own, and says of each what it printed first, how long it
#: took and what it loaded.
RUN_EACH = """
import contextlib, io, json, os, runpy, sys, time

for command in json.loads(sys.argv[1]):
    loaded, out, begun = set(sys.modules), io.StringIO(), time.process_time()
    sys.argv, sys.path[0] = command, os.path.dirname(command[0])
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        runpy.run_path(command[0], run_name="__main__")
    new = set(sys.modules) - loaded
    print(json.dumps([out.getvalue().split("\\n")[0], time.process_time() - begun, sorted({name.partition(".")[0] for name in new})]))
    for name in new:
        if os.path.dirname(getattr(sys.modules[name], "__file__", None) or "") == sys.path[0]:
            del sys.modules[name]
"""


def run_each(commands: list[list[object]], folder) -> list[tuple[str, float, set[str]]]:
    commands = [[*map(str, command)] for command in commands]
    done = succeeds(run_there(["-c", RUN_EACH, json.dumps(commands)], folder))
    return [(line, seconds, set(modules)) for line, seconds, modules in map(json.loads, done.out.splitlines())]


def test_help_comes_at_once(tmp_path):
    scripts = [script_of(contest, script) for script in ALL_SCRIPTS for contest in CONTESTS]
    cases = [
        (script, language, begin) for language, begin in (("en", "usage:"), ("zh", "用法：")) for script in scripts
    ]
    done = run_each([[script, "--help", "--language", language] for script, language, _ in cases], tmp_path)
    for (script, _, begin), (line, seconds, loaded) in zip(cases, done, strict=True):
        assert line.startswith(begin), script
        heavy = loaded & HEAVY - {"numpy"}
        assert not heavy, f"{script} --help loads {heavy}"
        # Processor time: the machine may be busy with other things.
        assert seconds < 2, script


@every_contest
def test_a_copy_evaluates_anywhere_with_nothing_but_python(contest, workshop, tmp_path, output):
    trained = workshop.trained(contest)
    succeeds(workshop.predict(contest, trained.examples, output))
    copy = copy_of(contest, tmp_path)
    flags = [
        "--gold",
        trained.data / "dev.json",
        "--predictions",
        output,
        "--json",
        *extra(contest.evaluate_flags, copy / "sample"),
    ]
    [(line, _, loaded)] = run_each([[copy / "evaluate.py", *flags]], tmp_path)
    assert strict_json(line) == strict_json(
        succeeds(workshop.evaluate(contest, trained.data / "dev.json", output, "--json")).out
    )
    titling_needs = {"nltk", "numpy", "scipy", "sklearn"} if contest is TITLING else set()
    assert not loaded & HEAVY - titling_needs


def copy_of(contest, folder):
    """The contest's folder as somebody copies it to change it."""
    copy = folder / "mine" / "a copy"
    shutil.copytree(sample_of(contest).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


KILLED_IN_THE_SECOND_EPOCH = """
import os, runpy, signal, sys

def replace_or_die(source, target, replace=os.replace):
    # The line of the first epoch makes the file, that of the second would replace it.
    if os.path.basename(target) == "history.jsonl" and os.path.exists(target):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
sys.argv, sys.path[0] = sys.argv[1:], sys.argv[1].rpartition("/")[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@in_default(
    RELATION_EXTRACTION,
    reason="takes three processes with TensorFlow and a training; what is resumed and found beside a copy is common",
)
def test_a_copy_survives_a_kill_and_predicts_the_same(contest, workshop, tmp_path):
    copy, elsewhere = copy_of(contest, tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = files_below(copy)

    # A fold, since its part must be the same again too.
    flags = [*contest.tiny, "--epochs", 3, "--num-folds", 3, "--fold", 2, "--run-name", "one", "--output-dir"]
    whole = competition.main(contest.folder, "train", [*flags, tmp_path / "whole"])["run"]
    described = strict_json((whole / "config.json").read_bytes())["data"]
    assert described["dev"] | {"file": "train.json", "fold": 2, "num_folds": 3} == described["dev"]
    assert described["dev"]["sha256"] == described["train"]["sha256"]

    done = run_there(["-B", "-c", KILLED_IN_THE_SECOND_EPOCH, "../mine/a copy/train.py", *flags, "runs"], elsewhere)
    assert done.code == -signal.SIGKILL, done.err
    killed = elsewhere / "runs" / contest.folder / "one"
    assert without_seconds(killed) == without_seconds(whole)[:1]
    done = succeeds(run_there(["-B", "../mine/a copy/train.py", "--resume"], elsewhere))
    assert f"runs/{contest.folder}/one" in done.out and "predict.py" in done.out, (
        "says where the run is, and what comes next"
    )
    check_same_run(killed, whole)

    state = arrays(killed / "best.weights.h5")
    succeeds(run_here(contest.folder, "train", ["--output-dir", elsewhere / "runs", "--run-name", "one", "--resume"]))
    assert arrays(killed / "best.weights.h5") == state, "resuming a finished training changes nothing"

    # What there is to say, the run says that knows something.
    examples = numbered(
        contest, [*workshop.trained(contest).examples, *contest.read(sample_of(contest) / "test.json")[:12]]
    )
    here, there = (folder / f"submission{contest.suffixes[-1]}" for folder in (tmp_path, elsewhere))
    answers = workshop.answers(contest, examples, here)
    more = ["--run", workshop.trained(contest).run, "--input", f"{here}-input.json", "--output", there.name]
    done = run_there(
        ["-B", "../mine/a copy/predict.py", *more, *extra(contest.predict_flags, copy / "sample")], elsewhere
    )
    assert there.name in succeeds(done).out
    assert here.read_bytes() == there.read_bytes()
    assert workshop.answers(contest, examples, here.with_suffix(contest.suffixes[0])) == answers
    assert files_below(copy) == before, "nothing is written beside the scripts"


def check_same_run(killed, whole):
    """Weights and state to the bit, and all that was written but times."""
    assert without_seconds(killed) == without_seconds(whole) and len(without_seconds(whole)) == 3
    assert [name for name in files_below(killed) if TEMPORARY_PREFIX in name] == [], "left by the kill"
    for name in ("last/state.h5", "best.weights.h5"):
        assert arrays(whole / name) == arrays(killed / name) and arrays(whole / name)
    # sqlite writes its own version into an index, and two processes may have loaded two of them.
    timed = ("config.json", "history.jsonl", "last/", "tensorboard/", "best.weights.h5", "knowledge_base.sqlite")
    names = [name for name in files_below(whole) if not name.startswith(timed)]
    assert names == [name for name in files_below(killed) if not name.startswith(timed)]
    for name in names:
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name
