"""scripts/serve.py: requests that wait are answered together, each mistake is one line, and nothing of the machine or of
what was sent is told."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import pytest

from common.command_line import UserError

import competition
from contests import RELATION_EXTRACTION, WEBQA, every_contest, in_default, these
from helpers import refused
from live_helpers import typed
from workshop import check_refusal, run_here

pytest.importorskip("starlette", reason="requirements-serve.lock is not installed")
pytest.importorskip("uvicorn", reason="requirements-serve.lock is not installed")

import serve  # noqa: E402
import serving_speed  # noqa: E402
from serving import runs as served_runs  # noqa: E402
from serving.app import FILES, PAGE, characters  # noqa: E402
from serving.worker import Busy, Stopped, Worker  # noqa: E402
from serving_helpers import LIMITS, connected, on_a_thread, send  # noqa: E402

SCRIPTS = competition.ROOT / "scripts"


class FakeRun:
    """A run whose examples are strings."""

    task = "webqa_dgcnn"

    def examples(self, records):
        for number, record in enumerate(records, start=1):
            if not isinstance(record, str):
                raise UserError(f"example {number}: is no string - it must be one")
        return [record.lower() for record in records]


class Gate:
    """Work that notes what it is asked, and waits while the gate is closed."""

    def __init__(self):
        self.open, self.asked, self.entered = threading.Event(), [], threading.Semaphore(0)
        self.open.set()

    def __call__(self, tool, key, items):
        items = [getattr(item, "example", item) for item in items]
        self.asked.append((key, items))
        self.entered.release()
        assert self.open.wait(60)
        if "wrong" in items:
            raise RuntimeError("in /some/place of this machine")
        return [item * 2 for item in items]

    @property
    def sizes(self):
        return [len(items) for _, items in self.asked]


def until(condition: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextlib.contextmanager
def working(**options):
    """A worker and its gate."""
    gate = Gate()
    worker = Worker(lambda: None, gate, **{"gathering_seconds": 0.0, **options})
    worker.start()
    try:
        yield worker, gate
    finally:
        gate.open.set()
        worker.stop()


@contextlib.contextmanager
def serving(limits=LIMITS, runs=("one",), **options):
    with working(**options) as (worker, gate):
        with on_a_thread(worker, dict.fromkeys(runs, FakeRun()), limits) as address:
            try:
                yield address, gate, worker
            finally:
                gate.open.set()


@contextlib.contextmanager
def busy(worker, gate, key="x"):
    """While one job is being computed, and the next ones wait."""
    gate.open.clear()
    job = worker.ask(key, ["first"])
    assert gate.entered.acquire(timeout=60)
    yield job
    gate.open.set()


# The worker


def test_jobs_that_wait_are_answered_together():
    with working() as (worker, gate):
        with busy(worker, gate):
            jobs = [worker.ask("x", [f"{number}", "b"]) for number in range(8)]
        assert [job.answers.result(60) for job in jobs] == [[f"{number}" * 2, "bb"] for number in range(8)]
        assert gate.sizes == [1, 16] and worker.batches == 2


def test_jobs_of_different_runs_are_not():
    with working() as (worker, gate):
        with busy(worker, gate):
            jobs = [worker.ask(key, [key]) for key in "abab"]
        assert [job.answers.result(60) for job in jobs] == [[2 * key] for key in "abab"]
        assert gate.asked[1:] == [("a", ["a", "a"]), ("b", ["b", "b"])]


def test_the_first_waits_a_little_for_others():
    with working(gathering_seconds=60, most_items=3) as (worker, gate):
        jobs = [worker.ask("x", [letter]) for letter in "abc"]
        assert [job.answers.result(60) for job in jobs] == [["aa"], ["bb"], ["cc"]] and gate.sizes == [3]


def test_a_short_job_does_not_wait_for_the_whole_of_a_long_one():
    with working(most_items=10) as (worker, gate):
        with busy(worker, gate):
            long, short = worker.ask("x", ["l"] * 35), worker.ask("x", ["s"] * 2)
        assert long.answers.result(60) == ["ll"] * 35 and short.answers.result(60) == ["ss"] * 2
        assert gate.sizes == [1, 10, 10, 10, 7]
        assert gate.asked[1][1].count("s") == 2


def test_what_is_slow_goes_one_at_a_time():
    with working(is_slow=lambda key: key == "slow") as (worker, gate):
        with busy(worker, gate):
            slow, quick = worker.ask("slow", ["a", "b", "c"]), worker.ask("x", ["d", "e"])
        assert slow.answers.result(60) == ["aa", "bb", "cc"] and quick.answers.result(60) == ["dd", "ee"]
        assert [items for _, items in gate.asked[1:]] == [["a"], ["d", "e"], ["b"], ["c"]]


def test_a_job_that_fails_costs_no_other():
    with working(most_items=4) as (worker, gate):
        with busy(worker, gate):
            good, bad, more = worker.ask("x", ["a"]), worker.ask("x", ["b", "wrong", *"c" * 20]), worker.ask("x", ["d"])
        assert good.answers.result(60) == ["aa"] and more.answers.result(60) == ["dd"]
        with pytest.raises(RuntimeError):
            bad.answers.result(60)
        assert worker.ask("x", ["e"]).answers.result(60) == ["ee"]
        assert max(gate.sizes) <= 4 and ["c"] * 4 not in [items for _, items in gate.asked], "the rest of it is dropped"


def test_what_is_cancelled_is_not_computed():
    with working() as (worker, gate):
        with busy(worker, gate):
            gone, there = worker.ask("x", ["gone"]), worker.ask("x", ["there"])
            assert gone.answers.cancel()
        assert there.answers.result(60) == ["therethere"]
        assert "gone" not in str(gate.asked)


def test_more_than_may_wait_are_sent_away_and_none_after_the_end():
    with working(most_jobs=1) as (worker, gate):
        with busy(worker, gate):
            waiting = worker.ask("x", ["a"])
            with pytest.raises(Busy):
                worker.ask("x", ["b"])
            thread = threading.Thread(target=worker.stop)
            thread.start()
            until(waiting.answers.cancelled)
        thread.join(60)
        assert not worker.is_alive
        with pytest.raises(Stopped):
            worker.ask("x", ["c"])


def test_what_cannot_be_prepared_is_told_at_the_start():
    def fail():
        raise UserError("the run is damaged - train it again")

    refused(Worker(fail, None).start, "damaged")


# HTTP


def test_requests_that_wait_are_answered_together():
    with serving() as (address, gate, worker), ThreadPoolExecutor(9) as clients:
        with busy(worker, gate, ("one", "answers")):
            answers = [clients.submit(send, address, "/predict", [f"N{number}"]) for number in range(9)]
            until(lambda: len(worker._waiting) == 9)
        for number, answer in enumerate(answers):
            found = {"run": "one", "task": FakeRun.task, "answers": [f"n{number}" * 2]}
            assert (answer.result().status, answer.result().json) == (200, found)
        assert gate.sizes == [1, 9]


class Mistake(NamedTuple):
    content: object
    status: int
    says: str
    path: str = "/predict"
    method: str | None = None
    headers: dict = {}


MISTAKES = {
    "nothing": Mistake(b"", 400, "not JSON"),
    "no JSON": Mistake(b"[", 400, "line 1, character 2"),
    "no UTF-8": Mistake('["甲"]'.encode("gbk"), 400, "UTF-8"),
    "a string": Mistake("text", 400, "list of examples"),
    "no list": Mistake({"examples": "text"}, 400, "list of examples"),
    "thousands of brackets": Mistake(b"[" * 5000, 400, "nested too deep"),
    "thousands of digits": Mistake(b"[" + b"1" * 5000 + b"]", 400, "digits"),
    "an unknown field": Mistake({"examples": [], "<b>": 1}, 400, '"<b>" is no field'),
    "no example": Mistake(["a", 5], 400, "example 2: "),
    "too many": Mistake(["a"] * 11, 413, "at most 10"),
    "too long": Mistake(["a", {"passages": ["b" * 5500, "c"]}], 413, "example 2: has 5,501 characters"),
    "too long to be explained": Mistake(["a" * 5001], 413, "at most 5,000", "/attributions"),
    "too large": Mistake(b" " * 10_001, 413, "10,000 bytes"),
    "much too large": Mistake(None, 413, "10,000 bytes", method="POST", headers={"Content_Length": "999999999999"}),
    "no content type": Mistake(b"[]", 415, "application/json", headers={"Content_Type": "text/plain"}),
    "another run": Mistake(["a"], 404, "no such run", "/predict/two"),
    "a run that is no name": Mistake({"run": ["one"], "examples": []}, 404, "no such run"),
    "a part that is no number": Mistake({"examples": ["a"], "output": "1"}, 400, '"output" must be', "/attributions"),
    "a part below 0": Mistake({"examples": ["a"], "output": -1}, 400, '"output" must be', "/attributions/one"),
    "attributions of another run": Mistake(["a"], 404, "no such run", "/attributions/two"),
    "a sample of no run": Mistake(None, 404, "no such run", "/samples/x"),
    "a sample upwards": Mistake(None, 404, "nothing here", "/samples/..%2F..%2Fx"),
    "nowhere": Mistake(None, 404, "POST /predict", "/etc/passwd"),
    "upwards": Mistake(None, 404, "nothing here", "/../serve.py"),
    "GET": Mistake(None, 405, "POST to /predict", method="GET"),
    "PUT": Mistake(b"[]", 405, "GET the others", "/runs", "PUT"),
}


@pytest.fixture(scope="module")
def address():
    with serving() as (address, _, _):
        yield address


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line(address, mistake, capsys):
    headers = {"Content_Type": "application/json", **mistake.headers} if mistake.method == "POST" else mistake.headers
    found = send(address, mistake.path, mistake.content, mistake.method, **headers)
    assert found.status == mistake.status and found.headers["content-type"] == "application/json"
    assert found.json.keys() == {"error"}
    assert mistake.says in found.json["error"] and "\n" not in found.json["error"]
    assert str(competition.ROOT) not in found.content.decode() and "/proc" not in found.content.decode()
    assert send(address, "/health").status == 200


def test_a_large_request_is_read_to_its_end_and_no_further(address):
    for parts in ([b" " * 9000] * 3, [b" " * 9000] * 40):
        with connected(address) as client:
            head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            client.sendall(head)
            with contextlib.suppress(ConnectionError):  # it does not read on without end
                for part in parts:
                    client.sendall(b"%x\r\n%s\r\n" % (len(part), part))
                client.sendall(b"0\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert client.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_answers_may_hold_anything(address):
    texts = ["<script>alert(1)</script>", "\ud800", "甲\u2028乙\0", ""]
    found = send(address, "/predict/one", {"examples": texts})
    assert found.json["answers"] == [text * 2 for text in texts]
    assert send(address, "/predict", []).json["answers"] == []
    assert send(address, "/predict", {"run": "one", "examples": ["a"]}).json["answers"] == ["aa"]


def test_with_several_runs_one_is_named():
    with serving(runs=("one", "two", "甲 1")) as (address, gate, _):
        assert send(address, "/predict/two", ["a"]).json["run"] == "two"
        assert send(address, "/predict", {"run": "one", "examples": ["a"]}).json["run"] == "one"
        assert send(address, "/predict/%E7%94%B2%201", ["a"]).json["run"] == "甲 1"
        unnamed = send(address, "/predict", ["a"])
        assert unnamed.status == 400 and "one, two, 甲 1" in unnamed.json["error"]
        assert [key for key, _ in gate.asked] == [("two", "answers"), ("one", "answers"), ("甲 1", "answers")]
        told = send(address, "/runs").json
        assert told["runs"] == [{"name": name, "task": FakeRun.task} for name in ("one", "two", "甲 1")]
        assert len(send(address, "/samples/two").json["examples"]) > 1


def test_no_answer_in_time_and_too_many_at_once():
    limits = replace(LIMITS, timeout_seconds=0.5)
    with serving(limits, most_jobs=1) as (address, gate, worker):
        with busy(worker, gate, ("one", "answers")):
            late = send(address, "/predict", ["late"])
            assert late.status == 504 and "0.5 seconds" in late.json["error"]
            worker.ask("another", ["a"])
            full = send(address, "/predict", ["full"])
            assert full.status == 503 and full.headers["retry-after"] == "1" and "again" in full.json["error"]
        until(lambda: not worker._waiting)
        assert "late" not in str(gate.asked)
        with connected(address) as client:  # who sends nothing more
            client.sendall(
                b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n["
            )
            assert client.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_who_goes_is_not_worked_for():
    with serving() as (address, gate, worker):
        with busy(worker, gate, ("one", "answers")):
            with connected(address) as client:
                client.sendall(
                    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n"
                    b'["gone"]'
                )
                until(lambda: len(worker._waiting) == 1)
            until(lambda: worker._waiting[0].answers.cancelled())
        assert send(address, "/predict", ["there"]).status == 200
        assert "gone" not in str(gate.asked)


def test_attributions_are_asked_for():
    with serving() as (address, gate, _):
        found = send(address, "/attributions", {"examples": ["a", "b"], "output": 1})
        assert found.json == {"run": "one", "task": FakeRun.task, "attributions": ["aa", "bb"]}
        assert gate.asked == [(("one", "attributions"), ["a", "b"])]


def test_characters_are_those_of_all_texts_but_tables():
    record = {
        "question": "甲乙",
        "passages": [{"passage": "丙"}, {"passage": "丁戊"}],
        "n": 5,
        "table": {"header": ["己"]},
    }
    assert characters(record) == 5


def test_our_own_mistake_is_told_without_its_place(capsys):
    with serving() as (address, _, _):
        found = send(address, "/predict", ["wrong"])
        assert found.status == 500 and "/some/place" not in found.content.decode()
        assert send(address, "/predict", ["right"]).status == 200
    assert "/some/place" in capsys.readouterr().err


def test_a_request_is_one_line_in_the_log_without_its_text(capsys):
    with serving() as (address, _, _):
        send(address, "/predict/one?secret", ["secret", "secret"])
        send(address, "/secr%1B%0Aet?secret", None)
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d 127\.0\.0\.1 POST /predict/one 200 2 examples \d+ ms", first)
    assert second.endswith(r" GET /secr\x1b\x0aet 404")


# The page


def test_the_page_runs_nothing_but_what_is_served_with_it(address):
    found = send(address, "/")
    policy = found.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'"} <= {*policy}
    assert "unsafe" not in found.headers["content-security-policy"]
    assert found.headers["x-content-type-options"] == "nosniff"
    files = {name: send(address, f"/{name}") for name in FILES}
    for name, file in files.items():
        assert file.status == 200 and file.headers["content-type"].startswith(FILES[name])
    html, script = found.content.decode(), "".join(file.content.decode() for file in files.values())
    assert {*re.findall(r'(?:src|href)="([^"]*)"', html)} == {*FILES}
    assert not re.search(r"<script(?![^>]*src)|<style|\son[a-z]+=|style=", html)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|new Function|https?:", script)
    assert 'data-language=""' in html


def test_the_page_says_all_in_both_languages():
    english, chinese = (
        re.findall(r'"([^"]+)": ', part) for part in PAGE.with_name("words.js").read_text("utf-8").split("\n  zh: {")
    )
    assert english == chinese and len(english) > 50
    asked = re.findall(
        r'data-word="([^"]+)"|\bword\("([^"]+)"\)',
        "".join(PAGE.with_name(name).read_text("utf-8") for name in (PAGE.name, *FILES) if name != "words.js"),
    )
    assert {"".join(one) for one in asked} <= {*english}


def test_the_page_may_be_asked_for_in_a_language():
    gate = Gate()
    worker = Worker(lambda: None, gate)
    worker.start()
    with on_a_thread(worker, {"one": FakeRun()}, language="zh") as address:
        assert b'data-language="zh"' in send(address, "/").content


# Runs


@in_default(RELATION_EXTRACTION, WEBQA, reason="tests/test_shown.py has all contests, and the page's tests show them")
def test_an_answer_is_shown_with_its_texts(workshop, opened, contest):
    live = opened(contest)
    records = [typed(contest, example) for example in workshop.trained(contest).examples[:3]]
    asked = [served_runs.Asked(example, True) for example in live.examples(records)]
    plain = served_runs.answer(live, [one._replace(is_shown=False) for one in asked])
    for one, without in zip(served_runs.answer(live, asked), plain):
        assert without.keys() == {"answer", "scores"} and one["answer"] == without["answer"]
        assert one.keys() == {"answer", "scores", "texts", "marks", "lines"} and one["lines"]
        assert all(0 <= start < end <= len(one["texts"][text][1]) for text, start, end, _ in one["marks"])


@in_default(
    RELATION_EXTRACTION,
    WEBQA,
    reason="a text and a question with passages stand for all; tests of attributions have each",
)
def test_attributions_are_those_of_the_characters(workshop, opened, contest):
    live = opened(contest)
    records = [typed(contest, example) for example in workshop.trained(contest).examples[:1]]
    (example,) = live.examples(records)
    whole, none = served_runs.work(
        {"a": live}, ("a", "attributions"), [served_runs.Why(example, one) for one in (None, 99)]
    )
    assert none is None and whole["answer"] == live.answers([example])[0].record and whole["outputs"]
    first, *_ = served_runs.attributions(live, [served_runs.Why(example, 0)])
    for found in (whole, first):
        assert [len(values) for values in found["attributions"]] == [len(text) for _, text in found["texts"]]
        total = sum(sum(values) for values in found["attributions"]) + found["elsewhere"]
        change = found["value"] - found["baseline"]
        assert abs(total - change) <= (found["error"] + 0.01) * abs(change) + 0.01
    assert any(any(values) for values in whole["attributions"])


def test_runs_have_names_of_their_own(tmp_path):
    class Run(NamedTuple):
        path: object
        config: dict

    def run(*parts, task="nl2sql"):
        return Run(tmp_path.joinpath(*parts), {"task": task})

    assert served_runs.names_of([run("x", "a"), run("x", "b")]) == ["a", "b"]
    two = [run("x", "a"), run("y", "a", task="webqa_dgcnn"), run("b")]
    assert served_runs.names_of(two) == ["nl2sql-a", "webqa_dgcnn-a", "b"]
    refused(lambda: served_runs.names_of([run("x", "a"), run("y", "a")]), "nl2sql-a", "2 runs")


# The script


@these(WEBQA)
def test_what_cannot_be_served_is_one_line(contest, workshop, tmp_path, monkeypatch):
    run = workshop.trained(contest).run
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        check_refusal(run_here(SCRIPTS, "serve", [run, "--port", port]), f"--port {port}", "in use")
    check_refusal(run_here(SCRIPTS, "serve", [run, "--host", "192.0.2.1", "--port", 0]), "--host 192.0.2.1")
    check_refusal(run_here(SCRIPTS, "serve", [run, "--host", "no.such.name.invalid"]), "--host no.such.name.invalid")
    check_refusal(run_here(SCRIPTS, "serve", [tmp_path]), "no run directory")
    check_refusal(run_here(SCRIPTS, "serve", [run, run, "--port", 0]), "2 runs")
    check_refusal(run_here(SCRIPTS, "serve", [run, "--port", 70000]), "--port 70000")
    monkeypatch.setattr(serve.importlib.util, "find_spec", lambda name: None)
    check_refusal(run_here(SCRIPTS, "serve", [run]), "starlette and uvicorn", "requirements-serve.lock")


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow(reason="SIGTERM does"))]
)
@these(RELATION_EXTRACTION)
def test_a_signal_ends_it_in_order(workshop, contest, number):
    trained = workshop.trained(contest)
    command = [sys.executable, SCRIPTS / "serve.py", trained.run, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        said = [process.stdout.readline() for _ in range(2)]
        address = re.search(r"http://127\.0\.0\.1:\d+", said[1])[0]
        found = send(address, "/predict", [typed(contest, example) for example in trained.examples])
        assert [one["answer"]["spo_list"] != [] for one in found.json["answers"]] == [True] * len(trained.examples)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "") and re.search(r"stopped after \d+ batches\n$", out)


# How fast it is


def test_each_answer_of_the_measurement_is_compared():
    worker = Worker(lambda: None, lambda tool, key, asked: [{"answer": {"id": "x", "a": one.example}} for one in asked])
    worker.start()
    records = ["one", "two", 3]
    with on_a_thread(worker, {"one": FakeRun()}) as address:
        server = serving_speed.Server(address, os.getpid())
        figures = serving_speed.asked(server, records, [{"a": "one"}, {"a": "2"}, {"a": "3"}], 3, 0)
    assert len(figures) == 1 and 0 < figures[0] < 60 and 0 <= figures.cpu_seconds < 60
    assert figures.row(2)[:3] == [1, 2, "0.5"]
    wrong = "example 2: another answer than that of predict.py"
    assert {line if line == wrong else line[:10] for line in figures.errors} == {wrong, "status 400"}
    gone = serving_speed.asked(server, records[:1], [{"a": "one"}], 1, 0)
    assert gone == [] and len(gone.errors) == 1 and "Refused" in gone.errors[0]


@pytest.mark.slow(reason="test_each_answer_of_the_measurement_is_compared and the test of signals have its parts")
@every_contest
def test_a_run_is_measured(workshop, contest, capsys):
    flags = [workshop.trained(contest).run, "--clients", "4", "--seconds", "1", "--alone-seconds", "1"]
    found = serving_speed.main([str(flag) for flag in flags])
    assert found["errors"] == 0 and found["requests"] > 2 and found["together"] > 0 and found["alone"] > 0
    assert "batches in all" in capsys.readouterr().out
