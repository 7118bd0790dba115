"""The page of scripts/report.py in a real browser: it opens, filters, sorts, shows marks, and runs nothing of what stands
in texts. Skipped with a word where there is no browser."""

import numpy as np
import pytest

import report
from browser import chromium, complaints, needs_browser
from contests import EVENT_EXTRACTION, NL2SQL, every_contest
from dev_results import dev_results
from report_page.page import page
from report_page.words import Words
from report_runs import HOSTILE, Page, hostile_run, run_with_errors
from test_report import long_run

pytestmark = needs_browser


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def opened(driver, run, folder, weights=None, language="en", place=""):
    """Opens the page of a run, and gives what is in it."""
    path = folder / "report.html"
    path.write_text(
        page(report.report_of(dev_results(run), Words(language), weights=weights), Words(language)), "utf-8"
    )
    driver.get("about:blank")
    complaints(driver)
    driver.get(path.resolve().as_uri() + place)
    return Page(path)


def all_of(driver, selector):
    """The texts of elements. Half a surrogate pair, of which WebDriver knows nothing, is the sign for it."""
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent.toWellFormed())", selector
    )


def well_formed(text):
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def choose(driver, name, value):
    """What a user does to a control."""
    driver.execute_script(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1]; one.dispatchEvent(new Event('change'))",
        name,
        value,
    )


def search(driver, words):
    driver.execute_async_script(
        "const [words, done] = arguments; const one = document.getElementById('q'); one.value = words;"
        "one.dispatchEvent(new Event('input')); setTimeout(done, 200)",
        words,
    )


def places(driver):
    return [int(text[1:]) for text in all_of(driver, "#list .place")]


@every_contest
def test_it_opens_and_shows_marks_of_both_sides(contest, driver, tmp_path):
    content = opened(driver, run_with_errors(contest, tmp_path), tmp_path)
    rows = {row["place"]: row for row in content.rows()}
    wrong = sorted((row["score"], place) for place, row in rows.items() if row["kinds"])
    assert places(driver) == [place for _, place in wrong]
    for side, kind in enumerate(("right", "missed", "wrong")):
        marked = [
            row["texts"][part][start:end]
            for _, place in wrong
            for row in [rows[place]]
            for part, start, end, _, found in row["marks"]
            if found == side
        ]
        shown = "\n".join(all_of(driver, f"#list .mark.{kind}"))
        assert bool(shown) == bool(marked) and all(piece[:1] in shown for piece in marked)
    texts = all_of(driver, "#list .text")
    for _, place in wrong:
        # Folded parts of a long one are not there.
        assert all(text in texts or len(text) > 800 for text in rows[place]["texts"])
    assert complaints(driver) == []


def test_it_filters_sorts_and_keeps_that_in_its_address(driver, tmp_path):
    rows = opened(driver, run_with_errors(EVENT_EXTRACTION, tmp_path, count=60), tmp_path).rows()
    choose(driver, "show", "all")
    everything = sorted((row["score"], row["place"]) for row in rows)
    assert places(driver) == [place for _, place in everything[:20]]
    choose(driver, "sort", "longest")
    longest = sorted(rows, key=lambda row: (-row["length"], row["place"]))
    assert places(driver) == [row["place"] for row in longest[:20]]
    driver.execute_script("document.querySelector('.next').click()")
    assert places(driver) == [row["place"] for row in longest[20:40]]
    assert driver.current_url.endswith("#errors?show=all&sort=longest&page=2")
    choose(driver, "sort", "place")
    assert places(driver) == [*range(1, 21)]
    name = rows[1]["classes"][0]
    choose(driver, "class", driver.execute_script("return page.classes[arguments[0]][0]", name))
    expected = [row["place"] for row in rows if name in row["classes"]]
    assert places(driver) == expected[:20]
    word = rows[expected[0] - 1]["texts"][0][3:7]
    search(driver, f"{word.upper()}  {word[:2]}")
    assert places(driver) == [place for place in expected if word in rows[place - 1]["texts"][0]]
    assert word[:2] in "".join(all_of(driver, "#list .found"))
    search(driver, "没有这样的文本")
    assert places(driver) == [] and all_of(driver, ".pager .count")[0] == "Nothing fits."
    assert complaints(driver) == []


