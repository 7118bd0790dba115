"""Relation extraction: members agree on subjects, and then on the objects of each."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from common.runs.directory import Run

from contest_folders import load
from ensembles._contest import AnyContest, Candidate, Line, weighted_mean

_SUBJECT = ("subject", "subject_start")
_KEY = (*_SUBJECT, "predicate", "slot", "object", "object_start")


class Contest(AnyContest):
    EMPTY: list[Any] = []
    KNOWN = "a schema or a head"

    @staticmethod
    def known(run: Run) -> tuple[bytes, str]:
        return run.file("schema.json").read_bytes(), _head(run)

    def grid(self, settings: Any) -> list[Any]:
        return [settings, *self.decode.grid(self.head)]

    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
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
            merged.append(self.decode.Candidate(*key, *means))
        return {"candidates": [one.record() for one in sorted(merged, key=lambda one: -one.probability)]}

    def choose(self, example: Any, line: Line, settings: Any) -> list[Any]:
        kind = self.decode.Candidate
        found = [kind(*_named(one, kind._fields)) for one in line["candidates"]]
        return self.decode.choose(example, found, settings, self.schema, self.head == "gplinker")

    def check(self, example: Any, prediction: list[Any], where: str) -> None:
        record = self.task.submission_record(example.text, prediction, self.schema)
        self.task.check_record(record, self.schema, where)

    def write(self, output: Path, examples: Sequence[Any], predictions: Iterable[list[Any]]) -> None:
        self.task.write_submission(output, [example.text for example in examples], predictions, self.schema)

    def check_submission(self, output: Path, examples: Sequence[Any]) -> None:
        self.task.check_submission(output, self.schema, [example.text for example in examples])

    @cached_property
    def head(self) -> str:
        return _head(self.run)


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
