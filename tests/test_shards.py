"""predict.py --shard and scripts/merge_shards.py: together they write what one predict.py writes, or say what is
missing."""

import json
import shutil

import pytest

from common.options import PredictionOptions
from common.shards import Shard, name_of
from common.submission import read_json_lines

import competition
from contests import EVENT_EXTRACTION, TITLING, every_contest, these
from workshop import check_refusal, extra, numbered, run_here, sample_of, succeeds

SCRIPTS = competition.ROOT / "scripts"
COUNT = 3


def scores_of(part):
    return part.with_name(f"{part.name}.scores.json")


def predicted_in_shards(contest, workshop, folder, *flags, suffix=".json"):
    """The input, one submission for all of it, and the parts."""
    trained = workshop.trained(contest)
    unlabelled = map(contest.unlabelled, trained.examples)
    examples = numbered(contest, [*contest.read(sample_of(contest) / "test.json")[:6], *unlabelled])[:13]
    source = folder / f"whole{suffix}-input.json"
    whole = folder / f"whole{suffix}"
    succeeds(workshop.predict(contest, examples, whole, "--scores", scores_of(whole), *flags))
    more = extra(contest.predict_flags, trained.data)
    parts = [folder / f"part-{number}{suffix}" for number in range(1, COUNT + 1)]
    for number, part in enumerate(parts, start=1):
        shard = ["--input", source, "--output", part, "--scores", scores_of(part), "--shard", f"{number}/{COUNT}"]
        done = succeeds(workshop.predict_with(contest, ["--run", trained.run, *shard, *more, *flags]))
        assert f"shard {number}/{COUNT}: examples {(1, 5, 9)[number - 1]} to {(4, 8, 13)[number - 1]} of 13" in done.out
    return source, whole, parts


def merge(contest, workshop, parts, source, output, *flags):
    trained = workshop.trained(contest)
    tables = extra(contest.predict_flags, trained.data)
    given = [*parts, "--run", trained.run, "--input", source, "--output", output, *tables, *flags]
    return run_here(SCRIPTS, "merge_shards", given)


@every_contest
def test_merged_shards_are_the_file_of_one_prediction(contest, workshop, tmp_path):
    suffix = contest.suffixes[-1]
    source, whole, parts = predicted_in_shards(contest, workshop, tmp_path, suffix=suffix)
    # Any name of the same length: a zip names what is in it like itself.
    output = tmp_path / "all" / whole.name
    done = succeeds(merge(contest, workshop, parts[::-1], source, output))
    assert "13 examples in 3 parts, checked" in done.out
    assert output.read_bytes() == whole.read_bytes()
    done = succeeds(merge(contest, workshop, map(scores_of, parts), source, scores_of(output)))
    assert "13 examples in 3 parts, checked" in done.out
    if contest is not TITLING:
        assert scores_of(output).read_bytes() == scores_of(whole).read_bytes()
        return
    for (_, merged), (_, alone) in zip(*map(read_json_lines, (scores_of(output), scores_of(whole))), strict=True):
        assert merged["id"] == alone["id"]
        for one, other in zip(merged["candidates"], alone["candidates"], strict=True):
            assert one["title"] == other["title"]  # its probability is not on a grid, and depends on its batch
            assert one["log_probability"] == pytest.approx(other["log_probability"], abs=1e-4)


