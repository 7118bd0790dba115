"""Which tests run by default and for a change, and which of them in one process."""

from types import SimpleNamespace

import pytest

import competition
from selection import FOLDERS, changed_files, group_of, is_touched, is_wanted, touches

CONTRACT, NETWORK, TASK = (
    "tests/test_contract.py::test_a[{}]",
    "tests/test_{}_model.py::test_a[1]",
    "tests/test_{}_task.py::test_a",
)


def test_what_shares_a_run_or_fixtures_shares_a_process():
    assert (
        group_of("tests/test_contract.py::test_a[nl2sql]")
        == group_of("tests/test_readme.py::test_b[1-competitions/nl2sql]")
        == "nl2sql"
    )
    assert (
        group_of("tests/test_losses.py::test_a[nothing]")
        == group_of("tests/test_losses.py::test_b")
        == "tests/test_losses.py"
    )
    assert group_of("tests/test_nl2sql_model.py::test_a") == "tests/test_nl2sql_model.py"


def test_a_slow_test_needs_a_reason_and_all_asked_for():
    def item(*marks):
        return SimpleNamespace(nodeid="a", iter_markers=lambda name: [mark for mark in marks if mark.name == name])

    slow, silent = pytest.mark.slow(reason="trains").mark, pytest.mark.slow.mark
    assert is_wanted(item(), False) and is_wanted(item(slow), True) and not is_wanted(item(slow), False)
    with pytest.raises(pytest.UsageError, match="a: is marked slow without a reason"):
        is_wanted(item(slow, silent), True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_touches_its_own_tests_and_those_of_all(folder):
    paths = [f"competitions/{folder}/model.py"]
    for test in (CONTRACT, NETWORK, TASK):
        assert [other for other in FOLDERS if is_touched(test.format(other), paths)] == [folder]
    for test in (
        "tests/test_contract.py::test_every_folder_is_described",
        "tests/test_security.py::test_a",
        "tests/test_setup.py::test_a",
    ):
        assert is_touched(test, paths)
    assert not is_touched("tests/test_losses.py::test_a", paths) and not is_touched(
        "tests/test_tokenizers.py::test_a", paths
    )


@pytest.mark.parametrize(
    "path",
    ["common/losses.py", "tests/workshop.py", "scripts/setup.sh", "requirements.lock", "competitions/new_one/task.py"],
)
def test_what_others_use_touches_all(path):
    assert all(touches(path, test.format(folder)) for test in (CONTRACT, NETWORK, TASK) for folder in FOLDERS)


def test_words_and_tests_touch_little():
    assert touches("README.md", "tests/test_readme.py::test_a") and not touches(
        "README.md", "tests/test_losses.py::test_a"
    )
    assert touches("tests/test_losses.py", "tests/test_losses.py::test_a") and not touches(
        "tests/test_losses.py", "tests/test_layers.py::test_a"
    )
    assert not is_touched("tests/test_losses.py::test_a", [])


@pytest.mark.skipif(not (competition.ROOT / ".git").exists(), reason="no repository here")
def test_an_unknown_revision_is_named():
    with pytest.raises(pytest.UsageError, match="^--changed no-such-branch: .* - give a commit, a branch or a tag$"):
        changed_files("no-such-branch")
