#!/usr/bin/env python3
"""Check this environment: python scripts/doctor.py. Exit code 0 when it is fine, 2 when something needs attention.

    python scripts/doctor.py --gpu-check

trains and predicts every contest on the GPU as well, compares with the CPU, and writes one page to be sent to us
(gpu_check.py). Exit code 1 where a contest failed, 2 without a GPU.

Prints nothing personal (no home paths, no environment), so that the report can be pasted into an issue. Runs with any
Python from 3.8 on and without any package, to be of use where the installation went wrong; supported are 3.11 to 3.13.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
if str(SCRIPTS) not in sys.path:  # loaded from elsewhere, as the tests do
    sys.path.insert(0, str(SCRIPTS))

import traps  # noqa: E402

ROOT = SCRIPTS.parent
SETUP = "bash scripts/setup.sh"
GIGABYTE = 2**30

# Run in a process of its own: TensorFlow can fail in ways that end the interpreter.
PROBE = """
import json, os
try:
    import common.keras_compat
    common_folder = os.path.dirname(common.keras_compat.__file__)
except ModuleNotFoundError as error:
    if error.name not in ("common", "common.keras_compat"):
        raise
    common_folder = None
    os.environ["TF_KERAS"] = os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow as tf
import bert4keras.backend
print("PROBE" + json.dumps({
    "common": common_folder,
    "keras": bert4keras.backend.keras.__name__,
    "built_with_cuda": tf.test.is_built_with_cuda(),
    "gpus": [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
             for gpu in tf.config.list_physical_devices("GPU")],
}))
"""


def read_lock(path):
    """Names and versions of a lock file of `name==version` lines."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if line)


def installed_version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def without_paths(text):
    """The text with this repository and the user's folders blanked out."""
    for path, short in (
        (str(ROOT), "."),
        (sys.prefix, "<environment>"),
        (sys.base_prefix, "<python>"),
        (str(Path.home()), "~"),
    ):
        if len(path) > 1:
            text = text.replace(path, short)
    return text


