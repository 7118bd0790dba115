"""The known traps of this stack, for doctor.py: what is wrong on this machine before a package is even imported.

Each function returns what to report where all is well, and a list of what is wrong, each with what to do. None of them
uses the network, imports a package or shows a value that may be personal. Like doctor.py this runs with any Python from
3.8 on.
"""

import importlib.metadata
import importlib.util
import json
import locale
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT = Path(__file__).resolve().parent.parent
SETUP = "bash scripts/setup.sh"
#: What must come from the environment and from nowhere else.
STACK = (
    "absl bert4keras google h5py huggingface_hub jieba keras nltk numpy ot rapidfuzz requests rouge safetensors scipy "
    "sklearn tensorboard tensorflow tf_keras tokenizers tqdm tyro"
).split()
#: Packages with the same files in them.
SAME_FILES = (
    ("tensorflow tensorflow-cpu tensorflow-gpu tensorflow-intel intel-tensorflow tensorflow-rocm tf-nightly").split(),
    ("tf-keras tf-keras-nightly".split()),
    ("keras keras-nightly".split()),
)
#: The first releases that were built for numpy 2.
FOR_NUMPY_2 = {
    "tensorflow": (2, 18),
    "h5py": (3, 11),
    "ml-dtypes": (0, 4),
    "scipy": (1, 13),
    "scikit-learn": (1, 4, 2),
    "pandas": (2, 2, 2),
}
OTHER_ROUNDING = (
    "TF_ENABLE_ONEDNN_OPTS NVIDIA_TF32_OVERRIDE TF_XLA_FLAGS XLA_FLAGS TF_DETERMINISTIC_OPS TF_CUDNN_DETERMINISTIC "
    "ONEDNN_DEFAULT_FPMATH_MODE"
).split()
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def numbers(version):
    """The version as a tuple of numbers: (2, 0) of 2.0rc1; () of None."""
    return tuple(int(part) for part in re.findall(r"\d+", re.match(r"[\d.]*", version or "").group()))


def version_of(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_found(module):
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


# Packages


def keras():
    version = version_of("keras")
    wrong = []
    if version and numbers(version) < (3,):
        wrong.append(
            f"keras {version} is what bert4keras declares (<=2.3.1), and no TensorFlow of today takes it: pip has resolved the "
            f"requirements; install with --no-deps, as {SETUP} does"
        )
    if version_of("tensorflow") and not version_of("tf-keras"):
        wrong.append("tf-keras is missing, so TensorFlow brings Keras 3, with which bert4keras does not run: " + SETUP)
    return f"keras {version or 'missing'}, replaced by tf-keras {version_of('tf-keras') or 'missing'}", wrong


def keras_settings():
    """Keras reads a file in the user's folder, which an old project may have left there."""
    path = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")) / "keras.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "none", []
    except (OSError, ValueError):
        return "", ["keras.json in ~/.keras cannot be read, and Keras reads it when it starts: remove it"]
    usual = {"floatx": "float32", "image_data_format": "channels_last", "epsilon": 1e-07}
    differing = [name for name in usual if isinstance(told, dict) and told.get(name, usual[name]) != usual[name]]
    if differing:
        return "", [f"keras.json in ~/.keras sets {', '.join(differing)}, which changes networks: remove the file"]
    return "as usual", []


def twice_installed():
    wrong = []
    for names in SAME_FILES:
        installed = [name for name in names if version_of(name)]
        if len(installed) > 1:
            wrong.append(
                f"{' and '.join(installed)} overwrite each other's files: "
                f"pip uninstall -y {' '.join(installed)}, then {SETUP}"
            )
    seen = {}
    # Only there: setuptools puts a folder of copies for itself on the path when it is imported.
    installed_in = [entry for entry in sys.path if entry.rstrip("/").endswith("-packages")]
    for distribution in importlib.metadata.distributions(path=installed_in):
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "").lower()
        seen.setdefault(name, set()).add(distribution.version or "?")
    for name in sorted(name for name in seen if name and len(seen[name]) > 1):
        wrong.append(
            f"{name} is there in the versions {' and '.join(sorted(seen[name]))}: "
            f"remove the environment's folder, then {SETUP}"
        )
    return "no package is there twice", wrong


