"""The modules of competition folders, and what their scripts return."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT / "scripts"))
from contest_folders import COMPETITIONS, folder_of, inside, load  # noqa: E402

__all__ = ["COMPETITIONS", "ROOT", "SHARED", "folder_of", "inside", "load", "main"]


def main(folder: str | Path, module: str, argv: list[object]) -> dict:
    """What `main(argv)` of a script returns."""
    # Loaded before: what `main` imports later must find the same siblings, or classes would not be the same.
    script = load(folder, module)
    with inside(folder):
        return script.main([str(argument) for argument in argv])
