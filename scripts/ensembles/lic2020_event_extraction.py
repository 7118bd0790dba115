"""Event extraction: members agree on a span where type, role and place are the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.runs.directory import Run

from ensembles._contest import Candidate, Opened, mean_candidates

EMPTY: list[Any] = []
KNOWN = "a schema"
_KEY = ("event_type", "role", "text", "start")
_SCHEMA = "event_schema.json"


def known(run: Run) -> bytes:
    return run.file(_SCHEMA).read_bytes()


def read(opened: Opened, path: Path, skipped: Counter[str]) -> list[Any]:
    return opened.task.read(path, _schema(opened), labelled=False, skipped=skipped)


def grid(opened: Opened, settings: Any) -> list[Any]:
    return [settings, *opened.decode.GRID]


def merge(opened: Opened, lines: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    lists = [line["candidates"] for line in lines]
    return {"candidates": _without_doubles(mean_candidates(lists, weights, _KEY), lists)}


def choose(opened: Opened, example: Any, line: dict[str, Any], settings: Any) -> list[Any]:
    found = [opened.decode.Candidate(**one) for one in line["candidates"]]
    return opened.decode.choose(example, found, settings, _classes(opened))


def check(opened: Opened, example: Any, prediction: list[Any], where: str) -> None:
    schema = _schema(opened)
    record = opened.task.submission_record(example.id, prediction, schema)
    opened.task.check_record(record, schema, where, example.text)


def write(opened: Opened, output: Path, examples: Sequence[Any], predictions: Iterable[list[Any]]) -> None:
    schema = _schema(opened)
    opened.task.write_submission(output, [example.id for example in examples], predictions, schema)
    opened.task.check_submission(output, schema, examples)


def counts(opened: Opened, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
    return opened.decode.counts(examples, predictions)


def score(opened: Opened, total: Any) -> float:
    return opened.decode.f1(total)


def _without_doubles(merged: Sequence[Candidate], lists: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """The merged ones without those below 0.5 that overlap a better one of their class of which no member thinks at the
    same time: two members that see the borders of one argument differently would be paid for both (see decode.py).
    What one member lists together it has judged itself."""
    by_member = [{tuple(one[name] for name in _KEY) for one in candidates} for candidates in lists]
    kept: list[tuple[Candidate, set[int]]] = []
    for one in merged:
        key = tuple(one[name] for name in _KEY)
        members = {number for number, keys in enumerate(by_member) if key in keys}
        if one["probability"] > 0.5 or not any(
            _overlap(one, better) and members.isdisjoint(others) for better, others in kept
        ):
            kept.append((one, members))
    return [one for one, _ in kept]


def _overlap(one: Candidate, other: Candidate) -> bool:
    is_class = one["event_type"] == other["event_type"] and one["role"] == other["role"]
    ends = (each["start"] + len(each["text"]) for each in (one, other))
    return is_class and max(one["start"], other["start"]) < min(ends)


def _schema(opened: Opened) -> Any:
    if "schema" not in opened.made:
        opened.made["schema"] = opened.task.Schema.read(opened.run.file(_SCHEMA))
    return opened.made["schema"]


def _classes(opened: Opened) -> Any:
    if "classes" not in opened.made:
        opened.made["classes"] = opened.module("features").Classes(_schema(opened))
    return opened.made["classes"]
