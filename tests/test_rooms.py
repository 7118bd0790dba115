"""Arrows go one way: a competition imports `common`, `common` imports no competition, and no competition another."""

import pytest

from competition import COMPETITIONS, ROOT
from test_setup import imported_modules

FOLDERS = sorted(path.parent for path in COMPETITIONS.glob("*/train.py"))


def modules_of(*folders) -> set[str]:
    return {name for folder in folders for name in (folder.name, *(path.stem for path in folder.glob("*.py")))}


def imports_of(folder, names: set[str]) -> list[str]:
    """Where modules of these names are imported in a folder."""
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in folder.rglob("*.py")
        for name, _ in imported_modules(path)
        if name in names
    ]


def test_common_imports_no_competition():
    assert imports_of(ROOT / "common", {"competitions", "scripts", "tests"} | modules_of(*FOLDERS)) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_competition_imports_another(folder):
    others = modules_of(*(other for other in FOLDERS if other != folder)) - modules_of(folder)
    assert others and imports_of(folder, {"competitions", "scripts", "tests"} | others) == []


@pytest.mark.parametrize("folder", ["common", "competitions"])
def test_one_module_knows_which_keras_this_is(folder):
    knows = imports_of(ROOT / folder, {"tensorflow", "tf_keras", "keras"})
    assert {line.split(":")[0] for line in knows} <= {"common/keras_compat.py"}


def test_imports_are_found():
    assert imports_of(COMPETITIONS / "nl2sql", {"task"})
