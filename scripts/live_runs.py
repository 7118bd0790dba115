"""A trained run of any contest that answers what is typed instead of what is in a file: records in, records of the
official format out, equal to those that predict.py writes for the same examples. TensorFlow when a run is opened."""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from common.command_line import UserError
from common.runs.directory import Run, check_trained, open_run
from common.submission import field, wrong_kind

from contest_folders import COMPETITIONS, CONTEST_NAMES, inside, load
from live_answers import ANSWERS, Answer

# What the place of a question is called in the one form of a file that is no list of examples.
_PLACE_IN_DOCUMENT = re.compile(r"^data\[0\](\.paragraphs\[0\](\.qas\[0\])?)?(: |\.)")


class LiveRun:
    """The best weights of a run with everything that answers. All calls of `answers` must come from the thread that
    made it: the table of a question and the knowledge base are sqlite's.

    task: name of the contest. run: the directory. predictor, settings: those of the contest's decode.py, as predict.py
    would have them without flags. mixed_precision: see PredictionOptions.
    """

    def __init__(self, run: Run, mixed_precision: Literal["no", "bfloat16", "float16"] | None = None):
        self.run, self.task = run, run.config["task"]
        predict = self.module("predict")
        with inside(self.task):
            options = replace(predict.Config().prediction, mixed_precision=mixed_precision)
            self.settings = run.read_decoding(predict.Settings)
            self.schema = schema_of(run, self.module("task"))
            self.predictor = predict.open_predictor(run, options)

    def module(self, name: str) -> ModuleType:
        """`task`, `decode`, ... of the contest's folder."""
        return load(self.task, name)

    def examples(self, records: Sequence[Any]) -> list[Any]:
        """The examples that the contest's own task.read makes of records of the official format, one of each.

        A question about a context or with passages is one record: {"question", "context"} and {"question", "passages":
        [{"passage"}]}. A question about a table brings it: {"question", "table": {"header", "rows"}}; "types" are
        guessed where they are not there. Ids may be left out, and may be the same: each example stands alone. Labels
        are not looked at. Raises UserError that begins with "example 3: " for the third.
        """
        return [self._example(record, number) for number, record in enumerate(records, start=1)]

    def answers(self, examples: Sequence[Any]) -> list[Answer]:
        """The answer to every example, in order, whatever stands beside it; the empty one in place of what the judge
        would refuse."""
        with inside(self.task):
            return ANSWERS[self.task](self, examples)

    def _example(self, record: Any, number: int) -> Any:
        where = f"example {number}"
        complaint = wrong_kind(record, (dict,))
        if complaint:
            raise UserError(f"{where}: is {complaint}")
        task, record = self.module("task"), {**record}
        if self.task in _NAMES:
            record.setdefault(_NAMES[self.task], str(number))
        if self.task == "nl2sql":
            table = self._table(record.pop("table", None), where)
            record["table_id"] = table.id
            others: tuple = ({table.id: table},)
        else:
            others = () if self.schema is None else (self.schema,)
        if self.task == "lic2020_reading_comprehension":
            record = _document(record, where)
        examples = _read(record, where, lambda path: task.read(path, *others, labelled=False))
        if len(examples) != 1:
            raise UserError(f"{where}: is {len(examples)} examples - give each as one of its own")
        return examples[0]

    def _table(self, table: Any, where: str) -> Any:
        if table is None:
            raise UserError(f'{where}: "table" is missing - it must be an object with "header" and "rows"')
        complaint = wrong_kind(table, (dict,))
        if complaint:
            raise UserError(f'{where}: "table" is {complaint}')
        table = {"id": "1", **table}
        table["id"] = field(table, "id", (str, int), f"{where}: table")
        if table.get("types") is None:
            table = with_types(table)
        (found,) = _read(table, f"{where}: table", self.module("task").read_tables).values()
        return found


def open_live_run(path: Path) -> LiveRun:
    """A run of any contest, ready to answer. TensorFlow must have been started (common.process.start_tensorflow).
    Raises UserError as `contest_run` does, and for a damaged one."""
    return LiveRun(contest_run(path))


