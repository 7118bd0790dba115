"""Whether this project does on a GPU what it does on a CPU: `python scripts/doctor.py --gpu-check`.

Every contest is trained and predicts on its bundled sample, by the commands of a user: in float32, in both kinds of 16
bits and with a small BERT; a contest more with what else may need another kernel (LSTM, CRF, the techniques). Each run
predicts dev on the GPU and on the CPU, and the answers are compared. All goes on one page, to be sent to us.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.command_line import one_line, table

from doctor import without_paths

SCRIPTS = Path(__file__).resolve().parent
COMPETITIONS = SCRIPTS.parent / "competitions"
CONTESTS = sorted(path.parent.name for path in COMPETITIONS.glob("*/train.py"))
LONGEST = 600  # seconds of a command

_BERT = ("--encoder", "bert", "--layers", "2", "--hidden-size", "64")
#: Cases of every contest, flags of its train.py.
CASES: dict[str, Sequence[str]] = {
    "float32": (),
    "bfloat16": ("--mixed-precision", "bfloat16"),
    "float16": ("--mixed-precision", "float16"),
    "bert float16": (*_BERT, "--mixed-precision", "float16"),
}
#: Further cases, of one contest each.
FURTHER: dict[str, dict[str, Sequence[str]]] = {
    "lic2020_relation_extraction": {
        "bilstm": ("--encoder", "bilstm"),
        "on_lstm": ("--encoder", "on_lstm"),
        "techniques": tuple(
            "--lazy-embeddings --lookahead-steps 5 --accumulation-steps 2 --fgm 0.5 --r-drop 1 --flooding 0.01".split()
        ),
        "bert recompute": (*_BERT, "--recompute", "--layer-decay", "0.9"),
        "gplinker": ("--head", "gplinker"),
    },
    "lic2020_event_extraction": {"crf": ("--head", "crf"), "gplinker": ("--head", "gplinker")},
    "seq2seq_titling": {"unilm": ("--model", "unilm", *_BERT)},
}
ALL_CASES = list(dict.fromkeys([*CASES, *(case for further in FURTHER.values() for case in further)]))
#: Training of a case. On a CPU for trying this check itself.
SIZES = {"gpu": ("--epochs", "8", "--max-dev-examples", "30")}
SIZES["cpu"] = ("--epochs", "2", "--max-train-examples", "24", "--max-dev-examples", "8")
#: Flags of predict.py: other batches, which must not change an answer.
SMALL_BATCHES = ("--batch-tokens", "150")
_VARIABLES = (
    "CUDA_VISIBLE_DEVICES XLA_FLAGS TF_XLA_FLAGS TF_FORCE_GPU_ALLOW_GROWTH TF_GPU_ALLOCATOR NVIDIA_TF32_OVERRIDE"
)

# In a process of its own, since what has once seen a GPU keeps its memory.
_PROBE = """
import json
from common.keras_compat import tf
gpus = tf.config.list_physical_devices("GPU")
build = tf.sysconfig.get_build_info()
print("PROBE" + json.dumps({
    "TensorFlow": tf.__version__,
    "Built for": " ".join(f"{key} {build[key]}" for key in ("cuda_version", "cudnn_version") if key in build) or "CPUs",
    "Cards": [str(tf.config.experimental.get_device_details(gpu)) for gpu in gpus],
}))
"""


class Failed(Exception):
    """A command ended with an error, of which this is the line that says most."""


@dataclass
class Row:
    """What a case of a contest came to. None: it did not come so far."""

    contest: str
    case: str
    trained: float | None = None
    """Rows a second, as the next two, which are on the GPU and on the CPU."""
    predicted: float | None = None
    predicted_on_cpu: float | None = None
    peak_bytes: float | None = None
    is_finite: bool | None = None
    differing: str = ""
    score: float | None = None
    score_on_cpu: float | None = None
    error: str = ""
    notes: list[str] = field(default_factory=list)

    HEADER = "contest,case,trained/s,predicted/s,on CPU/s,peak MB,losses,answers differ,score,on CPU".split(",")

    def cells(self) -> list[str]:
        numbers = [_number(value, ".0f") for value in (self.trained, self.predicted, self.predicted_on_cpu)]
        peak = _number(self.peak_bytes and self.peak_bytes / 1e6, ".0f")
        finite = {None: "-", True: "finite", False: "NOT FINITE"}[self.is_finite]
        scores = [_number(self.score, ".4f"), _number(self.score_on_cpu, ".4f")]
        return [self.contest, self.case, *numbers, peak, finite, self.differing or "-", *scores]


def _number(value: float | None, kind: str) -> str:
    return "-" if value is None else format(value, kind)


def check(contests: Sequence[str], cases: Sequence[str], device: str, page: Path, environment: Sequence[str]) -> int:
    """Prints the page but for its beginning, the environment, and writes it as it grows. Returns the exit code: 1 where
    a case failed, 2 without a GPU."""
    probe, log = _probe(device)
    described = _describe(probe)
    if device == "gpu" and not probe.get("Cards"):
        print(_without_card(log))
        return 2
    print("\n".join(described), flush=True)
    lines = [*environment, *described]
    rows: list[Row] = []
    for contest in contests:
        for case, flags in ({**CASES, **FURTHER.get(contest, {})}).items():
            if case not in cases:
                continue
            begun = time.perf_counter()
            rows.append(check_case(contest, case, flags, device))
            came_to = f"FAILED: {rows[-1].error}" if rows[-1].error else "done"
            print(f"{contest}, {case}: {came_to} ({time.perf_counter() - begun:.0f} s)", flush=True)
            _write(page, [*lines, "", *_summary(rows)])
    print("\n".join(["", *_summary(rows), f"\nThis page is in {page}"]))
    return 1 if any(row.error or row.is_finite is False for row in rows) else 0


def check_case(contest: str, case: str, flags: Sequence[str], device: str) -> Row:
    """Train, predict dev on both devices, compare and score. What fails is the error of the row."""
    row = Row(contest, case)
    try:
        with tempfile.TemporaryDirectory() as folder:
            _check_case(row, flags, device, Path(folder))
    except Failed as error:
        row.error = str(error)
    return row


def _check_case(row: Row, flags: Sequence[str], device: str, folder: Path) -> None:
    scripts = COMPETITIONS / row.contest
    dev = scripts / "sample" / "dev.json"
    suffix = ".tsv" if row.contest == "webqa_dgcnn" else ".json"
    kept = ["--output-dir", folder, "--run-name", "check"]
    run = folder / row.contest / "check"

    def predict(name: str, on: str, *flags: object, **variables: str) -> tuple[Path, float | None]:
        output = folder / f"{name}{suffix}"
        given = ["--run", run, "--input", dev, "--output", output, *flags]
        return output, watched(scripts / "predict.py", given, on, **variables).get("rows_per_second")

    figures = watched(scripts / "train.py", [*flags, *SIZES[device], *kept], device)
    examples = json.loads((run / "config.json").read_text("utf-8"))["data"]["train"]["examples"]
    row.trained = examples / figures["epoch_seconds"]
    row.peak_bytes = figures.get("peak_bytes")
    epochs = [json.loads(line) for line in (run / "history.jsonl").read_text("utf-8").splitlines()]
    row.is_finite = all(math.isfinite(epoch["loss"]) for epoch in epochs)

    here, row.predicted = predict("here", device)
    on_cpu, row.predicted_on_cpu = predict("on_cpu", "cpu")
    row.differing = differing(here, on_cpu)
    row.score, row.score_on_cpu = score(scripts, dev, here), score(scripts, dev, on_cpu)
    if not row.score:
        row.notes.append("a score of 0: that answers are equal says little")
    if row.case == "float32":
        in_small_batches, _ = predict("in_small_batches", device, *SMALL_BATCHES)
        row.notes.append(f"{differing(here, in_small_batches)} answers differ with {' '.join(SMALL_BATCHES)}")
        if device == "gpu" and not row.differing.startswith("0 "):
            exact, _ = predict("exact", device, NVIDIA_TF32_OVERRIDE="0")
            row.notes.append(f"{differing(exact, on_cpu)} answers differ from the CPU's without TF32")


def watched(script: Path, flags: Sequence[object], device: str, **variables: str) -> dict[str, float]:
    """The figures of a script of a contest: see watched_script. Raises Failed."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        command(["scripts/watched_script.py", figures, script, *flags], device, **variables)
        return json.loads(figures.read_text("utf-8"))


