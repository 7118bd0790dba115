"""A measurement in a process of its own, so that its time and memory are its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parent


def figures_of(script: str, *arguments: object) -> dict[str, Any]:
    """The JSON object that a script of this folder prints as its last line. Raises CalledProcessError where it
    fails."""
    command = [sys.executable, SCRIPTS / script, *map(str, arguments)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, encoding="utf-8").stdout
    return json.loads(printed.splitlines()[-1])
