#!/usr/bin/env python3
"""Write the bundled samples: python scripts/make_samples.py [TASK ...] [--check]

Without a task it makes all of them. The files are the same, byte for byte, every time. --check writes nothing and ends
with exit code 1 if a file in the tree is not what its generator writes. A mistake in a data file (scripts/samples/data)
is one line with the name and line of the file, and exit code 2. Needs no package.
"""

import argparse
import importlib
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
if str(SCRIPTS) not in sys.path:  # loaded from elsewhere, as the tests do
    sys.path.insert(0, str(SCRIPTS))

from common.command_line import run  # noqa: E402  (samples puts its folder on the path)

from samples import Sample  # noqa: E402

#: The contests with a generator.
TASKS = sorted(path.stem for path in (SCRIPTS / "samples").glob("*.py") if not path.stem.startswith("_"))


def generate(task: str) -> Sample:
    """What the generator of a contest makes, in memory."""
    return importlib.import_module(f"samples.{task}").generate()


def folder(task: str, root: Path = SCRIPTS.parent) -> Path:
    return root / "competitions" / task / "sample"


def write(task: str, root: Path = SCRIPTS.parent) -> list[Path]:
    """Write the files of a contest below root/competitions; returns their paths."""
    target = folder(task, root)
    target.mkdir(parents=True, exist_ok=True)
    files = generate(task).files
    for name, text in files.items():
        (target / name).write_bytes(text.encode("utf-8"))
    return [target / name for name in files]


def stale(task: str, root: Path = SCRIPTS.parent) -> list[Path]:
    """The files of a contest that are missing or are not what the generator writes."""
    paths = {folder(task, root) / name: text.encode("utf-8") for name, text in generate(task).files.items()}
    return [path for path, content in paths.items() if not path.is_file() or path.read_bytes() != content]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"default: all ({', '.join(TASKS)})")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file is not up to date")
    options = parser.parse_args(arguments)
    unknown = [task for task in options.tasks if task not in TASKS]
    if unknown:
        parser.error(f"no generator for {', '.join(unknown)}; there are: {', '.join(TASKS)}")

    outdated = []
    for task in options.tasks or TASKS:
        if options.check:
            outdated += stale(task)
        else:
            for path in write(task):
                print(path.relative_to(SCRIPTS.parent))
    for path in outdated:
        print(
            f"{path.relative_to(SCRIPTS.parent)}: not what the generator writes - run python scripts/make_samples.py",
            file=sys.stderr,
        )
    return 1 if outdated else 0


if __name__ == "__main__":
    run(lambda: sys.exit(main()))
