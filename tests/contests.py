"""What the tests of all contests (test_contract*.py, test_readme.py) need to know of each, beyond what all of them have
in common.

A new folder in competitions/ adds one `Contest` to CONTESTS at the end of this file, and nothing else. Contests whose
files are not JSON lines give functions of their own. The examples of all files are plain dicts, one for each answer
that the judge expects.
"""

import json
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from common.json_document import read_json_records
from common.submission import json_bytes, read_json_lines, write_json_lines

import competition

Example = dict[str, Any]
ALL_SCRIPTS = ("train", "predict", "evaluate")


class Refused(NamedTuple):
    """A file with a mistake in `line`. `scripts` must refuse it: train.py as train.json and as dev.json, evaluate.py as
    gold."""

    name: str
    content: bytes
    line: int
    scripts: tuple[str, ...] = ALL_SCRIPTS


class Accepted(NamedTuple):
    """A file that predict.py must answer, whatever is odd about it: one answer for each of `examples`, and `says` on
    stdout."""

    name: str
    content: bytes
    examples: list[Example]
    says: str = ""


def read_lines(path: Path) -> list[Example]:
    return [record for _, record in read_json_lines(path)]


def with_same_id(example: Example, number: int) -> Example:
    return example


@dataclass(frozen=True)
class Contest:
    """Every function is given examples in the contest's own format, with labels unless it says otherwise."""

    folder: str
    """Name of the folder in competitions/, and of its `TASK`."""
    overfit: Sequence[str]
    """Flags of train.py with which 8 examples, each of which stands in train.json ten times, are learned by heart in
    seconds."""
    tiny: Sequence[str]
    """Flags with which training takes seconds and need not learn anything; dropout, moving average and the rest stay
    on."""
    score: str
    """The figure that counts, in what train.py returns and evaluate.py prints."""
    figures: tuple[str, ...]
    """The keys of the object that `evaluate.py --json` prints."""
    text: Callable[[Example], str]
    """The text of an example."""
    with_text: Callable[[Example, str], Example]
    """An example of any other text, with nothing to be found in it."""
    unlabelled: Callable[[Example], Example]
    """The example as it stands in the judge's file."""
    answers: Callable[[bytes, list[Example]], list[Any]]
    """Of a submission, what it says of each of `examples`, without ids. AssertionError unless it is for just these, in
    order."""
    refused: Callable[[list[Example]], list[Refused]]
    """Files with mistakes that the format allows; made from good examples."""
    accepted: Callable[[list[Example]], list[Accepted]]
    """Files that look like mistakes, but are none for predict.py; made from good examples."""
    refused_submissions: Callable[[list[Example]], list[Refused]]
    """Submissions with mistakes; `scripts` has no meaning here. evaluate.py alone reads them."""
    reader: Callable[[ModuleType, Path, str], Any]
    """What a script does first with a file, beside which stand the files of the contest: the folder's `task`, the file
    and "train", "predict", "evaluate", which is given gold, or "submission"."""
    read: Callable[[Path], list[Example]] = read_lines
    """A data file of the contest."""
    write: Callable[[Path, list[Example]], None] = write_json_lines
    """Writes a data file; also of examples without labels, and of none."""
    with_id: Callable[[Example, int], Example] = with_same_id
    """The example under an id made of a number, where examples have ids, so that none stands twice in a file."""
    is_unambiguous: Callable[[Example], bool] = lambda example: True
    """Whether what is learned by heart of an example can only be the answer."""
    best: float = 1.0
    """The highest possible score."""
    predict_flags: Sequence[str] = ()
    """What predict.py needs besides the flags of all contests; {data} is the folder with the contest's files."""
    evaluate_flags: Sequence[str] = ()
    """What evaluate.py needs besides, in the same way."""
    absent_flags: frozenset[str] = frozenset()
    """Those of the flags of all contests that make no sense here."""
    suffixes: tuple[str, ...] = (".json", ".zip")
    """How the name of a submission may end; the first is the usual one."""


def submission_bytes(path: Path) -> bytes:
    """A submission, out of its zip if it is one, which must be flat and hold one file."""
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        assert "/" not in name
        return archive.read(name)


def strict_json(data: bytes | str) -> Any:
    """JSON without the NaN and Infinity that Python would let pass."""

    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(data, parse_constant=refuse)


def lines(records: Sequence[Example | bytes]) -> bytes:
    """JSON lines; bytes stand for themselves."""
    return b"".join((record if isinstance(record, bytes) else json_bytes(record)) + b"\n" for record in records)


def without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}


def refused_lines(
    good: list[Example], wrong: dict[str, Example | bytes], scripts: tuple[str, ...] = ALL_SCRIPTS
) -> list[Refused]:
    """For each wrong line, a file in which it stands between two good ones."""
    return [Refused(name, lines([good[0], line, good[1]]), 2, scripts) for name, line in wrong.items()]


#: What is wrong as a line of any file of JSON objects.
NO_JSON_OBJECT: dict[str, bytes] = {
    "broken JSON": '{"text": "一句没有结'.encode(),
    "an object and a half": b'{"text": ""} {',
    "a list": b"[]",
    "a number": b"5",
    "not UTF-8": '{"text": "另一种编码"}'.encode("gbk"),
    "a raw NUL": b'{"text": "a\0b"}',
    "thousands of brackets": b"[" * 100_000,
}


# Relation extraction


def _relation_answers(submission: bytes, examples: list[Example]) -> list[Any]:
    records = [strict_json(line) for line in submission.split(b"\n")[:-1]]
    assert [record["text"] for record in records] == [example["text"] for example in examples]
    return [record["spo_list"] for record in records]


