"""What a finished run said of dev, example by example, and how good each answer is. For a run of any contest, by the
contest's own reader and metric. No TensorFlow, no network: dev_predictions.json of the run, and gold."""

import json
import tempfile
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from common.command_line import UserError
from common.folds import GOLD
from common.runs.directory import Run, fingerprint, open_run
from common.submission import write_json_lines

from contest_folders import COMPETITIONS, load

PREDICTIONS = "dev_predictions.json"


@dataclass(frozen=True, eq=False)
class DevResults:
    """One entry of each list for each example of dev, in the order of the file.

    task: name of the contest. gold: the file of the examples. metric: name of the figure that counts, which is that of
    `scores` too. examples: as the contest's task.read gives them. predictions: the records of the official format, and
    `predicted` what the contest's metric compares of them. scores: float64 (n,), from 0 to 1. figures: the official
    score of all, by name. keys: what is asked and its gold, equal for the same example of two runs.
    """

    run: Run
    task: str
    gold: Path
    metric: str
    examples: list[Any]
    predictions: list[dict[str, Any]]
    predicted: list[Any]
    scores: np.ndarray
    figures: dict[str, float]
    keys: list[Hashable]


def dev_results(path: Path, data_dir: Path | None = None) -> DevResults:
    """What the run in a folder said of dev with its best weights.

    data_dir: where the data of the contest are. Default: where they were in training; a run that is a fold has its own.
    Raises UserError for what is no run of a contest, where there are no predictions yet, and where gold is gone or is
    not that of the run.
    """
    run = open_run(path, *CONTESTS)
    task = run.config["task"]
    contest, modules = CONTESTS[task], {name: load(task, name) for name in ("task", "metric")}
    source = run.file(PREDICTIONS)
    if not source.is_file():
        raise UserError(
            f"{run.path}: has no {PREDICTIONS} yet - train it for at least one epoch ({run.resume_command})"
        )
    records = run.read_json(PREDICTIONS, list[dict[str, Any]])
    gold = _gold_of(run, modules["task"], data_dir)
    examples = contest.read(modules["task"], gold)
    if "fold" not in run.config["data"].get("dev", {}):
        settings = run.setting("run", dict[str, Any])
        examples = examples[: settings.get("max_dev_examples")]
    examples = [example for example in examples if contest.is_labelled(example)]
    records = _in_order(records, examples, contest.name, source, gold)
    predicted = contest.predicted(modules["task"], records, source)
    scores, figures = contest.judge(modules["metric"], examples, predicted)
    return DevResults(
        run,
        task,
        gold,
        contest.metric,
        examples,
        records,
        predicted,
        np.array(scores, np.float64),
        figures,
        [contest.key(example) for example in examples],
    )


def check_finished(run: Run) -> None:
    """Raises UserError for a run whose training has not come to its end: all epochs, or so many without a better one."""
    training = run.setting("training", dict[str, Any])
    lines = run.history.read_text("utf-8").splitlines() if run.history.is_file() else []
    try:
        history = [json.loads(line) for line in lines]
        metric = CONTESTS[run.config["task"]].metric
        scores = [entry.get(f"{metric}_all", entry[metric]) for entry in history]
        best = scores.index(max(scores)) + 1 if scores else 0
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{run.history}: cannot be read - it is damaged: train the run again") from None
    epochs, patience = training.get("epochs", 0), training.get("early_stopping_patience", 0)
    if len(history) < epochs and not (patience and len(history) - best >= patience):
        raise UserError(
            f"{run.path}: is not finished, with {len(history)} of {epochs} epochs - go on with it ({run.resume_command})"
        )


def _gold_of(run: Run, task: ModuleType, data_dir: Path | None) -> Path:
    """The file of dev, which must be the one that the run was evaluated on."""
    described = run.config["data"].get("dev", {})
    if "fold" in described:
        gold = run.file(GOLD)
        if not gold.is_file():
            raise UserError(f"{gold}: no such file - the run is damaged: train it again")
        return gold
    folder = data_dir or run.setting("data_dir", Path | None) or COMPETITIONS / task.TASK / "sample"
    remedy = f"name the folder with the data of {run.path}: --data-dir"
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder - {remedy}")
    gold = task.find_files(folder).dev
    if gold is None:
        raise UserError(f"{folder}: has no dev file - {remedy}")
    others = {"dev": gold}
    if "dev tables" in run.config["data"]:
        others["dev tables"] = task.tables_of(gold)
    for role, file in others.items():
        if fingerprint(file) != run.config["data"].get(role, {}).get("sha256"):
            raise UserError(f"{file}: is not the file that the run was evaluated on - {remedy}")
    return gold


def _in_order(
    records: list[dict[str, Any]], examples: list[Any], name: str | None, source: Path, gold: Path
) -> list[dict[str, Any]]:
    """A record for each example. name: the key that says which; None: the place does. A question that stands twice was
    answered once."""
    wrong = UserError(f"{source}: does not answer just the {len(examples)} examples of {gold} - train the run again")
    if name is not None:
        attribute = "text" if name == "text" else "id"
        wanted = [getattr(example, attribute) for example in examples]
        if len(records) < len(wanted) and [record.get(name) for record in records] == list(dict.fromkeys(wanted)):
            by_name = {record[name]: record for record in records}
            return [by_name[one] for one in wanted]
        if [record.get(name) for record in records] != wanted:
            raise wrong
    if len(records) != len(examples):
        raise wrong
    return records


