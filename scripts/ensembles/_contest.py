"""What the modules of all contests share: how one is opened, and means of candidates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from common.runs.directory import Run

from contest_folders import load

Candidate = dict[str, Any]


@dataclass
class Opened:
    """A contest as one of its runs knows it, for reading and deciding: none of its networks. tables: of NL2SQL, where
    the tables of the input are. made: what the module of the contest makes of this once."""

    run: Run
    tables: Path | None = None
    made: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def task(self) -> ModuleType:
        return self.module("task")

    @cached_property
    def decode(self) -> ModuleType:
        return self.module("decode")

    def module(self, name: str) -> ModuleType:
        return load(self.run.config["task"], name)


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
