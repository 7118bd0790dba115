"""common/batch_parts and the batches of several replicas: parts that point where the whole batch points."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.batch_parts import pieces, split_groups, split_rows, split_with_lists
from common.generators import _grouped_parts

sizes = st.integers(1, 9)


@given(sizes, sizes)
def test_pieces_are_all_of_it_in_order_or_each_all(size, count):
    found = [list(range(*one)) for one in pieces(size, count)]
    assert len(found) == count
    if size < count:
        assert found == [list(range(size))] * count
    else:
        assert list(itertools.chain(*found)) == list(range(size))
        assert max(map(len, found)) - min(map(len, found)) <= 1 <= min(map(len, found))


def test_rows_of_any_structure_stay_together():
    batch = {"one": np.arange(5)}, [np.arange(10).reshape(5, 2)]
    (first, second) = split_rows(batch, 2)
    assert first[0]["one"].tolist() == [0, 1] and second[0]["one"].tolist() == [2, 3, 4]
    assert second[1][0].tolist() == [[4, 5], [6, 7], [8, 9]]
    with pytest.raises(ValueError, match=r"arrays of \[4, 5\] rows"):
        split_rows({"one": np.arange(5), "other": np.arange(4)}, 2)


@given(sizes, sizes, st.lists(st.integers(0, 8), max_size=12))
def test_things_follow_their_rows(size, parts, rows):
    rows = np.array(sorted(row % size for row in rows), np.int32)
    things = np.stack([rows, np.arange(len(rows), dtype=np.int32)], 1)
    batch = {"row": np.arange(size), "things": things, "names": np.arange(len(rows)) + 100}
    found = split_with_lists(batch, parts, {"things": ("names",), "of another head": ("its names",)})
    assert len(found) == parts
    told = [
        [(part["row"][row], thing, name) for (row, thing), name in zip(part["things"], part["names"])] for part in found
    ]
    whole = [(row, thing, name) for (row, thing), name in zip(things.tolist(), batch["names"])]
    assert told == [whole] * parts if size < parts else list(itertools.chain(*told)) == whole
    assert things[:, 0].tolist() == rows.tolist(), "the batch itself stays as it is"


@given(sizes, st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_groups_keep_their_rows(parts, counts):
    ends = np.cumsum(counts)
    groups = np.full((len(counts), 3), -1, np.int32)
    for group, count, end in zip(groups, counts, ends):
        group[:count] = np.arange(end - count, end)
    batch = {"groups": groups, "right": np.arange(len(counts)), "row": np.arange(max(1, ends[-1]))}
    found = split_groups(batch, parts, "groups", ["right"])
    told = [
        [(name, part["row"][group[group >= 0]].tolist()) for name, group in zip(part["right"], part["groups"])]
        for part in found
    ]
    whole = [(name, group[group >= 0].tolist()) for name, group in enumerate(groups)]
    assert told == [whole] * parts if len(counts) < parts else list(itertools.chain(*told)) == whole
    assert all(len(part["row"]) for part in found), "a network has to read something"
    assert {part["groups"].dtype for part in found} == {np.dtype(np.int32)}


@pytest.mark.parametrize(("rows", "parts", "times"), [(5, 2, 1), (1, 3, 3)])
def test_what_all_parts_have_counts_once_in_its_group(rows, parts, times):
    batch = {"tokens": np.ones((rows, 4)), "none": np.zeros(rows)}

    def denominators(part):
        return np.array([part["tokens"].sum(), part["none"].sum()], np.float32)

    group = {"denominators": np.array([100, 7], np.float32), "is_last": np.array(True)}
    found = _grouped_parts(batch, group, split_rows, parts, denominators)
    for part, told in found:
        assert told["denominators"].tolist() == [100 * times, 7] and told["is_last"]
    # What is added up of the parts is what the batch adds to its group.
    shares = sum(part["tokens"].sum() / told["denominators"][0] for part, told in found)
    assert shares == pytest.approx(batch["tokens"].sum() / 100)
