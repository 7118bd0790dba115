"""Each known trap, set up on purpose, is named with what to do, and none is seen where there is none."""

import ast
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

import competition
from helpers import not_importing

sys.path.insert(0, str(competition.ROOT / "scripts"))
import doctor  # noqa: E402
import traps  # noqa: E402

BY_NAME = dict(traps.TRAPS)


@pytest.fixture
def sees(monkeypatch):
    """Whether a trap is seen, and all of `words` are said. Without words: that it is not."""

    def check(trap, *words):
        text, wrong = trap()
        if not words:
            assert wrong == [] and text and "\n" not in text
        else:
            assert len(wrong) == 1 and "\n" not in wrong[0] and ":" in wrong[0], wrong
            assert [word for word in words if word not in wrong[0]] == [], wrong
        return True

    return check


@pytest.fixture
def versions(monkeypatch):
    """Installed packages, and no others."""

    def set_versions(**given):
        installed = {name.replace("_", "-"): version for name, version in given.items()}
        monkeypatch.setattr(traps, "version_of", installed.get)

    return set_versions


def test_here_is_no_trap(sees):
    for trap in BY_NAME.values():
        assert sees(trap)


def test_each_trap_is_a_line_of_the_report(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "check_tensorflow", lambda report, problem: None)
    monkeypatch.setattr(traps, "TRAPS", [*traps.TRAPS, ("Broken", lambda: ("", ["the whole machine: buy another"]))])
    assert doctor.main([]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [name for name in BY_NAME if not any(line.startswith(f"{name} ") for line in lines)] == []
    assert "Broken               see below" in lines and lines[-1] == "PROBLEM  the whole machine: buy another"


def test_the_keras_of_bert4keras_own_requirement(sees, versions):
    versions(keras="2.3.1", tensorflow="2.21.0", tf_keras="2.21.0")
    assert sees(traps.keras, "keras 2.3.1", "--no-deps")
    versions(keras="3.15.1", tensorflow="2.21.0")
    assert sees(traps.keras, "tf-keras is missing", "setup.sh")
    versions()
    assert sees(traps.keras)


@pytest.mark.parametrize(("content", "words"), [
    ('{"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow", "image_data_format": "channels_last"}', []),
    ('{"floatx": "float16"}', ["floatx", "remove"]),
    ('{"image_data_format": "channels_first", "epsilon": 1}', ["image_data_format, epsilon"]),
    ("{", ["cannot be read"]),
    ("[]", []),
])  # fmt: skip
def test_settings_that_another_project_left(sees, monkeypatch, tmp_path, content, words):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert sees(traps.keras_settings)
    (tmp_path / "keras.json").write_text(content)
    assert sees(traps.keras_settings, *words)


def test_two_packages_with_the_same_files(sees, versions):
    versions(tensorflow="2.21.0", intel_tensorflow="2.15.0")
    assert sees(
        traps.twice_installed, "tensorflow and intel-tensorflow", "pip uninstall -y tensorflow intel-tensorflow"
    )
    versions(tensorflow_cpu="2.21.0")
    assert sees(traps.twice_installed)


def test_a_package_in_two_versions(sees, monkeypatch, tmp_path):
    folder, copies = tmp_path / "site-packages", tmp_path / "site-packages/setuptools/_vendor"
    for place, version in ((folder, "1.0"), (folder, "2.0"), (copies, "3.0")):
        (place / f"Half_Done-{version}.dist-info").mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: Half_Done\nVersion: {version}\n"
        (place / f"Half_Done-{version}.dist-info/METADATA").write_text(metadata)
    (folder / "~umpy-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(folder), str(copies), *sys.path])
    assert sees(traps.twice_installed, "half-done", "1.0 and 2.0: ")


def test_packages_that_were_built_for_numpy_1(sees, versions):
    versions(numpy="2.4.6", h5py="3.10.0", scipy="1.13.0", scikit_learn="1.4.2rc1")
    assert sees(traps.numpy_2, "h5py 3.10.0", "numpy 2.4.6")
    versions(numpy="1.26.4", h5py="3.10.0")
    assert sees(traps.numpy_2)


def test_what_python_and_setuptools_have_dropped(sees, versions, monkeypatch):
    versions(setuptools="81.0.0")
    monkeypatch.setattr(traps, "is_found", lambda module: False)
    assert sees(traps.pkg_resources, "jieba", "setuptools 81.0.0", "setup.sh")
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    assert sees(traps.distutils)
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert sees(traps.distutils, "distutils", "bert4keras", "setup.sh")
    monkeypatch.setattr(traps, "is_found", lambda module: True)
    assert sees(traps.distutils)
    monkeypatch.setenv("SETUPTOOLS_USE_DISTUTILS", "stdlib")
    assert sees(traps.distutils, "unset it")


def test_missing_readers_of_checkpoints(sees, monkeypatch):
    monkeypatch.setattr(traps, "is_found", lambda module: module != "safetensors")
    assert sees(traps.checkpoints, "safetensors is missing", "setup.sh")


def test_a_slow_protobuf(sees, monkeypatch):
    monkeypatch.setenv("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
    assert sees(traps.protobuf, "unset PROTOCOL_BUFFERS")
    monkeypatch.setenv("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "upb")
    assert sees(traps.protobuf)


def test_files_that_hide_a_package(sees, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("train.py", "common_words.py", "tensorflow.txt"):
        Path(name).touch()
    Path("jieba").mkdir()  # a folder without __init__.py gives way to a package
    assert sees(traps.shadowed)
    Path("tensorflow.py").touch()
    assert sees(traps.shadowed, "tensorflow in the working directory", "rename it")
    Path("tensorflow.py").rename("random.py")
    assert sees(traps.shadowed, "random in the working directory")
    Path("random.py").unlink()
    Path("jieba/__init__.py").touch()
    assert sees(traps.shadowed, "jieba in the working directory")


def test_pythonpath(sees, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(competition.ROOT), "", str(tmp_path), "/no/such/folder"]))
    (tmp_path / "task.py").touch()  # the folder of a script comes first
    assert sees(traps.shadowed)
    (tmp_path / "common").mkdir()
    (tmp_path / "common/__init__.py").touch()
    assert sees(traps.shadowed, "another common", "unset PYTHONPATH")


def test_a_working_directory_that_is_gone(sees, monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert sees(traps.shadowed)


def test_flags_of_python(sees, monkeypatch):
    flags = namedtuple("Flags", "optimize safe_path")
    monkeypatch.setattr(sys, "flags", flags(2, False))
    assert sees(traps.python_flags, "-OO")
    monkeypatch.setattr(sys, "flags", flags(0, True))
    assert sees(traps.python_flags, "PYTHONSAFEPATH", "task.py")
    monkeypatch.setattr(sys, "flags", namedtuple("Older", "optimize")(1))
    assert sees(traps.python_flags)


def test_texts_that_are_not_utf_8(sees, monkeypatch):
    monkeypatch.setattr(traps.locale, "getpreferredencoding", lambda set_locale: "GB18030")
    assert sees(traps.text_encoding, "files are GB18030", "LC_ALL=C.UTF-8")
    monkeypatch.setattr(traps.locale, "getpreferredencoding", lambda set_locale: "utf8")
    assert sees(traps.text_encoding)


class FakeFiles:
    """Stands for Path: the text of each file that there is."""

    files: dict[str, str] = {}

    def __init__(self, name):
        self.name = name

    def read_text(self):
        if self.name not in self.files:
            raise FileNotFoundError(self.name)
        return self.files[self.name]


@pytest.fixture
def files(monkeypatch):
    monkeypatch.setattr(traps, "Path", FakeFiles)
    monkeypatch.setattr(FakeFiles, "files", {})
    return FakeFiles.files


def test_a_processor_without_avx(sees, files, monkeypatch):
    monkeypatch.setattr(traps.platform, "machine", lambda: "x86_64")
    assert sees(traps.processor)
    files["/proc/cpuinfo"] = "processor: 0\nflags\t\t: fpu sse sse2 avx avx2\n"
    assert sees(traps.processor)
    files["/proc/cpuinfo"] = "processor: 0\nflags\t\t: fpu sse sse2\n"
    assert sees(traps.processor, "AVX", "Illegal instruction")
    monkeypatch.setattr(traps.platform, "machine", lambda: "aarch64")
    assert sees(traps.processor)


def test_a_container_with_little_memory(sees, files):
    for name in ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"):
        files[name] = "9223372036854771712\n"
        assert sees(traps.container)
        files[name] = f"{2**29}\n"
        assert sees(traps.container, "0.5 GB", "allow more")
        files[name] = "max\n"
    assert traps.container()[0] == "no limit of memory"


@pytest.mark.parametrize(("found", "words"), [
    (("glibc", "2.36"), []), (("glibc", "2.17"), ["2.17", "2.27"]), (("", ""), ["Alpine"]),
])  # fmt: skip
def test_other_c_libraries(sees, monkeypatch, found, words):
    monkeypatch.setattr(traps.platform, "libc_ver", lambda: found)
    assert sees(traps.c_library, *words)


def test_what_changes_results_is_told_and_is_no_fault(sees, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert sees(traps.rounding) and "TF_ENABLE_ONEDNN_OPTS" in traps.rounding()[0]


def test_caches_that_cannot_be_written(sees, monkeypatch, tmp_path):
    for name in ("HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert sees(traps.home)  # it can be made
    (tmp_path / "home").touch()
    assert sees(traps.home, "HF_HOME=FOLDER")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "new"))
    assert sees(traps.home)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert sees(traps.home, "cannot be written")


def test_temporary_files(sees, monkeypatch, tmp_path):
    monkeypatch.setattr(traps.tempfile, "tempdir", str(tmp_path))
    disk = namedtuple("Disk", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: disk(2**20))
    assert sees(traps.temporary_files, "1 MB left", "TMPDIR")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: disk(2**40))
    monkeypatch.setattr(os, "statvfs", lambda folder: namedtuple("Mount", "f_flag")(os.ST_NOEXEC))
    assert sees(traps.temporary_files) and "noexec" in traps.temporary_files()[0]
    monkeypatch.setattr(traps.tempfile, "tempdir", str(tmp_path / "missing"))
    assert sees(traps.temporary_files, "No folder", "TMPDIR")


def test_a_file_system_without_locks(sees, monkeypatch):
    def refuse(file, how):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(traps.fcntl, "flock", refuse)
    assert sees(traps.file_locks, "Function not implemented", "--output-dir")
    monkeypatch.setattr(traps, "fcntl", None)
    assert sees(traps.file_locks, "Linux")


@pytest.mark.parametrize(("variable", "value", "words"), [
    ("https_proxy", "http://user:secret@proxy:3128", []),
    ("HTTPS_PROXY", "proxy:3128", ["HTTPS_PROXY", "http://HOST:PORT"]),
    ("http_proxy", "http://proxy:port", ["http_proxy"]),
    ("ALL_PROXY", "socks5h://127.0.0.1:1080", ["SOCKS", "PySocks"]),
    ("HF_ENDPOINT", "https://hf-mirror.com", []),
    ("HF_ENDPOINT", "hf-mirror.com", ["HF_ENDPOINT", "https://HOST"]),
    ("HF_ENDPOINT", "https://hf-mirror.com ", ["HF_ENDPOINT"]),
    ("HF_HUB_OFFLINE", "1", []),
])  # fmt: skip
def test_shapes_of_proxies_and_mirrors(sees, monkeypatch, variable, value, words):
    for name in (*traps.PROXIES, *map(str.upper, traps.PROXIES), "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    assert sees(traps.network) and traps.network()[0] == "direct"
    monkeypatch.setenv(variable, value)
    assert sees(traps.network, *words)
    text, wrong = traps.network()
    assert variable.lower() in text.lower() and value not in " ".join([text, *wrong]) or value == "1"


def test_an_nvidia_gpu_that_is_not_seen(monkeypatch):
    answer = '{"keras": "tf_keras", "common": "%s", "built_with_cuda": true, "gpus": []}' % (
        competition.ROOT / "common"
    )
    done = subprocess.CompletedProcess([], 0, f"PROBE{answer}\n", "")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *given, **options: done)
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/nvidia0" or exists(path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/local/cuda-11/lib64")
    problems = []
    doctor.check_tensorflow(lambda name, text: None, problems.append)
    assert len(problems) == 1 and "LD_LIBRARY_PATH" in problems[0] and "setup.sh --gpu" in problems[0]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    doctor.check_tensorflow(lambda name, text: None, problems.append)
    assert len(problems) == 1


def test_it_runs_with_an_old_python_and_no_package():
    for script in ("doctor.py", "traps.py"):
        ast.parse((competition.ROOT / "scripts" / script).read_text("utf-8"), feature_version=(3, 8))
    with not_importing(*traps.STACK, "common", "packaging", "setuptools", "pkg_resources"):
        for trap in BY_NAME.values():
            trap()


def test_nothing_personal_is_shown(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("numpy.py", ".cache"):
        (tmp_path / name).touch()
    said = [line for trap in BY_NAME.values() for line in (trap()[0], *trap()[1])]
    assert any("numpy" in line for line in said) and not any(str(tmp_path) in line for line in said)
