"""Nothing in the tree runs code out of data, hands text to a shell, or says on whose machine it was written."""

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from competition import ROOT

#: Modules that run code when they read data, or whose only use here would be that.
MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
#: Attributes that are refused whatever they are attributes of: `load_model` runs the code stored in a model.
ATTRIBUTES = {"load_model"}
FUNCTIONS = {
    ("os", "system"),
    ("os", "popen"),
    ("subprocess", "getoutput"),
    ("subprocess", "getstatusoutput"),
    ("torch", "load"),
    ("yaml", "load"),
    ("yaml", "unsafe_load"),
    ("pandas", "read_pickle"),
}
#: Keywords that may only be given as a plain False.
KEYWORDS = {"shell", "allow_pickle", "enable_unsafe_deserialization"}


def tracked_files() -> list[Path]:
    """Everything that is in the repository or about to be: tracked files, and new ones that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout of git")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def unsafe_python(source: str) -> Iterator[tuple[int, str]]:
    """(line, what) of everything in Python source that runs code out of data or text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            found = [name for name in names if name in ATTRIBUTES or (node.module, name) in FUNCTIONS]
            found += [node.module] if (node.module or "").split(".")[0] in MODULES else []
        elif isinstance(node, ast.Name):
            found = [node.id] if node.id in BUILTINS | ATTRIBUTES else []
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else None
            owner = {"np": "numpy", "pd": "pandas"}.get(owner, owner)
            unsafe = (
                node.attr in ATTRIBUTES or (owner, node.attr) in FUNCTIONS or (owner, node.attr) == ("builtins", "eval")
            )
            found = [f"{owner}.{node.attr}"] if unsafe else []
        elif isinstance(node, ast.keyword):
            plain_false = isinstance(node.value, ast.Constant) and node.value.value is False
            found = [f"{node.arg}="] if node.arg in KEYWORDS and not plain_false else []
        else:
            continue
        yield from (
            (getattr(node, "lineno", node.value.lineno if isinstance(node, ast.keyword) else 0), what) for what in found
        )


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import cloudpickle as safe",
        "from marshal import loads",
        "eval('1')",
        "run = exec",
        "keras.models.load_model(path)",
        "from tf_keras.models import load_model",
        "os.system(command)",
        "os.popen(command)",
        "from os import system",
        "subprocess.run(command, shell=True)",
        "subprocess.run(command, shell=wanted)",
        "subprocess.getoutput(command)",
        "torch.load(path)",
        "yaml.load(text)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
    ],
)
def test_the_search_finds_it(line):
    assert [number for number, _ in unsafe_python(f"\n{line}\n")] == [2]


@pytest.mark.parametrize(
    "line",
    [
        '"""No pickle, no load_model, no eval(, and no shell=True."""',
        "model.compile(optimizer); model.eval(); re.compile(pattern)",
        "np.load(path, allow_pickle=False)",
        "subprocess.run([program, argument], shell=False)",
        "yaml.safe_load(text)",
        "platform.system()",
        "json.load(file)",
    ],
)
def test_the_search_is_not_alarmed_by(line):
    assert list(unsafe_python(line)) == []


def test_no_python_file_runs_code_out_of_data():
    files = [path for path in tracked_files() if path.suffix == ".py"]
    assert len(files) > 30
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in files
        for line, what in unsafe_python(path.read_text("utf-8"))
    ]
    # What it reads it has written itself, into a file without a name.
    assert [one for one in found if not one.startswith("common/kept_rows.py:")] == []


UNSAFE_SHELL = re.compile(
    r"\beval\b|\b(?:curl|wget)\b[^#]*\|\s*(?:ba|z|da)?sh\b|pickle|load_model|allow_pickle|python[\d.]* <\("
)


def test_no_shell_script_runs_code_out_of_data():
    files = [path for path in tracked_files() if path.suffix == ".sh" or path.parent.name == ".ci"]
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if UNSAFE_SHELL.search(line.split(" #")[0]) and not line.lstrip().startswith("#")
    ]
    assert found == []


#: A mirror of packages, or a flag that names one: everybody gets them from where their own pip is set to.
REGISTRY = re.compile(
    r"pypi\.|pythonhosted|index[-_]url|(?:mirror|mirrors|repo)\.[a-z]+\.(?:com|cn|edu|org)|tuna\.tsinghua", re.I
)
#: Folders of the machines that the project was written on. `../shared` is how the measuring data are named.
MACHINE = re.compile(r"(?<![\w.~$}*-])/(?:work|root|home|Users|mnt|tmp)/\w")


#: Documents of those who wrote the project, which no reader of it has.
ELSEWHERE = re.compile(r"\b(?:SYSTEMS|DESIGN|USERS)\.md\b")


def lines_that_name(pattern: re.Pattern[str], paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        content = path.read_bytes()
        if b"\0" in content or path == Path(__file__):
            continue
        in_tests = path.is_relative_to(ROOT / "tests")
        for number, line in enumerate(content.decode("utf-8").splitlines(), start=1):
            # A test may name a temporary folder, as an example of a path that is refused, and say where a rule came
            # from.
            example = in_tests and (pattern is ELSEWHERE or pattern is MACHINE and "/tmp/" in line)
            if pattern.search(line) and not example:
                yield f"{path}:{number}: {line.strip()[:120]}"


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (REGISTRY, "a registry of packages"),
        (MACHINE, "a folder of somebody's machine"),
        (ELSEWHERE, "a document that is not in the repository"),
    ],
)
def test_no_file_names(pattern, what):
    assert list(lines_that_name(pattern, tracked_files())) == [], f"names {what}"


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (REGISTRY, "pip install --index-url https://example"),
        (MACHINE, "see /home/somebody/notes"),
        (ELSEWHERE, "The run directory (DESIGN.md section 4)."),
        (ELSEWHERE, "SYSTEMS.md 8.3; kexue.fm/archives/6794"),
        (ELSEWHERE, "[users](../shared/USERS.md)"),
    ],
)
def test_what_a_file_must_not_name_is_found(pattern, line, tmp_path):
    path = tmp_path / "file.md"
    path.write_text(f"All is well.\n{line}\n", "utf-8")
    assert list(lines_that_name(pattern, [path])) == [f"{path}:2: {line}"]
