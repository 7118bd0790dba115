"""The parts of the page put together. No TensorFlow."""

from pathlib import Path
from typing import Any, NamedTuple

from breakdowns import Breakdown, Table
from breakdowns.groups import lengths_of
from dev_results import DevResults
from page_markup import Html, data, joined, source, tag
from report_page import about
from report_page.errors import errors
from report_page.examples import RIGHT_FROM
from report_page.tables import bars, confusion
from report_page.words import Words

_FOLDER = Path(__file__).parent
#: What the contests are called.
TITLES = {
    "lic2020_relation_extraction": "Relation extraction (LIC2020)",
    "lic2020_event_extraction": "Event extraction (LIC2020)",
    "lic2020_reading_comprehension": "Reading comprehension (LIC2020)",
    "ccks2019_entity_linking": "Entity linking (CCKS2019)",
    "nl2sql": "SQL from questions (NL2SQL)",
    "webqa_dgcnn": "Question answering (WebQA)",
    "seq2seq_titling": "Title generation",
}

#: Contests in which an example has one answer.
_ONE_ANSWER = ("lic2020_reading_comprehension", "webqa_dgcnn", "nl2sql", "seq2seq_titling")

#: What the script says, by its names for it.
_SCRIPT_WORDS = {
    "score": "score",
    "characters": "{} characters",
    "right": "right",
    "missed": "missed",
    "wrong": "wrong",
    "accepted": "also right",
    "nothing": "Neither gold nor the prediction says anything.",
    "empty": "(no text)",
    "folded": "… {} characters …",
    "left": "[{} characters left out of this page]",
    "count": "{}–{} of {} (dev has {})",
    "none": "Nothing fits.",
    "unfold": "show {} more",
    "ofGold": "attributions of gold",
}


class Report(NamedTuple):
    """What is on the page. by_frequency: tables, or why there are none. unfinished: what is to be said of a training
    that has not come to its end. examples: see `examples.examples_json`."""

    results: DevResults
    history: list[dict[str, float | None]]
    parts: Breakdown
    by_length: Table
    by_frequency: list[Table] | str
    unfinished: str | None
    examples: dict[str, Any]


