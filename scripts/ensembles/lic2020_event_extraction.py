"""Event extraction: members agree on a span where type, role and place are the same; and those that tell which spans are of
one event (gplinker) on that."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from common.runs.directory import Run

from ensembles._contest import AnyContest, Candidate, Line, mean_candidates, weighted_mean

_KEY = ("event_type", "role", "text", "start")


class Contest(AnyContest):
    EMPTY: list[Any] = []
    KNOWN = "a schema"

    @staticmethod
    def known(run: Run) -> bytes:
        return run.file("event_schema.json").read_bytes()

    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
        lists = [line["candidates"] for line in lines]
        merged = _without_doubles(mean_candidates(lists, weights, _KEY), lists)
        linking = [(line, weight) for line, weight in zip(lines, weights) if "links" in line]
        return {"candidates": merged, **({"links": _links(merged, linking)} if linking else {})}

    def choose(self, example: Any, line: Line, settings: Any) -> list[Any]:
        return self.decode.choose(example, self.decode.Considered.of(line), settings, self.classes)

    def check(self, example: Any, prediction: list[Any], where: str) -> None:
        record = self.task.submission_record(example.id, prediction, self.schema)
        self.task.check_record(record, self.schema, where, example.text)

    def write(self, output: Path, examples: Sequence[Any], predictions: Iterable[list[Any]]) -> None:
        self.task.write_submission(output, [example.id for example in examples], predictions, self.schema)

    def check_submission(self, output: Path, examples: Sequence[Any]) -> None:
        self.task.check_submission(output, self.schema, examples)

    @cached_property
    def classes(self) -> Any:
        return self.module("features").Classes(self.schema)


def _without_doubles(merged: Sequence[Candidate], lists: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """The merged ones without those below 0.5 that overlap a better one of their class of which no member thinks at the
    same time: two members that see the borders of one argument differently would be paid for both (see decode.py).
    What one member lists together it has judged itself."""
    by_member = [set(map(_key, candidates)) for candidates in lists]
    kept: list[tuple[Candidate, set[int]]] = []
    for one in merged:
        members = {number for number, keys in enumerate(by_member) if _key(one) in keys}
        if one["probability"] > 0.5 or not any(
            _overlap(one, better) and members.isdisjoint(others) for better, others in kept
        ):
            kept.append((one, members))
    return [one for one, _ in kept]


def _links(merged: Sequence[Candidate], members: Sequence[tuple[Line, float]]) -> list[dict[str, Any]]:
    """The links of members, lines with weights, between the merged candidates: of each the mean over the members that
    know both of its ends."""
    numbers = {_key(one): number for number, one in enumerate(merged)}
    told: list[tuple[set[int | None], dict[tuple[int, int], float], float]] = []
    for line, weight in members:
        known = [numbers.get(_key(one)) for one in line["candidates"]]
        links = {(known[link["one"]], known[link["other"]]): link["probability"] for link in line["links"]}
        kept = {tuple(sorted(ends)): probability for ends, probability in links.items() if None not in ends}
        told.append((set(known), kept, weight))
    found = []
    for ends in sorted({ends for _, links, _ in told for ends in links}):
        shares = [(links.get(ends, 0.0), weight) for known, links, weight in told if known.issuperset(ends)]
        found.append(dict(zip(("one", "other", "probability"), (*ends, weighted_mean(*zip(*shares))))))
    return found


def _key(one: Candidate) -> tuple:
    return tuple(one[name] for name in _KEY)


def _overlap(one: Candidate, other: Candidate) -> bool:
    is_class = one["event_type"] == other["event_type"] and one["role"] == other["role"]
    ends = (each["start"] + len(each["text"]) for each in (one, other))
    return is_class and max(one["start"], other["start"]) < min(ends)
