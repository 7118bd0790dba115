"""Loads the modules of a competition folder. Seven folders each have a `task`, so none may stay in `sys.modules` under
that name."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from common.command_line import UserError

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"
#: The contests, by the names of their folders, which are those of their tasks.
CONTEST_NAMES = tuple(sorted(path.parent.name for path in COMPETITIONS.glob("*/predict.py")))
#: What one calls them for short.
SHORT_NAMES = {
    "relations": "lic2020_relation_extraction",
    "events": "lic2020_event_extraction",
    "reading": "lic2020_reading_comprehension",
    "webqa": "webqa_dgcnn",
    "linking": "ccks2019_entity_linking",
    "nl2sql": "nl2sql",
    "titles": "seq2seq_titling",
}

_loaded: dict[Path, dict[str, ModuleType]] = {}


def contest_of(name: str) -> str:
    """The name of the folder that is called so, also for short. Raises UserError."""
    folder = SHORT_NAMES.get(name, name)
    if folder not in CONTEST_NAMES:
        raise UserError(f"{name}: no contest of this name - give one of {', '.join([*SHORT_NAMES, *CONTEST_NAMES])}")
    return folder


def folder_of(folder: str | Path) -> Path:
    """A folder by its name among the competitions, or by its path (a copy somewhere else)."""
    path = COMPETITIONS / folder  # an absolute path on the right wins
    if not path.is_dir():
        raise ValueError(f"{path} is not a competition folder")
    return path.resolve()


def load(folder: str | Path, module: str) -> ModuleType:
    """`task`, `evaluate`, ... of a folder, with siblings out of the same folder; loaded once, so that classes stay the
    same."""
    path = folder_of(folder)
    if module not in _loaded.get(path, {}):
        with inside(path):
            importlib.import_module(module)
    return _loaded[path][module]


@contextlib.contextmanager
def inside(folder: str | Path) -> Iterator[Path]:
    """Within it, `import task` means the folder's, as for its scripts. Needed around functions that import siblings
    when called."""
    path = folder_of(folder)
    names = {file.stem for file in path.glob("*.py")}
    hidden = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    mine = _loaded.setdefault(path, {})
    sys.modules.update(mine)
    sys.path.insert(0, str(path))
    importlib.invalidate_caches()  # a copy may be younger than what Python remembers of its folder
    try:
        yield path
    finally:
        sys.path.remove(str(path))
        for name in names & sys.modules.keys():
            mine[name] = sys.modules.pop(name)
            _rename(mine[name], f"{path}/{name}")
        sys.modules.update(hidden)


def _rename(module: ModuleType, name: str) -> None:
    # Docstrings and annotations of a class are looked up through the module it names: it must be found there, alone.
    sys.modules[name] = module
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            line = vars(value).get(
                "__firstlineno__"
            )  # by which Python 3.13 finds the source of a class, and which it forgets with the module
            value.__module__ = name
            if line is not None:
                value.__firstlineno__ = line
    module.__name__ = name