def _wrong_relations(good: Example) -> dict[str, Example | bytes]:
    def labelled(**changes: Any) -> Example:
        return {**good, "spo_list": [{**good["spo_list"][0], **changes}]}

    without_subject = {key: value for key, value in good["spo_list"][0].items() if key != "subject"}
    return {
        "labels are a string": {**good, "spo_list": "没有"},
        "a triple is a string": {**good, "spo_list": ["三元组"]},
        "a triple without subject": {**good, "spo_list": [without_subject]},
        "the object is a list": labelled(object=["甲"]),
        "a slot is a number": labelled(object={"@value": 7}),
    }


def _no_relations(good: Example) -> dict[str, Example]:
    """Nothing to find, among labelled sentences; but a submission has to say so."""
    return {"no labels": {"text": good["text"]}, "labels are null": {**good, "spo_list": None}}


def _refused_relations(good: list[Example]) -> list[Refused]:
    no_text = {
        "no text": {"spo_list": []},
        "the text is a number": {"text": 5, "spo_list": []},
        "the text is null": {"text": None},
    }
    # The organisers' evaluator knows no schema, so evaluate.py takes any predicate.
    foreign = {**good[0]["spo_list"][0], "predicate": "没有的谓词"}
    wrong_slot = {**good[0]["spo_list"][0], "object": {"@value": "甲", "inNowhere": "乙"}}
    unknown = {
        "unknown predicate": {**good[0], "spo_list": [foreign]},
        "unknown slot": {**good[0], "spo_list": [wrong_slot]},
    }
    return [
        *refused_lines(good, {**NO_JSON_OBJECT, **no_text}),
        *refused_lines(good, _wrong_relations(good[0]), ("train", "evaluate")),
        *refused_lines(good, unknown, ("train",)),
        Refused("UTF-16", lines(good).decode().encode("utf-16"), 1),
    ]


def _accepted_relations(good: list[Example]) -> list[Accepted]:
    any_labels = [good[0], *_no_relations(good[0]).values(), *_wrong_relations(good[0]).values(), good[1]]
    return [
        Accepted("labels of any shape", lines(any_labels), any_labels),
        Accepted("one list", json_bytes(good), good),
        Accepted("blank lines", b"\n" + lines(good[:1]) + b" \t\r\n\n" + lines(good[1:]), good, says="3 x blank line"),
        Accepted("no end of line at the end", lines(good).rstrip(b"\n"), good),
    ]


def _refused_relation_submissions(good: list[Example]) -> list[Refused]:
    return refused_lines(good, {**NO_JSON_OBJECT, **_no_relations(good[0]), **_wrong_relations(good[0])})


def _read_relations(task: ModuleType, path: Path, script: str) -> Any:
    if script == "submission":
        return task.read_submission(path)
    schema = task.Schema.read(path.with_name("schema.json")) if script in ("train", "predict") else None
    return task.read(path, schema, labelled=script != "predict")


RELATION_EXTRACTION = Contest(
    folder="lic2020_relation_extraction",
    overfit="--epochs 8 --batch-size 4 --learning-rate 3e-3 --ema-momentum 0 --dropout 0 --hidden-size 64 --layers 3".split(),
    tiny=(
        "--epochs 1 --batch-size 8 --hidden-size 16 --layers 2 --max-train-examples 24 --max-dev-examples 12 "
        "--no-search-thresholds"
    ).split(),
    score="f1",
    figures=("precision", "recall", "f1"),
    text=lambda example: example["text"],
    with_text=lambda example, text: {"text": text, "spo_list": []},
    unlabelled=lambda example: {"text": example["text"]},
    answers=_relation_answers,
    refused=_refused_relations,
    accepted=_accepted_relations,
    refused_submissions=_refused_relation_submissions,
    reader=_read_relations,
)


# Event extraction


def _event_answers(submission: bytes, examples: list[Example]) -> list[Any]:
    records = [strict_json(line) for line in submission.split(b"\n")[:-1]]
    assert [record["id"] for record in records] == [example["id"] for example in examples]
    return [record["event_list"] for record in records]


def _wrong_events(good: Example) -> dict[str, Example | bytes]:
    # An id of its own, or it would be refused for standing there twice.
    good = {**good, "id": "the wrong one"}
    event = good["event_list"][0]

    def with_event(**changes: Any) -> Example:
        return {**good, "event_list": [{**event, **changes}]}

    def with_argument(**changes: Any) -> Example:
        return with_event(arguments=[{**event["arguments"][0], **changes}])

    return {
        "labels are a string": {**good, "event_list": "没有"},
        "an event is a string": {**good, "event_list": ["事件"]},
        "an event without type": {**good, "event_list": [without(event, "event_type")]},
        "an event without arguments": {**good, "event_list": [without(event, "arguments")]},
        "the trigger is a list": with_event(trigger=["宣布"]),
        "the index of the trigger is a string": with_event(trigger_start_index="3"),
        "an argument is a string": with_event(arguments=["甲"]),
        "an argument without role": with_event(arguments=[without(event["arguments"][0], "role")]),
        "an argument is null": with_argument(argument=None),
        "an index is a fraction": with_argument(argument_start_index=0.5),
        "an alias is a number": with_argument(alias=[7]),
    }


def _no_events(good: Example) -> dict[str, Example]:
    """Nothing to find, among labelled texts; but a submission has to say so."""
    good = {**good, "id": "the silent one"}
    return {"no labels": without(good, "event_list"), "labels are null": {**good, "event_list": None}}


