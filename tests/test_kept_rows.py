"""common/kept_rows: rows come back as they were, from memory and from a file, and a training is the same with both."""

import gc
import sys
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import making_rows
from common.kept_rows import RowFile, keep_rows, size_of
from common.options import RunOptions

from contests import RELATION_EXTRACTION, in_default
from helpers import interrupt_second_epoch
from workshop import arrays, run_here, succeeds, without_seconds


@dataclass(slots=True)
class Example:
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    example: Example
    arrays: dict[str, np.ndarray]
    labels: list[tuple[int, int]]


def rows_of(examples, length=50):
    for number, example in enumerate(examples):
        kinds = (np.uint16, np.float32, np.int8)
        values = {
            kind.__name__: np.arange(length * 2).reshape(-1, 2).astype(kind) * kind(number % 100) for kind in kinds
        }
        yield Row(example, values, [(number, 1)])


def options(folder, megabytes):
    return RunOptions(output_dir=folder / "runs", feature_memory=megabytes)


@pytest.fixture
def examples():
    return [Example("天" * number) for number in range(100)]


def same(one, other):
    assert one.labels == other.labels and one.arrays.keys() == other.arrays.keys()
    for name, values in one.arrays.items():
        np.testing.assert_array_equal(values, other.arrays[name], strict=True)


@pytest.mark.parametrize("megabytes", [0, 1])
def test_rows_come_back_in_any_order_with_what_they_share(megabytes, examples, tmp_path):
    kept = keep_rows(rows_of(examples), options(tmp_path, megabytes), examples)
    assert isinstance(kept, list) == (megabytes > 0) and len(kept) == 100
    expected = list(rows_of(examples))
    for place in [*np.random.default_rng(1).permutation(100), -1, 0]:
        same(kept[place], expected[place])
        assert kept[place].example is examples[place], "no example twice in memory"
    for one, other in zip(kept, expected, strict=True):
        same(one, other)
    with pytest.raises(IndexError):
        kept[100]
    assert [*tmp_path.rglob("*")] == ([] if megabytes else [tmp_path / "runs"]), "the file has no name"


def test_what_is_not_shared_is_equal(tmp_path, examples):
    kept = keep_rows(rows_of(examples), options(tmp_path, 0))
    assert kept[7].example == examples[7] and kept[7].example is not examples[7]


def test_none_is_a_file_of_none(tmp_path):
    assert not keep_rows(iter([]), options(tmp_path, 0)) and not RowFile([], tmp_path, [])


@pytest.mark.parametrize("length, is_list", [(2, True), (2000, False)])
def test_what_is_too_much_goes_to_the_file(length, is_list, examples, tmp_path):
    """100 rows of 14 bytes an element, two elements for each of the length."""
    kept = keep_rows(rows_of(examples, length), options(tmp_path, 1), examples)
    assert isinstance(kept, list) == is_list and len(kept) == 100
    same(kept[99], list(rows_of(examples, length))[99])


def test_little_of_what_is_in_the_file_is_in_memory(tmp_path):
    examples = [Example("天")] * 3000

    def held():
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held()
        kept = keep_rows(rows_of(examples, 500), options(tmp_path, 1), examples)
        in_file = held() - before
        most = tracemalloc.get_traced_memory()[1] - before
        assert len(kept) == 3000 and in_file < 300_000 and most < 3 * 2**20, "of 21 MB"
    finally:
        tracemalloc.stop()


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_the_size_is_that_of_all_it_refers_to(value):
    def parts(one):
        yield one
        for inner in one if isinstance(one, list) else one.values() if isinstance(one, dict) else ():
            yield from parts(inner)

    each = {id(one): sys.getsizeof(one) for one in parts(value)}
    assert size_of(value, set()) == sum(each.values())
    assert size_of([value, Example], {id(value)}) == sys.getsizeof([1, 2])
    assert size_of(np.zeros(1000, np.int8), set()) > 1000


@in_default(RELATION_EXTRACTION, reason="two trainings of each contest, which keep their rows alike")
def test_a_training_from_the_file_is_the_same(contest, tmp_path, monkeypatch):
    """Bit for bit: weights, scores and predictions; also when it was interrupted, and other processes made the rows."""

    def train(name, *flags):
        own = ["--output-dir", tmp_path / "runs", "--run-name", name]
        return run_here(contest.folder, "train", [*own, *flags])

    succeeds(train("memory", *contest.tiny, "--epochs", 2))
    monkeypatch.setattr(making_rows, "_usable", lambda count: 2)
    monkeypatch.setattr(making_rows, "_PART", 3)
    with monkeypatch.context() as patch:
        interrupt_second_epoch(patch)
        assert train("file", *contest.tiny, "--epochs", 2, "--feature-memory", 0).code == 130
    succeeds(train("file", "--resume", "--feature-memory", 1))
    memory, file = (tmp_path / "runs" / contest.folder / name for name in ("memory", "file"))
    assert arrays(file / "best.weights.h5") == arrays(memory / "best.weights.h5")
    assert without_seconds(file) == without_seconds(memory) and len(without_seconds(file)) == 2
    assert (file / "dev_predictions.json").read_bytes() == (memory / "dev_predictions.json").read_bytes()
