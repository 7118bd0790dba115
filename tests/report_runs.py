"""Runs and pages for the tests of scripts/report.py, and what a page holds."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import competition
from contests import EVENT_EXTRACTION, Contest
from helpers import write_lines
from made_runs import LABELS, dev_of, made_run, rotated
from workshop import sample_of

COUNT, WRONG = 12, (1, 2, 5, 9)

#: What would run, if a page took texts for HTML; each in its own way.
HOSTILE = (
    "</script><script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "<!--<script>",
    "' onmouseover='window.pwned = 1' \" onload=\"window.pwned = 1\"",
    "{{constructor.constructor('window.pwned = 1')()}}",
    "&lt;b&gt; \\u003c/script\\u003e \u2028\u2029\u202e\x00\x1b[31m",
    "half a pair \ud83d and a whole one 😀",
)


def run_with_errors(contest: Contest, folder: Path, data: Path | None = None, count: int = COUNT) -> Path:
    """A run on the first examples of dev that nobody trained, wrong in some places."""
    labels = list(map(LABELS[contest.folder], dev_of(contest, data or sample_of(contest))[:count]))
    return made_run(contest, folder, "one", rotated(labels, WRONG), data)


def hostile_run(folder: Path) -> tuple[Path, list[str]]:
    """A run of event extraction whose texts, event types, roles and ids are HTML and scripts; and its texts."""
    data = folder / "hostile"
    data.mkdir()
    schema, lines, texts = [], [], []
    for number, words in enumerate(HOSTILE):
        texts.append(f"{number} 天 {words} 地 {words}")
        event = {
            "event_type": words,
            "trigger": "天",
            "arguments": [{"role": words, "argument": words, "argument_start_index": 4, "alias": []}],
        }
        schema.append({"event_type": words, "role_list": [{"role": words}], "class": words})
        lines.append({"id": f"{number} {words}", "text": texts[-1], "event_list": [event]})
    write_bytes(data / "event_schema.json", schema)
    for name in ("train.json", "dev.json"):
        write_bytes(data / name, lines)
    task = competition.load(EVENT_EXTRACTION.folder, "task")
    train = competition.load(EVENT_EXTRACTION.folder, "train")
    examples = task.read(data / "dev.json", None, labelled=True)
    said = rotated([one.events for one in examples], (1, 3))
    config = train.Config(data_dir=data)
    config.training.epochs = 1
    evaluation = train.evaluation(examples, said, task.Schema.read(data / "event_schema.json"))
    run = made_run_of(config, evaluation, data, folder)
    return run, texts


def write_bytes(path: Path, records: list[dict]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")


def made_run_of(config: Any, evaluation: Any, data: Path, folder: Path) -> Path:
    """A run of event extraction with these settings and predictions."""
    from common.runs.directory import create_run, describe_file

    described = {name: describe_file(data / f"{name}.json") for name in ("train", "dev")}
    run = create_run(EVENT_EXTRACTION.folder, folder, "hostile <b>", config, described)
    run.write_json("dev_predictions.json", evaluation.predictions)
    write_lines(run.history, [{"epoch": 1, "<b>loss</b>": 1.0, **evaluation.metrics}])
    return run.path


class Page(HTMLParser):
    """The elements of a page, its text, and the JSON in it. `elements`: (name, attributes). `texts`: what stands inside
    of elements, without scripts and styles."""

    def __init__(self, path: Path):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.sources: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self.feed(path.read_text("utf-8"))
        self.close()
        self.data = json.loads(self.sources["script"][0])

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self._inside = tag
        if tag in self.sources:
            self.sources[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in self.sources:
            self.sources[self._inside][-1] += data
        elif data.strip():
            self.texts.append(data.strip())

    def rows(self) -> list[dict[str, Any]]:
        """The examples by the names of their columns, with texts, marks and lines as they are shown."""
        names = ("place", "name", "score", "length", "parts", "marks", "lines", "classes", "kinds", "weights")
        found = []
        for row in self.data["rows"]:
            one = dict(zip(names, row, strict=True))
            one["texts"] = [self.data["texts"][number] for number in one["parts"][1::2]]
            one["marks"] = [tuple(one["marks"][at : at + 5]) for at in range(0, len(one["marks"]), 5)]
            one["lines"] = [*zip(one["lines"][::2], one["lines"][1::2])]
            found.append(one)
        return found