def _refused_events(good: list[Example]) -> list[Refused]:
    no_text = {
        "no text": {"id": "x", "event_list": []},
        "the text is a number": {"id": "x", "text": 5, "event_list": []},
        "the text is null": {"id": "x", "text": None},
        "no id": {"text": "没有编号", "event_list": []},
        "the id is a fraction": {"id": 5.5, "text": "编号不是字符串", "event_list": []},
        "an id stands there twice": good[0],
    }
    # evaluate.py has no schema, and takes any event type.
    event = good[0]["event_list"][0]
    foreign = {**event, "event_type": "没有的类型"}
    wrong_role = {**event, "arguments": [{**event["arguments"][0], "role": "没有的角色"}]}
    unknown = {
        "unknown event type": {**good[0], "id": "x", "event_list": [foreign]},
        "unknown role": {**good[0], "id": "x", "event_list": [wrong_role]},
    }
    return [
        *refused_lines(good, {**NO_JSON_OBJECT, **no_text}),
        *refused_lines(good, _wrong_events(good[0]), ("train", "evaluate")),
        *refused_lines(good, unknown, ("train",)),
        Refused("UTF-16", lines(good).decode().encode("utf-16"), 1),
    ]


def _accepted_events(good: list[Example]) -> list[Accepted]:
    odd = {**_no_events(good[0]), **_wrong_events(good[0])}
    any_labels = [good[0], *({**one, "id": f"odd {number}"} for number, one in enumerate(odd.values())), good[1]]
    numbered = [{**example, "id": number} for number, example in enumerate(good)]
    as_text = [{**example, "id": str(example["id"])} for example in numbered]
    return [
        Accepted("labels of any shape", lines(any_labels), any_labels),
        Accepted("one list", json_bytes(good), good),
        Accepted("ids that are numbers", lines(numbered), as_text, says="2 x id is a number"),
        Accepted("blank lines", b"\n" + lines(good[:1]) + b" \t\r\n\n" + lines(good[1:]), good, says="3 x blank line"),
        Accepted("no end of line at the end", lines(good).rstrip(b"\n"), good),
    ]


def _refused_event_submissions(good: list[Example]) -> list[Refused]:
    no_id = {"no id": {"event_list": []}, "the id is null": {"id": None, "event_list": []}}
    return refused_lines(good, {**NO_JSON_OBJECT, **no_id, **_no_events(good[0]), **_wrong_events(good[0])})


def _read_events(task: ModuleType, path: Path, script: str) -> Any:
    if script == "submission":
        return task.read_submission(path)
    schema = task.Schema.read(path.with_name("event_schema.json")) if script in ("train", "predict") else None
    return task.read(path, schema, labelled=script != "predict")


EVENT_EXTRACTION = Contest(
    folder="lic2020_event_extraction",
    overfit="--epochs 8 --batch-size 4 --learning-rate 3e-3 --ema-momentum 0 --dropout 0 --hidden-size 64 --layers 3".split(),
    tiny="--epochs 1 --batch-size 8 --hidden-size 16 --layers 2 --max-train-examples 24 --max-dev-examples 12".split(),
    score="f1",
    figures=("precision", "recall", "f1"),
    text=lambda example: example["text"],
    with_text=lambda example, text: {"id": example["id"], "text": text, "event_list": []},
    unlabelled=lambda example: {"id": example["id"], "text": example["text"]},
    answers=_event_answers,
    refused=_refused_events,
    accepted=_accepted_events,
    refused_submissions=_refused_event_submissions,
    reader=_read_events,
    with_id=lambda example, number: {**example, "id": f"{number:032x}"},
)


# Reading comprehension


def _reading_document(paragraphs: Sequence[Example | bytes]) -> bytes:
    """The contest's file with each paragraph on a line of its own, the first on line 2; bytes stand for themselves."""
    parts = [paragraph if isinstance(paragraph, bytes) else json_bytes(paragraph) for paragraph in paragraphs]
    return b'{"data": [{"title": "", "paragraphs": [\n' + b",\n".join(parts) + b"\n]}]}\n"


def _reading_paragraph(example: Example) -> Example:
    return {"context": example["context"], "qas": [{key: value for key, value in example.items() if key != "context"}]}


def _read_questions(path: Path) -> list[Example]:
    return [
        {"context": paragraph["context"], **item}
        for article in json.loads(path.read_text("utf-8"))["data"]
        for paragraph in article["paragraphs"]
        for item in paragraph["qas"]
    ]


def _write_questions(path: Path, examples: list[Example]) -> None:
    path.write_bytes(_reading_document([_reading_paragraph(example) for example in examples]))


def _reading_answers(submission: bytes, examples: list[Example]) -> list[Any]:
    pairs = json.loads(submission, object_pairs_hook=list)
    assert [name for name, _ in pairs] == [example["id"] for example in examples]
    assert all(answer in example["context"] for (_, answer), example in zip(pairs, examples))
    return [answer for _, answer in pairs]


def _question_about(example: Example, context: str) -> Example:
    # Training needs an answer to every question, so the old one stays. Where it is not in the context, nothing is to be
    # found.
    return {**example, "context": context, "answers": [{**answer, "answer_start": -1} for answer in example["answers"]]}


def _unlabelled_question(example: Example) -> Example:
    return {key: value for key, value in example.items() if key != "answers"}


def _wrong_answers(good: Example) -> dict[str, Example]:
    # An id of its own, or it would be refused for standing there twice.
    good = {**good, "id": "the wrong one"}
    answer = good["answers"][0]
    labels = {
        "labels are a number": 7,
        "an answer is a list": [["没有"]],
        "an answer without text": [{"answer_start": 0}],
        "an answer is a number": [{**answer, "text": 7}],
        "a start is a string": [{**answer, "answer_start": "3"}],
        "a start is a fraction": [{**answer, "answer_start": 0.5}],
    }
    return {name: {**good, "answers": value} for name, value in labels.items()}


def _odd_answers(good: Example) -> list[Example]:
    """Of questions without an answer, and of answers in another form."""
    labels = [None, [], [{"text": "", "answer_start": -1}], [{"text": " \u3000"}], "没有", ["没有"], {"text": "没有"}]
    return [_unlabelled_question(good), *({**good, "answers": value} for value in labels)]


