"""Title generation: members hardly ever write the same, so they vote: the answer of that member wins which is most like
all that all members have found (minimum Bayes risk, see common.decoders.consensus)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.decoders import by_consensus, common_subsequence_f1
from common.runs.directory import Run

from ensembles._contest import Opened

EMPTY = ""
KNOWN = "nothing"


def known(run: Run) -> None:
    return None


def read(opened: Opened, path: Path, skipped: Counter[str]) -> list[Any]:
    return opened.task.read(path, labelled=False, skipped=skipped)


def grid(opened: Opened, settings: Any) -> list[Any]:
    """Titles are found under the settings of each member: there is nothing left to set."""
    return [settings]


def merge(opened: Opened, lines: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """All titles of all members, the one that is chosen first. A member's titles share its weight as they share its
    probability."""
    lists = [line["candidates"] for line in lines]
    if all(candidates == lists[0] for candidates in lists):
        return {"candidates": lists[0]}
    found = [one for candidates in lists for one in candidates]
    shares = [share for candidates, weight in zip(lists, weights) for share in _shares(candidates, weight)]
    order = by_consensus([one["title"].lower() for one in found], common_subsequence_f1, shares)
    answers = [candidates[0] for candidates in lists]
    first = next(place for place in order if found[place] in answers)
    return {"candidates": [found[place] for place in sorted(order, key=lambda place: place != first)]}


def choose(opened: Opened, example: Any, line: dict[str, Any], settings: Any) -> str:
    return line["candidates"][0]["title"]


def check(opened: Opened, example: Any, prediction: str, where: str) -> None:
    """Any title is a title."""


def write(opened: Opened, output: Path, examples: Sequence[Any], predictions: Iterable[str]) -> None:
    opened.task.write_submission(output, list(predictions))
    opened.task.check_submission(output, examples)


def counts(opened: Opened, examples: Sequence[Any], predictions: Sequence[Any]) -> Sequence[Any]:
    return opened.decode.counts(examples, predictions)


def score(opened: Opened, total: Any) -> float:
    return opened.decode.rouge_l(total)


def _shares(candidates: Sequence[dict[str, Any]], weight: float) -> list[float]:
    probabilities = [max(one["probability"], 1e-300) for one in candidates]
    return [weight * probability / sum(probabilities) for probability in probabilities]
