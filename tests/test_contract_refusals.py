"""What every competition folder refuses, in one line that says what is wrong, where, and what to do. See contests.py
for the mistakes of each."""

import json
import os
import shutil

import pytest

from common.command_line import UserError

import competition
from contests import EVENT_EXTRACTION, NL2SQL, every_contest, in_default
from tiny_checkpoint import write_checkpoint
from workshop import check_message, check_refusal, extra, files_below, make_data, run_here, sample_of, succeeds

# Files with mistakes


@every_contest
def test_readers_refuse_bad_files(contest, tmp_path):
    """As the scripts read them. That they come to the user as they stand here is shown below."""
    good = contest.read(sample_of(contest) / "train.json")[:2]
    files = [(script, case) for case in contest.refused(good) for script in case.scripts]
    files += [("submission", case) for case in contest.refused_submissions(good)]
    path = make_data(contest, tmp_path / "data", good, good) / f"bad{contest.suffixes[0]}"
    task = competition.load(contest.folder, "task")
    for script, case in files:
        path.write_bytes(case.content)
        try:
            contest.reader(task, path, script)
        except UserError as error:
            check_message(str(error), f"{path}:{case.line}: ")
            assert "\n" not in str(error), case.name
        else:
            pytest.fail(f"{case.name}: is taken by {script}")


@every_contest
def test_scripts_refuse_bad_files(contest, workshop, tmp_path, output):
    trained = workshop.trained(contest)
    cases = contest.refused(trained.examples[:2])
    for script in ("train", "predict", "evaluate"):
        concerned = [case for case in cases if script in case.scripts]
        for case in (concerned[0], concerned[-1]):
            for path, done in refused_by(script, contest, case.content, workshop, tmp_path):
                check_refusal(done, f"{path}:{case.line}: ")
                assert done.out == "", case.name
    assert not (tmp_path / "runs").exists() and not output.exists()
    predictions = tmp_path / f"submission{contest.suffixes[0]}"
    for case in contest.refused_submissions(trained.examples[:2])[:2]:
        predictions.write_bytes(case.content)
        done = workshop.evaluate(contest, trained.data / "dev.json", predictions, "--json")
        check_refusal(done, f"{predictions}:{case.line}: ")
        assert done.out == "", case.name


def refused_by(script, contest, content, workshop, folder):
    """Every way in which a script is given a bad file: where it stands, and what the script says."""
    if script == "predict":
        yield folder / "submission.json-input.json", workshop.predict(contest, content, folder / "submission.json")
    elif script == "evaluate":
        (folder / "gold.json").write_bytes(content)
        yield (
            folder / "gold.json",
            workshop.evaluate(contest, folder / "gold.json", sample_of(contest) / "dev.json", "--json"),
        )
    else:
        good = contest.read(sample_of(contest) / "train.json")[:2]
        for name in ("train.json", "dev.json"):
            shutil.rmtree(folder / "data", ignore_errors=True)
            data = make_data(contest, folder / "data", good, good)
            (data / name).write_bytes(content)
            yield (
                data / name,
                run_here(contest.folder, "train", ["--data-dir", data, "--output-dir", folder / "runs", *contest.tiny]),
            )


@every_contest
def test_an_empty_file_is_neither_answered_nor_scored(contest, workshop, tmp_path, output):
    empty = tmp_path / "empty.json"
    contest.write(empty, [])
    for content in (b"", empty.read_bytes()):
        check_refusal(workshop.predict(contest, content, output), "there is nothing in it")
        empty.write_bytes(content)
        check_refusal(workshop.evaluate(contest, empty, sample_of(contest) / "dev.json"), empty)
    assert not output.exists()


# Mistakes on the command line