def _refused_readings(good: list[Example]) -> list[Refused]:
    first, last = map(_reading_paragraph, good)
    other = {**good[0], "id": "another"}

    def between(name: str, paragraph: Example | bytes, scripts: tuple[str, ...] = ALL_SCRIPTS) -> Refused:
        return Refused(name, _reading_document([first, paragraph, last]), 3, scripts)

    def lacking(key: str) -> Example:
        return _reading_paragraph(without(other, key))

    paragraphs = {
        **NO_JSON_OBJECT,
        "no context": {"qas": []},
        "the context is a number": _reading_paragraph({**other, "context": 5}),
        "no questions": {"context": "没有问题"},
        "the questions are an object": {"context": "没有问题", "qas": {}},
        "a question is a string": {"context": "没有问题", "qas": ["多少"]},
        "no id": lacking("id"),
        "the id is a fraction": _reading_paragraph({**other, "id": 0.5}),
        "no question": lacking("question"),
        "the question is null": _reading_paragraph({**other, "question": None}),
        "an id for two questions": _reading_paragraph({**good[0], "question": "另一个问题"}),
    }
    wrong = {"data": [{"paragraphs": [first, _reading_paragraph({**other, "id": 0.5}), last]}]}
    spread = json_bytes(wrong, indent=1)
    return [
        *(between(name, paragraph) for name, paragraph in paragraphs.items()),
        *(
            between(name, _reading_paragraph(example), ("train", "evaluate"))
            for name, example in _wrong_answers(good[0]).items()
        ),
        Refused("a mistake in a file of many lines", spread, spread.split(b'"id": 0.5')[0].count(b"\n") + 1),
        Refused("no data", b'\n{"paragraphs": []}', 2),
        Refused("an article is a list", b'{"data": [\n[]]}', 2),
        Refused("an article without paragraphs", b'{"data": [\n{"title": ""}]}', 2),
        Refused("JSON lines", lines(good), 2),
        Refused("UTF-16", _reading_document([first, last]).decode().encode("utf-16"), 1),
    ]


def _accepted_readings(good: list[Example]) -> list[Accepted]:
    first, last = map(_reading_paragraph, good)
    whole = _reading_document([first, last])
    odd = [*_wrong_answers(good[0]).values(), *_odd_answers(good[0])]
    any_labels = [good[0], *({**example, "id": f"odd {number}"} for number, example in enumerate(odd)), good[1]]
    numbers = [{**example, "id": number} for number, example in enumerate(good)]
    articles = {
        "version": 1,
        "data": [{"paragraphs": [{**first, "source": None}]}, {"paragraphs": []}, {"title": [], "paragraphs": [last]}],
    }
    return [
        Accepted("labels of any shape", _reading_document([*map(_reading_paragraph, any_labels)]), any_labels),
        Accepted(
            "a question that stands twice", _reading_document([first, last, first]), good, says="question stands twice"
        ),
        Accepted(
            "ids that are numbers",
            _reading_document([*map(_reading_paragraph, numbers)]),
            [{**example, "id": str(example["id"])} for example in numbers],
        ),
        Accepted("several articles, and fields nobody knows", json_bytes(articles, indent=1), good),
        Accepted("all on one line", whole.replace(b"\n", b""), good),
    ]


def _refused_reading_submissions(good: list[Example]) -> list[Refused]:
    name = json_bytes(good[0]["id"])
    wrong = {"a number": b"5", "null": b"null", "a list": b'["0"]', "an object": b"{}", "true": b"true"}
    return [
        *(Refused(f"the file is {what}", content, 1) for what, content in NO_JSON_OBJECT.items()),
        *(
            Refused(f"an answer is {what}", b'{\n"other": "",\n' + name + b": " + value + b"\n}", 3)
            for what, value in wrong.items()
        ),
        Refused("an answer without end", b'{\n"other": "",\n' + name + b': "', 3),
        Refused("JSON lines", b"{}\n{}\n", 2),
    ]


def _read_labelled(task: ModuleType, path: Path, script: str) -> Any:
    return task.read_submission(path) if script == "submission" else task.read(path, labelled=script != "predict")


READING_COMPREHENSION = Contest(
    folder="lic2020_reading_comprehension",
    overfit=(
        "--epochs 6 --batch-size 4 --learning-rate 3e-3 --ema-momentum 0 --dropout 0 --hidden-size 64 --layers 2 "
        "--keyword-questions 0"
    ).split(),
    tiny="--epochs 1 --batch-size 8 --hidden-size 16 --layers 2 --max-train-examples 24 --max-dev-examples 12".split(),
    score="f1",
    figures=("f1", "em", "total", "skipped"),
    text=lambda example: example["context"],
    with_text=_question_about,
    unlabelled=_unlabelled_question,
    answers=_reading_answers,
    refused=_refused_readings,
    accepted=_accepted_readings,
    refused_submissions=_refused_reading_submissions,
    reader=_read_labelled,
    read=_read_questions,
    write=_write_questions,
    with_id=lambda example, number: {**example, "id": f"{number:032x}"},
    # Of an answer that stands there twice the first start and the last end are right as well, for the loss.
    is_unambiguous=lambda example: example["context"].count(example["answers"][0]["text"]) == 1,
    best=100.0,
    suffixes=(".json",),
)


# WebQA


def _webqa_document(questions: Sequence[Example | bytes]) -> bytes:
    """A JSON list with each question on a line of its own, the first on line 2; bytes stand for themselves."""
    parts = [question if isinstance(question, bytes) else json_bytes(question) for question in questions]
    return b"[\n" + b",\n".join(parts) + b"\n]\n"


def _webqa_text(example: Example) -> str:
    return next((one for one in example["passages"] if one["answer"]), example["passages"][0])["passage"]


def _unlabelled_webqa(example: Example) -> Example:
    passages = [{"passage": one["passage"]} for one in example["passages"]]
    return {"id": example["id"], "question": example["question"], "passages": passages}