def page(report: Report, words: Words) -> str:
    """A whole HTML document that loads nothing and runs nothing but its own script."""
    style, script = ((_FOLDER / name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; script-src {source(script)}; style-src {source(style)}; base-uri 'none'; form-action 'none'"
    title = f"{report.results.run.path.name} – {words(TITLES[report.results.task])}"
    sections = {
        "curves": ("Curves", about.curves(report.results, report.history, words)),
        "classes": ("Score by class", _classes(report, words)),
        "confusion": ("Confusion", _confusions(report.parts, words)),
        "groups": ("Length and frequency", _groups(report, words)),
        "errors": ("Errors", errors(words)),
        "run": ("Settings and data", _run(report, words)),
    }
    links = (tag("li", tag("a", words(name), href=f"#{key}")) for key, (name, _) in sections.items())
    body = joined(
        tag("nav", tag("ul", tag("li", report.results.run.path.name), *links), aria_label=words("Parts of the page")),
        _head(report, words),
        tag(
            "main",
            *(tag("section", tag("h2", words(name)), inside, id=key) for key, (name, inside) in sections.items()),
        ),
        tag("footer", tag("p", words("Written by scripts/report.py; docs/report.md says what is what."))),
        Html(f'<script type="application/json" id="data">{_data(report, words)}</script>\n<script>{script}</script>'),
    )
    head = joined(
        Html('<meta charset="utf-8">\n'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">\n'),
        Html('<meta name="referrer" content="no-referrer">\n'),
        tag("title", title),
        Html(f"\n<style>{style}</style>"),
    )
    language = "zh-CN" if words.language == "zh" else "en"
    return f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _data(report: Report, words: Words) -> Html:
    said: dict[str, Any] = {name: words(english) for name, english in _SCRIPT_WORDS.items()}
    # One answer as a whole is neither missed nor spurious.
    sides = ("gold", "predicted") if report.results.task in _ONE_ANSWER else ("missed", "wrong")
    said["lines"] = [words(name) for name in ("right", *sides, "also right")]
    # A mark of answers and titles says nothing by its name.
    named = len(report.examples["labels"]) > 1
    return data({**report.examples, "words": said, "named": named, "tableTitle": words("table")})


def _head(report: Report, words: Words) -> Html:
    results, run = report.results, report.results.run
    wrong = int((results.scores < RIGHT_FROM).sum())
    best = about.best_epoch(report.history, results.metric)
    figures = {name: value for name, value in results.figures.items() if not name.endswith("_all")}
    main = figures.pop(results.metric)
    told = [_figure(about.figure_name(results.metric, words), main, True)]
    told += [
        _figure(about.figure_name(name, words), value) for name, value in figures.items() if name not in about.NO_CURVES
    ]
    told += [_figure(words("texts of dev"), len(results.examples)), _figure(words("not quite right"), wrong)]
    if best is not None:
        told.append(_figure(words("best epoch"), f"{best + 1} / {len(report.history)}"))
    seconds = sum(epoch.get("training_seconds") or 0 for epoch in report.history)
    if seconds:
        told.append(_figure(words("training"), _duration(seconds, words)))
    warning = tag("p", words("This run is not finished: what follows is of its best epoch so far."), class_="warning")
    return tag(
        "header",
        tag("h1", words(TITLES[results.task])),
        tag("p", f"{run.path}  ·  {run.config.get('created', '')}", class_="run"),
        warning if report.unfinished else None,
        tag("dl", *told, class_="figures"),
    )


def _figure(name: str, value: object, is_main: bool = False) -> Html:
    shown = f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
    return tag("div", tag("dt", name), tag("dd", shown), class_="main" if is_main else None)


def _duration(seconds: float, words: Words) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return words("{} s", f"{seconds:.0f}")
    return words("{} min", f"{minutes:.0f}") if minutes < 120 else words("{} h", f"{minutes / 60:.1f}")


def _classes(report: Report, words: Words) -> Html:
    filters = _filters(report)
    tables = [
        tag("div", tag("h3", words(table.title)), bars(table, words, filters.get(table.title)))
        for table in report.parts.tables
    ]
    return tag("div", *tables, class_="columns")


def _filters(report: Report) -> dict[str, str]:
    """By which of its filters the list of errors finds the rows of a table, by the title of the table."""
    classes = {name for some in report.parts.classes for name in some}
    kinds = {name for some in report.parts.kinds for name in some}
    found = {}
    for table in report.parts.tables:
        names = {row.name for row in table.rows}
        if names & kinds:
            found[table.title] = "kind"
        elif names <= classes:
            found[table.title] = "class"
    return found


def _confusions(parts: Breakdown, words: Words) -> Html:
    if not parts.confusions:
        return tag(
            "p",
            words("This contest has no classes that could be taken for each other, or they are not known here."),
            class_="note",
        )
    told = tag(
        "p",
        words("Rows are gold, columns are predictions; the darker, the greater the share of the row."),
        class_="note",
    )
    return joined(told, tag("div", *(confusion(one, words) for one in parts.confusions), class_="confusions"))


def _groups(report: Report, words: Words) -> Html:
    tables = [tag("div", tag("h3", words("By length")), bars(report.by_length, words))]
    if isinstance(report.by_frequency, str):
        reason = tag(
            "p", words("Left out, since the training data are not at hand:"), " ", report.by_frequency, class_="note"
        )
        tables.append(tag("div", tag("h3", words("By frequency in training")), reason))
    else:
        told = tag(
            "p", words("How often the training file has the rarest thing that gold of a text asks for."), class_="note"
        )
        for table in report.by_frequency:
            title = words("By frequency in training: {}", words(table.title))
            tables.append(tag("div", tag("h3", title), told, bars(table, words)))
    return tag("div", *tables, class_="columns")


def _run(report: Report, words: Words) -> Html:
    changed, everything = about.settings_tables(report.results, words)
    known = report.results.run.config.get("versions")  # of a stranger it may be anything
    versions = {name: version or "–" for name, version in known.items()} if isinstance(known, dict) else {}
    lengths = lengths_of(report.results)
    return joined(
        tag("h3", words("Settings that differ from the defaults")),
        tag("div", changed, class_="wide"),
        tag("details", tag("summary", words("All settings")), everything),
        tag("h3", words("Data")),
        tag("div", about.data_table(report.results, words), class_="wide"),
        tag(
            "p",
            words(
                "Texts of dev have {} to {} characters.", f"{min(lengths, default=0):,}", f"{max(lengths, default=0):,}"
            ),
            class_="note",
        ),
        tag("h3", words("Versions")),
        about.pairs(versions),
    )
