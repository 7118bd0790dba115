"""Which tests a change can touch, for `scripts/test.sh --changed`."""

import functools
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

import competition
from contests import CONTESTS

FOLDERS = [contest.folder for contest in CONTESTS]


def changed_files(revision: str) -> list[str]:
    """What differs from a revision in the working tree, files that are new and not ignored included, as paths below the repository."""

    def git(*arguments: str) -> list[str]:
        done = subprocess.run(["git", *arguments], cwd=competition.ROOT, capture_output=True, encoding="utf-8")
        if done.returncode:
            raise pytest.UsageError(f"--changed {revision}: {done.stderr.strip()} - give a commit, a branch or a tag")
        return done.stdout.splitlines()

    return [*git("diff", "--name-only", "--no-renames", revision, "--"), *git("ls-files", "--others", "--exclude-standard")]


def is_touched(nodeid: str, paths: Iterable[str]) -> bool:
    return any(touches(path, nodeid) for path in paths)


def touches(path: str, nodeid: str) -> bool:
    """Whether a test can see a file. A folder of competitions is seen by its own tests and by those of all folders; a README and a file of tests
    by few; anything else by all."""
    file, _, parameters = nodeid.partition("[")
    file = file.partition("::")[0]
    parts = Path(path).parts
    if parts[0] == "tests" and parts[-1].startswith("test_"):
        return file == path
    if path.endswith(".md"):
        return file in ("tests/test_readme.py", "tests/test_security.py")
    if parts[0] == "competitions" and parts[1] in FOLDERS:
        about = next((folder for folder in FOLDERS if folder in parameters or file.startswith(f"tests/test_{folder}_")), None)
        return about == parts[1] or about is None and looks_at(file, parts[1])
    return True


@functools.cache
def looks_at(file: str, folder: str) -> bool:
    """Whether a file of tests is about a folder, or about all of them."""
    text = (competition.ROOT / file).read_text("utf-8")
    return any(word in text for word in (folder, "CONTESTS", "COMPETITIONS", "rglob", "ls-files"))
