"""Serve trained runs: a page on which one types a text and sees the answer marked in it, and the same as JSON over HTTP.

python scripts/serve.py runs/TASK/NAME
python scripts/serve.py runs/TASK/NAME runs/OTHER_TASK/NAME --port 8080

docs/serving.md says what can be asked, and what it is not.
"""

import contextlib
import errno
import importlib.util
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from common.command_line import UserError, check_above, check_at_least, check_at_most, parse_flags, run, warn
from common.process import start_tensorflow
from common.runs.directory import Run

from live_runs import LiveRun, contest_run, sample_records


@dataclass
class Config:
    """Serve trained runs: a page for people, and JSON over HTTP for programs."""

    runs: Annotated[list[Path], tyro.conf.Positional]
    """Run directories, of any contests."""
    host: str = "127.0.0.1"
    """Address of this machine to be reached by. Default: from this machine alone. There is no password: put a proxy that
    has one before it."""
    port: int = 8000
    """Port to listen on; 0: any that is free."""
    max_bytes: int = 2**20
    """Most bytes of a request."""
    timeout_seconds: float = 30
    """Most seconds between a request and its answer."""
    max_examples: int = 200
    """Most examples of a request."""
    max_characters: int = 20_000
    """Most characters of an example, all its texts together; a table is not counted."""
    batch_examples: int = 64
    """Most examples, of all requests that wait, that go through the network together."""
    page_language: Literal["zh", "en"] | None = None
    """Language of the page. Default: that of the browser."""

    def __post_init__(self):
        check_at_least(self, port=0, max_bytes=100, max_examples=1, max_characters=1, batch_examples=1)
        check_at_most(self, port=65535)
        check_above(self, timeout_seconds=0)
        if not self.runs:
            raise UserError("RUNS: is missing - name the directory of a trained run")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Serves until it is told to end (Ctrl-C, SIGTERM); returns the `address`, and how many `batches` were
    computed."""
    config = parse_flags(Config, argv)
    check_installed()
    runs = [contest_run(path) for path in config.runs]
    with listening(config.host, config.port) as listener:
        return serve(config, runs, listener)


def serve(config: Config, runs: Sequence[Run], listener: socket.socket) -> dict[str, Any]:
    """The same with runs that were found and a socket that listens."""
    from serving.app import Limits, Service
    from serving.runs import is_slow, names_of, work
    from serving.server import serve_until_told
    from serving.worker import Worker

    names = names_of(runs)

    def prepare() -> dict[str, LiveRun]:
        start_tensorflow()  # now that flags and files have been looked at
        live = {name: LiveRun(run) for name, run in zip(names, runs)}
        for one in live.values():  # the first answer takes seconds, and nobody shall wait for it
            one.answers(one.examples(sample_records(one.task, 1)))
        return live

    worker = Worker(prepare, work, config.batch_examples, is_slow=is_slow)
    try:
        live = worker.start()
        for name, one in live.items():
            print(f"{name}: {one.task}")
        address = address_of(listener)
        print(f"serving at {address} - end it with Ctrl-C", flush=True)
        limits = Limits(config.max_bytes, config.timeout_seconds, config.max_examples, config.max_characters)
        serve_until_told(Service(worker, live, limits, config.page_language).app(), listener)
    finally:
        worker.stop()
    print(f"stopped after {worker.batches} batches", flush=True)
    return {"address": address, "batches": worker.batches}


def check_installed() -> None:
    """Raises UserError where what is needed besides requirements.lock is not there."""
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"{' and '.join(missing)}: not installed - pip install --no-deps -r requirements-serve.lock, beside requirements.lock"
        )


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens. It does so from now on, and nobody else can: loading takes seconds, and is in vain where the
    port is in use. Raises UserError where it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise UserError(
            f"--host {host}: is no address that is known here - give 127.0.0.1, or one of this machine"
        ) from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(128)
        except PermissionError:
            raise UserError(f"--port {port}: may not be used by you - choose one from 1024 on") from None
        except OSError as error:
            raise UserError(_why_not(error, host, port)) from None
        if host not in ("127.0.0.1", "localhost", "::1"):
            warn(f"--host {host}: whoever reaches this machine can ask, without a password")
        yield listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"--port {port}: is in use on {host} - choose another, or stop what listens there"
    return f"--host {host}: is no address of this machine ({error.strerror}) - give 127.0.0.1, or one that it has"


def address_of(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


if __name__ == "__main__":
    run(main)
