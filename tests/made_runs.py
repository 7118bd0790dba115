"""Runs that nobody trained: the folder of a training that is over, with any predictions, in milliseconds."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from common.folds import read_parts
from common.options import RunOptions
from common.runs.directory import Evaluation, create_run

import competition
from contests import Contest

#: What gold says of an example, as a prediction.
LABELS = {
    "lic2020_relation_extraction": lambda example: example.triples,
    "lic2020_event_extraction": lambda example: example.events,
    "lic2020_reading_comprehension": lambda example: example.answers[0].text,
    "webqa_dgcnn": lambda example: example.answers[0],
    "ccks2019_entity_linking": lambda example: example.mentions,
    "nl2sql": lambda example: example.query,
    "seq2seq_titling": lambda example: example.title,
}


def dev_of(contest: Contest, data: Path) -> list[Any]:
    """The examples in the dev.json of a folder, as the contest reads them."""
    task = competition.load(contest.folder, "task")
    if contest.folder == "nl2sql":
        return task.read(data / "dev.json", task.tables_of(data / "dev.json"), labelled=True)
    if contest.folder in ("lic2020_relation_extraction", "lic2020_event_extraction"):
        return task.read(data / "dev.json", None, labelled=True)
    return task.read(data / "dev.json", labelled=True)


def evaluated(contest: Contest, examples: Sequence[Any], predictions: Sequence[Any]) -> Evaluation:
    """What its train.py says of predictions for some examples of the sample."""
    train, task = competition.load(contest.folder, "train"), competition.load(contest.folder, "task")
    files = task.find_files(competition.COMPETITIONS / contest.folder / "sample")
    has_schema = hasattr(files, "schema")
    evaluation = partial(train.evaluation, schema=task.Schema.read(files.schema)) if has_schema else train.evaluation
    return evaluation(examples, predictions)


def made_run(contest: Contest, folder: Path, name: str, predictions: Sequence[Any], data: Path | None = None) -> Path:
    """A run on the first examples of dev, so many as there are predictions, whose training has come to its end."""
    train, task = competition.load(contest.folder, "train"), competition.load(contest.folder, "task")
    config = train.Config(data_dir=data)
    config.run.max_dev_examples = len(predictions)
    config.training.epochs = 1
    data = data or competition.COMPETITIONS / contest.folder / "sample"
    files, examples = task.find_files(data), dev_of(contest, data)
    parts = read_parts(RunOptions(), files.train, files.dev, lambda path: examples, lambda example: [])
    others = {"dev tables": files.dev_tables} if contest.folder == "nl2sql" else {}
    evaluation = evaluated(contest, examples[: len(predictions)], predictions)
    run = create_run(contest.folder, folder, name, config, parts.describe({}, **others))
    run.write_json("dev_predictions.json", evaluation.predictions)
    run.write_json("dev_errors.json", evaluation.errors)
    entry = {"epoch": 1, **evaluation.metrics}
    run.history.write_text(str(entry).replace("'", '"') + "\n", "utf-8")
    return run.path


def rotated(predictions: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """Predictions in which each of these places has that of the next one, and is wrong where they differ."""
    found = list(predictions)
    for place in places:
        found[place] = predictions[(place + 1) % len(predictions)]
    return found
