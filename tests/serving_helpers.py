"""A server of scripts/serve.py on a thread of this process, and plain requests to it."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import competition  # noqa: F401  (which puts scripts/ on the path)
import serve
from serving.app import Limits, Service
from serving.server import serve_until_told
from serving.worker import Worker

LIMITS = Limits(max_bytes=10_000, timeout_seconds=20, max_examples=10, max_characters=5500)


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@contextlib.contextmanager
def on_a_thread(worker: Worker, runs: dict[str, Any], limits: Limits = LIMITS, language: str | None = None) -> Iterator:
    """The address of a server that asks this worker, which has been started."""
    servers, started = [], threading.Event()

    def begun(server: Any) -> None:
        servers.append(server)
        started.set()

    with serve.listening("127.0.0.1", 0) as listener:
        app = Service(worker, runs, limits, language).app()
        thread = threading.Thread(target=serve_until_told, args=(app, listener, begun), daemon=True)
        thread.start()
        assert started.wait(30)
        try:
            yield serve.address_of(listener)
        finally:
            servers[0].should_exit = True
            thread.join(30)
            worker.stop()
            assert not thread.is_alive()


def send(address: str, path: str, content: Any = None, method: str | None = None, **headers: str) -> Response:
    """A request; content that is not bytes goes as JSON. Underscores in names of headers stand for hyphens."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    try:
        body = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
        told = {"Content-Type": "application/json"} if body is not None else {}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method or ("GET" if body is None else "POST"), path, body, told)
        answer = connection.getresponse()
        return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def connected(address: str) -> socket.socket:
    place = urlsplit(address)
    return socket.create_connection((place.hostname, place.port), timeout=60)