def test_a_name_in_a_table_leads_to_its_errors(driver, tmp_path):
    rows = opened(driver, run_with_errors(NL2SQL, tmp_path), tmp_path).rows()
    driver.execute_script(
        "[...document.querySelectorAll('#classes a')].find((one) => one.hash.includes('kind=')).click()"
    )
    kind = driver.execute_script("return page.kinds.findIndex(([name]) => name === state.kind)")
    assert kind >= 0 and sorted(places(driver)) == [row["place"] for row in rows if kind in row["kinds"]]
    place = places(driver)[0]
    driver.execute_script("document.querySelector('#list .place').click()")
    assert driver.execute_async_script("setTimeout(() => arguments[0](state.place), 50)") == str(place)
    assert places(driver) == [place]
    driver.execute_script("document.getElementById('one').click()")
    assert len(places(driver)) == sum(bool(row["kinds"]) for row in rows)


def test_the_keyboard_turns_pages_and_searches(driver, tmp_path):
    opened(driver, run_with_errors(EVENT_EXTRACTION, tmp_path, count=60), tmp_path, place="#errors?show=all&sort=place")
    body = driver.find_element("css selector", "body")
    body.send_keys("\ue014")  # arrow to the right
    assert places(driver) == [*range(21, 41)]
    body.send_keys("\ue012")
    assert places(driver) == [*range(1, 21)]
    body.send_keys("/")
    assert driver.switch_to.active_element.get_attribute("id") == "q"


def test_nothing_in_texts_and_names_is_run(driver, tmp_path):
    run, texts = hostile_run(tmp_path)
    opened(driver, run, tmp_path, place="#errors?show=all&sort=place")
    assert all_of(driver, "#list .text") == list(map(well_formed, texts))
    assert all_of(driver, "#list .name") == [well_formed(f"{number} {words}") for number, words in enumerate(HOSTILE)]
    for one in driver.find_elements("css selector", "#list .mark")[:10]:
        driver.execute_script("arguments[0].dispatchEvent(new MouseEvent('mouseover', { bubbles: true }))", one)
    search(driver, "<img src=x")
    assert len(places(driver)) == 1 and driver.execute_script("return window.pwned") is None
    assert driver.execute_script("return document.querySelectorAll('main img, main script, main b script').length") == 0
    assert complaints(driver) == []
    # And if something came in, it would not run.
    driver.execute_script(
        "const one = document.createElement('script'); one.textContent = 'window.pwned = 1'; document.body.append(one);"
        "const other = document.createElement('img'); other.src = 'https://example.org/x.png'; document.body.append(other);"
        "document.body.setAttribute('onclick', 'window.pwned = 1'); document.body.click()"
    )
    assert driver.execute_script("return window.pwned") is None
    assert len([one for one in complaints(driver) if "Content Security Policy" in one]) >= 3


def test_a_long_text_is_folded_around_its_marks(driver, tmp_path):
    text = "长" * 50_000 + "😀" + "地" * 50_000 + "完全不同的结尾啊"
    opened(driver, long_run(tmp_path, ["", text]), tmp_path)
    (empty, short) = all_of(driver, "#list .text")
    assert empty == "(no text)" and "… 99" in short and len(short) < 1000 and short.endswith("完全不同的结尾啊")
    driver.execute_script("document.querySelector('#list .more').click()")
    assert all_of(driver, "#list .text")[1] == text
    assert "".join(all_of(driver, "#list .mark.missed")) == text[-8:]


def test_attributions_are_behind_the_characters(driver, tmp_path):
    run = run_with_errors(EVENT_EXTRACTION, tmp_path)
    text = dev_results(run).examples[1].text
    weights = [None] * 12
    weights[1] = [np.where(np.arange(len(text)) == 2, 1.0, np.where(np.arange(len(text)) == 4, -0.5, 0.0))]
    opened(driver, run, tmp_path, weights, place="#errors?show=attributed")
    assert places(driver) == [2] and all_of(driver, "#list .text") == [text]
    assert all_of(driver, "#list .plus") == [text[2]] and all_of(driver, "#list .minus") == [text[4]]
    color = "return getComputedStyle(document.querySelector('#list .plus')).backgroundColor"
    assert driver.execute_script(color) == "rgba(230, 97, 1, 0.85)"
    driver.execute_script("document.getElementById('weights').click()")
    assert "230" not in driver.execute_script(color)


def test_it_speaks_chinese(driver, tmp_path):
    opened(driver, run_with_errors(EVENT_EXTRACTION, tmp_path), tmp_path, language="zh")
    assert driver.title.endswith("事件抽取（LIC2020）") and "错误" in all_of(driver, "h2")
    assert {"漏掉", "错误"} <= {*all_of(driver, "#list .lines b")}
