"""How long a page of a run with many texts takes to open: python tests/large_page.py TEXTS [CHARACTERS]

It makes a run of relation extraction that nobody trained, with so many texts of dev out of the bundled sample, each
lengthened to so many characters (120 unless told), half of them with a wrong answer; writes its page, opens it in
headless Chromium five times, and prints seconds and sizes. Where other programs want the same core, the seconds that
the processor worked for the browser, all of its processes together, are the figure to look at."""

import contextlib
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from common.submission import write_json_lines

import competition
import report
from browser import chromium, complaints
from contests import RELATION_EXTRACTION
from made_runs import dev_of, made_run
from workshop import sample_of


def large_run(folder: Path, count: int, characters: int = 120) -> Path:
    """A run with so many texts of dev."""
    sample = sample_of(RELATION_EXTRACTION)
    examples = dev_of(RELATION_EXTRACTION, sample)
    padding = "".join(example.text for example in examples)
    data = folder / "data"
    data.mkdir(parents=True)
    for name in ("train.json", "schema.json"):
        (data / name).write_bytes((sample / name).read_bytes())
    made = []
    for number in range(count):
        example = examples[number % len(examples)]
        start = 37 * number % len(padding)
        text = f"{example.text}（{number}）" + (padding * 2)[start : start + characters]
        made.append(replace(example, text=text[: max(characters, len(example.text) + 8)]))
    task = competition.load(RELATION_EXTRACTION.folder, "task")
    schema = task.Schema.read(data / "schema.json")
    write_json_lines(
        data / "dev.json", (task.submission_record(example.text, example.triples, schema) for example in made)
    )
    said = [one.triples if number % 2 else one.triples[1:] for number, one in enumerate(made)]
    return made_run(RELATION_EXTRACTION, folder, "large", said, data)


def seconds_to_open(driver, path: Path) -> float:
    """From the beginning of the navigation until the list of errors stands on the screen."""
    driver.get("about:blank")
    begun = time.perf_counter()
    driver.get(path.resolve().as_uri())
    assert driver.find_element("css selector", "#list article")
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    return time.perf_counter() - begun


def processor_seconds(root: int) -> float:
    """What a process and all below it have taken of the processor."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
            seconds[int(stat.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    waiting, total = [root], 0.0
    while waiting:
        process = waiting.pop()
        total += seconds.get(process, 0.0)
        waiting += children.get(process, [])
    return total


def main() -> None:
    count, characters = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 120
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run, page = large_run(folder, count, characters), folder / "report.html"
        begun, before = time.perf_counter(), time.process_time()
        report.main([run, "--output", page, "--attributions", "0", "--language", "en"])
        seconds, worked = time.perf_counter() - begun, time.process_time() - before
        print(f"written in {seconds:.1f} seconds, {worked:.1f} of the processor, {page.stat().st_size / 1e6:.1f} MB")
        with chromium(folder) as driver:
            for _ in range(5):
                before = processor_seconds(driver.service.process.pid)
                seconds = seconds_to_open(driver, page)
                worked = processor_seconds(driver.service.process.pid) - before
                print(f"opened in {seconds:.2f} seconds, {worked:.2f} of the processor")
            begun = time.perf_counter()
            driver.execute_script("change({ q: '2010' })")
            print(f"searched in {time.perf_counter() - begun:.2f} seconds, {complaints(driver)}")


if __name__ == "__main__":
    main()