def _webqa_answers(submission: bytes, examples: list[Example]) -> list[Any]:
    rows = [line.split("\t") for line in submission.decode().split("\n")[:-1]]
    assert [name for name, _ in rows] == [example["id"] for example in examples]
    for (_, answer), example in zip(rows, examples):
        # What a line cannot hold is read as a blank.
        passages = [re.sub("[\t\n\r\ud800-\udfff]", " ", one["passage"]) for one in example["passages"]]
        assert not answer or any(answer in passage for passage in passages)
    return [answer for _, answer in rows]


def _wrong_webqa_labels(good: Example) -> dict[str, Example]:
    # An id of its own, or it would be refused for standing there twice.
    good = {**good, "id": "the wrong one"}

    def with_passage(**changes: Any) -> Example:
        return {**good, "passages": [{"passage": "没有答案的一段", **changes}]}

    return {
        "no labels": _unlabelled_webqa(good),
        "one passage without label": {**good, "passages": [*good["passages"], {"passage": "没有答案的一段"}]},
        "an answer is null": with_passage(answer=None),
        "an answer is a number": with_passage(answer=7),
        "an answer is a list": with_passage(answer=["没有"]),
        "the answer of the question is a number": {**good, "answer": 7},
        "the answers are a string": {**good, "answers": "没有"},
        "an accepted answer is a number": {**good, "answers": ["没有", 7]},
    }


def _refused_webqa(good: list[Example]) -> list[Refused]:
    other = {**good[0], "id": "another"}
    questions = {
        **NO_JSON_OBJECT,
        "no id": {name: value for name, value in other.items() if name != "id"},
        "the id is null": {**other, "id": None},
        "the id is blank": {**other, "id": " "},
        "the id has a tab": {**other, "id": "1\t2"},
        "an id stands there twice": good[0],
        "no question": {name: value for name, value in other.items() if name != "question"},
        "the question is a list": {**other, "question": []},
        "no passages": {name: value for name, value in other.items() if name != "passages"},
        "the passages are an object": {**other, "passages": {}},
        "a passage is a string": {**other, "passages": ["一段"]},
        "a passage without text": {**other, "passages": [{"answer": ""}]},
        "the text of a passage is a number": {**other, "passages": [{"passage": 5, "answer": ""}]},
    }
    labels = _wrong_webqa_labels(good[0])
    both = ("train", "evaluate")
    spread = json_bytes([good[0], {**other, "passages": [{"passage": 5, "answer": ""}]}, good[1]], indent=1)
    return [
        *(Refused(name, _webqa_document([good[0], question, good[1]]), 3) for name, question in questions.items()),
        *(Refused(name, _webqa_document([good[0], question, good[1]]), 3, both) for name, question in labels.items()),
        *(
            case._replace(name=f"JSON lines, {case.name}")
            for case in refused_lines(good, questions) + refused_lines(good, labels, both)
        ),
        Refused("a mistake in a file of many lines", spread, spread.split(b'"passage": 5')[0].count(b"\n") + 1),
        Refused("UTF-16", _webqa_document(good).decode().encode("utf-16"), 1),
    ]


def _accepted_webqa(good: list[Example]) -> list[Accepted]:
    odd = [{**example, "id": f"odd {number}"} for number, example in enumerate(_wrong_webqa_labels(good[0]).values())]
    any_labels = [good[0], *odd, good[1]]
    bare = {"id": "bare", "question": "没有段落", "passages": []}
    numbers = [{**example, "id": number} for number, example in enumerate(good)]
    baidu = {
        example["id"]: {
            "question": example["question"],
            "evidences": {str(place): {"evidence": one["passage"]} for place, one in enumerate(example["passages"])},
        }
        for example in good
    }
    in_tokens = [
        {
            "q_key": example["id"],
            "question_tokens": [*example["question"]],
            "evidences": [{"evidence_tokens": [*one["passage"]]} for one in example["passages"]],
        }
        for example in good
    ]
    return [
        Accepted("Baidu's files", lines(in_tokens), good),
        Accepted("Baidu's files with joined tokens", json_bytes(baidu), good),
        Accepted("labels of any shape", _webqa_document(any_labels), any_labels),
        Accepted(
            "JSON lines, some of them blank",
            b"\n" + lines(good[:1]) + b" \t\r\n\n" + lines(good[1:]),
            good,
            says="blank line",
        ),
        Accepted("all on one line", _webqa_document(good).replace(b"\n", b""), good),
        Accepted("a question without passages", _webqa_document([good[0], bare, good[1]]), [good[0], bare, good[1]]),
        Accepted(
            "ids that are numbers",
            _webqa_document(numbers),
            [{**example, "id": str(example["id"])} for example in numbers],
        ),
    ]


def _refused_webqa_submissions(good: list[Example]) -> list[Refused]:
    first, last = (example["id"].encode() + b"\t\n" for example in good)
    wrong = {
        "no tab": b"1 2",
        "two tabs": b"1\t2\t3",
        "not UTF-8": "编号\t答案".encode("gbk"),
        "JSON": json_bytes({"id": "1", "answer": "2"}),
    }
    return [Refused(name, first + line + b"\n" + last, 2) for name, line in wrong.items()] + [
        Refused("UTF-16", "编号\t答案".encode("utf-16"), 1)
    ]


def _read_webqa(task: ModuleType, path: Path, script: str) -> Any:
    return task.read_gold(path) if script == "evaluate" else _read_labelled(task, path, script)


