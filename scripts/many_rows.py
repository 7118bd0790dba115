"""A data folder of any size for measuring: the rows of another one again and again, each with a number of its own."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.json_document import read_json_records
from common.submission import write_json_lines

from contest_folders import load

#: The keys of an example that get its number.
_NUMBERED = {"lic2020_relation_extraction": ("text",), "webqa_dgcnn": ("id", "question"), "nl2sql": ("question",)}


def write_many_rows(task: str, source: Path, folder: Path, count: int) -> None:
    """A copy of a data folder of relations, WebQA or NL2SQL with `count` training examples, and at most 1,000 of dev."""
    folder.mkdir(parents=True)
    for path in source.iterdir():
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    files = load(task, "task").find_files(folder)
    for path, examples in ((files.train, _numbered(task, files.train)), (files.dev, _records(files.dev)[:1000])):
        write_json_lines(path, itertools.islice(examples, count))


def _numbered(task: str, path: Path) -> Iterator[dict[str, Any]]:
    records = _records(path)
    for number in itertools.count():
        record = records[number % len(records)]
        yield record | {key: f"{record[key]} {number}" for key in _NUMBERED[task]}


def _records(path: Path) -> list[dict[str, Any]]:
    return [record.value for record in read_json_records(path)]
