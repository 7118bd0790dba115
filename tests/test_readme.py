"""What the READMEs, docs and CONTRIBUTING.md say is true: their commands run, and what they name exists.

In a ```bash block, every `python SCRIPT` with a script of a competition, or of a copy of one, runs for real, with the
tiny limits of contests.py behind its own flags, in a folder that mirrors the repository. Of a block after `<!-- not
run: reason -->`, and of `python SCRIPT` within a line, only the flags are tried. Other commands are checked to name
files that exist.
"""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from common.command_line import parse_flags

import competition
from competition import COMPETITIONS, ROOT
from contests import CONTESTS

LANGUAGES = (".md", ".zh-CN.md")
FOLDERS = [ROOT, COMPETITIONS, *sorted(path.parent for path in COMPETITIONS.glob("*/train.py"))]
READMES = [folder / f"README{ending}" for folder in FOLDERS for ending in LANGUAGES]  # one that is missing fails
READMES += [*sorted(ROOT.glob("docs/*.md")), ROOT / "common/README.md", ROOT / "CONTRIBUTING.md"]
ORIGINALS = [path for path in READMES if not path.name.endswith(".zh-CN.md")]
every_readme = pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
every_translation = pytest.mark.parametrize(
    "readme", [path for path in READMES if path not in ORIGINALS], ids=lambda path: str(path.relative_to(ROOT))
)

FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: Not the 1 of F1, nor the 2 of word2vec.
NUMBER = re.compile(r"(?<![A-Za-z_\d.,])(?:(?<![\w-])[-+])?\d+(?:[.,]\d+)*%?")


class Block(NamedTuple):
    """The commands of one block, each a list of words, and whether they are to be run."""

    line: int
    run: bool
    commands: list[list[str]]


def blocks_of(text: str) -> list[Block]:
    """Of a README; comments are no commands. ValueError for what no newcomer could paste and this test could not
    run."""
    found = []
    marked = False
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if line.strip() == "```bash":
            body = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                body.append(inner)
            whole = "\n".join(body).replace("\\\n", " ")
            found.append(Block(number, not marked, [words for words in map(words_of, whole.split("\n")) if words]))
        elif line.lstrip().startswith("```"):
            next((None for _, inner in lines if inner.strip() == "```"), None)
        if line.strip():
            marked = bool(re.fullmatch(r"<!-- not run: .+ -->", line.strip()))
    return found


def original_of(translation: Path) -> Path:
    return translation.with_name(translation.name.replace(".zh-CN.md", ".md"))


def words_of(line: str) -> list[str]:
    parser = shlex.shlex(line, posix=True, punctuation_chars=True)
    parser.whitespace_split = True
    words = list(parser)
    if any(set(word) <= set("();<>|&") for word in words if word):
        raise ValueError(f"{line}: one plain command on each line, please")
    return words


def figures_of(text: str) -> list[tuple[str, list[list[str]]]]:
    """The numbers outside of fenced blocks, sorted: for each heading those of the prose, and then those of each row of
    a table."""
    found = []
    for section in re.split(r"^(?=#+ )", FENCED.sub("", text).replace(" %", "%"), flags=re.MULTILINE):
        lines = section.splitlines() or [""]
        rows = [line for line in lines if line.startswith("|")]
        prose = "\n".join(line for line in lines if not line.startswith("|"))
        found.append((lines[0], [sorted(NUMBER.findall(part)) for part in (prose, *rows)]))
    return found


class Reader:
    """Somebody who types the commands of a README one after the other."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch):
        self.root = self.folder = root
        self.monkeypatch = monkeypatch
        self.cloned: set[str] = set()

    def type(self, words: list[str]) -> None:
        while re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        program, *arguments = words
        if program == "python" and arguments[0] != "-m":
            script = self.existing(arguments[0])
            if (script.parent / "task.py").is_file():
                self.run(words[1], arguments[1:])
        elif program in ("bash", "source"):
            assert arguments[0].endswith("bin/activate") or self.existing(arguments[0])
        elif program in ("cp", "mkdir"):
            subprocess.run(words, cwd=self.folder, check=True)
        elif program == "cd":
            self.folder = self.folder if arguments[0] in self.cloned else self.existing(arguments[0])
        elif words[:2] == ["git", "clone"]:
            self.cloned.add(words[-1].rpartition("/")[2].removesuffix(".git"))
        elif program == "conda":
            for name in arguments:
                assert not name.endswith((".yml", ".lock")) or self.existing(name)
        else:
            assert program in ("python", "tensorboard"), (
                f"{shlex.join(words)}: tell tests/test_readme.py what to do with it"
            )

    def existing(self, name: str) -> Path:
        assert (self.folder / name).exists(), f"{name} does not exist"
        return self.folder / name

    def run(self, script: str, flags: list[str]) -> None:
        path = self.folder / script
        task = competition.load(path.parent, "task").TASK
        (contest,) = (contest for contest in CONTESTS if contest.folder == task)
        limits = contest.tiny if path.stem == "train" and "--help" not in flags else ()
        with self.monkeypatch.context() as here:
            here.chdir(self.folder)
            here.setattr(sys, "argv", [script, *flags, *limits])
            with competition.inside(path.parent), pytest.raises(SystemExit) as stop:
                runpy.run_path(script, run_name="__main__")
        assert not stop.value.code, f"python {shlex.join([script, *flags])} ends with {stop.value.code}"


@pytest.fixture
def mirror(tmp_path) -> Path:
    """A folder with everything that the repository's has, save what running leaves in it."""
    root = tmp_path / "mirror"
    root.mkdir()
    for path in ROOT.iterdir():
        if path.name not in (".git", ".venv", "runs"):
            (root / path.name).symlink_to(path)
    return root