WEBQA = Contest(
    folder="webqa_dgcnn",
    overfit=(
        "--epochs 4 --batch-size 4 --learning-rate 3e-3 --ema-momentum 0 --dropout 0 --hidden-size 64 --layers 2 "
        "--crop-share 0"
    ).split(),
    tiny="--epochs 1 --batch-size 8 --hidden-size 16 --layers 2 --max-train-examples 24 --max-dev-examples 12".split(),
    score="score",
    figures=("accuracy", "f1", "score", "answered", "questions", "accuracy_all", "f1_all", "score_all"),
    text=_webqa_text,
    with_text=lambda example, text: {
        "id": example["id"],
        "question": example["question"],
        "passages": [{"passage": text, "answer": ""}],
    },
    unlabelled=_unlabelled_webqa,
    answers=_webqa_answers,
    refused=_refused_webqa,
    accepted=_accepted_webqa,
    refused_submissions=_refused_webqa_submissions,
    reader=_read_webqa,
    read=lambda path: [record.value for record in read_json_records(path)],
    write=lambda path, examples: path.write_bytes(_webqa_document(examples)),
    with_id=lambda example, number: {**example, "id": f"{number:032x}"},
    suffixes=(".tsv", ".zip"),
)


# Entity linking


def _linking_answers(submission: bytes, examples: list[Example]) -> list[Any]:
    records = [strict_json(line) for line in submission.split(b"\n")[:-1]]
    assert [(record["text_id"], record["text"]) for record in records] == [
        (example["text_id"], example["text"]) for example in examples
    ]
    return [record["mention_data"] for record in records]


def _wrong_links(good: Example) -> dict[str, Example]:
    # An id of its own, or it would be refused for standing there twice.
    good = {**good, "text_id": "the wrong one"}
    mention = good["mention_data"][0]

    def with_mention(**changes: Any) -> Example:
        return {**good, "mention_data": [{**mention, **changes}]}

    return {
        "labels are a string": {**good, "mention_data": "没有"},
        "a mention is a string": {**good, "mention_data": ["渡口"]},
        "no mention": {**good, "mention_data": [without(mention, "mention")]},
        "no entity": {**good, "mention_data": [without(mention, "kb_id")]},
        "the mention is a number": with_mention(mention=7),
        "the offset is a word": with_mention(offset="第三"),
        "the offset is a fraction": with_mention(offset=0.5),
        "the entity is null": with_mention(kb_id=None),
        "the entity is a list": with_mention(kb_id=["7"]),
    }


def _absent_links(good: Example) -> dict[str, Example]:
    """What training does without, and a judge does not."""
    good = {**good, "text_id": "the wrong one"}
    mention = good["mention_data"][0]
    return {
        "no labels": without(good, "mention_data"),
        "labels are null": {**good, "mention_data": None},
        "no offset": {**good, "mention_data": [without(mention, "offset")]},
        "the offset is null": {**good, "mention_data": [{**mention, "offset": None}]},
    }


def _refused_links(good: list[Example]) -> list[Refused]:
    no_text = {
        "no text": {"text_id": "x", "mention_data": []},
        "the text is a number": {"text_id": "x", "text": 5, "mention_data": []},
        "the text is null": {"text_id": "x", "text": None},
        "no id": {"text": "没有编号", "mention_data": []},
        "the id is a fraction": {"text_id": 0.5, "text": "编号不是整数", "mention_data": []},
        "an id stands there twice": good[0],
    }
    return [
        *refused_lines(good, {**NO_JSON_OBJECT, **no_text}),
        *refused_lines(good, _wrong_links(good[0]), ("train", "evaluate")),
        *refused_lines(good, _absent_links(good[0]), ("evaluate",)),
        Refused("UTF-16", lines(good).decode().encode("utf-16"), 1),
    ]


def _accepted_links(good: list[Example]) -> list[Accepted]:
    wrong = {**_wrong_links(good[0]), **_absent_links(good[0])}
    odd = [{**example, "text_id": f"odd {number}"} for number, example in enumerate(wrong.values())]
    any_labels = [good[0], *odd, good[1]]
    numbers = [{**example, "text_id": number} for number, example in enumerate(good)]
    strings = [{**example, "text_id": str(number)} for number, example in enumerate(good)]
    return [
        Accepted("labels of any shape", lines(any_labels), any_labels),
        Accepted("ids that are numbers", lines(numbers), strings, says="2 x id that is a number"),
        Accepted("blank lines", b"\n" + lines(good[:1]) + b" \t\r\n\n" + lines(good[1:]), good, says="3 x blank line"),
        Accepted("no end of line at the end", lines(good).rstrip(b"\n"), good),
    ]


def _refused_link_submissions(good: list[Example]) -> list[Refused]:
    no_id = {"no id": {"mention_data": []}, "the id is null": {"text_id": None, "mention_data": []}}
    return refused_lines(good, {**NO_JSON_OBJECT, **no_id, **_wrong_links(good[0]), **_absent_links(good[0])})


def _read_links(task: ModuleType, path: Path, script: str) -> Any:
    return task.read_gold(path) if script == "evaluate" else _read_labelled(task, path, script)


ENTITY_LINKING = Contest(
    folder="ccks2019_entity_linking",
    overfit=(
        "--epochs 3 --batch-size 4 --learning-rate 5e-3 --ema-momentum 0.9 --dropout 0 --token-dropout 0 "
        "--hidden-size 64 --layers 2"
    ).split(),
    tiny="--epochs 1 --batch-size 8 --hidden-size 16 --layers 2 --max-train-examples 24 --max-dev-examples 12".split(),
    score="f1",
    figures=("precision", "recall", "f1"),
    text=lambda example: example["text"],
    with_text=lambda example, text: {"text_id": example["text_id"], "text": text, "mention_data": []},
    unlabelled=lambda example: {"text_id": example["text_id"], "text": example["text"]},
    answers=_linking_answers,
    refused=_refused_links,
    accepted=_accepted_links,
    refused_submissions=_refused_link_submissions,
    reader=_read_links,
    with_id=lambda example, number: {**example, "text_id": f"{number:032x}"},
)


# NL2SQL


def sample_tables() -> dict[str, Example]:
    files = sorted((competition.COMPETITIONS / "nl2sql/sample").glob("*.tables.json"))
    return {table["id"]: table for file in files for table in read_lines(file)}


