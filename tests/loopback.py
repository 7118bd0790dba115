"""A web server on a thread of this process, which misbehaves as a test wants it to."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


class Loopback:
    """answers: by path, what writes the answer of each request; of a list the next, and at last always the last one.
    seen: the requests, as (method, path, headers)."""

    def __init__(self, address: str):
        self.address = address
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.seen: list[tuple[str, str, Mapping[str, str]]] = []

    def url(self, path: str) -> str:
        return self.address + path

    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for _, _, headers in self.seen]

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.seen.append((handler.command, path, handler.headers))
        answer = self.answers.get(path, status(404))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        answer(handler)


@contextlib.contextmanager
def serving() -> Iterator[Loopback]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            with contextlib.suppress(ConnectionError):  # whoever asked may have gone
                loopback.reply(self)

        do_HEAD = do_GET

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    loopback = Loopback(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, **headers: str) -> Answer:
    """An answer without content. Underscores in names of headers stand for hyphens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler, code, {**headers, "Content-Length": "0"})

    return answer


def content(
    data: bytes,
    etag: str | None = "",
    *,
    ranges: bool = True,
    length: int | None = None,
    cut: int | None = None,
    stall: threading.Event | None = None,
    headers: Mapping[str, str] = {},
) -> Answer:
    """An honest answer to a request for a file, or for a range of it.

    etag: "" makes one of the data, None gives none. ranges: whether it heeds them. length: the Content-Length that it
    claims, if not the true one. cut: it ends after so many bytes of the file. stall: after those it says nothing until
    this is set.
    """
    if etag == "":
        etag = f'"{hashlib.sha1(data).hexdigest()}"'

    def answer(handler: BaseHTTPRequestHandler) -> None:
        found = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if_range = handler.headers.get("If-Range", etag)
        start = int(found[1]) if found and ranges and if_range == etag else 0
        shown = {"ETag": etag, "Content-Length": len(data) - start if length is None else length, **headers}
        if start:
            shown["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        _begin(handler, 206 if start else 200, shown)
        if handler.command != "HEAD":
            handler.wfile.write(data[start:cut])
            handler.wfile.flush()
            if stall is not None:
                stall.wait(20)

    return answer


def _begin(handler: BaseHTTPRequestHandler, code: int, headers: Mapping[str, Any]) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        if value is not None:
            handler.send_header(name.replace("_", "-"), str(value))
    handler.send_header("Connection", "close")
    handler.end_headers()
