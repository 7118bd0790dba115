"""A short run of the battery (`tests/battery`, `scripts/battery.py`) on each push, a long one at night; and what the
battery itself takes for a fault."""

import importlib.util
import sys

import pytest

from common.command_line import UserError

import competition

sys.path.insert(0, str(competition.ROOT / "tests"))  # before scripts/, which others put first: `battery` is one there
from battery import MEMORY, Part, Tally, answered, try_part  # noqa: E402
from battery.archives import Archives  # noqa: E402
from battery.checkpoints import Checkpoints  # noqa: E402
from battery.files import Files  # noqa: E402
from battery.indices import Indices  # noqa: E402
from battery.mutations import LONG, mutated  # noqa: E402
from battery.runs import Runs  # noqa: E402
from battery.texts import Texts  # noqa: E402
from contests import EVENT_EXTRACTION, RELATION_EXTRACTION, every_contest, in_default  # noqa: E402
from workshop import Finished  # noqa: E402

SEED = 1
#: Inputs of a short run and of a long one.
INPUTS = {"files": (250, 4000), "archives": (40, 500), "checkpoints": (8, 80), "indices": (60, 500)}
INPUTS |= {"texts": (1, 2), "runs": (12, 40)}
in_both = pytest.mark.parametrize(
    "length", [0, pytest.param(1, marks=pytest.mark.slow(reason="the first of these inputs are tried by default"))]
)


def check(name: str, part: Part, length: int) -> None:
    """No fault, and some of the inputs accepted, some refused, or they would all be wrong in the same way."""
    tally = try_part(name, part, range(INPUTS[name][length]), SEED)
    faults = [f"{fault.what}: {fault.problem} (--number {fault.number})" for fault in tally.faults]
    assert faults == [], f"repeat with: python scripts/battery.py --part {name} --seed {SEED} --number N"
    assert tally.outcomes["worked"] and (tally.outcomes["refused"] or name == "texts")


@in_both
@pytest.mark.parametrize("part", [Files, Archives, Indices], ids=lambda part: part.__name__)
def test_what_needs_no_network(part, length, tmp_path, workshop):
    name = part.__name__.lower()
    check(name, part(tmp_path / name, workshop), length)


@in_both
def test_checkpoints(length, tmp_path, workshop):
    check("checkpoints", Checkpoints(tmp_path / "checkpoints", workshop), length)


@in_default(RELATION_EXTRACTION, reason="test_contract.py predicts and scores odd texts in all contests")
def test_odd_texts(contest, tmp_path, workshop):
    check("texts", Texts(tmp_path / "texts", workshop, [contest]), 0)


@in_default(EVENT_EXTRACTION, RELATION_EXTRACTION, reason="two contests stand for all")
def test_runs(contest, tmp_path, workshop):
    check("runs", Runs(tmp_path / "runs", workshop, [contest]), 0)


@pytest.mark.slow(reason="test_odd_texts and test_runs try the first of these inputs")
@pytest.mark.parametrize("part", [Texts, Runs], ids=lambda part: part.__name__)
@every_contest
def test_many(contest, part, tmp_path, workshop):
    name = part.__name__.lower()
    check(name, part(tmp_path / name, workshop, [contest]), 1)


# The battery itself


def faults_of(*calls):
    """What a tally says of calls that take paths as further arguments."""
    tally = Tally(0.2, MEMORY)
    for function, *paths in calls:
        tally.call("it", function, *paths)
    return [fault.problem for fault in tally.faults]


def refuse(message):
    def call():
        raise UserError(message)

    return call


def test_what_is_no_fault(tmp_path):
    assert faults_of((lambda: 5,), (refuse(f"{tmp_path}: is \x1b wrong - mend it"), tmp_path)) == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: [].append(bytearray(2**40)), "MemoryError"),
        (lambda: [number for number in iter(int, 1)], "TookTooLong"),
        (refuse("something is wrong"), "does not say what it is about"),
        (lambda: answered(Finished(0, "\x1b[31m", "")), "control characters"),
        (lambda: answered(Finished(1, "", "Traceback")), "exit code 1"),
        (lambda: answered(Finished(2, "", "error: one line\nand one more\n")), "exit code 2"),
    ],
)
def test_what_is_a_fault(call, problem, tmp_path):
    (found,) = faults_of((call, tmp_path))
    assert problem in found


def test_an_input_depends_on_its_number_alone():
    class Remember(Part):
        def __init__(self):
            self.seen = {}

        def attempt(self, generator, tally):
            self.seen[tally.number] = mutated(b'{"text": "\xe4\xb8\x80", "items": [1, 2]}\n' * 3, generator)

    many, few, other = Remember(), Remember(), Remember()
    try_part("files", many, range(200), 1)
    try_part("files", few, [17, 3], 1)
    try_part("files", other, [3], 2)
    assert few.seen == {3: many.seen[3], 17: many.seen[17]} and other.seen[3] != many.seen[3]
    # Of all kinds, and most of them not so large that nothing else is looked at.
    assert len(set(many.seen.values())) > 150 and any(len(content) > LONG for content in many.seen.values())
    assert sum(len(content) < 1000 for content in many.seen.values()) > 100


def test_the_script_prints_figures_and_how_to_try_a_fault_again(monkeypatch, capsys):
    specification = importlib.util.spec_from_file_location("battery_script", competition.ROOT / "scripts/battery.py")
    script = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "battery_script", script)  # where its dataclass looks its types up
    specification.loader.exec_module(script)

    class Bad(Part):
        def __init__(self, folder, workshop):
            pass

        def attempt(self, generator, tally):
            tally.call("reader", lambda: 1 // (tally.number % 3))

    monkeypatch.setitem(script.PARTS, "files", Bad)
    with pytest.raises(SystemExit, match="1"):
        script.main(["--part", "files", "--inputs", "5", "--seed", "7"])
    out = capsys.readouterr().out
    assert "5 inputs" in out and "3 worked" in out and "2 faults" in out
    assert "ZeroDivisionError" in out and out.count("--part files --seed 7 --number 0") == 1 and "--number 3" not in out
    assert list(script.main(["--part", "files", "--number", "1"])) == ["files"]
