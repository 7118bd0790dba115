"""uvicorn, on a socket that listens already, until a signal comes. No TensorFlow."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

#: Connections at once; to those beyond them 503 is said.
MOST_CONNECTIONS = 1000


def serve_until_told(app: Any, listener: socket.socket, on_start: Callable[[Any], None] = lambda server: None) -> None:
    """Answers requests until a signal comes (in the main thread), or `should_exit` of the server is set, which is given
    to `on_start` when it answers."""

    class Server(uvicorn.Server):
        """Ends by a signal as by a return: uvicorn itself would then raise the signal once more."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            kept = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in kept.items():
                    signal.signal(number, handler)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_start(self)

    settings = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        http="h11",
        loop="asyncio",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        limit_concurrency=MOST_CONNECTIONS,
    )
    Server(settings).run(sockets=[listener])
