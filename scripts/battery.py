#!/usr/bin/env python3
"""What strangers and attackers send: mutated files, odd texts, hostile archives, checkpoints, runs and indices, to all
that reads them, and a line of figures for each kind. Exit code 1 where something is neither done nor refused in one
line.

    python scripts/battery.py --inputs 1000
    python scripts/battery.py --part files --seed 1 --number 17

The second line tries one input again, as a fault says. All is made by chance, and the same for the same seed.
"""

import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1] / "tests")
)  # before this folder, where `battery` is a script

from common.command_line import check_at_least, parse_flags, run  # noqa: E402

from battery import Fault, Tally, try_part  # noqa: E402
from battery.archives import Archives  # noqa: E402
from battery.checkpoints import Checkpoints  # noqa: E402
from battery.files import Files  # noqa: E402
from battery.indices import Indices  # noqa: E402
from battery.runs import Runs  # noqa: E402
from battery.texts import Texts  # noqa: E402
from workshop import Workshop  # noqa: E402

PARTS = {
    "files": Files,
    "texts": Texts,
    "archives": Archives,
    "checkpoints": Checkpoints,
    "runs": Runs,
    "indices": Indices,
}


@dataclass
class Config:
    """Try mutated files, odd texts, hostile archives, checkpoints, runs and indices, and count what comes of them."""

    part: tuple[Literal["files", "texts", "archives", "checkpoints", "runs", "indices"], ...] = tuple(PARTS)
    """What to try. Default: all."""
    inputs: int = 100
    """Inputs of each part."""
    seed: int = 1
    """Other inputs."""
    number: int | None = None
    """Only this input of each part."""

    def __post_init__(self):
        check_at_least(self, inputs=1, seed=0, number=0)


def main(argv: Sequence[str] | None = None) -> dict[str, Tally]:
    """Prints figures and faults; returns what came of each part. SystemExit with code 1 where there is a fault."""
    config = parse_flags(Config, argv)
    numbers = range(config.inputs) if config.number is None else [config.number]
    tallies = {}
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder) / "workshop")
        for name in config.part:
            begun = time.perf_counter()
            tally = tallies[name] = try_part(name, PARTS[name](Path(folder) / name, workshop), numbers, config.seed)
            print(tally.line(name, len(numbers), time.perf_counter() - begun), flush=True)
            for fault in first_of_each_kind(tally.faults):
                print(f"  {fault.what}: {fault.problem}")
                print(f"    python scripts/battery.py --part {name} --seed {config.seed} --number {fault.number}")
    if any(tally.faults for tally in tallies.values()):
        sys.exit(1)
    return tallies


def first_of_each_kind(faults: Iterable[Fault]) -> list[Fault]:
    """Of faults that say the same the first one."""
    return list({(fault.what, fault.problem): fault for fault in reversed(list(faults))}.values())[::-1]


if __name__ == "__main__":
    run(main)
