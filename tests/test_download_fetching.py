"""Files from a server that stalls, cuts, lies, changes its mind or sends elsewhere: right bytes, or one clear line."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from common.downloads.fetching import Patience, _Download, fetch
from common.downloads.partial_file import PartialFile

import competition
from helpers import refused
from loopback import content, serving, status

DATA = bytes(range(256)) * 4000
OTHER = DATA[::-1]
SHA256 = hashlib.sha256(DATA).hexdigest()
QUICK = Patience(connect=2, silence=0.3, tries=3, first_wait=0.01, longest_wait=0.1)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as loopback:
        yield loopback


@pytest.fixture
def target(tmp_path):
    return tmp_path / "data" / "file.bin"


def get(server, target, path="/file", **options):
    return fetch(server.url(path), target, **{"patience": QUICK, **options})


def has_only(target, data=DATA):
    """The file is whole, and nothing lies beside it."""
    assert target.read_bytes() == data
    assert os.listdir(target.parent) == [target.name]
    return True


def test_a_file_arrives(server, target):
    server.answers["/file"] = content(DATA)
    assert get(server, target, sha256=SHA256.upper()) == SHA256 and has_only(target)
    assert server.ranges() == [None]
    # What is there is not asked for again, and never overwritten.
    assert get(server, target, sha256=SHA256) == SHA256 and len(server.seen) == 1
    refused(lambda: get(server, target), target, "is there already")
    refused(lambda: get(server, target, sha256="0" * 64), target, SHA256)


def test_it_goes_on_where_it_broke_off(server, target):
    cuts = [300_000, 500_000, 700_000, 900_000]  # more than it tries without a new byte
    server.answers["/file"] = [*(content(DATA, cut=cut) for cut in cuts), content(DATA)]
    assert get(server, target) == SHA256 and has_only(target)
    assert server.ranges() == [None, *(f"bytes={cut}-" for cut in cuts)]


def test_a_server_that_falls_silent_is_left_and_what_came_is_kept(server, target):
    stall = threading.Event()
    server.answers["/file"] = content(DATA, cut=300_000, stall=stall)
    refused(lambda: get(server, target), server.url("/file"), "300,000 bytes are kept")
    stall.set()
    assert not target.exists()
    server.answers["/file"] = content(DATA)
    assert get(server, target) == SHA256 and has_only(target)
    assert server.ranges()[-1] == "bytes=300000-"


def test_a_server_that_knows_no_ranges_sends_all_again(server, target):
    server.answers["/file"] = [content(DATA, cut=300_000), content(DATA, ranges=False)]
    assert get(server, target) == SHA256 and has_only(target)


def test_without_a_version_there_is_nothing_to_go_on_with(server, target):
    server.answers["/file"] = [content(DATA, etag=None, cut=300_000), content(DATA, etag='W/"weak"', cut=400_000)]
    server.answers["/file"].append(content(DATA))
    assert get(server, target) == SHA256 and server.ranges() == [None] * 3
    dated = {"Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}
    target.unlink()
    server.answers["/file"] = [content(DATA, etag=None, cut=300_000, headers=dated), content(DATA, etag=None)]
    assert get(server, target) == SHA256
    assert server.seen[-1][2]["If-Range"] == dated["Last-Modified"]


def test_a_file_that_changes_in_between_is_not_mixed(server, target):
    server.answers["/file"] = [content(DATA, cut=300_000), content(OTHER)]
    assert get(server, target) and has_only(target, OTHER)


def wrong_range(handler):
    """The rest of another file, from another place, whatever was asked for."""
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes 100-{len(OTHER) - 1}/{len(OTHER)}")
    handler.send_header("Content-Length", str(len(OTHER) - 100))
    handler.end_headers()
    handler.wfile.write(OTHER[100:])


def changed_range(handler):
    """The rest of a file that has changed, in spite of If-Range."""
    start = int(handler.headers["Range"][6:-1])
    handler.send_response(206)
    handler.send_header("ETag", '"changed"')
    handler.send_header("Content-Range", f"bytes {start}-{len(OTHER) - 1}/{len(OTHER)}")
    handler.send_header("Content-Length", str(len(OTHER) - start))
    handler.end_headers()
    handler.wfile.write(OTHER[start:])


@pytest.mark.parametrize("lie", [wrong_range, changed_range, status(416)])
def test_what_is_not_the_rest_is_not_appended(server, target, lie):
    server.answers["/file"] = [content(DATA, cut=300_000), lie, content(OTHER)]
    assert get(server, target) and has_only(target, OTHER)
    assert server.ranges() == [None, "bytes=300000-", None]


def test_a_server_that_gives_a_range_in_pieces(server, target):
    def piece(handler):
        start = int(handler.headers["Range"][6:-1])
        end = min(start + 200_000, len(DATA))
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(DATA)}")
        handler.send_header("Content-Length", str(end - start))
        handler.end_headers()
        handler.wfile.write(DATA[start:end])

    server.answers["/file"] = [content(DATA, cut=300_000), piece]
    assert get(server, target) == SHA256 and has_only(target) and len(server.seen) == 5


def test_a_part_nobody_asked_for_is_no_file(server, target):
    server.answers["/file"] = wrong_range
    refused(lambda: get(server, target), "206")
    assert os.listdir(target.parent) == []


def test_lengths_that_are_lies(server, target):
    server.answers["/file"] = content(DATA, length=len(DATA) + 10)
    refused(lambda: get(server, target), "run it again")
    shutil.rmtree(target.parent)
    server.answers["/file"] = content(DATA, length=len(DATA) - 10)
    refused(lambda: get(server, target, sha256=SHA256), "SHA-256", SHA256)
    assert os.listdir(target.parent) == []


def test_wrong_bytes_are_refused_and_not_kept(server, target):
    server.answers["/file"] = [content(OTHER), content(DATA)]
    refused(lambda: get(server, target, sha256=SHA256), SHA256, hashlib.sha256(OTHER).hexdigest())
    assert os.listdir(target.parent) == []
    assert get(server, target, sha256=SHA256) == SHA256


def test_a_server_that_is_busy_is_asked_again_when_it_says(server, target):
    server.answers["/file"] = [status(503, Retry_After="1"), status(429), status(500), content(DATA)]
    begun = time.monotonic()
    assert get(server, target, patience=Patience(tries=4, first_wait=0.01, longest_wait=0.2)) == SHA256
    assert 0.2 <= time.monotonic() - begun < 2
    server.answers["/file"] = status(503, Retry_After="Fri, 31 Dec 9999 23:59:59 GMT")
    target.unlink()
    refused(lambda: get(server, target), "503", "run it again")
    assert os.listdir(target.parent) == []


@pytest.mark.parametrize(("answer", "words"), [
    (status(404), ["404", "moved"]),
    (status(403), ["403", "login"]),
    (status(401), ["401", "login"]),
    (status(302, Location="/file"), ["redirects more than 10 times"]),
    (status(302, Location="file:///etc/passwd"), ["cannot be asked"]),
    (content(b"<html>please log in</html>", headers={"Content-Type": "text/html; charset=utf-8"}), ["a web page"]),
])  # fmt: skip
def test_what_is_no_file_is_refused_at_once(server, target, answer, words):
    server.answers["/file"] = answer
    refused(lambda: get(server, target), server.url("/file"), *words)
    assert os.listdir(target.parent) == [] and len(server.seen) <= 11


def test_a_redirect_is_followed_and_takes_no_password_along(server, target):
    with serving() as elsewhere:
        elsewhere.answers["/stored"] = content(DATA)
        server.answers["/file"] = status(302, Location=elsewhere.url("/stored").replace("127.0.0.1", "localhost"))
        assert get(server, target, headers={"authorization": "Bearer secret"}) == SHA256
        assert server.seen[0][2]["authorization"] == "Bearer secret"
        assert "authorization" not in elsewhere.seen[0][2]


@pytest.mark.parametrize(("ways", "sha256", "is_refused"), [
    (["https://a/x", "https://b/x"], None, False),
    (["https://a/x", "http://b/x"], None, True),
    (["https://a/x", "http://b/x", "https://b/x"], None, True),
    (["https://a/x", "http://b/x"], SHA256, False),
    (["http://a/x", "http://b/x"], None, False),
])  # fmt: skip
def test_a_redirect_to_where_anybody_can_change_it(ways, sha256, is_refused):
    steps = []
    for way in ways:
        step = requests.Response()
        step.status_code, step.url = 200, way
        steps.append(step)
    *steps[-1].history, answer = steps
    check = _Download(ways[0], None, None, sha256, None, QUICK)._check
    if is_refused:
        refused(lambda: check(answer, False), "redirects to " + ways[-1], "--sha256")
    else:
        check(answer, False)


def test_nobody_there(target):
    with serving() as server:
        pass
    refused(lambda: get(server, target), "cannot be reached", "HTTPS_PROXY")
    assert os.listdir(target.parent) == []


def test_a_proxy_that_is_dead_is_named(target, monkeypatch):
    with serving() as server:
        pass
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    refused(lambda: fetch("http://example.invalid/file", target, patience=QUICK), "the proxy fails")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://a/b", "example.org/a", "http://", "https://a/b\nc", "http://[", ""])  # fmt: skip
def test_what_is_no_address_is_refused(target, address):
    refused(lambda: fetch(address, target), "no address of a file")


def test_more_than_allowed_is_refused_whether_it_says_so_or_not(server, target):
    server.answers["/file"] = [content(DATA), content(DATA, etag=None, headers={"Content-Length": None})]
    for _ in range(2):
        refused(lambda: get(server, target, most_bytes=len(DATA) - 1), "--max-megabytes")
        assert os.listdir(target.parent) == []
    assert get(server, target, most_bytes=len(DATA)) == SHA256
    target.unlink()
    server.answers["/file"] = content(DATA[:100], length=10**15)
    refused(lambda: get(server, target, most_bytes=10**12), "more than 1,000,000 MB")


def test_a_disk_that_is_too_small_is_named_before(server, target, monkeypatch):
    server.answers["/file"] = content(DATA)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 0, len(DATA) - 1))
        refused(lambda: get(server, target), target, "1 MB are to come", "make room")
    assert os.listdir(target.parent) == []


def test_a_disk_that_gets_full_keeps_what_came(server, target, monkeypatch):
    server.answers["/file"] = content(DATA)
    write = PartialFile.write

    def full(part, block):
        if part.size:
            part._file = FullDisk(part._file)
        write(part, block)

    class FullDisk:
        def __init__(self, file):
            self.tell, self.close, self.seek, self.truncate = file.tell, file.close, file.seek, file.truncate

        def write(self, block):
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(PartialFile, "write", full)
        refused(lambda: get(server, target), "No space left", "goes on where it stopped")
    assert 0 < target.with_name("file.bin.part").stat().st_size < len(DATA)
    assert get(server, target) == SHA256 and has_only(target)


def test_a_part_of_another_address_or_without_notes_is_begun_anew(server, target):
    server.answers |= {"/file": content(DATA, '"1"', cut=300_000), "/other": content(OTHER, '"1"')}
    refused(lambda: get(server, target))
    assert get(server, target, "/other") and has_only(target, OTHER)
    target.unlink()
    refused(lambda: get(server, target))
    for notes in ("", "[]", '{"address": 1, "validator": null, "size": []}', "[" * 9000):
        target.with_name("file.bin.part.json").write_text(notes)
        refused(lambda: get(server, target))
        assert server.ranges()[-3] is None
    server.answers["/file"] = content(DATA)
    assert get(server, target) == SHA256 and has_only(target)


def test_a_whole_part_is_not_asked_for_again(server, target):
    server.answers["/file"] = content(DATA)
    target.parent.mkdir()
    target.with_name("file.bin.part").write_bytes(DATA)
    notes = {"address": server.url("/file"), "validator": '"a"', "size": len(DATA)}
    target.with_name("file.bin.part.json").write_text(json.dumps(notes))
    assert get(server, target) == SHA256 and has_only(target) and server.seen == []


def test_links_and_pipes_in_the_place_of_a_part_are_left_alone(server, target, tmp_path):
    server.answers["/file"] = content(DATA)
    target.parent.mkdir()
    part = target.with_name("file.bin.part")
    (tmp_path / "precious").write_text("precious")
    part.symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        get(server, target)
    assert (tmp_path / "precious").read_text() == "precious"
    part.unlink()
    os.mkfifo(part)
    refused(lambda: get(server, target), part, "no plain file")


CHILD = """
import sys
from pathlib import Path
from common.command_line import run
from common.downloads.fetching import Patience, _Download, fetch
run(lambda: fetch(sys.argv[1], Path(sys.argv[2]), patience=Patience(silence=20)))
"""


def start_child(server, target):
    environment = {**os.environ, "PYTHONPATH": str(competition.ROOT), "NO_PROXY": "127.0.0.1"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), server.url("/file"), str(target)],
        env=environment,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_two_at_once_do_not_mix_and_a_killed_one_is_continued(server, target):
    stall = threading.Event()
    server.answers["/file"] = [content(DATA, cut=300_000, stall=stall), content(DATA)]
    child, part = start_child(server, target), target.with_name("file.bin.part")
    while not (part.exists() and part.stat().st_size == 300_000):
        assert child.poll() is None
        time.sleep(0.01)
    refused(lambda: get(server, target), part, "another process")
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stderr.close()
    stall.set()
    assert len(server.seen) == 1 and not target.exists()
    assert get(server, target) == SHA256 and has_only(target)
    assert server.ranges() == [None, "bytes=300000-"]


def test_a_lock_on_what_has_become_the_target_is_none(server, target, monkeypatch):
    """Between opening a part and locking it, the process that had it may end well."""
    target.parent.mkdir()
    monkeypatch.setattr("fcntl.flock", lambda file, how: os.rename(target.with_name("file.bin.part"), target))
    refused(lambda: get(server, target), "another process")


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, len(DATA)), max_size=6), heeds=st.lists(st.booleans(), min_size=7, max_size=7))
def test_however_often_it_breaks_off_the_bytes_are_right(tmp_path_factory, cuts, heeds):
    target = tmp_path_factory.mktemp("cuts") / "file.bin"
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        server.answers["/file"] = [content(DATA, cut=cut, ranges=heed) for cut, heed in zip(cuts, heeds)]
        server.answers["/file"].append(content(DATA, ranges=heeds[-1]))
        patience = Patience(tries=10, first_wait=0, longest_wait=0)
        assert fetch(server.url("/file"), target, patience=patience) == SHA256 and has_only(target)
