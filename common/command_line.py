"""What every script does at the edge: flags in, one clear error line out, text that any terminal can show."""

import contextlib
import errno
import io
import itertools
import math
import os
import re
import shlex
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar

Config = TypeVar("Config")


class UserError(ValueError):
    """A mistake the user can mend: what is wrong, in which file and line, and what to do, in ONE line."""

    def __init__(self, message: object):
        # A file name or a value out of a file may hold line breaks, and thousands of characters.
        super().__init__(one_line(message))


_LONGEST_START, _LONGEST_END = 700, 250

# What a terminal obeys instead of showing it, and what turns the direction of text.
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(32), *range(127, 160), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}


def printable(text: str) -> str:
    """The text without what acts on a terminal: control characters and those of direction are shown as `\\x1b`."""
    return text.translate(_ESCAPES)


def one_line(message: object) -> str:
    """A message that stays on a screen: line breaks are blanks, the rest is `printable`, and of a long one the
    beginning, where the place stands, and the end, where the remedy does, are left."""
    line = " ".join(str(message).splitlines())
    if len(line) > _LONGEST_START + _LONGEST_END:
        line = f"{line[:_LONGEST_START]} ... {line[-_LONGEST_END:]}"
    return printable(line)


def parse_flags(config_class: type[Config], argv: Sequence[str] | None = None, default: Config | None = None) -> Config:
    """A `config_class` (a dataclass) filled from `argv`, or from the command line when `argv` is None.

    Every field is a flag (`max_length` is `--max-length`, a bool is `--resume/--no-resume`) and its docstring the help.
    Fields of embedded dataclasses are flags like the others: `--epochs`, not `--training.epochs`. What `argv` does not
    name comes from `default`, an instance, or from the class. A bad flag is one line on stderr and SystemExit(2).
    Where Chinese texts lie beside the script (help.zh.json), `--language` is a flag too, and no part of the result.
    """
    from common.chinese_help import chinese_help, description_of, is_chinese, script_of

    arguments = sys.argv[1:] if argv is None else [str(argument) for argument in argv]
    script = script_of(config_class)
    if script and {"-h", "--help"} & {*arguments} and is_chinese(arguments):
        print(chinese_help(config_class, script, default))
        sys.exit(0)

    import tyro  # here, since it costs more than the rest of a script that only reads and counts

    shown = io.StringIO()
    try:
        with contextlib.redirect_stderr(shown):
            return tyro.cli(
                config_class,
                args=arguments,
                default=tyro.MISSING_NONPROP if default is None else default,
                description=description_of(config_class) if script else None,
                config=(tyro.conf.OmitArgPrefixes,),
                registry=_with_language(config_class) if script else None,
            )
    except SystemExit as end:
        if end.code:
            _exit_with_error(f"{_first_sentence(shown.getvalue())} - see --help")
        raise


def _with_language(config_class: type) -> Any:
    """Rules by which tyro accepts and shows `--language` for this class and drops it: it has been heeded by then."""
    import tyro
    from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

    registry = ConstructorRegistry()
    is_asking = False

    @registry.struct_rule
    def add_language(info: StructTypeInfo) -> StructConstructorSpec | None:
        nonlocal is_asking
        if info.type is not config_class or is_asking:
            return None
        is_asking = True  # what tyro's own rules say comes back through here
        try:
            plain = ConstructorRegistry.get_struct_spec(info)
        finally:
            is_asking = False
        by_locale = tyro.conf.arg(help_behavior_hint="(default: by the locale)")
        choice = Annotated[Literal["zh", "en"], by_locale]
        language = StructFieldSpec("language", choice, "en", "Language of this help.")
        return StructConstructorSpec(lambda language, **values: plain.instantiate(**values), (*plain.fields, language))

    return registry


def _first_sentence(box: str) -> str:
    """What a framed message of tyro says first, without frame and line breaks."""
    lines = [line.strip("│ ") for line in box.splitlines() if line.startswith(("│", " "))]
    parts = [
        " ".join(part)
        for is_rule, part in itertools.groupby(lines, lambda line: set(line) in ({"─"}, {"-"}))
        if not is_rule
    ]
    # Where output is not UTF-8 there is no frame, and the title, which is part of it, stands first.
    sentence = "".join(parts[:1] if "│" in box else parts[1:2])
    # A check in __post_init__ names its flag itself; the name of the dataclass means nothing to a user.
    return re.sub(r"^Error parsing [^-]\S*: ", "", sentence) or box.strip()


def run(main: Callable[[], object]) -> NoReturn:
    """Calls `main` and exits: 0 when it returns, 2 with `error: ...` on stderr for a `UserError` or a file that cannot
    be read or written, 130 for Ctrl-C, 141 when the reader of our output went away (`| head`).

    Every script ends with `if __name__ == "__main__": run(main)`. Any other exception keeps its traceback: it is ours.
    """
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        # UTF-8 whatever the locale, since the results are Chinese; a lone surrogate is shown as its escape.
        # A stream that a caller replaced (a test, a notebook) may not be reconfigurable, and keeps its own encoding.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        main()
        sys.stdout.flush()
    except UserError as error:
        _exit_with_error(str(error))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        if isinstance(error, BrokenPipeError) or (error.errno == errno.EIO and error.filename is None):
            # The reader or the terminal is gone. Python flushes stdout once more at exit, and would complain there.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        # No permission, no space, a folder where a file belongs: the user's to mend, when it is about a file at all.
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        _exit_with_error(UserError(f"{error.filename}: {error.strerror}" if error.filename else error.strerror))
    sys.exit(0)


