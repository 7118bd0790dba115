"""How many requests scripts/serve.py answers in a second: of many clients at once beside one after the other, each answer
compared with what predict.py writes.

python scripts/serving_speed.py runs/TASK/NAME
python scripts/serving_speed.py runs/TASK/NAME --clients 8 --seconds 10

Server and clients are on this machine and share its cores. The examples are those of the bundled sample's test file, one
a request.
"""

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import tyro

from common.command_line import UserError, check_above, check_at_least, parse_flags, run, table

from live_runs import contest_run, sample_records
from serve import check_installed

SCRIPTS = Path(__file__).resolve().parent


@dataclass
class Config:
    """Measure how many requests a second are answered."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run directory of any contest."""
    clients: int = 32
    """Clients at once, each of which asks again as soon as it has an answer."""
    seconds: float = 60
    """How long they ask."""
    alone_seconds: float = 20
    """How long a single client asks before."""

    def __post_init__(self):
        check_at_least(self, clients=1)
        check_above(self, seconds=0, alone_seconds=0)


class Figures(list):
    """Seconds of each request that was answered rightly. errors: what else came, one line each. cpu_seconds: of the
    server, meanwhile."""

    def __init__(self):
        super().__init__()
        self.errors: list[str] = []
        self.cpu_seconds = 0.0

    @property
    def per_cpu_second(self) -> float:
        """Answers per CPU second of the server: what a busy machine does not change."""
        return len(self) / max(self.cpu_seconds, 1e-9)

    def row(self, seconds: float) -> list[object]:
        """Answers, errors, answers a second and a CPU second, the median and what one in a hundred exceeds."""
        ordered = sorted(self) or [0.0]
        shares = [f"{1000 * ordered[int(share * (len(ordered) - 1))]:.0f}" for share in (0.5, 0.99)]
        return [len(self), len(self.errors), f"{len(self) / seconds:.1f}", f"{self.per_cpu_second:.1f}", *shares]


@dataclass
class Server:
    """A server of its own process. batches: that it had computed when it ended."""

    address: str
    pid: int
    batches: int = 0

    def cpu_seconds(self) -> float:
        """Of its process, all threads, so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Prints and returns requests per second, `alone` and `together`, the same per CPU second of the server as
    `alone_per_cpu` and `together_per_cpu`, the number of `requests` and of `errors`."""
    config = parse_flags(Config, argv)
    check_installed()
    task = contest_run(config.run).config["task"]
    records = sample_records(task, 10**6)
    expected = predicted(task, config.run)
    if len(records) != len(expected):
        raise UserError(f"the sample of {task} is damaged - make it anew: python scripts/make_samples.py")
    with served(config.run) as server:
        alone = asked(server, records, expected, 1, config.alone_seconds)
        together = asked(server, records, expected, config.clients, config.seconds)
    both = ((1, config.alone_seconds, alone), (config.clients, config.seconds, together))
    rows = [[clients, f"{seconds:g}", *some.row(seconds)] for clients, seconds, some in both]
    print(table(["clients", "seconds", "answers", "errors", "a second", "a CPU second", "median ms", "99 % ms"], rows))
    for line in dict.fromkeys((alone.errors + together.errors)[:5]):
        print(f"error: {line}")
    ratio = together.per_cpu_second / max(alone.per_cpu_second, 1e-9)
    print(f"together {ratio:.2f} times as many per CPU second of the server; {server.batches} batches in all")
    return {
        "alone": len(alone) / config.alone_seconds,
        "together": len(together) / config.seconds,
        "alone_per_cpu": alone.per_cpu_second,
        "together_per_cpu": together.per_cpu_second,
        "requests": len(alone) + len(together),
        "errors": len(alone.errors) + len(together.errors),
    }


def predicted(task: str, run_folder: Path) -> list[Any]:
    """What predict.py says of the bundled sample's test file, for each example the record of its answer without its
    id."""
    script = SCRIPTS.parent / "competitions" / task / "predict.py"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / ("submission.tsv" if task == "webqa_dgcnn" else "submission.json")
        command = [sys.executable, script, "--run", run_folder, "--output", output]
        subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, check=True)
        text = output.read_text("utf-8")
    if task == "lic2020_reading_comprehension":
        return [{"answer": answer} for answer in json.loads(text).values()]
    if task == "webqa_dgcnn":
        return [{"answer": line.split("\t")[1]} for line in text.splitlines()]
    return [without_id(json.loads(line)) for line in text.splitlines()]


def without_id(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("id", "text_id")}


@contextlib.contextmanager
def served(run_folder: Path) -> Iterator[Server]:
    """A server of this run."""
    command = [sys.executable, SCRIPTS / "serve.py", run_folder, "--port", "0"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, text=True)
        try:
            while not (found := re.search(r"serving at (http://\S+)", _all_of(log))):
                if process.poll() is not None:
                    raise UserError("the server has ended - see what it says above")
                time.sleep(0.1)
            server = Server(found[1], process.pid)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        server.batches = int(re.search(r"stopped after (\d+) batches", _all_of(log))[1])


def _all_of(log: Any) -> str:
    log.seek(0)
    return log.read()


def asked(server: Server, records: Sequence[Any], expected: Sequence[Any], clients: int, seconds: float) -> Figures:
    """What so many clients find in that time, each of which asks once at least."""
    figures, numbers, place = Figures(), itertools.count(), urlsplit(server.address)
    begun = server.cpu_seconds()
    until = time.perf_counter() + seconds

    def ask(connection: http.client.HTTPConnection, number: int) -> None:
        asked_at = time.perf_counter()
        try:
            body = json.dumps([records[number]])
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            figures.errors.append(f"{type(error).__name__}: {error}")
            connection.close()
            return
        if response.status != 200:
            figures.errors.append(f"status {response.status}: {content[:200].decode('utf-8', 'replace')}")
        elif without_id(json.loads(content)["answers"][0]["answer"]) != expected[number]:
            figures.errors.append(f"example {number + 1}: another answer than that of predict.py")
        else:
            figures.append(time.perf_counter() - asked_at)

    def ask_on() -> None:
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        ask(connection, next(numbers) % len(records))
        while time.perf_counter() < until:
            ask(connection, next(numbers) % len(records))
        connection.close()

    threads = [threading.Thread(target=ask_on) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures.cpu_seconds = server.cpu_seconds() - begun
    return figures


if __name__ == "__main__":
    run(main)
