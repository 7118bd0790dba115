"""HTTP around a worker: routes, limits, one line of JSON for each mistake. starlette, no TensorFlow."""

import asyncio
import contextlib
import json
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from common.command_line import UserError, printable
from common.submission import json_bytes, too_deep

from live_runs import LiveRun, sample_records
from serving.runs import Asked, Why
from serving.worker import Busy, Stopped, Worker

PAGE = Path(__file__).with_name("page.html")
_SCRIPTS = ("words.js", "fields.js", "answer.js", "why.js", "page.js")
FILES = {"page.css": "text/css", **dict.fromkeys(_SCRIPTS, "text/javascript")}

#: What the page may do: run what is served beside it, ask this server, and nothing else.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

#: Characters of an example whose answer is explained: each needs STEPS passes forwards and backwards.
LONGEST_EXPLAINED = 5000

#: How much of what is too large is read all the same, in times of what may be: who sends it is still sending then, and
#: would not see the answer.
_DISCARDED = 16


@dataclass(frozen=True)
class Limits:
    """Of one request: bytes of its body, seconds until its answer, examples in it, characters of each, tables left
    out."""

    max_bytes: int
    timeout_seconds: float
    max_examples: int
    max_characters: int


class Refusal(Exception):
    """A status and one line for the client."""

    def __init__(self, status: int, line: str, **headers: str):
        super().__init__(line)
        self.status, self.line, self.headers = status, line, headers