def _open_standard_streams() -> None:
    """Where a supervisor has closed them: print would fail, and the next file opened would get their numbers, and with
    them whatever native libraries write there."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False))


def _exit_with_error(message: object) -> NoReturn:
    with contextlib.suppress(OSError):
        sys.stdout.flush()  # what was printed before the mistake comes before it
    print(f"error: {one_line(message)}", file=sys.stderr)
    sys.exit(2)


def check_given(config: object, *names: str) -> None:
    """Raises UserError when one of these fields of a Config is None."""
    for name in names:
        if getattr(config, name) is None:
            raise UserError(f"--{name.replace('_', '-')}: is missing - see --help")


def check_probability(config: object, *names: str) -> None:
    """Raises UserError when one of these fields of a Config is not between 0 and 1. None is fine, here and in what
    follows."""
    for name in names:
        _check(config, name, lambda value: 0 < value < 1, "between 0 and 1")


def check_share(config: object, *names: str) -> None:
    """Raises UserError when one of these fields of a Config is not from 0 to 1."""
    for name in names:
        _check(config, name, lambda value: 0 <= value <= 1, "from 0 to 1")


def check_below_one(config: object, *names: str) -> None:
    """Raises UserError when one of these fields of a Config is not from 0 to 1, without 1."""
    for name in names:
        _check(config, name, lambda value: 0 <= value < 1, "at least 0 and below 1")


def check_at_least(config: object, **smallest: float) -> None:
    """Raises UserError when one of these fields of a Config is not a number from its smallest value on."""
    for name, least in smallest.items():
        allowed = "a number" if least == -math.inf else f"at least {least}"
        _check(config, name, lambda value, least=least: math.isfinite(value) and value >= least, allowed)


def check_at_most(config: object, **largest: float) -> None:
    """Raises UserError when one of these fields of a Config is above its largest value."""
    for name, most in largest.items():
        _check(config, name, lambda value, most=most: value <= most, f"at most {most}")


def check_above(config: object, **bounds: float) -> None:
    """Raises UserError when one of these fields of a Config is not a number above its bound."""
    for name, bound in bounds.items():
        _check(config, name, lambda value, bound=bound: bound < value < math.inf, f"above {bound}")


def _check(config: object, name: str, is_fine: Callable[[float], bool], allowed: str) -> None:
    value = getattr(config, name)
    if value is not None and not is_fine(value):
        raise UserError(f"--{name.replace('_', '-')} {value}: must be {allowed}")


def warn(message: object) -> None:
    """One line on stderr that nobody overlooks, and that never mixes with a result on stdout."""
    print(f"WARNING: {one_line(message)}", file=sys.stderr)


def print_counts(counts: Mapping[str, int]) -> None:
    """A line for each reason, below the line that says what they are reasons for."""
    for reason, count in sorted(counts.items()):
        print(f"          {count} x {reason}")


def print_skipped(path: Path, counts: Mapping[str, int]) -> None:
    """What a reader left out of a file or mended in it, a line for each reason."""
    for reason, count in counts.items():
        print(f"{printable(str(path))}: {count} x {reason}")


def shown(path: Path) -> Path:
    """The path as one would type it here: relative to the working directory if it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def print_next(train_script: str, run_folder: Path, output: str) -> None:
    """Print the command that comes after a training. train_script: path of a train.py, beside which predict.py is."""
    predict = shown(Path(train_script).resolve().with_name("predict.py"))
    command = shlex.join(["python", str(predict), "--run", str(run_folder), "--output", output, "--input", "TEST_FILE"])
    print(f"\nnext: {command}")


def display_width(text: str) -> int:
    """Columns `text` takes in a terminal: two for a Chinese (wide or full-width) character, none for a combining
    mark."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lines of aligned columns, Chinese included: the first to the left, the others to the right; floats get 4
    decimals, and texts are `printable`.

    Raises ValueError for a row that is longer or shorter than the header.
    """
    cells = [
        [f"{cell:.4f}" if isinstance(cell, float) else printable(str(cell)) for cell in row] for row in (header, *rows)
    ]
    if any(len(row) != len(header) for row in cells):
        raise ValueError(f"every row of the table must have {len(header)} cells, like its header")
    widths = [max(map(display_width, column)) for column in zip(*cells)]
    lines = []
    for row in cells:
        blanks = [" " * (width - display_width(cell)) for cell, width in zip(row, widths)]
        lines.append(
            "  ".join([row[0] + blanks[0], *(blank + cell for cell, blank in zip(row[1:], blanks[1:]))]).rstrip()
        )
    return "\n".join(lines)
