"""Reading comprehension: members agree on a string of the context, wherever they find it."""

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
    return [settings, *(settings._replace(length_penalty=penalty) for penalty in opened.decode.GRID)]


def merge(opened: Opened, lines: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    return {"candidates": mean_candidates([line["candidates"] for line in lines], weights, ("text",))}


def choose(opened: Opened, example: Any, line: dict[str, Any], settings: Any) -> str:
    found = [opened.decode.Candidate(**one) for one in line["candidates"]]
    return opened.decode.choose(example.context, found, settings)


def check(opened: Opened, example: Any, prediction: str, where: str) -> None:
    opened.task.check_answer(prediction, example)


def write(opened: Opened, output: Path, examples: Sequence[Any], predictions: Iterable[str]) -> None:
    opened.task.write_submission(output, {example.id: answer for example, answer in zip(examples, predictions)})
    opened.task.check_submission(output, examples)


def counts(opened: Opened, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
    return opened.decode.counts(examples, predictions)


def score(opened: Opened, total: Any) -> float:
    return opened.decode.f1(total)
