"""Arrows go one way: a competition imports `common`, `common` imports no competition, and no competition another. And
every folder has the same files with the same things in them."""

import ast
import subprocess
import sys

import pytest

from competition import COMPETITIONS, ROOT, load
from test_setup import imported_modules

EIGHT = {"task", "metric", "features", "model", "decode", "train", "predict", "evaluate"}
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


each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@each_folder
def test_the_same_eight_files_and_at_most_three_more(folder):
    names = {path.stem for path in folder.glob("*.py")}
    assert names >= EIGHT and len(names) <= len(EIGHT) + 3
    assert not [
        path for path in folder.iterdir() if path.is_dir() and path.name not in ("sample", "__pycache__", "runs")
    ]


@each_folder
def test_the_same_things_are_in_them(folder):
    decode, model, train = (load(folder.name, name) for name in ("decode", "model", "train"))
    assert callable(model.build_network) and callable(model.loss)
    assert issubclass(decode.Settings, tuple) and decode.Settings._fields
    assert {"features", "score", "decode", "__call__"} <= vars(decode.Predictor).keys()
    assert train.FIGURES


WITHOUT_TENSORFLOW = """
import sys
from pathlib import Path
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    for name in ("task", "metric", "features", "decode", "train", "predict", "evaluate"):
        __import__(name)
        found = [name for name in sys.modules if name.split(".")[0] in ("tensorflow", "tf_keras", "keras")]
        assert not found, f"{folder}: {name} imports {found[0]}"
    for path in Path(folder).glob("*.py"):
        sys.modules.pop(path.stem, None)
    sys.path.remove(folder)
"""


def test_only_networks_need_tensorflow():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *map(str, FOLDERS)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-500:]


def test_no_function_is_longer_than_60_lines():
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for folder in ("common", "competitions", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno >= 60
    ]
    assert long == []
