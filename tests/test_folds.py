"""common/folds: parts that share nothing, that seed and data alone decide, and in which every example is dev once."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.command_line import UserError
from common.folds import GOLD, joined, part_numbers, read_parts
from common.options import RunOptions
from common.runs.directory import fingerprint

from competition import ROOT

#: What examples share: any number of few names, so that chains arise.
some_keys = st.lists(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=3), max_size=30)
seeds = st.integers(0, 2**32 - 1)


def slowly_joined(shared):
    """Equal numbers for those that belong together: neighbours take the smaller number until nothing changes."""
    numbers = list(range(len(shared)))
    changed = True
    while changed:
        changed = False
        for one in range(len(shared)):
            for other in range(len(shared)):
                if set(shared[one]) & set(shared[other]) and numbers[one] < numbers[other]:
                    numbers[other], changed = numbers[one], True
    return numbers


@settings(max_examples=200)
@given(some_keys)
def test_what_is_shared_joins_also_over_others(shared):
    assert joined(shared) == slowly_joined(shared)


def test_a_long_chain_is_joined():
    assert set(joined([[str(number), str(number + 1)] for number in reversed(range(100_000))])) == {0}


@settings(max_examples=100)
@given(some_keys, st.integers(2, 6), seeds)
def test_every_example_is_in_one_part_and_no_group_in_two(shared, count, seed):
    groups = joined(shared)
    if len(set(groups)) < count:
        with pytest.raises(ValueError):
            part_numbers(groups, count, seed)
        return
    numbers = part_numbers(groups, count, seed)
    assert numbers.shape == (len(shared),) and set(numbers.tolist()) == set(range(1, count + 1))
    part_of = dict(zip(groups, numbers.tolist()))
    assert [part_of[group] for group in groups] == numbers.tolist()
    sizes = np.bincount(list(part_of.values()))[1:]
    assert sizes.max() - sizes.min() <= 1, "as many groups in each part"
    np.random.seed(seed % 7)
    np.random.random()
    assert np.array_equal(part_numbers(groups, count, seed), numbers), "the global generator has no say"


def test_the_split_is_what_it_was():
    """Written down: should scikit-learn or numpy ever deal otherwise, folds of one run would overlap with folds of
    another, in silence."""
    assert part_numbers(range(12), 3, 1).tolist() == [2, 2, 1, 1, 1, 3, 2, 2, 3, 3, 1, 3]
    assert part_numbers([0, 0, 2, 3, 3, 5, 6, 7, 7, 7], 2, 7).tolist() == [1, 1, 2, 2, 2, 1, 2, 1, 1, 1]


def test_another_process_splits_alike():
    # With another hash seed, which strings in sets and dicts feel.
    code = "from common.folds import *; print(part_numbers(joined([[str(n % 7)] for n in range(20)]), 3, 5).tolist())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {f"{part_numbers(joined([[str(n % 7)] for n in range(20)]), 3, 5).tolist()}\n"}


def test_another_seed_is_another_split():
    splits = {tuple(part_numbers(range(40), 5, seed).tolist()) for seed in range(20)}
    assert len(splits) == 20


# Files


def lines(path, names):
    """A file of records with a text and the topic that they share with others."""
    path.write_text("".join(f'{{"text": "{name}", "topic": "{name[0]}"}}\n\n' for name in names), "utf-8")
    return path


def read(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def parts_of(options, train, dev=None):
    return read_parts(options, train, dev, read, shared=lambda record: [record["topic"]])


NAMES = [f"{topic}{number}" for number in range(3) for topic in "abcdefgh"]


@pytest.fixture
def train_file(tmp_path):
    return lines(tmp_path / "train.json", NAMES)


def texts(records):
    return [record["text"] for record in records]


def test_a_dev_file_is_dev(tmp_path, train_file):
    dev_file = lines(tmp_path / "dev.json", ["x1", "y1", "y2"])
    parts = parts_of(RunOptions(max_train_examples=5, max_dev_examples=2), train_file, dev_file)
    assert (texts(parts.train), texts(parts.dev)) == (NAMES[:5], ["x1", "y1"])
    assert parts.fold is None and parts.dev_source == str(dev_file)
    described = parts.describe({"a reason": 3}, schema=train_file)
    assert described == {
        "train": {
            "file": "train.json",
            "sha256": fingerprint(train_file),
            "examples": 5,
            "lost": {"a reason": 3},
        },
        "dev": {"file": "dev.json", "sha256": fingerprint(dev_file), "examples": 2},
        "schema": {"file": "train.json", "sha256": fingerprint(train_file)},
    }
    parts.write_gold(tmp_path)
    assert not (tmp_path / GOLD).exists()


@pytest.mark.parametrize("count", [2, 3, 8])
def test_the_folds_of_a_file_are_a_partition(train_file, count):
    parts = [parts_of(RunOptions(num_folds=count, fold=fold), train_file) for fold in range(1, count + 1)]
    assert sorted(name for part in parts for name in texts(part.dev)) == sorted(NAMES)
    for part in parts:
        dev = set(texts(part.dev))
        assert texts(part.dev) == [name for name in NAMES if name in dev], "in the order of the file"
        assert texts(part.train) == [name for name in NAMES if name not in dev]
        assert not {name[0] for name in dev} & {name[0] for name in texts(part.train)}


def test_the_seed_of_the_run_decides(train_file):
    splits = [texts(parts_of(RunOptions(num_folds=2, seed=seed), train_file).dev) for seed in (1, 2, 1)]
    assert splits[0] == splits[2] != splits[1]


def test_without_a_dev_file_a_fifth_is_dev(train_file):
    automatic = parts_of(RunOptions(), train_file)
    assert automatic.dev_source == f"part 1 of 5 of {train_file}; there is no dev file"
    assert texts(automatic.dev) == texts(parts_of(RunOptions(num_folds=5), train_file).dev)
    assert texts(parts_of(RunOptions(fold=3), train_file).dev) == texts(
        parts_of(RunOptions(num_folds=5, fold=3), train_file).dev
    )


def test_folds_leave_the_dev_file_alone(tmp_path, train_file):
    parts = parts_of(RunOptions(num_folds=4, fold=2), train_file, tmp_path / "dev.json")  # which is not even there
    assert parts.dev_source == f"part 2 of 4 of {train_file}; dev.json is not read"
    expected = {
        "file": "train.json",
        "sha256": fingerprint(train_file),
        "fold": 2,
        "num_folds": 4,
        "examples": len(parts.dev),
    }
    assert parts.describe({})["dev"] == expected


def test_extra_files_train_but_for_what_shares_with_dev(tmp_path, train_file):
    extra = tuple(lines(tmp_path / f"{name}.json", [f"{topic}{name}" for topic in "abcdefghxy"]) for name in "ÄÖ")
    for fold in (1, 2, 3):
        options = RunOptions(num_folds=3, fold=fold, max_train_examples=4)
        plain = parts_of(options, train_file)
        parts = parts_of(dataclasses.replace(options, extra=extra), train_file)
        topics = [topic for topic in "abcdefghxy" if f"{topic}0" not in texts(plain.dev)]
        assert parts.dev == plain.dev and 4 < len(topics) < 10
        assert texts(parts.train) == [*texts(plain.train), *(f"{topic}{name}" for name in "ÄÖ" for topic in topics)]
        described = {"file": "Ö.json", "sha256": fingerprint(extra[1]), "examples": len(topics)}
        assert parts.describe({})["extra 2"] == described and "extra 3" not in parts.describe({})


@settings(max_examples=50)
@given(seeds, st.integers(2, 8), st.integers(1, 30), st.integers(1, 30))
def test_limits_cut_after_the_split(tmp_path_factory, seed, count, train_limit, dev_limit):
    train_file = lines(tmp_path_factory.getbasetemp() / "limits.json", NAMES)
    whole = parts_of(RunOptions(seed=seed, num_folds=count, fold=2), train_file)
    cut = parts_of(
        RunOptions(seed=seed, num_folds=count, fold=2, max_train_examples=train_limit, max_dev_examples=dev_limit),
        train_file,
    )
    assert (cut.train, cut.dev) == (whole.train[:train_limit], whole.dev[:dev_limit])


def test_gold_is_what_stands_in_the_file(tmp_path, train_file):
    raw = train_file.read_text("utf-8").splitlines()
    for limit in (None, 2):
        parts = parts_of(RunOptions(num_folds=3, fold=2, max_dev_examples=limit), train_file)
        parts.write_gold(tmp_path)
        assert read(tmp_path / GOLD) == parts.dev and len(parts.dev) == (limit or 9)
        assert set((tmp_path / GOLD).read_text("utf-8").splitlines()) < set(raw)


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["a1"], RunOptions(), ["has 1 examples", "too few for 5 parts"]),
        (
            ["a1", "a2", "a3", "b1"],
            RunOptions(num_folds=3),
            ["has 4 examples, of which only 2 share nothing with each other, too few for 3 parts"],
        ),
    ],
)
def test_too_few_examples_are_told(tmp_path, names, options, words):
    train_file = lines(tmp_path / "train.json", names)
    with pytest.raises(UserError) as caught:
        parts_of(options, train_file)
    message = str(caught.value)
    assert (
        message.startswith(f"{train_file}: ")
        and " - give more examples, a dev file or fewer --num-folds" in message
        and "\n" not in message
    )
    assert [word for word in words if word not in message] == []


def test_what_there_is_of_both_is_shown(tmp_path, train_file, capsys):
    parts = parts_of(RunOptions(), train_file, lines(tmp_path / "dev.json", ["x1", "y1"]))
    parts.show(", all used", {"b": 2, "a": 1}, ", none asked")
    assert capsys.readouterr().out.splitlines() == [
        f"train     {len(NAMES)} examples, all used  ({train_file})",
        "          1 x a",
        "          2 x b",
        f"dev       2 examples, none asked  ({tmp_path / 'dev.json'})",
    ]


def test_nothing_to_train_on_is_told(tmp_path, train_file):
    parts = parts_of(RunOptions(), train_file, train_file)
    parts.check_used(["one"], {}, "")
    with pytest.raises(UserError) as caught:
        parts.check_used([], {"a reason": 3}, "is it the right file?")
    assert str(caught.value) == (
        f"{train_file}: none of its {len(NAMES)} examples can be used ({{'a reason': 3}}) - is it the right file?"
    )


def test_a_file_without_examples_is_named(tmp_path, train_file):
    empty = lines(tmp_path / "empty.json", [])
    for files in ((empty, train_file), (train_file, empty)):
        with pytest.raises(UserError, match=r"empty.json: has no text - is it the right file\?$"):
            read_parts(RunOptions(), *files, read, lambda example: [example], unit="text")


def test_a_fold_of_nothing_is_refused(tmp_path, train_file):
    dev_file = lines(tmp_path / "dev.json", ["x1"])
    with pytest.raises(
        UserError, match=f"--fold 2: {dev_file} is dev - add --num-folds to cut train.json instead, or leave --fold out"
    ):
        parts_of(RunOptions(fold=2), train_file, dev_file)


def test_reading_needs_no_tensorflow_and_without_folds_no_scikit_learn():
    code = "import sys, common.folds; print([name for name in ('tensorflow', 'tf_keras', 'sklearn', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
