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
    """Seconds of each request that was answered rightly. errors: what else came, one line each."""

    def __init__(self):
        self.errors: list[str] = []


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Prints and returns requests per second, `alone` and `together`, the number of `requests` and of `errors`."""
    config = parse_flags(Config, argv)
    check_installed()
    task = contest_run(config.run).config["task"]
    records = sample_records(task, 10**6)
    expected = predicted(task, config.run)
    if len(records) != len(expected):
        raise UserError(f"the sample of {task} is damaged - make it anew: python scripts/make_samples.py")
    with served(config.run) as (address, told):
        alone = asked(address, records, expected, 1, config.alone_seconds)
        together = asked(address, records, expected, config.clients, config.seconds)
    rates = [len(alone) / config.alone_seconds, len(together) / config.seconds]
    rows = [
        [clients, f"{seconds:g}", len(some), len(some.errors), f"{rate:.1f}", *_milliseconds(some)]
        for clients, seconds, some, rate in (
            (1, config.alone_seconds, alone, rates[0]),
            (config.clients, config.seconds, together, rates[1]),
        )
    ]
    print(table(["clients", "seconds", "answers", "errors", "a second", "median ms", "99 % ms"], rows))
    for line in dict.fromkeys((alone.errors + together.errors)[:5]):
        print(f"error: {line}")
    print(f"together {rates[1] / max(rates[0], 1e-9):.2f} times as many; {told['batches']} batches in all")
    errors = len(alone.errors) + len(together.errors)
    return {"alone": rates[0], "together": rates[1], "requests": len(alone) + len(together), "errors": errors}


def _milliseconds(seconds: Sequence[float]) -> list[str]:
    """The median and what one in a hundred exceeds."""
    ordered = sorted(seconds) or [0.0]
    return [f"{1000 * ordered[int(share * (len(ordered) - 1))]:.0f}" for share in (0.5, 0.99)]


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
def served(run_folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """The address of a server of its own process, and what it told when it had ended."""
    command = [sys.executable, SCRIPTS / "serve.py", run_folder, "--port", "0"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, text=True)
        told: dict[str, int] = {}
        try:
            while not (found := re.search(r"serving at (http://\S+)", _all_of(log))):
                if process.poll() is not None:
                    raise UserError("the server has ended - see what it says above")
                time.sleep(0.1)
            yield found[1], told
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        told["batches"] = int(re.search(r"stopped after (\d+) batches", _all_of(log))[1])


def _all_of(log: Any) -> str:
    log.seek(0)
    return log.read()


def asked(address: str, records: Sequence[Any], expected: Sequence[Any], clients: int, seconds: float) -> Figures:
    """What so many clients find in that time, each of which asks once at least."""
    figures, numbers, place = Figures(), itertools.count(), urlsplit(address)
    until = time.perf_counter() + seconds

    def ask(connection: http.client.HTTPConnection, number: int) -> None:
        begun = time.perf_counter()
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
            figures.append(time.perf_counter() - begun)

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
    return figures


if __name__ == "__main__":
    run(main)
