"""`--help` in Chinese. The texts stand in help.zh.json, beside this file for the shared flags, else in the folder.

tyro counts a Chinese character as one column and breaks no line within Chinese, so its frames would fall apart: what it
prints in English is laid out here instead. tyro still says what values look like, so that both languages show the same.
"""

import dataclasses
import functools
import json
import os
import re
import shutil
import sys
import textwrap
import typing
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.command_line import display_width

TEXTS = "help.zh.json"
#: Columns before a text: flags that fit stand in the same line.
MARGIN = 24
WIDEST = 100
#: What stays in one line: a Chinese character, a word of Latin letters or a short bracket, with the marks around it.
_PIECE = re.compile(r" +|(?:（[^（） ]{1,16}）|[（《]*(?:[!-~]+|[^ ]))[，。；：、！？）》]*")


def script_of(config_class: type) -> Path | None:
    """The script that defines this Config, if Chinese texts lie in its folder: then there is a language to choose."""
    file = getattr(sys.modules.get(config_class.__module__), "__file__", None)
    return Path(file) if file and Path(file).with_name(TEXTS).is_file() else None


def is_chinese(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `--language` says so or, without it, the locale: its variables in the order of gettext."""
    given = [value for flag, value in zip(arguments, arguments[1:]) if flag == "--language"]
    given += [argument.partition("=")[2] for argument in arguments if argument.startswith("--language=")]
    if given:
        return given[-1] == "zh"
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    # A list of languages, the best first. As in gettext it counts for nothing in the locale C.
    wanted = "" if locale in ("C", "POSIX") else environment.get("LANGUAGE", "")
    return next((name for name in (wanted or locale).split(":") if name.startswith(("zh", "en"))), "").startswith("zh")


def description_of(config_class: type) -> str:
    """Its docstring on one line, if somebody wrote one: dataclass itself writes the signature there."""
    text = " ".join((config_class.__doc__ or "").split())
    return "" if text.startswith(f"{config_class.__name__}(") else text


def chinese_help(config_class: type, script: Path, default: object | None = None) -> str:
    """What `--help` prints. A flag without a Chinese text, one that somebody has added, shows its docstring."""
    shared = _read(Path(__file__).with_name(TEXTS))
    own = _read(script.with_name(TEXTS)).get(script.stem, {})
    frame = shared["frame"]
    flags = _Flags(shared, own)
    flags.groups[frame["options"]].append(("-h, --help", frame["help"]))
    flags.add(config_class, default, frame["options"])
    flags.groups[frame["options"]].append(("--language {zh,en}", frame["language"]))
    needed = [flag for rows in flags.groups.values() for flag, text in rows if text.endswith(frame["required"])]
    columns = min(shutil.get_terminal_size().columns, WIDEST)
    lines = [" ".join([frame["usage"] + sys.argv[0], "[-h]", *needed, frame["further"]]), ""]
    lines += _wrap(own.get("") or description_of(config_class), columns)
    for title, rows in flags.groups.items():
        lines += ["", title + frame["colon"], *(line for flag, text in rows for line in _row(flag, text, columns))]
    return "\n".join(lines)


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


class _Flags:
    """Flags and their texts, by the title of their group. `shared` is by dataclass, `own` is the script's."""

    def __init__(self, shared: dict[str, Any], own: dict[str, str]):
        self.shared, self.own = shared, own
        self.groups: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def add(self, config_class: type, holder: object | None, title: str) -> None:
        """A dataclass, and those in it as groups of their own. The values are those of `holder`, or the defaults."""
        frame, types = self.shared["frame"], typing.get_type_hints(config_class)
        positional = _positional(config_class)
        texts = {**_merged(self.shared.get(one.__name__, {}) for one in _dataclasses(config_class)), **self.own}
        for field in dataclasses.fields(config_class):
            kind, value, text = types[field.name], _value(field, holder), texts.get(field.name)
            if dataclasses.is_dataclass(kind):
                name = text or self.shared.get(kind.__name__, {}).get("") or f"{field.name} {frame['options']}"
                self.add(kind, None if value is dataclasses.MISSING else value, name)
                continue
            text = text or docstrings_of(config_class).get(field.name, "")
            if value is dataclasses.MISSING:
                text += frame["required"]
            elif value not in (None, ()):  # the text says what happens then
                text += frame["default"].format(_shown(kind, value))
            is_positional = field.name in positional
            self.groups[title].append(
                (_primitive(kind).metavar if is_positional else _invocation(field.name, kind), text)
            )


def _positional(config_class: type) -> set[str]:
    """The fields that are given without a name."""
    import tyro

    hints = typing.get_type_hints(config_class, include_extras=True)
    return {name for name, hint in hints.items() if tyro.conf.Positional in getattr(hint, "__metadata__", ())}


def _value(field: dataclasses.Field, holder: object | None) -> Any:
    if holder is not None:
        return getattr(holder, field.name)
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _invocation(name: str, kind: Any) -> str:
    flag = name.replace("_", "-")
    return f"--{flag}, --no-{flag}" if kind is bool else f"--{flag} {_primitive(kind).metavar}"


def _shown(kind: Any, value: object) -> str:
    return str(value) if kind is bool else " ".join(_primitive(kind).str_from_instance(value))


def _primitive(kind: Any) -> Any:
    from tyro.constructors import ConstructorRegistry, PrimitiveTypeInfo

    return ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(kind, set()))


@functools.cache
def docstrings_of(config_class: type) -> dict[str, str]:
    """The docstring of each field that has one, by name."""
    import ast  # here, since few need it
    import inspect

    bodies = [ast.parse(textwrap.dedent(inspect.getsource(one))).body[0].body for one in _dataclasses(config_class)]
    return {
        field.target.id: " ".join(text.value.value.split())
        for body in bodies
        for field, text in zip(body, body[1:])
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def _dataclasses(config_class: type) -> list[type]:
    """A dataclass behind those whose fields it inherits."""
    return [one for one in reversed(config_class.__mro__) if dataclasses.is_dataclass(one)]


def _merged(texts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {name: text for one in texts for name, text in one.items()}


def _row(flag: str, text: str, columns: int) -> list[str]:
    lines = [" " * MARGIN + line for line in _wrap(text, max(columns - MARGIN, MARGIN))] or [""]
    if len(flag) > MARGIN - 4:
        return [f"  {flag}", *lines]
    return [f"  {flag}".ljust(MARGIN) + lines[0][MARGIN:], *lines[1:]]


def _wrap(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns, of which a Chinese character takes two; only a longer word sticks out."""
    lines, used = [""], 0
    for piece in _PIECE.findall(text):
        width = display_width(piece)
        if used and used + width > columns:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            used = 0
        if used or not piece.isspace():
            lines[-1] += piece
            used += width
    return [line for line in lines if line]