def _submitted(task: ModuleType, records: list[dict[str, Any]], source: Path) -> list[Any]:
    """What the contest's reader of submissions makes of records."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.json"
        write_json_lines(path, records)
        try:
            return (task.read_titles if hasattr(task, "read_titles") else task.read_submission)(path)
        except UserError as error:
            raise UserError(str(error).replace(str(path), str(source))) from None


def _second(task: ModuleType, records: list[dict[str, Any]], source: Path) -> list[Any]:
    """The same of a reader that gives the name of the example with each."""
    return [prediction for _, prediction in _submitted(task, records, source)]


def _answers(task: ModuleType, records: list[dict[str, Any]], source: Path) -> list[str]:
    """Where the official format is no line of JSON for each."""
    if not all(isinstance(record.get("answer"), str) for record in records):
        raise UserError(f"{source}: has a record without an answer - it is damaged: train the run again")
    return [record["answer"] for record in records]


def _f1(correct: float, predicted: int, gold: int) -> float:
    """Of an example. Nothing said where there is nothing to say is right. At most 1 also where the judge pays more, for
    what is repeated."""
    return min(1.0, 2 * correct / (predicted + gold)) if predicted + gold else 1.0


_Judged = tuple[list[float], dict[str, float]]


def _relations(metric: ModuleType, examples: Sequence[Any], predicted: Sequence[Any]) -> _Judged:
    def compared(some: slice) -> list[Any]:
        texts = [example.text for example in examples[some]]
        return metric.compare(
            [(example.text, example.triples) for example in examples[some]], zip(texts, predicted[some])
        )

    # One by one: the judge counts a sentence that stands twice once.
    each = [one for place in range(len(examples)) for one in compared(slice(place, place + 1))]
    scores = [_f1(len(one.correct), len(one.predicted), len(one.gold)) for one in each]
    return scores, metric.total(compared(slice(None))).figures()


def _events(metric: ModuleType, examples: Sequence[Any], predicted: Sequence[Any]) -> _Judged:
    each = metric.compare_examples(examples, predicted)
    return [_f1(sum(one.credits), len(one.predicted), len(one.gold)) for one in each], metric.total(each).figures()


def _reading(metric: ModuleType, examples: Sequence[Any], predicted: Sequence[str]) -> _Judged:
    each = metric.compare(examples, {example.id: answer for example, answer in zip(examples, predicted)})
    return [one.f1 for one in each], metric.figures(each)


def _webqa(metric: ModuleType, examples: Sequence[Any], predicted: Sequence[str]) -> _Judged:
    gold = [metric.Gold.of(example) for example in examples]
    each = metric.compare(gold, [(example.id, answer) for example, answer in zip(examples, predicted)])
    return [(one.correct + one.f1) / 2 for one in each], metric.total(each).figures()


def _linking(metric: ModuleType, examples: Sequence[Any], predicted: Sequence[Any]) -> _Judged:
    gold = [(example.id, example.mentions) for example in examples]
    each = metric.compare(gold, [(example.id, mentions) for example, mentions in zip(examples, predicted)])
    sizes = [(len(one.correct), len(metric.links(one.predicted)), len(metric.links(one.gold))) for one in each]
    return [_f1(*size) for size in sizes], metric.total(each).figures()


def _queries(metric: ModuleType, examples: Sequence[Any], predicted: Sequence[Any]) -> _Judged:
    each = metric.compare(examples, predicted)
    return [(one.logic_form + one.execution) / 2 for one in each], metric.total(each).figures()


def _titles(metric: ModuleType, examples: Sequence[Any], predicted: Sequence[str]) -> _Judged:
    each = [one.scores for one in metric.compare(examples, predicted)]
    return [one.rouge_l for one in each], metric.total(each).figures()


class Contest(NamedTuple):
    """metric: the figure that counts. name: the key by which a prediction names its example, if it does. read: dev out
    of its file. predicted: what `judge` compares, out of records. judge: the score of each example from 0 to 1, and the
    official figures of all. key: of an example what is asked and its gold. is_labelled: whether it is an example of
    dev."""

    metric: str
    name: str | None
    judge: Callable[[ModuleType, Sequence[Any], Sequence[Any]], _Judged]
    key: Callable[[Any], Hashable]
    read: Callable[[ModuleType, Path], list[Any]] = lambda task, path: task.read(path, labelled=True)
    predicted: Callable[[ModuleType, list[dict[str, Any]], Path], list[Any]] = _second
    is_labelled: Callable[[Any], bool] = lambda example: True


def _without_schema(task: ModuleType, path: Path) -> list[Any]:
    return task.read(path, None, labelled=True)


def _with_tables(task: ModuleType, path: Path) -> list[Any]:
    return task.read(path, task.tables_of(path))


#: By the name of the task.
CONTESTS: dict[str, Contest] = {
    "lic2020_relation_extraction": Contest(
        "f1", "text", _relations, lambda example: (example.text, example.triples), _without_schema
    ),
    "lic2020_event_extraction": Contest(
        "f1", "id", _events, lambda example: (example.id, example.text, example.events), _without_schema
    ),
    "lic2020_reading_comprehension": Contest(
        "f1", "id", _reading, lambda one: (one.id, one.question, one.context, one.answers), predicted=_answers
    ),
    "webqa_dgcnn": Contest(
        "score", "id", _webqa, lambda one: (one.id, one.question, one.passages, one.answers), predicted=_answers
    ),
    "ccks2019_entity_linking": Contest(
        "f1", "text_id", _linking, lambda example: (example.id, example.text, example.mentions)
    ),
    "nl2sql": Contest(
        "score",
        None,
        _queries,
        lambda example: (example.question, example.table.id, example.query),
        _with_tables,
        _submitted,
        lambda example: example.query is not None,
    ),
    "seq2seq_titling": Contest(
        "rouge-l", None, _titles, lambda example: (example.text, example.title), predicted=_submitted
    ),
}
