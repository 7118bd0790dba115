"""What of an example and of an answer is shown to a person, for all seven contests: one module for each, named like its
folder in competitions/. No TensorFlow.

An answer is a record in the official format: a line of a submission, an entry of dev_predictions.json, or what `gold`
gives. Offsets count characters, as Python does. A module has

    shown(example) -> Shown            what is read: the parts of the example
    gold(example) -> record or None    what is labelled, as a record
    marks(example, answer) -> [Mark]   where the answer stands in the texts
    lines(example, answer) -> [str]    the answer in words, a line for each of its parts

and nothing in it asks whether an answer is right. `names` of `marks` and `lines` gives entities their names; only
entity linking has any.
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from shown._places import Mark, Shown

__all__ = ["TASKS", "Mark", "Shown", "gold", "lines", "marks", "shown"]

#: The contests that can be shown.
TASKS = (
    "lic2020_relation_extraction",
    "lic2020_event_extraction",
    "lic2020_reading_comprehension",
    "ccks2019_entity_linking",
    "nl2sql",
    "webqa_dgcnn",
    "seq2seq_titling",
)


def shown(task: str, example: Any) -> Shown:
    """The texts of an example (of the contest's task.read). Raises ValueError for no contest, as all of these do."""
    return _module(task).shown(example)


def gold(task: str, example: Any) -> dict[str, Any] | None:
    """Its labels as a record; None of an unlabelled one. Where several answers are accepted, it has all."""
    return _module(task).gold(example)


def marks(task: str, example: Any, answer: dict[str, Any], names: Callable[[str], str] | None = None) -> list[Mark]:
    """The pieces of the texts that an answer names, by place; those that overlap, too. What stands nowhere has none."""
    return _module(task).marks(example, answer, *_names(task, names))


def lines(task: str, example: Any, answer: dict[str, Any], names: Callable[[str], str] | None = None) -> list[str]:
    """An answer in words: triples "subject | predicate | object", SQL, a title. None of an empty answer."""
    return _module(task).lines(example, answer, *_names(task, names))


def _names(task: str, names: Callable[[str], str] | None) -> tuple[Callable[[str], str], ...]:
    return (names or str,) if task == "ccks2019_entity_linking" else ()


def _module(task: str) -> ModuleType:
    if task not in TASKS:
        raise ValueError(f"{task} is none of the contests: {', '.join(TASKS)}")
    return importlib.import_module(f"shown.{task}")