@every_contest
@pytest.mark.parametrize(
    ("script", "flags", "named"),
    [
        ("train", ["--no-such-flag"], "--no-such-flag"),
        ("train", ["--epochs", "many"], "--epochs"),
        ("train", ["--batch-size", 0], "--batch-size 0"),
        ("train", ["--num-folds", 3, "--fold", 4], "--fold 4"),
        ("train", ["--fold", 2], "--fold 2"),  # of what? there is a dev file
        ("predict", ["test.json"], "test.json"),
        ("predict", ["--batch-tokens", "many"], "--batch-tokens"),
        ("predict", ["--batch-tokens", 0], "--batch-tokens 0"),
        ("evaluate", ["--gold", "dev.json"], "--predictions"),
    ],
)
def test_a_bad_flag_is_named(contest, script, flags, named):
    check_refusal(run_here(contest.folder, script, flags), named)


@every_contest
def test_missing_data_shows_the_tree(contest, tmp_path):
    wanted = [path.name for path in sample_of(contest).iterdir() if not path.name.startswith("test.")]
    flags = ["--data-dir", tmp_path / "data", "--output-dir", tmp_path / "runs"]
    check_refusal(run_here(contest.folder, "train", flags), tmp_path / "data", *wanted)
    for name in wanted:
        if name == "dev.json":  # which may be missing
            continue
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        shutil.copytree(sample_of(contest), tmp_path / "data")
        (tmp_path / "data" / name).unlink()
        check_refusal(run_here(contest.folder, "train", flags), tmp_path / "data", *wanted)
    shutil.copytree(sample_of(contest), tmp_path / "data", dirs_exist_ok=True)
    contest.write(tmp_path / "data/train.json", [])
    check_refusal(run_here(contest.folder, "train", flags), tmp_path / "data/train.json")
    assert not (tmp_path / "runs").exists()


# Checkpoints


@in_default(EVENT_EXTRACTION, NL2SQL, reason="test_encoders.py tries more such mistakes; here they reach the user")
def test_a_checkpoint_that_does_not_fit_is_refused(contest, tmp_path):
    if "--pretrained" in contest.absent_flags:
        pytest.skip("this contest has encoders of its own")
    for wrong in ("no folder", "vocabulary of another", "tensors of another size", "damaged weights"):
        folder = tmp_path / wrong
        if wrong != "no folder":
            write_checkpoint(folder, size=4 if wrong == "tensors of another size" else 8)
        if wrong == "vocabulary of another":
            with (folder / "vocab.txt").open("a", encoding="utf-8") as file:  # fewer lines would do
                file.write("龘\n")
        elif wrong == "damaged weights":
            (folder / "bert_model.ckpt.index").write_bytes(b"not an index")
        check_refusal(
            run_here(
                contest.folder, "train", ["--pretrained", folder, "--output-dir", tmp_path / "runs", *contest.tiny]
            ),
            folder,
        )
    assert not (tmp_path / "runs" / contest.folder).exists()  # the index of a knowledge base may stay


# Runs


