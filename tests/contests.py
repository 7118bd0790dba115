"""What test_contract.py and test_readme.py need to know of each contest, beyond what all of them have in common.

A new folder in competitions/ adds one `Contest` to CONTESTS at the end of this file, and nothing else. Contests whose files are not
JSON lines give functions of their own. The examples of all files are plain dicts, one for each answer that the judge expects.
"""

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from common.submission import json_bytes, read_json_lines, write_json_lines

Example = dict[str, Any]
ALL_SCRIPTS = ("train", "predict", "evaluate")


class Refused(NamedTuple):
    """A file with a mistake in `line`. `scripts` must refuse it: train.py as train.json and as dev.json, evaluate.py as gold."""

    name: str
    content: bytes
    line: int
    scripts: tuple[str, ...] = ALL_SCRIPTS


class Accepted(NamedTuple):
    """A file that predict.py must answer, whatever is odd about it: one answer for each of `examples`, and `says` on stdout."""

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
    """Flags of train.py with which 8 examples are learned by heart in less than a minute on one core."""
    tiny: Sequence[str]
    """Flags with which training takes seconds and need not learn anything; dropout, moving average and the rest stay on."""
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
    """Of a submission, what it says of each of `examples`, without ids. AssertionError unless it is for just these, in order."""
    refused: Callable[[list[Example]], list[Refused]]
    """Files with mistakes that the format allows; made from good examples."""
    accepted: Callable[[list[Example]], list[Accepted]]
    """Files that look like mistakes, but are none for predict.py; made from good examples."""
    refused_submissions: Callable[[list[Example]], list[Refused]]
    """Submissions with mistakes; `scripts` has no meaning here. evaluate.py alone reads them."""
    read: Callable[[Path], list[Example]] = read_lines
    """A data file of the contest."""
    write: Callable[[Path, list[Example]], None] = write_json_lines
    """Writes a data file; also of examples without labels, and of none."""
    with_id: Callable[[Example, int], Example] = with_same_id
    """The example under an id made of a number, where examples have ids, so that none stands twice in a file."""
    best: float = 1.0
    """The highest possible score."""
    predict_flags: Sequence[str] = ()
    """What predict.py needs besides the flags of all contests; {data} is the folder with the contest's files."""
    evaluate_flags: Sequence[str] = ()
    """What evaluate.py needs besides, in the same way."""
    absent_flags: frozenset[str] = frozenset()
    """Those of the flags in DESIGN.md section 5 that make no sense here."""
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


def refused_lines(good: list[Example], wrong: dict[str, Example | bytes], scripts: tuple[str, ...] = ALL_SCRIPTS) -> list[Refused]:
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
        "no labels": {"text": good["text"]},
        "labels are null": {**good, "spo_list": None},
        "labels are a string": {**good, "spo_list": "没有"},
        "a triple is a string": {**good, "spo_list": ["三元组"]},
        "a triple without subject": {**good, "spo_list": [without_subject]},
        "the object is a list": labelled(object=["甲"]),
        "a slot is a number": labelled(object={"@value": 7}),
    }


def _refused_relations(good: list[Example]) -> list[Refused]:
    no_text = {"no text": {"spo_list": []}, "the text is a number": {"text": 5, "spo_list": []}, "the text is null": {"text": None}}
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
    any_labels = [good[0], *_wrong_relations(good[0]).values(), good[1]]
    return [
        Accepted("labels of any shape", lines(any_labels), any_labels),
        Accepted("blank lines", b"\n" + lines(good[:1]) + b" \t\r\n\n" + lines(good[1:]), good, says="3 blank lines"),
        Accepted("no end of line at the end", lines(good).rstrip(b"\n"), good),
    ]


RELATION_EXTRACTION = Contest(
    folder="lic2020_relation_extraction",
    overfit="--epochs 80 --batch-size 4 --learning-rate 3e-3 --ema-momentum 0 --dropout 0 --hidden-size 64 --layers 3".split(),
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
    refused_submissions=lambda good: refused_lines(good, {**NO_JSON_OBJECT, **_wrong_relations(good[0])}),
)


CONTESTS = [RELATION_EXTRACTION]
