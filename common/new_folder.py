"""Folders that a command makes: they appear under their name when they are whole."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from common.command_line import UserError
from common.submission import TEMPORARY_PREFIX, check_output


def check_new(path: Path) -> None:
    """Raises UserError where the file or folder of `--output` is there already, or could not be made: to be asked
    before hours of work, not after."""
    if os.path.lexists(path):
        raise UserError(f"--output {path}: is there already - remove it, or give another name")
    check_output(path)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path`, which becomes `path` if the block ends well, and goes otherwise. Missing
    folders above are made."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-{path.name}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
