"""WebQA with DGCNN: the official files, read and checked, and the submission, written and checked.

A question comes with passages that a search engine found for it. The answer is a short piece of some of them, and is
not in the others; several forms of it may be accepted. The metric is in metric.py.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import UserError
from common.json_document import JsonElement, read_json_records
from common.submission import BLANK_LINE, find_file, read_lines, write_lines

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "webqa_dgcnn"

# What a line of the submission cannot hold: tab, line ends, and half a surrogate pair, for which UTF-8 has no bytes.
_UNWRITABLE = re.compile("[\t\n\r\ud800-\udfff]")


@dataclass(frozen=True)
class Passage:
    """A passage and the answer that it gives; "" when it gives none, or the file does not say.

    Each tab, line end and half a surrogate pair of the file is a blank in both, so that any piece of `text` can be
    submitted.
    """

    text: str
    answer: str


@dataclass(frozen=True)
class Example:
    """A question, its passages, and the line on which it begins in the file, from 1.

    `answers` are all that are accepted, the standard one first, distinct and none of them blank. None: unlabelled. ():
    labelled, and there is none.
    """

    id: str
    question: str
    passages: tuple[Passage, ...]
    answers: tuple[str, ...] | None
    line: int


@dataclass(frozen=True)
class Gold:
    """What a prediction is compared with: the standard answer ("" if there is none) and all accepted ones.

    `example` is the whole question, None where only its answers are known.
    """

    id: str
    standard: str
    accepted: tuple[str, ...]
    example: Example | None = None

    @classmethod
    def of(cls, example: Example) -> "Gold":
        """The answers of a question. Raises ValueError where it is unlabelled."""
        if example.answers is None:
            raise ValueError(f'question "{example.id}" has no labels to compare with')
        return cls(example.id, example.answers[0] if example.answers else "", example.answers, example)


# Reading


def read(path: str | Path, labelled: bool | None = None, skipped: Counter[str] | None = None) -> list[Example]:
    """The questions of a file that is a JSON list of them, or has one on each line (`skipped` counts the blank ones).

    Accepted are the "answer" and "answers" that a question names, as for its passages it may name more than one; where
    it names none, the different answers of its passages, the most frequent first. `labelled=True` demands an "answer",
    which may be "", for every passage, `False` never looks at answers, None takes what there is. Whether an answer
    stands in its passage is not checked. Raises UserError naming file and line, also for an id that stands there twice,
    since a submission could not tell the two apart, and for one that no line can hold.
    """
    lines: dict[str, int] = {}
    examples = []
    for record in read_json_records(path, skipped):
        name = str(record.field("id", (str, int)).value)
        if not name.strip() or _UNWRITABLE.search(name):
            raise UserError(
                f"{record.where('id')}: an id must not be blank or hold a tab or a line end - give another one"
            )
        if name in lines:
            raise UserError(
                f'{record.where("id")}: id "{name:.60}" stands already in line {lines[name]} - give each question an id of its own'
            )
        lines[name] = record.line
        question = record.field("question", str).value
        items = list(record.field("passages", list).items(dict))
        passages = tuple(_passage(item, labelled) for item in items)
        answers = _accepted(record, items, passages, labelled)
        examples.append(Example(name, question, passages, answers, record.line))
    return examples


def _passage(item: JsonElement, labelled: bool | None) -> Passage:
    text = _writable(item.field("passage", str).value)
    if labelled or (labelled is None and item.value.get("answer") is not None):
        return Passage(text, _answer(item.field("answer", str)))
    return Passage(text, "")


def _accepted(
    record: JsonElement, items: Sequence[JsonElement], passages: Sequence[Passage], labelled: bool | None
) -> tuple[str, ...] | None:
    if labelled is False:
        return None
    named = []
    if record.value.get("answer") is not None:
        named.append(_answer(record.field("answer", str)))
    if record.value.get("answers") is not None:
        named += map(_answer, record.field("answers", list).items(str))
    if any(named):
        return tuple(dict.fromkeys(filter(None, named)))
    if labelled or any(item.value.get("answer") is not None for item in items):
        answers = Counter(passage.answer for passage in passages if passage.answer)
        return tuple(answer for answer, _ in answers.most_common())
    return None


def _answer(element: JsonElement) -> str:
    """An answer, "" if it is blank."""
    answer = _writable(element.value)
    return answer if answer.strip() else ""


def _writable(text: str) -> str:
    return _UNWRITABLE.sub(" ", text)


def read_gold(path: str | Path) -> list[Gold]:
    """The answers of a file that `read` reads, or of one with `id<TAB>standard answer<TAB>accepted|answers` lines,
    whichever it looks like.

    Raises UserError naming file and line, also for an id that stands there twice.
    """
    _, first = next(read_lines(path), (0, ""))
    if first.lstrip().startswith(("[", "{")):
        return [Gold.of(example) for example in read(path, labelled=True)]
    lines: dict[str, int] = {}
    gold = []
    form = "an id, the standard answer and the accepted ones with | between"
    for number, (name, standard, accepted) in _rows(path, 3, form):
        if name in lines:
            raise UserError(f'{path}:{number}: id "{name:.60}" stands already in line {lines[name]} - leave one')
        lines[name] = number
        gold.append(Gold(name, standard, tuple(accepted.split("|"))))
    return gold


def _rows(
    path: str | Path, columns: int, form: str, skipped: Counter[str] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """The number and the columns of every line that is not blank."""
    for number, line in read_lines(path, skipped):
        row = line.split("\t")
        if len(row) != columns:
            raise UserError(
                f"{path}:{number}: {len(row)} columns - each line must be {form}, {columns} columns with a tab between"
            )
        yield number, row


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None


# Our names, and those that other contests' organisers use.
_NAMES = {role: (f"{role}.json", f"{role}_data.json") for role in ("train", "dev")}


def find_files(data_dir: str | Path) -> Files:
    """The training and development file in a folder.

    Raises UserError that shows the tree we expect; only the development file may be missing. WebQA.json and
    SogouQA.json are published without a split, so which of their questions are for training is not ours to say.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json and dev.json "
        "(WebQA.json and SogouQA.json come whole: write some of their questions to dev.json, the others to train.json; "
        "without dev.json a part of train.json is dev)"
    )
    return Files(**{role: find_file(folder, role, names, tree, role == "dev") for role, names in _NAMES.items()})


