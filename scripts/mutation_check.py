#!/usr/bin/env python3
"""Would the tests see it? python scripts/mutation_check.py [words of a fault ...]

Puts the faults of faults.py into a copy of the repository, one at a time, and runs the tests of the default suite that
guard against each. Prints the test that sees it, and how long that took. Exit code 1 when one is not seen. All of them
take about five minutes.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", help="only faults whose name has all of these")
    words = parser.parse_args(argv).words
    faults = [fault for fault in FAULTS if all(word in fault.name for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_repository(Path(folder) / "copy")
        missed = [fault for fault in faults if not is_seen(fault, copy)]
    print(f"\n{len(faults) - len(missed)} of {len(faults)} faults are seen")
    return 1 if missed else 0


def copy_repository(copy: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    if (ROOT.parent / "shared").is_dir():
        (copy.parent / "shared").symlink_to(ROOT.parent / "shared")
    return copy


def is_seen(fault: Fault, copy: Path) -> bool:
    """Whether a test fails with the fault in the copy, which is as it was afterwards."""
    path = copy / fault.file
    text = path.read_text("utf-8")
    if text.count(fault.right) != 1:
        raise SystemExit(
            f"{fault.name}: {fault.right!r} stands {text.count(fault.right)} times in {fault.file} - mend this list"
        )
    path.write_text(text.replace(fault.right, fault.wrong), "utf-8")
    begun = time.perf_counter()
    # `common` of the copy comes before the one that is installed.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        *re.split(" (?=-k )|(?<=-k) ", fault.tests),
    ]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    path.write_text(text, "utf-8")
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    seen = f"seen by {failed[1]}" if failed else f"NOT SEEN by {fault.tests} (exit code {done.returncode})"
    print(f"{fault.name}: {seen}  ({time.perf_counter() - begun:.0f} s)", flush=True)
    return failed is not None


if __name__ == "__main__":
    sys.exit(main())
