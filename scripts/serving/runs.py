"""What is served of a run: its name, its answers, and how an answer is shown. No TensorFlow but in the runs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from common.command_line import UserError
from common.runs.directory import Run

import shown
from live_answers import Answer
from live_runs import LiveRun


class Asked(NamedTuple):
    """An example, and whether its texts, marks and lines are wanted beside the answer."""

    example: Any
    is_shown: bool


def names_of(runs: Sequence[Run]) -> list[str]:
    """What the runs are called: by their folders, and where two are called the same by contest and folder. Raises
    UserError where that is not enough."""
    often = Counter(run.path.resolve().name for run in runs)
    names = [
        run.path.resolve().name
        if often[run.path.resolve().name] == 1
        else f"{run.config['task']}-{run.path.resolve().name}"
        for run in runs
    ]
    for name, count in Counter(names).items():
        if count > 1:
            raise UserError(
                f"{name}: is the name of {count} runs - copy one to a folder of another name, or leave it out"
            )
    return names


def answer(live: LiveRun, asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """For each example what goes over the wire: `answer`, a record of the official format, and `scores`; where it is to
    be shown also `texts` [name, text], `marks` [number of the text, start, end, label] and `lines`."""
    found = live.answers([one.example for one in asked])
    return [
        {
            "answer": answer.record,
            "scores": answer.scores,
            **(_shown(live, one.example, answer) if one.is_shown else {}),
        }
        for one, answer in zip(asked, found)
    ]


def _shown(live: LiveRun, example: Any, answer: Answer) -> dict[str, Any]:
    def name(entity: str) -> str:
        base = live.predictor.read_pair.knowledge_base
        return f"{base.entity(entity).subject} ({entity})" if entity in base else entity

    scores = [
        {**score, "entities": [{**one, "name": name(one["entity"])} for one in score["entities"]]}
        if "entities" in score
        else score
        for score in answer.scores
    ]
    return {
        "scores": scores,
        "texts": shown.shown(live.task, example).texts,
        "marks": shown.marks(live.task, example, answer.record, name),
        "lines": shown.lines(live.task, example, answer.record, name),
    }
