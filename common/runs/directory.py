"""Run directories: made at one stroke, found again, and checked before anything is read from them. No TensorFlow."""

import dataclasses
import hashlib
import os
import secrets
import shlex
import shutil
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

from common.command_line import UserError, parse_flags
from common.devices import cluster_of, scratch_folder
from common.options import RunOptions, TrainingOptions, check_combination
from common.runs.files import Lock, file_of_run, lock, read_json, remove_half_made
from common.runs.values import from_json, settings_from_json, settings_to_json
from common.submission import TEMPORARY_PREFIX, atomic_write, check_output, json_bytes

Config = TypeVar("Config")
Settings = TypeVar("Settings", bound=NamedTuple)

#: The tasks of some scripts.
PRETRAINING, SEGMENTATION, SIMILARITY, TREES, WRITING = "pretraining", "segmentation", "similarity", "trees", "writing"

# Of all other tasks it is train.py.
_SCRIPTS = {
    PRETRAINING: "pretrain.py",
    SEGMENTATION: "train_segmenter.py",
    SIMILARITY: "similar_questions.py train",
    TREES: "learn_trees.py",
    WRITING: "train_writer.py",
}

_CONFIG = "config.json"
_MOST_CONFIG = 2**24  # bytes
_PACKAGES = ("tensorflow", "tf-keras", "bert4keras", "numpy", "tokenizers", "jieba", "scikit-learn", "h5py")

# A resumed run may go on for longer, be kept or find its data elsewhere (fingerprints tell whether they are the same
# data). All other settings are those it was started with.
_MAY_CHANGE = {
    "epochs",
    "early_stopping_patience",
    "output",
    "output_dir",
    "data_dir",
    "run_name",
    "resume",
    "feature_memory",
    "devices",
}


class Evaluation(NamedTuple):
    """What an evaluation on dev found: numbers by name, predictions in the official format, and errors worth
    reading."""

    metrics: dict[str, float]
    predictions: list[Any]
    errors: list[Any]


class Run:
    """A run directory that exists. `config` is its config.json: `task`, `settings`, `versions`, `data`."""

    def __init__(self, path: Path, config: dict[str, Any], held: Lock | None = None):
        self.path, self.config, self._held = path, config, held

    best_weights = property(lambda self: self.file("best.weights.h5"))
    last_state = property(lambda self: self.file("last/state.h5"))
    history = property(lambda self: self.file("history.jsonl"))

    @property
    def resume_command(self) -> str:
        """What continues it, to be shown."""
        folder = self.path.parent.parent
        place = "" if folder == RunOptions.output_dir else f" --output-dir {shlex.quote(str(folder))}"
        script = _SCRIPTS.get(self.config.get("task"), "train.py")
        return f"{script} --run-name {shlex.quote(self.path.name)} --resume{place}"

    def file(self, name: str) -> Path:
        """The path of a file or folder of the run, there or not. Raises UserError as `file_of_run` does."""
        return file_of_run(self.path, name)

    def hold(self) -> None:
        """Keep other processes from training this run as long as this object, or another of this run, is there. Raises
        UserError while one does, and where nothing can be written."""
        try:
            self._held = lock(self.file(_CONFIG))
        except BlockingIOError:
            raise UserError(
                f"{self.path}: is being trained by another process - wait for its end, or stop it"
            ) from None
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be written ({error.strerror}) - copy the run to where you may write, and name that by --output-dir"
            ) from None
        check_output(self.history)
        check_output(self.last_state)

    def setting(self, name: str, hint: Any) -> Any:
        """A setting of train.py that the run was made with, checked against a type hint: see `values.from_json`. Raises
        UserError."""
        if name not in self.config["settings"]:
            raise UserError(f"{self.path / _CONFIG}: has no setting {name} - use the version that trained the run")
        return from_json(hint, self.config["settings"][name], self.path / _CONFIG, name)

    @property
    def mixed_precision(self) -> str:
        """What it was trained in, for `set_precision`: only in the same does the network say exactly the same."""
        training = from_json(
            dict[str, Any], self.config["settings"].get("training", {}), self.path / _CONFIG, "training"
        )
        hint = get_type_hints(TrainingOptions)["mixed_precision"]
        return from_json(hint, training.get("mixed_precision", "no"), self.path / _CONFIG, "training.mixed_precision")

    def write_json(self, name: str, value: Any) -> None:
        """Replace a JSON file of the run at one stroke."""
        atomic_write(self.file(name), json_bytes(value, indent=1) + b"\n")

    def read_json(self, name: str, hint: Any = Any) -> Any:
        """A JSON file of the run, as a type hint says: see `values.from_json`. Raises UserError when it is missing,
        damaged, or something else."""
        path = self.file(name)
        return from_json(hint, read_json(path), path)

    def write_decoding(self, settings: NamedTuple) -> None:
        """Keep the settings that predict.py is to decode with, in place of those there are."""
        write_decoding(self.path, settings)

    def read_decoding(self, kind: type[Settings], **given: Any) -> Settings:
        """Those settings, a NamedTuple `kind`, with the given ones that are not None in place of them. Raises
        UserError."""
        kept = self.read_json("decoding.json", kind)
        return kept._replace(**{name: value for name, value in given.items() if value is not None})

    def remove_unfinished_files(self) -> None:
        """Delete what a killed process left half-written."""
        for leftover in self.path.rglob(f"{TEMPORARY_PREFIX}*"):
            if leftover.is_symlink() or not leftover.is_dir():
                leftover.unlink(missing_ok=True)


