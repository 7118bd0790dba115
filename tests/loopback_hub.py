"""A server on this machine that speaks as the Hugging Face hub does, and its library as if just loaded."""

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Loopback, content

NAME, COMMIT, OLDER = "owner/tiny-bert", "a1" * 20, "b2" * 20
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "tokenizer_config.json": b"{}",
    "vocab.txt": "[PAD]\n[UNK]\n中\n".encode(),
    "model.safetensors": bytes(range(256)) * 4000,
}
NOT_NEEDED = {"README.md": b"#", "pytorch_model.bin": b"evil", "modeling.py": b"evil", "onnx/model.onnx": b"x"}
NEEDED = sorted(FILES)


class Hub:
    """The routes of the hub that a download uses, for one model."""

    def __init__(self, server: Loopback):
        self.server = server

    def publish(self, files, revisions=("main",), commit=COMMIT):
        answers = self.server.answers
        about = json.dumps({"id": NAME, "sha": commit, "siblings": [{"rfilename": name} for name in files]}).encode()
        for revision in (*revisions, commit):
            answers[f"/api/models/{NAME}/revision/{revision.replace('/', '%2F')}"] = content(
                about, headers={"Content-Type": "application/json"}
            )
            for name, data in files.items():
                answers[self.path(name, revision)] = self.file(data, commit)

    def path(self, name, revision=COMMIT):
        return f"/{NAME}/resolve/{revision.replace('/', '%2F')}/{name}"

    @staticmethod
    def file(data, commit=COMMIT, **options):
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        return content(data, etag, headers={"X-Repo-Commit": commit}, **options)

    def downloaded(self):
        return sorted(
            path.rpartition("/")[2] for method, path, _ in self.server.seen if method == "GET" and "/api/" not in path
        )


@contextlib.contextmanager
def library_of_the_hub(home: Path) -> Iterator[pytest.MonkeyPatch]:
    """Within it, the library reads the environment anew, and keeps its files in `home`."""
    kept = {name: sys.modules[name] for name in modules_of_the_hub()}
    forget_the_library()
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HF_HOME", str(home))
            environment.setenv("NO_PROXY", "127.0.0.1")
            for variable in ("HF_HUB_OFFLINE", "HF_TOKEN", "HF_HUB_CACHE", "HF_ENDPOINT"):
                environment.delenv(variable, raising=False)
            for variable in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
                environment.setenv(variable, "0")  # put back what it was
                environment.delenv(variable)
            yield environment
    finally:
        forget_the_library()
        sys.modules.update(kept)


def modules_of_the_hub() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]


def forget_the_library() -> None:
    for name in modules_of_the_hub():
        del sys.modules[name]