# The submission


def write_submission(path: str | Path, ids: Sequence[str], answers: Sequence[str]) -> None:
    """One `id<TAB>answer` line for each id, in order; a flat zip when the name ends in `.zip`.

    Raises ValueError for unequal numbers, and for an id or answer that a line cannot hold.
    """
    rows = [*zip(ids, answers, strict=True)]
    for name, answer in rows:
        if _UNWRITABLE.search(name + answer):
            raise ValueError(
                f"cannot be submitted: {name!r} with {answer!r} has a tab, a line end or half a surrogate pair"
            )
    write_lines(path, (f"{name}\t{answer}".encode() for name, answer in rows), ".tsv")


def read_submission(path: str | Path) -> list[tuple[str, str]]:
    """The (id, answer) pairs of a submission, one for each line that is not blank, for metric.compare.

    As lenient as the metric: any ids will do, and one may stand there twice. Raises UserError naming file and line.
    """
    return [(name, answer) for _, (name, answer) in _rows(path, 2, "an id and an answer")]


def check_submission(path: str | Path, examples: Sequence[Example] | None = None) -> int:
    """The number of lines of a submission that the judge can read.

    Checked: UTF-8, a flat zip, no blank line, one tab on each line, every id once. With `examples` also: their ids, in
    order, and that each answer that is not empty stands as it is in a passage of its question. Raises UserError naming
    file and line.
    """
    skipped: Counter[str] = Counter()
    lines: dict[str, int] = {}
    for number, (name, answer) in _rows(path, 2, "an id and an answer", skipped):
        where = f"{path}:{number}"
        if skipped[BLANK_LINE]:
            raise UserError(f"{where}: follows a blank line, which the judge cannot read - delete it")
        if name in lines:
            raise UserError(f'{where}: id "{name:.60}" stands already in line {lines[name]} - leave one')
        if examples is not None:
            _check_row(name, answer, len(lines), examples, where)
        lines[name] = number
    if skipped[BLANK_LINE]:
        raise UserError(f"{path}: ends with a blank line, which the judge cannot read - delete it")
    if examples is not None and len(lines) < len(examples):
        raise UserError(
            f"{path}: ends after {len(lines)} of {len(examples)} questions - each needs a line, also without an answer"
        )
    return len(lines)


def _check_row(name: str, answer: str, count: int, examples: Sequence[Example], where: str) -> None:
    if count >= len(examples) or examples[count].id != name:
        raise UserError(
            f"{where}: is not the id of question {count + 1} of the {len(examples)} in the input - keep every id, in order"
        )
    if answer and not any(answer in passage.text for passage in examples[count].passages):
        raise UserError(
            f'{where}: "{answer:.60}" is in no passage of its question - cut answers from there, as they are'
        )
