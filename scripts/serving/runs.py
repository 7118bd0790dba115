"""What is served of a run: its name, its answers, and how an answer is shown. No TensorFlow but in the runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from common.command_line import UserError
from common.runs.directory import Run

import shown
from contest_folders import inside
from live_answers import Answer
from live_runs import LiveRun

#: Gradients that an attribution is added up from.
STEPS = 32


class Why(NamedTuple):
    """An example, and which part of its answer is to be explained, from 0; None: all of it."""

    example: Any
    output: int | None


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


def attributions(live: LiveRun, asked: Sequence[Why]) -> list[dict[str, Any] | None]:
    """For each example its `answer`, the `outputs` that it is made of, `texts` [name, text] and for each text how much
    each character raised the `output` that was asked for, `attributions`; they and what is `elsewhere` add up to `value`
    - `baseline`, but for the share `error` of it. None where there is no such output."""
    from explained import explain, outputs

    found: list[dict[str, Any] | None] = []
    for one in asked:
        record = live.answers([one.example])[0].record
        with inside(live.task):
            names = outputs(live, one.example, record)
            if one.output is not None and one.output >= len(names):
                found.append(None)
                continue
            why = explain(live, one.example, record, one.output, STEPS)
        found.append(
            {
                "answer": record,
                "outputs": names,
                "output": one.output,
                "value": _number(why.value),
                "baseline": _number(why.baseline),
                "elsewhere": _number(why.elsewhere),
                "error": _number(why.error),
                "texts": shown.shown(live.task, one.example).texts,
                "attributions": [[_number(value) for value in values.tolist()] for values in why.texts],
            }
        )
    return found


def _number(value: float) -> float:
    return round(float(value), 5)


#: What may be asked of a run.
WORK = {"answers": answer, "attributions": attributions}


def work(live: Mapping[str, LiveRun], key: tuple[str, str], asked: Sequence[Any]) -> Sequence[Any]:
    """What the worker does. key: the name of a run, and what is asked of it."""
    name, what = key
    return WORK[what](live[name], asked)


def is_slow(key: tuple[str, str]) -> bool:
    """Whether an example takes so long that others shall not wait for several."""
    return key[1] == "attributions"