class Service:
    """The routes. runs: by name; their examples are read here, their answers come from the worker, whose keys are
    (name, what is asked)."""

    def __init__(self, worker: Worker, runs: Mapping[str, LiveRun], limits: Limits, language: str | None = None):
        self.worker, self.runs, self.limits, self.language = worker, runs, limits, language

    def app(self) -> Starlette:
        routes = [
            Route("/", self._told(self.page)),
            Route("/favicon.ico", self._told(self.icon)),
            Route("/health", self._told(self.health)),
            Route("/runs", self._told(self.list_runs)),
            Route("/samples/{name}", self._told(self.samples)),
            Route("/predict", self._told(self.predict), methods=["POST"]),
            Route("/predict/{name}", self._told(self.predict), methods=["POST"]),
            Route("/attributions", self._told(self.attributions), methods=["POST"]),
            Route("/attributions/{name}", self._told(self.attributions), methods=["POST"]),
            *(Route(f"/{name}", self._told(self.file)) for name in FILES),
        ]

        async def refuse(request: Request, error: Any) -> Response:
            status = getattr(error, "status_code", 500)
            line = {
                404: "there is nothing here - the page is /, and POST /predict answers",
                405: f"{request.method} is not for this address - POST to /predict, and GET the others",
            }.get(status, "this server made a mistake")
            _log(request, status)
            return _refused(Refusal(status, line))

        return Starlette(routes=routes, exception_handlers={404: refuse, 405: refuse})

    # Routes

    async def page(self, request: Request) -> Response:
        html = PAGE.read_text("utf-8").replace('data-language=""', f'data-language="{self.language or ""}"')
        return Response(html, media_type="text/html")

    async def file(self, request: Request) -> Response:
        name = request.scope["path"].removeprefix("/")
        return Response(PAGE.with_name(name).read_bytes(), media_type=FILES[name])

    async def icon(self, request: Request) -> Response:
        return Response(status_code=204)

    async def health(self, request: Request) -> Response:
        if not self.worker.is_alive:
            raise Refusal(503, "nothing is answered any more")
        return _json({"status": "ok"})

    async def list_runs(self, request: Request) -> Response:
        limits = {name: value for name, value in vars(self.limits).items() if name != "timeout_seconds"}
        return _json({"runs": [{"name": name, "task": run.task} for name, run in self.runs.items()], **limits})

    async def samples(self, request: Request) -> Response:
        name = self._name(request.path_params["name"])
        return _json({"examples": await run_in_threadpool(sample_records, self.runs[name].task)})

    async def predict(self, request: Request) -> Response:
        until = time.monotonic() + self.limits.timeout_seconds
        name, examples, options = await self._examples(request, until, {"shown"}, self.limits.max_characters)
        is_shown = options.get("shown", False) is True
        answers = await self._ask(request, (name, "answers"), [Asked(one, is_shown) for one in examples], until)
        return _json({"run": name, "task": self.runs[name].task, "answers": answers})

    async def attributions(self, request: Request) -> Response:
        until = time.monotonic() + self.limits.timeout_seconds
        name, examples, options = await self._examples(
            request, until, {"output"}, min(self.limits.max_characters, LONGEST_EXPLAINED)
        )
        output = options.get("output")
        if output is not None and (isinstance(output, bool) or not isinstance(output, int) or output < 0):
            raise Refusal(400, '"output" must be the number of a part of the answer, from 0, or null')
        found = await self._ask(request, (name, "attributions"), [Why(one, output) for one in examples], until)
        if None in found:
            raise Refusal(400, f"example {found.index(None) + 1}: its answer has no part {output}")
        return _json({"run": name, "task": self.runs[name].task, "attributions": found})

    # What they share

    def _told(self, route: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """The route with a line in the log, and its mistakes as lines of JSON."""

        async def answered(request: Request) -> Response:
            begun = time.monotonic()
            request.state.examples = None
            try:
                response = await route(request)
            except Refusal as error:
                response = _refused(error)
            except ClientDisconnect:
                response = Response(status_code=499)
            except Exception:
                traceback.print_exc()  # it is ours
                response = _refused(Refusal(500, "this server made a mistake - its log says which"))
            response.headers.update(_HEADERS)
            _log(request, response.status_code, begun)
            return response

        return answered

    async def _body(self, request: Request, until: float) -> Any:
        """The JSON of a request."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # which a page from elsewhere cannot send without being asked first
            raise Refusal(415, "the request must be JSON - send the header Content-Type: application/json")
        too_large = Refusal(413, f"the request has more than {self.limits.max_bytes:,} bytes - send less at once")
        with contextlib.suppress(ValueError):
            if int(request.headers.get("content-length", "0")) > _DISCARDED * self.limits.max_bytes:
                raise too_large
        content, size = bytearray(), 0
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - time.monotonic()):
                async for part in request.stream():
                    size += len(part)
                    if size > _DISCARDED * self.limits.max_bytes:
                        raise too_large
                    if size <= self.limits.max_bytes:
                        content += part
        except TimeoutError:
            raise Refusal(408, f"the request did not come within {self.limits.timeout_seconds:g} seconds") from None
        if size > self.limits.max_bytes:
            raise too_large
        return parsed(bytes(content))

    async def _examples(
        self, request: Request, until: float, options: set[str], longest: int
    ) -> tuple[str, list[Any], dict]:
        """The run that is asked, the examples, and what else there is in the request, which may have these options.
        longest: characters of an example."""
        body = await self._body(request, until)
        told: dict[str, Any] = body if isinstance(body, dict) else {"examples": body}
        unknown = told.keys() - {"run", "examples", *options}
        if unknown:
            fields = ", ".join(f'"{name}"' for name in ("examples", "run", *sorted(options)))
            raise Refusal(400, f'"{min(unknown):.60}" is no field of this request - it has {fields}')
        records = told.get("examples")
        if not isinstance(records, list):
            raise Refusal(400, 'the request must be a list of examples, or an object with them as "examples"')
        if len(records) > self.limits.max_examples:
            raise Refusal(413, f"{len(records):,} examples at once - send at most {self.limits.max_examples:,}")
        name = self._name(told.get("run", request.path_params.get("name")))
        request.state.examples = len(records)
        for number, record in enumerate(records, start=1):
            if (length := characters(record)) > longest:
                raise Refusal(413, f"example {number}: has {length:,} characters - send at most {longest:,} in one")
        try:
            return name, await run_in_threadpool(self.runs[name].examples, records), told
        except UserError as error:
            raise Refusal(400, str(error)) from None
        except (ValueError, RecursionError):
            raise Refusal(400, "an example has a number of thousands of digits, or is nested too deep") from None

    def _name(self, name: Any) -> str:
        if name is None and len(self.runs) == 1:
            return next(iter(self.runs))
        known = ", ".join(self.runs)
        if name is None:
            raise Refusal(400, f"there are several runs - POST to /predict/NAME, where NAME is one of {known}")
        if not isinstance(name, str) or name not in self.runs:
            raise Refusal(404, f"there is no such run - the runs are {known}")
        return name

    async def _ask(self, request: Request, key: tuple[str, str], asked: list[Any], until: float) -> list[Any]:
        """What the worker says, unless time is up or the client has gone: then it is asked no more."""
        try:
            job = self.worker.ask(key, asked)
        except (Busy, Stopped):
            raise Refusal(503, "too many requests wait already - try again", **{"Retry-After": "1"}) from None
        answers = asyncio.wrap_future(job.answers)
        gone = asyncio.ensure_future(_gone(request))
        try:
            left = max(0.0, until - time.monotonic())
            await asyncio.wait({answers, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if answers.cancelled():
                raise Refusal(503, "this server is being stopped")
            if answers.done():
                return answers.result()
            if gone.done():
                raise ClientDisconnect
            seconds = f"{self.limits.timeout_seconds:g}"
            raise Refusal(504, f"there was no answer within {seconds} seconds - send fewer or shorter examples")
        finally:
            gone.cancel()
            job.answers.cancel()  # at once: cancelling `answers` would do so a moment later


def parsed(content: bytes) -> Any:
    """The value of a JSON text. Raises Refusal."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(400, f"byte {error.start + 1} of the request is not UTF-8") from None
    if too_deep(text) is not None:
        raise Refusal(400, "the request is JSON nested too deep")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{error.msg} at line {error.lineno}, character {error.colno}"
        raise Refusal(400, f"the request is not JSON ({place}) - it must be a list of examples") from None
    except ValueError:
        raise Refusal(400, "the request has a number of thousands of digits") from None


def characters(value: Any) -> int:
    """Of all texts in a value of JSON. A table has none: what is read of it is limited anyway."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(characters(one) for name, one in value.items() if name != "table")
    return sum(map(characters, value)) if isinstance(value, list) else 0


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(value: Any) -> Response:
    return Response(json_bytes(value), media_type="application/json")


def _refused(error: Refusal) -> Response:
    return Response(
        json_bytes({"error": printable(error.line)}), error.status, {**_HEADERS, **error.headers}, "application/json"
    )


def _log(request: Request, status: int, begun: float | None = None) -> None:
    """One line, in which there is nothing of what was sent but the address, and that without what follows a "?"."""
    address = request.client.host if request.client else "-"
    took = "" if begun is None else f" {1000 * (time.monotonic() - begun):.0f} ms"
    examples = getattr(request.state, "examples", None)
    counted = "" if examples is None else f" {examples} example{'s' * (examples != 1)}"
    path = printable(request.scope["path"])[:100]
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {address} {request.method} {path} {status}{counted}{took}", flush=True)
