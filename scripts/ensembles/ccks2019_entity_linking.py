"""Entity linking: members agree on a mention of an entity where offset, text and entity are the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.runs.directory import Run

from ensembles._contest import Opened, mean_candidates

EMPTY: list[Any] = []
KNOWN = "a knowledge base"


def known(run: Run) -> Any:
    return run.config["data"].get("knowledge_base", {}).get("sha256")


def read(opened: Opened, path: Path, skipped: Counter[str]) -> list[Any]:
    return opened.task.read(path, labelled=False, skipped=skipped)


def grid(opened: Opened, settings: Any) -> list[Any]:
    return [settings, *opened.decode.GRID]


def merge(opened: Opened, lines: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    return {"candidates": mean_candidates([line["candidates"] for line in lines], weights, _KEY)}


_KEY = ("mention", "offset", "kb_id")


def choose(opened: Opened, example: Any, line: dict[str, Any], settings: Any) -> list[Any]:
    found = [opened.decode.Candidate(**one) for one in line["candidates"]]
    return opened.decode.choose(example, found, settings)


def check(opened: Opened, example: Any, prediction: list[Any], where: str) -> None:
    opened.task.check_mentions(prediction, example.text, _knowledge_base(opened), where)


def write(opened: Opened, output: Path, examples: Sequence[Any], predictions: Iterable[list[Any]]) -> None:
    opened.task.write_submission(output, examples, predictions)
    opened.task.check_submission(output, examples, _knowledge_base(opened))


def counts(opened: Opened, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
    return opened.decode.counts(examples, predictions)


def score(opened: Opened, total: Any) -> float:
    return opened.decode.f1(total)


def _knowledge_base(opened: Opened) -> Any:
    if "base" not in opened.made:
        module = opened.module("knowledge_base")
        opened.made["base"] = module.KnowledgeBase(opened.run.file(module.INDEX_NAME))
    return opened.made["base"]