def _write_questions(path: Path, examples: list[Example]) -> None:
    """The questions, and beside them their tables, which the sample must have; without questions any one of them."""
    tables = sample_tables()
    write_json_lines(path, examples)
    names = dict.fromkeys(example["table_id"] for example in examples) or [*tables][:1]
    write_json_lines(path.with_name(f"{path.stem}.tables.json"), [tables[name] for name in names])


def _query_answers(submission: bytes, examples: list[Example]) -> list[Any]:
    records = [strict_json(line) for line in submission.split(b"\n")[:-1]]
    assert len(records) == len(examples)
    tables = sample_tables()
    for record, example in zip(records, examples):
        columns = range(len(tables[example["table_id"]]["header"]))
        assert record.keys() == {"agg", "cond_conn_op", "conds", "sel"}
        assert record["sel"] and len(record["sel"]) == len(record["agg"])
        assert all(column in columns for column in record["sel"]) and all(
            number in range(6) for number in record["agg"]
        )
        assert record["conds"] and record["cond_conn_op"] in ((1, 2) if len(record["conds"]) > 1 else (0,))
        for column, operator, value in record["conds"]:
            assert column in columns and operator in range(4) and isinstance(value, str)
    return records


def _wrong_queries(good: Example) -> dict[str, Example]:
    """Queries that are none."""
    column, operator, value = good["conds"][0]
    return {
        "no selected columns": {name: part for name, part in good.items() if name != "sel"},
        "the selected column is no list": {**good, "sel": 0},
        "a column is a name": {**good, "sel": ["城市"], "agg": [0]},
        "a column is true": {**good, "sel": [True], "agg": [0]},
        "a column is a fraction": {**good, "sel": [0.5], "agg": [0]},
        "an aggregation is null": {**good, "sel": [0], "agg": [None]},
        "a column without aggregation": {**good, "agg": []},
        "the connection is null": {**good, "cond_conn_op": None},
        "the connection is a string": {**good, "cond_conn_op": "and"},
        "no conditions": {name: part for name, part in good.items() if name != "conds"},
        "a condition is a string": {**good, "conds": ["0"]},
        "a condition without value": {**good, "conds": [[column, operator]]},
        "a condition of four": {**good, "conds": [[column, operator, value, value]]},
        "an operator is a string": {**good, "conds": [[column, ">", value]]},
        "a value is null": {**good, "conds": [[column, operator, None]]},
        "a value is a list": {**good, "conds": [[column, operator, [value]]]},
    }


def _wrong_query_labels(good: Example) -> dict[str, Example]:
    sql = good["sql"]
    _, _, value = sql["conds"][0]
    wrong = {
        **_wrong_queries(sql),
        "a column that the table does not have": {**sql, "sel": [99], "agg": [0]},
        "a column below 0": {**sql, "conds": [[-1, 0, value]]},
        "no such aggregation": {**sql, "sel": [0], "agg": [6]},
        "no such operator": {**sql, "conds": [[0, 4, value]]},
        "no such connection": {**sql, "cond_conn_op": 3},
    }
    labels = {name: {**good, "sql": query} for name, query in wrong.items()}
    return labels | {"labels are a string": {**good, "sql": "SELECT"}}


def _no_query_labels(good: Example) -> dict[str, Example]:
    """Not used for training; but nothing can be compared with them."""
    return {"no labels": without(good, "sql"), "labels are null": {**good, "sql": None}}


def _refused_questions(good: list[Example]) -> list[Refused]:
    questions = {
        "no question": {name: part for name, part in good[0].items() if name != "question"},
        "the question is a number": {**good[0], "question": 5},
        "the question is null": {**good[0], "question": None},
        "no table": {name: part for name, part in good[0].items() if name != "table_id"},
        "the table is null": {**good[0], "table_id": None},
        "an unknown table": {**good[0], "table_id": "没有的表"},
    }
    return [
        *refused_lines(good, {**NO_JSON_OBJECT, **questions}),
        *refused_lines(good, _wrong_query_labels(good[0]), ("train", "evaluate")),
        *refused_lines(good, _no_query_labels(good[0]), ("evaluate",)),
        Refused("UTF-16", lines(good).decode().encode("utf-16"), 1),
    ]


def _accepted_questions(good: list[Example]) -> list[Accepted]:
    any_labels = [good[0], *_no_query_labels(good[0]).values(), *_wrong_query_labels(good[0]).values(), good[1]]
    return [
        Accepted("labels of any shape", lines(any_labels), any_labels),
        Accepted("one list", json_bytes(good), good),
        Accepted("blank lines", b"\n" + lines(good[:1]) + b" \t\r\n\n" + lines(good[1:]), good, says="3 x blank line"),
        Accepted("no end of line at the end", lines(good).rstrip(b"\n"), good),
    ]


def _refused_query_submissions(good: list[Example]) -> list[Refused]:
    queries = [example["sql"] for example in good]
    wrong = {"null": b"null", "a column is a string": {**queries[0], "sel": ["0"], "agg": [0]}}
    return refused_lines(queries, {**NO_JSON_OBJECT, **wrong, **_wrong_queries(queries[0])})


def _read_table_questions(task: ModuleType, path: Path, script: str) -> Any:
    if script == "submission":
        return task.read_submission(path)
    return task.read(path, path.parent, labelled={"train": None, "predict": False, "evaluate": True}[script])


