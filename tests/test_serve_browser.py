"""The page of scripts/serve.py in a real browser: it answers in every contest, and shows whatever is typed or named as
text."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from browser import chromium, complaints, needs_browser
from contests import NL2SQL, RELATION_EXTRACTION, in_default
from live_helpers import typed
from test_serve import until

pytest.importorskip("starlette", reason="requirements-serve.lock is not installed")
pytest.importorskip("uvicorn", reason="requirements-serve.lock is not installed")

from serving.runs import answer  # noqa: E402
from serving_helpers import LIMITS, Worker, on_a_thread  # noqa: E402

pytestmark = needs_browser
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>甲\'"</textarea>&lt;'
HOSTILE_NAME = HOSTILE.partition("<script>")[0]  # of a folder, and so without a slash


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser"), 1200, 900, "--lang=en") as driver:
        yield driver


def visible(driver, selector):
    """What is written in the elements that are shown."""
    return [one.text for one in driver.find_elements("css selector", selector) if one.is_displayed()]


def fill(driver, values):
    """Types into the fields, by their names."""
    for name, value in values.items():
        field = driver.find_element("id", f"field-{name}")
        driver.execute_script("arguments[0].value = arguments[1]", field, value)


def press(driver, name):
    driver.find_element("id", name).click()


def begin(driver, address):
    driver.get(address)
    until(lambda: driver.execute_script("return document.querySelector('#fields [id]')?.value"))


def ended(driver):
    return driver.find_elements("css selector", "#answer > *") or visible(driver, "#status.wrong")


def as_typed(record):
    """What somebody would type for a record, by field."""
    values = {name: value for name, value in record.items() if isinstance(value, str) and name not in ("id", "text_id")}
    if "passages" in record:
        values["passages"] = "\n".join(one["passage"] for one in record["passages"])
    if "table" in record:
        rows = [record["table"]["header"], *record["table"]["rows"]]
        values["table"] = "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in rows)
    return values


@in_default(RELATION_EXTRACTION, NL2SQL, reason="two contests stand for all: one text, and a question with a table")
def test_the_page_answers(workshop, opened, contest, driver):
    live = opened(contest)
    worker = Worker(lambda: live, lambda live, key, asked: answer(live, asked))
    worker.start()
    with on_a_thread(worker, {"a run": live}, replace(LIMITS, max_bytes=2**20, max_characters=20_000)) as address:
        begin(driver, address)
        assert len(visible(driver, "#fields label")) == len(
            as_typed(typed(contest, workshop.trained(contest).examples[0]))
        )
        for example in workshop.trained(contest).examples[:2]:
            record = typed(contest, example)
            fill(driver, as_typed(record))
            press(driver, "ask")
            until(lambda: ended(driver))
            (expected,) = live.answers(live.examples([record]))
            assert not visible(driver, "#status.wrong")
            shown = json.loads(driver.find_element("css selector", "#answer details pre").get_property("textContent"))
            ids = {"id", "text_id"}
            assert {k: v for k, v in shown.items() if k not in ids} == {
                k: v for k, v in expected.record.items() if k not in ids
            }
            assert visible(driver, "#answer mark") or contest.folder == "seq2seq_titling"
            press(driver, "clear")
        assert complaints(driver) == []


class FakeRun:
    task = "lic2020_relation_extraction"

    def examples(self, records):
        return [SimpleNamespace(text=record["text"], line=1) for record in records]


def hostile_answer(live, key, asked):
    if key[1] == "attributions":
        texts = [["text", asked[0].example.text]]
        found = {"answer": {}, "outputs": [HOSTILE, "another"], "output": asked[0].output, "texts": texts}
        return [{**found, "attributions": [[1.0, -2.0] + [0.0] * (len(HOSTILE) - 2)]}]
    triple = {"subject": HOSTILE, "predicate": HOSTILE, "object": {"@value": HOSTILE, HOSTILE: HOSTILE}}
    return [
        {
            "answer": {"text": one.example.text, "spo_list": [triple]},
            "scores": [{"probability": 0.5}],
            "texts": [["text", one.example.text]],
            "marks": [[0, 0, 9, HOSTILE], [0, 4, 20, f"{HOSTILE} subject"]],
            "lines": [HOSTILE],
        }
        for one in asked
    ]


def test_what_is_typed_and_named_is_shown_and_never_run(driver):
    worker = Worker(lambda: None, hostile_answer)
    worker.start()
    with on_a_thread(worker, {HOSTILE_NAME: FakeRun(), "another": FakeRun()}, language="en") as address:
        begin(driver, address)
        assert HOSTILE_NAME in driver.find_element("id", "run").text
        fill(driver, {"text": HOSTILE})
        press(driver, "ask")
        until(lambda: ended(driver))
        assert [cell for cell in visible(driver, "#answer tbody td")[:4]] == [
            HOSTILE,
            HOSTILE,
            HOSTILE,
            f"{HOSTILE}: {HOSTILE}",
        ]
        without_tags = """
            const text = document.querySelector("#answer .text").cloneNode(true);
            text.querySelectorAll(".tag").forEach((tag) => tag.remove());
            return text.textContent;
        """
        assert driver.execute_script(without_tags) == HOSTILE
        assert not driver.find_elements("css selector", "#answer img, #answer script, main img")
        assert driver.execute_script("return window.hacked") is None
        driver.find_element("css selector", "#why > button").click()
        until(lambda: visible(driver, "#why .output") or visible(driver, "#status.wrong"))
        assert visible(driver, "#why .output") == ["all of it", HOSTILE, "another"]
        weighed = "return [...document.querySelectorAll('#why .text span')].map(one => [one.textContent, one.style.backgroundColor])"
        (first, green), (second, red), *others = driver.execute_script(weighed)
        assert "--for" in green and "--against" in red and not any(colour for _, colour in others)
        assert "".join([first, second, *(letter for letter, _ in others)]) == HOSTILE
        driver.find_elements("css selector", "#why .output")[1].click()
        pressed = "return document.querySelector('#why .output[aria-pressed=true]')?.textContent"
        until(lambda: driver.execute_script(pressed) == HOSTILE)
        press(driver, "language")
        assert visible(driver, "#ask") == ["回答"] and HOSTILE in visible(driver, "#answer tbody td")
        assert complaints(driver) == []


def test_a_mistake_is_told_on_the_page(driver):
    worker = Worker(lambda: None, lambda *given: 1 / 0)
    worker.start()
    with on_a_thread(worker, {"one": FakeRun()}, language="zh") as address:
        begin(driver, address)
        press(driver, "clear")
        press(driver, "ask")
        assert visible(driver, "#status.wrong") == ["请先输入内容。"]
        fill(driver, {"text": "甲" * 5000})
        press(driver, "ask")
        until(lambda: ended(driver) and "10,000 bytes" in visible(driver, "#status.wrong")[0])
        fill(driver, {"text": "甲"})
        press(driver, "ask")
        until(lambda: "this server made a mistake" in "".join(visible(driver, "#status.wrong")))
        assert [line for line in complaints(driver) if "413" not in line and "500" not in line] == []
