"""scripts/faults.py fits the code, so that mutation_check.py can be run at any time."""

import sys

import pytest

import competition

sys.path.insert(0, str(competition.ROOT / "scripts"))
from faults import FAULTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_changes_one_place_and_names_tests_that_exist(fault):
    assert (competition.ROOT / fault.file).read_text("utf-8").count(fault.right) == 1
    assert fault.right != fault.wrong
    assert (competition.ROOT / fault.tests.partition(" ")[0]).is_file()


def test_there_are_enough_and_none_twice():
    names = [fault.name for fault in FAULTS]
    assert len(names) >= 25 and len(set(names)) == len(names)
