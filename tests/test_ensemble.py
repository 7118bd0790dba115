"""scripts/ensemble.py: an ensemble of one run changes nothing, means are means, and what cannot be one is refused."""

import shutil
import sys

import competition
from contests import every_contest
from workshop import extra, numbered, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))


def ensemble(workshop, contest, runs, source, output, *flags):
    data = workshop.trained(contest).data
    tables = extra(contest.predict_flags, data)
    flags = [*runs, "--input", source, "--output", output, "--data-dir", data, *tables, *flags]
    with workshop.networks_built_once(contest.folder):
        return run_here(SCRIPTS, "ensemble", flags)


def copies(run, folder, *names):
    return [shutil.copytree(run, folder / name) for name in names]


@every_contest
def test_one_run_and_the_same_run_copied_say_what_predict_says(workshop, contest, output):
    trained = workshop.trained(contest)
    odd = (contest.with_text(trained.examples[0], text) for text in ("", "甲" * 300))
    examples = numbered(contest, [*trained.examples[:5], *odd])
    alone, scores = output.with_name(f"alone{output.suffix}"), output.with_name("scores.json")
    succeeds(workshop.predict(contest, examples, alone, "--scores", scores))
    source = alone.with_name(f"{alone.name}-input.json")
    one, three = (output.with_name(f"{name}.json") for name in ("one", "three"))
    succeeds(ensemble(workshop, contest, [trained.run], source, output, "--scores", one))
    assert output.read_bytes() == alone.read_bytes() and one.read_bytes() == scores.read_bytes()
    runs = [trained.run, *copies(trained.run, output.parent, "b", "c")]
    succeeds(ensemble(workshop, contest, runs, source, output, "--scores", three))
    assert output.read_bytes() == alone.read_bytes() and three.read_bytes() == scores.read_bytes()
