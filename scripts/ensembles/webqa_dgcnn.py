"""WebQA: members agree on a string at a place of a passage, and what they agree on votes as that of one network does."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.runs.directory import Run

from ensembles._contest import Opened, mean_candidates

EMPTY = ""
KNOWN = "nothing"


def known(run: Run) -> None:
    return None


def read(opened: Opened, path: Path, skipped: Counter[str]) -> list[Any]:
    return opened.task.read(path, labelled=False, skipped=skipped)


def grid(opened: Opened, settings: Any) -> list[Any]:
    return [settings, *opened.decode.GRID]


def merge(opened: Opened, lines: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    averaged = ("start_probability", "end_probability")
    merged = mean_candidates([line["candidates"] for line in lines], weights, ("text", "passage", "start"), averaged)
    found = sorted((_candidate(opened, one) for one in merged), key=lambda one: -one.probability)
    return {"candidates": [one.record() for one in found]}


def choose(opened: Opened, example: Any, line: dict[str, Any], settings: Any) -> str:
    return opened.decode.vote([_candidate(opened, one) for one in line["candidates"]], settings)


def check(opened: Opened, example: Any, prediction: str, where: str) -> None:
    opened.task.check_answer(prediction, example)


def write(opened: Opened, output: Path, examples: Sequence[Any], predictions: Iterable[str]) -> None:
    opened.task.write_submission(output, [example.id for example in examples], list(predictions))
    opened.task.check_submission(output, examples)


def counts(opened: Opened, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
    return opened.decode.counts(examples, predictions)


def score(opened: Opened, total: Any) -> float:
    return opened.decode.score(total)


def _candidate(opened: Opened, record: dict[str, Any]) -> Any:
    kind = opened.decode.Candidate
    return kind(*(record[name] for name in kind._fields))
