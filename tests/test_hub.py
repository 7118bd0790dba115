"""Checkpoints by their names on the hub, from a server on this machine that speaks as the hub does."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import common.encoders
from common.downloads import fetching
from common.encoders import build_encoder
from common.encoders.hub import local_folder
from common.options import EncoderOptions
from common.runs.values import settings_to_json

import competition
from helpers import not_importing, refused
from loopback import content, serving, status
from loopback_hub import (
    COMMIT,
    FILES,
    NAME,
    NEEDED,
    NOT_NEEDED,
    OLDER,
    Hub,
    forget_the_library,
    library_of_the_hub,
    modules_of_the_hub,
)


@pytest.fixture
def fresh(tmp_path):
    with library_of_the_hub(tmp_path / "home") as environment:
        yield environment


@pytest.fixture
def hub(fresh):
    with serving() as server:
        fresh.setenv("HF_ENDPOINT", server.address)
        hub = Hub(server)
        hub.publish({**FILES, **NOT_NEEDED})
        yield hub


@pytest.fixture
def impatient(monkeypatch):
    quick = fetching.Patience(silence=0.3, tries=2, first_wait=0.01)
    monkeypatch.setattr(fetching, "PATIENCE", quick)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_name_becomes_a_folder_and_what_is_cached_needs_no_network(hub, tmp_path, capsys):
    folder = local_folder(Path(NAME))
    assert contents(folder) == FILES and folder.is_relative_to(tmp_path / "home")
    assert hub.downloaded() == NEEDED
    out = capsys.readouterr().out
    assert "model.safetensors  1.0 MB" in out and "1.0 MB in all" in out and COMMIT[:12] in out
    seen = len(hub.server.seen)
    assert local_folder(Path(NAME)) == local_folder(Path(f"{NAME}@{COMMIT}")) == folder
    assert len(hub.server.seen) == seen and capsys.readouterr().out == ""
    # The hub's own library finds it there too.
    import huggingface_hub

    assert Path(huggingface_hub.snapshot_download(NAME, local_files_only=True, allow_patterns=NEEDED)) == folder


def test_nobody_is_told_more_than_needed(hub):
    local_folder(Path(NAME))
    asked = {path for _, path, _ in hub.server.seen}
    assert {path for path in asked if "/api/" in path} == {f"/api/models/{NAME}/revision/main"}
    assert not any("torch" in headers["User-Agent"] for _, _, headers in hub.server.seen)


def test_a_folder_wins_over_a_name(fresh, tmp_path):
    fresh.chdir(tmp_path)
    Path(NAME).mkdir(parents=True)
    for given in (
        NAME,
        "no-slash",
        "too/many/parts",
        "../owner/name",
        "owner/..",
        "/absolute/path",
        "owner/name@a/../../x",
    ):
        assert local_folder(Path(given)) == Path(given)
    assert modules_of_the_hub() == []


def test_revisions(hub):
    hub.publish({**FILES, "vocab.txt": b"[PAD]\n"}, ["v1.0", "refs/pr/3"], OLDER)
    newer = local_folder(Path(NAME))
    for revision in ("v1.0", "refs/pr/3", OLDER):
        older = local_folder(Path(f"{NAME}@{revision}"))
        assert older.name == OLDER and (older / "vocab.txt").read_bytes() == b"[PAD]\n"
    assert (newer / "vocab.txt").read_bytes() == FILES["vocab.txt"]
    assert hub.downloaded() == sorted([*NEEDED, "vocab.txt"])  # equal contents are there once
    refused(lambda: local_folder(Path(f"{NAME}@v9")), f"{NAME}@v9")


def shards(count):
    return {f"model-{number:05d}-of-00002.safetensors": bytes([number]) * 1000 for number in range(1, count + 1)}


def test_weights_in_several_files(hub):
    texts = {name: FILES[name] for name in ("config.json", "vocab.txt")}
    whole = {**texts, "model.safetensors.index.json": b"{}", **shards(2)}
    hub.publish(whole)
    folder = local_folder(Path(NAME))
    assert contents(folder) == whole and local_folder(Path(NAME)) == folder
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert contents(local_folder(Path(NAME))) == whole
    for part in ({**texts, "model.safetensors.index.json": b"{}", **shards(1)}, {**texts, **shards(2)}):
        hub.publish(part, ["part"], OLDER)
        refused(lambda: local_folder(Path(f"{NAME}@part")), "has no model.safetensors")


def test_a_missing_library(fresh):
    with not_importing("huggingface_hub"):
        refused(lambda: local_folder(Path(NAME)), NAME, "huggingface_hub", "setup.sh")


def test_only_a_pickle(hub):
    hub.publish({"config.json": b"{}", "vocab.txt": b"", "pytorch_model.bin": b"evil"})
    refused(lambda: local_folder(Path(NAME)), NAME, "pytorch_model.bin", "save_pretrained", "refs/pr/")
    hub.publish({"README.md": b""})
    refused(lambda: local_folder(Path(NAME)), "no config.json, no vocab.txt, no model.safetensors")
    assert hub.downloaded() == []


@pytest.mark.parametrize(("answer", "words"), [
    (status(401), ["(401)", "check the name", "HF_TOKEN"]),
    (status(404, X_Error_Code="RepoNotFound"), ["no folder, and no model", "HF_TOKEN"]),
    (status(404, X_Error_Code="RevisionNotFound"), ["has no revision main"]),
    (status(403, X_Error_Code="GatedRepo"), ["is gated", "HF_TOKEN"]),
    (status(403), ["(403)", "check the name"]),
    (status(404), ["(404)", "check the name"]),
    (status(500), ["fails (500)", "HF_ENDPOINT"]),
    (content(b"<html>welcome to this hotel</html>"), ["answers as no hub does", "HF_ENDPOINT"]),
    (content(b'{"id": "x", "sha": "../../x", "siblings": []}'), ["answers as no hub does"]),
    (content(b"[]"), ["answers as no hub does"]),
])  # fmt: skip
def test_what_the_hub_refuses(hub, answer, words):
    hub.server.answers[f"/api/models/{NAME}/revision/main"] = answer
    refused(lambda: local_folder(Path(NAME)), f"{NAME}: ", *words)


def test_a_mirror_that_tells_no_sizes(hub, capsys):
    honest = hub.server.answers[hub.path("vocab.txt")]
    silent = content(b"", f'"{"c" * 40}"', headers={"X-Repo-Commit": COMMIT, "Content-Length": None})
    for revision in ("main", COMMIT):
        hub.server.answers[hub.path("vocab.txt", revision)] = lambda handler: (
            silent if handler.command == "HEAD" else honest
        )(handler)
    assert contents(local_folder(Path(NAME))) == FILES and "vocab.txt  ? MB" in capsys.readouterr().out


def test_more_than_any_bert(hub):
    huge = content(b"", f'"{"c" * 40}"', length=11 * 10**9, headers={"X-Repo-Commit": COMMIT})
    hub.server.answers[hub.path("model.safetensors")] = huge
    refused(lambda: local_folder(Path(NAME)), "has 11 GB")
    assert hub.downloaded() == []


@pytest.mark.parametrize("etag", ['"../../../evil"', None, '"abc"'])
def test_a_content_with_a_name_that_is_none(hub, etag, tmp_path):
    hub.server.answers[hub.path("config.json")] = content(b"{}", etag, headers={"X-Repo-Commit": COMMIT})
    refused(lambda: local_folder(Path(NAME)), "answers as no hub does")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_no_network(fresh):
    with serving() as server:
        pass
    fresh.setenv("HF_ENDPOINT", server.address)
    words = ["cannot be asked", "scripts/download.py", "HF_ENDPOINT", server.address, "it is not in the cache"]
    refused(lambda: local_folder(Path(NAME)), NAME, *words)


def test_offline_only_the_cache_counts(hub, fresh):
    folder = local_folder(Path(NAME))
    seen = len(hub.server.seen)
    forget_the_library()
    fresh.setenv("HF_HUB_OFFLINE", "1")
    assert local_folder(Path(NAME)) == folder
    refused(lambda: local_folder(Path("owner/other")), "owner/other", "HF_HUB_OFFLINE is set", "not in the cache")
    (folder / "vocab.txt").unlink()
    refused(lambda: local_folder(Path(NAME)), "the cache has no vocab.txt")
    os.remove((folder / "model.safetensors").resolve())
    refused(lambda: local_folder(Path(NAME)), "model.safetensors is a link to nothing")
    assert len(hub.server.seen) == seen


def test_a_link_to_nothing_in_the_cache_is_mended(hub):
    folder = local_folder(Path(NAME))
    os.remove((folder / "model.safetensors").resolve())
    assert contents(local_folder(Path(NAME))) == FILES
    assert hub.downloaded() == sorted([*NEEDED, "model.safetensors"])


def test_what_broke_off_goes_on_next_time(hub, impatient, capsys):
    path = hub.path("model.safetensors")
    hub.server.answers[path] = hub.file(FILES["model.safetensors"], cut=300_000)
    refused(lambda: local_folder(Path(NAME)), "300,000 bytes are kept", "run it again")
    hub.server.answers[path] = hub.file(FILES["model.safetensors"])
    capsys.readouterr()
    assert contents(local_folder(Path(NAME))) == FILES
    assert "bytes=300000-" in hub.server.ranges()
    assert "vocab.txt  0.0 MB, there already" in capsys.readouterr().out
    assert hub.downloaded().count("vocab.txt") == 1


def test_wrong_bytes_never_reach_the_cache(hub, impatient):
    wrong = content(
        b"x" * len(FILES["model.safetensors"]), f'"{hashlib.sha256(FILES["model.safetensors"]).hexdigest()}"'
    )
    head = hub.server.answers[hub.path("model.safetensors")]
    hub.server.answers[hub.path("model.safetensors")] = lambda handler: (head if handler.command == "HEAD" else wrong)(
        handler
    )
    refused(lambda: local_folder(Path(NAME)), "SHA-256")
    hub.server.answers[hub.path("model.safetensors")] = head
    assert contents(local_folder(Path(NAME))) == FILES


def test_too_little_disk_is_said_before(hub, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 0, 10**6))
        refused(lambda: local_folder(Path(NAME)), "needs 1 MB", "HF_HOME")
    assert hub.downloaded() == []


def test_a_branch_that_moves_meanwhile_is_not_mixed(hub):
    moved = hub.file(FILES["vocab.txt"], OLDER)
    hub.server.answers[hub.path("vocab.txt", "main")] = moved
    hub.server.answers[hub.path("vocab.txt", OLDER)] = moved
    refused(lambda: local_folder(Path(NAME)), "was changed there", "run it again")


def test_the_encoder_gets_the_folder_and_the_run_the_name(hub, monkeypatch):
    class Encoder:
        @staticmethod
        def from_checkpoint(folder, max_length, attention):
            return contents(folder), max_length

    monkeypatch.setattr(common.encoders, "_kinds", lambda: {"bert": Encoder})
    options = EncoderOptions(pretrained=Path(f"{NAME}@main"), max_length=8)
    assert build_encoder(options, []) == (FILES, 8)
    assert settings_to_json(options)["pretrained"] == f"{NAME}@main"


def test_the_library_of_the_hub_is_loaded_for_a_name_alone():
    script = (
        "import sys; from pathlib import Path; import common.encoders, common.encoders.hub as hub;"
        "hub.local_folder(Path('.'));"
        "sys.exit(bool({'huggingface_hub', 'requests', 'httpx2'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=competition.ROOT).returncode == 0
