"""What is alike in most contests, and means of candidates. No TensorFlow."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from common.runs.directory import Run

from contest_folders import load
from live_runs import schema_of

Candidate = dict[str, Any]
Line = dict[str, Any]


class AnyContest:
    """A contest as one of its runs knows it, for reading, deciding and writing: none of its networks.

    A line is what common.candidates says: {"candidates": [...]}. tables: of NL2SQL, where the tables of the input are.
    """

    #: The prediction in place of one that the judge would refuse.
    EMPTY: Any = ""
    #: What all members must have in common, in words; see `known`.
    KNOWN = "nothing"

    def __init__(self, run: Run, tables: Path | None = None):
        self.run, self.tables = run, tables

    @staticmethod
    def known(run: Run) -> Any:
        """What all members must have in common, such as their schema."""

    def module(self, name: str) -> ModuleType:
        """`task`, `decode`, ... of the contest's folder."""
        return load(self.run.config["task"], name)

    @cached_property
    def task(self) -> ModuleType:
        return self.module("task")

    @cached_property
    def decode(self) -> ModuleType:
        return self.module("decode")

    @cached_property
    def schema(self) -> Any:
        """That of the run; None in a contest without one."""
        return schema_of(self.run, self.task)

    @property
    def Settings(self) -> type:
        """Those of decoding, with those that only an ensemble has."""
        return self.decode.Settings

    def read(self, path: Path, skipped: Counter[str]) -> list[Any]:
        """The examples of an input file, as predict.py reads them."""
        others = [] if self.schema is None else [self.schema]
        return self.task.read(path, *others, labelled=False, skipped=skipped)

    def grid(self, settings: Any) -> list[Any]:
        """The settings of decoding that dev may choose between, `settings` among them."""
        return [settings, *self.decode.GRID]

    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
        """Of lines of several files of scores, all of one example, the line of the ensemble. That of one member is
        merged into itself, and so are equal ones."""
        raise NotImplementedError

    def told(self, example: Any, line: Line, settings: Any) -> Line:
        """A merged line as a file of scores has it."""
        return line

    def choose(self, example: Any, line: Line, settings: Any) -> Any:
        """The prediction out of such a line, as predict.py would choose it."""
        raise NotImplementedError

    def check(self, example: Any, prediction: Any, where: str) -> None:
        """Raises UserError where the judge would refuse it: then EMPTY is submitted."""
        self.task.check_answer(prediction, example)

    def write(self, output: Path, examples: Sequence[Any], predictions: Iterable[Any]) -> None:
        """Write the submission."""
        self.task.write_submission(output, list(predictions))

    def check_submission(self, output: Path, examples: Sequence[Any]) -> None:
        """The organisers' rules for a submission, as predict.py applies them. Raises UserError."""
        self.task.check_submission(output, examples)

    def counts(self, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
        """What each prediction counts, (examples, n)."""
        return self.decode.counts(examples, predictions)

    def score(self, total: Any) -> float:
        """The official figure of such counts, added up."""
        return self.decode.f1(total)


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """The same in any order, and of equal values exactly that value."""
    least = min(values)
    return least + math.fsum(weight * (value - least) for value, weight in zip(values, weights)) / math.fsum(weights)


def mean_candidates(
    lists: Sequence[Sequence[Candidate]],
    weights: Sequence[float],
    key: Sequence[str],
    averaged: Sequence[str] = ("probability",),
) -> list[Candidate]:
    """The candidates of several members for one example, each once, the most probable first, with the means of their
    probabilities: who does not list a candidate finds it impossible.

    key: the fields by which two members speak of one candidate. averaged: those of which the mean is taken. All others
    are as the surest member has them. What is equally probable stays in the order of the first member that lists it.
    """
    members: dict[tuple, list[Candidate | None]] = {}
    for number, candidates in enumerate(lists):
        for one in candidates:
            members.setdefault(tuple(one[name] for name in key), [None] * len(lists))[number] = one
    merged = []
    for found in members.values():
        surest = max((one for one in found if one), key=lambda one: one["probability"])
        means = {name: weighted_mean([one[name] if one else 0.0 for one in found], weights) for name in averaged}
        merged.append({**surest, **means})
    return sorted(merged, key=lambda one: -one["probability"])