def memory_available():
    """Bytes a new process can use, or None where the system does not say."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
        return int(found.group(1)) * 1024 if found else None
    except OSError:
        return None


def processor_flags():
    try:
        found = re.search(r"^flags\s*:(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return found.group(1).split() if found else []
    except OSError:
        return []


def check_python(report, problem):
    version = platform.python_version()
    report("Python", "%s on %s %s" % (version, platform.system(), platform.machine()))
    if sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)):
        if (ROOT / ".venv/bin/python").exists():
            problem("Python %s is not supported: run .venv/bin/python scripts/doctor.py" % version)
        else:
            problem("Python %s is not supported (3.11 to 3.13 are): %s" % (version, SETUP))
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        report("", "(only Linux x86_64 is tested)")


def check_variables(report, problem):
    for name in ("TF_KERAS", "TF_USE_LEGACY_KERAS"):
        value = os.environ.get(name)
        if value is None:
            report(name, "not set (fine: common.keras_compat sets it)")
        elif value.lower() in ("1", "true"):
            report(name, "on")
        else:
            report(name, "off")
            problem("%s is set, but not to 1; bert4keras then meets Keras 3: unset %s" % (name, name))


def check_packages(report, problem, lock_path):
    try:
        lock = read_lock(lock_path)
    except (OSError, ValueError):
        problem("%s cannot be read: git checkout -- requirements.lock" % lock_path.name)
        return
    versions = {name: installed_version(name) for name in lock}
    differing = sorted(name for name in lock if versions[name] != lock[name])
    report("Packages", "%d of %d as in %s" % (len(lock) - len(differing), len(lock), lock_path.name))
    for name in ("tensorflow", "tf-keras", "bert4keras"):
        report("", "%s %s" % (name, versions.get(name) or "missing"))
    if len(differing) == len(lock):
        problem("No package is as in %s: %s, then source .venv/bin/activate" % (lock_path.name, SETUP))
        return
    for name in differing:
        problem("%s is %s, %s says %s: %s" % (name, versions[name] or "missing", lock_path.name, lock[name], SETUP))


def check_tensorflow(report, problem):
    if installed_version("tensorflow") is None:
        return  # named among the packages already
    command = [sys.executable, "-c", PROBE]
    try:
        # Elsewhere than here, where `common` would be found without being installed.
        done = subprocess.run(
            command,
            cwd=sys.prefix,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        problem("TensorFlow did not start within 5 minutes: is the disk of the environment a slow network disk?")
        return
    found = [line[len("PROBE") :] for line in done.stdout.splitlines() if line.startswith("PROBE")]
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if done.returncode < 0:
            last = "ended by signal %d; this processor may lack AVX, which TensorFlow needs" % -done.returncode
        problem("TensorFlow with bert4keras does not start (%s): %s" % (without_paths(last), SETUP))
        return
    answer = json.loads(found[0])
    report("Keras", answer["keras"])
    if not answer["keras"].startswith("tf_keras"):
        problem(
            "keras is %s instead of tf_keras: unset TF_KERAS TF_USE_LEGACY_KERAS, then %s" % (answer["keras"], SETUP)
        )
    if not answer["common"]:
        problem("The shared package `common` is not installed: %s" % SETUP)
    elif Path(answer["common"]).resolve() != ROOT / "common":
        problem("The `common` that Python finds belongs to another copy of the project: %s" % SETUP)
    report("GPUs", ", ".join(answer["gpus"]) or "none")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1")
    # Under Windows' WSL a GPU of any make is /dev/dxg, so that nvidia-smi has to be there too.
    has_gpu = Path("/dev/nvidia0").exists() or (Path("/dev/dxg").exists() and shutil.which("nvidia-smi"))
    if has_gpu and not answer["gpus"] and not hidden:
        other = "cuda" in os.environ.get("LD_LIBRARY_PATH", "").lower()
        hint = "unset LD_LIBRARY_PATH, which names another CUDA, and if that does not help " if other else ""
        problem("This machine has an NVIDIA GPU that TensorFlow does not see: %s%s --gpu" % (hint, SETUP))


def check_machine(report, problem):
    bfloat16 = "avx512_bf16" in processor_flags()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    report("CPUs", "%d, AVX512-BF16: %s" % (cores, "yes (mixed_bfloat16 is worth trying)" if bfloat16 else "no"))
    memory = memory_available()
    if memory is not None:
        report("Memory", "%.1f GB available" % (memory / GIGABYTE))
        if memory < GIGABYTE:
            problem("Less than 1 GB of memory is available: close other programs, or use a smaller --batch-size")
    disk = shutil.disk_usage(str(ROOT)).free
    report("Disk", "%.1f GB free here" % (disk / GIGABYTE))
    if disk < GIGABYTE:
        problem("Less than 1 GB of disk is free; a run with BERT needs about 2: delete old folders in runs/")


def check_traps(report, problem):
    for name, trap in traps.TRAPS:
        text, wrong = trap()
        report(name, "see below" if wrong else text)
        for line in wrong:
            problem(line)


def check_gpu(arguments, lines, refuse):
    """Exit code of --gpu-check. lines: of the report above."""
    try:
        import gpu_check
    except ImportError as error:
        print("--gpu-check: %s - %s first" % (error, SETUP))
        return 2
    contests = arguments.contests or gpu_check.CONTESTS
    cases = arguments.cases or (["float32"] if arguments.device == "cpu" else gpu_check.ALL_CASES)
    for given, known in ((contests, gpu_check.CONTESTS), (cases, gpu_check.ALL_CASES)):
        for name in given:
            if name not in known:
                refuse("%s: must be one of %s" % (name, ", ".join(known)))
    print()
    return gpu_check.check(contests, cases, arguments.device, arguments.report, lines)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.lock", help="the versions to compare with")
    parser.add_argument(
        "--gpu-check", action="store_true", help="train and predict every contest on the GPU and the CPU"
    )
    parser.add_argument(
        "--device", choices=("gpu", "cpu"), default="gpu", help="cpu: the same in short form without one"
    )
    parser.add_argument("--contests", nargs="+", metavar="NAME", help="of --gpu-check; default: all")
    parser.add_argument("--cases", nargs="+", metavar="NAME", help="of --gpu-check; default: all, on a CPU float32")
    parser.add_argument("--report", type=Path, default=Path("gpu-check.txt"), help="the page that --gpu-check writes")
    arguments = parser.parse_args(argv)
    lines = []

    def report(name, text):
        lines.append("%-20s %s" % (name, text))
        print(lines[-1], flush=True)

    problems = []
    check_python(report, problems.append)
    check_variables(report, problems.append)
    check_packages(report, problems.append, arguments.lock)
    check_tensorflow(report, problems.append)
    check_machine(report, problems.append)
    check_traps(report, problems.append)

    print()
    for line in problems:
        print("PROBLEM  " + line)
    if not problems:
        print("Everything is fine.")
    if arguments.gpu_check:
        return check_gpu(arguments, [*lines, *("PROBLEM  " + line for line in problems)], parser.error)
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