NL2SQL = Contest(
    folder="nl2sql",
    overfit=(
        "--epochs 5 --batch-size 4 --learning-rate 3e-3 --ema-momentum 0 --dropout 0 --hidden-tokens 0 --hidden-matches 0 "
        "--hidden-size 64 --layers 2 --reading-size 32"
    ).split(),
    tiny="--epochs 1 --batch-size 8 --hidden-size 16 --layers 2 --reading-size 16 --max-train-examples 24 --max-dev-examples 12".split(),
    score="score",
    figures=("logic_form_accuracy", "execution_accuracy", "score"),
    text=lambda example: example["question"],
    with_text=lambda example, text: {**example, "question": text},
    unlabelled=lambda example: {"question": example["question"], "table_id": example["table_id"]},
    answers=_query_answers,
    refused=_refused_questions,
    accepted=_accepted_questions,
    refused_submissions=_refused_query_submissions,
    reader=_read_table_questions,
    write=_write_questions,
    # A folder stands for all files of tables in it, since the contract moves questions about.
    predict_flags=("--tables", "{data}"),
    evaluate_flags=("--tables", "{data}"),
)


# Title generation


def _title_answers(submission: bytes, examples: list[Example]) -> list[Any]:
    records = [strict_json(line) for line in submission.split(b"\n")[:-1]]
    assert len(records) == len(examples)
    assert all(
        record.keys() == {"title"} and isinstance(record["title"], str) and record["title"].strip()
        for record in records
    )
    return [record["title"] for record in records]


def _absent_titles(good: Example) -> dict[str, Example]:
    return {"no labels": {"content": good["content"]}, "labels are null": {**good, "title": None}}


def _wrong_titles(good: Example) -> dict[str, Example]:
    return {
        "the title is a number": {**good, "title": 5},
        "the title is a list": {**good, "title": [good["title"]]},
    }


def _refused_texts(good: list[Example]) -> list[Refused]:
    texts = {
        "the text is a number": {**good[0], "content": 5},
        "the text is null": {**good[0], "content": None},
        "the abstract is a list": {"title": "摘要不是字符串", "abst": []},
        "the text is null beside an abstract": {**good[0], "content": None, "abst": good[0]["content"]},
    }
    # Gold may be titles alone.
    no_text = {"no text": {"title": "没有正文"}}
    return [
        *refused_lines(good, {**NO_JSON_OBJECT, **texts}),
        *refused_lines(good, no_text, ("train", "predict")),
        # In training an example that has none is empty, and counted.
        *refused_lines(good, _absent_titles(good[0]), ("evaluate",)),
        *refused_lines(good, _wrong_titles(good[0]), ("train", "evaluate")),
        Refused("UTF-16", lines(good).decode().encode("utf-16"), 1),
    ]


def _accepted_texts(good: list[Example]) -> list[Accepted]:
    any_labels = [good[0], *(_absent_titles(good[0]) | _wrong_titles(good[0])).values(), good[1]]
    abstracts = [{"title": example["title"], "abst": example["content"]} for example in good]
    both = [{**example, "abst": 5} for example in good]
    texts = [{"summary": example["title"], "text": example["content"]} for example in good]
    runs = [{"content": run} for run in ("🏮" * 256, "a" * 20_000, "天" + "\u0301" * 2000, "\ud800" * 300)]
    return [
        Accepted("labels of any shape", lines(any_labels), any_labels),
        Accepted("abstracts", lines(abstracts), abstracts),
        Accepted("an abstract beside the text", lines(both), both),
        Accepted("texts under another key", lines(texts), texts, says='2 x text under "text"'),
        Accepted("one list", json_bytes(good, indent=1), good),
        Accepted("runs without a break", lines(runs), runs),
        Accepted("blank lines", b"\n" + lines(good[:1]) + b" \t\r\n\n" + lines(good[1:]), good, says="3 x blank line"),
        Accepted("no end of line at the end", lines(good).rstrip(b"\n"), good),
    ]


def _read_texts(task: ModuleType, path: Path, script: str) -> Any:
    special = {"submission": task.read_titles, "evaluate": task.read_gold}
    return special[script](path) if script in special else task.read(path, labelled=script == "train")


TITLING = Contest(
    folder="seq2seq_titling",
    overfit="--epochs 12 --batch-size 4 --learning-rate 5e-3 --ema-momentum 0 --dropout 0 --hidden-size 64 --layers 1 --votes 0".split(),
    tiny=(
        "--epochs 1 --batch-size 8 --hidden-size 16 --layers 2 --max-train-examples 24 --max-dev-examples 12 "
        "--max-title-length 12 --beam-width 2 --votes 2"
    ).split(),
    score="rouge-l",
    figures=("rouge-1", "rouge-2", "rouge-l", "bleu"),
    text=lambda example: example["content"],
    with_text=lambda example, text: {**example, "content": text},
    unlabelled=lambda example: {"content": example["content"]},
    answers=_title_answers,
    refused=_refused_texts,
    accepted=_accepted_texts,
    refused_submissions=lambda good: refused_lines(
        good, {**NO_JSON_OBJECT, **_absent_titles(good[0]), **_wrong_titles(good[0])}
    ),
    reader=_read_texts,
)


CONTESTS = [RELATION_EXTRACTION, READING_COMPREHENSION, EVENT_EXTRACTION, WEBQA, ENTITY_LINKING, NL2SQL, TITLING]


def these(*contests: Contest) -> pytest.MarkDecorator:
    """A test of each. With the folder in its name it runs where the trained run of the contest is: see selection.py."""
    return pytest.mark.parametrize("contest", contests, ids=lambda contest: contest.folder)


every_contest = these(*CONTESTS)


def in_default(*contests: Contest, reason: str) -> pytest.MarkDecorator:
    """Every contest; the default suite has these, which stand for all: two at least, since one would show what it alone
    does, or one, where what is tried lies in `common` and is given all that it works on."""
    if not contests:
        raise ValueError(f"{reason}: must name a contest")
    slow = pytest.mark.slow(reason=reason)
    parameters = [
        pytest.param(contest, marks=() if contest in contests else slow, id=contest.folder) for contest in CONTESTS
    ]
    return pytest.mark.parametrize("contest", parameters)
