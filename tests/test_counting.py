"""n-grams are counted exactly: by one process and several, in memory and on disk, whole and in pieces."""

import gzip
import io
import json
import tempfile
import unicodedata
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.lexicon.corpus import STDIN, Partition, blocks_of, partitions_of
from common.lexicon.counting import ALONE, Budget, Work, Workers, count_ngrams
from common.lexicon.tables import bounds_of, count_windows, find, frequent_orders, joined, merge_part, numbered
from common.lexicon.units import UnitReader
from common.tokenizers.normalization import is_ideograph

from helpers import refused, write, write_lines

# Ideographs in and out of the basic plane, letters of both widths, capitals, marks, and characters that become several.
CHARACTERS = "中文字龘𠀀aB1Ａ３é，。 \n…℃㎏½İカが한①"
texts = st.text(st.sampled_from(CHARACTERS), max_size=60)


def slow_units(text: str) -> list[str]:
    """One after the other, "" where n-grams end."""
    units, is_run = [""], False
    for character in text:
        for normal in unicodedata.normalize("NFKC", character).lower():
            if is_ideograph(normal):
                units.append(normal)
                is_run = False
            elif normal.isalnum():
                units[-1 if is_run else len(units) :] = [units[-1] + normal if is_run else normal]
                is_run = True
            else:
                units += [""] * (units[-1] != "")
                is_run = False
    return units


def without_repeated_ends(units: list[str]) -> list[str]:
    return [unit for place, unit in enumerate(units) if unit or place == 0 or units[place - 1]]


def slow_counts(texts, order: int, least: int = 1) -> dict[tuple[str, ...], int]:
    counts = Counter()
    for text in texts:
        units = slow_units(text)
        for start in range(len(units)):
            for end in range(start + 1, min(start + order, len(units)) + 1):
                if "" in units[start:end]:
                    break
                counts[tuple(units[start:end])] += 1
    return {gram: count for gram, count in counts.items() if count >= least}


def as_counts(vocabulary, parts) -> dict[tuple[str, ...], int]:
    """The same of what was counted; sorted and different within each order."""
    found = {}
    orders = list(zip(*parts))
    for number, of_order in enumerate(orders, 1):
        rows = [tuple(row) for grams in of_order for row in grams.rows.tolist()]
        counts = [count for grams in of_order for count in grams.counts.tolist()]
        assert rows == sorted(set(rows)) and all(len(row) == number for row in rows)
        found |= {tuple(vocabulary[place - 1] for place in row): count for row, count in zip(rows, counts)}
    return found


@given(texts)
def test_units(text):
    units = UnitReader().read(text)
    assert units.vocabulary == sorted(set(units.vocabulary)) and units.ids.dtype == np.int32
    found = [("", *units.vocabulary)[number] for number in units.ids]
    assert without_repeated_ends(["", *found]) == slow_units(text)


def test_a_reader_remembers_what_a_character_is():
    reader = UnitReader()
    first = [reader.read(text).vocabulary for text in ("中½", "Ａ中", "中½")]
    assert first == [["1", "2", "中"], ["a", "中"], ["1", "2", "中"]]


@given(st.lists(texts, max_size=5), st.integers(1, 6), st.integers(1, 3), st.integers(1, 9))
def test_counts_of_merged_tables(corpus, order, least, most_rows):
    tables = [count_windows(UnitReader().read(text), order) for text in corpus]
    tables = [table for table in tables if len(table.rows)]
    vocabulary, sources = numbered(tables)
    parts = [merge_part(sources, len(vocabulary), pair) for pair in bounds_of(sources, most_rows)] if tables else []
    found = as_counts(vocabulary, joined((frequent_orders(part, least) for part in parts), order, least))
    assert found == slow_counts(corpus, order, least)


@given(texts, texts, st.integers(1, 5))
def test_rows_are_found(text, other, order):
    """Of one table in another, in one key or several."""
    tables = [count_windows(UnitReader().read(of), order) for of in (text, other)]
    vocabulary, sources = numbered(tables)
    first, second = (merge_part([source], len(vocabulary), (None, None)) for source in sources)
    rows = first.rows.tolist()
    places = [rows.index(row) if row in rows else -1 for row in second.rows.tolist()]
    for size in (len(vocabulary), 2**20, 2**31):  # bits of a unit
        assert find(first.rows, list(second.rows.T), size).tolist() == places


# Files


SMALL = Budget(text=120, tables=400, rows=20, units=10_000)