@these(EVENT_EXTRACTION)
def test_what_is_missing_or_foreign_is_told(contest, workshop, tmp_path):
    source, whole, parts = predicted_in_shards(contest, workshop, tmp_path)
    output = tmp_path / "merged.json"

    def refuses(given, *words, on=source, flags=()):
        check_refusal(merge(contest, workshop, given, on, output, *flags), *words)
        assert not output.exists()

    refuses(parts[1:2], "shard 1/3, 3/3", "--shard 1/3")
    again = tmp_path / "again.json"
    for name in ("", ".shard.json"):
        shutil.copy(f"{parts[0]}{name}", f"{again}{name}")
    refuses([*parts, again], again, "is shard 1/3", parts[0])
    refuses([*parts, parts[0]], "twice")
    refuses([*parts, whole], f"{whole}.shard.json", "no such file")
    refuses([parts[0], tmp_path / "nowhere.json"], "nowhere.json", "no such file")
    other = tmp_path / "other.json"
    shutil.copy(sample_of(contest) / "test.json", other)
    refuses(parts, parts[0], "another input", on=other)

    def changed(**values):
        path = tmp_path / "part-2.json.shard.json"
        told = path.read_text("utf-8")
        path.write_text(json.dumps(json.loads(told) | values), "utf-8")
        return path, told

    for values, words in (
        ({"weights": "0" * 64}, "another run"),
        ({"count": 4}, "is not one of 3 shards"),
        ({"decoding": {"threshold": 0.5}}, "other flags"),
        ({"mixed_precision": "bfloat16"}, "another precision"),
        ({"examples": 3}, "answers 3 examples, not 4"),
        ({"number": 4}, "shard 4/3"),
        ({"task": 5}, "task"),
        ({"content": "0" * 64}, "was changed or not finished"),
        ({"kind": "scores"}, f"is no file of the kind of {parts[0]}, which is a part of a submission"),
        ({"kind": "answers"}, "kind"),
    ):
        path, told = changed(**values)
        refuses(parts, tmp_path / "part-2.json", words)
        path.write_text(told, "utf-8")
    check_refusal(merge(contest, workshop, parts, source, parts[0]), "is one of the parts")
    path, told = changed(number=1, examples=4)  # the texts say what the numbers hide
    path.with_name("part-1.json.shard.json").write_text(
        json.dumps(json.loads((tmp_path / "part-1.json.shard.json").read_text("utf-8")) | {"number": 2}), "utf-8"
    )
    check_refusal(merge(contest, workshop, parts, source, output), output, "is not the id of text 1")
    output.unlink()
    scores = [scores_of(part) for part in parts]
    for name, number in zip(scores, (2, 1)):
        path = name.with_name(f"{name.name}.shard.json")
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"number": number}), "utf-8")
    refuses(scores, scores[1], ":1: is of ", "where the input has ")
    refuses(scores[:1], "shard 1/3, 3/3")


@these(TITLING)
def test_flags_of_decoding_and_the_number_of_shards_are_checked(contest, workshop, tmp_path):
    source, _, parts = predicted_in_shards(contest, workshop, tmp_path)
    given = ["--run", workshop.trained(contest).run, "--input", source, "--output", parts[1]]
    succeeds(workshop.predict_with(contest, [*given, "--shard", "2/3", "--length-penalty", "0.25"]))
    output = tmp_path / "merged.json"
    check_refusal(merge(contest, workshop, parts, source, output), parts[1], "other flags")
    for shard in ("0/3", "4/3", "3", "1/0", "-1/3", "a/b"):
        check_refusal(run_here(contest.folder, "predict", [*given, "--shard", shard]), f"--shard {shard}", "K/N")
    check_refusal(workshop.predict_with(contest, [*given, "--shard", "2/14"]), "--shard 2/14", "has 13 examples")


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_shards_are_all_of_it_once_and_nearly_equal(size):
    for count in range(1, size + 1):
        bounds = [Shard(number, count).bounds(size) for number in range(1, count + 1)]
        assert [index for begin, end in bounds for index in range(begin, end)] == list(range(size))
        sizes = {end - begin for begin, end in bounds}
        assert min(sizes) >= 1 and max(sizes) - min(sizes) <= 1


def test_a_part_has_a_name_of_its_own():
    assert name_of("submission.json", PredictionOptions()) == "submission.json"
    assert name_of("submission.tsv", PredictionOptions(shard="3/8")) == "submission.3-of-8.tsv"
