"""The runs of an ensemble: which may stand together, and what each of them thinks of examples. TensorFlow when one is
opened."""

import gc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from common.candidates import scores_file
from common.command_line import UserError
from common.prediction import rounds
from common.runs.directory import Run, check_trained

from contest_folders import inside, load
from dev_results import check_finished
from ensembles._contest import AnyContest
from live_runs import contest_run


class Member(NamedTuple):
    """A run, what it is called, and its own settings of decoding."""

    run: Run
    name: str
    settings: Any


class Reading(NamedTuple):
    """How networks read, see PredictionOptions. None: as in predict.py."""

    batch_tokens: int | None = None
    mixed_precision: str | None = None


def open_runs(paths: Sequence[Path]) -> list[Run]:
    """The runs, in the order of their paths. Raises UserError for what is no trained and finished run of a contest, for
    runs of several, and for a run that is named twice."""
    runs = [contest_run(path) for path in paths]
    first, seen = runs[0], set()
    for run in runs:
        if run.path.resolve() in seen:
            raise UserError(f"{run.path}: is named twice - leave it out")
        seen.add(run.path.resolve())
        if run.config["task"] != first.config["task"]:
            raise UserError(
                f"{run.path}: is a run of {run.config['task']}, and {first.path} of {first.config['task']} - an ensemble is of one contest"
            )
        check_finished(check_trained(run))
    return sorted(runs, key=lambda run: str(run.path.resolve()))


def check_alike(runs: Sequence[Run], contest: AnyContest) -> None:
    """Raises UserError for runs that do not mean the same by an answer, as of different schemas."""
    for run in runs[1:]:
        if contest.known(run) != contest.known(runs[0]):
            raise UserError(
                f"{run.path}: has {contest.KNOWN} of its own, and not that of {runs[0].path} - an ensemble must be of runs that were trained with the same"
            )


def write_scores(member: Member, examples: Sequence[Any], path: Path, reading: Reading) -> None:
    """The candidates of a member for examples, to a new file of scores. Its network is forgotten afterwards."""
    from common.keras_compat import keras

    task = member.run.config["task"]
    predict = load(task, "predict")
    with inside(task):
        given = {name: value for name, value in reading._asdict().items() if value is not None}
        predictor = predict.open_predictor(member.run, replace(predict.Config().prediction, **given))
        with scores_file(path) as keep:
            for part in rounds(examples):
                keep(part, predictor.candidates(part, member.settings))
    del predictor
    keras.backend.clear_session()
    gc.collect()
