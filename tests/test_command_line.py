import contextlib
import math
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from common.command_line import (
    UserError,
    check_at_least,
    check_share,
    display_width,
    parse_flags,
    print_next,
    print_skipped,
    shown,
    table,
    warn,
)

from competition import ROOT


@dataclass
class Training:
    epochs: int = 3
    """How often to go through the data."""
    mixed_precision: bool = False


@dataclass
class Config:
    """Bakes a cake."""

    max_length: int = 128
    """The longest cake, in candles."""
    data_dir: Path | None = None
    training: Training = field(default_factory=Training)

    def __post_init__(self):
        if self.max_length < 1:
            raise UserError("--max-length must be 1 or more")


def script(body, *, flags=(), environment=None, **options):
    """Runs `body` as the main() of a script in a process of its own."""
    code = f"import sys\nfrom common.command_line import UserError, run\ndef main():\n    {body}\nrun(main)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    return subprocess.run(
        [sys.executable, *flags, "-c", code], env=environment, capture_output=True, timeout=60, **options
    )


def test_flags_of_embedded_dataclasses_stand_beside_the_others():
    config = parse_flags(Config, ["--max-length", "64", "--epochs", "7", "--mixed-precision", "--data-dir", "某处"])
    assert config == Config(64, Path("某处"), Training(7, True))


def test_what_is_not_named_comes_from_the_class_or_from_the_default():
    assert parse_flags(Config, []) == Config()
    default = Config(32, None, Training(9, True))
    assert parse_flags(Config, [], default) == default
    assert parse_flags(Config, ["--no-mixed-precision"], default) == Config(32, None, Training(9, False))


def test_arguments_may_be_paths_and_numbers():
    assert parse_flags(Config, ["--data-dir", Path("a"), "--epochs", 5]) == Config(128, Path("a"), Training(5))


def test_docstrings_are_the_help(capsys):
    with pytest.raises(SystemExit) as stop:
        parse_flags(Config, ["--help"])
    assert not stop.value.code
    shown = capsys.readouterr().out
    for words in (
        "Bakes a cake.",
        "--max-length",
        "The longest cake",
        "--epochs",
        "How often",
        "--mixed-precision",
        "--no-mixed-precision",
    ):
        assert words in shown
    assert "--training" not in shown


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["--epochen", "3"], "--epochen"),
        (["--epochs", "many"], "--epochs"),
        (["--epochs"], "--epochs"),
        (["stray"], "stray"),
        (["--max-length", "0"], "--max-length must be 1 or more"),
    ],
)
def test_a_bad_flag_is_named_and_exits_with_2(argv, named, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_flags(Config, argv)
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert named in captured.err and captured.out == ""
    assert "Traceback" not in captured.err


def test_a_user_error_is_one_line():
    assert str(UserError("a\nb\u2028c\r\nd")) == "a b c d"
    assert isinstance(UserError("x"), ValueError)


def test_run_ends_with_0():
    done = script("return {'f1': 1.0}")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_run_prints_a_user_error_and_exits_with_2():
    done = script("print('before'); raise UserError('dev.json:3: broken')")
    assert (done.returncode, done.stdout, done.stderr) == (2, b"before\n", b"error: dev.json:3: broken\n")


@pytest.mark.parametrize("body", ["open('/nowhere/at/all')", "open('/')", "open('/dev/null/x', 'w')"])
def test_run_names_a_file_that_cannot_be_opened(body):
    done = script(body)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: /") and done.stderr.count(b"\n") == 1


def test_run_leaves_our_own_mistakes_their_traceback():
    for body in ("1 / 0", "raise ValueError('ours')", "raise OSError('about no file')"):
        done = script(body)
        assert done.returncode == 1 and b"Traceback" in done.stderr


def test_run_lets_an_exit_pass():
    assert script("sys.exit(7)").returncode == 7


def test_ctrl_c_ends_with_130_and_no_traceback():
    # The handler is set because a shell makes what it starts in the background deaf to Ctrl-C.
    body = "import os, signal, time; signal.signal(signal.SIGINT, signal.default_int_handler); os.kill(os.getpid(), signal.SIGINT); time.sleep(30)"
    done = script(body)
    assert done.returncode == 130
    assert done.stderr == b"\ninterrupted\n"


def test_a_reader_that_goes_away_is_no_accident():
    code = "from common.command_line import run\ndef main():\n    while True: print('中' * 1000)\nrun(main)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "gbk"}]
)
def test_output_is_utf8_whatever_the_locale(environment):
    done = script(r"print('\u4e2d\U0001f600'); raise UserError('\u9519\u8bef')", environment=environment)
    assert done.stdout.decode("utf-8") == "中😀\n"
    assert done.stderr.decode("utf-8") == "error: 错误\n"


