"""Values out of the JSON of a run, checked against the type hints that say what they are. No TensorFlow.

A run may come from anybody, or be damaged: what is read from it is a setting only when it has the type, the range and
the name of one.
"""

import dataclasses
import os
import types
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, TypeVar

from common.command_line import UserError

Config = TypeVar("Config")

_REMEDY = "use the version that trained the run, or train it again"


class Between(NamedTuple):
    """In a hint, `Annotated[int, Between(1, 64)]`: the smallest and the largest value of a number."""

    least: float
    most: float


def settings_to_json(settings: Any) -> dict[str, Any]:
    """A dataclass as JSON. A path below the home folder begins with ~, so that a shared run names nobody."""
    try:
        home = str(Path.home())
    except RuntimeError:  # a container: a user id without a name, and no HOME
        home = "/"

    def convert(value: Any) -> Any:
        if isinstance(value, Path):
            text = str(value)
            return "~" + text[len(home) :] if home != "/" and (text == home or text.startswith(home + os.sep)) else text
        if isinstance(value, dict):
            return {key: convert(item) for key, item in value.items()}
        return [convert(item) for item in value] if isinstance(value, tuple | list) else value

    return convert(dataclasses.asdict(settings))


def settings_from_json(config_class: type[Config], settings: Any, source: Path) -> Config:
    """The dataclass (or NamedTuple) back from `settings_to_json`; what is absent has its default. Raises UserError for
    settings that this version does not know, and for values that are none of them."""
    return from_json(config_class, settings, source)


def from_json(hint: Any, value: Any, source: Path, name: str = "") -> Any:
    """A value out of JSON as a type hint says: bool, int, float, str, Path, Literal, one of these or None, in
    `Annotated` with `Between`; tuple, list and dict of them; a dataclass or NamedTuple of all of these; Any.

    source, name: where it was found. Raises UserError for anything else, NaN and infinity among it.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        (kind,) = (one for one in arguments if one is not types.NoneType)
        return None if value is None else from_json(kind, value, source, name)
    if origin is Annotated:
        number, between = from_json(arguments[0], value, source, name), arguments[1]
        if not between.least <= number <= between.most:
            _refuse(value, f"from {between.least:g} to {between.most:g}", source, name)
        return number
    if origin is Literal:
        if value not in arguments or not isinstance(value, str):
            _refuse(value, " or ".join(arguments), source, name)
        return value
    if origin in (tuple, list):
        return origin(_items(arguments, value, source, name))
    if origin is dict:
        if not isinstance(value, dict):
            _refuse(value, "an object", source, name)
        return {key: from_json(arguments[1], one, source, _below(name, key)) for key, one in value.items()}
    if dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"):
        return _fields(hint, value, source, name)
    return _plain(hint, value, source, name)


def _items(hints: tuple[Any, ...], value: Any, source: Path, name: str) -> list[Any]:
    """Those of a list: of any length where there is one hint, or one and an ellipsis."""
    if not isinstance(value, list):
        _refuse(value, "a list", source, name)
    if len(hints) == 1 or hints[1] is ...:
        hints = hints[:1] * len(value)
    if len(hints) != len(value):
        _refuse(value, f"a list of {len(hints)}", source, name)
    return [from_json(hint, one, source, f"{name}[{place}]") for place, (hint, one) in enumerate(zip(hints, value))]


def _fields(kind: type, value: Any, source: Path, name: str) -> Any:
    if not isinstance(value, dict):
        _refuse(value, "an object of settings", source, name)
    hints = typing.get_type_hints(kind, include_extras=True)
    if unknown := sorted(value.keys() - hints.keys()):
        raise UserError(
            f"{source}: has the setting {_below(name, unknown[0])}, which this version does not know - use the version that trained the run"
        )
    values = {key: from_json(hints[key], one, source, _below(name, key)) for key, one in value.items()}
    try:
        return kind(**values)
    except UserError as error:  # its own checks of values
        raise UserError(f"{source}: {error}") from None
    except TypeError as error:  # a setting without a default is absent
        raise UserError(f"{source}: is damaged ({error}) - {_REMEDY}") from None


#: What JSON may hold for a type, and its name.
_PLAIN = {
    bool: (bool, "true or false"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    str: (str, "a string"),
    Path: (str, "a path"),
}


def _plain(hint: type, value: Any, source: Path, name: str) -> Any:
    kinds, description = _PLAIN[hint]
    is_number = hint in (int, float)
    if not isinstance(value, kinds) or is_number and (isinstance(value, bool) or not abs(value) < 2**63):
        _refuse(value, description, source, name)
    if hint is not Path:
        return value
    if "\0" in value:
        _refuse(value, description, source, name)
    try:
        return Path(value).expanduser()
    except RuntimeError:  # nobody's home is known here
        return Path(value)


def _below(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _refuse(value: Any, wanted: str, source: Path, name: str) -> NoReturn:
    what = f"has {name} {value!r:.60}, which" if name else f"holds {value!r:.60}, which"
    raise UserError(f"{source}: {what} must be {wanted} - {_REMEDY}")
