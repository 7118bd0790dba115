"""NL2SQL: members agree on columns with their aggregations, on the connection, and on the places of the question that are
values of a column. Of the means whole queries are made as of one network, and the first that says something when it is
executed is the answer. Or they vote with the whole queries that each finds probable: what most say when they are executed
is the answer, however they are written."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from common.runs.directory import Run
from common.runs.values import Between

from contest_folders import load
from ensembles._contest import AnyContest, Candidate, Line, mean_candidates, weighted_mean

_KEY = ("column", "start", "end")


class Settings(NamedTuple):
    """tries: as in decode.py, of the mean and of each that votes. choose_by: whether the mean answers as one network
    would, or members and mean vote."""

    tries: Annotated[int, Between(1, 10**6)] = 100
    choose_by: Literal["mean", "vote"] = "mean"


class Contest(AnyContest):
    EMPTY = load("nl2sql", "predict").NO_ANSWER
    KNOWN = "a rule for questions without a condition"
    Settings = Settings

    @staticmethod
    def known(run: Run) -> bool:
        """Whether a query may have no condition."""
        *_, unconditioned = load("nl2sql", "predict").built_with(run)
        return unconditioned

    def read(self, path: Path, skipped: Counter[str]) -> list[Any]:
        return self.task.read(path, self.tables or self.task.tables_of(path), labelled=False, skipped=skipped)

    def grid(self, settings: Settings) -> list[Settings]:
        return [settings, *(settings._replace(choose_by=one) for one in ("mean", "vote"))]

    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
        """The means of the parts, of which whole queries are made with the question only, see `choose`; and unless all
        say the same, which one network does not vote about, the whole queries of each."""
        parts = [line["parts"] for line in lines]
        voters = [] if all(one == parts[0] for one in parts) else [line["candidates"] for line in lines]
        whole = {name: _means([one[name] for one in parts], weights) for name in self.module("features").WHOLE}
        selections = _means([one["selections"] for one in parts], weights)
        found = _values([one["found"] for one in parts], weights)
        means = {"selections": selections, **whole, "found": found}
        return {"parts": means, "voters": voters, "weights": list(weights)}

    def told(self, example: Any, line: Line, settings: Settings) -> Line:
        """With its most probable queries, and those that are voted about."""
        told = self._considered(example, line).record()
        if settings.choose_by == "vote" and line["voters"]:
            votes = self.votes(example, line, settings)
            told["votes"] = [{**one["query"].record(), "probability": one["probability"]} for one in votes]
        return told

    def choose(self, example: Any, line: Line, settings: Settings) -> Any:
        if settings.choose_by == "vote" and line["voters"]:
            elected = self.elected(example, self.votes(example, line, settings))
            if elected:
                return elected
        return self.decode.write_query(example, self._scores(line), settings, self._budget)

    def votes(self, example: Any, line: Line, settings: Settings) -> list[Candidate]:
        """Each "query" that a member or the mean is to vote for, with its mean "probability", the most probable first.
        The mean is heard as one more member."""
        members = [[(self.task.query_of(one, ""), one["probability"]) for one in found] for found in line["voters"]]
        voters = [self._considered(example, line).queries, *members]
        lists = [
            [{"query": query, "probability": probability} for query, probability in queries[: settings.tries]]
            for queries in voters
        ]
        return mean_candidates(lists, [fmean(line["weights"]), *line["weights"]], ("query",))

    def elected(self, example: Any, votes: Sequence[Candidate]) -> Any | None:
        """The most probable query of those that together are most probable, since they mean the same. None where none
        means anything, and where one is too slow to be heard."""
        execution, columns = self.module("execution"), self.module("values").columns_of(example.table)
        parties: dict[Hashable, list[Candidate]] = {}
        for one in votes:
            try:
                meaning = execution.meaning(one["query"], example.table, columns, self._budget)
            except execution.TooSlow:
                return None
            if meaning is not None:
                parties.setdefault(meaning, []).append(one)
        if not parties:
            return None
        best = max(parties.values(), key=lambda party: math.fsum(one["probability"] for one in party))
        return best[0]["query"]

    def check(self, example: Any, prediction: Any, where: str) -> None:
        self.task.check_record(prediction.record(), example.table, where, self._unconditioned)

    def check_submission(self, output: Path, examples: Sequence[Any]) -> None:
        self.task.check_submission(output, examples, self._unconditioned)

    def counts(self, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
        each = self.module("metric").compare(examples, predictions)
        return [((one.logic_form + one.execution) / 2, 1) for one in each]

    def score(self, total: Any) -> float:
        return float(total[0] / total[1])

    @cached_property
    def _budget(self) -> Any:
        return self.module("execution").Budget()

    @cached_property
    def _unconditioned(self) -> bool:
        return self.known(self.run)

    def _considered(self, example: Any, line: Line) -> Any:
        """The means, and the most probable whole queries of them."""
        return self.decode.Considered.of(example, self._scores(line))

    def _scores(self, line: Line) -> Any:
        parts, kind = line["parts"], self.decode.Found
        found = [kind(**{**one, "operators": np.array(one["operators"])}) for one in parts["found"]]
        whole = {name: np.array(parts[name]) for name in ("selections", *self.module("features").WHOLE)}
        return self.decode.Scores(**whole, found=found)


def _means(values: Sequence[Any], weights: Sequence[float]) -> Any:
    """Of lists of lists of numbers, all of one shape, number by number."""
    if isinstance(values[0], list):
        return [_means(of_one, weights) for of_one in zip(*values, strict=True)]
    return weighted_mean(values, weights)


def _values(lists: Sequence[Sequence[dict[str, Any]]], weights: Sequence[float]) -> list[dict[str, Any]]:
    """The values that members have found, with the mean operators of those that have. Of two that overlap in a column,
    which no member has both found, they say the same in two ways: the more probable one stays, with the probability of
    both."""
    operators = {
        key: _means(
            [one["operators"] for one, _ in found],
            [weight for _, weight in found],
        )
        for key, found in _by_key(lists, weights).items()
    }
    keys = [{_key(one) for one in found} for found in lists]
    kept: list[dict[str, Any]] = []
    for one in mean_candidates(lists, weights, _KEY):
        rival = next((other for other in kept if _say_the_same(one, other, keys)), None)
        if rival:
            rival["probability"] = min(1.0, rival["probability"] + one["probability"])
        else:
            kept.append({**one, "operators": operators[_key(one)]})
    return sorted(kept, key=lambda one: -one["probability"])


def _by_key(lists: Any, weights: Sequence[float]) -> dict[tuple, list[tuple[dict[str, Any], float]]]:
    found: dict[tuple, list[tuple[dict[str, Any], float]]] = {}
    for values, weight in zip(lists, weights):
        for one in values:
            found.setdefault(_key(one), []).append((one, weight))
    return found


def _key(one: dict[str, Any]) -> tuple:
    return tuple(one[name] for name in _KEY)


def _say_the_same(one: dict[str, Any], other: dict[str, Any], keys: Sequence[set[tuple]]) -> bool:
    overlap = max(one["start"], other["start"]) < min(one["end"], other["end"])
    together = any(_key(one) in of_member and _key(other) in of_member for of_member in keys)
    return one["column"] == other["column"] and overlap and not together
