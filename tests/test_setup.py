"""The environment: what is pinned, and what the scripts do when something is missing, interrupted or started twice.

The scripts run for real, in a copy of their files and with a Python and pip that only record how they are called.
"""

import ast
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.11", "3.12", "3.13")
DIRECT = (
    "tensorflow tf-keras bert4keras tensorboard h5py tokenizers jieba pyahocorasick rapidfuzz rouge nltk scikit-learn pot "
    "tyro tqdm ruff pytest pytest-xdist hypothesis setuptools"
).split()
BASH = shutil.which("bash")


def read_pins(name):
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def read_lock(name="requirements.lock"):
    return dict(line.split("==") for line in read_pins(name))


# The lock files


LOCKS = ("requirements.lock", *(f"requirements-{name}.lock" for name in ("gpu", "dask", "browser", "serve")))


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_once(name):
    pins = read_pins(name)
    assert pins
    assert [line for line in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9A-Za-z.]*", line)] == []
    names = [line.split("==")[0] for line in pins]
    assert sorted(names) == sorted(set(names))


def test_what_is_installed_on_top_changes_nothing_below():
    on_top = [name for lock in LOCKS[1:] for name in read_lock(lock)]
    assert not read_lock().keys() & {*on_top} and len(on_top) == len({*on_top})


def test_lock_has_the_direct_packages():
    lock = read_lock()
    assert [name for name in DIRECT if name not in lock] == []
    assert lock["bert4keras"] == "0.11.5"
    assert int(lock["setuptools"].split(".")[0]) < 81
    assert "pip" not in lock


def requirements_of(name, python, extra=""):
    environment = {
        **default_environment(),
        "python_version": python,
        "python_full_version": python + ".0",
        "extra": extra,
    }
    for line in importlib.metadata.requires(name) or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


@pytest.mark.parametrize("python", SUPPORTED)
def test_lock_is_complete(python):
    lock = read_lock()
    unmet = []
    for name in lock:
        for requirement in requirements_of(name, python):
            version = lock.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                unmet.append((name, str(requirement), version))
    # The one declaration that the project overrides, and the reason for --no-deps.
    assert unmet == [("bert4keras", "keras<=2.3.1", lock["keras"])]


def test_gpu_lock_is_what_tensorflow_asks_for():
    lock = read_lock("requirements-gpu.lock")
    wanted = {
        canonicalize_name(requirement.name): requirement.specifier
        for requirement in requirements_of("tensorflow", "3.11", extra="and-cuda")
        if requirement.name.startswith("nvidia")
    }
    assert sorted(lock) == sorted(wanted)
    assert [name for name in lock if not wanted[name].contains(lock[name])] == []


@pytest.mark.parametrize("name", ["starlette", "uvicorn"])
def test_the_web_server_needs_nothing_else(name):
    pytest.importorskip(name)
    lock = {**read_lock(), **read_lock("requirements-serve.lock")}
    assert lock[name] == importlib.metadata.version(name)
    for requirement in requirements_of(name, "3.11"):
        assert requirement.specifier.contains(lock[canonicalize_name(requirement.name)])


def imported_modules(path):
    """(top-level module, whether the file cannot be loaded without it) for each absolute import of a file."""

    def walk(node, needed):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], needed) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0], needed
        lazily = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, needed and not lazily)

    return walk(ast.parse(path.read_text(encoding="utf-8")), True)