def contest_run(path: Path) -> Run:
    """The directory of a trained run of any contest, looked at and not yet loaded. Raises UserError for anything else.
    No TensorFlow."""
    return check_trained(open_run(path, *CONTEST_NAMES))


def sample_records(task: str, count: int = 20) -> list[dict[str, Any]]:
    """The first examples of the bundled sample's test file, as `LiveRun.examples` wants them; none where it is not
    there."""
    sample = COMPETITIONS / task / "sample"
    if not (sample / "test.json").is_file():
        return []
    text = (sample / "test.json").read_text("utf-8")
    if task == "lic2020_reading_comprehension":
        paragraphs = [one for article in json.loads(text)["data"] for one in article["paragraphs"]]
        return [{"context": one["context"], **question} for one in paragraphs for question in one["qas"]][:count]
    if text.lstrip().startswith("["):
        return json.loads(text)[:count]
    records = [json.loads(line) for line in text.splitlines()][:count]
    if task == "nl2sql":
        lines = (sample / "test.tables.json").read_text("utf-8").splitlines()
        tables = {table["id"]: table for table in map(json.loads, lines)}
        records = [{"question": one["question"], "table": tables[one["table_id"]]} for one in records]
    return records


def with_types(table: dict[str, Any]) -> dict[str, Any]:
    """A table whose columns have types: "real" where there are numbers and nothing else but empty cells, which become
    null there, as numbers in strings become numbers."""
    header, rows = table.get("header"), table.get("rows")
    if not isinstance(header, list) or not isinstance(rows, list):
        return {**table, "types": []}  # the reader says what is wrong
    if any(not isinstance(row, list) or len(row) != len(header) for row in rows):
        return {**table, "types": ["text"] * len(header)}
    columns = []
    for column in range(len(header)):
        cells = [row[column] for row in rows]
        numbers = [_number(cell) for cell in cells]
        is_real = all(isinstance(one, (int, float)) or one is None for one in numbers) and any(
            one is not None for one in numbers
        )
        columns.append(("real", numbers) if is_real else ("text", cells))
    return {
        **table,
        "types": [kind for kind, _ in columns],
        "rows": [list(row) for row in zip(*(cells for _, cells in columns))] if header else rows,
    }


_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")


def _number(cell: Any) -> Any:
    """A number, None for an empty cell, and anything else as it is."""
    if isinstance(cell, bool) or not isinstance(cell, str):
        return str(cell) if isinstance(cell, bool) else cell
    text = cell.strip()
    if not text:
        return None
    if not _DECIMAL.fullmatch(text):
        return cell
    return float(text) if "." in text else int(text)


def schema_of(run: Run, task: ModuleType) -> Any:
    """What task.read wants beside the file, for the contests that have a schema."""
    name = {"lic2020_relation_extraction": "schema.json", "lic2020_event_extraction": "event_schema.json"}
    return task.Schema.read(run.file(name[run.config["task"]])) if run.config["task"] in name else None


#: Under which key the contests that answer ids have them.
_NAMES = {
    "lic2020_event_extraction": "id",
    "lic2020_reading_comprehension": "id",
    "webqa_dgcnn": "id",
    "ccks2019_entity_linking": "text_id",
}


def _document(record: dict[str, Any], where: str) -> dict[str, Any]:
    """A question about a context in the form of the contest's file."""
    context = field(record, "context", str, where)
    question = {name: value for name, value in record.items() if name != "context"}
    return {"data": [{"paragraphs": [{"context": context, "qas": [question]}]}]}


def _read(record: dict[str, Any], where: str, read: Any) -> Any:
    """What a reader of files makes of one record. It says `where` in place of file and line."""
    with _in_memory(json.dumps(record).encode()) as path:
        try:
            return read(path)
        except UserError as error:
            message = re.sub(rf"^{re.escape(path)}(:[0-9]+)?: ", "", str(error))
            raise UserError(f"{where}: {_PLACE_IN_DOCUMENT.sub('', message)}".replace(path, where)) from None


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """The path of a file that has no place on the disk."""
    with os.fdopen(os.memfd_create("example"), "w+b") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
