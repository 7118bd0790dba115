"""Relation extraction: members agree on subjects, and then on the objects of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.runs.directory import Run

from contest_folders import load
from ensembles._contest import Candidate, Opened, weighted_mean

EMPTY: list[Any] = []
KNOWN = "a schema or a head"
_SUBJECT = ("subject", "subject_start")
_KEY = (*_SUBJECT, "predicate", "slot", "object", "object_start")


def known(run: Run) -> tuple[bytes, str]:
    return run.file("schema.json").read_bytes(), _head(run)


def read(opened: Opened, path: Path, skipped: Counter[str]) -> list[Any]:
    return opened.task.read(path, _schema(opened), labelled=False, skipped=skipped)


def grid(opened: Opened, settings: Any) -> list[Any]:
    return [settings, *opened.decode.grid(_head(opened.run))]


def merge(opened: Opened, lines: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """A member that sees a subject and not one of its objects finds the object impossible, and not the subject."""
    lists = [line["candidates"] for line in lines]
    subjects = [_subjects(candidates) for candidates in lists]
    members: dict[tuple, list[Candidate | None]] = {}
    for number, candidates in enumerate(lists):
        for one in candidates:
            members.setdefault(_named(one, _KEY), [None] * len(lists))[number] = one
    have_objects = {key[: len(_SUBJECT)] for key in members if key[-1] is not None}
    merged = []
    for key, found in members.items():
        if key[-1] is None and key[: len(_SUBJECT)] in have_objects:
            continue
        subject = [
            one["subject_probability"] if one else of_member.get(key[: len(_SUBJECT)], 0.0)
            for one, of_member in zip(found, subjects)
        ]
        objects = None if key[-1] is None else [one["object_probability"] if one else 0.0 for one in found]
        means = [values and weighted_mean(values, weights) for values in (subject, objects)]
        merged.append(opened.decode.Candidate(*key, *means))
    return {"candidates": [one.record() for one in sorted(merged, key=lambda one: -one.probability)]}


def choose(opened: Opened, example: Any, line: dict[str, Any], settings: Any) -> list[Any]:
    kind = opened.decode.Candidate
    found = [kind(*_named(one, kind._fields)) for one in line["candidates"]]
    return opened.decode.choose(example, found, settings, _schema(opened), _nests(opened))


def check(opened: Opened, example: Any, prediction: list[Any], where: str) -> None:
    schema = _schema(opened)
    opened.task.check_record(opened.task.submission_record(example.text, prediction, schema), schema, where)


def write(opened: Opened, output: Path, examples: Sequence[Any], predictions: Iterable[list[Any]]) -> None:
    schema, texts = _schema(opened), [example.text for example in examples]
    opened.task.write_submission(output, texts, predictions, schema)
    opened.task.check_submission(output, schema, texts)


def counts(opened: Opened, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
    return opened.decode.counts(examples, predictions)


def score(opened: Opened, total: Any) -> float:
    return opened.decode.f1(total)


def _subjects(candidates: Sequence[Candidate]) -> dict[tuple, float]:
    """How probable each subject is at most."""
    found: dict[tuple, float] = {}
    for one in candidates:
        key = _named(one, _SUBJECT)
        found[key] = max(one["subject_probability"], found.get(key, 0.0))
    return found


def _named(candidate: Candidate, names: Sequence[str]) -> tuple:
    return tuple(candidate[name] for name in names)


def _head(run: Run) -> str:
    return load(run.config["task"], "predict").head_of(run)


def _nests(opened: Opened) -> bool:
    if "nests" not in opened.made:
        opened.made["nests"] = _head(opened.run) == "gplinker"
    return opened.made["nests"]


def _schema(opened: Opened) -> Any:
    if "schema" not in opened.made:
        opened.made["schema"] = opened.task.Schema.read(opened.run.file("schema.json"))
    return opened.made["schema"]