def test_lock_has_every_package_that_the_project_imports():
    lock, on_top = read_lock(), {name for other in LOCKS[1:] for name in read_lock(other)}
    folders = ("common", "competitions", "examples", "scripts", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    files.remove(ROOT / "tests/fixtures/make_checkpoints.py")  # which needs torch, as it says
    # Siblings in a competition, a script or a test are imported plainly; within common they never are.
    outside = [path for path in files if not path.is_relative_to(ROOT / "common")]
    own = {"common"} | {path.stem for path in outside} | {path.parent.name for path in outside}
    providers = importlib.metadata.packages_distributions()
    wrong = set()
    for path in files:
        for module, needed in imported_modules(path):
            if module in sys.stdlib_module_names or module in own:
                continue
            names = {canonicalize_name(name) for name in providers.get(module, ())}
            # What imports it says what to install; what is in this folder is imported by what has said so.
            is_optional = (not needed or path.parent == ROOT / "scripts/serving") and {*names, module} & on_top
            if not names & set(lock) and not is_optional and (names or needed):
                wrong.add((str(path.relative_to(ROOT)), module))
    assert sorted(wrong) == []


def test_conda_environment_installs_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert conda == ["python=3.11", "pip"]
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.lock", "-e ."]}


# The scripts


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scripts").glob("*.sh")) + [ROOT / ".ci/run"], ids=lambda path: path.name
)
def test_script_is_valid_shell(path):
    done = subprocess.run([BASH, "-n", path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_continuous_integration_can_execute_its_script():
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_workflow_tests_every_python_that_is_supported():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert tuple(job["strategy"]["matrix"]["python"]) == SUPPORTED
    assert any(step.get("run", "").startswith("bash scripts/test.sh") for step in job["steps"])


FAKE_PYTHON = r"""#!{bash}
# Records its arguments; stands for a Python with pip, and for the one in the environments it makes.
echo "$*" >>"{calls}"
case "$*" in
    "-c import sys; print(sys.version)") echo "3.11.0 (fake)" ;;
    "-m venv --clear "*) rm -rf "$4"/*; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; touch "$4/pyvenv.cfg" ;;
    "-m pip install "*) sleep 0.2; if [ -e "{broken}" ]; then echo "no such package"; exit 1; fi ;;
esac
"""


class Sandbox:
    """A copy of the scripts, and a PATH with nothing on it but what they need."""

    def __init__(self, folder):
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.venv = folder / "environment"
        self.calls_file = folder / "calls"
        self.pip_is_broken = folder / "broken"
        shutil.copytree(ROOT / "scripts", self.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("requirements.lock", "requirements-gpu.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        self.bin.mkdir()
        tools = (
            "bash cat basename cp cut date dirname find flock ls mkdir mv paste realpath rm sha256sum sleep sort touch"
        )
        for tool in tools.split():
            if shutil.which(tool):
                (self.bin / tool).symlink_to(shutil.which(tool))

    def add_program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def add_python(self):
        text = FAKE_PYTHON.format(bash=BASH, calls=self.calls_file, broken=self.pip_is_broken)
        self.add_program("python3.11", text)

    def start(self, script, *arguments, **variables):
        environment = {"PATH": str(self.bin), "VENV": str(self.venv), **variables}
        command = [BASH, str(self.root / "scripts" / script), *arguments]
        return subprocess.Popen(
            command, cwd="/", env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, script, *arguments, **variables):
        process = self.start(script, *arguments, **variables)
        output, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def take_calls(self, containing=""):
        calls = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return [call for call in calls if containing in call]


@pytest.fixture
def sandbox(tmp_path):
    return Sandbox(tmp_path)


@pytest.fixture
def ready(sandbox):
    """A sandbox in which setup.sh has succeeded."""
    sandbox.add_python()
    done = sandbox.run("setup.sh")
    assert done.returncode == 0, done.stderr
    calls = sandbox.take_calls("pip install")
    assert len(calls) == 2
    assert calls[0].endswith("--no-deps -r requirements.lock")
    assert calls[1].endswith("--no-deps --no-build-isolation -e .")
    return sandbox


FAILING_SHIM = f"#!{BASH}\necho 'pyenv: command not found' >&2\nexit 127\n"


def test_setup_says_how_to_get_a_python(sandbox):
    for name in ("python3.11", "python3.12", "python3.13", "python3", "python"):
        sandbox.add_program(name, FAILING_SHIM)
    done = sandbox.run("setup.sh")
    assert done.returncode == 2
    assert "No working Python 3.11, 3.12 or 3.13" in done.stderr
    for way in ("apt install python3.1", "conda create", "uv python install", "PYTHON="):
        assert way in done.stderr
    assert "command not found" not in done.stderr
    assert not sandbox.venv.exists()


def test_setup_passes_over_a_failing_shim(sandbox):
    sandbox.add_python()
    (sandbox.bin / "python3.11").rename(sandbox.bin / "python3")
    sandbox.add_program("python3.11", FAILING_SHIM)
    assert sandbox.run("setup.sh").returncode == 0


def test_setup_does_not_replace_the_python_asked_for(sandbox):
    sandbox.add_python()
    done = sandbox.run("setup.sh", PYTHON="python3.9")
    assert (done.returncode, done.stderr) == (2, "PYTHON=python3.9 is not a working Python 3.11, 3.12 or 3.13.\n")


def test_setup_names_a_missing_venv_module(sandbox):
    shim = f'#!{BASH}\ncase "$*" in *ensurepip*) exit 1 ;; *print*) echo python3.11-venv ;; esac\n'
    sandbox.add_program("python3.11", shim)
    done = sandbox.run("setup.sh")
    assert done.returncode == 2
    assert "ensurepip" in done.stderr and "sudo apt install python3.11-venv" in done.stderr


def test_setup_rejects_an_unknown_argument(sandbox):
    done = sandbox.run("setup.sh", "--cuda")
    assert done.returncode == 2 and "--gpu" in done.stderr


def test_second_setup_does_nothing(ready):
    started = time.monotonic()
    done = ready.run("setup.sh")
    assert time.monotonic() - started < 2
    assert done.returncode == 0 and "up to date" in done.stdout
    assert ready.take_calls("-m ") == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_setup_follows_a_change(ready, name):
    with open(ready.root / name, "a") as file:
        file.write("# changed\n")
    assert ready.run("setup.sh").returncode == 0
    assert len(ready.take_calls("pip install")) == 2


def test_setup_shows_what_pip_says_and_tries_again(sandbox):
    sandbox.add_python()
    sandbox.pip_is_broken.touch()
    done = sandbox.run("setup.sh")
    assert done.returncode == 1 and "no such package" in done.stderr and "Ready" not in done.stdout
    sandbox.pip_is_broken.unlink()
    sandbox.take_calls()
    assert sandbox.run("setup.sh").returncode == 0
    calls = sandbox.take_calls("-m ")
    assert any("-r requirements.lock" in call for call in calls)
    assert not any("-m venv" in call for call in calls), "what pip left in order is kept"


def test_setup_begins_anew_after_a_kill(sandbox):
    sandbox.add_python()
    process = sandbox.start("setup.sh")
    while not (sandbox.venv / "setup.unfinished").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    sandbox.take_calls()
    assert sandbox.run("setup.sh").returncode == 0
    assert len(sandbox.take_calls("-m venv --clear")) == 1
    assert "up to date" in sandbox.run("setup.sh").stdout


def test_setup_empties_no_folder_but_an_environment(sandbox):
    sandbox.add_python()
    sandbox.venv.mkdir()
    (sandbox.venv / "thesis.txt").write_text("years of work")
    done = sandbox.run("setup.sh")
    assert done.returncode == 2 and "VENV" in done.stderr
    assert (sandbox.venv / "thesis.txt").read_text() == "years of work"


@pytest.mark.skipif(not shutil.which("flock"), reason="without flock two setups at once are not kept apart")
def test_two_setups_at_once_install_once(sandbox):
    sandbox.add_python()
    processes = [sandbox.start("setup.sh") for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum("Ready" in output for output in outputs) == 1
    assert len(sandbox.take_calls("-r requirements.lock")) == 1


def test_gpu_libraries_stay_installed(ready):
    assert ready.run("setup.sh", "--gpu").returncode == 0
    assert len(ready.take_calls("-r requirements-gpu.lock")) == 1
    assert "up to date" in ready.run("setup.sh").stdout
    with open(ready.root / "requirements-gpu.lock", "a") as file:
        file.write("# changed\n")
    assert ready.run("setup.sh").returncode == 0
    assert len(ready.take_calls("-r requirements-gpu.lock")) == 1


def test_test_script_hands_its_arguments_on(ready):
    assert ready.run("test.sh", "-k", "two words").returncode == 0
    assert ready.take_calls("pytest") == ["-m pytest -n auto --maxprocesses 4 -k two words"]


def test_demo_lists_the_contests_there_are(sandbox):
    for name in ("nl2sql", "webqa_dgcnn"):
        (sandbox.root / "competitions" / name).mkdir(parents=True)
        (sandbox.root / "competitions" / name / "train.py").touch()
    done = sandbox.run("demo.sh", "nl2sq")
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["demo.sh: no contest 'nl2sq'; there are: nl2sql webqa_dgcnn"]


def test_demo_goes_from_training_to_submission(ready):
    folder = "competitions/nl2sql"
    (ready.root / folder).mkdir(parents=True)
    (ready.root / folder / "train.py").touch()
    done = ready.run("demo.sh", "nl2sql")
    assert done.returncode == 0, done.stderr
    calls = ready.take_calls(folder)
    name = re.fullmatch(rf"{folder}/train.py --output-dir runs --run-name (demo-[0-9-]+)", calls[0]).group(1)
    run = f"runs/nl2sql/{name}"
    assert calls[1:] == [
        f"{folder}/predict.py --run {run} --input {folder}/sample/dev.json --output {run}/dev_submission.json",
        f"{folder}/evaluate.py --gold {folder}/sample/dev.json --predictions {run}/dev_submission.json",
        f"{folder}/predict.py --run {run} --input {folder}/sample/test.json --output {run}/test_submission.json",
    ]
    assert [line[2:] for line in done.stdout.splitlines() if line.startswith("+ ")] == [
        f"python {call}" for call in calls
    ]
    assert f"{run}/test_submission.json" in done.stdout.split("The submission:")[1]


# The doctor


def test_doctor_finds_nothing_wrong_here():
    done = subprocess.run([sys.executable, ROOT / "scripts/doctor.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tf_keras" in done.stdout and "PROBLEM" not in done.stdout
    for private in (str(ROOT), sys.prefix, str(Path.home())):
        assert private not in done.stdout


@pytest.fixture
def doctor(monkeypatch):
    specification = importlib.util.spec_from_file_location("doctor", ROOT / "scripts/doctor.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "check_tensorflow", lambda report, problem: None)  # it takes seconds
    return module


def problems_found(doctor, capsys, *arguments):
    code = doctor.main(list(arguments))
    problems = [line for line in capsys.readouterr().out.splitlines() if line.startswith("PROBLEM")]
    assert code == (2 if problems else 0)
    return problems


def test_doctor_names_a_wrong_version_and_a_missing_package(doctor, capsys, tmp_path):
    assert problems_found(doctor, capsys) == []
    text = (ROOT / "requirements.lock").read_text()
    lock = tmp_path / "other.lock"
    lock.write_text(text.replace("numpy==", "numpy==9") + "no-such-package==1.0\n")
    missing, numpy = problems_found(doctor, capsys, "--lock", str(lock))
    assert f"numpy is {importlib.metadata.version('numpy')}, other.lock says 9" in numpy and "setup.sh" in numpy
    assert "no-such-package is missing" in missing and "setup.sh" in missing


def test_doctor_names_a_wrong_variable(doctor, capsys, monkeypatch):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    (problem,) = problems_found(doctor, capsys)
    assert "unset TF_USE_LEGACY_KERAS" in problem


def test_doctor_leaves_out_private_paths(doctor):
    text = doctor.without_paths(f"cannot open {Path.home()}/secret/x.so and {ROOT}/common/y.py")
    assert str(Path.home()) not in text.replace("~", "") and str(ROOT) not in text