SLOW = pytest.mark.slow(reason="trains; the two READMEs above stand for the rest, and the flags of all are tried")


@pytest.mark.parametrize(
    "readme",
    [
        pytest.param(
            path,
            marks=SLOW if path.parent in FOLDERS[2:] else (),
            id=str(path.relative_to(ROOT)),
        )
        for path in ORIGINALS
    ],
)
def test_the_commands_run(readme, mirror, monkeypatch):
    reader = Reader(mirror, monkeypatch)
    for block in blocks_of(readme.read_text("utf-8")):
        for words in block.commands if block.run else ():
            reader.type(words)


@every_readme
def test_all_flags_exist(readme):
    """Those too that need data nobody has here."""
    text = readme.read_text("utf-8")
    commands = [words for block in blocks_of(text) for words in block.commands]
    commands += map(words_of, re.findall(r"`(python [^`\n]+)`", FENCED.sub("", text)))
    for program, script, *flags in (words for words in commands if len(words) > 1):
        path = ROOT / script
        if program == "python" and (path.parent / "task.py").is_file():
            with competition.inside(path.parent):
                parse_flags(competition.load(path.parent, path.stem).Config, flags)


@every_translation
def test_a_translation_has_the_same_commands(readme):
    original = blocks_of(original_of(readme).read_text("utf-8"))
    translated = blocks_of(readme.read_text("utf-8"))
    assert [block[1:] for block in translated] == [block[1:] for block in original]


@every_translation
def test_a_translation_has_the_same_blocks(readme):
    """Word for word, save the comments between commands."""
    original, translated = (
        [(kind, "" if kind == "bash" else body) for kind, body in FENCED.findall(path.read_text("utf-8"))]
        for path in (original_of(readme), readme)
    )
    assert translated == original


@every_translation
def test_a_translation_has_the_same_figures(readme):
    """What one language writes in digits, so does the other, in the same section, and row of a table."""
    original = figures_of(original_of(readme).read_text("utf-8"))
    translated = figures_of(readme.read_text("utf-8"))
    assert len(translated) == len(original), "not as many headings"
    for (heading, translated_figures), (original_heading, original_figures) in zip(translated, original, strict=True):
        assert translated_figures == original_figures, f"{heading}: other figures than in {original_heading}"


@every_readme
def test_what_it_links_to_exists(readme):
    targets = re.findall(r"\]\(([^)\s]+)\)", readme.read_text("utf-8"))
    relative = [target.partition("#")[0] for target in targets if not re.match(r"https?:|mailto:|#", target)]
    assert [target for target in relative if not (readme.parent / target).exists()] == []


@every_readme
def test_the_files_it_names_exist(readme):
    text = re.sub(r"^```.*?^```$", "", readme.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    words = {word for code in re.findall(r"`([^`\n]+)`", text) for word in code.split()}
    named = re.compile(r"(?:(?:common|competitions|scripts|tests)/[\w./-]*|[\w./-]+\.(?:py|sh|md|yml|lock|toml))")
    folders = [readme.parent, ROOT, ROOT / "common", ROOT / "scripts", ROOT / "tests"]
    # What is said of any folder, or of one as an example.
    folders += FOLDERS if readme.parent not in FOLDERS[2:] else []
    missing = [
        word for word in words if named.fullmatch(word) and not any((folder / word).exists() for folder in folders)
    ]
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    missing += [word for word in words if re.fullmatch(r"test_\w+", word) and f"def {word}(" not in tests]
    assert sorted(missing) == []


# The test itself


def test_blocks_are_found():
    text = """
# Title

```bash
python a/train.py --epochs 2 \\
    --seed 1   # a comment
bash scripts/x.sh      # what it's for
```

```text
python b.py
```

<!-- not run: needs data -->

```bash
VENV=x bash scripts/y.sh
```

```bash
cd z
```
"""
    assert blocks_of(text) == [
        Block(4, True, [["python", "a/train.py", "--epochs", "2", "--seed", "1"], ["bash", "scripts/x.sh"]]),
        Block(16, False, [["VENV=x", "bash", "scripts/y.sh"]]),
        Block(20, True, [["cd", "z"]]),
    ]


def test_figures_are_found():
    text = """
# F1 of LIC2020

From 1,400 / 200 texts: -0.5, 98 % of 3 and 0.7.

```text
0.9
```

| a | 1.5 |
|---|---|
| 2 | +0.021 |
"""
    assert figures_of(text)[1:] == [
        ("# F1 of LIC2020", [["-0.5", "0.7", "1,400", "200", "3", "98%"], ["1.5"], [], ["+0.021", "2"]])
    ]


@pytest.mark.parametrize("line", ["cat a | sort", "cd a && ls", "python a.py > b", "a; b"])
def test_only_plain_commands_are_taken(line):
    with pytest.raises(ValueError, match="one plain command"):
        words_of(line)


@pytest.mark.parametrize(
    "command",
    [
        "bash scripts/nothing.sh",
        "python competitions/nothing/train.py",
        "cd nowhere",
        "rm -rf something",
        "conda env create -f no.yml",
    ],
)
def test_what_is_wrong_is_found(command, mirror, monkeypatch):
    with pytest.raises(AssertionError):
        Reader(mirror, monkeypatch).type(command.split())


def test_a_command_that_fails_is_found(mirror, monkeypatch):
    folder = CONTESTS[0].folder
    for command in (
        f"python competitions/{folder}/evaluate.py --gold nothing",
        f"python competitions/{folder}/train.py --no-such-flag",
    ):
        with pytest.raises(AssertionError, match="ends with 2"):
            Reader(mirror, monkeypatch).type(command.split())
    Reader(mirror, monkeypatch).type(f"python competitions/{folder}/train.py --help".split())
    assert not (mirror / "runs").exists()