@every_contest
def test_a_run_is_named_once(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    flags = ["--data-dir", trained.data, "--output-dir", trained.home / "runs", *contest.tiny]
    before = files_below(trained.home / "runs")
    check_refusal(
        run_here(contest.folder, "train", [*flags, "--run-name", "by-heart"]), "by-heart", "exists", "--resume"
    )
    for name in ("", "..", "a/b", "/tmp"):
        check_refusal(run_here(contest.folder, "train", [*flags, "--run-name", name]), "--run-name")
    check_refusal(run_here(contest.folder, "train", [*flags, "--run-name", "absent", "--resume"]), "absent")
    nothing = ["--output-dir", tmp_path / "runs", "--resume"]
    check_refusal(run_here(contest.folder, "train", nothing), tmp_path / "runs", "train")
    assert files_below(trained.home / "runs") == before and not (tmp_path / "runs").exists()


@every_contest
def test_a_resumed_run_keeps_its_settings_and_data(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    resume = ["--output-dir", trained.home / "runs", "--run-name", "by-heart", "--resume"]
    before = {name: (trained.run / name).read_bytes() for name in files_below(trained.run)}
    for flag, value in (
        ("--seed", 7),
        ("--batch-size", 3),
        ("--learning-rate", 0.5),
        ("--max-dev-examples", 2),
        ("--fold", 2),
    ):
        check_refusal(run_here(contest.folder, "train", [*resume, flag, value]), f"{flag} {value}", "by-heart")
    data = make_data(contest, tmp_path / "data", trained.examples[:7], trained.examples)
    check_refusal(run_here(contest.folder, "train", [*resume, "--data-dir", data]), trained.run, "train.json")
    assert {name: (trained.run / name).read_bytes() for name in files_below(trained.run)} == before


@every_contest
def test_prediction_refuses_what_is_no_run_of_this_task(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    unfinished, foreign, empty = (tmp_path / name for name in ("unfinished", "foreign", "empty"))
    for folder in (unfinished, foreign):
        shutil.copytree(trained.run, folder, ignore=shutil.ignore_patterns("tensorboard", "last"))
    (unfinished / "best.weights.h5").unlink()
    config = json.loads((foreign / "config.json").read_text("utf-8"))
    (foreign / "config.json").write_text(json.dumps({**config, "task": "another_contest"}))
    empty.mkdir()
    output = tmp_path / "submission.json"
    for flags, words in (
        (["--run", foreign], [foreign, "another_contest", contest.folder]),
        (["--run", unfinished], [unfinished, "best.weights.h5", "train"]),
        (["--run", empty], [empty, "config.json"]),
        (["--run", tmp_path / "nowhere"], [tmp_path / "nowhere"]),
        (["--output-dir", empty], [empty, "train"]),
    ):
        check_refusal(workshop.predict_with(contest, [*flags, "--output", output]), *words)
    assert not output.exists()


@every_contest
def test_a_damaged_run_is_named(contest, workshop, tmp_path):
    """Every file that predict.py reads, cut in half, as a full disk or a broken download leaves it."""
    trained = workshop.trained(contest)
    shutil.copytree(
        trained.run, tmp_path / "run", ignore=shutil.ignore_patterns("tensorboard", "last", "dev_*", "history.jsonl")
    )
    output = tmp_path / "submission.json"
    flags = ["--run", tmp_path / "run", "--output", output, *extra(contest.predict_flags, trained.data)]
    names = files_below(tmp_path / "run")
    assert "config.json" in names and "best.weights.h5" in names
    for name in names:
        content = (tmp_path / "run" / name).read_bytes()
        (tmp_path / "run" / name).write_bytes(content[: len(content) // 2])
        check_refusal(workshop.predict_with(contest, flags), tmp_path / "run")
        (tmp_path / "run" / name).unlink()
        check_refusal(workshop.predict_with(contest, flags), tmp_path / "run")
        (tmp_path / "run" / name).write_bytes(content)
    assert not output.exists()
    succeeds(workshop.predict_with(contest, flags))


@every_contest
def test_files_that_cannot_be_read_or_written_are_named(contest, workshop, tmp_path):
    trained = workshop.trained(contest)
    gold, nowhere, folder = trained.data / "dev.json", tmp_path / "nowhere.json", tmp_path / "folder"
    folder.mkdir()
    check_refusal(workshop.predict(contest, trained.examples, folder), folder)
    for path in (nowhere, folder):
        flags = ["--run", trained.run, "--input", path, "--output", tmp_path / "submission.json"]
        check_refusal(workshop.predict_with(contest, [*flags, *extra(contest.predict_flags, trained.data)]), path)
        check_refusal(workshop.evaluate(contest, path, gold), path)
        check_refusal(workshop.evaluate(contest, gold, path), path)
    (tmp_path / "text.zip").write_bytes(b"no zip")
    check_refusal(workshop.evaluate(contest, gold, tmp_path / "text.zip"), tmp_path / "text.zip")
    assert os.listdir(folder) == [] and not (tmp_path / "submission.json").exists()
