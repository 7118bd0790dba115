"""Where train.py finds the files of a contest, and what it says belongs there if it does not.

NL2SQL and WebQA, where the order of the names decides as well, have tests of their own.
"""

from typing import NamedTuple

import pytest

import competition
from helpers import refused


class DataFolder(NamedTuple):
    roles: tuple[str, ...]
    """What the files are for, in their order in `task.Files`."""
    tree: tuple[str, ...]
    """What is said of the files that belong into a folder."""
    names: list[tuple[str, ...]]
    """Names under which they are found: ours, those of the organisers and their archives, and both together."""


DATA_FOLDERS = {
    "ccks2019_entity_linking": DataFolder(
        ("train", "dev"),
        ("train.json, dev.json and kb_data", "--knowledge-base FILE", "develop.json"),
        [
            ("train.json", "dev.json"),
            ("train_data.json", "dev_data.json"),
            ("ccks2019_el/train.json", "ccks2019_el/dev.json"),
            ("train.json", "ccks2019_el/dev_data.json"),
        ],
    ),
    "lic2020_event_extraction": DataFolder(
        ("train", "dev", "schema"),
        ("train.json, dev.json and event_schema.json", "duee_event_schema.json"),
        [
            ("train.json", "dev.json", "event_schema.json"),
            ("train_data.json", "dev_data.json", "event_schema.json"),
            ("train_data/train.json", "dev_data/dev.json", "event_schema/event_schema.json"),
            ("duee_train.json", "duee_dev.json", "duee_event_schema.json"),
            ("duee_train.json/duee_train.json", "duee_dev.json/duee_dev.json", "duee_schema/duee_event_schema.json"),
            ("DuEE1.0/duee_train.json", "DuEE1.0/duee_dev.json", "DuEE1.0/duee_event_schema.json"),
        ],
    ),
    "lic2020_reading_comprehension": DataFolder(
        ("train", "dev"),
        ("train.json and dev.json",),
        [
            ("train.json", "dev.json"),
            ("train_data.json", "dev_data.json"),
            ("dureader_robust-data/train.json", "dureader_robust-data/dev.json"),
            ("dureader_robust.train.json", "dureader_robust.dev.json"),
            ("demo_train.json", "demo_dev.json"),
        ],
    ),
    "lic2020_relation_extraction": DataFolder(
        ("train", "dev", "schema"),
        ("train.json, dev.json and schema.json",),
        [
            ("train.json", "dev.json", "schema.json"),
            ("train_data.json", "dev_data.json", "all_50_schemas"),
            ("duie_train.json", "duie_dev.json", "duie_schema/duie_schema.json"),
            ("duie_train.json/duie_train.json", "duie_dev.json/duie_dev.json", "duie_schema.json"),
        ],
    ),
    "seq2seq_titling": DataFolder(
        ("train", "dev"),
        ("train.json and dev.json",),
        [
            ("train.json", "dev.json"),
            ("train_data.json", "dev_data.json"),
            ("train.json", "val.json"),
            ("train.json", "valid.json"),
            ("train.jsonl", "dev.jsonl"),
            ("train_data.jsonl", "val.jsonl"),
        ],
    ),
}


@pytest.mark.parametrize(
    ("folder", "names"), [(folder, names) for folder, expected in DATA_FOLDERS.items() for names in expected.names]
)
def test_files_are_found_under_the_names_of_the_contest(tmp_path, folder, names):
    task, expected = competition.load(folder, "task"), DATA_FOLDERS[folder]
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert task.find_files(str(tmp_path)) == task.Files(*paths)
    for role, path in zip(expected.roles, paths, strict=True):
        path.rename(tmp_path / "elsewhere")
        if role == "dev":
            assert task.find_files(tmp_path) == task.Files(paths[0], None, *paths[2:])
        else:
            refused(lambda: task.find_files(tmp_path), f"{tmp_path}: no {role} file", *expected.tree)
        (tmp_path / "elsewhere").rename(path)


@pytest.mark.parametrize("folder", DATA_FOLDERS)
def test_a_missing_folder_shows_what_belongs_into_it(tmp_path, folder):
    refused(
        lambda: competition.load(folder, "task").find_files(tmp_path / "none"),
        "none: no such folder",
        *DATA_FOLDERS[folder].tree,
    )
