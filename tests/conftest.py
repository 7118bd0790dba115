"""Which tests share a process when `scripts/test.sh` runs them in several, and the same examples for property tests in every run."""

import pytest
from hypothesis import settings

from contests import Contest

settings.register_profile("same in every run", derandomize=True, database=None, deadline=None)
settings.load_profile("same in every run")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a file, whose fixtures take seconds to make; but of test_contract.py those of one contest, which share a trained run."""
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        contests = [value.folder for value in parameters if isinstance(value, Contest)]
        item.add_marker(pytest.mark.xdist_group(" ".join([item.path.stem, *contests])))
