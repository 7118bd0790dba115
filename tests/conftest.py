"""How the tests run: which are left out, which share a process, and the same examples for property tests in every
run."""

import gc
import os
import sys

# As many processes as cores run tests (scripts/test.sh): in each TensorFlow shall not want all of them. Before anything
# loads it.
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402
from xdist.scheduler import LoadScopeScheduling  # noqa: E402

from selection import FOLDERS, changed_files, group_of, is_touched, is_wanted  # noqa: E402
from workshop import Workshop  # noqa: E402

settings.register_profile("same in every run", derandomize=True, database=None, deadline=None)
settings.load_profile("same in every run")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("which tests run")
    group.addoption("--all", action="store_true", help="those marked slow, too")
    group.addoption(
        "--changed",
        nargs="?",
        const="HEAD",
        metavar="REV",
        help="only those that what has changed since REV (HEAD) can touch",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.option.changed and not hasattr(config, "workerinput"):  # once, where the user sees what is wrong
        if not changed_files(config.option.changed):
            pytest.exit(f"nothing has changed since {config.option.changed}", returncode=0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    paths = changed_files(config.option.changed) if config.option.changed else None
    wanted = [
        item
        for item in items
        if is_wanted(item, config.option.all) and (paths is None or is_touched(item.nodeid, paths))
    ]
    config.hook.pytest_deselected(items=list(set(items) - set(wanted)))
    # What takes longest first, so that no process is left alone with it at the end; and one contest after the other, also
    # in a single process, since the networks of one are kept.
    place = {folder: number for number, folder in enumerate(FOLDERS)}
    items[:] = sorted(wanted, key=lambda item: place.get(group_of(item.nodeid), len(FOLDERS)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What all test files have loaded stays until the end: the collector need not look at half a million objects again
    after each group, nor every few thousand operations of a graph."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 20)


class ByGroup(LoadScopeScheduling):
    """Sends all tests of a group to one process. `--dist loadgroup` of pytest-xdist 3.8 does not see the groups of
    pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log) -> LoadScopeScheduling:
    config.option.loadscopereorder = False
    return ByGroup(config, log)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """What a group has built, no other needs, and the graphs of all would come to gigabytes."""
    if nextitem is not None and group_of(nextitem.nodeid) != group_of(item.nodeid):
        if "tf_keras" in sys.modules:
            sys.modules["tf_keras"].backend.clear_session()
        gc.collect()


@pytest.fixture(scope="session")
def workshop(tmp_path_factory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="session")
def opened(workshop):
    """The live run (scripts/live_runs.py) of a contest with the workshop's trained run, loaded once."""
    import live_runs

    kept = {}

    def open_once(contest):
        if contest.folder not in kept:
            with workshop.networks_built_once(contest.folder):
                kept[contest.folder] = live_runs.open_live_run(workshop.trained(contest).run)
        return kept[contest.folder]

    return open_once


@pytest.fixture
def output(tmp_path):
    return tmp_path / "submission.json"