def test_half_a_surrogate_pair_can_be_shown():
    done = script(r"print('\ud83d'); raise UserError('\ud83d')")
    assert (done.returncode, done.stdout) == (2, b"\\ud83d\n")


@pytest.mark.parametrize(("values", "message"), [
    ({}, None),
    ({"some_rate": 0.0, "least": None}, None),
    ({"some_rate": 1.5}, "--some-rate 1.5: must be from 0 to 1"),
    ({"some_rate": -0.1}, "--some-rate -0.1: must be from 0 to 1"),
    ({"some_rate": float("nan")}, "--some-rate nan: must be from 0 to 1"),
    ({"least": 1}, "--least 1: must be at least 2"),
    ({"least": float("inf")}, "--least inf: must be at least 2"),
    ({"any": float("nan")}, "--any nan: must be a number"),
    ({"any": -1e9}, None),
])  # fmt: skip
def test_checks_of_values(values, message):
    config = SimpleNamespace(**{"some_rate": 1.0, "least": 2, "any": 0} | values)
    with contextlib.nullcontext() if message is None else pytest.raises(UserError, match=re.escape(message)):
        check_share(config, "some_rate")
        check_at_least(config, least=2, any=-math.inf)


def test_warnings_are_one_line_on_stderr(capsys):
    warn("a\nb")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "WARNING: a b\n")


def test_paths_are_shown_as_one_would_type_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(shown(tmp_path / "mine/predict.py")) == "mine/predict.py"
    assert shown(tmp_path.parent / "predict.py") == tmp_path.parent / "predict.py"


def test_display_width():
    assert [display_width(text) for text in ("", "ab", "中文", "ＡＢ", "e\u0301", "a中")] == [0, 2, 4, 4, 1, 3]


def test_table_aligns_chinese():
    lines = table(["predicate", "n", "f1"], [["导演", 5, 0.5], ["出品公司", 12, 1.0]]).split("\n")
    assert lines == ["predicate   n      f1", "导演        5  0.5000", "出品公司   12  1.0000"]
    assert {display_width(line) for line in lines} == {21}


def test_table_refuses_a_short_row():
    with pytest.raises(ValueError, match="2 cells"):
        table(["a", "b"], [["only"]])


def test_importing_it_is_cheap():
    done = script("print([name for name in ('tyro', 'numpy', 'tensorflow') if name in sys.modules])")
    assert done.stdout == b"[]\n"


def test_a_long_message_keeps_its_place_and_its_remedy():
    message = str(UserError(f"dev.json:3: unknown {'x' * 70_000} - take another"))
    assert (
        len(message) < 1000 and message.startswith("dev.json:3: unknown xxx") and message.endswith("x - take another")
    )


def test_no_escape_of_data_reaches_the_terminal(capsys):
    hostile = "\x1b[2J\x07\x9b\u202e全\u3000角"
    shown_as = "\\x1b[2J\\x07\\x9b\\u202e全\u3000角"
    warn(hostile)
    assert capsys.readouterr().err == f"WARNING: {shown_as}\n"
    assert str(UserError(hostile)) == shown_as
    assert shown_as in table(["name"], [[hostile]])
    print_skipped(Path("a\x1b"), {"blank line": 3})
    assert capsys.readouterr().out == "a\\x1b: 3 x blank line\n"


@pytest.mark.parametrize(("closed", "status"), [("0>&-", 0), (">&-", 0), ("2>&-", 0), (">&- 2>&- <&-", 0)])
def test_closed_streams_are_no_error(tmp_path, closed, status):
    # The first file that is opened must not get the number of a stream: what is printed would land in it.
    body = f"open({str(tmp_path / 'file')!r}, 'w').write('kept'); print('lost'); print('lost', file=sys.stderr)"
    code = f"import sys\nfrom common.command_line import run\ndef main():\n    {body}\nrun(main)"
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == status and b"Traceback" not in done.stderr
    assert (tmp_path / "file").read_text() == "kept"


def test_the_printed_command_can_be_pasted(tmp_path, capsys):
    print_next(str(tmp_path / "my system" / "train.py"), Path("runs/a b"), "submission.zip")
    command = shlex.split(capsys.readouterr().out.removeprefix("\nnext: "))
    assert command[1:4] == [str(tmp_path / "my system" / "predict.py"), "--run", "runs/a b"]