def numpy_2():
    version = version_of("numpy")
    if numbers(version) < (2,):
        return version or "missing", []
    old = [name for name in FOR_NUMPY_2 if () < numbers(version_of(name)) < FOR_NUMPY_2[name]]
    return f"{version}, and all is built for it", [
        f"{name} {version_of(name)} was built for numpy 1 and fails with numpy {version}: {SETUP}" for name in old
    ]


def distutils():
    """bert4keras imports it, and Python 3.12 has dropped it; setuptools puts its own in the place."""
    if sys.version_info < (3, 12):
        return "Python's own", []
    if os.environ.get("SETUPTOOLS_USE_DISTUTILS") == "stdlib":
        return "", ["SETUPTOOLS_USE_DISTUTILS=stdlib hides distutils, which bert4keras imports: unset it"]
    missing = "distutils, which bert4keras imports, left Python in 3.12, and setuptools has it: " + SETUP
    return "that of setuptools", [] if is_found("distutils") else [missing]


def pkg_resources():
    version = version_of("setuptools")
    return "there", [] if is_found("pkg_resources") else [
        f"pkg_resources, which jieba imports, is not there (setuptools {version or 'is missing'}; 81 and later drop it): "
        + SETUP
    ]


def protobuf():
    variable = "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"
    value = os.environ.get(variable)
    wrong = []
    if value and value != "upb":
        wrong.append(f"{variable}={value[:20]}: TensorFlow starts slowly or not at all with it: unset {variable}")
    return version_of("protobuf") or "missing", wrong


def checkpoints():
    missing = [name for name in ("safetensors", "huggingface_hub") if not is_found(name)]
    return "safetensors and huggingface_hub are there", [
        f"{name} is missing: --pretrained cannot read checkpoints of the hub without it: {SETUP}" for name in missing
    ]


# Python


def shadowed():
    """Files that are imported in the place of a package: the folder of a script comes first, and then PYTHONPATH."""
    wrong = []
    for entry in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if Path(entry).resolve() == ROOT:
            continue
        hidden = modules_in(Path(entry)) & {"common", *STACK}
        wrong += [f"PYTHONPATH brings another {name}: unset PYTHONPATH" for name in sorted(hidden)]
    known = set(STACK) | set(getattr(sys, "stdlib_module_names", ()))
    here = Path.cwd() if is_there(Path.cwd) else ROOT
    for folder in sorted({here, ROOT, *ROOT.glob("competitions/*"), ROOT / "scripts"}):
        where = folder.relative_to(ROOT) if ROOT in folder.parents or folder == ROOT else "the working directory"
        wrong += [
            f"{name} in {where} is imported in the place of the package of that name: rename it"
            for name in sorted(modules_in(folder) & known)
        ]
    return "no file or PYTHONPATH hides a package", wrong


def is_there(folder):
    try:
        folder()
    except OSError:  # somebody has removed it
        return False
    return True


