"""Scores by the length of the text, and by how often training has seen what gold asks for. No TensorFlow."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.runs.directory import fingerprint

from breakdowns._parts import Row, Table
from contest_folders import COMPETITIONS, load
from dev_results import CONTESTS, DevResults
from shown import shown

#: As many groups of like size are made by length.
BINS = 5
#: Groups by frequency, and the most that is in each.
FREQUENCIES = {"0": 0, "1": 1, "2–9": 9, "10–99": 99, "100+": np.inf}

#: Contests whose score is no mean over examples, but counts items.
_OF_ITEMS = ("lic2020_relation_extraction", "lic2020_event_extraction", "ccks2019_entity_linking")


def lengths_of(results: DevResults) -> list[int]:
    """Characters of each text; of what surrounds the answer where a question is about it."""
    found = []
    for example in results.examples:
        texts = shown(results.task, example).texts
        around = [text for name, text in texts if name not in ("question", "table")]
        found.append(sum(map(len, around or [texts[0][1]])))
    return found


def score_of(results: DevResults, places: Sequence[int]) -> float:
    """The score, from 0 to 1, that the judge gives these examples alone. One of items is at most 1 here."""
    if results.task not in _OF_ITEMS:
        return float(results.scores[list(places)].mean())
    judge = CONTESTS[results.task].judge
    examples, predicted = ([some[place] for place in places] for some in (results.examples, results.predicted))
    return min(1.0, judge(load(results.task, "metric"), examples, predicted)[1][results.metric])


def by_length(results: DevResults) -> Table:
    """In groups of about the same size, short texts first."""
    lengths = np.array(lengths_of(results))
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
    groups = np.searchsorted(edges, lengths)
    rows = []
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        least, most = lengths[places].min(), lengths[places].max()
        name = f"{least}–{most}" if least < most else str(least)
        rows.append(Row(name, score_of(results, places.tolist()), (len(places),)))
    return Table("characters of the text", results.metric, ("texts",), rows, True)


#: What gold of an example asks for: one entry for each thing, with all forms of it that would do.
_Asked = Callable[[Any], Iterable[Sequence[Hashable]]]


def _shape(query: Any) -> Hashable:
    aggregations = sorted(one.aggregation for one in query.selected)
    return tuple(aggregations), tuple(sorted(one.operator for one in query.conditions)), query.connection


def _arguments(example: Any) -> list[tuple[str, Any]]:
    return [(event.event_type, argument) for event in example.events for argument in event.arguments]


def _links(example: Any) -> list[Any]:
    return [mention for mention in example.mentions if mention.entity != "NIL"]


_ASKED: dict[str, dict[str, _Asked]] = {
    "lic2020_relation_extraction": {
        "predicate": lambda one: [(triple.predicate,) for triple in one.triples],
        "object": lambda one: [(triple.slots.get("@value"),) for triple in one.triples],
    },
    "lic2020_event_extraction": {
        "event type and role": lambda one: [((kind, argument.role),) for kind, argument in _arguments(one)],
        "argument": lambda one: [(argument.text, *argument.aliases) for _, argument in _arguments(one)],
    },
    "lic2020_reading_comprehension": {"answer": lambda one: [tuple(answer.text for answer in one.answers)]},
    "webqa_dgcnn": {"answer": lambda one: [one.answers] if one.answers else []},
    "ccks2019_entity_linking": {
        "name": lambda one: [(mention.text,) for mention in _links(one)],
        "entity": lambda one: [(mention.entity,) for mention in _links(one)],
    },
    "nl2sql": {
        "aggregations and operators": lambda one: [(_shape(one.query),)],
        "value": lambda one: [(condition.value,) for condition in one.query.conditions],
    },
    "seq2seq_titling": {
        "pair of characters of the title": lambda one: [(one.title[at : at + 2],) for at in range(len(one.title) - 1)]
    },
}


def by_frequency(results: DevResults, data_dir: Path | None) -> list[Table]:
    """By how often the training file has the rarest thing that gold of a text asks for; a table for each sort of things.

    Raises UserError where the training file is not at hand, or is another one.
    """
    training = _training(results, data_dir)
    is_fold = "fold" in results.run.config["data"].get("dev", {})
    tables = []
    for title, asked in _ASKED[results.task].items():
        counts = Counter(form for example in training for forms in asked(example) for form in {*forms})
        if is_fold:  # the file of training has dev, too
            counts -= Counter(form for example in results.examples for forms in asked(example) for form in {*forms})
        rarest = [
            min((max(counts[form] for form in forms) for forms in asked(example)), default=None)
            for example in results.examples
        ]
        places: dict[str, list[int]] = {name: [] for name in FREQUENCIES}
        for place, count in enumerate(rarest):
            if count is not None:
                places[next(name for name, most in FREQUENCIES.items() if count <= most)].append(place)
        rows = [Row(name, score_of(results, some), (len(some),)) for name, some in places.items() if some]
        tables.append(Table(title, results.metric, ("texts",), rows, True))
    return tables


def _training(results: DevResults, data_dir: Path | None) -> list[Any]:
    run, task = results.run, load(results.task, "task")
    folder = data_dir or run.setting("data_dir", Path | None) or COMPETITIONS / task.TASK / "sample"
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder - name the folder with the data: --data-dir")
    path = task.find_files(folder).train
    if fingerprint(path) != run.config["data"].get("train", {}).get("sha256"):
        raise UserError(f"{path}: is not the file that the run was trained on - name the right folder: --data-dir")
    contest = CONTESTS[results.task]
    examples = [example for example in contest.read(task, path) if contest.is_labelled(example)]
    most = run.setting("run", dict[str, Any]).get("max_train_examples")
    return examples if "fold" in run.config["data"].get("dev", {}) else examples[:most]
