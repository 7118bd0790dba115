"""What a run is: its history, settings, versions and data. No TensorFlow."""

import json
import math
from typing import Any

from common.command_line import UserError
from common.runs.directory import Run
from common.runs.values import settings_to_json

from contest_folders import load
from dev_results import DevResults, check_finished
from page_markup import Html, joined, tag
from report_page.drawings import curve
from report_page.words import Words

#: Figures that count, and are no curve worth looking at.
NO_CURVES = {"total", "skipped", "answered", "questions", "total_all", "skipped_all"}


def history_of(run: Run) -> list[dict[str, float | None]]:
    """The figures of each epoch; what is no finite number is None. Raises UserError where the file is damaged."""
    try:
        lines = run.history.read_text("utf-8").splitlines() if run.history.is_file() else []
        epochs = [json.loads(line) for line in lines]
        return [{str(name): _number(value) for name, value in epoch.items()} for epoch in epochs]
    except (ValueError, AttributeError, RecursionError):
        raise UserError(f"{run.history}: cannot be read - it is damaged: train the run again") from None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and abs(value) < 1e300 else None


def unfinished(run: Run) -> str | None:
    """What is to be said of a run whose training has not come to its end."""
    try:
        check_finished(run)
    except UserError as error:
        return str(error)
    return None


def best_epoch(history: list[dict[str, float | None]], metric: str) -> int | None:
    """The place of the epoch that the weights and predictions are from: the first of the best."""
    scores = [epoch.get(f"{metric}_all", epoch.get(metric)) for epoch in history]
    known = [score for score in scores if score is not None]
    return scores.index(max(known)) if known else None


def figure_name(name: str, words: Words) -> str:
    """A figure of the metric as one reads it."""
    return words({"em": "exact"}.get(name, name.replace("_", " ")))


def curves(results: DevResults, history: list[dict[str, float | None]], words: Words) -> Html:
    """A small drawing for each figure: the score that counts, the loss, then the others."""
    names = list(dict.fromkeys(name for epoch in history for name in epoch))
    losses = [name for name in names if name == "loss" or name.endswith("_loss")]
    scores = [name for name in names if name in results.figures and name not in NO_CURVES and not name.endswith("_all")]
    scores.sort(key=lambda name: name != results.metric)
    best = best_epoch(history, results.metric)
    top = max((epoch.get(name) or 0.0 for epoch in history for name in scores), default=1.0)
    drawings = []
    for name in [*scores[:1], *losses[:1], *scores[1:], *losses[1:]]:
        values = [epoch.get(name) for epoch in history]
        last = next((value for value in reversed(values) if value is not None), None)
        if last is None:
            continue
        shown = values[best] if best is not None and values[best] is not None else last
        called = figure_name(name, words) if name in scores else name
        title = joined(tag("b", called), " ", tag("span", f"{shown:.4g}", class_="value"))
        drawing = curve(values, name, top if name in scores else None, best)
        drawings.append(tag("figure", tag("figcaption", title), drawing))
    return tag("div", *drawings, class_="curves")


def settings_tables(results: DevResults, words: Words) -> tuple[Html, Html]:
    """The settings that differ from the defaults of train.py, and all of them."""
    given = flat(results.run.config["settings"])
    defaults = flat(settings_to_json(load(results.task, "train").Config()))
    changed = {name: value for name, value in given.items() if defaults.get(name, value) != value}
    changed.pop("run_name", None)
    head = tag("tr", *(tag("th", words(title)) for title in ("setting", "value", "default")))
    rows = [
        tag("tr", tag("td", flag(name)), tag("td", shown(value)), tag("td", shown(defaults.get(name))))
        for name, value in changed.items()
    ]
    few = tag("table", tag("thead", head), tag("tbody", *rows)) if rows else tag("p", words("All are the defaults."))
    everything = pairs({flag(name): shown(value) for name, value in given.items()})
    return few, everything


def flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by the name of their flag, those of embedded dataclasses among the others."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= flat(value) if isinstance(value, dict) else {name: value}
    return found


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def shown(value: Any) -> str:
    """A setting as one reads it."""
    if value is None or value == []:
        return "–"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def pairs(values: dict[str, Any]) -> Html:
    """A table of two columns."""
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in values.items()]
    return tag("table", tag("tbody", *rows), class_="pairs")


def data_table(results: DevResults, words: Words) -> Html:
    """Files with their fingerprints, how many examples, and what was left out, by reason."""
    rows = []
    for role, described in results.run.config["data"].items():
        counts = [f"{name} {value}" for name, value in described.items() if isinstance(value, int)]
        lost = described.get("lost") or described.get("skipped") or {}
        reasons = (
            [tag("div", f"{count} × {reason}") for reason, count in lost.items()] if isinstance(lost, dict) else []
        )
        rows.append(
            tag(
                "tr",
                tag("th", role, scope="row"),
                tag("td", described.get("file", "–")),
                tag("td", ", ".join(counts) or "–"),
                tag("td", *reasons) if reasons else tag("td", "–"),
                tag("td", tag("code", str(described.get("sha256", "–"))[:16])),
            )
        )
    head = [tag("th", words(title)) for title in ("part", "file", "counts", "left out or mended", "SHA-256")]
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))