def counted(paths, folder, order=3, least=1, workers=ALONE, budget=SMALL, most_bytes=200):
    work = Work(partial(count_windows, order=order), order, budget, folder, ())
    counts = count_ngrams(partitions_of(paths, most_bytes), least, work, workers)
    return as_counts(counts.vocabulary, counts.parts), counts


LINES = ["他在山上看灯，灯照着河。", "ＧＰＴ4 与 2026年", "", "河上的灯照着山上的人" * 3, "a b"]


def test_tables_on_disk_give_the_same(tmp_path):
    """Of plain text, packed or not, in a folder or not."""
    folder = tmp_path / "corpus"
    (folder / "deep").mkdir(parents=True)
    write(folder / "one.txt", "\ufeff" + "\r\n".join(LINES * 4))
    with gzip.open(folder / "deep/two.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(LINES))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found, counts = counted([folder], scratch)
    assert len(list(scratch.iterdir())) > 2 and counts.stored > 1000
    assert found == slow_counts(LINES * 5, 3)
    assert counts.total == sum(count for gram, count in found.items() if len(gram) == 1)


def test_several_processes_give_the_same(tmp_path):
    path = write(tmp_path / "a.txt", "\n".join(LINES * 9))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert len(partitions_of([path], 200)) > 4
    found, _ = counted([path], scratch, least=2, workers=Workers(processes=2))
    assert found == slow_counts(LINES * 9, 3, least=2)


@given(st.lists(st.text(st.sampled_from("中文a，\r é"), max_size=30), max_size=8), st.integers(1, 60))
def test_partitions_have_each_line_once(lines, most_bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.txt")
        path.write_bytes("\n".join(lines).encode())
        found = [block for part in partitions_of([path], most_bytes) for block in blocks_of(part, (), 1000)]
    kept = [line.strip("\r") for line in lines if line.strip()]
    assert [line.strip("\r") for line in "\n".join(found).split("\n") if line.strip()] == kept


def test_json(tmp_path, monkeypatch):
    """One object on each line, or one value; all long Chinese strings, or those under some keys."""
    rows = [
        {"id": "一二三四五六七八九", "text": "山上的灯照着整条河流与村庄", "title": "短"},
        {"text": "他在一九九八年写下了这本小说"},
    ]
    lines, document = write_lines(tmp_path / "a.jsonl", rows), write(tmp_path / "a.json", rows, indent=1)
    texts = [row["text"] for row in rows]
    for path in (lines, document):
        assert "\n".join(blocks_of(Partition(path), (), 1000)).split("\n") == texts
    assert "\n".join(blocks_of(Partition(lines), ("title",), 1000)).split("\n") == ["短"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(lines.read_bytes())))
    [part] = partitions_of([STDIN], 10)
    assert "\n".join(blocks_of(part, (), 1000)).split("\n") == texts


def test_a_long_line_is_cut_at_marks(tmp_path):
    path = write(tmp_path / "a.txt", "山上的灯，照着河。" * 40 + "\n完\n")
    blocks = [*blocks_of(Partition(path), (), 200)]
    assert len(blocks) > 4 and max(len(block.encode()) for block in blocks) <= 200
    assert slow_counts(blocks, 4) == slow_counts([path.read_text("utf-8")], 4)


BAD = [
    ("a.txt", "好" * 200, "a.txt:1: 200 bytes without a blank or mark"),
    ("a.txt", "山\n" * 50 + "好" * 200, "a.txt:51: 200 bytes without a blank or mark"),
    ("a.txt", b"\xc4\xe3\xba\xc3", "a.txt:1: byte 1 is not UTF-8"),
    ("a.txt", b"ab\n" * 99 + b"ok \xff\n", "a.txt:100: byte 4 is not UTF-8"),
    ("a.jsonl", '{"a": 1}\n' * 60 + "{]\n", "a.jsonl:61: not JSON"),
    ("a.jsonl", '{"a": 1}\n{"a": "' + "山，" * 90 + '"}\n', "a.jsonl:2: too long a line of JSON"),
    ("a.json", json.dumps(["山上的灯"] * 30, indent=1), "a.json: is one JSON value of"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_no_texts(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(lambda: [list(blocks_of(part, (), 200)) for part in partitions_of([path], 100)], message)


def test_too_many_units_for_the_memory(tmp_path):
    path = write(tmp_path / "a.txt", "".join(map(chr, range(0x4E00, 0x4E40))))
    refused(lambda: counted([path], tmp_path, budget=SMALL._replace(text=200, units=50)), "--memory", "64 different")
