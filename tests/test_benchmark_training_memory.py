"""What measures the memory of training examples: that it is theirs, and how little it is."""

import json
import subprocess
import sys

import pytest

import competition


@pytest.mark.slow(reason="a benchmark that trains on a whole sample")
@pytest.mark.parametrize(
    "task, most",
    [
        ("lic2020_relation_extraction", 3000),
        ("nl2sql", 10_000),
    ],
)
def test_bytes_of_a_training_example(task, most, tmp_path):
    command = [sys.executable, competition.ROOT / "scripts/training_memory.py", task]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, cwd=tmp_path).stdout
    found = json.loads(printed.splitlines()[-1])
    assert found["rows"] >= 400
    assert 1000 < found["features"] < most and 300 < found["example"] < 4000
    assert not any(tmp_path.iterdir()), "no run is left"