def modules_in(folder):
    """Names that `import` finds in a folder."""
    try:
        paths = list(folder.iterdir())
    except OSError:
        return set()
    return {path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").is_file()}


def python_flags():
    wrong = []
    if sys.flags.optimize > 1:
        wrong.append("PYTHONOPTIMIZE=2 or -OO: tf_keras does not start without docstrings: leave it out")
    if getattr(sys.flags, "safe_path", False):
        wrong.append("PYTHONSAFEPATH or -P: a script does not find the files beside it (task.py): leave it out")
    return "none that harm", wrong


def text_encoding():
    names = {"files": locale.getpreferredencoding(False), "file names": sys.getfilesystemencoding()}
    other = [f"{what} are {name}" for what, name in names.items() if name.lower().replace("-", "") != "utf8"]
    return "UTF-8", [f"{', '.join(other)} instead of UTF-8: export LC_ALL=C.UTF-8"] if other else []


# Processor and system


def processor():
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return platform.machine(), []
    try:
        found = re.search(r"^flags\s*:(.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found is None:
        return "unknown", []
    return "AVX", [] if "avx" in found.group(1).split() else [
        "This processor (or virtual machine) has no AVX, and TensorFlow ends with 'Illegal instruction': take another, "
        "or have the virtual machine pass the host's processor on"
    ]


def c_library():
    if platform.system() != "Linux":
        return platform.system(), []
    name, version = platform.libc_ver()
    if name != "glibc":
        return "", [
            "The C library is not glibc (Alpine?), and TensorFlow has no packages for it: take Debian or Ubuntu"
        ]
    wrong = [f"glibc {version} is older than 2.27, which TensorFlow needs: take a newer system"]
    return f"glibc {version}", wrong if numbers(version) < (2, 27) else []


def rounding():
    given = [name for name in OTHER_ROUNDING if os.environ.get(name)]
    if given:
        return f"{', '.join(given)} set: figures may differ in their last digits from those in docs/", []
    return "no variable changes results", []


def memory_limit():
    """That of a container, which free memory of the machine does not tell; in bytes, or None."""
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 2**60:  # the older kernels' way to say that there is none
            return int(text)
    return None


def container():
    limit = memory_limit()
    if limit is None:
        return "no limit of memory", []
    allowed = f"{limit / 2**30:.1f} GB of memory"
    little = f"This container may use {allowed}, and TensorFlow alone takes nearly 1 GB: allow more"
    return f"{allowed} are allowed", [little] if limit < 2 * 2**30 else []


# Folders and network


def can_write(folder):
    """Whether files can be made there, or where it would be made."""
    folder = Path(folder)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(str(folder), os.W_OK | os.X_OK)


def home():
    cache = os.environ.get("HF_HOME") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if cache.startswith("~") or not can_write(cache):
        return "", [
            "The folder of caches (HF_HOME, or ~/.cache) cannot be written, so that --pretrained OWNER/NAME has no "
            "place: export HF_HOME=FOLDER"
        ]
    return "caches can be written", []


def temporary_files():
    remedy = "export TMPDIR=FOLDER on a disk with room"
    try:
        folder = tempfile.gettempdir()
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        free = shutil.disk_usage(folder).free
    except OSError:
        return "", ["No folder for temporary files can be written: " + remedy]
    if free < 2**28:
        return "", [f"The folder for temporary files has {free // 2**20} MB left: {remedy}"]
    noexec = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)
    return f"{free / 2**30:.1f} GB free{', noexec (fine, unless pip has to compile)' if noexec else ''}", []


def file_locks():
    if fcntl is None:
        return "", ["This system has no flock: only Linux is tested"]
    runs = ROOT / "runs"
    try:
        with tempfile.TemporaryFile(dir=str(runs if runs.is_dir() else ROOT)) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return "", [
            f"Files here cannot be written or locked ({error.strerror}), so that two trainings of one run are not kept apart: "
            "give --output-dir on another disk"
        ]
    return "work here", []


def network():
    """Shapes alone: nothing is asked, and no value is shown, since it may hold a password."""
    wrong = []
    for name in PROXIES:
        for variable in (name, name.upper()):
            scheme, host = parts_of(os.environ.get(variable, ""))
            if scheme.startswith("socks"):
                wrong.append(f"{variable} is a SOCKS proxy, which needs PySocks: give an http:// one")
            elif os.environ.get(variable) and (scheme not in ("http", "https") or not host):
                wrong.append(f"{variable} must be like http://HOST:PORT: mend or unset it")
    scheme, host = parts_of(os.environ.get("HF_ENDPOINT", ""))
    if os.environ.get("HF_ENDPOINT") and (scheme not in ("http", "https") or not host):
        wrong.append("HF_ENDPOINT must be like https://HOST: mend or unset it")
    used = [name for name in ("HF_ENDPOINT", *PROXIES) if os.environ.get(name) or os.environ.get(name.upper())]
    offline = [name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if is_on(os.environ.get(name, ""))]
    text = ", ".join([name + " set" for name in used] + [name + ": only what is cached" for name in offline])
    return text or "direct", wrong


def is_on(value):
    return value.upper() in ("1", "ON", "YES", "TRUE")


def parts_of(address):
    """Scheme and host; "" for what has none."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname if parts.port != 0 and not re.search(r"\s", address) else ""
    except ValueError:  # no number where the port is
        return "", ""


TRAPS = (
    ("Keras' place", keras),
    ("Keras' settings", keras_settings),
    ("Packages twice", twice_installed),
    ("numpy", numpy_2),
    ("distutils", distutils),
    ("pkg_resources", pkg_resources),
    ("protobuf", protobuf),
    ("Checkpoints", checkpoints),
    ("Hidden packages", shadowed),
    ("Flags of Python", python_flags),
    ("Texts", text_encoding),
    ("Processor", processor),
    ("C library", c_library),
    ("Rounding", rounding),
    ("Container", container),
    ("Caches", home),
    ("Temporary files", temporary_files),
    ("File locks", file_locks),
    ("Network", network),
)