def command(arguments: Sequence[object], device: str, **variables: str) -> str:
    """What a Python script prints. device: "cpu" hides all GPUs. Raises Failed."""
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    try:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=SCRIPTS.parent,
            env={**os.environ, **hidden, **variables},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{Path(str(arguments[0])).name} was stopped after {LONGEST} s") from None
    if done.returncode:
        raise Failed(error_line(done.stderr) or f"ended with code {done.returncode} and no word")
    return done.stdout


def error_line(text: str) -> str:
    """The last line that names an error, or else the last line: TensorFlow says more below what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if line.split(":")[0].endswith(("rror", "Exception"))]
    return one_line(without_paths((named or lines or [""])[-1]))


def differing(one: Path, other: Path) -> str:
    """How many answers of two submissions differ, of how many."""
    answers, others = _answers(one), _answers(other)
    count = sum(a != b for a, b in zip(answers, others)) + abs(len(answers) - len(others))
    return f"{count} of {max(len(answers), len(others))}"


def _answers(path: Path) -> list[object]:
    """Those of a submission: one for each line, or for each entry of the one document that it is."""
    text = path.read_text("utf-8")
    try:
        document = json.loads(text)
    except ValueError:
        return text.splitlines()
    return list(document.items()) if isinstance(document, dict) else document


def score(scripts: Path, gold: Path, predictions: Path) -> float:
    """The figure that counts."""
    printed = command([scripts / "evaluate.py", "--gold", gold, "--predictions", predictions, "--json"], "cpu")
    figures = json.loads(printed.splitlines()[-1])
    return next(figures[name] for name in ("score", "rouge-l", "f1") if name in figures)


def _probe(device: str) -> tuple[dict[str, object], str]:
    """What TensorFlow sees, and what it says of it."""
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0", **({"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {})}
    done = subprocess.run([sys.executable, "-c", _PROBE], env=variables, capture_output=True, encoding="utf-8")
    found = [line[len("PROBE") :] for line in done.stdout.splitlines() if line.startswith("PROBE")]
    return (json.loads(found[0]) if found else {"TensorFlow": error_line(done.stderr)}), done.stderr


def _describe(probe: dict[str, object]) -> list[str]:
    """The environment in plain text."""
    from importlib import metadata

    try:
        asked = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        driver = subprocess.run(asked, capture_output=True, encoding="utf-8", timeout=60).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        driver = []
    packages = {f"{one.metadata['Name']} {one.version}" for one in metadata.distributions()}
    values = {
        **{name: [value] if isinstance(value, str) else value for name, value in probe.items()},
        "Driver": driver or ["nvidia-smi says nothing"],
        "CUDA packages": sorted(one for one in packages if one.startswith("nvidia-")) or ["none"],
        "Variables": [f"{name}={os.environ[name]}" for name in _VARIABLES.split() if name in os.environ]
        or ["none set"],
    }
    return [f"{name:20} {one_line('; '.join(value) or 'none')}" for name, value in values.items()]


def _without_card(log: str) -> str:
    """One line: that no GPU is seen, and what to do."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        remedy = "CUDA_VISIBLE_DEVICES hides them - unset it"
    elif not Path("/dev/nvidiactl").exists():
        remedy = "this machine has no NVIDIA driver - install one (525 or newer), and in a container start it with --gpus all"
    else:
        said = [line for line in log.splitlines() if "dlopen" in line or "CUDA_ERROR" in line or "libcu" in line]
        remedy = f"bash scripts/setup.sh --gpu installs the CUDA libraries ({one_line(said[-1]) if said else 'TensorFlow says no more'})"
    return f"TensorFlow sees no GPU: {remedy}; --device cpu tries this check without one"


def _summary(rows: Iterable[Row]) -> list[str]:
    """The table, an error below the row that it ended, and the notes."""
    rows = list(rows)
    header, *shown = table(Row.HEADER, [row.cells() for row in rows]).splitlines()
    lines = [header]
    for row, line in zip(rows, shown):
        lines += [line, f"    {row.error}"] if row.error else [line]
    return [*lines, *(f"{row.contest}, {row.case}: {note}" for row in rows for note in row.notes)]


def _write(page: Path, lines: Iterable[str]) -> None:
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
