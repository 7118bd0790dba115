"""examples/: each script trains, and docs/examples.md shows what stands in it."""

import importlib
import re
import sys

import pytest

from common.command_line import parse_flags

import competition
from test_readme import FENCED

EXAMPLES = competition.ROOT / "examples"
PAGE = (competition.ROOT / "docs/examples.md").read_text("utf-8")
#: What each returns, and how much of it is learned in its usual training.
SCRIPTS = {"classifier": ("accuracy", 0.9), "span_extractor": ("exact", 0.4), "relation_extractor": ("f1", 0.6)}
TINY = "--epochs 1 --encoder dgcnn --hidden-size 16 --layers 1 --word-size 8".split()


@pytest.fixture
def example(monkeypatch, request):
    """The script of that name, which imports its sibling."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield importlib.import_module(request.param)
    for name in (request.param, "fine_tuning"):
        sys.modules.pop(name, None)


def lines_of(name):
    return [line.strip() for line in (EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()]


def stands_in(lines, wanted):
    """As consecutive lines, wherever they are indented."""
    return any(lines[first : first + len(wanted)] == wanted for first in range(len(lines)))


@pytest.mark.parametrize("example", SCRIPTS, indirect=True)
def test_it_trains(example, monkeypatch, capfd):
    few = {"train.json": 16, "dev.json": 4}
    read = example.read_sample
    monkeypatch.setattr(example, "read_sample", lambda contest, name: read(contest, name)[: few[name]])
    (score,) = example.main(TINY).values()
    assert 0 <= score <= 1
    assert "that it has not seen" in capfd.readouterr().out


@pytest.mark.slow(reason="trains all three as a reader would; each takes a minute")
@pytest.mark.parametrize("example", SCRIPTS, indirect=True)
def test_it_learns(example):
    figure, least = SCRIPTS[example.__name__]
    assert example.main([])[figure] > least


@pytest.mark.parametrize("example", SCRIPTS, indirect=True)
def test_the_flags_of_the_page_are_its(example):
    commands = re.findall(rf"^python examples/{example.__name__}.py(.*)$", PAGE, re.MULTILINE)
    assert commands
    for flags in commands:
        parse_flags(example.Config, flags.split())


def test_the_page_shows_what_stands_in_the_scripts():
    scripts = [lines_of(name) for name in ("fine_tuning", *SCRIPTS)]
    shown = [body for kind, body in FENCED.findall(PAGE) if kind == "python"]
    assert len(shown) == 6
    for body in shown:
        wanted = [line.strip() for line in body.splitlines()]
        assert any(stands_in(lines, wanted) for lines in scripts), body


def test_the_page_shows_how_one_script_becomes_the_next():
    names = list(SCRIPTS)
    shown = [body.splitlines() for kind, body in FENCED.findall(PAGE) if kind == "diff"]
    assert len(shown) == 2
    for body, before, after in zip(shown, names, names[1:]):
        for sign, name in (("-", before), ("+", after)):
            assert stands_in(lines_of(name), [line[1:] for line in body if line[0] in (sign, " ")]), (name, body)


def test_the_first_tokens_are_characters_only_without_words():
    """Why the page speaks of offsets."""
    from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer

    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *"北京", "2020", "word"])
    assert len(tokenizer.encode("北京北京")) == len("北京北京") + 2
    encoding = tokenizer.encode("北 2020京")
    assert encoding.offsets[1:-1].tolist() == [[0, 1], [2, 6], [6, 7]]