def create_run(
    task: str,
    output_dir: Path,
    name: str | None = None,
    settings: Any = None,
    data: dict[str, Any] | None = None,
    write: Callable[[Path], None] = lambda folder: None,
) -> Run:
    """A new run directory OUTPUT_DIR/TASK/NAME (default name: the time) that appears whole or not at all.

    settings: the Config dataclass. data: `describe_file` of each file. write: puts what the network is built from
    (vocabulary, labels, ...) into the folder. Raises UserError when the run exists.
    """
    parent = output_dir / task
    check_run_is_new(task, output_dir, name)
    config = {
        "task": task,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "settings": settings_to_json(settings) if settings else {},
        "versions": {package: _version(package) for package in _PACKAGES},
        "data": data or {},
    }
    parent.mkdir(parents=True, exist_ok=True)
    remove_half_made(parent, _CONFIG)
    temporary = parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}"
    temporary.mkdir()
    try:
        (temporary / _CONFIG).touch()
        held = lock(temporary / _CONFIG)
        write(temporary)
        with (temporary / _CONFIG).open("wb") as file:  # in place, since it is locked
            file.write(json_bytes(config, indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = parent / (name or stamp)
        for attempt in range(2, 100):  # two runs may start within one second
            if not path.exists() or name:
                break
            path = parent / f"{stamp}-{attempt}"
        os.rename(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return Run(path, config, held)


def begin_run(resumed: Run | None, task: str, config: Any, data: dict[str, Any], write: Callable[[Path], None]) -> Run:
    """The run that is continued, if it was started on these data, or else a new one, as `create_run` makes it, with the
    flags of train.py as settings. Raises UserError as both do."""
    if resumed is None:
        return create_run(task, config.run.output_dir, config.run.run_name, config, data, write)
    check_same_data(resumed, data)
    return resumed


def write_decoding(folder: Path, settings: NamedTuple) -> None:
    """Write the settings that predict.py is to decode with into the folder of a run."""
    atomic_write(file_of_run(folder, "decoding.json"), json_bytes(settings._asdict(), indent=1) + b"\n")


def check_run_is_new(task: str, output_dir: Path, name: str | None) -> None:
    """Raises UserError when a run of this name exists, or when the name is no name of a folder."""
    if name is None:
        return
    _check_name(name)
    if (output_dir / task / name).exists():
        raise UserError(
            f"--run-name {name}: {output_dir / task / name} exists - add --resume to continue it, or choose another name"
        )


def _check_name(name: str) -> None:
    if name in ("", ".", "..") or "/" in name or "\\" in name or name.startswith(TEMPORARY_PREFIX):
        raise UserError(f"--run-name {name!r}: must be the plain name of a folder, without slashes")


def open_run(path: Path, *tasks: str) -> Run:
    """A run directory of one of these tasks. Raises UserError for anything else."""
    wanted = ", ".join(tasks)
    file = file_of_run(path, _CONFIG)
    if not file.is_file():
        task = tasks[0] if len(tasks) == 1 else "<task>"
        raise UserError(f"{path}: no run directory (it has no config.json) - give runs/{task}/<name>")
    config = from_json(dict[str, Any], read_json(file, _MOST_CONFIG), file)
    for key, hint in (("task", str), ("settings", dict[str, Any]), ("data", dict[str, dict[str, Any]])):
        from_json(hint, config.get(key), file, key)
    found = config["task"]
    if found not in tasks:
        raise UserError(f"{path}: is a run of {found:.60}, not of {wanted} - give a run of {wanted}")
    return Run(path, config)


def open_trained_run(path: Path | None, output_dir: Path, task: str) -> Run:
    """The run to predict with: the one at `path`, or else the newest that has a best model. Raises UserError without
    one."""
    return check_trained(open_run(path, task) if path else newest_run(output_dir, task, "best.weights.h5"))


def check_trained(run: Run) -> Run:
    """The run itself. Raises UserError for one without a best model."""
    if not run.best_weights.is_file():
        raise UserError(
            f"{run.path}: has no best.weights.h5 yet - train it for at least one epoch ({run.resume_command})"
        )
    return run


def newest_run(output_dir: Path, task: str, having: str = _CONFIG) -> Run:
    """The run of this task whose file `having` is the newest. Raises UserError when there is none."""
    candidates = _runs_with(having, output_dir / task)
    if not candidates:
        raise UserError(f"{output_dir / task}: no run with a {having} here - train one first (train.py), or name one")
    return open_run(max(candidates, key=lambda path: (path.stat().st_mtime_ns, path)).parent, task)


def has_trained_run(output_dir: Path, task: str) -> bool:
    """Whether there is a run of this task with a best model."""
    return bool(_runs_with("best.weights.h5", output_dir / task))


def _runs_with(file: str, folder: Path) -> list[Path]:
    """That file of each run in a folder that is not still being made."""
    return [path for path in folder.glob(f"*/{file}") if not path.parent.name.startswith(TEMPORARY_PREFIX)]


def describe_file(path: Path, **counts: Any) -> dict[str, Any]:
    """Name and SHA-256 of a data file, and what was counted in it, for config.json."""
    return {"file": path.name, "sha256": fingerprint(path), **counts}


def fingerprint(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read piece by piece: some are larger than one wants to hold."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_same_data(run: Run, data: dict[str, Any]) -> None:
    """Raises UserError when a run is continued on other data than it was started on: another file, or another fold of
    it."""
    for role, now in data.items():
        before = run.config["data"].get(role, {})
        if any(before.get(key) != now.get(key) for key in ("sha256", "fold", "num_folds")):
            raise UserError(
                f"{run.path}: was started on another {now['file']} than this one - resume with the same data, or start a new run"
            )


# Settings


def parse_training_flags(config_class: type[Config], task: str, argv: list[str] | None) -> tuple[Config, Run | None]:
    """The Config of train.py and, with --resume, the run to continue.

    With --resume the settings come from that run, so `--run-name NAME --resume` is enough. A flag that contradicts them
    is a UserError, save for those that may change (how long to train, and where things are). A worker of a cluster that
    is not the chief gets a place of its own to write to, with a copy of the run to continue.
    """
    given = parse_flags(config_class, argv)
    if hasattr(given, "encoder"):
        check_combination(given.encoder, given.training)
    is_chief = cluster_of().is_chief
    if not given.run.resume:
        if not is_chief:
            return _aside(given), None
        check_run_is_new(task, given.run.output_dir, given.run.run_name)
        check_output(given.run.output_dir / task / (given.run.run_name or "run") / _CONFIG)
        return given, None
    if given.run.run_name is not None:
        run = open_run(_existing(given.run.output_dir / task, given.run.run_name), task)
    else:
        run = newest_run(given.run.output_dir, task)
    if is_chief:
        run.hold()
    stored = settings_from_json(config_class, run.config["settings"], run.path / _CONFIG)
    stored.run.output_dir, stored.run.run_name, stored.run.resume = given.run.output_dir, run.path.name, True
    config = parse_flags(config_class, argv, default=stored)
    for flag, before, now in _differences(stored, config):
        if flag not in _MAY_CHANGE:
            name = flag.replace("_", "-")
            raise UserError(
                f"--{name} {now}: the run {run.path.name} was started with {before} - leave the flag out, or start a new run"
            )
    if not is_chief:
        config = _aside(config)
        copy = config.run.output_dir / task / run.path.name
        shutil.copytree(run.path, copy, ignore=shutil.ignore_patterns("tensorboard", f"{TEMPORARY_PREFIX}*"))
        run = open_run(copy, task)
    return config, run


def _aside(config: Config) -> Config:
    """The Config of a worker that keeps nothing."""
    config.run.output_dir = scratch_folder()
    if hasattr(config, "output"):
        config.output = config.run.output_dir / "output"
    return config


def _existing(folder: Path, name: str) -> Path:
    """The run of this name. Raises UserError that lists those there are."""
    _check_name(name)
    if (folder / name / _CONFIG).exists():
        return folder / name
    names = sorted(path.parent.name for path in _runs_with(_CONFIG, folder))
    raise UserError(f"--run-name {name}: {folder} has no such run - there are: {', '.join(names) or 'none'}")


def _differences(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    found = []
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if dataclasses.is_dataclass(a):
            found += _differences(a, b)
        elif a != b:
            found.append((field.name, a, b))
    return found


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
