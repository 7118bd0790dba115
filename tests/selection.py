"""Which tests run, and which of them in one process."""

import functools
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

import competition
from contests import CONTESTS

FOLDERS = [contest.folder for contest in CONTESTS]


def group_of(nodeid: str) -> str:
    """What shares a process: all tests of one contest, for its trained run, and of what is about no single contest
    those of a file."""
    file, parameters = split(nodeid)
    return folder_in(parameters) or file


def is_wanted(item: pytest.Item, everything: bool) -> bool:
    """Whether a test is one of the default suite, or everything is asked for."""
    marks = list(item.iter_markers("slow"))
    if not all(mark.kwargs.get("reason") for mark in marks):
        raise pytest.UsageError(f"{item.nodeid}: is marked slow without a reason")
    return everything or not marks


# scripts/test.sh --changed


def changed_files(revision: str) -> list[str]:
    """What differs from a revision in the working tree, files that are new and not ignored included, as paths below the
    repository."""

    def git(*arguments: str) -> list[str]:
        done = subprocess.run(["git", *arguments], cwd=competition.ROOT, capture_output=True, encoding="utf-8")
        if done.returncode:
            raise pytest.UsageError(
                f"--changed {revision}: {done.stderr.strip().splitlines()[0]} - give a commit, a branch or a tag"
            )
        return done.stdout.splitlines()

    return [
        *git("diff", "--name-only", "--no-renames", revision, "--"),
        *git("ls-files", "--others", "--exclude-standard"),
    ]


def is_touched(nodeid: str, paths: Iterable[str]) -> bool:
    return any(touches(path, nodeid) for path in paths)


def touches(path: str, nodeid: str) -> bool:
    """Whether a test can see a file. A folder of competitions is seen by its own tests and by those of all folders; a
    README and a file of tests by few; anything else by all."""
    file, parameters = split(nodeid)
    parts = Path(path).parts
    if parts[0] == "tests" and parts[-1].startswith("test_"):
        return file == path
    if path.endswith(".md"):
        return file in ("tests/test_readme.py", "tests/test_security.py")
    if parts[0] == "competitions" and parts[1] in FOLDERS:
        about = folder_in(parameters) or folder_in(file)
        return about == parts[1] if about else looks_at(file, parts[1])
    return True


def split(nodeid: str) -> tuple[str, str]:
    """The file of a test, and its parameters."""
    name, _, parameters = nodeid.partition("[")
    return re.sub("::.*", "", name), parameters


def folder_in(text: str) -> str | None:
    return next((folder for folder in FOLDERS if folder in text), None)


@functools.cache
def looks_at(file: str, folder: str) -> bool:
    """Whether a file of tests is about a folder, or about all of them."""
    text = (competition.ROOT / file).read_text("utf-8")
    return any(word in text for word in (folder, "CONTESTS", "COMPETITIONS", "rglob", "ls-files"))
